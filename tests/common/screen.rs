//! A person at a terminal: lines are typed into the program, and what stands on the screen is read.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

#[path = "terminal.rs"]
mod terminal;

/// Cells across; lines of reports are folded there.
const COLUMNS: u16 = 100;

/// The longest that an answer may take.
const PATIENCE: Duration = Duration::from_secs(180);

/// What stands on a terminal of endless height, as far as a conversation needs: no colours, no pictures.
#[derive(Default)]
struct Screen {
    rows: Vec<Vec<char>>,
    row: usize,
    column: usize,
}

impl Screen {
    fn read(text: &str) -> Self {
        let mut screen = Self::default();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match c {
                '\u{1b}' => screen.escape(&mut chars),
                '\r' => screen.column = 0,
                '\n' => screen.row += 1,
                '\u{8}' => screen.column = screen.column.saturating_sub(1),
                c if c.is_control() => {}
                c => screen.put(c),
            }
        }
        screen
    }

    fn row(&mut self) -> &mut Vec<char> {
        if self.rows.len() <= self.row {
            self.rows.resize(self.row + 1, Vec::new());
        }
        &mut self.rows[self.row]
    }

    fn put(&mut self, c: char) {
        let column = self.column;
        let row = self.row();
        if row.len() <= column {
            row.resize(column + 1, ' ');
        }
        row[column] = c;
        self.column += 1;
    }

    /// `ESC [ numbers letter`; others have no arguments here.
    fn escape(&mut self, chars: &mut std::str::Chars<'_>) {
        if chars.next() != Some('[') {
            return;
        }
        let mut numbers = String::new();
        let Some(letter) = chars.find(|c| {
            let ends = ('@'..='~').contains(c);
            if !ends {
                numbers.push(*c);
            }
            ends
        }) else {
            return;
        };
        let n = numbers.parse::<usize>().unwrap_or(1);
        match letter {
            'A' => self.row = self.row.saturating_sub(n),
            'B' => self.row += n,
            'C' => self.column += n,
            'D' => self.column = self.column.saturating_sub(n),
            'G' => self.column = n - 1,
            'K' => {
                let column = self.column;
                self.row().truncate(column);
            }
            'J' => {
                let (row, column) = (self.row, self.column);
                self.row().truncate(column);
                self.rows.truncate(row + 1);
            }
            _ => {}
        }
    }

    fn line(&self, row: usize) -> String {
        self.rows.get(row).map(|row| row.iter().collect::<String>().trim_end().to_owned()).unwrap_or_default()
    }

    /// Whether the last line is a prompt at which nothing has been typed.
    fn waits(&self) -> bool {
        let line = self.line(self.row);
        line.strip_suffix('›').is_some_and(|at| at.trim_end().chars().all(|c| c.is_ascii_digit()))
    }
}

/// Types `lines` into the program, each when it waits for one; the greeting, then each line with what came of it.
#[track_caller]
pub(crate) fn type_into(program: &str, home: &Path, arguments: &[&str], lines: &[&str]) -> Vec<String> {
    let (pty, mut child, bytes) = terminal::start((program, home), (50, COLUMNS), |command| {
        command.args(arguments).args(["--preview", "none"]).current_dir(home).env("NO_COLOR", "1")
    });
    let mut raw = Vec::new();
    let mut begins = vec![0];
    for at in 0..=lines.len() {
        let begun = Instant::now();
        let screen = loop {
            let screen = Screen::read(&String::from_utf8_lossy(&raw));
            let last = at == lines.len() && child.try_wait().unwrap().is_some();
            if (screen.waits() && (at == 0 || screen.row > begins[at])) || last {
                break screen;
            }
            match bytes.recv_timeout(Duration::from_millis(20)) {
                Ok(more) => raw.extend(more),
                Err(_) => assert!(begun.elapsed() < PATIENCE, "no answer:\n{}", String::from_utf8_lossy(&raw)),
            }
        };
        begins.push(screen.row);
        if let Some(line) = lines.get(at) {
            (&*pty).write_all(format!("{line}\r").as_bytes()).unwrap();
        }
    }
    while let Ok(more) = bytes.recv_timeout(Duration::from_millis(200)) {
        raw.extend(more);
    }
    let _ = child.kill();
    let _ = child.wait();
    let screen = Screen::read(&String::from_utf8_lossy(&raw));
    let part = |at: usize| {
        let end = if at + 2 < begins.len() { begins[at + 1] } else { screen.rows.len() };
        let begin = if at == 0 { 0 } else { begins[at] };
        (begin..end).map(|row| screen.line(row)).map(told).collect::<Vec<_>>().join("\n")
    };
    (0..=lines.len()).map(part).collect()
}

/// A line as documents show it: a picture that a terminal would show stands as such.
fn told(line: String) -> String {
    if line.starts_with("picture: ") { "  [picture]".to_owned() } else { line }
}
