//! Tables: CSV, TSV and their like, with a header row and one comment a row.
//!
//! [`rows`] reads the rows, [`Row`] makes comments of them; which column is which field, [`Header`] knows.

mod rows;

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;

use self::rows::{Ended, Rows};
use super::columns::Header;
use super::compressed::{Input, peeked};
use super::decoded::Decoded;
use super::out::{Out, Place, Stop};
use super::row::{Row, Told};
use super::{Columns, Format, Note, Options, ReadError, Sink, Source};

/// The delimiters that are told apart, the likeliest first.
const DELIMITERS: [u8; 4] = *b",\t;|";
/// A header row is no longer than this.
const LONGEST_HEADER: usize = 1 << 16;

/// See the module's documentation.
pub(super) struct Csv;

impl Format for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn recognises(&self, name: &str, head: &[u8]) -> bool {
        if [".csv", ".tsv", ".tab"].iter().any(|ending| name.ends_with(ending)) {
            return true;
        }
        let first = String::from_utf8_lossy(first_line(head));
        let names = first.split(char::from(delimiter(name, first.as_bytes())));
        let names: Vec<String> = names.map(|name| name.trim().trim_matches('"').to_owned()).collect();
        let header = Header::new(&names, &Columns::default()).unwrap_or_default();
        header.place("id").is_some() && header.place("text").is_some()
    }

    fn read(&self, source: Source, options: &Options, sink: &mut Sink<'_>) -> Result<(), ReadError> {
        let Source { name, input, .. } = source;
        let mut out = Out::new(&name, options, sink);
        let start = Place { line: 1, offset: Some(0) };
        let (head, input) = match peeked(input, LONGEST_HEADER) {
            Ok(peeked) => peeked,
            Err(error) => return out.finish(Err(error.into()), start),
        };
        let is_1252 = is_windows_1252(&head);
        let input: Input = if is_1252 { Box::new(Decoded::new(input, WINDOWS_1252)) } else { input };
        let first = first_line(&head);
        let mut rows = Rows::new(input, delimiter(&name.to_lowercase(), first), !is_1252);
        let header = match rows.next() {
            Ok(Some(Ended::TooLong)) => return Err(ReadError::LongHeader { name }),
            Ok(Some(_)) => {
                let names: Vec<String> =
                    rows.fields().map(|field| String::from_utf8_lossy(field).trim().to_owned()).collect();
                Header::of_table(&name, &names, options)?
            }
            Ok(None) => return Ok(()),
            Err(error) => return out.finish(Err(error.into()), start),
        };
        let noted = if is_1252 { out.note(Note::Windows1252) } else { Ok(()) };
        let result = noted.and_then(|()| each(&mut rows, &header, &mut out));
        out.finish(result, rows.place())
    }
}

/// Whether a table is in Windows-1252: it has bytes beyond ASCII, they are characters there, and none of them make one in UTF-8.
fn is_windows_1252(head: &[u8]) -> bool {
    let none = |byte: &u8| matches!(byte, 0x81 | 0x8d | 0x8f | 0x90 | 0x9d);
    !head.is_ascii() && !head.iter().any(none) && head.utf8_chunks().all(|chunk| chunk.valid().is_ascii())
}

fn first_line(head: &[u8]) -> &[u8] {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    head.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default()
}

/// The delimiter: a tab where the name says so, else what divides the header row most often.
fn delimiter(name: &str, first: &[u8]) -> u8 {
    let name = name.rsplit('/').next().unwrap_or_default();
    if [".tsv", ".tab"].iter().any(|ending| name.contains(ending)) {
        return b'\t';
    }
    let mut is_quoted = false;
    let mut counts = [0_usize; DELIMITERS.len()];
    for byte in first {
        is_quoted ^= *byte == b'"';
        for (count, delimiter) in counts.iter_mut().zip(DELIMITERS) {
            *count += usize::from(!is_quoted && *byte == delimiter);
        }
    }
    // The first of the most frequent, so the order of DELIMITERS breaks ties.
    let most = counts.iter().max().copied().unwrap_or_default();
    counts.iter().zip(DELIMITERS).find(|(count, _)| **count == most).map_or(b',', |(_, delimiter)| delimiter)
}

fn each(rows: &mut Rows, header: &Header, out: &mut Out<'_, '_>) -> Result<(), Stop> {
    let width = rows.fields().count();
    let mut told = Told::default();
    while let Some(ended) = rows.next()? {
        let place = rows.place();
        let length = rows.fields().count();
        let reason = match ended {
            Ended::Quoted => Some(
                "the file breaks off here: it ends within a quoted field that begins in this row".to_owned(),
            ),
            Ended::TooLong => Some(format!("longer than {} bytes", crate::offline::records::LONGEST_LINE)),
            Ended::File if length < width => {
                Some(format!("the file breaks off here: {length} fields where the header has {width}"))
            }
            _ if length > width => Some(format!(
                "{length} fields where the header has {width}: is a field with a delimiter not quoted?"
            )),
            Ended::Line | Ended::File => None,
        };
        if let Some(reason) = reason {
            out.reject(place, reason)?;
            continue;
        }
        let fields: Vec<Cow<'_, str>> = rows.fields().map(String::from_utf8_lossy).collect();
        if fields.iter().any(|field| matches!(field, Cow::Owned(_))) {
            out.replaced()?;
        }
        let row = Row::new(fields, header);
        // Some programs leave out delimiters at the end of a row where nothing follows.
        if length < width && !row.has_core() {
            let fields = if length == 1 { "1 field".to_owned() } else { format!("{length} fields") };
            out.reject(
                place,
                format!("{fields} where the header has {width}: is a field with a line break not quoted?"),
            )?;
            continue;
        }
        told.write(&row, place, out)?;
    }
    Ok(())
}
