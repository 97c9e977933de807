//! How well a text fits a picture, as a CLIP sees it: the CLIP score (Hessel et al. 2021, arXiv:2104.08718).

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use candle_core::{D, DType, Tensor};
use image::RgbImage;

use super::layers::{Backend, Bias, LayerNorm, Linear};
use super::towers::{TextTower, VisionTower, seen};
use super::{Picture, ensure_numbers};
use crate::model::ModelSource;
use crate::model::spec::ClipSpec;
use crate::model::weights::Weights;

/// A CLIP.
pub struct ClipScore {
    spec: ClipSpec,
    text: TextTower,
    vision: VisionTower,
    norm: LayerNorm,
    projection: Linear,
    backend: Backend,
    digest: String,
}

impl ClipScore {
    /// Loads a CLIP.
    ///
    /// # Errors
    /// Fails if a file is missing, damaged or of another architecture; the message names it.
    pub fn load(source: &dyn ModelSource, backend: &Backend) -> Result<Self> {
        let spec = ClipSpec::read(source)?;
        let load = || -> Result<Self> {
            let w = Arc::new(Weights::open(source, "")?);
            ensure!(w.has("text_projection.weight"), "`text_projection.weight` is missing");
            let vision = &spec.vision;
            let mut hasher = blake3::Hasher::new();
            w.digest_into(&mut hasher)?;
            Ok(Self {
                text: TextTower::load(source, &w, &spec.text, backend)?,
                vision: VisionTower::load(&w, vision, vision.grid, vision.layers, backend)?,
                norm: LayerNorm::load(&w, "vision_model.post_layernorm", vision.width, vision.eps, backend)?,
                projection: Linear::load(
                    &w,
                    "visual_projection",
                    vision.width,
                    spec.text.projection,
                    Bias::No,
                    backend,
                )?,
                backend: backend.clone(),
                digest: hasher.finalize().to_hex()[..16].to_owned(),
                spec: spec.clone(),
            })
        };
        load().with_context(|| format!("cannot load {}", source.name()))
    }

    /// What tells it apart from others: a digest of its weights.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// A text's place in the space of both towers, `[projection]`.
    ///
    /// # Errors
    /// Fails if the tokenizer does, or the weights hold no numbers.
    pub fn read(&self, text: &str) -> Result<Tensor> {
        Ok(self.text.read(text)?.embedding)
    }

    /// A picture's place there.
    ///
    /// # Errors
    /// Fails if the weights hold no numbers.
    pub fn see(&self, picture: &Picture) -> Result<Tensor> {
        let after = self.vision.forward(&seen(picture, &self.spec.pixels), &self.backend)?;
        let last = after.last().context("BUG: a vision tower without layers")?;
        let class = self.norm.forward(&last.narrow(1, 0, 1)?.contiguous()?)?;
        let embedding = self.projection.forward(&class)?.flatten_all()?;
        ensure_numbers(&embedding, &self.backend, || "the vision tower gave no numbers".to_owned())?;
        Ok(embedding)
    }

    /// 100 times the cosine between a picture and a text, at least 0.
    ///
    /// # Errors
    /// As [`read`](Self::read) and [`see`](Self::see).
    pub fn score(&self, picture: &RgbImage, text: &str) -> Result<f64> {
        let seen = self.see(&picture.clone().into())?;
        let unit = |x: Tensor| -> Result<Tensor> {
            let x = x.to_dtype(DType::F64)?;
            Ok(x.broadcast_div(&x.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?)?)
        };
        let cosine = (unit(seen)? * unit(self.read(text)?)?)?.sum_all()?.to_scalar::<f64>()?;
        Ok((100.0 * cosine).max(0.0))
    }
}
