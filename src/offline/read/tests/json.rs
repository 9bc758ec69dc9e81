//! JSON in all its shapes: lines, arrays, one big object.

use super::*;

#[test]
fn lines_and_arrays_of_our_own_records() {
    let lines = "{\"id\":1,\"text\":\"a\",\"label\":\"human\",\"source\":\"s\"}\n\n{\"id\":\"t\",\"title\":\"T\"}\n{\"id\":2}\n[1]\n\
                 {\"id\":3,\"text\":\"c\",\"created_at\":\"2026-01-02 03:04:05\"}\n{\"id\":4,\"text\":\"d\",\"created_at\":\"soon\"}\n";
    let array = format!("[{}]", lines.trim().replace("\n\n", "\n").replace('\n', ",\n"));
    for (text, missing, odd) in [(lines.to_owned(), "x:4: ", "x:5: "), (array, "x:3: ", "x:4: ")] {
        let read = read("x", text);
        assert_eq!(read.ids(), ["1", "3", "4"]);
        assert_eq!(read.comments[0].source.as_deref(), Some("s"));
        assert_eq!(read.get("3").created_at, Some("2026-01-02T03:04:05Z".parse().unwrap()));
        assert_eq!((read.get("4").created_at, read.notes.as_slice()), (None, [Note::NoTime].as_slice()));
        assert_eq!(read.articles[0].title, "T");
        let reasons = read.reasons();
        assert_eq!(reasons.len(), 2, "{reasons:?}");
        assert!(
            reasons[0].starts_with(missing) && reasons[0].contains("missing field `text`"),
            "{reasons:?}"
        );
        assert!(reasons[1].starts_with(odd) && reasons[1].contains("not a JSON object"), "{reasons:?}");
    }
}

#[test]
fn a_bad_value_costs_itself_alone() {
    for (text, ids, rejects) in [
        ("[{\"id\":1,\"text\":\"a\"},{\"id\":2,\"te]},\n{\"id\":3,\"text\":\"c\"}]", vec!["1", "3"], 1),
        ("[{\"id\":1,\"text\":\"a\"},{\"id\":2]},\n{\"id\":3,\"text\":\"c\"}]", vec!["1", "3"], 1),
        ("[{\"id\":1,\"text\":\"a\"},7,null,\"x\",{\"id\":3,\"text\":\"c\"}]", vec!["1", "3"], 3),
        ("[{\"id\":1,\"text\":\"a\"},}\n{\"id\":3,\"text\":\"c\"}\n]", vec!["1", "3"], 1),
        ("[{\"id\":1,\"text\":\"a\"}", vec!["1"], 1),
        ("[{\"id\":1,\"text\":\"a\"}, {\"id\":2,\"te", vec!["1"], 1),
        ("[{\"id\":1,\"text\":\"a\"}] and more", vec!["1"], 1),
        ("[\n]", vec![], 1),
        ("[", vec![], 1),
    ] {
        let read = read("x.json", text);
        assert_eq!(read.ids(), ids, "{text}");
        assert_eq!(read.rejects.len(), rejects, "{text}: {:?}", read.reasons());
    }
    let mut torn =
        b"[{\"id\":1,\"text\":\"a\"},{\"id\":2,\"text\":\"_\"},{\"id\":3,\"text\":\"c\"}]".to_vec();
    let at = torn.iter().position(|byte| *byte == b'_').unwrap();
    torn[at] = 0xff;
    let read = read("x", torn);
    assert_eq!((read.texts(), &*read.notes), (vec!["a", "\u{fffd}", "c"], &[Note::Replaced][..]));
}

#[test]
fn remark42() {
    let text = r#"{"version":1,"users":[{"id":"u"}],"posts":[]}
{"id":"a","pid":"","text":"<p>one</p>","orig":"one","user":{"name":"Ann","id":"github_1","admin":true},"locator":{"site":"s","url":"https://x.example/p"},"time":"2026-01-02T03:04:05.123-06:00","title":"P"}
{"id":"b","pid":"a","text":"two","user":{"name":"","id":""},"locator":{"site":"s","url":"https://x.example/p"},"time":"bad","edit":{"time":"2026-01-03T00:00:00Z","summary":""},"title":"P"}
{"id":"c","pid":"","text":"broken
{"id":"d","pid":"","text":"","user":{"id":"deleted"},"locator":{"site":"s","url":"https://x.example/q"},"time":"2026-01-02T03:04:05Z","delete":true}
"#;
    let read = read("backup-remark-20260102", text);
    assert_eq!((read.ids(), read.texts()), (vec!["a", "b", "d"], vec!["one", "two", ""]));
    let [a, b, d] = ["a", "b", "d"].map(|id| read.get(id));
    assert_eq!(a.created_at, Some("2026-01-02T09:04:05.123Z".parse().unwrap()));
    assert_eq!(
        (a.author_key(), a.author.as_ref().unwrap().role.as_deref()),
        (Some("github_1"), Some("admin"))
    );
    assert_eq!((a.site.as_ref().unwrap().as_str(), a.status), ("s", Some(Status::Published)));
    assert_eq!(
        (b.parent_id.as_ref().unwrap().as_str(), b.author.is_none(), b.updated_at.is_some()),
        ("a", true, true)
    );
    assert_eq!(d.status, Some(Status::Deleted));
    assert_eq!(read.articles.len(), 1);
    assert_eq!((read.rejects[0].line, read.rejects.len()), (4, 1));
    assert_eq!(read.notes, [Note::NoTime]);
}

#[test]
fn commento() {
    let text = r#"{"version":1,"extra":{"comments":[1]},"comments":[
        {"commentHex":"a","domain":"x.example","url":"/p","commenterHex":"c1","markdown":"one","html":"<p>one</p>","parentHex":"root","score":1,"state":"approved","creationDate":"2026-01-02T03:04:05Z","direction":0,"deleted":false},
        {"commentHex":"b","domain":"x.example","url":"/p","commenterHex":"anonymous","markdown":"","html":"<p>two</p>","parentHex":"a","state":"flagged","creationDate":"2026-01-02T03:04:05Z"},
        {"domain":"x.example"},
        {"commentHex":"c","url":"/p","commenterHex":"c1","markdown":"","html":"","parentHex":"root","state":"unapproved","deleted":true}
    ],"commenters":[{"commenterHex":"c1","name":"Ann"}]}"#;
    let read = read("export.json", text);
    assert_eq!((read.ids(), read.texts()), (vec!["a", "b", "c"], vec!["one", "<p>two</p>", ""]));
    let [a, b, c] = ["a", "b", "c"].map(|id| read.get(id));
    assert_eq!(
        (a.author_key(), a.parent_id.is_none(), a.article_id.as_ref().unwrap().as_str()),
        (Some("c1"), true, "/p")
    );
    assert_eq!(
        (b.author.is_none(), b.parent_id.as_ref().unwrap().as_str(), b.status),
        (true, "a", Some(Status::Pending))
    );
    assert_eq!(c.status, Some(Status::Deleted));
    assert_eq!(read.rejects.len(), 1);
}

#[test]
fn coral() {
    let comment = |id: &str, status: &str, more: &str| {
        format!(
            "{{\"_id\":{{\"$oid\":\"64a0\"}},\"tenantID\":\"t\",\"id\":\"{id}\",\"siteID\":\"s\",\"storyID\":\"st\",\"authorID\":\"u\",\"parentID\":null,\
             \"status\":\"{status}\",\"revisions\":[{{\"id\":\"r1\",\"body\":\"old\"}},{{\"id\":\"r2\",\"body\":\"new\"}}]{more}}}"
        )
    };
    let documents = [
        "{\"tenantID\":\"t\",\"id\":\"st\",\"siteID\":\"s\",\"url\":\"https://x.example/p\",\"metadata\":{\"title\":\"P\",\"section\":\"local\",\"publishedAt\":{\"$date\":\"2026-01-01T00:00:00Z\"}}}".to_owned(),
        comment("a", "APPROVED", ",\"createdAt\":{\"$date\":\"2026-01-02T03:04:05.000Z\"}"),
        comment("b", "NONE", ",\"createdAt\":{\"$date\":{\"$numberLong\":\"1767323045000\"}}"),
        comment("c", "REJECTED", ",\"createdAt\":{\"$date\":1767323045000}"),
        comment("d", "SYSTEM_WITHHELD", ",\"createdAt\":{\"$date\":\"bad\"}"),
        comment("e", "APPROVED", ",\"deletedAt\":{\"$date\":\"2026-01-02T03:04:05Z\"}"),
        "{\"id\":\"f\",\"storyID\":\"st\",\"revisions\":[]}".to_owned(),
    ];
    let pretty = documents.join(",\n").replace(",\"", ",\n  \"");
    for text in [documents.join("\n"), format!("[{}]", documents.join(",")), format!("[\n{pretty}\n]\n")] {
        let read = read("comments.json", &text);
        assert_eq!(read.ids(), ["a", "b", "c", "d", "e"]);
        let time = "2026-01-02T03:04:05Z".parse().ok();
        for (id, status, at) in [
            ("a", Status::Published, time),
            ("b", Status::Published, time),
            ("c", Status::Rejected, time),
            ("d", Status::Pending, None),
            ("e", Status::Deleted, None),
        ] {
            let comment = read.get(id);
            assert_eq!(
                (comment.status, comment.created_at, comment.text.as_str()),
                (Some(status), at, "new"),
                "{id}"
            );
            assert_eq!(comment.revision.as_ref().unwrap().as_str(), "r2");
        }
        assert_eq!(
            (read.articles[0].title.as_str(), read.notes.as_slice()),
            ("P", [Note::NoTime].as_slice())
        );
        assert_eq!(read.rejects.len(), 1);
    }
}

#[test]
fn bytes_that_are_no_text_are_replaced_in_every_format() {
    for (format, text) in [
        ("jsonl", "{\"id\":1,\"text\":\"na_ve\",\"author\":{\"id\":\"_\"}}\n{\"id\":\"_\",\"text\":\"b\"}\n"),
        (
            "remark42",
            "{\"id\":1,\"text\":\"na_ve\",\"user\":{\"id\":\"_\"}}\n{\"id\":\"_\",\"text\":\"b\"}\n",
        ),
        ("coral", "{\"id\":1,\"body\":\"na_ve\",\"authorID\":\"_\"}\n{\"id\":\"_\",\"body\":\"b\"}\n"),
        (
            "commento",
            "{\"comments\":[{\"commentHex\":1,\"markdown\":\"na_ve\",\"commenterHex\":\"_\"},\n{\"commentHex\":\"_\",\"markdown\":\"b\"}]}",
        ),
        ("csv", "id,text,author_id\n1,na_ve,_\n_,b,é\n"),
    ] {
        let mut bytes = text.as_bytes().to_vec();
        bytes.iter_mut().filter(|byte| **byte == b'_').for_each(|byte| *byte = 0xff);
        let (read, result) = try_read("x", &bytes, Some(format), &Options::default());
        result.unwrap();
        assert_eq!((read.ids(), read.texts()), (vec!["1"], vec!["na\u{fffd}ve"]), "{format}");
        assert_eq!(read.notes, [Note::Replaced], "{format}: once a file");
        let author = read.get("1").author.as_ref().and_then(|author| author.id.as_ref());
        assert_eq!(author, None, "{format}: two authors may have become one");
        assert_eq!(read.rejects.len(), 1, "{format}: two ids may have become one");
        assert!(read.rejects[0].reason.contains("holds bytes that are no text"), "{:?}", read.reasons());
    }
}

#[test]
fn lines_of_old_macs_end_with_a_carriage_return() {
    let text = "{\"id\":1,\"text\":\"a\"}\r\r{\"id\":2,\"text\":\"b\"}\r{\"id\":3";
    let read = read("x.jsonl", text);
    assert_eq!((read.ids(), read.rejects.len()), (vec!["1", "2"], 1));
    let read = self::read("x.jsonl", "{\"id\":1,\r\"text\":\"a\"}");
    assert_eq!(read.ids(), ["1"]);
    let read = self::read("x.jsonl", "{\"id\":1,\"text\":\"a\"}\r\n{\"id\":2,\r\"text\":\"b\"}\r\n");
    assert_eq!(read.ids(), ["1", "2"]);
}
