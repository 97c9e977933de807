//! What stands in the place of another, what is there, and what goes.

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
                && i > from + 1
                && crate::small::is_number(self.at(from))
                && (self.names)(&self.low[from + 1..from + 2])
            {
                all.push(Reading::Count { what: from + 1..from + 2, number: from..from + 1 });
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
}
