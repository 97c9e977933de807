//! A command line that cannot be read, in the words in which every other error is told.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use clap::{Arg, Command};

use super::verbs;
use crate::session::file::Hinted;
use crate::turn::nearest;

/// What is the case, and one thing to try. `verb` is the first word, whether it is a verb or not.
pub(super) fn told(error: &Error, verb: &str) -> Hinted {
    let mut tree = verbs::tree();
    tree.build();
    let (name, command) = tree.find_subcommand(verb).map_or(("", &tree), |command| (verb, command));
    let word = |kind| text(error, kind).unwrap_or_default();
    let (arg, value) = (bare(&word(ContextKind::InvalidArg)), word(ContextKind::InvalidValue));
    let option = arg.split(' ').next().unwrap_or_default();
    let example = || command.get_after_help().map_or_else(|| help(name), ToString::to_string);
    match error.kind() {
        ErrorKind::InvalidValue if value.is_empty() => Hinted::new(format!("`{option}` needs a value"), example()),
        ErrorKind::InvalidValue => {
            let known = texts(error, ContextKind::ValidValue);
            let taker = if option.starts_with('-') { option } else { name };
            let hint = nearest(&value, known.iter().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
            let message = format!("`{taker}` takes {}, but got `{value}`", listed(&known));
            Hinted::new(message, hint.unwrap_or_else(example))
        }
        ErrorKind::ValueValidation => {
            let source = error.source();
            let hint = source.and_then(|cause| cause.downcast_ref::<Hinted>()).map(|cause| cause.hint().to_owned());
            let case = source.map_or_else(|| "cannot be read".to_owned(), ToString::to_string);
            Hinted::new(format!("`{option} {value}` {case}"), hint.filter(|h| !h.is_empty()).unwrap_or_else(example))
        }
        ErrorKind::MissingRequiredArgument => {
            let missing: Vec<String> = texts(error, ContextKind::InvalidArg).iter().map(|arg| bare(arg)).collect();
            Hinted::new(format!("`{name}` needs {}", missing.join(" and ")), example())
        }
        ErrorKind::InvalidUtf8 => Hinted::new("a word of the command line is no text", example()),
        _ => stray(&text(error, ContextKind::InvalidSubcommand).unwrap_or(arg), name, command, &tree),
    }
}

/// A word that is no option, verb or file that could stand here.
fn stray(word: &str, verb: &str, command: &Command, tree: &Command) -> Hinted {
    if let Some(option) = word.strip_prefix('-') {
        let near = nearest(option.trim_start_matches('-'), command.get_arguments().filter_map(Arg::get_long));
        let hint = near.map(|near| format!("did you mean `--{near}`?"));
        return Hinted::new(format!("there is no option `{word}` here"), hint.unwrap_or_else(|| help(verb)));
    }
    if !verb.is_empty() {
        let example = command.get_after_help().map_or_else(|| help(verb), ToString::to_string);
        return Hinted::new(format!("`{word}` is one too many"), example);
    }
    let near = nearest(word, tree.get_subcommands().map(Command::get_name));
    let hint = near.map_or_else(|| help(""), |near| format!("wordbrush {near}"));
    Hinted::new(format!("`{word}` is not understood"), hint)
}

fn help(verb: &str) -> String {
    if verb.is_empty() { "wordbrush --help".to_owned() } else { format!("wordbrush {verb} --help") }
}

/// `--out <DIR>` as it is typed.
fn bare(arg: &str) -> String {
    arg.chars().filter(|c| !"<>[]".contains(*c)).collect::<String>().trim_end_matches('.').to_owned()
}

fn text(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    }
}

fn texts(error: &Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::Strings(texts)) => texts.clone(),
        Some(ContextValue::String(text)) => vec![text.clone()],
        _ => Vec::new(),
    }
}

/// `png, gif or html`.
fn listed(words: &[String]) -> String {
    match words {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        words => words.concat(),
    }
}
