//! Pixels out of a picture's file, whatever program wrote it.
//!
//! What a file is, its first bytes say, not its name. Its size is looked at before memory is taken for its pixels. Colours
//! become 8-bit RGB, transparency is laid over white, and a picture that its camera noted as turned is turned back.

use std::io::{BufReader, Cursor, Read};
use std::path::Path;

use anyhow::{Result, ensure};
use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};

use crate::safe::printable_line;
use crate::session::file::{Hinted, plainly};

/// The largest file that is read, in bytes.
const LARGEST_FILE: u64 = 512 << 20;

/// The longest side that is read, in pixels.
const LONGEST_SIDE: u32 = 16_384;

/// The most pixels that are read: a square of 12 000 and a little more.
const MOST_PIXELS: u64 = 150_000_000;

/// Kinds of pictures by how their files begin, and whether they are read.
const KINDS: [(&[u8], &str, Option<ImageFormat>); 10] = [
    (b"\x89PNG\r\n\x1a\n", "PNG", Some(ImageFormat::Png)),
    (b"\xff\xd8\xff", "JPEG", Some(ImageFormat::Jpeg)),
    (b"GIF8", "GIF", Some(ImageFormat::Gif)),
    (b"BM", "BMP", None),
    (b"II*\0", "TIFF", None),
    (b"MM\0*", "TIFF", None),
    (b"8BPS", "Photoshop", None),
    (b"\0\0\x01\0", "icon", None),
    (b"%PDF", "PDF", None),
    (b"\xff\x0a", "JPEG XL", None),
];

/// A picture out of a file.
#[derive(Debug)]
pub struct FoundPicture {
    /// Its pixels.
    pub picture: RgbImage,
    /// What was lost or changed on the way to them, each as what the file *does*: `is turned as its camera noted`.
    pub notes: Vec<String>,
}

/// What a file that begins so is called, and its format if pictures of it are read; `None` if it begins like no picture.
#[must_use]
pub fn kind(start: &[u8]) -> Option<(&'static str, Option<ImageFormat>)> {
    if start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WEBP") {
        return Some(("WebP", Some(ImageFormat::WebP)));
    }
    if start.get(4..8) == Some(b"ftyp") {
        let brand = start.get(8..12).unwrap_or_default();
        let is_picture = [&b"avif"[..], b"avis", b"heic", b"heix", b"mif1", b"msf1"].contains(&brand);
        return is_picture.then_some(("HEIF or AVIF", None));
    }
    KINDS.into_iter().find(|(begin, ..)| start.starts_with(begin)).map(|(_, name, format)| (name, format))
}

/// What the file at `path` is, by its first bytes; `None` if it is no picture or cannot be read.
#[must_use]
pub fn kind_of(path: &Path) -> Option<(&'static str, Option<ImageFormat>)> {
    let mut start = Vec::new();
    std::fs::File::open(path).ok()?.take(16).read_to_end(&mut start).ok()?;
    kind(&start)
}

/// The picture in a file.
///
/// # Errors
/// Fails if there is no such file, it is no picture that can be read, too large, or damaged.
pub fn read(path: &Path) -> Result<FoundPicture> {
    let shown = printable_line(&path.display().to_string());
    let refused = |why: String, hint: &str| Hinted::new(format!("`{shown}` {why}"), hint.to_owned());
    let unread = |error: &std::io::Error| refused(format!("cannot be read: {}", plainly(error)), "is its name right?");
    let known = std::fs::metadata(path).map_err(|error| unread(&error))?;
    ensure!(known.is_file(), refused("is no file".to_owned(), "give the file of a picture"));
    ensure!(
        known.len() <= LARGEST_FILE,
        refused(format!("has more than {} MiB", LARGEST_FILE >> 20), "save it smaller with another program")
    );
    let file = std::fs::File::open(path).map_err(|error| unread(&error))?;
    let mut bytes = Vec::new();
    BufReader::new(file).take(LARGEST_FILE).read_to_end(&mut bytes).map_err(|error| unread(&error))?;
    ensure!(!bytes.is_empty(), refused("is empty".to_owned(), "was it saved to its end?"));
    decode(&bytes).map_err(|error| match error.downcast::<Hinted>() {
        Ok(hinted) => refused(hinted.to_string(), hinted.hint()).into(),
        Err(error) => error,
    })
}

/// The picture in a file's bytes. Errors are what the file *does*: `ends too early`.
///
/// # Errors
/// Fails if they are no picture that can be read, too large, or damaged.
pub fn decode(bytes: &[u8]) -> Result<FoundPicture> {
    let readable = "PNG, JPEG, WebP and GIF can be opened";
    let Some((name, format)) = kind(bytes) else {
        return Err(Hinted::new("is no picture", readable).into());
    };
    let Some(format) = format else {
        return Err(Hinted::new(format!("is a {name} file, which is not read here"), readable).into());
    };
    let damaged = |error: image::ImageError| damage(name, &error);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_PIXELS * 8 + (64 << 20));
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    ensure!(width > 0 && height > 0, Hinted::new("has no pixels", "was it saved to its end?"));
    ensure!(
        width.max(height) <= LONGEST_SIDE && u64::from(width) * u64::from(height) <= MOST_PIXELS,
        Hinted::new(
            format!("is {width} x {height} pixels, and at most {} million are read", MOST_PIXELS / 1_000_000),
            "save it smaller with another program"
        )
    );
    let colours = decoder.color_type();
    // A note that cannot be read turns nothing.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    // Decoders of others may stumble over what nobody thought of; here that is one more damaged file.
    let decoded = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| DynamicImage::from_decoder(decoder)));
    let mut picture = match decoded {
        Ok(picture) => picture.map_err(damaged)?,
        Err(_) => {
            return Err(
                Hinted::new(format!("is a damaged {name} picture"), "open it elsewhere and save it anew").into()
            );
        }
    };
    let mut notes = Vec::new();
    if orientation != Orientation::NoTransforms {
        picture.apply_orientation(orientation);
        notes.push("is turned as its camera noted".to_owned());
    }
    let is_clear = colours.has_alpha() && has_clear(&picture);
    if is_clear {
        notes.push("is clear in places, where it is laid over white".to_owned());
    }
    let wide = matches!(colours, ColorType::L16 | ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16);
    if wide {
        notes.push("has 16 bits a colour, of which 8 are kept".to_owned());
    }
    let picture = if is_clear { over_white(picture) } else { picture.into_rgb8() };
    Ok(FoundPicture { picture, notes })
}

fn damage(name: &str, error: &image::ImageError) -> anyhow::Error {
    if matches!(error, image::ImageError::Limits(_)) {
        return Hinted::new("has more pixels than are read", "save it smaller with another program").into();
    }
    let text = printable_line(&error.to_string());
    let is_cut =
        text.contains("unexpected end") || text.to_lowercase().contains("eof") || text.contains("fill whole buffer");
    let message = if is_cut {
        format!("is a {name} picture that ends too early")
    } else {
        format!("is a damaged {name} picture: {text}")
    };
    Hinted::new(message, "open it elsewhere and save it anew").into()
}

fn has_clear(picture: &DynamicImage) -> bool {
    match picture {
        DynamicImage::ImageRgba8(p) => p.pixels().any(|p| p.0[3] != u8::MAX),
        DynamicImage::ImageLumaA8(p) => p.pixels().any(|p| p.0[1] != u8::MAX),
        DynamicImage::ImageRgba16(p) => p.pixels().any(|p| p.0[3] != u16::MAX),
        DynamicImage::ImageLumaA16(p) => p.pixels().any(|p| p.0[1] != u16::MAX),
        _ => false,
    }
}

fn over_white(picture: DynamicImage) -> RgbImage {
    let picture = picture.into_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [r, g, b, a] = picture.get_pixel(x, y).0;
        let over = |c: u8| ((u32::from(c) * u32::from(a) + 255 * (255 - u32::from(a)) + 127) / 255) as u8;
        image::Rgb([r, g, b].map(over))
    })
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
