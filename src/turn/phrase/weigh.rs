//! Clauses that let a word count for more or less.

use super::super::Weight;
use super::super::desk::{Desk, Stop, Tok};
use super::super::find::Reach;
use super::super::lexicon::lexicon;
use super::super::small::is_function_word;
use super::adjective::{self, Adjective, groups};
use super::degree::{comparative, degree};
use super::noun::trim;
use super::target::{Target, core, places};
use std::ops::Range;

/// `more wavy`, `a bit less long`, `much longer hair`, `not so snowy`. False if the tokens say no such thing.
pub(super) fn clause(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<bool, Stop> {
    let toks = trim(toks);
    if let Some((base, factor, used)) = comparative(toks) {
        let rest = trim(&toks[used..]);
        if rest.is_empty() {
            let head = super::target::last(desk).map(|r| r.end - 1);
            compare(desk, head, &base, factor, &toks[..used])?;
            return Ok(true);
        }
        // `longer hair`, `a redder balloon`, `longer wavier hair`
        if let Some((next, factor2, used2)) = comparative(rest) {
            let noun = trim(&rest[used2..]);
            let head =
                if noun.is_empty() { None } else { Some(super::target::thing(desk, noun, Reach::Thing)?.end - 1) };
            compare(desk, head, &base, factor, &toks[..used])?;
            compare(desk, None, &next, factor2, &rest[..used2])?;
            return Ok(true);
        }
        match super::target::target(desk, rest)? {
            Some(Target::Unnamed(word)) => {
                let adjective = Adjective { text: base.clone(), low: base, toks: toks[..used].to_vec() };
                adjective::apply(desk, &Target::Unnamed(word), &[adjective])?;
            }
            Some(Target::Thing(place)) => compare(desk, Some(place.end - 1), &base, factor, &toks[..used])?,
            Some(_) => compare(desk, None, &base, factor, &toks[..used])?,
            None => return Err(desk.missing(core(rest))),
        }
        return Ok(true);
    }
    // `a redder balloon`
    if toks.first().is_some_and(|t| matches!(t.low.as_str(), "a" | "an" | "the"))
        && toks.len() > 2
        && degree(toks).is_none()
        && comparative(toks).is_none()
        && comparative(&toks[1..]).is_some()
    {
        return clause(desk, &toks[1..]);
    }
    let enough = toks.last().is_some_and(|t| t.low == "enough") && toks.first().is_some_and(|t| t.low == "not");
    if enough {
        words(desk, trim(&toks[1..toks.len() - 1]), 1.5, None)?;
        return Ok(true);
    }
    let Some((factor, used)) = degree(toks) else { return Ok(false) };
    let mut rest = trim(&toks[used..]);
    // `half as wavy as before`
    if let Some(end) = rest.iter().position(|t| matches!(t.low.as_str(), "as" | "than")).filter(|&i| i > 0) {
        rest = &rest[..end];
    }
    if rest.is_empty() {
        return Err(desk.misread(toks, format!("`{}` of what?", desk.typed(toks)), "more wavy"));
    }
    words(desk, rest, factor, None)?;
    Ok(true)
}

/// Weighs the words named: the adjectives if a noun follows them, else all.
pub(super) fn words(desk: &mut Desk<'_>, toks: &[Tok], factor: f64, within: Option<usize>) -> Result<(), Stop> {
    let all = core(toks);
    if let Some(head) = within {
        return of_noun(desk, head, all, factor);
    }
    let joined: Vec<&[Tok]> = all.split(|t| t.is_mark() || t.low == "and").filter(|p| !p.is_empty()).collect();
    if joined.len() > 1 {
        for part in joined {
            words(desk, part, factor, None)?;
        }
        return Ok(());
    }
    // `pine trees` is a name: both words are meant.
    if let [place] = desk.draft.occurrences(&list(all), Reach::Exact, false).as_slice()
        && place.len() > 1
        && desk.draft.name_start(place.end - 1) == place.start
    {
        place.clone().for_each(|i| desk.weigh(i, Weight::Times(factor)));
        return Ok(());
    }
    // `wavy hair`: the waves are meant.
    if let [before @ .., noun] = all
        && !before.is_empty()
    {
        let heads = places(desk, std::slice::from_ref(noun), Reach::Thing);
        let known = heads.iter().any(|r| desk.draft.is_head(r.end - 1));
        if known
            && before.iter().all(|t| {
                lexicon().is_adjective(&t.low) || !places(desk, std::slice::from_ref(t), Reach::Idea).is_empty()
            })
        {
            let place = super::target::thing(desk, all, Reach::Idea)
                .or_else(|_| super::target::thing(desk, std::slice::from_ref(noun), Reach::Thing))?;
            return of_noun(desk, place.end - 1, before, factor);
        }
    }
    // `make her hair less straight and more curly`: the hair is still spoken of.
    let lacking =
        places(desk, all, Reach::Idea).is_empty() && desk.draft.occurrences(&list(all), Reach::Idea, false).is_empty();
    if let (true, Some(last)) = (lacking && factor > 1.0 && adjective::all_adjectives(all), super::target::last(desk)) {
        let all = groups(desk, all);
        adjective::apply(desk, &Target::Thing(last), &all)?;
        return Ok(());
    }
    let place = find(desk, all, factor)?;
    let content: Vec<usize> =
        place.clone().filter(|&i| desk.draft.is_word(i) && !is_function_word(desk.draft.low(i))).collect();
    for i in content {
        desk.weigh(i, Weight::Times(factor));
    }
    let head = desk.draft.head_of(place.end - 1);
    desk.last = Some(desk.draft.low(head).to_owned());
    Ok(())
}

fn list(toks: &[Tok]) -> Vec<String> {
    toks.iter().map(|t| t.low.clone()).collect()
}

/// The word to weigh: the very word, else another form of it.
fn find(desk: &mut Desk<'_>, toks: &[Tok], factor: f64) -> Result<Range<usize>, Stop> {
    let found = desk.draft.occurrences(&list(toks), Reach::Idea, false);
    if found.is_empty() {
        let place = places(desk, toks, Reach::Idea);
        if let [one] = place.as_slice() {
            return Ok(one.clone());
        }
        return Err(absent(desk, toks, factor));
    }
    let name = desk.typed(toks).to_owned();
    desk.choose_place(format!("`{name}` stands there {} times: which one?", found.len()), &found)
}

fn absent(desk: &Desk<'_>, toks: &[Tok], factor: f64) -> Stop {
    let Stop::Misread(mut misread) = desk.missing(toks) else { return desk.missing(toks) };
    if factor > 1.0 && misread.hint.as_deref().is_some_and(|h| h.starts_with("the prompt is")) {
        misread.hint = Some(format!("to add it: + {}", desk.typed(toks)));
    }
    misread.into()
}

/// Weighs adjectives of one noun; one that it lacks is given to it when more of it is wanted.
fn of_noun(desk: &mut Desk<'_>, head: usize, toks: &[Tok], factor: f64) -> Result<(), Stop> {
    for part in toks.split(|t| t.is_mark() || t.low == "and").filter(|p| !p.is_empty()) {
        for tok in part {
            let present = desk.draft.adjectives(head);
            let there = present.into_iter().find(|&i| lexicon().related(desk.draft.low(i), &tok.low));
            match there {
                Some(i) => desk.weigh(i, Weight::Times(factor)),
                None => return Err(absent(desk, std::slice::from_ref(tok), factor)),
            }
        }
    }
    Ok(())
}

/// A comparative: weighs the word if it is there, else puts it there (`longer` is a form of `long`).
pub(super) fn compare(
    desk: &mut Desk<'_>,
    head: Option<usize>,
    base: &str,
    factor: f64,
    toks: &[Tok],
) -> Result<(), Stop> {
    let there: Vec<usize> = match head {
        Some(head) => desk.draft.adjectives(head),
        None => (0..desk.draft.items.len()).collect(),
    };
    let there: Vec<usize> = there.into_iter().filter(|&i| lexicon().same(desk.draft.low(i), base)).collect();
    if !there.is_empty() {
        let i = super::target::one_of(desk, &format!("`{base}` stands there several times: which one?"), &there)?;
        desk.weigh(i, Weight::Times(factor));
        return Ok(());
    }
    // `wavier` where there are waves
    let noun = |i: &usize| lexicon().related(desk.draft.low(*i), base) && !lexicon().is_adjective(desk.draft.low(*i));
    if let Some(i) = (0..desk.draft.items.len()).find(noun).filter(|_| lexicon().noun_form(base).is_some()) {
        desk.weigh(i, Weight::Times(factor));
        return Ok(());
    }
    let adjective = Adjective { text: base.to_owned(), low: base.to_owned(), toks: toks[..1].to_vec() };
    let target = match head {
        Some(head) => Target::Thing(head..head + 1),
        None => Target::Scene,
    };
    adjective::apply(desk, &target, &[adjective])?;
    Ok(())
}

/// A comparative said of what a clause is about.
pub(super) fn more_of(desk: &mut Desk<'_>, target: &Target, base: &str, factor: f64, toks: &[Tok]) -> Result<(), Stop> {
    let there = (0..desk.draft.items.len()).any(|i| lexicon().same(desk.draft.low(i), base));
    match target {
        Target::Thing(range) => {
            let head = desk.draft.head_of(range.end - 1);
            compare(desk, Some(head), base, factor, toks)
        }
        Target::Scene => compare(desk, None, base, factor, toks),
        Target::Person if there => compare(desk, None, base, factor, toks),
        Target::Unnamed(_) | Target::Person => {
            let adjective = Adjective { text: base.to_owned(), low: base.to_owned(), toks: toks[..1].to_vec() };
            adjective::apply(desk, target, &[adjective]).map(|_| ())
        }
    }
}

/// `make X more wavy`, `make X longer`: true if the tokens are a degree.
pub(super) fn of_target(desk: &mut Desk<'_>, target: &Target, toks: &[Tok]) -> Result<bool, Stop> {
    let head = match target {
        Target::Thing(range) => Some(desk.draft.head_of(range.end - 1)),
        _ => None,
    };
    if let Some((base, factor, used)) = comparative(toks) {
        if used == toks.len() {
            more_of(desk, target, &base, factor, toks)?;
            return Ok(true);
        }
        return Ok(false);
    }
    let Some((factor, used)) = degree(toks) else { return Ok(false) };
    let rest = core(trim(&toks[used..]));
    if rest.is_empty() {
        return Err(desk.misread(toks, format!("`{}` of what?", desk.typed(toks)), "make her hair more wavy"));
    }
    let global = (0..desk.draft.items.len()).any(|i| lexicon().related(desk.draft.low(i), &rest[rest.len() - 1].low));
    match head {
        Some(head) => {
            let lacks =
                |t: &Tok| !desk.draft.adjectives(head).iter().any(|&i| lexicon().related(desk.draft.low(i), &t.low));
            if factor > 1.0 && rest.iter().any(lacks) && adjective::all_adjectives(rest) {
                let all = groups(desk, rest);
                adjective::apply(desk, target, &all)?;
            } else {
                words(desk, rest, factor, Some(head))?;
            }
        }
        None if !global && factor > 1.0 && adjective::all_adjectives(rest) => {
            let all = groups(desk, rest);
            adjective::apply(desk, target, &all)?;
        }
        None => words(desk, rest, factor, None)?,
    }
    Ok(true)
}
