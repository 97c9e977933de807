//! Things: one in place of another, one more, one in another place.

use super::super::Change;
use super::super::desk::{Desk, Stop, Tok, tokens};
use super::super::draft::Draft;
use super::super::find::Reach;
use super::super::lexicon::{Kind, is_plural, lexicon};
use super::super::small::{is_article, is_determiner, is_number, is_owner, is_preposition};
use super::add::{Lead, have};
use super::adjective::{self, groups};
use super::place::{tied, when};
use super::target::{Target, person};
use std::ops::Range;

pub(super) const OBJECTS: &[&str] = &["animal", "vehicle", "food", "thing", "building", "plant"];

/// Puts a thing in the place of another, with its article and adjectives.
pub(super) fn swap_thing(desk: &mut Desk<'_>, range: Range<usize>, toks: &[Tok]) -> Result<Range<usize>, Stop> {
    let toks = trim(toks);
    let Some(first) = toks.first() else {
        return Err(desk.misread(toks, "that says nothing to put in its place", "replace the cat with a dog"));
    };
    let head = range.end - 1;
    let is_head = desk.draft.is_head(head);
    if !is_head {
        // A word before a thing: only the word. `snow` before a river is `snowy`.
        let text = adjectival(desk, &range, toks);
        return Ok(desk.put(range, &text));
    }
    // An owner, as the woman of a woman's face: what is said with the new one goes to the end.
    if (desk.draft.low(head + 1) == "'s" || desk.draft.noun_kinds(head).contains(&"person"))
        && let Some(at) = toks.iter().position(|t| is_preposition(&t.low)).filter(|&i| i > 0)
    {
        let placed = swap_thing(desk, range, &toks[..at])?;
        tied(desk, &toks[at..])?;
        return Ok(placed);
    }
    // `a woman's face` for the face: the owner is what changes.
    if let Some(at) = toks.iter().position(|t| t.low == "'s").filter(|&i| i > 0) {
        let face = desk.draft.phrase_start(head);
        let rest = &toks[at + 1..];
        let same = rest.is_empty() || noun_of(rest).is_some_and(|t| lexicon().same(&t.low, desk.draft.low(head)));
        if same && face > 1 && desk.draft.low(face - 1) == "'s" {
            return swap_thing(desk, face - 2..face - 1, &toks[..at]);
        }
        if desk.draft.low(head + 1) == "'s" {
            return swap_thing(desk, range, &toks[..at]);
        }
    }
    let named = desk.draft.named(&range);
    let start = desk.draft.phrase_start(named).min(range.start);
    let old_article = is_determiner(desk.draft.low(start)).then(|| desk.draft.low(start).to_owned());
    let rest = super::target::core(toks);
    let typed_article = is_determiner(&first.low) && rest.len() < toks.len();
    let text = desk.written(rest);
    // Adjectives that nobody named stay.
    let alone = rest.len() == 1 && range.len() == 1 && named == head && desk.draft.low(head + 1) != "'s";
    let from = if alone { desk.draft.name_start(head) } else { start + usize::from(old_article.is_some()) };
    // The same thing with other adjectives keeps what it does not name.
    let new_head = noun_of(rest);
    if named == head && new_head.is_some_and(|t| same_number(&t.low, desk.draft.low(head))) && rest.len() > 1 {
        if range.len() > 1 {
            return Ok(desk.put(range, &text));
        }
        let last = rest.iter().position(|t| Some(t.from) == new_head.map(|h| h.from)).unwrap_or(rest.len() - 1);
        // `palm trees` for pine trees: the name changes, not a quality.
        if rest[..last].last().is_some_and(|t| !lexicon().is_adjective(&t.low) && !lexicon().noun(&t.low).is_empty()) {
            return Ok(desk.put(desk.draft.name_start(head)..head + 1, &text));
        }
        let adjectives = groups(desk, &rest[..last]);
        return adjective::apply(desk, &Target::Thing(head..head + 1), &adjectives);
    }
    let bare = new_head.is_some_and(|t| lexicon().goes_bare(&t.low));
    let article = match (old_article.as_deref(), typed_article.then_some(first.low.as_str())) {
        (_, Some("the")) if new_head.is_some_and(|t| lexicon().takes_the(&t.low)) => Some("the".to_owned()),
        (_, Some("another" | "some" | "any")) if !bare => Some("a".to_owned()),
        (_, Some("a" | "an")) => Some("a".to_owned()),
        (Some(old), Some("the" | "this" | "that" | "these" | "those") | None) if is_article(old) => match (old, bare) {
            ("a" | "an", true) => None,
            _ => Some(old.to_owned()),
        },
        (Some(old), None) if is_number(old) && new_head.is_some_and(|t| is_plural(&t.low)) => Some(old.to_owned()),
        (Some(old), Some(new)) if is_owner(new) && is_article(old) => (!bare).then(|| "a".to_owned()),
        (Some(_), Some(new)) if !is_owner(new) => Some(new.to_owned()),
        (Some(old), None) if !bare => Some(old.to_owned()),
        (None, Some("some" | "any" | "the")) | (_, None) => None,
        (_, Some(new)) => Some(new.to_owned()),
    };
    // Another place takes its own preposition: on a beach, in a forest.
    let spot = start.checked_sub(1).map_or("", |i| desk.draft.low(i)).to_owned();
    let usual = |noun: &str| lexicon().joined(noun).filter(|j| matches!(*j, "in" | "on"));
    let place = |kinds: &[Kind]| kinds.iter().any(|k| matches!(*k, "place" | "middle"));
    let old_usual = usual(desk.draft.low(head));
    let new_usual = new_head.and_then(|t| usual(&t.low));
    if let (Some(old), Some(new), false) = (old_usual, new_usual, desk.draft.subjects().contains(&head))
        && old == spot
        && new != spot
        && place(desk.draft.noun_kinds(head))
        && place(kinds_of(rest))
    {
        desk.draft.swap(start - 1..start, new);
    }
    // `five penguins` for three
    if let Some(number) = typed_article.then_some(first).filter(|t| is_number(&t.low))
        && super::super::words::same(&text, &desk.draft.text(from..head + 1))
    {
        return Ok(match old_article {
            Some(_) => desk.put(start..start + 1, &number.low),
            None => desk.draft.insert(start, &number.low),
        });
    }
    let placed = desk.put(from..head + 1, &text);
    if let (Some(Change::Swap { to, .. }), Some(counted)) =
        (desk.changes.last_mut(), article.as_deref().filter(|a| !is_article(a)))
    {
        *to = format!("{counted} {to}");
    }
    // The article: put in, taken out, or another one.
    let at = placed.start;
    match (old_article, article) {
        (Some(old), Some(new)) if same_article(&old, &new) => {}
        (Some(_), Some(new)) => {
            desk.draft.swap(start..start + 1, &new);
        }
        (Some(_), None) => desk.draft.remove(start..start + 1),
        (None, Some(new)) => {
            desk.draft.insert(at, &new);
        }
        (None, None) => {}
    }
    desk.last = desk_last(rest);
    let end = placed.end.min(desk.draft.items.len());
    Ok(at.min(end)..end)
}

/// True for spellings of one word, both singular or both plural.
fn same_number(a: &str, b: &str) -> bool {
    lexicon().same(a, b) && is_plural(a) == is_plural(b)
}

fn same_article(a: &str, b: &str) -> bool {
    a == b || (matches!(a, "a" | "an") && matches!(b, "a" | "an"))
}

pub(super) fn desk_last(toks: &[Tok]) -> Option<String> {
    noun_of(toks).map(|t| t.low.clone())
}

/// The noun of a phrase that was typed: the last word before its first preposition.
pub(super) fn noun_of(toks: &[Tok]) -> Option<&Tok> {
    let loose = |t: &Tok| lexicon().is_adjective(&t.low) || lexicon().comparative(&t.low).is_some();
    let mut end = toks.len();
    for (i, tok) in toks.iter().enumerate().skip(1) {
        // `long, wavy hair`, `a red and blue hat`: a comma between adjectives ends nothing.
        let joins = (tok.is_mark() || tok.low == "and") && i + 1 < toks.len();
        if joins && toks[..i].iter().all(|t| loose(t) || is_determiner(&t.low) || t.is_mark() || t.low == "and") {
            continue;
        }
        if is_preposition(&tok.low) || tok.is_mark() || tok.low == "and" {
            end = i;
            break;
        }
    }
    toks[..end].iter().rev().find(|t| !t.is_mark())
}

/// A typed thing without the times and places said with it (`a dog at night`), and those.
pub(super) fn thing_and_circumstances<'t>(desk: &Desk<'_>, toks: &'t [Tok]) -> (&'t [Tok], &'t [Tok]) {
    let own = Draft::of(desk.typed(toks));
    for phrase in own.phrases() {
        let kinds = own.noun_kinds(phrase.head);
        let tie = phrase.tie.as_str();
        let when = kinds.iter().any(|k| matches!(*k, "time" | "season"));
        let place = kinds.iter().any(|k| matches!(*k, "place" | "weather")) && matches!(tie, "in" | "on" | "at");
        if phrase.range.start > 0 && (when || place) && tie != "of" && phrase.range.start < toks.len() {
            return toks.split_at(phrase.range.start);
        }
    }
    (toks, &[])
}

/// Kinds of the noun of a typed phrase, compounds included.
pub(super) fn kinds_of(toks: &[Tok]) -> &'static [Kind] {
    let Some(noun) = noun_of(toks) else { return &[] };
    let end = toks.iter().position(|t| t.from == noun.from).unwrap_or(0) + 1;
    let words: Vec<&str> = toks[..end].iter().map(|t| t.low.as_str()).collect();
    let n = lexicon().compound_ending(&words);
    if n > 1 {
        let kinds = lexicon().noun(&words[words.len() - n..].join(" "));
        if !kinds.is_empty() {
            return kinds;
        }
    }
    lexicon().noun(&noun.low)
}

/// A word that stands before a noun takes an adjective's form: rain in the place of `snowy` is `rainy`.
pub(super) fn adjectival(desk: &Desk<'_>, range: &Range<usize>, toks: &[Tok]) -> String {
    let core = super::target::core(toks);
    let text = desk.written(core);
    if let [one] = core
        && let Some(form) = lexicon().adjective_form(&one.low)
        && range.len() == 1
        && lexicon().is_adjective(desk.draft.low(range.start))
        && !lexicon().is_adjective(&one.low)
    {
        return form.to_owned();
    }
    text
}

/// Cuts marks off both ends.
pub(super) fn trim(toks: &[Tok]) -> &[Tok] {
    let mut rest = toks;
    while rest.first().is_some_and(Tok::is_mark) {
        rest = &rest[1..];
    }
    while rest.last().is_some_and(Tok::is_mark) {
        rest = &rest[..rest.len() - 1];
    }
    rest
}

/// A thing for the picture as a whole, or for a person: what is of its kind gives way.
pub(super) fn become_thing(desk: &mut Desk<'_>, target: &Target, toks: &[Tok]) -> Result<(), Stop> {
    let kinds = kinds_of(super::target::core(toks));
    if let Target::Person = target {
        let worn =
            kinds.iter().any(|k| matches!(*k, "headgear" | "clothing" | "glasses" | "jewellery" | "beard" | "hair"));
        if !worn && (kinds.is_empty() || kinds.iter().any(|k| matches!(*k, "person" | "animal" | "thing"))) {
            let head = person(desk)?;
            swap_thing(desk, head..head + 1, toks)?;
            return Ok(());
        }
        return have(desk, toks, Lead::With);
    }
    if kinds.iter().any(|k| matches!(*k, "time" | "season")) {
        return when(desk, toks);
    }
    let text = desk.typed(toks).to_owned();
    let word = noun_of(super::target::core(toks)).map(|t| t.low.clone()).unwrap_or_default();
    if let [only] = desk.draft.occurrences(std::slice::from_ref(&word), Reach::Exact, false).as_slice()
        && desk.draft.is_head(only.end - 1)
    {
        swap_thing(desk, only.clone(), toks)?;
        return Ok(());
    }
    let rivals = same_kind(desk, kinds);
    // Nothing that is shown becomes a painting, but the picture may be one.
    if rivals.is_empty() && !kinds.is_empty() && kinds.iter().all(|k| *k == "scene") {
        desk.append(&text);
        return Ok(());
    }
    if !rivals.is_empty() {
        let labels = rivals.iter().map(|&h| format!("{} -> {text}", desk.label(&(h..h + 1)))).collect();
        let head = rivals[desk.choose(format!("what becomes `{text}`?"), labels)?];
        swap_thing(desk, head..head + 1, toks)?;
        return Ok(());
    }
    // Nothing is of its kind: the model's own sense of likeness, else the person decides.
    let subjects = desk.draft.subjects();
    let heads: Vec<usize> = if subjects.is_empty() { desk.draft.heads() } else { subjects };
    let mut scored: Vec<(f32, usize)> =
        heads.iter().filter_map(|&h| desk.here.sense.likeness(&word, desk.draft.low(h)).map(|s| (s, h))).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    if let [(best, head), rest @ ..] = scored.as_slice()
        && *best >= 0.4
        && rest.first().is_none_or(|(next, _)| best - next >= 0.1)
    {
        swap_thing(desk, *head..*head + 1, toks)?;
        return Ok(());
    }
    // `make it a ukulele`: there is one thing that it may be, and nobody wears or has what it becomes.
    let lasting = ["animal", "person", "vehicle", "building", "food", "plant", "place", "middle"];
    if let ([head], true) = (heads.as_slice(), kinds.is_empty() || kinds.iter().any(|k| lasting.contains(k))) {
        swap_thing(desk, *head..*head + 1, toks)?;
        return Ok(());
    }
    let mut labels: Vec<String> = heads.iter().map(|&h| format!("{} -> {text}", desk.label(&(h..h + 1)))).collect();
    labels.push(format!("+ {text}"));
    let pick = desk.choose(format!("what becomes `{text}`?"), labels)?;
    match heads.get(pick) {
        Some(&head) => {
            swap_thing(desk, head..head + 1, toks)?;
        }
        None => {
            desk.append(&text);
        }
    }
    Ok(())
}

/// Things of the prompt of the first of these kinds that any is; objects stand for each other.
pub(super) fn same_kind(desk: &Desk<'_>, kinds: &[Kind]) -> Vec<usize> {
    let subjects = desk.draft.subjects();
    let alike: Vec<usize> =
        subjects.iter().copied().filter(|&h| desk.draft.noun_kinds(h).iter().any(|k| kinds.contains(k))).collect();
    if !alike.is_empty() {
        return alike;
    }
    for kind in kinds {
        let found = desk.draft.heads_of_kind(&[kind]);
        if !found.is_empty() {
            return found;
        }
    }
    if kinds.iter().any(|k| OBJECTS.contains(k)) {
        let objects: Vec<usize> = subjects
            .iter()
            .copied()
            .filter(|&h| desk.draft.noun_kinds(h).iter().any(|k| OBJECTS.contains(k)))
            .collect();
        return objects;
    }
    Vec::new()
}

/// `swap the cat and the dog`: two things change places, articles and adjectives with them.
pub(super) fn exchange(desk: &mut Desk<'_>, a: &[Tok], b: &[Tok]) -> Result<(), Stop> {
    let one = super::target::thing(desk, a, Reach::Thing)?;
    let other = super::target::thing(desk, b, Reach::Thing)?;
    if one == other {
        return Err(desk.misread(b, "both are the same thing", "swap the cat and the dog"));
    }
    let full = |desk: &Desk<'_>, r: &Range<usize>, said: &[Tok]| {
        if !desk.draft.is_head(r.end - 1) {
            return r.clone();
        }
        let start = desk.draft.phrase_start(desk.draft.named(r));
        // `the bowl of apples` goes with its apples.
        let of = said.iter().any(|t| t.low == "of") && desk.draft.low(r.end) == "of";
        start.min(r.start)..if of { desk.draft.head_of(r.end + 1) + 1 } else { r.end }
    };
    let (mut first, mut second) = (full(desk, &one, a), full(desk, &other, b));
    if first.start > second.start {
        std::mem::swap(&mut first, &mut second);
    }
    if first.end > second.start {
        return Err(desk.misread(b, "one is part of the other", "swap the cat and the dog"));
    }
    let (left, right) = (desk.draft.text(first.clone()), desk.draft.text(second.clone()));
    let bare = |t: &str| {
        let toks = tokens(t, 0);
        match toks.first() {
            Some(f) if is_determiner(&f.low) && toks.len() > 1 => t[toks[1].from..].to_owned(),
            _ => t.to_owned(),
        }
    };
    desk.changes.push(Change::Swap { from: bare(&left), to: bare(&right) });
    desk.changes.push(Change::Swap { from: bare(&right), to: bare(&left) });
    desk.draft.swap(second, &left);
    desk.draft.swap(first, &right);
    Ok(())
}
