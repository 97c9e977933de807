//! Textual inversion: words that were learned after the model, in a file of their own.
//!
//! Such a file holds one or several vectors for a word, the trigger. Where the text has the trigger, the text encoder reads the
//! vectors.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::error::trouble;
use super::folder;
use super::tensors::TensorFile;

/// A learned word.
pub struct Embedding {
    trigger: String,
    file: TensorFile,
    /// For each text encoder the key of its vectors.
    keys: Keys,
    vectors: usize,
}

enum Keys {
    /// Of a model with one text encoder.
    One(String),
    /// Of SDXL's two.
    Two,
}

const TWO: [&str; 2] = ["clip_l", "clip_g"];

impl Embedding {
    /// Opens a file and checks its header. The trigger is `token`, or else the key that the vectors stand under, or else the
    /// file's name without its ending.
    ///
    /// # Errors
    /// Fails if the file is missing, damaged or holds anything else, or the trigger is no word.
    pub fn open(path: &Path, token: Option<&str>) -> Result<Self> {
        let called = path.display().to_string();
        let file = TensorFile::open(folder::file(path)?, called.clone())?;
        let names: Vec<&str> = file.places.keys().map(String::as_str).collect();
        let (keys, named) = match *names {
            [_, _] if TWO.iter().all(|key| names.contains(key)) => (Keys::Two, None),
            [key] => (Keys::One(key.to_owned()), (key != "emb_params" && !TWO.contains(&key)).then_some(key)),
            _ => {
                let message = format!("{called} is no embedding: it holds {} tensors", names.len());
                return Err(trouble(message, "a LoRA goes to `lora`, a model to `model`"));
            }
        };
        let stem = || path.file_stem().and_then(|stem| stem.to_str());
        let trigger = token.or(named).or_else(stem).unwrap_or_default().to_owned();
        ensure!(
            !trigger.is_empty() && !trigger.chars().any(|c| c.is_whitespace() || c.is_control()),
            "`{trigger}`, which {called} should stand for, is no word"
        );
        let mut counts = Vec::new();
        for (name, place) in &file.places {
            let count = match place.shape[..] {
                [width] if width > 0 => 1,
                [count, width] if count > 0 && width > 0 => count,
                _ => bail!("`{name}` of {called} has shape {:?}, expected vectors", place.shape),
            };
            counts.push(count);
        }
        ensure!(
            counts.iter().all(|count| *count == counts[0]),
            "{called} holds {} vectors for one text encoder and {} for the other",
            counts[0],
            counts[counts.len() - 1]
        );
        Ok(Self { trigger, file, keys, vectors: counts[0] })
    }

    /// The word, as it is written in prompts.
    #[must_use]
    pub fn trigger(&self) -> &str {
        &self.trigger
    }

    /// How many vectors it has: as many tokens its word takes.
    #[must_use]
    pub fn vectors(&self) -> usize {
        self.vectors
    }

    /// The vectors for a text encoder of this width, one after the other. `second` is SDXL's second text encoder.
    ///
    /// # Errors
    /// Fails if the file has none, or of another width.
    pub fn rows(&self, second: bool, width: usize) -> Result<Vec<f32>> {
        let path = &self.file.path;
        let key = match &self.keys {
            Keys::One(key) => {
                let alone = if key == "clip_g" { second } else { !second };
                if !alone {
                    let message = format!("{path} has `{key}`, and nothing for the other text encoder of this model");
                    return Err(trouble(message, "take an embedding that was made for this kind of model"));
                }
                key.as_str()
            }
            Keys::Two => TWO[usize::from(second)],
        };
        let place = self.file.places.get(key).with_context(|| format!("BUG: {path} has lost `{key}`"))?;
        if place.count() != self.vectors * width {
            let message = format!(
                "`{key}` of {path} has vectors of {} numbers, but the text encoder reads {width}",
                place.count() / self.vectors
            );
            return Err(trouble(message, "take an embedding that was made for this kind of model"));
        }
        self.file.numbers(key)
    }

    /// A digest of the file and its trigger.
    pub(super) fn digest_into(&self, hasher: &mut blake3::Hasher) -> Result<()> {
        hasher.update(b"embedding");
        hasher.update(&(self.trigger.len() as u64).to_le_bytes());
        hasher.update(self.trigger.as_bytes());
        self.file.digest_into(hasher)
    }
}
