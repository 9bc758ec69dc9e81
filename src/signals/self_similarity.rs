//! Self-similarity: the author says the same again and again.
//!
//! # What it does
//! Compares the comment with the same author's other comments, and looks at how unusual those were.
//!
//! # Why
//! An account that only ever posts one text is a poster, not a reader.
//!
//! # Limits
//! People repeat themselves when ignored, so the weight is small; an unknown author is never counted.

use super::{Finding, Signal, Subject};
use crate::domain::Level;

/// See the module's documentation.
pub(super) struct SelfSimilarity;

impl Signal for SelfSimilarity {
    fn id(&self) -> &'static str {
        "self-similarity"
    }

    fn level(&self) -> Level {
        Level::History
    }

    fn source(&self) -> &'static str {
        include_str!("self_similarity.rs")
    }

    fn examine(&self, subject: &Subject<'_>, out: &mut Vec<Finding>) {
        let Some(past) = subject.history.own_past().filter(|past| past.comments > 0) else { return };
        if past.similarity >= 0.5 {
            out.push(Finding::new(
                past.similarity,
                vec![],
                format!(
                    "the author posted nearly the same text before ({:.0} % the same)",
                    past.similarity * 100.0
                ),
            ));
        }
        if let Some(mean) = past.unusual.filter(|mean| *mean >= 1.3 && past.comments >= 4) {
            out.push(Finding::new(
                0.5,
                vec![],
                format!(
                    "the author's {} other comments are as unusual as this one (mean rank 1 in {:.0})",
                    past.comments,
                    10f64.powf(mean)
                ),
            ));
        }
    }
}
