//! Sharing work out to threads.

use rayon::prelude::*;

/// Below this cost (about 1 ns each) a call stays on the thread that made it.
const WORTH_A_THREAD: usize = 20_000;

/// Runs `task(0)` to `task(tasks - 1)`, on several threads if `cost` (of all of them, in ns,
/// roughly) is worth it.
///
/// Nothing that a task computes may depend on which thread runs it or how many there are.
pub(crate) fn run(tasks: usize, cost: usize, task: impl Fn(usize) + Sync + Send) {
    if tasks <= 1 || cost < WORTH_A_THREAD || rayon::current_num_threads() == 1 {
        (0..tasks).for_each(task);
    } else {
        (0..tasks).into_par_iter().with_max_len(1).for_each(task);
    }
}
