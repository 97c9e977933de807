//! `wordbrush study methods [FOLDER] --out DIR`: every way to edit over the same edits.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};

use super::super::batch::session;
use super::super::command_line::Args;
use super::page::{self, StudyPage};
use super::{begun, put, told};
use crate::preview::png;
use crate::safe::printable_line;
use crate::session::file::Hinted;
use crate::study::methods::{self, ComparedMethod, EDITS, EditedSubject, MethodRow};
use crate::study::photographs::list;

/// Photographs whose sheets stand on the page.
const SHOWN: usize = 4;

/// What is in DIR already is not drawn again.
pub(super) fn study(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let folder = args.needed::<PathBuf>("out")?;
    let photographs = match args.value("FOLDER") {
        Some(from) => list::listed(&PathBuf::from(from))?,
        None => Vec::new(),
    };
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut session = session(args, None, false)?;
    let study = methods::study_id(&session);
    let mut rows = begun(folder, "methods.csv", |csv| methods::read(csv, &study))?;
    let seeds = args.get("seeds").copied().unwrap_or(10);
    let drawn = (1..=seeds).flat_map(|seed| (0..EDITS.len()).map(move |edit| EditedSubject::Drawn { edit, seed }));
    let subjects: Vec<EditedSubject<'_>> = drawn.chain(photographs.iter().map(EditedSubject::Photograph)).collect();
    if subjects.is_empty() {
        let hint = "wordbrush study methods my-pictures --seeds 0 --out results";
        return Err(Hinted::new("there is nothing to edit: no seed, and no folder with photographs", hint).into());
    }
    let compared: Vec<ComparedMethod> =
        ComparedMethod::ALL.into_iter().map(|(_, one)| one).filter(|one| args.has("slow") || !one.learns()).collect();
    let missing = |rows: &[MethodRow], subject: &EditedSubject<'_>| -> Vec<ComparedMethod> {
        let is_there = |method: ComparedMethod| {
            let (prompt, edit) = subject.said();
            let same = |row: &MethodRow| row.unit == subject.unit() && row.prompt == prompt && row.edit == edit;
            rows.iter().any(|row| row.method == method && same(row))
        };
        compared.iter().copied().filter(|method| !is_there(*method)).collect()
    };
    let before = subjects.iter().filter(|subject| missing(&rows, subject).is_empty()).count();
    let start = (Instant::now(), before);
    let mut done = before;
    for (at, subject) in subjects.iter().enumerate() {
        let left = missing(&rows, subject);
        if left.is_empty() {
            continue;
        }
        let (unit, (_, line)) = (subject.unit(), subject.said());
        let (new, sheet) = methods::one(&mut session, subject, &left)
            .with_context(|| format!("`{line}` of {}", printable_line(&unit)))?;
        if let Some(name) = sheet_name(subject, at, subjects.len() - photographs.len()) {
            let more = if left.len() == compared.len() { "" } else { "-more" };
            put(folder, &format!("{name}{more}.png"), &png::encode(&sheet)?)?;
        }
        rows.extend(new);
        put(folder, "methods.csv", methods::csv(&rows, &study).as_bytes())?;
        done += 1;
        writeln!(out, "{} · {}, {}", told(done, subjects.len(), start), printable_line(&unit), printable_line(line))?;
        out.flush()?;
    }
    let (tables, said) = (methods::tables(&rows), methods::findings(&rows));
    let markdown: Vec<String> = tables.iter().map(|(name, table)| format!("{name}\n\n{}", table.markdown())).collect();
    put(folder, "methods.md", markdown.join("\n").as_bytes())?;
    let mut sheets = Vec::new();
    for (at, subject) in subjects.iter().enumerate() {
        let Some(name) = sheet_name(subject, at, subjects.len() - photographs.len()) else { continue };
        for more in ["", "-more"] {
            if let Ok(png) = std::fs::read(folder.join(format!("{name}{more}.png"))) {
                sheets.push((format!("{}: {}", subject.said().0, subject.said().1), png));
            }
        }
    }
    let mut asked = vec![format!("{seeds} seeds"), format!("{} photographs", photographs.len())];
    asked.extend(page::given(&args.settings()));
    let page = StudyPage {
        name: "methods",
        asks: "Which way to edit serves when?",
        set: &asked,
        said: &said,
        note: "Means over seeds, or photographs, with their intervals of 95 % by Student's distribution; equal pixels count as 60 dB. Margin: by \
               how much the new words explain the picture better than the old ones, in the model's own eyes. Outside: of the true region where \
               one is known, else of the place where the edited word attends in the first picture. Change at home: of a channel, of 255, once the \
               edit is taken back by the same method.",
        plots: &[],
        tables: &tables.iter().map(|(name, table)| (name.as_str(), table)).collect::<Vec<_>>(),
        pictures: &sheets.iter().map(|(name, png)| (name.as_str(), name.as_str(), png.as_slice())).collect::<Vec<_>>(),
    };
    put(folder, "methods.html", page.html().as_bytes())?;
    for (name, table) in tables.iter().take(2) {
        writeln!(out, "\n{name}\n{}", table.plain())?;
    }
    said.iter().try_for_each(|sentence| writeln!(out, "{sentence}"))?;
    Ok(ExitCode::SUCCESS)
}

/// The file of a subject's sheet, if it stands on the page: those of the first seed, and the first photographs.
fn sheet_name(subject: &EditedSubject<'_>, at: usize, drawn: usize) -> Option<String> {
    match subject {
        EditedSubject::Drawn { edit, seed: 1 } => Some(format!("drawn-{}", edit + 1)),
        EditedSubject::Photograph(_) if at - drawn < SHOWN => Some(format!("photograph-{}", at - drawn + 1)),
        _ => None,
    }
}
