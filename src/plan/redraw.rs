//! Edits that draw a picture again from its noised self, other than by words alone: what is asked, and what a plan says.
//!
//! Such a run begins at a step of its own with the parent's picture under noise. It takes nothing of ancestors' maps, so
//! lineage begins anew with it: what is edited from it looks no further up.

use std::fmt;
use std::sync::Arc;

use super::area::Area;
use super::sampler::SamplerName;
use super::{Impossible, Recipe, Region};
use crate::turn::Replaced;

/// The most pictures under noise that a mask may be found with.
const MOST_MAPS: usize = 64;

/// How an edit is asked to be drawn.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum DrawnBy {
    /// By its words: ancestors' attention laid under the new ones.
    #[default]
    Words,
    /// The same, and only there may the picture change.
    Within(Area),
    /// From the noised picture.
    Redraw {
        /// By which method.
        method: RedrawMethod,
        /// Where the picture may change, for a method that must be told.
        area: Option<Area>,
        /// What its noise is drawn from; by itself, a number made of the tree's seed and the node's depth.
        seed: Option<u64>,
    },
}

impl DrawnBy {
    /// Where a person said that the picture may change.
    #[must_use]
    pub fn area(&self) -> Option<&Area> {
        match self {
            Self::Words => None,
            Self::Within(area) => Some(area),
            Self::Redraw { area, .. } => area.as_ref(),
        }
    }

    /// The same in another area; what has none stays as it is.
    #[must_use]
    pub fn in_area(self, other: Area) -> Self {
        match self {
            Self::Within(_) => Self::Within(other),
            Self::Redraw { method, area: Some(_), seed } => Self::Redraw { method, area: Some(other), seed },
            Self::Words | Self::Redraw { area: None, .. } => self,
        }
    }
}

/// A picture drawn again from the parent's, under noise.
#[derive(Debug, Clone, PartialEq)]
pub struct Redraw {
    /// Word ranges that were replaced; the rest is kept.
    pub spans: Vec<Replaced>,
    /// Token positions of the prompt.
    pub tokens: usize,
    /// Where the picture may change.
    pub region: Region,
    /// What its noise is drawn from.
    pub seed: u64,
    /// By which method.
    pub method: RedrawMethod,
}

/// By which method a picture is drawn again.
#[derive(Debug, Clone, PartialEq)]
pub enum RedrawMethod {
    /// SDEdit (Meng et al. 2022): under noise, and drawn from there.
    SdEdit {
        /// Share of the steps that are made.
        strength: f64,
        /// What is laid on the picture before.
        patch: Option<Patch>,
    },
    /// Blended Latent Diffusion (Avrahami et al. 2023): outside the region the noised picture after every step.
    BlendedDiffusion {
        /// Share of the steps that are made; with 1, nothing of what was inside is left.
        strength: f64,
    },
    /// `MagicMix` (Liew et al. 2022): while the layout forms, what is read is mixed with the noised picture.
    MagicMix {
        /// Share of the steps, from the end, that are no longer mixed.
        kmin: f64,
        /// Share of the steps, from the end, that are made at all.
        kmax: f64,
        /// Share of what is being drawn in the mixture; 1 is no mixing.
        nu: f64,
    },
    /// `DiffEdit` (Couairon et al. 2023): where estimates of the noise under both prompts differ, from the inverted picture.
    DiffEdit {
        /// Share of the steps that are inverted and made again.
        strength: f64,
        /// Share of the steps, from the end, at whose first level estimates are compared.
        mask_strength: f64,
        /// The mask is where the difference is more than half this many times its mean.
        ratio: f64,
        /// Pictures under noise whose estimates are compared.
        maps: usize,
    },
    /// Imagic (Kawar et al. 2023): the words' embedding and then the model are tuned on the picture; drawn from noise by that model,
    /// reading what lies between.
    Imagic {
        /// How far from the embedding that was found, at 0, to the words' own, at 1, and beyond.
        strength: f64,
        /// Steps of the embedding, and their learning rate.
        embedding: Tuning,
        /// Steps of the model, and their learning rate.
        model: Tuning,
    },
    /// `UniTune` (Valevski et al. 2023): the model is tuned on the picture under a rare word; drawn by that model from the noised
    /// picture.
    UniTune {
        /// Share of the steps that are made.
        strength: f64,
        /// The rare word, which stands first in the prompt.
        rare: String,
        /// Steps of the model, and their learning rate.
        model: Tuning,
    },
}

/// How something is tuned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tuning {
    /// Steps.
    pub steps: usize,
    /// The learning rate.
    pub rate: f64,
}

impl Tuning {
    /// How a picture is learned where nothing is set: the embedding and the model. Models as wide as Stable Diffusion's are learned as
    /// Kawar et al. have it for that (their appendix), small ones as was tried with the embedded model.
    #[must_use]
    pub fn usual(is_full_size: bool) -> [Self; 2] {
        let [embedding, model] = if is_full_size { [(1000, 2e-3), (1500, 5e-7)] } else { [(20, 5e-3), (40, 1e-4)] };
        [embedding, model].map(|(steps, rate)| Self { steps, rate })
    }
}

/// The word under which a picture is learned where nothing is set: it means nothing to a model.
pub const RARE_WORD: &str = "sks";

/// The most steps that a model is tuned for.
pub const MOST_TUNING_STEPS: usize = 100_000;

/// How far beyond the words `Imagic` may go.
const MOST_ALPHA: f64 = 2.0;

/// The longest rare word, in bytes.
const LONGEST_RARE: usize = 40;

impl Tuning {
    fn check(self, least: usize) -> bool {
        let Self { steps, rate } = self;
        (least..=MOST_TUNING_STEPS).contains(&steps) && rate > 0.0 && rate <= 1.0
    }
}

/// So many of `steps` steps are a share of them: at least one of a share that is not 0.
#[must_use]
pub fn steps_in(share: f64, steps: usize) -> usize {
    let count = ((steps as f64 * share).round() as usize).min(steps);
    if share > 0.0 { count.max(1) } else { 0 }
}

/// What the noise of a node is drawn from that nobody gave a seed for: 32 bits, so that it can be typed.
#[must_use]
pub fn seed_at(tree: u64, depth: usize) -> u64 {
    let mut z = tree.wrapping_add(0x9E37_79B9_7F4A_7C15u64.wrapping_mul(depth as u64 + 1));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z ^ (z >> 31)) >> 32
}

impl RedrawMethod {
    /// `DiffEdit` as published: ten noised pictures at half of the noise, three times the mean, and its usual strength.
    pub const DIFFEDIT: Self = Self::DiffEdit { strength: 0.8, mask_strength: 0.5, ratio: 3.0, maps: 10 };

    /// The command that asks for it.
    #[must_use]
    pub fn command(&self) -> &'static str {
        match self {
            Self::SdEdit { .. } => "sdedit",
            Self::BlendedDiffusion { .. } => "paint",
            Self::MagicMix { .. } => "mix",
            Self::DiffEdit { .. } => "diffedit",
            Self::Imagic { .. } => "imagic",
            Self::UniTune { .. } => "unitune",
        }
    }

    /// Steps in which a model is tuned on the picture before; 0 where none is.
    #[must_use]
    pub fn tuning_steps(&self) -> usize {
        match self {
            Self::Imagic { embedding, model, .. } => embedding.steps + model.steps,
            Self::UniTune { model, .. } => model.steps,
            Self::SdEdit { .. } | Self::BlendedDiffusion { .. } | Self::MagicMix { .. } | Self::DiffEdit { .. } => 0,
        }
    }

    /// Share of the steps that are made.
    #[must_use]
    pub fn share(&self) -> f64 {
        match self {
            Self::SdEdit { strength, .. } | Self::BlendedDiffusion { strength } | Self::DiffEdit { strength, .. } => {
                *strength
            }
            Self::UniTune { strength, .. } => *strength,
            Self::MagicMix { kmax, .. } => *kmax,
            Self::Imagic { .. } => 1.0,
        }
    }

    /// The first step that is made, of a run of `steps`.
    #[must_use]
    pub fn first(&self, steps: usize) -> usize {
        steps - steps_in(self.share(), steps)
    }

    /// Samples through the UNet besides the run's steps.
    #[must_use]
    pub fn more_evaluations(&self, steps: usize) -> u64 {
        match self {
            Self::DiffEdit { maps, .. } => (2 * maps + steps - self.first(steps)) as u64,
            Self::SdEdit { .. } | Self::BlendedDiffusion { .. } | Self::MagicMix { .. } => 0,
            Self::Imagic { .. } | Self::UniTune { .. } => 0,
        }
    }

    /// Why it cannot be drawn with a sampler; `None` if it can.
    #[must_use]
    pub fn refused_by(&self, sampler: SamplerName, steps: usize) -> Option<String> {
        let command = self.command();
        match (self, sampler) {
            (Self::DiffEdit { .. }, SamplerName::Ddim | SamplerName::Dpm) => None,
            (Self::DiffEdit { .. }, other) => Some(format!(
                "`/diffedit` goes back to noise by the steps of `ddim` or `dpm`, but this tree is drawn with `{other}`"
            )),
            (_, SamplerName::Plms) if self.first(steps) > 0 => Some(format!(
                "`/{command}` begins at a later step, but `plms`, which draws this tree, looks back at the steps before"
            )),
            _ => None,
        }
    }

    fn check(&self, region: &Region) -> Result<(), Impossible> {
        let wrong = |why: &str| Err(Impossible(why.to_owned()));
        let some = |share: f64| share > 0.0 && share <= 1.0;
        let whole = |share: f64| (0.0..=1.0).contains(&share);
        let is_right_region = match self {
            Self::SdEdit { .. } | Self::MagicMix { .. } | Self::Imagic { .. } | Self::UniTune { .. } => {
                *region == Region::Everywhere
            }
            Self::BlendedDiffusion { .. } => matches!(region, Region::Given(_)),
            Self::DiffEdit { .. } => *region == Region::Difference,
        };
        if !is_right_region {
            return wrong("its region is not one of its method");
        }
        match self {
            Self::SdEdit { strength, .. } | Self::BlendedDiffusion { strength } if !some(*strength) => {
                wrong("its strength is out of range")
            }
            Self::SdEdit { patch: Some(patch), .. } => patch.check(),
            Self::SdEdit { .. } | Self::BlendedDiffusion { .. } => Ok(()),
            Self::MagicMix { kmin, kmax, nu } if !some(*kmax) || !whole(*kmin) || !whole(*nu) || kmin > kmax => {
                wrong("its mixing is out of range")
            }
            Self::MagicMix { .. } => Ok(()),
            Self::DiffEdit { strength, mask_strength, ratio, maps } => {
                let is_right = some(*strength) && some(*mask_strength) && (1..=MOST_MAPS).contains(maps);
                if is_right && *ratio > 0.0 && *ratio <= 100.0 { Ok(()) } else { wrong("its mask is out of range") }
            }
            Self::Imagic { strength, embedding, model } => {
                if !(0.0..=MOST_ALPHA).contains(strength) {
                    return wrong("its strength is out of range");
                }
                if embedding.check(0) && model.check(1) { Ok(()) } else { wrong("its tuning is out of range") }
            }
            Self::UniTune { strength, rare, model } => {
                if !some(*strength) {
                    return wrong("its strength is out of range");
                }
                let is_word = crate::turn::words::split(rare).len() == 1 && rare.trim() == rare;
                if !is_word || rare.len() > LONGEST_RARE {
                    return wrong("its rare word is none");
                }
                if model.check(1) { Ok(()) } else { wrong("its tuning is out of range") }
            }
        }
    }
}

/// The command and its numbers: `sdedit 0.6`.
impl fmt::Display for RedrawMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.command())?;
        match self {
            Self::SdEdit { strength, patch } => {
                write!(f, " {strength}")?;
                if patch.is_some() { f.write_str(" with a patch") } else { Ok(()) }
            }
            Self::BlendedDiffusion { strength } if *strength == 1.0 => Ok(()),
            Self::BlendedDiffusion { strength } | Self::DiffEdit { strength, .. } => write!(f, " {strength}"),
            Self::MagicMix { kmin, kmax, nu } => write!(f, " {kmin} {kmax} {nu}"),
            Self::Imagic { strength, .. } | Self::UniTune { strength, .. } => write!(f, " {strength}"),
        }
    }
}

impl Redraw {
    pub(super) fn check(&self, tokens: usize) -> Result<(), Impossible> {
        if let Region::Given(area) = &self.region {
            area.check(tokens)?;
        }
        self.method.check(&self.region)
    }

    pub(super) fn fits(&self, recipe: &Recipe) -> Result<(), Impossible> {
        if let RedrawMethod::SdEdit { patch: Some(patch), .. } = &self.method {
            patch.fits(recipe)?;
        }
        self.method.refused_by(recipe.scheduler, recipe.steps).map_or(Ok(()), |why| Err(Impossible(why)))
    }
}

/// A small picture laid on another.
#[derive(Clone, PartialEq, Eq)]
pub struct Patch {
    /// Pixels left of it.
    pub x: usize,
    /// Pixels above it.
    pub y: usize,
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// Red, green, blue and opacity of each pixel, row by row.
    pub rgba: Arc<[u8]>,
}

impl fmt::Debug for Patch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { x, y, width, height, rgba: _ } = self;
        write!(f, "Patch({x},{y} {width}x{height} {})", &self.digest()[..8])
    }
}

impl Patch {
    /// Digest of its size and pixels: 64 hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = blake3::Hasher::new();
        hash.update(&(self.width as u64).to_le_bytes());
        hash.update(&self.rgba);
        hash.finalize().to_hex().to_string()
    }

    fn check(&self) -> Result<(), Impossible> {
        let count = self.width.checked_mul(self.height).and_then(|pixels| pixels.checked_mul(4));
        if self.rgba.is_empty() || count != Some(self.rgba.len()) {
            return Err(Impossible("its patch is no picture".to_owned()));
        }
        Ok(())
    }

    fn fits(&self, recipe: &Recipe) -> Result<(), Impossible> {
        let inside = |from: usize, length: usize, all: usize| from.checked_add(length).is_some_and(|end| end <= all);
        if inside(self.x, self.width, recipe.width) && inside(self.y, self.height, recipe.height) {
            return Ok(());
        }
        let Self { x, y, width, height, .. } = self;
        let (across, down) = (recipe.width, recipe.height);
        Err(Impossible(format!(
            "a patch of {width}x{height} at {x},{y} reaches beyond the {across}x{down} of the picture"
        )))
    }

    /// Lays it on a picture that it lies within: `bytes` are red, green and blue of each pixel, `across` of them a row.
    pub fn lay_on(&self, bytes: &mut [u8], across: usize) {
        for (row, pixels) in self.rgba.chunks_exact(4 * self.width).enumerate() {
            for (column, pixel) in pixels.chunks_exact(4).enumerate() {
                let at = 3 * ((self.y + row) * across + self.x + column);
                let opacity = u32::from(pixel[3]);
                for (under, over) in bytes[at..at + 3].iter_mut().zip(pixel) {
                    let sum = u32::from(*over) * opacity + u32::from(*under) * (255 - opacity);
                    *under = ((sum + 127) / 255) as u8;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_that_is_not_nothing_is_at_least_one_step() {
        let made: Vec<usize> = [0.0, 0.01, 0.5, 0.58, 1.0].map(|share| steps_in(share, 50)).into();
        assert_eq!(made, [0, 1, 25, 29, 50]);
        assert_eq!(steps_in(0.001, 4), 1);
        assert_eq!(RedrawMethod::SdEdit { strength: 0.5, patch: None }.first(7), 3);
    }

    #[test]
    fn noise_of_neighbouring_nodes_and_seeds_is_not_the_same() {
        let mut all: Vec<u64> = (0..20).flat_map(|tree| (0..20).map(move |depth| seed_at(tree, depth))).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 400);
    }

    #[test]
    fn a_patch_covers_its_place_as_far_as_it_is_opaque() {
        let rgba = [200, 100, 0, 255, 200, 100, 0, 0, 200, 100, 0, 51].into();
        let patch = Patch { x: 1, y: 1, width: 3, height: 1, rgba };
        let mut bytes = vec![10; 3 * 4 * 2];
        patch.lay_on(&mut bytes, 4);
        assert_eq!(bytes[..15], [10; 15]);
        assert_eq!(bytes[15..], [200, 100, 0, 10, 10, 10, 48, 28, 8]);
    }

    #[test]
    fn what_a_sampler_cannot_serve_is_refused_by_its_name() {
        let part = RedrawMethod::SdEdit { strength: 0.5, patch: None };
        let whole = RedrawMethod::SdEdit { strength: 1.0, patch: None };
        let inverts = RedrawMethod::DiffEdit { strength: 1.0, mask_strength: 0.5, ratio: 3.0, maps: 1 };
        for sampler in SamplerName::all() {
            let says = |method: &RedrawMethod| method.refused_by(sampler, 10);
            assert_eq!(says(&part).is_some(), sampler == SamplerName::Plms);
            assert_eq!(says(&whole), None);
            assert_eq!(says(&inverts).is_some(), ![SamplerName::Ddim, SamplerName::Dpm].contains(&sampler));
            assert!(says(&inverts).is_none_or(|why| why.contains(&format!("`{sampler}`"))));
        }
    }
}
