//! A photograph in a line of the file: a PNG, which loses nothing, in base64.

use std::io::Cursor;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, ImageFormat, ImageReader, Limits};

use crate::plan::photograph::Photograph;

/// A photograph as it stands in a line.
pub(super) fn write(photograph: &Photograph) -> String {
    let mut png = Vec::new();
    let (width, height) = (photograph.width() as u32, photograph.height() as u32);
    let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Default, FilterType::Adaptive);
    encoder
        .write_image(photograph.bytes(), width, height, ExtendedColorType::Rgb8)
        .expect("a photograph has as many bytes as its size takes, and memory takes them all");
    STANDARD.encode(png)
}

/// A photograph of this size out of a line; `file` is what its file was called.
pub(super) fn read(text: &str, (width, height): (usize, usize), file: Option<String>) -> Result<Photograph> {
    let png = STANDARD.decode(text).context("its photograph is not base64")?;
    let size = |reader: ImageReader<Cursor<&Vec<u8>>>| reader.into_dimensions();
    // Looked at before memory is taken for the pixels.
    let found =
        size(ImageReader::with_format(Cursor::new(&png), ImageFormat::Png)).context("its photograph is no PNG")?;
    ensure!(
        (found.0 as usize, found.1 as usize) == (width, height),
        "its photograph is {} x {} pixels, and it is {width} x {height}",
        found.0,
        found.1
    );
    let mut reader = ImageReader::with_format(Cursor::new(&png), ImageFormat::Png);
    let mut limits = Limits::default();
    limits.max_alloc = Some(8 * u64::from(found.0) * u64::from(found.1) + (1 << 20));
    reader.limits(limits);
    let pixels = reader.decode().context("its photograph is damaged")?.into_rgb8();
    Ok(Photograph::new(width, height, pixels.into_raw(), file)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noisy(width: usize, height: usize) -> Photograph {
        let mut state = 1u32;
        let bytes = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        Photograph::new(width, height, bytes.take(width * height * 3).collect(), None).unwrap()
    }

    #[test]
    fn a_photograph_comes_back_out_of_its_line_with_every_pixel() {
        for (width, height) in [(1, 1), (3, 5), (64, 64)] {
            let photograph = noisy(width, height);
            assert_eq!(read(&write(&photograph), (width, height), None).unwrap(), photograph);
        }
    }

    #[test]
    fn a_line_that_holds_no_photograph_of_the_size_is_refused_in_words() {
        let text = write(&noisy(4, 4));
        let said = |text: &str, size| format!("{:#}", read(text, size, None).unwrap_err());
        assert!(said(&text, (4, 8)).contains("4 x 4 pixels, and it is 4 x 8"));
        assert!(said("!", (4, 4)).contains("not base64"));
        assert!(said("AAAA", (4, 4)).contains("no PNG"));
        let png = STANDARD.decode(&text).unwrap();
        assert!(said(&STANDARD.encode(&png[..png.len() - 20]), (4, 4)).contains("damaged"));
    }
}
