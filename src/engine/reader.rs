//! Texts as a model reads them.

use std::borrow::Cow;
use std::sync::Arc;

use anyhow::{Context, Result};
use candle_core::Tensor;

use super::layers::Backend;
use super::on_demand::OnDemand;
use super::text::{TextEncoder, TokenTable};
use super::unet::Condition;
use super::{Conditions, ensure_numbers};
use crate::model::spec::{ModelSpec, TextSpec};
use crate::model::weights::Weights;
use crate::model::{ModelSource, inside};
use crate::prompt::Prompt;
use crate::prompt::vocabulary::{Files, Vocabulary};

/// The part of a model that holds a second text encoder.
const SECOND: &str = "text_encoder_2";

/// Text encoders and tokenizers: enough to read prompts, without the UNet.
pub struct Reader {
    vocabulary: Vocabulary,
    vocabulary_2: Option<Vocabulary>,
    text: Text,
    text_2: Option<Text>,
    empty_is_zeros: bool,
    backend: Backend,
}

/// A text encoder, and the table of its tokens.
struct Text {
    tokens: Arc<TokenTable>,
    encoder: OnDemand<TextEncoder>,
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

impl Text {
    /// One of a part of a model, with what is laid over it: the vectors of added words, and fewer layers.
    fn load(
        source: &dyn ModelSource,
        part: &str,
        spec: &TextSpec,
        vocabulary: &Vocabulary,
        backend: &Backend,
    ) -> Result<Self> {
        let adapters = source.adapters();
        let weights = Arc::new(Weights::open(source, part)?);
        let mut tokens = TokenTable::load(&weights, spec)?;
        for embedding in &adapters.embeddings {
            let first = vocabulary.first_id(embedding.trigger());
            let first = first.with_context(|| format!("BUG: `{}` is not in the vocabulary", embedding.trigger()))?;
            tokens.add(first, embedding.rows(part == SECOND, spec.width)?)?;
        }
        let tokens = Arc::new(tokens);
        let (skipped, table) = (adapters.layers_skipped, tokens.clone());
        let (spec, backend, is_large) = (spec.clone(), backend.clone(), weights.is_large());
        let encoder = OnDemand::new(is_large, move || {
            let mut encoder = TextEncoder::load(&weights, spec.clone(), table.clone(), &backend)?;
            encoder.skip_layers(skipped)?;
            Ok(encoder)
        })?;
        Ok(Self { tokens, encoder })
    }
}

impl Reader {
    /// Loads tokenizers and text encoders.
    ///
    /// # Errors
    /// Fails if a file is missing, damaged or of another architecture.
    pub fn load(source: &dyn ModelSource, spec: &ModelSpec, backend: &Backend) -> Result<Self> {
        let words = vocabulary(source, "tokenizer", spec.text.positions)?;
        let words_2 = spec.text_2.as_ref().map(|t| vocabulary(source, "tokenizer_2", t.positions)).transpose()?;
        let text_2 = spec.text_2.as_ref().zip(words_2.as_ref());
        Ok(Self {
            text: Text::load(source, spec.parts.0, &spec.text, &words, backend)?,
            text_2: text_2.map(|(text, words)| Text::load(source, SECOND, text, words, backend)).transpose()?,
            vocabulary: words,
            vocabulary_2: words_2,
            empty_is_zeros: spec.empty_is_zeros,
            backend: backend.clone(),
        })
    }

    /// Lets go of the encoders of a large model: they are read again for the next text.
    pub fn rest(&self) {
        self.text.encoder.rest();
        self.text_2.iter().for_each(|text| text.encoder.rest());
    }

    /// The tokenizer that words and columns are counted in.
    #[must_use]
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The embedding of one of those tokens, before its position is added; `None` if it is not in the vocabulary.
    ///
    /// # Errors
    /// Fails if its file cannot be read.
    pub fn token_embedding(&self, id: u32) -> Result<Option<Cow<'_, [f32]>>> {
        self.text.tokens.embedding(id)
    }

    /// The text encoder that reads those tokens.
    ///
    /// # Errors
    /// Fails if it was let go and cannot be read again.
    pub fn encoder(&self) -> Result<Arc<TextEncoder>> {
        self.text.encoder.get()
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
        let one = self.encoder()?.encode(&self.prompt(text)?.ids)?;
        ensure_numbers(&one.last, &self.backend, || "the text encoder gave no numbers".to_owned())?;
        let (Some(text_2), Some(vocabulary_2)) = (&self.text_2, &self.vocabulary_2) else {
            return Ok(Condition { text: one.last.unsqueeze(0)?, added: None });
        };
        let two = text_2.encoder.get()?.encode(&vocabulary_2.prompt(text)?.ids)?;
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
