//! Assessments as a table by columns: `assessments.parquet`, the same as `assessments.jsonl`, made of it when that is whole.
//!
//! One row a line, in the same order; `because` is a list, `evidence` JSON. Any data platform reads it.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{ArchiveError, file_error, outputs};

/// Rows that are in memory at a time.
const ROWS: usize = 1 << 15;

const SCHEMA: &str = "message assessment {
    required binary id (UTF8);
    required double score;
    required binary verdict (UTF8);
    required group because (LIST) { repeated group list { required binary element (UTF8); } }
    required boolean abstained;
    required boolean trusted;
    optional binary campaign_id (UTF8);
    optional binary thread_id (UTF8);
    optional boolean thread_alarm;
    optional double thread_p;
    required double points_text;
    required double points_thread;
    required double points_history;
    required binary evidence (JSON);
    required binary ruleset (UTF8);
    required binary model (UTF8);
    required binary engine (UTF8);
}";

/// A line of `assessments.jsonl`.
#[derive(Deserialize)]
struct Line {
    id: String,
    score: f64,
    verdict: String,
    because: Vec<String>,
    #[serde(default)]
    abstained: bool,
    #[serde(default)]
    trusted: bool,
    campaign_id: Option<String>,
    thread: Option<Thread>,
    points: Points,
    evidence: Box<RawValue>,
    ruleset: String,
    model: String,
    engine: String,
}

#[derive(Deserialize)]
struct Thread {
    id: String,
    alarm: bool,
    p: f64,
}

#[derive(Deserialize)]
struct Points {
    text: f64,
    thread: f64,
    history: f64,
}

/// Makes the table of the lines.
pub(super) fn write(folder: &Path) -> Result<(), ArchiveError> {
    let lines = folder.join("assessments.jsonl");
    let path = folder.join("assessments.parquet");
    let input =
        BufReader::with_capacity(1 << 18, File::open(&lines).map_err(file_error("cannot read", &lines))?);
    let (file, half) = outputs::half(&path)?;
    let failed = |error: ParquetError| file_error("cannot write", &path)(std::io::Error::other(error));
    let schema = Arc::new(parse_message_type(SCHEMA).map_err(failed)?);
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by("claque".to_owned());
    let mut table = SerializedFileWriter::new(file, schema, Arc::new(properties.build())).map_err(failed)?;
    let mut rows = Vec::with_capacity(ROWS);
    let mut input = input.lines();
    loop {
        let line = input.next().transpose().map_err(file_error("cannot read", &lines))?;
        let is_end = line.is_none();
        if let Some(line) = line {
            rows.push(
                serde_json::from_str(&line)
                    .map_err(|_| ArchiveError::Damaged(lines.display().to_string()))?,
            );
        }
        if rows.len() == ROWS || (is_end && !rows.is_empty()) {
            let mut group = table.next_row_group().map_err(failed)?;
            Rows { group: &mut group, rows: &rows }.write().map_err(failed)?;
            group.close().map_err(failed)?;
            rows.clear();
        }
        if is_end {
            break;
        }
    }
    let file = table.into_inner().map_err(failed)?;
    outputs::close(file, &half, &path)
}

/// Rows, of which one column after another is written, in the order of the schema.
struct Rows<'a, 'g, W: Write> {
    group: &'a mut SerializedRowGroupWriter<'g, W>,
    rows: &'a [Line],
}

impl<W: Write + Send> Rows<'_, '_, W> {
    fn write(&mut self) -> Result<(), ParquetError> {
        self.always::<ByteArrayType>(|row| bytes(&row.id))?;
        self.always::<DoubleType>(|row| row.score)?;
        self.always::<ByteArrayType>(|row| bytes(&row.verdict))?;
        self.because()?;
        self.always::<BoolType>(|row| row.abstained)?;
        self.always::<BoolType>(|row| row.trusted)?;
        self.perhaps::<ByteArrayType>(|row| row.campaign_id.as_deref().map(bytes))?;
        self.perhaps::<ByteArrayType>(|row| row.thread.as_ref().map(|thread| bytes(&thread.id)))?;
        self.perhaps::<BoolType>(|row| row.thread.as_ref().map(|thread| thread.alarm))?;
        self.perhaps::<DoubleType>(|row| row.thread.as_ref().map(|thread| thread.p))?;
        self.always::<DoubleType>(|row| row.points.text)?;
        self.always::<DoubleType>(|row| row.points.thread)?;
        self.always::<DoubleType>(|row| row.points.history)?;
        self.always::<ByteArrayType>(|row| bytes(row.evidence.get()))?;
        self.always::<ByteArrayType>(|row| bytes(&row.ruleset))?;
        self.always::<ByteArrayType>(|row| bytes(&row.model))?;
        self.always::<ByteArrayType>(|row| bytes(&row.engine))
    }

    fn always<T: DataType>(&mut self, of: impl Fn(&Line) -> T::T) -> Result<(), ParquetError> {
        let values: Vec<T::T> = self.rows.iter().map(of).collect();
        self.column::<T>(&values, None, None)
    }

    fn perhaps<T: DataType>(&mut self, of: impl Fn(&Line) -> Option<T::T>) -> Result<(), ParquetError> {
        let values: Vec<Option<T::T>> = self.rows.iter().map(of).collect();
        let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
        let values: Vec<T::T> = values.into_iter().flatten().collect();
        self.column::<T>(&values, Some(&levels), None)
    }

    /// A list a row: its first element begins a row, an empty one has a level of its own.
    fn because(&mut self) -> Result<(), ParquetError> {
        let (mut values, mut levels, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
        for row in self.rows {
            for (at, because) in row.because.iter().enumerate() {
                values.push(bytes(because));
                levels.push(1);
                repeated.push(i16::from(at > 0));
            }
            if row.because.is_empty() {
                levels.push(0);
                repeated.push(0);
            }
        }
        self.column::<ByteArrayType>(&values, Some(&levels), Some(&repeated))
    }

    fn column<T: DataType>(
        &mut self,
        values: &[T::T],
        levels: Option<&[i16]>,
        repeated: Option<&[i16]>,
    ) -> Result<(), ParquetError> {
        let mut column = self
            .group
            .next_column()?
            .ok_or(ParquetError::EOF("more columns than the schema has".to_owned()))?;
        column.typed::<T>().write_batch(values, levels, repeated)?;
        column.close()
    }
}

fn bytes(text: &str) -> ByteArray {
    text.as_bytes().to_vec().into()
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader, SerializedFileReader};

    use super::*;

    #[test]
    fn a_table_holds_what_the_lines_hold() {
        let folder = tempfile::tempdir().unwrap();
        let lines = r#"{"id":"1","score":0.5,"verdict":"allow","because":[],"abstained":true,"points":{"text":-1.5,"thread":0.0,"history":0.0},"evidence":[],"ruleset":"r","model":"m","engine":"e"}
{"id":"2","score":0.9,"verdict":"review","because":["text","thread"],"campaign_id":"c","thread":{"id":"t","alarm":true,"p":0.01},"points":{"text":3.5,"thread":1.0,"history":0.0},"evidence":[{"signal":"model"}],"ruleset":"r","model":"m","engine":"e"}
"#;
        std::fs::write(folder.path().join("assessments.jsonl"), lines).unwrap();
        write(folder.path()).unwrap();
        let file = File::open(folder.path().join("assessments.parquet")).unwrap();
        let table = SerializedFileReader::new(file).unwrap();
        let rows: Vec<String> =
            table.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
        assert_eq!(
            rows,
            [
                r#"{id: "1", score: 0.5, verdict: "allow", because: [], abstained: true, trusted: false, campaign_id: null, thread_id: null, thread_alarm: null, thread_p: null, points_text: -1.5E0, points_thread: 0E0, points_history: 0E0, evidence: "[]", ruleset: "r", model: "m", engine: "e"}"#,
                r#"{id: "2", score: 0.9, verdict: "review", because: ["text", "thread"], abstained: false, trusted: false, campaign_id: "c", thread_id: "t", thread_alarm: true, thread_p: 0.01, points_text: 3.5, points_thread: 1.0, points_history: 0E0, evidence: "[{"signal":"model"}]", ruleset: "r", model: "m", engine: "e"}"#,
            ]
        );
        std::fs::write(folder.path().join("assessments.jsonl"), "{}\n").unwrap();
        assert!(matches!(write(folder.path()), Err(ArchiveError::Damaged(_))));
    }
}
