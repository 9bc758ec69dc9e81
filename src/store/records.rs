//! What goes in and out of the store: plain records, times in milliseconds since 1970 (UTC).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::domain::{Because, Comment, Id, Status, Verdict};

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

/// A key that was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its id; never the key itself.
    pub id: String,
    /// The site it is for.
    pub site: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
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
    /// `whsec_` secret that signs.
    pub secret: String,
    /// Whether a private address is meant.
    pub allow_private: bool,
}

/// Numbers of a judged text that decide what happens when its campaign or thread grows.
#[derive(Debug, Clone, Copy, PartialEq)]
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
    /// The assessment as JSON.
    pub assessment: String,
    /// Whether it goes to the queue (a backfill does not).
    pub queue: bool,
    /// Order in the queue.
    pub priority: f64,
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
}

/// What became of a delivered comment.
#[derive(Debug)]
pub struct Taken {
    /// Its number in the store.
    pub seq: i64,
    /// The assessment that is the answer: the first one of this revision.
    pub assessment: Box<RawValue>,
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
}

/// A stored comment as `GET` shows it.
#[derive(Debug, Serialize)]
pub struct StoredComment {
    /// The record.
    pub comment: Comment,
    /// Where it stands.
    pub status: Status,
    /// Who decided so: `cms` or a person; none while nobody has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// The latest assessment.
    pub assessment: Box<RawValue>,
    /// All assessments, first first.
    pub history: Vec<PastAssessment>,
    /// Whether it stands in the queue.
    pub queued: bool,
}

/// One assessment of a comment's history.
#[derive(Debug, Serialize)]
pub struct PastAssessment {
    /// When.
    pub at: i64,
    /// What led to it: `arrival`, `campaign` or `thread`.
    pub cause: String,
    /// The assessment.
    pub assessment: Box<RawValue>,
}

/// A card of the queue.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QueueItem {
    /// Its id.
    pub id: String,
    /// Grows with every change; a decision names the one it saw.
    pub version: i64,
    /// `comment` or `campaign`.
    pub kind: String,
    /// The site.
    pub site: String,
    /// The comment, on a comment's card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<serde_json::Value>,
    /// The campaign, on a campaign's card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<CampaignCard>,
    /// What is proposed.
    pub verdict: String,
    /// Why.
    pub because: Vec<String>,
    /// Higher comes first.
    pub priority: f64,
    /// Who has it on the desk now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claimed_by: Option<String>,
}

/// A campaign on its card.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CampaignCard {
    /// Its id.
    pub id: String,
    /// Comments of this site in it.
    pub size: usize,
    /// Different known authors among them.
    pub authors: usize,
    /// Different threads among them.
    pub threads: usize,
    /// Ids of its comments, first first; at most a hundred.
    pub comments: Vec<String>,
    /// The first comment's text.
    pub sample: String,
}

/// What a moderator does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It may stay public.
    Approve,
    /// It goes.
    Reject,
    /// Somebody of higher rank is to look.
    Escalate,
    /// Not now.
    Skip,
}

impl Action {
    /// The status a comment gets; none where the action leaves it as it is.
    pub fn status(self) -> Option<Status> {
        match self {
            Self::Approve => Some(Status::Published),
            Self::Reject => Some(Status::Rejected),
            Self::Escalate | Self::Skip => None,
        }
    }

    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Escalate => "escalate",
            Self::Skip => "skip",
        }
    }
}

/// What a decision is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A card of the queue.
    Item(String),
    /// A campaign of the site.
    Campaign(String),
    /// One comment.
    Comment(Id),
}

/// A decision to be taken.
#[derive(Debug, Clone)]
pub struct NewDecision {
    /// The site; a target of another site is not found.
    pub site: String,
    /// What it is about.
    pub target: Target,
    /// The version of the card that was seen.
    pub version: Option<i64>,
    /// What to do.
    pub action: Action,
    /// Reason code.
    pub reason: Option<String>,
    /// Note.
    pub note: Option<String>,
    /// Comments of a campaign to leave out.
    pub except: Vec<Id>,
    /// Who decides.
    pub actor: String,
    /// How long it can be undone, in milliseconds.
    pub undo_for: i64,
}

/// A decision that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decided {
    /// Its id.
    pub id: String,
    /// Until when it can be undone, RFC 3339.
    pub undo_until: String,
    /// How many comments it changed.
    pub comments: usize,
}

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
    /// Given up; listed as a dead letter.
    Dead(String),
    /// The receiver said 410: it wants no more.
    Gone,
}

/// One entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    /// Its number.
    pub seq: i64,
    /// When.
    pub at: i64,
    /// Who.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub subject: String,
    /// Details as JSON.
    pub detail: String,
    /// SHA-256 over the entry before it and this one, hexadecimal.
    pub hash: String,
}

/// Counts for the metrics page and `GET /v1/stats`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Counts {
    /// Comments, current revisions only.
    pub comments: i64,
    /// Of these, proposed for review.
    pub review: i64,
    /// Open cards.
    pub queue: i64,
    /// Age of the oldest open card, in seconds.
    pub oldest_seconds: i64,
    /// Decisions that stand.
    pub decisions: i64,
    /// Callbacks waiting.
    pub outbox: i64,
    /// Callbacks given up.
    pub dead_letters: i64,
}
