//! A model with other files laid over it.
//!
//! The layer below stays as it is; what is asked for under the name of a part that was laid over it comes from there.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, bail};

use super::adapters::Adapters;
use super::embedding::Embedding;
use super::folder::{self, Files};
use super::lora::Lora;
use super::{FileBytes, ModelSource, WeightFile};

/// A model of which some parts come from elsewhere.
pub struct Overlay {
    name: Option<String>,
    below: Box<dyn ModelSource>,
    parts: BTreeMap<String, Replaced>,
    vae: Option<PathBuf>,
    adapters: Adapters,
}

/// What takes the place of a part.
enum Replaced {
    /// A folder from elsewhere.
    Folder(Files),
    /// Another folder of the model below.
    Below(String),
}

impl Overlay {
    /// The model as it is, with nothing over it yet.
    #[must_use]
    pub fn new(below: Box<dyn ModelSource>) -> Self {
        let adapters = below.adapters().clone();
        Self { name: None, below, parts: BTreeMap::new(), vae: None, adapters }
    }

    /// The model that things are laid over.
    pub(super) fn below(&self) -> &dyn ModelSource {
        &*self.below
    }

    /// Gives it a name of its own.
    pub(super) fn called(mut self, name: String) -> Self {
        self.name = Some(name);
        self
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
        self.parts.insert(part.to_owned(), Replaced::Folder(Files::new(folder)));
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

    /// Takes another folder of the model below in the place of a part.
    pub(super) fn instead(mut self, part: &str, other: &str) -> Self {
        self.parts.insert(part.to_owned(), Replaced::Below(other.to_owned()));
        self
    }

    /// Changes weights by a LoRA, after those that were laid over before; `scale` 0 is off.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or changes a part that the model does not have. Whether its modules are the model's is
    /// found out when the part is read.
    pub fn lora(self, path: &Path, scale: f64) -> Result<Self> {
        self.adapted(Lora::open(path, scale)?)
    }

    /// The same with a LoRA that is open.
    pub(super) fn adapted(mut self, lora: Lora) -> Result<Self> {
        lora.check_parts(&|part| Ok(self.open(&format!("{part}/config.json"))?.is_some()))?;
        self.adapters.loras.push(Arc::new(lora));
        Ok(self)
    }

    /// Adds a word that was learned after the model; `token` is how it is written, if the file's own name for it is not meant.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or the word is there already.
    pub fn embedding(mut self, path: &Path, token: Option<&str>) -> Result<Self> {
        let embedding = Embedding::open(path, token)?;
        let trigger = embedding.trigger();
        if self.adapters.embeddings.iter().any(|other| other.trigger().eq_ignore_ascii_case(trigger)) {
            bail!("`{trigger}` of {} is a word of another embedding already", path.display());
        }
        self.adapters.embeddings.push(Arc::new(embedding));
        Ok(self)
    }

    /// Leaves out so many of the last layers of text; 0 leaves out none.
    #[must_use]
    pub fn layers_skipped(mut self, count: usize) -> Self {
        self.adapters.layers_skipped = count;
        self
    }
}

impl ModelSource for Overlay {
    fn name(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.below.name())
    }

    fn open(&self, path: &str) -> Result<Option<FileBytes>> {
        let over = path.split_once('/').and_then(|(part, rest)| Some((self.parts.get(part)?, rest)));
        match over {
            Some((Replaced::Folder(files), rest)) => files.open(rest),
            Some((Replaced::Below(other), rest)) => self.below.open(&format!("{other}/{rest}")),
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

    fn adapters(&self) -> &Adapters {
        &self.adapters
    }

    fn files(&self, part: &str) -> Vec<String> {
        match self.parts.get(part) {
            Some(Replaced::Folder(files)) => files.names(""),
            Some(Replaced::Below(other)) => self.below.files(other),
            None => self.below.files(part),
        }
    }

    fn is_random(&self) -> bool {
        self.below.is_random()
    }
}
