//! The model compiled into the program.
//!
//! It lies in `assets/atelier/` in the layout that any other model folder has, and is read by the same code. Its adapter,
//! `assets/guided.safetensors`, was taught what guidance does: with it one evaluation a step draws what two draw without.
//! The name `embedded` means both together, and [`PLAIN`] the weights alone.

use std::borrow::Cow;

use anyhow::Result;

use super::lora::Lora;
use super::overlay::Overlay;
use super::{FileBytes, ModelSource, PLAIN};

/// The embedded model without its adapter.
#[derive(Debug, Clone, Copy)]
pub struct Embedded;

/// A LoRA over the embedded model, as it was trained.
static GUIDED: &[u8] = include_bytes!("../../assets/guided.safetensors");

/// The embedded model with its adapter: it draws without guidance.
///
/// # Errors
/// Fails if the adapter is damaged.
pub fn guided() -> Result<Overlay> {
    let file = FileBytes::Memory(Cow::Borrowed(GUIDED));
    let adapter = Lora::read(file, "the adapter of the embedded model".to_owned(), 1.0)?;
    Ok(Overlay::new(Box::new(Embedded)).adapted(adapter)?.called("embedded".to_owned()))
}

macro_rules! assets {
    ($($path:literal),* $(,)?) => {
        fn asset(path: &str) -> Option<&'static [u8]> {
            match path {
                $($path => Some(include_bytes!(concat!("../../assets/atelier/", $path))),)*
                _ => None,
            }
        }
    };
}

assets!(
    "model_index.json",
    "scheduler/scheduler_config.json",
    "text_encoder/config.json",
    "text_encoder/model.safetensors",
    "tokenizer/tokenizer.json",
    "tokenizer/tokenizer_config.json",
    "unet/config.json",
    "unet/diffusion_pytorch_model.safetensors",
    "vae/config.json",
    "vae/diffusion_pytorch_model.safetensors",
);

/// The network that says what a picture of this model shows: its weights, and what is known of it.
#[must_use]
pub fn judge() -> (&'static [u8], &'static str) {
    (include_bytes!("../../assets/judge/judge.safetensors"), include_str!("../../assets/judge/judge.json"))
}

/// The words of the captions that the model was trained with, in alphabetical order.
pub fn words() -> impl Iterator<Item = &'static str> {
    include_str!("../../assets/words.txt").lines()
}

impl ModelSource for Embedded {
    fn name(&self) -> String {
        PLAIN.to_owned()
    }

    fn open(&self, path: &str) -> Result<Option<FileBytes>> {
        Ok(asset(path).map(|bytes| FileBytes::Memory(Cow::Borrowed(bytes))))
    }
}
