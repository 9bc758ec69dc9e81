//! Compatibility forms (NFKC), combining-mark abuse and typographic punctuation.

use unicode_normalization::char::{canonical_combining_class, is_combining_mark};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};
use unicode_script::{Script, UnicodeScript};

use super::glyph::Glyph;

/// Folds the glyphs to NFKC; the characters of one composed run share the run's raw bytes.
pub(super) fn nfkc(glyphs: &mut Vec<Glyph>) {
    if is_nfkc_quick(glyphs.iter().map(|g| g.ch)) == IsNormalized::Yes {
        return;
    }
    let mut out = Vec::with_capacity(glyphs.len());
    let mut run: Vec<Glyph> = Vec::new();
    for &glyph in glyphs.iter() {
        if starts_run(glyph.ch) {
            flush(&mut run, &mut out);
        }
        run.push(glyph);
    }
    flush(&mut run, &mut out);
    *glyphs = out;
}

/// A character that never composes with what stands before it.
fn starts_run(ch: char) -> bool {
    ch.is_ascii()
        || (canonical_combining_class(ch) == 0 && is_nfkc_quick(std::iter::once(ch)) != IsNormalized::Maybe)
}

fn flush(run: &mut Vec<Glyph>, out: &mut Vec<Glyph>) {
    let Some(raw) = run.iter().map(|g| g.raw).reduce(crate::domain::Span::cover) else { return };
    if let [only] = run.as_slice()
        && only.ch.is_ascii()
    {
        out.push(*only);
    } else {
        out.extend(run.iter().map(|g| g.ch).nfkc().map(|ch| Glyph { ch, raw }));
    }
    run.clear();
}

/// Whether a mark is one that no orthography puts on a letter: strokes through it, lines under or over it, rings around it.
/// Accents, dots, hooks and tails are how Yoruba, Navajo, Vietnamese or stressed Russian are written.
fn is_abusive(mark: char) -> bool {
    matches!(mark, '\u{305}' | '\u{332}'..='\u{338}' | '\u{33f}' | '\u{346}'..='\u{34e}' | '\u{350}'..='\u{362}' | '\u{20d0}'..='\u{20f0}')
}

/// Drops combining marks that do not compose with their Latin, Greek or Cyrillic letter, and any mark past the third of a letter
/// of another script. Returns how many words had marks that are there to disguise: abusive ones, or three and more on a letter.
pub(super) fn strip_marks(glyphs: &mut Vec<Glyph>) -> u32 {
    if !glyphs.iter().any(|g| is_combining_mark(g.ch)) {
        return 0;
    }
    let mut words = 0;
    let mut word_marked = false;
    let mut base = ' ';
    let mut marks_on_base = 0;
    glyphs.retain(|glyph| {
        if is_combining_mark(glyph.ch) {
            marks_on_base += 1;
            let foreign = match base.script() {
                Script::Latin | Script::Greek | Script::Cyrillic => true,
                Script::Common => return false,
                _ => marks_on_base > 3,
            };
            word_marked |= foreign && (is_abusive(glyph.ch) || marks_on_base >= 3);
            return !foreign;
        }
        if glyph.ch.is_whitespace() {
            words += u32::from(word_marked);
            word_marked = false;
        }
        base = glyph.ch;
        marks_on_base = 0;
        true
    });
    words + u32::from(word_marked)
}

/// The plain form of typographic quotes, dashes and spaces, so that one text typed on two keyboards folds alike.
pub(super) fn plain_punctuation(ch: char) -> char {
    match ch {
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' | '\u{2032}' | '\u{2bc}' | '\u{60}' | '\u{b4}' => {
            '\''
        }
        '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{ab}' | '\u{bb}' => '"',
        '\u{2010}'..='\u{2012}' | '\u{2212}' => '-',
        '\u{2013}' | '\u{2015}' => '\u{2014}',
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
        _ => ch,
    }
}

/// The match form of a canonical character: lower case, Latin letters without their diacritics. Always one character.
pub(super) fn match_form(ch: char) -> char {
    if ch.is_ascii() {
        return ch.to_ascii_lowercase();
    }
    let lower = ch.to_lowercase().next().unwrap_or(ch);
    if lower.script() == Script::Latin {
        return std::iter::once(lower).nfd().next().unwrap_or(lower);
    }
    lower
}

#[cfg(test)]
mod tests {
    use super::super::glyph::glyphs;
    use super::*;

    #[test]
    fn compatibility_forms_fold_and_keep_their_bytes() {
        let mut buffer = glyphs("Ｆｕｌｌ ﬁne e\u{301}");
        nfkc(&mut buffer);
        assert_eq!(buffer.iter().map(|g| g.ch).collect::<String>(), "Full fine é");
        let last = buffer.last().unwrap();
        assert_eq!(last.raw.len(), 3, "e + combining acute are three raw bytes");
    }

    #[test]
    fn stacked_marks_go_and_their_words_are_counted() {
        let mut buffer = glyphs("cr\u{332}u\u{338}cial and fine");
        nfkc(&mut buffer);
        let words = strip_marks(&mut buffer);
        assert_eq!(buffer.iter().map(|g| g.ch).collect::<String>(), "crucial and fine");
        assert_eq!(words, 1);
        for written in ["Ọ̀rọ̀ rẹ̀", "за́мок и замо́к", "nishłį́ Hą́ą́h"] {
            let mut buffer = glyphs(written);
            nfkc(&mut buffer);
            assert_eq!(strip_marks(&mut buffer), 0, "{written}");
        }
        let mut hindi = glyphs("हिन्दी में");
        assert_eq!(strip_marks(&mut hindi), 0);
        assert_eq!(hindi.len(), "हिन्दी में".chars().count());
    }

    #[test]
    fn the_match_form_is_lower_case_without_latin_diacritics() {
        let fold = |s: &str| s.chars().map(match_form).collect::<String>();
        assert_eq!(fold("ÉÑÜß İstanbul Привет Йод 東京"), "enuß istanbul привет йод 東京");
    }
}
