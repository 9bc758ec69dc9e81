//! Sites, hooks, callbacks: what an operator sets up.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;

use super::audit::append;
use super::{SqliteStore, new_id, now};
use crate::store::StoreError;
use crate::store::records::{Callback, Hook, Site};

impl SqliteStore {
    /// Adds a site.
    ///
    /// # Errors
    /// When it exists.
    pub async fn add_site(&self, site: Site) -> Result<(), StoreError> {
        let actor = Arc::clone(&self.actor);
        self.writer
            .run(move |connection| {
                let added = connection.execute(
                    "INSERT INTO sites (id, title, created_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                    params![site.id, site.title, now()],
                )?;
                if added == 0 {
                    return Err(StoreError::Exists { what: "site", name: site.id });
                }
                append(connection, &actor, "site.add", &site.id, &json!({ "title": site.title }))
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

    /// Adds a webhook endpoint.
    ///
    /// # Errors
    /// When the name is taken or the site does not exist.
    pub async fn add_hook(&self, hook: Hook) -> Result<(), StoreError> {
        let actor = Arc::clone(&self.actor);
        self.writer
            .run(move |connection| {
                site_exists(connection, &hook.site)?;
                let added = connection.execute(
                    "INSERT INTO hooks (name, site, adapter, secrets, created_at, settings) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
                    params![hook.name, hook.site, hook.adapter, serde_json::to_string(&hook.secrets)?, now(), hook.settings],
                )?;
                if added == 0 {
                    return Err(StoreError::Exists { what: "hook", name: hook.name });
                }
                append(
                    connection,
                    &actor,
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
        Ok(self.hooks_named(Some(name)).await?.pop())
    }

    /// All webhook endpoints, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn hooks(&self) -> Result<Vec<Hook>, StoreError> {
        self.hooks_named(None).await
    }

    async fn hooks_named(&self, name: Option<String>) -> Result<Vec<Hook>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT name, site, adapter, secrets, settings FROM hooks WHERE ?1 IS NULL OR name = ?1 ORDER BY name",
            )?;
            let mut rows = statement.query([name])?;
            let mut hooks = Vec::new();
            while let Some(row) = rows.next()? {
                hooks.push(Hook {
                    name: row.get("name")?,
                    site: row.get("site")?,
                    adapter: row.get("adapter")?,
                    secrets: serde_json::from_str(&row.get::<_, String>("secrets")?)?,
                    settings: row.get("settings")?,
                });
            }
            Ok(hooks)
        })
        .await
    }

    /// Removes a webhook endpoint.
    ///
    /// # Errors
    /// When there is no such hook.
    pub async fn remove_hook(&self, name: String) -> Result<(), StoreError> {
        let actor = Arc::clone(&self.actor);
        self.writer
            .run(move |connection| {
                connection.execute("DELETE FROM hook_deliveries WHERE hook = ?1", [&name])?;
                if connection.execute("DELETE FROM hooks WHERE name = ?1", [&name])? == 0 {
                    return Err(StoreError::NotFound("such hook"));
                }
                append(connection, &actor, "hook.remove", &name, &json!({}))
            })
            .await
    }

    /// Gives a webhook endpoint a new first secret. With `keep`, the one before stays valid until the next rotation.
    ///
    /// # Errors
    /// When there is no such hook.
    pub async fn rotate_hook_secret(
        &self,
        name: String,
        secret: String,
        keep: bool,
    ) -> Result<(), StoreError> {
        let actor = Arc::clone(&self.actor);
        self.writer
            .run(move |connection| {
                let before: String = connection
                    .query_row("SELECT secrets FROM hooks WHERE name = ?1", [&name], |row| row.get(0))
                    .optional()?
                    .ok_or(StoreError::NotFound("such hook"))?;
                let before: Vec<String> = serde_json::from_str(&before)?;
                let secrets: Vec<String> =
                    std::iter::once(secret).chain(before.into_iter().take(usize::from(keep))).collect();
                connection.execute(
                    "UPDATE hooks SET secrets = ?2 WHERE name = ?1",
                    params![name, serde_json::to_string(&secrets)?],
                )?;
                append(connection, &actor, "hook.rotate", &name, &json!({ "kept": keep }))
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
        let actor = Arc::clone(&self.actor);
        self.writer
            .run(move |connection| {
                site_exists(connection, &callback.site)?;
                let id = new_id();
                connection.execute(
                    "INSERT INTO callbacks (id, site, url, kind, secret, allow_private, is_enabled, created_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7)",
                    params![
                        id,
                        callback.site,
                        callback.url,
                        callback.kind,
                        callback.secret,
                        callback.allow_private,
                        now()
                    ],
                )?;
                append(
                    connection,
                    &actor,
                    "callback.add",
                    &id,
                    &json!({ "site": callback.site, "url": callback.url }),
                )?;
                Ok(id)
            })
            .await
    }

    /// All callbacks, with whether each is switched on.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn callbacks(&self) -> Result<Vec<(Callback, bool)>, StoreError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT *, id AS callback_id FROM callbacks ORDER BY id")?;
            let rows = statement.query_map([], |row| Ok((callback_of(row)?, row.get("is_enabled")?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Switches a callback on or off; what is in its outbox waits meanwhile.
    ///
    /// # Errors
    /// When there is no such callback.
    pub async fn enable_callback(&self, id: String, enabled: bool) -> Result<(), StoreError> {
        let actor = Arc::clone(&self.actor);
        self.writer
            .run(move |connection| {
                let changed = connection
                    .execute("UPDATE callbacks SET is_enabled = ?2 WHERE id = ?1", params![id, enabled])?;
                if changed == 0 {
                    return Err(StoreError::NotFound("such callback"));
                }
                append(connection, &actor, "callback.enable", &id, &json!({ "enabled": enabled }))
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
        kind: row.get("kind")?,
        secret: row.get("secret")?,
        allow_private: row.get("allow_private")?,
    })
}
