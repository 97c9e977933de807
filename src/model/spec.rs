//! What a model's configuration files say.
//!
//! Every key that changes results is read and obeyed. A key whose value asks for something that is not built here is an
//! error that names the key, never a guess.

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::ModelSource;
use crate::plan::sampler::SamplerName;

mod scheduler;
mod vae;

pub use scheduler::{Betas, PredictionType, SchedulerSpec, Spacing};
pub use vae::{FullVaeSpec, TinyVaeSpec, VaeKind, VaeSpec};

/// A configuration file, with its name for messages.
struct Config<'a> {
    path: &'a str,
    value: Value,
}

impl<'a> Config<'a> {
    fn read(source: &dyn ModelSource, path: &'a str) -> Result<Self> {
        let value = serde_json::from_str(&source.text(path)?).with_context(|| format!("cannot read {path}"))?;
        Ok(Self { path, value })
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

/// What stands between a UNet's way down and its way up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Middle {
    /// Nothing.
    None,
    /// Two ResNet blocks.
    Plain,
    /// Two ResNet blocks, and attention between them.
    Attends,
}

/// The UNet.
#[derive(Debug, Clone)]
pub struct UnetSpec {
    /// Latent channels in.
    pub in_channels: usize,
    /// Channels out.
    pub out_channels: usize,
    /// Channels of each level, from the picture down.
    pub channels: Vec<usize>,
    /// ResNet blocks per level on the way down; one more on the way up.
    pub layers: Vec<usize>,
    /// Whether a level attends, on the way down.
    pub down_attends: Vec<bool>,
    /// Whether a level attends, on the way up (first entry: the lowest level).
    pub up_attends: Vec<bool>,
    /// What stands between the way down and the way up.
    pub middle: Middle,
    /// Levels whose first attention reads the text too, so that nothing there attends to the picture.
    pub only_cross: Vec<bool>,
    /// Width of the embedding of guidance, for models that read how far words push.
    pub guidance_embedding: Option<usize>,
    /// Heads per level.
    pub heads: Vec<usize>,
    /// Transformer blocks per attention, by level.
    pub depth: Vec<usize>,
    /// Width of the text embeddings.
    pub context: usize,
    /// Whether `proj_in` and `proj_out` are linear layers on tokens.
    pub linear_projection: bool,
    /// Groups of the group norms.
    pub groups: usize,
    /// Epsilon of the ResNets' group norms.
    pub eps: f64,
    /// Cosine first in the time embedding.
    pub flip_sin_to_cos: bool,
    /// Subtracted from the number of frequencies.
    pub freq_shift: f64,
    /// Output scale of the middle block.
    pub mid_scale: f64,
    /// Whether the input is moved from 0..1 to -1..1.
    pub center_input: bool,
    /// Width of the time-id embedding of SDXL-style conditioning, and the width of all added inputs.
    pub added: Option<(usize, usize)>,
    /// Side of the latent the model was trained on.
    pub sample_size: usize,
}

impl UnetSpec {
    /// Reads `unet/config.json`.
    ///
    /// # Errors
    /// Fails if a key is missing or asks for something that is not built here; the message names it.
    pub fn read(source: &dyn ModelSource) -> Result<Self> {
        let c = Config::read(source, "unet/config.json")?;
        c.only("_class_name", &["UNet2DConditionModel".into()])?;
        for (key, allowed) in [
            ("act_fn", vec!["silu".into(), "swish".into()]),
            ("attention_type", vec!["default".into()]),
            ("class_embed_type", vec![]),
            ("num_class_embeds", vec![]),
            ("class_embeddings_concat", vec![false.into()]),
            ("conv_in_kernel", vec![3.into()]),
            ("conv_out_kernel", vec![3.into()]),
            ("cross_attention_norm", vec![]),
            ("downsample_padding", vec![1.into()]),
            ("dual_cross_attention", vec![false.into()]),
            ("encoder_hid_dim", vec![]),
            ("encoder_hid_dim_type", vec![]),
            ("mid_block_only_cross_attention", vec![false.into()]),
            ("resnet_out_scale_factor", vec![1.0.into(), 1.into()]),
            ("resnet_skip_time_act", vec![false.into()]),
            ("resnet_time_scale_shift", vec!["default".into()]),
            ("reverse_transformer_layers_per_block", vec![]),
            ("time_embedding_act_fn", vec![]),
            ("time_embedding_dim", vec![]),
            ("time_embedding_type", vec!["positional".into()]),
            ("timestep_post_act", vec![]),
            ("addition_embed_type", vec!["text_time".into()]),
        ] {
            c.only(key, &allowed)?;
        }
        let numbers = |key: &str| -> Result<Vec<usize>> { c.list(key)?.iter().map(|v| c.as_usize(key, v)).collect() };
        let channels = numbers("block_out_channels")?;
        let levels = channels.len();
        if !(1..=MOST_LEVELS).contains(&levels) {
            bail!("`block_out_channels` of {} has {levels} levels, expected 1 to {MOST_LEVELS}", c.path);
        }
        let blocks = |key: &str, plain: &str, attending: &str| -> Result<Vec<bool>> {
            let list = c.list(key)?;
            if list.len() != levels {
                bail!("`{key}` of {} has {} blocks for {levels} levels", c.path, list.len());
            }
            let attends = |v: &Value| match v.as_str() {
                Some(name) if name == plain => Ok(false),
                Some(name) if name == attending => Ok(true),
                _ => bail!("{} asks for `{key}`: {v}, which is not built here", c.path),
            };
            list.iter().map(attends).collect()
        };
        let middle = match c.value.get("mid_block_type") {
            Some(Value::Null) => Middle::None,
            _ => match c.str("mid_block_type", "UNetMidBlock2DCrossAttn")?.as_str() {
                "UNetMidBlock2DCrossAttn" => Middle::Attends,
                "UNetMidBlock2D" => Middle::Plain,
                other => bail!("{} asks for `mid_block_type`: \"{other}\", which is not built here", c.path),
            },
        };
        let only_cross = match c.get("only_cross_attention") {
            Some(Value::Array(list)) => {
                let bools: Option<Vec<bool>> = list.iter().map(Value::as_bool).collect();
                let bools = bools.filter(|bools| bools.len() == levels);
                bools.with_context(|| {
                    format!("`only_cross_attention` of {} is no list of {levels} times true or false", c.path)
                })?
            }
            _ => vec![c.bool("only_cross_attention", false)?; levels],
        };
        let guidance_embedding =
            if c.get("time_cond_proj_dim").is_some() { Some(c.usize("time_cond_proj_dim", None)?) } else { None };
        if guidance_embedding.is_some_and(|width| width % 2 != 0 || width < 4) {
            bail!("`time_cond_proj_dim` of {} is no even number from 4", c.path);
        }
        // The published configurations call the number of heads `attention_head_dim`.
        let heads_key =
            if c.get("num_attention_heads").is_some() { "num_attention_heads" } else { "attention_head_dim" };
        let context = c.per_level("cross_attention_dim", levels, Some(1280))?;
        if context.iter().any(|n| *n != context[0]) {
            bail!("{} asks for different `cross_attention_dim` by level, which is not built here", c.path);
        }
        let added = if c.get("addition_embed_type").is_some() {
            Some((c.usize("addition_time_embed_dim", None)?, c.usize("projection_class_embeddings_input_dim", None)?))
        } else {
            None
        };
        let spec = Self {
            in_channels: c.usize("in_channels", Some(4))?,
            out_channels: c.usize("out_channels", Some(4))?,
            layers: c.per_level("layers_per_block", levels, Some(2))?,
            down_attends: blocks("down_block_types", "DownBlock2D", "CrossAttnDownBlock2D")?,
            up_attends: blocks("up_block_types", "UpBlock2D", "CrossAttnUpBlock2D")?,
            middle,
            only_cross,
            guidance_embedding,
            heads: c.per_level(heads_key, levels, Some(8))?,
            depth: c.per_level("transformer_layers_per_block", levels, Some(1))?,
            context: context[0],
            linear_projection: c.bool("use_linear_projection", false)?,
            groups: c.usize("norm_num_groups", Some(32))?,
            eps: c.f64("norm_eps", 1e-5)?,
            flip_sin_to_cos: c.bool("flip_sin_to_cos", true)?,
            freq_shift: c.f64("freq_shift", 0.0)?,
            mid_scale: c.f64("mid_block_scale_factor", 1.0)?,
            center_input: c.bool("center_input_sample", false)?,
            added,
            sample_size: c.usize("sample_size", Some(64))?,
            channels,
        };
        if spec.in_channels != spec.out_channels {
            bail!(
                "{} takes {} channels and gives {}: models that read another picture beside the latent (inpainting with 9 \
                 channels, instruct-pix2pix with 8) are not built here",
                c.path,
                spec.in_channels,
                spec.out_channels
            );
        }
        for (level, n) in spec.channels.iter().enumerate() {
            if n % spec.groups != 0 || n % spec.heads[level] != 0 {
                bail!(
                    "{n} channels of {} do not divide into {} groups and {} heads",
                    c.path,
                    spec.groups,
                    spec.heads[level]
                );
            }
        }
        Ok(spec)
    }
}

/// Which family a text encoder is of: its layers are the same, but they are called differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFamily {
    /// CLIP and OpenCLIP: no token sees those after it.
    Clip,
    /// The encoder of LDM, of BERT's kind: each token sees all.
    LdmBert,
}

/// A text encoder.
#[derive(Debug, Clone)]
pub struct TextSpec {
    /// Its family.
    pub family: TextFamily,
    /// Width of all heads together.
    pub attention_width: usize,
    /// Tokens in the vocabulary.
    pub vocabulary: usize,
    /// Width of the embeddings.
    pub width: usize,
    /// Width of the feed-forward layers.
    pub inner: usize,
    /// Layers.
    pub layers: usize,
    /// Heads.
    pub heads: usize,
    /// Positions: the longest prompt in tokens, markers included.
    pub positions: usize,
    /// Activation of the feed-forward layers.
    pub act: Act,
    /// Epsilon of the layer norms.
    pub eps: f64,
    /// Width of the pooled projection.
    pub projection: usize,
    /// The end-of-text token, whose state is pooled; 2 is an old mistake that means "the largest id".
    pub end: usize,
}

impl TextSpec {
    /// Reads `<part>/config.json`, part being `text_encoder`, `text_encoder_2` or `bert`.
    ///
    /// # Errors
    /// As [`UnetSpec::read`].
    pub fn read(source: &dyn ModelSource, part: &str) -> Result<Self> {
        let path = format!("{part}/config.json");
        let c = Config::read(source, &path)?;
        if c.str("model_type", "clip_text_model")? == "ldmbert" {
            return Self::ldm_bert(&c);
        }
        c.only("model_type", &["clip_text_model".into()])?;
        let width = c.usize("hidden_size", Some(512))?;
        Ok(Self {
            family: TextFamily::Clip,
            attention_width: width,
            vocabulary: c.usize("vocab_size", Some(49408))?,
            width,
            inner: c.usize("intermediate_size", Some(2048))?,
            layers: c.usize("num_hidden_layers", Some(12))?,
            heads: c.usize("num_attention_heads", Some(8))?,
            positions: c.usize("max_position_embeddings", Some(77))?,
            act: Act::read(&c, "hidden_act", "quick_gelu")?,
            eps: c.f64("layer_norm_eps", 1e-5)?,
            projection: c.usize("projection_dim", Some(512))?,
            end: c.usize("eos_token_id", Some(49407))?,
        })
    }

    fn ldm_bert(c: &Config<'_>) -> Result<Self> {
        c.only("scale_embedding", &[false.into()])?;
        let heads = c.usize("encoder_attention_heads", Some(8))?;
        Ok(Self {
            family: TextFamily::LdmBert,
            attention_width: heads * c.usize("head_dim", Some(64))?,
            vocabulary: c.usize("vocab_size", Some(30522))?,
            width: c.usize("d_model", Some(1280))?,
            inner: c.usize("encoder_ffn_dim", Some(5120))?,
            layers: c.usize("encoder_layers", Some(32))?,
            heads,
            positions: c.usize("max_position_embeddings", Some(77))?,
            act: Act::read(c, "activation_function", "gelu")?,
            eps: 1e-5,
            projection: 0,
            end: 0,
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

    /// Reads all configuration files and checks that they fit together.
    ///
    /// # Errors
    /// Fails if one is missing, asks for something that is not built here, or contradicts another.
    pub fn read(source: &dyn ModelSource) -> Result<Self> {
        let index = source.text_if_there("model_index.json")?.unwrap_or_else(|| "{}".to_owned());
        let index: Value = serde_json::from_str(&index).context("cannot read model_index.json")?;
        let two = index.get("text_encoder_2").is_some_and(|v| v.get(0).is_some_and(|v| !v.is_null()));
        // The forerunner of Stable Diffusion names its folders otherwise.
        let is_there = |part: &str| index.get(part).is_some_and(|v| v.get(0).is_some_and(|v| !v.is_null()));
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
