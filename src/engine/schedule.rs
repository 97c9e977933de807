//! What a model was trained with: how noise grows over its levels, and what its output means.

use anyhow::{Result, ensure};
use candle_core::Tensor;

use crate::model::spec::{Betas, PredictionType, SchedulerSpec, Spacing};

/// The noise schedule of a model's training.
#[derive(Debug, Clone)]
pub struct NoiseSchedule {
    alphas_cumprod: Vec<f32>,
    prediction: PredictionType,
}

impl NoiseSchedule {
    /// The schedule that a scheduler's file describes.
    #[must_use]
    pub fn new(spec: &SchedulerSpec) -> Self {
        Self { alphas_cumprod: alphas_cumprod(spec), prediction: spec.prediction }
    }

    /// How much of the picture is left at each training level, 1 being all: the product of `1 - beta`.
    #[must_use]
    pub fn alphas_cumprod(&self) -> &[f32] {
        &self.alphas_cumprod
    }

    /// How much of the picture is left at a level. After the last step there is none: then it is all, or as much as at the
    /// training's first level.
    #[must_use]
    pub fn left_at(&self, level: Option<usize>, last_is_clean: bool) -> f64 {
        if level.is_none() && last_is_clean { 1.0 } else { f64::from(self.alphas_cumprod[level.unwrap_or(0)]) }
    }

    /// The noise of a level in shares of the picture, `sqrt((1 - a) / a)`.
    #[must_use]
    pub fn sigma(&self, level: usize) -> f64 {
        // Where nothing is left of the picture, a number so small that sigma is 4096, as published.
        let a = f64::from(self.alphas_cumprod[level]).max(2f64.powi(-24));
        ((1.0 - a) / a).sqrt()
    }

    /// Sigmas of all levels, as logarithms; rising.
    fn log_sigmas(&self) -> Vec<f64> {
        (0..self.alphas_cumprod.len()).map(|level| self.sigma(level).ln()).collect()
    }

    /// The sigma at a level that may lie between two.
    #[must_use]
    pub fn sigma_at(&self, level: f64) -> f64 {
        let low = (level.floor() as usize).min(self.alphas_cumprod.len() - 1);
        let high = (low + 1).min(self.alphas_cumprod.len() - 1);
        let (share, low) = (level - low as f64, self.sigma(low));
        low + share * (self.sigma(high) - low)
    }

    /// The levels, fractions included, of sigmas.
    #[must_use]
    pub fn levels_of(&self, sigmas: &[f64]) -> Vec<f64> {
        let table = self.log_sigmas();
        let level = |sigma: &f64| {
            let log = sigma.ln();
            let low = table.partition_point(|t| *t <= log).clamp(1, table.len() - 1) - 1;
            low as f64 + ((log - table[low]) / (table[low + 1] - table[low])).clamp(0.0, 1.0)
        };
        sigmas.iter().map(level).collect()
    }

    /// A clean latent under the noise of a level.
    ///
    /// # Errors
    /// Fails if shapes differ.
    pub fn noised(&self, clean: &Tensor, noise: &Tensor, level: usize) -> candle_core::Result<Tensor> {
        let a = f64::from(self.alphas_cumprod[level]);
        (clean * a.sqrt())? + (noise * (1.0 - a).sqrt())?
    }

    /// The clean latent that an output means for `x = alpha * clean + sigma * noise`.
    ///
    /// # Errors
    /// Fails if shapes differ.
    pub fn clean(&self, x: &Tensor, output: &Tensor, (alpha, sigma): (f64, f64)) -> candle_core::Result<Tensor> {
        match self.prediction {
            PredictionType::Epsilon => (x - (output * sigma)?)? / alpha,
            PredictionType::V => (x * alpha)? - (output * sigma)?,
            PredictionType::Sample => Ok(output.clone()),
        }
    }

    /// What the model was taught to put out for a clean latent under noise.
    ///
    /// # Errors
    /// Fails if shapes differ.
    pub fn output(&self, clean: &Tensor, noise: &Tensor, level: usize) -> candle_core::Result<Tensor> {
        let a = f64::from(self.alphas_cumprod[level]);
        match self.prediction {
            PredictionType::Epsilon => Ok(noise.clone()),
            PredictionType::V => (noise * a.sqrt())? - (clean * (1.0 - a).sqrt())?,
            PredictionType::Sample => Ok(clean.clone()),
        }
    }

    /// The noise that an output means, likewise.
    ///
    /// # Errors
    /// Fails if shapes differ.
    pub fn noise(&self, x: &Tensor, output: &Tensor, (alpha, sigma): (f64, f64)) -> candle_core::Result<Tensor> {
        match self.prediction {
            PredictionType::Epsilon => Ok(output.clone()),
            PredictionType::V => (output * alpha)? + (x * sigma)?,
            PredictionType::Sample => (x - (output * alpha)?)? / sigma,
        }
    }
}

fn alphas_cumprod(spec: &SchedulerSpec) -> Vec<f32> {
    let n = spec.train_steps;
    let mut product = 1.0f64;
    let mut all: Vec<f32> = betas(spec)
        .into_iter()
        .map(|beta| {
            product *= f64::from(1.0 - beta);
            product as f32
        })
        .collect();
    if spec.zero_snr {
        // Roots moved and stretched: the first stays, the last becomes 0.
        let root = |a: f32| f64::from(a).sqrt();
        let (first, last) = (root(all[0]), root(all[n - 1]));
        for a in &mut all {
            *a = ((root(*a) - last) * first / (first - last)).powi(2) as f32;
        }
    }
    all
}

/// How much noise each level adds, as published: in single precision.
fn betas(spec: &SchedulerSpec) -> Vec<f32> {
    let n = spec.train_steps;
    let line = |start: f64, end: f64| {
        let (start, end) = (start as f32, end as f32);
        let step = (end - start) / (n.max(2) - 1) as f32;
        // Counted from the nearer end, so that both ends are exact.
        (0..n).map(move |i| if i < n / 2 { start + step * i as f32 } else { end - step * (n - 1 - i) as f32 })
    };
    match &spec.betas {
        Betas::Linear => line(spec.beta_start, spec.beta_end).collect(),
        Betas::ScaledLinear => line(spec.beta_start.sqrt(), spec.beta_end.sqrt()).map(|x| x * x).collect(),
        Betas::SquaredCosine => {
            let left = |i: usize| ((i as f64 / n as f64 + 0.008) / 1.008 * std::f64::consts::FRAC_PI_2).cos().powi(2);
            (0..n).map(|i| (1.0 - left(i + 1) / left(i)).min(0.999) as f32).collect()
        }
        Betas::Trained(betas) => betas.iter().map(|beta| *beta as f32).collect(),
    }
}

/// The levels of a run of `steps` steps, noisiest first, each once. With `linspace` they may lie between two levels; where
/// `leading` has no room for the file's offset, it is as large as fits.
///
/// # Errors
/// Fails if there are no steps, or more than the training had.
pub fn spaced(spec: &SchedulerSpec, spacing: Spacing, steps: usize) -> Result<Vec<f64>> {
    let train = spec.train_steps;
    ensure!((1..=train).contains(&steps), "{steps} steps, but the model was trained with {train} noise levels");
    let levels: Vec<f64> = match spacing {
        Spacing::Leading => {
            let apart = train / steps;
            let offset = spec.offset.min(train - 1 - (steps - 1) * apart);
            (0..steps).rev().map(|i| (i * apart + offset) as f64).collect()
        }
        Spacing::Trailing => {
            // As NumPy's `arange` counts, to the last bit: it decides which way halves fall.
            let down = (train as f64 - train as f64 / steps as f64) - train as f64;
            (0..steps).map(|i| (train as f64 + i as f64 * down).round_ties_even() - 1.0).collect()
        }
        Spacing::Linspace => {
            let ratio = if steps == 1 { 0.0 } else { (train - 1) as f64 / (steps - 1) as f64 };
            (0..steps).rev().map(|i| i as f64 * ratio).collect()
        }
    };
    // A quotient times its divisor may be a hair more than the last level.
    Ok(levels.into_iter().map(|level| level.clamp(0.0, (train - 1) as f64)).collect())
}

/// Sigmas spaced by their seventh roots (Karras et al. 2022).
#[must_use]
pub fn karras(from: f64, to: f64, steps: usize) -> Vec<f64> {
    let (from, to) = (from.powf(1.0 / 7.0), to.powf(1.0 / 7.0));
    let share = |i: usize| if steps == 1 { 0.0 } else { i as f64 / (steps - 1) as f64 };
    (0..steps).map(|i| (from + share(i) * (to - from)).powi(7)).collect()
}

/// How much of the picture and of the noise there is at a sigma.
#[must_use]
pub fn mixed(sigma: f64) -> (f64, f64) {
    let alpha = 1.0 / (sigma * sigma + 1.0).sqrt();
    (alpha, sigma * alpha)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn no_level_of_a_run_comes_twice_however_many_steps_it_has() {
        for spacing in ["leading", "trailing", "linspace"] {
            for offset in [0, 1, 5] {
                let file = json!({"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012,
                    "steps_offset": offset, "timestep_spacing": spacing});
                let spec = SchedulerSpec::parse("scheduler", file).unwrap();
                for steps in [1, 2, 3, 30, 334, 500, 501, 999, 1000] {
                    let levels = spaced(&spec, spec.spacing.unwrap(), steps).unwrap();
                    assert!(
                        levels.windows(2).all(|pair| pair[0] > pair[1]),
                        "{spacing}, offset {offset}, {steps} steps"
                    );
                    assert!(
                        levels[0] <= 999.0 && levels[steps - 1] >= 0.0,
                        "{spacing}, offset {offset}, {steps} steps"
                    );
                }
                // Where there is room for the offset it is the file's.
                let first = spaced(&spec, spec.spacing.unwrap(), 4).unwrap()[3];
                assert!(spacing != "leading" || first == f64::from(offset), "{first}");
            }
        }
        assert!(spaced(&SchedulerSpec::parse("scheduler", json!({})).unwrap(), Spacing::Leading, 1001).is_err());
    }
}
