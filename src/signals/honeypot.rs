//! Honeypot: a field of the comment form was filled in that people do not see.
//!
//! # What it does
//! Reports what the CMS says (Akismet's `honeypot_field_name`, its plugin's own hidden field).
//!
//! # Why
//! Programs fill in every field.
//!
//! # Limits
//! A browser's autofill does too, now and then: it is history, shown beside the text's score and never part of it.

use super::{Finding, Signal, Subject};
use crate::domain::Level;

/// See the module's documentation.
pub(super) struct Honeypot;

impl Signal for Honeypot {
    fn id(&self) -> &'static str {
        "honeypot"
    }

    fn level(&self) -> Level {
        Level::History
    }

    fn source(&self) -> &'static str {
        include_str!("honeypot.rs")
    }

    fn examine(&self, subject: &Subject<'_>, out: &mut Vec<Finding>) {
        if subject.comment.honeypot {
            out.push(Finding::new(1.0, vec![], "a hidden field of the form was filled in"));
        }
    }
}
