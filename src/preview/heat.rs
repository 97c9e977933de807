//! Draws a map over a picture as heat: where a word looks.

use crate::preview::grid::Grid;
use crate::preview::sheet::{Layout, Tile, sheet};
use image::{Rgb, RgbImage};

/// Colours from cold to hot, each brighter than the one before by about as much, so that grey prints keep the order.
const COLOURS: [[u8; 3]; 9] = [
    [4, 4, 20],
    [40, 16, 84],
    [88, 22, 112],
    [138, 34, 106],
    [188, 55, 84],
    [226, 92, 52],
    [246, 142, 28],
    [250, 196, 64],
    [252, 250, 168],
];

/// The colour of `heat`, from 0 (cold) to 1 (hot); outside values are taken as the nearest end.
#[must_use]
pub fn colour(heat: f32) -> Rgb<u8> {
    let place = if heat.is_finite() { heat.clamp(0.0, 1.0) } else { 0.0 } * (COLOURS.len() - 1) as f32;
    let step = (place as usize).min(COLOURS.len() - 2);
    let share = place - step as f32;
    let mix = |c: usize| f32::from(COLOURS[step][c]) * (1.0 - share) + f32::from(COLOURS[step + 1][c]) * share;
    Rgb(std::array::from_fn(|c| mix(c).round() as u8))
}

/// `picture` with `map` over it: hot places in full colour, cold ones the picture in dark grey.
///
/// Values are divided by `largest`, so that maps shown together share one scale; 0 takes the map's own largest. The
/// grid is enlarged smoothly.
#[must_use]
pub fn overlay(picture: &RgbImage, map: Grid, largest: f32) -> RgbImage {
    let largest = if largest > 0.0 { largest } else { map.largest() };
    let scale = if largest > 0.0 { 1.0 / largest } else { 0.0 };
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let heat = (map.sample(x, y, picture.dimensions()) * scale).clamp(0.0, 1.0);
        let [red, green, blue] = picture.get_pixel(x, y).0.map(f32::from);
        let grey = 0.299 * red + 0.587 * green + 0.114 * blue;
        let hot = colour(heat).0;
        // Where it is cold only light and dark of the picture remain, so that colour always means heat.
        let cover = 0.35 + 0.4 * heat;
        Rgb(std::array::from_fn(|c| (grey * (1.0 - cover) + f32::from(hot[c]) * cover).round() as u8))
    })
}

/// One overlay a word on one sheet, under its word, all on one scale if `together`, else each on its own.
#[must_use]
pub fn sheet_of_words(picture: &RgbImage, words: &[(&str, Grid)], together: bool) -> RgbImage {
    let shared = if together { words.iter().map(|(_, map)| map.largest()).fold(0.0, f32::max) } else { 0.0 };
    let pictures: Vec<RgbImage> = words.iter().map(|(_, map)| overlay(picture, *map, shared)).collect();
    let tiles: Vec<Tile> =
        words.iter().zip(&pictures).map(|((word, _), picture)| Tile { picture, label: word }).collect();
    sheet(&tiles, &Layout::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brightness(rgb: Rgb<u8>) -> f64 {
        // sRGB to relative luminance to CIE lightness, 0 to 100.
        let linear = rgb.0.map(|v| match f64::from(v) / 255.0 {
            v if v <= 0.04045 => v / 12.92,
            v => ((v + 0.055) / 1.055).powf(2.4),
        });
        let y = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
        if y > 0.008_856 { 116.0 * y.cbrt() - 16.0 } else { 903.3 * y }
    }

    #[test]
    fn hotter_is_always_brighter_and_by_even_steps() {
        let steps: Vec<f64> = (0..=8).map(|i| brightness(colour(i as f32 / 8.0))).collect();
        for pair in steps.windows(2) {
            let step = pair[1] - pair[0];
            assert!((7.0..16.0).contains(&step), "steps of lightness {steps:?}");
        }
        for i in 0..256 {
            assert!(brightness(colour((i + 1) as f32 / 256.0)) > brightness(colour(i as f32 / 256.0)) - 0.2);
        }
    }

    #[test]
    fn the_hottest_place_of_the_map_is_the_hottest_of_the_overlay() {
        let mut values = vec![0.0; 16 * 16];
        values[5 * 16 + 11] = 3.0;
        let picture = RgbImage::from_pixel(128, 128, Rgb([90, 120, 150]));
        let out = overlay(&picture, Grid { width: 16, height: 16, values: &values }, 0.0);
        let hottest = out.enumerate_pixels().max_by_key(|(_, _, p)| p.0.map(u32::from).iter().sum::<u32>()).unwrap();
        assert_eq!((hottest.0 / 8, hottest.1 / 8), (11, 5));
        assert_eq!(out.get_pixel(20, 100), out.get_pixel(100, 20), "cold places differ");
    }

    #[test]
    fn a_map_on_a_shared_scale_is_colder_than_on_its_own() {
        let values = [0.2; 4];
        let picture = RgbImage::from_pixel(8, 8, Rgb([50; 3]));
        let map = Grid { width: 2, height: 2, values: &values };
        let (own, shared) = (overlay(&picture, map, 0.0), overlay(&picture, map, 1.0));
        assert!(brightness(*own.get_pixel(4, 4)) > brightness(*shared.get_pixel(4, 4)));
    }

    #[test]
    fn maps_that_are_empty_short_or_not_finite_are_cold() {
        let picture = RgbImage::from_pixel(8, 8, Rgb([50; 3]));
        let cold = overlay(&picture, Grid { width: 2, height: 2, values: &[0.0; 4] }, 0.0);
        for values in [&[][..], &[0.0], &[f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0], &[-1.0; 4]] {
            assert_eq!(overlay(&picture, Grid { width: 2, height: 2, values }, 0.0), cold, "{values:?}");
        }
        assert_eq!(overlay(&picture, Grid { width: 0, height: 0, values: &[] }, 0.0), cold);
    }

    #[test]
    fn several_words_make_a_sheet() {
        let picture = RgbImage::from_pixel(32, 32, Rgb([50; 3]));
        let map = Grid { width: 1, height: 1, values: &[1.0] };
        let out = sheet_of_words(&picture, &[("cat", map), ("hat", map), ("moon", map)], true);
        assert_eq!(out.dimensions(), (2 * 36 + 4, 2 * 46 + 4));
    }
}
