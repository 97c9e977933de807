//! How well a reading holds against the prompt, and carrying it out.

use super::Trust;
use crate::apply::{No, Work, nothing_left};
use crate::desk::{Desk, Stop, Tok, lows};
use crate::frames::frames;
use crate::lexicon::lexicon;
use crate::rank::{Found, is_one, resolve};
use crate::reading::{Reading, Slot};
use crate::scene::{Scene, Tag, is_adverb};
use crate::small::{is_determiner, is_preposition};
use std::ops::Range;

/// A reading with what it finds and how well it holds.
pub(crate) struct Held<'r> {
    pub(crate) reading: &'r Reading,
    pub(crate) found: Option<Found>,
    pub(crate) score: i32,
}

/// Whether a reading holds against the prompt, and how well: what it finds counts most, then how much of the clause it uses.
pub(crate) fn hold<'r>(scene: &Scene, low: &[&str], reading: &'r Reading) -> Option<Held<'r>> {
    let find = |r: &Range<usize>| match scene.subject() {
        Some(t) if r.is_empty() => Found::Things(vec![t]),
        _ => resolve(scene, &low[r.clone()]),
    };
    let used: usize = reading.parts().iter().map(ExactSizeIterator::len).sum();
    let share = i32::try_from(used * 20 / low.len().max(1)).unwrap_or(0);
    let (found, score) = match reading {
        Reading::Cannot { .. } => (None, 200),
        Reading::Half { .. } => (None, 85),
        Reading::Spawn { .. } => (None, 75),
        Reading::State { what, .. } => match find(what) {
            found @ Found::Things(_) => (Some(found), 45),
            _ => return None,
        },
        Reading::Part { owner, .. } => match find(owner) {
            found @ Found::Things(_) => (Some(found), 95),
            _ => return None,
        },
        Reading::Give { to, .. } => match find(to) {
            found @ Found::Things(_) => (Some(found), 80),
            Found::Picture => (scene.subject().map(|t| Found::Things(vec![t])), 80),
            _ => return None,
        },
        Reading::Move { what: None, .. } => (Some(Found::Picture), 70),
        Reading::Move { what: Some(what), .. } => match find(what) {
            found @ Found::Things(_) => (Some(found), 70),
            _ => return None,
        },
        Reading::Add { .. } => (None, 70),
        Reading::Hang { .. } => (None, 60),
        Reading::Set { .. } => (None, 90),
        Reading::Swap { old: None, new } => {
            let said = Scene::of(&low[new.clone()].join(" "));
            let noun = said.things.first().map_or("", |t| said.low(t.head));
            let same = (0..scene.things.len()).find(|&t| lexicon().same(scene.low(scene.things[t].head), noun));
            (same.or_else(|| scene.subject()).map(|t| Found::Things(vec![t])), 55)
        }
        Reading::Become { what: None, .. } | Reading::Act { who: None, .. } => (Some(Found::Picture), 40),
        Reading::Remove { what }
        | Reading::Only { what }
        | Reading::Swap { old: Some(what), .. }
        | Reading::Become { what: Some(what), .. }
        | Reading::Cover { what, .. }
        | Reading::Act { who: Some(what), .. }
        | Reading::Count { what, .. } => {
            let mut found = find(what);
            // `the rust` of a rusty truck
            if let (Reading::Remove { .. }, Found::None, Some(noun)) = (reading, &found, low[what.clone()].last()) {
                let form = lexicon().adjective_form(noun).map_or_else(|| format!("{noun}y"), str::to_owned);
                let told = (0..scene.low.len()).filter(|&i| scene.tag(i) == Tag::Adj && scene.low(i) == form);
                found = told.max().map_or(Found::None, |i| Found::Words(i..i + 1));
            }
            if let (Found::None, ["everything", how]) = (&found, &low[what.clone()])
                && let Some(i) = (0..scene.low.len()).find(|&i| scene.low(i) == *how && lexicon().is_adjective(how))
            {
                return Some(Held { reading, found: Some(Found::Words(i..i + 1)), score: 80 + share });
            }
            if let (Found::None, Some(i)) = (&found, scene.one_of_several(&low[what.clone()])) {
                return Some(Held { reading, found: Some(Found::Words(i..i + 1)), score: 80 + share });
            }
            let score = match &found {
                Found::Things(_) => 80,
                Found::Words(_) if low.contains(&"from") => 101,
                Found::Words(_) => 55,
                Found::Picture => 52,
                Found::None
                    if matches!(
                        low[what.clone()],
                        ["the", "sky" | "ground" | "floor" | "wall" | "walls" | "ceiling"]
                    ) =>
                {
                    50
                }
                Found::None => return None,
            };
            (Some(found), score)
        }
    };
    Some(Held { reading, found, score: score + share })
}

/// The one thing that a reading is about: asks where there are several.
pub(crate) fn one(desk: &mut Desk<'_>, scene: &Scene, found: &Found, all: bool) -> Result<Option<Vec<usize>>, Stop> {
    let Found::Things(things) = found else { return Ok(None) };
    if things.len() == 1 || all || is_one(scene, things) {
        return Ok(Some(things.clone()));
    }
    let places: Vec<Range<usize>> = things.iter().map(|&t| scene.things[t].name..scene.things[t].head + 1).collect();
    let name = desk.draft.text(places[0].clone());
    let place = desk.choose_place(format!("`{name}` stands there {} times: which one?", places.len()), &places)?;
    let t = things.iter().copied().find(|&t| scene.things[t].name == place.start);
    Ok(t.map(|t| vec![t]))
}

/// True for what the only one of the prompt has already: her hair.
fn is_hers(scene: &Scene, said: &Scene) -> bool {
    let alone = (0..scene.things.len()).filter(|&u| scene.is_alive(u)).count() < 2;
    let has =
        |t: &crate::scene::Thing| scene.things.iter().any(|u| lexicon().same(scene.low(u.head), said.low(t.head)));
    alone && said.things.first().is_some_and(has) && said.is_own(0)
}

pub(crate) fn says_all(words: &[&str]) -> bool {
    matches!(words.first(), Some(&("all" | "both" | "every" | "each" | "any" | "no" | "them" | "they")))
}

/// True for a piece of a clause that says more than one thing: `red and the roof blue`, `a fox instead of the dog`.
pub(crate) fn is_tangled(scene: &Scene, words: &[&str]) -> bool {
    let n = words.len();
    words.iter().any(|w| matches!(*w, "instead" | "rather" | ";" | "."))
        || words.last().is_some_and(|w| is_preposition(w) || matches!(*w, "'s" | "and"))
        || (1..n).any(|i| {
            let rest = &words[i + 1..];
            let det = rest.first().is_some_and(|w| is_determiner(w) && !matches!(*w, "a" | "an"));
            matches!(words[i], "and" | "," | "but")
                && (det && (1..=rest.len().min(4)).any(|k| matches!(resolve(scene, &rest[..k]), Found::Things(_)))
                    || rest.first().is_some_and(|w| scene.things.iter().any(|t| scene.low(t.head) == *w))
                    || (words[i] == "," && rest.len() > 1 && rest.first().is_some_and(|w| is_preposition(w))))
        })
}

/// True for words that compare or weigh: another reader knows what to do with them.
pub(crate) fn is_degree(words: &[&str]) -> bool {
    words.iter().any(|w| {
        lexicon().comparative(w).is_some()
            || matches!(
                *w,
                "less"
                    | "bit"
                    | "little"
                    | "much"
                    | "way"
                    | "lot"
                    | "slightly"
                    | "enough"
                    | "too"
                    | "so"
                    | "not"
                    | "as"
                    | "twice"
                    | "half"
                    | "better"
                    | "worse"
                    | "nicer"
                    | "than"
                    | "perfect"
                    | "fewer"
                    | "instead"
                    | "again"
                    | "stop"
                    | "other"
                    | "different"
            )
    })
}

/// True for what makes of a noun nothing but a property: `red`, `more rustic`, `a bronze one`.
pub(crate) fn is_property(words: &[&str]) -> bool {
    let said = Scene::of(&words.join(" "));
    let det = words.first().is_some_and(|w| is_determiner(w));
    if matches!(words.last(), Some(&("one" | "ones"))) {
        return true;
    }
    if matches!(words.first(), Some(&("made" | "out" | "built"))) || said.things.is_empty() {
        return true;
    }
    let last = words.last().copied().unwrap_or("");
    if det {
        return false;
    }
    // `red`, `bronze`; a word that no list has is a property where no article says otherwise.
    let adjective = |w: &str| lexicon().is_adjective(w);
    adjective(last)
        || (words.len() == 1 && crate::scene::is_ed(last))
        || (words.len() == 1
            && lexicon().noun(last).is_empty()
            && !crate::lexicon::is_plural(last)
            && !words[0].is_empty())
}

/// The words of a property: `bronze` of `a bronze one`.
pub(crate) fn property_words<'w>(words: &[&'w str]) -> Vec<&'w str> {
    let mut words = words.to_vec();
    while matches!(words.last(), Some(&("one" | "ones" | "again"))) {
        words.pop();
        if matches!(words.first(), Some(&("a" | "an" | "the"))) {
            words.remove(0);
        }
    }
    if words.first() == Some(&"more") && words.len() > 1 {
        words.remove(0);
    }
    words
}

pub(crate) fn apply(
    desk: &mut Desk<'_>,
    scene: &Scene,
    work: &mut Work<'_>,
    toks: &[Tok],
    held: &Held<'_>,
    trust: Trust,
) -> Result<bool, Stop> {
    let low = lows(toks);
    let written = |desk: &Desk<'_>, r: &Range<usize>| desk.written(&toks[r.clone()]);
    let family = !desk.here.ancestors.is_empty();
    let again = low.contains(&"again")
        || (0..low.len()).any(|i| low[i] == "back" && !(i > 0 && (low[i - 1] == "'s" || is_determiner(low[i - 1]))));
    if again {
        return Ok(false);
    }
    let ok = |r: Result<(), No>| r.is_ok();
    // `the suit and tie` go as one.
    if let Reading::Swap { old: Some(old), new } | Reading::Become { what: Some(old), to: new } = held.reading
        && let ["the" | "his" | "her" | "their", .., first, "and", second] = &low[old.clone()]
        && let Some(t) = (1..scene.things.len()).find(|&t| {
            scene.low(scene.things[t].head) == *second
                && scene.low(scene.things[t - 1].head) == *first
                && scene.words(scene.things[t - 1].head + 1..scene.things[t].start).starts_with("and")
        })
        && matches!(low.get(new.start), Some(&("a" | "an" | "some" | "two")))
        && !is_tangled(scene, &low[new.clone()])
    {
        return Ok(ok(work.swap_words(scene.things[t - 1].start..scene.things[t].head + 1, &written(desk, new))));
    }
    if !matches!(held.reading, Reading::Cannot { .. })
        && !matches!(held.reading, Reading::Count { .. })
        && held.reading.parts().iter().any(|r| is_tangled(scene, &low[r.clone()]))
    {
        return Ok(false);
    }
    let about = match held.reading {
        Reading::Remove { what }
        | Reading::Swap { old: Some(what), .. }
        | Reading::Become { what: Some(what), .. }
        | Reading::Cover { what, .. }
        | Reading::Act { who: Some(what), .. }
        | Reading::Count { what, .. } => &low[what.clone()],
        _ => &[],
    };
    let acts = matches!(held.reading, Reading::Act { .. });
    let single = matches!(&held.found, Some(Found::Things(t))
        if acts || t.len() > 1 || crate::lexicon::is_plural(scene.low(scene.things[t[0]].head)));
    if matches!(about, ["them" | "they" | "these" | "those" | "both"]) && !single {
        return Ok(false);
    }
    let done = match held.reading {
        Reading::Cannot { what } => {
            let said = &toks[what.clone()];
            let message =
                format!("`{}` is done to the pixels of a picture, and words only say what it shows", desk.typed(said));
            return Err(desk.misread(said, message, "say what it should show: a close-up of a cat, seen from above"));
        }
        Reading::Spawn { what, does } => {
            let text = written(desk, &(does.start + 1..does.end));
            let all = format!("{} {} {text}", written(desk, what), frames().ing(low[does.start]));
            ok(work.hang(&format!(", {}", all.trim())))
        }
        Reading::Half { what } => {
            let said = &toks[what.clone()];
            let message = format!("`{}` does not say what becomes of it", desk.typed(said));
            return Err(desk.misread(said, message, "change the colour of the car to red"));
        }
        Reading::Add { what } => {
            if family
                && let Some(place) =
                    crate::restore::place(&desk.draft, &written(desk, what), desk.here.ancestors, false)
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
                let all = nth
                    .filter(|n| Some(*n) == have.map(|h| h + 1))
                    .and_then(|n| crate::apply::NUMBERS.get(n - 1).copied());
                let counted =
                    Some(said.low(0)).filter(|w| crate::apply::number(w) > have.map(|h| h.max(1)) && new.head == 1);
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
                said.low(said.things[t].start) == "the"
                    && said.kinds(t).iter().any(|k| matches!(*k, "person" | "animal"))
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
            ok(work.add(&written(desk, what)))
        }
        Reading::Hang { text } if matches!(low[text.start], "surrounded" | "dressed") => false,
        Reading::Hang { text } => ok(work.hang(&desk.typed(&toks[text.clone()]).to_lowercase())),
        Reading::Set { slot, to } => {
            if is_degree(&low[to.clone()]) && *slot != Slot::Light {
                return Ok(false);
            }
            if *slot == Slot::Medium
                && Scene::of(&low[to.clone()].join(" ")).things.is_empty()
                && !low.contains(&"white")
                && low.len() > 2
            {
                return Ok(false);
            }
            ok(work.set(*slot, &written(desk, to)))
        }
        Reading::Give { what, .. } => {
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
                && let Some(u) = (0..scene.things.len()).find(|&u| {
                    lexicon().same(scene.low(scene.things[u].head), said.low(new.head)) && scene.hangs_on(u, t)
                })
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
                && let Some(u) = (0..scene.things.len()).find(|&u| {
                    lexicon().same(scene.low(scene.things[u].head), said.low(new.head)) && scene.hangs_on(u, t)
                })
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
                && let Some(place) =
                    crate::restore::place(&desk.draft, &written(desk, what), desk.here.ancestors, false)
            {
                work.restore(&place);
                return Ok(true);
            }
            ok(work.give(t, &written(desk, what), "with"))
        }
        Reading::State { verb, .. } => {
            let Some(things) = held.found.as_ref().map(|f| one(desk, scene, f, false)).transpose()?.flatten() else {
                return Ok(false);
            };
            ok(work.state(things[0], low[verb.start]))
        }
        Reading::Part { part, to, .. } => {
            let Some(things) = held.found.as_ref().map(|f| one(desk, scene, f, false)).transpose()?.flatten() else {
                return Ok(false);
            };
            if is_degree(&low[to.clone()]) {
                return Ok(false);
            }
            ok(work.part(things[0], &low[part.clone()].join(" "), &low[to.clone()].join(" ")))
        }
        Reading::Move { what, place } => {
            let t = held.found.as_ref().and_then(|f| if let Found::Things(t) = f { t.first().copied() } else { None });
            let words = &low[place.clone()];
            let said = Scene::of(&words.join(" "));
            let known = said.things.first().is_none_or(|g| {
                lexicon().joined(said.low(g.head)).is_some()
                    || scene.things.iter().any(|t| scene.low(t.head) == said.low(g.head))
            });
            let whole = what.is_none()
                && low.iter().any(|w| matches!(*w, "scene" | "picture" | "image" | "photo" | "everything"));
            let worn = said.things.first().is_some_and(|_| said.is_own(0));
            let moved = what.is_some() && t.is_some() && t == scene.subject() && !worn;
            if known && !whole && !moved
                || !(1..=2).contains(&said.things.len())
                || what.is_some() && t != scene.subject()
            {
                return Ok(false);
            }
            let text = written(desk, place);
            let name = desk
                .typed(&toks[place.clone()])
                .split(' ')
                .next_back()
                .and_then(|w| w.chars().next())
                .is_some_and(char::is_uppercase);
            let det = words.iter().any(|w| is_determiner(w));
            if !name && !det {
                return Ok(false);
            }
            ok(work.set(Slot::Background, &text))
        }
        Reading::Only { .. } => match &held.found {
            Some(Found::Things(t)) if t.len() == 1 => ok(work.only(t[0])),
            _ => false,
        },
        Reading::Remove { what } => {
            let words = &low[what.clone()];
            let all = says_all(words);
            if let (["one", "of", ..], Some(Found::Things(t))) = (words, &held.found) {
                return Ok(t.len() == 1 && ok(work.one_less(t[0])));
            }
            // `remove one penguin` of two
            if let ([n, _], Some(Found::Things(t))) = (words, &held.found)
                && let ([t], Some(less)) = (t.as_slice(), crate::apply::number(n))
                && let Some(have) = crate::apply::number(scene.low(scene.things[*t].start))
                && have > less
                && !desk.here.prompt.is_none_or(str::is_empty)
            {
                return Ok(ok(work.count(*t, crate::apply::NUMBERS[have - less - 1])));
            }
            if let Some(Found::Words(range)) = &held.found
                && (matches!(low[0], "stop" | "keep")
                    || trust == Trust::Rest
                        && range.len() == 1
                        && scene.tag(range.start) == Tag::Adj
                        && !low.contains(&scene.low(range.start)))
            {
                return Ok(ok(work.take_out(range.clone())));
            }
            let Some(Found::Things(_)) = &held.found else { return Ok(false) };
            let Some(found) = &held.found else { return Ok(false) };
            let many = |t: &[usize]| {
                t.len() > 1
                    && words.last().is_some_and(|w| crate::lexicon::is_plural(w))
                    && t.iter().all(|&t| !crate::lexicon::is_plural(scene.low(scene.things[t].head)))
            };
            let Found::Things(t) = found else { return Ok(false) };
            if t.len() > 1 && low.contains(&"off") {
                return Ok(false);
            }
            let all = all || many(t);
            let Some(things) = one(desk, scene, found, all)? else { return Ok(false) };
            let targets = if all { things } else { things[..1].to_vec() };
            let mut fine = true;
            for t in targets {
                fine &= ok(work.remove(t, words));
            }
            if !fine && trust == Trust::Rest {
                return Err(nothing_left(desk));
            }
            fine
        }
        Reading::Swap { old, new } | Reading::Become { what: old, to: new } => {
            let becomes = matches!(held.reading, Reading::Become { .. });
            let words = &low[new.clone()];
            let found = held.found.clone().unwrap_or(Found::None);
            // Comparatives that no one weighs are qualities: `make both animals bigger`.
            let plain: Vec<&str> = words
                .iter()
                .copied()
                .filter(|w| !matches!(*w, "a" | "bit" | "little" | "much" | "way" | "slightly" | "lot"))
                .collect();
            let compared = becomes && !plain.is_empty() && plain.iter().all(|w| lexicon().comparative(w).is_some());
            if compared && let Found::Things(things) = &found {
                let list: Vec<String> = plain.iter().filter_map(|w| lexicon().comparative(w)).collect();
                let things = things.clone();
                return Ok(things.into_iter().all(|t| ok(work.property(t, &list))));
            }
            if becomes && is_degree(words) || words[0] == "all" {
                return Ok(false);
            }
            // Its sky, its ground, where the prompt names none.
            if let (Found::None, Some(old)) = (&found, old) {
                let noun = low[old.end - 1];
                let quality = becomes && words.iter().all(|w| lexicon().is_adjective(w) || is_adverb(w) || *w == "and");
                return Ok((quality || !becomes || is_determiner(words[0]))
                    && ok(work.scenery(noun, &written(desk, new), quality)));
            }
            // `everything pink to white`
            if let (["everything", how], [to]) = (about, property_words(words).as_slice()) {
                let all = (0..scene.low.len()).filter(|&i| scene.low(i) == *how);
                return Ok(is_property(words) && all.into_iter().all(|i| ok(work.replace_word(i, to))));
            }
            // `one black and one white`, `the left one green`: of several, one is named by how it is.
            if becomes
                && let Some(i) = scene.one_of_several(about)
                && let [to] = property_words(words).as_slice()
                && is_property(words)
            {
                return Ok(ok(work.replace_word(i, to)));
            }
            // `on fire`, `in bloom`: said after it.
            if let ([tie, state], Found::Things(things), true) = (words, &found, becomes)
                && matches!(*tie, "on" | "in" | "under" | "at")
                && !is_determiner(state)
                && !lexicon().adjective(state).contains(&"colour")
                && lexicon().joined(state).is_none()
                && !scene.things.iter().any(|t| scene.low(t.head) == *state)
                && desk.typed(&toks[new.clone()]).chars().all(|c| !c.is_uppercase())
            {
                return Ok(ok(work.give(things[0], state, tie)));
            }
            // `make it a single goat`
            if let (Found::Picture, true) = (&found, becomes) {
                let said = Scene::of(&words.join(" "));
                let same: Vec<usize> = (0..scene.things.len())
                    .filter(|&t| {
                        said.things.len() == 1
                            && lexicon().same(scene.low(scene.things[t].head), said.low(said.things[0].head))
                    })
                    .collect();
                let number = said.low(0);
                let counts = matches!(said.tag(0), crate::scene::Tag::Num)
                    || words.contains(&"single")
                    || words.contains(&"one");
                if let ([t], true) = (same.as_slice(), counts) {
                    return Ok(ok(work.count(*t, if words.contains(&"single") { "a" } else { number })));
                }
                // `make it a grass court`: the court that is there.
                if let ([t], ["a" | "an", _, _, ..]) = (same.as_slice(), words)
                    && said.things[0].start == 0
                    && said.things[0].head + 1 == words.len()
                    && !scene.is_kind(*t, &["person", "time", "season", "weather"])
                    && !scene.is_medium(*t)
                {
                    return Ok(ok(work.swap(*t, &[], &[], &written(desk, new))));
                }
            }
            match &found {
                Found::Things(_) => {}
                Found::Picture if becomes => {
                    let Some(mut t) = scene.subject() else { return Ok(false) };
                    let there = |w: &&str| scene.low.iter().any(|p| lexicon().related(p, w));
                    if low.contains(&"more") && words.iter().any(there) {
                        return Ok(false);
                    }
                    let words = property_words(words);
                    // Which of two?
                    let joined = |u: usize| scene.things[u].joined && scene.things[u].parent == scene.things[t].parent;
                    if (t + 1..scene.things.len()).any(|u| joined(u) && scene.is_alive(u)) {
                        return Ok(false);
                    }
                    let kinds: Vec<_> = words.iter().flat_map(|w| lexicon().adjective(w)).copied().collect();
                    if kinds.contains(&"weather") {
                        return Ok(false);
                    }
                    // The colour of someone is of the hair.
                    let hair = (0..scene.things.len()).find(|&u| scene.is_kind(u, &["hair"]));
                    if let Some(hair) =
                        hair.filter(|_| kinds.contains(&"colour") && scene.is_kind(t, &["person", "body"]))
                    {
                        t = hair;
                    }
                    // `could it be an owl`
                    if trust == Trust::Rest
                        && matches!(words.first(), Some(&("a" | "an")))
                        && !words.iter().any(|w| is_preposition(w))
                        && !scene.is_medium(t)
                    {
                        return Ok(ok(work.swap(t, &[], &[], &written(desk, new))));
                    }
                    if !is_property(&words) {
                        return Ok(false);
                    }
                    let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
                    return Ok(ok(work.property(t, &words)));
                }
                // `blond to red`, `long wavy` to `short curly`
                Found::Words(range)
                    if !is_degree(words)
                        && !words.iter().any(|w| is_preposition(w) || matches!(*w, "and" | "," | "something"))
                        && (low.contains(&"to") || low.contains(&"into") || !becomes)
                        && (words.iter().skip(1).all(|w| !is_determiner(w))) =>
                {
                    let text = written(desk, new).replace('"', "");
                    let text = text.trim();
                    let bare = match text.split_once(' ') {
                        Some(("a" | "an" | "the", rest)) => rest,
                        _ if is_determiner(words[0]) => return Ok(false),
                        _ => text,
                    };
                    // `red hair instead of brown`
                    let head = scene.thing_at(range.start).map_or("", |t| scene.low(scene.things[t].head));
                    let bare = match bare.rsplit_once(' ') {
                        Some((rest, last)) if lexicon().same(last, head) => rest,
                        _ => bare,
                    };
                    // `a plaid shirt` with polka dots: a polka dot shirt.
                    let modifies = scene.thing_at(range.start).is_some_and(|t| scene.things[t].head >= range.end);
                    let one = bare.rsplit(' ').next().filter(|w| modifies && crate::lexicon::is_plural(w));
                    let bare = match one {
                        Some(last) => {
                            format!("{}{}", &bare[..bare.len() - last.len()], crate::frames::singular(last))
                        }
                        None => bare.to_owned(),
                    };
                    return Ok(ok(work.swap_words(range.clone(), &bare)));
                }
                Found::Words(range)
                    if range.len() == 1
                        && scene.thing_at(range.start).is_some_and(|t| scene.things[t].head != range.start) =>
                {
                    // `from marble to granite`
                    let before = new.start.checked_sub(1).map_or("", |i| low[i]);
                    if low.contains(&"from")
                        && before == "to"
                        && words.len() == 1
                        && lexicon().adjective_form(words[0]).is_none()
                    {
                        return Ok(ok(work.replace_word(range.start, &written(desk, new))));
                    }
                    return Ok(false);
                }
                _ => return Ok(false),
            }
            // `make the chef juggle`: an unknown verb after someone.
            if let (true, Found::Things(things), "make" | "have" | "let" | "get" | "force", [first, rest @ ..]) =
                (becomes, &found, low[0], words)
                && scene.is_alive(things[0])
                && !matches!(new.start.checked_sub(1).map_or("", |i| low[i]), "to" | "into" | "be" | "look")
                && !matches!(*first, "out" | "made" | "built")
            {
                let unlisted = !lexicon().is_adjective(first)
                    && lexicon().noun(first).is_empty()
                    && !crate::scene::is_ed(first)
                    && !is_adverb(first);
                let form = lexicon().adjective_form(first).is_some_and(|f| lexicon().adjective(f).contains(&"action"));
                if (form || unlisted && !rest.is_empty() && !rest.iter().all(|w| lexicon().is_adjective(w)))
                    && !is_determiner(first)
                    && !is_preposition(first)
                    && !is_degree(words)
                {
                    let Some(things) = one(desk, scene, &found, false)? else { return Ok(false) };
                    return Ok(ok(work.act(things[0], words, desk.typed(&toks[new.clone()]))));
                }
            }
            let all = old.as_ref().is_some_and(|r| says_all(&low[r.clone()]));
            let several = |t: &[usize]| {
                t.len() > 1
                    && old.as_ref().is_some_and(|r| low[r.clone()].last().is_some_and(|w| crate::lexicon::is_plural(w)))
                    && t.iter().all(|&t| !crate::lexicon::is_plural(scene.low(scene.things[t].head)))
            };
            let all = all || matches!(&found, Found::Things(t) if several(t));
            let Some(things) = one(desk, scene, &found, all)? else { return Ok(false) };
            // `a lighter shade of red`
            if becomes && words.windows(2).any(|p| p[0] == "shade" && p[1] == "of") {
                let plain = words.iter().filter(|w| !matches!(**w, "a" | "an" | "the" | "shade" | "of"));
                let list =
                    plain.map(|w| lexicon().comparative(w).unwrap_or_else(|| (*w).to_owned())).collect::<Vec<_>>();
                return Ok(!list.is_empty() && ok(work.property(things[0], &list)));
            }
            let words_of_property = property_words(words);
            let before = new.start.checked_sub(1).map_or("", |i| low[i]);
            let lone = words.len() == 1 && !lexicon().is_adjective(words[0]) && !crate::scene::is_ed(words[0]);
            let noun = lone
                && (!becomes || matches!(before, "to" | "into" | "with" | "as" | "by" | "for"))
                && !low.iter().any(|w| matches!(*w, "color" | "colour" | "material" | "texture" | "pattern" | "shape"));
            let when = |k: &&str| matches!(*k, "time" | "season");
            let said = Scene::of(&words.join(" "));
            if (1..said.things.len()).any(|t| said.kinds(t).iter().any(when)) {
                return Ok(false);
            }
            let property = !noun && is_property(words)
                || (!words.iter().any(|w| is_determiner(w))
                    && words_of_property.iter().all(|w| {
                        lexicon().is_adjective(w)
                            || is_adverb(w)
                            || matches!(*w, "and" | "," | "in" | "color" | "colour")
                    }));
            if property
                && words_of_property.iter().all(|w| {
                    lexicon().noun(w).is_empty()
                        || lexicon().is_adjective(w)
                        || matches!(words[0], "made" | "out" | "built")
                        || words.contains(&"one")
                })
            {
                let list: Vec<String> = words_of_property.iter().map(|w| (*w).to_owned()).collect();
                // The mood is its owner's, the colour her hair's: told apart elsewhere.
                let first = things[0];
                let kinds: Vec<_> = list.iter().flat_map(|w| lexicon().adjective(w)).collect();
                let hers = scene.is_kind(first, &["person"])
                    && kinds.iter().any(|k| matches!(**k, "colour" | "length" | "texture"));
                let owners = scene.things[first].owner.is_some() && kinds.iter().any(|k| matches!(**k, "mood" | "age"));
                let unknown = matches!(about, ["her" | "his" | "him" | "she" | "he"])
                    && list.len() > 1
                    && !lexicon().is_adjective(&list[0])
                    && !is_adverb(&list[0]);
                if unknown {
                    return Ok(false);
                }
                let theirs = if owners {
                    scene.things[first].owner
                } else {
                    let mut hair = (0..scene.things.len()).filter(|&u| hers && scene.is_kind(u, &["hair"]));
                    hair.next().filter(|_| hair.next().is_none())
                };
                if hers || owners {
                    return Ok(theirs.is_some_and(|u| ok(work.property(u, &list))));
                }
                // `the red stripes` of red and white ones: the red alone.
                let told: Vec<usize> =
                    scene.adjectives(first).into_iter().filter(|&i| about.contains(&scene.low(i))).collect();
                let joined = |i: usize| matches!(scene.low(i + 1), "and") || i > 0 && scene.low(i - 1) == "and";
                if let ([i], [to]) = (told.as_slice(), list.as_slice())
                    && joined(*i)
                    && lexicon().adjective(scene.low(*i)).contains(&"colour")
                    && lexicon().adjective(to).contains(&"colour")
                {
                    return Ok(ok(work.replace_word(*i, to)));
                }
                let targets: Vec<usize> = if all { things.clone() } else { things[..1].to_vec() };
                work.kind = low.iter().find_map(|w| match *w {
                    "color" | "colour" | "hue" => Some("colour"),
                    "material" | "texture" | "size" | "pattern" | "shape" => lexicon().attribute(w),
                    _ => None,
                });
                let done = targets.into_iter().all(|t| ok(work.property(t, &list)));
                work.kind = None;
                done
            } else {
                let text = written(desk, new);
                if is_preposition(words[0])
                    || matches!(words[0], "something" | "anything" | "nothing" | "other" | "different")
                {
                    return Ok(false);
                }
                let owner = scene.things.iter().any(|o| o.owner == Some(things[0]));
                if words.iter().any(|w| matches!(*w, "up" | "down"))
                    || (owner && words.iter().any(|w| is_preposition(w)))
                {
                    return Ok(false);
                }
                let (first, rest) = (things[0], &things[1..]);
                if all && !rest.is_empty() {
                    return Ok(false);
                }
                let named: Vec<&str> = old.as_ref().map_or(Vec::new(), |r| low[r.clone()].to_vec());
                ok(work.swap(first, rest, &named, &text))
            }
        }
        Reading::Cover { what, done, with } => {
            let with = desk.typed(&toks[with.clone()]).to_owned();
            match held.found.as_ref() {
                // `pave it with bricks`: the driveway; `cover it with snow`: all of it.
                Some(Found::Picture)
                    if matches!(done.as_str(), "paved" | "tiled" | "upholstered" | "carpeted")
                        || low[what.clone()] == ["it"]
                            && scene
                                .subject()
                                .is_some_and(|t| !scene.is_kind(t, &["place", "middle", "scene", "flank"])) =>
                {
                    ok(work.cover(scene.subject(), done, &with))
                }
                Some(Found::Picture) => ok(work.cover(None, done, &with)),
                Some(found @ Found::Things(_)) => {
                    let Some(things) = one(desk, scene, found, says_all(&low[what.clone()]))? else { return Ok(false) };
                    if matches!(low[0], "dress" | "clothe") {
                        return Ok(false);
                    }
                    ok(work.cover(things.first().copied(), done, &with))
                }
                _ => false,
            }
        }
        Reading::Act { does, .. } => {
            let text = desk.typed(&toks[does.clone()]).to_owned();
            let does = &low[does.clone()];
            let ing = if crate::scene::is_ing(does[0]) { does[0].to_owned() } else { frames().ing(does[0]) };
            let kinds = lexicon().adjective(&ing);
            let mood = kinds.contains(&"mood") && !kinds.contains(&"action") && does.len() == 1;
            let weather = lexicon()
                .adjective_form(&ing)
                .or(lexicon().adjective_form(does[0]))
                .is_some_and(|f| lexicon().adjective(f).contains(&"weather"));
            let several = does.contains(&"and") && does.windows(2).any(|p| p[0] == "and" && frames().acts(p[1]));
            if matches!(does[0], "out" | "off" | "up" | "down" | "in" | "on" | "away") {
                return Ok(false);
            }
            if several
                || matches!(does[0], "go" | "leave" | "keep")
                || says_all(about) && !matches!(about, ["them" | "they"])
            {
                return Ok(false);
            }
            if weather && does.len() == 1 && low.contains(&"be") && matches!(held.found, Some(Found::Picture)) {
                return Ok(ok(work.set(Slot::Weather, &ing)));
            }
            if weather && matches!(held.found, Some(Found::Picture)) || is_degree(does) {
                return Ok(false);
            }
            if mood {
                let t = match &held.found {
                    Some(Found::Things(t)) => t.first().copied(),
                    _ => scene.subject(),
                };
                return Ok(t.is_some_and(|t| {
                    // `frowning at his plate` gives way.
                    let now = work.after(t);
                    let felt = lexicon().adjective(scene.low(now)).contains(&"mood");
                    if scene.tag(now) == Tag::Ing && felt {
                        return ok(work.replace_word(now, &ing));
                    }
                    scene.is_alive(t) && ok(work.property(t, std::slice::from_ref(&ing)))
                }));
            }
            if matches!(held.found, Some(Found::Picture)) && does.len() == 1 {
                return Ok(false);
            }
            if matches!(does[0], "wear" | "wearing" | "have" | "having" | "carry" | "carrying" | "hold" | "holding") {
                let t = match &held.found {
                    Some(Found::Things(t)) => t.clone(),
                    Some(Found::Picture) => scene.subject().into_iter().collect(),
                    _ => return Ok(false),
                };
                // Hands that do something do this instead.
                let busy = matches!(does[0].get(..4), Some("carr" | "hold")) && !t.is_empty() && work.has_object(t[0]);
                if busy {
                    return Ok(ok(work.act(t[0], does, &text)));
                }
                if t.is_empty() || t.len() > 1 || does.len() < 2 {
                    return Ok(false);
                }
                let what = text.split_once(' ').map_or("", |(_, r)| r);
                if is_hers(scene, &Scene::of(what)) {
                    return Ok(false);
                }
                return Ok(ok(work.give(t[0], what, if does[0].starts_with("hav") { "with" } else { &ing })));
            }
            let found = match &held.found {
                Some(Found::Picture) => scene.subject().map_or(Found::None, |t| Found::Things(vec![t])),
                Some(found) => found.clone(),
                None => return Ok(false),
            };
            let all = matches!(about, ["them" | "they" | "both"]);
            let Some(things) = one(desk, scene, &found, all)? else { return Ok(false) };
            ok(work.act(things[things.len() - 1], does, &text))
        }
        Reading::Count { number, .. } => {
            let Some(found) = &held.found else { return Ok(false) };
            let number = low.get(number.clone()).map_or(String::new(), |words| words.join(" "));
            // More than the one there is are several; of several, another reader weighs them.
            let single = matches!(found, Found::Things(t) if t.len() == 1
                && !crate::lexicon::is_plural(scene.low(scene.things[t[0]].head))
                && matches!(scene.low(scene.things[t[0]].start), "a" | "an" | "one" | "the"));
            let number = match number.as_str() {
                "more" if !single => return Ok(false),
                "more" => "several".to_owned(),
                _ => number,
            };
            let Some(things) = one(desk, scene, found, false)? else { return Ok(false) };
            ok(work.count(things[0], &number))
        }
    };
    Ok(done)
}
