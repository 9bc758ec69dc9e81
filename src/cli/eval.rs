//! `claque eval`: measurements on labelled comments, as a table or as JSON.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Result, bail};

use super::output::{Format, printable, report_rejects, tell};
use super::rescore::Reading;
use super::score::read_articles;
use super::{EngineArgs, Outcome};
use crate::domain::Label;
use crate::offline::evaluate::{Report, evaluate};
use crate::offline::judge::Mode;
use crate::offline::learn::read_sources;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Labelled comments: JSON Lines, or any export that `rescore` reads; each file is a source
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    /// Articles as JSON Lines
    #[arg(long, value_name = "FILE")]
    articles: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArgs,
    /// Judge each text alone
    #[arg(long)]
    isolated: bool,
    /// Train without each source in turn and score it with that model
    #[arg(long)]
    cross_source: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

pub(super) fn run(args: &Args) -> Result<Outcome> {
    let engine = args.engine.load()?;
    let (articles, mut rejects) = read_articles(args.articles.as_ref())?;
    let mut read = read_sources(&args.files, args.reading.format()?, &args.reading.options()?)?;
    rejects.append(&mut read.rejects);
    let (sources, articles) = (read.files, articles.before(read.articles));
    if !sources.iter().flat_map(|s| &s.comments).any(|c| c.comment.label.is_some()) {
        bail!("no comment has a label: give records \"label\": \"human\" or \"machine\"");
    }
    let mode = if args.isolated { Mode::Isolated } else { Mode::Whole };
    let report = evaluate(&engine, &sources, &articles, mode, args.cross_source);
    report_rejects(&rejects);
    tell(&report, args.format, print)?;
    Ok(if rejects.is_empty() { Outcome::Done } else { Outcome::SomeRejected })
}

fn percent(value: f64) -> String {
    if value.is_nan() { "-".to_owned() } else { format!("{:.2}", value * 100.0) }
}

fn print(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    writeln!(
        out,
        "{} labelled comments, {}; thresholds from {} genuine ones; rules {}, model {}",
        report.comments, report.mode, report.genuine, report.ruleset, report.model
    )?;
    if report.cross_source {
        writeln!(out, "text scores are out of fold: each source by a model that did not learn from it")?;
    }
    writeln!(
        out,
        "\n{:<26} {:<8} {:>6}  {:>6}  {:>7} {:>7} {:>7}  {:>15}  {:>7} {:>8} {:>7}",
        "source", "label", "n", "AUC", "@0.1%", "@1%", "@5%", "95% of @1%", "flagged", "campaign", "abstain"
    )?;
    for row in &report.sources {
        let mark = if row.in_sample && !report.cross_source { "*" } else { "" };
        writeln!(
            out,
            "{:<26} {:<8} {:>6}  {:>6}  {:>7} {:>7} {:>7}  {:>7}-{:<7}  {:>7} {:>8} {:>7}",
            format!("{}{mark}", printable(&row.source)),
            format!("{:?}", row.label).to_lowercase(),
            row.n,
            row.auc.map_or_else(|| "-".to_owned(), |v| format!("{v:.4}")),
            percent(row.at[0]),
            percent(row.at[1]),
            percent(row.at[2]),
            percent(row.at_1_interval.0),
            percent(row.at_1_interval.1),
            percent(row.flagged),
            percent(row.in_campaign),
            percent(row.abstained),
        )?;
        if row.source.contains("learners") {
            writeln!(
                out,
                "  ^ second-language writers: the fairness probe; not among the genuine comments that set thresholds"
            )?;
        }
    }
    if report.sources.iter().any(|r| r.in_sample) && !report.cross_source {
        writeln!(out, "* in sample: the model learned from this source; see --cross-source")?;
    }
    if report.genuine < 5000 {
        writeln!(out, "fewer than 5,000 genuine comments: @0.1% rests on fewer than five of them")?;
    }
    print_context(out, report)?;
    print_hits(out, report)
}

/// Calibration, threads, campaigns, and who among genuine writers is flagged.
fn print_context(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    writeln!(
        out,
        "\ncalibration of p on genuine comments (nominal: realised), mean error {:.4}",
        report.calibration_error
    )?;
    for (nominal, realised) in &report.calibration {
        write!(out, "  {nominal}: {realised:.4}")?;
    }
    writeln!(out, "\n\nthreads (judged comments)   machine alarmed   genuine alarmed")?;
    for row in &report.threads {
        let size = match row.size {
            (low, usize::MAX) => format!("{low}+"),
            (low, high) if low == high => low.to_string(),
            (low, high) => format!("{low}-{high}"),
        };
        writeln!(
            out,
            "  {size:<24} {:>6} of {:<6}  {:>6} of {:<6}",
            row.machine.1, row.machine.0, row.genuine.1, row.genuine.0
        )?;
    }
    if let Some(row) = &report.campaigns {
        writeln!(
            out,
            "\ncampaigns against planted clusters: {} of {} pairs found ({} %), {} of {} grouped comments in the right one ({} %)",
            row.found,
            row.pairs,
            percent(row.found as f64 / row.pairs.max(1) as f64),
            row.right,
            row.grouped,
            percent(row.right as f64 / row.grouped.max(1) as f64)
        )?;
    }
    for (title, rows) in [("by length", &report.by_length), ("by language", &report.by_language)] {
        writeln!(out, "\ngenuine comments {title:<12} {:>6}  {:>7} {:>8}", "n", "@1%", "flagged")?;
        for row in rows.iter().filter(|r| r.n > 0) {
            writeln!(
                out,
                "  {:<26} {:>6}  {:>7} {:>8}",
                row.band,
                row.n,
                percent(row.at_1),
                percent(row.flagged)
            )?;
        }
    }
    Ok(())
}

/// Rules and signals in the manner of SpamAssassin's hit frequencies.
fn print_hits(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    writeln!(out, "\n{:<50} {:>9} {:>9} {:>7}", "rule or signal", "% machine", "% genuine", "S/O")?;
    for row in &report.hits {
        writeln!(
            out,
            "{:<50} {:>9} {:>9} {:>7.3}",
            row.id,
            percent(row.machine),
            percent(row.genuine),
            row.overall
        )?;
    }
    let people: usize = report
        .sources
        .iter()
        .filter(|r| r.label == Label::Human && r.source != "pooled")
        .map(|r| (r.flagged * r.n as f64).round() as usize)
        .sum();
    writeln!(out, "\n{people} genuine comments flagged by the default rules")
}
