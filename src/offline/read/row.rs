//! One row of a table as a comment, and what it says about the article.

use std::borrow::Cow;
use std::collections::HashSet;

use super::Note;
use super::columns::Header;
use super::draft::{When, known, other_id, own_id, said};
use super::out::{Out, Place, Stop};
use crate::domain::{Article, Author, Comment, Label, Status};
use crate::offline::records::LabelledComment;
use crate::text::stable_hash;

/// A row of text.
pub(super) struct Row<'a> {
    fields: Vec<Cow<'a, str>>,
    header: &'a Header,
}

impl<'a> Row<'a> {
    pub(super) fn new(fields: Vec<Cow<'a, str>>, header: &'a Header) -> Self {
        Self { fields, header }
    }

    /// Whether it says what a comment is: a row that is too short may have lost it.
    pub(super) fn has_core(&self) -> bool {
        self.raw("id").is_some_and(|id| !id.trim().is_empty()) && self.raw("text").is_some()
    }

    fn raw(&self, field: &str) -> Option<&str> {
        self.fields.get(self.header.place(field)?).map(AsRef::as_ref)
    }

    fn said(&self, field: &str) -> Option<String> {
        said(self.raw(field).map(str::to_owned))
    }

    fn when(&self, field: &str) -> When {
        self.raw(field).map_or(When::Never, When::of_text)
    }

    /// The article, where the row tells more of it than its id.
    fn article(&self) -> Option<Article> {
        let title = self.said("article_title")?;
        Some(Article {
            id: other_id(self.raw("article_id"))?,
            site: other_id(self.raw("site")),
            url: self.said("article_url"),
            title,
            section: self.said("section"),
            body: self.said("article_body"),
            ..Article::default()
        })
    }

    /// The comment, and whether its date could be read.
    ///
    /// # Errors
    /// When it has no id, or a label that means nothing to us.
    fn comment(&self) -> Result<(LabelledComment, bool), String> {
        let when = self.when("created_at");
        let comment = Comment {
            id: own_id(self.raw("id"))?,
            site: other_id(self.raw("site")),
            article_id: other_id(self.raw("article_id")),
            thread_id: other_id(self.raw("thread_id")),
            // WordPress's tables write 0 for none.
            parent_id: other_id(self.raw("parent_id").filter(|id| id.trim() != "0")),
            author: known(Author {
                id: other_id(self.raw("author_id").filter(|id| id.trim() != "0")),
                name: self.said("author_name"),
                email: self.said("author_email"),
                ip: self.said("author_ip"),
                url: self.said("author_url"),
                ..Author::default()
            }),
            created_at: when.time(),
            updated_at: self.when("updated_at").time(),
            status: self.raw("status").and_then(status),
            lang: self.said("lang").map(|lang| lang.to_lowercase()),
            text: self.raw("text").unwrap_or_default().to_owned(),
            label: self.said("label").map(|text| label(&text)).transpose()?,
            ..Comment::default()
        };
        let labelled = LabelledComment {
            comment,
            source: self.said("source"),
            cluster: self.said("cluster"),
            template_id: self.said("template_id"),
            style: self.said("style"),
        };
        Ok((labelled, when != When::Unread))
    }
}

/// What a table has told so far.
#[derive(Default)]
pub(super) struct Told {
    /// Articles that were handed on, by a hash of what was said of them: most rows say the same of theirs.
    articles: HashSet<u64>,
}

impl Told {
    /// Hands on what a row says, or why it says nothing.
    pub(super) fn write(&mut self, row: &Row<'_>, place: Place, out: &mut Out<'_, '_>) -> Result<(), Stop> {
        let (comment, is_dated) = match row.comment() {
            Ok(read) => read,
            Err(reason) => return out.reject(place, reason),
        };
        if let Some(article) = row.article() {
            let said = serde_json::to_vec(&article).unwrap_or_default();
            if self.articles.insert(stable_hash(&said)) {
                out.article(article)?;
            }
        }
        if !is_dated {
            out.note(Note::NoTime)?;
        }
        out.labelled(comment)
    }
}

/// A status in the words of many systems; one that we do not know is none.
fn status(text: &str) -> Option<Status> {
    match text.trim().to_lowercase().as_str() {
        "published" | "approved" | "approve" | "visible" | "public" | "1" | "true" => Some(Status::Published),
        "pending" | "hold" | "unapproved" | "premod" | "0" | "false" => Some(Status::Pending),
        "rejected" | "spam" | "hidden" => Some(Status::Rejected),
        "deleted" | "trash" | "removed" => Some(Status::Deleted),
        _ => None,
    }
}

fn label(text: &str) -> Result<Label, String> {
    match text.to_lowercase().as_str() {
        "human" | "ham" | "genuine" => Ok(Label::Human),
        "machine" | "bot" => Ok(Label::Machine),
        "spam" => Ok(Label::Spam),
        _ => Err(format!("unknown label `{text}`: expected human, machine or spam")),
    }
}
