//! Pictures in Kitty's graphics protocol: a PNG file in base64, in chunks of 4096 characters.
//!
//! Answers are switched off (`q=2`), so nothing ever arrives as if it had been typed. Inside tmux the picture is sent
//! past tmux as a virtual one and its place is written as text, one placeholder a cell, which tmux moves and clears as
//! it does any other text.

use crate::preview::size::Fit;
use crate::preview::tmux;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::io::{self, Write};

const CHUNK: usize = 4096;

/// Writes the file `png` as picture `id` to be shown in `fit` cells at the cursor, which does not move.
///
/// A picture of the same id that is on the screen is replaced.
pub(crate) fn write(out: &mut dyn Write, png: &[u8], fit: Fit, id: u32) -> io::Result<()> {
    transmit(out, png, &format!("a=T,f=100,q=2,C=1,i={id},c={},r={}", fit.columns, fit.rows), false)
}

/// Takes picture `id` off the screen and out of the terminal's memory.
pub(crate) fn delete(out: &mut dyn Write, id: u32, wrapped: bool) -> io::Result<()> {
    tmux::pass(out, format!("\x1b_Ga=d,d=I,q=2,i={id}\x1b\\").as_bytes(), wrapped)
}

/// Sends the file `png` past tmux as picture `id` and writes `fit.rows` lines of placeholders for it.
pub(crate) fn write_through_tmux(out: &mut dyn Write, png: &[u8], fit: Fit, id: u32) -> io::Result<()> {
    let fit = Fit { columns: fit.columns, rows: fit.rows.min(ROW_MARKS.len() as u16) };
    transmit(out, png, &format!("a=T,f=100,q=2,U=1,i={id},c={},r={}", fit.columns, fit.rows), true)?;
    // The id is told by the text colour: its low 24 bits are red, green and blue.
    let [_, red, green, blue] = id.to_be_bytes();
    let mut text = String::new();
    for mark in &ROW_MARKS[..usize::from(fit.rows)] {
        text.push_str(&format!("\x1b[38;2;{red};{green};{blue}m"));
        // The first cell names its row and column 0; those after it count on by themselves.
        text.extend([PLACEHOLDER, *mark, ROW_MARKS[0]]);
        text.extend(std::iter::repeat_n(PLACEHOLDER, usize::from(fit.columns).saturating_sub(1)));
        text.push_str("\x1b[39m\r\n");
    }
    out.write_all(text.as_bytes())
}

fn transmit(out: &mut dyn Write, png: &[u8], keys: &str, wrapped: bool) -> io::Result<()> {
    let data = BASE64_STANDARD.encode(png);
    let count = data.len().div_ceil(CHUNK).max(1);
    for number in 0..count {
        let chunk = &data[number * CHUNK..data.len().min((number + 1) * CHUNK)];
        let more = u8::from(number + 1 < count);
        let sequence = if number == 0 {
            format!("\x1b_G{keys},m={more};{chunk}\x1b\\")
        } else {
            format!("\x1b_Gq=2,m={more};{chunk}\x1b\\")
        };
        tmux::pass(out, sequence.as_bytes(), wrapped)?;
    }
    Ok(())
}

/// The character that stands for one cell of a virtual picture.
pub(crate) const PLACEHOLDER: char = '\u{10eeee}';

/// Combining marks that count rows and columns from 0, in the order which the protocol fixes.
pub(crate) const ROW_MARKS: [char; 32] = [
    '\u{305}', '\u{30d}', '\u{30e}', '\u{310}', '\u{312}', '\u{33d}', '\u{33e}', '\u{33f}', '\u{346}', '\u{34a}',
    '\u{34b}', '\u{34c}', '\u{350}', '\u{351}', '\u{352}', '\u{357}', '\u{35b}', '\u{363}', '\u{364}', '\u{365}',
    '\u{366}', '\u{367}', '\u{368}', '\u{369}', '\u{36a}', '\u{36b}', '\u{36c}', '\u{36d}', '\u{36e}', '\u{36f}',
    '\u{483}', '\u{484}',
];
