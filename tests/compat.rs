//! What earlier versions wrote still opens, and nothing that cannot be true is believed, whichever way it comes.
//!
//! `compat/first-format.jsonl` and `.png` are a session and the picture of its #5, written by version 0.1.0 before pictures
//! carried the rows of session files. Reading them needs no model.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly anywhere")]

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use wordbrush::history::{Node, Tree};
use wordbrush::preview::png;
use wordbrush::session::file::{Contents, Trust, read, read_lineage, write_lineage};
use wordbrush::store::disk::RealDisk;

fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat").join(name)
}

fn session() -> Contents {
    read(&kept("first-format.jsonl"), &RealDisk, Trust::Imported).unwrap()
}

/// What the picture carries, as it was written then.
fn first_format() -> Value {
    png::open_notes(&kept("first-format.png")).unwrap().wordbrush.unwrap()
}

/// The same as it is written today.
fn second_format() -> Value {
    let contents = read_lineage(&first_format()).unwrap();
    write_lineage(&contents.tree.nodes().iter().collect::<Vec<_>>(), &|_| None).unwrap()
}

fn ids(nodes: &[Node]) -> Vec<String> {
    nodes.iter().map(|node| node.id.hex()).collect()
}

#[test]
fn a_session_of_the_first_version_opens_whole() {
    let contents = session();
    assert_eq!((contents.notes, contents.outside), (vec![], vec![]));
    assert_eq!((contents.tree.len(), contents.tree.log().len()), (7, 17));
    assert!(contents.drawn.iter().all(Option::is_some));
    assert_eq!(contents.tree[5].plan.weights[6], 2.0);
}

#[test]
fn a_picture_of_the_first_version_brings_the_nodes_of_its_session() {
    assert_eq!(first_format()["format"], 1);
    let contents = read_lineage(&first_format()).unwrap();
    let (all, brought) = (session().tree, contents.tree);
    assert_eq!(ids(brought.nodes()), ids(&all.nodes()[..5]));
    let same = |tree: &Tree| tree.nodes()[..5].iter().map(|n| (n.plan.clone(), n.changes.clone())).collect::<Vec<_>>();
    assert_eq!(same(&brought), same(&all));
}

#[test]
fn a_picture_of_today_brings_the_rows_that_its_session_has() {
    let all = session();
    // #7 hangs on #3: three nodes above it, counted anew.
    let mut path = all.tree.path_to_root(7);
    path.reverse();
    let drawn = |node: &Node| all.drawn[node.number as usize - 1].clone();
    let lineage = write_lineage(&path, &drawn).unwrap();
    assert_eq!((lineage["format"].clone(), lineage["nodes"].as_array().unwrap().len()), (json!(2), 4));
    let again = read_lineage(&lineage).unwrap();
    assert_eq!(
        again.tree.nodes().iter().map(|n| n.id).collect::<Vec<_>>(),
        path.iter().map(|n| n.id).collect::<Vec<_>>()
    );
    assert_eq!(again.drawn, path.iter().map(|n| drawn(n)).collect::<Vec<_>>());
    assert_eq!(again.tree[4].parent, Some(3));
}

#[test]
fn a_lineage_that_says_what_cannot_be_is_refused_in_either_format() {
    let refused = |lineage: &Value, at: &str, value: &Value| {
        let mut bad = lineage.clone();
        *bad.pointer_mut(at).unwrap_or_else(|| panic!("{at}")) = value.clone();
        assert!(read_lineage(&bad).is_err(), "{at} = {value}");
    };
    let (first, second) = (first_format(), second_format());
    assert!(read_lineage(&first).is_ok() && read_lineage(&second).is_ok());
    for (at, value) in [
        ("/format", json!(3)),
        ("/format", json!("2")),
        ("/nodes", json!([])),
        ("/nodes", json!({})),
        ("/nodes/1", json!(7)),
        ("/nodes/1/id", json!("0000000000")),
        ("/nodes/1/id", json!("")),
        ("/nodes/1/changes", json!("x")),
    ] {
        refused(&first, at, &value);
        refused(&second, at, &value);
    }
    for (at, value) in [
        ("/recipe/steps", json!(1_000_000)),
        ("/recipe/width", json!(0)),
        ("/recipe/guidance", json!(1e300)),
        ("/recipe/origin", json!({"picture": {"digest": "x", "method": "ddim"}})),
        ("/nodes/1/plan/weights", json!([1.0])),
        ("/nodes/3/plan/weights/6", json!(1e9)),
        ("/nodes/1/plan/spans/0/source", json!({"start": 1, "end": 99})),
        ("/nodes/1/plan/spans/0/target", json!({"start": 2, "end": 1})),
        ("/nodes/1/plan/columns/3", json!({"from": {"up": 9, "tokens": []}})),
        ("/nodes/1/plan/columns/3", json!({"from": {"up": 1, "tokens": [[9999, 1.0]]}})),
        ("/nodes/1/plan/region", json!({"as": {"up": 0}})),
        ("/nodes/1/plan/settings/k", json!(7)),
        ("/nodes/1/plan/settings/self_replace_steps", json!({"from": 0})),
        ("/nodes/1/plan/prompt", json!("a woman's face with long wavy green hair")),
    ] {
        refused(&first, at, &value);
    }
    for (at, value) in [
        ("/nodes/0/recipe/steps", json!(0)),
        ("/nodes/0/recipe/scheduler", json!("zigzag")),
        ("/nodes/0/recipe/precision", json!("f16")),
        ("/nodes/0/columns", json!("1:0..32")),
        ("/nodes/0/columns", json!("5000x own")),
        ("/nodes/0/columns", json!("31x own")),
        ("/nodes/1/parent", json!(2)),
        ("/nodes/1/node", json!(3)),
        ("/nodes/1/columns", json!("4:0..32")),
        ("/nodes/1/columns", json!("1:1..33")),
        ("/nodes/1/columns", json!("1:0..4294967295")),
        ("/nodes/1/columns", json!("1:0..30, 1:0*NaN, 1:31..32")),
        ("/nodes/1/spans/0", json!([7, 8, 8, 9])),
        ("/nodes/1/spans/0", json!([0, 99, 0, 99])),
        ("/nodes/1/region", json!({"words": {"source": [99], "target": [], "source_out": [], "target_out": []}})),
        ("/nodes/1/settings/cross_words", json!({"glasses": [0.0, 9.0]})),
    ] {
        refused(&second, at, &value);
    }
}

#[test]
fn a_model_outside_the_folder_is_cut_down_to_its_last_part_and_that_is_said() {
    let cut = |mut lineage: Value, at: &str| {
        *lineage.pointer_mut(at).unwrap() = json!("../../etc/secret");
        let contents = read_lineage(&lineage).unwrap();
        assert_eq!((contents.tree[1].recipe.model.as_str(), contents.outside.len()), ("secret", 1));
    };
    cut(first_format(), "/recipe/model");
    cut(second_format(), "/nodes/0/recipe/model");
}

#[test]
fn a_session_that_cannot_be_read_whole_does_not_verify() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.jsonl");
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("sessions/hair.jsonl")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.iter().position(|line| line.starts_with("{\"grow\"")).unwrap();
    let verify = |text: String| {
        std::fs::write(&path, text).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_wordbrush"));
        command.args(["replay", "--verify"]).arg(&path).env("WORDBRUSH_HOME", folder.path());
        let output = command.env("XDG_CONFIG_HOME", folder.path()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, said) = verify(lines[..=first].join("\n") + "\n");
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = verify(format!("{}\nxxx{}\n{}\n", lines[..=first].join("\n"), lines[1], lines[1]));
    assert!(code == Some(1) && said.contains("1 pictures, 0 differ; line ") && said.contains("is damaged"), "{said}");
}
