//! Inputs made to hurt.

use super::*;

const MIB: usize = 1 << 20;

#[test]
fn entities_of_a_dtd_are_not_expanded() {
    let laughs = (1..10).fold("<!ENTITY l0 'ha'>".to_owned(), |dtd, level| {
        let before = format!("&l{};", level - 1).repeat(10);
        format!("{dtd}<!ENTITY l{level} '{before}'>")
    });
    let text = wxr(&[&wp_comment(1, "<wp:comment_content>&l9; &amp;</wp:comment_content>")])
        .replace("<rss", &format!("<!DOCTYPE rss [{laughs}]><rss"));
    let read = read("x", text);
    assert_eq!(read.texts(), ["&l9; &"]);
    assert_eq!(read.rejects.len(), 1);
    assert!(read.rejects[0].reason.contains("not expanded"), "{:?}", read.reasons());
}

#[test]
fn depth_exhausts_nothing() {
    let deep = "<a>".repeat(200_000);
    let shut = "</a>".repeat(200_000);
    let good = wp_comment(2, "");
    let text =
        wxr(&[&format!("<wp:comment><wp:comment_id>1</wp:comment_id>{deep}{shut}</wp:comment>{good}")]);
    assert_eq!(read("x", text).ids(), ["1", "2"]);
    let text = wxr(&[&format!("{good}{deep}")]);
    assert_eq!(read("x", text).ids(), ["2"]);
    let deep = format!("[{}{},{{\"id\":1,\"text\":\"a\"}}]", "[".repeat(200_000), "]".repeat(200_000));
    let read = read("x", deep);
    assert_eq!((read.ids(), read.rejects.len()), (vec!["1"], 1));
}

#[test]
fn what_is_too_long_is_passed_over() {
    let long = "x]".repeat(6 * MIB);
    let after = wp_comment(2, "<wp:comment_content>kept</wp:comment_content>");
    for inside in [
        format!("<wp:comment_content>{long}</wp:comment_content>"),
        format!("<wp:comment_content><![CDATA[{long}]]]></wp:comment_content>"),
        format!(
            "<wp:comment_content a=\"{long}\">t</wp:comment_content><wp:comment_author>{}</wp:comment_author>",
            "a<!-- -->".repeat(9 * MIB)
        ),
    ] {
        let read = read("x", wxr(&[&(wp_comment(1, &inside) + &after)]));
        assert_eq!(read.texts(), ["kept"], "{}", inside.split_at(40).0);
        assert_eq!(read.reasons().len(), 1);
        assert!(read.rejects[0].reason.starts_with("longer than"), "{:?}", read.reasons());
    }
    for harmless in [format!("<!--{long}-->"), format!("<?php {long}?>"), format!("<x a='{long}'/>")] {
        let read = read("x", wxr(&[&(harmless + &after)]));
        assert_eq!((read.texts(), read.rejects.len()), (vec!["kept"], 0));
    }
    let record = format!("{{\"id\":1,\"text\":\"{long}\"}}");
    let good = "{\"id\":2,\"text\":\"kept\"}";
    for text in
        [format!("{record}\n{good}"), format!("[{record},{good}]"), format!("id,text\n1,{long}\n2,kept\n")]
    {
        let read = read("x", text);
        assert_eq!((read.texts(), read.rejects.len()), (vec!["kept"], 1), "{:?}", read.reasons());
        assert!(read.rejects[0].reason.starts_with("longer than"), "{:?}", read.reasons());
    }
}

#[test]
fn what_never_ends_does_not_grow() {
    let good = wp_comment(1, "");
    for (endless, reason) in [
        (format!("<x a=\"{}", "> ".repeat(20 * MIB)), "without an end"),
        (format!("<![CDATA[{}", "> ".repeat(20 * MIB)), "without an end"),
        (format!("<!DOCTYPE x [{}", "<!-- > -->".repeat(6 * MIB)), "one declaration goes on"),
        ("x ".repeat(20 * MIB), "the file ends"),
    ] {
        let text = wxr(&[&(good.clone() + &endless)]);
        let text = text.strip_suffix("</item>\n</channel></rss>\n").unwrap();
        let read = read("x", text);
        assert_eq!((read.ids(), read.rejects.len()), (vec!["1"], 1), "{:?}", read.reasons());
        assert!(read.rejects[0].reason.contains(reason), "{:?}", read.reasons());
    }
}

#[test]
fn nul_bytes_are_bytes() {
    let text = wxr(&[&wp_comment(1, "<wp:comment_content>a\0b</wp:comment_content>")]);
    assert_eq!(read("x", text).texts(), ["a\0b"]);
    assert_eq!(read("x", "id,text\n1,a\0b\n").texts(), ["a\0b"]);
    let read = read("x.jsonl", vec![0; 4096]);
    assert_eq!((read.tally.comments, read.tally.rejects), (0, 1));
}

#[test]
fn a_quote_that_is_never_closed_is_named_where_it_opens() {
    let rows = "2,some more words here\n".repeat(400_000);
    let read = read("x.csv", format!("id,text\n0,fine\n1,\"open\n{rows}"));
    assert_eq!((read.ids(), read.rejects[0].line, read.rejects.len()), (vec!["0"], 3, 1));
}

#[test]
fn a_record_of_a_million_pieces_is_too_long() {
    let meta =
        "<wp:commentmeta><wp:meta_key>k</wp:meta_key><wp:meta_value>v</wp:meta_value></wp:commentmeta>";
    let read = read("x", wxr(&[&(wp_comment(1, &meta.repeat(100_000)) + &wp_comment(2, ""))]));
    assert_eq!(read.ids(), ["2"]);
    assert!(read.rejects[0].reason.starts_with("longer than 8388608 bytes"), "{:?}", read.reasons());
    let item = "<wp:post_id>7</wp:post_id>".to_owned() + &"<category/>".repeat(200_000) + &wp_comment(1, "");
    let read = self::read("x", wxr(&[&item]));
    assert_eq!((read.ids(), read.articles.len(), read.rejects.len()), (vec!["1"], 0, 1));
    assert!(read.rejects[0].reason.starts_with("article longer than 8388608 bytes"), "{:?}", read.reasons());
}

#[test]
fn a_fault_tells_no_endless_name() {
    let text = wxr(&[&(wp_comment(1, "") + &format!("</{}>", "n".repeat(MIB)))]);
    let read = read("x", text);
    assert_eq!((read.ids(), read.rejects.len()), (vec!["1"], 1));
    assert!(read.rejects[0].reason.len() < 300);
}
