//! Whether a line tells to do something, by its form alone: what no rule reads is then said so, and is no new picture.

use super::frames::{Frame, frames};
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
///
/// `named`: whether a word stands in the prompt, which tells `crop the goat` from `crop circles`.
pub(super) fn orders(words: &[&str], named: &dyn Fn(&str) -> bool) -> bool {
    let Some(&first) = words.first() else { return false };
    let second = words.get(1).copied().unwrap_or("");
    let known = frames().verb(words);
    if let Some((_, n)) = &known {
        let next = words.get(*n).copied().unwrap_or("");
        let noun = !lexicon().noun(first).is_empty() || lexicon().is_adjective(first);
        let turns = matches!(first, "turn" | "change" | "switch" | "convert")
            && next != "of"
            && words.iter().skip(2).any(|w| matches!(*w, "into" | "to"));
        let lets = matches!(first, "let" | "have") && !next.is_empty();
        // `hang copper pots above the counter`, `swap bears for wolves`
        let puts = known
            .iter()
            .flat_map(|(frames, _)| frames)
            .any(|f| matches!(f, Frame::Add | Frame::Cover | Frame::Move | Frame::Remove | Frame::Replace));
        let placed = puts
            && first != "mount"
            && !lexicon().is_adjective(first)
            && words.len() > 4
            && words[2..].windows(2).any(|p| is_preposition(p[0]) && p[0] != "of" && (p[1] == "the" || is_owner(p[1])));
        let traded = matches!(first, "swap" | "replace" | "exchange" | "substitute" | "trade")
            && words.iter().skip(2).any(|w| matches!(*w, "for" | "with" | "by"));
        // `top with blueberries`
        if next == "with"
            && words.len() < 7
            && known.iter().any(|(frames, n)| *n == 1 && frames.contains(&Frame::Cover))
        {
            return true;
        }
        if (placed || traded) && next != "of" && !is_preposition(next) && !is_ing(next) {
            return true;
        }
        let some = (!noun || words.get(n + 1).is_some_and(|w| is_determiner(w)))
            && (matches!(next, "up" | "off") && words.len() > n + 1 && words[n + 1] != "of");
        if lets || some || points(next) || matches!(next, "a" | "an") || turns {
            return true;
        }
        if !noun && next != "of" && words.iter().skip(*n).take(2).any(|w| *w == "the" || is_owner(w)) {
            return true;
        }
        if words.len() < 2 || next == "'s" {
            return false;
        }
        // `add goats`, `remove hens`; but `swing set in a park`, `drop of water`, `fold mountains`.
        let particle = matches!(
            next,
            "up" | "down"
                | "in"
                | "out"
                | "off"
                | "on"
                | "to"
                | "into"
                | "from"
                | "with"
                | "as"
                | "left"
                | "right"
                | "back"
                | "there"
        );
        let sure = frames().is("sure", first);
        let pointed = words.windows(2).any(|p| p[0] == "the" && named(p[1]));
        let likely = pointed && !lexicon().is_adjective(first)
            || frames().is("likely", first)
                && !(next == "up" && words.get(n + 1) == Some(&"of"))
                && (particle || !lexicon().is_adjective(first))
                && (particle || named(next) || words.get(n + 1).is_some_and(|w| named(w)));
        return !matches!(next, "of" | "") && (sure && !(noun && is_ing(next)) || likely);
    }
    // A noun before `the` and a thing of the prompt is a verb: `fire the clown`.
    if second == "the"
        && words.get(2).is_some_and(|w| named(w))
        && !is_preposition(first)
        && !is_ing(first)
        && !is_ed(first)
        && !is_determiner(first)
    {
        return true;
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
        && !frames().is("no verb", first);
    open && (matches!(second, "the" | "it" | "him" | "her" | "them" | "its" | "his" | "their" | "some" | "up" | "off")
        && words.len() > 2
        || (second == "it" && words.len() == 2))
}

/// True for a bare verb that something in the picture is told: `rear up on its hind legs`.
pub(super) fn acts_alone(words: &[&str], named: &dyn Fn(&str) -> bool) -> bool {
    let [first, second, rest @ ..] = words else { return false };
    frames().acts(first)
        && frames().verb(words).is_none()
        && lexicon().noun(first).is_empty()
        && !lexicon().is_adjective(first)
        && !rest.is_empty()
        && (is_preposition(second) || matches!(*second, "up" | "down" | "out" | "off" | "away" | "back"))
        && (rest.iter().any(|w| is_owner(w) || *w == "it") || rest.windows(2).any(|p| p[0] == "the" && named(p[1])))
        && *second != "of"
}

/// True for a line that tells, asks or wishes, whatever it is that it wishes.
pub(super) fn is_instruction(words: &[&str], polite: bool, named: &dyn Fn(&str) -> bool) -> bool {
    if words.is_empty() {
        return polite;
    }
    let has = |all: &[&str]| words.windows(all.len()).any(|w| w == all);
    let n = words.len();
    let picture = ["picture", "image", "photo", "photograph", "scene", "background"];
    let of_this = picture.iter().any(|p| has(&["the", p]) || has(&["this", p]));
    let pointed = words.windows(2).any(|p| p[0] == "the" && named(p[1]));
    let bare_verb = (frames().acts(words[0]) || frames().tells(words[0]))
        && lexicon().noun(words[0]).is_empty()
        && !lexicon().is_adjective(words[0]);
    let later = words
        .windows(2)
        .any(|p| p[0] == "," && matches!(p[1], "change" | "make" | "turn" | "replace" | "remove" | "add"));
    polite
        || acts_alone(words, named)
        || n == 2 && matches!(words[1], "version" | "mode" | "edition")
        || orders(words, named)
        || later
        || has(&["would", "be"])
        || has(&["could", "there"])
        || (bare_verb
            && n > 2
            && words[1..].iter().any(|w| is_owner(w) || matches!(*w, "it" | "top"))
            && !words.contains(&"of"))
        || (bare_verb && pointed)
        || (bare_verb && n > 3 && matches!(words[1], "in" | "on" | "with") && matches!(words[2], "a" | "an" | "some"))
        || (n > 3
            && frames().tells(words[0])
            && !is_preposition(words[1])
            && words[2..].iter().any(|w| is_owner(w))
            && !is_ing(words[1]))
        || ((2..=4).contains(&n)
            && (named(words[0]) && !lexicon().is_adjective(words[0]) || words[0] == "all")
            && !words.contains(&"of"))
        || (n < 8
            && words.contains(&":")
            && named(words[words.iter().position(|w| *w == ":").unwrap_or(1).saturating_sub(1)]))
        || (n < 12 && pointed && words.iter().any(|w| is_preposition(w)) && !is_determiner(words[0]))
        || (n < 8 && words[n - 1] == "it" && is_preposition(words[n.saturating_sub(2)]))
        || has(&["instead"])
        || has(&["rather", "than"])
        || words.iter().any(|w| matches!(*w, "should" | "shouldn't" | "must" | "please" | "don't"))
        || has(&["no", "longer"])
        || has(&["needs", "to"])
        || has(&["what", "if"])
        || has(&["other", "one"])
        || (of_this && frames().tells(words[0]) && n < 24)
        || (matches!(words[0], "more" | "less" | "fewer" | "without" | "not")
            && !has(&["than"])
            && !has(&["is"])
            && n < 8)
        || (matches!(words[0], "no") && !words.contains(&"'s") && n < 6)
        || (n < 9 && matches!(words[0], "it" | "he" | "she" | "they" | "i" | "we" | "you"))
}
