//! What is laid over a model without taking the place of anything: LoRAs, embeddings, and fewer layers of text.

use std::sync::Arc;

use anyhow::Result;

use super::embedding::Embedding;
use super::lora::Lora;

/// What is laid over a model, in this order.
#[derive(Clone, Default)]
pub struct Adapters {
    /// Changes of weights; several add up.
    pub loras: Vec<Arc<Lora>>,
    /// Learned words.
    pub embeddings: Vec<Arc<Embedding>>,
    /// How many of the last layers of the text encoders are left out; 0 leaves out none. What other programs call "clip skip 2"
    /// is 1 here.
    pub layers_skipped: usize,
}

/// Nothing.
pub(super) static NONE: Adapters = Adapters { loras: Vec::new(), embeddings: Vec::new(), layers_skipped: 0 };

impl Adapters {
    /// A digest of all files and numbers; nothing is added where there is nothing.
    ///
    /// # Errors
    /// Fails if a file cannot be read to its end.
    pub fn digest_into(&self, hasher: &mut blake3::Hasher) -> Result<()> {
        self.loras.iter().try_for_each(|lora| lora.digest_into(hasher))?;
        self.embeddings.iter().try_for_each(|embedding| embedding.digest_into(hasher))?;
        if self.layers_skipped > 0 {
            hasher.update(b"layers skipped");
            hasher.update(&(self.layers_skipped as u64).to_le_bytes());
        }
        Ok(())
    }
}
