//! What an autoencoder's file says.

use anyhow::{Result, bail, ensure};

use super::{Config, MOST_LEVELS};
use crate::model::ModelSource;

/// The autoencoder.
#[derive(Debug, Clone)]
pub struct VaeSpec {
    /// Channels of the latent.
    pub latent_channels: usize,
    /// Latents are divided by this before decoding.
    pub scaling: f64,
    /// Added after dividing by `scaling`.
    pub shift: f64,
    /// Its networks.
    pub kind: VaeKind,
}

/// Which networks an autoencoder has.
#[derive(Debug, Clone)]
pub enum VaeKind {
    /// ResNets, and attention in the middle.
    Full(FullVaeSpec),
    /// Convolutions alone.
    Tiny(TinyVaeSpec),
}

/// An autoencoder of ResNets: `AutoencoderKL`, or `VQModel` with codes.
#[derive(Debug, Clone)]
pub struct FullVaeSpec {
    /// Channels between the networks and the 1x1 convolutions.
    pub inner: usize,
    /// Channels of each level, from the picture down.
    pub channels: Vec<usize>,
    /// ResNet blocks per level of the encoder; one more in the decoder.
    pub layers: usize,
    /// Groups of the group norms.
    pub groups: usize,
    /// Whether the middle attends.
    pub mid_attends: bool,
    /// Whether there is a 1x1 convolution after the encoder.
    pub quant_conv: bool,
    /// Whether there is a 1x1 convolution before the decoder.
    pub post_quant_conv: bool,
    /// How many vectors, and how wide, latents are rounded to before decoding.
    pub codes: Option<(usize, usize)>,
}

/// A tiny autoencoder: channels, the same at every level, and blocks by level.
#[derive(Debug, Clone)]
pub struct TinyVaeSpec {
    /// From the picture down.
    pub encoder: (usize, Vec<usize>),
    /// From the latent up.
    pub decoder: (usize, Vec<usize>),
}

impl VaeSpec {
    /// Reads `<part>/config.json`, part being `vae` or `vqvae`.
    ///
    /// # Errors
    /// As [`UnetSpec::read`](super::UnetSpec::read).
    pub fn read(source: &dyn ModelSource, part: &str) -> Result<Self> {
        let path = format!("{part}/config.json");
        let c = Config::read(source, &path)?;
        c.only("in_channels", &[3.into()])?;
        c.only("out_channels", &[3.into()])?;
        let (kind, scaling) = match c.str("_class_name", "AutoencoderKL")?.as_str() {
            "AutoencoderKL" => (VaeKind::Full(full(&c, false)?), 0.18215),
            "VQModel" => (VaeKind::Full(full(&c, true)?), 0.18215),
            "AutoencoderTiny" => (VaeKind::Tiny(tiny(&c)?), 1.0),
            other => bail!("{path} asks for `_class_name`: \"{other}\", which is not built here"),
        };
        let scaling = c.f64("scaling_factor", scaling)?;
        // With codes, latents are as wide as those.
        let latent_channels = match &kind {
            VaeKind::Full(FullVaeSpec { codes: Some((_, width)), .. }) => *width,
            VaeKind::Full(full) => full.inner,
            VaeKind::Tiny(_) => c.usize("latent_channels", Some(4))?,
        };
        ensure!(scaling != 0.0, "`scaling_factor` of {path} is 0, by which latents are divided");
        Ok(Self { latent_channels, scaling, shift: c.f64("shift_factor", 0.0)?, kind })
    }

    /// Picture pixels per latent pixel and side.
    #[must_use]
    pub fn factor(&self) -> usize {
        let levels = match &self.kind {
            VaeKind::Full(full) => full.channels.len(),
            VaeKind::Tiny(tiny) => tiny.decoder.1.len(),
        };
        1 << (levels - 1)
    }
}

fn numbers(c: &Config<'_>, key: &str) -> Result<Vec<usize>> {
    let numbers: Vec<usize> = c.list(key)?.iter().map(|v| c.as_usize(key, v)).collect::<Result<_>>()?;
    let count = numbers.len();
    ensure!(
        (1..=MOST_LEVELS).contains(&count),
        "`{key}` of {} has {count} levels, expected 1 to {MOST_LEVELS}",
        c.path
    );
    Ok(numbers)
}

fn full(c: &Config<'_>, has_codes: bool) -> Result<FullVaeSpec> {
    c.only("act_fn", &["silu".into(), "swish".into()])?;
    c.only("latents_mean", &[])?;
    c.only("latents_std", &[])?;
    c.only("norm_type", &["group".into()])?;
    c.only("lookup_from_codebook", &[false.into()])?;
    for (key, kind) in [("down_block_types", "DownEncoderBlock2D"), ("up_block_types", "UpDecoderBlock2D")] {
        if let Some(other) = c.list(key)?.iter().find(|v| v.as_str() != Some(kind)) {
            bail!("{} asks for `{key}`: {other}, which is not built here", c.path);
        }
    }
    let channels = numbers(c, "block_out_channels")?;
    let latent = c.usize("latent_channels", Some(4))?;
    let codes = if has_codes {
        Some((c.usize("num_vq_embeddings", Some(256))?, c.usize("vq_embed_dim", Some(latent))?))
    } else {
        None
    };
    let groups = c.usize("norm_num_groups", Some(32))?;
    if let Some(n) = channels.iter().find(|n| *n % groups != 0) {
        bail!("{n} channels of {} do not divide into {groups} groups", c.path);
    }
    Ok(FullVaeSpec {
        inner: latent,
        channels,
        layers: c.usize("layers_per_block", Some(1))?,
        groups,
        mid_attends: c.bool("mid_block_add_attention", true)?,
        quant_conv: c.bool("use_quant_conv", true)?,
        post_quant_conv: c.bool("use_post_quant_conv", true)?,
        codes,
    })
}

fn tiny(c: &Config<'_>) -> Result<TinyVaeSpec> {
    c.only("act_fn", &["relu".into()])?;
    c.only("upsample_fn", &["nearest".into()])?;
    c.only("upsampling_scaling_factor", &[2.into()])?;
    let half = |channels: &str, blocks: &str| -> Result<(usize, Vec<usize>)> {
        let (channels, counts) = (numbers(c, channels)?, numbers(c, blocks)?);
        ensure!(
            channels.iter().all(|n| *n == channels[0]) && channels.len() == counts.len(),
            "{} has {} levels of channels and {} of `{blocks}`, expected as many, with the same channels in each",
            c.path,
            channels.len(),
            counts.len()
        );
        Ok((channels[0], counts))
    };
    let spec = TinyVaeSpec {
        encoder: half("encoder_block_out_channels", "num_encoder_blocks")?,
        decoder: half("decoder_block_out_channels", "num_decoder_blocks")?,
    };
    ensure!(
        spec.encoder.1.len() == spec.decoder.1.len(),
        "{} halves pictures {} times and doubles them {} times",
        c.path,
        spec.encoder.1.len() - 1,
        spec.decoder.1.len() - 1
    );
    Ok(spec)
}
