//! Plain English: a line's clauses, their readings, the best of them, and what it does.

mod carry;

use crate::apply::Work;
use crate::check::{dangling, unsound};
use crate::desk::{Desk, Stop, Tok, lows, tokens};
use crate::frames::{Frame, frames};
use crate::grammar::Clause;
use crate::lexicon::lexicon;
use crate::phrase::courtesy;
use crate::rank::{Found, resolve};
use crate::reading::Reading;
use crate::scene::Scene;
use crate::small::{is_determiner, is_function_word};
use crate::{form, words};
use carry::{Held, apply, hold};

/// Lines longer than this many words are prompts, not instructions.
const LONGEST: usize = 80;

/// How much a reader may take for granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Only what finds all that it names.
    Sure,
    /// Also what is left when no one else reads the line.
    Rest,
}

/// A line's clauses with what was said around them.
struct Spoken<'t> {
    clauses: Vec<&'t [Tok]>,
    words: Vec<&'t str>,
    polite: bool,
}

fn spoken<'t>(toks: &'t [Tok], named: &dyn Fn(&str) -> bool) -> Spoken<'t> {
    let (plain, polite, wish) = courtesy::plain(toks);
    Spoken { clauses: cut(plain, named), words: lows(plain), polite: polite || wish != courtesy::Wish::None }
}

/// True if a line tells to do something.
pub(crate) fn instructs(line: &str, prompt: &str) -> bool {
    let toks = tokens(line, 0);
    if toks.len() > LONGEST {
        return false;
    }
    let words: Vec<String> = words::lowered(prompt);
    let named = |w: &str| !is_function_word(w) && words.iter().any(|p| lexicon().same(p, w));
    let said = spoken(&toks, &named);
    let low: Vec<&str> = toks.iter().map(|t| t.low.as_str()).collect();
    let wished = low.windows(2).any(|w| w == ["would", "be"]) || low.contains(&"please");
    form::is_instruction(&said.words, said.polite || wished, &named)
}

/// True for a line that only ever describes.
pub(crate) fn describes(line: &str, prompt: &str) -> bool {
    let words = words::split(line);
    let old: Vec<String> = words::lowered(prompt);
    let points = words.windows(2).any(|p| {
        let (the, noun) = (words::lower(p[0].text), words::lower(p[1].text));
        the == "the" && !is_function_word(&noun) && old.contains(&noun) && !old.contains(&the)
    });
    if points {
        return false;
    }
    let low: Vec<String> = words.iter().take(4).map(|w| words::lower(w.text)).collect();
    match low.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["there", "is" | "are", first, _] => {
            words.len() > 6 && !matches!(*first, "no" | "not" | "too" | "now" | "more" | "less" | "nothing")
        }
        ["more" | "less", "than" | "is", ..] | ["no", _, "'s", ..] => true,
        _ => false,
    }
}

/// True for a line that begins with what may be a verb, and goes on as only a caption does: `give way sign on a road`.
pub(crate) fn is_caption(line: &str, prompt: &str) -> bool {
    let words: Vec<String> = words::lowered(line);
    let low: Vec<&str> = words.iter().map(String::as_str).collect();
    let verb = frames().verb(&low).is_some_and(|(_, n)| n == 1) && !matches!(low[0], "use" | "try" | "set" | "go");
    low.len() > 3
        && verb
        && !low.iter().any(|w| w.chars().all(|c| !c.is_alphanumeric()) && *w != ",")
        && !instructs(line, prompt)
}

/// Cuts where another order begins: `add a goat and remove the hen`.
fn cut<'t>(toks: &'t [Tok], named: &dyn Fn(&str) -> bool) -> Vec<&'t [Tok]> {
    let mut all = Vec::new();
    let mut from = 0;
    let mut i = 1;
    while i + 1 < toks.len() {
        let low = toks[i].low.as_str();
        if low == ","
            && matches!(toks[i + 1].low.as_str(), "no" | "without")
            && toks.len() > i + 2
            && form::orders(&lows(&toks[from..i]), named)
        {
            all.push(&toks[from..i]);
            from = i + 1;
        } else if matches!(low, "and" | "&" | "," | "then" | ";" | "." | "but" | "while") {
            let mut next = i + 1;
            while next < toks.len()
                && matches!(toks[next].low.as_str(), "and" | "&" | "then" | "also" | "," | "please" | "so" | "just")
            {
                next += 1;
            }
            let words: Vec<&str> = lows(&toks[next..]);
            // `the umbrella, change it to a newspaper` is one order.
            let about = low == ","
                && from == 0
                && i < 5
                && is_determiner(&toks[0].low)
                && toks[1..i].iter().all(|t| named(&t.low) || lexicon().is_adjective(&t.low));
            // `the suit and tie`
            let paired = low == "and"
                && next == i + 1
                && named(&toks[i - 1].low)
                && named(words.first().copied().unwrap_or_default())
                && !lexicon().noun(words.first().copied().unwrap_or_default()).is_empty();
            if !words.is_empty()
                && !about
                && !paired
                && i > from
                && (form::orders(&words, named) || (form::orders(&lows(&toks[from..i]), named) && bare_order(&words)))
            {
                all.push(&toks[from..i]);
                from = next;
                i = next;
            }
        }
        i += 1;
    }
    all.push(&toks[from..]);
    all
}

/// `… and add goats`
fn bare_order(words: &[&str]) -> bool {
    let noun = words.first().is_some_and(|w| !lexicon().noun(w).is_empty() || lexicon().is_adjective(w));
    words.len() > 1 && !noun && frames().tells(words[0]) && !matches!(words[1], "of" | "and" | ",")
}

/// Reads a line against the prompt; false if no reading of it holds.
pub(crate) fn english(desk: &mut Desk<'_>, trust: Trust) -> Result<bool, Stop> {
    let Some(prompt) = desk.here.prompt else { return Ok(false) };
    let toks = tokens(desk.line, 0);
    if toks.len() > LONGEST || toks.is_empty() || desk.line.contains('#') {
        return Ok(false);
    }
    let scene = Scene::of(prompt);
    let named = |w: &str| !is_function_word(w) && scene.low.iter().any(|p| lexicon().same(p, w));
    let said = spoken(&toks, &named);
    if said.words.is_empty() {
        return Ok(false);
    }
    let mut work = Work::new(&scene, prompt);
    if let ([keep @ ("keep" | "drop"), "them" | "it" | "that"], Some(parent)) =
        (said.words.as_slice(), desk.here.ancestors.first())
    {
        if work.otherwise(parent, prompt, *keep == "keep") {
            return Ok(work.make(desk).is_ok());
        }
        if *keep == "keep" {
            return Ok(false);
        }
    }
    let names = |w: &[&str]| !matches!(resolve(&scene, w), Found::None | Found::Picture);
    let mut whole = said.clauses.clone();
    whole.retain(|c| !c.is_empty());
    let parts: Vec<Vec<Tok>> = whole.iter().flat_map(|c| told_again(c, &names)).collect();
    let mut clauses: Vec<&[Tok]> = parts.iter().map(Vec::as_slice).collect();
    // `keep the street, lose the car`: what is kept is kept anyway.
    if clauses.len() > 1 {
        clauses.retain(|c| {
            !matches!(c[0].low.as_str(), "keep" | "leave")
                || c.iter().any(|t| matches!(t.low.as_str(), "out" | "only" | "just"))
        });
    }
    if clauses.is_empty() {
        return Ok(false);
    }
    // `remove the hen and put a goat in its place` is one swap.
    if let [first, second] = clauses.as_slice()
        && let Some((what, new)) = in_its_place(first, second)
    {
        let Found::Things(things) = resolve(&scene, &lows(what)) else { return Ok(false) };
        let named = lows(what);
        if things.len() != 1 || work.swap(things[0], &[], &named, &desk.written(new)).is_err() {
            return Ok(false);
        }
        return Ok(work.make(desk).is_ok() && dangling(prompt, &desk.draft.prompt()).is_none());
    }
    // `add a hat and make it red`: what was added is not in the prompt yet.
    let later = clauses.iter().skip(1).any(|c| is_about_it(c))
        && clauses[0].first().is_some_and(|t| {
            frames().verb(&[t.low.as_str()]).is_some_and(|(f, _)| f.contains(&Frame::Add) || f.contains(&Frame::Give))
        });
    let polite = said.polite || clauses.len() > 1;
    for clause in &clauses {
        if later || !read(desk, &scene, &mut work, clause, trust, polite)? {
            return Ok(clauses.len() > 1
                && trust == Trust::Rest
                && one_by_one(desk, &clauses)?
                && dangling(prompt, &desk.draft.prompt()).is_none());
        }
    }
    if work.is_empty() {
        if trust == Trust::Rest && !work.idle.is_empty() {
            desk.idle.append(&mut work.idle);
            return Ok(true);
        }
        return Ok(false);
    }
    if work.make(desk).is_err() {
        return Ok(false);
    }
    desk.draft.agree();
    Ok(unsound(desk.line, prompt, &desk.draft.prompt(), &desk.changes).is_none())
}

/// True for an order about what was last spoken of: `make it red`.
fn is_about_it(clause: &[Tok]) -> bool {
    matches!(lows(clause).as_slice(), [_, "it" | "them", ..])
}

/// Each clause on the prompt as those before it left it; what the grammar does not read is read by the older rules.
fn one_by_one(desk: &mut Desk<'_>, clauses: &[&[Tok]]) -> Result<bool, Stop> {
    for (i, clause) in clauses.iter().enumerate() {
        let grammar = !(i > 0 && is_about_it(clause)) && part(desk, clause)?;
        if !grammar && !crate::phrase::clauses(desk, clause)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Reads one clause on the prompt as it is by now.
pub(crate) fn part(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<bool, Stop> {
    // A line of hundreds of changes is written in notation.
    if toks.len() > LONGEST || desk.line.len() > 16 * LONGEST {
        return Ok(false);
    }
    let now = desk.draft.prompt();
    let scene = Scene::of(&now);
    if scene.low.len() != desk.draft.items.len() {
        return Ok(false);
    }
    let mut work = Work::new(&scene, &now);
    let (changes, idle) = (desk.changes.len(), desk.idle.len());
    let done = read(desk, &scene, &mut work, toks, Trust::Sure, true)? && !work.is_empty() && work.make(desk).is_ok();
    if !done {
        desk.changes.truncate(changes);
        desk.idle.truncate(idle);
    }
    Ok(done)
}

/// `replace the cat by a dog, the forest by a beach`: each with the verb that is said once.
fn told_again(toks: &[Tok], names: &dyn Fn(&[&str]) -> bool) -> Vec<Vec<Tok>> {
    let low = lows(toks);
    // `blond to red and round to square` has none.
    let (kinds, n) = frames().verb(&low).unwrap_or((vec![Frame::Change], 0));
    if !kinds.iter().any(|k| matches!(k, Frame::Change | Frame::Replace)) || n == 0 && !names(&low[..1]) {
        return vec![toks.to_vec()];
    }
    // `swap cheese and wine for cookies and milk`
    let tie = (n..low.len()).find(|&i| matches!(low[i], "with" | "for" | "by" | "to" | "into"));
    let ands: Vec<usize> = (n..low.len()).filter(|&i| low[i] == "and").collect();
    if let (Some(tie), [a, b], true) = (tie, ands.as_slice(), n > 0)
        && n < *a
        && *a + 1 < tie
        && tie + 1 < *b
        && *b + 1 < low.len()
        && names(&low[n..*a])
        && names(&low[*a + 1..tie])
        && !low[tie + 1..].iter().any(|w| crate::small::is_preposition(w))
    {
        let one = |old: &[Tok], new: &[Tok]| [&toks[..n], old, &toks[tie..=tie], new].concat();
        return vec![one(&toks[n..*a], &toks[tie + 1..*b]), one(&toks[a + 1..tie], &toks[b + 1..])];
    }
    let ties: &[&str] =
        if low.contains(&"to") || low.contains(&"into") { &["to", "into"] } else { &["with", "by", "for"] };
    let mut all = Vec::new();
    let mut from = n;
    for i in n..low.len() {
        let rest = &low[i + 1..];
        let next = rest.iter().position(|w| matches!(*w, "and" | ",")).unwrap_or(rest.len());
        let tied = rest[..next].iter().position(|w| ties.contains(w)).filter(|t| *t > 0 && *t + 1 < next);
        if matches!(low[i], "and" | ",")
            && low[from..i].iter().any(|w| ties.contains(w))
            && tied.is_some_and(|t| names(&rest[..t]))
        {
            all.push([&toks[..n], &toks[from..i]].concat());
            from = i + 1;
        }
    }
    all.push([&toks[..n], &toks[from..]].concat());
    all
}

/// What goes and what comes in its place, if two clauses say so.
fn in_its_place<'t>(first: &'t [Tok], second: &'t [Tok]) -> Option<(&'t [Tok], &'t [Tok])> {
    let (kinds, n) = frames().verb(&lows(first))?;
    if !kinds.contains(&Frame::Remove) || n >= first.len() {
        return None;
    }
    let low = lows(second);
    let new = match low.as_slice() {
        ["replace" | "swap" | "substitute", "it" | "them", "with" | "by" | "for", ..] => &second[3..],
        ["replace" | "substitute", "with" | "by", ..] => &second[2..],
        [_, .., "in", "its" | "their", "place"] => &second[1..second.len() - 3],
        ["put" | "add" | "place", .., "instead" | "there"] => &second[1..second.len() - 1],
        _ => return None,
    };
    (!new.is_empty()).then_some((&first[n..], new))
}

/// Reads one clause.
fn read(
    desk: &mut Desk<'_>,
    scene: &Scene,
    work: &mut Work<'_>,
    toks: &[Tok],
    trust: Trust,
    polite: bool,
) -> Result<bool, Stop> {
    let (toks, _, _) = courtesy::plain(toks);
    let low = lows(toks);
    let names = |w: &[&str]| matches!(resolve(scene, w), Found::Things(_)) || scene.one_of_several(w).is_some();
    let clause = Clause { low: low.clone(), names: &names, polite };
    let readings = clause.readings();
    let mut held: Vec<Held<'_>> = Vec::new();
    for reading in &readings {
        if let Some(h) = hold(scene, &low, reading) {
            held.push(h);
        }
    }
    held.sort_by_key(|h| -h.score);
    for h in held {
        if h.score < 50 && trust == Trust::Sure {
            break;
        }
        let before = work.mark();
        match apply(desk, scene, work, toks, &h, trust)? {
            true => return Ok(true),
            false => work.back_to(before),
        }
    }
    // What it is about is not there.
    if trust == Trust::Rest {
        for reading in &readings {
            if let Reading::Remove { what }
            | Reading::Swap { old: Some(what), .. }
            | Reading::Cover { what, .. }
            | Reading::Become { what: Some(what), .. }
            | Reading::Act { who: Some(what), .. }
            | Reading::Count { what, .. } = reading
                && matches!(resolve(scene, &low[what.clone()]), Found::None)
            {
                return Err(desk.missing(core(&toks[what.clone()])));
            }
        }
    }
    Ok(false)
}

/// Without articles before it.
fn core(toks: &[Tok]) -> &[Tok] {
    let mut rest = toks;
    while rest.len() > 1 && (is_determiner(&rest[0].low) || rest[0].is_mark()) {
        rest = &rest[1..];
    }
    rest
}

/// See [`crate::readings`].
pub(crate) fn explained(line: &str, prompt: &str) -> Vec<(String, i32)> {
    let toks = tokens(line, 0);
    if toks.len() > LONGEST {
        return Vec::new();
    }
    let scene = Scene::of(prompt);
    let named = |w: &str| !is_function_word(w) && scene.low.iter().any(|p| lexicon().same(p, w));
    let said = spoken(&toks, &named);
    let mut all = Vec::new();
    for clause in said.clauses {
        let (toks, _, _) = courtesy::plain(clause);
        let low = lows(toks);
        let names = |w: &[&str]| matches!(resolve(&scene, w), Found::Things(_));
        let readings = Clause { low: low.clone(), names: &names, polite: said.polite }.readings();
        for reading in &readings {
            let score = hold(&scene, &low, reading).map_or(0, |h| h.score);
            let parts: Vec<String> =
                reading.parts().iter().filter_map(|r| toks.get(r.clone())).map(|t| text_of(line, t)).collect();
            all.push((format!("{} {}", reading.name(), parts.join(" | ")), score));
        }
    }
    all.sort_by_key(|(_, score)| -score);
    all
}

fn text_of(line: &str, toks: &[Tok]) -> String {
    match (toks.first(), toks.last()) {
        (Some(a), Some(b)) => line.get(a.from..b.to).unwrap_or_default().to_owned(),
        _ => String::new(),
    }
}

/// True if a line is the present prompt with some words changed, whatever its clauses say.
pub(crate) fn retypes(line: &str, prompt: &str) -> bool {
    let (old, new) = (words::split(prompt).len(), words::split(line).len());
    let Some(kept) = crate::whole::near(prompt, line).filter(|_| new > 2) else { return false };
    // `fishing boats in a harbor` may tell someone to fish, but not where nearly all of it is the prompt.
    kept > 5 && kept * 4 >= old.max(new) * 3 || !instructs(line, prompt)
}
