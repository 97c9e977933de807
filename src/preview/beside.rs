//! A small picture with text at both sides, as a tree with pictures has them.

use std::io::{self, Write};

use image::RgbImage;
use image::imageops::{FilterType, resize};

use crate::preview::size::Fit;
use crate::preview::terminal::{Screen, next_id, reserve_at};
use crate::preview::{Protocol, blocks, iterm, kitty, png, sixel};
use crate::safe;

/// No terminal shows a thumbnail in more pixels; larger files would only take longer.
const MOST_PIXELS: u32 = 160;

/// Blank cells between a picture and the text to its right.
pub const GAP: u16 = 1;

/// Text at the sides of a picture. Each line stays on its line: who calls has cut it to the room there is.
pub struct Sides<'a> {
    /// What stands left of the picture, a line each, all equally wide; as many as the picture has.
    pub left: &'a [String],
    /// What stands right of it.
    pub right: &'a [String],
}

impl Screen {
    /// The cells of a picture of this size that is `rows` lines high.
    #[must_use]
    pub fn fit_thumbnail(&self, (width, height): (u32, u32), rows: u16) -> Fit {
        let (across, down) = if self.protocol == Protocol::Blocks { (1, 2) } else { self.size.cell_pixels() };
        let shape = f64::from(width.max(1)) / f64::from(height.max(1));
        let columns = f64::from(rows) * f64::from(down) * shape / f64::from(across);
        Fit { columns: (columns.round() as u16).clamp(1, rows * 4), rows }
    }

    /// Shows `picture` in `fit` cells, with text at its sides; the cursor is at the start of a line before and after.
    ///
    /// # Errors
    /// Whatever writing to `out` gives.
    pub fn show_beside(&self, out: &mut dyn Write, picture: &RgbImage, fit: Fit, sides: &Sides) -> io::Result<()> {
        let small = shrunk(picture);
        let line = |n: u16| {
            let of = |lines: &[String]| lines.get(usize::from(n)).cloned().unwrap_or_default();
            (of(sides.left), of(sides.right))
        };
        let gap = " ".repeat(usize::from(GAP));
        let as_text = match self.protocol {
            Protocol::None => return Ok(()),
            Protocol::Blocks => {
                let mut text = Vec::new();
                blocks::write(&mut text, picture, fit, self.colours)?;
                Some(text)
            }
            Protocol::Kitty if self.tmux => {
                let mut text = Vec::new();
                kitty::write_through_tmux(&mut text, &png::encode(&small)?, fit, next_id())?;
                Some(text)
            }
            _ => None,
        };
        if let Some(text) = as_text {
            // Lines of text, of which the first may begin with the picture's file.
            let text = String::from_utf8_lossy(&text);
            for (n, row) in text.split_terminator("\r\n").enumerate() {
                let (left, right) = line(n as u16);
                write!(out, "{left}{row}{gap}{right}\r\n")?;
            }
            return out.flush();
        }
        let column = sides.left.first().map_or(0, |left| safe::cells(left)) as u16;
        for n in 0..fit.rows {
            let (left, right) = line(n);
            write!(out, "{left}{}{gap}{right}\r\n", " ".repeat(usize::from(fit.columns)))?;
        }
        reserve_at(out, (column, fit.rows), self.tmux, |out| match self.protocol {
            Protocol::Kitty => kitty::write(out, &png::encode(&small)?, fit, next_id()),
            Protocol::Iterm => iterm::write(out, &png::encode(&small)?, fit, self.tmux),
            _ => sixel::write(out, &self.sized_for_sixel(picture, fit), self.sixel_colours, self.tmux),
        })?;
        out.flush()
    }
}

fn shrunk(picture: &RgbImage) -> RgbImage {
    let longest = picture.width().max(picture.height());
    if longest <= MOST_PIXELS {
        return picture.clone();
    }
    let side = |length: u32| (length * MOST_PIXELS / longest).max(1);
    resize(picture, side(picture.width()), side(picture.height()), FilterType::Triangle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preview::decode;
    use crate::preview::size::Size;
    use image::Rgb;

    fn picture(side: u32) -> RgbImage {
        RgbImage::from_fn(side, side, |x, y| Rgb([(x * 2) as u8, (y * 2) as u8, 90]))
    }

    fn shown(protocol: Protocol, tmux: bool, picture: &RgbImage, rows: u16) -> (Vec<u8>, Fit) {
        let mut screen = Screen::new(protocol, Size { cell: Some((8, 16)), ..Size::new(80, 24) });
        screen.tmux = tmux;
        let fit = screen.fit_thumbnail(picture.dimensions(), rows);
        let lines = |text: &str| (0..rows).map(|n| format!("{text}{n}")).collect::<Vec<_>>();
        let mut out = Vec::new();
        let (left, right) = (lines("  └─"), lines("right "));
        screen.show_beside(&mut out, picture, fit, &Sides { left: &left, right: &right }).unwrap();
        (out, fit)
    }

    #[test]
    fn blocks_stand_between_the_texts_of_their_lines() {
        let (out, fit) = shown(Protocol::Blocks, false, &picture(64), 4);
        assert_eq!((fit.columns, fit.rows), (8, 4));
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.split_terminator("\r\n").collect();
        assert_eq!(lines.len(), 4);
        for (n, line) in lines.iter().enumerate() {
            assert!(line.starts_with(&format!("  └─{n}\u{1b}[38;2;")), "{line:?}");
            assert!(line.ends_with(&format!("\u{1b}[0m right {n}")), "{line:?}");
            assert_eq!(line.matches('▀').count(), 8);
        }
    }

    #[test]
    fn every_pixel_of_a_thumbnail_arrives_by_kitty_and_iterm() {
        let wanted = picture(128);
        let (out, fit) = shown(Protocol::Kitty, false, &wanted, 4);
        let (keys, seen) = decode::kitty(&out);
        assert_eq!(seen, wanted);
        assert!(keys.contains(&format!(",c={},r={},", fit.columns, fit.rows)), "{keys}");
        let (out, fit) = shown(Protocol::Iterm, false, &wanted, 4);
        assert_eq!(decode::iterm(&out), (fit.columns, fit.rows, wanted));
    }

    #[test]
    fn a_sixel_thumbnail_stays_in_its_cells() {
        let (out, fit) = shown(Protocol::Sixel, false, &picture(128), 4);
        let (seen, _) = decode::sixel(&out);
        assert!(seen.width() <= u32::from(fit.columns) * 8 && seen.height() <= u32::from(fit.rows) * 16);
        assert!(seen.height() > 48, "{}", seen.height());
    }

    #[test]
    fn a_picture_is_drawn_right_of_what_stands_left_of_it_and_the_cursor_goes_below() {
        for protocol in [Protocol::Kitty, Protocol::Iterm, Protocol::Sixel] {
            let text = String::from_utf8_lossy(&shown(protocol, false, &picture(64), 3).0).into_owned();
            assert!(text.contains("\u{1b}[3A\u{1b}[5C\u{1b}7"), "{protocol:?} {text:?}");
            assert!(text.ends_with("\u{1b}8\u{1b}[3B\r"), "{protocol:?}");
        }
    }

    #[test]
    fn inside_tmux_a_kitty_thumbnail_is_text() {
        let (out, fit) = shown(Protocol::Kitty, true, &picture(64), 3);
        let text = String::from_utf8_lossy(&out).into_owned();
        assert_eq!(text.matches(kitty::PLACEHOLDER).count(), usize::from(fit.columns) * 3);
        assert!(text.starts_with("  └─0\u{1b}Ptmux;") && !text.contains("\u{1b}7"), "{text:?}");
        assert!(text.ends_with("right 2\r\n"));
    }
}
