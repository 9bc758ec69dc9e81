//! Learning a model from labelled files: examples, the final weights, and a human reference scored out of fold.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use rayon::prelude::*;

use super::read::{Entry, Options as ReadOptions, ReadError, open};
use super::records::{LabelledComment, Reject};
use crate::domain::{Article, Label};
use crate::engine::Engine;
use crate::engine::model::{Card, Model, SourceCount, Weights};
use crate::engine::reference::Reference;
use crate::engine::train::{Example, Options, train};
use crate::text::{Analysis, Context, Language};

/// Labelled comments of one file.
#[derive(Debug)]
pub struct SourceFile {
    /// The file's stem.
    pub name: String,
    /// Its comments.
    pub comments: Vec<LabelledComment>,
}

/// What labelled files hold.
#[derive(Debug, Default)]
pub struct Sources {
    /// Comments, file by file.
    pub files: Vec<SourceFile>,
    /// Articles that came along.
    pub articles: Vec<Article>,
    /// What was not understood.
    pub rejects: Vec<Reject>,
}

/// Reads labelled files: our own records, or exports whose labels say what people or a filter decided.
///
/// # Errors
/// A file that cannot be read.
pub fn read_sources(
    paths: &[impl AsRef<Path>],
    from: Option<&str>,
    options: &ReadOptions,
) -> Result<Sources, ReadError> {
    let mut sources = Sources::default();
    for path in paths {
        let path = path.as_ref();
        let mut comments = Vec::new();
        open(path, from, options)?.read(options, &mut |entry| {
            match entry {
                Entry::Comment(comment) => comments.push(*comment),
                Entry::Article(article) => sources.articles.push(*article),
                Entry::Reject(reject) => sources.rejects.push(reject),
                Entry::Note(_) => {}
            }
            ControlFlow::Continue(())
        })?;
        sources.files.push(SourceFile { name: source_name(path), comments });
    }
    Ok(sources)
}

/// What a file is called as a source: without its folder, its compression and its form.
fn source_name(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    Path::new(name).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A comment ready to learn from or to score: features and the points that rules and signals add.
#[derive(Debug)]
pub struct Prepared {
    /// The features.
    pub example: Example,
    /// Text points of rules and signals, without the model.
    pub other_points: f64,
    /// Which of two halves it belongs to when its source must be split: by author or thread, so that neither spans both.
    pub half: usize,
    /// Words judged.
    pub words: u32,
}

/// Prepares the English comments of files that are labelled human or machine; `None` for the others.
pub fn prepare(engine: &Engine, sources: &[SourceFile]) -> Vec<Vec<Option<Prepared>>> {
    sources
        .iter()
        .enumerate()
        .map(|(source, file)| {
            file.comments
                .par_iter()
                .map(|labelled| {
                    let comment = &labelled.comment;
                    let label = comment.label.filter(|label| *label != Label::Spam)?;
                    let lang = comment.lang.as_deref().and_then(Language::parse).unwrap_or(Language::ENGLISH);
                    if lang != Language::ENGLISH {
                        return None;
                    }
                    let analysis =
                        Analysis::new(&comment.text, &Context { lang: Some(lang), ..Context::default() });
                    let key = comment
                        .author_key()
                        .or(comment.thread().map(crate::domain::Id::as_str))
                        .unwrap_or(comment.id.as_str());
                    Some(Prepared {
                        example: Example::new(label, source, &analysis),
                        other_points: engine.other_text_points(comment, &analysis),
                        half: (crate::text::stable_hash(key.as_bytes()) >> 7) as usize & 1,
                        words: analysis.stats().words,
                    })
                })
                .collect()
        })
        .collect()
}

/// Text points of every prepared comment by a model that did not learn from its source.
///
/// A source that has both people and machines of one platform (by the records' `source`) is split in two halves instead:
/// without any genuine comment of the platform the platform itself would look like a machine.
pub fn out_of_fold(
    sources: &[SourceFile],
    prepared: &[Vec<Option<Prepared>>],
    options: &Options,
) -> Vec<Vec<Option<f64>>> {
    let origins: Vec<Option<&str>> =
        sources.iter().map(|s| s.comments.first().and_then(|c| c.source.as_deref())).collect();
    let labels: Vec<Option<Label>> =
        sources.iter().map(|s| s.comments.iter().find_map(|c| c.comment.label)).collect();
    let split: Vec<bool> = origins
        .iter()
        .zip(&labels)
        .map(|(origin, label)| {
            *label == Some(Label::Human)
                && origin.is_some()
                && origins.iter().zip(&labels).any(|(o, l)| o == origin && *l == Some(Label::Machine))
        })
        .collect();
    let mut folds: Vec<(usize, Option<usize>)> = Vec::new();
    for (at, &split) in split.iter().enumerate() {
        if split { folds.extend([(at, Some(0)), (at, Some(1))]) } else { folds.push((at, None)) }
    }
    let by_fold: Vec<Vec<(usize, f64)>> = folds
        .par_iter()
        .map(|&(left_out, half)| {
            let out =
                |source: usize, item: &Prepared| source == left_out && half.is_none_or(|h| item.half == h);
            let examples: Vec<&Example> = prepared
                .iter()
                .enumerate()
                .flat_map(|(source, items)| items.iter().flatten().filter(move |item| !out(source, item)))
                .map(|item| &item.example)
                .collect();
            let weights = train(&examples, options);
            let items = prepared.get(left_out).map(Vec::as_slice).unwrap_or_default();
            items
                .iter()
                .enumerate()
                .filter_map(|(at, item)| item.as_ref().map(|item| (at, item)))
                .filter(|(_, item)| out(left_out, item))
                .map(|(at, item)| (at, f64::from(weights.score(&item.example)) + item.other_points))
                .collect()
        })
        .collect();
    let mut scores: Vec<Vec<Option<f64>>> = prepared.iter().map(|items| vec![None; items.len()]).collect();
    for (&(source, _), items) in folds.iter().zip(by_fold) {
        for (at, score) in items {
            if let Some(slot) = scores.get_mut(source).and_then(|s| s.get_mut(at)) {
                *slot = Some(score);
            }
        }
    }
    scores
}

/// Sources with fewer genuine comments than this do not enter the reference.
const FEWEST_FOR_REFERENCE: usize = 1000;
/// The fewest words of a genuine comment that enters the reference.
const FEWEST_WORDS: u32 = 3;

/// The human reference from out-of-fold points: every large source weighs alike. Sources named `learners` are essays and stay out.
/// Where no source is large, all genuine comments together are the reference.
pub fn reference(
    sources: &[SourceFile],
    prepared: &[Vec<Option<Prepared>>],
    scores: &[Vec<Option<f64>>],
) -> Reference {
    let mut weighted = Vec::new();
    let mut all = Vec::new();
    for ((source, items), scores) in sources.iter().zip(prepared).zip(scores) {
        let genuine: Vec<f32> = items
            .iter()
            .zip(scores)
            .filter_map(|(item, score)| item.as_ref().zip(*score))
            .filter(|(item, _)| item.example.label == Label::Human && item.words >= FEWEST_WORDS)
            .map(|(_, score)| score as f32)
            .collect();
        all.extend(genuine.iter().map(|score| (*score, 1.0)));
        if genuine.len() >= FEWEST_FOR_REFERENCE && !source.name.contains("learners") {
            let weight = 1.0 / genuine.len() as f64;
            weighted.extend(genuine.into_iter().map(|score| (score, weight)));
        }
    }
    Reference::new(if weighted.is_empty() { &all } else { &weighted })
}

/// A trained model as a file's bytes, and its card.
pub fn learn(
    sources: &[SourceFile],
    prepared: &[Vec<Option<Prepared>>],
    options: &Options,
) -> (Vec<u8>, Card) {
    let scores = out_of_fold(sources, prepared, options);
    let examples: Vec<&Example> = prepared.iter().flatten().flatten().map(|item| &item.example).collect();
    let weights: Weights = train(&examples, options);
    let card = Card {
        sources: counts(sources, prepared),
        training: format!(
            "L2-regularised logistic regression by dual coordinate descent, C = {}, {} passes, seed {}; a source of n comments weighs n^{}; classes balanced; reference scored by models that did not learn from the comment's source",
            options.c, options.passes, options.seed, options.source_power
        ),
        metrics: cross_source_metrics(sources, prepared, &scores),
        limits: "English only. Finds the praise-and-agreement register and its neighbours; a paraphrased, personal or deliberately casual machine text is found at the rate of chance. Most genuine training comments predate 2022.".to_owned(),
    };
    (Model::write(&weights, reference(sources, prepared, &scores), card.clone()), card)
}

fn counts(sources: &[SourceFile], prepared: &[Vec<Option<Prepared>>]) -> Vec<SourceCount> {
    sources
        .iter()
        .zip(prepared)
        .map(|(source, items)| {
            let count =
                |label: Label| items.iter().flatten().filter(|item| item.example.label == label).count();
            SourceCount {
                source: source.name.clone(),
                human: count(Label::Human),
                machine: count(Label::Machine),
            }
        })
        .filter(|count| count.human + count.machine > 0)
        .collect()
}

/// AUC and detection rate at 1 % false alarms of every machine source, each scored by a model that did not learn from it.
fn cross_source_metrics(
    sources: &[SourceFile],
    prepared: &[Vec<Option<Prepared>>],
    scores: &[Vec<Option<f64>>],
) -> Vec<(String, f64)> {
    let mut genuine = Vec::new();
    let mut machine: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for ((source, items), scores) in sources.iter().zip(prepared).zip(scores) {
        for (item, score) in items.iter().zip(scores).filter_map(|(item, score)| item.as_ref().zip(*score)) {
            match item.example.label {
                Label::Human if !source.name.contains("learners") => genuine.push(score),
                Label::Machine => machine.entry(&source.name).or_default().push(score),
                _ => {}
            }
        }
    }
    let threshold = super::statistics::threshold(&genuine, 0.01);
    let round = |v: f64| (v * 1e4).round() / 1e4;
    machine
        .into_iter()
        .flat_map(|(name, scores)| {
            [
                (format!("{name}: AUC"), round(super::statistics::auc(&genuine, &scores))),
                (
                    format!("{name}: found at 1 % false alarms"),
                    round(super::statistics::share_at(&scores, threshold)),
                ),
            ]
        })
        .collect()
}
