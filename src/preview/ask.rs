//! Asks the terminal what it can do, where that is certain to be answered.
//!
//! A question sent to a terminal that answers late, or to one whose echo is on, leaves rubbish on the screen. So the
//! question goes only to terminals known by name to answer at once, on this machine, with echo switched off before it
//! is sent, and it ends with one that all of them answer; nothing is read after that.

#[cfg(unix)]
use std::fs::{File, OpenOptions};
#[cfg(unix)]
use std::io::{Read, Write};
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
    let start = Instant::now();
    let mut bytes = Vec::new();
    let mut part = [0u8; 64];
    while !is_complete(&bytes) && bytes.len() < 1024 && start.elapsed() < PATIENCE {
        let count = tty.read(&mut part).ok()?;
        bytes.extend_from_slice(&part[..count]);
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
