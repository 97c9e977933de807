//! A sweep for the eye: a contact sheet, and a moving picture.

use std::time::Duration;

use anyhow::Result;
use image::RgbImage;

use crate::preview::gif;
use crate::preview::sheet::{Layout, Tile, sheet, thumbnail};

/// How long each picture of a moving sweep is shown.
const FRAME: Duration = Duration::from_millis(600);

/// The widest sheet, in pixels: larger pictures are made smaller on it.
const WIDEST: u32 = 4096;

/// A picture with what tells it apart.
pub struct Labelled {
    /// The picture.
    pub picture: RgbImage,
    /// Its label.
    pub label: String,
}

/// Pictures that start from one picture.
#[derive(Default)]
pub struct Block {
    /// What they start from, where it is to be shown.
    pub first: Option<Labelled>,
    /// The pictures, in the order of the grid.
    pub cells: Vec<Labelled>,
}

/// How many pictures stand side by side, what blocks start from not counted: the last axis, so that a grid reads as a
/// table; but all of a small block where there are several, a row each; 0 leaves it to the sheet.
fn across(blocks: &[Block], axes: usize, last: usize) -> usize {
    let most = blocks.iter().map(|b| b.cells.len()).max().unwrap_or(0);
    match blocks {
        [one] if one.first.is_none() => {
            if axes > 1 && last <= 8 {
                last
            } else {
                0
            }
        }
        _ if axes > 1 && (2..=8).contains(&last) && (blocks.len() == 1 || most > 8) => last,
        _ => most.min(8),
    }
}

/// A contact sheet: a row for each block, or more where a block has many pictures; what a block starts from stands at
/// its head. `axes` is how many settings vary, `last` how many values the last of them has.
#[must_use]
pub fn contact_sheet(blocks: &[Block], axes: usize, last: usize) -> RgbImage {
    let across = across(blocks, axes, last);
    let heads = blocks.iter().any(|b| b.first.is_some());
    let columns = if across == 0 { 0 } else { across + usize::from(heads) };
    let paper = RgbImage::from_pixel(1, 1, Layout::default().paper);
    let nothing = || Tile { picture: &paper, label: "" };
    let mut tiles = Vec::new();
    for block in blocks {
        for (at, row) in block.cells.chunks(across.max(1)).enumerate() {
            if heads && across > 0 {
                let head = block.first.as_ref().filter(|_| at == 0);
                tiles.push(head.map_or_else(nothing, |l| Tile { picture: &l.picture, label: &l.label }));
            }
            tiles.extend(row.iter().map(|l| Tile { picture: &l.picture, label: &l.label }));
            if blocks.len() > 1 || heads {
                tiles.resize_with(tiles.len().next_multiple_of(columns.max(1)), nothing);
            }
        }
    }
    let side = WIDEST / columns.max((tiles.len() as f64).sqrt() as usize).max(1) as u32;
    let small: Vec<RgbImage> = tiles.iter().map(|tile| thumbnail(tile.picture, side)).collect();
    let tiles: Vec<Tile> =
        small.iter().zip(&tiles).map(|(picture, tile)| Tile { picture, label: tile.label }).collect();
    sheet(&tiles, &Layout::with_columns(columns))
}

/// A moving picture of the same, one after the other, each with its label.
///
/// # Errors
/// Fails if there are no pictures.
pub fn moving(blocks: &[Block]) -> Result<Vec<u8>> {
    let all = blocks.iter().flat_map(|b| b.first.iter().chain(&b.cells));
    // Labels of one and of two lines make frames of unlike height; each stands in the middle of the largest.
    let frames: Vec<RgbImage> =
        all.map(|l| sheet(&[Tile { picture: &l.picture, label: &l.label }], &Layout::default())).collect();
    gif::encode(&frames, FRAME)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    fn block(first: bool, cells: usize) -> Block {
        let one = |grey: u8| Labelled { picture: RgbImage::from_pixel(20, 20, Rgb([grey; 3])), label: String::new() };
        Block { first: first.then(|| one(255)), cells: (0..cells).map(|n| one(100 + n as u8)).collect() }
    }

    /// The greys of the tiles, row by row; paper is 0.
    fn read(sheet: &RgbImage) -> Vec<Vec<u8>> {
        let paper = Layout::default().paper[0];
        let at = |x: u32, y: u32| sheet.get_pixel(14 + x * 24, 14 + y * 24)[0];
        let row = |y| (0..sheet.width() / 24).map(|x| at(x, y)).map(|g| if g == paper { 0 } else { g }).collect();
        (0..sheet.height() / 24).map(row).collect()
    }

    #[test]
    fn each_block_is_a_row_behind_what_it_starts_from() {
        let sheet = contact_sheet(&[block(true, 2), block(true, 1)], 1, 2);
        assert_eq!(read(&sheet), [vec![255, 100, 101], vec![255, 100, 0]]);
    }

    #[test]
    fn a_block_of_two_axes_is_a_table_whose_columns_are_the_last_one() {
        let small = contact_sheet(&[block(true, 4)], 2, 2);
        assert_eq!(read(&small), [[255, 100, 101], [0, 102, 103]]);
        let sheet = contact_sheet(&[block(true, 9)], 2, 3);
        assert_eq!(read(&sheet), [[255, 100, 101, 102], [0, 103, 104, 105], [0, 106, 107, 108]]);
    }

    #[test]
    fn one_edit_under_one_setting_makes_a_square_and_under_two_a_table() {
        assert_eq!(read(&contact_sheet(&[block(false, 4)], 1, 4)), [[100, 101], [102, 103]]);
        assert_eq!(read(&contact_sheet(&[block(false, 6)], 2, 3)), [[100, 101, 102], [103, 104, 105]]);
    }

    #[test]
    fn wide_sheets_show_their_pictures_smaller() {
        let picture = RgbImage::new(1024, 1024);
        let cells = (0..8).map(|_| Labelled { picture: picture.clone(), label: String::new() }).collect();
        assert!(contact_sheet(&[Block { first: None, cells }], 2, 8).width() <= WIDEST + 40);
    }
}
