//! Keys, signals and other programs on the terminal, in the real program.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly anywhere")]
#![cfg(unix)]

#[path = "common/window.rs"]
mod window;

use std::time::Duration;

use rustix::termios::{LocalModes, tcgetattr};
use window::{PROGRAM, Terminal};

/// A session with two pictures, `a cat` and `a dog`, in a window that waits at the second.
fn with_two(home: &std::path::Path, preview: &str) -> Terminal {
    let mut window = Terminal::open(home, &["--set", "steps=2", "--preview", preview]);
    window.sees("› ");
    window.type_line("a cat");
    window.sees("1 › ");
    window.type_line("cat -> dog");
    window.sees("2 › ");
    window
}

fn leaves(mut window: Terminal) {
    window.type_keys("\u{15}\u{4}");
    assert_eq!(window.ends(), 0);
}

/// The shell waits for its job, and finds the terminal as it left it.
#[test]
fn ctrl_z_gives_the_terminal_back_in_mid_turn_and_at_the_prompt_and_the_program_goes_on_afterwards() {
    let home = tempfile::tempdir().unwrap();
    let mut window = Terminal::start("/bin/sh", home.path(), |command| {
        command.arg("-i").env_remove("ENV").env("PS1", "ready> ").env_remove("NO_COLOR")
    });
    window.sees("ready> ");
    let found = tcgetattr(&*window.pty).unwrap();
    let checked = |window: &Terminal, when: &str| {
        let modes = tcgetattr(&*window.pty).unwrap();
        let wanted = LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        assert!(modes.local_modes.contains(wanted & found.local_modes), "{when}: {:?}", modes.local_modes);
    };
    window.type_line(&format!("{PROGRAM} --set steps=900 --set size=512 --preview none"));
    window.sees("› ");
    window.type_line("a cat");
    window.sees("/900");
    window.type_keys("\u{1a}");
    window.sees("ready> ");
    checked(&window, "in mid-turn");
    window.type_line("echo it is $((40 + 2))");
    window.sees("it is 42");
    window.sees("ready> ");
    window.type_line("fg");
    window.sees("/900");
    assert!(!tcgetattr(&*window.pty).unwrap().local_modes.contains(LocalModes::ECHO), "the program does the echo");
    window.type_keys("\u{3}");
    window.sees("stopped; no picture was added");
    window.sees("› ");
    window.type_keys("half a line");
    window.sees("half a line");
    window.type_keys("\u{1a}");
    window.sees("ready> ");
    checked(&window, "at the prompt");
    window.type_line("fg");
    window.sees("half a line");
    window.type_keys("\u{15}/tree\r");
    window.sees("there is no picture yet");
    window.sees("› ");
    window.type_keys("\u{4}");
    window.sees("ready> ");
    window.type_line("exit");
    window.ends();
}

/// Where no shell could go on with it, a program that stops would hang for ever.
#[test]
fn ctrl_z_does_nothing_where_nobody_could_go_on_with_the_program() {
    let home = tempfile::tempdir().unwrap();
    let mut window = Terminal::open(home.path(), &["--preview", "none"]);
    window.sees("› ");
    window.type_keys("\u{1a}/tree\r");
    window.sees("there is no picture yet");
    window.sees("› ");
    leaves(window);
}

#[test]
fn an_answer_of_the_terminal_that_comes_late_is_not_typed() {
    let home = tempfile::tempdir().unwrap();
    let mut window = Terminal::open_with(home.path(), &["--set", "steps=2"], |command| {
        let command = command.env_remove("NO_COLOR").env("XTERM_VERSION", "XTerm(390)");
        ["SSH_CONNECTION", "TERM_PROGRAM", "LC_TERMINAL", "KITTY_WINDOW_ID", "VTE_VERSION", "COLORTERM"]
            .into_iter()
            .fold(command, |command, name| command.env_remove(name))
    });
    // It asks, and is not answered for half a second.
    window.sees("› ");
    assert!(window.raw.windows(3).any(|part| part == b"\x1b[c"), "nothing was asked");
    window.type_keys("a ca");
    window.sees("a ca");
    window.type_keys("\u{1b}[?1;0;16S\u{1b}[6;13;6t\u{1b}[?63;1;2;4;6c");
    std::thread::sleep(Duration::from_millis(300));
    window.type_keys("t on 6 beaches\r");
    window.sees("1 › ");
    window.type_line("/tree");
    window.sees("#1 a cat on 6 beaches      ← here");
    leaves(window);
}

#[test]
fn the_line_is_edited_in_the_persons_own_editor() {
    let home = tempfile::tempdir().unwrap();
    let mut window = Terminal::open_with(home.path(), &["--set", "steps=2", "--preview", "none"], |command| {
        command.env("EDITOR", "sed -i s/cat/dog/").env_remove("VISUAL").env_remove("NO_COLOR")
    });
    window.sees("› ");
    window.type_keys("a cat\u{18}\u{5}");
    window.sees("a dog");
    window.type_keys(" on a beach\r");
    window.sees("1 › ");
    window.type_line("/tree");
    window.sees("#1 a dog on a beach      ← here");
    leaves(window);

    let home = tempfile::tempdir().unwrap();
    let mut window = Terminal::open_with(home.path(), &["--set", "steps=2", "--preview", "none"], |command| {
        command.env("VISUAL", "/no/such/editor").env_remove("NO_COLOR")
    });
    window.sees("› ");
    window.type_keys("a cat\u{18}\u{5}");
    window.sees("the line is as it was");
    window.sees("a cat");
    leaves(window);
}

#[test]
fn texts_longer_than_the_screen_are_paged_and_others_are_not() {
    let home = tempfile::tempdir().unwrap();
    let mut window = Terminal::open_with(home.path(), &["--set", "steps=2", "--preview", "none"], |command| {
        command.env("PAGER", "sed 's/^/paged: /'").env_remove("NO_COLOR")
    });
    window.sees("› ");
    window.type_line("/help all");
    window.sees("paged: Describe a picture");
    window.sees("paged: Help");
    window.sees("› ");
    window.type_line("/help undo");
    assert!(!window.sees("example: /undo 3").contains("paged"));
    window.sees("› ");
    window.type_line("a cat");
    window.sees("1 › ");
    window.type_line("/tree");
    assert!(!window.sees("← here").contains("paged"));
    window.sees("1 › ");
    leaves(window);
}

#[test]
fn a_person_walks_the_tree_by_arrow_keys_and_looks_at_before_and_after_by_one_key() {
    let home = tempfile::tempdir().unwrap();
    let mut window = with_two(home.path(), "blocks");
    window.type_line("/walk");
    window.sees("#2 ← #1");
    window.sees("Esc leaves");
    window.type_keys("\u{1b}[A");
    window.sees("#1  a cat");
    window.sees("Esc leaves");
    window.type_keys("\r");
    window.sees("at #1");
    window.sees("1 › ");
    window.type_line("/walk");
    window.sees("Esc leaves");
    window.type_keys("\u{1b}[B");
    window.sees("#2 ← #1");
    window.type_keys("\u{1b}");
    window.sees("1 › ");
    window.type_line("redo");
    window.sees("2 › ");
    window.type_keys("half a line\u{f}");
    window.sees("before");
    window.type_keys("\u{f}");
    window.sees("after");
    window.type_keys("q");
    window.sees("half a line");
    leaves(window);
}

#[test]
fn open_without_a_name_and_c_go_on_with_the_session_that_was_worked_on_last() {
    let home = tempfile::tempdir().unwrap();
    let mut window = Terminal::open(home.path(), &["open", "--preview", "none"]);
    assert_eq!(window.ends(), 2);
    for _ in 0..2 {
        leaves(with_two(home.path(), "none"));
    }
    let mut names: Vec<String> = std::fs::read_dir(home.path())
        .unwrap()
        .filter_map(|e| e.unwrap().file_name().into_string().unwrap().strip_suffix(".jsonl").map(str::to_owned))
        .collect();
    names.sort();
    assert_eq!(names.len(), 2);
    for (words, newer) in [(&["open"][..], 0), (&["-c"], 1)] {
        for (at, name) in names.iter().enumerate() {
            let hours = if at == newer { 2 } else { 1 };
            let time = std::time::UNIX_EPOCH + Duration::from_secs(3600 * hours);
            let file = std::fs::File::options().append(true).open(home.path().join(format!("{name}.jsonl"))).unwrap();
            file.set_modified(time).unwrap();
        }
        let mut arguments = words.to_vec();
        arguments.extend(["--preview", "none"]);
        let mut window = Terminal::open(home.path(), &arguments);
        window.sees(&format!("session \"{}\" · 2 pictures", names[newer]));
        window.sees("2 › ");
        leaves(window);
    }
}

#[test]
fn keys_are_those_of_vi_where_readline_is_set_so() {
    let home = tempfile::tempdir().unwrap();
    let rc = home.path().join("inputrc");
    std::fs::write(&rc, "set editing-mode vi\n").unwrap();
    let mut window = Terminal::open_with(home.path(), &["--set", "steps=2", "--preview", "none"], |command| {
        command.env("INPUTRC", &rc).env("EDITOR", "sed -i s/cat/dog/").env_remove("VISUAL").env_remove("NO_COLOR")
    });
    window.sees("› ");
    window.type_keys("a cats\u{1b}");
    // An escape is told from the beginning of a sequence by what does not follow it.
    std::thread::sleep(Duration::from_millis(800));
    window.type_keys("x");
    window.type_keys("v");
    window.sees("a dog");
    window.type_keys("\r");
    window.sees("1 › ");
    window.type_keys("/tree\r");
    window.sees("#1 a dog      ← here");
    leaves(window);
}
