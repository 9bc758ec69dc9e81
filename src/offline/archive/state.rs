//! How far the work is: lengths up to which its files are whole, written so that a crash leaves the old state or the new one.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{ArchiveError, file_error};
use crate::offline::read::Tally as ReadTally;

/// What the work was begun with: going on needs the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    /// Version of this form of work.
    pub(super) form: u32,
    pub(super) engine: String,
    pub(super) ruleset: String,
    pub(super) model: String,
    /// Thresholds, as text.
    pub(super) config: String,
    pub(super) mode: String,
    /// Inputs by name, size and digest of their ends.
    pub(super) inputs: Vec<String>,
    pub(super) options: String,
    /// Digest of the campaigns that people have allowed.
    pub(super) allowed: u64,
}

impl Identity {
    /// What is not the same, in words.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        let parts = [
            ("another version", self.form == other.form && self.engine == other.engine),
            ("other rules", self.ruleset == other.ruleset),
            ("another model", self.model == other.model),
            ("other thresholds", self.config == other.config),
            ("another way of judging", self.mode == other.mode),
            ("other input files", self.inputs == other.inputs),
            ("other options", self.options == other.options),
            ("other allowed campaigns", self.allowed == other.allowed),
        ];
        parts.into_iter().find(|(_, same)| !same).map(|(what, _)| what.to_owned())
    }
}

/// Where the work stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) identity: Identity,
    /// Files read to their end, and entries of the next one that are spooled.
    pub(super) files: usize,
    pub(super) entries: u64,
    pub(super) comments: u64,
    pub(super) articles: u64,
    pub(super) rejects_bytes: u64,
    pub(super) read: ReadTally,
    pub(super) formats: Vec<String>,
    pub(super) is_read: bool,
    pub(super) facts: u64,
    pub(super) assessed: u64,
    pub(super) assessments_bytes: u64,
    pub(super) plan_bytes: u64,
    pub(super) links_bytes: u64,
    pub(super) tally: Tally,
}

impl State {
    /// The state of work that has not begun.
    pub(super) fn new(identity: Identity) -> Self {
        Self {
            identity,
            files: 0,
            entries: 0,
            comments: 0,
            articles: 0,
            rejects_bytes: 0,
            read: ReadTally::default(),
            formats: Vec::new(),
            is_read: false,
            facts: 0,
            assessed: 0,
            assessments_bytes: 0,
            plan_bytes: 0,
            links_bytes: 0,
            tally: Tally::default(),
        }
    }

    /// Reads the state of a folder; none where work has not begun.
    pub(super) fn load(folder: &Path) -> Result<Option<Self>, ArchiveError> {
        let path = folder.join("state.json");
        match std::fs::read(&path) {
            Ok(bytes) => {
                let state = serde_json::from_slice(&bytes);
                state.map(Some).map_err(|_| ArchiveError::Damaged(folder.display().to_string()))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(file_error("cannot read", &path)(error)),
        }
    }

    /// Writes it in place of the old one.
    pub(super) fn save(&self, folder: &Path) -> Result<(), ArchiveError> {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        replace(&folder.join("state.json"), &bytes)
    }
}

/// Puts a file in place of what was there, whole or not at all.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), ArchiveError> {
    let mut half = path.as_os_str().to_owned();
    half.push(".new");
    let half = std::path::PathBuf::from(half);
    let write = || {
        let mut file = std::fs::File::create(&half)?;
        std::io::Write::write_all(&mut file, bytes)?;
        file.sync_all()?;
        std::fs::rename(&half, path)
    };
    write().map_err(file_error("cannot write", path))
}
