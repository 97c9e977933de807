//! AVX2 and FMA: vectors of 8.

use std::arch::x86_64::*;

use super::{Job, Simd, Widen};
use crate::tile::{self, Multiply};

/// Proof that the processor has AVX2 and FMA.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

/// # Safety
/// The processor has AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn run<J: Job>(job: J) -> J::Out {
    job.run(Avx2(()))
}

/// # Safety
/// As [`Multiply`], and the processor has AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
unsafe fn multiply_pairs(job: Multiply) {
    // SAFETY: by the caller's promise.
    unsafe { tile::multiply_widened(Avx2(()), job, 6, multiply::<false>) }
}

/// A mask whose first `count` lanes are set.
#[inline(always)]
fn first(count: usize) -> __m256i {
    // SAFETY: only called with an `Avx2` at hand.
    unsafe { _mm256_cmpgt_epi32(_mm256_set1_epi32(count as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)) }
}

/// Rounds eight f32 to bf16, in the low halves of eight 32-bit lanes.
#[inline(always)]
fn to_bf16(a: __m256) -> __m256i {
    // SAFETY: only called with an `Avx2` at hand.
    unsafe {
        let bits = _mm256_castps_si256(a);
        let odd = _mm256_and_si256(_mm256_srli_epi32::<16>(bits), _mm256_set1_epi32(1));
        let rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
        // Rounding may carry a NaN's bits away; it becomes a quiet one instead.
        let nan = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_UNORD_Q>(a, a));
        let quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x0040_0000));
        _mm256_srli_epi32::<16>(_mm256_blendv_epi8(rounded, quiet, nan))
    }
}

/// `2^n` for the exponents of normal numbers.
#[inline(always)]
fn power_of_two(n: __m256i) -> __m256 {
    // SAFETY: only called with an `Avx2` at hand.
    unsafe { _mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_add_epi32(n, _mm256_set1_epi32(127)))) }
}

/// The first bf16 of every pair as f32.
#[inline(always)]
fn even(pairs: __m256) -> __m256 {
    // SAFETY: only called with an `Avx2` at hand.
    unsafe { _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_castps_si256(pairs))) }
}

/// The second bf16 of every pair as f32.
#[inline(always)]
fn odd(pairs: __m256) -> __m256 {
    // SAFETY: only called with an `Avx2` at hand.
    unsafe { _mm256_castsi256_ps(_mm256_and_si256(_mm256_castps_si256(pairs), _mm256_set1_epi32(-65536))) }
}

// SAFETY (of every block below without its own): an `Avx2` exists only where the processor has the
// instructions, and reads and writes are within what the caller promises.
impl Simd for Avx2 {
    type F = __m256;
    type D = [__m256d; 2];
    const LANES: usize = 8;

    #[inline(always)]
    fn splat(self, value: f32) -> __m256 {
        unsafe { _mm256_set1_ps(value) }
    }
    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> __m256 {
        unsafe { _mm256_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, value: __m256) {
        unsafe { _mm256_storeu_ps(to, value) }
    }
    #[inline(always)]
    unsafe fn load_first(self, from: *const f32, count: usize, fill: f32) -> __m256 {
        unsafe {
            let mask = first(count);
            _mm256_blendv_ps(_mm256_set1_ps(fill), _mm256_maskload_ps(from, mask), _mm256_castsi256_ps(mask))
        }
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize, value: __m256) {
        unsafe { _mm256_maskstore_ps(to, first(count), value) }
    }
    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_add_ps(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_sub_ps(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_mul_ps(a, b) }
    }
    #[inline(always)]
    fn div(self, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_div_ps(a, b) }
    }
    #[inline(always)]
    fn max(self, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_max_ps(a, b) }
    }
    #[inline(always)]
    fn min(self, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_min_ps(a, b) }
    }
    #[inline(always)]
    fn fma(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn round(self, a: __m256) -> __m256 {
        unsafe { _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a) }
    }
    #[inline(always)]
    fn scale(self, a: __m256, n: __m256) -> __m256 {
        unsafe {
            // In two steps, since 2^n itself may lie outside the normal numbers. The first one is
            // exact.
            let n = _mm256_cvtps_epi32(n);
            let half = _mm256_srai_epi32::<1>(n);
            _mm256_mul_ps(_mm256_mul_ps(a, power_of_two(half)), power_of_two(_mm256_sub_epi32(n, half)))
        }
    }
    #[inline(always)]
    fn select_less(self, a: __m256, b: __m256, yes: __m256, no: __m256) -> __m256 {
        unsafe { _mm256_blendv_ps(no, yes, _mm256_cmp_ps::<_CMP_LT_OQ>(a, b)) }
    }
    #[inline(always)]
    fn sum(self, a: __m256) -> f32 {
        unsafe {
            let four = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }
    #[inline(always)]
    fn max_lane(self, a: __m256) -> f32 {
        unsafe {
            let four = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }
    #[inline(always)]
    fn wide_zero(self) -> [__m256d; 2] {
        unsafe { [_mm256_setzero_pd(); 2] }
    }
    #[inline(always)]
    fn wide_add(self, sum: [__m256d; 2], a: __m256) -> [__m256d; 2] {
        unsafe {
            let low = _mm256_cvtps_pd(_mm256_castps256_ps128(a));
            let high = _mm256_cvtps_pd(_mm256_extractf128_ps::<1>(a));
            [_mm256_add_pd(sum[0], low), _mm256_add_pd(sum[1], high)]
        }
    }
    #[inline(always)]
    fn wide_add_square(self, sum: [__m256d; 2], a: __m256) -> [__m256d; 2] {
        unsafe {
            let low = _mm256_cvtps_pd(_mm256_castps256_ps128(a));
            let high = _mm256_cvtps_pd(_mm256_extractf128_ps::<1>(a));
            [_mm256_fmadd_pd(low, low, sum[0]), _mm256_fmadd_pd(high, high, sum[1])]
        }
    }
    #[inline(always)]
    fn wide_sum(self, a: [__m256d; 2]) -> f64 {
        unsafe {
            let four = _mm256_add_pd(a[0], a[1]);
            let two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd::<1>(four));
            _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)))
        }
    }
    #[inline(always)]
    unsafe fn wide_store(self, to: *mut f64, value: [__m256d; 2]) {
        unsafe {
            _mm256_storeu_pd(to, value[0]);
            _mm256_storeu_pd(to.add(4), value[1]);
        }
    }
    #[inline(always)]
    fn round_to_bf16(self, from: &[f32], to: &mut [u16]) {
        let len = from.len().min(to.len());
        let mut at = 0;
        while at + 16 <= len {
            // SAFETY: sixteen are left in both.
            unsafe {
                let low = to_bf16(self.load(from.as_ptr().add(at)));
                let high = to_bf16(self.load(from.as_ptr().add(at + 8)));
                // Packing works within 128-bit halves; the permutation puts the quarters in order.
                let packed = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi32(low, high));
                _mm256_storeu_si256(to.as_mut_ptr().add(at).cast(), packed);
            }
            at += 16;
        }
        for (to, from) in to[at..len].iter_mut().zip(&from[at..len]) {
            *to = half::bf16::from_f32(*from).to_bits();
        }
    }
    #[inline(always)]
    fn dot_pairs(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        unsafe { _mm256_fmadd_ps(odd(a), odd(b), _mm256_fmadd_ps(even(a), even(b), c)) }
    }
    #[inline(always)]
    unsafe fn multiply(self, job: Multiply) {
        unsafe {
            if job.bf16 && job.rows >= tile::WORTH_WIDENING {
                multiply_pairs(job);
            } else if job.bf16 {
                multiply::<true>(job);
            } else {
                multiply::<false>(job);
            }
        }
    }
}

// SAFETY: as above.
impl Widen for Avx2 {
    #[inline(always)]
    fn even(self, pairs: __m256) -> __m256 {
        even(pairs)
    }
    #[inline(always)]
    fn odd(self, pairs: __m256) -> __m256 {
        odd(pairs)
    }
    #[inline(always)]
    unsafe fn widen(self, from: *const u16) -> __m256 {
        unsafe { _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(_mm_loadu_si128(from.cast())))) }
    }
}

tile::per_family! {
    #[target_feature(enable = "avx2,fma")]
    fn multiply(Avx2, Avx2(()), bf16_rows: 4, 2: [1 2 3 4 5 6])
}
