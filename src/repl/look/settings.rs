//! Settings: shown, set one by one or several at once.

use anyhow::Result;

use super::super::ahead::{fetch_model, fetch_segmenter};
use super::super::commands::Called;
use super::super::reply::Reply;
use super::super::talk::{Talk, Watcher, text};
use super::super::typed_path;
use super::super::{settings_text, when};
use crate::plan::settings::find;

/// `/set [NAME VALUE]`.
pub(in crate::repl) fn set(talk: &mut Talk, a: &Called<'_>, watcher: &mut dyn Watcher) -> Result<Reply> {
    let Some(typed) = a.text() else { return settings_text(talk.session.settings(), None).map(text) };
    let separates = |c: char| c == '=' || c.is_whitespace();
    let (name, value) = typed.split_at(typed.find(separates).unwrap_or(typed.len()));
    match (name, value.trim_start_matches(separates)) {
        ("", _) => Err(a.error(a.given.first(), "no setting stands left of `=`".to_owned()).into()),
        (name, "") => settings_text(talk.session.settings(), Some(name)).map(text),
        (name, value) if find(name).is_some_and(|s| s.name == "model") => set_model(talk, value, watcher),
        (name, value) if find(name).is_some_and(|s| s.name == "segmenter") => set_segmenter(talk, value, watcher),
        (name, value) if find(name).is_some_and(|s| LAID_OVER.contains(&s.name)) => lay_over(talk, name, value),
        (name, value) => put(talk, name, value),
    }
}

/// Settings that lay something over the model of the next root.
const LAID_OVER: [&str; 3] = ["lora", "embedding", "vae"];

/// What is laid over the model of the next root. A file that cannot be read is told now, not at the next picture.
fn lay_over(talk: &mut Talk, name: &str, value: &str) -> Result<Reply> {
    let mut tried = talk.session.settings().clone();
    tried.set(name, value)?;
    crate::model::find(&crate::session::model_name(&tried.root))?;
    put(talk, name, value)
}

/// The network that finds what a text names, fetched now if it must be. A name that leads nowhere is told now.
fn set_segmenter(talk: &mut Talk, name: &str, watcher: &mut dyn Watcher) -> Result<Reply> {
    let name = &*typed_path::text(name);
    if name != "auto" {
        fetch_segmenter(name, &mut |line| watcher.fetching(line))?;
        crate::model::text_masks::find(name)?;
    }
    put(talk, "segmenter", name)
}

/// Sets a setting, and says what it is now and when that counts.
fn put(talk: &mut Talk, name: &str, value: &str) -> Result<Reply> {
    let setting = talk.session.set(name, value)?;
    let when = when(setting, talk.session.tree().here().is_some());
    Ok(text(format!("{} = {}{when}", setting.name, talk.session.settings().get(setting.name))))
}

/// `/preset NAME`.
pub(in crate::repl) fn preset(talk: &mut Talk, name: &str) -> Result<Reply> {
    talk.session.preset(name)?;
    let s = &talk.session.settings().turn;
    Ok(text(format!("cross {} · self {} · k {}", s.cross_replace_steps, s.self_replace_steps, s.k)))
}

/// `/freedom X`.
pub(in crate::repl) fn freedom(talk: &mut Talk, x: f64) -> Result<Reply> {
    talk.session.set("freedom", &x.to_string())?;
    let s = &talk.session.settings().turn;
    Ok(text(format!("cross {} · self {}", s.cross_replace_steps, s.self_replace_steps)))
}

/// `/negative [TEXT]`: the text of the next root; alone, that and the one of this tree if it is another.
pub(in crate::repl) fn negative(talk: &mut Talk, typed: Option<&str>) -> Result<Reply> {
    if let Some(typed) = typed {
        return put(talk, "negative", if matches!(typed, "\"\"" | "''") { "" } else { typed });
    }
    let quoted = |t: &str| if t.is_empty() { "nothing".to_owned() } else { format!("\"{t}\"") };
    let next = talk.session.settings().root.negative.clone().unwrap_or_default();
    let mut out = format!("the next new picture should not be: {}", quoted(&next));
    if let Some(node) = talk.session.tree().current().filter(|n| n.recipe.negative != next) {
        out.push_str(&format!("\nthis tree was drawn with: {}", quoted(&node.recipe.negative)));
    }
    Ok(text(out))
}

/// `/model [NAME]`: the model of the next root; alone, that and the one of this tree.
pub(in crate::repl) fn model(talk: &mut Talk, name: Option<&str>, watcher: &mut dyn Watcher) -> Result<Reply> {
    if let Some(name) = name {
        return set_model(talk, name, watcher);
    }
    let next = crate::session::model_name(&talk.session.settings().root);
    let mut out = format!("the next new picture: {next}");
    if let Some(node) = talk.session.tree().current() {
        out = format!("this tree: {}\n{out}", node.recipe.model);
    }
    Ok(text(out))
}

/// `/model M` and `/set model M`: the model of the next root, fetched now if it must be. A name that leads nowhere is
/// told now, not at the next picture.
fn set_model(talk: &mut Talk, name: &str, watcher: &mut dyn Watcher) -> Result<Reply> {
    let name = &*typed_path::text(name);
    fetch_model(name, &mut |line| watcher.fetching(line))?;
    crate::model::find(name)?;
    put(talk, "model", name)
}
