//! Style: sentences of even length.
//!
//! # What it does
//! Looks at comments of three sentences or more; the more even their lengths, the stronger the finding.
//!
//! # Why
//! Generated paragraphs tend to march in step; people stop short and ramble.
//!
//! # Limits
//! Weak by itself (careful writers are even too), so its weight is small and capped.

use super::{Finding, Signal, Subject};
use crate::domain::Level;

/// See the module's documentation.
pub(super) struct Style;

/// Spread of sentence lengths (deviation over mean) below which they read as even.
const EVEN: f64 = 0.35;

impl Signal for Style {
    fn id(&self) -> &'static str {
        "style"
    }

    fn level(&self) -> Level {
        Level::Text
    }

    fn source(&self) -> &'static str {
        include_str!("style.rs")
    }

    fn examine(&self, subject: &Subject<'_>, out: &mut Vec<Finding>) {
        let mut lengths: Vec<f64> = Vec::new();
        let mut sentence = None;
        for token in subject.analysis.judged().filter(|t| t.is_wordlike()) {
            if sentence == Some(token.sentence) {
                if let Some(last) = lengths.last_mut() {
                    *last += 1.0;
                }
            } else {
                sentence = Some(token.sentence);
                lengths.push(1.0);
            }
        }
        if lengths.len() < 3 {
            return;
        }
        let n = lengths.len() as f64;
        let mean = lengths.iter().sum::<f64>() / n;
        let spread = (lengths.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / n).sqrt() / mean;
        if spread < EVEN && mean >= 8.0 {
            out.push(Finding::new(
                1.0 - spread / EVEN,
                vec![],
                format!("{} sentences of nearly the same length", lengths.len()),
            ));
        }
    }
}
