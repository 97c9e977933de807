//! Conversations of every kind of line, whose program is killed at random moments, and long ones that go on for a thousand
//! turns. The tests here are short; the long runs are ignored, and `docs/RELIABILITY.md` says what they counted.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly anywhere")]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::dice::Dice;
use serde_json::Value;
use wordbrush::history::LogEntry;
use wordbrush::plan::settings::Settings;
use wordbrush::session::home::Home;
use wordbrush::session::{Options, Session, picture_digest};
use wordbrush::store::Limits;
use wordbrush::turn::Turn;

const COLOURS: [&str; 6] = ["red", "black", "green", "blue", "white", "brown"];
const ANIMALS: [&str; 5] = ["cat", "dog", "fox", "horse", "rabbit"];

/// A line that somebody might type: an edit, a move, a way back, a sweep, a file written. `count` pictures are there.
fn line(dice: &mut Dice, count: usize) -> String {
    let id = 1 + dice.below(count.max(1));
    match dice.below(16) {
        0 => format!("/new a {} {} on a beach", dice.of(&COLOURS), dice.of(&ANIMALS)),
        1..=4 => format!("{} -> {}", dice.of(&ANIMALS), dice.of(&ANIMALS)),
        5 | 6 => format!("make it a {} {}", dice.of(&COLOURS), dice.of(&ANIMALS)),
        7 => format!("+ with a {} hat", dice.of(&COLOURS)),
        8 => format!("{}*{}", dice.of(&ANIMALS), dice.of(&["0.5", "1.5", "2"])),
        9 => dice.of(&["undo", "redo", "back"]).to_owned(),
        10 => format!("#{id}"),
        11 => format!("/branch b{}", dice.below(1000)),
        12 => "/cycle".to_owned(),
        13 => "/sweep k=0,.3".to_owned(),
        14 => format!("/export {} out.{}", dice.of(&["png", "html"]), id),
        _ => dice.of(&["/again", "/set k .2", "/set cross .6", "/tree", "/log"]).to_owned(),
    }
}

/// What the program called done of a line: the picture that was drawn or moved to, and its prompt.
fn done(said: &str) -> Option<(u32, String)> {
    let value: Value = serde_json::from_str(said).ok()?;
    let node = value.get("node")?.as_str()?.strip_prefix('#')?.parse().ok()?;
    Some((node, value.get("prompt")?.as_str()?.to_owned()))
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn path(&self) -> PathBuf {
        self.0.path().join("fox.jsonl")
    }

    fn start(&self, lines: &[String]) -> (Child, std::thread::JoinHandle<Vec<(u32, String)>>) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wordbrush"));
        command
            .args(["run", "-", "--json", "--set", "steps=2", "--session"])
            .arg(self.path())
            .arg("--out")
            .arg(self.0.path().join("out"));
        command.env("WORDBRUSH_HOME", self.0.path()).env("XDG_CONFIG_HOME", self.0.path()).current_dir(self.0.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let text = lines.join("\n") + "\n";
        std::thread::spawn(move || input.write_all(text.as_bytes()));
        let said = BufReader::new(child.stdout.take().unwrap());
        let told =
            std::thread::spawn(move || said.lines().map_while(Result::ok).filter_map(|line| done(&line)).collect());
        (child, told)
    }

    fn open(&self) -> Session {
        Session::open(Options {
            home: Home::find(|_| Some(self.0.path().into())).unwrap(),
            path: Some(self.path()),
            read_only: false,
            settings: Settings::default(),
            overrides: vec![("steps".to_owned(), "2".to_owned())],
            limits: Limits { ram: 1 << 28, disk: 1 << 28 },
        })
        .unwrap()
    }
}

/// Draws and moves that a session has written down.
fn turns(session: &Session) -> usize {
    session.tree().log().iter().filter(|entry| matches!(entry, LogEntry::Grew(_) | LogEntry::Moved(_))).count()
}

/// No picture that was written is half of one.
fn check_pictures(folder: &Path) -> usize {
    let files = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let pictures = files.filter(|path| path.extension().is_some_and(|e| e == "png"));
    pictures.map(|path| drop(wordbrush::preview::png::open(&path).unwrap_or_else(|e| panic!("{e:#}")))).count()
}

/// Held by whoever opens sessions in this process: its memory is looked at.
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn alone() -> std::sync::MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

struct Counts {
    kills: u64,
    turns: usize,
    pictures: usize,
}

/// Conversations of about a hundred pictures, each gone on with by programs that are killed while they start, load, draw,
/// measure, write their store, their event or a file. After each kill, every turn that was called done is there.
fn kill(times: u64, seed: u64) -> Counts {
    let _alone = alone();
    let mut dice = Dice(seed | 1);
    let mut counts = Counts { kills: 0, turns: 0, pictures: 0 };
    let begun = Instant::now();
    let mut folder = Folder(tempfile::tempdir().unwrap());
    let (mut trial, said) = folder.start(&["a cat on a beach".to_owned()]);
    trial.wait().unwrap();
    assert_eq!(said.join().unwrap().len(), 1);
    // As long as a few turns take, on this machine as busy as it is by now.
    let mut span = (2 * begun.elapsed().as_millis() as usize).clamp(300, 20_000);
    let (mut known, mut pictures, mut here) = (1, 1, Some(1));
    for _ in 0..times {
        if pictures > 100 {
            (folder, known, pictures, here) = (Folder(tempfile::tempdir().unwrap()), 0, 0, None);
        }
        let mut lines: Vec<String> = (0..60).map(|_| line(&mut dice, pictures)).collect();
        if pictures == 0 {
            lines.insert(0, "a cat on a beach".to_owned());
        }
        let (mut victim, said) = folder.start(&lines);
        std::thread::sleep(Duration::from_millis(dice.below(span) as u64));
        counts.kills += u64::from(victim.try_wait().unwrap().is_none());
        victim.kill().unwrap();
        victim.wait().unwrap();
        let told = said.join().unwrap();
        if !folder.path().exists() {
            assert!(told.is_empty(), "turns were called done, and there is no file: {told:?}");
            continue;
        }
        let mut session = folder.open();
        assert_eq!(session.take_notes().iter().filter(|note| note.contains("damaged")).count(), 0);
        // Whoever goes where he is already has gone nowhere.
        let stations = std::iter::once(here).chain(told.iter().map(|(node, _)| Some(*node))).collect::<Vec<_>>();
        let done = stations.windows(2).filter(|two| two[0] != two[1]).count();
        let found = turns(&session);
        assert!(found >= known + done, "{known} turns were there and {done} called done, {found} are there: {told:?}");
        for (node, prompt) in &told {
            assert_eq!(&session.tree()[*node].plan.prompt, prompt, "#{node} is another");
        }
        let last = session.tree().len() as u32;
        // Killed between the file's first line and the first picture.
        if last == 0 {
            assert!(told.is_empty(), "turns were called done, and there is no picture: {told:?}");
            (known, pictures, here) = (found, 0, None);
            continue;
        }
        let drawn = session.drawn(last).map(|drawn| drawn.digest.clone());
        let shown = picture_digest(&session.picture(last).unwrap());
        assert_eq!(Some(shown), drawn, "#{last} shows another picture");
        counts.turns += found - known;
        span = if found > known { (span * 3 / 4).max(300) } else { (span + 300).min(20_000) };
        counts.pictures += check_pictures(&folder.0.path().join("out"));
        (known, pictures, here) = (found, session.tree().len(), session.tree().here());
    }
    counts
}

#[test]
fn a_conversation_of_every_kind_of_line_loses_no_finished_turn_when_it_is_killed() {
    let counts = kill(12, 7);
    assert!(counts.kills >= 8 && counts.turns > 0, "{} kills, {} turns", counts.kills, counts.turns);
}

/// `KILLS=2000 cargo test --release --test kills -- --ignored --nocapture kills`
#[test]
#[ignore = "takes an hour"]
fn two_thousand_kills_lose_no_finished_turn() {
    let number = |name: &str, usual| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(usual);
    let (times, seed) = (number("KILLS", 2000), number("SEED", 1));
    let counts = kill(times, seed);
    let Counts { kills, turns, pictures } = counts;
    writeln!(
        std::io::stderr(),
        "{kills} kills, {turns} finished turns, none lost; {pictures} times a picture was looked at"
    )
    .unwrap();
    assert!(kills * 10 >= times * 7, "{kills} kills of {times}");
}

/// The memory that this process has now, in bytes.
#[cfg(target_os = "linux")]
fn memory() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() << 10
}

/// Turns with branches, in a memory and on a disk that hold a part of them, reopened now and then. What is given up is
/// computed again, and the process stays as large as it was. Gives its size after a third of the turns, and at the end.
#[cfg(target_os = "linux")]
fn soak(all: usize) -> (u64, u64) {
    let _alone = alone();
    let folder = Folder(tempfile::tempdir().unwrap());
    let limits = Limits { ram: 4 << 20, disk: 16 << 20 };
    let open = || {
        let overrides = vec![("steps".to_owned(), "2".to_owned())];
        let home = Home::find(|_| Some(folder.0.path().into())).unwrap();
        let (settings, limits) = (Settings::default(), limits.clone());
        Session::open(Options { home, path: Some(folder.path()), read_only: false, settings, overrides, limits })
            .unwrap()
    };
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let mut session = open();
    common::say(&mut session, "a cat on a beach");
    let (mut turns, mut after_a_third, mut typed) = (1, 0, 0);
    while turns < all {
        typed += 1;
        if typed % 50 == 0 {
            drop(session);
            session = open();
        }
        let count = session.tree().len();
        if dice.below(4) == 0 {
            let event = session.tree().go(&format!("#{}", 1 + dice.below(count))).unwrap();
            session.go(event).unwrap();
        }
        let line = line(&mut dice, count);
        let Ok(Turn::Edit(edit)) = session.read(&line) else { continue };
        if let Ok(turned) = session.edit(&line, &edit, &mut |_, _| ControlFlow::Continue(())) {
            turned.expect("nobody stopped it");
        }
        // A line that finds its picture drawn already is no turn.
        let drew = session.tree().len() > count;
        turns += usize::from(drew);
        if drew && turns == all / 3 {
            after_a_third = memory();
        }
        let stats = session.store_stats();
        assert!(stats.ram_bytes <= limits.ram && stats.disk_bytes <= limits.disk, "{stats:?}");
    }
    assert_eq!(session.tree().len(), all);
    let kept = session.tree().len() as u32;
    drop(session);
    let mut session = open();
    assert_eq!(session.tree().len() as u32, kept);
    for node in [1, kept / 2, kept] {
        let was = session.drawn(node).map(|drawn| drawn.digest.clone());
        assert_eq!(Some(picture_digest(&session.picture(node).unwrap())), was, "#{node} shows another picture");
    }
    (after_a_third, memory())
}

#[test]
#[cfg(target_os = "linux")]
fn turns_with_branches_and_little_room_take_no_more_memory_than_at_first() {
    let (early, late) = soak(24);
    assert!(late < early + (64 << 20), "{} MiB, then {} MiB", early >> 20, late >> 20);
}

/// `cargo test --release --test kills -- --ignored --nocapture thousand_turns`
#[test]
#[ignore = "takes minutes"]
#[cfg(target_os = "linux")]
fn a_thousand_turns_with_branches_and_reopening_take_no_more_memory_than_a_third_of_them() {
    let (early, late) = soak(1000);
    writeln!(std::io::stderr(), "{} MiB after a third of 1000 turns, {} MiB at the end", early >> 20, late >> 20)
        .unwrap();
    assert!(late < early + (64 << 20), "{} MiB, then {} MiB", early >> 20, late >> 20);
}
