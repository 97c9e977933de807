//! Who has to go when room is short.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// Counts bytes by key and names those to give up: first what [goes first](super::ValueKind), and of that the least recently
/// used.
#[derive(Debug)]
pub struct Budget<K> {
    limit: u64,
    bytes: u64,
    clock: u64,
    entries: HashMap<K, Entry>,
    /// Keys by turn of leaving.
    queue: BTreeMap<(bool, u64), K>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    bytes: u64,
    stays: bool,
    used: u64,
}

impl<K: Copy + Eq + Hash> Budget<K> {
    /// A budget of `limit` bytes, nothing used.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self { limit, bytes: 0, clock: 0, entries: HashMap::new(), queue: BTreeMap::new() }
    }

    /// Enters a key as just used, with its bytes, in place of what it had before. One that `stays` leaves after all
    /// that do not.
    pub fn enter(&mut self, key: K, bytes: u64, stays: bool) {
        self.leave(&key);
        self.clock += 1;
        self.bytes += bytes;
        self.entries.insert(key, Entry { bytes, stays, used: self.clock });
        self.queue.insert((stays, self.clock), key);
    }

    /// Marks a key as just used; unknown ones are ignored.
    pub fn touch(&mut self, key: &K) {
        if let Some(entry) = self.entries.get_mut(key) {
            self.clock += 1;
            self.queue.remove(&(entry.stays, entry.used));
            entry.used = self.clock;
            self.queue.insert((entry.stays, self.clock), *key);
        }
    }

    /// Takes a key out and gives its bytes back; unknown ones are ignored.
    pub fn leave(&mut self, key: &K) {
        if let Some(entry) = self.entries.remove(key) {
            self.bytes -= entry.bytes;
            self.queue.remove(&(entry.stays, entry.used));
        }
    }

    /// Changes the bytes of a key without using it; unknown ones are ignored.
    pub fn resize(&mut self, key: &K, bytes: u64) {
        if let Some(entry) = self.entries.get_mut(key) {
            self.bytes = self.bytes - entry.bytes + bytes;
            entry.bytes = bytes;
        }
    }

    /// The next key to give up, while more bytes are used than the limit allows.
    #[must_use]
    pub fn excess(&self) -> Option<K> {
        if self.bytes <= self.limit {
            return None;
        }
        self.queue.values().next().copied()
    }

    /// Whether a key is entered.
    #[must_use]
    pub fn has(&self, key: &K) -> bool {
        self.entries.contains_key(key)
    }

    /// When a key was last used, as a count of uses; larger is later.
    #[must_use]
    pub fn used(&self, key: &K) -> Option<u64> {
        self.entries.get(key).map(|entry| entry.used)
    }

    /// Bytes in use.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The most bytes allowed.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// How many keys are entered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no key is entered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given_up(budget: &mut Budget<char>) -> String {
        let mut out = String::new();
        while let Some(key) = budget.excess() {
            budget.leave(&key);
            out.push(key);
        }
        out
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut budget = Budget::new(10);
        "abc".chars().for_each(|key| budget.enter(key, 4, false));
        budget.touch(&'a');
        assert_eq!(given_up(&mut budget), "b");
        assert_eq!(budget.bytes(), 8);
    }

    #[test]
    fn what_stays_goes_last_and_yet_goes() {
        let mut budget = Budget::new(7);
        budget.enter('L', 4, true);
        budget.enter('a', 4, false);
        budget.enter('M', 4, true);
        assert_eq!(given_up(&mut budget), "aL");
    }

    #[test]
    fn entering_twice_counts_once() {
        let mut budget = Budget::new(10);
        budget.enter('a', 4, false);
        budget.enter('a', 6, true);
        budget.resize(&'a', 7);
        assert_eq!((budget.bytes(), budget.len()), (7, 1));
        budget.leave(&'a');
        assert!(budget.is_empty() && budget.bytes() == 0 && budget.excess().is_none());
    }
}
