//! Disqus's XML export: `thread` elements are articles, `post` elements comments.
//!
//! Whose id it is stands in the attribute `dsq:id`, whatever the prefix. `isSpam` and `isDeleted` are what Disqus and its moderators
//! decided: spam becomes a label.

use super::draft::{When, known, other_id, own_id, said};
use super::out::{Out, Place, Stop};
use super::xml::{Fields, Step, Walk, has_xml, local, text};
use super::{Format, Note, Options, ReadError, Sink, Source};
use crate::domain::{Article, Author, Comment, Label, Status};

/// See the module's documentation.
pub(super) struct Disqus;

impl Format for Disqus {
    fn name(&self) -> &'static str {
        "disqus"
    }

    fn recognises(&self, _: &str, head: &[u8]) -> bool {
        let head = text(head);
        has_xml(&head) && (head.contains("<disqus") || head.contains("//disqus.com"))
    }

    fn read(&self, source: Source, options: &Options, sink: &mut Sink<'_>) -> Result<(), ReadError> {
        let Source { name, input, .. } = source;
        let mut out = Out::new(&name, options, sink);
        let mut walk = match Walk::new(input) {
            Ok(walk) => walk,
            Err(stop) => return out.finish(Err(stop), Place::default()),
        };
        let result = run(&mut walk, &mut out);
        out.finish(result, walk.place())
    }
}

/// A thread or a post that is being read.
struct Record {
    /// The element's name as written.
    name: String,
    depth: usize,
    is_post: bool,
    /// Whether we are inside its `author`.
    is_author: bool,
    fields: Fields,
}

const RECORD: &[&str] =
    &["message", "createdAt", "isDeleted", "isSpam", "isApproved", "ipAddress", "link", "title"];
const AUTHOR: &[&str] = &["name", "email", "username", "isAnonymous"];

fn run(walk: &mut Walk, out: &mut Out<'_, '_>) -> Result<(), Stop> {
    let mut record: Option<Record> = None;
    loop {
        let depth = walk.depth + 1;
        let (place, step) = walk.next()?;
        match step {
            Step::Open(tag) => {
                let (name, id) = (tag.name().to_owned(), tag.attribute("id"));
                // A record begins where none is open, or where the one before it was never closed.
                let is_next = record
                    .as_ref()
                    .is_none_or(|open| depth <= open.depth || name == open.name && open.is_post);
                if is_next && matches!(local(&name), "post" | "thread") {
                    if let Some(open) = record.take() {
                        out.reject(open.fields.place, "a record that is never closed")?;
                    }
                    let mut fields = Fields::new(place);
                    if let Some(id) = id {
                        fields.set("id", id);
                    }
                    let is_post = local(&name) == "post";
                    record = Some(Record { name, depth, is_post, is_author: false, fields });
                } else if let Some(open) = &mut record {
                    open.open(&name, id, depth);
                }
            }
            Step::Text(text) => {
                if let Some(open) = &mut record {
                    open.fields.text(text.as_deref());
                }
            }
            Step::Close(name) => {
                let Some(open) = &mut record else { continue };
                open.fields.close(&name, depth - 1);
                open.is_author &= local(&name) != "author";
                if name == open.name
                    && (open.is_post || depth - 1 <= open.depth)
                    && let Some(open) = record.take()
                {
                    open.end(out)?;
                }
            }
            Step::Entities => out.reject(place, "a DTD declares entities: they are not expanded")?,
            Step::End => break,
            Step::Broken(why) => {
                let place = record.map_or(place, |open| open.fields.place);
                out.reject(place, format!("the file breaks off here: {why}"))?;
                break;
            }
        }
    }
    if walk.has_replaced() { out.note(Note::Replaced) } else { Ok(()) }
}

impl Record {
    fn open(&mut self, name: &str, id: Option<String>, depth: usize) {
        if self.fields.is_reading() {
            return;
        }
        let of = |known: &[&'static str]| known.iter().find(|field| **field == local(name)).copied();
        match (local(name), id) {
            ("author", _) => self.is_author = true,
            ("thread", Some(id)) => self.fields.set("thread", id),
            ("parent", Some(id)) => self.fields.set("parent", id),
            _ => {
                if let Some(field) = of(if self.is_author { AUTHOR } else { RECORD }) {
                    self.fields.begin(field, name, depth);
                }
            }
        }
    }

    fn end(mut self, out: &mut Out<'_, '_>) -> Result<(), Stop> {
        let place = self.fields.place;
        if let Err(reason) = self.fields.check() {
            return out.reject(place, reason);
        }
        let id = match own_id(self.fields.take("id").as_deref()) {
            Ok(id) => id,
            Err(_) if !self.is_post => return out.reject(place, "a thread without an id"),
            Err(reason) => return out.reject(place, reason),
        };
        let when = When::of_text(&self.fields.take("createdAt").unwrap_or_default());
        if !self.is_post {
            return out.article(Article {
                id,
                url: said(self.fields.take("link")),
                title: said(self.fields.take("title")).unwrap_or_default(),
                published_at: when.time(),
                ..Article::default()
            });
        }
        if when == When::Unread {
            out.note(Note::NoTime)?;
        }
        let fields = &mut self.fields;
        let [is_spam, is_deleted] = ["isSpam", "isDeleted"].map(|field| is_true(fields.take(field).as_ref()));
        let status = match fields.take("isApproved") {
            _ if is_deleted => Status::Deleted,
            _ if is_spam => Status::Rejected,
            Some(approved) if approved.trim() == "false" => Status::Pending,
            _ => Status::Published,
        };
        out.comment(Comment {
            id,
            article_id: other_id(fields.take("thread").as_deref()),
            parent_id: other_id(fields.take("parent").as_deref()),
            author: known(Author {
                id: other_id(fields.take("username").as_deref()),
                name: said(fields.take("name")),
                email: said(fields.take("email")),
                ip: said(fields.take("ipAddress")),
                ..Author::default()
            }),
            created_at: when.time(),
            status: Some(status),
            text: fields.take("message").unwrap_or_default(),
            label: is_spam.then_some(Label::Spam),
            ..Comment::default()
        })
    }
}

fn is_true(text: Option<&String>) -> bool {
    matches!(text.map(|text| text.trim()), Some("true" | "1"))
}
