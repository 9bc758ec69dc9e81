//! Why an export is not read.

use std::io;

use crate::offline::records::Reject;

/// Why a file is not read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be opened, or nothing of it can be read.
    #[error("cannot read {name}: {error}")]
    Open {
        /// The file.
        name: String,
        /// The system's word.
        error: io::Error,
    },
    /// A directory was named.
    #[error("cannot read {name}: it is a directory; name an export")]
    Directory {
        /// The directory.
        name: String,
    },
    /// `--from` names no format.
    #[error("unknown format `{from}`: known are {}", names())]
    NoSuchFormat {
        /// What was asked for.
        from: String,
    },
    /// No format recognises the file.
    #[error("cannot tell the format of {name}: name one of {} with --from", names())]
    Unrecognised {
        /// The file.
        name: String,
    },
    /// A table lacks a column that it needs.
    #[error("{name}: no column for `{field}` among {header}; name it with --columns {field}=COLUMN")]
    Column {
        /// The file.
        name: String,
        /// The field of the record.
        field: &'static str,
        /// The columns there are.
        header: String,
    },
    /// A table lacks a column that the column map names.
    #[error("{name}: no column `{column}` among {header}")]
    NoSuchColumn {
        /// The file.
        name: String,
        /// The column that was named.
        column: String,
        /// The columns there are.
        header: String,
    },
    /// The header row of a table is longer than any row may be.
    #[error("{name}: its header row is too long: it has more than 4096 columns or 8388608 bytes")]
    LongHeader {
        /// The file.
        name: String,
    },
    /// The decompressed bytes pass a cap. What was read before stands.
    #[error("{name}: {cap}")]
    Cap {
        /// The file.
        name: String,
        /// Which cap.
        cap: Cap,
        /// The line of the record that was not read to its end, from 1.
        line: usize,
        /// The (decompressed) bytes before it, where they are known.
        offset: Option<u64>,
    },
}

impl ReadError {
    /// The file that it is about; none where it is about no file.
    pub fn file(&self) -> Option<&str> {
        match self {
            Self::Open { name, .. }
            | Self::Directory { name }
            | Self::Unrecognised { name }
            | Self::Column { name, .. }
            | Self::NoSuchColumn { name, .. }
            | Self::LongHeader { name }
            | Self::Cap { name, .. } => Some(name),
            Self::NoSuchFormat { .. } => None,
        }
    }

    /// The error as a reject, for a run that keeps what was read before: the file's name, the place, and what is wrong without the name.
    pub fn to_reject(&self) -> Reject {
        let (line, offset) = match self {
            Self::Cap { line, offset, .. } => (*line, *offset),
            _ => (1, None),
        };
        let file = self.file().unwrap_or_default().to_owned();
        let told = self.to_string();
        let told = told.strip_prefix(&format!("{file}: ")).unwrap_or(&told);
        Reject { line, offset, reason: format!("{told}; the rest of the file was not read"), file }
    }
}

/// A bound on what a compressed file unfolds to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Cap {
    /// The bytes in all.
    #[error("unfolds to more than {0} bytes: raise --max-bytes if the file is to be trusted")]
    Bytes(u64),
    /// The bytes for one compressed byte.
    #[error("unfolds to more than {0} times its size: raise --max-ratio if the file is to be trusted")]
    Ratio(u64),
}

fn names() -> String {
    let names: Vec<&str> = super::FORMATS.iter().map(|format| format.name()).collect();
    names.join(", ")
}
