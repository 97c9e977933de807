//! An adjective for the picture as a whole: its weather, its mood, what it does not name.

use super::super::desk::{Desk, Stop};
use super::super::lexicon::{Kind, lexicon};
use super::super::restore;
use super::adjective::{Adjective, insert, kinds, of_noun, run_of, which, with_degree};
use super::target::{one_of, person};
use std::ops::Range;

/// An adjective for the picture as a whole.
pub(super) fn of_scene(desk: &mut Desk<'_>, adjective: &Adjective) -> Result<Range<usize>, Stop> {
    let low = adjective.low.as_str();
    let wanted = kinds(low);
    let text = adjective.text.as_str();
    // Of several said together none counts as there already.
    let several = text.contains(" and ");
    let here: Vec<usize> =
        (0..desk.draft.items.len()).filter(|&i| !several && lexicon().same(desk.draft.low(i), low)).collect();
    let others = || -> bool {
        let single = wanted
            .first()
            .is_some_and(|k| matches!(*k, "colour" | "length" | "texture" | "size" | "material" | "shape"));
        single && desk.draft.adjectives_of_kind(&wanted[..1]).iter().any(|i| !here.contains(i))
    };
    if let ([same], false) = (here.as_slice(), others())
        && (lexicon().noun(low).is_empty() || !desk.draft.is_head(*same))
    {
        let run = with_degree(desk, *same);
        if adjective.toks.len() > 1 && desk.draft.text(run.clone()).to_lowercase() != text.to_lowercase() {
            return Ok(desk.put(run, text));
        }
        desk.idle.push(format!("`{low}` is in the prompt already"));
        return Ok(run);
    }
    match wanted.first().copied() {
        Some("weather") => weather(desk, adjective),
        Some("season") => {
            let lands = desk.draft.lands();
            match lands.first() {
                Some(&head) => Ok(insert(desk, head, text, false)),
                None => Ok(desk.append(text)),
            }
        }
        Some("mood" | "hairless" | "age" | "action") => {
            let head = person(desk)?;
            of_noun(desk, head, adjective)
        }
        // A portrait made darker shows no dark woman.
        Some("tone" | "temperature") if !desk.draft.person().is_empty() => Ok(desk.append(text)),
        first => {
            // One at a time, wherever it is said: another colour of the prompt may be what is meant.
            if matches!(first, Some("colour" | "length" | "texture" | "size" | "material" | "shape")) {
                let all = desk.draft.adjectives_of_kind(&wanted[..1]);
                let runs: Vec<usize> = all.into_iter().filter(|i| !here.contains(i)).collect();
                if let [only] = runs.as_slice() {
                    let run = run_of(desk, *only);
                    return Ok(desk.put(run, text));
                }
                if runs.len() > 1 {
                    let run = which(desk, &runs, text)?;
                    return Ok(desk.put(run, text));
                }
            }
            let hair = if matches!(first, Some("colour" | "length" | "texture")) {
                desk.draft.heads_of_kind(&["hair"])
            } else {
                Vec::new()
            };
            let heads = if hair.is_empty() { desk.draft.subjects() } else { hair };
            if heads.is_empty() {
                return Ok(desk.append(text));
            }
            let head = one_of(desk, &format!("what becomes `{text}`?"), &heads)?;
            of_noun(desk, head, adjective)
        }
    }
}

/// Weather: in place of the weather there is, else before the first part of the land.
fn weather(desk: &mut Desk<'_>, adjective: &Adjective) -> Result<Range<usize>, Stop> {
    let text = adjective.text.as_str();
    // What is said of the sky is for the sky; rain and snow fall elsewhere first.
    let of_sky = matches!(adjective.low.as_str(), "sunny" | "cloudy" | "clear" | "starry" | "overcast");
    let said = desk.draft.phrases().into_iter().find(|p| {
        lexicon().noun(desk.draft.low(p.head)).contains(&"weather")
            && matches!(p.tie.as_str(), "in" | "during" | "with" | "under")
    });
    let alike = |kind: Kind| Some(desk.draft.adjectives_of_kind(&[kind])).filter(|all| !all.is_empty());
    let mut rivals = kinds(&adjective.low).into_iter().find_map(alike).unwrap_or_default();
    if said.is_some() && !of_sky {
        rivals.retain(|&i| desk.draft.low(desk.draft.head_of(i)) != "sky");
    }
    if let [only] = rivals.as_slice() {
        let run = with_degree(desk, *only);
        return Ok(desk.put(run, text));
    }
    if rivals.len() > 1 {
        let run = which(desk, &rivals, text)?;
        return Ok(desk.put(run, text));
    }
    // `in the rain` becomes `in the snow`.
    if let (Some(phrase), Some(noun)) = (said, lexicon().noun_form(&adjective.low)) {
        if noun == desk.draft.low(phrase.head) {
            desk.idle.push(format!("it is `{}` already", desk.draft.text(phrase.range.clone())));
            return Ok(phrase.range);
        }
        return Ok(desk.put(phrase.head..phrase.head + 1, noun));
    }
    match desk.draft.lands().first() {
        Some(&head) => Ok(insert(desk, head, text, false)),
        None => Ok(desk.append(text)),
    }
}

/// Adds an adjective in notation: before the noun that such adjectives are said of, in no other's place.
pub(super) fn put(desk: &mut Desk<'_>, adjective: &Adjective) -> Result<Range<usize>, Stop> {
    let wanted = kinds(&adjective.low);
    let heads = match wanted.first().copied() {
        Some("weather" | "season") => desk.draft.lands().into_iter().take(1).collect(),
        Some("mood" | "hairless" | "age") => desk.draft.person(),
        Some("colour" | "length" | "texture") => desk.draft.heads_of_kind(&["hair"]),
        _ => Vec::new(),
    };
    let heads = if heads.is_empty() { desk.draft.subjects() } else { heads };
    if heads.is_empty() {
        return Ok(desk.append(&adjective.text));
    }
    // Where an ancestor had it needs no asking.
    if restore::place(&desk.draft, &adjective.text, desk.here.ancestors, false).is_some() {
        return Ok(insert(desk, heads[0], &adjective.text, false));
    }
    let head = one_of(desk, &format!("what becomes `{}`?", adjective.text), &heads)?;
    Ok(insert(desk, head, &adjective.text, false))
}

/// Something every picture of the kind has, named now: ` with blue eyes`, ` on a blue background`.
pub(super) fn give_unnamed(desk: &mut Desk<'_>, word: &str, adjectives: &str) -> Result<Range<usize>, Stop> {
    let a = if lexicon().wants_an(&adjectives.to_lowercase()) { "an" } else { "a" };
    let text = match word {
        "background" => format!("on {a} {adjectives} background"),
        "sky" => format!("under {a} {adjectives} sky"),
        _ if lexicon().noun(word).iter().any(|k| matches!(*k, "hair" | "body")) => {
            if lexicon().goes_bare(word) || word == "skin" {
                format!("with {adjectives} {word}")
            } else {
                format!("with {a} {adjectives} {word}")
            }
        }
        _ => {
            let low = adjectives.to_lowercase();
            let adjective = Adjective { text: adjectives.to_owned(), low, toks: Vec::new() };
            return of_scene(desk, &adjective);
        }
    };
    Ok(desk.append(&text))
}
