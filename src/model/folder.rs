//! A model in a folder of the diffusers layout.

use std::fs::File;
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Result, bail};

use super::{FileBytes, ModelSource};

/// A folder with `unet/`, `vae/`, `text_encoder/`, `tokenizer/` and `scheduler/`.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Opens the folder; its files are read later.
    ///
    /// # Errors
    /// Fails if `path` is not a folder that holds a UNet.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        // The forerunner of Stable Diffusion calls two of its folders otherwise.
        for (part, other) in [("unet", "unet"), ("vae", "vqvae"), ("text_encoder", "bert"), ("tokenizer", "tokenizer")]
        {
            if !path.join(part).is_dir() && !path.join(other).is_dir() {
                bail!(
                    "{} is no model: a model folder needs unet/, vae/, text_encoder/ and tokenizer/, and {part}/ is missing",
                    path.display()
                );
            }
        }
        Ok(Self { path })
    }
}

impl ModelSource for Folder {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn open(&self, path: &str) -> Result<Option<FileBytes>> {
        let inside = Path::new(path);
        // An index file of sharded weights names other files; it may not name one outside the folder.
        if inside.components().any(|c| !matches!(c, Component::Normal(_))) {
            bail!("{path} is not a path inside the model");
        }
        match File::open(self.path.join(inside)) {
            Ok(file) => {
                let meta = file.metadata()?;
                if meta.is_file() { Ok(Some(FileBytes::File(Mutex::new(file), meta.len()))) } else { Ok(None) }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
