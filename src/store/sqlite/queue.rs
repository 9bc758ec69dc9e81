//! The queue: cards, claims, decisions, undo. Every change of a card raises its version, so that nobody overwrites what he did
//! not see; a decision, its audit entry and its callbacks are one transaction.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};

use super::audit::append;
use super::comments::{current, of_word, word};
use super::outbox::enqueue;
use super::{SqliteStore, new_id, now};
use crate::domain::{Because, Status, Verdict};
use crate::store::StoreError;
use crate::store::records::{Action, CampaignCard, Decided, NewDecision, QueueItem, Target};

/// Comment ids listed on a campaign's card.
const MOST_LISTED: usize = 100;
/// How far a skipped card falls.
const SKIP_STEP: f64 = 10.0;

/// Opens a card for a comment, or for its campaign where the campaign is the reason; a card that is open already is brought up
/// to date. A comment on a campaign's card has none of its own.
pub(super) fn open_for(
    connection: &Connection,
    seq: i64,
    verdict: Verdict,
    because: &[Because],
    priority: f64,
) -> Result<(), StoreError> {
    let (site, campaign): (String, Option<String>) = connection
        .prepare_cached("SELECT site, campaign FROM comments WHERE seq = ?1")?
        .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let campaign = campaign.filter(|_| because.contains(&Because::Campaign));
    if campaign.is_some() {
        close_for_comment(connection, seq)?;
    }
    let open: Option<String> = match &campaign {
        Some(campaign) => connection
            .prepare_cached("SELECT id FROM queue WHERE site = ?1 AND campaign = ?2 AND is_open = 1")?
            .query_row(params![site, campaign], |row| row.get(0)),
        None => connection
            .prepare_cached("SELECT id FROM queue WHERE comment = ?1 AND is_open = 1")?
            .query_row([seq], |row| row.get(0)),
    }
    .optional()?;
    if let Some(id) = open {
        connection
            .prepare_cached(
                "UPDATE queue SET version = version + 1, verdict = ?2, because = ?3, priority = max(priority, ?4) WHERE id = ?1",
            )?
            .execute(params![id, word(&verdict), serde_json::to_string(because)?, priority])?;
        return Ok(());
    }
    connection
        .prepare_cached(
            "INSERT INTO queue (id, version, kind, site, comment, campaign, verdict, because, priority, opened_at, is_open)
             VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1)",
        )?
        .execute(params![
            new_id(),
            if campaign.is_some() { "campaign" } else { "comment" },
            site,
            if campaign.is_some() { None } else { Some(seq) },
            campaign,
            word(&verdict),
            serde_json::to_string(because)?,
            priority,
            now()
        ])?;
    Ok(())
}

/// Closes a comment's own card.
pub(super) fn close_for_comment(connection: &Connection, seq: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE queue SET is_open = 0, version = version + 1 WHERE comment = ?1 AND is_open = 1",
        )?
        .execute([seq])?;
    Ok(())
}

/// Closes the cards of a campaign that was merged into another: no comment of the card's site bears its id any more.
pub(super) fn close_empty_campaign(connection: &Connection, campaign: &str) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE queue SET is_open = 0, version = version + 1 WHERE campaign = ?1 AND is_open = 1
               AND NOT EXISTS (SELECT 1 FROM comments c WHERE c.campaign = ?1 AND c.site = queue.site AND c.is_current = 1)",
        )?
        .execute([campaign])?;
    Ok(())
}

/// Closes the card of a comment's campaign when nobody of the site is left on it to be decided.
pub(super) fn close_settled_campaign(connection: &Connection, seq: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE queue SET is_open = 0, version = version + 1 WHERE is_open = 1
               AND (site, campaign) = (SELECT site, campaign FROM comments WHERE seq = ?1)
               AND NOT EXISTS (SELECT 1 FROM comments c WHERE c.campaign = queue.campaign AND c.site = queue.site
                               AND c.is_current = 1 AND c.decided_by IS NULL)",
        )?
        .execute([seq])?;
    Ok(())
}

/// Whether an undecided comment stands in the queue, by itself or on its campaign's card.
pub(super) fn is_queued(connection: &Connection, seq: i64) -> Result<bool, StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT 1 FROM comments c JOIN queue q ON q.is_open = 1 AND (q.comment = c.seq OR (q.campaign = c.campaign AND q.site = c.site))
             WHERE c.seq = ?1 AND c.decided_by IS NULL",
        )?
        .exists([seq])?)
}

/// A card's row.
struct Card {
    id: String,
    version: i64,
    site: String,
    comment: Option<i64>,
    campaign: Option<String>,
    verdict: String,
    because: String,
    priority: f64,
    is_open: bool,
    claimed_by: Option<String>,
    claimed_until: Option<i64>,
}

impl Card {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            version: row.get("version")?,
            site: row.get("site")?,
            comment: row.get("comment")?,
            campaign: row.get("campaign")?,
            verdict: row.get("verdict")?,
            because: row.get("because")?,
            priority: row.get("priority")?,
            is_open: row.get("is_open")?,
            claimed_by: row.get("claimed_by")?,
            claimed_until: row.get("claimed_until")?,
        })
    }

    fn load(connection: &Connection, site: &str, id: &str) -> Result<Self, StoreError> {
        connection
            .prepare_cached("SELECT * FROM queue WHERE id = ?1 AND site = ?2")?
            .query_row(params![id, site], Self::of)
            .optional()?
            .ok_or(StoreError::NotFound("such card"))
    }

    fn item(self, connection: &Connection) -> Result<QueueItem, StoreError> {
        let comment = match self.comment {
            Some(seq) => {
                let record: String = connection
                    .prepare_cached("SELECT record FROM comments WHERE seq = ?1")?
                    .query_row([seq], |row| row.get(0))?;
                Some(serde_json::from_str(&record)?)
            }
            None => None,
        };
        let campaign = match &self.campaign {
            Some(id) => Some(campaign_card(connection, &self.site, id)?),
            None => None,
        };
        let claimed = self.claimed_until.is_some_and(|until| until > now());
        Ok(QueueItem {
            id: self.id,
            version: self.version,
            kind: if campaign.is_some() { "campaign" } else { "comment" }.to_owned(),
            site: self.site,
            comment,
            campaign,
            verdict: self.verdict,
            because: serde_json::from_str(&self.because)?,
            priority: self.priority,
            claimed_by: self.claimed_by.filter(|_| claimed),
        })
    }
}

fn campaign_card(connection: &Connection, site: &str, id: &str) -> Result<CampaignCard, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, author, thread, record FROM comments WHERE campaign = ?2 AND site = ?1 AND is_current = 1 ORDER BY seq",
    )?;
    let mut rows = statement.query(params![site, id])?;
    let mut card = CampaignCard {
        id: id.to_owned(),
        size: 0,
        authors: 0,
        threads: 0,
        comments: Vec::new(),
        sample: String::new(),
    };
    let (mut authors, mut threads) = (BTreeSet::new(), BTreeSet::new());
    while let Some(row) = rows.next()? {
        if card.size == 0 {
            let record: Value = serde_json::from_str(&row.get::<_, String>("record")?)?;
            record.get("text").and_then(Value::as_str).unwrap_or_default().clone_into(&mut card.sample);
        }
        card.size += 1;
        if card.comments.len() < MOST_LISTED {
            card.comments.push(row.get("id")?);
        }
        authors.extend(row.get::<_, Option<String>>("author")?);
        threads.extend(row.get::<_, Option<String>>("thread")?);
    }
    (card.authors, card.threads) = (authors.len(), threads.len());
    Ok(card)
}

/// A comment that a decision changes.
struct Member {
    seq: i64,
    id: String,
    status: String,
    decided_by: Option<String>,
}

fn members(connection: &Connection, site: &str, campaign: &str) -> Result<Vec<Member>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, id, status, decided_by FROM comments
         WHERE campaign = ?2 AND site = ?1 AND is_current = 1 AND decided_by IS NULL ORDER BY seq",
    )?;
    let rows = statement.query_map(params![site, campaign], |row| {
        Ok(Member { seq: row.get(0)?, id: row.get(1)?, status: row.get(2)?, decided_by: row.get(3)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl SqliteStore {
    /// Open cards of a site, most urgent first, after the card `after` (its priority and id).
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn queue(
        &self,
        site: String,
        after: Option<(f64, String)>,
        limit: usize,
    ) -> Result<Vec<QueueItem>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT * FROM queue WHERE site = ?1 AND is_open = 1
                   AND (?2 IS NULL OR priority < ?2 OR (priority = ?2 AND id > ?3))
                 ORDER BY priority DESC, id LIMIT ?4",
            )?;
            let (priority, id) = after.map_or((None, String::new()), |(priority, id)| (Some(priority), id));
            let cards: Vec<Card> = statement
                .query_map(params![site, priority, id, limit as i64], Card::of)?
                .collect::<Result<_, _>>()?;
            cards.into_iter().map(|card| card.item(connection)).collect()
        })
        .await
    }

    /// Claims cards for a while. Returns those that are the actor's now; a card that somebody else holds is left out.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn claim(
        &self,
        site: String,
        items: Vec<String>,
        actor: String,
        lease: i64,
    ) -> Result<Vec<String>, StoreError> {
        self.writer
            .run(move |connection| {
                let mut claimed = Vec::new();
                for id in items {
                    let changed = connection
                        .prepare_cached(
                            "UPDATE queue SET claimed_by = ?3, claimed_until = ?4
                             WHERE id = ?1 AND site = ?2 AND is_open = 1
                               AND (claimed_by IS NULL OR claimed_by = ?3 OR claimed_until <= ?5)",
                        )?
                        .execute(params![id, site, actor, now() + lease, now()])?;
                    if changed == 1 {
                        claimed.push(id);
                    }
                }
                Ok(claimed)
            })
            .await
    }

    /// Takes a decision.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the card changed or was decided, [`StoreError::NotFound`] when there is none.
    pub async fn decide(&self, decision: NewDecision) -> Result<Decided, StoreError> {
        self.writer.run(move |connection| decide(connection, &decision)).await
    }

    /// Takes a decision back: every comment is as it was, the card is open again.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when it was undone before or a later decision changed one of its comments.
    pub async fn undo(&self, site: String, id: String, actor: String) -> Result<usize, StoreError> {
        self.writer.run(move |connection| undo(connection, &site, &id, &actor)).await
    }

    /// Campaigns of a site with at least two comments, largest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn campaigns(&self, site: String, limit: usize) -> Result<Vec<CampaignCard>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT campaign FROM comments WHERE site = ?1 AND campaign IS NOT NULL AND is_current = 1
                 GROUP BY campaign HAVING count(*) >= 2 ORDER BY count(*) DESC, campaign LIMIT ?2",
            )?;
            let ids: Vec<String> = statement
                .query_map(params![site, limit as i64], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            ids.iter().map(|id| campaign_card(connection, &site, id)).collect()
        })
        .await
    }

    /// One campaign of a site.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the site has no comment of it.
    pub async fn campaign(&self, site: String, id: String) -> Result<CampaignCard, StoreError> {
        self.read(move |connection| {
            let card = campaign_card(connection, &site, &id)?;
            if card.size == 0 { Err(StoreError::NotFound("such campaign")) } else { Ok(card) }
        })
        .await
    }
}

fn decide(connection: &Connection, decision: &NewDecision) -> Result<Decided, StoreError> {
    let card = find_card(connection, decision)?;
    if card.is_none()
        && let Some(version) = decision.version
    {
        // The version belongs to a card that is closed by now.
        return Err(StoreError::Conflict { version: version + 1 });
    }
    if let Some(card) = &card {
        let seen = decision.version.unwrap_or(card.version);
        if !card.is_open || seen != card.version {
            return Err(StoreError::Conflict { version: card.version });
        }
        let held = card.claimed_until.is_some_and(|until| until > now())
            && card.claimed_by.as_ref().is_some_and(|holder| *holder != decision.actor);
        if held {
            return Err(StoreError::Conflict { version: card.version });
        }
    }
    let mut members = match (&card, &decision.target) {
        (Some(Card { campaign: Some(campaign), .. }), _) | (None, Target::Campaign(campaign)) => {
            members(connection, &decision.site, campaign)?
        }
        (Some(Card { comment: Some(seq), .. }), _) => vec![member(connection, *seq)?],
        (_, Target::Comment(id)) => {
            let (seq, ..) = current(connection, &decision.site, id)?;
            vec![member(connection, seq)?]
        }
        _ => Vec::new(),
    };
    let spared: Vec<Member> =
        members.extract_if(.., |member| decision.except.iter().any(|id| id.as_str() == member.id)).collect();
    if members.is_empty() {
        return Err(StoreError::Refused("the decision would change no comment".to_owned()));
    }
    let id = new_id();
    let at = now();
    let undo_until = at + decision.undo_for;
    connection
        .prepare_cached(
            "INSERT INTO decisions (id, site, item, action, reason, note, actor, trust, at, undo_until)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'moderator', ?8, ?9)",
        )?
        .execute(params![
            id,
            decision.site,
            card.as_ref().map(|card| &card.id),
            decision.action.name(),
            decision.reason,
            decision.note,
            decision.actor,
            at,
            undo_until
        ])?;
    for member in &members {
        apply(connection, decision, &id, card.as_ref(), member)?;
    }
    if let Some(card) = &card {
        settle(connection, card, decision.action, &spared)?;
    }
    append(
        connection,
        &decision.actor,
        &format!("decision.{}", decision.action.name()),
        &id,
        &json!({
            "site": decision.site,
            "comments": members.iter().map(|m| &m.id).collect::<Vec<_>>(),
            "reason": decision.reason,
        }),
    )?;
    let until = chrono::DateTime::from_timestamp_millis(undo_until).unwrap_or_default();
    Ok(Decided { id, undo_until: until.to_rfc3339(), comments: members.len() })
}

fn find_card(connection: &Connection, decision: &NewDecision) -> Result<Option<Card>, StoreError> {
    let site = &decision.site;
    let open = |sql: &str, value: &dyn rusqlite::ToSql| {
        connection.prepare_cached(sql)?.query_row(params![site, value], Card::of).optional()
    };
    Ok(match &decision.target {
        Target::Item(id) => Some(Card::load(connection, site, id)?),
        Target::Campaign(id) => {
            open("SELECT * FROM queue WHERE site = ?1 AND campaign = ?2 AND is_open = 1", id)?
        }
        Target::Comment(id) => {
            let (seq, ..) = current(connection, site, id)?;
            open("SELECT * FROM queue WHERE site = ?1 AND comment = ?2 AND is_open = 1", &seq)?
        }
    })
}

fn member(connection: &Connection, seq: i64) -> Result<Member, StoreError> {
    Ok(connection
        .prepare_cached("SELECT seq, id, status, decided_by FROM comments WHERE seq = ?1")?
        .query_row([seq], |row| {
            Ok(Member { seq: row.get(0)?, id: row.get(1)?, status: row.get(2)?, decided_by: row.get(3)? })
        })?)
}

/// Changes one comment as decided, remembers how it was, and tells the CMS.
fn apply(
    connection: &Connection,
    decision: &NewDecision,
    id: &str,
    card: Option<&Card>,
    member: &Member,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO decision_comments (decision, comment, status_before, decided_by_before) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![id, member.seq, member.status, member.decided_by])?;
    if let Some(status) = decision.action.status() {
        connection
            .prepare_cached("UPDATE comments SET status = ?2, decided_by = ?3 WHERE seq = ?1")?
            .execute(params![member.seq, word(&status), decision.actor])?;
        close_for_comment(connection, member.seq)?;
        if card.is_none_or(|card| card.campaign.is_none()) {
            close_settled_campaign(connection, member.seq)?;
        }
    }
    if matches!(decision.action, Action::Skip) {
        return Ok(());
    }
    let because: Value = card.map_or(Ok(json!([])), |card| serde_json::from_str(&card.because))?;
    enqueue(
        connection,
        &decision.site,
        &member.id,
        "comment.decided",
        &json!({
            "decision": id,
            "site": decision.site,
            "comment": { "id": member.id, "status": decision.action.status() },
            "action": decision.action,
            "actor": decision.actor,
            "reason": decision.reason,
            "note": decision.note,
            "campaign": card.and_then(|card| card.campaign.as_ref()),
            "because": because,
        }),
    )
}

/// What becomes of the card: closed by a verdict, moved back by a skip, marked by an escalation. Spared comments of a campaign
/// get cards of their own.
fn settle(connection: &Connection, card: &Card, action: Action, spared: &[Member]) -> Result<(), StoreError> {
    let sql = match action {
        Action::Approve | Action::Reject => {
            "UPDATE queue SET is_open = 0, version = version + 1 WHERE id = ?1 AND ?2 = ?2"
        }
        Action::Skip => {
            "UPDATE queue SET priority = priority - ?2, version = version + 1, claimed_by = NULL, claimed_until = NULL WHERE id = ?1"
        }
        Action::Escalate => {
            "UPDATE queue SET is_escalated = 1, priority = priority + ?2, version = version + 1, claimed_by = NULL, claimed_until = NULL WHERE id = ?1"
        }
    };
    connection.prepare_cached(sql)?.execute(params![card.id, SKIP_STEP])?;
    if action.status().is_some() {
        let because: Vec<Because> = serde_json::from_str(&card.because)?;
        let because: Vec<Because> = because.into_iter().filter(|b| *b != Because::Campaign).collect();
        for member in spared {
            open_for(connection, member.seq, of_word(&card.verdict)?, &because, card.priority)?;
        }
    }
    Ok(())
}

fn undo(connection: &Connection, site: &str, id: &str, actor: &str) -> Result<usize, StoreError> {
    let row: Option<(Option<String>, String, Option<i64>)> = connection
        .prepare_cached("SELECT item, action, undone_at FROM decisions WHERE id = ?1 AND site = ?2")?
        .query_row(params![id, site], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let (item, action, undone_at) = row.ok_or(StoreError::NotFound("such decision"))?;
    if undone_at.is_some() {
        return Err(StoreError::Refused("the decision was undone before".to_owned()));
    }
    let action: Action = of_word(&action)?;
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
    let mut statement = connection.prepare_cached(
        "SELECT d.comment, c.id, d.status_before, d.decided_by_before FROM decision_comments d
         JOIN comments c ON c.seq = d.comment WHERE d.decision = ?1 AND c.is_current = 1 ORDER BY d.comment",
    )?;
    let mut rows = statement.query([id])?;
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
            let status: Status = of_word(&before)?;
            enqueue(
                connection,
                site,
                &comment,
                "comment.undone",
                &json!({
                    "decision": id,
                    "site": site,
                    "comment": { "id": comment, "status": status },
                    "action": action,
                    "actor": actor,
                }),
            )?;
        }
        changed += 1;
    }
    connection.execute("UPDATE decisions SET undone_at = ?2 WHERE id = ?1", params![id, now()])?;
    if let Some(item) = item.filter(|_| changed > 0) {
        // A newer card for the same thing may be open meanwhile: then that one stands.
        let sql = match action {
            Action::Approve | Action::Reject => {
                "UPDATE OR IGNORE queue SET is_open = 1, version = version + 1, claimed_by = NULL, claimed_until = NULL WHERE id = ?1 AND ?2 = ?2"
            }
            Action::Skip => {
                "UPDATE queue SET priority = priority + ?2, version = version + 1 WHERE id = ?1 AND is_open = 1"
            }
            Action::Escalate => {
                "UPDATE queue SET priority = priority - ?2, is_escalated = 0, version = version + 1 WHERE id = ?1 AND is_open = 1"
            }
        };
        connection.execute(sql, params![item, SKIP_STEP])?;
    }
    append(connection, actor, "decision.undo", id, &json!({ "site": site, "comments": changed }))?;
    Ok(changed)
}
