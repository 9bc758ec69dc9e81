//! Comments on their way: promised and not judged yet, or known to the CMS by another name.

use rusqlite::params;

use super::accounts::site_exists;
use super::comments::known;
use super::{SqliteStore, now};
use crate::domain::{Comment, Id};
use crate::store::StoreError;

impl SqliteStore {
    /// Writes down a comment that is still to be judged, so that its sender can be told `pending`. Nothing when it was taken meanwhile.
    ///
    /// # Errors
    /// When the site does not exist or the store cannot be written.
    pub async fn promise(&self, site: String, revision: String, comment: &Comment) -> Result<(), StoreError> {
        let (id, record) = (comment.id.to_string(), serde_json::to_string(comment)?);
        self.writer
            .run(move |connection| {
                if known(connection, &site, &id, &revision)?.is_some() {
                    return Ok(());
                }
                site_exists(connection, &site)?;
                connection.execute(
                    "INSERT INTO inbox (site, id, revision, record, at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
                    params![site, id, revision, record, now()],
                )?;
                Ok(())
            })
            .await
    }

    /// Comments that were promised longer ago than this and not judged, oldest first; not those of which a later version was taken.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn promised(&self, older_than_millis: i64) -> Result<Vec<(String, Comment)>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT site, record FROM inbox WHERE at <= ?1 AND NOT EXISTS (
                   SELECT 1 FROM comments c WHERE c.site = inbox.site AND c.id = inbox.id AND c.is_current = 1
                     AND c.received_at > inbox.at) ORDER BY at",
            )?;
            let mut rows = statement.query([now() - older_than_millis])?;
            let mut promised = Vec::new();
            while let Some(row) = rows.next()? {
                match serde_json::from_str(&row.get::<_, String>(1)?) {
                    Ok(comment) => promised.push((row.get(0)?, comment)),
                    Err(error) => tracing::error!(%error, "a promised comment cannot be read"),
                }
            }
            Ok(promised)
        })
        .await
    }

    /// Takes a promise back that can never be kept.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn forget_promise(&self, site: String, id: Id, revision: String) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| {
                connection.execute(
                    "DELETE FROM inbox WHERE site = ?1 AND id = ?2 AND revision = ?3",
                    params![site, id.as_str(), revision],
                )?;
                Ok(())
            })
            .await
    }

    /// Gives a comment another name, by which the CMS will call it.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn add_alias(&self, site: String, alias: Id, id: Id) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| {
                connection.execute(
                    "INSERT INTO aliases (site, alias, id) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                    params![site, alias.as_str(), id.as_str()],
                )?;
                Ok(())
            })
            .await
    }

    /// The one comment of a thread that arrived in the last `window` milliseconds under an id with this prefix and has no other name yet; none
    /// when there are several.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn unnamed(
        &self,
        site: String,
        thread: Id,
        prefix: &'static str,
        window: i64,
    ) -> Result<Option<Id>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id FROM comments c WHERE site = ?1 AND thread = ?2 AND is_current = 1 AND received_at >= ?3 AND id LIKE ?4
                   AND NOT EXISTS (SELECT 1 FROM aliases a WHERE a.site = c.site AND a.id = c.id) LIMIT 2",
            )?;
            let ids: Vec<String> = statement
                .query_map(params![site, thread.as_str(), now() - window, format!("{prefix}%")], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            Ok(if let [only] = ids.as_slice() { Some(Id::from(only.as_str())) } else { None })
        })
        .await
    }
}
