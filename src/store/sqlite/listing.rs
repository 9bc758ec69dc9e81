//! Lists of comments for the pages: of a thread, an article, a campaign, of what has certain words; what a pasted name leads to; and the decisions about one
//! comment. Pages go on by a comment's number in the store.

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};
use serde_json::Value;

use super::cards::{LEFT_OUT, article_line};
use super::decisions::past_decision;
use super::{SqliteStore, json_list};
use crate::domain::{Comment, Id};
use crate::store::StoreError;
use crate::store::records::{Archived, Found, ListPage, Listed, Listing, PastDecision, Sites};

/// Whether a comment's author was trusted when it came, or is by now.
pub(super) const TRUSTED: &str = "(is_trusted = 1 OR EXISTS (SELECT 1 FROM trusted_authors t WHERE t.site = comments.site AND t.author = comments.author))";

/// Comments that one search looks through; the next page goes on from there.
const MOST_SEARCHED: i64 = 50_000;
/// Finds of one kind.
const MOST_FOUND: usize = 5;
/// Characters of a text in a find.
const LABEL: usize = 80;
/// What every list reads.
const COLUMNS: &str = "seq, site, id, record, status, verdict, p, abstained, campaign, decided_by,
                       coalesce(created_at, received_at) AS at, sketch";

fn listed(connection: &Connection, row: &Row<'_>) -> Result<Listed, StoreError> {
    let site: String = row.get("site")?;
    let comment: Value = serde_json::from_str(&row.get::<_, String>("record")?)?;
    let article = match comment.get("article_id").and_then(Value::as_str) {
        Some(id) => article_line(connection, &site, id)?,
        None => None,
    };
    Ok(Listed {
        seq: row.get("seq")?,
        id: row.get("id")?,
        status: row.get("status")?,
        verdict: row.get("verdict")?,
        p: row.get("p")?,
        abstained: row.get("abstained")?,
        campaign: row.get("campaign")?,
        decided_by: row.get("decided_by")?,
        at: row.get("at")?,
        sketch: row.get("sketch")?,
        site,
        comment,
        article,
    })
}

fn select(connection: &Connection, sql: &str, values: Vec<Sql>) -> Result<Vec<Listed>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(listed(connection, row)?);
    }
    Ok(all)
}

/// A page of a list that goes forwards from `after`.
fn forwards(
    connection: &Connection,
    condition: &str,
    mut values: Vec<Sql>,
    after: i64,
    limit: usize,
) -> Result<ListPage, StoreError> {
    values.extend([Sql::Integer(after), Sql::Integer(limit as i64)]);
    let (after, limited) = (values.len() - 1, values.len());
    let sql = format!(
        "SELECT {COLUMNS} FROM comments c WHERE {condition} AND is_current = 1 AND seq > ?{after} ORDER BY seq LIMIT ?{limited}"
    );
    let comments = select(connection, &sql, values)?;
    let next = comments.last().filter(|_| comments.len() == limit).map(|last| last.seq);
    Ok(ListPage { comments, next, looked_back_to: None })
}

/// Comments with certain words, newest first, before the number `before`.
fn search(
    connection: &Connection,
    sites: &Sites,
    words: &str,
    before: Option<i64>,
    limit: usize,
) -> Result<ListPage, StoreError> {
    let newest: i64 =
        connection.query_row("SELECT coalesce(max(seq), 0) FROM comments", [], |row| row.get(0))?;
    let before = before.unwrap_or(newest + 1);
    let floor = (before - MOST_SEARCHED).max(0);
    let sql = format!(
        "SELECT {COLUMNS} FROM comments
         WHERE seq < ?1 AND seq >= ?2 AND is_current = 1 AND (?3 IS NULL OR site IN (SELECT value FROM json_each(?3)))
           AND instr(lower_case(json_extract(record, '$.text')), lower_case(?4)) > 0 ORDER BY seq DESC LIMIT ?5"
    );
    let values = vec![
        Sql::Integer(before),
        Sql::Integer(floor),
        json_list(sites)?.map_or(Sql::Null, Sql::Text),
        Sql::Text(words.to_owned()),
        Sql::Integer(limit as i64),
    ];
    let comments = select(connection, &sql, values)?;
    let full = comments.len() == limit;
    let next = if full { comments.last().map(|last| last.seq) } else { (floor > 0).then_some(floor) };
    let back_to = connection
        .prepare_cached("SELECT received_at FROM comments WHERE seq >= ?1 ORDER BY seq LIMIT 1")?
        .query_row([floor], |row| row.get(0))
        .optional()?;
    Ok(ListPage { comments, next, looked_back_to: back_to.filter(|_| !full && floor > 0) })
}

impl SqliteStore {
    /// A page of comments; `from` is the `next` of the page before.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn list(
        &self,
        sites: Sites,
        site: Option<String>,
        listing: Listing,
        from: Option<i64>,
        limit: usize,
    ) -> Result<ListPage, StoreError> {
        self.read(move |connection| {
            let site = Sql::Text(site.unwrap_or_default());
            let after = from.unwrap_or(0);
            match listing {
                Listing::Campaign(id) => forwards(
                    connection,
                    "site = ?1 AND campaign = ?2",
                    vec![site, Sql::Text(id)],
                    after,
                    limit,
                ),
                Listing::Sweep(id) => forwards(
                    connection,
                    &format!(
                        "site = ?1 AND campaign = ?2 AND status = 'published' AND decided_by IS NULL AND NOT {LEFT_OUT}"
                    ),
                    vec![site, Sql::Text(id)],
                    after,
                    limit,
                ),
                Listing::Article(id) => {
                    forwards(connection, "site = ?1 AND article = ?2", vec![site, Sql::Text(id)], after, limit)
                }
                Listing::Text(words) => search(connection, &sites, &words, from, limit),
                Listing::Seqs(seqs) => {
                    let sql = format!(
                        "SELECT {COLUMNS} FROM comments WHERE is_current = 1 AND seq IN (SELECT value FROM json_each(?1))
                           AND (?2 IS NULL OR site IN (SELECT value FROM json_each(?2))) LIMIT ?3"
                    );
                    let values = vec![
                        Sql::Text(serde_json::to_string(&seqs)?),
                        json_list(&sites)?.map_or(Sql::Null, Sql::Text),
                        Sql::Integer(limit as i64),
                    ];
                    let comments = select(connection, &sql, values)?;
                    Ok(ListPage { comments, ..ListPage::default() })
                }
            }
        })
        .await
    }

    /// Comments around one of its thread: the last `count` before it and the first `count` after it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn around(&self, site: String, id: Id, count: usize) -> Result<Vec<Listed>, StoreError> {
        self.read(move |connection| {
            let place: Option<(i64, Option<String>)> = connection
                .prepare_cached(
                    "SELECT seq, thread FROM comments WHERE site = ?1 AND id = ?2 AND is_current = 1",
                )?
                .query_row(params![site, id.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let Some((seq, Some(thread))) = place else { return Ok(Vec::new()) };
            let values = |seq| {
                vec![
                    Sql::Text(site.clone()),
                    Sql::Text(thread.clone()),
                    Sql::Integer(seq),
                    Sql::Integer(count as i64),
                ]
            };
            let part = |condition: &str| {
                format!(
                    "SELECT {COLUMNS} FROM comments WHERE site = ?1 AND thread = ?2 AND is_current = 1 AND {condition} LIMIT ?4"
                )
            };
            let mut all = select(connection, &part("seq < ?3 ORDER BY seq DESC"), values(seq))?;
            all.reverse();
            all.extend(select(connection, &part("seq > ?3 ORDER BY seq"), values(seq))?);
            Ok(all)
        })
        .await
    }

    /// One comment as lists have it, and the card it stands on, if that is open.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn listed(&self, site: String, id: Id) -> Result<(Listed, Option<String>), StoreError> {
        self.read(move |connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM comments WHERE site = ?1 AND is_current = 1
                   AND id = coalesce((SELECT a.id FROM aliases a WHERE a.site = ?1 AND a.alias = ?2), ?2)"
            );
            let values = vec![Sql::Text(site), Sql::Text(id.to_string())];
            let comment = select(connection, &sql, values)?.pop();
            let comment = comment.ok_or(StoreError::NotFound("such comment"))?;
            let card = connection
                .prepare_cached(
                    "SELECT id FROM queue WHERE is_open = 1 AND comment = ?1
                     UNION ALL SELECT id FROM queue WHERE is_open = 1 AND site = ?2 AND campaign = ?3 LIMIT 1",
                )?
                .query_row(params![comment.seq, comment.site, comment.campaign], |row| row.get(0))
                .optional()?;
            Ok((comment, card))
        })
        .await
    }

    /// The decisions about a comment, newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn decisions_about(&self, site: String, id: Id) -> Result<Vec<PastDecision>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT d.*, (SELECT count(*) FROM decision_comments x WHERE x.decision = d.id) AS size
                 FROM comments c JOIN decision_comments y ON y.comment = c.seq JOIN decisions d ON d.id = y.decision
                 WHERE c.site = ?1 AND c.id = ?2 ORDER BY d.id DESC LIMIT 50",
            )?;
            let rows = statement.query_map(params![site, id.as_str()], past_decision)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// When the comments of a campaign were posted, ascending.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn campaign_times(&self, site: String, id: String) -> Result<Vec<i64>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT coalesce(created_at, received_at) AS at FROM comments
                 WHERE site = ?1 AND campaign = ?2 AND is_current = 1 ORDER BY at",
            )?;
            let rows = statement.query_map([site, id], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// The other sites of a caller's that have comments of a campaign, with their numbers.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn campaign_sites(&self, sites: Sites, id: String) -> Result<Vec<(String, i64)>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT site, count(*) FROM comments WHERE campaign = ?1 AND is_current = 1
                   AND (?2 IS NULL OR site IN (SELECT value FROM json_each(?2))) GROUP BY site ORDER BY site",
            )?;
            let rows =
                statement.query_map(params![id, json_list(&sites)?], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// The newest comments that still have their text and came after `since`, newest first, with what people decided about them:
    /// `published`, `rejected`, or none.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn recent(
        &self,
        sites: Sites,
        since: i64,
        limit: usize,
    ) -> Result<Vec<(Comment, Option<String>)>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT record, CASE WHEN decided_by IS NULL THEN NULL ELSE status END FROM comments
                 WHERE has_text = 1 AND received_at >= ?1 AND is_current = 1
                   AND (?2 IS NULL OR site IN (SELECT value FROM json_each(?2))) ORDER BY received_at DESC, seq DESC LIMIT ?3",
            )?;
            let mut rows = statement.query(params![since, json_list(&sites)?, limit as i64])?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                // A record of an older form that is not read any more must not hide the others.
                if let Ok(comment) = serde_json::from_str(&row.get::<_, String>(0)?) {
                    all.push((comment, row.get(1)?));
                }
            }
            Ok(all)
        })
        .await
    }

    /// Names what the comments of the store are now: another word said about one of them, or a decision, makes another name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn archive_digest(&self) -> Result<String, StoreError> {
        self.read(|connection| {
            Ok(connection.query_row(
                &format!("SELECT printf('%d-%d-%d-%d-%d-%d', count(*), coalesce(max(seq), 0), coalesce(sum(standing_at % 1000000007), 0),
                   coalesce(sum(has_text), 0), coalesce(sum(seq * (decided_by IS NOT NULL)), 0), coalesce(sum({TRUSTED}), 0))
                 || (SELECT printf('-%d-%d', count(*), coalesce(max(updated_at), 0)) FROM articles) FROM comments WHERE is_current = 1"),
                [],
                |row| row.get(0),
            )?)
        })
        .await
    }

    /// Current comments that still have their text, by their numbers, after `after`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn archived(&self, after: i64, limit: usize) -> Result<Vec<Archived>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT seq, record, standing_at, verdict, campaign, decided_by, status, {TRUSTED},
                   is_history = 1 AND verdict <> 'allow' AND NOT EXISTS (SELECT 1 FROM queue q WHERE q.is_open = 1 AND q.comment = comments.seq)
                     AND NOT EXISTS (SELECT 1 FROM queue q WHERE q.is_open = 1 AND q.site = comments.site AND q.campaign = comments.campaign),
                   CASE WHEN decided_by IS NULL THEN NULL ELSE
                     (SELECT d.reason FROM decision_comments dc JOIN decisions d ON d.id = dc.decision
                      WHERE dc.comment = comments.seq AND d.undone_at IS NULL AND d.action IN ('approve', 'reject') ORDER BY d.at DESC, d.id DESC LIMIT 1) END
                 FROM comments WHERE seq > ?1 AND is_current = 1 AND has_text = 1 ORDER BY seq LIMIT ?2"
            ))?;
            let mut rows = statement.query(params![after, limit as i64])?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                all.push(Archived {
                    seq: row.get(0)?,
                    comment: serde_json::from_str(&row.get::<_, String>(1)?)?,
                    standing_at: row.get(2)?,
                    verdict: row.get(3)?,
                    campaign: row.get(4)?,
                    decided_by: row.get(5)?,
                    status: row.get(6)?,
                    trusted: row.get(7)?,
                    unasked: row.get(8)?,
                    reason: row.get(9)?,
                });
            }
            Ok(all)
        })
        .await
    }

    /// All articles, page by page: after the site and id of the last one.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn all_articles(
        &self,
        after: Option<(String, String)>,
        limit: usize,
    ) -> Result<Vec<(String, crate::domain::Article)>, StoreError> {
        self.read(move |connection| {
            let (site, id) = after.unwrap_or_default();
            let mut statement = connection.prepare_cached(
                "SELECT site, record FROM articles WHERE (site, id) > (?1, ?2) ORDER BY site, id LIMIT ?3",
            )?;
            let mut rows = statement.query(params![site, id, limit as i64])?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                let site: String = row.get(0)?;
                let mut article: crate::domain::Article = serde_json::from_str(&row.get::<_, String>(1)?)?;
                article.site = Some(Id::from(site.as_str()));
                all.push((site, article));
            }
            Ok(all)
        })
        .await
    }

    /// What a name may mean: the id of a comment, a card, a campaign, an author, an article, or an article's address.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn find(&self, sites: Sites, name: String) -> Result<Vec<Found>, StoreError> {
        self.read(move |connection| {
            let sites = json_list(&sites)?;
            let mut found = Vec::new();
            let all = [
                ("comment", "SELECT c.site, c.id, json_extract(c.record, '$.text') FROM sites s JOIN comments c ON c.site = s.id
                   WHERE (c.id = ?1 OR c.id = (SELECT a.id FROM aliases a WHERE a.site = s.id AND a.alias = ?1)) AND c.is_current = 1"),
                ("card", "SELECT s.id, q.id, q.kind FROM sites s JOIN queue q ON q.site = s.id WHERE q.id = ?1"),
                ("campaign", "SELECT s.id, c.campaign, json_extract(c.record, '$.text') FROM comments c JOIN sites s ON s.id = c.site
                   WHERE c.campaign = ?1 AND c.is_current = 1 GROUP BY s.id"),
                ("author", "SELECT s.id, c.author, coalesce(json_extract(c.record, '$.author.name'), c.author) FROM sites s
                   JOIN comments c ON c.site = s.id WHERE c.author = ?1 AND c.is_current = 1 GROUP BY s.id"),
                ("article", "SELECT s.id, a.id, json_extract(a.record, '$.title') FROM sites s JOIN articles a ON a.site = s.id
                   WHERE a.id = ?1 OR json_extract(a.record, '$.url') = ?1"),
            ];
            for (kind, sql) in all {
                // An article's address has no index: only what looks like one is worth a walk over all articles.
                let sql = if kind == "article" && !name.contains("://") {
                    sql.split(" OR ").next().unwrap_or(sql)
                } else {
                    sql
                };
                let sql = sql.replacen(" WHERE ", " WHERE (?2 IS NULL OR s.id IN (SELECT value FROM json_each(?2))) AND (", 1);
                let sql = match sql.split_once(" GROUP BY") {
                    Some((head, tail)) => format!("{head}) GROUP BY{tail} LIMIT {MOST_FOUND}"),
                    None => format!("{sql}) LIMIT {MOST_FOUND}"),
                };
                let mut statement = connection.prepare_cached(&sql)?;
                let mut rows = statement.query(params![name, sites])?;
                while let Some(row) = rows.next()? {
                    let label: Option<String> = row.get(2)?;
                    let label = label.unwrap_or_default().chars().take(LABEL).collect();
                    found.push(Found { kind, site: row.get(0)?, id: row.get(1)?, label });
                }
            }
            Ok(found)
        })
        .await
    }
}
