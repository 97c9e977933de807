//! The autoencoders of Stable Diffusion (`AutoencoderKL`) and of its forerunner (`VQModel`): ResNets, and attention in the
//! middle.

use std::sync::Arc;

use anyhow::Result;
use candle_core::Tensor;

use super::super::layers::{
    Backend, Bands, Bias, Conv, ConvSpec, GroupNorm, Linear, Resample, attention, forget_buffers, recycle, then,
};
use super::super::on_demand::OnDemand;
use crate::model::spec::FullVaeSpec;
use crate::model::weights::Weights;

const EPS: f64 = 1e-6;

/// Results of more values than this (64 MiB) come in bands.
const BANDED: usize = 16 << 20;

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
    levels: Vec<OnDemand<Level>>,
    middle: OnDemand<Middle>,
    norm_out: GroupNorm,
    conv_out: Conv,
    /// Results of more values than this come in bands.
    banded: usize,
}

/// What goes from layer to layer.
enum Grid {
    Whole(Tensor),
    Banded(Bands),
}

struct Middle {
    first: Resnet,
    attention: Option<Attention>,
    second: Resnet,
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

/// How the layers of a half are called, and what becomes of the grid between its levels.
struct HalfNames {
    part: &'static str,
    blocks: &'static str,
    resize: (&'static str, Resample),
}

/// Reads layers, now or later.
#[derive(Clone)]
struct Loader {
    w: Arc<Weights>,
    spec: FullVaeSpec,
    backend: Backend,
    /// Rows that grids have; none of the encoder's, which runs at most once a session: memory is worth more there than time.
    rows: usize,
    banded: usize,
}

impl Loader {
    fn conv(&self, name: &str, inputs: usize, outputs: usize, side: usize) -> Result<Conv> {
        Conv::load(&self.w, name, ConvSpec::new(inputs, outputs, side).rows(self.rows), &self.backend)
    }

    /// A convolution that changes the grid.
    fn resize(&self, name: &str, channels: usize, step: Resample) -> Result<Conv> {
        Conv::load(&self.w, name, ConvSpec::new(channels, channels, 3).step(step), &self.backend)
    }

    fn norm(&self, name: &str, channels: usize) -> Result<GroupNorm> {
        GroupNorm::load(&self.w, name, channels, self.spec.groups, EPS, &self.backend)
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
            Linear::load(&self.w, &name, channels, channels, Bias::Yes, &self.backend)
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

    fn middle(&self, name: &str, channels: usize) -> Result<Middle> {
        let attention =
            if self.spec.mid_attends { Some(self.attention(&format!("{name}.attentions.0"), channels)?) } else { None };
        Ok(Middle {
            first: self.resnet(&format!("{name}.resnets.0"), channels, channels)?,
            attention,
            second: self.resnet(&format!("{name}.resnets.1"), channels, channels)?,
        })
    }

    /// A level of `layers` ResNets, and the convolution that changes the grid after it, if one does.
    fn level(
        &self,
        name: &str,
        (inputs, outputs): (usize, usize),
        layers: usize,
        resize: Option<(&str, Resample)>,
    ) -> Result<Level> {
        let resnet =
            |j: usize| self.resnet(&format!("{name}.resnets.{j}"), if j == 0 { inputs } else { outputs }, outputs);
        Ok(Level {
            resnets: (0..layers).map(resnet).collect::<Result<_>>()?,
            resize: resize.map(|(at, step)| self.resize(&format!("{name}.{at}.0.conv"), outputs, step)).transpose()?,
        })
    }

    /// One half: its levels' channels, and what its convolutions at the ends take in and put out.
    fn half(
        self,
        HalfNames { part, blocks, resize }: HalfNames,
        (channels, resnets): (Vec<usize>, usize),
        (entering, leaving): (usize, usize),
        of_middle: usize,
    ) -> Result<Half> {
        let (first, last) = (channels[0], channels[channels.len() - 1]);
        let is_large = self.w.is_large();
        let level = |i: usize| {
            let (loader, name) = (self.clone(), format!("{part}.{blocks}.{i}"));
            let through = (channels[i.saturating_sub(1)], channels[i]);
            let resize = (i + 1 < channels.len()).then_some(resize);
            OnDemand::new(is_large, move || loader.level(&name, through, resnets, resize))
        };
        let middle = self.clone();
        Ok(Half {
            banded: self.banded,
            conv_in: self.conv(&format!("{part}.conv_in"), entering, first, 3)?,
            levels: (0..channels.len()).map(level).collect::<Result<_>>()?,
            middle: OnDemand::new(is_large, move || middle.middle(&format!("{part}.mid_block"), of_middle))?,
            norm_out: self.norm(&format!("{part}.conv_norm_out"), last)?,
            conv_out: self.conv(&format!("{part}.conv_out"), last, leaving, 3)?,
        })
    }

    fn encoder(self) -> Result<Half> {
        let (channels, n) = (self.spec.channels.clone(), self.spec.inner);
        let (leaving, last) = (if self.spec.codes.is_some() { n } else { 2 * n }, channels[channels.len() - 1]);
        let resize = ("downsamplers", Resample::HalvePadAfter);
        let (names, resnets) = (HalfNames { part: "encoder", blocks: "down_blocks", resize }, self.spec.layers);
        self.half(names, (channels, resnets), (3, leaving), last)
    }

    fn decoder(self) -> Result<Half> {
        let channels: Vec<usize> = self.spec.channels.iter().rev().copied().collect();
        let (entering, first) = (self.spec.inner, channels[0]);
        let resize = ("upsamplers", Resample::Double);
        let (names, resnets) = (HalfNames { part: "decoder", blocks: "up_blocks", resize }, self.spec.layers + 1);
        self.half(names, (channels, resnets), (entering, 3), first)
    }
}

impl Full {
    pub(super) fn load(w: Weights, spec: &FullVaeSpec, backend: &Backend) -> Result<Self> {
        // Only kernels give rows the same bits whatever they are computed with, and gradients run through plain operations.
        let banded = if backend.precision().is_some() { BANDED } else { usize::MAX };
        Self::load_banded(w, spec, backend, banded)
    }

    fn load_banded(w: Weights, spec: &FullVaeSpec, backend: &Backend, banded: usize) -> Result<Self> {
        let n = spec.inner;
        let (w, backend) = (Arc::new(w), backend.clone());
        let loader = Loader { w: w.clone(), spec: spec.clone(), backend: backend.clone(), rows: usize::MAX, banded };
        // What the encoder puts out, and what the decoder is given.
        let (out, given) = spec.codes.map_or((2 * n, n), |(_, width)| (width, width));
        let encoded = if spec.codes.is_some() { n } else { 2 * n };
        let quant = if spec.quant_conv { Some(loader.conv("quant_conv", encoded, out, 1)?) } else { None };
        let post_quant = if spec.post_quant_conv { Some(loader.conv("post_quant_conv", given, n, 1)?) } else { None };
        let codes = match spec.codes {
            Some((count, width)) => {
                let values = w.values("quantize.embedding.weight", &[count, width])?;
                Some(Codes { width, values, backend })
            }
            None => None,
        };
        let encoder = Loader { rows: 0, ..loader.clone() }.encoder()?;
        Ok(Self { encoder, decoder: loader.decoder()?, quant, post_quant, moments: codes.is_none(), codes })
    }

    pub(super) fn decode(&self, latent: Tensor) -> Result<Tensor> {
        let mut x = match &self.codes {
            Some(codes) => codes.nearest(&latent)?,
            None => latent,
        };
        if let Some(conv) = &self.post_quant {
            x = conv.forward(&x)?;
        }
        let half = &self.decoder;
        x = half.pass_middle(half.conv_in.forward(&x)?)?;
        let x = half.pass_levels(Grid::Whole(x))?;
        Ok(half.leave(x)?)
    }

    pub(super) fn encode(&self, picture: &Tensor) -> Result<(Tensor, Option<Tensor>)> {
        let half = &self.encoder;
        let x = half.pass_levels(half.convolved(picture, &half.conv_in)?)?.whole()?;
        let mut x = half.leave(Grid::Whole(half.pass_middle(x)?))?;
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

impl Grid {
    fn whole(self) -> candle_core::Result<Tensor> {
        match self {
            Self::Whole(x) => Ok(x),
            Self::Banded(bands) => bands.joined(),
        }
    }
}

impl Half {
    /// What a convolution makes of a whole picture.
    fn convolved(&self, x: &Tensor, conv: &Conv) -> candle_core::Result<Grid> {
        let (batch, height, width, channels) = conv.output(x)?;
        if batch == 1 && conv.keeps_or_doubles() && height * width * channels > self.banded {
            return Ok(Grid::Banded(Bands::convolved(x, conv, self.banded / 8)?));
        }
        conv.forward(x).map(Grid::Whole)
    }

    fn pass_levels(&self, mut x: Grid) -> Result<Grid> {
        for on_demand in &self.levels {
            let level = on_demand.get()?;
            for resnet in &level.resnets {
                x = match x {
                    Grid::Whole(x) => Grid::Whole(resnet.forward(x)?),
                    Grid::Banded(bands) => {
                        let bands = resnet.forward_bands(bands)?;
                        // The C library keeps what bands lay in, for others of exactly their size.
                        wordbrush_kernels::release_free_memory();
                        Grid::Banded(bands)
                    }
                };
            }
            if let Some(conv) = &level.resize {
                x = self.resized(x, conv)?;
            }
            drop(level);
            on_demand.rest();
        }
        Ok(x)
    }

    /// What the convolution between two levels makes of a picture.
    fn resized(&self, x: Grid, conv: &Conv) -> candle_core::Result<Grid> {
        if matches!(x, Grid::Banded(_)) {
            forget_buffers(); // the next level's are of other sizes
        }
        match x {
            Grid::Banded(bands) if conv.keeps_or_doubles() => bands.doubled(conv).map(Grid::Banded),
            x => {
                let x = x.whole()?;
                let next = self.convolved(&x, conv)?;
                recycle(x);
                Ok(next)
            }
        }
    }

    fn pass_middle(&self, x: Tensor) -> Result<Tensor> {
        let Middle { first, attention, second } = &*self.middle.get()?;
        let mut x = first.forward(x)?;
        if let Some(attention) = attention {
            x = attention.forward(&x)?;
        }
        let x = second.forward(x)?;
        self.middle.rest();
        Ok(x)
    }

    fn leave(&self, x: Grid) -> candle_core::Result<Tensor> {
        match x {
            Grid::Whole(x) => then(self.norm_out.forward_over(x, true)?, |x| self.conv_out.forward(x)),
            Grid::Banded(bands) => {
                let norm = bands.sums(&self.norm_out)?;
                bands.convolved_after(&norm, &self.conv_out, None)?.joined()
            }
        }
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

    /// The same of one in bands.
    fn forward_bands(&self, x: Bands) -> candle_core::Result<Bands> {
        let norm = x.sums(&self.norm_1)?;
        let mut way_round = Vec::new();
        let h = x.map(|window| {
            let h = window.normalised(&norm, &self.conv_1, None)?;
            way_round.push(match &self.shortcut {
                Some(conv) => conv.forward(&window.band)?,
                None => window.band,
            });
            Ok(h)
        })?;
        let norm = h.sums(&self.norm_2)?;
        h.convolved_after(&norm, &self.conv_2, Some(way_round))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::noise;
    use crate::model::random::Random;
    use crate::model::spec::{ModelSpec, VaeKind};
    use wordbrush_kernels::Precision;

    #[test]
    fn a_picture_in_bands_has_the_bits_of_a_whole_one_both_ways() {
        let spec = ModelSpec::read(&Random::Sd15).unwrap();
        let VaeKind::Full(kind) = &spec.vae.kind else { panic!("another autoencoder") };
        let device = candle_core::Device::Cpu;
        let latent = Tensor::from_vec(noise::normal(1, 10 * 8 * 4), (1, 10, 8, 4), &device).unwrap();
        let picture = Tensor::from_vec(noise::normal(2, 80 * 64 * 3), (1, 80, 64, 3), &device).unwrap();
        let backend = Backend::Kernels(Precision::Bf16);
        let by = |banded: usize| {
            let w = Weights::open(&Random::Sd15, "vae").unwrap();
            let full = Full::load_banded(w, kind, &backend, banded).unwrap();
            let is_banded = |half: &Half, x: &Tensor| matches!(half.convolved(x, &half.conv_in), Ok(Grid::Banded(_)));
            assert_eq!(is_banded(&full.encoder, &picture), banded < usize::MAX);
            let (mean, variance) = full.encode(&picture).unwrap();
            [full.decode(latent.clone()).unwrap(), mean, variance.unwrap()]
        };
        for (whole, banded) in by(usize::MAX).iter().zip(by(80 * 64 * 64)) {
            let bits = |x: &Tensor| -> Vec<u32> {
                x.flatten_all().unwrap().to_vec1::<f32>().unwrap().iter().map(|x| x.to_bits()).collect()
            };
            assert_eq!(whole.dims(), banded.dims());
            assert!(bits(whole) == bits(&banded), "bits differ");
        }
    }
}
