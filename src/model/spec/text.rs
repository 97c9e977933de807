//! What a text encoder's file says.

use anyhow::Result;

use super::{Act, Config};
use crate::model::ModelSource;

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
    /// As [`UnetSpec::read`](super::UnetSpec::read).
    pub fn read(source: &dyn ModelSource, part: &str) -> Result<Self> {
        let path = format!("{part}/config.json");
        let c = Config::read(source, &path)?;
        if c.str("model_type", "clip_text_model")? == "ldmbert" {
            return Self::ldm_bert(&c);
        }
        c.only("model_type", &["clip_text_model".into()])?;
        Self::clip(&c)
    }

    /// An encoder of CLIP's kind, by its configuration or a part of one.
    pub(super) fn clip(c: &Config<'_>) -> Result<Self> {
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
            act: Act::read(c, "hidden_act", "quick_gelu")?,
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
