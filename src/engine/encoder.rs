//! One layer of an encoder: attention and a feed-forward part, each with a norm and a way round it.

use anyhow::{Result, ensure};
use candle_core::Tensor;

use super::layers::{Backend, Bias, LayerNorm, Linear, attention};
use crate::model::spec::Act;
use crate::model::weights::Weights;

/// What a family calls the tensors of a layer.
#[derive(Debug, Clone, Copy)]
pub(super) struct LayerNames {
    pub(super) norm_1: &'static str,
    pub(super) norm_2: &'static str,
    pub(super) fc_1: &'static str,
    pub(super) fc_2: &'static str,
    /// Whether queries, keys and values have biases.
    pub(super) bias: Bias,
}

/// CLIP's names, in text and vision towers.
pub(super) const CLIP_LAYER: LayerNames =
    LayerNames { norm_1: "layer_norm1", norm_2: "layer_norm2", fc_1: "mlp.fc1", fc_2: "mlp.fc2", bias: Bias::Yes };

/// The sizes of a layer.
#[derive(Debug, Clone, Copy)]
pub(super) struct LayerShape {
    pub(super) width: usize,
    /// Width of all heads together.
    pub(super) attention_width: usize,
    pub(super) inner: usize,
    pub(super) heads: usize,
    pub(super) act: Act,
    pub(super) eps: f64,
    /// Whether a token sees those after it no more than a reader does.
    pub(super) causal: bool,
}

/// A layer.
pub(super) struct EncoderLayer {
    norm_1: LayerNorm,
    q: Linear,
    k: Linear,
    v: Linear,
    out: Linear,
    norm_2: LayerNorm,
    fc_1: Linear,
    fc_2: Linear,
    shape: LayerShape,
}

impl EncoderLayer {
    /// Reads the layer whose tensors begin with `at` and a dot.
    pub(super) fn load(w: &Weights, at: &str, names: LayerNames, shape: LayerShape, backend: &Backend) -> Result<Self> {
        let LayerShape { width, attention_width, inner, heads, eps, .. } = shape;
        ensure!(attention_width.is_multiple_of(heads), "`hidden_size` {width} does not divide into {heads} heads");
        let linear =
            |name: &str, n: usize, m: usize| Linear::load(w, &format!("{at}.{name}"), n, m, Bias::Yes, backend);
        let reads = |name: &str| Linear::load(w, &format!("{at}.{name}"), width, attention_width, names.bias, backend);
        let norm = |name: &str| LayerNorm::load(w, &format!("{at}.{name}"), width, eps, backend);
        Ok(Self {
            norm_1: norm(names.norm_1)?,
            q: reads("self_attn.q_proj")?,
            k: reads("self_attn.k_proj")?,
            v: reads("self_attn.v_proj")?,
            out: linear("self_attn.out_proj", attention_width, width)?,
            norm_2: norm(names.norm_2)?,
            fc_1: linear(names.fc_1, width, inner)?,
            fc_2: linear(names.fc_2, inner, width)?,
            shape,
        })
    }

    /// Attention to `n`, plus `x`.
    fn attend(&self, n: &Tensor, x: &Tensor, backend: &Backend) -> candle_core::Result<Tensor> {
        let (q, k, v) = (self.q.forward(n)?, self.k.forward(n)?, self.v.forward(n)?);
        let a = attention((&q, &k, &v), self.shape.heads, self.shape.causal, backend)?;
        self.out.forward_with(&a, None, Some(x))
    }

    /// The feed-forward part of `n`, plus `x`.
    fn feed(&self, n: &Tensor, x: &Tensor) -> candle_core::Result<Tensor> {
        let inner = self.fc_1.forward_with(n, Some(self.shape.act), None)?;
        self.fc_2.forward_with(&inner, None, Some(x))
    }

    /// `[batch, tokens, width]` to the same shape, each norm before its part.
    pub(super) fn forward(&self, x: &Tensor, backend: &Backend) -> candle_core::Result<Tensor> {
        let x = self.attend(&self.norm_1.forward(x)?, x, backend)?;
        self.feed(&self.norm_2.forward(&x)?, &x)
    }

    /// The same with each norm after its part, over the way round too.
    pub(super) fn forward_norms_after(&self, x: &Tensor, backend: &Backend) -> candle_core::Result<Tensor> {
        let x = self.norm_1.forward(&self.attend(x, x, backend)?)?;
        self.norm_2.forward(&self.feed(&x, &x)?)
    }
}
