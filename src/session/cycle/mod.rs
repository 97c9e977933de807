//! The way back: the edits from a node to an ancestor, taken back by words, and how exactly that leads home.
//!
//! Each step back is a turn under the settings in force that brings back an ancestor's words and weights. Whether it will
//! lead to that ancestor's very bits is told beforehand ([`predict`]), from the plans alone. A step always runs the UNet and
//! never copies the ancestor's result; it grows and moves nothing. [`regenerated`] goes the same way as the published
//! method must.

pub mod predict;
pub mod regenerated;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, bail};
use candle_core::Tensor;

use super::file::Hinted;
use super::model::Model;
use super::renderer::Renderer;
use super::run_node::{RunNode, RunResult, lineage_of};
use super::{Session, to_image};
use crate::measure::{psnr, ssim};
use crate::plan::Recipe;
use crate::plan::resolve::resolve;
use crate::turn::{Change, Edit, Replaced, Weighing, Weight};

use predict::{Family, Foretold};

/// One edit taken back.
pub struct StepBack {
    /// The ancestor whose words and weights came back.
    pub to: u32,
    /// What was taken back, as changes.
    pub changes: Vec<Change>,
    /// What was told of it beforehand; `None` where nothing is told.
    pub predicted: Option<Foretold>,
    /// The largest difference of the final latents.
    pub max_abs: f64,
    /// Whether all bits of the final latents are equal.
    pub identical: bool,
    /// What the ancestor left.
    pub wanted: Arc<RunResult>,
    /// What the step left.
    pub got: Arc<RunResult>,
    /// UNet samples.
    pub evaluations: u64,
    /// Seconds.
    pub seconds: f64,
}

impl StepBack {
    /// PSNR and SSIM of the picture that came back against the ancestor's; not a number if their sizes differ, and none
    /// if they are too small.
    #[must_use]
    pub fn likeness(&self) -> (f64, Option<f64>) {
        let (wanted, got) = (to_image(&self.wanted.picture), to_image(&self.got.picture));
        (psnr(&wanted, &got).unwrap_or(f64::NAN), ssim(&wanted, &got))
    }
}

/// A way back that is planned and not yet gone.
pub struct Way {
    /// Where it begins.
    pub from: u32,
    /// Its steps, in the order they are taken.
    pub steps: Vec<PlannedStep>,
    recipe: Recipe,
    model: Arc<Model>,
    /// Where it begins and the ancestors of that, nearest first.
    family: Vec<Arc<RunNode>>,
}

/// One step of a way back.
pub struct PlannedStep {
    /// The ancestor whose words and weights come back.
    pub to: u32,
    /// What is taken back, as changes.
    pub changes: Vec<Change>,
    /// Whether it leads to that ancestor's very bits.
    pub predicted: Foretold,
    /// The node that is drawn.
    run_node: Arc<RunNode>,
    /// Where the ancestor stands in the family.
    stop: usize,
}

/// Sees each new latent: step back, step of the run. May stop it.
pub type WayWatch<'a> = &'a mut dyn FnMut(usize, usize, &Tensor) -> ControlFlow<()>;

/// A change undone. `weight` gives a word's weight at the ancestor.
fn inverse(change: &Change, weight: &dyn Fn(&str) -> f64) -> Change {
    match change {
        Change::Start { prompt } => Change::Start { prompt: prompt.clone() },
        Change::Swap { from, to } => Change::Swap { from: to.clone(), to: from.clone() },
        Change::Add { text } => Change::Remove { text: text.clone() },
        Change::Remove { text } => Change::Add { text: text.clone() },
        Change::Weigh { word, .. } => Change::Weigh { word: word.clone(), factor: weight(word), absolute: true },
    }
}

/// The largest difference of two latents, and whether all their bits are equal.
///
/// # Errors
/// Fails if a device does not give its values.
pub fn difference(a: &Tensor, b: &Tensor) -> Result<(f64, bool)> {
    let (a, b) = (a.flatten_all()?.to_vec1::<f32>()?, b.flatten_all()?.to_vec1::<f32>()?);
    let max = a.iter().zip(&b).map(|(x, y)| f64::from((x - y).abs())).fold(0.0, f64::max);
    let identical = a.len() == b.len() && a.iter().zip(&b).all(|(x, y)| x.to_bits() == y.to_bits());
    Ok((max, identical))
}

impl Session {
    /// From here to an ancestor: the numbers on the way, nearest first, and where on it each step back stops.
    fn stops(&self, to: u32, in_one: bool) -> Result<(Vec<u32>, Vec<usize>)> {
        let here = self.resolve(None)?;
        let path: Vec<u32> = self.tree.path_to_root(here).iter().map(|n| n.number).collect();
        let Some(end) = path.iter().position(|n| *n == to) else {
            return Err(Hinted::new(format!("#{to} is no ancestor of #{here}"), "/tree shows what is").into());
        };
        if end == 0 {
            return Err(Hinted::new(
                format!("#{here} is where we are, so there is nothing to take back"),
                "/go to a later picture first",
            )
            .into());
        }
        Ok((path, if in_one { vec![end] } else { (1..=end).collect() }))
    }

    /// Plans the way back from here to an ancestor by words, edit by edit, or `in_one`, and tells how exact it will be.
    ///
    /// # Errors
    /// Fails if `to` is no ancestor of the present node, or a step cannot be planned.
    pub fn way_back(&mut self, to: u32, in_one: bool) -> Result<Way> {
        let (path, stops) = self.stops(to, in_one)?;
        let here = path[0];
        let recipe = (*self.tree[here].recipe).clone();
        let model = self.model_for(&recipe)?;
        let original = self.family(here, &model)?;
        let mut family = Family::new(&path, original.clone(), &model, &recipe);
        let mut steps = Vec::new();
        let mut at = 0;
        for stop in stops {
            let wanted = &original[stop];
            let edit = self.way_back_edit(&path[at..stop], &original[at], wanted);
            let plan_with =
                |settings: &_| resolve(&lineage_of(&family.all), wanted.generation.prompt.clone(), &edit, settings);
            let resolved = plan_with(&self.settings.turn)?;
            let prompt = &resolved.generation.prompt;
            let at_wanted = family.all.len() - original.len() + stop;
            let predicted = family.predict(&resolved.plan, prompt, at_wanted, &|s| Some(plan_with(s).ok()?.plan));
            let run_node = Arc::new(RunNode::new(None, resolved.plan, resolved.generation));
            family.push(format!("the way back at #{}", path[stop]), run_node.clone());
            steps.push(PlannedStep { to: path[stop], changes: edit.changes, predicted, run_node, stop });
            at = stop;
        }
        if steps.is_empty() {
            bail!("BUG: a way back has no steps");
        }
        Ok(Way { from: here, steps, recipe, model, family: original })
    }

    /// Goes a way back that was planned. `None` if it was stopped.
    ///
    /// # Errors
    /// Fails if a step cannot be drawn.
    pub fn go_back(&self, way: Way, watch: WayWatch<'_>) -> Result<Option<Vec<StepBack>>> {
        let Way { steps: planned, recipe, model, family: original, .. } = way;
        let reach = self.reach();
        let recipe = Arc::new(recipe);
        let renderer = || Renderer::new(model.clone(), (&self.store, &self.learner), recipe.clone(), reach);
        if !self.draws_again(&renderer()?, &original, watch)? {
            return Ok(None);
        }
        let mut family = original.clone();
        let mut steps = Vec::new();
        for (count, one) in planned.into_iter().enumerate() {
            let begun = Instant::now();
            let PlannedStep { to, changes, predicted, run_node, stop } = one;
            family.insert(0, run_node);
            let renderer = renderer()?;
            let Some(done) = renderer.draw(&family, &mut |step, latent| watch(count, step, latent))? else {
                return Ok(None);
            };
            let (evaluations, seconds) = (renderer.evaluations(), begun.elapsed().as_secs_f64());
            let wanted = renderer.left(&original[stop..])?;
            let (max_abs, identical) = difference(done.left.trajectory.last(), wanted.trajectory.last())?;
            let (predicted, got) = (Some(predicted), done.left);
            steps.push(StepBack { to, changes, predicted, max_abs, identical, wanted, got, evaluations, seconds });
        }
        Ok(Some(steps))
    }

    /// Plans the way back from here to an ancestor and goes it. `None` if it was stopped.
    ///
    /// # Errors
    /// As [`way_back`](Self::way_back) and [`go_back`](Self::go_back).
    pub fn cycle(&mut self, to: u32, in_one: bool, watch: WayWatch<'_>) -> Result<Option<Vec<StepBack>>> {
        let way = self.way_back(to, in_one)?;
        self.go_back(way, watch)
    }

    /// Draws those of a family again that the store has lost, the root first, so that no step back pays for them. False
    /// if it was stopped.
    fn draws_again(&self, renderer: &Renderer<'_>, family: &[Arc<RunNode>], watch: WayWatch<'_>) -> Result<bool> {
        for i in (0..family.len()).rev() {
            if renderer.left_watched(&family[i..], &mut |_, latent| watch(0, 0, latent))?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The edit that brings an ancestor's words and weights back, over the nodes that are left.
    fn way_back_edit(&self, left: &[u32], from: &RunNode, wanted: &RunNode) -> Edit {
        let weight = |word: &str| {
            let name = word.split('#').next().unwrap_or(word).to_lowercase();
            let at = wanted.generation.prompt.words.iter().position(|w| w.to_lowercase() == name);
            at.map_or(1.0, |i| wanted.generation.weights[i])
        };
        let changes: Vec<Change> =
            left.iter().flat_map(|n| self.tree[*n].changes.iter().rev().map(|c| inverse(c, &weight))).collect();
        let spans = match left {
            [one] => self.tree[*one]
                .plan
                .spans()
                .iter()
                .map(|s| Replaced { source: s.target.clone(), target: s.source.clone() })
                .collect(),
            // Identities come back by rule, whatever the spans say: the words are an ancestor's.
            _ => super::compose::difference(&from.generation.prompt.words, &wanted.generation.prompt.words),
        };
        let weighings = wanted.generation.weights.iter().enumerate();
        let weighings = weighings.map(|(word, weight)| Weighing { word, to: Weight::Set(*weight) }).collect();
        Edit { prompt: wanted.plan.prompt.clone(), changes, spans, weighings, is_root: false, warnings: Vec::new() }
    }
}
