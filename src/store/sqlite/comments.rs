//! Articles, comments with every revision, and their assessments.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::accounts::site_exists;
use super::audit::append;
use super::queue::{close_empty_campaign, close_for_comment, close_settled_campaign, is_queued, open_for};
use super::{SqliteStore, new_id, now};
use crate::domain::{Article, Comment, Id, Status, Verdict};
use crate::store::StoreError;
use crate::store::records::{
    Counts, NewComment, PastAssessment, Reassessed, Remembered, StoredComment, Taken, TextFacts,
};
use crate::text::CANON_VERSION;

/// A unit enum's name on the wire, which is also how it is stored.
pub(super) fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

/// The enum behind a stored name.
pub(super) fn of_word<T: serde::de::DeserializeOwned>(word: &str) -> Result<T, StoreError> {
    Ok(serde_json::from_value(Value::String(word.to_owned()))?)
}

impl SqliteStore {
    /// Keeps an article; a later one with its id takes its place.
    ///
    /// # Errors
    /// When the site does not exist.
    pub async fn put_article(&self, site: String, article: Article) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| {
                site_exists(connection, &site)?;
                connection
                    .prepare_cached(
                        "INSERT INTO articles (site, id, record, updated_at) VALUES (?1, ?2, ?3, ?4)
                         ON CONFLICT (site, id) DO UPDATE SET record = excluded.record, updated_at = excluded.updated_at",
                    )?
                    .execute(params![site, article.id.as_str(), serde_json::to_string(&article)?, now()])?;
                Ok(())
            })
            .await
    }

    /// An article.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn article(&self, site: String, id: Id) -> Result<Option<Article>, StoreError> {
        self.read(move |connection| {
            let record: Option<String> = connection
                .prepare_cached("SELECT record FROM articles WHERE site = ?1 AND id = ?2")?
                .query_row(params![site, id.as_str()], |row| row.get(0))
                .optional()?;
            record.map(|record| Ok(serde_json::from_str(&record)?)).transpose()
        })
        .await
    }

    /// The answer to a delivery that was taken before.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn known(&self, site: String, id: Id, revision: String) -> Result<Option<Taken>, StoreError> {
        self.read(move |connection| known(connection, &site, id.as_str(), &revision)).await
    }

    /// A current comment's text, for a reply's quotations.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn text(&self, site: String, id: Id) -> Result<Option<String>, StoreError> {
        self.read(move |connection| {
            let record: Option<String> = connection
                .prepare_cached("SELECT record FROM comments WHERE site = ?1 AND id = ?2 AND is_current = 1")?
                .query_row(params![site, id.as_str()], |row| row.get(0))
                .optional()?;
            record.map(|record| Ok(serde_json::from_str::<Comment>(&record)?.text)).transpose()
        })
        .await
    }

    /// Keeps a judged comment, its assessment and its card, and what it changed about earlier ones, in one transaction. A delivery
    /// that was taken before changes nothing and gets its first answer.
    ///
    /// # Errors
    /// When the site does not exist or the store cannot be written.
    pub async fn take(&self, new: NewComment) -> Result<Taken, StoreError> {
        self.writer
            .run(move |connection| {
                if let Some(taken) = known(connection, &new.site, new.comment.id.as_str(), &new.revision)? {
                    return Ok(taken);
                }
                site_exists(connection, &new.site)?;
                insert(connection, &new)
            })
            .await
    }

    /// Writes down what a new comment changed about earlier ones: new assessments, new cards. A comment that a person has
    /// decided keeps its decision and gets no card.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn reassess(&self, changed: Vec<Reassessed>) -> Result<(), StoreError> {
        self.writer.run(move |connection| changed.iter().try_for_each(|one| reassess(connection, one))).await
    }

    /// A comment with its assessments.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn comment(&self, site: String, id: Id) -> Result<Option<StoredComment>, StoreError> {
        self.read(move |connection| {
            let row: Option<(i64, String, String, Option<String>)> = connection
                .prepare_cached(
                    "SELECT seq, record, status, decided_by FROM comments WHERE site = ?1 AND id = ?2 AND is_current = 1",
                )?
                .query_row(params![site, id.as_str()], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                })
                .optional()?;
            let Some((seq, record, status, decided_by)) = row else { return Ok(None) };
            let mut statement = connection.prepare_cached(
                "SELECT a.at, a.cause, a.record FROM assessments a JOIN comments c ON c.seq = a.comment
                 WHERE c.site = ?1 AND c.id = ?2 ORDER BY a.seq",
            )?;
            let rows = statement.query_map(params![site, id.as_str()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?))
            })?;
            let mut history = Vec::new();
            for row in rows {
                let (at, cause, record) = row?;
                history.push(PastAssessment { at, cause, assessment: RawValue::from_string(record)? });
            }
            let Some(latest) = history.last() else { return Ok(None) };
            Ok(Some(StoredComment {
                comment: serde_json::from_str(&record)?,
                status: of_word(&status)?,
                decided_by,
                assessment: latest.assessment.clone(),
                queued: is_queued(connection, seq)?,
                history,
            }))
        })
        .await
    }

    /// What the CMS or its people did to a comment: it leaves the queue, and the decision counts with the CMS's own trust.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown comment.
    pub async fn set_status(
        &self,
        site: String,
        id: Id,
        status: Status,
        actor: String,
    ) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| {
                let (seq, before, decided_by) = current(connection, &site, &id)?;
                if before == word(&status) && decided_by.is_some() {
                    return Ok(());
                }
                let decision = new_id();
                let at = now();
                let action = match status {
                    Status::Published => "approve",
                    Status::Rejected | Status::Deleted => "reject",
                    Status::Pending => "escalate",
                };
                connection.execute(
                    "INSERT INTO decisions (id, site, item, action, actor, trust, at, undo_until)
                     VALUES (?1, ?2, NULL, ?3, ?4, 'cms', ?5, ?5)",
                    params![decision, site, action, actor, at],
                )?;
                connection.execute(
                    "INSERT INTO decision_comments (decision, comment, status_before, decided_by_before) VALUES (?1, ?2, ?3, ?4)",
                    params![decision, seq, before, decided_by],
                )?;
                connection.execute(
                    "UPDATE comments SET status = ?2, decided_by = ?3 WHERE seq = ?1",
                    params![seq, word(&status), actor],
                )?;
                close_for_comment(connection, seq)?;
                close_settled_campaign(connection, seq)?;
                append(
                    connection,
                    &actor,
                    "comment.status",
                    &format!("{site}/{id}"),
                    &json!({ "status": status, "before": before }),
                )
            })
            .await
    }

    /// Removes a comment with all its revisions and assessments. Returns the numbers that are gone.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown comment.
    pub async fn delete_comment(&self, site: String, id: Id, actor: String) -> Result<Vec<i64>, StoreError> {
        self.writer
            .run(move |connection| {
                let mut statement =
                    connection.prepare_cached("SELECT seq FROM comments WHERE site = ?1 AND id = ?2")?;
                let gone: Vec<i64> = statement
                    .query_map(params![site, id.as_str()], |row| row.get(0))?
                    .collect::<Result<_, _>>()?;
                if gone.is_empty() {
                    return Err(StoreError::NotFound("such comment"));
                }
                for seq in &gone {
                    close_for_comment(connection, *seq)?;
                    connection.execute("UPDATE comments SET is_current = 0 WHERE seq = ?1", [seq])?;
                    close_settled_campaign(connection, *seq)?;
                }
                connection.execute(
                    "DELETE FROM comments WHERE site = ?1 AND id = ?2",
                    params![site, id.as_str()],
                )?;
                append(connection, &actor, "comment.delete", &format!("{site}/{id}"), &json!({}))?;
                Ok(gone)
            })
            .await
    }

    /// Current comments after number `after`, for the live index.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn remembered(&self, after: i64, limit: usize) -> Result<Vec<Remembered>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT c.*, EXISTS (
                   SELECT 1 FROM assessments a, json_each(a.record, '$.because') b WHERE a.comment = c.seq AND b.value = 'campaign'
                 ) AS on_campaign_card
                 FROM comments c WHERE is_current = 1 AND seq > ?1 ORDER BY seq LIMIT ?2",
            )?;
            let mut rows = statement.query(params![after, limit as i64])?;
            let mut remembered = Vec::new();
            while let Some(row) = rows.next()? {
                remembered.push(remember(row)?);
            }
            Ok(remembered)
        })
        .await
    }

    /// Counts of a site, or of all.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn counts(&self, site: Option<String>) -> Result<Counts, StoreError> {
        self.read(move |connection| {
            let count = |sql: &str| -> Result<i64, rusqlite::Error> {
                connection.prepare_cached(sql)?.query_row([&site], |row| row.get(0))
            };
            let outbox = "SELECT count(*) FROM outbox o JOIN callbacks c ON c.id = o.callback WHERE (?1 IS NULL OR c.site = ?1) AND o.state";
            let oldest = count(
                "SELECT coalesce(min(opened_at), 0) FROM queue WHERE (?1 IS NULL OR site = ?1) AND is_open = 1",
            )?;
            Ok(Counts {
                comments: count("SELECT count(*) FROM comments WHERE (?1 IS NULL OR site = ?1) AND is_current = 1")?,
                review: count(
                    "SELECT count(*) FROM comments WHERE (?1 IS NULL OR site = ?1) AND is_current = 1 AND verdict <> 'allow'",
                )?,
                queue: count("SELECT count(*) FROM queue WHERE (?1 IS NULL OR site = ?1) AND is_open = 1")?,
                oldest_seconds: if oldest == 0 { 0 } else { (now() - oldest).max(0) / 1000 },
                decisions: count(
                    "SELECT count(*) FROM decisions WHERE (?1 IS NULL OR site = ?1) AND undone_at IS NULL",
                )?,
                outbox: count(&format!("{outbox} = 'pending'"))?,
                dead_letters: count(&format!("{outbox} = 'dead'"))?,
            })
        })
        .await
    }
}

/// Number, status and decider of a current comment.
pub(super) fn current(
    connection: &Connection,
    site: &str,
    id: &Id,
) -> Result<(i64, String, Option<String>), StoreError> {
    connection
        .prepare_cached(
            "SELECT seq, status, decided_by FROM comments WHERE site = ?1 AND id = ?2 AND is_current = 1",
        )?
        .query_row(params![site, id.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?
        .ok_or(StoreError::NotFound("such comment"))
}

/// The revision that a delivery repeats. One that is named by its text's hash repeats only the current text: whoever changes a text and
/// changes it back has changed it twice.
fn known(connection: &Connection, site: &str, id: &str, revision: &str) -> Result<Option<Taken>, StoreError> {
    let row: Option<(i64, String)> = connection
        .prepare_cached(
            "SELECT seq, first_answer FROM comments WHERE site = ?1 AND id = ?2
               AND (revision = ?3 OR revision GLOB ?3 || '#*') AND (is_current = 1 OR ?3 NOT GLOB 't:*')",
        )?
        .query_row(params![site, id, revision], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((seq, answer)) = row else { return Ok(None) };
    Ok(Some(Taken {
        seq,
        assessment: RawValue::from_string(answer)?,
        queued: is_queued(connection, seq)?,
        fresh: false,
        replaced: None,
    }))
}

fn insert(connection: &Connection, new: &NewComment) -> Result<Taken, StoreError> {
    let comment = &new.comment;
    let replaced: Option<i64> = connection
        .prepare_cached("SELECT seq FROM comments WHERE site = ?1 AND id = ?2 AND is_current = 1")?
        .query_row(params![new.site, comment.id.as_str()], |row| row.get(0))
        .optional()?;
    if let Some(seq) = replaced {
        connection.execute("UPDATE comments SET is_current = 0 WHERE seq = ?1", [seq])?;
        close_for_comment(connection, seq)?;
        close_settled_campaign(connection, seq)?;
    }
    let times_before: i64 = connection
        .prepare_cached(
            "SELECT count(*) FROM comments WHERE site = ?1 AND id = ?2 AND (revision = ?3 OR revision GLOB ?3 || '#*')",
        )?
        .query_row(params![new.site, comment.id.as_str(), new.revision], |row| row.get(0))?;
    let revision =
        if times_before == 0 { new.revision.clone() } else { format!("{}#{times_before}", new.revision) };
    let at = now();
    connection
        .prepare_cached(
            "INSERT INTO comments (site, id, revision, is_current, thread, author, status, created_at, received_at, record,
               points, p, words, disguised, strongest_rule, abstained, sketch, canon_version, verdict, campaign, first_answer)
             VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
        )?
        .execute(params![
            new.site,
            comment.id.as_str(),
            revision,
            comment.thread().map(Id::as_str),
            comment.author_key(),
            word(&comment.status.unwrap_or(Status::Published)),
            comment.created_at.map(|at| at.timestamp_millis()),
            at,
            serde_json::to_string(comment)?,
            new.facts.points,
            new.facts.p,
            new.facts.words,
            new.facts.disguised,
            new.facts.strongest_rule,
            new.facts.abstained,
            new.sketch,
            CANON_VERSION,
            word(&new.verdict),
            new.campaign,
            new.assessment,
        ])?;
    let seq = connection.last_insert_rowid();
    add_assessment(connection, seq, "arrival", &new.assessment)?;
    if new.queue && new.verdict != Verdict::Allow {
        open_for(connection, seq, new.verdict, &new.because, new.priority)?;
    }
    Ok(Taken {
        seq,
        assessment: RawValue::from_string(new.assessment.clone())?,
        queued: is_queued(connection, seq)?,
        fresh: true,
        replaced,
    })
}

fn add_assessment(
    connection: &Connection,
    comment: i64,
    cause: &str,
    record: &str,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT INTO assessments (comment, at, cause, record) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![comment, now(), cause, record])?;
    Ok(())
}

fn reassess(connection: &Connection, changed: &Reassessed) -> Result<(), StoreError> {
    let row: Option<(String, Option<String>)> = connection
        .prepare_cached(
            "SELECT a.record, c.decided_by FROM assessments a JOIN comments c ON c.seq = a.comment
             WHERE a.comment = ?1 AND c.is_current = 1 ORDER BY a.seq DESC LIMIT 1",
        )?
        .query_row([changed.seq], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    // Deleted or replaced meanwhile: nothing to say about it any more.
    let Some((record, decided_by)) = row else { return Ok(()) };
    let mut record: serde_json::Map<String, Value> = serde_json::from_str(&record)?;
    record.insert("verdict".to_owned(), json!(changed.verdict));
    record.insert("because".to_owned(), json!(changed.because));
    if let Some(campaign) = &changed.campaign {
        record.insert("campaign_id".to_owned(), json!(campaign));
    }
    if let Some(thread) = &changed.thread {
        record.insert("thread".to_owned(), serde_json::from_str(thread)?);
    }
    add_assessment(connection, changed.seq, changed.cause, &serde_json::to_string(&record)?)?;
    let before: Option<String> = connection
        .prepare_cached("SELECT campaign FROM comments WHERE seq = ?1")?
        .query_row([changed.seq], |row| row.get(0))?;
    connection
        .prepare_cached("UPDATE comments SET verdict = ?2, campaign = ?3 WHERE seq = ?1")?
        .execute(params![changed.seq, word(&changed.verdict), changed.campaign])?;
    if let Some(before) = before.filter(|before| Some(before) != changed.campaign.as_ref()) {
        close_empty_campaign(connection, &before)?;
    }
    if decided_by.is_none() && changed.verdict != Verdict::Allow {
        open_for(connection, changed.seq, changed.verdict, &changed.because, changed.priority)?;
    }
    Ok(())
}

fn remember(row: &Row<'_>) -> Result<Remembered, StoreError> {
    let created: Option<i64> = row.get("created_at")?;
    Ok(Remembered {
        seq: row.get("seq")?,
        site: row.get("site")?,
        id: row.get("id")?,
        thread: row.get("thread")?,
        author: row.get("author")?,
        at: created.map_or_else(|| row.get("received_at"), Ok)?,
        facts: TextFacts {
            points: row.get("points")?,
            p: row.get("p")?,
            words: row.get("words")?,
            disguised: row.get("disguised")?,
            strongest_rule: row.get("strongest_rule")?,
            abstained: row.get("abstained")?,
        },
        sketch: row.get("sketch")?,
        canon_version: row.get("canon_version")?,
        verdict: of_word(&row.get::<_, String>("verdict")?)?,
        campaign: row.get("campaign")?,
        on_campaign_card: row.get("on_campaign_card")?,
    })
}
