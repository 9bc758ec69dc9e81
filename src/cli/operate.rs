//! `claque backup`, `restore`, `audit`, `privacy`, `doctor`, `config`, `import`: looking after an installation, while the server runs or not.

use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use clap::Subcommand;
use serde_json::{Value, json};

use super::database::{Database, runtime};
use super::output::write_to;
use super::{EngineArgs, Outcome};
use crate::config::EXAMPLE;
use crate::store::Store;
use crate::store::records::AuditEntry;

#[derive(Debug, clap::Args)]
pub(super) struct Backup {
    /// The file to write: a whole database, to be put in place of the old one by `claque restore`
    target: PathBuf,
    #[command(flatten)]
    database: Database,
}

#[derive(Debug, clap::Args)]
pub(super) struct Restore {
    /// The backup
    source: PathBuf,
    /// Put it in place of a database that is there; stop the server before
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    database: Database,
}

#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// Follow the chain of hashes: exit code 1 when an entry does not fit
    Verify {
        #[command(flatten)]
        database: Database,
    },
    /// Print the log as JSON Lines
    Export {
        #[command(flatten)]
        database: Database,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Privacy {
    /// Print everything stored of an author as JSON
    Export {
        /// The CMS's id of the author, or the name, or the e-mail address
        #[arg(long)]
        author: String,
        /// Of this site only
        #[arg(long)]
        site: Option<String>,
        #[command(flatten)]
        database: Database,
    },
    /// Erase an author: texts, names, signatures, evidence; counts stay
    Erase {
        /// The CMS's id of the author, or the name, or the e-mail address
        #[arg(long)]
        author: String,
        /// On this site only
        #[arg(long)]
        site: Option<String>,
        #[command(flatten)]
        database: Database,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Configuration {
    /// Print a configuration with every key, its default and its meaning
    Example,
    /// Check a configuration file: exit code 1 and the first mistake
    Check {
        /// The file
        file: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    engine: EngineArgs,
}

pub(super) fn backup(args: &Backup) -> Result<Outcome> {
    let target = args.target.clone();
    let check = args.database.with(|store| async move {
        store.backup(&target).await?;
        // A backup is one when it opens and SQLite finds it sound.
        crate::store::sqlite::check_file(&target)
    })?;
    let shown = args.target.display().to_string();
    args.database
        .say(&format!("{shown} written, check: {check}"), &json!({ "file": shown, "check": check }))?;
    Ok(if check == "ok" { Outcome::Done } else { Outcome::CheckFailed })
}

pub(super) fn restore(args: &Restore) -> Result<Outcome> {
    let check = crate::store::sqlite::check_file(&args.source).map_err(|error| anyhow!("{error}"))?;
    if check != "ok" {
        bail!("{} is damaged, nothing was changed: {check}", args.source.display());
    }
    let target = &args.database.db;
    if target.exists() && !args.replace {
        bail!(
            "{} is there: stop the server and add --replace to put the backup in its place",
            target.display()
        );
    }
    if target.exists() && crate::store::sqlite::is_in_use(target).map_err(|error| anyhow!("{error}"))? {
        bail!("{} is in use: stop the server first", target.display());
    }
    let beside = target.with_extension("restoring");
    std::fs::copy(&args.source, &beside).with_context(|| format!("cannot write {}", beside.display()))?;
    File::open(&beside)?.sync_all()?;
    for suffix in ["-wal", "-shm"] {
        let mut side = target.clone().into_os_string();
        side.push(suffix);
        match std::fs::remove_file(&side) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    std::fs::rename(&beside, target).with_context(|| format!("cannot put it at {}", target.display()))?;
    // An older schema is brought up to date here, so that the next start finds all well.
    let store = Store::open_existing(target).map_err(|error| anyhow!("{error}"))?;
    let counts = runtime()?.block_on(store.counts(None)).map_err(|error| anyhow!("{error}"))?;
    args.database.say(
        &format!(
            "{} restored: {} comments, {} decisions",
            target.display(),
            counts.comments,
            counts.decisions
        ),
        &json!({ "comments": counts.comments, "decisions": counts.decisions }),
    )
}

pub(super) fn audit(command: &Audit) -> Result<Outcome> {
    match command {
        Audit::Verify { database } => {
            let found = database.with(|store| async move { store.verify_audit().await })?;
            let (text, value, outcome) = match found {
                Ok(entries) => (
                    format!("{entries} entries, the chain holds"),
                    json!({ "entries": entries }),
                    Outcome::Done,
                ),
                Err(at) => (
                    format!("entry {at} does not fit the one before it"),
                    json!({ "broken_at": at }),
                    Outcome::CheckFailed,
                ),
            };
            database.say(&text, &value)?;
            Ok(outcome)
        }
        Audit::Export { database } => {
            let entries = database.with(|store| async move {
                let mut all = Vec::new();
                loop {
                    let after = all.last().map_or(0, |entry: &AuditEntry| entry.seq);
                    let page = store.audit(after, 1000).await?;
                    if page.is_empty() {
                        return Ok(all);
                    }
                    all.extend(page);
                }
            })?;
            database.list(&entries, |entry| json!(entry).to_string(), |entry| json!(entry))
        }
    }
}

pub(super) fn privacy(command: &Privacy) -> Result<Outcome> {
    match command {
        Privacy::Export { author, site, database } => {
            let (author, site) = (author.clone(), site.clone());
            let all = database.with(|store| async move { store.export_author(site, author).await })?;
            database.say(&serde_json::to_string_pretty(&all)?, &all)
        }
        Privacy::Erase { author, site, database } => {
            let (author, site) = (author.clone(), site.clone());
            let seqs = database
                .with(|store| async move { store.erase_author(site, author, "operator".to_owned()).await })?;
            database.say(&format!("{} comments erased", seqs.len()), &json!({ "comments": seqs.len() }))
        }
    }
}

pub(super) fn configuration(command: &Configuration) -> Result<Outcome> {
    match command {
        Configuration::Example => {
            write_to(None, |out| write!(out, "{EXAMPLE}"))?;
            Ok(Outcome::Done)
        }
        Configuration::Check { file } => {
            let engine = EngineArgs { config: Some(file.clone()), ..EngineArgs::default() };
            match engine.settings() {
                Ok(_) => {
                    write_to(None, |out| writeln!(out, "{}: ok", file.display()))?;
                    Ok(Outcome::Done)
                }
                Err(error) if file.exists() => {
                    super::output::warn(format_args!("{error:#}"));
                    Ok(Outcome::CheckFailed)
                }
                Err(error) => Err(error),
            }
        }
    }
}

pub(super) fn doctor(args: &Doctor) -> Result<Outcome> {
    let mut rows: Vec<(&str, Result<String, String>)> = Vec::new();
    let loaded = args.engine.load_with_settings(Vec::new());
    rows.push((
        "rules, model, configuration",
        match &loaded {
            Ok((engine, _)) => {
                Ok(format!("ruleset {}, model {}", engine.rules.digest(), engine.model.digest()))
            }
            Err(error) => Err(format!("{error:#}")),
        },
    ));
    match Store::open_existing(&args.database.db) {
        Ok(store) => rows.extend(runtime()?.block_on(examine(&store))),
        Err(error) => rows.push(("database", Err(error.to_string()))),
    }
    let healthy = rows.iter().all(|(_, result)| result.is_ok());
    let list: Vec<Value> = rows
        .iter()
        .map(|(what, result)| {
            json!({ "check": what, "ok": result.is_ok(), "detail": result.as_ref().unwrap_or_else(|error| error) })
        })
        .collect();
    args.database.list(
        &rows,
        |(what, result)| match result {
            Ok(detail) => format!("ok    {what}: {detail}"),
            Err(detail) => format!("WRONG {what}: {detail}"),
        },
        |(what, _)| list.iter().find(|row| row["check"] == *what).cloned().unwrap_or_default(),
    )?;
    Ok(if healthy { Outcome::Done } else { Outcome::CheckFailed })
}

/// What the database says of itself.
async fn examine(store: &Store) -> Vec<(&'static str, Result<String, String>)> {
    let mut rows = Vec::new();
    rows.push((
        "database file",
        match store.check().await {
            Ok(check) if check == "ok" => Ok("sound".to_owned()),
            Ok(check) => Err(format!("{check}: restore a backup with `claque restore`")),
            Err(error) => Err(error.to_string()),
        },
    ));
    rows.push((
        "writing",
        match store.probe().await {
            Ok(()) => Ok("works".to_owned()),
            Err(error) => Err(format!("{error}: is the disk full, the file or its folder read-only?")),
        },
    ));
    rows.push((
        "audit log",
        match store.verify_audit().await {
            Ok(Ok(entries)) => Ok(format!("{entries} entries, the chain holds")),
            Ok(Err(at)) => {
                Err(format!("entry {at} does not fit the one before it: somebody changed the file"))
            }
            Err(error) => Err(error.to_string()),
        },
    ));
    let counts = store.counts(None).await;
    match counts {
        Ok(counts) => {
            rows.push((
                "queue",
                Ok(format!("{} cards, the oldest {} minutes old", counts.queue, counts.oldest_seconds / 60)),
            ));
            rows.push(("callbacks", if counts.dead_letters == 0 {
                Ok(format!("{} waiting", counts.outbox))
            } else {
                Err(format!(
                    "{} were given up: `claque callbacks log --dead` says why, `claque callbacks replay` tries again",
                    counts.dead_letters
                ))
            }));
            rows.push(("comments", Ok(format!("{} stored, {} promised", counts.comments, counts.inbox))));
        }
        Err(error) => rows.push(("counts", Err(error.to_string()))),
    }
    rows.push(("receivers", receivers(store).await));
    rows.push((
        "credentials",
        match store.has_credentials().await {
            Ok(true) => Ok("there are some".to_owned()),
            Ok(false) => Err("no key and no user yet: `claque keys create`, `claque users add`".to_owned()),
            Err(error) => Err(error.to_string()),
        },
    ));
    rows
}

/// Whether every callback is on.
async fn receivers(store: &Store) -> Result<String, String> {
    let callbacks = store.callbacks().await.map_err(|error| error.to_string())?;
    let off: Vec<&str> =
        callbacks.iter().filter(|(_, on)| !on).map(|(callback, _)| callback.id.as_str()).collect();
    if off.is_empty() {
        Ok(format!("{} callbacks, all on", callbacks.len()))
    } else {
        Err(format!("switched off: {}: `claque callbacks enable` switches on", off.join(", ")))
    }
}
