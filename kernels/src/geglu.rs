//! A linear layer whose second half gates its first, as transformers of diffusion models have it,
//! without the wide result in between.

use std::ops::Range;

use crate::family::{Family, family};
use crate::math::gelu;
use crate::panels::{PANEL, PackedWeights, Panels, Precision};
use crate::parallel;
use crate::product::{Matrix, cut, depth_blocks, pack_row, share};
use crate::scratch::{Scratch, Shared, words_as_floats};
use crate::simd::{Job, Simd, dispatch};
use crate::tile::{Multiply, ROW_STRIDE};

/// The weights of a linear layer followed by GEGLU, packed once and then used by [`gemm_geglu`].
#[derive(Clone, Debug)]
pub struct PackedGeglu {
    /// Panels of hidden and of gate columns take turns; the last pair is filled up with zeros.
    weights: PackedWeights,
    channels: usize,
}

impl PackedGeglu {
    /// Packs `weight`, `[2 * channels, k]`: the hidden outputs, then their gates.
    ///
    /// # Panics
    /// Panics if `weight` does not hold `2 * channels * k` values.
    #[must_use]
    pub fn new(weight: &[f32], channels: usize, k: usize, precision: Precision) -> Self {
        assert_eq!(
            weight.len(),
            2 * channels * k,
            "packed geglu: {} values for [2 * channels, k] = [2 * {channels}, {k}]",
            weight.len()
        );
        let cols = 2 * channels.next_multiple_of(PANEL);
        let mut ordered = vec![0.0; cols * k];
        for col in 0..2 * channels {
            let (half, channel) = (col / channels, col % channels);
            let to = (channel / PANEL * 2 + half) * PANEL + channel % PANEL;
            ordered[to * k..][..k].copy_from_slice(&weight[col * k..][..k]);
        }
        Self { weights: PackedWeights::new(&ordered, cols, k, precision), channels }
    }

    /// Outputs after gating.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Inputs.
    #[must_use]
    pub fn k(&self) -> usize {
        self.weights.k()
    }

    /// How products with these weights are computed.
    #[must_use]
    pub fn precision(&self) -> Precision {
        self.weights.precision()
    }

    /// Bytes of memory held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.weights.bytes()
    }
}

/// Some rows times some pairs of panels.
struct Gated<'a> {
    rows: Matrix<'a>,
    range: Range<usize>,
    panels: Panels<'a>,
    pairs: Range<usize>,
    channels: usize,
    bias: Option<&'a [f32]>,
    out: Shared<f32>,
}

impl Job for Gated<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let shape = self.panels.shape;
        let (precision, per_word) = (shape.precision, shape.precision.per_word());
        let (blocks, block_depth) = depth_blocks(shape.depth());
        assert!(self.panels.words.len() >= shape.len(), "BUG: packed weights are too short");
        let count = self.range.len();
        let block_words = count.next_multiple_of(16) * ROW_STRIDE;
        // All of the rows' depth at once, since a pair of panels is finished before the next one
        // begins.
        let mut scratch = Scratch::take(blocks * block_words + count * 2 * PANEL);
        let (packed, wide) = scratch.words().split_at_mut(blocks * block_words);
        let wide = words_as_floats(wide);
        for (block, packed) in packed.chunks_exact_mut(block_words).enumerate() {
            let from = block * block_depth * per_word;
            let len = (shape.values - from).min(block_depth * per_word);
            for (row, words) in self.range.clone().zip(packed.chunks_exact_mut(ROW_STRIDE)) {
                pack_row(s, &self.rows, row, from, len, precision, words);
            }
        }
        for pair in self.pairs {
            for half in 0..2 {
                for (block, packed) in packed.chunks_exact(block_words).enumerate() {
                    let first = block * block_depth;
                    let job = Multiply {
                        a: packed.as_ptr(),
                        rows: count,
                        b: self.panels.words[shape.at(2 * pair + half, first)..].as_ptr(),
                        width: PANEL,
                        depth: (shape.depth() - first).min(block_depth),
                        c: wide[half * PANEL..].as_mut_ptr(),
                        c_stride: 2 * PANEL,
                        cols: PANEL,
                        fresh: block == 0,
                        bf16: precision == Precision::Bf16,
                    };
                    // SAFETY: `packed` has `count` rows of as many words, rounded up to 16 rows;
                    // the panel has as many rows from `first`, and as every other it is PANEL wide;
                    // `wide` has `count` rows of two panels.
                    unsafe { s.multiply(job) };
                }
            }
            let channel = pair * PANEL;
            let used = PANEL.min(self.channels - channel);
            for (row, wide) in self.range.clone().zip(wide.chunks_exact(2 * PANEL)) {
                let (hidden, gate) = wide.split_at(PANEL);
                // SAFETY: these channels of these rows belong to this task.
                let out = unsafe { self.out.part(row * self.channels + channel, used) };
                for at in (0..used).step_by(S::LANES) {
                    let (mut hidden, mut gate) = (s.read(hidden, at, 0.0), s.read(gate, at, 0.0));
                    if let Some(bias) = self.bias {
                        let (hidden_bias, gate_bias) = bias.split_at(self.channels);
                        hidden = s.add(hidden, s.read(&hidden_bias[channel..], at, 0.0));
                        gate = s.add(gate, s.read(&gate_bias[channel..], at, 0.0));
                    }
                    s.write(out, at, s.mul(hidden, gelu(s, gate)));
                }
            }
        }
    }
}

/// The first half of `a weightsᵀ + bias` times the GELU (with erf) of its second half.
///
/// The same bits as [`gemm`](crate::gemm) followed by [`geglu`](crate::geglu), without writing and
/// reading twice the result's size of memory.
///
/// # Shapes
/// - `a`: `[m, k]`
/// - `weights`: packed from `[2 * channels, k]`
/// - `bias`: `[2 * channels]`
/// - `out`: `[m, channels]`; what it holds beforehand does not matter
///
/// # Panics
/// Panics if a length does not fit.
pub fn gemm_geglu(a: &[f32], m: usize, weights: &PackedGeglu, bias: Option<&[f32]>, out: &mut [f32]) {
    gemm_geglu_with(family(), a, m, weights, bias, out);
}

pub(crate) fn gemm_geglu_with(
    family: Family,
    a: &[f32],
    m: usize,
    weights: &PackedGeglu,
    bias: Option<&[f32]>,
    out: &mut [f32],
) {
    let (channels, k) = (weights.channels, weights.k());
    assert_eq!(a.len(), m * k, "gemm_geglu: `a` holds {} values, expected [m, k] = [{m}, {k}]", a.len());
    assert_eq!(out.len(), m * channels, "gemm_geglu: `out` holds {} values, expected [{m}, {channels}]", out.len());
    if let Some(bias) = bias {
        assert_eq!(bias.len(), 2 * channels, "gemm_geglu: `bias` holds {} values, expected 2 * {channels}", bias.len());
    }
    if m * channels == 0 {
        return;
    }
    let panels = weights.weights.panels();
    let pairs = panels.shape.panels() / 2;
    let cut = cut(m, panels.shape, parallel::threads());
    let cols = cut.cols.min(pairs);
    let out = Shared::new(out);
    parallel::run(cut.rows * cols, m * channels * (panels.shape.depth() + 32) / 16, |task| {
        let range = share(m, task / cols, cut.rows);
        if !range.is_empty() {
            let pairs = share(pairs, task % cols, cols);
            let rows = Matrix { values: a, stride: k };
            dispatch(family, Gated { rows, range, panels, pairs, channels, bias, out });
        }
    });
}
