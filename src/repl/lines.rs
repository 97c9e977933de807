//! Where typed lines come from: an editor with history and completion, or the terminal's own line.

use std::fs;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustyline::config::{BellStyle, Builder};
use rustyline::error::ReadlineError;
use rustyline::history::{FileHistory, History};
use rustyline::{CompletionType, Editor};

use super::helper::{Helper, Known};

/// How many lines are remembered.
const REMEMBERED: usize = 5000;

/// What came of waiting for a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// A line, or several that were pasted.
    Line(String),
    /// Ctrl-C.
    Interrupted,
    /// Ctrl-D, or the end of the input.
    Ended,
}

/// Gives lines.
pub enum Lines {
    /// An editor: history, completion, hints.
    Editor(Box<Editor<Helper, FileHistory>>, PathBuf),
    /// The terminal's own line, with no cursor movement by us.
    Plain,
}

impl Lines {
    /// An editor whose history is kept in `file`, readable by this person alone.
    ///
    /// # Errors
    /// Fails if the terminal cannot be had.
    pub fn editor(file: &Path) -> Result<Self> {
        let config = Builder::new()
            .max_history_size(REMEMBERED)
            .and_then(|b| b.history_ignore_dups(true))
            .context("BUG: the history has no room")?
            .completion_type(CompletionType::List)
            .completion_show_all_if_ambiguous(true)
            .bell_style(BellStyle::None)
            .build();
        let history = FileHistory::with_config(&config);
        let mut editor = Editor::with_history(config, history).context("cannot edit lines here")?;
        editor.set_helper(Some(Helper::default()));
        let _ = editor.load_history(file); // one that is not there, or is no text, is none
        Ok(Self::Editor(Box::new(editor), file.to_owned()))
    }

    /// Waits for a line. `known` is what completion and hints may offer.
    ///
    /// # Errors
    /// Fails if the terminal cannot be read or written.
    pub fn read(&mut self, prompt: &str, known: Known) -> Result<Typed> {
        match self {
            Self::Editor(editor, file) => {
                if let Some(helper) = editor.helper_mut() {
                    helper.known = known;
                }
                let line = match editor.readline(prompt) {
                    Ok(line) => line,
                    Err(ReadlineError::Interrupted) => return Ok(Typed::Interrupted),
                    Err(ReadlineError::Eof) => return Ok(Typed::Ended),
                    Err(error) => return Err(error).context("cannot read a line"),
                };
                remember(editor, file, &line);
                Ok(Typed::Line(line))
            }
            Self::Plain => {
                let mut out = std::io::stdout();
                out.write_all(prompt.as_bytes())?;
                out.flush()?;
                let mut raw = Vec::new();
                if std::io::stdin().lock().read_until(b'\n', &mut raw)? == 0 {
                    return Ok(Typed::Ended);
                }
                Ok(Typed::Line(String::from_utf8_lossy(&raw).trim_end_matches(['\n', '\r']).to_owned()))
            }
        }
    }
}

/// Keeps a line in the history. A history that cannot be written is no reason to stop.
fn remember(editor: &mut Editor<Helper, FileHistory>, file: &Path, line: &str) {
    let line = line.trim();
    if line.is_empty() || !editor.history_mut().add(line).unwrap_or(false) {
        return;
    }
    if let Some(folder) = file.parent() {
        let _ = fs::create_dir_all(folder);
    }
    // At once, so that a killed window loses nothing; and appended, so that two windows keep each other's lines.
    let _ = editor.append_history(file);
}
