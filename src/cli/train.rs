//! `claque train`: a model file from labelled comments.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};

use super::database::runtime;
use super::output::{report_rejects, write_to};
use super::rescore::{Reading, from_store};
use super::{EngineArgs, Outcome, templated};
use crate::domain::Label;
use crate::engine::Model;
use crate::engine::train::Options;
use crate::offline::learn::{SourceFile, learn, prepare, read_sources};
use crate::offline::records::LabelledComment;
use crate::store::Store;

/// The fewest comments of each label that are learned from.
const FEWEST: usize = 20;

/// Genuine comments from which on the reference speaks of 1 in 1,000 and rarer.
const ENOUGH_REFERENCE: usize = 3000;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Labelled comments: JSON Lines, or any export that `rescore` reads; each file is a source
    #[arg(required_unless_present = "store", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Learn from what people decided in the store, each site a source
    #[arg(long, conflicts_with = "files", requires = "db")]
    store: bool,
    /// The database
    #[arg(long, value_name = "PATH", env = "CLAQUE_DB")]
    db: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    /// TOML file whose `[review]` says which rejections are of templated texts
    #[arg(long, value_name = "FILE", env = "CLAQUE_CONFIG")]
    config: Option<PathBuf>,
    /// Where to write the model
    #[arg(long, value_name = "MODEL")]
    out: PathBuf,
    /// Directory of rule files, merged over the shipped ones
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Seed of the training order
    #[arg(long, default_value_t = Options::default().seed)]
    seed: u64,
    /// Inverse strength of the regularisation
    #[arg(long, default_value_t = Options::default().c, hide = true)]
    c: f64,
}

/// The comments that people decided about, by site: approved ones are by people, those rejected as templated are not.
fn decided(db: &Path, config: Option<&PathBuf>) -> Result<Vec<SourceFile>> {
    let templated = templated(config)?;
    let store = Store::open_existing(db).map_err(|error| anyhow!("{error}"))?;
    let all = runtime()?.block_on(from_store(&store, None, &templated));
    let mut sites: BTreeMap<String, Vec<LabelledComment>> = BTreeMap::new();
    for (comment, decided) in all.map_err(|error| anyhow!(error))?.comments {
        if decided.is_some() && comment.label.is_some() {
            let site = comment.site.as_ref().map(ToString::to_string).unwrap_or_default();
            sites.entry(site).or_default().push(LabelledComment::of(comment));
        }
    }
    Ok(sites.into_iter().map(|(name, comments)| SourceFile { name, comments }).collect())
}

pub(super) fn run(args: &Args) -> Result<Outcome> {
    if !(args.c.is_finite() && args.c > 0.0) {
        bail!("--c must be above 0");
    }
    let engine =
        EngineArgs { rules: args.rules.clone(), ..EngineArgs::default() }.with_model(Model::untrained())?;
    let (sources, rejects) = match &args.db {
        Some(db) if args.store => {
            args.reading.of_store()?;
            (decided(db, args.config.as_ref())?, Vec::new())
        }
        _ => {
            let read = read_sources(&args.files, args.reading.format()?, &args.reading.options()?)?;
            (read.files, read.rejects)
        }
    };
    let prepared = prepare(&engine, &sources);
    for label in [Label::Human, Label::Machine] {
        let count = prepared.iter().flatten().flatten().filter(|p| p.example.label == label).count();
        if count < FEWEST {
            let how = match (args.store, label) {
                (false, _) => "are labelled so",
                (true, Label::Human) => "were approved",
                (true, _) => "were rejected as templated",
            };
            let what = format!("{label:?}").to_lowercase();
            bail!("{what}: only {count} English comments {how}; at least {FEWEST} are needed to learn from");
        }
    }
    let (bytes, card) =
        learn(&sources, &prepared, &Options { seed: args.seed, c: args.c, ..Options::default() });
    let model = Model::read(&bytes).map_err(|e| anyhow!("the new model is {e}"))?;
    write_to(Some(&args.out), |out| out.write_all(&bytes))?;
    let reference = model.reference().comments;
    if reference < ENOUGH_REFERENCE {
        eprintln!(
            "claque: the reference has {reference} genuine comments: p below 1 in {reference} is a guess; give at least {ENOUGH_REFERENCE}"
        );
    }
    write_to(None, |out| {
        writeln!(
            out,
            "model {} written to {}: {} n-grams, {} bytes, reference of {reference} genuine comments",
            model.digest(),
            args.out.display(),
            model.grams(),
            bytes.len(),
        )?;
        for source in &card.sources {
            writeln!(out, "  {:<28} {:>6} human {:>6} machine", source.source, source.human, source.machine)?;
        }
        writeln!(
            out,
            "cross-source, text alone (each source scored by a model that did not learn from it):"
        )?;
        card.metrics.iter().try_for_each(|(name, value)| writeln!(out, "  {name:<60} {value:.4}"))
    })?;
    report_rejects(&rejects);
    Ok(if rejects.is_empty() { Outcome::Done } else { Outcome::SomeRejected })
}
