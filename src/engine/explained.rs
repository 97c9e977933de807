//! How well a text explains a picture, in the model's own eyes.

use anyhow::Result;
use candle_core::{DType, Tensor};

use super::schedule::NoiseSchedule;
use super::unet::Condition;
use super::{Engine, Guidance};

/// Shares of the training's levels at which it is asked: words decide little below, and nothing is left of the picture above.
const SHARES: [f64; 4] = [0.4, 0.55, 0.7, 0.85];

/// The seed of the noise that it is asked under: the same for every picture.
const SEED: u64 = 0x5eed;

impl Engine {
    /// The mean squared error of the noise that the model sees in a clean latent, `[h, w, channels]`, when it reads a text, over a few
    /// levels of noise: the better the text explains the picture, the smaller.
    ///
    /// Source: Li et al. 2023, "Your Diffusion Model is Secretly a Zero-Shot Classifier". It takes four evaluations.
    ///
    /// # Errors
    /// Fails if the device has no memory left.
    pub fn unexplained(&self, latent: &Tensor, text: &Condition, guidance: Guidance) -> Result<f64> {
        let schedule = NoiseSchedule::new(&self.spec.scheduler);
        let alphas = schedule.alphas_cumprod();
        let mut sum = 0.0;
        for (at, share) in SHARES.into_iter().enumerate() {
            let level = ((alphas.len() - 1) as f64 * share) as usize;
            let noise = self.noise_after(SEED, at, latent.dims3()?)?;
            let noised = schedule.noised(latent, &noise, level)?;
            let output = self.predict(&noised.unsqueeze(0)?, text, level as f32, guidance.embedded())?.get(0)?;
            let a = f64::from(alphas[level]);
            let seen = schedule.noise(&noised, &output.to_dtype(noised.dtype())?, (a.sqrt(), (1.0 - a).sqrt()))?;
            let error = (seen - noise)?.sqr()?.mean_all()?.to_dtype(DType::F64)?.to_scalar::<f64>()?;
            sum += error;
        }
        Ok(sum / SHARES.len() as f64)
    }
}
