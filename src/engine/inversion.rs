//! From a picture back to noise.

use anyhow::Result;
use candle_core::{DType, Tensor, Var};

use super::layers::Backend;
use super::sampler::{Ddim, Sampler};
use super::unet::Condition;
use super::{Conditions, Engine};

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

/// What null-text optimisation found.
pub struct Nulled {
    /// The empty prompt's embedding at each step, `[1, tokens, width]`.
    pub embeddings: Vec<Tensor>,
    /// Inner steps that each step took.
    pub inner_steps: Vec<usize>,
    /// All losses, in order.
    pub losses: Vec<f32>,
}

impl Engine {
    /// DDIM backwards from a clean latent, reading `written`, without guidance: `steps + 1` latents, clean first.
    ///
    /// The prediction at each noise level is made on the latent one level below, as published.
    ///
    /// # Errors
    /// Fails if the device has no memory left.
    pub fn invert(&self, clean: &Tensor, written: &Condition, ddim: &Ddim) -> Result<Vec<Tensor>> {
        let mut latents = vec![clean.clone()];
        for (step, level) in ddim.timesteps().iter().enumerate().rev() {
            let latent = &latents[latents.len() - 1];
            let output = self.predict(&latent.unsqueeze(0)?, written, *level, None)?.squeeze(0)?;
            let next = ddim.step_back(latent, &output, step)?;
            latents.push(next);
        }
        Ok(latents)
    }

    /// Finds for each step the empty prompt's embedding with which guided denoising retraces `inverted` (clean first).
    ///
    /// Needs an engine of plain operations: the gradient runs through the UNet. Use doubles: Adam's first step is almost
    /// the sign of the gradient, which single precision turns round where the gradient is nearly zero.
    ///
    /// # Errors
    /// Fails on an engine of anything but plain operations in doubles, or if the device has no memory left.
    pub fn null_text(
        &self,
        inverted: &[Tensor],
        conditions: &Conditions,
        ddim: &Ddim,
        guidance: f64,
        rule: NullTextRule,
    ) -> Result<Nulled> {
        anyhow::ensure!(
            matches!(self.backend(), Backend::Plain(_, DType::F64)),
            "BUG: null-text optimisation takes its gradients of plain operations in doubles"
        );
        let steps = ddim.timesteps().len();
        let inverted: Vec<Tensor> =
            inverted.iter().map(|l| self.backend().like(l)).collect::<candle_core::Result<_>>()?;
        let mut latent = inverted[steps].clone();
        let mut found = Nulled { embeddings: Vec::new(), inner_steps: Vec::new(), losses: Vec::new() };
        let mut embedding = self.backend().like(&conditions.uncond[0].text)?;
        let added = conditions.uncond[0].added.clone();
        for (step, level) in ddim.timesteps().iter().enumerate() {
            let wanted = &inverted[steps - 1 - step];
            let rate = 1e-2 * (1.0 - step as f64 / 100.0);
            let written = self.predict(&latent.unsqueeze(0)?, &conditions.cond, *level, None)?.squeeze(0)?.detach();
            let guided = |empty: &Tensor| -> Result<Tensor> {
                let condition = Condition { text: empty.clone(), added: added.clone() };
                let empty = self.predict(&latent.unsqueeze(0)?, &condition, *level, None)?.squeeze(0)?;
                let output = (&empty + ((&written - &empty)? * guidance)?)?;
                Ok(ddim.step_on(&latent, &output, step)?)
            };
            let var = Var::from_tensor(&embedding)?;
            let mut adam = Adam::new(&embedding, rule)?;
            let mut taken = 0;
            for _ in 0..rule.inner_steps {
                let loss = (guided(var.as_tensor())? - wanted)?.sqr()?.mean_all()?;
                let gradients = loss.backward()?;
                let gradient = gradients.get(var.as_tensor());
                let gradient = gradient.ok_or_else(|| anyhow::anyhow!("BUG: no gradient reached the embedding"))?;
                var.set(&adam.step(var.as_tensor(), gradient, rate)?.detach())?;
                let loss = loss.to_dtype(DType::F64)?.to_scalar::<f64>()?;
                found.losses.push(loss as f32);
                taken += 1;
                if loss < rule.early_stop + step as f64 * 2e-5 {
                    break;
                }
            }
            embedding = var.as_detached_tensor();
            found.embeddings.push(embedding.to_dtype(DType::F32)?);
            found.inner_steps.push(taken);
            latent = guided(&embedding)?.detach();
        }
        Ok(found)
    }
}

/// Adam (Kingma and Ba 2015), written out since each step begins with a fresh one.
struct Adam {
    mean: Tensor,
    square: Tensor,
    rule: NullTextRule,
    t: i32,
}

impl Adam {
    fn new(like: &Tensor, rule: NullTextRule) -> Result<Self> {
        Ok(Self { mean: like.zeros_like()?, square: like.zeros_like()?, rule, t: 0 })
    }

    fn step(&mut self, x: &Tensor, gradient: &Tensor, rate: f64) -> Result<Tensor> {
        let (b1, b2) = self.rule.betas;
        self.t += 1;
        self.mean = ((&self.mean * b1)? + (gradient * (1.0 - b1))?)?.detach();
        self.square = ((&self.square * b2)? + (gradient.sqr()? * (1.0 - b2))?)?.detach();
        let step = rate / (1.0 - b1.powi(self.t));
        let root = ((self.square.sqrt()? / (1.0 - b2.powi(self.t)).sqrt())? + self.rule.eps)?;
        Ok((x - ((&self.mean / root)? * step)?)?)
    }
}
