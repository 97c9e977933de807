//! Whether the file on the disk is still the one that was written here.
//!
//! The session's lock keeps other windows of this program away, but not editors, `git checkout` or a shell. A file that
//! is another one, longer or shorter than it was left, or that says something else, was changed by such a program:
//! then nothing is cut off and nothing is written, so that no line of theirs and none of ours is lost.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::SystemTime;

use anyhow::Result;

use super::scan::{End, Trust, scan};
use super::{Hinted, SessionFile, cannot_write, name};
use crate::history::Tree;

/// What of a session is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// All of it.
    Whole,
    /// Nothing: its file is gone.
    Gone,
    /// What another program left of it, or put in its place.
    Changed,
}

/// What tells a file from another, and from itself at another time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Trace {
    /// Bytes; `None` if there is no file.
    pub(super) length: Option<u64>,
    identity: Option<(u64, u64)>,
    written: Option<SystemTime>,
}

impl Trace {
    /// The file at `path` as it is now.
    pub(super) fn of(path: &Path) -> Self {
        fs::metadata(path).map_or_else(|_| Self::default(), |data| Self::from(&data))
    }

    /// Whether both are of one file.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        self.identity == other.identity
    }
}

impl From<&fs::Metadata> for Trace {
    fn from(data: &fs::Metadata) -> Self {
        #[cfg(unix)]
        let identity = {
            use std::os::unix::fs::MetadataExt;
            Some((data.dev(), data.ino()))
        };
        #[cfg(not(unix))]
        let identity = None;
        Self { length: Some(data.len()), identity, written: data.modified().ok() }
    }
}

impl SessionFile {
    /// Whether the next event could be written, as far as that can be known: the file is as it was left, or can be made
    /// so. `tree` holds the events in it.
    ///
    /// # Errors
    /// The file is gone, cannot be read, or another program has changed it; then it is not written any more.
    pub fn check(&mut self, tree: &Tree) -> Result<()> {
        let path = self.path.clone();
        let failed = |error: io::Error| cannot_write(&path, &error);
        let found = Trace::from(&fs::metadata(&path).map_err(failed)?);
        if self.is_changed {
            return Err(self.refusal("another program changed its file"));
        }
        if found.is_of(&self.left) && !self.half.is_empty() {
            self.take_back().map_err(failed)?;
        } else if !found.is_of(&self.left) || found.length != Some(self.length) {
            self.is_changed = true;
        } else if found.written != self.left.written {
            // Written without becoming longer; a backup or `touch` changes the time alone.
            self.is_changed = !self.says(tree);
            self.left = found;
        }
        if self.is_changed { Err(self.refuse()) } else { Ok(()) }
    }

    /// What of the session is on the disk; `tree` holds the events that were written.
    #[must_use]
    pub fn kept(&self, tree: &Tree) -> Kept {
        let now = Trace::of(&self.path);
        let Some(length) = now.length else { return Kept::Gone };
        // Some bytes of a line that failed are no harm: the next to open the file sets them aside.
        let ends_well = || match self.after_lines() {
            Ok(Some(bytes)) => self.half.starts_with(&bytes),
            _ => false,
        };
        let is_ours = !self.is_changed
            && now.is_of(&self.left)
            && (length == self.length || ends_well())
            && (now.written == self.left.written || !self.half.is_empty() || self.says(tree));
        if is_ours { Kept::Whole } else { Kept::Changed }
    }

    /// Cuts off what a failed write left, if it is that and nothing else.
    pub(super) fn take_back(&mut self) -> io::Result<()> {
        if self.half.is_empty() {
            return Ok(());
        }
        match self.after_lines()? {
            Some(bytes) if self.half.starts_with(&bytes) => {
                if !bytes.is_empty() {
                    self.disk.truncate(&self.path, self.length)?;
                    self.disk.sync(&self.path)?;
                }
                self.half.clear();
                self.left = Trace::of(&self.path);
            }
            _ => self.is_changed = true,
        }
        Ok(())
    }

    /// Whether the whole lines are followed by these bytes and no others.
    pub(super) fn ends_with(&self, bytes: &[u8]) -> io::Result<bool> {
        if fs::metadata(&self.path)?.len() != self.length + bytes.len() as u64 {
            return Ok(false);
        }
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.length))?;
        let mut found = Vec::new();
        file.take(bytes.len() as u64 + 1).read_to_end(&mut found)?;
        Ok(found == bytes)
    }

    /// The bytes after the whole lines, no more than a failed write can have left and one; `None` if even lines are
    /// missing.
    fn after_lines(&self) -> io::Result<Option<Vec<u8>>> {
        let mut file = File::open(&self.path)?;
        if file.metadata()?.len() < self.length {
            return Ok(None);
        }
        file.seek(SeekFrom::Start(self.length))?;
        let mut found = Vec::new();
        file.take(self.half.len() as u64 + 1).read_to_end(&mut found)?;
        Ok(Some(found))
    }

    /// Whether the file, read anew, tells of this tree and nothing else.
    fn says(&self, tree: &Tree) -> bool {
        scan(&self.path, &*self.disk, Trust::Own).is_ok_and(|found| {
            matches!(found.end, End::Whole) && found.length == self.length && found.contents.tree == *tree
        })
    }

    /// Ends all writing, and says so for the first time.
    pub(in crate::session) fn refuse(&mut self) -> anyhow::Error {
        self.is_changed = true;
        self.refusal("another program has changed the file, so nothing more is written to it")
    }

    fn refusal(&self, why: &str) -> anyhow::Error {
        let name = name(&self.path);
        let hint = format!("`/save NAME` writes the session elsewhere; `/open {name}` goes on with what is there now");
        Hinted::new(format!("cannot write session `{name}`: {why}"), hint).into()
    }
}
