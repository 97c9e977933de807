//! Text for terminals whose language is not written in UTF-8: signs become what looks like them in ASCII.

use std::io::{self, IsTerminal, Write};

use crate::preview::surroundings::Surroundings;

/// An output, in ASCII where it is a terminal whose language is not written in UTF-8.
pub fn output(to: impl Write + IsTerminal + 'static) -> Box<dyn Write> {
    if is_wanted() && to.is_terminal() { Box::new(Ascii::new(to)) } else { Box::new(to) }
}

/// Whether this person's language is not written in UTF-8.
#[must_use]
pub fn is_wanted() -> bool {
    !Surroundings::of_process().is_utf8()
}

/// `text` in ASCII: signs of this program by what looks like them, any other character as `?`.
#[must_use]
pub fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_ascii() => out.push(c),
            '›' => out.push('>'),
            '→' => out.push_str("->"),
            '←' => out.push_str("<-"),
            '↔' => out.push_str("<->"),
            '·' => out.push('-'),
            '×' => out.push('x'),
            '…' => out.push_str("..."),
            '−' | '–' | '—' | '─' | '╌' => out.push('-'),
            '━' => out.push('='),
            '╸' => out.push('-'),
            '│' | '┃' => out.push('|'),
            '├' | '└' | '┌' | '┐' | '┘' | '┤' | '┬' | '┴' | '┼' => out.push('+'),
            '“' | '”' | '„' => out.push('"'),
            '‘' | '’' => out.push('\''),
            '\u{a0}' => out.push(' '),
            '≥' => out.push_str(">="),
            '≤' => out.push_str("<="),
            '±' => out.push_str("+-"),
            _ => out.push('?'),
        }
    }
    out
}

/// Writes what is text as [`ascii`]; escape sequences are ASCII and stay as they are.
#[derive(Debug)]
pub struct Ascii<W: Write> {
    to: W,
    /// The beginning of a character whose rest has not come.
    begun: Vec<u8>,
}

impl<W: Write> Ascii<W> {
    /// Nothing written yet.
    pub fn new(to: W) -> Self {
        Self { to, begun: Vec::new() }
    }
}

impl<W: Write> Write for Ascii<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begun.extend_from_slice(bytes);
        let mut out = String::new();
        loop {
            match std::str::from_utf8(&self.begun) {
                Ok(text) => {
                    out.push_str(&ascii(text));
                    self.begun.clear();
                    break;
                }
                Err(error) => {
                    let whole = error.valid_up_to();
                    out.push_str(&ascii(&String::from_utf8_lossy(&self.begun[..whole])));
                    self.begun.drain(..whole);
                    let Some(wrong) = error.error_len() else { break };
                    out.push('?');
                    self.begun.drain(..wrong);
                }
            }
        }
        self.to.write_all(out.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_become_what_looks_like_them_and_nothing_else_than_ascii_comes_out() {
        assert_eq!(ascii("2 › swap   blond → red · × 1.5 …"), "2 > swap   blond -> red - x 1.5 ...");
        assert_eq!(ascii("└─#2 猫 é"), "+-#2 ? ?");
        let all: String = (0..0x1_0000).filter_map(char::from_u32).collect();
        assert!(ascii(&all).is_ascii());
    }

    #[test]
    fn a_character_that_comes_in_parts_is_one_character() {
        let bytes = "a → b\u{1b}[2m".as_bytes();
        for at in 0..=bytes.len() {
            let mut out = Ascii::new(Vec::new());
            out.write_all(&bytes[..at]).unwrap();
            out.write_all(&bytes[at..]).unwrap();
            assert_eq!(String::from_utf8(out.to).unwrap(), "a -> b\u{1b}[2m");
        }
        let mut out = Ascii::new(Vec::new());
        out.write_all(b"a\xff\xfeb").unwrap();
        assert_eq!(out.to, b"a??b");
    }
}
