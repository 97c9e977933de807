//! One thing more: what is there already takes the new adjectives, what excludes it gives way, the rest is added.

use super::super::desk::{Desk, Stop, Tok};
use super::super::draft::Draft;
use super::super::find::Reach;
use super::super::lexicon::lexicon;
use super::super::small::{is_determiner, is_owner, is_person_pronoun, is_scene_pronoun};
use super::super::words::{lower, split};
use super::adjective::{self, all_adjectives, groups};
use super::noun::{kinds_of, noun_of, swap_thing, trim};
use super::place::tied;
use super::target::{Target, places};
use std::ops::Range;

/// How an added thing is tied to the prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lead {
    /// After a comma.
    Comma,
    /// `with ...`
    With,
    /// `wearing ...`
    Wearing,
}

/// Kinds of which a person has one: another takes its place.
pub(super) const ONE_OF: &[&str] = &["hair", "glasses", "headgear"];

/// Kinds that are the same thing when named again, with whatever article.
pub(super) const SAME_AGAIN: &[&str] = &["hair", "body", "glasses", "beard", "clothing", "headgear", "jewellery"];

/// A list of things as it was typed, cut at `and` and commas.
pub(super) fn listed(toks: &[Tok]) -> Vec<&[Tok]> {
    let mut all = Vec::new();
    let mut rest = toks;
    loop {
        let cut = rest.iter().position(|t| matches!(t.low.as_str(), "and" | "," | "&" | ";"));
        match cut {
            Some(i) => {
                all.push(&rest[..i]);
                rest = &rest[i + 1..];
            }
            None => {
                all.push(rest);
                break;
            }
        }
    }
    all.retain(|part| !trim(part).is_empty());
    // `shorter, redder hair` is one thing.
    let mut i = 0;
    while i + 1 < all.len() {
        let part = trim(all[i]);
        let loose = all_adjectives(part) && kinds_of(part).is_empty()
            || super::degree::comparative(part).is_some_and(|(_, _, n)| n == part.len());
        if loose && noun_of(super::target::core(all[i + 1])).is_some() {
            let (from, to) = (part[0].from, all[i + 1].last().map_or(0, |t| t.to));
            let first = toks.iter().position(|t| t.from == from).unwrap_or(0);
            let last = toks.iter().rposition(|t| t.to == to).unwrap_or(toks.len() - 1);
            all[i + 1] = &toks[first..=last];
            all.remove(i);
        } else {
            i += 1;
        }
    }
    all
}

/// The person or picture has these things: what is there already takes the new adjectives, what excludes the new thing
/// gives way, the rest is added.
pub(super) fn have(desk: &mut Desk<'_>, toks: &[Tok], lead: Lead) -> Result<(), Stop> {
    let toks = trim(toks);
    if toks.iter().all(|t| is_determiner(&t.low)) {
        return Err(desk.misread(toks, "that says nothing to add", "with round glasses"));
    }
    let mut left: Vec<&[Tok]> = Vec::new();
    for part in listed(toks) {
        let part = trim(part);
        if !merge(desk, part, lead)? {
            left.push(part);
        }
    }
    if left.is_empty() {
        return Ok(());
    }
    // What is left is added as it was typed; a list that lost members is joined anew.
    let whole = left.len() == listed(toks).len();
    let text = if whole {
        let first = left[0][0].from;
        let inside: Vec<Tok> = toks.iter().filter(|t| t.from >= first).cloned().collect();
        nobodys(desk, &inside)
    } else {
        let texts: Vec<String> = left.iter().map(|p| nobodys(desk, p)).collect();
        texts.join(" and ")
    };
    let tied = Draft::of(&text).tie_at(0) > 0;
    let text = match lead {
        _ if tied => text,
        Lead::Comma => text,
        Lead::With => format!("with {text}"),
        Lead::Wearing => format!("wearing {text}"),
    };
    let named = noun_of(super::target::core(left[0])).map(|t| t.low.clone());
    desk.append(&text);
    desk.last = named;
    Ok(())
}

/// As it is written of nobody in particular: `some glasses` are glasses, `his hat` is a hat.
fn nobodys(desk: &Desk<'_>, toks: &[Tok]) -> String {
    match toks {
        [first, rest @ ..] if !rest.is_empty() && matches!(first.low.as_str(), "some" | "any") => desk.written(rest),
        [first, rest @ ..] if !rest.is_empty() && is_owner(&first.low) => {
            let bare = noun_of(rest).is_none_or(|t| lexicon().goes_bare(&t.low));
            if bare { desk.written(rest) } else { format!("a {}", desk.written(rest)) }
        }
        _ => desk.written(toks),
    }
}

/// True if one thing found its place among what is there.
pub(super) fn merge(desk: &mut Desk<'_>, part: &[Tok], lead: Lead) -> Result<bool, Stop> {
    let core = super::target::core(part);
    let Some(noun) = noun_of(core).cloned() else { return Ok(false) };
    let kinds = kinds_of(core);
    // `a smile`, `a sad look`, `an angry expression` are moods.
    if matches!(noun.low.as_str(), "look" | "expression" | "face" | "mood" | "smile" | "grin" | "frown" | "tears")
        || core.len() == 1
    {
        let said = core.iter().find_map(|t| {
            let form =
                if lexicon().is_adjective(&t.low) { Some(t.low.as_str()) } else { lexicon().adjective_form(&t.low) }?;
            lexicon().adjective(form).contains(&"mood").then(|| form.to_owned())
        });
        let persons = desk.draft.person();
        if let (Some(mood), false) = (said, persons.is_empty()) {
            let adjective = adjective::Adjective { text: mood.clone(), low: mood, toks: vec![noun] };
            adjective::apply(desk, &Target::Person, &[adjective])?;
            return Ok(true);
        }
    }
    let article =
        part.first().is_some_and(|t| matches!(t.low.as_str(), "a" | "an" | "another" | "two" | "three" | "more"));
    let same_again = kinds.iter().any(|k| SAME_AGAIN.contains(k));
    let single = matches!(noun.low.as_str(), "background" | "sky")
        || kinds.first().is_some_and(|k| SAME_AGAIN.contains(k))
        || (!article && lexicon().goes_bare(&noun.low) && kinds.contains(&"sky"));
    let at = core.iter().position(|t| t.from == noun.from).unwrap_or(0);
    let simple = at + 1 == core.len();
    let name_len = {
        let words: Vec<&str> = core[..=at].iter().map(|t| t.low.as_str()).collect();
        lexicon().compound_ending(&words)
    };
    let adjectives = &core[..(at + 1).saturating_sub(name_len)];
    let there: Vec<Range<usize>> = desk
        .draft
        .occurrences(
            &core[(at + 1).saturating_sub(name_len)..=at].iter().map(|t| t.low.clone()).collect::<Vec<_>>(),
            Reach::Exact,
            false,
        )
        .into_iter()
        .filter(|r| desk.draft.is_head(r.end - 1))
        .collect();
    let mine =
        single || (same_again && lead != Lead::Comma) || (!article && part.first().is_some_and(|t| is_owner(&t.low)));
    if !there.is_empty() && (mine || (!article && lead != Lead::Comma)) && simple {
        let question = format!("which `{}` is meant?", noun.low);
        let place = desk.choose_place(question, &there)?;
        if adjectives.is_empty() && desk.draft.person().len() > 1 {
            return Ok(false);
        }
        if adjectives.is_empty() {
            desk.idle.push(format!("`{}` is in the prompt already", noun.low));
            return Ok(true);
        }
        let head = place.end - 1;
        let word = desk.draft.low(head).to_owned();
        for one in adjectives.split(|t| t.is_mark() || t.low == "and").filter(|p| !p.is_empty()) {
            let near = desk.draft.heads().into_iter().filter(|&h| desk.draft.low(h) == word);
            let head = near.min_by_key(|h| h.abs_diff(head)).unwrap_or(head);
            if let Some((base, factor, used)) = super::degree::comparative(one) {
                super::weigh::compare(desk, Some(head), &base, factor, &one[..used])?;
            } else {
                let all = groups(desk, one);
                adjective::apply(desk, &Target::Thing(head..head + 1), &all)?;
            }
        }
        return Ok(true);
    }
    // A hat in the place of a hat: one person has one head of hair, one pair of glasses.
    let exclusive = kinds.iter().find(|k| ONE_OF.contains(k)).copied();
    if let Some(kind) = exclusive.filter(|k| lead != Lead::Comma || *k == "hair") {
        let rivals = desk.draft.heads_of_kind(&[kind]);
        if let [head] = rivals.as_slice() {
            swap_thing(desk, *head..*head + 1, part)?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// Adds a thing: `add a hat`, `add red to her hair`, `add a hat to the cat`.
pub(super) fn add(desk: &mut Desk<'_>, toks: &[Tok], lead: Lead) -> Result<(), Stop> {
    let mut toks = trim(toks);
    if toks.is_empty() {
        return Err(desk.misread(toks, "that says nothing to add", "add a hat"));
    }
    let owned = toks.len() > 1 && is_determiner(&toks[toks.len() - 2].low);
    let back = matches!(toks.last().map(|t| t.low.as_str()), Some("back" | "again")) && !owned;
    if back {
        toks = &toks[..toks.len() - 1];
        return bring_back(desk, toks);
    }
    // `to her`, `to the mountains`, `on his head`
    if let Some(at) = toks.iter().position(|t| matches!(t.low.as_str(), "to" | "onto" | "on" | "in")).filter(|&i| {
        // `a dog next to the balloon` and `a dog in front of it` are added as typed.
        let joined = matches!(toks[i.max(1) - 1].low.as_str(), "next" | "close");
        i > 0 && !joined && !toks.get(i + 1).is_some_and(|t| matches!(t.low.as_str(), "front" | "top"))
    }) {
        let place = trim(&toks[at + 1..]);
        let (thing, tie) = (&toks[..at], toks[at].low.clone());
        let someone = matches!(place, [one] if is_person_pronoun(&one.low) || is_scene_pronoun(&one.low));
        let body = place.last().is_some_and(|t| lexicon().noun(&t.low).contains(&"body"));
        let known = !someone && !places(desk, place, Reach::Thing).is_empty();
        let definite = place.first().is_some_and(|t| t.low == "the" || is_owner(&t.low) || t.low == "this");
        if known && (!body || all_adjectives(thing)) {
            // `add snow to the mountains`, `add red to her hair`
            let adjective = match super::target::core(thing) {
                one if all_adjectives(one) => Some(groups(desk, one)),
                [one] => lexicon().adjective_form(&one.low).filter(|_| tie == "to").map(|form| {
                    vec![adjective::Adjective { text: form.to_owned(), low: form.to_owned(), toks: vec![one.clone()] }]
                }),
                _ => None,
            };
            if let Some(adjectives) = adjective {
                let place = super::target::thing(desk, place, Reach::Thing)?;
                adjective::apply(desk, &Target::Thing(place), &adjectives)?;
                return Ok(());
            }
        }
        if definite && !known && !someone && !body && tie == "to" {
            return Err(desk.missing(super::target::core(place)));
        }
        let tied = matches!(tie.as_str(), "to" | "onto");
        if someone || (body && definite) || (known && definite && tied) || (tie == "to" && !known) {
            toks = trim(thing);
        }
    }
    let text = desk.typed(toks);
    if Draft::of(text).tie_at(0) > 0 {
        return tied(desk, toks);
    }
    if all_adjectives(toks) && kinds_of(toks).is_empty() {
        if desk.restore(desk.typed(toks), false).is_some() {
            return Ok(());
        }
        let adjectives = groups(desk, toks);
        adjective::apply(desk, &Target::Scene, &adjectives)?;
        return Ok(());
    }
    if let Some((factor, used)) = super::degree::degree(toks) {
        let rest = &toks[used..];
        if factor > 1.0 && !places(desk, rest, Reach::Idea).is_empty() {
            return super::weigh::clause(desk, toks).map(|_| ());
        }
    }
    if toks.first().is_some_and(|t| t.low == "the")
        && desk.restore(desk.typed(super::target::core(toks)), true).is_some()
    {
        return Ok(());
    }
    have(desk, toks, lead)
}

/// `put the glasses back`
pub(super) fn bring_back(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<(), Stop> {
    let toks = trim(toks);
    if toks.is_empty() {
        return Err(desk.misread(toks, "that says nothing to bring back", "bring back the glasses"));
    }
    let core = super::target::core(toks);
    let form = core.last().and_then(|t| lexicon().adjective_form(&t.low)).filter(|_| core.len() == 1);
    let found = desk.restore(desk.typed(core), !all_adjectives(core));
    // `bring back the waves`, where `wavy` is what is lost
    let adjective = form.or_else(|| Some(desk.typed(core)).filter(|_| all_adjectives(core)));
    let had = |word: &str| desk.here.ancestors.iter().any(|a| split(a).iter().any(|w| lower(w.text) == word));
    match (found, adjective.filter(|w| had(w))) {
        (Some(_), _) => Ok(()),
        (None, Some(word)) => {
            let one = adjective::Adjective { text: word.to_owned(), low: word.to_owned(), toks: core.to_vec() };
            adjective::apply(desk, &Target::Scene, &[one]).map(|_| ())
        }
        _ => {
            let text = desk.typed(toks);
            Err(desk.misread(
                toks,
                format!("no earlier prompt of this branch had `{text}` and lost it"),
                format!("add it: + {text}"),
            ))
        }
    }
}
