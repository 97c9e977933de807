//! Where typed lines come from: an editor with history and completion, or the terminal's own line.

use std::fs::{self, File};
use std::io::{BufRead, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use rustyline::config::{BellStyle, Builder};
use rustyline::error::ReadlineError;
use rustyline::history::{FileHistory, History};
use rustyline::{
    Cmd, ColorMode, CompletionType, ConditionalEventHandler, EditMode, Editor, Event, EventContext, EventHandler,
    InputMode, KeyCode, KeyEvent, Modifiers, Movement, RepeatCount,
};

use super::helper::{Helper, Known};
use super::stop::Stop;
use crate::preview::ask::{KeyOrAnswer, LateAnswer, without_answers};
use crate::session::file::plainly;

/// How many lines are remembered.
const REMEMBERED: usize = 5000;

/// What came of waiting for a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// A line, or several that were pasted.
    Line(String),
    /// A line that is no UTF-8.
    NoText,
    /// The line is to be edited in the person's own editor.
    Edit(String),
    /// Before and after are to be shown; the line stays.
    Flip(String),
    /// Ctrl-C where nothing was typed.
    Interrupted,
    /// Ctrl-D, or the end of the input.
    Ended,
}

/// Gives lines.
pub enum Lines {
    /// An editor: history, completion, hints.
    Editor(Box<Editor<Helper, FileHistory>>, Remembered, Arc<AtomicU8>),
    /// The terminal's own line, with no cursor movement by us.
    Plain,
}

impl Lines {
    /// An editor whose history is kept in `file`, readable by this person alone, or in memory. `is_ascii`: nothing else is
    /// shown by it. `is_vi`: its keys are those of vi. `stop` stops the program on Ctrl-Z.
    ///
    /// # Errors
    /// Fails if the terminal cannot be had.
    pub fn editor(file: Option<&Path>, is_ascii: bool, is_vi: bool, stop: &Stop) -> Result<Self> {
        let config = Builder::new()
            .edit_mode(if is_vi { EditMode::Vi } else { EditMode::Emacs })
            .max_history_size(REMEMBERED)
            .and_then(|b| b.history_ignore_dups(true))
            .context("BUG: the history has no room")?
            .completion_type(CompletionType::List)
            .completion_show_all_if_ambiguous(true)
            .bell_style(BellStyle::None)
            // Faint is no colour: with NO_COLOR, too, what is guessed must not look typed.
            .color_mode(ColorMode::Forced)
            // A tab is shown as one blank (`Helper`).
            .tab_stop(1)
            .build();
        let history = FileHistory::with_config(&config);
        let mut editor = Editor::with_history(config, history).context("cannot edit lines here")?;
        editor.set_helper(Some(Helper { is_ascii, ..Helper::default() }));
        editor.bind_sequence(KeyEvent::ctrl('C'), EventHandler::Conditional(Box::new(DropLine)));
        let asked = Arc::new(AtomicU8::new(NOTHING));
        let ask = |what: u8| EventHandler::Conditional(Box::new(Ask { what, asked: asked.clone() }));
        editor.bind_sequence(Event::KeySeq(vec![KeyEvent::ctrl('X'), KeyEvent::ctrl('E')]), ask(EDIT));
        editor.bind_sequence(KeyEvent::ctrl('O'), ask(FLIP));
        if is_vi {
            editor.bind_sequence(KeyEvent::from('v'), ask(EDIT_BY_V));
        }
        #[cfg(unix)]
        editor.bind_sequence(KeyEvent::ctrl('Z'), EventHandler::Conditional(Box::new(Suspend { stop: stop.clone() })));
        #[cfg(not(unix))]
        let _ = stop;
        let swallow = SwallowAnswers { late: Mutex::new(LateAnswer::default()) };
        editor.bind_sequence(Event::Any, EventHandler::Conditional(Box::new(swallow)));
        let mut remembered = Remembered { file: file.map(Path::to_owned), note: None };
        remembered.load(&mut editor);
        Ok(Self::Editor(Box::new(editor), remembered, asked))
    }

    /// Waits for a line, of which `begun` stands there already. `known` is what completion and hints may offer.
    ///
    /// # Errors
    /// Fails if the terminal cannot be read or written.
    pub fn read(&mut self, prompt: &str, known: Known, begun: &str) -> Result<Typed> {
        match self {
            Self::Editor(editor, remembered, asked) => {
                if let Some(helper) = editor.helper_mut() {
                    helper.known = known;
                }
                let line = match editor.readline_with_initial(prompt, (begun, "")) {
                    Ok(line) => line,
                    Err(ReadlineError::Interrupted) => return Ok(Typed::Interrupted),
                    Err(ReadlineError::Eof) => return Ok(Typed::Ended),
                    Err(error) => return Err(error).context("cannot read a line"),
                };
                match asked.swap(NOTHING, Ordering::SeqCst) {
                    EDIT => return Ok(Typed::Edit(line)),
                    FLIP => return Ok(Typed::Flip(line)),
                    _ => {}
                }
                remembered.keep(editor, &line);
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
                Ok(match String::from_utf8(raw) {
                    Ok(line) => Typed::Line(without_answers(line.trim_end_matches(['\n', '\r']))),
                    Err(_) => Typed::NoText,
                })
            }
        }
    }

    /// What the person should know of the lines remembered, once.
    pub fn take_note(&mut self) -> Option<String> {
        match self {
            Self::Editor(_, remembered, _) => remembered.note.take(),
            Self::Plain => None,
        }
    }
}

/// Ctrl-C on a line with text drops the line and nothing else.
struct DropLine;

impl ConditionalEventHandler for DropLine {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, ctx: &EventContext<'_>) -> Option<Cmd> {
        (!ctx.line().is_empty()).then_some(Cmd::Kill(Movement::WholeBuffer))
    }
}

/// What a key asked for that ends the line without taking it.
const NOTHING: u8 = 0;
const EDIT: u8 = 1;
const FLIP: u8 = 2;
/// As `EDIT`, where the key is a letter that may also be typed.
const EDIT_BY_V: u8 = 3;

/// A key that asks for something while a line is typed.
struct Ask {
    what: u8,
    asked: Arc<AtomicU8>,
}

impl ConditionalEventHandler for Ask {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, ctx: &EventContext<'_>) -> Option<Cmd> {
        let what = if self.what == EDIT_BY_V { EDIT } else { self.what };
        if self.what == EDIT_BY_V && ctx.input_mode() != InputMode::Command {
            return None;
        }
        self.asked.store(what, Ordering::SeqCst);
        Some(Cmd::AcceptLine)
    }
}

/// Ctrl-Z stops the program, whose terminal is as it was found meanwhile.
#[cfg(unix)]
struct Suspend {
    stop: Stop,
}

#[cfg(unix)]
impl ConditionalEventHandler for Suspend {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, _: &EventContext<'_>) -> Option<Cmd> {
        self.stop.suspend();
        Some(Cmd::Repaint)
    }
}

/// Keys that are a late answer of the terminal are not typed.
struct SwallowAnswers {
    late: Mutex<LateAnswer>,
}

impl ConditionalEventHandler for SwallowAnswers {
    fn handle(&self, event: &Event, _: RepeatCount, _: bool, _: &EventContext<'_>) -> Option<Cmd> {
        let Event::KeySeq(keys) = event else { return None };
        let [KeyEvent(code, modifiers)] = keys[..] else { return None };
        let mut late = self.late.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = std::time::Instant::now();
        let what = match code {
            KeyCode::UnknownEscSeq => late.begins(now),
            KeyCode::Char(c) if modifiers == Modifiers::NONE => late.goes_on(c, now),
            _ => KeyOrAnswer::Typed,
        };
        (what == KeyOrAnswer::Answered).then_some(Cmd::Noop)
    }
}

/// The file of typed lines, and what is to be said of it.
pub struct Remembered {
    /// `None` once it cannot be written.
    file: Option<PathBuf>,
    note: Option<String>,
}

impl Remembered {
    fn load(&mut self, editor: &mut Editor<Helper, FileHistory>) {
        let Some(file) = self.file.clone().filter(|file| file.exists()) else { return };
        let loaded = set_aside_what_is_no_text(&file).and_then(|aside| {
            self.note = aside.map(|aside| aside_note(&file, &aside));
            editor.load_history(&file).map_err(|error| std::io::Error::other(error.to_string()))
        });
        if let Err(error) = loaded {
            self.give_up(&error);
        }
    }

    /// Keeps a line. A file that cannot be written is no reason to stop, and is told of once.
    fn keep(&mut self, editor: &mut Editor<Helper, FileHistory>, line: &str) {
        let line = line.trim();
        if line.is_empty() || !editor.history_mut().add(line).unwrap_or(false) {
            return;
        }
        let Some(file) = self.file.clone() else { return };
        if let Some(folder) = file.parent() {
            let _ = fs::create_dir_all(folder);
        }
        // At once, so that a killed window loses nothing; and appended, so that two windows keep each other's lines.
        if editor.append_history(&file).is_ok() {
            return;
        }
        // Another program may have written what is no text since.
        let again = set_aside_what_is_no_text(&file).and_then(|aside| {
            self.note = aside.map(|aside| aside_note(&file, &aside));
            editor.append_history(&file).map_err(|error| std::io::Error::other(error.to_string()))
        });
        if let Err(error) = again {
            self.give_up(&error);
        }
    }

    fn give_up(&mut self, error: &std::io::Error) {
        if let Some(file) = self.file.take() {
            self.note = Some(format!("typed lines are not kept in {}: {}", file.display(), plainly(error)));
        }
    }
}

fn aside_note(file: &Path, aside: &Path) -> String {
    format!("lines of {} that are no text are set aside in {}", file.display(), aside.display())
}

/// Takes lines that are not UTF-8 out of a file, into one beside it, which is returned; `None` if all are text. Other
/// windows wait meanwhile.
fn set_aside_what_is_no_text(path: &Path) -> std::io::Result<Option<PathBuf>> {
    if !path.is_file() {
        return if path.exists() { Err(std::io::Error::other("it is not a file")) } else { Ok(None) };
    }
    let mut bytes = fs::read(path)?;
    if std::str::from_utf8(&bytes).is_ok() {
        return Ok(None);
    }
    let mut file = File::options().read(true).write(true).open(path)?;
    let _ = file.lock(); // where there are no locks, there is one window
    bytes.clear();
    file.read_to_end(&mut bytes)?;
    let (text, other): (Vec<&[u8]>, Vec<&[u8]>) =
        bytes.split_inclusive(|byte| *byte == b'\n').partition(|line| std::str::from_utf8(line).is_ok());
    let aside = |n: u32| {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".broken-{n}"));
        path.with_file_name(name)
    };
    let aside = (1..).map(aside).find(|aside| !aside.exists()).unwrap_or_else(|| aside(0));
    let mut kept = File::create_new(&aside)?;
    kept.write_all(&other.concat())?;
    kept.sync_all()?;
    // Lines only move up: a process killed in between leaves some twice, and none away.
    let text = text.concat();
    file.rewind()?;
    file.write_all(&text)?;
    file.set_len(text.len() as u64)?;
    Ok(Some(aside))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_no_text_are_set_aside_and_the_others_stay_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("history");
        assert_eq!(set_aside_what_is_no_text(&file).unwrap(), None, "there is none yet");
        fs::write(&file, b"#V2\na cat\ncaf\xe9\ncat -> dog\n\xff\xfe\nlast").unwrap();
        for n in 1..3 {
            let aside = set_aside_what_is_no_text(&file).unwrap().unwrap();
            assert_eq!(aside, folder.path().join(format!("history.broken-{n}")));
            assert_eq!(fs::read(&aside).unwrap(), b"caf\xe9\n\xff\xfe\n");
            assert_eq!(fs::read_to_string(&file).unwrap(), "#V2\na cat\ncat -> dog\nlast");
            assert_eq!(set_aside_what_is_no_text(&file).unwrap(), None, "all is text now");
            fs::write(&file, b"#V2\na cat\ncaf\xe9\ncat -> dog\n\xff\xfe\nlast").unwrap();
        }
        assert!(set_aside_what_is_no_text(folder.path()).is_err(), "a folder");
    }
}
