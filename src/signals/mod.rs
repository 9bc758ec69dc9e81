//! Signals: plugins that read one comment in its context and emit findings, nothing else.
//!
//! A signal is one file with one line in [`SIGNALS`], its weight in `rules/any/signals.toml` and its fixture beside it.
//! It says how strongly it found something, where, and in which words; the engine alone turns that into points. Signals
//! of [`Level::Text`] run in the first stage, those of the thread and of history in the second, when every text has its p.
//! What lies outside the comment reaches a signal through [`History`]; whatever is unknown there adds nothing.
//!
//! The learned text model is evidence too, but it lives with its weights in [`crate::engine::model`].
//!
//! # A worked example
//! ```
//! use claque::domain::Level;
//! use claque::signals::{Finding, Signal, Subject};
//!
//! /// Shouting: every word in capitals.
//! struct Shouting;
//! impl Signal for Shouting {
//!     fn id(&self) -> &'static str { "shouting" }
//!     fn level(&self) -> Level { Level::Text }
//!     fn source(&self) -> &'static str { "//! Shouting: every word in capitals." }
//!     fn examine(&self, subject: &Subject<'_>, out: &mut Vec<Finding>) {
//!         if subject.analysis.case_is_noise() {
//!             out.push(Finding::new(1.0, vec![], "written in capitals"));
//!         }
//!     }
//! }
//! ```

mod author;
mod echo;
mod evasion;
mod homogeneity;
mod honeypot;
mod near_duplicate;
mod phrases;
mod portability;
mod self_similarity;
mod skeleton;
mod specificity;
mod style;

use crate::domain::{Comment, Level, Span};
use crate::rules::{Facts, RuleSet};
use crate::text::{Analysis, Reference};

/// Every signal, in the order in which they run.
pub const SIGNALS: &[&dyn Signal] = &[
    &style::Style,
    &specificity::Specificity,
    &portability::Portability,
    &evasion::Evasion,
    &author::AuthorPattern,
    &honeypot::Honeypot,
    &phrases::Phrases,
    &echo::Echo,
    &homogeneity::Homogeneity,
    &near_duplicate::NearDuplicate,
    &skeleton::SameSkeleton,
    &self_similarity::SelfSimilarity,
];

/// A plugin that reads one comment in its context.
pub trait Signal: Sync {
    /// Its stable name.
    fn id(&self) -> &'static str;
    /// What it speaks about; decides the stage in which it runs.
    fn level(&self) -> Level;
    /// Its source file, whose `//!` lines are its documentation.
    fn source(&self) -> &'static str;
    /// Emits what it finds.
    fn examine(&self, subject: &Subject<'_>, out: &mut Vec<Finding>);
}

/// A signal's documentation: the `//!` lines of its file.
pub fn documentation(signal: &dyn Signal) -> String {
    signal
        .source()
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
}

/// What a signal sees.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The record.
    pub comment: &'a Comment,
    /// Its text, derived once.
    pub analysis: &'a Analysis<'a>,
    /// The article's words.
    pub article: Option<&'a Reference>,
    /// All rules.
    pub rules: &'a RuleSet,
    /// What is known beyond the comment.
    pub history: &'a dyn History,
    /// What the signals before this one found: for rules that ask.
    pub facts: &'a Facts,
}

/// One finding, before the engine weighs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The rule behind it, by index into the ruleset.
    pub rule: Option<usize>,
    /// How strong: 1 = the signal's full weight; negative speaks for a genuine reader.
    pub strength: f64,
    /// Where in the raw text.
    pub spans: Vec<Span>,
    /// One plain sentence for a moderator.
    pub message: String,
}

impl Finding {
    /// A finding of a signal's own.
    pub fn new(strength: f64, spans: Vec<Span>, message: impl Into<String>) -> Self {
        Self { rule: None, strength, spans, message: message.into() }
    }
}

/// What a signal may know beyond the comment. Everything has an answer for "unknown".
pub trait History {
    /// Near-duplicates among other comments, best first.
    fn copies(&self) -> &[Copy] {
        &[]
    }

    /// The other comments of the thread.
    fn thread(&self) -> ThreadView {
        ThreadView::default()
    }

    /// The author's other comments; `None` when the author is unknown.
    fn own_past(&self) -> Option<OwnPast> {
        None
    }
}

/// No history at all: a comment judged in isolation.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHistory;

impl History for NoHistory {}

/// A history that was gathered beforehand.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Known {
    /// See [`History::copies`].
    pub copies: Vec<Copy>,
    /// See [`History::thread`].
    pub thread: ThreadView,
    /// See [`History::own_past`].
    pub own_past: Option<OwnPast>,
}

impl History for Known {
    fn copies(&self) -> &[Copy] {
        &self.copies
    }

    fn thread(&self) -> ThreadView {
        self.thread
    }

    fn own_past(&self) -> Option<OwnPast> {
        self.own_past
    }
}

/// A near-duplicate of the comment.
#[derive(Debug, Clone, PartialEq)]
pub struct Copy {
    /// Its id.
    pub id: crate::domain::Id,
    /// Content similarity, in [0, 1].
    pub jaccard: f64,
    /// Skeleton similarity, in [0, 1].
    pub skeleton: f64,
    /// Whether it is certainly by the same author.
    pub same_author: bool,
}

/// What a thread looks like around the comment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ThreadView {
    /// Other comments of the thread that are long enough to judge.
    pub others: usize,
    /// How many of them are among the 5 % of texts least like genuine ones.
    pub unusual: usize,
    /// Mean content similarity of the comment to them, in [0, 1].
    pub similarity: f64,
    /// Unusual comments posted within ten minutes of this one, by other authors.
    pub burst: usize,
}

/// What is known of the author's other comments.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct OwnPast {
    /// How many there are.
    pub comments: usize,
    /// The highest content similarity of this comment to one of them, in [0, 1].
    pub similarity: f64,
    /// Mean of -log10 p over them, if at least three were judged.
    pub unusual: Option<f64>,
}

/// The name of a signal by id.
pub fn by_id(id: &str) -> Option<&'static dyn Signal> {
    SIGNALS.iter().copied().find(|signal| signal.id() == id)
}

#[cfg(test)]
mod tests;
