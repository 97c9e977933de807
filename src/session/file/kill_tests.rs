//! The process is killed at every file operation of a few turns, and at random moments; every finished turn is there.
//!
//! A killed process cannot be the test itself. So the test starts its own program once more, told by the environment to
//! be the victim, and looks at what the victim left.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use super::tests::drawn;
use super::*;
use crate::history::{first, next, recipe};
use crate::session::lock::Lock;
use crate::store::codec::Blob;
use crate::store::disk::RealDisk;
use crate::store::disk::faulty::{Fault, FaultyDisk};
use crate::store::{Key, Limits, Store, ValueKind};

const FOLDER: &str = "WORDBRUSH_TEST_VICTIM_FOLDER";
const KILL_AT: &str = "WORDBRUSH_TEST_VICTIM_KILL_AT";
const TURNS: &str = "WORDBRUSH_TEST_VICTIM_TURNS";

fn latents(turn: u32) -> Blob {
    let values: Vec<f32> = (0..8000u16).map(|n| f32::from(n) + turn as f32).collect();
    Blob::from_f32(&[2, 4000], &values).unwrap()
}

/// Lives some turns: opens or begins the session, and for each turn puts latents, flushes, and commits.
///
/// Says how many turns are done after each, as a program says it by showing the picture.
#[test]
fn victim() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let number = |name: &str| std::env::var(name).unwrap().parse::<u64>().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(FaultyDisk::new(number(KILL_AT), Fault::Die));
    let path = folder.join("fox.jsonl");
    let _lock = Lock::take(&path, "fox").unwrap();
    let (mut file, mut tree) = if path.exists() {
        let opened = SessionFile::open(&path, Arc::clone(&disk)).unwrap();
        (opened.file, opened.contents.tree)
    } else {
        (SessionFile::create(&path, None, Arc::clone(&disk)).unwrap(), Tree::new())
    };
    let store = Store::open(&folder.join("fox.store"), "test 1", &Limits::default(), disk);
    let warnings = store.take_warnings();
    assert!(!warnings.iter().any(|warning| warning.contains("another process")), "{warnings:?}");
    let mut said = std::io::stderr();
    for _ in 0..number(TURNS) {
        let turn = tree.next_number();
        let prompt = format!("turn {turn}");
        let event = match tree.here() {
            Some(here) => tree.grow(here, "", vec![], next(&tree[here].plan, &prompt)).unwrap(),
            None => tree.grow_root("", vec![], first(&prompt), recipe(1)),
        };
        let Event::Grow(node) = &event else { panic!("each turn is another prompt") };
        store.put(Key::new(node.id, ValueKind::Latents, 0), latents(turn));
        store.put(Key::new(node.id, ValueKind::Masks, 0), Blob::from_u8(&[1], vec![1]).unwrap());
        store.flush();
        let committed = file.commit(&mut tree, event, Some(&drawn(1)));
        let word = committed.as_ref().map_or_else(|error| format!("refused: {error}\n"), |()| format!("done {turn}\n"));
        std::io::Write::write_all(&mut said, word.as_bytes()).unwrap();
        if committed.is_err() {
            return;
        }
    }
}

fn start_victim(folder: &Path, kill_at: u64, turns: u64) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["session::file::kill_tests::victim", "--exact", "--nocapture", "--test-threads=1"]);
    command.env(FOLDER, folder).env(KILL_AT, kill_at.to_string()).env(TURNS, turns.to_string());
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The last turn that the victim called done, of everything it said until it ended.
fn last_done(said: impl Read) -> u32 {
    let lines = BufReader::new(said).lines().map_while(Result::ok);
    lines.filter_map(|line| line.strip_prefix("done ")?.parse().ok()).last().unwrap_or(0)
}

/// Opens what a victim left, checks that at least `done` turns are there and whole, and returns how many there are.
fn check(folder: &Path, done: u32) -> u32 {
    let path = folder.join("fox.jsonl");
    if !path.exists() {
        assert_eq!(done, 0);
        return 0;
    }
    let _lock = Lock::take(&path, "fox").expect("a killed process holds nothing");
    let opened = SessionFile::open(&path, Arc::new(RealDisk)).unwrap();
    let tree = opened.contents.tree;
    let found = tree.next_number() - 1;
    assert!(found >= done, "{done} turns were done, {found} are there");
    assert_eq!(tree.here().unwrap_or(0), found);
    let store = Store::open(&folder.join("fox.store"), "test 1", &Limits::default(), Arc::new(RealDisk));
    assert!(store.take_warnings().is_empty(), "the store is open to its heirs");
    for node in tree.nodes() {
        let kept = store.get(Key::new(node.id, ValueKind::Latents, 0));
        assert_eq!(kept.as_deref(), Some(&latents(node.number)), "latents of finished turn {}", node.number);
    }
    assert_eq!(store.stats().damaged, 0);
    found
}

#[test]
fn a_process_killed_at_any_file_operation_loses_at_most_the_turn_it_was_in() {
    let mut kills = 0;
    for at in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let mut victim = start_victim(folder.path(), at, 3);
        let done = last_done(victim.stderr.take().unwrap());
        if victim.wait().unwrap().success() {
            assert_eq!(check(folder.path(), done), 3);
            break;
        }
        kills += 1;
        let found = check(folder.path(), done);
        assert!(found <= done + 1);
        // The next process goes on from there.
        let mut heir = start_victim(folder.path(), u64::MAX, 1);
        assert_eq!(last_done(heir.stderr.take().unwrap()), found + 1);
        assert!(heir.wait().unwrap().success());
        check(folder.path(), found + 1);
    }
    assert!(kills >= 18, "only {kills} operations in three turns");
}

#[test]
fn a_process_killed_at_random_moments_loses_no_finished_turn() {
    random_kills(170);
}

#[test]
#[ignore = "takes a minute or two"]
fn a_process_killed_at_six_hundred_random_moments_loses_no_finished_turn() {
    random_kills(600);
}

/// The system's own limit on file sizes stands for a full disk; the signal that comes with it is ignored, so that writes
/// fail as they do when a disk is full.
#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_fills_up_stops_the_turn_with_an_error_and_keeps_every_finished_one() {
    // Blocks of 512 bytes: less than the index needs, less than a few latents, less than a few turns.
    for blocks in [8, 20, 70] {
        let folder = tempfile::tempdir().unwrap();
        let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let mut command = Command::new("sh");
        command.arg("-c").arg(limited).arg(std::env::current_exe().unwrap());
        command.args(["session::file::kill_tests::victim", "--exact", "--nocapture", "--test-threads=1"]);
        command.env(FOLDER, folder.path()).env(KILL_AT, u64::MAX.to_string()).env(TURNS, "100");
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{blocks} blocks: {said}");
        assert!(said.contains("refused: cannot write session `fox`: file too large"), "{blocks} blocks: {said}");
        let done = last_done(&*output.stderr);
        let opened = SessionFile::open(&folder.path().join("fox.jsonl"), Arc::new(RealDisk)).unwrap();
        assert_eq!(opened.contents.tree.next_number() - 1, done);
        assert_eq!(opened.contents.notes, [""; 0], "the file has whole lines only");
    }
}

/// One session, gone on with again and again by processes that are killed after 0 to 40 ms, or to as much more as this
/// machine, busy with other things, needs for a turn now and then.
fn random_kills(times: u64) {
    let folder = tempfile::tempdir().unwrap();
    let (mut done, mut state, mut longest) = (0, 0x9e37_79b9_7f4a_7c15u64, 40);
    for _ in 0..times {
        let mut victim = start_victim(folder.path(), u64::MAX, 1000);
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        std::thread::sleep(std::time::Duration::from_millis(state % longest));
        victim.kill().unwrap();
        victim.wait().unwrap();
        let said = done.max(last_done(victim.stderr.take().unwrap()));
        let found = check(folder.path(), said);
        longest = if found > done { (longest / 2).max(40) } else { (longest + 10).min(5000) };
        done = found;
    }
    assert!(done > 0, "no victim lived long enough to finish a turn");
}
