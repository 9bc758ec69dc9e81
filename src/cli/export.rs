//! `claque export`: what the store has, in the records of the README, so that it can be scored, measured, imported elsewhere.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, anyhow};
use serde_json::{Value, json};

use super::Outcome;
use super::database::{Database, runtime};
use super::output::write_to;
use super::rescore::{FromStore, from_store};
use crate::domain::Comment;
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    database: Database,
    /// Only comments of this site
    #[arg(long, value_name = "ID")]
    site: Option<String>,
    /// JSON Lines, or a table that a spreadsheet opens
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// Put a ' before cells of a table that a spreadsheet would run as a formula; such a table is for looking at, not for importing again
    #[arg(long)]
    for_spreadsheets: bool,
    /// Where to write instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write the articles too, as JSON Lines
    #[arg(long, value_name = "FILE")]
    articles: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One record a line
    Jsonl,
    /// Comma-separated, with a header
    Csv,
}

/// Columns of the table, as the reader of tables knows them.
const COLUMNS: [&str; 12] = [
    "id",
    "site",
    "article_id",
    "thread_id",
    "parent_id",
    "author_id",
    "author_name",
    "created_at",
    "status",
    "lang",
    "label",
    "text",
];

pub(super) fn run(args: &Args) -> Result<Outcome> {
    let store = Store::open_existing(&args.database.db).map_err(|error| anyhow!("{error}"))?;
    let FromStore { comments, articles } =
        runtime()?.block_on(from_store(&store, args.site.as_deref())).map_err(|error| anyhow!(error))?;
    write_to(args.out.as_deref(), |out| {
        if args.format == Format::Csv {
            writeln!(out, "{}\r", COLUMNS.join(","))?;
        }
        for (comment, decided) in &comments {
            match args.format {
                Format::Jsonl => writeln!(out, "{}", record(comment, decided.as_deref()))?,
                Format::Csv => row(out, &record(comment, decided.as_deref()), args.for_spreadsheets)?,
            }
        }
        Ok(())
    })?;
    if let Some(path) = &args.articles {
        write_to(Some(path), |out| {
            articles.iter().try_for_each(|article| {
                serde_json::to_writer(&mut *out, article)?;
                out.write_all(b"\n")
            })
        })?;
    }
    Ok(Outcome::Done)
}

/// A comment's record, with what people decided as its label and status.
fn record(comment: &Comment, decided: Option<&str>) -> Value {
    let mut record = json!(comment);
    let label = match decided {
        Some("published") => Some("human"),
        Some("rejected") => Some("machine"),
        _ => None,
    };
    if let (Some(fields), Some(status)) = (record.as_object_mut(), decided) {
        fields.insert("status".to_owned(), json!(status));
        if let Some(label) = label {
            fields.entry("label").or_insert(json!(label));
        }
    }
    record
}

/// A row of the table (RFC 4180).
fn row(out: &mut dyn Write, record: &Value, for_spreadsheets: bool) -> std::io::Result<()> {
    let cell = |column: &str| {
        let value = match column {
            "author_id" => record.pointer("/author/id"),
            "author_name" => record.pointer("/author/name"),
            other => record.get(other),
        };
        let text = value.and_then(Value::as_str).unwrap_or_default();
        let is_formula = for_spreadsheets && text.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let text = if is_formula { format!("'{text}") } else { text.to_owned() };
        if text.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text
        }
    };
    writeln!(out, "{}\r", COLUMNS.map(cell).join(","))
}
