//! During which steps.

use std::ops::Range;

use super::settings::{RegionFrom, Rounding, TurnSettings, Window};
use crate::prompt::Prompt;

/// Which attention a window is for: the published rounding differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// Attention to the words.
    Cross,
    /// Attention of the picture to itself.
    SelfAttention,
}

/// The steps that lie inside a window of a run of `steps` steps.
///
/// `Published` truncates `share * (steps + 1)` for cross-attention and `share * steps` for self-attention, in double
/// precision; `Round` takes the nearest step for both, and at least the first where a share from the start is more than
/// nothing: of four steps a tenth would be none. The result never reaches past the run.
///
/// ```
/// use wordbrush::plan::{settings::{Rounding, Window}, window::{For, steps_of}};
/// assert_eq!(steps_of(Window::until(0.4), 30, Rounding::Round, For::Cross), 0..12);
/// assert_eq!(steps_of(Window::until(0.75), 10, Rounding::Published, For::Cross), 0..8);
/// assert_eq!(steps_of(Window::until(0.75), 10, Rounding::Published, For::SelfAttention), 0..7);
/// ```
#[must_use]
pub fn steps_of(window: Window, steps: usize, rounding: Rounding, what: For) -> Range<usize> {
    let range = rows_of(window, steps, rounding, what);
    let end = range.end.min(steps);
    range.start.min(end)..end
}

/// As [`steps_of`], but may reach one row past the run, as the published schedule does.
#[must_use]
pub fn rows_of(window: Window, steps: usize, rounding: Rounding, what: For) -> Range<usize> {
    let at = |share: f64| match (rounding, what) {
        (Rounding::Round, _) => (share * steps as f64).round() as usize,
        (Rounding::Published, For::Cross) => (share * (steps + 1) as f64) as usize,
        (Rounding::Published, For::SelfAttention) => (share * steps as f64) as usize,
    };
    let (from, mut to) = (at(window.from), at(window.to));
    if rounding == Rounding::Round && window.from == 0.0 && window.to > 0.0 {
        to = to.max(1);
    }
    from..to.max(from)
}

/// How far settings may ask for a run's maps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reach {
    /// Share of the steps to which windows for text maps go.
    pub cross: f64,
    /// Share of the steps to which windows for self-attention go.
    pub own: f64,
    /// Whether self-attention of the last step is asked for, wherever windows end.
    pub ending: bool,
}

impl Reach {
    /// The reach of both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let ending = self.ending || other.ending;
        Self { cross: self.cross.max(other.cross), own: self.own.max(other.own), ending }
    }
}

/// How far these settings ask for maps.
#[must_use]
pub fn reach(settings: &TurnSettings) -> Reach {
    let words = settings.cross_words.values().map(|w| w.to);
    Reach {
        cross: words.fold(settings.cross_replace_steps.to, f64::max),
        own: settings.self_replace_steps.to,
        ending: settings.region_from == RegionFrom::Spread && settings.k > 0.0,
    }
}

/// Words that `cross` names and that a prompt lacks.
#[must_use]
pub fn missing_words<'s>(settings: &'s TurnSettings, prompt: &Prompt) -> Vec<&'s str> {
    let has = |name: &str| {
        let (word, index) = name_and_index(name);
        let same = prompt.words.iter().filter(|other| other.to_lowercase() == word.to_lowercase()).count();
        same >= index.unwrap_or(1).max(1)
    };
    settings.cross_words.keys().map(String::as_str).filter(|name| !has(name)).collect()
}

/// `cat` and 2 of `cat#2`.
fn name_and_index(name: &str) -> (&str, Option<usize>) {
    name.split_once('#').map_or((name, None), |(word, index)| (word, index.parse().ok()))
}

/// The cross window of every token position: the word's own where it has one, the default elsewhere.
///
/// A word is every place where it stands in `prompt`, whatever its capitals.
#[must_use]
pub fn cross_windows(settings: &TurnSettings, prompt: &Prompt, steps: usize) -> Vec<Range<usize>> {
    let of = |window: Window| steps_of(window, steps, settings.window_rounding, For::Cross);
    let mut windows = vec![of(settings.cross_replace_steps); prompt.ids.len()];
    for (name, window) in &settings.cross_words {
        let (name, index) = name_and_index(name);
        let mut seen = 0;
        for (word, tokens) in prompt.words.iter().zip(&prompt.word_tokens) {
            if word.to_lowercase() == name.to_lowercase() {
                seen += 1;
                if index.is_none_or(|i| i == seen) {
                    windows[tokens.clone()].fill(of(*window));
                }
            }
        }
    }
    windows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompt::vocabulary::Marks;

    #[test]
    fn a_share_above_nothing_is_at_least_one_step_and_all_of_them_is_all() {
        for steps in [1, 2, 4, 8, 50] {
            for what in [For::Cross, For::SelfAttention] {
                let of = |share: f64| steps_of(Window::until(share), steps, Rounding::Round, what);
                assert_eq!((of(0.0).len(), of(1.0).len()), (0, steps));
                assert_eq!(of(0.001), 0..1, "of {steps}");
            }
        }
        assert_eq!(steps_of(Window::until(0.1), 4, Rounding::Published, For::Cross), 0..0);
    }

    #[test]
    fn words_with_a_window_of_their_own_that_the_prompt_lacks_are_named() {
        let marks = Marks { start: 1, end: 2, padding: 2, length: 8 };
        let prompt = Prompt::new("a Cat and a cat", &[], marks);
        let named = |words: &[&str]| {
            let windows = words.iter().map(|word| ((*word).to_owned(), Window::until(0.2)));
            let settings = TurnSettings { cross_words: windows.collect(), ..TurnSettings::default() };
            missing_words(&settings, &prompt).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(named(&["zebra"]), ["zebra"]);
        assert_eq!(named(&["cat", "CAT", "cat#2", "a#1"]), [""; 0]);
        assert_eq!(named(&["cat#3", "and", "dog#1"]), ["cat#3", "dog#1"]);
    }
}
