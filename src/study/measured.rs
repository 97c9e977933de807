//! What studies of edits measure of a picture, the same for all of them.

use anyhow::Result;
use candle_core::Tensor;
use image::RgbImage;

use super::interval::Interval;
use crate::engine::{Guidance, NoiseProbe};
use crate::measure::{psnr_where, ssim, structure};
use crate::session::model::Model;
use crate::session::to_image;

/// What is counted of pictures that are equal, in dB.
pub const MOST_DECIBELS: f64 = 60.0;

/// The noise under which pictures are explained.
const PROBE: NoiseProbe = NoiseProbe { seed: 0xD1FF, levels: &[0.2, 0.4, 0.6, 0.8], noises: 2 };

/// What an edit left of the picture before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KeptOfPicture {
    /// PSNR outside the place, in dB, [`MOST_DECIBELS`] at most; `None` if nothing lies outside.
    pub psnr: Option<f64>,
    /// SSIM, with the place made equal in both.
    pub ssim: Option<f64>,
    /// Likeness of the contours of the whole pictures, the place included.
    pub structure: Option<f64>,
}

impl KeptOfPicture {
    /// Of two pictures of one size; `outside` has one entry a pixel.
    #[must_use]
    pub fn of(before: &RgbImage, after: &RgbImage, outside: &[bool]) -> Self {
        let mut same = after.clone();
        let there = same.pixels_mut().zip(before.pixels()).zip(outside).filter(|(_, outside)| !**outside);
        there.for_each(|((ours, theirs), _)| *ours = *theirs);
        Self {
            psnr: psnr_where(after, before, outside).map(|psnr| psnr.min(MOST_DECIBELS)),
            ssim: ssim(&same, before),
            structure: structure(after, before),
        }
    }
}

/// By how many percent of the old prompt's error the new one explains a picture better, in the model's own eyes: above 0 an edit is
/// to be seen. `prompts` are the old and the new, `size` the picture's.
///
/// # Errors
/// Fails if a prompt has too many words, or the weights hold no numbers.
pub fn shown(model: &Model, latent: &Tensor, prompts: [&str; 2], size: (usize, usize)) -> Result<f64> {
    let read = |text: &str| model.engine.reader().conditions(text, "", size);
    let (old, new) = (read(prompts[0])?, read(prompts[1])?);
    model.engine.better_explained(latent, [&old.cond, &new.cond], Guidance::None, PROBE)
}

/// A picture as the model draws it from a latent.
///
/// # Errors
/// Fails if the weights hold no numbers.
pub fn decoded(model: &Model, latent: &Tensor) -> Result<RgbImage> {
    Ok(to_image(&model.engine.decode(latent)?))
}

/// A picture as the model's autoencoder keeps it.
///
/// # Errors
/// Fails if the weights hold no numbers.
pub fn encoded(model: &Model, picture: &RgbImage) -> Result<Tensor> {
    model.engine.encode(&picture.clone().into())
}

/// A mean with its interval of 95 %, as text; empty of nothing.
#[must_use]
pub fn mean(values: &[f64], places: usize) -> String {
    let Some(Interval { mean, high, count, .. }) = Interval::of(values) else { return String::new() };
    if count == 1 {
        return format!("{mean:.places$}");
    }
    format!("{mean:.places$} ± {:.places$}", high - mean)
}

/// What pairs of numbers differ by, and whether that is settled: `3.1 dB less (2.0 to 4.2)`, `not settled (-0.4 to 0.9 dB)`.
#[must_use]
pub fn difference(pairs: &[(f64, f64)], unit: &str) -> String {
    let differences: Vec<f64> = pairs.iter().map(|(a, b)| a - b).collect();
    match Interval::of(&differences) {
        Some(one) if one.count > 1 && one.is_settled() => {
            let (low, high) = if one.mean < 0.0 { (-one.high, -one.low) } else { (one.low, one.high) };
            let word = if one.mean < 0.0 { "less" } else { "more" };
            format!("{:.2} {unit} {word} ({low:.2} to {high:.2})", one.mean.abs())
        }
        Some(one) if one.count > 1 => format!("not settled ({:.2} to {:.2} {unit})", one.low, one.high),
        _ => "not settled by one of them".to_owned(),
    }
}

/// The largest memory of this process since [`forget_peak`], in MB, where the system tells.
#[must_use]
pub fn peak_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}

/// Begins to look for the largest memory anew, where the system can.
pub fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_counted_outside_and_contours_everywhere() {
        let before = RgbImage::from_fn(32, 32, |x, y| image::Rgb([(x * 8) as u8, (y * 8) as u8, 90]));
        let mut after = before.clone();
        for y in 0..32 {
            for x in 0..16 {
                after.put_pixel(x, y, image::Rgb([((x * 31 + y * 17) % 251) as u8, 5, 200]));
            }
        }
        let outside: Vec<bool> = (0..32 * 32).map(|at| at % 32 >= 16).collect();
        let kept = KeptOfPicture::of(&before, &after, &outside);
        assert_eq!((kept.psnr, kept.ssim), (Some(MOST_DECIBELS), Some(1.0)));
        assert!(kept.structure.is_some_and(|structure| structure < 0.8), "{kept:?}");
        assert_eq!(KeptOfPicture::of(&before, &before, &outside).structure, Some(1.0));
        assert_eq!(KeptOfPicture::of(&before, &after, &vec![false; 32 * 32]).psnr, None);
    }

    #[test]
    fn a_difference_is_settled_only_if_its_interval_is_on_one_side() {
        assert_eq!(difference(&[(1.0, 3.0), (2.0, 4.0), (3.0, 5.0)], "dB"), "2.00 dB less (2.00 to 2.00)");
        assert!(difference(&[(1.0, 3.0), (4.0, 2.0)], "dB").starts_with("not settled ("));
        assert!(difference(&[(1.0, 3.0)], "dB").starts_with("not settled by"));
        assert_eq!(mean(&[20.0, 22.0, 25.0], 1), "22.3 ± 6.3");
    }
}
