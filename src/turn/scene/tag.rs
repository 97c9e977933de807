//! What each word of a text does in it, by what it is and where it stands.

use crate::frames::frames;
use crate::lexicon::{is_plural, lexicon};
use crate::small::{is_determiner, is_number, is_preposition};

/// What a word does in its phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tag {
    Det,
    Num,
    Adj,
    Noun,
    /// `sitting` of `a cat sitting`.
    Ing,
    /// `parked` of `a car parked`.
    Ed,
    /// `sits`, `has`.
    Verb,
    Be,
    Prep,
    And,
    Comma,
    Stop,
    Rel,
    Adv,
    Pron,
    Owner,
    Mark,
}

/// Ties of several words.
const TIES: &[&[&str]] = &[
    &["in", "front", "of"],
    &["on", "top", "of"],
    &["in", "the", "middle", "of"],
    &["on", "the", "side", "of"],
    &["at", "the", "edge", "of"],
    &["to", "the", "left", "of"],
    &["to", "the", "right", "of"],
    &["on", "the", "left", "of"],
    &["on", "the", "right", "of"],
    &["next", "to"],
    &["close", "to"],
    &["out", "of"],
    &["together", "with"],
    &["along", "with"],
    &["such", "as"],
    &["full", "of"],
    &["filled", "with"],
];

const NO_ING: &[&str] = &[
    "morning",
    "evening",
    "ceiling",
    "building",
    "wedding",
    "clothing",
    "lighting",
    "railing",
    "wing",
    "sling",
    "ring",
    "string",
    "king",
    "spring",
    "thing",
    "painting",
    "drawing",
    "awning",
    "earring",
    "pudding",
    "swing",
    "being",
    "string",
    "everything",
    "nothing",
    "something",
    "during",
    "sibling",
    "duckling",
    "sterling",
    "viking",
    "herring",
    "offspring",
    "stocking",
    "bedding",
    "icing",
    "topping",
    "frosting",
    "siding",
    "flooring",
    "setting",
    "rendering",
    "dumpling",
    "seedling",
    "fledgling",
    "gosling",
];

const POSSIBLY_ED: &[&str] = &[
    "bed",
    "red",
    "shed",
    "seed",
    "weed",
    "reed",
    "sled",
    "need",
    "feed",
    "speed",
    "breed",
    "steed",
    "hundred",
    "infrared",
    "biped",
    "watershed",
    "moped",
    "ted",
    "ned",
    "fred",
];

/// True for a word in -ing that may be a verb.
pub(crate) fn is_ing(word: &str) -> bool {
    word.len() > 4 && word.ends_with("ing") && !NO_ING.contains(&word) && lexicon().noun(word).is_empty()
}

/// True for a word that may say what was done to something.
pub(crate) fn is_ed(word: &str) -> bool {
    (word.len() > 3 && word.ends_with("ed") && !POSSIBLY_ED.contains(&word) && lexicon().noun(word).is_empty())
        || (frames().is_past(word)
            && !matches!(
                word,
                "had"
                    | "left"
                    | "light"
                    | "lit"
                    | "read"
                    | "lead"
                    | "fed"
                    | "led"
                    | "wound"
                    | "bound"
                    | "saw"
                    | "shot"
                    | "cut"
                    | "set"
                    | "spread"
                    | "rose"
                    | "fell"
                    | "ground"
            ))
        || matches!(word, "lit" | "made" | "shot" | "dressed" | "covered")
}

/// True for a word that says how: `quietly`, `very`.
pub(crate) fn is_adverb(word: &str) -> bool {
    (word.len() > 4
        && word.ends_with("ly")
        && lexicon().adjective(word).is_empty()
        && lexicon().noun(word).is_empty()
        && !matches!(
            word,
            "family"
                | "butterfly"
                | "lily"
                | "jelly"
                | "belly"
                | "lonely"
                | "curly"
                | "wooly"
                | "woolly"
                | "silly"
                | "ugly"
                | "assembly"
                | "italy"
                | "holly"
                | "bully"
                | "firefly"
                | "dragonfly"
        ))
        || matches!(
            word,
            "very"
                | "too"
                | "quite"
                | "so"
                | "together"
                | "extremely"
                | "slightly"
                | "almost"
                | "just"
                | "also"
                | "still"
                | "outside"
                | "outdoors"
                | "indoors"
                | "away"
                | "forward"
                | "upright"
                | "there"
                | "here"
                | "not"
                | "really"
                | "happily"
                | "alone"
                | "nearby"
                | "overhead"
                | "apart"
                | "sideways"
                | "upside"
        )
}

const POSTURE_PARTICLES: &[&str] =
    &["up", "down", "off", "out", "back", "by", "around", "along", "over", "past", "through"];

pub(crate) fn tag(low: &[String]) -> Vec<Tag> {
    let n = low.len();
    let mut tags = vec![Tag::Noun; n];
    let at = |i: usize| low.get(i).map_or("", String::as_str);
    let mut i = 0;
    // True while a clause has a plural or several subjects: then its verb is the bare form.
    let mut many = false;
    // True where the several are what one has: `a man wearing a hat and a scarf waits`.
    let mut held = false;
    while i < n {
        let w = at(i);
        let prev = if i == 0 { Tag::Stop } else { tags[i - 1] };
        if let Some(tie) = TIES.iter().find(|t| t.iter().enumerate().all(|(k, p)| at(i + k) == *p)) {
            for k in 0..tie.len() {
                tags[i + k] = Tag::Prep;
            }
            i += tie.len();
            continue;
        }
        let next = at(i + 1);
        let opens_np = |w: &str| {
            is_determiner(w) || w.is_empty() || is_adverb(w) || matches!(w, "," | "and" | "." | "it" | "them" | "him")
        };
        let next_open = opens_np(next) || (is_preposition(next) && next != "of");
        let listed_noun = !lexicon().noun(w).is_empty();
        let listed_adj = lexicon().is_adjective(w);
        let has = w == "has" || (matches!(w, "have" | "had") && matches!(prev, Tag::Noun | Tag::Rel | Tag::Pron));
        let acts = matches!(prev, Tag::Noun | Tag::Pron | Tag::Rel | Tag::Adv)
            && i > 0
            && w != "lights"
            && (next_open
                || !listed_noun && !listed_adj && !lexicon().noun(next).is_empty()
                // `blows bubbles`
                || !listed_noun && !listed_adj && !listed(next) && is_plural(next) && !is_plural(at(i - 1)))
            && (is_finite(w, many || tags_plural(low, &tags, i), has_noun(&tags, i), is_determiner(next))
                || held && is_finite(w, false, has_noun(&tags, i), is_determiner(next)));
        // `with power lines overhead`, `some basil leaves`: a bare noun before a plural is its name.
        let compound = i > 1
            && prev == Tag::Noun
            && w.ends_with('s')
            && !is_plural(at(i - 1))
            && !is_determiner(next)
            && (tags[i - 2] == Tag::Prep || matches!(at(i - 2), "some" | "few" | "several" | "many" | "two" | "three"))
            || i == 1 && prev == Tag::Noun && w.ends_with('s') && !is_determiner(next) && (n == 2 || w == "leaves");
        let acts = acts && !compound;
        // `her` alone, not before what is hers.
        let her = w == "her" && next_open && !next.is_empty() && !listed(next);
        tags[i] = if !w.chars().any(char::is_alphanumeric) {
            match w {
                "," => Tag::Comma,
                "&" => Tag::And,
                "." | ";" | ":" | "!" | "?" | "|" => Tag::Stop,
                _ => Tag::Mark,
            }
        } else if w == "'s" {
            if matches!(prev, Tag::Noun | Tag::Adj) { Tag::Owner } else { Tag::Be }
        } else if is_number(w) || w.chars().all(|c| c.is_ascii_digit()) {
            Tag::Num
        } else if w == "that" && prev == Tag::Noun {
            Tag::Rel
        } else if is_determiner(w) && w != "one" && !her {
            Tag::Det
        } else if w == "one" && !matches!(prev, Tag::Adj | Tag::Det) {
            Tag::Num
        } else if matches!(w, "who" | "which" | "where" | "whose") {
            Tag::Rel
        } else if matches!(w, "and" | "or" | "but" | "while" | "as") {
            Tag::And
        } else if matches!(w, "is" | "are" | "was" | "were" | "be" | "been" | "being") {
            Tag::Be
        } else if matches!(
            w,
            "it" | "him"
                | "them"
                | "he"
                | "she"
                | "they"
                | "her"
                | "there"
                | "itself"
                | "himself"
                | "herself"
                | "themselves"
        ) {
            Tag::Pron
        } else if matches!(w, "wearing" | "holding" | "carrying" | "having" | "featuring") {
            if matches!(prev, Tag::Det) { Tag::Adj } else { Tag::Ing }
        } else if POSTURE_PARTICLES.contains(&w)
            && matches!(prev, Tag::Ing | Tag::Ed | Tag::Verb)
            && (is_preposition(next) || next.is_empty() || matches!(next, "," | "and"))
        {
            Tag::Adv
        } else if is_preposition(w)
            || matches!(w, "down" | "up" | "off" | "out")
                && matches!(prev, Tag::Ing | Tag::Verb | Tag::Adv)
                && is_determiner(next)
        {
            Tag::Prep
        } else if is_adverb(w) {
            Tag::Adv
        } else if matches!(w, "building" | "painting" | "drawing")
            && prev == Tag::Noun
            && (is_determiner(next) || is_preposition(next) && lexicon().noun(at(i - 1)).contains(&"person"))
        {
            // Of `children building a sandcastle` it is what they do.
            Tag::Ing
        } else if is_ing(w) {
            match prev {
                Tag::Det | Tag::Num | Tag::Owner => Tag::Adj,
                Tag::Adj if i > 1 && !matches!(tags[i - 2], Tag::Noun | Tag::Be) => Tag::Adj,
                Tag::Stop | Tag::Comma | Tag::And | Tag::Prep if !next_open => Tag::Adj,
                _ => Tag::Ing,
            }
        } else if is_ed(w) {
            match prev {
                Tag::Noun | Tag::Pron | Tag::Adv if next_open => Tag::Ed,
                Tag::Be | Tag::Rel => Tag::Ed,
                Tag::Stop | Tag::Comma | Tag::And if is_preposition(next) => Tag::Ed,
                _ => Tag::Adj,
            }
        } else if has || acts {
            Tag::Verb
        } else if listed_adj {
            let next_word = next.chars().any(char::is_alphanumeric)
                && !opens_np(next)
                && !is_preposition(next)
                && !matches!(next, "is" | "are" | "who" | "that" | "which" | "'s" | "has");
            // `a red and blue balloon`: the first of two.
            let paired = matches!(next, "and" | "or" | ",")
                && lexicon().is_adjective(at(i + 2))
                && !at(i + 3).is_empty()
                && !opens_np(at(i + 3))
                && !is_preposition(at(i + 3));
            let alone = !next_word && !paired && matches!(at(i.wrapping_sub(1)), "a" | "an") && i > 0;
            if (listed_noun || alone)
                && !paired
                && (!next_word || (is_ing(next) && !lexicon().adjective(next).is_empty() && opens_np(at(i + 2))))
            {
                Tag::Noun
            } else {
                Tag::Adj
            }
        } else {
            Tag::Noun
        };
        if matches!(tags[i], Tag::Stop | Tag::Prep | Tag::Comma) {
            many = false;
            held = false;
        }
        if w == "and" && prev == Tag::Noun {
            many = true;
            let clause = tags[..i].iter().rev().take_while(|t| !matches!(t, Tag::Stop | Tag::Comma));
            held = clause.clone().any(|t| matches!(t, Tag::Ing | Tag::Prep));
        }
        i += 1;
    }
    tags
}

fn listed(word: &str) -> bool {
    lexicon().is_adjective(word) || !lexicon().noun(word).is_empty()
}

/// True if a noun stands before `i` in the same phrase.
fn has_noun(tags: &[Tag], i: usize) -> bool {
    tags[..i]
        .iter()
        .rev()
        .take_while(|t| !matches!(t, Tag::Stop | Tag::Prep))
        .any(|t| matches!(t, Tag::Noun | Tag::Pron))
}

/// True if the noun before `i` is a plural.
fn tags_plural(low: &[String], tags: &[Tag], i: usize) -> bool {
    let noun = (0..i).rev().find(|&k| tags[k] == Tag::Noun);
    noun.is_some_and(|k| is_plural(&low[k]) || matches!(low[k].as_str(), "sheep" | "fish" | "deer"))
}

/// True if a word is what the subject before it does, by its number.
fn is_finite(word: &str, plural: bool, subject: bool, object: bool) -> bool {
    if !subject {
        return false;
    }
    if frames().is_past(word) {
        return true;
    }
    if plural {
        frames().acts(word) || frames().finite(word).is_some_and(|_| object || !is_plural(word))
    } else {
        frames().finite(word).is_some()
    }
}
