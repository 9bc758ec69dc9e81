//! Measuring an engine on labelled comments: who is found, who is wrongly flagged, and by what.

use std::collections::BTreeMap;

use serde::Serialize;

use super::judge::{Judged, Mode, judge_with_points};
use super::learn::{SourceFile, out_of_fold, prepare};
use super::records::Articles;
use super::statistics::{auc, bootstrap_share, calibration, share_at, threshold};
use crate::domain::{Comment, Evidence, Id, Label, Verdict};
use crate::engine::Engine;
use crate::engine::train::Options;

/// Everything that one evaluation found. Shares are in [0, 1].
#[derive(Debug, Serialize)]
pub struct Report {
    /// Comments judged.
    pub comments: usize,
    /// How they were judged.
    pub mode: &'static str,
    /// Whether text scores come from models that did not learn from the comment's source.
    pub cross_source: bool,
    /// Genuine comments that set the thresholds, with the thresholds at 0.1, 1 and 5 % false alarms.
    pub genuine: usize,
    /// One row a source and label, then the pooled ones.
    pub sources: Vec<SourceRow>,
    /// Nominal and realised share of genuine comments at or below p.
    pub calibration: Vec<(f64, f64)>,
    /// Mean distance between nominal and realised share over the calibration's points.
    pub calibration_error: f64,
    /// Threads by size: how many, how many alarmed.
    pub threads: Vec<ThreadRow>,
    /// Campaigns against planted clusters.
    pub campaigns: Option<CampaignRow>,
    /// Flags by length band of genuine comments.
    pub by_length: Vec<BandRow>,
    /// Flags by language of genuine comments.
    pub by_language: Vec<BandRow>,
    /// Every rule and signal: how often it hit machines and people.
    pub hits: Vec<HitRow>,
    /// Digest of the rules.
    pub ruleset: String,
    /// Digest of the model.
    pub model: String,
}

/// One source's results.
#[derive(Debug, Serialize)]
pub struct SourceRow {
    /// The file's stem, or `pooled`.
    pub source: String,
    /// The label.
    pub label: Label,
    /// Comments.
    pub n: usize,
    /// Whether the model learned from a source of this name.
    pub in_sample: bool,
    /// Area under the curve against all genuine comments (machines only).
    pub auc: Option<f64>,
    /// Share at or above the pooled thresholds of 0.1, 1 and 5 %: found machines, or falsely alarmed people.
    pub at: [f64; 3],
    /// 95 % interval of the second.
    pub at_1_interval: (f64, f64),
    /// Share flagged by the default decision rules.
    pub flagged: f64,
    /// Share that was put into a campaign.
    pub in_campaign: f64,
    /// Share whose text was not judged.
    pub abstained: f64,
}

/// Threads of one size band.
#[derive(Debug, Serialize)]
pub struct ThreadRow {
    /// Smallest and largest number of judged comments.
    pub size: (usize, usize),
    /// Threads of machines only, and how many alarmed.
    pub machine: (usize, usize),
    /// Threads of people only, and how many alarmed.
    pub genuine: (usize, usize),
}

/// Campaigns against planted clusters, pair by pair.
#[derive(Debug, Serialize)]
pub struct CampaignRow {
    /// Planted pairs.
    pub pairs: usize,
    /// Of these, pairs put into one campaign.
    pub found: usize,
    /// Comments that were put into a campaign with at least one planted member.
    pub grouped: usize,
    /// Of these, comments of the campaign's majority cluster.
    pub right: usize,
}

/// Genuine comments of one band.
#[derive(Debug, Serialize)]
pub struct BandRow {
    /// The band's name.
    pub band: String,
    /// Genuine comments.
    pub n: usize,
    /// Share above the pooled 1 % threshold.
    pub at_1: f64,
    /// Share flagged.
    pub flagged: f64,
}

/// Hits of a rule or signal, in the manner of SpamAssassin's hit frequencies.
#[derive(Debug, Serialize)]
pub struct HitRow {
    /// Rule or signal.
    pub id: String,
    /// Share of machine comments hit.
    pub machine: f64,
    /// Share of genuine comments hit.
    pub genuine: f64,
    /// Machine share over the sum of both.
    pub overall: f64,
}

/// The false-alarm rates at which detection is measured.
const RATES: [f64; 3] = [0.001, 0.01, 0.05];
/// Length bands in words: inclusive bounds.
const LENGTHS: [(u32, u32); 6] = [(0, 7), (8, 14), (15, 24), (25, 39), (40, 79), (80, u32::MAX)];
/// Thread sizes.
const SIZES: [(usize, usize); 6] = [(3, 3), (4, 5), (6, 7), (8, 11), (12, 23), (24, usize::MAX)];

/// A judged comment with its labels.
struct Item<'a> {
    source: usize,
    label: Label,
    points: f64,
    p: f64,
    words: u32,
    lang: String,
    flagged: bool,
    abstained: bool,
    cluster: Option<&'a str>,
    campaign: Option<&'a Id>,
    evidence: &'a [Evidence],
}

/// Evaluates an engine on labelled files.
pub fn evaluate(
    engine: &Engine,
    sources: &[SourceFile],
    articles: &Articles,
    mode: Mode,
    cross_source: bool,
) -> Report {
    let points: Vec<Vec<Option<f64>>> = if cross_source {
        out_of_fold(sources, &prepare(engine, sources), &Options::default())
    } else {
        vec![Vec::new(); sources.len()]
    };
    // Each file is judged by itself: ids of threads, authors and comments mean nothing across files.
    let judged: Vec<Judged> = sources
        .iter()
        .zip(&points)
        .map(|(source, points)| {
            let comments: Vec<Comment> = source.comments.iter().map(|l| l.comment.clone()).collect();
            judge_with_points(engine, &comments, articles, mode, points)
        })
        .collect();
    let learned: Vec<&str> = engine.model.card().sources.iter().map(|s| s.source.as_str()).collect();
    let items = items(sources, &judged);
    let genuine: Vec<f64> = items
        .iter()
        .filter(|i| i.label == Label::Human && is_probe(sources, i.source).is_none())
        .map(|i| i.points)
        .collect();
    let thresholds = RATES.map(|rate| threshold(&genuine, rate));
    let ps: Vec<f64> = items
        .iter()
        .filter(|i| i.label == Label::Human && !i.abstained && is_probe(sources, i.source).is_none())
        .map(|i| i.p)
        .collect();
    let calibration = calibration(&ps, &[0.001, 0.003, 0.01, 0.03, 0.05, 0.1, 0.2, 0.5]);
    Report {
        comments: items.len(),
        mode: match mode {
            Mode::Whole => "whole file",
            Mode::AsOfArrival => "as of arrival",
            Mode::Isolated => "isolated",
        },
        cross_source,
        genuine: genuine.len(),
        sources: rows(sources, &items, &genuine, thresholds, &learned),
        calibration_error: calibration.iter().map(|(n, r)| (n - r).abs()).sum::<f64>()
            / calibration.len().max(1) as f64,
        calibration,
        threads: threads(sources, &judged),
        campaigns: campaigns(&items),
        by_length: LENGTHS
            .iter()
            .map(|&(low, high)| {
                let name =
                    if high == u32::MAX { format!("{low}+ words") } else { format!("{low}-{high} words") };
                band(name, &items, thresholds, |i| (low..=high).contains(&i.words))
            })
            .collect(),
        by_language: languages(&items)
            .into_iter()
            .map(|lang| band(lang.clone(), &items, thresholds, |i| i.lang == lang))
            .collect(),
        hits: hits(&items),
        ruleset: engine.rules.digest().to_owned(),
        model: engine.model.digest().to_owned(),
    }
}

/// The fairness probe: writers who are no commenters and must not set thresholds.
fn is_probe(sources: &[SourceFile], at: usize) -> Option<()> {
    sources.get(at).filter(|s| s.name.contains("learners")).map(|_| ())
}

fn items<'a>(sources: &'a [SourceFile], judged: &'a [Judged]) -> Vec<Item<'a>> {
    let mut items = Vec::new();
    for (source, (file, judged)) in sources.iter().zip(judged).enumerate() {
        for ((labelled, score), assessment) in
            file.comments.iter().zip(&judged.scores).zip(&judged.assessments)
        {
            let Some(label) = labelled.comment.label else { continue };
            items.push(Item {
                source,
                label,
                points: if score.abstained { f64::NEG_INFINITY } else { score.points },
                p: score.p,
                words: score.words,
                lang: labelled.comment.lang.clone().unwrap_or_else(|| "?".to_owned()),
                flagged: assessment.verdict != Verdict::Allow,
                abstained: score.abstained,
                cluster: labelled.cluster.as_deref(),
                campaign: assessment.campaign_id.as_ref(),
                evidence: &assessment.evidence,
            });
        }
    }
    items
}

fn share(items: &[&Item<'_>], test: impl Fn(&Item<'_>) -> bool) -> f64 {
    items.iter().filter(|i| test(i)).count() as f64 / items.len().max(1) as f64
}

fn rows(
    sources: &[SourceFile],
    items: &[Item<'_>],
    genuine: &[f64],
    thresholds: [f64; 3],
    learned: &[&str],
) -> Vec<SourceRow> {
    let mut rows = Vec::new();
    let mut row = |name: &str, label: Label, members: &[&Item<'_>], in_sample: bool| {
        if members.is_empty() {
            return;
        }
        let points: Vec<f64> = members.iter().map(|i| i.points).collect();
        let at = thresholds.map(|t| share_at(&points, t));
        let hits = thresholds.get(1).map_or(0, |t| points.iter().filter(|p| *p >= t).count());
        rows.push(SourceRow {
            source: name.to_owned(),
            label,
            n: members.len(),
            in_sample,
            auc: (label != Label::Human && !genuine.is_empty()).then(|| auc(genuine, &points)),
            at,
            at_1_interval: bootstrap_share(hits, members.len(), 1),
            flagged: share(members, |i| i.flagged),
            in_campaign: share(members, |i| i.campaign.is_some()),
            abstained: share(members, |i| i.abstained),
        });
    };
    for (at, source) in sources.iter().enumerate() {
        for label in [Label::Human, Label::Machine, Label::Spam] {
            let members: Vec<&Item<'_>> =
                items.iter().filter(|i| i.source == at && i.label == label).collect();
            row(&source.name, label, &members, learned.contains(&source.name.as_str()));
        }
    }
    for label in [Label::Human, Label::Machine] {
        let members: Vec<&Item<'_>> =
            items.iter().filter(|i| i.label == label && is_probe(sources, i.source).is_none()).collect();
        row("pooled", label, &members, false);
    }
    rows
}

fn threads(sources: &[SourceFile], judged: &[Judged]) -> Vec<ThreadRow> {
    // Labels (machine, genuine) of each thread, by source.
    let mut labels: BTreeMap<_, (usize, usize)> = BTreeMap::new();
    for (source, file) in sources.iter().enumerate() {
        for comment in file.comments.iter().map(|labelled| &labelled.comment) {
            if let (Some(thread), Some(label)) = (comment.thread(), comment.label) {
                let count = labels.entry((source, comment.site.clone(), thread.clone())).or_insert((0, 0));
                if label == Label::Human { count.1 += 1 } else { count.0 += 1 }
            }
        }
    }
    let scores = || {
        let of_source = |(source, judged): (usize, &'_ Judged)| {
            let keys = judged.threads.iter();
            keys.map(move |((site, id), score)| ((source, site.clone(), id.clone()), *score))
                .collect::<Vec<_>>()
        };
        judged.iter().enumerate().flat_map(of_source)
    };
    SIZES
        .iter()
        .map(|&(low, high)| {
            let mut row = ThreadRow { size: (low, high), machine: (0, 0), genuine: (0, 0) };
            for (key, score) in scores().filter(|(_, score)| (low..=high).contains(&score.k)) {
                let counts = match labels.get(&key) {
                    Some((machine, 0)) if *machine > 0 => &mut row.machine,
                    Some((0, genuine)) if *genuine > 0 => &mut row.genuine,
                    _ => continue,
                };
                counts.0 += 1;
                counts.1 += usize::from(score.alarm);
            }
            row
        })
        .filter(|row| row.machine.0 + row.genuine.0 > 0)
        .collect()
}

fn campaigns(items: &[Item<'_>]) -> Option<CampaignRow> {
    let mut clusters: BTreeMap<(usize, &str), Vec<&Item<'_>>> = BTreeMap::new();
    for item in items {
        if let Some(cluster) = item.cluster {
            clusters.entry((item.source, cluster)).or_default().push(item);
        }
    }
    if clusters.is_empty() {
        return None;
    }
    let mut row = CampaignRow { pairs: 0, found: 0, grouped: 0, right: 0 };
    for members in clusters.values() {
        row.pairs += members.len() * (members.len() - 1) / 2;
        let mut by_campaign: BTreeMap<&Id, usize> = BTreeMap::new();
        members.iter().filter_map(|m| m.campaign).for_each(|id| *by_campaign.entry(id).or_default() += 1);
        row.found += by_campaign.values().map(|n| n * (n - 1) / 2).sum::<usize>();
    }
    let mut groups: BTreeMap<_, Vec<Option<(usize, &str)>>> = BTreeMap::new();
    for item in items {
        if let Some(id) = item.campaign {
            groups.entry((item.source, id)).or_default().push(item.cluster.map(|c| (item.source, c)));
        }
    }
    for members in groups.values().filter(|m| m.iter().any(Option::is_some)) {
        let mut counts: BTreeMap<_, usize> = BTreeMap::new();
        members.iter().flatten().for_each(|c| *counts.entry(c).or_default() += 1);
        row.grouped += members.len();
        row.right += counts.values().max().copied().unwrap_or(0);
    }
    Some(row)
}

fn languages(items: &[Item<'_>]) -> Vec<String> {
    let mut names: Vec<String> = items.iter().map(|i| i.lang.clone()).collect();
    names.sort();
    names.dedup();
    names
}

fn band(
    name: String,
    items: &[Item<'_>],
    thresholds: [f64; 3],
    member: impl Fn(&Item<'_>) -> bool,
) -> BandRow {
    let members: Vec<&Item<'_>> = items.iter().filter(|i| i.label == Label::Human && member(i)).collect();
    BandRow {
        band: name,
        n: members.len(),
        at_1: share(&members, |i| i.points >= thresholds[1]),
        flagged: share(&members, |i| i.flagged),
    }
}

fn hits(items: &[Item<'_>]) -> Vec<HitRow> {
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let (mut machine, mut genuine) = (0usize, 0usize);
    for item in items {
        let is_machine = item.label != Label::Human;
        if is_machine {
            machine += 1;
        } else {
            genuine += 1;
        }
        let mut seen: Vec<&str> =
            item.evidence.iter().map(|e| e.rule.as_deref().unwrap_or(&e.signal)).collect();
        seen.sort_unstable();
        seen.dedup();
        for id in seen {
            let count = counts.entry(id.to_owned()).or_default();
            if is_machine { count.0 += 1 } else { count.1 += 1 }
        }
    }
    let mut rows: Vec<HitRow> = counts
        .into_iter()
        .map(|(id, (m, g))| {
            let (m, g) = (m as f64 / machine.max(1) as f64, g as f64 / genuine.max(1) as f64);
            HitRow { id, machine: m, genuine: g, overall: m / (m + g).max(1e-12) }
        })
        .collect();
    rows.sort_by(|a, b| {
        b.overall.total_cmp(&a.overall).then(b.machine.total_cmp(&a.machine)).then(a.id.cmp(&b.id))
    });
    rows
}
