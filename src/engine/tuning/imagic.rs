//! Imagic (Kawar et al. 2023, arXiv:2210.09276): the embedding of the wanted words is moved until it describes the picture, then
//! the model until it draws the picture from it; between that embedding and the words' own lies the edit.

use std::ops::ControlFlow;

use anyhow::{Context, Result};
use candle_core::Var;

use super::super::unet::Condition;
use super::{Adam, AdamRule, Adams, Lesson, NoisedCopy, TunableModel, TuningState, TuningStep, WatchTuning, number};

/// How Imagic goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImagicRule {
    /// Steps of the embedding.
    pub embedding_steps: usize,
    /// Their learning rate.
    pub embedding_rate: f64,
    /// Steps of the model.
    pub model_steps: usize,
    /// Their learning rate.
    pub model_rate: f64,
    /// How both follow their gradients.
    pub adam: AdamRule,
}

/// What Imagic found, besides the model's weights.
#[derive(Debug, Clone)]
pub struct ImagicResult {
    /// The wanted words' own embedding.
    pub original: Condition,
    /// The embedding that describes the picture.
    pub optimised: Condition,
    /// The loss before each step, those of the embedding first.
    pub losses: Vec<f32>,
}

/// Optimises an embedding, all its positions, and then the model's weights. `copy` gives the noised copy of each step; steps are
/// counted through. It goes on from `begun`, or from the beginning; `Break` with what it needs to go on if `watch` stopped it: the
/// weights stay as they have become.
///
/// # Errors
/// Fails if a loss is no number, `begun` is not of this model and rule, or the device has no memory left.
pub fn imagic(
    model: &TunableModel,
    lesson: Lesson<'_>,
    written: &Condition,
    copy: &dyn Fn(usize) -> Result<NoisedCopy>,
    rule: ImagicRule,
    begun: Option<&TuningState>,
    watch: WatchTuning<'_>,
) -> Result<ControlFlow<TuningState, ImagicResult>> {
    let backend = model.engine.backend();
    let of = rule.embedding_steps + rule.model_steps;
    let original = Condition { text: backend.like(&written.text)?, added: written.added.clone() };
    let first = begun.map_or(0, |state| state.step);
    let moved = begun.map(|state| state.tensor(TEXT, &original.text)).transpose()?;
    let text = Var::from_tensor(moved.as_ref().unwrap_or(&original.text))?;
    let with = |text| Condition { text, added: original.added.clone() };
    let reads = with(text.as_tensor().clone());
    let mut losses = begun.map(|state| state.losses.clone()).unwrap_or_default();
    let mut adam = Adam::new(text.as_tensor())?;
    if let Some(state) = begun.filter(|_| first < rule.embedding_steps) {
        adam.restore(TEXT, first, state)?;
    }
    for step in first..rule.embedding_steps {
        let loss = model.loss(lesson, &reads, &copy(step)?)?;
        let store = loss.backward()?;
        let gradient = store.get(text.as_tensor()).context("BUG: no gradient reached the embedding")?;
        text.set(&adam.step(text.as_tensor(), gradient, rule.embedding_rate, rule.adam)?)?;
        let loss = number(&loss, step)?;
        losses.push(loss as f32);
        if watch(TuningStep { step, of, loss, gradients: None }).is_break() {
            let mut state = TuningState { step: step + 1, losses, ..TuningState::default() };
            state.tensors.insert(TEXT.to_owned(), text.as_tensor().copy()?.detach());
            adam.keep(TEXT, &mut state);
            return Ok(ControlFlow::Break(state));
        }
    }
    let optimised = with(text.as_tensor().copy()?.detach());
    let mut adams = Adams::new(model)?;
    if let Some(state) = begun.filter(|_| first > rule.embedding_steps) {
        adams.restore(model, first - rule.embedding_steps, state)?;
    }
    for step in first.max(rule.embedding_steps)..of {
        let loss = model.loss(lesson, &optimised, &copy(step)?)?;
        let gradients = model.gradients(&loss)?;
        adams.step(model, &gradients, |_| rule.model_rate, rule.adam)?;
        let loss = number(&loss, step)?;
        losses.push(loss as f32);
        if watch(TuningStep { step, of, loss, gradients: Some(&gradients) }).is_break() {
            let mut state = TuningState { step: step + 1, losses, ..TuningState::default() };
            state.tensors.insert(TEXT.to_owned(), optimised.text);
            adams.keep(model, &mut state)?;
            return Ok(ControlFlow::Break(state));
        }
    }
    Ok(ControlFlow::Continue(ImagicResult { original, optimised, losses }))
}

/// What the embedding is called in a state.
const TEXT: &str = "text";

/// What lies between the embedding that describes the picture, at 0, and the words' own, at 1, and beyond.
///
/// # Errors
/// Fails if the two are of different shapes.
pub fn blended_condition(found: &ImagicResult, alpha: f64) -> candle_core::Result<Condition> {
    let text = ((&found.original.text * alpha)? + (&found.optimised.text * (1.0 - alpha))?)?;
    Ok(Condition { text, added: found.original.added.clone() })
}
