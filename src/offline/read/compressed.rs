//! Compression taken off by the file's first bytes: gzip (all members) and Zstandard (all frames).
//!
//! Both unfold as a stream. [`Capped`] stops a file that unfolds to more bytes than allowed, or to more per compressed byte than text
//! ever does: the error carries a [`Cap`] and ends the run with a message that names it. A Zstandard window over 128 MiB is refused. Of
//! a file that is cut or damaged everything comes out that was decoded before.

use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::{Cap, Options};

/// Below this many bytes any ratio is fine.
pub(super) const RATIO_FROM: u64 = 64 << 20;
const BUFFER: usize = 1 << 16;

/// An input of bytes that may cross threads.
pub(super) type Input = Box<dyn BufRead + Send>;

/// The input without its compression, if it has one that we know.
///
/// # Errors
/// When the first bytes cannot be read.
pub(super) fn decompressed(input: Input, options: &Options) -> io::Result<Input> {
    let (head, input) = peeked(input, 4)?;
    let taken = Arc::new(AtomicU64::new(0));
    let counted = Counted { input, taken: Arc::clone(&taken) };
    let unfolded: Box<dyn Read + Send> = if is_gzip(&head) {
        Box::new(Gzip(MultiGzDecoder::new(counted)))
    } else if is_zstandard(&head) {
        Box::new(Zstandard { frame: FrameDecoder::new(), input: counted, is_open: false, failed: None })
    } else {
        return Ok(counted.input);
    };
    let capped = Capped {
        input: unfolded,
        taken,
        given: 0,
        max_bytes: options.max_bytes,
        max_ratio: options.max_ratio.max(1),
    };
    let (head, input) = peeked(Box::new(BufReader::with_capacity(BUFFER, capped)), 4)?;
    if is_gzip(&head) || is_zstandard(&head) {
        return Err(io::Error::other("it is compressed twice: take one compression off first"));
    }
    Ok(input)
}

fn is_gzip(head: &[u8]) -> bool {
    head.starts_with(&[0x1f, 0x8b])
}

/// A frame, or one of the sixteen kinds of skippable frame (RFC 8878, 3.1).
fn is_zstandard(head: &[u8]) -> bool {
    match head {
        [0x28, 0xb5, 0x2f, 0xfd] => true,
        [first, 0x2a, 0x4d, 0x18] => first & 0xf0 == 0x50,
        _ => false,
    }
}

/// The first bytes of an input, and the input with them before it again. A failure that comes early is met again when it is read up to.
///
/// # Errors
/// When the input fails at once.
pub(super) fn peeked(mut input: Input, most: usize) -> io::Result<(Vec<u8>, Input)> {
    let mut head = Vec::new();
    match (&mut input).take(most as u64).read_to_end(&mut head) {
        Ok(_) => Ok((head.clone(), Box::new(Cursor::new(head).chain(input)))),
        Err(error) if head.is_empty() => Err(error),
        Err(error) => Ok((head.clone(), Box::new(Cursor::new(head).chain(Failing(Some(error)))))),
    }
}

/// Fails once, then ends.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

impl BufRead for Failing {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.take().map_or(Ok(&[]), Err)
    }

    fn consume(&mut self, _: usize) {}
}

/// Counts what is taken.
struct Counted {
    input: Input,
    taken: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(into)?;
        self.taken.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl BufRead for Counted {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.taken.fetch_add(amount as u64, Ordering::Relaxed);
        self.input.consume(amount);
    }
}

/// Stops what unfolds too far.
struct Capped {
    input: Box<dyn Read + Send>,
    taken: Arc<AtomicU64>,
    given: u64,
    max_bytes: u64,
    max_ratio: u64,
}

impl Read for Capped {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(into)?;
        self.given += read as u64;
        if self.given > self.max_bytes {
            return Err(io::Error::other(Cap::Bytes(self.max_bytes)));
        }
        let allowed = self.taken.load(Ordering::Relaxed).saturating_mul(self.max_ratio);
        if self.given > RATIO_FROM && self.given > allowed {
            return Err(io::Error::other(Cap::Ratio(self.max_ratio)));
        }
        Ok(read)
    }
}

/// All members of a gzip file; its errors in our words.
struct Gzip(MultiGzDecoder<Counted>);

impl Read for Gzip {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => ends_early(),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => damaged(),
            _ => error,
        })
    }
}

/// All frames of a Zstandard file, block by block.
struct Zstandard {
    frame: FrameDecoder,
    input: Counted,
    is_open: bool,
    /// Why the frame cannot be decoded further; told when everything before is given out.
    failed: Option<io::Error>,
}

/// The last block of a frame, empty, and a checksum.
const LAST_BLOCK: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

impl Read for Zstandard {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.is_open && !self.open()? {
                return Ok(0);
            }
            let read = self.frame.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            if let Some(error) = self.failed.take() {
                self.is_open = false;
                return Err(error);
            }
            if self.frame.is_finished() {
                self.is_open = false;
                let told = self.frame.get_checksum_from_data();
                if told.is_some() && told != self.frame.get_calculated_checksum() {
                    return Err(damaged());
                }
            } else if let Err(error) =
                self.frame.decode_blocks(&mut self.input, BlockDecodingStrategy::UptoBlocks(1))
            {
                self.failed = Some(in_our_words(&error));
                // The decoder keeps its window back until the frame ends, so the frame is ended for it.
                let _ = self.frame.decode_blocks(LAST_BLOCK.as_slice(), BlockDecodingStrategy::UptoBlocks(1));
            }
        }
    }
}

impl Zstandard {
    /// Begins the next frame; false at the end.
    fn open(&mut self) -> io::Result<bool> {
        loop {
            if self.input.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.frame.reset(&mut self.input) {
                Ok(()) => {
                    self.is_open = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    io::copy(&mut (&mut self.input).take(length.into()), &mut io::sink())?;
                }
                Err(error) => return Err(in_our_words(&error)),
            }
        }
    }
}

/// An error of the decoder, whose own words are for those who wrote it.
fn in_our_words(error: &FrameDecoderError) -> io::Error {
    if let FrameDecoderError::WindowSizeTooBig { .. } = error {
        return io::Error::new(io::ErrorKind::InvalidData, "the compressed data wants a window over 128 MiB");
    }
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return match error.kind() {
                io::ErrorKind::UnexpectedEof => ends_early(),
                kind => io::Error::new(kind, error.to_string()),
            };
        }
        cause = error.source();
    }
    damaged()
}

fn ends_early() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the compressed data ends early")
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the compressed data is damaged")
}
