//! From a picture back to noise.
//!
//! An [`Inversion`] finds latents that lead to a picture, and what a run has to read to retrace them. Each lies in a file of
//! its own; their names are rows of [`InversionName`].

mod ddim;
mod direct;
pub mod edict;
mod edit_friendly;
mod negative_prompt;
mod null_text;

use anyhow::Result;
use candle_core::Tensor;

use super::{Conditions, Engine, Picture, WatchLatents};
use crate::plan::inversion::InversionName;

pub use ddim::{DdimInversion, climb, climb_on};
pub use direct::{DirectInversion, Retrace};
pub use edit_friendly::{EditFriendly, NoiseMapSampler};
pub use negative_prompt::NegativePrompt;
pub use null_text::{NullText, NullTextRule};

/// A way from a picture back to noise.
pub trait Inversion {
    /// What recipes call it.
    fn name(&self) -> InversionName;

    /// Inverts `picture`, which the written prompt of `conditions` describes; `None` if `watch` stopped it.
    ///
    /// # Errors
    /// Fails if the picture's sides do not fit the model, or the device has no memory left.
    fn invert(
        &self,
        engine: &Engine,
        picture: &Picture,
        conditions: &Conditions,
        watch: WatchLatents<'_>,
    ) -> Result<Option<Inverted>>;
}

/// A picture, inverted.
#[derive(Debug)]
pub struct Inverted {
    /// `steps + 1` latents, `[h, w, channels]` each: the picture's own first, the noisiest last.
    pub latents: Vec<Tensor>,
    /// What a run from the last of them reads.
    pub conditions: Conditions,
    /// The noise of each step that leads back, noisiest first; empty where steps add none.
    pub noise: Vec<Tensor>,
    /// What optimisation took, where there was any.
    pub optimised: Option<Optimised>,
}

/// What the optimisation of an inversion took.
#[derive(Debug)]
pub struct Optimised {
    /// Inner steps that each step took.
    pub inner_steps: Vec<usize>,
    /// All losses, in order.
    pub losses: Vec<f32>,
}
