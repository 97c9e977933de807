//! CLIPSeg (Lüddecke and Ecker 2022, arXiv:2112.10003): CLIP's two towers, and a small decoder that reads three layers of the one
//! that sees, told by the other what is looked for.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use candle_core::Tensor;

use super::super::encoder::{CLIP_LAYER, EncoderLayer, LayerShape};
use super::super::layers::{Backend, Bias, Conv, ConvSpec, Linear};
use super::super::resize::{ResizeFilter, resize};
use super::super::towers::{TextTower, TowerText, VisionTower, seen};
use super::super::{Picture, ensure_numbers};
use crate::model::ModelSource;
use crate::model::spec::{Act, ClipSegSpec};
use crate::model::weights::Weights;

/// A CLIPSeg.
pub struct ClipSeg {
    spec: ClipSegSpec,
    text: TextTower,
    vision: VisionTower,
    decoder: Decoder,
    backend: Backend,
}

impl ClipSeg {
    /// Loads a CLIPSeg.
    ///
    /// # Errors
    /// Fails if a file is missing, damaged or of another architecture; the message names it.
    pub fn load(source: &dyn ModelSource, backend: &Backend) -> Result<Self> {
        let spec = ClipSegSpec::read(source)?;
        let load = || -> Result<Self> {
            let clip = Arc::new(Weights::open_within(source, "", "clip.")?);
            ensure!(clip.has("text_projection.weight"), "`clip.text_projection.weight` is missing");
            let read = spec.extracted.iter().max().map_or(0, |last| last + 1);
            Ok(Self {
                text: TextTower::load(source, &clip, &spec.text, backend)?,
                vision: VisionTower::load(&clip, &spec.vision, spec.grid(), read, backend)?,
                decoder: Decoder::load(&Weights::open_within(source, "", "decoder.")?, &spec, backend)?,
                backend: backend.clone(),
                spec: spec.clone(),
            })
        };
        load().with_context(|| format!("cannot load {}", source.name()))
    }

    /// What its configuration says.
    #[must_use]
    pub fn spec(&self) -> &ClipSegSpec {
        &self.spec
    }

    /// Reads a text.
    ///
    /// # Errors
    /// Fails if the tokenizer does, or the weights hold no numbers.
    pub fn read(&self, text: &str) -> Result<TowerText> {
        self.text.read(text)
    }

    /// A picture as the vision tower reads it: `[3, side, side]`, row by row.
    #[must_use]
    pub fn pixels(&self, picture: &Picture) -> Vec<f32> {
        seen(picture, &self.spec.pixels)
    }

    /// How much each place belongs to what each text names, before the sigmoid: `side * side` numbers a text.
    ///
    /// # Errors
    /// Fails if the weights hold no numbers.
    pub fn logits(&self, picture: &Picture, texts: &[TowerText]) -> Result<Vec<Vec<f32>>> {
        let after = self.vision.forward(&self.pixels(picture), &self.backend)?;
        let seen: Vec<Tensor> = self.spec.extracted.iter().rev().map(|layer| after[*layer].clone()).collect();
        let one = |text: &TowerText| -> Result<Vec<f32>> {
            let logits = self.decoder.forward(&seen, &text.embedding, &self.backend)?;
            ensure_numbers(&logits, &self.backend, || "the mask network gave no numbers".to_owned())?;
            Ok(logits.flatten_all()?.to_dtype(candle_core::DType::F32)?.to_vec1()?)
        };
        texts.iter().map(one).collect()
    }

    /// The mask of each text at the picture's size, `height * width` bytes: 255 where a place surely belongs to it, 0 where it
    /// surely does not, 128 at the border.
    ///
    /// # Errors
    /// As [`logits`](Self::logits).
    pub fn masks(&self, picture: &Picture, texts: &[TowerText]) -> Result<Vec<Vec<u8>>> {
        Ok(self.logits(picture, texts)?.iter().map(|logits| mask_of(logits, (picture.width, picture.height))).collect())
    }
}

/// The mask that square logits mean at a picture's size.
#[must_use]
pub(crate) fn mask_of(logits: &[f32], size: (usize, usize)) -> Vec<u8> {
    let side = logits.len().isqrt();
    let byte = |x: &f32| (1.0 / (1.0 + (-x).exp()) * 255.0).round_ties_even() as u8;
    let bytes: Vec<u8> = logits.iter().map(byte).collect();
    resize(&bytes, (side, side), 1, size, ResizeFilter::Bicubic)
}

/// From three layers of what is seen to a mask.
struct Decoder {
    reduces: Vec<Linear>,
    layers: Vec<EncoderLayer>,
    /// What the text multiplies by and adds.
    film: (Linear, Linear),
    conditional_layer: usize,
    conv: Option<Conv>,
    /// The last steps, each to a larger grid.
    enlarge: Vec<Enlarge>,
    grid: usize,
}

impl Decoder {
    fn load(w: &Weights, spec: &ClipSegSpec, backend: &Backend) -> Result<Self> {
        let ClipSegSpec { width, inner, heads, .. } = *spec;
        let eps = spec.vision.eps;
        let shape = LayerShape { width, attention_width: width, inner, heads, act: Act::Relu, eps, causal: false };
        let linear = |name: &str, n: usize| Linear::load(w, name, n, width, Bias::Yes, backend);
        let count = spec.extracted.len();
        let patch = spec.vision.patch;
        let (conv, enlarge) = if spec.enlarges_twice {
            let part = |i: usize| format!("transposed_convolution.{i}");
            let conv = Conv::load(w, &part(0), ConvSpec::new(width, width, 3).then(Act::Relu), backend)?;
            let first = Enlarge::load(w, &part(2), (width, width / 2), patch / 4, backend)?;
            (Some(conv), vec![first, Enlarge::load(w, &part(4), (width / 2, 1), patch / 4, backend)?])
        } else {
            (None, vec![Enlarge::load(w, "transposed_convolution", (width, 1), patch, backend)?])
        };
        let decoder = Self {
            reduces: (0..count).map(|i| linear(&format!("reduces.{i}"), spec.vision.width)).collect::<Result<_>>()?,
            layers: (0..count)
                .map(|i| EncoderLayer::load(w, &format!("layers.{i}"), CLIP_LAYER, shape, backend))
                .collect::<Result<_>>()?,
            film: (linear("film_mul", spec.text.projection)?, linear("film_add", spec.text.projection)?),
            conditional_layer: spec.conditional_layer,
            conv,
            enlarge,
            grid: spec.grid(),
        };
        let unread = w.unread();
        ensure!(unread.is_empty(), "the weights hold a part that is not built here: `decoder.{}`", unread[0]);
        Ok(decoder)
    }

    /// Logits, `[h, w]`, from the states of the vision tower, the last first, and a text's embedding.
    fn forward(&self, seen: &[Tensor], text: &Tensor, backend: &Backend) -> Result<Tensor> {
        let text = text.reshape((1, 1, ()))?;
        let mut x: Option<Tensor> = None;
        for (i, (state, (reduce, layer))) in seen.iter().zip(self.reduces.iter().zip(&self.layers)).enumerate() {
            let mut y = reduce.forward_with(state, None, x.as_ref())?; // [1, 1 + patches, width]
            if i == self.conditional_layer {
                let (times, plus) = (self.film.0.forward(&text)?, self.film.1.forward(&text)?);
                y = y.broadcast_mul(&times)?.broadcast_add(&plus)?;
            }
            x = Some(layer.forward_norms_after(&y, backend)?);
        }
        let x = x.context("BUG: a decoder without layers")?;
        let (_, tokens, width) = x.dims3()?;
        let mut x = x.narrow(1, 1, tokens - 1)?.contiguous()?.reshape((1, self.grid, self.grid, width))?;
        if let Some(conv) = &self.conv {
            x = conv.forward(&x)?;
        }
        let last = self.enlarge.len() - 1;
        for (i, enlarge) in self.enlarge.iter().enumerate() {
            x = enlarge.forward(&x, (i < last).then_some(Act::Relu))?;
        }
        Ok(x.squeeze(3)?.squeeze(0)?)
    }
}

/// A transposed convolution whose stride is the side of its kernel: each pixel becomes a square of its own.
struct Enlarge {
    linear: Linear,
    side: usize,
    outputs: usize,
}

impl Enlarge {
    fn load(
        w: &Weights,
        name: &str,
        (inputs, outputs): (usize, usize),
        side: usize,
        backend: &Backend,
    ) -> Result<Self> {
        let weight = w.values(&format!("{name}.weight"), &[inputs, outputs, side, side])?;
        let bias = w.values(&format!("{name}.bias"), &[outputs])?;
        let square = side * side;
        // From input, output, place to place, output, input.
        let turned: Vec<f32> = (0..square * outputs)
            .flat_map(|row| (0..inputs).map(move |input| (row / outputs, row % outputs, input)))
            .map(|(place, output, input)| weight[(input * outputs + output) * square + place])
            .collect();
        let bias = (0..square).flat_map(|_| bias.iter().copied()).collect();
        Ok(Self { linear: Linear::new(&turned, Some(bias), inputs, square * outputs, backend)?, side, outputs })
    }

    /// `[1, h, w, inputs]` to `[1, side * h, side * w, outputs]`.
    fn forward(&self, x: &Tensor, act: Option<Act>) -> candle_core::Result<Tensor> {
        let (_, h, w, _) = x.dims4()?;
        let Self { linear, side, outputs } = self;
        let squares = linear.forward_with(x, act, None)?.reshape((h, w, *side, *side, *outputs))?;
        squares.permute((0, 2, 1, 3, 4))?.contiguous()?.reshape((1, h * side, w * side, *outputs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_is_light_where_logits_are_above_zero() {
        let logits = [-9.0, -9.0, 9.0, 9.0];
        assert_eq!(mask_of(&logits, (2, 2)), [0, 0, 255, 255]);
        assert_eq!(mask_of(&[0.0; 4], (3, 2)), [128; 6], "127.5 is rounded to the even side");
    }
}
