//! Did you mean: the nearest of a few words to one that was mistyped, and the nearest that a model knows.

use super::lexicon::lexicon;
use super::small::is_function_word;

/// Steps from `a` to `b`: letters put in, left out, exchanged, or two neighbours turned round. At most `limit + 1`.
pub(super) fn distance(a: &str, b: &str, limit: usize) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    if a.len().abs_diff(b.len()) > limit {
        return limit + 1;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (above[j] + 1).min(row[j - 1] + 1).min(above[j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()].min(limit + 1)
}

/// The candidate nearest to `word`, if one is near enough to be meant: a third of the letters may differ.
///
/// A candidate that begins with the word, or the word with it, counts as near (`glass`, `glasses`). Of equals the first
/// wins.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = super::words::lower(word);
    let letters = word.chars().count();
    if letters == 0 || letters > 40 {
        return None;
    }
    let limit = if letters <= 2 { 1 } else { (letters / 3).max(1) };
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let low = super::words::lower(candidate);
        let mut steps = distance(&word, &low, limit + 1) * 2;
        let shorter = letters.min(low.chars().count());
        if shorter >= 3 && (low.starts_with(&word) || word.starts_with(&low)) {
            steps = steps.min(3);
        }
        let near = steps <= limit * 2 || (steps == 3 && shorter >= 3);
        if near && best.is_none_or(|(s, _)| steps < s) && (letters > 2 || low.chars().count() > 1) {
            best = Some((steps, candidate));
        }
    }
    best.map(|b| b.1)
}

/// Of the words that a model knows the one nearest in meaning, or what a mistyped word must have been; `None` if it
/// knows nothing like it.
///
/// Vocabularies hold fragments of words (`ie`, `eld`): only words that are listed here are offered.
#[must_use]
pub fn nearest_known(word: &str, known: &[&str]) -> Option<String> {
    let word = super::words::lower(word);
    let words = || known.iter().copied().filter(|w| lexicon().lists(w));
    if let Some(same) = words().find(|w| *w != word && lexicon().same(w, &word)) {
        return Some(same.to_owned());
    }
    if let Some(alike) = lexicon().alike(&word).find(|w| known.contains(w)) {
        return Some(alike.to_owned());
    }
    // A word that is spelled right is not mistyped.
    if lexicon().lists(&word) || is_function_word(&word) || word.chars().count() < 5 {
        return None;
    }
    let limit = if word.chars().count() < 7 { 1 } else { 2 };
    let first = word.chars().next();
    let steps = |w: &&str| distance(&word, w, limit);
    words().filter(|w| w.chars().next() == first && steps(w) <= limit).min_by_key(steps).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_doubled_or_turned_letter_is_found() {
        let words = ["tortoise", "cat", "glasses"];
        assert_eq!(nearest("tortise", words), Some("tortoise"));
        assert_eq!(nearest("catt", words), Some("cat"));
        assert_eq!(nearest("glass", words), Some("glasses"));
        assert_eq!(nearest("cta", words), Some("cat"));
    }

    #[test]
    fn a_word_unlike_all_others_finds_none() {
        assert_eq!(nearest("xylophone", ["cat", "dog"]), None);
        assert_eq!(nearest("", ["cat"]), None);
    }

    #[test]
    fn turned_neighbours_are_one_step() {
        assert_eq!(distance("mkae", "make", 3), 1);
        assert_eq!(distance("cat", "elephant", 2), 3);
    }
}
