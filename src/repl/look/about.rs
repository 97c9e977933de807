//! What the program, its model and the session say of themselves.

use std::collections::BTreeMap;

use anyhow::Result;

use super::super::ahead::fetch_model;
use super::super::reply::Reply;
use super::super::talk::{Talk, Watcher, text};
use super::size;
use crate::plan::settings::name_of;
use crate::session::file::Hinted;
use crate::session::home::store_of;
use crate::session::model::maker;
use crate::turn::{Sense, kinds, nearest};

/// `/negative`: the text of the next root, and of this tree if it is another.
pub(super) fn negative(talk: &Talk) -> Result<Reply> {
    let quoted = |t: &str| if t.is_empty() { "nothing".to_owned() } else { format!("\"{t}\"") };
    let next = talk.session.settings().root.negative.clone().unwrap_or_default();
    let mut out = format!("the next new picture should not be: {}", quoted(&next));
    if let Some(node) = talk.session.tree().current().filter(|n| n.recipe.negative != next) {
        out.push_str(&format!("\nthis tree was drawn with: {}", quoted(&node.recipe.negative)));
    }
    Ok(text(out))
}

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
pub(super) fn words(talk: &mut Talk, kind: Option<&str>) -> Result<Reply> {
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

/// `/model`: the models of this tree and of the next root.
pub(super) fn model(talk: &Talk) -> Reply {
    let next = talk.session.settings().get("model");
    let mut out = format!("the next new picture: {next}");
    if let Some(node) = talk.session.tree().current() {
        out = format!("this tree: {}\n{out}", node.recipe.model);
    }
    text(out)
}

/// `/model M` and `/set model M`: the model of the next root, fetched now if it must be. A name that leads nowhere is
/// told now, not at the next picture.
pub(in super::super) fn set_model(talk: &mut Talk, name: &str, watcher: &mut dyn Watcher) -> Result<Reply> {
    fetch_model(name, &mut |line| watcher.fetching(line))?;
    crate::model::find(name)?;
    let setting = talk.session.set("model", name)?;
    let when = super::super::when(setting, talk.session.tree().here().is_some());
    Ok(text(format!("model = {}{when}", name.trim())))
}

/// `/about`.
pub(super) fn about(talk: &mut Talk) -> Result<Reply> {
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
        format!("computes   {} · {}", maker(), name_of(&model.precision)),
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
pub(super) fn name(talk: &mut Talk, title: &str) -> Result<Reply> {
    talk.session.set_title(title)?;
    Ok(text(format!("session \"{}\" is called \"{}\"", talk.session.name(), talk.session.title().unwrap_or_default())))
}
