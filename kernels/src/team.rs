//! Threads that help the one that calls.
//!
//! One call at a time is shared out. Its tasks are numbers, taken one by one from a counter by the caller and by every
//! helper that comes in time; the caller never waits for a helper that has not begun.

use std::any::Any;
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

/// How long a helper looks out for the next call before it sleeps: longer than what lies between two calls of a step.
const LOOK_OUT: Duration = Duration::from_micros(150);

/// The state of the door, in one word: the round (32 bits), how many helpers may still come in (16), how many are
/// inside (16).
const INSIDE: u64 = 1;
const PLACE: u64 = 1 << 16;
const ROUND: u64 = 1 << 32;

fn round(state: u64) -> u64 {
    state / ROUND
}

fn places(state: u64) -> u64 {
    state / PLACE % (ROUND / PLACE)
}

fn inside(state: u64) -> u64 {
    state % PLACE
}

/// The call that is shared out. The closure's lifetime is forgotten; the door keeps the promise instead.
#[derive(Clone, Copy)]
struct Call {
    task: *const (dyn Fn(usize) + Sync),
    tasks: usize,
}

/// The helpers, and the door through which they come to a call.
pub(crate) struct Team {
    /// Helpers begun so far; held by the thread whose call is shared out.
    helpers: Mutex<usize>,
    door: AtomicU64,
    call: UnsafeCell<Option<Call>>,
    next: AtomicUsize,
    /// What a task of a helper panicked with.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    asleep: AtomicUsize,
    bed: Mutex<()>,
    bell: Condvar,
}

// SAFETY: `call` is written only by the thread that holds `helpers`, while the door is shut and nobody is inside, and
// read only by helpers inside. All else is made for sharing.
unsafe impl Sync for Team {}

/// Shuts the door and waits until nobody is inside, also when a task of the caller panics.
struct Shut<'a>(&'a Team);

impl Drop for Shut<'_> {
    fn drop(&mut self) {
        let mut state = self.0.door.fetch_and(!(ROUND - PLACE), Ordering::SeqCst) & !(ROUND - PLACE);
        let mut looks = 0;
        while inside(state) > 0 {
            // A helper whose thread the system has set aside needs a processor to finish.
            if looks < 10_000 {
                std::hint::spin_loop()
            } else {
                std::thread::yield_now()
            }
            looks += 1;
            state = self.0.door.load(Ordering::Acquire);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Team {
    pub(crate) const fn new() -> Self {
        Self {
            helpers: Mutex::new(0),
            door: AtomicU64::new(0),
            call: UnsafeCell::new(None),
            next: AtomicUsize::new(0),
            panic: Mutex::new(None),
            asleep: AtomicUsize::new(0),
            bed: Mutex::new(()),
            bell: Condvar::new(),
        }
    }

    /// Runs all tasks with the help of up to `help` more threads. Gives false, and runs nothing, if another call is
    /// being shared out.
    ///
    /// # Panics
    /// Panics if a task does, after all that had begun are done.
    pub(crate) fn share(&'static self, help: usize, tasks: usize, task: &(dyn Fn(usize) + Sync)) -> bool {
        let mut helpers = match self.helpers.try_lock() {
            Ok(helpers) => helpers,
            Err(TryLockError::Poisoned(held)) => held.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        while *helpers < help {
            let begun = std::thread::Builder::new().name("kernels".to_owned()).spawn(|| self.help());
            // A system that gives no more threads still gets its results.
            if begun.is_err() {
                break;
            }
            *helpers += 1;
        }
        // SAFETY: only the lifetime changes. The reference is used by helpers inside alone, and `Shut` does not let
        // this function end, nor unwind, while one is.
        let task: &'static (dyn Fn(usize) + Sync) = unsafe { std::mem::transmute(task) };
        let call = Call { task, tasks };
        // SAFETY: this thread holds `helpers`; the door is shut and nobody is inside since the last `Shut`.
        unsafe { *self.call.get() = Some(call) };
        self.next.store(0, Ordering::Relaxed);
        {
            let _shut = Shut(self);
            let next_round = round(self.door.load(Ordering::Relaxed)).wrapping_add(1) % (1 << 32);
            self.door.store(next_round * ROUND + help as u64 * PLACE, Ordering::SeqCst);
            if self.asleep.load(Ordering::SeqCst) > 0 {
                // Whoever is on the way to bed holds this until it sleeps, and then hears the bell.
                drop(lock(&self.bed));
                self.bell.notify_all();
            }
            self.take(call);
        }
        let panic = lock(&self.panic).take();
        drop(helpers);
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
        true
    }

    /// Does one task after another until all are taken.
    fn take(&self, call: Call) {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= call.tasks {
                return;
            }
            // SAFETY: the caller is still in `share`, whose borrow of the closure lives.
            (unsafe { &*call.task })(number);
        }
    }

    /// The life of a helper.
    fn help(&self) {
        let mut last = u64::MAX;
        loop {
            let state = self.look_out(last);
            let entered = state - PLACE + INSIDE;
            if self.door.compare_exchange(state, entered, Ordering::AcqRel, Ordering::Relaxed).is_err() {
                continue;
            }
            last = round(state);
            // SAFETY: inside, so the caller has written the call and waits before it writes another.
            let call = unsafe { *self.call.get() };
            if let Some(call) = call
                && let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.take(call)))
            {
                // Nobody need begin another task.
                self.next.store(call.tasks, Ordering::Relaxed);
                *lock(&self.panic) = Some(panic);
            }
            self.door.fetch_sub(INSIDE, Ordering::Release);
        }
    }

    /// Waits for an open door of another round than `last`.
    fn look_out(&self, last: u64) -> u64 {
        let open = || {
            let state = self.door.load(Ordering::SeqCst);
            (places(state) > 0 && round(state) != last).then_some(state)
        };
        let begun = Instant::now();
        while begun.elapsed() < LOOK_OUT {
            for _ in 0..32 {
                if let Some(state) = open() {
                    return state;
                }
                std::hint::spin_loop();
            }
        }
        let mut bed = lock(&self.bed);
        self.asleep.fetch_add(1, Ordering::SeqCst);
        let state = loop {
            if let Some(state) = open() {
                break state;
            }
            bed = self.bell.wait(bed).unwrap_or_else(PoisonError::into_inner);
        };
        self.asleep.fetch_sub(1, Ordering::SeqCst);
        state
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[test]
    fn every_task_is_done_once_however_many_help() {
        static TEAM: Team = Team::new();
        for help in [0, 1, 2, 7] {
            for tasks in [1, 2, 3, 100, 1000] {
                let done: Vec<AtomicU32> = (0..tasks).map(|_| AtomicU32::new(0)).collect();
                assert!(TEAM.share(help, tasks, &|task| {
                    done[task].fetch_add(1, Ordering::Relaxed);
                }));
                assert!(done.iter().all(|d| d.load(Ordering::Relaxed) == 1), "{help} helpers, {tasks} tasks");
            }
        }
    }

    #[test]
    fn what_a_task_wrote_is_seen_after_the_call() {
        static TEAM: Team = Team::new();
        let mut values = vec![0_usize; 64];
        for round in 1..2000 {
            let shared = crate::scratch::Shared::new(&mut values);
            assert!(TEAM.share(3, 64, &|task| {
                // SAFETY: every task has an element of its own.
                unsafe { shared.part(task, 1)[0] += task * round };
            }));
        }
        let expected: Vec<usize> = (0..64).map(|task| task * (1..2000).sum::<usize>()).collect();
        assert_eq!(values, expected);
    }

    #[test]
    fn helpers_that_went_to_sleep_wake_for_the_next_call() {
        static TEAM: Team = Team::new();
        for _ in 0..5 {
            let caller = std::thread::current().id();
            let helped = AtomicU32::new(0);
            // A caller that waits in its first task leaves the others to a helper.
            let waiting = Instant::now();
            assert!(TEAM.share(1, 8, &|_| {
                if std::thread::current().id() == caller {
                    while helped.load(Ordering::Relaxed) == 0 && waiting.elapsed() < Duration::from_secs(20) {
                        std::thread::yield_now();
                    }
                } else {
                    helped.fetch_add(1, Ordering::Relaxed);
                }
            }));
            assert!(helped.load(Ordering::Relaxed) > 0, "nobody came");
            std::thread::sleep(LOOK_OUT * 20);
        }
    }

    #[test]
    fn a_call_within_a_call_is_refused() {
        static TEAM: Team = Team::new();
        let refused = AtomicU32::new(0);
        TEAM.share(2, 10, &|_| {
            if !TEAM.share(2, 10, &|_| ()) {
                refused.fetch_add(1, Ordering::Relaxed);
            }
        });
        assert_eq!(refused.load(Ordering::Relaxed), 10);
    }

    #[test]
    fn a_task_that_panics_ends_the_call_and_leaves_the_team_fit_for_the_next() {
        static TEAM: Team = Team::new();
        for guilty in [0, 3, 63] {
            let caught = catch_unwind(AssertUnwindSafe(|| {
                TEAM.share(2, 64, &|task| {
                    std::thread::sleep(Duration::from_micros(50));
                    assert!(task != guilty, "task {guilty}");
                })
            }));
            assert!(caught.is_err(), "task {guilty} went by");
        }
        let done = AtomicU32::new(0);
        assert!(TEAM.share(2, 64, &|_| {
            done.fetch_add(1, Ordering::Relaxed);
        }));
        assert_eq!(done.load(Ordering::Relaxed), 64);
    }

    #[test]
    fn two_callers_at_once_both_get_their_results() {
        let sum = |seed: usize| {
            let total = AtomicUsize::new(0);
            for _ in 0..500 {
                crate::parallel::run(16, usize::MAX, |task| {
                    total.fetch_add(task + seed, Ordering::Relaxed);
                });
            }
            total.load(Ordering::Relaxed)
        };
        let other = std::thread::spawn(move || crate::on_threads(4, || sum(1)));
        assert_eq!(crate::on_threads(4, || sum(0)), 500 * 120);
        assert_eq!(other.join().expect("it ends"), 500 * 136);
    }
}
