//! Several pictures as one: contact sheets, pairs side by side, what differs between two.

use crate::preview::font::{CELL_HEIGHT, CELL_WIDTH, draw_text, wrap};
use image::imageops::{FilterType, replace, resize};
use image::{Rgb, RgbImage};

/// A picture with the line of text above it.
#[derive(Debug, Clone, Copy)]
pub struct Tile<'a> {
    /// The picture.
    pub picture: &'a RgbImage,
    /// Its label; "" for none. Broken between words where it is wider than the picture, and cut after three lines.
    pub label: &'a str,
}

/// How a sheet is laid out.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Pictures side by side; 0 lets the sheet be about as wide as high.
    pub columns: usize,
    /// Pixels between pictures and round the sheet.
    pub gap: u32,
    /// Pixels a dot of the labels takes; 0 for 1 up to pictures of 256 pixels, 2 above.
    pub text_scale: u32,
    /// What is behind the pictures.
    pub paper: Rgb<u8>,
    /// What labels are written in.
    pub ink: Rgb<u8>,
}

impl Default for Layout {
    fn default() -> Self {
        Self { columns: 0, gap: 4, text_scale: 0, paper: Rgb([24, 24, 27]), ink: Rgb([228, 228, 231]) }
    }
}

impl Layout {
    /// The default with so many pictures side by side.
    #[must_use]
    pub fn with_columns(columns: usize) -> Self {
        Self { columns, ..Self::default() }
    }
}

/// A contact sheet: `tiles` row by row, each below its label.
///
/// Every tile is as large as the largest picture; smaller ones stand in the middle. No tiles give one gap of paper.
#[must_use]
pub fn sheet(tiles: &[Tile], layout: &Layout) -> RgbImage {
    let width = tiles.iter().map(|tile| tile.picture.width()).max().unwrap_or(0);
    let height = tiles.iter().map(|tile| tile.picture.height()).max().unwrap_or(0);
    let columns = match layout.columns {
        0 => (tiles.len() as f64).sqrt().ceil() as usize,
        columns => columns,
    };
    let columns = columns.clamp(1, tiles.len().max(1));
    let scale = text_scale(layout, width);
    let label_columns = (width / (CELL_WIDTH * scale)) as usize;
    let labels: Vec<Vec<String>> = tiles.iter().map(|tile| wrap(tile.label, label_columns, LABEL_LINES)).collect();
    // Each row has room for the longest of its own labels.
    let heights: Vec<u32> = labels
        .chunks(columns)
        .map(|row| row.iter().map(Vec::len).max().unwrap_or(0) as u32 * CELL_HEIGHT * scale)
        .collect();
    let across = width + layout.gap;
    let down = heights.iter().map(|label| height + label + layout.gap).sum::<u32>();
    let mut out = RgbImage::from_pixel(columns as u32 * across + layout.gap, down + layout.gap, layout.paper);
    let mut top = layout.gap;
    for (row, label_height) in heights.into_iter().enumerate() {
        let here = row * columns..tiles.len().min((row + 1) * columns);
        for (column, number) in here.enumerate() {
            let left = layout.gap + column as u32 * across;
            for (line, text) in labels[number].iter().enumerate() {
                draw_text(&mut out, left, top + line as u32 * CELL_HEIGHT * scale, text, layout.ink, scale);
            }
            let picture = tiles[number].picture;
            let inset = ((width - picture.width()) / 2, (height - picture.height()) / 2);
            replace(&mut out, picture, i64::from(left + inset.0), i64::from(top + label_height + inset.1));
        }
        top += height + label_height + layout.gap;
    }
    out
}

/// Lines a label may take.
const LABEL_LINES: usize = 3;

fn text_scale(layout: &Layout, width: u32) -> u32 {
    match layout.text_scale {
        0 if width > 256 => 2,
        0 => 1,
        scale => scale,
    }
}

/// Two pictures side by side and, if `with_difference` and they are equally large, what differs as a third.
#[must_use]
pub fn compare(a: Tile, b: Tile, with_difference: bool) -> RgbImage {
    let difference = if with_difference { difference(a.picture, b.picture) } else { None };
    let mut tiles = vec![a, b];
    if let Some(picture) = &difference {
        tiles.push(Tile { picture, label: "difference × 4" });
    }
    sheet(&tiles, &Layout::with_columns(3))
}

/// Where two pictures differ: black where they are equal, four times the difference of each channel elsewhere.
///
/// Four times, so that a change of a few levels can be seen. `None` if the sizes differ.
#[must_use]
pub fn difference(a: &RgbImage, b: &RgbImage) -> Option<RgbImage> {
    let pairs = a.as_raw().iter().zip(b.as_raw());
    let bytes = pairs.map(|(&x, &y)| x.abs_diff(y).saturating_mul(4)).collect();
    if a.dimensions() == b.dimensions() { RgbImage::from_raw(a.width(), a.height(), bytes) } else { None }
}

/// `picture` scaled so that it is at most `side` pixels wide and high; never enlarged.
#[must_use]
pub fn thumbnail(picture: &RgbImage, side: u32) -> RgbImage {
    let longest = picture.width().max(picture.height());
    if longest <= side || side == 0 {
        return picture.clone();
    }
    let scaled = |length: u32| (u64::from(length) * u64::from(side) / u64::from(longest)).max(1) as u32;
    resize(picture, scaled(picture.width()), scaled(picture.height()), FilterType::Triangle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(width: u32, height: u32, grey: u8) -> RgbImage {
        RgbImage::from_pixel(width, height, Rgb([grey; 3]))
    }

    fn tiles<'a>(pictures: &'a [RgbImage], label: &'a str) -> Vec<Tile<'a>> {
        pictures.iter().map(|picture| Tile { picture, label }).collect()
    }

    #[test]
    fn every_picture_stands_whole_in_its_place() {
        let pictures: Vec<RgbImage> = (0..5).map(|i| plain(30, 20, 100 + i)).collect();
        let out = sheet(&tiles(&pictures, "x"), &Layout::with_columns(3));
        assert_eq!(out.dimensions(), (3 * 34 + 4, 2 * 34 + 4));
        for number in 0..5u32 {
            let (left, top) = (4 + number % 3 * 34, 14 + number / 3 * 34);
            for (x, y) in [(0, 0), (29, 0), (0, 19), (29, 19)] {
                assert_eq!(out.get_pixel(left + x, top + y)[0], 100 + number as u8, "picture {number} at {x}, {y}");
            }
            assert_eq!(*out.get_pixel(left + 30, top), Layout::default().paper);
        }
    }

    #[test]
    fn without_labels_no_room_is_kept_for_them() {
        assert_eq!(sheet(&tiles(&[plain(10, 10, 1)], ""), &Layout::default()).dimensions(), (18, 18));
    }

    #[test]
    fn a_label_never_runs_into_the_next_picture() {
        let pictures = [plain(20, 10, 9), plain(20, 10, 9)];
        let labelled = [
            Tile { picture: &pictures[0], label: "a very long label indeed" },
            Tile { picture: &pictures[1], label: "" },
        ];
        let out = sheet(&labelled, &Layout::with_columns(2));
        let ink = Layout::default().ink;
        let columns: Vec<u32> =
            out.enumerate_pixels().filter(|(_, _, pixel)| **pixel == ink).map(|(x, _, _)| x).collect();
        assert!(!columns.is_empty() && columns.iter().all(|&x| x < 24));
    }

    #[test]
    fn pictures_of_unlike_size_stand_in_the_middle_of_their_tiles() {
        let pictures = [plain(30, 30, 200), plain(10, 20, 100)];
        let out = sheet(&tiles(&pictures, ""), &Layout::with_columns(2));
        assert_eq!((out.get_pixel(48, 9)[0], out.get_pixel(47, 9)[0], out.get_pixel(48, 8)[0]), (100, 24, 24));
    }

    #[test]
    fn nine_pictures_make_a_square_unless_told_otherwise() {
        let pictures = vec![plain(10, 10, 1); 9];
        assert_eq!(sheet(&tiles(&pictures, ""), &Layout::default()).dimensions(), (46, 46));
    }

    #[test]
    fn an_empty_sheet_is_only_paper() {
        assert!(sheet(&[], &Layout::default()).pixels().all(|&pixel| pixel == Layout::default().paper));
    }

    #[test]
    fn equal_pictures_differ_nowhere() {
        let picture = plain(8, 8, 77);
        assert!(difference(&picture, &picture).unwrap().pixels().all(|pixel| pixel.0 == [0; 3]));
        assert_eq!(difference(&picture, &plain(8, 9, 77)), None);
    }

    #[test]
    fn a_difference_is_shown_four_times_as_large_whichever_way_it_goes() {
        let (a, b) = (plain(8, 8, 10), plain(8, 8, 17));
        assert_eq!(difference(&a, &b).unwrap().get_pixel(3, 3).0, [28; 3]);
        assert_eq!(difference(&a, &b), difference(&b, &a));
        assert_eq!(difference(&plain(1, 1, 0), &plain(1, 1, 255)).unwrap().get_pixel(0, 0).0, [255; 3]);
    }

    #[test]
    fn comparing_shows_two_pictures_and_on_request_what_differs() {
        let (a, b) = (plain(40, 40, 10), plain(40, 40, 20));
        let (a, b) = (Tile { picture: &a, label: "#1" }, Tile { picture: &b, label: "#2" });
        assert_eq!(compare(a, b, false).dimensions(), (92, 58));
        assert_eq!(compare(a, b, true).dimensions(), (136, 68), "its label needs a second line");
    }

    #[test]
    fn a_thumbnail_keeps_the_aspect_and_never_grows() {
        assert_eq!(thumbnail(&plain(128, 64, 1), 32).dimensions(), (32, 16));
        assert_eq!(thumbnail(&plain(16, 8, 1), 32).dimensions(), (16, 8));
    }
}
