//! What every reader must do.

mod compressed;
mod cut;
mod examples;
mod hostile;
mod json;
mod opening;
#[cfg(feature = "parquet")]
mod parquet;
mod tables;
mod xml;

use std::ops::ControlFlow;

use super::{Entry, Note, Options, ReadError, Tally, open_bytes};
use crate::domain::{Article, Author, Comment, Label, Status};
use crate::offline::records::{LabelledComment, Reject};

/// Everything that came out of a file.
#[derive(Debug, Default, PartialEq)]
struct Read {
    comments: Vec<LabelledComment>,
    articles: Vec<Article>,
    rejects: Vec<Reject>,
    notes: Vec<Note>,
    tally: Tally,
}

impl Read {
    fn ids(&self) -> Vec<&str> {
        self.comments.iter().map(|comment| comment.comment.id.as_str()).collect()
    }

    fn texts(&self) -> Vec<&str> {
        self.comments.iter().map(|comment| comment.comment.text.as_str()).collect()
    }

    fn reasons(&self) -> Vec<String> {
        self.rejects.iter().map(ToString::to_string).collect()
    }

    fn get(&self, id: &str) -> &Comment {
        &self.comments.iter().find(|comment| comment.comment.id.as_str() == id).unwrap().comment
    }
}

fn try_read(
    name: &str,
    bytes: &[u8],
    from: Option<&str>,
    options: &Options,
) -> (Read, Result<(), ReadError>) {
    let mut read = Read::default();
    let opened = match open_bytes(name, bytes.to_vec(), from, options) {
        Ok(opened) => opened,
        Err(error) => return (read, Err(error)),
    };
    let result = opened.read(options, &mut |entry| {
        read.tally.count(&entry);
        match entry {
            Entry::Comment(comment) => read.comments.push(*comment),
            Entry::Article(article) => read.articles.push(*article),
            Entry::Reject(reject) => read.rejects.push(reject),
            Entry::Note(note) => read.notes.push(note),
        }
        ControlFlow::Continue(())
    });
    (read, result)
}

fn read(name: &str, bytes: impl AsRef<[u8]>) -> Read {
    let (read, result) = try_read(name, bytes.as_ref(), None, &Options::default());
    result.unwrap();
    read
}

/// A WXR file around the inside of its items.
fn wxr(items: &[&str]) -> String {
    let items = items.iter().fold(String::new(), |text, item| text + "<item>" + item + "</item>\n");
    format!(
        "<?xml version=\"1.0\"?>\n<rss xmlns:wp=\"http://wordpress.org/export/1.2/\"><channel>\n{items}</channel></rss>\n"
    )
}

fn wp_comment(id: u32, inside: &str) -> String {
    format!("<wp:comment><wp:comment_id>{id}</wp:comment_id>{inside}</wp:comment>")
}

fn author(name: &str) -> Author {
    Author { name: Some(name.to_owned()), ..Author::default() }
}
