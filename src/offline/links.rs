//! Copies in a file: who is a near-duplicate of whom, and which campaigns they make, kept up to date as the file is read.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::judge::{MOST_COMPARED, Mode, References};
use crate::domain::{Campaign, Comment, Id};
use crate::engine::{Engine, Linking, TextScore};
use crate::similarity::{CampaignId, Campaigns, Index, Sketch, align};

/// Verified near-duplicates of every comment, and the campaigns they make.
pub(super) struct Links<'a> {
    pub(super) copies: Vec<Vec<(usize, f64, f64)>>,
    /// Campaign and its known authors, as far as each comment may see.
    pub(super) seen: Vec<Option<(CampaignId, usize, bool)>>,
    campaigns: Campaigns,
    /// The authors of each campaign, kept up to date as it grows.
    tallies: HashMap<CampaignId, Tally<'a>>,
}

/// Who takes part in a campaign.
#[derive(Default)]
pub(super) struct Tally<'a> {
    known: HashSet<(Option<&'a Id>, &'a str)>,
    unknown: usize,
}

impl<'a> Tally<'a> {
    pub(super) fn of(comment: &'a Comment) -> Self {
        let key = comment.author_key().map(|key| (comment.site.as_ref(), key));
        Self { unknown: usize::from(key.is_none()), known: key.into_iter().collect() }
    }

    /// Adds the smaller to the larger, so that growing one by one stays cheap.
    pub(super) fn absorb(&mut self, mut other: Self) {
        if other.known.len() > self.known.len() {
            std::mem::swap(&mut self.known, &mut other.known);
        }
        self.known.extend(other.known);
        self.unknown += other.unknown;
    }
}

impl<'a> Links<'a> {
    pub(super) fn none(count: usize) -> Self {
        Self {
            copies: vec![Vec::new(); count],
            seen: vec![None; count],
            campaigns: Campaigns::default(),
            tallies: HashMap::new(),
        }
    }

    pub(super) fn new(
        engine: &Engine,
        comments: &'a [Comment],
        texts: &[(TextScore, Option<Sketch>)],
        mode: Mode,
    ) -> Self {
        let linking = Linking::new(&engine.config.campaign);
        let p = |at: usize| texts.get(at).filter(|(score, _)| !score.abstained).map(|(score, _)| score.p);
        let mut links = Self::none(comments.len());
        let mut index = Index::with_capacity(comments.len());
        let mut slots: Vec<usize> = Vec::new();
        let mut found = Vec::new();
        for (at, (comment, (_, sketch))) in comments.iter().zip(texts).enumerate() {
            let Some(sketch) = sketch else { continue };
            let Some(slot) = index.insert_then_query(sketch, 0, linking.wide(), &mut found) else { continue };
            slots.resize(slots.len().max(slot.0 as usize + 1), usize::MAX);
            if let Some(place) = slots.get_mut(slot.0 as usize) {
                *place = at;
            }
            for copy in &found {
                let Some(&other) = slots.get(copy.slot.0 as usize) else { continue };
                let Some(earlier) = comments.get(other) else { continue };
                let same_record = earlier.id == comment.id && earlier.site == comment.site;
                if same_record || !linking.admits(&copy.likeness, p(at), p(other)) {
                    continue;
                }
                let (jaccard, skeleton) = (copy.likeness.jaccard, copy.likeness.skeleton);
                if let Some(mine) = links.copies.get_mut(at) {
                    mine.push((other, jaccard, skeleton));
                }
                if mode == Mode::Whole
                    && let Some(theirs) = links.copies.get_mut(other)
                {
                    theirs.push((at, jaccard, skeleton));
                }
                links.link(comments, at, other);
            }
            if mode == Mode::AsOfArrival {
                let seen = links.standing(at);
                if let Some(place) = links.seen.get_mut(at) {
                    *place = seen;
                }
            }
        }
        if mode == Mode::Whole {
            links.seen = (0..comments.len()).map(|at| links.standing(at)).collect();
            for copies in &mut links.copies {
                copies.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            }
        }
        for copies in &mut links.copies {
            copies.truncate(MOST_COMPARED);
        }
        links
    }

    /// Links two comments and joins the authors of what they belonged to.
    pub(super) fn link(&mut self, comments: &'a [Comment], at: usize, other: usize) {
        let before = [at, other].map(|member| self.campaigns.campaign_of(member as u32));
        self.campaigns.link(at as u32, other as u32, |member| name(comments, member));
        let Some(now) = self.campaigns.campaign_of(at as u32) else { return };
        for (member, was) in [at, other].into_iter().zip(before) {
            let joining = match was {
                None => comments.get(member).map(Tally::of),
                Some(id) if id != now => self.tallies.remove(&id),
                Some(_) => None,
            };
            if let Some(joining) = joining {
                self.tallies.entry(now).or_default().absorb(joining);
            }
        }
    }

    /// The campaign of a comment, its number of known authors, and whether two authors share it.
    pub(super) fn standing(&self, at: usize) -> Option<(CampaignId, usize, bool)> {
        let id = self.campaigns.campaign_of(at as u32)?;
        let tally = self.tallies.get(&id)?;
        Some((id, tally.known.len(), tally.known.len() + tally.unknown >= 2))
    }

    pub(super) fn describe(&self, comments: &[Comment], references: &References<'_>) -> Vec<Campaign> {
        let mut campaigns: Vec<Campaign> = self
            .campaigns
            .iter()
            .filter_map(|(id, members)| {
                let first = members.first().copied()? as usize;
                let (_, known, shared) = self.standing(first)?;
                if !shared {
                    return None;
                }
                let records: Vec<&Comment> =
                    members.iter().filter_map(|m| comments.get(*m as usize)).collect();
                let words: Vec<Vec<String>> = records
                    .iter()
                    .take(align::MOST_MEMBERS)
                    .map(|c| align::words(&references.analyse(c)))
                    .collect();
                let threads: BTreeSet<_> = records.iter().filter_map(|c| c.thread()).collect();
                let unknown = records.iter().filter(|c| c.author_key().is_none()).count();
                Some(Campaign {
                    id: id.to_string().into(),
                    members: records.iter().map(|c| c.id.clone()).collect(),
                    authors: known + unknown,
                    articles: threads.len().max(1),
                    first_seen: records.iter().filter_map(|c| c.created_at).min(),
                    last_seen: records.iter().filter_map(|c| c.created_at).max(),
                    skeleton: align::skeleton(&words),
                })
            })
            .collect();
        campaigns.sort_by(|a, b| b.members.len().cmp(&a.members.len()).then(a.id.cmp(&b.id)));
        campaigns
    }
}

/// A stable name for a campaign that begins with this comment.
pub(super) fn name(comments: &[Comment], member: u32) -> u64 {
    let Some(comment) = comments.get(member as usize) else { return 0 };
    let site = comment.site.as_ref().map(Id::as_str).unwrap_or_default();
    crate::text::stable_hash(format!("{site}\0{}", comment.id).as_bytes())
}
