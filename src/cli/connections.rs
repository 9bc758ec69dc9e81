//! `claque hooks`, `callbacks`, `cms`: ways in for content systems and back to them.

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use clap::Subcommand;
use serde_json::json;

use super::Outcome;
use super::accounts::{NewKey, make_key};
use super::database::{Database, day, secret_from_stdin, valid_name};
use super::output::write_to;
use crate::access::KeyKind;
use crate::cms::mapped::Mapping;
use crate::cms::{ADAPTERS, by_name, callback};
use crate::store::records::{Callback, Hook, Message, Scope, Sites};
use crate::wire::signature;

/// Messages of the delivery log.
const MOST_MESSAGES: usize = 100;

#[derive(Debug, Subcommand)]
pub(super) enum Hooks {
    /// Add a way in for a CMS
    Add {
        /// Its name: webhooks come to /hooks/NAME
        name: String,
        /// The site it is for
        #[arg(long)]
        site: String,
        /// generic, coral, discourse, ghost, mapped (signed webhooks); akismet, perspective (prints the key that such clients send)
        #[arg(long)]
        adapter: String,
        /// Read the signing secret from standard input
        #[arg(long)]
        secret_stdin: bool,
        /// mapped: the TOML file that says where our fields stand in the CMS's JSON
        #[arg(long, value_name = "FILE")]
        map: Option<PathBuf>,
        /// akismet: answer `true` for comments proposed for review, for clients that know no third answer
        #[arg(long)]
        review_is_spam: bool,
        #[command(flatten)]
        database: Database,
    },
    /// List the hooks, never their secrets
    List {
        #[command(flatten)]
        database: Database,
    },
    /// Remove a hook; the keys of akismet and perspective hooks are revoked with `claque keys revoke`
    Remove {
        /// The hook
        name: String,
        #[command(flatten)]
        database: Database,
    },
    /// Give a hook another secret, from standard input; the one before stays valid with --keep until the next rotation
    Rotate {
        /// The hook
        name: String,
        /// Read the secret from standard input
        #[arg(long, required = true)]
        secret_stdin: bool,
        /// Keep the one before valid
        #[arg(long)]
        keep: bool,
        #[command(flatten)]
        database: Database,
    },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum KindName {
    /// Standard Webhooks
    Standard,
    /// The Akismet plugin of a WordPress
    Akismet,
}

#[derive(Debug, Subcommand)]
pub(super) enum Callbacks {
    /// Add an address that gets a site's decisions; its secret comes on standard input
    Add {
        /// The address; of a WordPress with the Akismet plugin: <https://blog.example/wp-json/akismet/v1/webhook>
        url: String,
        /// The site whose decisions it gets
        #[arg(long)]
        site: String,
        /// How it is spoken to; the secret is a `whsec_` secret, or the blog's 12-character key
        #[arg(long, default_value = "standard")]
        kind: KindName,
        /// Read the secret from standard input
        #[arg(long, required = true)]
        secret_stdin: bool,
        /// Allow http and addresses of this machine and its network
        #[arg(long)]
        allow_private: bool,
        #[command(flatten)]
        database: Database,
    },
    /// List the callbacks, never their secrets
    List {
        #[command(flatten)]
        database: Database,
    },
    /// Switch a callback on again, such as one that answered 410
    Enable {
        /// The id that `callbacks list` shows
        id: String,
        #[command(flatten)]
        database: Database,
    },
    /// Switch a callback off; its messages wait
    Disable {
        /// The id that `callbacks list` shows
        id: String,
        #[command(flatten)]
        database: Database,
    },
    /// The delivery log: the newest messages with every try
    Log {
        /// Only those that were given up
        #[arg(long)]
        dead: bool,
        #[command(flatten)]
        database: Database,
    },
    /// Send a test event to a callback
    Test {
        /// The id that `callbacks list` shows
        id: String,
        #[command(flatten)]
        database: Database,
    },
    /// Make the dead letters of a site due again
    Replay {
        /// The site
        #[arg(long)]
        site: String,
        #[command(flatten)]
        database: Database,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Cms {
    /// Declarative field mapping
    #[command(subcommand)]
    Map(Map),
}

#[derive(Debug, Subcommand)]
pub(super) enum Map {
    /// Show what a mapping reads out of a payload, field by field
    Test {
        /// The CMS's JSON
        payload: PathBuf,
        /// The mapping
        #[arg(long, value_name = "FILE")]
        map: PathBuf,
    },
}

pub(super) fn hooks(command: &Hooks) -> Result<Outcome> {
    match command {
        Hooks::Add { name, site, adapter, secret_stdin, map, review_is_spam, database } => {
            valid_name("hook name", name)?;
            let sites = std::slice::from_ref(site);
            let key =
                |scope| NewKey { title: name, sites, scopes: vec![scope], review_is_spam: *review_is_spam };
            let of_key = match adapter.as_str() {
                "akismet" => Some(make_key(KeyKind::Akismet, key(Scope::Akismet), database)?),
                "perspective" => Some(make_key(KeyKind::Api, key(Scope::Perspective), database)?),
                _ => None,
            };
            if let Some((id, text)) = of_key {
                return database.say(&text, &json!({ "id": id, "key": text }));
            }
            let settings = mapping(adapter, map.as_deref())?;
            if !secret_stdin {
                bail!("webhooks are signed: pipe the secret in and add --secret-stdin");
            }
            let secret = checked_secret(adapter, secret_from_stdin()?)?;
            let hook = Hook {
                name: name.clone(),
                site: site.clone(),
                adapter: adapter.clone(),
                secrets: vec![secret],
                settings,
            };
            database.with(|store| async move { store.add_hook(hook).await })?;
            database.say(&format!("/hooks/{name}"), &json!({ "path": format!("/hooks/{name}") }))
        }
        Hooks::List { database } => {
            let hooks = database.with(|store| async move { store.hooks().await })?;
            database.list(
                &hooks,
                |hook| {
                    format!("/hooks/{}\t{}\t{}\t{} secrets", hook.name, hook.site, hook.adapter, hook.secrets.len())
                },
                |hook| {
                    json!({ "name": hook.name, "site": hook.site, "adapter": hook.adapter, "secrets": hook.secrets.len() })
                },
            )
        }
        Hooks::Remove { name, database } => {
            let of = name.clone();
            database.with(|store| async move { store.remove_hook(of).await })?;
            database.say(&format!("hook {name} removed"), &json!({ "removed": name }))
        }
        Hooks::Rotate { name, keep, database, .. } => {
            let known = name.clone();
            let hook = database.with(|store| async move { store.hook(known).await })?;
            let Some(hook) = hook else { bail!("there is no hook `{name}`") };
            let secret = checked_secret(&hook.adapter, secret_from_stdin()?)?;
            let (of, keep) = (name.clone(), *keep);
            database.with(|store| async move { store.rotate_hook_secret(of, secret, keep).await })?;
            database.say(&format!("hook {name} has another secret"), &json!({ "hook": name, "kept": keep }))
        }
    }
}

/// The mapping that an adapter needs, or none.
fn mapping(adapter: &str, map: Option<&std::path::Path>) -> Result<Option<String>> {
    if by_name(adapter).is_none() {
        let known: Vec<&str> = ADAPTERS.iter().map(|adapter| adapter.name()).collect();
        bail!("no adapter is called `{adapter}`; known: {}, akismet, perspective", known.join(", "));
    }
    match (adapter, map) {
        ("mapped", Some(path)) => {
            let text =
                std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            Mapping::parse(&text).map_err(|error| anyhow!("{}: {error}", path.display()))?;
            Ok(Some(text))
        }
        ("mapped", None) => {
            bail!("say with --map FILE where the fields stand; `claque cms map test` tries one out")
        }
        (_, Some(_)) => bail!("--map is for the adapter `mapped`"),
        (_, None) => Ok(None),
    }
}

fn checked_secret(adapter: &str, secret: String) -> Result<String> {
    if adapter == "generic" && signature::standard_key(&secret).is_none() {
        bail!("the secret must be `whsec_` and at least 16 bytes in base64, as Standard Webhooks has it");
    }
    Ok(secret)
}

pub(super) fn callbacks(command: &Callbacks) -> Result<Outcome> {
    match command {
        Callbacks::Add { url, site, kind, allow_private, database, .. } => {
            let callback = Callback {
                id: String::new(),
                site: site.clone(),
                url: url.clone(),
                kind: match kind {
                    KindName::Standard => "standard",
                    KindName::Akismet => callback::AKISMET,
                }
                .to_owned(),
                secret: secret_from_stdin()?,
                allow_private: *allow_private,
            };
            callback::check_url(&callback).map_err(|error| anyhow!(error))?;
            let id = database.with(|store| async move { store.add_callback(callback).await })?;
            database.say(&id, &json!({ "id": id }))
        }
        Callbacks::List { database } => {
            let callbacks = database.with(|store| async move { store.callbacks().await })?;
            let on = |on: bool| if on { "on" } else { "off" };
            database.list(
                &callbacks,
                |(one, enabled)| format!("{}\t{}\t{}\t{}\t{}", one.id, one.site, one.kind, one.url, on(*enabled)),
                |(one, enabled)| {
                    json!({ "id": one.id, "site": one.site, "kind": one.kind, "url": one.url, "enabled": enabled })
                },
            )
        }
        Callbacks::Enable { id, database } => switch(id, true, database),
        Callbacks::Disable { id, database } => switch(id, false, database),
        Callbacks::Log { dead, database } => {
            let state = dead.then(|| "dead".to_owned());
            let messages = database
                .with(|store| async move { store.messages(Sites::All, state, MOST_MESSAGES).await })?;
            let text = |message: &Message| {
                let tries: Vec<String> = message
                    .tries
                    .iter()
                    .map(|one| format!("\n    {} {} ({} ms)", day(one.at), one.outcome, one.millis))
                    .collect();
                format!("{}\t{}\t{}{}", message.id, message.state, message.url, tries.concat())
            };
            database.list(&messages, text, |message| json!(message))
        }
        Callbacks::Test { id, database } => {
            let of = id.clone();
            let message = database.with(|store| async move { store.test_callback(of).await })?;
            database.say(
                &format!(
                    "{message} is due; `claque callbacks log` shows what comes of it while the service runs"
                ),
                &json!({ "message": message }),
            )
        }
        Callbacks::Replay { site, database } => {
            let site = site.clone();
            let count = database.with(|store| async move { store.replay_dead_letters(site).await })?;
            database.say(&format!("{count} dead letters are due again"), &json!({ "messages": count }))
        }
    }
}

fn switch(id: &str, enabled: bool, database: &Database) -> Result<Outcome> {
    let of = id.to_owned();
    database.with(|store| async move { store.enable_callback(of, enabled).await })?;
    let on = if enabled { "on" } else { "off" };
    database.say(&format!("callback {id} is {on}"), &json!({ "id": id, "enabled": enabled }))
}

pub(super) fn cms(command: &Cms) -> Result<Outcome> {
    let Cms::Map(Map::Test { payload, map }) = command;
    let read =
        |path: &PathBuf| std::fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    let text = String::from_utf8(read(map)?).with_context(|| format!("{} is no UTF-8", map.display()))?;
    let mapping = Mapping::parse(&text).map_err(|error| anyhow!("{}: {error}", map.display()))?;
    let rows = mapping.explain(&read(payload)?).map_err(|error| anyhow!("{}: {error}", payload.display()))?;
    let width =
        |at: fn(&(String, String, String)) -> &String| rows.iter().map(|row| at(row).chars().count()).max();
    let (first, second) = (width(|row| &row.0).unwrap_or(0), width(|row| &row.1).unwrap_or(0));
    write_to(None, |out| {
        rows.iter()
            .try_for_each(|(field, path, value)| writeln!(out, "{field:first$}  {path:second$}  {value}"))
    })?;
    let wrong = rows.iter().any(|(_, _, value)| value.starts_with("wrong: "));
    Ok(if wrong { Outcome::CheckFailed } else { Outcome::Done })
}
