//! Canonical text -> typed tokens, each with a stable hash, its shape and the raw bytes it came from.

use super::fold::Folded;
use super::lexicon::{Classes, classes};
use super::segment;
use super::stable_hash;
use crate::domain::Span;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A word (UAX #29), letters first.
    Word,
    /// A word that begins with a digit.
    Number,
    /// A run of one punctuation mark or symbol.
    Punctuation,
    /// A web or mail address.
    Link,
    /// `@name`.
    Mention,
    /// A pictograph.
    Emoji,
}

/// How a word is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// All lower case, or a script without case.
    Lower,
    /// First letter upper case, the rest lower.
    Capitalised,
    /// All upper case, two letters or more.
    Upper,
    /// Upper case inside the word.
    Mixed,
}

/// One token of a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// [`stable_hash`] of the match form; of one mark for a run of marks; of a fixed name for links, mentions, emoji.
    pub hash: u64,
    /// The raw bytes it came from.
    pub raw: Span,
    /// Byte range in the match form ([`Folded::lower`]).
    pub lower: Span,
    /// Index of its sentence.
    pub sentence: u32,
    /// What the word lists say about it.
    pub classes: Classes,
    /// What it is.
    pub kind: TokenKind,
    /// How it is written.
    pub shape: Shape,
    /// Whether it is the first word of its sentence.
    pub starts_sentence: bool,
}

impl Token {
    /// Whether it is a word or a number.
    pub fn is_wordlike(&self) -> bool {
        matches!(self.kind, TokenKind::Word | TokenKind::Number)
    }
}

/// The hash under which every link is known.
pub const LINK_NAME: &str = "<link>";
/// The hash under which every mention is known.
pub const MENTION_NAME: &str = "<user>";

/// Makes tokens of a folded text. `sentence_ends` are offsets into the canonical text, as [`segment::sentence_ends`] gives them.
pub fn tokenize(folded: &Folded, sentence_ends: &[usize]) -> Vec<Token> {
    let canonical = folded.canonical();
    let mut maker = Maker {
        folded,
        sentence_ends,
        sentence: 0,
        sentence_has_word: false,
        lower: LowerCursor { folded, canonical: 0, lower: 0 },
        tokens: Vec::with_capacity(canonical.len() / 4),
    };
    let mut bounds = Vec::new();
    let mut at = 0;
    for chunk in canonical.split(char::is_whitespace) {
        let start = at;
        at += chunk.len();
        // `split` drops exactly one white-space character after each piece.
        at += canonical.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        if chunk.is_empty() {
            continue;
        }
        if let Some(word) = plain_word(chunk.as_bytes()) {
            maker.plain(start, word, chunk.len());
        } else if let Some((from, to)) = link(chunk) {
            maker.pieces(start, chunk, 0, from, &mut bounds);
            maker.push(start + from, start + to, TokenKind::Link);
            maker.pieces(start, chunk, to, chunk.len(), &mut bounds);
        } else if let Some((from, to)) = mention(chunk) {
            maker.pieces(start, chunk, 0, from, &mut bounds);
            maker.push(start + from, start + to, TokenKind::Mention);
            maker.pieces(start, chunk, to, chunk.len(), &mut bounds);
        } else {
            maker.pieces(start, chunk, 0, chunk.len(), &mut bounds);
        }
    }
    maker.tokens
}

/// The length of the word when a chunk is ASCII letters and at most one punctuation mark behind them: what nearly every chunk
/// is, and what needs no segmentation.
fn plain_word(chunk: &[u8]) -> Option<usize> {
    let letters = chunk.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    match chunk.get(letters..)? {
        [] => Some(letters),
        [mark] if letters > 0 && mark.is_ascii_punctuation() && *mark != b'_' => Some(letters),
        _ => None,
    }
}

struct Maker<'a> {
    folded: &'a Folded,
    sentence_ends: &'a [usize],
    sentence: usize,
    sentence_has_word: bool,
    lower: LowerCursor<'a>,
    tokens: Vec<Token>,
}

impl Maker<'_> {
    /// A word, and perhaps one punctuation mark behind it.
    fn plain(&mut self, start: usize, word: usize, length: usize) {
        self.push(start, start + word, TokenKind::Word);
        if word < length {
            self.push(start + word, start + length, TokenKind::Punctuation);
        }
    }

    /// Tokens of one part of a chunk: words, numbers, emoji, runs of punctuation.
    fn pieces(&mut self, base: usize, chunk: &str, from: usize, to: usize, bounds: &mut Vec<(usize, usize)>) {
        let Some(part) = chunk.get(from..to).filter(|part| !part.is_empty()) else { return };
        bounds.clear();
        segment::word_bounds(part, bounds);
        let mut run: Option<(usize, usize, char)> = None;
        for &(start, end) in bounds.iter() {
            let piece = part.get(start..end).unwrap_or_default();
            let Some(first) = piece.chars().next() else { continue };
            let (start, end) = (base + from + start, base + from + end);
            let kind = if first.is_numeric() {
                TokenKind::Number
            } else if first.is_alphabetic() || (first == '_' && piece.chars().any(char::is_alphanumeric)) {
                TokenKind::Word
            } else if is_emoji(first) {
                TokenKind::Emoji
            } else {
                TokenKind::Punctuation
            };
            if kind == TokenKind::Punctuation {
                run = match run {
                    Some((run_start, run_end, mark)) if mark == first && run_end == start => {
                        Some((run_start, end, mark))
                    }
                    earlier => {
                        self.flush(earlier);
                        Some((start, end, first))
                    }
                };
                continue;
            }
            self.flush(run.take());
            self.push(start, end, kind);
        }
        self.flush(run);
    }

    fn flush(&mut self, run: Option<(usize, usize, char)>) {
        if let Some((start, end, _)) = run {
            self.push(start, end, TokenKind::Punctuation);
        }
    }

    fn push(&mut self, start: usize, end: usize, kind: TokenKind) {
        while self.sentence_ends.get(self.sentence).is_some_and(|&ends| ends <= start) {
            self.sentence += 1;
            self.sentence_has_word = false;
        }
        let text = self.folded.canonical().get(start..end).unwrap_or_default();
        let lower_start = self.lower.offset(start);
        let lower_end = self.lower.offset(end);
        let lower = self.folded.lower().get(lower_start..lower_end).unwrap_or_default();
        let hash = match kind {
            TokenKind::Word | TokenKind::Number => stable_hash(lower.as_bytes()),
            TokenKind::Punctuation => {
                let mark = lower.chars().next().map_or(0, char::len_utf8);
                stable_hash(lower.as_bytes().get(..mark).unwrap_or_default())
            }
            TokenKind::Link => stable_hash(LINK_NAME.as_bytes()),
            TokenKind::Mention => stable_hash(MENTION_NAME.as_bytes()),
            TokenKind::Emoji => stable_hash(lower.as_bytes()),
        };
        let wordlike = matches!(kind, TokenKind::Word | TokenKind::Number);
        self.tokens.push(Token {
            hash,
            raw: self.folded.raw_span(start, end),
            lower: Span::new(lower_start as u32, lower_end as u32),
            sentence: self.sentence as u32,
            classes: if kind == TokenKind::Word { classes(hash) } else { Classes::default() },
            kind,
            shape: if kind == TokenKind::Word { shape(text) } else { Shape::Lower },
            starts_sentence: wordlike && !self.sentence_has_word,
        });
        self.sentence_has_word |= wordlike;
    }
}

/// Walks canonical and match form side by side: they agree character by character, not byte by byte.
struct LowerCursor<'a> {
    folded: &'a Folded,
    canonical: usize,
    lower: usize,
}

impl LowerCursor<'_> {
    /// The offset in the match form of an offset in the canonical text; asked for in ascending order.
    fn offset(&mut self, canonical: usize) -> usize {
        if self.folded.same_offsets() {
            return canonical;
        }
        let ahead = self.folded.canonical().get(self.canonical..canonical).unwrap_or_default();
        let rest = self.folded.lower().get(self.lower..).unwrap_or_default();
        self.lower += rest.chars().zip(ahead.chars()).map(|(lower, _)| lower.len_utf8()).sum::<usize>();
        self.canonical = canonical;
        self.lower
    }
}

fn shape(word: &str) -> Shape {
    if word.bytes().all(|b| b.is_ascii_lowercase()) {
        return Shape::Lower;
    }
    let mut letters = word.chars().filter(|ch| ch.is_alphabetic());
    let first_upper = letters.next().is_some_and(char::is_uppercase);
    let (mut upper, mut lower) = (0, 0);
    for letter in letters {
        upper += usize::from(letter.is_uppercase());
        lower += usize::from(letter.is_lowercase());
    }
    match (first_upper, upper, lower) {
        (true, 0, _) => Shape::Capitalised,
        (true, _, 0) => Shape::Upper,
        (false, 0, _) => Shape::Lower,
        _ => Shape::Mixed,
    }
}

/// Top-level domains under which a bare name is read as a link.
const TOP_LEVELS: [&str; 46] = [
    "com", "net", "org", "info", "io", "co", "uk", "de", "fr", "es", "it", "nl", "pl", "ru", "ly", "me",
    "tv", "app", "xyz", "shop", "site", "online", "club", "top", "news", "gov", "edu", "blog", "biz", "in",
    "au", "ca", "us", "eu", "gl", "be", "ch", "at", "jp", "cn", "tk", "link", "pro", "bet", "win", "example",
];

/// The part of a chunk that is a web or mail address, as byte offsets.
fn link(chunk: &str) -> Option<(usize, usize)> {
    if chunk == "[link]" {
        return Some((0, chunk.len()));
    }
    // The last byte may end a sentence; an address has its mark inside.
    let inside = chunk.as_bytes().split_last().map_or(&[][..], |(_, inside)| inside);
    if !inside.iter().any(|b| matches!(b, b'.' | b':')) {
        return None;
    }
    let from = chunk.len() - chunk.trim_start_matches(['(', '[', '"', '\'', '<', ',', ';']).len();
    let to = chunk.trim_end_matches([')', ']', '"', '\'', '>', ',', ';', '.', '!', '?', ':']).len();
    let inner = chunk.get(from..to)?;
    let address = inner.find("://").as_ref().is_some_and(|&at| at > 1)
        || (inner.len() > 6 && inner.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("www.")))
        || bare_domain(inner);
    address.then_some((from, to))
}

/// Whether the text reads `name.tld`, `name.tld/path` or `someone@name.tld`.
fn bare_domain(text: &str) -> bool {
    let host = text.split('/').next().unwrap_or_default();
    let Some((name, tld)) = host.rsplit_once('.') else { return false };
    let name_ok = name.len() >= 3
        && name.chars().all(|ch| ch.is_ascii_alphanumeric() || matches!(ch, '-' | '.' | '@' | '_' | '+'))
        && name.chars().any(|ch| ch.is_ascii_alphabetic());
    // "end.It" and "e.g.in" are typing slips: a bare domain is written in one case and not with a capital after the dot.
    name_ok
        && tld.chars().all(|ch| ch.is_ascii_lowercase())
        && TOP_LEVELS.contains(&tld)
        && !(tld.len() == 2
            && !text.contains(['/', '@'])
            && name.chars().all(char::is_alphabetic)
            && super::lexicon::is_english(name))
}

/// The part of a chunk that is `@name`, as byte offsets.
fn mention(chunk: &str) -> Option<(usize, usize)> {
    let at = memchr::memchr(b'@', chunk.as_bytes())?;
    let before = chunk.get(..at)?;
    if before.chars().any(char::is_alphanumeric) {
        return None;
    }
    let name = chunk.get(at + 1..)?;
    let length: usize =
        name.chars().take_while(|ch| ch.is_alphanumeric() || *ch == '_').map(char::len_utf8).sum();
    (length > 0).then_some((at, at + 1 + length))
}

/// Whether a character is a pictograph.
pub fn is_emoji(ch: char) -> bool {
    matches!(
        ch,
        '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{a9}' | '\u{ae}' | '\u{3030}' | '\u{303d}'
    )
}

#[cfg(test)]
mod tests {
    use super::super::fold::fold;
    use super::*;

    fn tokens(raw: &str) -> Vec<(String, TokenKind)> {
        let folded = fold(raw);
        let ends = segment::sentence_ends(folded.canonical());
        tokenize(&folded, &ends)
            .into_iter()
            .map(|t| {
                assert_eq!(
                    fold(t.raw.slice(raw)).lower().trim(),
                    t.lower.slice(folded.lower()),
                    "raw and match form agree"
                );
                (t.lower.slice(folded.lower()).to_owned(), t.kind)
            })
            .collect()
    }

    #[test]
    fn tokens_have_kinds() {
        use TokenKind::{Emoji, Link, Mention, Number, Punctuation, Word};
        for (raw, expected) in [
            ("Don’t wait!!!", vec![("don't", Word), ("wait", Word), ("!!!", Punctuation)]),
            (
                "see https://a.example/x?y=1, ok",
                vec![("see", Word), ("https://a.example/x?y=1", Link), (",", Punctuation), ("ok", Word)],
            ),
            (
                "(www.casino.example)",
                vec![("(", Punctuation), ("www.casino.example", Link), (")", Punctuation)],
            ),
            (
                "buy at shop-now.com today",
                vec![("buy", Word), ("at", Word), ("shop-now.com", Link), ("today", Word)],
            ),
            ("the end.It was", vec![("the", Word), ("end.it", Word), ("was", Word)]),
            ("@Ann: 3.5 km", vec![("@ann", Mention), (":", Punctuation), ("3.5", Number), ("km", Word)]),
            ("so 👍🏽👍", vec![("so", Word), ("👍🏽", Emoji), ("👍", Emoji)]),
            ("Füße – Écoute", vec![("fuße", Word), ("—", Punctuation), ("ecoute", Word)]),
        ] {
            let expected: Vec<(String, TokenKind)> =
                expected.into_iter().map(|(t, k)| (t.to_owned(), k)).collect();
            assert_eq!(tokens(raw), expected, "{raw}");
        }
    }

    #[test]
    fn shapes_of_words() {
        for (word, expected) in [
            ("word", Shape::Lower),
            ("Word", Shape::Capitalised),
            ("WORD", Shape::Upper),
            ("wOrd", Shape::Mixed),
            ("I", Shape::Capitalised),
            ("東京", Shape::Lower),
            ("McCoy", Shape::Mixed),
        ] {
            assert_eq!(shape(word), expected, "{word}");
        }
    }

    #[test]
    fn the_first_word_of_a_sentence_is_marked() {
        let folded = fold("One two. \"Three four.\"\nfive");
        let ends = segment::sentence_ends(folded.canonical());
        let firsts: Vec<&str> = tokenize(&folded, &ends)
            .iter()
            .filter(|t| t.starts_sentence)
            .map(|t| t.lower.slice(folded.lower()))
            .collect();
        assert_eq!(firsts, ["one", "three", "five"]);
    }
}
