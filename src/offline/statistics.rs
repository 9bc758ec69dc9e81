//! Measures of a detector: area under the curve, detection rates at a false-alarm rate, intervals.

use crate::engine::train::SplitMix;

/// Area under the ROC curve: the share of (genuine, machine) pairs in which the machine scores higher; ties count half.
pub fn auc(genuine: &[f64], machine: &[f64]) -> f64 {
    if genuine.is_empty() || machine.is_empty() {
        return f64::NAN;
    }
    let mut sorted = genuine.to_vec();
    sorted.sort_by(f64::total_cmp);
    let wins: f64 = machine
        .iter()
        .map(|m| {
            let below = sorted.partition_point(|g| g < m);
            let not_above = sorted.partition_point(|g| g <= m);
            f64::midpoint(below as f64, not_above as f64)
        })
        .sum();
    wins / (genuine.len() as f64 * machine.len() as f64)
}

/// The lowest threshold at which at most `rate` of the genuine scores reach it.
pub fn threshold(genuine: &[f64], rate: f64) -> f64 {
    let mut sorted = genuine.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let allowed = (genuine.len() as f64 * rate).floor() as usize;
    match sorted.get(allowed) {
        // The next score must stay below: the threshold lies just above it.
        Some(&first_refused) => first_refused.next_up(),
        None => f64::NEG_INFINITY,
    }
}

/// The share of scores that reach a threshold.
pub fn share_at(scores: &[f64], threshold: f64) -> f64 {
    if scores.is_empty() {
        return f64::NAN;
    }
    scores.iter().filter(|s| **s >= threshold).count() as f64 / scores.len() as f64
}

/// Bootstrap 95 % interval of a share over `n` items with `hits` (percentiles of seeded resamples).
pub fn bootstrap_share(hits: usize, n: usize, seed: u64) -> (f64, f64) {
    const ROUNDS: usize = 400;
    if n == 0 {
        return (f64::NAN, f64::NAN);
    }
    let mut random = SplitMix(seed ^ ((hits as u64) << 32) ^ n as u64);
    let mut shares: Vec<f64> =
        (0..ROUNDS).map(|_| (0..n).filter(|_| random.below(n) < hits).count() as f64 / n as f64).collect();
    shares.sort_by(f64::total_cmp);
    let at = |q: f64| shares.get(((ROUNDS - 1) as f64 * q).round() as usize).copied().unwrap_or(f64::NAN);
    (at(0.025), at(0.975))
}

/// Expected calibration error of p: mean distance between nominal and realised tail shares of genuine comments at the given points.
pub fn calibration(ps: &[f64], points: &[f64]) -> Vec<(f64, f64)> {
    points
        .iter()
        .map(|&nominal| {
            (nominal, ps.iter().filter(|p| **p <= nominal).count() as f64 / ps.len().max(1) as f64)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auc_counts_pairs() {
        assert_eq!(auc(&[1.0, 2.0, 3.0], &[4.0]), 1.0);
        assert_eq!(auc(&[1.0, 2.0], &[1.5, 2.0]), 0.625);
        assert!(auc(&[], &[1.0]).is_nan());
    }

    #[test]
    fn the_threshold_keeps_its_rate() {
        let genuine: Vec<f64> = (0..1000).map(f64::from).collect();
        let t = threshold(&genuine, 0.01);
        assert_eq!(share_at(&genuine, t), 0.01);
        assert_eq!(share_at(&[5.0; 100], threshold(&[5.0; 100], 0.01)), 0.0, "ties are not let through");
    }

    #[test]
    fn intervals_hold_the_share() {
        let (low, high) = bootstrap_share(80, 100, 1);
        assert!(low > 0.68 && low < 0.8 && high > 0.8 && high < 0.92, "{low} {high}");
    }
}
