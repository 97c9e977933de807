//! Other ways to edit than by words alone, in the tree: what they keep, what they leave, and that all of it comes back.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly anywhere")]

mod common;

use std::ops::ControlFlow;
use std::path::Path;

use common::session;
use common::talking::{bits, drew, refused};
use wordbrush::plan::sampler::SamplerName;
use wordbrush::plan::settings::Settings;
use wordbrush::repl::reply::Reply;
use wordbrush::repl::talk::{Talk, Unwatched};
use wordbrush::session::cycle::predict::Foretold;
use wordbrush::session::file::{Trust, read_lineage, write_lineage};
use wordbrush::session::home::Home;
use wordbrush::session::replay::{Lessons, Replayed, Verdict};
use wordbrush::session::run_node::RunResult;
use wordbrush::session::{Options, Session};
use wordbrush::store::Limits;

const SETTINGS: [(&str, &str); 4] = [("steps", "4"), ("seed", "7"), ("guidance", "1"), ("scheduler", "ddim")];
const PROMPT: &str = "a woman's face with long wavy blond hair";

fn talk(extra: &[(&'static str, &'static str)]) -> Talk {
    let settings: Vec<(&str, &str)> = SETTINGS.iter().copied().chain(extra.iter().copied()).collect();
    Talk::new(session(&settings), None)
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

fn open(path: &Path) -> Session {
    let overrides = SETTINGS.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let home = Home::find(|_| Some("/nowhere".into())).unwrap();
    let limits = Limits { ram: 1 << 30, disk: 1 << 30 };
    let settings = Settings::default();
    Session::open(Options { home, path: Some(path.to_owned()), read_only: false, settings, overrides, limits }).unwrap()
}

/// Types lines into a session with a file, then replays it from an empty store and compares every picture; what a PNG of the last
/// would carry says the same of it.
#[track_caller]
fn replayed_as_drawn(folder: &Path, lines: &[&str], between: impl FnOnce()) -> Talk {
    let path = folder.join("s.jsonl");
    let mut talk = Talk::new(open(&path), None);
    for line in lines {
        drew(&mut talk, line);
    }
    let tree = talk.session.tree().clone();
    drop(talk);
    between();
    let mut other = session(&[]);
    let mut seen = |_: &Replayed, _: usize| ControlFlow::Continue(());
    let replay = other
        .replay(&path, (Trust::Imported, Lessons::AsKept), &mut seen, &mut |_, _| ControlFlow::Continue(()))
        .unwrap();
    assert_eq!(replay.nodes.len(), lines.len());
    for node in &replay.nodes {
        assert_eq!(node.verdict, Verdict::Same, "#{}: {}", node.node, tree[node.node].line);
    }
    let again = Talk::new(open(&path), None);
    assert_eq!(again.session.tree().nodes(), tree.nodes());
    let branch: Vec<_> = tree.path_to_root(tree.here().unwrap()).into_iter().rev().collect();
    let carried = read_lineage(&write_lineage(&branch, &|_| None).unwrap()).unwrap().tree;
    assert_eq!(carried.nodes().last().unwrap().id, branch.last().unwrap().id);
    again
}

const METHODS: [&str; 5] = [
    "/sdedit .5",
    "/sdedit .75 blond -> red",
    "/paint blond -> red in 32,16,48,32",
    "/mix a bowl of fruit .25 .75 .6",
    "/diffedit blond -> red 1",
];

#[test]
fn every_method_is_replayed_edited_further_and_taken_back_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.jsonl");
    let mut talk = Talk::new(open(&path), None);
    drew(&mut talk, PROMPT);
    drew(&mut talk, "wavy -> curly");
    let mut lines = 2;
    for method in METHODS {
        talk.line("#2", &mut Unwatched).unwrap();
        let made = drew(&mut talk, method);
        let number = made.turned.node;
        let (swap, back) = match method.contains("fruit") {
            true => ("bowl -> basket", "basket -> bowl"),
            false => ("long -> short", "short -> long"),
        };
        drew(&mut talk, swap);
        let here = talk.session.tree().here().unwrap();
        let way = talk.session.cycle(number, false, &mut |_, _, _| ControlFlow::Continue(())).unwrap().unwrap();
        assert_eq!(way[0].predicted, Some(Foretold::Exact), "{method}");
        assert!(way[0].identical, "{method}: the way back is not exact");
        let returned = drew(&mut talk, back);
        assert_eq!(bits(&returned.turned.left), bits(&made.turned.left), "{method}");
        lines += 3;
        // Across the method no way leads back exactly, and that is foretold.
        talk.line(&format!("#{here}"), &mut Unwatched).unwrap();
        let way = talk.session.way_back(2, true).unwrap();
        let Foretold::Not(why) = &way.steps[0].predicted else { panic!("{method}: #2 cannot come back exactly") };
        assert_eq!(why.site, "start", "{method}");
    }
    let tree = talk.session.tree().clone();
    assert_eq!(tree.len(), lines);
    let shown = tree.draw_tree();
    for label in [
        "sdedit 0.5",
        "sdedit 0.75: blond → red",
        "paint: blond → red",
        "mix 0.25 0.75 0.6: ",
        "diffedit 1: blond → red",
    ] {
        assert!(shown.contains(label), "{shown}");
    }
    // A cold store gives what the warm one gave: an edit of a child whose ancestors must all be drawn again.
    let numbers: Vec<u32> = tree
        .nodes()
        .iter()
        .filter(|n| n.line.contains(" -> short") || n.line.contains("basket"))
        .map(|n| n.number)
        .collect();
    let at = |talk: &mut Talk, number: u32| {
        talk.line(&format!("#{number}"), &mut Unwatched).unwrap();
        bits(&drew(talk, if tree[number].line.contains("basket") { "fruit*2" } else { "face*2" }).turned.left)
    };
    let last = numbers[numbers.len() - 2];
    let warm = at(&mut talk, last);
    drop(talk);
    std::fs::remove_dir_all(folder.path().join("s.store")).unwrap();
    let bytes = std::fs::read_to_string(&path).unwrap();
    let fewer: Vec<&str> = bytes.lines().filter(|line| !line.contains("*2\"")).collect();
    std::fs::write(&path, fewer.join("\n") + "\n").unwrap();
    let mut talk = Talk::new(open(&path), None);
    assert_eq!(at(&mut talk, last), warm);
    drop(talk);
    let mut other = session(&[]);
    let mut seen = |_: &Replayed, _: usize| ControlFlow::Continue(());
    let replay = other
        .replay(&path, (Trust::Imported, Lessons::AsKept), &mut seen, &mut |_, _| ControlFlow::Continue(()))
        .unwrap();
    assert!(replay.nodes.len() > lines && replay.nodes.iter().all(|node| node.verdict == Verdict::Same), "{replay:?}");
}

#[test]
fn a_region_drawn_again_leaves_the_clean_latent_outside_it_bit_for_bit() {
    for extra in [&[("guidance", "3")][..], &[("scheduler", "euler_a")], &[("scheduler", "dpm"), ("guidance", "3")]] {
        let mut talk = talk(extra);
        let root = drew(&mut talk, PROMPT);
        let painted = drew(&mut talk, "/paint blond -> red in 32,16,48,32 .75");
        let (h, w, _) = root.turned.left.trajectory.last().dims3().unwrap();
        let factor = root.turned.left.picture.width / w;
        let changed = places_that_differ(&root.turned.left, &painted.turned.left, 4);
        assert!(changed.len() > h * w / 20, "{} places changed", changed.len());
        for (row, column) in changed {
            let (x, y) = (column * factor + factor / 2, row * factor + factor / 2);
            assert!((32..80).contains(&x) && (16..48).contains(&y), "{extra:?}: {x},{y} changed");
        }
        assert_eq!(painted.turned.evaluations, if extra.iter().any(|(_, v)| *v == "3") { 6 } else { 3 });
    }
}

#[test]
fn the_mask_of_diffedit_is_where_it_may_change_and_no_more() {
    for (guidance, sampler) in [("1", "ddim"), ("3", "ddim"), ("1", "dpm"), ("3", "dpm")] {
        let mut talk = talk(&[("guidance", guidance), ("scheduler", sampler)]);
        let root = drew(&mut talk, PROMPT);
        let made = drew(&mut talk, "/diffedit blond -> red");
        let mask = made.turned.left.masks.iter().flatten().last().unwrap();
        let (_, w, _) = root.turned.left.trajectory.last().dims3().unwrap();
        let inside = mask.iter().filter(|m| **m == 1).count();
        assert!(inside > 0 && inside < mask.len(), "{inside} of {}", mask.len());
        for (row, column) in places_that_differ(&root.turned.left, &made.turned.left, 4) {
            assert_eq!(mask[row * w + column], 1, "{row},{column} changed");
        }
    }
}

#[test]
fn each_sampler_serves_each_method_or_refuses_it_by_name() {
    for sampler in SamplerName::all() {
        let name = sampler.to_string();
        let mut talk = Talk::new(session(&[("steps", "4"), ("guidance", "1"), ("scheduler", &name)]), None);
        drew(&mut talk, PROMPT);
        for method in ["/sdedit .5", "/paint blond -> red in hair .6", "/mix a bowl of fruit", "/diffedit blond -> red"]
        {
            let serves = match sampler {
                SamplerName::Plms => false,
                SamplerName::Ddim | SamplerName::Dpm => true,
                _ => !method.contains("diffedit"),
            };
            if !serves {
                refused(&mut talk, method, &format!("`{name}`"));
                continue;
            }
            let made = drew(&mut talk, method);
            assert_eq!(made.turned.left.trajectory.steps(), 4, "{name} {method}");
            if method.contains("sdedit") {
                let child = drew(&mut talk, "face*2");
                assert!(bits(&child.turned.left)[4] != bits(&made.turned.left)[4], "{name}: a weight says nothing");
            }
            talk.line("#1", &mut Unwatched).unwrap();
        }
    }
}

#[test]
fn a_patch_is_drawn_into_the_picture_and_kept_with_the_session() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("my patch.png");
    image::RgbaImage::from_pixel(24, 24, image::Rgba([250, 20, 20, 255])).save(&file).unwrap();
    let with = format!("/sdedit .25 with '{}' at 8,8", file.display());
    let mut talk = replayed_as_drawn(folder.path(), &[PROMPT, "/sdedit .25"], || {});
    talk.line("#1", &mut Unwatched).unwrap();
    let patched = drew(&mut talk, &with);
    let plain = talk.session.picture(2).unwrap();
    let red = |picture: &wordbrush::engine::Picture| -> i64 {
        let at = |x: usize, y: usize| (y * picture.width + x) * 3;
        let reds = (12..28).flat_map(|y| (12..28).map(move |x| (x, y)));
        reds.map(|(x, y)| i64::from(picture.bytes[at(x, y)]) - i64::from(picture.bytes[at(x, y) + 1])).sum::<i64>()
            / 256
    };
    let (before, after) = (red(&plain), red(&patched.turned.left.picture));
    assert!(after > before + 60, "red over green: {before} without the patch, {after} with it");
    refused(&mut talk, &format!("/sdedit .5 with '{}' at 120,8", file.display()), "reaches beyond");
    refused(&mut talk, "/sdedit .5 with none.png", "cannot read the patch");
    let id = talk.session.tree()[3].id;
    drop(talk);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(open(&folder.path().join("s.jsonl")).tree()[3].id, id);
}

#[test]
fn noise_of_another_seed_makes_another_picture_and_a_branch_is_drawn_again_with_its_methods() {
    let mut talk = talk(&[]);
    drew(&mut talk, PROMPT);
    let one = drew(&mut talk, "/sdedit .5");
    talk.line("#1", &mut Unwatched).unwrap();
    let two = drew(&mut talk, "/sdedit .5 seed 5");
    assert_ne!(bits(&one.turned.left), bits(&two.turned.left));
    talk.line("#1", &mut Unwatched).unwrap();
    assert!(drew(&mut talk, "/sdedit .5").turned.existed, "the same once more is the same picture");
    drew(&mut talk, "blond -> red");
    drew(&mut talk, "/seed 8");
    let tree = talk.session.tree();
    let branch: Vec<String> = tree.path_to_root(tree.here().unwrap()).iter().rev().map(|n| n.label()).collect();
    assert_eq!(branch[1..], ["sdedit 0.5", "blond → red"]);
    drew(&mut talk, "red -> black");
    drew(&mut talk, "/collapse");
    let tree = talk.session.tree();
    let above = tree[tree.here().unwrap()].parent.unwrap();
    assert_eq!(tree[above].label(), "sdedit 0.5");
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

#[test]
fn what_a_method_cannot_do_is_said_with_what_can_be_tried() {
    let mut talk = talk(&[]);
    drew(&mut talk, PROMPT);
    refused(&mut talk, "/sdedit 0", "a strength is a share");
    refused(&mut talk, "/sdedit 1.5", "a strength is a share");
    refused(&mut talk, "/sdedit much", "takes a strength");
    refused(&mut talk, "/sdedit .5 seed x", "a seed is a whole number");
    refused(&mut talk, "/paint blond -> red", "does not say where");
    refused(&mut talk, "/paint blond -> red in hat", "`hat` is no word");
    refused(&mut talk, "/paint blond -> red in hair 2", "a strength is a share");
    refused(&mut talk, "/paint blond -> red in 0,0,1,1", "has the middle of none");
    refused(&mut talk, "/mix .3 .6", "needs a prompt");
    refused(&mut talk, "/mix a cat .7 .6", "is after kmax");
    refused(&mut talk, "/mix a cat 3", "between 0 and 1");
    refused(&mut talk, "/diffedit a woman's face with long wavy blond hair", "");
    drew(&mut talk, "/sdedit .5");
    refused(&mut talk, "/stronger", "has no windows");
    refused(&mut talk, "/sweep k=0,.3", "obeys no settings");
    for line in ["/sdedit .5 blond -> red", "/paint + a hat in hair", "/mix a bowl of fruit", "/diffedit blond -> red"]
    {
        let nodes = talk.session.tree().len();
        let Ok(Reply::Text(shown)) = talk.line(&format!("/explain {line}"), &mut Unwatched) else { panic!("{line}") };
        for part in ["keeps", "back", "cost", "noise", "region"] {
            assert!(shown.text.contains(part), "{}", shown.text);
        }
        assert_eq!(talk.session.tree().len(), nodes);
    }
}
