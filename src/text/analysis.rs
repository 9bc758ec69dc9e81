//! [`Analysis`]: everything derived from one comment's text. Made once, read by every signal.

use std::cell::OnceCell;

use super::fold::{Folded, fold};
use super::language::{self, Language};
use super::lexicon::Classes;
use super::quotes::Reference;
use super::segment::sentence_ends;
use super::token::{Shape, Token, TokenKind, tokenize};
use super::truncate::{MAX_JUDGED_BYTES, truncate};
use crate::domain::Span;

/// What a text is read against. Everything is optional; what is missing never adds suspicion.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// The article's words.
    pub article: Option<&'a Reference>,
    /// The parent comment's words.
    pub parent: Option<&'a Reference>,
    /// The language the CMS names.
    pub lang: Option<Language>,
}

/// Counts over the judged part of a comment (quotations left out).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Words and numbers.
    pub words: u32,
    /// Words that are not English function words.
    pub content_words: u32,
    /// Sentences with at least one word.
    pub sentences: u32,
    /// Characters of the canonical text.
    pub chars: u32,
    /// Web and mail addresses.
    pub links: u32,
    /// `@name`s.
    pub mentions: u32,
    /// Pictographs.
    pub emoji: u32,
    /// Whether a quotation was left out.
    pub quoted: bool,
}

/// A comment's text, folded, cut into tokens and sentences; the rest is derived when first asked for.
#[derive(Debug)]
pub struct Analysis<'a> {
    raw: &'a str,
    folded: Folded,
    tokens: Vec<Token>,
    /// For each sentence, whether it repeats the article or the parent.
    quoted: Vec<bool>,
    stats: Stats,
    given_language: Option<Language>,
    language: OnceCell<Option<Language>>,
    case_is_noise: bool,
}

impl<'a> Analysis<'a> {
    /// Analyses a text in its context. Texts longer than [`MAX_JUDGED_BYTES`] are judged by their beginning.
    pub fn new(raw: &'a str, context: &Context<'_>) -> Self {
        let judged_raw = truncate(raw, MAX_JUDGED_BYTES);
        let folded = fold(judged_raw);
        let ends = sentence_ends(folded.canonical());
        let tokens = tokenize(&folded, &ends);
        let quoted = quoted_sentences(&folded, &tokens, ends.len(), context);
        let stats = count(&folded, &tokens, &quoted);
        let case_is_noise = case_is_noise(&tokens);
        Self {
            raw,
            folded,
            tokens,
            quoted,
            stats,
            given_language: context.lang,
            language: OnceCell::new(),
            case_is_noise,
        }
    }

    /// Analyses a text without any context.
    pub fn alone(raw: &'a str) -> Self {
        Self::new(raw, &Context::default())
    }

    /// The text as the author typed it.
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// Whether the text is longer than what is judged of it.
    pub fn is_cut(&self) -> bool {
        self.raw.len() > MAX_JUDGED_BYTES
    }

    /// The folded text.
    pub fn folded(&self) -> &Folded {
        &self.folded
    }

    /// All tokens, quotations included.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// The tokens to judge: those outside quotations.
    pub fn judged(&self) -> impl Iterator<Item = &Token> {
        self.tokens.iter().filter(|token| !self.is_quoted(token.sentence))
    }

    /// Whether a sentence repeats the article or the parent.
    pub fn is_quoted(&self, sentence: u32) -> bool {
        self.stats.quoted && self.quoted.get(sentence as usize).copied().unwrap_or(false)
    }

    /// The raw bytes of each quoted sentence.
    pub fn quoted_spans(&self) -> Vec<Span> {
        if !self.stats.quoted {
            return Vec::new();
        }
        self.tokens
            .chunk_by(|a, b| a.sentence == b.sentence)
            .filter(|sentence| sentence.first().is_some_and(|token| self.is_quoted(token.sentence)))
            .filter_map(|sentence| sentence.iter().map(|token| token.raw).reduce(Span::cover))
            .collect()
    }

    /// Counts over the judged part.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// The language: the CMS's word for it, else the guess.
    pub fn language(&self) -> Option<Language> {
        self.given_language.or_else(|| {
            *self.language.get_or_init(|| language::detect(self.folded.canonical(), &self.tokens))
        })
    }

    /// Whether upper case says nothing here: mostly capitals, or capitals scattered inside words.
    pub fn case_is_noise(&self) -> bool {
        self.case_is_noise
    }

    /// A token's match form.
    pub fn lower(&self, token: &Token) -> &str {
        token.lower.slice(self.folded.lower())
    }
}

/// So many words of the author's own, or a third of the marked ones if that is fewer, make lines that begin with `>` a quotation.
const FEWEST_OWN_WORDS: usize = 8;

/// Marks the sentences that repeat the parent or the article, and lines that begin with `>` where the author has written more
/// than he marks so: a comment that is all marked is judged, or the mark would hide anything.
fn quoted_sentences(folded: &Folded, tokens: &[Token], sentences: usize, context: &Context<'_>) -> Vec<bool> {
    let is_marker =
        |t: &Token| t.kind == TokenKind::Punctuation && t.lower.slice(folded.lower()).starts_with('>');
    if context.article.is_none() && context.parent.is_none() && !tokens.iter().any(is_marker) {
        return Vec::new();
    }
    let mut repeated = vec![false; sentences];
    let mut marked = vec![false; sentences];
    let (mut own_words, mut marked_words) = (0, 0);
    let mut line_is_marked = false;
    let mut previous_end = 0;
    let mut words: Vec<&Token> = Vec::new();
    for sentence in tokens.chunk_by(|a, b| a.sentence == b.sentence) {
        let (Some(first), Some(last)) = (sentence.first(), sentence.last()) else { continue };
        let gap = folded.lower().get(previous_end as usize..first.lower.start as usize).unwrap_or_default();
        if previous_end == 0 || gap.contains('\n') {
            line_is_marked = is_marker(first);
        }
        previous_end = last.lower.end;
        words.clear();
        words.extend(sentence.iter().filter(|t| t.is_wordlike()));
        let repeats = [context.article, context.parent]
            .into_iter()
            .flatten()
            .any(|reference| reference.is_quoted(&words));
        let at = first.sentence as usize;
        if let (Some(repeated), Some(marked)) = (repeated.get_mut(at), marked.get_mut(at)) {
            (*repeated, *marked) = (repeats, line_is_marked);
        }
        if line_is_marked {
            marked_words += words.len();
        } else if !repeats {
            own_words += words.len();
        }
    }
    let marks_count = own_words >= FEWEST_OWN_WORDS.min(marked_words / 3).max(1);
    repeated.iter().zip(marked).map(|(repeats, marked)| *repeats || (marked && marks_count)).collect()
}

fn count(folded: &Folded, tokens: &[Token], quoted: &[bool]) -> Stats {
    let mut stats = Stats { chars: folded.canonical().chars().count() as u32, ..Stats::default() };
    stats.quoted = quoted.iter().any(|&q| q);
    let mut last_sentence = u32::MAX;
    for token in tokens {
        if quoted.get(token.sentence as usize).copied().unwrap_or(false) {
            continue;
        }
        match token.kind {
            TokenKind::Word | TokenKind::Number => {
                stats.words += 1;
                stats.content_words += u32::from(!token.classes.has(Classes::FUNCTION));
                stats.sentences += u32::from(token.sentence != last_sentence);
                last_sentence = token.sentence;
            }
            TokenKind::Link => stats.links += 1,
            TokenKind::Mention => stats.mentions += 1,
            TokenKind::Emoji => stats.emoji += 1,
            TokenKind::Punctuation => {}
        }
    }
    stats
}

/// More than half of the words in capitals, or more than 15 % with capitals inside.
fn case_is_noise(tokens: &[Token]) -> bool {
    let (mut words, mut upper, mut mixed) = (0u32, 0u32, 0u32);
    for token in tokens.iter().filter(|t| t.kind == TokenKind::Word) {
        words += 1;
        upper += u32::from(token.shape == Shape::Upper);
        mixed += u32::from(token.shape == Shape::Mixed);
    }
    words >= 3 && (upper * 2 > words || mixed * 100 > words * 15)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn counts_leave_quotations_out() {
        let text = "> old words here\nNew ones: see https://x.example @bob 👍";
        let stats = *Analysis::alone(text).stats();
        assert_eq!((stats.words, stats.links, stats.mentions, stats.emoji, stats.quoted), (3, 1, 1, 1, true));
    }

    #[test]
    fn a_comment_that_is_all_marked_is_judged() {
        let all = Analysis::alone("> The article raises important questions about the tram and its costs");
        assert_eq!((all.stats().words, all.stats().quoted), (11, false));
        let reply = Analysis::alone("> I never said that. Not once.\nYou did");
        assert_eq!((reply.stats().words, reply.stats().quoted), (2, true));
    }

    #[test]
    fn case_noise_is_seen() {
        assert!(Analysis::alone("tHe aRtIcLe rAiSeS points").case_is_noise());
        assert!(Analysis::alone("THIS IS AN OUTRAGE").case_is_noise());
        assert!(!Analysis::alone("The FBI and NASA said so, McCoy wrote here today").case_is_noise());
    }

    proptest! {
        #[test]
        fn any_text_is_analysed_and_every_span_fits(raw in any::<String>()) {
            let article = Reference::new("A title", &raw);
            let analysis = Analysis::new(&raw, &Context { article: Some(&article), ..Context::default() });
            let _ = analysis.language();
            for token in analysis.tokens() {
                prop_assert!(raw.get(token.raw.start as usize..token.raw.end as usize).is_some());
                prop_assert!(!analysis.lower(token).is_empty());
            }
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let text = String::from_utf8_lossy(&bytes);
            prop_assert!(Analysis::alone(&text).tokens().len() <= text.len());
        }
    }
}
