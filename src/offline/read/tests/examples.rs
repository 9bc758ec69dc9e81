//! The exports under `examples/`, counted by another parser too.

use regex::Regex;

use super::*;

const FILES: [(&str, &str); 4] = [
    ("site.wxr.xml", include_str!("../../../../examples/exports/site.wxr.xml")),
    ("disqus.xml", include_str!("../../../../examples/exports/disqus.xml")),
    ("comments.csv", include_str!("../../../../examples/exports/comments.csv")),
    ("comments.jsonl", include_str!("../../../../examples/exports/comments.jsonl")),
];

#[test]
fn nothing_is_lost() {
    for (name, text) in FILES {
        let read = read(name, text);
        assert_eq!(read.reasons(), Vec::<String>::new(), "{name}");
        assert_eq!(read.tally.comments, 25, "{name}");
        let notes: &[Note] =
            if name == "site.wxr.xml" { &[Note::NoTime, Note::Pingback] } else { &[Note::NoTime] };
        assert_eq!(read.notes, notes, "{name}");
        let mut titles: Vec<&str> = read.articles.iter().map(|article| article.title.as_str()).collect();
        titles.sort_unstable();
        titles.dedup();
        assert_eq!(
            titles,
            ["Council votes to close the old ferry landing", "Why the bakery on Mill Lane sells out by nine"],
            "{name}"
        );
        let article = &read.comments[0].comment.article_id;
        assert_eq!(article.as_ref(), Some(&read.articles[0].id), "{name}");
    }
}

#[test]
fn counts_equal_those_of_another_parser() {
    // XML comments and CDATA are taken out first: what is in them is no element.
    let hidden = Regex::new(r"(?s)<!--.*?-->|<!\[CDATA\[.*?\]\]>").unwrap();
    for (name, element) in [("site.wxr.xml", r"<wp:comment>"), ("disqus.xml", r"<post\s")] {
        let text = FILES.iter().find(|(of, _)| *of == name).unwrap().1;
        let plain = hidden.replace_all(text, "");
        let expected = Regex::new(element).unwrap().find_iter(&plain).count() as u64;
        let read = read(name, text);
        let pingbacks = read.tally.notes.get(&Note::Pingback).copied().unwrap_or_default();
        assert_eq!(read.tally.comments + pingbacks, expected, "{name}");
    }
}

#[test]
fn all_four_say_the_same() {
    let [wxr, disqus, csv, jsonl] = FILES.map(|(name, text)| read(name, text));
    for at in 0..25 {
        let [csv, jsonl] = [&csv, &jsonl].map(|read| &read.comments[at].comment);
        let wxr = wxr.get(jsonl.id.as_str());
        assert_eq!(jsonl.text, csv.text.replace("\n\n(sent from the tram)", ""), "{at}");
        assert_eq!((&wxr.text, wxr.status, &wxr.parent_id), (&jsonl.text, jsonl.status, &jsonl.parent_id));
        assert_eq!((csv.created_at, &csv.author), (jsonl.created_at, &jsonl.author), "{at}");
        assert_eq!(wxr.author_key(), jsonl.author_key(), "{at}");
        let disqus = &disqus.comments[at].comment;
        assert_eq!(
            (disqus.status, disqus.created_at),
            (
                jsonl.status.map(|status| match status {
                    Status::Pending => Status::Published,
                    other => other,
                }),
                jsonl.created_at
            ),
            "{at}"
        );
    }
    assert_eq!(wxr.get("18").text, "Not you. :) \"Nuanced understanding\", my foot.");
    assert_eq!(wxr.get("13").label, Some(Label::Spam));
    assert_eq!(wxr.get("14").label, Some(Label::Human), "a person said so");
    assert_eq!(wxr.get("16").created_at, Some("2025-03-04T09:40:00Z".parse().unwrap()), "a date of zeros");
    assert_eq!(wxr.get("4").author.as_ref().unwrap().name, None);
    assert_eq!(disqus.get("913").label, Some(Label::Spam));
    assert_eq!(disqus.get("92").parent_id.as_ref().unwrap().as_str(), "91");
    assert_eq!(disqus.get("94").author.as_ref().unwrap().ip.as_deref(), Some("192.0.2.4"));
    assert_eq!(disqus.get("98").text, format!("<p>{}</p>", jsonl.get("8").text));
    assert!(wxr.articles[0].body.as_ref().unwrap().starts_with("<p>The council"));
    assert_eq!(wxr.articles[0].section.as_deref(), Some("local"));
    assert_eq!(wxr.articles[0].published_at, Some("2025-03-04T06:10:00Z".parse().unwrap()));
    assert_eq!(wxr.articles.len(), 2, "an article is told once if nothing is added");
}
