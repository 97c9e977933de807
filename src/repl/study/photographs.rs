//! `wordbrush study photographs FOLDER --out DIR`: how much of photographs stays.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};

use super::super::batch::session;
use super::super::command_line::Args;
use super::page::{self, StudyPage};
use super::{begun, put, told};
use crate::engine::clip::ClipScore;
use crate::engine::layers::Backend;
use crate::model::text_masks::find_network;
use crate::plan::inversion::InversionName;
use crate::plan::settings::Precision;
use crate::preview::png;
use crate::safe::printable_line;
use crate::session::file::Hinted;
use crate::study::photographs::{self, list, tables};

/// Pictures on the page.
const SHOWN: usize = 6;

/// `FOLDER` has pictures and a list of them. What is in DIR already is not measured again.
pub(super) fn study(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let folder = args.needed::<PathBuf>("out")?;
    let from = args.value("FOLDER").map(PathBuf::from).ok_or_else(|| {
        let hint = "wordbrush study photographs my-pictures --out results";
        Hinted::new("`study photographs` needs a folder with pictures and a list of them, `captions.tsv`", hint)
    })?;
    let pictures = list::listed(&from)?;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut session = session(args, None, false)?;
    let clip = args.value("clip").map(|name| -> Result<ClipScore> {
        let backend = Backend::on(session.device(), Precision::F32)?;
        ClipScore::load(&*find_network(name, "scores pictures")?, &backend)
    });
    let clip = clip.transpose()?;
    let study = photographs::photographs_id(&session, clip.as_ref());
    let mut edits = begun(folder, "photographs.csv", |csv| tables::read(csv, &study))?;
    let mut chains = begun(folder, "chains.csv", |csv| tables::read_chains(csv, &study))?;
    // Optimisation takes minutes a picture.
    let names: Vec<InversionName> =
        InversionName::all().filter(|name| args.has("slow") || *name != InversionName::NullText).collect();
    let is_there = |rows: &[tables::PhotographRow], file: &str, name: &InversionName| {
        rows.iter().any(|row| row.picture == file && row.inversion == name.as_str())
    };
    let left = |rows: &[tables::PhotographRow], file: &str| -> Vec<InversionName> {
        names.iter().filter(|name| !is_there(rows, file, name)).copied().collect()
    };
    let chained = |file: &list::CaptionedFile| file.edits.len() > 1;
    let all = pictures.len() + pictures.iter().filter(|file| chained(file)).count();
    let mut done = pictures.iter().filter(|one| left(&edits, &one.file).is_empty()).count();
    done += pictures.iter().filter(|one| chained(one) && chains.iter().any(|row| row.picture == one.file)).count();
    let start = (Instant::now(), done);
    for one in &pictures {
        let stem = stem(&one.file);
        let missing = left(&edits, &one.file);
        if !missing.is_empty() {
            let measured = photographs::edits(&mut session, one, &missing, clip.as_ref());
            let (rows, sheet) = measured.with_context(|| format!("`{}`", printable_line(&one.file)))?;
            // A second run, with `--slow`, leaves the first one's sheet where it is.
            let sheet_name = if missing.len() == names.len() { stem.clone() } else { format!("{stem}-more") };
            put(folder, &format!("{sheet_name}.png"), &png::encode(&sheet)?)?;
            edits.extend(rows);
            put(folder, "photographs.csv", tables::csv(&edits, &study).as_bytes())?;
            done += 1;
            writeln!(out, "{} · {}", told(done, all, start), printable_line(&one.file))?;
            out.flush()?;
        }
        if chained(one) && !chains.iter().any(|row| row.picture == one.file) {
            let measured = photographs::chain(&mut session, one);
            let (rows, sheet) = measured.with_context(|| format!("`{}`", printable_line(&one.file)))?;
            put(folder, &format!("{stem}-chain.png"), &png::encode(&sheet)?)?;
            chains.extend(rows);
            put(folder, "chains.csv", tables::chains_csv(&chains, &study).as_bytes())?;
            done += 1;
            let count = one.edits.len();
            writeln!(out, "{} · {}, {count} edits and back", told(done, all, start), printable_line(&one.file))?;
            out.flush()?;
        }
    }
    let (summary, turns) = (tables::summary(&edits), tables::chains_summary(&chains));
    let said = tables::findings(&edits, &chains);
    put(folder, "summary.csv", summary.csv().as_bytes())?;
    let mut sheets = Vec::new();
    for one in pictures.iter().step_by((pictures.len() / SHOWN).max(1)) {
        let stem = stem(&one.file);
        for (ending, what) in
            [("", "inverted and edited"), ("-chain", "edited there and back, in one tree above, anew below")]
        {
            if let Ok(png) = std::fs::read(folder.join(format!("{stem}{ending}.png"))) {
                sheets.push((format!("{}: {what}", one.file), png));
            }
        }
    }
    let mut asked = vec![format!("{} photographs", pictures.len())];
    asked.extend(page::given(&args.settings()));
    let mut shown = vec![("Edited once", &summary)];
    if !turns.rows.is_empty() {
        shown.push(("Edited there and back", &turns));
    }
    let page = StudyPage {
        name: "photographs",
        asks: "How much of a photograph stays where nothing was to change?",
        set: &asked,
        said: &said,
        note: "Means over pictures with their intervals of 95 % by Student's distribution; equal pixels count as 60 dB. The background lies \
               outside the true region where one is known, else outside that of the edit's words. Shown: by how much the new words explain the \
               picture better than the old ones, in the model's own eyes.",
        plots: &[],
        tables: &shown,
        pictures: &sheets.iter().map(|(name, png)| (name.as_str(), name.as_str(), png.as_slice())).collect::<Vec<_>>(),
    };
    put(folder, "photographs.html", page.html().as_bytes())?;
    writeln!(out, "\n{}", summary.plain())?;
    if !turns.rows.is_empty() {
        writeln!(out, "\n{}", turns.plain())?;
    }
    said.iter().try_for_each(|sentence| writeln!(out, "{sentence}"))?;
    Ok(ExitCode::SUCCESS)
}

/// What the files of a picture are called.
fn stem(file: &str) -> String {
    file.replace(['/', '\\', '.'], "-")
}
