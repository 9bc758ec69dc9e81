//! What happened on the desk, numbered, for those who watch it live; written in the commit of what happened.

use rusqlite::{Connection, params};
use serde_json::Value;

use super::{SqliteStore, now};
use crate::store::StoreError;
use crate::store::records::{Event, Sites};

/// Appends an event inside the caller's transaction.
pub(super) fn event(connection: &Connection, site: &str, kind: &str, data: &Value) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT INTO events (site, kind, data, at) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![site, kind, data.to_string(), now()])?;
    Ok(())
}

impl SqliteStore {
    /// Events after number `after` of the sites that somebody may see, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn events(&self, sites: Sites, after: i64, limit: usize) -> Result<Vec<Event>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT seq, site, kind, data, at FROM events
                 WHERE seq > ?1 AND (?2 IS NULL OR site IN (SELECT value FROM json_each(?2))) ORDER BY seq LIMIT ?3",
            )?;
            let mut rows = statement.query(params![after, super::json_list(&sites)?, limit as i64])?;
            let mut events = Vec::new();
            while let Some(row) = rows.next()? {
                events.push(Event {
                    seq: row.get(0)?,
                    site: row.get(1)?,
                    kind: row.get(2)?,
                    data: serde_json::from_str(&row.get::<_, String>(3)?)?,
                    at: row.get(4)?,
                });
            }
            Ok(events)
        })
        .await
    }

    /// The number of the newest event.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn last_event(&self) -> Result<i64, StoreError> {
        self.read(|connection| {
            // Numbers of trimmed events are not given again, so the sequence knows better than the rows.
            Ok(connection.query_row(
                "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)",
                [],
                |row| row.get(0),
            )?)
        })
        .await
    }
}
