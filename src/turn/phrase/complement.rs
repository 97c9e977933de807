//! What something becomes: `make her hair red`, `her hair should be red`, `make it a snowy night`.

use super::super::desk::{Desk, Stop, Tok, lows};
use super::super::draft::Draft;
use super::super::lexicon::lexicon;
use super::super::small::{is_determiner, is_owner, is_preposition};
use super::add;
use super::add::Lead;
use super::adjective::{self, all_adjectives, groups};
use super::degree::{comparative, degree};
use super::make::unresolved;
use super::noun::{self, trim};
use super::pair::around_it;
use super::place;
use super::remove;
use super::target::{self, Target, core};
use super::weigh;

/// What a thing becomes: an adjective, another thing, a time, a degree, a place.
pub(super) fn complement(desk: &mut Desk<'_>, target: &Target, toks: &[Tok], more: &[&[Tok]]) -> Result<(), Stop> {
    let mut y = trim(toks);
    // `he should wear his hat again`
    if let [verb, thing @ .., again] = y
        && again.low == "again"
        && matches!(verb.low.as_str(), "wear" | "have" | "wearing" | "with")
        && desk.restore(desk.typed(core(thing)), true).is_some()
    {
        return Ok(());
    }
    while y.len() > 1
        && y.last().is_some_and(|t| {
            matches!(t.low.as_str(), "instead" | "again" | "enough" | "colour" | "color" | "coloured" | "colored")
        })
    {
        y = &y[..y.len() - 1];
    }
    // `bigger than the dog`
    if let Some(than) = y.iter().position(|t| t.low == "than").filter(|&i| i > 0) {
        y = &y[..than];
    }
    let when = |t: &Tok| lexicon().noun(&t.low).iter().any(|k| matches!(*k, "time" | "season"));
    if y.len() > 1 && matches!(y[y.len() - 1].low.as_str(), "time" | "scene") && when(&y[y.len() - 2]) {
        y = &y[..y.len() - 1];
    }
    loop {
        let words = lows(y);
        let n = match words.as_slice() {
            ["to", "be" | "look" | "become" | "have", _, ..] => 1,
            ["as", adjective, "as", ..] if lexicon().is_adjective(adjective) => {
                y = &y[1..2];
                break;
            }
            // `make her look at the sea`
            ["look", tie, _, ..] if matches!(*tie, "at" | "into" | "up" | "down" | "out" | "away" | "over") => {
                let text = format!("looking {}", desk.written(&y[1..]));
                desk.append(&text);
                return Ok(());
            }
            ["the" | "a", "colour" | "color", "of", thing] if matches!(target, Target::Thing(_)) => {
                let colour = lexicon().adjective(thing).contains(&"colour");
                let text = if colour { (*thing).to_owned() } else { format!("{thing}-coloured") };
                let one = adjective::Adjective { low: text.clone(), text, toks: y.to_vec() };
                return adjective::apply(desk, target, &[one]).map(|_| ());
            }
            ["look" | "looks", "like", _, ..] | ["be", "like", _, ..] | ["turn", "into", _, ..] => 2,
            [
                "be" | "look" | "appear" | "seem" | "become" | "turn" | "get" | "go" | "feel" | "being" | "looking"
                | "into" | "as" | "to" | "stay" | "all" | "just",
                _,
                ..,
            ] => 1,
            ["a", "colour" | "color" | "shade", "of", _, ..] => 3,
            // `make it a picture of a woman`
            ["a" | "an", scene, "of", _, ..] if lexicon().noun(scene) == ["scene"] => 3,
            _ => break,
        };
        y = &y[n..];
    }
    let words = lows(y);
    match words.as_slice() {
        [] => return Err(desk.misread(toks, "that does not say what becomes of it", "make her hair red")),
        [vague] if VAGUE.contains(vague) => {
            let message = format!("`{}` does not say what should change", desk.typed(y));
            return Err(desk.misread(y, message, "name it: make her hair red; more wavy; at night"));
        }
        // `the dress in yellow`
        ["in", _, ..] if matches!(target, Target::Thing(_)) && noun_is_colour(y) && all_adjectives(&y[1..]) => {
            return complement(desk, target, &y[1..], more);
        }
        [.., "more" | "less"] if words.len() > 1 => {
            let (from, turned) = (y[0].from, turned_round(y));
            if weigh::of_target(desk, target, &turned)? || turned[0].from == from {
                return finish_complement(desk, target, more);
            }
        }
        ["no", "longer", _, ..] => return remove::adjective(desk, &y[2..]),
        ["stop", _, ..] => return remove::adjective(desk, &y[1..]),
        ["not" | "less", "so" | "as" | "that" | "too" | "very", _, ..]
        | ["less" | "more" | "too" | "much" | "way" | "slightly" | "somewhat", ..] => {}
        ["not" | "never", "be" | "have" | "wear" | "look" | "smile", _, ..] if words.len() > 2 => {
            return not_so(desk, &y[2..], more);
        }
        ["not" | "never", _, ..] if degree(y).is_none() => return not_so(desk, &y[1..], more),
        ["without" | "no", _, ..] => return remove::without(desk, &y[1..], more),
        ["gone" | "removed" | "deleted" | "off" | "away" | "invisible" | "go" | "disappear" | "vanish"] => {
            if let Target::Thing(range) = target {
                return desk.remove(range.clone(), y);
            }
        }
        ["replaced" | "swapped" | "exchanged", "with" | "by" | "for", _, ..] => {
            return complement(desk, target, &y[2..], more);
        }
        ["changed" | "turned", "into" | "to", _, ..] => return complement(desk, target, &y[2..], more),
        ["wear" | "wearing", _, ..] => {
            let all = with_more(desk, &y[1..], more);
            return place::wear(desk, &all);
        }
        ["have" | "having" | "with" | "hold" | "get" | "grow", _, ..] => {
            let all = with_more(desk, &y[1..], more);
            return add::have(desk, &all, Lead::With);
        }
        _ => {}
    }
    // `wavy, not straight`
    if let Some(not) = y.iter().position(|t| t.low == "not").filter(|&i| all_adjectives(&y[..i]) && i + 1 < y.len()) {
        complement(desk, target, &y[..not], more)?;
        return remove::without(desk, &y[not + 1..], &[]);
    }
    if weigh::of_target(desk, target, y)? {
        for part in more {
            complement(desk, target, part, &[])?;
        }
        return Ok(());
    }
    if Draft::of(desk.typed(y)).tie_at(0) > 0 {
        let all = with_more(desk, y, more);
        return place::tied(desk, &all);
    }
    let mut first_article = is_determiner(&y[0].low) && !matches!(y[0].low.as_str(), "all");
    // `a blonde` names no thing.
    if first_article && all_adjectives(&y[1..]) && noun::kinds_of(&y[1..]).is_empty() {
        y = &y[1..];
        first_article = false;
    }
    let single_mood = match y {
        [one] => lexicon().adjective_form(&one.low).filter(|_| !lexicon().is_adjective(&one.low)),
        _ => None,
    };
    // `snowy at night`
    let end = y.iter().position(|t| is_preposition(&t.low)).unwrap_or(0);
    let idea = |t: &Tok| {
        lexicon()
            .adjective_form(&t.low)
            .is_some_and(|f| lexicon().adjective(f).iter().any(|k| matches!(*k, "mood" | "weather" | "action")))
    };
    if end > 0 && !first_article && (all_adjectives(&y[..end]) || (end == 1 && idea(&y[0]))) {
        complement(desk, target, &y[..end], &[])?;
        let rest = with_more(desk, &y[end..], more);
        return place::tied(desk, &rest);
    }
    let kinds = noun::kinds_of(core(y));
    let person = matches!(target, Target::Person);
    // `make it snow`, `make her smile`
    if let Some(form) = single_mood.filter(|f| {
        !first_article && lexicon().adjective(f).iter().any(|k| matches!(*k, "mood" | "weather" | "action"))
    }) {
        let adjective = adjective::Adjective { text: form.to_owned(), low: form.to_owned(), toks: y.to_vec() };
        adjective::apply(desk, target, &[adjective])?;
        return finish_complement(desk, target, more);
    }
    if !first_article
        && all_adjectives(y)
        && (noun_is_colour(y) || kinds.is_empty() || lexicon().is_adjective(&y[y.len() - 1].low))
    {
        // `red and white` is said in one breath.
        let own = more.iter().take_while(|p| all_adjectives(p) && comparative(p).is_none()).count();
        let words = with_more(desk, y, &more[..own]);
        let all = groups(desk, &words);
        adjective::apply(desk, target, &all)?;
        return finish_complement(desk, target, &more[own..]);
    }
    if kinds.iter().any(|k| matches!(*k, "time" | "season")) && matches!(target, Target::Scene | Target::Unnamed(_)) {
        place::when(desk, y)?;
        return finish_complement(desk, target, more);
    }
    // `a smile`, `a sad look`
    if person
        && kinds.is_empty()
        && noun::noun_of(core(y)).is_some_and(|t| matches!(t.low.as_str(), "smile" | "look" | "grin" | "frown"))
    {
        return add::have(desk, y, Lead::With);
    }
    let known = !kinds.is_empty() || first_article;
    // `flow faster` says what it does, not how it is.
    if !known && (1..y.len()).any(|i| comparative(&y[i..]).is_some()) && !super::make::known_word(&y[0]) {
        return Err(super::clause::not_understood(desk, y));
    }
    if !known {
        // A word of no kind: an adjective of the thing, unless it looks like a thing.
        let last = y[y.len() - 1].low.as_str();
        let plural = lexicon().goes_bare(last);
        match target {
            Target::Thing(range) if plural && y.len() <= 2 => {
                noun::swap_thing(desk, range.clone(), y)?;
            }
            Target::Scene => {
                let text = desk.written(y);
                let text = text.as_str();
                desk.append(text);
            }
            _ => {
                let all = groups(desk, y);
                adjective::apply(desk, target, &all)?;
            }
        }
        return finish_complement(desk, target, more);
    }
    let all = with_more(desk, y, more);
    match target {
        Target::Thing(range) if is_backdrop(desk, range, kinds) => {
            behind(desk, range.clone(), &all);
            Ok(())
        }
        Target::Thing(range) => {
            let place = range.clone();
            let old = desk.draft.noun_kinds(place.end - 1);
            let time = |k: &[&str]| k.contains(&"time") || k.contains(&"season");
            if time(kinds) && (old.contains(&"time") || !time(old)) {
                return place::when(desk, y);
            }
            let (thing, around) = noun::thing_and_circumstances(desk, &all);
            noun::swap_thing(desk, place, thing)?;
            around_it(desk, around)
        }
        Target::Unnamed(word) if word == "hair" || lexicon().noun(word).contains(&"body") => {
            // Hair that is not spoken of can be given, but not become a hat.
            if noun::noun_of(core(&all)).is_some_and(|t| lexicon().same(&t.low, word)) {
                return add::have(desk, &all, Lead::With);
            }
            Err(desk.misread(&all, format!("`{word}` is not in the prompt"), format!("to add it: with red {word}")))
        }
        Target::Unnamed(word) if matches!(word.as_str(), "background" | "place" | "location" | "setting") => {
            let text = place::located(desk, &all);
            place::settle(desk, &text)
        }
        _ => {
            let (thing, around) = noun::thing_and_circumstances(desk, &all);
            noun::become_thing(desk, target, thing)?;
            around_it(desk, around)
        }
    }
}

/// Words that praise or blame and describe nothing.
const VAGUE: &[&str] = &[
    "better",
    "worse",
    "nicer",
    "nice",
    "good",
    "best",
    "different",
    "perfect",
    "right",
    "fine",
    "otherwise",
    "interesting",
];

/// `smile a bit more` as `a bit more smile`.
fn turned_round(toks: &[Tok]) -> Vec<Tok> {
    let n = (1..toks.len()).find(|&i| degree(&toks[i..]).is_some_and(|(_, k)| i + k == toks.len())).unwrap_or(0);
    toks[n..].iter().chain(&toks[..n]).cloned().collect()
}

/// True if another place is to be behind what is shown.
pub(super) fn is_backdrop(desk: &Desk<'_>, range: &std::ops::Range<usize>, kinds: &[&str]) -> bool {
    desk.draft.low(range.end - 1) == "background" && kinds.iter().any(|k| matches!(*k, "place" | "middle"))
}

/// Puts a place, with its own preposition, where the background is spoken of.
pub(super) fn behind(desk: &mut Desk<'_>, range: std::ops::Range<usize>, toks: &[Tok]) {
    let start = desk.draft.phrase_start(range.end - 1);
    let text = place::located(desk, toks);
    let tie = desk.draft.tie_start(start);
    desk.put(tie..range.end, &text);
}

/// The parts after an adjective: more adjectives of the same thing, or things.
pub(super) fn finish_complement(desk: &mut Desk<'_>, target: &Target, more: &[&[Tok]]) -> Result<(), Stop> {
    for part in more {
        let part = trim(part);
        // `smile and have red hair`
        if part.len() > 1 && matches!(part[0].low.as_str(), "have" | "wear" | "be" | "look" | "wearing" | "having") {
            complement(desk, target, part, &[])?;
            continue;
        }
        // The thing may have moved.
        let again = match target {
            Target::Thing(_) => target::last(desk).map_or_else(|| target.clone(), Target::Thing),
            other => other.clone(),
        };
        // `make the cat red and the beach snowy` in a prompt without a beach.
        if part.first().is_some_and(|t| t.low == "the" || is_owner(&t.low)) && part.len() > 1 {
            return Err(unresolved(desk, part));
        }
        if all_adjectives(part) || comparative(part).is_some() || degree(part).is_some() || part.len() == 1 {
            complement(desk, &again, part, &[])?;
        } else {
            add::add(desk, part, Lead::With)?;
        }
    }
    Ok(())
}

/// `orange`, `rose`, `gold` said of something are colours.
pub(super) fn noun_is_colour(toks: &[Tok]) -> bool {
    toks.last()
        .is_some_and(|t| lexicon().adjective(&t.low).iter().any(|k| matches!(*k, "colour" | "material" | "tone")))
}

pub(super) fn not_so(desk: &mut Desk<'_>, toks: &[Tok], more: &[&[Tok]]) -> Result<(), Stop> {
    let toks = trim(toks);
    let form = matches!(toks, [one] if lexicon().adjective_form(&one.low).is_some_and(|f| lexicon().adjective(f).contains(&"mood")));
    if all_adjectives(toks) || form {
        remove::adjective(desk, toks)?;
        for part in more {
            remove::adjective(desk, part)?;
        }
        return Ok(());
    }
    remove::without(desk, toks, more)
}

/// A part and those that go on with it, as tokens of one list.
pub(super) fn with_more(desk: &Desk<'_>, toks: &[Tok], more: &[&[Tok]]) -> Vec<Tok> {
    let Some(last) = more.last().and_then(|m| m.last()) else { return toks.to_vec() };
    let Some(first) = toks.first() else { return Vec::new() };
    super::super::desk::tokens(desk.line.get(first.from..last.to).unwrap_or_default(), first.from)
}
