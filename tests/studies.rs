//! Studies of questions, on the command line.

#[path = "common/clip.rs"]
mod clip;
mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use wordbrush::study::methods::{self, ComparedMethod, EditedSubject};

const SETTINGS: [&str; 8] =
    ["--set", "steps=2", "--set", "scheduler=ddim", "--set", "guidance=1", "--set", "precision=f32"];

fn wordbrush(home: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wordbrush"));
    command.args(args).env("WORDBRUSH_HOME", home.join("home")).env("XDG_CONFIG_HOME", home.join("config"));
    command.current_dir(home).output().expect("it starts")
}

#[track_caller]
fn works(home: &Path, args: &[&str]) -> String {
    let output = wordbrush(home, args);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{args:?}: {out}{err}");
    out.into_owned()
}

#[track_caller]
fn fails(home: &Path, args: &[&str]) -> String {
    let output = wordbrush(home, args);
    assert_eq!(output.status.code(), Some(2), "{args:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What a study gives, by name: its files and its pictures.
fn results(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files =
        [folder.to_owned(), folder.join("pictures")].into_iter().flat_map(|f| fs::read_dir(f).expect("a folder"));
    files
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_file() && !path.ends_with("runs.jsonl"))
        .map(|path| (path.file_name().expect("a name").to_string_lossy().into_owned(), fs::read(&path).expect("bytes")))
        .collect()
}

#[test]
fn a_study_that_several_tasks_share_gives_the_bytes_of_one_that_none_shares() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    fs::write(home.join("p.toml"), "prompt = \"a cat on a beach\"\nedits = [\"cat -> dog\"]\n").expect("written");
    let with =
        |more: &[&'static str]| [&["study", "cycle", "--seeds", "2", "--prompts", "p.toml"], more, &SETTINGS].concat();
    let out = works(home, &with(&["--out", "whole"]));
    assert!(out.contains("16 pictures") && out.contains("whole/cycle.html"), "{out}");
    let page = fs::read_to_string(home.join("whole/cycle.html")).expect("a page");
    assert!(page.contains("came home with every pixel equal") && page.contains("<svg"), "{page}");
    let csv = fs::read_to_string(home.join("whole/cycle.csv")).expect("a table");
    assert_eq!(csv.lines().count(), 17, "{csv}");

    works(home, &with(&["--out", "shared", "--shard", "1/2"]));
    let early = fails(home, &["study", "merge", "--out", "shared"]);
    assert!(early.contains("8 of 16 pictures are not there yet"), "{early}");
    works(home, &with(&["--out", "shared", "--shard", "2/2"]));
    works(home, &["study", "merge", "--out", "shared"]);
    let (whole, shared) = (results(&home.join("whole")), results(&home.join("shared")));
    assert_eq!(whole.keys().collect::<Vec<_>>(), shared.keys().collect::<Vec<_>>());
    let unlike: Vec<_> = whole.iter().filter(|(name, bytes)| shared[*name] != **bytes).map(|(name, _)| name).collect();
    assert!(unlike.is_empty(), "{unlike:?}");

    // What is done is not drawn again, and another study does not go into the same folder.
    let again = works(home, &with(&["--out", "whole"]));
    assert!(again.contains("16 pictures, 16 of them done before"), "{again}");
    let other = [&["study", "k", "--out", "whole"], &SETTINGS[..]].concat();
    assert!(fails(home, &other).contains("another study"));
}

#[test]
fn a_script_for_many_machines_names_every_part_of_the_study() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    let out = works(home, &["study", "k", "--out", "far", "--seeds", "3", "--slurm", "4", "--set", "steps=2"]);
    assert!(out.contains("far/k.sbatch"), "{out}");
    let script = fs::read_to_string(home.join("far/k.sbatch")).expect("a script");
    for part in [
        "#SBATCH --array=1-4",
        "#SBATCH --requeue",
        "study k",
        "--seeds 3",
        "--set 'steps=2'",
        "$SLURM_ARRAY_TASK_ID/4",
        "exec scontrol requeue",
    ] {
        assert!(script.contains(part), "{part}: {script}");
    }
}

#[test]
fn what_cannot_be_studied_is_told_before_anything_is_drawn() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    fs::write(home.join("p.toml"), "prompt = \"a cat\"\nedits = [\"make it a dog\"]\n").expect("written");
    fs::write(home.join("none.toml"), "prompt = \"a cat\"\n").expect("written");
    for (args, said) in [
        (
            vec!["study", "k", "--out", "a", "--prompts", "p.toml"],
            "`make it a dog` is not words and what takes their place",
        ),
        (vec!["study", "reweight", "--out", "a", "--prompts", "p.toml"], "is not a word to weigh"),
        (vec!["study", "k", "--out", "a", "--prompts", "none.toml"], "there are no edits to study"),
        (vec!["study", "k", "--out", "a", "--prompts", "gone.toml"], "there is no such file"),
        (vec!["study", "k", "--out", "a", "--shard", "5/4"], "`--shard 5/4` is no share of a study"),
        (vec!["study", "merge", "--out", "a"], "cannot read a/study.json"),
        (vec!["study", "nonsense", "--out", "a"], "nonsense"),
    ] {
        let error = fails(home, &args);
        assert!(error.contains(said), "{args:?}: {error}");
        assert!(!home.join("a/runs.jsonl").exists(), "{args:?}");
        let _ = fs::remove_dir_all(home.join("a"));
    }
}

/// Photographs with their list in `folder`, the first with the region of its edit.
fn photographs(folder: &Path, lines: &[&str]) {
    fs::create_dir_all(folder).expect("a folder");
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/photographs");
    for name in ["cat.png", "woman.png"] {
        fs::copy(kept.join(name), folder.join(name)).expect("copied");
    }
    let mask = image::RgbImage::from_fn(128, 128, |x, y| image::Rgb([if x > 30 && y > 30 { 255 } else { 0 }; 3]));
    mask.save(folder.join("cat.mask.png")).expect("written");
    fs::write(folder.join("captions.tsv"), lines.join("\n")).expect("written");
}

/// The rows of a table, by the names of its columns.
fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = fs::read_to_string(path).expect("a table");
    let mut lines = text.lines();
    let head: Vec<&str> = lines.next().expect("a head").split(',').collect();
    lines
        .map(|line| head.iter().map(|name| (*name).to_owned()).zip(line.split(',').map(str::to_owned)).collect())
        .collect()
}

#[test]
fn a_study_of_photographs_measures_each_by_every_inversion_and_goes_on_with_what_is_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    let cat = "cat.png\tan orange cat on a beach\tcat -> dog\torange -> white";
    photographs(&home.join("mine"), &[cat]);
    clip::write_clip(&home.join("clip"));
    let args = [&["study", "photographs", "mine", "--clip", "clip", "--out", "out"], &SETTINGS[..]].concat();
    let out = works(home, &args);
    assert!(out.contains("2 of 2 · cat.png, 2 edits and back"), "{out}");
    let first = rows(&home.join("out/photographs.csv"));
    // Four inversions, each with the photograph's pixels around and with the model's.
    assert_eq!(first.len(), 8);
    for row in &first {
        assert_eq!(row["region"], "true", "{row:?}");
        let own = &row["psnr_outside_own"];
        assert_eq!(own == "equal", row["outside"] == "photograph", "{row:?}");
        for name in ["ceiling", "first", "psnr", "ssim", "structure", "shown", "clip", "iou", "seconds", "evaluations"]
        {
            assert!(row[name].parse::<f64>().is_ok_and(f64::is_finite), "{name}: {row:?}");
        }
    }
    let turns = rows(&home.join("out/chains.csv"));
    let exact: Vec<&str> = turns.iter().map(|row| row["is_exact"].as_str()).collect();
    assert_eq!(exact, ["", "", "true", "true"]);
    assert!(turns.iter().all(|row| row["pasted"] == "equal"), "{turns:?}");
    let page = fs::read_to_string(home.join("out/photographs.html")).expect("a page");
    assert!(page.contains("4 of 4 pictures are the file there") && page.contains("data:image/png;base64,"), "{out}");

    let woman = "woman.png\ta woman's face with long blond hair\tblond -> red";
    photographs(&home.join("mine"), &[cat, woman]);
    let out = works(home, &args);
    assert!(out.contains("3 of 3 · woman.png") && !out.contains("· cat.png"), "{out}");
    let more = rows(&home.join("out/photographs.csv"));
    assert_eq!(more[..8], first[..]);
    assert!(
        more.len() == 16 && more[8..].iter().all(|row| row["region"] == "edit" && row["iou"].is_empty()),
        "{more:?}"
    );
    let other = [&["study", "photographs", "mine", "--out", "out"], &SETTINGS[..]].concat();
    let error = fails(home, &other);
    assert!(error.contains("out holds another study"), "{error}");
}

#[test]
fn photographs_listed_as_pie_bench_lists_them_are_edited_to_its_prompts() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    photographs(&home.join("pie/annotation_images/0_random"), &[]);
    let list = serde_json::json!({"000": {
        "image_path": "0_random/cat.png",
        "original_prompt": "an orange cat on a beach",
        "editing_prompt": "an orange [dog] on a beach",
        "editing_type_id": "1",
        "mask": [60_000, 40_000],
    }});
    fs::write(home.join("pie/mapping_file.json"), list.to_string()).expect("written");
    let out = works(home, &[&["study", "photographs", "pie", "--out", "out"], &SETTINGS[..]].concat());
    assert!(out.contains("1 of 1 · 0_random/cat.png"), "{out}");
    let all = rows(&home.join("out/photographs.csv"));
    assert!(all.len() == 8 && all.iter().all(|row| row["region"] == "true"), "{all:?}");
    fs::remove_file(home.join("pie/mapping_file.json")).expect("removed");
    let error = fails(home, &[&["study", "photographs", "pie", "--out", "more"], &SETTINGS[..]].concat());
    assert!(error.contains("neither captions.tsv nor PIE-Bench's mapping_file.json"), "{error}");
}

#[test]
fn a_study_of_methods_edits_photographs_by_every_method_and_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    photographs(&home.join("mine"), &["cat.png\tan orange cat on a beach\tcat -> dog"]);
    let args = [&["study", "methods", "mine", "--seeds", "0", "--out", "out"], &SETTINGS[..]].concat();
    let out = works(home, &args);
    assert!(out.contains("1 of 1 · cat.png, cat -> dog"), "{out}");
    let all = rows(&home.join("out/methods.csv"));
    assert_eq!(all.len(), 11);
    let of = |name: &str| all.iter().find(|row| row["method"] == name).expect("a row");
    assert_eq!(of("words")["home"], "0", "words lead home");
    assert!(of("sdedit .7")["home"].parse::<f64>().is_ok_and(|home| home > 0.0));
    assert_eq!((of("nothing")["psnr"].as_str(), of("nothing")["home"].as_str()), ("60", ""));
    assert_eq!(of("paint")["psnr"], "60", "told the true region, it leaves the rest alone");
    let table = fs::read_to_string(home.join("out/methods.md")).expect("a table");
    assert!(table.starts_with("Photographs\n\n| method |"), "{table}");
    assert!(home.join("out/photograph-1.png").is_file());
    let again = works(home, &args);
    assert!(!again.contains("of 1 ·"), "nothing is left to draw: {again}");
    let error = fails(home, &["study", "methods", "--seeds", "0", "--out", "none"]);
    assert!(error.contains("there is nothing to edit"), "{error}");
    let error = fails(home, &["study", "k", "--seeds", "0", "--out", "none"]);
    assert!(error.contains("--seeds 0"), "{error}");
}

#[test]
fn a_drawn_picture_is_edited_by_methods_that_are_measured_outside_the_words_place() {
    let pairs = [("steps", "4"), ("guidance", "1"), ("precision", "f32")];
    let mut session = common::session(&pairs);
    let methods = [
        ComparedMethod::Nothing,
        ComparedMethod::Words,
        ComparedMethod::ClP2p,
        ComparedMethod::WordsInRegion,
        ComparedMethod::DrawnAfresh,
    ];
    let subject = EditedSubject::Drawn { edit: 3, seed: 2 };
    let (rows, sheet) = methods::one(&mut session, &subject, &methods).expect("it is drawn");
    assert_eq!(rows.iter().map(|row| row.method).collect::<Vec<_>>(), methods);
    assert!(rows.iter().all(|row| row.unit == "seed 2" && row.edit == "red -> blue" && !row.is_photograph));
    let number =
        |row: usize, name: &str| rows[row].numbers[methods::NUMBERS.iter().position(|n| *n == name).expect("a name")];
    assert_eq!((number(0, "structure"), number(0, "home"), number(0, "evaluations")), (Some(1.0), None, Some(0.0)));
    assert_eq!((number(1, "home"), number(1, "evaluations")), (Some(0.0), Some(4.0)));
    assert!(number(4, "home").is_none() && sheet.width() > 5 * 128);
    // The windows of the other preset make another picture.
    assert_ne!(number(1, "structure"), number(2, "structure"));
}
