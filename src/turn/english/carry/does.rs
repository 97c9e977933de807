//! What things do, where they go, how many they are, and those that go.

use super::hold::{is_degree, is_hers, one, says_all};
use super::{Case, ok};
use crate::apply::{Work, nothing_left};
use crate::desk::{Desk, Stop};
use crate::english::Trust;
use crate::frames::frames;
use crate::lexicon::lexicon;
use crate::rank::Found;
use crate::reading::{Slot, Words};
use crate::scene::{Scene, Tag};
use crate::small::is_determiner;

/// A thing does something.
pub(super) fn act(case: &Case<'_>, desk: &mut Desk<'_>, work: &mut Work<'_>, does: &Words) -> Result<bool, Stop> {
    let Case { scene, toks, low, held, about, .. } = *case;
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
    if several || matches!(does[0], "go" | "leave" | "keep") || says_all(about) && !matches!(about, ["them" | "they"]) {
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
    let shown = about == ["it"] && crate::scene::is_ing(does[0]);
    if matches!(held.found, Some(Found::Picture)) && does.len() == 1 && !shown {
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
    Ok(ok(work.act(things[things.len() - 1], does, &text)))
}

/// A thing is left in a state.
pub(super) fn state(case: &Case<'_>, desk: &mut Desk<'_>, work: &mut Work<'_>, verb: &Words) -> Result<bool, Stop> {
    let Case { scene, low, held, .. } = *case;
    let Some(things) = held.found.as_ref().map(|f| one(desk, scene, f, false)).transpose()?.flatten() else {
        return Ok(false);
    };
    Ok(ok(work.state(things[0], low[verb.start])))
}

/// A thing has something done to it.
pub(super) fn cover(
    case: &Case<'_>,
    desk: &mut Desk<'_>,
    work: &mut Work<'_>,
    what: &Words,
    done: &str,
    with: &Words,
) -> Result<bool, Stop> {
    let Case { scene, toks, low, held, .. } = *case;
    let with = desk.typed(&toks[with.clone()]).to_owned();
    Ok(match held.found.as_ref() {
        // `pave it with bricks`: the driveway; `cover it with snow`: all of it.
        Some(Found::Picture)
            if matches!(done, "paved" | "tiled" | "upholstered" | "carpeted")
                || low[what.clone()] == ["it"]
                    && scene.subject().is_some_and(|t| !scene.is_kind(t, &["place", "middle", "scene", "flank"])) =>
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
    })
}

/// A thing, or all, goes to a place.
pub(super) fn moved(
    case: &Case<'_>,
    desk: &Desk<'_>,
    work: &mut Work<'_>,
    what: Option<&Words>,
    place: &Words,
) -> Result<bool, Stop> {
    let Case { scene, toks, low, held, .. } = *case;
    let t = held.found.as_ref().and_then(|f| if let Found::Things(t) = f { t.first().copied() } else { None });
    let words = &low[place.clone()];
    let said = Scene::of(&words.join(" "));
    let known = said.things.first().is_none_or(|g| {
        lexicon().joined(said.low(g.head)).is_some()
            || scene.things.iter().any(|t| scene.low(t.head) == said.low(g.head))
    });
    let whole =
        what.is_none() && low.iter().any(|w| matches!(*w, "scene" | "picture" | "image" | "photo" | "everything"));
    let worn = said.things.first().is_some_and(|_| said.is_own(0));
    let moved = what.is_some() && t.is_some() && t == scene.subject() && !worn;
    if known && !whole && !moved || !(1..=2).contains(&said.things.len()) || what.is_some() && t != scene.subject() {
        return Ok(false);
    }
    let text = case.written(desk, place);
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
    Ok(ok(work.set(Slot::Background, &text)))
}

/// So many of them.
pub(super) fn count(case: &Case<'_>, desk: &mut Desk<'_>, work: &mut Work<'_>, number: &Words) -> Result<bool, Stop> {
    let Case { scene, low, held, .. } = *case;
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
    // `a group of nuns` becomes `one nun`.
    let thing = &scene.things[things[0]];
    let group = things[0].checked_sub(1).filter(|g| {
        scene.words(scene.things[*g].head + 1..thing.start) == "of"
            && thing.start == thing.head
            && frames().is("measure", scene.low(scene.things[*g].head))
    });
    if let Some(group) = group.filter(|_| crate::small::is_number(&number) || number == "a") {
        let noun = if matches!(number.as_str(), "one" | "a" | "1") {
            crate::frames::singular(scene.low(thing.head))
        } else {
            scene.low(thing.head).to_owned()
        };
        return Ok(ok(work.swap_words(scene.things[group].start..thing.head + 1, &format!("{number} {noun}"))));
    }
    Ok(ok(work.count(things[0], &number)))
}

/// Something less.
pub(super) fn remove(case: &Case<'_>, desk: &mut Desk<'_>, work: &mut Work<'_>, what: &Words) -> Result<bool, Stop> {
    let Case { scene, low, held, trust, .. } = *case;
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
    Ok(fine)
}
