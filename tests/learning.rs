//! Models that learn a picture, for edits that are drawn by them: what is kept, what goes on, and that all of it comes back.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly anywhere")]

mod common;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

use candle_core::Tensor;
use common::session;
use common::talking::{bits, drew, refused};
use wordbrush::plan::settings::Settings;
use wordbrush::repl::reply::Reply;
use wordbrush::repl::talk::{Talk, Unwatched, Watcher};
use wordbrush::session::cycle::predict::Foretold;
use wordbrush::session::file::{Trust, read_lineage, write_lineage};
use wordbrush::session::home::Home;
use wordbrush::session::replay::{Lessons, Replay, Verdict};
use wordbrush::session::{Options, Session};
use wordbrush::store::Limits;

const SETTINGS: [(&str, &str); 4] = [("steps", "4"), ("seed", "7"), ("scheduler", "ddim"), ("tuning_steps", "3")];
const PROMPT: &str = "a woman's face with long wavy blond hair";

fn open(path: &Path) -> Talk {
    let overrides = SETTINGS.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let home = Home::find(|_| Some("/nowhere".into())).unwrap();
    let limits = Limits { ram: 1 << 30, disk: 1 << 30 };
    let settings = Settings::default();
    let options = Options { home, path: Some(path.to_owned()), read_only: false, settings, overrides, limits };
    Talk::new(Session::open(options).unwrap(), None)
}

/// A conversation that is kept in memory alone.
fn session_talk() -> Talk {
    Talk::new(session(&SETTINGS), None)
}

/// Counts the steps of lessons, and stops one after so many.
#[derive(Default)]
struct Counting {
    learned: Vec<(usize, usize)>,
    stop_after: Option<usize>,
    told: Vec<String>,
}

impl Watcher for Counting {
    fn predicted(&mut self, text: &str) {
        self.told.push(text.to_owned());
    }

    fn learning(&mut self, done: usize, all: usize, error: f64) -> ControlFlow<()> {
        assert!(error.is_finite() && error > 0.0, "{error}");
        self.learned.push((done, all));
        if self.stop_after == Some(done) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn step(&mut self, _done: usize, _all: usize, _latent: &Tensor) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

#[track_caller]
fn counted(talk: &mut Talk, line: &str, stop_after: Option<usize>) -> (Counting, Reply) {
    let mut watcher = Counting { stop_after, ..Counting::default() };
    let reply = talk.line(line, &mut watcher).unwrap_or_else(|error| panic!("`{line}`: {error:#}"));
    (watcher, reply)
}

fn said(reply: &Reply) -> &str {
    let Reply::Text(shown) = reply else { panic!("it says nothing") };
    &shown.text
}

/// What lies in the folder of what was learned, by its endings.
fn learned(path: &Path) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let folder = std::fs::read_dir(path.with_extension("learned"));
    let all: Vec<PathBuf> = folder.map(|f| f.map(|e| e.unwrap().path()).collect()).unwrap_or_default();
    all.into_iter().partition(|path| !path.to_string_lossy().ends_with(".begun.safetensors"))
}

fn replayed(path: &Path, lessons: Lessons) -> Replay {
    let mut other = session(&[]);
    let go = &mut |_: &_, _: usize| ControlFlow::Continue(());
    let replay = other.replay(path, (Trust::Imported, lessons), go, &mut |_, _| ControlFlow::Continue(())).unwrap();
    let same = replay.nodes.iter().all(|node| node.verdict == Verdict::Same);
    assert!(same && replay.unread.is_empty(), "{lessons:?}: {replay:?}");
    replay
}

#[test]
fn what_was_learned_is_kept_replayed_edited_further_and_learned_again_where_it_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.jsonl");
    let mut talk = open(&path);
    drew(&mut talk, PROMPT);
    let mut ends = Vec::new();
    for (line, edit, back) in [
        ("/imagic blond -> red .6", "wavy -> curly", "curly -> wavy"),
        ("/unitune blond -> red .75", "wavy -> curly", "curly -> wavy"),
    ] {
        talk.line("#1", &mut Unwatched).unwrap();
        let (watched, reply) = counted(&mut talk, line, None);
        let Reply::Drew(made) = reply else { panic!("{line} drew nothing") };
        assert_eq!(watched.learned, [(1, 3), (2, 3), (3, 3)], "{line}");
        assert!(watched.told[0].contains("3 steps") && watched.told[0].contains("MB of memory"), "{:?}", watched.told);
        let number = made.turned.node;
        // An edit in words goes on with its run, and taken back leads to its bits.
        drew(&mut talk, edit);
        let way = talk.session.cycle(number, false, &mut |_, _, _| ControlFlow::Continue(())).unwrap().unwrap();
        assert!(way[0].predicted == Some(Foretold::Exact) && way[0].identical, "{line}");
        assert_eq!(bits(&drew(&mut talk, back).turned.left), bits(&made.turned.left), "{line}");
        // Another method may follow, and this one it.
        ends.push(drew(&mut talk, "/sdedit .5 wavy -> straight").turned.node);
    }
    assert_eq!(talk.session.tree()[6].plan.prompt, "sks a woman's face with long wavy red hair");
    let shown = talk.session.tree().draw_tree();
    assert!(shown.contains("imagic 0.6: blond → red") && shown.contains("unitune 0.75: "), "{shown}");
    // Another strength needs no lesson.
    talk.line("#1", &mut Unwatched).unwrap();
    let (watched, reply) = counted(&mut talk, "/imagic blond -> red .8", None);
    assert!(matches!(reply, Reply::Drew(_)) && watched.learned.is_empty() && watched.told.is_empty());
    let (whole, begun) = learned(&path);
    assert_eq!((whole.len(), begun.len()), (2, 0));
    let tree = talk.session.tree().clone();
    drop(talk);
    // A picture carries it too.
    let branch: Vec<_> = tree.path_to_root(ends[0]).into_iter().rev().collect();
    let carried = read_lineage(&write_lineage(&branch, &|_| None).unwrap()).unwrap().tree;
    assert_eq!(carried.nodes().last().unwrap().id, tree[ends[0]].id);
    assert_eq!(replayed(&path, Lessons::AsKept).notes, Vec::<String>::new());
    assert_eq!(replayed(&path, Lessons::Again).notes, Vec::<String>::new());
    // Damaged, and gone: said, and learned again, with the same bits.
    let mut bytes = std::fs::read(&whole[0]).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&whole[0], bytes).unwrap();
    std::fs::remove_file(&whole[1]).unwrap();
    let notes = replayed(&path, Lessons::AsKept).notes.join("\n");
    assert!(notes.contains("is damaged") && notes.matches("learned again in 3 steps").count() == 2, "{notes}");
    // The store and all that was learned gone: an edit further down finds its way.
    std::fs::remove_dir_all(path.with_extension("store")).unwrap();
    std::fs::remove_dir_all(path.with_extension("learned")).unwrap();
    let mut talk = open(&path);
    talk.session.take_notes();
    talk.line("#4", &mut Unwatched).unwrap();
    drew(&mut talk, "face*2");
    let notes = talk.session.take_notes();
    assert!(notes.iter().any(|note| note.contains("`/imagic` had learned") && note.contains("not there")), "{notes:?}");
    assert_eq!(learned(&path).0.len(), 1, "what was learned again is kept again");
    drop(talk);
    replayed(&path, Lessons::AsKept);
}

#[test]
fn a_lesson_that_was_stopped_goes_on_and_comes_to_the_same() {
    for line in ["/imagic blond -> red .6", "/unitune blond -> red .75"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.jsonl");
        let mut talk = session_talk();
        drew(&mut talk, PROMPT);
        let whole = bits(&drew(&mut talk, line).turned.left);
        let mut talk = open(&path);
        drew(&mut talk, PROMPT);
        for done in [1, 2] {
            let (watched, reply) = counted(&mut talk, line, Some(done));
            assert_eq!(watched.learned, [(done, 3)], "{line}");
            assert!(said(&reply).contains(&format!("stopped after {done} of 3 steps")), "{}", said(&reply));
            assert_eq!(talk.session.tree().len(), 1);
            let (whole, begun) = learned(&path);
            assert_eq!((whole.len(), begun.len()), (0, 1));
            // Another process has nothing but the files.
            drop(talk);
            talk = open(&path);
            let explained = talk.line(&format!("/explain {line}"), &mut Unwatched).unwrap();
            let left = if done == 1 { "2 steps more" } else { "1 step more" };
            assert!(said(&explained).contains(left), "{}", said(&explained));
        }
        let (watched, reply) = counted(&mut talk, line, None);
        assert_eq!(watched.learned, [(3, 3)], "{line}");
        let Reply::Drew(made) = reply else { panic!("it drew nothing") };
        assert_eq!(bits(&made.turned.left), whole, "{line}");
        let (whole, begun) = learned(&path);
        assert_eq!((whole.len(), begun.len()), (1, 0));
    }
}

#[test]
fn a_branch_that_is_drawn_again_says_what_is_learned_and_can_be_stopped_meanwhile() {
    let mut talk = session_talk();
    drew(&mut talk, PROMPT);
    drew(&mut talk, "/unitune blond -> red .7");
    let here = talk.session.tree().here();
    let (seen, reply) = counted(&mut talk, "/seed 9", Some(2));
    assert!(matches!(reply, Reply::Stopped));
    assert_eq!(seen.learned, [(1, 3), (2, 3)]);
    assert!(seen.told.iter().any(|line| line.contains("is learned in 3 steps")), "{:?}", seen.told);
    assert_eq!(talk.session.tree().here(), here);
    let (seen, reply) = counted(&mut talk, "/seed 9", None);
    assert_eq!(seen.learned, [(3, 3)], "what was learned till it was stopped is gone on with");
    assert!(matches!(reply, Reply::Drew(_)));
    let (seen, _) = counted(&mut talk, "/seed 9", None);
    assert!(seen.learned.is_empty() && seen.told.is_empty());
}

#[test]
fn a_copy_of_a_session_has_what_was_learned_of_its_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("s.jsonl"), folder.path().join("copy.jsonl"));
    let mut talk = open(&path);
    drew(&mut talk, PROMPT);
    drew(&mut talk, "/unitune blond -> red .7");
    assert_eq!(talk.session.copy_to(&copy).unwrap(), 1);
    let names = |path: &Path| learned(path).0.iter().map(|p| p.file_name().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&copy), names(&path));
    // One that is kept in memory alone is written there too.
    let mut talk = session_talk();
    drew(&mut talk, PROMPT);
    drew(&mut talk, "/unitune blond -> red .7");
    let other = folder.path().join("other.jsonl");
    assert_eq!(talk.session.copy_to(&other).unwrap(), 1);
    assert_eq!(names(&other), names(&path));
    let replay = replayed(&other, Lessons::AsKept);
    assert!(replay.notes.is_empty(), "nothing was learned again: {replay:?}");
}

#[test]
fn what_was_begun_and_is_damaged_is_begun_anew_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.jsonl");
    let line = "/unitune blond -> red .75";
    let mut talk = open(&path);
    drew(&mut talk, PROMPT);
    counted(&mut talk, line, Some(1));
    let begun = learned(&path).1.remove(0);
    let bytes = std::fs::read(&begun).unwrap();
    std::fs::write(&begun, &bytes[..bytes.len() - 9]).unwrap();
    let (watched, _) = counted(&mut talk, line, None);
    assert_eq!(watched.learned.first(), Some(&(1, 3)));
    let notes = talk.session.take_notes();
    assert!(notes.iter().any(|note| note.contains("learned from the beginning")), "{notes:?}");
}

#[test]
fn without_a_strength_a_sheet_of_several_is_drawn_of_one_lesson() {
    let folder = tempfile::tempdir().unwrap();
    let mut talk = Talk::new(session(&SETTINGS), Some(folder.path().join("out")));
    drew(&mut talk, PROMPT);
    for (line, first) in [("/imagic blond -> red seed 5", 2), ("/unitune blond -> red", 7)] {
        let (watched, reply) = counted(&mut talk, line, None);
        assert_eq!(watched.learned.len(), 3, "{line}");
        let text = said(&reply).to_owned();
        assert!(text.contains("take one by its number") && text.contains("still at #1"), "{text}");
        assert_eq!(talk.session.tree().here(), Some(1));
        assert_eq!(talk.session.tree().len(), first + 4);
        let Reply::Text(shown) = reply else { unreachable!() };
        assert!(shown.pictures[0].1.as_ref().unwrap().is_file());
        // What stands in the log draws that picture alone, which is there.
        let middle = first as u32 + 2;
        let typed = talk.session.tree()[middle].line.clone();
        let again = drew(&mut talk, &typed);
        assert!(again.turned.existed && again.turned.node == middle, "{typed}");
        talk.line("#1", &mut Unwatched).unwrap();
    }
    // Drawn again from another seed with its method.
    talk.line("#3", &mut Unwatched).unwrap();
    let again = drew(&mut talk, "/seed 8");
    assert_eq!(talk.session.tree()[again.turned.node].label(), talk.session.tree()[3].label());
}

#[test]
fn a_photograph_is_learned_and_replayed_as_a_drawn_picture_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.jsonl");
    let photograph = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/photographs/cat.png");
    let mut talk = open(&path);
    drew(&mut talk, &format!("/open '{}' \"a cat on a bench\"", photograph.display()));
    drew(&mut talk, "/imagic cat -> dog .7");
    drew(&mut talk, "bench -> beach");
    talk.line("#1", &mut Unwatched).unwrap();
    drew(&mut talk, "/unitune cat -> dog .7");
    drop(talk);
    replayed(&path, Lessons::Again);
}

#[test]
fn one_thread_learns_what_two_do() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("s.txt");
    std::fs::write(&script, format!("{PROMPT}\n/imagic blond -> red .5\n#1\n/unitune blond -> red .5\n")).unwrap();
    let with = |threads: &str| {
        let file = folder.path().join(format!("{threads}.jsonl"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_wordbrush"));
        command.args(["run", script.to_str().unwrap(), "--session", file.to_str().unwrap()]);
        for (name, value) in SETTINGS {
            command.arg(format!("--set={name}={value}"));
        }
        let output = command.env("RAYON_NUM_THREADS", threads).env("WORDBRUSH_HOME", folder.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut digests: Vec<(String, String)> = learned(&file)
            .0
            .iter()
            .map(|path| {
                let said = wordbrush::model::learned::said_of(path).unwrap();
                (path.file_name().unwrap().to_string_lossy().into_owned(), said["digest"].clone())
            })
            .collect();
        digests.sort();
        digests
    };
    let (one, two) = (with("1"), with("2"));
    assert_eq!(one.len(), 2);
    assert_eq!(one, two);
}

#[test]
fn what_cannot_be_learned_is_said_with_what_can_be_tried() {
    let mut talk = session_talk();
    refused(&mut talk, "/imagic a cat", "there is no picture yet");
    drew(&mut talk, PROMPT);
    refused(&mut talk, "/imagic", "needs");
    refused(&mut talk, "/imagic .5", "needs a prompt");
    refused(&mut talk, "/unitune .5 seed 3", "needs a prompt");
    refused(&mut talk, "/imagic blond -> red 2.5", "a strength lies between 0");
    refused(&mut talk, "/imagic blond -> red -1", "a strength lies between 0");
    refused(&mut talk, "/unitune blond -> red 0", "a strength is a share");
    refused(&mut talk, "/unitune blond -> red 1.5", "a strength is a share");
    refused(&mut talk, "/imagic blond -> red .5 seed x", "a seed is a whole number");
    refused(&mut talk, "/imagic purple -> red .5", "is not in the prompt");
    let long = "a woman's face with long wavy red hair and a hat and a scarf and glasses on a beach at night in the snow \
                beside a lake and a house and a car and a tree";
    refused(&mut talk, &format!("/imagic {long} .5"), "longer than the");
    refused(&mut talk, &format!("/unitune {long} .5"), "longer than the");
    for line in ["/imagic blond -> red", "/unitune blond -> red .5"] {
        let Ok(Reply::Text(shown)) = talk.line(&format!("/explain {line}"), &mut Unwatched) else { panic!("{line}") };
        for part in ["keeps", "back", "cost", "noise", "region", "learns", "3 steps", "MB of memory"] {
            assert!(shown.text.contains(part), "{}", shown.text);
        }
    }
    assert_eq!(talk.session.tree().len(), 1);
}
