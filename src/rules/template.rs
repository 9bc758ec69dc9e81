//! Templates: word patterns such as `the article (raises|highlights) [some] {0,2} questions`, as small word automata.
//!
//! A template is parsed into a Thompson automaton over words with at most [`MOST_STATES`] states, so that the set of active
//! states fits one 128-bit word and a match costs one pass over the words: no backtracking, whatever the author writes.

use std::collections::BTreeMap;

use crate::text::{fold, stable_hash};

/// The most states a template may need.
pub const MOST_STATES: usize = 128;
/// The widest gap.
pub const WIDEST_GAP: u32 = 8;

/// A compiled template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// The states that read each word, by its hash, ascending.
    readers: Vec<(u64, u128)>,
    /// The states that read words with a prefix.
    prefixes: Vec<(String, u128)>,
    /// The states that read any word.
    any: u128,
    /// For each state that reads a word, the states active after it.
    after: Vec<u128>,
    /// States active before the first word.
    start: u128,
}

/// The state that means the whole template was read.
const MATCH: u128 = 1;

#[derive(Debug, Clone, PartialEq)]
enum State {
    Word { hash: u64, next: usize },
    Prefix { prefix: String, next: usize },
    Any { next: usize },
    Split { to: Vec<usize> },
    Match,
}

/// A word as the automaton sees it.
pub trait Word {
    /// Stable hash of the match form.
    fn hash(&self) -> u64;
    /// The match form.
    fn text(&self) -> &str;
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// Says what is wrong with the template, as a lower-case fragment.
    pub fn parse(source: &str) -> Result<Self, String> {
        let alternatives = parse_alternatives(&mut source.chars().peekable(), None, 0)?;
        let mut builder = Builder { states: vec![State::Match] };
        let start = builder.alternatives(&alternatives, 0);
        if builder.states.len() > MOST_STATES {
            return Err(format!(
                "the template needs {} states, at most {MOST_STATES} are allowed: split it in two",
                builder.states.len()
            ));
        }
        let states = builder.states;
        let after = states
            .iter()
            .map(|state| match state {
                State::Word { next, .. } | State::Prefix { next, .. } | State::Any { next } => {
                    closure(&states, *next)
                }
                State::Split { .. } | State::Match => 0,
            })
            .collect();
        let mut readers = BTreeMap::<u64, u128>::new();
        let mut prefixes = Vec::new();
        let mut any = 0;
        for (at, state) in states.iter().enumerate() {
            match state {
                State::Word { hash, .. } => *readers.entry(*hash).or_default() |= 1 << at,
                State::Prefix { prefix, .. } => prefixes.push((prefix.clone(), 1 << at)),
                State::Any { .. } => any |= 1 << at,
                State::Split { .. } | State::Match => {}
            }
        }
        let template = Self {
            readers: readers.into_iter().collect(),
            prefixes,
            any,
            after,
            start: closure(&states, start),
        };
        if template.start & MATCH != 0 {
            return Err(
                "the template matches nothing at all: it needs a part that is not optional".to_owned()
            );
        }
        Ok(template)
    }

    /// The longest match that begins at `words[0]`, as a number of words.
    pub fn longest<W: Word>(&self, words: &[W]) -> Option<usize> {
        let mut active = self.start;
        let mut longest = None;
        for (at, word) in words.iter().enumerate() {
            active = self.step(active, word.hash(), word.text());
            if active & MATCH != 0 {
                longest = Some(at + 1);
            }
            if active & !MATCH == 0 {
                break;
            }
        }
        longest
    }

    /// The states active after one word.
    fn step(&self, active: u128, hash: u64, text: &str) -> u128 {
        let mut reading = self.any;
        if let Ok(at) = self.readers.binary_search_by_key(&hash, |(word, _)| *word) {
            reading |= self.readers.get(at).map_or(0, |(_, states)| *states);
        }
        for (prefix, state) in &self.prefixes {
            if active & state != 0 && text.starts_with(prefix.as_str()) {
                reading |= state;
            }
        }
        self.after_all(active & reading)
    }

    /// The states active after each of `reading` has read its word.
    fn after_all(&self, mut reading: u128) -> u128 {
        let mut next = 0;
        while reading != 0 {
            next |= self.after.get(reading.trailing_zeros() as usize).copied().unwrap_or(0);
            reading &= reading - 1;
        }
        next
    }

    /// The words a match can begin with, each with the words that can follow; `None` for "any word".
    pub fn beginnings(&self) -> Vec<(Option<u64>, WordFilter)> {
        let prefixes = self.prefixes.iter().fold(0, |all, (_, state)| all | state);
        let open = self.start & (self.any | prefixes);
        if open != 0 {
            let words = self.readers.iter().fold(open, |all, (_, states)| all | (states & self.start));
            return vec![(None, self.filter(self.after_all(words)))];
        }
        self.readers
            .iter()
            .filter(|(_, states)| states & self.start != 0)
            .map(|(hash, states)| (Some(*hash), self.filter(self.after_all(states & self.start))))
            .collect()
    }

    /// The words that the active states can read; all, where the match may end here.
    fn filter(&self, active: u128) -> WordFilter {
        let prefixes = self.prefixes.iter().fold(0, |all, (_, state)| all | state);
        if active & (MATCH | self.any | prefixes) != 0 {
            return WordFilter::ALL;
        }
        let words = self.readers.iter().filter(|(_, states)| states & active != 0);
        WordFilter(words.fold(0, |bits, (hash, _)| bits | WordFilter::bit(*hash)))
    }
}

/// A set of words that may hold a few more than it should: one bit for each 64th of all words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WordFilter(u64);

impl WordFilter {
    /// Every word.
    const ALL: Self = Self(u64::MAX);

    const fn bit(hash: u64) -> u64 {
        1 << (hash >> 58)
    }

    /// Whether the word may be in the set; `None`, the end of the sentence, only where everything is.
    pub fn admits(self, hash: Option<u64>) -> bool {
        match hash {
            Some(hash) => self.0 & Self::bit(hash) != 0,
            None => self == Self::ALL,
        }
    }
}

/// All states reachable from `state` without reading a word.
fn closure(states: &[State], state: usize) -> u128 {
    let mut set = 0u128;
    let mut stack = vec![state];
    while let Some(state) = stack.pop() {
        if set >> state & 1 == 1 {
            continue;
        }
        set |= 1 << state;
        if let Some(State::Split { to }) = states.get(state) {
            stack.extend(to);
        }
    }
    set
}

/// Builds the automaton back to front: every part is made knowing the state that follows it.
struct Builder {
    states: Vec<State>,
}

enum Part {
    Word(String),
    Prefix(String),
    Any,
    Gap(u32, u32),
    Group(Vec<Vec<Part>>),
    Optional(Vec<Vec<Part>>),
}

impl Builder {
    fn push(&mut self, state: State) -> usize {
        self.states.push(state);
        self.states.len() - 1
    }

    fn alternatives(&mut self, alternatives: &[Vec<Part>], next: usize) -> usize {
        let to: Vec<usize> = alternatives.iter().map(|parts| self.sequence(parts, next)).collect();
        match to.as_slice() {
            [only] => *only,
            _ => self.push(State::Split { to }),
        }
    }

    fn sequence(&mut self, parts: &[Part], mut next: usize) -> usize {
        for part in parts.iter().rev() {
            // A template that is far too large is refused afterwards; do not build all of it first.
            if self.states.len() > 4 * MOST_STATES {
                return next;
            }
            next = match part {
                Part::Word(word) => self.push(State::Word { hash: stable_hash(word.as_bytes()), next }),
                Part::Prefix(prefix) => self.push(State::Prefix { prefix: prefix.clone(), next }),
                Part::Any => self.push(State::Any { next }),
                Part::Group(alternatives) => self.alternatives(alternatives, next),
                Part::Optional(alternatives) => {
                    let inside = self.alternatives(alternatives, next);
                    self.push(State::Split { to: vec![inside, next] })
                }
                Part::Gap(fewest, most) => {
                    let after = next;
                    for at in (0..*most).rev() {
                        let any = self.push(State::Any { next });
                        next = if at >= *fewest {
                            self.push(State::Split { to: vec![any, after] })
                        } else {
                            any
                        };
                    }
                    next
                }
            };
        }
        next
    }
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// How deep groups may nest.
const DEEPEST: u32 = 8;

fn parse_alternatives(
    chars: &mut Chars<'_>,
    close: Option<char>,
    depth: u32,
) -> Result<Vec<Vec<Part>>, String> {
    if depth > DEEPEST {
        return Err(format!("groups nest deeper than {DEEPEST}"));
    }
    let mut alternatives = vec![Vec::new()];
    loop {
        let Some(&ch) = chars.peek() else {
            return match close {
                Some(close) => Err(format!("a group is not closed: `{close}` is missing")),
                None => check(alternatives),
            };
        };
        if Some(ch) == close {
            chars.next();
            return check(alternatives);
        }
        let part = match ch {
            ' ' | '\n' | '\t' => {
                chars.next();
                continue;
            }
            '|' => {
                chars.next();
                alternatives.push(Vec::new());
                continue;
            }
            ')' | ']' | '}' => return Err(format!("`{ch}` closes nothing")),
            '(' => {
                chars.next();
                Part::Group(parse_alternatives(chars, Some(')'), depth + 1)?)
            }
            '[' => {
                chars.next();
                Part::Optional(parse_alternatives(chars, Some(']'), depth + 1)?)
            }
            '{' => {
                chars.next();
                parse_gap(chars)?
            }
            _ => parse_word(chars)?,
        };
        if let Some(sequence) = alternatives.last_mut() {
            sequence.push(part);
        }
    }
}

fn check(alternatives: Vec<Vec<Part>>) -> Result<Vec<Vec<Part>>, String> {
    if alternatives.iter().any(Vec::is_empty) {
        Err("an alternative is empty: use [ ] for an optional part".to_owned())
    } else {
        Ok(alternatives)
    }
}

fn parse_gap(chars: &mut Chars<'_>) -> Result<Part, String> {
    let inside: String = chars.by_ref().take_while(|ch| *ch != '}').collect();
    let bounds = inside
        .split_once(',')
        .and_then(|(low, high)| Some((low.trim().parse().ok()?, high.trim().parse().ok()?)));
    match bounds {
        Some((low, high)) if low <= high && (1..=WIDEST_GAP).contains(&high) => Ok(Part::Gap(low, high)),
        _ => Err(format!("`{{{inside}}}` is no gap: write {{0,3}}, at most {WIDEST_GAP} words")),
    }
}

fn parse_word(chars: &mut Chars<'_>) -> Result<Part, String> {
    let mut word = String::new();
    while let Some(&ch) = chars.peek() {
        if ch.is_whitespace() || "()[]{}|".contains(ch) {
            break;
        }
        word.push(ch);
        chars.next();
    }
    if word == "_" {
        return Ok(Part::Any);
    }
    let (stem, prefix) = word.strip_suffix('*').map_or((word.as_str(), false), |stem| (stem, true));
    let folded = fold::fold(stem);
    let stem = folded.lower();
    let mut bounds = Vec::new();
    crate::text::segment::word_bounds(stem, &mut bounds);
    if bounds.len() != 1 || !stem.chars().any(char::is_alphanumeric) {
        return Err(format!(
            "`{word}` is not one word: templates hold words only, punctuation between words is ignored (write \"thought provoking\", \"couldn't\")"
        ));
    }
    Ok(if prefix { Part::Prefix(stem.to_owned()) } else { Part::Word(stem.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Plain(&'static str);
    impl Word for Plain {
        fn hash(&self) -> u64 {
            stable_hash(self.0.as_bytes())
        }
        fn text(&self) -> &str {
            self.0
        }
    }

    fn longest(template: &str, text: &'static str) -> Option<usize> {
        let words: Vec<Plain> = text.split(' ').map(Plain).collect();
        Template::parse(template).unwrap().longest(&words)
    }

    #[test]
    fn templates_match_words() {
        for (template, text, expected) in [
            ("the article (raises|highlights) [some] questions", "the article raises questions", Some(4)),
            (
                "the article (raises|highlights) [some] questions",
                "the article highlights some questions indeed",
                Some(5),
            ),
            ("the article (raises|highlights) [some] questions", "the article raises many questions", None),
            ("a {0,2} view", "a view", Some(2)),
            ("a {0,2} view", "a fine clear view", Some(4)),
            ("a {0,2} view", "a b c d view", None),
            ("a {1,2} view", "a view", None),
            ("well _ indeed", "well said indeed", Some(3)),
            ("nuanc* view", "nuanced view", Some(2)),
            ("(a|b c|[d] e) f", "b c f", Some(3)),
            ("(a|b c|[d] e) f", "e f", Some(2)),
            ("so [very] [very] good", "so very good", Some(3)),
            ("Couldn’t agree", "couldn't agree", Some(2)),
        ] {
            assert_eq!(longest(template, text), expected, "{template} on {text}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (template, needle) in [
            ("the (article", "not closed"),
            ("the article)", "closes nothing"),
            ("a || b", "empty"),
            ("[a] [b]", "not optional"),
            ("", "empty"),
            ("a {3,1} b", "no gap"),
            ("a {0,99} b", "no gap"),
            ("well, said", "not one word"),
        ] {
            let message = Template::parse(template).unwrap_err();
            assert!(message.contains(needle), "{template}: {message}");
        }
        let large = "(a|b|c|d) ".repeat(60);
        assert!(Template::parse(&large).unwrap_err().contains("split it"));
    }
}
