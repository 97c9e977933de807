//! One thing for another, and how it is.

use super::hold::{is_degree, is_property, one, property_words, says_all};
use super::{Case, ok};
use crate::apply::Work;
use crate::desk::{Desk, Stop};
use crate::english::Trust;
use crate::lexicon::lexicon;
use crate::rank::Found;
use crate::reading::{Reading, Words};
use crate::scene::{Scene, is_adverb};
use crate::small::{is_determiner, is_preposition};

/// One thing for another, or a thing is so.
pub(super) fn change(
    case: &Case<'_>,
    desk: &mut Desk<'_>,
    work: &mut Work<'_>,
    old: Option<&Words>,
    new: &Words,
) -> Result<bool, Stop> {
    let Case { scene, toks, low, held, trust, about, .. } = *case;
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
            && ok(work.scenery(noun, &case.written(desk, new), quality)));
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
                said.things.len() == 1 && lexicon().same(scene.low(scene.things[t].head), said.low(said.things[0].head))
            })
            .collect();
        let number = said.low(0);
        let counts =
            matches!(said.tag(0), crate::scene::Tag::Num) || words.contains(&"single") || words.contains(&"one");
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
            return Ok(ok(work.swap(*t, &[], &[], &case.written(desk, new))));
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
            if let Some(hair) = hair.filter(|_| kinds.contains(&"colour") && scene.is_kind(t, &["person", "body"])) {
                t = hair;
            }
            // `could it be an owl`; no one is an `it`, but what he rides is.
            let said = Scene::of(&words.join(" "));
            let lives = said.things.first().is_none_or(|_| said.is_alive(0));
            let object =
                scene.object().filter(|_| !lives && scene.is_kind(t, &["person"]) && low.starts_with(&["make", "it"]));
            if (trust == Trust::Rest || object.is_some())
                && matches!(words.first(), Some(&("a" | "an")))
                && !words.iter().any(|w| is_preposition(w))
                && !scene.is_medium(t)
            {
                let t = object.unwrap_or(t);
                return Ok(ok(work.swap(t, &[], &[], &case.written(desk, new))));
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
            let text = case.written(desk, new).replace('"', "");
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
            if range.len() == 1 && scene.thing_at(range.start).is_some_and(|t| scene.things[t].head != range.start) =>
        {
            // `from marble to granite`
            let before = new.start.checked_sub(1).map_or("", |i| low[i]);
            if low.contains(&"from")
                && before == "to"
                && words.len() == 1
                && lexicon().adjective_form(words[0]).is_none()
            {
                return Ok(ok(work.replace_word(range.start, &case.written(desk, new))));
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
        let form = !lexicon().is_adjective(first)
            && lexicon().adjective_form(first).is_some_and(|f| lexicon().adjective(f).contains(&"action"));
        if (form || unlisted && !rest.is_empty() && !rest.iter().all(|w| lexicon().is_adjective(w)))
            && !is_determiner(first)
            && !is_preposition(first)
            && !is_degree(words)
        {
            let Some(things) = one(desk, scene, &found, false)? else { return Ok(false) };
            return Ok(ok(work.act(things[0], words, desk.typed(&toks[new.clone()]))));
        }
    }
    let all = old.is_some_and(|r| says_all(&low[r.clone()]));
    let several = |t: &[usize]| {
        t.len() > 1
            && old.is_some_and(|r| low[r.clone()].last().is_some_and(|w| crate::lexicon::is_plural(w)))
            && t.iter().all(|&t| !crate::lexicon::is_plural(scene.low(scene.things[t].head)))
    };
    let all = all || matches!(&found, Found::Things(t) if several(t));
    let Some(things) = one(desk, scene, &found, all)? else { return Ok(false) };
    // `a lighter shade of red`
    if becomes && words.windows(2).any(|p| p[0] == "shade" && p[1] == "of") {
        let plain = words.iter().filter(|w| !matches!(**w, "a" | "an" | "the" | "shade" | "of"));
        let list = plain.map(|w| lexicon().comparative(w).unwrap_or_else(|| (*w).to_owned())).collect::<Vec<_>>();
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
                lexicon().is_adjective(w) || is_adverb(w) || matches!(*w, "and" | "," | "in" | "color" | "colour")
            }));
    if property
        && words_of_property.iter().all(|w| {
            lexicon().noun(w).is_empty()
                || lexicon().is_adjective(w)
                || matches!(words[0], "made" | "out" | "built")
                || words.contains(&"one")
        })
    {
        return are(case, work, &things, all, &words_of_property);
    }
    let text = case.written(desk, new);
    if is_preposition(words[0]) || matches!(words[0], "something" | "anything" | "nothing" | "other" | "different") {
        return Ok(false);
    }
    let owner = scene.things.iter().any(|o| o.owner == Some(things[0]));
    if words.iter().any(|w| matches!(*w, "up" | "down")) || (owner && words.iter().any(|w| is_preposition(w))) {
        return Ok(false);
    }
    let (first, rest) = (things[0], &things[1..]);
    if all && !rest.is_empty() {
        return Ok(false);
    }
    // `the blue one` only points at it.
    let pointed = |words: &[&str]| matches!(words.last(), Some(&("one" | "ones")));
    let named: Vec<&str> = old.map_or(&[][..], |r| &low[r.clone()]).to_vec();
    let kin = said.things.first().is_some_and(|_| said.kinds(0).iter().any(|k| scene.kinds(first).contains(k)));
    let named = if kin && pointed(&named) { Vec::new() } else { named };
    Ok(ok(work.swap(first, rest, &named, &text)))
}

/// Things are so: their own, their owner's, or their hair's.
fn are(case: &Case<'_>, work: &mut Work<'_>, things: &[usize], all: bool, words: &[&str]) -> Result<bool, Stop> {
    let Case { scene, low, about, .. } = *case;
    let list: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
    // The mood is its owner's, the colour her hair's: told apart elsewhere.
    let first = things[0];
    let kinds: Vec<_> = list.iter().flat_map(|w| lexicon().adjective(w)).collect();
    let hers =
        scene.is_kind(first, &["person"]) && kinds.iter().any(|k| matches!(**k, "colour" | "length" | "texture"));
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
    let told: Vec<usize> = scene.adjectives(first).into_iter().filter(|&i| about.contains(&scene.low(i))).collect();
    let joined = |i: usize| matches!(scene.low(i + 1), "and") || i > 0 && scene.low(i - 1) == "and";
    if let ([i], [to]) = (told.as_slice(), list.as_slice())
        && joined(*i)
        && lexicon().adjective(scene.low(*i)).contains(&"colour")
        && lexicon().adjective(to).contains(&"colour")
    {
        return Ok(ok(work.replace_word(*i, to)));
    }
    // `a cat asleep on a rug`: what is said of it behind it gives way.
    if let ([one], [to]) = (things, list.as_slice()) {
        let now = work.after(*one);
        let kinds = lexicon().adjective(to);
        if now < scene.low.len()
            && matches!(scene.tag(now), crate::scene::Tag::Adj | crate::scene::Tag::Ing)
            && lexicon().adjective(scene.low(now)).iter().any(|k| *k == "sleep" && kinds.contains(k))
        {
            return Ok(ok(work.replace_word(now, to)));
        }
    }
    let targets: Vec<usize> = if all { things.to_vec() } else { things[..1].to_vec() };
    work.kind = low.iter().find_map(|w| match *w {
        "color" | "colour" | "hue" => Some("colour"),
        "material" | "texture" | "size" | "pattern" | "shape" => lexicon().attribute(w),
        _ => None,
    });
    let done = targets.into_iter().all(|t| ok(work.property(t, &list)));
    work.kind = None;
    Ok(done)
}
