//! Evasion: words whose spelling was disguised.
//!
//! # What it does
//! Reports the words that folding had to undo: invisible characters inside words, look-alike letters, stray marks, letters
//! spaced out or replaced by digits, with the places in the raw text.
//!
//! # Why
//! Nobody types a zero-width space into a word by accident twice.
//!
//! # Limits
//! Copied text can carry one; two words are the least. Emoji, full-width letters and capitals are never counted.

use super::{Finding, Signal, Subject};
use crate::domain::{Level, Span};

/// See the module's documentation.
pub(super) struct Evasion;

impl Signal for Evasion {
    fn id(&self) -> &'static str {
        "evasion"
    }

    fn level(&self) -> Level {
        Level::Text
    }

    fn source(&self) -> &'static str {
        include_str!("evasion.rs")
    }

    fn examine(&self, subject: &Subject<'_>, out: &mut Vec<Finding>) {
        let counts = subject.analysis.folded().counts();
        let disguised = counts.covert() + counts.odd_words();
        if disguised < 2 {
            return;
        }
        let raw = subject.analysis.raw();
        let spans: Vec<Span> = subject
            .analysis
            .tokens()
            .iter()
            .filter(|token| token.is_wordlike())
            .filter(|token| {
                let typed = token.raw.slice(raw);
                typed.chars().count() != subject.analysis.lower(token).chars().count()
                    || (!typed.is_ascii() && subject.analysis.lower(token).is_ascii())
            })
            .map(|token| token.raw)
            .take(12)
            .collect();
        let parts: Vec<String> = [
            (counts.hidden_characters, "invisible characters inside words"),
            (counts.confusable_words, "words that mix look-alike letters of several alphabets"),
            (counts.marked_words, "words with stray combining marks"),
            (counts.spaced_words, "words spaced out letter by letter"),
            (counts.leet_words, "words with digits for letters"),
        ]
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
        out.push(Finding::new(
            (f64::from(disguised) / 4.0).min(1.0),
            spans,
            format!("disguised spelling: {}", parts.join(", ")),
        ));
    }
}
