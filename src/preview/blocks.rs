//! Pictures from half blocks: each cell shows two pixels, one above the other.

use crate::preview::size::Fit;
use image::RgbImage;
use image::imageops::{FilterType, resize};
use std::io::{self, Write};

/// How many colours a terminal's text has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// 24 bits.
    True,
    /// The 6x6x6 cube and 24 greys of xterm's palette.
    Palette256,
}

/// The picture as it is shown in `fit`: one pixel a column, two a line.
pub(crate) fn pixels(picture: &RgbImage, fit: Fit) -> RgbImage {
    let (width, height) = (u32::from(fit.columns), u32::from(fit.rows) * 2);
    if picture.dimensions() == (width, height) {
        return picture.clone();
    }
    // Averages what falls into a pixel when shrinking; never rings, which would show as bright seams at this size.
    resize(picture, width, height, FilterType::Triangle)
}

/// Writes `picture` as `fit.rows` lines of `fit.columns` upper half blocks, each line reset and ended by `\r\n`.
///
/// Both pixels of a cell are coloured (foreground above, background below), so the terminal's own background never
/// shows through. Colours are written only where they change.
pub(crate) fn write(out: &mut dyn Write, picture: &RgbImage, fit: Fit, colours: Colours) -> io::Result<()> {
    let shown = pixels(picture, fit);
    let mut line = String::new();
    for row in 0..u32::from(fit.rows) {
        let (mut above, mut below) = (None, None);
        for column in 0..u32::from(fit.columns) {
            let top = shown.get_pixel(column, 2 * row).0;
            let bottom = shown.get_pixel(column, 2 * row + 1).0;
            change(&mut line, 38, &mut above, top, colours);
            change(&mut line, 48, &mut below, bottom, colours);
            line.push('▀');
        }
        line.push_str("\x1b[0m\r\n");
    }
    out.write_all(line.as_bytes())
}

fn change(line: &mut String, ground: u8, now: &mut Option<String>, rgb: [u8; 3], colours: Colours) {
    let code = match colours {
        Colours::True => format!("\x1b[{ground};2;{};{};{}m", rgb[0], rgb[1], rgb[2]),
        Colours::Palette256 => format!("\x1b[{ground};5;{}m", nearest256(rgb)),
    };
    if now.as_ref() != Some(&code) {
        line.push_str(&code);
        *now = Some(code);
    }
}

/// Levels of one channel in xterm's colour cube.
const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The colour of entry `index` (16 to 255) of xterm's palette: the cube, then the greys 8, 18, .. 238.
pub(crate) fn colour256(index: u8) -> [u8; 3] {
    if index >= 232 {
        return [8 + 10 * (index - 232); 3];
    }
    let place = usize::from(index.saturating_sub(16));
    [LEVELS[place / 36], LEVELS[place / 6 % 6], LEVELS[place % 6]]
}

/// The entry of xterm's palette nearest to `rgb`, from the cube or the greys; the first 16 differ between terminals.
pub(crate) fn nearest256(rgb: [u8; 3]) -> u8 {
    let level = |value: u8| (0..6u8).min_by_key(|&i| LEVELS[usize::from(i)].abs_diff(value)).unwrap_or(0);
    let cube = 16 + 36 * level(rgb[0]) + 6 * level(rgb[1]) + level(rgb[2]);
    let mean = (u16::from(rgb[0]) + u16::from(rgb[1]) + u16::from(rgb[2])) / 3;
    let grey = 232 + (mean.saturating_sub(3) / 10).min(23) as u8;
    let distance =
        |index: u8| -> u32 { colour256(index).iter().zip(rgb).map(|(&a, b)| u32::from(a.abs_diff(b)).pow(2)).sum() };
    if distance(grey) < distance(cube) { grey } else { cube }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preview::decode;
    use image::Rgb;

    fn gradient(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| Rgb([(x * 7) as u8, (y * 9) as u8, (x * y) as u8]))
    }

    #[test]
    fn every_pixel_comes_back_from_the_stream() {
        for (columns, rows) in [(1, 1), (16, 8), (39, 20), (79, 20), (199, 32)] {
            let fit = Fit { columns, rows };
            let picture = gradient(u32::from(columns), u32::from(rows) * 2);
            let mut out = Vec::new();
            write(&mut out, &picture, fit, Colours::True).unwrap();
            assert_eq!(decode::blocks(&out), picture, "{fit:?}");
        }
    }

    #[test]
    fn with_256_colours_each_pixel_is_the_nearest_entry() {
        let picture = gradient(32, 32);
        let mut out = Vec::new();
        write(&mut out, &picture, Fit { columns: 32, rows: 16 }, Colours::Palette256).unwrap();
        let shown = decode::blocks(&out);
        let distance =
            |a: [u8; 3], b: [u8; 3]| a.iter().zip(b).map(|(&a, b)| u32::from(a.abs_diff(b)).pow(2)).sum::<u32>();
        for (x, y, pixel) in picture.enumerate_pixels() {
            let best = (16..=255).map(|i| distance(colour256(i), pixel.0)).min().unwrap();
            assert_eq!(distance(shown.get_pixel(x, y).0, pixel.0), best, "at {x}, {y}: {pixel:?}");
        }
    }

    #[test]
    fn a_flat_picture_sets_its_colour_once_a_line() {
        let mut out = Vec::new();
        let picture = RgbImage::from_pixel(100, 4, Rgb([1, 2, 3]));
        write(&mut out, &picture, Fit { columns: 100, rows: 2 }, Colours::True).unwrap();
        assert_eq!(String::from_utf8(out).unwrap().matches("\x1b[38;2;1;2;3m").count(), 2);
    }
}
