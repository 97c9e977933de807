//! DDIM run backwards.

use anyhow::Result;
use candle_core::Tensor;

use super::super::sampler::{Ddim, Sampler};
use super::super::{Conditions, Engine, Picture};
use super::{Inversion, Inverted, WatchInversion};
use crate::plan::inversion::InversionName;

/// DDIM backwards from the picture's latent, reading the written prompt, without guidance.
#[derive(Debug)]
pub struct DdimInversion {
    /// The sampler that is run backwards.
    pub ddim: Ddim,
}

impl Inversion for DdimInversion {
    fn name(&self) -> InversionName {
        InversionName::Ddim
    }

    /// The prediction at each noise level is made on the latent one level below, as published.
    fn invert(
        &self,
        engine: &Engine,
        picture: &Picture,
        conditions: &Conditions,
        watch: WatchInversion<'_>,
    ) -> Result<Option<Inverted>> {
        let mut latents: Vec<Tensor> = vec![engine.encode(picture)?];
        for (step, level) in self.ddim.timesteps().iter().enumerate().rev() {
            let latent = &latents[latents.len() - 1];
            let output = engine.predict(&latent.unsqueeze(0)?, &conditions.cond, *level, None)?.squeeze(0)?;
            let next = self.ddim.step_back(latent, &output, step)?;
            let flow = watch(latents.len() - 1, &next);
            latents.push(next);
            if flow.is_break() {
                return Ok(None);
            }
        }
        Ok(Some(Inverted { latents, conditions: conditions.clone(), noise: Vec::new(), optimised: None }))
    }
}
