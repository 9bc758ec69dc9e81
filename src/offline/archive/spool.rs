//! All comments of an archive in one form, one after another, each at a known place.
//!
//! `spool.bin` holds records of JSON; `spool.idx` holds 16 bytes a record: where it begins, and the comment's name. Both only grow, so cutting them back
//! to a known length gives an earlier state.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::run::Job;
use super::{ArchiveError, file_error};
use crate::domain::{Comment, Id, Verdict};
use crate::offline::book::name_of;
use crate::offline::judge::Permits;
use crate::similarity::Sketch;

/// What the store knew of a comment when it was read from there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredFacts {
    /// Its number in the store.
    pub seq: i64,
    /// The order of the last word said about it.
    pub standing_at: i64,
    /// What was proposed.
    pub verdict: Verdict,
    /// Its campaign.
    pub campaign: Option<String>,
    /// Whether somebody has decided about it, and how it stands then.
    pub decided: Option<String>,
    /// Whether its author is trusted.
    pub trusted: bool,
    /// Whether it is proposed and nobody was asked, since it came as history.
    pub unasked: bool,
}

/// A comment as it is spooled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Spooled {
    pub(super) comment: Comment,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stored: Option<StoredFacts>,
}

impl Spooled {
    /// What people have allowed it.
    pub(super) fn permits(&self, job: &Job<'_>, sketch: Option<&Sketch>) -> Permits {
        let site = self.comment.site.as_ref().map(Id::as_str).unwrap_or_default();
        Permits {
            trusted: self.stored.as_ref().is_some_and(|stored| stored.trusted),
            allowed: sketch.is_some_and(|sketch| job.allowed.covers(site, sketch, &job.engine.config)),
        }
    }
}

/// What a spooled comment is called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Named {
    pub(super) comment: Name,
}

/// A comment's site and id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Name {
    #[serde(default)]
    pub(super) site: Option<Id>,
    pub(super) id: Id,
}

/// Bytes of an entry of the index.
const ENTRY: usize = 16;

/// A file of records with an index.
pub(super) struct Spool {
    data: BufWriter<File>,
    index: BufWriter<File>,
    read: File,
    /// Where each record begins, and one past the last.
    starts: Vec<u64>,
    /// The name of each record.
    pub(super) names: Vec<u64>,
    path: PathBuf,
}

impl Spool {
    /// Opens a spool and cuts it back to so many records.
    pub(super) fn open(folder: &Path, name: &str, records: u64) -> Result<Self, ArchiveError> {
        let path = folder.join(format!("{name}.bin"));
        let index_path = folder.join(format!("{name}.idx"));
        let open = |path: &Path| {
            let mut options = File::options();
            options.read(true).write(true).create(true).truncate(false);
            options.open(path).map_err(file_error("cannot open", path))
        };
        let (mut data, mut index) = (open(&path)?, open(&index_path)?);
        let had = index.metadata().map_err(file_error("cannot read", &index_path))?.len();
        if had < records * ENTRY as u64 {
            return Err(ArchiveError::Damaged(folder.display().to_string()));
        }
        index.set_len(records * ENTRY as u64).map_err(file_error("cannot cut back", &index_path))?;
        let mut bytes = Vec::new();
        index.seek(SeekFrom::Start(0)).map_err(file_error("cannot read", &index_path))?;
        index.read_to_end(&mut bytes).map_err(file_error("cannot read", &index_path))?;
        let mut starts = Vec::with_capacity(records as usize + 1);
        starts.push(0);
        let mut names = Vec::with_capacity(records as usize);
        for entry in bytes.chunks_exact(ENTRY) {
            let (Some(end), Some(name)) = (entry.first_chunk::<8>(), entry.last_chunk::<8>()) else {
                continue;
            };
            starts.push(u64::from_le_bytes(*end));
            names.push(u64::from_le_bytes(*name));
        }
        let end = starts.last().copied().unwrap_or(0);
        let length = data.metadata().map_err(file_error("cannot read", &path))?.len();
        if names.len() as u64 != records || length < end {
            return Err(ArchiveError::Damaged(folder.display().to_string()));
        }
        data.set_len(end).map_err(file_error("cannot cut back", &path))?;
        data.seek(SeekFrom::Start(end)).map_err(file_error("cannot open", &path))?;
        let read = File::open(&path).map_err(file_error("cannot open", &path))?;
        Ok(Self {
            data: BufWriter::with_capacity(1 << 18, data),
            index: BufWriter::new(index),
            read,
            starts,
            names,
            path,
        })
    }

    /// How many records it has.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Adds a record under a name.
    pub(super) fn push(&mut self, name: u64, record: &impl Serialize) -> Result<(), ArchiveError> {
        let failed = || file_error("cannot write", &self.path);
        let bytes = serde_json::to_vec(record).map_err(|error| failed()(error.into()))?;
        let end = self.starts.last().copied().unwrap_or(0) + bytes.len() as u64;
        self.data.write_all(&bytes).map_err(failed())?;
        self.index.write_all(&end.to_le_bytes()).map_err(failed())?;
        self.index.write_all(&name.to_le_bytes()).map_err(failed())?;
        self.starts.push(end);
        self.names.push(name);
        Ok(())
    }

    /// Brings everything onto the disk.
    pub(super) fn flush(&mut self) -> Result<(), ArchiveError> {
        let flushed = self.data.flush().and_then(|()| self.index.flush());
        let synced = flushed
            .and_then(|()| self.data.get_ref().sync_data())
            .and_then(|()| self.index.get_ref().sync_data());
        synced.map_err(file_error("cannot write", &self.path))
    }

    /// Reads a record again. What was added after the last flush is not there yet.
    pub(super) fn get<T: DeserializeOwned>(&self, at: usize) -> Result<T, ArchiveError> {
        let damaged = || ArchiveError::Damaged(self.path.display().to_string());
        let (Some(from), Some(to)) = (self.starts.get(at), self.starts.get(at + 1)) else {
            return Err(damaged());
        };
        let mut bytes = vec![0; (to - from) as usize];
        self.read.read_exact_at(&mut bytes, *from).map_err(file_error("cannot read", &self.path))?;
        serde_json::from_slice(&bytes).map_err(|_| damaged())
    }

    /// Reads the records `range` again, in one go.
    pub(super) fn range<T: DeserializeOwned + Send>(
        &self,
        range: std::ops::Range<usize>,
    ) -> Result<Vec<T>, ArchiveError> {
        use rayon::prelude::*;
        let damaged = || ArchiveError::Damaged(self.path.display().to_string());
        let ends = self.starts.get(range.start..=range.end).ok_or_else(damaged)?;
        let (Some(&from), Some(&to)) = (ends.first(), ends.last()) else { return Ok(Vec::new()) };
        let mut bytes = vec![0; (to - from) as usize];
        self.read.read_exact_at(&mut bytes, from).map_err(file_error("cannot read", &self.path))?;
        let records = ends.par_windows(2).map(|pair| {
            let &[start, end] = pair else { return Err(damaged()) };
            let record = bytes.get((start - from) as usize..(end - from) as usize).ok_or_else(damaged)?;
            serde_json::from_slice(record).map_err(|_| damaged())
        });
        records.collect()
    }
}

/// Where comments are found by their names: of several with one name the last counts.
pub(super) struct ByName {
    /// Places in order of their names.
    order: Vec<u32>,
}

impl ByName {
    pub(super) fn new(names: &[u64]) -> Self {
        use rayon::prelude::*;
        let mut order: Vec<u32> = (0..names.len() as u32).collect();
        order.par_sort_unstable_by_key(|at| (names.get(*at as usize).copied(), *at));
        Self { order }
    }

    /// The place of a comment of a site.
    pub(super) fn find(&self, names: &[u64], site: Option<&Id>, id: &str) -> Option<usize> {
        let name = name_of(site, id);
        let past = self.order.partition_point(|at| names.get(*at as usize).is_some_and(|own| *own <= name));
        let at = *self.order.get(past.checked_sub(1)?)? as usize;
        (names.get(at) == Some(&name)).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spool_is_cut_back_to_what_was_whole() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(dir.path(), "spool", 0).unwrap();
        for n in 0..10u64 {
            spool.push(n * 3, &vec![n; n as usize]).unwrap();
        }
        spool.flush().unwrap();
        assert_eq!(spool.range::<Vec<u64>>(2..4).unwrap(), [vec![2, 2], vec![3, 3, 3]]);
        drop(spool);
        let mut spool = Spool::open(dir.path(), "spool", 4).unwrap();
        assert_eq!((spool.len(), spool.names.clone()), (4, vec![0, 3, 6, 9]));
        spool.push(7, &"again").unwrap();
        spool.flush().unwrap();
        assert_eq!(spool.get::<String>(4).unwrap(), "again");
        assert!(spool.get::<String>(5).is_err());
        assert!(Spool::open(dir.path(), "spool", 99).is_err(), "more than there is");
    }

    #[test]
    fn of_several_comments_of_one_name_the_last_is_found() {
        let site = Id::from("s");
        let names: Vec<u64> = ["a", "b", "a", "c"].iter().map(|id| name_of(Some(&site), id)).collect();
        let by_name = ByName::new(&names);
        assert_eq!(by_name.find(&names, Some(&site), "a"), Some(2));
        assert_eq!(by_name.find(&names, Some(&site), "c"), Some(3));
        assert_eq!(by_name.find(&names, None, "a"), None);
        assert_eq!(by_name.find(&names, Some(&site), "zz"), None);
    }
}
