//! One picture drawn: a run with its plan carried out.
//!
//! [`draw`] is the only way pictures come about, in the conversation as in studies. It puts the controls together in their
//! fixed order: an ancestor's maps are laid under the run's ([`Inject`]), the result is recorded ([`Record`]), weights
//! are applied ([`Reweight`]), and after the scheduler's step the latent is blended ([`LocalBlend`]).

pub mod masked;
pub mod noised;
pub mod redraw;
pub mod steps;

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use anyhow::{Result, ensure};
use candle_core::Tensor;

use super::{Engine, Run, Trajectory};
use crate::attention::blend::{ComputedBlend, InheritedBlend, LocalBlend, Mask, MaskRule, MaskWords, Parent};
use crate::attention::inject::{Inject, InjectionPlan};
use crate::attention::maps::{MapSource, StepMaps};
use crate::attention::record::{Keep, MaskLayers, Record, TakeMaps};
use crate::attention::reweight::{Reweight, weights_at};
use crate::attention::{AttentionControl, Chain};
use crate::plan::area::Area;
use crate::plan::settings::{BlendArithmetic, BlendMaps, Precision, RegionFrom, VLayers, WeightWindow};
use crate::plan::window::{For, cross_windows, steps_of};
use crate::plan::{Column, Plan, Region};
use crate::prompt::Prompt;

/// A plan worked out for one run, in tokens and steps.
#[derive(Debug, Clone, PartialEq)]
pub struct RunPlan {
    /// What is carried, and when.
    pub carry: InjectionPlan,
    /// One weight per token.
    pub weights: Vec<f32>,
    /// Steps during which each token's weight applies; `None` is always.
    pub weights_inside: Option<Vec<Range<usize>>>,
    /// Whether rows of used maps are scaled back to a sum of 1.
    pub renormalize: bool,
    /// Where the picture may change.
    pub region: RunRegion,
}

impl RunPlan {
    /// The orders of a plain generation over `length` tokens: nothing is carried, weighed or blended.
    #[must_use]
    pub fn untouched(length: usize, map_precision: Precision) -> Self {
        Self {
            carry: InjectionPlan {
                columns: vec![Column::Own; length],
                cross: vec![0..0; length],
                own: 0..0,
                self_max: 0,
                values: 0..0,
                v_mix: 0.0,
                v_layers: VLayers::Cross,
                map_precision,
            },
            weights: vec![1.0; length],
            weights_inside: None,
            renormalize: false,
            region: RunRegion::Everywhere,
        }
    }
}

impl RunPlan {
    /// Weights at a step, one per token.
    #[must_use]
    pub fn weights_at(&self, step: usize) -> Vec<f32> {
        weights_at(&self.weights, self.weights_inside.as_deref(), step)
    }

    /// Works a plan out for a run of `steps` steps, of which it makes those from `first` on: windows are shares of what is made.
    /// `auto_self_max` is the model's own limit for self-attention.
    #[must_use]
    pub fn of(
        plan: &Plan,
        prompt: &Prompt,
        (first, steps): (usize, usize),
        map_precision: Precision,
        auto_self_max: usize,
    ) -> Self {
        let s = &plan.settings;
        let made = steps - first;
        let later = |window: Range<usize>| window.start + first..window.end + first;
        let cross: Vec<Range<usize>> = cross_windows(s, prompt, made).into_iter().map(later).collect();
        let own = |w| later(steps_of(w, made, s.window_rounding, For::SelfAttention));
        let columns = plan.columns();
        let carries = columns.iter().any(|c| *c != Column::Own);
        let mut weights = vec![1.0f32; prompt.ids.len()];
        for (word, weight) in plan.weights.iter().enumerate() {
            weights[prompt.word_tokens[word].clone()].fill(*weight as f32);
        }
        let region = match plan.region() {
            Region::Everywhere => RunRegion::Everywhere,
            Region::As { .. } | Region::Difference => RunRegion::As,
            Region::Given(area) => RunRegion::Given { area: area.clone(), k: s.k },
            Region::Words { source, target, source_out, target_out } => RunRegion::Words {
                from: s.region_from,
                k: s.k,
                substruct_k: s.substruct_k,
                source: MaskWords { within: source.clone(), without: source_out.clone() },
                target: MaskWords { within: target.clone(), without: target_out.clone() },
                start: first + (s.start_blend * made as f64).round() as usize,
                arithmetic: s.blend_arithmetic,
                maps: s.blend_maps,
            },
        };
        Self {
            carry: InjectionPlan {
                columns,
                own: if carries { own(s.self_replace_steps) } else { 0..0 },
                self_max: s.self_max.unwrap_or(auto_self_max),
                values: if carries { own(s.v_replace_steps) } else { 0..0 },
                v_mix: s.v_mix,
                v_layers: s.v_layers,
                map_precision,
                cross: cross.clone(),
            },
            weights,
            weights_inside: (s.weight_window == WeightWindow::Inside).then_some(cross),
            renormalize: s.renormalize,
            region,
        }
    }
}

/// Where the picture may change.
#[derive(Debug, Clone, PartialEq)]
pub enum RunRegion {
    /// Everywhere.
    Everywhere,
    /// Where words' maps say.
    Words {
        /// What says where they were.
        from: RegionFrom,
        /// Threshold, as a share of the largest value.
        k: f64,
        /// Threshold for what is taken out.
        substruct_k: f64,
        /// Tokens in the parent's prompt.
        source: MaskWords,
        /// Tokens in the new prompt.
        target: MaskWords,
        /// First step that is blended.
        start: usize,
        /// Arithmetic at the border.
        arithmetic: BlendArithmetic,
        /// Maps before or after weights.
        maps: BlendMaps,
    },
    /// Where an ancestor's masks say.
    As,
    /// Where a person said: masks and what lies outside them are given to the run.
    Given {
        /// What was said.
        area: Area,
        /// Threshold where words were.
        k: f64,
    },
}

/// What a run takes from those before it.
#[derive(Default)]
pub struct Inherited<'a> {
    /// The parent's latents and word maps, for a fresh mask.
    pub parent: Option<Parent>,
    /// Masks and what lies outside them, for [`RunRegion::As`] and [`RunRegion::Given`].
    pub taken_up: Option<InheritedMasks>,
    /// Ancestors' maps.
    pub maps: Option<&'a mut dyn MapSource>,
    /// First steps that another run did under the same orders.
    pub begun: Option<RunPrefix<'a>>,
}

/// The first steps of a run, taken over from one that was given the same orders for them ([`RunPlan::shared`]).
#[derive(Debug, Clone, Copy)]
pub struct RunPrefix<'a> {
    /// The latents: one more than steps.
    pub latents: &'a [Tensor],
    /// Word maps by step.
    pub word_maps: &'a [Vec<f32>],
    /// The run's maps that masks are made of, by step.
    pub targets: &'a [Vec<f32>],
    /// Masks by step; empty if nothing was blended.
    pub masks: &'a [Option<Mask>],
    /// The largest distances of a used row's sum from 1, by step.
    pub row_gaps: &'a [f32],
    /// What the sampler remembers of the steps ([`Sampler::memory`](super::sampler::Sampler::memory)).
    pub memory: &'a [Tensor],
}

/// What a run leaves.
#[derive(Debug)]
pub struct DrawOutput {
    /// All latents.
    pub trajectory: Trajectory,
    /// Word maps by step, `[keys, pixels]`.
    pub word_maps: Vec<Vec<f32>>,
    /// Masks by step; empty if nothing was blended.
    pub masks: Vec<Option<Mask>>,
    /// The run's maps that masks were made of, by step; empty where none were made.
    pub targets: Vec<Vec<f32>>,
    /// The last step's maps that were compared with the threshold, source then target, where both were; for looking.
    pub mask_maps: Option<(Vec<f32>, Vec<f32>)>,
    /// The largest distance of a used row's sum from 1, by step; empty where nothing was measured.
    pub row_gaps: Vec<f32>,
    /// What the sampler remembers of the steps.
    pub memory: Vec<Tensor>,
}

/// How a picture is drawn besides its run and orders.
pub struct RunOptions<'a> {
    /// Layers whose maps make masks and word maps.
    pub layers: MaskLayers,
    /// Maps to keep.
    pub keep: Keep,
    /// Takes them, step by step.
    pub take: TakeMaps<'a>,
    /// Looks at used maps; last in the row.
    pub observer: &'a mut dyn AttentionControl,
    /// Sees each new latent, and may stop the run.
    pub watch: &'a mut dyn FnMut(usize, &Tensor) -> ControlFlow<()>,
}

/// Draws a picture from `start`; `None` if it was stopped. Of steps before the run's first, the trajectory has `start`.
///
/// # Errors
/// Fails if maps of an ancestor can be neither found nor computed, or the device has no memory left.
pub fn draw(
    engine: &Engine,
    run: &Run<'_>,
    start: &Tensor,
    orders: &RunPlan,
    before: Inherited<'_>,
    means: RunOptions<'_>,
) -> Result<Option<DrawOutput>> {
    let steps = run.sampler.timesteps().len();
    let (h, w, _) = start.dims3()?;
    let mut none = crate::attention::maps::NoAncestors;
    let source: &mut dyn MapSource = before.maps.unwrap_or(&mut none);
    let changes = orders.weights.iter().any(|w| *w != 1.0) || orders.carry.reach() > 0;
    let mut reweight =
        Reweight::new(orders.weights.clone(), orders.weights_inside.clone(), orders.renormalize, changes);
    // Maps of steps that are not made: of no word anywhere.
    let no_maps = vec![vec![0.0; orders.weights.len() * means.layers.grid.0 * means.layers.grid.1]; run.first];
    let (mut blend, rule, after_weights) = blend(orders, before.parent, before.taken_up, (means.layers, (h, w)))?;
    let mut inject = Inject::new(&orders.carry, source);
    let mut record = Record::new(means.keep, means.layers, steps).after(&no_maps).handing_on(means.take);
    let mut latents = vec![start.clone(); run.first + 1];
    let mut sampler = run.sampler.after(before.begun.map_or(&[], |begun| begun.memory));
    if let Some(RunPrefix { latents: done, word_maps, targets, masks, row_gaps, .. }) = before.begun {
        latents = done.to_vec();
        record = record.after(word_maps);
        reweight = reweight.after(row_gaps);
        if let LocalBlend::Computed(fresh) = blend {
            blend = LocalBlend::Computed(Box::new(fresh.after(targets, masks)));
        }
    } else if let LocalBlend::Computed(fresh) = blend {
        blend = LocalBlend::Computed(Box::new(fresh.after(&no_maps, &[])));
    }
    let trajectory = {
        // Masks are made of carried maps, or of used ones as published: the order of these two says which.
        let [third, fourth]: [&mut dyn AttentionControl; 2] =
            if after_weights { [&mut reweight, &mut blend] } else { [&mut blend, &mut reweight] };
        let mut all = Chain([&mut inject, &mut record, third, fourth, means.observer]);
        engine.denoise(run, &mut *sampler, latents, &mut all, means.watch)?
    };
    let Some(trajectory) = trajectory else {
        return Ok(None);
    };
    let mask_maps = match (&blend, rule, &orders.region) {
        (LocalBlend::Computed(fresh), Some(rule), RunRegion::Words { from: RegionFrom::Cross, source, target, .. }) => {
            let (a, b) = fresh.sums();
            Some((rule.map(a, &source.within), rule.map(b, &target.within)))
        }
        _ => None,
    };
    let (_, word_maps) = record.into_parts();
    let (masks, targets) = blend.into_parts();
    let row_gaps = reweight.into_row_gaps();
    let memory = sampler.memory().to_vec();
    Ok(Some(DrawOutput { trajectory, word_maps, masks, targets, mask_maps, row_gaps, memory }))
}

/// An ancestor's masks by step, the latents that lay outside them after each step, and its arithmetic.
pub type InheritedMasks = (Vec<Option<Mask>>, Arc<Vec<Tensor>>, BlendArithmetic);

fn blend(
    orders: &RunPlan,
    parent: Option<Parent>,
    taken_up: Option<InheritedMasks>,
    (layers, latent): (MaskLayers, (usize, usize)),
) -> Result<(LocalBlend, Option<MaskRule>, bool)> {
    match &orders.region {
        RunRegion::Everywhere => Ok((LocalBlend::Off, None, false)),
        RunRegion::As | RunRegion::Given { .. } => {
            let Some((masks, outside, arithmetic)) = taken_up else {
                anyhow::bail!("BUG: masks are to be taken up, but none were given");
            };
            Ok((LocalBlend::Inherited(InheritedBlend { masks, outside, arithmetic }), None, false))
        }
        RunRegion::Words { from, k, substruct_k, source, target, start, arithmetic, maps } => {
            let Some(parent) = parent else {
                anyhow::bail!("BUG: a mask is to be made, but there is no parent");
            };
            ensure!(!parent.word_maps.is_empty(), "BUG: the parent has no word maps");
            let is_told = parent.places.is_some() == (*from != RegionFrom::Cross);
            ensure!(is_told, "BUG: nothing says where the words were that a mask is of");
            let rule = MaskRule { k: *k, substruct_k: *substruct_k, grid: layers.grid, latent };
            let words = (source.clone(), target.clone());
            let fresh = ComputedBlend::new(rule, layers, words, parent, *start, *arithmetic);
            Ok((LocalBlend::Computed(Box::new(fresh)), Some(rule), *maps == BlendMaps::Used))
        }
    }
}

/// The carried maps of one step of a run that was drawn before: its written half run again on the stored latent.
///
/// # Errors
/// As [`draw`].
pub fn recall(
    engine: &Engine,
    run: &Run<'_>,
    (step, latent): (usize, &Tensor),
    orders: &RunPlan,
    ancestors: &mut dyn MapSource,
    keep: Keep,
) -> Result<StepMaps> {
    let steps = run.sampler.timesteps().len();
    let layers = MaskLayers { grid: (0, 0), count: 1 };
    let mut reweight = Reweight::new(orders.weights.clone(), orders.weights_inside.clone(), orders.renormalize, false);
    let (mut inject, mut record) = (Inject::new(&orders.carry, ancestors), Record::new(keep, layers, steps));
    engine.recall(run, step, latent, &mut Chain([&mut inject, &mut record, &mut reweight]))?;
    let (mut maps, _) = record.into_parts();
    Ok(std::mem::take(&mut maps[step]))
}
