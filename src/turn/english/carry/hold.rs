//! How well a reading holds against the prompt, and what kind of words it says.

use crate::desk::{Desk, Stop};
use crate::lexicon::lexicon;
use crate::rank::{Found, is_one, resolve};
use crate::reading::Reading;
use crate::scene::{Scene, Tag};
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
pub(crate) fn is_hers(scene: &Scene, said: &Scene) -> bool {
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
