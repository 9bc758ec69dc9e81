//! WordPress WXR: the XML that `Tools > Export` and `wp export` write.
//!
//! An item is an article, and its `wp:comment` elements are the comments. Elements are known by their local names, so the prefixes do not
//! matter; only `encoded` needs its own, for the excerpt is one too. Pingbacks and trackbacks are left out and counted. Labels come from
//! Akismet's notes (a person's word before Akismet's own) and from the spam status.

use super::draft::{When, known, other_id, own_id, said};
use super::out::{Out, Place, Stop};
use super::xml::{Fault, Fields, Root, SWALLOWED, Step, Tag, Walk, local, prefix};
use super::{Format, Note, Options, ReadError, Sink, Source};
use crate::domain::{Article, Author, Comment, Label, Status};
use crate::offline::records::LONGEST_LINE;

/// Comments that wait for the id of their article, in bytes of the file.
const MOST_WAITING: u64 = 8 << 20;

/// See the module's documentation.
pub(super) struct Wxr;

impl Format for Wxr {
    fn name(&self) -> &'static str {
        "wxr"
    }

    fn recognises(&self, _: &str, head: &[u8]) -> bool {
        Root::of(head).is_some_and(|root| {
            let is_rss = root.name == "rss" && root.declares("wordpress.org/export/");
            is_rss || root.has_wp && !matches!(root.name.as_str(), "disqus" | "html")
        })
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
    /// The bytes before it.
    start: u64,
    fields: Fields,
    notes: Vec<(String, String)>,
}

/// An article that is being read.
struct Item {
    fields: Fields,
    /// Whether its beginning was seen.
    is_marked: bool,
    article: Article,
    kind: Option<String>,
    told: Option<Article>,
    waiting: Vec<Comment>,
    waiting_bytes: u64,
    has_comments: bool,
}

impl Reading {
    fn run(mut self, walk: &mut Walk, out: &mut Out<'_, '_>) -> Result<(), Stop> {
        loop {
            let (depth, offset) = (walk.depth() + 1, walk.offset());
            if let Some(open) = self.comment.as_mut().filter(|open| offset - open.start > LONGEST) {
                open.fields.overflow();
                open.notes = Vec::new();
            }
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
                        let name = tag.name().to_owned();
                        if let Some(beside) = self.open(&name, depth, place, offset, out)? {
                            walk.is_beside(beside, &name);
                        }
                    }
                }
                Step::Text(text) => {
                    if let Some(fields) = self.reading() {
                        fields.text(text.as_deref());
                    }
                }
                Step::Cdata(text) => {
                    if let Some(fields) = self.reading() {
                        fields.cdata(text.as_deref());
                    }
                }
                Step::Close(name) => self.close(&name, depth - 1, offset, out)?,
                Step::Fault(fault) => self.fault(fault, place, out)?,
                Step::Entities => {
                    out.reject(place, "a DTD declares entities: they are not expanded")?;
                }
                Step::End => {
                    self.end_item(out)?;
                    break;
                }
                Step::Broken(why) => {
                    let place = self.comment.as_ref().map_or(place, |comment| comment.fields.place);
                    self.comment = None;
                    self.end_item(out)?;
                    out.reject(place, format!("the file breaks off here: {why}"))?;
                    break;
                }
            }
        }
        if walk.has_replaced() { out.replaced() } else { Ok(()) }
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

    /// Takes the beginning of an element. A record within one of its kind says that the other was never closed: then this is the depth of
    /// the other.
    fn open(
        &mut self,
        name: &str,
        depth: usize,
        place: Place,
        offset: u64,
        out: &mut Out<'_, '_>,
    ) -> Result<Option<usize>, Stop> {
        let is_excerpt = prefix(name) == Some(self.excerpt.as_deref().unwrap_or("excerpt"));
        let name_only = local(name);
        match name_only {
            "item" if prefix(name).is_none() => {
                let mut beside = None;
                if let Some(item) = self.item.as_mut().filter(|item| item.is_marked) {
                    item.fields.spoil(UNCLOSED_ITEM.to_owned());
                    beside = Some(item.fields.depth);
                }
                self.end_item(out)?;
                self.item = Some(Item::new(Fields::new(name, beside.unwrap_or(depth), place), true));
                return Ok(beside);
            }
            "comment" if self.is_comment(name) => {
                let mut beside = None;
                if let Some(open) = self.comment.take() {
                    out.reject(open.fields.place, UNCLOSED_COMMENT)?;
                    beside = Some(open.fields.depth);
                }
                self.meta = None;
                // One that stands outside of an item, whose beginning was lost, is a comment all the same.
                let item = self.item.get_or_insert_with(|| {
                    let depth = beside.unwrap_or(depth).saturating_sub(1);
                    Item::new(Fields::new("item", depth, place), false)
                });
                if item.fields.is_reading() {
                    item.fields.spoil("an element that is never closed before its comments".to_owned());
                    item.fields.close("", 0);
                }
                let fields = Fields::new(name, beside.unwrap_or(depth), place);
                self.comment = Some(Open { start: offset, fields, notes: Vec::new() });
                return Ok(beside);
            }
            _ if self.is_reading() => {}
            "commentmeta" if self.comment.is_some() => self.meta = Some(Fields::new(name, depth, place)),
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
        Ok(None)
    }

    /// Whether an element of this name is a comment, here.
    fn is_comment(&mut self, name: &str) -> bool {
        if let Some(open) = &self.comment {
            return open.fields.name() == name;
        }
        // Within a text, or where there is no article, only the name that WordPress writes is believed.
        let is_odd = self.item.is_none() || self.is_reading();
        !is_odd || prefix(name) == Some("wp")
    }

    fn is_reading(&mut self) -> bool {
        self.reading().is_some_and(|fields| fields.is_reading())
    }

    fn close(&mut self, name: &str, depth: usize, end: u64, out: &mut Out<'_, '_>) -> Result<(), Stop> {
        if let Some(fields) = self.reading() {
            fields.close(name, depth);
        }
        if self.meta.as_ref().is_some_and(|meta| depth <= meta.depth)
            && let (Some(mut meta), Some(comment)) = (self.meta.take(), &mut self.comment)
            && comment.fields.check().is_ok()
        {
            let [key, value] = ["meta_key", "meta_value"].map(|field| meta.take(field).unwrap_or_default());
            comment.notes.push((key, value));
        }
        let item_depth = self.item.as_ref().map(|item| item.fields.depth);
        if self.comment.as_ref().is_some_and(|open| depth == open.fields.depth) {
            self.meta = None;
            if let (Some(open), Some(item)) = (self.comment.take(), &mut self.item) {
                item.end_comment(open, end, out)?;
            }
        } else if item_depth.is_some_and(|item| depth <= item) {
            self.end_item(out)?;
        }
        Ok(())
    }

    /// Takes markup that does not fit together: it spoils the record in which it stands.
    fn fault(&mut self, fault: Fault, place: Place, out: &mut Out<'_, '_>) -> Result<(), Stop> {
        let Fault { reason, stray } = fault;
        let stray = stray.as_deref().unwrap_or_default();
        if let Some(comment) = &mut self.comment {
            comment.fields.spoil(reason);
        } else if local(stray) == "comment" && prefix(stray).is_some() {
            out.reject(place, "a comment ends that never began")?;
        } else if let Some(item) = &mut self.item {
            item.fields.spoil(reason);
        } else {
            out.reject(place, reason)?;
        }
        if stray == "item" { self.end_item(out) } else { Ok(()) }
    }

    fn end_item(&mut self, out: &mut Out<'_, '_>) -> Result<(), Stop> {
        if let Some(open) = self.comment.take() {
            out.reject(open.fields.place, UNCLOSED_COMMENT)?;
        }
        self.meta = None;
        self.item.take().map_or(Ok(()), |item| item.end(out))
    }
}

const LONGEST: u64 = LONGEST_LINE as u64;
const UNCLOSED_COMMENT: &str = "a comment that is never closed";
const UNCLOSED_ITEM: &str = "an item that is never closed";
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
    fn new(fields: Fields, is_marked: bool) -> Self {
        Self {
            fields,
            is_marked,
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

    fn end_comment(&mut self, mut open: Open, end: u64, out: &mut Out<'_, '_>) -> Result<(), Stop> {
        self.has_comments = true;
        self.learn();
        let (place, length) = (open.fields.place, end.saturating_sub(open.start));
        let has_swallowed = open.fields.has_swallowed;
        let kind = open.fields.take("comment_type").unwrap_or_default();
        if matches!(kind.trim(), "pingback" | "trackback") && open.fields.check().is_ok() {
            return out.note(Note::Pingback);
        }
        let (comment, is_dated) = match comment(open) {
            Ok(read) => read,
            Err(reason) => return out.reject(place, reason),
        };
        if !is_dated {
            out.note(Note::NoTime)?;
        }
        if has_swallowed {
            out.reject(place, SWALLOWED)?;
        }
        if self.has_id() {
            self.tell(out)?;
            return self.send(comment, out);
        }
        self.waiting_bytes += length + size_of::<Comment>() as u64;
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
