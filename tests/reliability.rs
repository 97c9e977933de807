//! Killed, cut off, damaged, short of room, opened twice: the real program and whole sessions, with turns of two steps.
//!
//! The file layer has its own tests beside it (`session/file/tests.rs`, `kill_tests.rs`, `store/tests.rs`): every file
//! operation of a turn is made to fail or to end the process there. Here nothing is simulated.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly anywhere")]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::{last_latent, say};
use tempfile::TempDir;
use wordbrush::plan::settings::Settings;
use wordbrush::session::home::Home;
use wordbrush::session::{Options, Session, picture_digest};
use wordbrush::store::Limits;

const PLENTY: Limits = Limits { ram: 1 << 30, disk: 1 << 30 };

/// A model's folder, from the root of the source.
const MODEL: &str = "assets/atelier";

const FACE: &str = "a woman's face with long wavy blond hair";

/// A folder with a session in it.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("fox.jsonl")
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("fox.store")
    }

    /// The session, with what it keeps under these limits.
    fn open(&self, limits: &Limits) -> Session {
        Session::open(self.options(limits)).unwrap()
    }

    fn options(&self, limits: &Limits) -> Options {
        Options {
            home: Home::find(|_| Some(self.folder.path().into())).unwrap(),
            path: Some(self.path()),
            read_only: false,
            settings: Settings::default(),
            overrides: vec![("steps".to_owned(), "2".to_owned())],
            limits: limits.clone(),
        }
    }

    /// The program taking lines from its standard input, gone on with this session.
    fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wordbrush"));
        command.args(["run", "-", "--json", "--set", "steps=2", "--session"]).arg(self.path());
        command.env("WORDBRUSH_HOME", self.folder.path()).env("XDG_CONFIG_HOME", self.folder.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    #[track_caller]
    fn say(&self, command: &mut Command, lines: &[&str]) -> Output {
        let mut child = command.spawn().unwrap();
        let written = child.stdin.take().unwrap().write_all((lines.join("\n") + "\n").as_bytes());
        // A program that refuses to start may have left before its lines came; what it said then is what counts.
        assert!(written.as_ref().map_or_else(|e| e.kind() == std::io::ErrorKind::BrokenPipe, |()| true), "{written:?}");
        child.wait_with_output().unwrap()
    }
}

/// All files in a folder and those below.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.flat_map(|p| if p.is_dir() { files_in(&p) } else { vec![p] }).collect();
    files.sort();
    files
}

/// Lines that draw a picture each, however many were drawn before.
fn lines_from(turn: usize) -> Vec<String> {
    let colours = ["red", "black", "green", "blue", "white", "brown"];
    let line = |n: usize| match n {
        0 => "a cat on a beach".to_owned(),
        n => format!("/new a {} cat on a beach, number {n}", colours[n % colours.len()]),
    };
    (turn..turn + 40).map(line).collect()
}

/// A victim with lines to draw, and what it says.
fn start(place: &Place, turn: usize) -> (Child, std::thread::JoinHandle<usize>) {
    let mut victim = place.program().spawn().unwrap();
    victim.stdin.take().unwrap().write_all((lines_from(turn).join("\n") + "\n").as_bytes()).unwrap();
    let said = BufReader::new(victim.stdout.take().unwrap());
    let count = std::thread::spawn(move || {
        // A line that is whole was written after its event was.
        said.lines().map_while(Result::ok).filter(|line| line.contains("\"node\"") && line.ends_with('}')).count()
    });
    (victim, count)
}

/// One session, gone on with again and again by programs that are killed at random moments of about their first two
/// turns: while they start, load, draw, write their store or their event. After each kill every turn that was called done
/// is there, with its picture, and the next one can be drawn. Returns how often the program was killed and how many turns
/// were done.
fn kill(times: u64) -> (u64, usize) {
    let place = Place::new();
    // How long the program takes to start and draw, on this machine as busy as it is.
    let begun = Instant::now();
    let trial = Place::new();
    assert!(trial.say(&mut trial.program(), &["a cat"]).status.success());
    let span = u64::try_from(begun.elapsed().as_millis()).unwrap().max(50) * 2;
    let (mut done, mut state, mut kills) = (0, 0x2545_f491_4f6c_dd1du64, 0);
    for _ in 0..times {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let (mut victim, said) = start(&place, done);
        std::thread::sleep(Duration::from_millis(state % span));
        kills += u64::from(victim.try_wait().unwrap().is_none());
        victim.kill().unwrap();
        victim.wait().unwrap();
        let told = done + said.join().unwrap();
        if !place.path().exists() {
            assert_eq!(told, 0);
            continue;
        }
        let mut session = place.open(&PLENTY);
        let found = session.tree().len();
        assert!(found >= told, "{told} turns were called done, {found} are there");
        assert_eq!(session.tree().here().map_or(0, |n| n as usize), found, "we are at the last finished turn");
        for number in (1..=found as u32).rev().take(3) {
            let picture = session.picture(number).unwrap();
            let was = session.drawn(number).map(|drawn| drawn.digest.clone());
            assert_eq!(Some(picture_digest(&picture)), was, "#{number} shows another picture");
        }
        done = found;
    }
    (kills, done)
}

#[test]
fn the_program_killed_at_random_moments_loses_no_finished_turn() {
    let (kills, done) = kill(16);
    assert!(kills >= 12 && done > 0, "{kills} kills, {done} turns");
}

/// `cargo test --release --test reliability -- --ignored --nocapture` says how many.
#[test]
#[ignore = "takes minutes"]
fn the_program_killed_two_hundred_times_loses_no_finished_turn() {
    let (kills, done) = kill(220);
    writeln!(std::io::stderr(), "{kills} kills, {done} finished turns, none lost").unwrap();
    assert!(kills >= 200 && done > 20, "{kills} kills, {done} turns");
}

/// Every file of a store is damaged, one after the other, at its start, in its middle and at its end. The session then
/// shows what it showed, and an edit that needs what was in there has the same bits as with a sound store.
#[test]
fn flipped_bytes_in_any_store_file_are_noticed_and_what_was_there_is_computed_again() {
    let place = Place::new();
    let wanted = {
        let mut session = place.open(&PLENTY);
        say(&mut session, FACE);
        say(&mut session, "blond -> red");
        let digests: Vec<String> = (1..=2).map(|n| picture_digest(&session.picture(n).unwrap())).collect();
        drop(session);
        // What the next edit comes to, where nothing is damaged; its own traces are taken away again.
        let (file, sound) = (std::fs::read(place.path()).unwrap(), copy_of(&place.store()));
        let mut session = place.open(&PLENTY);
        let next = say(&mut session, "+ with round glasses");
        let latent = last_latent(&next);
        drop(session);
        (digests, latent, file, sound)
    };
    let (digests, latent, file, sound) = wanted;
    let (mut damaged, mut recomputed) = (0, 0);
    for (number, (path, bytes)) in sound.iter().enumerate() {
        for at in [0, bytes.len() / 2, bytes.len().saturating_sub(1)] {
            if bytes.is_empty() {
                continue;
            }
            std::fs::remove_dir_all(place.store()).unwrap();
            for (path, bytes) in &sound {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, bytes).unwrap();
            }
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x20;
            std::fs::write(path, flipped).unwrap();
            std::fs::write(place.path(), &file).unwrap();
            let mut session = place.open(&PLENTY);
            for n in 1..=2 {
                let shown = picture_digest(&session.picture(n).unwrap());
                assert_eq!(shown, digests[n as usize - 1], "#{n} with file {number} damaged at {at}");
            }
            let next = say(&mut session, "+ with round glasses");
            assert_eq!(last_latent(&next), latent, "file {number} damaged at {at}: {}", path.display());
            let stats = session.store_stats();
            damaged += stats.damaged;
            recomputed += u64::from(next.evaluations > 2);
        }
    }
    assert!(sound.len() > 8 && damaged > 0 && recomputed > 0, "{} files, {damaged} damaged values", sound.len());
}

/// The files of a folder and what is in them.
fn copy_of(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    files_in(folder).into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

#[test]
fn what_a_small_budget_gives_up_is_computed_again_with_the_same_bits() {
    let lines = [FACE, "blond -> red", "+ with round glasses", "red -> black", "black -> red"];
    let mut reference = Vec::new();
    let mut evaluations = Vec::new();
    // Plenty; a memory for a few values; a disk for a few; room for nothing at all.
    for (ram, disk) in [(1 << 30, 1 << 30), (300 << 10, 1 << 30), (1 << 30, 300 << 10), (200 << 10, 200 << 10), (0, 0)]
    {
        let limits = Limits { ram, disk };
        let place = Place::new();
        let mut count = 0;
        let mut latents = Vec::new();
        for line in lines {
            // Each line in a window of its own, so that nothing is remembered besides the store.
            let mut session = place.open(&limits);
            let turned = say(&mut session, line);
            count += turned.evaluations;
            latents.push(last_latent(&turned));
            let stats = session.store_stats();
            assert!(stats.ram_bytes <= ram && stats.disk_bytes <= disk, "{stats:?} within {limits:?}");
        }
        if reference.is_empty() {
            reference = latents;
        } else {
            assert!(latents == reference, "other bits with {ram} bytes in memory and {disk} on disk");
        }
        evaluations.push(count);
    }
    assert_eq!(evaluations[1], evaluations[0], "the disk had everything");
    assert!(evaluations[2] > evaluations[0] && evaluations[4] > evaluations[2], "{evaluations:?}");
}

#[test]
fn budgets_are_taken_from_the_command_line_and_words_that_are_no_budget_are_refused() {
    let place = Place::new();
    let output = place.say(place.program().args(["--cache-ram", "1M", "--cache-disk", "100k"]), &[FACE, "/about"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    let on_disk: u64 = files_in(&place.store().join("values")).iter().map(|p| p.metadata().unwrap().len()).sum();
    assert!(on_disk <= 100_000, "{on_disk} bytes of values");
    let output = place.say(place.program().args(["--cache-disk", "much"]), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("`--cache-disk much`"),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The system's limit on file sizes stands for a full disk; the signal that comes with it is ignored, so that writes fail
/// as they do when a disk is full. The limit is larger than the header and smaller than a few turns.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_stops_the_turn_with_an_error_and_what_was_finished_stays() {
    let place = Place::new();
    let whole = place.program();
    let mut limited = Command::new("sh");
    limited
        .arg("-c")
        .arg("trap '' XFSZ; ulimit -f 12; exec \"$0\" \"$@\"")
        .arg(whole.get_program())
        .args(whole.get_args());
    limited.env("WORDBRUSH_HOME", place.folder.path()).env("XDG_CONFIG_HOME", place.folder.path());
    limited.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let lines = lines_from(0);
    let lines: Vec<&str> = lines.iter().map(String::as_str).take(8).collect();
    let output = place.say(&mut limited, &lines);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    let done = text.lines().filter(|line| line.contains("\"node\"")).count();
    assert!(done > 0 && text.contains("cannot write session `fox`: file too large"), "{text}");
    assert!(text.contains("finished turns are safe"), "{text}");
    let session = place.open(&PLENTY);
    assert_eq!(session.tree().len(), done);
}

/// A folder that takes no files: one of the kernel's, since permissions do not stop the administrator.
#[test]
#[cfg(target_os = "linux")]
fn a_folder_that_cannot_be_written_stops_the_turn_with_an_error() {
    let place = Place::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_wordbrush"));
    command.args(["run", "-", "--json", "--set", "steps=2", "--session", "/proc/fox.jsonl"]);
    command.env("WORDBRUSH_HOME", place.folder.path()).env("XDG_CONFIG_HOME", place.folder.path());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = place.say(&mut command, &["a cat", "/tree"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    let first = text.lines().next().unwrap();
    assert!(first.contains("\"error\"") && first.contains("`fox`"), "{first}");
    assert!(text.lines().nth(1).unwrap().contains("there is no picture yet"), "{text}");
}

#[test]
fn a_second_window_is_told_who_has_the_session_and_can_read_it() {
    let place = Place::new();
    let mut first = place.open(&PLENTY);
    say(&mut first, FACE);
    let output = place.say(&mut place.program(), &["blond -> red"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains(&format!("open in another window (process {})", std::process::id())), "{said}");
    assert!(said.contains("--read-only"), "{said}");
    let mut second = Session::open(Options { read_only: true, ..place.options(&PLENTY) }).unwrap();
    assert_eq!(second.tree().len(), 1);
    let shown = picture_digest(&second.picture(1).unwrap());
    assert_eq!(shown, picture_digest(&first.picture(1).unwrap()), "the picture is drawn again without the store");
    let turn = second.read("blond -> red").unwrap();
    let wordbrush::turn::Turn::Edit(edit) = turn else { panic!("no edit") };
    let refused = second.edit("blond -> red", &edit, &mut |_, _| ControlFlow::Continue(())).err().unwrap();
    assert!(refused.to_string().contains("reading only"), "{refused}");
    say(&mut first, "blond -> red");
}

#[test]
fn a_first_turn_that_is_stopped_or_fails_leaves_no_file_and_keeps_its_settings() {
    let place = Place::new();
    let mut session = place.open(&PLENTY);
    session.set("k", ".4").unwrap();
    let wordbrush::turn::Turn::Edit(edit) = session.read(FACE).unwrap() else { panic!("no edit") };
    let stopped = session.edit(FACE, &edit, &mut |_, _| ControlFlow::Break(())).unwrap();
    assert!(stopped.is_none());
    assert!(files_in(place.folder.path()).is_empty(), "{:?}", files_in(place.folder.path()));
    say(&mut session, FACE);
    drop(session);
    let session = place.open(&PLENTY);
    assert_eq!((session.tree().len(), session.settings().turn.k), (1, 0.4));
    assert!(session.tree().settings().iter().any(|(name, _)| name == "k"), "the setting is in the file");
}

#[test]
fn a_file_that_cannot_be_made_can_be_tried_again_once_it_can() {
    let place = Place::new();
    let mut session = place.open(&PLENTY);
    // The file is written beside its place first; a folder is in the way there.
    let in_the_way = place.folder.path().join("fox.jsonl.new");
    std::fs::create_dir(&in_the_way).unwrap();
    let wordbrush::turn::Turn::Edit(edit) = session.read(FACE).unwrap() else { panic!("no edit") };
    for _ in 0..2 {
        let refused = session.edit(FACE, &edit, &mut |_, _| ControlFlow::Continue(())).err().unwrap();
        assert!(refused.to_string().starts_with("cannot write session `fox`"), "{refused}");
    }
    std::fs::remove_dir(in_the_way).unwrap();
    say(&mut session, FACE);
    drop(session);
    assert_eq!(place.open(&PLENTY).tree().len(), 1);
}

/// What another program does to the file in mid-conversation stays; the turn is refused before it is drawn, and what there
/// was can be saved elsewhere.
#[test]
fn a_file_that_another_program_changes_in_mid_conversation_stays_as_it_made_it() {
    for theirs in ["", "{\"move\":{\"to\":1}}\n", "hello\n"] {
        let place = Place::new();
        let mut child = place.program().spawn().unwrap();
        let (mut lines, said) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut said = said.lines().map(Result::unwrap);
        writeln!(lines, "a cat on a beach").unwrap();
        assert!(said.next().unwrap().contains("\"node\""));
        let before = std::fs::read(place.path()).unwrap();
        let changed = if theirs.starts_with('{') { [&before[..], theirs.as_bytes()].concat() } else { theirs.into() };
        std::fs::write(place.path(), &changed).unwrap();
        writeln!(lines, "cat -> dog\ncat -> fox\n/save hen").unwrap();
        drop(lines);
        let (first, second, saved) = (said.next().unwrap(), said.next().unwrap(), said.next().unwrap());
        assert!(first.contains("another program has changed the file") && first.contains("/save NAME"), "{first}");
        assert!(second.contains("another program changed its file"), "{second}");
        assert!(saved.contains("/open hen goes on there"), "{saved}");
        assert_eq!(child.wait().unwrap().code(), Some(1));
        assert_eq!(std::fs::read(place.path()).unwrap(), changed, "{theirs:?}");
        let hen = Options { path: Some(place.folder.path().join("hen.jsonl")), ..place.options(&PLENTY) };
        assert_eq!(Session::open(hen).unwrap().tree().len(), 1);
    }
}

#[test]
fn a_session_whose_file_another_program_changed_is_gone_on_with_once_it_is_opened_again() {
    let place = Place::new();
    let mut child = place.program().spawn().unwrap();
    let (mut lines, said) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    let mut said = said.lines().map(Result::unwrap);
    writeln!(lines, "a cat on a beach\n/open fox").unwrap();
    assert!(said.next().unwrap().contains("\"node\""));
    let text = said.next().unwrap();
    assert!(text.contains("this is session") && !text.contains("error"), "{text}");
    let theirs = b"{\"name\":{\"node\":1,\"name\":\"theirs\"}}\n";
    std::fs::OpenOptions::new().append(true).open(place.path()).unwrap().write_all(theirs).unwrap();
    writeln!(lines, "cat -> dog\n/open fox\ncat -> dog\n/go theirs").unwrap();
    drop(lines);
    let said: Vec<String> = said.collect();
    assert!(said[0].contains("another program has changed the file"), "{said:?}");
    assert!(said[1].contains("1 picture") && !said[1].contains("error"), "{said:?}");
    assert!(said[2].contains("\"node\":\"#2\""), "{said:?}");
    assert!(said[3].contains("\"node\":\"#1\""), "{said:?}");
    child.wait().unwrap();
    assert_eq!(place.open(&PLENTY).tree().len(), 2);
}

#[test]
#[cfg(unix)]
fn a_session_opened_by_another_name_is_the_session_that_is_open() {
    let place = Place::new();
    let mut first = place.open(&PLENTY);
    say(&mut first, FACE);
    let folder = place.folder.path();
    std::os::unix::fs::symlink("fox.jsonl", folder.join("link.jsonl")).unwrap();
    std::fs::hard_link(place.path(), folder.join("twin.jsonl")).unwrap();
    for other in ["link.jsonl", "twin.jsonl"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wordbrush"));
        command.args(["run", "-", "--set", "steps=2", "--session"]).arg(folder.join(other));
        command.env("WORDBRUSH_HOME", folder).env("XDG_CONFIG_HOME", folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = place.say(&mut command, &["blond -> red"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("is open in another window"), "{other}: {said}");
    }
    say(&mut first, "blond -> red");
}

/// A limit of no bytes at all stands for a disk that is full from the start.
#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_is_full_at_the_first_line_is_said_to_be_full_and_no_lock_is_left() {
    let place = Place::new();
    let whole = place.program();
    let mut limited = Command::new("sh");
    limited.arg("-c").arg("trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"");
    limited.arg(whole.get_program()).args(whole.get_args());
    limited.env("WORDBRUSH_HOME", place.folder.path()).env("XDG_CONFIG_HOME", place.folder.path());
    limited.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = place.say(&mut limited, &["a cat", "a dog"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(text.matches("cannot write session `fox`: file too large").count(), 2, "{text}");
    assert!(!text.contains("another window") && !text.contains("cannot lock"), "{text}");
    let left = files_in(place.folder.path());
    assert!(left.is_empty(), "{left:?}");
}

/// Nothing of this person in the environment: no home, no language, no terminal.
fn bare(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wordbrush"));
    command.args(arguments).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn without_a_home_folder_everything_works_that_needs_none() {
    let place = Place::new();
    let mut session = place.open(&PLENTY);
    say(&mut session, FACE);
    drop(session);
    let path = place.path().display().to_string();
    let output = place.say(&mut bare(&["run", "-", "--set", "steps=2"]), &["a cat", "cat -> dog", "/sessions"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("#2 ← #1"), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("error: there is no home folder for sessions\nhint: set WORDBRUSH_HOME"), "{text}");
    for verb in [&["replay", "--verify", &path][..], &["explain", "--prompt", "a cat", "cat -> dog"]] {
        let output = place.say(&mut bare(verb), &[]);
        assert!(output.status.success(), "{verb:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let output = place.say(&mut bare(&["sessions"]), &[]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_line_of_a_script_that_is_no_text_is_an_error_and_the_others_are_drawn() {
    let place = Place::new();
    let script = place.folder.path().join("script.txt");
    std::fs::write(&script, b"\xef\xbb\xbfa cat on a beach\ncaf\xe9\n#-1\ncat -> dog\n").unwrap();
    let mut run = Command::new(env!("CARGO_BIN_EXE_wordbrush"));
    run.args(["run", &script.display().to_string(), "--json", "--set", "steps=2"]);
    run.env("WORDBRUSH_HOME", place.folder.path()).env("XDG_CONFIG_HOME", place.folder.path());
    let output = run.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((output.status.code(), lines.len()), (Some(1), 4), "{text}");
    assert!(lines[0].contains("\"prompt\":\"a cat on a beach\""), "{}", lines[0]);
    assert!(lines[1].contains("line 2 is no text in UTF-8"), "{}", lines[1]);
    assert!(lines[2].contains("\"error\"") && lines[2].contains("#-1"), "{}", lines[2]);
    assert!(lines[3].contains("\"node\":\"#2\""), "{}", lines[3]);
}

#[test]
fn a_model_that_cannot_be_had_ends_a_script_before_its_first_line_with_status_2() {
    let place = Place::new();
    let folder = place.folder.path().join("models");
    for part in ["unet", "vae", "text_encoder", "tokenizer"] {
        std::fs::create_dir_all(folder.join("base").join(part)).unwrap();
    }
    std::fs::write(folder.join("x.safetensors"), "").unwrap();
    for model in ["models/base", "models/x.safetensors"] {
        let mut command = place.program();
        command.args(["--model", model]).current_dir(place.folder.path()).env("HF_HUB_OFFLINE", "1");
        let output = place.say(&mut command, &["a cat"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{model}: {said}");
        assert!(
            said.contains(model) && !said.contains("HF_HUB_OFFLINE"),
            "{model} is not asked for on the hub: {said}"
        );
    }
}

#[test]
fn a_proxy_that_is_not_there_is_named_with_its_variable_and_without_its_password() {
    let place = Place::new();
    let mut command = place.program();
    for variable in ["ALL_PROXY", "all_proxy", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"] {
        command.env_remove(variable);
    }
    command.args(["--model", "someone/some-model"]).env("HF_HOME", place.folder.path().join("hub"));
    command.env("HTTPS_PROXY", "http://me:secret@127.0.0.1:9").env_remove("HF_ENDPOINT").env_remove("HF_HUB_OFFLINE");
    let output = place.say(&mut command, &["a cat"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("through the proxy 127.0.0.1:9") && said.contains("check HTTPS_PROXY"), "{said}");
    assert!(!said.contains("secret"), "{said}");
}

#[test]
fn a_file_that_is_called_a_picture_and_is_none_does_not_become_a_session() {
    let place = Place::new();
    for (name, bytes) in [("empty.jpg", &b""[..]), ("words.PNG", b"a cat"), ("blank.webp", b"\n\n")] {
        let file = place.folder.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        let mut command = place.program();
        command.args(["--set", "steps=2"]);
        let open = format!("/open {}", file.display());
        let output = place.say(&mut command, &["a cat", &open, "cat -> dog"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("is called a picture, and what is in it is none"), "{name}: {text}");
        assert_eq!(std::fs::read(&file).unwrap(), bytes, "{name} is left as it was");
    }
}

/// The embedded model lies in the source as any other does.
#[test]
fn a_session_drawn_with_a_folder_is_replayed_from_any_other_folder() {
    let place = Place::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let run = |folder: &Path, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wordbrush"));
        command.args(arguments).current_dir(folder).env("HF_HUB_OFFLINE", "1");
        command.env("WORDBRUSH_HOME", place.folder.path()).env("XDG_CONFIG_HOME", place.folder.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        place.say(&mut command, &["a cat"])
    };
    let session = place.path().display().to_string();
    let picture = place.folder.path().join("pictures");
    let out = picture.display().to_string();
    let asked = ["run", "-", "--set", "steps=2", "--model", MODEL, "--session", &session, "--out", &out];
    let output = run(root, &asked);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let file = std::fs::read_to_string(place.path()).unwrap();
    let whole = root.join(MODEL).display().to_string();
    assert!(file.contains(&format!("\"{whole}\"")), "{file}");
    let output = run(place.folder.path(), &["replay", "--verify", &session]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("1 pictures, 0 differ"), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let parameters = std::fs::read(picture.join("0001.png")).unwrap();
    let parameters = String::from_utf8_lossy(&parameters).into_owned();
    let name = Path::new(MODEL).file_name().unwrap().to_str().unwrap();
    assert!(parameters.contains(&format!("Model: {name}")), "other programs are not shown the way to it");
}

#[test]
#[cfg(unix)]
fn names_of_files_are_read_as_a_shell_reads_them_and_nothing_of_others_is_replaced() {
    let place = Place::new();
    let folder = place.folder.path();
    let at = |name: &str| folder.join(name);
    std::fs::write(at("script.txt"), "a cat\n").unwrap();
    let home = at("home");
    std::fs::create_dir(&home).unwrap();
    let mut command = place.program();
    command.current_dir(folder).env("HOME", &home);
    let dropped = format!("'{}'", at("sp ace.png").display());
    let output = place.say(
        &mut command,
        &[
            "a cat",
            "/export png ~/x.png",
            "/export html \"a b.html\"",
            "/export png sp\\ ace.png",
            "/export png script.txt",
            "/export png 'sp ace.png'",
            "/open 'sp ace.png'",
            &dropped,
            "/open script.txt",
            "/open fox",
        ],
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 10, "{text}");
    assert!(home.join("x.png").is_file() && at("a b.html").is_file() && at("sp ace.png").is_file(), "{text}");
    assert!(!at("~").exists(), "{text}");
    assert!(lines[4].contains("`script.txt` is there already, and is not known as one of wordbrush's"), "{}", lines[4]);
    assert_eq!(std::fs::read_to_string(at("script.txt")).unwrap(), "a cat\n");
    assert!(lines[5].contains("in place of the file that was there"), "one of ours may be replaced: {}", lines[5]);
    assert!(lines[6].contains("from-space-a") && lines[7].contains("from-space-b"), "{} {}", lines[6], lines[7]);
    assert!(lines[8].contains("is not a session of wordbrush"), "{}", lines[8]);
    assert!(lines[9].contains("session \\\"fox\\\""), "{}", lines[9]);
}
