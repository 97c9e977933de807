//! Several things spoken of as one: `the animals`, `both`, `the cat and the dog`.

use super::super::desk::{Desk, Stop, Tok};
use super::super::find::Reach;
use super::super::lexicon::{is_plural, lexicon};
use super::noun::{self, trim};
use super::target::{core, places};
use std::ops::Range;

/// The cat and the dog that `the animals` names, both hats of `the hats`, if there are several and none is called so.
pub(super) fn group(desk: &Desk<'_>, x: &[Tok]) -> Option<Vec<Range<usize>>> {
    let [word] = core(x) else { return None };
    if !is_plural(&word.low) || !desk.draft.occurrences(std::slice::from_ref(&word.low), Reach::Exact, false).is_empty()
    {
        return None;
    }
    let all = match word.low.as_str() {
        "animals" | "pets" | "creatures" => desk.draft.heads_of_kind(&["animal"]),
        "people" | "persons" | "figures" => desk.draft.person(),
        "vehicles" => desk.draft.heads_of_kind(&["vehicle"]),
        "buildings" => desk.draft.heads_of_kind(&["building"]),
        plural => {
            let called = |h: &usize| lexicon().same(desk.draft.low(*h), plural);
            desk.draft.heads().into_iter().filter(called).collect()
        }
    };
    (all.len() > 1).then(|| all.into_iter().map(|h| h..h + 1).collect())
}

/// Does something to each of several things, from the last to the first, so that each is where it was.
pub(super) fn each(
    desk: &mut Desk<'_>,
    things: Vec<Range<usize>>,
    act: impl Fn(&mut Desk<'_>, Range<usize>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let said = desk.changes.len();
    for place in things.into_iter().rev() {
        act(desk, place)?;
    }
    let from = said.min(desk.changes.len());
    desk.changes[from..].reverse();
    Ok(())
}

/// Every thing of `the cat and the dog`, `both`; `None` if any of them is not in the prompt, or there is only one.
pub(super) fn all_of(desk: &Desk<'_>, x: &[Tok]) -> Option<Vec<Range<usize>>> {
    if let Some(found) = group(desk, x) {
        return Some(found);
    }
    if let [one] = x
        && matches!(one.low.as_str(), "both" | "them" | "all")
    {
        let all: Vec<Range<usize>> = desk.draft.subjects().into_iter().map(|h| h..h + 1).collect();
        return (all.len() > 1 && desk.draft.person().is_empty()).then_some(all);
    }
    let parts: Vec<&[Tok]> =
        x.split(|t| matches!(t.low.as_str(), "and" | ",")).map(trim).filter(|p| !p.is_empty()).collect();
    let found: Vec<Range<usize>> =
        parts.iter().filter_map(|p| places(desk, p, Reach::Thing).into_iter().next()).collect();
    (parts.len() > 1 && found.len() == parts.len() && found.windows(2).all(|w| w[0] != w[1])).then_some(found)
}

/// Several things in the place of several, one by one; or one in the place of all.
pub(super) fn put_for_all(desk: &mut Desk<'_>, found: Vec<Range<usize>>, y: &[Tok]) -> Result<(), Stop> {
    let mut found = found;
    let news: Vec<&[Tok]> =
        y.split(|t| matches!(t.low.as_str(), "and" | ",")).map(trim).filter(|p| !p.is_empty()).collect();
    let pairwise = news.len() == found.len();
    let mut pairs: Vec<(Range<usize>, &[Tok])> =
        found.drain(..).enumerate().map(|(i, r)| (r, if pairwise { news[i] } else { y })).collect();
    pairs.sort_by_key(|(r, _)| std::cmp::Reverse(r.start));
    let full = |desk: &Desk<'_>, r: &Range<usize>| desk.draft.phrase_start(r.end - 1).min(r.start)..r.end;
    if !pairwise {
        let (last, first) = (full(desk, &pairs[0].0), full(desk, &pairs[pairs.len() - 1].0));
        let ties = desk.draft.lows(first.start..last.end);
        let near = last.start.saturating_sub(first.end) <= 2 && !ties.is_empty() && pairs.len() == 2;
        if near {
            let text = desk.written(y);
            desk.put(first.start..last.end, &text);
            return Ok(());
        }
    }
    // From the end, so that earlier places stay where they are.
    let n = pairs.len();
    for (i, (range, new)) in pairs.into_iter().enumerate() {
        if pairwise || i + 1 == n {
            noun::swap_thing(desk, range, new)?;
        } else {
            desk.remove(range, new)?;
        }
    }
    if pairwise {
        let first = desk.changes.len().saturating_sub(n);
        desk.changes[first..].reverse();
    }
    Ok(())
}
