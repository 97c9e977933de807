//! A word that comes back comes back as it was.
//!
//! Every word and punctuation mark of a prompt has an identity, kept through edits. A column of a map comes from the
//! nearest ancestor that carried the same identity with the same tokens, so a word that was given up and is taken back
//! finds its old column, however many turns lie between. Start, end and padding (counted from the end) keep theirs
//! without being told.

use std::ops::Range;

use super::Column;
use crate::prompt::Prompt;
use crate::turn::Replaced;

/// One point on the way to the root: its prompt, and for each word its identity and absolute weight.
#[derive(Debug, Clone, PartialEq)]
pub struct Ancestry {
    /// Text, words and tokens.
    pub prompt: Prompt,
    /// One per word.
    pub identities: Vec<u32>,
    /// One per word.
    pub weights: Vec<f64>,
}

fn same(a: &str, b: &str) -> bool {
    a == b || a.to_lowercase() == b.to_lowercase()
}

/// Whether two lists of words are equal but for capitals.
#[must_use]
pub fn same_words(a: &[String], b: &[String]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
}

/// The place of each kept word in the parent: `None` for the words of a span.
fn kept(spans: &[Replaced], words: usize) -> Vec<Option<usize>> {
    let mut source = 0;
    let mut places = vec![None; words];
    let mut target = 0;
    for span in spans {
        while target < span.target.start && target < words {
            places[target] = Some(source);
            (source, target) = (source + 1, target + 1);
        }
        (source, target) = (span.source.end, span.target.end);
    }
    for place in places.iter_mut().skip(target) {
        *place = Some(source);
        source += 1;
    }
    places
}

/// Identities of a prompt's words. `family` is nearest first; empty at a root, where all are new.
#[must_use]
pub fn identities(family: &[&Ancestry], new: &Prompt, spans: &[Replaced]) -> Vec<u32> {
    let n = new.words.len();
    let mut next = family.iter().flat_map(|g| &g.identities).max().map_or(0, |m| m + 1);
    let Some(parent) = family.first() else {
        return (0..n as u32).collect();
    };
    if let Some(ancestor) = family.iter().find(|g| same_words(&g.prompt.words, &new.words)) {
        return ancestor.identities.clone();
    }
    let mut found: Vec<Option<u32>> =
        kept(spans, n).iter().map(|place| place.and_then(|p| parent.identities.get(p).copied())).collect();
    for span in spans {
        for word in span.target.clone() {
            found[word] = taken_back(family, new, &found, word, &span.target);
        }
        let given_up: Vec<u32> =
            parent.identities[span.source.clone()].iter().copied().filter(|id| !found.contains(&Some(*id))).collect();
        let gained: Vec<usize> = span.target.clone().filter(|w| found[*w].is_none()).collect();
        let pass_on = given_up.len() == gained.len();
        for (i, word) in gained.into_iter().enumerate() {
            found[word] = Some(if pass_on {
                given_up[i]
            } else {
                next += 1;
                next - 1
            });
        }
    }
    found.into_iter().flatten().collect()
}

/// The identity of an equal word that an ancestor had in the same gap, unless another word of the new prompt has it.
fn taken_back(
    family: &[&Ancestry],
    new: &Prompt,
    found: &[Option<u32>],
    word: usize,
    gap: &Range<usize>,
) -> Option<u32> {
    let before: Vec<u32> = found[..gap.start].iter().flatten().copied().collect();
    let after: Vec<u32> = found[gap.end..].iter().flatten().copied().collect();
    family.iter().find_map(|ancestor| {
        let has = |id: &u32| ancestor.identities.contains(id);
        let left = before.iter().rev().find(|id| has(id)).copied();
        let right = after.iter().find(|id| has(id)).copied();
        // Neighbours in the ancestor, skipping those that the new prompt lacks.
        let shared = |id: &u32| before.contains(id) || after.contains(id);
        (0..ancestor.identities.len()).find_map(|i| {
            let id = ancestor.identities[i];
            let fits = same(&ancestor.prompt.words[i], &new.words[word])
                && !found.contains(&Some(id))
                && ancestor.identities[..i].iter().rev().find(|id| shared(id)).copied() == left
                && ancestor.identities[i + 1..].iter().find(|id| shared(id)).copied() == right;
            fits.then_some(id)
        })
    })
}

/// The source of every token's column.
#[must_use]
pub fn columns(family: &[&Ancestry], new: &Prompt, identities: &[u32], spans: &[Replaced]) -> Vec<Column> {
    let mut columns = vec![Column::Own; new.ids.len()];
    if family.is_empty() {
        return columns;
    }
    let one = |up: usize, token: usize| Column::From { up, tokens: vec![(token, 1.0)] };
    columns[0] = one(1, 0);
    // A cut prompt has no room for its end; the last position is the end's all the same.
    columns[new.end] = one(1, family[0].prompt.end);
    for (pad, column) in columns[new.end..].iter_mut().enumerate().skip(1) {
        let found = family.iter().position(|g| g.prompt.end + pad < g.prompt.ids.len());
        if let Some(i) = found {
            *column = one(i + 1, family[i].prompt.end + pad);
        }
    }
    let mut lost: Vec<usize> = Vec::new();
    for (word, id) in identities.iter().enumerate() {
        let tokens = new.word_tokens[word].clone();
        let found = family.iter().enumerate().find_map(|(i, g)| {
            let at = g.identities.iter().position(|other| other == id)?;
            (g.prompt.ids_of(at) == new.ids_of(word)).then(|| (i + 1, g.prompt.word_tokens[at].clone()))
        });
        match found {
            Some((up, source)) => {
                for (target, source) in tokens.zip(source) {
                    columns[target] = one(up, source);
                }
            }
            None => lost.push(word),
        }
    }
    for span in spans {
        swap(family[0], new, identities, span, &lost, &mut columns);
    }
    columns
}

/// Columns of the words of a span that found no ancestor: from the words given up, one to one if there are equally many
/// words, else from all of them; in either case n tokens to m, each target token gets the sum divided by m.
fn swap(parent: &Ancestry, new: &Prompt, identities: &[u32], span: &Replaced, lost: &[usize], columns: &mut [Column]) {
    let gained: Vec<usize> = span.target.clone().filter(|w| lost.contains(w)).collect();
    let kept_ids: Vec<u32> = (0..new.words.len()).filter(|w| !gained.contains(w)).map(|w| identities[w]).collect();
    let given_up: Vec<usize> = span.source.clone().filter(|w| !kept_ids.contains(&parent.identities[*w])).collect();
    if gained.is_empty() || given_up.is_empty() {
        return;
    }
    let tokens = |prompt: &Prompt, words: &[usize]| -> Vec<usize> {
        words.iter().flat_map(|w| prompt.word_tokens[*w].clone()).collect()
    };
    if gained.len() == given_up.len() {
        for (g, s) in gained.iter().zip(&given_up) {
            n_to_m(&tokens(&parent.prompt, &[*s]), &tokens(new, &[*g]), columns);
        }
    } else {
        n_to_m(&tokens(&parent.prompt, &given_up), &tokens(new, &gained), columns);
    }
}

/// n source tokens to m target tokens: one to one if n = m, else each target token gets all sources times 1/m.
fn n_to_m(source: &[usize], target: &[usize], columns: &mut [Column]) {
    if source.is_empty() {
        return;
    }
    let share = 1.0 / target.len() as f32;
    for (i, t) in target.iter().enumerate() {
        let tokens = if source.len() == target.len() {
            vec![(source[i], 1.0)]
        } else {
            source.iter().map(|s| (*s, share)).collect()
        };
        columns[*t] = Column::From { up: 1, tokens };
    }
}

/// Weights that a prompt's words bring along, before the turn's own weighings, and a warning if one was lost.
///
/// A word takes the weight that its identity had at the nearest ancestor that knew it. In a swap of unequal word counts
/// the gained words get the weight that the given-up ones share, else 1.
#[must_use]
pub fn weights(family: &[&Ancestry], identities: &[u32], spans: &[Replaced]) -> (Vec<f64>, Option<String>) {
    let known =
        |id: u32| family.iter().find_map(|g| g.identities.iter().position(|other| *other == id).map(|i| g.weights[i]));
    let mut warning = None;
    let mut weights: Vec<f64> = identities.iter().map(|id| known(*id).unwrap_or(1.0)).collect();
    let Some(parent) = family.first() else {
        return (weights, None);
    };
    for span in spans {
        let gained: Vec<usize> = span.target.clone().filter(|w| known(identities[*w]).is_none()).collect();
        let given_up: Vec<f64> = parent.weights[span.source.clone()].to_vec();
        let Some(first) = given_up.first().copied() else { continue };
        if gained.is_empty() {
            continue;
        }
        if given_up.iter().all(|w| *w == first) {
            for word in gained {
                weights[word] = first;
            }
        } else {
            let words = parent.prompt.words[span.source.clone()].join(" ");
            warning =
                Some(format!("the words of `{words}` had different weights, so what takes their place has weight 1"));
        }
    }
    (weights, warning)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompt::vocabulary::Marks;

    const LENGTH: usize = 12;

    /// A prompt whose words are one token each, but two for words that begin with `+`.
    fn prompt(text: &str) -> Prompt {
        let mut tokens = Vec::new();
        let mut at = 0;
        for word in text.split(' ') {
            let id = word.bytes().fold(7u32, |a, b| a.wrapping_mul(31).wrapping_add(u32::from(b.to_ascii_lowercase())))
                % 1000;
            tokens.push((id, at..at + word.len().div_ceil(2)));
            if word.len() > 6 {
                tokens.push((id + 1, at + word.len().div_ceil(2)..at + word.len()));
            } else {
                let last = tokens.len() - 1;
                tokens[last].1 = at..at + word.len();
            }
            at += word.len() + 1;
        }
        Prompt::new(text, &tokens, Marks { start: 2000, end: 2001, padding: 2001, length: LENGTH })
    }

    fn span(source: Range<usize>, target: Range<usize>) -> Replaced {
        Replaced { source, target }
    }

    fn grow(family: &[Ancestry], text: &str, spans: &[Replaced]) -> (Ancestry, Vec<Column>) {
        let family: Vec<&Ancestry> = family.iter().rev().collect();
        let prompt = prompt(text);
        let identities = identities(&family, &prompt, spans);
        let columns = columns(&family, &prompt, &identities, spans);
        let (weights, _) = weights(&family, &identities, spans);
        (Ancestry { prompt, identities, weights }, columns)
    }

    fn show(columns: &[Column]) -> String {
        let one = |c: &Column| match c {
            Column::Own => "own".to_owned(),
            Column::From { up, tokens } => {
                let tokens: Vec<String> = tokens
                    .iter()
                    .map(|(t, share)| if *share == 1.0 { t.to_string() } else { format!("{t}*{share:.1}") })
                    .collect();
                format!("{up}:{}", tokens.join("+"))
            }
        };
        columns.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn words_after_a_longer_swap_keep_their_own_maps() {
        let root = grow(&[], "a cat sat", &[]).0;
        let (_, columns) = grow(&[root], "a tortoise sat", &[span(1..2, 1..2)]);
        assert_eq!(show(&columns), "1:0 1:1 1:2*0.5 1:2*0.5 1:3 1:4 1:5 1:6 1:7 1:8 1:9 1:10");
    }

    #[test]
    fn a_word_that_comes_back_finds_the_column_it_had() {
        let root = grow(&[], "a cat sat", &[]).0;
        let dog = grow(std::slice::from_ref(&root), "a dog sat", &[span(1..2, 1..2)]).0;
        assert_eq!(dog.identities, root.identities, "a swap of equal counts passes the identity on");
        let fox = grow(&[root.clone(), dog.clone()], "a fox sat", &[span(1..2, 1..2)]).0;
        let (back, columns) = grow(&[root.clone(), dog, fox], "a cat sat", &[span(1..2, 1..2)]);
        assert_eq!(back.identities, root.identities);
        assert_eq!(show(&columns), "1:0 1:1 3:2 1:3 1:4 1:5 1:6 1:7 1:8 1:9 1:10 1:11");
    }

    #[test]
    fn an_added_word_has_its_own_column_and_padding_is_counted_from_the_end() {
        let root = grow(&[], "a cat", &[]).0;
        let (hat, columns) = grow(std::slice::from_ref(&root), "a cat hat", &[span(2..2, 2..3)]);
        assert_eq!(show(&columns), "1:0 1:1 1:2 own 1:3 1:4 1:5 1:6 1:7 1:8 1:9 1:10");
        let (_, columns) = grow(&[root, hat], "a cat", &[span(2..3, 2..2)]);
        assert_eq!(show(&columns), "1:0 1:1 1:2 1:4 1:5 1:6 1:7 1:8 1:9 1:10 1:11 2:11");
    }

    #[test]
    fn a_word_removed_and_added_again_in_its_place_is_the_old_word_even_in_another_prompt() {
        let root = grow(&[], "a big cat sat", &[]).0;
        let small = grow(std::slice::from_ref(&root), "a cat sat", &[span(1..2, 1..1)]).0;
        let dog = grow(&[root.clone(), small.clone()], "a dog sat", &[span(1..2, 1..2)]).0;
        let (big, columns) = grow(&[root.clone(), small, dog], "a big dog sat", &[span(1..1, 1..2)]);
        assert_eq!(big.identities, root.identities);
        assert_eq!(&show(&columns)[..11], "1:0 1:1 3:2");
    }

    #[test]
    fn an_equal_word_elsewhere_is_not_mistaken_for_the_one_that_left() {
        let root = grow(&[], "red cat blue dog", &[]).0;
        let plain = grow(std::slice::from_ref(&root), "cat blue dog", &[span(0..1, 0..0)]).0;
        let (other, columns) = grow(&[root, plain.clone()], "cat blue red dog", &[span(2..2, 2..3)]);
        assert!(!plain.identities.contains(&other.identities[2]) && other.identities[2] >= 4, "{:?}", other.identities);
        assert_eq!(columns[3], Column::Own);
    }

    #[test]
    fn weights_follow_identities_and_return_with_a_removed_word() {
        let mut root = grow(&[], "a big cat", &[]).0;
        root.weights[1] = 3.0;
        let small = grow(std::slice::from_ref(&root), "a cat", &[span(1..2, 1..1)]).0;
        assert_eq!(small.weights, [1.0, 1.0]);
        let big = grow(&[root.clone(), small], "a big cat", &[span(1..1, 1..2)]).0;
        assert_eq!(big.weights, [1.0, 3.0, 1.0]);
        let swapped = grow(&[root], "a very tiny cat", &[span(1..2, 1..3)]).0;
        assert_eq!(swapped.weights, [1.0, 3.0, 3.0, 1.0]);
    }
}
