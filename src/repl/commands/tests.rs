//! The table and what is read by it.

use std::fmt::Write as _;

use super::*;
use crate::repl::talk::Unwatched;
use crate::session::home::Home;
use crate::session::{Options, Session};
use crate::store::Limits;
use crate::turn::{self, Change, Edit, Here, NoSense, Turn};

/// `prompt | line | expected prompt | expected changes`; see the head of the file.
const PHRASES: &str = include_str!("../../../tests/phrases.txt");

/// The command that a line is, as it would be typed.
fn at(line: &str) -> Option<String> {
    match read(line) {
        Ok(Line::Command(called)) => Some(called.to_string()),
        Ok(Line::Text) => None,
        Err(error) => panic!("{line}: {error}"),
    }
}

/// A conversation in memory, before the first picture.
fn talk() -> Talk {
    let home = Home::find(|_| Some("/nowhere".into())).unwrap();
    let (settings, limits) = (Default::default(), Limits { ram: 0, disk: 0 });
    let options = Options { home, path: None, read_only: false, settings, overrides: Vec::new(), limits };
    Talk::new(Session::open(options).unwrap(), None)
}

fn said(line: &str) -> Result<String> {
    match talk().line(line, &mut Unwatched)? {
        Reply::Text(shown) => Ok(shown.text),
        _ => panic!("{line} says nothing"),
    }
}

#[track_caller]
fn fails(line: &str, place: &str) -> Misread {
    let Err(error) = talk().line(line, &mut Unwatched) else { panic!("{line} is carried out") };
    let misread = error.downcast::<Misread>().unwrap_or_else(|e| panic!("{line}: {e}"));
    assert!(misread.hint().is_some(), "{line}");
    let span = misread.span.map(|s| &line[s.from..s.to]);
    assert_eq!(span, Some(place), "{line}: {misread}");
    misread
}

#[test]
fn every_example_of_the_table_is_read() {
    for entry in COMMANDS {
        assert!(at(entry.example).is_some(), "{}", entry.example);
        assert!(entry.example.trim_start_matches('/').starts_with(entry.name), "{}", entry.example);
        assert!(!entry.help.ends_with('.'), "{}", entry.help);
    }
}

#[test]
fn no_two_commands_share_a_name() {
    let mut names: Vec<&str> = COMMANDS.iter().flat_map(|e| e.aliases.iter().copied().chain([e.name])).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn the_page_names_every_command() {
    let page = markdown();
    for entry in COMMANDS {
        assert!(page.contains(&format!("`/{}", entry.name)), "{}", entry.name);
        assert!(page.contains(entry.help), "{}", entry.help);
    }
}

#[test]
fn frequent_commands_need_no_slash() {
    for (line, command) in [
        ("undo", "undo"),
        ("Undo 3", "undo 3"),
        ("#4", "go #4"),
        ("tree", "tree"),
        ("history", "log"),
        ("exit", "quit"),
        ("help undo", "help undo"),
    ] {
        assert_eq!(at(line).as_deref(), Some(command), "{line}");
    }
}

#[test]
fn a_prompt_that_begins_like_a_command_is_no_command() {
    for line in
        ["a tree", "name", "go", "q", "u", "open sea", "new york at night", "seed 7", "set", "#", "# tree", "help me"]
    {
        assert_eq!(at(line), None, "{line}");
    }
}

#[test]
fn arguments_that_do_not_fit_are_pointed_at() {
    fails("/undo x", "x");
    fails("/undo 0", "0");
    fails("undo -1", "-1");
    fails("/undo 1 2", "2");
    fails("/comand", "/comand");
    fails("/tree 3", "3");
    fails("/mask 1.5", "1.5");
    fails("/freedom", "/freedom");
    fails("/new 0", "0");
    fails("/new 1000", "1000");
    fails("/export tiff", "tiff");
    fails("/sweep k", "k");
    fails("/compare #1", "/compare");
    fails("/seed -4", "-4");
    fails("/cycle --fast", "--fast");
    fails("/set =3", "=3");
    fails("/help unod", "unod");
    fails("/", "/");
    fails("/é", "/é");
}

#[test]
fn the_rest_of_the_line_is_kept_as_typed() {
    let value = |line: &str, name: &str| {
        let mut talk = talk();
        talk.line(line, &mut Unwatched).unwrap_or_else(|e| panic!("{line}: {e}"));
        talk.session.settings().get(name)
    };
    assert_eq!(value("/set cross=.2...8", "cross"), "0.2..0.8");
    assert_eq!(value("/set cross { wavy: .4 }", "cross"), "{wavy: 0.4, default: 1}");
    assert_eq!(value("/negative  a  blurry, grey  cat ", "negative"), "a  blurry, grey  cat");
    assert_eq!(value("/negative \"\"", "negative"), "");
}

#[test]
fn help_explains_commands_headings_and_all() {
    for (line, part) in [("/help all", "/export"), ("/help Looking", "/maps"), ("/help /undo", "/undo 3")] {
        assert!(said(line).unwrap().contains(part), "{line}");
    }
}

#[test]
fn a_mistyped_command_names_the_nearest() {
    assert_eq!(fails("/udno", "/udno").hint(), Some("did you mean `/undo`?"));
    assert_eq!(fails("/expalin x", "/expalin").hint(), Some("did you mean `/explain`?"));
}

/// Changes in the table's short form.
fn short(edit: &Edit) -> String {
    let one = |change: &Change| match change {
        Change::Start { .. } => "start".to_owned(),
        Change::Swap { from, to } => format!("{from} -> {to}"),
        Change::Add { text } => format!("+ {text}"),
        Change::Remove { text } => format!("- {text}"),
        Change::Weigh { word, factor, absolute: true } => format!("{word} = {factor}"),
        Change::Weigh { word, factor, absolute: false } => format!("{word} x {factor}"),
    };
    edit.changes.iter().map(one).collect::<Vec<_>>().join("; ")
}

#[test]
fn every_phrase_of_the_table_means_what_it_says() {
    let (mut failures, mut count) = (String::new(), 0);
    let mut above = "";
    for (number, row) in PHRASES.lines().enumerate() {
        if row.trim().is_empty() || row.starts_with('#') {
            continue;
        }
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [prompt, line, expected, changes] = cells.as_slice() else { panic!("line {}: {row}", number + 1) };
        // A lone `"` stands for the prompt of the row above.
        above = if *prompt == "\"" { above } else { prompt };
        let mut prompts = above.split("<<").map(str::trim);
        let parent = prompts.next().unwrap_or_default();
        let ancestors: Vec<&str> = prompts.collect();
        let here = Here { prompt: (!parent.is_empty()).then_some(parent), ancestors: &ancestors, sense: &NoSense };
        // A command with an error is carried out, which is when it reads its arguments.
        let turn = match read(line) {
            Ok(Line::Command(called)) if *expected == "command" => Ok(Err(called)),
            Ok(Line::Command(_)) => Err(fails(line, changes)),
            Ok(Line::Text) => turn::read(line, &here).map(Ok),
            Err(misread) => Err(misread),
        };
        let (got, did) = match &turn {
            Ok(Ok(Turn::Edit(edit))) => (edit.prompt.clone(), short(edit)),
            Ok(Ok(Turn::Question(q))) => {
                ("question".to_owned(), q.choices.iter().map(|c| c.edit.prompt.as_str()).collect::<Vec<_>>().join("; "))
            }
            Ok(Err(called)) => ("command".to_owned(), called.to_string()),
            Ok(Ok(Turn::Nothing)) => ("nothing".to_owned(), String::new()),
            Err(m) => ("error".to_owned(), m.span.and_then(|s| line.get(s.from..s.to)).unwrap_or_default().to_owned()),
        };
        count += 1;
        if got != *expected || did != *changes {
            let _ = writeln!(
                failures,
                "{}: {parent} | {line}\n   expected {expected} | {changes}\n   got      {got} | {did}",
                number + 1
            );
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
    assert!(count >= 200, "the table holds {count} phrases");
}

#[test]
fn the_beginning_of_a_command_is_asked_back_as_the_commands_that_begin_so() {
    let hint = |line: &str| read(line).err().and_then(|misread| misread.hint).unwrap_or_default();
    assert_eq!(hint("/t"), "did you mean `/tree`?");
    assert_eq!(hint("/mo"), "did you mean `/model`?");
    assert_eq!(hint("/se"), "did you mean `/seed` or `/set` or `/sessions`?");
    assert_eq!(hint("/undoo"), "did you mean `/undo`?");
    assert_eq!(hint("/xyzxyz"), "/help lists the commands");
}
