//! Things: one in place of another, one more, one in another place.

use super::super::Change;
use super::super::desk::{Desk, Stop, Tok, tokens};
use super::super::draft::Draft;
use super::super::find::Reach;
use super::super::lexicon::{Kind, is_article, is_determiner, is_owner, is_preposition, is_scene_pronoun, is_person_pronoun, lexicon};
use super::adjective::{self, all_adjectives, groups};
use super::target::{Target, person, places};
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
const ONE_OF: &[&str] = &["hair", "glasses", "headgear"];
/// Kinds that are the same thing when named again, with whatever article.
const SAME_AGAIN: &[&str] = &["hair", "body", "glasses", "beard", "clothing", "headgear", "jewellery"];
const OBJECTS: &[&str] = &["animal", "vehicle", "food", "thing", "building", "plant"];

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
        return Ok(desk.swap(range, &text));
    }
    // An owner, as the woman of a woman's face: what is said with the new one goes to the end.
    if desk.draft.low(head + 1) == "'s" {
        if let Some(at) = toks.iter().position(|t| is_preposition(&t.low)).filter(|&i| i > 0) {
            let placed = swap_thing(desk, range, &toks[..at])?;
            tied(desk, &toks[at..])?;
            return Ok(placed);
        }
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
    let start = desk.draft.phrase_start(head).min(range.start);
    let old_article = is_determiner(desk.draft.low(start)).then(|| desk.draft.low(start).to_owned());
    let rest = super::target::core(toks);
    let typed_article = is_determiner(&first.low) && rest.len() < toks.len();
    let text = desk.written(rest);
    let from = start + usize::from(old_article.is_some());
    // The same thing with other adjectives keeps what it does not name.
    let new_head = noun_of(rest);
    if new_head.is_some_and(|t| lexicon().same(&t.low, desk.draft.low(head))) && rest.len() > 1 {
        let last = rest.iter().position(|t| Some(t.from) == new_head.map(|h| h.from)).unwrap_or(rest.len() - 1);
        let adjectives = groups(desk, &rest[..last]);
        return adjective::apply(desk, &Target::Thing(head..head + 1), &adjectives);
    }
    let bare = new_head.is_some_and(|t| lexicon().goes_bare(&t.low));
    let article = match (old_article.as_deref(), typed_article.then_some(first.low.as_str())) {
        (_, Some("another" | "some" | "any")) if !bare => Some("a".to_owned()),
        (_, Some("a" | "an")) => Some("a".to_owned()),
        (Some(old), Some("the" | "this" | "that" | "these" | "those") | None) if is_article(old) => match (old, bare) {
            ("a" | "an", true) => None,
            _ => Some(old.to_owned()),
        },
        (Some(old), Some(new)) if is_owner(new) && is_article(old) => (!bare).then(|| "a".to_owned()),
        (Some(_), Some(new)) if !is_owner(new) => Some(new.to_owned()),
        (Some(old), None) if !bare => Some(old.to_owned()),
        (None, Some("some" | "any" | "the")) | (_, None) => None,
        (_, Some(new)) => Some(new.to_owned()),
    };
    let placed = desk.swap(from..head + 1, &text);
    if let (Some(Change::Swap { to, .. }), Some(counted)) = (desk.changes.last_mut(), article.as_deref().filter(|a| !is_article(a))) {
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

fn same_article(a: &str, b: &str) -> bool {
    a == b || (matches!(a, "a" | "an") && matches!(b, "a" | "an"))
}

fn desk_last(toks: &[Tok]) -> Option<String> {
    noun_of(toks).map(|t| t.low.clone())
}

/// The noun of a phrase that was typed: the last word before its first preposition.
pub(super) fn noun_of(toks: &[Tok]) -> Option<&Tok> {
    let end = toks.iter().skip(1).position(|t| is_preposition(&t.low) || t.is_mark() || t.low == "and").map_or(toks.len(), |i| i + 1);
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
fn adjectival(desk: &Desk<'_>, range: &Range<usize>, toks: &[Tok]) -> String {
    let core = super::target::core(toks);
    let text = desk.written(core);
    if let [one] = core {
        if let Some(form) = lexicon().adjective_form(&one.low) {
            if range.len() == 1 && lexicon().is_adjective(desk.draft.low(range.start)) && !lexicon().is_adjective(&one.low) {
                return form.to_owned();
            }
        }
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
        let worn = kinds.iter().any(|k| matches!(*k, "headgear" | "clothing" | "glasses" | "jewellery" | "beard" | "hair"));
        if !worn && kinds.iter().any(|k| matches!(*k, "person" | "animal" | "thing")) {
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
    if let [only] = desk.draft.occurrences(std::slice::from_ref(&word), Reach::Exact, false).as_slice() {
        if desk.draft.is_head(only.end - 1) {
            swap_thing(desk, only.clone(), toks)?;
            return Ok(());
        }
    }
    let rivals = same_kind(desk, kinds);
    if !rivals.is_empty() {
        let labels = rivals.iter().map(|&h| format!("{} -> {text}", desk.label(&(h..h + 1)))).collect();
        let head = rivals[desk.choose(format!("what becomes `{text}`?"), labels)?];
        swap_thing(desk, head..head + 1, toks)?;
        return Ok(());
    }
    // Nothing is of its kind: the model's own sense of likeness, else the person decides.
    let heads: Vec<usize> = desk.draft.heads();
    let mut scored: Vec<(f32, usize)> =
        heads.iter().filter_map(|&h| desk.here.sense.likeness(&word, desk.draft.low(h)).map(|s| (s, h))).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    if let [(best, head), rest @ ..] = scored.as_slice() {
        if *best >= 0.4 && rest.first().is_none_or(|(next, _)| best - next >= 0.1) {
            swap_thing(desk, *head..*head + 1, toks)?;
            return Ok(());
        }
    }
    let mut labels: Vec<String> = heads.iter().map(|&h| format!("{} -> {text}", desk.label(&(h..h + 1)))).collect();
    labels.push(format!("+ {text}"));
    let pick = desk.choose(format!("what becomes `{text}`?"), labels)?;
    match heads.get(pick) {
        Some(&head) => {
            swap_thing(desk, head..head + 1, toks)?;
        }
        None => {
            desk.append(&text, false);
        }
    }
    Ok(())
}

/// Things of the prompt of the first of these kinds that any is; objects stand for each other.
fn same_kind(desk: &Desk<'_>, kinds: &[Kind]) -> Vec<usize> {
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
        let objects: Vec<usize> =
            subjects.iter().copied().filter(|&h| desk.draft.noun_kinds(h).iter().any(|k| OBJECTS.contains(k))).collect();
        if !objects.is_empty() {
            return objects;
        }
        return desk.draft.heads_of_kind(OBJECTS);
    }
    Vec::new()
}

/// A list of things as it was typed, cut at `and` and commas.
fn listed(toks: &[Tok]) -> Vec<&[Tok]> {
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
    all
}

/// The person or picture has these things: what is there already takes the new adjectives, what excludes the new thing
/// gives way, the rest is added.
pub(super) fn have(desk: &mut Desk<'_>, toks: &[Tok], lead: Lead) -> Result<(), Stop> {
    let toks = trim(toks);
    if toks.is_empty() {
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
        desk.written(without_some(&inside))
    } else {
        let texts: Vec<String> = left.iter().map(|p| desk.written(without_some(p))).collect();
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
    desk.append(&text, false);
    desk.last = named;
    Ok(())
}

/// `some glasses` are glasses; `his glasses` too.
fn without_some(toks: &[Tok]) -> &[Tok] {
    match toks {
        [first, rest @ ..] if !rest.is_empty() && (matches!(first.low.as_str(), "some" | "any") || is_owner(&first.low)) => rest,
        _ => toks,
    }
}

/// True if one thing found its place among what is there.
fn merge(desk: &mut Desk<'_>, part: &[Tok], lead: Lead) -> Result<bool, Stop> {
    let core = super::target::core(part);
    let Some(noun) = noun_of(core).cloned() else { return Ok(false) };
    let kinds = kinds_of(core);
    // `a smile`, `a sad look`, `an angry expression` are moods.
    if matches!(noun.low.as_str(), "look" | "expression" | "face" | "mood" | "smile" | "grin" | "frown" | "tears") || core.len() == 1 {
        let said = core.iter().find_map(|t| {
            let form = if lexicon().is_adjective(&t.low) { Some(t.low.as_str()) } else { lexicon().adjective_form(&t.low) }?;
            lexicon().adjective(form).contains(&"mood").then(|| form.to_owned())
        });
        let persons = desk.draft.person();
        if let (Some(mood), false) = (said, persons.is_empty()) {
            let adjective = adjective::Adjective { text: mood.clone(), low: mood, toks: vec![noun] };
            adjective::apply(desk, &Target::Person, &[adjective])?;
            return Ok(true);
        }
    }
    let article = part.first().is_some_and(|t| matches!(t.low.as_str(), "a" | "an" | "another" | "two" | "three" | "more"));
    let same_again = kinds.iter().any(|k| SAME_AGAIN.contains(k));
    let single = kinds.first().is_some_and(|k| SAME_AGAIN.contains(k)) || (!article && lexicon().goes_bare(&noun.low) && kinds.contains(&"sky"));
    let at = core.iter().position(|t| t.from == noun.from).unwrap_or(0);
    let simple = at + 1 == core.len();
    let name_len = {
        let words: Vec<&str> = core[..=at].iter().map(|t| t.low.as_str()).collect();
        lexicon().compound_ending(&words)
    };
    let adjectives = &core[..(at + 1).saturating_sub(name_len)];
    let there: Vec<Range<usize>> = desk
        .draft
        .occurrences(&core[(at + 1).saturating_sub(name_len)..=at].iter().map(|t| t.low.clone()).collect::<Vec<_>>(), Reach::Exact, false)
        .into_iter()
        .filter(|r| desk.draft.is_head(r.end - 1))
        .collect();
    let mine = single || (same_again && lead != Lead::Comma) || (!article && part.first().is_some_and(|t| is_owner(&t.low)));
    if !there.is_empty() && (mine || (!article && lead != Lead::Comma)) && simple {
        let question = format!("which `{}` is meant?", noun.low);
        let place = desk.choose_place(question, &there)?;
        if adjectives.is_empty() {
            desk.idle.push(format!("`{}` is in the prompt already", noun.low));
            return Ok(true);
        }
        let head = place.end - 1;
        if let Some((base, factor, used)) = super::verbs::comparative(adjectives) {
            super::weigh::compare(desk, Some(head), &base, factor, &adjectives[..used])?;
            return Ok(true);
        }
        let all = groups(desk, adjectives);
        adjective::apply(desk, &Target::Thing(head..head + 1), &all)?;
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

/// A time or season: in place of the one there is, else at the end. `a snowy winter night` says three things.
pub(super) fn when(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<(), Stop> {
    let core = super::target::core(toks);
    let end = core.iter().position(|t| is_preposition(&t.low)).unwrap_or(core.len()).max(1);
    let (core, around) = core.split_at(end);
    let mut words: Vec<&Tok> = core.iter().filter(|t| !t.is_mark() && !matches!(t.low.as_str(), "time" | "again" | "and")).collect();
    if words.is_empty() {
        words = core.iter().collect();
    }
    let Some(last) = words.pop() else { return Ok(()) };
    let mut kept: Vec<String> = Vec::new();
    for word in words {
        let kinds = lexicon().noun(&word.low);
        if kinds.iter().any(|k| matches!(*k, "season" | "time")) {
            when(desk, std::slice::from_ref(word))?;
        } else if lexicon().adjective(&word.low).first() == Some(&"weather") && word.low != "starry" {
            let adjectives = groups(desk, std::slice::from_ref(word));
            adjective::apply(desk, &Target::Scene, &adjectives)?;
        } else {
            kept.push(word.low.clone());
        }
    }
    let phrase = if kept.is_empty() {
        format!("{} {}", lexicon().joined(&last.low).unwrap_or("in the"), last.low)
    } else {
        let a = if lexicon().wants_an(&kept[0]) { "an" } else { "a" };
        let tie = if lexicon().noun(&last.low).contains(&"season") { "in" } else { "on" };
        format!("{tie} {a} {} {}", kept.join(" "), last.low)
    };
    settle(desk, &phrase)?;
    if around.is_empty() { Ok(()) } else { tied(desk, around) }
}

/// How a thing is tied: what of the same sort gives way to it.
fn rivals(desk: &Desk<'_>, tie: &str, kinds: &[Kind], noun: &str) -> Vec<Range<usize>> {
    let spot = |tie: &str| {
        matches!(
            tie,
            "in" | "on" | "at" | "inside" | "near" | "by" | "in front of" | "under" | "over" | "behind" | "through" | "outside" | "on top of"
                | "standing on" | "standing in" | "sitting on" | "sitting in" | "beside" | "above" | "against" | "into" | "onto"
        )
    };
    let is_place = |kinds: &[Kind], word: &str| {
        let joined = matches!(lexicon().joined(word), Some("in" | "on" | "in front of"));
        let other = kinds.iter().any(|k| matches!(*k, "time" | "season" | "weather"));
        kinds.iter().any(|k| matches!(*k, "place" | "middle")) || (joined && !other) || matches!(word, "background" | "wall")
    };
    let sort = |kinds: &[Kind], tie: &str, word: &str| -> u8 {
        if kinds.contains(&"time") {
            1
        } else if kinds.contains(&"season") {
            2
        } else if kinds.contains(&"sky") && matches!(tie, "under" | "with" | "beneath" | "below") {
            if word == "sky" { 3 } else { 0 }
        } else if kinds.contains(&"flank") && matches!(tie, "between" | "surrounded by" | "among") {
            4
        } else if kinds.contains(&"clothing") && matches!(tie, "in" | "wearing" | "dressed in" | "who is wearing") {
            5
        } else if matches!(word, "rain" | "fog" | "mist" | "storm" | "wind" | "drizzle") && matches!(tie, "in" | "during") {
            6
        } else if is_place(kinds, word) && spot(tie) {
            7
        } else {
            0
        }
    };
    let mine = sort(kinds, tie, noun);
    if mine == 0 {
        return Vec::new();
    }
    let subjects = desk.draft.subjects();
    let mut found = Vec::new();
    for phrase in desk.draft.phrases() {
        let word = desk.draft.low(phrase.head);
        let theirs = sort(desk.draft.noun_kinds(phrase.head), &phrase.tie, word);
        // Snow is a place to be in and a weather.
        let alike = theirs == mine || (noun == "snow" && theirs == 6) || (word == "snow" && mine == 6);
        if alike && !subjects.contains(&phrase.head) {
            found.push(phrase.range);
        }
    }
    if mine == 7 && noun == "background" {
        // `, red background` says it without a preposition.
        for head in desk.draft.heads() {
            if desk.draft.low(head) == "background" {
                let start = desk.draft.phrase_start(head);
                if !found.iter().any(|r| r.contains(&head)) {
                    found.push(start..head + 1);
                }
            }
        }
    }
    found
}

/// A preposition with its thing: in place of what is of the same sort, else at the end as typed.
pub(super) fn settle(desk: &mut Desk<'_>, text: &str) -> Result<(), Stop> {
    let own = Draft::of(text);
    let phrases = own.phrases();
    let Some(first) = phrases.first() else {
        desk.append(text, false);
        return Ok(());
    };
    // Several in a row (`at night in winter`) are settled one by one if any has a rival.
    let mut cuts: Vec<Range<usize>> = Vec::new();
    for (i, phrase) in phrases.iter().enumerate() {
        let start = if i == 0 { 0 } else { phrase.range.start };
        let end = phrases.get(i + 1).map_or(own.items.len(), |next| next.range.start);
        cuts.push(start..end);
    }
    let find = |desk: &Desk<'_>, i: usize| {
        let p = &phrases[i];
        rivals(desk, &p.tie, own.noun_kinds(p.head), own.low(p.head))
    };
    let several = phrases.len() > 1 && (0..phrases.len()).any(|i| i > 0 && !find(desk, i).is_empty());
    let parts: Vec<(usize, Range<usize>)> =
        if several { cuts.into_iter().enumerate().collect() } else { vec![(0, 0..own.items.len())] };
    let _ = first;
    for (i, cut) in parts {
        let text = own.text(cut);
        let found = find(desk, i);
        if found.is_empty() {
            if lexicon().noun(own.low(phrases[i].head)).contains(&"clothing") && phrases[i].tie != "with" {
                let tie_len = own.tie_at(0);
                let _ = tie_len;
            }
            desk.append(&text, false);
            continue;
        }
        let mut labels: Vec<String> = found.iter().map(|r| format!("{} -> {text}", desk.draft.text(r.clone()))).collect();
        if labels.len() > 1 {
            labels.push(format!("+ {text}"));
        }
        let pick = desk.choose(format!("what gives way to `{text}`?"), labels)?;
        match found.get(pick) {
            Some(range) => {
                let range = range.clone();
                let bare = desk.draft.tie_at(range.start) == 0 && own.tie_at(0) > 0;
                let comma = range.start > 0 && desk.draft.low(range.start - 1) == ",";
                let from = desk.draft.text(range.clone());
                if from.to_lowercase() == text.to_lowercase() {
                    desk.idle.push(format!("it is `{from}` already"));
                    continue;
                }
                if bare && comma {
                    // `, red background` takes the new words without their preposition.
                    let rest = own.text(own.tie_at(0)..own.items.len());
                    let rest = rest.trim_start_matches("a ").trim_start_matches("an ").to_owned();
                    desk.swap(range, &rest);
                } else {
                    desk.swap(range, &text);
                }
            }
            None => {
                desk.append(&text, false);
            }
        }
    }
    Ok(())
}

/// A line that begins with a preposition.
pub(super) fn tied(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<(), Stop> {
    let toks = trim(toks);
    let words: Vec<&str> = toks.iter().map(|t| t.low.as_str()).collect();
    match words.as_slice() {
        ["with", "no" | "neither", _, ..] => return super::remove::without(desk, &toks[2..], &[]),
        ["with", "less" | "fewer" | "more" | "much" | "a", ..] if super::verbs::degree(&toks[1..]).is_some() => {
            return super::weigh::clause(desk, &toks[1..]).map(|_| ());
        }
        ["with", _, ..] => return have(desk, &toks[1..], Lead::With),
        ["wearing", _, ..] => return wear(desk, &toks[1..]),
        ["in", _, ..] if kinds_of(super::target::core(&toks[1..])).contains(&"clothing") && worn(desk).is_some() => {
            return wear(desk, &toks[1..]);
        }
        [_] => {}
        _ => {
            let text = desk.written(toks);
            return settle(desk, &text);
        }
    }
    Err(desk.misread(toks, format!("nothing stands after `{}`", desk.typed(toks)), "at night"))
}

/// The noun of what is worn.
fn worn(desk: &Desk<'_>) -> Option<usize> {
    let tied = |tie: &str| matches!(tie, "in" | "wearing" | "dressed in" | "who is wearing");
    desk.draft.phrases().into_iter().find(|p| desk.draft.noun_kinds(p.head).contains(&"clothing") && tied(&p.tie)).map(|p| p.head)
}

/// Clothes: what is worn already takes the new adjectives, another garment takes its place.
pub(super) fn wear(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<(), Stop> {
    let kinds = kinds_of(super::target::core(toks));
    if let (true, Some(head)) = (kinds.contains(&"clothing"), worn(desk)) {
        let noun = noun_of(super::target::core(toks)).map(|t| t.low.clone()).unwrap_or_default();
        if desk.draft.occurrences(&[noun], Reach::Exact, false).is_empty() {
            swap_thing(desk, head..head + 1, toks)?;
            return Ok(());
        }
    }
    have(desk, toks, Lead::Wearing)
}

/// Adds a thing: `add a hat`, `add red to her hair`, `add a hat to the cat`.
pub(super) fn add(desk: &mut Desk<'_>, toks: &[Tok], lead: Lead) -> Result<(), Stop> {
    let mut toks = trim(toks);
    if toks.is_empty() {
        return Err(desk.misread(toks, "that says nothing to add", "add a hat"));
    }
    let back = matches!(toks.last().map(|t| t.low.as_str()), Some("back" | "again"));
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
        if known && !body || (known && all_adjectives(thing)) {
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
        if someone || (body && definite) || (known && definite) || (tie == "to" && !known) {
            toks = trim(thing);
        }
    }
    let text = desk.typed(toks);
    if Draft::of(text).tie_at(0) > 0 {
        return tied(desk, toks);
    }
    if all_adjectives(toks) && kinds_of(toks).is_empty() {
        let adjectives = groups(desk, toks);
        adjective::apply(desk, &Target::Scene, &adjectives)?;
        return Ok(());
    }
    if let Some((factor, used)) = super::verbs::degree(toks) {
        let rest = &toks[used..];
        if factor > 1.0 && !places(desk, rest, Reach::Idea).is_empty() {
            return super::weigh::clause(desk, toks).map(|_| ());
        }
    }
    if toks.first().is_some_and(|t| t.low == "the") {
        if let Some(()) = restored(desk, toks) {
            return Ok(());
        }
    }
    have(desk, toks, lead)
}

/// Brings back what an ancestor had, whole.
fn restored(desk: &mut Desk<'_>, toks: &[Tok]) -> Option<()> {
    let core = super::target::core(toks);
    let text = desk.typed(core).to_owned();
    let place = super::super::restore::place(&desk.draft, &text, desk.here.ancestors, true)?;
    desk.changes.push(Change::Add { text: place.text.trim_matches([',', ' ']).to_owned() });
    desk.draft.insert(place.at, &place.text);
    Some(())
}

/// `put the glasses back`
pub(super) fn bring_back(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<(), Stop> {
    let toks = trim(toks);
    if toks.is_empty() {
        return Err(desk.misread(toks, "that says nothing to bring back", "bring back the glasses"));
    }
    match restored(desk, toks) {
        Some(()) => Ok(()),
        None => {
            let text = desk.typed(toks);
            Err(desk.misread(toks, format!("no earlier prompt of this branch had `{text}` and lost it"), format!("add it: + {text}")))
        }
    }
}

/// `put the cat in a forest`, `put a hat on her`, `move the cat to the beach`.
pub(super) fn put(desk: &mut Desk<'_>, toks: &[Tok], moves: bool) -> Result<(), Stop> {
    let toks = trim(toks);
    if matches!(toks.last().map(|t| t.low.as_str()), Some("back")) {
        return bring_back(desk, &toks[..toks.len() - 1]);
    }
    let own = Draft::of(desk.typed(toks));
    let tie = (1..toks.len()).find(|&i| own.tie_at(i) > 0 && !matches!(toks[i].low.as_str(), "of" | "with" | "like" | "as" | "wearing"));
    let Some(at) = tie else {
        if moves || (!toks.is_empty() && !places(desk, toks, Reach::Thing).is_empty()) {
            return Err(desk.misread(toks, "that does not say where to", "move the cat to a forest"));
        }
        return add(desk, toks, Lead::Comma);
    };
    let (thing, place) = (trim(&toks[..at]), &toks[at..]);
    let tie_len = own.tie_at(at);
    let spot = trim(&place[tie_len.min(place.len())..]);
    if spot.is_empty() {
        // `put a hat on`
        return add(desk, thing, Lead::With);
    }
    let pronoun = matches!(thing, [one] if is_person_pronoun(&one.low) || is_scene_pronoun(&one.low) || one.low == "everything");
    let known = pronoun || !places(desk, thing, Reach::Thing).is_empty();
    let indefinite = thing.first().is_some_and(|t| matches!(t.low.as_str(), "a" | "an" | "another" | "some" | "two"));
    let someone = matches!(spot, [one] if is_person_pronoun(&one.low) || is_scene_pronoun(&one.low));
    if known && !indefinite && !someone {
        return relocate(desk, place);
    }
    if moves && !known {
        return Err(desk.missing(super::target::core(thing)));
    }
    let lead = if someone || spot.first().is_some_and(|t| is_owner(&t.low)) { Lead::With } else { Lead::Comma };
    let definite = spot.first().is_some_and(|t| t.low == "the" || is_owner(&t.low));
    let inside = matches!(toks[at].low.as_str(), "on" | "in" | "onto" | "into" | "to" | "between" | "at") && tie_len == 1;
    if someone || (inside && definite && !places(desk, spot, Reach::Thing).is_empty()) || spot.last().is_some_and(|t| lexicon().noun(&t.low).contains(&"body")) {
        return add(desk, thing, lead);
    }
    have(desk, toks, Lead::Comma)
}

/// Another place for what is shown.
pub(super) fn relocate(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<(), Stop> {
    let own = Draft::of(desk.typed(toks));
    let n = own.tie_at(0);
    let tie = own.lows(0..n).join(" ");
    if matches!(tie.as_str(), "to" | "into" | "onto" | "over" | "toward" | "towards") {
        let text = located(desk, &toks[n..]);
        return settle(desk, &text);
    }
    let text = desk.written(toks);
    settle(desk, &text)
}

/// A place with its usual preposition: a forest is `in a forest`, the beach `on a beach`.
pub(super) fn located(desk: &Desk<'_>, toks: &[Tok]) -> String {
    let text = desk.written(toks);
    let noun = noun_of(super::target::core(toks)).map(|t| t.low.clone()).unwrap_or_default();
    let join = lexicon().joined(&noun).unwrap_or("in");
    let has_article = toks.first().is_some_and(|t| is_determiner(&t.low));
    if has_article {
        format!("{join} {text}")
    } else if lexicon().takes_the(&noun) || matches!(noun.as_str(), "sea" | "snow") {
        format!("{join} the {text}")
    } else if lexicon().goes_bare(&noun) {
        format!("{join} {text}")
    } else {
        format!("{join} a {text}")
    }
}

/// `swap the cat and the dog`: two things change places, articles and adjectives with them.
pub(super) fn exchange(desk: &mut Desk<'_>, a: &[Tok], b: &[Tok]) -> Result<(), Stop> {
    let one = super::target::thing(desk, a, Reach::Thing)?;
    let other = super::target::thing(desk, b, Reach::Thing)?;
    if one == other {
        return Err(desk.misread(b, "both are the same thing", "swap the cat and the dog"));
    }
    let full = |desk: &Desk<'_>, r: &Range<usize>| {
        let head = r.end - 1;
        if desk.draft.is_head(head) { desk.draft.phrase_start(head).min(r.start)..r.end } else { r.clone() }
    };
    let (mut first, mut second) = (full(desk, &one), full(desk, &other));
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
