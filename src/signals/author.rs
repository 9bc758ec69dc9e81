//! Author pattern: links and machine-made names.
//!
//! # What it does
//! Looks at the author's displayed name: a web address or an advertisement as a name, or a word followed by four or more digits.
//!
//! # Why
//! Comment farms register in series.
//!
//! # Limits
//! Plenty of people are `anna1987`: the weight ships as 0, the finding is shown and counted and decides nothing.

use super::{Finding, Signal, Subject};
use crate::domain::Level;

/// See the module's documentation.
pub(super) struct AuthorPattern;

impl Signal for AuthorPattern {
    fn id(&self) -> &'static str {
        "author-pattern"
    }

    fn level(&self) -> Level {
        Level::History
    }

    fn source(&self) -> &'static str {
        include_str!("author.rs")
    }

    fn examine(&self, subject: &Subject<'_>, out: &mut Vec<Finding>) {
        let Some(name) = subject.comment.author.as_ref().and_then(|author| author.name.as_deref()) else {
            return;
        };
        let digits = name.chars().rev().take_while(char::is_ascii_digit).count();
        if name.contains("://") || name.contains("www.") {
            out.push(Finding::new(1.0, vec![], "the author's name is a web address"));
        } else if digits >= 4 && name.len() > digits {
            out.push(Finding::new(0.3, vec![], "the author's name ends in a long number"));
        }
    }
}
