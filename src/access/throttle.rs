//! Wrong passwords make the next try wait: twice as long each time, for the name and for the address that tried.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The longest wait.
const LONGEST: Duration = Duration::from_mins(15);
/// Names and addresses that are remembered.
const MOST: usize = 10_000;

/// Who tried how often without success.
#[derive(Default)]
pub struct Throttle(Mutex<HashMap<String, (u32, Instant)>>);

impl Throttle {
    /// How long the next try with one of these names has to wait; none: it may be tried now.
    pub fn wait(&self, names: &[&str], tries: u32) -> Option<Duration> {
        let failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = names.iter().filter_map(|name| failed.get(*name)).filter_map(|(count, last)| {
            let beyond = count.checked_sub(tries)?;
            let wait = Duration::from_secs(1 << beyond.min(10)).min(LONGEST);
            wait.checked_sub(last.elapsed())
        });
        waits.max()
    }

    /// A wrong password.
    pub fn failed(&self, names: &[&str]) {
        let mut failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.len() >= MOST {
            failed.retain(|_, (_, last)| last.elapsed() < LONGEST);
        }
        for name in names {
            let entry = failed.entry((*name).to_owned()).or_insert_with(|| (0, Instant::now()));
            *entry = (entry.0.saturating_add(1), Instant::now());
        }
    }

    /// The right one: what was wrong before is forgotten.
    pub fn succeeded(&self, names: &[&str]) {
        let mut failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for name in names {
            failed.remove(*name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_begins_after_some_tries_and_grows() {
        let throttle = Throttle::default();
        let wait =
            |throttle: &Throttle| throttle.wait(&["ann", "10.0.0.1"], 3).map_or(0, |wait| wait.as_millis());
        for _ in 0..2 {
            throttle.failed(&["ann"]);
        }
        assert_eq!(wait(&throttle), 0);
        throttle.failed(&["ann"]);
        assert!((500..=1000).contains(&wait(&throttle)));
        throttle.failed(&["ann", "10.0.0.1"]);
        assert!((1500..=2000).contains(&wait(&throttle)));
        assert_eq!(throttle.wait(&["bob"], 3), None);
        throttle.succeeded(&["ann"]);
        assert_eq!(wait(&throttle), 0);
    }
}
