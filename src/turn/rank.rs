//! Which of a clause's readings holds: by what it finds in the prompt, how much of the line it uses, and how much of it is
//! known.

use super::frames::frames;
use super::grammar::is_picture;
use super::lexicon::lexicon;
use super::scene::{Scene, Tag};
use super::small::{is_article, is_determiner, is_owner, ordinal};
use std::ops::Range;

/// Where words of the line stand in the prompt.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    /// Things, each with a score from 0 to 1; the best first. Further mentions of the first follow it.
    Things(Vec<usize>),
    /// Words that are no thing of their own.
    Words(Range<usize>),
    /// The picture as a whole.
    Picture,
    /// Nothing.
    None,
}

fn like(a: &str, b: &str) -> bool {
    lexicon().same(a, b)
}

/// Resolves words against a prompt.
pub(super) fn resolve(scene: &Scene, words: &[&str]) -> Found {
    let words: Vec<&str> =
        words.iter().copied().filter(|w| w.chars().any(char::is_alphanumeric) || *w == "'s").collect();
    let Some(&first) = words.first() else { return Found::None };
    if words.len() == 1
        && matches!(first, "he" | "she" | "him" | "her" | "his" | "its" | "their" | "they" | "them" | "both")
    {
        // `a group of people` are one.
        let counted = |t: usize| t > 0 && scene.low(scene.things[t].tie) == "of" && scene.is_alive(t - 1);
        let alive: Vec<usize> = (0..scene.things.len()).filter(|&t| scene.is_alive(t) && !counted(t)).collect();
        // `them`: both of two that the picture is of.
        if let (Some(t), "them" | "they" | "both" | "their") = (scene.subject(), first) {
            let pair: Vec<usize> = (0..scene.things.len())
                .filter(|&u| {
                    u == t || u > t && scene.things[u].joined && scene.things[u].parent == scene.things[t].parent
                })
                .filter(|&u| alive.is_empty() || alive.contains(&u))
                .collect();
            if pair.len() > 1 {
                return Found::Things(pair);
            }
        }
        return match alive.as_slice() {
            // A balloon is no `she`.
            [] if matches!(first, "he" | "she" | "him" | "her")
                && scene.subject().is_some_and(|t| !scene.kinds(t).is_empty()) =>
            {
                Found::None
            }
            [] => scene.subject().map_or(Found::None, |t| Found::Things(vec![t])),
            _ if matches!(first, "he" | "him" | "his" | "she" | "her") && theirs(scene, &alive, first).len() == 1 => {
                Found::Things(theirs(scene, &alive, first))
            }
            // A pronoun does not tell two men apart.
            _ if matches!(first, "he" | "him" | "she" | "her") && theirs(scene, &alive, first).len() > 1 => {
                Found::Things(theirs(scene, &alive, first))
            }
            // One of several is no `him`.
            [one]
                if matches!(first, "he" | "him" | "she" | "her")
                    && scene.tag(scene.things[*one].start) == Tag::Num
                    && scene.low(scene.things[*one].start) != "one" =>
            {
                Found::None
            }
            [one, ..] if alive.len() == 1 || !matches!(first, "both" | "they" | "them") => Found::Things(vec![*one]),
            _ => Found::None,
        };
    }
    if let ["the", which @ ("former" | "latter" | "first" | "second")] = words.as_slice()
        && let Some(t) = scene.subject()
    {
        let pair: Vec<usize> = (0..scene.things.len())
            .filter(|&u| {
                u == t || (scene.things[u].joined && scene.things[u].parent == scene.things[t].parent && u > t)
            })
            .collect();
        if pair.len() == 2 {
            return Found::Things(vec![pair[usize::from(matches!(*which, "latter" | "second"))]]);
        }
    }
    if let ["both" | "each" | "all", "of", "them" | "these" | "those"] = words.as_slice() {
        let Some(t) = scene.subject() else { return Found::None };
        let all: Vec<usize> = (0..scene.things.len())
            .filter(|&u| u == t || (scene.things[u].joined && scene.things[u].parent == scene.things[t].parent))
            .collect();
        return Found::Things(all);
    }
    if is_picture(&words) {
        // `the scene` of a prompt that has one.
        return if words.len() == 1 && matches!(first, "it" | "this" | "that") {
            Found::Picture
        } else {
            named(scene, &words).unwrap_or(Found::Picture)
        };
    }
    named(scene, &words).unwrap_or(Found::None)
}

/// Those of some things that are of a pronoun's sex.
fn theirs(scene: &Scene, things: &[usize], pronoun: &str) -> Vec<usize> {
    let same = |t: &usize| sex(scene.low(scene.things[*t].head)) == sex(pronoun);
    things.iter().copied().filter(same).collect()
}

fn named(scene: &Scene, words: &[&str]) -> Option<Found> {
    let mut rest = words;
    while let [w, "of", more @ ..] = rest
        && matches!(*w, "all" | "both" | "one" | "each" | "some" | "any" | "most" | "every")
    {
        rest = more;
    }
    while rest.len() > 1
        && (is_determiner(rest[0]) && !is_owner(rest[0])
            || matches!(rest[0], "whole" | "entire" | "existing" | "current" | "original" | "visible"))
    {
        rest = &rest[1..];
    }
    let nth = rest.first().and_then(|w| ordinal(w)).filter(|_| rest.len() > 1);
    if nth.is_some() {
        rest = &rest[1..];
    }
    let text = rest.join(" ").replace(" 's", "'s");
    let said = Scene::of(&text);
    let Some(g) = said.things.first() else {
        return exact(scene, rest);
    };
    if g.start > 0 || is_loose(&said) {
        return exact(scene, rest);
    }
    // `the goat's horns`: the horns.
    let (g, owner) = match said.things.iter().find(|t| t.owner == Some(0)) {
        Some(owned) => (owned, Some(said.low(g.head).to_owned())),
        None => (g, None),
    };
    let head = said.low(g.head);
    let one = matches!(head, "one" | "ones");
    let before: Vec<&str> =
        (g.start..g.head).filter(|&i| matches!(said.tags[i], Tag::Adj | Tag::Noun)).map(|i| said.low(i)).collect();
    let anchors: Vec<&str> =
        said.things.iter().skip_while(|t| t.head != g.head).skip(1).map(|t| said.low(t.head)).collect();
    let mut scored: Vec<(i32, usize)> = Vec::new();
    for (t, thing) in scene.things.iter().enumerate() {
        let noun = scene.low(thing.head);
        let mut score = if noun == head {
            100
        } else if like(noun, head) {
            95
        } else if one && !before.is_empty() {
            60
        } else if general(scene, t, head) {
            70
        } else {
            continue;
        };
        if noun != head && !one && scene.is_medium(t) {
            score -= 30;
        }
        for a in &before {
            let has = (thing.start..thing.head).any(|i| like(scene.low(i), a) || lexicon().related(scene.low(i), a));
            score += if has {
                10
            } else if one {
                -60
            } else {
                -8
            };
        }
        for a in &anchors {
            let near = (0..scene.things.len()).any(|u| {
                like(scene.low(scene.things[u].head), a)
                    && (scene.hangs_on(t, u)
                        || scene.hangs_on(u, t)
                        || scene.things[u].parent == scene.things[t].parent)
            });
            score += if near { 5 } else { 0 };
        }
        if let Some(owner) = &owner {
            let has = scene.things[t]
                .parent
                .is_some_and(|p| like(scene.low(scene.things[p].head), owner) || general(scene, p, owner));
            score += if has { 10 } else { -5 };
        }
        if score > 20 {
            scored.push((score, t));
        }
    }
    // `the remote` of a remote control.
    if scored.is_empty()
        && words[0] == "the"
        && said.things.len() == 1
        && before.iter().all(|w| !lexicon().is_adjective(w))
    {
        let name = said.words(g.start..g.head + 1);
        let first = |t: &usize| {
            let thing = &scene.things[*t];
            let from = thing.start + usize::from(is_determiner(scene.low(thing.start)));
            from < thing.head && format!("{} ", scene.words(from..thing.head)).starts_with(&format!("{name} "))
        };
        scored.extend((0..scene.things.len()).filter(first).map(|t| (50, t)));
    }
    // `the shirt` of a t-shirt, `the surfboards` that are called boards
    if scored.is_empty() {
        let part = |long: &str, short: &str| {
            let before = long.strip_suffix(short).unwrap_or_default();
            short.len() > 3 && (before.len() > 2 || before.ends_with('-'))
        };
        let akin = |t: &usize| {
            let noun = scene.low(scene.things[*t].head);
            part(noun, head) || part(head, noun)
        };
        scored.extend((0..scene.things.len()).filter(akin).map(|t| (50, t)));
    }
    if scored.is_empty() {
        return exact(scene, rest);
    }
    if let Some(n) = nth {
        let at = n.min(scored.len()).saturating_sub(1);
        return (n <= scored.len() || n == usize::MAX).then(|| Found::Things(vec![scored[at].1]));
    }
    let best = scored.iter().map(|s| s.0).max()?;
    let ties: Vec<usize> = scored.iter().filter(|s| s.0 == best).map(|s| s.1).collect();
    // The first is named with `a`, the others with `the`, or as owners: one thing, told of again.
    let again = |t: &usize| {
        let thing = &scene.things[*t];
        matches!(scene.low(thing.start), "the" | "its") || is_owner(scene.low(thing.start))
    };
    if ties.len() > 1
        && scene.low(scene.things[ties[0]].head) == scene.low(scene.things[ties[1]].head)
        && ties[1..].iter().all(again)
    {
        return Some(Found::Things(ties));
    }
    if ties.len() > 1 {
        // The one that hangs on nothing is meant before those that do, where one is.
        return Some(Found::Things(ties));
    }
    Some(Found::Things(ties))
}

/// Whether a word means a woman or a man, if either.
pub(super) fn sex(word: &str) -> Option<bool> {
    let she = matches!(
        word,
        "she"
            | "her"
            | "woman"
            | "girl"
            | "lady"
            | "queen"
            | "princess"
            | "mother"
            | "bride"
            | "grandmother"
            | "waitress"
            | "witch"
            | "sister"
            | "daughter"
            | "wife"
    );
    let he = matches!(
        word,
        "he" | "him"
            | "his"
            | "man"
            | "boy"
            | "guy"
            | "king"
            | "prince"
            | "father"
            | "groom"
            | "grandfather"
            | "waiter"
            | "wizard"
            | "brother"
            | "son"
            | "husband"
    );
    if she { Some(true) } else { he.then_some(false) }
}

/// True if several things found are one thing told of more than once.
pub(super) fn is_one(scene: &Scene, all: &[usize]) -> bool {
    let head = |t: usize| scene.low(scene.things[t].head);
    all.iter().skip(1).all(|&t| {
        head(t) == head(all[0])
            && (scene.low(scene.things[t].start) == "the" || is_owner(scene.low(scene.things[t].start)))
    })
}

/// A general name for a thing: `animal` for a goat, `bird` for an owl.
fn general(scene: &Scene, t: usize, word: &str) -> bool {
    let noun = scene.low(scene.things[t].head);
    if frames().means(word, noun) {
        return true;
    }
    let kind = match super::frames::singular(word).as_str() {
        "animal" | "pet" | "beast" | "creature" => "animal",
        "person" | "people" | "human" | "figure" | "subject" | "individual" => "person",
        "vehicle" => "vehicle",
        "food" | "meal" | "dish" => "food",
        "plant" => "plant",
        "building" => "building",
        "hat" | "headgear" => "headgear",
        "clothing" | "garment" => "clothing",
        "hair" | "hairstyle" | "haircut" => "hair",
        "glasses" => "glasses",
        "beard" => "beard",
        _ => return false,
    };
    scene.is_kind(t, &[kind])
}

/// True if words stand after the last thing that belong to none.
fn is_loose(said: &Scene) -> bool {
    let last = said.things.last().map_or(0, |t| t.head + 1);
    let tail = &said.tags[last.min(said.tags.len())..];
    tail.iter().any(|t| {
        matches!(t, Tag::Adj | Tag::And | Tag::Comma | Tag::Prep | Tag::Be | Tag::Det | Tag::Owner | Tag::Verb)
    }) || said.things.iter().any(|t| (t.tie..t.start).any(|i| matches!(said.tags[i], Tag::And | Tag::Comma)))
}

/// Words that stand in the prompt as they are: `smiling`, `in a field`.
fn exact(scene: &Scene, words: &[&str]) -> Option<Found> {
    let words = if words.len() > 1 && is_article(words[0]) { &words[1..] } else { words };
    let n = words.len();
    if n == 0 || n > scene.low.len() {
        return None;
    }
    let mut found = (0..=scene.low.len() - n).filter(|&i| scene.low[i..i + n].iter().zip(words).all(|(a, b)| a == b));
    match (found.next(), found.next()) {
        (Some(i), None) => Some(Found::Words(i..i + n)),
        _ => None,
    }
}
