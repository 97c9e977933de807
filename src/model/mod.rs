//! Where weights come from.
//!
//! A [`ModelSource`] is a set of named files in the diffusers layout: the model compiled into the program
//! ([`embedded`]), a folder ([`folder`]), or a folder in the cache that other programs share ([`hub`]). What the files
//! say is read by [`spec`] (configurations) and [`weights`] (tensors); both check before they believe.

#[cfg(feature = "embedded")]
pub mod embedded;
pub mod folder;
#[cfg(feature = "hub")]
pub mod hub;
pub mod random;
pub mod spec;
pub mod weights;

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::sync::Mutex;

use anyhow::{Context, Result, bail};

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
    /// Whether weights are drawn at random instead of read, for measuring.
    fn is_random(&self) -> bool {
        false
    }
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
    /// Fails if the file is missing, larger than 64 MiB, or not UTF-8; the message names it and the model.
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
        let bytes = blob.read(0, blob.len() as usize)?.into_owned();
        let text = String::from_utf8(bytes).with_context(|| format!("{path} of {} is not UTF-8", self.name()))?;
        Ok(Some(text))
    }
}

/// Whether a name means the model in the program.
#[must_use]
pub fn is_embedded(name: &str) -> bool {
    ["", "embedded", "atelier"].contains(&name.trim())
}

/// The model in the program.
///
/// # Errors
/// Fails if this build has none.
pub fn embedded() -> Result<Box<dyn ModelSource>, NoEmbedded> {
    #[cfg(feature = "embedded")]
    return Ok(Box::new(embedded::Embedded));
    #[cfg(not(feature = "embedded"))]
    Err(NoEmbedded)
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

/// The model that `--model` or `/set model` names.
///
/// `embedded` is the model in the program; anything that is a folder is read from there; `owner/name[@revision]` is
/// looked up in the shared cache and fetched if it is not there.
///
/// # Errors
/// Fails if the name is neither, or the model cannot be had.
pub fn find(name: &str) -> Result<Box<dyn ModelSource>> {
    let name = name.trim();
    if is_embedded(name) {
        return Ok(embedded()?);
    }
    if std::path::Path::new(name).is_dir() {
        return Ok(Box::new(folder::Folder::open(name)?));
    }
    if name == random::NAME {
        return Ok(Box::new(random::Random));
    }
    #[cfg(feature = "hub")]
    if hub::looks_like_a_name(name) {
        return Ok(Box::new(hub::fetch(name, &mut hub::quiet())?));
    }
    bail!("there is no model `{name}`: it is not a folder, and not of the form owner/name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_embedded_model_means_it_or_says_that_this_build_has_none() {
        for name in ["embedded", " atelier", ""] {
            match find(name) {
                Ok(model) => {
                    assert_eq!((model.name().as_str(), cfg!(feature = "embedded")), ("embedded", true), "{name}")
                }
                Err(error) => {
                    assert!(!cfg!(feature = "embedded"), "{name}: {error}");
                    assert_eq!(error.to_string(), "no embedded model is in this build");
                    let hint = error.downcast_ref::<NoEmbedded>().unwrap().hint();
                    assert!(hint.contains("--model"), "{hint}");
                }
            }
        }
        assert!(!is_embedded("owner/embedded"));
    }
}
