//! What a PNG says of itself: its settings for other programs, its whole lineage for us.

use anyhow::Result;
use serde_json::Value;

use crate::history::Node;
use crate::preview::png::{Notes, Parameters};
use crate::session::Session;
use crate::session::file::write_lineage;

/// The text chunks of a node's PNG.
///
/// # Errors
/// Fails if a number of the plan cannot be written.
pub fn of(session: &Session, node: u32) -> Result<Notes> {
    of_node(session, &session.tree()[node])
}

/// The same for a node that need not have grown; its parent has.
///
/// # Errors
/// As [`of`].
pub fn of_node(session: &Session, node: &Node) -> Result<Notes> {
    let recipe = &node.recipe;
    let parameters = Parameters {
        prompt: node.plan.prompt.clone(),
        negative: recipe.negative.clone(),
        steps: recipe.steps,
        sampler: recipe.scheduler.label().to_owned(),
        guidance: recipe.guidance,
        seed: recipe.seed,
        size: (recipe.width as u32, recipe.height as u32),
        model: recipe.model.clone(),
    };
    Ok(Notes { parameters: Some(parameters.to_text()), wordbrush: Some(lineage_of(session, node)?) })
}

/// The nodes from the root down to a node, with everything that rebuilds them.
///
/// # Errors
/// As [`of`].
pub fn lineage(session: &Session, node: u32) -> Result<Value> {
    lineage_of(session, &session.tree()[node])
}

fn lineage_of(session: &Session, node: &Node) -> Result<Value> {
    let mut path: Vec<&Node> = node.parent.map_or_else(Vec::new, |parent| session.tree().path_to_root(parent));
    path.push(node);
    path.sort_unstable_by_key(|node| node.number);
    // A picture that has not grown is none of the session's, whatever its number.
    let drawn = |node: &Node| session.drawn(node.number).filter(|_| session.tree().find(&node.id).is_some()).cloned();
    write_lineage(&path, &drawn)
}
