//! Pictures of bytes resized, bit for bit as Pillow does it.
//!
//! Networks that read pictures were trained on what that library makes of them: a filter that widens where it shrinks, along the
//! width first and then along the height, with fixed-point weights, and each pass rounded to bytes.

/// What weighs the pixels near a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResizeFilter {
    /// A triangle: bilinear.
    Triangle,
    /// Two cubics a side, with a = -0.5.
    Bicubic,
}

impl ResizeFilter {
    /// How far it reaches, in pixels.
    fn support(self) -> f64 {
        match self {
            Self::Triangle => 1.0,
            Self::Bicubic => 2.0,
        }
    }

    fn weight(self, x: f64) -> f64 {
        let x = x.abs();
        match self {
            Self::Triangle => (1.0 - x).max(0.0),
            Self::Bicubic => cubic(x, -0.5),
        }
    }
}

/// The cubic convolution of Keys (1981) at a distance of `x`, 0 from 2 on.
pub(super) fn cubic(x: f64, a: f64) -> f64 {
    if x < 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * a
    } else {
        0.0
    }
}

/// Bits of a weight behind the point: 8 are a pixel's, 2 are for sums that overshoot.
const BITS: u32 = 32 - 8 - 2;

/// For each place of the result, the first pixel that counts and the weights of those from there on.
fn weights(from: usize, to: usize, filter: ResizeFilter) -> Vec<(usize, Vec<i32>)> {
    let scale = from as f64 / to as f64;
    let wide = scale.max(1.0);
    let reach = filter.support() * wide;
    let at = |i: usize| {
        let centre = (i as f64 + 0.5) * scale;
        let first = (centre - reach + 0.5).max(0.0) as usize;
        let end = ((centre + reach + 0.5) as usize).min(from);
        let weights: Vec<f64> = (first..end).map(|x| filter.weight((x as f64 - centre + 0.5) * (1.0 / wide))).collect();
        let sum: f64 = weights.iter().sum();
        let fixed = |w: f64| {
            let scaled = if sum == 0.0 { w } else { w / sum } * f64::from(1 << BITS);
            // Halves away from zero, as published.
            if scaled < 0.0 { (scaled - 0.5) as i32 } else { (scaled + 0.5) as i32 }
        };
        (first, weights.into_iter().map(fixed).collect())
    };
    (0..to).map(at).collect()
}

/// Rows of `width` pixels resized along each row.
fn along(bytes: &[u8], (width, channels): (usize, usize), weights: &[(usize, Vec<i32>)]) -> Vec<u8> {
    let row_of = |row: &[u8], out: &mut Vec<u8>| {
        for (first, weights) in weights {
            for channel in 0..channels {
                let pixel = |i: usize| i32::from(row[(first + i) * channels + channel]);
                let sum: i32 = weights.iter().enumerate().map(|(i, w)| pixel(i) * w).sum();
                out.push(((sum + (1 << (BITS - 1))) >> BITS).clamp(0, 255) as u8);
            }
        }
    };
    let mut out = Vec::with_capacity(bytes.len() / width.max(1) * weights.len());
    bytes.chunks_exact(width * channels).for_each(|row| row_of(row, &mut out));
    out
}

/// The picture at another size. A side that keeps its length keeps its pixels.
///
/// # Shapes
/// - `bytes`: `height * width * channels`, row by row; so is the result, with the sides of `to`
///
/// # Panics
/// If a side is 0, or `bytes` are not as many as the sides say.
#[must_use]
pub fn resize(
    bytes: &[u8],
    (width, height): (usize, usize),
    channels: usize,
    to: (usize, usize),
    filter: ResizeFilter,
) -> Vec<u8> {
    assert!(width * height * channels > 0 && to.0 * to.1 > 0, "a picture without pixels");
    assert_eq!(bytes.len(), width * height * channels, "BUG: a picture's bytes do not fit its sides");
    let wide =
        if width == to.0 { bytes.to_vec() } else { along(bytes, (width, channels), &weights(width, to.0, filter)) };
    if height == to.1 {
        return wide;
    }
    // A column of pixels is a row of one channel's values once the sides are exchanged.
    let row = to.0 * channels;
    let turned: Vec<u8> =
        (0..row).flat_map(|x| (0..height).map(move |y| (x, y))).map(|(x, y)| wide[y * row + x]).collect();
    let high = along(&turned, (height, 1), &weights(height, to.1, filter));
    (0..to.1).flat_map(|y| (0..row).map(move |x| (x, y))).map(|(x, y)| high[x * to.1 + y]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(from: &[u8], to: usize, filter: ResizeFilter, expected: &[u8]) {
        assert_eq!(resize(from, (from.len(), 1), 1, (to, 1), filter), expected, "along a row");
        assert_eq!(resize(from, (1, from.len()), 1, (1, to), filter), expected, "along a column");
    }

    #[test]
    fn shrinking_weighs_all_pixels_and_enlarging_those_beside_a_place() {
        use ResizeFilter::{Bicubic, Triangle};
        // Worked out by hand: places at 1/4 steps, weights 3/4 and 1/4; at the ends only what is there counts.
        check(&[0, 100], 4, Triangle, &[0, 25, 75, 100]);
        // A triangle two pixels wide on each side: (3*0 + 3*0 + 1*100) / 7 of the eighths that lie inside.
        check(&[0, 0, 100, 100], 2, Triangle, &[14, 86]);
        // The cubic at 1/4 and 3/4: weights -9/128, 111/128, 29/128, -3/128; what overshoots is cut off.
        check(&[0, 0, 128, 128, 0, 0, 0, 0], 16, Bicubic, &[0, 0, 0, 26, 102, 140, 140, 102, 26, 0, 0, 0, 0, 0, 0, 0]);
        check(&[0, 255], 4, Bicubic, &[0, 53, 202, 255]);
    }

    #[test]
    fn uneven_ratios_give_the_bytes_that_pillow_gives() {
        use ResizeFilter::{Bicubic, Triangle};
        let row = [3, 200, 17, 90, 255, 0, 128, 64, 31, 77];
        check(&row, 4, Triangle, &[91, 115, 91, 58]);
        check(&row, 3, Bicubic, &[91, 113, 61]);
        check(&row, 7, Bicubic, &[73, 93, 119, 131, 84, 52, 61]);
        check(&row, 13, Bicubic, &[0, 147, 136, 14, 85, 238, 130, 12, 129, 77, 38, 44, 79]);
    }

    #[test]
    fn a_side_that_keeps_its_length_keeps_its_pixels_and_colours_do_not_mix() {
        let two = [10, 20, 30, 40, 50, 60];
        assert_eq!(resize(&two, (2, 1), 3, (2, 1), ResizeFilter::Bicubic), two);
        let tall = resize(&two, (2, 1), 3, (2, 3), ResizeFilter::Triangle);
        assert_eq!(tall, [two, two, two].concat());
        let wide = resize(&two, (2, 1), 3, (4, 1), ResizeFilter::Triangle);
        assert_eq!(wide, [10, 20, 30, 18, 28, 38, 33, 43, 53, 40, 50, 60]);
    }

    #[test]
    fn even_pictures_stay_even_at_every_size() {
        for filter in [ResizeFilter::Triangle, ResizeFilter::Bicubic] {
            for to in [(1, 1), (3, 7), (13, 2), (40, 31)] {
                let even = resize(&[77; 9 * 11], (9, 11), 1, to, filter);
                assert!(even.iter().all(|x| *x == 77), "{filter:?} {to:?}: {even:?}");
            }
        }
    }
}
