//! JSON Lines in: comments and articles, the good kept when some are bad.

use std::collections::HashMap;
use std::io::BufRead;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::lines::Lines;
use crate::domain::{Article, Comment, Id};

/// The longest line that is read, in bytes. A longer one is rejected, not held in memory.
pub const LONGEST_LINE: usize = 8 << 20;

/// A line, or another piece of a file, that was not understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{file}:{line}: {reason}{}", at(*.offset))]
pub struct Reject {
    /// The file's name.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The bytes before it in the (decompressed) file, where they are known: a file may be one long line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// What is wrong with it.
    pub reason: String,
}

/// Names the byte, which finds a record where a file is one long line.
fn at(offset: Option<u64>) -> String {
    offset.map(|offset| format!(" (at byte {offset})")).unwrap_or_default()
}

/// A comment with what labelled data says about it beyond the record.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LabelledComment {
    /// The record.
    #[serde(flatten)]
    pub comment: Comment,
    /// Where it was collected.
    #[serde(default)]
    pub source: Option<String>,
    /// Planted near-duplicates share this.
    #[serde(default)]
    pub cluster: Option<String>,
    /// Texts expanded from one template share this.
    #[serde(default)]
    pub template_id: Option<String>,
    /// The manner it was written in.
    #[serde(default)]
    pub style: Option<String>,
}

impl LabelledComment {
    /// A comment of which nothing more is known.
    pub fn of(comment: Comment) -> Self {
        Self { comment, source: None, cluster: None, template_id: None, style: None }
    }
}

/// Records and rejects of one input.
#[derive(Debug, Clone, PartialEq)]
pub struct Records<T> {
    /// What was understood, in order.
    pub records: Vec<T>,
    /// What was not.
    pub rejects: Vec<Reject>,
}

/// Reads JSON Lines. Blank lines are skipped; a line that is not UTF-8, not JSON or not a record is rejected.
///
/// # Errors
/// When the input itself cannot be read.
pub fn read_lines<T: DeserializeOwned>(name: &str, input: impl BufRead) -> std::io::Result<Records<T>> {
    let mut out = Records { records: Vec::new(), rejects: Vec::new() };
    let mut lines = Lines::new(input);
    while let Some(line) = lines.next()? {
        match line.text.and_then(|text| {
            is_object(text)?;
            serde_json::from_str(text).map_err(|error| reason(&error))
        }) {
            Ok(record) => out.records.push(record),
            Err(reason) => {
                out.rejects.push(Reject { file: name.to_owned(), line: line.number, offset: None, reason });
            }
        }
    }
    Ok(out)
}

/// Whether a text may be a record at all.
///
/// # Errors
/// A sentence about what it is not.
pub(super) fn is_object(text: &str) -> Result<(), String> {
    let is_object = text.trim_start().starts_with('{');
    is_object.then_some(()).ok_or_else(|| "not a JSON object: a record stands between { and }".to_owned())
}

/// What is wrong with a line, in words that do not count lines: each is parsed by itself.
pub(super) fn reason(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", " at column ")
}

/// Reads a file, or standard input for `-`.
///
/// # Errors
/// When it cannot be opened or read; the message names it.
pub fn read_file<T: DeserializeOwned>(path: &Path) -> Result<Records<T>, String> {
    let name = path.display().to_string();
    let failed = |error: std::io::Error| format!("cannot read {name}: {error}");
    if name == "-" {
        return read_lines("standard input", std::io::stdin().lock()).map_err(failed);
    }
    if path.is_dir() {
        return Err(format!("cannot read {name}: it is a directory; name a file of JSON Lines"));
    }
    let file = std::fs::File::open(path).map_err(failed)?;
    read_lines(&name, std::io::BufReader::with_capacity(1 << 16, file)).map_err(failed)
}

/// Articles by site and id.
#[derive(Debug, Clone, Default)]
pub struct Articles {
    by_name: HashMap<(Option<Id>, Id), Article>,
    /// Those that count where these have none.
    after: HashMap<(Option<Id>, Id), Article>,
}

fn by_name(articles: Vec<Article>) -> HashMap<(Option<Id>, Id), Article> {
    articles.into_iter().map(|article| ((article.site.clone(), article.id.clone()), article)).collect()
}

impl Articles {
    /// Of two articles with one site and id the later counts.
    pub fn new(articles: Vec<Article>) -> Self {
        Self { by_name: by_name(articles), after: HashMap::new() }
    }

    /// These, which were named by hand, count before those that came along with the comments.
    #[must_use]
    pub fn before(self, came_along: Vec<Article>) -> Self {
        Self { after: by_name(came_along), ..self }
    }

    /// The article of a comment: the one of its site, else one that names no site.
    pub fn of(&self, comment: &Comment) -> Option<&Article> {
        let id = comment.article_id.as_ref()?;
        let [own, any] = [(comment.site.clone(), id.clone()), (None, id.clone())];
        [&self.by_name, &self.after].into_iter().find_map(|layer| layer.get(&own).or_else(|| layer.get(&any)))
    }

    /// All articles.
    pub fn iter(&self) -> impl Iterator<Item = &Article> {
        self.by_name.values().chain(self.after.values())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn bad_lines_are_named_good_ones_kept() {
        let input = b"\xef\xbb\xbf{\"id\":1,\"text\":\"a\"}\n\n{\"id\":2}\n\xff\xfe\n{\"id\":3,\"text\":\"c\",\"new\":true}\r\n{\"id\":4,\"te".as_slice();
        let read: Records<Comment> = read_lines("in", input).unwrap();
        assert_eq!(read.records.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), ["1", "3"]);
        let rejects: Vec<String> = read.rejects.iter().map(ToString::to_string).collect();
        assert_eq!(rejects.len(), 3);
        assert!(rejects[0].starts_with("in:3: missing field `text`"), "{rejects:?}");
        assert!(rejects[1].starts_with("in:4: not UTF-8"), "{rejects:?}");
        assert!(rejects[2].starts_with("in:6: EOF"), "{rejects:?}");
    }

    #[test]
    fn an_endless_line_is_rejected_without_being_held() {
        let long = std::io::repeat(b'x')
            .take(LONGEST_LINE as u64 + 100)
            .chain(b"\n{\"id\":1,\"text\":\"a\"}\n".as_slice());
        let read: Records<Comment> = read_lines("in", std::io::BufReader::new(long)).unwrap();
        assert_eq!((read.records.len(), read.rejects.len()), (1, 1));
    }
}
