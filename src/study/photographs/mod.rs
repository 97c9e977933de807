//! How much of a photograph stays where nothing was to change.
//!
//! Each picture of a folder is inverted by every method and edited once, and what came of it is compared with the photograph: with its
//! own pixels laid around the region, and as the model decodes it. Pictures with several edits are then edited by all of them and back
//! again, in one tree, and beside that as programs do that know pictures alone: each turn decodes its picture and the next one
//! encodes and inverts it anew.

pub mod list;
pub mod tables;

use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use candle_core::Tensor;
use image::RgbImage;

use super::measured::{KeptOfPicture, decoded, encoded, forget_peak, peak_mb, shown};
use crate::engine::Picture;
use crate::engine::clip::ClipScore;
use crate::measure::{mean_change, psnr, psnr_where};
use crate::plan::inversion::InversionName;
use crate::plan::photograph::Photograph;
use crate::preview::sheet::{Layout, Tile, sheet};
use crate::session::file::Hinted;
use crate::session::{Session, TurnResult, to_image};
use crate::turn::{Edit, Turn, between};

use list::{AskedEdit, CaptionedFile};
use tables::{ChainRow, PhotographRow};

/// What tells studies apart: a digest of the settings that it begins with, of what computes, and of what looks at the pictures.
#[must_use]
pub fn photographs_id(session: &Session, clip: Option<&ClipScore>) -> String {
    let told = format!("{:?} {:?} {:?}", session.settings(), session.model_name(), clip.map(ClipScore::digest));
    blake3::hash(told.as_bytes()).to_hex()[..8].to_owned()
}

/// Watches nothing.
pub(super) fn unwatched(_: usize, _: &Tensor) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// A photograph as a first picture of a session that is not written.
pub(super) fn opened(session: &mut Session, photograph: &Arc<Photograph>, caption: &str) -> Result<TurnResult> {
    let Turn::Edit(edit) = session.read_root(caption)? else { bail!("`{caption}` is no caption") };
    let turned = session.open_photograph(caption, photograph.clone(), &edit, &mut unwatched)?;
    turned.context("BUG: an unwatched inversion was stopped")
}

/// What an edit means at a prompt.
///
/// # Errors
/// Fails if it cannot be read there.
pub fn meant(session: &mut Session, prompt: &str, asked: &AskedEdit) -> Result<Edit> {
    match asked {
        AskedEdit::Prompt(target) => {
            between(prompt, target).with_context(|| format!("`{target}` is no other prompt than `{prompt}`"))
        }
        AskedEdit::Line(line) => match session.read(line)? {
            Turn::Edit(edit) => Ok(edit),
            _ => bail!("`{line}` is no edit"),
        },
    }
}

fn edited(session: &mut Session, asked: &AskedEdit) -> Result<(Edit, TurnResult)> {
    let prompt = session.tree()[session.resolve(None)?].plan.prompt.clone();
    let edit = meant(session, &prompt, asked)?;
    let turned = session.edit(asked.text(), &edit, &mut unwatched)?.context("BUG: an unwatched edit was stopped")?;
    Ok((edit, turned))
}

/// How large a part of what either has two sets of pixels share.
fn shared(a: &[bool], b: &[bool]) -> Option<f64> {
    let count = |both: fn(bool, bool) -> bool| a.iter().zip(b).filter(|(a, b)| both(**a, **b)).count();
    let either = count(|a, b| a || b);
    (either > 0).then(|| count(|a, b| a && b) as f64 / either as f64)
}

/// One picture, inverted by each of `names` and edited once: two rows for each, with the photograph's pixels around the region and
/// with the model's, and a sheet of what came out.
///
/// # Errors
/// Fails if it cannot be read, inverted or edited.
pub fn edits(
    session: &mut Session,
    one: &CaptionedFile,
    names: &[InversionName],
    clip: Option<&ClipScore>,
) -> Result<(Vec<PhotographRow>, RgbImage)> {
    let photograph = session.photograph(&one.path)?.photograph;
    let truth = one.region.as_ref().map(|region| region.pixels(session)).transpose()?;
    let model = session.model()?;
    let pixels = to_image(&Picture::from(&*photograph));
    let size = (photograph.width(), photograph.height());
    let ceiling = psnr(&pixels, &decoded(&model, &encoded(&model, &pixels)?)?);
    let (mut rows, mut pictures) = (Vec::new(), vec![(pixels.clone(), one.caption.clone())]);
    let was = session.settings().get("inversion");
    for name in names {
        session.set("inversion", name.as_str())?;
        forget_peak();
        let root = opened(session, &photograph, &one.caption)?;
        let (edit, turned) = edited(session, &one.edits[0])?;
        let mb = peak_mb().map(|mb| mb as f64);
        let first = decoded(&model, root.left.trajectory.last())?;
        let latent = turned.left.trajectory.last();
        let own = turned.outside.clone().context("BUG: an edit has no outside")?;
        let inside: Vec<bool> = own.iter().map(|outside| !outside).collect();
        let background = truth.as_ref().map_or(own.clone(), |truth| truth.iter().map(|inside| !inside).collect());
        let ways = [("photograph", to_image(&turned.left.picture)), ("model", decoded(&model, latent)?)];
        for (way, picture) in ways {
            let seen = if way == "model" { latent.clone() } else { encoded(&model, &picture)? };
            let kept = KeptOfPicture::of(&pixels, &picture, &background);
            let share = inside.iter().filter(|inside| **inside).count() as f64 / inside.len() as f64;
            rows.push(PhotographRow {
                picture: one.file.clone(),
                inversion: name.to_string(),
                outside: way.to_owned(),
                region: if truth.is_some() { "true" } else { "edit" }.to_owned(),
                numbers: [
                    ceiling,
                    psnr(&pixels, &first),
                    kept.psnr,
                    kept.ssim,
                    kept.structure,
                    Some(shown(&model, &seen, [&one.caption, &edit.prompt], size)?),
                    clip.map(|clip| clip.score(&picture, &edit.prompt)).transpose()?,
                    psnr_where(&picture, &pixels, &own),
                    mean_change(&picture, &pixels, &inside),
                    Some(share),
                    truth.as_ref().and_then(|truth| shared(truth, &inside)),
                    Some(root.seconds + turned.seconds),
                    mb,
                    Some((root.evaluations + turned.evaluations) as f64),
                ],
            });
            let label = if way == "model" {
                format!("{name}, the model's")
            } else {
                format!("{name}: {}", one.edits[0].text())
            };
            pictures.push((picture, label));
        }
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

/// One picture edited by all its edits and back, in a tree and by decoding, encoding and inverting anew at each turn: a row a turn,
/// and a sheet of both. All are compared with the photograph outside all regions so far.
///
/// # Errors
/// Fails if it cannot be read, or an edit not be made or taken back.
pub fn chain(session: &mut Session, one: &CaptionedFile) -> Result<(Vec<ChainRow>, RgbImage)> {
    let photograph = session.photograph(&one.path)?.photograph;
    let model = session.model()?;
    let (width, height) = (photograph.width(), photograph.height());
    let pixels = to_image(&Picture::from(&*photograph));
    let back = one.edits.iter().rev().map(|edit| {
        let back = taken_back(edit.text());
        back.ok_or_else(|| Hinted::new(format!("`{}` cannot be taken back by rule", edit.text()), "write it as a -> b"))
    });
    let there = one.edits.iter().map(|edit| Ok(edit.text().to_owned()));
    let lines: Vec<AskedEdit> = there.chain(back).map(|line| line.map(AskedEdit::Line)).collect::<Result<_, _>>()?;
    opened(session, &photograph, &one.caption)?;
    let (mut ours, mut on_the_way) = (Vec::new(), vec![pixels.clone()]);
    for line in &lines {
        let (edit, turned) = edited(session, line)?;
        let pasted = to_image(&turned.left.picture);
        let own = decoded(&model, turned.left.trajectory.last())?;
        let outside = session.outside_all(turned.node)?.context("BUG: an edit has no outside")?;
        on_the_way.push(pasted.clone());
        ours.push((pasted, own, outside, edit.prompt));
    }
    let was = session.settings().get("outside");
    session.set("outside", "model")?;
    let (mut shown, mut caption) = (photograph.clone(), one.caption.clone());
    let (mut rows, mut tiles) = (Vec::new(), vec![(pixels.clone(), one.caption.clone())]);
    let mut again_tiles = vec![(pixels.clone(), "each turn inverted anew".to_owned())];
    for ((line, (pasted, own, outside, prompt)), turn) in lines.iter().zip(ours).zip(1..) {
        opened(session, &shown, &caption)?;
        let again = edited(session, line)?.1.left.picture.clone();
        let picture = to_image(&again);
        let likeness = |picture: &RgbImage| psnr_where(picture, &pixels, &outside);
        rows.push(ChainRow {
            picture: one.file.clone(),
            turn,
            line: line.text().to_owned(),
            pasted: likeness(&pasted),
            model: likeness(&own),
            again: likeness(&picture),
            // The picture that was left on the way there, when its edit is taken back.
            is_exact: (turn > one.edits.len()).then(|| pasted == on_the_way[lines.len() - turn]),
            again_changed: (turn == lines.len())
                .then(|| mean_change(&picture, &pixels, &vec![true; width * height]))
                .flatten(),
        });
        tiles.push((pasted, line.text().to_owned()));
        again_tiles.push((picture, line.text().to_owned()));
        shown = Arc::new(Photograph::new(width, height, again.bytes, None)?);
        caption = prompt;
    }
    session.set("outside", &was)?;
    let count = tiles.len();
    tiles.extend(again_tiles);
    let tiles: Vec<Tile> = tiles.iter().map(|(picture, label)| Tile { picture, label }).collect();
    Ok((rows, sheet(&tiles, &Layout::with_columns(count))))
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn what_two_regions_share_is_of_what_either_has() {
        assert_eq!(shared(&[true, true, false, false], &[true, false, true, false]), Some(1.0 / 3.0));
        assert_eq!(shared(&[false; 3], &[false; 3]), None);
    }
}
