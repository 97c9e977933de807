//! Opening a session, and the file it gets at its first picture.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};

use super::drawing::RunNodes;
use super::file::{self, DrawnRow, Hinted, Kept, SessionFile, Trust};
use super::home::store_of;
use super::learning::Learner;
use super::lock::Lock;
use super::model::{Models, maker};
use super::{Options, Session, inspect};
use crate::history::{Event, Tree};
use crate::model;
use crate::plan::settings::{Per, find};
use crate::store::Store;
use crate::store::disk::RealDisk;

/// Whether a setting belongs to this machine and to no picture.
fn is_of_machine(name: &str) -> bool {
    find(name).is_some_and(|setting| setting.per == Per::Machine)
}

impl Session {
    /// Opens the session, and begins to load its model in the background.
    ///
    /// # Errors
    /// Fails if the file cannot be read, is damaged before its end, or is open elsewhere; if a setting is wrong; and if there
    /// is no picture yet and no model is named in a build without one.
    pub fn open(options: Options) -> Result<Self> {
        let mut settings = options.settings;
        // Before anything is read from a store: its values are asked for in the name of whoever computes.
        for (name, value) in options.overrides.iter().filter(|(name, _)| is_of_machine(name)) {
            settings.set(name, value)?;
        }
        let mut models = Models::default();
        models.compute_on(settings.device);
        let mut session = Self {
            tree: Tree::new(),
            file: None,
            lock: None,
            read_only: options.read_only,
            store: Store::in_memory(&options.limits),
            learner: Learner::beside(options.path.as_deref(), !options.read_only, Arc::new(RealDisk)),
            limits: options.limits,
            settings,
            unsaved: Vec::new(),
            unwritten: Vec::new(),
            models,
            drawn: Vec::new(),
            segmenter: None,
            run_nodes: RunNodes::default(),
            notes: Vec::new(),
            path: options.path,
            disk: Arc::new(RealDisk),
        };
        if let Some(path) = session.path.clone().filter(|p| p.is_file()) {
            session.reopen(&path)?;
        }
        for (name, value) in options.overrides.iter().filter(|(name, _)| !is_of_machine(name)) {
            session.change(name, value)?;
        }
        let (name, precision) = session.model_wanted();
        if session.tree.is_empty() && model::is_embedded(&name) {
            // Nothing could be drawn, and nothing is there to be looked at.
            model::embedded()?;
        }
        session.models.begin(&name, precision);
        Ok(session)
    }

    fn reopen(&mut self, path: &Path) -> Result<()> {
        let contents = if self.read_only {
            file::read(path, &*self.disk, Trust::Own)?
        } else {
            self.lock = Some(Lock::take(path, &self.name())?);
            let opened = SessionFile::open(path, self.disk.clone())?;
            self.file = Some(opened.file);
            self.store = Store::open(&store_of(path), &maker(self.device()), &self.limits, self.disk.clone());
            opened.contents
        };
        self.tree = contents.tree;
        self.drawn = contents.drawn;
        self.notes = contents.notes;
        self.note_gone_photographs();
        for (name, value) in self.tree.settings().to_vec() {
            // A file may come from another machine.
            if name == inspect::TITLE || is_of_machine(&name) {
                continue;
            }
            if let Err(error) = self.settings.set(&name, &value) {
                self.notes.push(format!("a setting of the session was left out: {error}"));
            }
        }
        Ok(())
    }

    /// Makes the file and its store, if they are not there yet: a window that draws nothing leaves nothing behind. A file
    /// that is there is looked at, so that nothing is drawn that could not be kept.
    pub(super) fn begin_file(&mut self) -> Result<()> {
        if let Some(file) = &mut self.file {
            return file.check(&self.tree);
        }
        if self.read_only {
            return Err(Hinted::new(
                format!("session `{}` is open for reading only", self.name()),
                "open it without --read-only",
            )
            .into());
        }
        let Some(path) = self.path.clone() else { return Ok(()) };
        if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        // Nothing is kept of what fails here, so that it may be tried again.
        let mut lock = Lock::take(&path, &self.name())?;
        let title = self.name();
        let mut file = SessionFile::create(&path, Some(&title), self.disk.clone())?;
        lock.hold(&path, &title)?;
        let unsaved = std::mem::take(&mut self.unsaved);
        let set = |(name, value): &(String, String)| Event::Set { name: name.clone(), value: value.clone() };
        let written = unsaved.iter().map(set).try_for_each(|event| file.commit(&mut self.tree, event, None));
        (self.file, self.lock) = (Some(file), Some(lock));
        if written.is_err() {
            self.take_back_file(unsaved);
            return written;
        }
        self.store = Store::open(&store_of(&path), &maker(self.device()), &self.limits, self.disk.clone());
        Ok(())
    }

    /// Gives a session that has no file yet another path for it: the one it was to have was taken by another window. A
    /// session that has a file keeps it.
    pub fn move_to(&mut self, path: PathBuf) {
        if self.file.is_none() {
            self.learner = Learner::beside(Some(&path), !self.read_only, self.disk.clone());
            self.path = Some(path);
        }
    }

    /// Whether the session has its file: one that was opened, or made at the first picture.
    #[must_use]
    pub fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// Takes back a file that was made for a first picture which did not come about, with its store; `unsaved` are the
    /// settings that had waited for it.
    pub(super) fn take_back_file(&mut self, unsaved: Vec<(String, String)>) {
        let Some(path) = self.path.clone().filter(|_| self.tree.is_empty()) else { return };
        // What another program has made of it meanwhile stays.
        let kept = self.kept();
        if matches!(kept, None | Some(Kept::Changed)) {
            return;
        }
        self.store = Store::in_memory(&self.limits);
        self.file = None;
        // What cannot be removed is an empty session, and does no harm.
        let _ = fs::remove_dir_all(store_of(&path));
        if kept == Some(Kept::Whole) {
            let _ = fs::remove_file(&path);
        }
        self.lock = None;
        (self.tree, self.unsaved) = (Tree::new(), unsaved);
    }

    pub(super) fn commit(&mut self, event: Event, drawn: Option<&DrawnRow>) -> Result<()> {
        let line = match &event {
            Event::Grow(node) => Some(node.line.clone()),
            Event::Name { name, .. } => Some(format!("/branch {name}")),
            Event::Set { name, value } if name == inspect::TITLE => Some(format!("/name {value}")),
            Event::Set { name, value } => Some(format!("/set {name} {value}")),
            Event::Move { .. } => None,
        };
        let written = self.begin_file().and_then(|()| match &mut self.file {
            Some(file) => file.commit(&mut self.tree, event, drawn),
            None => Ok(self.tree.apply(event)?),
        });
        if let Some(line) = line {
            self.unwritten.retain(|unwritten| *unwritten != line);
            self.unwritten.extend(written.is_err().then_some(line));
        }
        written
    }

    /// Sees that the file can be written before the picture of `line` is drawn.
    pub(super) fn begin_file_for(&mut self, line: &str) -> Result<()> {
        let begun = self.begin_file();
        if begun.is_err() && !self.unwritten.iter().any(|unwritten| unwritten == line) {
            self.unwritten.push(line.to_owned());
        }
        begun
    }

    /// Lines that could not be written, and were not since.
    #[must_use]
    pub fn unwritten(&self) -> &[String] {
        &self.unwritten
    }

    /// What of the session is on the disk; `None` if it has no file, or only looks at one.
    #[must_use]
    pub fn kept(&self) -> Option<Kept> {
        self.file.as_ref().map(|file| file.kept(&self.tree))
    }

    /// Gives the file back to whoever opens it next. The tree stays as it is; it can be looked at and copied, and not be
    /// written any more.
    pub fn let_go(&mut self) {
        if let Some(file) = &mut self.file {
            file.refuse();
            self.store = Store::in_memory(&self.limits);
            self.lock = None;
        }
    }

    /// Forgets all that can be computed again, in memory and in the store's memory; the tree stays. For tests and for
    /// measuring what a cold start costs.
    pub fn forget(&mut self) {
        self.run_nodes.clear();
        self.learner.forget();
        if self.store.is_on_disk() {
            self.store.forget_memory();
        } else {
            self.store = Store::in_memory(&self.limits);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::settings::{Precision, Settings, name_of};
    use crate::session::home::Home;
    use crate::session::model::default_precision;
    use crate::store::Limits;

    #[test]
    fn a_model_is_loaded_once_whatever_is_set_beside_its_name() {
        let other = match default_precision(Settings::default().device) {
            Precision::F32 => Precision::Bf16,
            _ => Precision::F32,
        };
        let mut session = Session::open(Options {
            home: Home::find(|_| Some("/nowhere".into())).unwrap(),
            path: None,
            read_only: false,
            settings: Settings::default(),
            overrides: [("model", "embedded".to_owned()), ("precision", name_of(&other)), ("vae", "auto".to_owned())]
                .map(|(name, value)| (name.to_owned(), value))
                .into(),
            limits: Limits { ram: 1 << 20, disk: 0 },
        })
        .unwrap();
        assert_eq!(session.models.loading(), 1);
        let model = session.model().unwrap();
        assert_eq!((model.name.as_str(), model.precision), ("embedded", other));
        assert_eq!(session.models.loading(), 1);
    }
}
