//! Edits that begin with a noised picture: SDEdit (Meng et al. 2022, arXiv:2108.01073) and MagicMix (Liew et al. 2022,
//! arXiv:2210.16056).

use anyhow::{Result, ensure};
use candle_core::Tensor;

use super::super::sampler::{Ddim, Sampler};
use super::super::{Conditions, Engine, Guidance, WatchLatents};
use super::steps::{LastSteps, last_steps};

/// What an edit of a picture's latent by noise and steps needs besides the latent.
#[derive(Debug, Clone, Copy)]
pub struct NoisedEdit<'a> {
    /// The sampler.
    pub ddim: &'a Ddim,
    /// What is read.
    pub conditions: &'a Conditions,
    /// How the words push.
    pub guidance: Guidance,
    /// The noise that the picture is laid under.
    pub noise: &'a Tensor,
}

impl<'a> NoisedEdit<'a> {
    /// The last share of the steps, of which there is at least one; `called` is what the share is called.
    fn last(&self, share: f64, called: &str) -> Result<LastSteps<'a>> {
        let Self { ddim, conditions, guidance, .. } = *self;
        let steps = ddim.timesteps().len();
        let first = steps - last_steps(steps, share);
        ensure!(first < steps, "`{called}` {share} is no step of {steps}");
        Ok(LastSteps { ddim, conditions, guidance, first })
    }

    /// The picture under the noise of the level at which a step begins.
    fn noised(&self, clean: &Tensor, step: usize) -> candle_core::Result<Tensor> {
        self.ddim.schedule().noised(clean, self.noise, self.ddim.level(step))
    }
}

/// SDEdit: the picture under the noise of the level at which the last share `strength` of the steps begins, and those steps.
/// The latents, the start first; `None` if it was stopped.
///
/// # Errors
/// Fails if `strength` leaves no step, or the device has no memory left.
pub fn sdedit(
    engine: &Engine,
    clean: &Tensor,
    edit: NoisedEdit<'_>,
    strength: f64,
    watch: WatchLatents<'_>,
) -> Result<Option<Vec<Tensor>>> {
    let steps = edit.last(strength, "strength")?;
    let start = edit.noised(clean, steps.first)?;
    steps.run(engine, start, &mut |_, latent| Ok(latent.clone()), &|_, latent| Ok(latent), watch)
}

/// When MagicMix mixes, and how much.
#[derive(Debug, Clone, Copy)]
pub struct Mixing {
    /// Share of the steps, from the end, that are no longer mixed.
    pub kmin: f64,
    /// Share of the steps, from the end, that are made at all.
    pub kmax: f64,
    /// Share of what is being drawn in the mixture; 1 is no mixing.
    pub nu: f64,
}

/// MagicMix: the words drawn into the layout of the picture. While it mixes, the UNet reads the latent mixed with the noised
/// picture, but the step is made from the latent itself, as published. The latents, the start first, and what the UNet
/// read at each step; `None` if it was stopped.
///
/// # Errors
/// Fails if `kmax` leaves no step, or the device has no memory left.
pub fn magic_mix(
    engine: &Engine,
    clean: &Tensor,
    edit: NoisedEdit<'_>,
    mixing: Mixing,
    watch: WatchLatents<'_>,
) -> Result<Option<(Vec<Tensor>, Vec<Tensor>)>> {
    let steps = edit.last(mixing.kmax, "kmax")?;
    let all = edit.ddim.timesteps().len();
    let unmixed = all - last_steps(all, mixing.kmin);
    let mut read = Vec::new();
    let mut reads = |step: usize, latent: &Tensor| -> Result<Tensor> {
        let input = if step == steps.first || step >= unmixed {
            latent.clone()
        } else {
            ((latent * mixing.nu)? + (edit.noised(clean, step)? * (1.0 - mixing.nu))?)?
        };
        read.push(input.clone());
        Ok(input)
    };
    let start = edit.noised(clean, steps.first)?;
    let latents = steps.run(engine, start, &mut reads, &|_, latent| Ok(latent), watch)?;
    Ok(latents.map(|latents| (latents, read)))
}
