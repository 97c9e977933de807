//! What shows that a line is an instruction: a verb, a degree, a preposition, `should`.

use super::super::desk::{Desk, Tok, lows};
use super::super::draft::Draft;
use super::super::find::Reach;
use super::super::lexicon::lexicon;
use super::super::small::{is_owner, is_person_pronoun, is_scene_pronoun};
use super::adjective::all_adjectives;
use super::degree::{comparative, degree};
use super::make::split_target;
use super::noun::{self};
use super::target::{core, places, resolves};
use super::verbs::{Verb, verb};

/// The verb that tokens begin with.
pub(super) fn verb_of(desk: &Desk<'_>, toks: &[Tok]) -> Option<(Verb, usize)> {
    verb(toks, &|tok| !places(desk, std::slice::from_ref(tok), Reach::Idea).is_empty())
}

/// True for tokens that only an instruction begins with, whatever the prompt is.
pub(super) fn commands(desk: &Desk<'_>, toks: &[Tok]) -> bool {
    match verb_of(desk, toks) {
        // `let there be light`, `use of colour`, `have a nice day` may be prompts.
        Some((Verb::Let | Verb::Use | Verb::Have | Verb::Keep | Verb::Wear, _)) => false,
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
    if inverted(desk, toks).is_some() || said_as_pair(desk, toks).is_some() {
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
        if n > 1 && (all_adjectives(y) || does(y)) {
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

/// `sleeps` of `the cat sleeps`
pub(super) fn does(toks: &[Tok]) -> bool {
    let acts = |f: &str| lexicon().adjective(f).iter().any(|k| matches!(*k, "mood" | "action"));
    matches!(toks, [one] if lexicon().adjective_form(&one.low).is_some_and(acts))
}

/// `hair longer`: where the comparative begins after a thing.
pub(super) fn said_after(desk: &Desk<'_>, toks: &[Tok]) -> Option<usize> {
    (1..toks.len().min(6))
        .find(|&i| comparative(&toks[i..]).is_some_and(|(_, _, n)| i + n == toks.len()) && resolves(desk, &toks[..i]))
}

/// `could her hair be red`: where the subject ends.
pub(super) fn inverted(desk: &Desk<'_>, toks: &[Tok]) -> Option<usize> {
    if !matches!(toks.first()?.low.as_str(), "can" | "could" | "should" | "would" | "may" | "might") {
        return None;
    }
    let at = toks.iter().position(|t| {
        matches!(t.low.as_str(), "be" | "have" | "wear" | "look" | "become" | "get")
            || lexicon().adjective_form(&t.low).is_some_and(|f| f != t.low)
    })?;
    (at > 1 && at < toks.len() && resolves(desk, &toks[1..at])).then_some(at)
}

/// `blond to red`, `cat into dog`, `from day to night`: two of one kind and the word between them.
pub(super) fn said_as_pair(desk: &Desk<'_>, toks: &[Tok]) -> Option<(usize, usize)> {
    let from = usize::from(toks.first()?.low == "from");
    let at = toks
        .iter()
        .position(|t| matches!(t.low.as_str(), "to" | "into" | "becomes" | "become"))
        .filter(|&i| i > from && i + 1 < toks.len())?;
    let (x, y) = (&toks[from..at], &toks[at + 1..]);
    let y = &y[..cut_at(y).unwrap_or(y.len()).max(1)];
    if x.len() + y.len() > 8 || matches!(x[0].low.as_str(), "a" | "an") || places(desk, x, Reach::Thing).is_empty() {
        return None;
    }
    let kinds = |t: &[Tok]| {
        let last = noun::noun_of(core(t)).map(|t| t.low.clone()).unwrap_or_default();
        let mut all = lexicon().adjective(&last).to_vec();
        all.extend_from_slice(lexicon().noun(&last));
        all
    };
    let (old, new) = (kinds(x), kinds(y));
    let alike = old.iter().any(|k| new.contains(k) && *k != "other");
    (from == 1 || toks[at].low == "into" || alike).then_some((from, at))
}

pub(super) fn cut_at(toks: &[Tok]) -> Option<usize> {
    toks.iter().position(|t| matches!(t.low.as_str(), "and" | "but" | "then" | "," | ";" | "."))
}

/// True if tokens begin by pointing at a thing of the prompt: `her hair`, `the river`.
pub(super) fn names_a_thing(desk: &Desk<'_>, toks: &[Tok]) -> bool {
    (1..=toks.len().min(4)).any(|n| !places(desk, &toks[..n], Reach::Thing).is_empty())
}
