//! Studies of questions, on the command line.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

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
