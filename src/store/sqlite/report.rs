//! The numbers of a morning: backlog, inflow, how long decisions took, campaigns that grow, what people decided about each rule.

use rusqlite::{Connection, params};

use super::cards::{campaign_card, queue_counts};
use super::{SqliteStore, json_list, now};
use crate::store::StoreError;
use crate::store::records::{AuditEntry, Growing, Hour, Morning, RuleResult, Sites};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// Decisions whose handling time is looked at: the newest ones.
const MOST_TIMED: i64 = 20_000;
/// Decided comments whose evidence is counted: the newest ones.
const MOST_COUNTED: i64 = 20_000;
/// Campaigns and rules listed.
const MOST_LISTED: i64 = 12;

/// What most statements here are bound to: the sites as JSON (none: all) and the beginning of the time, in milliseconds.
type Bounds = (Option<String>, i64);

impl SqliteStore {
    /// What the morning page tells about the last `days` days.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn morning(&self, sites: Sites, days: i64) -> Result<Morning, StoreError> {
        self.read(move |connection| {
            let bounds = (json_list(&sites)?, now() - days * DAY);
            Ok(Morning {
                queue: queue_counts(connection, &sites)?,
                ages: ages(connection, bounds.0.as_ref())?,
                hours: hours(connection, &bounds)?,
                handling: handling(connection, &bounds)?,
                deciders: deciders(connection, &bounds)?,
                decided: decided(connection, &bounds)?,
                growing: growing(connection, bounds.0.as_ref())?,
                rules: rules(connection, &bounds)?,
            })
        })
        .await
    }

    /// Campaigns that grew in the last 24 hours, most first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn growing(&self, sites: Sites) -> Result<Vec<Growing>, StoreError> {
        self.read(move |connection| growing(connection, json_list(&sites)?.as_ref())).await
    }

    /// What people decided in the last `days` days where each rule or signal had hit.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn rule_results(&self, sites: Sites, days: i64) -> Result<Vec<RuleResult>, StoreError> {
        self.read(move |connection| rules(connection, &(json_list(&sites)?, now() - days * DAY))).await
    }

    /// The audit log backwards from entry `before`. Somebody who does not see every site gets the entries that name one of his.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn audit_before(
        &self,
        sites: Sites,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT * FROM audit WHERE (?1 IS NULL OR seq < ?1)
                   AND (?2 IS NULL OR (json_valid(detail) AND json_extract(detail, '$.site') IN (SELECT value FROM json_each(?2))))
                 ORDER BY seq DESC LIMIT ?3",
            )?;
            let rows = statement.query_map(params![before, json_list(&sites)?, limit as i64], |row| {
                Ok(AuditEntry {
                    seq: row.get("seq")?,
                    at: row.get("at")?,
                    actor: row.get("actor")?,
                    action: row.get("action")?,
                    subject: row.get("subject")?,
                    detail: row.get("detail")?,
                    hash: row.get("hash")?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}

fn ages(connection: &Connection, sites: Option<&String>) -> Result<[i64; 5], StoreError> {
    let at = now();
    let mut statement = connection.prepare_cached(
        "SELECT coalesce(sum(opened_at > ?2), 0), coalesce(sum(opened_at <= ?2 AND opened_at > ?3), 0),
           coalesce(sum(opened_at <= ?3 AND opened_at > ?4), 0), coalesce(sum(opened_at <= ?4 AND opened_at > ?5), 0),
           coalesce(sum(opened_at <= ?5), 0)
         FROM queue WHERE is_open = 1 AND (?1 IS NULL OR site IN (SELECT value FROM json_each(?1)))",
    )?;
    Ok(statement.query_row(params![sites, at - HOUR, at - 6 * HOUR, at - DAY, at - 3 * DAY], |row| {
        Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?])
    })?)
}

fn hours(connection: &Connection, (sites, since): &Bounds) -> Result<Vec<Hour>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT hour, sum(comments), sum(flagged) FROM hourly
         WHERE hour >= ?2 AND (?1 IS NULL OR site IN (SELECT value FROM json_each(?1))) GROUP BY hour ORDER BY hour",
    )?;
    let rows = statement.query_map(params![sites, since / HOUR], |row| {
        Ok(Hour { hour: row.get(0)?, comments: row.get(1)?, flagged: row.get(2)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What is asked of decisions: those that stand, of the sites, since a time.
const STANDING: &str = "d.undone_at IS NULL AND d.trust = 'moderator' AND d.at >= ?2
                        AND (?1 IS NULL OR d.site IN (SELECT value FROM json_each(?1)))";

fn handling(connection: &Connection, (sites, since): &Bounds) -> Result<Vec<f64>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT max(d.at - q.opened_at, 0) FROM decisions d JOIN decision_items i ON i.decision = d.id JOIN queue q ON q.id = i.item
         WHERE {STANDING} AND d.action IN ('approve', 'reject') ORDER BY d.at DESC LIMIT ?3"
    ))?;
    let rows = statement
        .query_map(params![sites, since, MOST_TIMED], |row| Ok(row.get::<_, i64>(0)? as f64 / 60_000.0))?;
    let mut minutes: Vec<f64> = rows.collect::<Result<_, _>>()?;
    minutes.sort_by(f64::total_cmp);
    Ok(minutes)
}

fn deciders(
    connection: &Connection,
    (sites, since): &Bounds,
) -> Result<Vec<(String, String, i64)>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT d.actor, d.action, count(*) FROM decisions d WHERE {STANDING} GROUP BY 1, 2 ORDER BY 1, 2"
    ))?;
    let rows =
        statement.query_map(params![sites, since], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn decided(connection: &Connection, (sites, since): &Bounds) -> Result<Vec<(i64, String, i64)>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT d.at / {DAY}, d.action, count(*) FROM decisions d JOIN decision_comments x ON x.decision = d.id
         WHERE {STANDING} AND d.action IN ('approve', 'reject') GROUP BY 1, 2 ORDER BY 1, 2"
    ))?;
    let rows =
        statement.query_map(params![sites, since], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn growing(connection: &Connection, sites: Option<&String>) -> Result<Vec<Growing>, StoreError> {
    let since = now() - DAY;
    let mut statement = connection.prepare_cached(
        "SELECT site, campaign, group_concat((coalesce(created_at, received_at) - ?2) / 3600000), count(*) AS lately FROM comments
         WHERE has_text = 1 AND received_at >= ?2 AND coalesce(created_at, received_at) >= ?2 AND campaign IS NOT NULL AND is_current = 1
           AND (?1 IS NULL OR site IN (SELECT value FROM json_each(?1)))
         GROUP BY site, campaign HAVING lately >= 2 ORDER BY lately DESC, campaign LIMIT ?3",
    )?;
    let rows = statement.query_map(params![sites, since, MOST_LISTED], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get(3)?))
    })?;
    let rows: Vec<(String, String, String, i64)> = rows.collect::<Result<_, _>>()?;
    let grown = rows.into_iter().map(|(site, id, at, lately)| {
        let card = campaign_card(connection, &site, &id)?;
        let mut hours = vec![0; 24];
        for hour in at.split(',').filter_map(|hour| hour.parse::<usize>().ok()) {
            if let Some(count) = hours.get_mut(hour.min(23)) {
                *count += 1;
            }
        }
        Ok(Growing { site, id, lately, size: card.size, sample: card.sample, hours })
    });
    grown.collect()
}

/// Of each rule, and of each signal that is no rule, what people decided where it had hit. Skipped and escalated cards say nothing.
fn rules(connection: &Connection, (sites, since): &Bounds) -> Result<Vec<RuleResult>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "WITH last AS (
           SELECT x.comment, d.action, max(d.at) FROM decisions d JOIN decision_comments x ON x.decision = d.id
           WHERE {STANDING} AND d.action IN ('approve', 'reject') GROUP BY x.comment ORDER BY 3 DESC LIMIT ?3),
         hits AS (
           SELECT DISTINCT last.comment, last.action, coalesce(json_extract(e.value, '$.rule'), json_extract(e.value, '$.signal')) AS name
           FROM last JOIN assessments a ON a.seq = (SELECT max(seq) FROM assessments WHERE comment = last.comment),
             json_each(a.record, '$.evidence') e)
         SELECT name, sum(action = 'reject'), sum(action = 'approve') FROM hits WHERE name IS NOT NULL
         GROUP BY name ORDER BY count(*) DESC, name"
    ))?;
    let rows = statement.query_map(params![sites, since, MOST_COUNTED], |row| {
        Ok(RuleResult { name: row.get(0)?, rejected: row.get(1)?, approved: row.get(2)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
