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

use common::judge::{answer, load as the_judge};
use common::marks::write_marked;
use common::talking::{drew, refused};
use common::{say, session};
use wordbrush::engine::Picture;
use wordbrush::engine::judge::Judge;
use wordbrush::engine::layers::Backend;
use wordbrush::engine::segment::Segmenter;
use wordbrush::measure::psnr_where;
use wordbrush::model::text_masks;
use wordbrush::plan::photograph::Photograph;
use wordbrush::plan::settings::Settings;
use wordbrush::repl::reply::Reply;
use wordbrush::repl::talk::{Talk, Unwatched};
use wordbrush::session::file::Trust;
use wordbrush::session::home::Home;
use wordbrush::session::replay::{Lessons, Verdict};
use wordbrush::session::run_node::RunResult;
use wordbrush::session::{Options, Session, TurnResult, to_image};
use wordbrush::store::Limits;
use wordbrush::turn::{Edit, Turn};

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

    /// Opens the first of the pair, and makes the edit in each way. `None` for one that is refused: a network does not know every
    /// word.
    fn measure(&self, session: &mut Session, rows: &[Row], judge: &Judge) -> Vec<Option<Measured>> {
        let photograph = Photograph::new(SIDE, SIDE, self.before.bytes.clone(), None).expect("pixels");
        let root = Edit::root(self.prompt.clone());
        let go = &mut |_: usize, _: &candle_core::Tensor| ControlFlow::Continue(());
        let root = session.open_photograph(&self.prompt, Arc::new(photograph), &root, go).expect("it can be opened");
        let root = root.expect("nobody stopped it");
        // The photograph as the model has it: its autoencoder's losses are no one's region.
        let engine = &session.model().expect("a model").engine;
        let before = engine.decode(root.left.trajectory.last()).expect("a picture");
        let truth = self.truth();
        let counts = counts(&truth);
        let wanted: Vec<bool> = counts.iter().map(|count| *count >= BELONGS).collect();
        let untouched = pixels(&counts.iter().map(|count| *count == 0).collect::<Vec<_>>());
        let mut one = |row: &Row| {
            let now = edited(session, row, &self.edit)?;
            let mask = mask(&now);
            let picture = &now.left.picture;
            Some(Measured {
                iou: iou(&mask, &wanted),
                shown: answer(&judge.look(picture).expect("a look"), &self.head, 1) == self.wanted,
                stays: psnr(&before, picture, &untouched),
                becomes: psnr(&self.after, picture, &truth),
                inside: mean_change(&before, picture, &truth),
                area: share(&mask),
            })
        };
        rows.iter().map(&mut one).collect()
    }
}

/// A way to say where words were, and other settings: what is said of it, and they.
type Row = (String, Vec<(String, String)>);

/// An edit of the present picture under a row's settings, and back. `None` if it is refused.
fn edited(session: &mut Session, row: &Row, line: &str) -> Option<TurnResult> {
    let was: Vec<(String, String)> =
        row.1.iter().map(|(name, _)| (name.clone(), session.settings().get(name))).collect();
    let set = |session: &mut Session, settings: &[(String, String)]| {
        settings.iter().for_each(|(name, value)| {
            session.set(name, value).expect("it can be set");
        });
    };
    set(session, &row.1);
    let Turn::Edit(edit) = session.read(line).expect("it can be read") else { panic!("`{line}` is no edit") };
    let turned = session.edit(line, &edit, &mut |_, _| ControlFlow::Continue(()));
    set(session, &was);
    let turned = turned.map_err(|error| eprintln!("`{line}`: {error:#}")).ok()?.expect("nobody stopped it");
    let up = session.tree().undo(1).expect("there is a parent");
    session.go(up).expect("undo works");
    Some(turned)
}

/// The places that an edit could change in its last step.
fn mask(turned: &TurnResult) -> Vec<bool> {
    let mask = turned.left.masks.last().cloned().flatten();
    mask.map_or(vec![true; PLACES * PLACES], |mask| mask.iter().map(|inside| *inside == 1).collect())
}

fn share(places: &[bool]) -> f64 {
    places.iter().filter(|inside| **inside).count() as f64 / places.len() as f64
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
    fn measure(&self, seed: usize, rows: &[Row], judge: &Judge, parts: &Segmenter) -> Vec<Option<Measured>> {
        let (line, wanted) = self.edits[seed % self.edits.len()];
        let mut session = session(&[("seed", &seed.to_string())]);
        let root = say(&mut session, self.prompt);
        let found = self.text.map(|text| {
            let found = parts.mask(&root.left.picture, text).expect("the network knows it");
            let counts = counts(&found.iter().map(|byte| *byte >= 128).collect::<Vec<_>>());
            counts.iter().map(|count| *count >= BELONGS).collect::<Vec<bool>>()
        });
        let stays: Vec<bool> = (0..SIDE * SIDE).map(|at| (self.stays)(at % SIDE, at / SIDE)).collect();
        let before = &root.left.picture;
        let mut one = |row: &Row| {
            let now = edited(&mut session, row, line)?;
            let (mask, picture) = (mask(&now), &now.left.picture);
            Some(Measured {
                iou: found.as_ref().map_or(f64::NAN, |found| iou(&mask, found)),
                shown: answer(&judge.look(picture).expect("a look"), self.head, 1) == wanted,
                stays: psnr(before, picture, &stays),
                becomes: f64::NAN,
                inside: found.as_ref().map_or(f64::NAN, |found| mean_change(before, picture, &pixels(found))),
                area: share(&mask),
            })
        };
        rows.iter().map(&mut one).collect()
    }
}

fn parts() -> Segmenter {
    let backend = Backend::Kernels(wordbrush_kernels::Precision::F32);
    Segmenter::load(&*text_masks::embedded().expect("a network"), &backend).expect("it can be loaded")
}

/// The ways that are compared; `WORDBRUSH_REGION_ROWS` names others, such as `spread k=.4; text`, and then no page is written.
fn rows() -> Vec<Row> {
    let said = std::env::var("WORDBRUSH_REGION_ROWS").unwrap_or("cross; spread; text".to_owned());
    let row = |row: &str| {
        let mut parts = row.split_whitespace();
        let from = ("region_from".to_owned(), parts.next().expect("a way").to_owned());
        let more = parts.filter_map(|pair| pair.split_once('=')).map(|(n, v)| (n.to_owned(), v.to_owned()));
        (row.trim().to_owned(), [from].into_iter().chain(more).collect())
    };
    said.split(';').map(row).collect()
}

/// Lines of a table: what was measured of edits of a kind, by way.
fn lines(kind: &str, rows: &[Row], measured: &[Vec<Option<Measured>>]) -> Vec<String> {
    let of = |way: usize| measured.iter().filter_map(|edit| edit[way]).collect::<Vec<_>>();
    let lines: Vec<String> = rows.iter().enumerate().map(|(way, (name, _))| line(kind, name, &of(way))).collect();
    lines.iter().for_each(|line| eprintln!("{line}"));
    lines
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

/// A conversation under these settings, besides few steps.
fn talk(settings: &[(&str, &str)]) -> Talk {
    Talk::new(session(&[&[("steps", "4"), ("seed", "12")], settings].concat()), None)
}

const FACE: &str = "a woman's face with long wavy blond hair";

#[test]
fn each_way_to_say_where_words_were_makes_another_mask_and_another_node() {
    let drawn = |from: &str| {
        let mut talk = talk(&[("region_from", from)]);
        drew(&mut talk, FACE);
        let edit = drew(&mut talk, "blond -> red");
        (talk.session.tree()[2].id, edit.turned.left.masks.clone())
    };
    let [cross, spread, text] = ["cross", "spread", "text"].map(drawn);
    for (a, b) in [(&cross, &spread), (&spread, &text), (&text, &cross)] {
        assert_ne!(a.0, b.0);
        assert_ne!(a.1, b.1);
    }
    // Before the first step that is blended none is made, whatever makes them.
    assert!([&cross, &spread, &text].iter().all(|(_, masks)| masks.len() == 4 && masks[0].is_none()));
}

#[test]
fn outside_a_spread_region_the_latent_is_the_parents_to_the_bit() {
    for from in ["spread", "text"] {
        let mut talk = talk(&[("region_from", from)]);
        let root = drew(&mut talk, FACE).turned.left;
        let edit = drew(&mut talk, "blond -> red").turned.left;
        let values = |left: &RunResult| {
            left.trajectory.last().flatten_all().and_then(|t| t.to_vec1::<f32>()).expect("a latent has numbers")
        };
        let (before, after) = (values(&root), values(&edit));
        let mask = edit.masks.last().cloned().flatten().expect("the last step was blended");
        let channels = before.len() / mask.len();
        let differs = |place: usize| {
            let range = place * channels..(place + 1) * channels;
            before[range.clone()] != after[range]
        };
        let inside = mask.iter().filter(|inside| **inside == 1).count();
        assert!((20..200).contains(&inside), "{from}: {inside} of {} places may change", mask.len());
        assert!((0..mask.len()).all(|place| mask[place] == 1 || !differs(place)), "{from}: something moved outside");
        assert!((0..mask.len()).filter(|place| differs(*place)).count() > inside / 2, "{from}: little moved inside");
    }
}

#[test]
fn a_spread_region_costs_an_evaluation_only_where_the_picture_was_drawn_without_it_in_sight() {
    let cost = |at_first: &str, then: &str| {
        let mut talk = talk(&[("region_from", at_first)]);
        drew(&mut talk, FACE);
        talk.session.set("region_from", then).expect("a setting");
        drew(&mut talk, "blond -> red").turned.evaluations
    };
    let usual = cost("cross", "cross");
    assert_eq!(cost("spread", "spread"), usual, "the last step's queries and keys were kept");
    assert_eq!(cost("cross", "spread"), usual + 1, "they are those of one step, computed again");
}

#[test]
fn a_session_under_each_way_is_replayed_with_the_same_bits() {
    let folder = tempfile::tempdir().expect("a folder");
    for from in ["spread", "text"] {
        let path = folder.path().join(format!("{from}.jsonl"));
        let overrides =
            [("steps", "4"), ("seed", "12"), ("region_from", from)].map(|(n, v)| (n.to_owned(), v.to_owned()));
        let mut written = Session::open(Options {
            home: Home::find(|_| Some("/nowhere".into())).expect("a home is named"),
            path: Some(path.clone()),
            read_only: false,
            settings: Settings::default(),
            overrides: overrides.to_vec(),
            limits: Limits { ram: 1 << 30, disk: 1 << 30 },
        })
        .expect("a file can be written");
        say(&mut written, FACE);
        say(&mut written, "blond -> red");
        drop(written);
        let lines = std::fs::read_to_string(&path).expect("a session");
        assert!(lines.contains(&format!("\"region_from\":\"{from}\"")), "{lines}");
        let (mut other, go) = (session(&[]), &mut |_: &_, _| ControlFlow::Continue(()));
        let replay =
            other.replay(&path, (Trust::Imported, Lessons::AsKept), go, &mut |_, _: &_| ControlFlow::Continue(()));
        let replay = replay.expect("it can be replayed");
        assert!(replay.nodes.len() == 2 && replay.nodes.iter().all(|node| node.verdict == Verdict::Same), "{from}");
    }
}

#[test]
fn a_network_is_refused_words_that_it_does_not_know_and_models_that_have_none() {
    let mut talk = talk(&[("region_from", "text")]);
    drew(&mut talk, "a green chair in a forest");
    refused(&mut talk, "chair -> sofa", "`chair` names no part of a picture");
    // What is only gained need not be known: nobody looks for it in the parent.
    drew(&mut talk, "with a sofa");
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/parity/models/tiny-sd");
    let mut other = self::talk(&[("region_from", "text"), ("model", model), ("precision", "f32")]);
    drew(&mut other, FACE);
    refused(&mut other, "blond -> red", "`region_from text` needs a network");
    other.session.set("region_from", "spread").expect("a setting");
    drew(&mut other, "blond -> red");
}

#[test]
fn explain_tells_what_says_where_words_were() {
    for (from, expected) in [
        ("cross", "where `blond hair` was and `red hair` will be, k 0.3"),
        ("spread", "where `blond hair` was, spread along the self-attention of #1, and `red hair` will be, k 0.3"),
        ("text", "where the network of parts finds `blond hair` in #1, and where `red hair` will be, k 0.3"),
    ] {
        let mut talk = talk(&[("region_from", from)]);
        drew(&mut talk, FACE);
        let Ok(Reply::Text(shown)) = talk.line("/explain blond -> red", &mut Unwatched) else { panic!("{from}") };
        assert!(shown.text.contains(expected), "{}", shown.text);
    }
}

#[test]
#[ignore = "measures for half an hour, on pictures that training/regions.mjs renders"]
fn the_table_of_regions_of_rendered_pictures_is_written() {
    let folder = std::env::var_os("WORDBRUSH_REGIONS").expect("WORDBRUSH_REGIONS names the folder of the pictures");
    let pairs = Pair::all(Path::new(&folder));
    let judge = the_judge();
    let mut kinds: Vec<&str> = pairs.iter().map(|pair| &*pair.kind).collect();
    kinds.dedup();
    let (rows, mut all) = (rows(), Vec::new());
    for kind in kinds {
        let mut session = session(&[("outside", "model")]);
        let of = pairs.iter().filter(|pair| pair.kind == kind);
        let measured: Vec<_> = of.map(|pair| pair.measure(&mut session, &rows, &judge)).collect();
        all.extend(lines(kind, &rows, &measured));
    }
    if std::env::var_os("WORDBRUSH_REGION_ROWS").is_none() {
        write_marked("docs/DEFAULTS.md", "regions-rendered", &table(all));
    }
}

#[test]
#[ignore = "measures for half an hour"]
fn the_table_of_regions_of_drawn_pictures_is_written() {
    let (judge, parts) = (the_judge(), parts());
    let (rows, mut all) = (rows(), Vec::new());
    for drawn in &DRAWN {
        let measured: Vec<_> = (1..=24).map(|seed| drawn.measure(seed, &rows, &judge, &parts)).collect();
        all.extend(lines(drawn.kind, &rows, &measured));
    }
    if std::env::var_os("WORDBRUSH_REGION_ROWS").is_none() {
        write_marked("docs/DEFAULTS.md", "regions-drawn", &table(all));
    }
}
