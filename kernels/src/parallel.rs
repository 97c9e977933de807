//! Sharing work out to threads.
//!
//! A step of a small model is some hundreds of calls of a few microseconds each. A thread pool that wakes a sleeping
//! thread for every one of them spends as long on waking as on arithmetic, so the threads here look out for the next
//! call for a moment before they go to sleep, and the thread that calls takes its share of the work.

use std::cell::Cell;
use std::sync::OnceLock;

use crate::team::Team;

/// Below this cost (about 1 ns each) a call stays on the thread that made it.
const WORTH_SHARING: usize = 10_000;

/// The most threads that share a call.
const MOST: usize = 256;

/// The environment variable that says how many threads share a call; the processor's cores otherwise.
pub const THREADS_VARIABLE: &str = "RAYON_NUM_THREADS";

thread_local! {
    static ASKED_FOR: Cell<Option<usize>> = const { Cell::new(None) };
}

/// How many threads share the calls that this thread makes. Bits do not depend on it.
#[must_use]
pub fn threads() -> usize {
    static DEFAULT: OnceLock<usize> = OnceLock::new();
    ASKED_FOR.get().unwrap_or_else(|| {
        *DEFAULT.get_or_init(|| {
            let asked = std::env::var(THREADS_VARIABLE).ok().and_then(|n| n.trim().parse().ok()).filter(|n| *n > 0);
            asked.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)).min(MOST)
        })
    })
}

/// Runs `work` with `count` threads (1 at least) for every call it makes from this thread.
pub fn on_threads<R>(count: usize, work: impl FnOnce() -> R) -> R {
    struct Restore(Option<usize>);
    impl Drop for Restore {
        fn drop(&mut self) {
            ASKED_FOR.set(self.0);
        }
    }
    let _restore = Restore(ASKED_FOR.replace(Some(count.clamp(1, MOST))));
    work()
}

/// Runs `task(0)` to `task(tasks - 1)`, on several threads if `cost` (of all of them, in ns,
/// roughly) is worth it.
///
/// Nothing that a task computes may depend on which thread runs it or how many there are.
pub(crate) fn run(tasks: usize, cost: usize, task: impl Fn(usize) + Sync) {
    static TEAM: Team = Team::new();
    let threads = threads().min(tasks);
    // Where the team is at work already, for another thread or for the call that this one is part of, a thread does
    // all of it alone.
    if threads <= 1 || cost < WORTH_SHARING || !TEAM.share(threads - 1, tasks, &task) {
        (0..tasks).for_each(task);
    }
}
