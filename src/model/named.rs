//! What a model and all that is laid over it are called, in one line.
//!
//! `NAME | lora=FILE:SCALE | embedding=FILE=WORD | vae=PLACE | decoder=KIND | clip_skip=N`: what stands after the first bar may be left out, and
//! `lora` and `embedding` may stand several times. Sessions and recipes keep this line; [`find`](super::find) reads it.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::ModelSource;
use super::error::trouble;
use super::overlay::Overlay;
use crate::plan::settings::{DecoderName, name_of};

/// Stands between the model and each thing that is laid over it.
const BAR: &str = " | ";

/// A model by name, and what is laid over it.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelName {
    /// What the model below is called: `embedded`, a folder, a file, or `owner/name[@revision]`.
    pub below: String,
    /// Files of LoRAs, each with its scale; 0 is off.
    pub loras: Vec<(String, f64)>,
    /// Files of embeddings, each with the word that it stands for, if it is not the file's own.
    pub embeddings: Vec<(String, Option<String>)>,
    /// Another autoencoder: a file, a folder, or a name on the hub.
    pub vae: Option<String>,
    /// Which decoder makes pictures.
    pub decoder: DecoderName,
    /// Which of the last text layers is read, as other programs count: 1 is the last, and off.
    pub clip_skip: usize,
}

impl ModelName {
    /// A model with nothing over it.
    #[must_use]
    pub fn plain(below: impl Into<String>) -> Self {
        Self {
            below: below.into(),
            loras: Vec::new(),
            embeddings: Vec::new(),
            vae: None,
            decoder: DecoderName::Auto,
            clip_skip: 1,
        }
    }

    /// Reads a line.
    ///
    /// # Errors
    /// Fails if what stands after a bar is none of the forms above.
    pub fn parse(line: &str) -> Result<Self> {
        let mut pieces = line.split(BAR);
        let mut name = Self::plain(pieces.next().unwrap_or_default().trim());
        for piece in pieces {
            let said = || format!("`{piece}` is nothing that can be laid over a model");
            let (key, value) = piece.split_once('=').with_context(said)?;
            match key {
                "lora" => name.loras.push(file_and_scale(value)),
                "embedding" => name.embeddings.push(file_and_word(value)),
                "vae" => name.vae = Some(value.to_owned()),
                "decoder" => name.decoder = serde_json::from_value(value.into()).ok().with_context(said)?,
                "clip_skip" => name.clip_skip = value.parse().ok().filter(|n| *n > 0).with_context(said)?,
                _ => return Err(trouble(said(), "there are: lora, embedding, vae, decoder, clip_skip")),
            }
        }
        Ok(name)
    }

    /// Whether nothing is laid over the model.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::plain(self.below.as_str())
    }

    /// Lays over `below` what the name says.
    ///
    /// # Errors
    /// Fails if a file cannot be read or does not fit the model.
    pub(super) fn lay_over(&self, below: Box<dyn ModelSource>) -> Result<Overlay> {
        let mut source = Overlay::new(below).called(self.to_string());
        for (file, scale) in &self.loras {
            source = source.lora(Path::new(file), *scale)?;
        }
        for (file, word) in &self.embeddings {
            source = source.embedding(Path::new(file), word.as_deref())?;
        }
        if let Some(place) = &self.vae {
            source = source.autoencoder(place)?;
        }
        source = source.decoder(self.decoder)?;
        ensure!(self.clip_skip > 0, "`clip_skip` is 0, but it counts from 1, which is off");
        Ok(source.layers_skipped(self.clip_skip - 1))
    }
}

/// `FILE[:SCALE]`; a colon that no number follows is part of the file's name.
#[must_use]
pub fn file_and_scale(text: &str) -> (String, f64) {
    let text = text.trim();
    let scaled = text.rsplit_once(':').and_then(|(file, scale)| Some((file, scale.trim().parse::<f64>().ok()?)));
    scaled.map_or_else(|| (text.to_owned(), 1.0), |(file, scale)| (file.to_owned(), scale))
}

/// `FILE[=WORD]`.
#[must_use]
pub fn file_and_word(text: &str) -> (String, Option<String>) {
    let text = text.trim();
    text.rsplit_once('=')
        .map_or_else(|| (text.to_owned(), None), |(file, word)| (file.to_owned(), Some(word.to_owned())))
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.below)?;
        for (file, scale) in &self.loras {
            write!(f, "{BAR}lora={file}:{scale}")?;
        }
        for (file, word) in &self.embeddings {
            write!(f, "{BAR}embedding={file}")?;
            if let Some(word) = word {
                write!(f, "={word}")?;
            }
        }
        if let Some(file) = &self.vae {
            write!(f, "{BAR}vae={file}")?;
        }
        if self.decoder != DecoderName::Auto {
            write!(f, "{BAR}decoder={}", name_of(&self.decoder))?;
        }
        if self.clip_skip != 1 {
            write!(f, "{BAR}clip_skip={}", self.clip_skip)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_all_that_is_laid_over_a_model_and_reads_back() {
        let line = "models/sd15 | lora=a b.safetensors:0.8 | lora=c:-1 | embedding=e.safetensors=<toy> | vae=v | decoder=tiny | clip_skip=2";
        let name = ModelName::parse(line).unwrap();
        assert_eq!(name.loras, [("a b.safetensors".to_owned(), 0.8), ("c".to_owned(), -1.0)]);
        assert_eq!(name.embeddings, [("e.safetensors".to_owned(), Some("<toy>".to_owned()))]);
        assert_eq!((name.vae.as_deref(), name.decoder, name.clip_skip), (Some("v"), DecoderName::Tiny, 2));
        assert_eq!(name.to_string(), line);
        assert!(ModelName::parse("owner/name@main").unwrap().is_plain());
        assert_eq!(file_and_scale("C:x.safetensors"), ("C:x.safetensors".to_owned(), 1.0));
    }

    #[test]
    fn what_cannot_be_laid_over_a_model_is_named() {
        for line in ["m | hypernetwork=x", "m | x", "m | clip_skip=0", "m | clip_skip=two", "m | decoder=fast"] {
            let error = ModelName::parse(line).expect_err(line).to_string();
            assert!(error.contains(line.trim_start_matches("m | ")), "{error}");
        }
    }
}
