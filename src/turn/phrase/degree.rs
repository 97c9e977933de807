//! How much more or less: `a bit more`, `much longer`, `not so`.

use super::super::desk::{Tok, lows};
use super::super::lexicon::lexicon;

/// How much more or less, by the words that say so; longest first wins. The number multiplies the weight.
pub(super) const DEGREES: &[(&[&str], f64)] = &[
    (&["more"], 1.5),
    (&["even", "more"], 1.5),
    (&["some", "more"], 1.5),
    (&["a", "bit", "more"], 1.25),
    (&["a", "little", "more"], 1.25),
    (&["a", "little", "bit", "more"], 1.25),
    (&["slightly", "more"], 1.25),
    (&["somewhat", "more"], 1.25),
    (&["a", "tad", "more"], 1.25),
    (&["a", "touch", "more"], 1.25),
    (&["a", "few", "more"], 1.25),
    (&["bit", "more"], 1.25),
    (&["much", "more"], 2.0),
    (&["so", "much", "more"], 2.0),
    (&["very", "much", "more"], 2.0),
    (&["a", "lot", "more"], 2.0),
    (&["lots", "more"], 2.0),
    (&["way", "more"], 2.0),
    (&["far", "more"], 2.0),
    (&["many", "more"], 2.0),
    (&["considerably", "more"], 2.0),
    (&["significantly", "more"], 2.0),
    (&["less"], 0.5),
    (&["fewer"], 0.5),
    (&["even", "less"], 0.5),
    (&["a", "bit", "less"], 0.75),
    (&["a", "little", "less"], 0.75),
    (&["a", "little", "bit", "less"], 0.75),
    (&["slightly", "less"], 0.75),
    (&["slightly", "fewer"], 0.75),
    (&["a", "bit", "fewer"], 0.75),
    (&["somewhat", "less"], 0.75),
    (&["a", "tad", "less"], 0.75),
    (&["a", "touch", "less"], 0.75),
    (&["bit", "less"], 0.75),
    (&["much", "less"], 0.25),
    (&["a", "lot", "less"], 0.25),
    (&["way", "less"], 0.25),
    (&["far", "less"], 0.25),
    (&["much", "fewer"], 0.25),
    (&["far", "fewer"], 0.25),
    (&["way", "fewer"], 0.25),
    (&["a", "lot", "fewer"], 0.25),
    (&["considerably", "less"], 0.25),
    (&["significantly", "less"], 0.25),
    (&["hardly"], 0.25),
    (&["barely"], 0.25),
    (&["not", "so"], 0.5),
    (&["not", "as"], 0.5),
    (&["not", "that"], 0.5),
    (&["not", "too"], 0.5),
    (&["not", "very"], 0.5),
    (&["not", "so", "much"], 0.5),
    (&["not", "as", "much"], 0.5),
    (&["not", "that", "much"], 0.5),
    (&["not", "too", "much"], 0.5),
    (&["not", "so", "many"], 0.5),
    (&["not", "as", "many"], 0.5),
    (&["not", "that", "many"], 0.5),
    (&["not", "too", "many"], 0.5),
    (&["not", "quite", "so"], 0.75),
    (&["not", "quite", "as"], 0.75),
    (&["too"], 0.5),
    (&["too", "much"], 0.5),
    (&["too", "many"], 0.5),
    (&["way", "too"], 0.25),
    (&["way", "too", "much"], 0.25),
    (&["way", "too", "many"], 0.25),
    (&["much", "too"], 0.25),
    (&["much", "too", "much"], 0.25),
    (&["far", "too"], 0.25),
    (&["far", "too", "much"], 0.25),
    (&["far", "too", "many"], 0.25),
    (&["a", "bit", "too"], 0.75),
    (&["a", "bit", "too", "much"], 0.75),
    (&["a", "little", "too"], 0.75),
    (&["slightly", "too"], 0.75),
    (&["twice", "as"], 2.0),
    (&["half", "as"], 0.5),
];

/// What stands before a comparative.
pub(super) const STEPS: &[(&[&str], f64)] = &[
    (&["much"], 2.0),
    (&["a", "lot"], 2.0),
    (&["way"], 2.0),
    (&["far"], 2.0),
    (&["lots"], 2.0),
    (&["considerably"], 2.0),
    (&["even"], 1.5),
    (&["a", "bit"], 1.25),
    (&["a", "little"], 1.25),
    (&["a", "little", "bit"], 1.25),
    (&["slightly"], 1.25),
    (&["somewhat"], 1.25),
    (&["a", "tad"], 1.25),
    (&["a", "touch"], 1.25),
];

/// The degree that tokens begin with: the factor and how many words say it.
pub(super) fn degree(toks: &[Tok]) -> Option<(f64, usize)> {
    let words = lows(&toks[..toks.len().min(5)]);
    let found = DEGREES.iter().filter(|(p, _)| words.starts_with(p)).max_by_key(|(p, _)| p.len())?;
    let mut n = found.0.len();
    if words.get(n) == Some(&"of") {
        n += 1;
    }
    Some((found.1, n))
}

/// The comparative that tokens begin with: its word, the factor, and how many words say it (`a bit longer`: 3).
pub(super) fn comparative(toks: &[Tok]) -> Option<(String, f64, usize)> {
    let words = lows(&toks[..toks.len().min(5)]);
    let (factor, n) = STEPS
        .iter()
        .filter(|(p, _)| words.starts_with(p))
        .max_by_key(|(p, _)| p.len())
        .map_or((1.5, 0), |(p, f)| (*f, p.len()));
    let base = lexicon().comparative(words.get(n)?)?;
    Some((base, factor, n + 1))
}

/// A spoken number of times at the end: `increase the snow a bit`.
pub(super) fn amount(toks: &[Tok]) -> (&[Tok], Option<bool>) {
    const LITTLE: &[&[&str]] =
        &[&["a", "bit"], &["a", "little"], &["slightly"], &["a", "little", "bit"], &["somewhat"], &["a", "tad"]];
    const MUCH: &[&[&str]] = &[&["a", "lot"], &["much"], &["greatly"], &["very", "much"], &["strongly"]];
    let words = lows(toks);
    for (list, much) in [(LITTLE, false), (MUCH, true)] {
        if let Some(p) = list.iter().filter(|p| words.len() > p.len() && words.ends_with(p)).max_by_key(|p| p.len()) {
            return (&toks[..toks.len() - p.len()], Some(much));
        }
    }
    (toks, None)
}
