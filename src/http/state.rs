//! What all handlers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use super::auth::KeyCache;
use super::error::{ApiError, Code};
use crate::intake::Intake;

/// Comments that may be under way at once; more are turned away with `Retry-After`.
const MOST_UNDER_WAY: i64 = 1024;

/// What all handlers share.
pub struct State {
    /// The use case.
    pub intake: Arc<Intake>,
    /// Where the desk is, for the links in answers.
    pub public_url: String,
    /// How long a decision can be undone, in milliseconds.
    pub undo_for: i64,
    /// How long a claim lasts, in milliseconds.
    pub lease: i64,
    /// Keys found lately.
    pub keys: KeyCache,
    /// What was counted since the start.
    pub counters: Counters,
    under_way: Arc<AtomicI64>,
}

/// Counted since the start.
#[derive(Default)]
pub struct Counters {
    /// Comments taken.
    pub taken: AtomicU64,
    /// Of these, proposed for review.
    pub review: AtomicU64,
    /// Deliveries that were known.
    pub repeated: AtomicU64,
    /// Requests turned away.
    pub turned_away: AtomicU64,
    /// Microseconds spent taking comments.
    pub micros: AtomicU64,
}

/// A place among the comments under way; given back when dropped.
pub struct Admission(Arc<AtomicI64>);

impl Drop for Admission {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl State {
    /// The state of a service.
    pub fn new(intake: Arc<Intake>, public_url: &str) -> Self {
        Self {
            intake,
            public_url: public_url.trim_end_matches('/').to_owned(),
            undo_for: 10 * 60 * 1000,
            lease: 5 * 60 * 1000,
            keys: KeyCache::default(),
            counters: Counters::default(),
            under_way: Arc::default(),
        }
    }

    /// Lets a request in, or turns it away.
    ///
    /// # Errors
    /// `overloaded` when too many are under way.
    pub fn admit(&self) -> Result<Admission, ApiError> {
        let admission = Admission(Arc::clone(&self.under_way));
        if self.under_way.fetch_add(1, Ordering::Relaxed) >= MOST_UNDER_WAY {
            self.counters.turned_away.fetch_add(1, Ordering::Relaxed);
            return Err(ApiError::new(
                Code::Overloaded,
                "too many comments are under way: send it again in a second",
            ));
        }
        Ok(admission)
    }
}
