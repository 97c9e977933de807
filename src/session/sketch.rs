//! Pictures beside the tree: what might be drawn, planned and drawn without a node growing.
//!
//! A [`Sketch`] is an edit of a node, or a first picture, under settings of its own. It has the id that the node would
//! have, so what was drawn once is known again. Sketches of one edit share first steps: each is drawn after the
//! [`ReusablePrefix`] of another.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, ensure};

use super::Session;
use super::model::maker;
use super::region;
use super::renderer::{Renderer, ReusablePrefix, Watch};
use super::run_node::{RunNode, RunResult, first_step};
use crate::engine::edit::RunRegion;
use crate::engine::{Guidance, NoiseProbe};
use crate::history::{Event, Node, NodeId};
use crate::plan::redraw::DrawnBy;
use crate::plan::resolve::Resolved;
use crate::plan::settings::{RegionFrom, Settings};
use crate::plan::window::Reach;
use crate::store::Store;
use crate::turn::Edit;

/// The noise under which words explain pictures: words decide little below these levels, and nothing is left of the picture above.
const PROBE: NoiseProbe = NoiseProbe { seed: 0x5eed, levels: &[0.4, 0.55, 0.7, 0.85], noises: 1 };

/// A picture that may be drawn beside the tree.
pub struct Sketch {
    /// The node that it would be, or is if it grew already.
    pub node: Node,
    /// A digest for each step: what it orders there.
    pub digests: Vec<[u8; 32]>,
    /// Sentences for the person.
    pub warnings: Vec<String>,
    /// Itself, and its ancestors.
    family: Vec<Arc<RunNode>>,
    /// Shares of the steps to which it carries text maps and self-attention.
    reach: Reach,
}

/// A picture that was drawn and is no node.
pub struct DrawnSketch {
    /// What its run left.
    pub left: Arc<RunResult>,
    /// What its parent's run left; `None` for a picture without one.
    pub parent: Option<Arc<RunResult>>,
    /// Pixels outside the edited words' region.
    pub outside: Option<Vec<bool>>,
    /// First steps that were taken over from another run.
    pub shared: usize,
    /// UNet samples.
    pub evaluations: u64,
    /// Seconds.
    pub seconds: f64,
    /// What the next sketch may take over; `None` if nothing was drawn because the node is there already.
    pub trail: Option<ReusablePrefix>,
}

impl Sketch {
    /// Steps of its run.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.node.recipe.steps
    }

    /// UNet samples that a step of its run takes.
    #[must_use]
    pub fn evaluations_a_step(&self) -> u64 {
        Guidance::of_recipe(&self.node.recipe).evaluations()
    }

    /// Whether both edit one picture to one prompt.
    #[must_use]
    pub fn is_beside(&self, other: &Self) -> bool {
        self.parent().is_some() && self.parent() == other.parent() && self.node.plan.prompt == other.node.plan.prompt
    }

    /// First steps that are the same in another sketch: none unless both edit one picture to one prompt.
    #[must_use]
    pub fn shared(&self, other: &Self) -> usize {
        if !self.is_beside(other) {
            return 0;
        }
        self.digests.iter().zip(&other.digests).take_while(|(a, b)| a == b).count()
    }

    /// How many edits lie between it and its first picture.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.family.len() - 1
    }

    /// The id of its first picture; of itself, where it is one.
    #[must_use]
    pub fn root(&self) -> NodeId {
        let root = self.family.iter().skip(1).last();
        root.and_then(|root| root.id).unwrap_or(self.node.id)
    }

    /// The id of its parent.
    #[must_use]
    pub fn parent(&self) -> Option<NodeId> {
        self.family.get(1).and_then(|above| above.id)
    }
}

impl Session {
    /// Grows a node whose picture is drawn when it is first looked at, and goes there; only where nothing is written.
    ///
    /// # Errors
    /// Fails if the edit cannot be planned.
    pub fn plant(&mut self, parent: Option<u32>, line: &str, edit: &Edit, settings: &Settings) -> Result<u32> {
        ensure!(self.path().is_none(), "BUG: a node without a picture in a session that is written");
        let (event, _, _) = self.propose((parent, line), edit, &DrawnBy::Words, settings)?;
        let grows = matches!(event, Event::Grow(_));
        let number = self.go(event)?;
        if grows {
            self.drawn.push(None);
        }
        Ok(number)
    }

    /// Keeps what would be dear to compute again in `folder`, for a session that is not written.
    pub fn keep_store_in(&mut self, folder: &Path) {
        self.store = Store::open(folder, &maker(self.device()), &self.limits, self.disk.clone());
    }

    /// Plans an edit of the node `parent`, or a first picture, under settings that are in force for it alone.
    ///
    /// # Errors
    /// Fails if it cannot be planned, or the model not be loaded.
    pub fn sketch(&mut self, parent: Option<u32>, line: &str, edit: &Edit, settings: &Settings) -> Result<Sketch> {
        self.sketch_by((parent, line), edit, &DrawnBy::Words, settings)
    }

    /// The same of an edit that is asked to be drawn in a way of its own.
    ///
    /// # Errors
    /// As [`sketch`](Self::sketch).
    pub fn sketch_by(
        &mut self,
        (parent, line): (Option<u32>, &str),
        edit: &Edit,
        by: &DrawnBy,
        settings: &Settings,
    ) -> Result<Sketch> {
        let (event, resolved, warnings) = self.propose((parent, line), edit, by, settings)?;
        let node = match event {
            Event::Grow(node) => *node,
            event => self.tree()[event.arrives().unwrap_or_default()].clone(),
        };
        let model = self.model_for(&node.recipe)?;
        let mut family = match parent {
            Some(parent) => self.family(parent, &model)?,
            None => Vec::new(),
        };
        // Without an id: nothing of it is put into the store.
        family.insert(0, Arc::new(RunNode::new(None, node.plan.clone(), resolved)));
        let renderer = Renderer::new(model, (&self.store, &self.learner), node.recipe.clone(), self.reach())?;
        let orders = renderer.orders(&family);
        let steps = node.recipe.steps;
        let first = first_step(&family, steps);
        let share = |step: usize| step.saturating_sub(first) as f64 / (steps - first) as f64;
        let text = orders.carry.cross.iter().map(|window| window.end).max().unwrap_or(0);
        let ending = matches!(orders.region, RunRegion::Words { from: RegionFrom::Spread, .. });
        let reach = Reach { cross: share(text), own: share(orders.carry.own.end), ending };
        Ok(Sketch { digests: orders.digests(steps), node, warnings, family, reach })
    }

    fn propose(
        &mut self,
        (parent, line): (Option<u32>, &str),
        edit: &Edit,
        by: &DrawnBy,
        settings: &Settings,
    ) -> Result<(Event, crate::plan::lineage::Ancestry, Vec<String>)> {
        let (recipe, Resolved { plan, generation, mut warnings }) = self.plan_by_under(settings, parent, edit, by)?;
        warnings.splice(0..0, edit.warnings.iter().cloned());
        let event = match parent {
            Some(parent) => self.tree.grow(parent, line, edit.changes.clone(), plan)?,
            None => self.tree.grow_root(line, edit.changes.clone(), plan, recipe),
        };
        Ok((event, generation, warnings))
    }

    /// Ids of the pictures that must be drawn before a sketch can be.
    ///
    /// # Errors
    /// Fails if the model cannot be loaded.
    pub fn missing_ancestors(&mut self, sketch: &Sketch) -> Result<Vec<NodeId>> {
        let renderer = self.renderer(&sketch.node.recipe)?;
        let above = sketch.family.iter().skip(1);
        let missing = above.take_while(|run_node| renderer.left_before(run_node).is_none());
        Ok(missing.filter_map(|run_node| run_node.id).collect())
    }

    /// Draws the pictures that sketches start from, if they are not there: those of the first of them. Their maps are
    /// kept as far as any of the sketches reaches. UNet samples; `None` if it was stopped.
    ///
    /// # Errors
    /// Fails if one cannot be drawn.
    pub fn draw_ancestors(&mut self, sketches: &[&Sketch], watch: Watch<'_>) -> Result<Option<u64>> {
        let Some(first) = sketches.first() else { return Ok(Some(0)) };
        let model = self.model_for(&first.node.recipe)?;
        let reach = sketches.iter().fold(self.reach(), |reach, sketch| reach.and(sketch.reach));
        let renderer = Renderer::new(model, (&self.store, &self.learner), first.node.recipe.clone(), reach)?;
        let family = &first.family;
        let missing = (1..family.len()).take_while(|i| renderer.left_before(&family[*i]).is_none()).count();
        for from in (1..=missing).rev() {
            if renderer.left_watched(&family[from..], &mut *watch)?.is_none() {
                return Ok(None);
            }
        }
        let evaluations = renderer.evaluations();
        if evaluations > 0 {
            self.store.flush();
        }
        Ok(Some(evaluations))
    }

    /// How much better a sketch's words explain a latent of it than those of the picture it edits, per cent of what those leave
    /// unexplained; `None` where the words are the same, or there is no such picture.
    ///
    /// # Errors
    /// Fails if the model cannot be loaded.
    pub fn words_shown(&mut self, sketch: &Sketch, latent: &candle_core::Tensor) -> Result<Option<f64>> {
        let [own, above, ..] = &sketch.family[..] else { return Ok(None) };
        if own.plan.prompt == above.plan.prompt {
            return Ok(None);
        }
        let renderer = self.renderer(&sketch.node.recipe)?;
        let (new, old) = (renderer.conditions(&sketch.family)?, renderer.conditions(&sketch.family[1..])?);
        let guidance = Guidance::of_recipe(&sketch.node.recipe);
        let engine = &renderer.model.engine;
        Ok(Some(engine.better_explained(latent, [&old.cond, &new.cond], guidance, PROBE)?))
    }

    /// Draws a sketch. Steps that `trail` has done under the same orders are taken over. Nothing grows and nothing of it
    /// is stored; one that is a node already is not drawn again. `None` if it was stopped.
    ///
    /// # Errors
    /// Fails if it cannot be drawn.
    pub fn draw_sketch(
        &mut self,
        sketch: &Sketch,
        trail: Option<&ReusablePrefix>,
        watch: Watch<'_>,
    ) -> Result<Option<DrawnSketch>> {
        let begun = Instant::now();
        let renderer = self.renderer(&sketch.node.recipe)?;
        let family = &sketch.family;
        let grown = RunNode::new(Some(sketch.node.id), sketch.node.plan.clone(), family[0].generation.clone());
        let (left, shared, trail) = match renderer.left_before(&grown) {
            Some(left) => (left, sketch.steps(), None),
            None => match renderer.draw_after(trail, family, watch)? {
                Some(done) => (done.left, done.shared, Some(done.trail)),
                None => return Ok(None),
            },
        };
        let (parent, outside) = region::beside_parent(family, &left, &renderer)?;
        let (evaluations, seconds) = (renderer.evaluations(), begun.elapsed().as_secs_f64());
        Ok(Some(DrawnSketch { left, parent, outside, shared, evaluations, seconds, trail }))
    }
}
