//! Something more: added, given, seen in the scene.

use super::hold::{is_degree, is_hers, one};
use super::{Case, ok};
use crate::apply::Work;
use crate::desk::{Desk, Stop};
use crate::frames::frames;
use crate::lexicon::lexicon;
use crate::rank::{Found, resolve};
use crate::reading::{Slot, Words};
use crate::scene::{Scene, Tag};
use crate::small::is_preposition;

/// Something more.
pub(super) fn add(case: &Case<'_>, desk: &Desk<'_>, work: &mut Work<'_>, what: &Words) -> Result<bool, Stop> {
    let Case { scene, toks, low, family, .. } = *case;
    if family
        && let Some(place) = crate::restore::place(&desk.draft, &case.written(desk, what), desk.here.ancestors, false)
    {
        work.restore(&place);
        return Ok(true);
    }
    let words = &low[what.clone()];
    let there = |w: &&str| scene.low.iter().any(|p| lexicon().related(p, w));
    if low[0] == "more" && words.iter().any(there) {
        return Ok(false);
    }
    // `add one more cup` to two
    if let [n, "more", noun] | [n @ "another", noun] = words
        && let Found::Things(t) = resolve(scene, &[noun])
        && let ([t], Some(more)) = (t.as_slice(), crate::apply::number(if *n == "another" { "one" } else { n }))
        && let Some(have) = crate::apply::number(scene.low(scene.things[*t].start))
        && let Some(all) = crate::apply::NUMBERS.get(have + more - 1)
    {
        return Ok(ok(work.count(*t, all)));
    }
    let said = Scene::of(&words.join(" "));
    // `five cookies on the plate` of three, `a third plane` to two
    if let Some(new) = said.things.first().filter(|t| t.start == 0 && t.head < 3) {
        let noun = said.low(new.head);
        let same = (0..scene.things.len()).find(|&t| lexicon().same(scene.low(scene.things[t].head), noun));
        let have = same.and_then(|t| crate::apply::number(scene.low(scene.things[t].start)));
        let nth = crate::small::ordinal(said.low(1)).filter(|_| said.low(0) == "a");
        let all =
            nth.filter(|n| Some(*n) == have.map(|h| h + 1)).and_then(|n| crate::apply::NUMBERS.get(n - 1).copied());
        let counted = Some(said.low(0)).filter(|w| crate::apply::number(w) > have.map(|h| h.max(1)) && new.head == 1);
        if let (Some(t), Some(_), Some(number)) = (same, have, all.or(counted)) {
            return Ok(ok(work.count(t, number)));
        }
    }
    if said.things.is_empty()
        || is_preposition(words[0])
        || matches!(words[0], "that" | "more" | "less" | "to" | "up" | "down")
    {
        return Ok(false);
    }
    let first = said.low(said.things[0].head);
    let idea = lexicon().adjective_form(first).is_some() && said.things.len() > 1;
    let someone = words.iter().skip(1).any(|w| matches!(*w, "her" | "him" | "it" | "them"));
    if idea && words.contains(&"to")
        || someone && said.is_own(0) && said.things.len() < 2
        || words.last().is_some_and(|w| is_preposition(w))
    {
        return Ok(false);
    }
    // On someone who is not there.
    if let Some(t) = (1..said.things.len()).find(|&t| {
        said.low(said.things[t].start) == "the" && said.kinds(t).iter().any(|k| matches!(*k, "person" | "animal"))
    }) && matches!(resolve(scene, &[said.low(said.things[t].head)]), Found::None)
    {
        let at = what.start + said.things[t].head;
        return Err(desk.missing(&toks[at..at + 1]));
    }
    // A quality goes to its noun; a time or weather to the scene.
    if lexicon().noun(first).iter().any(|k| matches!(*k, "time" | "season" | "attribute"))
        || lexicon().is_adjective(first) && lexicon().noun(first).is_empty()
    {
        return Ok(false);
    }
    Ok(ok(work.add(&case.written(desk, what))))
}

/// What is not there does something.
pub(super) fn spawn(
    case: &Case<'_>,
    desk: &Desk<'_>,
    work: &mut Work<'_>,
    what: &Words,
    does: &Words,
) -> Result<bool, Stop> {
    let Case { low, .. } = *case;
    let text = case.written(desk, &(does.start + 1..does.end));
    let all = format!("{} {} {text}", case.written(desk, what), frames().ing(low[does.start]));
    Ok(ok(work.hang(&format!(", {}", all.trim()))))
}

/// Someone has something more.
pub(super) fn give(case: &Case<'_>, desk: &mut Desk<'_>, work: &mut Work<'_>, what: &Words) -> Result<bool, Stop> {
    let Case { scene, low, held, family, .. } = *case;
    let Some(found) = &held.found else { return Ok(false) };
    let Some(things) = one(desk, scene, found, false)? else { return Ok(false) };
    let t = things[0];
    let what = &(what.start + usize::from(matches!(low[what.start], "just" | "only"))..what.end);
    let words = &low[what.clone()];
    let said = Scene::of(&words.join(" "));
    let Some(new) = said.things.first() else { return Ok(false) };
    let has = (0..scene.things.len())
        .any(|u| lexicon().same(scene.low(scene.things[u].head), said.low(new.head)) && scene.hangs_on(u, t));
    // `a bigger hat`
    let base = |i: usize| lexicon().comparative(said.low(i));
    if let (Some(u), true) = (
        (0..scene.things.len()).find(|&u| lexicon().same(scene.low(scene.things[u].head), said.low(new.head))),
        new.start < new.head && base(new.head - 1).is_some(),
    ) {
        let list: Vec<String> = (new.start..new.head).filter_map(base).collect();
        let there = scene.adjectives(u).iter().any(|&i| list.iter().any(|w| w == scene.low(i)));
        return Ok(!there && ok(work.property(u, &list)));
    }
    let hers = is_hers(scene, &said);
    if has
        && crate::apply::number(said.low(new.start)).is_some()
        && let Some(u) = (0..scene.things.len())
            .find(|&u| lexicon().same(scene.low(scene.things[u].head), said.low(new.head)) && scene.hangs_on(u, t))
    {
        return Ok(ok(work.count(u, said.low(new.start))));
    }
    // `give the girl red hair`, who has blond hair
    let how: Vec<String> =
        (new.start..new.head).filter(|&i| said.tag(i) == Tag::Adj).map(|i| said.low(i).to_owned()).collect();
    if has
        && said.things.len() == 1
        && new.start == 0
        && !how.is_empty()
        && !is_degree(words)
        && new.head + 1 == words.len()
        && let Some(u) = (0..scene.things.len())
            .find(|&u| lexicon().same(scene.low(scene.things[u].head), said.low(new.head)) && scene.hangs_on(u, t))
    {
        return Ok(ok(work.property(u, &how)));
    }
    if has
        || hers
        || new.start > 0
        || lexicon().adjective_form(said.low(new.head)).is_some()
        || matches!(said.low(new.head), "look" | "color" | "colour" | "texture" | "shape")
    {
        return Ok(false);
    }
    if family
        && let Some(place) = crate::restore::place(&desk.draft, &case.written(desk, what), desk.here.ancestors, false)
    {
        work.restore(&place);
        return Ok(true);
    }
    Ok(ok(work.give(t, &case.written(desk, what), "with")))
}

/// A part that the prompt does not name.
pub(super) fn part(
    case: &Case<'_>,
    desk: &mut Desk<'_>,
    work: &mut Work<'_>,
    part: &Words,
    to: &Words,
) -> Result<bool, Stop> {
    let Case { scene, low, held, .. } = *case;
    let Some(things) = held.found.as_ref().map(|f| one(desk, scene, f, false)).transpose()?.flatten() else {
        return Ok(false);
    };
    if is_degree(&low[to.clone()]) {
        return Ok(false);
    }
    Ok(ok(work.part(things[0], &low[part.clone()].join(" "), &low[to.clone()].join(" "))))
}

/// What the scene has one of.
pub(super) fn set(case: &Case<'_>, desk: &Desk<'_>, work: &mut Work<'_>, slot: Slot, to: &Words) -> Result<bool, Stop> {
    let Case { low, .. } = *case;
    if is_degree(&low[to.clone()]) && slot != Slot::Light {
        return Ok(false);
    }
    if slot == Slot::Medium
        && Scene::of(&low[to.clone()].join(" ")).things.is_empty()
        && !low.contains(&"white")
        && low.len() > 2
    {
        return Ok(false);
    }
    Ok(ok(work.set(slot, &case.written(desk, to))))
}
