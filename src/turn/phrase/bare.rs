//! A few bare words: `red hair`, `purple`, `sunglasses`, `winter`. They are no picture of their own, but a detail of
//! this one.

use super::super::desk::{Desk, Stop, Tok, lows};
use super::super::find::Reach;
use super::super::lexicon::{Kind, lexicon};
use super::super::small::{is_determiner, is_stop};
use super::add::{self, Lead};
use super::adjective::{self, all_adjectives, groups};
use super::complement::complement;
use super::make::make;
use super::noun::{self, kinds_of};
use super::remove;
use super::target::{Target, places, unnamed};
use std::ops::Range;

/// More words than this are a prompt.
const MOST: usize = 4;

/// What someone has or wears.
const OWN: &[&str] = &["hair", "body", "beard", "glasses", "headgear", "clothing", "accessory", "jewellery"];

/// Reads bare words as a detail of the picture; false if they may be a picture of their own.
pub(super) fn detail(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<bool, Stop> {
    unfinished(desk, toks)?;
    if off_or_on(desk, toks)? {
        return Ok(true);
    }
    // `snowy again`
    let toks = match toks {
        [rest @ .., again]
            if matches!(again.low.as_str(), "again" | "back")
                && rest.last().is_some_and(|t| !is_determiner(&t.low) && t.low != "'s") =>
        {
            rest
        }
        _ => toks,
    };
    if toks.is_empty() || toks.len() > MOST {
        return Ok(false);
    }
    if plain(toks) && desk.restore(desk.typed(toks), !all_adjectives(toks)).is_some() {
        return Ok(true);
    }
    // `another cat`, `one more cat`
    let more = matches!(lows(&toks[..toks.len().min(2)]).as_slice(), ["another", _] | ["one", "more"]);
    if more && plain(&toks[2..]) {
        return add::add(desk, toks, Lead::Comma).map(|()| true);
    }
    match toks {
        [article, rest @ ..] if matches!(article.low.as_str(), "a" | "an") => of_a_detail(desk, rest),
        _ if plain(toks) => words(desk, toks),
        _ => Ok(false),
    }
}

/// True for words alone: no signs, no articles, no prepositions.
fn plain(toks: &[Tok]) -> bool {
    let inside = |t: &Tok| !t.is_mark() && t.low != "'s" && !is_determiner(&t.low);
    toks.iter().all(|t| inside(t) && (t.low == "and" || !is_stop(&t.low)))
}

/// Fails for `cat 2` and `cat#2`, which name something of the prompt and say nothing of it.
fn unfinished(desk: &Desk<'_>, toks: &[Tok]) -> Result<(), Stop> {
    let (name, number) = match toks {
        [name, number] => (name, number),
        [name, sign, number] if sign.low == "#" => (name, number),
        _ => return Ok(()),
    };
    if !is_determiner(&name.low)
        && number.low.parse::<f64>().is_ok()
        && !places(desk, std::slice::from_ref(name), Reach::Exact).is_empty()
    {
        let first = desk.typed(std::slice::from_ref(name));
        let message = format!("`{}` does not say what becomes of it", desk.typed(toks));
        let hint = format!("to weigh it: {first}*{0}; to change it: {first}#{0} -> dog", number.low);
        return Err(desk.misread(toks, message, hint));
    }
    Ok(())
}

/// `glasses off`, `hat on`
fn off_or_on(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<bool, Stop> {
    let [thing @ .., way] = toks else { return Ok(false) };
    if thing.is_empty() || !plain(thing) {
        return Ok(false);
    }
    match way.low.as_str() {
        "off" | "away" | "out" | "gone" if !places(desk, thing, Reach::Thing).is_empty() => {
            remove::without(desk, thing, &[]).map(|()| true)
        }
        "on" if is_own(kinds_of(thing)) => add::add(desk, thing, Lead::With).map(|()| true),
        _ => Ok(false),
    }
}

/// `a striped dress` is a picture of its own, but not where a dress is a detail of this one.
fn of_a_detail(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<bool, Stop> {
    let name = name(toks);
    if !plain(toks) || name.len() == toks.len() {
        return Ok(false);
    }
    match place(desk, name).filter(|p| !desk.draft.subjects().contains(&(p.end - 1))) {
        Some(place) => noun::swap_thing(desk, place, toks).map(|_| true),
        None => Ok(false),
    }
}

/// Adjectives, times, and things without an article.
fn words(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<bool, Stop> {
    let [before @ .., noun] = toks else { return Ok(false) };
    let kinds = kinds_of(toks);
    // `hair red`
    let said_after = (1..toks.len()).any(|n| {
        let (thing, said) = toks.split_at(n);
        let adjectives = all_adjectives(said) && kinds_of(said).is_empty() && !all_adjectives(thing);
        adjectives && !places(desk, thing, Reach::Exact).is_empty()
    });
    if said_after {
        return make(desk, toks, &[]).map(|()| true);
    }
    if all_adjectives(toks) && kinds.is_empty() {
        return add::add(desk, toks, Lead::Comma).map(|()| true);
    }
    if before.iter().any(|t| t.low == "and") {
        return Ok(false);
    }
    let described = !before.is_empty() && all_adjectives(before);
    let when = kinds.iter().any(|k| matches!(*k, "time" | "season" | "weather"));
    if when && (before.is_empty() || described) {
        return complement(desk, &Target::Scene, toks, &[]).map(|()| true);
    }
    let name = name(toks);
    if kinds == ["scene"] && name.len() == toks.len() {
        return noun::become_thing(desk, &Target::Scene, toks).map(|()| true);
    }
    let own = is_own(kinds) && desk.draft.shows_someone();
    match place(desk, name) {
        Some(_) if own || !before.is_empty() => return add::have(desk, toks, Lead::With).map(|()| true),
        Some(_) => return Ok(false),
        None => {}
    }
    // `wheat field` where there is a field
    if let Some(place) = place(desk, std::slice::from_ref(noun)).filter(|_| name.len() > 1) {
        return noun::swap_thing(desk, place, toks).map(|_| true);
    }
    if described && unnamed(desk, &noun.low) {
        let all = groups(desk, before);
        return adjective::apply(desk, &Target::Unnamed(noun.low.clone()), &all).map(|_| true);
    }
    if own || (before.is_empty() && kinds.contains(&"sky")) {
        let taken = own && !desk.draft.heads_of_kind(&kinds[..1]).is_empty();
        return add::have(desk, toks, if taken { Lead::With } else { Lead::Comma }).map(|()| true);
    }
    Ok(false)
}

fn is_own(kinds: &[Kind]) -> bool {
    kinds.iter().any(|k| OWN.contains(k))
}

/// The name of the thing without its adjectives: `wheat field`.
fn name(toks: &[Tok]) -> &[Tok] {
    &toks[toks.len() - lexicon().compound_ending(&lows(toks)).min(toks.len())..]
}

/// Where a thing of this very name stands.
fn place(desk: &Desk<'_>, name: &[Tok]) -> Option<Range<usize>> {
    let words: Vec<String> = name.iter().map(|t| t.low.clone()).collect();
    let all = desk.draft.occurrences(&words, Reach::Exact, false);
    all.into_iter().find(|r| desk.draft.is_head(r.end - 1))
}
