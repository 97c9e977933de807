//! The timetable of a run, and DDIM's step along it (eta 0) in both directions.

use anyhow::{Result, ensure};
use candle_core::Tensor;

use crate::model::spec::{Betas, Prediction, SchedulerSpec, Spacing};

/// The noise levels of a run of a given number of steps.
#[derive(Debug, Clone)]
pub struct Timetable {
    spec: SchedulerSpec,
    /// How much of the picture is left at each training level, 1 being all.
    alphas: Vec<f32>,
    /// The training levels of the run, noisiest first.
    levels: Vec<usize>,
}

/// How much of the picture is left at each training level: the product of `1 - beta`.
#[must_use]
pub fn alphas(spec: &SchedulerSpec) -> Vec<f32> {
    let n = spec.train_steps;
    let (start, end) = match spec.betas {
        Betas::Linear => (spec.beta_start as f32, spec.beta_end as f32),
        Betas::ScaledLinear => (spec.beta_start.sqrt() as f32, spec.beta_end.sqrt() as f32),
    };
    let step = (end - start) / (n.max(2) - 1) as f32;
    let mut product = 1.0f64;
    (0..n)
        .map(|i| {
            // Counted from the nearer end, so that both ends are exact.
            let x = if i < n / 2 { start + step * i as f32 } else { end - step * (n - 1 - i) as f32 };
            let beta = if spec.betas == Betas::ScaledLinear { x * x } else { x };
            product *= f64::from(1.0 - beta);
            product as f32
        })
        .collect()
}

impl Timetable {
    /// The timetable of a run.
    ///
    /// # Errors
    /// Fails if there are no steps, or more than the training had.
    pub fn new(spec: &SchedulerSpec, steps: usize) -> Result<Self> {
        let train = spec.train_steps;
        ensure!((1..=train).contains(&steps), "{steps} steps, but the model was trained with {train} noise levels");
        let mut levels: Vec<usize> = match spec.spacing {
            Spacing::Leading => (0..steps).rev().map(|i| i * (train / steps) + spec.offset).collect(),
            Spacing::Trailing => {
                let ratio = train as f64 / steps as f64;
                (0..steps).map(|i| (train as f64 - i as f64 * ratio).round() as usize - 1).collect()
            }
            Spacing::Linspace => {
                let ratio = if steps == 1 { 0.0 } else { (train - 1) as f64 / (steps - 1) as f64 };
                (0..steps).rev().map(|i| (i as f64 * ratio).round() as usize).collect()
            }
        };
        for level in &mut levels {
            *level = (*level).min(train - 1);
        }
        Ok(Self { alphas: alphas(spec), spec: spec.clone(), levels })
    }

    /// The training levels of the run, noisiest first; one per step.
    #[must_use]
    pub fn levels(&self) -> &[usize] {
        &self.levels
    }

    /// The share of the picture left after the last step, or at a level one step below `level`.
    fn alpha_below(&self, level: usize) -> f64 {
        let stride = self.spec.train_steps / self.levels.len();
        match level.checked_sub(stride) {
            Some(below) => f64::from(self.alphas[below]),
            None if self.spec.last_is_clean => 1.0,
            None => f64::from(self.alphas[0]),
        }
    }

    fn alpha(&self, level: usize) -> f64 {
        f64::from(self.alphas[level])
    }

    /// One step towards the picture, from the UNet's `output` at `step`.
    ///
    /// # Errors
    /// Fails if shapes differ.
    pub fn step(&self, latent: &Tensor, output: &Tensor, step: usize) -> candle_core::Result<Tensor> {
        let level = self.levels[step];
        self.moved(latent, output, self.alpha(level), self.alpha_below(level))
    }

    /// One step towards noise: from the latent before `step` (counted from the noisy end) to the one that `step` began
    /// with. The output was computed at `step`'s level, but the latent lies one step below, as published.
    ///
    /// # Errors
    /// Fails if shapes differ.
    pub fn step_back(&self, latent: &Tensor, output: &Tensor, step: usize) -> candle_core::Result<Tensor> {
        let level = self.levels[step];
        let stride = self.spec.train_steps / self.levels.len();
        let from = level.checked_sub(stride).map_or_else(|| self.alpha(0), |below| self.alpha(below));
        self.moved(latent, output, from, self.alpha(level))
    }

    /// Splits the latent into picture and noise at one level and mixes them anew at another.
    fn moved(&self, x: &Tensor, output: &Tensor, a: f64, to: f64) -> candle_core::Result<Tensor> {
        let b = 1.0 - a;
        let (mut clean, mut noise) = match self.spec.prediction {
            Prediction::Epsilon => (((x - (output * b.sqrt())?)? / a.sqrt())?, output.clone()),
            Prediction::V => (((x * a.sqrt())? - (output * b.sqrt())?)?, ((output * a.sqrt())? + (x * b.sqrt())?)?),
            Prediction::Sample => (output.clone(), ((x - (output * a.sqrt())?)? / b.sqrt())?),
        };
        if let Some(range) = self.spec.clip {
            clean = clean.clamp(-range, range)?;
            noise = ((x - (&clean * a.sqrt())?)? / b.sqrt())?;
        }
        (clean * to.sqrt())? + (noise * (1.0 - to).sqrt())?
    }
}
