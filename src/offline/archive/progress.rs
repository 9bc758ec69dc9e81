//! How far a long run is: said on a terminal, in JSON lines, or not at all.

use std::time::{Duration, Instant};

/// A word about the progress.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Step {
    /// `read`, `score`, `link`, `write`.
    pub stage: &'static str,
    /// Comments done in this stage.
    pub done: u64,
    /// Comments in all, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// Comments a second in this stage.
    pub rate: u64,
    /// Seconds that this stage will take at this rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta_seconds: Option<u64>,
    /// Flagged so far.
    pub flagged: u64,
    /// Pieces that were not understood so far.
    pub rejected: u64,
    /// Memory of the process, in MiB.
    pub memory_mib: u64,
}

/// Where progress is told.
pub trait Listener {
    /// Hears of a step; at the end of a stage `done` is `of`.
    fn hear(&mut self, step: &Step);
}

/// Says nothing.
pub struct Quiet;

impl Listener for Quiet {
    fn hear(&mut self, _step: &Step) {}
}

/// The time between two words.
const PAUSE: Duration = Duration::from_millis(500);

/// A stage under way.
pub(super) struct Stage {
    name: &'static str,
    began: Instant,
    before: u64,
    told: Instant,
}

impl Stage {
    /// A stage that goes on after so many comments.
    pub(super) fn new(name: &'static str, before: u64) -> Self {
        let now = Instant::now();
        Self { name, began: now, before, told: now.checked_sub(PAUSE).unwrap_or(now) }
    }

    /// Tells how far it is, if it is time.
    pub(super) fn tell(
        &mut self,
        listener: &mut dyn Listener,
        done: u64,
        of: Option<u64>,
        (flagged, rejected): (u64, u64),
        now: bool,
    ) {
        if !now && self.told.elapsed() < PAUSE {
            return;
        }
        self.told = Instant::now();
        let rate = (done - self.before.min(done)) as f64 / self.began.elapsed().as_secs_f64().max(1e-3);
        let eta = of.filter(|_| rate > 0.0).map(|of| ((of - done.min(of)) as f64 / rate) as u64);
        listener.hear(&Step {
            stage: self.name,
            done,
            of,
            rate: rate as u64,
            eta_seconds: eta,
            flagged,
            rejected,
            memory_mib: memory() >> 20,
        });
    }
}

/// Memory of this process, in bytes; 0 where the system does not say.
pub fn memory() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * 4096
}
