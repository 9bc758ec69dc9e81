//! Remark42's backup: a line about users and posts, then one comment a line.
//!
//! A comment knows its page's address and title; the address is the article's id. Remark42 sends a page's comments together, so the
//! article is told when the page changes.

use super::draft::{When, known, own_id};
use super::json::{Foreign, Pieces};
use super::out::{Out, Stop};
use super::shape::Shape;
use super::{Format, Note, Options, ReadError, Sink, Source};
use crate::domain::{Article, Author, Comment, Id, Status};

/// See the module's documentation.
pub(super) struct Remark42;

impl Format for Remark42 {
    fn name(&self) -> &'static str {
        "remark42"
    }

    fn recognises(&self, _: &str, head: &[u8]) -> bool {
        Shape::of(head).is_some_and(|shape| {
            let is_list = |name: &str| shape.is(name, b'[') || shape.is(name, b'n');
            // So many users may stand in the first line that no post is seen.
            let is_backup = shape.begins_with("version") && is_list("users") && !shape.has("comments");
            is_backup || shape.is("locator", b'{') && shape.has("pid")
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
    let mut page: Option<Article> = None;
    let mut is_first = true;
    pieces.each(false, out, |text, _, out| {
        let foreign = match Foreign::read(text) {
            Ok(foreign) => foreign,
            Err(reason) => return Ok(Err(reason)),
        };
        if std::mem::take(&mut is_first) && foreign.get("id").is_none() && foreign.get("version").is_some() {
            return Ok(Ok(()));
        }
        let comment = match comment(&foreign) {
            Ok(comment) => comment,
            Err(reason) => return Ok(Err(reason)),
        };
        if let Some(id) = &comment.article_id {
            let article = Article {
                id: id.clone(),
                site: comment.site.clone(),
                url: Some(id.as_str().to_owned()),
                title: foreign.text("title").unwrap_or_default(),
                ..Article::default()
            };
            if !article.title.is_empty() && page.as_ref() != Some(&article) {
                page = Some(article.clone());
                out.article(article)?;
            }
        }
        if foreign.when("time") == When::Unread {
            out.note(Note::NoTime)?;
        }
        out.comment(comment).map(Ok)
    })?;
    Ok(())
}

fn comment(foreign: &Foreign) -> Result<Comment, String> {
    let text = foreign.text("orig").or_else(|| foreign.raw("text").map(str::to_owned));
    let is_deleted = foreign.is_true("delete");
    Ok(Comment {
        id: own_id(foreign.key("id").as_deref())?,
        site: foreign.id("locator.site"),
        article_id: foreign.id("locator.url"),
        parent_id: foreign.id("pid"),
        author: known(Author {
            id: foreign.id("user.id"),
            name: foreign.text("user.name"),
            role: foreign.is_true("user.admin").then(|| "admin".to_owned()),
            ..Author::default()
        }),
        created_at: foreign.when("time").time(),
        updated_at: foreign.when("edit.time").time(),
        revision: foreign.key("edit.time").map(Id::from),
        status: Some(if is_deleted { Status::Deleted } else { Status::Published }),
        text: text
            .ok_or("missing field `text`")
            .or_else(|missing| if is_deleted { Ok(String::new()) } else { Err(missing) })?,
        ..Comment::default()
    })
}
