//! A word or phrase that an ancestor had goes back to the place it had there.

use super::draft::Draft;
use super::lexicon::lexicon;
use super::small::{is_determiner, is_function_word, is_preposition};
use super::words::{Numbered, lower, lowered, split};
use std::ops::Range;

/// Ancestors looked at, and words in a prompt beyond which none is.
const GENERATIONS: usize = 200;
const LONGEST: usize = 400;

/// Where something goes back to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    /// Before which item of the draft.
    pub(super) at: usize,
    /// What is put there, its comma or `and` included.
    pub(super) text: String,
}

impl Place {
    /// What is put there, without what joins it to its neighbours.
    pub(super) fn named(&self) -> &str {
        let text = self.text.trim_matches([',', ' ']);
        let text = text.strip_prefix("and ").unwrap_or(text);
        text.strip_suffix(" and").unwrap_or(text).trim_matches([',', ' '])
    }
}

/// The place of `typed` in the nearest ancestor that had it, if the draft lacks it.
///
/// `whole` also brings back words that the ancestor had around it and that were removed with it (`put the glasses back`).
pub(super) fn place(draft: &Draft, typed: &str, ancestors: &[&str], whole: bool) -> Option<Place> {
    if ancestors.is_empty() || draft.items.len() > LONGEST {
        return None;
    }
    let words: Vec<String> = lowered(typed);
    if words.is_empty() || words.len() > 60 {
        return None;
    }
    let variants = variants(&words);
    for ancestor in ancestors.iter().take(GENERATIONS) {
        let old: Vec<(String, usize, usize)> = split(ancestor).iter().map(|w| (lower(w.text), w.from, w.to)).collect();
        if old.len() > LONGEST || old.len() <= draft.items.len().saturating_sub(draft.items.len() / 2) {
            continue;
        }
        let mut found = variants.iter().enumerate().flat_map(|(v, variant)| {
            let runs = runs(&old, variant, whole);
            runs.into_iter().map(move |run| (v, run))
        });
        // The tables cost the product of the two lengths: only where the words stand at all.
        let Some(first) = found.next() else { continue };
        let (ahead, behind) = alignments(&old, draft);
        let placed =
            |run: Range<usize>, at| Place { at, text: ancestor[old[run.start].1..old[run.end - 1].2].to_owned() };
        let mut loose: Option<Place> = None;
        for (v, run) in std::iter::once(first).chain(found) {
            match fit(&old, draft, run, &ahead, &behind) {
                Some((run, at, true)) => return Some(placed(run, at)),
                Some((run, at, false)) if v == 0 && loose.is_none() => loose = Some(placed(run, at)),
                _ => {}
            }
        }
        if loose.is_some() {
            return loose;
        }
    }
    None
}

/// The words as typed; without the preposition, `and` or comma before them; and with no article either.
fn variants(words: &[String]) -> Vec<Vec<String>> {
    let mut all = vec![words.to_vec()];
    let mut rest = words;
    while let Some((first, more)) = rest.split_first() {
        if more.is_empty() || !(is_preposition(first) || is_determiner(first) || matches!(first.as_str(), "and" | ","))
        {
            break;
        }
        rest = more;
        all.push(rest.to_vec());
    }
    all
}

/// Where `words` stand in `old`; with `whole`, wherever all of them stand in one removed stretch is found by the head.
fn runs(old: &[(String, usize, usize)], words: &[String], whole: bool) -> Vec<Range<usize>> {
    let n = words.len();
    let mut all = Vec::new();
    for i in 0..(old.len() + 1).saturating_sub(n) {
        let same = old[i..i + n].iter().zip(words).all(|(o, w)| o.0 == *w || (whole && lexicon().same(&o.0, w)));
        if same {
            let mut start = i;
            if whole {
                // The article and adjectives that stood before it come along.
                while start > 0 && old[start - 1].0.chars().any(char::is_alphanumeric) && old[start - 1].0 != "'s" {
                    let low = &old[start - 1].0;
                    if is_determiner(low) {
                        start -= 1;
                        break;
                    }
                    if is_function_word(low) {
                        break;
                    }
                    start -= 1;
                }
            }
            all.push(start..i + n);
        }
    }
    all
}

/// True for one word, or `a` and `an`.
fn alike(a: &str, b: &str) -> bool {
    a == b || (matches!(a, "a" | "an") && matches!(b, "a" | "an"))
}

type Table = Vec<Vec<u16>>;

/// `ahead[i][p]`: most words shared by the first `i` of the ancestor and the first `p` of the draft, in order; `behind`
/// counts from there to the ends.
fn alignments(old: &[(String, usize, usize)], draft: &Draft) -> (Table, Table) {
    let (n, m) = (old.len(), draft.items.len());
    // Words are compared by number: the texts would be compared as often as the tables have places.
    let mut numbers = Numbered::default();
    let mut number = |word| numbers.of(if word == "an" { "a" } else { word });
    let before: Vec<usize> = old.iter().map(|word| number(word.0.as_str())).collect();
    let now: Vec<usize> = draft.items.iter().map(|item| number(item.low.as_str())).collect();
    let same = |i: usize, p: usize| before[i] == now[p];
    let mut ahead = vec![vec![0u16; m + 1]; n + 1];
    for i in 0..n {
        for p in 0..m {
            ahead[i + 1][p + 1] = if same(i, p) { ahead[i][p] + 1 } else { ahead[i][p + 1].max(ahead[i + 1][p]) };
        }
    }
    let mut behind = vec![vec![0u16; m + 1]; n + 1];
    for i in (0..n).rev() {
        for p in (0..m).rev() {
            behind[i][p] = if same(i, p) { behind[i + 1][p + 1] + 1 } else { behind[i + 1][p].max(behind[i][p + 1]) };
        }
    }
    (ahead, behind)
}

/// The gap of the draft that a run of the ancestor falls into, with the ties that went with it; true if both
/// neighbours are then those it had.
fn fit(
    old: &[(String, usize, usize)],
    draft: &Draft,
    run: Range<usize>,
    ahead: &Table,
    behind: &Table,
) -> Option<(Range<usize>, usize, bool)> {
    let m = draft.items.len();
    // Lacking means: with the run in its gap, more words are shared than the two prompts share without it.
    let total = ahead[old.len()][m];
    let score = |p: usize| ahead[run.start][p] + behind[run.end][p];
    let best = (0..=m).map(score).max()?;
    if best < total || usize::from(best) * 2 < m {
        return None;
    }
    let mut loose = None;
    for p in (0..=m).filter(|&p| score(p) == best) {
        // Ties on the left or right that the draft lacks come along, three at most.
        for left in 0..=run.start.min(3) {
            for right in 0..=(old.len() - run.end).min(3) {
                let (i, j) = (run.start - left, run.end + right);
                let tie = |o: &(String, usize, usize)| {
                    matches!(o.0.as_str(), "and" | ",") || is_preposition(&o.0) || is_determiner(&o.0)
                };
                if !old[i..run.start].iter().all(tie) || !old[run.end..j].iter().all(tie) {
                    continue;
                }
                let before = match (i, p) {
                    (0, 0) => true,
                    (0, _) | (_, 0) => false,
                    _ => alike(&old[i - 1].0, &draft.items[p - 1].low),
                };
                let after = match (old.get(j), draft.items.get(p)) {
                    (None, None) => true,
                    (Some(o), Some(item)) => alike(&o.0, &item.low),
                    _ => false,
                };
                if before && after {
                    return Some((i..j, p, true));
                }
                // Where a neighbour is lost as well, the ties before the run come along unless they are there.
                let doubled = left > 0 && p > 0 && alike(&old[run.start - 1].0, &draft.items[p - 1].low);
                let first = p == 0 && left > 0;
                if (before || after) && right == 0 && !doubled && !first {
                    loose = Some((i..run.end, p, false));
                }
            }
        }
    }
    loose
}
