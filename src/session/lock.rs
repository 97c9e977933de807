//! One process at a time per session.
//!
//! The operating system holds the lock (`flock` and its like), so it ends with the process that has it, however that
//! ends: a lock file that a killed process left behind is no obstacle. The number of the process stands in the file for
//! people to read.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use super::file::{Hinted, plainly};

/// How often a lock that is held is asked for again, and how long is waited before each.
const PATIENCE: u32 = 10;
const PAUSE: Duration = Duration::from_millis(10);

/// The right to write a session; given back when dropped.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    /// `None` where the file system has no locks.
    file: Option<File>,
}

impl Lock {
    /// Takes the lock of the session `name` whose file is `session`.
    ///
    /// # Errors
    /// Another process has it (the message names it), or the folder cannot be written.
    pub fn take(session: &Path, name: &str) -> Result<Self> {
        let path = session.with_extension("lock");
        let cannot = |error: &std::io::Error| {
            let hint = format!("it can still be read: wordbrush open {name} --read-only");
            Hinted::new(format!("cannot lock session `{name}`: {}", plainly(error)), hint)
        };
        // A holder that leaves removes the file. One that we opened just before that is no longer the one others see,
        // so its lock is worth nothing: look again. And one who left may seem to hold the lock for a moment, while a
        // program that it is starting still shares its files: ask again before sending anyone away.
        for attempt in 0..100 {
            let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
            let mut file = open.map_err(|error| cannot(&error))?;
            match file.try_lock() {
                Ok(()) if is_same(&file, &path) => {
                    let written = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
                    written.map_err(|error| cannot(&error))?;
                    return Ok(Self { path, file: Some(file) });
                }
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if attempt < PATIENCE => std::thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => return Err(held(name, &mut file).into()),
                Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {
                    return Ok(Self { path, file: None });
                }
                Err(TryLockError::Error(error)) => return Err(cannot(&error).into()),
            }
        }
        Err(Hinted::new(format!("session `{name}` is being opened and closed elsewhere"), "try again").into())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.file.is_some() && cfg!(unix) {
            let _ = fs::remove_file(&self.path); // while we hold it, so that nobody else's is removed
        }
    }
}

fn held(name: &str, file: &mut File) -> Hinted {
    let mut holder = String::new();
    let read = file.rewind().and_then(|()| file.take(20).read_to_string(&mut holder));
    let process = match (read, holder.trim().parse::<u32>()) {
        (Ok(_), Ok(process)) => format!(" (process {process})"),
        _ => String::new(), // it has the lock and has not yet written its number
    };
    let hint = format!("close it there; here it can be read: wordbrush open {name} --read-only");
    Hinted::new(format!("session `{name}` is open in another window{process}"), hint)
}

/// Whether the file that we have open is the one that others find under this name.
#[cfg(unix)]
fn is_same(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |data: fs::Metadata| (data.dev(), data.ino());
    matches!((file.metadata(), fs::metadata(path)), (Ok(a), Ok(b)) if identity(a.clone()) == identity(b.clone()))
}

#[cfg(not(unix))]
fn is_same(_: &File, _: &Path) -> bool {
    true // nothing is removed there
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_to_open_a_session_is_told_who_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let session = folder.path().join("fox.jsonl");
        let first = Lock::take(&session, "fox").unwrap();
        let error = Lock::take(&session, "fox").unwrap_err();
        let expected = format!("session `fox` is open in another window (process {})", std::process::id());
        assert_eq!(error.to_string(), expected);
        let hint = error.downcast_ref::<Hinted>().unwrap().hint().to_owned();
        assert!(hint.contains("wordbrush open fox --read-only"), "{hint}");
        drop(first);
        assert!(Lock::take(&session, "fox").is_ok());
    }

    #[test]
    fn a_lock_file_that_a_dead_process_left_is_no_obstacle() {
        let folder = tempfile::tempdir().unwrap();
        let session = folder.path().join("fox.jsonl");
        fs::write(session.with_extension("lock"), "4711").unwrap();
        let lock = Lock::take(&session, "fox").unwrap();
        assert_eq!(fs::read_to_string(&lock.path).unwrap(), std::process::id().to_string());
    }

    #[test]
    fn a_lock_given_back_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        drop(Lock::take(&folder.path().join("fox.jsonl"), "fox").unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), usize::from(cfg!(not(unix))));
    }

    #[test]
    fn of_many_threads_that_take_and_leave_one_lock_never_two_have_it() {
        let folder = tempfile::tempdir().unwrap();
        let session = &folder.path().join("fox.jsonl");
        let holders = &std::sync::atomic::AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(move || {
                    for _ in 0..200 {
                        if let Ok(lock) = Lock::take(session, "fox") {
                            let before = holders.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                            assert_eq!(before, 0, "two have the lock");
                            std::thread::yield_now();
                            holders.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                            drop(lock);
                        }
                    }
                });
            }
        });
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_with_a_hint() {
        let error = Lock::take(Path::new("/nowhere/at/all/fox.jsonl"), "fox").unwrap_err();
        assert_eq!(error.to_string(), "cannot lock session `fox`: no such file or directory");
    }
}
