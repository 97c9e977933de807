//! The picture while it forms: latents to RGB by one small matrix, without the decoder.

use anyhow::{Result, ensure};
use image::{Rgb, RgbImage};
use serde::{Deserialize, Serialize};

/// A linear map from a latent's channels to RGB, where -1 is black and 1 is full.
///
/// It is data: written to and read from JSON, fitted by [`fit`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Linear {
    /// One row a channel: what it adds to red, green and blue.
    pub weights: Vec<[f32; 3]>,
    /// Red, green and blue of a latent of zeros.
    pub bias: [f32; 3],
}

/// A latent as it stands in a run (scaled): `[channels, height, width]`, f32.
#[derive(Debug, Clone, Copy)]
pub struct Latent<'a> {
    /// The values, channel by channel, row by row.
    pub values: &'a [f32],
    /// Cells across.
    pub width: usize,
    /// Cells down.
    pub height: usize,
}

impl Linear {
    /// The factors that are known for Stable Diffusion 1.x and 2.x, for latents times 0.18215.
    #[must_use]
    pub fn stable_diffusion_1() -> Self {
        Self {
            weights: vec![
                [0.298, 0.207, 0.208],
                [0.187, 0.286, 0.173],
                [-0.158, 0.189, 0.264],
                [-0.184, -0.271, -0.473],
            ],
            bias: [0.0; 3],
        }
    }

    /// The picture that `latent` stands for, one pixel a cell.
    ///
    /// # Errors
    /// Fails if the latent has another number of channels than the map.
    pub fn picture(&self, latent: Latent) -> Result<RgbImage> {
        let cells = latent.width * latent.height;
        let (channels, have) = (self.weights.len(), latent.values.len());
        ensure!(
            cells > 0 && have == channels * cells,
            "BUG: a latent has {have} values, expected {channels} x {cells}"
        );
        Ok(RgbImage::from_fn(latent.width as u32, latent.height as u32, |x, y| {
            let cell = y as usize * latent.width + x as usize;
            let rgb = self.weights.iter().enumerate().fold(self.bias, |rgb, (channel, row)| {
                let value = latent.values[channel * cells + cell];
                std::array::from_fn(|c| rgb[c] + row[c] * value)
            });
            // A cast takes what is not a number to 0.
            Rgb(rgb.map(|value| ((value + 1.0) * 127.5).round() as u8))
        }))
    }
}

/// The map that brings `latents` nearest to `pictures`, by least squares over all cells.
///
/// Each picture is averaged down to its latent's grid. Also returns the root mean square of what is left, of 255.
///
/// # Errors
/// Fails if there are no pairs, a latent has other channels than the first, or a picture is smaller than its latent.
pub fn fit(pairs: &[(Latent, &RgbImage)]) -> Result<(Linear, f64)> {
    ensure!(!pairs.is_empty(), "fitting needs at least one latent with its picture");
    let channels = pairs[0].0.values.len() / (pairs[0].0.width * pairs[0].0.height).max(1);
    let unknowns = channels + 1;
    // Normal equations: sums of products of [channels.., 1] with themselves, and with red, green, blue.
    let mut left = vec![vec![0f64; unknowns]; unknowns];
    let mut right = vec![[0f64; 3]; unknowns];
    let mut squares = 0f64;
    let mut count = 0f64;
    let mut row = vec![1f64; unknowns];
    for (latent, picture) in pairs {
        let cells = latent.width * latent.height;
        ensure!(latent.values.len() == channels * cells && cells > 0, "the latents differ in their channels");
        let targets = averages(picture, latent.width, latent.height)?;
        for (cell, target) in targets.iter().enumerate() {
            for (channel, value) in row[..channels].iter_mut().enumerate() {
                *value = f64::from(latent.values[channel * cells + cell]);
            }
            for (i, &factor) in row.iter().enumerate() {
                for (sum, &other) in left[i].iter_mut().zip(&row) {
                    *sum += factor * other;
                }
                for (sum, value) in right[i].iter_mut().zip(target) {
                    *sum += factor * value;
                }
            }
            squares += target.iter().map(|value| value * value).sum::<f64>();
            count += 3.0;
        }
    }
    let moments = right.clone();
    // A channel that never varies would leave the equations without a unique answer; a trace of ridge picks 0 for it.
    for (i, line) in left.iter_mut().enumerate() {
        line[i] += 1e-9 * (line[i] + 1.0);
    }
    let solution = solve(left, right);
    // |y - Xw|² = y·y - w·(Xᵀy) at the least-squares solution.
    let explained: f64 = solution.iter().zip(&moments).flat_map(|(w, m)| w.iter().zip(m)).map(|(w, m)| w * m).sum();
    let rest = ((squares - explained).max(0.0) / count).sqrt() * 127.5;
    let mut weights: Vec<[f32; 3]> = solution.iter().map(|row| row.map(|value| value as f32)).collect();
    let bias = weights.pop().unwrap_or_default();
    Ok((Linear { weights, bias }, rest))
}

/// The picture's mean colour in each of `width` x `height` cells, -1 to 1.
fn averages(picture: &RgbImage, width: usize, height: usize) -> Result<Vec<[f64; 3]>> {
    let (across, down) = (picture.width() as usize, picture.height() as usize);
    ensure!(across >= width && down >= height, "a picture of {across} x {down} is smaller than its latent");
    let cell = |number: usize| {
        let (column, row) = (number % width, number / width);
        let (xs, ys) =
            (column * across / width..(column + 1) * across / width, row * down / height..(row + 1) * down / height);
        let area = (xs.len() * ys.len()) as f64;
        let mut sum = [0f64; 3];
        for (x, y) in ys.flat_map(|y| xs.clone().map(move |x| (x, y))) {
            let pixel = picture.get_pixel(x as u32, y as u32).0;
            sum = std::array::from_fn(|c| sum[c] + f64::from(pixel[c]));
        }
        sum.map(|total| total / area / 127.5 - 1.0)
    };
    Ok((0..width * height).map(cell).collect())
}

/// Solves `left x = right` by elimination, the largest pivot first; a pivot of 0 gives zeros.
fn solve(mut left: Vec<Vec<f64>>, mut right: Vec<[f64; 3]>) -> Vec<[f64; 3]> {
    let size = left.len();
    for step in 0..size {
        let best = (step..size).max_by(|&a, &b| left[a][step].abs().total_cmp(&left[b][step].abs())).unwrap_or(step);
        left.swap(step, best);
        right.swap(step, best);
        let pivot = left[step][step];
        if pivot == 0.0 {
            continue;
        }
        for row in (0..size).filter(|&row| row != step) {
            let factor = left[row][step] / pivot;
            let (line, source) = (right[step], left[step].clone());
            left[row].iter_mut().zip(&source).for_each(|(value, from)| *value -= factor * from);
            right[row].iter_mut().zip(line).for_each(|(value, from)| *value -= factor * from);
        }
    }
    (0..size).map(|row| if left[row][row] == 0.0 { [0.0; 3] } else { right[row].map(|v| v / left[row][row]) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(length: usize, mut state: u32) -> Vec<f32> {
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn a_latent_of_zeros_is_the_grey_of_the_bias() {
        let picture = Linear::stable_diffusion_1().picture(Latent { values: &[0.0; 24], width: 3, height: 2 }).unwrap();
        assert!(picture.pixels().all(|pixel| pixel.0 == [128; 3]));
        assert_eq!(picture.dimensions(), (3, 2));
    }

    #[test]
    fn each_channel_moves_the_colours_by_its_factors() {
        // channel 0 is 1 in the second cell only
        let mut values = [0.0; 8];
        values[1] = 1.0;
        let picture = Linear::stable_diffusion_1().picture(Latent { values: &values, width: 2, height: 1 }).unwrap();
        // (1 + .298) * 127.5 = 165.5, (1 + .207) * 127.5 = 153.9, (1 + .208) * 127.5 = 154.0
        assert_eq!(picture.get_pixel(1, 0).0, [165, 154, 154]);
        assert_eq!(picture.get_pixel(0, 0).0, [128; 3]);
    }

    #[test]
    fn values_beyond_black_and_white_and_none_at_all_are_cut_off() {
        let linear = Linear { weights: vec![[1.0; 3]], bias: [0.0; 3] };
        let latent = Latent { values: &[9.0, -9.0, f32::NAN, f32::INFINITY], width: 4, height: 1 };
        let picture = linear.picture(latent).unwrap();
        assert_eq!(picture.as_raw(), &[255, 255, 255, 0, 0, 0, 0, 0, 0, 255, 255, 255]);
    }

    #[test]
    fn another_number_of_channels_is_an_error() {
        assert!(Linear::stable_diffusion_1().picture(Latent { values: &[0.0; 32], width: 2, height: 2 }).is_err());
        assert!(Linear::stable_diffusion_1().picture(Latent { values: &[], width: 0, height: 0 }).is_err());
    }

    #[test]
    fn fitting_finds_the_map_that_made_the_pictures() {
        let truth = Linear {
            weights: (0..8).map(|i| std::array::from_fn(|c| ((i * 3 + c) as f32 * 0.7).sin() * 0.15)).collect(),
            bias: [0.1, -0.05, 0.02],
        };
        let values: Vec<Vec<f32>> = (0..4).map(|i| noise(8 * 16 * 16, i)).collect();
        let latents: Vec<Latent> = values.iter().map(|values| Latent { values, width: 16, height: 16 }).collect();
        let enlarge = |latent: &Latent| {
            let small = truth.picture(*latent).unwrap();
            RgbImage::from_fn(128, 128, |x, y| *small.get_pixel(x / 8, y / 8))
        };
        let pictures: Vec<RgbImage> = latents.iter().map(enlarge).collect();
        let pairs: Vec<(Latent, &RgbImage)> = latents.iter().copied().zip(&pictures).collect();
        let (found, rest) = fit(&pairs).unwrap();
        let gap = (found.weights.iter().flatten().chain(&found.bias))
            .zip(truth.weights.iter().flatten().chain(&truth.bias))
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(gap < 2e-3, "factors differ by {gap:.2e}");
        assert!(rest < 0.5, "rounding to 8 bits alone leaves 0.29, but {rest} is left");
    }

    #[test]
    fn a_channel_that_never_varies_gets_a_finite_factor() {
        let mut values = noise(2 * 64, 5);
        values[64..].fill(0.0);
        let picture = RgbImage::from_fn(8, 8, |x, y| Rgb([((values[(y * 8 + x) as usize] + 1.0) * 100.0) as u8; 3]));
        let (found, rest) = fit(&[(Latent { values: &values, width: 8, height: 8 }, &picture)]).unwrap();
        assert!(found.weights.iter().flatten().all(|factor| factor.is_finite()));
        assert!(rest < 1.0, "{rest}");
    }

    #[test]
    fn a_map_survives_being_written_as_json() {
        let linear = Linear::stable_diffusion_1();
        let text = serde_json::to_string(&linear).unwrap();
        assert_eq!(serde_json::from_str::<Linear>(&text).unwrap(), linear);
    }

    #[test]
    fn fitting_nothing_is_an_error() {
        assert!(fit(&[]).is_err());
    }
}
