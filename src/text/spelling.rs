//! Disguised spelling: `s p a c e d` and `l3et` words back to what a reader reads.

use super::glyph::{Glyph, chunks, glyphs};
use super::lexicon::is_english;
use crate::domain::Span;

/// The shortest run of lone letters that is joined.
const SHORTEST_SPACED: usize = 3;
/// The longest joined run that is cut into words (a comment spaced out from end to end).
const LONGEST_SPACED: usize = 4000;
/// The longest English word that a joined run is cut into.
const LONGEST_WORD: usize = 20;
/// From so many decoded words on, short and all-digit ones (`15` for "is") are decoded too.
const LEET_HABIT: u32 = 3;

/// Whether an ASCII text has anything this stage could change: lone letters in a row, or digits and signs among letters.
pub(super) fn looks_disguised(text: &[u8]) -> bool {
    let mut lone_letters = 0;
    for chunk in text.split(u8::is_ascii_whitespace) {
        let mut letters = 0;
        let mut signs = 0;
        for &byte in chunk {
            letters += usize::from(byte.is_ascii_alphabetic());
            signs += usize::from(byte.is_ascii_digit() || matches!(byte, b'@' | b'$'));
        }
        // `1st` and `$5m` are no disguise: only what would be decoded is.
        if letters > 0
            && signs > 0
            && decode_leet(&mut glyphs(std::str::from_utf8(chunk).unwrap_or_default())) > 0
        {
            return true;
        }
        if letters == 1 && chunk.len() == 1 {
            lone_letters += 1;
        } else if !chunk.is_empty() {
            lone_letters = 0;
        }
        let dotted =
            letters >= SHORTEST_SPACED && chunk.len() >= 2 * letters - 1 && letters * 2 + 1 >= chunk.len();
        if lone_letters >= SHORTEST_SPACED || dotted {
            return true;
        }
    }
    false
}

/// Joins runs of lone letters. Returns how many words were joined (runs of four letters or more).
pub(super) fn join_spaced(glyphs: &mut Vec<Glyph>) -> u32 {
    let mut out: Vec<Glyph> = Vec::with_capacity(glyphs.len());
    let mut joined_words = 0;
    let mut at = 0;
    while let Some(&glyph) = glyphs.get(at) {
        let starts = glyph.ch.is_alphabetic()
            && (at == 0 || glyphs.get(at - 1).is_some_and(|g| !g.ch.is_alphanumeric() && g.ch != '\''));
        let run = if starts { spaced_run(glyphs.get(at..).unwrap_or_default()) } else { 0 };
        if run < SHORTEST_SPACED {
            out.push(glyph);
            at += 1;
            continue;
        }
        let letters: Vec<Glyph> = glyphs.iter().skip(at).step_by(2).take(run).copied().collect();
        if run > SHORTEST_SPACED {
            joined_words += push_words(&letters, &mut out);
        } else {
            out.extend_from_slice(&letters);
        }
        at += 2 * run - 1;
    }
    *glyphs = out;
    joined_words
}

/// How many lone letters stand in a row, each but the last followed by one and the same separator.
fn spaced_run(glyphs: &[Glyph]) -> usize {
    let Some(separator) =
        glyphs.get(1).map(|g| g.ch).filter(|ch| matches!(ch, ' ' | '.' | '-' | '_' | '*' | '·' | '|' | '/'))
    else {
        return 0;
    };
    let mut run = 0;
    loop {
        let letter = glyphs.get(2 * run).is_some_and(|g| g.ch.is_alphabetic());
        let after = glyphs.get(2 * run + 1).map(|g| g.ch);
        if !letter || after.is_some_and(char::is_alphanumeric) || (after == Some('\'')) {
            // The last "letter" starts a longer word: it is not part of the run.
            return run;
        }
        run += 1;
        if after != Some(separator) || run >= LONGEST_SPACED {
            return run;
        }
    }
}

/// The shortest English word whose spacing out counts as a disguise: `A B C D` and `U S A F` are none.
const SHORTEST_DISGUISED: usize = 3;

/// Appends the joined letters, cut into English words where they are several. Returns how many words were disguised so.
fn push_words(letters: &[Glyph], out: &mut Vec<Glyph>) -> u32 {
    let lower: String = letters.iter().flat_map(|g| g.ch.to_lowercase().take(1)).collect();
    let cuts = if is_english(&lower) || !lower.is_ascii() { vec![letters.len()] } else { best_cuts(&lower) };
    let mut from = 0;
    let mut disguised = 0;
    for &to in &cuts {
        let word = lower.get(from..to).unwrap_or_default();
        disguised += u32::from(to - from >= SHORTEST_DISGUISED && (is_english(word) || !lower.is_ascii()));
        if from > 0
            && let Some(before) = letters.get(from - 1)
        {
            out.push(Glyph { ch: ' ', raw: Span::new(before.raw.end, before.raw.end) });
        }
        out.extend_from_slice(letters.get(from..to).unwrap_or_default());
        from = to;
    }
    disguised
}

/// The ends of the words that an ASCII letter run is best cut into: fewest words, unknown letters avoided.
fn best_cuts(lower: &str) -> Vec<usize> {
    const UNKNOWN: u32 = 8;
    let n = lower.len();
    // best[i] = (cost of the first i letters, start of the last piece)
    let mut best: Vec<(u32, usize)> = vec![(0, 0)];
    for end in 1..=n {
        let mut choice = (u32::MAX, end - 1);
        for start in end.saturating_sub(LONGEST_WORD)..end {
            let before = best.get(start).map_or(u32::MAX, |b| b.0);
            let piece = lower.get(start..end).unwrap_or_default();
            let word = (piece.len() > 1 || matches!(piece, "a" | "i"))
                && (is_english(piece) || matches!(piece, "a" | "i"));
            let cost = if word { 2 + u32::from(piece.len() < 3) } else { UNKNOWN * piece.len() as u32 };
            let total = before.saturating_add(cost);
            if total < choice.0 {
                choice = (total, start);
            }
        }
        best.push(choice);
    }
    if best.last().is_none_or(|b| b.0 >= UNKNOWN * (n as u32) / 2) {
        return vec![n];
    }
    let mut cuts = Vec::new();
    let mut end = n;
    while end > 0 {
        cuts.push(end);
        end = best.get(end).map_or(0, |b| b.1);
    }
    cuts.reverse();
    cuts
}

/// Decodes leet words where the result is a word in common use. Returns how many.
pub(super) fn decode_leet(glyphs: &mut [Glyph]) -> u32 {
    // Hashtags are names: `#di9` is no disguise of "dig".
    let is_tag = |chunk: &std::ops::Range<usize>| glyphs.get(chunk.start).is_some_and(|g| g.ch == '#');
    let words: Vec<_> =
        chunks(glyphs).into_iter().filter(|chunk| !is_tag(chunk)).map(|chunk| trim(glyphs, chunk)).collect();
    let decode_all = |glyphs: &mut [Glyph], bold: bool| {
        let mut decoded = 0;
        for word in &words {
            if let Some(letters) = glyphs.get_mut(word.clone()) {
                decoded += u32::from(decode_word(letters, bold));
            }
        }
        decoded
    };
    let decoded = decode_all(glyphs, false);
    if decoded >= LEET_HABIT { decoded + decode_all(glyphs, true) } else { decoded }
}

/// The chunk without punctuation at its ends.
fn trim(glyphs: &[Glyph], chunk: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let edge = |g: &Glyph| !g.ch.is_alphanumeric() && !matches!(g.ch, '@' | '$');
    let (mut start, mut end) = (chunk.start, chunk.end);
    while start < end && glyphs.get(start).is_some_and(edge) {
        start += 1;
    }
    while end > start && glyphs.get(end - 1).is_some_and(edge) {
        end -= 1;
    }
    start..end
}

fn decode_word(word: &mut [Glyph], bold: bool) -> bool {
    if word.len() > LONGEST_WORD
        || word.iter().all(|g| g.ch.is_alphabetic())
        || !word.iter().all(|g| g.ch.is_ascii())
    {
        return false;
    }
    let letters = word.iter().filter(|g| g.ch.is_ascii_alphabetic()).count();
    // `@Live` is somebody's name, `MI5` and `SE7` are codes.
    let is_mention =
        word.first().is_some_and(|g| g.ch == '@') && word.iter().skip(1).all(|g| g.ch.is_ascii_alphabetic());
    let capitals = word.iter().take_while(|g| g.ch.is_ascii_uppercase()).count();
    let is_code =
        capitals > 0 && capitals < word.len() && word.iter().skip(capitals).all(|g| g.ch.is_ascii_digit());
    if is_mention || is_code {
        return false;
    }
    let opens_with_number = word.first().is_some_and(|g| g.ch.is_ascii_digit())
        && word.iter().skip_while(|g| g.ch.is_ascii_digit()).all(|g| g.ch.is_ascii_alphabetic());
    let shortest = match (bold, opens_with_number) {
        (true, _) => 1,
        (false, true) => 4,
        (false, false) => 3,
    };
    if word.len() < shortest || (letters == 0 && !bold) || (letters < 2 && !bold) {
        return false;
    }
    for one in ['i', 'l'] {
        let decoded: Option<String> = word.iter().map(|g| leet_letter(g.ch, one)).collect();
        let Some(decoded) = decoded else { return false };
        let lower = decoded.to_ascii_lowercase();
        if is_english(&lower) || lower == "a" || lower == "i" {
            for (glyph, ch) in word.iter_mut().zip(decoded.chars()) {
                glyph.ch = ch;
            }
            return true;
        }
    }
    false
}

fn leet_letter(ch: char, one: char) -> Option<char> {
    Some(match ch {
        '0' => 'o',
        '1' | '!' | '|' => one,
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' | '+' => 't',
        '8' => 'b',
        '9' => 'g',
        _ if ch.is_ascii_alphabetic() || ch == '\'' => ch,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(raw: &str) -> String {
        let mut buffer = glyphs(raw);
        join_spaced(&mut buffer);
        decode_leet(&mut buffer);
        buffer.iter().map(|g| g.ch).collect()
    }

    #[test]
    fn spaced_and_leet_words_are_read() {
        for (raw, plain) in [
            ("a n u a n c e d  view", "a nuanced  view"),
            ("T h e  a r t i c l e  r a i s e s", "The  article  raises"),
            ("T h e a r t i c l e r a i s e s", "The article raises"),
            ("c.r.u.c.i.a.l", "crucial"),
            ("th3 4rt1cl3 r41s3s", "the article raises"),
            (
                "the 2nd of 50 G20 talks in the 90s, covid19, 4th, 7am, 3d, mp3",
                "the 2nd of 50 G20 talks in the 90s, covid19, 4th, 7am, 3d, mp3",
            ),
            ("I a", "I a"),
            ("@Live and @Long from MI5, SE7", "@Live and @Long from MI5, SE7"),
            ("#di9 and #w0w", "#di9 and #w0w"),
            ("plan A or B", "plan A or B"),
            ("it cost $500 at 10am", "it cost $500 at 10am"),
        ] {
            assert_eq!(folded(raw), plain, "{raw}");
        }
    }

    #[test]
    fn lists_of_letters_are_no_disguise() {
        for (raw, disguised) in
            [("X a c k toe", 0), ("answers A B C D", 0), ("c r u c i a l", 1), ("t h e n u a n c e", 2)]
        {
            assert_eq!(join_spaced(&mut glyphs(raw)), disguised, "{raw}");
        }
    }

    #[test]
    fn the_quick_look_misses_nothing_that_would_change() {
        for raw in ["c.r.u.c.i.a.l", "x a b c", "th3 word", "w-o-r-d"] {
            assert!(looks_disguised(raw.as_bytes()), "{raw}");
        }
        for raw in
            ["An ordinary sentence, with 20 words or so; nothing else.", "The 1st of 3 at $5m, 10am, G20"]
        {
            assert!(!looks_disguised(raw.as_bytes()), "{raw}");
            assert_eq!(folded(raw), raw);
        }
    }
}
