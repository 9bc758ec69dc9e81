//! A plan as its file says it: read, checked, described.

use serde::Deserialize;

use super::archive::{PLAN_FORM, Proposal};
use crate::domain::Verdict;
use crate::store::records::Change;

/// A plan's file.
#[derive(Debug, Deserialize)]
pub struct Plan {
    /// Its form.
    pub form: String,
    /// `store` or `files`.
    pub from: String,
    /// Digest of the rules it was made with.
    pub ruleset: String,
    /// Digest of the model.
    pub model: String,
    /// Version of the engine.
    pub engine: String,
    /// Which comments each was judged with.
    pub mode: String,
    /// What is proposed.
    pub items: Vec<Proposal>,
}

/// What a plan proposes, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Counts {
    /// All changes.
    pub items: usize,
    /// Comments that would come into the queue.
    pub caught: usize,
    /// Comments that would leave it.
    pub spared: usize,
    /// Comments that would belong to another campaign.
    pub moved: usize,
}

impl Plan {
    /// Reads a plan.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn read(text: &str) -> Result<Self, String> {
        let plan: Self = serde_json::from_str(text).map_err(|error| format!("is no plan: {error}"))?;
        if plan.form != PLAN_FORM {
            return Err(format!("is of the form `{}`: this version reads {PLAN_FORM}", plan.form));
        }
        Ok(plan)
    }

    /// Its id: made from its text, so that the same plan is the same everywhere.
    pub fn id(text: &str) -> String {
        format!("p{:016x}", crate::text::stable_hash(text.as_bytes()))
    }

    /// What it proposes, in numbers.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts { items: self.items.len(), ..Counts::default() };
        for item in &self.items {
            match (item.from, item.to) {
                (Some(Verdict::Allow) | None, to) if to != Verdict::Allow => counts.caught += 1,
                (Some(from), Verdict::Allow) if from != Verdict::Allow => counts.spared += 1,
                _ => counts.moved += 1,
            }
        }
        counts
    }

    /// The changes, as a store takes them.
    ///
    /// # Errors
    /// When the plan was made from files, or a part of a change is missing.
    pub fn changes(self) -> Result<Vec<Change>, String> {
        if self.from != "store" {
            return Err("was made from files: it can be shown, and a store can be rescored to make one that can be applied".to_owned());
        }
        let change = |item: Proposal| {
            let missing = || format!("lacks a part of the change of `{}`", item.id);
            Ok(Change {
                seq: item.seq.ok_or_else(missing)?,
                standing_at: item.standing_at.ok_or_else(missing)?,
                assessment: item.assessment.clone().ok_or_else(missing)?,
                to: item.to,
                because: item.because,
                campaign: item.campaign,
                priority: item.priority,
                id: item.id,
            })
        };
        self.items.into_iter().map(change).collect()
    }
}
