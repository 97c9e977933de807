//! What Tab offers, and the dim rest of what is probably being typed.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustyline::Context;
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::{Hint, Hinter};
use rustyline::history::SearchDirection;
use rustyline::validate::Validator;

use crate::plan::settings::{PRESETS, Settings, TABLE, find};
use crate::safe::{is_printable, printable_line};
use crate::session::Session;
use crate::session::home::Home;
use crate::turn::commands::{COMMANDS, entry};

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

/// A hint is this much shorter than the line has room for, so that the cursor never wraps.
const MARGIN: usize = 1;

/// The words a model knows, once they are there.
pub type Vocabulary = Arc<OnceLock<Vec<String>>>;

/// What may be offered where we are.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Ids of nodes, `#1` and so on.
    pub ids: Vec<String>,
    /// Names of nodes.
    pub names: Vec<String>,
    /// Words of the present prompt, in its order, each once.
    pub words: Vec<String>,
    /// Words that the model knows.
    pub vocabulary: Vocabulary,
    /// Where sessions live.
    pub sessions: PathBuf,
    /// Cells of a line that are left after the prompt.
    pub room: usize,
}

impl Known {
    /// What may be offered in a session.
    #[must_use]
    pub fn of(session: &Session, home: &Home, vocabulary: &Vocabulary, room: usize) -> Self {
        let tree = session.tree();
        let mut words: Vec<String> = Vec::new();
        for word in tree.current().map_or("", |node| node.plan.prompt.as_str()).split_whitespace() {
            let word = word.trim_matches(|c: char| !c.is_alphanumeric());
            if word.chars().count() > 1 && word.chars().all(is_printable) && !words.iter().any(|w| w == word) {
                words.push(word.to_owned());
            }
        }
        Self {
            ids: tree.nodes().iter().map(|node| format!("#{}", node.number)).collect(),
            names: tree.names().map(|(name, _)| printable_line(name)).collect(),
            words,
            vocabulary: vocabulary.clone(),
            sessions: home.sessions().to_owned(),
            room,
        }
    }

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
            let name = entry(name).map_or(name, |e| e.name);
            return self.arguments(name, rest, line, word_at);
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
            return self.arguments(e.name, rest, line, word_at);
        }
        (word_at, self.prompt_words(word))
    }

    fn prompt_words(&self, word: &str) -> Vec<String> {
        let mut all = beginning_with(word, self.words.iter().cloned());
        if !word.is_empty() {
            let low = word.to_lowercase();
            append(&mut all, beginning_with(&low, self.vocabulary.get().into_iter().flatten().cloned()));
        }
        all
    }

    fn arguments(&self, command: &str, rest: &str, line: &str, word_at: usize) -> (usize, Vec<String>) {
        let word = &line[word_at..];
        let is_first = !rest.trim_start().contains(char::is_whitespace);
        let from = |all: &mut dyn Iterator<Item = String>| (word_at, beginning_with(word, all));
        match command {
            "go" | "compare" | "pick" | "rebase" => from(&mut self.nodes()),
            "show" => from(&mut self.nodes().chain(["path".to_owned()])),
            "cycle" => from(&mut self.nodes().chain(["--in-one".to_owned()])),
            "preset" => from(&mut PRESETS.iter().map(|p| p.0.to_owned())),
            "words" => from(&mut crate::turn::kinds().keys().map(|k| (*k).to_owned())),
            "maps" => from(&mut self.words.iter().cloned()),
            "help" => from(&mut COMMANDS.iter().map(|e| e.name.to_owned())),
            "sweep" => from(&mut TABLE.iter().map(|s| format!("{}=", s.name))),
            "set" if is_first => {
                from(&mut TABLE.iter().flat_map(|s| [s.name, s.alias]).filter(|n| !n.is_empty()).map(str::to_owned))
            }
            "set" => {
                let name = rest.split_whitespace().next().unwrap_or_default();
                if name == "model" {
                    return files(rest.trim_start_matches("model").trim_start(), line, &["embedded"]);
                }
                (word_at, beginning_with(word, self.values(name).into_iter()))
            }
            "model" => files(rest.trim_start(), line, &["embedded"]),
            "export" if is_first => from(&mut ["png", "gif", "html", "json"].into_iter().map(str::to_owned)),
            "export" => {
                files(rest.trim_start().split_once(char::is_whitespace).map_or("", |r| r.1).trim_start(), line, &[])
            }
            "open" | "replay" => {
                let names = session_names(&self.sessions);
                files(rest.trim_start(), line, &names.iter().map(String::as_str).collect::<Vec<_>>())
            }
            "explain" | "new" | "negative" => (word_at, self.prompt_words(word)),
            _ => (word_at, Vec::new()),
        }
    }

    fn nodes(&self) -> impl Iterator<Item = String> {
        self.ids.iter().chain(&self.names).cloned()
    }

    /// The values of a setting that can be listed.
    fn values(&self, name: &str) -> Vec<String> {
        let Some(setting) = find(name) else { return Vec::new() };
        match setting.name {
            "negative" => return Vec::new(),
            "blend_words" => return ["auto".to_owned()].into_iter().chain(self.words.iter().cloned()).collect(),
            "substruct_words" => return ["none".to_owned()].into_iter().chain(self.words.iter().cloned()).collect(),
            _ => {}
        }
        let words = setting.values.split([',', ' ']).filter(|w| w.chars().any(char::is_alphabetic) && *w != "or");
        let takes = |word: &&str| Settings::default().set(setting.name, word).is_ok();
        words.filter(takes).map(str::to_owned).collect()
    }

    /// The rest of what is probably being typed; `older` finds the newest line of the history that begins so.
    fn rest(&self, line: &str, older: impl FnOnce(&str) -> Option<String>) -> Option<Rest> {
        if line.trim().is_empty() {
            return None;
        }
        if let Some(typed) = line.strip_prefix('/') {
            if let Some(e) = entry(typed.trim_end()).filter(|e| !e.signature.is_empty()) {
                let blank = if line.ends_with(' ') { "" } else { " " };
                return Some(Rest { shown: format!("{blank}{}", e.signature), taken: None });
            }
            if !typed.contains(char::is_whitespace) {
                let name = COMMANDS.iter().map(|e| e.name).find(|name| name.starts_with(typed))?;
                let e = entry(name)?;
                let taken = name[typed.len()..].to_owned();
                let shown = format!("{taken} {}", e.signature).trim_end().to_owned();
                return Some(Rest { shown, taken: Some(taken) }).filter(|rest| !rest.shown.is_empty());
            }
        }
        if let Some(old) = older(line).filter(|old| old.len() > line.len() && old.chars().all(is_printable)) {
            return Some(Rest::of(&old[line.len()..]));
        }
        if self.words.iter().any(|word| word == line) {
            return Some(Rest { shown: " -> …".to_owned(), taken: Some(" -> ".to_owned()) });
        }
        let (at, candidates) = self.candidates(line);
        let word = &line[at..];
        let mut sure = candidates.iter().filter(|c| c.starts_with(word) && c.len() > word.len());
        let first = sure.next()?;
        // A word of the prompt is likely; of the model's words only one that nothing else begins like.
        let is_likely =
            line.starts_with('/') || self.words.contains(first) || (word.chars().count() > 2 && sure.next().is_none());
        (is_likely && word.chars().count() > 1).then(|| Rest::of(&first[word.len()..]))
    }
}

/// Bytes of the character at `at`.
fn last_len(line: &str, at: usize) -> usize {
    line[at..].chars().next().map_or(1, char::len_utf8)
}

fn aliases(e: &crate::turn::commands::Entry) -> impl Iterator<Item = String> {
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

/// The dim rest of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    shown: String,
    taken: Option<String>,
}

impl Rest {
    fn of(text: &str) -> Self {
        Self { shown: text.to_owned(), taken: Some(text.to_owned()) }
    }
}

impl Hint for Rest {
    fn display(&self) -> &str {
        &self.shown
    }

    fn completion(&self) -> Option<&str> {
        self.taken.as_deref()
    }
}

/// The editor's helper.
#[derive(Debug, Clone, Default)]
pub struct Helper {
    /// What may be offered now.
    pub known: Known,
}

impl Completer for Helper {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, found) = self.known.candidates(&line[..pos]);
        let pair = |c: String| {
            let display = if start > 0 {
                c.rsplit_once('/').filter(|(_, name)| !name.is_empty()).map_or(c.clone(), |(_, name)| name.to_owned())
            } else {
                c.clone()
            };
            Pair { display, replacement: c }
        };
        Ok((start, found.into_iter().map(pair).collect()))
    }
}

impl Hinter for Helper {
    type Hint = Rest;

    fn hint(&self, line: &str, pos: usize, ctx: &Context<'_>) -> Option<Rest> {
        if pos < line.len() {
            return None;
        }
        let older = |start: &str| {
            let newest = ctx.history().len().checked_sub(1)?;
            let found = ctx.history().starts_with(start, newest, SearchDirection::Reverse).ok()??;
            Some(found.entry.into_owned())
        };
        let mut rest = self.known.rest(line, older)?;
        let room = self.known.room.saturating_sub(line.chars().count() + MARGIN);
        if rest.shown.chars().count() > room {
            rest.shown = rest.shown.chars().take(room.saturating_sub(1)).chain(['…']).collect();
        }
        (room > 2).then_some(rest)
    }
}

impl Highlighter for Helper {
    // Faint is no colour, so NO_COLOR leaves it.
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("\x1b[2m{hint}\x1b[22m"))
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        Cow::Owned(format!("\x1b[1m{prompt}\x1b[22m"))
    }
}

impl Validator for Helper {}

impl rustyline::Helper for Helper {}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let vocabulary = Vocabulary::default();
        vocabulary
            .set(["bald", "beard", "black", "blond", "sunglasses", "sunset"].map(str::to_owned).to_vec())
            .unwrap();
        let list = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        Known {
            ids: list(&["#1", "#2", "#12"]),
            names: list(&["good"]),
            words: list(&["woman's", "face", "with", "long", "blond", "hair"]),
            vocabulary,
            sessions: PathBuf::from("/nowhere"),
            room: 60,
        }
    }

    #[track_caller]
    fn offers(line: &str, at: usize, expected: &[&str]) {
        assert_eq!(known().candidates(line), (at, expected.iter().map(|e| (*e).to_owned()).collect()), "{line:?}");
    }

    #[track_caller]
    fn hints(line: &str, expected: &str) {
        assert_eq!(known().rest(line, |_| None).map_or(String::new(), |r| r.shown), expected, "{line:?}");
    }

    #[test]
    fn commands_and_their_arguments_are_offered() {
        offers("/und", 0, &["/undo"]);
        offers("/go ", 4, &["#1", "#2", "#12", "good"]);
        offers("/go #1", 4, &["#1", "#12"]);
        offers("go g", 3, &["good"]);
        offers("/compare #1 #2", 12, &["#2"]);
        offers("/set cross", 5, &["cross_replace_steps", "cross"]);
        offers("/set v_layers ", 14, &["cross", "self", "both"]);
        offers("/set precision b", 15, &["bf16"]);
        offers("/set k ", 7, &[]);
        offers("/preset cl", 8, &["clp2p"]);
        offers("/help und", 6, &["undo"]);
        offers("/export g", 8, &["gif"]);
        offers("/maps ha", 6, &["hair"]);
    }

    #[test]
    fn words_of_the_prompt_come_before_those_of_the_model() {
        offers("bl", 0, &["blond", "black"]);
        offers("blond -> bl", 9, &["blond", "black"]);
        offers("blond->bla", 7, &["black"]);
        offers("with suns", 5, &["sunset"]);
        offers("#1", 0, &["#1", "#12"]);
    }

    #[test]
    fn an_empty_line_offers_bare_commands_and_no_words() {
        let (at, all) = known().candidates("");
        assert!(at == 0 && all.contains(&"undo".to_owned()) && !all.contains(&"blond".to_owned()), "{all:?}");
    }

    #[test]
    fn every_listed_value_of_every_setting_can_be_set() {
        for setting in TABLE.iter().filter(|s| !["blend_words", "substruct_words"].contains(&s.name)) {
            for value in known().values(setting.name) {
                assert!(Settings::default().set(setting.name, &value).is_ok(), "{} {value}", setting.name);
            }
        }
        assert_eq!(known().values("renormalize"), ["off", "on"]);
    }

    #[test]
    fn files_are_offered_with_their_folder_and_hidden_ones_only_when_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["fox.png", "fog.jsonl", ".fo"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        std::fs::create_dir(folder.path().join("food")).unwrap();
        let lead = format!("{}/", folder.path().display());
        let line = format!("/open {lead}fo");
        let expected: Vec<String> = ["fog.jsonl", "food/", "fox.png"].iter().map(|f| format!("{lead}{f}")).collect();
        assert_eq!(known().candidates(&line), (6, expected));
        assert_eq!(known().candidates(&format!("/open {lead}.f")).1, [format!("{lead}.fo")]);
    }

    #[test]
    fn the_rest_is_hinted_where_it_is_likely() {
        hints("/und", "o [n]");
        hints("/undo", " [n]");
        hints("/tre", "e");
        hints("/tree", "");
        hints("blo", "nd");
        hints("bl", "ond");
        hints("b", "");
        hints("blond", " -> …");
        hints("blond -> bla", "ck");
        hints("with sun", "");
        hints("xyz", "");
        hints("", "");
    }

    #[test]
    fn an_older_line_is_hinted_unless_it_has_control_characters() {
        let rest = |old: &str| known().rest("a c", |_| Some(old.to_owned())).map(|r| r.shown);
        assert_eq!(rest("a cat"), Some("at".to_owned()));
        assert_eq!(rest("a c\u{1b}[2J"), None);
    }

    #[test]
    fn nothing_is_offered_inside_a_character() {
        offers("/go ü", 4, &[]);
        offers("ü, bl", 4, &["blond", "black"]);
    }
}
