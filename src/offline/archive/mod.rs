//! Rescoring an archive: from exports or the store to assessments, campaigns, threads, a report and a plan, in memory that grows by some 300 bytes a
//! comment and not with their texts.
//!
//! Four stages, each of which can be stopped and goes on where it was:
//!
//! 1. `reading`, into a `spool`: exports are read once and put down in one form, each comment at a known place, so that everything after it can read any comment again.
//! 2. `facts`: every text is scored; its numbers and signature go into a file of records of one size.
//! 3. in memory: the [`Book`](super::book::Book) of all facts; copies, campaigns, threads, authors. Not saved: it is made in a minute or so.
//! 4. `write`: every comment is read again and assessed with what stage 3 knows; `outputs` writes the rest (`parquet` the assessments as a table, where it is built in).
//!
//! What is done is written into `state` every few seconds: lengths of files that are whole up to there. Going on cuts the files back to those lengths,
//! so that the outcome is the same to the byte as without the interruption, whatever the number of threads. `tally` counts what the `report` tells.

mod articles;
mod facts;
mod outputs;
#[cfg(feature = "parquet")]
mod parquet;
pub mod progress;
mod reading;
pub mod report;
mod run;
mod spool;
mod state;
mod tally;

pub use outputs::{PLAN_FORM, Proposal, StoredChange, Sweep};
pub use run::{Ended, Job, Origin, StoredFacts, run};
pub use tally::{Share, Tally};

/// What goes wrong with an archive.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// A file of the work or of the output cannot be read or written.
    #[error("{what} {path}: {error}")]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: String,
        /// The system's word.
        error: std::io::Error,
    },
    /// An export cannot be read.
    #[error(transparent)]
    Read(#[from] super::read::ReadError),
    /// The work that lies there belongs to other inputs, rules, model or options.
    #[error("the work in {path} was begun with {what}: use another folder")]
    OtherWork {
        /// The folder.
        path: String,
        /// What is not the same.
        what: String,
    },
    /// There is something in the folder, and nobody said that it may go on.
    #[error("{0} is not empty: say --resume to go on with it, or name a new folder")]
    NotEmpty(String),
    /// Another process works there.
    #[error("another rescoring works in {0}: wait for it, or name another folder")]
    InUse(String),
    /// Work that was begun on standard input cannot go on.
    #[error(
        "the work in {0} was begun on standard input, which cannot be read again: save the export to a file and use a new folder"
    )]
    GoneInput(String),
    /// `--resume`, and the folder holds files that no work of ours left.
    #[error("{0} holds files, but no work that could go on: name a new folder")]
    NoWork(String),
    /// `--strict` and a bad record.
    #[error("{0}")]
    Strict(super::records::Reject),
    /// More comments than can be numbered.
    #[error("more than {0} comments: split the archive by site")]
    TooMany(u32),
    /// A record of the work cannot be read again.
    #[error("the work in {0} is damaged: use a new folder")]
    Damaged(String),
}

/// A file that could not be handled, as an error.
fn file_error(what: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> ArchiveError {
    let path = path.display().to_string();
    move |error| ArchiveError::File { what, path, error }
}
