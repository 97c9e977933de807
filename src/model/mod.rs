//! Where weights come from.
//!
//! A [`ModelSource`] is a set of named files in the diffusers layout: the model compiled into the program
//! ([`embedded`]), a folder ([`folder`]), a folder in the cache that other programs share ([`hub`]), or one of these with
//! other files laid over it ([`overlay`]). What the files say is read by [`spec`] (configurations) and [`weights`] (tensors);
//! both check before they believe.

pub mod adapters;
pub mod checkpoint;
pub mod embedded;
pub mod embedding;
mod error;
pub mod folder;
#[cfg(feature = "hub")]
pub mod hub;
pub mod lora;
pub mod named;
mod original;
pub mod overlay;
pub mod random;
pub mod spec;
mod tensors;
pub mod weights;

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
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
    if name.is_empty() || name == "embedded" || name == "atelier" {
        return Ok(Box::new(embedded::Embedded));
    }
    let path = std::path::Path::new(name);
    if path.is_dir() {
        return Ok(Box::new(folder::Folder::open(name)?));
    }
    if path.is_file() {
        return Ok(Box::new(checkpoint::Checkpoint::open(name, checkpoint::Checkpoint::config_beside(path))?));
    }
    if name == random::NAME {
        return Ok(Box::new(random::Random));
    }
    #[cfg(feature = "hub")]
    if hub::looks_like_a_name(name) {
        return Ok(Box::new(hub::fetch(name, &mut hub::quiet())?));
    }
    bail!("there is no model `{name}`: it is not a folder, not a file, and not of the form owner/name")
}
