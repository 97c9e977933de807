//! DDIM run backwards.

use anyhow::Result;
use candle_core::Tensor;

use super::super::sampler::{Ddim, Sampler};
use super::super::schedule::{NoiseSchedule, mixed};
use super::super::{Conditions, Engine, Guidance, Picture, WatchLatents};
use super::{Inversion, Inverted};
use crate::plan::inversion::InversionName;

/// DDIM backwards from the picture's latent, reading the written prompt, without guidance.
#[derive(Debug)]
pub struct DdimInversion {
    /// The sampler that is run backwards.
    pub ddim: Ddim,
}

impl Inversion for DdimInversion {
    fn name(&self) -> InversionName {
        InversionName::Ddim
    }

    /// The prediction at each noise level is made on the latent one level below, as published.
    fn invert(
        &self,
        engine: &Engine,
        picture: &Picture,
        conditions: &Conditions,
        watch: WatchLatents<'_>,
    ) -> Result<Option<Inverted>> {
        let clean = engine.encode(picture)?;
        let latents = climb(engine, &self.ddim, clean, (conditions, Guidance::None), 0, watch)?;
        let inverted =
            |latents| Inverted { latents, conditions: conditions.clone(), noise: Vec::new(), optimised: None };
        Ok(latents.map(inverted))
    }
}

/// DDIM backwards from a clean latent to the level at which step `first` begins: all latents, the clean one first; `None` if
/// `watch` stopped it.
///
/// # Errors
/// Fails if the device has no memory left.
pub fn climb(
    engine: &Engine,
    ddim: &Ddim,
    clean: Tensor,
    (conditions, guidance): (&Conditions, Guidance),
    first: usize,
    watch: WatchLatents<'_>,
) -> Result<Option<Vec<Tensor>>> {
    let mut latents = vec![clean];
    for step in (first..ddim.timesteps().len()).rev() {
        let latent = &latents[latents.len() - 1];
        let output = engine.predict_guided(latent, conditions, ddim.timesteps()[step], guidance)?;
        let next = ddim.step_back(latent, &output, step)?;
        let flow = watch(latents.len() - 1, &next);
        latents.push(next);
        if flow.is_break() {
            return Ok(None);
        }
    }
    Ok(Some(latents))
}

/// The same on the levels of another sampler that counts in sigmas and whose latents are picture and noise mixed, as DDIM's are: each
/// step up keeps the picture and the noise that the UNet tells apart, and mixes them as the next level has them.
///
/// # Errors
/// As [`climb`].
pub fn climb_on(
    engine: &Engine,
    (sampler, schedule): (&dyn Sampler, &NoiseSchedule),
    clean: Tensor,
    (conditions, guidance): (&Conditions, Guidance),
    first: usize,
    watch: WatchLatents<'_>,
) -> Result<Option<Vec<Tensor>>> {
    // The picture's own latent counts as one of the least level that there is, as in `Ddim::step_back`.
    let level = |step: usize| mixed(sampler.sigmas()[step].max(schedule.sigma(0)));
    let mut latents = vec![clean];
    for step in (first..sampler.timesteps().len()).rev() {
        let latent = &latents[latents.len() - 1];
        let output = engine.predict_guided(latent, conditions, sampler.timesteps()[step], guidance)?;
        let (below, (alpha, sigma)) = (level(step + 1), level(step));
        let (clean, noise) = (schedule.clean(latent, &output, below)?, schedule.noise(latent, &output, below)?);
        let next = ((clean * alpha)? + (noise * sigma)?)?;
        let flow = watch(latents.len() - 1, &next);
        latents.push(next);
        if flow.is_break() {
            return Ok(None);
        }
    }
    Ok(Some(latents))
}
