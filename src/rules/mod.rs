//! Rule files: what people know about templated text, as data.
//!
//! A file passes through here in this order: `load` reads the shipped packs and an operator's directory and merges them;
//! `format` is the file's shape as written (unknown keys are errors with file, line, column and the nearest key);
//! `compile` turns it into a [`RuleSet`]: phrases in one Aho-Corasick automaton, templates as small word automata
//! (`template`), regexes in one set, guards (`guard`) parsed; `matching` runs a ruleset over an
//! [`Analysis`](crate::text::Analysis) and yields hits with raw spans. `lint` and `selftest` are for rule authors, `draft` writes a rule
//! from comments that share a template.
//! Points are data here; only the engine adds them up.

mod compile;
pub mod draft;
mod error;
pub mod format;
pub mod guard;
pub mod lint;
mod load;
mod matching;
pub mod selftest;
mod shipped;
pub mod template;

pub use compile::{CompiledRule, Group, RuleSet, SignalWeight, is_pack_id, is_rule_id};
pub use error::{RuleError, RuleErrors};
pub use format::Status;
pub use guard::Facts;
pub use load::{Source, load_dir, merge, parse_file, shipped_files};
pub use matching::{Hit, Words};
