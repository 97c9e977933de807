//! Sessions as files: list, copy, open, replay.

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Result;

use super::super::batch::verdict;
use super::super::config::Config;
use super::super::files::{home, open_path, sessions_text};
use super::super::reply::Reply;
use super::super::talk::{Talk, Watcher, text};
use crate::session::Options;
use crate::session::file::{Hinted, Trust};
use crate::session::home::pictures_of;

/// `/sessions`.
pub(in crate::repl) fn sessions(talk: &Talk) -> Result<Reply> {
    Ok(text(sessions_text(&home()?, talk.session.path())?))
}

/// `/save [NAME]`.
pub(in crate::repl) fn save(talk: &mut Talk, name: Option<&str>) -> Result<Reply> {
    let Some(name) = name else {
        let nodes = talk.session.tree().len();
        return match talk.session.path() {
            Some(path) if path.exists() => {
                Ok(text(format!("saved after every turn: {} ({nodes} pictures)", path.display())))
            }
            Some(path) => Ok(text(format!("will be saved from the first picture on: {}", path.display()))),
            None => Ok(text("kept in memory alone; /save NAME writes it to a file")),
        };
    };
    let path = home()?.file(name)?;
    if path.exists() {
        return Err(Hinted::new(
            format!("session `{name}` exists already"),
            "choose another name; /sessions lists them",
        )
        .into());
    }
    talk.session.copy_to(&path)?;
    let folder = pictures_of(&path);
    let mut count = 0;
    for node in 1..=talk.session.tree().len() as u32 {
        // Only what need not be drawn: the copy draws the rest when it is asked for.
        if talk.session.picture_if_stored(node).is_some() {
            std::fs::create_dir_all(&folder)?;
            talk.save_png(node, &folder.join(format!("{node:04}.png")))?;
            count += 1;
        }
    }
    let here = talk.session.path().map_or("in memory".to_owned(), |p| p.display().to_string());
    Ok(text(format!(
        "copied to {} with {count} pictures in {}\n  this conversation goes on in its own place: {here}",
        path.display(),
        folder.display()
    )))
}

/// `/open FILE`.
pub(in crate::repl) fn open(talk: &Talk, file: &str) -> Result<Reply> {
    let options = Options {
        home: home()?,
        path: None,
        read_only: talk.session.is_read_only(),
        settings: Config::read(home()?.config())?.settings,
        overrides: Vec::new(),
        limits: talk.session.limits().clone(),
    };
    Ok(Reply::Switched(Box::new(open_path(file, options)?)))
}

/// `/replay FILE`: every picture of a session file drawn again and compared; this session stays as it is.
pub(in crate::repl) fn replay(talk: &mut Talk, file: &str, watcher: &mut dyn Watcher) -> Result<Reply> {
    let named = home()?.file(file).ok().filter(|path| path.exists());
    let path = named.unwrap_or_else(|| Path::new(file).to_owned());
    let mut lines = Vec::new();
    let replayed = talk.session.replay(
        &path,
        Trust::Imported,
        &mut |node, count| {
            lines.push(verdict(node.node, count, &node.verdict));
            ControlFlow::Continue(())
        },
        &mut |step, latent| watcher.step(step + 1, step + 2, latent),
    )?;
    lines.push(format!("{}: {}", path.display(), replayed.summary()));
    Ok(text(lines.join("\n")))
}
