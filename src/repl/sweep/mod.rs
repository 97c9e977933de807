//! `wordbrush sweep FILE`: prompts, edits, seeds and settings, every combination drawn and measured.

pub(super) mod asked;
pub(super) mod folder;

use std::cell::RefCell;
use std::collections::HashSet;
use std::io::Write;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use candle_core::Tensor;
use serde_json::{Value, json};

use super::command_line::Args;
use super::config::Config;
use super::look::size;
use super::report::counted;
use super::stop::Stop;
use super::{ahead, batch, json as lines, notes};
use crate::history::NodeId;
use crate::plan::settings::Settings;
use crate::preview::file::write_atomically;
use crate::preview::png;
use crate::preview::progress::{Manner, Progress};
use crate::preview::size::Size;
use crate::safe::printable_line;
use crate::session::model::maker;
use crate::session::{Options, Session, to_image};
use crate::study::sweep::page::{Block, Labelled, contact_sheet, moving};
use crate::study::sweep::{Cost, DrawnCell, Figures, SweepRun, run, table};

use asked::{Asked, Start, joined};
use folder::Folder;

/// Reads a sweep's file and draws nothing: how many pictures it asks for before any grid.
///
/// # Errors
/// Fails if the text is no such file; the message names the line or the key.
pub fn check(text: &str, settings: Settings) -> Result<usize> {
    let asked = Asked::parse(text, "the sweep's file", settings, &[])?;
    Ok(asked.prompts.len() * asked.edits.len().max(1))
}

/// Draws what a file asks for, but for what its folder has already.
///
/// # Errors
/// Fails if the file asks for what cannot be, before anything is drawn; or if a picture cannot be drawn or kept.
pub fn sweep(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let file = args.needed::<PathBuf>("FILE")?;
    let home = batch::home();
    let config = Config::read(home.config())?;
    let limits = batch::limits(args, &config);
    let asked = Asked::read(file, config.settings, &args.settings())?;
    for model in asked.models() {
        ahead::fetch_model(&model, &mut |_| ControlFlow::Continue(()))?;
    }
    let mut session = Session::open(Options {
        home,
        path: None,
        read_only: false,
        overrides: vec![],
        limits,
        settings: asked.settings.clone(),
    })?;
    let plan = Plan::of(asked.plan(&mut session)?, &asked);
    let path = args.path("out").unwrap_or_else(|| PathBuf::from(file.file_stem().unwrap_or(file.as_os_str())));
    let mut folder = Folder::open(&path)?;
    let manner = if args.has("json") { Manner::Silent } else { Manner::detect(args.has("plain") || config.plain) };
    let stop = if args.has("json") { Stop::listen_silently()? } else { Stop::listen(manner == Manner::Bar)? };
    let bar = Progress::start("sweep", manner, Size::of_terminal().columns, Instant::now());
    let teller = RefCell::new(Teller { out, bar, as_json: args.has("json"), stop, every: 1 });
    let cost = draw(&mut session, &plan, &mut folder, &teller, &mut |_, _, _, _| Ok(()))?;
    let files = write_files(&plan, &folder)?;
    teller.into_inner().end(&plan, &folder, &cost, &files)?;
    Ok(if cost.stopped { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// Runs in one row, and which of them start from one picture.
pub(super) struct Plan {
    pub(super) runs: Vec<SweepRun>,
    blocks: Vec<Start>,
    ranges: Vec<Range<usize>>,
    /// What tells runs apart.
    columns: Vec<&'static str>,
    /// How many axes a block has, the edits among them, and how many values the last setting has.
    grid: (usize, usize),
}

impl Plan {
    pub(super) fn of(starts: Vec<Start>, asked: &Asked) -> Self {
        let (mut runs, mut blocks, mut ranges) = (Vec::new(), Vec::new(), Vec::new());
        for mut start in starts {
            ranges.push(runs.len()..runs.len() + start.runs.len());
            runs.append(&mut start.runs);
            blocks.push(start);
        }
        let axes = asked.turn.names().len() + usize::from(asked.edits.len() > 1);
        let grid = (axes, asked.turn.last_count());
        Self { runs, blocks, ranges, columns: asked.columns(), grid }
    }

    /// What a run starts from.
    fn start_of(&self, at: usize) -> Option<&Start> {
        self.blocks.iter().zip(&self.ranges).find(|(_, range)| range.contains(&at)).map(|(start, _)| start)
    }
}

/// Says how far a sweep is.
pub(super) struct Teller<'o> {
    pub(super) out: &'o mut dyn Write,
    pub(super) bar: Progress,
    pub(super) as_json: bool,
    pub(super) stop: Stop,
    /// After how many pictures a line is written; where there are many, not after each.
    pub(super) every: usize,
}

/// Measures more of a picture that was drawn.
pub(super) type MeasureMore<'a> = dyn FnMut(&mut Session, &SweepRun, Option<u32>, &mut DrawnCell) -> Result<()> + 'a;

/// Draws what the folder has not, and keeps each picture as it comes.
pub(super) fn draw(
    session: &mut Session,
    plan: &Plan,
    folder: &mut Folder,
    teller: &RefCell<Teller<'_>>,
    more: &mut MeasureMore<'_>,
) -> Result<Cost> {
    let mut seen = HashSet::new();
    let is_new = |at: &usize| {
        let id = plan.runs[*at].sketch.node.id;
        folder.figures(&id).is_none() && seen.insert(id)
    };
    let wanted: Vec<usize> = (0..plan.runs.len()).filter(is_new).collect();
    let mut at = plan.runs.len() - wanted.len();
    teller.borrow_mut().begin(plan.runs.len(), at)?;
    if !wanted.is_empty() {
        session.keep_store_in(&folder.file("store"));
    }
    let kernels = maker(session.device());
    let mut keep = |session: &mut Session, mut drawn: DrawnCell| -> Result<()> {
        let start = plan.start_of(drawn.at);
        more(session, &plan.runs[drawn.at], start.and_then(|start| start.node), &mut drawn)?;
        if let Some(start) = start.and_then(|start| start.node).filter(|at| !folder.has(&session.tree()[*at].id)) {
            let (picture, notes) = (to_image(&session.picture(start)?), notes::of(session, start)?);
            folder.keep(&session.tree()[start].id, (&picture, &notes), &kernels, None)?;
        }
        let run = &plan.runs[drawn.at];
        let (node, figures) = (&run.sketch.node, &drawn.figures);
        folder.keep(&node.id, (&drawn.picture, &notes::of_node(session, node)?), &kernels, Some(figures.clone()))?;
        at += 1;
        let label = joined([start.map_or("", |start| &start.short), &run.label]);
        teller.borrow_mut().drawn(plan, (run, &label, at), figures, &folder.picture_path(&node.id))
    };
    let mut watch = |steps: usize, all: usize, _: &Tensor| teller.borrow_mut().step(steps, all);
    let cost = run(session, &plan.runs, &wanted, &mut keep, &mut watch);
    teller.borrow_mut().bar_off()?;
    cost
}

/// The sheet, the moving picture and the table of what is there.
fn write_files(plan: &Plan, folder: &Folder) -> Result<Vec<(PathBuf, usize)>> {
    let done = |at: &usize| folder.figures(&plan.runs[*at].sketch.node.id).is_some();
    let labelled = |id: &NodeId, label: &str| -> Result<Labelled> {
        Ok(Labelled { picture: folder.picture(id)?, label: label.to_owned() })
    };
    let mut blocks = Vec::new();
    for (Start { node, label, .. }, range) in plan.blocks.iter().zip(&plan.ranges) {
        let sketches = range.clone().filter(done).map(|at| &plan.runs[at]);
        let cells: Vec<Labelled> =
            sketches.map(|run| labelled(&run.sketch.node.id, &run.label)).collect::<Result<_>>()?;
        let first = plan.runs[range.start].sketch.root();
        let first = if node.is_some() && folder.has(&first) { Some(labelled(&first, label)?) } else { None };
        if !cells.is_empty() {
            blocks.push(Block { first, cells });
        }
    }
    if blocks.is_empty() {
        return Ok(Vec::new());
    }
    let rows = plan.runs.iter().filter_map(|run| Some((run, folder.figures(&run.sketch.node.id)?)));
    let mut table = table(plan.columns.iter().copied(), rows.clone(), true);
    table.head.push("picture".to_owned());
    for (row, (run, _)) in table.rows.iter_mut().zip(rows) {
        let path = folder.picture_path(&run.sketch.node.id);
        row.push(path.file_name().map(|name| format!("pictures/{}", name.to_string_lossy())).unwrap_or_default());
    }
    let (axes, last) = plan.grid;
    let files = [
        ("sheet.png", png::encode(&contact_sheet(&blocks, axes, last))?),
        ("sweep.gif", moving(&blocks)?),
        ("sweep.csv", table.csv().into_bytes()),
    ];
    let write = |(name, bytes): (&str, Vec<u8>)| {
        let path = folder.file(name);
        write_atomically(&path, &bytes)?;
        Ok((path, bytes.len()))
    };
    files.into_iter().map(write).collect()
}

impl Teller<'_> {
    fn begin(&mut self, all: usize, done: usize) -> Result<()> {
        self.stop.begin();
        if !self.as_json {
            let there = if done > 0 { format!(", {done} of them done before") } else { String::new() };
            writeln!(self.out, "{all} {}{there}", if all == 1 { "picture" } else { "pictures" })?;
        }
        Ok(self.out.flush()?)
    }

    fn step(&mut self, steps: usize, all: usize) -> ControlFlow<()> {
        if self.stop.is_asked() {
            return ControlFlow::Break(());
        }
        let _ = self.bar.step(self.out, steps, all, Instant::now()); // a bar that cannot be shown is no reason to stop
        ControlFlow::Continue(())
    }

    fn drawn(
        &mut self,
        plan: &Plan,
        (run, label, at): (&SweepRun, &str, usize),
        figures: &Figures,
        picture: &Path,
    ) -> Result<()> {
        if at % self.every != 0 && at != plan.runs.len() {
            return Ok(());
        }
        self.bar.finish(self.out)?;
        if self.as_json {
            writeln!(self.out, "{}", lines::written(&object(&plan.columns, run, figures, picture)))?;
        } else {
            let outside = match figures.outside {
                Some(x) if x.is_finite() => format!("outside {x:.1} dB, "),
                Some(_) => "outside equal, ".to_owned(),
                None => String::new(),
            };
            let label = printable_line(if label.is_empty() { &run.values[0] } else { label });
            writeln!(self.out, "  {at}/{}  {label}   {outside}{:.1} s", plan.runs.len(), figures.seconds)?;
        }
        Ok(self.out.flush()?)
    }

    fn bar_off(&mut self) -> Result<()> {
        self.stop.end();
        Ok(self.bar.finish(self.out)?)
    }

    fn end(self, plan: &Plan, folder: &Folder, cost: &Cost, files: &[(PathBuf, usize)]) -> Result<()> {
        let done = plan.runs.iter().filter(|run| folder.figures(&run.sketch.node.id).is_some()).count();
        let out = self.out;
        if self.as_json {
            let files: Vec<String> = files.iter().map(|(path, _)| path.display().to_string()).collect();
            let summary = json!({
                "runs": plan.runs.len(),
                "done": done,
                "evaluations": cost.evaluations,
                "saved_by_shared_steps": cost.shared,
                "saved_by_shared_starts": cost.started,
                "files": files,
            });
            return Ok(writeln!(out, "{}", lines::written(&summary))?);
        }
        if cost.evaluations > 0 {
            let saved = [(cost.shared, "first steps that pictures share"), (cost.started, "pictures they start from")];
            let saved = saved.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} in {what}"));
            let saved = saved.collect::<Vec<_>>().join(", ");
            let saved = if saved.is_empty() { saved } else { format!(" · saved: {saved}") };
            writeln!(out, "  {}{saved}", counted(cost.evaluations, "evaluation"))?;
        }
        for (path, bytes) in files {
            writeln!(out, "  {} · {}", printable_line(&path.display().to_string()), size(*bytes as u64))?;
        }
        if cost.stopped {
            writeln!(out, "stopped after {done} of {}; the same command goes on", plan.runs.len())?;
        }
        Ok(())
    }
}

/// A run as an object.
fn object(columns: &[&str], run: &SweepRun, figures: &Figures, picture: &Path) -> Value {
    let finite = |x: Option<f64>| x.filter(|x| x.is_finite());
    let mut object = serde_json::Map::new();
    for (name, value) in columns.iter().zip(&run.values) {
        object.insert((*name).to_owned(), Value::String(value.clone()));
    }
    let figures = json!({
        "id": run.sketch.node.id.to_string(),
        "image": picture.display().to_string(),
        "psnr": finite(figures.psnr),
        "ssim": figures.ssim,
        "inside_psnr": finite(figures.inside),
        "outside_psnr": finite(figures.outside),
        "change_inside": figures.change_inside,
        "change_outside": figures.change_outside,
        "seconds": figures.seconds,
        "evaluations": figures.evaluations,
        "shared_steps": figures.shared_steps,
        "warnings": run.sketch.warnings,
    });
    if let Value::Object(figures) = figures {
        object.extend(figures);
    }
    Value::Object(object)
}
