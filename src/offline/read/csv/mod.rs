//! Tables: CSV, TSV and their like, with a header row and one comment a row.
//!
//! [`rows`] reads the rows, [`Row`] makes comments of them; which column is which field, [`Header`] knows.

mod rows;

use self::rows::{Ended, Rows};
use super::columns::Header;
use super::compressed::peeked;
use super::out::{Out, Place, Stop};
use super::row::{Row, Told};
use super::{Columns, Format, Options, ReadError, Sink, Source};

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
        let Ok(first) = std::str::from_utf8(first_line(head)) else { return false };
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
        let first = first_line(&head);
        let mut rows = Rows::new(input, delimiter(&name.to_lowercase(), first));
        let header = match rows.next() {
            Ok(Some(_)) => {
                let names: Vec<String> =
                    rows.fields().map(|field| String::from_utf8_lossy(field).trim().to_owned()).collect();
                Header::of_table(&name, &names, options)?
            }
            Ok(None) => return Ok(()),
            Err(error) => return out.finish(Err(error.into()), start),
        };
        let result = each(&mut rows, &header, &mut out);
        out.finish(result, rows.place())
    }
}

fn first_line(head: &[u8]) -> &[u8] {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    head.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default()
}

/// The delimiter: a tab where the name says so, else what divides the header row most often.
fn delimiter(name: &str, first: &[u8]) -> u8 {
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
        match Row::of_bytes(rows.fields(), header) {
            Ok(row) => told.write(&row, place, out)?,
            Err(reason) => out.reject(place, reason)?,
        }
    }
    Ok(())
}
