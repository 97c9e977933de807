//! Networks that look at pictures and texts, by name: such as find what a text names, and such as score how well it fits.

use anyhow::{Result, bail};

#[cfg(feature = "embedded")]
use super::FileBytes;
use super::folder::Folder;
use super::{ModelSource, place, whole};

/// The network in the program: it knows the parts that the embedded model's pictures consist of.
#[cfg(feature = "embedded")]
#[derive(Debug, Clone, Copy)]
struct EmbeddedParts;

#[cfg(feature = "embedded")]
impl ModelSource for EmbeddedParts {
    fn name(&self) -> String {
        "the network of parts in the program".to_owned()
    }

    fn open(&self, path: &str) -> Result<Option<FileBytes>> {
        let bytes: &'static [u8] = match path {
            "config.json" => include_bytes!("../../assets/parts/config.json"),
            "model.safetensors" => include_bytes!("../../assets/parts/model.safetensors"),
            _ => return Ok(None),
        };
        Ok(Some(FileBytes::Memory(bytes.into())))
    }
}

/// The network in the program.
///
/// # Errors
/// Fails if this build has none.
pub fn embedded() -> Result<Box<dyn ModelSource>, super::NoEmbedded> {
    #[cfg(feature = "embedded")]
    return Ok(Box::new(EmbeddedParts));
    #[cfg(not(feature = "embedded"))]
    Err(super::NoEmbedded)
}

/// The network of this name that finds what a text names: `embedded`, or as [`find_network`] has it.
///
/// # Errors
/// As [`find_network`].
pub fn find(name: &str) -> Result<Box<dyn ModelSource>> {
    if super::is_embedded(name.trim()) {
        return Ok(embedded()?);
    }
    find_network(name, "makes masks")
}

/// The network of this name: a folder, or `owner/name[@revision]`, looked up in the shared cache and fetched if it is not there.
/// `purpose` is what it is looked for: one that `makes masks`.
///
/// # Errors
/// Fails if the name is neither, or the network cannot be had.
pub fn find_network(name: &str, purpose: &str) -> Result<Box<dyn ModelSource>> {
    let name = name.trim();
    let folder = place(name);
    if folder.is_dir() {
        return Ok(Box::new(Folder::of_one_network(whole(&folder)?)?));
    }
    if std::fs::symlink_metadata(&folder).is_ok() {
        bail!("`{name}` is no network that {purpose}: that is a folder with config.json and model.safetensors");
    }
    #[cfg(feature = "hub")]
    if super::is_remote(name) {
        return Ok(Box::new(super::hub::fetch_segmenter(name, &mut super::hub::quiet())?));
    }
    bail!("there is no network `{name}` that {purpose}: it is not a folder, and not of the form owner/name")
}
