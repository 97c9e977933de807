//! Which way to edit serves when: every method over the same edits, from the same first pictures.
//!
//! Whether an edit is to be seen is asked of the model itself: under the same noise, is the picture better explained by the new
//! prompt than by the old one? What was to stay is measured outside the place where the changed word attends in the first picture,
//! the same place for every method.

use std::ops::ControlFlow;

use anyhow::{Context, Result};
use candle_core::Tensor;

use super::table::Table;
use crate::engine::{Guidance, NoiseProbe, Picture};
use crate::measure::{psnr_where, ssim};
use crate::plan::area::Area;
use crate::plan::redraw::{DrawnBy, RedrawMethod};
use crate::session::{Session, to_image};
use crate::turn::{Edit, Turn};

/// First prompts, an edit of each, and the word whose place in the first picture is edited.
pub const EDITS: [(&str, &str, &str); 6] = [
    ("a woman's face with long wavy blond hair", "blond -> red", "hair"),
    ("a man's face with short straight black hair", "+ with glasses", "face"),
    ("a brown cat on a beach", "cat -> dog", "cat"),
    ("a red car on a street", "red -> blue", "car"),
    ("a river between mountains", "river -> road", "river"),
    ("a white house on a meadow", "+ at night", "house"),
];

/// What is compared, by what it is called in tables.
pub const NAMES: [&str; 9] =
    ["nothing", "words", "words in region", "sdedit .4", "sdedit .7", "paint", "mix", "diffedit", "drawn afresh"];

/// The noise under which pictures are explained.
const PROBE: NoiseProbe = NoiseProbe { seed: 0xD1FF, levels: &[0.2, 0.4, 0.6, 0.8], noises: 2 };

/// What is counted of pictures that are equal outside, in dB.
pub const MOST_DECIBELS: f64 = 60.0;

/// One edit by one method.
#[derive(Debug, Clone, PartialEq)]
pub struct MethodRow {
    /// The first picture's seed.
    pub seed: u64,
    /// Which of [`EDITS`].
    pub edit: usize,
    /// Which of [`NAMES`].
    pub method: usize,
    /// By how much of the old prompt's error the new one explains the picture better, in percent.
    pub margin: f64,
    /// PSNR outside the place, in dB.
    pub psnr: f64,
    /// SSIM, with the place made equal in both.
    pub ssim: f64,
    /// Seconds.
    pub seconds: f64,
    /// UNet samples.
    pub evaluations: u64,
}

const COLUMNS: [&str; 9] = ["study", "seed", "edit", "method", "margin", "psnr", "ssim", "seconds", "evaluations"];

/// Draws every edit by every method from first pictures of seeds 1 to `seeds`. Those that are in `rows` already are left out. `seen`
/// gets all rows after each edit.
///
/// # Errors
/// Fails if a picture cannot be drawn, or `seen` does.
pub fn run(
    session: &mut Session,
    seeds: u64,
    mut rows: Vec<MethodRow>,
    seen: &mut dyn FnMut(&[MethodRow]) -> Result<()>,
) -> Result<Vec<MethodRow>> {
    for seed in 1..=seeds {
        for edit in 0..EDITS.len() {
            if rows.iter().any(|row| row.seed == seed && row.edit == edit) {
                continue;
            }
            rows.extend(one(session, seed, edit)?);
            seen(&rows)?;
        }
    }
    Ok(rows)
}

fn one(session: &mut Session, seed: u64, number: usize) -> Result<Vec<MethodRow>> {
    let mut unwatched = |_: usize, _: &Tensor| ControlFlow::Continue(());
    let (prompt, line, word) = EDITS[number];
    session.set("seed", &seed.to_string())?;
    let root = session.edit(prompt, &Edit::root(prompt.to_owned()), &mut unwatched)?;
    let root = root.context("BUG: a run that nobody watched was stopped")?;
    let Turn::Edit(edit) = session.read(line)? else { anyhow::bail!("BUG: `{line}` is no edit of `{prompt}`") };
    let area = session.area(root.node, word, std::path::Path::new(word))?;
    let outside = session.outside_area(root.node, &area)?;
    let model = session.model()?;
    let size = (root.left.picture.width, root.left.picture.height);
    let read = |text: &str| model.engine.reader().conditions(text, "", size);
    let (old, new) = (read(prompt)?, read(&edit.prompt)?);
    let mut rows = Vec::new();
    for (method, name) in NAMES.iter().enumerate() {
        let redraw = |method, area: Option<&Area>| Some(DrawnBy::Redraw { method, area: area.cloned(), seed: None });
        let by = match *name {
            "words" => Some(DrawnBy::Words),
            "words in region" => Some(DrawnBy::Within(area.clone())),
            "sdedit .4" => redraw(RedrawMethod::SdEdit { strength: 0.4, patch: None }, None),
            "sdedit .7" => redraw(RedrawMethod::SdEdit { strength: 0.7, patch: None }, None),
            "paint" => redraw(RedrawMethod::BlendedDiffusion { strength: 1.0 }, Some(&area)),
            "mix" => redraw(RedrawMethod::MagicMix { kmin: 0.3, kmax: 0.6, nu: 0.5 }, None),
            "diffedit" => redraw(RedrawMethod::DIFFEDIT, None),
            _ => None,
        };
        let turned = match by {
            Some(by) => {
                let planned = session.plan_by(root.node, &edit, &by)?;
                session.edit_planned((Some(root.node), line), &edit, planned, &mut unwatched)?
            }
            None if method == 0 => None,
            None => session.edit(&edit.prompt, &Edit::root(edit.prompt.clone()), &mut unwatched)?,
        };
        let (left, seconds, evaluations) = match &turned {
            Some(turned) => (&turned.left, turned.seconds, turned.evaluations),
            None => (&root.left, 0.0, 0),
        };
        let (clean, texts) = (left.trajectory.last(), [&old.cond, &new.cond]);
        let margin = model.engine.better_explained(clean, texts, Guidance::None, PROBE)?;
        let (before, after) = (&root.left.picture, &left.picture);
        let psnr = psnr_where(&to_image(before), &to_image(after), &outside).unwrap_or(MOST_DECIBELS);
        let ssim = ssim(&to_image(before), &to_image(&with_inside_of(before, after, &outside))).unwrap_or(f64::NAN);
        let psnr = psnr.min(MOST_DECIBELS);
        rows.push(MethodRow { seed, edit: number, method, margin, psnr, ssim, seconds, evaluations });
    }
    Ok(rows)
}

/// A picture that has what another shows inside a place.
fn with_inside_of(other: &Picture, picture: &Picture, outside: &[bool]) -> Picture {
    let mut out = picture.clone();
    for (pixel, _) in outside.iter().enumerate().filter(|(_, outside)| !**outside) {
        out.bytes[3 * pixel..3 * pixel + 3].copy_from_slice(&other.bytes[3 * pixel..3 * pixel + 3]);
    }
    out
}

/// What tells studies apart: a digest of the settings and what computes.
#[must_use]
pub fn study_id(session: &Session) -> String {
    let told = format!("{:?} {:?} {EDITS:?} {NAMES:?}", session.settings(), session.model_name());
    blake3::hash(told.as_bytes()).to_hex()[..8].to_owned()
}

/// All rows as comma-separated values.
#[must_use]
pub fn csv(rows: &[MethodRow], study: &str) -> String {
    let mut table = Table::new(COLUMNS);
    table.rows = rows
        .iter()
        .map(|row| {
            let numbers = [row.margin, row.psnr, row.ssim, row.seconds].map(|x| x.to_string());
            let head = [study.to_owned(), row.seed.to_string(), row.edit.to_string(), NAMES[row.method].to_owned()];
            head.into_iter().chain(numbers).chain([row.evaluations.to_string()]).collect()
        })
        .collect();
    table.csv()
}

/// Rows of a study that was broken off; `None` if they are another's.
#[must_use]
pub fn read(csv: &str, study: &str) -> Option<Vec<MethodRow>> {
    let row = |line: &str| -> Option<MethodRow> {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |at: usize| cells.get(at)?.parse::<f64>().ok();
        (cells[0] == study).then_some(())?;
        Some(MethodRow {
            seed: cells.get(1)?.parse().ok()?,
            edit: cells.get(2)?.parse().ok().filter(|edit| *edit < EDITS.len())?,
            method: NAMES.iter().position(|name| Some(name) == cells.get(3))?,
            margin: number(4)?,
            psnr: number(5)?,
            ssim: number(6)?,
            seconds: number(7)?,
            evaluations: cells.get(8)?.parse().ok()?,
        })
    };
    csv.lines().skip(1).map(row).collect()
}

/// The mean over seeds of their means, and half of its 95 % confidence interval, as text.
fn mean(rows: &[&MethodRow], places: usize, of: impl Fn(&MethodRow) -> f64) -> String {
    let mut by_seed = std::collections::BTreeMap::<u64, Vec<f64>>::new();
    rows.iter().for_each(|row| by_seed.entry(row.seed).or_default().push(of(row)));
    let means: Vec<f64> = by_seed.values().map(|all| all.iter().sum::<f64>() / all.len() as f64).collect();
    let n = means.len() as f64;
    let mean = means.iter().sum::<f64>() / n;
    if means.len() < 2 {
        return format!("{mean:.places$}");
    }
    let variance = means.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    format!("{mean:.places$} ± {:.places$}", 1.96 * (variance / n).sqrt())
}

/// The table of the methods over all edits, and one for each edit.
#[must_use]
pub fn markdown(rows: &[MethodRow]) -> String {
    let mut out = table_of(&rows.iter().collect::<Vec<_>>());
    for (number, (prompt, line, word)) in EDITS.iter().enumerate() {
        let of: Vec<&MethodRow> = rows.iter().filter(|row| row.edit == number).collect();
        if !of.is_empty() {
            out.push_str(&format!("\n`{prompt}`, `{line}`, region `{word}`:\n\n{}", table_of(&of)));
        }
    }
    out
}

fn table_of(rows: &[&MethodRow]) -> String {
    let mut out = String::from(
        "| method | shows the edit | margin, % | PSNR outside, dB | SSIM outside | seconds | evaluations |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for (number, name) in NAMES.iter().enumerate() {
        let of: Vec<&MethodRow> = rows.iter().filter(|row| row.method == number).copied().collect();
        if of.is_empty() {
            continue;
        }
        let shows = of.iter().filter(|row| row.margin > 0.0).count();
        let evaluations = of.iter().map(|row| row.evaluations).sum::<u64>() as f64 / of.len() as f64;
        out.push_str(&format!(
            "| {name} | {shows} of {} | {} | {} | {} | {} | {evaluations:.0} |\n",
            of.len(),
            mean(&of, 2, |row| row.margin),
            mean(&of, 1, |row| row.psnr),
            mean(&of, 3, |row| row.ssim),
            mean(&of, 2, |row| row.seconds)
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seed: u64, method: usize, psnr: f64) -> MethodRow {
        MethodRow { seed, edit: 1, method, margin: -0.25, psnr, ssim: 0.5, seconds: 1.5, evaluations: 60 }
    }

    #[test]
    fn rows_come_back_from_their_file_unless_it_is_anothers() {
        let rows = [row(1, 0, 20.0), row(2, 8, 1.0 / 3.0)];
        assert_eq!(read(&csv(&rows, "abc"), "abc").unwrap(), rows);
        assert!(read(&csv(&rows, "abc"), "abd").is_none());
    }

    #[test]
    fn a_mean_is_over_seeds_with_its_interval() {
        let rows = [row(1, 0, 20.0), row(1, 0, 22.0), row(2, 0, 25.0)];
        assert_eq!(mean(&rows.iter().collect::<Vec<_>>(), 1, |row| row.psnr), "23.0 ± 3.9");
        assert!(markdown(&rows).starts_with("| method"));
    }
}
