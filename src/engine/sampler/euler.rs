//! Euler's method on the probability flow, counted in sigmas (Karras et al. 2022, arXiv:2206.00364), and its ancestral
//! form, which steps too far down and adds noise back (k-diffusion).

use anyhow::{Result, ensure};
use candle_core::Tensor;

use super::Sampler;
use crate::engine::schedule::{NoiseSchedule, karras, mixed, spaced};
use crate::model::spec::{SchedulerSpec, Spacing};
use crate::plan::sampler::SamplerName;

#[derive(Debug, Clone)]
pub(super) struct Euler {
    schedule: NoiseSchedule,
    timesteps: Vec<f32>,
    /// One more than steps.
    sigmas: Vec<f64>,
    init_noise_scale: f64,
    ancestral: bool,
}

impl Euler {
    pub(super) fn new(schedule: NoiseSchedule, spec: &SchedulerSpec, steps: usize, ancestral: bool) -> Result<Self> {
        let spacing = spec.spacing_for(if ancestral { SamplerName::EulerAncestral } else { SamplerName::Euler });
        let mut levels = spaced(spec, spacing, steps)?;
        let mut sigmas: Vec<f64> = levels.iter().map(|level| schedule.sigma_at(*level)).collect();
        if spec.karras_sigmas && !ancestral {
            // From the run's own first sigma to its last; the UNet is called between two levels then.
            sigmas = karras(sigmas[0], sigmas[steps - 1], steps);
            levels = schedule.levels_of(&sigmas);
        }
        ensure!(sigmas.windows(2).all(|pair| pair[0] > pair[1]), "{steps} steps are too many for this sampler here");
        let largest = sigmas[0];
        sigmas.push(if spec.last_sigma_is_zero || ancestral { 0.0 } else { schedule.sigma(0) });
        Ok(Self {
            schedule,
            timesteps: levels.into_iter().map(|level| level as f32).collect(),
            init_noise_scale: match spacing {
                Spacing::Leading => largest.hypot(1.0),
                Spacing::Trailing | Spacing::Linspace => largest,
            },
            sigmas,
            ancestral,
        })
    }

    /// The sigma that step `i` moves down to, and that of the noise it adds then.
    fn down_and_up(&self, i: usize) -> (f64, f64) {
        let (sigma, next) = (self.sigmas[i], self.sigmas[i + 1]);
        if !self.ancestral {
            return (next, 0.0);
        }
        let up = next * (sigma * sigma - next * next).sqrt() / sigma;
        ((next * next - up * up).sqrt(), up)
    }
}

impl Sampler for Euler {
    fn timesteps(&self) -> &[f32] {
        &self.timesteps
    }

    fn sigmas(&self) -> &[f64] {
        &self.sigmas
    }

    fn init_noise_scale(&self) -> f64 {
        self.init_noise_scale
    }

    fn scale_input(&self, x: &Tensor, i: usize) -> candle_core::Result<Tensor> {
        x / self.sigmas[i].hypot(1.0)
    }

    fn step(&mut self, x: &Tensor, output: &Tensor, i: usize, noise: Option<&Tensor>) -> candle_core::Result<Tensor> {
        let sigma = self.sigmas[i];
        let clean = self.schedule.clean(&self.scale_input(x, i)?, output, mixed(sigma))?;
        let (down, up) = self.down_and_up(i);
        let along = ((x - clean)? * ((down - sigma) / sigma))?;
        let moved = (x + along)?;
        match noise {
            Some(noise) => moved + (noise * up)?,
            None => Ok(moved),
        }
    }

    fn noise_at(&self, i: usize) -> bool {
        self.down_and_up(i).1 > 0.0
    }

    fn noised(&self, clean: &Tensor, noise: &Tensor, i: usize) -> candle_core::Result<Tensor> {
        if i < self.timesteps.len() { clean + (noise * self.sigmas[i])? } else { Ok(clean.clone()) }
    }

    fn after(&self, _memory: &[Tensor]) -> Box<dyn Sampler> {
        Box::new(self.clone())
    }
}
