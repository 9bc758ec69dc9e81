//! Echo: how much of the comment is the article's own words.
//!
//! # What it does
//! The share of the comment's content words that stand in the article, above what is usual for genuine comments.
//!
//! # Why
//! A model that is handed the article hands it back: restatement is its nearest exit.
//!
//! # Limits
//! On-topic people echo too: half a nat at the most, and nothing without the article or below twelve words.

use super::{Finding, Signal, Subject};
use crate::domain::{Level, Span};
use crate::text::TokenKind;
use crate::text::lexicon::Classes;

/// See the module's documentation.
pub(super) struct Echo;

/// Share of content words that genuine comments commonly have from a full article.
const USUAL: f64 = 0.35;
/// The most words that are shown as evidence.
const MOST_SPANS: usize = 12;

impl Signal for Echo {
    fn id(&self) -> &'static str {
        "echo"
    }

    fn level(&self) -> Level {
        Level::Thread
    }

    fn source(&self) -> &'static str {
        include_str!("echo.rs")
    }

    fn examine(&self, subject: &Subject<'_>, out: &mut Vec<Finding>) {
        let Some(article) = subject.article.filter(|a| a.words() > 0) else { return };
        if subject.analysis.stats().words < 12 {
            return;
        }
        let mut content = 0usize;
        let mut spans: Vec<Span> = Vec::new();
        for token in subject
            .analysis
            .judged()
            .filter(|t| t.kind == TokenKind::Word && !t.classes.has(Classes::FUNCTION))
        {
            content += 1;
            if article.has_word(token.hash) {
                spans.push(token.raw);
            }
        }
        let share = spans.len() as f64 / content.max(1) as f64;
        if share > USUAL {
            spans.truncate(MOST_SPANS);
            out.push(Finding::new(
                ((share - USUAL) / 0.3).min(1.0),
                spans,
                format!("{:.0} % of its content words are the article's own", share * 100.0),
            ));
        }
    }
}
