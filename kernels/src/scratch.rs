//! Memory for intermediate results, kept by each thread, and pointers shared by threads that write
//! apart.

use std::cell::RefCell;

/// One cache line, the unit of alignment of all scratch memory and packed weights.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u32; LINE]);

const LINE: usize = 16;

/// 32-bit words, aligned to a cache line.
///
/// A word is an f32 or a pair of bf16; [`words_as_floats`] and its kin look at the same memory as
/// either.
#[derive(Clone)]
pub(crate) struct Words {
    lines: Vec<Line>,
    len: usize,
}

impl Words {
    /// `len` words, all zero.
    pub(crate) fn zeroed(len: usize) -> Self {
        Self { lines: vec![Line([0; LINE]); len.div_ceil(LINE)], len }
    }

    pub(crate) fn as_slice(&self) -> &[u32] {
        // SAFETY: `Line` is 16 u32 without padding, and `len` words fit in the lines by construction.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [u32] {
        // SAFETY: as in `as_slice`; the borrow is unique.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

/// The same memory as f32.
pub(crate) fn words_as_floats(words: &mut [u32]) -> &mut [f32] {
    // SAFETY: u32 and f32 have the same size and alignment, and every bit pattern is a value of both.
    unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), words.len()) }
}

/// The same memory as 16-bit halves, the even one first (little endian).
pub(crate) fn words_as_halves(words: &mut [u32]) -> &mut [u16] {
    // SAFETY: a u32 is two u16, which ask for less alignment, and every bit pattern is a value of both.
    unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), words.len() * 2) }
}

/// Scratch memory above this size is given back after use.
pub(crate) const KEPT_BYTES: usize = 8 << 20;

thread_local! {
    static POOL: RefCell<Vec<Words>> = const { RefCell::new(Vec::new()) };
}

/// Words of this thread's scratch memory, given back when dropped.
///
/// A value and not a function that takes a closure, since a closure is compiled for the plainest
/// processor.
pub(crate) struct Scratch(Words);

impl Scratch {
    /// `len` words; what they hold is unspecified.
    pub(crate) fn take(len: usize) -> Self {
        let mut words = POOL.with_borrow_mut(Vec::pop).unwrap_or_else(|| Words::zeroed(0));
        let lines = len.div_ceil(LINE);
        if words.lines.len() < lines {
            words.lines = vec![Line([0; LINE]); lines];
        }
        words.len = len;
        Self(words)
    }

    pub(crate) fn words(&mut self) -> &mut [u32] {
        self.0.as_mut_slice()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let words = std::mem::replace(&mut self.0, Words { lines: Vec::new(), len: 0 });
        if words.lines.len() * size_of::<Line>() <= KEPT_BYTES {
            POOL.with_borrow_mut(|pool| pool.push(words));
        }
    }
}

/// A pointer into a slice of which every task writes a part of its own.
pub(crate) struct Shared<T>(*mut T, usize);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Shared<T> {}

// SAFETY: the methods that reach memory are unsafe and ask their callers to keep apart.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub(crate) fn new(slice: &mut [T]) -> Self {
        Self(slice.as_mut_ptr(), slice.len())
    }

    /// A pointer to element `at`, which lies in the slice or at its end.
    pub(crate) fn at(self, at: usize) -> *mut T {
        assert!(at <= self.1, "BUG: element {at} of a slice of {}", self.1);
        // SAFETY: just checked to lie in the slice or at its end.
        unsafe { self.0.add(at) }
    }

    /// The same slice from element `at` on.
    pub(crate) fn from(self, at: usize) -> Self {
        Self(self.at(at), self.1 - at)
    }

    /// Elements `from..from + len`.
    ///
    /// # Safety
    /// While the result lives, nobody else reads or writes these elements, and the slice still lives.
    pub(crate) unsafe fn part<'a>(self, from: usize, len: usize) -> &'a mut [T] {
        assert!(from + len <= self.1, "BUG: elements {from}..{} of a slice of {}", from + len, self.1);
        // SAFETY: in bounds as just checked; alone by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(from), len) }
    }
}
