//! From a path to a reader: the compression is taken off, UTF-16 is decoded, the format is found.

use std::fs::File;
use std::io::{self, BufReader, Cursor};
use std::path::Path;

use super::compressed::{Input, decompressed, peeked};
use super::decoded::Decoded;
use super::out::{Out, Place, Stop};
use super::{Entry, FORMATS, Format, Options, ReadError, Sink, Source};
use crate::offline::records::Reject;

/// So much of a file is looked at to tell its format.
const HEAD: usize = 1 << 16;

/// An export that is ready to be read.
pub struct Opened {
    /// Its format.
    pub format: &'static dyn Format,
    /// Its bytes.
    pub source: Source,
    /// Whether there is nothing in it but white space.
    is_blank: bool,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened")
            .field("format", &self.format.name())
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl Opened {
    /// Hands every entry to `sink`, until the end or until it says stop. A file that is not empty and of which nothing came, not even a
    /// reject, becomes a reject: it may be something else than it was taken for.
    ///
    /// # Errors
    /// As [`Format::read`].
    pub fn read(self, options: &Options, sink: &mut Sink<'_>) -> Result<(), ReadError> {
        let Self { format, mut source, is_blank } = self;
        let file = source.name.clone();
        if is_blank {
            // What follows the white space is the end, or an error that has not been met yet.
            let rest = io::copy(&mut source.input, &mut io::sink()).map(drop).map_err(Stop::Broke);
            return Out::new(&file, options, sink).finish(rest, Place { line: 1, offset: Some(0) });
        }
        let mut is_done = false;
        format.read(source, options, &mut |entry| {
            let is_note = matches!(entry, Entry::Note(_));
            let flow = sink(entry);
            is_done |= !is_note || flow.is_break();
            flow
        })?;
        if !is_done {
            let reason = format!(
                "holds no comments: it was read as {}, so name its format with --from if it has another",
                format.name()
            );
            // Nothing follows, so it does not matter whether the sink wants more.
            let _ = sink(Entry::Reject(Reject { file, line: 1, offset: None, reason }));
        }
        Ok(())
    }
}

/// Opens a file, or standard input for `-`. `from` names the format; else it is told by the first bytes.
///
/// # Errors
/// When there is no such file or format, when the format cannot be told, or when the first bytes pass a cap.
pub fn open(path: &Path, from: Option<&str>, options: &Options) -> Result<Opened, ReadError> {
    let name = path.display().to_string();
    if name == "-" {
        return of_input("standard input", Box::new(BufReader::new(io::stdin())), None, from, options);
    }
    if path.is_dir() {
        return Err(ReadError::Directory { name });
    }
    match File::open(path) {
        Ok(file) => {
            let itself = file.try_clone().ok();
            of_input(&name, Box::new(BufReader::with_capacity(HEAD, file)), itself, from, options)
        }
        Err(error) => Err(ReadError::Open { name, error }),
    }
}

/// Opens bytes that are in memory already, as if a file of that name held them.
///
/// # Errors
/// As [`fn@open`].
pub fn open_bytes(
    name: &str,
    bytes: Vec<u8>,
    from: Option<&str>,
    options: &Options,
) -> Result<Opened, ReadError> {
    of_input(name, Box::new(Cursor::new(bytes)), None, from, options)
}

fn of_input(
    name: &str,
    input: Input,
    file: Option<File>,
    from: Option<&str>,
    options: &Options,
) -> Result<Opened, ReadError> {
    let failed = |error: io::Error| match error.get_ref().and_then(|error| error.downcast_ref()) {
        Some(cap) => ReadError::Cap { name: name.to_owned(), cap: *cap, line: 1, offset: Some(0) },
        None => ReadError::Open { name: name.to_owned(), error },
    };
    let named = from.map(|from| {
        let format = FORMATS.iter().find(|format| format.name() == from);
        format.copied().ok_or_else(|| ReadError::NoSuchFormat { from: from.to_owned() })
    });
    let named = named.transpose()?;
    let input = decompressed(input, options).map_err(failed)?;
    let (mark, input) = peeked(input, 2).map_err(failed)?;
    let input: Input = match encoding_rs::Encoding::for_bom(&mark) {
        Some((encoding, _)) => Box::new(Decoded::new(input, encoding)),
        None => input,
    };
    let (head, input) = peeked(input, HEAD).map_err(failed)?;
    if cfg!(not(feature = "parquet")) && head.starts_with(b"PAR1") {
        let error = io::Error::other(
            "it is Parquet, which this program was built without: cargo build --release --features parquet",
        );
        return Err(failed(error));
    }
    let said = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
    let is_blank = head.len() < HEAD && said.trim_ascii().is_empty();
    let source = Source { name: name.to_owned(), input, file };
    let bare = bare(name);
    let format = named.or_else(|| FORMATS.iter().find(|format| format.recognises(&bare, &head)).copied());
    format
        .map(|format| Opened { format, source, is_blank })
        .ok_or_else(|| ReadError::Unrecognised { name: name.to_owned() })
}

/// The name in lower case without the ending that tells the compression.
fn bare(name: &str) -> String {
    let name = name.to_lowercase();
    let endings = [".gz", ".zst", ".zstd"];
    endings.iter().find_map(|ending| name.strip_suffix(ending)).map(str::to_owned).unwrap_or(name)
}
