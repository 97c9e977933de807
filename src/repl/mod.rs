//! Talking.
//!
//! A [`Talk`](talk::Talk) takes lines and gives [`Reply`](reply::Reply)s; [`json`] writes them for programs, [`batch`]
//! runs scripts, and [`command_line`] reads what the program is started with.

pub mod ahead;
pub mod batch;
pub mod bench;
pub mod clock;
pub mod command_line;
pub mod commands;
pub mod config;
pub mod cycles;
pub mod explain;
pub mod files;
pub mod fold;
pub mod help;
pub mod helper;
mod html;
pub mod inputrc;
pub mod interactive;
pub mod json;
pub mod lent;
pub mod lines;
pub mod look;
pub mod models;
pub mod notes;
pub mod reply;
pub mod report;
pub mod stop;
pub mod study;
pub mod sweep;
mod tagged;
pub mod talk;
pub mod tips;
pub mod typed_path;
pub mod walk;
pub mod watcher;

use anyhow::Result;

use crate::plan::settings::{Per, Setting, Settings, TABLE, find};
use crate::session::Session;
use crate::session::file::Hinted;
use crate::turn::{Change, Edit};

/// The edit that begins a new tree with a prompt as it was typed.
#[must_use]
pub fn root_edit(prompt: &str) -> Edit {
    Edit::root(prompt.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Changes on one line: `blond → red · + "with a hat" · wavy × 1.5`.
#[must_use]
pub fn changes_text(changes: &[Change]) -> String {
    let one = |c: &Change| match c {
        Change::Start { prompt } => prompt.clone(),
        Change::Swap { from, to } => format!("{from} → {to}"),
        Change::Add { text } => format!("+ \"{text}\""),
        Change::Remove { text } => format!("- \"{text}\""),
        Change::Weigh { word, factor, absolute: false } => format!("{word} × {factor}"),
        Change::Weigh { word, factor, absolute: true } => format!("{word} = {factor}"),
    };
    changes.iter().map(one).collect::<Vec<_>>().join(" · ")
}

/// What is said of a session that was just opened: its name, how many pictures it has and where we are.
#[must_use]
pub fn opened_text(session: &Session) -> String {
    let tree = session.tree();
    let count = report::counted(tree.len() as u64, "picture");
    let here = tree.current().map(|node| format!("\n  at #{}  {}", node.number, node.plan.prompt));
    format!("session \"{}\" · {count}{}", session.name(), here.unwrap_or_default())
}

/// When a setting takes effect, if that is not at once.
pub(crate) fn when(setting: &Setting, in_a_tree: bool) -> &'static str {
    if setting.per == Per::Root && in_a_tree {
        "   (from the next new picture on: this tree keeps its own)"
    } else {
        ""
    }
}

/// The settings with their values and meanings, or one.
///
/// # Errors
/// Fails if there is no setting of that name.
pub fn settings_text(settings: &Settings, name: Option<&str>) -> Result<String> {
    let one = |s: &Setting| {
        let alias = if s.alias.is_empty() { String::new() } else { format!(" ({})", s.alias) };
        format!("{:<28} {:<13} {} [{}]", format!("{}{alias}", s.name), settings.get(s.name), s.meaning, s.values)
    };
    match name {
        None => Ok(TABLE.iter().map(one).collect::<Vec<_>>().join("\n")),
        Some(name) => match find(name) {
            Some(setting) => Ok(one(setting)),
            None => Err(Hinted::new(format!("there is no setting `{name}`"), "/set lists them all").into()),
        },
    }
}
