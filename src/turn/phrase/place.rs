//! Where and when: times, seasons and places, and things put somewhere.

use super::super::desk::{Desk, Stop, Tok};
use super::super::draft::Draft;
use super::super::find::Reach;
use super::super::lexicon::{Kind, lexicon};
use super::super::small::{is_determiner, is_owner, is_person_pronoun, is_preposition, is_scene_pronoun};
use super::add::{Lead, add, bring_back, have};
use super::adjective::{self, groups};
use super::noun::{kinds_of, noun_of, swap_thing, trim};
use super::target::{Target, places};
use std::ops::Range;

/// A time or season: in place of the one there is, else at the end. `a snowy winter night` says three things.
pub(super) fn when(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<(), Stop> {
    let core = super::target::core(toks);
    let end = core.iter().position(|t| is_preposition(&t.low)).unwrap_or(core.len()).max(1);
    let (core, around) = core.split_at(end);
    let mut words: Vec<&Tok> =
        core.iter().filter(|t| !t.is_mark() && !matches!(t.low.as_str(), "time" | "again" | "and")).collect();
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
    let early = kept.iter().all(|w| matches!(w.as_str(), "early" | "late"));
    let phrase = if early && lexicon().joined(&last.low) == Some("in the") && !kept.is_empty() {
        format!("in the {} {}", kept.join(" "), last.low)
    } else if kept.is_empty() {
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
///
/// `moves`: a place is meant, whatever the noun.
pub(super) fn rivals(desk: &Desk<'_>, tie: &str, kinds: &[Kind], noun: &str, moves: bool) -> Vec<Range<usize>> {
    let spot = |tie: &str| {
        matches!(
            tie,
            "in" | "on"
                | "at"
                | "inside"
                | "near"
                | "by"
                | "in front of"
                | "under"
                | "over"
                | "behind"
                | "through"
                | "outside"
                | "on top of"
                | "beside"
                | "above"
                | "against"
                | "into"
                | "onto"
        )
    };
    let is_place = |kinds: &[Kind], word: &str| {
        let joined = matches!(lexicon().joined(word), Some("in" | "on" | "in front of"));
        let other = kinds.iter().any(|k| matches!(*k, "time" | "season" | "weather" | "sky"));
        kinds.iter().any(|k| matches!(*k, "place" | "middle"))
            || (joined && !other)
            || matches!(word, "background" | "wall")
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
        } else if matches!(word, "rain" | "fog" | "mist" | "storm" | "wind" | "drizzle")
            && matches!(tie, "in" | "during")
        {
            6
        } else if tie == "against" {
            8
        } else if is_place(kinds, word) && spot(tie) {
            7
        } else {
            0
        }
    };
    let mine = match sort(kinds, tie, noun) {
        0 if moves && matches!(tie, "in" | "on" | "inside" | "into" | "onto") => 7,
        sort => sort,
    };
    if mine == 0 {
        return Vec::new();
    }
    let subjects = desk.draft.subjects();
    let mut found = Vec::new();
    let phrases = desk.draft.phrases();
    for phrase in &phrases {
        let word = desk.draft.low(phrase.head);
        let kinds = desk.draft.noun_kinds(phrase.head);
        let unknown = moves && mine == 7 && kinds.is_empty() && word != "sides" && spot(&phrase.tie);
        let theirs = if unknown { 7 } else { sort(kinds, &phrase.tie, word) };
        // Snow is a place to be in and a weather.
        let alike = theirs == mine || (noun == "snow" && theirs == 6) || (word == "snow" && mine == 6);
        if alike && !subjects.contains(&phrase.head) {
            // `in a field of flowers` gives way as a whole.
            let whole = phrases.iter().find(|p| p.tie == "of" && p.range.start == phrase.range.end);
            found.push(phrase.range.start..whole.map_or(phrase.range.end, |p| p.range.end));
        }
    }
    // `, red background` and `, autumn` say it without a preposition.
    for head in desk.draft.heads() {
        let start = desk.draft.phrase_start(head);
        let word = desk.draft.low(head);
        let alike = match mine {
            7 => noun == "background" && word == "background",
            1 => desk.draft.noun_kinds(head).contains(&"time"),
            2 => desk.draft.noun_kinds(head).contains(&"season"),
            _ => false,
        };
        let bare = desk.draft.tie_start(start) == start && start > 0 && desk.draft.low(start - 1) == ",";
        if alike && (mine == 7 || bare) && !found.iter().any(|r| r.contains(&head)) {
            found.push(start..head + 1);
        }
    }
    found
}

/// A preposition with its thing: in place of what is of the same sort, else at the end as typed.
pub(super) fn settle(desk: &mut Desk<'_>, text: &str) -> Result<(), Stop> {
    settled(desk, text, false)
}

fn settled(desk: &mut Desk<'_>, text: &str, moves: bool) -> Result<(), Stop> {
    let own = Draft::of(text);
    let phrases = own.phrases();
    if phrases.is_empty() {
        desk.append(text);
        return Ok(());
    }
    // Several in a row (`at night in winter`) are settled one by one if any has a rival.
    let mut cuts: Vec<Range<usize>> = Vec::new();
    for (i, phrase) in phrases.iter().enumerate() {
        let start = if i == 0 { 0 } else { phrase.range.start };
        let end = phrases.get(i + 1).map_or(own.items.len(), |next| next.range.start);
        cuts.push(start..end);
    }
    let find = |desk: &Desk<'_>, i: usize| {
        let p = &phrases[i];
        rivals(desk, &p.tie, own.noun_kinds(p.head), own.low(p.head), moves)
    };
    let several = phrases.len() > 1 && (0..phrases.len()).any(|i| i > 0 && !find(desk, i).is_empty());
    let parts: Vec<(usize, Range<usize>)> =
        if several { cuts.into_iter().enumerate().collect() } else { vec![(0, 0..own.items.len())] };
    for (i, cut) in parts {
        let text = own.text(cut);
        let mut found = find(desk, i);
        if found.is_empty() && desk.instead {
            let same = |p: &super::super::find::Phrase| p.tie == phrases[i].tie && p.tie != "with" && p.tie != "of";
            found = desk.draft.phrases().into_iter().filter(same).map(|p| p.range).collect();
        }
        if found.is_empty() {
            desk.append(&text);
            continue;
        }
        // `on the floor`: what is said with `on` as well gives way first.
        let tie = own.low(phrases[i].range.start);
        let alike: Vec<Range<usize>> = found.iter().filter(|r| desk.draft.low(r.start) == tie).cloned().collect();
        let found = if alike.len() == 1 { alike } else { found };
        let mut labels: Vec<String> =
            found.iter().map(|r| format!("{} -> {text}", desk.draft.text(r.clone()))).collect();
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
                    desk.put(range, &rest);
                } else {
                    desk.put(range, &text);
                }
            }
            None => {
                desk.append(&text);
            }
        }
    }
    Ok(())
}

/// A line that begins with a preposition.
pub(super) fn tied(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<(), Stop> {
    let toks = trim(toks);
    let words: Vec<&str> = toks.iter().map(|t| t.low.as_str()).collect();
    // `in a forest, not in a street`
    if let Some(not) = words.iter().position(|w| *w == "not").filter(|&i| i > 1 && i + 1 < words.len()) {
        tied(desk, &toks[..not])?;
        return super::remove::without(desk, &toks[not + 1..], &[]);
    }
    match words.as_slice() {
        ["with", "no" | "neither", _, ..] => return super::remove::without(desk, &toks[2..], &[]),
        ["with", "less" | "fewer" | "more" | "much" | "a", ..] if super::degree::degree(&toks[1..]).is_some() => {
            return super::weigh::clause(desk, &toks[1..]).map(|_| ());
        }
        ["with", _, ..] => return have(desk, &toks[1..], Lead::With),
        ["wearing", _, ..] => return wear(desk, &toks[1..]),
        ["in", _, ..] if kinds_of(super::target::core(&toks[1..])).contains(&"clothing") && worn(desk).is_some() => {
            return wear(desk, &toks[1..]);
        }
        [_] => {}
        // `dress her in white`
        ["in", ..]
            if adjective::all_adjectives(&toks[1..])
                && super::complement::noun_is_colour(toks)
                && worn(desk).is_some() =>
        {
            let all = groups(desk, &toks[1..]);
            let head = worn(desk).unwrap_or_default();
            return adjective::apply(desk, &Target::Thing(head..head + 1), &all).map(|_| ());
        }
        _ => {
            let text = desk.written(toks);
            return settle(desk, &text);
        }
    }
    Err(desk.misread(toks, format!("nothing stands after `{}`", desk.typed(toks)), "at night"))
}

/// The noun of what is worn.
pub(super) fn worn(desk: &Desk<'_>) -> Option<usize> {
    let tied = |tie: &str| matches!(tie, "in" | "wearing" | "dressed in" | "who is wearing");
    desk.draft
        .phrases()
        .into_iter()
        .find(|p| desk.draft.noun_kinds(p.head).contains(&"clothing") && tied(&p.tie))
        .map(|p| p.head)
}

/// Clothes: what is worn already takes the new adjectives, another garment takes its place.
pub(super) fn wear(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<(), Stop> {
    let kinds = kinds_of(super::target::core(toks));
    if let (true, Some(head)) = (kinds.contains(&"clothing"), worn(desk)) {
        let noun = noun_of(super::target::core(toks)).map(|t| t.low.clone()).unwrap_or_default();
        let beside = |kinds: &[Kind]| kinds.contains(&"accessory");
        let over = beside(kinds) != beside(desk.draft.noun_kinds(head));
        if !over && desk.draft.occurrences(&[noun], Reach::Exact, false).is_empty() {
            swap_thing(desk, head..head + 1, toks)?;
            return Ok(());
        }
    }
    have(desk, toks, Lead::Wearing)
}

/// `put the cat in a forest`, `put a hat on her`, `move the cat to the beach`.
pub(super) fn put(desk: &mut Desk<'_>, toks: &[Tok], moves: bool) -> Result<(), Stop> {
    let mut toks = trim(toks);
    if let [thing @ .., back, on] = toks
        && back.low == "back"
        && matches!(on.low.as_str(), "on" | "in" | "there")
    {
        return bring_back(desk, thing);
    }
    if let [thing @ .., back] = toks
        && matches!(back.low.as_str(), "back" | "again")
    {
        if back.low == "back" {
            return bring_back(desk, thing);
        }
        toks = thing;
    }
    let own = Draft::of(desk.typed(toks));
    // `put it back on the chair`
    if let Some(at) = toks.iter().position(|t| t.low == "back").filter(|&i| own.tie_at(i + 1) > 0) {
        return relocate(desk, &toks[at + 1..]);
    }
    if own.tie_at(0) > 0 && toks.len() > own.tie_at(0) {
        return relocate(desk, toks);
    }
    let tie = (1..toks.len())
        .find(|&i| own.tie_at(i) > 0 && !matches!(toks[i].low.as_str(), "of" | "with" | "like" | "as" | "wearing"));
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
    let pronoun =
        matches!(thing, [one] if is_person_pronoun(&one.low) || is_scene_pronoun(&one.low) || one.low == "everything");
    let several = thing.iter().any(|t| t.low == "and") && super::group::all_of(desk, thing).is_some();
    let known = pronoun || several || !places(desk, thing, Reach::Thing).is_empty();
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
    let inside =
        matches!(toks[at].low.as_str(), "on" | "in" | "onto" | "into" | "to" | "between" | "at") && tie_len == 1;
    let alive =
        |r: &Range<usize>| desk.draft.noun_kinds(r.end - 1).iter().any(|k| matches!(*k, "person" | "animal" | "hair"));
    if someone
        || (inside && definite && places(desk, spot, Reach::Thing).iter().any(alive))
        || spot.last().is_some_and(|t| lexicon().noun(&t.low).contains(&"body"))
    {
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
        return settled(desk, &text, true);
    }
    let colour = super::complement::noun_is_colour(toks) && adjective::all_adjectives(&toks[n..]);
    if tie == "in" && (colour || kinds_of(super::target::core(&toks[n..])).contains(&"clothing")) {
        return tied(desk, toks);
    }
    let text = desk.written(toks);
    settled(desk, &text, true)
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
