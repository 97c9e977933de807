//! Edits that begin with a noised picture: SDEdit (Meng et al. 2022, arXiv:2108.01073) and MagicMix (Liew et al. 2022,
//! arXiv:2210.16056).

use std::ops::ControlFlow;

use anyhow::{Result, ensure};
use candle_core::Tensor;

use super::super::sampler::{Ddim, Sampler};
use super::super::{Conditions, Engine, Guidance};

/// The steps that a share of a run has at its end: `share` of `steps`, cut off.
#[must_use]
pub fn last_steps(steps: usize, share: f64) -> usize {
    ((steps as f64 * share) as usize).min(steps)
}

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

/// Sees each latent after its step; may stop.
pub type WatchEdit<'w> = &'w mut dyn FnMut(usize, &Tensor) -> ControlFlow<()>;

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
    watch: WatchEdit<'_>,
) -> Result<Option<Vec<Tensor>>> {
    let steps = edit.ddim.timesteps().len();
    let first = steps - last_steps(steps, strength);
    ensure!(first < steps, "`strength` {strength} is no step of {steps}");
    let mut latents = vec![edit.ddim.schedule().noised(clean, edit.noise, edit.ddim.level(first))?];
    for step in first..steps {
        let latent = &latents[latents.len() - 1];
        let level = edit.ddim.timesteps()[step];
        let output = engine.predict_guided(latent, edit.conditions, level, edit.guidance)?;
        let next = edit.ddim.step_on(latent, &output, step)?;
        let flow = watch(step, &next);
        latents.push(next);
        if flow.is_break() {
            return Ok(None);
        }
    }
    Ok(Some(latents))
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
    watch: WatchEdit<'_>,
) -> Result<Option<(Vec<Tensor>, Vec<Tensor>)>> {
    let steps = edit.ddim.timesteps().len();
    let (first, unmixed) = (steps - last_steps(steps, mixing.kmax), steps - last_steps(steps, mixing.kmin));
    ensure!(first < steps, "`kmax` {} is no step of {steps}", mixing.kmax);
    let noised = |step: usize| edit.ddim.schedule().noised(clean, edit.noise, edit.ddim.level(step));
    let (mut latents, mut read) = (vec![noised(first)?], Vec::new());
    for step in first..steps {
        let latent = &latents[latents.len() - 1];
        let input = if step == first || step >= unmixed {
            latent.clone()
        } else {
            ((latent * mixing.nu)? + (noised(step)? * (1.0 - mixing.nu))?)?
        };
        let level = edit.ddim.timesteps()[step];
        let output = engine.predict_guided(&input, edit.conditions, level, edit.guidance)?;
        let next = edit.ddim.step_on(latent, &output, step)?;
        read.push(input);
        let flow = watch(step, &next);
        latents.push(next);
        if flow.is_break() {
            return Ok(None);
        }
    }
    Ok(Some((latents, read)))
}
