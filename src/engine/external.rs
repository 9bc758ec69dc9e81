//! What an external signal answered -> points: capped for each plugin, none in the shadow, p from the sum.
//!
//! The answers are part of the input here: whoever asks a plugin does it before, so that the same input gives the same bytes.

use super::score::{Engine, TextScore};
use crate::domain::{Evidence, Level, Span};

/// One finding of a plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct ExternalFinding {
    /// The plugin's own name for what it found.
    pub rule: Option<String>,
    /// Natural-log odds, before the cap.
    pub points: f64,
    /// Where in the raw text.
    pub spans: Vec<Span>,
    /// One plain sentence for a moderator.
    pub message: String,
}

/// All that one plugin found.
#[derive(Debug, Clone, PartialEq)]
pub struct External {
    /// The plugin's name.
    pub plugin: String,
    /// Whether it counts; in the shadow it is shown only.
    pub live: bool,
    /// The most points it adds, either sign.
    pub cap: f64,
    /// What it found.
    pub findings: Vec<ExternalFinding>,
}

impl Engine {
    /// Adds what plugins found to a text's score and evidence.
    pub fn add_external(&self, external: &[External], text: &mut TextScore, evidence: &mut Vec<Evidence>) {
        let mut added = 0.0;
        for one in external {
            let sum: f64 = one.findings.iter().map(|finding| finding.points).sum();
            let shrink = if sum.abs() > one.cap { one.cap / sum.abs() } else { 1.0 };
            let factor = if one.live && !text.abstained { shrink } else { 0.0 };
            added += sum * factor;
            evidence.extend(one.findings.iter().map(|finding| Evidence {
                signal: format!("plugin:{}", one.plugin).into(),
                rule: finding.rule.clone(),
                points: finding.points * factor,
                level: Level::Text,
                spans: finding.spans.clone(),
                message: finding.message.clone(),
            }));
        }
        if added != 0.0 {
            text.points += added;
            text.p = self.model.reference().p(text.points as f32);
        }
    }
}
