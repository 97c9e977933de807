//! Samplers of consistency models, which guess the clean latent at every step and put noise on it again: LCM (Luo et al.
//! 2023, arXiv:2310.04378) and TCD (Zheng et al. 2024, arXiv:2402.19159).

use anyhow::{Result, ensure};
use candle_core::Tensor;

use super::Sampler;
use crate::engine::schedule::NoiseSchedule;
use crate::model::spec::SchedulerSpec;

/// How large the data are for the weights of LCM.
const SIGMA_DATA: f64 = 0.5;

#[derive(Debug, Clone)]
pub(super) struct Consistency {
    schedule: NoiseSchedule,
    timesteps: Vec<f32>,
    levels: Vec<usize>,
    clip: Option<f64>,
    rule: Rule,
}

#[derive(Debug, Clone, Copy)]
enum Rule {
    /// All noise is fresh.
    Lcm { timestep_scaling: f64 },
    /// A share of it is.
    Tcd { eta: f64 },
}

impl Consistency {
    pub(super) fn lcm(schedule: NoiseSchedule, spec: &SchedulerSpec, steps: usize) -> Result<Self> {
        Self::new(schedule, spec, steps, Rule::Lcm { timestep_scaling: spec.timestep_scaling })
    }

    pub(super) fn tcd(schedule: NoiseSchedule, spec: &SchedulerSpec, steps: usize) -> Result<Self> {
        Self::new(schedule, spec, steps, Rule::Tcd { eta: spec.eta })
    }

    /// Every so many of the levels that the model was distilled at.
    fn new(schedule: NoiseSchedule, spec: &SchedulerSpec, steps: usize, rule: Rule) -> Result<Self> {
        let distilled = spec.original_steps;
        ensure!(
            distilled <= spec.train_steps,
            "`original_inference_steps` is {distilled}, but the model was trained with {} noise levels",
            spec.train_steps
        );
        ensure!(
            (1..=distilled).contains(&steps),
            "{steps} steps, but this sampler makes 1 to {distilled}, the steps that its model was distilled from"
        );
        let apart = spec.train_steps / distilled;
        let levels: Vec<usize> = (0..steps).map(|i| (distilled - i * distilled / steps) * apart - 1).collect();
        Ok(Self {
            schedule,
            timesteps: levels.iter().map(|level| *level as f32).collect(),
            levels,
            clip: spec.clip,
            rule,
        })
    }

    fn alpha(&self, level: usize) -> f64 {
        f64::from(self.schedule.alphas_cumprod()[level])
    }

    /// The level of the step after `i`.
    fn next(&self, i: usize) -> Option<usize> {
        self.levels.get(i + 1).copied()
    }

    /// The level, below the next, down to which TCD moves without fresh noise.
    fn tcd_level(&self, i: usize, eta: f64) -> usize {
        ((1.0 - eta) * self.next(i).unwrap_or(0) as f64).floor() as usize
    }
}

impl Sampler for Consistency {
    fn timesteps(&self) -> &[f32] {
        &self.timesteps
    }

    fn step(&mut self, x: &Tensor, output: &Tensor, i: usize, noise: Option<&Tensor>) -> candle_core::Result<Tensor> {
        let a = self.alpha(self.levels[i]);
        let at = (a.sqrt(), (1.0 - a).sqrt());
        let mut clean = self.schedule.clean(x, output, at)?;
        if let Some(range) = self.clip {
            clean = clean.clamp(-range, range)?;
        }
        let next = self.next(i);
        let (latent, keeps, adds) = match self.rule {
            Rule::Lcm { timestep_scaling } => {
                let w = self.levels[i] as f64 * timestep_scaling;
                let below = w * w + SIGMA_DATA * SIGMA_DATA;
                let latent = ((clean * (w / below.sqrt()))? + (x * (SIGMA_DATA * SIGMA_DATA / below))?)?;
                let a = next.map_or(1.0, |level| self.alpha(level));
                (latent, a.sqrt(), (1.0 - a).sqrt())
            }
            Rule::Tcd { eta } => {
                let eps = self.schedule.noise(x, output, at)?;
                let between = self.alpha(self.tcd_level(i, eta));
                let latent = ((clean * between.sqrt())? + (eps * (1.0 - between).sqrt())?)?;
                let share = next.filter(|_| eta > 0.0).map_or(1.0, |level| self.alpha(level) / between);
                (latent, share.sqrt(), (1.0 - share).sqrt())
            }
        };
        match noise {
            Some(noise) => (latent * keeps)? + (noise * adds)?,
            None => Ok(latent),
        }
    }

    fn noise_at(&self, i: usize) -> bool {
        let fresh = match self.rule {
            Rule::Lcm { .. } => true,
            Rule::Tcd { eta } => eta > 0.0,
        };
        fresh && self.next(i).is_some()
    }

    fn noised(&self, clean: &Tensor, noise: &Tensor, i: usize) -> candle_core::Result<Tensor> {
        self.levels.get(i).map_or_else(|| Ok(clean.clone()), |level| self.schedule.noised(clean, noise, *level))
    }

    fn after(&self, _memory: &[Tensor]) -> Box<dyn Sampler> {
        Box::new(self.clone())
    }
}
