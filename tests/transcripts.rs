//! Conversations in `tests/transcripts/` and what they look like: one script in, one snapshot out.
//!
//! `INSTA_UPDATE=always cargo test --release --test transcripts` writes the snapshots anew.

mod common;

use std::path::Path;

use wordbrush::plan::device::DeviceName;
use wordbrush::repl::batch::lines;
use wordbrush::repl::talk::Talk;

/// What differs between machines and builds is not the point: seconds, decibels and devices.
fn steady(text: &str) -> String {
    let text = text.replace(DeviceName::CHOICES, "cpu or plain");
    let words = |line: &str| -> String {
        let parts: Vec<&str> = line.split(' ').collect();
        let number = |word: &str| word.parse::<f64>().is_ok();
        let mut out = Vec::new();
        for (i, part) in parts.iter().enumerate() {
            let unit = parts.get(i + 1).map_or("", |u| u.trim_end_matches(','));
            let measured = ["s", "dB"].contains(&unit) || (i > 1 && parts[i - 1] == "to" && parts[i - 2] == "up");
            out.push(if number(part) && measured { "_" } else { part });
        }
        out.join(" ")
    };
    text.lines().map(words).collect::<Vec<_>>().join("\n")
}

#[test]
fn conversations_look_as_they_did() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut scripts: Vec<_> =
        std::fs::read_dir(folder).expect("scripts").map(|e| e.expect("an entry").path()).collect();
    scripts.sort();
    assert!(scripts.len() >= 3, "scripts are missing");
    for script in scripts {
        let text = std::fs::read_to_string(&script).expect("a script");
        let name = script.file_stem().expect("a name").to_string_lossy().into_owned();
        let mut out = Vec::new();
        let session = common::session(&[("steps", "2"), ("precision", "f32")]);
        let mut talk = Talk::new(session, None);
        for line in text.lines() {
            out.extend(format!("› {line}\n").into_bytes());
            talk = one(talk, line, &mut out);
        }
        insta::assert_snapshot!(name, steady(&String::from_utf8_lossy(&out)));
    }
}

/// Takes one line, so that its reply stands below it.
fn one(mut talk: Talk, line: &str, out: &mut Vec<u8>) -> Talk {
    let reply = talk.line(line, &mut wordbrush::repl::talk::Unwatched);
    wordbrush::repl::batch::write_reply(&reply, line, &talk.session, out).expect("memory can be written");
    talk
}

#[test]
fn a_script_ends_in_1_if_a_line_was_wrong_and_in_0_if_none_was() {
    let run = |text: &str| {
        let talk = Talk::new(common::session(&[("steps", "1")]), None);
        let code = lines(talk, text.as_bytes(), true, &mut Vec::new()).expect("it runs");
        format!("{code:?}")
    };
    assert_ne!(run("a cat\ncat -> dog\n"), run("a cat\ntortise -> hare\n"));
    assert_eq!(run("# a remark\n\n"), run("a cat\n"));
}
