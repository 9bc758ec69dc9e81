//! Parquet files, written here by the library that reads them; pandas' were tried by hand.

use std::sync::Arc;

use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::{Options, read, try_read};
use crate::offline::read::ReadError;

/// Two comments, the second without a time and an author.
fn table(schema: &str) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut bytes = Vec::new();
    let properties = Arc::new(WriterProperties::builder().build());
    let mut file = SerializedFileWriter::new(&mut bytes, schema, properties).unwrap();
    let mut group = file.next_row_group().unwrap();
    let text = |text: &str| ByteArray::from(text.as_bytes().to_vec());
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int64Type>().write_batch(&[7, 8], None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<ByteArrayType>().write_batch(&[text("Well said."), text("Non…")], None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int64Type>().write_batch(&[1_700_000_000_123_456_789], Some(&[1, 0]), None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<ByteArrayType>().write_batch(&[text("u1")], Some(&[2, 0]), None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    file.close().unwrap();
    bytes
}

const SCHEMA: &str = "message comments {
    required int64 comment_id;
    required binary body (STRING);
    optional int64 created_at (TIMESTAMP(NANOS,true));
    optional group author { optional binary id (STRING); }
}";

#[test]
fn columns_are_fields_as_in_csv() {
    let found = read("comments.parquet", table(SCHEMA));
    assert_eq!((found.ids(), found.texts()), (vec!["7", "8"], vec!["Well said.", "Non…"]));
    assert!(found.rejects.is_empty() && found.notes.is_empty());
    let comment = found.get("7");
    assert_eq!(comment.created_at.unwrap().to_rfc3339(), "2023-11-14T22:13:20.123456789+00:00");
    assert_eq!(comment.author.as_ref().unwrap().id.as_ref().unwrap().as_str(), "u1");
    assert_eq!((found.get("8").created_at, &found.get("8").author), (None, &None));
}

#[test]
fn a_column_is_named_by_hand_or_missed() {
    let bytes = table(&SCHEMA.replace("body", "words"));
    let (_, missed) = try_read("comments.parquet", &bytes, None, &Options::default());
    assert!(matches!(missed, Err(ReadError::Column { field: "text", .. })), "{missed:?}");
    let options = Options { columns: "text=words".parse().unwrap(), ..Options::default() };
    let (found, result) = try_read("comments.parquet", &bytes, None, &options);
    result.unwrap();
    assert_eq!(found.texts(), ["Well said.", "Non…"]);
}

#[test]
fn a_file_that_is_cut_is_not_read() {
    let bytes = table(SCHEMA);
    let (_, result) = try_read("comments.parquet", &bytes[..bytes.len() - 20], None, &Options::default());
    assert!(matches!(result, Err(ReadError::Open { .. })), "{result:?}");
}

#[test]
fn one_value_given_a_million_times_meets_the_caps() {
    const ROWS: usize = 2000;
    let schema = "message comments { required int64 id; required binary text (STRING); }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut bytes = Vec::new();
    let mut file = SerializedFileWriter::new(&mut bytes, schema, Arc::default()).unwrap();
    let mut group = file.next_row_group().unwrap();
    let ids: Vec<i64> = (0..ROWS as i64).collect();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int64Type>().write_batch(&ids, None, None).unwrap();
    column.close().unwrap();
    let texts = vec![ByteArray::from(vec![b'x'; 100_000]); ROWS];
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<ByteArrayType>().write_batch(&texts, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    file.close().unwrap();
    assert!(bytes.len() < 200_000, "a dictionary holds it once");
    let options = Options { max_bytes: 40 << 20, ..Options::default() };
    let (found, result) = try_read("comments.parquet", &bytes, None, &options);
    assert!(matches!(result, Err(ReadError::Cap { .. })), "{result:?}");
    assert!((400..430).contains(&found.ids().len()), "{}", found.ids().len());
}
