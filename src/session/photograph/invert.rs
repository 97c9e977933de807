//! The way from a photograph back to noise, and what its descendants read of it.

use std::ops::ControlFlow;

use anyhow::{Result, ensure};
use candle_core::{Device, Tensor};

use super::super::model::Model;
use crate::engine::inversion::{
    DdimInversion, DirectInversion, EditFriendly, Inversion, Inverted, NegativePrompt, NullText, NullTextRule,
};
use crate::engine::sampler::Ddim;
use crate::engine::schedule::NoiseSchedule;
use crate::engine::unet::Condition;
use crate::engine::{Conditions, Guidance, Picture};
use crate::history::NodeId;
use crate::plan::Recipe;
use crate::plan::inversion::InversionName;
use crate::plan::photograph::Photograph;
use crate::store::codec::Blob;
use crate::store::{Key, Store, ValueKind};

/// The share of noise that edit-friendly inversion draws anew, as published.
pub(crate) const ETA: f64 = 1.0;

/// Null-text optimisation as published: at most 10 steps of Adam at each step of the run.
const NULL_TEXT: NullTextRule = NullTextRule { inner_steps: 10, early_stop: 1e-5, betas: (0.9, 0.999), eps: 1e-8 };

/// What runs in a photograph's tree read of its inversion, besides the root's latents.
#[derive(Debug, Default)]
pub(crate) struct InversionReading {
    /// What they are pushed away from in place of the negative text: one for all steps, or one for each.
    pub(crate) uncond: Option<Vec<Condition>>,
    /// The noise of each step, noisiest first; empty where steps add none.
    pub(crate) noise: Vec<Tensor>,
}

impl InversionReading {
    /// What was found, as far as descendants read it.
    pub(crate) fn of(name: InversionName, inverted: &Inverted) -> Self {
        match name {
            InversionName::Ddim | InversionName::Direct => Self::default(),
            InversionName::NegativePrompt | InversionName::NullText => {
                Self { uncond: Some(inverted.conditions.uncond.clone()), noise: Vec::new() }
            }
            InversionName::EditFriendly => Self { uncond: None, noise: inverted.noise.clone() },
        }
    }

    /// Puts what was dear to find into the store.
    pub(crate) fn keep(&self, name: InversionName, store: &Store, id: NodeId) -> Option<()> {
        let tensors: Vec<&Tensor> = match name {
            InversionName::NullText => self.uncond.iter().flatten().map(|empty| &empty.text).collect(),
            InversionName::EditFriendly => self.noise.iter().collect(),
            _ => return Some(()),
        };
        let mut shape = vec![tensors.len()];
        shape.extend(tensors.first()?.dims());
        let mut values = Vec::new();
        for tensor in tensors {
            values.extend(tensor.flatten_all().ok()?.to_vec1::<f32>().ok()?);
        }
        store.put(Key::new(id, ValueKind::Inversion, 0), Blob::from_f32(&shape, &values)?);
        Some(())
    }

    /// What is in the store, if it is of this many steps; `conditions` are those of the caption.
    pub(crate) fn find(
        name: InversionName,
        store: &Store,
        id: NodeId,
        (steps, device): (usize, &Device),
        conditions: &Conditions,
    ) -> Option<Self> {
        let blob = store.get(Key::new(id, ValueKind::Inversion, 0))?;
        let (count, shape) = blob.shape().split_first()?;
        let size: usize = shape.iter().product();
        let values = blob.to_f32()?;
        if *count != steps || size == 0 || values.len() != steps * size {
            return None;
        }
        let one = |values: &[f32]| Tensor::from_slice(values, shape, device).ok();
        let tensors: Vec<Tensor> = values.chunks(size).map(one).collect::<Option<_>>()?;
        match name {
            InversionName::NullText => {
                let added = conditions.uncond.first()?.added.clone();
                let empty = |text| Condition { text, added: added.clone() };
                Some(Self { uncond: Some(tensors.into_iter().map(empty).collect()), noise: Vec::new() })
            }
            InversionName::EditFriendly => Some(Self { uncond: None, noise: tensors }),
            _ => None,
        }
    }
}

/// The sampler that a recipe's photograph is inverted by.
pub(crate) fn ddim(model: &Model, recipe: &Recipe) -> Result<Ddim> {
    let spec = &model.engine.spec().scheduler;
    Ddim::new(NoiseSchedule::new(spec), spec, recipe.steps)
}

/// Inverts a recipe's photograph, which `conditions` describe, and counts the UNet samples that it took; `None` if `watch`
/// stopped it.
pub(crate) fn invert(
    model: &Model,
    recipe: &Recipe,
    (photograph, name): (&Photograph, InversionName),
    conditions: &Conditions,
    watch: &mut dyn FnMut(usize, &Tensor) -> ControlFlow<()>,
) -> Result<Option<(Inverted, u64)>> {
    let engine = &model.engine;
    ensure!(!recipe.embeds_guidance, "BUG: a model that reads its guidance was to invert a photograph");
    let picture = Picture::from(photograph);
    let ddim = DdimInversion { ddim: ddim(model, recipe)? };
    let guidance = Guidance::of_recipe(recipe);
    let gradients;
    let inversion: Box<dyn Inversion + '_> = match name {
        InversionName::Ddim => Box::new(ddim),
        InversionName::Direct => Box::new(DirectInversion { ddim }),
        InversionName::NegativePrompt => Box::new(NegativePrompt { ddim, interpolation: 0.0 }),
        InversionName::EditFriendly => {
            let noise = engine.noises(recipe.seed, recipe.steps, (recipe.width, recipe.height))?;
            Box::new(EditFriendly { ddim: ddim.ddim, eta: ETA, guidance, noise })
        }
        InversionName::NullText => {
            gradients = model.in_doubles()?;
            Box::new(NullText { ddim, guidance: recipe.guidance, rule: NULL_TEXT, gradients: &gradients })
        }
    };
    let Some(inverted) = inversion.invert(engine, &picture, conditions, watch)? else { return Ok(None) };
    let steps = recipe.steps as u64;
    let samples = match name {
        InversionName::EditFriendly => steps * guidance.evaluations(),
        InversionName::NullText => {
            let inner: usize = inverted.optimised.as_ref().map_or(0, |found| found.inner_steps.iter().sum());
            3 * steps + inner as u64
        }
        _ => steps,
    };
    Ok(Some((inverted, samples)))
}
