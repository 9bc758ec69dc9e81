//! Comments, their judged numbers, their assessments.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::domain::{Because, Comment, Id, Status, Verdict};

/// Numbers of a judged text that decide what happens when its campaign or thread grows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TextFacts {
    /// Text points.
    pub points: f64,
    /// Share of genuine comments that score at least as high.
    pub p: f64,
    /// Words judged.
    pub words: u32,
    /// Disguised words.
    pub disguised: u32,
    /// Points of the strongest rule.
    pub strongest_rule: f64,
    /// Whether the text was not judged.
    pub abstained: bool,
}

/// A comment that was judged and is to be kept.
#[derive(Debug, Clone)]
pub struct NewComment {
    /// The record, personal data already hashed.
    pub comment: Comment,
    /// The site.
    pub site: String,
    /// Names this version of the text: a repeated delivery has the same.
    pub revision: String,
    /// The text's numbers.
    pub facts: TextFacts,
    /// The signature, as `Sketch::to_bytes` gives it.
    pub sketch: Option<Vec<u8>>,
    /// What is proposed.
    pub verdict: Verdict,
    /// Why.
    pub because: Vec<Because>,
    /// Its campaign.
    pub campaign: Option<String>,
    /// Its language.
    pub lang: Option<String>,
    /// Whether its author is trusted.
    pub trusted: bool,
    /// The assessment as JSON.
    pub assessment: String,
    /// Whether it goes to the queue (a backfill does not).
    pub queue: bool,
    /// Order in the queue.
    pub priority: f64,
    /// What its card can be found by, such as `signal:style`.
    pub tags: Vec<String>,
    /// What it changed about earlier comments.
    pub changed: Vec<Reassessed>,
    /// See [`Reassessed::stamp`].
    pub stamp: i64,
}

/// What the store knows of a delivery before it is judged.
#[derive(Debug)]
pub enum Arrival {
    /// It was taken before: the first answer.
    Known(Taken),
    /// The comment was deleted.
    Deleted,
    /// It is new.
    New {
        /// The text of the comment it replies to.
        parent: Option<String>,
        /// Comments of its author that people approved, less those they rejected.
        approved: i64,
    },
}

/// What is known of an author's good name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Trust {
    /// Whether somebody put the author on the list of trusted ones.
    pub listed: bool,
    /// Comments of the author that people approved, less those they rejected.
    pub approved: i64,
}

/// An earlier comment whose standing changed with a new one.
#[derive(Debug, Clone)]
pub struct Reassessed {
    /// Its number in the store.
    pub seq: i64,
    /// What changed it: `campaign` or `thread`.
    pub cause: &'static str,
    /// What is proposed now.
    pub verdict: Verdict,
    /// Why.
    pub because: Vec<Because>,
    /// Its campaign now.
    pub campaign: Option<String>,
    /// Its thread now, as JSON.
    pub thread: Option<String>,
    /// Order in the queue.
    pub priority: f64,
    /// Whether it may come into the queue.
    pub queue: bool,
    /// Grows with every word of the live index: an older one never takes the place of a newer.
    pub stamp: i64,
}

/// What became of a delivered comment.
#[derive(Debug)]
pub struct Taken {
    /// Its number in the store.
    pub seq: i64,
    /// The assessment that is the answer: the first one of this revision.
    pub assessment: Box<RawValue>,
    /// What is proposed in it.
    pub verdict: Verdict,
    /// Whether it stands in the queue.
    pub queued: bool,
    /// False when this delivery was known.
    pub fresh: bool,
    /// The number of the revision that this one took the place of.
    pub replaced: Option<i64>,
}

/// What the live index needs of a stored comment.
#[derive(Debug, Clone)]
pub struct Remembered {
    /// Its number in the store.
    pub seq: i64,
    /// The site.
    pub site: String,
    /// The comment's id.
    pub id: String,
    /// Its thread.
    pub thread: Option<String>,
    /// Its author's key.
    pub author: Option<String>,
    /// When it was posted, else received.
    pub at: i64,
    /// The text's numbers.
    pub facts: TextFacts,
    /// The signature.
    pub sketch: Option<Vec<u8>>,
    /// Version of the canonical form behind the signature.
    pub canon_version: u16,
    /// The verdict so far.
    pub verdict: Verdict,
    /// The campaign so far.
    pub campaign: Option<String>,
    /// Whether its latest assessment put it on its campaign's card.
    pub on_campaign_card: bool,
    /// Whether its author was trusted when it came.
    pub trusted: bool,
    /// Whether it came with a site's history, and not live.
    pub history: bool,
}

/// A stored comment as `GET` shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoredComment {
    /// The record.
    pub comment: Comment,
    /// Where it stands.
    pub status: Status,
    /// Who decided so: `cms` or a person; none while nobody has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// The latest assessment.
    #[schema(value_type = Object)]
    pub assessment: Box<RawValue>,
    /// All assessments, first first.
    pub history: Vec<PastAssessment>,
    /// Whether it stands in the queue.
    pub queued: bool,
}

/// One assessment of a comment's history.
#[derive(Debug, Serialize, ToSchema)]
pub struct PastAssessment {
    /// When.
    pub at: i64,
    /// What led to it: `arrival`, `campaign` or `thread`.
    pub cause: String,
    /// The assessment.
    #[schema(value_type = Object)]
    pub assessment: Box<RawValue>,
}

/// What is asked of the store before a comment is judged.
#[derive(Debug, Clone)]
pub struct Question {
    /// The site.
    pub site: String,
    /// The comment's id.
    pub id: Id,
    /// Names this version of the text.
    pub revision: String,
    /// The comment it replies to.
    pub parent: Option<Id>,
    /// Its author's key, where the author's approved comments are to be counted.
    pub author: Option<String>,
}

/// A comment whose signature is of an older canonical form.
#[derive(Debug, Clone)]
pub struct Unsigned {
    /// Its number.
    pub seq: i64,
    /// The site.
    pub site: String,
    /// The record.
    pub comment: Comment,
}
