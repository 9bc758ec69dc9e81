//! Running the test cases that stand beside the rules.

use super::compile::RuleSet;
use super::guard::Facts;
use crate::text::{Analysis, Context, Language};

/// A case that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The rule's full id.
    pub rule: String,
    /// The case's text.
    pub text: String,
    /// Whether a hit was expected.
    pub expected: bool,
}

/// What a run of the self-tests found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Rules with at least one case.
    pub rules: usize,
    /// Cases run.
    pub cases: usize,
    /// Cases that failed.
    pub failures: Vec<Failure>,
    /// Rules without a case that must hit.
    pub untested: Vec<String>,
}

/// Runs every rule's cases. A case is read in the pack's language, so that a short text tests its rule and not the guess.
pub fn run(rules: &RuleSet) -> Report {
    let mut report = Report::default();
    for (at, rule) in rules.rules().iter().enumerate() {
        let lang = rule.langs.as_ref().and_then(|langs| langs.first().copied()).unwrap_or(Language::ENGLISH);
        if !rule.tests.iter().any(|case| case.hits) {
            report.untested.push(rule.id.clone());
        }
        report.rules += usize::from(!rule.tests.is_empty());
        for case in &rule.tests {
            report.cases += 1;
            let analysis = Analysis::new(&case.text, &Context { lang: Some(lang), ..Context::default() });
            let mut facts = facts(&analysis);
            let hit = rules.matches(&analysis, &mut facts).iter().any(|hit| hit.rule == at);
            if hit != case.hits {
                report.failures.push(Failure {
                    rule: rule.id.clone(),
                    text: case.text.clone(),
                    expected: case.hits,
                });
            }
        }
    }
    report
}

/// The facts that the text alone gives.
pub fn facts(analysis: &Analysis<'_>) -> Facts {
    let stats = analysis.stats();
    let counts = analysis.folded().counts();
    let mut facts = Facts::default();
    for (name, value) in [
        ("words", stats.words),
        ("sentences", stats.sentences),
        ("chars", stats.chars),
        ("links", stats.links),
        ("mentions", stats.mentions),
        ("emoji", stats.emoji),
        ("hidden_characters", counts.hidden_characters),
        ("confusable_words", counts.confusable_words + counts.marked_words),
        ("folded_words", counts.spaced_words + counts.leet_words),
    ] {
        facts.set_number(name, f64::from(value));
    }
    facts.set_flag("quoted", stats.quoted);
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_rule_passes_its_own_tests() {
        let rules = RuleSet::load(None, chrono::NaiveDate::from_ymd_opt(2026, 11, 24).unwrap())
            .unwrap_or_else(|e| panic!("{e}"));
        let report = run(&rules);
        assert!(report.failures.is_empty(), "{:#?}", report.failures);
        assert!(report.untested.is_empty(), "{:?}", report.untested);
        assert!(report.cases >= 2 * report.rules);
    }
}
