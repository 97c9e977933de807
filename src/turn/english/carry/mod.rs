//! Carrying a reading out.

mod change;
mod does;
mod hold;
mod more;

use super::Trust;
use crate::apply::{No, Work};
use crate::desk::{Desk, Stop, Tok, lows};
use crate::rank::Found;
use crate::reading::{Reading, Words};
use crate::scene::Scene;
use crate::small::is_determiner;
use hold::is_tangled;
pub(crate) use hold::{Held, hold};

/// A reading of a clause, with the prompt that it is about.
#[derive(Clone, Copy)]
struct Case<'c> {
    scene: &'c Scene,
    toks: &'c [Tok],
    low: &'c [&'c str],
    held: &'c Held<'c>,
    trust: Trust,
    /// The words that what it is about is named by.
    about: &'c [&'c str],
    /// True if the prompt has ancestors.
    family: bool,
}

impl Case<'_> {
    /// A part of the clause as it goes into the prompt.
    fn written(&self, desk: &Desk<'_>, part: &Words) -> String {
        desk.written(&self.toks[part.clone()])
    }
}

fn ok(done: Result<(), No>) -> bool {
    done.is_ok()
}

/// Carries a reading out; false if it cannot be.
pub(crate) fn apply(
    desk: &mut Desk<'_>,
    scene: &Scene,
    work: &mut Work<'_>,
    toks: &[Tok],
    held: &Held<'_>,
    trust: Trust,
) -> Result<bool, Stop> {
    let low = lows(toks);
    let family = !desk.here.ancestors.is_empty();
    let again = low.contains(&"again")
        || (0..low.len()).any(|i| low[i] == "back" && !(i > 0 && (low[i - 1] == "'s" || is_determiner(low[i - 1]))));
    if again {
        return Ok(false);
    }
    // `the suit and tie` go as one.
    if let Reading::Swap { old: Some(old), new } | Reading::Become { what: Some(old), to: new } = held.reading
        && let ["the" | "his" | "her" | "their", .., first, "and", second] = &low[old.clone()]
        && let Some(t) = (1..scene.things.len()).find(|&t| {
            scene.low(scene.things[t].head) == *second
                && scene.low(scene.things[t - 1].head) == *first
                && scene.words(scene.things[t - 1].head + 1..scene.things[t].start).starts_with("and")
        })
        && matches!(low.get(new.start), Some(&("a" | "an" | "some" | "two")))
        && !is_tangled(scene, &low[new.clone()])
    {
        return Ok(ok(
            work.swap_words(scene.things[t - 1].start..scene.things[t].head + 1, &desk.written(&toks[new.clone()]))
        ));
    }
    if !matches!(held.reading, Reading::Cannot { .. })
        && !matches!(held.reading, Reading::Count { .. })
        && held.reading.parts().iter().any(|r| is_tangled(scene, &low[r.clone()]))
    {
        return Ok(false);
    }
    let about = match held.reading {
        Reading::Remove { what }
        | Reading::Swap { old: Some(what), .. }
        | Reading::Become { what: Some(what), .. }
        | Reading::Cover { what, .. }
        | Reading::Act { who: Some(what), .. }
        | Reading::Count { what, .. } => &low[what.clone()],
        _ => &[],
    };
    let acts = matches!(held.reading, Reading::Act { .. });
    let single = matches!(&held.found, Some(Found::Things(t))
        if acts || t.len() > 1 || crate::lexicon::is_plural(scene.low(scene.things[t[0]].head)));
    if matches!(about, ["them" | "they" | "these" | "those" | "both"]) && !single {
        return Ok(false);
    }
    let case = Case { scene, toks, low: &low, held, trust, about, family };
    Ok(match held.reading {
        Reading::Cannot { what } => {
            let said = &toks[what.clone()];
            let message =
                format!("`{}` is done to the pixels of a picture, and words only say what it shows", desk.typed(said));
            return Err(desk.misread(said, message, "say what it should show: a close-up of a cat, seen from above"));
        }
        Reading::Spawn { what, does } => more::spawn(&case, desk, work, what, does)?,
        Reading::Half { what } => {
            let said = &toks[what.clone()];
            let message = format!("`{}` does not say what becomes of it", desk.typed(said));
            return Err(desk.misread(said, message, "change the colour of the car to red"));
        }
        Reading::Add { what } => more::add(&case, desk, work, what)?,
        Reading::Hang { text } if matches!(low[text.start], "surrounded" | "dressed") => false,
        Reading::Hang { text } => ok(work.hang(&desk.typed(&toks[text.clone()]).to_lowercase())),
        Reading::Set { slot, to } => more::set(&case, desk, work, *slot, to)?,
        Reading::Give { what, .. } => more::give(&case, desk, work, what)?,
        Reading::State { verb, .. } => does::state(&case, desk, work, verb)?,
        Reading::Part { part, to, .. } => more::part(&case, desk, work, part, to)?,
        Reading::Move { what, place } => does::moved(&case, desk, work, what.as_ref(), place)?,
        Reading::Only { .. } => match &held.found {
            Some(Found::Things(t)) if t.len() == 1 => ok(work.only(t[0])),
            _ => false,
        },
        Reading::Remove { what } => does::remove(&case, desk, work, what)?,
        Reading::Swap { old, new } | Reading::Become { what: old, to: new } => {
            change::change(&case, desk, work, old.as_ref(), new)?
        }
        Reading::Cover { what, done, with } => does::cover(&case, desk, work, what, done, with)?,
        Reading::Act { does, .. } => does::act(&case, desk, work, does)?,
        Reading::Count { number, .. } => does::count(&case, desk, work, number)?,
    })
}
