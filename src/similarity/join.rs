//! The banded index turned into a join: every pair of near-duplicate candidates among many sketches at once, band by band, in memory that does not
//! grow with what is found in them.
//!
//! A band is a list of (key, comment), sorted; comments under one key are a bucket. Within a bucket each comment is paired with the first
//! [`MOST_PER_KEY`] of it alone: boilerplate becomes a star and not a square, as in the live [`super::Index`]. The pairs of all bands together are
//! the candidates; whoever asks verifies them on the sketches. The same can be done by a database: number the comments of a key in their order,
//! join those numbered up to [`MOST_PER_KEY`] with all after them.

use rayon::prelude::*;

use super::index::{BANDS, MOST_PER_KEY, key};
use super::minhash::{Likeness, Sketch};

/// Bands that are held at once for each worker; each costs 16 bytes a comment.
const AT_ONCE: usize = 2;

/// The keys of a sketch's bands, for a join elsewhere; none where a band does not apply.
pub fn bands(sketch: &Sketch) -> Vec<Option<u64>> {
    (0..BANDS).map(|band| key(sketch, band)).collect()
}

/// A verified pair: the later comment, the earlier one, how alike they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Place of the later one.
    pub later: u32,
    /// Place of the earlier one.
    pub earlier: u32,
    /// How alike.
    pub likeness: Likeness,
}

/// All pairs of candidates that `admits`, by later and earlier comment. `sketches` are in the comments' order; one that is none has no content.
pub fn pairs(sketches: &[Sketch], admits: impl Fn(u32, u32, &Likeness) -> bool + Sync) -> Vec<Pair> {
    let mut all: Vec<(u32, u32)> = Vec::new();
    let bands: Vec<usize> = (0..BANDS).collect();
    for some in bands.chunks(AT_ONCE) {
        let found: Vec<Vec<(u32, u32)>> =
            some.par_iter().map(|band| verified(sketches, *band, &admits)).collect();
        for pairs in found {
            all.extend(pairs);
        }
        // Most pairs share many bands: what is known twice is not kept twice.
        all.par_sort_unstable();
        all.dedup();
    }
    all.into_iter()
        .filter_map(|(later, earlier)| {
            let likeness = sketches.get(later as usize)?.compare(sketches.get(earlier as usize)?);
            Some(Pair { later, earlier, likeness })
        })
        .collect()
}

/// The admitted pairs of one band.
fn verified(
    sketches: &[Sketch],
    band: usize,
    admits: &(impl Fn(u32, u32, &Likeness) -> bool + Sync),
) -> Vec<(u32, u32)> {
    let mut entries: Vec<(u64, u32)> = sketches
        .iter()
        .enumerate()
        .filter(|(_, sketch)| sketch.content_size > 0)
        .filter_map(|(at, sketch)| Some((key(sketch, band)?, at as u32)))
        .collect();
    entries.sort_unstable();
    let mut out = Vec::new();
    for bucket in entries.chunk_by(|a, b| a.0 == b.0) {
        for (place, &(_, later)) in bucket.iter().enumerate().skip(1) {
            for &(_, earlier) in bucket.iter().take(place.min(MOST_PER_KEY)) {
                let (Some(a), Some(b)) = (sketches.get(later as usize), sketches.get(earlier as usize))
                else {
                    continue;
                };
                if admits(later, earlier, &a.compare(b)) {
                    out.push((later, earlier));
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::similarity::Features;
    use crate::text::Analysis;

    fn sketches(texts: &[String]) -> Vec<Sketch> {
        texts.iter().filter_map(|text| Sketch::new(&Features::new(&Analysis::alone(text), None))).collect()
    }

    fn texts() -> Vec<String> {
        let mut texts = Vec::new();
        for n in 0..60 {
            texts.push(format!("Thank you for this balanced article about the harbour number {n}, which was really needed in our city today"));
            texts.push(format!("My neighbour {n} keeps seven goats behind the old mill and nobody has ever complained about noise {}", n * 7));
            texts.push(format!(
                "word{n} word{} word{} word{} word{} word{}",
                n + 1000,
                n + 2000,
                n + 3000,
                n + 4000,
                n + 5000
            ));
        }
        texts
    }

    #[test]
    fn the_join_finds_what_a_search_of_every_bucket_finds() {
        let sketches = sketches(&texts());
        let admits = |_: u32, _: u32, likeness: &Likeness| likeness.jaccard >= 0.3;
        // The plain way: all buckets of all bands, the first eight of each with everything after them.
        let mut naive = std::collections::BTreeSet::new();
        for band in 0..BANDS {
            let mut buckets: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
            for (at, sketch) in sketches.iter().enumerate() {
                if let Some(key) = key(sketch, band) {
                    buckets.entry(key).or_default().push(at as u32);
                }
            }
            for bucket in buckets.values() {
                for (place, later) in bucket.iter().enumerate() {
                    for earlier in bucket.iter().take(place.min(MOST_PER_KEY)) {
                        let likeness = sketches[*later as usize].compare(&sketches[*earlier as usize]);
                        if admits(*later, *earlier, &likeness) {
                            naive.insert((*later, *earlier));
                        }
                    }
                }
            }
        }
        let found: Vec<(u32, u32)> = pairs(&sketches, admits).iter().map(|p| (p.later, p.earlier)).collect();
        assert!(found.len() > 100);
        assert_eq!(found, naive.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_giant_bucket_is_a_star() {
        let same: Vec<String> =
            (0..500).map(|_| "the same words over and over again in every comment".to_owned()).collect();
        let found = pairs(&sketches(&same), |_, _, _| true);
        assert!(found.len() <= 500 * MOST_PER_KEY, "{}", found.len());
        assert!((1..500).all(|later| found.iter().any(|pair| pair.later == later)));
    }
}
