//! Coral: what `mongoexport` writes of the collections `comments` and `stories`, as an array or one document after another.
//!
//! The text is that of the latest revision (HTML). A document with a `url` and no `storyID` is a story, which is an article.

use serde_json::Value;

use super::draft::{When, known, own_id};
use super::json::{Foreign, Pieces};
use super::out::{Out, Stop};
use super::shape::Shape;
use super::{Format, Note, Options, ReadError, Sink, Source};
use crate::domain::{Article, Author, Comment, Status};

/// See the module's documentation.
pub(super) struct Coral;

impl Format for Coral {
    fn name(&self) -> &'static str {
        "coral"
    }

    fn recognises(&self, _: &str, head: &[u8]) -> bool {
        Shape::of(head).is_some_and(|shape| {
            let is_story = ["tenantID", "url", "siteID"].iter().all(|name| shape.has(name));
            // Our own records may carry anything beside what we know.
            let is_ours = shape.has("text") || shape.has("title");
            !is_ours && (shape.has("storyID") || is_story)
        })
    }

    fn read(&self, source: Source, options: &Options, sink: &mut Sink<'_>) -> Result<(), ReadError> {
        let Source { name, input, .. } = source;
        let mut out = Out::new(&name, options, sink);
        let mut pieces = Pieces::new(input);
        let result = run(&mut pieces, &mut out);
        out.finish(result, pieces.place())
    }
}

fn run(pieces: &mut Pieces, out: &mut Out<'_, '_>) -> Result<(), Stop> {
    let in_array = pieces.peek(b"")? == Some(b'[');
    if in_array {
        pieces.step()?;
    }
    pieces.each(in_array, out, |text, _, out| {
        let foreign = match Foreign::read(text) {
            Ok(foreign) => foreign,
            Err(reason) => return Ok(Err(reason)),
        };
        if foreign.get("storyID").is_none() && foreign.raw("url").is_some() {
            return match story(&foreign) {
                Ok(article) => out.article(article).map(Ok),
                Err(reason) => Ok(Err(reason)),
            };
        }
        match comment(&foreign) {
            Ok(comment) => {
                if foreign.when("createdAt") == When::Unread {
                    out.note(Note::NoTime)?;
                }
                out.comment(comment).map(Ok)
            }
            Err(reason) => Ok(Err(reason)),
        }
    })?;
    Ok(())
}

/// A document's `id`, which is Coral's own; Mongo's `_id` only where there is none.
fn key(foreign: &Foreign) -> Option<String> {
    foreign.key("id").or_else(|| foreign.key("_id"))
}

fn story(foreign: &Foreign) -> Result<Article, String> {
    Ok(Article {
        id: own_id(key(foreign).as_deref()).map_err(|_| "a story without an id".to_owned())?,
        site: foreign.id("siteID"),
        url: foreign.text("url"),
        title: foreign.text("metadata.title").unwrap_or_default(),
        body: foreign.text("metadata.description"),
        section: foreign.text("metadata.section"),
        published_at: foreign.when("metadata.publishedAt").time(),
    })
}

fn comment(foreign: &Foreign) -> Result<Comment, String> {
    let revisions = foreign.get("revisions").and_then(Value::as_array);
    let latest = revisions.and_then(|revisions| revisions.last());
    let of_latest = |name: &str| latest?.get(name)?.as_str();
    let is_deleted = foreign.get("deletedAt").is_some();
    let text = of_latest("body").or_else(|| foreign.raw("body"));
    let status = match foreign.raw("status") {
        _ if is_deleted => Some(Status::Deleted),
        Some("APPROVED" | "NONE") => Some(Status::Published),
        Some("REJECTED") => Some(Status::Rejected),
        Some("PREMOD" | "SYSTEM_WITHHELD") => Some(Status::Pending),
        _ => None,
    };
    Ok(Comment {
        id: own_id(key(foreign).as_deref())?,
        site: foreign.id("siteID"),
        article_id: foreign.id("storyID"),
        parent_id: foreign.id("parentID"),
        author: known(Author { id: foreign.id("authorID"), ..Author::default() }),
        created_at: foreign.when("createdAt").time(),
        revision: super::draft::other_id(of_latest("id")),
        status,
        // Coral empties the revisions of a comment whose author had it deleted.
        text: text.or(is_deleted.then_some("")).ok_or("without a revision that has a `body`")?.to_owned(),
        ..Comment::default()
    })
}
