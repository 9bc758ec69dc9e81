//! The folding stages' working form: characters that know which raw bytes they came from.

use crate::domain::Span;

/// A character and the raw bytes it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glyph {
    /// The character as folded so far.
    pub(super) ch: char,
    /// The bytes of the raw text it came from.
    pub(super) raw: Span,
}

/// The raw text as glyphs, one a character.
pub(super) fn glyphs(raw: &str) -> Vec<Glyph> {
    raw.char_indices()
        .map(|(at, ch)| Glyph { ch, raw: Span::new(at as u32, (at + ch.len_utf8()) as u32) })
        .collect()
}

/// The half-open index ranges of the maximal runs of non-space glyphs.
pub(super) fn chunks(glyphs: &[Glyph]) -> Vec<std::ops::Range<usize>> {
    let mut chunks = Vec::new();
    let mut start = None;
    for (at, glyph) in glyphs.iter().enumerate() {
        match (glyph.ch.is_whitespace(), start) {
            (false, None) => start = Some(at),
            (true, Some(from)) => {
                chunks.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    chunks.extend(start.map(|from| from..glyphs.len()));
    chunks
}
