//! Evidence: one finding about a comment, in points, spans and words.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A half-open range of byte offsets `[start, end)` into the raw text; both ends lie on character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(into = "[u32; 2]", from = "[u32; 2]")]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span from its two ends.
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// The smallest span that holds both.
    #[must_use]
    pub fn cover(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Length in bytes.
    pub const fn len(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    /// Whether it holds no byte.
    pub const fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// The part of `text` that the span covers; empty when the span does not fit the text.
    pub fn slice(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

impl From<Span> for [u32; 2] {
    fn from(span: Span) -> Self {
        [span.start, span.end]
    }
}

impl From<[u32; 2]> for Span {
    fn from([start, end]: [u32; 2]) -> Self {
        Self { start, end }
    }
}

/// What a piece of evidence speaks about. Points of one level add up to that level's total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The comment's own words.
    Text,
    /// The article, the parent and the other comments of the thread.
    Thread,
    /// Comments elsewhere and earlier: copies by others, the author's own past.
    History,
}

/// One finding about one comment.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Evidence {
    /// The signal that found it; `plugin:NAME` for one of the newsroom's own.
    #[schema(value_type = String)]
    pub signal: Cow<'static, str>,
    /// The rule's full id, for evidence that comes from a rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Natural-log odds: positive speaks for templated text, negative for a genuine reader. 0 = counted, not weighed.
    pub points: f64,
    /// What it speaks about.
    pub level: Level,
    /// Where in the raw text.
    #[schema(value_type = Vec<[u32; 2]>)]
    pub spans: Vec<Span>,
    /// One plain sentence for a moderator.
    pub message: String,
}
