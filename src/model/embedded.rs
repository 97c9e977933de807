//! The model compiled into the program.
//!
//! It lies in `assets/atelier/` in the layout that any other model folder has, and is read by the same code.

use std::borrow::Cow;

use anyhow::Result;

use super::{FileBytes, ModelSource};

/// The embedded model.
#[derive(Debug, Clone, Copy)]
pub struct Embedded;

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

impl ModelSource for Embedded {
    fn name(&self) -> String {
        "embedded".to_owned()
    }

    fn open(&self, path: &str) -> Result<Option<FileBytes>> {
        Ok(asset(path).map(|bytes| FileBytes::Memory(Cow::Borrowed(bytes))))
    }
}
