//! Direct inversion (Ju et al. 2023, arXiv:2310.01506): the way down is put right after every step.
//!
//! Published code adds the difference between the latent that a guided step leads to and the one of the way up, computed
//! in a run of its own. Here the latent of the way up is written in its place: the same but for rounding, and exact.

use anyhow::Result;
use candle_core::Tensor;

use super::super::{Conditions, Engine, Picture, WatchLatents};
use super::{DdimInversion, Inversion, Inverted};
use crate::attention::{AttentionControl, Site};
use crate::plan::inversion::InversionName;

/// DDIM backwards; a run that retraces it is held on its latents by [`Retrace`].
#[derive(Debug)]
pub struct DirectInversion {
    /// What is retraced.
    pub ddim: DdimInversion,
}

impl Inversion for DirectInversion {
    fn name(&self) -> InversionName {
        InversionName::Direct
    }

    fn invert(
        &self,
        engine: &Engine,
        picture: &Picture,
        conditions: &Conditions,
        watch: WatchLatents<'_>,
    ) -> Result<Option<Inverted>> {
        self.ddim.invert(engine, picture, conditions, watch)
    }
}

/// Holds a run on latents that are there.
#[derive(Debug)]
pub struct Retrace {
    after: Vec<Tensor>,
}

impl Retrace {
    /// A run from the noisiest of these latents of a way up, the picture's own first.
    #[must_use]
    pub fn of(inverted: &[Tensor]) -> Self {
        Self { after: inverted.iter().rev().skip(1).cloned().collect() }
    }
}

impl AttentionControl for Retrace {
    fn watches(&self, _site: Site) -> bool {
        false
    }

    fn after_step(&mut self, step: usize, latent: Tensor) -> candle_core::Result<Tensor> {
        Ok(self.after.get(step).cloned().unwrap_or(latent))
    }
}
