//! Prints how fast the kernels are, beside the peak of a loop that stays in registers.
//!
//! `cargo run --release -p wordbrush-kernels --example speed [threads] [what]`, where `what` is a part of a line's name.
#![allow(clippy::print_stdout, reason = "this is a program")]

use std::time::Instant;

use wordbrush_kernels::{
    Activation, AttentionShape, ConvExtras, ConvInput, GroupShape, PackedConv, PackedGeglu, PackedWeights, Precision,
    apply_probs, attention, attention_probs, conv2d, family, geglu, gemm, gemm_geglu, group_norm, layer_norm,
    on_threads, register_peak, silu,
};

/// Numbers that look random.
fn noise(len: usize) -> Vec<f32> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / 8_388_608.0 - 1.0
        })
        .collect()
}

/// Seconds that this thread has run, where the system tells; waiting for a busy machine is not counted.
fn running_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(text.split_whitespace().next()?.parse::<f64>().ok()? / 1e9)
}

/// Seconds of one run of `work`, from several over about a quarter of a second: the least by the
/// clock or, on one thread, the mean that the thread ran, whichever is less.
fn fastest(threads: usize, mut work: impl FnMut()) -> f64 {
    work();
    let (start, ran) = (Instant::now(), running_seconds());
    let mut best = f64::INFINITY;
    let mut runs = 0;
    while runs < 5 || start.elapsed().as_secs_f64() < 0.25 {
        let begin = Instant::now();
        work();
        best = best.min(begin.elapsed().as_secs_f64());
        runs += 1;
    }
    match running_seconds().zip(ran) {
        Some((after, before)) if threads == 1 => best.min((after - before) / f64::from(runs)),
        _ => best,
    }
}

struct Bench {
    threads: usize,
    only: String,
}

impl Bench {
    /// GFLOP/s of all threads together, in registers.
    fn peak(&self, precision: Precision) -> f64 {
        let rounds = 400_000;
        let mut operations = 0.0;
        let seconds = fastest(1, || operations = register_peak(precision, rounds));
        operations / seconds / 1e9 * self.threads as f64
    }

    /// Measures one piece of work of `operations`, each time beside a fresh peak, since clocks change.
    fn product(&self, name: &str, precision: Precision, operations: f64, work: impl FnMut()) {
        let name = format!("{name} {precision:?}").to_lowercase();
        if !name.contains(&self.only) {
            return;
        }
        let peak = self.peak(precision);
        let seconds = fastest(self.threads, work);
        let speed = operations / seconds / 1e9;
        println!(
            "{name:<44} {:>9.1} us {speed:>7.1} GFLOP/s {:>4.0} % of {peak:.0}",
            seconds * 1e6,
            speed / peak * 100.0
        );
    }

    fn pass(&self, name: &str, bytes: f64, work: impl FnMut()) {
        if name.contains(&self.only) {
            let seconds = fastest(self.threads, work);
            println!("{name:<44} {:>9.1} us {:>7.1} GB/s", seconds * 1e6, bytes / seconds / 1e9);
        }
    }
}

fn products(bench: &Bench, precision: Precision) {
    for (m, n, k) in [
        (4096, 320, 2880),
        (1024, 640, 5760),
        (4096, 2560, 320),
        (8192, 320, 320),
        (2048, 640, 640),
        (512, 1280, 1280),
        (128, 1280, 11520),
        (512, 96, 96),
        (512, 192, 192),
        (256, 768, 96),
        (256, 192, 192),
        (128, 384, 384),
        (64, 192, 768),
        (32, 384, 384),
        (16, 384, 1536),
        (64, 256, 2304),
        (2, 1280, 1280),
        (2, 384, 384),
    ] {
        let (a, w) = (noise(m * k), noise(n * k));
        let packed = PackedWeights::new(&w, n, k, precision);
        let mut out = vec![0.0; m * n];
        bench.product(&format!("gemm {m} x {n} x {k}"), precision, 2.0 * (m * n * k) as f64, || {
            gemm(&a, m, &packed, None, Activation::None, None, &mut out);
        });
    }
    for (m, channels, k) in [(8192, 1280, 320), (2048, 2560, 640), (512, 384, 96), (128, 768, 192)] {
        let (a, w) = (noise(m * k), noise(2 * channels * k));
        let packed = PackedGeglu::new(&w, channels, k, precision);
        let mut out = vec![0.0; m * channels];
        let bias = noise(2 * channels);
        bench.product(
            &format!("gemm geglu {m} x {channels} x {k}"),
            precision,
            4.0 * (m * channels * k) as f64,
            || {
                gemm_geglu(&a, m, &packed, Some(&bias), &mut out);
            },
        );
        let packed = PackedWeights::new(&w, 2 * channels, k, precision);
        let mut wide = vec![0.0; 2 * m * channels];
        bench.product(
            &format!("gemm then geglu {m} x {channels} x {k}"),
            precision,
            4.0 * (m * channels * k) as f64,
            || {
                gemm(&a, m, &packed, Some(&bias), Activation::None, None, &mut wide);
                geglu(&wide, m, channels, &mut out);
            },
        );
    }
    for (batch, side, inputs, outputs, upsample) in [
        (2, 64, 320, 320, false),
        (2, 64, 960, 320, false),
        (2, 32, 640, 640, false),
        (2, 32, 640, 640, true),
        (2, 16, 1280, 1280, false),
        (2, 8, 1280, 1280, false),
        (2, 64, 4, 320, false),
        (2, 64, 320, 4, false),
        (1, 256, 128, 128, false),
        (2, 16, 96, 96, false),
        (2, 16, 192, 96, false),
        (2, 8, 192, 192, false),
        (2, 8, 192, 192, true),
        (2, 4, 288, 288, false),
    ] {
        let x = noise(batch * side * side * inputs);
        let weight = noise(outputs * inputs * 9);
        let input = ConvInput::new(batch, side, side).pad(1).upsample(upsample);
        let (height, width) = input.output(3, 3);
        let mut out = vec![0.0; batch * height * width * outputs];
        let bias = noise(outputs);
        let extras = ConvExtras { bias: Some(&bias), ..ConvExtras::default() };
        // Of the direct sum, so that both say how fast they come to the same result.
        let operations = 2.0 * (out.len() * inputs * 9) as f64;
        let what = format!("{batch}x{side}x{side} {inputs} -> {outputs}{}", if upsample { " enlarged" } else { "" });
        let packed = PackedConv::new(&weight, outputs, inputs, 3, 3, precision);
        bench.product(&format!("conv {what}"), precision, operations, || conv2d(&x, input, &packed, extras, &mut out));
        let packed = PackedConv::winograd(&weight, outputs, inputs, upsample, precision);
        bench.product(&format!("Winograd {what}"), precision, operations, || {
            conv2d(&x, input, &packed, extras, &mut out);
        });
    }
    for (batch, pixels, heads, head_dim) in
        [(2, 4096, 8, 40), (2, 1024, 8, 80), (2, 256, 8, 160), (1, 4096, 1, 512), (2, 256, 4, 24), (2, 64, 6, 32)]
    {
        let shape = AttentionShape { batch, queries: pixels, keys: pixels, heads, head_dim };
        let (q, k, v) = (
            noise(batch * pixels * heads * head_dim),
            noise(batch * pixels * heads * head_dim),
            noise(batch * pixels * heads * head_dim),
        );
        let mut out = vec![0.0; q.len()];
        let operations = 4.0 * (q.len() * pixels) as f64;
        bench.product(&format!("attention {batch}x{pixels} {heads}x{head_dim}"), precision, operations, || {
            attention(&q, &k, &v, shape, 0.2, false, precision, &mut out);
        });
    }
    for (batch, queries, keys, heads, head_dim) in
        [(2, 4096, 77, 8, 40), (2, 1024, 77, 8, 80), (2, 256, 32, 4, 24), (2, 64, 32, 6, 32)]
    {
        let shape = AttentionShape { batch, queries, keys, heads, head_dim };
        let q = noise(batch * queries * heads * head_dim);
        let k = noise(batch * keys * heads * head_dim);
        let mut out = vec![0.0; q.len()];
        let mut probs = vec![0.0; batch * heads * queries * keys];
        let operations = 2.0 * (q.len() * keys) as f64;
        bench.product(&format!("maps {batch}x{queries}x{keys} {heads}x{head_dim}"), precision, operations, || {
            attention_probs(&q, &k, shape, 0.2, precision, &mut probs);
        });
        bench.product(
            &format!("maps times values {batch}x{queries}x{keys} {heads}x{head_dim}"),
            precision,
            operations,
            || {
                apply_probs(&probs, &k, shape, precision, &mut out);
            },
        );
    }
}

fn passes(bench: &Bench) {
    for (batch, pixels, channels) in [(2, 4096, 320), (2, 1024, 640), (2, 256, 96), (2, 64, 192)] {
        let x = noise(batch * pixels * channels);
        let mut out = vec![0.0; x.len()];
        let gamma = noise(channels);
        let bytes = (x.len() * 8) as f64;
        bench.pass(&format!("group norm, silu {batch}x{pixels}x{channels}"), bytes, || {
            let shape = GroupShape { batch, pixels, channels, groups: 32 };
            group_norm(Some(&x), shape, 1e-5, &gamma, &gamma, true, &mut out);
        });
        bench.pass(&format!("layer norm {batch}x{pixels}x{channels}"), bytes, || {
            layer_norm(&x, batch * pixels, channels, 1e-5, &gamma, &gamma, &mut out);
        });
        bench.pass(&format!("silu {batch}x{pixels}x{channels}"), bytes, || {
            silu(&mut out);
        });
        let wide = noise(x.len() * 8);
        let mut out = vec![0.0; x.len() * 4];
        bench.pass(&format!("geglu {batch}x{pixels}x{}", channels * 4), (x.len() * 48) as f64, || {
            geglu(&wide, batch * pixels, channels * 4, &mut out);
        });
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let threads = arguments.next().and_then(|word| word.parse().ok()).unwrap_or(1);
    let bench = Bench { threads, only: arguments.next().unwrap_or_default() };
    println!("kernels {}, {threads} threads", family());
    on_threads(threads, || {
        products(&bench, Precision::F32);
        products(&bench, Precision::Bf16);
        passes(&bench);
    });
}
