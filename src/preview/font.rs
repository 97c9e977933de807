//! A small font for labels in pictures: printable ASCII and a few signs that edits are written with.

use image::{Rgb, RgbImage};

/// Columns a character takes, its gap included, at scale 1.
pub const CELL_WIDTH: u32 = 6;
/// Rows a line of text takes, its gap included, at scale 1.
pub const CELL_HEIGHT: u32 = 10;

const GLYPH_WIDTH: usize = 5;
const GLYPH_HEIGHT: usize = 8;
const PER_BLOCK: usize = 15;

/// The signs after ASCII in [`ART`]; the last stands for every character that the font lacks.
const SIGNS: [char; 10] = ['→', '←', '×', '·', '…', 'Δ', '≥', '±', '•', '\u{fffd}'];

/// Draws `text` on one line, its upper left corner at `x`, `y`, each dot `scale` pixels large.
///
/// What lies outside the picture is left out. Accents are dropped from Latin letters; a character the font lacks is a
/// box. Controls are boxes too: a label is one line.
pub fn draw_text(picture: &mut RgbImage, x: u32, y: u32, text: &str, colour: Rgb<u8>, scale: u32) {
    let mut left = x;
    for c in text.chars() {
        let glyph = place(c);
        for row in 0..GLYPH_HEIGHT {
            for column in 0..GLYPH_WIDTH {
                if is_set(glyph, row, column) {
                    dot(picture, left + column as u32 * scale, y + row as u32 * scale, colour, scale);
                }
            }
        }
        left = left.saturating_add(CELL_WIDTH * scale);
        if left >= picture.width() {
            break;
        }
    }
}

/// `text` shortened to `columns` characters, the last of them `…` if any were cut.
pub(crate) fn shorten(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let kept: String = text.chars().take(columns.saturating_sub(1)).collect();
    if columns == 0 { String::new() } else { format!("{}…", kept.trim_end()) }
}

/// `text` broken between words into at most `most` lines of `columns` characters; what is left over is cut with `…`.
pub(crate) fn wrap(text: &str, columns: usize, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let room = lines.len() < most;
        match lines.last_mut() {
            Some(line) if !room || line.chars().count() + 1 + word.chars().count() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.iter().map(|line| shorten(line, columns)).collect()
}

fn dot(picture: &mut RgbImage, x: u32, y: u32, colour: Rgb<u8>, scale: u32) {
    for (column, row) in (0..scale).flat_map(|row| (0..scale).map(move |column| (column, row))) {
        if let Some(pixel) = picture.get_pixel_mut_checked(x + column, y + row) {
            *pixel = colour;
        }
    }
}

/// Which glyph of [`ART`] shows `c`.
fn place(c: char) -> usize {
    let ascii = |c: char| matches!(c, ' '..='~').then(|| c as usize - usize::from(b' '));
    let sign = |c: char| SIGNS.iter().position(|&sign| sign == c).map(|place| 95 + place);
    ascii(c).or_else(|| sign(c)).or_else(|| ascii(plain(c))).unwrap_or(95 + SIGNS.len() - 1)
}

/// The ASCII character that looks most like `c`; `c` itself if none does.
fn plain(c: char) -> char {
    match c {
        'À'..='Å' => 'A',
        'Ç' => 'C',
        'È'..='Ë' => 'E',
        'Ì'..='Ï' => 'I',
        'Ñ' => 'N',
        'Ò'..='Ö' | 'Ø' => 'O',
        'Ù'..='Ü' => 'U',
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' | 'ø' => 'o',
        'ù'..='ü' => 'u',
        'ß' => 'B',
        '‘' | '’' => '\'',
        '“' | '”' | '„' => '"',
        '–' | '—' | '−' => '-',
        '\u{a0}' => ' ',
        other => other,
    }
}

fn is_set(glyph: usize, row: usize, column: usize) -> bool {
    let line = ART[glyph / PER_BLOCK * GLYPH_HEIGHT + row].as_bytes();
    line[glyph % PER_BLOCK * (GLYPH_WIDTH + 1) + column] == b'#'
}

/// Fifteen glyphs side by side, eight lines each, the last below the baseline; in the order of ASCII from the blank.
#[rustfmt::skip]
const ART: [&str; 56] = [
    "..... ..#.. .#.#. .#.#. ..#.. ##... .#... ..#.. ...#. .#... ..... ..... ..... ..... .....",
    "..... ..#.. .#.#. .#.#. .#### ##..# #.#.. ..#.. ..#.. ..#.. ..#.. ..#.. ..... ..... .....",
    "..... ..#.. ..... ##### #.#.. ...#. #.#.. ..... .#... ...#. #.#.# ..#.. ..... ..... .....",
    "..... ..#.. ..... .#.#. .###. ..#.. .#... ..... .#... ...#. .###. ##### ..... ##### .....",
    "..... ..#.. ..... ##### ..#.# .#... #.#.# ..... .#... ...#. #.#.# ..#.. ..... ..... .....",
    "..... ..... ..... .#.#. ####. #..## #..#. ..... ..#.. ..#.. ..#.. ..#.. .##.. ..... .##..",
    "..... ..#.. ..... .#.#. ..#.. ...## .##.# ..... ...#. .#... ..... ..... ..#.. ..... .##..",
    "..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... .#... ..... .....",
    "....# .###. ..#.. .###. ##### ...#. ##### ..##. ##### .###. .###. ..... ..... ...#. .....",
    "....# #...# .##.. #...# ...#. ..##. #.... .#... ....# #...# #...# .##.. .##.. ..#.. .....",
    "...#. #..## ..#.. ....# ..#.. .#.#. ####. #.... ...#. #...# #...# .##.. .##.. .#... #####",
    "..#.. #.#.# ..#.. ...#. ...#. #..#. ....# ####. ..#.. .###. .#### ..... ..... #.... .....",
    ".#... ##..# ..#.. ..#.. ....# ##### ....# #...# .#... #...# ....# .##.. .##.. .#... #####",
    "#.... #...# ..#.. .#... #...# ...#. #...# #...# .#... #...# ...#. .##.. .##.. ..#.. .....",
    "#.... .###. .###. ##### .###. ...#. .###. .###. .#... .###. .##.. ..... ..#.. ...#. .....",
    "..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... .#... ..... .....",
    ".#... .###. .###. .###. ####. .###. ###.. ##### ##### .###. #...# .###. ..### #...# #....",
    "..#.. #...# #...# #...# #...# #...# #..#. #.... #.... #...# #...# ..#.. ...#. #..#. #....",
    "...#. ....# #.### #...# #...# #.... #...# #.... #.... #.... #...# ..#.. ...#. #.#.. #....",
    "....# ...#. #.#.# ##### ####. #.... #...# ####. ####. #.### ##### ..#.. ...#. ##... #....",
    "...#. ..#.. #.### #...# #...# #.... #...# #.... #.... #...# #...# ..#.. ...#. #.#.. #....",
    "..#.. ..... #.... #...# #...# #...# #..#. #.... #.... #...# #...# ..#.. #..#. #..#. #....",
    ".#... ..#.. .###. #...# ####. .###. ###.. ##### #.... .#### #...# .###. .##.. #...# #####",
    "..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... .....",
    "#...# #...# .###. ####. .###. ####. .#### ##### #...# #...# #...# #...# #...# ##### .###.",
    "##.## ##..# #...# #...# #...# #...# #.... ..#.. #...# #...# #...# #...# #...# ....# .#...",
    "#.#.# ##..# #...# #...# #...# #...# #.... ..#.. #...# #...# #...# .#.#. .#.#. ...#. .#...",
    "#.#.# #.#.# #...# ####. #...# ####. .###. ..#.. #...# #...# #.#.# ..#.. ..#.. ..#.. .#...",
    "#...# #..## #...# #.... #.#.# #.#.. ....# ..#.. #...# #...# #.#.# .#.#. ..#.. .#... .#...",
    "#...# #..## #...# #.... #..#. #..#. ....# ..#.. #...# .#.#. #.#.# #...# ..#.. #.... .#...",
    "#...# #...# .###. #.... .##.# #...# ####. ..#.. .###. ..#.. .#.#. #...# ..#.. ##### .###.",
    "..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... .....",
    "#.... .###. ..#.. ..... .#... ..... #.... ..... ....# ..... ..##. ..... #.... ..#.. ...#.",
    "#.... ...#. .#.#. ..... ..#.. ..... #.... ..... ....# ..... .#..# ..... #.... ..... .....",
    ".#... ...#. #...# ..... ..... .###. ####. .###. .#### .###. .#... .#### ####. .##.. ..##.",
    "..#.. ...#. ..... ..... ..... ....# #...# #.... #...# #...# ###.. #...# #...# ..#.. ...#.",
    "...#. ...#. ..... ..... ..... .#### #...# #.... #...# ##### .#... #...# #...# ..#.. ...#.",
    "....# ...#. ..... ..... ..... #...# #...# #...# #...# #.... .#... .#### #...# ..#.. ...#.",
    "....# .###. ..... ..... ..... .#### ####. .###. .#### .###. .#... ....# #...# .###. #..#.",
    "..... ..... ..... ##### ..... ..... ..... ..... ..... ..... ..... .###. ..... ..... .##..",
    "#.... .##.. ..... ..... ..... ..... ..... ..... ..... .#... ..... ..... ..... ..... .....",
    "#.... ..#.. ..... ..... ..... ..... ..... ..... ..... .#... ..... ..... ..... ..... .....",
    "#..#. ..#.. ##.#. ####. .###. ####. .#### #.##. .#### ###.. #...# #...# #...# #...# #...#",
    "#.#.. ..#.. #.#.# #...# #...# #...# #...# ##..# #.... .#... #...# #...# #...# .#.#. #...#",
    "##... ..#.. #.#.# #...# #...# #...# #...# #.... .###. .#... #...# #...# #.#.# ..#.. #...#",
    "#.#.. ..#.. #.#.# #...# #...# ####. .#### #.... ....# .#..# #..## .#.#. #.#.# .#.#. .####",
    "#..#. .###. #.#.# #...# .###. #.... ....# #.... ####. ..##. .##.# ..#.. .#.#. #...# ....#",
    "..... ..... ..... ..... ..... #.... ....# ..... ..... ..... ..... ..... ..... ..... .###.",
    "..... ...#. ..#.. .#... ..... ..... ..... ..... ..... ..... ..#.. .#... ..#.. ..... #####",
    "..... ..#.. ..#.. ..#.. ..... ..#.. ..#.. #...# ..... ..... ..#.. ..#.. ..#.. ..... #...#",
    "##### ..#.. ..#.. ..#.. .#... ...#. .#... .#.#. ..... ..... .#.#. ...#. ##### .###. #...#",
    "...#. .#... ..#.. ...#. #.#.# ##### ##### ..#.. .##.. ..... .#.#. ..#.. ..#.. .###. #...#",
    "..#.. ..#.. ..#.. ..#.. ...#. ...#. .#... .#.#. .##.. ..... #...# .#... ..#.. .###. #...#",
    ".#... ..#.. ..#.. ..#.. ..... ..#.. ..#.. #...# ..... ..... #...# ..... ..... ..... #...#",
    "##### ...#. ..#.. .#... ..... ..... ..... ..... ..... #.#.# ##### ####. ##### ..... #####",
    "..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... .....",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn glyph(c: char) -> Vec<String> {
        let mut picture = RgbImage::new(GLYPH_WIDTH as u32, GLYPH_HEIGHT as u32);
        draw_text(&mut picture, 0, 0, &c.to_string(), Rgb([255; 3]), 1);
        let dot = |x, y| {
            if picture.get_pixel(x, y)[0] == 255 { '#' } else { '.' }
        };
        (0..GLYPH_HEIGHT as u32).map(|y| (0..GLYPH_WIDTH as u32).map(|x| dot(x, y)).collect()).collect()
    }

    #[test]
    fn every_line_of_the_art_is_whole() {
        assert_eq!(ART.len(), (95 + SIGNS.len()).div_ceil(PER_BLOCK) * GLYPH_HEIGHT);
        for line in ART {
            assert_eq!(line.len(), PER_BLOCK * (GLYPH_WIDTH + 1) - 1);
            assert!(line.bytes().enumerate().all(|(i, b)| if i % 6 == 5 { b == b' ' } else { b == b'#' || b == b'.' }));
        }
    }

    #[test]
    fn no_two_characters_look_alike_and_only_the_blank_is_blank() {
        let mut seen = std::collections::HashMap::new();
        for c in (' '..='~').chain(SIGNS) {
            let art = glyph(c);
            assert_eq!(art.concat().contains('#'), c != ' ', "{c:?}");
            if let Some(other) = seen.insert(art, c) {
                panic!("{c:?} looks like {other:?}");
            }
        }
    }

    #[test]
    fn an_arrow_points_to_the_right() {
        assert_eq!(glyph('→'), [".....", "..#..", "...#.", "#####", "...#.", "..#..", ".....", "....."]);
    }

    #[test]
    fn accents_are_dropped_and_strange_characters_are_boxes() {
        assert_eq!(glyph('é'), glyph('e'));
        assert_eq!(glyph('猫'), glyph('\u{fffd}'));
        assert_eq!(glyph('\u{1b}'), glyph('\u{fffd}'));
    }

    #[test]
    fn text_at_the_edge_is_cut_off() {
        let mut picture = RgbImage::new(8, 4);
        draw_text(&mut picture, 6, 2, &"W".repeat(100), Rgb([255; 3]), 3);
        assert!(picture.pixels().any(|pixel| pixel[0] == 255));
    }

    #[test]
    fn a_label_breaks_between_words_and_is_cut_in_its_last_line() {
        let text = "round glasses → sunglasses, wavy × 1.5";
        assert_eq!(wrap(text, 40, 2), [text]);
        assert_eq!(wrap(text, 21, 2), ["round glasses →", "sunglasses, wavy × 1…"]);
        assert_eq!(wrap(text, 21, 3), ["round glasses →", "sunglasses, wavy ×", "1.5"]);
        assert_eq!(wrap("sunglasses", 5, 2), ["sung…"]);
        assert_eq!(wrap("", 5, 2), [""; 0]);
    }

    #[test]
    fn a_long_label_ends_in_an_ellipsis() {
        assert_eq!(shorten("blond → red", 11), "blond → red");
        assert_eq!(shorten("blond → red", 10), "blond → r…");
        assert_eq!(shorten("blond → red", 7), "blond…");
        assert_eq!(shorten("blond", 0), "");
    }
}
