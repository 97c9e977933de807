//! CLIP's two towers, the one that reads and the one that sees (Radford et al. 2021, arXiv:2103.00020).

use std::sync::Arc;

use anyhow::{Context, Result};
use candle_core::Tensor;

use super::encoder::{CLIP_LAYER, EncoderLayer, LayerShape};
use super::layers::{Backend, LayerNorm, Linear};
use super::resize::{ResizeFilter, cubic, resize};
use super::text::{TextEncoder, TokenTable};
use super::{Picture, ensure_numbers, vocabulary};
use crate::model::ModelSource;
use crate::model::spec::{PixelSpec, TextSpec, VisionSpec};
use crate::model::weights::Weights;
use crate::prompt::vocabulary::Vocabulary;

/// The tower that reads, with its vocabulary.
pub(super) struct TextTower {
    vocabulary: Vocabulary,
    encoder: TextEncoder,
    backend: Backend,
}

/// A text as the tower reads it.
#[derive(Debug, Clone)]
pub struct TowerText {
    /// Its tokens, padded.
    pub ids: Vec<u32>,
    /// Its embedding, `[projection]`.
    pub embedding: Tensor,
}

impl TextTower {
    /// Of weights that have a `text_projection`.
    pub(super) fn load(source: &dyn ModelSource, w: &Arc<Weights>, spec: &TextSpec, backend: &Backend) -> Result<Self> {
        let tokens = Arc::new(TokenTable::load(w, spec)?);
        Ok(Self {
            vocabulary: vocabulary(source, "", spec.positions)?,
            encoder: TextEncoder::load(w, spec.clone(), tokens, backend)?,
            backend: backend.clone(),
        })
    }

    /// Reads a text. Fails if the tokenizer does, or the weights hold no numbers.
    pub(super) fn read(&self, text: &str) -> Result<TowerText> {
        let ids = self.vocabulary.prompt(text)?.ids;
        let embedding = self.encoder.encode(&ids)?.pooled.context("BUG: a text tower without text_projection")?;
        ensure_numbers(&embedding, &self.backend, || "the text tower gave no numbers".to_owned())?;
        Ok(TowerText { ids, embedding })
    }
}

/// A picture as a vision tower reads it: `[3, side, side]`, row by row.
pub(super) fn seen(picture: &Picture, spec: &PixelSpec) -> Vec<f32> {
    let filter = if spec.bicubic { ResizeFilter::Bicubic } else { ResizeFilter::Triangle };
    let (side, from) = (spec.side, (picture.width, picture.height));
    let to = if spec.crops { covering(from, side) } else { (side, side) };
    let bytes = resize(&picture.bytes, from, 3, to, filter);
    let (left, top) = ((to.0 - side) / 2, (to.1 - side) / 2);
    let value = |colour: usize, pixel: usize| {
        let (x, y) = (left + pixel % side, top + pixel / side);
        let value = f64::from(bytes[(y * to.0 + x) * 3 + colour]) * spec.scale;
        ((value - spec.mean[colour]) / spec.deviation[colour]) as f32
    };
    (0..3).flat_map(|colour| (0..side * side).map(move |pixel| (colour, pixel))).map(|(c, p)| value(c, p)).collect()
}

/// The size whose shorter side is `side`, of the shape of another; what is left of a pixel is dropped.
fn covering((width, height): (usize, usize), side: usize) -> (usize, usize) {
    if width < height { (side, side * height / width) } else { (side * width / height, side) }
}

/// CLIP's tower that sees, as far up as its states are read.
pub(super) struct VisionTower {
    patches: Linear,
    patch: usize,
    class: Vec<f32>,
    /// `[1 + grid * grid, width]`, the class's first, for the grid that is used.
    positions: Vec<f32>,
    norm: LayerNorm,
    layers: Vec<EncoderLayer>,
}

impl VisionTower {
    /// Loads its first `read` layers, for a grid of `to` patches along a side.
    pub(super) fn load(w: &Weights, spec: &VisionSpec, to: usize, read: usize, backend: &Backend) -> Result<Self> {
        let VisionSpec { width, inner, heads, patch, grid, act, eps, .. } = *spec;
        let p = "vision_model";
        let weight = w.values(&format!("{p}.embeddings.patch_embedding.weight"), &[width, 3, patch, patch])?;
        let positions = w.values(&format!("{p}.embeddings.position_embedding.weight"), &[1 + grid * grid, width])?;
        let shape = LayerShape { width, attention_width: width, inner, heads, act, eps, causal: false };
        let layer = |i: usize| EncoderLayer::load(w, &format!("{p}.encoder.layers.{i}"), CLIP_LAYER, shape, backend);
        Ok(Self {
            patches: Linear::new(&weight, None, 3 * patch * patch, width, backend)?,
            patch,
            class: w.values(&format!("{p}.embeddings.class_embedding"), &[width])?,
            positions: enlarged(&positions, width, grid, to),
            // So spelt in every checkpoint.
            norm: LayerNorm::load(w, &format!("{p}.pre_layrnorm"), width, eps, backend)?,
            layers: (0..read).map(layer).collect::<Result<_>>()?,
        })
    }

    /// The states after each layer that is read: `[1, 1 + patches, width]`, the class's first.
    pub(super) fn forward(&self, pixels: &[f32], backend: &Backend) -> Result<Vec<Tensor>> {
        let (width, patch) = (self.class.len(), self.patch);
        let side = (pixels.len() / 3).isqrt();
        let grid = side / patch;
        let mut cut = Vec::with_capacity(pixels.len());
        for (row, column) in (0..grid).flat_map(|row| (0..grid).map(move |column| (row, column))) {
            for (colour, y) in (0..3).flat_map(|colour| (0..patch).map(move |y| (colour, y))) {
                let at = (colour * side + row * patch + y) * side + column * patch;
                cut.extend_from_slice(&pixels[at..at + patch]);
            }
        }
        let cut = backend.tensor(cut, (1, grid * grid, 3 * patch * patch))?;
        let class = backend.tensor(self.class.clone(), (1, 1, width))?;
        let positions = backend.tensor(self.positions.clone(), (1, 1 + grid * grid, width))?;
        let x = (Tensor::cat(&[&class, &self.patches.forward(&cut)?], 1)? + positions)?;
        let mut x = self.norm.forward(&x)?;
        let mut after = Vec::new();
        for layer in &self.layers {
            x = layer.forward(&x, backend)?;
            after.push(x.clone());
        }
        Ok(after)
    }
}

/// Position embeddings for another grid: the class's as it is, the others enlarged or shrunk by a cubic with a = -0.75, without
/// widening it, as published.
fn enlarged(positions: &[f32], width: usize, from: usize, to: usize) -> Vec<f32> {
    if from == to {
        return positions.to_vec();
    }
    let (class, grid) = positions.split_at(width);
    let taps = |i: usize| -> Vec<(usize, f64)> {
        let at = (i as f64 + 0.5) * from as f64 / to as f64 - 0.5;
        let tap = |k: i64| {
            let place = at.floor() as i64 + k;
            let inside = place.clamp(0, from as i64 - 1) as usize;
            (inside, cubic((at - place as f64).abs(), -0.75))
        };
        (-1..=2).map(tap).collect()
    };
    let taps: Vec<_> = (0..to).map(taps).collect();
    let mut out = class.to_vec();
    for (rows, columns) in taps.iter().flat_map(|rows| taps.iter().map(move |columns| (rows, columns))) {
        let mut sum = vec![0.0f64; width];
        for ((y, a), (x, b)) in rows.iter().flat_map(|row| columns.iter().map(move |column| (row, column))) {
            let state = &grid[(y * from + x) * width..][..width];
            sum.iter_mut().zip(state).for_each(|(sum, value)| *sum += a * b * f64::from(*value));
        }
        out.extend(sum.into_iter().map(|value| value as f32));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_picture_is_cut_in_the_middle_or_drawn_out_of_its_shape_as_its_network_asks() {
        // Three bands from left to right: black, white, black.
        let bytes = (0..4).flat_map(|_| [0u8, 255, 255, 0].into_iter().flat_map(|x| [x, x, x, x, x, x])).collect();
        let picture = Picture { width: 8, height: 4, bytes };
        let spec =
            |crops| PixelSpec { side: 4, bicubic: false, crops, scale: 1.0, mean: [0.0; 3], deviation: [1.0; 3] };
        let cut = seen(&picture, &spec(true));
        assert!(cut.iter().all(|x| *x == 255.0), "{cut:?}");
        let whole = seen(&picture, &spec(false));
        assert_eq!((whole.len(), whole[0] < 100.0, whole[1] > 150.0), (48, true, true), "{whole:?}");
        assert_eq!(covering((640, 480), 224), (298, 224));
        assert_eq!(covering((480, 640), 224), (224, 298));
    }

    #[test]
    fn a_grid_of_positions_that_is_level_stays_level_and_the_class_keeps_its_own() {
        let positions: Vec<f32> = [9.0, 8.0].into_iter().chain((0..9).flat_map(|_| [1.5, -2.0])).collect();
        let larger = enlarged(&positions, 2, 3, 5);
        assert_eq!(larger.len(), 2 * (1 + 25));
        assert_eq!(larger[..2], [9.0, 8.0]);
        assert!(larger[2..].chunks(2).all(|p| (p[0] - 1.5).abs() < 1e-6 && (p[1] + 2.0).abs() < 1e-6), "{larger:?}");
        assert_eq!(enlarged(&positions, 2, 3, 3), positions);
    }
}
