//! The learned text model: weights, how they are applied, how they are stored.

use super::features::DENSE;
use super::train::Example;

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
        Self { bias: 0.0, grams: vec![0.0; keys.len()], keys, dense: [0.0; DENSE], means: [0.0; DENSE], spreads: [1.0; DENSE] }
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
        let grams = example.grams.iter().filter_map(|&(key, value)| Some((self.keys.binary_search(&key).ok()? as u32, value))).collect();
        Example { grams, ..*example }
    }

    /// Mean and spread of each dense measure.
    pub fn dense_scales(&self) -> impl Iterator<Item = (f32, f32)> {
        self.means.iter().copied().zip(self.spreads.iter().copied())
    }

    /// The logit of an example whose dense measures are scaled already.
    pub fn logit_of(&self, example: &Example, dense: &[f32; DENSE]) -> f32 {
        let grams: f32 = example.grams.iter().map(|&(bucket, value)| self.grams.get(bucket as usize).copied().unwrap_or(0.0) * value).sum();
        let style: f32 = dense.iter().zip(&self.dense).map(|(x, w)| x * w).sum();
        self.bias + grams + style
    }

    /// Adds `step` times the example to the weights.
    pub fn add(&mut self, example: &Example, dense: &[f32; DENSE], step: f32) {
        for &(bucket, value) in &example.grams {
            if let Some(weight) = self.grams.get_mut(bucket as usize) {
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

    /// The dense weights.
    pub fn dense(&self) -> &[f32; DENSE] {
        &self.dense
    }
}
