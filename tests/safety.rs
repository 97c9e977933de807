//! Nothing that a person, a file or a model says reaches a terminal or a pipe raw: every command and every verb is given
//! text that moves cursors, recolours screens and turns the reading direction round.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly anywhere")]
#![cfg(unix)]

#[path = "common/dice.rs"]
mod dice;
#[cfg(feature = "hub")]
#[allow(dead_code, reason = "a part of it is used here")]
#[path = "hub/server.rs"]
mod server;
#[path = "common/window.rs"]
mod window;

use std::collections::BTreeSet;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dice::Dice;
use window::{PROGRAM, Terminal};
use wordbrush::plan::settings::Settings;
use wordbrush::repl::batch;
use wordbrush::repl::commands::COMMANDS;
use wordbrush::repl::talk::Talk;
use wordbrush::safe::is_printable;
use wordbrush::session::home::Home;
use wordbrush::session::{Options, Session};
use wordbrush::store::Limits;

/// A title, a clear screen, a colour by one byte of C1, a bell, a step back, marks of the reading direction, a carriage
/// return and a delete.
const HOSTILE: &str = "x\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{8}\u{202e}\u{2066}\u{85}\ry\u{7f}";

/// Everything in a text is printable.
#[track_caller]
fn check(bytes: &[u8], what: &str) {
    let text = std::str::from_utf8(bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
    if let Some(at) = text.find(|c| !is_printable(c)) {
        let begin = (0..=at.saturating_sub(200)).rev().find(|begin| text.is_char_boundary(*begin)).unwrap_or(0);
        panic!("{what}: {:?} came raw, after {:?}", text[at..].chars().next().unwrap(), &text[begin..at]);
    }
}

/// A line of words, signs and what must not be shown raw.
fn line(dice: &mut Dice) -> String {
    const PARTS: [&str; 26] = [
        "a cat ",
        "cat",
        "dog ",
        " -> ",
        "+ ",
        "- ",
        "*2",
        "/",
        "#1",
        "make it ",
        "(",
        ":1.2)",
        "\"",
        "猫",
        "\u{1b}[31m",
        "\u{1b}]0;t\u{7}",
        "\u{9b}2J",
        "\u{202e}",
        "\u{2067}",
        "\u{8}",
        "\u{7f}",
        "\u{85}",
        "\u{0}",
        "\t",
        "e\u{301}",
        "instead of ",
    ];
    (0..1 + dice.below(8)).map(|_| dice.of(&PARTS)).collect()
}

/// Every command with arguments of every kind, then lines made by chance.
fn lines(folder: &Path) -> Vec<String> {
    let mut all = vec![
        "a cat on a beach".to_owned(),
        "cat -> dog".to_owned(),
        format!("/branch {HOSTILE}"),
        format!("/name {HOSTILE}"),
    ];
    for entry in COMMANDS {
        if ["quit", "sweep"].contains(&entry.name) {
            continue;
        }
        let name = entry.name;
        all.extend([
            format!("/{name} {HOSTILE}"),
            format!("/{name} #1 {HOSTILE}"),
            format!("/{name}{HOSTILE}"),
            format!("/{name}"),
        ]);
        if entry.bare {
            all.push(format!("{name} {HOSTILE}"));
        }
    }
    for name in ["k", "model", "lora", "embedding", "vae", "negative", "device", "scheduler", "blend_words", HOSTILE] {
        all.push(format!("/set {name} {HOSTILE}"));
    }
    for format in ["png", "gif", "html", "json"] {
        all.push(format!("/export {format} {}/{HOSTILE}", folder.display()));
    }
    all.extend([
        "/set negative".to_owned(),
        "/sweep k=0,.3".to_owned(),
        format!("/sweep k={HOSTILE}"),
        "/tree".to_owned(),
        "/log".to_owned(),
    ]);
    all.extend([
        format!("/open {}/{HOSTILE}", folder.display()),
        format!("/new a {HOSTILE} cat"),
        "cat -> dog".to_owned(),
        "/tree".to_owned(),
    ]);
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    all.extend((0..50).map(|_| line(&mut dice)));
    // A newline ends a line of a script.
    all.into_iter().map(|line| line.replace('\n', " ")).collect()
}

#[test]
fn no_command_and_no_line_lets_a_raw_control_character_through() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(HOSTILE), "no session").unwrap();
    for as_json in [true, false] {
        let session = Session::open(Options {
            home: Home::find(|_| Some(folder.path().into())).unwrap(),
            path: Some(folder.path().join(format!("{as_json}.jsonl"))),
            read_only: false,
            settings: Settings::default(),
            overrides: ["steps=1", "size=32", "tuning_steps=1"]
                .iter()
                .filter_map(|s| s.split_once('='))
                .map(|(n, v)| (n.into(), v.into()))
                .collect(),
            limits: Limits { ram: 1 << 28, disk: 1 << 28 },
        })
        .unwrap();
        let mut out = Vec::new();
        let script = lines(folder.path()).join("\n");
        let talk = Talk::new(session, Some(folder.path().join("pictures")));
        batch::lines(talk, Cursor::new(script), as_json, &mut out).unwrap();
        check(&out, &format!("as JSON: {as_json}"));
        let text = String::from_utf8_lossy(&out);
        assert!(text.contains("u001b") && text.contains("u202e"), "what was hostile is shown, written out");
        if as_json {
            assert!(text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
        }
    }
}

/// A folder of everything that a verb may be given.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        let session = format!(
            "{}\n{}\n{}\n",
            serde_json::json!({ "wordbrush": 1, "program": HOSTILE, "title": HOSTILE }),
            serde_json::json!({ "set": { "name": HOSTILE, "value": HOSTILE } }),
            serde_json::json!({ "grow": { "node": 1, "line": HOSTILE, "prompt": HOSTILE } }),
        );
        place.put("hostile.jsonl", session.as_bytes());
        place.put(&format!("{HOSTILE}.jsonl"), session.as_bytes());
        place.put("script.txt", format!("a cat\n{HOSTILE}\n/branch {HOSTILE}\n").as_bytes());
        place.put("sweep.toml", format!("prompt = \"a cat\"\n\"{}\" = 1\n", "\\u001b[2J\\u202e").as_bytes());
        place.put("raw.toml", HOSTILE.as_bytes());
        place.put("config/wordbrush/config.toml", b"k = 0.3\n");
        let hostile =
            serde_json::json!({ "_class_name": HOSTILE, "block_out_channels": HOSTILE, HOSTILE: HOSTILE }).to_string();
        for part in [
            "unet/config.json",
            "vae/config.json",
            "text_encoder/config.json",
            "scheduler/scheduler_config.json",
            "model_index.json",
        ] {
            place.put(&format!("model/{part}"), hostile.as_bytes());
        }
        // The model in the source, but for its scheduler.
        let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/atelier");
        let copied = Command::new("cp").arg("-r").arg(&assets).arg(place.at("other")).status();
        assert!(copied.unwrap().success());
        place.put("other/scheduler/scheduler_config.json", hostile.as_bytes());
        let header =
            serde_json::json!({ HOSTILE: { "dtype": "F32", "shape": [1], "data_offsets": [0, 4] } }).to_string();
        let lora = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 4]].concat();
        place.put("lora.safetensors", &lora);
        place.put("cases/case/case.json", format!("{{\"{}\": 1}}", "\\u001b[2J").as_bytes());
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.at(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Runs the program; what it says on either side is safe. Gives all of it.
    #[track_caller]
    fn run(&self, words: &[&str], set_up: impl FnOnce(&mut Command)) -> String {
        let mut command = Command::new(PROGRAM);
        command.args(words).current_dir(self.folder.path());
        command.env("WORDBRUSH_HOME", self.folder.path()).env("XDG_CONFIG_HOME", self.at("config"));
        command.env("HF_HUB_OFFLINE", "1").env("HF_HOME", self.at("hf")).env_remove("NO_COLOR");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        set_up(&mut command);
        let mut child = command.spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(format!("{HOSTILE}\n").as_bytes());
        let output = child.wait_with_output().unwrap();
        check(&output.stdout, &format!("standard output of {words:?}"));
        check(&output.stderr, &format!("standard error of {words:?}"));
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
    }
}

/// The verbs that the program says it has.
fn verbs(place: &Place) -> BTreeSet<String> {
    let help = place.run(&["--help"], |_| {});
    let rows = help.lines().take_while(|line| !line.is_empty());
    let rows = rows.filter_map(|line| line.strip_prefix("  ")).filter_map(|rest| rest.split(' ').next());
    rows.filter(|verb| verb.chars().all(|c| c.is_ascii_lowercase()) && !verb.is_empty()).map(str::to_owned).collect()
}

#[test]
fn no_verb_lets_what_it_is_given_through_raw() {
    let place = Place::new();
    let given: &[&[&str]] = &[
        &["open", HOSTILE],
        &["open", "hostile"],
        &["run", HOSTILE],
        &["run", "script.txt", "--set", "steps=1", "--set", "size=32"],
        &[
            "run",
            "script.txt",
            "--json",
            "--set",
            "steps=1",
            "--set",
            "size=32",
            "--session",
            HOSTILE,
            "--out",
            HOSTILE,
        ],
        &["run", "script.txt", "--model", "model"],
        &["run", "script.txt", "--model", "other"],
        &["run", "script.txt", "--model", HOSTILE],
        &["run", "script.txt", "--set", "lora=lora.safetensors"],
        &["run", "script.txt", "--set", HOSTILE],
        &["run", "script.txt", "--set", "k=\u{1b}[2J"],
        &["explain", "--prompt", HOSTILE, HOSTILE],
        &["explain", "--json", "--prompt", HOSTILE, "x -> y"],
        &["sweep", "sweep.toml"],
        &["sweep", "raw.toml"],
        &["sweep", HOSTILE],
        &["replay", "hostile.jsonl", "--verify"],
        &["replay", HOSTILE],
        &["cycle", "hostile.jsonl"],
        &["cycle", HOSTILE, HOSTILE],
        &["study", HOSTILE],
        &["study", "cycles", "--out", "results", "--chains", HOSTILE],
        &["sessions"],
        &["sessions", "rm", HOSTILE],
        &["export", "png", HOSTILE, HOSTILE],
        &["export", "html", "hostile", HOSTILE],
        &["export", HOSTILE, "hostile"],
        &["models"],
        &["models", "rm", HOSTILE],
        &["pull", HOSTILE],
        &["cache", "clear"],
        &["cache", HOSTILE],
        &["parity", HOSTILE, "--out", "results"],
        &["parity", "cases", "--out", "results"],
        &["bench", "--only", HOSTILE],
        &["bench", HOSTILE],
        &["completions", HOSTILE],
        &["man", HOSTILE],
        &[HOSTILE],
        &["--session", HOSTILE, "--set", "steps=1", "--set", "size=32"],
        &["--preview", HOSTILE],
        &["--device", HOSTILE],
        &["-c", HOSTILE],
    ];
    let tried: BTreeSet<&str> = given.iter().map(|words| words[0]).collect();
    let verbs = verbs(&place);
    assert!(verbs.len() > 8, "{verbs:?}");
    for verb in &verbs {
        assert!(tried.contains(verb.as_str()), "`{verb}` is not tried");
    }
    let said: String = given.iter().map(|words| place.run(words, |_| {})).collect();
    assert!(said.contains("u001b") && said.contains("u202e"), "what was hostile is shown, written out");
    // What the environment and the configuration say.
    for name in
        ["WORDBRUSH_HOME", "HF_HOME", "HF_ENDPOINT", "HF_TOKEN", "SSL_CERT_FILE", "WORDBRUSH_KERNELS", "TZ", "LANG"]
    {
        let said = |words: &[&str]| {
            place.run(words, |command| {
                command.env(name, HOSTILE).env_remove("HF_HUB_OFFLINE");
            });
        };
        said(&["sessions"]);
        said(&["models"]);
    }
    place.put("config/wordbrush/config.toml", format!("{HOSTILE} = 1\n").as_bytes());
    place.run(&["sessions"], |_| {});
    place.run(&["run", "script.txt"], |_| {});
    place.put("config/wordbrush/config.toml", b"\"\\u001b[2J\\u202e\" = 1\n");
    place.run(&["run", "script.txt"], |_| {});
}

#[test]
#[cfg(feature = "hub")]
fn no_answer_of_a_hub_is_shown_raw() {
    use server::{Hub, Reply};
    let place = Place::new();
    let encoded = "x\u{1b}[2J\u{9b}31m\u{202e}";
    let listing = serde_json::json!({ "sha": encoded, "siblings": [{ "rfilename": encoded }] }).to_string();
    let named = serde_json::json!({ "sha": server::COMMIT, "siblings": [{ "rfilename": encoded }, { "rfilename": "unet/config.json" }] });
    let answers = [
        Reply::status(200).body(listing),
        Reply::status(200).body(named.to_string()),
        Reply::status(200).body(HOSTILE),
        Reply::status(403).with("x-error-code", "a\u{7f}b").body(HOSTILE),
        Reply::status(404).with("x-error-code", encoded).body(HOSTILE),
        Reply::status(302).with("location", format!("http://127.0.0.1:1/{encoded}")),
        Reply::status(500).body(HOSTILE),
    ];
    for answer in answers {
        let status = answer.status;
        let hub = Hub::start(move |_| answer.clone());
        let said = place.run(&["pull", "owner/name"], |command| {
            command.env_remove("HF_HUB_OFFLINE").env("HF_ENDPOINT", hub.endpoint());
        });
        assert!(said.contains("error:"), "{status}: {said}");
    }
}

/// On a terminal the program writes sequences of its own; none of the hostile text is among them.
#[test]
fn a_terminal_is_not_told_what_a_session_a_file_or_a_typed_line_says() {
    let place = Place::new();
    std::fs::write(place.at("history"), format!("#V2\n/help {}\n", HOSTILE.replace('\r', ""))).unwrap();
    let mut window = Terminal::open_with(
        place.folder.path(),
        &["--set", "steps=1", "--set", "size=32", "--preview", "none"],
        |command| command.env_remove("NO_COLOR").current_dir(place.folder.path()).env("HF_HUB_OFFLINE", "1"),
    );
    window.sees("› ");
    window.type_line("a cat");
    window.sees("1 › ");
    // A line of the history, files by Tab, the sessions, a paste, and errors about them.
    window.type_keys("\u{10}\u{10}\u{15}");
    window.type_keys("/open x\t\t\u{15}");
    window.type_line("/sessions");
    window.sees("hostile");
    window.sees("1 › ");
    window.type_line("/open hostile");
    window.sees("session \"hostile\"");
    window.sees("› ");
    window.type_line("a dog");
    window.sees("1 › ");
    window.type_keys(&format!("\u{1b}[200~/new a cat {}\u{1b}[201~\r", HOSTILE.replace('\r', "")));
    window.sees("2 › ");
    window.type_line("/tree");
    window.sees("← here");
    window.sees("2 › ");
    window.type_line("/walk");
    window.sees("Esc leaves");
    window.type_keys("q");
    window.sees("2 › ");
    window.type_keys("\u{4}");
    assert_eq!(window.ends(), 0);
    for raw in ["\u{1b}]0;", "\u{1b}[2J", "\u{9b}", "\u{85}", "\u{7}", "\u{8}", "\u{7f}", "\u{202e}", "\u{2066}"] {
        let raw = raw.as_bytes();
        assert!(!window.raw.windows(raw.len()).any(|part| part == raw), "{raw:?} was written raw");
    }
}
