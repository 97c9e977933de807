//! A moving picture of a branch: one frame a node.

use anyhow::{Context, Result, ensure};
use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, DynamicImage, Frame, Rgb, RgbImage};
use std::time::Duration;

/// Pictures as an endless GIF, each shown for `delay`.
///
/// All frames are as large as the largest picture; smaller ones stand in the middle of black.
///
/// # Errors
/// Fails if there are no pictures, or one is wider or taller than GIF can say (65535).
pub fn encode(pictures: &[RgbImage], delay: Duration) -> Result<Vec<u8>> {
    let width = pictures.iter().map(RgbImage::width).max().unwrap_or(0);
    let height = pictures.iter().map(RgbImage::height).max().unwrap_or(0);
    ensure!(width > 0 && height > 0, "a GIF needs at least one picture");
    ensure!(
        width <= 65535 && height <= 65535,
        "a GIF is at most 65535 pixels wide and high, this is {width} x {height}"
    );
    let mut bytes = Vec::new();
    // Speed 10 of 30: the best colours that still take only a few milliseconds a frame.
    let mut encoder = GifEncoder::new_with_speed(&mut bytes, 10);
    encoder.set_repeat(Repeat::Infinite).context("cannot make a GIF")?;
    for picture in pictures {
        let mut frame = RgbImage::from_pixel(width, height, Rgb([0; 3]));
        let (left, top) = ((width - picture.width()) / 2, (height - picture.height()) / 2);
        image::imageops::replace(&mut frame, picture, i64::from(left), i64::from(top));
        let rgba = DynamicImage::ImageRgb8(frame).to_rgba8();
        let delay = Delay::from_saturating_duration(delay);
        encoder.encode_frame(Frame::from_parts(rgba, 0, 0, delay)).context("cannot make a GIF")?;
    }
    drop(encoder);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::AnimationDecoder;
    use image::codecs::gif::GifDecoder;

    #[test]
    fn every_picture_becomes_a_frame_of_its_own_colour_and_time() {
        let colours = [[200, 30, 40], [20, 180, 60], [10, 20, 240]];
        let pictures: Vec<RgbImage> = colours.iter().map(|&rgb| RgbImage::from_pixel(32, 24, Rgb(rgb))).collect();
        let bytes = encode(&pictures, Duration::from_millis(700)).unwrap();
        let frames = GifDecoder::new(std::io::Cursor::new(bytes)).unwrap().into_frames().collect_frames().unwrap();
        assert_eq!(frames.len(), 3);
        for (frame, rgb) in frames.iter().zip(colours) {
            assert_eq!(frame.delay().numer_denom_ms(), (700, 1));
            let pixel = frame.buffer().get_pixel(16, 12).0;
            assert!(pixel.iter().zip(rgb).all(|(&a, b)| a.abs_diff(b) <= 2), "{pixel:?} is not {rgb:?}");
        }
    }

    #[test]
    fn a_smaller_picture_stands_in_the_middle() {
        let pictures = [RgbImage::from_pixel(8, 8, Rgb([255; 3])), RgbImage::from_pixel(4, 4, Rgb([255; 3]))];
        let bytes = encode(&pictures, Duration::from_secs(1)).unwrap();
        let frames = GifDecoder::new(std::io::Cursor::new(bytes)).unwrap().into_frames().collect_frames().unwrap();
        let second = frames[1].buffer();
        assert_eq!(second.dimensions(), (8, 8));
        assert_eq!((second.get_pixel(4, 4)[0], second.get_pixel(0, 0)[0]), (255, 0));
    }

    #[test]
    fn no_pictures_make_no_gif() {
        assert!(encode(&[], Duration::from_secs(1)).is_err());
    }
}
