//! One vocabulary for vectors of every width.
//!
//! A kernel is a [`Job`], written once against [`Simd`] and compiled once for each family by
//! [`dispatch`]. The `Simd` value is the proof that the processor has the instructions: it is made
//! in [`dispatch`] alone, after asking. Hence the arithmetic is safe to call, and only what touches
//! memory through pointers is not. Everything is `#[inline(always)]`, since instructions of a
//! family may only be inlined into functions that are compiled for it; for the same reason a job
//! never starts threads.

#[cfg(target_arch = "x86_64")]
pub(crate) mod amx;
mod array;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

use crate::family::Family;
use crate::tile::Multiply;

/// The vectors of one family.
pub(crate) trait Simd: Copy {
    /// A vector of f32.
    type F: Copy;
    /// Twice as many bytes: the lanes of one [`Simd::F`] as f64.
    type D: Copy;
    /// Lanes of [`Simd::F`]; a divisor of 16.
    const LANES: usize;

    fn splat(self, value: f32) -> Self::F;
    /// # Safety
    /// `LANES` f32 can be read at `from`.
    unsafe fn load(self, from: *const f32) -> Self::F;
    /// # Safety
    /// `LANES` f32 can be written at `to`.
    unsafe fn store(self, to: *mut f32, value: Self::F);
    /// The first `count` lanes from memory, the others `fill`.
    ///
    /// # Safety
    /// `count` f32 can be read at `from`, and `count < LANES`.
    unsafe fn load_first(self, from: *const f32, count: usize, fill: f32) -> Self::F;
    /// # Safety
    /// `count` f32 can be written at `to`, and `count < LANES`.
    unsafe fn store_first(self, to: *mut f32, count: usize, value: Self::F);

    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    fn div(self, a: Self::F, b: Self::F) -> Self::F;
    /// The greater one; `b` if either is NaN.
    fn max(self, a: Self::F, b: Self::F) -> Self::F;
    /// The smaller one; `b` if either is NaN.
    fn min(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a * b + c`.
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// To the nearest integer, ties to even.
    fn round(self, a: Self::F) -> Self::F;
    /// `a * 2^n`, rounded once, for an integer `n` within -252..=252 and `a` within 0.5..2.
    fn scale(self, a: Self::F, n: Self::F) -> Self::F;
    /// `yes` in the lanes where `a < b`, otherwise `no`.
    fn select_less(self, a: Self::F, b: Self::F, yes: Self::F, no: Self::F) -> Self::F;
    /// The sum of all lanes, in an order of its own.
    fn sum(self, a: Self::F) -> f32;
    /// The greatest lane; lanes that are NaN may be passed over.
    fn max_lane(self, a: Self::F) -> f32;

    fn wide_zero(self) -> Self::D;
    fn wide_add(self, sum: Self::D, a: Self::F) -> Self::D;
    /// `sum + a * a`, the square being exact.
    fn wide_add_square(self, sum: Self::D, a: Self::F) -> Self::D;
    /// The sum of all lanes, in an order of its own.
    fn wide_sum(self, a: Self::D) -> f64;
    /// # Safety
    /// `LANES` f64 can be written at `to`.
    unsafe fn wide_store(self, to: *mut f64, value: Self::D);

    /// Rounds to bf16, to nearest even.
    fn round_to_bf16(self, from: &[f32], to: &mut [u16]);

    /// `c` plus the products of the bf16 pairs that each lane of `a` and `b` holds in its 32 bits, added in a fixed order.
    fn dot_pairs(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;

    /// Multiplies a block of rows with a panel.
    ///
    /// # Safety
    /// As [`Multiply`] says.
    unsafe fn multiply(self, job: Multiply);

    /// Reads `LANES` lanes of `slice` from `at`, or as many as are left, the others being `fill`.
    #[inline(always)]
    fn read(self, slice: &[f32], at: usize, fill: f32) -> Self::F {
        let rest = &slice[at..];
        if rest.len() >= Self::LANES {
            // SAFETY: `rest` holds as many.
            unsafe { self.load(rest.as_ptr()) }
        } else {
            // SAFETY: `rest` holds `rest.len()`, which is fewer than `LANES`.
            unsafe { self.load_first(rest.as_ptr(), rest.len(), fill) }
        }
    }

    /// Writes the lanes that fit into `slice` from `at`.
    #[inline(always)]
    fn write(self, slice: &mut [f32], at: usize, value: Self::F) {
        let rest = &mut slice[at..];
        if rest.len() >= Self::LANES {
            // SAFETY: `rest` holds as many.
            unsafe { self.store(rest.as_mut_ptr(), value) }
        } else {
            // SAFETY: `rest` holds `rest.len()`, which is fewer than `LANES`.
            unsafe { self.store_first(rest.as_mut_ptr(), rest.len(), value) }
        }
    }
}

/// Families that multiply pairs of bf16 as f32.
pub(crate) trait Widen: Simd {
    /// The first bf16 of every pair as f32.
    fn even(self, pairs: Self::F) -> Self::F;
    /// The second bf16 of every pair as f32.
    fn odd(self, pairs: Self::F) -> Self::F;
    /// `LANES` bf16 in a row as f32.
    ///
    /// # Safety
    /// They can be read at `from`.
    unsafe fn widen(self, from: *const u16) -> Self::F;
}

/// Work that is compiled once for each family.
pub(crate) trait Job {
    type Out;
    /// Mark implementations `#[inline(always)]`.
    fn run<S: Simd>(self, s: S) -> Self::Out;
}

/// Runs `job` with the instructions of `family`, on this thread.
///
/// # Panics
/// Panics if the processor lacks them.
pub(crate) fn dispatch<J: Job>(family: Family, job: J) -> J::Out {
    assert!(family.is_available(), "this processor cannot run the kernel family `{family}`");
    match family {
        Family::Plain => job.run(array::Array),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has the family's instructions, as just asserted.
        Family::Avx2 => unsafe { avx2::run(job) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Family::Avx512f => unsafe { avx512::run_without_bf16(job) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Family::Avx512 => unsafe { avx512::run(job) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Family::Amx => unsafe { avx512::run_with_tiles(job) },
        #[cfg(not(target_arch = "x86_64"))]
        _ => unreachable!("only the plain family is available here"),
    }
}
