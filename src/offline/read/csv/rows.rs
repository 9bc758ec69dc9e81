//! The rows of a table, as RFC 4180 has them, however long one of them is.

use std::io::{self, BufRead};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::super::compressed::Input;
use super::super::out::Place;
use crate::offline::records::LONGEST_LINE;

/// More fields than any table has.
const MOST_FIELDS: usize = 1 << 12;

/// How a row ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// With its line.
    Line,
    /// With the file, without the end of a line.
    File,
    /// With the file, inside quotes.
    Quoted,
    /// It is longer than is held.
    TooLong,
}

/// Reads row by row and holds one at a time.
pub(super) struct Rows {
    input: Input,
    reader: Reader,
    output: Vec<u8>,
    ends: Vec<usize>,
    written: usize,
    fields: usize,
    place: Place,
    next: Place,
}

impl Rows {
    /// `is_exact` says whether the bytes are those of the file, so that they can be counted.
    pub(super) fn new(input: Input, delimiter: u8, is_exact: bool) -> Self {
        let start = Place { line: 1, offset: is_exact.then_some(0) };
        Self {
            input,
            reader: ReaderBuilder::new().delimiter(delimiter).build(),
            output: vec![0; 1 << 12],
            ends: vec![0; 64],
            written: 0,
            fields: 0,
            place: start,
            next: start,
        }
    }

    /// Where the latest row begins.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// The fields of the latest row.
    pub(super) fn fields(&self) -> impl Iterator<Item = &[u8]> {
        let ends = self.ends.get(..self.fields).unwrap_or_default();
        let starts = std::iter::once(0).chain(ends.iter().copied());
        starts.zip(ends).map(|(start, end)| self.output.get(start..*end).unwrap_or_default())
    }

    /// Reads the next row. Blank lines are none.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub(super) fn next(&mut self) -> io::Result<Option<Ended>> {
        if self.next.offset == Some(0) {
            self.skip_mark()?;
        }
        self.skip_blank()?;
        self.place = self.next;
        (self.written, self.fields) = (0, 0);
        let (mut has_asked, mut is_over) = (false, false);
        loop {
            let bytes = match self.input.fill_buf() {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let is_end = bytes.is_empty();
            // At the end one more line ending tells whether we stand in quotes: if so, the row goes on after it.
            let bytes = if is_end && !has_asked { b"\n" } else { bytes };
            let output = self.output.get_mut(self.written..).unwrap_or_default();
            let ends = self.ends.get_mut(self.fields..).unwrap_or_default();
            let (result, read, written, fields) = self.reader.read_record(bytes, output, ends);
            if is_end {
                has_asked |= read > 0;
            } else {
                let taken = bytes.get(..read).unwrap_or_default();
                self.next.line += memchr::memchr_iter(b'\n', taken).count();
                self.step(read);
            }
            self.written += written;
            self.fields += fields;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.output.len() < LONGEST_LINE => {
                    self.output.resize(self.output.len() * 2, 0);
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() < MOST_FIELDS => {
                    self.ends.resize(self.ends.len() * 2, 0);
                }
                // What is held of the row is given up, and the rest read over it.
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    is_over = true;
                    (self.written, self.fields) = (0, 0);
                }
                ReadRecordResult::Record if is_over => {
                    self.fields = 0;
                    return Ok(Some(Ended::TooLong));
                }
                ReadRecordResult::Record if !is_end => return Ok(Some(Ended::Line)),
                ReadRecordResult::Record if read > 0 => return Ok(Some(Ended::File)),
                ReadRecordResult::Record => return Ok(Some(Ended::Quoted)),
                ReadRecordResult::End => return Ok(None),
            }
        }
    }

    fn skip_mark(&mut self) -> io::Result<()> {
        if self.input.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
            self.step(3);
        }
        Ok(())
    }

    /// Blank lines, so that a row's place is its own.
    fn skip_blank(&mut self) -> io::Result<()> {
        loop {
            let bytes = match self.input.fill_buf() {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let blank = bytes.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
            if blank == 0 {
                return Ok(());
            }
            self.next.line += memchr::memchr_iter(b'\n', bytes.get(..blank).unwrap_or_default()).count();
            self.step(blank);
        }
    }

    fn step(&mut self, bytes: usize) {
        self.next.offset = self.next.offset.map(|offset| offset + bytes as u64);
        self.input.consume(bytes);
    }
}
