//! Draws the border of a mask on a picture: what an edit may change.

use crate::preview::grid::Grid;
use image::{Rgb, RgbImage};

/// `picture` with the border of `mask` drawn in, outside it darkened by half.
///
/// The border is a white line with a black one outside it, so that it shows on any ground.
///
/// `mask` is `width` x `height`, row by row, and is enlarged in whole cells: what is drawn is what is blended.
/// A missing cell counts as outside.
#[must_use]
pub fn draw(picture: &RgbImage, mask: &[bool], width: usize, height: usize) -> RgbImage {
    let (across, down) = picture.dimensions();
    let inside = |x: i64, y: i64| {
        let within = (0..i64::from(across)).contains(&x) && (0..i64::from(down)).contains(&y);
        let cell = |at: i64, cells: usize, pixels: u32| at as usize * cells / pixels as usize;
        within && mask.get(cell(y, height, down) * width + cell(x, width, across)).copied().unwrap_or(false)
    };
    let touches = |x: i64, y: i64, wanted: bool| {
        let near = [(-1, 0), (1, 0), (0, -1), (0, 1)];
        near.iter().any(|(dx, dy)| {
            let (x, y) = (x + dx, y + dy);
            // The picture's edge is no border: a mask that covers everything has none.
            (0..i64::from(across)).contains(&x) && (0..i64::from(down)).contains(&y) && inside(x, y) == wanted
        })
    };
    RgbImage::from_fn(across, down, |x, y| {
        let (left, top) = (i64::from(x), i64::from(y));
        match inside(left, top) {
            true if touches(left, top, false) => Rgb([255; 3]),
            true => *picture.get_pixel(x, y),
            false if touches(left, top, true) => Rgb([0; 3]),
            false => Rgb(picture.get_pixel(x, y).0.map(|value| value / 2)),
        }
    })
}

/// The places where `map`, divided by its largest value, is above `k`: the rule of local blend, without its 3x3
/// maximum, which the caller's map already has.
#[must_use]
pub fn threshold(map: Grid, k: f32) -> Vec<bool> {
    let largest = map.largest();
    map.values.iter().map(|&value| largest > 0.0 && value.is_finite() && value / largest > k).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_border_lies_where_the_mask_changes_and_nowhere_else() {
        let picture = RgbImage::from_pixel(32, 32, Rgb([100; 3]));
        let mut mask = vec![false; 16];
        mask[5] = true; // cell 1, 1: pixels 8 to 15 both ways
        let out = draw(&picture, &mask, 4, 4);
        for (x, y, pixel) in out.enumerate_pixels() {
            let within = |at: u32, from: u32, to: u32| (from..=to).contains(&at);
            let inside = within(x, 8, 15) && within(y, 8, 15);
            let deep = within(x, 9, 14) && within(y, 9, 14);
            let beside = (within(x, 7, 16) && within(y, 8, 15)) || (within(x, 8, 15) && within(y, 7, 16));
            let expected = match (inside, deep, beside) {
                (true, true, _) => 100,
                (true, false, _) => 255,
                (false, _, true) => 0,
                _ => 50,
            };
            assert_eq!(pixel.0, [expected; 3], "at {x}, {y}");
        }
    }

    #[test]
    fn a_mask_of_everything_changes_nothing_and_of_nothing_darkens_all() {
        let picture = RgbImage::from_pixel(10, 6, Rgb([100; 3]));
        assert_eq!(draw(&picture, &[true; 16], 4, 4), picture);
        for mask in [&[false; 16][..], &[]] {
            assert!(draw(&picture, mask, 4, 4).pixels().all(|pixel| pixel.0 == [50; 3]));
        }
    }

    #[test]
    fn a_higher_threshold_never_adds_a_place() {
        let values: Vec<f32> = (0..64).map(|i| (i * 37 % 64) as f32).collect();
        let map = Grid { width: 8, height: 8, values: &values };
        let mut before = threshold(map, 0.0);
        assert_eq!(before.iter().filter(|&&inside| inside).count(), 63);
        for k in 1..10 {
            let now = threshold(map, k as f32 / 10.0);
            assert!(now.iter().zip(&before).all(|(now, before)| !now || *before));
            before = now;
        }
        assert!(threshold(map, 1.0).iter().all(|inside| !inside));
    }

    #[test]
    fn a_map_of_zeros_selects_nothing() {
        assert_eq!(threshold(Grid { width: 2, height: 1, values: &[0.0, 0.0] }, 0.0), [false, false]);
    }
}
