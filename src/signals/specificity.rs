//! Specificity: things that only this writer, or a reader of only this article, would say.
//!
//! # What it does
//! Counts marks of a person: first person singular, numbers and names that the article does not have, kin, direct
//! disagreement, direct speech, lower-case starts and dropped apostrophes. The more kinds, the stronger; the finding is negative.
//!
//! # Why
//! Templated praise fits everywhere; genuine readers bring something of their own.
//!
//! # Limits
//! Machine anecdotes fake it, so it is capped low and never vetoes anything.

use super::{Finding, Signal, Subject};
use crate::domain::{Level, Span};
use crate::text::lexicon::Classes;
use crate::text::{Shape, TokenKind};

/// Classes of words that a person uses, each a kind of its own.
const PERSONAL: [Classes; 4] = [Classes::FIRST_PERSON, Classes::KIN, Classes::BLUNT, Classes::NO_APOSTROPHE];

/// See the module's documentation.
pub(super) struct Specificity;

impl Signal for Specificity {
    fn id(&self) -> &'static str {
        "specificity"
    }

    fn level(&self) -> Level {
        Level::Text
    }

    fn source(&self) -> &'static str {
        include_str!("specificity.rs")
    }

    fn examine(&self, subject: &Subject<'_>, out: &mut Vec<Finding>) {
        let analysis = subject.analysis;
        let known = |hash| subject.article.is_some_and(|article| article.has_word(hash));
        let mut kinds: [Option<Span>; 6] = [None; 6];
        for token in analysis.judged() {
            let text = analysis.lower(token);
            let kind = match token.kind {
                TokenKind::Number if !known(token.hash) => 0,
                TokenKind::Word
                    if token.shape == Shape::Capitalised
                        && !token.starts_sentence
                        && text.len() > 1
                        && !text.starts_with("i'")
                        && !known(token.hash) =>
                {
                    1
                }
                TokenKind::Word => match PERSONAL.iter().position(|class| token.classes.has(*class)) {
                    Some(at) => 2 + at,
                    None => continue,
                },
                _ => continue,
            };
            if let Some(slot) = kinds.get_mut(kind) {
                slot.get_or_insert(token.raw);
            }
        }
        let found: Vec<Span> = kinds.iter().flatten().copied().collect();
        if !found.is_empty() {
            out.push(Finding::new(-(found.len() as f64) / 6.0, found, "says something of the writer's own"));
        }
    }
}
