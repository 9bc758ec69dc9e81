//! The article out of a fetched page: headline, text, section, time.
//!
//! The text is, in this order: the `articleBody` of the page's JSON-LD; the paragraphs of `itemprop="articleBody"`, of the longest
//! `<article>`, of `<main>`; the densest run of paragraphs. What is too short to be an article loses to what follows.

mod charset;
mod page;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

pub(super) use self::charset::charset;
use self::page::{Block, Kind, Page, Reading, Zone, push_collapsed};
use crate::wire::time;

/// The longest text that is given, in bytes.
const MAX_BODY: usize = 64 * 1024;
/// The longest headline or section that is given, in bytes.
const MAX_LINE: usize = 1024;
/// A text of fewer bytes is a teaser or a notice when there is a longer one.
const MIN_BODY: usize = 200;
/// What a paragraph must be longer than to speak for a run of text, in bytes.
const SHORT_PARAGRAPH: i64 = 40;

/// What a page says of its article. The text may hold markup where the page's JSON-LD has it so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Extracted {
    /// The headline.
    pub(super) title: Option<String>,
    /// The text, its paragraphs parted by empty lines; at most 64 KiB.
    pub(super) body: Option<String>,
    /// The section of the site.
    pub(super) section: Option<String>,
    /// When it was published.
    pub(super) published_at: Option<DateTime<Utc>>,
}

/// Reads a page. `None` when it has neither a headline nor text.
pub(super) fn extract(html: &str) -> Option<Extracted> {
    let found = extracted(&Page::read(html));
    (found.title.is_some() || found.body.is_some()).then_some(found)
}

fn extracted(page: &Page) -> Extracted {
    let records: Vec<Value> = page.scripts.iter().filter_map(|script| json(script)).collect();
    let articles: Vec<&Value> = records.iter().flat_map(articles).collect();
    let field = |name: &str| {
        let texts = articles.iter().filter_map(|article| first_text(article.get(name)?));
        texts.map(str::trim).find(|text| !text.is_empty())
    };
    let meta = |name: &str| page.meta.get(name).map(String::as_str);
    Extracted {
        title: headline(page),
        body: field("articleBody")
            .map(str::to_owned)
            .or_else(|| text(page))
            .map(|body| cut(&body, MAX_BODY).to_owned()),
        section: meta("article:section").or_else(|| field("articleSection")).and_then(line),
        published_at: meta("article:published_time")
            .and_then(time::of_text)
            .or_else(|| field("datePublished").and_then(time::of_text)),
    }
}

fn headline(page: &Page) -> Option<String> {
    let site = page.meta.get("og:site_name").map_or("", |name| name.trim());
    let titles = page.meta.get("og:title").into_iter().chain(&page.title);
    let mut titles = titles.map(|title| without_site(title.trim(), site));
    // The first of the surest zone: a site's name in its head is often an `<h1>` too.
    let headlines = page.blocks.iter().rev().filter(|block| block.kind == Kind::Headline);
    titles.find_map(line).or_else(|| line(&headlines.max_by_key(|block| block.place.zone)?.text))
}

/// The text of the surest zone that has enough of it, else the longest that there is.
fn text(page: &Page) -> Option<String> {
    let read = |reading| -> [String; 4] {
        let blocks: Vec<&Block> = page.blocks.iter().filter(|block| block.place.reading <= reading).collect();
        let of = |zone| zone_text(&blocks, zone);
        [of(Zone::Body), of(Zone::Article), of(Zone::Main), joined(densest_run(&blocks))]
    };
    let candidates = [read(Reading::Read), read(Reading::Form)].concat();
    let long = candidates.iter().find(|text| text.len() >= MIN_BODY);
    // Of equals the surest zone is taken: `max_by_key` gives the last.
    let longest = || candidates.iter().rev().max_by_key(|text| text.len());
    long.or_else(longest).filter(|text| !text.is_empty()).cloned()
}

/// The paragraphs of a zone. Where an article has none its loose text is taken: line breaks stand for paragraphs there.
fn zone_text(blocks: &[&Block], zone: Zone) -> String {
    let mut lengths: HashMap<u32, usize> = HashMap::new();
    let group = |block: &Block| if zone == Zone::Article { block.place.article } else { 0 };
    let of_zone = || blocks.iter().copied().filter(move |block| block.place.zone == zone);
    for block in of_zone().filter(|block| block.is_prose()) {
        *lengths.entry(group(block)).or_default() += block.text.len();
    }
    let longest = lengths.iter().max_by_key(|(group, length)| (**length, std::cmp::Reverse(**group)));
    if let Some((&longest, _)) = longest {
        return joined(of_zone().filter(|block| group(block) == longest));
    }
    let loose = of_zone().filter(|block| zone > Zone::Main && block.linked * 2 < block.text.len());
    loose.map(|block| block.text.as_str()).collect::<Vec<_>>().join("\n\n")
}

/// The run of blocks with the most prose, where menus, links and short lines count against it (Kadane's maximum subarray).
fn densest_run<'a, 'b>(blocks: &'b [&'a Block]) -> impl Iterator<Item = &'a Block> + 'b {
    let (mut best, mut best_run) = (0, 0..0);
    let (mut sum, mut start) = (0, 0);
    for (at, block) in blocks.iter().enumerate() {
        sum += match block.kind {
            Kind::Paragraph => block.text.len() as i64 - 2 * block.linked as i64 - SHORT_PARAGRAPH,
            Kind::Loose => -(block.text.len() as i64),
            Kind::Headline => 0,
        };
        if sum <= 0 {
            (sum, start) = (0, at + 1);
        } else if sum > best {
            (best, best_run) = (sum, start..at + 1);
        }
    }
    blocks.get(best_run).unwrap_or_default().iter().copied()
}

fn joined<'a>(blocks: impl Iterator<Item = &'a Block>) -> String {
    blocks.filter(|block| block.is_prose()).map(|block| block.text.as_str()).collect::<Vec<_>>().join("\n\n")
}

/// A script's JSON. Raw line breaks within strings are common and no JSON: they are taken for spaces.
fn json(script: &str) -> Option<Value> {
    serde_json::from_str(script)
        .or_else(|_| serde_json::from_str(&script.replace(char::is_control, " ")))
        .ok()
}

/// The articles in a JSON-LD document: itself, those of a list, those of an `@graph`.
fn articles(document: &Value) -> Vec<&Value> {
    let mut found = Vec::new();
    let mut todo = vec![document];
    while let Some(value) = todo.pop() {
        todo.extend(value.as_array().into_iter().flatten().rev());
        todo.extend(value.get("@graph"));
        let kinds =
            value.get("@type").map(|kind| kind.as_array().map_or(std::slice::from_ref(kind), Vec::as_slice));
        let mut kinds = kinds.unwrap_or_default().iter().filter_map(Value::as_str);
        if kinds.any(|kind| kind.ends_with("Article") || kind.ends_with("BlogPosting")) {
            found.push(value);
        }
    }
    found
}

/// A string, or the first of a list.
fn first_text(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.as_array()?.first()?.as_str())
}

/// A headline without the name of the site that many pages put behind it.
fn without_site<'a>(title: &'a str, site: &str) -> &'a str {
    let parted = [" | ", " - ", " \u{2013} ", " \u{2014} "].iter().filter_map(|mark| title.rsplit_once(mark));
    let mut stripped = parted.filter(|(_, behind)| behind.trim().to_lowercase() == site.to_lowercase());
    stripped.next().map_or(title, |(headline, _)| headline.trim_end())
}

/// One line of text, or nothing.
fn line(text: &str) -> Option<String> {
    let mut collapsed = String::new();
    push_collapsed(&mut collapsed, text);
    let text = cut(&collapsed, MAX_LINE).trim_end();
    (!text.is_empty()).then(|| text.to_owned())
}

fn cut(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    const ONE: &str = "The council voted late on Tuesday to close the old mill bridge to cars, after two years of argument about who should pay for the repair of its piers.";
    const TWO: &str = "Shopkeepers on the north bank said they had not been asked, and that deliveries would now take an hour longer on market days.";

    fn body(html: &str) -> Option<String> {
        extract(html).and_then(|page| page.body)
    }

    fn both() -> String {
        format!("{ONE}\n\n{TWO}")
    }

    /// The page a reader sees, with one part exchanged.
    fn page(part: &str) -> String {
        format!(
            "<!DOCTYPE html><html><head><title>x</title><style>p {{}}</style></head><body class='post comments-open'>
             <nav><p>{ONE} (in the menu)</p></nav><div class=cookies><p>We use cookies.</p></div>
             {part}
             <section id='reader-comments'><p>{TWO} (says a reader)</p></section>
             <footer><p>{ONE} (in the footer)</p></footer><script>var p = '<p>{ONE}</p>';</script></body></html>"
        )
    }

    #[test]
    fn the_text_is_found_in_every_layout() {
        let paragraphs = format!("<p>{ONE}</p><p>{TWO}</p>");
        for (name, part) in [
            ("article", format!("<article>{paragraphs}</article>")),
            (
                "article about comments",
                format!("<article class='section-comment comments-open'>{paragraphs}</article>"),
            ),
            ("main", format!("<main>{paragraphs}</main>")),
            ("role", format!("<div role=main>{paragraphs}</div>")),
            (
                "microdata",
                format!(
                    "<div itemprop='articleBody'>{paragraphs}</div><article><p>{ONE} {ONE} {ONE}</article>"
                ),
            ),
            ("no markup at all", paragraphs.clone()),
            (
                "a box for each paragraph",
                format!("<div><div><p>{ONE}</p></div><div><p>{TWO}</p></div></div>"),
            ),
            ("paragraphs left open", format!("<article><p>{ONE}<p>{TWO}</article>")),
            ("crossed tags", format!("<article><b><p>{ONE}</b></i></section><p>{TWO}</p></article></b>")),
            (
                "asides",
                format!(
                    "<article><p>{ONE}</p><aside><p>{ONE} (aside)</p></aside><figure><img src=x><figcaption><p>{ONE}</p></figcaption></figure><p>{TWO}</p></article>"
                ),
            ),
            (
                "the longest article",
                format!(
                    "<article><p>{ONE}</p></article><article>{paragraphs}</article><article><p>{TWO}</p></article>"
                ),
            ),
            (
                "nested comments",
                format!(
                    "<article>{paragraphs}<article id='comment-1'><p>{ONE} I agree.</p></article></article>"
                ),
            ),
            (
                "a link to another story",
                format!("<article><p>{ONE}</p><p>Read also: <a href=x>{TWO}</a></p><p>{TWO}</p></article>"),
            ),
            ("a form around the page", format!("<form id=aspnetForm><article>{paragraphs}</article></form>")),
            (
                "a form in the article",
                format!(
                    "<article><p>{ONE}</p><form><p>Sign up for our letter.</p></form><p>{TWO}</p></article>"
                ),
            ),
            ("line breaks", format!("<div itemprop=articleBody><div>{ONE}</div>{TWO}<br></div>")),
            ("hidden text", format!("<article><p>{ONE}</p><p hidden>{ONE}</p><p>{TWO}</p></article>")),
            (
                "inline markup, entities",
                paragraphs.replace("council", "coun<b>cil</b>").replace("bridge", "bri&#100;ge\n \t"),
            ),
        ] {
            assert_eq!(body(&page(&part)), Some(both()), "{name}");
        }
    }

    #[test]
    fn menus_around_an_unmarked_text_are_left_out() {
        let menu = "<div><p><a href=x>Sport</a></p><p><a href=x>Weather in the whole county</a></p></div>";
        let html = format!(
            "{menu}<div><h1>Bridge</h1><p>{ONE}</p><p>{TWO}</p></div><ul><li>{ONE}</li></ul>{menu}<p>Imprint</p>"
        );
        assert_eq!(body(&html), Some(both()));
    }

    #[test]
    fn json_ld_comes_first_in_all_its_shapes() {
        for (name, json) in [
            ("plain", r#"{"@type": "NewsArticle", "articleBody": "From JSON."}"#),
            ("types", r#"{"@type": ["Thing", "ReportageNewsArticle"], "articleBody": "From JSON."}"#),
            (
                "list",
                r#"[{"@type": "Organization"}, {"@type": "http://schema.org/Article", "articleBody": "From JSON."}]"#,
            ),
            (
                "graph",
                r#"{"@graph": [{"@type": "WebPage"}, {"@type": "Article", "articleBody": "From JSON."}]}"#,
            ),
            ("white space", "{\"@type\": \"BlogPosting\",\n \"articleBody\": \"\nFrom JSON.\t\"}"),
        ] {
            let script = format!("<script type='application/ld+json'>{json}</script>");
            assert_eq!(
                body(&page(&format!("{script}<article><p>{ONE}</p></article>"))).as_deref(),
                Some("From JSON."),
                "{name}"
            );
        }
        for json in [
            "{",
            "null",
            "[]",
            r#"{"@type": "NewsArticle", "articleBody": ""}"#,
            r#"{"@type": "Recipe", "articleBody": "x"}"#,
        ] {
            let script = format!("<script type='application/ld+json'>{json}</script>");
            assert_eq!(
                body(&page(&format!("{script}<article><p>{ONE}</p><p>{TWO}</p></article>"))),
                Some(both()),
                "{json}"
            );
        }
    }

    #[test]
    fn headlines() {
        let site = "<meta property=og:site_name content='The Gazette'>";
        for (html, title) in [
            ("<meta property='og:title' content='Tram &amp; tracks'><title>x</title><h1>y</h1>".to_owned(), "Tram & tracks"),
            (format!("{site}<title>Tram &amp; tracks | the gazette</title>"), "Tram & tracks"),
            (format!("{site}<title>\n Tram - a plan \u{2013} The Gazette</title>"), "Tram - a plan"),
            (format!("{site}<title>Tram | Politics</title>"), "Tram | Politics"),
            ("<title>Tram | The Gazette</title>".to_owned(), "Tram | The Gazette"),
            ("<title> </title><header><h1>The Gazette</h1></header><article><h1>The <i>tram</i></h1></article>".to_owned(), "The tram"),
            ("<svg><title>icon</title></svg><h1>One</h1><h1>Two</h1>".to_owned(), "One"),
        ] {
            assert_eq!(extract(&html).unwrap().title.as_deref(), Some(title), "{html}");
        }
    }

    #[test]
    fn section_and_time() {
        let meta = |time: &str| {
            format!(
                "<title>t</title><meta property='article:section' content=' Local  news '><meta property='article:published_time' content='{time}'>"
            )
        };
        for (given, expected) in [
            ("2026-11-25T10:00:00+01:00", Some("2026-11-25T09:00:00Z")),
            ("2026-11-25T09:00:00.5", Some("2026-11-25T09:00:00.5Z")),
            ("2026-11-25", Some("2026-11-25T00:00:00Z")),
            ("yesterday", None),
        ] {
            let page = extract(&meta(given)).unwrap();
            assert_eq!(page.section.as_deref(), Some("Local news"));
            assert_eq!(page.published_at, expected.map(|time| time.parse().unwrap()), "{given}");
        }
        let html = r#"<title>t</title><script type="application/ld+json">{"@type": "Article", "datePublished": "2026-11-25", "articleSection": ["Sport"]}</script>"#;
        let page = extract(html).unwrap();
        assert_eq!(
            (page.section.as_deref(), page.published_at),
            (Some("Sport"), time::of_text("2026-11-25"))
        );
    }

    #[test]
    fn what_is_no_article_gives_nothing() {
        for html in [
            "",
            " ",
            "plain words",
            "{\"id\": 1}",
            "%PDF-1.7 \u{fffd}\u{fffd}",
            "<",
            "<p",
            "<!--",
            "<p></p>",
            "<script>",
        ] {
            assert_eq!(extract(html), None, "{html}");
        }
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        let text = body(&format!("<article><p>x{}</p></article>", "\u{20ac}".repeat(100_000))).unwrap();
        assert_eq!(text.len(), 1 + (MAX_BODY - 1) / 3 * 3);
    }

    #[test]
    fn hostile_pages_take_linear_time() {
        let n = 100_000;
        let open = |tags: &str| tags.repeat(n);
        let numbered = |before: &str, behind: &str| {
            (0..n).flat_map(|at| [before, &at.to_string(), behind].map(str::to_owned)).collect::<String>()
        };
        for (name, html) in [
            ("deep", format!("{}<p>{ONE}", open("<div>"))),
            ("deep and closed", format!("{}<p>{ONE}{}", open("<div>"), open("</div>"))),
            ("stray ends", format!("{}<p>{ONE}{}", open("<div>"), open("</span>"))),
            ("lists", open("<ul><li>")),
            ("formatting", open("<p><b><a>x")),
            ("articles", open("<article><p>x")),
            ("unknown", numbered("<x", ">")),
            ("attributes", format!("<p {}>", numbered("a", " "))),
            ("openers", open("<")),
            ("scripts", open("<script type=ld+json>[</script>")),
            ("nested JSON", format!("<script type=ld+json>{}</script>", open("["))),
        ] {
            let start = Instant::now();
            let _ = extract(&html);
            assert!(start.elapsed() < Duration::from_secs(10), "{name}: {:?}", start.elapsed());
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_nothing_is_too_long(
            parts in prop::collection::vec(prop::sample::select(vec![
                "<article>", "</article>", "<p>", "</p>", "<div class='comment'>", "</div>", "<a href='", "'>", "<title>", "</title>",
                "<script type=ld+json>", "</script>", "<meta property=og:title content=", "<form>", "<svg/>", "<!--", "-->", "&amp", "\u{20ac}", "x y",
                "<p a a=1 A=2>", "<plaintext>", "<![CDATA[", "\0", "<br/>", "<h1>",
            ]), 0..60),
            noise in ".{0,40}",
        ) {
            let html = format!("{}{noise}{}", parts.concat(), parts.concat());
            if let Some(page) = extract(&html) {
                prop_assert!(page.body.is_none_or(|body| body.len() <= MAX_BODY && !body.trim().is_empty()));
                prop_assert!(page.title.is_none_or(|title| title.len() <= MAX_LINE && !title.is_empty()));
            }
        }
    }
}
