//! Ways back from the command line: one session's, and a study of many.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};

use super::batch::{session, write_reply};
use super::command_line::Args;
use super::json;
use super::reply::{Cycled, Reply};
use super::study::{begun, put};
use super::talk::{Talk, Unwatched};
use crate::plan::settings::{Settings, TurnSettings};
use crate::preview::png;
use crate::session::Session;
use crate::session::cycle::regenerated::{CycleMethod, Regenerated};
use crate::study::cycles;

/// `wordbrush cycle FILE [ID]`: back to an ancestor by words, the root if none is given.
///
/// # Errors
/// Fails if the file cannot be read, or a setting is wrong.
pub fn cycle(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let id = args.value("ID");
    let named = CycleMethod::ALL.into_iter().find(|(known, _)| args.value("method") == Some(known));
    let method = named.map_or(CycleMethod::Exact, |(_, method)| method);
    let session = session(args, args.path("FILE"), true)?;
    session.resolve(None)?;
    let mut talk = Talk::new(session, None);
    let begun = Instant::now();
    let reply = match method.settings() {
        None => {
            let in_one = if args.has("in-one") { " --in-one" } else { "" };
            talk.line(&format!("/cycle{in_one} {}", id.unwrap_or_default()), &mut Unwatched)
        }
        Some(turn) => regenerated(args, (method, turn), id, &mut talk.session),
    };
    if args.has("json") {
        if let Some(value) = json::line(1, &reply, &talk.session, begun.elapsed().as_secs_f64()) {
            writeln!(out, "{}", json::written(&value))?;
        }
    } else {
        write_reply(&reply, "/cycle", &talk.session, out)?;
    }
    Ok(if reply.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// The way back of a method that has no history: its own settings, and what `--set` says on top of them.
fn regenerated(
    args: &Args,
    (method, turn): (CycleMethod, TurnSettings),
    id: Option<&str>,
    session: &mut Session,
) -> Result<Reply> {
    let mut settings = Settings { turn, ..Settings::default() };
    for (name, value) in args.settings() {
        settings.set(&name, &value)?;
    }
    let from = session.resolve(None)?;
    let to = match id {
        Some(id) => session.resolve(Some(id))?,
        None => session.root()?.number,
    };
    let way = (to, args.has("in-one"));
    let mut watch = |_: usize, _: usize, _: &_| ControlFlow::Continue(());
    let steps = session.regenerated(way, &settings.turn, &mut Regenerated::default(), &mut watch)?;
    let steps = steps.context("BUG: a way back that nobody watched was stopped")?;
    Ok(Reply::Cycled(Box::new(Cycled::measured((from, to), method, steps))))
}

/// `wordbrush study cycles --out DIR`: the way back of random conversations by every method.
///
/// # Errors
/// Fails if a setting is wrong, or a file cannot be written.
pub(super) fn study(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let folder = args.needed::<PathBuf>("out")?;
    let number = |name: &str, default: u64| args.get(name).copied().unwrap_or(default);
    let (from, chains, seed) = (number("from", 1).max(1) as usize, number("chains", 50) as usize, number("seed", 1));
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut session = session(args, None, false)?;
    let write = |name: &str, bytes: &[u8]| put(folder, name, bytes);
    let study = cycles::study_id(&mut session, seed)?;
    let rows = begun(folder, "cycles.csv", |csv| cycles::summary::read(csv, &study))?;
    // Written anew after every conversation, so that a study that is broken off goes on.
    let write_all = |rows: &[cycles::Row]| {
        write("cycles.csv", cycles::summary::csv(rows, &study).as_bytes())?;
        write("cycles.md", cycles::summary::markdown(rows).as_bytes())?;
        write("cycles.png", &png::encode(&cycles::picture::plot(rows))?)
    };
    let rows = cycles::run(&mut session, (from, chains), seed, rows, &mut |rows, older| {
        write_all(rows)?;
        let done = rows.last().map_or(0, |row| row.chain);
        writeln!(out, "{done} of {chains}: {}", cycles::summary::line(&rows[older..]))?;
        Ok(out.flush()?)
    })?;
    write_all(&rows)?;
    writeln!(out, "\n{}", cycles::summary::markdown(&rows))?;
    Ok(ExitCode::SUCCESS)
}
