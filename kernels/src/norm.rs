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
    let mut sums = GroupSums::new(batch, channels, groups);
    sums.add_with(family, x.unwrap_or(&*out));
    sums.normalise_with(family, x, eps, gamma, beta, silu, out);
}

/// Sums and sums of squares of each group of channels, of pictures that come in several pieces.
///
/// [`group_norm`] is the same with one piece. If all pieces but the last have a multiple of 64 pixels, it has the same bits.
#[derive(Clone, Debug)]
pub struct GroupSums {
    batch: usize,
    channels: usize,
    groups: usize,
    /// Pixels of a picture that were added.
    pixels: usize,
    /// `[batch, groups, 2]`
    sums: Vec<f64>,
}

impl GroupSums {
    /// Of nothing yet.
    ///
    /// # Panics
    /// Panics if `groups` does not divide `channels`.
    #[must_use]
    pub fn new(batch: usize, channels: usize, groups: usize) -> Self {
        assert!(
            groups > 0 && channels.is_multiple_of(groups),
            "group_norm: {groups} groups do not divide {channels} channels"
        );
        Self { batch, channels, groups, pixels: 0, sums: vec![0.0; batch * groups * 2] }
    }

    /// Pixels of each picture in a piece of `len` values.
    fn pixels_of(&self, len: usize) -> usize {
        let of_pixel = self.batch * self.channels;
        let pixels = len.checked_div(of_pixel).unwrap_or(0);
        assert_eq!(
            pixels * of_pixel,
            len,
            "group_norm: {len} values are no whole pixels of {} channels",
            self.channels
        );
        pixels
    }

    /// Adds the next pixels of each picture: `[batch, pixels, channels]`.
    ///
    /// # Panics
    /// Panics if they are no whole pixels.
    pub fn add(&mut self, x: &[f32]) {
        self.add_with(family(), x);
    }

    pub(crate) fn add_with(&mut self, family: Family, x: &[f32]) {
        let Self { batch, channels, groups, .. } = *self;
        let pixels = self.pixels_of(x.len());
        if x.is_empty() {
            return;
        }
        let cut = Cut { pixels, channels };
        let mut sums = vec![0.0_f64; batch * cut.chunks() * 2 * channels];
        let shared = Shared::new(&mut sums);
        parallel::run(batch * cut.chunks(), x.len() / 4, |task| {
            let (from, count) = cut.part(task);
            // SAFETY: every task has sums of its own.
            let out = unsafe { shared.part(task * 2 * channels, 2 * channels) };
            dispatch(family, Sums { x: &x[from..from + count], channels, out });
        });
        let members = channels / groups;
        for (all, sums) in self.sums.chunks_exact_mut(groups * 2).zip(sums.chunks_exact(cut.chunks() * 2 * channels)) {
            for (group, all) in all.chunks_exact_mut(2).enumerate() {
                let range = group * members..(group + 1) * members;
                for chunk in sums.chunks_exact(2 * channels) {
                    all[0] += chunk[range.clone()].iter().sum::<f64>();
                    all[1] += chunk[channels..][range.clone()].iter().sum::<f64>();
                }
            }
        }
        self.pixels += pixels;
    }

    /// Normalises any of the pixels, as [`group_norm`] does all of them.
    ///
    /// # Shapes
    /// As those of [`group_norm`].
    ///
    /// # Panics
    /// Panics if a length does not fit.
    pub fn normalise(&self, x: Option<&[f32]>, eps: f32, gamma: &[f32], beta: &[f32], silu: bool, out: &mut [f32]) {
        self.normalise_with(family(), x, eps, gamma, beta, silu, out);
    }

    #[expect(clippy::too_many_arguments, reason = "those of `normalise` and the family")]
    pub(crate) fn normalise_with(
        &self,
        family: Family,
        x: Option<&[f32]>,
        eps: f32,
        gamma: &[f32],
        beta: &[f32],
        silu: bool,
        out: &mut [f32],
    ) {
        let Self { batch, channels, groups, .. } = *self;
        let given = x.map_or(out.len(), <[f32]>::len);
        assert_eq!(given, out.len(), "group_norm: `x` holds {given} values, `out` {}", out.len());
        assert_eq!(gamma.len(), channels, "group_norm: `gamma` holds {} values, expected {channels}", gamma.len());
        assert_eq!(beta.len(), channels, "group_norm: `beta` holds {} values, expected {channels}", beta.len());
        let cut = Cut { pixels: self.pixels_of(out.len()), channels };
        if out.is_empty() {
            return;
        }
        let mut scratch = Scratch::take(batch * 2 * channels);
        let factors = words_as_floats(scratch.words());
        let members = channels / groups;
        for (factors, sums) in factors.chunks_exact_mut(2 * channels).zip(self.sums.chunks_exact(groups * 2)) {
            let (scale, shift) = factors.split_at_mut(channels);
            for (group, sums) in sums.chunks_exact(2).enumerate() {
                let count = (members * self.pixels) as f64;
                let mean = sums[0] / count;
                // `max` would turn NaN into 0.
                let variance = sums[1] / count - mean * mean;
                let variance = if variance < 0.0 { 0.0 } else { variance };
                let inverse = 1.0 / (variance + f64::from(eps)).sqrt();
                for channel in group * members..(group + 1) * members {
                    let factor = inverse * f64::from(gamma[channel]);
                    scale[channel] = factor as f32;
                    shift[channel] = (f64::from(beta[channel]) - mean * factor) as f32;
                }
            }
        }
        let factors = &*factors;
        let len = out.len();
        let shared = Shared::new(out);
        parallel::run(batch * cut.chunks(), len / if silu { 1 } else { 4 }, |task| {
            let (from, count) = cut.part(task);
            let (scale, shift) = factors[task / cut.chunks() * 2 * channels..][..2 * channels].split_at(channels);
            // SAFETY: every task has pixels of its own.
            let out = unsafe { shared.part(from, count) };
            let x = x.map(|x| &x[from..from + count]);
            dispatch(family, Affine { x, scale, shift, silu, out });
        });
    }
}

/// How pictures are cut into tasks of [`PIXELS`].
#[derive(Clone, Copy)]
struct Cut {
    pixels: usize,
    channels: usize,
}

impl Cut {
    /// Tasks of a picture.
    fn chunks(self) -> usize {
        self.pixels.div_ceil(PIXELS)
    }

    /// The values of a task: where they begin, and how many.
    fn part(self, task: usize) -> (usize, usize) {
        let (picture, chunk) = (task / self.chunks(), task % self.chunks());
        let first = chunk * PIXELS;
        ((picture * self.pixels + first) * self.channels, (self.pixels - first).min(PIXELS) * self.channels)
    }
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
