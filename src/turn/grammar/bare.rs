//! Clauses without a verb that tells: `the goat should be white`, `lit by lanterns`.

use super::*;

impl Clause<'_> {
    /// `Y instead of X`, in the place of another verb: `put a goat in place of the hen`.
    pub(crate) fn instead(&self, all: &mut Vec<Reading>) {
        let n = self.low.len();
        const WAYS: &[&[&str]] = &[
            &["instead", "of"],
            &["in", "place", "of"],
            &["rather", "than"],
            &["in", "lieu", "of"],
            &["would", "be", "better", "than"],
        ];
        // `instead of the bear, she holds a kitten`
        if let (["instead", "of", ..] | ["rather", "than", ..], Some(c)) =
            (self.low.as_slice(), self.find(2, &[","]).first().copied())
            && (self.names)(&self.low[2..c])
        {
            let mut new = c + 1;
            if is_person_pronoun(self.at(new)) || matches!(self.at(new), "it" | "there") {
                new += 1;
            }
            if new > c + 1 && (frames().finite(self.at(new)).is_some() || is_ing(self.at(new)) || self.at(new) == "is")
                || frames().verb(&self.low[new..]).is_some()
            {
                new += 1;
            }
            if new < n {
                all.push(Reading::Swap { old: Some(2..c), new: new..n });
            }
            return;
        }
        for i in 0..n {
            let Some(way) = WAYS.iter().find(|w| self.low[i..].starts_with(w)) else { continue };
            let old = self.in_picture(i + way.len()..n);
            let from = match frames().verb(&self.low) {
                Some((kinds, len))
                    if kinds
                        .iter()
                        .any(|k| matches!(k, Frame::Add | Frame::Have | Frame::Make | Frame::Other | Frame::Move))
                        && len < i =>
                {
                    len
                }
                Some(_) => return,
                None => 0,
            };
            let from = if matches!(self.at(from), "it" | "this") && from + 1 < i { from + 1 } else { from };
            // `have them sell pineapples instead of mangoes`
            let verb =
                self.splits(from).first().copied().filter(|k| {
                    matches!(self.at(0), "have" | "let" | "make") && frames().acts(self.at(*k)) && *k + 1 < i
                });
            let from = verb.map_or(from, |k| k + 1);
            // `two airplanes instead of one`
            if self.slice(&old) == ["one"]
                && i == from + 2
                && crate::small::is_number(self.at(from))
                && (self.names)(&self.low[from + 1..i])
            {
                all.push(Reading::Count { what: from + 1..i, number: from..from + 1 });
                return;
            }
            if i > from
                && !old.is_empty()
                && self.find(old.start, &[","]).is_empty()
                && !matches!(self.at(old.start), "in" | "on" | "at")
            {
                all.push(Reading::Swap { old: Some(old), new: self.trimmed(from..i) });
            }
        }
    }

    /// `there is a goat`, `ensure there are no goats`, `let there be light`.
    pub(crate) fn there(&self, all: &mut Vec<Reading>) {
        let n = self.low.len();
        let Some(t) = self.low.iter().take(6).position(|w| *w == "there") else { return };
        let before = &self.low[..t];
        let opens = before.is_empty()
            || matches!(
                before,
                ["ensure" | "let" | "have" | "make"]
                    | ["ensure", "that"]
                    | ["make", "sure"]
                    | ["make", "sure", "that"]
                    | ["make", "it", "so"]
                    | ["make", "it", "so", "that"]
                    | ["see", "to", "it", "that"]
                    | ["so"]
                    | ["what", "if"]
                    | ["i", "want"]
                    | ["could" | "can" | "should" | "would"]
            );
        if !opens {
            return;
        }
        let mut i = t + 1;
        while matches!(
            self.at(i),
            "should"
                | "must"
                | "needs"
                | "need"
                | "to"
                | "is"
                | "are"
                | "be"
                | "was"
                | "were"
                | "could"
                | "would"
                | "shouldn't"
                | "not"
                | "isn't"
                | "aren't"
                | "has"
                | "have"
                | "will"
                | "can"
                | "also"
        ) {
            i += 1;
        }
        if i == t + 1 || i >= n {
            return;
        }
        let negative = self.low[t..i].iter().any(|w| matches!(*w, "not" | "shouldn't" | "isn't" | "aren't"));
        let rest = self.in_picture(i..n);
        if rest.is_empty() || matches!(self.at(rest.start), "more" | "less" | "fewer") {
            return;
        }
        if matches!(self.at(rest.start), "no") || negative {
            let from = rest.start + usize::from(matches!(self.at(rest.start), "no" | "any" | "a" | "an"));
            let from = from + usize::from(matches!(self.at(from), "more" | "longer"));
            all.push(Reading::Remove { what: self.before_words(from..rest.end, &["anymore", "left", "visible"]) });
        } else if !before.is_empty()
            || self.at(t + 1) != "is" && self.at(t + 1) != "are"
            || (rest.start..n).any(|i| self.at(i) == "the" && (self.names)(&self.low[i..]))
        {
            if crate::small::is_number(self.at(rest.start)) || self.at(rest.start) == "only" {
                let number = rest.start + usize::from(self.at(rest.start) == "only");
                all.push(Reading::Count { what: number + 1..rest.end, number: number..number + 1 });
            }
            let just = rest.start + usize::from(matches!(self.at(rest.start), "just" | "only"));
            if just > rest.start
                && self.at(just) == "one"
                && just + 2 == rest.end
                && (self.names)(&self.low[just + 1..])
            {
                all.push(Reading::Count { what: just + 1..rest.end, number: just..just + 1 });
                return;
            }
            // `let there be a thunderstorm`
            if let ["a" | "an", noun] = self.slice(&rest)
                && lexicon().noun(noun).contains(&"weather")
            {
                all.push(Reading::Set { slot: Slot::Weather, to: rest.clone() });
            }
            all.push(Reading::Add { what: rest });
        }
    }

    /// `take the hat off`
    pub(crate) fn parted(&self, all: &mut Vec<Reading>) {
        let n = self.low.len();
        if n > 2 && frames().parted(self.at(0), self.at(n - 1)) == Some(Frame::Remove) && self.at(1) != "it" {
            all.push(Reading::Remove { what: self.in_picture(1..n - 1) });
        }
    }

    /// `make the goat disappear`
    pub(crate) fn gone(&self, all: &mut Vec<Reading>) -> bool {
        let n = self.low.len();
        // `I don't want the bird`
        if let ["i" | "we", "don't" | "dont" | "never", "want" | "need" | "like", ..] = self.low.as_slice() {
            let from = 3 + usize::from(matches!(self.at(3), "any" | "to"));
            if from < n && self.at(from) != "see" && self.at(3) != "to" {
                all.push(Reading::Remove { what: self.in_picture(from..n) });
            }
            return false;
        }
        // `keep only the violin`, `remove all but the plate`
        let only = match self.low.as_slice() {
            ["keep" | "leave", "only" | "just", _, ..] | ["only" | "just", "keep" | "leave", _, ..] => Some(2),
            [verb, "all" | "everything", "but" | "except", ..] if frames().tells(verb) => Some(3),
            _ => None,
        };
        if let Some(from) = only.filter(|from| *from < n && (self.names)(&self.low[*from..])) {
            all.push(Reading::Only { what: from..n });
            return true;
        }
        // `hold the olives`, as one orders food
        if let ["hold", "the", rest @ ..] = self.low.as_slice()
            && rest.last().is_some_and(|w| lexicon().noun(w).contains(&"food") || lexicon().noun(w).is_empty())
            && (self.names)(&self.low[1..])
        {
            all.push(Reading::Remove { what: 1..n });
            return true;
        }
        let gone = matches!(
            self.low.as_slice(),
            [.., "disappear" | "vanish" | "gone" | "invisible" | "disappeared"] | [.., "go", "away"]
        );
        if gone && matches!(self.at(0), "make" | "have" | "let" | "get") {
            let end = n - if self.at(n - 1) == "away" { 2 } else { 1 };
            let end = if self.at(end - 1) == "be" { end - 1 } else { end };
            if end > 1 {
                all.push(Reading::Remove { what: 1..end });
                return true;
            }
        }
        false
    }

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

    /// `blond to red`, `cat into dog`; `could her hair be red`, `can it be night`
    fn pair(&self, all: &mut Vec<Reading>) {
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

    /// `a whole flock of sheep`, `lots of apples`, `just one boat`
    fn quantity(&self, all: &mut Vec<Reading>) {
        let n = self.low.len();
        let mut from = 0;
        while matches!(self.at(from), "just" | "only" | "exactly" | "make" | "it" | "say") {
            from += 1;
        }
        let Some(noun) = n.checked_sub(1).filter(|k| *k > from && (self.names)(&self.low[*k..])) else { return };
        let words = &self.low[from..noun];
        let amount = match words {
            [w] => crate::small::is_number(w) || *w == "one" || w.parse::<u32>().is_ok(),
            [.., w, "of"] => frames().is("measure", &crate::frames::singular(w)) || frames().is("amount", w),
            ["a", "few"] => true,
            _ => false,
        };
        if amount && n < 8 {
            all.push(Reading::Count { what: noun..n, number: from..noun });
        }
    }

    /// No verb: `lit by lanterns`, `as a watercolour`, `from wooden ones to stone ones`.
    pub(crate) fn bare(&self, all: &mut Vec<Reading>) {
        let n = self.low.len();
        let first = self.at(0);
        if frames().verb(&self.low).is_none()
            && is_ed(first)
            && matches!(self.at(1), "by" | "with" | "in" | "from" | "on")
            && n > 2
            && n < 12
        {
            all.push(Reading::Hang { text: 0..n });
        }
        if first == "as" && n > 2 && slot_of(&self.low[1..]) == Some(Slot::Medium) {
            all.push(Reading::Set { slot: Slot::Medium, to: 1..n });
        }
        // `plain white backdrop`
        if n > 1 && n < 6 && matches!(self.at(n - 1), "background" | "backdrop") {
            let from = usize::from(is_determiner(first));
            if from + 1 < n && self.low[from..n - 1].iter().all(|w| lexicon().is_adjective(w) || is_adverb(w)) {
                all.push(Reading::Set { slot: Slot::Background, to: from..n });
            }
        }
        // `winter scene`, `underwater version`
        if n == 2 && matches!(self.at(1), "scene" | "version" | "mode" | "edition") && !is_determiner(first) {
            match slot_of(&self.low[..1]) {
                Some(slot) => all.push(Reading::Set { slot, to: 0..1 }),
                None if !(self.names)(&self.low[1..]) => all.push(Reading::Hang { text: 0..1 }),
                None => {}
            }
        }
        // `the umbrella, change to a newspaper`, `the tram: make it yellow`
        if let Some(c) = self.low.iter().position(|w| matches!(*w, "," | ":"))
            && (self.names)(&self.low[..c])
            && is_determiner(first)
            && let Some((kinds, len)) = frames().verb(&self.low[c + 1..])
            && kinds.iter().any(|k| matches!(k, Frame::Make | Frame::Change | Frame::Paint | Frame::Replace))
        {
            let mut to = c + 1 + len;
            while matches!(self.at(to), "it" | "them" | "to" | "into" | "with" | "be") {
                to += 1;
            }
            if to < n {
                let old = Some(0..c);
                all.push(match kinds.contains(&Frame::Replace) {
                    true => Reading::Swap { old, new: to..n },
                    false => Reading::Become { what: old, to: to..n },
                });
            }
        }
        // `she carries a tray`, `the baby laughs`
        if let Some(v) = (1..n.min(6)).find(|&i| frames().finite(self.at(i)).is_some())
            && (v == 1 && is_person_pronoun(first) || self.at(0) == "the" && (self.names)(&self.low[..v]))
            && !is_preposition(self.at(v - 1))
        {
            let n = self.trimmed(v..n).end;
            all.push(match self.at(v) {
                "has" | "have" | "had" if v + 1 < n => Reading::Give { to: 0..v, what: v + 1..n },
                _ => Reading::Act { who: Some(0..v), does: v..n },
            });
        }
        // `rear up on its hind legs`
        let does = self.polite
            && frames().acts(first)
            && lexicon().noun(first).is_empty()
            && frames().verb(&self.low).is_none();
        // `jump into the water`
        let lone = n < 7
            && frames().is_posture(first)
            && lexicon().noun(first).is_empty()
            && !lexicon().is_adjective(first)
            && frames().verb(&self.low).is_none()
            && is_preposition(self.at(1))
            && self.at(1) != "of"
            && is_determiner(self.at(2));
        if does || lone || crate::form::acts_alone(&self.low, &|w| (self.names)(&[w])) {
            all.push(Reading::Act { who: None, does: 0..n });
        }
        // `could they dance in the street`
        if matches!(first, "could" | "can" | "should" | "would")
            && let Some(k) = (2..n.min(8)).find(|&k| frames().acts(self.at(k)))
            && (self.names)(&self.low[1..k])
        {
            all.push(Reading::Act { who: Some(1..k), does: k..n });
        }
        // `I want her reading a tablet`
        if self.polite
            && let Some(k) = (1..n.min(5)).find(|&k| is_ing(self.at(k)))
            && k < n
            && (is_person_pronoun(first) && k == 1 || first == "the" && (self.names)(&self.low[..k]))
            && super::does(self.at(k))
        {
            let end = self.trimmed(k..n).end;
            all.push(Reading::Act { who: Some(0..k), does: k..end });
        }
        self.quantity(all);
        self.pair(all);
        // `slap some sunglasses on the dog`: an unknown verb that puts something somewhere.
        let new = |w: &str| matches!(w, "a" | "an" | "some" | "two" | "three" | "several");
        let orders = new(self.at(1))
            && !is_preposition(first)
            && !is_ing(first)
            && lexicon().noun(first).is_empty()
            && !is_determiner(first)
            && !lexicon().is_adjective(first)
            && !matches!(first, "just" | "only" | "also" | "maybe" | "perhaps" | "and" | "not");
        if frames().verb(&self.low).is_none()
            && orders
            && (3..n).any(|i| is_preposition(self.at(i)) && (self.names)(&self.low[i + 1..]) && self.at(i) != "with")
        {
            all.push(Reading::Add { what: self.in_picture(1..n) });
        }
        // `golden hour`, `calm weather`, `it is snowing`
        let slot = slot_of(&self.low).filter(|s| matches!(s, Slot::Season | Slot::Time));
        if n < 4 && slot.is_some() && !is_determiner(first) && !is_preposition(first) && !(self.names)(&self.low) {
            all.push(Reading::Set { slot: slot.unwrap_or(Slot::Time), to: 0..n });
        }
        if n == 2 && self.at(1) == "weather" && !is_determiner(first) {
            all.push(Reading::Set { slot: Slot::Weather, to: 0..n });
        }
        if let ["it", "is" | "'s", w] | ["it", "is", "now", w] = self.low.as_slice()
            && lexicon().noun_form(w).is_some_and(|form| lexicon().noun(form).contains(&"weather"))
        {
            all.push(Reading::Set { slot: Slot::Weather, to: n - 1..n });
        }
        if let ["it" | "this" | "that", "as", ..] = self.low.as_slice()
            && slot_of(&self.low[2..]) == Some(Slot::Medium)
        {
            all.push(Reading::Set { slot: Slot::Medium, to: 2..n });
        }
        // `a basketball, not a football`
        if let Some(c) = (1..n)
            .find(|&i| self.at(i) == "," && self.at(i + 1) == "not" && i + 2 < n && (self.names)(&self.low[i + 2..]))
        {
            let made = if matches!(self.low.as_slice(), ["make" | "let", "it" | "that", ..]) { 2 } else { 0 };
            all.push(Reading::Swap { old: Some(c + 2..n), new: self.trimmed(made.min(c)..c) });
        }
        if self.polite
            && matches!(first, "a" | "an")
            && slot_of(&self.low) == Some(Slot::Medium)
            && !(self.names)(&self.low)
        {
            all.push(Reading::Set { slot: Slot::Medium, to: 0..n });
        }
        // `more clouds` where there are none, `more balloons` where there is one
        if first == "more" && n == 2 && crate::lexicon::is_plural(self.at(1)) && !lexicon().noun(self.at(1)).is_empty()
        {
            match (self.names)(&self.low[1..]) {
                true => all.push(Reading::Count { what: 1..2, number: 0..1 }),
                false => all.push(Reading::Add { what: 1..2 }),
            }
        }
        if first == "more" && n == 2 && lexicon().is_adjective(self.at(1)) && lexicon().noun(self.at(1)).is_empty() {
            all.push(Reading::Become { what: None, to: 1..2 });
        }
        let verb = frames().verb(&self.low).is_some() && crate::form::orders(&self.low, &|w| (self.names)(&[w]));
        // `without the crown`, `he has no freckles`, `no people`
        for i in 0..n.saturating_sub(1) {
            let no = matches!(self.at(i), "without" | "minus")
                || (self.at(i) == "no" && (i == 0 || matches!(self.at(i - 1), "has" | "have" | "wears" | "with")));
            if no
                && !verb
                && !self.low.contains(&"but")
                && !self.low.contains(&",")
                && i + 1 < n
                && self.at(i + 1) != "any"
            {
                let from = i + 1 + usize::from(self.at(i + 1) == "more");
                all.push(Reading::Remove { what: self.in_picture(from..n) });
                return;
            }
        }
        // `jacket: orange`
        let colon = self.low.iter().position(|w| *w == ":").filter(|i| *i > 0 && *i + 1 < n && n < 9);
        if let Some(i) = colon.filter(|i| frames().verb(&self.low[i + 1..]).is_none()) {
            match slot_named(&self.low[..i]) {
                Some(slot) => all.push(Reading::Set { slot, to: i + 1..n }),
                None => all.push(Reading::Become { what: Some(0..i), to: i + 1..n }),
            }
        }
        // `exactly seven birds`
        if matches!(first, "only" | "just" | "exactly")
            && n == 3
            && (crate::small::is_number(self.at(1)) || self.at(1) == "one")
        {
            all.push(Reading::Count { what: 2..n, number: 1..2 });
        }
        if verb {
            return;
        }
        let low = self.low.as_slice();
        // `all cars red`, `blanket in lavender`
        let colour = |w: &str| lexicon().adjective(w).iter().any(|k| matches!(*k, "colour" | "material"));
        if n > 1 && n < 6 && colour(last_of(low)) {
            let to = n - 1;
            let from = to - usize::from(self.at(to - 1) == "in");
            let each = matches!(first, "all" | "both" | "every");
            if from > 0 && (each || from < to) && (self.names)(&self.low[..from]) {
                all.push(Reading::Become { what: Some(0..from), to: to..n });
                return;
            }
        }
        // `black and white photo`, `film noir`, `cubist`
        if n < 5
            && !is_determiner(first)
            && !is_preposition(first)
            && slot_of(low) == Some(Slot::Medium)
            && !(self.names)(low)
            && !low.contains(&",")
        {
            let told = usize::from(matches!(first, "use" | "try") && n > 1);
            all.push(Reading::Set { slot: Slot::Medium, to: told..n });
            return;
        }
        // `anime style`, `gothic vibes`, `golden light`
        let last = self.at(n - 1);
        if n > 1 && n < 6 && !is_determiner(first) && matches!(last, "style" | "vibe" | "vibes" | "aesthetic" | "look")
        {
            all.push(Reading::Set { slot: Slot::Medium, to: 0..n });
        } else if n < 5
            && n > 1
            && (frames().is("lighting", last) || frames().is("light", last) || matches!(last, "candlelight"))
            && !matches!(first, "more" | "less" | "it" | "no")
            && !is_determiner(first)
            && !is_preposition(first)
        {
            all.push(Reading::Set { slot: Slot::Light, to: 0..n });
        }
        // `pigeons around the fountain`, `steam rising from the cup`: more, tied to what is there.
        let the = (1..n.saturating_sub(1)).rev().find(|&i| self.at(i) == "the" && (self.names)(&self.low[i..]));
        let on_it = n > 2
            && (matches!(low, [.., "in", "the", "background" | "foreground" | "distance" | "sky"])
                || matches!(low, [.., "it"]) && is_preposition(self.at(n - 2))
                || n < 5 && matches!(low, [.., "on", "top"]));
        if n < 14
            && !is_preposition(first)
            && first != "the"
            && !orders
            && (the.is_some() || on_it || self.polite)
            && !matches!(
                first,
                "more"
                    | "less"
                    | "no"
                    | "not"
                    | "so"
                    | "too"
                    | "all"
                    | "every"
                    | "only"
                    | "i"
                    | "we"
                    | "he"
                    | "she"
                    | "it"
                    | "they"
                    | "could"
                    | "can"
                    | "would"
                    | "there"
            )
            && !self.low.iter().any(|w| matches!(*w, "is" | "are" | "should" | "instead" | "not"))
        {
            let head = (1..n).find(|&i| is_preposition(self.at(i)) || is_ing(self.at(i))).unwrap_or(n);
            if head == n && (!self.polite || the.is_some()) {
            } else if head == n && n < 6 && n > 1 && (self.names)(&self.low[n - 1..n]) {
                let numbered = crate::small::is_number(first) && n == 2;
                if numbered {
                    all.push(Reading::Count { what: 1..2, number: 0..1 });
                } else if first != "another" {
                    all.push(Reading::Become { what: Some(n - 1..n), to: 0..n });
                }
            } else if the.is_some() || on_it {
                all.push(Reading::Add { what: 0..n });
            }
        }
        // `bench for rocking chair`
        if let Some(i) = (1..n.saturating_sub(1)).find(|&i| self.at(i) == "for")
            && n < 6
            && !self.low.iter().any(|w| is_determiner(w))
            && (self.names)(&self.low[i + 1..])
            && !(self.names)(&self.low[..i])
            && self.low[..i].iter().all(|w| !lexicon().noun(w).is_empty() || lexicon().is_adjective(w))
        {
            all.push(Reading::Swap { old: Some(i + 1..n), new: 0..i });
        }
        // `thatched roof instead`, `wool hat`
        let end = self.trimmed(0..n).end;
        if (2..=4).contains(&end)
            && (self.names)(&self.low[end - 1..end])
            && !(self.names)(&self.low[..end - 1])
            && self.low[..end - 1].iter().all(|w| {
                (lexicon().adjective(w).contains(&"material")
                    || crate::apply::is_material(w)
                    || is_ed(w)
                    || end == 2 && self.at(1) == "sky" && lexicon().adjective(w).contains(&"weather"))
                    && !matches!(*w, "more" | "less" | "no" | "not")
            })
        {
            all.push(Reading::Become { what: Some(end - 1..end), to: 0..end });
        }
        if first == "from" {
            for i in self.find(1, &["to", "into"]) {
                if i > 1 && i + 1 < n {
                    all.push(Reading::Swap { old: Some(1..i), new: self.trimmed(i + 1..n) });
                }
            }
        }
    }
}
