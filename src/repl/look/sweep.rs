//! `/sweep`: the last edit under a grid of settings.

use anyhow::{Context, Result};

use super::super::commands::Called;
use super::super::reply::Reply;
use super::super::report::counted;
use super::super::talk::{Talk, Watcher};
use super::{free_path, size};
use crate::plan::settings::Settings;
use crate::preview::file::write_atomically;
use crate::preview::png;
use crate::session::file::Hinted;
use crate::study::sweep::page::{Block, Labelled, contact_sheet, moving};
use crate::study::sweep::{Axes, DrawnCell, SweepRun, run, table};
use crate::turn::Part;

/// `/sweep k=0,.3,.6 cross=.2,.8 [gif] [csv]`.
pub(in crate::repl) fn sweep(talk: &mut Talk, a: &Called<'_>, watcher: &mut dyn Watcher) -> Result<Reply> {
    a.needed(0)?;
    let is_axis = |part: &&Part<'_>| !["gif", "csv"].contains(&&*part.text);
    if let Some(bad) = a.given.iter().filter(is_axis).find(|part| !part.text.contains('=')) {
        return Err(a.error(Some(bad), format!("`{}` is not of the form name=values", bad.text)).into());
    }
    let here = talk.session.resolve(None)?;
    let wants = |what: &str| a.given.iter().any(|part| part.text == what);
    let (as_gif, as_csv) = (wants("gif"), wants("csv"));
    let axes = Axes::read(a.given.iter().filter(is_axis).map(|part| &*part.text))?;
    let runs = planned(talk, here, &axes)?;
    let wanted: Vec<usize> = (0..runs.len()).collect();
    let mut all: Vec<Option<DrawnCell>> = runs.iter().map(|_| None).collect();
    let cost = run(
        &mut talk.session,
        &runs,
        &wanted,
        &mut |_, drawn| {
            let at = drawn.at;
            all[at] = Some(drawn);
            Ok(())
        },
        &mut |done, all, latent| watcher.step(done, all, latent),
    )?;
    let drawn: Vec<DrawnCell> = all.into_iter().flatten().collect();
    if drawn.is_empty() {
        return Ok(Reply::Stopped);
    }
    let rows = |full| table(axes.names(), drawn.iter().map(|d| (&runs[d.at], &d.figures)), full);
    let mut text =
        format!("#{here} under {} settings; nothing was added to the tree\n{}", drawn.len(), rows(false).plain());
    if cost.shared > 0 {
        text.push_str(&format!(
            "\n  {} · saved: {} in first steps that the pictures share",
            counted(cost.evaluations, "evaluation"),
            cost.shared
        ));
    }
    if cost.stopped {
        text.push_str(&format!("\n  stopped after {} of {}", drawn.len(), runs.len()));
    }
    let csv = rows(true).csv();
    let cells = drawn.into_iter().map(|d| Labelled { picture: d.picture, label: runs[d.at].label.clone() }).collect();
    let blocks = [Block { first: None, cells }];
    let picture = contact_sheet(&blocks, axes.names().len(), axes.last_count());
    let Some(folder) = talk.out.clone().or_else(|| (as_gif || as_csv).then(Default::default)) else {
        return super::shown_as(talk, "", picture, text);
    };
    if !folder.as_os_str().is_empty() {
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let mut write = |ending: &str, bytes: &[u8]| -> Result<std::path::PathBuf> {
        let path = free_path(&folder.join(format!("sweep-{here:04}.{ending}")));
        write_atomically(&path, bytes)?;
        text.push_str(&format!("\n  {} · {}", path.display(), size(bytes.len() as u64)));
        Ok(path)
    };
    let path = write("png", &png::encode(&picture)?)?;
    if as_gif {
        write("gif", &moving(&blocks)?)?;
    }
    if as_csv {
        write("csv", csv.as_bytes())?;
    }
    Ok(super::shown(text, vec![(picture, Some(path))]))
}

/// The edit of `here` in every cell.
fn planned(talk: &mut Talk, here: u32, axes: &Axes) -> Result<Vec<SweepRun>> {
    let Some(parent) = talk.session.tree()[here].parent else {
        let message = format!("#{here} is a first picture: there is no edit to draw under other settings");
        return Err(Hinted::new(message, "make an edit first").into());
    };
    let (edit, by) = (talk.session.edit_of(here), talk.session.drawn_by(here));
    let node = &talk.session.tree()[here];
    if let Some(redraw) = node.plan.redraw() {
        let message = format!("#{here} was drawn by `/{}`, which obeys no settings of a turn", redraw.method.command());
        return Err(Hinted::new(message, "give that command other numbers, or sweep an edit in words").into());
    }
    let (line, turn) = (node.line.clone(), (*node.plan.settings).clone());
    let base = Settings { turn, ..Settings::default() };
    let cell = |values: Vec<String>| {
        let (settings, label) = axes.settings(&base, &values)?;
        let sketch = talk.session.sketch_by((Some(parent), &line), &edit, &by, &settings)?;
        Ok(SweepRun { sketch, values, label })
    };
    axes.cells().into_iter().map(cell).collect()
}
