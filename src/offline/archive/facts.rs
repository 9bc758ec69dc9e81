//! The file of facts: one record of one size a comment, so that its length says how many there are.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::{ArchiveError, file_error};
use crate::offline::book::{Book, Fact};
use crate::offline::judge::Mode;
use crate::offline::order::Order;
use crate::similarity::Sketch;
use crate::similarity::minhash::STORED;

/// Which of the optional parts a record has.
const AUTHOR: u8 = 1;
const THREAD: u8 = 2;
const TIME: u8 = 4;
const JUDGED: u8 = 8;
const SKETCH: u8 = 16;
/// Bytes of a record: marks, five numbers of 8 bytes, words, signature.
pub(super) const RECORD: usize = 1 + 5 * 8 + 4 + STORED;

/// A fact as bytes.
pub(super) fn encode(fact: &Fact, out: &mut Vec<u8>) {
    let mut marks = 0;
    for (mark, has) in [
        (AUTHOR, fact.author.is_some()),
        (THREAD, fact.thread.is_some()),
        (TIME, fact.at.is_some()),
        (JUDGED, fact.p.is_some()),
        (SKETCH, fact.sketch.is_some()),
    ] {
        marks |= if has { mark } else { 0 };
    }
    out.push(marks);
    out.extend(fact.name.to_le_bytes());
    out.extend(fact.author.unwrap_or(0).to_le_bytes());
    out.extend(fact.thread.unwrap_or(0).to_le_bytes());
    out.extend(fact.at.unwrap_or(0).to_le_bytes());
    out.extend(fact.p.unwrap_or(0.0).to_le_bytes());
    out.extend(fact.words.to_le_bytes());
    match &fact.sketch {
        Some(sketch) => out.extend(sketch.to_bytes()),
        None => out.extend([0; STORED]),
    }
}

/// A fact from bytes.
pub(super) fn decode(bytes: &[u8]) -> Option<Fact> {
    let (marks, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_first_chunk::<8>()?;
    let (author, rest) = rest.split_first_chunk::<8>()?;
    let (thread, rest) = rest.split_first_chunk::<8>()?;
    let (at, rest) = rest.split_first_chunk::<8>()?;
    let (p, rest) = rest.split_first_chunk::<8>()?;
    let (words, sketch) = rest.split_first_chunk::<4>()?;
    let has = |mark: u8| marks & mark != 0;
    Some(Fact {
        name: u64::from_le_bytes(*name),
        author: has(AUTHOR).then(|| u64::from_le_bytes(*author)),
        thread: has(THREAD).then(|| u64::from_le_bytes(*thread)),
        at: has(TIME).then(|| i64::from_le_bytes(*at)),
        p: has(JUDGED).then(|| f64::from_le_bytes(*p)),
        words: u32::from_le_bytes(*words),
        sketch: if has(SKETCH) { Some(Sketch::from_bytes(sketch)?) } else { None },
    })
}

/// The file, open for more.
pub(super) struct Facts {
    file: BufWriter<File>,
    path: PathBuf,
}

impl Facts {
    /// Opens the file and cuts it back to so many records.
    pub(super) fn open(folder: &Path, records: u64) -> Result<Self, ArchiveError> {
        let path = folder.join("facts.bin");
        let mut options = File::options();
        let file = options.read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = file.map_err(file_error("cannot open", &path))?;
        let wanted = records * RECORD as u64;
        if file.metadata().map_err(file_error("cannot read", &path))?.len() < wanted {
            return Err(ArchiveError::Damaged(folder.display().to_string()));
        }
        file.set_len(wanted).map_err(file_error("cannot cut back", &path))?;
        file.seek(SeekFrom::Start(wanted)).map_err(file_error("cannot open", &path))?;
        Ok(Self { file: BufWriter::with_capacity(1 << 18, file), path })
    }

    /// Adds records.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.file.write_all(bytes).map_err(file_error("cannot write", &self.path))
    }

    /// Brings everything onto the disk.
    pub(super) fn flush(&mut self) -> Result<(), ArchiveError> {
        let synced = self.file.flush().and_then(|()| self.file.get_ref().sync_data());
        synced.map_err(file_error("cannot write", &self.path))
    }

    /// Hands all of them to `take`, in the order of their places.
    fn each(&self, records: usize, mut take: impl FnMut(&Fact)) -> Result<(), ArchiveError> {
        let file = File::open(&self.path).map_err(file_error("cannot open", &self.path))?;
        let mut file = BufReader::with_capacity(1 << 20, file);
        let mut bytes = [0; RECORD];
        for _ in 0..records {
            file.read_exact(&mut bytes).map_err(file_error("cannot read", &self.path))?;
            take(&self.decoded(&bytes)?);
        }
        Ok(())
    }

    fn decoded(&self, bytes: &[u8]) -> Result<Fact, ArchiveError> {
        decode(bytes).ok_or_else(|| ArchiveError::Damaged(self.path.display().to_string()))
    }

    /// The order that a mode asks for, and the book in it.
    pub(super) fn book(&self, records: usize, mode: Mode) -> Result<(Order, Book), ArchiveError> {
        let mut book = Book::with_capacity(records);
        if mode != Mode::AsOfArrival {
            self.each(records, |fact| book.push(fact))?;
            return Ok((Order::default(), book));
        }
        let mut times = Vec::with_capacity(records);
        self.each(records, |fact| times.push(fact.at))?;
        let order = Order::new(mode, times.into_iter());
        let file = File::open(&self.path).map_err(file_error("cannot open", &self.path))?;
        let mut bytes = [0; RECORD];
        for rank in 0..records {
            let from = (order.place(rank) * RECORD) as u64;
            file.read_exact_at(&mut bytes, from).map_err(file_error("cannot read", &self.path))?;
            book.push(&self.decoded(&bytes)?);
        }
        Ok((order, book))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::similarity::Features;
    use crate::text::Analysis;

    #[test]
    fn a_fact_comes_back_as_it_was() {
        let text =
            "The article raises important questions about the harbour tram and its many costs for all of us.";
        let sketch = Sketch::new(&Features::new(&Analysis::alone(text), None));
        assert!(sketch.is_some());
        let full = Fact {
            name: 7,
            author: Some(8),
            thread: Some(0),
            at: Some(-5),
            p: Some(1e-300),
            words: 17,
            sketch,
        };
        let bare =
            Fact { name: u64::MAX, author: None, thread: None, at: None, p: None, words: 0, sketch: None };
        for fact in [full, bare] {
            let mut bytes = Vec::new();
            encode(&fact, &mut bytes);
            assert_eq!((bytes.len(), decode(&bytes)), (RECORD, Some(fact)));
        }
    }
}
