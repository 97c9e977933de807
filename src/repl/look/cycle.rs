//! `/cycle`: the edits since an ancestor taken back, and what comes of it.

use anyhow::Result;
use candle_core::Tensor;

use super::super::commands::Called;
use super::super::reply::{Cycled, Reply};
use super::super::report;
use super::super::talk::{Talk, Watcher};
use crate::session::cycle::regenerated::CycleMethod;

/// `/cycle [ID] [--in-one]`.
pub(in crate::repl) fn cycle(talk: &mut Talk, a: &Called<'_>, watcher: &mut dyn Watcher) -> Result<Reply> {
    let (flags, ids): (Vec<_>, Vec<_>) = a.given.iter().partition(|part| matches!(&*part.text, "--in-one" | "in-one"));
    let in_one = !flags.is_empty();
    if let [_, extra, ..] = ids.as_slice() {
        return Err(a.too_many(extra).into());
    }
    if let Some(part) = ids.first().filter(|part| part.text.starts_with("--")) {
        return Err(a.error(Some(part), format!("`/cycle` does not know `{}`", part.text)).into());
    }
    let from = talk.session.resolve(None)?;
    let to = match ids.first() {
        Some(id) => talk.session.resolve(Some(&id.text))?,
        None => talk.session.root()?.number,
    };
    let tree = talk.session.tree();
    let count = if in_one { 1 } else { tree.depth(from).saturating_sub(tree.depth(to)) };
    let steps = tree[from].recipe.steps;
    let way = talk.session.way_back(to, in_one)?;
    watcher.predicted(&report::way(&way));
    let mut watch =
        |turn: usize, step: usize, latent: &Tensor| watcher.step(turn * steps + step + 1, count * steps, latent);
    let Some(found) = talk.session.go_back(way, &mut watch)? else {
        return Ok(Reply::Stopped);
    };
    Ok(Reply::Cycled(Box::new(Cycled::measured((from, to), CycleMethod::Exact, found))))
}
