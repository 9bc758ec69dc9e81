//! `claque backup`, `claque audit`: looking after the database while the server runs.

use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;

use super::Outcome;
use super::database::Database;
use super::output::write_to;

#[derive(Debug, clap::Args)]
pub(super) struct Backup {
    /// The file to write: a whole database, to be put in place of the old one
    target: PathBuf,
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

pub(super) fn backup(args: &Backup) -> Result<Outcome> {
    let target = args.target.clone();
    let check = args.database.with(|store| async move {
        store.backup(&target).await?;
        // A backup is one when it opens and SQLite finds it sound.
        crate::store::Store::open(&target)?.check().await
    })?;
    write_to(None, |out| writeln!(out, "{} written, check: {check}", args.target.display()))?;
    Ok(if check == "ok" { Outcome::Done } else { Outcome::CheckFailed })
}

pub(super) fn audit(command: &Audit) -> Result<Outcome> {
    match command {
        Audit::Verify { database } => {
            let found = database.with(|store| async move { store.verify_audit().await })?;
            let (text, outcome) = match found {
                Ok(entries) => (format!("{entries} entries, the chain holds"), Outcome::Done),
                Err(at) => (format!("entry {at} does not fit the one before it"), Outcome::CheckFailed),
            };
            write_to(None, |out| writeln!(out, "{text}"))?;
            Ok(outcome)
        }
        Audit::Export { database } => {
            let entries = database.with(|store| async move {
                let mut all = Vec::new();
                loop {
                    let after = all.last().map_or(0, |entry: &crate::store::records::AuditEntry| entry.seq);
                    let page = store.audit(after, 1000).await?;
                    if page.is_empty() {
                        return Ok(all);
                    }
                    all.extend(page);
                }
            })?;
            write_to(None, |out| {
                entries.iter().try_for_each(|entry| {
                    serde_json::to_writer(&mut *out, entry)?;
                    out.write_all(b"\n")
                })
            })?;
            Ok(Outcome::Done)
        }
    }
}
