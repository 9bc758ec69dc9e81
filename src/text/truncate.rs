//! Grapheme-safe truncation.

use unicode_segmentation::UnicodeSegmentation;

/// The longest text that is judged, in bytes. What follows is kept but not read.
pub const MAX_JUDGED_BYTES: usize = 32 * 1024;

/// The longest prefix of at most `limit` bytes that ends on a grapheme boundary.
pub fn truncate(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    // Look a little past the limit so that a cluster that straddles it is seen whole; a cluster longer than that
    // (stacked marks without end) is cut at a character instead.
    let mut ceiling = (limit + 256).min(text.len());
    while !text.is_char_boundary(ceiling) {
        ceiling -= 1;
    }
    let window_start = limit.saturating_sub(1024);
    let mut floor = window_start;
    while !text.is_char_boundary(floor) {
        floor -= 1;
    }
    let window = text.get(floor..ceiling).unwrap_or_default();
    let cut = window.grapheme_indices(true).map(|(at, _)| floor + at).take_while(|&at| at <= limit).last();
    let cut = match cut {
        Some(at) if at > floor => at,
        _ => {
            let mut at = limit;
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        }
    };
    text.get(..cut).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_cuts_a_grapheme() {
        assert_eq!(truncate("abc", 10), "abc");
        assert_eq!(truncate("abcdef", 3), "abc");
        let flags = "🇩🇪🇫🇷";
        assert_eq!(truncate(flags, 12), "🇩🇪", "a flag is two characters of four bytes");
        assert_eq!(truncate("e\u{301}e\u{301}", 4), "e\u{301}");
        let zalgo = format!("a{}", "\u{301}".repeat(5000));
        assert!(truncate(&zalgo, 100).len() <= 100 && !truncate(&zalgo, 100).is_empty());
    }
}
