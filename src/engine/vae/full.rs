//! The autoencoders of Stable Diffusion (`AutoencoderKL`) and of its forerunner (`VQModel`): ResNets, and attention in the
//! middle.

use anyhow::Result;
use candle_core::Tensor;

use super::super::layers::{Backend, Bias, Conv, ConvSpec, GroupNorm, Linear, Resample, attention, then};
use crate::model::spec::FullVaeSpec;
use crate::model::weights::Weights;

const EPS: f64 = 1e-6;

/// Networks of both directions.
pub(super) struct Full {
    encoder: Half,
    decoder: Half,
    quant: Option<Conv>,
    post_quant: Option<Conv>,
    codes: Option<Codes>,
    /// Whether the encoder gives mean and log-variance.
    moments: bool,
}

/// The vectors that a latent's are replaced with before it is decoded.
struct Codes {
    width: usize,
    values: Vec<f32>,
    backend: Backend,
}

/// Encoder or decoder: an entrance, levels, a middle that runs before (decoder) or after (encoder) them, an exit.
struct Half {
    conv_in: Conv,
    levels: Vec<Level>,
    middle: (Resnet, Option<Attention>, Resnet),
    norm_out: GroupNorm,
    conv_out: Conv,
}

struct Level {
    resnets: Vec<Resnet>,
    resize: Option<Conv>,
}

struct Resnet {
    norm_1: GroupNorm,
    conv_1: Conv,
    norm_2: GroupNorm,
    conv_2: Conv,
    shortcut: Option<Conv>,
}

struct Attention {
    norm: GroupNorm,
    q: Linear,
    k: Linear,
    v: Linear,
    out: Linear,
    backend: Backend,
}

#[derive(Clone, Copy)]
struct Loader<'a> {
    w: &'a Weights,
    spec: &'a FullVaeSpec,
    /// Channels of the latent.
    latent: usize,
    backend: &'a Backend,
    /// Rows that grids have; none of the encoder's, which runs at most once a session: memory is worth more there than time.
    rows: usize,
}

impl Loader<'_> {
    fn conv(&self, name: &str, inputs: usize, outputs: usize, side: usize) -> Result<Conv> {
        Conv::load(self.w, name, ConvSpec::new(inputs, outputs, side).rows(self.rows), self.backend)
    }

    /// A convolution that changes the grid.
    fn resize(&self, name: &str, channels: usize, step: Resample) -> Result<Conv> {
        Conv::load(self.w, name, ConvSpec::new(channels, channels, 3).step(step), self.backend)
    }

    fn norm(&self, name: &str, channels: usize) -> Result<GroupNorm> {
        GroupNorm::load(self.w, name, channels, self.spec.groups, EPS, self.backend)
    }

    fn resnet(&self, name: &str, inputs: usize, outputs: usize) -> Result<Resnet> {
        let shortcut = if inputs == outputs {
            None
        } else {
            Some(self.conv(&format!("{name}.conv_shortcut"), inputs, outputs, 1)?)
        };
        Ok(Resnet {
            norm_1: self.norm(&format!("{name}.norm1"), inputs)?,
            conv_1: self.conv(&format!("{name}.conv1"), inputs, outputs, 3)?,
            norm_2: self.norm(&format!("{name}.norm2"), outputs)?,
            conv_2: self.conv(&format!("{name}.conv2"), outputs, outputs, 3)?,
            shortcut,
        })
    }

    /// The middle's attention, under its present names or its older ones.
    fn attention(&self, name: &str, channels: usize) -> Result<Attention> {
        let linear = |new: &str, old: &str| -> Result<Linear> {
            let name = if self.w.has(&format!("{name}.{new}.weight")) {
                format!("{name}.{new}")
            } else {
                format!("{name}.{old}")
            };
            Linear::load(self.w, &name, channels, channels, Bias::Yes, self.backend)
        };
        Ok(Attention {
            norm: self.norm(&format!("{name}.group_norm"), channels)?,
            q: linear("to_q", "query")?,
            k: linear("to_k", "key")?,
            v: linear("to_v", "value")?,
            out: linear("to_out.0", "proj_attn")?,
            backend: self.backend.clone(),
        })
    }

    fn middle(&self, name: &str, channels: usize) -> Result<(Resnet, Option<Attention>, Resnet)> {
        let attention =
            if self.spec.mid_attends { Some(self.attention(&format!("{name}.attentions.0"), channels)?) } else { None };
        Ok((
            self.resnet(&format!("{name}.resnets.0"), channels, channels)?,
            attention,
            self.resnet(&format!("{name}.resnets.1"), channels, channels)?,
        ))
    }

    fn encoder(&self) -> Result<Half> {
        let c = &self.spec.channels;
        let last = c[c.len() - 1];
        let mut levels = Vec::new();
        for (i, &outputs) in c.iter().enumerate() {
            let inputs = c[i.saturating_sub(1)];
            let resnet = |j: usize| {
                self.resnet(
                    &format!("encoder.down_blocks.{i}.resnets.{j}"),
                    if j == 0 { inputs } else { outputs },
                    outputs,
                )
            };
            let resize = if i + 1 < c.len() {
                let name = format!("encoder.down_blocks.{i}.downsamplers.0.conv");
                Some(self.resize(&name, outputs, Resample::HalvePadAfter)?)
            } else {
                None
            };
            levels.push(Level { resnets: (0..self.spec.layers).map(resnet).collect::<Result<_>>()?, resize });
        }
        Ok(Half {
            conv_in: self.conv("encoder.conv_in", 3, c[0], 3)?,
            levels,
            middle: self.middle("encoder.mid_block", last)?,
            norm_out: self.norm("encoder.conv_norm_out", last)?,
            conv_out: self.conv(
                "encoder.conv_out",
                last,
                if self.spec.codes.is_some() { self.latent } else { 2 * self.latent },
                3,
            )?,
        })
    }

    fn decoder(&self) -> Result<Half> {
        let c: Vec<usize> = self.spec.channels.iter().rev().copied().collect();
        let mut levels = Vec::new();
        for (i, &outputs) in c.iter().enumerate() {
            let inputs = c[i.saturating_sub(1)];
            let resnet = |j: usize| {
                self.resnet(
                    &format!("decoder.up_blocks.{i}.resnets.{j}"),
                    if j == 0 { inputs } else { outputs },
                    outputs,
                )
            };
            let resize = if i + 1 < c.len() {
                let name = format!("decoder.up_blocks.{i}.upsamplers.0.conv");
                Some(self.resize(&name, outputs, Resample::Double)?)
            } else {
                None
            };
            levels.push(Level { resnets: (0..=self.spec.layers).map(resnet).collect::<Result<_>>()?, resize });
        }
        let last = c[c.len() - 1];
        Ok(Half {
            conv_in: self.conv("decoder.conv_in", self.latent, c[0], 3)?,
            levels,
            middle: self.middle("decoder.mid_block", c[0])?,
            norm_out: self.norm("decoder.conv_norm_out", last)?,
            conv_out: self.conv("decoder.conv_out", last, 3, 3)?,
        })
    }
}

impl Full {
    pub(super) fn load(w: &Weights, spec: &FullVaeSpec, backend: &Backend) -> Result<Self> {
        let n = spec.inner;
        let loader = Loader { w, spec, latent: n, backend, rows: usize::MAX };
        // What the encoder puts out, and what the decoder is given.
        let (out, given) = spec.codes.map_or((2 * n, n), |(_, width)| (width, width));
        let encoded = if spec.codes.is_some() { n } else { 2 * n };
        let quant = if spec.quant_conv { Some(loader.conv("quant_conv", encoded, out, 1)?) } else { None };
        let post_quant = if spec.post_quant_conv { Some(loader.conv("post_quant_conv", given, n, 1)?) } else { None };
        let codes = match spec.codes {
            Some((count, width)) => {
                let values = w.values("quantize.embedding.weight", &[count, width])?;
                Some(Codes { width, values, backend: backend.clone() })
            }
            None => None,
        };
        let encoder = Loader { rows: 0, ..loader }.encoder()?;
        Ok(Self { encoder, decoder: loader.decoder()?, quant, post_quant, moments: codes.is_none(), codes })
    }

    pub(super) fn decode(&self, latent: Tensor) -> candle_core::Result<Tensor> {
        let mut x = match &self.codes {
            Some(codes) => codes.nearest(&latent)?,
            None => latent,
        };
        if let Some(conv) = &self.post_quant {
            x = conv.forward(&x)?;
        }
        let half = &self.decoder;
        x = half.pass_middle(half.conv_in.forward(&x)?)?;
        x = half.pass_levels(x)?;
        half.leave(x)
    }

    pub(super) fn encode(&self, picture: &Tensor) -> candle_core::Result<(Tensor, Option<Tensor>)> {
        let half = &self.encoder;
        let x = half.pass_levels(half.conv_in.forward(picture)?)?;
        let mut x = half.leave(half.pass_middle(x)?)?;
        if let Some(conv) = &self.quant {
            x = conv.forward(&x)?;
        }
        if !self.moments {
            return Ok((x, None));
        }
        let n = x.dim(3)? / 2;
        Ok((x.narrow(3, 0, n)?.contiguous()?, Some(x.narrow(3, n, n)?.contiguous()?.clamp(-30.0, 20.0)?)))
    }
}

impl Codes {
    /// Each vector's nearest code; of two as near, the first.
    fn nearest(&self, latent: &Tensor) -> candle_core::Result<Tensor> {
        let values = latent.flatten_all()?.to_dtype(candle_core::DType::F32)?.to_vec1::<f32>()?;
        let mut out = Vec::with_capacity(values.len());
        for vector in values.chunks_exact(self.width) {
            let distance = |code: &[f32]| code.iter().zip(vector).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
            let mut best: Option<(f64, &[f32])> = None;
            for code in self.values.chunks_exact(self.width) {
                let d = distance(code);
                if best.is_none_or(|(least, _)| d < least) {
                    best = Some((d, code));
                }
            }
            out.extend_from_slice(best.map_or(vector, |(_, code)| code));
        }
        self.backend.tensor(out, latent.dims())
    }
}

impl Half {
    fn pass_levels(&self, mut x: Tensor) -> candle_core::Result<Tensor> {
        for level in &self.levels {
            for resnet in &level.resnets {
                x = resnet.forward(x)?;
            }
            if let Some(conv) = &level.resize {
                x = then(x, |x| conv.forward(x))?;
            }
        }
        Ok(x)
    }

    fn pass_middle(&self, x: Tensor) -> candle_core::Result<Tensor> {
        let (first, attention, second) = &self.middle;
        let mut x = first.forward(x)?;
        if let Some(attention) = attention {
            x = attention.forward(&x)?;
        }
        second.forward(x)
    }

    fn leave(&self, x: Tensor) -> candle_core::Result<Tensor> {
        then(self.norm_out.forward_over(x, true)?, |x| self.conv_out.forward(x))
    }
}

impl Resnet {
    /// Of a picture that nobody else reads: at full size each result less is a lot of memory.
    fn forward(&self, x: Tensor) -> candle_core::Result<Tensor> {
        let (n, way_round) = match &self.shortcut {
            Some(conv) => {
                let way_round = conv.forward(&x)?;
                (self.norm_1.forward_over(x, true)?, way_round)
            }
            None => (self.norm_1.forward(&x, true)?, x),
        };
        let h = then(n, |n| self.conv_1.forward(n))?;
        let h = self.norm_2.forward_over(h, true)?;
        then(way_round, |way_round| then(h, |h| self.conv_2.forward_with(h, None, Some(way_round))))
    }
}

impl Attention {
    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let (batch, h, w, c) = x.dims4()?;
        let flat = x.reshape((batch, h * w, c))?;
        let n = self.norm.forward(&flat, false)?;
        let (q, k, v) = (self.q.forward(&n)?, self.k.forward(&n)?, self.v.forward(&n)?);
        let a = attention((&q, &k, &v), 1, false, &self.backend)?;
        self.out.forward_with(&a, None, Some(&flat))?.reshape((batch, h, w, c))
    }
}
