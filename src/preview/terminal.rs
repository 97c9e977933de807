//! Puts a picture between the lines of a conversation.
//!
//! [`Screen::detect`] finds out how, from the environment and, where it is certain to be answered, by [`ask`];
//! [`Screen::show`] does it. Into a pipe goes no escape sequence, ever: there, and with `NO_COLOR` or `--plain`, a
//! picture is the line that names its file.

pub use crate::preview::blocks::Colours;
pub use crate::preview::surroundings::{PreviewChoice, Protocol, Surroundings};

use crate::preview::ask::{self, Answers};
use crate::preview::size::{self, Fit, Size};
use crate::preview::{blocks, iterm, kitty, png, sixel};
use crate::safe;
use image::imageops::{FilterType, resize};
use image::{DynamicImage, RgbImage};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

/// A place where pictures are shown, and how.
#[derive(Debug, Clone)]
pub struct Screen {
    /// How pictures are shown.
    pub protocol: Protocol,
    /// The room there is.
    pub size: Size,
    /// Colours of half blocks.
    pub colours: Colours,
    /// Colours of a Sixel picture, 1 to 256.
    pub sixel_colours: usize,
    /// Whether sequences are wrapped for tmux.
    pub tmux: bool,
    /// Whether lines that a narrower window has no room for are broken, not cut.
    pub reflows: bool,
    /// Whether the terminal answers at once when it is asked.
    asks: bool,
    /// Whether viuer prints: it chose the same by itself, and `out` is standard output.
    viuer: bool,
}

impl Screen {
    /// A screen that shows pictures by `protocol` in `size`, in true colour, outside tmux.
    #[must_use]
    pub fn new(protocol: Protocol, size: Size) -> Self {
        Self {
            protocol,
            size,
            colours: Colours::True,
            sixel_colours: 256,
            tmux: false,
            reflows: true,
            asks: false,
            viuer: false,
        }
    }

    /// The terminal on standard output. `plain`: `--plain` was given.
    ///
    /// Pictures must be shown on standard output then ([`show`](Self::show)'s `out`), since viuer knows no other.
    #[must_use]
    pub fn detect(choice: PreviewChoice, plain: bool) -> Self {
        let surroundings = Surroundings::of_process();
        let mut screen =
            Self::choose(choice, plain, &surroundings, Size::of_terminal(), ask::terminal, tmux_lets_through);
        let iterm = screen.protocol == Protocol::Iterm && viuer::is_iterm_supported();
        let blocks = screen.protocol == Protocol::Blocks && screen.colours == Colours::True;
        screen.viuer = choice == PreviewChoice::Auto && !screen.tmux && (iterm || blocks);
        screen
    }

    /// [`detect`](Self::detect) as a function of its arguments: `ask` asks the terminal (about Sixel, if true),
    /// `passthrough` says whether tmux shows itself in a Kitty and passes sequences on; each is called at most once, and
    /// only where it helps.
    pub fn choose(
        choice: PreviewChoice,
        plain: bool,
        surroundings: &Surroundings,
        size: Size,
        ask: impl FnOnce(bool) -> Answers,
        passthrough: impl FnOnce() -> bool,
    ) -> Self {
        let (colours, reflows) = (surroundings.colours(), surroundings.reflows());
        let mut screen = Self { colours, reflows, ..Self::new(Protocol::None, size) };
        let in_tmux = surroundings.in_tmux();
        let quiet = plain || surroundings.is_set("NO_COLOR");
        if !surroundings.output_is_terminal || (quiet && choice == PreviewChoice::Auto) {
            return screen;
        }
        let mut protocol = match choice {
            PreviewChoice::Forced(protocol) => protocol,
            PreviewChoice::Auto if surroundings.is_set("STY") => Protocol::Blocks,
            // Placeholders are text to tmux; the other protocols draw where tmux does not know of it. The terminal is
            // that of tmux's client: variables here are those of whoever started the server.
            PreviewChoice::Auto if in_tmux => match surroundings.best() {
                Protocol::None => Protocol::None,
                _ if passthrough() => Protocol::Kitty,
                _ => Protocol::Blocks,
            },
            PreviewChoice::Auto => surroundings.best(),
        };
        let may_be_sixel =
            protocol == Protocol::Sixel || (choice == PreviewChoice::Auto && surroundings.is_set("XTERM_VERSION"));
        let by_pixels = may_be_sixel || protocol == Protocol::Kitty;
        screen.asks = by_pixels && surroundings.answers_at_once();
        if screen.asks && (may_be_sixel || size.cell.is_none()) {
            let answers = ask(may_be_sixel);
            screen.size.cell = size.cell.or(answers.cell);
            screen.sixel_colours = answers.sixel_colours.unwrap_or(256).clamp(2, 256);
            if protocol == Protocol::Blocks && answers.sixel {
                protocol = Protocol::Sixel;
            }
        }
        // Half blocks are no sign of ASCII.
        let may_be_shown = protocol != Protocol::Blocks || surroundings.is_utf8();
        screen.protocol = if may_be_shown { protocol } else { Protocol::None };
        screen.tmux = in_tmux && protocol != Protocol::Blocks && protocol != Protocol::None;
        screen
    }

    /// Follows a change of the window's size or its font. Call it before each picture; costs one system call, and where the
    /// window has another number of cells and does not tell its pixels a question to the terminal.
    pub fn follow_size(&mut self) {
        self.follow(Size::of_terminal(), ask::cell);
    }

    /// [`follow_size`](Self::follow_size) to `now`; `ask` asks how large a cell is.
    pub fn follow(&mut self, now: Size, ask: impl FnOnce() -> Option<(u16, u16)>) {
        let is_other = (now.columns, now.rows) != (self.size.columns, self.size.rows);
        let asked = if self.asks && is_other && now.cell.is_none() { ask() } else { None };
        self.size = Size { cell: now.cell.or(asked).or(self.size.cell), ..now };
    }

    /// The cells that `picture` will take.
    #[must_use]
    pub fn fit(&self, picture: &RgbImage) -> Fit {
        match self.protocol {
            Protocol::None => Fit { columns: 0, rows: 0 },
            Protocol::Blocks => self.size.fit_blocks(picture.width(), picture.height()),
            _ => self.size.fit_pixels(picture.width(), picture.height()),
        }
    }

    /// Shows `picture` at the cursor, which must be at the start of a line and is so afterwards, below the picture.
    ///
    /// Returns how many lines it took. Without a protocol it writes one line with `path`, or nothing if there is none.
    ///
    /// # Errors
    /// Whatever writing to `out` gives.
    pub fn show(&self, out: &mut dyn Write, picture: &RgbImage, path: Option<&Path>) -> io::Result<u16> {
        if self.protocol == Protocol::None {
            let Some(path) = path else { return Ok(0) };
            writeln!(out, "picture: {}", safe::printable_line(&path.display().to_string()))?;
            return Ok(1);
        }
        if self.viuer {
            return self.show_by_viuer(out, picture);
        }
        self.draw(out, picture, next_id())
    }

    /// Draws by our own encoders; `id` names the picture to Kitty, and one of the same id is replaced.
    pub(crate) fn draw(&self, out: &mut dyn Write, picture: &RgbImage, id: u32) -> io::Result<u16> {
        let fit = self.fit(picture);
        match self.protocol {
            Protocol::None => {}
            Protocol::Blocks => blocks::write(out, picture, fit, self.colours)?,
            Protocol::Kitty if self.tmux => {
                kitty::write_through_tmux(out, &png::encode(picture)?, fit, id)?;
            }
            Protocol::Kitty => {
                let file = png::encode(picture)?;
                reserve(out, fit.rows, self.tmux, |out| kitty::write(out, &file, fit, id))?;
            }
            Protocol::Iterm => {
                let file = png::encode(picture)?;
                reserve(out, fit.rows, self.tmux, |out| iterm::write(out, &file, fit, self.tmux))?;
            }
            Protocol::Sixel => {
                let sized = self.sized_for_sixel(picture, fit);
                reserve(out, fit.rows, self.tmux, |out| sixel::write(out, &sized, self.sixel_colours, self.tmux))?;
            }
        }
        out.flush()?;
        Ok(fit.rows)
    }

    /// Takes the `lines` above the cursor off the screen, with the picture `id` that was drawn there.
    pub(crate) fn erase(&self, out: &mut dyn Write, lines: u16, id: u32) -> io::Result<()> {
        if self.protocol == Protocol::Kitty {
            kitty::delete(out, id, self.tmux)?;
        }
        if lines > 0 && self.protocol != Protocol::None {
            write!(out, "\r\x1b[{lines}A\x1b[J")?;
        }
        Ok(())
    }

    pub(crate) fn sized_for_sixel(&self, picture: &RgbImage, fit: Fit) -> RgbImage {
        let (cell_width, cell_height) = self.size.cell_pixels();
        let (width, height) = (f64::from(picture.width().max(1)), f64::from(picture.height().max(1)));
        let across = f64::from(u32::from(fit.columns) * cell_width) / width;
        let down = f64::from(u32::from(fit.rows) * cell_height) / height;
        let scale = across.min(down).min(size::zoom(picture.width(), picture.height()));
        let side = |length: f64| (length * scale).round().max(1.0) as u32;
        if (scale - 1.0).abs() < 1e-9 {
            picture.clone()
        } else {
            resize(picture, side(width), side(height), FilterType::CatmullRom)
        }
    }

    fn show_by_viuer(&self, out: &mut dyn Write, picture: &RgbImage) -> io::Result<u16> {
        let fit = self.fit(picture);
        // Kitty and Sixel stay off: viuer would ask the terminal, and an answer can end up on the screen.
        let config = viuer::Config {
            absolute_offset: false,
            width: Some(u32::from(fit.columns)),
            height: Some(u32::from(fit.rows)),
            truecolor: self.colours == Colours::True,
            use_kitty: false,
            use_sixel: false,
            use_iterm: self.protocol == Protocol::Iterm,
            ..viuer::Config::default()
        };
        out.flush()?;
        viuer::print(&DynamicImage::ImageRgb8(picture.clone()), &config).map_err(io::Error::other)?;
        Ok(fit.rows)
    }
}

/// Makes room for `rows` lines, scrolling if need be, draws at the top of it and goes to the line below.
///
/// Terminals disagree about where a picture leaves the cursor. So its place is kept before and taken up after.
fn reserve(
    out: &mut dyn Write,
    rows: u16,
    in_tmux: bool,
    draw: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    for _ in 0..rows {
        out.write_all(b"\r\n")?;
    }
    reserve_at(out, (0, rows), in_tmux, draw)
}

/// Draws `rows` lines above the cursor, which is at the start of a line, `column` cells from the left; the cursor comes
/// back.
pub(crate) fn reserve_at(
    out: &mut dyn Write,
    (column, rows): (u16, u16),
    in_tmux: bool,
    draw: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    write!(out, "\x1b[{rows}A")?;
    if column > 0 {
        write!(out, "\x1b[{column}C")?;
    }
    out.write_all(b"\x1b7")?;
    if in_tmux {
        // tmux moves the real cursor only to write there; without this the picture lands where it last wrote.
        out.write_all(b" ")?;
        out.flush()?;
    }
    draw(out)?;
    write!(out, "\x1b8\x1b[{rows}B\r")
}

/// A number for a new picture, different from those of other pictures on the screen, mostly; 24 bits, not 0.
pub(crate) fn next_id() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let count = NEXT.fetch_add(1, Ordering::Relaxed);
    (std::process::id().wrapping_mul(1009).wrapping_add(count) & 0x00ff_ffff).max(1)
}

fn tmux_lets_through() -> bool {
    let asked = |words: &[&str]| {
        let answer = std::process::Command::new("tmux").args(words).output();
        answer.map(|answer| String::from_utf8_lossy(&answer.stdout).trim().to_ascii_lowercase()).unwrap_or_default()
    };
    let client = asked(&["display-message", "-p", "#{client_termname} #{client_termtype}"]);
    is_kitty(&client) && matches!(asked(&["show", "-Apv", "allow-passthrough"]).as_str(), "on" | "all")
}

/// Whether what tmux says of its client's terminal, its `TERM` and what it calls itself, is one with Kitty's protocol.
fn is_kitty(client: &str) -> bool {
    client.split_whitespace().any(|name| ["xterm-kitty", "xterm-ghostty"].contains(&name) || begins_so(name))
}

/// `kitty(0.35.2)`, `ghostty 1.0`
fn begins_so(name: &str) -> bool {
    ["kitty", "ghostty"].iter().any(|known| name.split('(').next() == Some(known))
}

#[cfg(test)]
#[path = "terminal_tests.rs"]
mod tests;
