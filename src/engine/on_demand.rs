//! Parts of a model that are in memory only while they are used.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;

/// A part of a model that is read from its file when it is needed.
///
/// Of a large model, what a phase of a turn does not use would be a fifth of the memory that it takes: the text encoders while the UNet
/// runs, the autoencoder before there is a picture, its deep levels where a picture has become large. A small one stays.
pub(super) struct OnDemand<T> {
    load: Box<dyn Fn() -> Result<T> + Send + Sync>,
    is_large: bool,
    held: Mutex<Option<Arc<T>>>,
}

impl<T> OnDemand<T> {
    /// Reads it once, so that what is wrong with it is said now. If it is large, it is let go at once.
    ///
    /// # Errors
    /// Fails if it cannot be read.
    pub(super) fn new(is_large: bool, load: impl Fn() -> Result<T> + Send + Sync + 'static) -> Result<Self> {
        let part = Self { load: Box::new(load), is_large, held: Mutex::default() };
        part.get()?;
        part.rest();
        Ok(part)
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Option<Arc<T>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The part, read again if it was let go. It stays while the result is held.
    ///
    /// # Errors
    /// Fails if it cannot be read.
    pub(super) fn get(&self) -> Result<Arc<T>> {
        let mut held = self.held();
        if let Some(part) = &*held {
            return Ok(part.clone());
        }
        let part = Arc::new((self.load)()?);
        if self.is_large {
            wordbrush_kernels::release_free_memory(); // what its weights lay in before they were packed
        }
        Ok(held.insert(part).clone())
    }

    /// Lets a large part go.
    pub(super) fn rest(&self) {
        if self.is_large && self.held().take().is_some() {
            wordbrush_kernels::release_free_memory();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_large_part_is_read_again_after_it_was_let_go_and_a_small_one_is_read_once() {
        for (is_large, expected) in [(true, 2), (false, 1)] {
            let read = Arc::new(AtomicUsize::new(0));
            let count = read.clone();
            let part = OnDemand::new(is_large, move || Ok(count.fetch_add(1, Ordering::Relaxed))).unwrap();
            part.get().unwrap();
            part.get().unwrap();
            assert_eq!(read.load(Ordering::Relaxed), expected, "it is held from the first use on");
            part.rest();
            part.get().unwrap();
            assert_eq!(read.load(Ordering::Relaxed), 2 * expected - 1);
        }
    }

    #[test]
    fn what_cannot_be_read_again_is_said_where_it_is_needed() {
        let read = AtomicUsize::new(0);
        let part = OnDemand::new(true, move || {
            anyhow::ensure!(read.fetch_add(1, Ordering::Relaxed) == 0, "the file is gone");
            Ok(())
        })
        .unwrap();
        assert_eq!(part.get().unwrap_err().to_string(), "the file is gone");
    }
}
