//! What content systems speak: one file an adapter, one line in [`ADAPTERS`].
//!
//! An adapter verifies a delivery, maps it to an [`Event`], and words the answer. It knows neither the store nor HTTP: headers come
//! through a function, the time is given. Where a CMS speaks, unknown fields are ignored and missing ones are none.

pub mod callback;
mod coral;
mod discourse;
mod extract;
pub mod fetch;
mod generic;
mod ghost;
pub mod mapped;

use serde_json::Value;

use crate::domain::{Article, Comment, Id, Status, Verdict};

/// All adapters that take webhooks.
pub const ADAPTERS: &[&dyn Adapter] =
    &[&generic::Generic, &coral::Coral, &discourse::Discourse, &ghost::Ghost, &mapped::Mapped];

/// Begins the ids that we make for comments whose CMS tells none.
pub const UNNAMED: &str = "coral-";

/// A delivery before it is trusted.
pub struct Delivery<'a> {
    /// A header by its lower-case name.
    pub header: &'a dyn Fn(&str) -> Option<String>,
    /// The bytes as they came.
    pub body: &'a [u8],
    /// Now, in milliseconds since 1970.
    pub now: i64,
}

impl Delivery<'_> {
    fn header(&self, name: &str) -> Option<String> {
        (self.header)(name)
    }
}

/// What a delivery tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A comment was written or changed; an article may come with it.
    Comment(Box<Comment>, Option<Box<Article>>),
    /// An article was published or changed.
    Article(Box<Article>),
    /// The CMS or its people did something to a comment.
    Status(Id, Status),
    /// A comment is gone.
    Deleted(Id),
    /// The CMS tells, by the thread, its id of a comment that it asked about before without one.
    Named(Id, Id),
    /// Nothing that concerns us.
    Ignored,
}

/// How a hook is set up.
pub struct Setup<'a> {
    /// Secrets that sign its deliveries; several during a rotation.
    pub secrets: &'a [String],
    /// The adapter's own settings.
    pub settings: Option<&'a str>,
}

/// Why a delivery is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No valid signature: never says which part was wrong.
    #[error("the signature does not fit the body and any of the hook's secrets")]
    Signature,
    /// The time in it is too far from ours.
    #[error("the delivery's time is more than {0} seconds from ours: check both clocks")]
    Stale(i64),
    /// Not what this CMS sends.
    #[error("{0}")]
    Body(String),
}

/// What is answered: a status and a body.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// JSON body, if any.
    pub body: Option<Value>,
}

/// One content system.
pub trait Adapter: Sync {
    /// Its name in `claque hooks add --adapter`.
    fn name(&self) -> &'static str;

    /// Checks that the delivery comes from somebody who knows one of the secrets. Returns the delivery's id where the CMS gives
    /// one, against replays.
    ///
    /// # Errors
    /// [`Refusal::Signature`] or [`Refusal::Stale`].
    fn verify(&self, delivery: &Delivery<'_>, setup: &Setup<'_>) -> Result<Option<String>, Refusal>;

    /// Maps a verified delivery.
    ///
    /// # Errors
    /// [`Refusal::Body`].
    fn read(&self, delivery: &Delivery<'_>, setup: &Setup<'_>) -> Result<Event, Refusal>;

    /// Words the answer to a comment.
    fn reply(&self, assessment: &Answered) -> Reply;
}

/// What is known of a comment that was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// What is proposed.
    pub verdict: Verdict,
    /// The whole answer as the API gives it.
    pub answer: Value,
}

/// The adapter of this name.
pub fn by_name(name: &str) -> Option<&'static dyn Adapter> {
    ADAPTERS.iter().copied().find(|adapter| adapter.name() == name)
}

fn json(body: &[u8]) -> Result<Value, Refusal> {
    let value: Value =
        serde_json::from_slice(body).map_err(|error| Refusal::Body(format!("not JSON: {error}")))?;
    if value.is_object() { Ok(value) } else { Err(Refusal::Body("not a JSON object".to_owned())) }
}

/// A record out of a part of a payload.
fn record<T: serde::de::DeserializeOwned>(value: Value, what: &str) -> Result<T, Refusal> {
    serde_json::from_value(value).map_err(|error| Refusal::Body(format!("{what}: {error}")))
}

/// A string or integer field as an id.
fn id(value: &Value, field: &str) -> Option<Id> {
    serde_json::from_value(value.get(field)?.clone()).ok().filter(|id: &Id| !id.as_str().is_empty())
}

fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field)?.as_str().filter(|text| !text.is_empty())
}
