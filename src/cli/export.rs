//! `claque export`: what the store has, in the records of the README, so that it can be scored, measured, imported elsewhere.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::{Result, anyhow};
use serde_json::{Value, json};

use super::database::{Database, runtime};
use super::output::write_to;
use super::rescore::hand_on;
use super::{Outcome, templated};
use crate::domain::Comment;
use crate::offline::archive::StoredFacts;
use crate::offline::read::Entry;
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
    /// TOML file whose `[review]` says which rejections are of templated texts
    #[arg(long, value_name = "FILE", env = "CLAQUE_CONFIG")]
    config: Option<PathBuf>,
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

/// Writes an entry, with how it stands where somebody decided; says whether more are wanted.
type Writer<'a> = dyn FnMut(Entry, Option<&str>) -> std::io::Result<ControlFlow<()>> + 'a;

pub(super) fn run(args: &Args) -> Result<Outcome> {
    let store = Store::open_existing(&args.database.db).map_err(|error| anyhow!("{error}"))?;
    let templated = templated(args.config.as_ref())?;
    let runtime = runtime()?;
    // One entry after another goes out, so that a store of any size needs no more memory.
    let each = |write: &mut Writer<'_>| {
        let mut failed = Ok(());
        let mut sink = |entry, stored: Option<StoredFacts>| {
            let decided = stored.as_ref().and_then(|stored| stored.decided.as_deref());
            write(entry, decided).unwrap_or_else(|error| {
                failed = Err(error);
                ControlFlow::Break(())
            })
        };
        let handed = hand_on(&store, args.site.as_deref(), &templated, &mut sink);
        runtime.block_on(handed).map_err(std::io::Error::other)?;
        failed
    };
    write_to(args.out.as_deref(), |out| {
        if args.format == Format::Csv {
            writeln!(out, "{}\r", COLUMNS.join(","))?;
        }
        each(&mut |entry, decided| {
            if let Entry::Comment(comment) = entry {
                let record = record(&comment.comment, decided);
                match args.format {
                    Format::Jsonl => writeln!(out, "{record}")?,
                    Format::Csv => row(out, &record, args.for_spreadsheets)?,
                }
            }
            Ok(ControlFlow::Continue(()))
        })
    })?;
    if let Some(path) = &args.articles {
        write_to(Some(path), |out| {
            each(&mut |entry, _| {
                // Articles come first.
                let Entry::Article(article) = entry else { return Ok(ControlFlow::Break(())) };
                serde_json::to_writer(&mut *out, &article)?;
                out.write_all(b"\n")?;
                Ok(ControlFlow::Continue(()))
            })
        })?;
    }
    Ok(Outcome::Done)
}

/// A comment's record, with what people decided as its label and status.
fn record(comment: &Comment, decided: Option<&str>) -> Value {
    let mut record = json!(comment);
    if let (Some(fields), Some(status)) = (record.as_object_mut(), decided) {
        fields.insert("status".to_owned(), json!(status));
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
