//! A model tuned on a picture.
//!
//! Imagic ([`imagic`]) and UniTune ([`unitune`]) take gradients through the whole UNet and move its weights. A
//! [`TunableModel`] is a model of plain operations whose UNet's weights are variables: each operation on the way has a backward, and
//! what is drawn with it afterwards sees the weights as they have become. What is drawn at random (noise and levels) is given.

mod adam;
mod imagic;
mod unitune;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use anyhow::{Context, Result, ensure};
use candle_core::{DType, Tensor, Var};

use super::layers::Backend;
use super::reader::Reader;
use super::schedule::NoiseSchedule;
use super::unet::Condition;
use super::{Engine, NO_NUMBERS};
use crate::model::ModelSource;
use crate::model::spec::ModelSpec;
use crate::model::weights::Weights;

pub(in crate::engine) use adam::Adam;
pub use adam::AdamRule;
pub use imagic::{ImagicResult, ImagicRule, blended_condition, imagic};
pub use unitune::{TunedPart, UniTuneRule, unitune};

/// A model whose UNet's weights can be moved.
pub struct TunableModel {
    engine: Engine,
    weights: BTreeMap<String, Var>,
}

/// One noised copy of a picture that is learned from.
#[derive(Debug, Clone)]
pub struct NoisedCopy {
    /// The noise, `[h, w, channels]`.
    pub noise: Tensor,
    /// The training level.
    pub level: usize,
}

/// What a model's output is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TuningTarget {
    /// The noise, whatever the model was trained to put out: as published.
    Noise,
    /// What the model was trained to put out.
    OwnOutput,
}

/// One step of a tuning, as a watcher sees it.
#[derive(Debug, Clone, Copy)]
pub struct TuningStep<'g> {
    /// Its number, from 0.
    pub step: usize,
    /// Steps in all.
    pub of: usize,
    /// The mean square error before it.
    pub loss: f64,
    /// The gradients of the UNet's weights by name, where they are moved.
    pub gradients: Option<&'g BTreeMap<String, Tensor>>,
}

/// Sees each step when it has been made, and may stop the rest.
pub type WatchTuning<'w> = &'w mut dyn FnMut(TuningStep<'_>) -> ControlFlow<()>;

/// What is learned from.
#[derive(Debug, Clone, Copy)]
pub struct Lesson<'a> {
    /// What the model was trained with.
    pub schedule: &'a NoiseSchedule,
    /// The picture's latent, `[h, w, channels]`.
    pub clean: &'a Tensor,
    /// What outputs are compared with.
    pub target: TuningTarget,
}

impl TunableModel {
    /// Loads a model.
    ///
    /// # Errors
    /// Fails as [`Engine::load`] does, or if the backend is not of plain operations.
    pub fn load(source: &dyn ModelSource, backend: &Backend) -> Result<Self> {
        ensure!(matches!(backend, Backend::Plain(..)), "BUG: kernels have no gradients");
        let spec = ModelSpec::read(source)?;
        let reader = Reader::load(source, &spec, backend)?;
        let weights = Weights::open(source, "unet")?.tunable();
        let engine = Engine::with_unet(source, spec, reader, &weights, backend)?;
        Ok(Self { engine, weights: weights.into_variables() })
    }

    /// The engine that computes with the weights as they are.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Names of the UNet's weights, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.weights.keys().map(String::as_str)
    }

    /// A weight as it is now: a copy.
    ///
    /// # Errors
    /// Fails if there is none of this name.
    pub fn weight(&self, name: &str) -> Result<Tensor> {
        let weight = self.weights.get(name).with_context(|| format!("the UNet has no weight `{name}`"))?;
        Ok(weight.as_tensor().copy()?.detach())
    }

    /// The mean square error of what the UNet makes of a noised copy, to be differentiated.
    fn loss(&self, lesson: Lesson<'_>, condition: &Condition, copy: &NoisedCopy) -> Result<Tensor> {
        let like = |tensor: &Tensor| self.engine.backend().like(tensor);
        let (clean, noise) = (like(lesson.clean)?, like(&copy.noise)?);
        let noised = lesson.schedule.noised(&clean, &noise, copy.level)?;
        let wanted = match lesson.target {
            TuningTarget::Noise => noise,
            TuningTarget::OwnOutput => lesson.schedule.output(&clean, &noise, copy.level)?,
        };
        let output = self.engine.predict(&noised.unsqueeze(0)?, condition, copy.level as f32, None)?;
        Ok((output.squeeze(0)? - wanted)?.sqr()?.mean_all()?)
    }

    /// The gradients of all weights.
    fn gradients(&self, loss: &Tensor) -> Result<BTreeMap<String, Tensor>> {
        let store = loss.backward()?;
        let one = |(name, weight): (&String, &Var)| {
            let gradient = store.get(weight.as_tensor()).cloned();
            Ok((name.clone(), gradient.with_context(|| format!("BUG: no gradient reached `{name}`"))?.detach()))
        };
        self.weights.iter().map(one).collect()
    }
}

/// A loss as a number.
fn number(loss: &Tensor, step: usize) -> Result<f64> {
    let loss = loss.to_dtype(DType::F64)?.to_scalar::<f64>()?;
    ensure!(loss.is_finite(), "the loss of step {} is no number: {NO_NUMBERS}, or the learning rate is too high", step + 1);
    Ok(loss)
}

/// The states of all weights that are moved.
struct Adams(BTreeMap<String, Adam>);

impl Adams {
    fn new(model: &TunableModel) -> Result<Self> {
        let one = |(name, weight): (&String, &Var)| Ok((name.clone(), Adam::new(weight.as_tensor())?));
        Ok(Self(model.weights.iter().map(one).collect::<Result<_>>()?))
    }

    /// Moves all weights by their gradients, each at its own rate.
    fn step(
        &mut self,
        model: &TunableModel,
        gradients: &BTreeMap<String, Tensor>,
        rate: impl Fn(&str) -> f64,
        rule: AdamRule,
    ) -> Result<()> {
        for (name, adam) in &mut self.0 {
            let (Some(weight), Some(gradient)) = (model.weights.get(name), gradients.get(name)) else { continue };
            weight.set(&adam.step(weight.as_tensor(), gradient, rate(name), rule)?)?;
        }
        Ok(())
    }
}
