//! Seeded noise of our own: the same numbers on every machine.
//!
//! Only integers and one polynomial are used, so no mathematical library can make a difference. Twelve uniform numbers
//! are added exactly as integers; Teichroew's polynomial (Knuth, The Art of Computer Programming 2, 3.4.1) turns
//! their sum into a normal deviate, good to about 1e-4 within four deviations.

/// A stream of 64-bit numbers: `SplitMix64` (Steele, Lea and Flood 2014).
struct Stream(u64);

impl Stream {
    const STRIDE: u64 = 0x9E37_79B9_7F4A_7C15;

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(Self::STRIDE);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// `count` normal deviates from a seed.
///
/// ```
/// let noise = wordbrush::engine::noise::normal(888, 4);
/// assert_eq!(noise.len(), 4);
/// assert_eq!(noise, wordbrush::engine::noise::normal(888, 4));
/// ```
#[must_use]
pub fn normal(seed: u64, count: usize) -> Vec<f32> {
    normal_after(seed, 0, count)
}

/// The `count` normal deviates of a seed that follow its first `skipped`.
#[must_use]
pub fn normal_after(seed: u64, skipped: usize, count: usize) -> Vec<f32> {
    // Seeds that differ by one bit begin far apart.
    let mut stream = Stream(seed);
    stream.0 = stream.next().wrapping_add(Stream::STRIDE.wrapping_mul(6 * skipped as u64));
    (0..count)
        .map(|_| {
            let mut sum = 0u64;
            for _ in 0..6 {
                let bits = stream.next();
                sum += (bits >> 32) + (bits & 0xFFFF_FFFF);
            }
            // Twelve 32-bit numbers: the mean of the sum is 6 * (2^32 - 1); a quarter of the centred sum is Teichroew's r.
            let centred = sum as i64 - 6 * 0xFFFF_FFFF;
            let r = centred as f64 / 17_179_869_184.0;
            let s = r * r;
            let p = (((0.029_899_776 * s + 0.008_355_968) * s + 0.076_542_912) * s + 0.252_408_784) * s + 3.949_846_138;
            (p * r) as f32
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbers_of_a_seed_never_change() {
        let bits: Vec<u32> = normal(888, 4).iter().map(|x| x.to_bits()).collect();
        assert_eq!(bits, GOLDEN);
    }
    const GOLDEN: [u32; 4] = [0xBD6E_9043, 0xBF6B_7341, 0xBD2B_089A, 0x3F52_973E];

    #[test]
    fn numbers_that_are_skipped_are_not_missed() {
        assert_eq!(normal_after(888, 5, 7), normal(888, 12)[5..]);
    }

    #[test]
    fn a_large_sample_is_normal_to_the_fourth_moment() {
        let noise = normal(1, 400_000);
        let n = noise.len() as f64;
        let moment = |k: i32| noise.iter().map(|x| f64::from(*x).powi(k)).sum::<f64>() / n;
        assert!(moment(1).abs() < 0.006, "mean {}", moment(1));
        assert!((moment(2) - 1.0).abs() < 0.01, "variance {}", moment(2));
        assert!(moment(3).abs() < 0.02, "third moment {}", moment(3));
        assert!((moment(4) - 3.0).abs() < 0.06, "fourth moment {}", moment(4));
        let beyond = noise.iter().filter(|x| x.abs() > 2.0).count() as f64 / n;
        assert!((beyond - 0.0455).abs() < 0.001, "beyond two deviations: {beyond}");
    }

    #[test]
    fn neighbouring_seeds_are_not_alike() {
        let (a, b) = (normal(41, 10_000), normal(42, 10_000));
        let product: f64 = a.iter().zip(&b).map(|(x, y)| f64::from(x * y)).sum::<f64>() / 10_000.0;
        assert!(product.abs() < 0.04, "correlation {product}");
    }
}
