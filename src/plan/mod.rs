//! Turns an edit into numbers.
//!
//! A [`Plan`] answers three questions before any tensor exists: which ancestor's token feeds which target token
//! ([`lineage`], and [`align`] as published), during which steps ([`window`]), and how strongly; and where the picture
//! may change ([`Region`]). [`resolve`](resolve::resolve) makes one from an edit.
//!
//! Nothing here touches a device or a file. The engine reads a plan; it never asks for another.

pub mod align;
pub mod lineage;
pub mod resolve;
pub mod sampler;
pub mod settings;
pub mod window;

use serde::{Deserialize, Serialize};

use crate::turn::Replaced;
use sampler::SamplerName;
use settings::{Precision, TurnSettings};

/// What is fixed at the root of a tree: with it and the prompts, every picture of the tree can be drawn again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

/// Where a tree's first latent comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Noise drawn from the seed.
    Noise,
    /// A picture, inverted by DDIM.
    Picture {
        /// Digest of the picture's pixels.
        digest: String,
        /// How it was inverted.
        method: String,
    },
}

/// Where a token's column of a cross-attention map comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Column {
    /// The run itself.
    Own,
    /// The sum of an ancestor's columns, each times a share; an empty list is a column of zeros.
    From {
        /// Generations up: 1 is the parent.
        up: usize,
        /// Token position in that ancestor, and its share.
        tokens: Vec<(usize, f32)>,
    },
}

/// What decides where a picture may change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
}

/// An edit, resolved: with the recipe and the ancestors, all that decides what is drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The whole new prompt.
    pub prompt: String,
    /// Word ranges that were replaced (indices of [`words::split`](crate::turn::words::split)); the rest is kept.
    pub spans: Vec<Replaced>,
    /// One absolute weight per word of the prompt.
    pub weights: Vec<f64>,
    /// One source per token position of the prompt.
    pub columns: Vec<Column>,
    /// Every per-turn setting, spelled out.
    pub settings: TurnSettings,
    /// Where the picture may change.
    pub region: Region,
}
