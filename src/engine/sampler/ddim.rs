//! DDIM (Song et al. 2020) with eta 0, in both directions.

use anyhow::Result;
use candle_core::Tensor;

use super::Sampler;
use crate::engine::schedule::{NoiseSchedule, spaced};
use crate::model::spec::SchedulerSpec;
use crate::plan::sampler::SamplerName;

/// DDIM.
#[derive(Debug, Clone)]
pub struct Ddim {
    schedule: NoiseSchedule,
    timesteps: Vec<f32>,
    levels: Vec<usize>,
    /// Levels between one step and the next as DDIM counts; with `trailing` not always the next level visited.
    stride: usize,
    last_is_clean: bool,
    clip: Option<f64>,
}

impl Ddim {
    /// DDIM for runs of `steps` steps.
    ///
    /// # Errors
    /// Fails if there are no steps, or more than the training had.
    pub fn new(schedule: NoiseSchedule, spec: &SchedulerSpec, steps: usize) -> Result<Self> {
        let spacing = spec.spacing_for(SamplerName::Ddim);
        let levels: Vec<usize> =
            spaced(spec, spacing, steps)?.iter().map(|level| level.round_ties_even() as usize).collect();
        Ok(Self {
            schedule,
            timesteps: levels.iter().map(|level| *level as f32).collect(),
            levels,
            stride: spec.train_steps / steps,
            last_is_clean: spec.last_is_clean,
            clip: spec.clip,
        })
    }

    fn alpha(&self, level: usize) -> f64 {
        f64::from(self.schedule.alphas_cumprod()[level])
    }

    /// The share of the picture left after the last step, or at a level one step below `level`.
    fn alpha_below(&self, level: usize) -> f64 {
        self.schedule.left_at(level.checked_sub(self.stride), self.last_is_clean)
    }

    /// What the model was trained with.
    #[must_use]
    pub fn schedule(&self) -> &NoiseSchedule {
        &self.schedule
    }

    /// The training level of step `i`.
    #[must_use]
    pub fn level(&self, i: usize) -> usize {
        self.levels[i]
    }

    /// How much of the picture is left at step `i`, and one step below.
    #[must_use]
    pub fn levels_around(&self, i: usize) -> (f64, f64) {
        (self.alpha(self.levels[i]), self.alpha_below(self.levels[i]))
    }

    /// The mean and the deviation of the latent below step `i` where a share `eta` of the noise is drawn anew.
    ///
    /// # Errors
    /// Fails if shapes differ.
    pub fn spread(&self, x: &Tensor, output: &Tensor, i: usize, eta: f64) -> candle_core::Result<(Tensor, f64)> {
        let (a, below) = self.levels_around(i);
        let at = (a.sqrt(), (1.0 - a).sqrt());
        let variance = (1.0 - below) / (1.0 - a) * (1.0 - a / below);
        let (clean, noise) = (self.schedule.clean(x, output, at)?, self.schedule.noise(x, output, at)?);
        // As published: the share, not its square, of the variance.
        let mean = ((clean * below.sqrt())? + (noise * (1.0 - below - eta * variance).sqrt())?)?;
        Ok((mean, eta * variance.sqrt()))
    }

    /// One step towards the picture, from the UNet's `output` at step `i`.
    ///
    /// # Errors
    /// Fails if shapes differ.
    pub fn step_on(&self, x: &Tensor, output: &Tensor, i: usize) -> candle_core::Result<Tensor> {
        let level = self.levels[i];
        self.moved(x, output, self.alpha(level), self.alpha_below(level))
    }

    /// One step towards noise: from the latent before step `i` (counted from the noisy end) to the one that it began with.
    /// The output was computed at that step's level, but the latent lies one step below, as published.
    ///
    /// # Errors
    /// Fails if shapes differ.
    pub fn step_back(&self, x: &Tensor, output: &Tensor, i: usize) -> candle_core::Result<Tensor> {
        let level = self.levels[i];
        let from = level.checked_sub(self.stride).map_or_else(|| self.alpha(0), |below| self.alpha(below));
        self.moved(x, output, from, self.alpha(level))
    }

    /// Splits the latent into picture and noise at one level and mixes them anew at another.
    fn moved(&self, x: &Tensor, output: &Tensor, a: f64, to: f64) -> candle_core::Result<Tensor> {
        let at = (a.sqrt(), (1.0 - a).sqrt());
        let mut clean = self.schedule.clean(x, output, at)?;
        if let Some(range) = self.clip {
            clean = clean.clamp(-range, range)?; // the noise stays what it was, as published
        }
        let noise = self.schedule.noise(x, output, at)?;
        (clean * to.sqrt())? + (noise * (1.0 - to).sqrt())?
    }
}

impl Sampler for Ddim {
    fn timesteps(&self) -> &[f32] {
        &self.timesteps
    }

    fn step(&mut self, x: &Tensor, output: &Tensor, i: usize, _noise: Option<&Tensor>) -> candle_core::Result<Tensor> {
        self.step_on(x, output, i)
    }

    fn noised(&self, clean: &Tensor, noise: &Tensor, i: usize) -> candle_core::Result<Tensor> {
        self.levels.get(i).map_or_else(|| Ok(clean.clone()), |level| self.schedule.noised(clean, noise, *level))
    }

    fn after(&self, _memory: &[Tensor]) -> Box<dyn Sampler> {
        Box::new(self.clone())
    }
}
