//! Which words carried the text model's share of the points.
//!
//! Each n-gram's contribution is shared evenly among the tokens it covers; neighbouring tokens of one sign make a stretch;
//! the heaviest stretches become evidence with their span, and one last piece holds the rest, so that all add up to the logit.

use super::model::Model;
use super::score::MODEL_SIGNAL;
use crate::domain::{Evidence, Level, Span};
use crate::text::Analysis;

/// Stretches shown that speak for templated text.
const MOST_FOR: usize = 5;
/// Stretches shown that speak for a genuine reader.
const MOST_AGAINST: usize = 2;
/// The longest stretch, in tokens.
const LONGEST: usize = 9;
/// A stretch with less weight is part of the rest.
const LEAST_POINTS: f64 = 0.08;

/// Appends the model's evidence; its points add up to `logit`.
pub(super) fn model_evidence(model: &Model, analysis: &Analysis<'_>, logit: f64, out: &mut Vec<Evidence>) {
    let parts = model.contributions(analysis);
    let tokens: Vec<Span> = analysis.judged().map(|t| t.raw).collect();
    let mut weights = vec![0f64; tokens.len()];
    for (points, span) in parts.grams {
        let first = tokens.partition_point(|t| t.end <= span.start);
        let last = tokens.partition_point(|t| t.start < span.end.max(span.start + 1));
        let Some(covered) = weights.get_mut(first..last.max(first)).filter(|c| !c.is_empty()) else {
            continue;
        };
        let share = f64::from(points) / covered.len() as f64;
        for weight in covered {
            *weight += share;
        }
    }
    let mut stretches = stretches(&tokens, &weights);
    stretches.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let positive = stretches.iter().take(MOST_FOR).filter(|s| s.0 >= LEAST_POINTS);
    let negative = stretches.iter().rev().take(MOST_AGAINST).filter(|s| s.0 <= -LEAST_POINTS);
    let mut rest = logit;
    for &(points, span) in positive.chain(negative) {
        rest -= points;
        let words = crate::text::truncate::truncate(span.slice(analysis.raw()), 120);
        let how = if points > 0.0 { "reads like templated text" } else { "reads like a person" };
        out.push(Evidence {
            signal: MODEL_SIGNAL.into(),
            rule: None,
            points,
            level: Level::Text,
            spans: vec![span],
            message: format!("wording that {how}: \"{words}\""),
        });
    }
    out.push(Evidence {
        signal: MODEL_SIGNAL.into(),
        rule: None,
        points: rest,
        level: Level::Text,
        spans: vec![],
        message: "the rest of the wording, style and length".to_owned(),
    });
}

/// Maximal runs of tokens of one sign, cut at [`LONGEST`].
fn stretches(tokens: &[Span], weights: &[f64]) -> Vec<(f64, Span)> {
    let mut out: Vec<(f64, Span, usize)> = Vec::new();
    for (span, &weight) in tokens.iter().zip(weights) {
        match out.last_mut() {
            Some((sum, covered, length)) if (*sum > 0.0) == (weight > 0.0) && *length < LONGEST => {
                *sum += weight;
                *covered = covered.cover(*span);
                *length += 1;
            }
            _ => out.push((weight, *span, 1)),
        }
    }
    out.into_iter().map(|(sum, span, _)| (sum, span)).collect()
}
