//! The last steps of a run on one latent, unwatched by controls.

use anyhow::Result;
use candle_core::Tensor;

use super::super::sampler::{Ddim, Sampler};
use super::super::{Conditions, Engine, Guidance, WatchLatents};

/// The steps that a share of a run has at its end: `share` of `steps`, cut off.
#[must_use]
pub fn last_steps(steps: usize, share: f64) -> usize {
    ((steps as f64 * share) as usize).min(steps)
}

/// Steps of a run, from one of them on.
#[derive(Debug, Clone, Copy)]
pub struct LastSteps<'a> {
    /// The sampler.
    pub ddim: &'a Ddim,
    /// What is read.
    pub conditions: &'a Conditions,
    /// How the words push.
    pub guidance: Guidance,
    /// The first step that is made.
    pub first: usize,
}

impl LastSteps<'_> {
    /// Makes the steps from `start`. `reads` gives what the UNet reads of the latent before a step, `after` what becomes of the
    /// latent after it. The latents, the start first; `None` if it was stopped.
    ///
    /// # Errors
    /// Fails if `reads` or `after` do, or the device has no memory left.
    pub fn run(
        &self,
        engine: &Engine,
        start: Tensor,
        reads: &mut dyn FnMut(usize, &Tensor) -> Result<Tensor>,
        after: &dyn Fn(usize, Tensor) -> Result<Tensor>,
        watch: WatchLatents<'_>,
    ) -> Result<Option<Vec<Tensor>>> {
        let mut latents = vec![start];
        for step in self.first..self.ddim.timesteps().len() {
            let latent = &latents[latents.len() - 1];
            let level = self.ddim.timesteps()[step];
            let output = engine.predict_guided(&reads(step, latent)?, self.conditions, level, self.guidance)?;
            // Where weights are variables nothing is to be remembered from step to step.
            let next = after(step, self.ddim.step_on(latent, &output, step)?.detach())?;
            let flow = watch(step, &next);
            latents.push(next);
            if flow.is_break() {
                return Ok(None);
            }
        }
        Ok(Some(latents))
    }
}
