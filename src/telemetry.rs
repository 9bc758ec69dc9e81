//! Timings and counters that the parts keep for the metrics page: plain atomic numbers, read when somebody asks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Upper ends of a timing's buckets, in microseconds; what takes longer falls into one more.
pub const BUCKETS: [u64; 12] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 2_000_000];

/// A stage's durations, as a histogram.
#[derive(Debug, Default)]
pub struct Timing {
    micros: AtomicU64,
    counts: [AtomicU64; BUCKETS.len() + 1],
}

/// A histogram as it stood at one moment: how many took at most each bucket's time, how many there were, microseconds in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Cumulative counts by [`BUCKETS`].
    pub up_to: Vec<u64>,
    /// All of them.
    pub count: u64,
    /// Microseconds in all.
    pub micros: u64,
}

impl Timing {
    /// Adds the time since `started`.
    pub fn add(&self, started: Instant) {
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let at = BUCKETS.iter().position(|end| micros <= *end).unwrap_or(BUCKETS.len());
        self.micros.fetch_add(micros, Ordering::Relaxed);
        if let Some(count) = self.counts.get(at) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How it stands.
    pub fn read(&self) -> Reading {
        let mut count = 0;
        let mut up_to = Vec::with_capacity(BUCKETS.len());
        for (at, bucket) in self.counts.iter().enumerate() {
            count += bucket.load(Ordering::Relaxed);
            if at < BUCKETS.len() {
                up_to.push(count);
            }
        }
        Reading { up_to, count, micros: self.micros.load(Ordering::Relaxed) }
    }
}

/// Something counted since the start.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Counts one.
    pub fn one(&self) {
        self.add(1);
    }

    /// Counts several.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// How many so far.
    pub fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timing_counts_what_it_was_given() {
        let timing = Timing::default();
        timing.add(Instant::now());
        timing.add(Instant::now().checked_sub(std::time::Duration::from_secs(9)).unwrap());
        let reading = timing.read();
        assert_eq!(reading.count, 2);
        assert_eq!(reading.up_to.last(), Some(&1), "nine seconds are beyond the last bucket");
        assert!(reading.micros >= 9_000_000);
    }
}
