//! Ways back from the command line: one session's, and a study of many.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};

use super::batch::{session, write_reply};
use super::command_line::Args;
use super::json;
use super::reply::{Cycled, Reply};
use super::talk::{Talk, Unwatched};
use crate::plan::inversion::InversionName;
use crate::plan::settings::{Settings, TurnSettings};
use crate::preview::png;
use crate::safe::printable_line;
use crate::session::Session;
use crate::session::cycle::regenerated::{CycleMethod, Regenerated};
use crate::session::file::Hinted;
use crate::study::table::Table;
use crate::study::{cycles, methods, photographs};

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

/// `wordbrush study photographs FOLDER --out DIR`: `FOLDER` has pictures and `captions.tsv`. What is in DIR already is not
/// measured again.
fn photographs_study(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let folder = args.needed::<PathBuf>("out")?;
    let from = args.value("FOLDER").map(PathBuf::from).ok_or_else(|| {
        let hint = "wordbrush study photographs my-pictures --out results";
        Hinted::new("`study photographs` needs a folder with pictures and `captions.tsv`", hint)
    })?;
    let list = from.join("captions.tsv");
    let text = std::fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    let captions = photographs::captions(&text)?;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut session = session(args, None, false)?;
    let study = photographs::photographs_id(&session);
    let write = |name: &str, bytes: &[u8]| put(folder, name, bytes);
    let before = |name: &str, head: &[&str]| begun(folder, name, |csv| photographs::rows_of(csv, head, &study));
    let (edits_head, chains_head) = (&photographs::EDITS_HEAD[..], &photographs::CHAINS_HEAD[..]);
    let mut edits = before("photographs.csv", edits_head)?;
    let mut chains = before("chains.csv", chains_head)?;
    // Optimisation takes minutes a picture.
    let names: Vec<InversionName> =
        InversionName::all().filter(|name| args.has("slow") || *name != InversionName::NullText).collect();
    let csv = |head: &[&str], rows: &[Vec<String>]| {
        let mut table = Table::new(head.iter().copied());
        table.rows = rows.to_vec();
        table.csv()
    };
    for one in &captions {
        let stem = one.file.replace(['/', '\\', '.'], "-");
        if !edits.iter().any(|row| row[1] == one.file) {
            let (rows, sheet) = photographs::edits(&mut session, &study, &from, one, &names)?;
            write(&format!("{stem}.png"), &png::encode(&sheet)?)?;
            edits.extend(rows);
            write("photographs.csv", csv(edits_head, &edits).as_bytes())?;
            writeln!(out, "{}: inverted by {} methods and edited", printable_line(&one.file), names.len())?;
            out.flush()?;
        }
        if one.edits.len() > 1 && !chains.iter().any(|row| row[1] == one.file) {
            let (rows, sheet) = photographs::chain(&mut session, &study, &from, one)?;
            write(&format!("{stem}-chain.png"), &png::encode(&sheet)?)?;
            chains.extend(rows);
            write("chains.csv", csv(chains_head, &chains).as_bytes())?;
            writeln!(out, "{}: {} edits and back", printable_line(&one.file), one.edits.len())?;
            out.flush()?;
        }
    }
    writeln!(out, "\n{}", photographs::summary(&edits).plain())?;
    Ok(ExitCode::SUCCESS)
}

/// `wordbrush study cycles|methods|photographs --out DIR`: a question asked many times, with its numbers in files.
///
/// # Errors
/// Fails if a setting is wrong, or a file cannot be written.
pub fn study(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    match args.value("NAME") {
        Some("methods") => study_methods(args, out),
        Some("photographs") => photographs_study(args, out),
        _ => study_cycles(args, out),
    }
}

/// `wordbrush study methods --out DIR`: every way to edit over the same edits.
fn study_methods(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let folder = args.needed::<PathBuf>("out")?;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut session = session(args, None, false)?;
    let study = methods::study_id(&session);
    let rows = begun(folder, "methods.csv", |csv| methods::read(csv, &study))?;
    let write_all = |rows: &[methods::MethodRow]| {
        put(folder, "methods.csv", methods::csv(rows, &study).as_bytes())?;
        put(folder, "methods.md", methods::markdown(rows).as_bytes())
    };
    let seeds = args.get("seeds").copied().unwrap_or(10);
    let all = seeds as usize * methods::EDITS.len();
    let rows = methods::run(&mut session, seeds, rows, &mut |rows| {
        write_all(rows)?;
        writeln!(out, "{} of {all} edits", rows.len() / methods::NAMES.len())?;
        Ok(out.flush()?)
    })?;
    write_all(&rows)?;
    writeln!(out, "\n{}", methods::markdown(&rows))?;
    Ok(ExitCode::SUCCESS)
}

/// The rows of a study that was begun in a folder, as `read` reads its table; none where there is no table.
fn begun<T>(folder: &Path, name: &str, read: impl FnOnce(&str) -> Option<Vec<T>>) -> Result<Vec<T>> {
    let Ok(csv) = std::fs::read_to_string(folder.join(name)) else { return Ok(Vec::new()) };
    read(&csv).ok_or_else(|| {
        Hinted::new(format!("{} holds another study", folder.display()), "give another folder with --out").into()
    })
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = folder.join(name);
    std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

fn study_cycles(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
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
