//! An empty prompt optimised at each step, so that guided denoising retraces an inversion.

use anyhow::Result;
use candle_core::{DType, Tensor, Var};

use super::super::layers::Backend;
use super::super::sampler::Sampler;
use super::super::tuning::{Adam, AdamRule};
use super::super::unet::Condition;
use super::super::{Conditions, Engine, Picture, WatchLatents};
use super::{DdimInversion, Inversion, Inverted, Optimised};
use crate::plan::inversion::InversionName;

/// How null-text optimisation goes.
#[derive(Debug, Clone, Copy)]
pub struct NullTextRule {
    /// Inner steps of each step, at most.
    pub inner_steps: usize,
    /// The loss at which a step is left early: this plus 2e-5 times the step's number.
    pub early_stop: f64,
    /// Adam's decay of the mean and of the mean square.
    pub betas: (f64, f64),
    /// Adam's guard against division by zero.
    pub eps: f64,
}

/// Null-text optimisation on top of DDIM backwards (Mokady et al. 2022).
pub struct NullText<'e> {
    /// What is retraced.
    pub ddim: DdimInversion,
    /// Guidance of the steps that are to retrace it: `empty + guidance * (written - empty)`.
    pub guidance: f64,
    /// How it goes.
    pub rule: NullTextRule,
    /// The same model in plain operations on doubles: the gradient runs through the UNet, and Adam's first step is almost the
    /// sign of it, which single precision turns round where it is nearly zero.
    pub gradients: &'e Engine,
}

impl Inversion for NullText<'_> {
    fn name(&self) -> InversionName {
        InversionName::NullText
    }

    /// `watch` sees the latents of DDIM backwards, then those that the optimised steps lead to.
    ///
    /// # Errors
    /// Fails also if `gradients` is an engine of anything but plain operations in doubles.
    fn invert(
        &self,
        engine: &Engine,
        picture: &Picture,
        conditions: &Conditions,
        watch: WatchLatents<'_>,
    ) -> Result<Option<Inverted>> {
        let Some(inverted) = self.ddim.invert(engine, picture, conditions, &mut *watch)? else { return Ok(None) };
        let Some((embeddings, optimised)) = self.optimise(&inverted.latents, conditions, watch)? else {
            return Ok(None);
        };
        let added = &conditions.uncond[0].added;
        let empty = |text: Tensor| Ok(Condition { text: engine.backend().like(&text)?, added: added.clone() });
        let uncond = embeddings.into_iter().map(empty).collect::<Result<_>>()?;
        let conditions = Conditions { cond: conditions.cond.clone(), uncond };
        Ok(Some(Inverted { conditions, optimised: Some(optimised), ..inverted }))
    }
}

impl NullText<'_> {
    /// The empty prompt's embedding at each step, `[1, tokens, width]` in f32, with which guided denoising retraces `inverted`
    /// (clean first).
    fn optimise(
        &self,
        inverted: &[Tensor],
        conditions: &Conditions,
        watch: WatchLatents<'_>,
    ) -> Result<Option<(Vec<Tensor>, Optimised)>> {
        let (engine, ddim) = (self.gradients, &self.ddim.ddim);
        anyhow::ensure!(
            matches!(engine.backend(), Backend::Plain(_, DType::F64)),
            "BUG: null-text optimisation takes its gradients of plain operations in doubles"
        );
        let steps = ddim.timesteps().len();
        let inverted: Vec<Tensor> =
            inverted.iter().map(|l| engine.backend().like(l)).collect::<candle_core::Result<_>>()?;
        let mut latent = inverted[steps].clone();
        let rule = AdamRule { betas: self.rule.betas, eps: self.rule.eps, decay: 0.0 };
        let mut embeddings = Vec::new();
        let mut found = Optimised { inner_steps: Vec::new(), losses: Vec::new() };
        let mut embedding = engine.backend().like(&conditions.uncond[0].text)?;
        let added = conditions.uncond[0].added.clone();
        for (step, level) in ddim.timesteps().iter().enumerate() {
            let wanted = &inverted[steps - 1 - step];
            let rate = 1e-2 * (1.0 - step as f64 / 100.0);
            let written = engine.predict(&latent.unsqueeze(0)?, &conditions.cond, *level, None)?.squeeze(0)?.detach();
            let guided = |empty: &Tensor| -> Result<Tensor> {
                let condition = Condition { text: empty.clone(), added: added.clone() };
                let empty = engine.predict(&latent.unsqueeze(0)?, &condition, *level, None)?.squeeze(0)?;
                let output = (&empty + ((&written - &empty)? * self.guidance)?)?;
                Ok(ddim.step_on(&latent, &output, step)?)
            };
            let var = Var::from_tensor(&embedding)?;
            let mut adam = Adam::new(&embedding)?;
            let mut taken = 0;
            for _ in 0..self.rule.inner_steps {
                let loss = (guided(var.as_tensor())? - wanted)?.sqr()?.mean_all()?;
                let gradients = loss.backward()?;
                let gradient = gradients.get(var.as_tensor());
                let gradient = gradient.ok_or_else(|| anyhow::anyhow!("BUG: no gradient reached the embedding"))?;
                var.set(&adam.step(var.as_tensor(), gradient, rate, rule)?)?;
                let loss = loss.to_dtype(DType::F64)?.to_scalar::<f64>()?;
                found.losses.push(loss as f32);
                taken += 1;
                if loss < self.rule.early_stop + step as f64 * 2e-5 {
                    break;
                }
            }
            embedding = var.as_detached_tensor();
            embeddings.push(embedding.to_dtype(DType::F32)?);
            found.inner_steps.push(taken);
            latent = guided(&embedding)?.detach();
            if watch(steps + step, &latent).is_break() {
                return Ok(None);
            }
        }
        Ok(Some((embeddings, found)))
    }
}
