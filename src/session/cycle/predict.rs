//! What is told of a way back before it is gone, and one thing to try where it is not exact.

use std::sync::Arc;

use anyhow::Result;

use super::super::Session;
use super::super::model::Model;
use super::super::run_node::{RunNode, lineage_of};
use crate::engine::exact::{Difference, Mismatch, NodeView, Source, Trace, TreeFacts};
use crate::plan::lineage::{Ancestry, same_words};
use crate::plan::resolve::{Resolved, resolve};
use crate::plan::settings::{Settings, TurnSettings};
use crate::plan::{Plan, Recipe};
use crate::prompt::Prompt;
use crate::turn::Edit;

/// Whether a way back leads to an ancestor's very bits.
#[derive(Debug, Clone, PartialEq)]
pub enum Foretold {
    /// It does.
    Exact,
    /// It need not, and this is why.
    Not(Why),
}

/// Why a way back is not exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The first step at which it is not.
    pub step: usize,
    /// What is not the same there: cross-attention, self-attention, values, region, weights or words.
    pub site: &'static str,
    /// The reason, as a sentence without its full stop.
    pub reason: String,
    /// One thing to try.
    pub hint: String,
}

impl Foretold {
    /// Whether it leads to the very bits.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        *self == Self::Exact
    }
}

/// An ancestor whose words come back, and whether its picture does.
#[derive(Debug, Clone, PartialEq)]
pub struct LeadsBack {
    /// The ancestor.
    pub to: u32,
    /// Whether its very bits come back.
    pub predicted: Foretold,
}

/// A node and its ancestors, nearest first, with names for people; steps of a way back may stand before them.
pub(super) struct Family {
    /// The nodes.
    pub(super) all: Vec<Arc<RunNode>>,
    names: Vec<String>,
    frame: TreeFacts,
}

impl Family {
    /// A family of the tree: `path` has its numbers.
    pub(super) fn new(path: &[u32], all: Vec<Arc<RunNode>>, model: &Model, recipe: &Recipe) -> Self {
        let (h, w, _) = model.engine.latent_dims((recipe.width, recipe.height));
        let frame = TreeFacts {
            steps: recipe.steps,
            map_precision: recipe.map_precision,
            self_max: model.self_max(recipe),
            layers: model.engine.unet().own_sizes((h, w)),
            is_photograph: recipe.photograph().is_some(),
        };
        Self { all, names: path.iter().map(|number| format!("#{number}")).collect(), frame }
    }

    /// Puts a node before the others.
    pub(super) fn push(&mut self, name: String, run_node: Arc<RunNode>) {
        self.all.insert(0, run_node);
        self.names.insert(0, name);
    }

    /// The sources of a child of the first member, and of the members, which stand after it.
    fn trace(&self, plan: &Plan, prompt: &Prompt) -> Trace {
        let others = self.all.iter().map(|r| NodeView { plan: &r.plan, prompt: &r.generation.prompt });
        let kin: Vec<NodeView<'_>> = std::iter::once(NodeView { plan, prompt }).chain(others).collect();
        Trace::of(&kin, &self.frame)
    }

    fn breach(&self, plan: &Plan, prompt: &Prompt, wanted: usize) -> Option<Mismatch> {
        self.trace(plan, prompt).breach(0, wanted + 1)
    }

    /// Whether a child of the first member with this plan is the member `wanted`. `plan_with` plans it under other
    /// settings, to find one thing to try.
    pub(super) fn predict(
        &self,
        plan: &Plan,
        prompt: &Prompt,
        wanted: usize,
        plan_with: &dyn Fn(&TurnSettings) -> Option<Plan>,
    ) -> Foretold {
        let Some(breach) = self.breach(plan, prompt, wanted) else { return Foretold::Exact };
        let helps = |settings: &TurnSettings| {
            plan_with(settings).is_some_and(|plan| self.breach(&plan, prompt, wanted).is_none())
        };
        let other_weight = match &breach.what {
            Difference::Weight { token, .. } => prompt
                .word_tokens
                .iter()
                .position(|tokens| tokens.contains(token))
                .filter(|word| plan.weights[*word] != self.all[wanted].generation.weights[*word])
                .map(|word| format!("{}*{}", prompt.words[word], self.all[wanted].generation.weights[word])),
            _ => None,
        };
        let others = self.all[..=wanted].iter().map(|r| &*r.plan.settings);
        let hint = other_weight
            .or_else(|| setting_that_helps(&plan.settings, others, &helps))
            .unwrap_or_else(|| format!("/go {} shows it as it was, without drawing", self.names[wanted]));
        let site = site(&breach.what);
        Foretold::Not(Why { step: breach.step, site, reason: self.reason(&breach, prompt, wanted), hint })
    }

    /// The name of a node of the traced family, in which the node in question stands first.
    fn name(&self, node: usize) -> &str {
        node.checked_sub(1).and_then(|at| self.names.get(at)).map_or("this one", String::as_str)
    }

    fn reason(&self, breach: &Mismatch, prompt: &Prompt, wanted: usize) -> String {
        let Mismatch { step, what } = breach;
        let there = &self.names[wanted];
        match what {
            Difference::Words => format!("the words are not read as those of {there} are"),
            Difference::SelfAttention { ours, theirs, .. } => {
                self.taken(*step, "self-attention", (*ours, *theirs), wanted)
            }
            Difference::Cross { token, ours, theirs } => {
                let what = format!("the map of {}", token_name(prompt, *token));
                self.taken(*step, &what, (*ours, *theirs), wanted)
            }
            Difference::Values { ours: true } => format!("values are mixed in step {step} (v_replace_steps)"),
            Difference::Values { ours: false } => format!("{there} was drawn with mixed values in step {step}"),
            Difference::Weight { token, ours, theirs } => {
                let word = token_name(prompt, *token);
                format!("{word} weighs {ours} in step {step}, but {theirs} at {there}")
            }
            Difference::Renormalized { ours: true } => {
                format!("rows of maps are scaled to a sum of 1 (renormalize), and were not at {there}")
            }
            Difference::Renormalized { ours: false } => {
                format!("rows of maps are not scaled to a sum of 1, and were at {there} (renormalize)")
            }
            Difference::Start { ours, theirs } => {
                let (ours, theirs) = (self.name(*ours), self.name(*theirs));
                format!("its run begins with the noise of {ours}, but that of {there} with the noise of {theirs}")
            }
            Difference::Region { ours, theirs } => {
                let masks = |node: &Option<usize>| match node {
                    Some(node) => format!("by the masks of {}", self.name(*node)),
                    None => "by none".to_owned(),
                };
                format!("from step {step} on it is blended {}, but {there} was {}", masks(ours), masks(theirs))
            }
        }
    }

    fn taken(&self, step: usize, what: &str, (ours, theirs): (Source, Source), wanted: usize) -> String {
        let there = &self.names[wanted];
        let same_run = ours == theirs;
        let ours = match ours {
            Source::Run(0) => format!("{what} is its own"),
            Source::Run(node) => format!("{what} comes from {}", self.name(node)),
            Source::Sum => format!("{what} is a sum of several"),
        };
        let theirs = match theirs {
            _ if same_run => "of another word".to_owned(),
            Source::Run(node) if node == wanted + 1 => "its own".to_owned(),
            Source::Run(node) => format!("from {}", self.name(node)),
            Source::Sum => "a sum of several".to_owned(),
        };
        format!("in step {step} {ours}, but at {there} it was {theirs}")
    }
}

/// Where a difference lies.
fn site(what: &Difference) -> &'static str {
    match what {
        Difference::Words => "words",
        Difference::SelfAttention { .. } => "self-attention",
        Difference::Cross { .. } => "cross-attention",
        Difference::Values { .. } => "values",
        Difference::Weight { .. } | Difference::Renormalized { .. } => "weights",
        Difference::Region { .. } => "region",
        Difference::Start { .. } => "start",
    }
}

fn token_name(prompt: &Prompt, token: usize) -> String {
    match prompt.word_tokens.iter().position(|tokens| tokens.contains(&token)) {
        Some(word) => format!("`{}`", prompt.words[word]),
        None if token == 0 => "the start".to_owned(),
        None if token == prompt.end => "the end of the text".to_owned(),
        None => "the padding".to_owned(),
    }
}

/// Settings that exactness hangs on.
const DECISIVE: [&str; 8] = [
    "self_replace_steps",
    "cross_replace_steps",
    "self_max",
    "v_replace_steps",
    "alignment",
    "weight_window",
    "renormalize",
    "window_rounding",
];

/// Settings of another node of the way that would make it exact: one if one is enough, else two, else all that differ.
fn setting_that_helps<'a>(
    now: &TurnSettings,
    others: impl Iterator<Item = &'a TurnSettings>,
    helps: &dyn Fn(&TurnSettings) -> bool,
) -> Option<String> {
    let table = |turn: &TurnSettings| Settings { turn: turn.clone(), ..Settings::default() };
    let mine = table(now);
    let mut changes: Vec<Vec<(&str, String)>> = Vec::new();
    for other in others.map(table).chain([Settings::default()]) {
        let differs = DECISIVE.iter().filter(|name| other.get(name) != mine.get(name));
        let one: Vec<_> = differs.map(|name| (*name, other.get(name))).collect();
        if !one.is_empty() && !changes.contains(&one) {
            changes.push(one);
        }
    }
    let works = |names: &[&(&str, String)]| {
        let mut tried = mine.clone();
        names.iter().all(|(name, value)| tried.set(name, value).is_ok()) && helps(&tried.turn)
    };
    let mut sets: Vec<Vec<&(&str, String)>> = changes.iter().flatten().map(|one| vec![one]).collect();
    for change in &changes {
        for (i, first) in change.iter().enumerate() {
            sets.extend(change[i + 1..].iter().map(|second| vec![first, second]));
        }
    }
    sets.extend(changes.iter().map(|change| change.iter().collect()));
    let found = sets.into_iter().find(|names| works(names))?;
    let typed = |(name, value): &(&str, String)| {
        let short = crate::plan::settings::find(name).map_or(*name, |s| s.short());
        format!("/set {short} {value}")
    };
    Some(found.into_iter().map(typed).collect::<Vec<_>>().join(", "))
}

impl Session {
    /// The ancestor whose words an edit made here would bring back, and whether its very bits come back with them: the
    /// nearest of which they do, else the nearest whose weights come back too, else the nearest. `None` if the words are no
    /// ancestor's.
    ///
    /// # Errors
    /// Fails if the model cannot be loaded.
    pub fn leads_back(&mut self, edit: &Edit, resolved: &Resolved) -> Result<Option<LeadsBack>> {
        let Some(here) = self.tree.here().filter(|_| !edit.is_root) else { return Ok(None) };
        let path: Vec<u32> = self.tree.path_to_root(here).iter().map(|n| n.number).collect();
        let recipe = (*self.tree[here].recipe).clone();
        let model = self.model_for(&recipe)?;
        let all = self.family(here, &model)?;
        let family = Family::new(&path, all, &model, &recipe);
        let prompt = &resolved.generation.prompt;
        let plan_with = |settings: &TurnSettings| {
            Some(resolve(&lineage_of(&family.all), prompt.clone(), edit, settings).ok()?.plan)
        };
        let trace = family.trace(&resolved.plan, prompt);
        let mut best: Option<(bool, usize)> = None;
        for (at, ancestor) in family.all.iter().enumerate() {
            let Ancestry { prompt: theirs, weights, .. } = &ancestor.generation;
            let same_weights = *weights == resolved.generation.weights;
            // Words that are here already do not come back, unless nothing changes at all.
            if !same_words(&theirs.words, &prompt.words) || (at == 0 && !same_weights) {
                continue;
            }
            if trace.breach(0, at + 1).is_none() {
                return Ok(Some(LeadsBack { to: path[at], predicted: Foretold::Exact }));
            }
            if best.is_none_or(|(better, _)| same_weights && !better) {
                best = Some((same_weights, at));
            }
        }
        Ok(best.map(|(_, at)| {
            let predicted = family.predict(&resolved.plan, prompt, at, &plan_with);
            LeadsBack { to: path[at], predicted }
        }))
    }
}
