//! One thing in the place of another: `turn X into Y`, `replace X with Y`, `swap X and Y`, `Y instead of X`.

use super::super::desk::{Desk, Stop, Tok};
use super::super::draft::Draft;
use super::super::find::Reach;
use super::super::lexicon::lexicon;
use super::super::small::{is_number, is_person_pronoun, is_preposition, is_scene_pronoun};
use super::adjective::{self, all_adjectives, groups};
use super::complement::{behind, complement, is_backdrop, with_more};
use super::degree::comparative;
use super::group::{all_of, put_for_all};
use super::make::{attribute, make, split_target, unresolved};
use super::noun::{self, trim};
use super::place;
use super::target::{self, Target, core, places, resolves};
use super::weigh;

/// The prompt's place of a phrase that was typed with its preposition.
pub(super) fn phrase_of(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<std::ops::Range<usize>, Stop> {
    let list: Vec<String> = toks.iter().map(|t| t.low.clone()).collect();
    let exact = desk.draft.occurrences(&list, Reach::Exact, false);
    if !exact.is_empty() {
        return desk.choose_place("which one?", &exact);
    }
    let tie = Draft::of(desk.typed(toks)).tie_at(0);
    let place = target::thing(desk, &toks[tie.min(toks.len() - 1)..], Reach::Thing)?;
    let start = desk.draft.phrase_start(place.end - 1).min(place.start);
    Ok(desk.draft.tie_start(start)..place.end)
}

/// Y in the place of X.
pub(super) fn put_for(desk: &mut Desk<'_>, x: &[Tok], y: &[Tok]) -> Result<(), Stop> {
    let (mut x, y) = (trim(x), trim(y));
    // `the word red`
    if let [_, word, named, ..] = x
        && word.low == "word"
        && !places(desk, std::slice::from_ref(named), Reach::Exact).is_empty()
    {
        x = &x[2..];
    }
    if x.is_empty() || y.is_empty() {
        return Err(desk.misread(
            if x.is_empty() { y } else { x },
            "that says only half of it",
            "replace the cat with a dog",
        ));
    }
    if places(desk, x, Reach::Thing).is_empty()
        && let Some(found) = all_of(desk, x)
    {
        return put_for_all(desk, found, y);
    }
    if is_preposition(&x[0].low) && x.len() > 1 {
        let range = phrase_of(desk, x)?;
        let text = if is_preposition(&y[0].low) { desk.written(y) } else { place::located(desk, y) };
        desk.put(range, &text);
        return Ok(());
    }
    if matches!(x, [one] if is_scene_pronoun(&one.low) || is_person_pronoun(&one.low)) {
        let Some(target) = target::target(desk, x)? else { return Err(desk.missing(x)) };
        return complement(desk, &target, y, &[]);
    }
    if let Some(attribute) = attribute(desk, x)? {
        return complement(desk, &attribute, y, &[]);
    }
    // `three dogs instead of two`
    if let ([old], [new, ..]) = (x, y)
        && is_number(&old.low)
        && is_number(&new.low)
    {
        let place = phrase_of(desk, x)?;
        desk.put(place, &new.low);
        return Ok(());
    }
    if usual_time(desk, x, y) {
        return place::when(desk, y);
    }
    if places(desk, x, Reach::Idea).is_empty() {
        // The hair, the sky, the background of every picture.
        if let Some(target @ (Target::Scene | Target::Unnamed(_))) = target::target(desk, x)? {
            return complement(desk, &target, y, &[]);
        }
    }
    let place = target::thing(desk, x, Reach::Idea)?;
    let last = place.end - 1;
    let does = desk.draft.is_verb(place.start) && place.len() == x.len();
    let adjectives_only = !does && all_adjectives(y) && noun::kinds_of(y).is_empty();
    if !desk.draft.is_head(last) || (adjectives_only && lexicon().is_adjective(desk.draft.low(last))) {
        // A word for a word: blond to red.
        let mut core = core(y);
        // `straight hair instead of wavy`
        let noun = desk.draft.low(desk.draft.head_of(last)).to_owned();
        let again = |t: &Tok| lexicon().same(&t.low, &noun) || lexicon().noun(&t.low).contains(&"attribute");
        if core.len() > 1 && core.last().is_some_and(again) && !desk.draft.is_head(last) {
            core = &core[..core.len() - 1];
        }
        let text = match core {
            [one] if lexicon().is_adjective(desk.draft.low(last)) && !lexicon().is_adjective(&one.low) => {
                lexicon().adjective_form(&one.low).map_or_else(|| desk.written(core), str::to_owned)
            }
            _ => desk.written(core),
        };
        desk.put(place, &text);
        return Ok(());
    }
    if does {
        let text = desk.written(core(y));
        desk.put(place, &text);
        return Ok(());
    }
    if let Some((_, _, _)) = comparative(y) {
        weigh::of_target(desk, &Target::Thing(place), y)?;
        return Ok(());
    }
    if adjectives_only {
        let all = groups(desk, y);
        adjective::apply(desk, &Target::Thing(place), &all)?;
        return Ok(());
    }
    let (old, new) = (desk.draft.noun_kinds(last), noun::kinds_of(core(y)));
    if is_preposition(&y[0].low) {
        let text = desk.written(y);
        let start = desk.draft.phrase_start(last).min(place.start);
        let tie = desk.draft.tie_start(start);
        if tie < start || new.iter().any(|k| old.contains(k)) {
            let range = tie..place.end;
            desk.put(range, &text);
            return Ok(());
        }
        return place::settle(desk, &text);
    }
    let time = |kinds: &[&str]| kinds.contains(&"time");
    if time(old) && time(new) {
        return place::when(desk, y);
    }
    if is_backdrop(desk, &place, new) {
        behind(desk, place, y);
        return Ok(());
    }
    let (y, around) = noun::thing_and_circumstances(desk, y);
    noun::swap_thing(desk, place, y)?;
    around_it(desk, around)
}

/// Times and places said with a thing.
pub(super) fn around_it(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<(), Stop> {
    if toks.is_empty() { Ok(()) } else { place::tied(desk, toks) }
}

/// A time or season that pictures have when nothing else is said: `turn day into night`.
pub(super) fn usual_time(desk: &Desk<'_>, x: &[Tok], y: &[Tok]) -> bool {
    let [one] = core(x) else { return false };
    let kinds = noun::kinds_of(core(y));
    matches!(one.low.as_str(), "day" | "daytime" | "daylight" | "summer" | "noon")
        && places(desk, x, Reach::Idea).is_empty()
        && lexicon().noun(&one.low).iter().any(|k| kinds.contains(k) && matches!(*k, "time" | "season"))
}

/// `turn the river into a street`, `change her hair from blond to red`, `turn it snowy`.
pub(super) fn turn(desk: &mut Desk<'_>, toks: &[Tok], more: &[&[Tok]]) -> Result<(), Stop> {
    if toks.is_empty() {
        return Err(desk.misread(toks, "that does not say what turns into what", "turn the river into a street"));
    }
    // `change to night`, `switch to a dog`
    if matches!(toks[0].low.as_str(), "to" | "into") && toks.len() > 1 {
        return complement(desk, &Target::Scene, &toks[1..], more);
    }
    let link = link(desk, toks, &["into", "to", "for", "with"]);
    let Some(at) = link else {
        if gathered(desk, toks, more, &["into", "to"])? {
            return Ok(());
        }
        if split_target(desk, toks).0 > 0 {
            return make(desk, toks, more);
        }
        if resolves(desk, toks) || attribute(desk, toks)?.is_some() {
            return Err(desk.misread(toks, format!("`{}` becomes what?", desk.typed(toks)), "change the cat to a dog"));
        }
        return Err(unresolved(desk, toks));
    };
    pair(desk, &toks[..at], &toks[at + 1..], more, &["into", "to", "for", "with"])
}

/// The connecting word that comes after a thing of the prompt; the first one if none does.
pub(super) fn link(desk: &Desk<'_>, toks: &[Tok], links: &[&str]) -> Option<usize> {
    let at = |i: &usize| *i > 0 && *i + 1 < toks.len() && links.contains(&toks[*i].low.as_str());
    let all: Vec<usize> = (0..toks.len()).filter(at).collect();
    all.iter()
        .copied()
        .filter(|&i| resolves(desk, &toks[..i]) || !places(desk, &toks[..i], Reach::Idea).is_empty())
        .max_by_key(|&i| usize::from(toks[i].low == "into") * 1000 + 500 - i)
        .or_else(|| all.iter().copied().find(|&i| toks[i].low == "into"))
        .or_else(|| all.first().copied())
}

/// X becomes Y, then the parts that go on: another pair, or more of Y.
pub(super) fn pair(desk: &mut Desk<'_>, x: &[Tok], y: &[Tok], more: &[&[Tok]], links: &[&str]) -> Result<(), Stop> {
    let own = more.iter().take_while(|p| pair_of_its_own(desk, p, links).is_none()).count();
    let (mine, others) = more.split_at(own);
    let y_all = with_more(desk, y, mine);
    // `her hair from blond`: the place is named twice.
    let from = x.iter().position(|t| t.low == "from");
    match from {
        Some(f) if f + 1 < x.len() => {
            let (thing, old) = (trim(&x[..f]), trim(&x[f + 1..]));
            if thing.is_empty()
                || places(desk, old, Reach::Idea).is_empty()
                || attribute(desk, thing)?.is_some()
                || !resolves(desk, thing)
            {
                put_for(desk, old, &y_all)?;
            } else {
                let head = match target::target(desk, thing)? {
                    Some(Target::Thing(r)) => Some(r.end - 1),
                    _ => None,
                };
                let word = core(old).last().map(|t| t.low.clone()).unwrap_or_default();
                let inside = head.and_then(|h| {
                    desk.draft.adjectives(h).into_iter().find(|&i| lexicon().related(desk.draft.low(i), &word))
                });
                match inside {
                    Some(i) => {
                        let text = desk.written(core(&y_all));
                        desk.put(i..i + 1, &text);
                    }
                    None => put_for(desk, old, &y_all)?,
                }
            }
        }
        _ => put_for(desk, x, &y_all)?,
    }
    for (i, part) in others.iter().enumerate() {
        if let Some(at) = pair_of_its_own(desk, part, links) {
            let rest: Vec<&[Tok]> =
                others[i + 1..].iter().take_while(|p| pair_of_its_own(desk, p, links).is_none()).copied().collect();
            pair(desk, &part[..at], &part[at + 1..], &rest, links)?;
        }
    }
    Ok(())
}

pub(super) fn pair_of_its_own(desk: &Desk<'_>, toks: &[Tok], links: &[&str]) -> Option<usize> {
    let at = (1..toks.len().saturating_sub(1)).find(|&i| links.contains(&toks[i].low.as_str()))?;
    (resolves(desk, &toks[..at]) || !places(desk, &toks[..at], Reach::Idea).is_empty()).then_some(at)
}

/// `replace the cat and the dog with foxes`: the connecting word is in a later part. False if it is in none.
fn gathered(desk: &mut Desk<'_>, toks: &[Tok], more: &[&[Tok]], links: &[&str]) -> Result<bool, Stop> {
    let linked = |p: &&[Tok]| (1..p.len().saturating_sub(1)).find(|&i| links.contains(&p[i].low.as_str()));
    let Some((at, i)) = more.iter().enumerate().find_map(|(at, p)| linked(p).map(|i| (at, i))) else {
        return Ok(false);
    };
    let part = more[at];
    let Some(first) = toks.first().map(|t| t.from) else { return Ok(false) };
    let whole = super::super::desk::tokens(&desk.line[first..part[i - 1].to], first);
    pair(desk, &whole, &part[i + 1..], &more[at + 1..], links)?;
    Ok(true)
}

/// `replace the cat with a dog and the beach with a forest`.
pub(super) fn pairs(
    desk: &mut Desk<'_>,
    toks: &[Tok],
    more: &[&[Tok]],
    links: &[&str],
    example: &str,
) -> Result<(), Stop> {
    if link(desk, toks, links).is_none() {
        if gathered(desk, toks, more, links)? {
            return Ok(());
        }
        if toks.first().is_none_or(|t| links.contains(&t.low.as_str())) {
            return Err(desk.misread(toks, "that does not say what to replace", example));
        }
        if places(desk, toks, Reach::Idea).is_empty() {
            return Err(desk.missing(core(toks)));
        }
        return Err(desk.misread(toks, format!("`{}` is replaced with what?", desk.typed(toks)), example));
    }
    let at = link(desk, toks, links).unwrap_or(0);
    pair(desk, &toks[..at], &toks[at + 1..], more, links)
}

/// `swap the cat and the dog` exchanges two things of the prompt; `swap the cat for a fox` replaces one.
pub(super) fn swap(desk: &mut Desk<'_>, toks: &[Tok], more: &[&[Tok]]) -> Result<(), Stop> {
    let clean = |part: &[Tok]| -> Vec<Tok> {
        let mut part = trim(part).to_vec();
        while part.len() > 1
            && part.last().is_some_and(|t| {
                matches!(t.low.as_str(), "places" | "around" | "round" | "over" | "'s" | "positions" | "each" | "other")
            })
        {
            part.pop();
        }
        part
    };
    if toks.len() > 1 && matches!(toks[0].low.as_str(), "to" | "into") {
        return complement(desk, &Target::Scene, &toks[1..], more);
    }
    if let Some(at) = link(desk, toks, &["with", "for", "to", "into", "by"]) {
        let (x, y) = (&toks[..at], clean(&toks[at + 1..]));
        let both = !places(desk, x, Reach::Thing).is_empty() && !places(desk, &y, Reach::Exact).is_empty();
        let indefinite = y.first().is_some_and(|t| matches!(t.low.as_str(), "a" | "an"));
        if both && !indefinite && matches!(toks[at].low.as_str(), "with" | "for") && more.is_empty() {
            return noun::exchange(desk, x, &y);
        }
        return pair(desk, x, &y, more, &["with", "for", "to", "into", "by"]);
    }
    match more {
        [other] => {
            let (a, b) = (clean(toks), clean(other));
            noun::exchange(desk, &a, &b)
        }
        _ if toks.is_empty() => Err(desk.misread(toks, "that does not say what to swap", "swap the cat and the dog")),
        _ => Err(desk.misread(toks, format!("`{}` is swapped with what?", desk.typed(toks)), "swap the cat for a dog")),
    }
}
