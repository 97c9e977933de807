//! Local blend: outside the edited words' region the picture stays the parent's.

use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::record::{MaskLayers, add_word_map};
use super::transition::WordPlaces;
use super::{AttentionControl, Site};
use crate::plan::settings::BlendArithmetic;

/// A mask over the latent: one byte a pixel, 1 where the picture may change.
pub type Mask = Vec<u8>;

/// The words that make one side's mask, as token positions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MaskWords {
    /// Tokens whose maps make the mask.
    pub within: Vec<usize>,
    /// Tokens whose maps are taken out of it.
    pub without: Vec<usize>,
}

/// How masks are made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaskRule {
    /// Threshold, as a share of the largest value; 0 is everything.
    pub k: f64,
    /// Threshold for what is taken out.
    pub substruct_k: f64,
    /// Grid of the maps, height and width.
    pub grid: (usize, usize),
    /// Grid of the latent, height and width.
    pub latent: (usize, usize),
}

/// The sum of some tokens' maps, out of `[keys, pixels]`.
fn sum_of(maps: &[f32], tokens: &[usize], pixels: usize) -> Vec<f32> {
    let mut sum = vec![0.0; pixels];
    for token in tokens {
        for (total, value) in sum.iter_mut().zip(&maps[token * pixels..(token + 1) * pixels]) {
            *total += value;
        }
    }
    sum
}

/// The largest value of each pixel's 3x3 neighbourhood.
#[must_use]
pub fn spread(map: &[f32], (h, w): (usize, usize)) -> Vec<f32> {
    let mut out = Vec::with_capacity(map.len());
    for y in 0..h {
        for x in 0..w {
            let rows = y.saturating_sub(1)..(y + 2).min(h);
            let columns = x.saturating_sub(1)..(x + 2).min(w);
            let values = rows.flat_map(|y| columns.clone().map(move |x| map[y * w + x]));
            out.push(values.fold(f32::NEG_INFINITY, f32::max));
        }
    }
    out
}

impl MaskRule {
    /// The summed map of a side's words on the grid of the maps: what is compared with the threshold.
    #[must_use]
    pub fn map(&self, maps: &[f32], tokens: &[usize]) -> Vec<f32> {
        spread(&sum_of(maps, tokens, self.grid.0 * self.grid.1), self.grid)
    }

    /// A map on a grid, on the latent's.
    fn enlarged(&self, map: &[f32], (gh, gw): (usize, usize)) -> Vec<f32> {
        let (h, w) = self.latent;
        let mut large = Vec::with_capacity(h * w);
        for y in 0..h {
            for x in 0..w {
                large.push(map[(y * gh / h) * gw + x * gw / w]);
            }
        }
        large
    }

    /// Where a map on the grid of the maps exceeds a share of its maximum, on the latent's grid.
    #[must_use]
    pub fn above(&self, map: &[f32], k: f64) -> Mask {
        let large = self.enlarged(map, self.grid);
        let max = large.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        large.iter().map(|v| u8::from(v / max > k as f32)).collect()
    }

    /// Where words' map, as it is and not enlarged, exceeds a threshold; nowhere without words.
    fn above_of(&self, maps: &[f32], tokens: &[usize], k: f64) -> Mask {
        if tokens.is_empty() {
            return vec![0; self.latent.0 * self.latent.1];
        }
        self.above(&sum_of(maps, tokens, self.grid.0 * self.grid.1), k)
    }

    /// One side's mask.
    fn side(&self, maps: &[f32], words: &MaskWords) -> Mask {
        if words.within.is_empty() {
            return vec![0; self.latent.0 * self.latent.1];
        }
        self.above(&self.map(maps, &words.within), self.k)
    }

    /// The union of both sides' masks, less the union of what both take out.
    fn joined(&self, [a, b]: [Mask; 2], source: (&[f32], &MaskWords), target: (&[f32], &MaskWords)) -> Mask {
        let [a_out, b_out] =
            [source, target].map(|(maps, words)| self.above_of(maps, &words.without, self.substruct_k));
        (0..a.len()).map(|i| (a[i] | b[i]) & !(a_out[i] | b_out[i]) & 1).collect()
    }

    /// The union of both sides' masks, less the union of what both take out.
    #[must_use]
    pub fn mask(&self, source: (&[f32], &MaskWords), target: (&[f32], &MaskWords)) -> Mask {
        self.joined([source, target].map(|(maps, words)| self.side(maps, words)), source, target)
    }

    /// The mask where something else than the source's maps says where its words were: the union of that and of where the target's
    /// own map exceeds the threshold, as it is and not enlarged, less what both take out.
    #[must_use]
    pub fn mask_beside(&self, places: &WordPlaces, source: (&[f32], &MaskWords), target: (&[f32], &MaskWords)) -> Mask {
        let was = |share: f32| !source.1.within.is_empty() && f64::from(share) > self.k;
        let was = self.enlarged(&places.shares, places.grid).into_iter().map(|share| u8::from(was(share))).collect();
        let will = self.above_of(target.0, &target.1.within, self.k);
        self.joined([was, will], source, target)
    }
}

/// What a run is blended with: everything of the parent that a mask and its outside need.
#[derive(Debug, Clone)]
pub struct Parent {
    /// Its latents after each step, `[h, w, channels]`; the first is after step 0.
    pub latents: Arc<Vec<Tensor>>,
    /// Its word maps by step, `[keys, pixels]`.
    pub word_maps: Arc<Vec<Vec<f32>>>,
    /// Where the words were in its picture, where something else than its maps says that.
    pub places: Option<WordPlaces>,
}

/// Makes a mask at every step from the maps so far, and blends.
#[derive(Debug)]
pub struct ComputedBlend {
    rule: MaskRule,
    layers: MaskLayers,
    source: MaskWords,
    target: MaskWords,
    parent: Parent,
    /// First step that is blended.
    start: usize,
    arithmetic: BlendArithmetic,
    source_sum: Vec<f32>,
    target_sum: Vec<f32>,
    target_now: Vec<f32>,
    /// The run's own maps by step, `[keys, pixels]`, as masks are made of them.
    targets: Vec<Vec<f32>>,
    masks: Vec<Option<Mask>>,
}

impl ComputedBlend {
    /// Blends from step `start` on with `parent`, where these words' maps say.
    #[must_use]
    pub fn new(
        rule: MaskRule,
        layers: MaskLayers,
        (source, target): (MaskWords, MaskWords),
        parent: Parent,
        start: usize,
        arithmetic: BlendArithmetic,
    ) -> Self {
        Self {
            rule,
            layers,
            source,
            target,
            parent,
            start,
            arithmetic,
            source_sum: Vec::new(),
            target_sum: Vec::new(),
            target_now: Vec::new(),
            targets: Vec::new(),
            masks: Vec::new(),
        }
    }

    /// The same blend after steps that had these maps and masks and need not be run again.
    #[must_use]
    pub fn after(mut self, targets: &[Vec<f32>], masks: &[Option<Mask>]) -> Self {
        for (step, target) in targets.iter().enumerate() {
            add(&mut self.source_sum, &self.parent.word_maps[step]);
            add(&mut self.target_sum, target);
            self.targets.push(target.clone());
            self.masks.push(masks.get(step).cloned().flatten());
        }
        self
    }

    /// The sums of both sides' maps so far: `[keys, pixels]` each.
    #[must_use]
    pub fn sums(&self) -> (&[f32], &[f32]) {
        (&self.source_sum, &self.target_sum)
    }
}

/// Takes up an ancestor's masks, and outside them the latents that lay outside there.
#[derive(Debug)]
pub struct InheritedBlend {
    /// The ancestor's masks, by step.
    pub masks: Vec<Option<Mask>>,
    /// The latents that lay outside them, after each step.
    pub outside: Arc<Vec<Tensor>>,
    /// The ancestor's arithmetic.
    pub arithmetic: BlendArithmetic,
}

/// Where a run may differ from what it is blended with.
#[derive(Debug)]
pub enum LocalBlend {
    /// Everywhere.
    Off,
    /// Where this run's and its parent's maps say.
    Computed(Box<ComputedBlend>),
    /// Where an ancestor's masks say.
    Inherited(InheritedBlend),
}

impl LocalBlend {
    /// The masks used, by step, `None` where nothing was blended; and the run's maps that they were made of.
    #[must_use]
    pub fn into_parts(self) -> (Vec<Option<Mask>>, Vec<Vec<f32>>) {
        match self {
            Self::Off => (Vec::new(), Vec::new()),
            Self::Computed(fresh) => (fresh.masks, fresh.targets),
            Self::Inherited(taken) => (taken.masks, Vec::new()),
        }
    }
}

/// The latent inside the mask, and what lies outside from `outside`.
///
/// # Shapes
/// - `latent`, `outside`: `[h, w, channels]`; `mask`: `h * w` bytes
///
/// # Errors
/// Fails if the shapes differ, or the device has no memory left.
pub fn compose(latent: &Tensor, outside: &Tensor, mask: &[u8], arithmetic: BlendArithmetic) -> Result<Tensor> {
    let (h, w, _) = latent.dims3()?;
    let inside = Tensor::from_slice(mask, (h, w, 1), latent.device())?;
    match arithmetic {
        BlendArithmetic::Select => inside.broadcast_as(latent.shape())?.where_cond(latent, outside),
        BlendArithmetic::Mix => outside + inside.to_dtype(latent.dtype())?.broadcast_mul(&(latent - outside)?)?,
    }
}

fn add(sum: &mut Vec<f32>, maps: &[f32]) {
    sum.resize(maps.len(), 0.0);
    for (total, value) in sum.iter_mut().zip(maps) {
        *total += value;
    }
}

impl AttentionControl for LocalBlend {
    fn watches(&self, site: Site) -> bool {
        matches!(self, Self::Computed(fresh) if fresh.layers.has(site))
    }

    fn attend_text(&mut self, _site: Site, probs: Tensor, v: Tensor) -> Result<(Tensor, Tensor)> {
        if let Self::Computed(fresh) = self {
            let count = fresh.layers.count as f32;
            add_word_map(&probs, 1.0 / count, &mut fresh.target_now)?;
        }
        Ok((probs, v))
    }

    fn after_step(&mut self, step: usize, latent: Tensor) -> Result<Tensor> {
        match self {
            Self::Off => Ok(latent),
            Self::Computed(fresh) => {
                add(&mut fresh.source_sum, &fresh.parent.word_maps[step]);
                let target = std::mem::take(&mut fresh.target_now);
                add(&mut fresh.target_sum, &target);
                fresh.targets.push(target);
                if step < fresh.start {
                    fresh.masks.push(None);
                    return Ok(latent);
                }
                let (source, target) = ((&*fresh.source_sum, &fresh.source), (&*fresh.target_sum, &fresh.target));
                let mask = match &fresh.parent.places {
                    None => fresh.rule.mask(source, target),
                    Some(places) => fresh.rule.mask_beside(places, source, target),
                };
                let blended = compose(&latent, &fresh.parent.latents[step], &mask, fresh.arithmetic);
                fresh.masks.push(Some(mask));
                blended
            }
            Self::Inherited(taken) => match taken.masks.get(step) {
                Some(Some(mask)) => compose(&latent, &taken.outside[step], mask, taken.arithmetic),
                _ => Ok(latent),
            },
        }
    }
}
