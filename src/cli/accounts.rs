//! `claque sites`, `keys`, `users`, `hooks`, `callbacks`: what an operator sets up, while the server runs or not.

use anyhow::{Result, anyhow, bail};
use clap::Subcommand;

use super::Outcome;
use super::database::{Database, secret_from_stdin};
use super::output::write_to;
use crate::access::{KeyKind, Role, hash_password, new_key};
use crate::cms::{ADAPTERS, by_name, callback, signature};
use crate::store::Store;
use crate::store::records::{Callback, Hook, Scope, Site};

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
        /// The site it is for
        #[arg(long)]
        site: String,
        /// What it may do; give it several times for several
        #[arg(long, required = true)]
        scope: Vec<ScopeName>,
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

#[derive(Debug, Subcommand)]
pub(super) enum Users {
    /// Add a user; the password comes on standard input
    Add {
        /// The name to log in with
        name: String,
        /// What the user may do
        #[arg(long)]
        role: RoleName,
        /// Read the password from standard input
        #[arg(long, required = true)]
        password_stdin: bool,
        #[command(flatten)]
        database: Database,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Hooks {
    /// Add a way in for a CMS
    Add {
        /// Its name: webhooks come to /hooks/NAME
        name: String,
        /// The site it is for
        #[arg(long)]
        site: String,
        /// generic, coral, discourse, ghost (signed webhooks); akismet, perspective (prints the key that such clients send)
        #[arg(long)]
        adapter: String,
        /// Read the signing secret from standard input
        #[arg(long)]
        secret_stdin: bool,
        #[command(flatten)]
        database: Database,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Callbacks {
    /// Add an address that gets a site's decisions; the whsec_ secret comes on standard input
    Add {
        /// The address
        url: String,
        /// The site whose decisions it gets
        #[arg(long)]
        site: String,
        /// Read the secret from standard input
        #[arg(long, required = true)]
        secret_stdin: bool,
        /// Allow http and addresses of this machine and its network
        #[arg(long)]
        allow_private: bool,
        #[command(flatten)]
        database: Database,
    },
    /// Make the dead letters of a site due again
    Replay {
        /// The site
        #[arg(long)]
        site: String,
        #[command(flatten)]
        database: Database,
    },
}

fn say(text: &str) -> Result<Outcome> {
    write_to(None, |out| writeln!(out, "{text}"))?;
    Ok(Outcome::Done)
}

fn valid_name<'a>(what: &str, name: &'a str) -> Result<&'a str> {
    let fits = !name.is_empty()
        && name.len() <= 64
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if fits {
        Ok(name)
    } else {
        bail!("`{name}` is no {what}: use letters, digits, `-`, `_`, `.`, at most 64")
    }
}

pub(super) fn sites(command: &Sites) -> Result<Outcome> {
    match command {
        Sites::Add { id, title, database } => {
            let site = Site { id: valid_name("site id", id)?.to_owned(), title: title.clone() };
            // The first site makes the database.
            Store::open(&database.db).map_err(|error| anyhow!("{error}"))?;
            database.with(|store| async move { store.add_site(site).await })?;
            say(&format!("site {id} added"))
        }
        Sites::List { database } => {
            let sites = database.with(|store| async move { store.sites().await })?;
            write_to(None, |out| {
                sites.iter().try_for_each(|site| writeln!(out, "{}\t{}", site.id, site.title))
            })?;
            Ok(Outcome::Done)
        }
    }
}

pub(super) fn keys(command: &Keys) -> Result<Outcome> {
    let Keys::Create { site, scope, database } = command;
    let scopes: Vec<Scope> = scope
        .iter()
        .map(|scope| match scope {
            ScopeName::Score => Scope::Score,
            ScopeName::Review => Scope::Review,
        })
        .collect();
    say(&make_key(KeyKind::Api, site, scopes, database)?)
}

fn make_key(kind: KeyKind, site: &str, scopes: Vec<Scope>, database: &Database) -> Result<String> {
    let (key, hash) = new_key(kind).map_err(|error| anyhow!(error))?;
    let site = site.to_owned();
    database.with(|store| async move { store.add_key(site, scopes, hash).await })?;
    Ok(key)
}

pub(super) fn users(command: &Users) -> Result<Outcome> {
    let Users::Add { name, role, database, .. } = command;
    let role = match role {
        RoleName::Viewer => Role::Viewer,
        RoleName::Moderator => Role::Moderator,
        RoleName::Lead => Role::Lead,
        RoleName::Admin => Role::Admin,
    };
    let hash = hash_password(&secret_from_stdin()?)?;
    let role = serde_json::to_value(role)?.as_str().unwrap_or_default().to_owned();
    let user = valid_name("user name", name)?.to_owned();
    database.with(|store| async move { store.add_user(user, role, hash).await })?;
    say(&format!("user {name} added"))
}

pub(super) fn hooks(command: &Hooks) -> Result<Outcome> {
    let Hooks::Add { name, site, adapter, secret_stdin, database } = command;
    valid_name("hook name", name)?;
    match adapter.as_str() {
        "akismet" => return say(&make_key(KeyKind::Akismet, site, vec![Scope::Akismet], database)?),
        "perspective" => return say(&make_key(KeyKind::Api, site, vec![Scope::Perspective], database)?),
        _ => {}
    }
    if by_name(adapter).is_none() {
        let known: Vec<&str> = ADAPTERS.iter().map(|adapter| adapter.name()).collect();
        bail!("no adapter is called `{adapter}`; known: {}, akismet, perspective", known.join(", "));
    }
    if !secret_stdin {
        bail!("webhooks are signed: pipe the secret in and add --secret-stdin");
    }
    let secret = secret_from_stdin()?;
    if adapter == "generic" && signature::standard_key(&secret).is_none() {
        bail!("the secret must be `whsec_` and at least 16 bytes in base64, as Standard Webhooks has it");
    }
    let hook =
        Hook { name: name.clone(), site: site.clone(), adapter: adapter.clone(), secrets: vec![secret] };
    database.with(|store| async move { store.add_hook(hook).await })?;
    say(&format!("/hooks/{name}"))
}

pub(super) fn callbacks(command: &Callbacks) -> Result<Outcome> {
    match command {
        Callbacks::Add { url, site, allow_private, database, .. } => {
            let callback = Callback {
                id: String::new(),
                site: site.clone(),
                url: url.clone(),
                secret: secret_from_stdin()?,
                allow_private: *allow_private,
            };
            callback::check_url(&callback).map_err(|error| anyhow!(error))?;
            say(&database.with(|store| async move { store.add_callback(callback).await })?)
        }
        Callbacks::Replay { site, database } => {
            let site = site.clone();
            let count = database.with(|store| async move { store.replay_dead_letters(site).await })?;
            say(&format!("{count} dead letters are due again"))
        }
    }
}
