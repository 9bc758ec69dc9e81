//! What the operating commands share: the database's place, how they answer, a runtime to wait on, secrets from standard input.

use std::future::Future;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use super::Outcome;
use super::output::write_to;
use crate::access::check_name;
use crate::store::{Store, StoreError};

/// Where the database is, and how to answer.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Database {
    /// The database file
    #[arg(long, value_name = "PATH", env = "CLAQUE_DB")]
    pub(super) db: PathBuf,
    /// Answer in JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl Database {
    /// A database that another option has named.
    pub(super) fn at(db: &Path) -> Self {
        Self { db: db.to_owned(), json: false }
    }

    /// Opens the store that is there and does something with it.
    pub(super) fn with<T, F: Future<Output = Result<T, StoreError>>>(
        &self,
        work: impl FnOnce(Store) -> F,
    ) -> Result<T> {
        let store = Store::open_existing(&self.db).map_err(|error| anyhow!("{error}"))?;
        runtime()?.block_on(work(store)).map_err(|error| anyhow!("{error}"))
    }

    /// Says one thing: as text, or as the value with `--json`.
    pub(super) fn say(&self, text: &str, value: &Value) -> Result<Outcome> {
        write_to(None, |out| if self.json { writeln!(out, "{value}") } else { writeln!(out, "{text}") })?;
        Ok(Outcome::Done)
    }

    /// Says a list: a line of text each, or JSON Lines with `--json`.
    pub(super) fn list<T>(
        &self,
        items: &[T],
        text: impl Fn(&T) -> String,
        value: impl Fn(&T) -> Value,
    ) -> Result<Outcome> {
        write_to(None, |out| {
            items.iter().try_for_each(|item| {
                if self.json { writeln!(out, "{}", value(item)) } else { writeln!(out, "{}", text(item)) }
            })
        })?;
        Ok(Outcome::Done)
    }
}

/// A runtime for one command.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")
}

/// A secret from standard input: its first line, so that it stands in no process list and no shell history.
pub(super) fn secret_from_stdin() -> Result<String> {
    let mut text = String::new();
    std::io::stdin().take(64 << 10).read_to_string(&mut text).context("standard input cannot be read")?;
    let secret = text.lines().next().unwrap_or_default().trim().to_owned();
    if secret.is_empty() {
        bail!("no secret on standard input: pipe it in, such as `printf %s \"$SECRET\" | claque ...`");
    }
    Ok(secret)
}

/// A name that stands in addresses and files.
pub(super) fn valid_name<'a>(what: &str, name: &'a str) -> Result<&'a str> {
    check_name(what, name).map(|()| name).map_err(|error| anyhow!(error))
}

/// A time of the store for people.
pub(super) fn day(millis: i64) -> String {
    chrono::DateTime::from_timestamp_millis(millis).unwrap_or_default().format("%Y-%m-%d %H:%M").to_string()
}
