//! What two comments are compared by.
//!
//! Measured on same-thread pairs of genuine comments and on planted copies (see the README's table): words and word pairs
//! together separate best; pairs keep two comments about one subject apart, single words survive scattered edits.

use std::sync::LazyLock;

use crate::text::lexicon::Classes;
use crate::text::token::{LINK_NAME, MENTION_NAME};
use crate::text::{Analysis, Reference, Shape, TokenKind, stable_hash};

/// The fewest words of a comment that is compared at all: shorter ones agree by chance and by courtesy.
pub const FEWEST_WORDS: u32 = 8;
/// The fewest characters of a comment in a script without spaces.
pub const FEWEST_UNSPACED: usize = 16;
/// The most words that are read.
const MOST_WORDS: usize = 1000;

/// The hash sets of one comment, each sorted and without repeats. Empty sets: too short to compare.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Features {
    /// Words and word pairs (character trigrams for scripts without spaces).
    pub content: Vec<u64>,
    /// Trigrams of the function-word skeleton.
    pub skeleton: Vec<u64>,
}

impl Features {
    /// Derives the sets. `article` gives the subjects to mask.
    pub fn new(analysis: &Analysis<'_>, article: Option<&Reference>) -> Self {
        let masks = &*MASKS;
        let noise = analysis.case_is_noise();
        let words_at_most = analysis.tokens().len().min(MOST_WORDS);
        let mut content = Vec::with_capacity(2 * words_at_most);
        let mut skeleton_words = Vec::with_capacity(words_at_most);
        let mut unspaced = Vec::new();
        let mut previous: Option<u64> = None;
        let mut words = 0;
        for token in analysis.judged().take(MOST_WORDS) {
            let id = match token.kind {
                TokenKind::Punctuation | TokenKind::Emoji => continue,
                TokenKind::Number => masks.number,
                TokenKind::Link => masks.link,
                TokenKind::Mention => masks.mention,
                TokenKind::Word => {
                    let text = analysis.lower(token);
                    if text.chars().next().is_some_and(is_unspaced) {
                        unspaced.extend(text.chars());
                        continue;
                    }
                    let name = token.shape != Shape::Lower
                        && !token.starts_sentence
                        && !noise
                        && !token.classes.has(Classes::FUNCTION);
                    if name || article.is_some_and(|a| a.is_topic(token.hash)) {
                        masks.subject
                    } else {
                        token.hash
                    }
                }
            };
            words += 1;
            let function = token.classes.has(Classes::FUNCTION);
            if !function && id != masks.subject && id != masks.number {
                content.push(id);
            }
            if let Some(before) = previous {
                content.push(pair(before, id));
            }
            previous = Some(id);
            let skeleton_word = if function { id } else { masks.slot };
            if skeleton_words.last() != Some(&skeleton_word) || function {
                skeleton_words.push(skeleton_word);
            }
        }
        for window in unspaced.windows(3) {
            let gram: String = window.iter().collect();
            content.push(stable_hash(gram.as_bytes()));
        }
        if words < FEWEST_WORDS && unspaced.len() < FEWEST_UNSPACED {
            return Self::default();
        }
        let skeleton =
            skeleton_words.windows(3).map(|w| w.iter().fold(0, |hash, &id| pair(hash, id))).collect();
        Self { content: sorted(content), skeleton: sorted(skeleton) }
    }
}

fn sorted(mut hashes: Vec<u64>) -> Vec<u64> {
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// The hashes that stand for masked words.
struct Masks {
    number: u64,
    link: u64,
    mention: u64,
    subject: u64,
    slot: u64,
}

static MASKS: LazyLock<Masks> = LazyLock::new(|| Masks {
    number: stable_hash(b"<number>"),
    link: stable_hash(LINK_NAME.as_bytes()),
    mention: stable_hash(MENTION_NAME.as_bytes()),
    subject: stable_hash(b"<subject>"),
    slot: stable_hash(b"<slot>"),
});

fn pair(first: u64, second: u64) -> u64 {
    (first.rotate_left(21) ^ second).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn is_unspaced(ch: char) -> bool {
    matches!(ch, '\u{e00}'..='\u{eff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

/// Share of common elements of two sorted sets: |A and B| / |A or B|; 0 when both are empty.
pub fn jaccard(a: &[u64], b: &[u64]) -> f64 {
    let common = common(a, b);
    let union = a.len() + b.len() - common;
    if union == 0 { 0.0 } else { common as f64 / union as f64 }
}

/// How many elements two sorted sets share.
pub fn common(a: &[u64], b: &[u64]) -> usize {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let mut count = 0;
    while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
        match x.cmp(y) {
            std::cmp::Ordering::Less => drop(a.next()),
            std::cmp::Ordering::Greater => drop(b.next()),
            std::cmp::Ordering::Equal => {
                count += 1;
                a.next();
                b.next();
            }
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_filled_from_the_article_is_one_text() {
        let article = Reference::new(
            "Harbour tram approved",
            "The harbour tram was approved. The tram will run along the harbour in Westport.",
        );
        let other = Reference::new("Library saved", "The library was saved. The library will open.");
        let first = "The article raises important questions about the tram, and a balanced view is needed.";
        let second =
            "The article raises important questions about the library, and a balanced view is needed.";
        let features = |text: &str, article: &Reference| Features::new(&Analysis::alone(text), Some(article));
        assert_eq!(features(first, &article), features(second, &other));
    }

    #[test]
    fn short_texts_are_not_compared() {
        assert_eq!(Features::new(&Analysis::alone("Great article, well said!"), None), Features::default());
        assert!(
            !Features::new(&Analysis::alone("这篇文章提出了非常重要的问题值得我们大家深思"), None)
                .content
                .is_empty()
        );
    }

    #[test]
    fn set_arithmetic() {
        assert_eq!(common(&[1, 2, 3, 7], &[2, 3, 4]), 2);
        assert!((jaccard(&[1, 2, 3], &[2, 3, 4]) - 0.5).abs() < 1e-12);
        assert_eq!(jaccard(&[], &[]), 0.0);
    }
}
