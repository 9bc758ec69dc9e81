//! WordPress WXR: the XML that `Tools > Export` and `wp export` write.
//!
//! An item is an article, and its `wp:comment` elements are the comments. Elements are known by their local names, so the prefixes do not
//! matter; only `encoded` needs its own, for the excerpt is one too. Pingbacks and trackbacks are left out and counted. Labels come from
//! Akismet's notes (a person's word before Akismet's own) and from the spam status.

use super::draft::{When, known, other_id, own_id, said};
use super::out::{Out, Place, Stop};
use super::xml::{Fields, Step, Tag, Walk, has_xml, local, prefix, text};
use super::{Format, Note, Options, ReadError, Sink, Source};
use crate::domain::{Article, Author, Comment, Label, Status};

/// Comments that wait for the id of their article, in bytes of text.
const MOST_WAITING: usize = 8 << 20;

/// See the module's documentation.
pub(super) struct Wxr;

impl Format for Wxr {
    fn name(&self) -> &'static str {
        "wxr"
    }

    fn recognises(&self, _: &str, head: &[u8]) -> bool {
        let head = text(head);
        let marks = ["wordpress.org/export/", "<wp:", ":wxr_version"];
        has_xml(&head) && marks.iter().any(|mark| head.contains(mark))
    }

    fn read(&self, source: Source, options: &Options, sink: &mut Sink<'_>) -> Result<(), ReadError> {
        let Source { name, input, .. } = source;
        let mut out = Out::new(&name, options, sink);
        let mut walk = match Walk::new(input) {
            Ok(walk) => walk,
            Err(stop) => return out.finish(Err(stop), Place::default()),
        };
        let result = Reading::default().run(&mut walk, &mut out);
        out.finish(result, walk.place())
    }
}

/// Where in the file we are.
#[derive(Default)]
struct Reading {
    item: Option<Item>,
    comment: Option<Open>,
    meta: Option<Fields>,
    excerpt: Option<String>,
}

/// A comment that is being read.
struct Open {
    name: String,
    fields: Fields,
    notes: Vec<(String, String)>,
}

/// An article that is being read.
struct Item {
    fields: Fields,
    article: Article,
    kind: Option<String>,
    told: Option<Article>,
    waiting: Vec<Comment>,
    waiting_bytes: usize,
    has_comments: bool,
}

impl Reading {
    fn run(mut self, walk: &mut Walk, out: &mut Out<'_, '_>) -> Result<(), Stop> {
        loop {
            let depth = walk.depth + 1;
            let (place, step) = match walk.next() {
                Ok(step) => step,
                Err(stop) => {
                    self.comment = None;
                    self.end_item(out)?;
                    return Err(stop);
                }
            };
            match step {
                Step::Open(tag) => {
                    self.learn_prefixes(&tag);
                    let is_section = tag.attribute("domain").is_none_or(|domain| domain == "category");
                    if is_section {
                        self.open(tag.name(), depth, place, out)?;
                    }
                }
                Step::Text(text) => {
                    if let Some(fields) = self.reading() {
                        fields.text(text.as_deref());
                    }
                }
                Step::Close(name) => self.close(&name, depth - 1, out)?,
                Step::Entities => {
                    out.reject(place, "a DTD declares entities: they are not expanded")?;
                }
                Step::End => break,
                Step::Broken(why) => {
                    let place = self.comment.as_ref().map_or(place, |comment| comment.fields.place);
                    self.comment = None;
                    self.end_item(out)?;
                    out.reject(place, format!("the file breaks off here: {why}"))?;
                    break;
                }
            }
        }
        if walk.has_replaced() { out.note(Note::Replaced) } else { Ok(()) }
    }

    /// The fields of the innermost record.
    fn reading(&mut self) -> Option<&mut Fields> {
        let comment = self.comment.as_mut().map(|comment| &mut comment.fields);
        self.meta.as_mut().or(comment).or(self.item.as_mut().map(|item| &mut item.fields))
    }

    fn learn_prefixes(&mut self, tag: &Tag<'_>) {
        if self.item.is_some() || self.excerpt.is_some() {
            return;
        }
        let excerpt =
            tag.attributes().find(|(name, value)| name.starts_with("xmlns:") && value.contains("/excerpt/"));
        self.excerpt = excerpt.map(|(name, _)| local(&name).to_owned());
    }

    fn open(&mut self, name: &str, depth: usize, place: Place, out: &mut Out<'_, '_>) -> Result<(), Stop> {
        let is_excerpt = prefix(name) == Some(self.excerpt.as_deref().unwrap_or("excerpt"));
        let name_only = local(name);
        if let Some(open) = self.comment.as_ref().filter(|open| open.name == name) {
            out.reject(open.fields.place, "a comment that is never closed")?;
            (self.comment, self.meta) = (None, None);
        }
        match name_only {
            "item" if prefix(name).is_none() && !self.is_reading() => {
                self.end_item(out)?;
                self.item = Some(Item::new(place));
            }
            _ if self.is_reading() => {}
            "comment" if self.item.is_some() => {
                let fields = Fields::new(place);
                self.comment = Some(Open { name: name.to_owned(), fields, notes: Vec::new() });
            }
            "commentmeta" if self.comment.is_some() => self.meta = Some(Fields::new(place)),
            _ => {
                let known = match (&self.meta, &self.comment, &self.item) {
                    (Some(_), ..) => META,
                    (None, Some(_), _) => COMMENT,
                    (None, None, Some(_)) => ITEM,
                    (None, None, None) => &[],
                };
                let is_known = |field: &&&str| {
                    // RSS's own elements have no prefix: `atom:link` and `media:title` are something else.
                    let is_plain = !PLAIN.contains(*field) || prefix(name).is_none();
                    **field == name_only && is_plain && !(is_excerpt && name_only == "encoded")
                };
                let field = known.iter().find(is_known);
                if let (Some(field), Some(fields)) = (field, self.reading()) {
                    fields.begin(field, name, depth);
                }
            }
        }
        Ok(())
    }

    fn is_reading(&mut self) -> bool {
        self.reading().is_some_and(|fields| fields.is_reading())
    }

    fn close(&mut self, name: &str, depth: usize, out: &mut Out<'_, '_>) -> Result<(), Stop> {
        if let Some(fields) = self.reading() {
            fields.close(name, depth);
        }
        match local(name) {
            "commentmeta" => {
                if let (Some(mut meta), Some(comment)) = (self.meta.take(), &mut self.comment) {
                    comment.notes.push((
                        meta.take("meta_key").unwrap_or_default(),
                        meta.take("meta_value").unwrap_or_default(),
                    ));
                }
            }
            "comment" if self.comment.as_ref().is_some_and(|open| open.name == name) => {
                self.meta = None;
                if let (Some(open), Some(item)) = (self.comment.take(), &mut self.item) {
                    item.end_comment(open, out)?;
                }
            }
            "item" if prefix(name).is_none() => self.end_item(out)?,
            _ => {}
        }
        Ok(())
    }

    fn end_item(&mut self, out: &mut Out<'_, '_>) -> Result<(), Stop> {
        if let Some(open) = self.comment.take() {
            out.reject(open.fields.place, "a comment that is never closed")?;
        }
        self.meta = None;
        self.item.take().map_or(Ok(()), |item| item.end(out))
    }
}

const ITEM: &[&str] =
    &["title", "link", "pubDate", "encoded", "post_id", "post_date_gmt", "post_type", "category"];
const PLAIN: &[&str] = &["title", "link", "pubDate", "category"];
const COMMENT: &[&str] = &[
    "comment_id",
    "comment_author",
    "comment_author_email",
    "comment_author_url",
    "comment_author_IP",
    "comment_date",
    "comment_date_gmt",
    "comment_content",
    "comment_approved",
    "comment_type",
    "comment_parent",
    "comment_user_id",
];
const META: &[&str] = &["meta_key", "meta_value"];

impl Item {
    fn new(place: Place) -> Self {
        Self {
            fields: Fields::new(place),
            article: Article::default(),
            kind: None,
            told: None,
            waiting: Vec::new(),
            waiting_bytes: 0,
            has_comments: false,
        }
    }

    /// Takes over what was read of the article since the last time.
    fn learn(&mut self) {
        let (fields, article) = (&mut self.fields, &mut self.article);
        if let Some(title) = said(fields.take("title")) {
            article.title = title;
        }
        article.url = article.url.take().or_else(|| said(fields.take("link")));
        article.body = article.body.take().or_else(|| said(fields.take("encoded")));
        article.section = article.section.take().or_else(|| said(fields.take("category")));
        self.kind = self.kind.take().or_else(|| said(fields.take("post_type")));
        for field in ["post_date_gmt", "pubDate"] {
            let date = fields.take(field).unwrap_or_default();
            article.published_at = article.published_at.or_else(|| When::of_text(&date).time());
        }
        if let Some(id) = other_id(fields.take("post_id").as_deref()) {
            article.id = id;
        }
    }

    fn has_id(&self) -> bool {
        !self.article.id.as_str().is_empty()
    }

    fn end_comment(&mut self, mut open: Open, out: &mut Out<'_, '_>) -> Result<(), Stop> {
        self.has_comments = true;
        self.learn();
        let place = open.fields.place;
        let kind = open.fields.take("comment_type").unwrap_or_default();
        if matches!(kind.trim(), "pingback" | "trackback") {
            return out.note(Note::Pingback);
        }
        let (comment, is_dated) = match comment(open) {
            Ok(read) => read,
            Err(reason) => return out.reject(place, reason),
        };
        if !is_dated {
            out.note(Note::NoTime)?;
        }
        if self.has_id() {
            self.tell(out)?;
            return self.send(comment, out);
        }
        self.waiting_bytes += comment.text.len() + size_of::<Comment>();
        self.waiting.push(comment);
        if self.waiting_bytes > MOST_WAITING { self.flush(out) } else { Ok(()) }
    }

    /// Tells the article if there is something new to tell.
    fn tell(&mut self, out: &mut Out<'_, '_>) -> Result<(), Stop> {
        if self.fields.check().is_err() || self.told.as_ref() == Some(&self.article) {
            return Ok(());
        }
        self.told = Some(self.article.clone());
        out.article(self.article.clone())
    }

    fn send(&self, mut comment: Comment, out: &mut Out<'_, '_>) -> Result<(), Stop> {
        comment.article_id = self.has_id().then(|| self.article.id.clone());
        out.comment(comment)
    }

    /// Sends the comments that waited for the id. An article without one goes by its address.
    fn flush(&mut self, out: &mut Out<'_, '_>) -> Result<(), Stop> {
        if !self.has_id() {
            self.article.id = other_id(self.article.url.as_deref()).unwrap_or_default();
        }
        self.waiting_bytes = 0;
        for comment in std::mem::take(&mut self.waiting) {
            self.send(comment, out)?;
        }
        Ok(())
    }

    fn end(mut self, out: &mut Out<'_, '_>) -> Result<(), Stop> {
        self.learn();
        self.flush(out)?;
        if let Err(reason) = self.fields.check() {
            return out.reject(self.fields.place, format!("article {reason}"));
        }
        let is_read = matches!(self.kind.as_deref(), None | Some("post" | "page"));
        if self.has_id() && (is_read || self.has_comments) { self.tell(out) } else { Ok(()) }
    }
}

/// The comment, and whether its date could be read.
fn comment(open: Open) -> Result<(Comment, bool), String> {
    let Open { mut fields, notes, .. } = open;
    fields.check()?;
    let when = ["comment_date_gmt", "comment_date"]
        .map(|field| When::of_text(&fields.take(field).unwrap_or_default()));
    let created_at = when.iter().find_map(|when| when.time());
    let is_dated = created_at.is_some() || when == [When::Never; 2];
    let (status, marked) = match fields.take("comment_approved").unwrap_or_default().trim() {
        "1" | "approve" | "approved" => (Some(Status::Published), None),
        "0" | "hold" => (Some(Status::Pending), None),
        "spam" => (Some(Status::Rejected), Some(Label::Spam)),
        "trash" | "post-trashed" => (Some(Status::Deleted), None),
        _ => (None, None),
    };
    let note = |key: &str| {
        let (_, value) = notes.iter().rev().find(|(of, _)| of.trim() == key)?;
        match value.trim() {
            "true" => Some(Label::Spam),
            "false" => Some(Label::Human),
            _ => None,
        }
    };
    let not_zero = |id: &String| id.trim() != "0";
    Ok((
        Comment {
            id: own_id(fields.take("comment_id").as_deref())?,
            parent_id: other_id(fields.take("comment_parent").filter(not_zero).as_deref()),
            author: known(Author {
                id: other_id(fields.take("comment_user_id").filter(not_zero).as_deref()),
                name: said(fields.take("comment_author")),
                email: said(fields.take("comment_author_email")),
                ip: said(fields.take("comment_author_IP")),
                url: said(fields.take("comment_author_url")),
                ..Author::default()
            }),
            created_at,
            status,
            text: fields.take("comment_content").unwrap_or_default(),
            label: note("akismet_user_result").or(marked).or_else(|| note("akismet_result")),
            ..Comment::default()
        },
        is_dated,
    ))
}
