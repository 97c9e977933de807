//! The way back: the edits from a node to an ancestor, taken back by words, and how exactly that leads home.
//!
//! Each step back is a turn under the settings in force that brings back an ancestor's words and weights. It always runs
//! the UNet and never copies the ancestor's result; it grows and moves nothing.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, bail};
use candle_core::Tensor;

use super::Session;
use super::easel::Easel;
use super::file::Hinted;
use super::relative::{Left, Relative};
use crate::plan::lineage::Generation;
use crate::plan::resolve::resolve;
use crate::turn::{Change, Edit, Replaced, Weighing, Weight};

/// One edit taken back.
pub struct Step {
    /// The ancestor whose words and weights came back.
    pub to: u32,
    /// What was taken back, as changes.
    pub changes: Vec<Change>,
    /// The largest difference of the final latents.
    pub max_abs: f64,
    /// Whether all bits of the final latents are equal.
    pub identical: bool,
    /// What the ancestor left.
    pub wanted: Arc<Left>,
    /// What the step left.
    pub got: Arc<Left>,
    /// UNet samples.
    pub evaluations: u64,
    /// Seconds.
    pub seconds: f64,
}

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
    /// Goes back from here to an ancestor by words, edit by edit, or `in_one`. `None` if it was stopped.
    ///
    /// # Errors
    /// Fails if `to` is no ancestor of the present node, or a step cannot be drawn.
    pub fn cycle(
        &mut self,
        to: u32,
        in_one: bool,
        watch: &mut dyn FnMut(usize, usize, &Tensor) -> ControlFlow<()>,
    ) -> Result<Option<Vec<Step>>> {
        let here = self.resolve(None)?;
        let mut path = vec![here];
        path.extend(self.tree.ancestors(here).map(|n| n.number));
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
        let recipe = self.tree[here].recipe.clone();
        let model = self.model_for(&recipe)?;
        let mut family = self.family(here, &model)?;
        let original = family.clone();
        let reach = self.reach();
        let stops: Vec<usize> = if in_one { vec![end] } else { (1..=end).collect() };
        let mut steps = Vec::new();
        let mut at = 0;
        for (count, stop) in stops.into_iter().enumerate() {
            let begun = Instant::now();
            let wanted = &original[stop];
            let edit = self.way_back(&path[at..stop], &original[at], wanted);
            let above: Vec<&Generation> = family.iter().map(|r| &r.generation).collect();
            let resolved = resolve(&above, wanted.generation.prompt.clone(), &edit, &self.settings.turn)?;
            let relative = Arc::new(Relative::new(None, resolved.plan, resolved.generation));
            family.insert(0, relative);
            let easel = Easel::new(&model, &self.store, &recipe, reach)?;
            let Some(done) = easel.draw(&family, &mut |step, latent| watch(count, step, latent))? else {
                return Ok(None);
            };
            let evaluations = easel.evaluations();
            let theirs = easel.left(&original[stop..])?;
            let (max_abs, identical) = difference(done.left.trajectory.last(), theirs.trajectory.last())?;
            steps.push(Step {
                to: path[stop],
                changes: edit.changes,
                max_abs,
                identical,
                wanted: theirs,
                got: done.left,
                evaluations,
                seconds: begun.elapsed().as_secs_f64(),
            });
            at = stop;
        }
        if steps.is_empty() {
            bail!("BUG: a way back has no steps");
        }
        Ok(Some(steps))
    }

    /// The edit that brings an ancestor's words and weights back, over the nodes that are left.
    fn way_back(&self, left: &[u32], from: &Relative, wanted: &Relative) -> Edit {
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
                .spans
                .iter()
                .map(|s| Replaced { source: s.target.clone(), target: s.source.clone() })
                .collect(),
            // Identities come back by rule, whatever the spans say: the words are an ancestor's.
            _ => vec![Replaced {
                source: 0..from.generation.prompt.words.len(),
                target: 0..wanted.generation.prompt.words.len(),
            }],
        };
        let weighings = wanted.generation.weights.iter().enumerate();
        let weighings = weighings.map(|(word, weight)| Weighing { word, to: Weight::Set(*weight) }).collect();
        Edit { prompt: wanted.plan.prompt.clone(), changes, spans, weighings, is_root: false, warnings: Vec::new() }
    }
}
