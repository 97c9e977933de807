//! Where weights come from.
//!
//! A [`ModelSource`] is a set of named files in the diffusers layout: the model compiled into the program
//! ([`embedded`]), a folder ([`folder`]), or a folder in the cache that other programs share ([`hub`]). What the files
//! say is read by [`spec`] (configurations) and [`weights`] (tensors); both check before they believe.

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
use std::path::{Path, PathBuf};
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

/// The place in the file system that a name means; `~` is the home folder.
fn place(name: &str) -> PathBuf {
    let home = || ["HOME", "USERPROFILE"].iter().find_map(std::env::var_os).filter(|home| !home.is_empty());
    match (name.strip_prefix('~'), home()) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => {
            Path::new(&home).join(rest.trim_start_matches('/'))
        }
        _ => PathBuf::from(name),
    }
}

/// The whole path to a place, written in one way alone.
fn whole(place: &Path) -> std::io::Result<PathBuf> {
    Ok(std::path::absolute(place)?.components().collect())
}

/// A name as it is written down: what is there by its whole path, so that it is found again from any folder.
#[must_use]
pub fn written(name: &str) -> String {
    let name = name.trim();
    let place = place(name);
    match whole(&place) {
        Ok(whole) if !is_embedded(name) && place.exists() => whole.display().to_string(),
        _ => name.to_owned(),
    }
}

/// Whether a name can only be that of a model on the hub: nothing here is called so.
#[cfg(feature = "hub")]
#[must_use]
pub fn is_remote(name: &str) -> bool {
    let name = name.trim();
    std::fs::symlink_metadata(place(name)).is_err() && hub::looks_like_a_name(name)
}

fn is_embedded(name: &str) -> bool {
    matches!(name, "" | "embedded" | "atelier")
}

/// The model that `--model` or `/set model` names.
///
/// `embedded` is the model in the program; anything that is a folder is read from there; `owner/name[@revision]` is
/// looked up in the shared cache and fetched if it is not there. What is there under the name is never asked for on the
/// hub.
///
/// # Errors
/// Fails if the name is neither, or the model cannot be had.
pub fn find(name: &str) -> Result<Box<dyn ModelSource>> {
    let name = name.trim();
    if is_embedded(name) {
        return Ok(Box::new(embedded::Embedded));
    }
    let place = place(name);
    if place.is_dir() {
        return Ok(Box::new(folder::Folder::open(whole(&place)?)?));
    }
    if name == random::NAME {
        return Ok(Box::new(random::Random));
    }
    if std::fs::symlink_metadata(&place).is_ok() {
        bail!("`{name}` is no model: a model is a folder with unet/, vae/, text_encoder/ and tokenizer/");
    }
    #[cfg(feature = "hub")]
    if is_remote(name) {
        return Ok(Box::new(hub::fetch(name, &mut hub::quiet())?));
    }
    bail!("there is no model `{name}`: it is not a folder, and not of the form owner/name")
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
        assert!(error.contains("`src/lib.rs`"), "{error}");
    }
}
