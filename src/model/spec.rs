//! What a model's configuration files say.
//!
//! Every key that changes results is read and obeyed. A key whose value asks for something that is not built here is an
//! error that names the key, never a guess.

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::ModelSource;

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

/// An activation function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// x * sigmoid(x)
    Silu,
    /// Exact, with the error function.
    Gelu,
    /// x * sigmoid(1.702 x)
    QuickGelu,
}

impl Act {
    fn read(config: &Config<'_>, key: &str, default: &str) -> Result<Self> {
        Ok(match config.str(key, default)?.as_str() {
            "silu" | "swish" => Self::Silu,
            "gelu" => Self::Gelu,
            "quick_gelu" => Self::QuickGelu,
            other => bail!("{} asks for `{key}`: \"{other}\", which is not built here", config.path),
        })
    }
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
    /// Whether the middle attends to the text.
    pub mid_attends: bool,
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
            ("only_cross_attention", vec![false.into()]),
            ("mid_block_only_cross_attention", vec![false.into()]),
            ("resnet_out_scale_factor", vec![1.0.into(), 1.into()]),
            ("resnet_skip_time_act", vec![false.into()]),
            ("resnet_time_scale_shift", vec!["default".into()]),
            ("reverse_transformer_layers_per_block", vec![]),
            ("time_cond_proj_dim", vec![]),
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
        let mid = c.str("mid_block_type", "UNetMidBlock2DCrossAttn")?;
        let mid_attends = match mid.as_str() {
            "UNetMidBlock2DCrossAttn" => true,
            "UNetMidBlock2D" => false,
            other => bail!("{} asks for `mid_block_type`: \"{other}\", which is not built here", c.path),
        };
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
            mid_attends,
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
                "{} takes {} channels and gives {}: inpainting models are not built here",
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

/// The autoencoder.
#[derive(Debug, Clone)]
pub struct VaeSpec {
    /// Channels of the latent.
    pub latent_channels: usize,
    /// Channels of each level, from the picture down.
    pub channels: Vec<usize>,
    /// ResNet blocks per level of the encoder; one more in the decoder.
    pub layers: usize,
    /// Groups of the group norms.
    pub groups: usize,
    /// Latents are divided by this before decoding.
    pub scaling: f64,
    /// Added after dividing by `scaling`.
    pub shift: f64,
    /// Whether the middle attends.
    pub mid_attends: bool,
    /// Whether there is a 1x1 convolution after the encoder.
    pub quant_conv: bool,
    /// Whether there is a 1x1 convolution before the decoder.
    pub post_quant_conv: bool,
}

impl VaeSpec {
    /// Reads `vae/config.json`.
    ///
    /// # Errors
    /// As [`UnetSpec::read`].
    pub fn read(source: &dyn ModelSource) -> Result<Self> {
        let c = Config::read(source, "vae/config.json")?;
        c.only("_class_name", &["AutoencoderKL".into()])?;
        c.only("act_fn", &["silu".into(), "swish".into()])?;
        c.only("in_channels", &[3.into()])?;
        c.only("out_channels", &[3.into()])?;
        c.only("latents_mean", &[])?;
        c.only("latents_std", &[])?;
        for (key, kind) in [("down_block_types", "DownEncoderBlock2D"), ("up_block_types", "UpDecoderBlock2D")] {
            if let Some(other) = c.list(key)?.iter().find(|v| v.as_str() != Some(kind)) {
                bail!("{} asks for `{key}`: {other}, which is not built here", c.path);
            }
        }
        let channels =
            c.list("block_out_channels")?.iter().map(|v| c.as_usize("block_out_channels", v)).collect::<Result<_>>()?;
        Ok(Self {
            latent_channels: c.usize("latent_channels", Some(4))?,
            channels,
            layers: c.usize("layers_per_block", Some(1))?,
            groups: c.usize("norm_num_groups", Some(32))?,
            scaling: c.f64("scaling_factor", 0.18215)?,
            shift: c.f64("shift_factor", 0.0)?,
            mid_attends: c.bool("mid_block_add_attention", true)?,
            quant_conv: c.bool("use_quant_conv", true)?,
            post_quant_conv: c.bool("use_post_quant_conv", true)?,
        })
    }

    /// Picture pixels per latent pixel and side.
    #[must_use]
    pub fn factor(&self) -> usize {
        1 << (self.channels.len() - 1)
    }
}

/// A CLIP text encoder.
#[derive(Debug, Clone)]
pub struct TextSpec {
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
    /// Reads `<part>/config.json`, part being `text_encoder` or `text_encoder_2`.
    ///
    /// # Errors
    /// As [`UnetSpec::read`].
    pub fn read(source: &dyn ModelSource, part: &str) -> Result<Self> {
        let path = format!("{part}/config.json");
        let c = Config::read(source, &path)?;
        c.only("model_type", &["clip_text_model".into()])?;
        let width = c.usize("hidden_size", Some(512))?;
        Ok(Self {
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
}

/// What the UNet predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PredictionType {
    /// The noise.
    Epsilon,
    /// The velocity.
    V,
    /// The clean latent.
    Sample,
}

/// How the noise levels of a run are spread over the training's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spacing {
    /// `i * (train / steps) + offset`
    Leading,
    /// From the last level down in equal parts.
    Trailing,
    /// Equally spaced from first to last.
    Linspace,
}

/// How the noise grows over the training's levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Betas {
    /// Linear.
    Linear,
    /// Linear in the square root.
    ScaledLinear,
}

/// What a scheduler's file says of training, spacing and samplers.
#[derive(Debug, Clone)]
pub struct SchedulerSpec {
    /// Noise levels in training.
    pub train_steps: usize,
    /// First beta.
    pub beta_start: f64,
    /// Last beta.
    pub beta_end: f64,
    /// Betas in between.
    pub betas: Betas,
    /// What the UNet predicts.
    pub prediction: PredictionType,
    /// Added to each level of the run.
    pub offset: usize,
    /// Spread of the levels.
    pub spacing: Spacing,
    /// Whether the level after the last step is free of noise; otherwise it is the training's first.
    pub last_is_clean: bool,
    /// The predicted clean latent is held within plus and minus this.
    pub clip: Option<f64>,
    /// Whether the schedule is stretched until its last level is pure noise.
    pub zero_snr: bool,
    /// Whether DPM++ spaces its noise levels by their seventh roots.
    pub karras_sigmas: bool,
    /// Whether DPM++ ends without noise; otherwise with that of the training's first level.
    pub last_sigma_is_zero: bool,
    /// Whether DPM++ makes the last of few steps of first order.
    pub lower_order_final: bool,
}

impl SchedulerSpec {
    /// Reads `scheduler/scheduler_config.json`; which sampler runs is a setting, whatever class the file names.
    ///
    /// # Errors
    /// As [`UnetSpec::read`].
    pub fn read(source: &dyn ModelSource) -> Result<Self> {
        let text = source.text("scheduler/scheduler_config.json")?;
        let value = serde_json::from_str(&text).context("cannot read scheduler/scheduler_config.json")?;
        Self::parse("scheduler/scheduler_config.json", value)
    }

    /// Reads the same keys from a value; `path` names it in messages.
    ///
    /// # Errors
    /// As [`UnetSpec::read`].
    pub fn parse(path: &str, value: Value) -> Result<Self> {
        let c = Config { path, value };
        c.only("trained_betas", &[])?;
        c.only("thresholding", &[false.into()])?;
        let betas = match c.str("beta_schedule", "linear")?.as_str() {
            "linear" => Betas::Linear,
            "scaled_linear" => Betas::ScaledLinear,
            other => bail!("{path} asks for `beta_schedule`: \"{other}\", which is not built here"),
        };
        let prediction = match c.str("prediction_type", "epsilon")?.as_str() {
            "epsilon" => PredictionType::Epsilon,
            "v_prediction" => PredictionType::V,
            "sample" => PredictionType::Sample,
            other => bail!("{path} asks for `prediction_type`: \"{other}\", which is not built here"),
        };
        let zero_snr = c.bool("rescale_betas_zero_snr", false)?;
        if zero_snr && prediction == PredictionType::Epsilon {
            bail!(
                "{path} asks for `rescale_betas_zero_snr`, but pure noise says nothing to a model that predicts noise"
            );
        }
        let spacing = match c.str("timestep_spacing", "leading")?.as_str() {
            "leading" => Spacing::Leading,
            "trailing" => Spacing::Trailing,
            "linspace" => Spacing::Linspace,
            other => bail!("{path} asks for `timestep_spacing`: \"{other}\", which is not built here"),
        };
        // DDIM clips unless told not to; the other samplers that checkpoints carry never do.
        let is_ddim = c.str("_class_name", "DDIMScheduler")? == "DDIMScheduler";
        let clip = c.bool("clip_sample", is_ddim)?;
        Ok(Self {
            train_steps: c.usize("num_train_timesteps", Some(1000))?,
            beta_start: c.f64("beta_start", 0.0001)?,
            beta_end: c.f64("beta_end", 0.02)?,
            betas,
            prediction,
            offset: c.get("steps_offset").and_then(Value::as_u64).unwrap_or(0) as usize,
            spacing,
            last_is_clean: c.bool("set_alpha_to_one", is_ddim)?,
            clip: if clip { Some(c.f64("clip_sample_range", 1.0)?) } else { None },
            zero_snr,
            karras_sigmas: c.bool("use_karras_sigmas", false)?,
            last_sigma_is_zero: match c.str("final_sigmas_type", "zero")?.as_str() {
                "zero" => true,
                "sigma_min" => false,
                other => bail!("{path} asks for `final_sigmas_type`: \"{other}\", which is not built here"),
            },
            lower_order_final: c.bool("lower_order_final", true)?,
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
    /// The text encoder.
    pub text: TextSpec,
    /// The second text encoder of SDXL-style models.
    pub text_2: Option<TextSpec>,
    /// The sampler.
    pub scheduler: SchedulerSpec,
    /// Whether an empty prompt is all zeros (SDXL) instead of an encoded empty text.
    pub empty_is_zeros: bool,
}

impl ModelSpec {
    /// Reads all configuration files and checks that they fit together.
    ///
    /// # Errors
    /// Fails if one is missing, asks for something that is not built here, or contradicts another.
    pub fn read(source: &dyn ModelSource) -> Result<Self> {
        let index = source.text_if_there("model_index.json")?.unwrap_or_else(|| "{}".to_owned());
        let index: Value = serde_json::from_str(&index).context("cannot read model_index.json")?;
        let two = index.get("text_encoder_2").is_some_and(|v| v.get(0).is_some_and(|v| !v.is_null()));
        let spec = Self {
            unet: UnetSpec::read(source)?,
            vae: VaeSpec::read(source)?,
            text: TextSpec::read(source, "text_encoder")?,
            text_2: if two { Some(TextSpec::read(source, "text_encoder_2")?) } else { None },
            scheduler: SchedulerSpec::read(source)?,
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
                "unet/config.json takes {} channels, but vae/config.json has `latent_channels`: {}",
                spec.unet.in_channels,
                spec.vae.latent_channels
            );
        }
        if spec.unet.added.is_some() != spec.text_2.is_some() {
            bail!("unet/config.json asks for `addition_embed_type`, which goes together with a second text encoder");
        }
        Ok(spec)
    }
}
