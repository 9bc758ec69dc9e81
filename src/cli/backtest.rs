//! `claque backtest`: which verdicts a changed ruleset flips, on exports or on the store, and whether it may pass.

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};

use super::database::runtime;
use super::output::{Format, printable, share, tell};
use super::rescore::{Reading, from_store, read_all};
use super::score::read_articles;
use super::{EngineArgs, Outcome, templated};
use crate::offline::backtest::{Backtest, Fare, Flip, compare};
use crate::store::Store;

/// Flips printed of each kind.
const SHOWN: usize = 15;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Exports
    #[arg(value_name = "FILE", required_unless_present = "store")]
    files: Vec<PathBuf>,
    /// The comments of the store; what people decided counts as their label
    #[arg(long, conflicts_with = "files", requires = "db")]
    store: bool,
    /// The store's database
    #[arg(long, value_name = "PATH", env = "CLAQUE_DB")]
    db: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    /// Articles as JSON Lines
    #[arg(long, value_name = "FILE")]
    articles: Option<PathBuf>,
    /// Directory of the rule files so far; the shipped rules alone without
    #[arg(long, value_name = "DIR")]
    old: Option<PathBuf>,
    /// Directory of the changed rule files
    #[arg(long, value_name = "DIR")]
    new: PathBuf,
    /// Model file instead of the shipped one
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// TOML file with thresholds
    #[arg(long, value_name = "FILE", env = "CLAQUE_CONFIG")]
    config: Option<PathBuf>,
    /// What the new rules must reach, such as `precision=0.99`, `recall=0.5` or `caught-human=0`; exit code 1 where they do not
    #[arg(long, value_name = "WHAT=NUMBER")]
    gate: Vec<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Write the comparison as a page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Outcome> {
    let gates = args.gate.iter().map(|gate| Gate::parse(gate)).collect::<Result<Vec<_>>>()?;
    let engine = |rules: Option<&PathBuf>| {
        let args =
            EngineArgs { rules: rules.cloned(), model: args.model.clone(), config: args.config.clone() };
        args.load()
    };
    let (old, new) = (engine(args.old.as_ref())?, engine(Some(&args.new))?);
    let (articles, mut rejects) = read_articles(args.articles.as_ref())?;
    let (comments, trusted, came_along) = if args.store {
        args.reading.of_store()?;
        let path = args.db.as_ref().ok_or_else(|| anyhow!("name the database with --db"))?;
        let store = Store::open_existing(path).map_err(|error| anyhow!("{error}"))?;
        let site = args.reading.site.as_deref();
        let templated = templated(args.config.as_ref())?;
        let all = runtime()?.block_on(from_store(&store, site, &templated));
        let all = all.map_err(|error| anyhow!(error))?;
        let comments: Vec<_> = all.comments.into_iter().map(|(comment, _)| comment).collect();
        (comments, all.trusted, all.articles)
    } else {
        let read = read_all(&args.files, &args.reading)?;
        rejects.extend(read.rejects);
        (read.comments, Vec::new(), read.articles)
    };
    if comments.is_empty() {
        bail!("there is no comment to compare on");
    }
    super::output::report_rejects(&rejects);
    let it = compare(&old, &new, &comments, &trusted, &articles.before(came_along));
    if let Some(path) = &args.html {
        std::fs::write(path, it.html()).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let failed: Vec<String> = gates.iter().filter_map(|gate| gate.failure(&it)).collect();
    tell(&it, args.format, table)?;
    for why in &failed {
        eprintln!("claque: gate failed: {why}");
    }
    Ok(match (failed.is_empty(), rejects.is_empty()) {
        (false, _) => Outcome::CheckFailed,
        (true, false) => Outcome::SomeRejected,
        (true, true) => Outcome::Done,
    })
}

/// What the new rules must reach.
struct Gate {
    what: What,
    bound: f64,
}

#[derive(Clone, Copy)]
enum What {
    Precision,
    Recall,
    CaughtHuman,
}

impl Gate {
    fn parse(text: &str) -> Result<Self> {
        let known = "`precision=0.99`, `recall=0.5`, `caught-human=0`";
        let Some((name, number)) = text.split_once('=') else { bail!("`{text}` is no gate: say {known}") };
        let what = match name.trim() {
            "precision" => What::Precision,
            "recall" => What::Recall,
            "caught-human" => What::CaughtHuman,
            other => bail!("`{other}` is no gate: say {known}"),
        };
        let bound: f64 = number.trim().parse().map_err(|_| anyhow!("`{number}` is no number"))?;
        if !bound.is_finite() || bound < 0.0 || (bound > 1.0 && !matches!(what, What::CaughtHuman)) {
            bail!("`{text}`: a share is from 0 to 1");
        }
        Ok(Self { what, bound })
    }

    /// Why it is not passed; a share that nothing is known of does not pass.
    fn failure(&self, it: &Backtest) -> Option<String> {
        let below = |name: &str, value: Option<f64>| match value {
            Some(value) if value >= self.bound => None,
            Some(value) => Some(format!("{name} is {value:.4}, less than {}", self.bound)),
            None => Some(format!("{name} is not known: no flagged comment is labelled or decided")),
        };
        match self.what {
            What::Precision => below("precision", it.new.precision),
            What::Recall => below("recall", it.new.recall),
            What::CaughtHuman => {
                let count = it.caught_human;
                (count as f64 > self.bound)
                    .then(|| format!("{count} comments by people are newly caught, more than {}", self.bound))
            }
        }
    }
}

fn table(out: &mut dyn std::io::Write, it: &Backtest) -> std::io::Result<()> {
    writeln!(out, "{} comments", it.comments)?;
    writeln!(
        out,
        "{:<4} {:>8} {:>8} {:>8}  {:<22} {:<22}",
        "", "flagged", "right", "wrong", "precision", "recall"
    )?;
    let row = |name: &str, fare: &Fare| {
        format!(
            "{name:<4} {:>8} {:>8} {:>8}  {:<22} {:<22}",
            fare.flagged,
            fare.right,
            fare.wrong,
            share(fare.precision, fare.precision_interval),
            share(fare.recall, fare.recall_interval)
        )
    };
    writeln!(out, "{}\n{}", row("old", &it.old).trim_end(), row("new", &it.new).trim_end())?;
    for (title, count, flips) in
        [("newly caught", it.flips.0, &it.caught), ("newly spared", it.flips.1, &it.spared)]
    {
        writeln!(out, "\n{title}: {count}")?;
        for flip in flips.iter().take(SHOWN) {
            one(out, flip)?;
        }
    }
    writeln!(out, "\nrules whose hits differ (old, new, on human, on machine):")?;
    for (name, hits) in it.rules.iter().filter(|(_, hits)| hits.old != hits.new) {
        writeln!(out, "  {name:<46} {:>6} {:>6} {:>6} {:>6}", hits.old, hits.new, hits.human, hits.machine)?;
    }
    Ok(())
}

fn one(out: &mut dyn std::io::Write, flip: &Flip) -> std::io::Result<()> {
    let label = flip.label.map_or(String::new(), |label| format!(" [{label:?}]").to_lowercase());
    let text: String = printable(&flip.text).chars().take(100).collect();
    writeln!(out, "  {}{label} {:.4} -> {:.4}  {text}", printable(&flip.id), flip.scores.0, flip.scores.1)?;
    for (what, points) in flip.gained.iter().chain(&flip.lost) {
        writeln!(out, "      {points:+.2} {what}")?;
    }
    Ok(())
}
