//! Another autoencoder than a model's own: one that is named, or the quick or the full one that goes with it.

use std::path::Path;

use anyhow::Result;

use super::error::trouble;
use super::overlay::Overlay;
use super::spec::{TextSpec, VaeKind, VaeSpec};
use super::{ModelSource, place};
use crate::plan::settings::{DecoderName, name_of};

/// The part that an autoencoder is.
const PART: &str = "vae";

/// Folders that models bring a second autoencoder in.
const TINY: [&str; 2] = ["vae_tiny", "taesd"];
const FULL: [&str; 2] = ["vae_large", "vae_full"];

impl Overlay {
    /// Takes the autoencoder from a file of weights, from a folder with its configuration and weights, or from the hub by name.
    ///
    /// # Errors
    /// Fails if there is none of that name, or it cannot be fetched.
    pub fn autoencoder(self, named: &str) -> Result<Self> {
        let path = place(named.trim());
        if path.is_dir() {
            return self.part(PART, vae_folder(&path));
        }
        #[cfg(feature = "hub")]
        if super::is_remote(named) {
            return self.part(PART, super::hub::fetch_autoencoder(named, &mut super::hub::quiet())?);
        }
        self.vae_file(path)
    }

    /// Sees to it that pictures come from a decoder of this kind.
    ///
    /// # Errors
    /// Fails if there is none of this kind for the model, or it cannot be fetched.
    pub fn decoder(self, kind: DecoderName) -> Result<Self> {
        let (folders, hint) = match kind {
            DecoderName::Auto => return Ok(self),
            DecoderName::Full => (FULL, "put one into vae_large/ of the model, or name its folder: /set vae FOLDER"),
            DecoderName::Tiny => (TINY, "put one into vae_tiny/ of the model, or name its folder: /set vae FOLDER"),
        };
        let wanted = kind == DecoderName::Tiny;
        let is_kind = |source: &Self, part: &str| -> Result<bool> {
            let there = source.open(&format!("{part}/config.json"))?.is_some();
            Ok(there && matches!(VaeSpec::read(source, part)?.kind, VaeKind::Tiny(_)) == wanted)
        };
        if is_kind(&self, PART)? {
            return Ok(self);
        }
        for folder in folders {
            if is_kind(&self, folder)? {
                return Ok(self.instead(PART, folder));
            }
        }
        let lacks = format!("`{}` has no {} decoder", self.below().name(), name_of(&kind));
        if wanted && let Some(name) = published(&self) {
            return self.published(name, &lacks, hint);
        }
        Err(trouble(lacks, hint))
    }

    #[cfg(feature = "hub")]
    fn published(self, name: &str, lacks: &str, hint: &'static str) -> Result<Self> {
        match super::hub::fetch_autoencoder(name, &mut super::hub::quiet()) {
            Ok(folder) => self.part(PART, folder),
            Err(error) => Err(trouble(format!("{lacks}, and `{name}` cannot be fetched: {error:#}"), hint)),
        }
    }

    #[cfg(not(feature = "hub"))]
    fn published(self, name: &str, lacks: &str, hint: &'static str) -> Result<Self> {
        Err(trouble(format!("{lacks}, and `{name}` cannot be fetched by this build"), hint))
    }
}

/// The tiny autoencoder that others trained for the latents of a model, by its name on the hub.
fn published(model: &dyn ModelSource) -> Option<&'static str> {
    let own = VaeSpec::read(model, PART).ok()?;
    if own.latent_channels != 4 || own.factor() != 8 {
        return None;
    }
    let two = TextSpec::read(model, "text_encoder_2").is_ok();
    Some(if two { "madebyollin/taesdxl" } else { "madebyollin/taesd" })
}

/// The folder itself, or `vae/` in it where a whole model is named.
fn vae_folder(folder: &Path) -> std::path::PathBuf {
    let inside = folder.join(PART);
    if !folder.join("config.json").is_file() && inside.is_dir() { inside } else { folder.to_owned() }
}
