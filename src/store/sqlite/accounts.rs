//! Sites, users, keys, hooks, callbacks: what an operator sets up.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;

use super::audit::append;
use super::{SqliteStore, new_id, now};
use crate::store::StoreError;
use crate::store::records::{Callback, Hook, Key, Scope, Site};

impl SqliteStore {
    /// Adds a site.
    ///
    /// # Errors
    /// When it exists.
    pub async fn add_site(&self, site: Site) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| {
                let added = connection.execute(
                    "INSERT INTO sites (id, title, created_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                    params![site.id, site.title, now()],
                )?;
                if added == 0 {
                    return Err(StoreError::Exists { what: "site", name: site.id });
                }
                append(connection, "operator", "site.add", &site.id, &json!({ "title": site.title }))
            })
            .await
    }

    /// All sites, by id.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn sites(&self) -> Result<Vec<Site>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT id, title FROM sites ORDER BY id")?;
            let rows = statement.query_map([], |row| Ok(Site { id: row.get(0)?, title: row.get(1)? }))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Adds a user by name, with a password hash.
    ///
    /// # Errors
    /// When the name is taken.
    pub async fn add_user(
        &self,
        name: String,
        role: String,
        password_hash: String,
    ) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| {
                let added = connection.execute(
                    "INSERT INTO users (name, role, password_hash, created_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                    params![name, role, password_hash, now()],
                )?;
                if added == 0 {
                    return Err(StoreError::Exists { what: "user", name });
                }
                append(connection, "operator", "user.add", &name, &json!({ "role": role }))
            })
            .await
    }

    /// Keeps a new key by its hash. Returns its id.
    ///
    /// # Errors
    /// When the site does not exist.
    pub async fn add_key(
        &self,
        site: String,
        scopes: Vec<Scope>,
        hash: [u8; 32],
    ) -> Result<String, StoreError> {
        self.writer
            .run(move |connection| {
                site_exists(connection, &site)?;
                let id = new_id();
                connection.execute(
                    "INSERT INTO keys (id, hash, site, scopes, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![id, hash, site, serde_json::to_string(&scopes)?, now()],
                )?;
                append(
                    connection,
                    "operator",
                    "key.create",
                    &id,
                    &json!({ "site": site, "scopes": scopes }),
                )?;
                Ok(id)
            })
            .await
    }

    /// The live key with this hash.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn key(&self, hash: [u8; 32]) -> Result<Option<Key>, StoreError> {
        self.read(move |connection| {
            let row: Option<(String, String, String)> = connection
                .prepare_cached("SELECT id, site, scopes FROM keys WHERE hash = ?1 AND revoked_at IS NULL")?
                .query_row([hash], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()?;
            row.map(|(id, site, scopes)| Ok(Key { id, site, scopes: serde_json::from_str(&scopes)? }))
                .transpose()
        })
        .await
    }

    /// Adds a webhook endpoint.
    ///
    /// # Errors
    /// When the name is taken or the site does not exist.
    pub async fn add_hook(&self, hook: Hook) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| {
                site_exists(connection, &hook.site)?;
                let added = connection.execute(
                    "INSERT INTO hooks (name, site, adapter, secrets, created_at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
                    params![hook.name, hook.site, hook.adapter, serde_json::to_string(&hook.secrets)?, now()],
                )?;
                if added == 0 {
                    return Err(StoreError::Exists { what: "hook", name: hook.name });
                }
                append(
                    connection,
                    "operator",
                    "hook.add",
                    &hook.name,
                    &json!({ "site": hook.site, "adapter": hook.adapter }),
                )
            })
            .await
    }

    /// A webhook endpoint by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn hook(&self, name: String) -> Result<Option<Hook>, StoreError> {
        self.read(move |connection| {
            let row: Option<(String, String, String)> = connection
                .prepare_cached("SELECT site, adapter, secrets FROM hooks WHERE name = ?1")?
                .query_row([&name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()?;
            row.map(|(site, adapter, secrets)| {
                Ok(Hook { name, site, adapter, secrets: serde_json::from_str(&secrets)? })
            })
            .transpose()
        })
        .await
    }

    /// Whether a webhook delivery was taken before.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn is_delivered(&self, hook: String, id: String) -> Result<bool, StoreError> {
        self.read(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT 1 FROM hook_deliveries WHERE hook = ?1 AND id = ?2")?;
            Ok(statement.exists([hook, id])?)
        })
        .await
    }

    /// Remembers a webhook delivery, when its effect is done.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn remember_delivery(&self, hook: String, id: String) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| {
                connection
                    .prepare_cached(
                        "INSERT INTO hook_deliveries (hook, id, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                    )?
                    .execute(params![hook, id, now()])?;
                Ok(())
            })
            .await
    }

    /// Adds an address that gets a site's decisions. Returns its id.
    ///
    /// # Errors
    /// When the site does not exist.
    pub async fn add_callback(&self, callback: Callback) -> Result<String, StoreError> {
        self.writer
            .run(move |connection| {
                site_exists(connection, &callback.site)?;
                let id = new_id();
                connection.execute(
                    "INSERT INTO callbacks (id, site, url, secret, allow_private, is_enabled, created_at) VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6)",
                    params![id, callback.site, callback.url, callback.secret, callback.allow_private, now()],
                )?;
                append(
                    connection,
                    "operator",
                    "callback.add",
                    &id,
                    &json!({ "site": callback.site, "url": callback.url }),
                )?;
                Ok(id)
            })
            .await
    }
}

pub(super) fn site_exists(connection: &Connection, site: &str) -> Result<(), StoreError> {
    connection.prepare_cached("SELECT 1 FROM sites WHERE id = ?1")?.exists([site])?.then_some(()).ok_or_else(
        || {
            StoreError::Refused(format!(
                "there is no site `{site}`: add it with `claque sites add {site} --title TEXT`"
            ))
        },
    )
}

pub(super) fn callback_of(row: &Row<'_>) -> rusqlite::Result<Callback> {
    Ok(Callback {
        id: row.get("callback_id")?,
        site: row.get("site")?,
        url: row.get("url")?,
        secret: row.get("secret")?,
        allow_private: row.get("allow_private")?,
    })
}
