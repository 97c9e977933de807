//! Keeps what we would rather not compute again.
//!
//! A [`Store`] is only a cache: latents, maps and pictures under the [`Key`] of the node and step that made them. What
//! it does not have is computed again from the session's file, with the same bits. So nothing here ever fails a turn:
//! a full disk, a database that another process holds, a damaged one, a folder deleted under our feet all end in a
//! store that keeps things in memory and says so once ([`Store::take_warnings`]).
//!
//! What comes out is what was put in. Every value is checked against its digest each time it is read; a flipped byte
//! counts as missing, and so does a value made by another kernel family or engine version.
//!
//! - [`codec`]: a tensor as bytes, and back
//! - [`memory`], [`budget`]: least recently used goes first
//! - [`sled_store`]: the index on disk, and the files beside it (docs/decisions/0002)
//! - [`disk`]: the few file operations that this room and the session file need, so that tests can make them fail

pub mod budget;
pub mod codec;
pub mod disk;
mod index;
pub mod memory;
pub mod sled_store;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::history::NodeId;
use codec::Blob;
use disk::Disk;
use memory::Memory;
use sled_store::SledStore;

/// What a stored value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ValueKind {
    /// A latent of the trajectory.
    Latents,
    /// What was inside the region, as bits.
    Masks,
    /// Word maps of the mask layers, averaged over heads and layers.
    WordMaps,
    /// The finished picture, 8 bits.
    Picture,
    /// Carried cross-attention maps of a site.
    Cross,
    /// Queries and keys of a self-attention site.
    SelfAttention,
    /// Values of an attention site.
    Values,
    /// What the inversion of a photograph left for its tree to read.
    Inversion,
}

impl ValueKind {
    /// Every kind; a kind's place is its number on disk and never changes.
    pub const ALL: [Self; 8] = [
        Self::Latents,
        Self::Masks,
        Self::WordMaps,
        Self::Picture,
        Self::Cross,
        Self::SelfAttention,
        Self::Values,
        Self::Inversion,
    ];

    fn number(self) -> u8 {
        self as u8
    }

    /// Whether an edit can do without it at the price of one UNet sample. Such values are the first to go; latents,
    /// masks and pictures, from which those are made again, go when nothing else is left.
    fn goes_first(self) -> bool {
        matches!(self, Self::Cross | Self::SelfAttention | Self::Values)
    }
}

/// Where a value belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The node whose run made it.
    pub node: NodeId,
    /// What it is.
    pub kind: ValueKind,
    /// The step, from 0; 0 for values of a whole run.
    pub step: u32,
    /// The attention layer, from 0; 0 for values that belong to none.
    pub layer: u32,
}

impl Key {
    /// The key of a value that belongs to no layer.
    #[must_use]
    pub fn new(node: NodeId, kind: ValueKind, step: usize) -> Self {
        Self { node, kind, step: narrow(step), layer: 0 }
    }

    /// The same node, kind and step at an attention layer.
    #[must_use]
    pub fn at_layer(self, layer: usize) -> Self {
        Self { layer: narrow(layer), ..self }
    }

    /// 41 bytes in which keys sort by node, then kind, then step, then layer.
    #[must_use]
    pub fn bytes(&self) -> [u8; 41] {
        let mut bytes = [0; 41];
        bytes[..32].copy_from_slice(&self.node.0);
        bytes[32] = self.kind.number();
        bytes[33..37].copy_from_slice(&self.step.to_be_bytes());
        bytes[37..].copy_from_slice(&self.layer.to_be_bytes());
        bytes
    }

    /// Reads what [`Key::bytes`] wrote; `None` for anything else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (node, rest) = bytes.split_first_chunk::<32>()?;
        let (kind, rest) = rest.split_first()?;
        let (step, rest) = rest.split_first_chunk::<4>()?;
        let layer = u32::from_be_bytes(rest.try_into().ok()?);
        let kind = *ValueKind::ALL.get(usize::from(*kind))?;
        Some(Self { node: NodeId(*node), kind, step: u32::from_be_bytes(*step), layer })
    }
}

fn narrow(n: usize) -> u32 {
    u32::try_from(n).expect("steps and layers are counted in thousands at most")
}

/// Values of more bytes are not in memory as well as on disk. They are those of full-size models: to read one takes little beside the step
/// that it is read for.
const LARGE: u64 = 1 << 20;

/// How much a store may keep, and whose values count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in memory.
    pub ram: u64,
    /// Bytes on disk, not counting the index.
    pub disk: u64,
}

impl Default for Limits {
    /// 512 MB in memory, 4 GB on disk.
    fn default() -> Self {
        Self { ram: 512 << 20, disk: 4 << 30 }
    }
}

/// What a store has done and holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Reads answered from memory.
    pub from_ram: u64,
    /// Reads answered from disk.
    pub from_disk: u64,
    /// Reads of what is not there, damaged values included.
    pub missing: u64,
    /// Values found damaged since opening, each counted once.
    pub damaged: u64,
    /// Bytes held in memory.
    pub ram_bytes: u64,
    /// Bytes held on disk, the index not counted; equal values count once.
    pub disk_bytes: u64,
    /// Values on disk.
    pub disk_values: u64,
}

/// A cache of tensors that may be deleted at any time. Shared between threads by reference.
pub struct Store {
    inner: Mutex<Inner>,
}

struct Inner {
    memory: Memory,
    /// `None` from the start, or since it could not be read.
    on_disk: Option<SledStore>,
    /// False since the disk refused a write. What was written before is still read.
    writes: bool,
    stats: Stats,
    warnings: Vec<String>,
}

impl Store {
    /// Opens the store in `folder`, which is made if need be.
    ///
    /// `maker` names the kernel family and engine version; values of another maker count as missing. Never fails: where
    /// the disk cannot be used, the store keeps things in memory and has a warning.
    #[must_use]
    pub fn open(folder: &Path, maker: &str, limits: &Limits, disk: Arc<dyn Disk>) -> Self {
        let store = Self::in_memory(limits);
        match SledStore::open(folder, maker, limits.disk, disk) {
            Ok(on_disk) => store.lock().attach(on_disk),
            Err(why) => store.lock().warn(&why),
        }
        store
    }

    /// A store that writes nothing to disk.
    #[must_use]
    pub fn in_memory(limits: &Limits) -> Self {
        let memory = Memory::new(limits.ram);
        let (stats, warnings) = (Stats::default(), Vec::new());
        Self { inner: Mutex::new(Inner { memory, on_disk: None, writes: false, stats, warnings }) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A thread that panicked while it held the lock may have lost values, never mixed them up: each is checked.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a value, in memory and on disk as far as the limits allow. A value that is there already is replaced.
    pub fn put(&self, key: Key, blob: Blob) {
        let mut inner = self.lock();
        let blob = Arc::new(blob);
        inner.write(|disk| disk.put(key, &blob));
        inner.remember(key, blob);
    }

    /// The value, checked; `None` if it is not there, damaged, or made by another kernel family or engine version.
    #[must_use]
    pub fn get(&self, key: Key) -> Option<Arc<Blob>> {
        let mut inner = self.lock();
        if let Some(blob) = inner.memory.get(key) {
            inner.stats.from_ram += 1;
            // The copy on disk is as much in use as the one in memory.
            if let Some(disk) = &mut inner.on_disk {
                disk.touch(key);
            }
            return Some(blob);
        }
        let Some(blob) = inner.read(key) else {
            inner.stats.missing += 1;
            return None;
        };
        inner.stats.from_disk += 1;
        let blob = Arc::new(blob);
        inner.remember(key, Arc::clone(&blob));
        Some(blob)
    }

    /// Whether there is something under this key. It is not checked: `get` may still find it damaged.
    #[must_use]
    pub fn has(&self, key: Key) -> bool {
        let inner = self.lock();
        inner.memory.has(key) || inner.on_disk.as_ref().is_some_and(|disk| disk.has(key))
    }

    /// Forgets what is in memory, as a restart does.
    pub fn forget_memory(&self) {
        self.lock().memory.clear();
    }

    /// Hands the index to the operating system, so that a killed process loses nothing put before. Call it once a turn,
    /// before the turn's event is written.
    pub fn flush(&self) {
        self.lock().write(SledStore::flush);
    }

    /// Whether values still reach the disk.
    #[must_use]
    pub fn is_on_disk(&self) -> bool {
        self.lock().writes
    }

    /// What the store has done and holds.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let inner = self.lock();
        let (disk_bytes, disk_values) = inner.on_disk.as_ref().map_or((0, 0), SledStore::held);
        let damaged = inner.on_disk.as_ref().map_or(inner.stats.damaged, SledStore::damaged);
        Stats { damaged, ram_bytes: inner.memory.bytes(), disk_bytes, disk_values, ..inner.stats }
    }

    /// What people should know, each sentence once.
    #[must_use]
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().warnings)
    }
}

impl Inner {
    fn attach(&mut self, on_disk: SledStore) {
        self.on_disk = Some(on_disk);
        self.writes = true;
    }

    /// Writes something to disk. If that fails, nothing more is written, and a warning says so once.
    fn write(&mut self, act: impl FnOnce(&mut SledStore) -> Result<(), String>) {
        if let Some(disk) = self.on_disk.as_mut().filter(|_| self.writes)
            && let Err(why) = act(disk)
        {
            self.writes = false;
            self.warn(&why);
        }
    }

    /// Keeps a value in memory, unless it is a large one that is on disk.
    fn remember(&mut self, key: Key, blob: Arc<Blob>) {
        let is_on_disk = blob.bytes() > LARGE && self.on_disk.as_ref().is_some_and(|disk| disk.has(key));
        if is_on_disk { self.memory.remove(key) } else { self.memory.put(key, blob) }
    }

    /// Reads a value from disk. If the disk cannot be read at all, it is given up, with a warning unless writing had
    /// failed before.
    fn read(&mut self, key: Key) -> Option<Blob> {
        match self.on_disk.as_mut()?.get(key) {
            Ok(found) => found,
            Err(why) => {
                self.stats.damaged = self.on_disk.take().map_or(0, |disk| disk.damaged());
                if std::mem::take(&mut self.writes) {
                    self.warn(&why);
                }
                None
            }
        }
    }

    fn warn(&mut self, why: &str) {
        self.warnings.push(format!("pictures and maps are kept in memory only: {why}"));
    }
}
