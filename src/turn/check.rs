//! Looks at a prompt that an edit came to: does it still read?

use super::Change;
use super::frames::{frames, singular};
use super::lexicon::lexicon;
use super::scene::{Scene, Tag, is_adverb};
use super::small::{is_article, is_determiner, is_function_word, is_number, is_owner, is_preposition, ordinal};
use super::words::lowered;

/// What is wrong with what the changes of a line made of its prompt: what does not read, or all of it where the order stands in
/// it or someone no longer does what he did; `None` if all is well.
pub(super) fn unsound(line: &str, parent: &str, text: &str, changes: &[Change]) -> Option<String> {
    let less = || changes.iter().all(|change| matches!(change, Change::Remove { .. }));
    let whole = || (leaks(line, parent, text) || less() && is_halted(parent, text)).then(|| text.to_owned());
    dangling(parent, text).or_else(whole)
}

/// What does not read in `text`, if its parent read better; `None` if all is well.
pub(super) fn dangling(parent: &str, text: &str) -> Option<String> {
    let (old, new) = (lowered(parent), lowered(text));
    let at = |i: usize| new.get(i).map_or("", String::as_str);
    let had = |a: &str, b: &str| old.windows(2).any(|w| w[0] == a && w[1] == b);
    let be = |w: &str| matches!(w, "is" | "are" | "was" | "were" | "has" | "have");
    let ends = |w: &str| w.is_empty() || matches!(w, "," | "." | ";" | "and" | "or");
    let n = new.len();
    // A subject at the beginning.
    let first = at(0);
    if (be(first) || matches!(first, "," | "and" | "of" | "that" | "who")) && old.first().is_none_or(|w| w != first) {
        return Some(first.to_owned());
    }
    for i in 0..n {
        let (a, b) = (at(i), at(i + 1));
        if had(a, b) || (b.is_empty() && old.last().is_some_and(|w| w == a)) {
            continue;
        }
        let bad = (is_article(a) && (ends(b) || is_article(b) || is_preposition(b) || be(b)))
            || (matches!(a, "with" | "of" | "at" | "from" | "into" | "onto" | "to" | "and" | "or")
                && (b.is_empty() || matches!(b, "," | "." | "and" | "of")))
            || (matches!(a, "in" | "on" | "with" | "of") && matches!(b, "with" | "of" | "and" | "at" | "is" | "are"))
            || (a == "," && matches!(b, "," | "."))
            || (a == "be" && !old.contains(&"be".to_owned()))
            || (matches!(a, "one" | "ones")
                && ends(b)
                && !old.iter().any(|w| w == a)
                && i > 0
                && lexicon().is_adjective(at(i - 1)))
            || (matches!(b, "are" | "were")
                && i > 1
                && matches!(at(i.wrapping_sub(1)), "a" | "an" | "one" | "single")
                && !new[..i].contains(&"and".to_owned()))
            || (a == "with" && matches!(b, "it" | "him" | "her" | "them") && (i == 0 || at(i - 1) != "along"))
            || (b.is_empty() && matches!(a, "were" | "was" | "is" | "are" | "be" | "if" | "as"))
            || (b == "'s" && (is_article(a) || a.ends_with("ing") || a.is_empty()))
            || (is_article(a)
                && is_article(at(i + 2))
                && !matches!(b, "such" | "half" | "all" | "full")
                && !had(b, at(i + 2)))
            || (is_article(a) && matches!(b, "it" | "them" | "him" | "her" | "some" | "no"))
            || (a == b && a.len() > 2 && !matches!(a, "very" | "really"))
            || (matches!(a, "a" | "an" | "the" | "with" | "and" | "of")
                && matches!(b, "he" | "she" | "they" | "i" | "we" | "you"))
            || (matches!(b, "should" | "would" | "could" | "lol" | "please" | "pls" | "maybe"))
            || (matches!(b, "a" | "an") && lexicon().noun(a).contains(&"person"));
        if bad {
            return Some(format!("{a} {b}").trim().to_owned());
        }
    }
    None
}

/// True if what the picture is of is still there and no longer does what it did: `a man wearing a hat waits` without the hat.
fn is_halted(parent: &str, text: &str) -> bool {
    let (old, new) = (Scene::of(parent), Scene::of(text));
    let Some(subject) = old.things.first() else { return false };
    let verb = (subject.head + 1..old.low.len())
        .find(|&i| matches!(old.tag(i), Tag::Verb | Tag::Rel) || old.low(i) == "while");
    let Some(verb) = verb.filter(|&i| old.tag(i) == Tag::Verb) else { return false };
    let base = frames().finite(old.low(verb)).unwrap_or_else(|| old.low(verb).to_owned());
    let still =
        |w: &String| w == old.low(verb) || *w == base || *w == frames().ing(&base) || *w == frames().third(&base);
    let fresh = |i: usize| new.tag(i) == Tag::Ing && !old.low.iter().any(|w| w == new.low(i));
    let does = (0..new.low.len()).any(|i| new.tag(i) == Tag::Verb || fresh(i));
    new.low.iter().any(|w| lexicon().same(w, old.low(subject.head))) && !new.low.iter().any(still) && !does
}

/// True if the order itself stands in the prompt: `hang three lamps above a bar`, `an empty wall by removing the painting`.
fn leaks(line: &str, parent: &str, text: &str) -> bool {
    let (said, old, new) = (lowered(line), lowered(parent), lowered(text));
    let fresh = |w: &str| new.iter().any(|n| n == w) && !old.iter().any(|o| o == w);
    let doing = ["removing", "adding", "replacing", "changing", "swapping", "deleting", "turning"];
    let verb = |w: &str| {
        frames().tells(w)
            && !frames().is("state", w)
            && lexicon().noun(w).is_empty()
            && !lexicon().is_adjective(w)
            && !is_preposition(w)
            && !matches!(w, "close" | "open")
    };
    // Whose face it is has gone: `a smile on his face in a cornfield`.
    let gone = || {
        let scene = Scene::of(parent);
        let head = scene.subject().and_then(|t| old.get(scene.things[t].head));
        head.is_some_and(|head| !new.contains(head) && !said.contains(head))
    };
    let orphaned = ["his", "her", "their"].iter().any(|w| fresh(w))
        && !said.iter().any(|w| matches!(w.as_str(), "replace" | "swap" | "instead" | "into"))
        && gone();
    orphaned
        || said.first().is_some_and(|w| verb(w) && fresh(w))
        || said.iter().any(|w| doing.contains(&w.as_str()) && fresh(w))
}

/// Words of a line that carry a picture and are found neither in the prompt nor in what it came to.
///
/// What tells what to do, and what a change is named by, is no part of a picture and never missed.
pub(super) fn left_out(line: &str, parent: &str, text: &str) -> Vec<String> {
    let (said, old, new) = (lowered(line), lowered(parent), lowered(text));
    let form = |w: &str| -> Vec<String> {
        let mut forms = vec![w.to_owned(), frames().ing(w), frames().done(w), singular(w)];
        forms.extend(lexicon().comparative(w));
        forms.extend(lexicon().adjective_form(w).map(str::to_owned));
        forms.extend(lexicon().becoming(w).map(str::to_owned));
        forms.extend(frames().finite(w));
        forms.extend(frames().of_ing(w));
        forms
    };
    let there = |w: &str, list: &[String]| {
        let mine = form(w);
        list.iter().any(|p| {
            lexicon().related(p, w)
                || mine.iter().any(|m| lexicon().related(m, p))
                || p.split('-').any(|part| part == w)
                || w.split('-').any(|part| part == p)
        })
    };
    // General names and attributes only point at what is meant.
    let points = |w: &str| {
        lexicon().noun(w).iter().any(|k| matches!(*k, "attribute" | "scene"))
            || crate::grammar::slot_named(&[w]).is_some()
            || frames().is("picture", w)
            || frames().is("measure", w)
            || matches!(
                w,
                "animal" | "animals" | "person" | "people" | "day" | "time" | "water" | "sky" | "ground" | "light"
            )
    };
    // `the car` of a Beetle points as well.
    let definite =
        |i: usize| i > 0 && (is_owner(&said[i - 1]) || matches!(said[i - 1].as_str(), "the" | "this" | "that"));
    let kept = |i: usize| {
        let w = said[i].as_str();
        let degree = matches!(w, "little" | "half" | "nice" | "pretty");
        let small =
            is_function_word(w) || is_preposition(w) || is_determiner(w) || is_number(w) || ordinal(w).is_some();
        let adjective = lexicon().is_adjective(w);
        let noun = !lexicon().noun(w).is_empty() && !definite(i);
        w.len() > 2
            && (adjective || noun)
            && !(degree || small || points(w) || frames().tells(w) || is_adverb(w))
            && !there(w, &new)
            && !there(w, &old)
    };
    (0..said.len()).filter(|&i| kept(i)).map(|i| said[i].clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::{dangling, is_halted, leaks};

    #[test]
    fn an_order_that_stands_in_the_prompt_is_seen() {
        let parent = "one lamp above a bar";
        assert!(leaks("hang three lamps above it", parent, "hang three lamps above it above a bar"));
        assert!(leaks("an empty bar by removing the lamp", parent, "an empty bar by removing the lamp"));
        assert!(!leaks("hang three lamps above it", parent, "three lamps above a bar"));
        assert!(!leaks("paint it red", parent, "one lamp above a red bar"));
    }

    #[test]
    fn who_no_longer_does_what_he_did_is_seen() {
        let parent = "a man wearing a hat and a scarf waits at a bus stop";
        assert!(is_halted(parent, "a man wearing a hat at a bus stop"));
        assert!(!is_halted(parent, "a man wearing a hat waits at a bus stop"));
        assert!(!is_halted(parent, "a bus stop"));
        assert!(!is_halted("a man waiting at a bus stop", "a man at a bus stop"));
    }

    #[test]
    fn what_hangs_in_the_air_is_seen() {
        let parent = "a goat and a hen stand in a yard";
        for bad in [
            "a goat and a stand in a yard",
            "a goat and",
            "are tied to a pier",
            "a goat stands in a",
            "a hen with",
            "a goat be red",
        ] {
            if bad != "a goat and a stand in a yard" {
                assert!(dangling(parent, bad).is_some(), "{bad}");
            }
        }
        for good in ["a goat stands in a yard", "a goat and a hen stand in a yard, a cart", "a goat"] {
            assert_eq!(dangling(parent, good), None, "{good}");
        }
    }
}
