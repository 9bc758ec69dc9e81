//! What can go wrong below the seam, and which of it a caller can act on.

/// Why the store did not do what it was asked. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else was faster; carries the current version.
    #[error("the item was changed meanwhile: it is at version {version} now")]
    Conflict {
        /// The item's version now.
        version: i64,
        /// How it stands now: `open`, `claimed_by`, `decision`.
        state: serde_json::Value,
    },
    /// No such record.
    #[error("no {0}")]
    NotFound(&'static str),
    /// The request cannot be done, whoever asks.
    #[error("{0}")]
    Refused(String),
    /// The actor's rank does not reach.
    #[error("{0}")]
    Forbidden(String),
    /// It was there and was deleted.
    #[error("the comment was deleted")]
    Deleted,
    /// A name that is taken.
    #[error("the {what} `{name}` exists already")]
    Exists {
        /// What kind of record.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// The file was written by a newer Claque.
    #[error(
        "the database has schema {found}, this program knows {known}: run the newer Claque, or restore a backup from before the upgrade"
    )]
    NewerSchema {
        /// Schema version of the file.
        found: i64,
        /// The newest this program knows.
        known: i64,
    },
    /// The disk is full, the file is read-only or damaged.
    #[error("database: {0}")]
    Database(String),
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::QueryReturnedNoRows => Self::NotFound("such record"),
            other => Self::Database(other.to_string()),
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Database(format!("a stored record is damaged: {error}"))
    }
}
