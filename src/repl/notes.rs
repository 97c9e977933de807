//! What a PNG says of itself: its settings for other programs, its whole lineage for us.

use serde_json::{Value, json};

use crate::preview::png::{Notes, Parameters};
use crate::session::Session;

/// The text chunks of a node's PNG.
#[must_use]
pub fn of(session: &Session, node: u32) -> Notes {
    let tree = session.tree();
    let recipe = &tree[node].recipe;
    let parameters = Parameters {
        prompt: tree[node].plan.prompt.clone(),
        negative: recipe.negative.clone(),
        steps: recipe.steps,
        sampler: recipe.scheduler.to_uppercase(),
        guidance: recipe.guidance,
        seed: recipe.seed,
        size: (recipe.width as u32, recipe.height as u32),
        model: recipe.model.clone(),
    };
    Notes { parameters: Some(parameters.to_text()), wordbrush: Some(lineage(session, node)) }
}

/// The nodes from the root down to a node, with everything that rebuilds them.
#[must_use]
pub fn lineage(session: &Session, node: u32) -> Value {
    let tree = session.tree();
    let mut path: Vec<u32> = tree.path_to_root(node).iter().map(|n| n.number).collect();
    path.sort_unstable();
    let nodes: Vec<Value> = path
        .iter()
        .map(|number| {
            let node = &tree[*number];
            json!({
                "id": node.id.to_string(),
                "number": format!("#{number}"),
                "line": node.line,
                "changes": node.changes,
                "plan": node.plan,
            })
        })
        .collect();
    json!({ "format": 1, "recipe": &*tree[node].recipe, "nodes": nodes })
}
