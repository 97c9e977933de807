//! Texts as a model reads them.

use anyhow::{Context, Result};
use candle_core::Tensor;

use super::layers::Backend;
use super::text::TextEncoder;
use super::unet::Condition;
use super::{Conditions, ensure_numbers};
use crate::model::spec::ModelSpec;
use crate::model::weights::Weights;
use crate::model::{ModelSource, inside};
use crate::prompt::Prompt;
use crate::prompt::vocabulary::{Files, Vocabulary};

/// Text encoders and tokenizers: enough to read prompts, without the UNet.
pub struct Reader {
    vocabulary: Vocabulary,
    vocabulary_2: Option<Vocabulary>,
    text: TextEncoder,
    text_2: Option<TextEncoder>,
    empty_is_zeros: bool,
    backend: Backend,
}

/// Reads the tokenizer of a part of a model (`tokenizer`, `tokenizer_2`; "" of a network without parts).
///
/// # Errors
/// Fails if its files are missing or damaged.
pub fn vocabulary(source: &dyn ModelSource, part: &str, positions: usize) -> Result<Vocabulary> {
    let file = |name: &str| source.text_if_there(&inside(part, name));
    let files = Files {
        tokenizer: file("tokenizer.json")?,
        vocab: file("vocab.json")?,
        merges: file("merges.txt")?,
        config: file("tokenizer_config.json")?,
        special: file("special_tokens_map.json")?,
        words: file("vocab.txt")?,
        added: file("added_tokens.json")?,
    };
    let read = || -> Result<Vocabulary> {
        let mut vocabulary = Vocabulary::read(&files, positions)?;
        for embedding in &source.adapters().embeddings {
            vocabulary.add(embedding.trigger(), embedding.vectors())?;
        }
        Ok(vocabulary)
    };
    let called = if part.is_empty() { "the tokenizer" } else { part };
    read().with_context(|| format!("cannot read {called} of {}", source.name()))
}

/// Gives an encoder what is laid over its model: the vectors of added words, and fewer layers.
fn lay_over(source: &dyn ModelSource, encoder: &mut TextEncoder, vocabulary: &Vocabulary, second: bool) -> Result<()> {
    let adapters = source.adapters();
    for embedding in &adapters.embeddings {
        let first = vocabulary.first_id(embedding.trigger());
        let first = first.with_context(|| format!("BUG: `{}` is not in the vocabulary", embedding.trigger()))?;
        encoder.add_tokens(first, &embedding.rows(second, encoder.width())?)?;
    }
    encoder.skip_layers(adapters.layers_skipped)
}

impl Reader {
    /// Loads tokenizers and text encoders.
    ///
    /// # Errors
    /// Fails if a file is missing, damaged or of another architecture.
    pub fn load(source: &dyn ModelSource, spec: &ModelSpec, backend: &Backend) -> Result<Self> {
        let encoder = |part: &str, spec: &crate::model::spec::TextSpec| -> Result<TextEncoder> {
            TextEncoder::load(&Weights::open(source, part)?, spec.clone(), backend)
        };
        let mut reader = Self {
            vocabulary: vocabulary(source, "tokenizer", spec.text.positions)?,
            vocabulary_2: spec.text_2.as_ref().map(|t| vocabulary(source, "tokenizer_2", t.positions)).transpose()?,
            text: encoder(spec.parts.0, &spec.text)?,
            text_2: spec.text_2.as_ref().map(|t| encoder("text_encoder_2", t)).transpose()?,
            empty_is_zeros: spec.empty_is_zeros,
            backend: backend.clone(),
        };
        lay_over(source, &mut reader.text, &reader.vocabulary, false)?;
        if let (Some(text), Some(vocabulary)) = (&mut reader.text_2, &reader.vocabulary_2) {
            lay_over(source, text, vocabulary, true)?;
        }
        Ok(reader)
    }

    /// The tokenizer that words and columns are counted in.
    #[must_use]
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The text encoder that reads those tokens.
    #[must_use]
    pub fn encoder(&self) -> &TextEncoder {
        &self.text
    }

    /// A text as the model reads it.
    ///
    /// # Errors
    /// Fails if the tokenizer does.
    pub fn prompt(&self, text: &str) -> Result<Prompt> {
        self.vocabulary.prompt(text)
    }

    /// The embedding of a prompt, batch 1; `time_ids` for SDXL-style models.
    ///
    /// # Errors
    /// Fails if the device has no memory left.
    pub fn embed(&self, text: &str, time_ids: [f32; 6]) -> Result<Condition> {
        let one = self.text.encode(&self.prompt(text)?.ids)?;
        ensure_numbers(&one.last, &self.backend, || "the text encoder gave no numbers".to_owned())?;
        let (Some(text_2), Some(vocabulary_2)) = (&self.text_2, &self.vocabulary_2) else {
            return Ok(Condition { text: one.last.unsqueeze(0)?, added: None });
        };
        let two = text_2.encode(&vocabulary_2.prompt(text)?.ids)?;
        let pooled = two.pooled.context("the second text encoder has no text_projection")?;
        ensure_numbers(&pooled, &self.backend, || "the second text encoder gave no numbers".to_owned())?;
        let joined = Tensor::cat(&[&one.penultimate, &two.penultimate], 1)?;
        Ok(Condition { text: joined.unsqueeze(0)?, added: Some((pooled.unsqueeze(0)?, time_ids)) })
    }

    /// The embedding of the unconditional half: the encoded negative prompt, or zeros where an empty one means zeros.
    ///
    /// # Errors
    /// As [`embed`](Self::embed).
    pub fn embed_empty(&self, negative: &str, time_ids: [f32; 6]) -> Result<Condition> {
        let condition = self.embed(negative, time_ids)?;
        if !negative.is_empty() || !self.empty_is_zeros {
            return Ok(condition);
        }
        let added = condition.added.map(|(pooled, ids)| pooled.zeros_like().map(|z| (z, ids))).transpose()?;
        Ok(Condition { text: condition.text.zeros_like()?, added })
    }

    /// Both halves of a run's reading.
    ///
    /// # Errors
    /// As [`embed`](Self::embed).
    pub fn conditions(&self, prompt: &str, negative: &str, (width, height): (usize, usize)) -> Result<Conditions> {
        let (w, h) = (width as f32, height as f32);
        let ids = [h, w, 0.0, 0.0, h, w];
        Ok(Conditions { cond: self.embed(prompt, ids)?, uncond: vec![self.embed_empty(negative, ids)?] })
    }

    /// How the encoders compute.
    #[must_use]
    pub fn backend(&self) -> &Backend {
        &self.backend
    }
}
