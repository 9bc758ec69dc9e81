//! What an operator watches, and small counters that several parts keep here.

use rusqlite::{OptionalExtension, params};

use super::{SqliteStore, now};
use crate::domain::Because;
use crate::store::StoreError;
use crate::store::records::{Accuracy, AkismetUsage, Counts};

/// Milliseconds of a day.
const DAY: i64 = 24 * 3_600_000;

impl SqliteStore {
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
                outbox_seconds: {
                    let oldest = count("SELECT coalesce(min(o.created_at), 0) FROM outbox o JOIN callbacks c ON c.id = o.callback
                         WHERE (?1 IS NULL OR c.site = ?1) AND o.state = 'pending'")?;
                    if oldest == 0 { 0 } else { (now() - oldest).max(0) / 1000 }
                },
                dead_letters: count(&format!("{outbox} = 'dead'"))?,
                inbox: count("SELECT count(*) FROM inbox WHERE (?1 IS NULL OR site = ?1)")?,
            })
        })
        .await
    }

    /// What people decided in the last `days` days about comments where a reason had fired.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn accuracy(&self, because: Because, days: i64) -> Result<Accuracy, StoreError> {
        let word = serde_json::to_string(&because)?;
        self.read(move |connection| {
            Ok(connection
                .prepare_cached(
                    "SELECT coalesce(sum(d.action = 'reject'), 0), coalesce(sum(d.action = 'approve'), 0)
                     FROM decisions d JOIN decision_comments x ON x.decision = d.id JOIN comments c ON c.seq = x.comment
                     WHERE d.undone_at IS NULL AND d.trust = 'moderator' AND d.at >= ?1 AND instr(c.because, ?2) > 0",
                )?
                .query_row(params![now() - days * DAY, word], |row| {
                    Ok(Accuracy { rejected: row.get(0)?, approved: row.get(1)? })
                })?)
        })
        .await
    }

    /// How many comments that arrived since midnight (UTC) were answered `hold`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn holds_today(&self) -> Result<i64, StoreError> {
        self.read(|connection| {
            let midnight = now() / DAY * DAY;
            Ok(connection
                .prepare_cached("SELECT count(*) FROM comments WHERE received_at >= ?1 AND verdict = 'hold'")?
                .query_row([midnight], |row| row.get(0))?)
        })
        .await
    }

    /// Reserves calls of a plugin on a day, as many of `wanted` as its budget still has. Returns how many.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn reserve_plugin_calls(
        &self,
        day: String,
        plugin: String,
        wanted: i64,
        budget: i64,
    ) -> Result<i64, StoreError> {
        self.writer
            .run(move |connection| {
                let used: i64 = connection
                    .prepare_cached("SELECT calls FROM plugin_calls WHERE day = ?1 AND plugin = ?2")?
                    .query_row([&day, &plugin], |row| row.get(0))
                    .optional()?
                    .unwrap_or(0);
                let got = wanted.min(budget - used).max(0);
                connection
                    .prepare_cached(
                        "INSERT INTO plugin_calls (day, plugin, calls) VALUES (?1, ?2, ?3)
                         ON CONFLICT (day, plugin) DO UPDATE SET calls = calls + excluded.calls",
                    )?
                    .execute(params![day, plugin, got])?;
                Ok(got)
            })
            .await
    }

    /// Makes an alert due again that could not be sent.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn forget_alert(&self, subject: String) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| {
                connection.execute("DELETE FROM alerts WHERE subject = ?1", [subject])?;
                Ok(())
            })
            .await
    }

    /// Whether an alert about a subject is due: it was not sent in the last `pause` milliseconds. Notes it as sent.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn alert_due(&self, subject: String, pause: i64) -> Result<bool, StoreError> {
        self.writer
            .run(move |connection| {
                let last: Option<i64> = connection
                    .query_row("SELECT at FROM alerts WHERE subject = ?1", [&subject], |row| row.get(0))
                    .optional()?;
                if last.is_some_and(|last| now() - last < pause) {
                    return Ok(false);
                }
                connection.execute(
                    "INSERT INTO alerts (subject, at) VALUES (?1, ?2) ON CONFLICT (subject) DO UPDATE SET at = excluded.at",
                    params![subject, now()],
                )?;
                Ok(true)
            })
            .await
    }

    /// Counts calls of an Akismet client: the record's numbers are added to those of its site, month and blog.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn count_akismet(&self, site: String, usage: AkismetUsage) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| {
                connection
                    .prepare_cached(
                        "INSERT INTO akismet_calls (site, month, blog, api_calls, spam, ham, missed_spam, false_positives)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                         ON CONFLICT (site, month, blog) DO UPDATE SET api_calls = api_calls + excluded.api_calls,
                           spam = spam + excluded.spam, ham = ham + excluded.ham,
                           missed_spam = missed_spam + excluded.missed_spam,
                           false_positives = false_positives + excluded.false_positives",
                    )?
                    .execute(params![
                        site,
                        usage.month,
                        usage.site,
                        usage.api_calls,
                        usage.spam,
                        usage.ham,
                        usage.missed_spam,
                        usage.false_positives
                    ])?;
                Ok(())
            })
            .await
    }

    /// Calls of a site's Akismet clients by month and blog, from a month on, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn akismet_usage(&self, site: String, from: String) -> Result<Vec<AkismetUsage>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT * FROM akismet_calls WHERE site = ?1 AND month >= ?2 ORDER BY month, blog",
            )?;
            let rows = statement.query_map([site, from], |row| {
                Ok(AkismetUsage {
                    site: row.get("blog")?,
                    month: row.get("month")?,
                    api_calls: row.get("api_calls")?,
                    spam: row.get("spam")?,
                    ham: row.get("ham")?,
                    missed_spam: row.get("missed_spam")?,
                    false_positives: row.get("false_positives")?,
                    is_revoked: false,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}
