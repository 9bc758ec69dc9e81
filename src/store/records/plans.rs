//! Plans: what a rescoring proposes to change.

use serde::Serialize;

use super::TextFacts;
use crate::domain::{Because, Id, Verdict};

/// A plan in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Its id: made from its text.
    pub id: String,
    /// How many changes it proposes.
    pub items: i64,
    /// Who brought it in.
    pub actor: String,
    /// When.
    pub at: i64,
    /// When it was applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_at: Option<i64>,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_by: Option<String>,
    /// When that was taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undone_at: Option<i64>,
}

/// A change that a plan proposes, as the store needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The comment's id.
    pub id: Id,
    /// Its number in the store.
    pub seq: i64,
    /// The order of the last word about it when the plan was made.
    pub standing_at: i64,
    /// What would be proposed.
    pub to: Verdict,
    /// Why.
    pub because: Vec<Because>,
    /// Its campaign.
    pub campaign: Option<String>,
    /// The numbers of its text.
    pub facts: TextFacts,
    /// Order in the queue.
    pub priority: f64,
    /// What its card can be found by.
    pub tags: Vec<String>,
    /// The assessment that takes the place of the last one, as JSON.
    pub assessment: String,
}

/// What applying a plan did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Applied {
    /// Comments whose proposal changed.
    pub changed: usize,
    /// Comments that people had decided meanwhile: left alone.
    pub decided: usize,
    /// Comments whose card somebody has taken or escalated, or that a sweep or a plugin brought to the queue: left alone.
    pub held: usize,
    /// Cards that were opened.
    pub opened: usize,
    /// Cards that were closed.
    pub closed: usize,
}
