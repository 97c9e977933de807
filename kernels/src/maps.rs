//! Attention with its maps laid open, as the attention to text is computed: whoever watches or
//! edits maps gets them between the two halves.

use std::ops::Range;

use crate::attention::{AttentionShape, check_scale, pack_head};
use crate::family::{Family, family};
use crate::panels::{Panels, Precision};
use crate::parallel;
use crate::pointwise::softmax_row;
use crate::product::{Block, Epilogue, Matrix};
use crate::scratch::{Scratch, Shared};
use crate::simd::{Job, Simd, dispatch};

/// Queries that share one packing of keys or values in the untiled kernels.
const QUERIES_PER_TASK: usize = 768;

/// Rows that the untiled kernels multiply at a time.
const ROWS: usize = 96;

/// A range of rows times panels, then perhaps their softmax.
struct Whole<'a> {
    rows: Matrix<'a>,
    range: Range<usize>,
    panels: Panels<'a>,
    softmax: Option<f32>,
    out: Shared<f32>,
    out_stride: usize,
}

impl Job for Whole<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for first in self.range.clone().step_by(ROWS) {
            let range = first..self.range.end.min(first + ROWS);
            let block = Block {
                rows: &self.rows,
                range: range.clone(),
                panels: self.panels,
                panel_range: 0..self.panels.shape.panels(),
                epilogue: Epilogue::default(),
                out: self.out,
                out_stride: self.out_stride,
            };
            block.run(s);
            if let Some(scale) = self.softmax {
                for row in range {
                    // SAFETY: these rows belong to this task.
                    let row = unsafe { self.out.part(row * self.out_stride, self.panels.shape.cols) };
                    softmax_row(s, row, scale);
                }
            }
        }
    }
}

/// The attention maps themselves: softmax(scale * q kᵀ).
///
/// # Shapes
/// - `q`: `[batch, queries, heads * head_dim]`
/// - `k`: `[batch, keys, heads * head_dim]`
/// - `out`: `[batch, heads, queries, keys]`; every row sums to 1
///
/// A query whose scores hold NaN or plus infinity gets a row of NaN.
///
/// # Panics
/// Panics if a length does not fit, if there are no keys, or if `scale` is not a positive number.
pub fn attention_probs(q: &[f32], k: &[f32], shape: AttentionShape, scale: f32, precision: Precision, out: &mut [f32]) {
    attention_probs_with(family(), q, k, shape, scale, precision, out);
}

pub(crate) fn attention_probs_with(
    family: Family,
    q: &[f32],
    k: &[f32],
    shape: AttentionShape,
    scale: f32,
    precision: Precision,
    out: &mut [f32],
) {
    let AttentionShape { batch, queries, keys, heads, head_dim } = shape;
    shape.check("attention_probs", "q", q.len(), queries);
    shape.check("attention_probs", "k", k.len(), keys);
    check_probs("attention_probs", "out", shape, out.len());
    check_scale("attention_probs", scale);
    if shape.is_empty() {
        return;
    }
    assert!(keys > 0, "attention_probs: there are no keys");
    let key_shape = shape.key_shape(precision);
    let out = Shared::new(out);
    let tasks = queries.div_ceil(QUERIES_PER_TASK);
    let cost = batch * heads * queries * keys * (head_dim + 16) / 32;
    parallel::run(batch * heads * tasks, cost, |task| {
        let head = task / tasks;
        let first = task % tasks * QUERIES_PER_TASK;
        let mut scratch = Scratch::take(key_shape.len());
        pack_head(family, key_shape, k, shape, head, false, scratch.words());
        let whole = Whole {
            rows: Matrix { values: &q[shape.at(head, 0, queries)..], stride: shape.channels() },
            range: first..queries.min(first + QUERIES_PER_TASK),
            panels: Panels { shape: key_shape, words: scratch.words() },
            softmax: Some(scale),
            out: out.from(head * queries * keys),
            out_stride: keys,
        };
        dispatch(family, whole);
    });
}

fn check_probs(name: &str, of: &str, shape: AttentionShape, len: usize) {
    let AttentionShape { batch, queries, keys, heads, .. } = shape;
    assert_eq!(
        len,
        batch * heads * queries * keys,
        "{name}: `{of}` holds {len} values, expected [{batch}, {heads}, {queries}, {keys}]"
    );
}

/// Attention maps times values.
///
/// # Shapes
/// - `probs`: `[batch, heads, queries, keys]`
/// - `v`: `[batch, keys, heads * head_dim]`
/// - `out`: `[batch, queries, heads * head_dim]`
///
/// NaN and infinities pass through as in any sum of products.
///
/// # Panics
/// Panics if a length does not fit.
pub fn apply_probs(probs: &[f32], v: &[f32], shape: AttentionShape, precision: Precision, out: &mut [f32]) {
    apply_probs_with(family(), probs, v, shape, precision, out);
}

pub(crate) fn apply_probs_with(
    family: Family,
    probs: &[f32],
    v: &[f32],
    shape: AttentionShape,
    precision: Precision,
    out: &mut [f32],
) {
    let AttentionShape { batch, queries, keys, heads, head_dim } = shape;
    check_probs("apply_probs", "probs", shape, probs.len());
    shape.check("apply_probs", "v", v.len(), keys);
    shape.check("apply_probs", "out", out.len(), queries);
    if shape.is_empty() {
        return;
    }
    let value_shape = shape.value_shape(precision);
    let out = Shared::new(out);
    let tasks = queries.div_ceil(QUERIES_PER_TASK);
    let cost = batch * heads * queries * keys * (head_dim + 16) / 32;
    parallel::run(batch * heads * tasks, cost, |task| {
        let head = task / tasks;
        let first = task % tasks * QUERIES_PER_TASK;
        let mut scratch = Scratch::take(value_shape.len());
        pack_head(family, value_shape, v, shape, head, true, scratch.words());
        let whole = Whole {
            rows: Matrix { values: &probs[head * queries * keys..], stride: keys },
            range: first..queries.min(first + QUERIES_PER_TASK),
            panels: Panels { shape: value_shape, words: scratch.words() },
            softmax: None,
            out: out.from(shape.at(head, 0, queries)),
            out_stride: shape.channels(),
        };
        dispatch(family, whole);
    });
}
