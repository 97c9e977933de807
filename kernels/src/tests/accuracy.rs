//! Close to the plain twins on odd sizes.

use super::{assert_close, families, noise};
use crate::attention::{AttentionShape, attention_with};
use crate::conv::{ConvExtras, ConvInput, PackedConv, conv2d_with};
use crate::family::Family;
use crate::linear::gemm_with;
use crate::maps::{apply_probs_with, attention_probs_with};
use crate::math::Activation;
use crate::norm::{GroupShape, group_norm_with, layer_norm_with};
use crate::panels::{PackedWeights, Precision};
use crate::plain;
use crate::pointwise::{activate_with, geglu_with, softmax_rows_with};

const PRECISIONS: [Precision; 2] = [Precision::F32, Precision::Bf16];

/// The rounding error that a chain of `terms` products of numbers within -1..1 may gather.
fn summed(terms: usize) -> f32 {
    1e-6 + 2e-8 * terms as f32
}

#[test]
fn products_of_every_shape_and_ending_match_the_plain_ones() {
    let shapes = [
        (1, 1, 1),
        (1, 320, 77),
        (3, 16, 5),
        (5, 17, 9),
        (7, 33, 31),
        (8, 40, 512),
        (13, 47, 513),
        (2, 49, 1025),
        (14, 80, 600),
        (97, 31, 66),
        (200, 96, 130),
        (70, 64, 1),
        (6, 3, 0),
    ];
    for family in families() {
        for precision in PRECISIONS {
            for (m, n, k) in shapes {
                let (a, w) = (noise(1, m * k), noise(2, n * k));
                let (bias, residual) = (noise(3, n), noise(4, m * n));
                let packed = PackedWeights::new(&w, n, k, precision);
                for (bias, activation, residual) in [
                    (None, Activation::None, None),
                    (Some(&bias[..]), Activation::Silu, Some(&residual[..])),
                    (None, Activation::Gelu, Some(&residual[..])),
                    (Some(&bias[..]), Activation::QuickGelu, None),
                ] {
                    let mut out = vec![f32::NAN; m * n];
                    gemm_with(family, &a, m, &packed, bias, activation, residual, &mut out);
                    let expected = plain::gemm(&a, m, &w, n, precision, bias, activation, residual);
                    let what = format!("{family} {precision:?} {m}x{n}x{k} {activation:?}");
                    assert_close(&out, &expected, summed(k), &what);
                }
            }
        }
    }
}

/// What a convolution may add: nothing, and all at once.
fn nothing_and_everything<'a>(bias: &'a [f32], add: &'a [f32], residual: &'a [f32]) -> [ConvExtras<'a>; 2] {
    let everything =
        ConvExtras { bias: Some(bias), channel_add: Some(add), activation: Activation::Silu, residual: Some(residual) };
    [ConvExtras::default(), everything]
}

#[test]
fn convolutions_of_every_stride_and_padding_match_the_plain_ones() {
    let base = ConvInput::new(2, 7, 9);
    let cases = [
        (base.pad(1), [5, 4, 3, 3]),
        (base.pad(1).stride(2), [16, 3, 3, 3]),
        (base.stride(2).pad_bottom_right(1), [20, 6, 3, 3]),
        (base.pad(1).upsample(true), [33, 5, 3, 3]),
        (base, [40, 17, 1, 1]),
        (base.pad(2), [3, 2, 5, 3]),
        (base.pad(1), [32, 70, 3, 3]),
        (base.pad(1).stride(2).upsample(true), [8, 120, 3, 3]),
        (base.pad(4), [2, 1, 3, 3]),
        (ConvInput::new(1, 1, 1).pad(1), [7, 5, 3, 3]),
    ];
    for family in families() {
        for precision in PRECISIONS {
            for (input, [outputs, inputs, kh, kw]) in cases {
                let x = noise(5, input.batch * input.height * input.width * inputs);
                let w = noise(6, outputs * inputs * kh * kw);
                let (height, width) = input.output(kh, kw);
                let mut out = vec![f32::NAN; input.batch * height * width * outputs];
                let (bias, add, residual) = (noise(7, outputs), noise(8, input.batch * outputs), noise(9, out.len()));
                let packed = PackedConv::new(&w, outputs, inputs, kh, kw, precision);
                for extras in nothing_and_everything(&bias, &add, &residual) {
                    conv2d_with(family, &x, input, &packed, extras, &mut out);
                    let expected = plain::conv2d(&x, input, &w, [outputs, inputs, kh, kw], precision, extras);
                    let what = format!("{family} {precision:?} {input:?} {outputs}x{inputs}x{kh}x{kw}");
                    assert_close(&out, &expected, summed(inputs * kh * kw), &what);
                }
            }
        }
    }
}

#[test]
fn convolutions_by_winograd_match_the_plain_ones_and_those_of_36_products() {
    let base = ConvInput::new(2, 7, 9).pad(1);
    let enlarged = base.upsample(true);
    let cases = [
        (base, [5, 4], false),
        (base, [33, 130], false),
        (ConvInput::new(2, 8, 6), [40, 17], false),
        (ConvInput::new(1, 5, 5).pad(2), [16, 3], false),
        (ConvInput::new(1, 2, 3).pad(1).pad_bottom_right(1), [7, 5], false),
        (enlarged, [33, 5], false),
        (enlarged, [33, 5], true),
        (ConvInput::new(3, 5, 4).pad(1).upsample(true), [20, 131], true),
        (ConvInput::new(1, 1, 1).pad(1), [7, 5], false),
        (ConvInput::new(1, 1, 1).pad(1).upsample(true), [7, 5], true),
        // More tiles than are held at a time, and a depth of several blocks.
        (ConvInput::new(1, 27, 29).pad(1), [3, 2], false),
        (ConvInput::new(1, 9, 9).pad(1), [18, 1100], false),
    ];
    for family in families() {
        for precision in PRECISIONS {
            for (input, [outputs, inputs], upsample) in cases {
                let x = noise(5, input.batch * input.height * input.width * inputs);
                let w = noise(6, outputs * inputs * 9);
                let (height, width) = input.output(3, 3);
                let mut out = vec![f32::NAN; input.batch * height * width * outputs];
                let (bias, add, residual) = (noise(7, outputs), noise(8, input.batch * outputs), noise(9, out.len()));
                let packed = PackedConv::winograd(&w, outputs, inputs, upsample, precision);
                assert_eq!((packed.inputs(), packed.outputs(), packed.kernel()), (inputs, outputs, (3, 3)));
                for extras in nothing_and_everything(&bias, &add, &residual) {
                    conv2d_with(family, &x, input, &packed, extras, &mut out);
                    let expected = plain::winograd(&x, input, &w, [outputs, inputs], precision, extras);
                    let what = format!("{family} {precision:?} {input:?} {outputs}x{inputs}, upsample {upsample}");
                    assert_close(&out, &expected, 4.0 * summed(inputs * 9), &what);
                    let exact = plain::conv2d(&x, input, &w, [outputs, inputs, 3, 3], Precision::F32, extras);
                    if precision == Precision::F32 {
                        assert_close(&out, &exact, 4.0 * summed(inputs * 9), &what);
                    } else {
                        let direct = plain::conv2d(&x, input, &w, [outputs, inputs, 3, 3], precision, extras);
                        let off = |values: &[f32]| -> f64 {
                            values.iter().zip(&exact).map(|(a, e)| f64::from(a - e).powi(2)).sum::<f64>().sqrt()
                        };
                        let times = off(&out) / off(&direct);
                        assert!(times < 3.0, "{what}: bf16 is {times:.2} times as far off as with 36 products");
                    }
                }
            }
        }
    }
}

#[test]
fn attention_matches_the_plain_one() {
    let cases = [
        (1, 1, 1, 1, 1),
        (2, 5, 7, 3, 8),
        (1, 50, 300, 2, 40),
        (1, 13, 273, 1, 33),
        (2, 64, 64, 2, 24),
        (1, 3, 257, 1, 600),
        (1, 100, 100, 1, 80),
        (2, 9, 512, 1, 16),
    ];
    for family in families() {
        for precision in PRECISIONS {
            for (batch, queries, keys, heads, head_dim) in cases {
                let shape = AttentionShape { batch, queries, keys, heads, head_dim };
                let q = noise(1, batch * queries * heads * head_dim);
                let k: Vec<_> = noise(2, batch * keys * heads * head_dim).iter().map(|x| x * 4.0).collect();
                let v = noise(3, k.len());
                let scale = 1.0 / (head_dim as f32).sqrt();
                let most = if precision == Precision::F32 { 2e-6 } else { 4e-3 };
                for causal in [false, true] {
                    let mut out = vec![f32::NAN; q.len()];
                    attention_with(family, &q, &k, &v, shape, scale, causal, precision, &mut out);
                    let expected = plain::attention(&q, &k, &v, shape, scale, causal, precision);
                    assert_close(&out, &expected, most, &format!("{family} {precision:?} {shape:?} causal {causal}"));
                }
                let mut probs = vec![f32::NAN; batch * heads * queries * keys];
                attention_probs_with(family, &q, &k, shape, scale, precision, &mut probs);
                let expected = plain::attention_probs(&q, &k, shape, scale, false, precision);
                assert_close(&probs, &expected, 2e-6, &format!("maps, {family} {precision:?} {shape:?}"));
                let mut out = vec![f32::NAN; q.len()];
                apply_probs_with(family, &expected, &v, shape, precision, &mut out);
                let applied = plain::apply_probs(&expected, &v, shape, precision);
                assert_close(&out, &applied, 2e-6, &format!("maps times values, {family} {precision:?} {shape:?}"));
            }
        }
    }
}

#[test]
fn norms_match_the_plain_ones_even_far_from_zero() {
    for family in families() {
        for (batch, pixels, channels, groups) in
            [(1, 1, 1, 1), (2, 5, 8, 4), (3, 130, 96, 32), (2, 64, 33, 3), (1, 200, 70, 7)]
        {
            for mean in [0.0, 100.0] {
                let x: Vec<_> = noise(1, batch * pixels * channels).iter().map(|x| x * 3.0 + mean).collect();
                let (gamma, beta) = (noise(2, channels), noise(3, channels));
                // x * scale + shift cancels `mean / deviation` of its digits, in PyTorch as well.
                let most = if mean == 0.0 { 1e-6 } else { 1e-5 };
                for silu in [false, true] {
                    let mut out = vec![f32::NAN; x.len()];
                    let shape = GroupShape { batch, pixels, channels, groups };
                    group_norm_with(family, Some(&x), shape, 1e-5, &gamma, &beta, silu, &mut out);
                    let expected = plain::group_norm(&x, batch, pixels, channels, groups, 1e-5, &gamma, &beta, silu);
                    if batch * pixels * channels > 1 {
                        assert_close(&out, &expected, most, &format!("{family} {batch} {pixels} {channels} {groups}"));
                    }
                }
                let mut out = vec![f32::NAN; x.len()];
                layer_norm_with(family, &x, batch * pixels, channels, 1e-5, &gamma, &beta, &mut out);
                let expected = plain::layer_norm(&x, channels, 1e-5, &gamma, &beta);
                if channels > 1 {
                    assert_close(&out, &expected, most, &format!("{family}, rows of {channels}"));
                }
            }
        }
    }
}

/// The error relative to `expected`, or to 1e-30 if that is smaller still.
fn relative(actual: f32, expected: f32) -> f32 {
    (actual - expected).abs() / expected.abs().max(1e-30)
}

#[test]
fn activations_are_right_to_a_few_units_in_the_last_place_everywhere() {
    let x: Vec<f32> =
        (-140_000..=140_000).map(|i| i as f32 * 1e-3 * 0.9).chain([1e-30, -1e-30, 0.0, -0.0, 3e38]).collect();
    for family in families() {
        // Without fused products, the square in the bell curve's exponent loses digits far out.
        let gelu = if family == Family::Plain { 1e-5 } else { 1e-6 };
        for (activation, twin, most) in [
            (Activation::Silu, plain::silu as fn(f32) -> f32, 5e-7),
            (Activation::Gelu, plain::gelu, gelu),
            // 1.702 x is rounded before it becomes an exponent.
            (Activation::QuickGelu, plain::quick_gelu, 1e-5),
            (Activation::Relu, plain::relu, 0.0),
        ] {
            let mut out = x.clone();
            activate_with(family, activation, &mut out);
            for (&x, &y) in x.iter().zip(&out) {
                let gap = relative(y, twin(x));
                assert!(gap <= most, "{family} {activation:?} of {x} is {y}, expected {}: off by {gap:.2e}", twin(x));
            }
        }
    }
}

#[test]
fn exponentials_are_right_to_two_units_in_the_last_place() {
    for family in families() {
        // The softmax of (0, x) for very negative x is (1, e^x).
        for i in 170..1000 {
            let x = -(i as f32) * 0.1;
            let mut row = [0.0, x];
            softmax_rows_with(family, &mut row, 1, 2);
            let expected = f64::from(x).exp();
            let gap = (f64::from(row[1]) - expected).abs() / expected.max(f64::from(f32::MIN_POSITIVE));
            assert!(gap <= 2.4e-7, "{family} e^{x} is {}, expected {expected}: off by {gap:.2e}", row[1]);
        }
    }
}

#[test]
fn softmax_and_geglu_match_the_plain_ones() {
    for family in families() {
        for cols in [1, 2, 15, 16, 17, 77, 300] {
            let x: Vec<_> = noise(cols as u64, 5 * cols).iter().map(|x| x * 20.0).collect();
            let mut out = x.clone();
            softmax_rows_with(family, &mut out, 5, cols);
            let expected: Vec<_> = x.chunks_exact(cols).flat_map(plain::softmax).collect();
            assert_close(&out, &expected, 1e-6, &format!("{family}, rows of {cols}"));
            let x = noise(1, 6 * cols);
            let mut out = vec![f32::NAN; 3 * cols];
            geglu_with(family, &x, 3, cols, &mut out);
            assert_close(&out, &plain::geglu(&x, cols), 1e-6, &format!("{family}, {cols} channels"));
        }
    }
}
