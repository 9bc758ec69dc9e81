//! Confusable letters (UTS #39): words that mix scripts to look Latin are folded to the Latin they imitate.

use std::ops::Range;

use unicode_script::{Script, UnicodeScript};
use unicode_security::confusable_detection::skeleton;

use super::glyph::{Glyph, chunks};

/// Folds look-alike letters in words that mix Latin with other scripts, and in words of look-alikes alone when the text
/// as a whole is Latin. Returns how many words mixed scripts.
pub(super) fn fold_confusables(glyphs: &mut [Glyph]) -> u32 {
    if glyphs.iter().all(|g| g.ch.is_ascii() || !imitates_latin(g.ch)) {
        return 0;
    }
    let latin = glyphs.iter().filter(|g| g.ch.is_ascii_alphabetic()).count();
    let foreign = glyphs.iter().filter(|g| imitates_latin(g.ch)).count();
    let mostly_latin = latin > foreign;
    let mut mixed_words = 0;
    // `SMS-ку` is a Latin word and a Russian ending, no disguise: each part is judged by itself.
    let parts: Vec<_> = chunks(glyphs).into_iter().flat_map(|chunk| parts(glyphs, chunk)).collect();
    for part in parts {
        let Some(word) = glyphs.get_mut(part) else { continue };
        let has_latin = word.iter().any(|g| g.ch.is_ascii_alphabetic());
        let has_foreign = word.iter().any(|g| imitates_latin(g.ch));
        if !has_foreign || !(has_latin || mostly_latin) {
            continue;
        }
        let all_fold = word.iter().filter(|g| imitates_latin(g.ch)).all(|g| latin_twin(g.ch).is_some());
        if !all_fold {
            continue;
        }
        for glyph in word.iter_mut().filter(|g| imitates_latin(g.ch)) {
            glyph.ch = latin_twin(glyph.ch).unwrap_or(glyph.ch);
        }
        mixed_words += u32::from(has_latin);
    }
    mixed_words
}

/// The parts of a chunk between hyphens and slashes.
fn parts(glyphs: &[Glyph], chunk: Range<usize>) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut from = chunk.start;
    for at in chunk.clone() {
        if glyphs.get(at).is_some_and(|g| matches!(g.ch, '-' | '/' | '\u{2014}')) {
            parts.push(from..at);
            from = at + 1;
        }
    }
    parts.push(from..chunk.end);
    parts
}

/// Letters of other alphabets, and phonetic letters, that can pass for Latin ones.
fn imitates_latin(ch: char) -> bool {
    if ch.is_ascii() || !ch.is_alphabetic() {
        return false;
    }
    match ch.script() {
        Script::Cyrillic
        | Script::Greek
        | Script::Armenian
        | Script::Cherokee
        | Script::Coptic
        | Script::Lisu => true,
        Script::Latin => {
            matches!(ch, '\u{250}'..='\u{2af}' | '\u{1d00}'..='\u{1d7f}' | '\u{a730}' | '\u{a731}')
        }
        _ => false,
    }
}

/// The ASCII letter that `ch` looks like, if it is one letter.
fn latin_twin(ch: char) -> Option<char> {
    let small_capital = match ch {
        'ᴀ' => 'a',
        'ʙ' => 'b',
        'ᴄ' => 'c',
        'ᴅ' => 'd',
        'ᴇ' => 'e',
        'ꜰ' => 'f',
        'ɢ' => 'g',
        'ʜ' => 'h',
        'ɪ' => 'i',
        'ᴊ' => 'j',
        'ᴋ' => 'k',
        'ʟ' => 'l',
        'ᴍ' => 'm',
        'ɴ' => 'n',
        'ᴏ' => 'o',
        'ᴘ' => 'p',
        'ʀ' => 'r',
        'ꜱ' => 's',
        'ᴛ' => 't',
        'ᴜ' => 'u',
        'ᴠ' => 'v',
        'ᴡ' => 'w',
        'ʏ' => 'y',
        'ᴢ' => 'z',
        'м' => 'm',
        'к' => 'k',
        'т' => 't',
        'н' => 'h',
        'в' => 'b',
        'и' => 'n',
        'η' => 'n',
        'κ' => 'k',
        'τ' => 't',
        'ω' => 'w',
        'ε' => 'e',
        'χ' => 'x',
        'μ' => 'u',
        _ => '\0',
    };
    if small_capital != '\0' {
        return Some(small_capital);
    }
    let mut buffer = [0; 4];
    let mut twin = skeleton(ch.encode_utf8(&mut buffer));
    let first = twin.next()?;
    if twin.next().is_some() || !first.is_ascii_alphabetic() {
        return None;
    }
    // UTS #39 maps both cases of i and l to `l`: keep the case that was typed.
    Some(match (ch.is_uppercase(), first) {
        (true, 'l') => 'I',
        (true, letter) => letter.to_ascii_uppercase(),
        (false, letter) => letter.to_ascii_lowercase(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::glyph::glyphs;
    use super::*;

    fn fold(raw: &str) -> (String, u32) {
        let mut buffer = glyphs(raw);
        let words = fold_confusables(&mut buffer);
        (buffer.iter().map(|g| g.ch).collect(), words)
    }

    #[test]
    fn mixed_words_fold_whole_foreign_words_do_not() {
        assert_eq!(fold("сruсiаl point"), ("crucial point".into(), 1));
        assert_eq!(fold("Тhe article rаises"), ("The article raises".into(), 2));
        assert_eq!(fold("a fine line а word"), ("a fine line a word".into(), 0));
        assert_eq!(fold("Привет, мой друг"), ("Привет, мой друг".into(), 0));
        assert_eq!(fold("the word Спасибо means thanks"), ("the word Спасибо means thanks".into(), 0));
    }
}
