//! A model in a folder of the diffusers layout.

use std::fs::File;
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context, Result, bail};

use super::error::trouble;
use super::tensors::{CONVERT, PICKLES};
use super::{FileBytes, ModelSource};

/// A folder with `unet/`, `vae/`, `text_encoder/`, `tokenizer/` and `scheduler/`, or with one network.
#[derive(Debug)]
pub struct Folder {
    files: Files,
}

/// Why a folder is no model, by what lies in it instead.
fn no_model(path: &Path, missing: &str) -> anyhow::Error {
    let place = path.display();
    let said = format!(
        "{place} is no model: a model folder needs unet/, vae/, text_encoder/ and tokenizer/, and {missing}/ is missing"
    );
    let names = Files::new(path.to_owned()).names("");
    let ends = |endings: &[&str]| names.iter().find(|name| endings.iter().any(|end| name.ends_with(end)));
    if let Some(name) = ends(&[".safetensors"]) {
        return trouble(
            format!("{said}; there is `{name}`"),
            "if that file is a whole model, name the file instead of the folder",
        );
    }
    if let Some(name) = ends(&[".ckpt", ".bin", ".pt", ".pth"]) {
        return trouble(format!("{said}; there is only `{name}`, and {PICKLES}"), CONVERT);
    }
    trouble(said, "name the folder that these lie in")
}

/// Bytes of a file, or of all files in a folder and those inside it; links are not followed.
#[must_use]
pub fn bytes_of(path: &Path) -> u64 {
    match std::fs::symlink_metadata(path) {
        Ok(data) if data.is_file() => data.len(),
        Ok(data) if data.is_dir() => {
            std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| bytes_of(&entry.path())).sum()
        }
        _ => 0,
    }
}

/// An open file that somebody named.
pub(super) fn file(path: &Path) -> Result<FileBytes> {
    let file = match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let message = format!("there is no file {}", path.display());
            return Err(trouble(message, "give the path of a .safetensors file"));
        }
        opened => opened.with_context(|| format!("cannot open {}", path.display()))?,
    };
    let meta = file.metadata().with_context(|| format!("cannot open {}", path.display()))?;
    if !meta.is_file() {
        bail!("{} is not a file", path.display());
    }
    Ok(FileBytes::File(Mutex::new(file), meta.len()))
}

/// The files below a folder, whatever they are.
#[derive(Debug)]
pub(super) struct Files {
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
                return Err(no_model(&path, part));
            }
        }
        Ok(Self { files: Files::new(path) })
    }

    /// Opens a folder with one network, whose files lie in no parts: `config.json`, its weights, and perhaps a tokenizer.
    ///
    /// # Errors
    /// Fails if `path` is no folder that holds a `config.json`.
    pub fn of_one_network(path: impl Into<PathBuf>) -> Result<Self> {
        let files = Files::new(path.into());
        if files.open("config.json")?.is_none() {
            let message = format!("{} is no network: config.json is missing from it", files.path.display());
            return Err(trouble(message, "name the folder that config.json and model.safetensors lie in"));
        }
        Ok(Self { files })
    }
}

impl Files {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The names of the files in a folder inside, in order; empty is the folder itself.
    pub(super) fn names(&self, inside: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path.join(inside)).into_iter().flatten().filter_map(Result::ok);
        let files = entries.filter(|entry| entry.path().is_file());
        let mut names: Vec<String> = files.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    /// Opens a file by its path inside the folder; none if there is no such file.
    pub(super) fn open(&self, path: &str) -> Result<Option<FileBytes>> {
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

impl ModelSource for Folder {
    fn name(&self) -> String {
        self.files.path.display().to_string()
    }

    fn open(&self, path: &str) -> Result<Option<FileBytes>> {
        self.files.open(path)
    }

    fn files(&self, part: &str) -> Vec<String> {
        self.files.names(part)
    }
}
