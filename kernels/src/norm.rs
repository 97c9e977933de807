//! GroupNorm and LayerNorm.
//!
//! Means and variances are summed in f64 with exact squares, so a large mean costs no digits.

use crate::family::{Family, family};
use crate::math::swish;
use crate::parallel;
use crate::scratch::{Scratch, Shared, words_as_floats};
use crate::simd::{Job, Simd, dispatch};

/// Pixels whose sums are taken together. Part of the order of operations: another number gives
/// other bits.
const PIXELS: usize = 64;

/// Vectors of channels that are summed at a time.
const STRIP: usize = 4;

/// Sums and sums of squares of each channel over some pixels.
struct Sums<'a> {
    x: &'a [f32],
    channels: usize,
    /// `[2, channels]`
    out: &'a mut [f64],
}

impl Job for Sums<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { x, channels, out } = self;
        let (sums, squares) = out.split_at_mut(channels);
        let mut channel = 0;
        while channel + STRIP * S::LANES <= channels {
            strip::<S, STRIP>(s, x, channels, channel, STRIP * S::LANES, sums, squares);
            channel += STRIP * S::LANES;
        }
        while channel < channels {
            strip::<S, 1>(s, x, channels, channel, (channels - channel).min(S::LANES), sums, squares);
            channel += S::LANES;
        }
    }
}

/// `count` channels from `first`, which `V` vectors hold.
#[inline(always)]
fn strip<S: Simd, const V: usize>(
    s: S,
    x: &[f32],
    channels: usize,
    first: usize,
    count: usize,
    sums: &mut [f64],
    squares: &mut [f64],
) {
    let mut sum = [s.wide_zero(); V];
    let mut square = [s.wide_zero(); V];
    for pixel in x.chunks_exact(channels) {
        let pixel = &pixel[first..first + count];
        for vector in 0..V {
            let value = s.read(pixel, vector * S::LANES, 0.0);
            sum[vector] = s.wide_add(sum[vector], value);
            square[vector] = s.wide_add_square(square[vector], value);
        }
    }
    for vector in 0..V {
        let at = vector * S::LANES;
        let kept = (count - at).min(S::LANES);
        for (wide, to) in [(sum[vector], &mut *sums), (square[vector], &mut *squares)] {
            let mut lanes = [0.0; 16];
            // SAFETY: `LANES` is 16 at most.
            unsafe { s.wide_store(lanes.as_mut_ptr(), wide) };
            to[first + at..][..kept].copy_from_slice(&lanes[..kept]);
        }
    }
}

/// `x * scale + shift` channel by channel, then SiLU if asked for; without `x`, of what `out` holds.
struct Affine<'a> {
    x: Option<&'a [f32]>,
    scale: &'a [f32],
    shift: &'a [f32],
    silu: bool,
    out: &'a mut [f32],
}

impl Job for Affine<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { x, scale, shift, silu, out } = self;
        let channels = scale.len();
        for (pixel, out) in out.chunks_exact_mut(channels).enumerate() {
            if let Some(x) = x {
                out.copy_from_slice(&x[pixel * channels..][..channels]);
            }
            for at in (0..channels).step_by(S::LANES) {
                let value = s.fma(s.read(out, at, 0.0), s.read(scale, at, 0.0), s.read(shift, at, 0.0));
                let value = if silu { swish(s, value, 1.0) } else { value };
                s.write(out, at, value);
            }
        }
    }
}

/// What [`group_norm`] works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupShape {
    /// Pictures.
    pub batch: usize,
    /// Pixels of a picture.
    pub pixels: usize,
    /// Channels of a pixel.
    pub channels: usize,
    /// Groups that the channels are cut into.
    pub groups: usize,
}

/// Normalises each group of channels of each picture to mean 0 and variance 1, then scales and
/// shifts each channel; with `silu`, the result passes through SiLU.
///
/// # Shapes
/// - `x`, `out`: `[batch, pixels, channels]`; without `x`, what `out` holds is normalised in place
/// - `gamma`, `beta`: `[channels]`
///
/// A NaN or an infinity makes its whole group NaN, in its picture alone.
///
/// # Panics
/// Panics if a length does not fit or if `groups` does not divide `channels`.
pub fn group_norm(
    x: Option<&[f32]>,
    shape: GroupShape,
    eps: f32,
    gamma: &[f32],
    beta: &[f32],
    silu: bool,
    out: &mut [f32],
) {
    group_norm_with(family(), x, shape, eps, gamma, beta, silu, out);
}

#[expect(clippy::too_many_arguments, reason = "those of `group_norm` and the family")]
pub(crate) fn group_norm_with(
    family: Family,
    x: Option<&[f32]>,
    shape: GroupShape,
    eps: f32,
    gamma: &[f32],
    beta: &[f32],
    silu: bool,
    out: &mut [f32],
) {
    let GroupShape { batch, pixels, channels, groups } = shape;
    let len = batch * pixels * channels;
    let given = x.map_or(len, <[f32]>::len);
    assert_eq!(given, len, "group_norm: `x` holds {given} values, expected [{batch}, {pixels}, {channels}]");
    assert_eq!(out.len(), len, "group_norm: `out` holds {} values, expected {len}", out.len());
    assert!(
        groups > 0 && channels.is_multiple_of(groups),
        "group_norm: {groups} groups do not divide {channels} channels"
    );
    assert_eq!(gamma.len(), channels, "group_norm: `gamma` holds {} values, expected {channels}", gamma.len());
    assert_eq!(beta.len(), channels, "group_norm: `beta` holds {} values, expected {channels}", beta.len());
    if len == 0 {
        return;
    }
    let chunks = pixels.div_ceil(PIXELS);
    // The pixels of task `t`: where they begin, and how many.
    let part = |task: usize| {
        let (picture, chunk) = (task / chunks, task % chunks);
        let first = chunk * PIXELS;
        ((picture * pixels + first) * channels, (pixels - first).min(PIXELS) * channels)
    };
    let values: &[f32] = x.unwrap_or(&*out);
    let mut sums = vec![0.0_f64; batch * chunks * 2 * channels];
    let shared = Shared::new(&mut sums);
    parallel::run(batch * chunks, len / 4, |task| {
        let (from, count) = part(task);
        // SAFETY: every task has sums of its own.
        let out = unsafe { shared.part(task * 2 * channels, 2 * channels) };
        dispatch(family, Sums { x: &values[from..from + count], channels, out });
    });
    let mut scratch = Scratch::take(batch * 2 * channels);
    let factors = words_as_floats(scratch.words());
    for (factors, sums) in factors.chunks_exact_mut(2 * channels).zip(sums.chunks_exact(chunks * 2 * channels)) {
        let (scale, shift) = factors.split_at_mut(channels);
        let members = channels / groups;
        for group in 0..groups {
            let range = group * members..(group + 1) * members;
            let (mut sum, mut square) = (0.0, 0.0);
            for chunk in sums.chunks_exact(2 * channels) {
                sum += chunk[range.clone()].iter().sum::<f64>();
                square += chunk[channels..][range.clone()].iter().sum::<f64>();
            }
            let count = (members * pixels) as f64;
            let mean = sum / count;
            // `max` would turn NaN into 0.
            let variance = square / count - mean * mean;
            let variance = if variance < 0.0 { 0.0 } else { variance };
            let inverse = 1.0 / (variance + f64::from(eps)).sqrt();
            for channel in range {
                let factor = inverse * f64::from(gamma[channel]);
                scale[channel] = factor as f32;
                shift[channel] = (f64::from(beta[channel]) - mean * factor) as f32;
            }
        }
    }
    let factors = &*factors;
    let shared = Shared::new(out);
    parallel::run(batch * chunks, len / if silu { 1 } else { 4 }, |task| {
        let (from, count) = part(task);
        let (scale, shift) = factors[task / chunks * 2 * channels..][..2 * channels].split_at(channels);
        // SAFETY: every task has pixels of its own.
        let out = unsafe { shared.part(from, count) };
        let x = x.map(|x| &x[from..from + count]);
        dispatch(family, Affine { x, scale, shift, silu, out });
    });
}

struct LayerNorm<'a> {
    x: &'a [f32],
    eps: f32,
    gamma: &'a [f32],
    beta: &'a [f32],
    out: &'a mut [f32],
}

impl Job for LayerNorm<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { x, eps, gamma, beta, out } = self;
        let channels = gamma.len();
        for (x, out) in x.chunks_exact(channels).zip(out.chunks_exact_mut(channels)) {
            let mut sum = s.wide_zero();
            let mut square = s.wide_zero();
            for at in (0..channels).step_by(S::LANES) {
                let value = s.read(x, at, 0.0);
                sum = s.wide_add(sum, value);
                square = s.wide_add_square(square, value);
            }
            let mean = s.wide_sum(sum) / channels as f64;
            let variance = s.wide_sum(square) / channels as f64 - mean * mean;
            let variance = if variance < 0.0 { 0.0 } else { variance };
            let inverse = 1.0 / (variance + f64::from(eps)).sqrt();
            let (scale, shift) = (s.splat(inverse as f32), s.splat((-mean * inverse) as f32));
            for at in (0..channels).step_by(S::LANES) {
                let value = s.fma(s.read(x, at, 0.0), scale, shift);
                let value = s.fma(value, s.read(gamma, at, 0.0), s.read(beta, at, 0.0));
                s.write(out, at, value);
            }
        }
    }
}

/// Normalises each row to mean 0 and variance 1, then scales and shifts each channel.
///
/// # Shapes
/// - `x`, `out`: `[rows, channels]`
/// - `gamma`, `beta`: `[channels]`
///
/// A NaN or an infinity makes its row NaN.
///
/// # Panics
/// Panics if a length does not fit.
pub fn layer_norm(x: &[f32], rows: usize, channels: usize, eps: f32, gamma: &[f32], beta: &[f32], out: &mut [f32]) {
    layer_norm_with(family(), x, rows, channels, eps, gamma, beta, out);
}

#[expect(clippy::too_many_arguments, reason = "those of `layer_norm` and the family")]
pub(crate) fn layer_norm_with(
    family: Family,
    x: &[f32],
    rows: usize,
    channels: usize,
    eps: f32,
    gamma: &[f32],
    beta: &[f32],
    out: &mut [f32],
) {
    let len = rows * channels;
    assert_eq!(x.len(), len, "layer_norm: `x` holds {} values, expected [{rows}, {channels}]", x.len());
    assert_eq!(out.len(), len, "layer_norm: `out` holds {} values, expected [{rows}, {channels}]", out.len());
    assert_eq!(gamma.len(), channels, "layer_norm: `gamma` holds {} values, expected {channels}", gamma.len());
    assert_eq!(beta.len(), channels, "layer_norm: `beta` holds {} values, expected {channels}", beta.len());
    if len == 0 {
        return;
    }
    let rows_at_once = ((8 << 10) / channels).max(1);
    let out = Shared::new(out);
    parallel::run(rows.div_ceil(rows_at_once), len / 2, |task| {
        let from = task * rows_at_once * channels;
        let count = (rows_at_once * channels).min(len - from);
        // SAFETY: tasks take different rows.
        let out = unsafe { out.part(from, count) };
        dispatch(family, LayerNorm { x: &x[from..from + count], eps, gamma, beta, out });
    });
}
