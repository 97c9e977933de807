//! A command as it was typed, and how its function reads what stands after its name.

use std::fmt;

use anyhow::Result;

use super::Entry;
use crate::repl::reply::Reply;
use crate::repl::talk::{Talk, Watcher};
use crate::turn::{Misread, Part, Span};

/// A command with its arguments. An error points at the argument and hints the example of the table.
#[derive(Debug)]
pub struct Called<'a> {
    /// The whole line.
    pub line: &'a str,
    pub(super) entry: &'static Entry,
    pub(super) name: Span,
    /// The arguments.
    pub given: Vec<Part<'a>>,
}

impl fmt::Display for Called<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.entry.name)?;
        self.given.iter().try_for_each(|part| write!(f, " {}", part.text))
    }
}

impl Called<'_> {
    /// Carries it out.
    ///
    /// # Errors
    /// Fails if the arguments do not fit, or it cannot be carried out; what was there before is still there.
    pub fn carry_out(&self, talk: &mut Talk, watcher: &mut dyn Watcher) -> Result<Reply> {
        if self.entry.signature.is_empty() {
            self.at_most(0)?;
        }
        (self.entry.run)(talk, self, watcher)
    }

    /// The command's name.
    pub(crate) fn called(&self) -> &'static str {
        self.entry.name
    }

    /// A line that uses it.
    pub(crate) fn example(&self) -> &'static str {
        self.entry.example
    }

    /// An error at an argument; at the name where there is none.
    pub(crate) fn error(&self, at: Option<&Part<'_>>, message: String) -> Misread {
        Misread {
            message,
            hint: Some(self.entry.example.to_owned()),
            span: Some(at.map_or(self.name, |part| part.span)),
        }
    }

    pub(crate) fn at_most(&self, n: usize) -> Result<(), Misread> {
        self.given.get(n).map_or(Ok(()), |extra| Err(self.too_many(extra)))
    }

    pub(crate) fn too_many(&self, extra: &Part<'_>) -> Misread {
        let (name, text) = (self.entry.name, &extra.text);
        let message = if self.entry.signature.is_empty() {
            format!("`/{name}` takes nothing, but got `{text}`")
        } else {
            format!("`{text}` is one word too many for `/{name}`")
        };
        self.error(Some(extra), message)
    }

    /// The argument at `i`, if it is given.
    pub(crate) fn word(&self, i: usize) -> Option<&str> {
        self.given.get(i).map(|part| &*part.text)
    }

    pub(crate) fn needed(&self, i: usize) -> Result<&str, Misread> {
        self.word(i).ok_or_else(|| self.error(None, format!("`/{}` needs {}", self.entry.name, self.entry.signature)))
    }

    /// The only argument.
    pub(crate) fn one(&self) -> Result<&str, Misread> {
        self.at_most(1)?;
        self.needed(0)
    }

    /// Steps: a whole number from 1 on, 1 if not given.
    pub(crate) fn steps(&self) -> Result<usize, Misread> {
        self.at_most(1)?;
        let Some(text) = self.word(0) else { return Ok(1) };
        text.parse().ok().filter(|n| (1..=1_000_000).contains(n)).ok_or_else(|| {
            let message = format!("`/{}` takes a number of steps from 1 on, but got `{text}`", self.entry.name);
            self.error(self.given.first(), message)
        })
    }

    /// A share from 0 to 1.
    pub(crate) fn share(&self) -> Result<Option<f64>, Misread> {
        self.at_most(1)?;
        let Some(text) = self.word(0) else { return Ok(None) };
        let share = text.parse().ok().filter(|x| (0.0..=1.0).contains(x));
        share.map(Some).ok_or_else(|| {
            let message = format!("`/{}` takes a number from 0 to 1, but got `{text}`", self.entry.name);
            self.error(self.given.first(), message)
        })
    }

    /// Everything from the argument at `i` on, as typed.
    pub(crate) fn text_from(&self, i: usize) -> Option<&str> {
        let first = self.given.get(i)?;
        Some(self.line[first.span.from..].trim_end())
    }

    /// Everything after the name, as typed.
    pub(crate) fn text(&self) -> Option<&str> {
        self.text_from(0)
    }

    pub(crate) fn needed_text(&self) -> Result<&str, Misread> {
        self.needed(0)?;
        Ok(self.text().unwrap_or_default())
    }
}
