//! Cuts a line into clauses and reads each by its verb.

use super::super::desk::{Desk, Stop, Tok, lows};
use super::super::draft::Draft;
use super::super::find::Reach;
use super::super::lexicon::lexicon;
use super::super::small::{is_owner, is_person_pronoun};
use super::add::{self, Lead};
use super::adjective::all_adjectives;
use super::complement::{complement, not_so, with_more};
use super::courtesy::{Wish, plain};
use super::degree::{amount, comparative, degree};
use super::give;
use super::make::{attribute, make, split_of_its_own, split_target};
use super::noun::{kinds_of, trim};
use super::opening::{cut_at, modal, opens, said_after, verb_of};
use super::pair::{pairs, swap, turn};
use super::place;
use super::remove;
use super::target::{self, Target, core, places};
use super::verbs::Verb;
use super::weigh;

/// One clause: its first part, and the parts that go on with its verb (`remove the hat` and `the beard`).
pub(super) struct Clause<'t> {
    /// From the first part's first word to the last part's last.
    all: &'t [Tok],
    /// The first part.
    pub(super) head: &'t [Tok],
    more: Vec<&'t [Tok]>,
}

impl<'t> Clause<'t> {
    /// Everything from word `n` of the first part on, as one stretch; `short` words fewer if nothing goes on.
    fn from(&self, head: &'t [Tok], n: usize) -> &'t [Tok] {
        if self.more.is_empty() { &head[n.min(head.len())..] } else { &self.all[n.min(self.all.len())..] }
    }
}

/// The clauses of a line.
pub(super) fn cut<'t>(desk: &Desk<'_>, toks: &'t [Tok]) -> Vec<Clause<'t>> {
    let mut parts: Vec<&'t [Tok]> = Vec::new();
    let mut rest = toks;
    while let Some(at) = cut_at(rest) {
        if at > 0 {
            parts.push(&rest[..at]);
        }
        rest = &rest[at + 1..];
    }
    parts.push(rest);
    parts.retain(|p| !trim(p).is_empty());
    let index = |tok: Option<&Tok>| tok.and_then(|t| toks.iter().position(|o| o.from == t.from)).unwrap_or(0);
    let mut all: Vec<(usize, Clause<'t>)> = Vec::new();
    for part in parts {
        let (inner, _, _) = plain(part);
        let inner = if inner.is_empty() { part } else { inner };
        // `with shorter, redder hair` is one thing.
        let loose = |p: &[Tok]| {
            p.last().is_some_and(|t| lexicon().is_adjective(&t.low) || lexicon().comparative(&t.low).is_some())
        };
        let goes_on = all.last().is_some_and(|(_, c)| {
            c.more.is_empty() && loose(c.head) && matches!(c.head[0].low.as_str(), "with" | "wearing" | "give" | "add")
        });
        // `make the cat and the dog red`: what they become is still to come.
        let open = all.last().is_some_and(|(_, c)| match verb_of(desk, c.head) {
            Some((Verb::Make | Verb::Paint | Verb::Turn | Verb::Replace | Verb::Swap, n)) => {
                c.more.is_empty() && !places(desk, &c.head[n..], Reach::Thing).is_empty()
            }
            _ => false,
        });
        let begins = opens(desk, inner)
            && !(goes_on && comparative(inner).is_some())
            && !(open && verb_of(desk, inner).is_none());
        match all.last_mut() {
            Some((start, clause)) if !begins => {
                clause.more.push(trim(part));
                clause.all = &toks[*start..=index(trim(part).last())];
            }
            _ => {
                let inner = trim(inner);
                all.push((index(inner.first()), Clause { all: inner, head: inner, more: Vec::new() }));
            }
        }
    }
    all.into_iter().map(|(_, clause)| clause).collect()
}

/// Reads one clause with what goes on with it.
pub(super) fn read(desk: &mut Desk<'_>, clause: &Clause<'_>, wish: Wish) -> Result<(), Stop> {
    let head = clause.head;
    let more = clause.more.as_slice();
    // `instead` adds nothing to a verb.
    let trailing = head.len() > 1 && head.last().is_some_and(|t| t.low == "instead");
    let toks = if trailing { trim(&head[..head.len() - 1]) } else { head };
    desk.instead = trailing;
    if let Some((v, n)) = verb_of(desk, toks) {
        return by_verb(desk, v, toks, n, clause);
    }
    if let Some((at, n)) = modal(desk, toks) {
        return should(desk, toks, at, n, clause);
    }
    if weigh::clause(desk, toks)? {
        return go_on_weighing(desk, toks, more);
    }
    if matches!(lows(toks).as_slice(), ["without", "changing", ..]) {
        return Ok(());
    }
    match lows(toks).as_slice() {
        // `don't make it red`
        ["don't" | "never", "make", _, ..] => {
            let y = split_target(desk, &toks[2..]).1;
            return not_so(desk, y, more);
        }
        ["don't" | "never", _, ..] => return not_so(desk, &toks[1..], more),
        ["do", "not", _, ..] => return not_so(desk, &toks[2..], more),
        ["no" | "without" | "minus" | "sans" | "not", _, ..] => return remove::without(desk, &toks[1..], more),
        // `I'd love to see her with red hair`
        [who, "with" | "in" | "wearing", _, ..] if is_person_pronoun(who) => {
            target::someone(desk, &toks[..1])?;
            return place::tied(desk, clause.from(toks, 1));
        }
        // `into a dog`
        ["into" | "to", _, ..] => return complement(desk, &Target::Scene, &toks[1..], more),
        ["plus", _, ..] => return add::add(desk, clause.from(toks, 1), Lead::Comma),
        _ => {}
    }
    if trailing {
        return complement(desk, &Target::Scene, toks, more);
    }
    if Draft::of(desk.typed(toks)).tie_at(0) > 0 {
        return place::tied(desk, clause.from(toks, 0));
    }
    let definite = toks[0].low == "the" || is_owner(&toks[0].low);
    if said_after(desk, toks).is_some() || (definite && all_adjectives(split_target(desk, toks).1)) {
        return make(desk, toks, more);
    }
    match wish {
        Wish::Prefer => return complement(desk, &Target::Scene, toks, more),
        // `I want her hair red`
        Wish::Want if split_of_its_own(desk, toks).is_some() => return make(desk, toks, more),
        Wish::Want if kinds_of(core(toks)).iter().any(|k| matches!(*k, "time" | "season")) => {
            return complement(desk, &Target::Scene, toks, more);
        }
        Wish::Want => return add::add(desk, clause.from(toks, 0), Lead::Comma),
        Wish::None => {}
    }
    Err(not_understood(desk, toks))
}

pub(super) fn not_understood(desk: &Desk<'_>, toks: &[Tok]) -> Stop {
    desk.misread(
        toks,
        format!("`{}` is not understood as a change", desk.typed(toks)),
        "say it like: make her hair red; turn the river into a street; remove the hat; blond -> red",
    )
}

/// `more wavy and long`: the degree goes on; `longer hair and a beard`: a thing is added.
pub(super) fn go_on_weighing(desk: &mut Desk<'_>, toks: &[Tok], more: &[&[Tok]]) -> Result<(), Stop> {
    for part in more {
        if let Some((factor, n)) = degree(toks)
            && n < toks.len()
            && !places(desk, part, Reach::Idea).is_empty()
        {
            weigh::words(desk, part, factor, None)?;
            continue;
        }
        add::add(desk, part, Lead::Comma)?;
    }
    Ok(())
}

/// `her hair should be red`, `she should have a hat`, `it is too snowy`, `there should be a dog`.
pub(super) fn should(desk: &mut Desk<'_>, toks: &[Tok], at: usize, n: usize, clause: &Clause<'_>) -> Result<(), Stop> {
    let (x, modal_words) = (trim(&toks[..at]), lows(&toks[at..at + n]));
    let mut y = trim(&toks[at + n..]);
    let mut negative = matches!(modal_words[0], "shouldn't" | "mustn't" | "isn't" | "aren't" | "doesn't" | "lacks");
    let more = clause.more.as_slice();
    while let Some(first) = y.first() {
        match first.low.as_str() {
            "not" | "never" if degree(y).is_none() => negative = true,
            "be" | "been" | "now" | "also" | "really" | "rather" | "definitely" if y.len() > 1 => {}
            _ => break,
        }
        y = &y[1..];
    }
    let y = trim(y);
    if y.is_empty() {
        return Err(not_understood(desk, toks));
    }
    let has = matches!(modal_words[0], "has" | "had" | "wears" | "lacks" | "needs" | "need" | "wants" | "gets")
        && modal_words.len() == 1;
    let there = matches!(x, [one] if one.low == "there");
    let verb_first = matches!(y[0].low.as_str(), "have" | "wear" | "wearing" | "hold" | "having" | "need" | "want");
    // `not wavy enough`
    if let [most @ .., enough] = y
        && enough.low == "enough"
        && !most.is_empty()
    {
        return if negative { weigh::words(desk, most, 1.5, None) } else { Err(not_understood(desk, toks)) };
    }
    if negative && matches!(y[0].low.as_str(), "so" | "as" | "that" | "too" | "very") && y.len() > 1 {
        return weigh::words(desk, trim(&y[1..]), 0.5, None);
    }
    if negative {
        let y = if verb_first && y.len() > 1 { &y[1..] } else { y };
        return not_so(desk, y, more);
    }
    if there {
        if matches!(y[0].low.as_str(), "no") {
            return remove::without(desk, &y[1..], more);
        }
        if weigh::clause(desk, y)? {
            return Ok(());
        }
        let all = with_more(desk, y, more);
        return add::add(desk, &all, Lead::Comma);
    }
    if has && matches!(x, [one] if matches!(one.low.as_str(), "she" | "he" | "her" | "him")) {
        target::someone(desk, x)?;
    }
    if has {
        if matches!(y[0].low.as_str(), "no") {
            return remove::without(desk, &y[1..], more);
        }
        if weigh::clause(desk, y)? {
            return go_on_weighing(desk, y, more);
        }
        let all = with_more(desk, y, more);
        if modal_words[0] == "wears" {
            return place::wear(desk, &all);
        }
        return add::have(desk, &all, Lead::With);
    }
    if let Some(found) = super::group::group(desk, x) {
        return super::group::each(desk, found, |desk, place| complement(desk, &Target::Thing(place), y, more));
    }
    let target = match attribute(desk, x)? {
        Some(target) => Some(target),
        None => target::target(desk, x)?,
    };
    match target {
        Some(target) => complement(desk, &target, y, more),
        None if matches!(y, [one] if matches!(one.low.as_str(), "gone" | "removed" | "away")) => {
            remove::without(desk, x, more)
        }
        None => Err(desk.missing(core(x))),
    }
}

/// Reads a clause by its verb.
pub(super) fn by_verb(desk: &mut Desk<'_>, v: Verb, toks: &[Tok], n: usize, clause: &Clause<'_>) -> Result<(), Stop> {
    let rest = trim(&toks[n..]);
    let more = clause.more.as_slice();
    let all = trim(clause.from(toks, n));
    match v {
        Verb::Make | Verb::Paint => make(desk, rest, more),
        Verb::Let => {
            let (inner, _, _) = plain(rest);
            if let Some((at, k)) = modal(desk, inner) {
                return should(desk, inner, at, k, clause);
            }
            make(desk, rest, more)
        }
        Verb::Turn => turn(desk, rest, more),
        Verb::Replace => pairs(desk, rest, more, &["with", "by", "for", "to", "into"], "replace the cat with a dog"),
        Verb::Swap => swap(desk, rest, more),
        Verb::Add => add::add(desk, all, Lead::Comma),
        Verb::Wear => place::wear(desk, all),
        Verb::Give => give::several(desk, rest, all, more),
        Verb::Put => {
            let lead_in = toks.get(1).is_some_and(|t| t.low == "in") && n == 2;
            if lead_in {
                return add::add(desk, all, Lead::Comma);
            }
            place::put(desk, all, false)
        }
        Verb::Move => {
            if rest.last().is_some_and(|t| t.low == "back") {
                return add::bring_back(desk, &rest[..rest.len() - 1]);
            }
            place::put(desk, all, true)
        }
        Verb::Restore => add::bring_back(desk, all),
        Verb::Remove => {
            // `take the cat to the beach`
            if lows(toks)[0] == "take" && n == 1 && rest.iter().any(|t| matches!(t.low.as_str(), "to" | "into")) {
                return place::put(desk, all, true);
            }
            let sky = places(desk, rest, Reach::Thing);
            let sky = sky.first().is_some_and(|r| desk.draft.noun_kinds(r.end - 1).contains(&"sky"));
            if sky && lows(toks)[0] == "clear" {
                return become_more(desk, "clear", rest, more);
            }
            remove::without(desk, rest, more)
        }
        Verb::Shave => remove::shave(desk, rest, more),
        Verb::Cut => give::cut_hair(desk, rest, more),
        Verb::Become(adjective) => become_more(desk, adjective, rest, more),
        Verb::Raise | Verb::Lower => {
            for part in std::iter::once(&rest).chain(more) {
                let (part, much) = amount(part);
                let factor = match (v, much) {
                    (Verb::Raise, None) => 1.5,
                    (Verb::Raise, Some(false)) => 1.25,
                    (Verb::Raise, Some(true)) => 2.0,
                    (_, None) => 0.5,
                    (_, Some(false)) => 0.75,
                    (_, Some(true)) => 0.25,
                };
                weigh::words(desk, part, factor, None)?;
            }
            Ok(())
        }
    }
}

/// `darken the sky`, `shorten her hair a bit`: as a comparative does.
fn become_more(desk: &mut Desk<'_>, adjective: &str, toks: &[Tok], more: &[&[Tok]]) -> Result<(), Stop> {
    for part in std::iter::once(&toks).chain(more) {
        let (part, much) = amount(part);
        let factor = match much {
            None => 1.5,
            Some(false) => 1.25,
            Some(true) => 2.0,
        };
        let target = target::target(desk, part)?.ok_or_else(|| desk.missing(core(part)))?;
        weigh::more_of(desk, &target, adjective, factor, part)?;
    }
    Ok(())
}
