//! Negative-prompt inversion (Miyake et al. 2023, arXiv:2305.16807): what is written also stands where the empty prompt
//! stood, so guidance has nothing to push the picture away from.

use anyhow::Result;
use candle_core::{DType, Tensor};

use super::super::unet::Condition;
use super::super::{Conditions, Engine, Picture, WatchLatents};
use super::{DdimInversion, Inversion, Inverted};
use crate::plan::inversion::InversionName;

/// DDIM backwards; the way down reads the written prompt in both halves.
#[derive(Debug)]
pub struct NegativePrompt {
    /// What is retraced.
    pub ddim: DdimInversion,
    /// How far the unconditional half lies towards the empty prompt again: 0 is the written one, off.
    pub interpolation: f64,
}

impl Inversion for NegativePrompt {
    fn name(&self) -> InversionName {
        InversionName::NegativePrompt
    }

    fn invert(
        &self,
        engine: &Engine,
        picture: &Picture,
        conditions: &Conditions,
        watch: WatchLatents<'_>,
    ) -> Result<Option<Inverted>> {
        let Some(mut inverted) = self.ddim.invert(engine, picture, conditions, watch)? else { return Ok(None) };
        let written = &conditions.cond;
        let text = if self.interpolation > 0.0 {
            between(&written.text, &conditions.uncond[0].text, self.interpolation)?
        } else {
            written.text.clone()
        };
        inverted.conditions.uncond = vec![Condition { text, added: written.added.clone() }];
        Ok(Some(inverted))
    }
}

/// On the way from one embedding to another along the arc between them, each taken as one long vector.
fn between(from: &Tensor, to: &Tensor, share: f64) -> Result<Tensor> {
    let values = |t: &Tensor| t.flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>();
    let (a, b) = (values(from)?, values(to)?);
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let angle = (dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt()).clamp(-1.0, 1.0).acos();
    if angle.sin() == 0.0 {
        return Ok(from.clone());
    }
    let (of_a, of_b) = (((1.0 - share) * angle).sin() / angle.sin(), (share * angle).sin() / angle.sin());
    Ok(((from * of_a)? + (to * of_b)?)?)
}
