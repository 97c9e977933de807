//! Values on disk: an index in sled, small values inside it, large ones as files beside it.
//!
//! ```text
//! NAME.store/index/        sled: key -> maker, digest, and the value itself if it is small
//! NAME.store/values/3f/…   one file per large value, named by the digest of its bytes
//! ```
//!
//! Equal values are one file, so what a node shares with its parent costs nothing. A file is written under a temporary
//! name and renamed, and the index learns of it afterwards: a killed process leaves at worst a file that nobody knows,
//! which the next one removes. docs/decisions/0002 has the measurements behind the split.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::Key;
use super::budget::Budget;
use super::codec::Blob;
use super::disk::Disk;
use super::index::{Entry, Place};
use crate::history::NodeId;

type Digest = [u8; 32];

/// Values up to this many bytes live in the index (docs/decisions/0002).
pub const SMALL: usize = 16 << 10;

/// How often a database that another process has is asked for again, and how long is waited before each.
const PATIENCE: u32 = 10;
const PAUSE: Duration = Duration::from_millis(10);

/// The part of a store that is on disk.
pub struct SledStore {
    folder: PathBuf,
    maker: String,
    limit: u64,
    disk: Arc<dyn Disk>,
    db: sled::Db,
    /// Read from the index when it is first needed, so that opening a store is quick.
    catalogue: Option<Catalogue>,
    /// Digests and keys of what was found damaged.
    damaged: HashSet<Vec<u8>>,
    temporaries: u64,
}

/// What is on disk, by digest: how large, how recently used, and who refers to it.
struct Catalogue {
    budget: Budget<Digest>,
    keys: HashMap<Digest, Vec<Key>>,
    digests: HashMap<Key, Digest>,
}

impl Catalogue {
    fn link(&mut self, key: Key, digest: Digest, bytes: u64) {
        self.unlink(key);
        let keys = self.keys.entry(digest).or_default();
        keys.push(key);
        let stays = keys.iter().any(|key| !key.kind.goes_first());
        self.digests.insert(key, digest);
        self.budget.enter(digest, bytes, stays);
    }

    /// Takes a key out; returns the digest that nobody refers to any more.
    fn unlink(&mut self, key: Key) -> Option<Digest> {
        let digest = self.digests.remove(&key)?;
        let keys = self.keys.get_mut(&digest)?;
        keys.retain(|other| *other != key);
        if !keys.is_empty() {
            return None;
        }
        self.keys.remove(&digest);
        self.budget.leave(&digest);
        Some(digest)
    }
}

impl SledStore {
    /// Opens the store in `folder`, which is made if need be. A damaged index is begun anew.
    ///
    /// # Errors
    /// A sentence for people: the folder cannot be written, or another process has this store.
    pub fn open(folder: &Path, maker: &str, limit: u64, disk: Arc<dyn Disk>) -> Result<Self, String> {
        let failed = |why: String| format!("the store {} cannot be opened: {why}", folder.display());
        disk.make_folder(folder).map_err(|error| failed(error.to_string()))?;
        let index = folder.join("index");
        let mut db = open_index(&index);
        if matches!(db, Err(Trouble::Damage(_))) && remove_unfinished_snapshots(&index) {
            db = open_index(&index);
        }
        if matches!(db, Err(Trouble::Damage(_))) {
            remove_index(folder);
            db = open_index(&index);
        }
        let db = db.map_err(|trouble| failed(trouble.to_string()))?;
        Ok(Self {
            folder: folder.to_owned(),
            maker: maker.chars().take(60).collect(),
            limit,
            disk,
            db,
            catalogue: None,
            damaged: HashSet::new(),
            temporaries: 0,
        })
    }

    /// Keeps a value, and gives up others for it. One that is larger than the whole budget is not kept.
    ///
    /// # Errors
    /// A sentence for people: the disk is full, read-only or failing. The value is then not on disk, and every other
    /// value is as it was.
    pub fn put(&mut self, key: Key, blob: &Blob) -> Result<(), String> {
        let bytes = blob.encode();
        let length = bytes.len() as u64;
        let digest = *blake3::hash(&bytes).as_bytes();
        if self.catalogue()?.digests.get(&key) != Some(&digest) {
            self.forget(key)?;
        }
        if length > self.limit {
            return Ok(());
        }
        let place = if bytes.len() <= SMALL {
            Place::Inside(bytes)
        } else {
            let known = self.catalogue()?.keys.contains_key(&digest) && self.path(&digest).exists();
            if !known {
                self.write_file(&digest, &bytes).map_err(|error| format!("cannot write to the store: {error}"))?;
            }
            Place::File
        };
        let entry = Entry { maker: self.maker.clone(), digest, length, place };
        guarded(|| self.db.insert(key.bytes(), entry.encode(&key))).map_err(|trouble| self.report(&trouble))?;
        self.catalogue()?.link(key, digest, length);
        while let Some(old) = self.catalogue()?.budget.excess() {
            self.give_up(&old)?;
        }
        Ok(())
    }

    /// The value, checked. What is damaged or gone is forgotten on the way.
    ///
    /// # Errors
    /// A sentence for people: the index cannot be read any more.
    pub fn get(&mut self, key: Key) -> Result<Option<Blob>, String> {
        let raw = guarded(|| self.db.get(key.bytes())).map_err(|trouble| self.report(&trouble))?;
        let Some(raw) = raw else { return Ok(None) };
        let Some(entry) = Entry::decode(&raw, &key) else {
            self.damaged.insert(key.bytes().to_vec());
            self.forget(key)?;
            return Ok(None);
        };
        if entry.maker != self.maker {
            return Ok(None);
        }
        let bytes = match entry.place {
            Place::Inside(bytes) => Some(bytes),
            Place::File => match self.read_file(&entry.digest, entry.length) {
                Ok(bytes) => Some(bytes),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(_) => Some(Vec::new()), // unreadable is damaged
            },
        };
        let Some(bytes) = bytes else {
            self.give_up_key(key, &entry.digest)?;
            return Ok(None);
        };
        let sound = *blake3::hash(&bytes).as_bytes() == entry.digest;
        let Some(blob) = sound.then(|| Blob::decode(&bytes)).flatten() else {
            self.damaged.insert(entry.digest.to_vec());
            self.give_up_key(key, &entry.digest)?;
            return Ok(None);
        };
        self.touch(key);
        Ok(Some(blob))
    }

    /// Whether the index has an entry under this key, made by the same maker.
    #[must_use]
    pub fn has(&self, key: Key) -> bool {
        let raw = guarded(|| self.db.get(key.bytes())).ok().flatten();
        raw.and_then(|raw| Entry::decode(&raw, &key)).is_some_and(|entry| entry.maker == self.maker)
    }

    /// Marks a value as just used.
    pub fn touch(&mut self, key: Key) {
        // Before the first write nothing is given up, and the order of use within one session is lost for little.
        if let Some(catalogue) = &mut self.catalogue
            && let Some(digest) = catalogue.digests.get(&key)
        {
            catalogue.budget.touch(digest);
        }
    }

    /// Hands the index to the operating system.
    ///
    /// # Errors
    /// A sentence for people: it could not be written.
    pub fn flush(&mut self) -> Result<(), String> {
        guarded(|| self.db.flush()).map(drop).map_err(|trouble| self.report(&trouble))
    }

    /// Bytes and number of values on disk, equal values counted once; nothing before the first write.
    #[must_use]
    pub fn held(&self) -> (u64, u64) {
        self.catalogue.as_ref().map_or((0, 0), |c| (c.budget.bytes(), c.budget.len() as u64))
    }

    /// How many values were found damaged.
    #[must_use]
    pub fn damaged(&self) -> u64 {
        self.damaged.len() as u64
    }

    /// Removes a key, and its value if nobody else refers to it.
    fn forget(&mut self, key: Key) -> Result<(), String> {
        guarded(|| self.db.remove(key.bytes())).map_err(|trouble| self.report(&trouble))?;
        if let Some(digest) = self.catalogue()?.unlink(key) {
            let _ = self.disk.remove(&self.path(&digest)); // what cannot be removed is removed at the next opening
        }
        Ok(())
    }

    /// Removes a value and whoever refers to it.
    fn give_up(&mut self, digest: &Digest) -> Result<(), String> {
        let keys = self.catalogue()?.keys.get(digest).cloned().unwrap_or_default();
        keys.into_iter().try_for_each(|key| self.forget(key))
    }

    /// Removes a value whose bytes are damaged or gone, found under `key`.
    fn give_up_key(&mut self, key: Key, digest: &Digest) -> Result<(), String> {
        self.forget(key)?;
        self.give_up(digest)?;
        let _ = self.disk.remove(&self.path(digest));
        Ok(())
    }

    /// What is on disk; read from the index when it is first asked for. Files that no entry names are removed then.
    fn catalogue(&mut self) -> Result<&mut Catalogue, String> {
        if self.catalogue.is_none() {
            let mut catalogue =
                Catalogue { budget: Budget::new(self.limit), keys: HashMap::new(), digests: HashMap::new() };
            let entries = guarded(|| self.db.iter().collect::<Result<Vec<_>, _>>());
            for (key, raw) in entries.map_err(|trouble| self.report(&trouble))? {
                if let Some(key) = Key::from_bytes(&key)
                    && let Some(entry) = Entry::decode(&raw, &key)
                {
                    catalogue.link(key, entry.digest, entry.length);
                }
            }
            self.remove_strangers(&catalogue);
            self.catalogue = Some(catalogue);
        }
        self.catalogue.as_mut().ok_or_else(|| "BUG: the catalogue was just made".to_owned())
    }

    fn remove_strangers(&self, catalogue: &Catalogue) {
        let list = |folder: &Path| -> Vec<PathBuf> {
            fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
        };
        let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for shard in list(&self.values()) {
            for path in if shard.is_dir() { list(&shard) } else { vec![shard.clone()] } {
                let digest = NodeId::from_hex(&(name(&shard) + &name(&path)));
                if !digest.is_some_and(|digest| catalogue.keys.contains_key(&digest.0)) {
                    let _ = self.disk.remove(&path);
                }
            }
        }
    }

    fn values(&self) -> PathBuf {
        self.folder.join("values")
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let hex = blake3::Hash::from(*digest).to_hex();
        self.values().join(&hex[..2]).join(&hex[2..])
    }

    fn write_file(&mut self, digest: &Digest, bytes: &[u8]) -> io::Result<()> {
        self.temporaries += 1;
        let temporary = self.values().join(format!("new-{}-{}", std::process::id(), self.temporaries));
        let path = self.path(digest);
        let folder = path.parent().unwrap_or(&self.folder);
        // The folder is made when it turns out to be missing: at first, and after someone has deleted it.
        let write = || {
            self.disk.create(&temporary, bytes)?;
            self.disk.rename(&temporary, &path)
        };
        let written = match write() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let _ = self.disk.remove(&temporary);
                self.disk.make_folder(folder).and_then(|()| write())
            }
            other => other,
        };
        written.inspect_err(|_| drop(self.disk.remove(&temporary)))
    }

    fn read_file(&self, digest: &Digest, length: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(usize::try_from(length.min(self.limit)).unwrap_or(0));
        let file = self.disk.open(&self.path(digest))?;
        io::Read::read_to_end(&mut io::Read::take(file, length + 1), &mut bytes)?;
        Ok(bytes)
    }

    /// Says what happened, and makes sure that a damaged index is begun anew next time.
    fn report(&self, trouble: &Trouble) -> String {
        if matches!(trouble, Trouble::Damage(_)) {
            remove_index(&self.folder);
        }
        format!("the store {} failed: {trouble}", self.folder.display())
    }
}

/// Why sled did not do what it was asked.
enum Trouble {
    /// Another process has the database.
    Held,
    /// The operating system refused.
    Refused(String),
    /// The database is not what it was.
    Damage(String),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Held => f.write_str("another process has it"),
            Self::Refused(why) => f.write_str(why),
            Self::Damage(why) => write!(f, "its index is damaged ({why})"),
        }
    }
}

/// Runs a database operation; a panic inside it is an error like any other, because a cache may not end a conversation.
fn guarded<T>(act: impl FnOnce() -> sled::Result<T>) -> Result<T, Trouble> {
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(sled::Error::Io(error))) if error.to_string().contains("lock") => Err(Trouble::Held),
        Ok(Err(sled::Error::Io(error))) => Err(Trouble::Refused(error.to_string())),
        Ok(Err(error)) => Err(Trouble::Damage(error.to_string())),
        Err(_) => Err(Trouble::Damage("it cannot be read".to_owned())),
    }
}

fn open_index(path: &Path) -> Result<sled::Db, Trouble> {
    // No flushing in the background: `flush` is called once a turn, and a second writer would only surprise.
    let config = sled::Config::new().path(path).cache_capacity(8 << 20).mode(sled::Mode::LowSpace).flush_every_ms(None);
    // One who left may seem to hold the database for a moment, while a program that it is starting shares its files.
    for _ in 0..PATIENCE {
        match guarded(|| config.open()) {
            Err(Trouble::Held) => std::thread::sleep(PAUSE),
            other => return other,
        }
    }
    guarded(|| config.open())
}

/// Removes what a process left that was killed while it opened the database: a snapshot of which not all was written.
/// sled 0.34 writes it under a name of its own, but takes it for a whole one at the next opening. Returns whether there
/// was one. Whoever finds the database damaged has its lock, so no other process is writing such a file.
fn remove_unfinished_snapshots(index: &Path) -> bool {
    let entries = fs::read_dir(index).into_iter().flatten().flatten().map(|entry| entry.path());
    let unfinished = entries.filter(|path| path.extension().is_some_and(|extension| extension == "generating"));
    unfinished.filter(|path| fs::remove_file(path).is_ok()).count() > 0
}

fn remove_index(folder: &Path) {
    let _ = fs::remove_dir_all(folder.join("index"));
}
