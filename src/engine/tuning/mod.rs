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
use half::f16;

use super::Engine;
use super::layers::Backend;
use super::reader::Reader;
use super::schedule::NoiseSchedule;
use super::unet::Condition;
use crate::model::ModelSource;
use crate::model::learned::{WeightChanges, halves};
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

/// All that a tuning which was stopped needs to go on as if it had not been.
#[derive(Debug, Clone, Default)]
pub struct TuningState {
    /// Steps that were made.
    pub step: usize,
    /// The loss before each.
    pub losses: Vec<f32>,
    /// What has been moved, and what is remembered of gradients, by name.
    pub tensors: BTreeMap<String, Tensor>,
}

impl TuningState {
    /// A tensor of the state, in the type and shape of another.
    fn tensor(&self, name: &str, like: &Tensor) -> Result<Tensor> {
        let found = self.tensors.get(name).with_context(|| format!("what was begun lacks `{name}`"))?;
        let (count, expected) = (found.elem_count(), like.elem_count());
        ensure!(count == expected, "`{name}` of what was begun holds {count} numbers, expected {expected}");
        Ok(found.reshape(like.dims())?.to_device(like.device())?.to_dtype(like.dtype())?)
    }
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

    /// By how much the weights are other than those of the model that they were loaded from, rounded to half precision.
    ///
    /// # Errors
    /// Fails if the model can no longer be read, or a weight has become no number.
    pub fn changes(&self, source: &dyn ModelSource) -> Result<WeightChanges> {
        let before = Weights::open(source, "unet")?;
        let mut changes = WeightChanges::new();
        for (name, weight) in &self.weights {
            let was = before.values(name, weight.dims())?;
            let is = weight.as_tensor().flatten_all()?.to_dtype(DType::F32)?.to_vec1::<f32>()?;
            let change: Vec<f32> = is.iter().zip(was).map(|(is, was)| is - was).collect();
            // What half precision cannot hold is no weight any more.
            let is_number = change.iter().all(|n| n.abs() <= f32::from(f16::MAX));
            ensure!(is_number, "`{name}` has become no number: the learning rate is too high");
            changes.insert(name.clone(), halves(&change));
        }
        Ok(changes)
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
    ensure!(
        loss.is_finite(),
        "the loss of step {} is no number: the weights hold a NaN or an infinity, or the learning rate is too high",
        step + 1
    );
    Ok(loss)
}

/// The states of all weights that are moved.
struct Adams(BTreeMap<String, Adam>);

impl Adams {
    fn new(model: &TunableModel) -> Result<Self> {
        let one = |(name, weight): (&String, &Var)| Ok((name.clone(), Adam::new(weight.as_tensor())?));
        Ok(Self(model.weights.iter().map(one).collect::<Result<_>>()?))
    }

    /// Puts the weights and what is remembered of them into a state.
    fn keep(&self, model: &TunableModel, state: &mut TuningState) -> Result<()> {
        for (name, adam) in &self.0 {
            state.tensors.insert(format!("weight/{name}"), model.weight(name)?);
            adam.keep(name, state);
        }
        Ok(())
    }

    /// Takes them out of a state again, after `steps` steps that moved them.
    fn restore(&mut self, model: &TunableModel, steps: usize, state: &TuningState) -> Result<()> {
        for (name, adam) in &mut self.0 {
            let weight = model.weights.get(name).context("BUG: a weight that is moved is not there")?;
            weight.set(&state.tensor(&format!("weight/{name}"), weight.as_tensor())?)?;
            adam.restore(name, steps, state)?;
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::engine::noise;
    use crate::model::folder::Folder;
    use candle_core::Device;

    /// The smallest model with cross-attention and a middle, in doubles.
    fn model() -> TunableModel {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/models/tiny-sd");
        TunableModel::load(&Folder::open(folder).unwrap(), &Backend::Plain(Device::Cpu, DType::F64)).unwrap()
    }

    fn normal(seed: u64, model: &TunableModel) -> Tensor {
        let dims = (8, 8, model.engine.spec.unet.in_channels);
        let values = noise::normal(seed, dims.0 * dims.1 * dims.2);
        Tensor::from_vec(values, dims, &Device::Cpu).unwrap().to_dtype(DType::F64).unwrap()
    }

    struct Scene {
        model: TunableModel,
        schedule: NoiseSchedule,
        clean: Tensor,
        written: Condition,
        copy: NoisedCopy,
    }

    fn scene() -> Scene {
        let model = model();
        let schedule = NoiseSchedule::new(&model.engine.spec.scheduler);
        let clean = normal(1, &model);
        let written = model.engine.reader().embed("a cat on a mat", [0.0; 6]).unwrap();
        let copy = NoisedCopy { noise: normal(2, &model), level: 400 };
        Scene { model, schedule, clean, written, copy }
    }

    #[test]
    fn each_weight_of_the_unet_has_a_gradient_and_it_is_what_a_small_change_of_the_weight_does_to_the_loss() {
        let Scene { model, schedule, clean, written, copy } = scene();
        let lesson = Lesson { schedule: &schedule, clean: &clean, target: TuningTarget::Noise };
        let loss = || model.loss(lesson, &written, &copy).unwrap();
        let gradients = model.gradients(&loss()).unwrap();
        assert_eq!(gradients.len(), model.names().count());
        let silent =
            gradients.iter().find(|(_, g)| g.sqr().unwrap().sum_all().unwrap().to_scalar::<f64>().unwrap() == 0.0);
        // A bias of keys moves all scores alike, but here keys have none.
        assert!(silent.is_none(), "`{}` has a gradient of zeros", silent.unwrap().0);
        // One of each kind of operation: convolutions that keep, halve and double, norms, attention, time, gate.
        for name in [
            "conv_in.weight",
            "down_blocks.0.downsamplers.0.conv.weight",
            "up_blocks.0.upsamplers.0.conv.weight",
            "mid_block.resnets.0.norm1.weight",
            "mid_block.attentions.0.transformer_blocks.0.norm2.bias",
            "mid_block.attentions.0.transformer_blocks.0.attn1.to_q.weight",
            "mid_block.attentions.0.transformer_blocks.0.attn2.to_v.weight",
            "mid_block.attentions.0.transformer_blocks.0.ff.net.0.proj.weight",
            "time_embedding.linear_1.weight",
        ] {
            let weight = &model.weights[name];
            // Along the gradient itself, so that what is measured is large.
            let gradient = &gradients[name];
            let square = gradient.sqr().unwrap().sum_all().unwrap().to_scalar::<f64>().unwrap();
            let before = model.weight(name).unwrap();
            let step = 1e-6 / square.sqrt();
            let at = |sign: f64| {
                weight.set(&(&before + (gradient * (sign * step)).unwrap()).unwrap()).unwrap();
                loss().to_scalar::<f64>().unwrap()
            };
            let measured = (at(1.0) - at(-1.0)) / (2.0 * step);
            weight.set(&before).unwrap();
            let gap = (measured - square).abs() / square;
            assert!(gap < 1e-4, "{name}: {measured:.6e} measured, {square:.6e} by the gradient");
        }
    }

    /// All bits of a model's weights, and of what else was found.
    fn bits_of(model: &TunableModel, more: &[&Tensor]) -> Vec<u64> {
        let weights = model.names().map(|name| model.weight(name).unwrap()).collect::<Vec<_>>();
        let all = weights.iter().chain(more.iter().copied());
        all.flat_map(|t| t.flatten_all().unwrap().to_vec1::<f64>().unwrap()).map(f64::to_bits).collect()
    }

    #[test]
    fn a_tuning_stopped_after_any_step_and_gone_on_with_is_the_one_that_was_not() {
        let run = |stops: &[usize]| {
            let Scene { model, schedule, clean, written, .. } = scene();
            let lesson = Lesson { schedule: &schedule, clean: &clean, target: TuningTarget::Noise };
            let copies = |step: usize| Ok(NoisedCopy { noise: normal(step as u64, &model), level: 100 + 200 * step });
            let adam = AdamRule::default();
            let rule = ImagicRule { embedding_steps: 2, embedding_rate: 1e-2, model_steps: 2, model_rate: 1e-3, adam };
            let mut state = None;
            for stop in stops {
                let mut watch = |s: TuningStep<'_>| {
                    if s.step == *stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                };
                // Another model, as another process has it: all that is gone on with stands in the state.
                let fresh = self::model();
                let found = imagic(&fresh, lesson, &written, &copies, rule, state.as_ref(), &mut watch).unwrap();
                state = found.break_value();
                assert_eq!(state.as_ref().map(|state| (state.step, state.losses.len())), Some((stop + 1, stop + 1)));
            }
            let mut go = |_: TuningStep<'_>| ControlFlow::Continue(());
            let found = imagic(&model, lesson, &written, &copies, rule, state.as_ref(), &mut go).unwrap();
            let found = found.continue_value().unwrap();
            (found.losses, bits_of(&model, &[&found.optimised.text]))
        };
        let whole = run(&[]);
        assert_eq!(whole.0.len(), 4);
        for stops in [&[0][..], &[1], &[2], &[3], &[0, 1, 2]] {
            assert!(run(stops) == whole, "stopped after {stops:?}, it is another");
        }
    }

    #[test]
    fn tuning_lowers_the_loss_on_the_picture_and_is_left_where_it_is_stopped() {
        let Scene { model, schedule, clean, written, copy } = scene();
        let lesson = Lesson { schedule: &schedule, clean: &clean, target: TuningTarget::OwnOutput };
        let rule = UniTuneRule { steps: 3, batch: 1, rate: 1e-3, adam: AdamRule::default(), part: TunedPart::All };
        let copies = |_: usize, _: usize| Ok(copy.clone());
        let mut go = |_: TuningStep<'_>| ControlFlow::Continue(());
        let losses = unitune(&model, lesson, &written, &copies, rule, None, &mut go).unwrap().continue_value().unwrap();
        assert!(losses[2] < losses[0], "{losses:?}");
        let before = model.weight("conv_in.weight").unwrap();
        let mut steps = 0;
        let mut stop = |_: TuningStep<'_>| {
            steps += 1;
            ControlFlow::Break(())
        };
        let rule = ImagicRule {
            embedding_steps: 2,
            embedding_rate: 1e-3,
            model_steps: 2,
            model_rate: 1e-3,
            adam: AdamRule::default(),
        };
        let found = imagic(&model, lesson, &written, &|_| Ok(copy.clone()), rule, None, &mut stop).unwrap();
        assert!(found.is_break() && steps == 1);
        let after = model.weight("conv_in.weight").unwrap();
        let gap = (after - before).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
        assert_eq!(gap, 0.0, "the embedding's steps moved the model");
    }
}
