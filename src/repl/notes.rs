//! What a PNG says of itself: its settings for other programs, its whole lineage for us.

use serde_json::{Value, json};

use crate::history::Node;
use crate::preview::png::{Notes, Parameters};
use crate::session::Session;

/// The text chunks of a node's PNG.
#[must_use]
pub fn of(session: &Session, node: u32) -> Notes {
    of_node(session, &session.tree()[node])
}

/// The same for a node that need not have grown; its parent has.
#[must_use]
pub fn of_node(session: &Session, node: &Node) -> Notes {
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
    Notes { parameters: Some(parameters.to_text()), wordbrush: Some(lineage_of(session, node)) }
}

/// The nodes from the root down to a node, with everything that rebuilds them.
#[must_use]
pub fn lineage(session: &Session, node: u32) -> Value {
    lineage_of(session, &session.tree()[node])
}

fn lineage_of(session: &Session, node: &Node) -> Value {
    let mut path: Vec<&Node> = node.parent.map_or_else(Vec::new, |parent| session.tree().path_to_root(parent));
    path.push(node);
    path.sort_unstable_by_key(|node| node.number);
    let nodes: Vec<Value> = path
        .iter()
        .map(|node| {
            json!({
                "id": node.id.to_string(),
                "number": format!("#{}", node.number),
                "line": node.line,
                "changes": node.changes,
                "plan": node.plan,
            })
        })
        .collect();
    json!({ "format": 1, "recipe": &*node.recipe, "nodes": nodes })
}
