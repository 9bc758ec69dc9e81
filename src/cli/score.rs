//! `claque score`: assessments of a file of comments.

use std::collections::HashSet;
use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::{Result, anyhow};

use super::output::{report_rejects, table, warn, write_to};
use super::{EngineArgs, Outcome};
use crate::domain::{Article, Comment};
use crate::offline::judge::{Mode, judge};
use crate::offline::records::{Articles, Reject, read_file};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Comments as JSON Lines, `-` for standard input
    #[arg(default_value = "-", value_name = "FILE")]
    file: PathBuf,
    /// Articles as JSON Lines
    #[arg(long, value_name = "FILE")]
    articles: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArgs,
    /// Judge each text alone, without article, thread or other comments
    #[arg(long, conflicts_with = "as_of_arrival")]
    isolated: bool,
    /// Judge each comment with what stands before it in the file
    #[arg(long)]
    as_of_arrival: bool,
    /// How to print: a table for people, JSON Lines for programs
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Where to write instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A table that explains what was flagged
    Table,
    /// One assessment a line
    Jsonl,
}

pub(super) fn run(args: &Args) -> Result<Outcome> {
    let engine = args.engine.load()?;
    let (articles, mut rejects) = read_articles(args.articles.as_ref())?;
    let read = read_file::<Comment>(&args.file).map_err(|e| anyhow!(e))?;
    rejects.extend(read.rejects);
    let mode = match (args.isolated, args.as_of_arrival) {
        (true, _) => Mode::Isolated,
        (_, true) => Mode::AsOfArrival,
        _ => Mode::Whole,
    };
    let comments = read.records;
    warn_of_repeated_ids(&comments);
    let judged = judge(&engine, &comments, &articles, mode);
    let colour =
        args.out.is_none() && std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    report_rejects(&rejects);
    write_to(args.out.as_deref(), |out| match args.format {
        Format::Table => table(out, &comments, &judged.assessments, &judged.campaigns, colour),
        Format::Jsonl => judged.assessments.iter().try_for_each(|assessment| {
            serde_json::to_writer(&mut *out, assessment)?;
            out.write_all(b"\n")
        }),
    })?;
    Ok(if rejects.is_empty() { Outcome::Done } else { Outcome::SomeRejected })
}

/// Every line is judged, whatever its id; but two lines with one id are more often a slip of an export.
fn warn_of_repeated_ids(comments: &[Comment]) {
    let mut seen = HashSet::new();
    let repeated: Vec<&Comment> = comments.iter().filter(|c| !seen.insert((&c.site, &c.id))).collect();
    if let Some(first) = repeated.first() {
        warn(format_args!(
            "{} comments bear an id that an earlier one has, such as `{}`",
            repeated.len(),
            first.id
        ));
    }
}

/// Reads articles by id; none when no file is named.
pub(super) fn read_articles(path: Option<&PathBuf>) -> Result<(Articles, Vec<Reject>)> {
    let Some(path) = path else { return Ok((Articles::default(), Vec::new())) };
    let read = read_file::<Article>(path).map_err(|e| anyhow!(e))?;
    Ok((Articles::new(read.records), read.rejects))
}
