//! Parsed files -> a [`RuleSet`] that can be matched: validated, indexed, with a digest.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use chrono::NaiveDate;
use regex::{Regex, RegexBuilder};

use super::error::{RuleError, RuleErrors};
use super::format::{Anchor, Case, Kind, RawRule, Status, day};
use super::guard::Guard;
use super::load::{Source, merge, shipped_files};
use super::matching::phrase_key;
use super::template::{Template, WordFilter};
use crate::text::Language;
use crate::text::lexicon::PassThrough;

/// The largest compiled size of one regex, in bytes.
const LARGEST_REGEX: usize = 1 << 20;

/// Up to so many phrases make a full automaton, twice as fast and some kilobytes a phrase; more make a compact one.
const MOST_IN_DFA: usize = 4000;

/// Points that no single rule may leave.
const POINTS: std::ops::RangeInclusive<f64> = -4.0..=6.0;

/// A rule ready to match.
#[derive(Debug, Clone)]
pub struct CompiledRule {
    /// `pack/rule`.
    pub id: String,
    /// Points that count: 0 for a shadow rule.
    pub points: f64,
    /// Points as written.
    pub written_points: f64,
    /// Index of its group.
    pub group: Option<usize>,
    /// Live or shadow.
    pub status: Status,
    /// Sort of pattern.
    pub kind: Kind,
    /// Where it may match.
    pub at: Anchor,
    /// The sentence that a moderator reads.
    pub message: String,
    /// For authors.
    pub note: Option<String>,
    /// Languages; `None` = any.
    pub langs: Option<Vec<Language>>,
    /// The pattern as written, for `rules explain`.
    pub pattern: String,
    /// Owner of the pack.
    pub owner: String,
    /// Date from which it is shadow.
    pub expires: Option<NaiveDate>,
    /// Guards that must hold.
    pub when: Vec<Guard>,
    /// Guards that must not hold.
    pub unless: Vec<Guard>,
    /// Self-tests.
    pub tests: Vec<Case>,
    /// The file it comes from.
    pub file: String,
}

impl CompiledRule {
    /// Whether it judges comments of this language.
    pub fn speaks(&self, language: Option<Language>) -> bool {
        self.langs.as_ref().is_none_or(|langs| language.is_some_and(|l| langs.contains(&l)))
    }

    /// Whether its guards hold and its language fits.
    pub fn admits(&self, language: Option<Language>, facts: &super::Facts) -> bool {
        self.speaks(language)
            && self.when.iter().all(|guard| guard.holds(facts))
            && !self.unless.iter().any(|guard| guard.holds(facts))
    }
}

/// Rules whose points are capped together.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Its name.
    pub id: String,
    /// Largest sum of points, either sign.
    pub cap: f64,
}

/// All rules, compiled.
#[derive(Debug, Clone)]
pub struct RuleSet {
    pub(super) rules: Vec<CompiledRule>,
    pub(super) groups: Vec<Group>,
    pub(super) phrases: Option<AhoCorasick>,
    /// Rule of each phrase pattern.
    pub(super) phrase_rules: Vec<usize>,
    pub(super) templates: Vec<(usize, Template)>,
    /// Templates by the hash of a word they can begin with, each with the words that can follow it.
    pub(super) by_first_word: HashMap<u64, Vec<(usize, WordFilter)>, BuildHasherDefault<PassThrough>>,
    /// Templates that can begin with any word.
    pub(super) any_first_word: Vec<(usize, WordFilter)>,
    pub(super) folded_regexes: Vec<(usize, Regex)>,
    pub(super) raw_regexes: Vec<(usize, Regex)>,
    pub(super) conditions: Vec<usize>,
    langs: Vec<Language>,
    signals: BTreeMap<String, SignalWeight>,
    digest: String,
}

/// How much a signal counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignalWeight {
    /// Points of a finding of strength 1.
    pub weight: f64,
    /// Largest sum of its findings, either sign.
    pub cap: f64,
}

impl RuleSet {
    /// The shipped rules, with an operator's directory merged over them.
    ///
    /// # Errors
    /// Every mistake in the operator's files.
    pub fn load(overrides: Option<&std::path::Path>, today: NaiveDate) -> Result<Self, RuleErrors> {
        Self::load_with(overrides, Vec::new(), today)
    }

    /// As [`Self::load`], with drafts of the desk beside them. A draft whose pack is known by then is left out: it has become a file.
    ///
    /// # Errors
    /// Every mistake in the operator's files and in the drafts.
    pub fn load_with(
        overrides: Option<&std::path::Path>,
        drafts: Vec<Source>,
        today: NaiveDate,
    ) -> Result<Self, RuleErrors> {
        let base = shipped_files()?;
        let mut sources = match overrides {
            Some(dir) => merge(base, super::load_dir(dir)?),
            None => base,
        };
        for draft in drafts {
            if sources.iter().all(|source| source.file.pack.id != draft.file.pack.id) {
                sources.push(draft);
            }
        }
        Self::compile(&sources, today)
    }

    /// Compiles merged files. `today` decides which rules have expired.
    ///
    /// # Errors
    /// Every mistake found, not only the first.
    pub fn compile(sources: &[Source], today: NaiveDate) -> Result<Self, RuleErrors> {
        let mut builder = Builder::default();
        for source in sources {
            for group in &source.file.groups {
                builder.group(source, &group.id, group.cap);
            }
            for signal in &source.file.signals {
                if !(signal.weight.is_finite() && signal.cap >= 0.0) {
                    builder.errors.push(RuleError::new(
                        &source.name,
                        format!("signal `{}`: weight must be a number and cap at least 0", signal.id),
                    ));
                }
                builder
                    .signals
                    .insert(signal.id.clone(), SignalWeight { weight: signal.weight, cap: signal.cap });
            }
        }
        for source in sources {
            for rule in &source.file.rules {
                builder.rule(source, rule, today);
            }
        }
        builder.finish(sources)
    }

    /// All compiled rules (live and shadow).
    pub fn rules(&self) -> &[CompiledRule] {
        &self.rules
    }

    /// All groups.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// A rule by its full id.
    pub fn rule(&self, id: &str) -> Option<&CompiledRule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// Whether some pack is written for this language.
    pub fn has_language(&self, language: Language) -> bool {
        self.langs.contains(&language)
    }

    /// What a signal's findings count; nothing for a signal without a weight.
    pub fn signal_weight(&self, id: &str) -> SignalWeight {
        self.signals.get(id).copied().unwrap_or(SignalWeight { weight: 0.0, cap: 0.0 })
    }

    /// The signals that the rule files give a weight.
    pub fn weighed_signals(&self) -> impl Iterator<Item = &str> {
        self.signals.keys().map(String::as_str)
    }

    /// Names the ruleset: a digest of all files.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

/// Whether a rule may be called so inside its pack.
pub fn is_rule_id(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// Whether a pack may be called so.
pub fn is_pack_id(id: &str) -> bool {
    !id.is_empty() && id.split('.').all(is_rule_id)
}

#[derive(Default)]
struct Builder {
    rules: Vec<CompiledRule>,
    groups: Vec<Group>,
    group_of: BTreeMap<String, usize>,
    phrases: Vec<String>,
    phrase_rules: Vec<usize>,
    templates: Vec<(usize, Template)>,
    folded: Vec<(usize, String)>,
    raw: Vec<(usize, String)>,
    conditions: Vec<usize>,
    langs: Vec<Language>,
    signals: BTreeMap<String, SignalWeight>,
    errors: Vec<RuleError>,
}

impl Builder {
    fn group(&mut self, source: &Source, id: &str, cap: f64) {
        if !(cap > 0.0 && cap.is_finite()) {
            self.errors
                .push(RuleError::new(&source.name, format!("group `{id}`: cap must be above 0, not {cap}")));
        }
        if self.group_of.contains_key(id) {
            self.errors.push(
                RuleError::new(&source.name, format!("group `{id}` is defined twice"))
                    .help("define it in one pack and name it in the others"),
            );
            return;
        }
        self.group_of.insert(id.to_owned(), self.groups.len());
        self.groups.push(Group { id: id.to_owned(), cap });
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one check after the other, all mistakes of a rule collected before it is refused"
    )]
    fn rule(&mut self, source: &Source, raw: &RawRule, today: NaiveDate) {
        let pack = &source.file.pack;
        let id = format!("{}/{}", pack.id, raw.id);
        let mut errors = Vec::new();
        let mut mistake = |message: String, help: Option<&str>| {
            let mut error = RuleError::new(&source.name, format!("rule `{id}`: {message}"));
            if let Some(origin) = &raw.origin {
                error.file.clone_from(&origin.file);
                error.at = Some((origin.line, 1));
            }
            errors.push(match help {
                Some(help) => error.help(help),
                None => error,
            });
        };
        if !is_pack_id(&pack.id) {
            mistake(
                format!(
                    "the pack's id `{}` has more than lower-case letters, digits, hyphens and dots",
                    pack.id
                ),
                None,
            );
        }
        if !is_rule_id(&raw.id) {
            mistake("an id has lower-case letters, digits and hyphens".to_owned(), None);
        }
        let status = raw.status.unwrap_or(Status::Live);
        let points = raw.points.unwrap_or(0.0);
        if !POINTS.contains(&points) {
            mistake(format!("points {points} are outside {} to {}", POINTS.start(), POINTS.end()), None);
        }
        let langs = if pack.lang.iter().any(|l| l == "*") {
            None
        } else {
            let parsed: Vec<Language> = pack.lang.iter().filter_map(|code| Language::parse(code)).collect();
            if parsed.len() != pack.lang.len() || parsed.is_empty() {
                mistake(
                    "the pack's `lang` must list ISO 639-1 codes or \"*\"".to_owned(),
                    Some("lang = [\"en\"]"),
                );
            }
            Some(parsed)
        };
        let group = raw.group.as_ref().and_then(|name| {
            let known = self.group_of.get(name).copied();
            if known.is_none() {
                mistake(
                    format!("group `{name}` is not defined"),
                    Some("add a [[group]] with this id and a cap"),
                );
            }
            known
        });
        let mut guards = |list: &Option<Vec<String>>| -> Vec<Guard> {
            list.iter()
                .flatten()
                .filter_map(|text| Guard::parse(text).map_err(|message| mistake(message, None)).ok())
                .collect()
        };
        let (when, unless) = (guards(&raw.when), guards(&raw.unless));
        let Some(kind) = raw.kind else {
            mistake(
                "`kind` is missing".to_owned(),
                Some("kind = \"phrases\", \"template\", \"regex\" or \"condition\""),
            );
            self.errors.extend(errors);
            return;
        };
        let expires = raw.expires.as_ref().and_then(day);
        let status = if status == Status::Live && expires.is_some_and(|date| date <= today) {
            Status::Shadow
        } else {
            status
        };
        let at = raw.at.unwrap_or_default();
        let templates: Vec<&String> = raw.template.iter().chain(raw.templates.iter().flatten()).collect();
        let phrases: Vec<&String> = raw.phrases.iter().flatten().collect();
        let given = [
            (Kind::Phrases, !phrases.is_empty()),
            (Kind::Template, !templates.is_empty()),
            (Kind::Regex, raw.regex.is_some()),
        ];
        for (pattern_kind, present) in given {
            if present != (pattern_kind == kind) {
                mistake(
                    format!(
                        "kind {kind:?} {} a {pattern_kind:?} pattern",
                        if present { "does not take" } else { "needs" }
                    )
                    .to_lowercase(),
                    None,
                );
            }
        }
        if kind == Kind::Condition && when.is_empty() {
            mistake("a condition needs `when`".to_owned(), None);
        }
        let rule_at = self.rules.len();
        let compiled_templates: Vec<(usize, Template)> = templates
            .iter()
            .filter_map(|text| Template::parse(text).map_err(|message| mistake(message, None)).ok())
            .map(|template| (rule_at, template))
            .collect();
        let keys: Vec<String> = phrases.iter().map(|phrase| phrase_key(phrase)).collect();
        if keys.iter().any(|key| key.trim().is_empty()) {
            mistake("a phrase has no words".to_owned(), None);
        }
        if let Some(regex) = &raw.regex
            && let Err(error) = build_regex(regex, raw.raw.unwrap_or(false))
        {
            mistake(
                format!("the regex does not compile: {}", error.to_string().replace('\n', " ")),
                Some("linear-time syntax: no look-around, no back-references"),
            );
        }
        let message = raw.message.clone().unwrap_or_else(|| raw.id.replace('-', " "));
        let duplicate = self.rules.iter().any(|rule| rule.id == id);
        if duplicate {
            mistake("the id is used twice".to_owned(), None);
        }
        let failed = !errors.is_empty();
        self.errors.extend(errors);
        if failed || matches!(status, Status::Draft | Status::Deprecated) {
            return;
        }
        for lang in langs.iter().flatten() {
            if !self.langs.contains(lang) {
                self.langs.push(*lang);
            }
        }
        let pattern = match kind {
            Kind::Phrases => phrases.iter().map(|p| format!("\"{p}\"")).collect::<Vec<_>>().join(", "),
            Kind::Template => templates.iter().map(|t| t.as_str()).collect::<Vec<_>>().join("\n"),
            Kind::Regex => raw.regex.clone().unwrap_or_default(),
            Kind::Condition => raw.when.iter().flatten().cloned().collect::<Vec<_>>().join(" and "),
        };
        self.rules.push(CompiledRule {
            id,
            points: if status == Status::Live { points } else { 0.0 },
            written_points: points,
            group,
            status,
            kind,
            at,
            message,
            note: raw.note.clone(),
            langs,
            pattern,
            owner: pack.owner.clone().unwrap_or_default(),
            expires,
            when,
            unless,
            tests: raw.tests.clone(),
            file: source.name.clone(),
        });
        self.phrase_rules.extend(keys.iter().map(|_| rule_at));
        self.phrases.extend(keys);
        self.templates.extend(compiled_templates);
        if let Some(regex) = &raw.regex {
            if raw.raw.unwrap_or(false) { &mut self.raw } else { &mut self.folded }
                .push((rule_at, regex.clone()));
        }
        if kind == Kind::Condition {
            self.conditions.push(rule_at);
        }
    }

    fn finish(mut self, sources: &[Source]) -> Result<RuleSet, RuleErrors> {
        let phrases = if self.phrases.is_empty() {
            None
        } else {
            match AhoCorasick::builder()
                .match_kind(MatchKind::Standard)
                .kind(self.phrases.len().le(&MOST_IN_DFA).then_some(AhoCorasickKind::DFA))
                .build(&self.phrases)
            {
                Ok(automaton) => Some(automaton),
                Err(error) => {
                    self.errors.push(RuleError::new(
                        "rules",
                        format!("the phrases do not fit one automaton: {error}"),
                    ));
                    None
                }
            }
        };
        let folded_regexes = regexes(&self.folded, false);
        let raw_regexes = regexes(&self.raw, true);
        if !self.errors.is_empty() {
            return Err(RuleErrors(self.errors));
        }
        let mut by_first_word: HashMap<u64, Vec<(usize, WordFilter)>, _> = HashMap::default();
        let mut any_first_word = Vec::new();
        for (at, (_, template)) in self.templates.iter().enumerate() {
            for (first, filter) in template.beginnings() {
                first
                    .map_or(&mut any_first_word, |hash| by_first_word.entry(hash).or_default())
                    .push((at, filter));
            }
        }
        self.langs.sort();
        Ok(RuleSet {
            rules: self.rules,
            groups: self.groups,
            phrases,
            phrase_rules: self.phrase_rules,
            templates: self.templates,
            by_first_word,
            any_first_word,
            folded_regexes,
            raw_regexes,
            conditions: self.conditions,
            langs: self.langs,
            signals: self.signals,
            digest: digest(sources),
        })
    }
}

fn build_regex(pattern: &str, raw: bool) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).case_insensitive(!raw).size_limit(LARGEST_REGEX).build()
}

fn regexes(list: &[(usize, String)], raw: bool) -> Vec<(usize, Regex)> {
    list.iter().filter_map(|(rule, pattern)| Some((*rule, build_regex(pattern, raw).ok()?))).collect()
}

/// A digest of all files' texts in order, 16 hexadecimal digits.
fn digest(sources: &[Source]) -> String {
    let mut all = String::new();
    for source in sources {
        all.push_str(&source.file.pack.id);
        all.push('\0');
        all.push_str(&source.text);
        all.push('\0');
    }
    format!("{:016x}", crate::text::stable_hash(all.as_bytes()))
}
