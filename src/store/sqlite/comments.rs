//! Comments with every revision, and their assessments.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::accounts::site_exists;
use super::audit::append;
use super::cards::{
    Opening, SWEEP, close_empty_campaign, close_for_comment, close_settled_campaign, is_queued, is_rejected,
    open_for,
};
use super::events::event;
use super::{SqliteStore, new_id, now};
use crate::domain::{Id, Status, Verdict};
use crate::store::records::{
    Arrival, NewComment, PastAssessment, Question, Reassessed, Remembered, StoredComment, Taken, TextFacts,
    Unsigned,
};
use crate::store::{StoreError, keyed};
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

/// What the live index knows of a comment.
const REMEMBERED: &str = "seq, site, id, thread, author, created_at, received_at, points, p, words, disguised, strongest_rule, abstained,
  sketch, canon_version, verdict, campaign, is_trusted, is_history, instr(because, '\"campaign\"') > 0 AS on_campaign_card";

impl SqliteStore {
    /// What is known of a delivery: whether it was taken before or deleted, the comment it replies to, how its author was judged.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn arrival(&self, question: Question) -> Result<Arrival, StoreError> {
        let tombstone = self.tombstone(&question.site, question.id.as_str());
        self.read(move |connection| {
            let Question { site, id, revision, parent, author } = question;
            if let Some(taken) = known(connection, &site, id.as_str(), &revision)? {
                return Ok(Arrival::Known(taken));
            }
            if is_deleted(connection, &site, &tombstone)? {
                return Ok(Arrival::Deleted);
            }
            let parent = parent.map(|id| text(connection, &site, &id)).transpose()?.flatten();
            let approved = author.map(|author| approved(connection, &site, &author)).transpose()?;
            Ok(Arrival::New { parent, approved: approved.unwrap_or(0) })
        })
        .await
    }

    /// The name under which a deleted comment is remembered.
    fn tombstone(&self, site: &str, id: &str) -> String {
        keyed(&format!("{site}\0{id}"), self.secret())
    }

    /// Keeps a judged comment, its assessment and its card, and what it changed about earlier ones, in one transaction. A delivery
    /// that was taken before changes nothing and gets its first answer.
    ///
    /// # Errors
    /// When the site does not exist, the comment was deleted, or the store cannot be written.
    pub async fn take(&self, new: NewComment) -> Result<Taken, StoreError> {
        let tombstone = self.tombstone(&new.site, new.comment.id.as_str());
        self.writer
            .run(move |connection| {
                let (site, id) = (&new.site, new.comment.id.as_str());
                connection
                    .prepare_cached("DELETE FROM inbox WHERE site = ?1 AND id = ?2 AND revision = ?3")?
                    .execute([site, id, &new.revision])?;
                if let Some(taken) = known(connection, site, id, &new.revision)? {
                    return Ok(taken);
                }
                if is_deleted(connection, site, &tombstone)? {
                    return Err(StoreError::Deleted);
                }
                site_exists(connection, site)?;
                let mut taken = insert(connection, &new)?;
                new.changed.iter().try_for_each(|one| reassess(connection, one))?;
                taken.queued = is_queued(connection, taken.seq)?;
                Ok(taken)
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
                    "SELECT seq, record, status, decided_by FROM comments WHERE site = ?1 AND is_current = 1
                       AND id = coalesce((SELECT a.id FROM aliases a WHERE a.site = ?1 AND a.alias = ?2), ?2)",
                )?
                .query_row(params![site, id.as_str()], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                })
                .optional()?;
            let Some((seq, record, status, decided_by)) = row else { return Ok(None) };
            let mut statement = connection.prepare_cached(
                "SELECT a.at, a.cause, a.record FROM assessments a JOIN comments c ON c.seq = a.comment
                 WHERE (c.site, c.id) = (SELECT site, id FROM comments WHERE seq = ?1) ORDER BY a.seq",
            )?;
            let rows = statement.query_map([seq], |row| {
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
                if status == Status::Pending {
                    // It waits for somebody there: nobody has decided anything.
                    connection.execute(
                        "UPDATE comments SET status = ?2 WHERE seq = ?1",
                        params![seq, word(&status)],
                    )?;
                    return append(
                        connection,
                        &actor,
                        "comment.status",
                        &format!("{site}/{id}"),
                        &json!({ "site": site, "status": status, "before": before }),
                    );
                }
                let decision = new_id();
                let at = now();
                let action = match status {
                    Status::Published | Status::Pending => "approve",
                    Status::Rejected | Status::Deleted => "reject",
                };
                connection.execute(
                    "INSERT INTO decisions (id, site, action, actor, trust, at, undo_until) VALUES (?1, ?2, ?3, ?4, 'cms', ?5, ?5)",
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
                event(
                    connection,
                    &site,
                    "comment.status",
                    &json!({ "comment": id, "status": status, "actor": actor }),
                )?;
                append(
                    connection,
                    &actor,
                    "comment.status",
                    &format!("{site}/{id}"),
                    &json!({ "site": site, "status": status, "before": before }),
                )
            })
            .await
    }

    /// Removes a comment with all its revisions and assessments, and remembers that it was. Returns the numbers that are gone: none for
    /// a comment that never came.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn delete_comment(&self, site: String, id: Id, actor: String) -> Result<Vec<i64>, StoreError> {
        let tombstone = self.tombstone(&site, id.as_str());
        self.writer
            .run(move |connection| {
                let id = named(connection, &site, &id)?;
                let mut statement =
                    connection.prepare_cached("SELECT seq FROM comments WHERE site = ?1 AND id = ?2")?;
                let gone: Vec<i64> = statement
                    .query_map(params![site, id.as_str()], |row| row.get(0))?
                    .collect::<Result<_, _>>()?;
                // What comes later under this name, or waits to be judged, is not taken either.
                bury(connection, &site, &tombstone)?;
                connection
                    .execute("DELETE FROM inbox WHERE site = ?1 AND id = ?2", params![site, id.as_str()])?;
                if gone.is_empty() {
                    return Ok(gone);
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
                append(
                    connection,
                    &actor,
                    "comment.delete",
                    &format!("{site}/{id}"),
                    &json!({ "site": site }),
                )?;
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
            let sql = format!(
                "SELECT {REMEMBERED} FROM comments WHERE is_current = 1 AND seq > ?1 ORDER BY seq LIMIT ?2"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![after, limit as i64])?;
            let mut remembered = Vec::new();
            while let Some(row) = rows.next()? {
                remembered.push(remember(row)?);
            }
            Ok(remembered)
        })
        .await
    }

    /// The comments that a plan has changed, as they are now.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn remembered_of_plan(&self, plan: String) -> Result<Vec<Remembered>, StoreError> {
        self.read(move |connection| {
            let sql = format!(
                "SELECT {REMEMBERED} FROM comments
                 WHERE is_current = 1 AND seq IN (SELECT comment FROM plan_changes WHERE plan = ?1)"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query([plan])?;
            let mut remembered = Vec::new();
            while let Some(row) = rows.next()? {
                remembered.push(remember(row)?);
            }
            Ok(remembered)
        })
        .await
    }

    /// Current comments after number `after` whose signature is of another canonical form than today's, and whose text is still there.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn unsigned(&self, after: i64, limit: usize) -> Result<Vec<Unsigned>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT seq, site, record FROM comments
                 WHERE is_current = 1 AND canon_version <> ?1 AND seq > ?2 AND json_extract(record, '$.text') <> '' ORDER BY seq LIMIT ?3",
            )?;
            let mut rows = statement.query(params![CANON_VERSION, after, limit as i64])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let comment = serde_json::from_str(&row.get::<_, String>("record")?)?;
                found.push(Unsigned { seq: row.get("seq")?, site: row.get("site")?, comment });
            }
            Ok(found)
        })
        .await
    }

    /// Keeps new signatures of comments, made with today's canonical form.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn sign(&self, signed: Vec<(i64, Option<Vec<u8>>)>) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| {
                let mut statement = connection
                    .prepare_cached("UPDATE comments SET sketch = ?2, canon_version = ?3 WHERE seq = ?1")?;
                for (seq, sketch) in signed {
                    statement.execute(params![seq, sketch, CANON_VERSION])?;
                }
                Ok(())
            })
            .await
    }
}

/// Number, status and decider of a current comment, by its id or another name.
pub(super) fn current(
    connection: &Connection,
    site: &str,
    id: &Id,
) -> Result<(i64, String, Option<String>), StoreError> {
    connection
        .prepare_cached(
            "SELECT seq, status, decided_by FROM comments WHERE site = ?1 AND is_current = 1
               AND id = coalesce((SELECT a.id FROM aliases a WHERE a.site = ?1 AND a.alias = ?2), ?2)",
        )?
        .query_row(params![site, id.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?
        .ok_or(StoreError::NotFound("such comment"))
}

/// The id behind another name.
fn named(connection: &Connection, site: &str, id: &Id) -> Result<Id, StoreError> {
    let found: Option<String> = connection
        .prepare_cached("SELECT id FROM aliases WHERE site = ?1 AND alias = ?2")?
        .query_row(params![site, id.as_str()], |row| row.get(0))
        .optional()?;
    Ok(found.map_or_else(|| id.clone(), Id::from))
}

fn is_deleted(connection: &Connection, site: &str, tombstone: &str) -> Result<bool, StoreError> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM deleted WHERE site = ?1 AND id = ?2")?
        .exists([site, tombstone])?)
}

/// Remembers that a comment was deleted.
pub(super) fn bury(connection: &Connection, site: &str, tombstone: &str) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO deleted (site, id, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        params![site, tombstone, now()],
    )?;
    Ok(())
}

fn text(connection: &Connection, site: &str, id: &Id) -> Result<Option<String>, StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT json_extract(record, '$.text') FROM comments WHERE site = ?1 AND id = ?2 AND is_current = 1",
        )?
        .query_row(params![site, id.as_str()], |row| row.get(0))
        .optional()?
        .flatten())
}

/// Comments of an author that people approved, less those they rejected.
fn approved(connection: &Connection, site: &str, author: &str) -> Result<i64, StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT coalesce(sum(CASE status WHEN 'published' THEN 1 WHEN 'rejected' THEN -1 ELSE 0 END), 0)
             FROM comments WHERE site = ?1 AND author = ?2 AND is_current = 1 AND decided_by IS NOT NULL",
        )?
        .query_row([site, author], |row| row.get(0))?)
}

/// The revision that a delivery repeats. One that is named by its text's hash repeats only the current text: whoever changes a text and
/// changes it back has changed it twice.
pub(super) fn known(
    connection: &Connection,
    site: &str,
    id: &str,
    revision: &str,
) -> Result<Option<Taken>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, revision, is_current FROM comments WHERE site = ?1 AND id = ?2 ORDER BY seq DESC",
    )?;
    let mut rows = statement.query([site, id])?;
    let by_text = revision.starts_with("t:");
    while let Some(row) = rows.next()? {
        let (seq, stored, is_current): (i64, String, bool) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if !is_same(&stored, revision) || (by_text && !is_current) {
            continue;
        }
        let answer: Option<String> = connection
            .prepare_cached(
                "SELECT record FROM assessments WHERE comment = ?1 AND cause = 'arrival' ORDER BY seq LIMIT 1",
            )?
            .query_row([seq], |row| row.get(0))
            .optional()?;
        let Some(answer) = answer else { continue };
        let verdict: Value = serde_json::from_str(&answer)?;
        return Ok(Some(Taken {
            seq,
            verdict: verdict.get("verdict").map_or(Ok(Verdict::Allow), Verdict::deserialize)?,
            assessment: RawValue::from_string(answer)?,
            queued: is_queued(connection, seq)?,
            fresh: false,
            replaced: None,
        }));
    }
    Ok(None)
}

/// Whether a stored revision bears a name: the same, or, where the text's hash is the name, with the number of a return to it.
fn is_same(stored: &str, revision: &str) -> bool {
    stored
        .strip_prefix(revision)
        .is_some_and(|rest| rest.is_empty() || (revision.starts_with("t:") && rest.starts_with('#')))
}

fn insert(connection: &Connection, new: &NewComment) -> Result<Taken, StoreError> {
    let comment = &new.comment;
    let mut statement = connection
        .prepare_cached("SELECT seq, revision, is_current FROM comments WHERE site = ?1 AND id = ?2")?;
    let before: Vec<(i64, String, bool)> = statement
        .query_map([new.site.as_str(), comment.id.as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<Result<_, _>>()?;
    let replaced = before.iter().find(|(_, _, is_current)| *is_current).map(|(seq, ..)| *seq);
    let is_settled = matches!(comment.status, Some(Status::Rejected | Status::Deleted));
    // An edit does not lift a rejection: unless the CMS says where it stands, it stands where it stood.
    let status = match (comment.status, replaced) {
        (Some(status), _) => word(&status),
        (None, Some(seq)) => connection
            .prepare_cached("SELECT status FROM comments WHERE seq = ?1")?
            .query_row([seq], |row| row.get(0))?,
        (None, None) => word(&Status::Published),
    };
    if let Some(seq) = replaced {
        connection.prepare_cached("UPDATE comments SET is_current = 0 WHERE seq = ?1")?.execute([seq])?;
        close_for_comment(connection, seq)?;
        close_settled_campaign(connection, seq)?;
    }
    let times_before = before.iter().filter(|(_, stored, _)| is_same(stored, &new.revision)).count();
    let revision =
        if times_before == 0 { new.revision.clone() } else { format!("{}#{times_before}", new.revision) };
    let at = now();
    connection
        .prepare_cached(
            "INSERT INTO comments (site, id, revision, is_current, thread, author, status, created_at, received_at, record,
               points, p, words, disguised, strongest_rule, abstained, sketch, canon_version, verdict, campaign, lang, because,
               is_trusted, standing_at, is_history, decided_by)
             VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)",
        )?
        .execute(params![
            new.site,
            comment.id.as_str(),
            revision,
            comment.thread().map(Id::as_str),
            comment.author_key(),
            status,
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
            new.lang,
            serde_json::to_string(&new.because)?,
            new.trusted,
            new.stamp,
            !new.queue,
            // What the CMS had settled before it told us is not ours to decide.
            is_settled.then_some("cms"),
        ])?;
    let seq = connection.last_insert_rowid();
    if new.queue && replaced.is_none() {
        let posted = comment.created_at.map_or(at, |posted| posted.timestamp_millis().min(at));
        count_hour(connection, &new.site, posted, new.verdict != Verdict::Allow)?;
    }
    add_assessment(connection, seq, "arrival", &new.assessment)?;
    if new.queue && !is_settled {
        let opening =
            Opening { verdict: new.verdict, because: &new.because, priority: new.priority, tags: &new.tags };
        if new.verdict != Verdict::Allow {
            open_for(connection, seq, &opening)?;
        } else if new.campaign.as_ref().map_or(Ok(false), |id| is_rejected(connection, &new.site, id))? {
            // Whatever it says by itself: people rejected this campaign, and here is one more of it.
            open_for(connection, seq, &Opening { verdict: Verdict::Review, because: SWEEP, ..opening })?;
        }
    }
    Ok(Taken {
        seq,
        verdict: new.verdict,
        assessment: RawValue::from_string(new.assessment.clone())?,
        queued: false,
        fresh: true,
        replaced,
    })
}

/// Counts a comment in its hour.
fn count_hour(connection: &Connection, site: &str, posted: i64, flagged: bool) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO hourly (site, hour, comments, flagged) VALUES (?1, ?2, 1, ?3)
             ON CONFLICT (site, hour) DO UPDATE SET comments = comments + 1, flagged = flagged + excluded.flagged",
        )?
        .execute(params![site, posted / 3_600_000, flagged])?;
    Ok(())
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
             WHERE a.comment = ?1 AND c.is_current = 1 AND c.standing_at < ?2 ORDER BY a.seq DESC LIMIT 1",
        )?
        .query_row([changed.seq, changed.stamp], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    // Deleted, replaced, or told of something newer meanwhile: nothing to say about it any more.
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
        .prepare_cached(
            "UPDATE comments SET verdict = ?2, campaign = ?3, because = ?4, standing_at = ?5 WHERE seq = ?1",
        )?
        .execute(params![
            changed.seq,
            word(&changed.verdict),
            changed.campaign,
            serde_json::to_string(&changed.because)?,
            changed.stamp
        ])?;
    if let Some(before) = before.filter(|before| Some(before) != changed.campaign.as_ref()) {
        // The campaign was merged into another: what people said of it goes along.
        connection
            .prepare_cached(
                "INSERT INTO campaign_states (site, campaign, decision)
                 SELECT site, ?2, decision FROM campaign_states WHERE campaign = ?1 AND ?2 IS NOT NULL ON CONFLICT DO NOTHING",
            )?
            .execute(params![before, changed.campaign])?;
        close_empty_campaign(connection, &before)?;
    }
    if decided_by.is_none() && changed.verdict != Verdict::Allow && changed.queue {
        let opening = Opening {
            verdict: changed.verdict,
            because: &changed.because,
            priority: changed.priority,
            tags: &[],
        };
        open_for(connection, changed.seq, &opening)?;
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
        trusted: row.get("is_trusted")?,
        history: row.get("is_history")?,
    })
}
