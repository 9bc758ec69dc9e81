//! A rule drafted from comments that share a template: the sentence that they share most of, with gaps where they differ, a self-test that hits and a near miss.
//!
//! The draft is a whole rule file of one rule with status `shadow`: it is matched and counted, and no verdict depends on it until somebody makes it `live`.

use std::fmt::Write as _;

use super::compile::RuleSet;
use super::load::{Source, parse_file};
use super::{RuleErrors, selftest};
use crate::domain::SkeletonPart;
use crate::similarity::align::{MOST_MEMBERS, skeleton};
use crate::text::{Analysis, Context};

/// What the ids of drafted packs and their groups begin with.
pub const PREFIX: &str = "desk.";
/// The fewest shared words that make a pattern worth having.
const FEWEST_WORDS: usize = 5;
/// Words of the longest gap that a template may have.
const LONGEST_GAP: usize = 8;
/// Words of the longest pattern.
const LONGEST: usize = 24;
/// Of a text, the first sentences, and of a sentence the first words, are looked at.
const MOST_SENTENCES: usize = 12;
const MOST_WORDS: usize = 60;

/// Lower-case words of each sentence of a text.
fn sentences(text: &str) -> Vec<Vec<String>> {
    let analysis = Analysis::new(text, &Context::default());
    let mut all: Vec<(u32, Vec<String>)> = Vec::new();
    for token in analysis.judged().filter(|token| token.is_wordlike()) {
        let word = analysis.lower(token).to_owned();
        match all.last_mut() {
            Some((sentence, words)) if *sentence == token.sentence => words.push(word),
            _ => all.push((token.sentence, vec![word])),
        }
        if all.len() > MOST_SENTENCES {
            all.pop();
            break;
        }
    }
    for (_, words) in &mut all {
        words.truncate(MOST_WORDS);
    }
    all.into_iter().map(|(_, words)| words).collect()
}

/// Of some sentences the one most like `own`: by shared words.
fn nearest<'a>(own: &[String], others: &'a [Vec<String>]) -> Option<&'a Vec<String>> {
    let words: std::collections::HashSet<&String> = own.iter().collect();
    let shared = |other: &&Vec<String>| other.iter().filter(|word| words.contains(word)).count();
    others.iter().max_by_key(shared).filter(|other| shared(other) * 2 >= own.len().min(other.len()))
}

/// The pattern of the sentence that texts share most of, and that sentence in the first text.
fn pattern(texts: &[&str]) -> Option<(String, Vec<String>)> {
    let texts = texts.get(..texts.len().min(MOST_MEMBERS)).unwrap_or_default();
    let all: Vec<Vec<Vec<String>>> = texts.iter().map(|text| sentences(text)).collect();
    let (first, others) = all.split_first()?;
    let candidates = first.iter().filter_map(|own| {
        let mut members = vec![own.clone()];
        members.extend(others.iter().filter_map(|other| nearest(own, other).cloned()));
        // Most members have to have the sentence.
        if members.len() * 3 < all.len() * 2 {
            return None;
        }
        let (pattern, shared) = template(&skeleton(&members))?;
        Some((shared, pattern, own.clone()))
    });
    let best = candidates.max_by_key(|(shared, ..)| *shared);
    best.filter(|(shared, ..)| *shared >= FEWEST_WORDS).map(|(_, pattern, own)| (pattern, own))
}

/// A skeleton as a template, and how many words are fixed in it. Gaps at either end say nothing and are left out; where a gap is too long
/// the longer side is kept.
fn template(parts: &[SkeletonPart]) -> Option<(String, usize)> {
    let mut runs: Vec<Vec<String>> = vec![Vec::new()];
    let mut gap: Option<usize> = None;
    for part in parts {
        match part {
            SkeletonPart::Slot(fillers) => {
                let longest =
                    fillers.iter().map(|filler| filler.split_whitespace().count()).max().unwrap_or(0);
                gap = Some(gap.unwrap_or(0) + longest);
            }
            SkeletonPart::Text(text) => {
                match gap.take() {
                    Some(long) if long > LONGEST_GAP => runs.push(Vec::new()),
                    Some(long) if long > 0 && runs.last().is_some_and(|run| !run.is_empty()) => {
                        if let Some(run) = runs.last_mut() {
                            run.push(format!("{{0,{long}}}"));
                        }
                    }
                    _ => {}
                }
                for word in text.split_whitespace() {
                    let plain = word.chars().all(|c| c.is_alphanumeric() || matches!(c, '\'' | '-'));
                    if let Some(run) = runs.last_mut().filter(|run| run.len() < LONGEST) {
                        run.push(if plain { word.to_owned() } else { "_".to_owned() });
                    }
                }
            }
        }
    }
    let fixed = |run: &Vec<String>| run.iter().filter(|word| !word.starts_with('{') && *word != "_").count();
    let mut best = runs.into_iter().max_by_key(fixed)?;
    while best.last().is_some_and(|word| word.starts_with('{')) {
        best.pop();
    }
    let count = fixed(&best);
    (count > 0).then(|| (best.join(" "), count))
}

/// A text as a TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Drafts a rule file from texts that share a template. `id` names the pack, `message` is what a moderator will read.
///
/// # Errors
/// When they share no sentence that makes a pattern.
pub fn from_texts(
    id: &str,
    texts: &[&str],
    today: chrono::NaiveDate,
    message: &str,
) -> Result<String, String> {
    let (pattern, own) =
        pattern(texts).ok_or("the comments share no sentence of which a pattern could be made")?;
    let near_miss = |words: Vec<&String>| words.into_iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    // Half of the sentence, else its words the other way round.
    let half = near_miss(own.iter().take(own.len() / 2).collect());
    let reversed = near_miss(own.iter().rev().collect());
    let write = |miss: &str| {
        let mut text = String::new();
        let _ = write!(
            text,
            "[pack]\nid = {}\ntitle = \"Drafted from a campaign\"\nlang = [\"*\"]\nowner = \"desk\"\n\n[[group]]\nid = {}\ncap = 1.5\n\n\
             [[rule]]\nid = \"template\"\nkind = \"template\"\ntemplate = {}\npoints = 1.0\ngroup = {}\nstatus = \"shadow\"\nadded = {today}\nmessage = {}\n\n\
             [[rule.test]]\ntext = {}\nhits = true\n\n[[rule.test]]\ntext = {}\nhits = false\n",
            quoted(id),
            quoted(id),
            quoted(&pattern),
            quoted(id),
            quoted(message),
            quoted(&own.join(" ")),
            quoted(miss),
        );
        text
    };
    let first = write(&half);
    let fails = check(&first, today).map_or(true, |rules| !selftest::run(&rules).failures.is_empty());
    Ok(if fails || half.is_empty() { write(&reversed) } else { first })
}

/// Reads a draft by itself.
///
/// # Errors
/// Every mistake; a rule that is not `shadow`.
pub fn check(text: &str, today: chrono::NaiveDate) -> Result<RuleSet, RuleErrors> {
    RuleSet::compile(&[source("draft", text)?], today)
}

/// A draft as a rule file.
///
/// # Errors
/// Every mistake; a rule that is not `shadow`; a pack or group that may be somebody else's.
pub fn source(name: &str, text: &str) -> Result<Source, RuleErrors> {
    let file = parse_file(name, text).map_err(|error| RuleErrors(vec![error]))?;
    let live: Vec<&str> = file
        .rules
        .iter()
        .filter(|rule| rule.status != Some(super::Status::Shadow))
        .map(|rule| rule.id.as_str())
        .collect();
    let refuse = |why: String| Err(RuleErrors(vec![super::RuleError::new(name, why)]));
    if !live.is_empty() || !file.signals.is_empty() {
        let what = if live.is_empty() { "[[signal]]".to_owned() } else { live.join(", ") };
        return refuse(format!(
            "a draft of the desk is `shadow`, which {what} is not: live rules and weights stand in the operator's files"
        ));
    }
    // It must not touch other packs, nor say which languages are judged.
    if !file.pack.id.starts_with(PREFIX) {
        return refuse(format!("`{}`: the pack of a draft begins with `{PREFIX}`", file.pack.id));
    }
    if let Some(group) = file.groups.iter().find(|group| group.id != file.pack.id) {
        return refuse(format!("`{}`: the one group of a draft is called as its pack", group.id));
    }
    if file.pack.lang != ["*"] {
        return refuse("a draft is for any language: `lang = [\"*\"]`".to_owned());
    }
    Ok(Source { name: name.to_owned(), text: text.to_owned(), file, shipped: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> chrono::NaiveDate {
        chrono::NaiveDate::from_ymd_opt(2026, 11, 25).unwrap()
    }

    #[test]
    fn a_draft_hits_what_it_was_made_from_and_passes_its_own_test() {
        let texts = [
            "Great reporting. This article raises crucial questions about the harbour tram that deserve a careful answer.",
            "This article raises crucial questions about night buses that deserve a careful answer. Well done!",
            "This article raises crucial questions about the new school rules that deserve a careful answer.",
        ];
        let text = from_texts("desk.c1", &texts, today(), "template of a campaign").unwrap();
        let rules = check(&text, today()).unwrap();
        let report = selftest::run(&rules);
        assert_eq!(report.failures, [], "{text}");
        assert_eq!(report.cases, 2);
        for comment in texts {
            let analysis = Analysis::alone(comment);
            let hits = rules.matches(&analysis, &mut selftest::facts(&analysis));
            assert_eq!(hits.len(), 1, "{comment}\n{text}");
        }
        let other = Analysis::alone("The article raises my blood pressure and deserves the bin.");
        assert!(rules.matches(&other, &mut selftest::facts(&other)).is_empty());
    }

    #[test]
    fn texts_that_share_nothing_make_no_draft() {
        let texts = ["I took the bus yesterday.", "My dog hates fireworks, always has."];
        assert!(from_texts("desk.c2", &texts, today(), "x").is_err());
        assert!(from_texts("desk.c2", &[], today(), "x").is_err());
    }

    #[test]
    fn a_draft_never_counts() {
        let texts = ["one two three four five six seven", "one two three four five six eight"];
        let text = from_texts("desk.c3", &texts, today(), "a \"quoted\" message").unwrap();
        assert!(check(&text, today()).is_ok(), "{text}");
        let live = text.replace("\"shadow\"", "\"live\"");
        assert!(check(&live, today()).unwrap_err().to_string().contains("shadow"));
        let weight = format!("{text}\n[[signal]]\nid = \"style\"\nweight = 9.0\ncap = 9.0\n");
        assert!(check(&weight, today()).is_err());
    }
}
