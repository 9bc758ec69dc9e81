//! Sites, keys, people, hooks, callbacks: what an operator sets up.

use serde::{Deserialize, Serialize};

/// A site: one newspaper, one forum. Everything else belongs to one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Site {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub title: String,
}

/// What an API key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Send comments and articles, read and delete comments, report what the CMS did.
    Score,
    /// Read the queue, claim, decide, undo.
    Review,
    /// Speak as an Akismet client.
    Akismet,
    /// Speak as a Perspective client.
    Perspective,
}

/// An API key, as far as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Key {
    /// Its id; never the key itself.
    pub id: String,
    /// What it is called, for people.
    pub title: String,
    /// The sites it is for; the first one is meant where a request names none.
    pub sites: Vec<String>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Whether an Akismet client is answered `true` for a comment that is proposed for review.
    pub review_is_spam: bool,
    /// When it was made.
    pub created_at: i64,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<i64>,
}

/// The sites that somebody may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sites {
    /// Every site.
    All,
    /// These.
    Only(Vec<String>),
}

impl Sites {
    /// One site.
    pub fn one(site: &str) -> Self {
        Self::Only(vec![site.to_owned()])
    }

    /// Whether a site is among them.
    pub fn contains(&self, site: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(sites) => sites.iter().any(|one| one == site),
        }
    }
}

/// A person who works on the desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct User {
    /// The name to log in with.
    pub name: String,
    /// `viewer`, `moderator`, `lead` or `admin`.
    pub role: String,
    /// The sites the person sees; none means all.
    pub sites: Vec<String>,
    /// When the account was made.
    pub created_at: i64,
    /// When it was disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<i64>,
    /// The hash behind the password.
    #[serde(skip)]
    pub password_hash: String,
}

/// A person who is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub user: User,
    /// What a request that changes something must carry.
    pub csrf: String,
    /// Until when.
    pub expires_at: i64,
}

/// A webhook endpoint at `/hooks/NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Its name in the address.
    pub name: String,
    /// The site it is for.
    pub site: String,
    /// Which adapter reads its payloads.
    pub adapter: String,
    /// Secrets that sign them; several during a rotation.
    pub secrets: Vec<String>,
    /// The adapter's own settings, such as the mapping of `mapped`.
    pub settings: Option<String>,
}

/// Where decisions are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// Its id.
    pub id: String,
    /// The site whose decisions it gets.
    pub site: String,
    /// The address.
    pub url: String,
    /// How it is spoken to: `standard` or `akismet`.
    pub kind: String,
    /// `whsec_` secret that signs; the blog's key for `akismet`.
    pub secret: String,
    /// Whether a private address is meant.
    pub allow_private: bool,
}
