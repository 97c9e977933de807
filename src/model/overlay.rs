//! A model with other files laid over it.
//!
//! The layer below stays as it is; what is asked for under the name of a part that was laid over it comes from there.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use anyhow::{Result, bail};

use super::folder::{self, Files};
use super::{FileBytes, ModelSource, WeightFile};

/// A model of which some parts come from elsewhere.
pub struct Overlay {
    below: Box<dyn ModelSource>,
    parts: BTreeMap<String, Files>,
    vae: Option<PathBuf>,
}

impl Overlay {
    /// The model as it is, with nothing over it yet.
    #[must_use]
    pub fn new(below: Box<dyn ModelSource>) -> Self {
        Self { below, parts: BTreeMap::new(), vae: None }
    }

    /// Lays a folder in the place of the part `part` (`unet`, `vae`, `text_encoder`, `tokenizer`, `scheduler`, …). Nothing of
    /// the part below is seen any more, neither its configuration nor its weights.
    ///
    /// # Errors
    /// Fails if `part` is no name of a folder, or `folder` is none.
    pub fn part(mut self, part: &str, folder: impl Into<PathBuf>) -> Result<Self> {
        let folder = folder.into();
        let mut names = Path::new(part).components();
        if !matches!((names.next(), names.next()), (Some(Component::Normal(_)), None)) {
            bail!("`{part}` is no part of a model");
        }
        if !folder.is_dir() {
            bail!("{}, to take the place of `{part}`, is no folder", folder.display());
        }
        self.parts.insert(part.to_owned(), Files::new(folder));
        Ok(self)
    }

    /// Takes the autoencoder's weights from a file of their own, in either layout; its configuration stays.
    ///
    /// # Errors
    /// Fails if there is no such file.
    pub fn vae_file(mut self, path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        folder::file(&path)?;
        self.vae = Some(path);
        Ok(self)
    }
}

impl ModelSource for Overlay {
    fn name(&self) -> String {
        self.below.name()
    }

    fn open(&self, path: &str) -> Result<Option<FileBytes>> {
        let over = path.split_once('/').and_then(|(part, rest)| Some((self.parts.get(part)?, rest)));
        match over {
            Some((files, rest)) => files.open(rest),
            None => self.below.open(path),
        }
    }

    fn weights(&self, part: &str) -> Result<Option<WeightFile>> {
        match &self.vae {
            Some(path) if part == "vae" => {
                Ok(Some(WeightFile { path: path.display().to_string(), bytes: folder::file(path)?, whole: false }))
            }
            _ if self.parts.contains_key(part) => Ok(None),
            _ => self.below.weights(part),
        }
    }

    fn files(&self, part: &str) -> Vec<String> {
        self.parts.get(part).map_or_else(|| self.below.files(part), |files| files.names(""))
    }

    fn is_random(&self) -> bool {
        self.below.is_random()
    }
}
