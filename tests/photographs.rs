//! A picture from a file as the first picture of a tree, and what every later turn keeps of it.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod common;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use common::session;
use common::talking::{bits, drew, refused};
use wordbrush::engine::Picture;
use wordbrush::measure::psnr;
use wordbrush::plan::settings::Settings;
use wordbrush::repl::reply::Reply;
use wordbrush::repl::talk::{Talk, Unwatched, Watcher};
use wordbrush::session::file::Trust;
use wordbrush::session::home::Home;
use wordbrush::session::photograph::paste::inside_of;
use wordbrush::session::replay::{Lessons, Verdict};
use wordbrush::session::run_node::RunResult;
use wordbrush::session::{Options, Session, to_image};
use wordbrush::store::Limits;

const SETTINGS: [(&str, &str); 4] = [("steps", "4"), ("guidance", "2"), ("seed", "7"), ("precision", "f32")];
const CAPTION: &str = "an orange cat on a beach";

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/photographs").join(name)
}

fn pixels(path: &Path) -> Vec<u8> {
    image::open(path).unwrap().into_rgb8().into_raw()
}

fn talk(extra: &[(&'static str, &'static str)]) -> Talk {
    let settings: Vec<(&str, &str)> = SETTINGS.iter().copied().chain(extra.iter().copied()).collect();
    Talk::new(session(&settings), None)
}

fn open_line(path: &Path, caption: &str) -> String {
    format!("/open '{}' \"{caption}\"", path.display())
}

/// Which pixels of an edit lie outside its region, by the mask of its last step.
fn outside(left: &RunResult) -> Vec<bool> {
    let (h, w, _) = left.trajectory.last().dims3().unwrap();
    let mask = left.masks.last().unwrap().as_ref().expect("the last step was blended");
    inside_of(mask, (h, w), (left.picture.width, left.picture.height)).iter().map(|inside| !inside).collect()
}

/// How many pixels outside a region differ between two pictures, and how many pixels lie there.
fn differ(a: &Picture, bytes: &[u8], outside: &[bool]) -> (usize, usize) {
    let there: Vec<usize> = (0..outside.len()).filter(|p| outside[*p]).collect();
    (there.iter().filter(|p| a.bytes[3 * **p..3 * **p + 3] != bytes[3 * **p..3 * **p + 3]).count(), there.len())
}

#[test]
fn the_first_picture_is_the_file_and_undo_gives_its_bytes_back() {
    let mut talk = talk(&[]);
    let root = drew(&mut talk, &open_line(&file("cat.png"), CAPTION));
    assert_eq!(root.turned.left.picture.bytes, pixels(&file("cat.png")));
    assert_eq!(talk.session.tree()[1].plan.prompt, CAPTION);
    let edit = drew(&mut talk, "cat -> dog");
    assert_ne!(edit.turned.left.picture.bytes, root.turned.left.picture.bytes);
    talk.line("undo", &mut Unwatched).unwrap();
    talk.session.forget();
    assert_eq!(talk.session.picture(1).unwrap().bytes, pixels(&file("cat.png")));
    // The same file and caption again is the same node.
    assert!(drew(&mut talk, &open_line(&file("cat.png"), CAPTION)).turned.existed);
}

#[test]
fn outside_the_region_every_pixel_is_the_photographs_after_each_of_several_edits() {
    let mut talk = talk(&[]);
    drew(&mut talk, &open_line(&file("cat.png"), CAPTION));
    let photograph = pixels(&file("cat.png"));
    let mut stays = vec![true; photograph.len() / 3];
    for line in ["cat -> dog", "orange -> black", "dog*1.5"] {
        let edit = drew(&mut talk, line);
        outside(&edit.turned.left).iter().zip(&mut stays).for_each(|(outside, stays)| *stays &= outside);
        let (differ, all) = differ(&edit.turned.left.picture, &photograph, &stays);
        assert!(differ == 0 && all > 100, "`{line}`: {differ} of {all}");
    }
    // The model's own pixels are others, and its region is the same.
    talk.session.set("outside", "model").unwrap();
    talk.line("#1", &mut Unwatched).unwrap();
    let own = drew(&mut talk, "cat -> dog");
    let (differ, all) = differ(&own.turned.left.picture, &photograph, &outside(&own.turned.left));
    assert!(differ > all / 4, "{differ} of {all}");
    // A child of it that asks for the photograph again has its pixels, not its parent's.
    talk.session.set("outside", "photograph").unwrap();
    let child = drew(&mut talk, "orange -> black");
    let both: Vec<bool> =
        outside(&own.turned.left).iter().zip(outside(&child.turned.left)).map(|(a, b)| *a && b).collect();
    assert_eq!(self::differ(&child.turned.left.picture, &photograph, &both).0, 0);
}

#[test]
fn words_taken_back_lead_to_the_photograph_and_to_pictures_between_bit_for_bit() {
    let mut talk = talk(&[]);
    let root = drew(&mut talk, &open_line(&file("cat.png"), CAPTION));
    let dog = drew(&mut talk, "cat -> dog");
    drew(&mut talk, "orange -> white");
    let dog_again = drew(&mut talk, "white -> orange");
    assert_eq!(bits(&dog_again.turned.left), bits(&dog.turned.left));
    assert_eq!(dog_again.turned.left.picture, dog.turned.left.picture);
    let home = drew(&mut talk, "dog -> cat");
    assert_eq!(bits(&home.turned.left), bits(&root.turned.left));
    assert_eq!(home.turned.left.picture.bytes, pixels(&file("cat.png")));
    let Ok(Reply::Cycled(cycled)) = talk.line("/cycle #1", &mut Unwatched) else { panic!("no way back") };
    assert!(cycled.steps.iter().all(|(step, ..)| step.identical));
    assert!(cycled.steps.iter().all(|(step, ..)| step.predicted.as_ref().is_some_and(|told| told.is_exact())));
}

/// A session in a file.
fn kept(path: &Path, settings: &[(&str, &str)]) -> Session {
    let overrides = settings.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    Session::open(Options {
        home: Home::find(|_| Some("/nowhere".into())).unwrap(),
        path: Some(path.to_owned()),
        read_only: false,
        settings: Settings::default(),
        overrides,
        limits: Limits { ram: 1 << 30, disk: 1 << 30 },
    })
    .unwrap()
}

#[test]
fn a_session_is_replayed_and_gone_on_with_when_the_photographs_file_is_gone_and_the_store_is_cold() {
    let folder = tempfile::tempdir().unwrap();
    let (photo, path) = (folder.path().join("my cat.png"), folder.path().join("s.jsonl"));
    for inversion in ["direct", "edit-friendly"] {
        std::fs::copy(file("cat.png"), &photo).unwrap();
        let settings: Vec<(&str, &str)> =
            SETTINGS.iter().copied().chain([("inversion", inversion), ("steps", "2")]).collect();
        let mut talk = Talk::new(kept(&path, &settings), None);
        drew(&mut talk, &open_line(&photo, CAPTION));
        let warm = drew(&mut talk, "cat -> dog");
        let (tree, first) = (talk.session.tree().clone(), bits(&warm.turned.left));
        drop(talk);
        std::fs::remove_file(&photo).unwrap();
        std::fs::remove_dir_all(path.with_extension("store")).unwrap();
        let mut other = session(&[]);
        let go = &mut |_: &_, _| ControlFlow::Continue(());
        let replay = other
            .replay(&path, (Trust::Imported, Lessons::AsKept), go, &mut |_, _: &_| ControlFlow::Continue(()))
            .unwrap();
        assert!(replay.nodes.iter().all(|n| n.verdict == Verdict::Same) && replay.nodes.len() == 2, "{inversion}");
        assert!(replay.notes[0].contains("my cat.png") && replay.notes[0].contains("is gone"), "{:?}", replay.notes);
        let mut again = kept(&path, &[]);
        assert_eq!(*again.tree(), tree);
        assert!(again.take_notes().iter().any(|note| note.contains("is gone")));
        assert_eq!(again.picture(1).unwrap().bytes, pixels(&file("cat.png")));
        assert_eq!(bits(&again.look(2).unwrap().0), first, "{inversion}: a cold store leads elsewhere");
        drop(again);
        std::fs::remove_file(&path).unwrap();
        std::fs::remove_dir_all(path.with_extension("store")).unwrap();
    }
}

#[test]
fn direct_starts_from_the_way_up_itself_and_ddim_from_where_its_noise_leads() {
    let mut session = session(&[]);
    drop(session.model().unwrap());
    let root = |inversion: &'static str| {
        let mut talk = talk(&[("inversion", inversion)]);
        let root = drew(&mut talk, &open_line(&file("cat.png"), CAPTION));
        let edit = drew(&mut talk, "cat -> dog");
        let engine = talk.session.model().unwrap();
        let shown = engine.engine.decode(root.turned.left.trajectory.last()).unwrap();
        let picture = Picture { width: 128, height: 128, bytes: pixels(&file("cat.png")) };
        let ceiling = engine.engine.decode(&engine.engine.encode(&picture).unwrap()).unwrap();
        let likeness = |p: &Picture| psnr(&to_image(p), &to_image(&picture)).unwrap();
        (bits(&root.turned.left), bits(&edit.turned.left), likeness(&shown), likeness(&ceiling), root.turned.id(&talk))
    };
    let (direct, ddim) = (root("direct"), root("ddim"));
    // Both climb to the same noise; the first stays on its way, the second does not.
    assert_eq!(direct.0[0], ddim.0[0]);
    assert_ne!(direct.0[4], ddim.0[4]);
    assert!((direct.2 - direct.3).abs() < 0.1, "{} dB, and the autoencoder's own is {}", direct.2, direct.3);
    assert!(ddim.2 < direct.2 - 0.5, "{} dB, but {} with direct", ddim.2, direct.2);
    assert!(direct.1 != ddim.1 && direct.4 != ddim.4);
}

trait HasId {
    fn id(&self, talk: &Talk) -> String;
}

impl HasId for wordbrush::session::TurnResult {
    fn id(&self, talk: &Talk) -> String {
        talk.session.tree()[self.node].id.hex()
    }
}

#[test]
fn without_guidance_null_text_has_nothing_to_learn_and_is_ddim_to_the_bit() {
    let edited = |inversion: &'static str| {
        let mut talk = talk(&[("inversion", inversion), ("steps", "4"), ("guidance", "1")]);
        let root = drew(&mut talk, &open_line(&file("cat.png"), CAPTION));
        let edit = drew(&mut talk, "cat -> dog");
        let counted = [root.turned.evaluations, edit.turned.evaluations];
        (bits(&root.turned.left), bits(&edit.turned.left), counted)
    };
    assert!(edited("null-text") == edited("ddim"), "bits or evaluations differ");
}

/// Its gradients run through the UNet in doubles, which takes minutes.
#[test]
#[ignore = "takes minutes: cargo test --release --test photographs -- --ignored"]
fn null_text_retraces_the_photograph_nearer_than_ddim_and_its_words_are_found_again_in_the_store() {
    let likeness = |inversion: &'static str| {
        let mut talk = talk(&[("inversion", inversion), ("steps", "2"), ("guidance", "4")]);
        let root = drew(&mut talk, &open_line(&file("cat.png"), CAPTION));
        let shown = talk.session.model().unwrap().engine.decode(root.turned.left.trajectory.last()).unwrap();
        let picture = Picture { width: 128, height: 128, bytes: pixels(&file("cat.png")) };
        drew(&mut talk, "cat -> dog");
        psnr(&to_image(&shown), &to_image(&picture)).unwrap()
    };
    let (null, ddim) = (likeness("null-text"), likeness("ddim"));
    assert!(null > ddim, "{null} dB with null-text, {ddim} with ddim");
}

struct StopsAt(usize);

impl Watcher for StopsAt {
    fn step(&mut self, done: usize, all: usize, _latent: &candle_core::Tensor) -> ControlFlow<()> {
        assert!(done <= all, "{done} of {all}");
        if done == self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[test]
fn an_inversion_that_is_stopped_at_any_latent_grows_nothing() {
    let mut talk = talk(&[]);
    let line = open_line(&file("cat.png"), CAPTION);
    for at in [1, 4, 5, 8] {
        assert!(matches!(talk.line(&line, &mut StopsAt(at)), Ok(Reply::Stopped)), "at {at}");
        assert_eq!(talk.session.tree().len(), 0, "at {at}");
    }
    assert!(matches!(talk.line(&line, &mut StopsAt(9)), Ok(Reply::Drew(_))), "there are 8 latents");
}

#[test]
fn a_region_given_as_a_rectangle_keeps_the_photograph_around_it_to_the_pixel() {
    let mut talk = talk(&[]);
    drew(&mut talk, &open_line(&file("cat.png"), CAPTION));
    let photograph = pixels(&file("cat.png"));
    let inside = |p: usize| (30..90).contains(&(p % 128)) && (37..101).contains(&(p / 128));
    let around: Vec<bool> = (0..128 * 128).map(|p| !inside(p)).collect();
    for line in ["/in 30,37,60,64 cat -> dog", "/region 30,37,60,64"] {
        talk.line("#1", &mut Unwatched).unwrap();
        talk.line(line, &mut Unwatched).unwrap();
    }
    let fox = drew(&mut talk, "cat -> fox");
    for node in [2, fox.turned.node] {
        let picture = talk.session.picture(node).unwrap();
        assert_eq!(differ(&picture, &photograph, &around).0, 0, "#{node}");
        let within: Vec<bool> = around.iter().map(|outside| !outside).collect();
        assert!(differ(&picture, &photograph, &within).0 > 500, "#{node}");
    }
    refused(&mut talk, "/region 100,100,64,64", "reaches beyond the picture");
    refused(&mut talk, "/region no-such.png", "cannot read the mask");
    refused(&mut talk, "/region bench", "`bench` is no word of the prompt");
}

#[test]
fn a_picture_without_a_caption_and_one_that_cannot_be_are_told_with_what_to_try() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let whole = std::fs::read(file("cat.png")).unwrap();
    std::fs::write(at("cut.png"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(at("words.jpg"), "no picture at all").unwrap();
    std::fs::write(at("empty.png"), "").unwrap();
    let mut talk = talk(&[]);
    refused(&mut talk, &format!("/open {}", file("cat.png").display()), "is a picture without words");
    refused(&mut talk, &open_line(&at("cut.png"), CAPTION), "is a PNG picture that ends too early");
    refused(&mut talk, &open_line(&at("words.jpg"), CAPTION), "is no picture");
    refused(&mut talk, &open_line(&at("empty.png"), CAPTION), "is no picture");
    refused(&mut talk, &open_line(&at("none.png"), CAPTION), "there is no file");
    let line = open_line(&file("cat.png"), CAPTION);
    talk.session.set("scheduler", "dpm").unwrap();
    refused(&mut talk, &line, "`scheduler` is `dpm`, but photographs are inverted by `ddim`");
    talk.session.set("scheduler", "ddim").unwrap();
    talk.session.set("inversion", "direct").unwrap();
    drew(&mut talk, &line);
    refused(&mut talk, "/again", "grew from a photograph, which has no other noise");
    // The default has noise of a seed.
    talk.session.set("inversion", "edit-friendly").unwrap();
    drew(&mut talk, &line);
    drew(&mut talk, "/again");
}

#[test]
fn somebody_who_types_is_asked_for_the_caption_and_enter_takes_what_is_noted_in_the_file_or_looks_likest() {
    let folder = tempfile::tempdir().unwrap();
    let noted = folder.path().join("noted.png");
    let picture = image::open(file("cat.png")).unwrap().into_rgb8();
    let parameters = "a cat\nSteps: 20, Sampler: DDIM, CFG scale: 7, Seed: 1, Size: 128x128, Model: other";
    let notes = wordbrush::preview::png::Notes { parameters: Some(parameters.to_owned()), wordbrush: None };
    wordbrush::preview::png::save(&noted, &picture, &notes).unwrap();
    let settings: Vec<(&str, &str)> = SETTINGS.to_vec();
    let mut talk = Talk::new(session(&settings), None).forgiving();
    let asked = |talk: &mut Talk, line: &str| match talk.line(line, &mut Unwatched) {
        Ok(Reply::Text(shown)) => shown.text,
        Ok(_) => panic!("`{line}` is no question"),
        Err(error) => panic!("`{line}`: {error:#}"),
    };
    // A file that is dropped on the terminal is a line with its path.
    let said = asked(&mut talk, &file("cat.png").display().to_string());
    assert!(said.contains("what does `cat.png` show?"), "{said}");
    drew(&mut talk, CAPTION);
    assert_eq!(talk.session.tree()[1].plan.prompt, CAPTION);
    // Behind it may stand what it shows.
    let again = drew(&mut talk, &format!("'{}' an orange cat on a beach", file("cat.png").display()));
    assert!(again.turned.existed);
    let said = asked(&mut talk, &format!("/open {}", noted.display()));
    assert!(said.contains("Enter alone takes the words noted in it: a cat"), "{said}");
    drew(&mut talk, "");
    assert_eq!(talk.session.tree()[2].plan.prompt, "a cat");
    let said = asked(&mut talk, &format!("/open {}", file("dog.png").display()));
    let (_, nearest) = said.split_once("Enter alone takes the nearest that this model knows: ").expect("a proposal");
    assert!(nearest.contains("dog"), "{said}");
    drew(&mut talk, "");
    assert_eq!(talk.session.tree()[3].plan.prompt, nearest);
}

#[test]
fn a_picture_that_carries_a_photographs_tree_opens_without_any_file() {
    let folder = tempfile::tempdir().unwrap();
    let settings: Vec<(&str, &str)> = SETTINGS.to_vec();
    let mut talk = Talk::new(session(&settings), Some(folder.path().to_owned()));
    drew(&mut talk, &open_line(&file("cat.png"), CAPTION));
    let edit = drew(&mut talk, "cat -> dog");
    let (_, notes) = wordbrush::preview::png::open(edit.image.as_deref().unwrap()).unwrap();
    let lineage = notes.wordbrush.unwrap();
    let text = lineage.to_string();
    assert!(text.contains("\"file\":\"cat.png\"") && !text.contains("tests/photographs"), "the folder is told");
    let contents = wordbrush::session::file::read_lineage(&lineage).unwrap();
    let (photograph, _) = contents.tree[1].recipe.photograph().unwrap();
    assert_eq!(photograph.bytes(), pixels(&file("cat.png")));
    assert_eq!(contents.tree[2].id, talk.session.tree()[2].id);
}
