//! `claque sites`, `keys`, `users`: who there is, while the server runs or not.

use anyhow::{Result, anyhow, bail};
use clap::Subcommand;
use serde_json::json;

use super::Outcome;
use super::database::{Database, day, secret_from_stdin, valid_name};
use crate::access::{KeyKind, Role, hash_password, new_key};
use crate::store::Store;
use crate::store::records::{Key, Scope, Site, User};

#[derive(Debug, Subcommand)]
pub(super) enum Sites {
    /// Add a site
    Add {
        /// Its id, such as `gazette`
        id: String,
        /// Its name for people
        #[arg(long)]
        title: String,
        #[command(flatten)]
        database: Database,
    },
    /// List the sites
    List {
        #[command(flatten)]
        database: Database,
    },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum ScopeName {
    /// Send comments and articles
    Score,
    /// Read the queue and decide
    Review,
}

#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Make a key; it is printed once, alone on standard output
    Create {
        /// The site it is for; several times for several
        #[arg(long, required = true)]
        site: Vec<String>,
        /// What it may do; give it several times for several
        #[arg(long, required = true)]
        scope: Vec<ScopeName>,
        /// What it is called, for people
        #[arg(long, default_value = "")]
        title: String,
        #[command(flatten)]
        database: Database,
    },
    /// List the keys, never the secret part
    List {
        #[command(flatten)]
        database: Database,
    },
    /// Revoke a key for good, by its id
    Revoke {
        /// The id that `keys list` shows
        id: String,
        #[command(flatten)]
        database: Database,
    },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum RoleName {
    /// Looks
    Viewer,
    /// Decides
    Moderator,
    /// Decides what was escalated
    Lead,
    /// Sets up
    Admin,
}

impl RoleName {
    fn role(self) -> Role {
        match self {
            Self::Viewer => Role::Viewer,
            Self::Moderator => Role::Moderator,
            Self::Lead => Role::Lead,
            Self::Admin => Role::Admin,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Users {
    /// Add a user; the password comes on standard input
    Add {
        /// The name to log in with
        name: String,
        /// What the user may do
        #[arg(long)]
        role: RoleName,
        /// A site that the user sees; several times for several, never for all
        #[arg(long)]
        site: Vec<String>,
        /// Read the password from standard input
        #[arg(long, required = true)]
        password_stdin: bool,
        #[command(flatten)]
        database: Database,
    },
    /// List the users
    List {
        #[command(flatten)]
        database: Database,
    },
    /// Change a user; who is logged in under the name is logged out
    Change {
        /// The user
        name: String,
        /// Another role
        #[arg(long)]
        role: Option<RoleName>,
        /// Other sites; several times for several
        #[arg(long)]
        site: Vec<String>,
        /// All sites
        #[arg(long, conflicts_with = "site")]
        all_sites: bool,
        /// Read another password from standard input
        #[arg(long)]
        password_stdin: bool,
        /// Let the user in no more
        #[arg(long)]
        disable: bool,
        /// Let the user in again
        #[arg(long, conflicts_with = "disable")]
        enable: bool,
        #[command(flatten)]
        database: Database,
    },
}

pub(super) fn sites(command: &Sites) -> Result<Outcome> {
    match command {
        Sites::Add { id, title, database } => {
            let site = Site { id: valid_name("site id", id)?.to_owned(), title: title.clone() };
            // The first site makes the database.
            Store::open(&database.db).map_err(|error| anyhow!("{error}"))?;
            database.with(|store| async move { store.add_site(site).await })?;
            database.say(&format!("site {id} added"), &json!({ "site": id }))
        }
        Sites::List { database } => {
            let sites = database.with(|store| async move { store.sites().await })?;
            database.list(&sites, |site| format!("{}\t{}", site.id, site.title), |site| json!(site))
        }
    }
}

pub(super) fn keys(command: &Keys) -> Result<Outcome> {
    match command {
        Keys::Create { site, scope, title, database } => {
            let scopes = scope
                .iter()
                .map(|scope| match scope {
                    ScopeName::Score => Scope::Score,
                    ScopeName::Review => Scope::Review,
                })
                .collect();
            let key = NewKey { title, sites: site, scopes, review_is_spam: false };
            let (id, text) = make_key(KeyKind::Api, key, database)?;
            database.say(&text, &json!({ "id": id, "key": text }))
        }
        Keys::List { database } => {
            let keys = database.with(|store| async move { store.keys().await })?;
            let text = |key: &Key| {
                let state = key.revoked_at.map_or(String::new(), |at| format!("\trevoked {}", day(at)));
                let scopes: Vec<String> =
                    key.scopes.iter().map(|scope| format!("{scope:?}").to_lowercase()).collect();
                format!(
                    "{}\t{}\t{}\t{}\t{}{state}",
                    key.id,
                    key.sites.join(","),
                    scopes.join(","),
                    day(key.created_at),
                    key.title
                )
            };
            database.list(&keys, text, |key| json!(key))
        }
        Keys::Revoke { id, database } => {
            let revoked = id.clone();
            database.with(|store| async move { store.revoke_key(revoked).await })?;
            database.say(&format!("key {id} revoked"), &json!({ "revoked": id }))
        }
    }
}

/// A key to be made.
pub(super) struct NewKey<'a> {
    pub(super) title: &'a str,
    pub(super) sites: &'a [String],
    pub(super) scopes: Vec<Scope>,
    pub(super) review_is_spam: bool,
}

/// Makes a key; its id, and the key itself.
pub(super) fn make_key(kind: KeyKind, key: NewKey<'_>, database: &Database) -> Result<(String, String)> {
    let (text, hash) = new_key(kind).map_err(|error| anyhow!(error))?;
    let record = Key {
        id: String::new(),
        title: key.title.to_owned(),
        sites: key.sites.to_vec(),
        scopes: key.scopes,
        review_is_spam: key.review_is_spam,
        created_at: 0,
        revoked_at: None,
    };
    let id = database.with(|store| async move { store.add_key(record, hash).await })?;
    Ok((id, text))
}

pub(super) fn users(command: &Users) -> Result<Outcome> {
    match command {
        Users::Add { name, role, site, database, .. } => {
            let user = User {
                name: valid_name("user name", name)?.to_owned(),
                role: role.role().name().to_owned(),
                sites: site.clone(),
                created_at: 0,
                disabled_at: None,
                password_hash: hash_password(&secret_from_stdin()?)?,
            };
            database.with(|store| async move { store.add_user(user).await })?;
            database.say(&format!("user {name} added"), &json!({ "user": name }))
        }
        Users::List { database } => {
            let users = database.with(|store| async move { store.users().await })?;
            let text = |user: &User| {
                let sites = if user.sites.is_empty() { "all sites".to_owned() } else { user.sites.join(",") };
                let state = user.disabled_at.map_or(String::new(), |at| format!("\tdisabled {}", day(at)));
                format!("{}\t{}\t{sites}{state}", user.name, user.role)
            };
            database.list(&users, text, |user| json!(user))
        }
        Users::Change { name, role, site, all_sites, password_stdin, disable, enable, database } => {
            let known = name.clone();
            let user = database.with(|store| async move { store.user(known).await })?;
            let Some(mut user) = user else { bail!("there is no user `{name}`") };
            if let Some(role) = role {
                role.role().name().clone_into(&mut user.role);
            }
            if *all_sites || !site.is_empty() {
                user.sites.clone_from(site);
            }
            if *password_stdin {
                user.password_hash = hash_password(&secret_from_stdin()?)?;
            }
            if *disable {
                user.disabled_at = Some(chrono::Utc::now().timestamp_millis());
            }
            if *enable {
                user.disabled_at = None;
            }
            database.with(|store| async move { store.change_user(user).await })?;
            database.say(&format!("user {name} changed"), &json!({ "user": name }))
        }
    }
}
