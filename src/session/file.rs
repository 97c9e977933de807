//! The session's file: one JSON object per line, appended and never rewritten.
//!
//! The first line is a [`Header`], every other line an [`Event`]. A node's line has all that is needed to draw it
//! again. Opening a file folds its events into a [`Tree`]; [`SessionFile::commit`] writes one more event, waits until
//! it is on the medium, and only then applies it. What fails halfway is taken back, so the file holds whole turns.
//!
//! - A last line that cannot be read (the program was killed while it wrote) is set aside in `NAME.jsonl.broken-1` and
//!   the file goes on without it.
//! - Nothing is cut off but what this process itself wrote in part: the bytes there are compared with those it wrote. A
//!   file that another program has changed meanwhile (`watch`) is left as it is, and not written until it is opened
//!   again.
//! - A damaged line further up is never skipped, because all numbers after it would change: the file can be read up to
//!   there and is not written any more.
//! - Each node's id is computed from its line and compared with the one written there.
//!
//! Texts in a file come from anyone: whoever shows them passes them through [`safe`](crate::safe). Files of others are
//! opened with [`Trust::Imported`].

mod area_rows;
mod columns;
mod hex;
mod hinted;
mod lineage;
mod pixels;
mod redraw_rows;
mod rows;
mod scan;
mod watch;

#[cfg(test)]
mod kill_tests;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};

pub use hinted::Hinted;
pub(crate) use hinted::plainly;
pub use lineage::{read_lineage, write_lineage};
pub(crate) use redraw_rows::png_of;
pub use scan::{Contents, Summary, Trust, read, summary};
pub use watch::Kept;

use crate::history::{Event, Tree};
use crate::store::disk::Disk;
use rows::{HeaderRow, PictureRow, Row};
use scan::{End, scan};
use watch::Trace;

/// Version of the file's rows. Files of a larger one are not opened.
pub const FILE_FORMAT: u32 = 1;

/// The most bytes a line may have.
pub const LONGEST_LINE: usize = 8 << 20;

/// The most nodes a file may have.
pub const MOST_NODES: usize = 100_000;

/// Bytes of a thumbprint: 16 x 16 pixels, red, green and blue.
pub const THUMBPRINT_BYTES: usize = 768;

/// The first line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Version of the rows.
    pub format: u32,
    /// Version of the program that began the file.
    pub program: String,
    /// What the session is called for people.
    pub title: Option<String>,
}

/// What came out when a node was drawn: what replay compares with.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnRow {
    /// Digest of the picture's bytes, 64 hexadecimal digits.
    pub digest: String,
    /// Mean colours of a 16 x 16 grid, row by row, 8 bits each: [`THUMBPRINT_BYTES`] bytes.
    pub thumbprint: Vec<u8>,
    /// Kernel family and engine version: the digest holds for these only.
    pub kernels: String,
    /// Seconds that the turn took.
    pub seconds: f64,
    /// UNet samples that it took.
    pub evaluations: u64,
}

/// A session's file, open for writing.
///
/// Hold the session's [`Lock`](super::lock::Lock) while one exists.
pub struct SessionFile {
    path: PathBuf,
    disk: Arc<dyn Disk>,
    /// Bytes of whole lines.
    length: u64,
    /// The file as we left it.
    left: Trace,
    /// A line that could not be written: the file may end with some bytes of it.
    half: Vec<u8>,
    /// Whether another program has changed the file; then it is not written any more.
    is_changed: bool,
}

/// A file that was opened, and what was in it.
pub struct Opened {
    /// The file, ready for more events.
    pub file: SessionFile,
    /// What was in it.
    pub contents: Contents,
}

impl SessionFile {
    /// Begins a file. It appears whole, with its header, or not at all.
    ///
    /// # Errors
    /// The file exists, or the folder cannot be written.
    pub fn create(path: &Path, title: Option<&str>, disk: Arc<dyn Disk>) -> Result<Self> {
        ensure!(
            fs::symlink_metadata(path).is_err(),
            Hinted::new(format!("session `{}` exists already", name(path)), "open it, or choose another name")
        );
        let line = header_line(title)?;
        let fresh = beside(path, "new");
        let written = (|| {
            if fresh.exists() {
                disk.remove(&fresh)?; // of a process that was killed right here
            }
            disk.create(&fresh, &line)?;
            disk.sync(&fresh)?;
            disk.rename(&fresh, path)?;
            disk.sync(folder(path))
        })();
        if let Err(error) = written {
            let _ = disk.remove(&fresh);
            return Err(cannot_write(path, &error));
        }
        Ok(Self::as_left(path, disk, line.len() as u64))
    }

    fn as_left(path: &Path, disk: Arc<dyn Disk>, length: u64) -> Self {
        let (left, path) = (Trace::of(path), path.to_owned());
        Self { path, disk, length, left, half: Vec::new(), is_changed: false }
    }

    /// Opens a file to go on with it. One without any bytes is begun.
    ///
    /// A broken last line is moved to `NAME.jsonl.broken-N`, and [`Contents::notes`] says so.
    ///
    /// # Errors
    /// It is not a session, of a newer version, damaged before its last line, or cannot be written.
    pub fn open(path: &Path, disk: Arc<dyn Disk>) -> Result<Opened> {
        let scanned = scan(path, &*disk, Trust::Own)?;
        let mut contents = scanned.contents;
        let mut file = Self::as_left(path, disk, scanned.length);
        match scanned.end {
            End::Whole => {}
            End::Empty => file.append(&header_line(None)?, &contents.tree)?,
            End::NoNewline => file.append(b"\n", &contents.tree)?,
            End::Broken { bytes, why } => {
                let aside = file.set_aside(&bytes)?;
                let what = if bytes.last() == Some(&b'\n') { "cannot be read" } else { "was cut off" };
                contents.notes.push(format!(
                    "the last line of session `{}` {what} ({why}) and is set aside in {}; the turns before it are whole",
                    name(path),
                    aside.display()
                ));
            }
            End::Damaged { line, why } => {
                let message = format!("line {line} of session `{}` is damaged: {why}", name(path));
                let hint = format!("the turns before it can be read: wordbrush open {} --read-only", name(path));
                return Err(Hinted::new(message, hint).into());
            }
        }
        Ok(Opened { file, contents })
    }

    /// Moves a broken last line into a file of its own. The line is in both files for a moment, never in none.
    fn set_aside(&mut self, bytes: &[u8]) -> Result<PathBuf> {
        let free = |n: &u32| !beside(&self.path, &format!("broken-{n}")).exists();
        let number = (1..).find(free).unwrap_or(u32::MAX);
        let aside = beside(&self.path, &format!("broken-{number}"));
        let moved = (|| {
            self.disk.create(&aside, bytes)?;
            self.disk.sync(&aside)?;
            if !self.ends_with(bytes)? {
                return Err(std::io::Error::other("another program is writing to it"));
            }
            self.disk.truncate(&self.path, self.length)?;
            self.disk.sync(&self.path)
        })();
        moved.map_err(|error| cannot_write(&self.path, &error))?;
        self.left = Trace::of(&self.path);
        Ok(aside)
    }

    /// Writes an event, waits until it is on the medium, and applies it to `tree`, which holds the events before it.
    ///
    /// # Errors
    /// The event does not fit, or the disk is full, read-only or failing. The file and the tree are then as they were.
    pub fn commit(&mut self, tree: &mut Tree, event: Event, drawn: Option<&DrawnRow>) -> Result<()> {
        if matches!(event, Event::Grow(_)) {
            let hint = "begin another session";
            ensure!(tree.len() < MOST_NODES, Hinted::new(format!("a session has at most {MOST_NODES} pictures"), hint));
        }
        let row = Row::from_event(&event, drawn.map(PictureRow::from))?;
        let line = serde_json::to_string(&row).context("BUG: an event cannot be written as JSON")?;
        // Controls and marks that JSON allows raw are written out, for the sake of whoever shows the file as it is.
        let mut line = crate::safe::printable_line(&line).into_bytes();
        // What cannot be read back (a weight that is no number, say) would make the file unreadable: refuse it now.
        let again =
            serde_json::from_slice::<Row>(&line).map_err(anyhow::Error::from).and_then(|row| row.into_event(tree));
        ensure!(again.is_ok_and(|again| again == event), "BUG: this turn would not be the same when read again");
        line.push(b'\n');
        let is_photograph =
            matches!(&event, Event::Grow(node) if node.parent.is_none() && node.recipe.photograph().is_some());
        let hint = if is_photograph { "/set size to something smaller" } else { "type less in one line" };
        ensure!(line.len() <= LONGEST_LINE, Hinted::new("the turn is too long for a session's file", hint));
        tree.check(&event)?;
        self.append(&line, tree)?;
        tree.apply(event)?;
        Ok(())
    }

    /// Writes a line below those whose events `tree` holds.
    fn append(&mut self, line: &[u8], tree: &Tree) -> Result<()> {
        self.check(tree)?;
        let written = self.disk.append(&self.path, line).and_then(|()| self.disk.sync(&self.path));
        if let Err(error) = written {
            self.half = line.to_vec();
            let _ = self.take_back();
            return Err(cannot_write(&self.path, &error));
        }
        self.length += line.len() as u64;
        let was = std::mem::replace(&mut self.left, Trace::of(&self.path));
        if self.left.length != Some(self.length) || !self.left.is_of(&was) {
            return Err(self.refuse());
        }
        Ok(())
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of the file.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }
}

fn header_line(title: Option<&str>) -> Result<Vec<u8>> {
    let program = env!("CARGO_PKG_VERSION").to_owned();
    let row = HeaderRow { wordbrush: FILE_FORMAT, program, title: title.map(str::to_owned) };
    let line = serde_json::to_string(&row).context("BUG: the header cannot be written as JSON")?;
    Ok((crate::safe::printable_line(&line) + "\n").into_bytes())
}

pub(super) fn cannot_write(path: &Path, error: &std::io::Error) -> anyhow::Error {
    let hint = match error.kind() {
        std::io::ErrorKind::NotFound => "its folder or the file was removed; `/save NAME` writes the session elsewhere",
        _ => "make room or allow writing there, then type the line again; finished turns are safe",
    };
    Hinted::new(format!("cannot write session `{}`: {}", name(path), plainly(error)), hint).into()
}

/// The session's name for people: the file's name without its ending.
fn name(path: &Path) -> String {
    crate::safe::printable_line(&path.file_stem().unwrap_or_default().to_string_lossy())
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// `NAME.jsonl.suffix`.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(suffix);
    path.with_file_name(name)
}

impl From<&DrawnRow> for PictureRow {
    fn from(drawn: &DrawnRow) -> Self {
        let DrawnRow { digest, thumbprint, kernels, seconds, evaluations } = drawn.clone();
        let seconds = if seconds.is_finite() { seconds } else { 0.0 };
        Self { digest, thumbprint, kernels, seconds, evaluations }
    }
}

impl From<PictureRow> for DrawnRow {
    fn from(row: PictureRow) -> Self {
        let PictureRow { digest, thumbprint, kernels, seconds, evaluations } = row;
        Self { digest, thumbprint, kernels, seconds, evaluations }
    }
}
