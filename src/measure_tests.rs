use super::*;
use image::Rgb;

fn plain(width: u32, height: u32, rgb: [u8; 3]) -> RgbImage {
    RgbImage::from_pixel(width, height, Rgb(rgb))
}

/// A picture of pseudo-random pixels, the same every time.
fn noise(width: u32, height: u32, mut state: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |_, _| {
        Rgb(std::array::from_fn(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        }))
    })
}

#[track_caller]
fn near(got: f64, expected: f64, allowed: f64) {
    let gap = (got - expected).abs();
    assert!(gap <= allowed, "got {got}, expected {expected}: gap {gap:.2e}");
}

#[test]
fn equal_pictures_are_infinitely_close() {
    let picture = noise(20, 16, 1);
    assert_eq!(psnr(&picture, &picture), Some(f64::INFINITY));
    near(ssim(&picture, &picture).unwrap(), 1.0, 1e-12);
    assert_eq!(thumbprint_psnr(&thumbprint(&picture), &thumbprint(&picture)), f64::INFINITY);
}

#[test]
fn a_difference_of_one_everywhere_is_48_13_db() {
    // mse 1: 20 log10(255)
    near(psnr(&plain(7, 5, [9, 9, 9]), &plain(7, 5, [10, 8, 10])).unwrap(), 48.130_803_608_679_1, 1e-9);
}

#[test]
fn black_against_white_is_0_db_whichever_comes_first() {
    let (black, white) = (plain(4, 4, [0; 3]), plain(4, 4, [255; 3]));
    near(psnr(&black, &white).unwrap(), 0.0, 1e-12);
    near(psnr(&white, &black).unwrap(), 0.0, 1e-12);
}

#[test]
fn one_channel_of_one_pixel_weighs_its_share() {
    let a = plain(2, 2, [100; 3]);
    let mut b = a.clone();
    b.put_pixel(1, 0, Rgb([100, 112, 100]));
    // mse 144 / 12 = 12: 10 log10(65025 / 12)
    near(psnr(&a, &b).unwrap(), 10.0 * (65025.0f64 / 12.0).log10(), 1e-12);
}

#[test]
fn a_mask_leaves_out_what_it_does_not_select() {
    let a = plain(2, 1, [0; 3]);
    let mut b = a.clone();
    b.put_pixel(0, 0, Rgb([255; 3]));
    near(psnr_where(&a, &b, &[true, false]).unwrap(), 0.0, 1e-12);
    assert_eq!(psnr_where(&a, &b, &[false, true]), Some(f64::INFINITY));
    assert_eq!(psnr_where(&a, &b, &[false, false]), None);
    assert_eq!(psnr_where(&a, &b, &[true, true]), psnr(&a, &b));
}

#[test]
fn pictures_of_different_size_have_no_distance() {
    let (a, b) = (noise(20, 16, 1), noise(16, 20, 1));
    assert_eq!((psnr(&a, &b), ssim(&a, &b)), (None, None));
    assert_eq!(psnr_where(&a, &a, &[true; 3]), None);
    assert_eq!(psnr(&RgbImage::new(0, 0), &RgbImage::new(0, 0)), None);
}

#[test]
fn ssim_of_two_flat_pictures_is_the_luminance_term_alone() {
    let (a, b) = (plain(11, 11, [50; 3]), plain(11, 11, [200; 3]));
    let c1 = 6.5025;
    let expected = (2.0 * 50.0 * 200.0 + c1) / (50.0 * 50.0 + 200.0 * 200.0 + c1);
    near(ssim(&a, &b).unwrap(), expected, 1e-9);
}

#[test]
fn a_picture_narrower_than_the_window_has_no_ssim() {
    assert_eq!(ssim(&noise(10, 40, 1), &noise(10, 40, 2)), None);
    assert!(ssim(&noise(11, 40, 1), &noise(11, 40, 2)).is_some());
}

/// SSIM straight from the definition: a two-dimensional window, variances as means of squared differences.
fn ssim_by_definition(a: &RgbImage, b: &RgbImage) -> f64 {
    let y = |p: &Rgb<u8>| 0.299 * f64::from(p[0]) + 0.587 * f64::from(p[1]) + 0.114 * f64::from(p[2]);
    let mut total = 0.0;
    let mut places = 0.0;
    for top in 0..=a.height() - 11 {
        for left in 0..=a.width() - 11 {
            let mut window = Vec::new();
            for j in 0..11u32 {
                for i in 0..11u32 {
                    let square = (f64::from(i) - 5.0).powi(2) + (f64::from(j) - 5.0).powi(2);
                    let weight = (-square / 4.5).exp();
                    let at = (left + i, top + j);
                    window.push((weight, y(a.get_pixel(at.0, at.1)), y(b.get_pixel(at.0, at.1))));
                }
            }
            let sum: f64 = window.iter().map(|w| w.0).sum();
            let mean = |f: &dyn Fn(&(f64, f64, f64)) -> f64| window.iter().map(|w| w.0 * f(w)).sum::<f64>() / sum;
            let (ma, mb) = (mean(&|w| w.1), mean(&|w| w.2));
            let (va, vb) = (mean(&|w| (w.1 - ma).powi(2)), mean(&|w| (w.2 - mb).powi(2)));
            let cov = mean(&|w| (w.1 - ma) * (w.2 - mb));
            let (c1, c2) = (6.5025, 58.5225);
            total += (2.0 * ma * mb + c1) * (2.0 * cov + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2));
            places += 1.0;
        }
    }
    total / places
}

#[test]
fn ssim_agrees_with_its_definition_on_uneven_pictures() {
    let a = noise(23, 17, 7);
    let b = RgbImage::from_fn(23, 17, |x, y| {
        let p = a.get_pixel(x, y).0;
        Rgb(p.map(|v| (u32::from(v) * 3 / 4 + x + 2 * y) as u8))
    });
    let got = ssim(&a, &b).unwrap();
    near(got, ssim_by_definition(&a, &b), 1e-9);
    assert!(got < 0.99 && got > 0.5, "the pictures should differ somewhat: {got}");
    near(got, ssim(&b, &a).unwrap(), 1e-12);
}

#[test]
fn unrelated_noise_has_hardly_any_structure_in_common() {
    let got = ssim(&noise(64, 64, 1), &noise(64, 64, 2)).unwrap();
    assert!(got.abs() < 0.1, "ssim {got}");
}

#[test]
fn a_thumbprint_is_the_mean_of_each_cell() {
    // 32x48: each cell is 2x3 pixels
    let picture = RgbImage::from_fn(32, 48, |x, y| Rgb([(x % 2 * 10) as u8, (y % 3 * 30) as u8, (x / 2 * 16) as u8]));
    let print = thumbprint(&picture);
    for (cell, rgb) in print.chunks_exact(3).enumerate() {
        assert_eq!(rgb, [5, 30, (cell % 16 * 16) as u8], "cell {cell}");
    }
}

#[test]
fn a_thumbprint_shares_pixels_between_cells_when_sixteen_does_not_divide_the_side() {
    // 24 pixels wide: cell 0 covers pixel 0 and half of pixel 1, that is (0 * 16 + 90 * 8) / 24
    let picture = RgbImage::from_fn(24, 16, |x, _| Rgb([if x == 1 { 90 } else { 0 }; 3]));
    let print = thumbprint(&picture);
    assert_eq!(&print[..9], &[30, 30, 30, 30, 30, 30, 0, 0, 0]);
}

#[test]
fn a_picture_smaller_than_the_grid_is_enlarged() {
    let print = thumbprint(&plain(1, 1, [1, 2, 3]));
    assert!(print.chunks_exact(3).all(|rgb| rgb == [1, 2, 3]));
}

#[test]
fn a_thumbprint_off_by_eight_everywhere_is_just_above_30_db() {
    near(thumbprint_psnr(&[100; 768], &[108; 768]), 20.0 * (255.0f64 / 8.0).log10(), 1e-12);
}

#[test]
fn the_mean_change_counts_the_selected_pixels_alone() {
    let (a, mut b) = (plain(2, 1, [10, 10, 10]), plain(2, 1, [10, 10, 10]));
    b.put_pixel(1, 0, Rgb([16, 7, 10]));
    near(mean_change(&a, &b, &[false, true]).unwrap(), 3.0, 1e-12);
    near(mean_change(&a, &b, &[true, true]).unwrap(), 1.5, 1e-12);
    assert_eq!((mean_change(&a, &b, &[true, false]), mean_change(&a, &b, &[false, false])), (Some(0.0), None));
    assert_eq!(mean_change(&a, &plain(1, 2, [0; 3]), &[true, true]), None);
}
