//! AVX-512, with and without AVX512-BF16: vectors of 16.

use std::arch::x86_64::*;

use super::{Job, Simd, Widen, amx};
use crate::tile::{self, Multiply};

/// What multiplies pairs of bf16: f32, AVX512-BF16, or AMX tiles.
const EMULATED: u8 = 0;
const NATIVE: u8 = 1;
const TILES: u8 = 2;

/// Proof that the processor has AVX-512 (F, BW, DQ, VL), and what `BF16` stands for.
#[derive(Clone, Copy)]
pub(super) struct Avx512<const BF16: u8>(());

/// # Safety
/// The processor has AVX-512 (F, BW, DQ, VL) and AVX512-BF16.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma")]
pub(super) unsafe fn run<J: Job>(job: J) -> J::Out {
    job.run(Avx512::<NATIVE>(()))
}

/// # Safety
/// The processor has AVX-512 (F, BW, DQ, VL), AVX512-BF16 and AMX tiles for bf16, and this process
/// has leave to use them.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma")]
pub(super) unsafe fn run_with_tiles<J: Job>(job: J) -> J::Out {
    job.run(Avx512::<TILES>(()))
}

/// # Safety
/// The processor has AVX-512 (F, BW, DQ, VL).
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
pub(super) unsafe fn run_without_bf16<J: Job>(job: J) -> J::Out {
    job.run(Avx512::<EMULATED>(()))
}

/// # Safety
/// As [`Multiply`], and the processor has AVX-512 (F, BW, DQ, VL).
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
unsafe fn multiply_pairs(job: Multiply) {
    // SAFETY: by the caller's promise.
    unsafe { tile::multiply_widened(Avx512::<EMULATED>(()), job, 12, multiply_without_bf16::<false>) }
}

#[inline(always)]
fn first(count: usize) -> __mmask16 {
    ((1u32 << count) - 1) as __mmask16
}

/// Rounds sixteen f32 to bf16.
#[inline(always)]
fn to_bf16(a: __m512) -> __m256i {
    // SAFETY: only called with an `Avx512` at hand.
    unsafe {
        let bits = _mm512_castps_si512(a);
        let odd = _mm512_and_si512(_mm512_srli_epi32::<16>(bits), _mm512_set1_epi32(1));
        let rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
        // Rounding may carry a NaN's bits away; it becomes a quiet one instead.
        let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, a);
        let chosen = _mm512_mask_or_epi32(rounded, nan, bits, _mm512_set1_epi32(0x0040_0000));
        _mm512_cvtepi32_epi16(_mm512_srli_epi32::<16>(chosen))
    }
}

#[inline(always)]
fn pairs(a: __m512) -> __m512bh {
    // SAFETY: both are 64 bytes, and every bit pattern is a value of both.
    unsafe { std::mem::transmute::<__m512, __m512bh>(a) }
}

/// The first bf16 of every pair as f32.
#[inline(always)]
fn even(pairs: __m512) -> __m512 {
    // SAFETY: only called with an `Avx512` at hand.
    unsafe { _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_castps_si512(pairs))) }
}

/// The second bf16 of every pair as f32.
#[inline(always)]
fn odd(pairs: __m512) -> __m512 {
    // SAFETY: only called with an `Avx512` at hand.
    unsafe { _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(pairs), _mm512_set1_epi32(-65536))) }
}

// SAFETY (of every block below without its own): an `Avx512` exists only where the processor has
// the instructions, and reads and writes are within what the caller promises.
impl<const BF16: u8> Simd for Avx512<BF16> {
    type F = __m512;
    type D = [__m512d; 2];
    const LANES: usize = 16;

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        unsafe { _mm512_set1_ps(value) }
    }
    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> __m512 {
        unsafe { _mm512_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, value: __m512) {
        unsafe { _mm512_storeu_ps(to, value) }
    }
    #[inline(always)]
    unsafe fn load_first(self, from: *const f32, count: usize, fill: f32) -> __m512 {
        unsafe { _mm512_mask_loadu_ps(_mm512_set1_ps(fill), first(count), from) }
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize, value: __m512) {
        unsafe { _mm512_mask_storeu_ps(to, first(count), value) }
    }
    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_add_ps(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_sub_ps(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_mul_ps(a, b) }
    }
    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_div_ps(a, b) }
    }
    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_max_ps(a, b) }
    }
    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_min_ps(a, b) }
    }
    #[inline(always)]
    fn fma(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn round(self, a: __m512) -> __m512 {
        unsafe { _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a) }
    }
    #[inline(always)]
    fn scale(self, a: __m512, n: __m512) -> __m512 {
        unsafe { _mm512_scalef_ps(a, n) }
    }
    #[inline(always)]
    fn select_less(self, a: __m512, b: __m512, yes: __m512, no: __m512) -> __m512 {
        unsafe { _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b), no, yes) }
    }
    #[inline(always)]
    fn sum(self, a: __m512) -> f32 {
        // Written out, since the library leaves the order of its own sum to the compiler.
        unsafe {
            let eight = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps::<1>(a));
            let four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }
    #[inline(always)]
    fn max_lane(self, a: __m512) -> f32 {
        unsafe { _mm512_reduce_max_ps(a) }
    }
    #[inline(always)]
    fn wide_zero(self) -> [__m512d; 2] {
        unsafe { [_mm512_setzero_pd(); 2] }
    }
    #[inline(always)]
    fn wide_add(self, sum: [__m512d; 2], a: __m512) -> [__m512d; 2] {
        unsafe {
            let low = _mm512_cvtps_pd(_mm512_castps512_ps256(a));
            let high = _mm512_cvtps_pd(_mm512_extractf32x8_ps::<1>(a));
            [_mm512_add_pd(sum[0], low), _mm512_add_pd(sum[1], high)]
        }
    }
    #[inline(always)]
    fn wide_add_square(self, sum: [__m512d; 2], a: __m512) -> [__m512d; 2] {
        unsafe {
            let low = _mm512_cvtps_pd(_mm512_castps512_ps256(a));
            let high = _mm512_cvtps_pd(_mm512_extractf32x8_ps::<1>(a));
            [_mm512_fmadd_pd(low, low, sum[0]), _mm512_fmadd_pd(high, high, sum[1])]
        }
    }
    #[inline(always)]
    fn wide_sum(self, a: [__m512d; 2]) -> f64 {
        unsafe {
            let eight = _mm512_add_pd(a[0], a[1]);
            let four = _mm256_add_pd(_mm512_castpd512_pd256(eight), _mm512_extractf64x4_pd::<1>(eight));
            let two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd::<1>(four));
            _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)))
        }
    }
    #[inline(always)]
    unsafe fn wide_store(self, to: *mut f64, value: [__m512d; 2]) {
        unsafe {
            _mm512_storeu_pd(to, value[0]);
            _mm512_storeu_pd(to.add(8), value[1]);
        }
    }
    #[inline(always)]
    fn round_to_bf16(self, from: &[f32], to: &mut [u16]) {
        let len = from.len().min(to.len());
        let mut at = 0;
        while at < len {
            let mask = first((len - at).min(16));
            // SAFETY: the mask covers no more than is left in both.
            unsafe {
                let from = _mm512_maskz_loadu_ps(mask, from.as_ptr().add(at));
                // The instruction takes numbers below the least normal one for zero, as the
                // products would.
                let value = if BF16 == EMULATED {
                    to_bf16(from)
                } else {
                    std::mem::transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(from))
                };
                _mm256_mask_storeu_epi16(to.as_mut_ptr().add(at).cast(), mask, value);
            }
            at += 16;
        }
    }
    #[inline(always)]
    fn dot_pairs(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        unsafe {
            if BF16 != EMULATED {
                return _mm512_dpbf16_ps(c, pairs(a), pairs(b));
            }
            _mm512_fmadd_ps(odd(a), odd(b), _mm512_fmadd_ps(even(a), even(b), c))
        }
    }
    #[inline(always)]
    unsafe fn multiply(self, job: Multiply) {
        unsafe {
            match (BF16, job.bf16) {
                (TILES, true) => amx::multiply(job),
                (EMULATED, true) if job.rows >= tile::WORTH_WIDENING => multiply_pairs(job),
                (EMULATED, true) => multiply_without_bf16::<true>(job),
                (EMULATED, false) => multiply_without_bf16::<false>(job),
                (_, true) => multiply::<true>(job),
                (_, false) => multiply::<false>(job),
            }
        }
    }
}

// SAFETY: as above.
impl Widen for Avx512<EMULATED> {
    #[inline(always)]
    fn even(self, pairs: __m512) -> __m512 {
        even(pairs)
    }
    #[inline(always)]
    fn odd(self, pairs: __m512) -> __m512 {
        odd(pairs)
    }
    #[inline(always)]
    unsafe fn widen(self, from: *const u16) -> __m512 {
        unsafe { _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast())))) }
    }
}

tile::per_family! {
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma")]
    fn multiply(Avx512<NATIVE>, Avx512::<NATIVE>(()),
        bf16_rows: usize::MAX, 1: [1 2 3 4 5 6 7 8 9 10 11 12], 2: [1 2 3 4 5 6 7 8 9 10 11 12], 3: [1 2 3 4 5 6 7 8])
}

tile::per_family! {
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
    fn multiply_without_bf16(Avx512<EMULATED>, Avx512::<EMULATED>(()),
        bf16_rows: usize::MAX, 1: [1 2 3 4 5 6 7 8 9 10 11 12], 2: [1 2 3 4 5 6 7 8 9 10 11 12], 3: [1 2 3 4 5 6 7 8])
}
