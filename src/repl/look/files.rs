//! Sessions as files: list, copy, open, replay.

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Result;

use super::super::batch::verdict;
use super::super::config::Config;
use super::super::files::{home, open_path, session_path, sessions_text};
use super::super::opened_text;
use super::super::reply::Reply;
use super::super::report;
use super::super::talk::{Talk, Watcher, text};
use super::super::typed_path;
use super::photograph;
use crate::session::file::{Hinted, Kept, Trust};
use crate::session::home::{is_same_file, pictures_of};
use crate::session::replay::Lessons;
use crate::session::{Options, Session};

/// `/sessions`.
pub(in crate::repl) fn sessions(talk: &Talk) -> Result<Reply> {
    Ok(text(sessions_text(&home(), talk.session.path())?))
}

/// `/save [NAME]`.
pub(in crate::repl) fn save(talk: &mut Talk, name: Option<&str>) -> Result<Reply> {
    let Some(name) = name else { return saved(&talk.session) };
    let path = home().file(name)?;
    if path.exists() {
        return Err(Hinted::new(
            format!("session `{name}` exists already"),
            "choose another name; /sessions lists them",
        )
        .into());
    }
    let lessons = match talk.session.copy_to(&path)? {
        0 => String::new(),
        count => format!(" and {} that a model learned", report::counted(count as u64, "lesson")),
    };
    let folder = pictures_of(&path);
    let mut count = 0;
    for node in 1..=talk.session.tree().len() as u32 {
        // Only what need not be drawn: the copy draws the rest when it is asked for.
        if talk.session.picture_if_stored(node).is_some() {
            std::fs::create_dir_all(&folder)?;
            talk.save_png(node, &folder.join(format!("{node:04}.png")))?;
            count += 1;
        }
    }
    let goes_on = match talk.session.kept() {
        Some(Kept::Gone | Kept::Changed) => format!("/open {name} goes on there: here nothing more is written"),
        _ => {
            let here = talk.session.path().map_or("in memory".to_owned(), |p| p.display().to_string());
            format!("this conversation goes on in its own place: {here}")
        }
    };
    Ok(text(format!(
        "copied to {} with {count} pictures in {}{lessons}\n  {goes_on}",
        path.display(),
        folder.display()
    )))
}

/// `/save` alone: where the session is kept, and whether it is.
fn saved(session: &Session) -> Result<Reply> {
    let nodes = session.tree().len();
    let Some(path) = session.path().map(|path| path.display().to_string()) else {
        return Ok(text("kept in memory alone; /save NAME writes it to a file"));
    };
    let not = |why: &str| Err(Hinted::new(format!("not saved: {why} {path}"), "/save NAME writes it elsewhere").into());
    match session.kept() {
        Some(Kept::Gone) => not("there is no file any more at"),
        Some(Kept::Changed) => not("another program has changed the file"),
        Some(Kept::Whole) => Ok(text(format!("saved after every turn: {path} ({nodes} pictures)"))),
        None if session.is_read_only() => Ok(text(format!("only read: {path} ({nodes} pictures)"))),
        None => Ok(text(format!("will be saved from the first picture on: {path}"))),
    }
}

/// `/open FILE ["CAPTION"]`: a session, a picture that carries one, or a photograph with what it shows.
pub(in crate::repl) fn open(talk: &mut Talk, line: &str, typed: &str, watcher: &mut dyn Watcher) -> Result<Reply> {
    let home = home();
    let is_there = |text: &str| session_path(&typed_path::text(text), &home).is_ok();
    let (typed, caption) = photograph::file_and_caption(typed, &is_there);
    let file = typed_path::path(typed);
    match caption {
        Some(caption) if photograph::is_picture(&file) => photograph::begin(talk, line, (&file, caption), watcher),
        Some(caption) => {
            let message = format!("`{}` is no picture, so `{}` cannot be what it shows", file.display(), caption);
            Err(Hinted::new(message, format!("/open {typed}")).into())
        }
        None if photograph::is_photograph(&file) => photograph::ask(talk, file),
        None if !is_there(typed) => match photograph::missing(typed) {
            Some(error) => Err(error.into()),
            None => open_session(talk, &file.to_string_lossy()),
        },
        None => open_session(talk, &file.to_string_lossy()),
    }
}

/// The session that is open here is opened anew only if its file is not what it was.
fn open_session(talk: &mut Talk, file: &str) -> Result<Reply> {
    let home = home();
    let options = Options {
        path: None,
        read_only: talk.session.is_read_only(),
        settings: Config::read(home.config())?.settings,
        overrides: Vec::new(),
        limits: talk.session.limits().clone(),
        home,
    };
    let is_own = |own: &Path| session_path(file, &options.home).is_ok_and(|path| is_same_file(&path, own));
    if talk.session.path().is_some_and(is_own) {
        match talk.session.kept() {
            Some(Kept::Whole) => return Ok(text(format!("this is {}", opened_text(&talk.session)))),
            Some(_) => talk.session.let_go(),
            None => {}
        }
    }
    Ok(Reply::Switched(Box::new(open_path(file, options)?)))
}

/// `/replay FILE`: every picture of a session file drawn again and compared; this session stays as it is.
pub(in crate::repl) fn replay(talk: &mut Talk, file: &str, watcher: &mut dyn Watcher) -> Result<Reply> {
    let file = typed_path::text(file);
    let named = home().file(&file).ok().filter(|path| path.exists());
    let path = named.unwrap_or_else(|| file.into());
    let mut lines = Vec::new();
    let replayed = talk.session.replay(
        &path,
        (Trust::Imported, Lessons::AsKept),
        &mut |node, count| {
            lines.push(verdict(node.node, count, &node.verdict));
            ControlFlow::Continue(())
        },
        &mut |step, latent| watcher.step(step + 1, step + 2, latent),
    )?;
    lines.extend(replayed.notes.iter().map(|note| format!("note: {note}")));
    lines.push(format!("{}: {}", path.display(), replayed.summary()));
    Ok(text(lines.join("\n")))
}
