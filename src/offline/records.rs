//! JSON Lines in: comments and articles, the good kept when some are bad.

use std::collections::HashMap;
use std::io::{BufRead, Read};
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::domain::{Article, Comment, Id};

/// The longest line that is read, in bytes. A longer one is rejected, not held in memory.
pub const LONGEST_LINE: usize = 8 << 20;

/// A line that was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {reason}")]
pub struct Reject {
    /// The file's name.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
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
pub fn read_lines<T: DeserializeOwned>(name: &str, mut input: impl BufRead) -> std::io::Result<Records<T>> {
    let mut out = Records { records: Vec::new(), rejects: Vec::new() };
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        line.clear();
        let read = (&mut input).take(LONGEST_LINE as u64 + 1).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(out);
        }
        number += 1;
        let reject = |reason: String| Reject { file: name.to_owned(), line: number, reason };
        if line.len() > LONGEST_LINE {
            out.rejects.push(reject(format!("longer than {LONGEST_LINE} bytes")));
            skip_line(&mut input)?;
            continue;
        }
        let text = if number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line) } else { &line };
        if text.trim_ascii().is_empty() {
            continue;
        }
        match std::str::from_utf8(text) {
            Err(error) => out.rejects.push(reject(format!("not UTF-8 at byte {}", error.valid_up_to()))),
            Ok(text) if !text.trim_start().starts_with('{') => {
                out.rejects.push(reject("not a JSON object: a record stands between { and }".to_owned()));
            }
            Ok(text) => match serde_json::from_str(text) {
                Ok(record) => out.records.push(record),
                Err(error) => {
                    out.rejects.push(reject(error.to_string().replace(" at line 1 column ", " at column ")));
                }
            },
        }
    }
}

/// Reads past the end of the current line without holding it.
fn skip_line(input: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        if let Some(at) = memchr::memchr(b'\n', buffer) {
            input.consume(at + 1);
            return Ok(());
        }
        let length = buffer.len();
        input.consume(length);
    }
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
pub struct Articles(HashMap<(Option<Id>, Id), Article>);

impl Articles {
    /// Of two articles with one site and id the later counts.
    pub fn new(articles: Vec<Article>) -> Self {
        Self(
            articles
                .into_iter()
                .map(|article| ((article.site.clone(), article.id.clone()), article))
                .collect(),
        )
    }

    /// The article of a comment: the one of its site, else one that names no site.
    pub fn of(&self, comment: &Comment) -> Option<&Article> {
        let id = comment.article_id.as_ref()?;
        self.0.get(&(comment.site.clone(), id.clone())).or_else(|| self.0.get(&(None, id.clone())))
    }

    /// All articles.
    pub fn iter(&self) -> impl Iterator<Item = &Article> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests {
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
