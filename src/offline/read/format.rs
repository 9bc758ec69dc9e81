//! What every reader takes and gives.

use std::fmt;
use std::fs::File;
use std::io::BufRead;
use std::ops::ControlFlow;

use super::{Columns, ReadError};
use crate::domain::{Article, Id};
use crate::offline::records::{LabelledComment, Reject};

/// What an export holds, one after another.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A comment.
    Comment(Box<LabelledComment>),
    /// An article. One that comes again, with the same site and id, is the same, told more fully.
    Article(Box<Article>),
    /// A piece that was not understood.
    Reject(Reject),
    /// Something worth counting that loses no comment.
    Note(Note),
}

/// What a reader did to a record that it kept, or why it left one out that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// A pingback or trackback: no reader wrote it, so it is left out.
    Pingback,
    /// A date could not be read: the comment has no time.
    NoTime,
    /// Bytes that are no text in the file's encoding were replaced, once for each file.
    Replaced,
    /// A table that is no UTF-8 was read as Windows-1252, the usual encoding of older tables.
    Windows1252,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pingback => "pingbacks and trackbacks left out",
            Self::NoTime => "comments with a date that cannot be read, kept without a time",
            Self::Replaced => "files with bytes that are no text in their encoding, replaced by U+FFFD",
            Self::Windows1252 => "files that are no UTF-8, read as Windows-1252",
        })
    }
}

/// Where entries go. `Break` stops the reading.
pub type Sink<'a> = dyn FnMut(Entry) -> ControlFlow<()> + 'a;

/// An input with the compression taken off.
pub struct Source {
    /// The file's name, for rejects.
    pub name: String,
    /// Its bytes.
    pub input: Box<dyn BufRead + Send>,
    /// The file itself, where it is one: for a format that is read from the end.
    pub file: Option<File>,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("name", &self.name).finish_non_exhaustive()
    }
}

/// How an export is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Which column of a CSV file is which field.
    pub columns: Columns,
    /// The site of everything in the file, whatever the file says.
    pub site: Option<Id>,
    /// The most bytes that a compressed file may unfold to.
    pub max_bytes: u64,
    /// The most that one compressed byte may unfold to, on average over the file.
    pub max_ratio: u64,
}

impl Default for Options {
    /// 256 GiB and 1 to 500: text rarely shrinks to less than a hundredth.
    fn default() -> Self {
        Self { columns: Columns::default(), site: None, max_bytes: 256 << 30, max_ratio: 500 }
    }
}

/// One format of exports.
pub trait Format: Sync {
    /// Its name, as `--from` says it.
    fn name(&self) -> &'static str;

    /// Whether a file is of this format, by its name (without `.gz` or `.zst`) and its first bytes.
    fn recognises(&self, name: &str, head: &[u8]) -> bool;

    /// Hands every entry to `sink`, until the end or until it says stop.
    ///
    /// # Errors
    /// When nothing can be read at all, such as a table without a column for the text, or when the decompressed bytes pass a cap.
    fn read(&self, source: Source, options: &Options, sink: &mut Sink<'_>) -> Result<(), ReadError>;
}
