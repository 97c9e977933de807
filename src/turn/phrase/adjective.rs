//! An adjective takes the place of one of its kind, or goes before its noun.

use super::super::desk::{Desk, Stop, Tok};
use super::super::lexicon::{Kind, lexicon};
use super::super::restore;
use super::super::small::is_function_word;
use super::scene::{give_unnamed, of_scene};
use super::target::{Target, person};
use std::ops::Range;

/// One adjective with its degree: `very short`, `dark brown`.
#[derive(Debug, Clone)]
pub(super) struct Adjective {
    /// As it goes into the prompt.
    pub(super) text: String,
    /// The adjective alone, lower case.
    pub(super) low: String,
    /// Its words in the line.
    pub(super) toks: Vec<Tok>,
}

const DEGREE: &[&str] = &["very", "really", "quite", "super", "extremely", "so", "totally", "slightly", "pretty"];
const SHADE: &[&str] = &[
    "dark",
    "light",
    "bright",
    "pale",
    "deep",
    "neon",
    "pastel",
    "hot",
    "dirty",
    "ash",
    "warm",
    "cool",
    "strawberry",
    "platinum",
    "jet",
    "honey",
    "cherry",
    "fire",
    "blood",
    "sky",
    "snow",
    "olive",
    "forest",
    "navy",
    "baby",
    "royal",
    "lime",
    "rose",
    "electric",
    "golden",
    "ocean",
    "midnight",
    "icy",
    "soft",
    "dusty",
    "vivid",
    "dull",
    "fiery",
];

/// Cuts tokens into adjectives: at `and`, commas, and between two that need no joining.
pub(super) fn groups(desk: &Desk<'_>, toks: &[Tok]) -> Vec<Adjective> {
    let mut all: Vec<Adjective> = Vec::new();
    let mut open: Vec<Tok> = Vec::new();
    let close = |open: &mut Vec<Tok>, all: &mut Vec<Adjective>| {
        if !open.is_empty() {
            let toks = std::mem::take(open);
            let low = last_low(&toks);
            all.push(Adjective { text: desk.written(&toks), low, toks });
        }
    };
    for (i, tok) in toks.iter().enumerate() {
        if tok.is_mark() || matches!(tok.low.as_str(), "and" | "but") {
            close(&mut open, &mut all);
            continue;
        }
        open.push(tok.clone());
        let next = toks.get(i + 1).map_or("", |t| t.low.as_str());
        let colour_next = lexicon().adjective(next).contains(&"colour");
        let shade = SHADE.contains(&tok.low.as_str()) && colour_next;
        let degree =
            DEGREE.contains(&tok.low.as_str()) && toks.get(i + 1).is_some_and(|t| !t.is_mark() && t.low != "and");
        if !(shade || degree) {
            close(&mut open, &mut all);
        }
    }
    close(&mut open, &mut all);
    // Two of one kind are said together: `snowy and foggy`, `red and white`.
    let mut merged: Vec<Adjective> = Vec::new();
    for next in all {
        let kind = |a: &Adjective| kinds(&a.low).first().copied();
        match merged.last_mut() {
            Some(last) if kind(last).is_some() && kind(last) == kind(&next) && last.low != next.low => {
                last.text = format!("{} and {}", last.text.replace(" and ", ", "), next.text);
                last.toks.extend(next.toks);
            }
            _ => merged.push(next),
        }
    }
    merged
}

fn last_low(toks: &[Tok]) -> String {
    toks.last().map(|t| t.low.clone()).unwrap_or_default()
}

/// True if every word can stand before a noun: adjectives, degrees, `and`.
pub(super) fn all_adjectives(toks: &[Tok]) -> bool {
    let joins = |t: &Tok| {
        let last = toks.last().is_some_and(|l| l.from == t.from);
        t.is_mark() || t.low == "and" || (!last && DEGREE.contains(&t.low.as_str()))
    };
    let shade = |i: usize| {
        let next = toks.get(i + 1).map_or("", |t| t.low.as_str());
        SHADE.contains(&toks[i].low.as_str()) && lexicon().adjective(next).contains(&"colour")
    };
    let fits = |i: usize| joins(&toks[i]) || lexicon().is_adjective(&toks[i].low) || shade(i);
    toks.iter().any(|t| !joins(t)) && (0..toks.len()).all(fits)
}

/// The kinds that count when something gives way.
pub(super) fn kinds(low: &str) -> Vec<Kind> {
    lexicon().adjective(low).iter().copied().filter(|k| *k != "other").collect()
}

/// Applies adjectives to what a clause is about. Returns where the last of them stands.
pub(super) fn apply(desk: &mut Desk<'_>, target: &Target, adjectives: &[Adjective]) -> Result<Range<usize>, Stop> {
    let mut placed = 0..0;
    match target {
        Target::Thing(range) => {
            let mut head = desk.draft.head_of(range.end - 1);
            let word = desk.draft.low(head).to_owned();
            for adjective in adjectives {
                placed = of_noun(desk, head, adjective)?;
                // The noun may have moved by what was put before it.
                let near = desk.draft.heads().into_iter().filter(|&h| desk.draft.low(h) == word);
                head = near.min_by_key(|h| h.abs_diff(head)).unwrap_or(head.min(desk.draft.items.len() - 1));
            }
            desk.last = Some(word);
        }
        Target::Person => {
            for adjective in adjectives {
                placed = of_person(desk, adjective)?;
            }
        }
        Target::Scene => {
            for adjective in adjectives {
                placed = of_scene(desk, adjective)?;
            }
        }
        Target::Unnamed(word) => {
            let words: Vec<&str> = adjectives.iter().map(|a| a.text.as_str()).collect();
            placed = give_unnamed(desk, word, &words.join(" "))?;
        }
    }
    Ok(placed)
}

/// An adjective for one noun.
pub(super) fn of_noun(desk: &mut Desk<'_>, head: usize, adjective: &Adjective) -> Result<Range<usize>, Stop> {
    let low = adjective.low.as_str();
    // The colour of a person is that of the hair.
    if desk.draft.noun_kinds(head).contains(&"person")
        && matches!(kinds(low).first(), Some(&("colour" | "length" | "texture")))
        && let ([hair], true) = (desk.draft.heads_of_kind(&["hair"]).as_slice(), desk.draft.person().len() == 1)
    {
        return of_noun(desk, *hair, adjective);
    }
    let present = desk.draft.adjectives(head);
    if let Some(&same) = present.iter().find(|&&i| lexicon().same(desk.draft.low(i), low)) {
        let run = run_of(desk, same);
        let already = desk.draft.text(run.clone());
        if super::super::words::same(&already, &adjective.text) || (adjective.toks.len() <= 1 && run.len() == 1) {
            desk.idle.push(format!("`{}` is `{already}` already", desk.draft.items[head].text));
            return Ok(run);
        }
        return Ok(desk.put(run, &adjective.text));
    }
    let mut wanted = kinds(low);
    // A happy face is the face of a happy woman.
    let owner = desk.draft.phrase_start(head).checked_sub(2);
    if let Some(owner) = owner.filter(|&o| {
        wanted.first() == Some(&"mood") && desk.draft.low(o + 1) == "'s" && desk.draft.noun_kinds(o).contains(&"person")
    }) {
        return of_noun(desk, owner, adjective);
    }
    if wanted.first() == Some(&"action") && desk.draft.low(head + 1) != "'s" {
        desk.changes.push(super::super::Change::Add { text: adjective.text.clone() });
        return Ok(desk.draft.insert(head + 1, &adjective.text));
    }
    let noun_kinds = desk.draft.noun_kinds(head);
    if noun_kinds.contains(&"hair") && wanted.iter().any(|k| matches!(*k, "tone" | "colour")) {
        wanted.extend(["colour", "tone"]);
    }
    let mut rivals = best_rivals(desk, &present, &wanted);
    if rivals.is_empty() && wanted.first() == Some(&"mood") && desk.draft.subjects().len() <= 1 {
        rivals = desk.draft.adjectives_of_kind(&["mood"]);
    }
    if rivals.is_empty() && wanted.is_empty() && !lexicon().lists(low) && !lexicon().is_participle(low) {
        rivals = by_likeness(desk, &present, low)?;
    }
    match rivals.len() {
        0 => Ok(insert(desk, head, &adjective.text, true)),
        1 => {
            let run = run_of(desk, rivals[0]);
            Ok(desk.put(run, &adjective.text))
        }
        _ => {
            let run = which(desk, &rivals, &adjective.text)?;
            Ok(desk.put(run, &adjective.text))
        }
    }
}

/// Of the present adjectives those of the first wanted kind that any has.
fn best_rivals(desk: &Desk<'_>, present: &[usize], wanted: &[Kind]) -> Vec<usize> {
    for kind in wanted {
        let found: Vec<usize> =
            present.iter().copied().filter(|&i| lexicon().adjective(desk.draft.low(i)).contains(kind)).collect();
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// For a word without a kind: the adjective that the model finds most like it; asks if none stands out.
fn by_likeness(desk: &mut Desk<'_>, present: &[usize], low: &str) -> Result<Vec<usize>, Stop> {
    let present: Vec<usize> = present.iter().copied().filter(|&i| !is_function_word(desk.draft.low(i))).collect();
    if present.is_empty() {
        return Ok(Vec::new());
    }
    let mut scored: Vec<(f32, usize)> =
        present.iter().filter_map(|&i| desk.here.sense.likeness(low, desk.draft.low(i)).map(|s| (s, i))).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    match scored.as_slice() {
        [(best, i)] if *best >= 0.35 && present.len() == 1 => return Ok(vec![*i]),
        [(best, i), (next, _), ..] if *best >= 0.35 && best - next >= 0.1 => return Ok(vec![*i]),
        _ => {}
    }
    let mut labels: Vec<String> = present.iter().map(|&i| format!("{} -> {low}", desk.label(&(i..i + 1)))).collect();
    labels.push(format!("+ {low}"));
    let pick = desk.choose(format!("what gives way to `{low}`?"), labels)?;
    Ok(present.get(pick).copied().into_iter().collect())
}

/// Asks which of several words gives way.
pub(super) fn which(desk: &mut Desk<'_>, rivals: &[usize], text: &str) -> Result<Range<usize>, Stop> {
    let mut runs: Vec<Range<usize>> = rivals.iter().map(|&i| run_of(desk, i)).collect();
    runs.dedup();
    let labels = runs.iter().map(|r| format!("{} -> {text}", desk.label(r))).collect();
    Ok(runs[desk.choose(format!("what becomes `{text}`?"), labels)?].clone())
}

/// An adjective of the prompt with its degree or shade: `very short`, `dark brown`.
pub(super) fn with_degree(desk: &Desk<'_>, i: usize) -> Range<usize> {
    let mut start = i;
    let colour = lexicon().adjective(desk.draft.low(i)).contains(&"colour");
    while start > 0 {
        let before = desk.draft.low(start - 1);
        if DEGREE.contains(&before) || (colour && start == i && SHADE.contains(&before)) {
            start -= 1;
        } else {
            break;
        }
    }
    start..i + 1
}

/// An adjective with its degree and those of its kind that are joined to it: `red and blue`.
pub(super) fn run_of(desk: &Desk<'_>, i: usize) -> Range<usize> {
    let mut run = with_degree(desk, i);
    let alike = |j: usize| {
        let (a, b) = (lexicon().adjective(desk.draft.low(i)), lexicon().adjective(desk.draft.low(j)));
        a.first().is_some_and(|k| *k != "other" && b.first() == Some(k))
    };
    let joins = |j: usize| matches!(desk.draft.low(j), "and" | ",");
    while run.start > 1 && joins(run.start - 1) && alike(run.start - 2) && desk.draft.low(run.start - 1) == "and" {
        run.start = with_degree(desk, run.start - 2).start;
    }
    while desk.draft.low(run.end) == "and" && alike(run.end + 1) {
        run.end += 2;
    }
    run
}

/// Puts an adjective before its noun: where an ancestor had it, else by the usual order (size, age, texture, colour).
pub(super) fn insert(desk: &mut Desk<'_>, head: usize, text: &str, only_here: bool) -> Range<usize> {
    if let Some(place) = restore::place(&desk.draft, text, desk.here.ancestors, false) {
        let inside = desk.draft.phrase_start(head) <= place.at && place.at <= head;
        let adjoined = !only_here || inside;
        if adjoined {
            desk.changes.push(super::super::Change::Add { text: place.named().to_owned() });
            return desk.draft.insert(place.at, &place.text);
        }
    }
    let rank = |low: &str| -> u8 {
        match lexicon().adjective(low).first().copied() {
            Some("mood" | "other" | "crowd" | "beauty") => 0,
            Some("length" | "size" | "temperature") => 1,
            Some("age" | "hairless") => 2,
            Some("tone") => 4,
            Some("colour" | "season") => 5,
            Some("material" | "phase") => 6,
            Some(_) => 3,
            None => 2,
        }
    };
    let last = text.rsplit(' ').next().unwrap_or(text).to_lowercase();
    let mine = if lexicon().is_adjective(&last) { rank(&last) } else { 7 };
    let first = desk.draft.phrase_start(head);
    let mut at = desk.draft.name_start(head);
    while at > first && lexicon().is_adjective(desk.draft.low(at - 1)) && rank(desk.draft.low(at - 1)) > mine {
        at = run_of(desk, at - 1).start;
    }
    desk.changes.push(super::super::Change::Add { text: text.to_owned() });
    desk.draft.insert(at, text)
}

/// An adjective for the person: the mood is hers, the colour is her hair's.
fn of_person(desk: &mut Desk<'_>, adjective: &Adjective) -> Result<Range<usize>, Stop> {
    let wanted = kinds(&adjective.low);
    let part = match wanted.first().copied() {
        Some("colour" | "length" | "texture") if !wanted.contains(&"size") || adjective.low == "short" => {
            desk.draft.heads_of_kind(&["hair"])
        }
        Some("tone") => desk
            .draft
            .occurrences(&["skin".to_owned()], super::super::find::Reach::Exact, false)
            .iter()
            .map(|r| r.start)
            .collect(),
        _ => Vec::new(),
    };
    if let [head] = part.as_slice() {
        return of_noun(desk, *head, adjective);
    }
    let head = person(desk)?;
    of_noun(desk, head, adjective)
}
