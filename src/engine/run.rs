//! What decides a run.

use candle_core::Tensor;

use super::sampler::Sampler;
use super::unet::Condition;
use crate::plan::Recipe;
use crate::plan::settings::Precision;

/// What a run reads: the words, and the empty prompt it is guided away from.
#[derive(Debug, Clone)]
pub struct Conditions {
    /// The written prompt, batch 1.
    pub cond: Condition,
    /// The empty prompt, batch 1: one for all steps, or one for each.
    pub uncond: Vec<Condition>,
}

/// All that decides a run, except who watches it.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    /// What it reads.
    pub conditions: &'a Conditions,
    /// Its sampler, as it is before any step; each time that the run is made it takes a value of its own.
    pub sampler: &'a dyn Sampler,
    /// The noise of samplers that add some.
    pub noise: StepNoise<'a>,
    /// The first step that is made; those before count as made, and their latents are the one that it begins with.
    pub first: usize,
    /// How its words push.
    pub guidance: Guidance,
    /// Rounding of what is carried.
    pub map_precision: Precision,
}

/// How words push.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Guidance {
    /// `empty + scale * (written - empty)`.
    Classifier {
        /// How far: 1 would be none.
        scale: f64,
    },
    /// The written prompt alone; the model itself was taught to push, and reads how far.
    Embedded {
        /// How far.
        scale: f64,
    },
    /// The written prompt alone, without an unconditional half.
    None,
}

impl Guidance {
    /// Guidance of this scale, for a model that reads it or not; 1 is none where it does not.
    #[must_use]
    pub fn of(scale: f64, embedded: bool) -> Self {
        match scale {
            _ if embedded => Self::Embedded { scale },
            1.0 => Self::None,
            _ => Self::Classifier { scale },
        }
    }

    /// Guidance of the pictures of a recipe.
    #[must_use]
    pub fn of_recipe(recipe: &Recipe) -> Self {
        Self::of(recipe.guidance, recipe.embeds_guidance)
    }

    /// What the UNet reads of it.
    pub(super) fn embedded(self) -> Option<f64> {
        if let Self::Embedded { scale } = self { Some(scale) } else { None }
    }

    /// UNet samples that a step takes: the evaluations that reports count.
    #[must_use]
    pub fn evaluations(self) -> u64 {
        match self {
            Self::Classifier { .. } => 2,
            Self::Embedded { .. } | Self::None => 1,
        }
    }
}

/// Where the noise comes from that some samplers add after a step.
#[derive(Debug, Clone, Copy)]
pub enum StepNoise<'a> {
    /// Drawn: the numbers of this seed that follow those of the first latent and of the steps before.
    Seed(u64),
    /// Given, by step: `[h, w, channels]` each.
    Given(&'a [Tensor]),
}
