//! The lines of an input, one after another, however long one of them is.

use std::io::{BufRead, Read};

use super::records::LONGEST_LINE;

/// Reads line by line and holds one at a time.
pub(super) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    /// Lines read so far.
    number: usize,
    /// Bytes read so far.
    offset: u64,
    /// The byte that ends a line.
    ending: u8,
    /// Whether bytes that are no UTF-8 are replaced, else their line is none.
    is_mended: bool,
    mended: String,
    /// Whether bytes were replaced.
    pub(super) has_replaced: bool,
}

/// One line that is not blank, with the place where it begins.
pub(super) struct Line<'a> {
    /// Its number, from 1.
    pub(super) number: usize,
    /// The bytes before it.
    pub(super) offset: u64,
    /// Its text, or why it has none.
    pub(super) text: Result<&'a str, String>,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            number: 0,
            offset: 0,
            ending: b'\n',
            is_mended: false,
            mended: String::new(),
            has_replaced: false,
        }
    }

    /// Lines that end with this byte; what is no UTF-8 in them becomes U+FFFD.
    pub(super) fn mended(input: R, ending: u8) -> Self {
        Self { ending, is_mended: true, ..Self::new(input) }
    }

    /// Where the next line begins.
    pub(super) fn place(&self) -> (usize, u64) {
        (self.number + 1, self.offset)
    }

    /// The next line that is not blank. A line over [`LONGEST_LINE`] bytes is passed over without being held.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub(super) fn next(&mut self) -> std::io::Result<Option<Line<'_>>> {
        loop {
            self.buffer.clear();
            let (number, offset) = self.place();
            let read =
                (&mut self.input).take(LONGEST_LINE as u64 + 1).read_until(self.ending, &mut self.buffer)?;
            if read == 0 {
                return Ok(None);
            }
            self.number = number;
            self.offset += read as u64;
            if self.buffer.len() > LONGEST_LINE {
                self.skip()?;
                let text = Err(format!("longer than {LONGEST_LINE} bytes"));
                return Ok(Some(Line { number, offset, text }));
            }
            if number == 1 && self.buffer.starts_with(b"\xef\xbb\xbf") {
                self.buffer.drain(..3);
            }
            if !self.buffer.trim_ascii().is_empty() {
                break;
            }
        }
        let (number, offset) = (self.number, self.offset - self.buffer.len() as u64);
        let text = match std::str::from_utf8(&self.buffer) {
            Err(_) if self.is_mended => {
                self.has_replaced = true;
                self.mended = String::from_utf8_lossy(&self.buffer).into_owned();
                Ok(self.mended.as_str())
            }
            text => text.map_err(|error| format!("not UTF-8 at byte {}", error.valid_up_to())),
        };
        Ok(Some(Line { number, offset, text }))
    }

    /// Reads past the end of the current line.
    fn skip(&mut self) -> std::io::Result<()> {
        loop {
            if self.buffer.ends_with(&[self.ending]) {
                return Ok(());
            }
            self.buffer.clear();
            let read = (&mut self.input).take(1 << 16).read_until(self.ending, &mut self.buffer)?;
            if read == 0 {
                return Ok(());
            }
            self.offset += read as u64;
        }
    }
}
