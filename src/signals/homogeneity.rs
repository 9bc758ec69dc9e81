//! Homogeneity and burst: the thread around the comment.
//!
//! # What it does
//! Says how many of the thread's comments are among the 5 % least like genuine ones, whether they came within ten minutes
//! of one another by different authors, and whether this comment resembles them.
//!
//! # Why
//! Threads, not comments, give the game away: a flood is easier to see than a drop.
//!
//! # Limits
//! It explains and breaks ties; the thread alarm itself is a rule of the engine. Fewer than three comments say nothing.

use std::fmt::Write as _;

use super::{Finding, Signal, Subject};
use crate::domain::Level;

/// See the module's documentation.
pub(super) struct Homogeneity;

impl Signal for Homogeneity {
    fn id(&self) -> &'static str {
        "thread"
    }

    fn level(&self) -> Level {
        Level::Thread
    }

    fn source(&self) -> &'static str {
        include_str!("homogeneity.rs")
    }

    fn examine(&self, subject: &Subject<'_>, out: &mut Vec<Finding>) {
        let thread = subject.history.thread();
        if thread.others < 3 {
            return;
        }
        let share = thread.unusual as f64 / thread.others as f64;
        if share >= 0.25 && thread.unusual >= 2 {
            let mut message = format!(
                "{} of the {} other comments of this thread read like few genuine ones do",
                thread.unusual, thread.others
            );
            if thread.burst >= 2 {
                let _ = write!(message, "; {} of them came within ten minutes of this one", thread.burst);
            }
            let closeness = (thread.similarity / 0.1).min(1.0);
            out.push(Finding::new(share * (0.7 + 0.3 * closeness), vec![], message));
        }
    }
}
