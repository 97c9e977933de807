//! The picture while it forms: latents to RGB by one small matrix, without the decoder.

use anyhow::{Result, ensure};
use image::{Rgb, RgbImage};
use serde::{Deserialize, Serialize};

/// A linear map from a latent's channels to RGB, where -1 is black and 1 is full.
///
/// It is data: written to and read from JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LatentColours {
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

impl LatentColours {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latent_of_zeros_is_the_grey_of_the_bias() {
        let picture =
            LatentColours::stable_diffusion_1().picture(Latent { values: &[0.0; 24], width: 3, height: 2 }).unwrap();
        assert!(picture.pixels().all(|pixel| pixel.0 == [128; 3]));
        assert_eq!(picture.dimensions(), (3, 2));
    }

    #[test]
    fn each_channel_moves_the_colours_by_its_factors() {
        // channel 0 is 1 in the second cell only
        let mut values = [0.0; 8];
        values[1] = 1.0;
        let picture =
            LatentColours::stable_diffusion_1().picture(Latent { values: &values, width: 2, height: 1 }).unwrap();
        // (1 + .298) * 127.5 = 165.5, (1 + .207) * 127.5 = 153.9, (1 + .208) * 127.5 = 154.0
        assert_eq!(picture.get_pixel(1, 0).0, [165, 154, 154]);
        assert_eq!(picture.get_pixel(0, 0).0, [128; 3]);
    }

    #[test]
    fn values_beyond_black_and_white_and_none_at_all_are_cut_off() {
        let linear = LatentColours { weights: vec![[1.0; 3]], bias: [0.0; 3] };
        let latent = Latent { values: &[9.0, -9.0, f32::NAN, f32::INFINITY], width: 4, height: 1 };
        let picture = linear.picture(latent).unwrap();
        assert_eq!(picture.as_raw(), &[255, 255, 255, 0, 0, 0, 0, 0, 0, 255, 255, 255]);
    }

    #[test]
    fn another_number_of_channels_is_an_error() {
        assert!(
            LatentColours::stable_diffusion_1().picture(Latent { values: &[0.0; 32], width: 2, height: 2 }).is_err()
        );
        assert!(LatentColours::stable_diffusion_1().picture(Latent { values: &[], width: 0, height: 0 }).is_err());
    }

    #[test]
    fn a_map_survives_being_written_as_json() {
        let linear = LatentColours::stable_diffusion_1();
        let text = serde_json::to_string(&linear).unwrap();
        assert_eq!(serde_json::from_str::<LatentColours>(&text).unwrap(), linear);
    }
}
