//! Running a ruleset over an analysed comment.

use super::compile::RuleSet;
use super::format::Anchor;
use super::guard::Facts;
use super::template;
use crate::domain::Span;
use crate::text::{Analysis, Language, fold};

/// A rule that hit, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Index into [`RuleSet::rules`].
    pub rule: usize,
    /// Raw spans, in order of appearance; empty for conditions.
    pub spans: Vec<Span>,
}

/// The most spans reported for one rule.
const MOST_SPANS: usize = 8;

/// One judged word.
#[derive(Debug, Clone, Copy)]
struct WordAt<'a> {
    hash: u64,
    text: &'a str,
    raw: Span,
    sentence: u32,
    starts_sentence: bool,
}

impl template::Word for WordAt<'_> {
    fn hash(&self) -> u64 {
        self.hash
    }
    fn text(&self) -> &str {
        self.text
    }
}

/// A comment's judged words, laid out for matching: as a list for templates, as one text for phrases.
#[derive(Debug)]
pub struct Words<'a> {
    list: Vec<WordAt<'a>>,
    /// The words with one space between, a line break between sentences, and a space at either end. Characters of
    /// scripts that write no spaces stand next to each other.
    text: String,
    /// Where each word starts in `text`.
    starts: Vec<u32>,
}

impl<'a> Words<'a> {
    /// Lays out the judged words of a comment.
    pub fn new(analysis: &'a Analysis<'_>) -> Self {
        let mut words = Self { list: Vec::new(), text: String::from(" "), starts: Vec::new() };
        let mut sentence = None;
        for token in analysis.judged().filter(|token| token.is_wordlike()) {
            let text = analysis.lower(token);
            let new_sentence = sentence.is_some_and(|s| s != token.sentence);
            if new_sentence {
                words.text.push_str("\n ");
            } else if needs_space(&words.text, text) {
                words.text.push(' ');
            }
            sentence = Some(token.sentence);
            words.starts.push(words.text.len() as u32);
            words.text.push_str(text);
            if !writes_no_spaces(text.chars().next_back()) {
                words.text.push(' ');
            }
            words.list.push(WordAt {
                hash: token.hash,
                text,
                raw: token.raw,
                sentence: token.sentence,
                starts_sentence: token.starts_sentence,
            });
        }
        words
    }

    /// The word that holds byte `offset` of the text.
    fn word_at(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start as usize <= offset).saturating_sub(1)
    }

    fn is_anchored(&self, at: Anchor, first: usize, last: usize) -> bool {
        match at {
            Anchor::Anywhere => true,
            Anchor::Start => first == 0,
            Anchor::SentenceStart => self.list.get(first).is_some_and(|word| word.starts_sentence),
            Anchor::Whole => first == 0 && last + 1 == self.list.len(),
        }
    }

    fn span(&self, first: usize, last: usize) -> Option<Span> {
        Some(self.list.get(first)?.raw.cover(self.list.get(last)?.raw))
    }
}

/// Whether a space belongs between what is laid out so far and the next word.
fn needs_space(so_far: &str, next: &str) -> bool {
    let run_on = writes_no_spaces(next.chars().next()) && writes_no_spaces(so_far.chars().next_back());
    !so_far.ends_with(' ') && !run_on
}

/// Scripts that are written without spaces: a phrase may begin and end inside a run of them.
fn writes_no_spaces(ch: Option<char>) -> bool {
    matches!(
        ch,
        Some(
            '\u{e00}'..='\u{eff}'
            | '\u{1000}'..='\u{109f}'
            | '\u{1780}'..='\u{17ff}'
            | '\u{3040}'..='\u{30ff}'
            | '\u{31f0}'..='\u{31ff}'
            | '\u{3400}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{3ffff}',
        )
    )
}

/// A phrase as it stands in [`Words::text`]: folded words with one space between, a space at an end that needs a boundary.
pub(super) fn phrase_key(phrase: &str) -> String {
    let analysis = Analysis::alone(phrase);
    let words = Words::new(&analysis);
    let text = words.text.trim().replace("\n ", "");
    let bounded = |ch: Option<char>| if writes_no_spaces(ch) { "" } else { " " };
    format!("{}{text}{}", bounded(text.chars().next()), bounded(text.chars().next_back()))
}

impl RuleSet {
    /// All rules that hit, by rule index. `facts` learns which rules hit, for the conditions that ask.
    pub fn matches(&self, analysis: &Analysis<'_>, facts: &mut Facts) -> Vec<Hit> {
        let words = Words::new(analysis);
        let mut spans: Vec<(usize, Span)> = Vec::new();
        self.phrase_matches(&words, &mut spans);
        self.template_matches(&words, &mut spans);
        let language = analysis.language();
        self.regex_matches(analysis, language, &mut spans);
        spans.sort_unstable();
        spans.dedup();
        let mut hits: Vec<Hit> = Vec::new();
        for same in spans.chunk_by(|a, b| a.0 == b.0) {
            let Some(&(rule, _)) = same.first() else { continue };
            if self.rules.get(rule).is_some_and(|r| r.admits(language, facts)) {
                hits.push(Hit { rule, spans: merge_overlaps(same.iter().map(|(_, span)| *span)) });
            }
        }
        facts
            .rules
            .extend(hits.iter().filter_map(|hit| self.rules.get(hit.rule)).map(|rule| rule.id.clone()));
        for &rule in &self.conditions {
            if let Some(compiled) = self.rules.get(rule)
                && compiled.admits(language, facts)
            {
                hits.push(Hit { rule, spans: Vec::new() });
                facts.rules.insert(compiled.id.clone());
            }
        }
        hits
    }

    fn phrase_matches(&self, words: &Words<'_>, spans: &mut Vec<(usize, Span)>) {
        let Some(phrases) = &self.phrases else { return };
        for found in phrases.find_overlapping_iter(&words.text) {
            let Some(&rule) = self.phrase_rules.get(found.pattern().as_usize()) else { continue };
            let inside = words.text.get(found.start()..found.end()).unwrap_or_default();
            let start = found.start() + (inside.len() - inside.trim_start().len());
            let end = found.end() - (inside.len() - inside.trim_end().len());
            let (first, last) = (words.word_at(start), words.word_at(end.saturating_sub(1)));
            let at = self.rules.get(rule).map_or(Anchor::Anywhere, |r| r.at);
            if words.is_anchored(at, first, last) {
                spans.extend(words.span(first, last).map(|span| (rule, span)));
            }
        }
    }

    fn template_matches(&self, words: &Words<'_>, spans: &mut Vec<(usize, Span)>) {
        let mut from = 0;
        for sentence in words.list.chunk_by(|a, b| a.sentence == b.sentence) {
            for (at, word) in sentence.iter().enumerate() {
                let first = from + at;
                let second = sentence.get(at + 1).map(|next| next.hash);
                let candidates = self.by_first_word.get(&word.hash).map(Vec::as_slice).unwrap_or_default();
                for &(at_template, filter) in candidates.iter().chain(&self.any_first_word) {
                    if !filter.admits(second) {
                        continue;
                    }
                    let Some((rule, template)) = self.templates.get(at_template) else { continue };
                    let anchor = self.rules.get(*rule).map_or(Anchor::Anywhere, |r| r.at);
                    if !words.is_anchored(anchor, first, first) && anchor != Anchor::Whole {
                        continue;
                    }
                    if let Some(length) = template.longest(sentence.get(at..).unwrap_or_default())
                        && words.is_anchored(anchor, first, first + length - 1)
                    {
                        spans.extend(words.span(first, first + length - 1).map(|span| (*rule, span)));
                    }
                }
            }
            from += sentence.len();
        }
    }

    /// Each regex by itself, and only where its language fits: most have a literal that is looked for first, which a set of all of
    /// them would lose.
    fn regex_matches(
        &self,
        analysis: &Analysis<'_>,
        language: Option<Language>,
        spans: &mut Vec<(usize, Span)>,
    ) {
        let fits = |rule: usize| self.rules.get(rule).is_some_and(|r| r.speaks(language));
        let folded = analysis.folded();
        let quoted = analysis.quoted_spans();
        let judged =
            |span: Span| !quoted.iter().any(|quote| quote.start < span.end && span.start < quote.end);
        for (rule, regex) in self.folded_regexes.iter().filter(|(rule, _)| fits(*rule)) {
            let found = regex.find_iter(folded.canonical());
            let found = found.map(|found| folded.raw_span(found.start(), found.end()));
            spans.extend(found.filter(|span| judged(*span)).take(MOST_SPANS).map(|span| (*rule, span)));
        }
        let raw = fold::judged_part(analysis.raw());
        for (rule, regex) in self.raw_regexes.iter().filter(|(rule, _)| fits(*rule)) {
            let found = regex.find_iter(raw);
            let found = found.map(|found| Span::new(found.start() as u32, found.end() as u32));
            spans.extend(found.filter(|span| judged(*span)).take(MOST_SPANS).map(|span| (*rule, span)));
        }
    }
}

fn merge_overlaps(spans: impl Iterator<Item = Span>) -> Vec<Span> {
    let mut merged: Vec<Span> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start < last.end => *last = last.cover(span),
            _ => merged.push(span),
        }
    }
    merged.truncate(MOST_SPANS);
    merged
}

#[cfg(test)]
mod tests {
    use super::super::{RuleSet, Source, parse_file};
    use super::*;

    fn ruleset(rules: &str) -> RuleSet {
        let text = format!("[pack]\nid = \"t\"\nlang = [\"en\", \"zh\"]\n{rules}");
        let file = parse_file("t.toml", &text).unwrap();
        let source = Source { name: "t.toml".into(), text, file, shipped: false };
        RuleSet::compile(&[source], chrono::NaiveDate::from_ymd_opt(2026, 11, 24).unwrap())
            .unwrap_or_else(|e| panic!("{e}"))
    }

    fn found(rules: &RuleSet, text: &str) -> Vec<String> {
        let analysis = Analysis::alone(text);
        rules
            .matches(&analysis, &mut Facts::default())
            .iter()
            .flat_map(|hit| hit.spans.iter().map(|span| span.slice(text).to_owned()).collect::<Vec<_>>())
            .collect()
    }

    #[test]
    fn phrases_match_folded_words_and_point_at_the_raw_ones() {
        let rules = ruleset(
            "[[rule]]\nid=\"a\"\nkind=\"phrases\"\nphrases=[\"well said\", \"这篇文章\"]\npoints=0.5\n",
        );
        for (text, expected) in [
            ("I think it is WELL, said he", vec!["WELL, said"]),
            ("It was we\u{200b}ll sa\u{456}d by you", vec!["we\u{200b}ll sa\u{456}d"]),
            ("All is well. Said he to the man", vec![]),
            ("He is unwell said the nurse", vec![]),
            ("我觉得这篇文章很好", vec!["这篇文章"]),
        ] {
            assert_eq!(found(&rules, text), expected, "{text}");
        }
    }

    #[test]
    fn anchors_and_sentences_bound_templates() {
        let rules = ruleset(
            "[[rule]]\nid=\"a\"\nkind=\"template\"\ntemplate=\"(great|good) article\"\nat=\"sentence-start\"\npoints=0.5\n\
             [[rule]]\nid=\"b\"\nkind=\"template\"\ntemplate=\"so true\"\nat=\"whole\"\npoints=0.5\n",
        );
        assert_eq!(found(&rules, "Thanks. Great article by the team"), ["Great article"]);
        assert_eq!(found(&rules, "It is a great article by the team"), Vec::<String>::new());
        assert_eq!(found(&rules, "That was good. Article was not"), Vec::<String>::new());
        assert_eq!(found(&rules, "So true!"), ["So true"]);
        assert_eq!(found(&rules, "So true it hurts"), Vec::<String>::new());
    }

    #[test]
    fn a_language_without_a_pack_is_left_alone() {
        let rules = ruleset("[[rule]]\nid=\"a\"\nkind=\"phrases\"\nphrases=[\"artikel\"]\npoints=0.5\n");
        assert_eq!(
            found(&rules, "Der Artikel ist wirklich sehr gut geschrieben und wichtig für uns alle."),
            Vec::<String>::new()
        );
    }
}
