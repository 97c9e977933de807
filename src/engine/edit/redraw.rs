//! Where runs begin that draw a picture again from its noised self, and what they are blended with.
//!
//! The run itself is one like any other ([`draw`](super::draw)), from a later step on: recorded, weighed and blended, so that
//! its children have all that they need.

use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::{Context, Result};
use candle_core::{DType, Tensor};

use super::super::inversion::{climb, climb_on};
use super::super::sampler::{Ddim, Sampler};
use super::super::schedule::NoiseSchedule;
use super::super::{Conditions, Engine, Guidance, Picture};
use super::InheritedMasks;
use super::masked::{DifferenceRule, difference_mask};
use crate::attention::blend::Mask;
use crate::plan::redraw::{Patch, Redraw, RedrawMethod, steps_in};
use crate::plan::settings::BlendArithmetic;

/// Where a run begins.
pub struct Beginning {
    /// The latent that its first step begins with.
    pub start: Tensor,
    /// What it is blended with, if it is.
    pub blended: Option<InheritedMasks>,
}

/// What a picture is drawn again from.
#[derive(Clone, Copy)]
pub struct RedrawSource<'a> {
    /// Its clean latent.
    pub clean: &'a Tensor,
    /// The picture.
    pub picture: &'a Picture,
    /// What its run read, and what the new one reads.
    pub conditions: [&'a Conditions; 2],
    /// Where a person said that it may change.
    pub mask: Option<&'a Mask>,
    /// Whether the model reads the guidance.
    pub embeds_guidance: bool,
}

/// Finds where a run begins that draws a picture again with `sampler`. `watch` sees latents on the way there, and may stop it:
/// then `None`.
///
/// # Errors
/// Fails if the sampler cannot serve, or the device has no memory left.
pub fn begin(
    engine: &Engine,
    sampler: &dyn Sampler,
    redraw: &Redraw,
    from: RedrawSource<'_>,
    watch: &mut dyn FnMut(&Tensor) -> ControlFlow<()>,
) -> Result<Option<Beginning>> {
    let steps = sampler.timesteps().len();
    let (first, clean) = (redraw.method.first(steps), from.clean);
    let noise = |number: usize| engine.noise_after(redraw.seed, number, clean.dims3()?);
    let begins = |start, blended| Ok(Some(Beginning { start, blended }));
    match &redraw.method {
        RedrawMethod::SdEdit { patch: Some(patch), .. } => {
            let clean = engine.encode(&patched(from.picture, patch))?.to_dtype(DType::F32)?;
            begins(sampler.noised(&clean, &noise(0)?, first)?, None)
        }
        RedrawMethod::Imagic { .. } => begins((noise(0)? * sampler.init_noise_scale())?, None),
        RedrawMethod::SdEdit { patch: None, .. } | RedrawMethod::MagicMix { .. } | RedrawMethod::UniTune { .. } => {
            begins(sampler.noised(clean, &noise(0)?, first)?, None)
        }
        RedrawMethod::BlendedDiffusion { .. } => {
            let mask = from.mask.context("BUG: nobody said where the picture may change")?;
            let start = sampler.noised(clean, &noise(0)?, first)?;
            let mut outside = vec![clean.clone(); steps];
            for (step, latent) in outside.iter_mut().enumerate().take(steps - 1).skip(first) {
                // The level that the step leads to, where published code has the one that it came from: so the picture
                // itself is what is left outside.
                *latent = sampler.noised(clean, &noise(step + 1)?, step + 1)?;
            }
            begins(start, Some((blended_from(first, steps, mask), Arc::new(outside), BlendArithmetic::Select)))
        }
        RedrawMethod::DiffEdit { mask_strength, ratio, maps, .. } => {
            let ddim = Ddim::new(NoiseSchedule::new(&engine.spec().scheduler), &engine.spec().scheduler, steps)?;
            // What both estimates are pushed away from cancels out of their difference, so neither is pushed.
            let guidance = Guidance::of(1.0, from.embeds_guidance);
            let noise = (0..*maps).map(noise).collect::<Result<Vec<_>>>()?;
            let rule = DifferenceRule { steps: steps_in(*mask_strength, steps), ratio: *ratio };
            let mut look = |_: usize, latent: &Tensor| watch(latent);
            let found = difference_mask(engine, (&ddim, guidance), clean, from.conditions, &noise, rule, &mut look)?;
            let Some((_, mask)) = found else { return Ok(None) };
            let reads = (from.conditions[0], guidance);
            let up = if sampler.sigmas().is_empty() {
                climb(engine, &ddim, clean.clone(), reads, first, &mut look)?
            } else {
                climb_on(engine, (sampler, ddim.schedule()), clean.clone(), reads, first, &mut look)?
            };
            let Some(up) = up else { return Ok(None) };
            let start = up[up.len() - 1].clone();
            let outside = (0..steps).map(|step| up[(steps - 1 - step).min(up.len() - 1)].clone()).collect();
            begins(start, Some((blended_from(first, steps, &mask), Arc::new(outside), BlendArithmetic::Select)))
        }
    }
}

/// One mask for all steps that are made.
fn blended_from(first: usize, steps: usize, mask: &Mask) -> Vec<Option<Mask>> {
    (0..steps).map(|step| (step >= first).then(|| mask.clone())).collect()
}

/// A picture with a patch on it.
fn patched(picture: &Picture, patch: &Patch) -> Picture {
    let mut picture = picture.clone();
    patch.lay_on(&mut picture.bytes, picture.width);
    picture
}

/// A sampler whose runs read a mixture of their latent with a noised picture, and make their steps from the latent itself.
#[derive(Debug)]
pub struct MixedReading {
    inner: Box<dyn Sampler>,
    /// The noised picture of each step that is mixed.
    layout: Arc<Vec<Option<Tensor>>>,
    /// Share of what is being drawn in the mixture.
    nu: f64,
}

impl MixedReading {
    /// `MagicMix`'s way to read, for runs of `sampler` that draw `clean` again; any other method's is the sampler's own, and
    /// there is none.
    ///
    /// # Errors
    /// Fails if the device has no memory left.
    pub fn of(engine: &Engine, sampler: &dyn Sampler, redraw: &Redraw, clean: &Tensor) -> Result<Option<Self>> {
        let RedrawMethod::MagicMix { kmin, nu, .. } = redraw.method else { return Ok(None) };
        let steps = sampler.timesteps().len();
        let noise = engine.noise_after(redraw.seed, 0, clean.dims3()?)?;
        // At its first step the latent is the noised picture.
        let mixed = redraw.method.first(steps) + 1..steps - steps_in(kmin, steps);
        let layout = (0..steps).map(|step| match mixed.contains(&step) {
            true => sampler.noised(clean, &noise, step).map(Some),
            false => Ok(None),
        });
        let layout = Arc::new(layout.collect::<candle_core::Result<_>>()?);
        Ok(Some(Self { inner: sampler.after(&[]), layout, nu }))
    }
}

impl Sampler for MixedReading {
    fn timesteps(&self) -> &[f32] {
        self.inner.timesteps()
    }

    fn sigmas(&self) -> &[f64] {
        self.inner.sigmas()
    }

    fn init_noise_scale(&self) -> f64 {
        self.inner.init_noise_scale()
    }

    fn scale_input(&self, x: &Tensor, i: usize) -> candle_core::Result<Tensor> {
        match &self.layout[i] {
            Some(layout) => self.inner.scale_input(&((x * self.nu)? + (layout * (1.0 - self.nu))?)?, i),
            None => self.inner.scale_input(x, i),
        }
    }

    fn step(&mut self, x: &Tensor, output: &Tensor, i: usize, noise: Option<&Tensor>) -> candle_core::Result<Tensor> {
        self.inner.step(x, output, i, noise)
    }

    fn noise_at(&self, i: usize) -> bool {
        self.inner.noise_at(i)
    }

    fn noised(&self, clean: &Tensor, noise: &Tensor, i: usize) -> candle_core::Result<Tensor> {
        self.inner.noised(clean, noise, i)
    }

    fn memory(&self) -> &[Tensor] {
        self.inner.memory()
    }

    fn after(&self, memory: &[Tensor]) -> Box<dyn Sampler> {
        Box::new(Self { inner: self.inner.after(memory), layout: self.layout.clone(), nu: self.nu })
    }
}
