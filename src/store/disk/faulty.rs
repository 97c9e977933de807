//! A disk that fails, or dies, at a chosen operation.

use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Disk, RealDisk};

/// What happens at the chosen operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It fails and does nothing.
    Refuse,
    /// It writes half of what it was given, then fails; where nothing is written it only fails.
    Half,
    /// As `Half`, and so do all operations after it.
    HalfForGood,
    /// It writes half of what it was given, then the process ends as under `kill -9`.
    Die,
}

/// The real disk, but for a fault at the `at`-th operation that changes something, counted from 0.
pub(crate) struct FaultyDisk {
    at: u64,
    fault: Fault,
    /// What the system says of it.
    error: i32,
    done: AtomicU64,
}

/// No space, no answer of the device, and no permission, as the system numbers them.
pub(crate) const ERRORS: [i32; 3] = [28, 5, 13];

impl FaultyDisk {
    pub(crate) fn new(at: u64, fault: Fault) -> Self {
        Self { at, fault, error: ERRORS[0], done: AtomicU64::new(0) }
    }

    /// The same with another error of the system.
    pub(crate) fn saying(self, error: i32) -> Self {
        Self { error, ..self }
    }

    /// How many operations that change something were begun.
    pub(crate) fn count(&self) -> u64 {
        self.done.load(Ordering::SeqCst)
    }

    fn strike(&self, half: impl FnOnce() -> io::Result<()>, whole: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let now = self.done.fetch_add(1, Ordering::SeqCst);
        let struck = now == self.at || (self.fault == Fault::HalfForGood && now > self.at);
        if !struck {
            return whole();
        }
        if self.fault != Fault::Refuse {
            let _ = half();
        }
        if self.fault == Fault::Die {
            std::process::abort();
        }
        Err(io::Error::from_raw_os_error(self.error))
    }
}

impl Disk for FaultyDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        RealDisk.open(path)
    }

    fn create(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let half = || RealDisk.create(path, &bytes[..bytes.len() / 2]);
        self.strike(half, || RealDisk.create(path, bytes))
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let half = || RealDisk.append(path, &bytes[..bytes.len() / 2]);
        self.strike(half, || RealDisk.append(path, bytes))
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        self.strike(|| Ok(()), || RealDisk.sync(path))
    }

    fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        self.strike(|| Ok(()), || RealDisk.truncate(path, length))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.strike(|| Ok(()), || RealDisk.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.strike(|| Ok(()), || RealDisk.remove(path))
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        self.strike(|| Ok(()), || RealDisk.make_folder(path))
    }
}
