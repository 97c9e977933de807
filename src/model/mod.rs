//! Where weights come from.
//!
//! A [`ModelSource`] is a set of named files in the diffusers layout: the model compiled into the program
//! ([`embedded`](mod@embedded)), a folder ([`folder`]), a folder in the cache that other programs share ([`hub`]), or one of these with
//! other files laid over it ([`overlay`]). What the files say is read by [`spec`] (configurations) and [`weights`] (tensors);
//! both check before they believe.

pub mod adapters;
pub mod checkpoint;
mod decoder;
#[cfg(feature = "embedded")]
pub mod embedded;
pub mod embedding;
mod error;
pub mod folder;
#[cfg(feature = "hub")]
pub mod hub;
pub mod learned;
pub mod lora;
pub mod named;
mod original;
pub mod overlay;
pub mod random;
pub mod spec;
mod tensors;
pub mod text_masks;
pub mod weights;

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context, Result, bail};

pub use error::ModelError;

use adapters::Adapters;

/// The largest configuration or vocabulary file that is read.
const MAX_TEXT_FILE: u64 = 64 << 20;

/// A set of named files in the diffusers layout.
pub trait ModelSource: Send + Sync {
    /// What the model is called for people.
    fn name(&self) -> String;
    /// Opens a file by its path inside the model, such as `unet/config.json`; `None` if there is no such file.
    ///
    /// # Errors
    /// Fails if the file is there but cannot be opened.
    fn open(&self, path: &str) -> Result<Option<FileBytes>>;
    /// The file that the weights of a part lie in, where it is none of the part's own folder.
    ///
    /// # Errors
    /// Fails if it is there but cannot be opened.
    fn weights(&self, part: &str) -> Result<Option<WeightFile>> {
        let _ = part;
        Ok(None)
    }
    /// What is laid over the model.
    fn adapters(&self) -> &Adapters {
        &adapters::NONE
    }
    /// The names of the files in a part's folder, for saying what is there instead of what is missing; none if it is not known.
    fn files(&self, part: &str) -> Vec<String> {
        let _ = part;
        Vec::new()
    }
    /// Whether weights are drawn at random instead of read, for measuring.
    fn is_random(&self) -> bool {
        false
    }
}

/// A file of weights that lies in no part's folder.
#[derive(Debug)]
pub struct WeightFile {
    /// What it is called in messages.
    pub path: String,
    /// What it holds.
    pub bytes: FileBytes,
    /// Whether it holds a whole model in the original layout, and the part is to be found in it; otherwise it holds the part alone,
    /// in either layout.
    pub whole: bool,
}

/// A readable file of known length, in memory or on disk.
#[derive(Debug)]
pub enum FileBytes {
    /// Bytes compiled into the program, or made by a test.
    Memory(Cow<'static, [u8]>),
    /// An open file and its length.
    File(Mutex<File>, u64),
}

impl FileBytes {
    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File(_, len) => *len,
        }
    }

    /// Whether there is nothing to read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads `len` bytes from `offset`; memory is lent, not copied.
    ///
    /// # Errors
    /// Fails if the range reaches past the end or the disk does not answer.
    pub fn read(&self, offset: u64, len: usize) -> Result<Cow<'_, [u8]>> {
        if offset.checked_add(len as u64).is_none_or(|end| end > self.len()) {
            bail!("the file ends before byte {}", offset.saturating_add(len as u64));
        }
        match self {
            Self::Memory(bytes) => Ok(Cow::Borrowed(&bytes[offset as usize..offset as usize + len])),
            Self::File(file, _) => {
                use std::io::{Seek, SeekFrom};
                let mut file = file.lock().map_err(|_| anyhow::anyhow!("another reader of the file failed"))?;
                file.seek(SeekFrom::Start(offset))?;
                let mut bytes = vec![0; len];
                file.read_exact(&mut bytes)?;
                Ok(Cow::Owned(bytes))
            }
        }
    }
}

/// The path of a file in a part of a model; the part "" is the model's folder itself, of networks that have no parts.
#[must_use]
pub fn inside(part: &str, file: &str) -> String {
    if part.is_empty() { file.to_owned() } else { format!("{part}/{file}") }
}

impl dyn ModelSource + '_ {
    /// The whole of a text file.
    ///
    /// # Errors
    /// Fails if the file is missing, larger than 64 MiB, not UTF-8, or a web page or a Git LFS pointer in its place; the message
    /// names it and the model.
    pub fn text(&self, path: &str) -> Result<String> {
        self.text_if_there(path)?.with_context(|| format!("{path} is missing from {}", self.name()))
    }

    /// The whole of a text file, or `None` if there is no such file.
    ///
    /// # Errors
    /// As `text`, except that a missing file is none.
    pub fn text_if_there(&self, path: &str) -> Result<Option<String>> {
        let Some(blob) = self.open(path).with_context(|| format!("cannot open {path} of {}", self.name()))? else {
            return Ok(None);
        };
        if blob.len() > MAX_TEXT_FILE {
            bail!("{path} of {} has {} bytes, more than a text file may have", self.name(), blob.len());
        }
        let bytes = blob.read(0, blob.len() as usize)?;
        // Some editors put a mark of byte order before what they save.
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
        if let Some(error) = error::mistaken(bytes, &format!("{path} of {}", self.name())) {
            return Err(error);
        }
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            let message = format!("{path} of {} is UTF-16", self.name());
            return Err(error::trouble(message, "save it as UTF-8"));
        }
        let bytes = bytes.to_vec();
        let text = String::from_utf8(bytes).with_context(|| format!("{path} of {} is not UTF-8", self.name()))?;
        Ok(Some(text))
    }
}

/// What the model in the program is called without its adapter: as it draws with guidance.
pub const PLAIN: &str = "embedded-plain";

/// Whether a name means the model in the program, with its adapter or without.
#[must_use]
pub fn is_embedded(name: &str) -> bool {
    is_guided(name) || name.trim() == PLAIN
}

/// Whether a name means the model in the program with its adapter: as it draws without guidance.
#[must_use]
pub fn is_guided(name: &str) -> bool {
    ["", "embedded", "atelier"].contains(&name.trim())
}

/// The model in the program, with its adapter.
///
/// # Errors
/// Fails if this build has none.
pub fn embedded() -> Result<Box<dyn ModelSource>> {
    #[cfg(feature = "embedded")]
    return Ok(Box::new(embedded::guided()?));
    #[cfg(not(feature = "embedded"))]
    Err(NoEmbedded.into())
}

/// The model in the program, without its adapter.
///
/// # Errors
/// Fails if this build has none.
pub fn embedded_plain() -> Result<Box<dyn ModelSource>> {
    #[cfg(feature = "embedded")]
    return Ok(Box::new(embedded::Embedded));
    #[cfg(not(feature = "embedded"))]
    Err(NoEmbedded.into())
}

/// The words that a model of this name was trained with, in alphabetical order, where they are few enough to be listed: those of
/// the model in the program, whatever is laid over it. Its vocabulary also has parts of words, which it cannot draw.
#[must_use]
pub fn words_of(name: &str) -> Option<Vec<&'static str>> {
    let name = named::ModelName::parse(name).ok()?;
    #[cfg(feature = "embedded")]
    if is_embedded(&name.below) && name.embeddings.is_empty() {
        return Some(embedded::words().collect());
    }
    let _ = name;
    None
}

/// The program was built without a model of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoEmbedded;

impl NoEmbedded {
    /// One thing to try.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        if cfg!(feature = "hub") {
            "name one with --model: a folder, or owner/name"
        } else {
            "name a folder with --model"
        }
    }
}

impl std::fmt::Display for NoEmbedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no embedded model is in this build")
    }
}

impl std::error::Error for NoEmbedded {}

/// The home folder, if the environment names one.
#[must_use]
pub fn home() -> Option<PathBuf> {
    ["HOME", "USERPROFILE"].iter().find_map(std::env::var_os).filter(|home| !home.is_empty()).map(PathBuf::from)
}

/// The place in the file system that a name means; `~` is the home folder, where there is one.
#[must_use]
pub fn in_home(name: &str, home: Option<&Path>) -> PathBuf {
    match (name.strip_prefix('~'), home) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        _ => PathBuf::from(name),
    }
}

fn place(name: &str) -> PathBuf {
    in_home(name, home().as_deref())
}

/// The whole path to a place, written in one way alone.
fn whole(place: &Path) -> std::io::Result<PathBuf> {
    Ok(std::path::absolute(place)?.components().collect())
}

/// A name as it is written down: what is there by its whole path, so that it is found again from any folder; what is laid
/// over a model likewise.
#[must_use]
pub fn written(name: &str) -> String {
    let Ok(mut all) = named::ModelName::parse(name) else { return name.trim().to_owned() };
    let path = |name: &mut String| {
        let place = place(name.trim());
        match whole(&place) {
            Ok(whole) if place.exists() => *name = whole.display().to_string(),
            _ => *name = name.trim().to_owned(),
        }
    };
    if !is_embedded(&all.below) {
        path(&mut all.below);
    }
    all.loras.iter_mut().for_each(|(file, _)| path(file));
    all.embeddings.iter_mut().for_each(|(file, _)| path(file));
    all.vae.iter_mut().for_each(path);
    all.to_string()
}

/// Whether a name can only be that of a model on the hub: nothing here is called so.
#[cfg(feature = "hub")]
#[must_use]
pub fn is_remote(name: &str) -> bool {
    let name = name.trim();
    std::fs::symlink_metadata(place(name)).is_err() && hub::looks_like_a_name(name)
}

/// The model that `--model` or `/set model` names, with what is laid over it as [`named`] has it.
///
/// `embedded` is the model in the program; anything that is a folder is read from there, and a file is read as a whole model
/// whose configurations lie in `config/` beside it; `owner/name[@revision]` is looked up in the shared cache and fetched if it
/// is not there.
///
/// # Errors
/// Fails if the name is neither, or the model cannot be had.
pub fn find(name: &str) -> Result<Box<dyn ModelSource>> {
    let name = named::ModelName::parse(name)?;
    let below = find_below(&name.below)?;
    if name.is_plain() {
        return Ok(below);
    }
    Ok(Box::new(name.lay_over(below)?))
}

/// The model without anything laid over it.
fn find_below(name: &str) -> Result<Box<dyn ModelSource>> {
    let name = name.trim();
    if is_guided(name) {
        return embedded();
    }
    if name == PLAIN {
        return embedded_plain();
    }
    let place = place(name);
    if place.is_dir() {
        return Ok(Box::new(folder::Folder::open(whole(&place)?)?));
    }
    if place.is_file() {
        let file = whole(&place)?;
        return Ok(Box::new(checkpoint::Checkpoint::open(&file, checkpoint::Checkpoint::config_beside(&file))?));
    }
    if let Some(random) = random::Random::named(name) {
        return Ok(Box::new(random));
    }
    if std::fs::symlink_metadata(&place).is_ok() {
        bail!("`{name}` is no model: a model is a folder with unet/, vae/, text_encoder/ and tokenizer/");
    }
    #[cfg(feature = "hub")]
    if is_remote(name) {
        return Ok(Box::new(hub::fetch(name, &mut hub::quiet())?));
    }
    bail!("there is no model `{name}`: it is not a folder, not a file, and not of the form owner/name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_written_down_by_its_whole_path_and_never_asked_for_on_the_hub() {
        // Names are looked up from the folder of the package, where tests run.
        let whole = std::env::current_dir().unwrap().join("src/model").display().to_string();
        for name in ["src/model", " src/model ", "./src/model", "src//model/", &whole] {
            assert_eq!(written(name), whole, "{name}");
        }
        for name in ["embedded", "owner/name", "owner/name@main", "no/such/folder"] {
            assert_eq!(written(name), name);
        }
        #[cfg(feature = "hub")]
        {
            assert!(is_remote("owner/name"));
            for there in ["src/model", "src/lib.rs", &whole] {
                assert!(!is_remote(there), "{there}");
            }
        }
        let error = find("src/lib.rs").err().expect("it is no model").to_string();
        assert!(error.contains("src/lib.rs"), "{error}");
    }

    #[test]
    fn every_name_of_the_embedded_model_means_it_or_says_that_this_build_has_none() {
        for name in ["embedded", " atelier", ""] {
            let has_one = cfg!(feature = "embedded");
            match find(name) {
                Ok(model) => assert_eq!((model.name().as_str(), has_one), ("embedded", true), "{name}"),
                Err(error) => {
                    assert_eq!((error.to_string().as_str(), has_one), ("no embedded model is in this build", false));
                    let hint = error.downcast_ref::<NoEmbedded>().unwrap().hint();
                    assert!(hint.contains("--model"), "{hint}");
                }
            }
        }
        assert!(!is_embedded("owner/embedded"));
        assert!(is_embedded(PLAIN) && !is_guided(PLAIN));
    }
}
