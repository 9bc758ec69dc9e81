//! The thread alarm: whether a thread as a whole holds more unusual texts than genuine readers write.
//!
//! Under genuine readers p is uniform, so the mean of -log10 p over k comments has mean 0.434 and deviation 0.434 / sqrt k
//! (Fisher's method). The alarm level is science.md section 3's `base + slope / sqrt(min(k, cap))`: comments of one thread
//! share a subject, so beyond `cap` more of them are not more evidence.

use crate::config::ThreadRules;

/// A thread's standing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThreadScore {
    /// Comments that counted.
    pub k: usize,
    /// Mean of -log10 p.
    pub mean: f64,
    /// Probability of such a mean in a genuine thread (gamma tail over min(k, cap) comments), in (0, 1].
    pub p: f64,
    /// Whether the alarm is raised.
    pub alarm: bool,
}

impl ThreadScore {
    /// Scores a thread from the p of its judged comments.
    pub fn new(ps: &[f64], rules: &ThreadRules) -> Self {
        Self::of_sum(ps.len(), ps.iter().map(|p| -p.log10()).sum(), rules)
    }

    /// Scores a thread of `k` judged comments whose -log10 p add up to `sum`.
    pub fn of_sum(k: usize, sum: f64, rules: &ThreadRules) -> Self {
        if k == 0 {
            return Self { k, mean: 0.0, p: 1.0, alarm: false };
        }
        let mean = sum / k as f64;
        let effective = k.min(rules.cap);
        let level = rules.base + rules.slope / (effective as f64).sqrt();
        let p = gamma_tail(effective, mean * std::f64::consts::LN_10 * effective as f64);
        Self { k, mean, p, alarm: k >= rules.fewest && mean > level }
    }
}

/// Probability that a sum of `k` unit exponentials exceeds `x`: `e^-x * sum of x^i / i! for i < k`.
fn gamma_tail(k: usize, x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for i in 1..k {
        term *= x / i as f64;
        sum += term;
    }
    (sum.ln() - x).exp().clamp(1e-300, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn genuine_threads_stay_quiet_machine_threads_do_not() {
        let rules = ThreadRules::default();
        // The quantiles of a uniform p: as genuine as can be.
        let genuine: Vec<f64> = (0..20).map(|i| (f64::from(i) + 0.5) / 20.0).collect();
        assert!(!ThreadScore::new(&genuine, &rules).alarm);
        let machine = [0.004, 0.02, 0.001, 0.05, 0.01];
        let score = ThreadScore::new(&machine, &rules);
        assert!(score.alarm && score.p < 1e-4, "{score:?}");
        assert!(!ThreadScore::new(&[0.001, 0.001], &rules).alarm, "two comments are no thread");
    }

    #[test]
    fn the_tail_is_a_probability() {
        assert!((gamma_tail(1, 2.0) - (-2.0f64).exp()).abs() < 1e-12);
        assert!((gamma_tail(3, 0.0) - 1.0).abs() < 1e-12);
        assert!(gamma_tail(12, 60.0) < 1e-10);
    }
}
