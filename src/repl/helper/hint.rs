//! The dim rest of what is probably being typed.

use rustyline::Context;
use rustyline::hint::{Hint, Hinter};
use rustyline::history::SearchDirection;

use super::{Helper, Known};
use crate::preview::ascii::ascii;
use crate::repl::commands::{COMMANDS, entry};
use crate::safe::{cells, cut, is_printable};

/// A hint is this much shorter than the line has room for, so that the cursor never wraps.
const MARGIN: usize = 1;

impl Known {
    /// The rest of what is probably being typed; `older` finds the newest line of the history that begins so.
    pub(super) fn rest(&self, line: &str, older: impl FnOnce(&str) -> Option<String>) -> Option<Rest> {
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

/// The dim rest of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    pub(super) shown: String,
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
        let etc = if self.is_ascii { '~' } else { '…' };
        if self.is_ascii {
            rest.shown = ascii(&rest.shown);
        }
        let room = self.known.room.saturating_sub(cells(line) + MARGIN);
        if cells(&rest.shown) > room {
            rest.shown = format!("{}{etc}", cut(&rest.shown, room.saturating_sub(1)));
        }
        (room > 2).then_some(rest)
    }
}
