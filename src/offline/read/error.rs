//! Why an export is not read.

use std::io;

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
    /// The decompressed bytes pass a cap. What was read before stands.
    #[error("{name}: {cap}")]
    Cap {
        /// The file.
        name: String,
        /// Which cap.
        cap: Cap,
    },
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
