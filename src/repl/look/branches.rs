//! Commands that draw a branch, or an edit, once more.

use std::ops::ControlFlow;

use anyhow::Result;
use candle_core::Tensor;
use image::RgbImage;

use super::super::commands::Called;
use super::super::reply::Reply;
use super::super::report;
use super::super::talk::{Talk, Watcher, text};
use super::learning::foretell;
use super::{shown, shown_as};
use crate::plan::Recipe;
use crate::plan::redraw::DrawnBy;
use crate::plan::settings::{Settings, TurnSettings, Window};
use crate::preview::sheet::{Layout, Tile, sheet};
use crate::session::branch::{BranchStep, PlannedEdit, root_settings};
use crate::session::file::Hinted;
use crate::session::{TurnResult, to_image};
use crate::turn::Edit;

/// What several pictures drawn one after the other came to: the last one, with the seconds and samples of all.
fn drew(talk: &mut Talk, mut turned: Vec<TurnResult>, note: impl FnOnce(&[u32]) -> Option<String>) -> Result<Reply> {
    let nodes: Vec<u32> = turned.iter().map(|t| t.node).collect();
    let (seconds, evaluations) = (turned.iter().map(|t| t.seconds).sum(), turned.iter().map(|t| t.evaluations).sum());
    let existed = turned.iter().all(|t| t.existed);
    let Some(mut last) = turned.pop() else { return Ok(Reply::Nothing) };
    for node in &nodes[..nodes.len() - 1] {
        talk.write_picture(*node)?;
    }
    (last.seconds, last.evaluations, last.existed) = (seconds, evaluations, existed);
    let earlier = turned.into_iter().flat_map(|t| t.warnings);
    last.warnings = earlier.chain(std::mem::take(&mut last.warnings)).collect();
    last.warnings.extend(note(&nodes));
    Ok(Reply::Drew(Box::new(talk.measured(last)?)))
}

fn listed(nodes: &[u32]) -> String {
    nodes.iter().map(|n| format!("#{n}")).collect::<Vec<_>>().join(" ")
}

/// `/new [PROMPT | N]`.
pub(in crate::repl) fn new(talk: &mut Talk, a: &Called<'_>, watcher: &mut dyn Watcher) -> Result<Reply> {
    if let [n] = a.given.as_slice()
        && n.text.trim_start_matches(['-', '+']).chars().all(|c| c.is_ascii_digit())
    {
        return match n.text.parse() {
            Ok(count @ 1..=64) => seeds(talk, count, watcher),
            _ => Err(a.error(Some(n), format!("`/new` draws 1 to 64 pictures, but got `{}`", n.text)).into()),
        };
    }
    match a.given.first() {
        Some(first) => talk.begin(a.line, first.span.from, watcher),
        None => Ok(talk.expect_new()),
    }
}

/// `/new N`: the present prompt under N seeds from the present one on, each a root. We stay where we are.
fn seeds(talk: &mut Talk, n: usize, watcher: &mut dyn Watcher) -> Result<Reply> {
    let here = talk.session.resolve(None)?;
    talk.session.ensure_noise(here)?;
    let root = talk.session.root()?.number;
    let recipe = (*talk.session.tree()[here].recipe).clone();
    let settings = (*talk.session.tree()[root].plan.settings).clone();
    let prompt = talk.session.tree()[here].plan.prompt.clone();
    let start = super::super::root_edit(&prompt);
    let edit = Edit { changes: start.changes, spans: Vec::new(), is_root: true, ..talk.session.edit_of(here) };
    let mut drawn: Vec<TurnResult> = Vec::new();
    for i in 0..n {
        let seed = recipe.seed.wrapping_add(i as u64);
        let (line, edit, settings) = (prompt.clone(), edit.clone(), settings.clone());
        let planned = PlannedEdit { line, edit, settings, by: DrawnBy::Words };
        let root = root_settings(&Recipe { seed, ..recipe.clone() });
        let mut watch = watched(watcher, recipe.steps, (i, n));
        match talk.session.draw_branch(None, &root, &[planned], &mut watch) {
            Ok(Some(turned)) => drawn.extend(turned),
            Ok(None) => break,
            Err(error) => return talk.session.return_to(Some(here)).and(Err(error)),
        }
    }
    talk.session.return_to(Some(here))?;
    if drawn.is_empty() {
        return Ok(Reply::Stopped);
    }
    let label = |turned: TurnResult| {
        let seed = talk.session.tree()[turned.node].recipe.seed;
        (turned, format!("seed {seed}"))
    };
    let drawn: Vec<_> = drawn.into_iter().map(label).collect();
    let said = format!("{} pictures of \"{prompt}\"", drawn.len());
    to_take_one_of(talk, here, ("seeds", &said), Vec::new(), &drawn)
}

/// Pictures that grew, each with what tells it from the others, side by side behind those of `before`: one is taken by its number.
/// `said` is what they are.
pub(super) fn to_take_one_of(
    talk: &mut Talk,
    here: u32,
    (name, said): (&str, &str),
    before: Vec<(RgbImage, String)>,
    drawn: &[(TurnResult, String)],
) -> Result<Reply> {
    let mut lines = Vec::new();
    let mut pictures = before;
    for (turned, label) in drawn {
        lines.push(format!("  #{:<4} {label}", turned.node));
        pictures.push((to_image(&turned.left.picture), format!("#{} {label}", turned.node)));
        talk.write_picture(turned.node)?;
    }
    let tiles: Vec<Tile> = pictures.iter().map(|(picture, label)| Tile { picture, label }).collect();
    let sheet = sheet(&tiles, &Layout::default());
    let (first, last) = (drawn[0].0.node, drawn[drawn.len() - 1].0.node);
    let took: f64 = drawn.iter().map(|(turned, _)| turned.seconds).sum();
    let text = format!(
        "{said}, {}\n{}\n  take one by its number: #{last}   (still at #{here})",
        report::seconds(took),
        lines.join("\n")
    );
    shown_as(talk, &format!("{name}-{first:04}-{last:04}.png"), sheet, text)
}

/// Tells a watcher of pictures of so many steps that are drawn one after the other: of how many, `first` being done.
fn watched(
    watcher: &mut dyn Watcher,
    steps: usize,
    (first, count): (usize, usize),
) -> impl FnMut(usize, BranchStep<'_>) -> ControlFlow<()> {
    move |edit, step| match step {
        BranchStep::ToLearn(node, to) => {
            foretell(to, node, watcher);
            ControlFlow::Continue(())
        }
        BranchStep::Learned(step) => watcher.learning(step.done, step.of, step.loss),
        BranchStep::Drawn(step, latent) => watcher.step((first + edit) * steps + step + 1, count * steps, latent),
    }
}

fn replant(talk: &mut Talk, seed: u64, watcher: &mut dyn Watcher) -> Result<Reply> {
    let here = talk.session.resolve(None)?;
    let steps = talk.session.tree()[here].recipe.steps;
    let count = talk.session.branch_of(here).len();
    let mut watch = watched(watcher, steps, (0, count));
    match talk.session.replant(here, seed, &mut watch)? {
        None => Ok(Reply::Stopped),
        Some(turned) => drew(talk, turned, |nodes| match nodes {
            [_] => None,
            _ => Some(format!("the branch of #{here} with seed {seed}: {}", listed(nodes))),
        }),
    }
}

/// `/seed N`: before the first picture a setting; later the branch once more from that seed's noise.
pub(in crate::repl) fn seed(talk: &mut Talk, a: &Called<'_>, watcher: &mut dyn Watcher) -> Result<Reply> {
    let typed = a.one()?;
    let wrong = |_| a.error(a.given.first(), format!("a seed is a whole number from 0 on, but got `{typed}`"));
    let seed: u64 = typed.parse().map_err(wrong)?;
    if talk.session.tree().is_empty() {
        talk.session.set("seed", &seed.to_string())?;
        return Ok(text(format!("the first picture will have seed {seed}")));
    }
    replant(talk, seed, watcher)
}

/// `/again`: the branch from the next seed that has not been used for it.
pub(in crate::repl) fn again(talk: &mut Talk, watcher: &mut dyn Watcher) -> Result<Reply> {
    let root = talk.session.root()?;
    let (number, seed) = (root.number, root.recipe.seed);
    let next = talk.session.unused_seed(number, (1..).map(|n| seed.wrapping_add(n)));
    replant(talk, next.unwrap_or(seed), watcher)
}

/// `/vary`: the branch from a seed far away that is made from the present one, so that a second time makes the same.
pub(in crate::repl) fn vary(talk: &mut Talk, watcher: &mut dyn Watcher) -> Result<Reply> {
    let root = talk.session.root()?;
    let (number, seed) = (root.number, root.recipe.seed);
    let mut state = seed;
    let far = std::iter::repeat_with(move || {
        state = derived(state);
        state
    });
    let next = talk.session.unused_seed(number, far.take(1000));
    replant(talk, next.unwrap_or(seed), watcher)
}

/// A number of 32 bits made from another: close seeds lead to distant ones. Short, so that it can be typed.
fn derived(seed: u64) -> u64 {
    let mut x = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ (x >> 31)) >> 32
}

/// Windows moved by `by` towards freedom: shorter ones carry less of the parent.
fn moved(settings: &TurnSettings, by: f64) -> TurnSettings {
    let shift = |w: &Window| Window { to: (((w.to - by).clamp(0.0, 1.0)) * 1e9).round() / 1e9, ..*w };
    let mut out = settings.clone();
    out.cross_replace_steps = shift(&settings.cross_replace_steps);
    out.self_replace_steps = shift(&settings.self_replace_steps);
    out.cross_words.values_mut().for_each(|w| *w = shift(w));
    out
}

/// `stronger` and `weaker`: the last edit once more, a sibling with its windows moved by `by` towards freedom.
pub(in crate::repl) fn nearer_freedom(
    talk: &mut Talk,
    line: &str,
    by: f64,
    watcher: &mut dyn Watcher,
) -> Result<Reply> {
    let here = talk.session.resolve(None)?;
    let node = &talk.session.tree()[here];
    let (was, steps) = ((*node.plan.settings).clone(), node.recipe.steps);
    let Some(parent) = node.parent else {
        return Err(Hinted::new(
            format!("#{here} is a first picture: there is no edit to draw once more"),
            "make an edit first",
        )
        .into());
    };
    if let Some(redraw) = node.plan.redraw() {
        let message =
            format!("#{here} was drawn by `/{}`, which carries no maps, so it has no windows", redraw.method.command());
        let hint = format!("/undo, then /{} with other numbers", redraw.method.command());
        return Err(Hinted::new(message, hint).into());
    }
    let settings = moved(&was, by);
    if settings == was {
        let end = if by > 0.0 { "nothing more of its parent to let go" } else { "everything of its parent already" };
        let message = format!("the edit of #{here} keeps {end}");
        return Err(Hinted::new(
            message,
            if by > 0.0 { "k 0 lets the whole picture change: /set k 0" } else { "/mask shows where it may change" },
        )
        .into());
    }
    let (edit, by) = (talk.session.edit_of(here), talk.session.drawn_by(here));
    let root = talk.session.settings().root.clone();
    let note = format!(
        "windows moved: cross {} (was {}), self {} (was {})",
        settings.cross_replace_steps, was.cross_replace_steps, settings.self_replace_steps, was.self_replace_steps
    );
    watcher.understood(&edit.changes);
    let mut watch = |step: usize, latent: &Tensor| watcher.step(step + 1, steps, latent);
    match talk.session.edit_under(
        &Settings { turn: settings, root, ..Settings::default() },
        (Some(parent), line),
        &edit,
        &by,
        &mut watch,
    )? {
        None => Ok(Reply::Stopped),
        Some(turned) => drew(talk, vec![turned], |_| Some(note)),
    }
}

/// `/pick ID`: another node's changes, read again here.
pub(in crate::repl) fn pick(talk: &mut Talk, line: &str, id: &str, watcher: &mut dyn Watcher) -> Result<Reply> {
    let (here, node) = (talk.session.resolve(None)?, talk.session.resolve(Some(id))?);
    if talk.session.tree()[node].is_root() {
        return Err(
            Hinted::new(format!("#{node} is a first picture, not an edit"), format!("go there: #{node}")).into()
        );
    }
    let tree = talk.session.tree();
    let prompt = tree[here].plan.prompt.clone();
    let above: Vec<String> = tree.ancestors(here).map(|n| n.plan.prompt.clone()).collect();
    let by = talk.session.drawn_by_elsewhere(node, &prompt)?;
    let edit = talk.session.carry_over(node, &prompt, &above)?;
    let planned = talk.session.plan_by(here, &edit, &by)?;
    talk.planned(line, &edit, planned, watcher)
}

/// `/rebase ID`: the edits of this branch, one by one, on another picture.
pub(in crate::repl) fn rebase(talk: &mut Talk, id: &str, watcher: &mut dyn Watcher) -> Result<Reply> {
    let (here, base) = (talk.session.resolve(None)?, talk.session.resolve(Some(id))?);
    if talk.session.branch_of(here).contains(&base) {
        return Err(Hinted::new(
            format!("#{base} is in this branch already"),
            "/rebase takes another root; /tree shows them",
        )
        .into());
    }
    let planned = talk.session.plan_rebase(here, base)?;
    if planned.is_empty() {
        return Err(Hinted::new(
            format!("#{here} is a first picture: it has no edits to put elsewhere"),
            "go to an edited picture first",
        )
        .into());
    }
    let recipe = &talk.session.tree()[base].recipe;
    let (steps, root) = (recipe.steps, root_settings(recipe));
    let mut watch = watched(watcher, steps, (0, planned.len()));
    match talk.session.draw_branch(Some(base), &root, &planned, &mut watch)? {
        None => Ok(Reply::Stopped),
        Some(turned) => drew(talk, turned, |nodes| Some(format!("the edits of #{here} on #{base}: {}", listed(nodes)))),
    }
}

/// `/collapse`: all edits since the root as one, under the settings in force.
pub(in crate::repl) fn collapse(talk: &mut Talk, line: &str, watcher: &mut dyn Watcher) -> Result<Reply> {
    let here = talk.session.resolve(None)?;
    let root = talk.session.begun_at(here);
    if here == root {
        let what = if talk.session.tree()[here].is_root() { "is a first picture" } else { "was drawn again" };
        return Err(
            Hinted::new(format!("#{here} {what}: there are no edits to collapse"), "make some edits first").into()
        );
    }
    let edit = talk.session.folded(here)?;
    if edit.changes.is_empty() {
        return Ok(shown(
            format!("the edits up to #{here} undo each other: its words and weights are those of #{root}"),
            Vec::new(),
        ));
    }
    let count = talk.session.tree().depth(here) - talk.session.tree().depth(root);
    let steps = talk.session.tree()[here].recipe.steps;
    watcher.understood(&edit.changes);
    let mut watch = |step: usize, latent: &Tensor| watcher.step(step + 1, steps, latent);
    let Some(turned) = talk.session.edit_at(Some(root), line, &edit, &mut watch)? else { return Ok(Reply::Stopped) };
    drew(talk, vec![turned], |_| Some(format!("{count} edits up to #{here} as one edit of #{root}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_move_by_a_fifth_and_stop_at_their_ends() {
        let mut settings = TurnSettings::default();
        settings.cross_words.insert("hair".to_owned(), Window { from: 0.1, to: 0.3 });
        let freer = moved(&settings, 0.2);
        assert_eq!((freer.cross_replace_steps.to, freer.self_replace_steps.to), (0.2, 0.4));
        assert_eq!(freer.cross_words["hair"], Window { from: 0.1, to: 0.1 });
        let end = moved(&moved(&freer, 0.2), 0.2);
        assert_eq!(end.cross_replace_steps.to, 0.0);
        assert_eq!(moved(&end, 0.2), end);
        assert_eq!(moved(&settings, -1.0).self_replace_steps.to, 1.0);
    }

    #[test]
    fn derived_seeds_differ_even_for_neighbours() {
        let mut all: Vec<u64> = (0..1000).map(derived).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 1000);
        assert!(all.iter().all(|s| *s < 1 << 32));
    }
}
