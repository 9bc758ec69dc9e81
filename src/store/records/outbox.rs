//! Callbacks under way.

use serde::Serialize;
use utoipa::ToSchema;

use super::Callback;

/// A callback that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The message's id, the same on every try.
    pub id: String,
    /// Where it goes.
    pub callback: Callback,
    /// What is sent.
    pub body: String,
    /// Tries so far.
    pub attempts: i64,
}

/// How a try to deliver ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The receiver took it.
    Done,
    /// Try again at this time.
    Again(i64, String),
    /// The receiver refused this one: it is tried again at this time, the others go on.
    Refused(i64, String),
    /// Given up; listed as a dead letter.
    Dead(String),
    /// The receiver said 410: it wants no more.
    Gone,
}

/// A message of the outbox, as the delivery log shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Message {
    /// Its id: the receiver's key against doubles.
    pub id: String,
    /// The callback.
    pub callback: String,
    /// Where it goes.
    pub url: String,
    /// `pending`, `done` or `dead`.
    pub state: String,
    /// When it was written.
    pub created_at: i64,
    /// When it is tried next.
    pub due_at: i64,
    /// Every try so far.
    pub tries: Vec<Try>,
    /// What is sent.
    pub body: String,
}

/// One try to deliver a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Try {
    /// When.
    pub at: i64,
    /// What came of it.
    pub outcome: String,
    /// How long it took, in milliseconds.
    pub millis: i64,
}
