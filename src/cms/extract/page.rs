//! A page in one pass: its running texts with what they stand in, its metadata, its JSON-LD scripts.
//!
//! Tokens go over a stack of bare flags, never into a tree: a tree builder takes quadratic time on deep nesting (html5ever issue 788),
//! and a fetched page is anybody's. Every token is looked at once, an element leaves the stack once, and an end tag whose element is
//! not open costs nothing.

use std::collections::HashMap;

use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};

/// Elements without content.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr",
];
/// Elements that end a running text; see [`is_block`].
const BLOCKS: [&str; 31] = [
    "address", "article", "aside", "center", "dd", "details", "dialog", "div", "dl", "dt", "fieldset",
    "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav",
    "ol", "p", "pre", "section", "table", "ul",
];
/// Elements whose text is never the article's; figure captions are another.
const SKIPPED: [&str; 16] = [
    "aside", "audio", "button", "canvas", "dialog", "footer", "iframe", "math", "nav", "noscript", "object",
    "select", "style", "svg", "template", "textarea",
];

/// How sure it is that a place belongs to the article, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Zone {
    #[default]
    Page,
    Main,
    Article,
    Body,
}

/// Whether a place's text counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Reading {
    #[default]
    Read,
    /// Some systems wrap the whole page in a form: it is read where there is nothing else.
    Form,
    Skip,
}

/// An open element: its name's number, and what holds inside it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    name: usize,
    /// The surest zone around it.
    pub(super) zone: Zone,
    /// Which `<article>`, by the order of their beginnings.
    pub(super) article: u32,
    /// Whether it counts.
    pub(super) reading: Reading,
}

/// What a running text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Kind {
    #[default]
    Loose,
    Paragraph,
    Headline,
}

/// A running text between two block elements.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// With its white space collapsed, never empty.
    pub(super) text: String,
    /// Bytes of it that are links.
    pub(super) linked: usize,
    /// What it is.
    pub(super) kind: Kind,
    /// Where it began.
    pub(super) place: Place,
}

impl Block {
    /// A paragraph that is not just a link to another story.
    pub(super) fn is_prose(&self) -> bool {
        self.kind == Kind::Paragraph && self.linked * 5 < self.text.len() * 4
    }
}

/// What is gathered while the page goes by.
#[derive(Debug, Default)]
pub(super) struct Page {
    open: Vec<Place>,
    /// Names of elements, numbered as they come, and how many of each are open: an end tag without a beginning costs nothing.
    names: HashMap<String, usize>,
    open_count: Vec<u32>,
    articles: u32,
    block: Block,
    /// The running texts in their order, those of skipped elements left out.
    pub(super) blocks: Vec<Block>,
    /// The first content of each `<meta>` by its property or name in lower case.
    pub(super) meta: HashMap<String, String>,
    /// The `<title>`.
    pub(super) title: Option<String>,
    /// The texts of the JSON-LD scripts; an open one is the last.
    pub(super) scripts: Vec<String>,
    is_in_json_ld: bool,
}

impl Page {
    /// Reads a page in one pass.
    pub(super) fn read(html: &str) -> Self {
        let mut page = Self::default();
        for token in tokens(html) {
            match token {
                Token::StartTag(tag) => page.start(&tag),
                Token::EndTag(tag) => page.end(&String::from_utf8_lossy(&tag.name)),
                Token::String(text) => page.text(&String::from_utf8_lossy(&text)),
                _ => {}
            }
        }
        page.end_block();
        page
    }

    fn start(&mut self, tag: &StartTag<()>) {
        let name = String::from_utf8_lossy(&tag.name).into_owned();
        if is_block(&name) {
            self.end("p");
        }
        self.end_block_at(&name);
        match name.as_str() {
            "br" => self.text(" "),
            "meta" => self.note_meta(tag),
            "title" if self.title.is_none() && !self.is_inside("svg") => self.title = Some(String::new()),
            "script" => {
                self.is_in_json_ld = attribute(tag, "type").is_some_and(|kind| kind.contains("ld+json"));
                self.scripts.extend(self.is_in_json_ld.then(String::new));
            }
            _ => {}
        }
        let is_closed = tag.self_closing && (self.is_inside("svg") || self.is_inside("math"));
        if !is_closed && !VOID.contains(&name.as_str()) {
            let place = self.place_of(&name, tag);
            self.push(name, place);
        }
    }

    /// What holds inside an element that begins here.
    fn place_of(&mut self, name: &str, tag: &StartTag<()>) -> Place {
        let mut place = self.open.last().copied().unwrap_or_default();
        let is_body = attribute(tag, "itemprop").is_some_and(|names| names.contains("articleBody"));
        let is_main = name == "main" || attribute(tag, "role").is_some_and(|role| role == "main");
        let zone = match name {
            _ if is_body => Zone::Body,
            "article" => Zone::Article,
            _ if is_main => Zone::Main,
            _ => Zone::Page,
        };
        if name == "article" {
            self.articles += 1;
            place.article = self.articles;
        }
        let is_skipped = SKIPPED.contains(&name)
            || name == "figcaption"
            || tag.attributes.contains_key(b"hidden".as_slice())
            || (!matches!(name, "html" | "body") && is_comments(tag, zone > Zone::Page));
        let reading = match name {
            _ if is_skipped => Reading::Skip,
            "form" => Reading::Form,
            _ => Reading::Read,
        };
        place.zone = place.zone.max(zone);
        place.reading = place.reading.max(reading);
        place
    }

    fn push(&mut self, name: String, mut place: Place) {
        let next = self.names.len();
        place.name = *self.names.entry(name).or_insert(next);
        if place.name == self.open_count.len() {
            self.open_count.push(0);
        }
        if let Some(count) = self.open_count.get_mut(place.name) {
            *count += 1;
        }
        self.open.push(place);
    }

    fn end(&mut self, name: &str) {
        self.end_block_at(name);
        if name == "script" {
            self.is_in_json_ld = false;
        }
        let Some(&name) = self.names.get(name) else { return };
        while self.open_count.get(name).is_some_and(|count| *count > 0) {
            let Some(place) = self.open.pop() else { return };
            if let Some(count) = self.open_count.get_mut(place.name) {
                *count -= 1;
            }
            if place.name == name {
                return;
            }
        }
    }

    fn is_inside(&self, name: &str) -> bool {
        let count = self.names.get(name).and_then(|name| self.open_count.get(*name));
        count.is_some_and(|count| *count > 0)
    }

    fn text(&mut self, text: &str) {
        if self.is_inside("script") {
            if let Some(script) = self.scripts.last_mut().filter(|_| self.is_in_json_ld) {
                script.push_str(text);
            }
            return;
        }
        if self.is_inside("title") {
            if let Some(title) = self.title.as_mut().filter(|title| title.is_empty()) {
                push_collapsed(title, text);
            }
            return;
        }
        let place = self.open.last().copied().unwrap_or_default();
        if place.reading == Reading::Skip {
            return;
        }
        if self.block.text.is_empty() {
            self.block.place = place;
            self.block.kind = match () {
                () if self.is_inside("h1") => Kind::Headline,
                () if self.is_inside("p") => Kind::Paragraph,
                () => Kind::Loose,
            };
        }
        let before = self.block.text.len();
        push_collapsed(&mut self.block.text, text);
        if self.is_inside("a") {
            self.block.linked += self.block.text.len() - before;
        }
    }

    fn end_block_at(&mut self, name: &str) {
        if is_block(name) || matches!(name, "body" | "td" | "th" | "tr") {
            self.end_block();
        }
    }

    fn end_block(&mut self) {
        let mut block = std::mem::take(&mut self.block);
        block.text.truncate(block.text.trim_end().len());
        if !block.text.is_empty() {
            self.blocks.push(block);
        }
    }

    fn note_meta(&mut self, tag: &StartTag<()>) {
        let name = attribute(tag, "property").or_else(|| attribute(tag, "name"));
        if let (Some(name), Some(content)) = (name, attribute(tag, "content"))
            && !content.trim().is_empty()
        {
            self.meta.entry(name.to_lowercase()).or_insert(content);
        }
    }
}

/// Whether an element holds readers' comments, by its classes and id. `commentary` is an opinion, `has-comments` or `comments-open`
/// a page that can be commented on. Of an article itself only a class or id that begins so counts: newspapers have sections
/// called Comment.
fn is_comments(tag: &StartTag<()>, is_article: bool) -> bool {
    let names =
        ["class", "id"].into_iter().filter_map(|name| attribute(tag, name)).collect::<Vec<_>>().join(" ");
    let names = names.to_ascii_lowercase();
    names.split_ascii_whitespace().any(|name| {
        let is_state = ["has", "no", "with"]
            .iter()
            .any(|word| name.strip_prefix(word).is_some_and(|rest| rest.starts_with(['-', '_'])))
            || ["open", "closed", "enabled", "disabled", "allowed"].iter().any(|word| name.ends_with(word));
        let rest = name.strip_prefix("div-").unwrap_or(name).strip_prefix("comment");
        let begins = rest.is_some_and(|rest| matches!(rest, "" | "s") || rest.starts_with(['-', '_']));
        let contains = name.replace("commentary", "").contains("comment");
        !is_state && if is_article { begins } else { contains }
    })
}

/// Adds text with its white space collapsed.
pub(super) fn push_collapsed(to: &mut String, text: &str) {
    for ch in text.chars() {
        if !ch.is_whitespace() {
            to.push(ch);
        } else if !to.is_empty() && !to.ends_with(' ') {
            to.push(' ');
        }
    }
}

pub(super) fn tokens(html: &str) -> impl Iterator<Item = Token> {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    Tokenizer::new_with_emitter(html, emitter).filter_map(Result::ok)
}

pub(super) fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    tag.attributes.get(name.as_bytes()).map(|value| String::from_utf8_lossy(value).into_owned())
}

/// Elements that end a running text, and a paragraph that was left open.
fn is_block(name: &str) -> bool {
    BLOCKS.contains(&name) || matches!(name, "blockquote" | "figcaption")
}
