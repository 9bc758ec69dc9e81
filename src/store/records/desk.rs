//! The desk: cards, decisions, notes, views, allow-lists.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Sites;
use crate::domain::{Id, Status};

/// A card of the queue.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
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
    /// The comment's latest assessment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assessment: Option<serde_json::Value>,
    /// The article it stands under, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub article: Option<ArticleLine>,
    /// Where the comment stands: `published`, `pending`, `rejected`, `deleted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The campaign, on a campaign's card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<CampaignCard>,
    /// What is proposed.
    pub verdict: String,
    /// Why.
    pub because: Vec<String>,
    /// Higher comes first.
    pub priority: f64,
    /// When the card was opened.
    pub opened_at: i64,
    /// Whether it waits for somebody of higher rank.
    pub escalated: bool,
    /// Who has it on the desk now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claimed_by: Option<String>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claimed_until: Option<i64>,
    /// Whether it still waits for a decision.
    pub open: bool,
}

/// An article in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ArticleLine {
    /// Its id.
    pub id: String,
    /// The headline; empty where it is not known.
    pub title: String,
    /// Where readers find it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The section of the site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
}

/// A campaign on its card.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CampaignCard {
    /// Its id.
    pub id: String,
    /// Comments of this site in it.
    pub size: i64,
    /// Of these, not decided by anybody yet.
    pub undecided: i64,
    /// Of these, what readers can see now: what a sweep would take back.
    pub published: i64,
    /// Different known authors among them.
    pub authors: i64,
    /// Different threads among them.
    pub threads: i64,
    /// When the first and the last one were posted.
    pub first_seen: i64,
    /// See `first_seen`.
    pub last_seen: i64,
    /// Ids of its comments, first first; at most a hundred.
    pub comments: Vec<String>,
    /// The first comment's text.
    pub sample: String,
    /// What people decided about it last: then the card proposes the same for the rest (a sweep).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Sweep>,
}

/// An earlier decision about a campaign, proposed again for those of its comments that it did not reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Sweep {
    /// The decision.
    pub decision: String,
    /// What was decided.
    pub action: String,
    /// By whom.
    pub actor: String,
    /// When.
    pub at: i64,
}

/// Which cards are wanted: every part that is given must fit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct QueueFilter {
    /// A site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// A section of the site, as articles name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// Where a comment of the card stands: `published`, `pending`, `rejected`, `deleted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// `review` or `hold`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// A reason, such as `campaign`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// A signal that found something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    /// A rule that hit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// A campaign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// A language, such as `en`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// An author's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// `comment` or `campaign`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Whether escalated ones are wanted, or the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalated: Option<bool>,
    /// Opened at or after this time (milliseconds since 1970).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<i64>,
    /// Opened before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// Words in a comment's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Comments whose text is at least so rare: of so many genuine ones, one scores as high.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_in_from: Option<f64>,
    /// Comments whose text is rarer than `one_in_from` and less rare than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_in_until: Option<f64>,
    /// `urgent` first, which is the order where none is given, `newest` or `oldest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub order: Option<Order>,
}

/// The order of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// The most urgent first.
    #[default]
    Urgent,
    /// What came to the queue last first.
    Newest,
    /// What has waited longest first.
    Oldest,
}

impl Order {
    /// Where a card stands: the highest rank first, of equal ones the smallest id.
    pub fn rank(self, item: &QueueItem) -> f64 {
        match self {
            Self::Urgent => item.priority,
            Self::Newest => item.opened_at as f64,
            Self::Oldest => -(item.opened_at as f64),
        }
    }
}

/// What a moderator does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
    /// Cards of the queue, each with the version that was seen.
    Items(Vec<(String, Option<i64>)>),
    /// A campaign of the site.
    Campaign(String),
    /// Comments of the site.
    Comments(Vec<Id>),
    /// Comments of the site by id and number, so far as they are free, undecided, and the same text still; the others are left out.
    Undecided(Vec<(Id, i64)>),
}

/// A decision to be taken.
#[derive(Debug, Clone)]
pub struct NewDecision {
    /// The sites that the actor may see; a target outside is not found.
    pub sites: Sites,
    /// The site of a campaign or of comments; a card knows its own.
    pub site: Option<String>,
    /// What it is about.
    pub target: Target,
    /// The version of the campaign's or the comment's card that was seen.
    pub version: Option<i64>,
    /// What to do.
    pub action: Action,
    /// Reason code.
    pub reason: Option<String>,
    /// Note.
    pub note: Option<String>,
    /// Comments of a campaign to leave out.
    pub except: Vec<Id>,
    /// Who decides, and with what rank.
    pub by: Actor,
    /// How long it can be undone, in milliseconds.
    pub undo_for: i64,
}

/// Who does something on the desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// `user:NAME` or `key:ID`.
    pub name: String,
    /// Whether escalated cards and other people's decisions are within the actor's rank.
    pub leads: bool,
}

/// A decision that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Decided {
    /// Its id.
    pub id: String,
    /// Until when it can be undone, RFC 3339.
    pub undo_until: String,
    /// How many comments it changed.
    pub comments: usize,
}

/// What an undo put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Undone {
    /// Comments that are as they were.
    pub comments: usize,
    /// The open cards on which they stand now: not always those of before.
    pub items: Vec<String>,
}

/// A past decision.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PastDecision {
    /// Its id.
    pub id: String,
    /// The site.
    pub site: String,
    /// What was decided.
    pub action: String,
    /// Reason code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// By whom.
    pub actor: String,
    /// `moderator`, or `cms` for what came back from there.
    pub trust: String,
    /// When.
    pub at: i64,
    /// Until when it can be undone by whoever took it, RFC 3339.
    pub undo_until: String,
    /// When it was undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undone_at: Option<i64>,
    /// Ids of its comments; at most a hundred.
    pub comments: Vec<String>,
    /// How many there are.
    pub size: i64,
}

/// A note of a moderator about a comment, an author or a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Note {
    /// Its id.
    pub id: String,
    /// The site.
    pub site: String,
    /// `comment`, `author` or `campaign`.
    pub kind: String,
    /// Its id.
    pub subject: String,
    /// What it says.
    pub text: String,
    /// Who wrote it.
    pub actor: String,
    /// When.
    pub at: i64,
}

/// A queue's filter with a name.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct View {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub owner: String,
    /// Its name.
    pub name: String,
    /// What it shows.
    pub query: QueueFilter,
    /// Whether others see it.
    pub shared: bool,
}

/// An author's page.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AuthorPage {
    /// The author's key: the CMS's id, else the name.
    pub id: String,
    /// The site.
    pub site: String,
    /// Whether somebody trusts the author.
    pub trusted: bool,
    /// Comments, current revisions.
    pub size: i64,
    /// Of these, approved by people.
    pub approved: i64,
    /// Of these, rejected by people.
    pub rejected: i64,
    /// Of these, not simply allowed by the engine.
    pub proposed: i64,
    /// The newest comments, newest first; at most two hundred.
    pub comments: Vec<AuthorComment>,
    /// What moderators wrote about the author.
    pub notes: Vec<Note>,
}

/// A comment on its author's page.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AuthorComment {
    /// Its number: another text has another one.
    #[serde(skip)]
    pub(crate) seq: i64,
    /// The record.
    pub comment: serde_json::Value,
    /// Where it stands.
    pub status: String,
    /// The verdict.
    pub verdict: String,
    /// 1 - p.
    pub score: f64,
    /// Its campaign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// Who decided about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// When it was posted, else received.
    pub at: i64,
    /// How like it is to the most similar one of the author's other comments listed here, in [0, 1].
    pub self_similarity: f64,
    #[serde(skip)]
    pub(crate) sketch: Option<Vec<u8>>,
}

/// A campaign that is legitimate: a petition, a letter drive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AllowedCampaign {
    /// Its id.
    pub id: String,
    /// The site.
    pub site: String,
    /// What it is, for people.
    pub title: String,
    /// Until when it is allowed.
    pub expires_at: i64,
    /// Who allowed it.
    pub actor: String,
    /// When.
    pub at: i64,
    /// The signature that its comments are like.
    #[serde(skip)]
    pub sketch: Vec<u8>,
    /// Version of the canonical form behind it.
    #[serde(skip)]
    pub canon_version: u16,
}

/// An author that a moderator trusts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TrustedAuthor {
    /// The site.
    pub site: String,
    /// The author's key.
    pub author: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Who says so.
    pub actor: String,
    /// Since when.
    pub at: i64,
}

/// Something that happened on the desk.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Event {
    /// Its number: grows.
    pub seq: i64,
    /// The site.
    pub site: String,
    /// `queue.opened`, `queue.changed`, `queue.closed`, `queue.claimed`, `decision`, `decision.undone`, `note`, ...
    pub kind: String,
    /// What, as JSON.
    pub data: serde_json::Value,
    /// When.
    pub at: i64,
}
