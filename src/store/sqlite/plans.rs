//! Plans of a rescoring: kept, applied in one transaction, and taken back so that comments, assessments and cards are as they were. A person's decision is
//! never touched; a plan that other words have overtaken is refused.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Map, Value, json};

use super::audit::append;
use super::cards::{Opening, close_for_comment, open_for};
use super::comments::word;
use super::events::event;
use super::{SqliteStore, now};
use crate::domain::Verdict;
use crate::store::StoreError;
use crate::store::records::{Applied, Change, Plan};

/// Columns of a card, in the order in which one is put back.
const CARD: [&str; 16] = [
    "id",
    "version",
    "kind",
    "site",
    "comment",
    "campaign",
    "verdict",
    "because",
    "priority",
    "opened_at",
    "is_open",
    "is_escalated",
    "claimed_by",
    "claimed_until",
    "tags",
    "opened_by",
];

fn plan_of(row: &Row<'_>) -> rusqlite::Result<Plan> {
    Ok(Plan {
        id: row.get("id")?,
        items: row.get("items")?,
        actor: row.get("actor")?,
        at: row.get("at")?,
        applied_at: row.get("applied_at")?,
        applied_by: row.get("applied_by")?,
        undone_at: row.get("undone_at")?,
    })
}

impl SqliteStore {
    /// Keeps a plan under its id; one of that id is there already and stays.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn add_plan(
        &self,
        id: String,
        text: String,
        items: usize,
        actor: String,
    ) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| {
                let added = connection.execute(
                    "INSERT INTO plans (id, text, items, actor, at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
                    params![id, text, items as i64, actor, now()],
                )?;
                if added == 0 {
                    return Ok(());
                }
                append(connection, &actor, "plan.add", &id, &json!({ "items": items }))
            })
            .await
    }

    /// All plans, the newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn plans(&self) -> Result<Vec<Plan>, StoreError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT * FROM plans ORDER BY at DESC, id LIMIT 100")?;
            let rows = statement.query_map([], plan_of)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// A plan with its text.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn plan(&self, id: String) -> Result<(Plan, String), StoreError> {
        self.read(move |connection| {
            connection
                .query_row("SELECT * FROM plans WHERE id = ?1", [&id], |row| {
                    Ok((plan_of(row)?, row.get("text")?))
                })
                .optional()?
                .ok_or(StoreError::NotFound("such plan"))
        })
        .await
    }

    /// Applies a plan that is kept: all of it or nothing.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when it was applied already, or when something else was said of one of its comments since it was made.
    pub async fn apply_plan(
        &self,
        id: String,
        changes: Vec<Change>,
        actor: String,
    ) -> Result<Applied, StoreError> {
        self.writer.run(move |connection| apply(connection, &id, &changes, &actor)).await
    }

    /// Takes an applied plan back. Returns how many comments are as they were.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when it is not applied, or when a comment or a card of it was changed since.
    pub async fn undo_plan(&self, id: String, actor: String) -> Result<usize, StoreError> {
        self.writer.run(move |connection| undo(connection, &id, &actor)).await
    }
}

fn load(connection: &Connection, id: &str) -> Result<Plan, StoreError> {
    connection
        .query_row("SELECT * FROM plans WHERE id = ?1", [id], plan_of)
        .optional()?
        .ok_or(StoreError::NotFound("such plan"))
}

/// A comment as a plan finds it.
struct Found {
    site: String,
    verdict: String,
    campaign: Option<String>,
    because: String,
    standing_at: i64,
    decided: bool,
}

fn find(connection: &Connection, seq: i64) -> Result<Option<Found>, StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT site, verdict, campaign, because, standing_at, decided_by IS NOT NULL AS decided FROM comments
             WHERE seq = ?1 AND is_current = 1",
        )?
        .query_row([seq], |row| {
            Ok(Found {
                site: row.get(0)?,
                verdict: row.get(1)?,
                campaign: row.get(2)?,
                because: row.get(3)?,
                standing_at: row.get(4)?,
                decided: row.get(5)?,
            })
        })
        .optional()?)
}

fn apply(connection: &Connection, id: &str, changes: &[Change], actor: &str) -> Result<Applied, StoreError> {
    let plan = load(connection, id)?;
    if plan.applied_at.is_some() && plan.undone_at.is_none() {
        return Err(StoreError::Refused("the plan is applied already".to_owned()));
    }
    // What was taken back can be applied again.
    connection.execute("DELETE FROM plan_changes WHERE plan = ?1", [id])?;
    connection.execute("DELETE FROM plan_cards WHERE plan = ?1", [id])?;
    let last_card: i64 =
        connection.query_row("SELECT coalesce(max(rowid), 0) FROM queue", [], |row| row.get(0))?;
    let mut applied = Applied::default();
    let mut stale = Vec::new();
    let mut stamp = chrono::Utc::now().timestamp_micros();
    for change in changes {
        let Some(found) = find(connection, change.seq)? else {
            stale.push(change.id.to_string());
            continue;
        };
        if found.decided {
            applied.decided += 1;
            continue;
        }
        if found.standing_at != change.standing_at {
            stale.push(change.id.to_string());
            continue;
        }
        stamp = stamp.max(found.standing_at) + 1;
        keep_cards(connection, id, change, &found, last_card)?;
        apply_one(connection, id, change, &found, stamp)?;
        applied.changed += 1;
    }
    if let Some(first) = stale.first() {
        return Err(StoreError::Refused(format!(
            "{} comments were changed or deleted since the plan was made, such as `{first}`: rescore again",
            stale.len()
        )));
    }
    applied.opened = connection.execute(
        "INSERT INTO plan_cards (plan, card, before, version_after)
         SELECT ?1, id, NULL, version FROM queue WHERE rowid > ?2",
        params![id, last_card],
    )?;
    connection.execute(
        "UPDATE plan_cards SET version_after = (SELECT version FROM queue q WHERE q.id = plan_cards.card) WHERE plan = ?1",
        [id],
    )?;
    applied.closed = connection.query_row(
        "SELECT count(*) FROM plan_cards p JOIN queue q ON q.id = p.card
         WHERE p.plan = ?1 AND json_extract(p.before, '$.is_open') = 1 AND q.is_open = 0",
        [id],
        |row| row.get::<_, i64>(0),
    )? as usize;
    connection.execute(
        "UPDATE plans SET applied_at = ?2, applied_by = ?3, undone_at = NULL, undone_by = NULL WHERE id = ?1",
        params![id, now(), actor],
    )?;
    append(connection, actor, "plan.apply", id, &serde_json::to_value(applied)?)?;
    Ok(applied)
}

/// Remembers the open cards that a change may touch, whole, unless another change has remembered them; not those that this plan has opened.
fn keep_cards(
    connection: &Connection,
    id: &str,
    change: &Change,
    found: &Found,
    last_card: i64,
) -> Result<(), StoreError> {
    let parts: Vec<String> = CARD.iter().map(|column| format!("'{column}', {column}")).collect();
    let sql = format!(
        "INSERT INTO plan_cards (plan, card, before, version_after)
         SELECT ?1, id, json_object({}), version FROM queue
         WHERE is_open = 1 AND (comment = ?2 OR (site = ?3 AND campaign IN (?4, ?5)))
           AND NOT EXISTS (SELECT 1 FROM plan_cards p WHERE p.plan = ?1 AND p.card = queue.id) AND rowid <= ?6",
        parts.join(", ")
    );
    connection.prepare_cached(&sql)?.execute(params![
        id,
        change.seq,
        found.site,
        found.campaign,
        change.campaign,
        last_card
    ])?;
    Ok(())
}

fn apply_one(
    connection: &Connection,
    id: &str,
    change: &Change,
    found: &Found,
    stamp: i64,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT INTO assessments (comment, at, cause, record) VALUES (?1, ?2, 'plan', ?3)")?
        .execute(params![change.seq, now(), change.assessment.to_string()])?;
    let assessment = connection.last_insert_rowid();
    connection
        .prepare_cached(
            "INSERT INTO plan_changes (plan, comment, verdict, campaign, because, standing_at, standing_after, assessment)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            id,
            change.seq,
            found.verdict,
            found.campaign,
            found.because,
            found.standing_at,
            stamp,
            assessment
        ])?;
    let campaign = change.campaign.as_ref().or(found.campaign.as_ref());
    connection
        .prepare_cached(
            "UPDATE comments SET verdict = ?2, campaign = ?3, because = ?4, standing_at = ?5 WHERE seq = ?1",
        )?
        .execute(params![
            change.seq,
            word(&change.to),
            campaign,
            serde_json::to_string(&change.because)?,
            stamp
        ])?;
    if change.to == Verdict::Allow {
        return close_for_comment(connection, change.seq);
    }
    let opening =
        Opening { verdict: change.to, because: &change.because, priority: change.priority, tags: &[] };
    open_for(connection, change.seq, &opening)
}

fn undo(connection: &Connection, id: &str, actor: &str) -> Result<usize, StoreError> {
    let plan = load(connection, id)?;
    if plan.applied_at.is_none() || plan.undone_at.is_some() {
        return Err(StoreError::Refused("the plan is not applied".to_owned()));
    }
    let overtaken: i64 = connection.query_row(
        "SELECT (SELECT count(*) FROM plan_changes p LEFT JOIN comments c ON c.seq = p.comment AND c.is_current = 1
                 WHERE p.plan = ?1 AND (c.seq IS NULL OR c.standing_at <> p.standing_after OR c.decided_by IS NOT NULL))
              + (SELECT count(*) FROM plan_cards p LEFT JOIN queue q ON q.id = p.card
                 WHERE p.plan = ?1 AND (q.id IS NULL OR q.version <> p.version_after))",
        [id],
        |row| row.get(0),
    )?;
    if overtaken > 0 {
        return Err(StoreError::Refused(format!(
            "{overtaken} comments or cards of the plan were decided or changed since: it cannot be taken back as a whole"
        )));
    }
    connection.execute(
        "DELETE FROM assessments WHERE seq IN (SELECT assessment FROM plan_changes WHERE plan = ?1)",
        [id],
    )?;
    let restored = connection.execute(
        "UPDATE comments SET (verdict, campaign, because, standing_at) =
           (SELECT p.verdict, p.campaign, p.because, p.standing_at FROM plan_changes p WHERE p.plan = ?1 AND p.comment = comments.seq)
         WHERE seq IN (SELECT comment FROM plan_changes WHERE plan = ?1)",
        [id],
    )?;
    put_cards_back(connection, id)?;
    connection.execute(
        "UPDATE plans SET undone_at = ?2, undone_by = ?3 WHERE id = ?1",
        params![id, now(), actor],
    )?;
    append(connection, actor, "plan.undo", id, &json!({ "comments": restored }))?;
    Ok(restored)
}

/// Removes the cards that a plan opened, and makes the others what they were.
fn put_cards_back(connection: &Connection, id: &str) -> Result<(), StoreError> {
    let mut statement = connection.prepare("SELECT card, before FROM plan_cards WHERE plan = ?1")?;
    let cards: Vec<(String, Option<String>)> =
        statement.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    let site_of = |card: &str| -> Result<String, StoreError> {
        Ok(connection.query_row("SELECT site FROM queue WHERE id = ?1", [card], |row| row.get(0))?)
    };
    // Those that were opened first: two open cards of one campaign must not meet.
    for (card, _) in cards.iter().filter(|(_, before)| before.is_none()) {
        let site = site_of(card)?;
        connection.execute("DELETE FROM queue WHERE id = ?1", [card])?;
        event(connection, &site, "queue.closed", &json!({ "item": card }))?;
    }
    let columns: Vec<String> =
        CARD.iter().map(|column| format!("{column} = json_extract(?2, '$.{column}')")).collect();
    let sql = format!("UPDATE queue SET {} WHERE id = ?1", columns.join(", "));
    for (card, before) in &cards {
        let Some(before) = before else { continue };
        let row: Map<String, Value> = serde_json::from_str(before)?;
        connection.execute(&sql, params![card, before])?;
        let is_open = row.get("is_open").and_then(Value::as_i64) == Some(1);
        let kind = if is_open { "queue.opened" } else { "queue.closed" };
        event(connection, &site_of(card)?, kind, &json!({ "item": card }))?;
    }
    Ok(())
}
