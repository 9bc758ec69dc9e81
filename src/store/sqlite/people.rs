//! Who may come in: API keys, people, their sessions.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;

use super::accounts::site_exists;
use super::audit::append;
use super::{SqliteStore, new_id, now};
use crate::store::StoreError;
use crate::store::records::{Key, Session, User};

impl SqliteStore {
    /// Keeps a new key by its hash. The record's id and time are set here. Returns the id.
    ///
    /// # Errors
    /// When a site does not exist.
    pub async fn add_key(&self, key: Key, hash: [u8; 32]) -> Result<String, StoreError> {
        let actor = Arc::clone(&self.actor);
        self.writer
            .run(move |connection| {
                let Key { title, sites, scopes, review_is_spam, .. } = key;
                if sites.is_empty() {
                    return Err(StoreError::Refused("a key is for one site at least".to_owned()));
                }
                sites.iter().try_for_each(|site| site_exists(connection, site))?;
                let id = new_id();
                connection.execute(
                    "INSERT INTO keys (id, hash, sites, scopes, title, created_at, review_is_spam) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    params![
                        id,
                        hash,
                        serde_json::to_string(&sites)?,
                        serde_json::to_string(&scopes)?,
                        title,
                        now(),
                        review_is_spam
                    ],
                )?;
                append(
                    connection,
                    &actor,
                    "key.create",
                    &id,
                    &json!({ "sites": sites, "scopes": scopes }),
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
            let mut statement =
                connection.prepare_cached("SELECT * FROM keys WHERE hash = ?1 AND revoked_at IS NULL")?;
            let mut rows = statement.query([hash])?;
            rows.next()?.map(key_of).transpose()
        })
        .await
    }

    /// Whether there is any key or user: without one nobody could call.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn has_credentials(&self) -> Result<bool, StoreError> {
        self.read(|connection| {
            Ok(connection.query_row(
                "SELECT EXISTS (SELECT 1 FROM keys WHERE revoked_at IS NULL) OR EXISTS (SELECT 1 FROM users WHERE disabled_at IS NULL)",
                [],
                |row| row.get(0),
            )?)
        })
        .await
    }

    /// All keys, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn keys(&self) -> Result<Vec<Key>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT * FROM keys ORDER BY id")?;
            let mut rows = statement.query([])?;
            let mut keys = Vec::new();
            while let Some(row) = rows.next()? {
                keys.push(key_of(row)?);
            }
            Ok(keys)
        })
        .await
    }

    /// Revokes a key for good.
    ///
    /// # Errors
    /// When there is no such live key.
    pub async fn revoke_key(&self, id: String) -> Result<(), StoreError> {
        let actor = Arc::clone(&self.actor);
        self.writer
            .run(move |connection| {
                let changed = connection.execute(
                    "UPDATE keys SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL",
                    params![id, now()],
                )?;
                if changed == 0 {
                    return Err(StoreError::NotFound("such live key"));
                }
                append(connection, &actor, "key.revoke", &id, &json!({}))
            })
            .await
    }

    /// Adds a user. The record's times are set here.
    ///
    /// # Errors
    /// When the name is taken or a site does not exist.
    pub async fn add_user(&self, user: User) -> Result<(), StoreError> {
        let actor = Arc::clone(&self.actor);
        self.writer
            .run(move |connection| {
                user.sites.iter().try_for_each(|site| site_exists(connection, site))?;
                let added = connection.execute(
                    "INSERT INTO users (name, role, password_hash, created_at, sites) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT DO NOTHING",
                    params![
                        user.name,
                        user.role,
                        user.password_hash,
                        now(),
                        serde_json::to_string(&user.sites)?
                    ],
                )?;
                if added == 0 {
                    return Err(StoreError::Exists { what: "user", name: user.name });
                }
                append(
                    connection,
                    &actor,
                    "user.add",
                    &user.name,
                    &json!({ "role": user.role, "sites": user.sites }),
                )
            })
            .await
    }

    /// All users, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT * FROM users ORDER BY name")?;
            let mut rows = statement.query([])?;
            let mut users = Vec::new();
            while let Some(row) = rows.next()? {
                users.push(user_of(row)?);
            }
            Ok(users)
        })
        .await
    }

    /// A user by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn user(&self, name: String) -> Result<Option<User>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached("SELECT * FROM users WHERE name = ?1")?;
            let mut rows = statement.query([name])?;
            rows.next()?.map(user_of).transpose()
        })
        .await
    }

    /// Changes a user's role, sites, password or whether the account is disabled; whoever is logged in under the name is logged out.
    ///
    /// # Errors
    /// When there is no such user or site.
    pub async fn change_user(&self, user: User) -> Result<(), StoreError> {
        let actor = Arc::clone(&self.actor);
        self.writer
            .run(move |connection| {
                user.sites.iter().try_for_each(|site| site_exists(connection, site))?;
                let changed = connection.execute(
                    "UPDATE users SET role = ?2, password_hash = ?3, sites = ?4, disabled_at = ?5 WHERE name = ?1",
                    params![
                        user.name,
                        user.role,
                        user.password_hash,
                        serde_json::to_string(&user.sites)?,
                        user.disabled_at
                    ],
                )?;
                if changed == 0 {
                    return Err(StoreError::NotFound("such user"));
                }
                connection.execute("DELETE FROM sessions WHERE user = ?1", [&user.name])?;
                append(
                    connection,
                    &actor,
                    "user.change",
                    &user.name,
                    &json!({ "role": user.role, "sites": user.sites, "disabled": user.disabled_at.is_some() }),
                )
            })
            .await
    }

    /// Begins a session of a user.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn add_session(
        &self,
        hash: [u8; 32],
        user: String,
        csrf: String,
        expires_at: i64,
    ) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| {
                connection.execute("DELETE FROM sessions WHERE expires_at <= ?1", [now()])?;
                connection.execute(
                    "INSERT INTO sessions (hash, user, csrf, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![hash, user, csrf, now(), expires_at],
                )?;
                append(connection, &format!("user:{user}"), "session.begin", &user, &json!({}))
            })
            .await
    }

    /// The session with this hash, of a user who is not disabled.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn session(&self, hash: [u8; 32]) -> Result<Option<Session>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT u.*, s.csrf, s.expires_at FROM sessions s JOIN users u ON u.name = s.user
                 WHERE s.hash = ?1 AND s.expires_at > ?2 AND u.disabled_at IS NULL",
            )?;
            let mut rows = statement.query(params![hash, now()])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            Ok(Some(Session {
                user: user_of(row)?,
                csrf: row.get("csrf")?,
                expires_at: row.get("expires_at")?,
            }))
        })
        .await
    }

    /// Ends a session, or with `everywhere` all of its user's.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn end_session(&self, hash: [u8; 32], everywhere: bool) -> Result<(), StoreError> {
        self.writer.run(move |connection| end_session(connection, hash, everywhere)).await
    }
}

fn end_session(connection: &Connection, hash: [u8; 32], everywhere: bool) -> Result<(), StoreError> {
    let user: Option<String> = connection
        .query_row("SELECT user FROM sessions WHERE hash = ?1", [hash], |row| row.get(0))
        .optional()?;
    let Some(user) = user else { return Ok(()) };
    if everywhere {
        connection.execute("DELETE FROM sessions WHERE user = ?1", [&user])?;
    } else {
        connection.execute("DELETE FROM sessions WHERE hash = ?1", [hash])?;
    }
    append(connection, &format!("user:{user}"), "session.end", &user, &json!({ "everywhere": everywhere }))
}

fn key_of(row: &Row<'_>) -> Result<Key, StoreError> {
    Ok(Key {
        id: row.get("id")?,
        title: row.get("title")?,
        sites: serde_json::from_str(&row.get::<_, String>("sites")?)?,
        scopes: serde_json::from_str(&row.get::<_, String>("scopes")?)?,
        review_is_spam: row.get("review_is_spam")?,
        created_at: row.get("created_at")?,
        revoked_at: row.get("revoked_at")?,
    })
}

fn user_of(row: &Row<'_>) -> Result<User, StoreError> {
    Ok(User {
        name: row.get("name")?,
        role: row.get("role")?,
        sites: serde_json::from_str(&row.get::<_, String>("sites")?)?,
        created_at: row.get("created_at")?,
        disabled_at: row.get("disabled_at")?,
        password_hash: row.get("password_hash")?,
    })
}
