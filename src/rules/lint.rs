//! Lints for rule authors: rules that never hit, duplicate, shadow each other, or hit what people write.

use std::collections::BTreeMap;

use super::compile::RuleSet;
use super::format::{Kind, Status};
use super::selftest;
use crate::text::{Analysis, Context, Language};

/// One remark about a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The rule's full id.
    pub rule: String,
    /// The lint's name.
    pub lint: &'static str,
    /// What is wrong and how to mend it.
    pub message: String,
    /// Whether `rules check` fails for it.
    pub fails: bool,
}

/// A rule with points of at least this much may hit this share of genuine comments at most.
const STRONG_POINTS: f64 = 0.5;
/// The largest share of the genuine sample that a strong rule may hit.
const BROAD_SHARE: f64 = 0.02;

/// Lints a ruleset. `genuine` is a sample of comments by people that no strong rule should hit, `signals` the names that may be given
/// a weight.
pub fn lint(rules: &RuleSet, genuine: &[&str], signals: &[&str]) -> Vec<Remark> {
    let mut remarks = Vec::new();
    for signal in rules.weighed_signals().filter(|signal| !signals.contains(signal)) {
        remarks.push(Remark {
            rule: signal.to_owned(),
            lint: "unknown-signal",
            message: format!("gets a weight, but there is no such signal; known: {}", signals.join(", ")),
            fails: true,
        });
    }
    duplicates(rules, &mut remarks);
    dead(rules, &mut remarks);
    overlaps(rules, &mut remarks);
    broad(rules, genuine, &mut remarks);
    remarks
}

/// Two rules with one and the same pattern.
fn duplicates(rules: &RuleSet, remarks: &mut Vec<Remark>) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for rule in rules.rules().iter().filter(|r| r.kind != Kind::Condition) {
        for pattern in rule.pattern.split('\n') {
            let key = format!("{:?}|{pattern}|{:?}|{:?}", rule.kind, rule.at, rule.langs);
            if let Some(first) = seen.insert(key, &rule.id)
                && first != rule.id
            {
                remarks.push(Remark {
                    rule: rule.id.clone(),
                    lint: "duplicate",
                    message: format!("has the same pattern as {first}: delete one"),
                    fails: true,
                });
            }
        }
    }
}

/// A rule without points that is live, or whose guards contradict a condition's needs.
fn dead(rules: &RuleSet, remarks: &mut Vec<Remark>) {
    for rule in rules.rules() {
        if rule.status == Status::Live && rule.written_points == 0.0 {
            remarks.push(Remark {
                rule: rule.id.clone(),
                lint: "dead",
                message: "is live with 0 points: give it points or make it shadow".to_owned(),
                fails: false,
            });
        }
        for guard in &rule.when {
            if rule.unless.contains(guard) {
                remarks.push(Remark {
                    rule: rule.id.clone(),
                    lint: "unreachable",
                    message: "one guard stands in both `when` and `unless`: it can never hit".to_owned(),
                    fails: true,
                });
            }
            if let super::guard::Guard::Rule(id, true) = guard
                && rules.rule(id).is_none()
            {
                remarks.push(Remark {
                    rule: rule.id.clone(),
                    lint: "unreachable",
                    message: format!("waits for rule {id}, which does not exist or is not compiled"),
                    fails: true,
                });
            }
        }
    }
}

/// A rule whose every positive test is hit by another rule of the same group, with at least its points.
fn overlaps(rules: &RuleSet, remarks: &mut Vec<Remark>) {
    for (at, rule) in rules.rules().iter().enumerate() {
        let cases: Vec<&str> =
            rule.tests.iter().filter(|case| case.hits).map(|case| case.text.as_str()).collect();
        if cases.is_empty() || rule.kind == Kind::Condition {
            continue;
        }
        let lang = rule.langs.as_ref().and_then(|l| l.first().copied()).unwrap_or(Language::ENGLISH);
        let mut others: Option<Vec<usize>> = None;
        for text in &cases {
            let analysis = Analysis::new(text, &Context { lang: Some(lang), ..Context::default() });
            let hits = rules.matches(&analysis, &mut selftest::facts(&analysis));
            let mine =
                hits.iter().find(|hit| hit.rule == at).map(|hit| hit.spans.clone()).unwrap_or_default();
            let now: Vec<usize> = hits
                .iter()
                .filter(|hit| {
                    hit.rule != at
                        && hit.spans == mine
                        && rules.rules().get(hit.rule).is_some_and(|r| r.group == rule.group)
                })
                .map(|hit| hit.rule)
                .collect();
            others = Some(
                others.map_or(now.clone(), |before| before.into_iter().filter(|o| now.contains(o)).collect()),
            );
        }
        for other in others.into_iter().flatten().filter(|other| *other < at || cases.len() > 1) {
            let name = rules.rules().get(other).map(|r| r.id.as_str()).unwrap_or_default();
            remarks.push(Remark { rule: rule.id.clone(), lint: "overlapping", message: format!("every test of it is also hit by {name}, on the same words: merge them or add a test that tells them apart"), fails: false });
        }
    }
}

/// A strong rule that hits more of the genuine sample than it may.
fn broad(rules: &RuleSet, genuine: &[&str], remarks: &mut Vec<Remark>) {
    let mut hits: BTreeMap<usize, (usize, &str)> = BTreeMap::new();
    for text in genuine {
        let analysis = Analysis::alone(text);
        for hit in rules.matches(&analysis, &mut selftest::facts(&analysis)) {
            let entry = hits.entry(hit.rule).or_insert((0, text));
            entry.0 += 1;
        }
    }
    let limit = (genuine.len() as f64 * BROAD_SHARE).max(1.0);
    for (at, (count, example)) in hits {
        let Some(rule) = rules.rules().get(at) else { continue };
        if rule.points >= STRONG_POINTS && count as f64 > limit {
            remarks.push(Remark {
                rule: rule.id.clone(),
                lint: "too-broad",
                message: format!("hits {count} of {} genuine sample comments (\"{}\"): narrow it or give it fewer than {STRONG_POINTS} points", genuine.len(), crate::text::truncate::truncate(example, 80)),
                fails: true,
            });
        }
    }
}
