//! Lines without a verb that tells.

use super::*;

impl Clause<'_> {
    /// `a whole flock of sheep`, `lots of apples`, `just one boat`
    pub(crate) fn quantity(&self, all: &mut Vec<Reading>) {
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
        if amount && n < 8 && !frames().tells(words[0]) {
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
