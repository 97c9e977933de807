//! A device without our kernels draws what the kernels draw, and what is said of it names it. `plain` stands for every such
//! device: candle's operations, on the processor.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly anywhere")]

mod common;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::{last_latent, say, session};
use tempfile::TempDir;
use wordbrush::measure::psnr;
use wordbrush::plan::device::DeviceName;
use wordbrush::session::{TurnResult, to_image};

const FACE: &str = "a woman's face with long wavy blond hair";

fn on(device: &str, steps: &str) -> wordbrush::session::Session {
    session(&[("device", device), ("precision", "f32"), ("steps", steps), ("seed", "7")])
}

fn bits(turned: &TurnResult) -> Vec<u32> {
    last_latent(turned).iter().map(|x| x.to_bits()).collect()
}

#[test]
fn a_device_without_kernels_draws_the_pictures_of_the_kernels_under_the_same_ids() {
    let lines = [FACE, "blond -> red", "with round glasses", "wavy*2"];
    let [ours, plain] = ["cpu", "plain"].map(|device| {
        let mut session = on(device, "4");
        let turned: Vec<TurnResult> = lines.iter().map(|line| say(&mut session, line)).collect();
        let ids: Vec<_> = session.tree().nodes().iter().map(|node| node.id).collect();
        (turned, ids)
    });
    assert_eq!(ours.1, plain.1, "a device is part of an id");
    for (line, (a, b)) in lines.iter().zip(ours.0.iter().zip(&plain.0)) {
        let gap = last_latent(a).iter().zip(last_latent(b)).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
        assert!(gap <= 5e-3, "`{line}`: latents differ by {gap:.2e}");
        let db = psnr(&to_image(&a.left.picture), &to_image(&b.left.picture)).unwrap();
        assert!(db >= 50.0, "`{line}`: the pictures are {db:.1} dB apart");
        assert_eq!(a.evaluations, b.evaluations, "`{line}`");
    }
}

#[test]
fn a_word_that_comes_back_leads_to_the_very_bits_without_kernels_too() {
    let mut session = on("plain", "5");
    let first = bits(&say(&mut session, FACE));
    say(&mut session, "blond -> red");
    session.forget();
    let back = say(&mut session, "red -> blond");
    assert!(!back.existed);
    assert_eq!(bits(&back), first);
}

#[test]
fn what_was_computed_elsewhere_counts_as_missing_and_the_tree_stays() {
    let mut session = on("cpu", "3");
    say(&mut session, FACE);
    let cost = say(&mut session, "blond -> red").evaluations;
    session.set("device", "plain").unwrap();
    assert_eq!((session.device(), session.tree().len()), (DeviceName::Plain, 2));
    let elsewhere = say(&mut session, "red -> black");
    // Its parents are drawn again before it.
    assert_eq!(elsewhere.evaluations, 3 * cost);
    session.set("device", "plain").unwrap();
    assert_eq!(say(&mut session, "black -> pink").evaluations, cost);
}

/// A home of its own, and the real program run in it.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn program(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wordbrush"));
        command.current_dir(self.0.path()).args(args);
        command.env("WORDBRUSH_HOME", self.at("home")).env("XDG_CONFIG_HOME", self.at("config"));
        command.output().unwrap()
    }

    /// Runs lines in `first.jsonl`; what it wrote.
    #[track_caller]
    fn run(&self, args: &[&str], lines: &[&str]) -> String {
        std::fs::write(self.at("script"), lines.join("\n")).unwrap();
        let output = self.program(&[&["run", "script", "--session", "first.jsonl"], args].concat());
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        said(&output)
    }

    fn file(&self) -> String {
        std::fs::read_to_string(self.at("first.jsonl")).unwrap()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

#[test]
fn a_session_drawn_on_a_device_says_who_drew_it_and_replays_elsewhere_as_alike() {
    let desk = Desk::new();
    let told = desk.run(&["--device", "plain", "--set", "steps=3"], &[FACE, "/about", "/set device"]);
    assert!(told.contains("computes   on plain · candle-plain engine-"), "{told}");
    assert!(told.lines().any(|line| line.starts_with("device ") && line.contains(" plain ")), "{told}");
    let file = desk.file();
    assert!(file.contains("\"candle-plain engine-") && !file.contains("\"device\""), "{file}");
    let replay = |device: &str| said(&desk.program(&["replay", "first.jsonl", "--verify", "--device", device]));
    let same = replay("plain");
    assert!(same.contains("#1 of 1  the same, byte for byte") && same.contains("1 pictures, 0 differ"), "{same}");
    let alike = replay("cpu");
    assert!(alike.contains("by other kernels or on another device (") && alike.contains("0 differ"), "{alike}");
}

#[test]
fn the_config_file_names_a_device_and_the_command_line_another() {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.at("config/wordbrush")).unwrap();
    std::fs::write(desk.at("config/wordbrush/config.toml"), "device = \"plain\"\nsteps = 2\n").unwrap();
    assert!(desk.run(&[], &[FACE, "/about"]).contains("on plain ·"));
    let told = desk.run(&["--device", "cpu"], &["/about", "/set device plain", "/about", "/set device cpu"]);
    let devices: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("computes   on ")).collect();
    assert!(matches!(devices[..], [a, b] if a.starts_with("cpu ·") && b.starts_with("plain ·")), "{told}");
    assert!(told.contains("device = cpu\n"), "{told}");
}

#[test]
fn a_file_that_names_a_device_does_not_say_where_another_machine_computes() {
    let desk = Desk::new();
    desk.run(&["--set", "steps=2"], &[FACE, "/set k .2"]);
    // Made by hand: the program itself writes no such line.
    let file = desk.file();
    let line = file.lines().find(|line| line.contains("\"k\"") && line.contains(".2")).unwrap();
    let other = line.replace("\"k\"", "\"device\"").replace("\".2\"", "\"plain\"");
    std::fs::write(desk.at("first.jsonl"), format!("{file}{other}\n")).unwrap();
    let told = desk.run(&[], &["/about"]);
    assert!(told.contains("computes   on cpu ·"), "{told}");
}

#[test]
fn a_device_that_cannot_be_had_is_told_before_anything_is_drawn() {
    let desk = Desk::new();
    let fails = |args: &[&str], message: &str, hint: &str| {
        let output = desk.program(args);
        let told = said(&output);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(message) && told.contains(hint), "{told}");
    };
    fails(&["--device", "gpu"], "error: `--device gpu` is no device", "hint: cpu, cuda, cuda:1");
    fails(&["bench", "--only", "gemm", "--device", "plain"], "`gemm` measures the processor's kernels", "--device");
    if !cfg!(feature = "cuda") {
        let build = "hint: cargo build --release --features cuda";
        fails(&["--device", "cuda"], "error: `--device cuda` is not in this build", build);
        fails(&["bench", "--set", "device=cuda:2"], "`device` is `cuda:2`, which is not in this build", build);
        std::fs::create_dir_all(desk.at("config/wordbrush")).unwrap();
        std::fs::write(desk.at("config/wordbrush/config.toml"), "device = \"cuda\"\n").unwrap();
        fails(&["run", "-"], "config.toml: `device` is `cuda`, which is not in this build", build);
    }
    assert!(!desk.at("home").exists());
}

#[test]
fn bench_names_the_device_that_it_measures() {
    let desk = Desk::new();
    let args = ["bench", "--only", "step", "--runs", "1", "--device", "plain", "--json"];
    let output = desk.program(&args);
    let line: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    assert_eq!((&line["device"], &line["precision"]), (&"plain".into(), &"f32".into()), "{line}");
    assert!(line["seconds"].as_f64().unwrap() > 0.0);
}

#[test]
fn plain_operations_answer_golden_cases_of_the_published_code_within_their_tolerance() {
    use wordbrush::study::parity::{ModelFolders, report, run_case};
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/cases");
    let out = tempfile::tempdir().unwrap();
    let mut models = ModelFolders::new(Vec::new()).on(DeviceName::Plain);
    for name in ["parts-tiny-sd", "blend-substruct", "a-edit-swap-dpmpp-6"] {
        let outcome = run_case(&cases.join(name), out.path(), &mut models);
        let mut line = Vec::new();
        report(&outcome, &mut line).unwrap();
        assert!(outcome.passes() && !outcome.compared.is_empty(), "{}", String::from_utf8_lossy(&line));
    }
}

#[test]
fn a_stopped_turn_on_a_device_leaves_no_picture() {
    let mut session = on("plain", "3");
    let wordbrush::turn::Turn::Edit(edit) = session.read(FACE).unwrap() else { panic!("no edit") };
    let stopped = session
        .edit(FACE, &edit, &mut |step, _| if step == 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) });
    assert!(stopped.unwrap().is_none() && session.tree().is_empty());
}
