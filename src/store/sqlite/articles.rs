//! Articles, and which of them are still to be fetched from their address.

use rusqlite::{Connection, OptionalExtension, params};

use super::accounts::site_exists;
use super::{SqliteStore, now};
use crate::domain::{Article, Id};
use crate::store::StoreError;

/// Pauses before an article is fetched again, in milliseconds.
const PAUSES: [i64; 3] = [60_000, 900_000, 6 * 3_600_000];

impl SqliteStore {
    /// Keeps an article; a later one with its id takes its place, but says nothing away: what it lacks stays as it was.
    ///
    /// # Errors
    /// When the site does not exist.
    pub async fn put_article(&self, site: String, article: Article) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| {
                site_exists(connection, &site)?;
                put(connection, &site, article)
            })
            .await
    }

    /// An article.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn article(&self, site: String, id: Id) -> Result<Option<Article>, StoreError> {
        self.read(move |connection| load_article(connection, &site, &id)).await
    }

    /// Articles whose text is to be fetched now, as site and record.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn articles_to_fetch(&self, limit: usize) -> Result<Vec<(String, Article)>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT site, record FROM articles WHERE fetch_due_at <= ?1 ORDER BY fetch_due_at LIMIT ?2",
            )?;
            let mut rows = statement.query(params![now(), limit as i64])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push((row.get(0)?, serde_json::from_str(&row.get::<_, String>(1)?)?));
            }
            Ok(found)
        })
        .await
    }

    /// Notes that an article could not be fetched: it is tried again a few times.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn article_not_fetched(&self, site: String, id: Id) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| {
                let tries: i64 = connection.query_row(
                    "SELECT fetch_attempts FROM articles WHERE site = ?1 AND id = ?2",
                    params![site, id.as_str()],
                    |row| row.get(0),
                )?;
                let due = usize::try_from(tries).ok().and_then(|at| PAUSES.get(at)).map(|pause| now() + pause);
                connection.execute(
                    "UPDATE articles SET fetch_due_at = ?3, fetch_attempts = fetch_attempts + 1 WHERE site = ?1 AND id = ?2",
                    params![site, id.as_str(), due],
                )?;
                Ok(())
            })
            .await
    }
}

fn put(connection: &Connection, site: &str, mut article: Article) -> Result<(), StoreError> {
    if let Some(before) = load_article(connection, site, &article.id)? {
        if article.title.is_empty() {
            article.title = before.title;
        }
        article.body = article.body.or(before.body);
        article.url = article.url.or(before.url);
        article.section = article.section.or(before.section);
        article.published_at = article.published_at.or(before.published_at);
    }
    let due = (article.url.is_some() && article.body.is_none()).then(now);
    connection
        .prepare_cached(
            "INSERT INTO articles (site, id, record, updated_at, fetch_due_at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (site, id) DO UPDATE SET record = excluded.record, updated_at = excluded.updated_at,
               fetch_due_at = CASE WHEN excluded.fetch_due_at IS NULL THEN NULL WHEN fetch_attempts > 0 THEN fetch_due_at
                              ELSE excluded.fetch_due_at END",
        )?
        .execute(params![site, article.id.as_str(), serde_json::to_string(&article)?, now(), due])?;
    Ok(())
}

pub(super) fn load_article(
    connection: &Connection,
    site: &str,
    id: &Id,
) -> Result<Option<Article>, StoreError> {
    let record: Option<String> = connection
        .prepare_cached("SELECT record FROM articles WHERE site = ?1 AND id = ?2")?
        .query_row(params![site, id.as_str()], |row| row.get(0))
        .optional()?;
    record.map(|record| Ok(serde_json::from_str(&record)?)).transpose()
}
