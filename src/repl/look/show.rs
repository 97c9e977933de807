//! Pictures again: one by one, side by side, the whole branch.

use anyhow::Result;

use super::super::changes_text;
use super::super::commands::Called;
use super::super::reply::Reply;
use super::super::talk::{Talk, Watcher, text};
use super::{brief, decibels, shown, shown_as};
use crate::measure::{psnr, psnr_where, ssim};
use crate::preview::sheet::{self, Layout, Tile};
use crate::session::compose;
use crate::session::file::Hinted;
use crate::session::to_image;

/// `/show [ID... | path]`.
pub(in crate::repl) fn show(talk: &mut Talk, a: &Called<'_>, _: &mut dyn Watcher) -> Result<Reply> {
    let nodes: Vec<u32> = match a.given.as_slice() {
        [] => vec![talk.session.resolve(None)?],
        [one] if one.text == "path" => return path(talk),
        ids => ids.iter().map(|id| talk.session.resolve(Some(&id.text))).collect::<Result<_>>()?,
    };
    let (mut lines, mut pictures) = (Vec::new(), Vec::new());
    for node in nodes {
        let picture = to_image(&talk.session.picture(node)?);
        let path = talk.write_picture(node)?;
        let (seed, prompt) = (talk.session.tree()[node].recipe.seed, &talk.session.tree()[node].plan.prompt);
        lines.push(format!("#{node}  {prompt} · seed {seed}"));
        lines.extend(path.iter().map(|p| format!("  {}", p.display())));
        pictures.push((picture, path));
    }
    Ok(shown(lines.join("\n"), pictures))
}

/// `/show path`: where the present picture is.
fn path(talk: &mut Talk) -> Result<Reply> {
    let here = talk.session.resolve(None)?;
    match talk.write_picture(here)? {
        Some(path) => Ok(text(std::path::absolute(&path).unwrap_or(path).display().to_string())),
        None => {
            Err(Hinted::new("pictures are not written to files here", "/export png, or start with --out DIR").into())
        }
    }
}

/// `/compare A B`: side by side with their difference, and how far they are apart.
pub(in crate::repl) fn compare(talk: &mut Talk, a: &str, b: &str) -> Result<Reply> {
    let (a, b) = (talk.session.resolve(Some(a))?, talk.session.resolve(Some(b))?);
    let (left, right) = (to_image(&talk.session.picture(a)?), to_image(&talk.session.picture(b)?));
    let (from, to) = (talk.session.generation(a)?, talk.session.generation(b)?);
    let spans = compose::difference(&from.prompt.words, &to.prompt.words);
    let changes = compose::changes(&from, &to, &spans);
    let outside = talk.session.outside_between(a, b, &spans)?;
    let outside = outside.and_then(|mask| psnr_where(&left, &right, &mask));
    let words = if changes.is_empty() { "the same words and weights".to_owned() } else { changes_text(&changes) };
    let ssim = ssim(&left, &right).map_or_else(|| "-".to_owned(), |s| brief(s, 3));
    let mut lines = vec![
        format!("#{a}  {}", from.prompt.text),
        format!("#{b}  {}", to.prompt.text),
        format!("  words    {words}"),
        format!("  psnr {} · ssim {ssim} · outside {}", decibels(psnr(&left, &right)), decibels(outside)),
    ];
    let (one, other) = (&talk.session.tree()[a].recipe, &talk.session.tree()[b].recipe);
    if one != other {
        let mut differ = Vec::new();
        for (name, x, y) in [
            ("seed", one.seed.to_string(), other.seed.to_string()),
            ("steps", one.steps.to_string(), other.steps.to_string()),
            ("guidance", one.guidance.to_string(), other.guidance.to_string()),
            ("scheduler", one.scheduler.to_string(), other.scheduler.to_string()),
            ("size", format!("{}x{}", one.width, one.height), format!("{}x{}", other.width, other.height)),
            ("negative", one.negative.clone(), other.negative.clone()),
            ("model", one.model.clone(), other.model.clone()),
        ] {
            if x != y {
                differ.push(format!("{name} {x} and {y}"));
            }
        }
        lines.push(format!("  roots    {}", differ.join(" · ")));
    }
    let (first, second) = (format!("#{a}"), format!("#{b} {words}"));
    let picture =
        sheet::compare(Tile { picture: &left, label: &first }, Tile { picture: &right, label: &second }, true);
    shown_as(talk, &format!("compare-{a:04}-{b:04}.png"), picture, lines.join("\n"))
}

/// `/sheet`: the branch from the root to here.
pub(in crate::repl) fn sheet(talk: &mut Talk) -> Result<Reply> {
    let here = talk.session.resolve(None)?;
    let (mut pictures, mut lines) = (Vec::new(), Vec::new());
    for node in talk.session.branch_of(here) {
        let label = format!("#{node} {}", talk.session.tree()[node].label());
        lines.push(label.clone());
        pictures.push((to_image(&talk.session.picture(node)?), label));
    }
    let tiles: Vec<Tile> = pictures.iter().map(|(picture, label)| Tile { picture, label }).collect();
    let picture = sheet::sheet(&tiles, &Layout::default());
    shown_as(talk, &format!("sheet-{here:04}.png"), picture, lines.join("\n"))
}
