//! What the operating commands share: the database's place, a runtime to wait on it, secrets from standard input.

use std::future::Future;
use std::io::Read;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};

use crate::store::{Store, StoreError};

/// Where the database is.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Database {
    /// The database file
    #[arg(long, value_name = "PATH", env = "CLAQUE_DB")]
    pub(super) db: PathBuf,
}

impl Database {
    /// Opens the store that is there and does something with it.
    pub(super) fn with<T, F: Future<Output = Result<T, StoreError>>>(
        &self,
        work: impl FnOnce(Store) -> F,
    ) -> Result<T> {
        let store = Store::open_existing(&self.db).map_err(|error| anyhow!("{error}"))?;
        runtime()?.block_on(work(store)).map_err(|error| anyhow!("{error}"))
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
