//! The program on a pseudo-terminal.

use std::io::Read;
use std::path::Path;
use std::process::Child;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use pty_process::blocking::{Command, Pty, open};

/// Starts the program with sessions in `home`, in a window of `rows` and `columns`: the window, to type into; the program;
/// and what it writes.
#[track_caller]
pub(crate) fn start(
    (program, home): (&str, &Path),
    (rows, columns): (u16, u16),
    set_up: impl FnOnce(Command) -> Command,
) -> (Arc<Pty>, Child, Receiver<Vec<u8>>) {
    let (pty, pts) = open().unwrap();
    pty.resize(pty_process::Size::new(rows, columns)).unwrap();
    let command = Command::new(program).env("WORDBRUSH_HOME", home).env("XDG_CONFIG_HOME", home.join("config"));
    let command = command
        .env("TERM", "xterm-256color")
        .env_remove("TMUX")
        .env_remove("STY")
        .env("LC_ALL", "C.UTF-8")
        .env("PAGER", "cat");
    let child = set_up(command).spawn(pts).unwrap();
    let pty = Arc::new(pty);
    let (sender, bytes) = channel();
    let reader = pty.clone();
    std::thread::spawn(move || {
        let mut part = [0; 4096];
        while let Ok(count @ 1..) = (&*reader).read(&mut part) {
            if sender.send(part[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    (pty, child, bytes)
}
