//! The same functions as plain loops: what the fast ones are tested against, and the shortest
//! account of what they compute.
//!
//! Sums are f64 and rounded once at the end. In [`Precision::Bf16`] the factors of a product are
//! rounded to bf16 first, as in the fast kernels. Lengths are taken on trust; a wrong one panics
//! somewhere or gives nonsense.

use half::bf16;

use crate::attention::AttentionShape;
use crate::conv::{ConvExtras, ConvInput};
use crate::math::Activation;
use crate::panels::Precision;

/// A factor of a product as `precision` sees it.
fn seen(value: f32, precision: Precision) -> f64 {
    match precision {
        Precision::F32 => f64::from(value),
        Precision::Bf16 => bf16::from_f32(value).to_f64(),
    }
}

/// The error function, to f64 precision: its series near 0, its continued fraction beyond.
fn erf(x: f64) -> f64 {
    if x.abs() < 2.5 {
        let mut term = x;
        let mut sum = x;
        for n in 1..100 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    } else {
        x.signum() * (1.0 - erfc_tail(x.abs()))
    }
}

/// 1 - erf(x) for x >= 2.5.
fn erfc_tail(x: f64) -> f64 {
    let mut fraction = x;
    for n in (1..100).rev() {
        fraction = x + f64::from(n) / 2.0 / fraction;
    }
    (-x * x).exp() / std::f64::consts::PI.sqrt() / fraction
}

/// `x` times the share of a normal distribution below `x`.
#[must_use]
pub fn gelu(x: f32) -> f32 {
    let x = f64::from(x);
    let z = x * std::f64::consts::FRAC_1_SQRT_2;
    // Of the two ways to the same number, the one that subtracts nothing from 1.
    let share = if z < -2.5 { 0.5 * erfc_tail(-z) } else { 0.5 * (1.0 + erf(z)) };
    (x * share) as f32
}

/// `x / (1 + e^-x)`.
#[must_use]
pub fn silu(x: f32) -> f32 {
    let x = f64::from(x);
    (x / (1.0 + (-x).exp())) as f32
}

/// `x / (1 + e^-(1.702 x))`.
#[must_use]
pub fn quick_gelu(x: f32) -> f32 {
    let x = f64::from(x);
    (x / (1.0 + (-1.702 * x).exp())) as f32
}

/// `x`, or 0 if that is more.
#[must_use]
pub fn relu(x: f32) -> f32 {
    if x < 0.0 { 0.0 } else { x }
}

fn activate(activation: Activation, x: f32) -> f32 {
    match activation {
        Activation::None => x,
        Activation::Silu => silu(x),
        Activation::Gelu => gelu(x),
        Activation::QuickGelu => quick_gelu(x),
        Activation::Relu => relu(x),
    }
}

/// See [`crate::gemm`]; `weight` is `[n, k]`, not packed.
#[expect(clippy::too_many_arguments, reason = "those of the fast one and the precision")]
#[must_use]
pub fn gemm(
    a: &[f32],
    m: usize,
    weight: &[f32],
    n: usize,
    precision: Precision,
    bias: Option<&[f32]>,
    activation: Activation,
    residual: Option<&[f32]>,
) -> Vec<f32> {
    let k = weight.len().checked_div(n).unwrap_or(0);
    let mut out = vec![0.0; m * n];
    for row in 0..m {
        for col in 0..n {
            let mut sum = bias.map_or(0.0, |bias| f64::from(bias[col]));
            for i in 0..k {
                sum += seen(a[row * k + i], precision) * seen(weight[col * k + i], precision);
            }
            out[row * n + col] =
                activate(activation, sum as f32) + residual.map_or(0.0, |residual| residual[row * n + col]);
        }
    }
    out
}

/// See [`crate::conv2d`]; `weight` is `[outputs, inputs, kh, kw]`, not packed.
#[must_use]
pub fn conv2d(
    x: &[f32],
    input: ConvInput,
    weight: &[f32],
    [outputs, inputs, kh, kw]: [usize; 4],
    precision: Precision,
    extras: ConvExtras<'_>,
) -> Vec<f32> {
    let (out_height, out_width) = input.output(kh, kw);
    let factor = if input.upsample { 2 } else { 1 };
    let mut out = Vec::new();
    for picture in 0..input.batch {
        for (out_y, out_x) in (0..out_height).flat_map(|y| (0..out_width).map(move |x| (y, x))) {
            for output in 0..outputs {
                let mut sum = extras.bias.map_or(0.0, |bias| f64::from(bias[output]));
                sum += extras.channel_add.map_or(0.0, |add| f64::from(add[picture * outputs + output]));
                for (ky, kx) in (0..kh).flat_map(|y| (0..kw).map(move |x| (y, x))) {
                    let (y, x_) = (out_y * input.stride + ky, out_x * input.stride + kx);
                    let inside = |at: usize, pixels: usize| at >= input.pad && at < input.pad + pixels * factor;
                    if !inside(y, input.height) || !inside(x_, input.width) {
                        continue;
                    }
                    let (y, x_) = ((y - input.pad) / factor, (x_ - input.pad) / factor);
                    for channel in 0..inputs {
                        let value = x[((picture * input.height + y) * input.width + x_) * inputs + channel];
                        let weight = weight[((output * inputs + channel) * kh + ky) * kw + kx];
                        sum += seen(value, precision) * seen(weight, precision);
                    }
                }
                let residual = extras.residual.map_or(0.0, |residual| residual[out.len()]);
                out.push(activate(extras.activation, sum as f32) + residual);
            }
        }
    }
    out
}

/// See [`crate::PackedConv::winograd`]: what [`conv2d`] computes, from transformed tiles and weights that are rounded instead.
#[must_use]
pub fn winograd(
    x: &[f32],
    input: ConvInput,
    weight: &[f32],
    [outputs, inputs]: [usize; 2],
    precision: Precision,
    extras: ConvExtras<'_>,
) -> Vec<f32> {
    // B^T d, G g and A^T m, each of four or three numbers.
    let read = |[a, b, c, d]: [f32; 4]| [a - c, b + c, c - b, b - d];
    let weigh = |[a, b, c]: [f32; 3]| [a, 0.5 * (a + c + b), 0.5 * (a + c - b), c];
    let finish = |[a, b, c, d]: [f64; 4]| [a + b + c, b - c - d];
    let weights: Vec<[[f32; 4]; 4]> = (0..outputs * inputs)
        .map(|at| {
            let lines: [[f32; 4]; 3] =
                std::array::from_fn(|y| weigh(std::array::from_fn(|x| weight[at * 9 + y * 3 + x])));
            let columns: [[f32; 4]; 4] = std::array::from_fn(|x| weigh(std::array::from_fn(|y| lines[y][x])));
            std::array::from_fn(|y| std::array::from_fn(|x| columns[x][y]))
        })
        .collect();
    let (out_height, out_width) = input.output(3, 3);
    let zoom = if input.upsample { 2 } else { 1 };
    let mut out = vec![0.0; input.batch * out_height * out_width * outputs];
    for picture in 0..input.batch {
        for (top, left) in (0..out_height).step_by(2).flat_map(|y| (0..out_width).step_by(2).map(move |x| (y, x))) {
            let mut sums = vec![[[0f64; 4]; 4]; outputs];
            for channel in 0..inputs {
                let value = |y: usize, x_: usize| {
                    let inside = |at: usize, pixels: usize| at >= input.pad && at < input.pad + pixels * zoom;
                    if !inside(top + y, input.height) || !inside(left + x_, input.width) {
                        return 0.0;
                    }
                    let (y, x_) = ((top + y - input.pad) / zoom, (left + x_ - input.pad) / zoom);
                    x[((picture * input.height + y) * input.width + x_) * inputs + channel]
                };
                let columns: [[f32; 4]; 4] = std::array::from_fn(|x| read(std::array::from_fn(|y| value(y, x))));
                for y in 0..4 {
                    let line = read(std::array::from_fn(|x| columns[x][y]));
                    for (output, sums) in sums.iter_mut().enumerate() {
                        for x in 0..4 {
                            sums[y][x] +=
                                seen(line[x], precision) * seen(weights[output * inputs + channel][y][x], precision);
                        }
                    }
                }
            }
            for (output, sums) in sums.iter().enumerate() {
                let columns: [[f64; 2]; 4] = std::array::from_fn(|x| finish(std::array::from_fn(|y| sums[y][x])));
                for (y, x) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                    if top + y >= out_height || left + x >= out_width {
                        continue;
                    }
                    let at = ((picture * out_height + top + y) * out_width + left + x) * outputs + output;
                    let mut sum = finish(std::array::from_fn(|x| columns[x][y]))[x];
                    sum += extras.bias.map_or(0.0, |bias| f64::from(bias[output]));
                    sum += extras.channel_add.map_or(0.0, |add| f64::from(add[picture * outputs + output]));
                    out[at] =
                        activate(extras.activation, sum as f32) + extras.residual.map_or(0.0, |residual| residual[at]);
                }
            }
        }
    }
    out
}

/// See [`crate::geglu`].
#[must_use]
pub fn geglu(x: &[f32], channels: usize) -> Vec<f32> {
    x.chunks_exact(2 * channels).flat_map(|row| (0..channels).map(|at| row[at] * gelu(row[channels + at]))).collect()
}

/// See [`crate::group_norm`].
#[expect(clippy::too_many_arguments, reason = "those of the fast one")]
#[must_use]
pub fn group_norm(
    x: &[f32],
    batch: usize,
    pixels: usize,
    channels: usize,
    groups: usize,
    eps: f32,
    gamma: &[f32],
    beta: &[f32],
    with_silu: bool,
) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    let members = channels / groups;
    for (picture, group) in (0..batch).flat_map(|picture| (0..groups).map(move |group| (picture, group))) {
        let places = || {
            (0..pixels).flat_map(move |pixel| {
                (group * members..(group + 1) * members)
                    .map(move |channel| ((picture * pixels + pixel) * channels + channel, channel))
            })
        };
        let count = (pixels * members) as f64;
        let mean = places().map(|(at, _)| f64::from(x[at])).sum::<f64>() / count;
        let variance = places().map(|(at, _)| (f64::from(x[at]) - mean).powi(2)).sum::<f64>() / count;
        for (at, channel) in places() {
            let value = (f64::from(x[at]) - mean) / (variance + f64::from(eps)).sqrt();
            let value = (value * f64::from(gamma[channel]) + f64::from(beta[channel])) as f32;
            out[at] = if with_silu { silu(value) } else { value };
        }
    }
    out
}

/// See [`crate::layer_norm`].
#[must_use]
pub fn layer_norm(x: &[f32], channels: usize, eps: f32, gamma: &[f32], beta: &[f32]) -> Vec<f32> {
    let rows = x.len() / channels;
    // One group of all channels, and one pixel a sample.
    group_norm(x, rows, 1, channels, 1, eps, gamma, beta, false)
}

/// The softmax of one row.
#[must_use]
pub fn softmax(row: &[f32]) -> Vec<f32> {
    let top = row.iter().fold(f64::NEG_INFINITY, |top, &x| top.max(f64::from(x)));
    let powers: Vec<_> = row.iter().map(|&x| (f64::from(x) - top).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| (power / sum) as f32).collect()
}

/// See [`crate::attention_probs`]; with `causal`, query `i` sees the keys up to `i`.
#[must_use]
pub fn attention_probs(
    q: &[f32],
    k: &[f32],
    shape: AttentionShape,
    scale: f32,
    causal: bool,
    precision: Precision,
) -> Vec<f32> {
    let AttentionShape { batch, queries, keys, heads, head_dim } = shape;
    let mut out = Vec::new();
    for (sample, head) in (0..batch).flat_map(|sample| (0..heads).map(move |head| (sample, head))) {
        for query in 0..queries {
            let scores: Vec<_> = (0..keys)
                .map(|key| {
                    if causal && key > query {
                        return f32::NEG_INFINITY;
                    }
                    let at = |row: usize, rows: usize, i: usize| ((sample * rows + row) * heads + head) * head_dim + i;
                    let dot: f64 = (0..head_dim)
                        .map(|i| seen(q[at(query, queries, i)], precision) * seen(k[at(key, keys, i)], precision))
                        .sum();
                    (dot * f64::from(scale)) as f32
                })
                .collect();
            out.extend(softmax(&scores));
        }
    }
    out
}

/// See [`crate::apply_probs`].
#[must_use]
pub fn apply_probs(probs: &[f32], v: &[f32], shape: AttentionShape, precision: Precision) -> Vec<f32> {
    let AttentionShape { batch, queries, keys, heads, head_dim } = shape;
    let mut out = vec![0.0; batch * queries * heads * head_dim];
    for (sample, head) in (0..batch).flat_map(|sample| (0..heads).map(move |head| (sample, head))) {
        for (query, i) in (0..queries).flat_map(|query| (0..head_dim).map(move |i| (query, i))) {
            let sum: f64 = (0..keys)
                .map(|key| {
                    let prob = probs[((sample * heads + head) * queries + query) * keys + key];
                    let value = v[((sample * keys + key) * heads + head) * head_dim + i];
                    seen(prob, precision) * seen(value, precision)
                })
                .sum();
            out[((sample * queries + query) * heads + head) * head_dim + i] = sum as f32;
        }
    }
    out
}

/// See [`crate::attention`].
#[must_use]
pub fn attention(
    q: &[f32],
    k: &[f32],
    v: &[f32],
    shape: AttentionShape,
    scale: f32,
    causal: bool,
    precision: Precision,
) -> Vec<f32> {
    apply_probs(&attention_probs(q, k, shape, scale, causal, precision), v, shape, precision)
}
