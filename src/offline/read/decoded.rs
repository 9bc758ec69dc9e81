//! Bytes of any encoding as UTF-8: what is no text becomes U+FFFD, and is counted.

use std::io::{self, BufRead, Read};

use encoding_rs::{Decoder, Encoding};

use super::compressed::Input;

/// Decoded at a time, in bytes of the input.
const STEP: usize = 1 << 15;

/// Reads UTF-8, whole characters in each buffer, and knows where it is.
pub(super) struct Decoded {
    input: Input,
    decoder: Decoder,
    buffer: Vec<u8>,
    at: usize,
    has_ended: bool,
    /// The line that comes next, from 1.
    pub(super) line: usize,
    /// Bytes of UTF-8 given so far.
    pub(super) offset: u64,
    /// Whether something was no text in this encoding.
    pub(super) has_replaced: bool,
}

impl Decoded {
    /// A byte order mark beats the encoding, and is dropped.
    pub(super) fn new(input: Input, encoding: &'static Encoding) -> Self {
        Self {
            input,
            decoder: encoding.new_decoder(),
            buffer: Vec::new(),
            at: 0,
            has_ended: false,
            line: 1,
            offset: 0,
            has_replaced: false,
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        while self.at >= self.buffer.len() && !self.has_ended {
            let bytes = match self.input.fill_buf() {
                Ok(bytes) => bytes.get(..STEP).unwrap_or(bytes),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let is_last = bytes.is_empty();
            let most = self.decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(4 * STEP);
            self.buffer.resize(most, 0);
            let (_, read, written, has_replaced) =
                self.decoder.decode_to_utf8(bytes, &mut self.buffer, is_last);
            self.input.consume(read);
            self.buffer.truncate(written);
            self.at = 0;
            self.has_replaced |= has_replaced;
            self.has_ended = is_last;
        }
        Ok(())
    }
}

impl BufRead for Decoded {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.refill()?;
        Ok(self.buffer.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        let end = self.buffer.len().min(self.at + amount);
        let taken = self.buffer.get(self.at..end).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', taken).count();
        self.offset += taken.len() as u64;
        self.at = end;
    }
}

impl Read for Decoded {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}
