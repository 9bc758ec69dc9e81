//! Texts as pages show them: evidence marked, hidden characters made visible, numbers in words, times, differences between look-alikes.
//!
//! All of it is plain data; the templates escape it. A text is cut into segments at the ends of the evidence's spans: marks never nest.

use serde::Deserialize;

use super::words::{fill, say, thousands};
use crate::similarity::align::common_subsequence;
use crate::text::is_hidden;

/// Bytes of a text that a page shows at once.
const LONGEST: usize = 12_000;
/// Findings with less weight are listed and not marked.
const FAINT: f64 = 0.05;
/// Marks of this weight are the strongest kind.
const STRONG: f64 = 0.8;
/// How far the shipped reference reaches: beyond it p is an extrapolation, good for order and not for claims.
const REACH: f64 = 20_000.0;
/// Words of a text that are laid beside another.
const MOST_WORDS: usize = 400;

/// A finding, as a stored assessment has it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Finding {
    pub(super) signal: String,
    #[serde(default)]
    pub(super) rule: Option<String>,
    pub(super) points: f64,
    #[serde(default)]
    pub(super) spans: Vec<(usize, usize)>,
    pub(super) message: String,
}

/// A stretch of a text that is shown in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) text: String,
    /// CSS class of the mark; empty for plain text.
    pub(super) class: &'static str,
    /// What the finding says.
    pub(super) title: String,
    /// The finding's place in the list.
    pub(super) finding: usize,
}

/// A text with its findings marked, and whether it was cut.
pub(super) fn marked(text: &str, findings: &[Finding]) -> (Vec<Segment>, bool) {
    let shown = crate::text::truncate::truncate(text, LONGEST);
    let mut ends: Vec<usize> = vec![0, shown.len()];
    let valid = |&(start, end): &(usize, usize)| {
        start < end && end <= shown.len() && shown.is_char_boundary(start) && shown.is_char_boundary(end)
    };
    for span in findings.iter().flat_map(|finding| &finding.spans).filter(|span| valid(span)) {
        ends.extend([span.0, span.1]);
    }
    ends.sort_unstable();
    ends.dedup();
    let mut out = Vec::new();
    for pair in ends.windows(2) {
        let &[start, end] = pair else { continue };
        let Some(part) = shown.get(start..end) else { continue };
        let covering = findings.iter().enumerate().filter(|(_, finding)| {
            let covers = |span: &&(usize, usize)| valid(span) && span.0 <= start && span.1 >= end;
            finding.points.abs() >= FAINT && finding.spans.iter().any(|span| covers(&span))
        });
        let strongest = covering.max_by(|a, b| a.1.points.abs().total_cmp(&b.1.points.abs()));
        let (class, title, at) = match strongest {
            Some((at, finding)) => (class_of(finding.points), finding.message.clone(), at),
            None => ("", String::new(), 0),
        };
        split_hidden(part, class, &title, at, &mut out);
    }
    (out, shown.len() < text.len())
}

fn class_of(points: f64) -> &'static str {
    match points {
        points if points >= STRONG => "m3",
        points if points >= STRONG / 3.0 => "m2",
        points if points > 0.0 => "m1",
        _ => "mh",
    }
}

/// Cuts hidden characters out as segments of their own, shown by their code points. Joiners stay where a script spells with them.
fn split_hidden(part: &str, class: &'static str, title: &str, finding: usize, out: &mut Vec<Segment>) {
    let plain = |text: &str, out: &mut Vec<Segment>| {
        if !text.is_empty() {
            out.push(Segment { text: text.to_owned(), class, title: title.to_owned(), finding });
        }
    };
    let mut from = 0;
    for (at, ch) in part.char_indices() {
        let spelt = matches!(ch, '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}')
            && !part.get(..at).and_then(|before| before.chars().next_back()).is_some_and(|c| c.is_ascii());
        if !is_hidden(ch) || spelt || ch == '\r' {
            continue;
        }
        plain(part.get(from..at).unwrap_or_default(), out);
        out.push(Segment {
            text: format!("U+{:04X}", ch as u32),
            class: "hc",
            title: say("card.hidden-character").to_owned(),
            finding,
        });
        from = at + ch.len_utf8();
    }
    plain(part.get(from..).unwrap_or_default(), out);
}

/// A text without hidden characters, in one line, cut at `limit` characters.
pub(super) fn excerpt(text: &str, limit: usize) -> String {
    let mut out = String::new();
    let mut count = 0;
    for ch in text.chars() {
        let ch = if ch.is_whitespace() { ' ' } else { ch };
        if (is_hidden(ch) && !matches!(ch, '\u{200d}' | '\u{fe0f}')) || (ch == ' ' && out.ends_with(' ')) {
            continue;
        }
        if count == limit {
            out.truncate(out.trim_end().len());
            out.push('…');
            break;
        }
        out.push(ch);
        count += 1;
    }
    out.trim().to_owned()
}

/// "1 in 1,300 genuine comments scores this high".
pub(super) fn one_in(p: f64) -> String {
    if p >= 0.5 {
        return say("card.one-in.most").to_owned();
    }
    let n = (1.0 / p.max(1e-300)).min(1e15);
    if n > REACH {
        return fill("card.one-in.beyond", &[("n", &thousands(REACH as i64))]);
    }
    fill("card.one-in", &[("n", &thousands(rounded(n)))])
}

/// The same for a narrow place: "1 in 1,300".
pub(super) fn one_in_short(p: f64) -> String {
    let n = (1.0 / p.max(1e-300)).min(1e15);
    match n {
        n if n < 2.0 => say("row.common").to_owned(),
        n if n > REACH => fill("row.one-in.beyond", &[("n", &thousands(REACH as i64))]),
        n => fill("row.one-in", &[("n", &thousands(rounded(n)))]),
    }
}

/// Two digits that count.
pub(super) fn rounded(n: f64) -> i64 {
    let n = n.round() as i64;
    if n < 100 {
        return n;
    }
    let unit = 10_i64.pow(n.ilog10() - 1);
    n / unit * unit
}

/// A time as a page shows it; a script puts it into the reader's zone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct When {
    pub(super) iso: String,
    pub(super) shown: String,
}

/// A time from milliseconds since 1970.
pub(super) fn when(millis: i64) -> When {
    let at = chrono::DateTime::from_timestamp_millis(millis).unwrap_or_default();
    When {
        iso: at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        shown: at.format("%-d %b %Y, %H:%M UTC").to_string(),
    }
}

/// Who did something, without what the log puts before it: a person's name, or the end of a key's id.
pub(super) fn person(actor: &str) -> String {
    match actor.strip_prefix("key:") {
        Some(id) => fill("person.key", &[("id", &id.get(id.len().saturating_sub(8)..).unwrap_or(id))]),
        None => actor.strip_prefix("user:").unwrap_or(actor).to_owned(),
    }
}

/// A part of a text that is laid beside another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) text: String,
    /// Whether the other text has it too.
    pub(super) same: bool,
}

/// Two texts side by side: in each, what the other has not.
pub(super) fn side_by_side(a: &str, b: &str) -> (Vec<Piece>, Vec<Piece>) {
    let words =
        |text: &str| -> Vec<String> { text.split_whitespace().take(MOST_WORDS).map(str::to_owned).collect() };
    let key = |word: &String| {
        let bare: String = word.chars().filter(|c| c.is_alphanumeric()).collect();
        if bare.is_empty() { word.clone() } else { bare.to_lowercase() }
    };
    let (a, b) = (words(a), words(b));
    let keys = |words: &[String]| words.iter().map(key).collect::<Vec<_>>();
    let pairs = common_subsequence(&keys(&a), &keys(&b));
    let side = |words: &[String], same: &[usize]| {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut same = same.iter().peekable();
        for (at, word) in words.iter().enumerate() {
            let is_same = same.next_if(|next| **next == at).is_some();
            let word = excerpt(word, 200);
            match pieces.last_mut() {
                Some(last) if last.same == is_same => {
                    last.text.push(' ');
                    last.text.push_str(&word);
                }
                _ => pieces.push(Piece { text: word, same: is_same }),
            }
        }
        pieces
    };
    let of_a: Vec<usize> = pairs.iter().map(|pair| pair.0).collect();
    let of_b: Vec<usize> = pairs.iter().map(|pair| pair.1).collect();
    (side(&a, &of_a), side(&b, &of_b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(points: f64, span: (usize, usize)) -> Finding {
        Finding {
            signal: "rules".to_owned(),
            rule: None,
            points,
            spans: vec![span],
            message: format!("{points}"),
        }
    }

    #[test]
    fn marks_never_nest_and_the_strongest_shows() {
        let (segments, cut) = marked("one two three", &[finding(0.3, (0, 7)), finding(1.2, (4, 13))]);
        let shown: Vec<(&str, &str)> = segments.iter().map(|s| (s.text.as_str(), s.class)).collect();
        assert_eq!(shown, [("one ", "m2"), ("two", "m3"), (" three", "m3")]);
        assert!(!cut);
    }

    #[test]
    fn spans_that_do_not_fit_the_text_mark_nothing() {
        for span in [(1, 2), (0, 99), (3, 1), (2, 2)] {
            let (segments, _) = marked("é x", &[finding(1.0, span)]);
            let all: String = segments.iter().map(|s| s.text.as_str()).collect();
            assert_eq!(all, "é x", "{span:?}");
            assert!(segments.iter().all(|s| s.class.is_empty()), "{span:?}");
        }
    }

    #[test]
    fn hidden_characters_are_shown_and_joiners_of_a_script_are_not() {
        let texts = |text: &str| -> Vec<String> { marked(text, &[]).0.into_iter().map(|s| s.text).collect() };
        assert_eq!(texts("a\u{200b}b\u{202e}c"), ["a", "U+200B", "b", "U+202E", "c"]);
        assert_eq!(texts("می\u{200c}خواهم"), ["می\u{200c}خواهم"]);
        assert_eq!(texts("👩\u{200d}🔬"), ["👩\u{200d}🔬"]);
        assert_eq!(excerpt("a\u{202e}b\n\n c", 10), "ab c");
        assert_eq!(excerpt("abcdef", 3), "abc…");
    }

    #[test]
    fn a_long_text_is_cut_on_a_character() {
        let text = "é".repeat(20_000);
        let (segments, cut) = marked(&text, &[]);
        assert!(cut && segments[0].text.len() <= LONGEST);
    }

    #[test]
    fn rarities_read_as_frequencies() {
        assert!(one_in(0.0003).contains("3,300"), "{}", one_in(0.0003));
        assert!(one_in(1e-12).contains("20,000"));
        assert!(!one_in(0.9).contains("1 in 1"));
        assert!(one_in_short(0.01).contains("100"));
    }

    #[test]
    fn look_alikes_show_what_differs() {
        let (a, b) = side_by_side("The article raises Good questions.", "the article raises vital questions");
        assert_eq!(a.iter().filter(|p| !p.same).map(|p| p.text.as_str()).collect::<Vec<_>>(), ["Good"]);
        assert_eq!(b.iter().filter(|p| !p.same).map(|p| p.text.as_str()).collect::<Vec<_>>(), ["vital"]);
    }
}
