//! What the cache holds: models that can be drawn with, and how one is removed.

use std::fs;
use std::path::Path;

use anyhow::Result;

use super::cache::Repo;
use super::error::{disk, trouble};
use super::name::Name;
use super::{HubSettings, parse};
use crate::model::folder::{Folder, bytes_of};
use crate::model::spec::ModelSpec;

/// A model in the cache.
#[derive(Debug)]
pub struct CachedModel {
    /// `owner/name`.
    pub name: String,
    /// Bytes on disk, all its revisions together.
    pub bytes: u64,
    /// Its files and what they say, or why it cannot be drawn with.
    pub model: Result<(Folder, ModelSpec), String>,
}

/// The models in the cache, by name. What other programs keep there and is of no image model is left out.
///
/// # Errors
/// Fails if the cache is there and cannot be read.
pub fn cached(settings: &HubSettings) -> Result<Vec<CachedModel>> {
    let entries = match fs::read_dir(&settings.cache) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(disk(&error, "the list of models", &settings.cache)),
    };
    let mut models = Vec::new();
    for entry in entries.filter_map(Result::ok) {
        let Some(name) = entry.file_name().to_str().and_then(name_of) else { continue };
        let place = entry.path();
        if !is_image_model(&place) {
            continue;
        }
        let repo = Repo::new(&settings.cache, &name);
        let read = |folder: Folder| ModelSpec::read(&folder).map(|spec| (folder, spec));
        let model = match repo.look(None) {
            Ok(snapshot) => Folder::open(snapshot).and_then(read).map_err(|e| e.to_string()),
            Err(Some(lack)) => Err(lack.to_string()),
            Err(None) => Err("the revision `main` is not there".to_owned()),
        };
        models.push(CachedModel { name: name.to_string(), bytes: bytes_of(&place), model });
    }
    models.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(models)
}

/// Removes a model, all its revisions, from the cache, and says how many bytes that were.
///
/// # Errors
/// Fails if the name is none, or there is no such model, or it is of another kind, or the disk refuses.
pub fn remove(settings: &HubSettings, name: &str) -> Result<u64> {
    let shown = crate::safe::printable_line(name.trim());
    let parsed = parse(name, "`wordbrush models` lists those in the cache")?;
    let place = Repo::new(&settings.cache, &parsed).place();
    if !place.is_dir() {
        return Err(trouble(
            format!("`{shown}` is not in the cache at {}", settings.cache.display()),
            "`wordbrush models` lists those that are",
        ));
    }
    if !is_image_model(&place) {
        return Err(trouble(
            format!("`{shown}` is in the cache, but it is no model that wordbrush draws with"),
            "remove it with the program that put it there",
        ));
    }
    let bytes = bytes_of(&place);
    fs::remove_dir_all(&place).map_err(|error| disk(&error, &shown, &place))?;
    Ok(bytes)
}

/// The name behind `models--owner--name`.
fn name_of(folder: &str) -> Option<Name> {
    Name::parse(&folder.strip_prefix("models--")?.replacen("--", "/", 1))
}

/// Whether some revision has a UNet.
fn is_image_model(place: &Path) -> bool {
    let revisions = fs::read_dir(place.join("snapshots")).into_iter().flatten().filter_map(Result::ok);
    revisions.map(|entry| entry.path()).any(|path| path.join("unet").is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(cache: &Path) -> HubSettings {
        let home = cache.display().to_string();
        HubSettings::from_env(|name| (name == "HF_HUB_CACHE").then(|| home.clone())).unwrap()
    }

    #[test]
    fn only_image_models_are_listed_and_removed() {
        let cache = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = cache.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("models--a--pictures/snapshots/main/unet/config.json", "{}");
        put("models--a--pictures/blobs/x", "12345");
        put("models--a--words/snapshots/main/config.json", "{}");
        put("datasets--a--pictures/snapshots/main/unet/config.json", "{}");
        let settings = settings(cache.path());
        let listed = cached(&settings).unwrap();
        assert_eq!(listed.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["a/pictures"]);
        assert_eq!(listed[0].bytes, 7);
        assert!(listed[0].model.as_ref().is_err_and(|why| why.contains("main")));

        for (name, said) in [("a/words", "no model that"), ("a/none", "not in the cache"), ("../x", "not the name")] {
            let error = remove(&settings, name).unwrap_err().to_string();
            assert!(error.contains(said), "{name}: {error}");
        }
        assert_eq!(remove(&settings, "a/pictures").unwrap(), 7);
        assert!(cached(&settings).unwrap().is_empty());
        assert!(cache.path().join("models--a--words/snapshots/main/config.json").is_file());
    }

    #[test]
    fn a_cache_that_is_not_there_holds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(cached(&settings(&folder.path().join("none"))).unwrap().is_empty());
    }
}
