//! What is spoken of, and what follows it: `make her hair red`, `the colour of her hair`, `his hair and beard white`.

use super::super::desk::{Desk, Stop, Tok};
use super::super::find::Reach;
use super::super::lexicon::lexicon;
use super::super::small::{
    is_determiner, is_function_word, is_owner, is_person_pronoun, is_preposition, is_scene_pronoun, ordinal,
};
use super::adjective::all_adjectives;
use super::clause::not_understood;
use super::complement::{complement, finish_complement};
use super::degree::{comparative, degree};
use super::noun::{self, trim};
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

/// The longest beginning that names something, and what follows it.
pub(super) fn split_target<'t>(desk: &Desk<'_>, toks: &'t [Tok]) -> (usize, &'t [Tok]) {
    for n in (1..toks.len()).rev() {
        let x = &toks[..n];
        // `her a blonde` is not one thing; a pronoun that owns what follows is not the thing: her hair.
        let breaks = |t: &Tok| matches!(t.low.as_str(), "a" | "an" | "as" | "like" | "to" | "into" | "than" | "not");
        if x.iter().skip(1).any(breaks) || is_preposition(&x[n - 1].low) || toks[n].low == "'s" {
            continue;
        }
        if resolves(desk, x)
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
    // `them` and `both` are all that the picture is of; `the animals` are the cat and the dog.
    let both = matches!(toks[0].low.as_str(), "them" | "both" | "they") && desk.draft.person().len() != 1;
    let grouped = (1..toks.len().min(4)).find_map(|n| super::group::group(desk, &toks[..n]).map(|found| (n, found)));
    let grouped = grouped.or_else(|| {
        let n = if toks.len() > 1 && matches!(toks[1].low.as_str(), "both" | "all") { 2 } else { 1 };
        let people = desk.draft.person();
        let all = if people.len() > 1 { people } else { desk.draft.subjects() };
        both.then(|| (n, all.into_iter().map(|h| h..h + 1).collect()))
    });
    if let Some((n, found)) = grouped.filter(|(n, found)| found.len() > 1 && *n < toks.len()) {
        let y = trim(&toks[n..]);
        return super::group::each(desk, found, |desk, place| complement(desk, &Target::Thing(place), y, more));
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
    is_function_word(low)
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
    if let Some(n) = (2..=all.len().min(4))
        .find(|&n| ordinal(&all[0].low).is_some() && !places(desk, &all[1..n], Reach::Thing).is_empty())
    {
        return desk.missing(&all[..n]);
    }
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
