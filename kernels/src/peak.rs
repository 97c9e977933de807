//! How fast products can be at all.

use std::hint::black_box;

use crate::family::family;
use crate::panels::Precision;
use crate::simd::{Job, Simd, dispatch};

/// Independent sums: enough to hide the latency, few enough for the registers of every family.
const CHAINS: usize = 12;

struct Peak {
    precision: Precision,
    rounds: usize,
}

impl Job for Peak {
    type Out = f64;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f64 {
        let (a, b) = (s.splat(black_box(0.5)), s.splat(black_box(0.25)));
        let mut sums = [s.splat(black_box(0.0)); CHAINS];
        match self.precision {
            Precision::F32 => {
                for _ in 0..self.rounds {
                    for sum in &mut sums {
                        *sum = s.fma(a, b, *sum);
                    }
                }
            }
            Precision::Bf16 => {
                for _ in 0..self.rounds {
                    for sum in &mut sums {
                        *sum = s.dot_pairs(a, b, *sum);
                    }
                }
            }
        }
        let total = sums.into_iter().map(|sum| s.sum(sum)).sum::<f32>();
        black_box(total);
        (self.rounds * CHAINS * S::LANES * 2 * self.precision.per_word()) as f64
    }
}

/// Multiplies and adds in registers alone, on this thread, and returns the number of operations
/// done: twice the number of products.
///
/// Divided by the seconds it took, that is the peak of one core, which no kernel of this family can
/// surpass at that moment; in the plain family it is what the compiler makes of such a loop, which
/// may be less than it makes of the kernels. A million rounds take a few milliseconds.
#[must_use]
pub fn register_peak(precision: Precision, rounds: usize) -> f64 {
    dispatch(family(), Peak { precision, rounds })
}
