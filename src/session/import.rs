//! Sessions from elsewhere: a picture's lineage becomes a session's file, and a session is copied under another name.
//!
//! What a picture says of itself comes from anyone. Every index and number in it is checked before it is believed, ids
//! are computed and compared, and a model's name that leads out of its folder is cut down to its last part.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::Session;
use super::file::{Drawn, Hinted, SessionFile, last_part, leads_out};
use crate::history::{Event, Node, NodeId, Step, Tree};
use crate::plan::resolve::MAX_WEIGHT;
use crate::plan::settings::{Precision, TurnSettings, Window};
use crate::plan::{Column, Origin, Plan, Recipe, Region};
use crate::store::disk::Disk;
use crate::turn::{Change, words};

/// The most nodes that a picture may bring.
const MOST_NODES: usize = 10_000;
/// The most token positions that a prompt may have.
const MOST_TOKENS: usize = 4096;
/// The longest text of a node, in bytes.
const LONGEST_TEXT: usize = 100_000;

/// A lineage as pictures carry it.
#[derive(Deserialize)]
struct Lineage {
    format: u32,
    recipe: Recipe,
    nodes: Vec<Carried>,
}

/// A node of a lineage.
#[derive(Deserialize)]
struct Carried {
    id: String,
    line: String,
    changes: Vec<Change>,
    plan: Plan,
}

/// The tree that a lineage describes, root first, and sentences on what was left out.
///
/// # Errors
/// Fails if it is of another format, or says anything that cannot be true of a picture.
pub fn tree_of(lineage: &Value) -> Result<(Tree, Vec<String>)> {
    let lineage: Lineage = serde_json::from_value(lineage.clone()).context("its lineage cannot be read")?;
    ensure!(lineage.format == 1, "its lineage has format {}, but this program reads format 1", lineage.format);
    ensure!(!lineage.nodes.is_empty(), "its lineage has no nodes");
    ensure!(lineage.nodes.len() <= MOST_NODES, "its lineage has more than {MOST_NODES} nodes");
    let mut notes = Vec::new();
    let mut recipe = lineage.recipe;
    check_recipe(&recipe)?;
    if leads_out(&recipe.model) {
        recipe.model = last_part(&recipe.model);
        notes.push(format!("the picture names a model outside its folder; taken as `{}`", recipe.model));
    }
    let recipe = Arc::new(recipe);
    let mut tree = Tree::new();
    let mut above: Vec<Plan> = Vec::new();
    for (depth, carried) in lineage.nodes.into_iter().enumerate() {
        let Carried { id: told, line, changes, plan } = carried;
        let number = depth as u32 + 1;
        check_plan(&plan, &above).with_context(|| format!("its picture #{number} cannot be"))?;
        let longest = line.len().max(plan.prompt.len());
        ensure!(longest <= LONGEST_TEXT, "its picture #{number} has more than {LONGEST_TEXT} bytes of text");
        let parent = tree.nodes().last().map(|n| n.id);
        let id = NodeId::of(parent, &plan, &recipe);
        ensure!(
            told.len() >= 8 && id.hex().starts_with(&told),
            "its picture #{number} has another id than it says: it was changed"
        );
        above.push(plan.clone());
        let parent = tree.here();
        tree.apply(Event::Grow(Box::new(Node { id, number, parent, line, changes, plan, recipe: recipe.clone() })))?;
    }
    Ok((tree, notes))
}

fn check_recipe(recipe: &Recipe) -> Result<()> {
    let Recipe { steps, guidance, width, height, origin, precision, .. } = recipe;
    ensure!((1..=1000).contains(steps), "it has {steps} steps");
    ensure!(guidance.is_finite() && (0.0..=50.0).contains(guidance), "its guidance is {guidance}");
    for side in [width, height] {
        ensure!((1..=8192).contains(side), "it is {width} x {height} pixels");
    }
    ensure!(*precision != Precision::F16, "its precision is not known here");
    ensure!(*origin == Origin::Noise, "it grew from another picture, which it does not carry");
    Ok(())
}

/// Whether all indices of a plan lie where they point, and all numbers in their ranges. `above` is the root first.
fn check_plan(plan: &Plan, above: &[Plan]) -> Result<()> {
    let Plan { prompt, spans, weights, columns, settings, region } = plan;
    let count = words::split(prompt).len();
    ensure!(weights.len() == count, "it has {count} words, but {} weights", weights.len());
    ensure!(weights.iter().all(|w| w.is_finite() && w.abs() <= MAX_WEIGHT), "a weight is out of range");
    ensure!((2..=MOST_TOKENS).contains(&columns.len()), "it has {} tokens", columns.len());
    let generations = 1..=above.len();
    let token = |t: &usize| *t < columns.len();
    for column in columns {
        if let Column::From { up, tokens } = column {
            ensure!(generations.contains(up), "a word comes from an ancestor that is not there");
            ensure!(
                tokens.iter().all(|(t, share)| token(t) && share.is_finite()),
                "a word comes from a token that is not there"
            );
        }
    }
    match region {
        Region::Everywhere => {}
        Region::As { up } => ensure!(generations.contains(up), "its region is of an ancestor that is not there"),
        Region::Words { source, target, source_out, target_out } => {
            ensure!(!above.is_empty(), "a first picture has no region");
            let mut all = [source, target, source_out, target_out].into_iter().flatten();
            ensure!(all.all(token), "its region is of words that are not there");
        }
    }
    check_settings(settings)?;
    let Some(parent) = above.last() else {
        ensure!(spans.is_empty(), "a first picture replaces no words");
        return Ok(());
    };
    ensure!(parent.columns.len() == columns.len(), "its tokens are counted otherwise than its parent's");
    let (mut source, mut target) = (0, 0);
    for span in spans {
        ensure!(span.source.start >= source && span.target.start >= target, "its edits overlap");
        ensure!(span.source.start - source == span.target.start - target, "its kept words do not match");
        ensure!(span.source.start <= span.source.end && span.target.start <= span.target.end, "an edit runs backwards");
        (source, target) = (span.source.end, span.target.end);
        ensure!(source <= parent.weights.len() && target <= count, "an edit is of words that are not there");
    }
    ensure!(parent.weights.len() - source == count - target, "its kept words do not match");
    Ok(())
}

fn check_settings(settings: &TurnSettings) -> Result<()> {
    let share = |x: f64| (0.0..=1.0).contains(&x);
    let window = |w: &Window| share(w.from) && share(w.to);
    let s = settings;
    let windows =
        [&s.cross_replace_steps, &s.self_replace_steps, &s.v_replace_steps].into_iter().chain(s.cross_words.values());
    ensure!(windows.into_iter().all(window), "a window lies outside the run");
    ensure!([s.k, s.substruct_k, s.start_blend, s.v_mix].into_iter().all(share), "a setting is out of range");
    Ok(())
}

/// Writes a tree as a new session's file, all its events in the order they happened. `drawn` says what came out of a
/// node, if that is known.
///
/// # Errors
/// Fails if the file exists or cannot be written; then there is none.
pub fn write(
    tree: &Tree,
    drawn: &dyn Fn(u32) -> Option<Drawn>,
    path: &Path,
    title: Option<&str>,
    disk: Arc<dyn Disk>,
) -> Result<()> {
    if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let mut file = SessionFile::create(path, title, disk)?;
    let mut copy = Tree::new();
    let written = (|| -> Result<()> {
        for step in tree.log() {
            let mut record = None;
            let event = match step {
                Step::Grew(number) => {
                    record = drawn(*number);
                    Event::Grow(Box::new(tree[*number].clone()))
                }
                Step::Moved(to) => Event::Move { to: *to },
                Step::Named(node, name) => Event::Name { node: *node, name: name.clone() },
                Step::Set(name, value) => Event::Set { name: name.clone(), value: value.clone() },
            };
            file.commit(&mut copy, event, record.as_ref())?;
        }
        Ok(())
    })();
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

impl Session {
    /// Copies the session to another file, which must not exist. This session goes on as it was.
    ///
    /// # Errors
    /// Fails if there is no picture yet, or the file exists or cannot be written.
    pub fn copy_to(&self, path: &Path) -> Result<()> {
        if self.tree().is_empty() {
            return Err(Hinted::new("there is no picture to save yet", "describe one first").into());
        }
        if path.exists() {
            bail!(Hinted::new(format!("`{}` exists already", path.display()), "choose another name"));
        }
        write(self.tree(), &|node| self.drawn(node).cloned(), path, self.title(), self.disk.clone())
    }

    /// Whether the plans of an imported tree are made for the model they name. A model that is not here says nothing.
    ///
    /// # Errors
    /// Fails if a plan has another number of tokens than the model reads, or pictures of a size that it cannot draw.
    pub fn check_fit(&mut self) -> Result<()> {
        let Some(recipe) = self.tree().current().map(|n| n.recipe.clone()) else { return Ok(()) };
        let Ok(model) = self.model_for(&recipe) else { return Ok(()) };
        let length = model.engine.reader().vocabulary().marks().length;
        ensure!(
            self.tree().nodes().iter().all(|n| n.plan.columns.len() == length),
            "its plans are not for the model they name"
        );
        let step = model.engine.size_step();
        ensure!(
            recipe.width % step == 0 && recipe.height % step == 0,
            "the model it names draws no picture of its size"
        );
        Ok(())
    }

    /// Leaves a sentence for the person, to be taken by [`take_notes`](Self::take_notes).
    pub fn note(&mut self, note: String) {
        self.notes.push(note);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{plan, recipe};
    use serde_json::json;

    /// Two nodes as a picture carries them.
    fn lineage() -> Value {
        let (recipe, mut first, mut second) = (recipe(7), plan("a red cat"), plan("a blue cat"));
        first.columns.fill(Column::Own);
        second.spans = vec![crate::turn::Replaced { source: 1..2, target: 1..2 }];
        let root = NodeId::of(None, &first, &recipe);
        let child = NodeId::of(Some(root), &second, &recipe);
        let node = |id: NodeId, plan: &Plan| json!({"id": id.short(), "number": "#9", "line": "x", "changes": [], "plan": plan});
        json!({"format": 1, "recipe": recipe, "nodes": [node(root, &first), node(child, &second)]})
    }

    #[test]
    fn a_lineage_becomes_a_tree_with_the_same_ids() {
        let given = lineage();
        let (tree, notes) = tree_of(&given).unwrap();
        assert!(notes.is_empty());
        let ids: Vec<String> = tree.nodes().iter().map(|n| n.id.short()).collect();
        assert_eq!(ids, [given["nodes"][0]["id"].as_str().unwrap(), given["nodes"][1]["id"].as_str().unwrap()]);
        assert_eq!((tree.here(), tree[2].parent), (Some(2), Some(1)));
    }

    #[test]
    fn a_lineage_that_points_anywhere_it_should_not_is_refused() {
        let cases: [(&str, Value); 15] = [
            ("/format", json!(2)),
            ("/nodes", json!([])),
            ("/recipe/steps", json!(1_000_000)),
            ("/recipe/width", json!(0)),
            ("/recipe/guidance", json!(1e300)),
            ("/recipe/scheduler", json!("ddimm")),
            ("/nodes/1/plan/weights", json!([1.0])),
            ("/nodes/1/plan/weights", json!([1.0, 1e9, 1.0])),
            ("/nodes/1/plan/spans/0/source", json!({"start": 1, "end": 99})),
            ("/nodes/1/plan/spans/0/target", json!({"start": 2, "end": 1})),
            ("/nodes/1/plan/columns/3", json!({"from": {"up": 9, "tokens": []}})),
            ("/nodes/1/plan/columns/3", json!({"from": {"up": 1, "tokens": [[9999, 1.0]]}})),
            ("/nodes/1/plan/region", json!({"as": {"up": 0}})),
            ("/nodes/1/plan/settings/k", json!(7)),
            ("/nodes/1/plan/prompt", json!("a green cat")),
        ];
        for (at, value) in cases {
            let mut bad = lineage();
            *bad.pointer_mut(at).unwrap_or_else(|| panic!("{at}")) = value.clone();
            assert!(tree_of(&bad).is_err(), "{at} = {value}");
        }
    }

    #[test]
    fn a_model_outside_the_folder_is_cut_down_to_its_last_part_and_that_is_said() {
        let mut given = lineage();
        given["recipe"]["model"] = json!("../../etc/secret");
        let (tree, notes) = tree_of(&given).unwrap();
        assert_eq!(tree[1].recipe.model, "secret");
        assert_eq!(notes.len(), 1);
    }
}
