//! Phrases: the rule files' phrases, templates, regexes and conditions.
//!
//! # What it does
//! Matches every live and shadow rule on the folded, unquoted text; each rule counts once however often it hits.
//!
//! # Why
//! Stock phrases are the plainest evidence a moderator can be shown, and rules catch a new wave before a model has learned it.
//!
//! # Limits
//! Points come from the rule files, capped by group and in sum; genuine readers use stock phrases too.

use super::{Finding, Signal, Subject};
use crate::domain::Level;

/// See the module's documentation.
pub(super) struct Phrases;

impl Signal for Phrases {
    fn id(&self) -> &'static str {
        "phrases"
    }

    fn level(&self) -> Level {
        Level::Text
    }

    fn source(&self) -> &'static str {
        include_str!("phrases.rs")
    }

    fn examine(&self, subject: &Subject<'_>, out: &mut Vec<Finding>) {
        let mut facts = subject.facts.clone();
        for hit in subject.rules.matches(subject.analysis, &mut facts) {
            let Some(rule) = subject.rules.rules().get(hit.rule) else { continue };
            out.push(Finding {
                rule: Some(hit.rule),
                strength: rule.points,
                spans: hit.spans,
                message: rule.message.clone(),
            });
        }
    }
}
