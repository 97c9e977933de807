//! Asks the terminal what it can do, where that is certain to be answered.
//!
//! A question sent to a terminal that answers late, or to one whose echo is on, leaves rubbish on the screen. So the
//! question goes only to terminals known by name to answer at once, on this machine, with echo switched off before it
//! is sent, and it ends with one that all of them answer; nothing is read after that. An answer that comes too late all the
//! same is [owed](is_owed), and whoever reads keys then swallows it.

#[cfg(unix)]
use std::fs::{File, OpenOptions};
#[cfg(unix)]
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[cfg(unix)]
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

/// What a terminal said about itself. What it did not say is `None` or false.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Answers {
    /// It draws Sixel.
    pub sixel: bool,
    /// How many colours a Sixel picture may have.
    pub sixel_colours: Option<usize>,
    /// One cell in pixels, width and height.
    pub cell: Option<(u16, u16)>,
}

/// Colour registers (only understood by Sixel terminals), cell size, and the terminal's attributes as the last.
const SIXEL_QUESTION: &[u8] = b"\x1b[?1;1;0S\x1b[16t\x1b[c";
const CELL_QUESTION: &[u8] = b"\x1b[16t\x1b[c";
const PATIENCE: Duration = Duration::from_millis(500);

/// Asks the controlling terminal; empty answers if there is none or it stays silent.
///
/// Keys pressed during the few milliseconds this takes are lost. `about_sixel`: ask for its colours, too.
#[must_use]
pub fn terminal(about_sixel: bool) -> Answers {
    ask(if about_sixel { SIXEL_QUESTION } else { CELL_QUESTION }).map(|bytes| read(&bytes)).unwrap_or_default()
}

/// One cell in pixels, if the terminal says so; it is not asked while keys wait to be read, which would be lost.
#[must_use]
pub fn cell() -> Option<(u16, u16)> {
    if is_owed() || keys_wait() {
        return None;
    }
    terminal(false).cell
}

/// Whether a question was asked that has no answer yet.
static OWED: AtomicBool = AtomicBool::new(false);

/// Whether the terminal has not answered yet, and may do so among the keys that are typed.
#[must_use]
pub fn is_owed() -> bool {
    OWED.load(Ordering::SeqCst)
}

/// The answer came after all.
pub fn settle() {
    OWED.store(false, Ordering::SeqCst);
}

/// What becomes of a key while an answer is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOrAnswer {
    /// It was typed.
    Typed,
    /// It is part of an answer.
    Answered,
}

/// Tells a late answer of the terminal from what is typed: an answer begins with an escape sequence that no key has, and
/// its rest, digits and a letter, comes at once.
#[derive(Debug, Default)]
pub struct LateAnswer {
    last: Option<Instant>,
}

impl LateAnswer {
    /// The longest pause within an answer.
    const BURST: Duration = Duration::from_millis(100);

    /// An escape sequence that is no key's came.
    pub fn begins(&mut self, now: Instant) -> KeyOrAnswer {
        if !is_owed() {
            return KeyOrAnswer::Typed;
        }
        self.last = Some(now);
        KeyOrAnswer::Answered
    }

    /// A character came.
    pub fn goes_on(&mut self, c: char, now: Instant) -> KeyOrAnswer {
        if self.last.is_none_or(|last| now.duration_since(last) > Self::BURST) {
            self.last = None;
            return KeyOrAnswer::Typed;
        }
        match c {
            '0'..='9' | ';' => self.last = Some(now),
            // The attributes are the last that is asked for.
            'c' => {
                self.last = None;
                settle();
            }
            'S' | 't' => self.last = None,
            _ => {
                self.last = None;
                return KeyOrAnswer::Typed;
            }
        }
        KeyOrAnswer::Answered
    }
}

/// `line` without the answers of a terminal in it, while one is owed: for lines that the terminal itself edits.
#[must_use]
pub fn without_answers(line: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(line.len()), line);
    while let Some((before, after)) = rest.split_once("\x1b[").filter(|_| is_owed()) {
        let body = after.trim_start_matches(|c: char| c.is_ascii_digit() || "?;".contains(c));
        out.push_str(before);
        match body.strip_prefix(['c', 'S', 't']) {
            Some(left) => {
                if body.starts_with('c') {
                    settle();
                }
                rest = left;
            }
            None => {
                out.push_str("\x1b[");
                rest = after;
            }
        }
    }
    out + rest
}

#[cfg(not(unix))]
fn keys_wait() -> bool {
    true
}

#[cfg(unix)]
fn keys_wait() -> bool {
    rustix::io::ioctl_fionread(rustix::stdio::stdin()).is_ok_and(|bytes| bytes > 0)
}

/// Elsewhere nobody is asked.
#[cfg(not(unix))]
fn ask(_: &[u8]) -> Option<Vec<u8>> {
    None
}

#[cfg(unix)]
fn ask(question: &[u8]) -> Option<Vec<u8>> {
    let mut tty = OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
    let before = tcgetattr(&tty).ok()?;
    let mut asking = before.clone();
    asking.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON);
    // A read waits for a tenth of a second, not for a key.
    asking.special_codes[SpecialCodeIndex::VMIN] = 0;
    asking.special_codes[SpecialCodeIndex::VTIME] = 1;
    let _restore = Restore { tty: tty.try_clone().ok()?, before };
    tcsetattr(&tty, OptionalActions::Drain, &asking).ok()?;
    tty.write_all(question).ok()?;
    OWED.store(true, Ordering::SeqCst);
    let start = Instant::now();
    let mut bytes = Vec::new();
    let mut part = [0u8; 64];
    while !is_complete(&bytes) && bytes.len() < 1024 && start.elapsed() < PATIENCE {
        let count = tty.read(&mut part).ok()?;
        bytes.extend_from_slice(&part[..count]);
    }
    if is_complete(&bytes) {
        settle();
    }
    Some(bytes)
}

/// Gives the terminal back the way it was, whatever happens in between.
#[cfg(unix)]
struct Restore {
    tty: File,
    before: Termios,
}

#[cfg(unix)]
impl Drop for Restore {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.tty, OptionalActions::Drain, &self.before);
    }
}

/// The sequences `ESC [ .. final byte` in `bytes`, without the first two bytes.
fn sequences(bytes: &[u8]) -> impl Iterator<Item = &str> {
    let starts = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(b"\x1b["));
    starts.filter_map(|at| {
        let body = &bytes[at + 2..];
        let end = body.iter().position(|byte| (b'@'..=b'~').contains(byte))?;
        std::str::from_utf8(&body[..=end]).ok()
    })
}

fn is_complete(bytes: &[u8]) -> bool {
    sequences(bytes).any(|sequence| sequence.starts_with('?') && sequence.ends_with('c'))
}

fn read(bytes: &[u8]) -> Answers {
    let mut answers = Answers::default();
    for sequence in sequences(bytes) {
        let (body, last) = sequence.split_at(sequence.len() - 1);
        let numbers: Vec<usize> = body.trim_start_matches('?').split(';').map_while(|n| n.parse().ok()).collect();
        match (body.starts_with('?'), last, numbers.as_slice()) {
            (true, "c", [_, abilities @ ..]) => answers.sixel = abilities.contains(&4),
            (true, "S", [1, 0, count]) if *count > 1 => answers.sixel_colours = Some(*count),
            (false, "t", &[6, height, width]) if (1..1000).contains(&height) && (1..1000).contains(&width) => {
                answers.cell = Some((width as u16, height as u16));
            }
            _ => {}
        }
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_xterm_with_sixel_says_so() {
        let answers = read(b"\x1b[?1;0;16S\x1b[6;13;6t\x1b[?63;1;2;4;6;9;15;22c");
        assert_eq!(answers, Answers { sixel: true, sixel_colours: Some(16), cell: Some((6, 13)) });
    }

    #[test]
    fn an_xterm_without_sixel_says_so() {
        let answers = read(b"\x1b[?1;3;0S\x1b[6;13;6t\x1b[?64;1;2;6;9;15;16;17;18;21;22;28c");
        assert_eq!(answers, Answers { sixel: false, sixel_colours: None, cell: Some((6, 13)) });
    }

    #[test]
    fn the_class_of_a_terminal_is_not_taken_for_an_ability() {
        assert!(!read(b"\x1b[?4;6c").sixel);
    }

    #[test]
    fn an_answer_that_comes_late_is_told_from_what_is_typed() {
        let typed = |late: &mut LateAnswer, text: &str, now: Instant| -> String {
            text.chars().filter(|c| late.goes_on(*c, now) == KeyOrAnswer::Typed).collect()
        };
        let (mut late, start) = (LateAnswer::default(), Instant::now());
        assert_eq!(late.begins(start), KeyOrAnswer::Typed, "nothing was asked");
        OWED.store(true, Ordering::SeqCst);
        assert_eq!(typed(&mut late, "a 6t", start), "a 6t");
        for (answer, over) in [("1;0;16S", false), (";60t", false), ("63;1;2;4c", true)] {
            assert_eq!(late.begins(start), KeyOrAnswer::Answered);
            assert_eq!(typed(&mut late, answer, start), "");
            assert_eq!(typed(&mut late, "6 cats", start), "6 cats");
            assert_eq!(is_owed(), !over, "{answer}");
        }
        // A key that is not known, and then a person who types.
        OWED.store(true, Ordering::SeqCst);
        assert_eq!(late.begins(start), KeyOrAnswer::Answered);
        assert_eq!(typed(&mut late, "6 cats", start + Duration::from_millis(300)), "6 cats");
        assert_eq!(without_answers("a \u{1b}[?1;0;16S\u{1b}[6;13;6tcat\u{1b}[?62;4c\u{1b}[A"), "a cat\u{1b}[A");
        assert!(!is_owed());
        assert_eq!(without_answers("\u{1b}[?62;4c"), "\u{1b}[?62;4c", "nothing is owed");
    }

    #[test]
    fn nonsense_and_absurd_sizes_are_no_answers() {
        for bytes in
            [&b""[..], b"\x1b[", b"\x1b[6;0;0t", b"\x1b[6;99999;5t", b"\x1b[6;99999999999999999999;5t", b"\xff\x1b[?;c"]
        {
            assert_eq!(read(bytes), Answers::default(), "{bytes:?}");
        }
    }

    #[test]
    fn keys_typed_meanwhile_do_not_end_the_answer() {
        assert!(!is_complete(b"abc\x1b[6;13;6t"));
        assert!(is_complete(b"abc\x1b[6;13;6tc\x1b[?62;4c"));
    }
}
