//! The audit log: append-only, each entry's hash covers the one before it, so that a change anywhere shows.

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::{SqliteStore, now};
use crate::store::StoreError;
use crate::store::records::AuditEntry;

/// Appends an entry inside the caller's transaction.
pub(super) fn append(
    connection: &Connection,
    actor: &str,
    action: &str,
    subject: &str,
    detail: &serde_json::Value,
) -> Result<(), StoreError> {
    let last: Option<(i64, String)> = connection
        .prepare_cached("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (seq, previous) = last.map_or((1, String::new()), |(seq, hash)| (seq + 1, hash));
    let mut entry = AuditEntry {
        seq,
        at: now(),
        actor: actor.to_owned(),
        action: action.to_owned(),
        subject: subject.to_owned(),
        detail: detail.to_string(),
        hash: String::new(),
    };
    entry.hash = hash(&previous, &entry);
    connection
        .prepare_cached(
            "INSERT INTO audit (seq, at, actor, action, subject, detail, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            entry.seq,
            entry.at,
            entry.actor,
            entry.action,
            entry.subject,
            entry.detail,
            entry.hash
        ])?;
    Ok(())
}

/// The hash of an entry that follows `previous`: SHA-256 over both, fields separated by a byte that JSON and names never hold.
fn hash(previous: &str, entry: &AuditEntry) -> String {
    let mut hasher = Sha256::new();
    let (seq, at) = (entry.seq.to_string(), entry.at.to_string());
    for field in [previous, &seq, &at, &entry.actor, &entry.action, &entry.subject, &entry.detail] {
        hasher.update(field.as_bytes());
        hasher.update([0]);
    }
    hex::encode(hasher.finalize())
}

impl SqliteStore {
    /// The audit log from entry `after` on, at most `limit` entries.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn audit(&self, after: i64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT seq, at, actor, action, subject, detail, hash FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            )?;
            let rows = statement.query_map(params![after, limit as i64], |row| {
                Ok(AuditEntry {
                    seq: row.get(0)?,
                    at: row.get(1)?,
                    actor: row.get(2)?,
                    action: row.get(3)?,
                    subject: row.get(4)?,
                    detail: row.get(5)?,
                    hash: row.get(6)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Follows the chain of hashes; the number of entries, or the first one that does not fit.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn verify_audit(&self) -> Result<Result<i64, i64>, StoreError> {
        let mut previous = String::new();
        let mut last = 0;
        loop {
            let page = self.audit(last, 1000).await?;
            if page.is_empty() {
                return Ok(Ok(last));
            }
            for entry in page {
                if entry.seq != last + 1 || hash(&previous, &entry) != entry.hash {
                    return Ok(Err(last + 1));
                }
                last = entry.seq;
                previous = entry.hash;
            }
        }
    }
}
