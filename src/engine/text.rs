//! Text encoders, CLIP's and LDM's: token ids to embeddings.

use std::borrow::Cow;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use candle_core::Tensor;

use super::encoder::{CLIP_LAYER, EncoderLayer, LayerNames, LayerShape};
use super::layers::{Backend, Bias, LayerNorm, Linear};
use crate::model::spec::{TextFamily, TextSpec};
use crate::model::weights::Weights;

/// A text encoder.
pub struct TextEncoder {
    spec: TextSpec,
    tokens: Arc<TokenTable>,
    positions: Vec<f32>,
    layers: Vec<EncoderLayer>,
    last_norm: LayerNorm,
    projection: Option<Linear>,
    backend: Backend,
    /// How many of the last layers are left out of what the UNet reads.
    skipped: usize,
}

/// The embeddings of tokens, before their positions are added: `width` numbers each.
pub struct TokenTable {
    width: usize,
    rows: Rows,
    /// Those of added tokens, from an id on. Ids need not follow upon the last row.
    added: Vec<(u32, Vec<f32>)>,
}

enum Rows {
    Held(Vec<f32>),
    /// Of a large table a prompt reads a few rows: they are read where they lie.
    Stored {
        weights: Arc<Weights>,
        name: String,
        shape: [usize; 2],
    },
}

impl TokenTable {
    /// That of an encoder's weights.
    ///
    /// # Errors
    /// Fails if it is missing or of another shape.
    pub fn load(w: &Arc<Weights>, spec: &TextSpec) -> Result<Self> {
        let (names, prefix) = Names::of(w, spec);
        let (name, shape) = (format!("{prefix}{}", names.tokens), [spec.vocabulary, spec.width]);
        let rows = if w.is_large() && w.row(&name, shape, 0)?.is_some() {
            Rows::Stored { weights: w.clone(), name, shape }
        } else {
            Rows::Held(w.values(&name, &shape)?)
        };
        Ok(Self { width: spec.width, rows, added: Vec::new() })
    }

    /// Puts the embeddings of added tokens in their places, `first` and those after it: `width` numbers each.
    ///
    /// # Errors
    /// Fails if `rows` are not whole embeddings.
    pub fn add(&mut self, first: u32, rows: Vec<f32>) -> Result<()> {
        ensure!(rows.len().is_multiple_of(self.width), "BUG: {} numbers for embeddings of {}", rows.len(), self.width);
        self.added.push((first, rows));
        Ok(())
    }

    /// The embedding of a token; `None` if it is not in the vocabulary.
    ///
    /// # Errors
    /// Fails if its file cannot be read.
    pub fn embedding(&self, id: u32) -> Result<Option<Cow<'_, [f32]>>> {
        let added = self.added.iter().rev();
        let mut added = added.filter_map(|(first, rows)| row(rows, id.checked_sub(*first)?, self.width));
        if let Some(found) = added.next() {
            return Ok(Some(Cow::Borrowed(found)));
        }
        match &self.rows {
            Rows::Held(rows) => Ok(row(rows, id, self.width).map(Cow::Borrowed)),
            Rows::Stored { shape, .. } if id as usize >= shape[0] => Ok(None),
            Rows::Stored { weights, name, shape } => Ok(weights.row(name, *shape, id as usize)?.map(Cow::Owned)),
        }
    }
}

/// What a family calls its tensors.
struct Names {
    layers: &'static str,
    layer: LayerNames,
    last_norm: &'static str,
    tokens: &'static str,
    positions: &'static str,
}

const CLIP: Names = Names {
    layers: "encoder.layers",
    layer: CLIP_LAYER,
    last_norm: "final_layer_norm",
    tokens: "embeddings.token_embedding.weight",
    positions: "embeddings.position_embedding.weight",
};

const LDM_BERT: Names = Names {
    layers: "layers",
    layer: LayerNames {
        norm_1: "self_attn_layer_norm",
        norm_2: "final_layer_norm",
        fc_1: "fc1",
        fc_2: "fc2",
        bias: Bias::No,
    },
    last_norm: "layer_norm",
    tokens: "embed_tokens.weight",
    positions: "embed_positions.weight",
};

impl Names {
    /// Those of an encoder, and what stands before them all in these weights.
    fn of(w: &Weights, spec: &TextSpec) -> (Self, &'static str) {
        let (names, prefix) = match spec.family {
            TextFamily::Clip => (CLIP, "text_model."),
            TextFamily::LdmBert => (LDM_BERT, "model."),
        };
        let is_there = w.has(&format!("{prefix}{}", names.tokens));
        (names, if is_there { prefix } else { "" })
    }
}

/// What the encoder makes of one prompt.
#[derive(Debug, Clone)]
pub struct Encoded {
    /// The last layer's states after the final layer norm, `[tokens, width]`; with layers skipped, those of an earlier one.
    pub last: Tensor,
    /// The states one layer before, without a final norm, `[tokens, width]`.
    pub penultimate: Tensor,
    /// The projected state at the end marker, `[projection]`, if the encoder has a projection.
    pub pooled: Option<Tensor>,
}

impl TextEncoder {
    /// Reads the encoder's weights, with or without the `text_model.` prefix.
    ///
    /// # Errors
    /// Fails if a tensor is missing or of another shape.
    pub fn load(w: &Weights, spec: TextSpec, tokens: Arc<TokenTable>, backend: &Backend) -> Result<Self> {
        let (names, p) = Names::of(w, &spec);
        let TextSpec { width, inner, eps, heads, act, attention_width, .. } = spec;
        let causal = spec.family == TextFamily::Clip;
        let shape = LayerShape { width, attention_width, inner, heads, act, eps, causal };
        let layer = |i: usize| EncoderLayer::load(w, &format!("{p}{}.{i}", names.layers), names.layer, shape, backend);
        let projection = if w.has("text_projection.weight") {
            Some(Linear::load(w, "text_projection", width, spec.projection, Bias::No, backend)?)
        } else {
            None
        };
        Ok(Self {
            tokens,
            positions: w.values(&format!("{p}{}", names.positions), &[spec.positions, width])?,
            layers: (0..spec.layers).map(layer).collect::<Result<_>>()?,
            last_norm: LayerNorm::load(w, &format!("{p}{}", names.last_norm), width, eps, backend)?,
            projection,
            backend: backend.clone(),
            skipped: 0,
            spec,
        })
    }

    /// Leaves out the last layers of what the UNet reads; what is pooled stays as it is. 0 leaves out none.
    ///
    /// # Errors
    /// Fails if no layer would be left.
    pub fn skip_layers(&mut self, count: usize) -> Result<()> {
        let most = self.spec.layers.saturating_sub(1);
        ensure!(count <= most, "{count} layers of text cannot be skipped: of {} at most {most} can", self.spec.layers);
        self.skipped = count;
        Ok(())
    }

    /// Encodes padded token ids. There is no mask but the causal one of CLIP: padding is read like any token.
    ///
    /// # Errors
    /// Fails if there are more ids than positions, or an id is not in the vocabulary.
    pub fn encode(&self, ids: &[u32]) -> Result<Encoded> {
        let width = self.spec.width;
        ensure!(ids.len() <= self.spec.positions, "{} tokens, but the model reads {}", ids.len(), self.spec.positions);
        let mut x = Vec::with_capacity(ids.len() * width);
        for (position, id) in ids.iter().enumerate() {
            let token = self.tokens.embedding(*id)?;
            let token =
                token.with_context(|| format!("token {id} is not in the vocabulary of {}", self.spec.vocabulary))?;
            let place = &self.positions[position * width..(position + 1) * width];
            x.extend(token.iter().zip(place).map(|(a, b)| a + b));
        }
        let mut x = self.backend.tensor(x, (1, ids.len(), width))?;
        let (mut penultimate, mut kept) = (x.clone(), x.clone());
        let read = self.layers.len() - self.skipped;
        for (i, layer) in self.layers.iter().enumerate() {
            let next = layer.forward(&x, &self.backend)?;
            if i + 1 == read {
                (penultimate, kept) = (x, next.clone());
            }
            x = next;
        }
        let last = self.last_norm.forward(&kept)?;
        let pooled = match &self.projection {
            Some(projection) => {
                // What is pooled is the last layer's, whatever is skipped.
                let whole = if self.skipped == 0 { None } else { Some(self.last_norm.forward(&x)?) };
                let end = whole.as_ref().unwrap_or(&last).narrow(1, self.end_of(ids), 1)?.contiguous()?;
                Some(projection.forward(&end)?.flatten_all()?)
            }
            None => None,
        };
        Ok(Encoded { last: last.squeeze(0)?, penultimate: penultimate.squeeze(0)?, pooled })
    }

    /// Position of the end marker whose state is pooled.
    fn end_of(&self, ids: &[u32]) -> usize {
        let end = self.spec.end as u32;
        if end == 2 {
            // Early configurations named 2 by mistake; the marker is then the largest id, at its first place.
            let largest = ids.iter().max().copied().unwrap_or(0);
            ids.iter().position(|id| *id == largest).unwrap_or(0)
        } else {
            ids.iter().position(|id| *id == end).unwrap_or(ids.len() - 1)
        }
    }
}

fn row(rows: &[f32], at: u32, width: usize) -> Option<&[f32]> {
    rows.chunks_exact(width).nth(at as usize)
}
