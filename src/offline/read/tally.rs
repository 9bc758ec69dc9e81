//! What came out of an export, in numbers.

use std::collections::BTreeMap;

use super::{Entry, Note};

/// Counts of entries.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Tally {
    /// Comments.
    pub comments: u64,
    /// Articles, one that came twice counted twice.
    pub articles: u64,
    /// Pieces that were not understood.
    pub rejects: u64,
    /// Everything else, by kind.
    pub notes: BTreeMap<Note, u64>,
}

impl Tally {
    /// Counts one entry.
    pub fn count(&mut self, entry: &Entry) {
        match entry {
            Entry::Comment(_) => self.comments += 1,
            Entry::Article(_) => self.articles += 1,
            Entry::Reject(_) => self.rejects += 1,
            Entry::Note(note) => *self.notes.entry(*note).or_default() += 1,
        }
    }
}
