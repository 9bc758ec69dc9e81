//! `claque rescore`: an archive, from exports or from the store, judged with the rules of now.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, anyhow, bail};

use super::database::runtime;
use super::progress::{How, listener};
use super::score::read_articles;
use super::{EngineArgs, Outcome};
use crate::domain::{Article, Comment, Id};
use crate::intake::Allowed;
use crate::offline::archive::{Ended, Job, Origin, StoredFacts, run as rescore};
use crate::offline::judge::Mode;
use crate::offline::plan::Plan;
use crate::offline::read::{Columns, Entry, FORMATS, Options, open};
use crate::offline::records::{LabelledComment, Reject};
use crate::store::Store;
use crate::store::records::Archived;

/// The most threads.
const MOST_JOBS: usize = 1024;
/// Comments read from the store at a time.
const PAGE: usize = 2000;

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line are bools")]
pub(super) struct Args {
    /// Exports: JSON Lines, CSV, WordPress, Disqus, Commento, Remark42, Coral; also .gz and .zst; `-` for standard input
    #[arg(value_name = "FILE", required_unless_present = "store")]
    files: Vec<PathBuf>,
    /// Rescore what the store has
    #[arg(long, conflicts_with = "files", requires = "db")]
    store: bool,
    /// The store's database
    #[arg(long, value_name = "PATH", env = "CLAQUE_DB")]
    db: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    /// Articles as JSON Lines, beside those of the exports
    #[arg(long, value_name = "FILE")]
    articles: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArgs,
    /// The folder for assessments, campaigns, threads, report and plan
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Threads of the computer to use; all of them without
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Go on with what was begun in the folder
    #[arg(long)]
    resume: bool,
    /// Judge each comment with what came before it, as it would have been live
    #[arg(long)]
    as_of_arrival: bool,
    /// End at the first piece that is not understood
    #[arg(long)]
    strict: bool,
    /// Write the assessments as Parquet too (needs a build with `--features parquet`)
    #[arg(long)]
    parquet: bool,
    /// How to tell the progress
    #[arg(long, value_enum, default_value_t = How::Auto)]
    progress: How,
}

/// How exports are read.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Reading {
    /// The exports' format, where it is not to be told by the files
    #[arg(long, value_name = "FORMAT")]
    from: Option<String>,
    /// Which column of a CSV file is which field, such as `id=cid,text=body`
    #[arg(long, value_name = "MAP")]
    columns: Option<String>,
    /// The site of everything in the exports; with --store, the one site that is read
    #[arg(long, value_name = "ID")]
    pub(super) site: Option<String>,
    /// The most bytes that a compressed file may unfold to
    #[arg(long, value_name = "BYTES")]
    max_bytes: Option<u64>,
    /// The most that a compressed byte may unfold to, on average
    #[arg(long, value_name = "N")]
    max_ratio: Option<u64>,
}

impl Reading {
    /// Says so where something was asked for that only exports have.
    pub(super) fn of_store(&self) -> Result<()> {
        let only = [
            ("--from", self.from.is_some()),
            ("--columns", self.columns.is_some()),
            ("--max-bytes", self.max_bytes.is_some()),
            ("--max-ratio", self.max_ratio.is_some()),
        ];
        match only.into_iter().find(|(_, is_there)| *is_there) {
            Some((what, _)) => bail!("{what} says how exports are read: it has no meaning with --store"),
            None => Ok(()),
        }
    }

    /// The format that was named, checked.
    pub(super) fn format(&self) -> Result<Option<&str>> {
        if let Some(from) = &self.from
            && FORMATS.iter().all(|format| format.name() != from)
        {
            let known: Vec<&str> = FORMATS.iter().map(|format| format.name()).collect();
            bail!("no format is called `{from}`; known: {}", known.join(", "));
        }
        Ok(self.from.as_deref())
    }

    /// The options of the readers.
    pub(super) fn options(&self) -> Result<Options> {
        let mut options = Options::default();
        if let Some(map) = &self.columns {
            options.columns = map.parse::<Columns>().map_err(|error| anyhow!("--columns: {error}"))?;
        }
        if let Some(site) = &self.site
            && (site.is_empty() || site.len() > Id::LONGEST || site.chars().any(char::is_control))
        {
            bail!("--site: a site's id has 1 to {} bytes and no control characters", Id::LONGEST);
        }
        options.site = self.site.as_deref().map(Id::from);
        options.max_bytes = self.max_bytes.unwrap_or(options.max_bytes);
        options.max_ratio = self.max_ratio.unwrap_or(options.max_ratio);
        Ok(options)
    }
}

pub(super) fn run(args: &Args) -> Result<Outcome> {
    if args.parquet && !cfg!(feature = "parquet") {
        bail!("--parquet: this claque was built without it: build with `--features parquet`");
    }
    let engine = args.engine.load()?;
    let (articles, article_rejects) = read_articles(args.articles.as_ref())?;
    super::output::report_rejects(&article_rejects);
    let mut articles: Vec<Article> = articles.iter().cloned().collect();
    // A map has no order of its own.
    articles.sort_by(|a, b| (&a.site, &a.id).cmp(&(&b.site, &b.id)));
    let stop = Arc::new(AtomicBool::new(false));
    stop_on_interrupt(&stop)?;
    let mut job = Job {
        engine: &engine,
        mode: if args.as_of_arrival { Mode::AsOfArrival } else { Mode::Whole },
        articles,
        allowed: Allowed::default(),
        out: &args.out,
        resume: args.resume,
        strict: args.strict,
        parquet: args.parquet,
        stop: &stop,
    };
    let mut pool = rayon::ThreadPoolBuilder::new();
    if let Some(jobs) = args.jobs {
        if !(1..=MOST_JOBS).contains(&jobs) {
            bail!("--jobs is from 1 to {MOST_JOBS}");
        }
        pool = pool.num_threads(jobs);
    }
    let pool = pool.build().context("cannot start threads")?;
    let mut listener = listener(args.progress);
    let options = args.reading.options()?;
    let ended = if args.store {
        args.reading.of_store()?;
        let path = args.db.as_ref().ok_or_else(|| anyhow!("name the database with --db"))?;
        let store = Store::open_existing(path).map_err(|error| anyhow!("{error}"))?;
        let runtime = runtime()?;
        let digest = runtime.block_on(store.archive_digest()).map_err(|error| anyhow!("{error}"))?;
        let allowed = runtime
            .block_on(store.allowed_campaigns(crate::store::records::Sites::All))
            .map_err(|error| anyhow!("{error}"))?;
        job.allowed = Allowed::at(chrono::Utc::now().timestamp_millis(), &allowed);
        let templated = super::templated(args.engine.config.as_ref())?;
        let mut each = |sink: &mut dyn FnMut(Entry, Option<StoredFacts>) -> ControlFlow<()>| {
            runtime.block_on(hand_on(&store, args.reading.site.as_deref(), &templated, sink))
        };
        let origin = Origin::Store { digest, site: args.reading.site.as_deref(), each: &mut each };
        rescore(&job, origin, &mut *listener, &pool)
    } else {
        let origin = Origin::Files { files: &args.files, from: args.reading.format()?, options: &options };
        rescore(&job, origin, &mut *listener, &pool)
    };
    drop(listener);
    let ended = ended?;
    if args.store && ended != Ended::Stopped {
        keep_plan(args)?;
    }
    match ended {
        Ended::Stopped => {
            eprintln!("claque: stopped; the same command with --resume goes on");
            Ok(Outcome::Interrupted)
        }
        Ended::Finished { comments, flagged, rejects } => {
            eprintln!(
                "claque: {comments} comments, {flagged} flagged, {rejects} pieces not understood; see {}",
                args.out.join("report.html").display()
            );
            let all_good = rejects == 0 && article_rejects.is_empty();
            Ok(if all_good { Outcome::Done } else { Outcome::SomeRejected })
        }
    }
}

/// Keeps the plan of a store's rescoring in the store, where the desk shows it.
fn keep_plan(args: &Args) -> Result<()> {
    let path = args.out.join("plan.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let (head, items) = Plan::parts(&text).map_err(|error| anyhow!("{} {error}", path.display()))?;
    let (Some(database), false) = (&args.db, items.is_empty()) else { return Ok(()) };
    let store = Store::open_existing(database).map_err(|error| anyhow!("{error}"))?;
    let added = store.add_plan(Plan::id(&text), head, items, "operator".to_owned());
    runtime()?.block_on(added).map_err(|error| anyhow!("{error}"))
}

/// Everything that exports hold, in memory.
#[derive(Default)]
pub(super) struct ReadAll {
    pub(super) comments: Vec<Comment>,
    pub(super) articles: Vec<Article>,
    pub(super) rejects: Vec<Reject>,
}

/// Reads exports whole.
pub(super) fn read_all(files: &[PathBuf], reading: &Reading) -> Result<ReadAll> {
    let (from, options) = (reading.format()?, reading.options()?);
    let mut all = ReadAll::default();
    for path in files {
        let opened = open(path, from, &options)?;
        opened.read(&options, &mut |entry| {
            match entry {
                Entry::Comment(comment) => all.comments.push(comment.comment),
                Entry::Article(article) => all.articles.push(*article),
                Entry::Reject(reject) => all.rejects.push(reject),
                Entry::Note(_) => {}
            }
            ControlFlow::Continue(())
        })?;
    }
    Ok(all)
}

/// Everything that a store has, in memory: comments with what was decided about them, articles.
#[derive(Default)]
pub(super) struct FromStore {
    pub(super) comments: Vec<(Comment, Option<String>)>,
    /// Whether each comment's author is trusted.
    pub(super) trusted: Vec<bool>,
    pub(super) articles: Vec<Article>,
}

/// Reads a store whole.
pub(super) async fn from_store(
    store: &Store,
    site: Option<&str>,
    templated: &[String],
) -> std::result::Result<FromStore, String> {
    let mut all = FromStore::default();
    hand_on(store, site, templated, &mut |entry, stored| {
        match entry {
            Entry::Comment(comment) => {
                all.trusted.push(stored.as_ref().is_some_and(|stored| stored.trusted));
                all.comments.push((comment.comment, stored.and_then(|stored| stored.decided)));
            }
            Entry::Article(article) => all.articles.push(*article),
            Entry::Reject(_) | Entry::Note(_) => {}
        }
        ControlFlow::Continue(())
    })
    .await?;
    Ok(all)
}

/// Makes Ctrl-C a wish that is heard at the next good place; the second one ends at once.
fn stop_on_interrupt(stop: &Arc<AtomicBool>) -> Result<()> {
    let stop = Arc::clone(stop);
    let waiting = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            let _ = tokio::signal::ctrl_c().await;
            stop.store(true, Ordering::Relaxed);
            eprintln!("claque: stopping; the same command with --resume will go on …");
            let _ = tokio::signal::ctrl_c().await;
            std::process::exit(130);
        });
    };
    let started = std::thread::Builder::new().name("interrupt".to_owned()).spawn(waiting);
    started.map(drop).context("cannot start a thread")
}

/// Hands on everything that the store has, or has of a site; `templated` are the reasons by which a rejection says that a text is templated.
pub(super) async fn hand_on(
    store: &Store,
    site: Option<&str>,
    templated: &[String],
    sink: &mut dyn FnMut(Entry, Option<StoredFacts>) -> ControlFlow<()>,
) -> std::result::Result<(), String> {
    if let Some(site) = site {
        let sites = store.sites().await.map_err(|error| error.to_string())?;
        if !sites.iter().any(|known| known.id == site) {
            return Err(format!("there is no site `{site}`"));
        }
    }
    let mut last = None;
    loop {
        let page = store.all_articles(last, PAGE).await.map_err(|error| error.to_string())?;
        let Some((of, article)) = page.last() else { break };
        last = Some((of.clone(), article.id.to_string()));
        for (of, article) in page {
            if site.is_none_or(|site| site == of) && sink(Entry::Article(Box::new(article)), None).is_break()
            {
                return Ok(());
            }
        }
    }
    let mut after = 0;
    loop {
        let page = store.archived(after, PAGE).await.map_err(|error| error.to_string())?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.seq;
        for one in page {
            if site.is_some_and(|site| one.comment.site.as_ref().map(Id::as_str) != Some(site)) {
                continue;
            }
            let decided = one.decided().map(str::to_owned);
            // What people decided counts, whatever the comment came with.
            let label = if decided.is_some() { one.label(templated) } else { one.comment.label };
            let Archived { seq, mut comment, standing_at, verdict, campaign, trusted, unasked, .. } = one;
            comment.label = label;
            let verdict = serde_json::from_value(verdict.into()).map_err(|error| error.to_string())?;
            let stored = StoredFacts { seq, standing_at, verdict, campaign, decided, trusted, unasked };
            let comment = LabelledComment::of(comment);
            if sink(Entry::Comment(Box::new(comment)), Some(stored)).is_break() {
                return Ok(());
            }
        }
    }
}
