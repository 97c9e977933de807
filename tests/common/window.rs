//! The program in a window: keys are typed, and what it writes is waited for.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use pty_process::blocking::Pty;

#[path = "terminal.rs"]
mod terminal;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_wordbrush");

/// The longest that anything waited for may take; a busy machine in a debug build is slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program on a pseudo-terminal, with everything it has written so far.
pub(crate) struct Terminal {
    pub(crate) pty: Arc<Pty>,
    pub(crate) child: std::process::Child,
    bytes: Receiver<Vec<u8>>,
    pub(crate) raw: Vec<u8>,
    /// How much of the text was looked at by `sees`.
    seen: usize,
}

impl Terminal {
    /// The program in a window of 80 x 40 with sessions in `home`.
    pub(crate) fn open(home: &Path, args: &[&str]) -> Self {
        Self::open_with(home, args, |command| command.env_remove("NO_COLOR"))
    }

    /// The same with other words in its environment.
    pub(crate) fn open_with(
        home: &Path,
        args: &[&str],
        set_up: impl FnOnce(pty_process::blocking::Command) -> pty_process::blocking::Command,
    ) -> Self {
        Self::start(PROGRAM, home, |command| set_up(command.args(args)))
    }

    /// Another program in such a window.
    pub(crate) fn start(
        program: &str,
        home: &Path,
        set_up: impl FnOnce(pty_process::blocking::Command) -> pty_process::blocking::Command,
    ) -> Self {
        let (pty, child, bytes) = terminal::start((program, home), (40, 80), set_up);
        Self { pty, child, bytes, raw: Vec::new(), seen: 0 }
    }

    pub(crate) fn type_keys(&self, keys: &str) {
        (&*self.pty).write_all(keys.as_bytes()).unwrap();
    }

    pub(crate) fn type_line(&self, line: &str) {
        self.type_keys(&format!("{line}\r"));
    }

    /// What was written since the last thing seen, without escape sequences.
    pub(crate) fn text(&self) -> String {
        without_escapes(&String::from_utf8_lossy(&self.raw)).chars().skip(self.seen).collect()
    }

    /// Waits until `wanted` has been written after the last thing seen, and gives what came before it.
    #[track_caller]
    pub(crate) fn sees(&mut self, wanted: &str) -> String {
        let begun = Instant::now();
        loop {
            let text = self.text();
            if let Some((before, _)) = text.split_once(wanted) {
                self.seen += before.chars().count() + wanted.chars().count();
                return before.to_owned();
            }
            match self.bytes.recv_timeout(Duration::from_millis(200)) {
                Ok(more) => self.raw.extend(more),
                Err(RecvTimeoutError::Timeout) if begun.elapsed() < PATIENCE => {}
                Err(error) => panic!("`{wanted}` was not written ({error}) but:\n{text}"),
            }
        }
    }

    /// Waits for the program's end, and gives its exit status.
    #[track_caller]
    pub(crate) fn ends(&mut self) -> i32 {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            while let Ok(more) = self.bytes.try_recv() {
                self.raw.extend(more);
            }
            assert!(begun.elapsed() < PATIENCE, "the program does not end; it wrote:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `text` without `ESC [ … letter` and carriage returns.
fn without_escapes(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' if chars.peek() == Some(&'[') => {
                chars.next();
                while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {}
            }
            '\r' => {}
            _ => out.push(c),
        }
    }
    out
}
