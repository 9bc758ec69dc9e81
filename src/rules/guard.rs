//! Guards: `words >= 8`, `not reply`, `signal:evasion >= 1`, `rule:en.praise/well-said`.

use std::collections::{BTreeMap, HashSet};

/// What guards may ask about a comment.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Named counts, see [`NUMBERS`].
    pub numbers: [f64; NUMBERS.len()],
    /// Named flags, see [`FLAGS`].
    pub flags: [bool; FLAGS.len()],
    /// Points of each signal so far.
    pub signals: BTreeMap<&'static str, f64>,
    /// Full ids of the rules that hit so far.
    pub rules: HashSet<String>,
}

/// Names of counts.
pub const NUMBERS: [&str; 10] = [
    "words",
    "sentences",
    "chars",
    "links",
    "mentions",
    "emoji",
    "hidden_characters",
    "confusable_words",
    "folded_words",
    "article_words",
];

/// Names of flags.
pub const FLAGS: [&str; 3] = ["reply", "has_article", "quoted"];

/// Signals that have run when rules are matched: those that read the text alone.
pub const SIGNALS: [&str; 4] = ["style", "specificity", "evasion", "author-pattern"];

impl Facts {
    /// Sets a count by name; unknown names are ignored.
    pub fn set_number(&mut self, name: &str, value: f64) {
        if let Some(slot) = NUMBERS.iter().position(|n| *n == name).and_then(|at| self.numbers.get_mut(at)) {
            *slot = value;
        }
    }

    /// Sets a flag by name; unknown names are ignored.
    pub fn set_flag(&mut self, name: &str, value: bool) {
        if let Some(slot) = FLAGS.iter().position(|n| *n == name).and_then(|at| self.flags.get_mut(at)) {
            *slot = value;
        }
    }
}

/// One parsed guard.
#[derive(Debug, Clone, PartialEq)]
pub enum Guard {
    /// A count compared with a number.
    Number(usize, Comparison, f64),
    /// A flag, or its absence.
    Flag(usize, bool),
    /// A signal's points compared with a number.
    Signal(String, Comparison, f64),
    /// Whether another rule hit.
    Rule(String, bool),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
    /// `==`
    Equal,
    /// `!=`
    Different,
}

impl Comparison {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "<" => Self::Less,
            "<=" => Self::AtMost,
            ">" => Self::More,
            ">=" => Self::AtLeast,
            "==" => Self::Equal,
            "!=" => Self::Different,
            _ => return None,
        })
    }

    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::More => left > right,
            Self::AtLeast => left >= right,
            Self::Equal => left == right,
            Self::Different => left != right,
        }
    }
}

impl Guard {
    /// Parses a guard.
    ///
    /// # Errors
    /// Says what was expected, with the nearest name.
    pub fn parse(source: &str) -> Result<Self, String> {
        let words: Vec<&str> = source.split_whitespace().collect();
        let comparison = |operator: &str, number: &str| -> Result<(Comparison, f64), String> {
            let operator = Comparison::parse(operator)
                .ok_or_else(|| format!("`{operator}` is no comparison: use < <= > >= == !="))?;
            let number: f64 = number.parse().map_err(|_| format!("`{number}` is no number"))?;
            Ok((operator, number))
        };
        match words.as_slice() {
            [name, operator, number] => {
                let (operator, number) = comparison(operator, number)?;
                if let Some(signal) = name.strip_prefix("signal:") {
                    if !SIGNALS.contains(&signal) {
                        return Err(unknown("signal that rules can ask for", signal, &SIGNALS));
                    }
                    return Ok(Self::Signal(signal.to_owned(), operator, number));
                }
                let at = NUMBERS
                    .iter()
                    .position(|known| known == name)
                    .ok_or_else(|| unknown("count", name, &NUMBERS))?;
                Ok(Self::Number(at, operator, number))
            }
            [name] | ["not", name] => {
                let wanted = words.len() == 1;
                if let Some(rule) = name.strip_prefix("rule:") {
                    return Ok(Self::Rule(rule.to_owned(), wanted));
                }
                let at = FLAGS
                    .iter()
                    .position(|known| known == name)
                    .ok_or_else(|| unknown("flag", name, &FLAGS))?;
                Ok(Self::Flag(at, wanted))
            }
            _ => Err(format!(
                "`{source}` is no guard: write `words >= 8`, `reply`, `not reply`, `signal:ID >= 1` or `rule:PACK/ID`"
            )),
        }
    }

    /// Whether it holds.
    pub fn holds(&self, facts: &Facts) -> bool {
        match self {
            Self::Number(at, comparison, number) => {
                comparison.holds(facts.numbers.get(*at).copied().unwrap_or(0.0), *number)
            }
            Self::Flag(at, wanted) => facts.flags.get(*at).copied().unwrap_or(false) == *wanted,
            Self::Signal(id, comparison, number) => {
                comparison.holds(facts.signals.get(id.as_str()).copied().unwrap_or(0.0), *number)
            }
            Self::Rule(id, wanted) => facts.rules.contains(id) == *wanted,
        }
    }
}

fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    let near =
        known.iter().max_by(|a, b| strsim::jaro_winkler(name, a).total_cmp(&strsim::jaro_winkler(name, b)));
    format!("`{name}` is no {what}; did you mean `{}`? Known: {}", near.unwrap_or(&""), known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guards_are_read_and_judged() {
        let mut facts = Facts::default();
        facts.set_number("words", 9.0);
        facts.set_flag("reply", true);
        facts.signals.insert("evasion", 1.5);
        facts.rules.insert("en.praise/x".to_owned());
        for (guard, expected) in [
            ("words >= 8", true),
            ("words < 9", false),
            ("words != 9", false),
            ("reply", true),
            ("not reply", false),
            ("quoted", false),
            ("signal:evasion >= 1", true),
            ("signal:style > 0", false),
            ("rule:en.praise/x", true),
            ("not rule:en.praise/x", false),
        ] {
            assert_eq!(Guard::parse(guard).unwrap().holds(&facts), expected, "{guard}");
        }
        for (guard, needle) in [
            ("wrods > 3", "did you mean `words`"),
            ("words ~ 3", "no comparison"),
            ("words > many", "no number"),
            ("", "no guard"),
            ("repli", "`reply`"),
            ("signal:echo > 0", "did you mean"),
        ] {
            assert!(Guard::parse(guard).unwrap_err().contains(needle), "{guard}");
        }
    }
}
