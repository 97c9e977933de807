//! What a PNG says of itself: its settings for other programs, its whole lineage for us.

use anyhow::Result;
use serde_json::Value;

use crate::history::Node;
use crate::preview::png::{Notes, Parameters};
use crate::session::Session;
use crate::session::file::write_lineage;
use crate::turn::words::split;

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
        prompt: weighed_prompt(&node.plan.prompt, &node.plan.weights),
        negative: recipe.negative.clone(),
        steps: recipe.steps,
        sampler: recipe.scheduler.label().to_owned(),
        guidance: recipe.guidance,
        seed: recipe.seed,
        size: (recipe.width as u32, recipe.height as u32),
        model: called(&recipe.model),
    };
    Ok(Notes { parameters: Some(parameters.to_text()), wordbrush: Some(lineage_of(session, node)?) })
}

/// A prompt with its weights as other programs write them: `(wavy:1.5)`. Neighbours of one weight share a bracket, and
/// brackets of the prompt itself are told apart by a backslash.
fn weighed_prompt(prompt: &str, weights: &[f64]) -> String {
    let words = split(prompt);
    let weight = |word: usize| weights.get(word).copied().unwrap_or(1.0);
    let mut out = String::with_capacity(prompt.len());
    let literal = |out: &mut String, text: &str| {
        for c in text.chars() {
            if matches!(c, '(' | ')' | '\\') {
                out.push('\\');
            }
            out.push(c);
        }
    };
    let (mut at, mut word) = (0, 0);
    while word < words.len() {
        literal(&mut out, &prompt[at..words[word].from]);
        let same = (word..words.len()).take_while(|other| weight(*other) == weight(word)).count();
        let stretch = &prompt[words[word].from..words[word + same - 1].to];
        if weight(word) == 1.0 {
            literal(&mut out, stretch);
        } else {
            out.push('(');
            literal(&mut out, stretch);
            out.push_str(&format!(":{})", weight(word)));
        }
        at = words[word + same - 1].to;
        word += same;
    }
    literal(&mut out, &prompt[at..]);
    out
}

/// What a model is called for other programs: a folder by its own name, without the way to it.
fn called(model: &str) -> String {
    let path = std::path::Path::new(model);
    let name = path.file_name().filter(|_| path.is_absolute());
    name.map_or_else(|| model.to_owned(), |name| name.to_string_lossy().into_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_written_as_other_programs_write_them() {
        let check = |prompt: &str, weights: &[f64], expected: &str| {
            assert_eq!(split(prompt).len(), weights.len(), "{prompt}");
            assert_eq!(weighed_prompt(prompt, weights), expected);
        };
        check("a cat", &[1.0, 1.0], "a cat");
        check("a cat", &[1.0, 1.5], "a (cat:1.5)");
        check("long wavy hair, red", &[1.5, 1.5, 1.0, 1.0, -0.5], "(long wavy:1.5) hair, (red:-0.5)");
        check("a cat (old)", &[1.0, 2.0, 1.0, 1.0, 1.0], r"a (cat:2) \(old\)");
    }

    #[test]
    #[cfg(unix)]
    fn a_model_s_folder_is_called_by_its_own_name_alone() {
        assert_eq!(called("/home/fox/models/tiny"), "tiny");
        assert_eq!(called("owner/name@main"), "owner/name@main");
        assert_eq!(called("embedded"), "embedded");
    }
}
