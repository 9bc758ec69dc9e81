//! Folding: raw text -> canonical text, with a way back to the raw bytes and counts of what was undone.
//!
//! The stages run in this order, each on characters that know their raw bytes: hidden characters out, HTML out,
//! compatibility forms (NFKC), hidden characters again (entities may have brought some), stray marks out, typographic
//! punctuation plain, confusable letters, spaced-out words, leet words. Plain ASCII without markup or disguises, the
//! common case, skips all of it. Folding a canonical text again changes nothing.

use super::glyph::{Glyph, glyphs};
use super::{confusable, hidden, html, normalize, spelling};
use crate::domain::Span;

/// Version of the canonical form. Stored hashes carry it; a change of folding or of tokens must raise it.
pub const CANON_VERSION: u16 = 1;

/// What folding undid. These are findings about the author's typing, not about the text's meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FoldCounts {
    /// Invisible characters inside words.
    pub hidden_characters: u32,
    /// Words that mixed Latin with look-alike letters of other scripts.
    pub confusable_words: u32,
    /// Words with combining marks that their script does not use.
    pub marked_words: u32,
    /// Words that were spaced out letter by letter.
    pub spaced_words: u32,
    /// Words with digits or signs in place of letters.
    pub leet_words: u32,
    /// HTML tags taken out.
    pub tags: u32,
}

impl FoldCounts {
    /// What no keyboard produces by accident: hidden characters, and words with look-alike letters or struck-through ones.
    pub fn covert(&self) -> u32 {
        self.hidden_characters + self.confusable_words + self.marked_words
    }

    /// Words spelled oddly for all to see: spaced out, or with digits for letters. People do that for emphasis too.
    pub fn odd_words(&self) -> u32 {
        self.spaced_words + self.leet_words
    }

    fn add(&mut self, other: Self) {
        self.hidden_characters += other.hidden_characters;
        self.confusable_words += other.confusable_words;
        self.marked_words += other.marked_words;
        self.spaced_words += other.spaced_words;
        self.leet_words += other.leet_words;
        self.tags += other.tags;
    }
}

/// A folded text: the canonical form (case kept), the match form (lower case, Latin diacritics off), the way back.
#[derive(Debug, Clone)]
pub struct Folded {
    canonical: String,
    /// `None` when lower-casing changes no byte length: then offsets agree with `canonical`.
    lower: String,
    /// Raw bytes of each byte of `canonical`; `None` when both are the same text.
    origin: Option<Vec<Span>>,
    /// Raw bytes of each byte of `lower`; `None` when it is as long as `canonical`, byte by byte.
    lower_origin: Option<Vec<Span>>,
    counts: FoldCounts,
}

impl Folded {
    /// The canonical text, case kept.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// The match form: lower case, Latin letters without diacritics; one character for each of the canonical text.
    pub fn lower(&self) -> &str {
        &self.lower
    }

    /// What was undone.
    pub fn counts(&self) -> FoldCounts {
        self.counts
    }

    /// Whether offsets into [`Self::lower`] are offsets into [`Self::canonical`].
    pub fn same_offsets(&self) -> bool {
        self.lower_origin.is_none()
    }

    /// The raw bytes behind a byte range of the canonical text.
    pub fn raw_span(&self, start: usize, end: usize) -> Span {
        span_through(self.origin.as_deref(), start, end)
    }

    /// The raw bytes behind a byte range of the match form.
    pub fn raw_span_of_lower(&self, start: usize, end: usize) -> Span {
        span_through(self.lower_origin.as_deref().or(self.origin.as_deref()), start, end)
    }
}

fn span_through(origin: Option<&[Span]>, start: usize, end: usize) -> Span {
    let Some(origin) = origin else { return Span::new(start as u32, end as u32) };
    if end <= start {
        let at = origin.get(start).map(|s| s.start).or(origin.last().map(|s| s.end)).unwrap_or_default();
        return Span::new(at, at);
    }
    origin.get(start..end).and_then(|bytes| bytes.iter().copied().reduce(Span::cover)).unwrap_or_default()
}

/// The part of a raw text that is judged: its first [`MAX_JUDGED_BYTES`](super::truncate::MAX_JUDGED_BYTES).
pub fn judged_part(raw: &str) -> &str {
    super::truncate::truncate(raw, super::truncate::MAX_JUDGED_BYTES)
}

/// Folds a text. See the module's documentation for the stages.
pub fn fold(raw: &str) -> Folded {
    if is_plain(raw) {
        return Folded {
            canonical: raw.to_owned(),
            lower: raw.to_ascii_lowercase(),
            origin: None,
            lower_origin: None,
            counts: FoldCounts::default(),
        };
    }
    let mut buffer = glyphs(raw);
    let mut counts = FoldCounts::default();
    // One pass can bring forth work for an earlier stage (an entity that hides a full-width tag); a second and a third
    // settle that, and ordinary texts stop after the first.
    for _ in 0..6 {
        let before: Vec<char> = buffer.iter().map(|g| g.ch).collect();
        counts.add(pass(&mut buffer));
        let settled = buffer.iter().map(|g| g.ch).eq(before);
        if settled || !buffer.iter().any(|g| g.ch != '\n' && may_fold_again(g.ch)) {
            break;
        }
    }
    finish(&buffer, counts)
}

/// Characters that an earlier stage would act on if a later one brought them forth.
fn may_fold_again(ch: char) -> bool {
    !ch.is_ascii()
        || html::is_markup(ch)
        || ch.is_ascii_digit()
        || ch.is_ascii_control()
        || matches!(ch, '@' | '$' | '.' | '-' | '_' | '*' | '|' | '/')
}

/// One run through all stages.
fn pass(buffer: &mut Vec<Glyph>) -> FoldCounts {
    let mut counts = FoldCounts::default();
    let mut has_markup = false;
    let mut has_hidden = false;
    let mut ascii = true;
    for glyph in buffer.iter() {
        has_markup |= html::is_markup(glyph.ch);
        has_hidden |= hidden::is_hidden(glyph.ch);
        ascii &= glyph.ch.is_ascii();
    }
    if has_hidden {
        counts.hidden_characters += hidden::drop_hidden(buffer);
    }
    if has_markup {
        counts.tags += html::strip(buffer);
        ascii &= buffer.iter().all(|g| g.ch.is_ascii());
        if buffer.iter().any(|g| hidden::is_hidden(g.ch)) {
            counts.hidden_characters += hidden::drop_hidden(buffer);
        }
    }
    if !ascii {
        for glyph in buffer.iter_mut() {
            glyph.ch = normalize::plain_punctuation(glyph.ch);
        }
        normalize::nfkc(buffer);
        counts.marked_words += normalize::strip_marks(buffer);
        for glyph in buffer.iter_mut() {
            glyph.ch = normalize::plain_punctuation(glyph.ch);
        }
        counts.confusable_words += confusable::fold_confusables(buffer);
    }
    for glyph in buffer.iter_mut() {
        if glyph.ch == '`' {
            glyph.ch = '\'';
        }
    }
    counts.spaced_words += spelling::join_spaced(buffer);
    counts.leet_words += spelling::decode_leet(buffer);
    counts
}

/// Whether folding would change nothing, seen from the bytes alone.
fn is_plain(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    bytes
        .iter()
        .all(|&b| b < 0x7f && (b >= 0x20 || b == b'\n' || b == b'\t') && !matches!(b, b'<' | b'&' | b'`'))
        && !spelling::looks_disguised(bytes)
}

fn finish(buffer: &[Glyph], counts: FoldCounts) -> Folded {
    let mut canonical = String::with_capacity(buffer.len());
    let mut lower = String::with_capacity(buffer.len());
    let mut origin = Vec::with_capacity(buffer.len());
    let mut lower_origin = Vec::with_capacity(buffer.len());
    let mut aligned = true;
    for glyph in buffer {
        canonical.push(glyph.ch);
        origin.resize(canonical.len(), glyph.raw);
        lower.push(normalize::match_form(glyph.ch));
        lower_origin.resize(lower.len(), glyph.raw);
        aligned &= canonical.len() == lower.len();
    }
    Folded {
        canonical,
        lower,
        origin: Some(origin),
        lower_origin: (!aligned).then_some(lower_origin),
        counts,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn disguises_fold_to_the_same_text() {
        let plain = "The article raises crucial points.";
        for disguised in [
            "The art\u{200b}icle raises cru\u{200b}cial points.",
            "The аrticle rаises cruciаl points.",
            "The a\u{332}rticle raises crucia\u{338}l points.",
            "Ｔｈｅ ａｒｔｉｃｌｅ raises crucial points.",
            "<p>The <b>article</b> raises crucial points.</p>",
            "The&nbsp;article raises &#99;rucial points.",
            "The a r t i c l e raises crucial points.",
            "The 4rt1cl3 raises cruc1al points.",
        ] {
            assert_eq!(fold(disguised).canonical().trim(), plain, "{disguised}");
        }
    }

    #[test]
    fn spans_lead_back_to_what_was_typed() {
        let raw = "A cru\u{200b}cial “point” &amp; more";
        let folded = fold(raw);
        assert_eq!(folded.canonical(), "A crucial \"point\" & more");
        let at = folded.canonical().find("crucial").unwrap();
        assert_eq!(folded.raw_span(at, at + 7).slice(raw), "cru\u{200b}cial");
        let amp = folded.canonical().find('&').unwrap();
        assert_eq!(folded.raw_span(amp, amp + 1).slice(raw), "&amp;");
    }

    /// Text with the pieces that folding cares about, far likelier than random characters would give.
    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            ".{0,4}",
            "[a-zA-Z]{1,6}",
            Just(" ".to_owned()),
            prop::sample::select(vec![
                "&",
                "&amp;",
                "&lt;",
                ";",
                "<",
                ">",
                "<b>",
                "</p>",
                "<!--",
                "-->",
                "#39;",
                "\u{200b}",
                "\u{301}",
                "\u{338}",
                "а",
                "е",
                "о",
                "3",
                "4",
                "0",
                "@",
                "a b c d",
                ".",
                "'",
                "’",
                "ﬁ",
                "Ｔ",
                "🇩🇪",
                "👍🏽",
                "\r\n",
                "\u{202e}",
                "ا\u{200c}ب",
                "가",
                "\u{1100}\u{1161}",
                "&#65313;",
                "＜",
                "İ",
            ])
            .prop_map(str::to_owned),
        ];
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1500))]

        #[test]
        fn folding_is_idempotent(raw in hostile()) {
            let once = fold(&raw);
            let twice = fold(once.canonical());
            prop_assert_eq!(once.canonical(), twice.canonical());
            prop_assert_eq!(once.lower(), twice.lower());
        }

        #[test]
        fn spans_fall_on_boundaries_inside_the_raw_text(raw in hostile()) {
            let folded = fold(&raw);
            for (text, lower) in [(folded.canonical(), false), (folded.lower(), true)] {
                for (at, ch) in text.char_indices() {
                    let end = at + ch.len_utf8();
                    let span = if lower { folded.raw_span_of_lower(at, end) } else { folded.raw_span(at, end) };
                    prop_assert!(span.end as usize <= raw.len());
                    prop_assert!(raw.is_char_boundary(span.start as usize) && raw.is_char_boundary(span.end as usize));
                }
            }
            prop_assert_eq!(folded.canonical().chars().count(), folded.lower().chars().count());
        }
    }
}
