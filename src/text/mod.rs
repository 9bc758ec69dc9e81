//! Raw text -> [`Analysis`]: everything derived from one comment's text, computed once.
//!
//! The way through this module:
//!
//! 1. [`truncate`] cuts an oversized text at a grapheme boundary.
//! 2. [`fold`] undoes disguises: HTML and entities, compatibility forms (NFKC), hidden characters, stacked marks,
//!    confusable letters, spaced-out and leet words. Every folded byte keeps its place in the raw text, and what was
//!    undone is counted ([`FoldCounts`]), for a disguise is evidence itself.
//! 3. [`segment`] finds UAX #29 words and sentences, [`token`] makes typed tokens of them (word, number, punctuation,
//!    link, mention, emoji), each with a stable hash and its raw span.
//! 4. [`quotes`] marks the sentences that repeat the article or the parent ([`Reference`]): they are not judged.
//! 5. [`language`] guesses the language, gated by length and confidence.
//!
//! [`Analysis`] ties these together; signals, rules, similarity and the text model read it and nothing else.

mod analysis;
mod confusable;
pub mod fold;
mod glyph;
mod hidden;
mod html;
pub mod language;
pub mod lexicon;
mod normalize;
pub mod quotes;
pub mod segment;
mod spelling;
pub mod token;
pub mod truncate;

pub use analysis::{Analysis, Context, Stats};
pub use fold::{CANON_VERSION, FoldCounts, Folded};
pub use hidden::is_hidden;
pub use language::Language;
pub use quotes::Reference;
pub use token::{Shape, Token, TokenKind};

/// The stable 64-bit hash of a folded word or feature (xxh3, seed 0): it is stored, so it must never change.
pub fn stable_hash(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}
