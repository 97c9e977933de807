//! Keeping what descendants may need.

use std::ops::Range;

use candle_core::{Result, Tensor};

use super::maps::{KeptMap, StepMaps};
use super::{AttentionControl, Kind, Qkv, Side, Site};

/// The layers whose text maps make masks and heat maps: all on this grid, on the way down and up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaskLayers {
    /// Height and width of the maps.
    pub grid: (usize, usize),
    /// Number of such layers.
    pub count: usize,
}

impl MaskLayers {
    /// Whether a site is one of them.
    #[must_use]
    pub fn has(&self, site: Site) -> bool {
        site.kind == Kind::Cross && site.side != Side::Middle && site.grid == self.grid
    }
}

/// Which maps a recorder keeps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keep {
    /// Steps whose text maps are kept.
    pub cross: Range<usize>,
    /// Steps whose queries and keys are kept.
    pub own: Range<usize>,
    /// Whether queries and keys of the last step are kept too: what spreads maps of a finished picture.
    pub ending: bool,
    /// Largest self-attention layer, in pixels, whose queries and keys are kept.
    pub self_max: usize,
    /// Whether values are kept, in the steps of either.
    pub values: bool,
    /// Whether text maps, queries and keys are rounded to f16.
    pub half: bool,
}

/// Keeps carried maps of the steps asked for, and the word maps of every step.
///
/// A word map is the mean over heads and mask layers: `[keys, pixels]`, a few kilobytes a step, enough for masks, heat
/// maps and the drift meter without running the UNet again.
pub struct Record<'t> {
    keep: Keep,
    layers: MaskLayers,
    steps: Vec<StepMaps>,
    word_maps: Vec<Vec<f32>>,
    take: Option<TakeMaps<'t>>,
}

/// Takes the carried maps of a step, once it is made.
pub type TakeMaps<'t> = &'t mut dyn FnMut(usize, StepMaps);

impl<'t> Record<'t> {
    /// A recorder for a run of `steps` steps.
    #[must_use]
    pub fn new(keep: Keep, layers: MaskLayers, steps: usize) -> Self {
        Self { keep, layers, steps: vec![StepMaps::default(); steps], word_maps: vec![Vec::new(); steps], take: None }
    }

    /// The same, but maps are handed on after each step: of a large model, those of all steps are more than its weights.
    #[must_use]
    pub fn handing_on(self, take: TakeMaps<'t>) -> Self {
        Self { take: Some(take), ..self }
    }

    /// The same recorder after steps that left these word maps and need not be run again; none of their maps are kept.
    #[must_use]
    pub fn after(mut self, word_maps: &[Vec<f32>]) -> Self {
        self.word_maps[..word_maps.len()].clone_from_slice(word_maps);
        self
    }

    /// What was kept and not handed on: maps by step, and word maps by step.
    #[must_use]
    pub fn into_parts(self) -> (Vec<StepMaps>, Vec<Vec<f32>>) {
        (self.steps, self.word_maps)
    }

    fn keeps_cross(&self, site: Site) -> bool {
        site.kind == Kind::Cross && self.keep.cross.contains(&site.step)
    }

    fn keeps_own(&self, site: Site) -> bool {
        let is_kept = self.keep.own.contains(&site.step) || self.keep.ending && site.step + 1 == self.steps.len();
        site.kind == Kind::SelfAttention && is_kept && site.pixels() <= self.keep.self_max
    }

    fn keeps_values(&self, site: Site) -> bool {
        self.keep.values && (self.keep.own.contains(&site.step) || self.keep.cross.contains(&site.step))
    }
}

/// Adds the mean over heads of `probs`, `[heads, pixels, keys]`, times `share`, into `sum`, `[keys, pixels]`.
///
/// # Errors
/// Fails if the device does not give its values.
pub fn add_word_map(probs: &Tensor, share: f32, sum: &mut Vec<f32>) -> Result<()> {
    let (heads, pixels, keys) = probs.dims3()?;
    sum.resize(keys * pixels, 0.0);
    // Summed where the map lies, so that one head's worth leaves the device, not all.
    let totals = probs.sum(0)?.t()?.flatten_all()?.to_vec1::<f32>()?; // [keys, pixels]
    let share = share / heads as f32;
    for (sum, total) in sum.iter_mut().zip(totals) {
        *sum += total * share;
    }
    Ok(())
}

impl AttentionControl for Record<'_> {
    fn watches(&self, site: Site) -> bool {
        self.layers.has(site) || self.keeps_cross(site) || self.keeps_own(site) || self.keeps_values(site)
    }

    fn attend_text(&mut self, site: Site, probs: Tensor, v: Tensor) -> Result<(Tensor, Tensor)> {
        if self.layers.has(site) {
            add_word_map(&probs, 1.0 / self.layers.count as f32, &mut self.word_maps[site.step])?;
        }
        let (keeps, values) = (self.keeps_cross(site), self.keeps_values(site));
        let step = &mut self.steps[site.step];
        if keeps {
            step.cross.insert(site.layer, KeptMap::new(&probs, self.keep.half)?);
        }
        if values {
            step.v_cross.insert(site.layer, KeptMap::new(&v, false)?);
        }
        Ok((probs, v))
    }

    fn attend_self(&mut self, site: Site, qkv: Qkv) -> Result<Qkv> {
        let (keeps, values) = (self.keeps_own(site), self.keeps_values(site));
        let step = &mut self.steps[site.step];
        if keeps {
            let kept = |map| KeptMap::new(map, self.keep.half);
            step.own.insert(site.layer, (kept(&qkv.q)?, kept(&qkv.k)?));
        }
        if values {
            step.v_self.insert(site.layer, KeptMap::new(&qkv.v, false)?);
        }
        Ok(qkv)
    }

    fn after_step(&mut self, step: usize, latent: Tensor) -> Result<Tensor> {
        if let Some(take) = &mut self.take {
            take(step, std::mem::take(&mut self.steps[step]));
        }
        Ok(latent)
    }
}
