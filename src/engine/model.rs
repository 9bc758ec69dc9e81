//! The learned text model: weights, how they are applied, how they are stored.
//!
//! A model file is `CLQM`, a format version, the length of a JSON head (model card, dense weights, human reference), the
//! head, then the n-grams: keys ascending (`u32`) and their weights (`i16`, in units of the head's `step`), all little endian.

use serde::{Deserialize, Serialize};

use super::features::{self, Block, DENSE};
use super::reference::Reference;
use super::train::Example;
use crate::domain::Span;
use crate::text::{Analysis, CANON_VERSION};

/// Dense measures are clipped to this many standard deviations.
pub const DENSE_CLIP: f32 = 3.0;
/// Weight of one standard deviation of a dense measure beside an n-gram block of norm 1.
pub const DENSE_SCALE: f32 = 0.12;

/// Weights in training precision.
#[derive(Debug, Clone)]
pub struct Weights {
    bias: f32,
    /// Keys of the n-grams, ascending.
    keys: Vec<u32>,
    /// Weight of each n-gram.
    grams: Vec<f32>,
    dense: [f32; DENSE],
    means: [f32; DENSE],
    spreads: [f32; DENSE],
}

impl Weights {
    /// All zero, for the n-grams with these keys (ascending).
    pub fn blank(keys: Vec<u32>) -> Self {
        Self {
            bias: 0.0,
            grams: vec![0.0; keys.len()],
            keys,
            dense: [0.0; DENSE],
            means: [0.0; DENSE],
            spreads: [1.0; DENSE],
        }
    }

    /// Sets how dense measure `at` is standardised.
    pub fn set_dense_scale(&mut self, at: usize, mean: f32, spread: f32) {
        if let (Some(m), Some(s)) = (self.means.get_mut(at), self.spreads.get_mut(at)) {
            (*m, *s) = (mean, spread);
        }
    }

    /// The logit of an example straight from the features.
    pub fn score(&self, example: &Example) -> f32 {
        self.logit_of(&self.indexed(example), &self.scale_dense(&example.dense))
    }

    /// The example with n-gram keys replaced by their positions; unknown n-grams are left out.
    pub fn indexed(&self, example: &Example) -> Example {
        let grams = example
            .grams
            .iter()
            .filter_map(|&(key, value)| Some((self.keys.binary_search(&key).ok()? as u32, value)))
            .collect();
        Example { grams, ..*example }
    }

    /// Standardised, clipped, scaled dense measures.
    pub fn scale_dense(&self, raw: &[f32; DENSE]) -> [f32; DENSE] {
        scale_dense(raw, &self.means, &self.spreads)
    }

    /// The logit of an indexed example whose dense measures are scaled already.
    pub fn logit_of(&self, example: &Example, dense: &[f32; DENSE]) -> f32 {
        let grams: f32 = example
            .grams
            .iter()
            .map(|&(at, value)| self.grams.get(at as usize).copied().unwrap_or(0.0) * value)
            .sum();
        let style: f32 = dense.iter().zip(&self.dense).map(|(x, w)| x * w).sum();
        self.bias + grams + style
    }

    /// Adds `step` times the indexed example to the weights.
    pub fn add(&mut self, example: &Example, dense: &[f32; DENSE], step: f32) {
        for &(at, value) in &example.grams {
            if let Some(weight) = self.grams.get_mut(at as usize) {
                *weight += step * value;
            }
        }
        for (weight, value) in self.dense.iter_mut().zip(dense) {
            *weight += step * value;
        }
        self.bias += step;
    }

    /// Multiplies each n-gram weight by its scale.
    pub fn scale_grams(&mut self, scales: &[f32]) {
        for (weight, scale) in self.grams.iter_mut().zip(scales) {
            *weight *= scale;
        }
    }

    /// Keeps the `most` n-grams that matter: |weight| times the square root of the number of examples that have it.
    pub fn prune(&mut self, most: usize, frequency: &[u32]) {
        let matters = |weight: f32, df: u32| weight.abs() * (df as f32).sqrt();
        let mut order: Vec<(usize, f32)> =
            self.grams.iter().zip(frequency).map(|(w, df)| matters(*w, *df)).enumerate().collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        order.truncate(most);
        order.sort_unstable_by_key(|(at, _)| *at);
        let kept = |at: &(usize, f32)| Some((*self.keys.get(at.0)?, *self.grams.get(at.0)?));
        (self.keys, self.grams) = order.iter().filter_map(kept).unzip();
    }
}

fn scale_dense(raw: &[f32; DENSE], means: &[f32; DENSE], spreads: &[f32; DENSE]) -> [f32; DENSE] {
    let mut out = [0.0; DENSE];
    for (((slot, value), mean), spread) in out.iter_mut().zip(raw).zip(means).zip(spreads) {
        *slot = ((value - mean) / spread).clamp(-DENSE_CLIP, DENSE_CLIP) * DENSE_SCALE;
    }
    out
}

/// What a model was made from, and how it does: its card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Card {
    /// Name and count of each source by label.
    pub sources: Vec<SourceCount>,
    /// How it was trained, in words.
    pub training: String,
    /// Cross-source results: area under the curve and detection rates.
    pub metrics: Vec<(String, f64)>,
    /// What it cannot do.
    pub limits: String,
}

/// One training source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceCount {
    /// The file's name or the records' `source`.
    pub source: String,
    /// Comments labelled human.
    pub human: usize,
    /// Comments labelled machine.
    pub machine: usize,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Head {
    canon_version: u16,
    features: u16,
    bias: f32,
    step: f32,
    grams: usize,
    dense: Vec<(f32, f32, f32)>,
    reference: Reference,
    card: Card,
}

/// Version of the feature definitions in [`features`].
const FEATURES_VERSION: u16 = 2;
/// Version of the file layout.
const FILE_VERSION: u16 = 1;
const MAGIC: &[u8; 4] = b"CLQM";
/// A model ready to score.
#[derive(Debug, Clone)]
pub struct Model {
    bias: f32,
    dense: [f32; DENSE],
    means: [f32; DENSE],
    spreads: [f32; DENSE],
    grams: GramTable,
    reference: Reference,
    card: Card,
    digest: String,
}

/// Why a model file is refused.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Not a model file at all.
    #[error("not a Claque model file (it does not begin with CLQM)")]
    NotAModel,
    /// A model of another version of Claque.
    #[error("made by another version of Claque ({0}); train it again with `claque train`")]
    Version(String),
    /// Cut off or damaged.
    #[error("damaged: {0}")]
    Damaged(String),
}

impl Model {
    /// The model inside the program, trained as `examples/corpus/README.md` says.
    ///
    /// # Errors
    /// Never for a released program: a test loads it.
    pub fn shipped() -> Result<Self, ModelError> {
        Self::read(include_bytes!("shipped.clqm"))
    }

    /// A model that has learned nothing: every text is average.
    pub fn untrained() -> Self {
        Self {
            bias: 0.0,
            dense: [0.0; DENSE],
            means: [0.0; DENSE],
            spreads: [1.0; DENSE],
            grams: GramTable::new(std::iter::empty(), 0, 0.0),
            reference: Reference::new(&[]),
            card: Card::default(),
            digest: "untrained".to_owned(),
        }
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// See [`ModelError`].
    pub fn read(bytes: &[u8]) -> Result<Self, ModelError> {
        let damaged = |what: &str| ModelError::Damaged(what.to_owned());
        let rest = bytes.strip_prefix(MAGIC).ok_or(ModelError::NotAModel)?;
        let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(|| damaged("it ends in the head"))?;
        if u16::from_le_bytes(*version) != FILE_VERSION {
            return Err(ModelError::Version(format!("file version {}", u16::from_le_bytes(*version))));
        }
        let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(|| damaged("it ends in the head"))?;
        let length = u32::from_le_bytes(*length) as usize;
        let head = rest.get(..length).ok_or_else(|| damaged("it ends in the head"))?;
        let head: Head = serde_json::from_slice(head).map_err(|e| damaged(&format!("head: {e}")))?;
        if head.canon_version != CANON_VERSION
            || head.features != FEATURES_VERSION
            || head.dense.len() != DENSE
        {
            return Err(ModelError::Version(format!(
                "canonical form {}, features {}",
                head.canon_version, head.features
            )));
        }
        if head.reference.is_empty() {
            return Err(damaged("its human reference is empty"));
        }
        let table = rest.get(length..).unwrap_or_default();
        if head.grams.checked_mul(6) != Some(table.len()) {
            return Err(damaged("the table of n-grams has the wrong length"));
        }
        let (keys, values) = table.split_at(head.grams * 4);
        let keys = keys.as_chunks::<4>().0.iter().map(|b| u32::from_le_bytes(*b));
        let values = values.as_chunks::<2>().0.iter().map(|b| i16::from_le_bytes(*b));
        let mut model = Self {
            bias: head.bias,
            dense: [0.0; DENSE],
            means: [0.0; DENSE],
            spreads: [1.0; DENSE],
            grams: GramTable::new(keys.zip(values), head.grams, head.step),
            reference: head.reference,
            card: head.card,
            digest: format!("{:016x}", crate::text::stable_hash(bytes)),
        };
        for (((w, m), s), &(weight, mean, spread)) in
            model.dense.iter_mut().zip(&mut model.means).zip(&mut model.spreads).zip(&head.dense)
        {
            (*w, *m, *s) = (weight, mean, spread);
        }
        Ok(model)
    }

    /// Writes weights as a model file.
    pub fn write(weights: &Weights, reference: Reference, card: Card) -> Vec<u8> {
        let largest = weights.grams.iter().map(|weight| weight.abs()).fold(1e-6, f32::max);
        let step = largest / f32::from(i16::MAX);
        let head = Head {
            canon_version: CANON_VERSION,
            features: FEATURES_VERSION,
            bias: weights.bias,
            step,
            grams: weights.keys.len(),
            dense: weights
                .dense
                .iter()
                .zip(&weights.means)
                .zip(&weights.spreads)
                .map(|((w, m), s)| (*w, *m, *s))
                .collect(),
            reference,
            card,
        };
        let head = serde_json::to_vec(&head).unwrap_or_default();
        let mut bytes = MAGIC.to_vec();
        bytes.extend(FILE_VERSION.to_le_bytes());
        bytes.extend((head.len() as u32).to_le_bytes());
        bytes.extend(head);
        bytes.extend(weights.keys.iter().flat_map(|key| key.to_le_bytes()));
        bytes.extend(weights.grams.iter().flat_map(|weight| ((weight / step).round() as i16).to_le_bytes()));
        bytes
    }

    /// The logit of a comment's text.
    pub fn logit(&self, analysis: &Analysis<'_>) -> f32 {
        let mut keys: [Vec<u32>; Block::ALL.len()] = Default::default();
        let letters = analysis.folded().lower().len();
        for list in &mut keys {
            list.reserve(letters);
        }
        features::visit_ngrams(analysis, |block, key, _| {
            if let Some(list) = keys.get_mut(block.index()) {
                list.push(key);
            }
        });
        let blocks = Block::ALL.iter().zip(&keys);
        let grams: f32 = blocks.map(|(block, keys)| self.grams.sum(keys) * block.value(keys.len())).sum();
        self.bias + grams + self.style(analysis)
    }

    fn style(&self, analysis: &Analysis<'_>) -> f32 {
        let dense = scale_dense(&features::dense(analysis), &self.means, &self.spreads);
        dense.iter().zip(&self.dense).map(|(x, w)| x * w).sum()
    }

    /// What each n-gram occurrence and each style measure adds to the logit: `(contribution, raw span)` and the rest.
    pub fn contributions(&self, analysis: &Analysis<'_>) -> Contributions {
        let mut occurrences: Vec<(Block, f32, Span)> = Vec::new();
        let mut counts = [0u32; Block::ALL.len()];
        features::visit_ngrams(analysis, |block, key, span| {
            if let Some(count) = counts.get_mut(block.index()) {
                *count += 1;
            }
            let weight = self.grams.get(key);
            if weight != 0.0 {
                occurrences.push((block, weight, span));
            }
        });
        for (block, weight, _) in &mut occurrences {
            *weight *= block.value(counts.get(block.index()).copied().unwrap_or(0) as usize);
        }
        Contributions {
            grams: occurrences.into_iter().map(|(_, weight, span)| (weight, span)).collect(),
            style: self.style(analysis),
            bias: self.bias,
        }
    }

    /// The human reference of scores.
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// The model card.
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// Names the model.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// How many n-grams have a weight.
    pub fn grams(&self) -> usize {
        self.grams.taken
    }
}

/// The parts of a logit; they add up to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Contributions {
    /// Each n-gram occurrence and where it stands.
    pub grams: Vec<(f32, Span)>,
    /// All style measures together.
    pub style: f32,
    /// The constant.
    pub bias: f32,
}

/// N-gram weights by key, in buckets of four: a look-up compares the four fingerprints of one bucket at once, without a branch to
/// mispredict, and the table of a model stays in the processor's cache.
#[derive(Debug, Clone)]
struct GramTable {
    /// Fingerprint in the upper half of an entry, weight in the lower; a free entry is 0.
    buckets: Vec<[u32; BUCKET]>,
    step: f32,
    taken: usize,
}

/// Entries of a bucket.
const BUCKET: usize = 4;

impl GramTable {
    /// Weightier n-grams go first; one that finds its bucket full is left out, which happens to few and to the lightest.
    fn new(grams: impl Iterator<Item = (u32, i16)>, count: usize, step: f32) -> Self {
        let mut grams: Vec<(u32, i16)> = grams.filter(|(_, weight)| *weight != 0).collect();
        grams.sort_by_key(|&(key, weight)| (std::cmp::Reverse(weight.unsigned_abs()), key));
        // At most two in a bucket on average.
        let buckets = count.div_ceil(2).next_power_of_two();
        let mut table = Self { buckets: vec![[0; BUCKET]; buckets], step, taken: 0 };
        for (key, weight) in grams {
            let home = table.home(key);
            let bucket = table.buckets.get_mut(home);
            if let Some(free) = bucket.and_then(|bucket| bucket.iter_mut().find(|entry| **entry == 0)) {
                *free = fingerprint(key) << 16 | u32::from(weight.cast_unsigned());
                table.taken += 1;
            }
        }
        table
    }

    fn home(&self, key: u32) -> usize {
        key as usize & (self.buckets.len() - 1)
    }

    fn get(&self, key: u32) -> f32 {
        self.sum(std::slice::from_ref(&key))
    }

    /// The weights of all keys, added up.
    fn sum(&self, keys: &[u32]) -> f32 {
        let mut sums = [0i32; BUCKET];
        for &key in keys {
            let wanted = fingerprint(key);
            let Some(bucket) = self.buckets.get(self.home(key)) else { return 0.0 };
            for (sum, entry) in sums.iter_mut().zip(bucket) {
                let weight = i32::from((*entry as u16).cast_signed());
                *sum += if entry >> 16 == wanted { weight } else { 0 };
            }
        }
        sums.iter().map(|sum| i64::from(*sum)).sum::<i64>() as f32 * self.step
    }
}

/// The key's upper bits, mixed (16 of them): the lower ones are its bucket.
fn fingerprint(key: u32) -> u32 {
    key.wrapping_mul(0x9e37_79b1) >> 16
}
