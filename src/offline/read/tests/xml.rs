//! WXR and Disqus as other programs write them.

use super::*;

#[test]
fn prefixes_order_and_markup_do_not_matter() {
    let text = r#"<?xml version="1.0"?><rss xmlns:w="http://wordpress.org/export/1.0/" xmlns:x="http://wordpress.org/export/1.0/excerpt/"
        xmlns:c="http://purl.org/rss/1.0/modules/content/"><channel><title>Site</title><item>
        <w:comment><w:comment_content>a &lt;b&gt; &amp;amp; &#x263a;&nbsp;&unknown; &#xD800; & <b>bold</b><![CDATA[<i>]]></w:comment_content>
        <w:comment_id> 7 </w:comment_id><w:comment_author>Ann <![CDATA[& Bob]]></w:comment_author></w:comment>
        <w:comment><w:comment_id>8</w:comment_id><w:comment_content/></w:comment>
        <x:encoded>short</x:encoded><c:encoded><![CDATA[<p>long</p>]]></c:encoded>
        <atom:link href="x"/><media:title>M</media:title><title/><title>T &amp; U</title><category domain="post_tag">t</category><category domain="category">s</category><w:post_id>3</w:post_id>
        </item></channel></rss>"#;
    let read = read("export.xml", text);
    assert_eq!(read.ids(), ["7", "8"]);
    assert_eq!(read.texts(), ["a <b> &amp; \u{263a}\u{a0}&unknown; \u{fffd} & bold<i>", ""]);
    assert_eq!(read.get("7").author, Some(author("Ann & Bob")));
    assert_eq!(read.get("7").article_id.as_ref().unwrap().as_str(), "3", "the id came after the comments");
    let article = &read.articles[0];
    assert_eq!((article.title.as_str(), article.body.as_deref()), ("T & U", Some("<p>long</p>")));
    assert_eq!(article.section.as_deref(), Some("s"));
    assert!(read.rejects.is_empty() && read.notes.is_empty(), "{read:?}");
}

#[test]
fn wordpress_says_where_a_comment_stands_and_what_it_is() {
    let meta = |key: &str, value: &str| {
        format!(
            "<wp:commentmeta><wp:meta_key>{key}</wp:meta_key><wp:meta_value>{value}</wp:meta_value></wp:commentmeta>"
        )
    };
    let (result, by_user) = ("akismet_result", "akismet_user_result");
    for (approved, notes, status, label) in [
        ("1", String::new(), Some(Status::Published), None),
        ("0", String::new(), Some(Status::Pending), None),
        ("spam", String::new(), Some(Status::Rejected), Some(Label::Spam)),
        ("trash", String::new(), Some(Status::Deleted), None),
        ("", String::new(), None, None),
        ("1", meta(result, "true"), Some(Status::Published), Some(Label::Spam)),
        ("1", meta(result, "false"), Some(Status::Published), Some(Label::Human)),
        ("1", meta(by_user, "false") + &meta(result, "true"), Some(Status::Published), Some(Label::Human)),
        ("0", meta(result, "false") + &meta(by_user, "true"), Some(Status::Pending), Some(Label::Spam)),
        ("spam", meta(result, "false"), Some(Status::Rejected), Some(Label::Spam)),
        ("1", meta("akismet_history", "true"), Some(Status::Published), None),
    ] {
        let inside = format!("<wp:comment_approved>{approved}</wp:comment_approved>{notes}");
        let read = read("x", wxr(&[&wp_comment(1, &inside)]));
        assert_eq!((read.get("1").status, read.get("1").label), (status, label), "{inside}");
    }
}

#[test]
fn dates_fall_back_and_never_cost_a_comment() {
    for (gmt, local, expected, notes) in [
        ("2026-01-02 03:04:05", "2026-01-02 04:04:05", Some("2026-01-02T03:04:05Z"), 0),
        ("0000-00-00 00:00:00", "2026-01-02 04:04:05", Some("2026-01-02T04:04:05Z"), 0),
        ("", "", None, 0),
        ("2026-13-45 99:00:00", "soon", None, 1),
    ] {
        let inside = format!(
            "<wp:comment_date>{local}</wp:comment_date><wp:comment_date_gmt>{gmt}</wp:comment_date_gmt>"
        );
        let read = read("x", wxr(&[&wp_comment(1, &inside)]));
        assert_eq!(read.get("1").created_at, expected.map(|time| time.parse().unwrap()), "{gmt}");
        assert_eq!(read.notes.len(), notes, "{gmt}");
    }
}

#[test]
fn items_without_readers_words_are_told_only_if_they_are_articles() {
    let item = |id: u32, kind: &str, more: &str| {
        format!("<wp:post_id>{id}</wp:post_id><wp:post_type>{kind}</wp:post_type>{more}")
    };
    let comment = wp_comment(1, "");
    let items = [
        item(1, "post", ""),
        item(2, "attachment", ""),
        item(3, "attachment", &comment),
        item(4, "page", ""),
    ];
    let read = read("x", wxr(&items.each_ref().map(String::as_str)));
    let ids: Vec<&str> = read.articles.iter().map(|article| article.id.as_str()).collect();
    assert_eq!(ids, ["1", "3", "4"]);
}

#[test]
fn broken_pieces_are_named_and_the_rest_is_kept() {
    let good = wp_comment(1, "");
    let last = wp_comment(4, "");
    let items = [
        format!("{good}\n<wp:comment><wp:comment_content>no id</wp:comment_content></wp:comment>\n"),
        "<wp:comment><wp:comment_id>2</wp:comment_id><wp:comment_content>never closed".to_owned(),
        "\n<wp:comment><wp:comment_id>3</wp:comment_id>".to_owned() + &last,
    ];
    let text = wxr(&items.each_ref().map(String::as_str));
    let read = read("x", &text);
    assert_eq!(read.ids(), ["1", "4"]);
    let begins: Vec<usize> = text.match_indices("<wp:comment>").map(|(at, _)| at).collect();
    assert_eq!(
        read.reasons(),
        [
            format!("x:4: without an id: every comment needs one (at byte {})", begins[1]),
            format!("x:6: a comment that is never closed (at byte {})", begins[2]),
            format!("x:8: a comment that is never closed (at byte {})", begins[3])
        ]
    );
}

#[test]
fn every_encoding_is_read() {
    let text =
        wxr(&[&wp_comment(1, "<wp:comment_content>na\u{ef}ve \u{2013} \u{e9}t\u{e9}</wp:comment_content>")]);
    let declared = |label: &str| text.replace("\"1.0\"?>", &format!("\"1.0\" encoding='{label}'?>"));
    let utf16 = |mark: bool, big: bool, text: &str| -> Vec<u8> {
        let mark = mark.then_some(0xfeff);
        let units = mark.into_iter().chain(text.encode_utf16());
        units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    let (latin, _, _) = encoding_rs::WINDOWS_1252.encode(&text);
    let latin = String::from("<?xml version=\"1.0\" encoding=\"windows-1252\"?>")
        .into_bytes()
        .into_iter()
        .chain(latin.iter().skip(21).copied())
        .collect::<Vec<u8>>();
    for (which, bytes) in [
        ("plain", text.clone().into_bytes()),
        ("mark", format!("\u{feff}{text}").into_bytes()),
        ("utf-16 little, mark", utf16(true, false, &declared("utf-16"))),
        ("utf-16 big, mark", utf16(true, true, &text)),
        ("utf-16 little, bare", utf16(false, false, &declared("utf-16"))),
        ("utf-16 big, bare", utf16(false, true, &text)),
        ("windows-1252", latin),
    ] {
        let read = read("x", bytes);
        assert_eq!(read.texts(), ["na\u{ef}ve \u{2013} \u{e9}t\u{e9}"], "{which}");
        assert!(read.rejects.is_empty() && read.notes.is_empty(), "{which}: {read:?}");
    }
    let mut torn = text.into_bytes();
    let at = torn.iter().position(|byte| *byte == 0xc3).unwrap();
    torn[at] = b'\xff';
    let read = read("x", torn);
    assert_eq!((read.tally.comments, read.notes.as_slice()), (1, [Note::Replaced].as_slice()));
}

#[test]
fn disqus_says_whose_it_is_in_an_attribute() {
    let text = r#"<?xml version="1.0"?><disqus xmlns="http://disqus.com" xmlns:d="http://disqus.com/disqus-internals">
        <post d:id="2"><id/><message>first &lt;p&gt;</message><createdAt>2026-01-02T03:04:05Z</createdAt><isDeleted>true</isDeleted>
        <isSpam>true</isSpam><author><email>a@x.example</email><name>Ann</name><isAnonymous>false</isAnonymous><username>ann</username></author>
        <thread d:id="1"/><parent d:id="9"/></post>
        <thread d:id='1'><id>slug</id><title>T</title><link>https://x.example/t</link><author><name>Desk</name></author></thread>
        <post d:id="3"><message/><thread d:id="1"/></post>
        <post><message>whose?</message></post></disqus>"#;
    let read = read("export", text);
    assert_eq!(read.ids(), ["2", "3"]);
    let first = read.get("2");
    assert_eq!((first.status, first.label), (Some(Status::Deleted), Some(Label::Spam)));
    assert_eq!((first.author_key(), first.text.as_str()), (Some("ann"), "first <p>"));
    assert_eq!(first.parent_id.as_ref().unwrap().as_str(), "9");
    assert_eq!(read.get("3").author, None);
    assert_eq!(read.articles[0].title, "T");
    assert_eq!(read.rejects.len(), 1);
}

/// The start of a WordPress comment to which its author's address and text are added.
fn with_text(id: u32, ip: &str, text: &str) -> String {
    wp_comment(
        id,
        &format!(
            "<wp:comment_author_IP>{ip}</wp:comment_author_IP><wp:comment_content>{text}</wp:comment_content>"
        ),
    )
}

#[test]
fn markup_that_does_not_fit_is_told() {
    let good = with_text(9, "1", "good");
    for (broken, ids, reason) in [
        (
            with_text(1, "<![CDATA[192.0.", "<![CDATA[first]]>"),
            vec!["9"],
            "</wp:comment_content> ends what never began: a CDATA section seems to lack its end",
        ),
        (with_text(1, "1", "a<br>b"), vec!["9"], "</wp:comment_content> stands where </br> should"),
        (with_text(1, "1", "a</b>b"), vec!["9"], "</b> ends what never began"),
        (with_text(1, "1", "a<b>b</b>"), vec!["1", "9"], ""),
        (
            with_text(1, "1", "a").replace("<wp:comment>", "<wp;comment>"),
            vec!["9"],
            "a comment ends that never began",
        ),
        (with_text(1, "1", "a").replace("</wp:comment>", "<wp:comment>"), vec!["9"], "never closed"),
        (
            with_text(1, "1", "a<!-- b") + "<!-- c --></wp:comment>",
            vec!["9"],
            "a comment <!-- in which another begins",
        ),
        (
            with_text(1, "1", "a") + "<x a=\"1>" + &with_text(2, "1", "b") + "<x b=\"2>" + "</x>",
            vec!["1", "9"],
            "a tag in which other tags stand",
        ),
        (
            "<content:encoded>a<wp:comment><wp:comment_id>1</wp:comment_id></wp:comment>".to_owned(),
            vec!["1", "9"],
            "an element that is never closed before its comments",
        ),
    ] {
        let read = read("x", wxr(&[&(broken.clone() + &good)]));
        assert_eq!(read.ids(), ids, "{broken} {:?}", read.reasons());
        assert_eq!(read.get("9").text, "good");
        let is_told = read.reasons().iter().any(|told| told.contains(reason));
        assert_eq!(
            (is_told, read.rejects.is_empty()),
            (!reason.is_empty(), reason.is_empty()),
            "{:?}",
            read.reasons()
        );
    }
}

#[test]
fn an_item_without_its_start_or_end_keeps_its_comments() {
    let items = |first: &str| wxr(&[first, &(wp_comment(2, "") + "<wp:post_id>8</wp:post_id>")]);
    let first = wp_comment(1, "") + "<wp:post_id>7</wp:post_id>";
    for text in [
        items(&first).replacen("</item>", "", 1),
        items(&first).replacen("</item>", "</itex>", 1),
        items(&first).replacen("<item>", "", 1),
        items(&first).replacen("<item>", "<itex>", 1),
    ] {
        let read = read("x", &text);
        assert_eq!(read.ids(), ["1", "2"], "{text}");
        assert_eq!(read.get("2").article_id.as_ref().unwrap().as_str(), "8", "{text}");
        assert!(!read.rejects.is_empty(), "{text}");
    }
    let cut = wxr(&[&first]).replace("</item>", "");
    assert_eq!(read("x", cut).ids(), ["1"], "the end of the document ends its items");
}

#[test]
fn what_a_cdata_section_without_its_end_swallows_is_told() {
    let swallowing = with_text(1, "1", "<![CDATA[lost") + &with_text(2, "1", "<![CDATA[next]]>");
    let read = read("x", wxr(&[&swallowing]));
    assert_eq!((read.ids(), read.rejects.len()), (vec!["1"], 1), "{:?}", read.reasons());
    assert!(read.rejects[0].reason.contains("holds the next record"), "{:?}", read.reasons());
    // A reader who quotes XML writes whole elements.
    let quoting =
        with_text(1, "1", &format!("<![CDATA[{}]]>", with_text(5, "1", "<![CDATA[x]]]]><![CDATA[>")));
    let read = self::read("x", wxr(&[&quoting]));
    assert_eq!((read.ids(), read.rejects.len()), (vec!["1"], 0), "{:?}", read.reasons());
}

#[test]
fn posts_that_are_never_closed_are_told() {
    let post = |id: u32| {
        format!("<post d:id=\"{id}\"><message><![CDATA[m{id}]]></message><thread d:id=\"1\"/></post>")
    };
    let thread = "<thread d:id=\"1\"><link>l</link><title>T</title></thread>";
    let file = |inside: &str| format!("<disqus xmlns='http://disqus.com' xmlns:d='x'>{inside}</disqus>");
    for (inside, ids, articles) in [
        (thread.to_owned() + &post(2).replace("</post>", "") + &post(3), vec!["3"], 1),
        (thread.to_owned() + &post(2).replace("<post", "<pos") + &post(3), vec!["3"], 1),
        (thread.to_owned() + &post(2).replace("</message>", "") + &post(3), vec!["3"], 1),
        (thread.replace("</thread>", "") + &post(2) + &post(3), vec!["2", "3"], 0),
        (post(2).replace("</post>", "") + thread + &post(3), vec!["3"], 1),
        (post(2) + &post(3).replace("</post>", ""), vec!["2"], 0),
        (post(2) + &post(3).replace("\"3\"", "\"3"), vec!["2"], 0),
    ] {
        let read = read("x", file(&inside));
        assert_eq!((read.ids(), read.articles.len()), (ids, articles), "{inside} {:?}", read.reasons());
        assert!(!read.rejects.is_empty(), "{inside}");
    }
}

#[test]
fn no_byte_changed_loses_a_comment_without_a_word() {
    let disqus = include_str!("../../../../examples/exports/disqus.xml");
    let small = wxr(&[
        &("<wp:post_id>1</wp:post_id>".to_owned()
            + &with_text(1, "1", "one")
            + &with_text(2, "<![CDATA[2]]>", "<![CDATA[two]]>")),
        &with_text(3, "1", "<![CDATA[three]]>"),
    ]);
    let head = disqus.get(..5000).unwrap();
    let posts = format!("{}</disqus>", head.get(..head.rfind("</post>").unwrap() + 7).unwrap());
    for (format, text) in [("wxr", small), ("disqus", posts)] {
        let whole = try_read("x", text.as_bytes(), Some(format), &Options::default()).0;
        assert!(whole.tally.comments > 2 && whole.rejects.is_empty(), "{format} {:?}", whole.reasons());
        for at in 0..text.len() {
            for byte in *b"x<>/\"! ]\xff" {
                let mut bytes = text.clone().into_bytes();
                bytes[at] = byte;
                let (read, _) = try_read("x", &bytes, Some(format), &Options::default());
                let is_told = read.tally.rejects > 0;
                assert!(
                    read.tally.comments == whole.tally.comments || is_told,
                    "{format}: {}",
                    String::from_utf8_lossy(&bytes[at.saturating_sub(40)..bytes.len().min(at + 40)])
                );
            }
        }
    }
}
