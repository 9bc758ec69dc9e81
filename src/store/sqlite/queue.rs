//! The queue as it is asked for: open cards that fit a filter, in an order, page by page; claims; the campaigns behind the cards.

use rusqlite::{OptionalExtension, ToSql, params, params_from_iter};
use serde_json::json;

use super::cards::{Card, campaign_card, queue_counts};
use super::events::event;
use super::{SqliteStore, json_list, now};
use crate::store::StoreError;
use crate::store::records::{Actor, CampaignCard, Order, QueueCounts, QueueFilter, QueueItem, Sites};

/// Characters of a text that a list shows.
const LONGEST_SHOWN: usize = 10_000;

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
