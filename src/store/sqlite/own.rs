//! What people keep on the desk for themselves: settings, drafts of rules, texts they tried.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row, params};
use serde_json::json;

use super::audit::append;
use super::{SqliteStore, new_id, now};
use crate::store::StoreError;
use crate::store::records::{RuleDraft, Sites, Trial};

impl SqliteStore {
    /// A user's settings of the desk, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn preferences(&self, user: String) -> Result<BTreeMap<String, String>, StoreError> {
        self.read(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT name, value FROM preferences WHERE user = ?1")?;
            let rows = statement.query_map([user], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Keeps settings of a user; an empty value takes one away.
    ///
    /// # Errors
    /// When there is no such user.
    pub async fn set_preferences(
        &self,
        user: String,
        settings: Vec<(&'static str, String)>,
    ) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| {
                let known =
                    connection.prepare_cached("SELECT 1 FROM users WHERE name = ?1")?.exists([&user])?;
                if !known {
                    return Err(StoreError::NotFound("such user"));
                }
                for (name, value) in settings {
                    if value.is_empty() {
                        connection.execute(
                            "DELETE FROM preferences WHERE user = ?1 AND name = ?2",
                            [&user, name],
                        )?;
                    } else {
                        connection.execute(
                            "INSERT INTO preferences (user, name, value) VALUES (?1, ?2, ?3)
                             ON CONFLICT (user, name) DO UPDATE SET value = excluded.value",
                            params![user, name, value],
                        )?;
                    }
                }
                Ok(())
            })
            .await
    }

    /// Keeps a drafted rule under its id.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when the id is taken.
    pub async fn add_rule_draft(&self, draft: RuleDraft) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| {
                let added = connection.execute(
                    "INSERT INTO rule_drafts (id, site, text, actor, at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
                    params![draft.id, draft.site, draft.text, draft.actor, now()],
                )?;
                if added == 0 {
                    return Err(StoreError::Exists { what: "rule draft", name: draft.id });
                }
                // Not its text, which holds words of comments: the log is kept when those are erased.
                append(connection, &draft.actor, "rule.draft", &draft.id, &json!({ "site": draft.site }))
            })
            .await
    }

    /// All drafted rules, by id.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn rule_drafts(&self) -> Result<Vec<RuleDraft>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT * FROM rule_drafts ORDER BY id")?;
            let rows = statement.query_map([], |row: &Row<'_>| {
                Ok(RuleDraft {
                    id: row.get("id")?,
                    site: row.get("site")?,
                    text: row.get("text")?,
                    actor: row.get("actor")?,
                    at: row.get("at")?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Throws a drafted rule away.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn remove_rule_draft(&self, sites: Sites, id: String, actor: String) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| {
                let site: Option<String> = connection
                    .query_row("SELECT site FROM rule_drafts WHERE id = ?1", [&id], |row| row.get(0))
                    .optional()?;
                let site =
                    site.filter(|site| sites.contains(site)).ok_or(StoreError::NotFound("such draft"))?;
                connection.execute("DELETE FROM rule_drafts WHERE id = ?1", [&id])?;
                append(connection, &actor, "rule.draft.remove", &id, &json!({ "site": site }))
            })
            .await
    }

    /// Keeps a tried text for thirty days. Returns its id.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn add_trial(&self, record: String, actor: String) -> Result<String, StoreError> {
        self.writer
            .run(move |connection| {
                let id = new_id();
                connection.execute(
                    "INSERT INTO trials (id, record, actor, at) VALUES (?1, ?2, ?3, ?4)",
                    params![id, record, actor, now()],
                )?;
                Ok(id)
            })
            .await
    }

    /// A tried text.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn trial(&self, id: String) -> Result<Option<Trial>, StoreError> {
        self.read(move |connection| {
            Ok(connection
                .prepare_cached("SELECT * FROM trials WHERE id = ?1")?
                .query_row([id], |row| {
                    Ok(Trial {
                        id: row.get("id")?,
                        record: row.get("record")?,
                        actor: row.get("actor")?,
                        at: row.get("at")?,
                    })
                })
                .optional()?)
        })
        .await
    }
}
