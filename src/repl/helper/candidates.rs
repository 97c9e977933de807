//! What Tab offers.

use std::path::{Path, PathBuf};

use super::Known;
use crate::plan::settings::{self, PRESETS, Settings, TABLE, find};
use crate::repl::commands::{COMMANDS, Entry, Group, Offers, entry};
use crate::repl::look::export::Format;
use crate::safe::is_printable;

/// Words that English edits begin with.
const BEGINNINGS: [&str; 16] = [
    "add",
    "change",
    "give",
    "instead of",
    "less",
    "make",
    "more",
    "much more",
    "put",
    "remove",
    "replace",
    "swap",
    "take",
    "turn",
    "with",
    "without",
];

impl Known {
    /// Where the word that ends at the end of `line` begins, and what it may become, the likeliest first.
    #[must_use]
    pub fn candidates(&self, line: &str) -> (usize, Vec<String>) {
        let word_at =
            line.rfind(|c: char| c.is_whitespace() || "(,>+\"".contains(c)).map_or(0, |i| i + last_len(line, i));
        if let Some(typed) = line.strip_prefix('/') {
            let Some((name, rest)) = typed.split_once(char::is_whitespace) else {
                let names = COMMANDS.iter().map(|e| format!("/{}", e.name)).chain(COMMANDS.iter().flat_map(aliases));
                return (0, beginning_with(line, names));
            };
            return entry(name).map_or((word_at, Vec::new()), |e| self.arguments(e, rest, line, word_at));
        }
        let word = &line[word_at..];
        if word_at == 0 {
            if word.starts_with('#') {
                return (0, beginning_with(word, self.ids.iter().cloned()));
            }
            let bare = COMMANDS.iter().filter(|e| e.bare).map(|e| e.name.to_owned());
            let mut all = beginning_with(word, bare.chain(BEGINNINGS.iter().map(|b| (*b).to_owned())));
            if !word.is_empty() {
                append(&mut all, self.prompt_words(word));
            }
            return (0, all);
        }
        // `go #3` without its slash.
        if let Some((name, rest)) = line.split_once(char::is_whitespace)
            && let Some(e) = entry(name).filter(|e| e.bare)
        {
            return self.arguments(e, rest, line, word_at);
        }
        let mut all = self.prompt_words(word);
        if word.is_empty() {
            append(&mut all, self.likely_words());
        }
        (word_at, all)
    }

    /// Words that the model knows of the kinds that the prompt's words are of; of all kinds where it has none of any.
    fn likely_words(&self) -> Vec<String> {
        let kinds = crate::turn::kinds();
        let is_of = |words: &[&str]| self.words.iter().any(|word| words.contains(&word.to_lowercase().as_str()));
        let any = kinds.values().any(|words| is_of(words));
        let mut listed: Vec<&str> = kinds.values().filter(|words| !any || is_of(words)).flatten().copied().collect();
        listed.sort_unstable();
        let known = self.vocabulary.get().into_iter().flatten();
        known.filter(|word| listed.binary_search(&word.as_str()).is_ok()).cloned().collect()
    }

    fn prompt_words(&self, word: &str) -> Vec<String> {
        let mut all = beginning_with(word, self.words.iter().cloned());
        if !word.is_empty() {
            let low = word.to_lowercase();
            append(&mut all, beginning_with(&low, self.vocabulary.get().into_iter().flatten().cloned()));
        }
        all
    }

    fn arguments(&self, command: &Entry, rest: &str, line: &str, word_at: usize) -> (usize, Vec<String>) {
        let word = &line[word_at..];
        let rest = rest.trim_start();
        // What stands after the first argument, if anything may.
        let second = rest.split_once(char::is_whitespace).map(|(_, second)| second.trim_start());
        let from = |all: &mut dyn Iterator<Item = String>| (word_at, beginning_with(word, all));
        match command.offers {
            Offers::Nothing => (word_at, Vec::new()),
            Offers::Nodes(more) => {
                from(&mut self.nodes().chain([more.to_owned()].into_iter().filter(|more| !more.is_empty())))
            }
            Offers::Presets => from(&mut PRESETS.iter().map(|p| p.0.to_owned())),
            Offers::Kinds => from(&mut crate::turn::kinds().keys().map(|k| (*k).to_owned())),
            Offers::Words => from(&mut self.words.iter().cloned()),
            Offers::Text => (word_at, self.prompt_words(word)),
            Offers::Commands => {
                let more = Group::ALL.into_iter().map(|g| g.title().to_lowercase()).chain(["all".to_owned()]);
                from(&mut COMMANDS.iter().map(|e| e.name.to_owned()).chain(more))
            }
            Offers::Axes => from(&mut TABLE.iter().map(|s| format!("{}=", s.name))),
            Offers::Settings => match (rest.split_whitespace().next(), second) {
                (Some("model"), Some(typed)) => files(typed, line, &["embedded"]),
                (Some("lora" | "embedding"), Some(typed)) => files(typed, line, &["off"]),
                (Some("vae"), Some(typed)) => files(typed, line, &["auto"]),
                (Some(name), Some(_)) => from(&mut self.values(name).into_iter()),
                _ => from(&mut settings::names().map(str::to_owned)),
            },
            Offers::Models => files(rest, line, &["embedded"]),
            Offers::Exports => match second {
                None => from(&mut Format::ALL.into_iter().map(|f| f.name().to_owned())),
                Some(typed) => files(typed, line, &[]),
            },
            Offers::Sessions => {
                let names = session_names(&self.sessions);
                files(rest, line, &names.iter().map(String::as_str).collect::<Vec<_>>())
            }
        }
    }

    fn nodes(&self) -> impl Iterator<Item = String> {
        self.ids.iter().chain(&self.names).cloned()
    }

    /// The values of a setting that can be listed.
    pub(super) fn values(&self, name: &str) -> Vec<String> {
        let Some(setting) = find(name) else { return Vec::new() };
        if setting.values == "text" {
            return Vec::new();
        }
        // Settings that take words take those of the prompt, in place of the word that stands for them in the table.
        let takes_words = setting.values.starts_with("words,");
        let words = self.words.iter().filter(|_| takes_words).cloned();
        let takes = |word: &&str| Settings::default().set(setting.name, word).is_ok();
        let listed = setting.listed().skip(usize::from(takes_words)).filter(takes).map(str::to_owned);
        listed.chain(words).collect()
    }
}

/// Bytes of the character at `at`.
fn last_len(line: &str, at: usize) -> usize {
    line[at..].chars().next().map_or(1, char::len_utf8)
}

fn aliases(e: &Entry) -> impl Iterator<Item = String> {
    e.aliases.iter().filter(|a| a.len() > 2).map(|a| format!("/{a}"))
}

fn beginning_with(start: &str, all: impl Iterator<Item = String>) -> Vec<String> {
    all.filter(|one| one.starts_with(start)).collect()
}

fn append(all: &mut Vec<String>, more: Vec<String>) {
    for one in more {
        if !all.contains(&one) {
            all.push(one);
        }
    }
}

/// Names of saved sessions, without opening them.
fn session_names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|e| Some(e.file_name().to_str()?.strip_suffix(".jsonl")?.to_owned()))
        .filter(|name| name.chars().all(is_printable))
        .collect();
    names.sort();
    names
}

/// Files and folders that begin with `typed`, the end of `line`, and those of `also` that do.
fn files(typed: &str, line: &str, also: &[&str]) -> (usize, Vec<String>) {
    let mut all: Vec<String> =
        also.iter().filter(|name| name.starts_with(typed)).map(|name| (*name).to_owned()).collect();
    let (folder, start) = typed.rsplit_once('/').map_or(("", typed), |(folder, start)| (folder, start));
    let lead = &typed[..typed.len() - start.len()];
    let place = match folder {
        "" if lead.is_empty() => PathBuf::from("."),
        "" => PathBuf::from("/"),
        _ => match folder.strip_prefix('~').zip(std::env::var_os("HOME")) {
            Some((below, home)) => PathBuf::from(home).join(below.trim_start_matches('/')),
            None => PathBuf::from(folder),
        },
    };
    let mut found: Vec<String> = std::fs::read_dir(place)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| {
            let name = e.file_name().to_str()?.to_owned();
            let fits = name.starts_with(start)
                && name.chars().all(is_printable)
                && (!name.starts_with('.') || start.starts_with('.'));
            let slash = if e.path().is_dir() { "/" } else { "" };
            fits.then(|| format!("{lead}{name}{slash}"))
        })
        .collect();
    found.sort();
    append(&mut all, found);
    (line.len() - typed.len(), all)
}
