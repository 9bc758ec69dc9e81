//! The human reference: which share of genuine comments scores at least as high as this one.
//!
//! A quantile sketch of the text scores of genuine comments, each scored by a model that did not learn from its source.
//! Between two stored quantiles p is interpolated in log p; beyond the last it falls on exponentially (the mean excess of
//! the upper tail is the scale), so that p is strictly monotone and two comments rarely tie.

use serde::{Deserialize, Serialize};

/// The sketch: scores ascending, with the share of genuine comments that score at least so high.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// `(score, p)`, scores ascending, p descending.
    points: Vec<(f32, f64)>,
    /// Scale of the exponential tail.
    tail: f32,
    /// How many genuine comments are behind it.
    pub comments: usize,
}

/// Stored quantiles in the body.
const BODY: usize = 200;
/// Genuine comments above which the tail's scale is fitted.
const TAIL_SHARE: f64 = 0.01;

impl Reference {
    /// Makes the sketch from weighted scores (a source of few comments may weigh as much as one of many).
    pub fn new(scores: &[(f32, f64)]) -> Self {
        let mut sorted: Vec<(f32, f64)> =
            scores.iter().copied().filter(|(s, w)| s.is_finite() && *w > 0.0).collect();
        sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
        let total: f64 = sorted.iter().map(|(_, w)| w).sum::<f64>() + sorted.first().map_or(1.0, |(_, w)| *w);
        let mut above = sorted.first().map_or(0.0, |(_, w)| *w);
        let mut points: Vec<(f32, f64)> = Vec::new();
        let mut next_share = 0.0;
        let mut excess = (0.0, 0.0);
        let mut tail_start = None;
        for &(score, weight) in &sorted {
            above += weight;
            let share = (above / total).min(1.0);
            if share <= TAIL_SHARE {
                tail_start = Some(score);
            }
            // Every score in the upper 2 %, then even steps.
            if share < 0.02 || share >= next_share {
                if points.last().is_none_or(|last| last.0 > score) {
                    points.push((score, share));
                } else if let Some(last) = points.last_mut() {
                    last.1 = share;
                }
                next_share = share + 1.0 / BODY as f64;
            }
        }
        let start = tail_start.unwrap_or(0.0);
        for &(score, weight) in sorted.iter().take_while(|(s, _)| *s >= start) {
            excess.0 += weight * f64::from(score - start);
            excess.1 += weight;
        }
        points.reverse();
        let tail = (excess.0 / f64::max(excess.1, 1e-9)).max(0.05) as f32;
        Self { points: thin(points), tail, comments: sorted.len() }
    }

    /// Whether no genuine comment is behind it.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The score that half of the genuine comments reach.
    pub fn median(&self) -> f64 {
        let at = self.points.partition_point(|(_, p)| *p > 0.5);
        self.points.get(at).or(self.points.last()).map_or(0.0, |(score, _)| f64::from(*score))
    }

    /// The share of genuine comments that score at least `score`, in (0, 1).
    pub fn p(&self, score: f32) -> f64 {
        let at = self.points.partition_point(|(s, _)| *s <= score);
        let before = at.checked_sub(1).and_then(|i| self.points.get(i));
        match (before, self.points.get(at)) {
            (Some(&(s0, p0)), Some(&(s1, p1))) => {
                let t = f64::from((score - s0) / (s1 - s0).max(1e-6));
                (p0.ln() + t * (p1.ln() - p0.ln())).exp()
            }
            (Some(&(last, p)), None) => p * (-f64::from((score - last) / self.tail)).exp(),
            (None, Some(&(first, p))) => {
                1.0 - (1.0 - p) * f64::from((score - first).clamp(-700.0, 0.0)).exp()
            }
            (None, None) => 1.0,
        }
        .clamp(1e-300, 1.0)
    }
}

/// At most a thousand points: the upper ones all, the rest thinned.
fn thin(points: Vec<(f32, f64)>) -> Vec<(f32, f64)> {
    let keep_from = points.len().saturating_sub(700);
    points.into_iter().enumerate().filter(|(at, _)| *at >= keep_from || at % 2 == 0).map(|(_, p)| p).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_is_the_share_above_and_monotone_everywhere() {
        let scores: Vec<(f32, f64)> = (0..5000).map(|i| (i as f32 / 1000.0, 1.0)).collect();
        let reference = Reference::new(&scores);
        assert!((reference.p(2.5) - 0.5).abs() < 0.01);
        assert!((reference.p(4.95) - 0.01).abs() < 0.001);
        let mut last = 1.1;
        for step in -2000..9000 {
            let p = reference.p(step as f32 / 1000.0);
            assert!(p < last || (step < -1000 && p <= last), "at {step}: {p} after {last}");
            last = p;
        }
        assert!(reference.p(5.5) < 0.0002);
    }
}
