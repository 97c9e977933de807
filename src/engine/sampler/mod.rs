//! From noise to picture: which levels the UNet is called with, and what its output does to the latent.
//!
//! A [`Sampler`] is a function of a model's [`NoiseSchedule`] and a number of steps. One value serves one run, since some
//! samplers remember earlier steps; [`after`](Sampler::after) gives a fresh one, or one that goes on where another run's
//! first steps ended. A new sampler is a file here, an arm of [`sampler`], and a row of
//! [`SamplerName`].

mod ddim;
mod dpm_solver;

use anyhow::Result;
use candle_core::Tensor;

use super::schedule::NoiseSchedule;
use crate::model::spec::SchedulerSpec;
use crate::plan::sampler::SamplerName;

pub use ddim::Ddim;

/// What takes a run from noise to picture.
pub trait Sampler: std::fmt::Debug {
    /// The levels that the UNet is called with, noisiest first: one per step, fractions where a sampler has them.
    fn timesteps(&self) -> &[f32];

    /// The noise levels in shares of the picture, one more than steps; empty for samplers that do not count so.
    fn sigmas(&self) -> &[f64] {
        &[]
    }

    /// What noise of variance 1 is multiplied by to begin with.
    fn init_noise_scale(&self) -> f64 {
        1.0
    }

    /// The latent as the UNet reads it at step `i`.
    ///
    /// # Errors
    /// Fails if the device has no memory left.
    fn scale_input(&self, x: &Tensor, _i: usize) -> candle_core::Result<Tensor> {
        Ok(x.clone())
    }

    /// The latent after step `i`, from the one before it and the UNet's output. `noise` is given where
    /// [`noise_at`](Self::noise_at) asks for it.
    ///
    /// # Errors
    /// Fails if shapes differ.
    fn step(&mut self, x: &Tensor, output: &Tensor, i: usize, noise: Option<&Tensor>) -> candle_core::Result<Tensor>;

    /// Whether step `i` adds noise. It is drawn from the seed and the step, so it is the same for every node of a tree.
    fn noise_at(&self, _i: usize) -> bool {
        false
    }

    /// What it remembers of the steps it made, one tensor a step; empty where no step depends on those before.
    fn memory(&self) -> &[Tensor] {
        &[]
    }

    /// The same sampler for another run, whose first steps left `memory`; nothing for a run from its start.
    fn after(&self, memory: &[Tensor]) -> Box<dyn Sampler>;
}

/// The sampler of this name for runs of `steps` steps on a model with this scheduler file: training and spacing are the
/// file's, the rest is the sampler's.
///
/// # Errors
/// Fails if there are no steps, or more than the sampler can make on this model.
pub fn sampler(name: SamplerName, spec: &SchedulerSpec, steps: usize) -> Result<Box<dyn Sampler>> {
    let schedule = NoiseSchedule::new(spec);
    Ok(match name {
        SamplerName::Ddim => Box::new(Ddim::new(schedule, spec, steps)?),
        SamplerName::Dpm => Box::new(dpm_solver::DpmSolver::new(schedule, spec, steps)?),
    })
}
