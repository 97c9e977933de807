//! What the program, its model and the session say of themselves.

use std::collections::BTreeMap;

use anyhow::Result;

use super::super::reply::{Reply, Shown};
use super::super::talk::{Talk, text};
use super::size;
use crate::session::file::Hinted;
use crate::session::home::store_of;
use crate::session::model::computed_by;
use crate::turn::{Sense, kinds, nearest};

/// Words that tie others together. A vocabulary also has parts of words, which nobody would type: they are not listed.
const SMALL: &[&str] = &[
    "a",
    "an",
    "and",
    "at",
    "behind",
    "between",
    "by",
    "during",
    "front",
    "in",
    "near",
    "next",
    "no",
    "of",
    "on",
    "over",
    "set",
    "surrounded",
    "the",
    "to",
    "two",
    "under",
    "up",
    "very",
    "wearing",
    "who",
    "with",
];

/// `/words [KIND]`: the words the model knows, by kind.
pub(in crate::repl) fn words(talk: &mut Talk, kind: Option<&str>) -> Result<Reply> {
    let model = talk.session.model()?;
    let lexicon = model.lexicon();
    let known = lexicon.words();
    let open = lexicon.knows("qqqqzzzz");
    let mut by_kind: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (kind, words) in kinds().into_iter().chain([("small", SMALL.to_vec())]) {
        let mut here: Vec<&str> = words.into_iter().filter(|w| open || known.binary_search(w).is_ok()).collect();
        here.sort_unstable();
        here.dedup();
        if !here.is_empty() {
            by_kind.insert(kind, here);
        }
    }
    let line = |kind: &str, words: &[&str]| format!("{kind:<12} {}", words.join(" "));
    if let Some(kind) = kind {
        let low = kind.to_lowercase();
        return match by_kind.get(low.as_str()) {
            Some(words) => Ok(text(line(&low, words))),
            None => {
                let near = nearest(&low, by_kind.keys().copied());
                let hint = near.map_or_else(
                    || format!("kinds: {}", by_kind.keys().copied().collect::<Vec<_>>().join(", ")),
                    |n| format!("did you mean `{n}`?"),
                );
                Err(Hinted::new(format!("there is no kind of words called `{kind}`"), hint).into())
            }
        };
    }
    let mut out = Vec::new();
    if open {
        out.push("this model learned from all of English: any word may be tried; some kinds:".to_owned());
    }
    out.extend(by_kind.iter().map(|(kind, words)| line(kind, words)));
    Ok(text(out.join("\n")))
}

/// `/about`.
pub(in crate::repl) fn about(talk: &mut Talk) -> Result<Reply> {
    let model = talk.session.model()?;
    let session = &talk.session;
    let stats = session.store_stats();
    let path =
        |p: Option<&std::path::Path>| p.map_or_else(|| "in memory alone".to_owned(), |p| p.display().to_string());
    let read = stats.from_ram + stats.from_disk;
    let name = if model.name == "embedded" { "atelier (embedded)" } else { &model.name };
    let mut lines = vec![
        format!("wordbrush {}", env!("CARGO_PKG_VERSION")),
        format!("model      {name} · {} ", &model.digest[..model.digest.len().min(12)]).trim_end().to_owned(),
        format!("computes   on {} · {}", model.device, computed_by(model.device, model.precision)),
        format!("session    \"{}\" · {}", session.title().unwrap_or(&session.name()), path(session.path())),
        format!("tree       nodes: {} · roots: {}", session.tree().len(), session.tree().roots().len()),
    ];
    lines.push(match &talk.out {
        Some(folder) => format!("pictures   {}", folder.display()),
        None => "pictures   not written to files".to_owned(),
    });
    let store = session.path().map(store_of);
    lines.push(format!(
        "store      {} in memory · {} in {} values on disk · {}",
        size(stats.ram_bytes),
        size(stats.disk_bytes),
        stats.disk_values,
        path(store.as_deref())
    ));
    lines.push(format!("           {read} reads found, {} missing, {} damaged", stats.missing, stats.damaged));
    Ok(text(lines.join("\n")))
}

/// `/name TEXT`: a title for the session.
pub(in crate::repl) fn name(talk: &mut Talk, title: &str) -> Result<Reply> {
    talk.session.set_title(title)?;
    Ok(text(format!("session \"{}\" is called \"{}\"", talk.session.name(), talk.session.title().unwrap_or_default())))
}

/// `/branch NAME`: a name for the present node.
pub(in crate::repl) fn branch(talk: &mut Talk, name: &str) -> Result<Reply> {
    let here = talk.session.resolve(None)?;
    talk.session.name_node(here, name)?;
    Ok(text(format!("#{here} is called `{name}`")))
}

/// `/tree`.
pub(in crate::repl) fn tree(talk: &Talk) -> Reply {
    let tree = talk.session.tree();
    if tree.is_empty() { nothing_yet() } else { Reply::Text(Shown { is_tree: true, ..Shown::text(tree.draw_tree()) }) }
}

/// `/log`.
pub(in crate::repl) fn log(talk: &Talk) -> Reply {
    let tree = talk.session.tree();
    if tree.is_empty() { nothing_yet() } else { text(tree.draw_log()) }
}

/// `/walk`: only where there are a screen and keys.
pub(in crate::repl) fn walk(talk: &Talk) -> Result<Reply> {
    if !talk.walks {
        return Err(Hinted::new("there is no terminal here to walk on", "/tree draws the tree").into());
    }
    Ok(if talk.session.tree().is_empty() { nothing_yet() } else { Reply::Walk })
}

fn nothing_yet() -> Reply {
    text("there is no picture yet; describe one")
}
