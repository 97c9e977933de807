//! The table and what is read by it.

use super::*;

fn at(line: &str) -> Option<Command> {
    read(line).unwrap_or_else(|e| panic!("{line}: {e}"))
}

#[track_caller]
fn fails(line: &str, place: &str) {
    let Err(error) = read(line) else { panic!("{line} is read as {:?}", read(line)) };
    assert!(error.hint().is_some(), "{line}");
    let span = error.span.map(|s| &line[s.from..s.to]);
    assert_eq!(span, Some(place), "{line}: {error}");
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
    assert_eq!(at("undo"), Some(Command::Undo { n: 1 }));
    assert_eq!(at("Undo 3"), Some(Command::Undo { n: 3 }));
    assert_eq!(at("undo twice, please"), Some(Command::Undo { n: 2 }));
    assert_eq!(at("back 2"), Some(Command::Back { n: 2 }));
    assert_eq!(at("go back three steps"), Some(Command::Back { n: 3 }));
    assert_eq!(at("#4"), Some(Command::Go { id: "#4".into() }));
    assert_eq!(at("go back to #4"), Some(Command::Go { id: "#4".into() }));
    assert_eq!(at("tree"), Some(Command::Tree));
    assert_eq!(at("try again"), Some(Command::Again));
    assert_eq!(at("help undo"), Some(Command::Help { command: Some("undo".into()) }));
}

#[test]
fn a_prompt_that_begins_like_a_command_is_no_command() {
    for line in [
        "a tree",
        "tree in a field",
        "back alley at night",
        "name",
        "go",
        "open sea",
        "new york at night",
        "seed 7",
        "set",
        "#",
    ] {
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
    fails("/mask nan", "nan");
    fails("/freedom", "/freedom");
    fails("/new 0", "0");
    fails("/new 1000", "1000");
    fails("/export tiff", "tiff");
    fails("/sweep k", "k");
    fails("/compare #1", "/compare");
    fails("/seed -4", "-4");
    fails("/cycle --fast", "--fast");
    fails("/", "/");
    fails("/é", "/é");
}

#[test]
fn the_rest_of_the_line_is_kept_as_typed() {
    assert_eq!(at("/new  a cat,  smiling "), Some(Command::New { prompt: Some("a cat,  smiling".into()) }));
    assert_eq!(at("/new 4"), Some(Command::Seeds { n: 4 }));
    assert_eq!(at("/new 4 cats"), Some(Command::New { prompt: Some("4 cats".into()) }));
    assert_eq!(at("/set cross=.2..8"), Some(Command::Set { name: Some("cross".into()), value: Some(".2..8".into()) }));
    assert_eq!(
        at("/set cross { wavy: .4 }"),
        Some(Command::Set { name: Some("cross".into()), value: Some("{ wavy: .4 }".into()) })
    );
    assert_eq!(at("/set"), Some(Command::Set { name: None, value: None }));
    assert_eq!(at("/negative \"\""), Some(Command::Negative { text: Some(String::new()) }));
    assert_eq!(
        at("/export gif my cat.gif"),
        Some(Command::Export { format: Format::Gif, file: Some("my cat.gif".into()) })
    );
    assert_eq!(at("/cycle --in-one #1"), Some(Command::Cycle { id: Some("#1".into()), in_one: true }));
    assert_eq!(at("/show path"), Some(Command::ShowPath));
}

#[test]
fn a_mistyped_command_names_the_nearest() {
    let Err(error) = read("/udno") else { panic!() };
    assert_eq!(error.hint(), Some("did you mean `/undo`?"));
    let Err(error) = read("/expalin x") else { panic!() };
    assert_eq!(error.hint(), Some("did you mean `/explain`?"));
}
