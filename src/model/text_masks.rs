//! Networks that find in a picture what a text names, by name.

use anyhow::{Result, bail};

use super::folder::SingleFolder;
use super::{ModelSource, place, whole};

/// The network of this name: a folder, or `owner/name[@revision]`, looked up in the shared cache and fetched if it is not there.
///
/// # Errors
/// Fails if the name is neither, or the network cannot be had.
pub fn find(name: &str) -> Result<Box<dyn ModelSource>> {
    let name = name.trim();
    let folder = place(name);
    if folder.is_dir() {
        return Ok(Box::new(SingleFolder::open(whole(&folder)?)?));
    }
    if std::fs::symlink_metadata(&folder).is_ok() {
        bail!("`{name}` is no network that makes masks: that is a folder with config.json and model.safetensors");
    }
    #[cfg(feature = "hub")]
    if super::is_remote(name) {
        return Ok(Box::new(super::hub::fetch_segmenter(name, &mut super::hub::quiet())?));
    }
    bail!("there is no network `{name}` that makes masks: it is not a folder, and not of the form owner/name")
}
