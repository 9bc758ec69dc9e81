//! Copies in an archive: who is a near-duplicate of whom, and which campaigns they make, as far as each comment may see.

use std::collections::{HashMap, HashSet};

use super::book::Book;
use super::judge::{MOST_COMPARED, Mode};
use crate::engine::{Engine, Linking};
use crate::similarity::CampaignId;
use crate::similarity::join::{Pair, pairs};

/// A verified copy of a comment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Copied {
    /// Its place.
    pub(super) other: u32,
    /// Content and skeleton Jaccard.
    pub(super) jaccard: f32,
    pub(super) skeleton: f32,
}

/// The campaign of a comment, its known authors, and whether two people share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) campaign: CampaignId,
    pub(super) known: u32,
    pub(super) shared: bool,
}

/// Verified near-duplicates of every comment, and the campaigns they make.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// Copies of all comments, one comment's after another's, best first.
    copies: Vec<Copied>,
    /// Where each comment's begin.
    starts: Vec<u32>,
    /// Standing of the comments that have one, as far as each may see.
    seen: HashMap<u32, Standing>,
    /// All verified pairs, later and earlier comment.
    pub(super) pairs: Vec<(u32, u32)>,
    /// Members of each campaign that two people share, first first; by number of members.
    pub(super) campaigns: Vec<(CampaignId, Vec<u32>)>,
}

/// Groups of linked comments: the root of a group is its first member.
struct Groups {
    parents: HashMap<u32, u32>,
    /// Known authors and how many members are of unknown ones, of each root.
    tallies: HashMap<u32, (HashSet<u32>, u32)>,
}

impl Groups {
    fn root(&mut self, mut at: u32) -> u32 {
        while let Some(&parent) = self.parents.get(&at).filter(|parent| **parent != at) {
            let above = self.parents.get(&parent).copied().unwrap_or(parent);
            self.parents.insert(at, above);
            at = parent;
        }
        at
    }

    fn link(&mut self, book: &Book, a: u32, b: u32) {
        for member in [a, b] {
            self.parents.entry(member).or_insert(member);
            let author = book.author(member as usize);
            self.tallies
                .entry(member)
                .or_insert_with(|| (author.into_iter().collect(), u32::from(author.is_none())));
        }
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return;
        }
        let (kept, absorbed) = (a.min(b), a.max(b));
        self.parents.insert(absorbed, kept);
        let mut theirs = self.tallies.remove(&absorbed).unwrap_or_default();
        let ours = self.tallies.entry(kept).or_default();
        // The smaller goes into the larger, so that growing one by one stays cheap.
        if theirs.0.len() > ours.0.len() {
            std::mem::swap(&mut theirs.0, &mut ours.0);
        }
        ours.0.extend(theirs.0);
        ours.1 += theirs.1;
    }

    fn standing(&mut self, names: &Names<'_>, at: u32) -> Option<Standing> {
        self.parents.get(&at)?;
        let root = self.root(at);
        let (known, unknown) = self.tallies.get(&root)?;
        let known = known.len() as u32;
        Some(Standing { campaign: names.campaign(root), known, shared: known + unknown >= 2 })
    }
}

/// Names of campaigns by their first member; where two comments bear one name, the later one's is the next free one.
struct Names<'a> {
    book: &'a Book,
    repeated: HashMap<u32, u64>,
}

impl<'a> Names<'a> {
    fn new(book: &'a Book, linked: &[u32]) -> Self {
        let mut taken: HashSet<u64> = HashSet::new();
        let mut repeated = HashMap::new();
        for at in linked {
            let Some(&own) = book.names.get(*at as usize) else { continue };
            let mut name = own;
            while !taken.insert(name) {
                name = name.wrapping_add(1);
            }
            if name != own {
                repeated.insert(*at, name);
            }
        }
        Self { book, repeated }
    }

    fn campaign(&self, root: u32) -> CampaignId {
        let own = || self.book.names.get(root as usize).copied().unwrap_or_default();
        CampaignId(self.repeated.get(&root).copied().unwrap_or_else(own))
    }
}

impl Links {
    /// No links at all.
    pub(super) fn none(comments: usize) -> Self {
        Self { starts: vec![0; comments + 1], ..Self::default() }
    }

    /// Finds them.
    pub(super) fn new(engine: &Engine, book: &Book, mode: Mode) -> Self {
        let linking = Linking::new(&engine.config.campaign);
        let found = pairs(&book.sketches, |later, earlier, likeness| {
            let (later, earlier) = (later as usize, earlier as usize);
            // Another revision of a comment is no copy of it.
            book.names.get(later) != book.names.get(earlier)
                && linking.admits(likeness, book.p(later), book.p(earlier))
        });
        Self::of_pairs(book, &found, mode)
    }

    /// From verified pairs, sorted by the later comment.
    pub(super) fn of_pairs(book: &Book, pairs: &[Pair], mode: Mode) -> Self {
        let mut linked: Vec<u32> = pairs.iter().flat_map(|pair| [pair.later, pair.earlier]).collect();
        linked.sort_unstable();
        linked.dedup();
        let names = Names::new(book, &linked);
        let mut groups = Groups { parents: HashMap::new(), tallies: HashMap::new() };
        let mut seen = HashMap::new();
        for pairs in pairs.chunk_by(|a, b| a.later == b.later) {
            for pair in pairs {
                groups.link(book, pair.later, pair.earlier);
            }
            if let (Mode::AsOfArrival, Some(pair)) = (mode, pairs.first())
                && let Some(standing) = groups.standing(&names, pair.later)
            {
                seen.insert(pair.later, standing);
            }
        }
        let mut members: HashMap<CampaignId, Vec<u32>> = HashMap::new();
        for &at in &linked {
            let Some(standing) = groups.standing(&names, at) else { continue };
            if mode == Mode::Whole {
                seen.insert(at, standing);
            }
            if standing.shared {
                members.entry(standing.campaign).or_default().push(at);
            }
        }
        let mut campaigns: Vec<(CampaignId, Vec<u32>)> = members.into_iter().collect();
        campaigns.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then(a.0.cmp(&b.0)));
        let (copies, starts) = copies(book.len(), pairs, mode);
        let pairs = pairs.iter().map(|pair| (pair.later, pair.earlier)).collect();
        Self { copies, starts, seen, pairs, campaigns }
    }

    /// The earlier comments that a comment was linked to.
    pub(super) fn earlier(&self, at: usize) -> impl Iterator<Item = usize> {
        let from = self.pairs.partition_point(|(later, _)| (*later as usize) < at);
        let own = self.pairs.get(from..).unwrap_or_default().iter();
        own.take_while(move |(later, _)| *later as usize == at).map(|(_, earlier)| *earlier as usize)
    }

    /// A comment's copies, best first; at most [`MOST_COMPARED`].
    pub(super) fn copies(&self, at: usize) -> &[Copied] {
        let (Some(&from), Some(&to)) = (self.starts.get(at), self.starts.get(at + 1)) else { return &[] };
        self.copies.get(from as usize..to as usize).unwrap_or_default()
    }

    /// A comment's standing, as far as it may see.
    pub(super) fn standing(&self, at: usize) -> Option<Standing> {
        self.seen.get(&(at as u32)).copied()
    }
}

/// The copies of each comment, best first, one comment's after another's; and where each comment's begin.
fn copies(comments: usize, pairs: &[Pair], mode: Mode) -> (Vec<Copied>, Vec<u32>) {
    let mut of_each: Vec<(u32, Copied)> = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let copied = |other| Copied {
            other,
            jaccard: pair.likeness.jaccard as f32,
            skeleton: pair.likeness.skeleton as f32,
        };
        of_each.push((pair.later, copied(pair.earlier)));
        if mode == Mode::Whole {
            of_each.push((pair.earlier, copied(pair.later)));
        }
    }
    of_each.sort_unstable_by(|a, b| {
        a.0.cmp(&b.0).then(b.1.jaccard.total_cmp(&a.1.jaccard)).then(a.1.other.cmp(&b.1.other))
    });
    let mut copies = Vec::with_capacity(of_each.len());
    let mut starts = Vec::with_capacity(comments + 1);
    for group in of_each.chunk_by(|a, b| a.0 == b.0) {
        let Some((at, _)) = group.first() else { continue };
        starts.resize(*at as usize + 1, copies.len() as u32);
        copies.extend(group.iter().take(MOST_COMPARED).map(|(_, copied)| *copied));
    }
    starts.resize(comments + 1, copies.len() as u32);
    (copies, starts)
}
