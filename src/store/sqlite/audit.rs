//! The audit log: append-only, each entry's hash covers the one before it, so that a change anywhere shows.
//!
//! The hash covers a salted digest of subject and detail in their stead: an erasure blanks both with their salt, the chain holds on, and
//! nobody can try out what stood there. The chain does not show that its end was cut off: keep a copy of its last hash elsewhere. Entries from before schema 2 have no digest; their hash covers the words themselves.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{SqliteStore, now};
use crate::store::StoreError;
use crate::store::records::AuditEntry;

/// What stands in the place of erased words.
const ERASED: &str = r#"{"erased":true}"#;
const ERASED_SUBJECT: &str = "erased";

/// Appends an entry inside the caller's transaction.
pub(super) fn append(
    connection: &Connection,
    actor: &str,
    action: &str,
    subject: &str,
    detail: &Value,
) -> Result<(), StoreError> {
    let last: Option<(i64, String)> = connection
        .prepare_cached("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (seq, previous) = last.map_or((1, String::new()), |(seq, hash)| (seq + 1, hash));
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|error| StoreError::Database(format!("no randomness: {error}")))?;
    let mut entry = AuditEntry {
        seq,
        at: now(),
        actor: actor.to_owned(),
        action: action.to_owned(),
        subject: subject.to_owned(),
        detail: detail.to_string(),
        hash: String::new(),
    };
    let digest = content_digest(&salt, &entry);
    entry.hash = chained(&previous, &entry, &[&digest]);
    connection
        .prepare_cached(
            "INSERT INTO audit (seq, at, actor, action, subject, detail, hash, salt, content_digest)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            entry.seq,
            entry.at,
            entry.actor,
            entry.action,
            entry.subject,
            entry.detail,
            entry.hash,
            salt,
            digest
        ])?;
    Ok(())
}

/// Blanks subject and detail of the entries of a site that name one of these words: a subject that is it, or ends in it after the site's name, or a
/// detail that holds it as a JSON string. One pass over the log, whatever the number of words.
pub(super) fn erase(connection: &Connection, site: &str, words: &BTreeSet<String>) -> Result<(), StoreError> {
    let mut statement = connection.prepare(
        "SELECT seq, subject, detail FROM audit
         WHERE is_erased = 0 AND (json_extract(detail, '$.site') = ?1 OR subject LIKE ?1 || '/%')",
    )?;
    let mut rows = statement.query([site])?;
    let mut named = Vec::new();
    while let Some(row) = rows.next()? {
        let (seq, subject, detail): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let of_site = subject.strip_prefix(site).and_then(|rest| rest.strip_prefix('/'));
        let detail: Value = serde_json::from_str(&detail)?;
        if words.contains(&subject)
            || of_site.is_some_and(|rest| words.contains(rest))
            || holds(&detail, words)
        {
            named.push(seq);
        }
    }
    let mut blank = connection
        .prepare("UPDATE audit SET subject = ?2, detail = ?3, salt = NULL, is_erased = 1 WHERE seq = ?1")?;
    for seq in named {
        blank.execute(params![seq, ERASED_SUBJECT, ERASED])?;
    }
    Ok(())
}

/// Whether a JSON value holds one of the words as a string.
fn holds(value: &Value, words: &BTreeSet<String>) -> bool {
    match value {
        Value::String(text) => words.contains(text),
        Value::Array(values) => values.iter().any(|value| holds(value, words)),
        // A name may read like a site or a status: those fields hold neither ids nor authors.
        Value::Object(fields) => fields
            .iter()
            .filter(|(key, _)| !["site", "status", "before", "action", "reason"].contains(&key.as_str()))
            .any(|(_, value)| holds(value, words)),
        _ => false,
    }
}

fn content_digest(salt: &[u8], entry: &AuditEntry) -> String {
    let mut hasher = Sha256::new();
    for field in [salt, entry.subject.as_bytes(), entry.detail.as_bytes()] {
        hasher.update((field.len() as u64).to_le_bytes());
        hasher.update(field);
    }
    hex::encode(hasher.finalize())
}

/// The hash of an entry that follows `previous`: SHA-256 over both, fields separated by a byte that JSON and names never hold.
fn chained(previous: &str, entry: &AuditEntry, content: &[&str]) -> String {
    let mut hasher = Sha256::new();
    let (seq, at) = (entry.seq.to_string(), entry.at.to_string());
    for field in [previous, &seq, &at, &entry.actor, &entry.action].into_iter().chain(content.iter().copied())
    {
        hasher.update(field.as_bytes());
        hasher.update([0]);
    }
    hex::encode(hasher.finalize())
}

/// An entry with what is needed to check it.
struct Sealed {
    entry: AuditEntry,
    salt: Option<Vec<u8>>,
    digest: Option<String>,
    is_erased: bool,
}

impl Sealed {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            entry: AuditEntry {
                seq: row.get("seq")?,
                at: row.get("at")?,
                actor: row.get("actor")?,
                action: row.get("action")?,
                subject: row.get("subject")?,
                detail: row.get("detail")?,
                hash: row.get("hash")?,
            },
            salt: row.get("salt")?,
            digest: row.get("content_digest")?,
            is_erased: row.get("is_erased")?,
        })
    }

    /// Whether the entry is what it was, and follows the one before it. `sealed` says that entries before it had digests: then one without is a
    /// forgery. Of an erased entry from before schema 2 only its place is known.
    fn follows(&self, previous: &str, sealed: bool) -> bool {
        let entry = &self.entry;
        let is_blank = entry.subject == ERASED_SUBJECT && entry.detail == ERASED;
        match (&self.digest, self.is_erased) {
            (Some(digest), erased) => {
                let salted = || self.salt.as_ref().is_some_and(|salt| content_digest(salt, entry) == *digest);
                (if erased { is_blank } else { salted() })
                    && chained(previous, entry, &[digest]) == entry.hash
            }
            (None, true) => is_blank && !sealed,
            (None, false) => {
                !sealed && chained(previous, entry, &[&entry.subject, &entry.detail]) == entry.hash
            }
        }
    }
}

impl SqliteStore {
    /// The audit log from entry `after` on, at most `limit` entries.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn audit(&self, after: i64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        Ok(self.sealed(after, limit).await?.into_iter().map(|sealed| sealed.entry).collect())
    }

    async fn sealed(&self, after: i64, limit: usize) -> Result<Vec<Sealed>, StoreError> {
        self.read(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT * FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
            let rows = statement.query_map(params![after, limit as i64], Sealed::of)?;
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
        let mut sealed_before = false;
        loop {
            let page = self.sealed(last, 1000).await?;
            if page.is_empty() {
                return Ok(Ok(last));
            }
            for sealed in page {
                if sealed.entry.seq != last + 1 || !sealed.follows(&previous, sealed_before) {
                    return Ok(Err(last + 1));
                }
                sealed_before |= sealed.digest.is_some();
                last = sealed.entry.seq;
                previous = sealed.entry.hash;
            }
        }
    }
}
