//! What something becomes: `make her hair red`, `her hair should be red`, `make it a snowy night`.

use super::super::desk::{Desk, Stop, Tok, lows};
use super::super::draft::Draft;
use super::super::find::Reach;
use super::super::lexicon::lexicon;
use super::super::small::{is_determiner, is_owner, is_person_pronoun, is_preposition, is_scene_pronoun};
use super::add;
use super::add::Lead;
use super::adjective::{self, all_adjectives, groups};
use super::clause::not_understood;
use super::degree::{comparative, degree};
use super::noun::{self, trim};
use super::pair::around_it;
use super::place;
use super::remove;
use super::target::{self, Target, core, places, resolves};
use super::weigh;

/// `her hair colour`, `the colour of her hair`, `the season`: what an attribute is one of.
pub(super) fn attribute(desk: &mut Desk<'_>, x: &[Tok]) -> Result<Option<Target>, Stop> {
    let all = core(x);
    let of = all.iter().position(|t| t.low == "of");
    let (named, owner) = match of {
        Some(i) => (&all[..i], Some(&all[i + 1..])),
        None => (all, None),
    };
    let Some(last) = named.last() else { return Ok(None) };
    let low = last.low.as_str();
    if !lexicon().noun(low).contains(&"attribute")
        || !desk.draft.occurrences(&[low.to_owned()], Reach::Exact, false).is_empty()
    {
        return Ok(None);
    }
    let owner = owner.or_else(|| (named.len() > 1).then(|| &named[..named.len() - 1]));
    let owner = owner.map(|o| if o.last().is_some_and(|t| t.low == "'s") { &o[..o.len() - 1] } else { o });
    Ok(match (low, owner) {
        ("hairstyle", _) => {
            let hair = desk.draft.heads_of_kind(&["hair"]);
            hair.first().map(|&h| Target::Thing(h..h + 1))
        }
        ("mood" | "expression", None) => Some(Target::Person),
        (_, Some(owner)) if !owner.is_empty() => {
            let found = target::target(desk, owner)?;
            if found.is_none() {
                return Err(desk.missing(core(owner)));
            }
            found
        }
        ("background" | "setting" | "location" | "place" | "surroundings", _) => {
            Some(Target::Unnamed("background".into()))
        }
        ("time" | "season" | "weather" | "colour" | "color" | "mood" | "temperature", _) => Some(Target::Scene),
        _ => None,
    })
}

/// True for `the colour of her hair`, `her hair colour`: asks nothing.
pub(super) fn is_attribute(desk: &Desk<'_>, x: &[Tok]) -> bool {
    let all = core(x);
    let of = all.iter().position(|t| t.low == "of");
    let (named, owner) = match of {
        Some(i) => (&all[..i], &all[i + 1..]),
        None if all.len() > 1 => (all, &all[..all.len() - 1]),
        None => return false,
    };
    let Some(last) = named.last() else { return false };
    let owner = if owner.last().is_some_and(|t| t.low == "'s") { &owner[..owner.len() - 1] } else { owner };
    lexicon().noun(&last.low).contains(&"attribute") && !owner.is_empty() && resolves(desk, owner)
}

/// The longest beginning that names something, and what follows it.
pub(super) fn split_target<'t>(desk: &Desk<'_>, toks: &'t [Tok]) -> (usize, &'t [Tok]) {
    for n in (1..toks.len()).rev() {
        let x = &toks[..n];
        // `her a blonde` is not one thing; a pronoun that owns what follows is not the thing: her hair.
        let breaks = |t: &Tok| matches!(t.low.as_str(), "a" | "an" | "as" | "like" | "to" | "into" | "than" | "not");
        if x.iter().skip(1).any(breaks) || is_preposition(&x[n - 1].low) || toks[n].low == "'s" {
            continue;
        }
        if (resolves(desk, x) || is_attribute(desk, x))
            && !trim(&toks[n..]).is_empty()
            && !x.last().is_some_and(|t| is_determiner(&t.low) && n > 1)
        {
            return (n, trim(&toks[n..]));
        }
    }
    (0, toks)
}

/// X and what X becomes, for each part: `make the hair red and the shirt blue`, `make it long and red`.
pub(super) fn make(desk: &mut Desk<'_>, toks: &[Tok], more: &[&[Tok]]) -> Result<(), Stop> {
    if toks.is_empty() {
        return Err(desk.misread(toks, "that does not say what becomes what", "make her hair red"));
    }
    // `his hair and beard white`: several things become one.
    if toks.len() > 1
        && !more.is_empty()
        && !places(desk, toks, Reach::Thing).is_empty()
        && let Some(at) = more.iter().position(|p| split_target(desk, p).0 > 0)
    {
        let (n, y) = split_target(desk, more[at]);
        let things: Vec<&[Tok]> =
            std::iter::once(toks).chain(more[..at].iter().copied()).chain(std::iter::once(&more[at][..n])).collect();
        for x in things {
            let Some(target) = target::target(desk, x)? else { return Err(desk.missing(core(x))) };
            complement(desk, &target, y, &[])?;
        }
        return finish_complement(desk, &Target::Scene, &more[at + 1..]);
    }
    // `them` and `both` are all that the picture is of.
    if matches!(toks[0].low.as_str(), "them" | "both" | "they") && toks.len() > 1 && desk.draft.person().is_empty() {
        let all: Vec<String> = desk.draft.subjects().into_iter().map(|h| desk.draft.low(h).to_owned()).collect();
        let y = if toks[1].low == "both" || toks[1].low == "all" { trim(&toks[2..]) } else { trim(&toks[1..]) };
        if all.len() > 1 && !y.is_empty() {
            for word in all {
                if let Some(place) = desk.draft.occurrences(&[word], Reach::Exact, false).into_iter().next() {
                    complement(desk, &Target::Thing(place), y, more)?;
                }
            }
            return Ok(());
        }
    }
    let (n, y) = split_target(desk, toks);
    let own: usize = more.iter().take_while(|p| split_of_its_own(desk, p).is_none()).count();
    let (mine, others) = more.split_at(own);
    if n == 0 {
        // No thing is named: `make snowy`, `make longer hair`, `make her a hat`.
        let known = all_adjectives(toks) || comparative(toks).is_some() || degree(toks).is_some();
        let pronoun = toks.len() > 1 && is_person_pronoun(&toks[0].low) && !is_owner(&toks[0].low);
        if known && noun::kinds_of(toks).is_empty() {
            if !weigh::clause(desk, toks)? {
                complement(desk, &Target::Scene, toks, mine)?;
            }
        } else if pronoun {
            complement(desk, &Target::Person, trim(&toks[1..]), mine)?;
        } else {
            return Err(unresolved(desk, toks));
        }
    } else {
        let x = trim(&toks[..n]);
        // `her hiar red`: her something that the prompt lacks.
        if x.len() == 1
            && x[0].low == "her"
            && y.len() > 1
            && !known_word(&y[0])
            && lexicon().is_adjective(&y[y.len() - 1].low)
        {
            return Err(desk.missing(&y[..1]));
        }
        let target = match attribute(desk, x)? {
            Some(target) => target,
            None => match target::target(desk, x)? {
                Some(target) => target,
                None => return Err(desk.missing(core(x))),
            },
        };
        complement(desk, &target, y, mine)?;
    }
    for (i, part) in others.iter().enumerate() {
        if split_of_its_own(desk, part).is_some() {
            let rest: Vec<&[Tok]> =
                others[i + 1..].iter().take_while(|p| split_of_its_own(desk, p).is_none()).copied().collect();
            make(desk, part, &rest)?;
        }
    }
    Ok(())
}

/// True for words of which something is known: they may begin what someone becomes.
pub(super) fn known_word(tok: &Tok) -> bool {
    let low = tok.low.as_str();
    super::super::small::is_function_word(low)
        || lexicon().is_adjective(low)
        || lexicon().adjective_form(low).is_some()
        || lexicon().comparative(low).is_some()
        || matches!(
            low,
            "stop"
                | "never"
                | "not"
                | "more"
                | "less"
                | "much"
                | "slightly"
                | "somewhat"
                | "way"
                | "far"
                | "even"
                | "too"
                | "look"
                | "wear"
                | "appear"
                | "seem"
                | "really"
                | "quite"
                | "extremely"
                | "super"
                | "become"
                | "feel"
                | "so"
                | "turn"
                | "have"
                | "get"
                | "lots"
        )
}

/// A part that names its own thing: `her shirt blue`.
pub(super) fn split_of_its_own(desk: &Desk<'_>, toks: &[Tok]) -> Option<usize> {
    let first = toks.first()?;
    let definite =
        first.low == "the" || is_owner(&first.low) || is_scene_pronoun(&first.low) || is_person_pronoun(&first.low);
    let (n, y) = split_target(desk, toks);
    (n > 0 && definite && !y.is_empty()).then_some(n)
}

/// What was meant by a thing that the prompt lacks: the first word that it lacks and that is no adjective.
pub(super) fn unresolved(desk: &Desk<'_>, toks: &[Tok]) -> Stop {
    let all = core(toks);
    let lacking = all.iter().find(|t| {
        !t.is_mark()
            && !is_determiner(&t.low)
            && !is_preposition(&t.low)
            && !is_person_pronoun(&t.low)
            && !lexicon().is_adjective(&t.low)
            && desk.draft.occurrences(std::slice::from_ref(&t.low), Reach::Idea, false).is_empty()
    });
    match lacking {
        Some(tok) => desk.missing(std::slice::from_ref(tok)),
        None => not_understood(desk, toks),
    }
}

/// What a thing becomes: an adjective, another thing, a time, a degree, a place.
pub(super) fn complement(desk: &mut Desk<'_>, target: &Target, toks: &[Tok], more: &[&[Tok]]) -> Result<(), Stop> {
    let mut y = trim(toks);
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
    if y.len() > 1 && y[y.len() - 1].low == "time" && when(&y[y.len() - 2]) {
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
        ["no", "longer", _, ..] => return remove::adjective(desk, &y[2..]),
        ["stop", _, ..] => return remove::adjective(desk, &y[1..]),
        ["not" | "less", "so" | "as" | "that" | "too" | "very", _, ..]
        | ["less" | "more" | "too" | "much" | "way" | "slightly" | "somewhat", ..] => {}
        ["not" | "never", "be" | "have" | "wear" | "look" | "smile", _, ..] if words.len() > 2 => {
            return not_so(desk, &y[2..], more);
        }
        ["not" | "never", _, ..] if degree(y).is_none() => return not_so(desk, &y[1..], more),
        ["without" | "no", _, ..] => return remove::without(desk, &y[1..], more),
        ["gone" | "removed" | "deleted" | "off" | "away" | "invisible"] => {
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
    if end > 0 && !first_article && all_adjectives(&y[..end]) {
        complement(desk, target, &y[..end], &[])?;
        let rest = with_more(desk, &y[end..], more);
        return place::tied(desk, &rest);
    }
    let kinds = noun::kinds_of(core(y));
    let person = matches!(target, Target::Person) || is_person_thing(desk, target);
    // `make it snow`, `make her smile`
    if let Some(form) = single_mood
        .filter(|f| !first_article && lexicon().adjective(f).iter().any(|k| matches!(*k, "mood" | "weather")))
    {
        let adjective = adjective::Adjective { text: form.to_owned(), low: form.to_owned(), toks: y.to_vec() };
        adjective::apply(desk, target, &[adjective])?;
        return finish_complement(desk, target, more);
    }
    if !first_article
        && all_adjectives(y)
        && (noun_is_colour(y)
            || kinds.is_empty()
            || lexicon().is_adjective(&y[y.len() - 1].low) && !thing_like(desk, target, kinds))
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
                desk.append(text, false);
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

/// True if another place is to be behind what is shown.
pub(super) fn is_backdrop(desk: &Desk<'_>, range: &std::ops::Range<usize>, kinds: &[&str]) -> bool {
    desk.draft.low(range.end - 1) == "background" && kinds.iter().any(|k| matches!(*k, "place" | "middle"))
}

/// Puts a place, with its own preposition, where the background is spoken of.
pub(super) fn behind(desk: &mut Desk<'_>, range: std::ops::Range<usize>, toks: &[Tok]) {
    let start = desk.draft.phrase_start(range.end - 1);
    let text = place::located(desk, toks);
    let tie = desk.draft.tie_start(start);
    desk.swap(tie..range.end, &text);
}

/// The parts after an adjective: more adjectives of the same thing, or things.
pub(super) fn finish_complement(desk: &mut Desk<'_>, target: &Target, more: &[&[Tok]]) -> Result<(), Stop> {
    for part in more {
        let part = trim(part);
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

pub(super) fn is_person_thing(desk: &Desk<'_>, target: &Target) -> bool {
    matches!(target, Target::Thing(r) if desk.draft.noun_kinds(r.end - 1).contains(&"person"))
}

/// `orange`, `rose`, `gold` said of something are colours.
pub(super) fn noun_is_colour(toks: &[Tok]) -> bool {
    toks.last()
        .is_some_and(|t| lexicon().adjective(&t.low).iter().any(|k| matches!(*k, "colour" | "material" | "tone")))
}

/// True if the thing is of the kind that a bare noun names, so that the noun is meant: mountains, hills.
pub(super) fn thing_like(desk: &Desk<'_>, target: &Target, kinds: &[&str]) -> bool {
    matches!(target, Target::Thing(r) if desk.draft.noun_kinds(r.end - 1).iter().any(|k| kinds.contains(k)))
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
