//! A whole model in one file, in the original layout.
//!
//! Such a file holds tensors and nothing else. Configurations and vocabularies lie beside it, in the diffusers layout.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::folder::{self, Folder};
use super::{FileBytes, ModelSource, WeightFile};

/// A file of a whole model, and where its configurations are.
pub struct Checkpoint {
    path: PathBuf,
    config: Folder,
}

impl Checkpoint {
    /// The model in the file `path`, with configurations and vocabularies from the folder `config`.
    ///
    /// # Errors
    /// Fails if either is missing.
    pub fn open(path: impl Into<PathBuf>, config: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        folder::file(&path)?;
        let config = Folder::open(config).with_context(|| {
            format!("{} holds tensors alone, and its configurations cannot be read", path.display())
        })?;
        Ok(Self { path, config })
    }

    /// The folder beside a file where its configurations are looked for.
    #[must_use]
    pub fn config_beside(path: &Path) -> PathBuf {
        path.with_file_name("config")
    }
}

impl ModelSource for Checkpoint {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn open(&self, path: &str) -> Result<Option<FileBytes>> {
        self.config.open(path)
    }

    fn weights(&self, _part: &str) -> Result<Option<WeightFile>> {
        Ok(Some(WeightFile { path: self.path.display().to_string(), bytes: folder::file(&self.path)?, whole: true }))
    }
}
