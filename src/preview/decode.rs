//! Reads back what the encoders write, for tests: small, strict readers written from the protocols.

use crate::preview::blocks::colour256;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use image::{Rgb, RgbImage};

/// Base64 to bytes; panics on anything that is not base64.
fn base64(text: &[u8]) -> Vec<u8> {
    BASE64_STANDARD.decode(text).expect("base64")
}

/// Takes tmux's wrapping off: panics if an escape inside is not doubled.
pub(crate) fn unwrap_tmux(stream: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = stream;
    while let Some(at) = find(rest, b"\x1bPtmux;") {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 7..];
        loop {
            match rest {
                [0x1b, 0x1b, ..] => {
                    out.push(0x1b);
                    rest = &rest[2..];
                }
                [0x1b, b'\\', ..] => {
                    rest = &rest[2..];
                    break;
                }
                [0x1b, ..] | [] => panic!("a wrapped sequence has a lone escape or no end"),
                [byte, ..] => {
                    out.push(*byte);
                    rest = &rest[1..];
                }
            }
        }
    }
    out.extend_from_slice(rest);
    out
}

/// Where `part` first is in `whole`.
pub(crate) fn find(whole: &[u8], part: &[u8]) -> Option<usize> {
    whole.windows(part.len()).position(|window| window == part)
}

fn png(bytes: &[u8]) -> RgbImage {
    image::load_from_memory_with_format(bytes, image::ImageFormat::Png).unwrap().to_rgb8()
}

/// One picture of a Kitty stream: its keys and pixels.
pub(crate) fn kitty(stream: &[u8]) -> (String, RgbImage) {
    let mut keys = None;
    let mut data = Vec::new();
    let mut rest = stream;
    let mut more = true;
    while let Some(at) = find(rest, b"\x1b_G") {
        assert!(more, "a chunk follows the last one");
        let end = at + find(&rest[at..], b"\x1b\\").expect("every chunk ends");
        let body = &rest[at + 3..end];
        let semicolon = find(body, b";").unwrap();
        let head = String::from_utf8(body[..semicolon].to_vec()).unwrap();
        assert!(head.contains("q=2"), "a chunk asks for an answer: {head}");
        assert!(body.len() - semicolon - 1 <= 4096, "a chunk is too long");
        more = head.ends_with("m=1");
        assert!(more || head.ends_with("m=0"));
        data.extend_from_slice(&body[semicolon + 1..]);
        keys.get_or_insert(head);
        rest = &rest[end + 2..];
    }
    assert!(!more, "the last chunk says that more will follow");
    (keys.expect("there is a picture"), png(&base64(&data)))
}

/// The picture of an iTerm2 stream, with its width and height in cells.
pub(crate) fn iterm(stream: &[u8]) -> (u16, u16, RgbImage) {
    let at = find(stream, b"\x1b]1337;File=").unwrap();
    let end = at + find(&stream[at..], b"\x07").unwrap();
    let body = std::str::from_utf8(&stream[at + 12..end]).unwrap();
    let (head, data) = body.split_once(':').unwrap();
    let value = |name: &str| {
        let part = head.split(';').find_map(|part| part.strip_prefix(name)).unwrap();
        part.parse::<usize>().unwrap()
    };
    assert!(head.contains("inline=1"));
    let bytes = base64(data.as_bytes());
    assert_eq!(bytes.len(), value("size="));
    (value("width=") as u16, value("height=") as u16, png(&bytes))
}

/// The picture of a Sixel stream and how many colours it defines. Every pixel must be set exactly once.
pub(crate) fn sixel(stream: &[u8]) -> (RgbImage, usize) {
    let start = find(stream, b"\x1bP").unwrap();
    let body = &stream[start + 2..];
    let body = std::str::from_utf8(&body[..find(body, b"\x1b\\").unwrap()]).unwrap();
    let (_, body) = body.split_once('q').unwrap();
    let mut chars = body.chars().peekable();
    let numbers = |chars: &mut std::iter::Peekable<std::str::Chars>| {
        let mut list = vec![0u32];
        while let Some(&c) = chars.peek() {
            if let Some(digit) = c.to_digit(10) {
                let last = list.last_mut().unwrap();
                *last = *last * 10 + digit;
            } else if c == ';' {
                list.push(0);
            } else {
                break;
            }
            chars.next();
        }
        list
    };
    let mut colours = std::collections::BTreeMap::new();
    let mut picture = RgbImage::new(0, 0);
    let mut set = Vec::new();
    let (mut x, mut top, mut colour) = (0u32, 0u32, 0u32);
    while let Some(c) = chars.next() {
        let mut count = 1;
        let mut sixel = c;
        match c {
            '"' => {
                let raster = numbers(&mut chars);
                assert_eq!(&raster[..2], &[1, 1]);
                picture = RgbImage::new(raster[2], raster[3]);
                set = vec![0u8; (raster[2] * raster[3]) as usize];
                continue;
            }
            '#' => {
                let list = numbers(&mut chars);
                colour = list[0];
                if list.len() > 1 {
                    assert_eq!((list.len(), list[1]), (5, 2));
                    let level = |percent: u32| {
                        assert!(percent <= 100);
                        ((percent * 255 + 50) / 100) as u8
                    };
                    colours.insert(colour, Rgb([level(list[2]), level(list[3]), level(list[4])]));
                }
                continue;
            }
            '$' => {
                x = 0;
                continue;
            }
            '-' => {
                x = 0;
                top += 6;
                continue;
            }
            '!' => {
                count = numbers(&mut chars)[0];
                sixel = chars.next().unwrap();
            }
            _ => {}
        }
        assert!(('?'..='~').contains(&sixel), "not a sixel: {sixel:?}");
        let bits = u32::from(sixel) - u32::from('?');
        for _ in 0..count {
            for row in (0..6).filter(|row| bits >> row & 1 == 1) {
                picture.put_pixel(x, top + row, colours[&colour]);
                set[(x + (top + row) * picture.width()) as usize] += 1;
            }
            x += 1;
        }
    }
    assert!(set.iter().all(|&times| times == 1), "a pixel is set never or twice");
    (picture, colours.len())
}

/// The pixels of half blocks: two a cell. Every cell must be coloured, every line reset and of equal length.
pub(crate) fn blocks(stream: &[u8]) -> RgbImage {
    let text = std::str::from_utf8(stream).unwrap();
    let mut rows: Vec<Vec<[u8; 3]>> = Vec::new();
    for line in text.split_terminator("\r\n") {
        let line = line.strip_suffix("\x1b[0m").expect("a line ends reset");
        let (mut above, mut below) = (None, None);
        let (mut upper, mut lower) = (Vec::new(), Vec::new());
        let mut rest = line;
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('▀') {
                upper.push(above.expect("a cell has a colour above"));
                lower.push(below.expect("a cell has a colour below"));
                rest = after;
                continue;
            }
            let (code, after) = rest.strip_prefix("\x1b[").unwrap().split_once('m').unwrap();
            rest = after;
            let list: Vec<u8> = code.split(';').map(|n| n.parse().unwrap()).collect();
            let colour = match list[1..] {
                [2, red, green, blue] => [red, green, blue],
                [5, index] => colour256(index),
                _ => panic!("unknown colour {code}"),
            };
            *(if list[0] == 38 { &mut above } else { &mut below }) = Some(colour);
        }
        rows.push(upper);
        rows.push(lower);
    }
    let width = rows[0].len();
    assert!(rows.iter().all(|row| row.len() == width), "lines differ in length");
    let bytes = rows.iter().flatten().flatten().copied().collect();
    RgbImage::from_raw(width as u32, rows.len() as u32, bytes).unwrap()
}
