//! Undo: every comment of a decision is as it was, its cards are back, and the CMS is told, in one transaction.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::json;

use super::SqliteStore;
use super::audit::append;
use super::cards::{LEFT_OUT, Opening, is_queued, open_for};
use super::comments::of_word;
use super::decisions::{Member, SKIP_STEP, past_decision};
use super::events::event;
use super::now;
use super::outbox::enqueue;
use crate::domain::{Because, Status, Verdict};
use crate::store::StoreError;
use crate::store::records::{Action, Actor, PastDecision, Sites, Undone};

impl SqliteStore {
    /// Takes a decision back: every comment is as it was, the cards are open again. Returns the number of comments, and the open cards on which they
    /// stand now, which may be others than before.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when it was undone before or a later decision changed one of its comments; [`StoreError::Forbidden`] when it
    /// is somebody else's or its time is over, and the actor does not lead.
    pub async fn undo(&self, sites: Sites, id: String, actor: Actor) -> Result<Undone, StoreError> {
        self.writer.run(move |connection| undo(connection, &sites, &id, &actor)).await
    }
}

/// The open cards on which the comments of a decision stand.
fn cards_of(connection: &Connection, id: &str) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT q.id FROM decision_comments d JOIN queue q ON q.comment = d.comment AND q.is_open = 1 WHERE d.decision = ?1
         UNION
         SELECT q.id FROM decision_comments d JOIN comments c ON c.seq = d.comment AND c.decided_by IS NULL
         JOIN queue q ON q.site = c.site AND q.campaign = c.campaign AND q.is_open = 1 WHERE d.decision = ?1",
    )?;
    Ok(statement.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

fn undo(connection: &Connection, sites: &Sites, id: &str, actor: &Actor) -> Result<Undone, StoreError> {
    let mut statement = connection.prepare_cached("SELECT *, 0 AS size FROM decisions WHERE id = ?1")?;
    let past = statement.query_row([id], past_decision).optional()?;
    let past = past.filter(|past| sites.contains(&past.site)).ok_or(StoreError::NotFound("such decision"))?;
    if past.undone_at.is_some() {
        return Err(StoreError::Refused("the decision was undone before".to_owned()));
    }
    if !actor.leads && past.actor != actor.name {
        return Err(StoreError::Forbidden("somebody else took this decision: a lead can undo it".to_owned()));
    }
    let is_over = chrono::DateTime::parse_from_rfc3339(&past.undo_until)
        .is_ok_and(|until| until.timestamp_millis() < now());
    if !actor.leads && is_over {
        return Err(StoreError::Forbidden("the time to undo it is over: a lead still can".to_owned()));
    }
    let action: Action = of_word(&past.action)?;
    let overtaken: Option<String> = connection
        .prepare_cached(
            "SELECT c.id FROM decision_comments mine
             JOIN decisions m ON m.id = mine.decision
             JOIN decision_comments other ON other.comment = mine.comment AND other.decision <> mine.decision
             JOIN decisions d ON d.id = other.decision AND d.undone_at IS NULL AND d.rowid > m.rowid
             JOIN comments c ON c.seq = mine.comment WHERE mine.decision = ?1 LIMIT 1",
        )?
        .query_row([id], |row| row.get(0))
        .optional()?;
    if let Some(comment) = overtaken {
        return Err(StoreError::Refused(format!(
            "comment `{comment}` was decided again since: undo that first"
        )));
    }
    let changed = restore(connection, &past, action, actor)?;
    connection.execute("UPDATE decisions SET undone_at = ?2 WHERE id = ?1", params![id, now()])?;
    connection.execute("DELETE FROM campaign_states WHERE decision = ?1", [id])?;
    if changed > 0 {
        reopen(connection, id, action)?;
    }
    let items = cards_of(connection, id)?;
    event(
        connection,
        &past.site,
        "decision.undone",
        &json!({ "decision": id, "actor": actor.name, "comments": changed, "items": items }),
    )?;
    append(connection, &actor.name, "decision.undo", id, &json!({ "site": past.site, "comments": changed }))?;
    Ok(Undone { comments: changed, items })
}

/// Puts the cards of an undone decision back: where they stood, and for comments that nobody has decided now and that have none, a card anew.
fn reopen(connection: &Connection, id: &str, action: Action) -> Result<(), StoreError> {
    // A sweep that the decision proposed is proposed no more; its comments stand by themselves again. Those that it left out of a campaign go
    // back to the campaign's card, unless somebody has escalated them since.
    let mut statement = connection.prepare_cached(
        "UPDATE queue SET is_open = 0, version = version + 1 WHERE opened_by = ?1 AND is_open = 1
           AND (comment IS NULL OR is_escalated = 0 OR (SELECT d.action FROM decisions d WHERE d.id = ?1) = 'escalate')
         RETURNING id, site, campaign",
    )?;
    let swept: Vec<(String, String, Option<String>)> = statement
        .query_map([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    for (item, site, campaign) in &swept {
        event(connection, site, "queue.closed", &json!({ "item": item }))?;
        let Some(campaign) = campaign else { continue };
        for member in Member::of_campaign(connection, site, campaign)? {
            let because: Vec<Because> = serde_json::from_str(&member.because)?;
            let by_itself: Vec<Because> = because.into_iter().filter(|b| *b != Because::Campaign).collect();
            if !by_itself.is_empty() {
                let opening =
                    Opening { verdict: Verdict::Review, because: &by_itself, priority: 0.0, tags: &[] };
                open_for(connection, member.seq, &opening)?;
            }
        }
    }
    let of_decision = "id IN (SELECT item FROM decision_items WHERE decision = ?1)";
    let sql = match action {
        // A newer card for the same thing may be open meanwhile: then that one stands. A campaign that was merged into another has no
        // card of its own any more.
        Action::Approve | Action::Reject => {
            "UPDATE OR IGNORE queue SET is_open = 1, version = version + 1, claimed_by = NULL, claimed_until = NULL
             WHERE ?2 = ?2 AND (EXISTS (
               SELECT 1 FROM comments c JOIN assessments a ON a.comment = c.seq WHERE c.seq = queue.comment AND c.is_current = 1)
               OR EXISTS (
               SELECT 1 FROM comments c WHERE c.campaign = queue.campaign AND c.site = queue.site AND c.is_current = 1
                 AND c.decided_by IS NULL))"
        }
        Action::Skip => "UPDATE queue SET priority = priority + ?2, version = version + 1 WHERE is_open = 1",
        Action::Escalate => {
            "UPDATE queue SET priority = priority - ?2, is_escalated = 0, version = version + 1 WHERE is_open = 1"
        }
    };
    connection.execute(&format!("{sql} AND {of_decision}"), params![id, SKIP_STEP])?;
    let mut statement = connection.prepare_cached(
        "SELECT q.id, q.site FROM queue q JOIN decision_items i ON i.item = q.id WHERE i.decision = ?1 AND q.is_open = 1",
    )?;
    let reopened: Vec<(String, String)> =
        statement.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    for (item, site) in &reopened {
        event(connection, site, "queue.opened", &json!({ "item": item }))?;
    }
    if action.status().is_none() {
        return Ok(());
    }
    // Those that a campaign's decision spared stand on its card again; not those that another decision, which still holds, left out of it.
    let mut statement = connection.prepare_cached(&format!(
        "UPDATE queue SET is_open = 0, version = version + 1
         WHERE is_open = 1 AND is_escalated = 0 AND comment IN (
           SELECT c.seq FROM comments c JOIN queue q ON q.campaign = c.campaign AND q.site = c.site AND q.is_open = 1
           JOIN decision_items i ON i.item = q.id WHERE i.decision = ?1 AND c.is_current = 1 AND NOT {LEFT_OUT})
         RETURNING id, site"
    ))?;
    let returned: Vec<(String, String)> =
        statement.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    for (item, site) in &returned {
        event(connection, site, "queue.closed", &json!({ "item": item }))?;
    }
    let mut statement = connection.prepare_cached(
        "SELECT c.seq, c.verdict, c.because, c.p FROM decision_comments d JOIN comments c ON c.seq = d.comment
         WHERE d.decision = ?1 AND c.is_current = 1 AND c.decided_by IS NULL AND c.verdict <> 'allow' ORDER BY c.seq",
    )?;
    let mut rows = statement.query([id])?;
    while let Some(row) = rows.next()? {
        let seq: i64 = row.get(0)?;
        if is_queued(connection, seq)? {
            continue;
        }
        let because: Vec<Because> = serde_json::from_str(&row.get::<_, String>(2)?)?;
        let opening = Opening {
            verdict: of_word(&row.get::<_, String>(1)?)?,
            because: &because,
            priority: (-row.get::<_, f64>(3)?.log10()).min(12.0),
            tags: &[],
        };
        open_for(connection, seq, &opening)?;
    }
    Ok(())
}

/// Puts every comment of a decision back as it was, and tells the CMS.
fn restore(
    connection: &Connection,
    past: &PastDecision,
    action: Action,
    actor: &Actor,
) -> Result<usize, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT d.comment, c.id, d.status_before, d.decided_by_before FROM decision_comments d
         JOIN comments c ON c.seq = d.comment WHERE d.decision = ?1 AND c.is_current = 1
           AND EXISTS (SELECT 1 FROM assessments a WHERE a.comment = c.seq) ORDER BY d.comment",
    )?;
    let mut rows = statement.query([&past.id])?;
    let mut changed = 0;
    while let Some(row) = rows.next()? {
        let (seq, comment): (i64, String) = (row.get(0)?, row.get(1)?);
        let (before, decided_before): (String, Option<String>) = (row.get(2)?, row.get(3)?);
        if action.status().is_some() {
            connection
                .prepare_cached("UPDATE comments SET status = ?2, decided_by = ?3 WHERE seq = ?1")?
                .execute(params![seq, before, decided_before])?;
        }
        if action != Action::Skip {
            // An escalation changed nothing about the comment, so there is nothing to put back.
            let status: Option<Status> = action.status().map(|_| of_word(&before)).transpose()?;
            enqueue(
                connection,
                &past.site,
                &comment,
                "comment.undone",
                &json!({
                    "decision": past.id,
                    "site": past.site,
                    "comment": { "id": comment, "status": status },
                    "action": action,
                    "actor": actor.name,
                }),
            )?;
        }
        changed += 1;
    }
    Ok(changed)
}
