//! Same skeleton: other words, the same frame.
//!
//! # What it does
//! Finds comments by others whose function words run the same way although their content words were swapped.
//!
//! # Why
//! Mad-libs and synonym spinning change every content word and leave the frame standing.
//!
//! # Limits
//! Needs twelve skeleton trigrams on both sides; says nothing where the texts are near-copies already.

use super::{Finding, Signal, Subject};
use crate::domain::Level;

/// See the module's documentation.
pub(super) struct SameSkeleton;

impl Signal for SameSkeleton {
    fn id(&self) -> &'static str {
        "same-skeleton"
    }

    fn level(&self) -> Level {
        Level::History
    }

    fn source(&self) -> &'static str {
        include_str!("skeleton.rs")
    }

    fn examine(&self, subject: &Subject<'_>, out: &mut Vec<Finding>) {
        let frames: Vec<_> = subject
            .history
            .copies()
            .iter()
            .filter(|copy| !copy.same_author && copy.jaccard < 0.25 && copy.skeleton > 0.6)
            .collect();
        if let Some(best) = frames.first() {
            out.push(Finding::new(
                best.skeleton,
                vec![],
                format!("same sentence frame as {} with other words in it", best.id),
            ));
        }
    }
}
