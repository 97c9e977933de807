//! Pseudo linear multistep (PLMS): Liu et al. 2022, arXiv:2202.09778, without Runge-Kutta steps, as Stable Diffusion was
//! published with.
//!
//! The second level is visited twice: once to look, once to go there from the start along the mean of both looks. So a run
//! makes one call more than it has levels.

use anyhow::{Result, ensure};
use candle_core::Tensor;

use super::Sampler;
use crate::engine::schedule::{NoiseSchedule, spaced};
use crate::model::spec::SchedulerSpec;
use crate::plan::sampler::SamplerName;

/// Shares of the newest outputs and of those before, by how many there are.
const SHARES: [&[f64]; 4] = [
    &[1.0],
    &[1.5, -0.5],
    &[23.0 / 12.0, -16.0 / 12.0, 5.0 / 12.0],
    &[55.0 / 24.0, -59.0 / 24.0, 37.0 / 24.0, -9.0 / 24.0],
];

#[derive(Debug, Clone)]
pub(super) struct Plms {
    schedule: NoiseSchedule,
    timesteps: Vec<f32>,
    levels: Vec<usize>,
    stride: usize,
    last_is_clean: bool,
    /// The output of each call; of the first, beneath it, the latent that the run began with.
    outputs: Vec<Tensor>,
}

impl Plms {
    /// A run of `calls` calls: one, or one more than it has levels.
    pub(super) fn new(schedule: NoiseSchedule, spec: &SchedulerSpec, calls: usize) -> Result<Self> {
        ensure!(
            calls != 2,
            "2 steps, but this sampler makes 1, or 3 and more: it calls the model twice at its second level"
        );
        let steps = calls.saturating_sub(1).max(1);
        let spaced = spaced(spec, spec.spacing_for(SamplerName::Plms), steps)?;
        let mut levels: Vec<usize> = spaced.iter().map(|level| level.round_ties_even() as usize).collect();
        if steps > 1 {
            levels.insert(1, levels[1]);
        }
        Ok(Self {
            schedule,
            timesteps: levels.iter().map(|level| *level as f32).collect(),
            levels,
            stride: spec.train_steps / steps,
            last_is_clean: spec.last_is_clean,
            outputs: Vec::new(),
        })
    }

    /// The output of an earlier call.
    fn output(&self, call: usize) -> candle_core::Result<Tensor> {
        if call == 0 { self.outputs[0].get(1) } else { Ok(self.outputs[call].clone()) }
    }
}

impl Sampler for Plms {
    fn timesteps(&self) -> &[f32] {
        &self.timesteps
    }

    fn step(&mut self, x: &Tensor, output: &Tensor, i: usize, _noise: Option<&Tensor>) -> candle_core::Result<Tensor> {
        // The second call looks from where the first one's step ended, and goes there from its start.
        let (x, along, from) = if i == 1 {
            (self.outputs[0].get(0)?, ((output + self.output(0)?)? * 0.5)?, (self.levels[1] + self.stride))
        } else {
            // The second call's output counts no more after it.
            let earlier = (0..i).rev().filter(|call| *call != 1).take(3);
            let shares = SHARES[earlier.clone().count()];
            let mut along = (output * shares[0])?;
            for (call, share) in earlier.zip(&shares[1..]) {
                along = (along + (self.output(call)? * *share)?)?;
            }
            (x.clone(), along, self.levels[i])
        };
        self.outputs.push(if i == 0 { Tensor::stack(&[&x, output], 0)? } else { output.clone() });
        let left = |level| self.schedule.left_at(level, self.last_is_clean);
        let (a, to) = (left(Some(from)), left(from.checked_sub(self.stride)));
        let at = (a.sqrt(), (1.0 - a).sqrt());
        let (clean, noise) = (self.schedule.clean(&x, &along, at)?, self.schedule.noise(&x, &along, at)?);
        (clean * to.sqrt())? + (noise * (1.0 - to).sqrt())?
    }

    fn noised(&self, clean: &Tensor, noise: &Tensor, i: usize) -> candle_core::Result<Tensor> {
        self.levels.get(i).map_or_else(|| Ok(clean.clone()), |level| self.schedule.noised(clean, noise, *level))
    }

    fn memory(&self) -> &[Tensor] {
        &self.outputs
    }

    fn after(&self, memory: &[Tensor]) -> Box<dyn Sampler> {
        Box::new(Self { outputs: memory.to_vec(), ..self.clone() })
    }
}
