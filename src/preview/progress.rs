//! One line that says how far a run is and how long it will still take.

use crate::safe;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// How progress is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// A bar that is drawn over itself: output is a terminal.
    Bar,
    /// One line of text at the start, if the run takes long: `--plain` on a terminal.
    Line,
    /// Nothing: output is not a terminal.
    Silent,
}

impl Manner {
    /// What suits standard output; `plain`: `--plain` was given.
    #[must_use]
    pub fn detect(plain: bool) -> Self {
        // A terminal that has no name is not known to move its cursor.
        let dumb = std::env::var("TERM").map_or(cfg!(unix), |term| term == "dumb" || (cfg!(unix) && term.is_empty()));
        match (io::stdout().is_terminal(), plain || dumb) {
            (false, _) => Self::Silent,
            (true, true) => Self::Line,
            (true, false) => Self::Bar,
        }
    }
}

/// Runs shorter than this show no bar.
pub const PATIENCE: Duration = Duration::from_millis(300);
/// A bar is drawn at most so often.
const PAUSE: Duration = Duration::from_millis(50);
/// `--plain` says something only where a run will take longer than this.
const LONG: Duration = Duration::from_secs(3);

/// A running bar. Time is told to it, so that tests decide what it is.
#[derive(Debug)]
pub struct Progress {
    label: String,
    manner: Manner,
    columns: u16,
    started: Instant,
    drawn: Option<Instant>,
    shown: bool,
    /// Cells of the bar that is shown.
    width: usize,
}

impl Progress {
    /// A bar for what `label` says (`drawing`), starting `now`, on a terminal of `columns` cells.
    #[must_use]
    pub fn start(label: &str, manner: Manner, columns: u16, now: Instant) -> Self {
        Self {
            label: crate::safe::printable_line(label),
            manner,
            columns,
            started: now,
            drawn: None,
            shown: false,
            width: 0,
        }
    }

    /// Says whether a bar is due: the run is old enough and the last one was not just now.
    #[must_use]
    pub fn is_due(&self, now: Instant) -> bool {
        let rested = self.drawn.is_none_or(|drawn| now.duration_since(drawn) >= PAUSE);
        self.manner != Manner::Silent && now.duration_since(self.started) >= PATIENCE && rested
    }

    /// Tells that `done` of `total` steps are done. Draws the bar over itself if it is due.
    ///
    /// # Errors
    /// Whatever writing gives.
    pub fn step(&mut self, out: &mut dyn Write, done: usize, total: usize, now: Instant) -> io::Result<()> {
        if !self.is_due(now) {
            return Ok(());
        }
        let left = time_left(done, total, now.duration_since(self.started));
        self.drawn = Some(now);
        match self.manner {
            Manner::Bar => {
                let bar = bar(&self.label, done, total, left, self.columns);
                write!(out, "\r{bar}\x1b[K")?;
                (self.shown, self.width) = (true, safe::cells(&bar));
            }
            Manner::Line if !self.shown && left.is_some_and(|left| left >= LONG) => {
                writeln!(out, "{}: about {}", self.label, spoken(left.unwrap_or_default()))?;
                self.shown = true;
            }
            _ => {}
        }
        out.flush()
    }

    /// Follows a change of the window's width. Gives the lines below its first that the bar on the screen has by now, if it
    /// was broken to fit; it is then taken to be gone.
    pub fn resize(&mut self, columns: u16, reflows: bool) -> u16 {
        self.columns = columns;
        let shown = std::mem::take(&mut self.shown);
        if shown && reflows { rows(self.width, columns).saturating_sub(1) } else { 0 }
    }

    /// Takes the bar off the screen; the cursor is at the start of its line.
    ///
    /// # Errors
    /// Whatever writing gives.
    pub fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.manner == Manner::Bar && self.shown {
            self.shown = false;
            out.write_all(b"\r\x1b[K")?;
            out.flush()?;
        }
        Ok(())
    }
}

/// The rows that a line of `width` cells has in a window of `columns`.
#[must_use]
pub fn rows(width: usize, columns: u16) -> u16 {
    u16::try_from(width.div_ceil(usize::from(columns.max(1))).max(1)).unwrap_or(u16::MAX)
}

/// How long a run will still take if it goes on as it went; `None` before the first step.
#[must_use]
pub fn time_left(done: usize, total: usize, spent: Duration) -> Option<Duration> {
    if done == 0 {
        return None;
    }
    Some(spent.mul_f64(total.saturating_sub(done) as f64 / done as f64))
}

/// The bar as one line of at most `columns - 1` cells: label, bar, steps, time left; the bar shrinks first, then the
/// label goes, then everything but the steps.
#[must_use]
pub fn bar(label: &str, done: usize, total: usize, left: Option<Duration>, columns: u16) -> String {
    let room = usize::from(columns.max(2)) - 1;
    let steps = format!("{done}/{total}");
    let time = left.map(|left| format!("{} left", spoken(left))).unwrap_or_default();
    let tail = format!("{steps}  {time}");
    let tail = tail.trim_end();
    let width = safe::cells;
    let bar_room = |head: usize| room.saturating_sub(head + width(tail) + 2).min(30);
    let label_width = width(label) + 2;
    let line = if bar_room(label_width) >= 5 {
        format!("{label}  {}  {tail}", strokes(done, total, bar_room(label_width)))
    } else if bar_room(0) >= 5 {
        format!("{}  {tail}", strokes(done, total, bar_room(0)))
    } else if width(tail) <= room {
        tail.to_owned()
    } else {
        steps
    };
    safe::cut(&line, room).to_owned()
}

fn strokes(done: usize, total: usize, room: usize) -> String {
    let halves = (2 * room * done.min(total)).checked_div(total).unwrap_or(0);
    let (full, half) = (halves / 2, halves % 2);
    let rest = room - full - half;
    format!("{}{}{}", "━".repeat(full), "╸".repeat(half), "─".repeat(rest))
}

/// A time as people say it: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`.
#[must_use]
pub fn spoken(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(number: f64) -> Option<Duration> {
        Some(Duration::from_secs_f64(number))
    }

    /// What is on the line after `stream`: `\r` goes back, `ESC [ K` clears to the end.
    fn screen(stream: &[u8]) -> String {
        let text = std::str::from_utf8(stream).unwrap();
        let mut line: Vec<char> = Vec::new();
        let mut at = 0;
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix("\x1b[K") {
                line.truncate(at);
                rest = after;
                continue;
            }
            rest = &rest[c.len_utf8()..];
            match c {
                '\r' => at = 0,
                '\x1b' => panic!("an escape that is not known"),
                _ => {
                    line.resize(line.len().max(at + 1), ' ');
                    line[at] = c;
                    at += 1;
                }
            }
        }
        line.into_iter().collect()
    }

    #[test]
    fn a_bar_reads_label_strokes_steps_and_time() {
        assert_eq!(bar("drawing", 12, 30, seconds(1.44), 40), "drawing  ━━━━───────  12/30  1.4 s left");
        assert_eq!(bar("drawing", 30, 30, seconds(0.0), 40), "drawing  ━━━━━━━━━━━  30/30  0.0 s left");
        assert_eq!(bar("drawing", 0, 30, None, 40), "drawing  ────────────────────────  0/30");
    }

    #[test]
    fn no_bar_is_wider_than_its_terminal() {
        for columns in 1..=200 {
            for (done, total) in [(0, 0), (0, 30), (7, 30), (30, 30), (40, 30), (999, 1000)] {
                for left in [None, seconds(0.3), seconds(7000.0)] {
                    for label in ["drawing", "", "a label that is far too long for a narrow terminal"] {
                        let line = bar(label, done, total, left, columns);
                        let width = line.chars().count();
                        assert!(width < usize::from(columns.max(2)), "{columns} columns: {line}");
                        assert!(columns < 8 || line.contains(&format!("{done}/")), "{columns} columns: {line}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_time_left_follows_the_pace_so_far() {
        assert_eq!(time_left(10, 30, Duration::from_secs(2)), seconds(4.0));
        assert_eq!(time_left(30, 30, Duration::from_secs(2)), seconds(0.0));
        assert_eq!(time_left(0, 30, Duration::from_secs(2)), None);
    }

    #[test]
    fn times_are_said_as_people_say_them() {
        for (time, text) in [
            (0.04, "0.0 s"),
            (9.94, "9.9 s"),
            (9.96, "10 s"),
            (59.4, "59 s"),
            (59.6, "1 min 0 s"),
            (7500.0, "2 h 5 min"),
        ] {
            assert_eq!(spoken(Duration::from_secs_f64(time)), text);
        }
    }

    #[test]
    fn a_finished_bar_leaves_an_empty_line() {
        let start = Instant::now();
        let mut out = Vec::new();
        let mut progress = Progress::start("drawing", Manner::Bar, 40, start);
        for done in 1..=30 {
            progress.step(&mut out, done, 30, start + Duration::from_millis(100) * done as u32).unwrap();
            if done >= 3 {
                assert!(screen(&out).contains(&format!("{done}/30")));
            }
        }
        progress.finish(&mut out).unwrap();
        assert_eq!(screen(&out), "");
    }

    #[test]
    fn a_short_run_shows_no_bar() {
        let start = Instant::now();
        let mut out = Vec::new();
        let mut progress = Progress::start("drawing", Manner::Bar, 40, start);
        for done in 1..=29 {
            progress.step(&mut out, done, 30, start + Duration::from_millis(10) * done as u32).unwrap();
        }
        progress.finish(&mut out).unwrap();
        assert!(out.is_empty());
    }

    #[test]
    fn plain_prints_at_most_one_line_without_escapes_and_a_pipe_gets_nothing() {
        for (manner, expected) in [(Manner::Line, "drawing: about 27 s\n"), (Manner::Silent, "")] {
            let start = Instant::now();
            let mut out = Vec::new();
            let mut progress = Progress::start("drawing", manner, 40, start);
            for done in 1..=30 {
                progress.step(&mut out, done, 30, start + Duration::from_millis(900) * done as u32).unwrap();
            }
            progress.finish(&mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert_eq!(text.is_empty(), expected.is_empty());
            assert!(!text.contains(['\x1b', '\r']) && text.lines().count() <= 1, "{text:?}");
        }
    }
}
