//! How much of a photograph stays where nothing was to change.
//!
//! Each picture of a folder is inverted by every method, edited once, and compared with itself outside the edit's region:
//! with its own pixels laid around the region, and as the model decodes it. Pictures with several edits are then edited
//! by all of them and back again, in one tree, and beside that as programs do that know pictures alone: each turn decodes
//! its picture and the next one encodes and inverts it anew.

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use candle_core::Tensor;
use image::RgbImage;

use super::table::Table;
use crate::engine::Picture;
use crate::measure::{mean_change, psnr, psnr_where, ssim};
use crate::plan::inversion::InversionName;
use crate::plan::photograph::Photograph;
use crate::preview::sheet::{Layout, Tile, sheet};
use crate::session::file::Hinted;
use crate::session::{Session, TurnResult, to_image};
use crate::turn::Turn;

/// A picture of a folder: its file, what it shows, and edits to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptionedFile {
    /// The file's name.
    pub file: String,
    /// What it shows.
    pub caption: String,
    /// Edits, as they are typed; the first is made under every inversion.
    pub edits: Vec<String>,
}

/// The lines of a captions file: file, caption and edits, parted by tabs. Blank lines and remarks (`# `) say nothing.
///
/// # Errors
/// Fails if a line lacks a caption or an edit, or there is none.
pub fn captions(text: &str) -> Result<Vec<CaptionedFile>> {
    let mut all = Vec::new();
    for (line, number) in text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty() && !line.starts_with("# ")) {
        let mut parts = line.split('\t').map(|part| part.trim().to_owned());
        let (Some(file), Some(caption)) = (parts.next(), parts.next()) else {
            return Err(wrong(number, "has no caption"));
        };
        let edits: Vec<String> = parts.filter(|edit| !edit.is_empty()).collect();
        ensure!(!edits.is_empty() && !caption.is_empty(), wrong(number, "has no edit"));
        all.push(CaptionedFile { file, caption, edits });
    }
    ensure!(!all.is_empty(), Hinted::new("the captions name no picture", EXAMPLE));
    Ok(all)
}

const EXAMPLE: &str =
    "a line is a file, what it shows and edits, parted by tabs: cat.png, a cat on a beach, cat -> dog";

fn wrong(number: usize, what: &str) -> anyhow::Error {
    Hinted::new(format!("line {number} of the captions {what}"), EXAMPLE).into()
}

/// Names of the columns of the table of single edits.
pub const EDITS_HEAD: [&str; 13] = [
    "study",
    "picture",
    "inversion",
    "ceiling",
    "first",
    "outside_pasted",
    "outside_model",
    "ssim_pasted",
    "ssim_model",
    "changed",
    "share_outside",
    "seconds",
    "evaluations",
];

/// Names of the columns of the table of chains.
pub const CHAINS_HEAD: [&str; 7] = ["study", "picture", "turn", "line", "pasted", "model", "again"];

/// What tells studies apart: a digest of the settings that it begins with and of what computes.
#[must_use]
pub fn photographs_id(session: &Session) -> String {
    let told = format!("{:?} {:?}", session.settings(), session.model_name());
    blake3::hash(told.as_bytes()).to_hex()[..8].to_owned()
}

fn go(_: usize, _: &Tensor) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn number(x: Option<f64>) -> String {
    match x {
        None => String::new(),
        Some(x) if x.is_infinite() => "equal".to_owned(),
        Some(x) => format!("{x:.3}"),
    }
}

/// A photograph as a first picture of a session that is not written.
fn opened(session: &mut Session, photograph: &Photograph, caption: &str) -> Result<TurnResult> {
    let Turn::Edit(edit) = session.read_root(caption)? else { bail!("`{caption}` is no caption") };
    let turned = session.open_photograph(caption, photograph.clone().into(), &edit, &mut go)?;
    turned.context("BUG: an unwatched inversion was stopped")
}

fn edited(session: &mut Session, line: &str) -> Result<TurnResult> {
    let Turn::Edit(edit) = session.read(line)? else { bail!("`{line}` is no edit") };
    session.edit(line, &edit, &mut go)?.context("BUG: an unwatched edit was stopped")
}

fn decoded(session: &mut Session, latent: &Tensor) -> Result<RgbImage> {
    Ok(to_image(&session.model()?.engine.decode(latent)?))
}

/// One picture, inverted by each of `names` and edited once: the rows of the table of `study`, and a sheet of what came out.
///
/// # Errors
/// Fails if it cannot be read, inverted or edited.
pub fn edits(
    session: &mut Session,
    study: &str,
    folder: &Path,
    one: &CaptionedFile,
    names: &[InversionName],
) -> Result<(Vec<Vec<String>>, RgbImage)> {
    let photograph = session.photograph(&folder.join(&one.file))?.photograph;
    let pixels = Picture::from(&*photograph);
    let engine = session.model()?;
    let ceiling = psnr(&to_image(&pixels), &to_image(&engine.engine.decode(&engine.engine.encode(&pixels)?)?));
    let pixels = to_image(&pixels);
    let (mut rows, mut pictures) = (Vec::new(), vec![(pixels.clone(), one.caption.clone())]);
    let was = session.settings().get("inversion");
    for name in names {
        session.set("inversion", name.as_str())?;
        let root = opened(session, &photograph, &one.caption)?;
        let first = decoded(session, root.left.trajectory.last())?;
        let edit = edited(session, &one.edits[0])?;
        let (pasted, model) = (to_image(&edit.left.picture), decoded(session, edit.left.trajectory.last())?);
        let outside = edit.outside.clone().context("BUG: an edit has no outside")?;
        let inside: Vec<bool> = outside.iter().map(|outside| !outside).collect();
        let kept = |picture: &RgbImage| {
            // Structure is compared where it was to stay: the region is the photograph's in both.
            let mut same = picture.clone();
            let there = same.pixels_mut().zip(pixels.pixels()).zip(&inside).filter(|(_, inside)| **inside);
            there.for_each(|((ours, theirs), _)| *ours = *theirs);
            ssim(&same, &pixels)
        };
        let share = outside.iter().filter(|outside| **outside).count() as f64 / outside.len() as f64;
        rows.push(vec![
            study.to_owned(),
            one.file.clone(),
            name.to_string(),
            number(ceiling),
            number(psnr(&pixels, &first)),
            number(psnr_where(&pasted, &pixels, &outside)),
            number(psnr_where(&model, &pixels, &outside)),
            number(kept(&pasted)),
            number(kept(&model)),
            number(mean_change(&pasted, &pixels, &inside)),
            format!("{share:.3}"),
            format!("{:.2}", root.seconds + edit.seconds),
            (root.evaluations + edit.evaluations).to_string(),
        ]);
        pictures.push((pasted, format!("{name}: {}", one.edits[0])));
        pictures.push((model, format!("{name}, the model's pixels")));
    }
    session.set("inversion", &was)?;
    let tiles: Vec<Tile> = pictures.iter().map(|(picture, label)| Tile { picture, label }).collect();
    Ok((rows, sheet(&tiles, &Layout::with_columns(pictures.len()))))
}

/// An edit taken back: `a -> b` as `b -> a`, `+ a` as `- a`. `None` if it is of another form.
#[must_use]
pub fn taken_back(line: &str) -> Option<String> {
    if let Some((from, to)) = line.split_once("->") {
        return Some(format!("{} -> {}", to.trim(), from.trim()));
    }
    let (sign, text) = line.trim().split_at_checked(1)?;
    match sign {
        "+" => Some(format!("- {}", text.trim())),
        "-" => Some(format!("+ {}", text.trim())),
        _ => None,
    }
}

/// One picture edited by all its edits and back, in a tree and by decoding, encoding and inverting anew at each turn: the rows
/// of the table, and a sheet of both. All are compared with the photograph outside all regions so far.
///
/// # Errors
/// Fails if it cannot be read, or an edit not be made or taken back.
pub fn chain(
    session: &mut Session,
    study: &str,
    folder: &Path,
    one: &CaptionedFile,
) -> Result<(Vec<Vec<String>>, RgbImage)> {
    let photograph = session.photograph(&folder.join(&one.file))?.photograph;
    let (width, height) = (photograph.width(), photograph.height());
    let pixels = to_image(&Picture::from(&*photograph));
    let back = one.edits.iter().rev().map(|edit| {
        taken_back(edit)
            .ok_or_else(|| Hinted::new(format!("`{edit}` cannot be taken back by rule"), "write it as a -> b"))
    });
    let lines: Vec<String> = one.edits.iter().cloned().map(Ok).chain(back).collect::<Result<_, _>>()?;
    opened(session, &photograph, &one.caption)?;
    let mut ours = Vec::new();
    for line in &lines {
        let turned = edited(session, line)?;
        let model = decoded(session, turned.left.trajectory.last())?;
        let outside = session.outside_all(turned.node)?.context("BUG: an edit has no outside")?;
        ours.push((to_image(&turned.left.picture), model, outside, session.tree()[turned.node].plan.prompt.clone()));
    }
    let was = session.settings().get("outside");
    session.set("outside", "model")?;
    let (mut shown, mut caption) = ((*photograph).clone(), one.caption.clone());
    let (mut rows, mut tiles) = (Vec::new(), vec![(pixels.clone(), one.caption.clone())]);
    let mut again_tiles = vec![(pixels.clone(), "each turn inverted anew".to_owned())];
    for ((line, (pasted, model, outside, prompt)), turn) in lines.iter().zip(ours).zip(1..) {
        opened(session, &shown, &caption)?;
        let again = edited(session, line)?.left.picture.clone();
        let picture = to_image(&again);
        let likeness = |picture: &RgbImage| number(psnr_where(picture, &pixels, &outside));
        rows.push(vec![
            study.to_owned(),
            one.file.clone(),
            turn.to_string(),
            line.clone(),
            likeness(&pasted),
            likeness(&model),
            likeness(&picture),
        ]);
        tiles.push((pasted, line.clone()));
        again_tiles.push((picture, line.clone()));
        shown = Photograph::new(width, height, again.bytes, None)?;
        caption = prompt;
    }
    session.set("outside", &was)?;
    let count = tiles.len();
    tiles.extend(again_tiles);
    let tiles: Vec<Tile> = tiles.iter().map(|(picture, label)| Tile { picture, label }).collect();
    Ok((rows, sheet(&tiles, &Layout::with_columns(count))))
}

/// The rows of a table of this study that was written before; `None` if it is of another study.
#[must_use]
pub fn rows_of(csv: &str, head: &[&str], study: &str) -> Option<Vec<Vec<String>>> {
    let mut lines = csv.lines();
    if lines.next()? != head.join(",") {
        return None;
    }
    let rows: Vec<Vec<String>> = lines.map(|line| line.split(',').map(str::to_owned).collect()).collect();
    rows.iter().all(|row| row.len() == head.len() && row[0] == study).then_some(rows)
}

/// The middle one of each inversion's numbers, as a table for people.
#[must_use]
pub fn summary(rows: &[Vec<String>]) -> Table {
    let mut names: Vec<&str> = Vec::new();
    for row in rows {
        if !names.contains(&row[2].as_str()) {
            names.push(&row[2]);
        }
    }
    let mut table = Table::new([
        "inversion",
        "pictures",
        "ceiling",
        "first picture",
        "outside, pasted",
        "outside, model's",
        "SSIM",
        "s",
    ]);
    for name in names {
        let of = |column: usize| {
            let values = rows.iter().filter(|row| row[2] == name);
            let mut values: Vec<f64> = values.map(|row| row[column].parse().unwrap_or(f64::INFINITY)).collect();
            values.sort_by(f64::total_cmp);
            number(values.get(values.len() / 2).copied())
        };
        let count = rows.iter().filter(|row| row[2] == name).count();
        table.rows.push(vec![name.to_owned(), count.to_string(), of(3), of(4), of(5), of(6), of(8), of(11)]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_are_a_file_what_it_shows_and_edits_and_a_line_that_lacks_one_is_named() {
        let read = captions("# a remark\n\na.png\ta cat\tcat -> dog\t+ at night\nb.png\ta dog\tdog -> cat\n").unwrap();
        assert_eq!(read[0].edits, ["cat -> dog", "+ at night"]);
        assert_eq!((read.len(), read[1].caption.as_str()), (2, "a dog"));
        let said = |text: &str| captions(text).unwrap_err().to_string();
        assert!(said("a.png\ta cat\tcat -> dog\nb.png\n").contains("line 2 of the captions has no caption"));
        assert!(said("a.png\ta cat\n").contains("line 1 of the captions has no edit"));
        assert!(said("\n").contains("no picture"));
    }

    #[test]
    fn an_edit_that_is_taken_back_twice_is_the_edit() {
        for line in ["cat -> dog", "+ at night", "- a hat"] {
            let back = taken_back(line).unwrap();
            assert_ne!(back, line);
            assert_eq!(taken_back(&back).unwrap(), line);
        }
        assert!(taken_back("make it red").is_none());
    }

    #[test]
    fn a_table_is_read_back_and_one_of_another_study_is_not() {
        let mut table = Table::new(CHAINS_HEAD);
        let row: Vec<String> = ["s", "a.png", "1", "cat -> dog", "equal", "30.1", "20.0"].map(str::to_owned).into();
        table.rows.push(row.clone());
        assert_eq!(rows_of(&table.csv(), &CHAINS_HEAD, "s").unwrap(), [row]);
        assert!(rows_of(&table.csv(), &CHAINS_HEAD, "t").is_none());
        assert!(rows_of("a,b\n", &CHAINS_HEAD, "s").is_none());
    }
}
