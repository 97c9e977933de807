//! Errors of models' files, with one thing to try.

use std::fmt;

/// What is wrong with a model's file, in words for people. Inside an [`anyhow::Error`] it is found by `downcast_ref`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelError {
    message: String,
    hint: &'static str,
}

impl ModelError {
    /// One thing to try.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        self.hint
    }
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ModelError {}

/// An error of this room; both sentences in lower case, without a full stop.
pub(super) fn trouble(message: impl Into<String>, hint: &'static str) -> anyhow::Error {
    ModelError { message: message.into(), hint }.into()
}

/// What a file is instead of what its name says, by its first bytes: a Git LFS pointer, a web page.
pub(super) fn mistaken(start: &[u8], path: &str) -> Option<anyhow::Error> {
    let start = start.trim_ascii_start();
    let begins = |with: &str| start.get(..with.len()).is_some_and(|s| s.eq_ignore_ascii_case(with.as_bytes()));
    if begins("version https://git-lfs") {
        let message = format!("{path} is a Git LFS pointer, which stands for a file that was not fetched");
        return Some(trouble(
            message,
            "run `git lfs pull` in the folder it was cloned to, or download the file itself",
        ));
    }
    if begins("<!doctype") || begins("<html") || begins("<?xml") {
        let message = format!("{path} is a web page, not the file of that name");
        return Some(trouble(
            message,
            "download the file again, by the link that fetches it and not the one that shows it",
        ));
    }
    None
}
