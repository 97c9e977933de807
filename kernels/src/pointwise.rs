//! Activations, rounding and the softmax of rows.

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use crate::family::{Family, family};
use crate::math::{Activation, activate, exp, gelu as gelu_lanes};
use crate::parallel;
use crate::scratch::Shared;
use crate::simd::{Job, Simd, dispatch};

/// Values that one task takes.
const CHUNK: usize = 8 << 10;

/// Values that are rounded by way of the stack at a time.
const ROUND_AT_ONCE: usize = 256;

struct Activate<'a>(Activation, &'a mut [f32]);

impl Job for Activate<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self(activation, x) = self;
        for at in (0..x.len()).step_by(S::LANES) {
            let value = s.read(x, at, 0.0);
            s.write(x, at, activate(s, activation, value));
        }
    }
}

pub(crate) fn activate_with(family: Family, activation: Activation, x: &mut [f32]) {
    let len = x.len();
    let shared = Shared::new(x);
    parallel::run(len.div_ceil(CHUNK), len, |task| {
        let from = task * CHUNK;
        // SAFETY: chunks do not overlap.
        let part = unsafe { shared.part(from, CHUNK.min(len - from)) };
        dispatch(family, Activate(activation, part));
    });
}

/// Replaces every `x` by `x / (1 + e^-x)`, to 4e-7 of itself. NaN stays NaN, infinity stays; minus
/// infinity gives NaN.
pub fn silu(x: &mut [f32]) {
    activate_with(family(), Activation::Silu, x);
}

/// Replaces every `x` by `x` times the share of a normal distribution below it (with erf, not
/// tanh), to 1e-6 of itself in both tails. NaN stays NaN, infinity stays; minus infinity gives NaN.
pub fn gelu(x: &mut [f32]) {
    activate_with(family(), Activation::Gelu, x);
}

/// Replaces every `x` below 0 by 0. NaN stays NaN.
pub fn relu(x: &mut [f32]) {
    activate_with(family(), Activation::Relu, x);
}

/// Replaces every `x` by `x / (1 + e^-(1.702 x))`. NaN stays NaN, infinity stays; minus infinity
/// gives NaN.
pub fn quick_gelu(x: &mut [f32]) {
    activate_with(family(), Activation::QuickGelu, x);
}

struct Geglu<'a> {
    x: &'a [f32],
    channels: usize,
    out: &'a mut [f32],
}

impl Job for Geglu<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { x, channels, out } = self;
        for (row, out) in x.chunks_exact(2 * channels).zip(out.chunks_exact_mut(channels)) {
            let (hidden, gate) = row.split_at(channels);
            for at in (0..channels).step_by(S::LANES) {
                let value = s.mul(s.read(hidden, at, 0.0), gelu_lanes(s, s.read(gate, at, 0.0)));
                s.write(out, at, value);
            }
        }
    }
}

/// The first half of every row times the GELU (with erf) of the second.
///
/// # Shapes
/// - `x`: `[rows, 2 * channels]`
/// - `out`: `[rows, channels]`
///
/// # Panics
/// Panics if a length does not fit.
pub fn geglu(x: &[f32], rows: usize, channels: usize, out: &mut [f32]) {
    geglu_with(family(), x, rows, channels, out);
}

pub(crate) fn geglu_with(family: Family, x: &[f32], rows: usize, channels: usize, out: &mut [f32]) {
    assert_eq!(x.len(), rows * 2 * channels, "geglu: `x` holds {} values, expected [{rows}, 2 * {channels}]", x.len());
    assert_eq!(out.len(), rows * channels, "geglu: `out` holds {} values, expected [{rows}, {channels}]", out.len());
    if channels == 0 {
        return;
    }
    let rows_at_once = (CHUNK / channels).max(1);
    let out = Shared::new(out);
    parallel::run(rows.div_ceil(rows_at_once), 2 * rows * channels, |task| {
        let from = task * rows_at_once;
        let count = rows_at_once.min(rows - from);
        let x = &x[from * 2 * channels..][..count * 2 * channels];
        // SAFETY: tasks take different rows.
        let out = unsafe { out.part(from * channels, count * channels) };
        dispatch(family, Geglu { x, channels, out });
    });
}

/// The format that [`round`] rounds to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// 1 sign, 5 exponent, 10 fraction bits.
    F16,
    /// 1 sign, 8 exponent, 7 fraction bits.
    Bf16,
}

/// Rounds every value in place to the nearest that a half-precision number can be, ties to even: the same bits in every
/// family. What is too large for f16 becomes infinite.
pub fn round(values: &mut [f32], to: Half) {
    let len = values.len();
    let values = Shared::new(values);
    parallel::run(len.div_ceil(CHUNK), len / 2, |task| {
        let from = task * CHUNK;
        // SAFETY: chunks do not overlap.
        let values = unsafe { values.part(from, CHUNK.min(len - from)) };
        match to {
            Half::F16 => round_through(f16::ZERO, values),
            Half::Bf16 => round_through(bf16::ZERO, values),
        }
    });
}

/// Rounds by way of halves on the stack.
fn round_through<H: Copy>(zero: H, values: &mut [f32])
where
    [H]: HalfFloatSliceExt,
{
    for values in values.chunks_mut(ROUND_AT_ONCE) {
        let mut halves = [zero; ROUND_AT_ONCE];
        let halves = &mut halves[..values.len()];
        halves.convert_from_f32_slice(values);
        halves.convert_to_f32_slice(values);
    }
}

/// Replaces one row by the softmax of `scale` (positive) times it.
#[inline(always)]
pub(crate) fn softmax_row<S: Simd>(s: S, row: &mut [f32], scale: f32) {
    let mut top = s.splat(f32::NEG_INFINITY);
    for at in (0..row.len()).step_by(S::LANES) {
        top = s.max(s.read(row, at, f32::NEG_INFINITY), top);
    }
    let (minus_top, scale) = (s.splat(-(s.max_lane(top) * scale)), s.splat(scale));
    let mut sum = s.splat(0.0);
    for at in (0..row.len()).step_by(S::LANES) {
        let value = exp(s, s.fma(s.read(row, at, f32::NEG_INFINITY), scale, minus_top));
        s.write(row, at, value);
        sum = s.add(sum, value);
    }
    let share = s.splat(1.0 / s.sum(sum));
    for at in (0..row.len()).step_by(S::LANES) {
        let value = s.mul(s.read(row, at, 0.0), share);
        s.write(row, at, value);
    }
}

struct Softmax<'a>(&'a mut [f32], usize);

impl Job for Softmax<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for row in self.0.chunks_exact_mut(self.1) {
            softmax_row(s, row, 1.0);
        }
    }
}

/// Replaces every row of `x`, `[rows, cols]`, by its softmax.
///
/// Minus infinity among finite values gives 0. A row with NaN or plus infinity, or of nothing but
/// minus infinity, becomes NaN throughout.
///
/// # Panics
/// Panics if `x` does not hold `rows * cols` values.
pub fn softmax_rows(x: &mut [f32], rows: usize, cols: usize) {
    softmax_rows_with(family(), x, rows, cols);
}

pub(crate) fn softmax_rows_with(family: Family, x: &mut [f32], rows: usize, cols: usize) {
    assert_eq!(x.len(), rows * cols, "softmax: `x` holds {} values, expected [{rows}, {cols}]", x.len());
    if cols == 0 {
        return;
    }
    let rows_at_once = (CHUNK / cols).max(1);
    let x = Shared::new(x);
    parallel::run(rows.div_ceil(rows_at_once), rows * cols, |task| {
        let from = task * rows_at_once;
        // SAFETY: tasks take different rows.
        let part = unsafe { x.part(from * cols, rows_at_once.min(rows - from) * cols) };
        dispatch(family, Softmax(part, cols));
    });
}
