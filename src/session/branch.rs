//! Whole branches of edits: drawn again from other noise, put on another root, or folded into one edit.
//!
//! What replays an edit as it was takes it from its node: prompt, spans, weights and settings stand in the plan. What
//! carries an edit over to another prompt reads its changes again there, as if they had been typed.

use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use candle_core::Tensor;

use super::compose;
use super::file::Hinted;
use super::learning::{LearningStep, ToLearn};
use super::renderer::Renderer;
use super::run_node::{RunNode, RunResult};
use super::{Session, TurnResult};
use crate::history::Event;
use crate::plan::area::Area;
use crate::plan::lineage::Ancestry;
use crate::plan::photograph::PhotographFit;
use crate::plan::redraw::{DrawnBy, Redraw, seed_at};
use crate::plan::resolve::resolve;
use crate::plan::settings::{RootSettings, Settings, TurnSettings};
use crate::plan::{Recipe, Region};
use crate::turn::{Change, Edit, Here, Misread, Turn, Weighing, Weight, words};

/// What happens while a branch is drawn.
pub enum BranchStep<'a> {
    /// Before an edit is drawn, a model has to learn the picture of this node.
    ToLearn(u32, ToLearn),
    /// It does.
    Learned(LearningStep),
    /// A latent is there, of the step with this number.
    Drawn(usize, &'a Tensor),
}

/// Sees each step of a branch, by the number of its edit; may stop it.
pub type WatchBranch<'a> = &'a mut dyn FnMut(usize, BranchStep<'_>) -> ControlFlow<()>;

/// An edit to be drawn: what was typed for it, what it is, and the settings it is drawn under.
pub struct PlannedEdit {
    /// What was typed.
    pub line: String,
    /// The edit.
    pub edit: Edit,
    /// Its settings.
    pub settings: TurnSettings,
    /// How it is drawn.
    pub by: DrawnBy,
}

/// The settings under which a root gets this recipe.
#[must_use]
pub fn root_settings(recipe: &Recipe) -> RootSettings {
    RootSettings {
        // What is laid over it is part of its name.
        model: Some(recipe.model.clone()),
        lora: Vec::new(),
        embedding: Vec::new(),
        vae: None,
        decoder: None,
        clip_skip: None,
        seed: Some(recipe.seed),
        steps: Some(recipe.steps),
        guidance: Some(recipe.guidance),
        size: Some((recipe.width, recipe.height)),
        negative: Some(recipe.negative.clone()),
        scheduler: Some(recipe.scheduler),
        precision: Some(recipe.precision),
        map_precision: Some(recipe.map_precision),
        inversion: recipe.photograph().map(|(_, inversion)| inversion),
        fit: PhotographFit::default(),
        photograph: recipe.photograph().map(|(picture, _)| picture.clone()),
    }
}

impl Session {
    /// The nodes from the root down to `node`.
    #[must_use]
    pub fn branch_of(&self, node: u32) -> Vec<u32> {
        let mut path: Vec<u32> = self.tree().path_to_root(node).iter().map(|n| n.number).collect();
        path.reverse();
        path
    }

    /// The edit that made a node, as its plan says.
    #[must_use]
    pub fn edit_of(&self, node: u32) -> Edit {
        let node = &self.tree()[node];
        let weights = node.plan.weights.iter().enumerate();
        Edit {
            prompt: node.plan.prompt.clone(),
            changes: node.changes.clone(),
            spans: node.plan.spans().to_vec(),
            weighings: weights.map(|(word, weight)| Weighing { word, to: Weight::Set(*weight) }).collect(),
            is_root: node.is_root(),
            warnings: Vec::new(),
        }
    }

    /// Draws edits one after the other, the first on `base` (`None`: it is a root), under the recipe `root`. `None` if
    /// it was stopped. After a stop or an error we are where we were; what was drawn till then stays in the tree.
    ///
    /// # Errors
    /// Fails if an edit cannot be planned or drawn.
    pub fn draw_branch(
        &mut self,
        base: Option<u32>,
        root: &RootSettings,
        edits: &[PlannedEdit],
        watch: WatchBranch<'_>,
    ) -> Result<Option<Vec<TurnResult>>> {
        let before = self.tree().here();
        let mut parent = base;
        let mut all = Vec::new();
        for (at, planned) in edits.iter().enumerate() {
            let settings = Settings { turn: planned.settings.clone(), root: root.clone(), ..Settings::default() };
            let (line, edit) = (planned.line.as_str(), &planned.edit);
            match self.learned_ahead(&settings, parent, planned, &mut |step| watch(at, step)) {
                Ok(true) => {}
                Ok(false) => return self.return_to(before).map(|()| None),
                Err(error) => return self.return_to(before).and(Err(error)),
            }
            let mut watched = |step: usize, latent: &Tensor| watch(at, BranchStep::Drawn(step, latent));
            let turned = self.edit_under(&settings, (parent, line), edit, &planned.by, &mut watched);
            match turned {
                Ok(Some(turned)) => {
                    parent = Some(turned.node);
                    all.push(turned);
                }
                Ok(None) => return self.return_to(before).map(|()| None),
                Err(error) => return self.return_to(before).and(Err(error)),
            }
        }
        Ok(Some(all))
    }

    /// Learns what an edit of a branch needs before it is drawn, and tells of it. False if that was stopped: what was learned till then
    /// is kept.
    fn learned_ahead(
        &mut self,
        settings: &Settings,
        parent: Option<u32>,
        planned: &PlannedEdit,
        watch: &mut dyn FnMut(BranchStep<'_>) -> ControlFlow<()>,
    ) -> Result<bool> {
        let (Some(parent), DrawnBy::Redraw { method, .. }) = (parent, &planned.by) else { return Ok(true) };
        if method.tuning_steps() == 0 {
            return Ok(true);
        }
        let (_, resolved) = self.plan_by_under(settings, Some(parent), &planned.edit, &planned.by)?;
        let Some(to) = self.to_learn(parent, &resolved.plan)? else { return Ok(true) };
        if watch(BranchStep::ToLearn(parent, to)).is_break() {
            return Ok(false);
        }
        self.learn(parent, &resolved.plan, &mut |step| watch(BranchStep::Learned(step)))
    }

    /// Goes back to where we were, if we are elsewhere.
    ///
    /// # Errors
    /// Fails if the move cannot be written.
    pub fn return_to(&mut self, before: Option<u32>) -> Result<()> {
        match before.filter(|b| self.tree().here() != Some(*b)) {
            Some(to) => self.go(Event::Move { to }).map(drop),
            None => Ok(()),
        }
    }

    /// Draws the branch that leads to `node` again, from a root with another seed.
    ///
    /// # Errors
    /// As [`draw_branch`](Self::draw_branch).
    pub fn replant(&mut self, node: u32, seed: u64, watch: WatchBranch<'_>) -> Result<Option<Vec<TurnResult>>> {
        self.ensure_noise(node)?;
        let planned: Vec<PlannedEdit> = self.branch_of(node).into_iter().map(|n| self.as_it_was(n)).collect();
        let recipe = Recipe { seed, ..(*self.tree()[node].recipe).clone() };
        self.draw_branch(None, &root_settings(&recipe), &planned, watch)
    }

    fn as_it_was(&self, node: u32) -> PlannedEdit {
        let (line, settings) = (self.tree()[node].line.clone(), (*self.tree()[node].plan.settings).clone());
        PlannedEdit { line, edit: self.edit_of(node), settings, by: self.drawn_by(node) }
    }

    /// How a node was drawn, as its plan says.
    #[must_use]
    pub fn drawn_by(&self, node: u32) -> DrawnBy {
        let tree = self.tree();
        let (plan, recipe) = (&tree[node].plan, &tree[node].recipe);
        let area = match plan.region() {
            Region::Given(area) => Some(area.clone()),
            _ => None,
        };
        match (plan.redraw(), area) {
            (Some(Redraw { seed, method, .. }), area) => {
                let seed = Some(*seed).filter(|seed| *seed != seed_at(recipe.seed, tree.depth(node)));
                DrawnBy::Redraw { method: method.clone(), area, seed }
            }
            (None, Some(area)) => DrawnBy::Within(area),
            (None, None) => DrawnBy::Words,
        }
    }

    /// How a node was drawn, for an edit of a picture with another prompt.
    ///
    /// # Errors
    /// Fails if it was drawn where a word attends that is not in that prompt.
    pub fn drawn_by_elsewhere(&mut self, node: u32, prompt: &str) -> Result<DrawnBy> {
        let by = self.drawn_by(node);
        let (Some(Area::Words { tokens }), Some(parent)) = (by.area(), self.tree()[node].parent) else { return Ok(by) };
        let was = self.generation(parent)?.prompt;
        let now = self.model()?.engine.reader().prompt(prompt)?;
        let has = |word: &usize| was.word_tokens[*word].clone().any(|token| tokens.contains(&token));
        let mut found = Vec::new();
        for word in (0..was.words.len()).filter(has) {
            let name = compose::word_name(&was.words, word);
            let there = compose::find_words(&now.words, &name);
            if there.is_empty() {
                return Err(not_here(node, &self.tree()[node].line, &format!("`{name}` is not in the prompt")));
            }
            found.extend(there.into_iter().flat_map(|word| now.word_tokens[word].clone()));
        }
        Ok(by.in_area(Area::Words { tokens: found }))
    }

    /// The first of `seeds` that no root with this prompt and otherwise this recipe has yet.
    #[must_use]
    pub fn unused_seed(&self, root: u32, mut seeds: impl Iterator<Item = u64>) -> Option<u64> {
        let tree = self.tree();
        let (prompt, recipe) = (&tree[root].plan.prompt, &tree[root].recipe);
        let used = |seed: u64| {
            let alike =
                |n: &u32| tree[*n].plan.prompt == *prompt && *tree[*n].recipe == Recipe { seed, ..(**recipe).clone() };
            tree.roots().iter().any(alike)
        };
        seeds.find(|seed| !used(*seed))
    }

    /// Reads a node's changes again where the prompt is `prompt`, whose ancestors' prompts are `ancestors`, nearest
    /// first: the same changes as an edit of that prompt.
    ///
    /// # Errors
    /// Fails if a change finds nothing, or several things, to change there.
    pub fn carry_over(&mut self, node: u32, prompt: &str, ancestors: &[String]) -> Result<Edit> {
        let changes = self.tree()[node].changes.clone();
        let model = self.model()?;
        let lexicon = model.lexicon();
        let mut up: Vec<String> = ancestors.to_vec();
        let mut now = prompt.to_owned();
        let mut places: Vec<Option<usize>> = (0..words::split(prompt).len()).map(Some).collect();
        let (mut understood, mut warnings) = (Vec::new(), Vec::new());
        for change in &changes {
            let line = match change {
                Change::Swap { from, to } => format!("{from} -> {to}"),
                Change::Add { text } => format!("+ {text}"),
                Change::Remove { text } => format!("- {text}"),
                Change::Weigh { .. } | Change::Start { .. } => continue,
            };
            let above: Vec<&str> = up.iter().map(String::as_str).collect();
            let read = crate::turn::read(&line, &Here { prompt: Some(&now), ancestors: &above, sense: &lexicon });
            let edit = match read {
                Ok(Turn::Edit(edit)) if !edit.is_root => edit,
                Ok(Turn::Question(question)) => return Err(not_here(node, &line, &question.text)),
                Ok(_) => return Err(not_here(node, &line, "it reads as something else here")),
                Err(Misread { message, .. }) => return Err(not_here(node, &line, &message)),
            };
            let count = words::split(&edit.prompt).len();
            places = compose::after(&places, &compose::places(&edit.spans, count));
            understood.extend(edit.changes);
            warnings.extend(edit.warnings);
            up.insert(0, std::mem::replace(&mut now, edit.prompt));
        }
        let (source, target) = (word_list(prompt), word_list(&now));
        let mut weighings = Vec::new();
        for change in changes {
            let Change::Weigh { word, factor, absolute } = &change else { continue };
            let found = compose::find_words(&target, word);
            let Some(&at) = found.first() else {
                return Err(not_here(node, &format!("{word}*{factor}"), &format!("`{word}` is not in the prompt")));
            };
            weighings
                .push(Weighing { word: at, to: if *absolute { Weight::Set(*factor) } else { Weight::Times(*factor) } });
            understood.push(change);
        }
        let spans = compose::spans(&places, &source, &target);
        Ok(Edit { prompt: now, changes: understood, spans, weighings, is_root: false, warnings })
    }

    /// The edits of the branch that leads to `node`, read again on the node `base`; nothing is drawn yet.
    ///
    /// # Errors
    /// Fails if one of them does not fit there.
    pub fn plan_rebase(&mut self, node: u32, base: u32) -> Result<Vec<PlannedEdit>> {
        let mut prompt = self.tree()[base].plan.prompt.clone();
        let mut above: Vec<String> = self.tree().ancestors(base).map(|n| n.plan.prompt.clone()).collect();
        let mut planned = Vec::new();
        for number in self.branch_of(node).into_iter().skip(1) {
            let by = self.drawn_by_elsewhere(number, &prompt)?;
            let edit = self.carry_over(number, &prompt, &above)?;
            above.insert(0, std::mem::replace(&mut prompt, edit.prompt.clone()));
            let (line, settings) = (self.tree()[number].line.clone(), (*self.tree()[number].plan.settings).clone());
            planned.push(PlannedEdit { line, edit, settings, by });
        }
        Ok(planned)
    }

    /// The node at which the lineage of `node` begins: the root of its tree, or the last picture on the way that was drawn again.
    #[must_use]
    pub fn begun_at(&self, node: u32) -> u32 {
        let path = self.tree().path_to_root(node);
        path.iter().find(|n| !n.plan.goes_on()).map_or(node, |n| n.number)
    }

    /// The edit that leads from a node to a prompt that was read as one of its own.
    ///
    /// # Errors
    /// Fails if the model cannot be loaded.
    pub fn edit_towards(&mut self, node: u32, edit: Edit) -> Result<Edit> {
        if !edit.is_root {
            return Ok(edit);
        }
        let from = self.generation(node)?;
        let prompt = self.model()?.engine.reader().prompt(&edit.prompt)?;
        let spans = compose::difference(&from.prompt.words, &prompt.words);
        let kept = compose::places(&spans, prompt.words.len());
        let mut weights: Vec<f64> = kept.iter().map(|place| place.map_or(1.0, |word| from.weights[word])).collect();
        for Weighing { word, to } in &edit.weighings {
            weights[*word] = match to {
                Weight::Set(weight) => *weight,
                Weight::Times(factor) => weights[*word] * factor,
            };
        }
        let to = Ancestry { identities: vec![0; prompt.words.len()], prompt, weights };
        let changes = compose::changes(&from, &to, &spans);
        Ok(Edit { changes, spans, is_root: false, ..edit })
    }

    /// All edits between the beginning of its lineage and `node` as one edit of that.
    ///
    /// # Errors
    /// Fails if the model cannot be loaded.
    pub fn folded(&mut self, node: u32) -> Result<Edit> {
        let begun = self.begun_at(node);
        let branch: Vec<u32> = self.branch_of(node).into_iter().skip_while(|n| *n != begun).collect();
        let mut places: Vec<Option<usize>> = (0..self.tree()[branch[0]].plan.weights.len()).map(Some).collect();
        for number in &branch[1..] {
            let plan = &self.tree()[*number].plan;
            places = compose::after(&places, &compose::places(plan.spans(), plan.weights.len()));
        }
        let (from, to) = (self.generation(branch[0])?, self.generation(node)?);
        let spans = compose::spans(&places, &from.prompt.words, &to.prompt.words);
        let changes = compose::changes(&from, &to, &spans);
        Ok(Edit { changes, spans, is_root: false, ..self.edit_of(node) })
    }

    /// Draws a node's prompt afresh, from its recipe alone, as if nothing had been drawn before: what a program without
    /// a history shows. Nothing grows and nothing of it is stored.
    ///
    /// # Errors
    /// Fails if it cannot be drawn.
    pub fn draw_afresh(&mut self, node: u32) -> Result<Arc<RunResult>> {
        let recipe = self.tree()[node].recipe.clone();
        ensure!(recipe.photograph().is_none(), from_words_alone(node));
        let model = self.model_for(&recipe)?;
        let prompt = model.engine.reader().prompt(&self.tree()[node].plan.prompt)?;
        let edit = Edit { is_root: true, spans: Vec::new(), ..self.edit_of(node) };
        let resolved = resolve(&[], prompt, &edit, &self.tree()[node].plan.settings)?;
        let run_node = Arc::new(RunNode::new(None, resolved.plan, resolved.generation));
        let renderer = Renderer::new(model, (&self.store, &self.learner), recipe, self.reach())?;
        let done = renderer.draw(&[run_node], &mut |_, _| ControlFlow::Continue(()))?;
        Ok(done.context("BUG: an unwatched run was stopped")?.left)
    }
}

fn word_list(text: &str) -> Vec<String> {
    words::split(text).iter().map(|w| w.text.to_owned()).collect()
}

/// What is said where a picture of a photograph's tree is to be drawn without its photograph.
pub(super) fn from_words_alone(node: u32) -> Hinted {
    Hinted::new(
        format!("#{node} grew from a photograph, and cannot be drawn from its words alone"),
        "/cycle goes back by words from the pictures as they are",
    )
}

fn not_here(node: u32, line: &str, why: &str) -> anyhow::Error {
    Hinted::new(
        format!("the edit of #{node}, `{line}`, cannot be made here: {why}"),
        "type the edit as it should be here",
    )
    .into()
}
