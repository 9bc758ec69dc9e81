//! MinHash (Broder 1997) of 128 permutations, kept as one byte each (b-bit minwise hashing, Li and König 2010, b = 8).
//!
//! Plain permutations win on texts of this length: with some fifty features and 128 bins, densified one-permutation
//! variants spend more on filling empty bins than 128 vector lanes cost (perf.md 4b). The inner loop is compiled for
//! several instruction sets and the best is chosen when the program runs.

use multiversion::multiversion;

use super::features::Features;

/// Permutations of the content signature.
pub const PERMUTATIONS: usize = 128;
/// Permutations of the skeleton signature.
pub const SKELETON_PERMUTATIONS: usize = 32;

/// One-byte minima of one set. Stored: the permutations must never change (see [`crate::text::CANON_VERSION`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature<const N: usize>(pub [u8; N]);

impl<const N: usize> Signature<N> {
    /// Estimated Jaccard similarity of the two sets, in [0, 1].
    pub fn jaccard(&self, other: &Self) -> f64 {
        // Two unequal minima agree in their byte once in 256 times: take that off.
        let share = f64::from(agreements(&self.0, &other.0)) / N as f64;
        ((share - 1.0 / 256.0) / (1.0 - 1.0 / 256.0)).max(0.0)
    }
}

#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2", "aarch64+neon"))]
fn agreements(a: &[u8], b: &[u8]) -> u32 {
    a.iter().zip(b).map(|(x, y)| u32::from(x == y)).sum()
}

/// What is stored of a comment: both signatures and the sizes of the sets behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sketch {
    /// Of the content features.
    pub content: Signature<PERMUTATIONS>,
    /// Of the skeleton features.
    pub skeleton: Signature<SKELETON_PERMUTATIONS>,
    /// How many content features there are; 0 = not comparable.
    pub content_size: u16,
    /// How many skeleton features there are.
    pub skeleton_size: u16,
}

impl Sketch {
    /// Stands where a text has no signature: content of size 0 is compared with nothing.
    pub const NONE: Self = Self {
        content: Signature([0; PERMUTATIONS]),
        skeleton: Signature([0; SKELETON_PERMUTATIONS]),
        content_size: 0,
        skeleton_size: 0,
    };

    /// Sketches a comment's features; `None` when it is too short to compare.
    pub fn new(features: &Features) -> Option<Self> {
        if features.content.is_empty() {
            return None;
        }
        Some(Self {
            content: Signature(minima(&features.content)),
            skeleton: Signature(minima(&features.skeleton)),
            content_size: features.content.len().min(usize::from(u16::MAX)) as u16,
            skeleton_size: features.skeleton.len().min(usize::from(u16::MAX)) as u16,
        })
    }

    /// The stored form: content minima, skeleton minima, both sizes (little endian).
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(STORED);
        bytes.extend(self.content.0);
        bytes.extend(self.skeleton.0);
        bytes.extend(self.content_size.to_le_bytes());
        bytes.extend(self.skeleton_size.to_le_bytes());
        bytes
    }

    /// Reads the stored form; `None` for anything of another length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (content, rest) = bytes.split_first_chunk::<PERMUTATIONS>()?;
        let (skeleton, rest) = rest.split_first_chunk::<SKELETON_PERMUTATIONS>()?;
        let (content_size, rest) = rest.split_first_chunk::<2>()?;
        let skeleton_size = rest.first_chunk::<2>().filter(|_| rest.len() == 2)?;
        Some(Self {
            content: Signature(*content),
            skeleton: Signature(*skeleton),
            content_size: u16::from_le_bytes(*content_size),
            skeleton_size: u16::from_le_bytes(*skeleton_size),
        })
    }

    /// How alike two comments are.
    pub fn compare(&self, other: &Self) -> Likeness {
        let jaccard = self.content.jaccard(&other.content);
        let (a, b) = (f64::from(self.content_size), f64::from(other.content_size));
        let smaller = a.min(b).max(1.0);
        let containment = (jaccard * (a + b) / ((1.0 + jaccard) * smaller)).min(1.0);
        let enough = self.skeleton_size.min(other.skeleton_size) >= FEWEST_SKELETON;
        let skeleton = if enough { self.skeleton.jaccard(&other.skeleton) } else { 0.0 };
        Likeness { jaccard, containment, skeleton }
    }
}

/// Bytes of a stored sketch.
pub const STORED: usize = PERMUTATIONS + SKELETON_PERMUTATIONS + 4;

/// The fewest skeleton trigrams on which two skeletons are compared.
pub const FEWEST_SKELETON: u16 = 12;

/// Estimated similarities of two comments, each in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Likeness {
    /// Shared share of all content features.
    pub jaccard: f64,
    /// Share of the smaller comment's content features that the other has too.
    pub containment: f64,
    /// Shared share of all skeleton trigrams; 0 when either has too few.
    pub skeleton: f64,
}

/// Multiplier (odd) and offset of each permutation: splitmix64 from a fixed seed.
const fn permutations<const N: usize>() -> [(u32, u32); N] {
    let mut table = [(1, 0); N];
    let mut state: u64 = 0xc1a9_ec1a_9ec1_a9ec;
    let mut at = 0;
    while at < N {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, bounded by the loop")]
        {
            table[at] = ((z as u32) | 1, (z >> 32) as u32);
        }
        at += 1;
    }
    table
}

const MULTIPLIERS: [u32; PERMUTATIONS] = column(true);
const OFFSETS: [u32; PERMUTATIONS] = column(false);

const fn column(multiplier: bool) -> [u32; PERMUTATIONS] {
    let table = permutations::<PERMUTATIONS>();
    let mut out = [0; PERMUTATIONS];
    let mut at = 0;
    while at < PERMUTATIONS {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, bounded by the loop")]
        {
            out[at] = if multiplier { table[at].0 } else { table[at].1 };
        }
        at += 1;
    }
    out
}

/// The one-byte minima of a set under the first `N` permutations (`N` at most [`PERMUTATIONS`]).
pub fn minima<const N: usize>(set: &[u64]) -> [u8; N] {
    let mut lowest = [u32::MAX; N];
    lower(&mut lowest, set);
    // The minimum's high bits are nearly always zero: spread it over the byte.
    lowest.map(|minimum| (minimum.wrapping_mul(0x9e37_79b1) >> 24) as u8)
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2", "x86_64+sse4.2", "aarch64+neon"))]
fn lower(lowest: &mut [u32], set: &[u64]) {
    for &hash in set {
        let folded = (hash ^ (hash >> 32)) as u32;
        for ((minimum, &multiplier), &offset) in lowest.iter_mut().zip(&MULTIPLIERS).zip(&OFFSETS) {
            let value = (folded ^ offset).wrapping_mul(multiplier);
            let value = value ^ (value >> 15);
            *minimum = (*minimum).min(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::features::{Features, jaccard};
    use super::*;

    #[test]
    fn minima_are_stable() {
        // These bytes are stored: if this fails, CANON_VERSION must rise and stored signatures be made anew.
        let set: Vec<u64> = (1..=20u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        let minima: [u8; 16] = minima(&set);
        insta::assert_compact_debug_snapshot!(minima);
    }

    #[test]
    fn a_sketch_comes_back_from_its_bytes() {
        let sketch =
            Sketch::new(&Features { content: (1..30).collect(), skeleton: (5..20).collect() }).unwrap();
        let bytes = sketch.to_bytes();
        assert_eq!(bytes.len(), STORED);
        assert_eq!(Sketch::from_bytes(&bytes), Some(sketch));
        assert_eq!(Sketch::from_bytes(&bytes[1..]), None);
        assert_eq!(Sketch::from_bytes(&[bytes, vec![0]].concat()), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn the_estimate_is_near_the_truth(shared in 0usize..60, left in 1usize..60, right in 1usize..60, seed in any::<u64>()) {
            let hash = |i: usize| crate::text::stable_hash(&(seed, i).0.wrapping_add(i as u64 * 0x1234_5678_9abc).to_le_bytes());
            let mut a: Vec<u64> = (0..shared + left).map(hash).collect();
            let mut b: Vec<u64> = (0..shared).chain(1000..1000 + right).map(hash).collect();
            a.sort_unstable();
            b.sort_unstable();
            let (x, y): (Signature<PERMUTATIONS>, Signature<PERMUTATIONS>) = (Signature(minima(&a)), Signature(minima(&b)));
            // Five standard errors of 128 draws.
            prop_assert!((x.jaccard(&y) - jaccard(&a, &b)).abs() < 5.0 * 0.0442 + 0.01);
        }
    }
}
