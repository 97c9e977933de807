//! Pictures as PNG files that carry the words which made them.
//!
//! Two text chunks: `parameters` in the form that other programs show ([`Parameters`]), and `wordbrush`, JSON with the
//! whole lineage, from which a session is rebuilt. Reading trusts nothing: every length is checked against the file
//! and a limit before memory is taken, and every checksum is compared.

use crate::preview::file::write_atomically;
use crate::safe::printable_line;
use anyhow::{Context, Result, bail, ensure};
use image::RgbImage;
use serde_json::Value;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

/// The largest file that is read, in bytes.
pub const LARGEST_FILE: u64 = 256 << 20;
/// The longest text that is read from a chunk, in bytes.
pub const LONGEST_TEXT: usize = 16 << 20;
/// The most pixels that a picture may have.
pub const MOST_PIXELS: u64 = 1 << 26;

const SIGNATURE: &[u8; 8] = b"\x89PNG\r\n\x1a\n";

/// What a picture carries beside its pixels.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Notes {
    /// The text of the chunk `parameters`, as [`Parameters`] writes it.
    pub parameters: Option<String>,
    /// The JSON of the chunk `wordbrush`.
    pub wordbrush: Option<Value>,
}

/// The settings that other programs look for in a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    /// The prompt.
    pub prompt: String,
    /// The text of the unconditional half; "" for none.
    pub negative: String,
    /// Denoising steps.
    pub steps: usize,
    /// Name of the scheduler, such as `DDIM`.
    pub sampler: String,
    /// Guidance, 1 for none.
    pub guidance: f64,
    /// Seed of the noise.
    pub seed: u64,
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// Name of the model.
    pub model: String,
}

impl Parameters {
    /// The form that is common since the first web interfaces: prompt, negative prompt, then one line of settings.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = self.prompt.clone();
        if !self.negative.is_empty() {
            let _ = write!(text, "\nNegative prompt: {}", self.negative);
        }
        let _ = write!(
            text,
            "\nSteps: {}, Sampler: {}, CFG scale: {}, Seed: {}, Size: {}x{}, Model: {}",
            self.steps, self.sampler, self.guidance, self.seed, self.size.0, self.size.1, self.model
        );
        text
    }

    /// Reads [`to_text`](Self::to_text)'s form, whichever program wrote it. `None` if the line of settings is missing
    /// or says nothing of steps, seed or size; a missing name is "", missing guidance 1.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (words, settings) = match text.rfind("\nSteps: ") {
            Some(at) => (&text[..at], &text[at + 1..]),
            None => ("", text.strip_prefix("Steps: ").map(|_| text)?),
        };
        let (prompt, negative) = match words.strip_prefix("Negative prompt: ") {
            Some(negative) => ("", negative),
            None => words.split_once("\nNegative prompt: ").unwrap_or((words, "")),
        };
        let value = |name: &str| {
            settings.split(", ").find_map(|pair| pair.strip_prefix(name)?.strip_prefix(": ")).map(str::trim)
        };
        let (width, height) = value("Size")?.split_once('x')?;
        Some(Self {
            prompt: prompt.to_owned(),
            negative: negative.to_owned(),
            steps: value("Steps")?.parse().ok()?,
            sampler: value("Sampler").unwrap_or("").to_owned(),
            guidance: value("CFG scale").map_or(Some(1.0), |number| number.parse().ok())?,
            seed: value("Seed")?.parse().ok()?,
            size: (width.parse().ok()?, height.parse().ok()?),
            model: value("Model").unwrap_or("").to_owned(),
        })
    }
}

/// `picture` as a PNG file without notes.
///
/// # Errors
/// Fails if the picture is empty.
pub fn encode(picture: &RgbImage) -> io::Result<Vec<u8>> {
    encode_with(picture, &Notes::default())
}

/// `picture` as a PNG file that carries `notes`.
///
/// Text is written as it is (it reaches no terminal here): `parameters` as tEXt where Latin-1 can say it, else iTXt;
/// `wordbrush` as iTXt.
///
/// # Errors
/// Fails if the picture is empty.
pub fn encode_with(picture: &RgbImage, notes: &Notes) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, picture.width(), picture.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    if let Some(text) = &notes.parameters {
        // NUL ends a chunk's text early.
        let text = text.replace('\0', "\u{fffd}");
        if text.chars().all(|c| u32::from(c) < 256) {
            encoder.add_text_chunk("parameters".to_owned(), text)?;
        } else {
            encoder.add_itxt_chunk("parameters".to_owned(), text)?;
        }
    }
    if let Some(value) = &notes.wordbrush {
        encoder.add_itxt_chunk("wordbrush".to_owned(), value.to_string())?;
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(picture.as_raw())?;
    writer.finish()?;
    Ok(bytes)
}

/// Writes `picture` with `notes` to `path`, whole or not at all.
///
/// # Errors
/// Fails, naming `path`, if the picture is empty or the file cannot be written.
pub fn save(path: &Path, picture: &RgbImage, notes: &Notes) -> Result<()> {
    let bytes = encode_with(picture, notes).with_context(|| format!("cannot make a PNG of {}", named(path)))?;
    write_atomically(path, &bytes)
}

/// The picture and the notes in the file at `path`.
///
/// # Errors
/// Fails, naming `path`, on everything that [`decode`] refuses, and on a file larger than [`LARGEST_FILE`].
pub fn open(path: &Path) -> Result<(RgbImage, Notes)> {
    read(path).and_then(|bytes| decode(&bytes)).with_context(|| format!("cannot read {}", named(path)))
}

/// The notes alone in the file at `path`; its pixels are not decoded.
///
/// # Errors
/// As [`open`], but for pixels.
pub fn open_notes(path: &Path) -> Result<Notes> {
    read(path).and_then(|bytes| notes(&bytes)).with_context(|| format!("cannot read {}", named(path)))
}

fn named(path: &Path) -> String {
    format!("`{}`", printable_line(&path.display().to_string()))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    use std::io::Read;
    let file = std::fs::File::open(path)?;
    let known = file.metadata()?;
    ensure!(known.is_file(), "it is not a file");
    ensure!(known.len() <= LARGEST_FILE, "it is larger than {} MiB", LARGEST_FILE >> 20);
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The picture and the notes in `bytes`. Colours beyond 8-bit RGB are converted; transparency is dropped.
///
/// # Errors
/// Fails on everything that [`notes`] refuses, on a picture with more than [`MOST_PIXELS`], and on damaged pixels.
pub fn decode(bytes: &[u8]) -> Result<(RgbImage, Notes)> {
    let notes = notes(bytes)?;
    let mut reader = image::ImageReader::with_format(io::Cursor::new(bytes), image::ImageFormat::Png);
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(MOST_PIXELS * 8 + (16 << 20));
    reader.limits(limits);
    let picture = reader.decode().context("its pixels are damaged")?;
    Ok((picture.to_rgb8(), notes))
}

/// The notes in the PNG file `bytes`.
///
/// # Errors
/// Fails if it is not a PNG file, ends too early, holds a chunk that is longer than the file or whose checksum is
/// wrong, a text longer than [`LONGEST_TEXT`], a picture with more than [`MOST_PIXELS`], or JSON that is none.
pub fn notes(bytes: &[u8]) -> Result<Notes> {
    ensure!(bytes.starts_with(SIGNATURE), "it is not a PNG file");
    let mut found = Notes::default();
    let mut rest = &bytes[SIGNATURE.len()..];
    let mut first = true;
    loop {
        let (kind, data, after) = next_chunk(rest, bytes.len() - rest.len())?;
        ensure!(first == (kind == *b"IHDR"), "its header is not the first chunk, or there are two");
        if first {
            check_size(data)?;
            first = false;
        }
        if let Some((keyword, text)) = text_of(kind, data)? {
            match keyword {
                b"parameters" if found.parameters.is_none() => found.parameters = Some(text),
                b"wordbrush" if found.wordbrush.is_none() => {
                    let value = serde_json::from_str(&text).context("its chunk `wordbrush` is not JSON")?;
                    found.wordbrush = Some(value);
                }
                _ => {}
            }
        }
        if kind == *b"IEND" {
            return Ok(found);
        }
        rest = after;
    }
}

/// The kind and the data of the chunk that `rest` begins with, and what follows it.
fn next_chunk(rest: &[u8], offset: usize) -> Result<([u8; 4], &[u8], &[u8])> {
    let short = || format!("it ends too early, in the chunk at byte {offset}");
    let (length, rest) = rest.split_first_chunk::<4>().with_context(short)?;
    let length = u32::from_be_bytes(*length) as usize;
    let (kind, _) = rest.split_first_chunk::<4>().with_context(short)?;
    let name = String::from_utf8_lossy(kind);
    ensure!(kind.iter().all(u8::is_ascii_alphabetic), "there is no chunk at byte {offset}, where one should begin");
    if length > i32::MAX as usize || length > rest.len().saturating_sub(8) {
        bail!("its chunk `{name}` at byte {offset} claims {length} bytes, but the file ends before that");
    }
    let (covered, after) = rest.split_at(4 + length);
    let (checksum, after) = after.split_first_chunk::<4>().with_context(short)?;
    ensure!(
        crc32(covered) == u32::from_be_bytes(*checksum),
        "its chunk `{name}` at byte {offset} is damaged: the checksum is wrong"
    );
    Ok((*kind, &covered[4..], after))
}

fn check_size(header: &[u8]) -> Result<()> {
    ensure!(header.len() == 13, "its header has {} bytes instead of 13", header.len());
    let number = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let (width, height) = (number(0), number(4));
    let pixels = u64::from(width) * u64::from(height);
    ensure!(pixels > 0, "the picture is empty");
    ensure!(pixels <= MOST_PIXELS, "the picture is too large: {width} x {height} pixels");
    Ok(())
}

/// Keyword and text of a chunk, if it is one of ours; other chunks and keywords are passed over.
fn text_of(kind: [u8; 4], data: &[u8]) -> Result<Option<(&[u8], String)>> {
    if !matches!(&kind, b"tEXt" | b"iTXt" | b"zTXt") {
        return Ok(None);
    }
    let Some(end) = data.iter().position(|&byte| byte == 0) else {
        return Ok(None);
    };
    let (keyword, rest) = (&data[..end], &data[end + 1..]);
    if keyword != b"parameters" && keyword != b"wordbrush" {
        return Ok(None);
    }
    let name = String::from_utf8_lossy(keyword);
    ensure!(rest.len() <= LONGEST_TEXT, "its chunk `{name}` is too long: {} bytes", rest.len());
    if kind == *b"tEXt" {
        return Ok(Some((keyword, rest.iter().map(|&byte| char::from(byte)).collect())));
    }
    let cut_short = || format!("its chunk `{name}` is cut short");
    if kind == *b"zTXt" {
        // Method, text.
        let (method, packed) = rest.split_first().with_context(cut_short)?;
        let text = unpacked(*method, packed, &name)?;
        return Ok(Some((keyword, text.into_iter().map(char::from).collect())));
    }
    // iTXt: compressed or not, method, language, keyword in that language, text.
    let [is_packed, method, body @ ..] = rest else { bail!(cut_short()) };
    let mut parts = body.splitn(3, |&byte| byte == 0);
    let text = parts.nth(2).with_context(cut_short)?;
    let text = if *is_packed == 0 { text.to_vec() } else { unpacked(*method, text, &name)? };
    let text = String::from_utf8(text).with_context(|| format!("its chunk `{name}` is not UTF-8"))?;
    Ok(Some((keyword, text)))
}

/// A compressed text, of which no more is unpacked than [`LONGEST_TEXT`].
fn unpacked(method: u8, packed: &[u8], name: &str) -> Result<Vec<u8>> {
    use std::io::Read;
    ensure!(method == 0, "its chunk `{name}` is compressed by a method {method} that PNG does not have");
    let mut text = Vec::new();
    let mut reader = flate2::read::ZlibDecoder::new(packed).take(LONGEST_TEXT as u64 + 1);
    reader.read_to_end(&mut text).with_context(|| format!("its chunk `{name}` cannot be unpacked"))?;
    ensure!(text.len() <= LONGEST_TEXT, "its chunk `{name}` is too long: more than {LONGEST_TEXT} bytes unpacked");
    Ok(text)
}

/// The checksum of PNG: CRC-32 with the polynomial 0xEDB88320, reflected, over kind and data.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0u32; 256];
        let mut number = 0;
        while number < 256 {
            let mut value = number as u32;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 { value >> 1 ^ 0xedb8_8320 } else { value >> 1 };
                bit += 1;
            }
            table[number] = value;
            number += 1;
        }
        table
    };
    !bytes.iter().fold(!0u32, |crc, &byte| crc >> 8 ^ TABLE[(crc as u8 ^ byte) as usize])
}

#[cfg(test)]
#[path = "png_tests.rs"]
mod tests;
