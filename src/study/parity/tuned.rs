//! Cases of a model tuned on the case's picture.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use anyhow::{Context, Result, bail, ensure};
use candle_core::{DType, Device, Tensor};

use super::ModelFolders;
use super::results::{Array, Numbers, Results};
use super::run::{Worker, to_latents};
use super::tuned_case::{OptimizerCase, OptimizerKind, TunedWeights};
use crate::engine::edit::noised::{NoisedEdit, sdedit};
use crate::engine::edit::steps::LastSteps;
use crate::engine::layers::Backend;
use crate::engine::tuning::{
    AdamRule, ImagicRule, Lesson, NoisedCopy, TunableModel, TunedPart, TuningStep, TuningTarget, UniTuneRule,
    blended_condition, imagic, unitune,
};
use crate::engine::unet::Condition;
use crate::engine::{Conditions, Guidance};

const STOPPED: &str = "BUG: an unwatched edit was stopped";

/// A run that nobody stops.
fn go(_: usize, _: &Tensor) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn adam(rule: OptimizerCase) -> Result<AdamRule> {
    let OptimizerCase { optimizer, betas, eps, weight_decay } = rule;
    if optimizer == OptimizerKind::Adam && weight_decay != 0.0 {
        bail!("case.json asks for `weight_decay` {weight_decay} of `adam`, which is not built here: of `adamw` it is");
    }
    Ok(AdamRule { betas, eps, decay: weight_decay })
}

/// A tensor as a result.
fn array(tensor: &Tensor) -> Result<Array> {
    Ok(Array::f32(tensor.dims(), tensor.flatten_all()?.to_dtype(DType::F32)?.to_vec1()?))
}

/// Latents of a tuned model, in the numbers that results have.
fn singles(latents: &[Tensor]) -> Result<Vec<Tensor>> {
    Ok(latents.iter().map(|latent| latent.to_dtype(DType::F32)).collect::<candle_core::Result<_>>()?)
}

/// The weights that a case asks about: as they were, and their gradients at the first step that moves them.
struct Watched {
    names: Vec<String>,
    before: Vec<Tensor>,
    gradients: BTreeMap<String, Tensor>,
}

impl Watched {
    fn see(&mut self, step: TuningStep<'_>) -> ControlFlow<()> {
        if let (Some(gradients), true) = (step.gradients, self.gradients.is_empty()) {
            let asked = gradients.iter().filter(|(name, _)| self.names.contains(name));
            self.gradients = asked.map(|(name, gradient)| (name.clone(), gradient.clone())).collect();
        }
        ControlFlow::Continue(())
    }
}

impl Worker<'_> {
    /// The case's model with variables. Each case tunes a model of its own, in doubles: the first step of Adam is almost the sign of
    /// the gradient, which single precision turns round where it is nearly zero.
    fn tunable(&self, models: &ModelFolders) -> Result<(TunableModel, Watched)> {
        let backend = Backend::Plain(Device::Cpu, DType::F64);
        let model = TunableModel::load(&*models.source(self.case)?, &backend)?;
        let names = self.case.probe.as_ref().map(|probe| probe.weights.clone()).unwrap_or_default();
        let before = names.iter().map(|name| model.weight(name)).collect::<Result<_>>()?;
        Ok((model, Watched { names, before, gradients: BTreeMap::new() }))
    }

    /// What the case's prompt says to the model, and what a text says that it is pushed away from.
    fn words_of(&self, model: &TunableModel, away: &str) -> Result<(Condition, Condition)> {
        let reader = model.engine().reader();
        let prompt = self.case.prompts.first().context("case.json has no prompt")?;
        Ok((reader.embed(prompt, [0.0; 6])?, reader.embed_empty(away, [0.0; 6])?))
    }

    /// The latent of the case's picture, given out as a result too.
    fn clean_of(&mut self, model: &TunableModel) -> Result<Tensor> {
        let clean = model.engine().encode(&self.picture()?)?;
        self.put_latents("image_latent", &singles(std::slice::from_ref(&clean))?)?;
        Ok(clean)
    }

    fn put_watched(&mut self, model: &TunableModel, watched: &Watched) -> Result<()> {
        for (i, (name, before)) in watched.names.iter().zip(&watched.before).enumerate() {
            self.put(&format!("weight_change_{i}"), array(&(model.weight(name)? - before)?)?);
            if let Some(gradient) = watched.gradients.get(name) {
                self.put(&format!("weight_gradient_{i}"), array(gradient)?);
            }
        }
        Ok(())
    }

    /// The noised copies among the case's inputs.
    fn copies(&self, count: usize) -> Result<Vec<NoisedCopy>> {
        let timesteps = self.inputs.get("timesteps").context("input.safetensors lacks `timesteps`")?;
        let Numbers::I64(levels) = &timesteps.numbers else { bail!("`timesteps` is not of whole numbers") };
        ensure!(
            levels.len() == count && self.noise.len() == count,
            "{} timesteps and {} noises, expected {count} of each",
            levels.len(),
            self.noise.len()
        );
        let most = self.ddim()?.schedule().alphas_cumprod().len();
        let copy = |(level, noise): (&i64, &Tensor)| {
            let level = usize::try_from(*level).ok().filter(|level| *level < most);
            Ok(NoisedCopy { level: level.context("`timesteps` has one that training has not")?, noise: noise.clone() })
        };
        levels.iter().zip(&self.noise).map(copy).collect()
    }

    /// The case's picture by Imagic: what lies between its optimised embedding and the words.
    pub(super) fn imagic(mut self, models: &ModelFolders) -> Result<Results> {
        let asked = self.case.imagic.as_ref().context("case.json lacks `imagic`")?;
        let (model, mut watched) = self.tunable(models)?;
        let (written, empty) = self.words_of(&model, "")?;
        let clean = self.clean_of(&model)?;
        let ddim = self.ddim()?;
        let copies = self.copies(asked.embedding_steps + asked.model_steps)?;
        let rule = ImagicRule {
            embedding_steps: asked.embedding_steps,
            embedding_rate: asked.embedding_learning_rate,
            model_steps: asked.model_steps,
            model_rate: asked.model_learning_rate,
            adam: adam(asked.rule)?,
        };
        let lesson = Lesson { schedule: ddim.schedule(), clean: &clean, target: TuningTarget::Noise };
        let copy = |step: usize| Ok(copies[step].clone());
        let found = imagic(&model, lesson, &written, &copy, rule, None, &mut |step| watched.see(step))?;
        let found = found.continue_value().context(STOPPED)?;
        self.put("losses", Array::f32(&[found.losses.len()], found.losses.clone()));
        self.put("original_embedding", array(&found.original.text)?);
        self.put("optimised_embedding", array(&found.optimised.text)?);
        self.put_watched(&model, &watched)?;
        let (shape, values) = self.floats("latents")?;
        let start = to_latents(values, (shape[1], shape[2], shape[3]), self.engine)?.remove(0);
        let backend = model.engine().backend();
        let guidance = Guidance::of(self.case.guidance_scale.max(1.0), false);
        let mut runs = Vec::new();
        for alpha in &asked.alphas {
            let conditions = Conditions { cond: blended_condition(&found, *alpha)?, uncond: vec![empty.clone()] };
            let run = LastSteps { ddim: &ddim, conditions: &conditions, guidance, first: 0 };
            let start = backend.like(&start)?;
            let latents = run.run(model.engine(), start, &mut |_, l| Ok(l.clone()), &|_, l| Ok(l), &mut go)?;
            runs.push(singles(&latents.context(STOPPED)?)?);
        }
        let runs: Vec<&[Tensor]> = runs.iter().map(Vec::as_slice).collect();
        self.put_runs("sampled_latents", &runs)?;
        Ok(self.out)
    }

    /// The case's picture by UniTune: learned under a rare word, noised and drawn again.
    pub(super) fn unitune(mut self, models: &ModelFolders) -> Result<Results> {
        let asked = self.case.unitune.as_ref().context("case.json lacks `unitune`")?;
        let (model, mut watched) = self.tunable(models)?;
        let (written, base) = self.words_of(&model, &asked.base_prompt)?;
        let rare = model.engine().reader().embed(&asked.rare_prompt, [0.0; 6])?;
        let clean = self.clean_of(&model)?;
        let ddim = self.ddim()?;
        let copies = self.copies(asked.steps * asked.batch_size)?;
        let rule = UniTuneRule {
            steps: asked.steps,
            batch: asked.batch_size,
            rate: asked.learning_rate,
            adam: adam(asked.rule)?,
            part: match asked.weights {
                TunedWeights::All => TunedPart::All,
                TunedWeights::AttentionOut => TunedPart::AttentionOut,
            },
        };
        let lesson = Lesson { schedule: ddim.schedule(), clean: &clean, target: TuningTarget::Noise };
        let copy = |step: usize, row: usize| Ok(copies[step * asked.batch_size + row].clone());
        let losses = unitune(&model, lesson, &rare, &copy, rule, None, &mut |step| watched.see(step))?;
        let losses = losses.continue_value().context(STOPPED)?;
        self.put("losses", Array::f32(&[losses.len()], losses));
        self.put_watched(&model, &watched)?;
        let (shape, values) = self.floats("start_noise")?;
        let noise = to_latents(values, (shape[1], shape[2], shape[3]), self.engine)?.remove(0);
        let noise = model.engine().backend().like(&noise)?;
        let conditions = Conditions { cond: written, uncond: vec![base] };
        let guidance = Guidance::of(self.case.guidance_scale, false);
        let edit = NoisedEdit { ddim: &ddim, conditions: &conditions, guidance, noise: &noise };
        let latents = sdedit(model.engine(), &clean, edit, asked.strength, &mut go)?.context(STOPPED)?;
        self.put_latents("sampled_latents", &singles(&latents)?)?;
        Ok(self.out)
    }
}
