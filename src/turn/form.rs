//! Whether a line tells to do something, by its form alone: what no rule reads is then said so, and is no new picture.

use super::frames::frames;
use super::lexicon::lexicon;
use super::scene::{is_ed, is_ing};
use super::small::{is_determiner, is_owner, is_person_pronoun, is_preposition};

/// Words that what is told to be changed begins with.
fn points(word: &str) -> bool {
    matches!(
        word,
        "the"
            | "it"
            | "this"
            | "these"
            | "those"
            | "all"
            | "every"
            | "each"
            | "any"
            | "both"
            | "everything"
            | "everyone"
            | "everybody"
            | "more"
            | "one"
            | "some"
            | "another"
    ) || is_owner(word)
        || is_person_pronoun(word)
}

/// True for words that begin as an order does: a bare verb, then what it is done to.
pub(super) fn orders(words: &[&str]) -> bool {
    let Some(&first) = words.first() else { return false };
    let second = words.get(1).copied().unwrap_or("");
    let known = frames().verb(words);
    if let Some((_, n)) = &known {
        let next = words.get(*n).copied().unwrap_or("");
        let noun = !lexicon().noun(first).is_empty() || lexicon().is_adjective(first);
        if points(next) || (!noun && matches!(next, "a" | "an")) {
            return true;
        }
        if !noun && words.iter().skip(*n).take(2).any(|w| *w == "the" || is_owner(w)) {
            return true;
        }
        if noun || words.len() < 2 {
            return false;
        }
        // `add goats`, `remove hens`; but `swing set in a park`, `drop of water`, `fold mountains`.
        let sure = matches!(
            first,
            "add"
                | "remove"
                | "delete"
                | "replace"
                | "make"
                | "change"
                | "convert"
                | "transform"
                | "erase"
                | "insert"
                | "include"
                | "introduce"
                | "eliminate"
                | "ensure"
                | "give"
                | "put"
                | "substitute"
                | "swap"
                | "exchange"
                | "let"
                | "have"
                | "get"
                | "incorporate"
                | "recolor"
                | "recolour"
                | "modify"
                | "alter"
                | "adjust"
                | "increase"
                | "decrease"
                | "reduce"
                | "enhance"
                | "rotate"
                | "crop"
                | "zoom"
                | "flip"
                | "sharpen"
                | "denoise"
                | "upscale"
                | "resize"
                | "brighten"
                | "darken"
                | "lighten"
                | "blur"
                | "mirror"
                | "keep"
                | "turn"
                | "take"
                | "decorate"
                | "surround"
                | "drape"
                | "apply"
                | "invert"
                | "desaturate"
                | "depict"
        );
        let goes_on = !matches!(next, "of" | "" | "'s")
            && !is_ing(next)
            && !(matches!(first, "turn" | "take" | "let" | "keep" | "mirror" | "exchange")
                && !is_determiner(next)
                && !is_preposition(next)
                && *n == 1
                && !matches!(next, "up" | "down" | "out" | "off"));
        return sure && goes_on && !(first == "swap" && next == "meet") && !(first == "turn" && next == "of");
    }
    // No verb that is known, but the shape of an order: `frobnicate the goat`, `bedeck the barn in ivy`.
    let open = first.chars().count() > 2
        && first.chars().all(|c| c.is_alphabetic() || c == '-')
        && !is_determiner(first)
        && !is_preposition(first)
        && !is_ing(first)
        && !is_ed(first)
        && lexicon().noun(first).is_empty()
        && !lexicon().is_adjective(first)
        && !matches!(
            first,
            "and"
                | "but"
                | "all"
                | "who"
                | "what"
                | "when"
                | "where"
                | "while"
                | "above"
                | "amidst"
                | "amongst"
                | "throughout"
                | "despite"
                | "half"
                | "behind"
                | "not"
                | "down"
                | "up"
                | "off"
                | "once"
                | "only"
                | "nothing"
                | "everyone"
                | "someone"
                | "there"
                | "here"
                | "this"
                | "that"
                | "both"
                | "outside"
                | "inside"
        );
    open && (matches!(second, "the" | "it" | "him" | "her" | "them" | "its" | "his" | "their") && words.len() > 2
        || (second == "it" && words.len() == 2))
}

/// True for a line that tells, asks or wishes, whatever it is that it wishes.
pub(super) fn is_instruction(words: &[&str], polite: bool) -> bool {
    if words.is_empty() {
        return polite;
    }
    let has = |all: &[&str]| words.windows(all.len()).any(|w| w == all);
    let n = words.len();
    let picture = ["picture", "image", "photo", "photograph", "scene", "background"];
    let of_this = picture.iter().any(|p| has(&["the", p]) || has(&["this", p]));
    polite
        || orders(words)
        || has(&["instead"])
        || has(&["rather", "than"])
        || words.iter().any(|w| matches!(*w, "should" | "shouldn't" | "must" | "please" | "don't"))
        || has(&["no", "longer"])
        || has(&["needs", "to"])
        || has(&["what", "if"])
        || (of_this && frames().tells(words[0]) && n < 24)
        || (matches!(words[0], "more" | "less" | "fewer" | "without" | "not") && n < 8)
        || (matches!(words[0], "no") && n < 6)
        || (n < 9 && matches!(words[0], "it" | "he" | "she" | "they" | "i" | "we" | "you"))
}
