//! A plan as its file says it: read, checked, described.

use serde::{Deserialize, Serialize};

use super::archive::{PLAN_FORM, Proposal, Sweep};
use crate::domain::{Because, Id, Verdict};
use crate::store::records::Change;

/// A plan's file.
#[derive(Debug, Serialize, Deserialize)]
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
    /// Campaigns that would come to the queue, each on one card.
    #[serde(default)]
    pub sweeps: Vec<Sweep>,
    /// What is proposed, comment by comment.
    #[serde(skip_serializing)]
    pub items: Vec<Proposal>,
}

/// What a plan proposes, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// All changes.
    pub items: usize,
    /// Comments that would come into the queue.
    pub caught: usize,
    /// Comments that would leave it.
    pub spared: usize,
    /// Comments that would stay in the queue and belong to another campaign, or to none.
    pub moved: usize,
}

/// What must agree with the rest of an item.
#[derive(Deserialize)]
struct Judged {
    id: Id,
    verdict: Verdict,
    because: Vec<Because>,
    campaign_id: Option<String>,
    ruleset: String,
    model: String,
    engine: String,
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

    /// Everything but the items as text, and each item with the comment it is about: how a store keeps a plan.
    ///
    /// # Errors
    /// When the plan was made from files.
    pub fn parts(&self) -> Result<(String, Vec<(i64, String)>), String> {
        let head = serde_json::to_string(self).map_err(|error| error.to_string())?;
        let item = |item: &Proposal| {
            let stored = item.stored.as_ref().ok_or_else(from_files)?;
            Ok((stored.seq, serde_json::to_string(item).map_err(|error| error.to_string())?))
        };
        Ok((head, self.items.iter().map(item).collect::<Result<_, String>>()?))
    }

    /// The changes, as a store takes them.
    ///
    /// # Errors
    /// When the plan was made from files or by another version, or when a part of it does not agree with the rest.
    pub fn changes(self) -> Result<Vec<Change>, String> {
        if self.from != "store" {
            return Err(from_files());
        }
        if self.engine != crate::engine::VERSION {
            return Err(format!(
                "was made by version {} of the engine, this is {}: rescore again",
                self.engine,
                crate::engine::VERSION
            ));
        }
        let (ruleset, model, engine) = (&self.ruleset, &self.model, &self.engine);
        let change = |item: Proposal| {
            let wrong = |what: &str| format!("{what} `{}`: rescore again", item.id);
            let stored = item.stored.ok_or_else(|| wrong("lacks a part of the change of"))?;
            let judged = serde_json::from_value::<Judged>(stored.assessment.clone())
                .map_err(|_| wrong("has no assessment of"))?;
            if (&judged.ruleset, &judged.model, &judged.engine) != (ruleset, model, engine) {
                return Err(wrong("has another digest at its head than in the assessment of"));
            }
            if (&judged.id, judged.verdict, &judged.because, &judged.campaign_id)
                != (&item.id, item.to, &item.because, &item.campaign)
            {
                return Err(wrong("says something else than its own assessment of"));
            }
            Ok(Change {
                seq: stored.seq,
                standing_at: stored.standing_at,
                facts: stored.facts,
                priority: stored.priority,
                tags: stored.tags,
                assessment: stored.assessment.to_string(),
                to: item.to,
                because: item.because,
                campaign: item.campaign,
                id: item.id,
            })
        };
        self.items.into_iter().map(change).collect()
    }
}

fn from_files() -> String {
    "was made from files: it can be shown, and a store can be rescored to make one that can be applied"
        .to_owned()
}
