//! Turns an edit into numbers.
//!
//! A [`Plan`] answers three questions before any tensor exists: which ancestor's token feeds which target token
//! ([`lineage`], and [`align`] as published), during which steps ([`window`]), and how strongly; and where the picture
//! may change ([`Region`]). [`resolve`](resolve::resolve) makes one from an edit; [`Plan::new`] is the only door, whoever comes.
//!
//! Nothing here touches a device or a file. The engine reads a plan; it never asks for another.

pub mod align;
pub mod area;
mod check;
mod columns;
pub mod device;
pub mod inversion;
pub mod lineage;
pub mod photograph;
pub mod redraw;
pub mod resolve;
pub mod sampler;
pub mod settings;
pub mod window;

use std::sync::Arc;

use crate::turn::Replaced;
use area::Area;
use inversion::InversionName;
use photograph::Photograph;
use redraw::Redraw;
use sampler::SamplerName;
use settings::{Precision, TurnSettings};

pub use check::{Above, Impossible, LONGEST_PROMPT, MOST_TOKENS};
pub use columns::{Column, Columns, Stretch};

/// What is fixed at the root of a tree: with it and the prompts, every picture of the tree can be drawn again.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// What the model is called for people: `embedded`, a folder, or `owner/name@revision`.
    pub model: String,
    /// Digest of the model's weights and configuration, 64 hexadecimal digits.
    pub model_digest: String,
    /// What the noise is drawn from.
    pub seed: u64,
    /// Denoising steps.
    pub steps: usize,
    /// How far to push from the empty prompt towards the written one: `empty + g * (written - empty)`; 1 is off.
    pub guidance: f64,
    /// Whether the model reads how far words push, instead of being pushed: then there is no unconditional half.
    pub embeds_guidance: bool,
    /// Picture width in pixels.
    pub width: usize,
    /// Picture height in pixels.
    pub height: usize,
    /// The text of the unconditional half, "" by default.
    pub negative: String,
    /// The sampler.
    pub scheduler: SamplerName,
    /// Arithmetic of the networks.
    pub precision: Precision,
    /// Rounding of carried maps.
    pub map_precision: Precision,
    /// Where the first latent comes from.
    pub origin: Origin,
}

impl Recipe {
    /// The photograph that the tree grew from, and how it was inverted; `None` where it grew from noise.
    #[must_use]
    pub fn photograph(&self) -> Option<(&Arc<Photograph>, InversionName)> {
        match &self.origin {
            Origin::Noise => None,
            Origin::Photograph { picture, inversion } => Some((picture, *inversion)),
        }
    }

    /// The photograph, and the inversion that is computed for it. Without guidance nothing reads the empty text, so there is nothing
    /// for `null-text` to optimise: it is `ddim` then.
    #[must_use]
    pub fn computed_inversion(&self) -> Option<(&Arc<Photograph>, InversionName)> {
        self.photograph().map(|(photograph, name)| match name {
            InversionName::NullText if self.guidance == 1.0 => (photograph, InversionName::Ddim),
            name => (photograph, name),
        })
    }

    /// Latents that come about when the first picture of a tree of this recipe is made: those of its run, and before them
    /// those of an inversion.
    #[must_use]
    pub fn latents_of_root(&self) -> usize {
        let inverted = self.computed_inversion().map_or(0, |(_, inversion)| inversion.latents(self.steps));
        inverted + self.steps
    }

    /// Whether a picture can have such a recipe.
    ///
    /// # Errors
    /// Fails if a number is out of its range.
    pub fn check(&self) -> Result<(), Impossible> {
        check::recipe(self)
    }
}

/// Where a tree's first latent comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Noise drawn from the seed.
    Noise,
    /// A picture, inverted.
    Photograph {
        /// The picture, at the size of the tree's.
        picture: Arc<Photograph>,
        /// How it was inverted.
        inversion: InversionName,
    },
}

/// What decides where a picture may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Region {
    /// Everywhere: roots, `k` = 0, and turns whose masks are taken up from an ancestor that had none.
    Everywhere,
    /// Where these words' maps say.
    Words {
        /// Token positions in the parent's prompt.
        source: Vec<usize>,
        /// Token positions in the new prompt.
        target: Vec<usize>,
        /// Token positions in the parent's prompt that are taken out again.
        source_out: Vec<usize>,
        /// Token positions in the new prompt that are taken out again.
        target_out: Vec<usize>,
    },
    /// Where an ancestor's masks say, and outside them the latents that were outside them there.
    As {
        /// Generations up to the ancestor whose masks are taken up.
        up: usize,
    },
    /// Where a person said.
    Given(Area),
    /// Where estimates of the noise under the parent's prompt and the new one differ.
    Difference,
}

/// By which method a node's picture comes about.
///
/// A new one is a variant here, with its own `engine/edit/<method>.rs`; the compiler then names every place that must
/// know it: the check of plans, a node's id, its row in files, and the drawing.
#[derive(Debug, Clone, PartialEq)]
pub enum EditMethod {
    /// From the origin of the tree and the words alone: the first picture.
    Generate {
        /// Token positions of the prompt.
        tokens: usize,
    },
    /// From what the parent's run left, ancestors' attention under the new words (Hertz et al. 2022).
    PromptToPrompt(P2p),
    /// From the parent's picture under noise, at a step of its own.
    Redraw(Redraw),
}

/// A prompt-to-prompt edit of the parent.
#[derive(Debug, Clone, PartialEq)]
pub struct P2p {
    /// Word ranges that were replaced (indices of [`words::split`](crate::turn::words::split)); the rest is kept.
    pub spans: Vec<Replaced>,
    /// One source per token position of the prompt.
    pub columns: Columns,
    /// Where the picture may change.
    pub region: Region,
}

/// All that a plan says, before it is known whether it can be.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanParts {
    /// The whole new prompt.
    pub prompt: String,
    /// One absolute weight per word of the prompt.
    pub weights: Vec<f64>,
    /// Every per-turn setting, spelled out; nodes that say the same may share one.
    pub settings: Arc<TurnSettings>,
    /// How the picture comes about.
    pub method: EditMethod,
}

impl PlanParts {
    /// Word ranges that were replaced; none at a first picture.
    #[must_use]
    pub fn spans(&self) -> &[Replaced] {
        match &self.method {
            EditMethod::Generate { .. } => &[],
            EditMethod::PromptToPrompt(edit) => &edit.spans,
            EditMethod::Redraw(edit) => &edit.spans,
        }
    }

    /// One source per token position.
    #[must_use]
    pub fn columns(&self) -> Vec<Column> {
        match &self.method {
            EditMethod::Generate { tokens } | EditMethod::Redraw(Redraw { tokens, .. }) => vec![Column::Own; *tokens],
            EditMethod::PromptToPrompt(edit) => edit.columns.iter().collect(),
        }
    }

    /// Where the picture may change.
    #[must_use]
    pub fn region(&self) -> &Region {
        match &self.method {
            EditMethod::Generate { .. } => &Region::Everywhere,
            EditMethod::PromptToPrompt(edit) => &edit.region,
            EditMethod::Redraw(edit) => &edit.region,
        }
    }

    /// The redrawing, where it is one.
    #[must_use]
    pub fn redraw(&self) -> Option<&Redraw> {
        if let EditMethod::Redraw(redraw) = &self.method { Some(redraw) } else { None }
    }

    /// Whether its run goes on from its parent's: from the same first latent, with ancestors' maps. Where it does not, lineage
    /// begins anew.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        matches!(self.method, EditMethod::PromptToPrompt(_))
    }

    /// Token positions of the prompt.
    #[must_use]
    pub fn tokens(&self) -> usize {
        match &self.method {
            EditMethod::Generate { tokens } | EditMethod::Redraw(Redraw { tokens, .. }) => *tokens,
            EditMethod::PromptToPrompt(edit) => edit.columns.len(),
        }
    }
}

/// An edit, resolved: with the recipe and the ancestors, all that decides what is drawn. One that cannot be is no value.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan(PlanParts);

impl Plan {
    /// The plan that says this of a child of `above`, or of a first picture.
    ///
    /// # Errors
    /// Fails if it points to words, tokens or ancestors that are not there, or a number is out of its range.
    pub fn new(parts: PlanParts, above: Option<Above>) -> Result<Self, Impossible> {
        check::plan(&parts, above)?;
        Ok(Self(parts))
    }

    /// A plan that may be impossible, to test what guards against one.
    #[cfg(test)]
    pub(crate) fn unchecked(parts: PlanParts) -> Self {
        Self(parts)
    }

    /// Whether pictures of a recipe can have it.
    ///
    /// # Errors
    /// Fails if where it may change reaches beyond the picture, or the sampler cannot serve its method.
    pub fn fits(&self, recipe: &Recipe) -> Result<(), Impossible> {
        if let Region::Given(area) = self.region() {
            area.fits(recipe)?;
        }
        self.redraw().map_or(Ok(()), |redraw| redraw.fits(recipe))
    }

    /// What the plan of a child of this one needs to know, if this one has `ancestors` itself.
    #[must_use]
    pub fn above_child(&self, ancestors: usize) -> Above {
        Above { generations: ancestors + 1, words: self.weights.len(), tokens: self.tokens() }
    }
}

impl std::ops::Deref for Plan {
    type Target = PlanParts;

    fn deref(&self) -> &PlanParts {
        &self.0
    }
}
