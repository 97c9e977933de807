//! Cases of other ways to edit a picture.

use std::ops::ControlFlow;

use anyhow::{Context, Result, ensure};
use candle_core::Tensor;

use super::case::CaseKind;
use super::results::{Array, Numbers, Results};
use super::run::{Worker, to_latents};
use crate::engine::edit::masked::{DifferenceRule, difference_mask, latent_mask, masked_run};
use crate::engine::edit::noised::{Mixing, NoisedEdit, magic_mix, sdedit};
use crate::engine::edit::steps::{LastSteps, last_steps};
use crate::engine::inversion::climb;
use crate::engine::inversion::edict::Edict;
use crate::engine::sampler::{Ddim, Sampler};
use crate::engine::unet::Condition;
use crate::engine::{Conditions, Guidance};

/// A run that nobody stops.
fn go(_: usize, _: &Tensor) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

const STOPPED: &str = "BUG: an unwatched edit was stopped";

/// What a run reads: a prompt, and what it is pushed away from.
fn reading(cond: &Condition, uncond: &Condition) -> Conditions {
    Conditions { cond: cond.clone(), uncond: vec![uncond.clone()] }
}

impl Worker<'_> {
    /// The case's picture edited by its method.
    pub(super) fn method(mut self) -> Result<Results> {
        let (written, empty) = self.conditions()?;
        let picture = self.picture()?;
        let clean = self.engine.encode(&picture)?;
        self.put_latents("image_latent", std::slice::from_ref(&clean))?;
        let ddim = self.ddim()?;
        // Without a push there is no unconditional half.
        let guidance = Guidance::of(self.case.guidance_scale.max(1.0), false);
        match self.case.kind {
            CaseKind::Blended => self.blended(&clean, (&written, &empty), &ddim, guidance)?,
            CaseKind::Edict => self.edict(&clean, (&written, &empty), ddim, guidance)?,
            CaseKind::Diffedit => self.diffedit(&clean, (&written, &empty), &ddim, guidance)?,
            _ => self.noised(&clean, (&written[0], empty), &ddim, guidance)?,
        }
        Ok(self.out)
    }

    fn noised(
        &mut self,
        clean: &Tensor,
        (written, empty): (&Condition, Condition),
        ddim: &Ddim,
        guidance: Guidance,
    ) -> Result<()> {
        let conditions = Conditions { cond: written.clone(), uncond: vec![empty] };
        let noise = self.noise.first().context("input.safetensors lacks `noise`")?.clone();
        let edit = NoisedEdit { ddim, conditions: &conditions, guidance, noise: &noise };
        let latents = match (&self.case.sdedit, &self.case.magicmix) {
            (Some(asked), _) => sdedit(self.engine, clean, edit, asked.strength, &mut go)?.context(STOPPED)?,
            (None, Some(asked)) => {
                let mixing = Mixing { kmin: asked.kmin, kmax: asked.kmax, nu: asked.mix_factor };
                let (latents, read) = magic_mix(self.engine, clean, edit, mixing, &mut go)?.context(STOPPED)?;
                self.put_latents("mixed_inputs", &read)?;
                latents
            }
            (None, None) => anyhow::bail!("case.json lacks what its kind needs"),
        };
        self.put_latents("sampled_latents", &latents)?;
        self.put_picture("sampled_image", &self.engine.decode(&latents[latents.len() - 1])?);
        Ok(())
    }

    fn edict(
        &mut self,
        clean: &Tensor,
        (written, empty): (&[Condition], &Condition),
        ddim: Ddim,
        guidance: Guidance,
    ) -> Result<()> {
        let asked = self.case.edict.as_ref().context("case.json lacks `edict`")?;
        ensure!(written.len() == 2, "{} prompts, expected two", written.len());
        let steps = ddim.timesteps().len();
        let first = steps - last_steps(steps, asked.strength);
        let edict = Edict { ddim, mixing: asked.mixing, leapfrog: asked.leapfrog, first, guidance };
        let pair = edict.up(self.engine, clean, &reading(&written[0], empty))?;
        self.put_latents("noised_pair", &pair)?;
        let latent = edict.down(self.engine, pair, &reading(&written[1], empty))?;
        self.put_latents("sampled_latents", std::slice::from_ref(&latent))?;
        self.put_picture("sampled_image", &self.engine.decode(&latent)?);
        Ok(())
    }

    fn blended(
        &mut self,
        clean: &Tensor,
        (written, empty): (&[Condition], &Condition),
        ddim: &Ddim,
        guidance: Guidance,
    ) -> Result<()> {
        let asked = self.case.blended.as_ref().context("case.json lacks `blended`")?;
        let steps = ddim.timesteps().len();
        let first = last_steps(steps, asked.blending_percentage);
        let mask = self.inputs.get("mask").context("input.safetensors lacks `mask`")?;
        let Numbers::U8(pixels) = &mask.numbers else { anyhow::bail!("`mask` is not of bytes") };
        let (h, w, _) = clean.dims3()?;
        let factor = self.engine.spec().vae.factor();
        ensure!(mask.shape == [h * factor, w * factor], "`mask` has shape {:?}", mask.shape);
        let inside = latent_mask(pixels, (w * factor, h * factor), factor);
        let (shape, values) = self.floats("latents")?;
        let starts = to_latents(values, (shape[1], shape[2], shape[3]), self.engine)?;
        let count = written.len();
        ensure!(
            starts.len() == count && self.noise.len() == (steps - first) * count,
            "{} starts and {} noises for {count} prompts and {} steps",
            starts.len(),
            self.noise.len(),
            steps - first
        );
        let mut runs = Vec::new();
        for (row, start) in starts.into_iter().enumerate() {
            let conditions = reading(&written[row], empty);
            let outside = |step: usize| {
                Ok(ddim.schedule().noised(clean, &self.noise[(step - first) * count + row], ddim.level(step))?)
            };
            let last = LastSteps { ddim, conditions: &conditions, guidance, first };
            let run = masked_run(self.engine, last, start, &inside, &outside, &mut go)?;
            runs.push(run.context(STOPPED)?);
        }
        let latents: Vec<&[Tensor]> = runs.iter().map(Vec::as_slice).collect();
        self.put_runs("sampled_latents", &latents)?;
        let mut bytes = Vec::new();
        for run in &runs {
            bytes.extend(self.engine.decode(&run[run.len() - 1])?.bytes);
        }
        self.put("latent_mask", Array::u8(&[h, w], inside));
        self.put("sampled_image", Array::u8(&[count, h * factor, w * factor, 3], bytes));
        Ok(())
    }

    fn diffedit(
        &mut self,
        clean: &Tensor,
        (written, empty): (&[Condition], &Condition),
        ddim: &Ddim,
        guidance: Guidance,
    ) -> Result<()> {
        let asked = self.case.diffedit.as_ref().context("case.json lacks `diffedit`")?;
        ensure!(written.len() == 2, "{} prompts, expected two", written.len());
        let source = reading(&written[0], empty);
        let steps = ddim.timesteps().len();
        let rule = DifferenceRule {
            steps: last_steps(steps, asked.mask_encode_strength),
            ratio: asked.mask_thresholding_ratio,
        };
        // Published code takes both halves in each other's place: the same mask, of differences nearer to each other.
        let [a, b] = written else { anyhow::bail!("{} prompts, expected two", written.len()) };
        let turned = [&reading(empty, a), &reading(empty, b)];
        let found = difference_mask(self.engine, (ddim, guidance), clean, turned, &self.noise, rule, &mut go)?;
        let (map, mask) = found.context(STOPPED)?;
        let first = steps - last_steps(steps, asked.inpaint_strength);
        let up = Guidance::of(asked.inversion_guidance.max(1.0), false);
        let inverted = climb(self.engine, ddim, clean.clone(), (&source, up), first, &mut go)?.context(STOPPED)?;
        let noisiest_first: Vec<Tensor> = inverted.into_iter().skip(1).rev().collect();
        let negative = self.engine.reader().embed(&asked.negative_prompt, [0.0; 6])?;
        let conditions = reading(&written[1], &negative);
        let start = noisiest_first.first().context("`inpaint_strength` is no step")?.clone();
        // Of the level just left, one step too noisy, as published.
        let outside = |step: usize| Ok(noisiest_first[step - first].clone());
        let last = LastSteps { ddim, conditions: &conditions, guidance, first };
        let run = masked_run(self.engine, last, start, &mask, &outside, &mut go)?;
        let latents = run.context(STOPPED)?;
        let (h, w, _) = clean.dims3()?;
        self.put("difference_map", Array::f32(&[h, w], map));
        self.put("mask", Array::u8(&[h, w], mask));
        self.put_latents("inverted_latents", &noisiest_first)?;
        self.put_latents("sampled_latents", &latents)?;
        self.put_picture("sampled_image", &self.engine.decode(&latents[latents.len() - 1])?);
        Ok(())
    }
}
