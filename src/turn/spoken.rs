//! Commands said in words: `undo twice`, `go back to #3`, `try again`. Only a line that can mean nothing else is one.
//!
//! What a command does is not known here: a line becomes a name and the argument as it would be typed after it.

use std::borrow::Cow;

use super::{Misread, Span};

/// A part of a line between blanks, and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// The part as typed, or as it would be typed.
    pub text: Cow<'a, str>,
    /// Where it stands.
    pub span: Span,
}

/// The parts of a line.
#[must_use]
pub fn parts<'a>(line: &'a str) -> Vec<Part<'a>> {
    let mut end = 0;
    let part = |text: &'a str| {
        let from = end + line[end..].find(text).unwrap_or_default();
        end = from + text.len();
        Part { text: text.into(), span: Span { from, to: end } }
    };
    line.split_whitespace().map(part).collect()
}

/// A command that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its name.
    pub name: String,
    /// Its argument as it would be typed, at the place that says it.
    pub argument: Option<Part<'static>>,
}

/// Reads a line as a command said in words. `known` says of a name whether there is such a command, and whether its name
/// alone may be said.
///
/// # Errors
/// `undo` or `redo` with something that is no number of steps.
pub fn spoken(line: &str, known: impl Fn(&str) -> Option<bool>) -> Result<Option<Said>, Misread> {
    let clean = |part: Part<'_>| {
        let text = part.text.trim_end_matches(['.', '!', '?', ',']);
        (text.to_owned(), Span { to: part.span.from + text.len(), ..part.span })
    };
    let mut typed: Vec<(String, Span)> = parts(line).into_iter().map(clean).filter(|(w, _)| !w.is_empty()).collect();
    let mut low: Vec<String> = typed.iter().map(|(word, _)| word.to_lowercase()).collect();
    while low.len() > 1 && matches!(low[0].as_str(), "please" | "ok" | "okay" | "now" | "just") {
        low.remove(0);
        typed.remove(0);
    }
    while low.len() > 1 && matches!(low[low.len() - 1].as_str(), "please" | "thanks") {
        low.pop();
        typed.pop();
    }
    let words: Vec<&str> = low.iter().map(String::as_str).collect();
    let (Some((first, rest)), Some((_, last))) = (words.split_first(), typed.last()) else { return Ok(None) };
    let said = |name: &str, argument: Option<(String, Span)>| {
        let argument = argument.map(|(text, span)| Part { text: text.into(), span });
        Some(Said { name: name.to_owned(), argument })
    };
    let alone = |name: &str| said(name, None);
    // Everything after the first word.
    let after = Span { from: typed.get(1).map_or(last.from, |(_, span)| span.from), to: last.to };
    let with = |name: &str, argument: String| said(name, Some((argument, after)));
    Ok(match (*first, rest) {
        (one, []) if one.starts_with('#') && one.len() > 1 && one[1..].chars().all(|c| c.is_ascii_alphanumeric()) => {
            said("go", Some(typed[0].clone()))
        }
        ("undo" | "redo" | "back", []) => alone(first),
        ("undo" | "redo" | "back", [n]) if is_number(n) => with(first, (*n).to_owned()),
        ("undo" | "redo", more) => match steps(more) {
            Some(n) => with(first, n.to_string()),
            None => {
                return Err(Misread {
                    message: format!("`{first}` takes a number of steps"),
                    hint: Some(format!("{first} 2")),
                    span: Some(after),
                });
            }
        },
        ("revert", [] | ["that" | "it"]) | ("never", ["mind"]) => alone("undo"),
        ("back" | "return", ["to", id]) | ("go", ["back", "to", id] | ["to", id] | [id])
            if id.starts_with('#') && id.len() > 1 =>
        {
            with("go", (*id).to_owned())
        }
        ("go", ["back"]) => alone("back"),
        ("back", more) | ("go", ["back", more @ ..]) if more.iter().any(|w| count(w).is_some()) => {
            steps(more).and_then(|n| with("back", n.to_string()))
        }
        ("try", ["again"]) | ("once", ["again" | "more"]) | ("one", ["more", "time"]) | ("do", ["it", "again"]) => {
            alone("again")
        }
        ("start", ["over"]) => alone("new"),
        ("help", [name]) if known(name.trim_start_matches('/')).is_some() => {
            with("help", name.trim_start_matches('/').to_owned())
        }
        (name, []) if known(name) == Some(true) => alone(name),
        _ => None,
    })
}

/// How many steps `three times`, `that` or `the last two edits` are.
fn steps(words: &[&str]) -> Option<usize> {
    match words {
        ["that" | "it" | "this" | "once" | "again"] => Some(1),
        ["the" | "my", "last", ..] | ["last", ..] if words.len() <= 4 => {
            Some(words.iter().find_map(|w| count(w)).unwrap_or(1))
        }
        ["twice"] => Some(2),
        [n] | [n, "step" | "steps" | "times" | "time" | "edits" | "edit" | "turns" | "turn"] => count(n),
        _ => None,
    }
}

fn is_number(word: &str) -> bool {
    word.trim_start_matches('-').chars().all(|c| c.is_ascii_digit())
}

fn count(word: &str) -> Option<usize> {
    const WORDS: [&str; 10] = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    WORDS.iter().position(|w| *w == word).map(|i| i + 1).or_else(|| word.parse().ok().filter(|n| *n > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The command that a line says, as it would be typed, where only `tree` may be said and only `set` must be typed.
    fn said(line: &str) -> Option<String> {
        let known = |name: &str| match name {
            "tree" => Some(true),
            "set" => Some(false),
            _ => None,
        };
        let said = spoken(line, known).unwrap_or_else(|e| panic!("{line}: {e}"))?;
        Some(said.argument.map_or(said.name.clone(), |part| format!("{} {}", said.name, part.text)))
    }

    #[test]
    fn what_can_only_be_a_command_is_one() {
        for (line, command) in [
            ("undo", "undo"),
            ("Undo 3", "undo 3"),
            ("undo twice, please", "undo 2"),
            ("undo the last two edits", "undo 2"),
            ("never mind", "undo"),
            ("back 2", "back 2"),
            ("go back three steps", "back 3"),
            ("#4", "go #4"),
            ("#4 please", "go #4"),
            ("go back to #4", "go #4"),
            ("tree!", "tree"),
            ("try again", "again"),
            ("start over", "new"),
            ("help set", "help set"),
        ] {
            assert_eq!(said(line).as_deref(), Some(command), "{line}");
        }
    }

    #[test]
    fn a_prompt_that_begins_like_a_command_is_none() {
        for line in ["a tree", "tree in a field", "back alley at night", "go", "set", "help me", "#", "", "# tree"] {
            assert_eq!(said(line), None, "{line}");
        }
    }

    #[test]
    fn steps_that_are_no_number_are_pointed_at() {
        let line = "please undo the hat";
        let span = spoken(line, |_| None).unwrap_err().span.unwrap();
        assert_eq!(&line[span.from..span.to], "the hat");
    }

    #[test]
    fn parts_know_where_they_stand() {
        let found = parts(" a  bab b\t");
        let found: Vec<_> = found.iter().map(|p| (&*p.text, p.span.from, p.span.to)).collect();
        assert_eq!(found, [("a", 1, 2), ("bab", 4, 7), ("b", 8, 9)]);
    }
}
