//! Callbacks to send: written with the decision, fetched when due, done or tried again.

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::accounts::callback_of;
use super::{SqliteStore, json_list, new_id, now};
use crate::store::StoreError;
use crate::store::records::{Delivery, Due, Message, Sites, Try};

/// Puts an event for every callback of the site into the outbox, inside the caller's transaction.
/// `subject` is the comment: its messages are delivered in their order; those of a callback that is off wait. A receiver that speaks Akismet is told of the comments that came
/// as Akismet's, in that protocol's words.
pub(super) fn enqueue(
    connection: &Connection,
    site: &str,
    subject: &str,
    kind: &str,
    data: &Value,
) -> Result<(), StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT id, kind, secret FROM callbacks WHERE site = ?1")?;
    let callbacks: Vec<(String, String, String)> = statement
        .query_map([site], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    let at = now();
    let timestamp = chrono::DateTime::from_timestamp_millis(at).unwrap_or_default().to_rfc3339();
    for (callback, speaks, key) in callbacks {
        let body = if speaks == "akismet" {
            match akismet(&key, subject, data) {
                Some(body) => body,
                None => continue,
            }
        } else {
            json!({ "type": kind, "timestamp": timestamp, "data": data })
        };
        connection
            .prepare_cached(
                "INSERT INTO outbox (id, callback, subject, body, created_at, due_at, attempts, state) VALUES (?1, ?2, ?3, ?4, ?5, ?5, 0, 'pending')",
            )?
            .execute(params![format!("msg_{}", new_id()), callback, subject, body.to_string(), at])?;
    }
    Ok(())
}

/// The body of the WordPress plugin's webhook, for a comment that has a guid and a status that Akismet has a word for.
fn akismet(key: &str, guid: &str, data: &Value) -> Option<Value> {
    let result = match data.pointer("/comment/status")?.as_str()? {
        "rejected" | "deleted" => "true",
        "published" => "false",
        _ => return None,
    };
    guid.starts_with("ak-").then(|| {
        json!({ "key": key, "endpoint": "comment-check", "comments": [{ "guid": guid, "result": result }] })
    })
}

impl SqliteStore {
    /// Callbacks that are due, oldest first; so many of each receiver at the most.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn due_callbacks(&self, limit: usize) -> Result<Vec<Due>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT o.id, o.body, o.attempts, c.id AS callback_id, c.site, c.url, c.kind, c.secret, c.allow_private
                 FROM callbacks c JOIN outbox o ON o.id IN (
                   SELECT n.id FROM outbox n WHERE n.callback = c.id AND n.state = 'pending' AND n.due_at <= ?1
                     AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.callback = n.callback AND p.subject = n.subject
                                     AND p.state = 'pending' AND p.id < n.id)
                   ORDER BY n.attempts, n.due_at, n.id LIMIT ?2)
                 WHERE c.is_enabled = 1 ORDER BY o.due_at, o.id",
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
    pub async fn finish_delivery(
        &self,
        id: String,
        delivery: Delivery,
        millis: i64,
    ) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| {
                let holds_up_all = matches!(delivery, Delivery::Again(..));
                let (state, due, outcome) = match delivery {
                    Delivery::Done => ("done", None, "delivered".to_owned()),
                    Delivery::Again(due, why) | Delivery::Refused(due, why) => ("pending", Some(due), why),
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
                if let Some(due) = due.filter(|_| holds_up_all) {
                    // What does not reach the receiver now will not a moment later: its other messages wait as long.
                    connection.execute(
                        "UPDATE outbox SET due_at = max(due_at, ?2)
                         WHERE state = 'pending' AND callback = (SELECT callback FROM outbox WHERE id = ?1)",
                        params![id, due],
                    )?;
                }
                connection.execute(
                    "INSERT INTO deliveries (message, at, outcome, millis) VALUES (?1, ?2, ?3, ?4)",
                    params![id, now(), outcome, millis],
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
                // What a later message about the same comment has overtaken must not come after it.
                connection.execute(
                    "UPDATE outbox SET state = 'done', last_outcome = 'overtaken by a later message'
                     WHERE state = 'dead' AND callback IN (SELECT id FROM callbacks WHERE site = ?1)
                       AND EXISTS (SELECT 1 FROM outbox n WHERE n.callback = outbox.callback AND n.subject = outbox.subject
                                   AND n.id > outbox.id AND instr(n.body, '\"status\":null') = 0)",
                    [&site],
                )?;
                Ok(connection.execute(
                    "UPDATE outbox SET state = 'pending', due_at = ?2, attempts = 0
                     WHERE state = 'dead' AND callback IN (SELECT id FROM callbacks WHERE site = ?1 AND is_enabled = 1)",
                    params![site, now()],
                )?)
            })
            .await
    }

    /// Messages of some sites, newest first, with every try: the delivery log. With `state` only those in it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn messages(
        &self,
        sites: Sites,
        state: Option<String>,
        limit: usize,
    ) -> Result<Vec<Message>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT o.*, c.url FROM outbox o JOIN callbacks c ON c.id = o.callback
                 WHERE (?1 IS NULL OR c.site IN (SELECT value FROM json_each(?1))) AND (?2 IS NULL OR o.state = ?2)
                 ORDER BY o.id DESC LIMIT ?3",
            )?;
            let mut messages = statement
                .query_map(params![json_list(&sites)?, state, limit as i64], |row| {
                    Ok(Message {
                        id: row.get("id")?,
                        callback: row.get("callback")?,
                        url: row.get("url")?,
                        state: row.get("state")?,
                        created_at: row.get("created_at")?,
                        due_at: row.get("due_at")?,
                        tries: Vec::new(),
                        body: row.get("body")?,
                    })
                })?
                .collect::<Result<Vec<_>, _>>()?;
            let mut tries = connection
                .prepare_cached("SELECT at, outcome, millis FROM deliveries WHERE message = ?1 ORDER BY seq")?;
            for message in &mut messages {
                message.tries = tries
                    .query_map([&message.id], |row| {
                        Ok(Try { at: row.get(0)?, outcome: row.get(1)?, millis: row.get(2)? })
                    })?
                    .collect::<Result<_, _>>()?;
            }
            Ok(messages)
        })
        .await
    }

    /// Puts a test event into a callback's outbox. Returns the message's id.
    ///
    /// # Errors
    /// When there is no such callback.
    pub async fn test_callback(&self, id: String) -> Result<String, StoreError> {
        self.writer
            .run(move |connection| {
                let exists = connection.prepare("SELECT 1 FROM callbacks WHERE id = ?1")?.exists([&id])?;
                if !exists {
                    return Err(StoreError::NotFound("such callback"));
                }
                let (message, at) = (format!("msg_{}", new_id()), now());
                let timestamp = chrono::DateTime::from_timestamp_millis(at).unwrap_or_default().to_rfc3339();
                let body = json!({ "type": "claque.test", "timestamp": timestamp, "data": {} }).to_string();
                connection.execute(
                    "INSERT INTO outbox (id, callback, subject, body, created_at, due_at, attempts, state)
                     VALUES (?1, ?2, 'test', ?3, ?4, ?4, 0, 'pending')",
                    params![message, id, body, at],
                )?;
                Ok(message)
            })
            .await
    }
}
