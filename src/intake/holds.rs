//! What may be kept back until somebody has looked: only for the reasons that the configuration names, only where people's own decisions
//! prove the reason right, and only so often a day.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use chrono::Utc;

use crate::config::Hold;
use crate::domain::{Assessment, Because, Verdict};
use crate::store::records::Accuracy;
use crate::store::{Store, StoreError};

/// Days of decisions that count.
const DAYS: i64 = 90;

#[derive(Default)]
struct State {
    rules: Hold,
    /// Reasons whose decisions are good enough.
    proven: BTreeSet<u8>,
    /// Today, and how many were held.
    today: (i64, i64),
}

/// See the module's documentation.
pub(super) struct Holds(Mutex<State>);

impl Holds {
    pub(super) fn new(rules: &Hold) -> Self {
        Self(Mutex::new(State { rules: rules.clone(), ..State::default() }))
    }

    /// Takes new rules; what was proven under the old ones is proven anew at the next refresh.
    pub(super) fn configure(&self, rules: &Hold) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.proven.clear();
        state.rules = rules.clone();
    }

    /// Asks the store how right the reasons were, and how many were held today.
    pub(super) async fn refresh(&self, store: &Store) -> Result<(), StoreError> {
        let rules = self.0.lock().unwrap_or_else(PoisonError::into_inner).rules.clone();
        let mut proven = BTreeSet::new();
        for because in &rules.because {
            if is_proven(&rules, store.accuracy(*because, DAYS).await?) {
                proven.insert(*because as u8);
            }
        }
        let held = if rules.because.is_empty() { 0 } else { store.holds_today().await? };
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.proven = proven;
        state.today = (today(), held);
        Ok(())
    }

    /// Whether this comment is kept back; counts it.
    pub(super) fn take(&self, assessment: &Assessment) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = |because: &Because| state.proven.contains(&(*because as u8));
        if assessment.verdict != Verdict::Review || !assessment.because.iter().any(wanted) {
            return false;
        }
        let today = today();
        if state.today.0 != today {
            state.today = (today, 0);
        }
        if state.today.1 >= state.rules.per_day {
            return false;
        }
        state.today.1 += 1;
        true
    }
}

fn is_proven(rules: &Hold, accuracy: Accuracy) -> bool {
    let decided = accuracy.rejected + accuracy.approved;
    decided >= rules.decisions && accuracy.rejected as f64 >= rules.precision * decided as f64
}

fn today() -> i64 {
    Utc::now().timestamp() / 86_400
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_proven_by_enough_decisions_that_are_right() {
        let rules = Hold { because: vec![Because::Rule], precision: 0.9, decisions: 10, per_day: 1 };
        for (rejected, approved, proven) in
            [(9, 1, true), (10, 0, true), (9, 0, false), (8, 2, false), (0, 0, false)]
        {
            assert_eq!(
                is_proven(&rules, Accuracy { rejected, approved }),
                proven,
                "{rejected} of {approved}"
            );
        }
    }
}
