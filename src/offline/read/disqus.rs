//! Disqus's XML export: `thread` elements are articles, `post` elements comments.
//!
//! Whose id it is stands in the attribute `dsq:id`, whatever the prefix. `isSpam` and `isDeleted` are what Disqus and its moderators
//! decided: spam becomes a label.

use super::draft::{When, known, other_id, own_id, said};
use super::out::{Out, Place, Stop};
use super::xml::{Fields, Root, SWALLOWED, Step, Walk, local};
use super::{Format, Note, Options, ReadError, Sink, Source};
use crate::domain::{Article, Author, Comment, Label, Status};

/// See the module's documentation.
pub(super) struct Disqus;

impl Format for Disqus {
    fn name(&self) -> &'static str {
        "disqus"
    }

    fn recognises(&self, _: &str, head: &[u8]) -> bool {
        Root::of(head).is_some_and(|root| root.name == "disqus" || root.declares("//disqus.com"))
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
    is_post: bool,
    /// Whether we are inside its `author`.
    is_author: bool,
    /// The latest thread that it names: its name as written, its id, its depth, its place.
    named: Option<(String, String, usize, Place)>,
    fields: Fields,
}

const UNCLOSED: &str = "a record that is never closed";
const RECORD: &[&str] =
    &["message", "createdAt", "isDeleted", "isSpam", "isApproved", "ipAddress", "link", "title"];
const AUTHOR: &[&str] = &["name", "email", "username", "isAnonymous"];

fn run(walk: &mut Walk, out: &mut Out<'_, '_>) -> Result<(), Stop> {
    let mut record: Option<Record> = None;
    loop {
        let depth = walk.depth() + 1;
        let (place, step) = walk.next()?;
        match step {
            Step::Open(tag) => {
                let (name, id) = (tag.name().to_owned(), tag.attribute("id"));
                if let Some(beside) = open(&mut record, &name, id, depth, place, out)? {
                    walk.is_beside(beside, &name);
                }
            }
            Step::Text(text) => {
                if let Some(open) = &mut record {
                    open.fields.text(text.as_deref());
                }
            }
            Step::Cdata(text) => {
                if let Some(open) = &mut record {
                    open.fields.cdata(text.as_deref());
                }
            }
            Step::Close(name) => {
                let depth = depth - 1;
                let Some(open) = &mut record else { continue };
                open.fields.close(&name, depth);
                open.is_author &= local(&name) != "author";
                if depth <= open.fields.depth
                    && let Some(open) = record.take()
                {
                    if depth == open.fields.depth {
                        open.end(out)?;
                    } else {
                        out.reject(open.fields.place, UNCLOSED)?;
                    }
                }
            }
            Step::Fault(fault) => match &mut record {
                Some(open) => open.fields.spoil(fault.reason),
                None => out.reject(place, fault.reason)?,
            },
            Step::Entities => out.reject(place, "a DTD declares entities: they are not expanded")?,
            Step::End => {
                record.map_or(Ok(()), |open| out.reject(open.fields.place, UNCLOSED))?;
                break;
            }
            Step::Broken(why) => {
                let place = record.map_or(place, |open| open.fields.place);
                out.reject(place, format!("the file breaks off here: {why}"))?;
                break;
            }
        }
    }
    if walk.has_replaced() { out.replaced() } else { Ok(()) }
}

/// Takes the beginning of an element. A record within another says that the other was never closed: then this is the depth of the other.
fn open(
    record: &mut Option<Record>,
    name: &str,
    id: Option<String>,
    depth: usize,
    place: Place,
    out: &mut Out<'_, '_>,
) -> Result<Option<usize>, Stop> {
    let is_post = local(name) == "post";
    let is_next = match (&*record, local(name)) {
        (_, "post") => true,
        (open, "thread") => open.as_ref().is_none_or(|open| !open.is_post),
        _ => false,
    };
    if is_next {
        let unclosed = record.take().map(|open| open.fields);
        let beside = unclosed.as_ref().map(|open| open.depth);
        *record = Some(Record::new(name, id, beside.unwrap_or(depth), place, is_post));
        unclosed.map_or(Ok(()), |open| out.reject(open.place, UNCLOSED))?;
        return Ok(beside);
    }
    let Some(open) = record else { return Ok(None) };
    // A post names its thread by an empty element. One that is not empty is a thread itself, and the post before it was never closed.
    if let Some((name, id, depth, at)) = open.named.take_if(|(_, _, named, _)| depth == *named + 1) {
        out.reject(open.fields.place, UNCLOSED)?;
        *open = Record::new(&name, Some(id), depth, at, false);
    }
    open.open(name, id, depth, place);
    Ok(None)
}

impl Record {
    fn new(name: &str, id: Option<String>, depth: usize, place: Place, is_post: bool) -> Self {
        let mut fields = Fields::new(name, depth, place);
        if let Some(id) = id {
            fields.set("id", id);
        }
        Self { is_post, is_author: false, named: None, fields }
    }

    fn open(&mut self, name: &str, id: Option<String>, depth: usize, place: Place) {
        if self.fields.is_reading() {
            return;
        }
        self.named = None;
        let of = |known: &[&'static str]| known.iter().find(|field| **field == local(name)).copied();
        match (local(name), id) {
            ("author", _) => self.is_author = true,
            ("thread", Some(id)) => {
                self.named = Some((name.to_owned(), id.clone(), depth, place));
                self.fields.set("thread", id);
            }
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
            let (url, title) = (said(self.fields.take("link")), said(self.fields.take("title")));
            if (&url, &title) == (&None, &None) {
                // A post's word of its thread, where the post's own beginning was lost.
                return Ok(());
            }
            return out.article(Article {
                id,
                url,
                title: title.unwrap_or_default(),
                published_at: when.time(),
                ..Article::default()
            });
        }
        if when == When::Unread {
            out.note(Note::NoTime)?;
        }
        if self.fields.has_swallowed {
            out.reject(place, SWALLOWED)?;
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
