//! One process at a time per session.
//!
//! The operating system holds the lock (`flock` and its like), so it ends with the process that has it, however that
//! ends: a lock file that a killed process left behind is no obstacle. The number of the process stands in the file for
//! people to read.
//!
//! A file may have several names: a link, another way to its folder, a second name of the same file. The lock file lies
//! beside the file that the name leads to, and where the system can, the session's own file is locked as well, so that
//! one file has one lock, whatever it is called.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use super::file::{Hinted, plainly};

/// How often a lock that is held is asked for again, and how long is waited before each.
const PATIENCE: u32 = 10;
const PAUSE: Duration = Duration::from_millis(10);

/// The most links that are followed from a name to a file that is not there yet.
const MOST_LINKS: u32 = 40;

/// The right to write a session; given back when dropped.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    /// `None` where the file system has no locks.
    file: Option<File>,
    /// The session's own file, locked as well; `None` while it is not there, or where that cannot be.
    session: Option<File>,
}

impl Lock {
    /// Takes the lock of the session `name` whose file is `session`, which need not be there yet.
    ///
    /// # Errors
    /// Another process has it (the message names it), or the folder cannot be written.
    pub fn take(session: &Path, name: &str) -> Result<Self> {
        let session = leads_to(session);
        let path = lock_of(&session);
        // A holder that leaves removes the file. One that we opened just before that is no longer the one others see,
        // so its lock is worth nothing: look again. And one who left may seem to hold the lock for a moment, while a
        // program that it is starting still shares its files: ask again before sending anyone away.
        for attempt in 0..100 {
            let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
            let mut file = open.map_err(|error| cannot(name, &error))?;
            match file.try_lock() {
                Ok(()) if is_same(&file, &path) => {
                    // People can do without the number, on a full disk say.
                    let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
                    let mut lock = Self { path, file: Some(file), session: None };
                    lock.hold(&session, name)?;
                    return Ok(lock);
                }
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if attempt < PATIENCE => std::thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => return Err(held(name, Some(&mut file)).into()),
                Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
                    return Ok(Self { path, file: None, session: None });
                }
                Err(TryLockError::Error(error)) => return Err(cannot(name, &error).into()),
            }
        }
        Err(Hinted::new(format!("session `{name}` is being opened and closed elsewhere"), "try again").into())
    }

    /// Locks the session's own file as well, once it is there.
    ///
    /// # Errors
    /// A process has it under another name.
    pub fn hold(&mut self, session: &Path, name: &str) -> Result<()> {
        // Elsewhere a locked file cannot be read by others.
        if !cfg!(unix) || self.file.is_none() || !session.is_file() {
            return Ok(());
        }
        let opened = OpenOptions::new().read(true).write(true).open(session).or_else(|_| File::open(session));
        let Ok(file) = opened else { return Ok(()) }; // whoever reads or writes it will say why
        for _ in 0..PATIENCE {
            match file.try_lock() {
                Ok(()) => {
                    self.session = Some(file);
                    return Ok(());
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
                Err(TryLockError::Error(_)) => return Ok(()),
            }
        }
        Err(held(name, None).into())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.file.is_some() && cfg!(unix) {
            let _ = fs::remove_file(&self.path); // while we hold it, so that nobody else's is removed
        }
    }
}

/// The file that a name leads to, whether it is there or not.
fn leads_to(name: &Path) -> PathBuf {
    if let Ok(file) = name.canonicalize() {
        return file;
    }
    let mut file = name.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(to) = fs::read_link(&file) else { break };
        file = file.with_file_name("").join(to);
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (folder.canonicalize(), file.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => file,
    }
}

/// `NAME.lock` beside `NAME.jsonl`; beside a file that ends otherwise, its whole name and `.lock`.
fn lock_of(session: &Path) -> PathBuf {
    if session.extension().is_some_and(|ending| ending == "jsonl") {
        return session.with_extension("lock");
    }
    let mut name = session.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    session.with_file_name(name)
}

fn cannot(name: &str, error: &std::io::Error) -> Hinted {
    if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge) {
        let hint = "make room, then type the line again";
        return Hinted::new(format!("cannot write session `{name}`: {}", plainly(error)), hint);
    }
    let hint = format!("it can still be read: wordbrush open {name} --read-only");
    Hinted::new(format!("cannot lock session `{name}`: {}", plainly(error)), hint)
}

fn held(name: &str, file: Option<&mut File>) -> Hinted {
    let mut holder = String::new();
    let read = file.map(|file| file.rewind().and_then(|()| file.take(20).read_to_string(&mut holder)));
    let process = match (read, holder.trim().parse::<u32>()) {
        (Some(Ok(_)), Ok(process)) => format!(" (process {process})"),
        _ => String::new(), // it has not written its number, or has the file under another name
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

    #[test]
    #[cfg(unix)]
    fn a_file_has_one_lock_whatever_it_is_called() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("fox.jsonl"), "").unwrap();
        fs::create_dir(at("deep")).unwrap();
        std::os::unix::fs::symlink("fox.jsonl", at("link.jsonl")).unwrap();
        std::os::unix::fs::symlink("../fox.jsonl", at("deep/link.jsonl")).unwrap();
        std::os::unix::fs::symlink(folder.path(), at("deep/folder")).unwrap();
        fs::hard_link(at("fox.jsonl"), at("twin.jsonl")).unwrap();
        let others = ["link.jsonl", "deep/link.jsonl", "deep/folder/fox.jsonl", "deep/../fox.jsonl", "twin.jsonl"];
        let first = Lock::take(&at("fox.jsonl"), "fox").unwrap();
        for other in others {
            let error =
                Lock::take(&at(other), "other").err().unwrap_or_else(|| panic!("{other} has a lock of its own"));
            assert!(error.to_string().contains("is open in another window"), "{other}: {error}");
        }
        drop(first);
        for other in others {
            let second = Lock::take(&at(other), "other").unwrap();
            assert!(Lock::take(&at("fox.jsonl"), "fox").is_err(), "{other}");
            drop(second);
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_file_that_comes_about_under_a_lock_has_that_lock_under_its_other_names_too() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::os::unix::fs::symlink("fox.jsonl", at("link.jsonl")).unwrap();
        let mut first = Lock::take(&at("link.jsonl"), "link").unwrap();
        assert!(Lock::take(&at("fox.jsonl"), "fox").is_err(), "it is not there yet, and has a lock");
        fs::write(at("fox.jsonl"), "").unwrap();
        first.hold(&at("fox.jsonl"), "fox").unwrap();
        fs::hard_link(at("fox.jsonl"), at("twin.jsonl")).unwrap();
        assert!(Lock::take(&at("twin.jsonl"), "twin").is_err());
    }

    #[test]
    fn a_session_whose_file_ends_like_a_lock_is_not_taken_for_its_own_lock() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["fox.lock", "fox", "fox.json"] {
            let session = folder.path().join(name);
            fs::write(&session, "what is in it").unwrap();
            let lock = Lock::take(&session, "fox").unwrap();
            assert!(Lock::take(&session, "fox").is_err(), "{name}");
            drop(lock);
            assert_eq!(fs::read_to_string(&session).unwrap(), "what is in it");
        }
    }
}
