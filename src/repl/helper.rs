//! What the editor of lines knows of the conversation: what Tab offers (`candidates`), and the dim rest of what is
//! probably being typed (`hint`).

mod candidates;
mod hint;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rustyline::Context;
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::validate::Validator;

pub use hint::Rest;

use crate::safe::{is_printable, printable_line};
use crate::session::Session;
use crate::session::home::Home;

/// The words a model knows, once they are there.
pub type KnownWords = Arc<OnceLock<Vec<String>>>;

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
    pub vocabulary: KnownWords,
    /// Where sessions live.
    pub sessions: PathBuf,
    /// Cells of a line that are left after the prompt.
    pub room: usize,
}

impl Known {
    /// What may be offered in a session.
    #[must_use]
    pub fn of(session: &Session, home: &Home, vocabulary: &KnownWords, room: usize) -> Self {
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
}

/// The editor's helper.
#[derive(Debug, Clone, Default)]
pub struct Helper {
    /// What may be offered now.
    pub known: Known,
    /// Whether nothing but ASCII can be shown.
    pub is_ascii: bool,
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

impl Highlighter for Helper {
    // What moves the cursor or turns the reading direction is never shown raw, not even as it is pasted.
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if line.chars().all(is_printable) {
            return Cow::Borrowed(line);
        }
        Cow::Owned(line.chars().filter_map(stand_in).collect())
    }

    fn highlight_char(&self, line: &str, _: usize, _: CmdKind) -> bool {
        !line.chars().all(is_printable)
    }

    // Faint is no colour, so NO_COLOR leaves it.
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("\x1b[2m{hint}\x1b[22m"))
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        Cow::Owned(format!("\x1b[1m{prompt}\x1b[22m"))
    }
}

/// What is shown of a character while it is edited, as wide as the editor takes it for: controls by their pictures, a tab
/// as a blank, marks of the reading direction not at all.
fn stand_in(c: char) -> Option<char> {
    match c {
        c if is_printable(c) => Some(c),
        '\t' => Some(' '),
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)),
        '\u{7f}' => Some('\u{2421}'),
        '\u{80}'..='\u{9f}' => Some('\u{fffd}'),
        _ => None,
    }
}

impl Validator for Helper {}

impl rustyline::Helper for Helper {}
