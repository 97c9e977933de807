//! Edits inside a mask: Blended Latent Diffusion (Avrahami et al. 2023, arXiv:2206.02779) and DiffEdit (Couairon et al.
//! 2023, arXiv:2210.11427).

use anyhow::{Result, ensure};
use candle_core::Tensor;

use super::super::sampler::{Ddim, Sampler};
use super::super::{Conditions, Engine, Guidance, WatchLatents};
use super::steps::LastSteps;
use crate::attention::blend::compose;
use crate::plan::settings::BlendArithmetic;

/// Steps after each of which the latent is `outside(step)` where the mask is 0. The latents, the start first; `None` if it was
/// stopped.
///
/// # Errors
/// Fails if the shapes differ, or the device has no memory left.
pub fn masked_run(
    engine: &Engine,
    steps: LastSteps<'_>,
    start: Tensor,
    mask: &[u8],
    outside: &dyn Fn(usize) -> Result<Tensor>,
    watch: WatchLatents<'_>,
) -> Result<Option<Vec<Tensor>>> {
    let after = |step: usize, latent: Tensor| -> Result<Tensor> {
        Ok(compose(&latent, &outside(step)?, mask, BlendArithmetic::Select)?)
    };
    steps.run(engine, start, &mut |_, latent| Ok(latent.clone()), &after, watch)
}

/// A picture's mask at a latent's size: for each square of `factor` pixels a side, whether the pixel in its middle is light.
#[must_use]
pub fn latent_mask(pixels: &[u8], size: (usize, usize), factor: usize) -> Vec<u8> {
    latent_mask_at(pixels, size, factor, factor / 2)
}

/// The same by the pixel that lies `offset` pixels to the right of each square's first and below it: 0 is the corner.
#[must_use]
pub fn latent_mask_at(pixels: &[u8], (width, height): (usize, usize), factor: usize, offset: usize) -> Vec<u8> {
    let at = |i: usize| factor * i + offset;
    let rows = (0..height / factor).flat_map(|y| (0..width / factor).map(move |x| (x, y)));
    rows.map(|(x, y)| u8::from(pixels[at(y) * width + at(x)] >= 128)).collect()
}

/// How DiffEdit finds its mask.
#[derive(Debug, Clone, Copy)]
pub struct DifferenceRule {
    /// So many steps, from the end, at whose first level estimates are compared.
    pub steps: usize,
    /// The mask is where the difference is more than half this many times its mean.
    pub ratio: f64,
}

/// DiffEdit's mask: where estimates of the noise under two prompts differ, each the mean over several noised pictures. The
/// mean difference of each place, and the mask. `watch` sees each noised picture and may stop it: then `None`.
///
/// # Errors
/// Fails if there is no noise or no step, or the device has no memory left.
pub fn difference_mask(
    engine: &Engine,
    (ddim, guidance): (&Ddim, Guidance),
    clean: &Tensor,
    [source, target]: [&Conditions; 2],
    noise: &[Tensor],
    rule: DifferenceRule,
    watch: WatchLatents<'_>,
) -> Result<Option<(Vec<f32>, Vec<u8>)>> {
    let steps = ddim.timesteps().len();
    let first = steps - rule.steps.min(steps);
    ensure!(first < steps && !noise.is_empty(), "there is no step or no noise to find a mask with");
    let level = ddim.timesteps()[first];
    let mut sum: Option<Tensor> = None;
    for (number, noise) in noise.iter().enumerate() {
        let noised = ddim.schedule().noised(clean, noise, ddim.level(first))?;
        let estimate = |conditions: &Conditions| engine.predict_guided(&noised, conditions, level, guidance);
        let difference = (estimate(target)? - estimate(source)?)?.abs()?.mean(2)?;
        sum = Some(match sum {
            Some(sum) => (sum + difference)?,
            None => difference,
        });
        if watch(number, &noised).is_break() {
            return Ok(None);
        }
    }
    let Some(sum) = sum else { anyhow::bail!("BUG: no difference was computed") };
    let map = (sum / noise.len() as f64)?.flatten_all()?.to_vec1::<f32>()?;
    let mean = map.iter().map(|x| f64::from(*x)).sum::<f64>() / map.len() as f64;
    let top = (rule.ratio * mean) as f32;
    let mask = map.iter().map(|x| u8::from(x.min(top) / top > 0.5)).collect();
    Ok(Some((map, mask)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_is_read_in_the_middle_of_each_square() {
        let (width, height) = (16, 8);
        let mut pixels = vec![0; width * height];
        pixels[4 * width + 4] = 128;
        pixels[4 * width + 11] = 255; // beside the middle of the second
        assert_eq!(latent_mask(&pixels, (width, height), 8), [1, 0]);
    }
}
