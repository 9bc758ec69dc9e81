//! Commento's (and Comentario's) export: one object with the lists `comments` and `commenters`.
//!
//! The commenters stand after the comments, so an author is known by the id alone. The page's path is the article's id.

use super::draft::{When, known, own_id};
use super::json::{Foreign, Member, Pieces};
use super::out::{Out, Stop};
use super::shape::Shape;
use super::{Format, Note, Options, ReadError, Sink, Source};
use crate::domain::{Author, Comment, Status};

/// See the module's documentation.
pub(super) struct Commento;

impl Format for Commento {
    fn name(&self) -> &'static str {
        "commento"
    }

    fn recognises(&self, _: &str, head: &[u8]) -> bool {
        Shape::of(head).is_some_and(|shape| {
            let is_empty = shape.is("comments", b'[') && shape.is("commenters", b'[');
            let is_told = shape.lists("comments", "commentHex") || shape.lists("commenters", "commenterHex");
            !shape.has("text") && (is_empty || is_told)
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
    if pieces.peek(b"")? != Some(b'{') {
        return out.reject(pieces.place(), "not Commento's export: a JSON object with the list `comments`");
    }
    pieces.members(out, |pieces, name, first, out| {
        if name != "comments" || first != b'[' {
            return Ok(Member::Left);
        }
        pieces.step()?;
        let is_closed = pieces.each(true, out, |text, _, out| {
            let foreign = match Foreign::read(text) {
                Ok(foreign) => foreign,
                Err(reason) => return Ok(Err(reason)),
            };
            match comment(&foreign) {
                Ok(comment) => {
                    if foreign.when("creationDate") == When::Unread {
                        out.note(Note::NoTime)?;
                    }
                    out.comment(comment).map(Ok)
                }
                Err(reason) => Ok(Err(reason)),
            }
        })?;
        Ok(if is_closed { Member::Read } else { Member::Cut })
    })
}

fn comment(foreign: &Foreign) -> Result<Comment, String> {
    let status = match foreign.raw("state") {
        _ if foreign.is_true("deleted") => Some(Status::Deleted),
        Some("approved") => Some(Status::Published),
        Some("unapproved" | "flagged") => Some(Status::Pending),
        _ => None,
    };
    let is_nobody = foreign.raw("commenterHex") == Some("anonymous");
    let text = foreign.text("markdown").or_else(|| foreign.raw("html").map(str::to_owned));
    let is_root = foreign.raw("parentHex") == Some("root");
    Ok(Comment {
        id: own_id(foreign.key("commentHex").as_deref())?,
        site: foreign.id("domain"),
        article_id: foreign.id("url"),
        parent_id: foreign.id("parentHex").filter(|_| !is_root),
        author: known(Author { id: foreign.id("commenterHex").filter(|_| !is_nobody), ..Author::default() }),
        created_at: foreign.when("creationDate").time(),
        status,
        text: text.or_else(|| foreign.raw("markdown").map(str::to_owned)).unwrap_or_default(),
        ..Comment::default()
    })
}
