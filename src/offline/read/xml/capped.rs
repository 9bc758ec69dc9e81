//! A parser's input that never lets one token grow beyond a bound.
//!
//! The parser holds a token (a text, a tag, a comment, a CDATA section) until it ends. Here the middle of an overlong one is dropped: the
//! input runs ahead to where the token ends by itself, as its first bytes say, and only then goes on.

use std::io::{self, BufRead, Read};

use super::super::decoded::Decoded;
use crate::offline::records::LONGEST_LINE;

/// What one token may hold in all: within a DTD, what looks like its end may be none, so more
/// than once is dropped.
const MOST_HELD: usize = 4 * LONGEST_LINE;
/// The first bytes of a token that are remembered.
const OPENING: usize = 9;

/// See the module's documentation.
pub(super) struct Capped {
    pub(super) input: Decoded,
    /// Bytes of this token so far, or since the last time that some were dropped.
    taken: usize,
    held: usize,
    opening: [u8; OPENING],
    opened: usize,
    /// The last two bytes taken.
    tail: [u8; 2],
    /// The quote that is open, if this is a tag.
    quote: Option<u8>,
    /// The end of the token, to be given after a middle that was dropped.
    ending: &'static [u8],
    /// Whether something of this token was dropped.
    pub(super) is_over: bool,
    /// Whether other tags were dropped with the middle of a tag.
    pub(super) has_swallowed: bool,
}

impl Capped {
    pub(super) fn new(input: Decoded) -> Self {
        Self {
            input,
            taken: 0,
            held: 0,
            opening: [0; OPENING],
            opened: 0,
            tail: [0; 2],
            quote: None,
            ending: b"",
            is_over: false,
            has_swallowed: false,
        }
    }

    /// A new token begins here.
    pub(super) fn begin(&mut self) {
        (self.taken, self.held) = (0, 0);
        self.opened = 0;
        self.tail = [0; 2];
        self.quote = None;
        (self.is_over, self.has_swallowed) = (false, false);
    }

    fn opening(&self) -> &[u8] {
        self.opening.get(..self.opened).unwrap_or_default()
    }

    /// Runs ahead to the end of the token.
    fn drop_middle(&mut self) -> io::Result<()> {
        let opening = self.opening();
        let ending: &'static [u8] = match opening {
            [b'<', b'!', b'[', ..] => b"]]>",
            [b'<', b'!', b'-', ..] => b"-->",
            [b'<', b'!', ..] => b">",
            [b'<', b'?', ..] => b"?>",
            [b'<', ..] => return self.drop_tag(),
            _ => return self.drop_text(),
        };
        let mut matched = matched_by(self.tail, ending);
        self.drop_until(|byte| {
            matched = step(matched, byte, ending);
            matched == ending.len()
        })?;
        self.ending = ending;
        Ok(())
    }

    /// A tag ends with `>` outside quotes.
    fn drop_tag(&mut self) -> io::Result<()> {
        let (mut quote, mut has_swallowed, mut last, mut is_empty) = (self.quote, false, self.tail[1], false);
        self.drop_until(|byte| {
            quote = quoted(quote, byte);
            has_swallowed |= byte == b'<';
            is_empty = last == b'/';
            last = byte;
            quote.is_none() && byte == b'>'
        })?;
        self.has_swallowed |= has_swallowed;
        self.ending = match (self.quote, is_empty) {
            (Some(b'"'), false) => b"\">",
            (Some(b'"'), true) => b"\"/>",
            (Some(_), false) => b"'>",
            (Some(_), true) => b"'/>",
            (None, false) => b">",
            (None, true) => b"/>",
        };
        Ok(())
    }

    /// Drops up to and with the byte that is the end, or up to the end of the file.
    fn drop_until(&mut self, mut is_end: impl FnMut(u8) -> bool) -> io::Result<()> {
        loop {
            let buffer = self.input.fill_buf()?;
            let end = buffer.iter().position(|byte| is_end(*byte));
            let used = end.map_or(buffer.len(), |end| end + 1);
            if used == 0 {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "a tag, comment or CDATA section without an end",
                ));
            }
            self.input.consume(used);
            if end.is_some() {
                return Ok(());
            }
        }
    }

    /// Text ends before the next tag.
    fn drop_text(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Ok(());
            }
            let next = memchr::memchr(b'<', buffer);
            let used = next.unwrap_or(buffer.len());
            self.input.consume(used);
            if next.is_some() {
                return Ok(());
            }
        }
    }
}

/// The quote that is open after one more byte of a tag.
fn quoted(open: Option<u8>, byte: u8) -> Option<u8> {
    match (open, byte) {
        (None, b'"' | b'\'') => Some(byte),
        (Some(quote), _) if quote == byte => None,
        _ => open,
    }
}

/// How much of an ending these bytes have said already.
fn matched_by(tail: [u8; 2], ending: &[u8]) -> usize {
    tail.iter().fold(0, |matched, byte| step(matched, *byte, ending))
}

/// How much of an ending is said with one more byte. The endings repeat only their first byte (`]]>`, `-->`), so a third `]` still
/// leaves two.
fn step(matched: usize, byte: u8, ending: &[u8]) -> usize {
    if ending.get(matched) == Some(&byte) {
        return matched + 1;
    }
    let is_repeated = ending.first() == Some(&byte);
    if is_repeated { matched.clamp(1, ending.len().saturating_sub(1)) } else { 0 }
}

impl BufRead for Capped {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.ending.is_empty() && self.taken > LONGEST_LINE {
            self.is_over = true;
            self.held += self.taken;
            self.taken = 0;
            if self.held > MOST_HELD {
                return Err(io::Error::other(format!(
                    "one declaration goes on for more than {MOST_HELD} bytes"
                )));
            }
            self.drop_middle()?;
        }
        if self.ending.is_empty() { self.input.fill_buf() } else { Ok(self.ending) }
    }

    fn consume(&mut self, amount: usize) {
        if !self.ending.is_empty() {
            self.ending = self.ending.get(amount..).unwrap_or_default();
            return;
        }
        if let Ok(buffer) = self.input.fill_buf() {
            let taken = buffer.get(..amount).unwrap_or(buffer);
            for byte in taken.iter().take(OPENING - self.opened) {
                if let Some(place) = self.opening.get_mut(self.opened) {
                    *place = *byte;
                    self.opened += 1;
                }
            }
            if let [b'<', second, ..] = self.opening
                && !matches!(second, b'!' | b'?')
            {
                self.quote = taken.iter().fold(self.quote, |quote, byte| quoted(quote, *byte));
            }
            if let [.., before, last] = taken {
                self.tail = [*before, *last];
            } else if let [last] = taken {
                self.tail = [self.tail[1], *last];
            }
        }
        self.taken += amount;
        self.input.consume(amount);
    }
}

impl Read for Capped {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_is_found_wherever_it_is_cut() {
        for (text, ending, expected) in [
            ("abc]]>", "]]>", 6),
            ("]]]]>x", "]]>", 5),
            ("]a]]>", "]]>", 5),
            ("--->", "-->", 4),
            ("-a-->", "-->", 5),
            ("??>", "?>", 3),
            (">", ">", 1),
        ] {
            let mut matched = 0;
            let end = text.bytes().position(|byte| {
                matched = step(matched, byte, ending.as_bytes());
                matched == ending.len()
            });
            assert_eq!(end.map(|end| end + 1), Some(expected), "{text}");
        }
        assert_eq!(matched_by(*b"]]", b"]]>"), 2);
        assert_eq!(matched_by(*b"x]", b"]]>"), 1);
    }
}
