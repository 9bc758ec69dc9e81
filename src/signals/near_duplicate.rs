//! Near-duplicate: the comment is a copy of others' comments.
//!
//! # What it does
//! Takes the verified near-duplicates by other authors; the closest decides the strength, many authors add to it.
//!
//! # Why
//! Two readers do not write the same fifteen words by chance.
//!
//! # Limits
//! The same author's own copies do not count here, quotations are left out before comparing, short texts are not compared.
//! Petitions are copies too: it says "copy", never "bot".

use super::{Finding, Signal, Subject};
use crate::domain::Level;

/// See the module's documentation.
pub(super) struct NearDuplicate;

impl Signal for NearDuplicate {
    fn id(&self) -> &'static str {
        "near-duplicate"
    }

    fn level(&self) -> Level {
        Level::History
    }

    fn source(&self) -> &'static str {
        include_str!("near_duplicate.rs")
    }

    fn examine(&self, subject: &Subject<'_>, out: &mut Vec<Finding>) {
        let others: Vec<_> = subject
            .history
            .copies()
            .iter()
            .filter(|copy| !copy.same_author && copy.jaccard >= 0.25)
            .collect();
        let Some(best) = others.first() else { return };
        let closeness = if best.jaccard >= 0.5 { 1.0 } else { 0.6 };
        let crowd = if others.len() >= 5 { 0.25 } else { 0.0 };
        let count = others.len();
        let plural = if count == 1 { "comment" } else { "comments" };
        out.push(Finding::new(
            closeness + crowd,
            vec![],
            format!(
                "near-copy of {count} other {plural}; nearest is {} ({:.0} % the same)",
                best.id,
                best.jaccard * 100.0
            ),
        ));
    }
}
