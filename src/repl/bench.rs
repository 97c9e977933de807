//! `wordbrush bench`: what this machine takes for a step, a turn, a picture.

use std::cell::Cell;
use std::io::Write;
use std::ops::ControlFlow;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use wordbrush_kernels as kernels;

use super::command_line::Args;
use super::{json as lines, root_edit};
use crate::attention::Untouched;
use crate::engine::layers::Backend;
use crate::engine::unet::{Call, Condition};
use crate::engine::{Engine, Guidance, noise};
use crate::model::random::Random;
use crate::model::{self, ModelSource};
use crate::plan::device::DeviceName;
use crate::plan::settings::{Precision, Settings, name_of};
use crate::session::file::Hinted;
use crate::session::model::{computed_in, default_precision};
use crate::session::{Options, Session};
use crate::store::Limits;
use crate::study::measured::peak_mb;
use crate::turn::Turn;

/// What can be measured.
pub(super) const WHAT: [&str; 7] = ["step", "turn_cold", "turn_cached", "decode", "prompt", "first_picture", "gemm"];

/// What is no measurement of a device without them.
const KERNELS_ALONE: &str = "gemm";

/// What is measured of other models than the embedded one. Their turns have few steps, and decoding is not counted in them.
const LARGE: [&str; 4] = ["step", "turn_cold", "turn_cached", "decode"];

struct Bench<'a> {
    model: &'a str,
    /// The name that it is found by.
    named: String,
    /// Steps of a turn, where they are given.
    steps: Option<usize>,
    precision: Precision,
    device: DeviceName,
    runs: usize,
    json: bool,
}

/// Runs the measurements that the arguments name.
///
/// # Errors
/// Fails if an argument is unknown or a measurement cannot be made.
pub fn bench(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let only = args.value("only");
    let model = args.value("model").unwrap_or("embedded");
    let named = if model == "sd15" { Random::Sd15.name() } else { model.to_owned() };
    let device = args.device()?;
    let precision = match args.value("precision") {
        None => default_precision(device),
        Some("bf16") => Precision::Bf16,
        Some(_) => Precision::F32,
    };
    let runs = args.get::<u64>("runs").map_or(5, |runs| *runs as usize);
    // What is said of a measurement is what was measured.
    let precision = computed_in(device, precision);
    let steps = args.get::<u64>("steps").map(|steps| *steps as usize);
    let bench = Bench { model, named, steps, precision, device, runs, json: args.has("json") };
    if !bench.json {
        writeln!(
            out,
            "wordbrush {} · {} threads · kernels {} · on {device}",
            env!("CARGO_PKG_VERSION"),
            kernels::threads(),
            kernels::family().name()
        )?;
    }
    let all = if model::is_embedded(model) { &WHAT[..] } else { &LARGE[..] };
    let fits = |what: &str| what != KERNELS_ALONE || device.has_kernels();
    for what in all.iter().filter(|w| only.map_or(fits(w), |o| o == **w && fits(o))) {
        bench.measure(what, out)?;
    }
    if let Some(what) = only.filter(|w| !fits(w)) {
        return Err(Hinted::new(format!("`{what}` measures the processor's kernels"), "leave out --device").into());
    }
    if let Some(what) = only.filter(|w| !all.contains(w)) {
        return Err(
            Hinted::new(format!("`{what}` is measured on the embedded model alone"), "leave out --model").into()
        );
    }
    Ok(ExitCode::SUCCESS)
}

impl Bench<'_> {
    fn engine(&self) -> Result<Engine> {
        let backend = Backend::on(self.device, self.precision)?;
        Engine::load(&*model::find(&self.named)?, &backend)
    }

    fn measure(&self, what: &str, out: &mut dyn Write) -> Result<()> {
        let (mut seconds, extra) = match what {
            "step" => self.step()?,
            "decode" => self.decode()?,
            "turn_cold" | "turn_cached" => self.turns(what == "turn_cold")?,
            // A conversation on an empty pipe: up to its first prompt, and out again.
            "prompt" => self.start(&[], "")?,
            "first_picture" => self.start(&["run", "-"], "a cat on a beach\n")?,
            _ => self.gemm()?,
        };
        seconds.sort_by(f64::total_cmp);
        let median = seconds[seconds.len() / 2];
        let mut line = json!({
            "what": what, "model": self.model, "precision": name_of(&self.precision), "kernels": kernels::family().name(),
            "threads": kernels::threads(), "device": self.device.to_string(),
            "seconds": median, "min": seconds[0], "max": seconds[seconds.len() - 1], "runs": seconds.len(), "peak_mb": peak_mb(),
        });
        if let (Some(line), Value::Object(extra)) = (line.as_object_mut(), extra) {
            line.extend(extra);
        }
        if self.json {
            writeln!(out, "{}", lines::written(&line))?;
        } else {
            let peak = peak_mb().map_or(String::new(), |m| format!(" · peak {m} MB"));
            let rate = line.get("gflops").and_then(Value::as_f64).zip(line["peak_gflops_one_core"].as_f64());
            let rate = rate.map_or(String::new(), |(all, one)| {
                format!(" · {all:.0} GFLOP/s on {} threads, {one:.0} at most on one", kernels::threads())
            });
            writeln!(
                out,
                "  {what:<14} {:<9} {:<5} {median:.4} s (of {}: {:.4} to {:.4}){rate}{peak}",
                self.model,
                name_of(&self.precision),
                seconds.len(),
                seconds[0],
                seconds[seconds.len() - 1]
            )?;
        }
        Ok(out.flush()?)
    }

    /// One UNet call on batch 2.
    fn step(&self) -> Result<(Vec<f64>, Value)> {
        let engine = self.engine()?;
        let side = engine.spec().unet.sample_size;
        let (channels, width) = (engine.spec().unet.in_channels, engine.spec().unet.context);
        let tokens = engine.reader().vocabulary().marks().length;
        let device = engine.backend().device();
        let latents = candle_core::Tensor::from_vec(
            noise::normal(1, 2 * side * side * channels),
            (2, side, side, channels),
            device,
        )?;
        let text = candle_core::Tensor::from_vec(noise::normal(2, 2 * tokens * width), (2, tokens, width), device)?;
        let text = engine.unet().prepare(&Condition { text, added: None })?;
        let seconds = self.times(|| {
            let mut control = Untouched;
            let call = Call {
                step: 0,
                level: 501.0,
                shown: true,
                guidance: engine.spec().unet.guidance_embedding.map(|_| 8.0),
                map_precision: Precision::F16,
                control: &mut control,
            };
            engine.unet().forward(&latents, &text, call)?;
            // A GPU answers before it is done.
            Ok(device.synchronize()?)
        })?;
        Ok((seconds, json!({"size": side * engine.spec().vae.factor(), "batch": 2, "steps": 1})))
    }

    fn decode(&self) -> Result<(Vec<f64>, Value)> {
        let engine = self.engine()?;
        let size = engine.spec().usual_size();
        let latent = engine.noise(1, size)?;
        let seconds = self.times(|| engine.decode(&latent).map(|_| ()))?;
        Ok((seconds, json!({"size": size.0, "batch": 1, "steps": 0})))
    }

    /// A whole word swap with its decoding, with the parent's maps at hand or computed again: 30 steps. Of other models
    /// four steps, without decoding, unless steps are given.
    fn turns(&self, cold: bool) -> Result<(Vec<f64>, Value)> {
        let is_embedded = model::is_embedded(self.model);
        let decoded = is_embedded || self.steps.is_some();
        let steps = self.steps.unwrap_or(if is_embedded { 30 } else { 4 });
        let overrides: Vec<(String, String)> = [
            ("precision", name_of(&self.precision)),
            ("steps", steps.to_string()),
            ("device", self.device.to_string()),
            ("model", self.named.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let mut session = Session::open(Options {
            home: super::batch::home(),
            path: None,
            read_only: false,
            settings: Settings::default(),
            overrides,
            limits: Limits { ram: 1 << 30, disk: 0 },
        })?;
        let last_step = Cell::new(Instant::now());
        let mut go = |_: usize, _: &candle_core::Tensor| {
            last_step.set(Instant::now());
            ControlFlow::Continue(())
        };
        session.edit("", &root_edit("a woman's face with long wavy blond hair"), &mut go)?;
        let root = session.resolve(None)?;
        let words = ["red", "black", "brown", "pink", "blue", "white", "green", "purple", "grey"];
        let mut seconds = Vec::new();
        for i in 0..=self.runs {
            // Each run another word, or another window: an edit that exists already would not be drawn again.
            session.set("self", &format!("{}", 0.4 - 0.000_1 * (i / words.len()) as f64))?;
            let line = format!("blond -> {}", words[i % words.len()]);
            let Turn::Edit(edit) = session.read(&line)? else { anyhow::bail!("BUG: a swap is no edit") };
            if cold {
                session.forget();
            }
            let begun = Instant::now();
            session.edit(&line, &edit, &mut go)?;
            let end = if decoded { Instant::now() } else { last_step.get() };
            if i > 0 {
                seconds.push((end - begun).as_secs_f64());
            }
            let event = session.tree().go(&format!("#{root}"))?;
            session.go(event)?;
        }
        let recipe = &session.tree()[root].recipe;
        let (size, batch) = (recipe.width, Guidance::of_recipe(recipe).evaluations());
        Ok((seconds, json!({"size": size, "batch": batch, "steps": steps, "decoded": decoded})))
    }

    /// Runs this program anew, to its end.
    fn start(&self, words: &[&str], input: &str) -> Result<(Vec<f64>, Value)> {
        let program = std::env::current_exe()?;
        let seconds = self.times(|| {
            let mut child = Command::new(&program)
                .args(words)
                .args(["--set", &format!("precision={}", name_of(&self.precision))])
                .args(["--device", &self.device.to_string()])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()
                .context("cannot start this program anew")?;
            if let Some(stdin) = &mut child.stdin {
                stdin.write_all(input.as_bytes())?;
            }
            child.wait()?;
            Ok(())
        })?;
        Ok((seconds, json!({"size": 128, "batch": 2, "steps": if input.is_empty() { 0 } else { 30 }})))
    }

    /// The largest shapes of Stable Diffusion 1.5's UNet, beside the peak of a loop that stays in registers.
    fn gemm(&self) -> Result<(Vec<f64>, Value)> {
        let precision =
            if self.precision == Precision::Bf16 { kernels::Precision::Bf16 } else { kernels::Precision::F32 };
        let (m, n, k) = (4096, 320, 2880);
        let packed = kernels::PackedWeights::new(&noise::normal(1, n * k), n, k, precision);
        let a = noise::normal(2, m * k);
        let mut c = vec![0.0f32; m * n];
        let seconds = self.times(|| {
            kernels::gemm(&a, m, &packed, None, kernels::Activation::None, None, &mut c);
            Ok(())
        })?;
        let begun = Instant::now();
        let operations = kernels::register_peak(precision, 4_000_000);
        let peak = operations / begun.elapsed().as_secs_f64() / 1e9;
        let best = seconds.iter().copied().fold(f64::INFINITY, f64::min);
        let gflops = 2.0 * (m * n * k) as f64 / best / 1e9;
        Ok((seconds, json!({"size": 512, "batch": 2, "steps": 0, "gflops": gflops, "peak_gflops_one_core": peak})))
    }

    /// Times one call after another, after one that does not count.
    fn times(&self, mut call: impl FnMut() -> Result<()>) -> Result<Vec<f64>> {
        call()?;
        (0..self.runs)
            .map(|_| {
                let begun = Instant::now();
                call()?;
                Ok(begun.elapsed().as_secs_f64())
            })
            .collect()
    }
}
