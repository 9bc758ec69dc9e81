//! Learning the text model: L2-regularised logistic regression by dual coordinate descent.
//!
//! Algorithm: Yu, Huang and Lin, "Dual coordinate descent methods for logistic regression and maximum entropy models"
//! (Machine Learning 85, 2011), section 3, with the one-variable problem solved by Newton steps in the logit. It has one
//! optimum, needs no learning rate, and the fixed shuffle makes it reproducible bit for bit on one machine.

use super::features::{self, Block, DENSE};
use super::model::Weights;
use crate::domain::Label;
use crate::text::Analysis;

/// One labelled comment as the trainer sees it.
#[derive(Debug, Clone)]
pub struct Example {
    /// What it is.
    pub label: Label,
    /// The data source it came from; sources are weighed against each other.
    pub source: usize,
    /// Key (or, inside the trainer, position) and value; ascending, each once.
    pub grams: Vec<(u32, f32)>,
    /// Raw dense measures.
    pub dense: [f32; DENSE],
}

impl Example {
    /// Derives the example of an analysed comment.
    pub fn new(label: Label, source: usize, analysis: &Analysis<'_>) -> Self {
        let mut per_block: [Vec<u32>; 3] = Default::default();
        features::visit_ngrams(analysis, |block, bucket, _| {
            if let Some(list) = per_block.get_mut(block.index()) {
                list.push(bucket);
            }
        });
        let mut grams: Vec<(u32, f32)> = Vec::new();
        for block in Block::ALL {
            let list = std::mem::take(per_block.get_mut(block.index()).unwrap_or(&mut Vec::new()));
            let value = block.value(list.len());
            grams.extend(list.into_iter().map(|bucket| (bucket, value)));
        }
        grams.sort_unstable_by_key(|&(bucket, _)| bucket);
        grams.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        grams.shrink_to_fit();
        Self { label, source, grams, dense: features::dense(analysis) }
    }
}

/// How to learn.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Inverse strength of the regularisation: larger fits the examples more closely.
    pub c: f64,
    /// Passes over the examples.
    pub passes: usize,
    /// Seed of the order in which examples are visited.
    pub seed: u64,
    /// A source of `n` comments weighs `n` to this power: 0 = every source alike, 1 = every comment alike.
    pub source_power: f64,
    /// Total weight of the human class against the machine class.
    pub human_weight: f64,
    /// N-grams are scaled by their inverse document frequency to this power while learning.
    pub idf_power: f64,
    /// N-grams in fewer documents than this are not learned.
    pub fewest_documents: u32,
    /// At most this many n-grams are kept: those that move the scores of the examples most.
    pub most_grams: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            c: 4.0,
            passes: 12,
            seed: 20_261_124,
            source_power: 0.1,
            human_weight: 1.0,
            idf_power: 1.3,
            fewest_documents: 3,
            most_grams: 144_000,
        }
    }
}

/// Learns weights from examples.
pub fn train(examples: &[&Example], options: &Options) -> Weights {
    let (keys, frequency) = vocabulary(examples, options.fewest_documents);
    let mut weights = Weights::blank(keys);
    let rarity = rarity(&frequency, examples.len(), options.idf_power);
    let scaled: Vec<Example> = examples.iter().map(|e| rescaled(weights.indexed(e), &rarity)).collect();
    let examples: Vec<&Example> = scaled.iter().collect();
    let examples = examples.as_slice();
    standardise(examples, &mut weights);
    let dense: Vec<[f32; DENSE]> = examples.iter().map(|e| weights.scale_dense(&e.dense)).collect();
    let costs = costs(examples, options);
    let signs: Vec<f64> = examples.iter().map(|e| if e.label == Label::Human { -1.0 } else { 1.0 }).collect();
    let norms: Vec<f64> = examples
        .iter()
        .zip(&dense)
        .map(|(e, d)| {
            1.0 + e.grams.iter().map(|g| f64::from(g.1 * g.1)).sum::<f64>()
                + d.iter().map(|v| f64::from(v * v)).sum::<f64>()
        })
        .collect();
    let mut alphas: Vec<f64> = costs.iter().map(|c| c * 0.05).collect();
    for (((example, dense), alpha), sign) in examples.iter().zip(&dense).zip(&alphas).zip(&signs) {
        weights.add(example, dense, (alpha * sign) as f32);
    }
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut random = SplitMix(options.seed);
    for _ in 0..options.passes {
        random.shuffle(&mut order);
        for &at in &order {
            let (Some(example), Some(dense), Some(&cost), Some(&sign), Some(&norm), Some(alpha)) = (
                examples.get(at),
                dense.get(at),
                costs.get(at),
                signs.get(at),
                norms.get(at),
                alphas.get_mut(at),
            ) else {
                continue;
            };
            let margin = sign * f64::from(weights.logit_of(example, dense));
            let next = minimise(norm, margin, *alpha, cost);
            weights.add(example, dense, ((next - *alpha) * sign) as f32);
            *alpha = next;
        }
    }
    // Applied to plain counts from here on: the scale moves into the weights.
    weights.scale_grams(&rarity);
    weights.prune(options.most_grams, &frequency);
    weights
}

/// The n-grams that occur in enough documents: keys ascending, and in how many documents each.
fn vocabulary(examples: &[&Example], fewest: u32) -> (Vec<u32>, Vec<u32>) {
    let mut all: Vec<u32> = examples.iter().flat_map(|e| e.grams.iter().map(|&(key, _)| key)).collect();
    all.sort_unstable();
    all.chunk_by(|a, b| a == b)
        .filter(|same| same.len() >= fewest as usize)
        .filter_map(|same| Some((*same.first()?, same.len() as u32)))
        .unzip()
}

/// How much each n-gram's value is scaled while learning: `(1 + ln(N / df)) ^ power`, with a mean square of 1 over occurrences,
/// so that C means the same at every power.
fn rarity(frequency: &[u32], examples: usize, power: f64) -> Vec<f32> {
    let n = examples as f64;
    let raw: Vec<f64> =
        frequency.iter().map(|&df| (1.0 + (n / f64::from(df.max(1))).ln()).powf(power)).collect();
    let (mut squares, mut occurrences) = (0.0, 0.0);
    for (scale, &df) in raw.iter().zip(frequency) {
        squares += scale * scale * f64::from(df);
        occurrences += f64::from(df);
    }
    let level = (squares / f64::max(occurrences, 1.0)).sqrt().max(1e-9);
    raw.into_iter().map(|scale| (scale / level) as f32).collect()
}

fn rescaled(mut example: Example, rarity: &[f32]) -> Example {
    for (at, value) in &mut example.grams {
        *value *= rarity.get(*at as usize).copied().unwrap_or(1.0);
    }
    example
}

/// The minimiser z in (0, c) of `z ln z + (c-z) ln(c-z) + a/2 (z-alpha)^2 + b (z-alpha)`, by Newton steps in t = logit(z/c).
fn minimise(a: f64, b: f64, alpha: f64, c: f64) -> f64 {
    let sigmoid = |t: f64| 1.0 / (1.0 + (-t).exp());
    let (mut low, mut high) = (-(b + a * (c - alpha)), -(b - a * alpha));
    let mut t = (alpha / c).clamp(1e-9, 1.0 - 1e-9);
    t = (t / (1.0 - t)).ln().clamp(low.min(high), high.max(low));
    for _ in 0..20 {
        let s = sigmoid(t);
        let slope = t + a * (c * s - alpha) + b;
        if slope.abs() < 1e-6 {
            break;
        }
        if slope > 0.0 {
            high = t;
        } else {
            low = t;
        }
        let step = t - slope / (1.0 + a * c * s * (1.0 - s));
        t = if step > low && step < high { step } else { f64::midpoint(low, high) };
    }
    c * sigmoid(t)
}

/// Means and spreads of the dense measures, classes weighing alike.
fn standardise(examples: &[&Example], weights: &mut Weights) {
    let human = examples.iter().filter(|e| e.label == Label::Human).count().max(1) as f64;
    let machine = (examples.len() as f64 - human).max(1.0);
    for at in 0..DENSE {
        let (mut sum, mut squares, mut total) = (0.0, 0.0, 0.0);
        for example in examples {
            let value = f64::from(example.dense.get(at).copied().unwrap_or(0.0));
            let weight = if example.label == Label::Human { 1.0 / human } else { 1.0 / machine };
            sum += weight * value;
            squares += weight * value * value;
            total += weight;
        }
        let mean = sum / total.max(1e-9);
        let spread = (squares / total.max(1e-9) - mean * mean).max(1e-8).sqrt();
        weights.set_dense_scale(at, mean as f32, spread as f32);
    }
}

/// The cost (upper bound of alpha) of each example: classes balanced, sources weighed by size to a power.
fn costs(examples: &[&Example], options: &Options) -> Vec<f64> {
    let sources = examples.iter().map(|e| e.source).max().unwrap_or(0) + 1;
    let mut sizes = vec![[0f64; 2]; sources];
    let class = |e: &Example| usize::from(e.label != Label::Human);
    for example in examples {
        if let Some(size) = sizes.get_mut(example.source).and_then(|s| s.get_mut(class(example))) {
            *size += 1.0;
        }
    }
    let raw: Vec<f64> = examples
        .iter()
        .map(|e| {
            let size = sizes.get(e.source).and_then(|s| s.get(class(e))).copied().unwrap_or(1.0).max(1.0);
            size.powf(options.source_power - 1.0)
        })
        .collect();
    let mut totals = [0f64; 2];
    for (example, weight) in examples.iter().zip(&raw) {
        if let Some(total) = totals.get_mut(class(example)) {
            *total += weight;
        }
    }
    let n = examples.len() as f64;
    let shares = [options.human_weight / (1.0 + options.human_weight), 1.0 / (1.0 + options.human_weight)];
    examples
        .iter()
        .zip(raw)
        .map(|(e, weight)| {
            let class = class(e);
            let total = totals.get(class).copied().unwrap_or(1.0).max(1e-12);
            let share = shares.get(class).copied().unwrap_or(0.5);
            (options.c * n * share * weight / total).max(1e-9)
        })
        .collect()
}

/// A small seeded generator (Steele et al., splitmix64): the order of training must not depend on a crate's version.
#[derive(Debug, Clone)]
pub struct SplitMix(pub u64);

impl SplitMix {
    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next_u64()) * bound as u128) >> 64) as usize
    }

    /// Fisher-Yates.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}
