//! The tiny autoencoder (TAESD, `AutoencoderTiny`): convolutions and ReLU, made to look like the full one in a
//! twentieth of its time.

use anyhow::Result;
use candle_core::Tensor;

use super::super::layers::{Backend, Conv, ConvSpec, Resample, act, then};
use crate::model::spec::{Act, TinyVaeSpec, VaeSpec};
use crate::model::weights::Weights;

/// Networks of both directions: layers one after the other, counted as their files count them.
pub(super) struct Tiny {
    encoder: Vec<Layer>,
    decoder: Vec<Layer>,
    backend: Backend,
}

enum Layer {
    Conv(Conv),
    /// Three convolutions, and a way round them.
    Block(Box<[Conv; 3]>),
}

struct Loader<'a> {
    w: &'a Weights,
    half: &'static str,
    channels: usize,
    backend: &'a Backend,
    layers: Vec<Layer>,
    /// The next layer's number in the file.
    next: usize,
}

impl Loader<'_> {
    fn conv(&mut self, spec: ConvSpec) -> Result<()> {
        let name = format!("{}.layers.{}", self.half, self.next);
        self.layers.push(Layer::Conv(Conv::load(self.w, &name, spec, self.backend)?));
        self.next += 1;
        Ok(())
    }

    fn blocks(&mut self, count: usize) -> Result<()> {
        for _ in 0..count {
            let c = self.channels;
            let conv = |part: usize, spec: ConvSpec| {
                Conv::load(self.w, &format!("{}.layers.{}.conv.{part}", self.half, self.next), spec, self.backend)
            };
            let first = ConvSpec::new(c, c, 3).then(Act::Relu);
            let block = [conv(0, first)?, conv(2, first)?, conv(4, ConvSpec::new(c, c, 3))?];
            self.layers.push(Layer::Block(Box::new(block)));
            self.next += 1;
        }
        Ok(())
    }
}

impl Tiny {
    pub(super) fn load(w: &Weights, all: &VaeSpec, spec: &TinyVaeSpec, backend: &Backend) -> Result<Self> {
        let loader =
            |half: &'static str, channels: usize| Loader { w, half, channels, backend, layers: vec![], next: 0 };
        let (c, blocks) = &spec.encoder;
        let mut encoder = loader("encoder", *c);
        for (level, count) in blocks.iter().enumerate() {
            encoder.conv(match level {
                0 => ConvSpec::new(3, *c, 3),
                _ => ConvSpec::new(*c, *c, 3).step(Resample::Halve).without_bias(),
            })?;
            encoder.blocks(*count)?;
        }
        encoder.conv(ConvSpec::new(*c, all.latent_channels, 3))?;
        let (c, blocks) = &spec.decoder;
        let mut decoder = loader("decoder", *c);
        decoder.conv(ConvSpec::new(all.latent_channels, *c, 3).then(Act::Relu))?;
        decoder.next += 1; // the activation
        for (level, count) in blocks.iter().enumerate() {
            decoder.blocks(*count)?;
            if level + 1 < blocks.len() {
                decoder.next += 1; // the enlargement
                decoder.conv(ConvSpec::new(*c, *c, 3).step(Resample::Double).without_bias())?;
            } else {
                decoder.conv(ConvSpec::new(*c, 3, 3))?;
            }
        }
        Ok(Self { encoder: encoder.layers, decoder: decoder.layers, backend: backend.clone() })
    }

    pub(super) fn decode(&self, latent: &Tensor) -> candle_core::Result<Tensor> {
        let held = ((latent / 3.0)?.tanh()? * 3.0)?;
        (self.pass(&self.decoder, held)? * 2.0)? - 1.0
    }

    pub(super) fn encode(&self, picture: &Tensor) -> candle_core::Result<Tensor> {
        self.pass(&self.encoder, ((picture + 1.0)? / 2.0)?)
    }

    fn pass(&self, layers: &[Layer], mut x: Tensor) -> candle_core::Result<Tensor> {
        for layer in layers {
            x = match layer {
                Layer::Conv(conv) => then(x, |x| conv.forward(x))?,
                Layer::Block(convs) => {
                    let [first, second, third] = &**convs;
                    let y = then(first.forward(&x)?, |y| second.forward(y))?;
                    let sum = then(x, |x| then(y, |y| third.forward_with(y, None, Some(x))))?;
                    then(sum, |sum| act(sum, Act::Relu, Some(&self.backend)))?
                }
            };
        }
        Ok(x)
    }
}
