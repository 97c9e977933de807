//! The plain family: arrays of four, which the compiler may or may not turn into vectors.

use half::bf16;

use super::Simd;
use crate::tile::{self, Multiply};

/// Four lanes without intrinsics.
#[derive(Clone, Copy)]
pub(super) struct Array;

type F = [f32; 4];

#[inline(always)]
fn zip(a: F, b: F, f: impl Fn(f32, f32) -> f32) -> F {
    [f(a[0], b[0]), f(a[1], b[1]), f(a[2], b[2]), f(a[3], b[3])]
}

/// `a * b + c`: fused where the target has an instruction for it, since the library's substitute is far slower than two steps.
#[inline(always)]
fn multiply_add(a: f32, b: f32, c: f32) -> f32 {
    if cfg!(any(target_arch = "aarch64", target_feature = "fma")) { a.mul_add(b, c) } else { a * b + c }
}

#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits(((n + 127) as u32) << 23)
}

impl Simd for Array {
    type F = F;
    type D = [f64; 4];
    const LANES: usize = 4;

    #[inline(always)]
    fn splat(self, value: f32) -> F {
        [value; 4]
    }
    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> F {
        // SAFETY: four can be read, by the caller's promise.
        unsafe { from.cast::<F>().read() }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, value: F) {
        // SAFETY: four can be written, by the caller's promise.
        unsafe { to.cast::<F>().write(value) }
    }
    #[inline(always)]
    unsafe fn load_first(self, from: *const f32, count: usize, fill: f32) -> F {
        let mut value = [fill; 4];
        // SAFETY: `count`, fewer than four, can be read, by the caller's promise.
        unsafe { value.as_mut_ptr().copy_from_nonoverlapping(from, count) };
        value
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize, value: F) {
        // SAFETY: `count`, fewer than four, can be written, by the caller's promise.
        unsafe { to.copy_from_nonoverlapping(value.as_ptr(), count) }
    }
    #[inline(always)]
    fn add(self, a: F, b: F) -> F {
        zip(a, b, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, a: F, b: F) -> F {
        zip(a, b, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, a: F, b: F) -> F {
        zip(a, b, |a, b| a * b)
    }
    #[inline(always)]
    fn div(self, a: F, b: F) -> F {
        zip(a, b, |a, b| a / b)
    }
    #[inline(always)]
    fn max(self, a: F, b: F) -> F {
        zip(a, b, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn min(self, a: F, b: F) -> F {
        zip(a, b, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    fn fma(self, a: F, b: F, c: F) -> F {
        std::array::from_fn(|i| multiply_add(a[i], b[i], c[i]))
    }
    #[inline(always)]
    fn round(self, a: F) -> F {
        // Adding and taking away 1.5 * 2^23 rounds to an integer, and costs less than a call to
        // `round_ties_even` where the target has no instruction for it. It is right for |a| < 2^22,
        // and no caller rounds more.
        let shift = 12_582_912.0;
        a.map(|a| (a + shift) - shift)
    }
    #[inline(always)]
    fn scale(self, a: F, n: F) -> F {
        zip(a, n, |a, n| {
            // In two steps, since 2^n itself may lie outside the normal numbers. The first one is
            // exact.
            let n = n as i32;
            let half = n >> 1;
            a * power_of_two(half) * power_of_two(n - half)
        })
    }
    #[inline(always)]
    fn select_less(self, a: F, b: F, yes: F, no: F) -> F {
        std::array::from_fn(|i| if a[i] < b[i] { yes[i] } else { no[i] })
    }
    #[inline(always)]
    fn sum(self, a: F) -> f32 {
        (a[0] + a[2]) + (a[1] + a[3])
    }
    #[inline(always)]
    fn max_lane(self, a: F) -> f32 {
        a[0].max(a[1]).max(a[2].max(a[3]))
    }
    #[inline(always)]
    fn wide_zero(self) -> [f64; 4] {
        [0.0; 4]
    }
    #[inline(always)]
    fn wide_add(self, sum: [f64; 4], a: F) -> [f64; 4] {
        std::array::from_fn(|i| sum[i] + f64::from(a[i]))
    }
    #[inline(always)]
    fn wide_add_square(self, sum: [f64; 4], a: F) -> [f64; 4] {
        std::array::from_fn(|i| sum[i] + f64::from(a[i]) * f64::from(a[i]))
    }
    #[inline(always)]
    fn wide_sum(self, a: [f64; 4]) -> f64 {
        (a[0] + a[2]) + (a[1] + a[3])
    }
    #[inline(always)]
    unsafe fn wide_store(self, to: *mut f64, value: [f64; 4]) {
        // SAFETY: four can be written, by the caller's promise.
        unsafe { to.cast::<[f64; 4]>().write(value) }
    }
    #[inline(always)]
    fn round_to_bf16(self, from: &[f32], to: &mut [u16]) {
        for (to, from) in to.iter_mut().zip(from) {
            *to = bf16::from_f32(*from).to_bits();
        }
    }
    #[inline(always)]
    fn dot_pairs(self, a: F, b: F, c: F) -> F {
        let even = |x: f32| f32::from_bits(x.to_bits() << 16);
        let odd = |x: f32| f32::from_bits(x.to_bits() & 0xffff_0000);
        std::array::from_fn(|i| multiply_add(odd(a[i]), odd(b[i]), multiply_add(even(a[i]), even(b[i]), c[i])))
    }
    #[inline(always)]
    unsafe fn multiply(self, job: Multiply) {
        // SAFETY: by the caller's promise.
        unsafe {
            if job.bf16 {
                multiply::<true>(job);
            } else {
                multiply::<false>(job);
            }
        }
    }
}

tile::per_family! {
    #[inline(never)]
    fn multiply(Array, Array, bf16_rows: 4, 2: [1 2 3 4])
}
