//! Which thing of the prompt is spoken of.

use super::super::desk::{Desk, Stop, Tok};
use super::super::find::Reach;
use super::super::lexicon::lexicon;
use super::super::small::{is_determiner, is_person_pronoun, is_preposition, is_scene_pronoun, ordinal};
use std::ops::Range;

/// What a clause is about.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Target {
    /// The picture as a whole.
    Scene,
    /// The person shown.
    Person,
    /// Words of the prompt.
    Thing(Range<usize>),
    /// Something that every such picture has, but the prompt does not name: hair, a sky, a background.
    Unnamed(String),
}

const SCENES: &[&str] =
    &["picture", "image", "scene", "photo", "drawing", "landscape", "thing", "portrait", "view", "setting"];
const UNNAMED: &[&str] = &[
    "hair",
    "eyes",
    "eye",
    "skin",
    "lips",
    "mouth",
    "nose",
    "eyebrows",
    "face",
    "sky",
    "background",
    "weather",
    "season",
    "time",
    "mood",
    "expression",
    "ground",
    "light",
    "lighting",
    "colour",
    "color",
    "place",
    "location",
];

/// True for what the picture has without naming it: an apple has a background, but no hair.
pub(super) fn unnamed(desk: &Desk<'_>, word: &str) -> bool {
    let of_someone = word == "hair" || lexicon().noun(word).contains(&"body");
    (UNNAMED.contains(&word) || of_someone)
        && (!of_someone || !desk.draft.heads_of_kind(&["person", "animal", "body", "headgear", "glasses"]).is_empty())
}

/// Fails for a pronoun that nobody in the prompt can be.
pub(super) fn someone(desk: &Desk<'_>, toks: &[Tok]) -> Result<(), Stop> {
    if desk.draft.shows_someone() {
        return Ok(());
    }
    let typed = desk.typed(toks);
    Err(desk.misread(
        toks,
        format!("the prompt shows nobody who could be `{typed}`"),
        "name the thing: make the river wide",
    ))
}

/// Tokens without the determiners before them.
pub(super) fn core(toks: &[Tok]) -> &[Tok] {
    let mut rest = toks;
    while let Some(first) = rest.first() {
        let opens = is_determiner(&first.low) || matches!(first.low.as_str(), "whole" | "entire") || first.is_mark();
        // `all of the snow`
        let of = first.low == "of" && rest.len() < toks.len();
        if rest.len() > 1 && (opens || of) {
            rest = &rest[1..];
        } else {
            break;
        }
    }
    while rest.last().is_some_and(Tok::is_mark) {
        rest = &rest[..rest.len() - 1];
    }
    rest
}

/// Where the thing that these tokens name stands; none if it does not.
pub(super) fn places(desk: &Desk<'_>, toks: &[Tok], reach: Reach) -> Vec<Range<usize>> {
    let core = core(toks);
    let find = |toks: &[Tok]| -> Vec<Range<usize>> {
        if toks.is_empty() {
            return Vec::new();
        }
        // `cat#2`
        if let [words @ .., hash, n] = toks
            && hash.low == "#"
            && !words.is_empty()
        {
            let all = counted(desk, &words_of(words), reach);
            let index = n.low.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
            return index.and_then(|n| all.get(n).cloned().flatten()).into_iter().collect();
        }
        // `the second cat`
        if let [nth, words @ ..] = toks
            && let Some(n) = ordinal(&nth.low).filter(|_| !words.is_empty())
        {
            let all = counted(desk, &words_of(words), reach);
            let one = if n == usize::MAX { all.last() } else { all.get(n - 1) };
            return one.cloned().flatten().into_iter().collect();
        }
        desk.draft.occurrences(&words_of(toks), reach, false)
    };
    let mut found = find(core);
    if found.is_empty() {
        // `the woman's hair`, `the hair of the woman`, `the hat on her head`
        if let Some(owner) = core.iter().rposition(|t| t.low == "'s").filter(|&i| i + 1 < core.len()) {
            found = find(&core[owner + 1..]);
        }
    }
    if found.is_empty()
        && let Some(of) = core.iter().position(|t| is_preposition(&t.low) || t.low == "off").filter(|&i| i > 0)
    {
        found = find(&core[..of]);
    }
    // A thing is meant rather than a word before another thing: the orange, not the orange cat.
    let heads: Vec<Range<usize>> = found.iter().filter(|r| desk.draft.is_head(r.end - 1)).cloned().collect();
    let found = if heads.is_empty() || found.iter().all(|r| r.len() > 1) { found } else { heads };
    owned(desk, toks, found)
}

/// What numbers count: words of the prompt as it was before this line, or else those that this line put there.
fn counted(desk: &Desk<'_>, words: &[String], reach: Reach) -> Vec<Option<Range<usize>>> {
    match desk.places_before(words, reach) {
        before if before.is_empty() => desk.draft.occurrences(words, reach, false).into_iter().map(Some).collect(),
        before => before,
    }
}

/// Of several, those that belong to the person named before them: her hair, the man's hat.
fn owned(desk: &Desk<'_>, toks: &[Tok], found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let before = match toks.iter().position(|t| t.low == "'s") {
        Some(i) if i > 0 => Some(toks[i - 1].low.as_str()),
        _ => {
            // `the hat off the woman`
            let of = toks.iter().position(|t| matches!(t.low.as_str(), "off" | "from" | "of")).and(toks.last());
            of.or(toks.first()).map(|t| t.low.as_str()).filter(|w| sex(w).is_some())
        }
    };
    let (Some(owner), true) = (before, found.len() > 1) else { return found };
    let persons = desk.draft.person();
    let belongs = |r: &&Range<usize>| {
        let mine = persons.iter().rev().find(|&&p| p < r.start);
        mine.is_some_and(|&p| {
            desk.draft.low(p) == owner || (sex(owner).is_some() && sex(desk.draft.low(p)) == sex(owner))
        })
    };
    let mine: Vec<Range<usize>> = found.iter().filter(belongs).cloned().collect();
    if mine.is_empty() { found } else { mine }
}

/// True for what is said of women, false for what is said of men.
fn sex(word: &str) -> Option<bool> {
    match word {
        "her" | "she" | "hers" | "woman" | "lady" | "girl" | "queen" | "princess" | "mother" | "grandmother"
        | "witch" => Some(true),
        "him" | "he" | "his" | "man" | "guy" | "boy" | "king" | "prince" | "father" | "grandfather" | "gentleman" => {
            Some(false)
        }
        _ => None,
    }
}

fn words_of(toks: &[Tok]) -> Vec<String> {
    toks.iter().map(|t| t.low.clone()).collect()
}

/// The one thing that these tokens name.
pub(super) fn thing(desk: &mut Desk<'_>, toks: &[Tok], reach: Reach) -> Result<Range<usize>, Stop> {
    if let [one] = toks {
        if (is_scene_pronoun(&one.low) || matches!(one.low.as_str(), "them" | "one"))
            && let Some(last) = last(desk)
        {
            return Ok(last);
        }
        if is_person_pronoun(&one.low) {
            let head = person(desk)?;
            return Ok(head..head + 1);
        }
    }
    let found = places(desk, toks, reach);
    let core = core(toks);
    if found.is_empty() {
        return Err(desk.missing(if core.is_empty() { toks } else { core }));
    }
    // What this line has put there is spoken of less than what was there: `the cat a dog and the dog a cat`.
    let kept: Vec<Range<usize>> = found.iter().filter(|r| desk.draft.items[r.end - 1].is_kept()).cloned().collect();
    let found = if kept.is_empty() || desk.last.is_some() && kept.len() > 1 { found } else { kept };
    let name = desk.typed(core).to_owned();
    let place = desk.choose_place(format!("`{name}` stands there {} times: which one?", found.len()), &found)?;
    desk.last = Some(desk.draft.low(place.end - 1).to_owned());
    Ok(place)
}

/// The thing last spoken of in this line.
pub(super) fn last(desk: &Desk<'_>) -> Option<Range<usize>> {
    let word = desk.last.clone()?;
    desk.draft.occurrences(&[word], Reach::Exact, false).into_iter().next()
}

/// The noun of the person shown; asks if there are several, falls back on what the picture is of.
pub(super) fn person(desk: &mut Desk<'_>) -> Result<usize, Stop> {
    let mut all = desk.draft.person();
    if all.is_empty() {
        all = desk.draft.subjects();
    }
    one_of(desk, "who is meant?", &all)
}

/// One of several nouns.
pub(super) fn one_of(desk: &mut Desk<'_>, question: &str, heads: &[usize]) -> Result<usize, Stop> {
    let places: Vec<Range<usize>> = heads.iter().map(|&h| h..h + 1).collect();
    if places.is_empty() {
        return Err(desk.misread(
            &[],
            "the prompt names nothing that this could be about",
            "name it: make the cat red",
        ));
    }
    Ok(desk.choose_place(question, &places)?.start)
}

/// What these tokens speak of, if it is anything at all.
pub(super) fn target(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<Option<Target>, Stop> {
    if let [one] = toks {
        if is_scene_pronoun(&one.low) {
            return Ok(Some(last(desk).map_or(Target::Scene, Target::Thing)));
        }
        // `them` is what there are several of.
        if matches!(one.low.as_str(), "them" | "they") {
            let plural = |h: &usize| {
                super::super::lexicon::is_plural(desk.draft.low(*h)) && !desk.draft.noun_kinds(*h).contains(&"person")
            };
            let all: Vec<usize> = desk.draft.heads().into_iter().filter(plural).collect();
            if let Some(last) = last(desk) {
                return Ok(Some(Target::Thing(last)));
            }
            if !all.is_empty() {
                let head = one_of(desk, "which are meant?", &all)?;
                return Ok(Some(Target::Thing(head..head + 1)));
            }
        }
        if is_person_pronoun(&one.low) {
            if !matches!(one.low.as_str(), "them" | "they") {
                someone(desk, toks)?;
            }
            return Ok(Some(Target::Person));
        }
    }
    let core_toks = core(toks);
    let Some(word) = core_toks.last() else { return Ok(None) };
    if core_toks.len() == 1 && SCENES.contains(&word.low.as_str()) && core_toks.len() < toks.len() {
        return Ok(Some(Target::Scene));
    }
    if !places(desk, toks, Reach::Thing).is_empty() {
        return Ok(Some(Target::Thing(thing(desk, toks, Reach::Thing)?)));
    }
    let own = core_toks.iter().rposition(|t| t.low == "'s").map_or(core_toks, |i| &core_toks[i + 1..]);
    if own.len() == 1 && unnamed(desk, &word.low) {
        return Ok(Some(Target::Unnamed(word.low.clone())));
    }
    Ok(None)
}

/// True if [`target`] would find something: asks nothing.
pub(super) fn resolves(desk: &Desk<'_>, toks: &[Tok]) -> bool {
    if let [one] = toks
        && (is_scene_pronoun(&one.low) || is_person_pronoun(&one.low))
    {
        return true;
    }
    let core_toks = core(toks);
    let Some(word) = core_toks.last() else { return false };
    let own = core_toks.iter().rposition(|t| t.low == "'s").map_or(core_toks, |i| &core_toks[i + 1..]);
    if is_determiner(&word.low) {
        return false;
    }
    if core_toks.iter().any(|t| matches!(t.low.as_str(), "and" | "to" | "into" | "with")) {
        return !places(desk, toks, Reach::Exact).is_empty();
    }
    (core_toks.len() == 1 && core_toks.len() < toks.len() && SCENES.contains(&word.low.as_str()))
        || (own.len() == 1 && unnamed(desk, &word.low))
        || !places(desk, toks, Reach::Thing).is_empty()
}
