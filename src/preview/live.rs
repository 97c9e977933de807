//! A turn while it runs: the picture as it forms and the bar below it, drawn over themselves, gone at the end.

use crate::preview::progress::{Manner, Progress, rows};
use crate::preview::size::Size;
use crate::preview::terminal::{Protocol, Screen, next_id};
use image::RgbImage;
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// Pictures are drawn at most so often; more would only flicker.
const PAUSE: Duration = Duration::from_millis(150);

/// What is on the screen while a turn runs.
pub struct Live {
    screen: Screen,
    progress: Progress,
    manner: Manner,
    id: u32,
    /// Lines of the picture on the screen, and its cells across.
    lines: u16,
    columns: u16,
    drawn: Option<Instant>,
}

impl Live {
    /// Nothing yet, for a turn that `label` names and that starts `now`.
    #[must_use]
    pub fn start(screen: &Screen, label: &str, manner: Manner, now: Instant) -> Self {
        let progress = Progress::start(label, manner, screen.size.columns, now);
        Self { screen: screen.clone(), progress, manner, id: next_id(), lines: 0, columns: 0, drawn: None }
    }

    /// Follows a change of the window's size: what was drawn for the old one is taken off the screen. In a narrower window
    /// most terminals break lines that do not fit, so there is more to take off than was drawn.
    ///
    /// # Errors
    /// Whatever writing gives.
    pub fn resize(&mut self, out: &mut dyn Write, size: Size) -> io::Result<()> {
        let old = self.screen.size;
        let size = Size { cell: size.cell.or(old.cell), ..size };
        if old == size {
            return Ok(());
        }
        self.screen.size = size;
        let reflows = self.screen.reflows;
        let below = self.progress.resize(size.columns, reflows);
        if self.manner != Manner::Bar {
            return Ok(());
        }
        // Pictures that are drawn by a protocol leave blank lines to the terminal, which need no breaking.
        let is_text = self.screen.protocol == Protocol::Blocks || self.screen.tmux;
        let each = if is_text && reflows { rows(usize::from(self.columns), size.columns) } else { 1 };
        let lines = self.lines.saturating_mul(each).saturating_add(below);
        if lines > 0 || self.drawn.is_some() {
            self.screen.erase(out, lines, self.id)?;
        }
        out.write_all(b"\r\x1b[K")?;
        (self.lines, self.drawn) = (0, None);
        out.flush()
    }

    /// Forgets what was drawn: something else stands there now, and nothing of it is to be taken off.
    pub fn begin_anew(&mut self) {
        self.progress.resize(self.screen.size.columns, false);
        (self.lines, self.drawn) = (0, None);
    }

    /// Says whether the next [`step`](Self::step) would draw a picture, so that none is made in vain.
    #[must_use]
    pub fn wants_picture(&self, now: Instant) -> bool {
        let rested = self.drawn.is_none_or(|drawn| now.duration_since(drawn) >= PAUSE);
        self.manner == Manner::Bar && self.screen.protocol != Protocol::None && rested && self.progress.is_due(now)
    }

    /// Tells that `done` of `total` steps are done, and what the picture is like by now, if the caller made it.
    ///
    /// # Errors
    /// Whatever writing gives.
    pub fn step(
        &mut self,
        out: &mut dyn Write,
        done: usize,
        total: usize,
        picture: Option<&RgbImage>,
        now: Instant,
    ) -> io::Result<()> {
        if let Some(picture) = picture.filter(|_| self.wants_picture(now)) {
            self.progress.finish(out)?;
            if self.lines > 0 {
                // Drawn over what is there, without clearing first: clearing is what flickers.
                write!(out, "\r\x1b[{}A", self.lines)?;
            }
            self.columns = self.screen.fit(picture).columns;
            self.lines = self.screen.draw(out, picture, self.id)?;
            self.drawn = Some(now);
        }
        self.progress.step(out, done, total, now)
    }

    /// Takes picture and bar off the screen; the cursor is where it was at the start.
    ///
    /// # Errors
    /// Whatever writing gives.
    pub fn finish(mut self, out: &mut dyn Write) -> io::Result<()> {
        self.progress.finish(out)?;
        if self.drawn.is_some() {
            self.screen.erase(out, self.lines, self.id)?;
        }
        out.flush()
    }
}

/// `latent_picture` enlarged to `width` x `height`, the size of the finished picture, so that both take the same place.
#[must_use]
pub fn enlarge(latent_picture: &RgbImage, width: u32, height: u32) -> RgbImage {
    image::imageops::resize(latent_picture, width, height, image::imageops::FilterType::CatmullRom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    fn run(protocol: Protocol, manner: Manner) -> (String, usize) {
        let screen = Screen::new(protocol, Size::new(80, 24));
        let start = Instant::now();
        let mut out = Vec::new();
        let mut live = Live::start(&screen, "drawing", manner, start);
        let mut pictures = 0;
        for done in 1..=30u32 {
            let now = start + Duration::from_millis(100) * done;
            let picture = RgbImage::from_pixel(32, 32, Rgb([done as u8 * 8; 3]));
            let wanted = live.wants_picture(now);
            pictures += usize::from(wanted);
            live.step(&mut out, done as usize, 30, wanted.then_some(&picture), now).unwrap();
        }
        live.finish(&mut out).unwrap();
        (String::from_utf8(out).unwrap(), pictures)
    }

    #[test]
    fn the_cursor_ends_where_it_began() {
        for protocol in [Protocol::Blocks, Protocol::Kitty, Protocol::Iterm, Protocol::Sixel] {
            let (text, _) = run(protocol, Manner::Bar);
            // Lines down: every newline, and every move down; lines up: every move up.
            let mut height = text.matches('\n').count() as i64;
            for part in text.split("\x1b[").skip(1) {
                let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
                let count = digits.parse::<i64>().unwrap_or(1);
                match part.chars().nth(digits.len()) {
                    Some('A') => height -= count,
                    Some('B') => height += count,
                    _ => {}
                }
            }
            // A saved cursor that is taken up again undoes nothing here: drawing itself moves no line.
            assert_eq!(height, 0, "{protocol:?}");
            assert!(text.ends_with("\x1b[J"), "{protocol:?}: something is left on the screen");
        }
    }

    /// The highest line that is cleared after a window of 80 columns has another width, counted from the bar's first.
    fn cleared(protocol: Protocol, columns: u16, reflows: bool) -> (u16, u16) {
        let mut screen = Screen::new(protocol, Size::new(80, 24));
        screen.reflows = reflows;
        let start = Instant::now();
        let mut out = Vec::new();
        let mut live = Live::start(&screen, "drawing", Manner::Bar, start);
        let now = start + Duration::from_secs(1);
        live.step(&mut out, 1, 30, Some(&RgbImage::new(64, 64)), now).unwrap();
        let lines = live.lines;
        out.clear();
        live.resize(&mut out, Size::new(columns, 24)).unwrap();
        assert_eq!((live.lines, live.screen.size.columns), (0, columns));
        let text = String::from_utf8(out).unwrap();
        let up = text.split("\x1b[").find_map(|part| part.split_once('A').and_then(|(n, _)| n.parse().ok()));
        (up.unwrap_or(0), lines)
    }

    #[test]
    fn a_window_that_changes_its_size_in_mid_turn_is_cleared_of_all_that_was_drawn_for_the_old_one() {
        // 40 columns of picture and a bar of 54 fit: nothing was broken.
        let (up, lines) = cleared(Protocol::Blocks, 60, true);
        assert!(lines > 4 && up == lines, "{up} of {lines}");
        // In 30 columns each line of the picture and the bar take two.
        let (up, lines) = cleared(Protocol::Blocks, 30, true);
        assert_eq!(up, 2 * lines + 1);
        // Lines below a picture drawn by a protocol are blank, and stay one each.
        let (up, lines) = cleared(Protocol::Iterm, 30, true);
        assert_eq!(up, lines + 1);
        // Some terminals cut what does not fit.
        let (up, lines) = cleared(Protocol::Blocks, 30, false);
        assert_eq!(up, lines);
        // The same size is no change.
        let screen = Screen::new(Protocol::Blocks, Size::new(80, 24));
        let mut out = Vec::new();
        let mut live = Live::start(&screen, "drawing", Manner::Bar, Instant::now());
        live.resize(&mut out, Size::new(80, 24)).unwrap();
        assert!(out.is_empty());
    }

    #[test]
    fn a_picture_is_drawn_only_so_often() {
        let (_, pictures) = run(Protocol::Blocks, Manner::Bar);
        assert!((10..=15).contains(&pictures), "{pictures} pictures in 2.7 s");
    }

    #[test]
    fn kitty_replaces_one_picture_and_deletes_it() {
        let (text, pictures) = run(Protocol::Kitty, Manner::Bar);
        let ids: std::collections::BTreeSet<&str> =
            text.split(",i=").skip(1).map(|part| part.split([',', '\x1b']).next().unwrap()).collect();
        assert_eq!(ids.len(), 1, "{ids:?}");
        assert_eq!((text.matches("a=T").count(), text.matches("a=d").count()), (pictures, 1));
    }

    #[test]
    fn without_a_bar_or_a_protocol_no_picture_is_wanted() {
        assert_eq!(run(Protocol::None, Manner::Bar).1, 0);
        assert_eq!(run(Protocol::Blocks, Manner::Line), (String::new(), 0));
        assert_eq!(run(Protocol::Blocks, Manner::Silent), (String::new(), 0));
    }
}
