//! The UNet: a noisy latent and a text to a prediction, with the attention hook.
//!
//! Every attention layer of a call has its [`Site`](crate::attention::Site). The batch is `[empty, text]`, or any other set of samples of which at most one,
//! the last, is shown to the control.

mod blocks;
mod transformer;

use anyhow::{Result, ensure};
use candle_core::Tensor;

use super::layers::{Backend, Bias, Conv, ConvSpec, GroupNorm, Linear, act, beside, recycle, then};
use crate::attention::{AttentionControl, Side};
use crate::model::spec::{Act, UnetSpec};
use crate::model::weights::Weights;
use crate::plan::settings::Precision;

use blocks::{Loader, Resnet};
use transformer::{Pass, Transformer};

/// The UNet.
pub struct Unet {
    spec: UnetSpec,
    backend: Backend,
    conv_in: Conv,
    time: (Linear, Linear),
    /// Of models that were taught how far words push, instead of being pushed.
    guidance: Option<Linear>,
    added: Option<(Linear, Linear)>,
    down: Vec<Level>,
    middle: Option<(Resnet, Option<Transformer>, Resnet)>,
    up: Vec<Level>,
    norm_out: GroupNorm,
    conv_out: Conv,
}

struct Level {
    resnets: Vec<Resnet>,
    attentions: Vec<Transformer>,
    resize: Option<Conv>,
}

/// What a call reads besides latents: text embeddings, and the second encoder's summary where the model wants one.
#[derive(Debug, Clone)]
pub struct Condition {
    /// `[batch, tokens, width]`.
    pub text: Tensor,
    /// `[batch, pooled width]`, and the six time ids, for SDXL-style models.
    pub added: Option<(Tensor, [f32; 6])>,
}

/// Keys and values of the text for every cross-attention layer: made once, used at every step of a run.
pub struct Prepared {
    text: Vec<(Tensor, Tensor)>,
    added: Option<Tensor>,
    batch: usize,
}

/// One call of the UNet within a run.
pub struct Call<'a> {
    /// Step of the run.
    pub step: usize,
    /// Training noise level; it may lie between two.
    pub level: f32,
    /// Whether the last sample of the batch reads the written prompt and is shown to the control.
    pub shown: bool,
    /// How far words push, for models that read it.
    pub guidance: Option<f64>,
    /// Rounding of what is carried.
    pub map_precision: Precision,
    /// Who watches.
    pub control: &'a mut dyn AttentionControl,
}

impl Unet {
    /// Reads the UNet's weights.
    ///
    /// # Errors
    /// Fails if a tensor is missing or of another shape, or the file holds tensors that no part here reads.
    pub fn load(w: &Weights, spec: UnetSpec, backend: &Backend) -> Result<Self> {
        let loader = Loader { w, spec: &spec, backend, time: spec.channels[0] * 4 };
        let c = spec.channels.clone();
        let linear = |name: &str, n: usize, m: usize| Linear::load(w, name, n, m, Bias::Yes, backend);
        let time = (
            linear("time_embedding.linear_1", c[0], c[0] * 4)?,
            linear("time_embedding.linear_2", c[0] * 4, c[0] * 4)?,
        );
        let added = match spec.added {
            Some((_, width)) => Some((
                linear("add_embedding.linear_1", width, c[0] * 4)?,
                linear("add_embedding.linear_2", c[0] * 4, c[0] * 4)?,
            )),
            None => None,
        };
        let guidance = match spec.guidance_embedding {
            Some(width) => Some(Linear::load(w, "time_embedding.cond_proj", width, c[0], Bias::No, backend)?),
            None => None,
        };
        let unet = Self {
            guidance,
            conv_in: Conv::load(w, "conv_in", ConvSpec::new(spec.in_channels, c[0], 3), backend)?,
            time,
            added,
            down: (0..c.len()).map(|i| loader.down(i)).collect::<Result<_>>()?,
            middle: loader.middle()?,
            up: (0..c.len()).map(|i| loader.up(i)).collect::<Result<_>>()?,
            norm_out: GroupNorm::load(w, "conv_norm_out", c[0], spec.groups, spec.eps, backend)?,
            conv_out: Conv::load(w, "conv_out", ConvSpec::new(c[0], spec.out_channels, 3), backend)?,
            backend: backend.clone(),
            spec,
        };
        let unread = w.unread();
        ensure!(
            unread.is_empty(),
            "the weights hold parts that are not built here: `{}`{}",
            unread[0],
            if unread.len() > 1 { format!(" and {} more", unread.len() - 1) } else { String::new() }
        );
        Ok(unet)
    }

    /// What the configuration says.
    #[must_use]
    pub fn spec(&self) -> &UnetSpec {
        &self.spec
    }

    /// How it computes.
    #[must_use]
    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// Grids that text maps have, with the number of layers on the way down and up, for a latent of this grid.
    #[must_use]
    pub fn text_grids(&self, (h, w): (usize, usize)) -> Vec<((usize, usize), usize)> {
        let levels = self.down.len();
        let of_level = |i: usize| {
            let both = self.down[i].attentions.iter().chain(&self.up[levels - 1 - i].attentions);
            let layers = both.map(Transformer::cross_layers).sum();
            ((h.div_ceil(1 << i), w.div_ceil(1 << i)), layers)
        };
        (0..levels).map(of_level).filter(|(_, layers)| *layers > 0).collect()
    }

    /// The sizes of self-attention layers for a latent of this grid, in pixels: each once, the largest first.
    #[must_use]
    pub fn own_sizes(&self, (h, w): (usize, usize)) -> Vec<usize> {
        let levels = self.down.len();
        let at = |i: usize| h.div_ceil(1 << i) * w.div_ceil(1 << i);
        let has = |all: &[Transformer]| all.iter().any(Transformer::has_self_attention);
        let middle = self.middle.as_ref().is_some_and(|(_, attention, _)| attention.is_some());
        let mut sizes: Vec<usize> = (0..levels)
            .filter(|i| has(&self.down[*i].attentions) || has(&self.up[levels - 1 - i].attentions))
            .chain(middle.then_some(levels - 1))
            .map(at)
            .collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        sizes.dedup();
        sizes
    }

    /// Makes keys and values of the text, and the embedding of what is added.
    ///
    /// # Errors
    /// Fails if the text has another width than the model reads.
    pub fn prepare(&self, condition: &Condition) -> Result<Prepared> {
        let width = condition.text.dim(2)?;
        ensure!(width == self.spec.context, "the text is {width} wide, but the UNet reads {}", self.spec.context);
        let mut text = Vec::new();
        for transformer in self.transformers() {
            transformer.prepare(&condition.text, &mut text)?;
        }
        let added = match (&self.added, &condition.added, self.spec.added) {
            (Some((one, two)), Some((pooled, ids)), Some((width, _))) => {
                let batch = pooled.dim(0)?;
                let ids: Vec<f32> = ids.iter().flat_map(|id| self.sinusoid(f64::from(*id), width)).collect();
                let ids = self.backend.tensor(ids, (1, 6 * width))?.broadcast_as((batch, 6 * width))?;
                let inputs = Tensor::cat(&[pooled, &ids.contiguous()?], 1)?;
                Some(two.forward(&one.forward_with(&inputs, Some(Act::Silu), None)?)?)
            }
            (None, _, _) => None,
            _ => anyhow::bail!("the model needs a pooled embedding and time ids besides the text"),
        };
        Ok(Prepared { text, added, batch: condition.text.dim(0)? })
    }

    fn transformers(&self) -> impl Iterator<Item = &Transformer> {
        let down = self.down.iter().flat_map(|l| &l.attentions);
        let up = self.up.iter().flat_map(|l| &l.attentions);
        let middle = self.middle.iter().filter_map(|(_, attention, _)| attention.as_ref());
        down.chain(middle).chain(up)
    }

    /// A number as sines and cosines of geometric frequencies.
    fn sinusoid(&self, position: f64, width: usize) -> Vec<f32> {
        let half = width / 2;
        let rate = -(10_000f32.ln()) / (half as f32 - self.spec.freq_shift as f32);
        let angles: Vec<f32> = (0..half).map(|i| position as f32 * (rate * i as f32).exp()).collect();
        let sines = angles.iter().map(|a| a.sin());
        let cosines = angles.iter().map(|a| a.cos());
        if self.spec.flip_sin_to_cos { cosines.chain(sines).collect() } else { sines.chain(cosines).collect() }
    }

    /// Predicts from latents, `[batch, h, w, channels]`, to the same shape.
    ///
    /// # Errors
    /// Fails if the text was prepared for another batch, or the control fails.
    pub fn forward(&self, latents: &Tensor, text: &Prepared, call: Call<'_>) -> candle_core::Result<Tensor> {
        let (batch, h, w, _) = latents.dims4()?;
        if text.batch != batch {
            candle_core::bail!("BUG: the text was prepared for {} samples, the latents are {batch}", text.batch);
        }
        let scale = 1 << (self.spec.channels.len() - 1);
        if h % scale != 0 || w % scale != 0 {
            candle_core::bail!("a latent of {w}x{h} does not halve {} times", self.spec.channels.len() - 1);
        }
        let width = self.spec.channels[0];
        let mut time = self.backend.tensor(self.sinusoid(f64::from(call.level), width), (1, width))?;
        if let (Some(projection), Some(scale)) = (&self.guidance, call.guidance) {
            let width = self.spec.guidance_embedding.unwrap_or(0);
            let embedded = self.backend.tensor(embedded_guidance(scale, width), (1, width))?;
            time = (time + projection.forward(&embedded)?)?;
        }
        let time = self.time.1.forward(&self.time.0.forward_with(&time, Some(Act::Silu), None)?)?;
        let time = match &text.added {
            Some(added) => time.broadcast_add(added)?,
            None => time,
        };
        let time = act(&time, Act::Silu, Some(&self.backend))?;
        let x = if self.spec.center_input { ((latents * 2.0)? - 1.0)? } else { latents.clone() };

        let mut pass = Pass::new(call, &text.text, &self.backend);
        let mut x = self.conv_in.forward(&x)?;
        let mut skips = vec![x.clone()];
        pass.side = Side::Down;
        for level in &self.down {
            for (i, resnet) in level.resnets.iter().enumerate() {
                x = resnet.forward(&x, &time)?;
                if let Some(transformer) = level.attentions.get(i) {
                    x = then(x, |x| transformer.forward(x, &mut pass))?;
                }
                skips.push(x.clone());
            }
            if let Some(conv) = &level.resize {
                x = conv.forward(&x)?;
                skips.push(x.clone());
            }
        }
        pass.side = Side::Middle;
        if let Some((first, transformer, second)) = &self.middle {
            x = first.forward(&x, &time)?;
            if let Some(transformer) = transformer {
                x = then(x, |x| transformer.forward(x, &mut pass))?;
            }
            x = then(x, |x| second.forward(x, &time))?;
        }
        pass.side = Side::Up;
        for level in &self.up {
            for (i, resnet) in level.resnets.iter().enumerate() {
                let Some(skip) = skips.pop() else {
                    candle_core::bail!("BUG: the way up has more blocks than the way down left skips");
                };
                x = then(x, |x| beside(x, &skip, &self.backend))?;
                recycle(skip);
                x = then(x, |x| resnet.forward(x, &time))?;
                if let Some(transformer) = level.attentions.get(i) {
                    x = then(x, |x| transformer.forward(x, &mut pass))?;
                }
            }
            if let Some(conv) = &level.resize {
                x = then(x, |x| conv.forward(x))?;
            }
        }
        then(self.norm_out.forward_over(x, true)?, |x| self.conv_out.forward(x))
    }
}

/// How far words push, as a model reads it that was distilled from guided ones (Luo et al. 2023): sines, then cosines.
fn embedded_guidance(scale: f64, width: usize) -> Vec<f32> {
    let half = width / 2;
    let rate = -(10_000f64.ln()) / (half.max(2) - 1) as f64;
    let angles: Vec<f64> = (0..half).map(|i| 1000.0 * (scale - 1.0) * (rate * i as f64).exp()).collect();
    angles.iter().map(|a| a.sin() as f32).chain(angles.iter().map(|a| a.cos() as f32)).collect()
}
