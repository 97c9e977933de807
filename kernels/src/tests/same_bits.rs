//! The promise of this crate: the same bits alone and in a batch, on one thread and on several,
//! wherever in a tile.

use super::{assert_same_bits, families, noise};
use crate::attention::{AttentionShape, attention_with};
use crate::conv::{ConvExtras, ConvInput, PackedConv, conv2d_with};
use crate::family::Family;
use crate::geglu::{PackedGeglu, gemm_geglu_with};
use crate::linear::gemm_with;
use crate::maps::{apply_probs_with, attention_probs_with};
use crate::math::Activation;
use crate::norm::{GroupShape, GroupSums, group_norm_with, layer_norm_with};
use crate::on_threads;
use crate::panels::{PackedWeights, Precision};
use crate::pointwise::{activate_with, geglu_with};

const PRECISIONS: [Precision; 2] = [Precision::F32, Precision::Bf16];

fn product(family: Family, precision: Precision, a: &[f32], w: &[f32], n: usize, k: usize) -> Vec<f32> {
    let m = a.len() / k;
    let mut out = vec![f32::NAN; m * n];
    let packed = PackedWeights::new(w, n, k, precision);
    gemm_with(family, a, m, &packed, None, Activation::Silu, None, &mut out);
    out
}

#[test]
fn a_row_gives_the_same_bits_among_any_number_of_rows() {
    for family in families() {
        for precision in PRECISIONS {
            for (n, k) in [(37, 70), (96, 530)] {
                let (a, w) = (noise(1, 300 * k), noise(2, n * k));
                let whole = product(family, precision, &a, &w, n, k);
                for m in (1..=70).chain([97, 191, 300]) {
                    let first = (300 - m) / 2;
                    let part = product(family, precision, &a[first * k..][..m * k], &w, n, k);
                    assert_same_bits(&part, &whole[first * n..][..m * n], &format!("{family} {precision:?} {m} rows"));
                }
            }
        }
    }
}

#[test]
fn a_column_gives_the_same_bits_among_any_number_of_columns() {
    for family in families() {
        for precision in PRECISIONS {
            let (m, k) = (19, 611);
            let (a, w) = (noise(1, m * k), noise(2, 130 * k));
            let whole = product(family, precision, &a, &w, 130, k);
            for n in 1..130 {
                let part = product(family, precision, &a, &w[..n * k], n, k);
                for (part, whole) in part.chunks_exact(n).zip(whole.chunks_exact(130)) {
                    assert_same_bits(part, &whole[..n], &format!("{family} {precision:?} {n} columns"));
                }
            }
        }
    }
}

#[test]
fn threads_do_not_change_a_bit_of_a_product() {
    for family in families() {
        for precision in PRECISIONS {
            for (m, n, k) in [(3, 1000, 300), (64, 96, 700), (256, 192, 192), (1000, 50, 64)] {
                let (a, w) = (noise(1, m * k), noise(2, n * k));
                let alone = on_threads(1, || product(family, precision, &a, &w, n, k));
                for threads in [2, 3, 8] {
                    let together = on_threads(threads, || product(family, precision, &a, &w, n, k));
                    assert_same_bits(
                        &together,
                        &alone,
                        &format!("{family} {precision:?} {m}x{n}x{k}, {threads} threads"),
                    );
                }
            }
        }
    }
}

#[test]
fn a_fused_geglu_gives_the_bits_of_its_two_steps() {
    for family in families() {
        for precision in PRECISIONS {
            for (m, channels, k) in [(1, 1, 1), (5, 40, 70), (130, 96, 1100), (33, 64, 600)] {
                let (a, w) = (noise(1, m * k), noise(2, 2 * channels * k));
                let bias = noise(3, 2 * channels);
                for bias in [None, Some(&bias[..])] {
                    let mut wide = vec![f32::NAN; m * 2 * channels];
                    let packed = PackedWeights::new(&w, 2 * channels, k, precision);
                    gemm_with(family, &a, m, &packed, bias, Activation::None, None, &mut wide);
                    let mut expected = vec![f32::NAN; m * channels];
                    geglu_with(family, &wide, m, channels, &mut expected);
                    let packed = PackedGeglu::new(&w, channels, k, precision);
                    for threads in [1, 2, 3] {
                        let mut out = vec![f32::NAN; m * channels];
                        on_threads(threads, || {
                            gemm_geglu_with(family, &a, m, &packed, bias, &mut out);
                        });
                        let what = format!("{family} {precision:?} {m}x{channels}x{k}, {threads} threads");
                        assert_same_bits(&out, &expected, &what);
                    }
                }
            }
        }
    }
}

/// Runs `kernel` on batches of one, two and three samples and on several threads; `kernel` gets the
/// batch and its input.
fn check_batches(what: &str, sample: usize, kernel: impl Fn(usize, &[f32]) -> Vec<f32> + Sync) {
    let x = noise(11, 3 * sample);
    let whole = on_threads(1, || kernel(3, &x));
    let out = whole.len() / 3;
    for threads in [1, 2, 5] {
        for batch in 1..=3 {
            for first in 0..=3 - batch {
                let part = on_threads(threads, || kernel(batch, &x[first * sample..][..batch * sample]));
                let what = format!("{what}: {batch} of 3 from {first}, {threads} threads");
                assert_same_bits(&part, &whole[first * out..][..batch * out], &what);
            }
        }
    }
}

#[test]
fn a_picture_convolves_to_the_same_bits_alone_and_in_a_batch() {
    for family in families() {
        for precision in PRECISIONS {
            for (height, width, inputs, outputs, upsample, stride) in [
                (16, 16, 20, 40, false, 1),
                (9, 7, 61, 33, true, 1),
                (17, 13, 4, 16, false, 2),
                (21, 18, 1030, 35, false, 1),
            ] {
                let w = noise(2, outputs * inputs * 9);
                let bias = noise(3, outputs);
                let mut forms = vec![PackedConv::new(&w, outputs, inputs, 3, 3, precision)];
                if stride == 1 {
                    forms.push(PackedConv::winograd(&w, outputs, inputs, false, precision));
                    forms.push(PackedConv::winograd(&w, outputs, inputs, upsample, precision));
                }
                for (form, packed) in forms.iter().enumerate() {
                    check_batches(&format!("{family} {precision:?} {form}"), height * width * inputs, |batch, x| {
                        let input = ConvInput::new(batch, height, width).pad(1).upsample(upsample).stride(stride);
                        let (out_height, out_width) = input.output(3, 3);
                        let mut out = vec![f32::NAN; batch * out_height * out_width * outputs];
                        let extras = ConvExtras { bias: Some(&bias), ..ConvExtras::default() };
                        conv2d_with(family, x, input, packed, extras, &mut out);
                        out
                    });
                }
            }
        }
    }
}

#[test]
fn rows_of_an_output_have_the_bits_that_they_have_among_all_rows() {
    for family in families() {
        for precision in PRECISIONS {
            let (height, width, inputs, outputs) = (13, 9, 37, 35);
            let (x, w) = (noise(1, 2 * height * width * inputs), noise(2, outputs * inputs * 9));
            for (upsample, stride, winograd) in
                [(false, 1, false), (false, 2, false), (true, 1, false), (false, 1, true), (true, 1, true)]
            {
                let packed = if winograd {
                    PackedConv::winograd(&w, outputs, inputs, upsample, precision)
                } else {
                    PackedConv::new(&w, outputs, inputs, 3, 3, precision)
                };
                let input = ConvInput::new(2, height, width).pad(1).upsample(upsample).stride(stride);
                let (down, across) = input.output(3, 3);
                let picture = down * across * outputs;
                let run = |input: ConvInput, rows: usize, residual: &[f32]| {
                    let mut out = vec![f32::NAN; 2 * rows * across * outputs];
                    let extras = ConvExtras { residual: Some(residual), ..ConvExtras::default() };
                    conv2d_with(family, &x, input, &packed, extras, &mut out);
                    out
                };
                let residual = noise(3, 2 * picture);
                let whole = run(input, down, &residual);
                for (first, count) in [(0, down), (0, 1), (2, 3), (4, down - 4), (down - down % 2, down % 2)] {
                    let cut = |values: &[f32]| -> Vec<f32> {
                        let rows = first * across * outputs..(first + count) * across * outputs;
                        values.chunks_exact(picture).flat_map(|picture| &picture[rows.clone()]).copied().collect()
                    };
                    let some = run(input.rows(first, count), count, &cut(&residual));
                    let what = format!("{family} {precision:?} {upsample} {stride} {winograd}: {count} from {first}");
                    assert_same_bits(&some, &cut(&whole), &what);
                }
            }
        }
    }
}

#[test]
fn a_picture_in_pieces_is_normalised_to_the_bits_that_it_has_as_a_whole() {
    for family in families() {
        let (pixels, channels, groups) = (64 * 5 + 17, 70, 7);
        let (x, gamma, beta) = (noise(1, pixels * channels), noise(2, channels), noise(3, channels));
        let mut whole = vec![f32::NAN; x.len()];
        let shape = GroupShape { batch: 1, pixels, channels, groups };
        group_norm_with(family, Some(&x), shape, 1e-5, &gamma, &beta, true, &mut whole);
        for rows in [64, 128, 320] {
            let mut sums = GroupSums::new(1, channels, groups);
            x.chunks(rows * channels).for_each(|piece| sums.add_with(family, piece));
            let mut out = x.clone();
            for piece in out.chunks_mut(rows * channels) {
                sums.normalise_with(family, None, 1e-5, &gamma, &beta, true, piece);
            }
            assert_same_bits(&out, &whole, &format!("{family} pieces of {rows}"));
        }
    }
}

#[test]
fn a_sample_attends_to_the_same_bits_alone_and_in_a_batch() {
    for family in families() {
        for precision in PRECISIONS {
            for (queries, keys, heads, head_dim, causal) in [
                (256, 256, 2, 24, false),
                (130, 300, 3, 40, false),
                (77, 77, 2, 64, true),
                (300, 300, 1, 80, true),
                (200, 32, 1, 16, false),
            ] {
                let channels = heads * head_dim;
                let what = format!("{family} {precision:?} {queries} {keys} {heads} {head_dim}");
                // One sample: queries, then keys, then values.
                let parts = |batch: usize, x: &[f32]| {
                    let sample = x.len() / batch;
                    let cut = |from: usize, len: usize| -> Vec<f32> {
                        x.chunks_exact(sample).flat_map(|x| &x[from..from + len]).copied().collect()
                    };
                    let (q, k) = (queries * channels, keys * channels);
                    (cut(0, q), cut(q, k), cut(q + k, k))
                };
                let sample = (queries + 2 * keys) * channels;
                check_batches(&what, sample, |batch, x| {
                    let (q, k, v) = parts(batch, x);
                    let shape = AttentionShape { batch, queries, keys, heads, head_dim };
                    let mut out = vec![f32::NAN; q.len()];
                    attention_with(family, &q, &k, &v, shape, 0.3, causal, precision, &mut out);
                    out
                });
                check_batches(&what, sample, |batch, x| {
                    let (q, k, v) = parts(batch, x);
                    let shape = AttentionShape { batch, queries, keys, heads, head_dim };
                    let mut probs = vec![f32::NAN; batch * heads * queries * keys];
                    attention_probs_with(family, &q, &k, shape, 0.3, precision, &mut probs);
                    let mut out = vec![f32::NAN; q.len()];
                    apply_probs_with(family, &probs, &v, shape, precision, &mut out);
                    // Both, sample by sample.
                    probs
                        .chunks_exact(probs.len() / batch)
                        .zip(out.chunks_exact(out.len() / batch))
                        .flat_map(|(probs, out)| [probs, out].concat())
                        .collect()
                });
            }
        }
    }
}

#[test]
fn a_query_gives_the_same_bits_among_any_number_of_queries() {
    for family in families() {
        for precision in PRECISIONS {
            let (keys, heads, head_dim) = (290, 2, 24);
            let channels = heads * head_dim;
            let (q, k, v) = (noise(1, 120 * channels), noise(2, keys * channels), noise(3, keys * channels));
            let run = |q: &[f32]| {
                let shape = AttentionShape { batch: 1, queries: q.len() / channels, keys, heads, head_dim };
                let mut out = vec![f32::NAN; q.len()];
                attention_with(family, q, &k, &v, shape, 0.5, false, precision, &mut out);
                out
            };
            let whole = run(&q);
            for queries in 1..70 {
                let first = 120 - queries;
                assert_same_bits(
                    &run(&q[first * channels..]),
                    &whole[first * channels..],
                    &format!("{family} {queries}"),
                );
            }
        }
    }
}

#[test]
fn a_picture_is_normalised_to_the_same_bits_alone_and_in_a_batch() {
    for family in families() {
        for (pixels, channels, groups) in [(256, 96, 32), (131, 70, 7), (16, 33, 3)] {
            let (gamma, beta) = (noise(1, channels), noise(2, channels));
            check_batches(&format!("{family} GroupNorm"), pixels * channels, |batch, x| {
                let mut out = vec![f32::NAN; x.len()];
                let shape = GroupShape { batch, pixels, channels, groups };
                group_norm_with(family, Some(x), shape, 1e-5, &gamma, &beta, true, &mut out);
                let mut over = x.to_vec();
                group_norm_with(family, None, shape, 1e-5, &gamma, &beta, true, &mut over);
                assert_same_bits(&over, &out, "in place");
                out
            });
            check_batches(&format!("{family} LayerNorm"), pixels * channels, |batch, x| {
                let mut out = vec![f32::NAN; x.len()];
                layer_norm_with(family, x, batch * pixels, channels, 1e-5, &gamma, &beta, &mut out);
                out
            });
        }
    }
}

#[test]
fn a_value_is_activated_to_the_same_bits_wherever_it_stands() {
    for family in families() {
        check_batches(&format!("{family} SiLU"), 20_011, |_, x| {
            let mut out = x.to_vec();
            activate_with(family, Activation::Silu, &mut out);
            out
        });
        check_batches(&format!("{family} GEGLU"), 500 * 74, |batch, x| {
            let mut out = vec![f32::NAN; x.len() / 2];
            geglu_with(family, x, batch * 500, 37, &mut out);
            out
        });
    }
}
