//! How something should be, could be, or is to be.

use super::*;

impl Clause<'_> {
    /// `the fence should be red`, `the goat is a sheep`.
    pub(crate) fn modal(&self, all: &mut Vec<Reading>) {
        let n = self.low.len();
        // `the goat should wear a hat`
        for i in 1..n.min(10) {
            let Some(m) = DUTIES.iter().find(|m| self.low[i..].starts_with(m)) else { continue };
            let verb = self.at(i + m.len());
            if verb == "go" && i + m.len() + 1 == n {
                all.push(Reading::Remove { what: 0..i });
                return;
            }
            if verb == "have" && i + m.len() + 1 < n {
                all.push(Reading::Give { to: 0..i, what: self.in_picture(i + m.len() + 1..n) });
                return;
            }
            if matches!(verb, "wear" | "hold" | "carry") || (frames().acts(verb) && !matches!(verb, "have" | "look")) {
                all.push(Reading::Act { who: Some(0..i), does: self.in_picture(i + m.len()..n) });
                return;
            }
        }
        for i in 1..n.min(14) {
            let Some(m) = MODALS.iter().filter(|m| self.low[i..].starts_with(m)).max_by_key(|m| m.len()) else {
                continue;
            };
            let x = 0..i;
            let pointed = is_determiner(self.at(0)) && !matches!(self.at(0), "a" | "an")
                || matches!(self.at(0), "it" | "he" | "she" | "they")
                || (self.names)(self.slice(&x));
            let y = self.in_picture(i + m.len()..n);
            if !pointed || y.is_empty() || frames().tells(self.at(0)) && !(self.names)(self.slice(&x)) {
                return;
            }
            let first = self.at(y.start);
            if matches!(first, "removed" | "gone" | "deleted" | "erased" | "taken" | "eliminated") {
                all.push(Reading::Remove { what: x });
            } else if matches!(first, "replaced" | "swapped" | "exchanged" | "substituted") {
                if let Some(w) = self.find(y.start, &["with", "by", "for"]).first() {
                    all.push(Reading::Swap { old: Some(x), new: self.trimmed(w + 1..n) });
                }
            } else if matches!(first, "changed" | "turned" | "transformed" | "converted") {
                if let Some(w) = self.find(y.start, &["to", "into"]).first() {
                    all.push(Reading::Become { what: Some(x), to: self.trimmed(w + 1..n) });
                }
            } else if first == "like" && is_picture(self.slice(&x)) && slot_of(self.slice(&(y.start + 1..n))).is_some()
            {
                all.push(Reading::Set { slot: Slot::Medium, to: y.start + 1..y.end });
            } else if matches!(first, "on" | "in" | "at" | "inside" | "under" | "near" | "outside")
                && y.len() > 2
                && (matches!(self.at(y.start + 1), "a" | "an")
                    || self.at(y.start + 1) == "the" && !(self.names)(&self.low[y.start + 1..y.end])
                    || self.slice(&y).starts_with(&["in", "front", "of"]))
                && !is_picture(self.slice(&x))
            {
                all.push(Reading::Move { what: Some(x), place: y });
            } else if matches!(first, "added" | "not" | "more" | "less" | "too" | "so")
                || (is_preposition(first) && y.len() != 2 && !matches!(first, "wearing" | "holding" | "carrying"))
            {
            } else if let Some(slot) = slot_named(self.slice(&x)) {
                all.push(Reading::Set { slot, to: y });
            } else if is_picture(self.slice(&x))
                && y.len() == 1
                && lexicon().noun_form(first).is_some_and(|form| lexicon().noun(form).contains(&"weather"))
            {
                self.picture_becomes(&y, all);
            } else if is_ing(first) && does(first) {
                all.push(Reading::Act { who: Some(x), does: y });
            } else if is_ed(first) && y.len() > 1 && is_preposition(self.at(y.start + 1)) && first != "made" {
                all.push(Reading::Cover { what: x, done: first.to_owned(), with: y.start + 1..y.end });
            } else {
                if is_picture(self.slice(&x)) {
                    self.picture_becomes(&y, all);
                }
                let what = self.of_attribute(&x).unwrap_or(x);
                all.push(Reading::Become { what: Some(what), to: self.without_attribute(y) });
            }
            return;
        }
    }

    /// `blond to red`, `cat into dog`; `could her hair be red`, `can it be night`
    pub(crate) fn pair(&self, all: &mut Vec<Reading>) {
        let n = self.low.len();
        let kinds = |w: &str| [lexicon().adjective(w), lexicon().noun(w)].concat();
        if let Some(i) = (1..n.saturating_sub(1)).find(|&i| matches!(self.at(i), "to" | "into" | "becomes" | "become"))
            && n < 8
            && frames().verb(&self.low).is_none()
            && !frames().is_posture(self.at(0))
            && !matches!(self.at(0), "a" | "an" | "in" | "at" | "on" | "next" | "close" | "from")
        {
            let (old, new) = (kinds(self.at(i - 1)), kinds(self.at(n - 1)));
            if self.at(i) == "into" || old.iter().any(|k| new.contains(k) && *k != "other") {
                all.push(Reading::Swap { old: Some(0..i), new: self.trimmed(i + 1..n) });
            }
        }
        if matches!(self.at(0), "can" | "could" | "should" | "would" | "may" | "might")
            && let Some(be) =
                (2..n.saturating_sub(1)).find(|&i| matches!(self.at(i), "be" | "become" | "look" | "have"))
        {
            let (x, y) = (1..be, self.in_picture(be + 1..n));
            if self.at(be) == "have" {
                all.push(Reading::Give { to: x, what: y });
                return;
            }
            if let Some(slot) = slot_named(self.slice(&x)) {
                all.push(Reading::Set { slot, to: y });
                return;
            }
            if is_picture(self.slice(&x)) {
                if self.at(be) == "look" && self.at(y.start) == "like" && y.len() > 1 {
                    all.push(Reading::Set { slot: Slot::Medium, to: y.start + 1..y.end });
                    return;
                }
                self.picture_becomes(&y, all);
            }
            if is_ing(self.at(y.start)) && does(self.at(y.start)) {
                all.push(Reading::Act { who: Some(x), does: y });
                return;
            }
            if is_preposition(self.at(y.start)) && y.len() > 2 && !is_picture(self.slice(&x)) {
                all.push(Reading::Move { what: Some(x), place: y });
                return;
            }
            if !is_preposition(self.at(y.start)) {
                all.push(Reading::Become { what: Some(x), to: self.without_attribute(y) });
            }
        }
    }

    /// `peel the banana`, `tidy up the desk`, `get the flowers out of the vase`.
    pub(crate) fn state(&self, all: &mut Vec<Reading>) {
        let n = self.low.len();
        let first = self.at(0);
        let from = 1 + usize::from(self.at(1) == "up");
        // `lighten the walls to cream`
        if let Some(to) = self.find(from, &["to"]).first().copied().filter(|to| *to > from && *to + 1 < n)
            && (lexicon().becoming(first).is_some() || frames().is("whole", first))
            && self.low[to + 1..].iter().all(|w| lexicon().is_adjective(w))
            && (self.names)(&self.low[from..to])
        {
            all.push(Reading::Become { what: Some(from..to), to: to + 1..n });
            return;
        }
        if n > from
            && (frames().is("state", first) || lexicon().is_adjective(first) || lexicon().becoming(first).is_some())
            && (is_determiner(self.at(from)) || self.at(1) == "up")
            && (self.names)(&self.low[from..])
        {
            all.push(Reading::State { what: from..n, verb: 0..1 });
        }
        let out = self
            .low
            .iter()
            .position(|w| matches!(*w, "out" | "off" | "away" | "down"))
            .filter(|i| *i > 1 && *i + 1 < n);
        if let Some(i) = out
            && matches!(
                first,
                "get"
                    | "take"
                    | "clean"
                    | "wipe"
                    | "throw"
                    | "kick"
                    | "pull"
                    | "move"
                    | "brush"
                    | "wash"
                    | "scrub"
                    | "send"
                    | "lift"
                    | "cut"
            )
            && matches!(self.at(i + 1), "of" | "from" | "the" | "there" | "his" | "her" | "its")
        {
            all.push(Reading::Remove { what: 1..i });
        }
    }
}
