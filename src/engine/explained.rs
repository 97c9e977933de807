//! How well texts explain a picture, in the model's own eyes.

use anyhow::Result;
use candle_core::{DType, Tensor};

use super::schedule::NoiseSchedule;
use super::unet::Condition;
use super::{Engine, Guidance};

/// The noise under which texts are asked to explain a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoiseProbe {
    /// What it is drawn from: the same for every picture.
    pub seed: u64,
    /// Levels, in shares of the training's.
    pub levels: &'static [f64],
    /// Noises at each level.
    pub noises: usize,
}

impl Engine {
    /// By how much of the first text's error the second explains a clean latent, `[h, w, channels]`, better, in percent: the mean squared
    /// distance of estimated from true noise, over levels and noises. Each text takes an evaluation for each noise at each level.
    ///
    /// Source: Li et al. 2023, "Your Diffusion Model is Secretly a Zero-Shot Classifier".
    ///
    /// # Errors
    /// Fails if the device has no memory left.
    pub fn better_explained(
        &self,
        clean: &Tensor,
        texts: [&Condition; 2],
        guidance: Guidance,
        probe: NoiseProbe,
    ) -> Result<f64> {
        let schedule = NoiseSchedule::new(&self.spec.scheduler);
        let mut errors = [0.0, 0.0];
        for (at, share) in probe.levels.iter().enumerate() {
            let level = (share * schedule.alphas_cumprod().len() as f64) as usize;
            let a = f64::from(schedule.alphas_cumprod()[level]);
            for number in 0..probe.noises {
                let noise = self.noise_after(probe.seed, at * probe.noises + number, clean.dims3()?)?;
                let noised = schedule.noised(clean, &noise, level)?;
                for (error, text) in errors.iter_mut().zip(texts) {
                    let output =
                        self.predict(&noised.unsqueeze(0)?, text, level as f32, guidance.embedded())?.get(0)?;
                    let estimate =
                        schedule.noise(&noised, &output.to_dtype(noised.dtype())?, (a.sqrt(), (1.0 - a).sqrt()))?;
                    *error += (estimate - &noise)?.sqr()?.mean_all()?.to_dtype(DType::F64)?.to_scalar::<f64>()?;
                }
            }
        }
        Ok(100.0 * (errors[0] - errors[1]) / errors[0])
    }
}
