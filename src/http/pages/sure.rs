//! The question before something large is decided: how much it is, and a sample of it. The form carries on what was asked for.

use askama::Template;

use super::card::Row;
use super::frame::Frame;

/// A comment of the sample.
pub(super) struct Sample {
    heading: String,
    rarity: String,
    text: String,
}

impl Sample {
    pub(super) fn new(heading: String, rarity: String, text: String) -> Self {
        Self { heading, rarity, text }
    }

    pub(super) fn of(row: Row) -> Self {
        Self::new(row.heading, row.rarity, row.excerpt)
    }
}

/// The page.
#[derive(Template)]
#[template(path = "sure.html")]
pub(super) struct Sure {
    pub(super) f: Frame,
    pub(super) question: String,
    /// Where the form goes.
    pub(super) to: String,
    pub(super) action: &'static str,
    pub(super) hidden: Vec<(&'static str, String)>,
    /// What is not reached, and why; empty where everything is.
    pub(super) portion: String,
    /// Whether a reason and a note are asked for here, and not before.
    pub(super) asks_why: bool,
    pub(super) sample: Vec<Sample>,
    /// How many are not in the sample; empty where all are.
    pub(super) more: String,
    pub(super) back: String,
}
