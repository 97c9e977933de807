//! Attention products.
//!
//! Queries, keys and values are `[batch, tokens, channels]`, the heads lying side by side in the channels. Text maps are
//! always materialised ([`attention_probs`], then [`apply_probs`]); self-attention never is ([`attention`]).

use candle_core::{D, Tensor};
use wordbrush_kernels as kernels;

use super::{Backend, kernel2, kernel3};

fn scale(channels: usize, heads: usize) -> f64 {
    1.0 / ((channels / heads) as f64).sqrt()
}

/// `[batch, tokens, channels]` to `[batch, heads, tokens, channels / heads]`.
fn split(x: &Tensor, heads: usize) -> candle_core::Result<Tensor> {
    let (batch, tokens, channels) = x.dims3()?;
    x.contiguous()?.reshape((batch, tokens, heads, channels / heads))?.transpose(1, 2)?.contiguous()
}

/// Back again.
fn join(x: &Tensor) -> candle_core::Result<Tensor> {
    let (batch, heads, tokens, width) = x.dims4()?;
    x.transpose(1, 2)?.contiguous()?.reshape((batch, tokens, heads * width))
}

/// Softmax over the last of four axes in plain operations, differentiable.
///
/// Rows are summed in stages of equal parts: candle adds numbers up one after the other, and rows of self-attention are long.
fn softmax(x: &Tensor) -> candle_core::Result<Tensor> {
    let exp = x.broadcast_sub(&x.max_keepdim(D::Minus1)?.detach())?.exp()?;
    let (batch, heads, queries, keys) = exp.dims4()?;
    let parts = (1..=keys.isqrt()).rev().find(|parts| keys % parts == 0).unwrap_or(1);
    let sums = exp.reshape((batch, heads, queries * parts, keys / parts))?.sum(D::Minus1)?;
    exp.broadcast_div(&sums.reshape((batch, heads, queries, parts))?.sum_keepdim(D::Minus1)?)
}

fn plain_probs(q: &Tensor, k: &Tensor, heads: usize) -> candle_core::Result<Tensor> {
    let factor = scale(q.dim(2)?, heads);
    let scores = (split(q, heads)?.matmul(&split(k, heads)?.t()?.contiguous()?)? * factor)?;
    softmax(&scores)
}

/// Softmax of queries times keys: `[batch, heads, queries, keys]`.
///
/// # Errors
/// Fails if shapes do not fit.
pub fn attention_probs(q: &Tensor, k: &Tensor, heads: usize, backend: &Backend) -> candle_core::Result<Tensor> {
    let (batch, pixels, channels) = q.dims3()?;
    let keys = k.dim(1)?;
    match backend {
        Backend::Kernels(precision) => {
            let shape = kernels::AttentionShape { batch, queries: pixels, keys, heads, head_dim: channels / heads };
            let scale = scale(channels, heads) as f32;
            kernel2("attention-probs", (q, k), &[batch, heads, pixels, keys], |q, k, out| {
                kernels::attention_probs(q, k, shape, scale, *precision, out);
            })
        }
        Backend::Plain(..) => plain_probs(q, k, heads),
    }
}

/// Maps times values: `[batch, heads, queries, keys]` and `[batch, keys, channels]` to `[batch, queries, channels]`.
///
/// # Errors
/// Fails if shapes do not fit.
pub fn apply_probs(probs: &Tensor, v: &Tensor, backend: &Backend) -> candle_core::Result<Tensor> {
    let (batch, heads, pixels, keys) = probs.dims4()?;
    let channels = v.dim(2)?;
    match backend {
        Backend::Kernels(precision) => {
            let shape = kernels::AttentionShape { batch, queries: pixels, keys, heads, head_dim: channels / heads };
            kernel2("apply-probs", (probs, v), &[batch, pixels, channels], |p, v, out| {
                kernels::apply_probs(p, v, shape, *precision, out);
            })
        }
        Backend::Plain(..) => join(&probs.contiguous()?.matmul(&split(v, heads)?)?),
    }
}

/// Self-attention: softmax of queries times keys, times values; `causal` hides later tokens.
///
/// # Errors
/// Fails if shapes do not fit.
pub fn attention(
    (q, k, v): (&Tensor, &Tensor, &Tensor),
    heads: usize,
    causal: bool,
    backend: &Backend,
) -> candle_core::Result<Tensor> {
    let (batch, queries, channels) = q.dims3()?;
    let keys = k.dim(1)?;
    match backend {
        Backend::Kernels(precision) => {
            let shape = kernels::AttentionShape { batch, queries, keys, heads, head_dim: channels / heads };
            let scale = scale(channels, heads) as f32;
            kernel3("attention", (q, k, v), &[batch, queries, channels], |q, k, v, out| {
                kernels::attention(q, k, v, shape, scale, causal, *precision, out);
            })
        }
        Backend::Plain(..) => {
            if !causal {
                return join(&plain_probs(q, k, heads)?.matmul(&split(v, heads)?)?);
            }
            let factor = scale(channels, heads);
            let scores = (split(q, heads)?.matmul(&split(k, heads)?.t()?.contiguous()?)? * factor)?;
            let mask: Vec<f32> =
                (0..queries * keys).map(|i| if i % keys > i / keys { f32::NEG_INFINITY } else { 0.0 }).collect();
            let mask = backend.tensor(mask, (1, 1, queries, keys))?;
            join(&softmax(&scores.broadcast_add(&mask)?)?.matmul(&split(v, heads)?)?)
        }
    }
}
