//! Edit-friendly inversion (Huberman-Spiegelglas et al. 2023, arXiv:2304.06140): the picture is noised anew for every
//! level, and the noise that leads from each of these latents to the next is kept.

use anyhow::{Result, ensure};
use candle_core::Tensor;

use super::super::sampler::{Ddim, Sampler};
use super::super::{Conditions, Engine, Guidance, Picture, WatchLatents};
use super::{Inversion, Inverted};
use crate::plan::inversion::InversionName;

/// Noise for every step of DDIM with fresh noise, so that it leads back to the picture.
#[derive(Debug)]
pub struct EditFriendly {
    /// Levels and what they were trained with.
    pub ddim: Ddim,
    /// The share of the noise that is drawn anew; 0 would leave nothing to find.
    pub eta: f64,
    /// How the written prompt pushes while the noise is found.
    pub guidance: Guidance,
    /// The noise of each level, the least noisy first.
    pub noise: Vec<Tensor>,
}

impl Inversion for EditFriendly {
    fn name(&self) -> InversionName {
        InversionName::EditFriendly
    }

    fn invert(
        &self,
        engine: &Engine,
        picture: &Picture,
        conditions: &Conditions,
        watch: WatchLatents<'_>,
    ) -> Result<Option<Inverted>> {
        let steps = self.ddim.timesteps().len();
        ensure!(self.noise.len() == steps, "BUG: {} noises for {steps} levels", self.noise.len());
        ensure!(self.eta > 0.0, "`eta` is 0, which leaves no noise to find");
        let clean = engine.encode(picture)?;
        // Of each level on its own, not one from another.
        let mut latents = vec![clean.clone()];
        for (k, noise) in self.noise.iter().enumerate() {
            latents.push(self.ddim.schedule().noised(&clean, noise, self.ddim.level(steps - 1 - k))?);
        }
        let mut found = vec![clean.zeros_like()?; steps];
        for (step, level) in self.ddim.timesteps().iter().enumerate() {
            let k = steps - 1 - step;
            let output = engine.predict_guided(&latents[k + 1], conditions, *level, self.guidance)?;
            let (mean, deviation) = self.ddim.spread(&latents[k + 1], &output, step, self.eta)?;
            // Where a step adds no noise, none can put it right: a run that is held on these latents is.
            let map = if deviation > 0.0 { ((&latents[k] - &mean)? / deviation)? } else { mean.zeros_like()? };
            if watch(step, &latents[k]).is_break() {
                return Ok(None);
            }
            if deviation == 0.0 {
                continue;
            }
            // The same but for rounding, and what the next step will really begin with.
            latents[k] = (mean + (&map * deviation)?)?;
            if k > 0 {
                found[step] = map; // the last step adds none, as published
            }
        }
        Ok(Some(Inverted { latents, conditions: conditions.clone(), noise: found, optimised: None }))
    }
}

/// DDIM with fresh noise, from a step on: what runs on the noise that [`EditFriendly`] found.
#[derive(Debug, Clone)]
pub struct NoiseMapSampler {
    ddim: Ddim,
    eta: f64,
    first: usize,
}

impl NoiseMapSampler {
    /// The sampler of runs that leave out the first `first` steps of a `ddim`.
    #[must_use]
    pub fn new(ddim: Ddim, eta: f64, first: usize) -> Self {
        Self { ddim, eta, first }
    }
}

impl Sampler for NoiseMapSampler {
    fn timesteps(&self) -> &[f32] {
        &self.ddim.timesteps()[self.first..]
    }

    fn step(&mut self, x: &Tensor, output: &Tensor, i: usize, noise: Option<&Tensor>) -> candle_core::Result<Tensor> {
        let (mean, deviation) = self.ddim.spread(x, output, i + self.first, self.eta)?;
        match noise {
            Some(noise) => mean + (noise * deviation)?,
            None => Ok(mean),
        }
    }

    fn noise_at(&self, _i: usize) -> bool {
        true
    }

    fn noised(&self, clean: &Tensor, noise: &Tensor, i: usize) -> candle_core::Result<Tensor> {
        self.ddim.noised(clean, noise, i + self.first)
    }

    fn after(&self, _memory: &[Tensor]) -> Box<dyn Sampler> {
        Box::new(self.clone())
    }
}
