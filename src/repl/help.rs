//! `/help`: a screen that names everything, then more where it is asked for.

use anyhow::Result;

use super::commands::{COMMANDS, Called, Entry, Group, entry, unknown};
use super::reply::Reply;
use super::talk;

/// What may be typed that is no command.
pub(super) const WORDS: &str = "\
Describe a picture, then change your mind:
  blond -> red          swap words
  + at night            add words (+), take words away (-)
  wavy*2                weigh a word; wavy*1 takes it back
  make her hair black   or plain English";

/// What the overview fits into.
const COLUMNS: usize = 80;

/// `/help [COMMAND | all]`.
pub(super) fn help(a: &Called<'_>) -> Result<Reply> {
    a.at_most(1)?;
    match (text(a.word(0)), a.given.first()) {
        (None, Some(part)) => Err(unknown(part).into()),
        (found, _) => Ok(talk::text(found.unwrap_or_default())),
    }
}

/// An overview that fits a screen of 80 x 24; of `all` every command in a line; of a heading its commands; of a command
/// what it does, with its example. `None` if there is no command or heading of that name.
#[must_use]
pub fn text(what: Option<&str>) -> Option<String> {
    let Some(what) = what else { return Some(overview()) };
    let name = what.trim_start_matches('/').to_lowercase();
    if name == "all" {
        let groups: Vec<String> = Group::ALL.into_iter().map(listed).collect();
        return Some(format!("{WORDS}\n\n{}", groups.join("\n\n")));
    }
    // `/help help` is the command; so is whatever else a heading and a command share.
    if let Some(entry) = entry(&name) {
        return Some(one(entry));
    }
    Group::ALL.into_iter().find(|g| g.title().to_lowercase() == name).map(listed)
}

fn overview() -> String {
    let mut out = format!("{WORDS}\n\n");
    for group in Group::ALL {
        let of_group = || COMMANDS.iter().filter(|e| e.group == group);
        // Those that need no slash first: they are what is typed most.
        let names = of_group().filter(|e| e.bare).map(|e| e.name.to_owned());
        let names: Vec<String> = names.chain(of_group().filter(|e| !e.bare).map(|e| format!("/{}", e.name))).collect();
        let mut line = format!("{:<10}", group.title());
        for name in names {
            if line.chars().count() + 1 + name.len() > COLUMNS {
                out.push_str(&line);
                line = format!("\n{:<10}", "");
            }
            line.push_str(&format!(" {name}"));
        }
        out.push_str(&line);
        out.push('\n');
    }
    out + "\n/help undo      what a command does, with an example\n\
           /help looking   the commands of a line\n\
           /help all       every command, a line each"
}

fn listed(group: Group) -> String {
    let mut out = vec![group.title().to_owned()];
    for e in COMMANDS.iter().filter(|e| e.group == group) {
        out.push(format!("  {:<26} {}", usage(e), e.help));
    }
    out.join("\n")
}

fn one(e: &Entry) -> String {
    let also = match e.aliases {
        [] => String::new(),
        aliases => format!("\n  also: {}", aliases.iter().map(|a| format!("/{a}")).collect::<Vec<_>>().join(", ")),
    };
    let bare = if e.bare { "\n  it may be typed without the slash" } else { "" };
    format!("{}\n  {}{also}{bare}\n  example: {}", usage(e), e.help, e.example)
}

fn usage(e: &Entry) -> String {
    format!("/{} {}", e.name, e.signature).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repl::fold::fold;

    /// Lines that a terminal of this width needs.
    fn lines(text: &str, columns: u16) -> usize {
        fold(text, columns, 4).lines().map(|line| line.chars().count().div_ceil(usize::from(columns)).max(1)).sum()
    }

    #[test]
    fn the_overview_names_every_command_and_fits_a_screen_of_80_by_24() {
        let help = text(None).unwrap();
        for entry in COMMANDS {
            let is_named = help.split_whitespace().any(|word| word.trim_start_matches('/') == entry.name);
            assert!(is_named, "/{} is missing:\n{help}", entry.name);
        }
        // The line that was typed and the next prompt take a line each.
        assert!(lines(&help, 80) <= 22, "{} lines", lines(&help, 80));
        assert!(fold(&help, 40, 4).lines().all(|line| line.chars().count() < 40), "{}", fold(&help, 40, 4));
    }

    #[test]
    fn more_is_told_of_a_command_a_heading_and_all() {
        assert!(text(Some("/undo")).unwrap().contains("example: /undo 3"));
        assert!(text(Some("looking")).unwrap().starts_with("Looking\n  /show"));
        assert!(text(Some("help")).unwrap().contains("example: /help undo"));
        let all = text(Some("all")).unwrap();
        assert!(COMMANDS.iter().all(|e| all.contains(e.help)));
        assert_eq!(text(Some("undoo")), None);
    }
}
