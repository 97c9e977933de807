//! Which words say what a change is about.

use super::lexicon::lexicon;
use super::small::is_function_word;
use super::words;

/// Of some words of a text, those that mean something, each with the noun it belongs to: `blond` in `blond hair` brings
/// `hair`. Articles, prepositions and marks mean nothing here. Indices count [`words::split`]; the result is in order.
#[must_use]
pub fn with_their_nouns(text: &str, chosen: &[usize]) -> Vec<usize> {
    let items = words::split(text);
    let low: Vec<String> = items.iter().map(|w| w.text.to_lowercase()).collect();
    let means = |i: usize| !items[i].is_mark() && !items[i].is_possessive() && !is_function_word(&low[i]);
    let modifies =
        |i: usize| lexicon().is_adjective(&low[i]) || items.get(i + 1).is_some_and(words::Word::is_possessive);
    let mut found = Vec::new();
    for &i in chosen.iter().filter(|i| **i < items.len() && means(**i)) {
        found.push(i);
        if !lexicon().is_adjective(&low[i]) {
            continue;
        }
        // The noun of an adjective is the first word after it that modifies nothing itself.
        let rest = (i + 1..items.len()).take_while(|j| means(*j) || items[*j].is_possessive());
        found.extend(rest.into_iter().find(|j| means(*j) && !modifies(*j)));
    }
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, chosen: &[usize], expected: &str) {
        let items = words::split(text);
        let found: Vec<&str> = with_their_nouns(text, chosen).into_iter().map(|i| items[i].text).collect();
        assert_eq!(found.join(" "), expected);
    }

    #[test]
    fn an_adjective_brings_the_noun_it_belongs_to() {
        check("a woman's face with long wavy blond hair", &[7], "blond hair");
        check("a woman's face with long wavy blond hair", &[5], "long hair");
    }

    #[test]
    fn a_noun_stands_alone_and_small_words_mean_nothing() {
        check("a river between mountains", &[1], "river");
        check("a face with round glasses", &[2, 3, 4], "round glasses");
        check("a face, at night", &[2, 3, 4], "night");
        check("a cat", &[0], "");
    }

    #[test]
    fn an_adjective_at_the_end_has_no_noun() {
        check("a woman's face, smiling", &[5], "smiling");
    }
}
