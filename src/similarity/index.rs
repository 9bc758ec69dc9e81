//! The banded index: which earlier comments are near-duplicates of this one.
//!
//! Locality-sensitive hashing by bands (Leskovec et al., "Mining of Massive Datasets", 3.4): [`CONTENT_BANDS`] bands of 4
//! content minima and [`SKELETON_BANDS`] bands of 4 skeleton minima. A band is a table of 64-byte lines of sixteen 4-byte
//! entries (8 bits of the key, 24 bits of the slot), so a probe touches one cache line and a comment costs some 250 bytes
//! with its signatures. Candidates are verified on the stored minima. A key held by [`MOST_PER_KEY`] comments already
//! takes no more: boilerplate becomes a star around its first members instead of a giant bucket.

use super::minhash::{Likeness, Sketch};

/// Bands over the content signature; 4 rows each.
pub const CONTENT_BANDS: usize = 28;
/// Bands over the skeleton signature; 4 rows each.
pub const SKELETON_BANDS: usize = 8;
pub(super) const BANDS: usize = CONTENT_BANDS + SKELETON_BANDS;
const ROWS: usize = 4;
/// Comments kept under one key of a band.
pub const MOST_PER_KEY: usize = 8;
/// Comments that fit one index: slots are 24 bits.
pub const MOST_SLOTS: usize = (1 << 24) - 2;
/// Entries of a line.
const LINE: usize = 16;
const EMPTY: u32 = 0;
const DELETED: u32 = 1;
/// Part of the entries that may be taken before a table grows.
const FULLEST: f64 = 0.8;

/// A comment's place in the index. Places are used again after removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub u32);

/// A verified near-duplicate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// Where it is.
    pub slot: Slot,
    /// How alike.
    pub likeness: Likeness,
}

/// What counts as a match. Every threshold is a similarity in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Content Jaccard from which on.
    pub jaccard: f64,
    /// Containment from which on, if the Jaccard is at least half of its threshold.
    pub containment: f64,
    /// Skeleton Jaccard from which on.
    pub skeleton: f64,
}

impl Thresholds {
    /// Whether a likeness counts.
    pub fn admit(&self, likeness: &Likeness) -> bool {
        likeness.jaccard >= self.jaccard
            || (likeness.containment >= self.containment && likeness.jaccard >= self.jaccard / 2.0)
            || likeness.skeleton >= self.skeleton
    }
}

/// One band's entries, in lines.
#[derive(Debug, Clone, Default)]
struct Table {
    lines: Vec<[u32; LINE]>,
    taken: usize,
}

/// The index. One comment costs its sketch (164 bytes), its time (4) and one 4-byte entry a band, at most 80 % full.
#[derive(Debug, Clone)]
pub struct Index {
    tables: Vec<Table>,
    sketches: Vec<Sketch>,
    /// Time of each slot (any unit that grows); `u32::MAX` = free.
    times: Vec<u32>,
    free: Vec<u32>,
    live: usize,
}

impl Default for Index {
    fn default() -> Self {
        Self::with_capacity(64)
    }
}

const FREE: u32 = u32::MAX;

impl Index {
    /// An index that holds `comments` before its tables grow.
    pub fn with_capacity(comments: usize) -> Self {
        let lines = lines_for(comments);
        Self {
            tables: vec![Table { lines: vec![[EMPTY; LINE]; lines], taken: 0 }; BANDS],
            sketches: Vec::new(),
            times: Vec::new(),
            free: Vec::new(),
            live: 0,
        }
    }

    /// How many comments it holds.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Bytes held on the heap.
    pub fn heap_bytes(&self) -> usize {
        let tables: usize = self.tables.iter().map(|t| t.lines.capacity() * size_of::<[u32; LINE]>()).sum();
        tables
            + self.sketches.capacity() * size_of::<Sketch>()
            + self.times.capacity() * size_of::<u32>()
            + self.free.capacity() * size_of::<u32>()
    }

    /// The sketch at a slot.
    pub fn sketch(&self, slot: Slot) -> Option<&Sketch> {
        self.sketches.get(slot.0 as usize)
    }

    /// Adds a comment, then finds its near-duplicates among all others: of two copies that arrive together, the second
    /// sees the first. `None` for the slot when the index is full (16.7 million comments).
    pub fn insert_then_query(
        &mut self,
        sketch: &Sketch,
        time: u32,
        thresholds: &Thresholds,
        out: &mut Vec<Match>,
    ) -> Option<Slot> {
        let slot = self.insert(sketch, time);
        self.query(sketch, thresholds, out);
        out.retain(|found| Some(found.slot) != slot);
        slot
    }

    /// Reads the first entry of every line that a sketch's keys point at. The reads do not wait for one another, so the memory's
    /// latency is paid about once and not once a band: what comes after finds the lines in the cache.
    fn touch(&self, keys: &[Option<u64>; BANDS]) {
        let lines =
            self.tables.iter().zip(keys).filter_map(|(table, key)| table.lines.get(table.line_of((*key)?)));
        let read = lines.fold(0, |all, line| all ^ line.first().copied().unwrap_or(EMPTY));
        std::hint::black_box(read);
    }

    /// Adds a comment. `None` when the index is full.
    pub fn insert(&mut self, sketch: &Sketch, time: u32) -> Option<Slot> {
        let time = time.min(FREE - 1);
        let slot = if let Some(slot) = self.free.pop() {
            *self.sketches.get_mut(slot as usize)? = *sketch;
            *self.times.get_mut(slot as usize)? = time;
            slot
        } else {
            if self.sketches.len() >= MOST_SLOTS {
                return None;
            }
            self.sketches.push(*sketch);
            self.times.push(time);
            (self.sketches.len() - 1) as u32
        };
        self.live += 1;
        let full =
            self.tables.first().is_some_and(|t| t.taken as f64 > FULLEST * (t.lines.len() * LINE) as f64);
        if full {
            self.rebuild(self.live * 9 / 5);
        } else {
            let keys = keys(sketch);
            self.touch(&keys);
            for (table, key) in self.tables.iter_mut().zip(keys) {
                table.insert(key, slot);
            }
        }
        Some(Slot(slot))
    }

    /// Finds the verified near-duplicates of a sketch, best first (ties by slot). `out` is cleared.
    pub fn query(&self, sketch: &Sketch, thresholds: &Thresholds, out: &mut Vec<Match>) {
        out.clear();
        let mut candidates = [0u32; 256];
        let mut found = 0usize;
        let keys = keys(sketch);
        self.touch(&keys);
        for (table, key) in self.tables.iter().zip(keys) {
            table.probe(key, |slot| {
                if let Some(free) = candidates.get_mut(found) {
                    *free = slot;
                    found += 1;
                }
            });
        }
        let candidates = candidates.get_mut(..found).unwrap_or_default();
        candidates.sort_unstable();
        // As in `touch`: all sketches are asked for before the first is compared.
        let asked = candidates.iter().filter_map(|slot| self.sketches.get(*slot as usize));
        std::hint::black_box(asked.fold(0, |all, sketch| {
            let (content, skeleton) = (&sketch.content.0, &sketch.skeleton.0);
            [content.first(), content.last(), skeleton.last()]
                .into_iter()
                .flatten()
                .fold(all, |all, byte| all ^ byte)
        }));
        let mut last = u32::MAX;
        for &slot in candidates.iter() {
            if slot == last || self.times.get(slot as usize).is_none_or(|&t| t == FREE) {
                continue;
            }
            last = slot;
            let Some(other) = self.sketches.get(slot as usize) else { continue };
            let likeness = sketch.compare(other);
            if thresholds.admit(&likeness) {
                out.push(Match { slot: Slot(slot), likeness });
            }
        }
        out.sort_unstable_by(|a, b| {
            b.likeness.jaccard.total_cmp(&a.likeness.jaccard).then(a.slot.cmp(&b.slot))
        });
    }

    /// Removes a comment. False when the slot is free already.
    pub fn remove(&mut self, slot: Slot) -> bool {
        let Some(time) = self.times.get_mut(slot.0 as usize).filter(|t| **t != FREE) else { return false };
        *time = FREE;
        if let Some(sketch) = self.sketches.get(slot.0 as usize) {
            for (table, key) in self.tables.iter_mut().zip(keys(sketch)) {
                table.remove(key, slot.0);
            }
        }
        self.free.push(slot.0);
        self.live -= 1;
        true
    }

    /// Removes every comment older than `time`; returns the slots that were freed, ascending.
    pub fn expire(&mut self, time: u32) -> Vec<Slot> {
        let old: Vec<Slot> = self
            .times
            .iter()
            .enumerate()
            .filter(|(_, t)| **t != FREE && **t < time)
            .map(|(at, _)| Slot(at as u32))
            .collect();
        if old.len() * 4 > self.live {
            // Most of the tables would be deletion marks: make them anew instead.
            for slot in &old {
                if let Some(t) = self.times.get_mut(slot.0 as usize) {
                    *t = FREE;
                }
                self.free.push(slot.0);
            }
            self.live -= old.len();
            self.rebuild(self.live);
        } else {
            for &slot in &old {
                self.remove(slot);
            }
        }
        old
    }

    /// Makes the tables anew, without deletion marks, with room for `comments`.
    fn rebuild(&mut self, comments: usize) {
        let lines = lines_for(comments);
        for (band, table) in self.tables.iter_mut().enumerate() {
            *table = Table { lines: vec![[EMPTY; LINE]; lines], taken: 0 };
            for (slot, (sketch, &time)) in self.sketches.iter().zip(&self.times).enumerate() {
                if time != FREE
                    && let Some(key) = key(sketch, band)
                {
                    table.insert(Some(key), slot as u32);
                }
            }
        }
    }
}

fn lines_for(comments: usize) -> usize {
    ((comments as f64 / (FULLEST * LINE as f64)) as usize + 1).next_multiple_of(4)
}

/// The key of each band: four minima and the band's number, mixed; `None` where the band does not apply.
fn keys(sketch: &Sketch) -> [Option<u64>; BANDS] {
    std::array::from_fn(|band| key(sketch, band))
}

pub(super) fn key(sketch: &Sketch, band: usize) -> Option<u64> {
    let rows = if band < CONTENT_BANDS {
        sketch.content.0.get(band * ROWS..)?.first_chunk::<ROWS>()?
    } else {
        if sketch.skeleton_size < super::minhash::FEWEST_SKELETON {
            return None;
        }
        sketch.skeleton.0.get((band - CONTENT_BANDS) * ROWS..)?.first_chunk::<ROWS>()?
    };
    let value = u64::from(u32::from_le_bytes(*rows)) | (band as u64) << 32;
    let mixed = value.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Some((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9))
}

/// Key bits and slot in one entry; slots are shifted by two past the marks.
fn entry(key: u64, slot: u32) -> u32 {
    ((key as u32 & 0xff) << 24) | (slot + 2)
}

impl Table {
    fn line_of(&self, key: u64) -> usize {
        ((u128::from(key) * self.lines.len() as u128) >> 64) as usize
    }

    fn insert(&mut self, key: Option<u64>, slot: u32) {
        let Some(key) = key else { return };
        let count = self.lines.len();
        let mut at = self.line_of(key);
        let mut same = 0;
        let tag = entry(key, 0) & 0xff00_0000;
        for _ in 0..count {
            let Some(line) = self.lines.get_mut(at) else { return };
            for held in line.iter_mut() {
                if *held == EMPTY {
                    *held = entry(key, slot);
                    self.taken += 1;
                    return;
                }
                same += usize::from(*held > DELETED && *held & 0xff00_0000 == tag);
            }
            if same >= MOST_PER_KEY {
                return;
            }
            at = (at + 1) % count;
        }
    }

    fn probe(&self, key: Option<u64>, mut found: impl FnMut(u32)) {
        let Some(key) = key else { return };
        let tag = entry(key, 0) & 0xff00_0000;
        let mut at = self.line_of(key);
        let mut same = 0;
        for _ in 0..self.lines.len() {
            let Some(line) = self.lines.get(at) else { return };
            // The plain comparison of sixteen entries is what the compiler vectorises.
            let hits = line
                .iter()
                .enumerate()
                .fold(0u32, |bits, (i, held)| bits | u32::from(held & 0xff00_0000 == tag) << i);
            let mut pending = hits;
            while pending != 0 {
                let held = line.get(pending.trailing_zeros() as usize).copied().unwrap_or(EMPTY);
                pending &= pending - 1;
                if held & 0x00ff_ffff > DELETED {
                    found((held & 0x00ff_ffff) - 2);
                    same += 1;
                }
            }
            if line.last() == Some(&EMPTY) || same >= MOST_PER_KEY {
                return;
            }
            at = (at + 1) % self.lines.len();
        }
    }

    fn remove(&mut self, key: Option<u64>, slot: u32) {
        let Some(key) = key else { return };
        let wanted = entry(key, slot);
        let count = self.lines.len();
        let mut at = self.line_of(key);
        for _ in 0..count {
            let Some(line) = self.lines.get_mut(at) else { return };
            if let Some(held) = line.iter_mut().find(|held| **held == wanted) {
                *held = DELETED;
                return;
            }
            if line.last() == Some(&EMPTY) {
                return;
            }
            at = (at + 1) % count;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::features::{Features, jaccard};
    use super::*;

    const LINK: Thresholds = Thresholds { jaccard: 0.5, containment: 2.0, skeleton: 2.0 };

    /// From here on 28 bands of 4 miss one copy in a thousand million; below, a miss is no mistake.
    const SURELY_FOUND: f64 = 0.85;

    fn features(words: impl IntoIterator<Item = u64>) -> Features {
        let mut content: Vec<u64> =
            words.into_iter().map(|w| crate::text::stable_hash(&w.to_le_bytes())).collect();
        content.sort_unstable();
        content.dedup();
        Features { content, skeleton: Vec::new() }
    }

    fn sketch(features: &Features) -> Sketch {
        Sketch::new(features).unwrap()
    }

    #[test]
    fn of_two_copies_the_second_sees_the_first() {
        let mut index = Index::default();
        let copy = sketch(&features(0..40));
        let mut out = Vec::new();
        let first = index.insert_then_query(&copy, 1, &LINK, &mut out).unwrap();
        assert!(out.is_empty());
        index.insert_then_query(&copy, 2, &LINK, &mut out).unwrap();
        assert_eq!(out.iter().map(|m| m.slot).collect::<Vec<_>>(), [first]);
    }

    #[test]
    fn removed_and_expired_comments_are_not_found() {
        let mut index = Index::default();
        let copy = sketch(&features(0..40));
        let slots: Vec<Slot> = (0..10).map(|t| index.insert(&copy, t).unwrap()).collect();
        assert!(index.remove(slots[3]) && !index.remove(slots[3]));
        let mut out = Vec::new();
        index.query(&copy, &LINK, &mut out);
        assert!(!out.is_empty() && out.iter().all(|m| m.slot != slots[3]));
        assert_eq!(index.expire(8).len(), 7, "eight are older than 8, one of them was removed");
        index.query(&copy, &LINK, &mut out);
        assert_eq!(out.len(), 2);
        assert_eq!(index.len(), 2);
    }

    #[test]
    fn boilerplate_stays_bounded_and_findable() {
        let mut index = Index::default();
        let copy = sketch(&features(0..40));
        for t in 0..5000 {
            index.insert(&copy, t).unwrap();
        }
        let mut out = Vec::new();
        index.query(&copy, &LINK, &mut out);
        assert!(!out.is_empty() && out.len() <= 256, "{}", out.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        /// The oracle is the naive scan of all pairs on exact sets.
        #[test]
        fn near_copies_are_found_like_a_naive_scan_finds_them(seed in any::<u64>(), edits in prop::collection::vec(0u64..12, 1..30)) {
            let mut index = Index::default();
            let mut all: Vec<(Slot, Features)> = Vec::new();
            let mut out = Vec::new();
            for (at, &edit) in edits.iter().enumerate() {
                let base = seed.wrapping_add(at as u64 % 3 * 1000);
                let set = features((0..50u64).map(|i| if i < edit { base ^ (at as u64 * 7919 + i + 1_000_000) } else { base.wrapping_add(i) }));
                let mine = sketch(&set);
                let slot = index.insert_then_query(&mine, at as u32, &LINK, &mut out).unwrap();
                let naive = all.iter().filter(|(_, other)| jaccard(&set.content, &other.content) >= SURELY_FOUND).count();
                prop_assert!(naive == 0 || !out.is_empty(), "a clear copy must be seen");
                for found in &out {
                    let (_, other) = all.iter().find(|(s, _)| *s == found.slot).unwrap();
                    prop_assert!(jaccard(&set.content, &other.content) >= 0.25, "a match must be alike");
                }
                all.push((slot, set));
            }
        }
    }
}
