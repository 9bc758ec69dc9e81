//! The queue's cards: opened, found, claimed, closed. Every change of a card raises its version, so that nobody overwrites what he
//! did not see.

use rusqlite::{Connection, OptionalExtension, Row, ToSql, params, params_from_iter};
use serde_json::{Value, json};

use super::comments::word;
use super::events::event;
use super::{SqliteStore, json_list, new_id, now};
use crate::domain::{Because, Verdict};
use crate::store::StoreError;
use crate::store::records::{
    Actor, ArticleLine, CampaignCard, Order, QueueCounts, QueueFilter, QueueItem, Sites, Sweep,
};

/// Characters of a text that a list shows.
const LONGEST_SHOWN: usize = 10_000;
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
    fn item(self, connection: &Connection, longest: Option<usize>) -> Result<QueueItem, StoreError> {
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

/// Values of a statement.
type Values = Vec<Box<dyn ToSql>>;

/// A filter as the conditions of a query over `queue q`, with their values.
fn conditions(sites: &Sites, filter: &QueueFilter) -> Result<(Vec<String>, Values), StoreError> {
    let mut all = vec!["q.is_open = 1".to_owned()];
    let mut values: Values = Vec::new();
    let add = |values: &mut Values, value: Box<dyn ToSql>| {
        values.push(value);
        values.len()
    };
    match sites {
        Sites::All => {}
        Sites::Only(sites) if sites.len() == 1 => {
            let at = add(&mut values, Box::new(sites.first().cloned()));
            all.push(format!("q.site = ?{at}"));
        }
        several @ Sites::Only(_) => {
            let at = add(&mut values, Box::new(json_list(several)?));
            all.push(format!("q.site IN (SELECT value FROM json_each(?{at}))"));
        }
    }
    for (column, value) in [("site", &filter.site), ("campaign", &filter.campaign)] {
        if let Some(value) = value {
            let at = add(&mut values, Box::new(value.clone()));
            all.push(format!("q.{column} = ?{at}"));
        }
    }
    for (tag, value) in [
        ("section", &filter.section),
        ("signal", &filter.signal),
        ("rule", &filter.rule),
        ("lang", &filter.lang),
    ] {
        if let Some(value) = value {
            let at = add(&mut values, Box::new(format!("|{tag}:{}|", value.replace('|', " "))));
            all.push(format!("instr(q.tags, ?{at}) > 0"));
        }
    }
    if let Some(because) = &filter.because {
        let at = add(&mut values, Box::new(serde_json::to_string(because)?));
        all.push(format!("instr(q.because, ?{at}) > 0"));
    }
    // Written out, for what has few values: so the small indexes of the short queues are found.
    if let Some(escalated) = filter.escalated {
        all.push(format!("q.is_escalated = {}", i64::from(escalated)));
    }
    for (column, value, known) in
        [("kind", &filter.kind, ["comment", "campaign"]), ("verdict", &filter.verdict, ["review", "hold"])]
    {
        if let Some(value) = value {
            let known = known.into_iter().find(|known| known == value).unwrap_or("");
            all.push(format!("q.{column} = '{known}'"));
        }
    }
    for (operator, value) in [(">=", filter.from), ("<", filter.until)] {
        if let Some(value) = value {
            let at = add(&mut values, Box::new(value));
            all.push(format!("q.opened_at {operator} ?{at}"));
        }
    }
    let mut of_comment = Vec::new();
    for (column, value) in [("c.status = ?", &filter.status), ("c.author = ?", &filter.author)] {
        if let Some(value) = value {
            let at = add(&mut values, Box::new(value.clone()));
            of_comment.push(format!("{column}{at}"));
        }
    }
    for (operator, value) in [("<=", filter.one_in_from), (">", filter.one_in_until)] {
        if let Some(value) = value {
            let at = add(&mut values, Box::new(1.0 / value.max(1.0)));
            of_comment.push(format!("c.p {operator} ?{at}"));
            all.push("q.comment IS NOT NULL".to_owned());
        }
    }
    if let Some(text) = &filter.text {
        let at = add(&mut values, Box::new(text.to_lowercase()));
        of_comment.push(format!("instr(lower_case(json_extract(c.record, '$.text')), ?{at}) > 0"));
    }
    if !of_comment.is_empty() {
        let wanted = of_comment.join(" AND ");
        all.push(format!(
            "((q.comment IS NOT NULL AND EXISTS (SELECT 1 FROM comments c WHERE c.seq = q.comment AND {wanted}))
              OR (q.campaign IS NOT NULL AND EXISTS (
                SELECT 1 FROM comments c WHERE c.campaign = q.campaign AND c.site = q.site AND c.is_current = 1 AND {wanted})))"
        ));
    }
    Ok((all, values))
}

/// How the cards are gone through in an order: by a column that an index has, falling or rising, and then by their ids.
#[derive(Clone, Copy)]
struct Walk {
    column: &'static str,
    falls: bool,
}

impl Walk {
    fn new(order: Order) -> Self {
        match order {
            Order::Urgent => Self { column: "q.priority", falls: true },
            Order::Newest => Self { column: "q.opened_at", falls: true },
            Order::Oldest => Self { column: "q.opened_at", falls: false },
        }
    }

    /// The column's value of a card of this rank.
    fn value(self, rank: f64) -> f64 {
        if self.falls { rank } else { -rank }
    }

    fn order(self) -> String {
        format!("{} {}, q.id", self.column, if self.falls { "DESC" } else { "ASC" })
    }

    fn backwards(self) -> String {
        format!("{} {}, q.id DESC", self.column, if self.falls { "ASC" } else { "DESC" })
    }

    /// What comes after a card whose value and id are these parameters.
    fn after(self, value: usize, id: usize) -> String {
        let (column, further) = (self.column, if self.falls { "<" } else { ">" });
        format!("({column} {further} ?{value} OR ({column} = ?{value} AND q.id > ?{id}))")
    }

    fn before(self, value: usize, id: usize) -> String {
        let (column, nearer) = (self.column, if self.falls { ">" } else { "<" });
        format!("({column} {nearer} ?{value} OR ({column} = ?{value} AND q.id < ?{id}))")
    }
}

impl SqliteStore {
    /// Open cards of some sites that fit a filter, in its order, after the card `after` (its rank and id).
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn queue(
        &self,
        sites: Sites,
        filter: QueueFilter,
        after: Option<(f64, String)>,
        limit: usize,
    ) -> Result<Vec<QueueItem>, StoreError> {
        self.read(move |connection| {
            let (mut all, mut values) = conditions(&sites, &filter)?;
            let walk = Walk::new(filter.order.unwrap_or_default());
            if let Some((rank, id)) = after {
                values.push(Box::new(walk.value(rank)));
                values.push(Box::new(id));
                all.push(walk.after(values.len() - 1, values.len()));
            }
            let sql = format!(
                "SELECT q.* FROM queue q WHERE {} ORDER BY {} LIMIT {limit}",
                all.join(" AND "),
                walk.order()
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let cards: Vec<Card> =
                statement.query_map(params_from_iter(values), Card::of)?.collect::<Result<_, _>>()?;
            let items = cards.into_iter().map(|card| card.item(connection, Some(LONGEST_SHOWN)));
            // A card whose comment is gone must not hide the others.
            items.filter(|item| !matches!(item, Err(StoreError::NotFound(_)))).collect()
        })
        .await
    }

    /// An open card, if it fits a filter.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn fitting(
        &self,
        sites: Sites,
        filter: QueueFilter,
        id: String,
    ) -> Result<Option<QueueItem>, StoreError> {
        self.read(move |connection| {
            let (mut all, mut values) = conditions(&sites, &filter)?;
            values.push(Box::new(id));
            all.push(format!("q.id = ?{}", values.len()));
            let sql = format!("SELECT q.* FROM queue q WHERE {}", all.join(" AND "));
            let mut statement = connection.prepare_cached(&sql)?;
            let card = statement.query_row(params_from_iter(values), Card::of).optional()?;
            card.map(|card| card.item(connection, Some(LONGEST_SHOWN))).transpose()
        })
        .await
    }

    /// The comments on open cards that fit a filter and are free for somebody to decide: card, version, and how rare the text is, as -log10 p.
    /// Most urgent first, at most `limit`; campaigns are left out.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn free_cards(
        &self,
        sites: Sites,
        filter: QueueFilter,
        actor: Actor,
        limit: usize,
    ) -> Result<Vec<(String, i64, f64)>, StoreError> {
        self.read(move |connection| {
            let (mut all, mut values) = conditions(&sites, &filter)?;
            values.push(Box::new(now()));
            values.push(Box::new(actor.name));
            let (at, me) = (values.len() - 1, values.len());
            all.push(format!(
                "(q.claimed_until IS NULL OR q.claimed_until <= ?{at} OR q.claimed_by = ?{me})"
            ));
            if !actor.leads {
                all.push("q.is_escalated = 0".to_owned());
            }
            let sql = format!(
                "SELECT q.id, q.version, k.p FROM queue q JOIN comments k ON k.seq = q.comment WHERE {}
                 ORDER BY q.priority DESC, q.id LIMIT {limit}",
                all.join(" AND ")
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map(params_from_iter(values), |row| {
                Ok((row.get(0)?, row.get(1)?, -row.get::<_, f64>(2)?.max(1e-300).log10()))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Counts of open cards for the names of the queues.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn queue_counts(&self, sites: Sites) -> Result<QueueCounts, StoreError> {
        self.read(move |connection| queue_counts(connection, &sites)).await
    }

    /// One card, open or closed.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn card(&self, sites: Sites, id: String) -> Result<QueueItem, StoreError> {
        self.read(move |connection| Card::load(connection, &sites, &id)?.item(connection, None)).await
    }

    /// Claims cards for a while. Returns those that are the actor's now. What somebody else holds is left out, unless it is to be taken over; so is
    /// what was escalated above the actor's rank: whoever only looks at it must not keep a lead from it.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn claim(
        &self,
        sites: Sites,
        items: Vec<String>,
        actor: Actor,
        lease: i64,
        take_over: bool,
    ) -> Result<Vec<String>, StoreError> {
        self.writer
            .run(move |connection| {
                let mut claimed = Vec::new();
                for id in items {
                    let card = match Card::load(connection, &sites, &id) {
                        Err(StoreError::NotFound(_)) => continue,
                        card => card?,
                    };
                    let before = card.holder().filter(|holder| *holder != actor.name);
                    let above = card.is_escalated && !actor.leads;
                    if !card.is_open || above || (before.is_some() && !take_over) {
                        continue;
                    }
                    let until = now() + lease;
                    connection
                        .prepare_cached("UPDATE queue SET claimed_by = ?2, claimed_until = ?3 WHERE id = ?1")?
                        .execute(params![id, actor.name, until])?;
                    event(
                        connection,
                        &card.site,
                        "queue.claimed",
                        &json!({ "item": id, "by": actor.name, "until": until, "from": before }),
                    )?;
                    claimed.push(id);
                }
                Ok(claimed)
            })
            .await
    }

    /// Gives claimed cards back. Returns those that were the actor's.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn release(&self, items: Vec<String>, actor: Actor) -> Result<Vec<String>, StoreError> {
        self.writer
            .run(move |connection| {
                let mut released = Vec::new();
                for id in items {
                    let site: Option<String> = connection
                        .prepare_cached(
                            "UPDATE queue SET claimed_by = NULL, claimed_until = NULL WHERE id = ?1 AND claimed_by = ?2 RETURNING site",
                        )?
                        .query_row([&id, &actor.name], |row| row.get(0))
                        .optional()?;
                    if let Some(site) = site {
                        event(connection, &site, "queue.released", &json!({ "item": id, "by": actor.name }))?;
                        released.push(id);
                    }
                }
                Ok(released)
            })
            .await
    }

    /// The open cards before and after one in the order of a filtered queue.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn neighbours(
        &self,
        sites: Sites,
        filter: QueueFilter,
        rank: f64,
        id: String,
    ) -> Result<(Option<String>, Option<String>), StoreError> {
        self.read(move |connection| {
            let (mut all, mut values) = conditions(&sites, &filter)?;
            let walk = Walk::new(filter.order.unwrap_or_default());
            values.push(Box::new(walk.value(rank)));
            values.push(Box::new(id));
            let (value, id) = (values.len() - 1, values.len());
            all.push(String::new());
            let mut find = |place: String, order: &str| -> Result<Option<String>, StoreError> {
                if let Some(last) = all.last_mut() {
                    *last = place;
                }
                let sql =
                    format!("SELECT q.id FROM queue q WHERE {} ORDER BY {order} LIMIT 1", all.join(" AND "));
                let mut statement = connection.prepare_cached(&sql)?;
                Ok(statement.query_row(params_from_iter(&values), |row| row.get(0)).optional()?)
            };
            let before = find(walk.before(value, id), &walk.backwards())?;
            let after = find(walk.after(value, id), &walk.order())?;
            Ok((before, after))
        })
        .await
    }

    /// The open card of a site's campaign, with its version.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn card_of_campaign(
        &self,
        site: String,
        id: String,
    ) -> Result<Option<(String, i64)>, StoreError> {
        self.read(move |connection| {
            Ok(connection
                .prepare_cached(
                    "SELECT id, version FROM queue WHERE site = ?1 AND campaign = ?2 AND is_open = 1",
                )?
                .query_row([site, id], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?)
        })
        .await
    }

    /// Campaigns of some sites with at least two comments, largest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn campaigns(&self, sites: Sites, limit: usize) -> Result<Vec<CampaignCard>, StoreError> {
        Ok(self.campaigns_by_site(sites, limit).await?.into_iter().map(|(_, card)| card).collect())
    }

    /// The same, each with its site.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn campaigns_by_site(
        &self,
        sites: Sites,
        limit: usize,
    ) -> Result<Vec<(String, CampaignCard)>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT site, campaign FROM comments
                 WHERE (?1 IS NULL OR site IN (SELECT value FROM json_each(?1))) AND campaign IS NOT NULL AND is_current = 1
                 GROUP BY site, campaign HAVING count(*) >= 2 ORDER BY count(*) DESC, campaign LIMIT ?2",
            )?;
            let ids: Vec<(String, String)> = statement
                .query_map(params![json_list(&sites)?, limit as i64], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            ids.into_iter()
                .map(|(site, id)| campaign_card(connection, &site, &id).map(|card| (site, card)))
                .collect()
        })
        .await
    }

    /// One campaign as a site sees it.
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
