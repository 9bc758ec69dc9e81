//! From a path to a reader: the compression is taken off, UTF-16 is decoded, the format is found.

use std::fs::File;
use std::io::{self, BufReader, Cursor};
use std::path::Path;

use super::compressed::{Input, decompressed, peeked};
use super::decoded::Decoded;
use super::{FORMATS, Format, Options, ReadError, Sink, Source};

/// So much of a file is looked at to tell its format.
const HEAD: usize = 1 << 16;

/// An export that is ready to be read.
pub struct Opened {
    /// Its format.
    pub format: &'static dyn Format,
    /// Its bytes.
    pub source: Source,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("format", &self.format.name()).field("source", &self.source).finish()
    }
}

impl Opened {
    /// Hands every entry to `sink`, until the end or until it says stop.
    ///
    /// # Errors
    /// As [`Format::read`].
    pub fn read(self, options: &Options, sink: &mut Sink<'_>) -> Result<(), ReadError> {
        self.format.read(self.source, options, sink)
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
        Some(cap) => ReadError::Cap { name: name.to_owned(), cap: *cap },
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
    let source = Source { name: name.to_owned(), input, file };
    let bare = bare(name);
    let format = named.or_else(|| FORMATS.iter().find(|format| format.recognises(&bare, &head)).copied());
    format
        .map(|format| Opened { format, source })
        .ok_or_else(|| ReadError::Unrecognised { name: name.to_owned() })
}

/// The name in lower case without the ending that tells the compression.
fn bare(name: &str) -> String {
    let name = name.to_lowercase();
    let endings = [".gz", ".zst", ".zstd"];
    endings.iter().find_map(|ending| name.strip_suffix(ending)).map(str::to_owned).unwrap_or(name)
}
