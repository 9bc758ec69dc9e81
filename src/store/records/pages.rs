//! What the desk's pages ask beside the queue: lists of comments, numbers of a morning, people's own settings.

use serde::Serialize;
use utoipa::ToSchema;

use super::ArticleLine;
use crate::domain::Label;

/// Numbers beside the queues' names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct QueueCounts {
    /// Open cards.
    pub all: i64,
    /// Of these, campaigns.
    pub campaigns: i64,
    /// Of these, escalated ones.
    pub escalated: i64,
    /// When the oldest was opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_at: Option<i64>,
}

/// Which comments a list is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// Of a campaign, first first.
    Campaign(String),
    /// Of a campaign what readers can see and nobody decided: what a sweep takes back.
    Sweep(String),
    /// Of an article, whatever its threads are called, first first.
    Article(String),
    /// With these words, newest first.
    Text(String),
    /// With these numbers in the store.
    Seqs(Vec<i64>),
}

/// A comment in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Its number in the store: where the next page goes on.
    pub seq: i64,
    /// The site.
    pub site: String,
    /// Its id.
    pub id: String,
    /// The record.
    pub comment: serde_json::Value,
    /// Where it stands.
    pub status: String,
    /// What is proposed.
    pub verdict: String,
    /// Share of genuine comments whose text scores at least as high.
    pub p: f64,
    /// Whether the text was not judged.
    pub abstained: bool,
    /// Its campaign.
    pub campaign: Option<String>,
    /// Who decided about it.
    pub decided_by: Option<String>,
    /// When it was posted, else received.
    pub at: i64,
    /// The article it stands under.
    pub article: Option<ArticleLine>,
    /// Its signature.
    pub sketch: Option<Vec<u8>>,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ListPage {
    /// The comments.
    pub comments: Vec<Listed>,
    /// Where the next page goes on; none after the last.
    pub next: Option<i64>,
    /// How far back a search has looked, where it stopped before the end.
    pub looked_back_to: Option<i64>,
}

/// A comment as an archive reads it from the store.
#[derive(Debug, Clone, PartialEq)]
pub struct Archived {
    /// Its number.
    pub seq: i64,
    /// The record.
    pub comment: crate::domain::Comment,
    /// The order of the last word said about it.
    pub standing_at: i64,
    /// What is proposed.
    pub verdict: String,
    /// Its campaign.
    pub campaign: Option<String>,
    /// How it stands in public.
    pub status: String,
    /// Who decided about it, if anybody did: `user:`, `key:` or `cms`.
    pub decided_by: Option<String>,
    /// The reason that was given.
    pub reason: Option<String>,
    /// Whether its author is trusted.
    pub trusted: bool,
    /// Whether it is proposed and stands on no card: it came as history, of which nobody is asked.
    pub unasked: bool,
}

impl Archived {
    /// How it stands, where somebody decided.
    pub fn decided(&self) -> Option<&str> {
        self.decided_by.as_ref().map(|_| self.status.as_str())
    }

    /// What the decision says of the text: approved is by a person; rejected is templated if it was rejected here for one of these reasons, or without a
    /// reason when that was proposed. A rejection for an insult says nothing of it, and the CMS does not tell why it rejects.
    pub fn label(&self, templated: &[String]) -> Option<Label> {
        match (self.decided()?, self.decided_by.as_deref()) {
            ("published", _) => Some(Label::Human),
            ("rejected", by) if by != Some("cms") => {
                let says_so = match &self.reason {
                    Some(reason) => templated.contains(reason),
                    None => self.verdict != "allow",
                };
                says_so.then_some(Label::Machine)
            }
            _ => None,
        }
    }
}

/// Something that a name leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// `comment`, `card`, `campaign`, `author`, `article`.
    pub kind: &'static str,
    /// The site.
    pub site: String,
    /// Its id.
    pub id: String,
    /// In a few words.
    pub label: String,
}

/// Comments of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Hour {
    /// Hours since 1970.
    pub hour: i64,
    /// Comments that came.
    pub comments: i64,
    /// Of these, proposed for review on arrival.
    pub flagged: i64,
}

/// How often a rule or signal was there where people decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleResult {
    /// The rule's id, or the signal's.
    pub name: String,
    /// Comments rejected.
    pub rejected: i64,
    /// Comments approved.
    pub approved: i64,
}

/// A campaign that grew lately.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Growing {
    /// The site.
    pub site: String,
    /// Its id.
    pub id: String,
    /// Comments lately.
    pub lately: i64,
    /// All comments.
    pub size: i64,
    /// The first comment's text.
    pub sample: String,
    /// Comments in each of the last 24 hours, the oldest first.
    pub hours: Vec<i64>,
}

/// What the morning page tells.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Morning {
    /// Counts of the queue.
    pub queue: QueueCounts,
    /// Open cards younger than an hour, than six, than a day, than three days, and older.
    pub ages: [i64; 5],
    /// The hours of the time asked for that had comments.
    pub hours: Vec<Hour>,
    /// Minutes from the opening of a card to its decision, ascending.
    pub handling: Vec<f64>,
    /// Decisions, by whom and what.
    pub deciders: Vec<(String, String, i64)>,
    /// Decisions by day (days since 1970), what, and how many comments.
    pub decided: Vec<(i64, String, i64)>,
    /// Campaigns that grew in the last 24 hours, most first.
    pub growing: Vec<Growing>,
    /// What people decided where each rule or signal had hit, most first.
    pub rules: Vec<RuleResult>,
}

/// A rule that was drafted on the desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleDraft {
    /// Its id, also its pack's.
    pub id: String,
    /// The site whose campaign it was drafted from.
    pub site: String,
    /// The rule file.
    pub text: String,
    /// Who drafted it.
    pub actor: String,
    /// When.
    pub at: i64,
}

/// A text that somebody tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// Its id.
    pub id: String,
    /// What was tried, as JSON.
    pub record: String,
    /// By whom.
    pub actor: String,
    /// When.
    pub at: i64,
}
