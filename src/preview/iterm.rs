//! Pictures in iTerm2's protocol: a whole file in one OSC 1337 sequence. WezTerm, mintty, Konsole and others read it.

use crate::preview::size::Fit;
use crate::preview::tmux;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::io::{self, Write};

/// Writes the file `png` to be shown in `fit` cells. The cursor ends wherever the terminal leaves it.
pub(crate) fn write(out: &mut dyn Write, png: &[u8], fit: Fit, wrapped: bool) -> io::Result<()> {
    let sequence = format!(
        "\x1b]1337;File=inline=1;preserveAspectRatio=1;size={};width={};height={}:{}\x07",
        png.len(),
        fit.columns,
        fit.rows,
        BASE64_STANDARD.encode(png)
    );
    tmux::pass(out, sequence.as_bytes(), wrapped)
}
