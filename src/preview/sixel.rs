//! Pictures in Sixel, the graphics of DEC's VT340: bands of six rows, one pass over the band for each colour in it.

use crate::preview::{palette, tmux};
use image::RgbImage;
use std::fmt::Write as _;
use std::io::{self, Write};

/// Writes `picture` pixel for pixel in at most `colours` colours (1 to 256). The cursor ends wherever the terminal
/// leaves it.
///
/// Sixel knows colours in whole hundredths, so a channel is off by at most 2 of 255 beside the palette's own rounding.
pub(crate) fn write(out: &mut dyn Write, picture: &RgbImage, colours: usize, wrapped: bool) -> io::Result<()> {
    tmux::pass(out, encode(picture, colours).as_bytes(), wrapped)
}

fn encode(picture: &RgbImage, colours: usize) -> String {
    let indexed = palette::reduce(picture, colours);
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    // P2 = 1: pixels that are never set keep what is there. Raster attributes: square pixels, then the size.
    let mut text = format!("\x1bP0;1;0q\"1;1;{width};{height}");
    let percent = |value: u8| (u32::from(value) * 100 + 127) / 255;
    for (number, [red, green, blue]) in indexed.colours.iter().enumerate() {
        let _ = write!(text, "#{number};2;{};{};{}", percent(*red), percent(*green), percent(*blue));
    }
    for (band, pixels) in indexed.pixels.chunks(6 * width.max(1)).enumerate() {
        if band > 0 {
            text.push('-');
        }
        encode_band(&mut text, pixels, width, indexed.colours.len());
    }
    text.push_str("\x1b\\");
    text
}

/// Writes up to six rows of `width` palette entries: for each colour that occurs, which of the six rows it sets.
fn encode_band(text: &mut String, pixels: &[u8], width: usize, colours: usize) {
    let mut bits = vec![Vec::new(); colours];
    for (row, line) in pixels.chunks_exact(width).enumerate() {
        for (column, &colour) in line.iter().enumerate() {
            let of_colour: &mut Vec<u8> = &mut bits[usize::from(colour)];
            if of_colour.is_empty() {
                of_colour.resize(width, 0);
            }
            of_colour[column] |= 1 << row;
        }
    }
    let mut first = true;
    for (colour, columns) in bits.iter().enumerate().filter(|(_, columns)| !columns.is_empty()) {
        if !first {
            text.push('$');
        }
        first = false;
        let _ = write!(text, "#{colour}");
        let end = columns.iter().rposition(|&six| six != 0).map_or(0, |last| last + 1);
        for run in columns[..end].chunk_by(|a, b| a == b) {
            let sixel = char::from(b'?' + run[0]);
            if run.len() > 3 {
                let _ = write!(text, "!{}{sixel}", run.len());
            } else {
                text.extend(std::iter::repeat_n(sixel, run.len()));
            }
        }
    }
}
