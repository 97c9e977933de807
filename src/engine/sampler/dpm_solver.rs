//! DPM-Solver++ of second order, multistep (2M): Lu et al. 2022, arXiv:2211.01095.
//!
//! Each step follows the straight line through the clean latents that this step and the one before it predicted. The
//! noise level counts as `sigma = noise / picture`.

use anyhow::{Result, ensure};
use candle_core::Tensor;

use super::Sampler;
use crate::engine::schedule::{NoiseSchedule, spaced};
use crate::model::spec::{SchedulerSpec, Spacing};

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
        let mut levels = match spec.spacing {
            Spacing::Trailing => spaced(spec, steps)?,
            // The level that a further step would have: this sampler never calls the UNet there.
            Spacing::Leading | Spacing::Linspace => {
                let mut levels = spaced(spec, steps + 1)?;
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
            let table: Vec<f64> = (0..=last).map(|level| schedule.sigma(level).ln()).collect();
            levels = sigmas.iter().map(|sigma| level_of(&table, sigma.ln()).round_ties_even()).collect();
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

/// Sigmas spaced by their seventh roots (Karras et al. 2022).
fn karras(from: f64, to: f64, steps: usize) -> Vec<f64> {
    let (from, to) = (from.powf(1.0 / 7.0), to.powf(1.0 / 7.0));
    let share = |i: usize| if steps == 1 { 0.0 } else { i as f64 / (steps - 1) as f64 };
    (0..steps).map(|i| (from + share(i) * (to - from)).powi(7)).collect()
}

/// The level, fractions included, at which a rising table of logarithms has this value.
fn level_of(table: &[f64], log: f64) -> f64 {
    let low = table.partition_point(|t| *t <= log).clamp(1, table.len() - 1) - 1;
    low as f64 + ((log - table[low]) / (table[low + 1] - table[low])).clamp(0.0, 1.0)
}

/// How much of the picture and of the noise there is at a sigma.
fn mixed(sigma: f64) -> (f64, f64) {
    let alpha = 1.0 / (sigma * sigma + 1.0).sqrt();
    (alpha, sigma * alpha)
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

    fn memory(&self) -> &[Tensor] {
        &self.predicted
    }

    fn after(&self, memory: &[Tensor]) -> Box<dyn Sampler> {
        Box::new(Self { predicted: memory.to_vec(), ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use serde_json::json;

    fn solver(steps: usize) -> Result<DpmSolver> {
        let file =
            json!({"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "steps_offset": 1});
        let spec = SchedulerSpec::parse("scheduler", file)?;
        DpmSolver::new(NoiseSchedule::new(&spec), &spec, steps)
    }

    fn run(sampler: &mut dyn Sampler, mut x: Tensor, steps: std::ops::Range<usize>) -> Vec<u32> {
        for i in steps {
            let output = (&x * (0.3 + 0.1 * i as f64)).unwrap();
            x = sampler.step(&x, &output, i, None).unwrap();
        }
        x.to_vec1::<f32>().unwrap().iter().map(|x| x.to_bits()).collect()
    }

    fn start() -> Tensor {
        Tensor::new(&[0.4f32, -1.7, 2.2], &Device::Cpu).unwrap()
    }

    #[test]
    fn a_run_that_goes_on_from_memory_has_the_bits_of_one_from_the_start() {
        let mut whole = solver(20).unwrap();
        let all = run(&mut whole, start(), 0..20);
        let mut first = solver(20).unwrap();
        let half: Vec<f32> = run(&mut first, start(), 0..9).into_iter().map(f32::from_bits).collect();
        let half = Tensor::new(half, &Device::Cpu).unwrap();
        assert_eq!(run(&mut *whole.after(&whole.memory()[..9]), half.clone(), 9..20), all);
        assert_ne!(run(&mut *whole.after(&[]), half, 9..20), all, "the first step needs no memory");
        assert_eq!(run(&mut *whole.after(&[]), start(), 0..20), all, "a fresh one remembers");
    }

    #[test]
    fn a_run_of_more_steps_than_there_are_levels_is_refused() {
        assert!(solver(999).is_err() && solver(1000).is_err() && solver(0).is_err());
        assert_eq!(solver(998).unwrap().timesteps().len(), 998);
    }
}
