//! Does the region of an edit fit what changes?
//!
//! `region_from` is measured two ways. On rendered pairs of pictures, with and without one change (`training/regions.mjs`), the true
//! region and the true target are known: the first of a pair is opened as a photograph, the edit made, and the mask compared. On
//! first pictures that the model draws nothing is known, and the network of parts stands in for the truth of where the parent had
//! what changes. The tables of docs/DEFAULTS.md are written by `cargo test --release --test regions -- --ignored` with
//! `WORDBRUSH_REGIONS=FOLDER`.

#![allow(clippy::print_stderr, reason = "a test may say what it measured")]

mod common;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use common::judge::Judge;
use common::marks::write_marked;
use common::{say, session};
use wordbrush::engine::Picture;
use wordbrush::engine::layers::Backend;
use wordbrush::engine::segment::Segmenter;
use wordbrush::measure::psnr_where;
use wordbrush::model::text_masks;
use wordbrush::plan::photograph::Photograph;
use wordbrush::plan::settings::Precision;
use wordbrush::session::{Session, to_image};
use wordbrush::turn::Edit;

/// Pixels along a side, and places of the latent.
const SIDE: usize = 128;
const PLACES: usize = 16;
const PIXELS: usize = SIDE / PLACES;

/// A channel that differs by more has changed.
const CHANGED: u8 = 24;

/// A place of which so many of its 64 pixels change belongs to the true region: an edit must be able to change it.
const BELONGS: usize = 16;

/// What is measured of one edit.
#[derive(Debug, Clone, Copy, Default)]
struct Measured {
    /// Places in both the region and the true one, as a share of those in either; not a number where none is known.
    iou: f64,
    /// Whether the judge sees the edit.
    shown: bool,
    /// PSNR of what should stay, in dB.
    stays: f64,
    /// PSNR of what should change to what it should become, in dB; not a number where that is not known.
    becomes: f64,
    /// Mean change of what should change, of 255.
    inside: f64,
    /// Share of all places that are in the region.
    area: f64,
}

fn iou(a: &[bool], b: &[bool]) -> f64 {
    let count = |of: fn(bool, bool) -> bool| a.iter().zip(b).filter(|(a, b)| of(**a, **b)).count() as f64;
    count(|a, b| a && b) / count(|a, b| a || b)
}

/// How many of each place's pixels are in a set.
fn counts(pixels: &[bool]) -> Vec<usize> {
    let mut counts = vec![0; PLACES * PLACES];
    pixels.iter().enumerate().filter(|(_, inside)| **inside).for_each(|(at, _)| {
        counts[at / SIDE / PIXELS * PLACES + at % SIDE / PIXELS] += 1;
    });
    counts
}

/// Pixels of places.
fn pixels(places: &[bool]) -> Vec<bool> {
    (0..SIDE * SIDE).map(|at| places[at / SIDE / PIXELS * PLACES + at % SIDE / PIXELS]).collect()
}

fn psnr(a: &Picture, b: &Picture, whose: &[bool]) -> f64 {
    psnr_where(&to_image(a), &to_image(b), whose).unwrap_or(60.0).min(60.0)
}

fn mean_change(a: &Picture, b: &Picture, whose: &[bool]) -> f64 {
    let changes = (0..a.bytes.len()).filter(|at| whose[at / 3]).map(|at| f64::from(a.bytes[at].abs_diff(b.bytes[at])));
    let changes: Vec<f64> = changes.collect();
    changes.iter().sum::<f64>() / changes.len().max(1) as f64
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = values.filter(|x| x.is_finite()).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let all: Vec<f64> = values.filter(|x| x.is_finite()).collect();
    all.iter().sum::<f64>() / all.len() as f64
}

/// A pair of rendered pictures.
struct Pair {
    kind: String,
    prompt: String,
    edit: String,
    head: String,
    wanted: String,
    before: Picture,
    after: Picture,
}

impl Pair {
    fn all(folder: &Path) -> Vec<Self> {
        let array = |name: &str| -> Vec<Picture> {
            let bytes = std::fs::read(folder.join(name)).expect("an array of pictures");
            let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
            let picture = |bytes: &[u8]| Picture { width: SIDE, height: SIDE, bytes: bytes.to_vec() };
            bytes[header..].chunks_exact(SIDE * SIDE * 3).map(picture).collect()
        };
        let told = std::fs::read_to_string(folder.join("edits.jsonl")).expect("what is told of the pictures");
        let pictures = array("before.npy").into_iter().zip(array("after.npy"));
        let pair = |(line, (before, after)): (&str, (Picture, Picture))| {
            let told: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
            let of = |key: &str| told[key].as_str().expect("a text").to_owned();
            let [kind, prompt, edit, head, wanted] = ["kind", "prompt", "edit", "head", "wanted"].map(of);
            Self { kind, prompt, edit, head, wanted, before, after }
        };
        told.lines().zip(pictures).map(pair).collect()
    }

    /// The pixels that differ.
    fn truth(&self) -> Vec<bool> {
        let pixels = self.before.bytes.chunks_exact(3).zip(self.after.bytes.chunks_exact(3));
        pixels.map(|(a, b)| a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > CHANGED)).collect()
    }

    fn measure(&self, session: &mut Session, judge: &Judge) -> Measured {
        let photograph = Photograph::new(SIDE, SIDE, self.before.bytes.clone(), None).expect("pixels");
        let root = Edit::root(self.prompt.clone());
        let go = &mut |_: usize, _: &candle_core::Tensor| ControlFlow::Continue(());
        let root = session.open_photograph(&self.prompt, Arc::new(photograph), &root, go).expect("it can be opened");
        let root = root.expect("nobody stopped it");
        let now = say(session, &self.edit);
        let truth = self.truth();
        let counts = counts(&truth);
        let wanted: Vec<bool> = counts.iter().map(|count| *count >= BELONGS).collect();
        let untouched = pixels(&counts.iter().map(|count| *count == 0).collect::<Vec<_>>());
        let mask = now.left.masks.last().cloned().flatten().expect("the last step was blended");
        let mask: Vec<bool> = mask.iter().map(|inside| *inside == 1).collect();
        // The photograph as the model has it: its autoencoder's losses are no one's region.
        let engine = &session.model().expect("a model").engine;
        let before = engine.decode(root.left.trajectory.last()).expect("a picture");
        let picture = &now.left.picture;
        Measured {
            iou: iou(&mask, &wanted),
            shown: judge.look(picture).answer(&self.head, 1) == self.wanted,
            stays: psnr(&before, picture, &untouched),
            becomes: psnr(&self.after, picture, &truth),
            inside: mean_change(&before, picture, &truth),
            area: mask.iter().filter(|inside| **inside).count() as f64 / mask.len() as f64,
        }
    }
}

/// Edits of pictures that the model draws.
struct Drawn {
    kind: &'static str,
    prompt: &'static str,
    /// What is typed, and what the judge should see.
    edits: &'static [(&'static str, &'static str)],
    head: &'static str,
    /// What names it for the network of parts, where it was there before.
    text: Option<&'static str>,
    stays: fn(usize, usize) -> bool,
}

fn outside_the_thing(x: usize, y: usize) -> bool {
    !((20..108).contains(&x) && (24..120).contains(&y))
}

const DRAWN: [Drawn; 6] = [
    Drawn {
        kind: "hair",
        prompt: "a woman's face with long wavy blond hair",
        edits: &[
            ("blond -> red", "red"),
            ("blond -> black", "black"),
            ("blond -> brown", "brown"),
            ("blond -> blue", "blue"),
        ],
        head: "hair",
        text: Some("hair"),
        // The middle of the face.
        stays: |x, y| (44..84).contains(&x) && (48..88).contains(&y),
    },
    Drawn {
        kind: "glasses",
        prompt: "a woman's face with long hair",
        edits: &[("with glasses", "glasses"), ("with sunglasses", "sunglasses")],
        head: "glasses",
        text: None,
        stays: outside_the_thing,
    },
    Drawn {
        kind: "mood",
        prompt: "a smiling woman's face with long brown hair",
        edits: &[("smiling -> sad", "sad"), ("smiling -> angry", "angry"), ("smiling -> surprised", "surprised")],
        head: "mood",
        text: Some("face"),
        stays: outside_the_thing,
    },
    Drawn {
        kind: "colour",
        prompt: "a red car on a beach",
        edits: &[("red -> blue", "blue"), ("red -> green", "green"), ("red -> yellow", "yellow")],
        head: "colour",
        text: Some("car"),
        stays: outside_the_thing,
    },
    Drawn {
        kind: "object",
        prompt: "a cat on a beach",
        edits: &[("cat -> dog", "dog"), ("cat -> fox", "fox"), ("cat -> panda", "panda"), ("cat -> rabbit", "rabbit")],
        head: "object",
        text: Some("cat"),
        stays: outside_the_thing,
    },
    Drawn {
        kind: "middle",
        prompt: "a river between mountains",
        edits: &[
            ("river -> street", "street"),
            ("river -> forest", "forest"),
            ("river -> desert", "desert"),
            ("river -> lake", "lake"),
        ],
        head: "middle",
        text: Some("middle"),
        stays: |x, y| !((10..118).contains(&x) && y >= 56),
    },
];

impl Drawn {
    fn measure(&self, seed: usize, settings: &[(&str, &str)], judge: &Judge, parts: &Segmenter) -> Measured {
        let (line, wanted) = self.edits[seed % self.edits.len()];
        let seed = seed.to_string();
        let mut session = session(&[&[("seed", &*seed)], settings].concat());
        let root = say(&mut session, self.prompt);
        let now = say(&mut session, line);
        let found = self.text.map(|text| {
            let found = parts.mask(&root.left.picture, text).expect("the network knows it");
            let counts = counts(&found.iter().map(|byte| *byte >= 128).collect::<Vec<_>>());
            counts.iter().map(|count| *count >= BELONGS).collect::<Vec<bool>>()
        });
        let mask = now.left.masks.last().cloned().flatten();
        let mask: Vec<bool> = mask.map_or(vec![true; PLACES * PLACES], |mask| mask.iter().map(|x| *x == 1).collect());
        let stays: Vec<bool> = (0..SIDE * SIDE).map(|at| (self.stays)(at % SIDE, at / SIDE)).collect();
        Measured {
            iou: found.as_ref().map_or(f64::NAN, |found| iou(&mask, found)),
            shown: judge.look(&now.left.picture).answer(self.head, 1) == wanted,
            stays: psnr(&root.left.picture, &now.left.picture, &stays),
            becomes: f64::NAN,
            inside: found.map_or(f64::NAN, |found| mean_change(&root.left.picture, &now.left.picture, &pixels(&found))),
            area: mask.iter().filter(|inside| **inside).count() as f64 / mask.len() as f64,
        }
    }
}

fn parts() -> Segmenter {
    let backend = Backend::Kernels(wordbrush_kernels::Precision::F32);
    Segmenter::load(&*text_masks::embedded().expect("a network"), &backend).expect("it can be loaded")
}

/// The ways that are compared: what is said of each, and its settings.
fn rows() -> Vec<(String, Vec<(String, String)>)> {
    let said = std::env::var("WORDBRUSH_REGION_ROWS").unwrap_or("cross; spread; text".to_owned());
    let row = |row: &str| {
        let mut parts = row.split_whitespace();
        let from = ("region_from".to_owned(), parts.next().expect("a way").to_owned());
        let more = parts.filter_map(|pair| pair.split_once('=')).map(|(n, v)| (n.to_owned(), v.to_owned()));
        (row.trim().to_owned(), [from].into_iter().chain(more).collect())
    };
    said.split(';').map(row).collect()
}

fn head() -> &'static str {
    "| kind, edits | region_from | IoU | area | edits shown | change inside | what stays, dB | nearness to the true picture, dB |"
}

fn line(kind: &str, way: &str, all: &[Measured]) -> String {
    let number = |x: f64, places: usize| if x.is_finite() { format!("{x:.places$}") } else { String::new() };
    let shown = all.iter().filter(|one| one.shown).count();
    format!(
        "| {kind}, {} | {way} | {} | {} | {shown} | {} | {} | {} |",
        all.len(),
        number(mean(all.iter().map(|one| one.iou)), 2),
        number(mean(all.iter().map(|one| one.area)), 2),
        number(mean(all.iter().map(|one| one.inside)), 1),
        number(median(all.iter().map(|one| one.stays)), 1),
        number(median(all.iter().map(|one| one.becomes)), 1),
    )
}

fn table(mut lines: Vec<String>) -> String {
    let columns = head().matches('|').count() - 1;
    lines.insert(0, format!("|{}", " --- |".repeat(columns)));
    lines.insert(0, head().to_owned());
    lines.join("\n")
}

#[test]
#[ignore = "measures for half an hour, on pictures that training/regions.mjs renders"]
fn the_table_of_regions_of_rendered_pictures_is_written() {
    let folder = std::env::var_os("WORDBRUSH_REGIONS").expect("WORDBRUSH_REGIONS names the folder of the pictures");
    let pairs = Pair::all(Path::new(&folder));
    let judge = Judge::load();
    let mut kinds: Vec<&str> = pairs.iter().map(|pair| &*pair.kind).collect();
    kinds.dedup();
    let rows = rows();
    let mut lines = Vec::new();
    for kind in kinds {
        for (way, settings) in &rows {
            let mut settings: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (&**n, &**v)).collect();
            settings.push(("outside", "model"));
            let mut session = session(&settings);
            let of = pairs.iter().filter(|pair| pair.kind == kind);
            let all: Vec<Measured> = of.map(|pair| pair.measure(&mut session, &judge)).collect();
            lines.push(line(kind, way, &all));
            eprintln!("{}", lines[lines.len() - 1]);
        }
    }
    if std::env::var_os("WORDBRUSH_REGION_ROWS").is_none() {
        write_marked("docs/DEFAULTS.md", "regions-rendered", &table(lines));
    }
}

#[test]
#[ignore = "measures for half an hour"]
fn the_table_of_regions_of_drawn_pictures_is_written() {
    let (judge, parts) = (Judge::load(), parts());
    let mut lines = Vec::new();
    for drawn in &DRAWN {
        for (way, settings) in &rows() {
            let settings: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (&**n, &**v)).collect();
            let all: Vec<Measured> = (1..=24).map(|seed| drawn.measure(seed, &settings, &judge, &parts)).collect();
            lines.push(line(drawn.kind, way, &all));
            eprintln!("{}", lines[lines.len() - 1]);
        }
    }
    if std::env::var_os("WORDBRUSH_REGION_ROWS").is_none() {
        write_marked("docs/DEFAULTS.md", "regions-drawn", &table(lines));
    }
}
