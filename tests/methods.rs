//! Other ways to edit than by words alone, in the tree: what they keep, what they leave, and that all of it comes back.

mod common;

use std::path::Path;

use common::session;
use wordbrush::repl::reply::{Reply, TurnReport, tell};
use wordbrush::repl::talk::{Talk, Unwatched};
use wordbrush::session::run_node::RunResult;

const SETTINGS: [(&str, &str); 3] = [("steps", "4"), ("seed", "7"), ("guidance", "1")];
const PROMPT: &str = "a woman's face with long wavy blond hair";

fn talk(extra: &[(&'static str, &'static str)]) -> Talk {
    let settings: Vec<(&str, &str)> = SETTINGS.iter().copied().chain(extra.iter().copied()).collect();
    Talk::new(session(&settings), None)
}

#[track_caller]
fn drew(talk: &mut Talk, line: &str) -> Box<TurnReport> {
    match talk.line(line, &mut Unwatched) {
        Ok(Reply::Drew(report)) => report,
        Ok(_) => panic!("`{line}` drew nothing"),
        Err(error) => panic!("`{line}`: {error:#}"),
    }
}

#[track_caller]
fn refused(talk: &mut Talk, line: &str, why: &str) {
    let nodes = talk.session.tree().len();
    let Err(error) = talk.line(line, &mut Unwatched) else { panic!("`{line}` was carried out") };
    let told = tell(&error);
    assert!(told.message.contains(why), "`{line}`: {}", told.message);
    assert!(told.hint.is_some(), "`{line}`: `{}` gives nothing to try", told.message);
    assert_eq!(talk.session.tree().len(), nodes, "`{line}` grew a node");
}

fn bits(left: &RunResult) -> Vec<Vec<u32>> {
    let latents = left.trajectory.latents().iter();
    latents.map(|l| l.flatten_all().unwrap().to_vec1::<f32>().unwrap().iter().map(|x| x.to_bits()).collect()).collect()
}

/// Which numbers of the clean latents differ: rows, columns.
fn places_that_differ(a: &RunResult, b: &RunResult, step: usize) -> Vec<(usize, usize)> {
    let (h, w, c) = a.trajectory.before(0).dims3().unwrap();
    let (a, b) = (&bits(a)[step], &bits(b)[step]);
    (0..h * w).filter(|p| a[p * c..(p + 1) * c] != b[p * c..(p + 1) * c]).map(|p| (p / w, p % w)).collect()
}

#[test]
fn an_edit_in_a_rectangle_leaves_every_latent_outside_it_as_it_was() {
    let mut talk = talk(&[]);
    let root = drew(&mut talk, PROMPT);
    let edit = drew(&mut talk, "/in 32,16,48,32 blond -> red");
    let factor = edit.turned.left.picture.width / root.turned.left.trajectory.before(0).dims3().unwrap().1;
    for step in 1..=4 {
        let changed = places_that_differ(&root.turned.left, &edit.turned.left, step);
        assert!(!changed.is_empty(), "nothing changed in step {step}");
        for (row, column) in changed {
            let (x, y) = (column * factor + factor / 2, row * factor + factor / 2);
            assert!((32..80).contains(&x) && (16..48).contains(&y), "step {step}: {x},{y} changed");
        }
    }
    let outside = edit.turned.outside.as_ref().unwrap();
    assert_eq!(outside.iter().filter(|outside| !**outside).count(), 48 * 32);
    // Words taken back take up what was given, and lead to the very bits.
    let again = drew(&mut talk, "red -> blond");
    let there = drew(&mut talk, "blond -> red");
    assert_eq!(bits(&there.turned.left), bits(&edit.turned.left));
    assert_eq!(bits(&again.turned.left), bits(&root.turned.left));
}

#[test]
fn an_edit_in_a_mask_is_replayed_when_the_masks_file_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let mask = folder.path().join("my mask.png");
    let round = |x: u32, y: u32| if (x as i32 - 64).pow(2) + (y as i32 - 40).pow(2) < 900 { 255 } else { 0 };
    image::GrayImage::from_fn(128, 128, |x, y| image::Luma([round(x, y)])).save(&mask).unwrap();
    let line = format!("/in '{}' blond -> red", mask.display());
    replayed_as_drawn(folder.path(), &[PROMPT, &line, "/in hair wavy*2", "/in face#1 red -> black"], || {
        std::fs::remove_file(&mask).unwrap();
    });
}

/// Types lines into a session with a file, then replays it from an empty store and compares every picture.
#[track_caller]
fn replayed_as_drawn(folder: &Path, lines: &[&str], between: impl FnOnce()) {
    let path = folder.join("s.jsonl");
    let open = || {
        let overrides = SETTINGS.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        wordbrush::session::Session::open(wordbrush::session::Options {
            home: wordbrush::session::home::Home::find(|_| Some("/nowhere".into())).unwrap(),
            path: Some(path.clone()),
            read_only: false,
            settings: wordbrush::plan::settings::Settings::default(),
            overrides,
            limits: wordbrush::store::Limits { ram: 1 << 30, disk: 1 << 30 },
        })
        .unwrap()
    };
    let mut talk = Talk::new(open(), None);
    for line in lines {
        drew(&mut talk, line);
    }
    let tree = talk.session.tree().clone();
    drop(talk);
    between();
    let go = |_: &_, _| std::ops::ControlFlow::Continue(());
    let watch = &mut |_, _: &_| std::ops::ControlFlow::Continue(());
    let mut other = session(&[]);
    let replay = other.replay(&path, wordbrush::session::file::Trust::Imported, &mut { go }, watch).unwrap();
    assert_eq!(replay.nodes.len(), lines.len());
    for node in &replay.nodes {
        assert_eq!(node.verdict, wordbrush::session::replay::Verdict::Same, "#{}", node.node);
    }
    assert_eq!(*open().tree(), tree);
}

#[test]
fn where_nothing_can_change_is_said_before_anything_is_drawn() {
    let mut talk = talk(&[]);
    drew(&mut talk, PROMPT);
    refused(&mut talk, "/in 100,100,40,40 blond -> red", "reaches beyond the picture");
    refused(&mut talk, "/in 1,1,0,4 blond -> red", "is empty");
    refused(&mut talk, "/in 0,0,1,1 blond -> red", "has the middle of none");
    refused(&mut talk, "/in 0,0,-4,4 blond -> red", "is no rectangle");
    refused(&mut talk, "/in hat blond -> red", "`hat` is no word of the prompt");
    refused(&mut talk, "/in hair#2 blond -> red", "`hair#2` is no word of the prompt");
    refused(&mut talk, "/in no-such.png blond -> red", "cannot read the mask");
    refused(&mut talk, "/in hair", "needs");
}
