//! Personal data on its way out: what an author is told, what is erased on demand, what is forgotten with time.
//!
//! An erased comment keeps its place in the counts (its campaign's size, the decisions about it), and nothing else: no id of the CMS, no
//! text, no author, no signature, no evidence; notes of decisions about it go too. The audit log's entries that name it are blanked; their
//! chain holds. What is erased is overwritten in the file.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::audit::{append, erase};
use super::cards::{close_for_comment, close_settled_campaign};
use super::comments::bury;
use super::events::event;
use super::{SqliteStore, now};
use crate::domain::Comment;
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

    /// Erases an author: see the module. In pieces, so that other writing goes on between them. Returns the numbers of the comments.
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
        let mut erased = Vec::new();
        // What the author goes by, site by site; known only while the comments are there.
        let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        loop {
            let (site, author, mark) = (site.clone(), author.clone(), mark.clone());
            let piece = self
                .writer
                .run(move |connection| {
                    let mut found = of_author(connection, site.as_deref(), &author, &mark)?;
                    found.truncate(AT_ONCE as usize);
                    erase_comments(connection, &found, &secret)
                })
                .await?;
            if piece.is_empty() {
                break;
            }
            for gone in piece {
                erased.push(gone.seq);
                names.entry(gone.site).or_default().extend(gone.names);
            }
        }
        let count = erased.len();
        self.writer
            .run(move |connection| {
                let sites: Vec<String> = if let Some(site) = site {
                    vec![site]
                } else {
                    let mut statement = connection.prepare("SELECT id FROM sites")?;
                    statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?
                };
                for site in sites {
                    let mut names = names.remove(&site).unwrap_or_default();
                    names.insert(author.clone());
                    erase_names(connection, &site, &names)?;
                }
                append(connection, &actor, "privacy.erase", "an author", &json!({ "comments": count }))
            })
            .await?;
        // What was overwritten stands in the write-ahead log until that is emptied.
        self.empty_log().await?;
        Ok(erased)
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

    /// Throws away what nobody needs any more: finished callbacks, old deliveries' ids, events, expired sessions.
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
                    // A callback that was switched off for good, or died, does not keep what it was to tell for ever.
                    ("DELETE FROM outbox WHERE created_at < ?1", 90),
                    ("DELETE FROM hook_deliveries WHERE at < ?1", 7),
                    ("DELETE FROM events WHERE at < ?1", 2),
                    ("DELETE FROM sessions WHERE expires_at < ?1", 0),
                    ("DELETE FROM allowed_campaigns WHERE expires_at < ?1", 30),
                    ("DELETE FROM alerts WHERE at < ?1", 30),
                    ("DELETE FROM inbox WHERE at < ?1", 30),
                    ("DELETE FROM trials WHERE at < ?1", 30),
                    ("DELETE FROM plans WHERE at < ?1 AND (applied_at IS NULL OR undone_at IS NOT NULL)", 90),
                    ("DELETE FROM plan_items WHERE plan IN (SELECT id FROM plans WHERE at < ?1)", 90),
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
           OR lower(json_extract(record, '$.author.email')) IN (lower(?1), ?3) OR json_extract(record, '$.author.name') = ?1)
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

/// A comment that was erased: its number, its site, and what its author goes by.
struct Gone {
    seq: i64,
    site: String,
    names: Vec<String>,
}

fn erase_comments(
    connection: &Connection,
    found: &[(i64, String)],
    secret: &[u8; 32],
) -> Result<Vec<Gone>, StoreError> {
    let mut gone = Vec::new();
    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut campaigns = BTreeSet::new();
    for (seq, site) in found {
        let (id, campaign, record): (String, Option<String>, String) = connection
            .prepare_cached("SELECT id, campaign, record FROM comments WHERE seq = ?1")?
            .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let comment: Comment = serde_json::from_str(&record)?;
        // Not the displayed name beside an id: somebody else may go by it.
        let names = comment.author_key().map(str::to_owned);
        gone.push(Gone { seq: *seq, site: site.clone(), names: names.into_iter().collect() });
        campaigns.extend(campaign);
        erase_comment(connection, *seq, site, &id, secret)?;
        ids.entry(site.clone()).or_default().insert(id);
    }
    for campaign in &campaigns {
        erase_from_evidence(connection, campaign, &ids)?;
    }
    for (site, ids) in &ids {
        erase(connection, site, ids)?;
    }
    Ok(gone)
}

fn erase_comment(
    connection: &Connection,
    seq: i64,
    site: &str,
    id: &str,
    secret: &[u8; 32],
) -> Result<(), StoreError> {
    bury(connection, site, &keyed(&format!("{site}\0{id}"), secret))?;
    close_for_comment(connection, seq)?;
    for sql in [
        "DELETE FROM assessments WHERE comment = ?1",
        "UPDATE decisions SET note = NULL WHERE id IN (SELECT decision FROM decision_comments WHERE comment = ?1)",
        "DELETE FROM plan_items WHERE comment = ?1",
    ] {
        connection.prepare_cached(sql)?.execute([seq])?;
    }
    let name = format!("erased-{seq}");
    let bare = json!({ "id": name, "site": site, "text": "" }).to_string();
    connection
        .prepare_cached(
            "UPDATE comments SET id = ?2, revision = ?2, author = NULL, thread = NULL, record = ?3, sketch = NULL, has_text = 0,
               decided_by = coalesce(decided_by, 'erased') WHERE seq = ?1",
        )?
        .execute(params![seq, name, bare])?;
    close_settled_campaign(connection, seq)?;
    for sql in [
        "DELETE FROM aliases WHERE site = ?1 AND id = ?2",
        "DELETE FROM inbox WHERE site = ?1 AND id = ?2",
        "DELETE FROM notes WHERE site = ?1 AND kind = 'comment' AND subject = ?2",
        "DELETE FROM outbox WHERE subject = ?2 AND callback IN (SELECT id FROM callbacks WHERE site = ?1)",
        "DELETE FROM events WHERE site = ?1 AND json_extract(data, '$.comment') = ?2",
        // Other comments' evidence may name it, as below.
        "DELETE FROM plan_items WHERE instr(item, 'nearest is ' || ?2 || ' (') > 0
           AND comment IN (SELECT seq FROM comments WHERE site = ?1)",
    ] {
        connection.prepare_cached(sql)?.execute([site, id])?;
    }
    event(connection, site, "privacy.erased", &json!({ "seq": seq }))
}

/// Where evidence of other comments names erased ones as copies, the names go: one pass over a campaign.
fn erase_from_evidence(
    connection: &Connection,
    campaign: &str,
    ids: &BTreeMap<String, BTreeSet<String>>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT a.seq, c.site, a.record FROM comments c JOIN assessments a ON a.comment = c.seq WHERE c.campaign = ?1",
    )?;
    let mut rows = statement.query([campaign])?;
    let mut changed = Vec::new();
    while let Some(row) = rows.next()? {
        let (seq, site, record): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let Some(ids) = ids.get(&site) else { continue };
        let mut record: Value = serde_json::from_str(&record)?;
        let evidence = record.get_mut("evidence").and_then(Value::as_array_mut);
        let mut touched = false;
        for message in evidence.into_iter().flatten().filter_map(|one| one.get_mut("message")) {
            let told = message.as_str().unwrap_or_default();
            // As the signal words it: `nearest is ID (90 % the same)`.
            let nearest = told.split_once("nearest is ").and_then(|(_, rest)| rest.rsplit_once(" ("));
            if let Some((id, _)) = nearest.filter(|(id, _)| ids.contains(*id)) {
                *message = json!(told.replace(&format!("nearest is {id} ("), "nearest is an erased one ("));
                touched = true;
            }
        }
        if touched {
            changed.push((seq, record.to_string()));
        }
    }
    let mut update = connection.prepare_cached("UPDATE assessments SET record = ?2 WHERE seq = ?1")?;
    for (seq, record) in changed {
        update.execute(params![seq, record])?;
    }
    Ok(())
}

/// What stands under an author's names: notes, trust, traces in the audit log and among the events.
fn erase_names(connection: &Connection, site: &str, names: &BTreeSet<String>) -> Result<(), StoreError> {
    for name in names {
        for sql in [
            "DELETE FROM notes WHERE site = ?1 AND kind = 'author' AND subject = ?2",
            "DELETE FROM trusted_authors WHERE site = ?1 AND author = ?2",
            "DELETE FROM events WHERE site = ?1 AND json_extract(data, '$.subject') = ?2",
        ] {
            connection.prepare_cached(sql)?.execute([site, name])?;
        }
    }
    erase(connection, site, names)
}

fn forget_comments(connection: &Connection, before: i64) -> Result<usize, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, site FROM (SELECT seq, site, received_at FROM comments ORDER BY seq LIMIT ?3)
         WHERE received_at < ?1 AND NOT EXISTS (SELECT 1 FROM queue q WHERE q.is_open = 1 AND q.comment = seq) LIMIT ?2",
    )?;
    // Comments came in the order of their numbers: only the first ones can be old.
    let old: Vec<(i64, String)> = statement
        .query_map([before, AT_ONCE, 10 * AT_ONCE], |row| Ok((row.get(0)?, row.get(1)?)))?
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
        "SELECT seq FROM comments WHERE has_text = 1 AND received_at < ?1 AND status = 'published'
           AND NOT EXISTS (SELECT 1 FROM queue q WHERE q.is_open = 1 AND q.comment = comments.seq)
           AND NOT EXISTS (SELECT 1 FROM queue q WHERE q.is_open = 1 AND q.campaign = comments.campaign AND q.site = comments.site
                           AND comments.decided_by IS NULL)
         ORDER BY received_at LIMIT ?2",
    )?;
    let old: Vec<i64> =
        statement.query_map([before, AT_ONCE], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for seq in &old {
        connection
            .prepare_cached(
                "UPDATE comments SET record = json_set(record, '$.text', ''), has_text = 0 WHERE seq = ?1",
            )?
            .execute([seq])?;
        // Evidence quotes the text, and so do plans.
        connection.prepare_cached("DELETE FROM plan_items WHERE comment = ?1")?.execute([seq])?;
        connection
            .prepare_cached("UPDATE assessments SET record = json_set(record, '$.evidence', json('[]')) WHERE comment = ?1")?
            .execute([seq])?;
    }
    Ok(old.len())
}
