//! The queue's cards: opened, told, closed. Every change of a card raises its version, so that nobody overwrites what he
//! did not see.

use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use serde_json::{Value, json};

use super::comments::word;
use super::events::event;
use super::{json_list, new_id, now};
use crate::domain::{Because, Verdict};
use crate::store::StoreError;
use crate::store::records::{Actor, ArticleLine, CampaignCard, QueueCounts, QueueItem, Sites, Sweep};

/// Comment ids listed on a campaign's card.
const MOST_LISTED: usize = 100;
/// Why a comment comes to a campaign's card that people rejected before.
pub(super) const SWEEP: &[Because] = &[Because::Campaign];
/// Whether the comment `c` was left out of a decision about its campaign that still holds. Whoever leaves it out opens a card of its own for it, and
/// that card, open or closed, names the decision in `opened_by`; an escalation names itself there too, and leaves nothing out. Neither times nor
/// numbers would tell: a decision about one member leaves the older others undecided as well, and those are what its sweep is for.
pub(super) const LEFT_OUT: &str = "EXISTS (
  SELECT 1 FROM queue lo JOIN decisions ld ON ld.id = lo.opened_by
  WHERE lo.comment = c.seq AND ld.undone_at IS NULL AND ld.action IN ('approve', 'reject'))";

/// What a card is opened with.
#[derive(Clone, Copy)]
pub(super) struct Opening<'a> {
    /// What is proposed.
    pub(super) verdict: Verdict,
    /// Why.
    pub(super) because: &'a [Because],
    /// Order in the queue.
    pub(super) priority: f64,
    /// What it can be found by.
    pub(super) tags: &'a [String],
}

/// Opens a card for a comment, or for its campaign where the campaign is the reason; a card that is open already is brought up
/// to date. A comment on a campaign's card has none of its own; one that people left out of their decision about the campaign keeps its own.
pub(super) fn open_for(connection: &Connection, seq: i64, opening: &Opening<'_>) -> Result<(), StoreError> {
    let (site, campaign, left_out): (String, Option<String>, bool) = connection
        .prepare_cached(&format!("SELECT c.site, c.campaign, {LEFT_OUT} FROM comments c WHERE c.seq = ?1"))?
        .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let campaign = campaign.filter(|_| opening.because.contains(&Because::Campaign) && !left_out);
    if campaign.is_some() {
        close_for_comment(connection, seq)?;
    }
    let open: Option<(String, String)> = match &campaign {
        Some(campaign) => connection
            .prepare_cached("SELECT id, tags FROM queue WHERE site = ?1 AND campaign = ?2 AND is_open = 1")?
            .query_row(params![site, campaign], |row| Ok((row.get(0)?, row.get(1)?))),
        None => connection
            .prepare_cached("SELECT id, tags FROM queue WHERE comment = ?1 AND is_open = 1")?
            .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?))),
    }
    .optional()?;
    let because = serde_json::to_string(opening.because)?;
    if let Some((id, tags)) = open {
        connection
            .prepare_cached(
                "UPDATE queue SET version = version + 1, verdict = CASE 'hold' WHEN verdict THEN 'hold' ELSE ?2 END, because = ?3, priority = max(priority, ?4),
                   tags = ?5 WHERE id = ?1",
            )?
            .execute(params![
                id,
                word(&opening.verdict),
                because,
                opening.priority,
                with_tags(tags, opening.tags)
            ])?;
        return event(connection, &site, "queue.changed", &json!({ "item": id }));
    }
    let (id, kind) = (new_id(), if campaign.is_some() { "campaign" } else { "comment" });
    connection
        .prepare_cached(
            "INSERT INTO queue (id, version, kind, site, comment, campaign, verdict, because, priority, opened_at, is_open, tags)
             VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1, ?10)",
        )?
        .execute(params![
            id,
            kind,
            site,
            if campaign.is_some() { None } else { Some(seq) },
            campaign,
            word(&opening.verdict),
            because,
            opening.priority,
            now(),
            with_tags("|".to_owned(), opening.tags)
        ])?;
    event(connection, &site, "queue.opened", &json!({ "item": id, "kind": kind, "campaign": campaign }))
}

/// Adds tags that are not there yet.
fn with_tags(mut tags: String, more: &[String]) -> String {
    for tag in more {
        let tag = format!("{}|", tag.replace('|', " "));
        if !tags.contains(&format!("|{tag}")) {
            tags.push_str(&tag);
        }
    }
    tags
}

/// Closes the open cards that a condition names, and tells the watchers.
fn close(connection: &Connection, condition: &str, values: &[&dyn ToSql]) -> Result<(), StoreError> {
    let sql = format!(
        "UPDATE queue SET is_open = 0, version = version + 1 WHERE is_open = 1 AND {condition} RETURNING id, site"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let closed: Vec<(String, String)> =
        statement.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    closed.iter().try_for_each(|(id, site)| event(connection, site, "queue.closed", &json!({ "item": id })))
}

/// Closes a comment's own card.
pub(super) fn close_for_comment(connection: &Connection, seq: i64) -> Result<(), StoreError> {
    close(connection, "comment = ?1", &[&seq])
}

/// Closes the cards of a campaign that was merged into another: no comment of the card's site bears its id any more.
pub(super) fn close_empty_campaign(connection: &Connection, campaign: &str) -> Result<(), StoreError> {
    close(
        connection,
        "campaign = ?1 AND NOT EXISTS (
           SELECT 1 FROM comments c WHERE c.campaign = ?1 AND c.site = queue.site AND c.is_current = 1)",
        &[&campaign],
    )
}

/// Closes the card of a comment's campaign when nobody of the site is left on it to be decided.
pub(super) fn close_settled_campaign(connection: &Connection, seq: i64) -> Result<(), StoreError> {
    close(
        connection,
        &format!(
            "(site, campaign) = (SELECT site, campaign FROM comments WHERE seq = ?1)
             AND NOT EXISTS (SELECT 1 FROM comments c WHERE c.campaign = queue.campaign AND c.site = queue.site
                             AND c.is_current = 1 AND c.decided_by IS NULL AND NOT {LEFT_OUT})"
        ),
        &[&seq],
    )
}

/// Closes the card of a campaign of which nobody is left that would be proposed for review.
pub(super) fn close_spared_campaign(
    connection: &Connection,
    site: &str,
    campaign: &str,
) -> Result<(), StoreError> {
    close(
        connection,
        "site = ?1 AND campaign = ?2
         AND NOT EXISTS (SELECT 1 FROM comments c WHERE c.campaign = queue.campaign AND c.site = queue.site
                         AND c.is_current = 1 AND c.decided_by IS NULL AND +c.verdict <> 'allow')",
        &[&site, &campaign],
    )
}

/// Closes the own cards of a campaign's undecided comments: they stand on its card. Not what was escalated or is in somebody's hands.
pub(super) fn close_singles(connection: &Connection, site: &str, campaign: &str) -> Result<(), StoreError> {
    close(
        connection,
        &format!(
            "is_escalated = 0 AND (claimed_until IS NULL OR claimed_until <= ?3) AND comment IN (
               SELECT c.seq FROM comments c WHERE c.site = ?1 AND c.campaign = ?2 AND c.is_current = 1
                 AND c.decided_by IS NULL AND NOT {LEFT_OUT})"
        ),
        &[&site, &campaign, &now()],
    )
}

/// Closes the open card of a campaign, whoever is on it.
pub(super) fn close_campaign(connection: &Connection, site: &str, campaign: &str) -> Result<(), StoreError> {
    close(connection, "site = ?1 AND campaign = ?2", &[&site, &campaign])
}

/// Whether an undecided comment stands in the queue, by itself or on its campaign's card.
pub(super) fn is_queued(connection: &Connection, seq: i64) -> Result<bool, StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT 1 FROM comments c WHERE c.seq = ?1 AND c.decided_by IS NULL AND (
               EXISTS (SELECT 1 FROM queue q WHERE q.comment = c.seq AND q.is_open = 1)
               OR (c.campaign IS NOT NULL AND EXISTS (
                 SELECT 1 FROM queue q WHERE q.site = c.site AND q.campaign = c.campaign AND q.is_open = 1)))",
        )?
        .exists([seq])?)
}

/// Whether people's last word about a campaign was to reject it.
pub(super) fn is_rejected(connection: &Connection, site: &str, campaign: &str) -> Result<bool, StoreError> {
    Ok(sweep(connection, site, campaign)?.is_some_and(|sweep| sweep.action == "reject"))
}

fn sweep(connection: &Connection, site: &str, campaign: &str) -> Result<Option<Sweep>, StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT d.id, d.action, d.actor, d.at FROM campaign_states s JOIN decisions d ON d.id = s.decision
             WHERE s.site = ?1 AND s.campaign = ?2 AND d.undone_at IS NULL",
        )?
        .query_row([site, campaign], |row| {
            Ok(Sweep { decision: row.get(0)?, action: row.get(1)?, actor: row.get(2)?, at: row.get(3)? })
        })
        .optional()?)
}

/// A card's row.
pub(super) struct Card {
    pub(super) id: String,
    pub(super) version: i64,
    pub(super) site: String,
    pub(super) comment: Option<i64>,
    pub(super) campaign: Option<String>,
    pub(super) verdict: String,
    pub(super) because: String,
    pub(super) priority: f64,
    pub(super) is_open: bool,
    pub(super) is_escalated: bool,
    claimed_by: Option<String>,
    claimed_until: Option<i64>,
    opened_at: i64,
}

impl Card {
    pub(super) fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
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
            is_escalated: row.get("is_escalated")?,
            claimed_by: row.get("claimed_by")?,
            claimed_until: row.get("claimed_until")?,
            opened_at: row.get("opened_at")?,
        })
    }

    pub(super) fn load(connection: &Connection, sites: &Sites, id: &str) -> Result<Self, StoreError> {
        connection
            .prepare_cached("SELECT * FROM queue WHERE id = ?1")?
            .query_row([id], Self::of)
            .optional()?
            .filter(|card| sites.contains(&card.site))
            .ok_or(StoreError::NotFound("such card"))
    }

    /// Who holds the card now.
    pub(super) fn holder(&self) -> Option<&str> {
        self.claimed_by.as_deref().filter(|_| self.claimed_until.is_some_and(|until| until > now()))
    }

    /// Whether somebody else's claim keeps an actor from the card. A lead decides over the claim of a person who does not lead.
    pub(super) fn is_kept_from(&self, connection: &Connection, actor: &Actor) -> Result<bool, StoreError> {
        let Some(holder) = self.holder().filter(|holder| *holder != actor.name) else { return Ok(false) };
        let Some(name) = holder.strip_prefix("user:").filter(|_| actor.leads) else { return Ok(true) };
        let role: Option<String> = connection
            .prepare_cached("SELECT role FROM users WHERE name = ?1")?
            .query_row([name], |row| row.get(0))
            .optional()?;
        Ok(role.is_some_and(|role| matches!(role.as_str(), "lead" | "admin")))
    }

    /// The open card of the campaign that a comment's closed card went into, where nobody has decided the comment.
    fn went_into(&self, connection: &Connection) -> Result<Option<String>, StoreError> {
        let Some(seq) = self.comment.filter(|_| !self.is_open) else { return Ok(None) };
        Ok(connection
            .prepare_cached(
                "SELECT q.id FROM comments c JOIN queue q ON q.site = c.site AND q.campaign = c.campaign AND q.is_open = 1
                 WHERE c.seq = ?1 AND c.decided_by IS NULL",
            )?
            .query_row([seq], |row| row.get(0))
            .optional()?)
    }

    /// What is to be told to somebody who saw an older version.
    pub(super) fn state(&self, connection: &Connection) -> Result<Value, StoreError> {
        let decided: Option<(String, String, String)> = connection
            .prepare_cached(
                "SELECT d.id, d.action, d.actor FROM decision_items i JOIN decisions d ON d.id = i.decision
                 WHERE i.item = ?1 AND d.undone_at IS NULL ORDER BY d.at DESC LIMIT 1",
            )?
            .query_row([&self.id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let mut state = json!({
            "id": self.id,
            "version": self.version,
            "open": self.is_open,
            "claimed_by": self.holder(),
            "decision": decided.map(|(id, action, actor)| json!({ "id": id, "action": action, "actor": actor })),
        });
        if let (Some(card), Some(state)) = (self.went_into(connection)?, state.as_object_mut()) {
            state.insert("campaign_card".to_owned(), json!(card));
        }
        Ok(state)
    }

    /// The card as it is shown; of a text longer than `longest` characters the beginning.
    pub(super) fn item(
        self,
        connection: &Connection,
        longest: Option<usize>,
    ) -> Result<QueueItem, StoreError> {
        let (mut comment, mut assessment, mut status, mut article) = (None, None, None, None);
        if let Some(seq) = self.comment {
            let (record, assessed, stands): (String, String, String) = connection
                .prepare_cached(
                    "SELECT c.record, a.record, c.status FROM comments c JOIN assessments a ON a.comment = c.seq
                     WHERE c.seq = ?1 ORDER BY a.seq DESC LIMIT 1",
                )?
                .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            status = Some(stands);
            let mut record: Value = serde_json::from_str(&record)?;
            if let Some(Value::String(text)) = record.get_mut("text")
                && let Some(limit) = longest
                && let Some((at, _)) = text.char_indices().nth(limit)
            {
                text.truncate(at);
                text.push('…');
            }
            if let Some(id) = record.get("article_id").and_then(Value::as_str) {
                article = article_line(connection, &self.site, id)?;
            }
            comment = Some(record);
            assessment = Some(serde_json::from_str(&assessed)?);
        }
        let campaign = match &self.campaign {
            Some(id) => Some(campaign_card(connection, &self.site, id)?),
            None => None,
        };
        let claimed_by = self.holder().map(str::to_owned);
        Ok(QueueItem {
            article,
            status,
            claimed_until: self.claimed_until.filter(|_| claimed_by.is_some()),
            open: self.is_open,
            id: self.id,
            version: self.version,
            kind: if campaign.is_some() { "campaign" } else { "comment" }.to_owned(),
            site: self.site,
            comment,
            assessment,
            campaign,
            verdict: self.verdict,
            because: serde_json::from_str(&self.because)?,
            priority: self.priority,
            opened_at: self.opened_at,
            escalated: self.is_escalated,
            claimed_by,
        })
    }
}

/// An article's line, where the site has it.
pub(super) fn article_line(
    connection: &Connection,
    site: &str,
    id: &str,
) -> Result<Option<ArticleLine>, StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT json_extract(record, '$.title'), json_extract(record, '$.url'), json_extract(record, '$.section')
             FROM articles WHERE site = ?1 AND id = ?2",
        )?
        .query_row([site, id], |row| {
            let title: Option<String> = row.get(0)?;
            Ok(ArticleLine {
                id: id.to_owned(),
                title: title.unwrap_or_default(),
                url: row.get(1)?,
                section: row.get(2)?,
            })
        })
        .optional()?)
}

pub(super) fn campaign_card(
    connection: &Connection,
    site: &str,
    id: &str,
) -> Result<CampaignCard, StoreError> {
    let mut card = connection
        .prepare_cached(&format!(
            "SELECT count(*), coalesce(sum(c.decided_by IS NULL AND NOT {LEFT_OUT}), 0),
               coalesce(sum(c.status = 'published'), 0), count(DISTINCT c.author), count(DISTINCT c.thread),
               coalesce(min(coalesce(c.created_at, c.received_at)), 0),
               coalesce(max(coalesce(c.created_at, c.received_at)), 0)
             FROM comments c WHERE c.campaign = ?2 AND c.site = ?1 AND c.is_current = 1"
        ))?
        .query_row([site, id], |row| {
            Ok(CampaignCard {
                id: id.to_owned(),
                size: row.get(0)?,
                undecided: row.get(1)?,
                published: row.get(2)?,
                authors: row.get(3)?,
                threads: row.get(4)?,
                first_seen: row.get(5)?,
                last_seen: row.get(6)?,
                comments: Vec::new(),
                sample: String::new(),
                sweep: None,
            })
        })?;
    let mut statement = connection.prepare_cached(
        "SELECT id, json_extract(record, '$.text') FROM comments
         WHERE campaign = ?2 AND site = ?1 AND is_current = 1 ORDER BY seq LIMIT ?3",
    )?;
    let mut rows = statement.query(params![site, id, MOST_LISTED as i64])?;
    while let Some(row) = rows.next()? {
        card.comments.push(row.get(0)?);
        if card.sample.is_empty() {
            card.sample = row.get::<_, Option<String>>(1)?.unwrap_or_default();
        }
    }
    card.sweep = sweep(connection, site, id)?;
    Ok(card)
}

pub(super) fn queue_counts(connection: &Connection, sites: &Sites) -> Result<QueueCounts, StoreError> {
    let mut counts = QueueCounts::default();
    let of_sites = json_list(sites)?;
    let mut statement = connection.prepare_cached(
        "SELECT kind = 'campaign', is_escalated, cards FROM queue_totals
         WHERE ?1 IS NULL OR site IN (SELECT value FROM json_each(?1))",
    )?;
    let mut rows = statement.query([&of_sites])?;
    while let Some(row) = rows.next()? {
        let (is_campaign, is_escalated, count): (bool, bool, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        counts.all += count;
        if is_campaign {
            counts.campaigns += count;
        }
        if is_escalated {
            counts.escalated += count;
        }
    }
    counts.oldest_at = connection
        .prepare_cached(
            "SELECT min((SELECT min(q.opened_at) FROM queue q WHERE q.site = s.id AND q.is_open = 1)) FROM sites s
             WHERE ?1 IS NULL OR s.id IN (SELECT value FROM json_each(?1))",
        )?
        .query_row([&of_sites], |row| row.get(0))?;
    Ok(counts)
}
