//! A tree becomes a session's file: what a picture carries, and copies under another name.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};

use super::Session;
use super::file::{DrawnRow, Hinted, SessionFile};
use crate::history::{Event, LogEntry, Tree};
use crate::store::disk::Disk;

/// Writes a tree as a new session's file, all its events in the order they happened. `drawn` says what came out of a
/// node, if that is known.
///
/// # Errors
/// Fails if the file exists or cannot be written; then there is none.
pub fn write(
    tree: &Tree,
    drawn: &dyn Fn(u32) -> Option<DrawnRow>,
    path: &Path,
    title: Option<&str>,
    disk: Arc<dyn Disk>,
) -> Result<()> {
    if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let mut file = SessionFile::create(path, title, disk)?;
    let mut copy = Tree::new();
    let written = (|| -> Result<()> {
        for step in tree.log() {
            let mut record = None;
            let event = match step {
                LogEntry::Grew(number) => {
                    record = drawn(*number);
                    Event::Grow(Box::new(tree[*number].clone()))
                }
                LogEntry::Moved(to) => Event::Move { to: *to },
                LogEntry::Named(node, name) => Event::Name { node: *node, name: name.clone() },
                LogEntry::Set(name, value) => Event::Set { name: name.clone(), value: value.clone() },
            };
            file.commit(&mut copy, event, record.as_ref())?;
        }
        Ok(())
    })();
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

impl Session {
    /// Copies the session to another file, which must not exist, and what models have learned of its pictures; says how many lessons that
    /// were. This session goes on as it was.
    ///
    /// # Errors
    /// Fails if there is no picture yet, or the file exists or cannot be written.
    pub fn copy_to(&self, path: &Path) -> Result<usize> {
        if self.tree().is_empty() {
            return Err(Hinted::new("there is no picture to save yet", "describe one first").into());
        }
        if path.exists() {
            bail!(Hinted::new(format!("`{}` exists already", path.display()), "choose another name"));
        }
        write(self.tree(), &|node| self.drawn(node).cloned(), path, self.title(), self.disk.clone())?;
        self.learner.copy_to(path)
    }

    /// Whether the plans of an imported tree are made for the model they name. A model that is not here says nothing.
    ///
    /// # Errors
    /// Fails if a plan has another number of tokens than the model reads, or pictures of a size that it cannot draw.
    pub fn check_fit(&mut self) -> Result<()> {
        let Some(recipe) = self.tree().current().map(|n| n.recipe.clone()) else { return Ok(()) };
        let Ok(model) = self.model_for(&recipe) else { return Ok(()) };
        let length = model.engine.reader().vocabulary().marks().length;
        ensure!(
            self.tree().nodes().iter().all(|n| n.plan.tokens() == length),
            "its plans are not for the model they name"
        );
        let step = model.engine.size_step();
        ensure!(
            recipe.width % step == 0 && recipe.height % step == 0,
            "the model it names draws no picture of its size"
        );
        Ok(())
    }

    /// Leaves a sentence for the person, to be taken by [`take_notes`](Self::take_notes).
    pub fn note(&mut self, note: String) {
        self.notes.push(note);
    }
}
