//! UAX #29 words and sentences, with an ASCII fast path.
//!
//! `unicode-segmentation` is the definition; it costs more than everything else together on plain text. English
//! comments are ASCII once folded, so the rules are written out for ASCII here. A differential proptest holds both equal.

use unicode_segmentation::UnicodeSegmentation;

/// Appends the word-boundary pieces of `text` as byte ranges, spaces and punctuation included.
pub fn word_bounds(text: &str, out: &mut Vec<(usize, usize)>) {
    if text.is_ascii() {
        ascii_word_bounds(text.as_bytes(), out);
    } else {
        out.extend(text.split_word_bound_indices().map(|(at, piece)| (at, at + piece.len())));
    }
}

/// The byte offset at which each sentence of `text` ends; the last one is `text.len()`, none for an empty text.
pub fn sentence_ends(text: &str) -> Vec<usize> {
    if text.is_ascii() {
        ascii_sentence_ends(text.as_bytes())
    } else {
        text.split_sentence_bound_indices().map(|(at, piece)| at + piece.len()).collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Letter,
    Digit,
    MidLetter,
    MidNumber,
    MidBoth,
    Underscore,
    Space,
    Return,
    Newline,
    Other,
}

const fn classify_word(byte: u8) -> Word {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' => Word::Letter,
        b'0'..=b'9' => Word::Digit,
        b':' => Word::MidLetter,
        b',' | b';' => Word::MidNumber,
        b'.' | b'\'' => Word::MidBoth,
        b'_' => Word::Underscore,
        b' ' => Word::Space,
        b'\r' => Word::Return,
        b'\n' | 0x0b | 0x0c => Word::Newline,
        _ => Word::Other,
    }
}

/// [`classify_word`] of every byte: a look-up where a match would branch.
const WORD_CLASSES: [Word; 256] = {
    let mut table = [Word::Other; 256];
    let mut byte = 0;
    while byte < table.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, bounded by the loop")]
        {
            table[byte] = classify_word(byte as u8);
        }
        byte += 1;
    }
    table
};

fn word_class(byte: u8) -> Word {
    WORD_CLASSES.get(usize::from(byte)).copied().unwrap_or(Word::Other)
}

/// The word rules WB3-WB999 for ASCII, as far as ASCII has the classes.
fn ascii_word_bounds(bytes: &[u8], out: &mut Vec<(usize, usize)>) {
    use Word::{Digit, Letter, MidBoth, MidLetter, MidNumber, Newline, Return, Space, Underscore};
    let class = |at: usize| bytes.get(at).copied().map_or(Word::Other, word_class);
    let mut start = 0;
    let mut before = Word::Other;
    let Some(&first) = bytes.first() else { return };
    let mut previous = word_class(first);
    for (at, &byte) in bytes.iter().enumerate().skip(1) {
        let current = word_class(byte);
        let joined = match (previous, current) {
            (Return, _) => byte == b'\n',
            (Newline, _) | (_, Newline) => false,
            (Letter | Digit | Underscore, Letter | Digit | Underscore) | (Space, Space) => true,
            (Letter, MidLetter | MidBoth) => class(at + 1) == Letter,
            (MidLetter | MidBoth, Letter) => before == Letter,
            (Digit, MidNumber | MidBoth) => class(at + 1) == Digit,
            (MidNumber | MidBoth, Digit) => before == Digit,
            _ => false,
        };
        if !joined {
            out.push((start, at));
            start = at;
        }
        before = previous;
        previous = current;
    }
    out.push((start, bytes.len()));
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sentence {
    Return,
    Newline,
    Space,
    Lower,
    Upper,
    Digit,
    Stop,
    Mark,
    Continue,
    Close,
    Other,
}

const fn classify_sentence(byte: u8) -> Sentence {
    match byte {
        b'\r' => Sentence::Return,
        b'\n' => Sentence::Newline,
        b' ' | b'\t' | 0x0b | 0x0c => Sentence::Space,
        b'a'..=b'z' => Sentence::Lower,
        b'A'..=b'Z' => Sentence::Upper,
        b'0'..=b'9' => Sentence::Digit,
        b'.' => Sentence::Stop,
        b'!' | b'?' => Sentence::Mark,
        b',' | b'-' | b':' | b';' => Sentence::Continue,
        b'"' | b'\'' | b'(' | b')' | b'[' | b']' | b'{' | b'}' => Sentence::Close,
        _ => Sentence::Other,
    }
}

/// [`classify_sentence`] of every byte: a look-up where a match would branch.
const SENTENCE_CLASSES: [Sentence; 256] = {
    let mut table = [Sentence::Other; 256];
    let mut byte = 0;
    while byte < table.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, bounded by the loop")]
        {
            table[byte] = classify_sentence(byte as u8);
        }
        byte += 1;
    }
    table
};

fn sentence_class(byte: u8) -> Sentence {
    SENTENCE_CLASSES.get(usize::from(byte)).copied().unwrap_or(Sentence::Other)
}

/// A sentence terminator seen, and how far past it we are: 0 on it, 1 past closing marks, 2 past spaces.
#[derive(Clone, Copy)]
struct Terminator {
    full_stop: bool,
    after_letter: bool,
    stage: u8,
}

/// The sentence rules SB3-SB998 for ASCII.
fn ascii_sentence_ends(bytes: &[u8]) -> Vec<usize> {
    use Sentence::{Close, Continue, Digit, Lower, Mark, Newline, Return, Space, Stop, Upper};
    let mut ends = Vec::new();
    let mut terminator: Option<Terminator> = None;
    let mut previous = Sentence::Other;
    for (at, &byte) in bytes.iter().enumerate() {
        let current = sentence_class(byte);
        let line_ended = previous == Newline || (previous == Return && current != Newline);
        let sentence_ended = terminator.is_some_and(|t| {
            let continues =
                (t.full_stop && t.stage == 0 && (current == Digit || (t.after_letter && current == Upper)))
                    || matches!(current, Continue | Stop | Mark)
                    || (t.stage <= 1 && current == Close)
                    || matches!(current, Space | Newline | Return)
                    || (t.full_stop && a_lower_case_letter_follows(bytes.get(at..).unwrap_or_default()));
            !continues
        });
        if at > 0 && (line_ended || sentence_ended) {
            ends.push(at);
            terminator = None;
        }
        terminator = match (current, terminator) {
            (Stop | Mark, _) => Some(Terminator {
                full_stop: current == Stop,
                after_letter: matches!(previous, Upper | Lower),
                stage: 0,
            }),
            (Close, Some(t)) if t.stage <= 1 => Some(Terminator { stage: 1, ..t }),
            (Space, Some(t)) => Some(Terminator { stage: 2, ..t }),
            // CR and LF may still belong to the sentence that they end.
            (Return, Some(t)) => Some(Terminator { stage: 2, ..t }),
            _ => None,
        };
        previous = current;
    }
    if !bytes.is_empty() {
        ends.push(bytes.len());
    }
    ends
}

/// SB8: whether the next letter, with neither a line end nor a terminator before it, is lower case.
fn a_lower_case_letter_follows(rest: &[u8]) -> bool {
    for &byte in rest {
        match sentence_class(byte) {
            Sentence::Lower => return true,
            Sentence::Upper | Sentence::Return | Sentence::Newline | Sentence::Stop | Sentence::Mark => {
                return false;
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reference_words(text: &str) -> Vec<(usize, usize)> {
        text.split_word_bound_indices().map(|(at, piece)| (at, at + piece.len())).collect()
    }

    fn fast_words(text: &str) -> Vec<(usize, usize)> {
        let mut out = Vec::new();
        ascii_word_bounds(text.as_bytes(), &mut out);
        out
    }

    fn reference_sentences(text: &str) -> Vec<usize> {
        text.split_sentence_bound_indices().map(|(at, piece)| at + piece.len()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn ascii_words_are_uax29_words(text in "[ -~\\t\\r\\n\\x0b\\x0c]{0,40}") {
            prop_assert_eq!(fast_words(&text), reference_words(&text));
        }

        #[test]
        fn ascii_words_with_dense_punctuation(text in "[aZ0_:;,.' \\r\\n]{0,16}") {
            prop_assert_eq!(fast_words(&text), reference_words(&text));
        }

        #[test]
        fn ascii_sentences_are_uax29_sentences(text in "[ -~\\t\\r\\n]{0,60}") {
            prop_assert_eq!(ascii_sentence_ends(text.as_bytes()), reference_sentences(&text));
        }

        #[test]
        fn ascii_sentences_with_dense_punctuation(text in "[aZ0.!?,;:'\")( \\r\\n-]{0,16}") {
            prop_assert_eq!(ascii_sentence_ends(text.as_bytes()), reference_sentences(&text));
        }
    }

    #[test]
    fn sentences_of_a_comment() {
        let text = "Well said! It cost $3.50, e.g. too much. \"Why?\" she asked.\nNobody knows";
        let mut from = 0;
        let pieces: Vec<&str> = sentence_ends(text)
            .into_iter()
            .map(|to| {
                let piece = text.get(from..to).unwrap();
                from = to;
                piece.trim()
            })
            .collect();
        assert_eq!(
            pieces,
            ["Well said!", "It cost $3.50, e.g. too much.", "\"Why?\"", "she asked.", "Nobody knows"]
        );
    }
}
