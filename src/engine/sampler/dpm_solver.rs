//! DPM-Solver++ of second order, multistep (2M): Lu et al. 2022, arXiv:2211.01095.
//!
//! Each step follows the straight line through the clean latents that this step and the one before it predicted. The
//! noise level counts as `sigma = noise / picture`.

use anyhow::{Result, ensure};
use candle_core::Tensor;

use super::Sampler;
use crate::engine::schedule::{NoiseSchedule, karras, mixed, spaced};
use crate::model::spec::{SchedulerSpec, Spacing};
use crate::plan::sampler::SamplerName;

/// Below so many steps the last is of first order where the file says `lower_order_final`, as published.
const FEW_STEPS: usize = 15;

#[derive(Debug, Clone)]
pub(super) struct DpmSolver {
    schedule: NoiseSchedule,
    timesteps: Vec<f32>,
    /// One more than steps.
    sigmas: Vec<f64>,
    last_is_first_order: bool,
    /// The clean latents that steps predicted.
    predicted: Vec<Tensor>,
}

impl DpmSolver {
    pub(super) fn new(schedule: NoiseSchedule, spec: &SchedulerSpec, steps: usize) -> Result<Self> {
        let last = spec.train_steps - 1;
        ensure!((1..=last).contains(&steps), "{steps} steps, but this sampler makes 1 to {last} on this model");
        let mut levels = match spec.spacing_for(SamplerName::Dpm) {
            Spacing::Trailing => spaced(spec, Spacing::Trailing, steps)?,
            // The level that a further step would have: this sampler never calls the UNet there.
            spacing => {
                let mut levels = spaced(spec, spacing, steps + 1)?;
                levels.pop();
                levels
            }
        };
        for level in &mut levels {
            *level = level.round_ties_even();
        }
        let mut sigmas: Vec<f64> = levels.iter().map(|level| schedule.sigma(*level as usize)).collect();
        if spec.karras_sigmas {
            sigmas = karras(schedule.sigma(last), schedule.sigma(0), steps);
            levels = schedule.levels_of(&sigmas).into_iter().map(f64::round_ties_even).collect();
        }
        ensure!(sigmas.windows(2).all(|pair| pair[0] > pair[1]), "{steps} steps are too many for this sampler here");
        sigmas.push(if spec.last_sigma_is_zero { 0.0 } else { schedule.sigma(0) });
        Ok(Self {
            schedule,
            timesteps: levels.into_iter().map(|level| level as f32).collect(),
            sigmas,
            last_is_first_order: spec.last_sigma_is_zero || (spec.lower_order_final && steps < FEW_STEPS),
            predicted: Vec::new(),
        })
    }
}

impl Sampler for DpmSolver {
    fn timesteps(&self) -> &[f32] {
        &self.timesteps
    }

    fn sigmas(&self) -> &[f64] {
        &self.sigmas
    }

    fn step(&mut self, x: &Tensor, output: &Tensor, i: usize, _noise: Option<&Tensor>) -> candle_core::Result<Tensor> {
        let (sigma, next) = (self.sigmas[i], self.sigmas[i + 1]);
        let clean = self.schedule.clean(x, output, mixed(sigma))?;
        let before = self.predicted.last().filter(|_| !(self.last_is_first_order && i + 2 == self.sigmas.len()));
        // Steps are measured in the logarithm of picture over noise; to a picture without noise the way is endless.
        let h = sigma.ln() - next.ln();
        let along = match before {
            Some(before) => {
                let h_before = self.sigmas[i - 1].ln() - sigma.ln();
                (&clean + ((&clean - before)? * (h / (2.0 * h_before)))?)?
            }
            None => clean.clone(),
        };
        self.predicted.push(clean);
        (x * (mixed(next).1 / mixed(sigma).1))? + (along * (mixed(next).0 * (1.0 - (-h).exp())))?
    }

    fn noised(&self, clean: &Tensor, noise: &Tensor, i: usize) -> candle_core::Result<Tensor> {
        if i >= self.timesteps.len() {
            return Ok(clean.clone());
        }
        let (alpha, sigma) = mixed(self.sigmas[i]);
        (clean * alpha)? + (noise * sigma)?
    }

    fn memory(&self) -> &[Tensor] {
        &self.predicted
    }

    fn after(&self, memory: &[Tensor]) -> Box<dyn Sampler> {
        Box::new(Self { predicted: memory.to_vec(), ..self.clone() })
    }
}
