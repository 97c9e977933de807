//! NaN, infinities, empty inputs and lengths that do not fit.

use super::{families, noise};
use crate::attention::{AttentionShape, attention_with};
use crate::conv::{ConvExtras, ConvInput, PackedConv, conv2d_with};
use crate::family::{Family, FamilyError, parse_family};
use crate::linear::{gemm, gemm_with};
use crate::maps::attention_probs_with;
use crate::math::Activation;
use crate::norm::{GroupShape, group_norm_with};
use crate::panels::{PackedWeights, Precision};
use crate::pointwise::{Half, activate_with, round, softmax_rows_with};

#[test]
fn nan_stays_and_infinities_do_what_the_docs_say() {
    for family in families() {
        for activation in [Activation::Silu, Activation::Gelu, Activation::QuickGelu] {
            let mut x = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1e30, 1e30];
            activate_with(family, activation, &mut x);
            assert!(x[0].is_nan() && x[1] == f32::INFINITY && x[2].is_nan(), "{family} {activation:?} {x:?}");
            assert!(x[3] == 0.0 && x[4] == 1e30, "{family} {activation:?} {x:?}");
        }
        let mut x = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1e-30, 1e30];
        activate_with(family, Activation::Relu, &mut x);
        assert!(x[0].is_nan() && x[1..] == [f32::INFINITY, 0.0, 0.0, 1e30], "{family} {x:?}");
    }
}

#[test]
fn a_softmax_gives_masked_places_nothing_and_spreads_nan() {
    for family in families() {
        let mut rows = [0.0_f32; 60];
        rows[3] = f32::NEG_INFINITY;
        rows[20 + 19] = f32::NAN;
        rows[40 + 5] = f32::INFINITY;
        softmax_rows_with(family, &mut rows, 3, 20);
        assert_eq!(rows[3], 0.0);
        assert!((rows[4] - 1.0 / 19.0).abs() < 1e-7, "{family} {rows:?}");
        assert!(rows[20..].iter().all(|x| x.is_nan()), "{family} {rows:?}");
        let mut row = [f32::NEG_INFINITY; 5];
        softmax_rows_with(family, &mut row, 1, 5);
        assert!(row.iter().all(|x| x.is_nan()));
    }
}

#[test]
fn nan_in_one_row_of_a_product_leaves_the_others_alone() {
    for family in families() {
        for precision in [Precision::F32, Precision::Bf16] {
            let packed = PackedWeights::new(&[1.0; 35 * 21], 35, 21, precision);
            let mut a = [1.0; 5 * 21];
            a[2 * 21 + 20] = f32::NAN;
            let mut out = [0.0; 5 * 35];
            gemm_with(family, &a, 5, &packed, None, Activation::None, None, &mut out);
            for (row, out) in out.chunks_exact(35).enumerate() {
                assert!(
                    out.iter().all(|&x| if row == 2 { x.is_nan() } else { x == 21.0 }),
                    "{family} row {row} {out:?}"
                );
            }
        }
    }
}

#[test]
fn nan_in_one_query_or_one_group_stays_there() {
    for family in families() {
        let shape = AttentionShape { batch: 1, queries: 3, keys: 20, heads: 1, head_dim: 4 };
        let (mut q, k) = ([0.5; 12], [0.25; 80]);
        q[4] = f32::NAN;
        let mut out = [0.0; 12];
        attention_with(family, &q, &k, &k, shape, 1.0, false, Precision::F32, &mut out);
        assert!(out[4..8].iter().all(|x| x.is_nan()), "{family} {out:?}");
        assert!(out[..4].iter().chain(&out[8..]).all(|x| (x - 0.25).abs() < 1e-6), "{family} {out:?}");
        let mut probs = [0.0; 60];
        attention_probs_with(family, &q, &k, shape, 1.0, Precision::Bf16, &mut probs);
        assert!(probs[20..40].iter().all(|x| x.is_nan()) && (probs[0] - 0.05).abs() < 1e-7, "{family} {probs:?}");
        let mut x = [1.0; 24];
        x[1] = f32::INFINITY;
        let mut out = [0.0; 24];
        let shape = GroupShape { batch: 2, pixels: 3, channels: 4, groups: 2 };
        group_norm_with(family, Some(&x), shape, 1e-5, &[1.0; 4], &[0.5; 4], false, &mut out);
        for (at, value) in out.iter().enumerate() {
            assert_eq!(value.is_nan(), at < 12 && at % 4 < 2, "{family} element {at} is {value}");
        }
    }
}

#[test]
fn nan_in_one_pixel_stays_in_the_tiles_that_read_it() {
    for family in families() {
        for precision in [Precision::F32, Precision::Bf16] {
            let (inputs, outputs) = (20, 18);
            let packed = PackedConv::winograd(&noise(1, outputs * inputs * 9), outputs, inputs, false, precision);
            let input = ConvInput::new(2, 8, 8).pad(1);
            for wrong in [f32::NAN, f32::INFINITY] {
                let mut x = noise(2, 2 * 64 * inputs);
                x[(2 * 8 + 4) * inputs + 7] = wrong; // row 2, column 4 of the first picture
                let mut out = vec![0.0; 2 * 64 * outputs];
                conv2d_with(family, &x, input, &packed, ConvExtras::default(), &mut out);
                for (pixel, out) in out.chunks_exact(outputs).enumerate() {
                    let (y, x) = (pixel / 8, pixel % 8);
                    let reads = (1..=3).contains(&y) && (3..=5).contains(&x);
                    let same_tile = y <= 3 && (2..=5).contains(&x);
                    let finite = out.iter().all(|value| value.is_finite());
                    assert!(finite || same_tile, "{family} {precision:?}: row {y}, column {x}: {out:?}");
                    assert!(!finite || !reads, "{family} {precision:?}: row {y}, column {x} does not show it");
                }
            }
        }
    }
}

#[test]
fn nothing_comes_of_nothing() {
    let packed = PackedWeights::new(&[], 0, 4, Precision::F32);
    gemm(&[1.0; 8], 2, &packed, None, Activation::None, None, &mut []);
    let packed = PackedWeights::new(&[1.0; 8], 2, 4, Precision::F32);
    gemm(&[], 0, &packed, None, Activation::None, None, &mut []);
    let shape = AttentionShape { batch: 0, queries: 3, keys: 2, heads: 1, head_dim: 4 };
    crate::attention(&[], &[], &[], shape, 1.0, false, Precision::F32, &mut []);
    let packed = PackedConv::winograd(&[0.5; 36], 1, 4, false, Precision::Bf16);
    crate::conv2d(&[], ConvInput::new(0, 3, 3).pad(1), &packed, ConvExtras::default(), &mut []);
    crate::softmax_rows(&mut [], 0, 3);
    crate::silu(&mut []);
}

#[test]
#[should_panic(expected = "gemm: `a` holds 7 values, expected [m, k] = [2, 4]")]
fn a_length_that_does_not_fit_is_named() {
    let packed = PackedWeights::new(&[1.0; 8], 2, 4, Precision::F32);
    gemm(&[1.0; 7], 2, &packed, None, Activation::None, None, &mut [0.0; 4]);
}

#[test]
fn a_family_is_found_by_its_name_and_refused_where_it_cannot_run() {
    assert_eq!(parse_family("plain"), Ok(Family::Plain));
    assert_eq!(parse_family("sse9"), Err(FamilyError::Unknown("sse9".to_owned())));
    for family in Family::ALL {
        let parsed = parse_family(family.name());
        match (family.is_available(), family) {
            (true, _) => assert_eq!(parsed, Ok(family)),
            (false, Family::Avx512) if Family::Avx512f.is_available() => {
                assert_eq!(parsed, Ok(Family::Avx512f));
            }
            (false, _) => assert_eq!(parsed, Err(FamilyError::Unavailable(family))),
        }
    }
}

#[test]
fn values_round_to_the_nearest_half_in_every_place_of_a_slice() {
    for len in [0, 1, 7, 255, 256, 257, 70_001] {
        let mut x: Vec<f32> =
            noise(5, len).iter().enumerate().map(|(i, v)| v * 10f32.powi(i as i32 % 12 - 6)).collect();
        for (at, special) in [f32::INFINITY, -0.0, 65_519.0, 65_520.0, 1e-8, f32::NAN].into_iter().enumerate() {
            if at < len {
                x[at] = special;
            }
        }
        let mut out = x.clone();
        round(&mut out, Half::F16);
        for (x, out) in x.iter().zip(&out) {
            let expected = half::f16::from_f32(*x).to_f32();
            assert!(out.to_bits() == expected.to_bits() || out.is_nan() && x.is_nan(), "{x} gives {out}");
        }
        let mut out = x.clone();
        round(&mut out, Half::Bf16);
        for (x, out) in x.iter().zip(&out) {
            let expected = half::bf16::from_f32(*x).to_f32();
            assert!(out.to_bits() == expected.to_bits() || out.is_nan() && x.is_nan(), "{x} gives {out}");
        }
    }
}
