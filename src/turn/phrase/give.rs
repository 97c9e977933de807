//! `give her round glasses`, `give the cat a hat`, `cut her hair short`.

use super::super::desk::{Desk, Stop, Tok};
use super::super::find::Reach;
use super::super::small::{is_determiner, is_owner, is_person_pronoun, is_scene_pronoun};
use super::add::{self, Lead};
use super::adjective::{self, all_adjectives};
use super::clause::go_on_weighing;
use super::complement::{complement, with_more};
use super::degree::{comparative, degree};
use super::make::{make, split_target};
use super::noun::trim;
use super::remove;
use super::target::{self, Target, core, places};
use super::weigh;

/// `give the dog a hat and the cat glasses`, `give the cat and the dog hats`: each part that names its own thing.
pub(super) fn several(desk: &mut Desk<'_>, rest: &[Tok], all: &[Tok], more: &[&[Tok]]) -> Result<(), Stop> {
    let own = |p: &&[Tok]| matches!(p, [t, ..] if t.low == "the" || is_owner(&t.low)) && split_target(desk, p).0 > 0;
    let Some(at) = more.iter().position(own) else { return give(desk, rest, all, more) };
    if !(at == 0 && split_target(desk, rest).0 == 0) {
        let all = with_more(desk, rest, &more[..at]);
        give(desk, rest, &all, &more[..at])?;
    }
    let part = more[at];
    let all = with_more(desk, part, &more[at + 1..]);
    give(desk, part, &all, &more[at + 1..])
}

/// `give her round glasses`, `give the cat a hat`, `give a hat to the cat`.
fn give(desk: &mut Desk<'_>, toks: &[Tok], all: &[Tok], more: &[&[Tok]]) -> Result<(), Stop> {
    let Some(first) = toks.first() else {
        return Err(desk.misread(toks, "that does not say what to give", "give her round glasses"));
    };
    let skip = |n: usize| -> Vec<Tok> { trim(&all[n.min(all.len())..]).to_vec() };
    let owning =
        (2..toks.len()).any(|n| !places(desk, &toks[..n], Reach::Thing).is_empty() && is_determiner(&toks[n].low));
    if (is_person_pronoun(&first.low) && !owning) || is_scene_pronoun(&first.low) {
        let owned = toks.len() > 1;
        if !owned {
            return Err(desk.misread(toks, "that does not say what to give", "give her round glasses"));
        }
        if matches!(first.low.as_str(), "her" | "him") {
            target::someone(desk, &toks[..1])?;
        }
        let y = &toks[1..];
        if y.len() > 1 && y[0].low == "back" {
            return add::bring_back(desk, &y[1..]);
        }
        if comparative(y).is_some() || degree(y).is_some() {
            weigh::clause(desk, y)?;
            return go_on_weighing(desk, y, more);
        }
        // `give it a red colour`
        if let [article, adjective @ .., colour] = y
            && matches!(colour.low.as_str(), "colour" | "color")
            && is_determiner(&article.low)
            && !adjective.is_empty()
        {
            let target = target::target(desk, &toks[..1])?.unwrap_or(Target::Scene);
            return complement(desk, &target, adjective, more);
        }
        return add::add(desk, &skip(1), Lead::With);
    }
    let (mut n, mut y) = split_target(desk, toks);
    // `give the cat a hat` where there is no cat
    if let Some(at) =
        (2..toks.len()).find(|&i| is_determiner(&toks[i].low)).filter(|_| !owning && n == 0 && first.low == "the")
    {
        return Err(desk.missing(core(&toks[..at])));
    }
    if owning {
        n = (2..toks.len()).rev().find(|&n| !places(desk, &toks[..n], Reach::Thing).is_empty()).unwrap_or(n);
        y = trim(&toks[n..]);
    }
    if n > 0 && (is_determiner(&toks[0].low) && !matches!(toks[0].low.as_str(), "a" | "an" | "some")) {
        // `give her hair a red colour`, `give the cat a hat`
        if let [article, adjective @ .., colour] = y
            && matches!(
                colour.low.as_str(),
                "colour" | "color" | "tint" | "texture" | "length" | "look" | "shade" | "style" | "shape" | "size"
            )
            && is_determiner(&article.low)
            && !adjective.is_empty()
        {
            let target = target::target(desk, &toks[..n])?.unwrap_or(Target::Scene);
            return complement(desk, &target, adjective, more);
        }
        if all_adjectives(y) && !is_determiner(&y[0].low) {
            return make(desk, toks, more);
        }
        return add::add(desk, &skip(n), Lead::With);
    }
    add::add(desk, all, Lead::With)
}

/// `cut her hair short`, `cut her hair`.
pub(super) fn cut_hair(desk: &mut Desk<'_>, toks: &[Tok], more: &[&[Tok]]) -> Result<(), Stop> {
    let (n, y) = split_target(desk, toks);
    if n > 0 && !y.is_empty() && all_adjectives(y) {
        return make(desk, toks, more);
    }
    let hair = places(desk, toks, Reach::Thing);
    if hair.iter().any(|r| desk.draft.noun_kinds(r.end - 1).contains(&"hair")) {
        let place = target::thing(desk, toks, Reach::Thing)?;
        let short = adjective::Adjective { text: "short".into(), low: "short".into(), toks: toks[..1].to_vec() };
        adjective::apply(desk, &Target::Thing(place), &[short])?;
        return Ok(());
    }
    remove::without(desk, toks, more)
}
