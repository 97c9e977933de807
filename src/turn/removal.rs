//! Takes a thing out of a prompt with everything that only held it: article, adjectives, preposition, comma or `and`.

use super::draft::Draft;
use super::lexicon::lexicon;
use super::small::{is_determiner, is_preposition, is_stop};
use std::ops::Range;

/// Removes the words at `range`. Returns the text that went, or `None` if nothing would be left.
pub(super) fn remove(draft: &mut Draft, range: Range<usize>) -> Option<String> {
    // A sky that is nothing but cloudy goes with its clouds.
    let head = draft.head_of(range.end - 1);
    let sky = draft.low(head) == "sky" && head >= range.end && draft.adjectives(head).len() == 1;
    let range = if sky { head..head + 1 } else { range };
    let gone = if is_modifier(draft, &range) { modifier(draft, &range) } else { thing(draft, &range) };
    if gone.is_empty() || gone.len() == draft.items.len() {
        return None;
    }
    // Named without what joined it to its neighbours: `a dog`, not `and a dog`; its own preposition stays.
    let joins = |i: usize| matches!(draft.low(i), "and" | "," | "or");
    let (mut from, mut to) = (gone.start, gone.end);
    while from + 1 < to && joins(from) {
        from += 1;
    }
    let head = range.end.max(from + 1);
    while to > head && (joins(to - 1) || (to - 1..to).any(|i| draft.tie_at(i) > 0) || draft.low(to - 1) == "next") {
        to -= 1;
    }
    let text = draft.text(from..to);
    draft.remove(gone);
    Some(text)
}

/// True for words inside a noun phrase before its head: they go alone.
fn is_modifier(draft: &Draft, range: &Range<usize>) -> bool {
    let last = range.end - 1;
    // What something does goes alone as well.
    if range.len() == 1 && draft.is_verb(last) {
        return true;
    }
    draft.is_word(last) && !is_stop(draft.low(last)) && !draft.is_head(last)
}

fn modifier(draft: &Draft, range: &Range<usize>) -> Range<usize> {
    let (start, end) = (range.start, range.end);
    let joins = |i: usize| matches!(draft.low(i), "and" | ",");
    let adjective = |i: usize| lexicon().is_adjective(draft.low(i));
    if joins(end) && adjective(end + 1) {
        return start..end + 1;
    }
    if start > 1 && joins(start - 1) && adjective(start - 2) {
        return start - 1..end;
    }
    // `very short hair` without `short` is not `very hair`.
    if start > 0 && matches!(draft.low(start - 1), "very" | "light" | "dark" | "bright") && range.len() == 1 {
        return start - 1..end;
    }
    start..end
}

fn thing(draft: &Draft, range: &Range<usize>) -> Range<usize> {
    let head = draft.named(range);
    let start = draft.phrase_start(head).min(range.start);
    let mut end = range.end;
    if draft.low(end) == "'s" {
        end += 1;
    }
    if draft.lows(end..(end + 3).min(draft.items.len())) == ["on", "both", "sides"] {
        end += 3;
    }
    // `flowers in her hair`, `a hat on his head`: what only says where goes too.
    let owned = matches!(draft.low(end), "in" | "on") && super::small::is_owner(draft.low(end + 1));
    if owned && draft.noun_kinds(draft.head_of(end + 2)).iter().any(|k| matches!(*k, "hair" | "body")) {
        end = draft.head_of(end + 2) + 1;
    }
    // `fireworks behind it`
    let it = |i: usize| matches!(draft.low(i), "it" | "him" | "them") || draft.low(i) == "her" && !draft.is_word(i + 1);
    if start > 0 && is_preposition(draft.low(end)) && !matches!(draft.low(end), "with" | "of" | "for") && it(end + 1) {
        end += 2;
    }
    end = contents(draft, start, end);
    end = circumstances(draft, start, end);
    // Someone goes with what they have and wear.
    if draft.noun_kinds(head).iter().any(|k| matches!(*k, "person" | "animal")) {
        end = belongings(draft, end);
    }
    // `hair that is long and wavy`
    if matches!(draft.low(end), "that" | "which") && matches!(draft.low(end + 1), "is" | "are") {
        let mut i = end + 2;
        while lexicon().is_adjective(draft.low(i))
            || (matches!(draft.low(i), "and" | "very") && lexicon().is_adjective(draft.low(i + 1)))
        {
            i += 1;
        }
        if i > end + 2 {
            end = i;
        }
    }
    let before = if start > 0 { draft.low(start - 1) } else { "" };
    // A later member of a list takes its comma or `and`.
    if matches!(before, "and" | "," | "or" | ";") {
        let mut from = start - 1;
        if before == "and" && from > 0 && draft.low(from - 1) == "," {
            from -= 1;
        }
        return from..end;
    }
    let tie = draft.tie_start(start);
    // The first member hands its preposition on to the next one: but `of roses and a cup` is the vase's, not the cup's.
    let of_another = draft.low(start.wrapping_sub(1)) == "of" && is_determiner(draft.low(end + 1));
    if let Some(next) = list_goes_on(draft, end).filter(|_| !of_another) {
        return start..next;
    }
    if tie < start {
        let mut from = tie;
        // `a woman wearing a red hat` hangs on one word, `who is wearing` on three; `and with a hat` on its `and` too.
        while from > 0 && matches!(draft.low(from - 1), "and" | ",") {
            from -= 1;
        }
        if from == 0 && end < draft.items.len() {
            end += draft.tie_at(end);
        }
        return from..end;
    }
    if start == 0 {
        // What hung on the first thing stands alone now: `a cat on a beach` without the cat is `a beach`.
        if draft.low(end) == "," || draft.is_verb(end) {
            end += 1;
        }
        end += draft.tie_at(end);
    }
    start..end
}

/// Where the contents of a thing end, if it is not what the picture is of: the flowers of `a vase of flowers`.
fn contents(draft: &Draft, start: usize, end: usize) -> usize {
    if draft.low(end) != "of" {
        return end;
    }
    let head = draft.head_of(end + 1 + usize::from(is_determiner(draft.low(end + 1))));
    let beyond = start > 0 || list_goes_on(draft, head + 1).is_some();
    if beyond && draft.is_word(head) { head + 1 } else { end }
}

/// Where what a later thing does, and where, ends: `parked by a tree`; and `on the roof` of `, a cat on the roof`.
fn circumstances(draft: &Draft, start: usize, end: usize) -> usize {
    let mut to = end;
    let does = draft.is_verb(end);
    let alone = start > 0 && draft.low(start - 1) == "," && is_determiner(draft.low(start));
    if start == 0 || draft.low(start - 1) == "and" || !(does || alone) {
        return end;
    }
    to += usize::from(does);
    let Some(phrase) = draft.phrases().into_iter().find(|p| p.range.start == to) else { return to };
    let lasting = |k: &&str| matches!(*k, "time" | "season" | "weather");
    if draft.noun_kinds(phrase.head).iter().any(lasting) { to } else { phrase.range.end }
}

/// Where the phrases end that say what someone at `end` has: `with black hair and glasses wearing a shirt`.
fn belongings(draft: &Draft, end: usize) -> usize {
    let own = |head: usize| {
        let kinds = draft.noun_kinds(head);
        kinds
            .iter()
            .any(|k| matches!(*k, "hair" | "clothing" | "headgear" | "glasses" | "beard" | "body" | "jewellery"))
    };
    let mut end = end;
    loop {
        let joined = matches!(draft.low(end), "and" | ",");
        let tie = if joined { 1 } else { draft.tie_at(end) };
        if tie == 0 || (!joined && !matches!(draft.low(end), "with" | "wearing" | "in" | "who")) {
            return end;
        }
        let head = draft.head_of(end + tie + usize::from(is_determiner(draft.low(end + tie))));
        if head >= draft.items.len() || !own(head) {
            return end;
        }
        end = head + 1;
    }
}

/// If another noun phrase is joined after `end`, where it begins.
fn list_goes_on(draft: &Draft, end: usize) -> Option<usize> {
    let opens = |i: usize| {
        let low = draft.low(i);
        draft.is_word(i)
            && !is_preposition(low)
            && !matches!(low, "who" | "which" | "that" | "is" | "next" | "surrounded")
            && {
                let head = draft.head_of(i);
                is_determiner(low)
                    || !lexicon().is_adjective(draft.low(head))
                    || !lexicon().noun(draft.low(head)).is_empty()
            }
    };
    match draft.low(end) {
        "and" if opens(end + 1) => Some(end + 1),
        "," if draft.low(end + 1) == "and" && opens(end + 2) => Some(end + 2),
        "," if opens(end + 1) => {
            // A comma joins a list only if an `and` ends it before the next preposition.
            let mut i = end + 1;
            while i < draft.items.len() && !is_preposition(draft.low(i)) {
                if draft.low(i) == "and" {
                    return Some(end + 1);
                }
                i += 1;
            }
            None
        }
        _ => None,
    }
}
