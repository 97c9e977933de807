//! How far two pictures are apart.
//!
//! PSNR and SSIM as the field computes them, both on 8-bit RGB, and the thumbprint that a replay is checked with.
//! All take pictures of equal size; a number that has no meaning is `None`, never a made-up value.

use image::RgbImage;

/// Peak signal-to-noise ratio of two pictures, in dB: `10 log10(255² / mse)` over all pixels and channels.
///
/// Equal pictures give `f64::INFINITY`. `None` if the sizes differ or the pictures are empty.
#[must_use]
pub fn psnr(a: &RgbImage, b: &RgbImage) -> Option<f64> {
    psnr_of(a, b, |_| true)
}

/// [`psnr`] over the pixels where `mask` is true.
///
/// `mask` has one entry a pixel, row by row. `None` if it selects nothing or a size differs.
#[must_use]
pub fn psnr_where(a: &RgbImage, b: &RgbImage, mask: &[bool]) -> Option<f64> {
    if mask.len() != a.as_raw().len() / 3 {
        return None;
    }
    psnr_of(a, b, |pixel| mask[pixel])
}

fn psnr_of(a: &RgbImage, b: &RgbImage, selected: impl Fn(usize) -> bool) -> Option<f64> {
    if a.dimensions() != b.dimensions() {
        return None;
    }
    let mut squares = 0u64;
    let mut count = 0u64;
    let pairs = a.as_raw().chunks_exact(3).zip(b.as_raw().chunks_exact(3));
    for (_, (p, q)) in pairs.enumerate().filter(|(pixel, _)| selected(*pixel)) {
        squares += p.iter().zip(q).map(|(&x, &y)| u64::from(x.abs_diff(y)).pow(2)).sum::<u64>();
        count += 3;
    }
    if count == 0 {
        return None;
    }
    if squares == 0 {
        return Some(f64::INFINITY);
    }
    Some(10.0 * (255.0 * 255.0 * count as f64 / squares as f64).log10())
}

/// The mean difference of channels, of 255, over the pixels where `mask` is true.
///
/// `mask` has one entry a pixel, row by row. `None` if it selects nothing or a size differs.
#[must_use]
pub fn mean_change(a: &RgbImage, b: &RgbImage, mask: &[bool]) -> Option<f64> {
    if a.dimensions() != b.dimensions() || mask.len() != a.as_raw().len() / 3 {
        return None;
    }
    let pairs = a.as_raw().iter().zip(b.as_raw()).enumerate().filter(|(i, _)| mask[i / 3]);
    let (sum, count) = pairs.fold((0u64, 0u64), |(sum, n), (_, (x, y))| (sum + u64::from(x.abs_diff(*y)), n + 1));
    (count > 0).then(|| sum as f64 / count as f64)
}

/// Side of the Gaussian window of [`ssim`], in pixels.
pub const SSIM_WINDOW: usize = 11;

/// Structural similarity of two pictures' luma, 1 for equal ones.
///
/// Mean over every place where an 11x11 Gaussian window (sigma 1.5) lies wholly inside the picture, with constants
/// `(0.01 * 255)²` and `(0.03 * 255)²`. Luma is `0.299 R + 0.587 G + 0.114 B`, not rounded. `None` if the sizes differ
/// or a side is shorter than the window.
///
/// Source: Wang et al. 2004, "Image Quality Assessment: From Error Visibility to Structural Similarity".
#[must_use]
pub fn ssim(a: &RgbImage, b: &RgbImage) -> Option<f64> {
    similarity(a, b).map(|(ssim, _)| ssim)
}

/// How alike two pictures' contours are, whatever their colours and brightness: [`ssim`] without its comparison of means,
/// `(2 cov + c2) / (var_a + var_b + c2)`, 1 for equal ones.
///
/// `None` as for [`ssim`]. Source: the same paper's comparisons of contrast and structure, in one as Wang, Simoncelli and Bovik 2003,
/// "Multiscale structural similarity for image quality assessment", take them.
#[must_use]
pub fn structure(a: &RgbImage, b: &RgbImage) -> Option<f64> {
    similarity(a, b).map(|(_, structure)| structure)
}

/// SSIM, and its comparison of contrast and structure alone.
fn similarity(a: &RgbImage, b: &RgbImage) -> Option<(f64, f64)> {
    let (width, height) = (a.width() as usize, a.height() as usize);
    if a.dimensions() != b.dimensions() || width < SSIM_WINDOW || height < SSIM_WINDOW {
        return None;
    }
    let (x, y) = (luma(a), luma(b));
    let product = |p: &[f64], q: &[f64]| p.iter().zip(q).map(|(p, q)| p * q).collect::<Vec<_>>();
    let blur = |plane: &[f64]| blur_inside(plane, width, height);
    let (mean_x, mean_y) = (blur(&x), blur(&y));
    let (xx, yy, xy) = (blur(&product(&x, &x)), blur(&product(&y, &y)), blur(&product(&x, &y)));
    let (c1, c2) = ((0.01f64 * 255.0).powi(2), (0.03f64 * 255.0).powi(2));
    let count = mean_x.len() as f64;
    let sums = (0..mean_x.len()).fold((0.0, 0.0), |(all, alone), i| {
        let (mx, my) = (mean_x[i], mean_y[i]);
        let (var_x, var_y, cov) = (xx[i] - mx * mx, yy[i] - my * my, xy[i] - mx * my);
        let structure = (2.0 * cov + c2) / (var_x + var_y + c2);
        let whole = (2.0 * mx * my + c1) * (2.0 * cov + c2) / ((mx * mx + my * my + c1) * (var_x + var_y + c2));
        (all + whole, alone + structure)
    });
    Some((sums.0 / count, sums.1 / count))
}

fn luma(picture: &RgbImage) -> Vec<f64> {
    let weigh = |p: &[u8]| 0.299 * f64::from(p[0]) + 0.587 * f64::from(p[1]) + 0.114 * f64::from(p[2]);
    picture.as_raw().chunks_exact(3).map(weigh).collect()
}

fn gaussian() -> [f64; SSIM_WINDOW] {
    let middle = (SSIM_WINDOW / 2) as f64;
    let raw: [f64; SSIM_WINDOW] = std::array::from_fn(|i| (-(i as f64 - middle).powi(2) / (2.0 * 1.5 * 1.5)).exp());
    let sum: f64 = raw.iter().sum();
    raw.map(|weight| weight / sum)
}

/// The Gaussian mean of `plane` round every pixel whose window lies inside: `[height - 10, width - 10]`.
fn blur_inside(plane: &[f64], width: usize, height: usize) -> Vec<f64> {
    let window = gaussian();
    let (inner_width, inner_height) = (width + 1 - SSIM_WINDOW, height + 1 - SSIM_WINDOW);
    let mut rows = Vec::with_capacity(inner_width * height);
    for row in plane.chunks_exact(width) {
        rows.extend(row.windows(SSIM_WINDOW).map(|part| part.iter().zip(&window).map(|(p, w)| p * w).sum::<f64>()));
    }
    let mut out = Vec::with_capacity(inner_width * inner_height);
    for top in 0..inner_height {
        for column in 0..inner_width {
            let weighed = window.iter().enumerate().map(|(i, w)| w * rows[(top + i) * inner_width + column]);
            out.push(weighed.sum());
        }
    }
    out
}

/// Side of a [`thumbprint`], in pixels.
pub const THUMBPRINT_SIDE: usize = 16;

/// The picture's mean RGB over a 16x16 grid, row by row: what a replay on other hardware is compared with.
///
/// A pixel that lies in two cells counts in each by its share, so any size works. An empty picture gives zeros.
/// Compare two with [`thumbprint_psnr`].
#[must_use]
pub fn thumbprint(picture: &RgbImage) -> [u8; 768] {
    let mut out = [0u8; 768];
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    if width == 0 || height == 0 {
        return out;
    }
    let (columns, rows) = (shares(width), shares(height));
    for (cell, rgb) in out.chunks_exact_mut(3).enumerate() {
        let (down, across) = (&rows[cell / THUMBPRINT_SIDE], &columns[cell % THUMBPRINT_SIDE]);
        let mut sum = [0u64; 3];
        for &(y, tall) in down {
            for &(x, wide) in across {
                let pixel = picture.get_pixel(x as u32, y as u32).0;
                for (total, value) in sum.iter_mut().zip(pixel) {
                    *total += u64::from(value) * (tall * wide) as u64;
                }
            }
        }
        let area = (width * height) as u64;
        for (value, total) in rgb.iter_mut().zip(sum) {
            *value = ((total + area / 2) / area) as u8;
        }
    }
    out
}

/// Which pixels each of the 16 cells of one side covers, and by how many 16ths; a cell's shares add up to `length`.
fn shares(length: usize) -> Vec<Vec<(usize, usize)>> {
    let cell = |i: usize| {
        let (from, to) = (i * length, (i + 1) * length);
        let share = |pixel: usize| {
            let (start, end) = (pixel * THUMBPRINT_SIDE, (pixel + 1) * THUMBPRINT_SIDE);
            (pixel, end.min(to) - start.max(from))
        };
        (from / THUMBPRINT_SIDE..to.div_ceil(THUMBPRINT_SIDE)).map(share).collect()
    };
    (0..THUMBPRINT_SIDE).map(cell).collect()
}

/// PSNR of two thumbprints in dB; `f64::INFINITY` if they are equal. A replay passes from 30 dB on.
#[must_use]
pub fn thumbprint_psnr(a: &[u8; 768], b: &[u8; 768]) -> f64 {
    let squares: u64 = a.iter().zip(b).map(|(&x, &y)| u64::from(x.abs_diff(y)).pow(2)).sum();
    if squares == 0 { f64::INFINITY } else { 10.0 * (255.0 * 255.0 * 768.0 / squares as f64).log10() }
}

#[cfg(test)]
#[path = "measure_tests.rs"]
mod tests;
