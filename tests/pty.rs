//! Types a conversation into the real program under a pseudo-terminal, and sees what a person would see.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly anywhere")]
#![cfg(unix)]

#[path = "common/window.rs"]
mod window;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use window::{PROGRAM, Terminal};

/// The half block that pictures are made of.
const BLOCK: char = '▀';

#[test]
fn a_conversation_is_typed_and_found_again() {
    let home = tempfile::tempdir().unwrap();
    let mut window = Terminal::open(home.path(), &["--set", "steps=2", "--preview", "blocks"]);
    window.sees("new session");
    window.sees("› ");

    window.type_line("a woman's face with long blond hair");
    let picture = window.sees("#1  ");
    assert!(picture.matches(BLOCK).count() > 1000, "no picture came out:\n{picture}");
    window.sees("1 › ");

    window.type_line("blond -> red");
    window.sees("swap   blond → red");
    let picture = window.sees("#2 ← #1");
    assert!(picture.matches(BLOCK).count() > 1000, "no picture came out:\n{picture}");
    window.sees("2 › ");

    window.type_line("tortise -> hare");
    window.sees("\n    ^^^^^^^\n");
    window.sees("error: `tortise`");
    window.sees("hint: ");
    window.sees("2 › ");

    window.type_line("undo");
    window.sees("at #1");
    window.sees("redo returns to #2");
    window.sees("1 › ");

    // Each node has its picture between what ties it to its parent and its text.
    window.type_line("/tree");
    window.sees("▀ #1 a woman's face with long blond hair      ← here");
    let between = window.sees("▀ #2 blond → red");
    assert!(between.contains("\n  └─▀▀▀"), "{between}");
    window.sees("1 › ");

    // Tab completes a command and a word of the prompt.
    window.type_keys("/tre\t");
    window.sees("/tree");
    window.type_keys("\u{15}");
    window.type_keys("\u{4}");
    window.sees("everything is kept");
    assert_eq!(window.ends(), 0);

    let name = session_name(home.path());
    let pictures = home.path().join(format!("{name}.pictures"));
    assert_eq!(std::fs::read_dir(pictures).unwrap().count(), 2);

    let mut window = Terminal::open(home.path(), &["open", &name, "--preview", "blocks"]);
    let picture = window.sees(&format!("session \"{name}\" · 2 pictures"));
    assert!(picture.matches(BLOCK).count() > 1000, "the picture is not shown again:\n{picture}");
    window.sees("at #1  a woman's face with long blond hair");
    window.sees("1 › ");
    window.type_line("/tree");
    window.sees("▀ #2 blond → red");
    window.sees("1 › ");
    // Ctrl-P is the line before, in this window and the last.
    window.type_keys("\u{10}\u{10}\u{10}\u{10}");
    window.sees("tortise -> hare");
    window.type_keys("\u{15}/quit\r");
    assert_eq!(window.ends(), 0);
}

fn session_name(home: &Path) -> String {
    let names = std::fs::read_dir(home).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let names: Vec<String> = names.filter_map(|n| n.strip_suffix(".jsonl").map(str::to_owned)).collect();
    assert_eq!(names.len(), 1, "{names:?}");
    names[0].clone()
}

#[test]
fn ctrl_c_stops_a_turn_and_at_the_prompt_the_second_leaves() {
    let home = tempfile::tempdir().unwrap();
    let mut window = Terminal::open(home.path(), &["--set", "steps=900", "--preview", "blocks"]);
    window.sees("› ");
    window.type_line("a cat");
    window.sees("/900");
    window.type_keys("\u{3}");
    window.sees("stopped; no picture was added");
    window.sees("› ");
    window.type_line("/tree");
    window.sees("there is no picture yet");
    window.sees("› ");
    let left = std::fs::read_dir(home.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    assert_eq!(left.filter(|name| name != "history").collect::<Vec<_>>(), [""; 0], "nothing is left behind");
    // On a line with text it drops the line, however often, and counts as nothing.
    for _ in 0..3 {
        window.type_keys("half a line");
        window.sees("half a line");
        window.type_keys("\u{3}");
    }
    window.type_line("/tree");
    window.sees("there is no picture yet");
    window.sees("› ");
    window.type_keys("\u{3}");
    window.sees("Ctrl-C again leaves");
    window.sees("› ");
    window.type_keys("\u{3}");
    assert_eq!(window.ends(), 0);
}

#[test]
fn lines_typed_or_pasted_ahead_are_all_taken_in_order() {
    let home = tempfile::tempdir().unwrap();
    let mut window = Terminal::open(home.path(), &["--set", "steps=4", "--preview", "none"]);
    window.sees("› ");
    window.type_keys("a cat on a beach\rcat -> dog\rundo\r/tree\r");
    window.sees("#1  ");
    // And more while a turn runs.
    window.type_keys("redo\r+ at night\r/log\r");
    for expected in ["#2 ← #1", "at #1", "#2 cat → dog", "at #2", "#3 ← #2", "3 › "] {
        window.sees(expected);
    }
    window.type_keys("\u{4}");
    window.sees("everything is kept");
    assert_eq!(window.ends(), 0);
}

#[test]
fn ctrl_d_pressed_while_a_turn_runs_leaves_once_the_turn_is_done() {
    let home = tempfile::tempdir().unwrap();
    let mut window = Terminal::open(home.path(), &["--set", "steps=40", "--preview", "none"]);
    window.sees("› ");
    window.type_line("a cat on a beach");
    window.sees("/40");
    window.type_keys("\u{4}");
    window.sees("#1  ");
    window.sees("everything is kept");
    assert_eq!(window.ends(), 0);
}

#[test]
fn enter_alone_takes_the_caption_that_is_proposed_for_a_photograph() {
    let home = tempfile::tempdir().unwrap();
    let mut window = Terminal::open(home.path(), &["--set", "steps=4", "--preview", "none"]);
    window.sees("› ");
    window.type_keys("\r");
    window.type_line(concat!("/open ", env!("CARGO_MANIFEST_DIR"), "/tests/photographs/dog.png"));
    window.sees("Enter alone takes the nearest that this model knows: ");
    window.type_keys("\r");
    window.sees("#1  ");
    window.type_keys("\r");
    window.type_line("/tree");
    window.sees("#1 a brown dog in a meadow");
    window.type_keys("\u{4}");
    window.sees("everything is kept");
    assert_eq!(window.ends(), 0);
}

#[test]
fn leaving_says_what_is_not_on_the_disk() {
    let home = tempfile::tempdir().unwrap();
    let mut window = Terminal::open(home.path(), &["--set", "steps=2", "--preview", "none"]);
    window.sees("› ");
    window.type_line("a cat");
    window.sees("#1  ");
    window.sees("1 › ");
    let name = session_name(home.path());
    std::fs::remove_file(home.path().join(format!("{name}.jsonl"))).unwrap();
    window.type_line("cat -> dog");
    window.sees("error: cannot write session");
    window.sees("/save NAME");
    window.sees("1 › ");
    window.type_line("/quit");
    window.sees("not everything is kept: the file of session");
    window.sees("0001.png");
    assert_eq!(window.ends(), 0);
}

#[test]
fn what_moves_the_cursor_is_not_shown_raw_while_it_is_pasted() {
    let home = tempfile::tempdir().unwrap();
    let mut window = Terminal::open(home.path(), &["--set", "steps=2", "--preview", "none"]);
    window.sees("› ");
    window.type_keys("\u{1b}[200~a cat\u{7}\u{8} on\ta \u{202e}beach\u{9b}31m\u{1b}[201~");
    window.sees("beach");
    window.type_keys("x\u{202e}y");
    window.sees("y");
    window.type_keys("\r");
    window.sees("#1  ");
    for raw in [&b"\x07"[..], b"\x08", b"\t", "\u{202e}".as_bytes(), "\u{9b}".as_bytes()] {
        assert!(!window.raw.windows(raw.len()).any(|part| part == raw), "{raw:?} was written raw");
    }
}

#[test]
fn a_guess_is_faint_whether_colours_are_wanted_or_not() {
    for no_color in [true, false] {
        let home = tempfile::tempdir().unwrap();
        let mut window = Terminal::open_with(home.path(), &["--preview", "none"], |command| {
            if no_color { command.env("NO_COLOR", "1") } else { command.env_remove("NO_COLOR") }
        });
        window.sees("› ");
        window.type_keys("/t");
        window.sees("/tree");
        let faint = b"\x1b[2mree";
        assert!(window.raw.windows(faint.len()).any(|part| part == faint), "NO_COLOR {no_color}");
    }
}

#[test]
fn a_terminal_without_a_name_gets_no_escapes_and_one_that_is_not_utf_8_gets_ascii() {
    let home = tempfile::tempdir().unwrap();
    let mut window = Terminal::open_with(home.path(), &["--set", "steps=2"], |command| command.env_remove("TERM"));
    window.sees("> ");
    window.type_line("a cat");
    window.sees("#1  ");
    window.sees("1 > ");
    window.type_keys("\u{4}");
    assert_eq!(window.ends(), 0);
    assert!(!window.raw.contains(&0x1b), "{}", String::from_utf8_lossy(&window.raw));

    let home = tempfile::tempdir().unwrap();
    let mut window = Terminal::open_with(home.path(), &["--set", "steps=2"], |command| command.env("LC_ALL", "C"));
    window.sees("> ");
    window.type_line("a cat");
    window.sees("#1  ");
    window.sees("1 > ");
    window.type_line("cat -> dog");
    window.sees("cat -> dog");
    window.sees("#2 <- #1");
    window.sees("2 > ");
    window.type_line("/tree");
    window.sees("+-#2 cat -> dog");
    window.sees("2 > ");
    window.type_keys("\u{4}");
    assert_eq!(window.ends(), 0);
    assert!(window.raw.is_ascii(), "{}", String::from_utf8_lossy(&window.raw));
}

/// What a shell without a line editor of its own would be left with.
#[test]
fn a_signal_that_ends_the_program_leaves_the_terminal_as_it_was_found() {
    use rustix::termios::{LocalModes, tcgetattr};
    use std::os::unix::process::ExitStatusExt;
    for (signal, number) in [("TERM", 15), ("HUP", 1), ("QUIT", 3), ("USR1", 10)] {
        for in_mid_turn in [true, false] {
            let home = tempfile::tempdir().unwrap();
            let mut window =
                Terminal::open(home.path(), &["--set", "steps=900", "--set", "size=512", "--preview", "none"]);
            window.sees("› ");
            if in_mid_turn {
                window.type_line("a cat");
                window.sees("/900");
            }
            let modes = |window: &Terminal| tcgetattr(&*window.pty).unwrap().local_modes;
            assert!(!modes(&window).contains(LocalModes::ECHO), "the program does the echo");
            let killed = Command::new("kill").arg(format!("-{signal}")).arg(window.child.id().to_string()).status();
            assert!(killed.unwrap().success());
            let status = window.child.wait().unwrap();
            assert_eq!(status.signal(), Some(number), "{signal}");
            let wanted = LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
            assert!(modes(&window).contains(wanted), "{signal}, in mid-turn {in_mid_turn}: {:?}", modes(&window));
        }
    }
}

#[test]
fn a_byte_that_is_no_text_does_not_end_the_file_of_typed_lines() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("history");
    std::fs::write(&file, b"#V2\na first cat\ncaf\xe9\na last cat\n").unwrap();
    let mut window = Terminal::open(home.path(), &["--set", "steps=2", "--preview", "none"]);
    window.sees("that are no text are set aside in");
    window.sees("› ");
    window.type_keys("\u{10}");
    window.sees("a last cat");
    window.type_keys("\u{10}");
    window.sees("a first cat");
    window.type_keys("\u{15}/tree\r");
    window.sees("no picture yet");
    window.sees("› ");
    // Another program spoils it in mid-conversation.
    std::fs::write(&file, b"#V2\nspoilt \xff\n").unwrap();
    window.type_line("/about");
    window.sees("are set aside in");
    window.sees("› ");
    window.type_keys("\u{4}");
    assert_eq!(window.ends(), 0);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("/about"), "{text}");
    assert_eq!(std::fs::read(home.path().join("history.broken-1")).unwrap(), b"caf\xe9\n");
}

#[test]
fn where_nothing_can_be_kept_that_is_said_at_the_start() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("file"), "").unwrap();
    let nowhere = home.path().join("file/below");
    let mut window = Terminal::open(&nowhere, &["--set", "steps=2", "--preview", "none"]);
    window.sees("note: no session can be kept in");
    window.sees("› ");
    window.type_line("a cat");
    window.sees("#1  ");
    window.sees("1 › ");
    window.type_keys("\u{4}");
    window.sees("nothing is kept");
    assert_eq!(window.ends(), 0);
}

#[test]
fn a_second_ctrl_c_during_a_turn_leaves() {
    let home = tempfile::tempdir().unwrap();
    // At this size a step takes long enough to press a key twice.
    let mut window = Terminal::open(home.path(), &["--set", "steps=900", "--set", "size=768", "--preview", "none"]);
    window.sees("› ");
    window.type_line("a cat");
    window.sees("/900");
    window.type_keys("\u{3}");
    window.sees("stopping after this step");
    window.type_keys("\u{3}");
    assert_eq!(window.ends(), 130);
}

#[test]
fn two_windows_opened_before_either_has_a_picture_have_a_session_each() {
    let home = tempfile::tempdir().unwrap();
    let open = || Terminal::open(home.path(), &["--set", "steps=2", "--preview", "none"]);
    let (mut first, mut second) = (open(), open());
    for (window, prompt) in [(&mut first, "a cat"), (&mut second, "a dog")] {
        window.sees("› ");
        window.type_line(prompt);
        window.sees("#1  ");
        window.sees("1 › ");
    }
    assert!(second.raw.windows(4).any(|part| part == b"note"), "the second is told of its new name");
    for window in [&mut first, &mut second] {
        window.type_keys("\u{4}");
        assert_eq!(window.ends(), 0);
    }
    let names = std::fs::read_dir(home.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.ends_with(".jsonl")).count(), 2);
}

#[test]
fn without_a_terminal_the_same_lines_are_taken_and_no_escape_byte_is_written() {
    let home = tempfile::tempdir().unwrap();
    let lines = "a cat\u{1b}[31m\n+ at night\nundo\n/tree\nnonsense -> more\n";
    let mut child = Command::new(PROGRAM)
        .args(["--set", "steps=2", "--preview", "blocks"])
        .env("WORDBRUSH_HOME", home.path())
        .env("XDG_CONFIG_HOME", home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    for (bytes, name) in [(&output.stdout, "output"), (&output.stderr, "errors")] {
        assert!(!bytes.contains(&0x1b), "{name}: {}", String::from_utf8_lossy(bytes));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    for wanted in ["#1  ", "#2 ← #1", "at #1", "└─#2", "error: "] {
        assert!(text.contains(wanted), "`{wanted}` is missing from:\n{text}");
    }
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn plain_mode_moves_no_cursor_and_shows_no_picture() {
    let home = tempfile::tempdir().unwrap();
    let mut window = Terminal::open(home.path(), &["--plain", "--set", "steps=2"]);
    window.sees("> ");
    window.type_line("a cat");
    window.sees("picture: ");
    window.sees("#1  ");
    window.sees("1 > ");
    (&*window.pty).write_all(b"caf\xe9\r").unwrap();
    window.sees("error: that is no text in UTF-8");
    window.sees("1 > ");
    window.type_line("/tree");
    window.sees("  #1 a cat      ← here\n");
    window.sees("1 > ");
    window.type_keys("\u{4}");
    assert_eq!(window.ends(), 0);
    assert!(!window.raw.contains(&0x1b), "{}", String::from_utf8_lossy(&window.raw));
}
