//! A plan as its file says it: read, checked, described.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::archive::{PLAN_FORM, Proposal, Sweep};
use crate::domain::{Because, Id, Verdict};
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
    /// Campaigns that would come to the queue, each on one card.
    #[serde(default)]
    pub sweeps: Vec<Sweep>,
    /// What is proposed, comment by comment.
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

/// Which comment of a store an item is about.
#[derive(Deserialize)]
struct Of {
    stored: Option<Numbered>,
}

#[derive(Deserialize)]
struct Numbered {
    seq: i64,
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
        let mut named = HashSet::new();
        if let Some(twice) = plan.items.iter().find(|item| !named.insert((&item.site, &item.id))) {
            return Err(format!("names the comment `{}` twice", twice.id));
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
    /// What is wrong with the text, or when the plan was made from files.
    pub fn parts(text: &str) -> Result<(String, Vec<(i64, String)>), String> {
        let wrong = |error: serde_json::Error| format!("is no plan: {error}");
        let mut parts: BTreeMap<String, &RawValue> = serde_json::from_str(text).map_err(wrong)?;
        let items = parts.remove("items").ok_or("is no plan: it has no `items`")?;
        let items: Vec<&RawValue> = serde_json::from_str(items.get()).map_err(wrong)?;
        let item = |item: &RawValue| {
            let of: Of = serde_json::from_str(item.get()).map_err(wrong)?;
            Ok((of.stored.ok_or_else(from_files)?.seq, item.get().to_owned()))
        };
        let items = items.into_iter().map(item).collect::<Result<_, String>>()?;
        Ok((serde_json::to_string(&parts).map_err(wrong)?, items))
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
            let judged = serde_json::from_str::<Judged>(stored.assessment.get())
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
                assessment: Box::<str>::from(stored.assessment).into_string(),
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
