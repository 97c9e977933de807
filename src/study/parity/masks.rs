//! Cases of masks made from texts.

use std::ops::ControlFlow;

use anyhow::{Context, Result, ensure};
use candle_core::{DType, Tensor};

use super::case::Case;
use super::results::{Array, Results};
use super::run::{Worker, picture};
use crate::engine::edit::masked::{latent_mask_at, masked_run};
use crate::engine::edit::steps::LastSteps;
use crate::engine::sampler::Sampler;
use crate::engine::segment::{ClipSeg, TowerText};
use crate::engine::{Conditions, Guidance};

/// Every how many rows of what a network reads are given out.
const ROWS: usize = 16;

/// What a network makes of the case's picture and texts.
pub(super) fn masks(case: &Case, inputs: &Results, network: &ClipSeg) -> Result<Results> {
    let picture = picture(inputs)?;
    let texts: Vec<TowerText> = case.prompts.iter().map(|text| network.read(text)).collect::<Result<_>>()?;
    let count = texts.len();
    ensure!(count > 0, "case.json has no prompts");
    let mut out = Results::new();
    let mut put = |name: &str, array: Array| out.insert(name.to_owned(), array);
    let ids: Vec<i64> = texts.iter().flat_map(|text| text.ids.iter().map(|id| i64::from(*id))).collect();
    put("token_ids", Array::i64(&[count, ids.len() / count], ids));
    let mut embeddings = Vec::new();
    for text in &texts {
        embeddings.extend(text.embedding.to_dtype(DType::F32)?.to_vec1::<f32>()?);
    }
    put("conditional_embeddings", Array::f32(&[count, embeddings.len() / count], embeddings));
    let side = network.spec().pixels.side;
    let pixels = network.pixels(&picture);
    let rows: Vec<f32> = pixels.chunks_exact(side).step_by(ROWS).flatten().copied().collect();
    put("pixel_rows", Array::f32(&[1, 3, side.div_ceil(ROWS), side], rows));
    let logits = network.logits(&picture, &texts)?;
    let across = logits[0].len().isqrt();
    put("logits", Array::f32(&[count, across, across], logits.concat()));
    let masks = network.masks(&picture, &texts)?;
    put("mask_image", Array::u8(&[count, picture.height, picture.width], masks.concat()));
    Ok(out)
}

impl Worker<'_> {
    /// The case's picture with its prompt drawn where a network finds the case's text.
    pub(super) fn text_inpaint(mut self, network: &ClipSeg) -> Result<Results> {
        let asked = self.case.segmentation.as_ref().context("case.json lacks `segmentation`")?;
        let text = asked.text.as_ref().context("`segmentation` of case.json lacks `text`")?;
        let (written, empty) = self.conditions()?;
        let picture = self.picture()?;
        let clean = self.engine.encode(&picture)?;
        self.put_latents("image_latent", std::slice::from_ref(&clean))?;
        let mask = network.masks(&picture, &[network.read(text)?])?.concat();
        let factor = self.engine.spec().vae.factor();
        // The corner of each square, as torch's nearest neighbour has it.
        let inside = latent_mask_at(&mask, (picture.width, picture.height), factor, 0);
        let noise = self.noise.first().context("input.safetensors lacks `noise`")?.clone();
        let ddim = self.ddim()?;
        let steps = ddim.timesteps().len();
        let outside = |step: usize| -> Result<Tensor> {
            if step + 1 == steps {
                return Ok(clean.clone());
            }
            Ok(ddim.schedule().noised(&clean, &noise, ddim.level(step + 1))?)
        };
        let conditions = Conditions { cond: written[0].clone(), uncond: vec![empty] };
        let guidance = Guidance::of(self.case.guidance_scale.max(1.0), false);
        let run = LastSteps { ddim: &ddim, conditions: &conditions, guidance, first: 0 };
        let mut go = |_: usize, _: &Tensor| ControlFlow::Continue(());
        let latents = masked_run(self.engine, run, noise.clone(), &inside, &outside, &mut go)?;
        let latents = latents.context("BUG: an unwatched edit was stopped")?;
        let (h, w, _) = clean.dims3()?;
        self.put("mask_image", Array::u8(&[picture.height, picture.width], mask));
        self.put("latent_mask", Array::u8(&[h, w], inside));
        self.put_latents("sampled_latents", &latents)?;
        self.put_picture("sampled_image", &self.engine.decode(&latents[steps])?);
        Ok(self.out)
    }
}
