//! The same way back as other methods must go it: from a prompt, not from a picture.
//!
//! The published method edits what it can generate. It has no history, so the picture that it edits is drawn afresh from
//! the present prompt and the root's seed, unweighted, and the edit starts from that run's maps. A step back from #3 to #2
//! therefore draws #3's prompt afresh, edits it to #2's words and weights, and is compared with #2 as the tree has it. The
//! next step begins afresh with #2's prompt: what a step drew is of no use to the one after it. The recipe (model, noise,
//! steps, guidance, precision) stays the tree's, so that no difference comes from rounding.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::super::Session;
use super::super::branch::from_words_alone;
use super::super::renderer::Renderer;
use super::super::run_node::RunNode;
use super::{StepBack, WayWatch, difference};
use crate::plan::resolve::resolve;
use crate::plan::settings::{
    Alignment, BlendArithmetic, BlendMaps, RegionFrom, Rounding, TurnSettings, VLayers, WeightWindow, Window,
};
use crate::plan::window::{self, Reach};
use crate::turn::Edit;

/// How a way back is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CycleMethod {
    /// From the pictures as they are, with the maps that they carry.
    Exact,
    /// As published: the source is generated again from its prompt.
    Published,
    /// As published, and values of both prompts are mixed, which CL P2P proposes.
    VInject,
}

impl CycleMethod {
    /// All methods by what they are called.
    pub const ALL: [(&'static str, Self); 3] =
        [("exact", Self::Exact), ("published", Self::Published), ("v-inject", Self::VInject)];

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, method)| *method == self).map_or("", |(name, _)| *name)
    }

    /// The settings that the method's edits are made with; `None` for those in force.
    #[must_use]
    pub fn settings(self) -> Option<TurnSettings> {
        match self {
            Self::Exact => None,
            Self::Published => Some(published()),
            Self::VInject => Some(TurnSettings {
                v_replace_steps: Window::until(V_WINDOW),
                v_mix: 0.5,
                v_layers: VLayers::Both,
                ..published()
            }),
        }
    }
}

/// Share of the steps in which `v-inject` mixes values. CL P2P names none; this is the window in which self-attention is
/// the source's.
const V_WINDOW: f64 = 0.4;

/// Every switch as in the notebook for Stable Diffusion.
fn published() -> TurnSettings {
    TurnSettings {
        cross_replace_steps: Window::until(0.8),
        self_replace_steps: Window::until(0.4),
        self_max: Some(256),
        k: 0.3,
        region_from: RegionFrom::Cross,
        start_blend: 0.0,
        weight_window: WeightWindow::Inside,
        alignment: Alignment::Published,
        blend_maps: BlendMaps::Used,
        blend_arithmetic: BlendArithmetic::Mix,
        window_rounding: Rounding::Published,
        ..TurnSettings::default()
    }
}

/// Prompts drawn afresh, each once, with what that cost.
#[derive(Default)]
pub struct Regenerated {
    drawn: HashMap<u32, (Arc<RunNode>, u64, f64)>,
}

impl Session {
    /// Goes back from here to an ancestor with sources generated from their prompts, under `settings`. `None` if it was
    /// stopped. What a step cost includes its source's run, even if that was drawn before and is in `afresh`.
    ///
    /// # Errors
    /// Fails if `to` is no ancestor of the present node, or a step cannot be drawn.
    pub fn regenerated(
        &mut self,
        (to, in_one): (u32, bool),
        settings: &TurnSettings,
        afresh: &mut Regenerated,
        watch: WayWatch<'_>,
    ) -> Result<Option<Vec<StepBack>>> {
        let (path, stops) = self.stops(to, in_one)?;
        let recipe = self.tree[path[0]].recipe.clone();
        ensure!(recipe.photograph().is_none(), from_words_alone(path[0]));
        let model = self.model_for(&recipe)?;
        let original = self.family(path[0], &model)?;
        let reach = reach(settings);
        let kept = (&self.store, &self.learner);
        let renderer =
            || Ok::<_, anyhow::Error>(Renderer::new(model.clone(), kept, recipe.clone(), reach)?.keeping_values());
        if !self.draws_again(&renderer()?, &original, watch)? {
            return Ok(None);
        }
        let mut steps = Vec::new();
        let mut at = 0;
        for (count, stop) in stops.into_iter().enumerate() {
            let mut watched = |step: usize, latent: &_| watch(count, step, latent);
            let present = &original[at];
            let mut drawn = afresh.drawn.get(&path[at]).cloned();
            if drawn.is_none() {
                let (begun, renderer) = (Instant::now(), renderer()?);
                let prompt = present.generation.prompt.clone();
                let edit = Edit::root(prompt.text.clone());
                let resolved = resolve(&[], prompt, &edit, settings)?;
                let source = Arc::new(RunNode::new(None, resolved.plan, resolved.generation));
                if renderer.draw(std::slice::from_ref(&source), &mut watched)?.is_none() {
                    return Ok(None);
                }
                drawn = Some((source, renderer.evaluations(), begun.elapsed().as_secs_f64()));
            }
            let (source, spent, waited) = drawn.context("BUG: a source was not drawn")?;
            afresh.drawn.insert(path[at], (source.clone(), spent, waited));
            let (begun, renderer) = (Instant::now(), renderer()?);
            let wanted = &original[stop];
            let edit = self.way_back_edit(&path[at..stop], present, wanted);
            let resolved = resolve(&[&source.generation], wanted.generation.prompt.clone(), &edit, settings)?;
            let target = Arc::new(RunNode::new(None, resolved.plan, resolved.generation));
            let Some(done) = renderer.draw(&[target, source], &mut watched)? else { return Ok(None) };
            let (evaluations, seconds) = (spent + renderer.evaluations(), waited + begun.elapsed().as_secs_f64());
            let wanted = renderer.left(&original[stop..])?;
            let (max_abs, identical) = difference(done.left.trajectory.last(), wanted.trajectory.last())?;
            let (to, changes, got) = (path[stop], edit.changes, done.left);
            steps.push(StepBack {
                to,
                changes,
                predicted: None,
                max_abs,
                identical,
                wanted,
                got,
                evaluations,
                seconds,
            });
            at = stop;
        }
        Ok(Some(steps))
    }
}

/// How far an edit under these settings needs maps of its source.
fn reach(settings: &TurnSettings) -> Reach {
    let values = if settings.v_mix > 0.0 { settings.v_replace_steps.to } else { 0.0 };
    let Reach { cross, own, ending } = window::reach(settings);
    // Published rounding may reach one step further than the share says.
    let more = |share: f64| if share > 0.0 { (share + 0.05).min(1.0) } else { 0.0 };
    Reach { cross: more(cross.max(values)), own: more(own.max(values)), ending }
}
