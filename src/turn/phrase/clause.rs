//! Cuts a line into clauses and reads each by its verb.

use super::super::desk::{Desk, Stop, Tok, lows};
use super::super::draft::Draft;
use super::super::find::Reach;
use super::super::lexicon::{is_determiner, is_owner, is_person_pronoun, is_preposition, is_scene_pronoun, lexicon};
use super::adjective::{self, all_adjectives, groups};
use super::noun::{self, Lead, trim};
use super::remove;
use super::target::{self, Target, core, places, resolves};
use super::verbs::{Verb, Wish, amount, comparative, degree, plain, verb};
use super::weigh;

/// The verb that tokens begin with.
fn verb_of(desk: &Desk<'_>, toks: &[Tok]) -> Option<(Verb, usize)> {
    verb(toks, &|tok| !places(desk, std::slice::from_ref(tok), Reach::Idea).is_empty())
}

/// True for tokens that only an instruction begins with, whatever the prompt is.
pub(super) fn commands(desk: &Desk<'_>, toks: &[Tok]) -> bool {
    match verb_of(desk, toks) {
        // `let there be light`, `use of colour`, `have a nice day` may be prompts.
        Some((Verb::Let | Verb::Use | Verb::Have | Verb::Keep | Verb::Wear, _)) => false,
        Some(_) => true,
        None => degree(toks).is_some_and(|(_, n)| n < toks.len() && toks.len() < 6) && toks[0].low != "too",
    }
}

const MODALS: &[&[&str]] = &[
    &["should"], &["shall"], &["must"], &["needs", "to"], &["need", "to"], &["has", "to"], &["have", "to"], &["ought", "to"], &["could"],
    &["can"], &["might"], &["may"], &["would"], &["shouldn't"], &["mustn't"], &["to"], &["is"], &["are"], &["has"], &["wears"],
    &["looks"], &["isn't"], &["aren't"], &["'s"], &["is", "going", "to"], &["is", "to"], &["had"], &["have"], &["were"], &["was"],
    &["needs"], &["need"], &["wants", "to"], &["wants"], &["'d"], &["gets"], &["be"], &["doesn't"], &["does"], &["lacks"],
];

/// Where a subject ends and `should`, `is`, `has` begins; and how many words that is.
fn modal(desk: &Desk<'_>, toks: &[Tok]) -> Option<(usize, usize)> {
    let words = lows(toks);
    for at in 1..words.len().min(9) {
        let Some(m) = MODALS.iter().filter(|m| words[at..].starts_with(m)).max_by_key(|m| m.len()) else { continue };
        let subject = &toks[..at];
        let weak = !matches!(m[0], "should" | "shall" | "must" | "needs" | "ought" | "shouldn't" | "mustn't" | "might" | "could");
        let pronoun = matches!(subject, [one] if is_person_pronoun(&one.low) || is_scene_pronoun(&one.low) || matches!(one.low.as_str(), "there" | "i"));
        let definite = subject.first().is_some_and(|t| t.low == "the" || is_owner(&t.low) || matches!(t.low.as_str(), "this" | "these"));
        if matches!(subject, [one] if one.low == "i") {
            return None;
        }
        if m[0] == "'s" && !(pronoun && matches!(words[0], "it" | "she" | "he" | "there")) {
            continue;
        }
        if m[0] == "to" && !(pronoun || definite) {
            return None;
        }
        let fits = pronoun || (definite && (!weak || resolves(desk, subject))) || (!weak && (resolves(desk, subject) || at <= 4));
        if fits && at + m.len() < toks.len() {
            return Some((at, m.len()));
        }
        if fits {
            return None;
        }
    }
    None
}

/// True if tokens begin an instruction in this prompt.
pub(super) fn opens(desk: &Desk<'_>, toks: &[Tok]) -> bool {
    let Some(first) = toks.first() else { return false };
    let words = lows(toks);
    if commands(desk, toks) || verb_of(desk, toks).is_some() || degree(toks).is_some() {
        return true;
    }
    if inverted(desk, toks).is_some() || said_as_pair(desk, toks).is_some() {
        return true;
    }
    if matches!(first.low.as_str(), "with" | "without") {
        return true;
    }
    if matches!(first.low.as_str(), "no" | "not" | "without" | "minus" | "sans" | "less" | "plus" | "instead") && toks.len() > 1 {
        return true;
    }
    if Draft::of(desk.typed(toks)).tie_at(0) > 0 && !matches!(first.low.as_str(), "for" | "of" | "to" | "who" | "that") {
        return toks.len() > 1;
    }
    // `longer hair`, `a bit redder`; but `a darker river between mountains` may be a prompt.
    if let Some((_, _, n)) = comparative(toks) {
        let rest = &toks[n..];
        if rest.is_empty() || rest[0].is_mark() || matches!(rest[0].low.as_str(), "and" | "but") || resolves(desk, rest) || rest.len() <= 2 {
            return true;
        }
        if cut_at(rest).is_some_and(|i| i == 0 || resolves(desk, &rest[..i])) {
            return true;
        }
    }
    if said_after(desk, toks).is_some() {
        return true;
    }
    // `a bigger balloon`
    if matches!(words[0], "a" | "an" | "the") && toks.len() <= 6 {
        if let Some((_, _, n)) = comparative(&toks[1..]) {
            if resolves(desk, &toks[1 + n..]) {
                return true;
            }
        }
    }
    if (words[0] == "not" && words.contains(&"but")) || words.windows(2).any(|w| w == [",", "not"]) {
        return true;
    }
    if words.windows(2).any(|w| w == ["instead", "of"] || w == ["rather", "than"]) || words.last() == Some(&"instead") {
        return true;
    }
    modal(desk, toks).is_some()
}

/// `hair longer`: where the comparative begins after a thing.
fn said_after(desk: &Desk<'_>, toks: &[Tok]) -> Option<usize> {
    (1..toks.len().min(6)).find(|&i| {
        comparative(&toks[i..]).is_some_and(|(_, _, n)| i + n == toks.len()) && resolves(desk, &toks[..i])
    })
}

/// `could her hair be red`: where the subject ends.
fn inverted(desk: &Desk<'_>, toks: &[Tok]) -> Option<usize> {
    if !matches!(toks.first()?.low.as_str(), "can" | "could" | "should" | "would" | "may" | "might") {
        return None;
    }
    let at = toks.iter().position(|t| {
        matches!(t.low.as_str(), "be" | "have" | "wear" | "look" | "become" | "get") || lexicon().adjective_form(&t.low).is_some_and(|f| f != t.low)
    })?;
    (at > 1 && at < toks.len() && resolves(desk, &toks[1..at])).then_some(at)
}

/// `blond to red`, `cat into dog`, `from day to night`: two of one kind and the word between them.
fn said_as_pair(desk: &Desk<'_>, toks: &[Tok]) -> Option<(usize, usize)> {
    let from = usize::from(toks.first()?.low == "from");
    let at = toks.iter().position(|t| matches!(t.low.as_str(), "to" | "into")).filter(|&i| i > from && i + 1 < toks.len())?;
    let (x, y) = (&toks[from..at], &toks[at + 1..]);
    if toks.len() > 9 || matches!(x[0].low.as_str(), "a" | "an") || places(desk, x, Reach::Thing).is_empty() {
        return None;
    }
    let kinds = |t: &[Tok]| {
        let last = noun::noun_of(core(t)).map(|t| t.low.clone()).unwrap_or_default();
        let mut all = lexicon().adjective(&last).to_vec();
        all.extend_from_slice(lexicon().noun(&last));
        all
    };
    let (old, new) = (kinds(x), kinds(y));
    let alike = old.iter().any(|k| new.contains(k) && *k != "other");
    (from == 1 || toks[at].low == "into" || alike).then_some((from, at))
}

fn cut_at(toks: &[Tok]) -> Option<usize> {
    toks.iter().position(|t| matches!(t.low.as_str(), "and" | "but" | "then" | "," | ";" | "."))
}

/// One clause: its first part, and the parts that go on with its verb (`remove the hat` and `the beard`).
pub(super) struct Clause<'t> {
    /// From the first part's first word to the last part's last.
    all: &'t [Tok],
    /// The first part.
    head: &'t [Tok],
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
        let begins = opens(desk, inner);
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

/// `a dog instead of the cat`, `instead of the cat, a dog`, `a dog rather than a cat`, `not a cat but a dog`.
pub(super) fn instead(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<bool, Stop> {
    let words = lows(toks);
    // `not a cat but a dog`; `a dog, not a cat`
    if let Some(but) = words.iter().position(|w| *w == "but").filter(|&i| words[0] == "not" && i > 1 && i + 1 < words.len()) {
        let (x, y) = (trim(&toks[1..but]), trim(&toks[but + 1..]));
        if degree(toks).is_none() && !x.is_empty() && !opens(desk, y) {
            put_for(desk, x, y)?;
            return Ok(true);
        }
    }
    if let Some(not) = words.windows(2).position(|w| w == [",", "not"]).filter(|&i| i > 0 && i + 2 < words.len()) {
        let (y, x) = (trim(&toks[..not]), trim(&toks[not + 2..]));
        if !opens(desk, y) && degree(&toks[not + 1..]).is_none() && !places(desk, x, Reach::Idea).is_empty() && cut_at(y).is_none() {
            put_for(desk, x, y)?;
            return Ok(true);
        }
    }
    let found = words.windows(2).position(|w| w == ["instead", "of"] || w == ["rather", "than"]);
    let Some(at) = found else { return Ok(false) };
    let (mut left, right) = (trim(&toks[..at]), trim(&toks[at + 2..]));
    let mut right = right;
    if left.is_empty() {
        // Instead of X, Y.
        let cut = right.iter().position(|t| matches!(t.low.as_str(), "," | ";"));
        let cut = cut.or_else(|| {
            // `instead of the cat a dog`: the second article begins Y.
            right.iter().enumerate().skip(1).find(|(_, t)| is_determiner(&t.low) || verb_of(desk, std::slice::from_ref(t)).is_some()).map(|(i, _)| i)
        });
        let Some(cut) = cut else {
            return Err(desk.misread(toks, "that says what goes, but not what comes", "a dog instead of the cat"));
        };
        left = trim(&right[cut..]);
        right = trim(&right[..cut]);
    }
    if left.is_empty() || right.is_empty() {
        return Err(desk.misread(toks, "that says only half of it", "a dog instead of the cat"));
    }
    let (inner, _, _) = plain(left);
    left = inner;
    if let Some((v, n)) = verb_of(desk, left) {
        left = match v {
            // `make the hair red instead of blond` says it all by itself.
            Verb::Make | Verb::Turn | Verb::Replace | Verb::Paint | Verb::Swap => {
                let rest = &left[n..];
                let (found, y) = split_target(desk, rest);
                if found > 0 { y } else { rest }
            }
            Verb::Give => match &left[n..] {
                [one, y @ ..] if is_person_pronoun(&one.low) && !y.is_empty() => y,
                rest => rest,
            },
            _ => &left[n..],
        };
    }
    if let Some((at, n)) = modal(desk, left) {
        left = &left[at + n..];
        while left.len() > 1 && matches!(left[0].low.as_str(), "be" | "have" | "wear") {
            left = &left[1..];
        }
    }
    while left.len() > 1 && matches!(left[0].low.as_str(), "to" | "into" | "with" | "be") && !is_preposition(&right[0].low) {
        left = &left[1..];
    }
    if is_preposition(&left[0].low) && is_preposition(&right[0].low) {
        let range = phrase_of(desk, right)?;
        let text = desk.written(left);
        desk.swap(range, &text);
        return Ok(true);
    }
    put_for(desk, right, left)?;
    Ok(true)
}

/// The prompt's place of a phrase that was typed with its preposition.
fn phrase_of(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<std::ops::Range<usize>, Stop> {
    let list: Vec<String> = toks.iter().map(|t| t.low.clone()).collect();
    let exact = desk.draft.occurrences(&list, Reach::Exact, false);
    if !exact.is_empty() {
        return desk.choose_place("which one?", &exact);
    }
    let tie = Draft::of(desk.typed(toks)).tie_at(0);
    let place = target::thing(desk, &toks[tie.min(toks.len() - 1)..], Reach::Thing)?;
    let start = desk.draft.phrase_start(place.end - 1).min(place.start);
    Ok(desk.draft.tie_start(start)..place.end)
}

/// Y in the place of X.
fn put_for(desk: &mut Desk<'_>, x: &[Tok], y: &[Tok]) -> Result<(), Stop> {
    let (x, y) = (trim(x), trim(y));
    if x.is_empty() || y.is_empty() {
        return Err(desk.misread(if x.is_empty() { y } else { x }, "that says only half of it", "replace the cat with a dog"));
    }
    if is_preposition(&x[0].low) && x.len() > 1 {
        let range = phrase_of(desk, x)?;
        let text = if is_preposition(&y[0].low) { desk.written(y) } else { noun::located(desk, y) };
        desk.swap(range, &text);
        return Ok(());
    }
    if matches!(x, [one] if is_scene_pronoun(&one.low) || is_person_pronoun(&one.low)) {
        let Some(target) = target::target(desk, x)? else { return Err(desk.missing(x)) };
        return complement(desk, &target, y, &[]);
    }
    if let Some(attribute) = attribute(desk, x)? {
        return complement(desk, &attribute, y, &[]);
    }
    if usual_time(desk, x, y) {
        return noun::when(desk, y);
    }
    if places(desk, x, Reach::Idea).is_empty() {
        // The hair, the sky, the background of every picture.
        if let Some(target @ (Target::Scene | Target::Unnamed(_))) = target::target(desk, x)? {
            return complement(desk, &target, y, &[]);
        }
    }
    let place = target::thing(desk, x, Reach::Idea)?;
    let last = place.end - 1;
    let adjectives_only = all_adjectives(y) && noun::kinds_of(y).is_empty();
    if !desk.draft.is_head(last) || (adjectives_only && lexicon().is_adjective(desk.draft.low(last))) {
        // A word for a word: blond to red.
        let core = core(y);
        let text = match core {
            [one] if lexicon().is_adjective(desk.draft.low(last)) && !lexicon().is_adjective(&one.low) => {
                lexicon().adjective_form(&one.low).map_or_else(|| desk.written(core), str::to_owned)
            }
            _ => desk.written(core),
        };
        desk.swap(place, &text);
        return Ok(());
    }
    if let Some((_, _, _)) = comparative(y) {
        weigh::of_target(desk, &Target::Thing(place), y)?;
        return Ok(());
    }
    if adjectives_only {
        let all = groups(desk, y);
        adjective::apply(desk, &Target::Thing(place), &all)?;
        return Ok(());
    }
    let (old, new) = (desk.draft.noun_kinds(last), noun::kinds_of(core(y)));
    if is_preposition(&y[0].low) {
        let text = desk.written(y);
        if new.iter().any(|k| old.contains(k)) {
            let start = desk.draft.phrase_start(last).min(place.start);
            let range = desk.draft.tie_start(start)..place.end;
            desk.swap(range, &text);
            return Ok(());
        }
        return noun::settle(desk, &text);
    }
    let time = |kinds: &[&str]| kinds.contains(&"time");
    if time(old) && time(new) {
        return noun::when(desk, y);
    }
    if is_backdrop(desk, &place, new) {
        behind(desk, place, y);
        return Ok(());
    }
    let (y, around) = noun::thing_and_circumstances(desk, y);
    noun::swap_thing(desk, place, y)?;
    around_it(desk, around)
}

/// Times and places said with a thing.
fn around_it(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<(), Stop> {
    if toks.is_empty() { Ok(()) } else { noun::tied(desk, toks) }
}

/// A time or season that pictures have when nothing else is said: `turn day into night`.
fn usual_time(desk: &Desk<'_>, x: &[Tok], y: &[Tok]) -> bool {
    let [one] = core(x) else { return false };
    let kinds = noun::kinds_of(core(y));
    matches!(one.low.as_str(), "day" | "daytime" | "daylight" | "summer" | "noon")
        && places(desk, x, Reach::Idea).is_empty()
        && lexicon().noun(&one.low).iter().any(|k| kinds.contains(k) && matches!(*k, "time" | "season"))
}

/// `her hair colour`, `the colour of her hair`, `the season`: what an attribute is one of.
fn attribute(desk: &mut Desk<'_>, x: &[Tok]) -> Result<Option<Target>, Stop> {
    let all = core(x);
    let of = all.iter().position(|t| t.low == "of");
    let (named, owner) = match of {
        Some(i) => (&all[..i], Some(&all[i + 1..])),
        None => (all, None),
    };
    let Some(last) = named.last() else { return Ok(None) };
    let low = last.low.as_str();
    if !lexicon().noun(low).contains(&"attribute") || !desk.draft.occurrences(&[low.to_owned()], Reach::Exact, false).is_empty() {
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
        ("background" | "setting" | "location" | "place" | "surroundings", _) => Some(Target::Unnamed("background".into())),
        ("time" | "season" | "weather" | "colour" | "color" | "mood" | "temperature", _) => Some(Target::Scene),
        _ => None,
    })
}

/// True for `the colour of her hair`, `her hair colour`: asks nothing.
fn is_attribute(desk: &Desk<'_>, x: &[Tok]) -> bool {
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
fn split_target<'t>(desk: &Desk<'_>, toks: &'t [Tok]) -> (usize, &'t [Tok]) {
    for n in (1..toks.len()).rev() {
        let x = &toks[..n];
        // `her a blonde` is not one thing; a pronoun that owns what follows is not the thing: her hair.
        if x.iter().skip(1).any(|t| matches!(t.low.as_str(), "a" | "an")) {
            continue;
        }
        if (resolves(desk, x) || is_attribute(desk, x)) && !trim(&toks[n..]).is_empty() && !x.last().is_some_and(|t| is_determiner(&t.low) && n > 1) {
            return (n, trim(&toks[n..]));
        }
    }
    (0, toks)
}

/// True if tokens begin by pointing at a thing of the prompt: `her hair`, `the river`.
pub(super) fn names_a_thing(desk: &Desk<'_>, toks: &[Tok]) -> bool {
    (2..=toks.len().min(4)).any(|n| !places(desk, &toks[..n], Reach::Thing).is_empty())
}

/// Reads one clause with what goes on with it.
pub(super) fn read(desk: &mut Desk<'_>, clause: &Clause<'_>, wish: Wish) -> Result<(), Stop> {
    let head = clause.head;
    let more = clause.more.as_slice();
    // `instead` adds nothing to a verb.
    let trailing = head.len() > 1 && head.last().is_some_and(|t| t.low == "instead");
    let toks = if trailing { trim(&head[..head.len() - 1]) } else { head };
    if let Some((v, n)) = verb_of(desk, toks) {
        if !(v == Verb::Have && modal(desk, toks).is_some()) {
            return by_verb(desk, v, toks, n, clause);
        }
    }
    if let Some(at) = inverted(desk, toks) {
        let Some(target) = target::target(desk, &toks[1..at])? else { return Err(desk.missing(&toks[1..at])) };
        return complement(desk, &target, &toks[at..], more);
    }
    if let Some((from, at)) = said_as_pair(desk, toks) {
        return pair(desk, &toks[from..at], &toks[at + 1..], more, &["to", "into"]);
    }
    if let Some((at, n)) = modal(desk, toks) {
        return should(desk, toks, at, n, clause);
    }
    if weigh::clause(desk, toks)? {
        return go_on_weighing(desk, toks, more);
    }
    match lows(toks).as_slice() {
        ["no" | "without" | "minus" | "sans" | "not", _, ..] => return remove::without(desk, &toks[1..], more),
        ["plus", _, ..] => return noun::add(desk, clause.from(toks, 1), Lead::Comma),
        _ => {}
    }
    if trailing {
        return complement(desk, &Target::Scene, toks, more);
    }
    if Draft::of(desk.typed(toks)).tie_at(0) > 0 {
        return noun::tied(desk, clause.from(toks, 0));
    }
    if said_after(desk, toks).is_some() {
        return make(desk, toks, more);
    }
    match wish {
        Wish::Prefer => return complement(desk, &Target::Scene, toks, more),
        // `I want her hair red`
        Wish::Want if split_of_its_own(desk, toks).is_some() => return make(desk, toks, more),
        Wish::Want => return noun::add(desk, clause.from(toks, 0), Lead::Comma),
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
fn go_on_weighing(desk: &mut Desk<'_>, toks: &[Tok], more: &[&[Tok]]) -> Result<(), Stop> {
    for part in more {
        if let Some((factor, n)) = degree(toks) {
            if n < toks.len() && !places(desk, part, Reach::Idea).is_empty() {
                weigh::words(desk, part, factor, None)?;
                continue;
            }
        }
        noun::add(desk, part, Lead::Comma)?;
    }
    Ok(())
}

/// X and what X becomes, for each part: `make the hair red and the shirt blue`, `make it long and red`.
fn make(desk: &mut Desk<'_>, toks: &[Tok], more: &[&[Tok]]) -> Result<(), Stop> {
    if toks.is_empty() {
        return Err(desk.misread(toks, "that does not say what becomes what", "make her hair red"));
    }
    // `his hair and beard white`: several things become one.
    if toks.len() > 1 && !more.is_empty() && !places(desk, toks, Reach::Thing).is_empty() {
        if let Some(at) = more.iter().position(|p| split_target(desk, p).0 > 0) {
            let (n, y) = split_target(desk, more[at]);
            let things: Vec<&[Tok]> =
                std::iter::once(toks).chain(more[..at].iter().copied()).chain(std::iter::once(&more[at][..n])).collect();
            for x in things {
                let Some(target) = target::target(desk, x)? else { return Err(desk.missing(core(x))) };
                complement(desk, &target, y, &[])?;
            }
            return finish_complement(desk, &Target::Scene, &more[at + 1..]);
        }
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
        if x.len() == 1 && x[0].low == "her" && y.len() > 1 && !known_word(&y[0]) && lexicon().is_adjective(&y[y.len() - 1].low) {
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
            let rest: Vec<&[Tok]> = others[i + 1..].iter().take_while(|p| split_of_its_own(desk, p).is_none()).copied().collect();
            make(desk, part, &rest)?;
        }
    }
    Ok(())
}

/// True for words of which something is known: they may begin what someone becomes.
fn known_word(tok: &Tok) -> bool {
    let low = tok.low.as_str();
    super::super::lexicon::is_function_word(low)
        || lexicon().is_adjective(low)
        || lexicon().adjective_form(low).is_some()
        || lexicon().comparative(low).is_some()
        || matches!(low, "stop" | "never" | "not" | "more" | "less" | "much" | "slightly" | "somewhat" | "way" | "far" | "even" | "too" | "look" | "wear" | "appear"
            | "seem" | "really" | "quite" | "extremely" | "super" | "become" | "feel" | "so" | "turn" | "have" | "get" | "lots")
}

/// A part that names its own thing: `her shirt blue`.
fn split_of_its_own(desk: &Desk<'_>, toks: &[Tok]) -> Option<usize> {
    let first = toks.first()?;
    let definite = first.low == "the" || is_owner(&first.low) || is_scene_pronoun(&first.low) || is_person_pronoun(&first.low);
    let (n, y) = split_target(desk, toks);
    (n > 0 && definite && !y.is_empty()).then_some(n)
}

/// What was meant by a thing that the prompt lacks: the first word that it lacks and that is no adjective.
fn unresolved(desk: &Desk<'_>, toks: &[Tok]) -> Stop {
    let all = core(toks);
    let lacking = all.iter().find(|t| {
        !t.is_mark()
            && !is_determiner(&t.low)
            && !is_preposition(&t.low)
            && !is_person_pronoun(&t.low)
            && !lexicon().is_adjective(&t.low)
            && desk.draft.occurrences(&[t.low.clone()], Reach::Idea, false).is_empty()
    });
    match lacking {
        Some(tok) => desk.missing(std::slice::from_ref(tok)),
        None => not_understood(desk, toks),
    }
}

/// What a thing becomes: an adjective, another thing, a time, a degree, a place.
pub(super) fn complement(desk: &mut Desk<'_>, target: &Target, toks: &[Tok], more: &[&[Tok]]) -> Result<(), Stop> {
    let mut y = trim(toks);
    while y.len() > 1 && y.last().is_some_and(|t| matches!(t.low.as_str(), "instead" | "again" | "colour" | "color" | "coloured" | "colored")) {
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
            ["be" | "look" | "appear" | "seem" | "become" | "turn" | "get" | "go" | "feel" | "being" | "looking" | "into" | "as" | "to" | "stay"
                | "all" | "just", _, ..] => 1,
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
        ["not" | "less", "so" | "as" | "that" | "too" | "very", _, ..] | ["less" | "more" | "too" | "much" | "way" | "slightly" | "somewhat", ..] => {}
        ["not" | "never", "be" | "have" | "wear" | "look" | "smile", _, ..] if words.len() > 2 => return not_so(desk, &y[2..], more),
        ["not" | "never", _, ..] if degree(y).is_none() => return not_so(desk, &y[1..], more),
        ["without" | "no", _, ..] => return remove::without(desk, &y[1..], more),
        ["gone" | "removed" | "deleted" | "off" | "away" | "invisible"] => {
            if let Target::Thing(range) = target {
                return desk.remove(range.clone(), y);
            }
        }
        ["replaced" | "swapped" | "exchanged", "with" | "by" | "for", _, ..] => return complement(desk, target, &y[2..], more),
        ["changed" | "turned", "into" | "to", _, ..] => return complement(desk, target, &y[2..], more),
        ["wear" | "wearing", _, ..] => {
            let all = with_more(desk, &y[1..], more);
            return noun::wear(desk, &all);
        }
        ["have" | "having" | "with" | "hold" | "get" | "grow", _, ..] => {
            let all = with_more(desk, &y[1..], more);
            return noun::have(desk, &all, Lead::With);
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
        return noun::tied(desk, &all);
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
    let kinds = noun::kinds_of(core(y));
    let person = matches!(target, Target::Person) || is_person_thing(desk, target);
    // `make it snow`, `make her smile`
    if let Some(form) = single_mood.filter(|f| !first_article && lexicon().adjective(f).iter().any(|k| matches!(*k, "mood" | "weather"))) {
        let adjective = adjective::Adjective { text: form.to_owned(), low: form.to_owned(), toks: y.to_vec() };
        adjective::apply(desk, target, &[adjective])?;
        return finish_complement(desk, target, more);
    }
    if !first_article && all_adjectives(y) && (noun_is_colour(y) || kinds.is_empty() || lexicon().is_adjective(&y[y.len() - 1].low) && !thing_like(desk, target, kinds)) {
        // `red and white` is said in one breath.
        let own = more.iter().take_while(|p| all_adjectives(p) && comparative(p).is_none()).count();
        let words = with_more(desk, y, &more[..own]);
        let all = groups(desk, &words);
        adjective::apply(desk, target, &all)?;
        return finish_complement(desk, target, &more[own..]);
    }
    if kinds.iter().any(|k| matches!(*k, "time" | "season")) && matches!(target, Target::Scene | Target::Unnamed(_)) {
        noun::when(desk, y)?;
        return finish_complement(desk, target, more);
    }
    // `a smile`, `a sad look`
    if person && kinds.is_empty() && noun::noun_of(core(y)).is_some_and(|t| matches!(t.low.as_str(), "smile" | "look" | "grin" | "frown")) {
        return noun::have(desk, y, Lead::With);
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
            if kinds.iter().any(|k| *k == "time") && desk.draft.noun_kinds(place.end - 1).contains(&"time") {
                return noun::when(desk, y);
            }
            let (thing, around) = noun::thing_and_circumstances(desk, &all);
            noun::swap_thing(desk, place, thing)?;
            around_it(desk, around)
        }
        Target::Unnamed(word) if matches!(word.as_str(), "background" | "place" | "location" | "setting") => {
            let text = noun::located(desk, &all);
            noun::settle(desk, &text)
        }
        _ => {
            let (thing, around) = noun::thing_and_circumstances(desk, &all);
            noun::become_thing(desk, target, thing)?;
            around_it(desk, around)
        }
    }
}

/// True if another place is to be behind what is shown.
fn is_backdrop(desk: &Desk<'_>, range: &std::ops::Range<usize>, kinds: &[&str]) -> bool {
    desk.draft.low(range.end - 1) == "background" && kinds.iter().any(|k| matches!(*k, "place" | "middle"))
}

/// Puts a place, with its own preposition, where the background is spoken of.
fn behind(desk: &mut Desk<'_>, range: std::ops::Range<usize>, toks: &[Tok]) {
    let start = desk.draft.phrase_start(range.end - 1);
    let text = noun::located(desk, toks);
    let tie = desk.draft.tie_start(start);
    desk.swap(tie..range.end, &text);
}

/// The parts after an adjective: more adjectives of the same thing, or things.
fn finish_complement(desk: &mut Desk<'_>, target: &Target, more: &[&[Tok]]) -> Result<(), Stop> {
    for part in more {
        let part = trim(part);
        // The thing may have moved.
        let again = match target {
            Target::Thing(_) => target::last(desk).map_or_else(|| target.clone(), Target::Thing),
            other => other.clone(),
        };
        if all_adjectives(part) || comparative(part).is_some() || degree(part).is_some() || part.len() == 1 {
            complement(desk, &again, part, &[])?;
        } else {
            noun::add(desk, part, Lead::With)?;
        }
    }
    Ok(())
}

fn is_person_thing(desk: &Desk<'_>, target: &Target) -> bool {
    matches!(target, Target::Thing(r) if desk.draft.noun_kinds(r.end - 1).contains(&"person"))
}

/// `orange`, `rose`, `gold` said of something are colours.
fn noun_is_colour(toks: &[Tok]) -> bool {
    toks.last().is_some_and(|t| lexicon().adjective(&t.low).iter().any(|k| matches!(*k, "colour" | "material" | "tone")))
}

/// True if the thing is of the kind that a bare noun names, so that the noun is meant: mountains, hills.
fn thing_like(desk: &Desk<'_>, target: &Target, kinds: &[&str]) -> bool {
    matches!(target, Target::Thing(r) if desk.draft.noun_kinds(r.end - 1).iter().any(|k| kinds.contains(k)))
}

fn not_so(desk: &mut Desk<'_>, toks: &[Tok], more: &[&[Tok]]) -> Result<(), Stop> {
    let toks = trim(toks);
    if all_adjectives(toks) {
        remove::adjective(desk, toks)?;
        for part in more {
            remove::adjective(desk, part)?;
        }
        return Ok(());
    }
    remove::without(desk, toks, more)
}

/// A part and those that go on with it, as tokens of one list.
fn with_more(desk: &Desk<'_>, toks: &[Tok], more: &[&[Tok]]) -> Vec<Tok> {
    let Some(last) = more.last().and_then(|m| m.last()) else { return toks.to_vec() };
    let Some(first) = toks.first() else { return Vec::new() };
    super::super::desk::tokens(desk.line.get(first.from..last.to).unwrap_or_default(), first.from)
}

/// `her hair should be red`, `she should have a hat`, `it is too snowy`, `there should be a dog`.
fn should(desk: &mut Desk<'_>, toks: &[Tok], at: usize, n: usize, clause: &Clause<'_>) -> Result<(), Stop> {
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
    let has = matches!(modal_words[0], "has" | "had" | "wears" | "lacks" | "needs" | "need" | "wants" | "gets") && modal_words.len() == 1;
    let there = matches!(x, [one] if one.low == "there");
    let verb_first = matches!(y[0].low.as_str(), "have" | "wear" | "wearing" | "hold" | "having");
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
        return noun::add(desk, &all, Lead::Comma);
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
            return noun::wear(desk, &all);
        }
        return noun::have(desk, &all, Lead::With);
    }
    let target = match attribute(desk, x)? {
        Some(target) => Some(target),
        None => target::target(desk, x)?,
    };
    match target {
        Some(target) => complement(desk, &target, y, more),
        None => Err(desk.missing(core(x))),
    }
}

/// Reads a clause by its verb.
fn by_verb(desk: &mut Desk<'_>, v: Verb, toks: &[Tok], n: usize, clause: &Clause<'_>) -> Result<(), Stop> {
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
        Verb::Substitute => {
            // Substitute Y for X; but `substitute X with Y` is said as well.
            if let Some(i) = rest.iter().position(|t| t.low == "for").filter(|&i| i > 0 && i + 1 < rest.len()) {
                return put_for(desk, &rest[i + 1..], &rest[..i]);
            }
            pairs(desk, rest, more, &["with", "by"], "substitute a dog for the cat")
        }
        Verb::Swap => swap(desk, rest, more),
        Verb::Add => noun::add(desk, all, Lead::Comma),
        Verb::Have | Verb::Use => {
            let lead = if v == Verb::Have { Lead::With } else { Lead::Comma };
            if v == Verb::Use {
                return complement(desk, &Target::Scene, all, &[]);
            }
            noun::add(desk, all, lead)
        }
        Verb::Wear => noun::wear(desk, all),
        Verb::Give => give(desk, rest, all, more),
        Verb::Put => {
            let lead_in = toks.get(1).is_some_and(|t| t.low == "in") && n == 2;
            if lead_in {
                return noun::add(desk, all, Lead::Comma);
            }
            noun::put(desk, all, false)
        }
        Verb::Move => {
            if rest.last().is_some_and(|t| t.low == "back") {
                return noun::bring_back(desk, &rest[..rest.len() - 1]);
            }
            noun::put(desk, all, true)
        }
        Verb::Restore => noun::bring_back(desk, all),
        Verb::Remove => {
            // `take the cat to the beach`
            if lows(toks)[0] == "take" && n == 1 && rest.iter().any(|t| matches!(t.low.as_str(), "to" | "into")) {
                return noun::put(desk, all, true);
            }
            remove::without(desk, rest, more)
        }
        Verb::Shave => remove::shave(desk, rest, more),
        Verb::Cut => cut_hair(desk, rest, more),
        Verb::Keep => Ok(()),
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

/// `turn the river into a street`, `change her hair from blond to red`, `turn it snowy`.
fn turn(desk: &mut Desk<'_>, toks: &[Tok], more: &[&[Tok]]) -> Result<(), Stop> {
    if toks.is_empty() {
        return Err(desk.misread(toks, "that does not say what turns into what", "turn the river into a street"));
    }
    let link = link(desk, toks, &["into", "to", "for", "with"]);
    let Some(at) = link else {
        if split_target(desk, toks).0 > 0 {
            return make(desk, toks, more);
        }
        if resolves(desk, toks) || attribute(desk, toks)?.is_some() {
            return Err(desk.misread(toks, format!("`{}` becomes what?", desk.typed(toks)), "change the cat to a dog"));
        }
        return Err(unresolved(desk, toks));
    };
    pair(desk, &toks[..at], &toks[at + 1..], more, &["into", "to", "for", "with"])
}

/// The connecting word that comes after a thing of the prompt; the first one if none does.
fn link(desk: &Desk<'_>, toks: &[Tok], links: &[&str]) -> Option<usize> {
    let at = |i: &usize| *i > 0 && *i + 1 < toks.len() && links.contains(&toks[*i].low.as_str());
    let all: Vec<usize> = (0..toks.len()).filter(at).collect();
    all.iter()
        .copied()
        .filter(|&i| resolves(desk, &toks[..i]) || !places(desk, &toks[..i], Reach::Idea).is_empty())
        .max_by_key(|&i| usize::from(toks[i].low == "into") * 1000 + 500 - i)
        .or_else(|| all.iter().copied().find(|&i| toks[i].low == "into"))
        .or_else(|| all.first().copied())
}

/// X becomes Y, then the parts that go on: another pair, or more of Y.
fn pair(desk: &mut Desk<'_>, x: &[Tok], y: &[Tok], more: &[&[Tok]], links: &[&str]) -> Result<(), Stop> {
    let own = more.iter().take_while(|p| pair_of_its_own(desk, p, links).is_none()).count();
    let (mine, others) = more.split_at(own);
    let y_all = with_more(desk, y, mine);
    // `her hair from blond`: the place is named twice.
    let from = x.iter().position(|t| t.low == "from");
    match from {
        Some(f) if f + 1 < x.len() => {
            let (thing, old) = (trim(&x[..f]), trim(&x[f + 1..]));
            if thing.is_empty() || places(desk, old, Reach::Idea).is_empty() || attribute(desk, thing)?.is_some() || !resolves(desk, thing) {
                put_for(desk, old, &y_all)?;
            } else {
                let head = match target::target(desk, thing)? {
                    Some(Target::Thing(r)) => Some(r.end - 1),
                    _ => None,
                };
                let word = core(old).last().map(|t| t.low.clone()).unwrap_or_default();
                let inside = head.and_then(|h| {
                    desk.draft.adjectives(h).into_iter().find(|&i| lexicon().related(desk.draft.low(i), &word))
                });
                match inside {
                    Some(i) => {
                        let text = desk.written(core(&y_all));
                        desk.swap(i..i + 1, &text);
                    }
                    None => put_for(desk, old, &y_all)?,
                }
            }
        }
        _ => put_for(desk, x, &y_all)?,
    }
    for (i, part) in others.iter().enumerate() {
        if let Some(at) = pair_of_its_own(desk, part, links) {
            let rest: Vec<&[Tok]> =
                others[i + 1..].iter().take_while(|p| pair_of_its_own(desk, p, links).is_none()).copied().collect();
            pair(desk, &part[..at], &part[at + 1..], &rest, links)?;
        }
    }
    Ok(())
}

fn pair_of_its_own(desk: &Desk<'_>, toks: &[Tok], links: &[&str]) -> Option<usize> {
    let at = (1..toks.len().saturating_sub(1)).find(|&i| links.contains(&toks[i].low.as_str()))?;
    (resolves(desk, &toks[..at]) || !places(desk, &toks[..at], Reach::Idea).is_empty()).then_some(at)
}

/// `replace the cat with a dog and the beach with a forest`.
fn pairs(desk: &mut Desk<'_>, toks: &[Tok], more: &[&[Tok]], links: &[&str], example: &str) -> Result<(), Stop> {
    // `replace the cat and the dog with foxes`: the link is in a later part.
    if link(desk, toks, links).is_none() {
        if let Some(at) = more.iter().position(|p| link(desk, p, links).is_some()) {
            let part = more[at];
            let i = link(desk, part, links).unwrap_or(0);
            let x = with_more(desk, toks, &more[..at]);
            let first = x.first().map_or(0, |t| t.from);
            let whole = super::super::desk::tokens(&desk.line[first..part[i - 1].to], first);
            return pair(desk, &whole, &part[i + 1..], &more[at + 1..], links);
        }
        if toks.is_empty() {
            return Err(desk.misread(toks, "that does not say what to replace", example));
        }
        if places(desk, toks, Reach::Idea).is_empty() {
            return Err(desk.missing(core(toks)));
        }
        return Err(desk.misread(toks, format!("`{}` is replaced with what?", desk.typed(toks)), example));
    }
    let at = link(desk, toks, links).unwrap_or(0);
    pair(desk, &toks[..at], &toks[at + 1..], more, links)
}

/// `swap the cat and the dog` exchanges two things of the prompt; `swap the cat for a fox` replaces one.
fn swap(desk: &mut Desk<'_>, toks: &[Tok], more: &[&[Tok]]) -> Result<(), Stop> {
    let clean = |part: &[Tok]| -> Vec<Tok> {
        let mut part = trim(part).to_vec();
        while part.len() > 1 && part.last().is_some_and(|t| matches!(t.low.as_str(), "places" | "around" | "round" | "over" | "'s" | "positions" | "each" | "other")) {
            part.pop();
        }
        part
    };
    if let Some(at) = link(desk, toks, &["with", "for", "to", "into", "by"]) {
        let (x, y) = (&toks[..at], clean(&toks[at + 1..]));
        let both = !places(desk, x, Reach::Thing).is_empty() && !places(desk, &y, Reach::Exact).is_empty();
        let indefinite = y.first().is_some_and(|t| matches!(t.low.as_str(), "a" | "an"));
        if both && !indefinite && matches!(toks[at].low.as_str(), "with" | "for") && more.is_empty() {
            return noun::exchange(desk, x, &y);
        }
        return pair(desk, x, &y, more, &["with", "for", "to", "into", "by"]);
    }
    match more {
        [other] => {
            let (a, b) = (clean(toks), clean(other));
            noun::exchange(desk, &a, &b)
        }
        _ if toks.is_empty() => Err(desk.misread(toks, "that does not say what to swap", "swap the cat and the dog")),
        _ => Err(desk.misread(toks, format!("`{}` is swapped with what?", desk.typed(toks)), "swap the cat for a dog")),
    }
}

/// `give her round glasses`, `give the cat a hat`, `give a hat to the cat`.
fn give(desk: &mut Desk<'_>, toks: &[Tok], all: &[Tok], more: &[&[Tok]]) -> Result<(), Stop> {
    let Some(first) = toks.first() else { return Err(desk.misread(toks, "that does not say what to give", "give her round glasses")) };
    let skip = |n: usize| -> Vec<Tok> { trim(&all[n.min(all.len())..]).to_vec() };
    let owning = (2..toks.len()).any(|n| !places(desk, &toks[..n], Reach::Thing).is_empty() && is_determiner(&toks[n].low));
    if (is_person_pronoun(&first.low) && !owning) || is_scene_pronoun(&first.low) {
        let owned = toks.len() > 1;
        if !owned {
            return Err(desk.misread(toks, "that does not say what to give", "give her round glasses"));
        }
        let y = &toks[1..];
        if comparative(y).is_some() || degree(y).is_some() {
            weigh::clause(desk, y)?;
            return go_on_weighing(desk, y, more);
        }
        // `give it a red colour`
        if let [article, adjective @ .., colour] = y {
            if matches!(colour.low.as_str(), "colour" | "color") && is_determiner(&article.low) && !adjective.is_empty() {
                let target = target::target(desk, &toks[..1])?.unwrap_or(Target::Scene);
                return complement(desk, &target, adjective, more);
            }
        }
        return noun::add(desk, &skip(1), Lead::With);
    }
    let (mut n, mut y) = split_target(desk, toks);
    if owning {
        n = (2..toks.len()).rev().find(|&n| !places(desk, &toks[..n], Reach::Thing).is_empty()).unwrap_or(n);
        y = trim(&toks[n..]);
    }
    if n > 0 && (is_determiner(&toks[0].low) && !matches!(toks[0].low.as_str(), "a" | "an" | "some")) {
        // `give her hair a red colour`, `give the cat a hat`
        if let [article, adjective @ .., colour] = y {
            if matches!(colour.low.as_str(), "colour" | "color" | "tint" | "texture" | "length" | "look" | "shade" | "style" | "shape" | "size") && is_determiner(&article.low) && !adjective.is_empty() {
                let target = target::target(desk, &toks[..n])?.unwrap_or(Target::Scene);
                return complement(desk, &target, adjective, more);
            }
        }
        if all_adjectives(y) && !is_determiner(&y[0].low) {
            return make(desk, toks, more);
        }
        return noun::add(desk, &skip(n), Lead::With);
    }
    noun::add(desk, all, Lead::With)
}

/// `cut her hair short`, `cut her hair`.
fn cut_hair(desk: &mut Desk<'_>, toks: &[Tok], more: &[&[Tok]]) -> Result<(), Stop> {
    let (n, y) = split_target(desk, toks);
    if n > 0 && !y.is_empty() && all_adjectives(y) {
        return make(desk, toks, more);
    }
    let hair = places(desk, toks, Reach::Thing);
    if hair.iter().any(|r| desk.draft.noun_kinds(r.end - 1).contains(&"hair")) {
        let place = target::thing(desk, toks, Reach::Thing)?;
        let short = adjective::Adjective { text: "short".into(), low: "short".into(), toks: toks[..1].to_vec() };
        adjective::apply(desk, &Target::Thing(place), &[short])?;
        return Ok(());
    }
    remove::without(desk, toks, more)
}
