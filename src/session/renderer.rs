//! Drawing a node: its run, and the maps of its ancestors from the store or by running their steps again.

use std::cell::{Cell, OnceCell};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::{Context, Result};
use candle_core::Tensor;

use super::learning::{Learner, LearningStep};
use super::model::Model;
use super::photograph::invert::{ETA, InversionReading, ddim};
use super::region::REPORT_K;
use super::run_node::{RunNode, RunResult, find_cross, find_left, find_own, first_step, keep_left, keep_maps};
use crate::attention::Untouched;
use crate::attention::blend::{MaskRule, Parent};
use crate::attention::maps::{MapSource, StepMaps, Want};
use crate::attention::record::Keep;
use crate::engine::edit::redraw::{Beginning, MixedReading, RedrawSource, begin};
use crate::engine::edit::{Inherited, InheritedMasks, RunOptions, RunPlan, RunPrefix, draw, recall};
use crate::engine::inversion::NoiseMapSampler;
use crate::engine::sampler::{Sampler, sampler};
use crate::engine::{Conditions, Run, StepNoise};
use crate::history::NodeId;
use crate::plan::area::Area;
use crate::plan::inversion::InversionName;
use crate::plan::redraw::{Redraw, RedrawMethod};
use crate::plan::settings::{BlendArithmetic, Precision};
use crate::plan::window::Reach;
use crate::plan::{Recipe, Region};
use crate::store::Store;

/// Sees each new latent of a turn, by step; may stop it.
pub type Watch<'a> = &'a mut dyn FnMut(usize, &Tensor) -> ControlFlow<()>;

/// A drawn node, and how much of its rows' attention was not 1.
pub struct RunOutput {
    /// What the run left.
    pub left: Arc<RunResult>,
    /// The largest distance of a used row's sum from 1.
    pub row_gap: f32,
    /// How many first steps were taken over from another run.
    pub shared: usize,
    /// What a run like this one can take over from it.
    pub trail: ReusablePrefix,
}

/// What a run leaves for another edit of the same parent to the same prompt, under other settings: steps that both are
/// ordered to do alike need not be run again.
#[derive(Debug)]
pub struct ReusablePrefix {
    /// The parent and the prompt; a run without a parent has nothing to share.
    of: Option<(NodeId, String)>,
    orders: RunPlan,
    left: Arc<RunResult>,
    /// Maps that masks were made of, where those are not the recorded ones.
    targets: Vec<Vec<f32>>,
    row_gaps: Vec<f32>,
    /// What the sampler remembers.
    memory: Vec<Tensor>,
    /// The first step that was made.
    first: usize,
}

impl ReusablePrefix {
    /// How many first steps of a run under `orders` are here already.
    fn shared(&self, of: Option<&(NodeId, String)>, orders: &RunPlan) -> usize {
        let steps = self.left.trajectory.steps();
        let kept = if orders.makes_masks_of_used_maps() { self.targets.len() } else { steps };
        if of.is_none() || self.of.as_ref() != of {
            return 0;
        }
        Some(self.orders.shared(orders, steps).min(kept)).filter(|shared| *shared > self.first).unwrap_or(0)
    }

    fn until(&self, step: usize, orders: &RunPlan) -> RunPrefix<'_> {
        let RunResult { trajectory, word_maps, masks, .. } = &*self.left;
        let targets = if orders.makes_masks_of_used_maps() { &self.targets } else { &**word_maps };
        RunPrefix {
            latents: &trajectory.latents()[..=step],
            word_maps: &word_maps[..step],
            targets: &targets[..step],
            masks: &masks[..step.min(masks.len())],
            row_gaps: &self.row_gaps[..step.min(self.row_gaps.len())],
            memory: &self.memory[..(step - self.first).min(self.memory.len())],
        }
    }
}

/// Everything that drawing needs besides a node and its ancestors.
pub struct Renderer<'a> {
    pub(super) model: Arc<Model>,
    pub(super) store: &'a Store,
    pub(super) learner: &'a Learner,
    /// The node that is about to grow, or `None` of a plan that has none yet: of it nothing can be missing.
    pub(super) grows: Option<Option<NodeId>>,
    pub(super) recipe: Arc<Recipe>,
    /// What the inversion of a photograph left for runs to read, once asked for.
    pub(super) reading: OnceCell<InversionReading>,
    sampler: Box<dyn Sampler>,
    self_max: usize,
    /// How far children may need maps.
    reach: Reach,
    /// Whether values are kept too, by nodes that are not stored.
    keeps_values: bool,
    evaluations: Cell<u64>,
}

impl<'a> Renderer<'a> {
    /// A renderer for a tree of this recipe. `reach` is how far windows for text and own maps go:
    /// maps beyond are not kept, but computed again when they are needed.
    ///
    /// # Errors
    /// Fails if the recipe has no steps or more than its sampler makes on this model.
    pub fn new(
        model: Arc<Model>,
        (store, learner): (&'a Store, &'a Learner),
        recipe: Arc<Recipe>,
        reach: Reach,
    ) -> Result<Self> {
        let sampler = match recipe.photograph() {
            // Its steps add the noise that was found.
            Some((_, InversionName::EditFriendly)) => Box::new(NoiseMapSampler::new(ddim(&model, &recipe)?, ETA, 0)),
            _ => sampler(recipe.scheduler, &model.engine.spec().scheduler, recipe.steps)?,
        };
        let (self_max, reading, evaluations) = (model.self_max(&recipe), OnceCell::new(), Cell::new(0));
        let (keeps_values, grows) = (false, None);
        Ok(Self { model, store, learner, grows, recipe, reading, sampler, self_max, reach, keeps_values, evaluations })
    }

    /// The same, but a node that is in no tree keeps its values as well, for a child that mixes them.
    #[must_use]
    pub fn keeping_values(mut self) -> Self {
        self.keeps_values = true;
        self
    }

    /// The same for a node that is about to grow, or for a plan that has no node yet.
    #[must_use]
    pub fn growing(mut self, node: Option<NodeId>) -> Self {
        self.grows = Some(node);
        self
    }

    /// UNet samples so far.
    #[must_use]
    pub fn evaluations(&self) -> u64 {
        self.evaluations.get()
    }

    /// The rule that reports make their region with, and the latent's height and width.
    #[must_use]
    pub fn report_rule(&self) -> (MaskRule, (usize, usize)) {
        let (h, w, _) = self.model.engine.latent_dims((self.recipe.width, self.recipe.height));
        let grid = self.model.engine.mask_layers((h, w)).grid;
        (MaskRule { k: REPORT_K, substruct_k: REPORT_K, grid, latent: (h, w) }, (h, w))
    }

    /// The pixels that a place of the latent has along a side.
    pub(super) fn pixels_a_place(&self) -> usize {
        self.model.engine.spec().vae.factor()
    }

    pub(super) fn count(&self, samples: u64) {
        self.evaluations.set(self.evaluations.get() + samples);
    }

    /// What the first of `family` reads.
    pub(super) fn conditions(&self, family: &[Arc<RunNode>]) -> Result<Arc<Conditions>> {
        let run_node = &family[0];
        if let Some(found) = run_node.conditions.get() {
            return Ok(found.clone());
        }
        let mut made = self.plain_conditions(family)?;
        if let ControlFlow::Continue(Some((learned, method))) =
            self.learned(family, &mut |_| ControlFlow::Continue(()))?
        {
            made.cond = learned.reads(made.cond, method)?;
        }
        Ok(run_node.conditions.get_or_init(|| Arc::new(made)).clone())
    }

    /// What the first of `family` would read of a model that was not tuned.
    fn plain_conditions(&self, family: &[Arc<RunNode>]) -> Result<Conditions> {
        let mut made = self.words(&family[0].plan.prompt)?;
        if let Some(uncond) = &self.reading(family)?.uncond {
            made.uncond.clone_from(uncond);
        }
        Ok(made)
    }

    /// How the run of the first of `family` reads, where that is a way of its own: an edit by words reads as the run that it goes
    /// on with, so that words taken back lead to its bits.
    fn mixed_reading(&self, family: &[Arc<RunNode>]) -> Result<Option<MixedReading>> {
        let begun = family.iter().position(|node| !node.plan.goes_on()).unwrap_or(0);
        let Some(redraw @ Redraw { method: RedrawMethod::MagicMix { .. }, .. }) = family[begun].plan.redraw() else {
            return Ok(None);
        };
        let parent = self.left(&family[begun + 1..])?;
        MixedReading::of(&self.model.engine, &*self.sampler, redraw, parent.trajectory.last())
    }

    /// A run that begins with step `first`, and reads in a way of its own if there is one.
    pub(super) fn run<'r>(
        &'r self,
        conditions: &'r Conditions,
        reading: Option<&'r MixedReading>,
        (first, is_root): (usize, bool),
    ) -> Run<'r> {
        let found = self.reading.get().map_or(&[][..], |reading| &reading.noise);
        Run {
            conditions,
            sampler: reading.map_or(&*self.sampler, |reading| reading),
            first,
            noise: if found.is_empty() { StepNoise::Seed(self.recipe.seed) } else { StepNoise::Given(found) },
            guidance: self.guidance(is_root),
            map_precision: self.recipe.map_precision,
        }
    }

    pub(super) fn orders(&self, family: &[Arc<RunNode>]) -> RunPlan {
        let Recipe { steps, map_precision, .. } = &*self.recipe;
        let (node, first) = (&family[0], first_step(family, *steps));
        RunPlan::of(&node.plan, &node.generation.prompt, (first, *steps), *map_precision, self.self_max)
    }

    fn keeps_halves(&self) -> bool {
        self.recipe.map_precision == Precision::F16
    }

    /// What a run that begins with step `first` keeps for its children.
    pub(super) fn keep(&self, first: usize) -> Keep {
        let made = self.recipe.steps - first;
        let at = |share: f64| first + ((share * made as f64).ceil() as usize).min(made);
        Keep {
            cross: 0..at(self.reach.cross),
            own: 0..at(self.reach.own),
            ending: self.reach.ending,
            self_max: self.self_max,
            values: self.keeps_values,
            half: self.keeps_halves(),
        }
    }

    /// What the first of `family` left: remembered, from the store, or drawn again.
    ///
    /// # Errors
    /// Fails if it must be drawn again and cannot be.
    pub fn left(&self, family: &[Arc<RunNode>]) -> Result<Arc<RunResult>> {
        let left = self.left_watched(family, &mut |_, _| ControlFlow::Continue(()))?;
        left.context("BUG: an unwatched run was stopped")
    }

    /// The same, watched where it is drawn again; `None` if it was stopped.
    ///
    /// # Errors
    /// As [`left`](Self::left).
    pub fn left_watched(&self, family: &[Arc<RunNode>], watch: Watch<'_>) -> Result<Option<Arc<RunResult>>> {
        let node = &family[0];
        if let Some(left) = self.left_before(node) {
            return Ok(Some(left));
        }
        Ok(self.draw(family, watch)?.map(|done| done.left))
    }

    /// What a node left, if it is remembered or in the store.
    pub(super) fn left_before(&self, node: &RunNode) -> Option<Arc<RunResult>> {
        remembered(node).or_else(|| {
            let left = find_left(self.store, node.id?, self.model.engine.backend().device())?;
            let left = Arc::new(left);
            remember(node, &left);
            Some(left)
        })
    }

    /// Draws the first of `family`; the rest are its ancestors, nearest first. `None` if it was stopped; then nothing is
    /// kept but maps, which the same run would make again.
    ///
    /// # Errors
    /// Fails if an ancestor can be neither found nor drawn again, or memory runs out.
    pub fn draw(&self, family: &[Arc<RunNode>], watch: Watch<'_>) -> Result<Option<RunOutput>> {
        self.draw_after(None, family, watch)
    }

    /// The same, but first steps that are the same in the run which left `trail` are taken over from it.
    ///
    /// # Errors
    /// As [`draw`](Self::draw).
    pub fn draw_after(
        &self,
        trail: Option<&ReusablePrefix>,
        family: &[Arc<RunNode>],
        watch: Watch<'_>,
    ) -> Result<Option<RunOutput>> {
        let node = &family[0];
        let ancestors = &family[1..];
        let engine = &self.model.engine;
        if let Some((photograph, inversion)) = self.recipe.computed_inversion().filter(|_| ancestors.is_empty()) {
            return self.draw_photograph(family, (photograph, inversion), watch);
        }
        let mut orders = self.orders(family);
        let start = match ancestors.first() {
            None => {
                let noise = engine.noise(self.recipe.seed, (self.recipe.width, self.recipe.height))?;
                (noise * self.sampler.init_noise_scale())?
            }
            Some(_) => self.left(ancestors)?.trajectory.before(0).clone(),
        };
        // Before anything is read: it may take minutes, and can be stopped.
        let mut learning = |_: LearningStep| watch(0, &start);
        let ControlFlow::Continue(learned) = self.learned(family, &mut learning)? else { return Ok(None) };
        let conditions = self.conditions(family)?;
        let mut before = Inherited::default();
        let first = first_step(family, self.recipe.steps);
        let start = match self.beginning(family, &conditions, &mut *watch)? {
            Started::Redrawn(begun) => {
                before.taken_up = begun.blended;
                begun.start
            }
            Started::GoesOn => start,
            Started::Stopped => return Ok(None),
        };
        match node.plan.region() {
            _ if node.plan.redraw().is_some() => {}
            Region::Words { source, .. } => {
                let parent = self.left(ancestors)?;
                let places = self.places(node.plan.settings.region_from, source, ancestors)?;
                let (latents, word_maps) = (parent.trajectory.after(), parent.word_maps.clone());
                before.parent = Some(Parent { latents, word_maps, places });
            }
            Region::As { up } => match self.masks_of(&ancestors[up - 1..])? {
                Some(taken) => before.taken_up = Some(taken),
                None => orders.region = crate::engine::edit::RunRegion::Everywhere,
            },
            Region::Given(area) => before.taken_up = Some(self.masks_in(area, &family[0], ancestors)?),
            Region::Everywhere | Region::Difference => {}
        }
        let of = ancestors
            .first()
            .filter(|_| node.plan.goes_on())
            .and_then(|parent| Some((parent.id?, node.plan.prompt.clone())));
        let shared = trail.map_or(0, |trail| trail.shared(of.as_ref(), &orders));
        before.begun = trail.filter(|_| shared > 0).map(|trail| trail.until(shared, &orders));
        let mut maps =
            AncestorMaps { renderer: self, family: ancestors, self_max: orders.carry.self_max, now: HashMap::new() };
        before.maps = Some(&mut maps);
        let (h, w, _) = engine.latent_dims((self.recipe.width, self.recipe.height));
        let keep = self.keep(first);
        let reading = self.mixed_reading(family)?;
        let run = self.run(&conditions, reading.as_ref(), (first, ancestors.is_empty()));
        let mut counted = |step: usize, latent: &Tensor| {
            self.count(run.guidance.evaluations());
            watch(step, latent)
        };
        let means = RunOptions {
            layers: engine.mask_layers((h, w)),
            keep,
            take: &mut self.keeping_maps(node),
            observer: &mut Untouched,
            watch: &mut counted,
        };
        let draws = learned.as_ref().map_or(engine, |(learned, _)| &learned.engine);
        let Some(drawn) = draw(draws, &run, &start, &orders, before, means)? else {
            return Ok(None);
        };
        let picture = self.finished(family, &drawn.masks, engine.decode(drawn.trajectory.last())?)?;
        let left = RunResult {
            trajectory: drawn.trajectory,
            word_maps: Arc::new(drawn.word_maps),
            masks: drawn.masks,
            picture,
        };
        self.keep_left(node, &left)?;
        let targets = if orders.makes_masks_of_used_maps() { drawn.targets } else { Vec::new() };
        let mut output = self.output(node, of, orders, left, (shared, first, drawn.row_gaps, drawn.memory));
        output.trail.targets = targets;
        Ok(Some(output))
    }

    /// Puts what a run left where it is kept.
    pub(super) fn keep_left(&self, node: &RunNode, left: &RunResult) -> Result<()> {
        let Some(id) = node.id else { return Ok(()) };
        keep_left(self.store, id, left).context("BUG: what a run left cannot be stored")
    }

    /// What is said of a run that is done: it took `shared` steps from another, began with step `first`, and left these gaps and
    /// this memory.
    pub(super) fn output(
        &self,
        node: &RunNode,
        of: Option<(NodeId, String)>,
        orders: RunPlan,
        left: RunResult,
        (shared, first, row_gaps, memory): (usize, usize, Vec<f32>, Vec<Tensor>),
    ) -> RunOutput {
        let left = Arc::new(left);
        remember(node, &left);
        let row_gap = row_gaps.iter().copied().fold(0.0, f32::max);
        let trail = ReusablePrefix { of, orders, left: left.clone(), targets: Vec::new(), row_gaps, memory, first };
        RunOutput { left, row_gap, shared, trail }
    }

    /// Keeps the maps of a run, step by step. Those of a run that is stopped may stay: they are what the same run would make again.
    pub(super) fn keeping_maps<'s>(&'s self, node: &'s RunNode) -> impl FnMut(usize, StepMaps) + 's {
        move |step, maps| self.keep_step(node, step, maps, self.self_max)
    }

    /// Puts a step's maps where they are kept.
    fn keep_step(&self, node: &RunNode, step: usize, maps: StepMaps, self_max: usize) {
        if maps.cross.is_empty() && maps.own.is_empty() {
            return;
        }
        match node.id {
            Some(id) => keep_maps(self.store, id, step, maps, self_max),
            None => {
                if let Ok(mut all) = node.maps.lock() {
                    all.insert(step, Arc::new(maps));
                }
            }
        }
    }

    /// Where the run of the first of `family` begins, if it draws its parent again.
    fn beginning(&self, family: &[Arc<RunNode>], conditions: &Conditions, watch: Watch<'_>) -> Result<Started> {
        let (node, ancestors) = (&family[0], &family[1..]);
        let Some(redraw) = node.plan.redraw() else { return Ok(Started::GoesOn) };
        let parent = self.left(ancestors)?;
        let mask = match &redraw.region {
            Region::Given(area) => Some(self.mask_of(area, node, &parent)?),
            _ => None,
        };
        let source = RedrawSource {
            clean: parent.trajectory.last(),
            picture: &parent.picture,
            conditions: [&self.plain_conditions(ancestors)?, conditions],
            mask: mask.as_ref(),
            embeds_guidance: self.recipe.embeds_guidance,
        };
        let begun = begin(&self.model.engine, &*self.sampler, redraw, source, &mut |latent| watch(0, latent))?;
        self.count(redraw.method.more_evaluations(self.recipe.steps));
        Ok(begun.map_or(Started::Stopped, Started::Redrawn))
    }

    /// The masks of an area at every step of a child of the first of `ancestors`, and that one's latents.
    fn masks_in(&self, area: &Area, node: &RunNode, ancestors: &[Arc<RunNode>]) -> Result<InheritedMasks> {
        let parent = self.left(ancestors)?;
        let mask = self.mask_of(area, node, &parent)?;
        Ok((vec![Some(mask); self.recipe.steps], parent.trajectory.after(), node.plan.settings.blend_arithmetic))
    }

    /// The masks of the first of `family`, and the latents that lay outside them; `None` if it has none.
    fn masks_of(&self, family: &[Arc<RunNode>]) -> Result<Option<InheritedMasks>> {
        let node = &family[0];
        match node.plan.region() {
            _ if node.plan.redraw().is_some() => {
                let left = self.left(family)?;
                let masks = left.masks.clone();
                // Outside a mask its own latents are those that it was blended with.
                let is_blended = masks.iter().any(Option::is_some);
                Ok(is_blended.then(|| (masks, left.trajectory.after(), BlendArithmetic::Select)))
            }
            Region::Difference => Ok(None),
            Region::Everywhere => self.masks_of_photograph(family),
            Region::Given(area) => Ok(Some(self.masks_in(area, node, &family[1..])?)),
            // It took them up itself; whoever made them knows what lay outside.
            Region::As { up } => self.masks_of(&family[*up..]),
            Region::Words { .. } => {
                let masks = self.left(family)?.masks.clone();
                let outside = self.left(&family[1..])?.trajectory.after();
                Ok(Some((masks, outside, node.plan.settings.blend_arithmetic)))
            }
        }
    }
}

/// A poisoned lock means that a thread failed while it held a plain value; the value is still good.
fn remembered(node: &RunNode) -> Option<Arc<RunResult>> {
    node.left.lock().map_or_else(|e| e.into_inner().clone(), |left| left.clone())
}

fn remember(node: &RunNode, left: &Arc<RunResult>) {
    if let Ok(mut slot) = node.left.lock() {
        *slot = Some(left.clone());
    }
}

/// Whether and where a run begins anew.
enum Started {
    /// It goes on with its parent's first latent, or with noise.
    GoesOn,
    /// It draws its parent again from here.
    Redrawn(Beginning),
    /// It was stopped before.
    Stopped,
}

/// The maps of a run's ancestors.
pub(super) struct AncestorMaps<'a> {
    pub(super) renderer: &'a Renderer<'a>,
    pub(super) family: &'a [Arc<RunNode>],
    pub(super) self_max: usize,
    /// Maps of the step at hand, so that two columns of one ancestor cost one look.
    pub(super) now: HashMap<(usize, usize), Arc<StepMaps>>,
}

impl AncestorMaps<'_> {
    fn has(&self, maps: &StepMaps, want: Want) -> bool {
        (!want.cross || !maps.cross.is_empty())
            && (!want.own || !maps.own.is_empty())
            && (!want.values || !maps.v_cross.is_empty() || !maps.v_self.is_empty())
    }

    fn stored(&self, node: &RunNode, step: usize, want: Want) -> Option<StepMaps> {
        if want.values && node.id.is_some() {
            return None;
        }
        let device = self.renderer.model.engine.backend().device();
        let Some(id) = node.id else {
            let all = node.maps.lock().ok()?;
            return all.get(&step).filter(|m| self.has(m, want)).map(|m| (**m).clone());
        };
        let mut maps = StepMaps::default();
        if want.cross {
            maps.cross = find_cross(self.renderer.store, id, step, device)?;
        }
        if want.own {
            maps.own = find_own(self.renderer.store, id, step, self.self_max, device)?;
        }
        Some(maps)
    }

    pub(super) fn find(&mut self, up: usize, step: usize, want: Want) -> Result<Arc<StepMaps>> {
        if let Some(maps) = self.now.get(&(up, step)).filter(|m| self.has(m, want)) {
            return Ok(maps.clone());
        }
        self.now.retain(|(_, s), _| *s == step);
        let node = &self.family[up - 1];
        let maps = match self.stored(node, step, want) {
            Some(maps) => maps,
            None => self.again(up, step, want)?,
        };
        let maps = Arc::new(maps);
        self.now.insert((up, step), maps.clone());
        Ok(maps)
    }

    /// Runs a step of an ancestor again on its stored latent. Its own ancestors' maps may have to be run again first.
    fn again(&self, up: usize, step: usize, want: Want) -> Result<StepMaps> {
        let renderer = self.renderer;
        let family = &self.family[up - 1..];
        let node = &family[0];
        let left = renderer.left(family)?;
        let conditions = renderer.conditions(family)?;
        let learned = renderer.learned(family, &mut |_| ControlFlow::Continue(()))?.continue_value().flatten();
        let draws = learned.as_ref().map_or(&renderer.model.engine, |(learned, _)| &learned.engine);
        let orders = renderer.orders(family);
        let mut ancestors =
            AncestorMaps { renderer, family: &family[1..], self_max: orders.carry.self_max, now: HashMap::new() };
        let here = step..step + 1;
        let self_max = self.self_max.max(renderer.self_max);
        let (values, half) = (want.values, renderer.keeps_halves());
        let keep = Keep { cross: here.clone(), own: here, ending: false, self_max, values, half };
        let latent = left.trajectory.before(step);
        let reading = renderer.mixed_reading(family)?;
        let begins = (first_step(family, renderer.recipe.steps), family.len() == 1);
        let run = renderer.run(&conditions, reading.as_ref(), begins);
        let maps = recall(draws, &run, (step, latent), &orders, &mut ancestors, keep)?;
        renderer.count(1);
        renderer.keep_step(node, step, maps.clone(), self_max);
        Ok(maps)
    }
}

impl MapSource for AncestorMaps<'_> {
    fn maps(&mut self, up: usize, step: usize, want: Want) -> candle_core::Result<Arc<StepMaps>> {
        self.find(up, step, want).map_err(|e| candle_core::Error::Msg(format!("{e:#}")))
    }
}
