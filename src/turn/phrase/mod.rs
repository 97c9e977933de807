//! Plain English, by rules: clauses, their verbs, and what they are about.
//!
//! A line is cut into clauses; each is read by its verb ([`verbs`]). What a clause is about is looked up in the prompt
//! ([`target`]); an adjective takes the place of one of its kind ([`adjective`]), a thing that of another ([`noun`]).

mod add;
mod adjective;
mod bare;
mod clause;
mod complement;
pub(super) mod courtesy;
mod degree;
mod give;
mod group;
mod instead;
mod make;
mod noun;
mod opening;
mod pair;
mod place;
mod remove;
mod scene;
mod target;
mod verbs;
mod weigh;

use super::desk::{Desk, Stop, Tok, tokens};
use super::draft::Draft;
use super::find::Reach;
use super::lexicon::lexicon;
use super::nearest::distance;
use super::small::{is_determiner, is_person_pronoun, is_scene_pronoun};
use super::{Misread, Span};
use courtesy::Wish;
use std::ops::Range;

/// Lines longer than this many words are prompts, not instructions.
const LONGEST: usize = 80;

/// Reads a line in plain English; false if it is no instruction.
pub(super) fn english(desk: &mut Desk<'_>) -> Result<bool, Stop> {
    let toks = tokens(desk.line, 0);
    if toks.len() > LONGEST {
        return Ok(false);
    }
    clauses(desk, &toks)
}

/// True if tokens begin with an instruction.
pub(super) fn is_instruction(desk: &Desk<'_>, toks: &[Tok]) -> bool {
    let (plain, polite, wants) = courtesy::plain(toks);
    !plain.is_empty() && toks.len() <= LONGEST && (polite || wants != Wish::None || opening::opens(desk, plain))
}

/// Reads tokens as clauses; false if they are none.
pub(super) fn clauses(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<bool, Stop> {
    if toks.is_empty() {
        return Ok(false);
    }
    let (plain, polite, mut wants) = courtesy::plain(toks);
    // `, highly detailed` goes on with the prompt.
    if desk.here.prompt.is_some() && toks[0].low == "," && !plain.is_empty() && !opening::opens(desk, plain) {
        let text = desk.typed(noun::trim(toks)).to_owned();
        desk.go_on(&text);
        return Ok(true);
    }
    if desk.here.prompt.is_some()
        && matches!(toks[0].low.as_str(), "only" | "just")
        && opening::names_a_thing(desk, &toks[1..])
    {
        return Err(desk.misread(
            &toks[..1],
            format!("`{}` takes nothing out", desk.typed(&toks[..1])),
            "name what goes: remove the mountains",
        ));
    }
    if desk.here.prompt.is_some() && courtesy::only_courtesy(toks) {
        return Err(desk.misread(toks, "that names nothing to change", "make her hair red, or /help"));
    }
    let asks = matches!(toks[0].low.as_str(), "what" | "why" | "how" | "when" | "where" | "who" | "which");
    if desk.here.prompt.is_some() && asks && toks.last().is_some_and(|t| t.low == "?") && !polite {
        return Err(desk.misread(
            toks,
            "that asks something, and here only changes are understood",
            "/help, or /explain with an edit",
        ));
    }
    if plain.is_empty() {
        return Ok(false);
    }
    let opens = opening::opens(desk, plain);
    if desk.here.prompt.is_none() {
        if !opening::commands(desk, plain) {
            return Ok(false);
        }
        let hint = Some("describe one first: a woman's face with long wavy blond hair".to_owned());
        let span = plain.first().zip(plain.last()).map(|(a, b)| Span { from: a.from, to: b.to });
        return Err(Misread { message: "there is no picture to edit yet".into(), hint, span }.into());
    }
    // `without changing her face` is what happens anyway.
    let aside = plain.iter().enumerate().skip(2).find(|&(i, t)| {
        let next = plain.get(i + 1).map_or("", |t| t.low.as_str());
        t.low == "keeping" || (t.low == "without" && matches!(next, "changing" | "touching" | "altering" | "losing"))
    });
    let plain = match aside {
        Some((i, _)) if opens => noun::trim(&plain[..i]),
        _ => plain,
    };
    if !opens && toks[0].low == "and" && plain[0].from > toks[0].from {
        let text = desk.typed(noun::trim(toks)).to_owned();
        desk.go_on(&text);
        return Ok(true);
    }
    if !opens && matches!(toks[0].low.as_str(), "also" | "plus") && wants == Wish::None {
        wants = Wish::Want;
    }
    if !opens && !polite && wants == Wish::None {
        if verbs::is_of_the_picture(plain) {
            return Err(desk.misread(
                plain,
                format!("`{}` is nothing that words of the prompt can do", desk.typed(plain)),
                "say what the picture should show: a bigger moon; a close-up instead of a portrait",
            ));
        }
        if bare::detail(desk, plain)? {
            return Ok(true);
        }
        // `red hair, no glasses`
        if let Some(cut) = opening::cut_at(plain).filter(|&i| opening::opens(desk, courtesy::plain(&plain[i + 1..]).0))
            && bare::detail(desk, noun::trim(&plain[..cut]))?
        {
            return clauses(desk, &plain[cut + 1..]);
        }
        mistyped(desk, plain)?;
        return Ok(false);
    }
    if !opens && wants == Wish::None && bare::detail(desk, plain)? {
        return Ok(true);
    }
    let clauses = clause::cut(desk, plain);
    // `at sunset, with a forest instead of the river` is two changes.
    let one_of_several =
        clauses.iter().skip(1).any(|c| instead::says_instead(c.head)) && opening::opens(desk, clauses[0].head);
    if !one_of_several && instead::instead(desk, plain)? {
        return Ok(true);
    }
    for clause in clauses {
        if one_of_several && instead::says_instead(clause.head) && instead::instead(desk, clause.head)? {
            continue;
        }
        clause::read(desk, &clause, wants)?;
    }
    Ok(true)
}

/// `mkae her hair red`: a verb mistyped is no new picture.
fn mistyped(desk: &Desk<'_>, toks: &[Tok]) -> Result<(), Stop> {
    let [first, second, ..] = toks else { return Ok(()) };
    let low = first.low.as_str();
    let pointed = matches!(second.low.as_str(), "the" | "it")
        || is_person_pronoun(&second.low)
        || super::small::is_owner(&second.low);
    let known = is_determiner(low) || !lexicon().noun(low).is_empty() || super::small::is_stop(low);
    if !pointed || known || is_scene_pronoun(low) || low.chars().count() < 3 {
        return Ok(());
    }
    let near = verbs::names().filter(|v| v.len() > 3).find(|v| distance(low, v, 1) == 1);
    match near {
        Some(verb) => {
            let one = std::slice::from_ref(first);
            Err(desk.misread(
                one,
                format!("`{}` is no verb known here", desk.typed(one)),
                format!("did you mean `{verb}`?"),
            ))
        }
        // `bleach her hair` tells to do something with what is there.
        None if second.low != "the" || opening::names_a_thing(desk, &toks[1..]) => {
            Err(clause::not_understood(desk, toks))
        }
        None => Ok(()),
    }
}

/// What stands bare between commas beside other edits: more of the prompt.
pub(super) fn rest(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<(), Stop> {
    if Draft::of(desk.typed(toks)).tie_at(0) > 0 {
        return place::tied(desk, toks);
    }
    let plain = noun::trim(toks);
    let words: Vec<String> = plain.iter().map(|t| t.low.clone()).collect();
    if !desk.draft.occurrences(&words, Reach::Exact, true).is_empty() {
        let message = format!("`{}` is in the prompt already", desk.typed(plain));
        return Err(desk.misread(plain, message, "one thing at a time: blond -> red, long -> short"));
    }
    desk.go_on(desk.typed(plain));
    Ok(())
}

/// `cat <-> dog`: two phrases of the prompt change places.
pub(super) fn exchange(desk: &mut Desk<'_>, a: &[Tok], b: &[Tok]) -> Result<(), Stop> {
    if a.is_empty() || b.is_empty() {
        return Err(desk.misread(if a.is_empty() { b } else { a }, "that says only half of it", "cat <-> dog"));
    }
    noun::exchange(desk, a, b)
}

/// `+ snowy`: adjectives go before their noun. Returns where the last one stands.
pub(super) fn insert_adjectives(desk: &mut Desk<'_>, toks: &[Tok]) -> Result<Range<usize>, Stop> {
    let mut placed = 0..0;
    for one in adjective::groups(desk, toks) {
        placed = scene::put(desk, &one)?;
    }
    Ok(placed)
}
