//! From a line to a command: with a slash always, without it if the line is nothing else.

use super::super::nearest::nearest;
use super::super::{Misread, Span};
use super::{COMMANDS, Command, Entry, Format, entry};

/// An argument and where it stands in the line.
#[derive(Debug, Clone, Copy)]
struct Arg<'a> {
    text: &'a str,
    from: usize,
}

fn args(line: &str, from: usize) -> Vec<Arg<'_>> {
    let mut all = Vec::new();
    let mut start = None;
    for (i, c) in line[from..].char_indices().chain(std::iter::once((line.len() - from, ' '))) {
        match (c.is_whitespace(), start) {
            (false, None) => start = Some(i),
            (true, Some(s)) => {
                all.push(Arg { text: &line[from + s..from + i], from: from + s });
                start = None;
            }
            _ => {}
        }
    }
    all
}

/// Reads a command. `None` if the line is no command.
///
/// # Errors
/// An unknown name after `/`, or arguments that do not fit.
pub fn read(line: &str) -> Result<Option<Command>, Misread> {
    let start = line.len() - line.trim_start().len();
    let words = args(line, start);
    let Some(first) = words.first() else { return Ok(None) };
    if let Some(name) = first.text.strip_prefix('/') {
        let low = name.to_lowercase();
        return match entry(&low) {
            Some(entry) => parse(line, entry, *first, &words[1..]).map(Some),
            None => Err(unknown(*first, &low)),
        };
    }
    spoken(line, &words)
}

fn unknown(name: Arg<'_>, low: &str) -> Misread {
    let span = Some(Span { from: name.from, to: name.from + name.text.len() });
    if low.is_empty() {
        return Misread { message: "no command stands after `/`".into(), hint: Some("/help lists them".into()), span };
    }
    let names = COMMANDS.iter().flat_map(|e| std::iter::once(e.name).chain(e.aliases.iter().copied()));
    let hint = match nearest(low, names) {
        Some(near) => format!("did you mean `/{near}`?"),
        None => "/help lists the commands".to_owned(),
    };
    Misread { message: format!("`{}` is not a command", name.text), hint: Some(hint), span }
}

/// Commands without a slash: only if nothing else can be meant.
fn spoken(line: &str, words: &[Arg<'_>]) -> Result<Option<Command>, Misread> {
    let clean = |w: &Arg<'_>| w.text.trim_end_matches(['.', '!', '?', ',']).to_lowercase();
    let low: Vec<String> = words.iter().map(clean).filter(|w| !w.is_empty()).collect();
    let mut texts: Vec<&str> = low.iter().map(String::as_str).collect();
    while texts.len() > 1 && matches!(texts.first(), Some(&("please" | "ok" | "okay" | "now" | "just"))) {
        texts.remove(0);
    }
    while texts.len() > 1 && matches!(texts.last(), Some(&("please" | "thanks"))) {
        texts.pop();
    }
    let (Some(&first_word), Some(first)) = (texts.first(), words.first()) else { return Ok(None) };
    if let [one] = texts.as_slice()
        && one.starts_with('#')
        && one.len() > 1
        && one[1..].chars().all(|c| c.is_ascii_alphanumeric())
    {
        return Ok(Some(Command::Go { id: words[words.len() - 1].text.trim_end_matches(['.', '!', ',']).to_owned() }));
    }
    let steps = |more: &[&str]| -> Option<usize> {
        match more {
            [] | ["that" | "it" | "this" | "once" | "again"] => Some(1),
            ["the" | "my", "last", ..] | ["last", ..] if more.len() <= 4 => match more.iter().find_map(|w| count(w)) {
                Some(n) => Some(n),
                None => Some(1),
            },
            ["twice"] => Some(2),
            [n] => count(n),
            [n, "step" | "steps" | "times" | "time" | "edits" | "edit" | "turns" | "turn"] => count(n),
            _ => None,
        }
    };
    let rest = &texts[1..];
    let digits = |w: &str| !w.is_empty() && w.trim_start_matches('-').chars().all(|c| c.is_ascii_digit());
    let command = match (first_word, rest) {
        ("undo" | "redo" | "back", [n]) if digits(n) => {
            let Some(entry) = entry(first_word) else { return Ok(None) };
            let Some(arg) = words.iter().find(|w| clean(w) == **n) else { return Ok(None) };
            return parse(line, entry, *first, &[Arg { text: &arg.text[..n.len()], from: arg.from }]).map(Some);
        }
        ("undo", more) => match steps(more) {
            Some(n) => Command::Undo { n },
            None => return Err(takes(first, "undo", words)),
        },
        ("redo", more) => match steps(more) {
            Some(n) => Command::Redo { n },
            None => return Err(takes(first, "redo", words)),
        },
        ("revert", []) | ("revert", ["that" | "it"]) | ("never", ["mind"]) => Command::Undo { n: 1 },
        ("back", ["to", id]) | ("go", ["back", "to", id]) | ("go", ["to", id] | [id]) | ("return", ["to", id])
            if id.starts_with('#') && id.len() > 1 =>
        {
            Command::Go { id: (*id).to_owned() }
        }
        ("back", []) | ("go", ["back"]) => Command::Back { n: 1 },
        ("back", more) | ("go", ["back", more @ ..]) if !more.is_empty() && more.iter().any(|w| count(w).is_some()) => {
            match steps(more) {
                Some(n) => Command::Back { n },
                None => return Ok(None),
            }
        }
        ("try", ["again"]) | ("once", ["again" | "more"]) | ("one", ["more", "time"]) | ("do", ["it", "again"]) => {
            Command::Again
        }
        ("start", ["over"]) => Command::New { prompt: None },
        ("help", [name]) if entry(name.trim_start_matches('/')).is_some() => {
            Command::Help { command: Some(name.trim_start_matches('/').to_owned()) }
        }
        (name, []) => match entry(name) {
            Some(entry)
                if entry.bare && (entry.name == name || name.len() > 1) && !entry.signature.starts_with("ID") =>
            {
                return parse(line, entry, *first, &[]).map(Some);
            }
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    Ok(Some(command))
}

fn takes(first: &Arg<'_>, name: &str, words: &[Arg<'_>]) -> Misread {
    let last = words.last().unwrap_or(first);
    let from = words.get(1).unwrap_or(first).from;
    Misread {
        message: format!("`{name}` takes a number of steps"),
        hint: Some(format!("{name} 2")),
        span: Some(Span { from, to: last.from + last.text.len() }),
    }
}

fn count(word: &str) -> Option<usize> {
    const WORDS: [&str; 10] = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    WORDS.iter().position(|w| *w == word).map(|i| i + 1).or_else(|| word.parse().ok().filter(|n| *n > 0))
}

/// What a command may say about its arguments.
struct Args<'a> {
    line: &'a str,
    entry: &'static Entry,
    name: Arg<'a>,
    args: &'a [Arg<'a>],
}

impl<'a> Args<'a> {
    fn error(&self, at: Option<Arg<'_>>, message: String) -> Misread {
        let at = at.unwrap_or(self.name);
        Misread {
            message,
            hint: Some(self.entry.example.to_owned()),
            span: Some(Span { from: at.from, to: at.from + at.text.len() }),
        }
    }

    fn at_most(&self, n: usize) -> Result<(), Misread> {
        match self.args.get(n) {
            None => Ok(()),
            Some(extra) if n == 0 => {
                Err(self.error(Some(*extra), format!("`/{}` takes nothing, but got `{}`", self.entry.name, extra.text)))
            }
            Some(extra) => {
                Err(self
                    .error(Some(*extra), format!("`{}` is one word too many for `/{}`", extra.text, self.entry.name)))
            }
        }
    }

    fn needed(&self, i: usize) -> Result<String, Misread> {
        match self.args.get(i) {
            Some(arg) => Ok(arg.text.to_owned()),
            None => Err(self.error(None, format!("`/{}` needs {}", self.entry.name, self.entry.signature))),
        }
    }

    /// Steps: a whole number from 1 on, 1 if not given.
    fn steps(&self) -> Result<usize, Misread> {
        self.at_most(1)?;
        let Some(arg) = self.args.first() else { return Ok(1) };
        match arg.text.parse::<usize>() {
            Ok(n) if (1..=1_000_000).contains(&n) => Ok(n),
            _ => Err(self.error(
                Some(*arg),
                format!("`/{}` takes a number of steps from 1 on, but got `{}`", self.entry.name, arg.text),
            )),
        }
    }

    /// A share from 0 to 1.
    fn share(&self, i: usize) -> Result<Option<f64>, Misread> {
        let Some(arg) = self.args.get(i) else { return Ok(None) };
        match arg.text.parse::<f64>() {
            Ok(x) if (0.0..=1.0).contains(&x) => Ok(Some(x)),
            _ => Err(self.error(
                Some(*arg),
                format!("`/{}` takes a number from 0 to 1, but got `{}`", self.entry.name, arg.text),
            )),
        }
    }

    /// Everything after the name, as typed.
    fn text(&self) -> Option<String> {
        let first = self.args.first()?;
        Some(self.line[first.from..].trim_end().to_owned())
    }

    fn needed_text(&self) -> Result<String, Misread> {
        self.needed(0)?;
        Ok(self.text().unwrap_or_default())
    }

    fn all(&self) -> Vec<String> {
        self.args.iter().map(|a| a.text.to_owned()).collect()
    }
}

fn parse(line: &str, entry: &'static Entry, name: Arg<'_>, given: &[Arg<'_>]) -> Result<Command, Misread> {
    let a = Args { line, entry, name, args: given };
    let nothing = |command| a.at_most(0).map(|()| command);
    let one = || a.at_most(1).and_then(|()| a.needed(0));
    match entry.name {
        "undo" => Ok(Command::Undo { n: a.steps()? }),
        "redo" => Ok(Command::Redo { n: a.steps()? }),
        "back" => Ok(Command::Back { n: a.steps()? }),
        "go" => Ok(Command::Go { id: one()? }),
        "branch" => Ok(Command::Branch { name: one()? }),
        "tree" => nothing(Command::Tree),
        "log" => nothing(Command::Log),
        "name" => Ok(Command::Name { text: a.needed_text()? }),
        "new" => match given {
            [n] if n.text.trim_start_matches(['-', '+']).chars().all(|c| c.is_ascii_digit()) => {
                match n.text.parse::<usize>() {
                    Ok(n) if (1..=64).contains(&n) => Ok(Command::Seeds { n }),
                    _ => Err(a.error(Some(*n), format!("`/new` draws 1 to 64 pictures, but got `{}`", n.text))),
                }
            }
            _ => Ok(Command::New { prompt: a.text() }),
        },
        "stronger" => nothing(Command::Stronger),
        "weaker" => nothing(Command::Weaker),
        "seed" => {
            let text = one()?;
            match text.parse::<u64>() {
                Ok(n) => Ok(Command::Seed { n }),
                Err(_) => {
                    Err(a
                        .error(given.first().copied(), format!("a seed is a whole number from 0 on, but got `{text}`")))
                }
            }
        }
        "again" => nothing(Command::Again),
        "vary" => nothing(Command::Vary),
        "pick" => Ok(Command::Pick { id: one()? }),
        "rebase" => Ok(Command::Rebase { id: one()? }),
        "collapse" => nothing(Command::Collapse),
        "cycle" => {
            let in_one = |arg: &Arg<'_>| matches!(arg.text, "--in-one" | "in-one");
            let rest: Vec<Arg<'_>> = given.iter().filter(|arg| !in_one(arg)).copied().collect();
            let b = Args { line, entry, name, args: &rest };
            b.at_most(1)?;
            if let Some(arg) = rest.first().filter(|arg| arg.text.starts_with("--")) {
                return Err(a.error(Some(*arg), format!("`/cycle` does not know `{}`", arg.text)));
            }
            Ok(Command::Cycle { id: rest.first().map(|r| r.text.to_owned()), in_one: given.iter().any(in_one) })
        }
        "sweep" => {
            a.needed(0)?;
            if let Some(bad) = given.iter().find(|g| !g.text.contains('=') && !matches!(g.text, "gif" | "csv")) {
                return Err(a.error(Some(*bad), format!("`{}` is not of the form name=values", bad.text)));
            }
            Ok(Command::Sweep { specs: a.all() })
        }
        "show" => match given {
            [path] if path.text == "path" => Ok(Command::ShowPath),
            _ => Ok(Command::Show { ids: a.all() }),
        },
        "compare" => {
            a.at_most(2)?;
            Ok(Command::Compare { a: a.needed(0)?, b: a.needed(1)? })
        }
        "sheet" => nothing(Command::Sheet),
        "maps" => Ok(Command::Maps { word: a.text() }),
        "mask" => {
            a.at_most(1)?;
            Ok(Command::Mask { k: a.share(0)? })
        }
        "explain" => Ok(Command::Explain { edit: a.needed_text()? }),
        "set" => {
            let Some(text) = a.text() else { return Ok(Command::Set { name: None, value: None }) };
            let cut = text.find(|c: char| c == '=' || c.is_whitespace());
            let (name, value) = match cut {
                Some(at) => (
                    text[..at].to_owned(),
                    text[at..].trim_start_matches(|c: char| c == '=' || c.is_whitespace()).to_owned(),
                ),
                None => (text, String::new()),
            };
            if name.is_empty() {
                return Err(a.error(given.first().copied(), "no setting stands left of `=`".to_owned()));
            }
            Ok(Command::Set { name: Some(name), value: (!value.is_empty()).then_some(value) })
        }
        "preset" => Ok(Command::Preset { name: one()? }),
        "freedom" => {
            one()?;
            Ok(Command::Freedom { x: a.share(0)?.unwrap_or_default() })
        }
        "negative" => {
            let text = a.text().map(|t| if matches!(t.as_str(), "\"\"" | "''") { String::new() } else { t });
            Ok(Command::Negative { text })
        }
        "model" => Ok(Command::Model { name: a.text() }),
        "save" => Ok(Command::Save { name: a.text() }),
        "open" => Ok(Command::Open { file: a.needed_text()? }),
        "sessions" => nothing(Command::Sessions),
        "export" => {
            let format = match a.needed(0)?.to_lowercase().as_str() {
                "png" => Format::Png,
                "gif" => Format::Gif,
                "html" => Format::Html,
                "json" => Format::Json,
                other => {
                    return Err(a.error(
                        given.first().copied(),
                        format!("`/export` writes png, gif, html or json, but got `{other}`"),
                    ));
                }
            };
            let file = given.get(1).map(|first| line[first.from..].trim_end().to_owned());
            Ok(Command::Export { format, file })
        }
        "replay" => Ok(Command::Replay { file: a.needed_text()? }),
        "words" => Ok(Command::Words { kind: a.text() }),
        "help" => {
            a.at_most(1)?;
            let Some(arg) = given.first() else { return Ok(Command::Help { command: None }) };
            let low = arg.text.trim_start_matches('/').to_lowercase();
            if super::entry(&low).is_none() {
                return Err(unknown(*arg, &low));
            }
            Ok(Command::Help { command: Some(low) })
        }
        "about" => nothing(Command::About),
        "quit" => nothing(Command::Quit),
        other => Err(a.error(None, format!("BUG: `/{other}` is in the table but is not read"))),
    }
}
