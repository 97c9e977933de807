//! The ways from a picture back to noise that there are, by name: one row each. What each does is in
//! [`engine::inversion`](crate::engine::inversion).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How a picture was inverted; part of the recipe and of every node's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InversionName {
    /// DDIM run backwards, without guidance.
    Ddim,
    /// The same, then an empty prompt optimised at each step so that guided steps retrace the way (Mokady et al. 2022).
    NullText,
    /// The same, and the way down is guided away from the written prompt itself (Miyake et al. 2023).
    NegativePrompt,
    /// The same, and the way down is put right after every step (Ju et al. 2023).
    Direct,
    /// Noise for every step that leads back to the picture (Huberman-Spiegelglas et al. 2023).
    #[default]
    EditFriendly,
}

/// Each with its name in files and ids, which never changes.
const ROWS: [(InversionName, &str); 5] = [
    (InversionName::Ddim, "ddim"),
    (InversionName::NullText, "null-text"),
    (InversionName::NegativePrompt, "negative-prompt"),
    (InversionName::Direct, "direct"),
    (InversionName::EditFriendly, "edit-friendly"),
];

impl InversionName {
    /// The choices, as a table of settings would show them.
    pub const CHOICES: &'static str = "ddim, null-text, negative-prompt, direct or edit-friendly";

    /// All inversions.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.into_iter().map(|(inversion, _)| inversion)
    }

    /// Whether what edits start from is the inversion's own latents, each of them. Otherwise it is what a run from the
    /// noisiest of them leads to, as published, and that drifts from the picture.
    #[must_use]
    pub fn is_held(self) -> bool {
        matches!(self, Self::Direct | Self::EditFriendly)
    }

    /// Latents that inverting a picture shows, over `steps` steps.
    #[must_use]
    pub fn latents(self, steps: usize) -> usize {
        if self == Self::NullText { 2 * steps } else { steps }
    }

    /// Its name in files and ids.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        ROWS.into_iter().find(|(inversion, _)| *inversion == self).map_or(ROWS[0].1, |(_, name)| name)
    }
}

impl fmt::Display for InversionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for InversionName {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::all().find(|inversion| inversion.as_str() == name);
        found.ok_or_else(|| anyhow::anyhow!("`{name}` is no inversion; there are: {}", Self::CHOICES))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_inversion_is_a_choice_and_is_read_as_it_is_written() {
        let names: Vec<&str> = InversionName::all().map(InversionName::as_str).collect();
        let (last, others) = names.split_last().unwrap();
        assert_eq!(InversionName::CHOICES, format!("{} or {last}", others.join(", ")));
        for inversion in InversionName::all() {
            assert_eq!(inversion.to_string().parse::<InversionName>().unwrap(), inversion);
        }
        assert_eq!(
            "nulltext".parse::<InversionName>().unwrap_err().to_string(),
            "`nulltext` is no inversion; there are: ddim, null-text, negative-prompt, direct or edit-friendly"
        );
    }
}
