//! A turn while it runs: the picture as it forms and the bar below it, drawn over themselves, gone at the end.

use crate::preview::progress::{Manner, Progress};
use crate::preview::terminal::{Protocol, Screen, next_id};
use image::RgbImage;
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// Pictures are drawn at most so often; more would only flicker.
const PAUSE: Duration = Duration::from_millis(150);

/// What is on the screen while a turn runs.
pub struct Live<'a> {
    screen: &'a Screen,
    progress: Progress,
    manner: Manner,
    id: u32,
    lines: u16,
    drawn: Option<Instant>,
}

impl<'a> Live<'a> {
    /// Nothing yet, for a turn that `label` names and that starts `now`.
    #[must_use]
    pub fn start(screen: &'a Screen, label: &str, manner: Manner, now: Instant) -> Self {
        let progress = Progress::start(label, manner, screen.size.columns, now);
        Self { screen, progress, manner, id: next_id(), lines: 0, drawn: None }
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
    use crate::preview::size::Size;
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
