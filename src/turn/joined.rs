//! How something more is tied to a prompt: `with a hat`, `and a hat`; after a comma where it is a tag among tags.

use super::frames::frames;
use super::lexicon::lexicon;
use super::scene::{Scene, Tag};
use super::small::is_determiner;

/// Before which word something more is put, and what is put there. None if nothing but a comma ties it.
pub(super) fn joined(scene: &Scene, text: &str) -> Option<(usize, String)> {
    let text =
        text.strip_prefix("with ").filter(|rest| is_determiner(rest.split(' ').next().unwrap_or(""))).unwrap_or(text);
    let said = Scene::of(text);
    let new = said.things.first()?;
    let subject = scene.things.first()?;
    if new.start > 0
        || said.tag(0) == Tag::Ing
        || (0..said.low.len()).any(|i| said.tag(i) == Tag::Stop)
        || is_loose(&said)
        || subject.start > 1
        || is_tag(&said)
    {
        return None;
    }
    let mut end = scene.low.len();
    while end > 0 && scene.tag(end - 1) == Tag::Stop {
        end -= 1;
    }
    if (0..end).any(|i| scene.tag(i) == Tag::Stop) {
        return None;
    }
    // `rain` is what the picture is in; a sheet of rain is a thing.
    let noun = said.low(new.head);
    if said.low.len() == 1
        && said.kinds(0).contains(&"weather")
        && lexicon().joined(noun) == Some("in")
        && lexicon().takes_the(noun)
        && !lexicon().adjective_form(noun).is_some_and(|form| scene.low.iter().any(|w| w == form))
    {
        return Some((before_tags(scene, end), format!("in the {noun}")));
    }
    Some(tied(scene, before_tags(scene, end), None, text))
}

/// Where something more is put, and what, for a place where things before it may be held: it goes into the list that `with`
/// began, before its last `and`. `of` is what the list must be of.
pub(super) fn tied(scene: &Scene, at: usize, of: Option<usize>, text: &str) -> (usize, String) {
    let said = Scene::of(text);
    let several = said.things.len() > 1 && said.things[1].joined;
    let more = said
        .things
        .first()
        .is_some_and(|new| new.head + 1 < said.low.len() && !several && said.low(new.head + 1) != "of");
    match list_ending(scene, at, of) {
        Some(Some(_)) if more => (at, format!("with {text}")),
        Some(Some(and)) => {
            let all = text.rsplit_once(" and ").filter(|_| several);
            (and, all.map_or_else(|| format!(", {text}"), |(a, b)| format!(", {a}, {b}")))
        }
        Some(None) if several => (at, format!(", {text}")),
        Some(_) => (at, format!("and {text}")),
        None => (at, format!("with {text}")),
    }
}

/// The last `and` of a list that `with` begins and that ends before `at`, if it has one; none if there is no list.
fn list_ending(scene: &Scene, at: usize, of: Option<usize>) -> Option<Option<usize>> {
    let mut t = scene.things.iter().position(|t| t.head + 1 == at)?;
    let mut and = None;
    loop {
        let thing = &scene.things[t];
        let gap: Vec<&str> = (thing.tie..thing.start).map(|i| scene.low(i)).collect();
        match gap.as_slice() {
            ["with"] => return of.is_none_or(|o| thing.parent == Some(o)).then_some(and),
            ["and"] | [",", "and"] if and.is_none() => and = Some(thing.tie),
            ["and" | ","] | [",", "and"] | ["of"] => {}
            _ => return None,
        }
        t = t.checked_sub(1).filter(|&p| scene.things[p].head + 1 == thing.tie)?;
    }
}

/// Where the tags at the end begin, with their comma: `, digital art, morning light`.
fn before_tags(scene: &Scene, end: usize) -> usize {
    let mut at = end;
    let mut i = end;
    while i > 0 {
        i -= 1;
        match scene.tag(i) {
            Tag::Comma if i > 0 && i + 1 < at && !is_determiner(scene.low(i + 1)) => at = i,
            Tag::Adj | Tag::Noun | Tag::Adv => {}
            Tag::Ing if i + 1 == at && scene.tag(i.wrapping_sub(1)) == Tag::Comma => {}
            _ => break,
        }
    }
    // `a hat, glasses and a beard`, `red hair, a hat`: a list, no tags.
    let list = (0..at).rev().find(|&k| matches!(scene.low(k), "with" | "of" | "and"));
    let bare = list.is_some_and(|k| (k + 1..at).all(|i| matches!(scene.tag(i), Tag::Adj | Tag::Noun | Tag::Det)));
    if bare && at < end && !(at..end).any(|i| is_tag_word(scene.low(i))) { end } else { at }
}

/// True for a word that no list has and nothing shows to be a thing: `photorealistic`.
fn is_loose(said: &Scene) -> bool {
    let noun = said.low(said.things[0].head);
    said.things[0].start == said.things[0].head
        && lexicon().noun(noun).is_empty()
        && !crate::lexicon::is_plural(noun)
        && ["ic", "al", "ive", "ous", "ful", "less"].iter().any(|e| noun.ends_with(e))
}

/// True for what names the medium, the light or the time of a picture.
fn is_tag(said: &Scene) -> bool {
    said.things.len() == 1
        && (is_tag_word(said.low(said.things[0].head)) || said.is_kind(0, &["time", "season", "attribute"]))
}

fn is_tag_word(word: &str) -> bool {
    frames().is("medium", word)
        || frames().is("style", word)
        || frames().is("lighting", word)
        || frames().is("light", word)
        || matches!(word, "tones" | "colors" | "colours" | "shot" | "view" | "close-up")
}
