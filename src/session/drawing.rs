//! Planning an edit, drawing it, and looking at what was drawn.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::file::{DrawnRow, Hinted};
use super::model::{Model, computed_by};
use super::renderer::{Renderer, Watch};
use super::run_node::{self, RunNode, RunResult, lineage_of};
use super::{Session, TurnResult, model_name, picture_digest, region, to_image};
use crate::engine::{Guidance, Picture};
use crate::history::{Event, Tree};
use crate::measure::thumbprint;
use crate::model::spec::Usual;
use crate::plan::Recipe;
use crate::plan::lineage::{self, Ancestry};
use crate::plan::redraw::{DrawnBy, seed_at};
use crate::plan::resolve::{Resolved, resolve, resolve_by};
use crate::plan::settings::{RootSettings, Settings};
use crate::plan::window::{Reach, reach};
use crate::turn::Edit;

/// Nodes whose runs are remembered besides the store.
const REMEMBERED: usize = 24;

/// A look at a node.
pub(super) struct Looked {
    /// What its run left.
    pub(super) left: Arc<RunResult>,
    /// What its parent's run left.
    pub(super) parent: Option<Arc<RunResult>>,
    /// Pixels outside the edited words' region, `None` for a root.
    pub(super) outside: Option<Vec<bool>>,
    /// UNet samples that it took to find them.
    pub(super) evaluations: u64,
}

/// Nodes as their descendants see them, by number, as far as they are remembered.
#[derive(Default)]
pub(super) struct RunNodes(HashMap<u32, Arc<RunNode>>);

impl RunNodes {
    /// A node of a tree and its ancestors, nearest first, ready to be drawn from.
    pub(super) fn family(&mut self, tree: &Tree, node: u32, model: &Model) -> Result<Vec<Arc<RunNode>>> {
        let mut family: Vec<Arc<RunNode>> = Vec::new();
        for node in tree.path_to_root(node).into_iter().rev() {
            let run_node = match self.0.get(&node.number) {
                Some(found) => found.clone(),
                None => {
                    let prompt = model.engine.reader().prompt(&node.plan.prompt)?;
                    let above = lineage_of(&family);
                    let identities = lineage::identities(&above, &prompt, node.plan.spans());
                    let generation = Ancestry { prompt, identities, weights: node.plan.weights.clone() };
                    let run_node = Arc::new(RunNode::new(Some(node.id), node.plan.clone(), generation));
                    self.0.insert(node.number, run_node.clone());
                    run_node
                }
            };
            family.insert(0, run_node);
        }
        Ok(family)
    }

    /// Remembers a node that was just drawn, and forgets those far from it: the store has them.
    pub(super) fn remember(&mut self, newest: u32, run_node: Option<Arc<RunNode>>) {
        if self.0.len() > REMEMBERED {
            self.0.retain(|number, _| number + REMEMBERED as u32 / 2 > newest);
        }
        self.0.extend(run_node.map(|run_node| (newest, run_node)));
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl Session {
    /// A node and its ancestors, nearest first, ready to be drawn from.
    ///
    /// # Errors
    /// Fails if the tokenizer does.
    pub fn family(&mut self, node: u32, model: &Model) -> Result<Vec<Arc<RunNode>>> {
        self.run_nodes.family(&self.tree, node, model)
    }

    /// What draws pictures of a recipe, keeping maps as far as settings in force may ask for them.
    pub(super) fn renderer(&mut self, recipe: &Arc<Recipe>) -> Result<Renderer<'_>> {
        let (model, reach) = (self.model_for(recipe)?, self.reach());
        Renderer::new(model, (&self.store, &self.learner), recipe.clone(), reach)
    }

    /// The same for a node, with its family.
    pub(super) fn renderer_at(&mut self, number: u32) -> Result<(Vec<Arc<RunNode>>, Renderer<'_>)> {
        let recipe = self.tree[number].recipe.clone();
        let model = self.model_for(&recipe)?;
        let family = self.family(number, &model)?;
        Ok((family, Renderer::new(model, (&self.store, &self.learner), recipe, self.reach())?))
    }

    /// How far windows go and what else is asked for under the settings in force.
    pub(super) fn reach(&self) -> Reach {
        reach(&self.settings.turn)
    }

    /// Plans an edit where we are: the recipe it would be drawn with, and the plan.
    ///
    /// # Errors
    /// Fails if the edit cannot be planned or the model cannot be loaded.
    pub fn plan(&mut self, edit: &Edit) -> Result<(Recipe, Resolved)> {
        self.plan_at(self.tree.here(), edit)
    }

    /// Plans an edit of the node `parent`, or a root, under the settings in force.
    ///
    /// # Errors
    /// As [`plan`](Self::plan).
    pub fn plan_at(&mut self, parent: Option<u32>, edit: &Edit) -> Result<(Recipe, Resolved)> {
        let settings = self.settings.clone();
        self.plan_under(&settings, parent, edit)
    }

    /// Plans an edit of the node `parent` that is to be drawn in a way of its own, under the settings in force.
    ///
    /// # Errors
    /// As [`plan`](Self::plan).
    pub fn plan_by(&mut self, parent: u32, edit: &Edit, by: &DrawnBy) -> Result<(Recipe, Resolved)> {
        let settings = self.settings.clone();
        self.plan_by_under(&settings, Some(parent), edit, by)
    }

    /// The same under other settings.
    pub(super) fn plan_under(
        &mut self,
        settings: &Settings,
        parent: Option<u32>,
        edit: &Edit,
    ) -> Result<(Recipe, Resolved)> {
        self.plan_by_under(settings, parent, edit, &DrawnBy::Words)
    }

    /// The same of an edit that is to be drawn in a way of its own.
    pub(super) fn plan_by_under(
        &mut self,
        settings: &Settings,
        parent: Option<u32>,
        edit: &Edit,
        by: &DrawnBy,
    ) -> Result<(Recipe, Resolved)> {
        let parent = parent.filter(|_| !edit.is_root);
        if parent.is_none() {
            let (name, precision) = self.model_of_root(&settings.root);
            let model = self.models.get(&name, precision)?;
            let recipe = model.recipe(&settings.root)?;
            let prompt = model.engine.reader().prompt(&edit.prompt)?;
            let mut resolved = resolve(&[], prompt, edit, &settings.turn)?;
            resolved.warnings.extend(model.misuses(&recipe));
            resolved.warnings.extend(self.price_of_guidance(&model, settings, &recipe));
            return Ok((recipe, resolved));
        }
        let Some(node) = parent.and_then(|number| self.tree.node(number)) else { bail!("BUG: an edit has no parent") };
        let (number, recipe) = (node.number, (*node.recipe).clone());
        let model = self.model_for(&recipe)?;
        let family = self.family(number, &model)?;
        let above = lineage_of(&family);
        let by = match by.clone() {
            DrawnBy::Redraw { method, area, seed: None } => {
                DrawnBy::Redraw { method, area, seed: Some(seed_at(recipe.seed, family.len())) }
            }
            other => other,
        };
        if let DrawnBy::Redraw { method, .. } = &by
            && let Some(why) = method.refused_by(recipe.scheduler, recipe.steps)
        {
            return Err(Hinted::new(why, "/set scheduler ddim, then /new: a tree has one sampler").into());
        }
        let prompt = model.engine.reader().prompt(&edit.prompt)?;
        let resolved = resolve_by(&above, prompt, edit, &settings.turn, &by)?;
        resolved.plan.fits(&recipe)?;
        Self::check_region(&model, &recipe, &resolved, &above)?;
        Ok((recipe, resolved))
    }

    /// What it costs to draw without the embedded model's adapter, where that was asked for by guidance and no tree of the
    /// session was drawn so before.
    fn price_of_guidance(&self, model: &Model, settings: &Settings, recipe: &Recipe) -> Option<String> {
        let named = RootSettings { guidance: Some(1.0), ..settings.root.clone() };
        let is_drawn_so = |node: &u32| self.tree[*node].recipe.model_digest == model.digest;
        if model_name(&named) == model.name || self.tree.roots().iter().any(is_drawn_so) {
            return None;
        }
        let evaluations = Guidance::of_recipe(recipe).evaluations() * recipe.steps as u64;
        let why = if settings.root.guidance.is_some() {
            format!("`guidance` {}", recipe.guidance)
        } else {
            format!("`negative` needs guidance, {} here, which", recipe.guidance)
        };
        Some(format!(
            "{why} is drawn by the embedded model's plain weights: {evaluations} evaluations a picture; without guidance it takes {}",
            Usual::EMBEDDED.steps
        ))
    }

    /// Carries an edit out: plans, draws, stores, and only then writes the event. `None` if it was stopped; then no node
    /// has grown. An edit that leads to a node that exists moves there and draws nothing.
    ///
    /// # Errors
    /// Fails if the edit cannot be planned or drawn, or its event cannot be written; the tree is then as before.
    pub fn edit(&mut self, line: &str, edit: &Edit, watch: Watch<'_>) -> Result<Option<TurnResult>> {
        self.edit_at(self.tree.here(), line, edit, watch)
    }

    /// Carries out an edit of the node `parent`, wherever we are; we are then at what grew.
    ///
    /// # Errors
    /// As [`edit`](Self::edit).
    pub fn edit_at(
        &mut self,
        parent: Option<u32>,
        line: &str,
        edit: &Edit,
        watch: Watch<'_>,
    ) -> Result<Option<TurnResult>> {
        let planned = self.plan_at(parent, edit)?;
        self.edit_planned((parent, line), edit, planned, watch)
    }

    /// Carries an edit out under settings that are in force for it alone.
    ///
    /// # Errors
    /// As [`edit`](Self::edit).
    pub fn edit_under(
        &mut self,
        settings: &Settings,
        (parent, line): (Option<u32>, &str),
        edit: &Edit,
        by: &DrawnBy,
        watch: Watch<'_>,
    ) -> Result<Option<TurnResult>> {
        let planned = self.plan_by_under(settings, parent, edit, by)?;
        self.edit_reaching(reach(&settings.turn), (parent, line), edit, planned, watch)
    }

    /// Carries out an edit of a node that [`plan_at`](Self::plan_at) has just planned there, typed as `line`.
    ///
    /// # Errors
    /// As [`edit`](Self::edit).
    pub fn edit_planned(
        &mut self,
        (parent, line): (Option<u32>, &str),
        edit: &Edit,
        planned: (Recipe, Resolved),
        watch: Watch<'_>,
    ) -> Result<Option<TurnResult>> {
        self.edit_reaching(self.reach(), (parent, line), edit, planned, watch)
    }

    /// The same, keeping maps as far as `reach`. A file that came about for it is taken back if nothing grew.
    fn edit_reaching(
        &mut self,
        reach: Reach,
        (parent, line): (Option<u32>, &str),
        edit: &Edit,
        planned: (Recipe, Resolved),
        watch: Watch<'_>,
    ) -> Result<Option<TurnResult>> {
        let (had_file, unsaved) = (self.file.is_some(), self.unsaved.clone());
        let turned = self.draw_and_grow(reach, (parent, line), edit, planned, watch);
        if !had_file && !matches!(turned, Ok(Some(_))) {
            self.take_back_file(unsaved);
        }
        turned
    }

    fn draw_and_grow(
        &mut self,
        reach: Reach,
        (parent, line): (Option<u32>, &str),
        edit: &Edit,
        (recipe, resolved): (Recipe, Resolved),
        watch: Watch<'_>,
    ) -> Result<Option<TurnResult>> {
        let begun = Instant::now();
        let Resolved { plan, generation, mut warnings } = resolved;
        warnings.splice(0..0, edit.warnings.iter().cloned());
        let parent = parent.filter(|_| !edit.is_root);
        let event = match parent {
            Some(here) => self.tree.grow(here, line, edit.changes.clone(), plan)?,
            None => self.tree.grow_root(line, edit.changes.clone(), plan, recipe.clone()),
        };
        let model = self.model_for(&recipe)?;
        let node = match event {
            Event::Grow(node) => node,
            event => return self.arrive(event, begun, warnings).map(Some),
        };
        self.begin_file_for(line)?;
        let run_node = Arc::new(RunNode::new(Some(node.id), node.plan.clone(), generation));
        let mut family = match parent {
            Some(here) => self.family(here, &model)?,
            None => Vec::new(),
        };
        family.insert(0, run_node.clone());
        let renderer =
            Renderer::new(model, (&self.store, &self.learner), node.recipe.clone(), reach)?.growing(Some(node.id));
        let Some(done) = renderer.draw(&family, watch)? else {
            return Ok(None);
        };
        let (parent_left, outside) = region::beside_parent(&family, &done.left, &renderer)?;
        let evaluations = renderer.evaluations();
        self.store.flush();
        let seconds = begun.elapsed().as_secs_f64();
        let drawn = DrawnRow {
            digest: picture_digest(&done.left.picture),
            thumbprint: thumbprint(&to_image(&done.left.picture)).to_vec(),
            kernels: computed_by(self.device(), recipe.precision),
            seconds,
            evaluations,
        };
        let number = node.number;
        self.commit(Event::Grow(node), Some(&drawn))?;
        self.drawn.push(Some(drawn));
        self.run_nodes.remember(number, Some(run_node));
        Ok(Some(TurnResult {
            node: number,
            parent,
            existed: false,
            left: done.left,
            parent_left,
            outside,
            evaluations,
            seconds,
            row_gap: done.row_gap,
            warnings,
        }))
    }

    /// Goes where an event leads; nothing is drawn unless the store has lost the picture.
    fn arrive(&mut self, event: Event, begun: Instant, warnings: Vec<String>) -> Result<TurnResult> {
        let to = event.arrives().context("BUG: a move leads nowhere")?;
        if self.tree.here() != Some(to) {
            self.commit(event, None)?;
        }
        let (left, parent_left, outside) = self.look(to)?;
        Ok(TurnResult {
            node: to,
            parent: self.tree[to].parent,
            existed: true,
            left,
            parent_left,
            outside,
            evaluations: 0,
            seconds: begun.elapsed().as_secs_f64(),
            row_gap: 0.0,
            warnings,
        })
    }

    /// What a node and its parent left, and what lies outside the region of its words.
    ///
    /// # Errors
    /// Fails if it must be drawn again and cannot be.
    #[expect(clippy::type_complexity, reason = "three parts of one look")]
    pub fn look(&mut self, number: u32) -> Result<(Arc<RunResult>, Option<Arc<RunResult>>, Option<Vec<bool>>)> {
        let Looked { left, parent, outside, .. } = self.look_closely(number)?;
        Ok((left, parent, outside))
    }

    /// The same, with what it cost.
    pub(super) fn look_closely(&mut self, number: u32) -> Result<Looked> {
        let (family, renderer) = self.renderer_at(number)?;
        let left = renderer.left(&family)?;
        let (parent, outside) = region::beside_parent(&family, &left, &renderer)?;
        Ok(Looked { left, parent, outside, evaluations: renderer.evaluations() })
    }

    /// Pixels outside the regions of all edits since the root of a node's tree; `None` for a root.
    ///
    /// # Errors
    /// As [`look`](Self::look).
    pub fn outside_all(&mut self, number: u32) -> Result<Option<Arc<Vec<bool>>>> {
        let (family, renderer) = self.renderer_at(number)?;
        region::outside_all(&family, &renderer)
    }

    /// A node's picture: from the store, or drawn again.
    ///
    /// # Errors
    /// As [`look`](Self::look).
    pub fn picture(&mut self, number: u32) -> Result<Picture> {
        if let Some(picture) = run_node::find_picture(&self.store, self.tree[number].id) {
            return Ok(picture);
        }
        Ok(self.look(number)?.0.picture.clone())
    }
}
