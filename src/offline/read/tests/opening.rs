//! Which format a file is taken for, and what cannot be opened at all.

use std::path::Path;

use super::super::open;
use super::*;

#[test]
fn formats_are_told_by_the_first_bytes() {
    for (name, head, expected) in [
        ("a.xml", "<?xml version='1.0'?><rss xmlns:wp='http://wordpress.org/export/1.2/'>", "wxr"),
        ("a.txt", "\u{feff}<!-- x --><disqus xmlns='http://disqus.com'>", "disqus"),
        ("a.json", "{\"version\":1,\"comments\":[{\"commentHex\":\"a\"}],\"commenters\":[]}", "commento"),
        ("a", "{\"version\":1,\"users\":[],\"posts\":[]}\n", "remark42"),
        ("a", "{\"id\":\"a\",\"pid\":\"\",\"locator\":{}}\n", "remark42"),
        ("a", "[{\"id\":\"a\",\"storyID\":\"s\"}]", "coral"),
        ("a.CSV", "anything", "csv"),
        ("a", "id,text\n", "csv"),
        ("a", "Comment ID;Body\n", "csv"),
        ("a", "{\"id\":1,\"text\":\"say \\\"storyID\\\"\"}", "jsonl"),
        ("a", "[]", "jsonl"),
        ("a", "", "jsonl"),
        ("a.jsonl", "not json", "jsonl"),
        (
            "a",
            "<disqus xmlns='http://disqus.com'><post><message><![CDATA[<wp:comment>]]></message></post>",
            "disqus",
        ),
        (
            "a",
            "<d:disqus xmlns:d='x'><d:post><d:message>http://wordpress.org/export/1.2/</d:message>",
            "disqus",
        ),
        (
            "a",
            "<!-- <disqus> --><rss xmlns:w='http://wordpress.org/export/1.0/'><title>//disqus.com</title>",
            "wxr",
        ),
        ("a", "<rss><channel><item><wp:comment>", "wxr"),
        ("a", "<br /><b>Warning</b>: deprecated<rss><wp:wxr_version>", "wxr"),
        ("a", "{\"id\":1,\"text\":\"a\",\"commenters\":4}", "jsonl"),
        ("a", "{\"id\":1,\"text\":\"a\",\"storyID\":\"s\"}", "jsonl"),
        (
            "a",
            "{\"id\":1,\"text\":\"\\\"locator\\\" \\\"pid\\\"\",\"o\":{\"locator\":{},\"pid\":1}}",
            "jsonl",
        ),
        ("a", "{\"version\":1,\"comments\":[{\"commentHex\":\"a\",\"markdown\":\"cut he", "commento"),
        ("a", "{\"version\":1,\"users\":null,\"posts\":null}\n", "remark42"),
    ] {
        let opened = open_bytes(name, head.as_bytes().to_vec(), None, &Options::default()).unwrap();
        assert_eq!(opened.format.name(), expected, "{head}");
    }
}

#[test]
fn what_cannot_be_opened_says_so() {
    let options = Options::default();
    let parquet = if cfg!(feature = "parquet") { "parquet, " } else { "" };
    let known = format!("{parquet}wxr, disqus, commento, remark42, coral, csv, jsonl");
    for (result, expected) in [
        (
            open_bytes("a", b"hello".to_vec(), None, &options),
            format!("cannot tell the format of a: name one of {known} with --from"),
        ),
        (
            open_bytes(
                "a",
                b"<!DOCTYPE html><html><body><a href='https://disqus.com'>x</a>".to_vec(),
                None,
                &options,
            ),
            format!("cannot tell the format of a: name one of {known} with --from"),
        ),
        (open_bytes("a", vec![], Some("doc"), &options), format!("unknown format `doc`: known are {known}")),
        (open(Path::new("/"), None, &options), "cannot read /: it is a directory; name an export".to_owned()),
    ] {
        assert_eq!(result.unwrap_err().to_string(), expected);
    }
    let missing = open(Path::new("/no/such/file"), None, &options).unwrap_err().to_string();
    assert!(missing.starts_with("cannot read /no/such/file: No such file"), "{missing}");
    let unread = open_bytes("a.gz", b"\x1f\x8bnonsense".to_vec(), None, &options).unwrap_err();
    assert!(matches!(unread, ReadError::Open { .. }), "{unread}");
}

#[test]
fn a_site_that_is_named_is_the_site_of_all() {
    let options = Options { site: Some("daily".into()), ..Options::default() };
    let text = "{\"id\":1,\"text\":\"a\"}\n{\"id\":2,\"site\":\"other\",\"text\":\"b\"}\n{\"id\":3,\"title\":\"T\"}\n";
    let (read, result) = try_read("x", text.as_bytes(), None, &options);
    result.unwrap();
    let sites = read
        .comments
        .iter()
        .map(|comment| &comment.comment.site)
        .chain(read.articles.iter().map(|article| &article.site));
    assert!(sites.into_iter().all(|site| *site == options.site), "{read:?}");
}

#[test]
fn the_sink_stops_the_reading() {
    let text = wxr(&[&(wp_comment(1, "") + &wp_comment(2, ""))]);
    let opened = open_bytes("x", text.into_bytes(), None, &Options::default()).unwrap();
    let mut entries = 0;
    opened
        .read(&Options::default(), &mut |_| {
            entries += 1;
            ControlFlow::Break(())
        })
        .unwrap();
    assert_eq!(entries, 1);
}

#[test]
fn a_file_of_which_nothing_came_says_so() {
    for (from, text) in [
        ("wxr", "<disqus><post d:id='1'><message>a</message></post></disqus>"),
        ("disqus", "<rss><channel><title>T</title></channel></rss>"),
        ("csv", "id,text\n"),
        ("commento", "{\"version\":1,\"comments\":[],\"commenters\":[]}"),
        ("remark42", "{\"version\":1,\"users\":[],\"posts\":[]}\n"),
        ("jsonl", "[]"),
    ] {
        let (read, result) = try_read("x", text.as_bytes(), Some(from), &Options::default());
        result.unwrap();
        assert_eq!(
            read.reasons(),
            [format!(
                "x:1: holds no comments: it was read as {from}, so name its format with --from if it has another"
            )]
        );
    }
    for empty in ["", " \n\n", "\u{feff}\r\n"] {
        for from in ["jsonl", "csv"] {
            let (read, result) = try_read("x", empty.as_bytes(), Some(from), &Options::default());
            assert!(result.is_ok() && read.rejects.is_empty(), "{from} {:?}", read.reasons());
        }
    }
}
