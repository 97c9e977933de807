//! The cache that other programs share.
//!
//! `models--owner--name/` holds `blobs/` (files by ETag), `snapshots/<commit>/` (the model's tree, of links to blobs)
//! and `refs/` (the commit of each branch or tag). A file that is not complete is `blobs/<etag>.incomplete`, and whoever
//! writes it holds `.locks/models--owner--name/<etag>.lock`: the names that huggingface_hub uses, so that a download
//! begun there goes on here.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Result;
use hf_hub::{Cache, CacheRepo, RepoType};

use super::download::is_whole;
use super::error::disk;
use super::layout::{self, Alone, Lack};
use super::name::{Name, is_commit, is_file_name};
use crate::model::folder::Folder;

/// A model's place in the cache.
pub(super) struct Repo {
    root: PathBuf,
    cached: CacheRepo,
    folder: PathBuf,
    locks: PathBuf,
    revision: String,
}

impl Repo {
    /// The place of `name`; nothing is written yet.
    pub(super) fn new(root: &Path, name: &Name) -> Self {
        let repo = hf_hub::Repo::with_revision(name.id.clone(), RepoType::Model, name.revision.clone());
        let folder = root.join(repo.folder_name());
        let locks = root.join(".locks").join(repo.folder_name());
        let cached = Cache::new(root.to_owned()).repo(repo);
        Self { root: root.to_owned(), cached, folder, locks, revision: name.revision.clone() }
    }

    /// The folder of all its revisions.
    pub(super) fn place(&self) -> PathBuf {
        self.folder.clone()
    }

    /// The folder of a commit.
    pub(super) fn snapshot(&self, commit: &str) -> PathBuf {
        self.cached.pointer_path(commit)
    }

    /// The revision's folder if all that is needed is in it, else the first thing that it lacks; `Err(None)` if the
    /// revision is not in the cache. Needed is what a model takes, or a network that stands alone.
    pub(super) fn look(&self, alone: Option<Alone>) -> Result<PathBuf, Option<Lack>> {
        let commit = if is_commit(&self.revision) {
            self.revision.clone()
        } else {
            fs::read_to_string(self.reference()).map_err(|_| None)?.trim().to_owned()
        };
        if !is_file_name(&commit) || !self.snapshot(&commit).is_dir() {
            return Err(None);
        }
        self.look_at(&commit, alone)
    }

    /// The commits that are here in full, where nothing is written down of which is the revision's.
    pub(super) fn others(&self, alone: Option<Alone>) -> Vec<String> {
        if is_commit(&self.revision) {
            return Vec::new();
        }
        let entries = fs::read_dir(self.folder.join("snapshots")).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let is_here = |name: &String| is_commit(name) && self.look_at(name, alone).is_ok();
        let mut commits: Vec<String> = names.filter(is_here).collect();
        commits.sort();
        commits
    }

    /// A commit's folder if all that is needed is in it, whole.
    fn look_at(&self, commit: &str, alone: Option<Alone>) -> Result<PathBuf, Option<Lack>> {
        let snapshot = self.snapshot(commit);
        let names = files_in(&snapshot);
        let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let (plan, folder) = match alone {
            None => {
                let plan = layout::choose(&names, wants_two(&snapshot)).map_err(Some)?;
                (plan, Folder::open(&snapshot).map_err(|_| Some(Lack::Layout))?)
            }
            Some(alone) => {
                let plan = layout::choose_alone(&names, alone).map_err(Some)?;
                let none = |_| Some(Lack::File("config.json".to_owned()));
                (plan, Folder::of_one_network(&snapshot).map_err(none)?)
            }
        };
        let damaged = || Some(Lack::File(plan.indexes().next().cloned().unwrap_or_default()));
        let weights = plan.weight_files(&folder).map_err(|_| damaged())?;
        if let Some(lost) = weights.iter().find(|path| !names.contains(path.as_str())) {
            return Err(Some(Lack::File(lost.clone())));
        }
        match plan.small.iter().chain(plan.indexes()).chain(&weights).find(|path| !is_whole(path, &snapshot.join(path)))
        {
            Some(short) => Err(Some(Lack::Whole(short.clone()))),
            None => Ok(snapshot),
        }
    }

    fn reference(&self) -> PathBuf {
        self.folder.join("refs").join(&self.revision)
    }

    /// Writes down that the revision is this commit.
    pub(super) fn remember(&self, commit: &str) -> Result<()> {
        if self.revision == commit {
            return Ok(());
        }
        let path = self.reference();
        let write = || {
            fs::create_dir_all(path.parent().unwrap_or(&self.folder))?;
            // Written beside and moved: another program may be reading it.
            let beside = self.folder.join(format!(".ref-{}", std::process::id()));
            fs::write(&beside, commit)?;
            fs::rename(&beside, &path)
        };
        write().map_err(|error| disk(&error, "the revision's commit", &self.root))
    }

    /// Whether the file is in the snapshot, with this length if it is known.
    pub(super) fn has(&self, commit: &str, path: &str, size: Option<u64>) -> Option<u64> {
        length(&self.snapshot(commit).join(path), size)
    }

    /// Whether the blob is there, with this length if it is known.
    pub(super) fn has_blob(&self, etag: &str, size: Option<u64>) -> Option<u64> {
        length(&self.cached.blob_path(etag), size)
    }

    /// The file of a blob.
    pub(super) fn blob(&self, etag: &str) -> PathBuf {
        self.cached.blob_path(etag)
    }

    /// Puts a blob into the snapshot under the file's name.
    pub(super) fn link(&self, commit: &str, path: &str, etag: &str) -> Result<()> {
        let blob = self.cached.blob_path(etag);
        let pointer = self.snapshot(commit).join(path);
        let up = "../".repeat(path.split('/').count() + 1);
        let link = || {
            fs::create_dir_all(pointer.parent().unwrap_or(&self.folder))?;
            match fs::remove_file(&pointer) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            // Some disks have no links: the file itself then stands in the snapshot.
            match symlink(Path::new(&format!("{up}blobs/{etag}")), &pointer) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => fs::rename(&blob, &pointer),
                _ => Ok(()),
            }
        };
        link().map_err(|error| disk(&error, path, &self.root))
    }

    /// The file that a blob grows in.
    pub(super) fn partial(&self, etag: &str) -> PathBuf {
        self.folder.join("blobs").join(format!("{etag}.incomplete"))
    }

    /// Makes a complete partial file the blob.
    pub(super) fn finish(&self, etag: &str) -> io::Result<()> {
        fs::rename(self.partial(etag), self.cached.blob_path(etag))
    }

    /// Makes the folder for blobs, and takes the lock under which this one may be written; `None` while another program
    /// has it. A disk without locks counts as locked.
    pub(super) fn lock(&self, etag: &str) -> io::Result<Option<Lock>> {
        fs::create_dir_all(self.folder.join("blobs"))?;
        fs::create_dir_all(&self.locks)?;
        let path = self.locks.join(format!("{etag}.lock"));
        let file = open_lock(&path)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Ok(None),
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Some(Lock { _file: file })),
        }
    }
}

/// Opens a lock's file. One that another person made may perhaps only be read; that is enough to lock it.
fn open_lock(path: &Path) -> io::Result<File> {
    let opened = File::options().create(true).truncate(false).write(true).open(path);
    opened.or_else(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => File::open(path).map_err(|error| {
            io::Error::other(format!("its lock {} may not be opened: {}", path.display(), error.kind()))
        }),
        _ => Err(error),
    })
}

/// Held while a blob is written.
pub(super) struct Lock {
    _file: File,
}

#[cfg(unix)]
fn symlink(to: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(to, at)
}

#[cfg(not(unix))]
fn symlink(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The length of a file behind its links, if it is there and has the expected one.
fn length(path: &Path, expected: Option<u64>) -> Option<u64> {
    let meta = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    expected.is_none_or(|size| size == meta.len()).then_some(meta.len())
}

/// The files of a snapshot, two levels deep, that are there behind their links.
fn files_in(snapshot: &Path) -> Vec<String> {
    let list = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect::<Vec<_>>()
    };
    let mut files = Vec::new();
    for name in list(snapshot) {
        let path = snapshot.join(&name);
        if path.is_dir() {
            files.extend(
                list(&path).into_iter().filter(|file| path.join(file).is_file()).map(|file| format!("{name}/{file}")),
            );
        } else if path.is_file() {
            files.push(name);
        }
    }
    files
}

/// Whether `model_index.json` names a second text encoder.
fn wants_two(snapshot: &Path) -> bool {
    let read = || {
        let text = fs::read_to_string(snapshot.join("model_index.json")).ok()?;
        let index: serde_json::Value = serde_json::from_str(&text).ok()?;
        Some(!index.get("text_encoder_2")?.get(0)?.is_null())
    };
    read().unwrap_or(false)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// Who may write anything (root) may write this one too; everyone else takes it by reading.
    #[test]
    fn a_lock_that_another_person_made_and_that_may_only_be_read_is_taken_all_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("blob.lock");
        fs::write(&path, "").expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).expect("permissions");
        let first = open_lock(&path).expect("it is opened");
        first.try_lock().expect("it is taken");
        let second = open_lock(&path).expect("it is opened again");
        assert!(matches!(second.try_lock(), Err(TryLockError::WouldBlock)), "one has it at a time");
        drop(first);
        second.try_lock().expect("it is free");
    }
}
