//! Values in memory, up to a number of bytes.

use std::collections::HashMap;
use std::sync::Arc;

use super::Key;
use super::budget::Budget;
use super::codec::Blob;

/// Keeps values until the budget is used up; then the least recently used go.
///
/// A value larger than the whole budget is not kept at all.
#[derive(Debug)]
pub struct Memory {
    blobs: HashMap<Key, Arc<Blob>>,
    budget: Budget<Key>,
}

impl Memory {
    /// An empty memory of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self { blobs: HashMap::new(), budget: Budget::new(limit) }
    }

    /// Keeps a value, and gives up others for it.
    pub fn put(&mut self, key: Key, blob: Arc<Blob>) {
        self.remove(key);
        if blob.bytes() > self.budget.limit() {
            return;
        }
        self.budget.enter(key, blob.bytes(), !key.kind.goes_first());
        self.blobs.insert(key, blob);
        while let Some(old) = self.budget.excess() {
            self.budget.leave(&old);
            self.blobs.remove(&old);
        }
    }

    /// Gives a value up.
    pub fn remove(&mut self, key: Key) {
        self.budget.leave(&key);
        self.blobs.remove(&key);
    }

    /// The value, which counts as just used.
    pub fn get(&mut self, key: Key) -> Option<Arc<Blob>> {
        self.budget.touch(&key);
        self.blobs.get(&key).cloned()
    }

    /// Whether the value is here.
    #[must_use]
    pub fn has(&self, key: Key) -> bool {
        self.blobs.contains_key(&key)
    }

    /// Bytes in use.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.budget.bytes()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::new(self.budget.limit());
    }
}
