//! Two rulesets on the same comments: which verdicts flip, with what evidence, and how both fare against what people say of the comments.

use std::collections::BTreeMap;

use askama::Template;
use serde::Serialize;

use super::judge::{Mode, judge};
use super::records::Articles;
use crate::chart::thousands;
use crate::domain::{Assessment, Comment, Label, Verdict};
use crate::engine::Engine;
use crate::text::is_hidden;

/// Flips of each kind that are told one by one.
const SHOWN: usize = 100;
/// Pieces of evidence told of a flip.
const PIECES: usize = 6;

/// How a ruleset fares against labels.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Fare {
    /// Flagged comments.
    pub flagged: usize,
    /// Flagged ones that are labelled machine or spam.
    pub right: usize,
    /// Flagged ones that are labelled human.
    pub wrong: usize,
    /// Labelled machine or spam, and not flagged.
    pub missed: usize,
    /// Share of the flagged labelled ones that are right; none where none is labelled.
    pub precision: Option<f64>,
    /// Its 95 % interval.
    pub precision_interval: Option<(f64, f64)>,
    /// Share of those labelled machine or spam that are flagged.
    pub recall: Option<f64>,
    /// Its 95 % interval.
    pub recall_interval: Option<(f64, f64)>,
}

/// The 95 % interval of a share (Wilson, 1927).
pub fn wilson(hits: usize, n: usize) -> Option<(f64, f64)> {
    if n == 0 {
        return None;
    }
    let (n, share, z) = (n as f64, hits as f64 / n as f64, 1.96);
    let middle = (share + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    Some(((middle - half).max(0.0), (middle + half).min(1.0)))
}

impl Fare {
    pub(super) fn add(&mut self, flagged: bool, label: Option<Label>) {
        self.flagged += usize::from(flagged);
        match (flagged, label) {
            (true, Some(Label::Human)) => self.wrong += 1,
            (true, Some(_)) => self.right += 1,
            (false, Some(Label::Machine | Label::Spam)) => self.missed += 1,
            _ => {}
        }
    }

    pub(super) fn finish(&mut self) {
        let share = |hits: usize, n: usize| (n > 0).then(|| hits as f64 / n as f64);
        let (known, all) = (self.right + self.wrong, self.right + self.missed);
        self.precision = share(self.right, known);
        self.precision_interval = wilson(self.right, known);
        self.recall = share(self.right, all);
        self.recall_interval = wilson(self.right, all);
    }
}

/// A comment whose verdict is another one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flip {
    /// Its site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Its id.
    pub id: String,
    /// What people or a data set say of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
    /// Its text.
    pub text: String,
    /// Scores before and after.
    pub scores: (f64, f64),
    /// Evidence that is new, or weighs more: what, and by how much.
    pub gained: Vec<(String, f64)>,
    /// Evidence that is gone, or weighs less.
    pub lost: Vec<(String, f64)>,
}

/// How often a rule hit under each ruleset.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RuleHits {
    /// Under the old one.
    pub old: usize,
    /// Under the new one.
    pub new: usize,
    /// Of the new hits, on comments labelled human.
    pub human: usize,
    /// Of the new hits, on comments labelled machine or spam.
    pub machine: usize,
}

/// A comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Backtest {
    /// Comments judged.
    pub comments: usize,
    /// Digests of the two rulesets.
    pub rulesets: (String, String),
    /// How the old one fares.
    pub old: Fare,
    /// How the new one fares.
    pub new: Fare,
    /// Flagged by the new one alone: those that people approved first.
    pub caught: Vec<Flip>,
    /// Flagged by the old one alone: those that people rejected first.
    pub spared: Vec<Flip>,
    /// How many flips there are of each kind.
    pub flips: (usize, usize),
    /// How many of the newly caught are known to be by people.
    pub caught_human: usize,
    /// Rules whose hits differ, or that hit at all, by id.
    pub rules: BTreeMap<String, RuleHits>,
}

/// Judges comments by two rulesets, against their labels. What is `trusted`, one entry a comment or none at all, is flagged by neither.
pub fn compare(
    old: &Engine,
    new: &Engine,
    comments: &[Comment],
    trusted: &[bool],
    articles: &Articles,
) -> Backtest {
    let before = judge(old, comments, articles, Mode::Whole).assessments;
    let after = judge(new, comments, articles, Mode::Whole).assessments;
    let mut out = Backtest {
        comments: comments.len(),
        rulesets: (old.rules.digest().to_owned(), new.rules.digest().to_owned()),
        old: Fare::default(),
        new: Fare::default(),
        caught: Vec::new(),
        spared: Vec::new(),
        flips: (0, 0),
        caught_human: 0,
        rules: BTreeMap::new(),
    };
    let trusted = trusted.iter().chain(std::iter::repeat(&false));
    for ((comment, trusted), (before, after)) in comments.iter().zip(trusted).zip(before.iter().zip(&after)) {
        let flags = |assessment: &Assessment| assessment.verdict != Verdict::Allow && !trusted;
        let (was, is, label) = (flags(before), flags(after), comment.label);
        out.old.add(was, label);
        out.new.add(is, label);
        hits(&mut out.rules, before, after, label);
        if was == is {
            continue;
        }
        let flip = flip(comment, label, before, after);
        if is {
            out.caught.push(flip);
        } else {
            out.spared.push(flip);
        }
    }
    out.old.finish();
    out.new.finish();
    out.flips = (out.caught.len(), out.spared.len());
    out.caught_human = out.caught.iter().filter(|flip| flip.label == Some(Label::Human)).count();
    // A mistake comes before everything else.
    out.caught.sort_by_key(|flip| flip.label != Some(Label::Human));
    out.spared.sort_by_key(|flip| !matches!(flip.label, Some(Label::Machine | Label::Spam)));
    out.caught.truncate(SHOWN);
    out.spared.truncate(SHOWN);
    out
}

fn names(assessment: &Assessment) -> Vec<&str> {
    let mut names: Vec<&str> = assessment.evidence.iter().filter_map(|one| one.rule.as_deref()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn hits(
    rules: &mut BTreeMap<String, RuleHits>,
    before: &Assessment,
    after: &Assessment,
    label: Option<Label>,
) {
    for name in names(before) {
        rules.entry(name.to_owned()).or_default().old += 1;
    }
    for name in names(after) {
        let hits = rules.entry(name.to_owned()).or_default();
        hits.new += 1;
        match label {
            Some(Label::Human) => hits.human += 1,
            Some(_) => hits.machine += 1,
            None => {}
        }
    }
}

/// Evidence by what it says, with its points.
fn weights(assessment: &Assessment) -> BTreeMap<String, f64> {
    let mut weights = BTreeMap::new();
    for one in &assessment.evidence {
        let what = one.rule.as_deref().unwrap_or(&one.signal);
        *weights.entry(what.to_owned()).or_default() += one.points;
    }
    weights
}

fn flip(comment: &Comment, label: Option<Label>, before: &Assessment, after: &Assessment) -> Flip {
    let (old, new) = (weights(before), weights(after));
    let mut changes: Vec<(String, f64)> = old
        .keys()
        .chain(new.keys())
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .map(|what| {
            let of = |weights: &BTreeMap<String, f64>| weights.get(what).copied().unwrap_or(0.0);
            (what.clone(), ((of(&new) - of(&old)) * 1e4).round() / 1e4)
        })
        .filter(|(_, change)| change.abs() >= 0.005)
        .collect();
    changes.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    let (mut gained, mut lost): (Vec<_>, Vec<_>) = changes.into_iter().partition(|(_, change)| *change > 0.0);
    gained.truncate(PIECES);
    lost.truncate(PIECES);
    Flip {
        site: comment.site.as_ref().map(ToString::to_string),
        id: comment.id.to_string(),
        label,
        text: comment.text.chars().filter(|c| !is_hidden(*c)).take(400).collect(),
        scores: (before.score, after.score),
        gained,
        lost,
    }
}

#[derive(Template)]
#[template(path = "backtest.html")]
struct Page<'a> {
    it: &'a Backtest,
    comments: String,
    rows: Vec<(&'static str, [String; 5])>,
    kinds: [(&'static str, usize, &'a [Flip]); 2],
    rules: Vec<(&'a String, &'a RuleHits)>,
}

impl Page<'_> {
    /// Evidence in a line.
    #[expect(clippy::unused_self, reason = "templates reach it through the page")]
    fn told(&self, pieces: &[(String, f64)]) -> String {
        pieces.iter().map(|(what, points)| format!("{what} {points:+.2}")).collect::<Vec<_>>().join(", ")
    }

    /// A label's word.
    #[expect(clippy::unused_self, reason = "templates reach it through the page")]
    fn label(&self, flip: &Flip) -> &'static str {
        match flip.label {
            Some(Label::Human) => "approved or human",
            Some(Label::Machine) => "rejected or machine",
            Some(Label::Spam) => "spam",
            None => "",
        }
    }
}

impl Backtest {
    /// The comparison as a page that needs nothing from anywhere.
    pub fn html(&self) -> String {
        let share = |value: Option<f64>, interval: Option<(f64, f64)>| match (value, interval) {
            (Some(value), Some((low, high))) => {
                format!("{:.1} % ({:.1}–{:.1})", value * 100.0, low * 100.0, high * 100.0)
            }
            _ => "–".to_owned(),
        };
        let row = |fare: &Fare| {
            [
                thousands(fare.flagged as i64),
                thousands(fare.right as i64),
                thousands(fare.wrong as i64),
                share(fare.precision, fare.precision_interval),
                share(fare.recall, fare.recall_interval),
            ]
        };
        let mut rules: Vec<(&String, &RuleHits)> = self.rules.iter().collect();
        rules.sort_by_key(|(name, hits)| (std::cmp::Reverse(hits.old.abs_diff(hits.new)), *name));
        let page = Page {
            it: self,
            comments: thousands(self.comments as i64),
            rows: vec![("old", row(&self.old)), ("new", row(&self.new))],
            kinds: [
                ("Newly caught", self.flips.0, &self.caught),
                ("Newly spared", self.flips.1, &self.spared),
            ],
            rules,
        };
        page.render().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::engine::Model;
    use crate::rules::RuleSet;

    #[test]
    fn a_flip_is_told_with_the_evidence_that_made_it() {
        let today = chrono::NaiveDate::from_ymd_opt(2026, 11, 25).unwrap();
        let old = Engine {
            rules: RuleSet::load(None, today).unwrap(),
            model: Model::shipped().unwrap(),
            config: Config::default(),
        };
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("own.toml"),
            "[pack]\nid = \"own\"\nlang = [\"en\"]\n[[group]]\nid = \"own\"\ncap = 6.0\n[[rule]]\nid = \"goats\"\nkind = \"phrases\"\nphrases = [\"seven goats\"]\npoints = 5.0\ngroup = \"own\"\nstatus = \"live\"\nadded = 2026-11-24\nmessage = \"goats\"\n[[rule.test]]\ntext = \"seven goats\"\nhits = true\n",
        )
        .unwrap();
        let new = Engine { rules: RuleSet::load(Some(dir.path()), today).unwrap(), ..old.clone() };
        let comments: Vec<Comment> = [
            "My neighbour keeps seven goats behind the old mill and I say let him.",
            "The bus was late again, I walked home in the rain with two bags.",
        ]
        .iter()
        .enumerate()
        .map(|(id, text)| Comment {
            id: id.to_string().into(),
            text: (*text).to_owned(),
            label: Some(Label::Human),
            ..Comment::default()
        })
        .collect();
        let trusted = compare(&old, &new, &comments, &[true, true], &Articles::default());
        assert_eq!((trusted.flips, trusted.new.flagged), ((0, 0), 0));
        let it = compare(&old, &new, &comments, &[], &Articles::default());
        assert_eq!((it.flips, it.caught[0].id.as_str()), ((1, 0), "0"));
        assert_eq!(it.caught[0].gained[0].0, "own/goats");
        assert_eq!((it.new.wrong, it.new.precision), (1, Some(0.0)));
        assert_eq!(it.rules["own/goats"], RuleHits { old: 0, new: 1, human: 1, machine: 0 });
        assert!(it.html().contains("own/goats"));
    }
}
