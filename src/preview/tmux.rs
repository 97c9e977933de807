//! Sends an escape sequence through tmux to the terminal outside.
//!
//! tmux drops sequences it does not know unless they are wrapped, every escape in them doubled, and
//! `allow-passthrough` is on.

use std::io::{self, Write};

/// Writes `sequence`, wrapped for tmux if `wrapped`.
pub(crate) fn pass(out: &mut dyn Write, sequence: &[u8], wrapped: bool) -> io::Result<()> {
    if !wrapped {
        return out.write_all(sequence);
    }
    out.write_all(b"\x1bPtmux;")?;
    for part in sequence.split_inclusive(|&byte| byte == 0x1b) {
        out.write_all(part)?;
        if part.ends_with(b"\x1b") {
            out.write_all(b"\x1b")?;
        }
    }
    out.write_all(b"\x1b\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_inside_are_doubled() {
        let mut out = Vec::new();
        pass(&mut out, b"\x1b_Ga=T;AAAA\x1b\\", true).unwrap();
        assert_eq!(out, b"\x1bPtmux;\x1b\x1b_Ga=T;AAAA\x1b\x1b\\\x1b\\");
    }

    #[test]
    fn outside_tmux_nothing_is_added() {
        let mut out = Vec::new();
        pass(&mut out, b"\x1b_Ga=T;AAAA\x1b\\", false).unwrap();
        assert_eq!(out, b"\x1b_Ga=T;AAAA\x1b\\");
    }
}
