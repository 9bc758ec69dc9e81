//! Stage one: a comment's text -> points -> p.

use std::collections::BTreeMap;

use super::explain;
use super::model::Model;
use crate::config::Config;
use crate::domain::{Comment, Evidence, Level, Span};
use crate::rules::{Facts, RuleSet};
use crate::signals::{Finding, History, NoHistory, SIGNALS, Signal, Subject};
use crate::text::truncate::MAX_JUDGED_BYTES;
use crate::text::{Analysis, Language, Reference};

/// Name of the text model's evidence.
pub const MODEL_SIGNAL: &str = "text-model";
/// Most that all rules together add, either sign; groups with a larger cap of their own are exempt (self-revealing text).
const RULES_CAP: f64 = 3.0;

/// Rules, model and thresholds: everything that judging needs.
#[derive(Debug, Clone)]
pub struct Engine {
    /// The rules.
    pub rules: RuleSet,
    /// The text model.
    pub model: Model,
    /// The thresholds.
    pub config: Config,
}

/// What stage one says of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct TextScore {
    /// Natural-log odds of the text, all parts added.
    pub points: f64,
    /// The share of genuine comments whose text scores at least as high, in (0, 1].
    pub p: f64,
    /// True when the text was not judged.
    pub abstained: bool,
    /// The largest points of a single live rule.
    pub strongest_rule: f64,
    /// Words judged.
    pub words: u32,
    /// Disguised words and hidden characters.
    pub disguised: u32,
}

impl Engine {
    /// Judges a comment's text. With `evidence`, also says why; the evidence's points add up to the total.
    pub fn score_text(
        &self,
        comment: &Comment,
        analysis: &Analysis<'_>,
        article: Option<&Reference>,
        evidence: Option<&mut Vec<Evidence>>,
    ) -> TextScore {
        let stats = analysis.stats();
        let counts = analysis.folded().counts();
        let mut score = TextScore {
            points: 0.0,
            p: 1.0,
            abstained: true,
            strongest_rule: 0.0,
            words: stats.words,
            disguised: counts.covert(),
        };
        let language = analysis.language();
        let judged = stats.words > 0 && language.is_some_and(|l| self.rules.has_language(l));
        let facts = facts_of(comment, analysis, article);
        let mut findings =
            self.findings(comment, analysis, article, &facts, &NoHistory, |level| level == Level::Text);
        score.strongest_rule = findings
            .iter()
            .filter_map(|(_, finding)| finding.rule.and_then(|at| self.rules.rules().get(at)))
            .map(|rule| rule.points)
            .fold(0.0, f64::max);
        let mut evidence = evidence;
        if analysis.is_cut()
            && let Some(out) = evidence.as_deref_mut()
        {
            out.push(Evidence {
                signal: MODEL_SIGNAL.into(),
                rule: None,
                points: 0.0,
                level: Level::Text,
                spans: vec![],
                message: format!("very long: only the first {} KiB were judged", MAX_JUDGED_BYTES / 1024),
            });
        }
        if !judged {
            if let Some(out) = evidence {
                findings.retain(|(_, finding)| {
                    finding.rule.is_some() || score.disguised >= self.config.text.hidden_words
                });
                out.extend(self.weigh(&findings).into_iter().map(|mut e| {
                    e.points = 0.0;
                    e
                }));
            }
            return score;
        }
        score.abstained = false;
        let weighed = self.weigh(&findings);
        // A language with rules but without the model starts where the middle of genuine comments is.
        let logit = if language == Some(Language::ENGLISH) {
            f64::from(self.model.logit(analysis))
        } else {
            self.model.reference().median()
        };
        score.points = logit + weighed.iter().map(|e| e.points).sum::<f64>();
        score.p = self.model.reference().p(score.points as f32);
        if score.p <= self.config.text.odd_spelling_p {
            score.disguised += counts.odd_words();
        }
        if let Some(out) = evidence {
            out.extend(weighed);
            if language == Some(Language::ENGLISH) {
                explain::model_evidence(&self.model, analysis, logit, out);
            } else {
                out.push(Evidence {
                    signal: MODEL_SIGNAL.into(),
                    rule: None,
                    points: logit,
                    level: Level::Text,
                    spans: vec![],
                    message: "the text model knows English only: counted as an average genuine comment"
                        .to_owned(),
                });
            }
        }
        score
    }

    /// Text points of rules and signals without the model's: what the trainer adds to a model's logit.
    pub fn other_text_points(&self, comment: &Comment, analysis: &Analysis<'_>) -> f64 {
        let facts = facts_of(comment, analysis, None);
        let findings =
            self.findings(comment, analysis, None, &facts, &NoHistory, |level| level == Level::Text);
        self.weigh(&findings).iter().map(|e| e.points).sum()
    }

    /// Evidence of the second stage: thread and history.
    pub fn context_evidence(
        &self,
        comment: &Comment,
        analysis: &Analysis<'_>,
        article: Option<&Reference>,
        history: &dyn History,
    ) -> Vec<Evidence> {
        let facts = facts_of(comment, analysis, article);
        let findings =
            self.findings(comment, analysis, article, &facts, history, |level| level != Level::Text);
        self.weigh(&findings)
    }

    fn findings(
        &self,
        comment: &Comment,
        analysis: &Analysis<'_>,
        article: Option<&Reference>,
        facts: &Facts,
        history: &dyn History,
        wanted: impl Fn(Level) -> bool,
    ) -> Vec<(&'static dyn Signal, Finding)> {
        let mut facts = facts.clone();
        let mut all = Vec::new();
        let mut found = Vec::new();
        for &signal in SIGNALS.iter().filter(|signal| wanted(signal.level())) {
            let subject = Subject { comment, analysis, article, rules: &self.rules, history, facts: &facts };
            signal.examine(&subject, &mut found);
            let strength: f64 = found.iter().map(|f| f.strength).sum();
            if strength != 0.0 {
                facts.signals.insert(signal.id(), strength);
            }
            all.extend(found.drain(..).map(|finding| (signal, finding)));
        }
        all
    }

    /// Turns findings into points: rules by their own points, signals by their weights; caps shrink what exceeds them evenly.
    fn weigh(&self, findings: &[(&'static dyn Signal, Finding)]) -> Vec<Evidence> {
        let mut evidence: Vec<Evidence> = Vec::with_capacity(findings.len());
        // Cap of each evidence's bucket: a rule group, or a signal.
        let mut buckets = Buckets::new();
        let mut exempt: Vec<bool> = Vec::new();
        for (signal, finding) in findings {
            let rule = finding.rule.and_then(|at| self.rules.rules().get(at));
            let (points, key, cap) = if let Some(rule) = rule {
                let cap = rule.group.and_then(|g| self.rules.groups().get(g)).map_or(RULES_CAP, |g| g.cap);
                (finding.strength, (Some(rule.group.map_or(0, |g| g + 1)), signal.id()), cap)
            } else {
                let weight = self.rules.signal_weight(signal.id());
                (finding.strength * weight.weight, (None, signal.id()), weight.cap)
            };
            exempt.push(rule.is_none() || cap > RULES_CAP);
            buckets.entry(key).or_insert_with(|| (Vec::new(), cap)).0.push(evidence.len());
            evidence.push(Evidence {
                signal: signal.id().into(),
                rule: rule.map(|r| r.id.clone()),
                points,
                level: signal.level(),
                spans: finding.spans.clone(),
                message: finding.message.clone(),
            });
        }
        for (members, cap) in buckets.values() {
            shrink(&mut evidence, members, *cap);
        }
        let rules: Vec<usize> =
            exempt.iter().enumerate().filter(|(_, exempt)| !**exempt).map(|(at, _)| at).collect();
        shrink(&mut evidence, &rules, RULES_CAP);
        evidence
    }
}

/// What guards may ask about the comment before any signal has run.
fn facts_of(comment: &Comment, analysis: &Analysis<'_>, article: Option<&Reference>) -> Facts {
    let mut facts = crate::rules::selftest::facts(analysis);
    facts.set_flag("reply", comment.parent_id.is_some());
    facts.set_flag("has_article", article.is_some());
    facts.set_number("article_words", article.map_or(0.0, |a| f64::from(a.words())));
    facts
}

/// The cap of a rule group or a signal, and which evidence falls under it.
type Buckets = BTreeMap<(Option<usize>, &'static str), (Vec<usize>, f64)>;

/// Scales the points of `members` down evenly so that their sum stays within the cap, either sign.
fn shrink(evidence: &mut [Evidence], members: &[usize], cap: f64) {
    let sum: f64 = members.iter().filter_map(|at| evidence.get(*at)).map(|e| e.points).sum();
    if sum.abs() > cap {
        let factor = cap / sum.abs();
        for at in members {
            if let Some(e) = evidence.get_mut(*at) {
                e.points *= factor;
            }
        }
    }
}

/// The raw bytes that evidence points at, for a highlight: overlapping spans merged.
pub fn highlighted(evidence: &[Evidence]) -> Vec<Span> {
    let mut spans: Vec<Span> =
        evidence.iter().filter(|e| e.points > 0.0).flat_map(|e| e.spans.iter().copied()).collect();
    spans.sort_unstable();
    let mut merged: Vec<Span> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start <= last.end => *last = last.cover(span),
            _ => merged.push(span),
        }
    }
    merged
}
