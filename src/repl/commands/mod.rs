//! Commands: a line is read as one once, here, and carried out by the function in its row of the [table](COMMANDS).
//!
//! Help, completion, the manual page and `docs/commands.md` come from the same rows. Ids stay as typed (`#3`, eight hex
//! digits, a branch name); whoever knows the tree looks them up.

mod args;
mod table;
#[cfg(test)]
mod tests;

use anyhow::Result;

pub use args::Called;
pub use table::COMMANDS;

use super::reply::Reply;
use super::talk::{Talk, Watcher};
use crate::turn::{Misread, Part, nearest, parts, spoken};

/// One command.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its name, without the slash.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// Its arguments: `[n]` may be left out.
    pub signature: &'static str,
    /// What it does, as an order.
    pub help: &'static str,
    /// A line that uses it.
    pub example: &'static str,
    /// True if it may be typed without the slash.
    pub bare: bool,
    /// Its heading in the help.
    pub group: Group,
    /// What completion offers after it.
    pub offers: Offers,
    /// The function that carries it out. It reads its own arguments.
    run: Run,
}

type Run = fn(&mut Talk, &Called<'_>, &mut dyn Watcher) -> Result<Reply>;

/// What completion offers as the argument of a command.
#[derive(Debug, Clone, Copy)]
pub enum Offers {
    /// Nothing.
    Nothing,
    /// Ids and names of nodes, and this word unless it is "".
    Nodes(&'static str),
    /// Presets.
    Presets,
    /// Kinds of words.
    Kinds,
    /// Words of the prompt.
    Words,
    /// Words of the prompt, then those the model knows.
    Text,
    /// Commands and headings.
    Commands,
    /// Settings with `=`.
    Axes,
    /// A setting, then its values.
    Settings,
    /// Models.
    Models,
    /// Forms of a file, then files.
    Exports,
    /// Sessions and files.
    Sessions,
}

/// Headings of the help, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Moving in the tree.
    Move,
    /// Making pictures.
    Draw,
    /// Looking at them.
    Look,
    /// Settings.
    Settings,
    /// Files and sessions.
    Files,
    /// About the program.
    Help,
}

impl Group {
    /// All headings, in order.
    pub const ALL: [Self; 6] = [Self::Move, Self::Draw, Self::Look, Self::Settings, Self::Files, Self::Help];

    /// The heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Move => "Moving",
            Self::Draw => "Drawing",
            Self::Look => "Looking",
            Self::Settings => "Settings",
            Self::Files => "Files",
            Self::Help => "Help",
        }
    }
}

/// What a line is.
pub enum Line<'a> {
    /// A command with its arguments.
    Command(Called<'a>),
    /// Words: an edit, a prompt, a remark, or nothing.
    Text,
}

/// Reads a line: with a slash it is a command always, without it if it can be nothing else.
///
/// # Errors
/// An unknown name after `/`.
pub fn read(line: &str) -> Result<Line<'_>, Misread> {
    let mut given = parts(line);
    let Some(first) = given.first() else { return Ok(Line::Text) };
    let name = first.span;
    if let Some(typed) = first.text.strip_prefix('/') {
        let entry = entry(&typed.to_lowercase()).ok_or_else(|| unknown(first))?;
        given.remove(0);
        return Ok(Line::Command(Called { line, entry, name, given }));
    }
    let may_be_said = |e: &Entry, name: &str| {
        e.bare && (e.name == name || name.len() > 1) && !e.signature.starts_with(char::is_alphabetic)
    };
    let said = spoken(line, |name| entry(name).map(|e| may_be_said(e, name)))?;
    Ok(match said.and_then(|said| Some((entry(&said.name)?, said.argument))) {
        Some((entry, argument)) => Line::Command(Called { line, entry, name, given: argument.into_iter().collect() }),
        None => Line::Text,
    })
}

/// The error of a name, with or without a slash, that is no command's.
pub(super) fn unknown(part: &Part<'_>) -> Misread {
    let name = part.text.trim_start_matches('/');
    let span = Some(part.span);
    if name.is_empty() {
        return Misread { message: "no command stands after `/`".into(), hint: Some("/help lists them".into()), span };
    }
    let names = COMMANDS.iter().flat_map(|e| std::iter::once(e.name).chain(e.aliases.iter().copied()));
    let low = name.to_lowercase();
    let begin = || COMMANDS.iter().map(|e| e.name).filter(|name| name.starts_with(&low));
    let hint = match (begin().next(), nearest(&low, names)) {
        // The beginning of a few: they are meant rather than what is a letter away.
        (Some(_), _) if begin().count() <= 4 => {
            let all: Vec<String> = begin().map(|name| format!("`/{name}`")).collect();
            format!("did you mean {}?", all.join(" or "))
        }
        (_, Some(near)) => format!("did you mean `/{near}`?"),
        (_, None) => "/help lists the commands".to_owned(),
    };
    Misread { message: format!("`{}` is not a command", part.text), hint: Some(hint), span }
}

/// The entry of a name or alias.
#[must_use]
pub fn entry(name: &str) -> Option<&'static Entry> {
    COMMANDS.iter().find(|e| e.name == name || e.aliases.contains(&name))
}

/// The table as a page of documentation.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(
        "# Commands\n\nThis page is generated from the table in `src/repl/commands/table.rs`.\n\n\
         Commands begin with `/`. Those marked with a dot may be typed without it. `#4` alone goes to node 4; `try again`\n\
         is `/again`. What is in square brackets may be left out.\n",
    );
    for group in Group::ALL {
        page.push_str(&format!(
            "\n## {}\n\n| command | | does | example |\n| --- | --- | --- | --- |\n",
            group.title()
        ));
        for e in COMMANDS.iter().filter(|e| e.group == group) {
            let blank = if e.signature.is_empty() { "" } else { " " };
            let mut help = e.help.to_owned();
            if !e.aliases.is_empty() {
                let aliases: Vec<String> = e.aliases.iter().map(|a| format!("`/{a}`")).collect();
                help.push_str(&format!(" (also {})", aliases.join(", ")));
            }
            let signature = e.signature.replace('|', "\\|");
            let dot = if e.bare { "·" } else { "" };
            page.push_str(&format!("| `/{}{blank}{signature}` | {dot} | {help} | `{}` |\n", e.name, e.example));
        }
    }
    page
}
