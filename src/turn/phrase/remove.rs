//! Clauses that take something out.

use super::super::desk::{Desk, Stop, Tok};
use super::super::draft::Draft;
use super::super::find::Reach;
use super::super::lexicon::lexicon;
use super::super::small::{is_owner, is_person_pronoun};
use super::noun::trim;
use super::target::{core, places, thing};

/// Takes out each thing of a list: `remove the hat and the beard`.
pub(super) fn without(desk: &mut Desk<'_>, head: &[Tok], more: &[&[Tok]]) -> Result<(), Stop> {
    for part in std::iter::once(&head).chain(more) {
        one(desk, part)?;
    }
    Ok(())
}

fn one(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<(), Stop> {
    let mut toks = trim(toks);
    // `take the hat off`, `shave the beard off`, `remove any glasses`, `remove the hat from her head`
    while toks.len() > 1
        && toks
            .last()
            .is_some_and(|t| matches!(t.low.as_str(), "off" | "away" | "out" | "again" | "altogether" | "part"))
    {
        toks = &toks[..toks.len() - 1];
    }
    while toks.len() > 1
        && toks.first().is_some_and(|t| matches!(t.low.as_str(), "off" | "away" | "out" | "more" | "longer"))
    {
        toks = &toks[1..];
    }
    // `take the car out of the street`
    if let Some(at) =
        toks.iter().position(|t| t.low == "out").filter(|&i| i > 0 && !places(desk, &toks[..i], Reach::Idea).is_empty())
    {
        toks = &toks[..at];
    }
    if toks.is_empty() {
        return Err(desk.misread(toks, "that says nothing to take out", "remove the glasses"));
    }
    if let [pronoun] = toks
        && is_person_pronoun(&pronoun.low)
        && desk.last.is_none()
    {
        return Err(desk.misread(toks, format!("`{}` could be anything", pronoun.low), "name it: remove the hat"));
    }
    // `remove the hat and the beard` may name a phrase with its own preposition: `remove with glasses`.
    let own = Draft::of(desk.typed(toks));
    let tie = own.tie_at(0);
    if tie > 0 && tie < toks.len() && places(desk, toks, Reach::Exact).is_empty() {
        toks = &toks[tie..];
    }
    // `straight, not wavy`: an earlier clause saw to it.
    let gone: Vec<String> = core(toks).iter().map(|t| t.low.clone()).collect();
    let before = desk.here.prompt.map(Draft::of).unwrap_or_default();
    if !desk.changes.is_empty()
        && desk.draft.occurrences(&gone, Reach::Idea, false).is_empty()
        && !before.occurrences(&gone, Reach::Idea, false).is_empty()
    {
        return Ok(());
    }
    if let Some(found) = super::group::group(desk, toks) {
        return super::group::each(desk, found, |desk, place| desk.remove(place, toks));
    }
    let named = places(desk, toks, Reach::Idea);
    if named.is_empty() && !toks.is_empty() {
        // Several words, of which the last is there and the others are not, are not guessed at.
        return Err(desk.missing(core(toks)));
    }
    let place = thing(desk, toks, Reach::Idea)?;
    desk.remove(place, toks)
}

/// `shave him`, `shave off his beard`, `shave it off`.
pub(super) fn shave(desk: &mut Desk<'_>, toks: &[Tok], more: &[&[Tok]]) -> Result<(), Stop> {
    let mut rest = trim(toks);
    while rest.last().is_some_and(|t| matches!(t.low.as_str(), "off" | "away")) {
        rest = &rest[..rest.len() - 1];
    }
    let unnamed = matches!(rest, [] | [_])
        && rest.first().is_none_or(|t| is_person_pronoun(&t.low) || t.low == "it" || is_owner(&t.low));
    let someone = !unnamed
        && places(desk, rest, Reach::Thing).iter().any(|r| desk.draft.noun_kinds(r.end - 1).contains(&"person"));
    if unnamed || someone {
        let beards = desk.draft.heads_of_kind(&["beard"]);
        if beards.is_empty() {
            return Err(desk.misread(toks, "there is no beard in the prompt", "remove the glasses"));
        }
        let head = super::target::one_of(desk, "what is shaved off?", &beards)?;
        return desk.remove(head..head + 1, toks);
    }
    without(desk, rest, more)
}

/// Takes an adjective from its noun: `make her hair not wavy`.
pub(super) fn adjective(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<(), Stop> {
    let toks = trim(toks);
    let Some(last) = toks.last() else {
        return Err(desk.misread(toks, "that says nothing to take out", "remove the glasses"));
    };
    let found: Vec<usize> = (0..desk.draft.items.len())
        .filter(|&i| {
            lexicon().related(desk.draft.low(i), &last.low)
                || Some(desk.draft.low(i)) == lexicon().adjective_form(&last.low)
        })
        .collect();
    if found.is_empty() {
        return Err(desk.missing(toks));
    }
    let i = super::target::one_of(desk, &format!("`{}` stands there several times: which one?", last.low), &found)?;
    desk.remove(i..i + 1, toks)
}
