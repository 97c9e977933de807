//! Transcripts and pictures of README and the guide come from the program, and are what it does today.
//!
//! A block below `<!-- transcript hair 2..4 -->` is what the lines 2 to 4 of `docs/transcripts/hair.txt` look like when they
//! are typed in a terminal; 0 is the command and the greeting. A block below `<!-- commands -->` is what its `$ wordbrush`
//! lines print, in a folder with the guide's example files; one below `<!-- file sweep.toml -->` is such a file. Seconds,
//! decibels, sizes and names of sessions may differ; pictures are compared by thumbprint, since kernels differ by machine.
//!
//! `WORDBRUSH_WRITE_DOCS=1 cargo test --release --test readme` writes blocks and pictures anew.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly anywhere")]
#![cfg(unix)]

#[path = "common/screen.rs"]
mod screen;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use screen::type_into;
use wordbrush::measure::{thumbprint, thumbprint_psnr};
use wordbrush::preview::png;

const PROGRAM: &str = env!("CARGO_BIN_EXE_wordbrush");

/// Arguments that a transcript is typed under.
const ARGUMENTS: [&str; 2] = ["--set", "seed=21"];

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn writes() -> bool {
    std::env::var_os("WORDBRUSH_WRITE_DOCS").is_some()
}

/// Pages that may have blocks.
fn pages() -> Vec<PathBuf> {
    let guide = std::fs::read_dir(project().join("docs/guide")).unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<PathBuf> = guide.filter(|path| path.extension().is_some_and(|e| e == "md")).collect();
    pages.push(project().join("README.md"));
    pages.sort();
    pages
}

/// A page's text with every marked block made anew by `fresh`, which gets the marker and the block.
fn renewed(page: &str, fresh: &mut dyn FnMut(&str, &str) -> String) -> String {
    let mut out = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("<!-- ") {
        let (marker, after) = after.split_once(" -->\n").expect("a comment ends");
        out.push_str(&format!("{before}<!-- {marker} -->\n"));
        rest = after;
        if ["transcript ", "file ", "commands"].iter().any(|kind| marker.starts_with(kind)) {
            let (fence, body) = after.split_once('\n').expect("a block follows its marker");
            assert!(fence.starts_with("```"), "no block follows <!-- {marker} -->");
            let (old, after) = body.split_once("```\n").expect("a block ends");
            out.push_str(&format!("{fence}\n{}\n```\n", fresh(marker, old.trim_end())));
            rest = after;
        }
    }
    out + rest
}

/// What may differ from run to run and from machine to machine is left out: measured numbers, names of sessions, the
/// processor's arithmetic, and where lines are folded because of them.
fn steady(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_number = |word: &str| word.trim_end_matches(['%', ',']).parse::<f64>().is_ok();
    let unit = |at: usize| {
        words.get(at + 1).is_some_and(|u| ["s", "dB", "kB", "MB", "%"].contains(&u.trim_end_matches([',', ';'])))
    };
    let told = |at: usize| match words[at] {
        word if is_number(word) && (unit(at) || word.ends_with('%') || (at > 0 && words[at - 1] == "to")) => "_".into(),
        "bf16" | "f32" | "bf16," | "f32," => "_".into(),
        word => without_session_names(word),
    };
    (0..words.len()).map(told).collect::<Vec<String>>().join(" ")
}

/// A word with `_` for every name that a session without one gets, wherever in the word it stands: a date and letters.
fn without_session_names(word: &str) -> String {
    let shape = "dddd-dd-dd-";
    let is_date = |text: &str| {
        text.len() == shape.len()
            && text.chars().zip(shape.chars()).all(|(c, s)| if s == 'd' { c.is_ascii_digit() } else { c == s })
    };
    let mut out = String::new();
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        if rest.get(..shape.len()).is_some_and(is_date) {
            out.push('_');
            rest = rest[shape.len()..].trim_start_matches(|c: char| c.is_ascii_lowercase());
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// Conversations by name, each typed once.
#[derive(Default)]
struct Conversations(BTreeMap<String, Vec<String>>);

impl Conversations {
    /// The lines `from..=to` of a conversation with what came of them.
    fn lines(&mut self, name: &str, (from, to): (usize, usize)) -> String {
        let parts = self.0.entry(name.to_owned()).or_insert_with(|| {
            let script = std::fs::read_to_string(project().join(format!("docs/transcripts/{name}.txt"))).unwrap();
            let home = tempfile::tempdir().unwrap();
            // Someone who has drawn three pictures gets no tips any more.
            std::fs::copy(project().join("sessions/hair.jsonl"), home.path().join("hair.jsonl")).unwrap();
            let lines: Vec<&str> = script.lines().collect();
            let mut parts = type_into(PROGRAM, home.path(), &ARGUMENTS, &lines);
            let shown = home.path().display().to_string();
            for part in &mut parts {
                *part = part.replace(&shown, "~/.local/share/wordbrush/sessions");
            }
            parts[0] = format!("$ cargo run --release -- {}\n{}", ARGUMENTS.join(" "), parts[0]);
            parts
        });
        parts[from..=to].join("\n").trim_end().to_owned()
    }
}

/// `hair 2..4` or `hair 2`.
fn range(marker: &str) -> (String, (usize, usize)) {
    let (name, lines) = marker.split_once(' ').expect("a name and lines");
    let (from, to) = lines.split_once("..").unwrap_or((lines, lines));
    (name.to_owned(), (from.parse().unwrap(), to.parse().unwrap()))
}

/// What the commands of a block print today; lines that are no command are their old output.
fn commands(block: &str, folder: &Path) -> String {
    let mut out = Vec::new();
    for line in block.lines().filter(|line| line.starts_with("$ ")) {
        let arguments = words(line.strip_prefix("$ wordbrush ").expect("a command of ours"));
        let mut command = Command::new(PROGRAM);
        command.current_dir(folder).args(arguments).env("WORDBRUSH_HOME", folder.join("home"));
        let output = command.env("XDG_CONFIG_HOME", folder).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        out.push(format!("{line}\n{}", said.trim_end()).trim_end().to_owned());
    }
    out.join("\n\n")
}

/// Words of a command line; those in quotes are one.
fn words(line: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (c, quote) {
            (c, Some(q)) if c == q => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            (' ', None) => all.push(String::new()),
            _ => all.last_mut().unwrap().push(c),
        }
    }
    all.retain(|word| !word.is_empty());
    all
}

#[test]
fn what_readme_and_the_guide_show_is_what_the_program_does() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(project().join("docs/guide/sweep.toml"), folder.path().join("sweep.toml")).unwrap();
    let mut conversations = Conversations::default();
    let (mut blocks, mut stale) = (0, Vec::new());
    for path in pages() {
        let page = std::fs::read_to_string(&path).unwrap();
        let renewed = renewed(&page, &mut |marker, old| {
            blocks += 1;
            let fresh = match marker.split_once(' ') {
                Some(("file", name)) => {
                    let file = std::fs::read_to_string(project().join("docs/guide").join(name)).unwrap();
                    file.trim_end().to_owned()
                }
                Some((_, which)) => {
                    let (name, lines) = range(which);
                    conversations.lines(&name, lines)
                }
                None => commands(old, folder.path()),
            };
            if steady(&fresh) == steady(old) {
                // Only what was measured differs: nothing is written for that.
                return old.to_owned();
            }
            let name = path.file_name().unwrap().to_string_lossy();
            stale.push(format!("{name}, below <!-- {marker} -->, shows\n{old}\nbut the program says\n{fresh}"));
            fresh
        });
        // Someone may have written the page while the program drew.
        if writes() && std::fs::read_to_string(&path).unwrap() == page {
            std::fs::write(&path, renewed).unwrap();
        }
    }
    assert!(blocks >= 5, "only {blocks} blocks are marked");
    let how = "WORDBRUSH_WRITE_DOCS=1 cargo test --release --test readme";
    assert!(writes() || stale.is_empty(), "stale: {how}\n\n{}", stale.join("\n\n"));
}

/// Pictures of the docs: the script that draws them, what it calls the file, and the file of docs/pictures.
const PICTURES: [(&str, &str, &str); 5] = [
    ("hair", "sheet-0006.png", "hair.png"),
    ("landscape", "sheet-0006.png", "landscape.png"),
    ("why", "maps-0002.png", "maps.png"),
    ("why", "mask-0002.png", "mask.png"),
    ("sweep", "sheet.png", "sweep.png"),
];

#[test]
fn pictures_of_the_docs_are_what_the_program_draws() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.current_dir(project()).args(arguments).env("WORDBRUSH_HOME", folder.path().join("home"));
        let output = command.env("XDG_CONFIG_HOME", folder.path()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    for script in ["hair", "landscape", "why"] {
        let out = folder.path().join(script).display().to_string();
        run(&["run", &format!("docs/pictures/{script}.txt"), "--out", &out]);
    }
    run(&["sweep", "docs/guide/sweep.toml", "--out", &folder.path().join("sweep").display().to_string()]);
    for (script, drawn, kept) in PICTURES {
        let (drawn, kept) = (folder.path().join(script).join(drawn), project().join("docs/pictures").join(kept));
        let pixels = |path: &Path| png::open(path).map(|(picture, _)| picture.into_raw()).ok();
        if writes() && pixels(&drawn) != pixels(&kept) {
            std::fs::copy(&drawn, &kept).unwrap();
        }
        let (a, b) = (png::open(&drawn).unwrap().0, png::open(&kept).unwrap().0);
        let alike = thumbprint_psnr(&thumbprint(&a), &thumbprint(&b));
        let how = "WORDBRUSH_WRITE_DOCS=1 cargo test --release --test readme";
        assert!(a.dimensions() == b.dimensions() && alike >= 30.0, "{}: {alike:.1} dB; {how}", kept.display());
    }
}

#[test]
fn links_of_readme_and_the_guide_lead_somewhere() {
    for path in pages() {
        let page = std::fs::read_to_string(&path).unwrap();
        let links = page.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
        for link in links.filter(|link| !link.starts_with("http")) {
            let (file, place) = link.split_once('#').map_or((link, None), |(file, place)| (file, Some(place)));
            let to = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(to.exists(), "{}: {link}", path.display());
            let heading = |line: &str| {
                let kept = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
                line.trim_start_matches(['#', ' '])
                    .to_lowercase()
                    .chars()
                    .filter(kept)
                    .collect::<String>()
                    .replace(' ', "-")
            };
            if let Some(place) = place {
                let text = std::fs::read_to_string(&to).unwrap();
                let found = text.lines().filter(|line| line.starts_with('#')).any(|line| heading(line) == place);
                assert!(found, "{}: {link}", path.display());
            }
        }
    }
}

#[test]
fn numbers_that_were_measured_do_not_count_and_others_do() {
    let a = "#2 ← #1  1.1 s · 60 evaluations · outside the edit 32.5 dB, off by up to 0.19";
    let b = "#2 ← #1  0.9 s · 60 evaluations · outside the\n   edit 32.6 dB, off by up to 0.21";
    assert_eq!(steady(a), steady(b));
    assert_ne!(steady(a), steady(&a.replace("60", "58")));
    assert_ne!(steady(a), steady(&a.replace("#1", "#3")));
    assert_eq!(steady("cpu, bf16 · new session \"2026-11-24-a\""), steady("cpu, f32 · new session \"2027-01-02-b\""));
    let shown = |name: &str| format!("~/sessions/{name}.pictures/maps-0005.png go on with: wordbrush open {name}");
    assert_eq!(steady(&shown("2026-11-24-a")), steady(&shown("2031-02-03-ab")));
    assert_ne!(steady(&shown("2026-11-24-a")), steady(&shown("fox")));
    assert_ne!(steady("2026-11-24-a.png"), steady("2026-11-24-a.gif"));
}
