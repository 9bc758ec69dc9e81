//! Callbacks to send: written with the decision, fetched when due, done or tried again.

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::accounts::callback_of;
use super::{SqliteStore, new_id, now};
use crate::store::StoreError;
use crate::store::records::{Delivery, Due};

/// Puts an event for every enabled callback of the site into the outbox, inside the caller's transaction.
/// `subject` is the comment: its messages are delivered in their order.
pub(super) fn enqueue(
    connection: &Connection,
    site: &str,
    subject: &str,
    kind: &str,
    data: &Value,
) -> Result<(), StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT id FROM callbacks WHERE site = ?1 AND is_enabled = 1")?;
    let callbacks: Vec<String> = statement.query_map([site], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let at = now();
    let timestamp = chrono::DateTime::from_timestamp_millis(at).unwrap_or_default().to_rfc3339();
    let body = json!({ "type": kind, "timestamp": timestamp, "data": data }).to_string();
    for callback in callbacks {
        connection
            .prepare_cached(
                "INSERT INTO outbox (id, callback, subject, body, created_at, due_at, attempts, state) VALUES (?1, ?2, ?3, ?4, ?5, ?5, 0, 'pending')",
            )?
            .execute(params![format!("msg_{}", new_id()), callback, subject, body, at])?;
    }
    Ok(())
}

impl SqliteStore {
    /// Callbacks that are due, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn due_callbacks(&self, limit: usize) -> Result<Vec<Due>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT o.id, o.body, o.attempts, c.id AS callback_id, c.site, c.url, c.secret, c.allow_private
                 FROM outbox o JOIN callbacks c ON c.id = o.callback
                 WHERE o.state = 'pending' AND o.due_at <= ?1 AND c.is_enabled = 1
                   AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.callback = o.callback AND p.subject = o.subject
                                   AND p.state = 'pending' AND p.id < o.id)
                 ORDER BY o.due_at, o.id LIMIT ?2",
            )?;
            let rows = statement.query_map(params![now(), limit as i64], |row| {
                Ok(Due {
                    id: row.get("id")?,
                    body: row.get("body")?,
                    attempts: row.get("attempts")?,
                    callback: callback_of(row)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Writes down how a try ended.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn finish_delivery(&self, id: String, delivery: Delivery) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| {
                let (state, due, outcome) = match delivery {
                    Delivery::Done => ("done", None, "delivered".to_owned()),
                    Delivery::Again(due, why) => ("pending", Some(due), why),
                    Delivery::Dead(why) => ("dead", None, why),
                    Delivery::Gone => {
                        connection.execute(
                            "UPDATE callbacks SET is_enabled = 0 WHERE id = (SELECT callback FROM outbox WHERE id = ?1)",
                            [&id],
                        )?;
                        ("dead", None, "the receiver answered 410: callback switched off".to_owned())
                    }
                };
                connection.execute(
                    "UPDATE outbox SET state = ?2, due_at = coalesce(?3, due_at), attempts = attempts + 1, last_outcome = ?4 WHERE id = ?1",
                    params![id, state, due, outcome],
                )?;
                Ok(())
            })
            .await
    }

    /// Makes the dead letters of a site due again. Returns how many.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn replay_dead_letters(&self, site: String) -> Result<usize, StoreError> {
        self.writer
            .run(move |connection| {
                Ok(connection.execute(
                    "UPDATE outbox SET state = 'pending', due_at = ?2, attempts = 0
                     WHERE state = 'dead' AND callback IN (SELECT id FROM callbacks WHERE site = ?1 AND is_enabled = 1)",
                    params![site, now()],
                )?)
            })
            .await
    }
}
