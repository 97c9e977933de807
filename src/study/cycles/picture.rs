//! Ways back as a plot: how near each method came, by the number of edits taken back.

use image::{Rgb, RgbImage};

use super::summary::quartiles;
use super::{LONGEST, Row, ways};
use crate::preview::{CELL_HEIGHT, CELL_WIDTH, draw_text};

const PAPER: Rgb<u8> = Rgb([255, 255, 255]);
const INK: Rgb<u8> = Rgb([40, 40, 46]);
const GRID: Rgb<u8> = Rgb([222, 222, 228]);
/// One a method, in their order; told apart with all kinds of sight (Okabe and Ito's palette).
const COLOURS: [Rgb<u8>; 5] =
    [Rgb([0, 114, 178]), Rgb([213, 94, 0]), Rgb([230, 159, 0]), Rgb([0, 158, 115]), Rgb([204, 121, 167])];

const WIDTH: u32 = 960;
const HEIGHT: u32 = 560;
const LEFT: u32 = 110;
const RIGHT: u32 = 20;
const TOP: u32 = 96;
const BOTTOM: u32 = 56;
/// Pixels of the band above the scale, where pictures are equal.
const BAND: u32 = 40;
/// The scale's ends in dB.
const SCALE: (f64, f64) = (5.0, 50.0);

fn fill(picture: &mut RgbImage, (x, y): (u32, u32), (width, height): (u32, u32), colour: Rgb<u8>) {
    for (x, y) in (y..y + height).flat_map(|y| (x..x + width).map(move |x| (x, y))) {
        if let Some(pixel) = picture.get_pixel_mut_checked(x, y) {
            *pixel = colour;
        }
    }
}

/// The row of pixels at which a PSNR stands; equal pictures stand in the band at the top.
fn height_of(psnr: f64) -> u32 {
    if psnr.is_infinite() {
        return TOP + BAND / 2;
    }
    let share = ((psnr - SCALE.0) / (SCALE.1 - SCALE.0)).clamp(0.0, 1.0);
    let low = HEIGHT - BOTTOM;
    low - (share * f64::from(low - TOP - BAND)).round() as u32
}

fn dot(picture: &mut RgbImage, x: u32, y: u32, colour: Rgb<u8>) {
    fill(picture, (x - 1, y - 2), (3, 5), colour);
    fill(picture, (x - 2, y - 1), (5, 3), colour);
}

/// The plot: a dot a conversation whose edits were taken back as one, a bar at each method's median.
#[must_use]
pub fn plot(rows: &[Row]) -> RgbImage {
    let mut out = RgbImage::from_pixel(WIDTH, HEIGHT, PAPER);
    let right = WIDTH - RIGHT;
    draw_text(&mut out, LEFT, 12, "Taking edits back by words, as one: how near to the first picture", INK, 2);
    let methods = ways();
    let mut left = LEFT;
    for (way, colour) in methods.iter().zip(COLOURS) {
        fill(&mut out, (left, 46), (10, 10), colour);
        draw_text(&mut out, left + 16, 47, way.name, INK, 1);
        left += 16 + (way.name.chars().count() as u32 + 4) * CELL_WIDTH;
    }
    draw_text(&mut out, LEFT, 66, "a dot a conversation, a bar at the median", INK, 1);
    draw_text(&mut out, 12, TOP + BAND / 2 - 4, "equal pictures", INK, 1);
    fill(&mut out, (LEFT, TOP + BAND), (right - LEFT, 1), INK);
    for decibels in (10..=50).step_by(10) {
        let y = height_of(f64::from(decibels));
        fill(&mut out, (LEFT, y), (right - LEFT, 1), if decibels == 50 { INK } else { GRID });
        draw_text(&mut out, 56, y - 4, &format!("{decibels} dB"), INK, 1);
    }
    fill(&mut out, (LEFT, HEIGHT - BOTTOM), (right - LEFT, 1), INK);
    let group = (right - LEFT) / LONGEST as u32;
    let lane = (group - 16) / methods.len() as u32;
    for edits in 1..=LONGEST {
        let start = LEFT + (edits as u32 - 1) * group + 8;
        let label = edits.to_string();
        draw_text(&mut out, start + (group - 16) / 2 - CELL_WIDTH, HEIGHT - BOTTOM + 10, &label, INK, 2);
        for (at, (way, colour)) in methods.iter().zip(COLOURS).enumerate() {
            let middle = start + at as u32 * lane + lane / 2;
            let all: Vec<f64> = rows
                .iter()
                .filter(|r| r.in_one && r.taken_back == edits && r.method == way.name)
                .map(|r| r.psnr)
                .collect();
            if all.is_empty() {
                continue;
            }
            for psnr in &all {
                dot(&mut out, middle, height_of(*psnr), colour);
            }
            let y = height_of(quartiles(all.into_iter())[1]);
            fill(&mut out, (middle - lane / 2 + 1, y - 1), (lane - 2, 2), colour);
        }
    }
    let axis = "edits taken back";
    let width = axis.len() as u32 * CELL_WIDTH * 2;
    draw_text(&mut out, (LEFT + right - width) / 2, HEIGHT - CELL_HEIGHT * 2, axis, INK, 2);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(method: &'static str, taken_back: usize, psnr: f64) -> Row {
        let changes = String::new();
        let (chain, edits, in_one, identical, told) = (1, taken_back, true, psnr.is_infinite(), None);
        let (max_abs, ssim, seconds, evaluations) = (0.0, 1.0, 1.0, 60);
        Row {
            chain,
            edits,
            method,
            in_one,
            taken_back,
            changes,
            max_abs,
            identical,
            psnr,
            ssim,
            seconds,
            evaluations,
            told,
        }
    }

    #[test]
    fn nearer_pictures_stand_higher_and_equal_ones_in_the_band_above() {
        assert!(height_of(f64::INFINITY) < TOP + BAND && height_of(50.0) == TOP + BAND);
        assert!(height_of(30.0) < height_of(20.0) && height_of(1.0) == HEIGHT - BOTTOM);
    }

    #[test]
    fn every_method_has_its_colour_and_its_dots() {
        let names: Vec<&'static str> = ways().iter().map(|w| w.name).collect();
        assert!(names.len() <= COLOURS.len());
        let rows: Vec<Row> = names.iter().map(|name| row(name, 3, 22.0)).collect();
        let below = |picture: &RgbImage, colour: &Rgb<u8>| {
            (TOP..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y))).any(|(x, y)| picture.get_pixel(x, y) == colour)
        };
        let (with, without) = (plot(&rows), plot(&[]));
        for colour in &COLOURS[..names.len()] {
            assert!(below(&with, colour) && !below(&without, colour), "{colour:?}");
        }
    }
}
