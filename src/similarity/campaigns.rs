//! Campaigns: connected groups of linked comments, kept up to date as comments come and go.
//!
//! Links are remembered, so that a removal can split a campaign where its parts hung together by the removed comment
//! alone. An id is stable: it is made from the campaign's first member, survives growth, stays with the older campaign
//! when two merge and with the part that holds the earliest member when one splits.

use std::collections::{BTreeMap, BTreeSet};

/// A campaign's name: 64 bits, from its first member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CampaignId(pub u64);

impl std::fmt::Display for CampaignId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "c{:016x}", self.0)
    }
}

/// Campaigns with more members are not split when one goes.
const MOST_SPLIT: usize = 5000;

/// A comment's number in order of arrival.
pub type Member = u32;

#[derive(Debug, Clone)]
struct Node {
    name: u64,
    links: BTreeSet<Member>,
    campaign: CampaignId,
}

/// All groups of linked comments.
#[derive(Debug, Clone, Default)]
pub struct Campaigns {
    nodes: BTreeMap<Member, Node>,
    groups: BTreeMap<CampaignId, BTreeSet<Member>>,
}

impl Campaigns {
    /// Links two comments. `name_of` gives a stable name for a comment that is not linked yet.
    pub fn link(&mut self, a: Member, b: Member, name_of: impl Fn(Member) -> u64) {
        if a == b {
            return;
        }
        for member in [a.min(b), a.max(b)] {
            self.nodes.entry(member).or_insert_with(|| {
                let name = name_of(member);
                // Two comments may bear one name (an id used twice): the second campaign takes the next free one.
                let campaign = CampaignId(free_name(&self.groups, name));
                self.groups.entry(campaign).or_default().insert(member);
                Node { name, links: BTreeSet::new(), campaign }
            });
        }
        if let Some(node) = self.nodes.get_mut(&a) {
            node.links.insert(b);
        }
        if let Some(node) = self.nodes.get_mut(&b) {
            node.links.insert(a);
        }
        let (Some(first), Some(second)) = (self.campaign_of(a), self.campaign_of(b)) else { return };
        if first != second {
            self.merge(first, second);
        }
    }

    /// Moves the younger group (by its earliest member) into the older.
    fn merge(&mut self, a: CampaignId, b: CampaignId) {
        let earliest =
            |id: &CampaignId| self.groups.get(id).and_then(|g| g.first().copied()).unwrap_or(Member::MAX);
        let (kept, absorbed) = if earliest(&a) <= earliest(&b) { (a, b) } else { (b, a) };
        let moved = self.groups.remove(&absorbed).unwrap_or_default();
        for member in &moved {
            if let Some(node) = self.nodes.get_mut(member) {
                node.campaign = kept;
            }
        }
        self.groups.entry(kept).or_default().extend(moved);
    }

    /// Takes a comment out; its campaign may fall into parts.
    pub fn remove(&mut self, member: Member) {
        let Some(node) = self.nodes.remove(&member) else { return };
        for other in &node.links {
            if let Some(linked) = self.nodes.get_mut(other) {
                linked.links.remove(&member);
            }
        }
        let Some(mut rest) = self.groups.remove(&node.campaign) else { return };
        rest.remove(&member);
        if rest.len() > 1 && (rest.len() > MOST_SPLIT || self.are_linked(&node.links)) {
            // The others hang together without it. (A very large campaign is not taken apart: that one text was copied so often is
            // no accident of one comment.)
            self.groups.insert(node.campaign, rest);
            return;
        }
        let mut first = true;
        while let Some(&start) = rest.first() {
            let part = self.reachable(start);
            rest.retain(|m| !part.contains(m));
            if part.len() == 1 && self.nodes.get(&start).is_some_and(|n| n.links.is_empty()) {
                // Alone again: no campaign, and no trace.
                self.nodes.remove(&start);
                continue;
            }
            // `rest` is ascending, so the first part holds the earliest member: it keeps the id.
            let id = if first {
                node.campaign
            } else {
                let name = self.nodes.get(&start).map_or(0, |n| n.name);
                CampaignId(free_name(&self.groups, name))
            };
            first = false;
            for m in &part {
                if let Some(n) = self.nodes.get_mut(m) {
                    n.campaign = id;
                }
            }
            self.groups.insert(id, part);
        }
    }

    /// Whether comments hang together by links to the first of them: a cheap and sure sign, not a necessary one.
    fn are_linked(&self, members: &BTreeSet<Member>) -> bool {
        let Some(first) = members.first() else { return false };
        let links = self.nodes.get(first).map(|node| &node.links);
        links.is_some_and(|links| members.iter().skip(1).all(|member| links.contains(member)))
    }

    fn reachable(&self, start: Member) -> BTreeSet<Member> {
        let mut seen = BTreeSet::from([start]);
        let mut stack = vec![start];
        while let Some(member) = stack.pop() {
            for &other in self.nodes.get(&member).iter().flat_map(|n| &n.links) {
                if seen.insert(other) {
                    stack.push(other);
                }
            }
        }
        seen
    }

    /// The group that a comment belongs to.
    pub fn campaign_of(&self, member: Member) -> Option<CampaignId> {
        self.nodes.get(&member).map(|n| n.campaign)
    }

    /// The members of a group, earliest first.
    pub fn members(&self, id: CampaignId) -> impl Iterator<Item = Member> + '_ {
        self.groups.get(&id).into_iter().flatten().copied()
    }

    /// All groups, by id.
    pub fn iter(&self) -> impl Iterator<Item = (CampaignId, &BTreeSet<Member>)> {
        self.groups.iter().map(|(id, members)| (*id, members))
    }
}

fn free_name(taken: &BTreeMap<CampaignId, BTreeSet<Member>>, mut name: u64) -> u64 {
    while taken.contains_key(&CampaignId(name)) {
        name = name.wrapping_add(1);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(campaigns: &Campaigns) -> Vec<(u64, Vec<Member>)> {
        campaigns.iter().map(|(id, members)| (id.0, members.iter().copied().collect())).collect()
    }

    fn name(member: Member) -> u64 {
        u64::from(member) + 100
    }

    #[test]
    fn ids_survive_growth_merge_and_split() {
        let mut campaigns = Campaigns::default();
        campaigns.link(1, 2, name);
        campaigns.link(5, 6, name);
        assert_eq!(groups(&campaigns), [(101, vec![1, 2]), (105, vec![5, 6])]);
        campaigns.link(6, 2, name);
        assert_eq!(groups(&campaigns), [(101, vec![1, 2, 5, 6])]);
        campaigns.remove(2);
        assert_eq!(groups(&campaigns), [(101, vec![5, 6])], "1 is alone again; the rest keeps the id");
        campaigns.link(7, 6, name);
        campaigns.link(7, 8, name);
        campaigns.link(8, 9, name);
        campaigns.remove(7);
        assert_eq!(groups(&campaigns), [(101, vec![5, 6]), (108, vec![8, 9])]);
        campaigns.remove(9);
        campaigns.remove(5);
        assert!(groups(&campaigns).is_empty());
    }

    #[test]
    fn one_name_twice_makes_two_campaigns() {
        let mut campaigns = Campaigns::default();
        campaigns.link(1, 2, |_| 7);
        campaigns.link(5, 6, |_| 7);
        assert_eq!(groups(&campaigns), [(7, vec![1, 2]), (8, vec![5, 6])]);
    }

    #[test]
    fn the_order_of_links_does_not_matter() {
        let links = [(1, 2), (3, 4), (2, 3), (8, 9), (4, 9)];
        let mut forward = Campaigns::default();
        for &(a, b) in &links {
            forward.link(a, b, name);
        }
        let mut backward = Campaigns::default();
        for &(a, b) in links.iter().rev() {
            backward.link(b, a, name);
        }
        assert_eq!(groups(&forward), groups(&backward));
    }
}
