//! Every family of this machine against the plain twins, and against itself under other batches,
//! tiles and threads.

mod accuracy;
mod same_bits;
mod special;

use crate::family::Family;

/// Numbers in -1..1 that look random and are the same every time.
pub(crate) fn noise(seed: u64, len: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

/// The families of this machine.
pub(crate) fn families() -> Vec<Family> {
    Family::available()
}

/// The greatest difference, in units of `1 + |expected|`.
#[track_caller]
pub(crate) fn gap(actual: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(actual.len(), expected.len());
    actual
        .iter()
        .zip(expected)
        .map(|(a, e)| (a - e).abs() / (1.0 + e.abs()))
        .fold(0.0, |top, gap| if gap > top || gap.is_nan() { gap } else { top })
}

#[track_caller]
pub(crate) fn assert_close(actual: &[f32], expected: &[f32], most: f32, what: &str) {
    let gap = gap(actual, expected);
    assert!(gap <= most, "{what}: off by {gap:.2e}");
}

#[track_caller]
pub(crate) fn assert_same_bits(actual: &[f32], expected: &[f32], what: &str) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    for (at, (a, e)) in actual.iter().zip(expected).enumerate() {
        assert_eq!(a.to_bits(), e.to_bits(), "{what}: element {at} is {a}, expected {e}");
    }
}
