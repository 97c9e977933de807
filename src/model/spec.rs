//! What a model's configuration files say.
//!
//! Every key that changes results is read and obeyed. A key whose value asks for something that is not built here is an
//! error that names the key, never a guess.

use std::borrow::Cow;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{ModelSource, PLAIN, is_guided};
use crate::plan::sampler::SamplerName;

mod clip;
mod clipseg;
mod parts;
mod scheduler;
mod text;
mod unet;
mod vae;

pub use clip::ClipSpec;
pub use clipseg::{ClipSegSpec, PixelSpec, VisionSpec};
pub use parts::{PartsSpec, network_kind};
pub use scheduler::{Betas, PredictionType, SchedulerSpec, Spacing};
pub use text::{TextFamily, TextSpec};
pub use unet::{Middle, UnetSpec};
pub use vae::{FullVaeSpec, TinyVaeSpec, VaeKind, VaeSpec};

/// A configuration file, with its name for messages.
struct Config<'a> {
    path: Cow<'a, str>,
    value: Value,
}

impl<'a> Config<'a> {
    fn read(source: &dyn ModelSource, path: &'a str) -> Result<Self> {
        let value = serde_json::from_str(&source.text(path)?).with_context(|| format!("cannot read {path}"))?;
        Ok(Self { path: path.into(), value })
    }

    /// An object in the file; empty if it is not there.
    fn within(&self, key: &str) -> Result<Config<'static>> {
        let value = self.get(key).cloned().unwrap_or_else(|| Value::Object(serde_json::Map::new()));
        if !value.is_object() {
            bail!("`{key}` of {} is {value}, expected an object", self.path);
        }
        Ok(Config { path: format!("`{key}` of {}", self.path).into(), value })
    }

    fn get(&self, key: &str) -> Option<&Value> {
        self.value.get(key).filter(|v| !v.is_null())
    }

    fn usize(&self, key: &str, default: Option<usize>) -> Result<usize> {
        match (self.get(key), default) {
            (Some(v), _) => self.as_usize(key, v),
            (None, Some(default)) => Ok(default),
            (None, None) => bail!("{} lacks `{key}`", self.path),
        }
    }

    fn as_usize(&self, key: &str, value: &Value) -> Result<usize> {
        let number = value.as_u64().filter(|n| (1..=1 << 24).contains(n));
        Ok(number.with_context(|| format!("`{key}` of {} is {value}, expected a positive whole number", self.path))?
            as usize)
    }

    /// A number that may be 0.
    fn index(&self, key: &str, default: usize) -> Result<usize> {
        self.get(key).map_or(Ok(default), |v| self.as_index(key, v))
    }

    fn as_index(&self, key: &str, value: &Value) -> Result<usize> {
        let number = value.as_u64().filter(|n| *n <= 1 << 24);
        let number = number.with_context(|| format!("`{key}` of {} is {value}, expected a whole number", self.path))?;
        Ok(number as usize)
    }

    fn f64(&self, key: &str, default: f64) -> Result<f64> {
        self.get(key).map_or(Ok(default), |v| {
            v.as_f64().with_context(|| format!("`{key}` of {} is {v}, expected a number", self.path))
        })
    }

    fn bool(&self, key: &str, default: bool) -> Result<bool> {
        self.get(key).map_or(Ok(default), |v| {
            v.as_bool().with_context(|| format!("`{key}` of {} is {v}, expected true or false", self.path))
        })
    }

    fn str(&self, key: &str, default: &str) -> Result<String> {
        self.get(key).map_or_else(
            || Ok(default.to_owned()),
            |v| {
                let text = v.as_str().with_context(|| format!("`{key}` of {} is {v}, expected text", self.path))?;
                Ok(text.to_owned())
            },
        )
    }

    fn list(&self, key: &str) -> Result<&Vec<Value>> {
        self.get(key).and_then(Value::as_array).with_context(|| format!("{} lacks the list `{key}`", self.path))
    }

    /// One number per level: a list of that length, or one number for all.
    fn per_level(&self, key: &str, levels: usize, default: Option<usize>) -> Result<Vec<usize>> {
        match self.get(key) {
            Some(Value::Array(list)) => {
                let numbers: Vec<usize> = list.iter().map(|v| self.as_usize(key, v)).collect::<Result<_>>()?;
                if numbers.len() != levels {
                    bail!("`{key}` of {} has {} numbers for {levels} levels", self.path, numbers.len());
                }
                Ok(numbers)
            }
            _ => Ok(vec![self.usize(key, default)?; levels]),
        }
    }

    /// Refuses every value of a key but the ones that mean what is built here.
    fn only(&self, key: &str, allowed: &[Value]) -> Result<()> {
        match self.get(key) {
            Some(value) if !allowed.contains(value) => {
                bail!("{} asks for `{key}`: {value}, which is not built here", self.path)
            }
            _ => Ok(()),
        }
    }
}

/// More levels than any model has: each halves the picture.
const MOST_LEVELS: usize = 8;

/// An activation function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// x * sigmoid(x)
    Silu,
    /// Exact, with the error function.
    Gelu,
    /// x * sigmoid(1.702 x)
    QuickGelu,
    /// max(x, 0)
    Relu,
}

impl Act {
    fn read(config: &Config<'_>, key: &str, default: &str) -> Result<Self> {
        Ok(match config.str(key, default)?.as_str() {
            "silu" | "swish" => Self::Silu,
            "gelu" => Self::Gelu,
            "quick_gelu" => Self::QuickGelu,
            "relu" => Self::Relu,
            other => bail!("{} asks for `{key}`: \"{other}\", which is not built here", config.path),
        })
    }
}

/// What an `unet/` and its neighbours make together.
#[derive(Debug, Clone)]
pub struct ModelSpec {
    /// The UNet.
    pub unet: UnetSpec,
    /// The autoencoder.
    pub vae: VaeSpec,
    /// Folders of the text encoder and the autoencoder.
    pub parts: (&'static str, &'static str),
    /// The text encoder.
    pub text: TextSpec,
    /// The second text encoder of SDXL-style models.
    pub text_2: Option<TextSpec>,
    /// The sampler.
    pub scheduler: SchedulerSpec,
    /// Whether an empty prompt is all zeros (SDXL) instead of an encoded empty text.
    pub empty_is_zeros: bool,
}

/// How a model is usually run, where nothing is set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usual {
    /// The sampler.
    pub sampler: SamplerName,
    /// Steps.
    pub steps: usize,
    /// Guidance; 1 is off.
    pub guidance: f64,
    /// Whether it was made to draw in few steps.
    pub few_steps: bool,
}

impl Usual {
    /// How the model in the program is run: its adapter stands for guidance.
    pub const EMBEDDED: Self = Self { sampler: SamplerName::Dpm, steps: 8, guidance: 1.0, few_steps: false };
    /// How it is run without its adapter.
    pub const EMBEDDED_PLAIN: Self = Self { steps: 12, guidance: 4.5, ..Self::EMBEDDED };

    /// How a model that is called `below`, without what is laid over it, is run; none if its files say.
    #[must_use]
    pub fn of_embedded(below: &str) -> Option<Self> {
        match below {
            _ if is_guided(below) => Some(Self::EMBEDDED),
            PLAIN => Some(Self::EMBEDDED_PLAIN),
            _ => None,
        }
    }
}

impl ModelSpec {
    /// What a model of this kind is called, in a few words.
    #[must_use]
    pub fn family(&self) -> &'static str {
        let is_small = self.unet.middle == Middle::None || self.unet.layers.iter().all(|n| *n == 1);
        let few_steps = self.usual().few_steps;
        match self.unet.context {
            _ if self.parts.0 == "bert" => "LDM, text to image",
            _ if self.text_2.is_some() => {
                if few_steps {
                    "Stable Diffusion XL, few steps"
                } else {
                    "Stable Diffusion XL"
                }
            }
            _ if self.unet.guidance_embedding.is_some() => "latent consistency",
            _ if self.unet.only_cross.contains(&true) => "SDXS",
            _ if is_small && few_steps => "SDXS",
            768 if is_small => "small Stable Diffusion 1",
            1024 if is_small => "small Stable Diffusion 2",
            768 => {
                if few_steps {
                    "Stable Diffusion 1, few steps"
                } else {
                    "Stable Diffusion 1"
                }
            }
            1024 => {
                if few_steps {
                    "SD-Turbo"
                } else {
                    "Stable Diffusion 2"
                }
            }
            _ => "a kind of its own",
        }
    }

    /// How a model of this kind is usually run: those that were made for few steps say so by their scheduler.
    #[must_use]
    pub fn usual(&self) -> Usual {
        let few = |sampler, steps, guidance| Usual { sampler, steps, guidance, few_steps: true };
        let is_tiny = matches!(self.vae.kind, VaeKind::Tiny(_)) || self.unet.only_cross.contains(&true);
        match SamplerName::of_class(&self.scheduler.class) {
            _ if self.unet.guidance_embedding.is_some() => few(SamplerName::Lcm, 4, 8.0),
            Some(sampler @ (SamplerName::Lcm | SamplerName::Tcd)) => few(sampler, 4, 1.0),
            Some(sampler @ (SamplerName::Euler | SamplerName::EulerAncestral))
                if self.scheduler.spacing == Some(Spacing::Trailing) && !self.scheduler.zero_snr =>
            {
                few(sampler, if is_tiny { 1 } else { 4 }, 1.0)
            }
            _ => Usual { sampler: SamplerName::Ddim, steps: 50, guidance: 7.5, few_steps: false },
        }
    }

    /// Width and height of the pictures that it was trained on.
    #[must_use]
    pub fn usual_size(&self) -> (usize, usize) {
        let side = self.unet.sample_size * self.vae.factor();
        (side, side)
    }

    /// Reads all configuration files and checks that they fit together.
    ///
    /// # Errors
    /// Fails if one is missing, asks for something that is not built here, or contradicts another.
    pub fn read(source: &dyn ModelSource) -> Result<Self> {
        let index = source.text_if_there("model_index.json")?.unwrap_or_else(|| "{}".to_owned());
        let index: Value = serde_json::from_str(&index).context("cannot read model_index.json")?;
        // The forerunner of Stable Diffusion names its folders otherwise.
        let is_there = |part: &str| index.get(part).is_some_and(|v| v.get(0).is_some_and(|v| !v.is_null()));
        let two = is_there("text_encoder_2");
        let parts = if is_there("bert") { ("bert", "vqvae") } else { ("text_encoder", "vae") };
        let mut scheduler = SchedulerSpec::read(source)?;
        let class = index.get("_class_name").and_then(Value::as_str).unwrap_or("StableDiffusionPipeline");
        if class.starts_with("StableDiffusion") && !two {
            scheduler.correct_for_stable_diffusion();
        }
        let spec = Self {
            unet: UnetSpec::read(source)?,
            vae: VaeSpec::read(source, parts.1)?,
            text: TextSpec::read(source, parts.0)?,
            parts,
            text_2: if two { Some(TextSpec::read(source, "text_encoder_2")?) } else { None },
            scheduler,
            empty_is_zeros: index.get("force_zeros_for_empty_prompt").and_then(Value::as_bool).unwrap_or(two),
        };
        let width = spec.text.width + spec.text_2.as_ref().map_or(0, |t| t.width);
        if width != spec.unet.context {
            bail!(
                "unet/config.json asks for `cross_attention_dim`: {}, but the text encoders give {width}",
                spec.unet.context
            );
        }
        if spec.vae.latent_channels != spec.unet.in_channels {
            bail!(
                "unet/config.json takes {} channels, but {}/config.json has `latent_channels`: {}",
                spec.unet.in_channels,
                parts.1,
                spec.vae.latent_channels
            );
        }
        if spec.unet.added.is_some() != spec.text_2.is_some() {
            bail!("unet/config.json asks for `addition_embed_type`, which goes together with a second text encoder");
        }
        Ok(spec)
    }
}
