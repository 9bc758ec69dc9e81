//! Personal data on its way out: what an author is told, what is erased on demand, what is forgotten with time.
//!
//! An erased comment keeps its place in the counts (its campaign's size, the decisions about it), and nothing else: no id of the CMS, no
//! text, no author, no signature, no evidence. The audit log's entries that name it are blanked; their chain holds.

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::audit::{append, erase};
use super::cards::{close_for_comment, close_settled_campaign};
use super::comments::bury;
use super::events::event;
use super::{SqliteStore, now};
use crate::store::{StoreError, keyed, pseudonym};

/// Comments of one transaction.
const AT_ONCE: i64 = 500;

/// What was forgotten with time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forgotten {
    /// Comments whose text is gone.
    pub texts: usize,
    /// Comments that are gone.
    pub comments: usize,
}

impl SqliteStore {
    /// Everything stored of an author: by the CMS's id or name, or by e-mail address, of one site or all.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn export_author(&self, site: Option<String>, author: String) -> Result<Value, StoreError> {
        let mark = pseudonym(&author, self.secret());
        self.read(move |connection| {
            let mut comments = Vec::new();
            for (seq, _) in of_author(connection, site.as_deref(), &author, &mark)? {
                comments.push(everything(connection, seq)?);
            }
            let mut statement = connection.prepare(
                "SELECT json_object('site', site, 'kind', kind, 'text', text, 'actor', actor, 'at', at) FROM notes
                 WHERE kind = 'author' AND subject = ?1 AND (?2 IS NULL OR site = ?2)",
            )?;
            let notes = statement
                .query_map(params![author, site], |row| row.get::<_, String>(0))?
                .collect::<Result<Vec<_>, _>>()?;
            let notes: Vec<Value> =
                notes.iter().map(|note| serde_json::from_str(note)).collect::<Result<_, _>>()?;
            Ok(json!({ "author": author, "comments": comments, "notes": notes }))
        })
        .await
    }

    /// Erases an author: see the module. Returns the numbers of the comments.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn erase_author(
        &self,
        site: Option<String>,
        author: String,
        actor: String,
    ) -> Result<Vec<i64>, StoreError> {
        let secret = *self.secret();
        let mark = pseudonym(&author, &secret);
        self.writer
            .run(move |connection| {
                let found = of_author(connection, site.as_deref(), &author, &mark)?;
                for (seq, of_site) in &found {
                    erase_comment(connection, *seq, of_site, &secret)?;
                }
                connection.execute(
                    "DELETE FROM notes WHERE kind = 'author' AND subject = ?1 AND (?2 IS NULL OR site = ?2)",
                    params![author, site],
                )?;
                connection.execute(
                    "DELETE FROM trusted_authors WHERE author = ?1 AND (?2 IS NULL OR site = ?2)",
                    params![author, site],
                )?;
                erase(connection, &author)?;
                let seqs: Vec<i64> = found.iter().map(|(seq, _)| *seq).collect();
                append(connection, &actor, "privacy.erase", "an author", &json!({ "comments": seqs.len() }))?;
                for (seq, site) in &found {
                    event(connection, site, "privacy.erased", &json!({ "seq": seq }))?;
                }
                Ok(seqs)
            })
            .await
    }

    /// Forgets with time: the text of comments that readers can see and nobody has to decide about, received before `texts_before`; every
    /// comment received before `all_before`. A bounded piece at a time: call it again until nothing is left.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn forget(
        &self,
        texts_before: Option<i64>,
        all_before: Option<i64>,
    ) -> Result<Forgotten, StoreError> {
        self.writer
            .run(move |connection| {
                let mut forgotten = Forgotten::default();
                if let Some(before) = all_before {
                    forgotten.comments = forget_comments(connection, before)?;
                }
                if let Some(before) = texts_before {
                    forgotten.texts = forget_texts(connection, before)?;
                }
                if forgotten != Forgotten::default() {
                    append(
                        connection,
                        "claque",
                        "privacy.forget",
                        "retention",
                        &json!({ "texts": forgotten.texts, "comments": forgotten.comments }),
                    )?;
                }
                Ok(forgotten)
            })
            .await
    }

    /// Throws away what nobody needs any more: finished callbacks, old deliveries' ids, events, expired sessions and promises.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn tidy(&self) -> Result<(), StoreError> {
        const DAY: i64 = 24 * 3_600_000;
        self.writer
            .run(move |connection| {
                let at = now();
                for (sql, days) in [
                    ("DELETE FROM outbox WHERE state = 'done' AND created_at < ?1", 30),
                    ("DELETE FROM hook_deliveries WHERE at < ?1", 7),
                    ("DELETE FROM events WHERE at < ?1", 2),
                    ("DELETE FROM sessions WHERE expires_at < ?1", 0),
                    ("DELETE FROM allowed_campaigns WHERE expires_at < ?1", 30),
                    ("DELETE FROM alerts WHERE at < ?1", 30),
                ] {
                    connection.execute(sql, [at - days * DAY])?;
                }
                connection.execute("DELETE FROM plugin_calls WHERE day < date('now', '-30 days')", [])?;
                Ok(())
            })
            .await
    }
}

/// Number and site of every revision that an author wrote.
fn of_author(
    connection: &Connection,
    site: Option<&str>,
    author: &str,
    mark: &str,
) -> Result<Vec<(i64, String)>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT seq, site FROM comments
         WHERE (?2 IS NULL OR site = ?2) AND (author = ?1 OR author = ?3
           OR json_extract(record, '$.author.email') IN (?1, ?3) OR json_extract(record, '$.author.name') = ?1)
         ORDER BY seq",
    )?;
    let rows = statement.query_map(params![author, site, mark], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One revision with its assessments and decisions.
fn everything(connection: &Connection, seq: i64) -> Result<Value, StoreError> {
    let (site, record, status): (String, String, String) =
        connection.query_row("SELECT site, record, status FROM comments WHERE seq = ?1", [seq], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    let list = |sql: &str| -> Result<Vec<Value>, StoreError> {
        let mut statement = connection.prepare_cached(sql)?;
        let rows =
            statement.query_map([seq], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
        Ok(rows.iter().map(|row| serde_json::from_str(row)).collect::<Result<_, _>>()?)
    };
    Ok(json!({
        "site": site,
        "comment": serde_json::from_str::<Value>(&record)?,
        "status": status,
        "assessments": list("SELECT record FROM assessments WHERE comment = ?1 ORDER BY seq")?,
        "decisions": list(
            "SELECT json_object('action', d.action, 'reason', d.reason, 'note', d.note, 'at', d.at, 'undone_at', d.undone_at)
             FROM decision_comments x JOIN decisions d ON d.id = x.decision WHERE x.comment = ?1 ORDER BY d.at",
        )?,
    }))
}

fn erase_comment(connection: &Connection, seq: i64, site: &str, secret: &[u8; 32]) -> Result<(), StoreError> {
    let id: String =
        connection.query_row("SELECT id FROM comments WHERE seq = ?1", [seq], |row| row.get(0))?;
    bury(connection, site, &keyed(&format!("{site}\0{id}"), secret))?;
    close_for_comment(connection, seq)?;
    connection.execute("DELETE FROM assessments WHERE comment = ?1", [seq])?;
    let name = format!("erased-{seq}");
    let bare = json!({ "id": name, "site": site, "text": "" }).to_string();
    connection.execute(
        "UPDATE comments SET id = ?2, revision = ?2, author = NULL, thread = NULL, record = ?3, sketch = NULL,
           decided_by = coalesce(decided_by, 'erased') WHERE seq = ?1",
        params![seq, name, bare],
    )?;
    close_settled_campaign(connection, seq)?;
    // Where evidence of other comments names this one as a copy, the name goes too.
    connection.execute(
        "UPDATE assessments SET record = replace(record, ?2, ?3)
         WHERE comment IN (SELECT seq FROM comments WHERE campaign = (SELECT campaign FROM comments WHERE seq = ?1))",
        params![seq, format!("`{id}`"), "`erased`"],
    )?;
    connection.execute("DELETE FROM aliases WHERE site = ?1 AND id = ?2", [site, &id])?;
    connection.execute("DELETE FROM inbox WHERE site = ?1 AND id = ?2", [site, &id])?;
    connection
        .execute("DELETE FROM notes WHERE site = ?1 AND kind = 'comment' AND subject = ?2", [site, &id])?;
    connection.execute(
        "DELETE FROM outbox WHERE subject = ?2 AND state <> 'pending' AND callback IN (SELECT id FROM callbacks WHERE site = ?1)",
        [site, &id],
    )?;
    erase(connection, &format!("{site}/{id}"))?;
    erase(connection, &id)?;
    Ok(())
}

fn forget_comments(connection: &Connection, before: i64) -> Result<usize, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, site FROM comments WHERE received_at < ?1 AND NOT EXISTS (
           SELECT 1 FROM queue q WHERE q.is_open = 1 AND q.comment = comments.seq) ORDER BY seq LIMIT ?2",
    )?;
    let old: Vec<(i64, String)> = statement
        .query_map([before, AT_ONCE], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (seq, site) in &old {
        connection.prepare_cached("UPDATE comments SET is_current = 0 WHERE seq = ?1")?.execute([seq])?;
        close_settled_campaign(connection, *seq)?;
        connection.prepare_cached("DELETE FROM comments WHERE seq = ?1")?.execute([seq])?;
        event(connection, site, "privacy.erased", &json!({ "seq": seq }))?;
    }
    Ok(old.len())
}

fn forget_texts(connection: &Connection, before: i64) -> Result<usize, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT seq FROM comments WHERE received_at < ?1 AND status = 'published' AND json_extract(record, '$.text') <> ''
           AND NOT EXISTS (SELECT 1 FROM queue q WHERE q.is_open = 1 AND q.comment = comments.seq)
           AND NOT EXISTS (SELECT 1 FROM queue q WHERE q.is_open = 1 AND q.campaign = comments.campaign AND q.site = comments.site
                           AND comments.decided_by IS NULL)
         ORDER BY seq LIMIT ?2",
    )?;
    let old: Vec<i64> =
        statement.query_map([before, AT_ONCE], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for seq in &old {
        connection
            .prepare_cached("UPDATE comments SET record = json_set(record, '$.text', '') WHERE seq = ?1")?
            .execute([seq])?;
        // Evidence quotes the text.
        connection
            .prepare_cached("UPDATE assessments SET record = json_set(record, '$.evidence', json('[]')) WHERE comment = ?1")?
            .execute([seq])?;
    }
    Ok(old.len())
}
