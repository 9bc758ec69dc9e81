//! Plans of a rescoring: kept, applied in one transaction, and taken back so that comments, assessments and cards are as they were. A person's decision is
//! never touched; a plan that other words have overtaken is refused.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Map, Value, json};

use super::audit::append;
use super::cards::{Opening, close_for_comment, close_spared_campaign, is_rejected, open_for};
use super::comments::word;
use super::events::event;
use super::listing::TRUSTED;
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
    /// Keeps a plan under its id; one of that id is there already and stays. `head` is an object of JSON, each item is with the comment it is about.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when a comment of it is gone.
    pub async fn add_plan(
        &self,
        id: String,
        head: String,
        items: Vec<(i64, String)>,
        actor: String,
    ) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| {
                let added = connection.execute(
                    "INSERT INTO plans (id, head, items, actor, at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
                    params![id, head, items.len() as i64, actor, now()],
                )?;
                if added == 0 {
                    return Ok(());
                }
                let mut insert = connection.prepare_cached(
                    "INSERT INTO plan_items (plan, comment, item) SELECT ?1, seq, ?3 FROM comments WHERE seq = ?2",
                )?;
                let mut gone = 0;
                for (seq, item) in &items {
                    gone += usize::from(insert.execute(params![id, seq, item])? == 0);
                }
                if gone > 0 {
                    return Err(StoreError::Refused(format!(
                        "{gone} comments were deleted since the plan was made: rescore again"
                    )));
                }
                append(connection, &actor, "plan.add", &id, &json!({ "items": items.len() }))
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

    /// A plan with its text, without what was said of comments that are gone meanwhile.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn plan(&self, id: String) -> Result<(Plan, String), StoreError> {
        self.read(move |connection| {
            let found = connection
                .query_row("SELECT * FROM plans WHERE id = ?1", [&id], |row| {
                    Ok((plan_of(row)?, row.get::<_, String>("head")?))
                })
                .optional()?;
            let (plan, head) = found.ok_or(StoreError::NotFound("such plan"))?;
            let mut statement =
                connection.prepare_cached("SELECT item FROM plan_items WHERE plan = ?1 ORDER BY comment")?;
            let items: Vec<String> =
                statement.query_map([&id], |row| row.get(0))?.collect::<Result<_, _>>()?;
            let head = head.strip_suffix('}').unwrap_or(&head);
            Ok((plan, format!("{head},\"items\":[{}]}}", items.join(","))))
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
    campaign: Option<String>,
    standing_at: i64,
    decided: bool,
    verdict: String,
    /// Whether the CMS keeps it back until somebody decides.
    is_pending: bool,
    /// Whether its author is trusted by now.
    is_trusted: bool,
    /// The columns that a plan writes, as JSON.
    before: String,
}

/// The columns of a comment that a plan writes.
const WRITTEN: [&str; 10] = [
    "verdict",
    "campaign",
    "because",
    "standing_at",
    "points",
    "p",
    "words",
    "disguised",
    "strongest_rule",
    "abstained",
];

/// `name, value` for each column, for SQLite to make an object of.
fn as_object(columns: &[&str]) -> String {
    let parts: Vec<String> = columns.iter().map(|column| format!("'{column}', {column}")).collect();
    format!("json_object({})", parts.join(", "))
}

/// The current comment of a number, if it is the one that is meant and still has its text.
fn find(connection: &Connection, change: &Change) -> Result<Option<Found>, StoreError> {
    let sql = format!(
        "SELECT site, campaign, standing_at, decided_by IS NOT NULL, verdict, status = 'pending', {TRUSTED}, {} FROM comments
         WHERE seq = ?1 AND id = ?2 AND is_current = 1 AND has_text = 1",
        as_object(&WRITTEN)
    );
    Ok(connection
        .prepare_cached(&sql)?
        .query_row(params![change.seq, change.id.as_str()], |row| {
            Ok(Found {
                site: row.get(0)?,
                campaign: row.get(1)?,
                standing_at: row.get(2)?,
                decided: row.get(3)?,
                verdict: row.get(4)?,
                is_pending: row.get(5)?,
                is_trusted: row.get(6)?,
                before: row.get(7)?,
            })
        })
        .optional()?)
}

/// Whether a change would take a card out of somebody's hands, spare what a sweep or a plugin brought to the queue or what the CMS keeps back until
/// somebody decides, or propose what is trusted by now.
fn is_held(connection: &Connection, change: &Change, found: &Found) -> Result<bool, StoreError> {
    let in_hands = connection
        .prepare_cached(
            "SELECT 1 FROM queue WHERE id IN (SELECT id FROM queue WHERE is_open = 1 AND comment = ?1
                UNION ALL SELECT id FROM queue WHERE is_open = 1 AND site = ?2 AND campaign IN (?3, ?4))
               AND (is_escalated = 1 OR (claimed_by IS NOT NULL AND claimed_until > ?5))",
        )?
        .exists(params![change.seq, found.site, found.campaign, change.campaign, now()])?;
    if in_hands {
        return Ok(true);
    }
    if change.to != Verdict::Allow {
        return Ok(found.is_trusted);
    }
    if found.is_pending || found.verdict == "hold" {
        return Ok(true);
    }
    if let Some(campaign) = &found.campaign
        && is_rejected(connection, &found.site, campaign)?
    {
        return Ok(true);
    }
    Ok(connection
        .prepare_cached(
            "SELECT 1 FROM json_each((SELECT record FROM assessments WHERE comment = ?1 ORDER BY seq DESC LIMIT 1), '$.evidence')
             WHERE json_extract(value, '$.signal') LIKE 'plugin:%' AND json_extract(value, '$.points') > 0",
        )?
        .exists([change.seq])?)
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
    let mut left = BTreeSet::new();
    let mut stamp = chrono::Utc::now().timestamp_micros();
    for change in changes {
        let Some(found) = find(connection, change)? else {
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
        if is_held(connection, change, &found)? {
            applied.held += 1;
            continue;
        }
        stamp = stamp.max(found.standing_at) + 1;
        keep_cards(connection, id, change, &found, last_card)?;
        apply_one(connection, id, change, &found, stamp)?;
        applied.changed += 1;
        if let Some(campaign) = found.campaign {
            left.insert((found.site, campaign));
        }
    }
    if let Some(first) = stale.first() {
        return Err(StoreError::Refused(format!(
            "{} comments were changed or deleted since the plan was made, such as `{first}`: rescore again",
            stale.len()
        )));
    }
    for (site, campaign) in &left {
        close_spared_campaign(connection, site, campaign)?;
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
    tell(connection, id)?;
    append(connection, actor, "plan.apply", id, &serde_json::to_value(applied)?)?;
    Ok(applied)
}

/// Tells a running service that comments of a plan are not what it remembers.
fn tell(connection: &Connection, id: &str) -> Result<(), StoreError> {
    let mut statement = connection.prepare(
        "SELECT DISTINCT c.site FROM plan_changes p JOIN comments c ON c.seq = p.comment WHERE p.plan = ?1",
    )?;
    let sites: Vec<String> = statement.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?;
    sites.iter().try_for_each(|site| event(connection, site, "plan.changed", &json!({ "plan": id })))
}

/// Remembers the open cards that a change may touch, whole, unless another change has remembered them; not those that this plan has opened.
fn keep_cards(
    connection: &Connection,
    id: &str,
    change: &Change,
    found: &Found,
    last_card: i64,
) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO plan_cards (plan, card, before, version_after)
         SELECT ?1, id, {}, version FROM queue
         WHERE id IN (SELECT id FROM queue WHERE is_open = 1 AND comment = ?2
             UNION ALL SELECT id FROM queue WHERE is_open = 1 AND site = ?3 AND campaign IN (?4, ?5))
           AND NOT EXISTS (SELECT 1 FROM plan_cards p WHERE p.plan = ?1 AND p.card = queue.id) AND rowid <= ?6",
        as_object(&CARD)
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
        .execute(params![change.seq, now(), change.assessment])?;
    let assessment = connection.last_insert_rowid();
    connection
        .prepare_cached(
            "INSERT INTO plan_changes (plan, comment, before, standing_after, assessment) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![id, change.seq, found.before, stamp, assessment])?;
    let columns: Vec<String> =
        WRITTEN.iter().enumerate().map(|(at, column)| format!("{column} = ?{}", at + 2)).collect();
    connection
        .prepare_cached(&format!("UPDATE comments SET {} WHERE seq = ?1", columns.join(", ")))?
        .execute(params![
            change.seq,
            // What keeps a comment back is not a plan's to take.
            if found.verdict == "hold" && change.to == Verdict::Review {
                found.verdict.clone()
            } else {
                word(&change.to)
            },
            change.campaign,
            serde_json::to_string(&change.because)?,
            stamp,
            change.facts.points,
            change.facts.p,
            change.facts.words,
            change.facts.disguised,
            change.facts.strongest_rule,
            change.facts.abstained,
        ])?;
    if change.to == Verdict::Allow {
        return close_for_comment(connection, change.seq);
    }
    let Change { to: verdict, because, priority, tags, .. } = change;
    open_for(connection, change.seq, &Opening { verdict: *verdict, because, priority: *priority, tags })
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
                 WHERE p.plan = ?1 AND (q.id IS NULL OR q.version <> p.version_after
                   OR (q.claimed_by IS NOT NULL AND q.claimed_until > ?2)))",
        params![id, now()],
        |row| row.get(0),
    )?;
    if overtaken > 0 {
        return Err(StoreError::Refused(format!(
            "{overtaken} comments or cards of the plan were decided, taken or changed since: it cannot be taken back as a whole"
        )));
    }
    connection.execute(
        "DELETE FROM assessments WHERE seq IN (SELECT assessment FROM plan_changes WHERE plan = ?1)",
        [id],
    )?;
    let columns: Vec<String> =
        WRITTEN.iter().map(|column| format!("json_extract(p.before, '$.{column}')")).collect();
    let restored = connection.execute(
        &format!(
            "UPDATE comments SET ({}) = (SELECT {} FROM plan_changes p WHERE p.plan = ?1 AND p.comment = comments.seq)
             WHERE seq IN (SELECT comment FROM plan_changes WHERE plan = ?1)",
            WRITTEN.join(", "),
            columns.join(", ")
        ),
        [id],
    )?;
    put_cards_back(connection, id)?;
    connection.execute(
        "UPDATE plans SET undone_at = ?2, undone_by = ?3 WHERE id = ?1",
        params![id, now(), actor],
    )?;
    tell(connection, id)?;
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
