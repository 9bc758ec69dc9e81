//! `claque demo`: the example thread, scored and explained; then a desk to try, with a made-up newsroom's comments in it.
//!
//! The desk's database is made once from `examples/desk/` by the same intake and the same decisions as in a newsroom, and dated back so that it has a
//! past. It is served on this machine only.

use std::io::IsTerminal;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use chrono::Utc;
use serde::Deserialize;

use super::database::Database;
use super::output::{table, write_to};
use super::{EngineArgs, Outcome, serve};
use crate::access::{Role, hash_password};
use crate::config::Settings;
use crate::domain::{Article, Comment, Id};
use crate::intake::Intake;
use crate::offline::judge::{Mode, judge};
use crate::offline::records::{Articles, read_lines};
use crate::store::records::{Action, Actor, NewDecision, Site, Sites, Target, User};
use crate::store::{Store, StoreError, sqlite};

const ARTICLE: &[u8] = include_bytes!("../../examples/thread/article.jsonl");
const COMMENTS: &[u8] = include_bytes!("../../examples/thread/comments.jsonl");
const DESK_ARTICLES: &[u8] = include_bytes!("../../examples/desk/articles.jsonl");
const DESK_COMMENTS: &[u8] = include_bytes!("../../examples/desk/comments.jsonl");
const DESK_DECISIONS: &[u8] = include_bytes!("../../examples/desk/decisions.jsonl");

/// The made-up newsroom.
const SITES: [(&str, &str); 2] =
    [("harbour-gazette", "Harbour Gazette"), ("valley-courier", "Valley Courier")];
const USERS: [(&str, Role); 2] = [("anna", Role::Admin), ("ben", Role::Moderator)];
/// Known to everybody who reads this: the desk is served to this machine alone.
const PASSWORD: &str = "claque-demo";
const PORT: u16 = 8787;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only print the example thread
    #[arg(long)]
    once: bool,
    /// Begin anew: forget what was done on the demo's desk
    #[arg(long)]
    reset: bool,
    /// Where the demo's database is; in your cache folder without
    #[arg(long, value_name = "PATH")]
    db: Option<PathBuf>,
    /// Where to listen, on this machine; another free port is taken where 8787 is not free
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

/// A decision of the newsroom's past.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Past {
    comments: Vec<Id>,
    site: String,
    action: Action,
    by: String,
    reason: Option<String>,
    note: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<Outcome> {
    print_thread()?;
    if args.once {
        return Ok(Outcome::Done);
    }
    let listen = address(args.listen)?;
    let path = args.db.clone().map_or_else(place, Ok)?;
    actix_web::rt::System::new().block_on(prepare(&path, args.reset))?;
    let service = serve::Args::for_demo(Database { db: path.clone(), json: false }, listen);
    serve::run_with(&service, "warn", move |url| {
        println!(
            "\nThe desk: {url}/\nLog in as anna (sets up) or ben (moderates); the password of both is {PASSWORD}"
        );
        println!("Its database: {}   Begin anew: claque demo --reset   End: Ctrl-C", path.display());
    })
}

fn print_thread() -> Result<()> {
    let engine = EngineArgs::default().load()?;
    let articles = Articles::new(read_lines::<Article>("the example's article", ARTICLE)?.records);
    let comments = read_lines::<Comment>("the example's comments", COMMENTS)?.records;
    let judged = judge(&engine, &comments, &articles, Mode::Whole);
    let article = articles.iter().next().ok_or_else(|| anyhow!("the example has no article"))?;
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    write_to(None, |out| {
        writeln!(out, "{}\n", article.title)?;
        table(out, &comments, &judged.assessments, &judged.campaigns, colour)
    })
}

/// The address to listen on: the one asked for, else the usual port if it is free, else any.
fn address(asked: Option<SocketAddr>) -> Result<SocketAddr> {
    if let Some(address) = asked {
        if !address.ip().is_loopback() {
            bail!("{address} is not this machine's own: everybody knows the demo's password");
        }
        return Ok(address);
    }
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    let is_free = TcpListener::bind(usual).is_ok();
    Ok(if is_free { usual } else { SocketAddr::from((Ipv4Addr::LOCALHOST, 0)) })
}

/// The demo's database in the user's cache folder.
fn place() -> Result<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = || {
        std::env::var_os("HOME").filter(|path| !path.is_empty()).map(|home| Path::new(&home).join(".cache"))
    };
    let folder = cache.or_else(home).unwrap_or_else(std::env::temp_dir).join("claque");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder.join("demo.db"))
}

/// Makes the database where there is none, or anew.
async fn prepare(path: &Path, reset: bool) -> Result<()> {
    let refused = |error: StoreError| anyhow!("{error}");
    if path.exists() {
        let is_demo = Store::open_existing(path).map_err(refused)?.is_demo().await.map_err(refused)?;
        if !is_demo {
            bail!("{} is no demo's database: name another with --db", path.display());
        }
        if !reset {
            return Ok(());
        }
        if sqlite::is_in_use(path).map_err(refused)? {
            bail!("{} is in use: end the other demo first", path.display());
        }
        for tail in ["", "-wal", "-shm"] {
            let mut file = path.as_os_str().to_owned();
            file.push(tail);
            if Path::new(&file).exists() {
                std::fs::remove_file(&file).with_context(|| format!("cannot remove {}", path.display()))?;
            }
        }
    }
    // Made beside its place and moved there: an interrupted seed leaves no half of a desk.
    let mut half = path.as_os_str().to_owned();
    half.push(".making");
    let half = PathBuf::from(half);
    for tail in ["", "-wal", "-shm"] {
        let mut file = half.as_os_str().to_owned();
        file.push(tail);
        let _ = std::fs::remove_file(file);
    }
    seed(&half).await?;
    // Its connections close a moment after the store is dropped, and take their side files along.
    let mut log = half.as_os_str().to_owned();
    log.push("-wal");
    for _ in 0..30 {
        if !Path::new(&log).exists() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    std::fs::rename(&half, path).with_context(|| format!("cannot make {}", path.display()))
}

async fn seed(path: &Path) -> Result<()> {
    let refused = |error: StoreError| anyhow!("{error}");
    let store = Store::open(path).map_err(refused)?;
    for (id, title) in SITES {
        store.add_site(Site { id: id.to_owned(), title: title.to_owned() }).await.map_err(refused)?;
    }
    for (name, role) in USERS {
        let user = User {
            name: name.to_owned(),
            role: role.name().to_owned(),
            sites: Vec::new(),
            created_at: 0,
            disabled_at: None,
            password_hash: hash_password(PASSWORD)?,
        };
        store.add_user(user).await.map_err(refused)?;
    }
    for article in read_lines::<Article>("the demo's articles", DESK_ARTICLES)?.records {
        let site = article.site.clone().map(|site| site.to_string()).unwrap_or_default();
        store.put_article(site, article).await.map_err(refused)?;
    }
    let comments = read_lines::<Comment>("the demo's comments", DESK_COMMENTS)?.records;
    let newest = comments.iter().filter_map(|comment| comment.created_at).max().unwrap_or_default();
    let shift = Utc::now() - chrono::TimeDelta::minutes(4) - newest;
    let engine = Arc::new(EngineArgs::default().load()?);
    let intake = Intake::start(engine, store.clone(), &Settings::default()).await.map_err(refused)?;
    for mut comment in comments {
        comment.created_at = comment.created_at.map(|at| at + shift);
        comment.label = None;
        let site = comment.site.clone().map(|site| site.to_string()).unwrap_or_default();
        intake.take(site, comment, true, None, ()).await.map_err(refused)?;
    }
    let mut decisions = read_lines::<Past>("the demo's decisions", DESK_DECISIONS)?.records;
    // In the order of the comments, whose ids grow with time.
    decisions.sort_by_key(|past| past.comments.iter().map(ToString::to_string).max());
    for past in decisions {
        let decision = NewDecision {
            sites: Sites::All,
            site: Some(past.site),
            target: Target::Comments(past.comments),
            version: None,
            action: past.action,
            reason: past.reason,
            note: past.note,
            except: Vec::new(),
            by: Actor { name: format!("user:{}", past.by), leads: true },
            undo_for: 600_000,
        };
        store.decide(decision).await.map_err(refused)?;
    }
    store.date_back().await.map_err(refused)?;
    store.settle().await.map_err(refused)
}
