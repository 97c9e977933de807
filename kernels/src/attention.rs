//! Attention in tiles, as pictures attend to themselves: the maps would be too large to hold.

use std::ops::Range;

use crate::family::{Family, family};
use crate::math::exp2_up_to_1;
use crate::panels::{Lines, PANEL, Pack, Panels, Precision, Shape};
use crate::parallel;
use crate::product::{Matrix, pack_row};
use crate::scratch::{Scratch, Shared, words_as_floats, words_as_halves};
use crate::simd::{Job, Simd, dispatch};
use crate::tile::{DEPTH_BLOCK, Multiply, ROW_STRIDE};

/// Queries of one tile.
const QUERIES: usize = 96;

/// Panels of keys that are taken together (256 keys). Part of the order of operations: another
/// number gives other bits.
const KEY_PANELS: usize = 8;

/// Sizes of an attention layer.
///
/// Queries, keys and values are `[batch, pixels or keys, heads * head_dim]`: a head's values lie
/// side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttentionShape {
    /// Samples.
    pub batch: usize,
    /// Queries of a sample.
    pub queries: usize,
    /// Keys, and values, of a sample; 1 or more.
    pub keys: usize,
    /// Heads.
    pub heads: usize,
    /// Values of one head.
    pub head_dim: usize,
}

impl AttentionShape {
    pub(crate) fn channels(self) -> usize {
        self.heads * self.head_dim
    }

    pub(crate) fn check(self, name: &str, of: &str, len: usize, rows: usize) {
        let Self { batch, heads, head_dim, .. } = self;
        assert_eq!(
            len,
            batch * rows * self.channels(),
            "{name}: `{of}` holds {len} values, expected [{batch}, {rows}, {heads} * {head_dim}]"
        );
    }

    pub(crate) fn is_empty(self) -> bool {
        self.batch * self.queries * self.channels() == 0
    }

    /// The shape of one head's packed keys.
    pub(crate) fn key_shape(self, precision: Precision) -> Shape {
        Shape { cols: self.keys, values: self.head_dim, precision }
    }

    /// The shape of one head's packed values.
    pub(crate) fn value_shape(self, precision: Precision) -> Shape {
        Shape { cols: self.head_dim, values: self.keys, precision }
    }

    /// Where row `row` of a head begins, among `rows` rows a sample.
    pub(crate) fn at(self, head: usize, row: usize, rows: usize) -> usize {
        (head / self.heads * rows + row) * self.channels() + head % self.heads * self.head_dim
    }
}

/// One head's queries in a range, against all its keys.
struct Tiles<'a> {
    shape: AttentionShape,
    q: Matrix<'a>,
    range: Range<usize>,
    keys: Panels<'a>,
    values: Panels<'a>,
    scale: f32,
    causal: bool,
    /// Row 0 of this head.
    out: Shared<f32>,
}

impl Job for Tiles<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let head_dim = self.shape.head_dim;
        let depth_blocks = self.keys.shape.depth().div_ceil(DEPTH_BLOCK);
        let sum_stride = head_dim.next_multiple_of(16);
        let tile = QUERIES * ROW_STRIDE;
        let mut scratch = Scratch::take(tile * (depth_blocks + 2) + QUERIES * sum_stride);
        let (q_words, words) = scratch.words().split_at_mut(tile * depth_blocks);
        let (scores, words) = words.split_at_mut(tile);
        let (rounded, sums) = words.split_at_mut(tile);
        for first in self.range.clone().step_by(QUERIES) {
            let rows = first..self.range.end.min(first + QUERIES);
            self.tile(s, rows, q_words, words_as_floats(scores), rounded, words_as_floats(sums), sum_stride);
        }
    }
}

impl Tiles<'_> {
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "these are the parts of one scratch buffer")]
    fn tile<S: Simd>(
        &self,
        s: S,
        rows: Range<usize>,
        q_words: &mut [u32],
        scores: &mut [f32],
        rounded: &mut [u32],
        sums: &mut [f32],
        sum_stride: usize,
    ) {
        let precision = self.keys.shape.precision;
        let (per_word, bf16) = (precision.per_word(), precision == Precision::Bf16);
        let count = rows.len();
        let depth = self.keys.shape.depth();
        let head_dim = self.shape.head_dim;
        for (block, words) in q_words.chunks_exact_mut(QUERIES * ROW_STRIDE).enumerate() {
            let from = block * DEPTH_BLOCK * per_word;
            let len = (head_dim - from).min(DEPTH_BLOCK * per_word);
            for (row, words) in rows.clone().zip(words.chunks_exact_mut(ROW_STRIDE)) {
                pack_row(s, &self.q, row, from, len, precision, words);
            }
        }
        // Of the scores so far, times the scale and log2(e): each row's greatest, and the sum of
        // 2^(score - greatest).
        let scale = self.scale * std::f32::consts::LOG2_E;
        let mut tops = [f32::NEG_INFINITY; QUERIES];
        let mut totals = [0.0_f32; QUERIES];
        let panels = self.keys.shape.panels();
        for first_panel in (0..panels).step_by(KEY_PANELS) {
            let first_key = first_panel * PANEL;
            if self.causal && first_key >= rows.end {
                break;
            }
            let block_panels = first_panel..panels.min(first_panel + KEY_PANELS);
            let last = block_panels.end - 1;
            let keys = last * PANEL + self.keys.shape.used(last) - first_key;
            for panel in block_panels {
                for (block, words) in q_words.chunks_exact(QUERIES * ROW_STRIDE).enumerate() {
                    let job = Multiply {
                        a: words.as_ptr(),
                        rows: count,
                        b: self.keys.words[self.keys.shape.at(panel, block * DEPTH_BLOCK)..].as_ptr(),
                        width: self.keys.shape.width(panel),
                        depth: (depth - block * DEPTH_BLOCK).min(DEPTH_BLOCK),
                        c: scores[(panel - first_panel) * PANEL..].as_mut_ptr(),
                        c_stride: ROW_STRIDE,
                        cols: self.keys.shape.used(panel),
                        fresh: block == 0,
                        bf16,
                    };
                    // SAFETY: `words` and `scores` have QUERIES >= `count` rows; a block of keys
                    // has at most 8 * 32 + 16 columns, fewer than ROW_STRIDE.
                    unsafe { s.multiply(job) };
                }
            }
            for row in 0..count {
                let scores = &mut scores[row * ROW_STRIDE..][..keys];
                let seen = if self.causal { (rows.start + row + 1).saturating_sub(first_key).min(keys) } else { keys };
                let (scores, hidden) = scores.split_at_mut(seen);
                hidden.fill(0.0);
                if seen == 0 {
                    continue;
                }
                let mut top = s.splat(f32::NEG_INFINITY);
                for at in (0..seen).step_by(S::LANES) {
                    top = s.max(s.read(scores, at, f32::NEG_INFINITY), top);
                }
                let top = (s.max_lane(top) * scale).max(tops[row]);
                let (scale, minus_top) = (s.splat(scale), s.splat(-top));
                let mut total = s.splat(0.0);
                for at in (0..seen).step_by(S::LANES) {
                    let value = s.read(scores, at, f32::NEG_INFINITY);
                    let value = exp2_up_to_1(s, s.fma(value, scale, minus_top));
                    s.write(scores, at, value);
                    total = s.add(total, value);
                }
                let total = s.sum(total);
                if first_panel > 0 && top > tops[row] {
                    // Lane 0 of a vector: the same function as for the scores.
                    let mut shrink = [0.0; 16];
                    // SAFETY: `LANES` is 16 at most.
                    unsafe {
                        s.store(shrink.as_mut_ptr(), exp2_up_to_1(s, s.splat(tops[row] - top)));
                    }
                    totals[row] *= shrink[0];
                    let sums = &mut sums[row * sum_stride..][..sum_stride];
                    for at in (0..sum_stride).step_by(S::LANES) {
                        let value = s.mul(s.read(sums, at, 0.0), s.splat(shrink[0]));
                        s.write(sums, at, value);
                    }
                }
                tops[row] = top;
                totals[row] += total;
            }
            let probs = if bf16 {
                for row in 0..count {
                    let halves = words_as_halves(&mut rounded[row * ROW_STRIDE..][..ROW_STRIDE]);
                    s.round_to_bf16(&scores[row * ROW_STRIDE..][..keys], &mut halves[..keys]);
                    halves[keys..keys.next_multiple_of(32)].fill(0);
                }
                rounded.as_ptr()
            } else {
                scores.as_ptr().cast()
            };
            for panel in 0..self.values.shape.panels() {
                let job = Multiply {
                    a: probs,
                    rows: count,
                    b: self.values.words[self.values.shape.at(panel, first_key / per_word)..].as_ptr(),
                    width: self.values.shape.width(panel),
                    depth: keys.div_ceil(per_word),
                    c: sums[panel * PANEL..].as_mut_ptr(),
                    c_stride: sum_stride,
                    cols: self.values.shape.used(panel),
                    fresh: first_panel == 0,
                    bf16,
                };
                // SAFETY: `probs` has QUERIES >= `count` rows of `keys` values; `sums` has as many
                // of `sum_stride` >= head_dim; the values have a row for each key.
                unsafe { s.multiply(job) };
            }
        }
        for (row, query) in rows.enumerate() {
            // SAFETY: this head's columns of this row belong to this task.
            let out = unsafe { self.out.part(query * self.shape.channels(), head_dim) };
            let share = s.splat(1.0 / totals[row]);
            for at in (0..head_dim).step_by(S::LANES) {
                let value = s.mul(s.read(&sums[row * sum_stride..][..sum_stride], at, 0.0), share);
                s.write(out, at, value);
            }
        }
    }
}

/// Softmax(scale * q kᵀ) v, without ever holding the whole softmax.
///
/// # Shapes
/// - `q`, `out`: `[batch, queries, heads * head_dim]`
/// - `k`, `v`: `[batch, keys, heads * head_dim]`
///
/// With `causal`, query `i` sees the keys up to `i`. `precision` is that of both products; the
/// softmax is always f32, and in bf16 it is rounded before it meets `v`.
///
/// A query whose scores hold NaN or plus infinity gets NaN; NaN or infinity in a value spreads to
/// every query that sees it.
///
/// # Panics
/// Panics if a length does not fit, if there are no keys, or if `scale` is not a positive number.
#[expect(clippy::too_many_arguments, reason = "these are what attention has")]
pub fn attention(
    q: &[f32],
    k: &[f32],
    v: &[f32],
    shape: AttentionShape,
    scale: f32,
    causal: bool,
    precision: Precision,
    out: &mut [f32],
) {
    attention_with(family(), q, k, v, shape, scale, causal, precision, out);
}

#[expect(clippy::too_many_arguments, reason = "those of `attention` and the family")]
pub(crate) fn attention_with(
    family: Family,
    q: &[f32],
    k: &[f32],
    v: &[f32],
    shape: AttentionShape,
    scale: f32,
    causal: bool,
    precision: Precision,
    out: &mut [f32],
) {
    let AttentionShape { batch, queries, keys, heads, head_dim } = shape;
    shape.check("attention", "q", q.len(), queries);
    shape.check("attention", "k", k.len(), keys);
    shape.check("attention", "v", v.len(), keys);
    shape.check("attention", "out", out.len(), queries);
    check_scale("attention", scale);
    if shape.is_empty() {
        return;
    }
    assert!(keys > 0, "attention: there are no keys");
    let channels = shape.channels();
    let (key_shape, value_shape) = (shape.key_shape(precision), shape.value_shape(precision));
    let out = Shared::new(out);
    let tiles = |head: usize, range: Range<usize>, packed: &[u32]| {
        let (key_words, value_words) = packed.split_at(key_shape.len());
        let first = shape.at(head, 0, queries);
        let tiles = Tiles {
            shape,
            q: Matrix { values: &q[first..], stride: channels },
            range,
            keys: Panels { shape: key_shape, words: key_words },
            values: Panels { shape: value_shape, words: value_words },
            scale,
            causal,
            out: out.from(first),
        };
        dispatch(family, tiles);
    };
    let pack = |head: usize, packed: &mut [u32]| {
        let (key_words, value_words) = packed.split_at_mut(key_shape.len());
        pack_head(family, key_shape, k, shape, head, false, key_words);
        pack_head(family, value_shape, v, shape, head, true, value_words);
    };
    let words = key_shape.len() + value_shape.len();
    let cost = queries * keys * (head_dim + 16) / 16;
    let threads = parallel::threads();
    let all_heads = batch * heads;
    if all_heads % threads == 0 || all_heads >= 4 * threads || queries < 2 * QUERIES {
        parallel::run(all_heads, all_heads * cost, |head| {
            let mut scratch = Scratch::take(words);
            pack(head, scratch.words());
            tiles(head, 0..queries, scratch.words());
        });
    } else {
        // Too few heads to go round: the threads share each head's queries.
        for head in 0..all_heads {
            let mut scratch = Scratch::take(words);
            pack(head, scratch.words());
            let packed = &*scratch.words();
            parallel::run(queries.div_ceil(QUERIES), cost, |tile| {
                let first = tile * QUERIES;
                tiles(head, first..queries.min(first + QUERIES), packed);
            });
        }
    }
}

/// Packs one head's keys, or its values (`by_rows`).
pub(crate) fn pack_head(
    family: Family,
    packed: Shape,
    values: &[f32],
    shape: AttentionShape,
    head: usize,
    by_rows: bool,
    words: &mut [u32],
) {
    let lines = Lines { values: &values[shape.at(head, 0, shape.keys)..], stride: shape.channels() };
    dispatch(family, Pack { shape: packed, lines, by_rows, taps: 1, panels: 0..packed.panels(), words });
}

pub(crate) fn check_scale(name: &str, scale: f32) {
    assert!(scale > 0.0 && scale.is_finite(), "{name}: the scale is {scale}, but must be a positive number");
}
