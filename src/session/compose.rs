//! Edits put one after the other, and what differs between two prompts: all in words.
//!
//! A list of places says, for each word of a later prompt, which word of an earlier one it is; `None` where it is new.
//! Such lists compose, spans do not: that is why they stand between.

use crate::plan::lineage::Ancestry;
use crate::turn::words::{same, split};
use crate::turn::{Change, Replaced};

/// The place in the source of each of the target's `words` words.
#[must_use]
pub fn places(spans: &[Replaced], words: usize) -> Vec<Option<usize>> {
    let mut places = vec![None; words];
    let (mut source, mut target) = (0, 0);
    for span in spans {
        for place in places.iter_mut().take(span.target.start).skip(target) {
            *place = Some(source);
            source += 1;
        }
        (source, target) = (span.source.end, span.target.end);
    }
    for place in places.iter_mut().skip(target) {
        *place = Some(source);
        source += 1;
    }
    places
}

/// Places of the last prompt in the first, from those of the middle one in the first and of the last in the middle one.
#[must_use]
pub fn after(first: &[Option<usize>], second: &[Option<usize>]) -> Vec<Option<usize>> {
    second.iter().map(|place| place.and_then(|p| first.get(p).copied().flatten())).collect()
}

/// The spans that places stand for: whatever lies between kept words. Words that are equal at both ends of a span are
/// kept after all.
#[must_use]
pub fn spans(places: &[Option<usize>], source: &[String], target: &[String]) -> Vec<Replaced> {
    let mut spans = Vec::new();
    let (mut s, mut t) = (0, 0);
    let mut close = |s: usize, to_s: usize, t: usize, to_t: usize| {
        let (mut a, mut b) = (s..to_s, t..to_t);
        while !a.is_empty() && !b.is_empty() && same(&source[a.start], &target[b.start]) {
            (a.start, b.start) = (a.start + 1, b.start + 1);
        }
        while !a.is_empty() && !b.is_empty() && same(&source[a.end - 1], &target[b.end - 1]) {
            (a.end, b.end) = (a.end - 1, b.end - 1);
        }
        if !a.is_empty() || !b.is_empty() {
            spans.push(Replaced { source: a, target: b });
        }
    };
    for (at, place) in places.iter().enumerate() {
        if let Some(place) = *place {
            close(s, place, t, at);
            (s, t) = (place + 1, at + 1);
        }
    }
    close(s, source.len(), t, target.len());
    spans
}

/// The spans by which two texts differ, with as many words kept as possible.
#[must_use]
pub fn difference(source: &[String], target: &[String]) -> Vec<Replaced> {
    let (n, m) = (source.len(), target.len());
    // shared[i][j]: most words kept of those from i and from j on.
    let mut shared = vec![vec![0u32; m + 1]; n + 1];
    for i in (0..n).rev() {
        for j in (0..m).rev() {
            shared[i][j] = if same(&source[i], &target[j]) {
                shared[i + 1][j + 1] + 1
            } else {
                shared[i + 1][j].max(shared[i][j + 1])
            };
        }
    }
    let mut places = vec![None; m];
    let (mut i, mut j) = (0, 0);
    while i < n && j < m {
        if same(&source[i], &target[j]) {
            places[j] = Some(i);
            (i, j) = (i + 1, j + 1);
        } else if shared[i + 1][j] >= shared[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    spans(&places, source, target)
}

/// What a word is called: `cat`, or `cat#2` where it stands there more than once.
#[must_use]
pub fn word_name(words: &[String], at: usize) -> String {
    let alike = |w: &&String| same(w, &words[at]);
    if words.iter().filter(alike).count() < 2 {
        return words[at].clone();
    }
    format!("{}#{}", words[at], words[..=at].iter().filter(alike).count())
}

/// The words that a name stands for: `cat` (all of them), `cat#2`, or several words in a row.
#[must_use]
pub fn find_words(words: &[String], name: &str) -> Vec<usize> {
    let (plain, index) = match name.rsplit_once('#') {
        Some((plain, index)) => (plain, index.parse::<usize>().ok()),
        None => (name, None),
    };
    let wanted = split(plain);
    if wanted.is_empty() || wanted.len() > words.len() {
        return Vec::new();
    }
    let runs: Vec<usize> = (0..=words.len() - wanted.len())
        .filter(|i| wanted.iter().zip(&words[*i..]).all(|(a, b)| same(a.text, b)))
        .collect();
    let chosen: Vec<usize> = match index {
        Some(n) => runs.into_iter().skip(n.saturating_sub(1)).take(usize::from(n > 0)).collect(),
        None => runs,
    };
    chosen.into_iter().flat_map(|start| start..start + wanted.len()).collect()
}

/// What leads from one prompt with its weights to another, as changes.
#[must_use]
pub fn changes(from: &Ancestry, to: &Ancestry, spans: &[Replaced]) -> Vec<Change> {
    let text = |g: &Ancestry, range: &std::ops::Range<usize>| {
        let words = split(&g.prompt.text);
        match (words.get(range.start), range.end.checked_sub(1).and_then(|last| words.get(last))) {
            (Some(first), Some(last)) if !range.is_empty() => g.prompt.text[first.from..last.to].to_owned(),
            _ => String::new(),
        }
    };
    let mut all: Vec<Change> = spans
        .iter()
        .map(|span| {
            let (gone, come) = (text(from, &span.source), text(to, &span.target));
            match (gone.is_empty(), come.is_empty()) {
                (false, true) => Change::Remove { text: gone },
                (true, _) => Change::Add { text: come },
                _ => Change::Swap { from: gone, to: come },
            }
        })
        .collect();
    for (word, place) in places(spans, to.prompt.words.len()).into_iter().enumerate() {
        let before = place.and_then(|p| from.weights.get(p)).copied().unwrap_or(1.0);
        let now = to.weights.get(word).copied().unwrap_or(1.0);
        if before != now {
            all.push(Change::Weigh { word: word_name(&to.prompt.words, word), factor: now, absolute: true });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        split(text).iter().map(|w| w.text.to_owned()).collect()
    }

    fn shown(spans: &[Replaced]) -> String {
        let one = |s: &Replaced| format!("{}-{}>{}-{}", s.source.start, s.source.end, s.target.start, s.target.end);
        spans.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    fn check(from: &str, to: &str, expected: &str) {
        assert_eq!(shown(&difference(&words(from), &words(to))), expected, "{from} / {to}");
    }

    #[test]
    fn a_difference_keeps_as_many_words_as_it_can() {
        check("a red cat", "a blue cat", "1-2>1-2");
        check("a cat", "a cat with a hat", "2-2>2-5");
        check("a cat with a hat", "a cat", "2-5>2-2");
        check("a cat", "A CAT", "");
        check("", "a cat", "0-0>0-2");
        check("red fox", "blue hen", "0-2>0-2");
    }

    #[test]
    fn spans_and_places_say_the_same() {
        let (from, to) = (words("a red cat in the snow"), words("one blue big cat in snow at night"));
        let spans_found = difference(&from, &to);
        assert_eq!(spans(&places(&spans_found, to.len()), &from, &to), spans_found);
    }

    #[test]
    fn two_edits_composed_are_the_difference_of_first_and_last() {
        let (a, b, c) = (words("a red cat"), words("a blue cat"), words("a blue cat at night"));
        let ab = places(&difference(&a, &b), b.len());
        let bc = places(&difference(&b, &c), c.len());
        assert_eq!(shown(&spans(&after(&ab, &bc), &a, &c)), "1-2>1-2 3-3>3-5");
        let ba = places(&difference(&b, &a), a.len());
        assert!(spans(&after(&ab, &ba), &a, &a).is_empty(), "there and back again changes nothing");
    }

    #[test]
    fn a_name_finds_all_its_words_or_the_one_with_its_index() {
        let all = words("a cat and a black cat");
        assert_eq!(find_words(&all, "cat"), [1, 5]);
        assert_eq!(find_words(&all, "CAT#2"), [5]);
        assert_eq!(find_words(&all, "black cat"), [4, 5]);
        for none in ["cat#3", "cat#0", "dog", "", "#", "a cat and a black cat too"] {
            assert!(find_words(&all, none).is_empty(), "{none}");
        }
        assert_eq!((word_name(&all, 5).as_str(), word_name(&all, 4).as_str()), ("cat#2", "black"));
    }
}
