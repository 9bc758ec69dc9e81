//! Quotations of the article or of the parent comment: whoever quotes a stock phrase has not written it.

use super::lexicon::{Classes, HashedWords};
use super::token::Token;

/// How many words in a row must agree to be a quotation.
const RUN: usize = 5;
/// The share of a sentence's runs that must stand in the reference for the sentence to be a quotation.
const SHARE: f64 = 0.6;

/// A text that comments may quote or echo: an article (title and body) or a parent comment. Built once, used by many.
#[derive(Debug, Clone, Default)]
pub struct Reference {
    runs: HashedWords,
    content: HashedWords,
    topic: HashedWords,
    words: u32,
}

impl Reference {
    /// The reference of an article's title and body, or of a parent's text with an empty title. HTML is allowed.
    pub fn new(title: &str, body: &str) -> Self {
        let mut reference = Self::default();
        let mut counts = std::collections::HashMap::<u64, u32>::new();
        for (text, is_title) in [(title, true), (body, false)] {
            let analysis = super::Analysis::alone(text);
            let words: Vec<&Token> = analysis.tokens().iter().filter(|t| t.is_wordlike()).collect();
            reference.words += words.len() as u32;
            for token in &words {
                if !token.classes.has(Classes::FUNCTION) {
                    reference.content.insert(token.hash);
                    *counts.entry(token.hash).or_default() += if is_title { 3 } else { 1 };
                }
            }
            reference.runs.extend(words.windows(RUN).map(run_hash));
        }
        reference.topic = counts.into_iter().filter(|&(_, count)| count >= 3).map(|(hash, _)| hash).collect();
        reference
    }

    /// Whether a content word stands in the reference.
    pub fn has_word(&self, hash: u64) -> bool {
        self.content.contains(&hash)
    }

    /// Whether a word is one of the reference's subjects: in its title, or three times in its body.
    pub fn is_topic(&self, hash: u64) -> bool {
        self.topic.contains(&hash)
    }

    /// How many words the reference has.
    pub fn words(&self) -> u32 {
        self.words
    }

    /// Whether the sentence made of `words` repeats the reference.
    pub fn is_quoted(&self, words: &[&Token]) -> bool {
        let runs = words.len().saturating_sub(RUN - 1);
        if runs == 0 || self.runs.is_empty() {
            return false;
        }
        let found = words.windows(RUN).filter(|run| self.runs.contains(&run_hash(run))).count();
        found as f64 > SHARE * runs as f64
    }
}

fn run_hash(run: &[&Token]) -> u64 {
    run.iter()
        .fold(0, |hash: u64, token| (hash.rotate_left(13) ^ token.hash).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

#[cfg(test)]
mod tests {
    use super::super::{Analysis, Context};
    use super::*;

    #[test]
    fn sentences_that_repeat_the_article_are_not_judged() {
        let article = Reference::new(
            "Tram line approved",
            "The council approved the tram line on Monday after a long and bitter debate.",
        );
        let text = "\"The council approved the tram line on Monday after a long and bitter debate.\" Nonsense, it was a short one.";
        let analysis = Analysis::new(text, &Context { article: Some(&article), ..Context::default() });
        let judged: Vec<&str> = analysis.judged().map(|t| t.raw.slice(text)).collect();
        assert_eq!(judged.first(), Some(&"Nonsense"), "{judged:?}");
        assert!(analysis.stats().quoted);
    }

    #[test]
    fn a_quotation_mark_at_the_line_start_quotes_the_line() {
        let text = "> I never said that. Not once.\nYou did.";
        let analysis = Analysis::alone(text);
        let judged: Vec<&str> =
            analysis.judged().filter(|t| t.is_wordlike()).map(|t| t.raw.slice(text)).collect();
        assert_eq!(judged, ["You", "did"]);
    }
}
