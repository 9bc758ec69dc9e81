//! Around the queue: notes, saved views, trusted authors, allowed campaigns, an author's page.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;

use super::accounts::site_exists;
use super::audit::append;
use super::cards::close_campaign;
use super::events::event;
use super::{SqliteStore, json_list, new_id, now};
use crate::domain::Id;
use crate::store::StoreError;
use crate::store::records::{
    AllowedCampaign, AuthorComment, AuthorPage, Note, QueueFilter, Sites, TrustedAuthor, View,
};

/// Comments on an author's page.
const MOST_LISTED: i64 = 200;
/// Notes about one thing.
const MOST_NOTES: i64 = 200;

impl SqliteStore {
    /// Keeps a note; its id and time are set here. Returns it.
    ///
    /// # Errors
    /// When the site does not exist.
    pub async fn add_note(&self, mut note: Note) -> Result<Note, StoreError> {
        self.writer
            .run(move |connection| {
                site_exists(connection, &note.site)?;
                (note.id, note.at) = (new_id(), now());
                connection.execute(
                    "INSERT INTO notes (id, site, kind, subject, text, actor, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    params![note.id, note.site, note.kind, note.subject, note.text, note.actor, note.at],
                )?;
                event(
                    connection,
                    &note.site,
                    "note",
                    &json!({ "kind": note.kind, "subject": note.subject, "actor": note.actor }),
                )?;
                Ok(note)
            })
            .await
    }

    /// Notes about a comment, an author or a campaign, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn notes(
        &self,
        site: String,
        kind: &'static str,
        subject: String,
    ) -> Result<Vec<Note>, StoreError> {
        self.read(move |connection| notes(connection, &site, kind, &subject)).await
    }

    /// Keeps a view under its owner's name for it, with the sites that the owner sees; one of that name is replaced. Returns its id.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn save_view(&self, view: View, sites: Sites) -> Result<String, StoreError> {
        self.writer
            .run(move |connection| {
                Ok(connection.query_row(
                    "INSERT INTO views (id, owner, name, query, is_shared, created_at, sites) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                     ON CONFLICT (owner, name) DO UPDATE SET query = excluded.query, is_shared = excluded.is_shared,
                       sites = excluded.sites
                     RETURNING id",
                    params![
                        new_id(),
                        view.owner,
                        view.name,
                        serde_json::to_string(&view.query)?,
                        view.shared,
                        now(),
                        json_list(&sites)?
                    ],
                    |row| row.get(0),
                )?)
            })
            .await
    }

    /// Somebody's views, and those that others share who see a site in common, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn views(&self, owner: String, sites: Sites) -> Result<Vec<View>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT * FROM views WHERE owner = ?1 OR (is_shared = 1 AND (
                   sites IS NULL OR ?2 IS NULL
                   OR EXISTS (SELECT 1 FROM json_each(sites) a JOIN json_each(?2) b ON a.value = b.value)))
                 ORDER BY name, id",
            )?;
            let mut rows = statement.query(params![owner, json_list(&sites)?])?;
            let mut views = Vec::new();
            while let Some(row) = rows.next()? {
                let query: QueueFilter = serde_json::from_str(&row.get::<_, String>("query")?)?;
                // A view of a site that somebody does not see says by its name alone too much.
                if query.site.as_ref().is_some_and(|site| !sites.contains(site)) {
                    continue;
                }
                views.push(View {
                    id: row.get("id")?,
                    owner: row.get("owner")?,
                    name: row.get("name")?,
                    query,
                    shared: row.get("is_shared")?,
                });
            }
            Ok(views)
        })
        .await
    }

    /// Forgets one of somebody's views.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it is none of his.
    pub async fn delete_view(&self, owner: String, id: String) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| {
                match connection.execute("DELETE FROM views WHERE id = ?1 AND owner = ?2", [id, owner])? {
                    0 => Err(StoreError::NotFound("such view of yours")),
                    _ => Ok(()),
                }
            })
            .await
    }

    /// Trusts an author, or no more.
    ///
    /// # Errors
    /// When the site does not exist.
    pub async fn trust_author(&self, author: TrustedAuthor, trusted: bool) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| {
                let TrustedAuthor { site, author, note, actor, .. } = author;
                site_exists(connection, &site)?;
                if trusted {
                    connection.execute(
                        "INSERT INTO trusted_authors (site, author, note, actor, at) VALUES (?1, ?2, ?3, ?4, ?5)
                         ON CONFLICT (site, author) DO UPDATE SET note = excluded.note, actor = excluded.actor, at = excluded.at",
                        params![site, author, note, actor, now()],
                    )?;
                } else {
                    connection
                        .execute("DELETE FROM trusted_authors WHERE site = ?1 AND author = ?2", [&site, &author])?;
                }
                let action = if trusted { "author.trust" } else { "author.distrust" };
                append(connection, &actor, action, &author, &json!({ "site": site }))
            })
            .await
    }

    /// Trusted authors of some sites.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn trusted_authors(&self, sites: Sites) -> Result<Vec<TrustedAuthor>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT * FROM trusted_authors WHERE ?1 IS NULL OR site IN (SELECT value FROM json_each(?1)) ORDER BY site, author",
            )?;
            let rows = statement.query_map([json_list(&sites)?], |row| {
                Ok(TrustedAuthor {
                    site: row.get("site")?,
                    author: row.get("author")?,
                    note: row.get("note")?,
                    actor: row.get("actor")?,
                    at: row.get("at")?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Allows the campaign that the record's site and a campaign id name, by the signature of its first comment that still has one; its card
    /// leaves the queue. Returns the record with id, signature and time.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the site has no such campaign with a signature.
    pub async fn allow_campaign(
        &self,
        mut allowed: AllowedCampaign,
        campaign: String,
    ) -> Result<AllowedCampaign, StoreError> {
        self.writer
            .run(move |connection| {
                let found: Option<(Vec<u8>, u16)> = connection
                    .query_row(
                        "SELECT sketch, canon_version FROM comments
                         WHERE site = ?1 AND campaign = ?2 AND is_current = 1 AND sketch IS NOT NULL ORDER BY seq LIMIT 1",
                        [&allowed.site, &campaign],
                        |row| Ok((row.get(0)?, row.get(1)?)),
                    )
                    .optional()?;
                (allowed.sketch, allowed.canon_version) =
                    found.ok_or(StoreError::NotFound("such campaign with a signature"))?;
                (allowed.id, allowed.at) = (new_id(), now());
                connection.execute(
                    "INSERT INTO allowed_campaigns (id, site, title, sketch, canon_version, expires_at, actor, at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    params![
                        allowed.id,
                        allowed.site,
                        allowed.title,
                        allowed.sketch,
                        allowed.canon_version,
                        allowed.expires_at,
                        allowed.actor,
                        allowed.at
                    ],
                )?;
                close_campaign(connection, &allowed.site, &campaign)?;
                connection.execute(
                    "DELETE FROM campaign_states WHERE site = ?1 AND campaign = ?2",
                    [&allowed.site, &campaign],
                )?;
                event(connection, &allowed.site, "campaign.allowed", &json!({ "id": allowed.id }))?;
                append(
                    connection,
                    &allowed.actor,
                    "campaign.allow",
                    &allowed.id,
                    &json!({ "site": allowed.site, "campaign": campaign, "title": allowed.title, "expires_at": allowed.expires_at }),
                )?;
                Ok(allowed)
            })
            .await
    }

    /// Allowed campaigns of some sites, the latest first; those that expired are left out.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn allowed_campaigns(&self, sites: Sites) -> Result<Vec<AllowedCampaign>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT * FROM allowed_campaigns
                 WHERE (?1 IS NULL OR site IN (SELECT value FROM json_each(?1))) AND expires_at > ?2 ORDER BY id DESC",
            )?;
            let rows = statement.query_map(params![json_list(&sites)?, now()], allowed_of)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Allows a campaign no more.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn disallow_campaign(&self, sites: Sites, id: String, actor: String) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| {
                let allowed = connection
                    .query_row("SELECT * FROM allowed_campaigns WHERE id = ?1", [&id], allowed_of)
                    .optional()?
                    .filter(|allowed| sites.contains(&allowed.site))
                    .ok_or(StoreError::NotFound("such allowed campaign"))?;
                connection.execute("DELETE FROM allowed_campaigns WHERE id = ?1", [&id])?;
                event(connection, &allowed.site, "campaign.allowed", &json!({ "id": id }))?;
                append(connection, &actor, "campaign.disallow", &id, &json!({ "site": allowed.site }))
            })
            .await
    }

    /// An author's page.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the site has no comment of the author.
    pub async fn author(&self, site: String, author: Id) -> Result<AuthorPage, StoreError> {
        self.read(move |connection| author_page(connection, &site, author.as_str())).await
    }
}

fn allowed_of(row: &Row<'_>) -> rusqlite::Result<AllowedCampaign> {
    Ok(AllowedCampaign {
        id: row.get("id")?,
        site: row.get("site")?,
        title: row.get("title")?,
        expires_at: row.get("expires_at")?,
        actor: row.get("actor")?,
        at: row.get("at")?,
        sketch: row.get("sketch")?,
        canon_version: row.get("canon_version")?,
    })
}

fn notes(connection: &Connection, site: &str, kind: &str, subject: &str) -> Result<Vec<Note>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT * FROM notes WHERE site = ?1 AND kind = ?2 AND subject = ?3 ORDER BY at DESC, id DESC LIMIT ?4",
    )?;
    let rows = statement.query_map(params![site, kind, subject, MOST_NOTES], |row| {
        Ok(Note {
            id: row.get("id")?,
            site: row.get("site")?,
            kind: row.get("kind")?,
            subject: row.get("subject")?,
            text: row.get("text")?,
            actor: row.get("actor")?,
            at: row.get("at")?,
        })
    })?;
    let mut notes: Vec<Note> = rows.collect::<Result<_, _>>()?;
    notes.reverse();
    Ok(notes)
}

fn author_page(connection: &Connection, site: &str, author: &str) -> Result<AuthorPage, StoreError> {
    let mut page = connection
        .prepare_cached(
            "SELECT count(*), coalesce(sum(decided_by IS NOT NULL AND status = 'published'), 0),
               coalesce(sum(decided_by IS NOT NULL AND status IN ('rejected', 'deleted')), 0),
               coalesce(sum(verdict <> 'allow'), 0),
               EXISTS (SELECT 1 FROM trusted_authors t WHERE t.site = ?1 AND t.author = ?2)
             FROM comments WHERE site = ?1 AND author = ?2 AND is_current = 1",
        )?
        .query_row([site, author], |row| {
            Ok(AuthorPage {
                id: author.to_owned(),
                site: site.to_owned(),
                trusted: row.get(4)?,
                size: row.get(0)?,
                approved: row.get(1)?,
                rejected: row.get(2)?,
                proposed: row.get(3)?,
                comments: Vec::new(),
                notes: notes(connection, site, "author", author).unwrap_or_default(),
            })
        })?;
    if page.size == 0 && page.notes.is_empty() && !page.trusted {
        return Err(StoreError::NotFound("comment of this author"));
    }
    let mut statement = connection.prepare_cached(
        "SELECT seq, record, status, verdict, p, campaign, decided_by, coalesce(created_at, received_at) AS at, sketch
         FROM comments WHERE site = ?1 AND author = ?2 AND is_current = 1 ORDER BY seq DESC LIMIT ?3",
    )?;
    let mut rows = statement.query(params![site, author, MOST_LISTED])?;
    while let Some(row) = rows.next()? {
        page.comments.push(AuthorComment {
            seq: row.get("seq")?,
            comment: serde_json::from_str(&row.get::<_, String>("record")?)?,
            status: row.get("status")?,
            verdict: row.get("verdict")?,
            score: 1.0 - row.get::<_, f64>("p")?,
            campaign: row.get("campaign")?,
            decided_by: row.get("decided_by")?,
            at: row.get("at")?,
            self_similarity: 0.0,
            sketch: row.get("sketch")?,
        });
    }
    Ok(page)
}
