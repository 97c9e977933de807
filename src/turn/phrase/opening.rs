//! What shows that a line is an instruction: a verb, a degree, a preposition, `should`.

use super::super::desk::{Desk, Tok, lows};
use super::super::draft::Draft;
use super::super::find::Reach;
use super::super::small::{is_owner, is_person_pronoun, is_scene_pronoun};
use super::adjective::all_adjectives;
use super::degree::{comparative, degree};
use super::make::split_target;
use super::target::{places, resolves};
use super::verbs::{Verb, verb};

/// The verb that tokens begin with.
pub(super) fn verb_of(desk: &Desk<'_>, toks: &[Tok]) -> Option<(Verb, usize)> {
    verb(toks, &|tok| !places(desk, std::slice::from_ref(tok), Reach::Idea).is_empty())
}

/// True for tokens that only an instruction begins with, whatever the prompt is.
pub(super) fn commands(desk: &Desk<'_>, toks: &[Tok]) -> bool {
    match verb_of(desk, toks) {
        // `let there be light`, `use of colour`, `have a nice day` may be prompts.
        Some((Verb::Let | Verb::Wear, _)) => false,
        Some(_) => true,
        None => degree(toks).is_some_and(|(_, n)| n < toks.len() && toks.len() < 6) && toks[0].low != "too",
    }
}

pub(super) const MODALS: &[&[&str]] = &[
    &["should"],
    &["shall"],
    &["must"],
    &["needs", "to"],
    &["need", "to"],
    &["has", "to"],
    &["have", "to"],
    &["ought", "to"],
    &["could"],
    &["can"],
    &["might"],
    &["may"],
    &["would"],
    &["shouldn't"],
    &["mustn't"],
    &["to"],
    &["is"],
    &["are"],
    &["has"],
    &["wears"],
    &["looks"],
    &["isn't"],
    &["aren't"],
    &["'s"],
    &["is", "going", "to"],
    &["is", "to"],
    &["had"],
    &["have"],
    &["were"],
    &["was"],
    &["needs"],
    &["need"],
    &["wants", "to"],
    &["wants"],
    &["'d"],
    &["gets"],
    &["be"],
    &["doesn't"],
    &["does"],
    &["lacks"],
    &["becomes"],
    &["become"],
    &["turns", "into"],
];

/// Where a subject ends and `should`, `is`, `has` begins; and how many words that is.
pub(super) fn modal(desk: &Desk<'_>, toks: &[Tok]) -> Option<(usize, usize)> {
    let words = lows(toks);
    for at in 1..words.len().min(9) {
        let Some(m) = MODALS.iter().filter(|m| words[at..].starts_with(m)).max_by_key(|m| m.len()) else { continue };
        let subject = &toks[..at];
        let weak = !matches!(
            m[0],
            "should" | "shall" | "must" | "needs" | "ought" | "shouldn't" | "mustn't" | "might" | "could"
        );
        let pronoun = matches!(subject, [one] if is_person_pronoun(&one.low) || is_scene_pronoun(&one.low) || matches!(one.low.as_str(), "there" | "i"));
        let definite = subject
            .first()
            .is_some_and(|t| t.low == "the" || is_owner(&t.low) || matches!(t.low.as_str(), "this" | "these"));
        if matches!(subject, [one] if one.low == "i") {
            return None;
        }
        if m[0] == "'s" && !(pronoun && matches!(words[0], "it" | "she" | "he" | "there")) {
            continue;
        }
        if m[0] == "to" && !(pronoun || definite) {
            return None;
        }
        let fits = pronoun
            || (definite && (!weak || resolves(desk, subject)))
            || (!weak && (resolves(desk, subject) || at <= 4));
        if fits && at + m.len() < toks.len() {
            return Some((at, m.len()));
        }
        if fits {
            return None;
        }
    }
    None
}

/// True if tokens begin an instruction in this prompt.
pub(super) fn opens(desk: &Desk<'_>, toks: &[Tok]) -> bool {
    let Some(first) = toks.first() else { return false };
    let words = lows(toks);
    if commands(desk, toks) || verb_of(desk, toks).is_some() || degree(toks).is_some() {
        return true;
    }
    if is_person_pronoun(&first.low) && toks.len() > 2 && matches!(words[1], "with" | "in" | "wearing") {
        return true;
    }
    if matches!(first.low.as_str(), "with" | "without")
        || (matches!(first.low.as_str(), "into" | "to") && toks.len() > 1)
    {
        return true;
    }
    if matches!(first.low.as_str(), "don't" | "never") || words.starts_with(&["do", "not"]) {
        return toks.len() > 1;
    }
    // `her hair red`, `the river snowy`
    let definite = first.low == "the" || is_owner(&first.low);
    if definite && toks.len() < 20 {
        let (n, y) = split_target(desk, &toks[..cut_at(toks).unwrap_or(toks.len())]);
        if n > 1 && all_adjectives(y) {
            return true;
        }
    }
    if toks.len() == 1 && super::verbs::names().any(|v| v == first.low) {
        return true;
    }
    if matches!(first.low.as_str(), "no" | "not" | "without" | "minus" | "sans" | "less" | "plus" | "instead")
        && toks.len() > 1
    {
        return true;
    }
    if Draft::of(desk.typed(toks)).tie_at(0) > 0 && !matches!(first.low.as_str(), "for" | "of" | "to" | "who" | "that")
    {
        return toks.len() > 1;
    }
    // `longer hair`, `a bit redder`; but `a darker river between mountains` may be a prompt.
    if let Some((_, _, n)) = comparative(toks) {
        let rest = &toks[n..];
        if rest.is_empty()
            || rest[0].is_mark()
            || matches!(rest[0].low.as_str(), "and" | "but")
            || resolves(desk, rest)
            || rest.len() <= 2
        {
            return true;
        }
        if cut_at(rest).is_some_and(|i| i == 0 || resolves(desk, &rest[..i])) {
            return true;
        }
    }
    if said_after(desk, toks).is_some() {
        return true;
    }
    // `a bigger balloon`
    if matches!(words[0], "a" | "an" | "the")
        && toks.len() <= 6
        && let Some((_, _, n)) = comparative(&toks[1..])
        && resolves(desk, &toks[1 + n..])
    {
        return true;
    }
    if (words[0] == "not" && words.contains(&"but"))
        || words.windows(2).any(|w| w == [",", "not"])
        || super::instead::not_at(desk, toks).is_some()
    {
        return true;
    }
    if super::instead::instead_at(&words).is_some() || words.last() == Some(&"instead") {
        return true;
    }
    modal(desk, toks).is_some()
}

/// `hair longer`: where the comparative begins after a thing.
pub(super) fn said_after(desk: &Desk<'_>, toks: &[Tok]) -> Option<usize> {
    (1..toks.len().min(6))
        .find(|&i| comparative(&toks[i..]).is_some_and(|(_, _, n)| i + n == toks.len()) && resolves(desk, &toks[..i]))
}

pub(super) fn cut_at(toks: &[Tok]) -> Option<usize> {
    toks.iter().position(|t| matches!(t.low.as_str(), "and" | "but" | "then" | "," | ";" | "."))
}

/// True if tokens begin by pointing at a thing of the prompt: `her hair`, `the river`.
pub(super) fn names_a_thing(desk: &Desk<'_>, toks: &[Tok]) -> bool {
    (1..=toks.len().min(4)).any(|n| !places(desk, &toks[..n], Reach::Thing).is_empty())
}
