//! `claque simulate`: how a time that is past would have gone with Claque at the door.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Result, bail};

use super::output::{Format, printable, report_rejects, share, skeleton_line, tell};
use super::rescore::{Reading, read_all};
use super::score::read_articles;
use super::{EngineArgs, Outcome};
use crate::offline::backtest::Fare;
use crate::offline::simulate::{Day, Delay, Simulation, simulate};

/// Days printed one by one; more are told by month.
const DAYS: usize = 31;
/// Campaigns and threads printed.
const SHOWN: usize = 15;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Exports: JSON Lines, CSV, WordPress, Disqus, Commento, Remark42, Coral; also .gz and .zst; `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    /// Articles as JSON Lines, beside those of the exports
    #[arg(long, value_name = "FILE")]
    articles: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArgs,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

pub(super) fn run(args: &Args) -> Result<Outcome> {
    let engine = args.engine.load()?;
    let (articles, mut rejects) = read_articles(args.articles.as_ref())?;
    let mut read = read_all(&args.files, &args.reading)?;
    rejects.append(&mut read.rejects);
    if read.comments.is_empty() {
        report_rejects(&rejects);
        bail!("there is no comment to go through");
    }
    let it = simulate(&engine, &read.comments, &articles.before(read.articles));
    report_rejects(&rejects);
    tell(&it, args.format, table)?;
    Ok(if rejects.is_empty() { Outcome::Done } else { Outcome::SomeRejected })
}

fn table(out: &mut dyn Write, it: &Simulation) -> io::Result<()> {
    write!(out, "{} comments", it.comments)?;
    if let (Some(from), Some(until)) = (it.from, it.until) {
        write!(out, ", {} to {}", from.format("%Y-%m-%d"), until.format("%Y-%m-%d"))?;
    }
    writeln!(
        out,
        "\n{:>8} flagged as they came\n{:>8} more because of what came after them\n{:>8} flagged as they came, and no longer in the end",
        it.at_arrival, it.later, it.released
    )?;
    writeln!(
        out,
        "{:>8} decisions: {} about campaigns, {} about single comments",
        it.decisions,
        it.campaign_decisions,
        it.decisions - it.campaign_decisions
    )?;
    if let (Some(came), Some(end)) = (&it.fare_at_arrival, &it.fare_in_the_end) {
        writeln!(
            out,
            "\n{:<14} {:>8} {:>8} {:>8}  {:<22} {:<22}",
            "by labels", "flagged", "right", "wrong", "precision", "recall"
        )?;
        fare(out, "as they came", came)?;
        fare(out, "in the end", end)?;
    }
    days(out, &it.days)?;
    if !it.campaigns.is_empty() {
        writeln!(out, "\ncampaigns: {}", it.campaigns.len())?;
    }
    for one in it.campaigns.iter().take(SHOWN) {
        let campaign = &one.campaign;
        writeln!(
            out,
            "  {:>5} comments by {} authors under {} articles; {}\n        {}",
            campaign.members.len(),
            campaign.authors,
            campaign.articles,
            delay(one.delay),
            printable(&skeleton_line(campaign))
        )?;
    }
    if !it.threads.is_empty() {
        writeln!(out, "\nthreads with an alarm: {}", it.threads.len())?;
    }
    for one in it.threads.iter().take(SHOWN) {
        writeln!(
            out,
            "  {:>5} comments in {}; {}",
            one.comments,
            printable(one.thread.as_str()),
            delay(one.delay)
        )?;
    }
    Ok(())
}

fn fare(out: &mut dyn Write, name: &str, fare: &Fare) -> io::Result<()> {
    let row = format!(
        "{name:<14} {:>8} {:>8} {:>8}  {:<22} {:<22}",
        fare.flagged,
        fare.right,
        fare.wrong,
        share(fare.precision, fare.precision_interval),
        share(fare.recall, fare.recall_interval)
    );
    writeln!(out, "{}", row.trim_end())
}

fn days(out: &mut dyn Write, days: &[Day]) -> io::Result<()> {
    if days.is_empty() {
        return Ok(());
    }
    let by_month = days.len() > DAYS;
    let name = |day: &Day| day.day.format(if by_month { "%Y-%m" } else { "%Y-%m-%d" }).to_string();
    writeln!(
        out,
        "\n{:<10} {:>9} {:>8} {:>8} {:>8}",
        if by_month { "month" } else { "day" },
        "comments",
        "flagged",
        "later",
        "cards"
    )?;
    for group in days.chunk_by(|a, b| name(a) == name(b)) {
        let sum = |of: fn(&Day) -> usize| group.iter().map(of).sum::<usize>();
        writeln!(
            out,
            "{:<10} {:>9} {:>8} {:>8} {:>8}",
            group.first().map(name).unwrap_or_default(),
            sum(|day| day.comments),
            sum(|day| day.at_arrival),
            sum(|day| day.later),
            sum(|day| day.cards)
        )?;
    }
    Ok(())
}

fn delay(delay: Delay) -> String {
    let Some(missed) = delay.missed_before else { return "shows in hindsight only".to_owned() };
    let after = match delay.seconds {
        None => String::new(),
        Some(seconds) if seconds < 120 => format!(", {seconds} s after the first"),
        Some(seconds) if seconds < 2 * 3600 => format!(", {} min after the first", seconds / 60),
        Some(seconds) if seconds < 48 * 3600 => format!(", {} h after the first", seconds / 3600),
        Some(seconds) => format!(", {} days after the first", seconds / 86_400),
    };
    format!("showed at its comment {}{after}", missed + 1)
}
