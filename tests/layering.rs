//! No room names a room below it.

use std::path::{Path, PathBuf};

/// Rooms in the order that data flows. What stands outside them (`safe`, `measure`) may be named by all.
const ROOMS: [&str; 12] = [
    "turn",
    "prompt",
    "plan",
    "attention",
    "model",
    "engine",
    "history",
    "store",
    "session",
    "preview",
    "study",
    "repl",
];

/// Rooms that are functions of their arguments: no clock, no files, no terminal, no global.
const PURE: [&str; 6] = ["turn", "prompt", "plan", "attention", "engine", "history"];

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

fn code_of(room: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room);
    let mut paths = Vec::new();
    sources(&folder, &mut paths);
    assert!(!paths.is_empty(), "the room `{room}` is gone");
    let is_test =
        |p: &Path| p.components().any(|c| c.as_os_str().to_string_lossy().trim_end_matches(".rs").ends_with("tests"));
    let read = |p: PathBuf| {
        let text = std::fs::read_to_string(&p).expect("a source");
        // Unit tests at a file's end may do as they like.
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
        (p, code)
    };
    paths.into_iter().filter(|p| !is_test(p)).map(read).collect()
}

#[test]
fn no_room_names_a_room_below_it() {
    let mut wrong = Vec::new();
    for (i, room) in ROOMS.iter().enumerate() {
        for (path, code) in code_of(room) {
            for line in code.lines().filter(|l| !l.trim_start().starts_with("//")) {
                for below in &ROOMS[i + 1..] {
                    if line.contains(&format!("crate::{below}::")) || line.contains(&format!("crate::{below};")) {
                        wrong.push(format!("{}: {}", path.display(), line.trim()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "rooms name rooms below them:\n{}", wrong.join("\n"));
}

#[test]
fn pure_rooms_touch_no_clock_no_file_and_no_terminal() {
    let mut wrong = Vec::new();
    for room in PURE {
        for (path, code) in code_of(room) {
            for line in code.lines().filter(|l| !l.trim_start().starts_with("//")) {
                for outside in [
                    "std::time",
                    "std::fs",
                    "std::env",
                    "std::io",
                    "std::process",
                    "Instant::now",
                    "static mut",
                    "OnceLock",
                ] {
                    if line.contains(outside) && !(outside == "OnceLock" && room == "turn") {
                        wrong.push(format!("{}: {}", path.display(), line.trim()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "pure rooms reach outside:\n{}", wrong.join("\n"));
}

#[test]
fn unsafe_stands_in_the_kernels_alone() {
    for room in ROOMS {
        for (path, code) in code_of(room) {
            assert!(!code.contains("unsafe "), "{} has unsafe code", path.display());
        }
    }
}

/// Names of public types are the field's words; one that means two things is explained nowhere.
#[test]
fn each_public_type_name_has_one_meaning() {
    let mut names: std::collections::BTreeMap<String, PathBuf> = std::collections::BTreeMap::new();
    let mut twice = Vec::new();
    for (path, code) in ROOMS.iter().flat_map(|room| code_of(room)) {
        for line in code.lines() {
            let mut words = line.split_whitespace();
            let is_type =
                words.next() == Some("pub") && matches!(words.next(), Some("struct" | "enum" | "trait" | "type"));
            let Some(rest) = words.next().filter(|_| is_type) else { continue };
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if let Some(other) = names.insert(name.clone(), path.clone()) {
                twice.push(format!("{name}: {} and {}", other.display(), path.display()));
            }
        }
    }
    assert!(names.len() > 200, "only {} types were found", names.len());
    assert!(twice.is_empty(), "each of these names means two things:\n{}", twice.join("\n"));
}
