//! The file operations on which the session file and the store rest.
//!
//! They are few, they name whole files, and they go through one trait. So a test can let the n-th of them fail, write
//! half of what it was given, or end the process (`faulty`, in tests), and can do so for every n.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

#[cfg(test)]
pub(crate) mod faulty;

/// File operations. Each either has done all of its work or returns an error; after an error, part of it may be done.
pub trait Disk: Send + Sync {
    /// Opens a file for reading, from its start.
    ///
    /// # Errors
    /// As the operating system says.
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>>;

    /// Makes a file, which may not exist yet, and writes `bytes` into it.
    ///
    /// # Errors
    /// It exists, or as the operating system says.
    fn create(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Writes `bytes` at the end of a file, which must exist.
    ///
    /// # Errors
    /// As the operating system says.
    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Waits until the contents of a file, or the entries of a folder, are on the medium.
    ///
    /// # Errors
    /// As the operating system says.
    fn sync(&self, path: &Path) -> io::Result<()>;

    /// Cuts a file off after `length` bytes.
    ///
    /// # Errors
    /// As the operating system says.
    fn truncate(&self, path: &Path, length: u64) -> io::Result<()>;

    /// Gives a file another name, in one step; a file that has that name is replaced.
    ///
    /// # Errors
    /// As the operating system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// As the operating system says.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes a folder and those above it, unless they exist.
    ///
    /// # Errors
    /// As the operating system says.
    fn make_folder(&self, path: &Path) -> io::Result<()>;
}

/// The operating system's own files.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(path)?))
    }

    fn create(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        File::create_new(path)?.write_all(bytes)
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        OpenOptions::new().append(true).open(path)?.write_all(bytes)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        // Folders cannot be opened everywhere; where they cannot, renames are durable without this.
        match File::open(path) {
            Ok(file) if cfg!(unix) || path.is_file() => file.sync_all(),
            Ok(_) => Ok(()),
            Err(_) if cfg!(not(unix)) && path.is_dir() => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        OpenOptions::new().write(true).open(path)?.set_len(length)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }
}
