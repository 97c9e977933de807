//! The notation (`blond -> red`, `+ at night`, `- snowy`, `wavy*2`, `(wavy:1.5)`, `cat#2`), and whole prompts.

use super::desk::{Desk, Stop, Tok, lows};
use super::draft::Draft;
use super::find::Reach;
use super::lexicon::lexicon;
use super::sign::{Part, Sign, find_word, number, parts, sign, weighed};
use super::small::{is_article, is_determiner, is_function_word, is_owner, ordinal};
use super::whole::strip_weights;
use super::words::{lower, split};
use super::{Change, Misread, Weight, phrase};
use std::ops::Range;

/// Parts cut once more at an `and` or `then` that another change follows: `long -> short and blond -> red`.
pub(super) fn joined_parts<'a>(desk: &Desk<'_>, parts: Vec<Part<'a>>) -> Vec<Part<'a>> {
    let mut all = Vec::new();
    for mut part in parts {
        if matches!(sign(part), Sign::None) || part.text.len() > 400 {
            all.push(part);
            continue;
        }
        let mut at = 0;
        while let Some((i, word)) = ["and then", "and", "then", "but"]
            .iter()
            .filter_map(|w| find_word(&part.text[at..], w).map(|i| (i + at, *w)))
            .min_by_key(|&(i, w)| (i, usize::MAX - w.len()))
        {
            let rest = part.slice(i + word.len()..part.text.len());
            let before = part.slice(0..i);
            let signed = !matches!(sign(rest), Sign::None);
            if !matches!(sign(before), Sign::None) && (signed || phrase::is_instruction(desk, &rest.toks())) {
                all.push(before);
                part = rest;
                at = 0;
            } else {
                at = i + word.len();
            }
        }
        all.push(part);
    }
    all.retain(|p| !p.text.is_empty());
    all
}

/// Reads a line in notation; false if it holds none.
pub(super) fn notation(desk: &mut Desk<'_>) -> Result<bool, Stop> {
    let line = desk.line;
    let parts = joined_parts(desk, parts(line));
    let signs: Vec<Sign<'_>> = parts.iter().map(|p| sign(*p)).collect();
    let arrow = signs.iter().any(|s| matches!(s, Sign::Swap { .. }));
    let first_is = !matches!(signs.first(), None | Some(Sign::None));
    let later = signs.iter().any(|s| !matches!(s, Sign::None));
    let instruction = later && parts.first().is_some_and(|p| phrase::is_instruction(desk, &p.toks()));
    if !arrow && !first_is && !instruction {
        return Ok(false);
    }
    // `(masterpiece:1.2), best quality, a cat` is a whole prompt with a weight in it, if it is the first, or has words
    // that the present prompt lacks.
    let weighs_only = signs.iter().all(|s| matches!(s, Sign::None | Sign::Weigh(_)));
    let has_words = |s: &Sign<'_>| match s {
        Sign::Weigh(all) => all.iter().all(|(words, _)| !words.toks().is_empty()),
        _ => true,
    };
    if weighs_only && signs.iter().all(has_words) {
        let plain = || parts.iter().zip(&signs).filter(|(_, s)| matches!(s, Sign::None)).map(|(p, _)| p.toks());
        let strange = |s: &Sign<'_>| match s {
            Sign::Weigh(all) => all.iter().any(|(words, _)| find(desk, &words.toks()).is_ok_and(|f| f.1.is_empty())),
            _ => false,
        };
        let is_whole = match desk.here.prompt {
            None => !plain().any(|toks| phrase::is_instruction(desk, &toks)),
            Some(_) => {
                plain().next().is_some()
                    && !plain().any(|toks| phrase::is_instruction(desk, &toks))
                    && signs.iter().any(strange)
            }
        };
        if is_whole {
            return Ok(false);
        }
    }
    // `a woman with wavy hair*2` is a whole prompt with a weight in it.
    if let [Sign::Weigh(all)] = signs.as_slice() {
        let words = all.first().map(|(w, _)| w.toks()).unwrap_or_default();
        let known = find(desk, &words).is_ok_and(|f| !f.1.is_empty());
        if !known && (words.len() > 4 || words.first().is_some_and(|w| is_article(&w.low))) {
            return Ok(false);
        }
    }
    if desk.here.prompt.is_none() {
        let span = parts.first().map(|p| p.span());
        let hint = Some("describe one first: a woman's face with long wavy blond hair".to_owned());
        return Err(Misread { message: "there is no picture to edit yet".into(), hint, span }.into());
    }
    for (part, sign) in parts.iter().zip(signs) {
        match sign {
            // `cat <-> dog`
            Sign::Swap { left, right } if left.text.ends_with('<') => {
                let one = left.slice(0..left.text.len() - 1);
                phrase::exchange(desk, &one.toks(), &right.toks())?;
            }
            Sign::Swap { left, right } => swap(desk, *part, left, right)?,
            Sign::Add(rest) => add(desk, *part, rest)?,
            Sign::Remove(rest) => remove(desk, *part, rest)?,
            Sign::Weigh(all) => {
                for (words, value) in all {
                    if words.toks().is_empty() {
                        return Err(desk.misread(&part.toks(), "nothing stands left of `*`", "wavy*1.5"));
                    }
                    let value = number(words, value)?;
                    let place = locate(desk, &words.toks(), false)?;
                    weigh(desk, place, value);
                }
            }
            Sign::None => {
                if part.text.chars().all(|c| c.is_ascii_digit() || c == '.') {
                    let hint = "write a fraction with a point: wavy*1.5";
                    return Err(desk.misread(
                        &part.toks(),
                        format!("`{}` is a number with nothing to weigh", part.text),
                        hint,
                    ));
                }
                let toks = part.toks();
                let read = desk.here.prompt.is_some() && super::english::part(desk, &toks)?;
                if !read && !phrase::clauses(desk, &toks)? {
                    phrase::rest(desk, &part.toks())?;
                }
            }
        }
    }
    Ok(true)
}

/// Every word of a place gets the weight; small words do not count.
pub(super) fn weigh(desk: &mut Desk<'_>, place: Range<usize>, value: f64) {
    let all: Vec<usize> = place.filter(|&i| desk.draft.is_word(i)).collect();
    let content: Vec<usize> = all.iter().copied().filter(|&i| !is_function_word(desk.draft.low(i))).collect();
    for i in if content.is_empty() { all } else { content } {
        desk.weigh(i, Weight::Set(value));
    }
}

/// Cuts `#2` off the end of tokens: the words, and the number if there is one.
pub(super) fn numbered(toks: &[Tok]) -> (&[Tok], Option<usize>) {
    if let [words @ .., hash, n] = toks
        && hash.low == "#"
        && !words.is_empty()
        && words[words.len() - 1].to == hash.from
        && hash.to == n.from
        && let Ok(n) = n.low.parse()
    {
        return (words, Some(n));
    }
    (toks, None)
}

/// The words of tokens, and where they stand among the parent's own words.
pub(super) fn find<'t>(desk: &Desk<'_>, toks: &'t [Tok]) -> Result<(&'t [Tok], Vec<Range<usize>>), Stop> {
    let words = |t: &[Tok]| -> Vec<String> { t.iter().map(|t| t.low.clone()).collect() };
    let (mut core, index) = numbered(toks);
    let stand = |toks: &[Tok]| -> Vec<Range<usize>> {
        match index {
            // Numbers count the words as the person sees them, whatever this line did before.
            Some(n) => match desk.places_before(&words(toks), Reach::Exact) {
                before if before.is_empty() => Vec::new(),
                before => before.get(n.wrapping_sub(1)).cloned().flatten().into_iter().collect(),
            },
            None => desk.draft.occurrences(&words(toks), Reach::Exact, true),
        }
    };
    let mut places = stand(core);
    while places.is_empty() && core.len() > 1 && (is_determiner(&core[0].low) || core.last().is_some_and(Tok::is_mark))
    {
        core = if is_determiner(&core[0].low) { &core[1..] } else { &core[..core.len() - 1] };
        places = stand(core);
    }
    // `the second cat`
    if let [nth, rest @ ..] = core
        && places.is_empty()
        && !rest.is_empty()
        && let Some(n) = ordinal(&nth.low)
    {
        let all = desk.places_before(&words(rest), Reach::Exact);
        let one = all.get(n.min(all.len()).saturating_sub(1)).filter(|_| n <= all.len() || n == usize::MAX);
        if let Some(Some(place)) = one {
            return Ok((rest, vec![place.clone()]));
        }
    }
    if let Some(n) = index.filter(|_| places.is_empty()) {
        let name = desk.typed(core);
        let before = desk.places_before(&words(core), Reach::Exact);
        let (message, hint) = match before.len() {
            0 => return Ok((core, places)),
            total if (1..=total).contains(&n) => {
                (format!("`{name}#{n}` was changed before in this line"), "say what becomes of it once".to_owned())
            }
            total => (
                format!("there is no `{name}#{n}`: the prompt has {total} `{name}`"),
                format!("the last one is {name}#{total}"),
            ),
        };
        return Err(desk.misread(toks, message, hint));
    }
    Ok((core, places))
}

/// The one place of these words; asks if there are several, fails if there is none.
pub(super) fn locate(desk: &mut Desk<'_>, toks: &[Tok], kept_only: bool) -> Result<Range<usize>, Stop> {
    let (core, mut places) = find(desk, toks)?;
    if places.is_empty() && !kept_only {
        let words: Vec<String> = core.iter().map(|t| t.low.clone()).collect();
        places = desk.draft.occurrences(&words, Reach::Exact, false);
    }
    if places.is_empty() && !kept_only {
        // `snow*2` weighs `snowy`.
        places = desk.draft.occurrences(&core.iter().map(|t| t.low.clone()).collect::<Vec<_>>(), Reach::Idea, false);
    }
    if places.is_empty() {
        let (core, _) = numbered(toks);
        return Err(desk.missing(core));
    }
    let name = desk.typed(core).to_owned();
    desk.choose_place(format!("`{name}` stands there {} times: which one?", places.len()), &places)
}

pub(super) fn swap(desk: &mut Desk<'_>, part: Part<'_>, left: Part<'_>, right: Part<'_>) -> Result<(), Stop> {
    let toks = left.toks();
    if toks.is_empty() {
        return Err(desk.misread(&part.toks(), "nothing stands left of `->`", format!("to add it: + {}", right.text)));
    }
    if right.arrow().is_some() {
        return Err(desk.misread(
            &part.toks(),
            "one `->` too many",
            "several swaps are joined by commas: a -> b, c -> d",
        ));
    }
    let place = locate(desk, &toks, true)?;
    let (mut text, mut weight) = (right.text, None);
    if let [(words, value)] = weighed(right).as_slice() {
        weight = Some(number(*words, *value)?);
        text = words.text;
    }
    if split(text).is_empty() {
        return Err(desk.misread(
            &part.toks(),
            "nothing stands right of `->`",
            format!("to take it out: - {}", left.text),
        ));
    }
    // `the cat -> a dog` leaves the article that is there.
    let opens = |t: &str| split(t).first().map(|w| (lower(w.text), w.to));
    let inside = desk.draft.phrase_start(desk.draft.head_of(place.end - 1)) < place.start;
    let article_before = place.start > 0 && (is_determiner(desk.draft.low(place.start - 1)) || inside);
    let article_inside = is_article(desk.draft.low(place.start)) && place.len() > 1;
    let mut place = place;
    if let Some((first, to)) = opens(text) {
        let more = split(text).len() > 1;
        let same =
            lower(&desk.draft.text(place.start + usize::from(article_inside)..place.end)) == lower(text[to..].trim());
        if is_article(&first) && more && (article_before || article_inside) && !same {
            text = text[to..].trim_start();
            if article_inside {
                place.start += 1;
            }
        }
    }
    let head = desk.draft.is_head(place.end - 1);
    let placed = desk.swap(place, text);
    drop_article(desk, &placed, head);
    if let Some(value) = weight {
        weigh(desk, placed, value);
    }
    Ok(())
}

/// `a cat` turned into `dogs` loses its `a`.
pub(super) fn drop_article(desk: &mut Desk<'_>, placed: &Range<usize>, was_head: bool) {
    let last = placed.end - 1;
    if !was_head || desk.draft.low(last + 1) == "'s" || !desk.draft.is_head(last) {
        return;
    }
    let bare = super::find::is_plural_head(desk.draft.low(last));
    let start = desk.draft.phrase_start(last);
    let counted = |low: &str| matches!(low, "two" | "three" | "four" | "five" | "six" | "several" | "many" | "some");
    let counts = placed.clone().any(|i| counted(desk.draft.low(i)) || is_owner(desk.draft.low(i)));
    let a = placed.start.checked_sub(1).filter(|&i| matches!(desk.draft.low(i), "a" | "an"));
    match a {
        Some(i) if counts => desk.draft.remove(i..i + 1),
        _ if bare && matches!(desk.draft.low(start), "a" | "an") && start < placed.start => {
            desk.draft.remove(start..start + 1);
        }
        _ => {}
    }
}

pub(super) fn add(desk: &mut Desk<'_>, part: Part<'_>, rest: Part<'_>) -> Result<(), Stop> {
    let (mut text, mut weight) = (rest, None);
    if let [(words, value)] = weighed(rest).as_slice() {
        weight = Some(number(*words, *value)?);
        text = *words;
    }
    let toks = text.toks();
    if toks.is_empty() {
        return Err(desk.misread(&part.toks(), "nothing stands after `+`", "+ at night"));
    }
    let adjectives = toks.iter().all(|t| {
        let low = t.low.as_str();
        (lexicon().is_adjective(low) || matches!(low, "and" | "," | "very")) && lexicon().noun(low).is_empty()
    });
    let placed = if adjectives && !matches!(lows(&toks).as_slice(), ["and" | "," | "very"]) {
        phrase::insert_adjectives(desk, &toks)?
    } else {
        // `+ with a (red:2) hat`
        let (plain, inner) = strip_weights(text.text)?;
        let placed = desk.go_on(&plain);
        let first = placed.start + usize::from(desk.draft.low(placed.start) == "," && !plain.starts_with(','));
        for (words, value) in inner {
            weigh(desk, first + words.start..(first + words.end).min(placed.end), value);
        }
        placed
    };
    if let Some(value) = weight {
        weigh(desk, placed, value);
    }
    Ok(())
}

pub(super) fn remove(desk: &mut Desk<'_>, part: Part<'_>, rest: Part<'_>) -> Result<(), Stop> {
    let toks = rest.toks();
    if toks.is_empty() {
        return Err(desk.misread(&part.toks(), "nothing stands after `-`", "- snowy"));
    }
    let (core, places) = find(desk, &toks)?;
    if places.is_empty() {
        // `- with glasses` where the prompt says `with round glasses`: the preposition need not stand next to it.
        let tie = Draft::of(rest.text).tie_at(0);
        if tie > 0 && tie < core.len() {
            let place = locate(desk, &core[tie..], true)?;
            return desk.remove(place, &toks);
        }
        return Err(desk.missing(core));
    }
    let name = desk.typed(core).to_owned();
    let mut place = desk.choose_place(format!("`{name}` stands there {} times: which one?", places.len()), &places)?;
    // The removal itself takes prepositions, `and` and commas along.
    while place.len() > 1 && desk.draft.tie_at(place.start) > 0 {
        place.start = (place.start + desk.draft.tie_at(place.start)).min(place.end - 1);
    }
    while place.len() > 1 && matches!(desk.draft.low(place.start), "and" | ",") {
        place.start += 1;
    }
    let only = desk.draft.low(place.end - 1);
    if !desk.draft.is_word(place.end - 1) || is_function_word(only) {
        let text = desk.draft.text(place.clone());
        desk.draft.remove(place);
        desk.changes.push(Change::Remove { text });
        return Ok(());
    }
    desk.remove(place, &toks)
}
