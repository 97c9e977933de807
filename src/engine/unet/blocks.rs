//! ResNet blocks, and how the levels are read from weights.

use anyhow::Result;
use candle_core::Tensor;

use super::super::layers::{Backend, Bias, Conv, ConvSpec, GroupNorm, Linear, Resample, then};
use super::{Level, transformer::Transformer};
use crate::model::spec::{Middle, UnetSpec};
use crate::model::weights::Weights;

/// Two convolutions with the time embedding in between, and a way round them.
pub(super) struct Resnet {
    norm_1: GroupNorm,
    conv_1: Conv,
    time: Linear,
    norm_2: GroupNorm,
    conv_2: Conv,
    shortcut: Option<Conv>,
    /// What the sum is divided by; 1 everywhere but in some middles.
    scale: f64,
}

impl Resnet {
    /// `[batch, h, w, inputs]` to `[batch, h, w, outputs]`; `time` is `[1 or batch, width]`, after SiLU.
    pub(super) fn forward(&self, x: &Tensor, time: &Tensor) -> candle_core::Result<Tensor> {
        let time = self.time.forward(time)?;
        let time = time.broadcast_as((x.dim(0)?, time.dim(1)?))?.contiguous()?;
        let h = then(self.norm_1.forward(x, true)?, |n| self.conv_1.forward_with(n, Some(&time), None))?;
        let h = self.norm_2.forward_over(h, true)?;
        let sum = then(h, |h| match &self.shortcut {
            Some(conv) => then(conv.forward(x)?, |way_round| self.conv_2.forward_with(h, None, Some(way_round))),
            None => self.conv_2.forward_with(h, None, Some(x)),
        })?;
        if self.scale == 1.0 { Ok(sum) } else { sum / self.scale }
    }
}

/// What the parts of the UNet are read with.
pub(super) struct Loader<'a> {
    pub(super) w: &'a Weights,
    pub(super) spec: &'a UnetSpec,
    pub(super) backend: &'a Backend,
    /// Width of the time embedding.
    pub(super) time: usize,
}

impl Loader<'_> {
    /// Rows of a level's grid at the model's own size.
    fn rows(&self, level: usize) -> usize {
        self.spec.sample_size >> level
    }

    fn resnet(&self, name: &str, level: usize, inputs: usize, scale: f64) -> Result<Resnet> {
        let outputs = self.spec.channels[level];
        let conv = |part: &str, n: usize, side: usize| {
            let spec = ConvSpec::new(n, outputs, side).rows(self.rows(level));
            Conv::load(self.w, &format!("{name}.{part}"), spec, self.backend)
        };
        let norm = |part: &str, n: usize| {
            GroupNorm::load(self.w, &format!("{name}.{part}"), n, self.spec.groups, self.spec.eps, self.backend)
        };
        Ok(Resnet {
            norm_1: norm("norm1", inputs)?,
            conv_1: conv("conv1", inputs, 3)?,
            time: Linear::load(self.w, &format!("{name}.time_emb_proj"), self.time, outputs, Bias::Yes, self.backend)?,
            norm_2: norm("norm2", outputs)?,
            conv_2: conv("conv2", outputs, 3)?,
            shortcut: if inputs == outputs { None } else { Some(conv("conv_shortcut", inputs, 1)?) },
            scale,
        })
    }

    fn transformer(&self, name: &str, level: usize, only_cross: bool) -> Result<Transformer> {
        Transformer::load(self.w, name, self.spec, (level, only_cross), self.backend)
    }

    /// A level of the way down.
    pub(super) fn down(&self, i: usize) -> Result<Level> {
        let c = &self.spec.channels;
        let (inputs, outputs) = (c[i.saturating_sub(1)], c[i]);
        let name = format!("down_blocks.{i}");
        let layers = self.spec.layers[i];
        let resnet =
            |j: usize| self.resnet(&format!("{name}.resnets.{j}"), i, if j == 0 { inputs } else { outputs }, 1.0);
        let attends = if self.spec.down_attends[i] { layers } else { 0 };
        let resize = if i + 1 < c.len() {
            let spec = ConvSpec::new(outputs, outputs, 3).step(Resample::Halve);
            Some(Conv::load(self.w, &format!("{name}.downsamplers.0.conv"), spec, self.backend)?)
        } else {
            None
        };
        Ok(Level {
            resnets: (0..layers).map(resnet).collect::<Result<_>>()?,
            attentions: (0..attends)
                .map(|j| self.transformer(&format!("{name}.attentions.{j}"), i, self.spec.only_cross[i]))
                .collect::<Result<_>>()?,
            resize,
        })
    }

    /// The middle, if there is one.
    pub(super) fn middle(&self) -> Result<Option<(Resnet, Option<Transformer>, Resnet)>> {
        let last = self.spec.channels.len() - 1;
        let c = self.spec.channels[last];
        let resnet = |j: usize| self.resnet(&format!("mid_block.resnets.{j}"), last, c, self.spec.mid_scale);
        let transformer = match self.spec.middle {
            Middle::None => return Ok(None),
            Middle::Plain => None,
            Middle::Attends => Some(self.transformer("mid_block.attentions.0", last, false)?),
        };
        Ok(Some((resnet(0)?, transformer, resnet(1)?)))
    }

    /// A level of the way up, counted from the lowest.
    pub(super) fn up(&self, i: usize) -> Result<Level> {
        let c: Vec<usize> = self.spec.channels.iter().rev().copied().collect();
        let level = c.len() - 1 - i;
        let outputs = c[i];
        let before = c[i.saturating_sub(1)];
        let below = c[(i + 1).min(c.len() - 1)];
        let name = format!("up_blocks.{i}");
        let layers = self.spec.layers[level] + 1;
        let resnet = |j: usize| {
            let skip = if j + 1 == layers { below } else { outputs };
            let inputs = if j == 0 { before } else { outputs };
            self.resnet(&format!("{name}.resnets.{j}"), level, inputs + skip, 1.0)
        };
        let attends = if self.spec.up_attends[i] { layers } else { 0 };
        let resize = if i + 1 < c.len() {
            let spec = ConvSpec::new(outputs, outputs, 3).step(Resample::Double).rows(self.rows(level - 1));
            Some(Conv::load(self.w, &format!("{name}.upsamplers.0.conv"), spec, self.backend)?)
        } else {
            None
        };
        Ok(Level {
            resnets: (0..layers).map(resnet).collect::<Result<_>>()?,
            attentions: (0..attends)
                .map(|j| self.transformer(&format!("{name}.attentions.{j}"), level, self.spec.only_cross[level]))
                .collect::<Result<_>>()?,
            resize,
        })
    }
}
