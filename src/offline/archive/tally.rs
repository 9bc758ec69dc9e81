//! What a rescoring counted: everything that the summary and the report tell beyond single campaigns and threads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::spool::Spooled;
use crate::domain::{Assessment, Label, Verdict};

/// Columns of the histogram of rarities: powers of ten in halves; the last holds what is beyond.
pub(super) const COLUMNS: usize = 25;
/// Names that are counted apart; what comes later is counted together.
const MOST_NAMES: usize = 300;
/// What stands for the names that came too late.
const OTHERS: &str = "(others)";
/// Bounds of the bands of length, in words.
const LENGTHS: [(usize, &str); 6] = [
    (8, "under 8 words"),
    (15, "8 to 14"),
    (30, "15 to 29"),
    (60, "30 to 59"),
    (120, "60 to 119"),
    (usize::MAX, "120 and more"),
];

/// Comments of a kind, and how many of them are flagged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Share {
    /// Comments.
    pub comments: u64,
    /// Of these, not simply allowed.
    pub flagged: u64,
}

impl Share {
    fn add(&mut self, flagged: bool) {
        self.comments += 1;
        self.flagged += u64::from(flagged);
    }
}

/// What changed against the verdicts in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Changes {
    /// Allowed there, flagged now.
    pub caught: u64,
    /// Flagged there, allowed now.
    pub spared: u64,
    /// Caught though people had approved it.
    pub caught_approved: u64,
    /// Spared though people had rejected it.
    pub spared_rejected: u64,
}

/// The counts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// All comments.
    pub all: Share,
    /// Comments whose text was not judged.
    pub abstained: u64,
    /// Flags by reason; a comment may have several.
    pub because: BTreeMap<String, u64>,
    /// Judged comments by the rarity of their wording.
    pub rarities: Vec<u64>,
    /// By the section of their article.
    pub sections: BTreeMap<String, Share>,
    /// By language, as the record says it.
    pub languages: BTreeMap<String, Share>,
    /// By number of words.
    pub lengths: BTreeMap<String, Share>,
    /// By site.
    pub sites: BTreeMap<String, Share>,
    /// By rule and by signal, where it hit.
    pub rules: BTreeMap<String, Share>,
    /// By what people or a data set say.
    pub labels: BTreeMap<String, Share>,
    /// By day (days since 1970).
    pub days: BTreeMap<i64, Share>,
    /// Against the store's verdicts.
    pub changes: Changes,
}

fn count(map: &mut BTreeMap<String, Share>, name: &str, flagged: bool) {
    let name = if map.len() < MOST_NAMES || map.contains_key(name) { name } else { OTHERS };
    match map.get_mut(name) {
        Some(share) => share.add(flagged),
        None => map.entry(name.to_owned()).or_default().add(flagged),
    }
}

/// A label's word.
pub(super) fn label_name(label: Label) -> &'static str {
    match label {
        Label::Human => "human",
        Label::Machine => "machine",
        Label::Spam => "spam",
    }
}

impl Tally {
    /// Counts a comment.
    pub(super) fn add(&mut self, spooled: &Spooled, section: Option<&str>, assessment: &Assessment) {
        let comment = &spooled.comment;
        let flagged = assessment.verdict != Verdict::Allow;
        self.all.add(flagged);
        if assessment.abstained {
            self.abstained += 1;
        } else {
            self.rarities.resize(COLUMNS, 0);
            let column = (-(1.0 - assessment.score).max(1e-300).log10() * 2.0).max(0.0) as usize;
            if let Some(count) = self.rarities.get_mut(column.min(COLUMNS - 1)) {
                *count += 1;
            }
        }
        for because in &assessment.because {
            let word = serde_json::to_value(because).ok();
            let word = word.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
            *self.because.entry(word.to_owned()).or_default() += 1;
        }
        count(&mut self.sections, section.unwrap_or("(unknown)"), flagged);
        count(&mut self.languages, comment.lang.as_deref().unwrap_or("(not said)"), flagged);
        let words = comment.text.split_whitespace().count();
        let length = LENGTHS.iter().find(|(bound, _)| words < *bound).map_or("", |(_, name)| name);
        count(&mut self.lengths, length, flagged);
        count(&mut self.sites, comment.site.as_ref().map_or("(no site)", |site| site.as_str()), flagged);
        let mut names: Vec<&str> =
            assessment.evidence.iter().map(|one| one.rule.as_deref().unwrap_or(&one.signal)).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            count(&mut self.rules, name, flagged);
        }
        if let Some(label) = spooled.comment.label {
            count(&mut self.labels, label_name(label), flagged);
        }
        if let Some(at) = comment.created_at {
            self.days.entry(at.timestamp().div_euclid(86_400)).or_default().add(flagged);
        }
        if let Some(stored) = &spooled.stored {
            let was = stored.verdict != Verdict::Allow;
            let decided = stored.decided.as_deref();
            self.changes.caught += u64::from(flagged && !was);
            self.changes.spared += u64::from(!flagged && was);
            self.changes.caught_approved += u64::from(flagged && !was && decided == Some("published"));
            self.changes.spared_rejected += u64::from(!flagged && was && decided == Some("rejected"));
        }
    }

    /// The bands of length, in their order.
    pub fn lengths_in_order(&self) -> Vec<(String, Share)> {
        let named =
            LENGTHS.iter().filter_map(|(_, name)| Some(((*name).to_owned(), *self.lengths.get(*name)?)));
        named.collect()
    }
}
