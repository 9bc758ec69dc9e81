//! Characters that no reader sees: zero-width, bidirectional controls, tags, fillers, variation selectors.

use unicode_script::{Script, UnicodeScript};

use super::glyph::Glyph;

/// Whether `ch` is invisible by itself (general category Cf, fillers, selectors) or a control other than tab and newline.
pub fn is_hidden(ch: char) -> bool {
    match ch {
        '\t' | '\n' => false,
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        _ => ch.is_control(),
    }
}

/// Drops hidden characters. Returns how many stood inside a word, where only a disguise puts them.
///
/// The joiners U+200C and U+200D stay between letters of scripts that spell with them (Arabic, Indic); a soft hyphen or
/// a direction mark of right-to-left text is dropped without being counted.
pub(super) fn drop_hidden(glyphs: &mut Vec<Glyph>) -> u32 {
    let right_to_left = glyphs
        .iter()
        .any(|g| matches!(g.ch.script(), Script::Arabic | Script::Hebrew | Script::Syriac | Script::Thaana));
    let mut inside_words = 0;
    let mut kept: Vec<Glyph> = Vec::with_capacity(glyphs.len());
    let mut pending = 0u32;
    for (at, &glyph) in glyphs.iter().enumerate() {
        if !is_hidden(glyph.ch) {
            if pending > 0
                && glyph.ch.is_alphanumeric()
                && kept.last().is_some_and(|g| g.ch.is_alphanumeric())
            {
                inside_words += pending;
            }
            pending = 0;
            kept.push(glyph);
            continue;
        }
        if glyph.ch == '\r' {
            if glyphs.get(at + 1).is_none_or(|next| next.ch != '\n') {
                kept.push(Glyph { ch: '\n', ..glyph });
            }
            continue;
        }
        if matches!(glyph.ch, '\u{200c}' | '\u{200d}')
            && kept.last().is_some_and(|g| spells_with_joiners(g.ch))
            && glyphs.get(at + 1).is_some_and(|g| spells_with_joiners(g.ch))
        {
            kept.push(glyph);
            continue;
        }
        let innocent = matches!(glyph.ch, '\u{ad}' | '\u{fe00}'..='\u{fe0f}')
            || (right_to_left
                && matches!(glyph.ch, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
        pending += u32::from(!innocent);
    }
    *glyphs = kept;
    inside_words
}

/// Scripts whose spelling uses the zero-width joiner and non-joiner.
fn spells_with_joiners(ch: char) -> bool {
    matches!(
        ch.script(),
        Script::Arabic
            | Script::Syriac
            | Script::Devanagari
            | Script::Bengali
            | Script::Gurmukhi
            | Script::Gujarati
            | Script::Oriya
            | Script::Tamil
            | Script::Telugu
            | Script::Kannada
            | Script::Malayalam
            | Script::Sinhala
            | Script::Khmer
            | Script::Myanmar
    ) || matches!(ch, '\u{300}'..='\u{36f}')
}

#[cfg(test)]
mod tests {
    use super::super::glyph::glyphs;
    use super::*;

    #[test]
    fn hidden_characters_inside_words_are_counted_others_only_dropped() {
        for (raw, folded, counted) in [
            ("cru\u{200b}cial", "crucial", 1),
            ("a \u{200b}b", "a b", 0),
            ("\u{feff}hello", "hello", 0),
            ("co\u{ad}operate", "cooperate", 0),
            ("می\u{200c}شود", "می\u{200c}شود", 0),
            ("line\r\nnext\rlast", "line\nnext\nlast", 0),
            ("\u{202e}abc\u{202c}d", "abcd", 1),
            ("❤\u{fe0f}", "❤", 0),
        ] {
            let mut buffer = glyphs(raw);
            let count = drop_hidden(&mut buffer);
            assert_eq!(buffer.iter().map(|g| g.ch).collect::<String>(), folded);
            assert_eq!(count, counted, "{raw:?}");
        }
    }
}
