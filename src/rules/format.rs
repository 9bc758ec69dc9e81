//! A rule file as it is written. See `rules/README.md` for authors; every key is documented there and here.

use chrono::NaiveDate;
use serde::Deserialize;

/// One file: a pack of rules.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// What the pack is.
    pub pack: Pack,
    /// Groups that the pack brings along.
    #[serde(default, rename = "group")]
    pub groups: Vec<RawGroup>,
    /// Weights of signals.
    #[serde(default, rename = "signal")]
    pub signals: Vec<RawSignal>,
    /// Its rules.
    #[serde(default, rename = "rule")]
    pub rules: Vec<RawRule>,
}

/// The head of a pack.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// Lower-case id with dots and hyphens; a rule's full id is `pack/rule`.
    pub id: String,
    /// What the pack is about.
    #[serde(default)]
    pub title: Option<String>,
    /// Languages that it judges (ISO 639-1), or `*`.
    #[serde(default)]
    pub lang: Vec<String>,
    /// Whom to ask.
    #[serde(default)]
    pub owner: Option<String>,
}

/// A group of rules whose points are capped together.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawGroup {
    /// The name that rules give as `group`.
    pub id: String,
    /// Largest sum of points, either sign, in nats.
    pub cap: f64,
}

/// How much a signal of `src/signals` counts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSignal {
    /// The signal's id.
    pub id: String,
    /// Points of a finding of strength 1; 0 = shown and counted only.
    pub weight: f64,
    /// Largest sum of all its findings, either sign.
    pub cap: f64,
    /// For authors.
    #[serde(default)]
    pub note: Option<String>,
}

/// A rule as written. In an override file every key but `id` may be left out.
#[derive(Debug, Clone, PartialEq, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct RawRule {
    /// The id inside the pack.
    pub id: String,
    /// What sort of pattern it has.
    pub kind: Option<Kind>,
    /// Literal phrases.
    pub phrases: Option<Vec<String>>,
    /// One template.
    pub template: Option<String>,
    /// Several templates.
    pub templates: Option<Vec<String>>,
    /// A regular expression.
    pub regex: Option<String>,
    /// Whether the regex sees the raw text.
    pub raw: Option<bool>,
    /// Where in the comment it may match.
    pub at: Option<Anchor>,
    /// Natural-log odds.
    pub points: Option<f64>,
    /// The group it is capped with.
    pub group: Option<String>,
    /// Whether it counts.
    pub status: Option<Status>,
    /// When it was written.
    pub added: Option<toml::value::Datetime>,
    /// From when on it only counts as shadow.
    pub expires: Option<toml::value::Datetime>,
    /// The sentence that a moderator reads.
    pub message: Option<String>,
    /// For authors.
    pub note: Option<String>,
    /// Guards that all must hold.
    pub when: Option<Vec<String>>,
    /// Guards of which none may hold.
    pub unless: Option<Vec<String>>,
    /// Cases that `claque rules test` runs.
    #[serde(default, rename = "test")]
    pub tests: Vec<Case>,
    /// Where it was read: of an override, the operator's file.
    #[serde(skip)]
    pub origin: Option<Origin>,
}

/// A rule's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file, as it was named.
    pub file: String,
    /// The line of its `[[rule]]`, from 1.
    pub line: usize,
}

impl RawRule {
    /// Overlays the keys that `other` gives.
    pub fn merge(&mut self, other: Self) {
        macro_rules! overlay {
            ($($field:ident),*) => { $( if other.$field.is_some() { self.$field = other.$field; } )* };
        }
        overlay!(
            kind, phrases, template, templates, regex, raw, at, points, group, status, added, expires,
            message, note, when, unless, origin
        );
        if !other.tests.is_empty() {
            self.tests = other.tests;
        }
    }
}

/// The sort of a rule's pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Literal phrases at word boundaries.
    Phrases,
    /// Word patterns with alternatives, optional parts and gaps.
    Template,
    /// A regular expression.
    Regex,
    /// Guards only.
    Condition,
}

/// Where a pattern may match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Anchor {
    /// Anywhere.
    #[default]
    Anywhere,
    /// At the first word of the comment.
    Start,
    /// At the first word of a sentence.
    SentenceStart,
    /// The whole comment.
    Whole,
}

/// Whether a rule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Not compiled yet.
    Draft,
    /// Matched and counted, no points.
    Shadow,
    /// Counts.
    Live,
    /// Not compiled; kept for the history.
    Deprecated,
}

impl Status {
    /// The word in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Shadow => "shadow",
            Self::Live => "live",
            Self::Deprecated => "deprecated",
        }
    }
}

/// A self-test of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// A comment.
    pub text: String,
    /// Whether the rule must hit it.
    pub hits: bool,
}

/// The calendar day of a TOML date.
pub fn day(date: &toml::value::Datetime) -> Option<NaiveDate> {
    let date = date.date.as_ref()?;
    NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day))
}
