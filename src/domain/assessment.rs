//! What Claque says about one comment: the line that `claque score --format jsonl` prints.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Evidence, Id};

/// The whole answer about one comment. Fields serialise in the order of design.md.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Assessment {
    /// The comment's id.
    pub id: Id,
    /// 1 - p, where p is the share of genuine comments whose text scores at least as high; in [0, 1].
    pub score: f64,
    /// What is proposed.
    pub verdict: Verdict,
    /// Which decision rules fired, most telling first.
    pub because: Vec<Because>,
    /// True when the text was not judged (empty, or a language without a pack).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub abstained: bool,
    /// True when its author is trusted: then nothing is proposed, whatever the evidence.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub trusted: bool,
    /// The campaign it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign_id: Option<Id>,
    /// How its thread looks as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<ThreadSummary>,
    /// Totals of the three levels, in natural-log odds.
    pub points: Points,
    /// The findings, weightiest first.
    pub evidence: Vec<Evidence>,
    /// Digest of all rule files.
    pub ruleset: String,
    /// Digest of the text model.
    pub model: String,
    /// Version of the engine.
    pub engine: &'static str,
}

/// What is proposed for a comment. Nothing is ever removed without a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Publish as usual.
    Allow,
    /// Show it to a moderator; it may be public meanwhile.
    Review,
    /// Keep it back until a moderator has seen it (only where configuration maps a reason to it).
    Hold,
}

/// The decision rule that fired (science.md 6.1 step 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Because {
    /// The text alone is very rare among genuine comments.
    Text,
    /// The text is rare and something independent agrees.
    Corroborated,
    /// The thread as a whole raises an alarm and the text is among its unusual ones.
    Thread,
    /// It is one of several near-copies by different authors.
    Campaign,
    /// Characters were hidden or disguised on purpose.
    HiddenCharacters,
    /// A rule says so by itself.
    Rule,
}

/// Totals of the three levels, in natural-log odds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, ToSchema)]
pub struct Points {
    /// The comment's own words.
    pub text: f64,
    /// Article, parent and thread.
    pub thread: f64,
    /// Other comments and the author's past.
    pub history: f64,
}

/// How a thread looks as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ThreadSummary {
    /// The thread's id.
    pub id: Id,
    /// Whether the thread raises an alarm.
    pub alarm: bool,
    /// How probable so many unusual texts are in a genuine thread; in (0, 1].
    pub p: f64,
}
