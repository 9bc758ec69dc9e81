//! Exports of comment systems in, one entry after another.
//!
//! [`open`](fn@open) takes the compression off (`compressed`), finds the format by its first bytes or takes the one that is named, and
//! [`Opened::read`] hands every comment, article and reject to a function, in the file's order. No reader holds more than one record; a
//! record over 8 MiB is passed over. A bad record becomes a reject, a broken file ends with one, and the run goes on: only what cannot be
//! read at all, or what passes a cap, is an error.
//!
//! A new format is one file and one line in [`FORMATS`].

mod columns;
mod commento;
mod compressed;
mod coral;
mod csv;
mod decoded;
mod disqus;
mod draft;
mod error;
mod format;
mod json;
mod jsonl;
mod open;
mod out;
#[cfg(feature = "parquet")]
mod parquet;
mod remark42;
mod row;
mod shape;
mod tally;
mod wxr;
mod xml;

pub use self::columns::{ColumnError, Columns};
pub use self::error::{Cap, ReadError};
pub use self::format::{Entry, Format, Note, Options, Sink, Source};
pub use self::open::{Opened, open, open_bytes};
pub use self::tally::Tally;

/// All formats. The first that recognises a file reads it, so those that claim the least come first.
pub const FORMATS: &[&dyn Format] = &[
    #[cfg(feature = "parquet")]
    &parquet::Parquet,
    &wxr::Wxr,
    &disqus::Disqus,
    &commento::Commento,
    &remark42::Remark42,
    &coral::Coral,
    &csv::Csv,
    &jsonl::Jsonl,
];

#[cfg(test)]
mod tests;
