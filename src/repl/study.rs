//! `wordbrush study NAME --out DIR`: a question of the study that this program grew from, asked many times.

mod methods;
mod page;
mod photographs;
mod plan;

use std::cell::RefCell;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use image::RgbImage;

use super::command_line::Args;
use super::config::Config;
use super::look::size;
use super::stop::Stop;
use super::sweep::folder::Folder;
use super::sweep::{Plan, Teller, draw};
use super::{batch, cycles};
use crate::measure::mean_change;
use crate::preview::file::write_atomically;
use crate::preview::progress::{Manner, Progress, spoken, time_left};
use crate::preview::size::Size;
use crate::safe::printable_line;
use crate::session::file::Hinted;
use crate::session::{Options, Session, to_image};
use crate::study::question::StudyQuestion;

use plan::{Asking, Shard};

/// What a folder of a study says of itself.
const ABOUT: &str = "study.json";

/// Draws what a question asks for, but for what its folder has already, and says what the numbers settle.
///
/// # Errors
/// Fails if the question cannot be asked of the prompts, before anything is drawn; or if a picture cannot be drawn or kept.
pub fn study(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let name = args.value("NAME").unwrap_or_default();
    match name {
        "cycles" => return cycles::study(args, out),
        "methods" => return methods::study(args, out),
        "photographs" => return photographs::study(args, out),
        _ => {}
    }
    let folder = args.needed::<PathBuf>("out")?;
    let home = batch::home();
    let config = Config::read(home.config())?;
    let limits = batch::limits(args, &config);
    let asking = if name == "merge" {
        Asking::read(&folder.join(ABOUT))?
    } else {
        let question = StudyQuestion::find(name).context("BUG: a study of no question")?;
        Asking::of(question, args, config.settings.clone())?
    };
    let settings = asking.settings(config.settings)?;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    asking.claim(&folder.join(ABOUT))?;
    let shard = args.value("shard").map(Shard::read).transpose()?;
    if let Some(tasks) = args.get::<u64>("slurm") {
        let path = folder.join(format!("{}.sbatch", asking.question.name));
        write_atomically(&path, plan::slurm(&asking, *tasks, args, folder).as_bytes())?;
        writeln!(out, "sbatch {}", printable_line(&path.display().to_string()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let options = Options { home, path: None, read_only: false, overrides: vec![], limits, settings: settings.clone() };
    let mut session = Session::open(options)?;
    let (plan, places) = asking.plan(&mut session, &settings, shard)?;
    let path = shard.map_or_else(|| folder.clone(), |shard| folder.join(shard.folder()));
    let mut held = Folder::open(&path)?;
    let complete = if name == "merge" {
        merge(folder, &mut held, &plan, out)?
    } else {
        carry_out(args, &mut session, &plan, (&mut held, config.plain), out)?
    };
    if complete && shard.is_none() {
        for (path, bytes) in page::write_files(&asking, &plan, &places, &held, folder)? {
            writeln!(out, "  {} · {}", printable_line(&path.display().to_string()), size(bytes as u64))?;
        }
    }
    Ok(if complete { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Takes over what the shards drew; whether that is all.
fn merge(folder: &Path, held: &mut Folder, plan: &Plan, out: &mut dyn Write) -> Result<bool> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let mut shards: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_str().is_some_and(Shard::is_folder))
        .map(|entry| entry.path())
        .collect();
    shards.sort();
    for shard in &shards {
        let taken = held.take_over(&Folder::open(shard)?)?;
        writeln!(out, "{}: {taken} pictures", printable_line(&shard.display().to_string()))?;
    }
    let missing = plan.runs.iter().filter(|run| held.figures(&run.sketch.node.id).is_none()).count();
    if missing > 0 {
        let message = format!("{missing} of {} pictures are not there yet", plan.runs.len());
        return Err(Hinted::new(message, "let every shard end: the same command goes on where it stopped").into());
    }
    Ok(true)
}

/// Draws what is missing; whether all is there then.
fn carry_out(
    args: &Args,
    session: &mut Session,
    plan: &Plan,
    (held, plain): (&mut Folder, bool),
    out: &mut dyn Write,
) -> Result<bool> {
    let as_json = args.has("json");
    let manner = if as_json { Manner::Silent } else { Manner::detect(args.has("plain") || plain) };
    let stop = if as_json { Stop::listen_silently()? } else { Stop::listen(manner == Manner::Bar)? };
    let bar = Progress::start("study", manner, Size::of_terminal().columns, Instant::now());
    let every = if as_json { 1 } else { (plan.runs.len() / 20).max(1) };
    let teller = RefCell::new(Teller { out, bar, as_json, stop, every });
    // Runs that start from one picture follow each other.
    let mut first: Option<(u32, RgbImage)> = None;
    let cost = draw(session, plan, held, &teller, &mut |session, run, start, drawn| {
        drawn.figures.shown = session.words_shown(&run.sketch, &drawn.latent)?;
        if let Some(start) = start {
            let (_, first) = match first.take() {
                Some(kept) if kept.0 == start => first.insert(kept),
                _ => first.insert((start, to_image(&session.picture(start)?))),
            };
            let everywhere = vec![true; (first.width() * first.height()) as usize];
            drawn.figures.change_home = mean_change(&drawn.picture, first, &everywhere);
        }
        Ok(())
    })?;
    if cost.stopped {
        let done = plan.runs.iter().filter(|run| held.figures(&run.sketch.node.id).is_some()).count();
        writeln!(teller.into_inner().out, "stopped after {done} of {}; the same command goes on", plan.runs.len())?;
        return Ok(false);
    }
    Ok(true)
}

/// The rows of a study that was begun in a folder, as `read` reads its table; none where there is no table.
pub(super) fn begun<T>(folder: &Path, name: &str, read: impl FnOnce(&str) -> Option<Vec<T>>) -> Result<Vec<T>> {
    let Ok(csv) = std::fs::read_to_string(folder.join(name)) else { return Ok(Vec::new()) };
    read(&csv).ok_or_else(|| {
        Hinted::new(format!("{} holds another study", folder.display()), "give another folder with --out").into()
    })
}

/// Writes a file of a study, whole or not at all.
pub(super) fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    write_atomically(&folder.join(name), bytes)
}

/// How much of a study is done, and how long the rest may take by what it took so far.
fn told(done: usize, all: usize, (begun, before): (Instant, usize)) -> String {
    match time_left(done.saturating_sub(before), all.saturating_sub(before), begun.elapsed()) {
        Some(left) if done < all => format!("{done} of {all}, about {} left", spoken(left)),
        _ => format!("{done} of {all}"),
    }
}
