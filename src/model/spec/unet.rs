//! What a UNet's file says.

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{Config, MOST_LEVELS};
use crate::model::ModelSource;

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
