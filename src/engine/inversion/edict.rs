//! EDICT (Wallace et al. 2023, arXiv:2211.12446): two latents that move by each other's predictions, so that each move can be
//! taken back exactly.

use anyhow::{Result, ensure};
use candle_core::Tensor;

use super::super::sampler::{Ddim, Sampler};
use super::super::{Conditions, Engine, Guidance};

/// Coupled latents on the last steps of a run.
#[derive(Debug)]
pub struct Edict {
    /// Levels and what they were trained with.
    pub ddim: Ddim,
    /// How much of itself a latent keeps where the two are mixed; 1 is no mixing.
    pub mixing: f64,
    /// Whether the two take turns in who moves first.
    pub leapfrog: bool,
    /// The first step that is made; those before are left out.
    pub first: usize,
    /// How the words push, both ways.
    pub guidance: Guidance,
}

impl Edict {
    /// The share that is kept of a latent in a move down at step `i`, and that of the prediction.
    fn shares(&self, i: usize) -> (f64, f64) {
        let (at, below) = self.ddim.levels_around(i);
        let kept = (below / at).sqrt();
        (kept, (1.0 - below).sqrt() - kept * (1.0 - at).sqrt())
    }

    fn noise(&self, engine: &Engine, x: &Tensor, conditions: &Conditions, i: usize) -> Result<Tensor> {
        let output = engine.predict_guided(x, conditions, self.ddim.timesteps()[i], self.guidance)?;
        let (at, _) = self.ddim.levels_around(i);
        Ok(self.ddim.schedule().noise(x, &output, (at.sqrt(), (1.0 - at).sqrt()))?)
    }

    /// From a picture's latent up: the pair at the noisiest of the steps.
    ///
    /// # Errors
    /// Fails if no step is left or nothing is kept where the two are mixed, or the device has no memory left.
    pub fn up(&self, engine: &Engine, clean: &Tensor, conditions: &Conditions) -> Result<[Tensor; 2]> {
        let steps = self.ddim.timesteps().len();
        ensure!(self.first < steps, "no step of {steps} is left");
        ensure!(self.mixing > 0.0, "`mixing` is 0, which cannot be taken back");
        let (mut x, mut y) = (clean.clone(), clean.clone());
        for (nth, i) in (self.first..steps).rev().enumerate() {
            y = self.unmixed(&y, &x)?;
            x = self.unmixed(&x, &y)?;
            let (kept, share) = self.shares(i);
            let back = |it: &Tensor, other: &Tensor| -> Result<Tensor> {
                Ok(((it - (self.noise(engine, other, conditions, i)? * share)?)? / kept)?)
            };
            if self.leapfrog && nth % 2 == 0 {
                x = back(&x, &y)?;
                y = back(&y, &x)?;
            } else {
                y = back(&y, &x)?;
                x = back(&x, &y)?;
            }
        }
        Ok([x, y])
    }

    /// From the pair down again, under other words: the picture's latent.
    ///
    /// # Errors
    /// Fails if the device has no memory left.
    pub fn down(&self, engine: &Engine, [x, y]: [Tensor; 2], conditions: &Conditions) -> Result<Tensor> {
        let (mut x, mut y) = (x, y);
        for (nth, i) in (self.first..self.ddim.timesteps().len()).enumerate() {
            let (kept, share) = self.shares(i);
            let moved = |it: &Tensor, other: &Tensor| -> Result<Tensor> {
                Ok(((it * kept)? + (self.noise(engine, other, conditions, i)? * share)?)?)
            };
            if self.leapfrog && nth % 2 == 1 {
                y = moved(&y, &x)?;
                x = moved(&x, &y)?;
            } else {
                x = moved(&x, &y)?;
                y = moved(&y, &x)?;
            }
            x = self.mixed(&x, &y)?;
            y = self.mixed(&y, &x)?;
        }
        Ok(x)
    }

    fn mixed(&self, it: &Tensor, other: &Tensor) -> candle_core::Result<Tensor> {
        (it * self.mixing)? + (other * (1.0 - self.mixing))?
    }

    fn unmixed(&self, it: &Tensor, other: &Tensor) -> candle_core::Result<Tensor> {
        (it - (other * (1.0 - self.mixing))?)? / self.mixing
    }
}
