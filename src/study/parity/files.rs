//! The files that a case's model is made of.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::case::{AdapterCase, Case};
use crate::model::ModelSource;
use crate::model::checkpoint::Checkpoint;
use crate::model::folder::Folder;
use crate::model::overlay::Overlay;

/// The model in `folder`, with what the case lays over it; its paths count from the case's folder.
pub(super) fn source(case: &Case, folder: PathBuf) -> Result<Box<dyn ModelSource>> {
    let said = |key: &str| format!("cannot do what case.json says in `{key}`");
    let mut source = Overlay::new(match &case.checkpoint {
        Some(file) => {
            let file = folder.join(file);
            let config = Checkpoint::config_beside(&file);
            Box::new(Checkpoint::open(file, config).with_context(|| said("checkpoint"))?)
        }
        None => Box::new(Folder::open(folder)?),
    });
    for (part, path) in &case.overlay {
        source = source.part(part, case.folder.join(path)).with_context(|| said("overlay"))?;
    }
    if let Some(path) = &case.vae_file {
        source = source.vae_file(case.folder.join(path)).with_context(|| said("vae_file"))?;
    }
    for adapter in &case.adapters {
        let laid = match adapter {
            AdapterCase::Lora { path, scale } => source.lora(&case.folder.join(path), *scale),
            AdapterCase::Embedding { path, token } => source.embedding(&case.folder.join(path), token.as_deref()),
        };
        source = laid.with_context(|| said("adapters"))?;
    }
    Ok(Box::new(source.layers_skipped(case.layers_skipped)))
}

/// What a case lays over its model, told apart from what others lay over it.
pub(super) fn laid_over(case: &Case) -> String {
    let plain = case.overlay.is_empty() && case.vae_file.is_none() && case.adapters.is_empty();
    // Paths count from the case's folder.
    let folder = if plain { None } else { Some(&case.folder) };
    let Case { checkpoint, vae_file, overlay, adapters, layers_skipped, .. } = case;
    format!("{:?}", (folder, checkpoint, vae_file, overlay, adapters, layers_skipped))
}
