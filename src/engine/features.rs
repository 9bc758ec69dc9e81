//! What the text model sees of a comment: hashed n-grams in three blocks, and a few dozen style measures.
//!
//! Blocks (science.md 6.1 step 4): **words**, runs of one or two tokens in the match form; **letters**, runs of 5 bytes
//! of the match form with one space between tokens; **masked**, runs of 1 to 4 tokens in which only function words,
//! register words and punctuation keep their identity, so that a template shows whatever its subject.
//! Every occurrence in a block counts alike ([`Block::value`], about `1 / sqrt(occurrences)`): no counting table is needed, a
//! long comment weighs no more than a short one, and the model stays exactly additive, so evidence can point at each n-gram.

use crate::domain::Span;
use crate::text::lexicon::Classes;
use crate::text::{Analysis, Shape, Token, TokenKind};

/// The kinds of n-grams; each is normalised by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Block {
    /// Runs of tokens.
    Words,
    /// Runs of letters.
    Letters,
    /// Runs of masked tokens.
    Masked,
}

impl Block {
    /// All blocks, in the order of their index.
    pub const ALL: [Self; 3] = [Self::Words, Self::Letters, Self::Masked];

    /// Position in per-block tables.
    pub const fn index(self) -> usize {
        match self {
            Self::Words => 0,
            Self::Letters => 1,
            Self::Masked => 2,
        }
    }

    /// What each of `occurrences` n-grams of a comment counts. The ballast keeps the few n-grams of a short comment from
    /// shouting: little text proves little, and short, polite readers must not be accused.
    pub fn value(self, occurrences: usize) -> f32 {
        let ballast = match self {
            Self::Words => 20.0,
            Self::Letters => 40.0,
            Self::Masked => 60.0,
        };
        1.0 / (occurrences as f32 + ballast).sqrt()
    }
}

/// Longest run of tokens in the words block.
const WORD_RUN: usize = 2;
/// Longest run of tokens in the masked block.
const MASKED_RUN: usize = 4;
/// Length of a run of letters: shorter ones add look-ups and find nothing more (measured across sources).
const LETTER_RUN: usize = 5;
/// The most tokens that are read: enough for any comment, and a bound on the work.
const MOST_TOKENS: usize = 1500;

/// Calls `visit` for every n-gram occurrence: its block, its bucket, and the raw bytes it covers.
pub fn visit_ngrams(analysis: &Analysis<'_>, mut visit: impl FnMut(Block, u32, Span)) {
    let tokens: Vec<&Token> = analysis.judged().take(MOST_TOKENS).collect();
    let noise = analysis.case_is_noise();
    visit_runs(&tokens, Block::Words, WORD_RUN, |token| word_identity(token, noise), &mut visit);
    visit_runs(
        &tokens,
        Block::Masked,
        MASKED_RUN,
        |token| masked_identity(analysis, token, noise),
        &mut visit,
    );
    visit_letters(analysis, &tokens, noise, &mut visit);
}

/// Stands before the first token of a sentence.
const SENTENCE_START: u64 = 0x5e17_e9ce_57a6_7001;

fn visit_runs(
    tokens: &[&Token],
    block: Block,
    longest: usize,
    identity: impl Fn(&Token) -> Option<u64>,
    visit: &mut impl FnMut(Block, u32, Span),
) {
    // A ring of the last identities; a sentence start is an item of its own without bytes.
    let mut recent = [(0u64, Span::default()); MASKED_RUN];
    let mut filled = 0usize;
    let mut sentence = u32::MAX;
    for token in tokens {
        let Some(id) = identity(token) else { continue };
        let starts = (token.sentence != sentence)
            .then_some((SENTENCE_START, Span::new(token.raw.start, token.raw.start)));
        sentence = token.sentence;
        for item in starts.into_iter().chain(std::iter::once((id, token.raw))) {
            let [first, second, third, _] = recent;
            recent = [item, first, second, third];
            filled = (filled + 1).min(longest);
            let mut hash = block.index() as u64 + 1;
            let mut span = item.1;
            for (length, &(id, raw)) in recent.iter().take(filled).enumerate() {
                hash = mix(hash ^ id);
                span = span.cover(raw);
                // A lone sentence start says nothing.
                if length > 0 || id != SENTENCE_START {
                    visit(block, key(hash), span);
                }
            }
        }
    }
}

fn visit_letters(
    analysis: &Analysis<'_>,
    tokens: &[&Token],
    noise: bool,
    visit: &mut impl FnMut(Block, u32, Span),
) {
    let mut letters = Letters::default();
    for token in tokens {
        if matches!(token.kind, TokenKind::Link | TokenKind::Mention | TokenKind::Emoji) {
            continue;
        }
        letters.push(b' ', Span::new(token.raw.start, token.raw.start), visit);
        if is_name(token, noise) {
            letters.push(b'X', token.raw, visit);
            continue;
        }
        let text = analysis.lower(token);
        let text = if token.kind == TokenKind::Punctuation {
            text.get(..text.chars().next().map_or(0, char::len_utf8)).unwrap_or_default()
        } else {
            text
        };
        let digits = token.kind == TokenKind::Number;
        for byte in text.bytes() {
            letters.push(if digits && byte.is_ascii_digit() { b'0' } else { byte }, token.raw, visit);
        }
    }
}

/// The last letters read, and where each stands.
#[derive(Default)]
struct Letters {
    window: u64,
    seen: usize,
    /// Newest first.
    starts: [u32; LETTER_RUN],
}

impl Letters {
    #[inline]
    fn push(&mut self, byte: u8, raw: Span, visit: &mut impl FnMut(Block, u32, Span)) {
        self.window = ((self.window << 8) | u64::from(byte)) & ((1 << (8 * LETTER_RUN)) - 1);
        let [first, second, third, fourth, _] = self.starts;
        self.starts = [raw.start, first, second, third, fourth];
        self.seen += 1;
        if self.seen >= LETTER_RUN {
            visit(Block::Letters, key(mix(self.window)), Span::new(fourth.min(raw.start), raw.end));
        }
    }
}

/// A word that names someone or something: capitalised inside a sentence, or capitalised and in no dictionary.
fn is_name(token: &Token, case_is_noise: bool) -> bool {
    token.kind == TokenKind::Word
        && !case_is_noise
        && token.shape != Shape::Lower
        && !token.classes.has(Classes::FUNCTION)
        && (!token.starts_sentence || !token.classes.has(Classes::ENGLISH))
}

fn word_identity(token: &Token, case_is_noise: bool) -> Option<u64> {
    match token.kind {
        TokenKind::Word if is_name(token, case_is_noise) => Some(NAME),
        TokenKind::Number => Some(NUMBER),
        TokenKind::Emoji | TokenKind::Link | TokenKind::Mention => None,
        _ => Some(token.hash),
    }
}

const NUMBER: u64 = 0x0000_0000_6e75_6d01;
const NAME: u64 = 0x0000_0000_6e61_6d01;

fn masked_identity(analysis: &Analysis<'_>, token: &Token, case_is_noise: bool) -> Option<u64> {
    match token.kind {
        TokenKind::Number => Some(NUMBER),
        TokenKind::Emoji | TokenKind::Link | TokenKind::Mention => None,
        TokenKind::Punctuation => Some(token.hash),
        TokenKind::Word if token.classes.has(Classes::FUNCTION) || token.classes.has(Classes::STYLE) => {
            Some(token.hash)
        }
        TokenKind::Word if is_name(token, case_is_noise) => Some(NAME),
        TokenKind::Word => Some(suffix(analysis.lower(token))),
    }
}

/// The word's first matching ending, as an identity of its own.
fn suffix(word: &str) -> u64 {
    const ENDINGS: [&str; 14] =
        ["ing", "tion", "ed", "ly", "ity", "ment", "ness", "ous", "ive", "al", "ful", "able", "er", "s"];
    let at = ENDINGS
        .iter()
        .position(|ending| word.len() > ending.len() + 1 && word.ends_with(ending))
        .unwrap_or(ENDINGS.len());
    0x2a00 + at as u64
}

/// One finalising round of a 64-bit mixer (the first half of `splitmix64`'s).
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb)
}

/// The n-gram's key: 32 bits, so that among some hundred thousand learned n-grams a stranger rarely passes for one.
fn key(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// Names of the dense style measures, in the order of [`dense`].
const DENSE_NAMES: [&str; 36] = [
    "words",
    "mean-word-length",
    "long-words",
    "style-words",
    "function-words",
    "commas",
    "sentence-length",
    "sentence-evenness",
    "exclamations",
    "questions",
    "digits",
    "quotations",
    "ellipses",
    "dashes",
    "brackets",
    "colons",
    "contractions",
    "missing-apostrophes",
    "first-person",
    "second-person",
    "we",
    "negations",
    "nominalisations",
    "adverbs",
    "lower-case-start",
    "no-final-stop",
    "capitals",
    "names",
    "unknown-words",
    "repeated-marks",
    "very-short",
    "short",
    "long",
    "hashtags",
    "third-person",
    "past-tense",
];

/// How many dense measures there are.
pub const DENSE: usize = DENSE_NAMES.len();

/// The dense style measures, raw; the model standardises and clips them. Links, mentions, pictographs and line breaks are not among them:
/// they tell one platform from another and are free to add.
#[expect(clippy::too_many_lines, reason = "a flat list of measures reads best in one place")]
pub fn dense(analysis: &Analysis<'_>) -> [f32; DENSE] {
    let stats = analysis.stats();
    let words = stats.words.max(1) as f32;
    let mut letters = 0u32;
    let mut counts = [0f32; DENSE];
    let mut sentence_lengths: Vec<f32> = Vec::new();
    let mut sentence = u32::MAX;
    let mut lower_starts = 0f32;
    let noise = analysis.case_is_noise();
    let mut last_mark_ends = false;
    let add = |counts: &mut [f32; DENSE], at: usize, value: f32| {
        if let Some(slot) = counts.get_mut(at) {
            *slot += value;
        }
    };
    for token in analysis.judged() {
        let text = analysis.lower(token);
        match token.kind {
            TokenKind::Word => {
                last_mark_ends = false;
                let length = text.chars().count() as u32;
                letters += length;
                add(&mut counts, 2, f32::from(length >= 8));
                add(&mut counts, 3, f32::from(token.classes.has(Classes::STYLE)));
                add(&mut counts, 4, f32::from(token.classes.has(Classes::FUNCTION)));
                add(&mut counts, 16, f32::from(text.as_bytes().contains(&b'\'')));
                for (at, class) in [
                    (17, Classes::NO_APOSTROPHE),
                    (18, Classes::FIRST_PERSON),
                    (19, Classes::SECOND_PERSON),
                    (20, Classes::WE),
                    (21, Classes::NEGATION),
                    (34, Classes::THIRD_PERSON),
                ] {
                    add(&mut counts, at, f32::from(token.classes.has(class)));
                }
                add(
                    &mut counts,
                    22,
                    f32::from(
                        length >= 6
                            && ["tion", "ment", "ness", "ity", "ance", "ence", "tions", "ments"]
                                .iter()
                                .any(|e| text.ends_with(e)),
                    ),
                );
                add(&mut counts, 23, f32::from(length >= 5 && text.ends_with("ly")));
                if token.starts_sentence {
                    lower_starts += f32::from(token.shape == Shape::Lower);
                } else if !noise {
                    add(&mut counts, 27, f32::from(token.shape == Shape::Capitalised && length > 1));
                    add(&mut counts, 26, f32::from(token.shape == Shape::Upper));
                }
                add(
                    &mut counts,
                    28,
                    f32::from(
                        length >= 3
                            && token.shape == Shape::Lower
                            && !token.classes.has(Classes::ENGLISH)
                            && !token.classes.has(Classes::FUNCTION),
                    ),
                );
                add(
                    &mut counts,
                    35,
                    f32::from((length >= 4 && text.ends_with("ed")) || token.classes.has(Classes::PAST)),
                );
            }
            TokenKind::Number => {
                last_mark_ends = false;
                letters += text.chars().count() as u32;
                add(&mut counts, 10, 1.0);
            }
            TokenKind::Punctuation => {
                let run = text.chars().count();
                let mark = text.chars().next().unwrap_or(' ');
                last_mark_ends =
                    matches!(mark, '.' | '!' | '?') || (last_mark_ends && matches!(mark, '"' | '\'' | ')'));
                let at = match mark {
                    ',' => Some(5),
                    '!' => Some(8),
                    '?' => Some(9),
                    '"' => Some(11),
                    '.' if run >= 2 => Some(12),
                    '—' | '-' => Some(13),
                    '(' | ')' => Some(14),
                    ':' | ';' => Some(15),
                    '#' => Some(33),
                    _ => None,
                };
                if let Some(at) = at {
                    add(&mut counts, at, 1.0);
                }
                add(&mut counts, 29, f32::from(run >= 2 && matches!(mark, '!' | '?' | '.' | ',')));
            }
            TokenKind::Emoji | TokenKind::Link | TokenKind::Mention => {}
        }
        if token.is_wordlike() {
            if token.sentence == sentence {
                if let Some(length) = sentence_lengths.last_mut() {
                    *length += 1.0;
                }
            } else {
                sentence = token.sentence;
                sentence_lengths.push(1.0);
            }
        }
    }
    let sentences = sentence_lengths.len().max(1) as f32;
    let mean = sentence_lengths.iter().sum::<f32>() / sentences;
    let spread = (sentence_lengths.iter().map(|l| (l - mean).powi(2)).sum::<f32>() / sentences).sqrt();
    // Rates per word, except where said.
    for value in &mut counts {
        *value /= words;
    }
    let per_sentence = words / sentences;
    let fixed: [(usize, f32); 10] = [
        (0, words.ln()),
        (1, letters as f32 / words),
        (5, counts.get(5).copied().unwrap_or(0.0) * per_sentence),
        (6, mean.ln_1p()),
        (7, if sentence_lengths.len() >= 2 { spread / mean.max(1.0) } else { 0.5 }),
        (24, lower_starts / sentences),
        (25, f32::from(!last_mark_ends)),
        (30, f32::from(stats.words < 8)),
        (31, f32::from((8..15).contains(&stats.words))),
        (32, f32::from(stats.words > 80)),
    ];
    for (at, value) in fixed {
        if let Some(slot) = counts.get_mut(at) {
            *slot = value;
        }
    }
    counts
}
