//! `/sweep`: the last edit under a grid of settings.

use std::time::Duration;

use anyhow::{Context, Result};

use super::super::reply::Reply;
use super::super::talk::{Talk, Watcher};
use super::{free_path, size};
use crate::preview::file::write_atomically;
use crate::preview::gif;
use crate::preview::png;
use crate::preview::sheet::{Layout, Tile, sheet};
use crate::study::sweep::{Axes, Cell, run, table};

/// How long each picture of a moving sweep is shown.
const FRAME: Duration = Duration::from_millis(600);

/// `/sweep k=0,.3,.6 cross=.2,.8 [gif] [csv]`.
pub(super) fn sweep(talk: &mut Talk, specs: &[String], watcher: &mut dyn Watcher) -> Result<Reply> {
    let here = talk.session.resolve(None)?;
    let wants = |what: &str| specs.iter().any(|s| s == what);
    let (as_gif, as_csv) = (wants("gif"), wants("csv"));
    let axes = Axes::read(specs.iter().map(String::as_str).filter(|s| !["gif", "csv"].contains(s)))?;
    let steps = talk.session.tree()[here].recipe.steps;
    let all = axes.count() * steps;
    let mut watch =
        |cell: usize, step: usize, latent: &candle_core::Tensor| watcher.step(cell * steps + step + 1, all, latent);
    let cells = run(&mut talk.session, here, &axes, &mut watch)?;
    if cells.is_empty() {
        return Ok(Reply::Stopped);
    }
    let tiles: Vec<Tile> = cells.iter().map(|Cell { picture, label, .. }| Tile { picture, label }).collect();
    // The last axis runs across, so that a grid of two settings is read as a table.
    let across = axes.last_count();
    let columns = if axes.names().len() > 1 && across <= 8 { across } else { 0 };
    let picture = sheet(&tiles, &Layout::with_columns(columns));
    let mut text = format!(
        "#{here} under {} settings; nothing was added to the tree\n{}",
        cells.len(),
        table(&axes, &cells).plain()
    );
    if cells.len() < axes.count() {
        text.push_str(&format!("\n  stopped after {} of {}", cells.len(), axes.count()));
    }
    let Some(folder) = talk.out.clone().or_else(|| (as_gif || as_csv).then(Default::default)) else {
        return super::shown_as(talk, "", picture, text);
    };
    if !folder.as_os_str().is_empty() {
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let mut write = |ending: &str, bytes: &[u8]| -> Result<std::path::PathBuf> {
        let path = free_path(&folder.join(format!("sweep-{here:04}.{ending}")));
        write_atomically(&path, bytes)?;
        text.push_str(&format!("\n  {} · {}", path.display(), size(bytes.len() as u64)));
        Ok(path)
    };
    let path = write("png", &png::encode(&picture)?)?;
    if as_gif {
        let frames: Vec<_> = tiles.iter().map(|t| sheet(&[*t], &Layout::default())).collect();
        write("gif", &gif::encode(&frames, FRAME)?)?;
    }
    if as_csv {
        write("csv", table(&axes, &cells).csv().as_bytes())?;
    }
    Ok(super::shown(text, vec![(picture, Some(path))]))
}
