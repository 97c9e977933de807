//! Brings a picture to the shape of a tree's pictures.

use image::imageops::{self, FilterType};
use image::{GenericImageView, RgbImage};

use crate::plan::photograph::PhotographFit;

/// The picture at `width` x `height` pixels, and what was done, as what its file *is*: `4000 x 3000 pixels: the middle …`.
#[must_use]
pub fn fit(picture: &RgbImage, how: PhotographFit, (width, height): (u32, u32)) -> (RgbImage, String) {
    let (w, h) = picture.dimensions();
    if (w, h) == (width, height) {
        return (picture.clone(), format!("{w} x {h} pixels, as they are"));
    }
    let is_alike = u64::from(w) * u64::from(height) == u64::from(h) * u64::from(width);
    let scaled = |from: &RgbImage, to: (u32, u32)| resized(from, to);
    let (fitted, done) = match how {
        _ if is_alike => (scaled(picture, (width, height)), "all of it".to_owned()),
        PhotographFit::Stretch => (scaled(picture, (width, height)), "all of it, drawn out of its shape".to_owned()),
        PhotographFit::Crop => {
            let (cw, ch) = inside((w, h), (width, height));
            let part = picture.view((w - cw) / 2, (h - ch) / 2, cw, ch).to_image();
            (scaled(&part, (width, height)), format!("the middle {cw} x {ch} of it"))
        }
        PhotographFit::Pad => {
            let (pw, ph) = inside((width, height), (w, h));
            let whole = scaled(picture, (pw, ph));
            let (left, top) = ((width - pw) / 2, (height - ph) / 2);
            let padded = RgbImage::from_fn(width, height, |x, y| {
                *whole.get_pixel(x.saturating_sub(left).min(pw - 1), y.saturating_sub(top).min(ph - 1))
            });
            (padded, format!("all of it on {pw} x {ph}, its border drawn out"))
        }
    };
    (
        fitted,
        format!("{w} x {h} pixels: {done}, as {width} x {height} (`fit` {})", crate::plan::settings::name_of(&how)),
    )
}

/// The largest size of the shape of `shape` that has room in `room`; at least one pixel.
fn inside(room: (u32, u32), shape: (u32, u32)) -> (u32, u32) {
    let (w, h) = (u64::from(room.0), u64::from(room.1));
    let (sw, sh) = (u64::from(shape.0), u64::from(shape.1));
    let (w, h) = if w * sh > h * sw { ((h * sw + sh / 2) / sh, h) } else { (w, (w * sh + sw / 2) / sw) };
    (w.clamp(1, u64::from(room.0)) as u32, h.clamp(1, u64::from(room.1)) as u32)
}

/// In halves first where much is to go: a mean of pixels, as light adds up, and quick on the largest pictures.
fn resized(picture: &RgbImage, (width, height): (u32, u32)) -> RgbImage {
    let (w, h) = picture.dimensions();
    if w > 8 * width || h > 8 * height {
        let less = imageops::thumbnail(picture, w.min(4 * width), h.min(4 * height));
        return imageops::resize(&less, width, height, FilterType::CatmullRom);
    }
    imageops::resize(picture, width, height, FilterType::CatmullRom)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A white stripe down the left, red across the rest.
    fn striped(w: u32, h: u32, stripe: u32) -> RgbImage {
        RgbImage::from_fn(w, h, |x, _| image::Rgb(if x < stripe { [255; 3] } else { [200, 0, 0] }))
    }

    #[test]
    fn a_picture_of_the_size_keeps_every_pixel() {
        let picture = striped(16, 8, 3);
        for how in [PhotographFit::Crop, PhotographFit::Pad, PhotographFit::Stretch] {
            assert_eq!(fit(&picture, how, (16, 8)).0, picture);
        }
    }

    #[test]
    fn cropping_keeps_the_middle_padding_all_and_stretching_all_out_of_shape() {
        let picture = striped(32, 8, 8);
        let (cropped, said) = fit(&picture, PhotographFit::Crop, (8, 8));
        assert!(cropped.pixels().all(|p| p.0 == [200, 0, 0]), "the stripe was cut off");
        assert_eq!(said, "32 x 8 pixels: the middle 8 x 8 of it, as 8 x 8 (`fit` crop)");
        let (padded, said) = fit(&picture, PhotographFit::Pad, (32, 32));
        assert_eq!(padded.get_pixel(0, 0), padded.get_pixel(0, 31));
        assert!(padded.get_pixel(1, 0).0[1] > 200 && padded.get_pixel(20, 31).0[1] < 20);
        assert!(said.contains("all of it on 32 x 8"), "{said}");
        let (stretched, _) = fit(&picture, PhotographFit::Stretch, (32, 32));
        assert!(stretched.get_pixel(2, 30).0[1] > 200 && stretched.get_pixel(20, 30).0[1] < 20);
    }

    #[test]
    fn every_shape_however_extreme_fits_every_other() {
        for from in [(1, 1), (1, 3000), (3000, 1), (2, 3), (129, 65)] {
            for how in [PhotographFit::Crop, PhotographFit::Pad, PhotographFit::Stretch] {
                for to in [(64, 64), (64, 32), (8, 128)] {
                    assert_eq!(fit(&striped(from.0, from.1, 1), how, to).0.dimensions(), to, "{from:?} {how:?}");
                }
            }
        }
    }
}
