//! Parquet: tables by column, as data platforms keep them, with the same columns as CSV.
//!
//! The file's end says where its columns lie, so a file that is compressed once more, or that comes by a pipe, is first put into a temporary
//! file. Only the columns that are wanted are read, a page at a time. A field within a structure (`author.id`) is a column of that name; lists
//! and maps are passed over.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta};
use parquet::basic::{ConvertedType, LogicalType, TimeUnit};
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row as Record};
use parquet::schema::types::{Type, TypePtr};

use super::columns::Header;
use super::compressed::{RATIO_FROM, peeked};
use super::out::{Out, Place, Stop};
use super::row::{Row, Told};
use super::{Cap, Format, Options, ReadError, Sink, Source};
use crate::offline::records::LONGEST_LINE;

/// The first bytes and the last ones.
const MAGIC: &[u8] = b"PAR1";

/// See the module's documentation.
pub(super) struct Parquet;

impl Format for Parquet {
    fn name(&self) -> &'static str {
        "parquet"
    }

    fn recognises(&self, _: &str, head: &[u8]) -> bool {
        head.starts_with(MAGIC)
    }

    fn read(&self, source: Source, options: &Options, sink: &mut Sink<'_>) -> Result<(), ReadError> {
        let name = source.name.clone();
        let mut out = Out::new(&name, options, sink);
        let unreadable = |error| ReadError::Open { name: name.clone(), error };
        let opened = seekable(source).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (size, file) = match opened {
            Ok(opened) => opened,
            Err(error) => return out.finish(Err(error.into()), Place::default()),
        };
        let mut table = guarded(|| Table::open(file)).map_err(unreadable)?;
        let header = Header::of_table(
            &name,
            &table.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>(),
            options,
        )?;
        table.only(&header).map_err(unreadable)?;
        let mut row = 0;
        let caps = Caps { size, given: 0, max_bytes: options.max_bytes, max_ratio: options.max_ratio.max(1) };
        let result = table.unfolds(&caps).map_err(Stop::from);
        let result = result.and_then(|()| each(table, &header, caps, &mut row, &mut out));
        out.finish(result, Place { line: row, offset: None })
    }
}

/// What a file may unfold to: pages are compressed, and a dictionary gives one value many times.
struct Caps {
    /// Of the file, in bytes.
    size: u64,
    given: u64,
    max_bytes: u64,
    max_ratio: u64,
}

impl Caps {
    fn check(&self, bytes: u64, of: u64) -> io::Result<()> {
        if bytes > self.max_bytes {
            return Err(io::Error::other(Cap::Bytes(self.max_bytes)));
        }
        if bytes > RATIO_FROM && bytes / self.max_ratio > of {
            return Err(io::Error::other(Cap::Ratio(self.max_ratio)));
        }
        Ok(())
    }

    fn give(&mut self, bytes: u64) -> io::Result<()> {
        self.given = self.given.saturating_add(bytes);
        self.check(self.given, self.size)
    }
}

/// The file as one that can be read from any place.
fn seekable(source: Source) -> io::Result<File> {
    if let Some(mut file) = source.file {
        let mut magic = [0; MAGIC.len()];
        file.rewind()?;
        if io::Read::read_exact(&mut file, &mut magic).is_ok() && magic == MAGIC {
            return Ok(file);
        }
        // What was taken off lies before it: go on with what is left.
        file.rewind()?;
    }
    let (_, mut input) = peeked(source.input, MAGIC.len())?;
    let mut file = tempfile::tempfile()?;
    io::copy(&mut input, &mut file)?;
    Ok(file)
}

/// The library panics on some damaged files: that is an error like another.
fn guarded<T>(work: impl FnOnce() -> Result<T, ParquetError>) -> io::Result<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(io::Error::other),
        Err(_) => Err(io::Error::other("a damaged Parquet file")),
    }
}

/// A table and its columns, those of structures by both names.
struct Table {
    reader: SerializedFileReader<File>,
    columns: Vec<Column>,
    wanted: Option<Type>,
}

/// A column.
struct Column {
    /// Its name, or the two names of a structure's field.
    name: String,
    /// The field of the row that it is in.
    field: String,
    /// A time in billionths of a second, which the library leaves a number.
    is_nanoseconds: bool,
}

impl Column {
    fn new(name: String, field: &Type, of: &Type) -> Self {
        let logical = of.get_basic_info().logical_type_ref();
        let is_nanoseconds =
            matches!(logical, Some(LogicalType::Timestamp(of)) if of.unit == TimeUnit::NANOS);
        Self { name, field: field.name().to_owned(), is_nanoseconds }
    }
}

impl Table {
    fn open(file: File) -> Result<Self, ParquetError> {
        let reader = SerializedFileReader::new(file)?;
        let fields = reader.metadata().file_metadata().schema().get_fields();
        let columns = fields.iter().flat_map(|field| {
            if field.is_primitive() {
                vec![Column::new(field.name().to_owned(), field, field)]
            } else {
                parts(field)
            }
        });
        let columns = columns.collect();
        Ok(Self { reader, columns, wanted: None })
    }

    /// Whether the columns are within the caps, by what the file says of them: a page is unfolded at once.
    fn unfolds(&self, caps: &Caps) -> io::Result<()> {
        let groups = self.reader.metadata().row_groups();
        let columns = groups.iter().flat_map(RowGroupMetaData::columns);
        let bytes = |size: i64| u64::try_from(size).unwrap_or(u64::MAX);
        columns
            .map(|column| (bytes(column.uncompressed_size()), bytes(column.compressed_size())))
            .try_for_each(|(unfolded, stored)| caps.check(unfolded, stored))
    }

    /// Leaves out the columns that the header has no use for.
    fn only(&mut self, header: &Header) -> io::Result<()> {
        let is_wanted = |field: &&TypePtr| {
            self.columns.iter().enumerate().any(|(at, of)| of.field == field.name() && header.uses(at))
        };
        let schema = self.reader.metadata().file_metadata().schema();
        let fields: Vec<TypePtr> = schema.get_fields().iter().filter(is_wanted).map(Arc::clone).collect();
        let wanted = guarded(|| Type::group_type_builder(schema.name()).with_fields(fields).build())?;
        self.wanted = Some(wanted);
        Ok(())
    }
}

/// The plain fields of a structure; none of a list or a map.
fn parts(group: &Type) -> Vec<Column> {
    let info = group.get_basic_info();
    if info.converted_type() != ConvertedType::NONE
        || matches!(info.logical_type_ref(), Some(LogicalType::List | LogicalType::Map))
    {
        return Vec::new();
    }
    let fields = group.get_fields().iter().filter(|field| field.is_primitive());
    fields.map(|field| Column::new(format!("{}.{}", group.name(), field.name()), group, field)).collect()
}

fn each(
    table: Table,
    header: &Header,
    mut caps: Caps,
    row: &mut usize,
    out: &mut Out<'_, '_>,
) -> Result<(), Stop> {
    let Table { reader, columns, wanted, .. } = table;
    let mut rows = guarded(|| RowIter::from_file_into(Box::new(reader)).project(wanted))?;
    let mut told = Told::default();
    while let Some(record) = guarded(|| rows.next().transpose())? {
        *row += 1;
        let place = Place { line: *row, offset: None };
        let values = values(&record, &columns);
        let bytes: usize = values.iter().map(String::len).sum();
        caps.give(bytes as u64)?;
        if bytes > LONGEST_LINE {
            out.reject(place, format!("longer than {LONGEST_LINE} bytes"))?;
            continue;
        }
        told.write(&Row::new(values.into_iter().map(Cow::Owned).collect(), header), place, out)?;
    }
    Ok(())
}

/// The record's values as text, by column.
fn values(record: &Record, columns: &[Column]) -> Vec<String> {
    let mut values = vec![String::new(); columns.len()];
    let mut put = |name: &str, value: &Field| {
        let found = columns.iter().zip(&mut values).find(|(column, _)| column.name == name);
        if let Some((column, place)) = found {
            *place = match value {
                Field::Long(at) if column.is_nanoseconds => DateTime::from_timestamp_nanos(*at).to_rfc3339(),
                value => text(value),
            };
        }
    };
    for (name, value) in record.get_column_iter() {
        match value {
            Field::Group(group) => {
                for (part, value) in group.get_column_iter() {
                    put(&format!("{name}.{part}"), value);
                }
            }
            value => put(name, value),
        }
    }
    values
}

/// A value as a table of text would have it.
fn text(value: &Field) -> String {
    let of_time = |time: Option<DateTime<chrono::Utc>>| time.map_or(String::new(), |time| time.to_rfc3339());
    match value {
        Field::Str(text) => text.clone(),
        Field::Bytes(bytes) => String::from_utf8_lossy(bytes.data()).into_owned(),
        Field::TimestampMillis(at) => of_time(DateTime::from_timestamp_millis(*at)),
        Field::TimestampMicros(at) => of_time(DateTime::from_timestamp_micros(*at)),
        Field::Date(days) => NaiveDate::from_ymd_opt(1970, 1, 1)
            .and_then(|day| day.checked_add_signed(TimeDelta::try_days((*days).into())?))
            .map_or(String::new(), |day| day.to_string()),
        // Whole numbers in a column with gaps are floats in many tools.
        Field::Double(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
            format!("{}", *number as i64)
        }
        Field::Float(number) if number.fract() == 0.0 && number.abs() < 1e7 => format!("{}", *number as i64),
        Field::Null | Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_) => String::new(),
        other => other.to_string().trim_matches('"').to_owned(),
    }
}
