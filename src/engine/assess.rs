//! Stage two for one comment: its text's score and its place among the others -> the assessment.

use super::decide::{Standing, decide};
use super::score::{Engine, TextScore};
use crate::domain::{Assessment, Comment, Evidence, Id, Level, Points, ThreadSummary};
use crate::signals::History;
use crate::text::{Analysis, Reference};

/// A comment's place among the others, as far as it may be seen.
pub struct Place<'a> {
    /// Its thread and its campaign in numbers.
    pub standing: Standing,
    /// Its campaign.
    pub campaign: Option<Id>,
    /// What signals may know; `None` when the text is judged alone.
    pub history: Option<&'a dyn History>,
}

impl Engine {
    /// The assessment of a comment whose text scored `text` with this `evidence`.
    pub fn assess(
        &self,
        comment: &Comment,
        analysis: &Analysis<'_>,
        article: Option<&Reference>,
        text: &TextScore,
        mut evidence: Vec<Evidence>,
        place: &Place<'_>,
    ) -> Assessment {
        if let Some(history) = place.history {
            evidence.extend(self.context_evidence(comment, analysis, article, history));
        }
        let (verdict, because) = decide(text, &place.standing, &self.config);
        let points = round_and_sort(&mut evidence);
        let thread = comment.thread().zip(place.standing.thread);
        Assessment {
            id: comment.id.clone(),
            score: if text.abstained { 0.0 } else { 1.0 - text.p },
            verdict,
            because,
            abstained: text.abstained,
            trusted: place.standing.trusted,
            campaign_id: place.campaign.clone(),
            thread: thread
                .filter(|(_, thread)| thread.k >= self.config.thread.fewest)
                .map(|(id, thread)| ThreadSummary { id: id.clone(), alarm: thread.alarm, p: thread.p }),
            points,
            evidence,
            ruleset: self.rules.digest().to_owned(),
            model: self.model.digest().to_owned(),
            engine: super::VERSION,
        }
    }
}

/// Rounds points to four decimals, sorts by weight, and adds up the levels from the rounded points.
fn round_and_sort(evidence: &mut [Evidence]) -> Points {
    let round = |value: f64| (value * 1e4).round() / 1e4 + 0.0;
    for e in evidence.iter_mut() {
        e.points = round(e.points);
    }
    evidence.sort_by(|a, b| {
        b.points
            .abs()
            .total_cmp(&a.points.abs())
            .then_with(|| a.rule.cmp(&b.rule))
            .then_with(|| a.spans.cmp(&b.spans))
    });
    let total = |level: Level| round(evidence.iter().filter(|e| e.level == level).map(|e| e.points).sum());
    Points { text: total(Level::Text), thread: total(Level::Thread), history: total(Level::History) }
}
