//! `report.html`: one file for an editor, readable on paper. Nothing in it is fetched from anywhere.

use askama::Template;

use super::tally::{COLUMNS, Share, Tally};
use crate::chart::{Series, bars, thousands};
use crate::domain::{Campaign, Comment, SkeletonPart};
use crate::engine::Engine;
use crate::offline::read::Tally as ReadTally;
use crate::text::is_hidden;

/// Share of genuine comments that the default thresholds flagged at the most where it was measured (README, "What was measured").
const MEASURED_FALSE: f64 = 0.0007;
/// Rows of a table.
const ROWS: usize = 25;
/// Different fillers of a slot.
const FILLERS: usize = 5;

/// A thread in the report.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreadView {
    pub(super) title: String,
    pub(super) site: String,
    pub(super) comments: usize,
    pub(super) flagged: usize,
    pub(super) mean: String,
    pub(super) p: f64,
    pub(super) alarm: bool,
}

impl ThreadView {
    /// How probable a thread like it is among genuine ones, in words.
    fn chance(&self) -> String {
        if self.p <= 1e-9 {
            "less than 1 in a billion".to_owned()
        } else {
            format!("1 in {}", thousands((1.0 / self.p) as i64))
        }
    }
}

/// A campaign in the report.
#[derive(Debug, Clone, PartialEq)]
pub struct CampaignView {
    id: String,
    size: usize,
    authors: usize,
    articles: usize,
    first: String,
    last: String,
    skeleton: Vec<(String, Vec<String>)>,
    timeline: String,
    sample: Vec<String>,
}

/// A text in one line without hidden characters.
fn plain(text: &str, limit: usize) -> String {
    let shown: String = text
        .chars()
        .filter(|c| !is_hidden(*c) || matches!(c, '\u{200d}' | '\u{fe0f}'))
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .take(limit)
        .collect();
    if text.chars().nth(limit).is_some() { format!("{shown}…") } else { shown }
}

impl CampaignView {
    pub(super) fn of(campaign: &Campaign, size: usize, comments: &[&Comment], times: &[i64]) -> Self {
        let day = |at: Option<chrono::DateTime<chrono::Utc>>| {
            at.map_or_else(|| "–".to_owned(), |at| at.format("%-d %b %Y %H:%M").to_string())
        };
        let skeleton = campaign.skeleton.iter().map(|part| match part {
            SkeletonPart::Text(text) => (text.clone(), Vec::new()),
            SkeletonPart::Slot(fillers) => {
                let mut different: Vec<String> = fillers.clone();
                different.sort_unstable();
                different.dedup();
                let shown = different
                    .iter()
                    .take(FILLERS)
                    .map(|filler| if filler.is_empty() { "(nothing)".to_owned() } else { plain(filler, 40) });
                let mut shown: Vec<String> = shown.collect();
                if different.len() > FILLERS {
                    shown.push(format!("… {} more", different.len() - FILLERS));
                }
                (String::new(), shown)
            }
        });
        Self {
            id: campaign.id.to_string(),
            size,
            authors: campaign.authors,
            articles: campaign.articles,
            first: day(campaign.first_seen),
            last: day(campaign.last_seen),
            skeleton: skeleton.collect(),
            timeline: timeline(times),
            sample: comments.iter().take(3).map(|comment| plain(&comment.text, 300)).collect(),
        }
    }
}

/// When a campaign's comments came, in 24 parts of its time.
fn timeline(times: &[i64]) -> String {
    let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) else { return String::new() };
    let step = ((last - first) / 24 + 1).max(1);
    let mut counts = vec![0.0; 24];
    for at in times {
        if let Some(count) = counts.get_mut(((at - first) / step) as usize) {
            *count += 1.0;
        }
    }
    let labels: Vec<String> = (0..24)
        .map(|column| {
            let at = chrono::DateTime::from_timestamp(first + step * column, 0).unwrap_or_default();
            at.format("%-d %b %H:%M").to_string()
        })
        .collect();
    bars(
        "Comments of this campaign over its time",
        &labels,
        &[Series { class: "c1", name: "comments", values: &counts }],
        90.0,
    )
}

/// A row of a table of shares.
struct Row {
    name: String,
    comments: String,
    flagged: String,
    rate: String,
}

fn row((name, share): (&str, &Share)) -> Row {
    Row {
        name: plain(name, 80),
        comments: thousands(share.comments as i64),
        flagged: thousands(share.flagged as i64),
        rate: format!("{:.2} %", share.flagged as f64 / share.comments.max(1) as f64 * 100.0),
    }
}

/// Rows of shares, most comments first.
fn rows<'a>(shares: impl Iterator<Item = (&'a String, &'a Share)>) -> Vec<Row> {
    let mut all: Vec<(&String, &Share)> = shares.collect();
    all.sort_by(|a, b| b.1.comments.cmp(&a.1.comments).then(a.0.cmp(b.0)));
    all.into_iter().take(ROWS).map(|(name, share)| row((name, share))).collect()
}

#[derive(Template)]
#[template(path = "report.html")]
struct ReportPage<'a> {
    comments: String,
    flagged: String,
    rate: String,
    abstained: String,
    rejects: String,
    formats: String,
    days: String,
    expected: String,
    share: String,
    because: Vec<(String, String)>,
    campaigns: &'a [CampaignView],
    threads: &'a [ThreadView],
    alarmed: usize,
    rarities: String,
    rarity_rows: Vec<(String, String, String)>,
    inflow: String,
    inflow_rows: Vec<(String, String, String)>,
    rules: Vec<Row>,
    labels: Vec<Row>,
    shares: [(&'static str, &'a [Row]); 4],
    has_changes: bool,
    changes: [String; 4],
    ruleset: String,
    model: String,
    engine: &'static str,
}

/// The report.
pub(super) fn html(
    engine: &Engine,
    formats: &[String],
    read: &ReadTally,
    tally: &Tally,
    campaigns: &[CampaignView],
    threads: &[ThreadView],
) -> String {
    let number = |n: u64| thousands(n as i64);
    let judged = tally.all.comments - tally.abstained;
    // What the thresholds flag of genuine comments at the most, as measured; never less than what the text rule alone lets through.
    let false_share = MEASURED_FALSE.max(engine.config.text.alone_p);
    let expected = (judged as f64 * false_share).ceil().min(tally.all.flagged as f64);
    let edge = |column: usize| 10f64.powf(-(column as f64) / 2.0);
    let label = |column: usize| match column {
        0 => "common".to_owned(),
        _ => format!("1 in {}", thousands((1.0 / edge(column)).round() as i64)),
    };
    let labels: Vec<String> = (0..COLUMNS).map(label).collect();
    let observed: Vec<f64> =
        (0..COLUMNS).map(|at| tally.rarities.get(at).copied().unwrap_or(0) as f64).collect();
    let awaited: Vec<f64> = (0..COLUMNS)
        .map(|at| if at + 1 == COLUMNS { edge(at) } else { edge(at) - edge(at + 1) } * judged as f64)
        .collect();
    // The first columns hold nearly everything: shown from 1 in 10 on, where it matters.
    let from = 2;
    let tail = |values: &[f64]| values.get(from..).unwrap_or_default().to_vec();
    let (seen, genuine) = (tail(&observed), tail(&awaited));
    let more: Vec<f64> = seen.iter().zip(&genuine).map(|(a, b)| (a - b).max(0.0)).collect();
    let within: Vec<f64> = seen.iter().zip(&genuine).map(|(a, b)| a.min(*b)).collect();
    let series = [
        Series { class: "c0", name: "as many as genuine comments would be", values: &within },
        Series { class: "c2", name: "more than genuine comments would be", values: &more },
    ];
    let days: Vec<(String, Share)> = tally
        .days
        .iter()
        .map(|(day, share)| {
            let at = chrono::DateTime::from_timestamp(day * 86_400, 0).unwrap_or_default();
            (at.format("%-d %b %Y").to_string(), *share)
        })
        .collect();
    let shown = days.get(days.len().saturating_sub(120)..).unwrap_or_default();
    let day_labels: Vec<String> = shown.iter().map(|(name, _)| name.clone()).collect();
    let rest: Vec<f64> = shown.iter().map(|(_, share)| (share.comments - share.flagged) as f64).collect();
    let flagged: Vec<f64> = shown.iter().map(|(_, share)| share.flagged as f64).collect();
    let inflow = [
        Series { class: "c0", name: "not flagged", values: &rest },
        Series { class: "c2", name: "flagged", values: &flagged },
    ];
    let (sections, languages) = (rows(tally.sections.iter()), rows(tally.languages.iter()));
    let lengths: Vec<Row> = tally.lengths_in_order().iter().map(|(name, share)| row((name, share))).collect();
    let sites = rows(tally.sites.iter());
    let page = ReportPage {
        comments: number(tally.all.comments),
        flagged: number(tally.all.flagged),
        rate: format!("{:.2} %", tally.all.flagged as f64 / tally.all.comments.max(1) as f64 * 100.0),
        abstained: number(tally.abstained),
        rejects: number(read.rejects),
        formats: if formats.is_empty() { "store".to_owned() } else { formats.join(", ") },
        days: match (days.first(), days.last()) {
            (Some((first, _)), Some((last, _))) => format!("{first} to {last}"),
            _ => "without dates".to_owned(),
        },
        expected: thousands(expected as i64),
        share: format!("{:.2} %", false_share * 100.0),
        because: tally.because.iter().map(|(name, count)| (name.clone(), number(*count))).collect(),
        campaigns,
        alarmed: threads.iter().filter(|thread| thread.alarm).count(),
        threads: threads.get(..threads.len().min(100)).unwrap_or_default(),
        rarities: bars(
            "Judged comments by how rare their wording is among genuine ones, from 1 in 10 on",
            labels.get(from..).unwrap_or_default(),
            &series,
            200.0,
        ),
        rarity_rows: labels
            .iter()
            .zip(observed.iter().zip(&awaited))
            .map(|(label, (seen, genuine))| (label.clone(), thousands(*seen as i64), format!("{genuine:.1}")))
            .collect(),
        inflow: bars("Comments by day", &day_labels, &inflow, 180.0),
        inflow_rows: shown
            .iter()
            .map(|(day, share)| (day.clone(), number(share.comments), number(share.flagged)))
            .collect(),
        shares: [
            ("By section", &sections),
            ("By language", &languages),
            ("By length", &lengths),
            ("By site", &sites),
        ],
        rules: rows(tally.rules.iter().filter(|(_, share)| share.flagged > 0)),
        labels: rows(tally.labels.iter()),
        has_changes: tally.changes != super::tally::Changes::default(),
        changes: [
            tally.changes.caught,
            tally.changes.caught_approved,
            tally.changes.spared,
            tally.changes.spared_rejected,
        ]
        .map(number),
        ruleset: engine.rules.digest().to_owned(),
        model: engine.model.digest().to_owned(),
        engine: crate::engine::VERSION,
    };
    page.render().unwrap_or_default()
}
