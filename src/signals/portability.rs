//! Portability: would the comment fit under any other article as well?
//!
//! # What it does
//! With the article's words at hand, looks at the comment's content words: if none of them is one of the article's subjects
//! and hardly any stands in it, the comment would fit anywhere.
//!
//! # Why
//! Praise that is sprayed over many articles names none of them.
//!
//! # Limits
//! Short genuine remarks are portable too: from twelve words on only, and the weight is small. Without the article it is silent.

use super::{Finding, Signal, Subject};
use crate::domain::Level;
use crate::text::TokenKind;
use crate::text::lexicon::Classes;

/// See the module's documentation.
pub(super) struct Portability;

/// The fewest words that are judged.
const FEWEST_WORDS: u32 = 12;
/// The fewest words of an article that is compared with.
const FEWEST_ARTICLE_WORDS: u32 = 40;

impl Signal for Portability {
    fn id(&self) -> &'static str {
        "portability"
    }

    fn level(&self) -> Level {
        Level::Thread
    }

    fn source(&self) -> &'static str {
        include_str!("portability.rs")
    }

    fn examine(&self, subject: &Subject<'_>, out: &mut Vec<Finding>) {
        let Some(article) = subject.article.filter(|a| a.words() >= FEWEST_ARTICLE_WORDS) else { return };
        if subject.analysis.stats().words < FEWEST_WORDS || subject.analysis.stats().quoted {
            return;
        }
        let content: Vec<u64> = subject
            .analysis
            .judged()
            .filter(|t| t.kind == TokenKind::Word && !t.classes.has(Classes::FUNCTION))
            .map(|t| t.hash)
            .collect();
        let shared = content.iter().filter(|hash| article.has_word(**hash)).count();
        let topics = content.iter().filter(|hash| article.is_topic(**hash)).count();
        if topics == 0 && shared * 10 <= content.len() {
            out.push(Finding::new(
                1.0,
                vec![],
                "names nothing of this article: it would fit under any other",
            ));
        }
    }
}
