//! `Y instead of X`, in all its forms: `rather than X, Y`, `Y, not X`, `not X but Y`.

use super::super::desk::{Desk, Stop, Tok, lows};
use super::super::find::Reach;
use super::super::small::{is_determiner, is_person_pronoun, is_preposition, is_stop};
use super::courtesy::plain;
use super::degree::degree;
use super::group::all_of;
use super::make::split_target;
use super::noun::trim;
use super::opening::{cut_at, modal, opens, verb_of};
use super::pair::{phrase_of, put_for};
use super::target::places;
use super::verbs::Verb;

/// Whether a clause says `Y instead of X`, both of them.
pub(super) fn says_instead(toks: &[Tok]) -> bool {
    let words = lows(toks);
    instead_at(&words).is_some_and(|(at, n)| at > 0 && at + n < words.len())
}

/// Where `instead of` stands, and how many words it takes.
pub(super) fn instead_at(words: &[&str]) -> Option<(usize, usize)> {
    const WAYS: &[&[&str]] = &[&["instead", "of"], &["rather", "than"], &["in", "place", "of"]];
    (0..words.len()).find_map(|at| WAYS.iter().find(|w| words[at..].starts_with(w)).map(|w| (at, w.len())))
}

/// Where `not` stands in `curly, not wavy`, `curly not wavy`.
pub(super) fn not_at(desk: &Desk<'_>, toks: &[Tok]) -> Option<usize> {
    let at = toks.iter().position(|t| t.low == "not").filter(|&i| i > 0 && i + 1 < toks.len())?;
    let apart = toks[at - 1].low == ",";
    let plain = toks[..at].iter().all(|t| !is_stop(&t.low));
    (apart || (plain && toks.len() <= 5 && !places(desk, &toks[at + 1..], Reach::Idea).is_empty())).then_some(at)
}

/// `a dog instead of the cat`, `instead of the cat, a dog`, `a dog rather than a cat`, `not a cat but a dog`.
pub(super) fn instead(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<bool, Stop> {
    let words = lows(toks);
    // `not a cat but a dog`; `a dog, not a cat`
    if let Some(but) =
        words.iter().position(|w| *w == "but").filter(|&i| words[0] == "not" && i > 1 && i + 1 < words.len())
    {
        let (x, y) = (trim(&toks[1..but]), trim(&toks[but + 1..]));
        if degree(toks).is_none() && !x.is_empty() && !opens(desk, y) {
            put_for(desk, x, y)?;
            return Ok(true);
        }
    }
    if let Some(not) = not_at(desk, toks) {
        let (y, x) = (trim(&toks[..not]), trim(&toks[not + 1..]));
        if !opens(desk, y)
            && degree(&toks[not..]).is_none()
            && !places(desk, x, Reach::Idea).is_empty()
            && cut_at(y).is_none()
        {
            put_for(desk, x, y)?;
            return Ok(true);
        }
    }
    let Some((at, n)) = instead_at(&words) else { return Ok(false) };
    let (mut left, mut right) = (trim(&toks[..at]), trim(&toks[at + n..]));
    if left.is_empty() {
        // Instead of X, Y.
        let cut = right.iter().position(|t| matches!(t.low.as_str(), "," | ";"));
        let named = (1..right.len()).rev().find(|&n| {
            let bounded = !right[..n].iter().skip(1).any(|t| is_determiner(&t.low));
            bounded && !places(desk, &right[..n], Reach::Exact).is_empty()
        });
        let cut = cut.or(named).or_else(|| {
            // `instead of the cat a dog`: the second article begins Y.
            right
                .iter()
                .enumerate()
                .skip(1)
                .find(|(_, t)| is_determiner(&t.low) || verb_of(desk, std::slice::from_ref(t)).is_some())
                .map(|(i, _)| i)
        });
        let Some(cut) = cut else {
            return Err(desk.misread(toks, "that says what goes, but not what comes", "a dog instead of the cat"));
        };
        left = trim(&right[cut..]);
        right = trim(&right[..cut]);
    }
    // `roses instead of tulips, and a hat`
    let mut more: &[Tok] = &[];
    if let Some(cut) =
        cut_at(right).filter(|_| places(desk, right, Reach::Idea).is_empty() && all_of(desk, right).is_none())
        && !places(desk, trim(&right[..cut]), Reach::Idea).is_empty()
    {
        more = trim(&right[cut + 1..]);
        more = if more.first().is_some_and(|t| t.low == "and") { &more[1..] } else { more };
        right = trim(&right[..cut]);
    }
    if left.is_empty() || right.is_empty() {
        return Err(desk.misread(toks, "that says only half of it", "a dog instead of the cat"));
    }
    let (inner, _, _) = plain(left);
    left = inner;
    if let Some((v, n)) = verb_of(desk, left) {
        left = match v {
            // `make the hair red instead of blond` says it all by itself.
            Verb::Make | Verb::Turn | Verb::Replace | Verb::Paint | Verb::Swap => {
                let rest = &left[n..];
                let (found, y) = split_target(desk, rest);
                if found > 0 { y } else { rest }
            }
            Verb::Give => match &left[n..] {
                [one, y @ ..] if is_person_pronoun(&one.low) && !y.is_empty() => y,
                rest => rest,
            },
            _ => &left[n..],
        };
    }
    if let Some((at, n)) = modal(desk, left) {
        left = &left[at + n..];
        while left.len() > 1 && matches!(left[0].low.as_str(), "be" | "have" | "wear") {
            left = &left[1..];
        }
    }
    while left.len() > 1
        && matches!(left[0].low.as_str(), "to" | "into" | "with" | "be")
        && !is_preposition(&right[0].low)
    {
        left = &left[1..];
    }
    if left.is_empty() {
        return Err(desk.misread(toks, "that says what goes, but not what comes", "a dog instead of the cat"));
    }
    if is_preposition(&left[0].low) && is_preposition(&right[0].low) {
        let range = phrase_of(desk, right)?;
        let text = desk.written(left);
        desk.put(range, &text);
    } else {
        put_for(desk, right, left)?;
    }
    if !more.is_empty() && !super::clauses(desk, more)? {
        super::add::add(desk, more, super::add::Lead::Comma)?;
    }
    Ok(true)
}
