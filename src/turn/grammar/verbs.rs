//! Frames of verbs.

use super::*;

impl Clause<'_> {
    /// `make a trout leap out of the pond`: what the prompt does not have does something.
    pub(crate) fn spawn(&self, all: &mut Vec<Reading>) {
        let n = self.low.len();
        if !matches!(self.at(0), "make" | "have" | "let" | "get") || n < 3 {
            return;
        }
        let verb = (2..n.min(8)).find(|&i| {
            let w = self.at(i);
            let next = self.at(i + 1);
            frames().acts(w)
                && !is_determiner(self.at(i - 1))
                && (next.is_empty() && lexicon().noun(w).is_empty()
                    || is_determiner(next)
                    || is_preposition(next)
                    || matches!(next, "out" | "up" | "down" | "off" | "away")
                    || lexicon().noun(w).is_empty())
        });
        if let Some(v) = verb
            && !(self.names)(&self.low[1..v])
            && !matches!(
                self.at(1),
                "it" | "the"
                    | "her"
                    | "him"
                    | "them"
                    | "his"
                    | "its"
                    | "their"
                    | "this"
                    | "that"
                    | "there"
                    | "everything"
                    | "both"
                    | "all"
                    | "each"
            )
        {
            all.push(Reading::Spawn { what: 1..v, does: v..n });
        }
    }

    /// `draw it in the style of a comic`, `show the scene as a mosaic`.
    pub(crate) fn drawn(&self, all: &mut Vec<Reading>) {
        let n = self.low.len();
        if !matches!(
            self.at(0),
            "draw"
                | "paint"
                | "redraw"
                | "render"
                | "show"
                | "sketch"
                | "illustrate"
                | "depict"
                | "portray"
                | "present"
                | "repaint"
                | "style"
                | "display"
                | "redo"
                | "recreate"
                | "remake"
                | "reimagine"
                | "do"
                | "make"
                | "create"
        ) {
            return;
        }
        // `show it flying`
        if matches!(self.at(0), "show" | "depict" | "portray")
            && let Some(k) = self.splits(1).first().copied()
            && is_ing(self.at(k))
            && does(self.at(k))
        {
            all.push(Reading::Act { who: Some(1..k), does: k..n });
            return;
        }
        // `do a line drawing of it`
        if let Some(of) = self.find(2, &["of"]).last().copied()
            && matches!(self.at(1), "a" | "an")
            && is_picture(self.slice(&(of + 1..n)))
            && slot_of(self.slice(&(1..of))) == Some(Slot::Medium)
        {
            all.push(Reading::Set { slot: Slot::Medium, to: 1..of });
            return;
        }
        for i in self.find(1, &["as", "like", "in"]) {
            let to = self.trimmed(i + 1..n);
            let like = matches!(self.at(i), "as" | "like")
                && matches!(self.at(i + 1), "a" | "an")
                && !matches!(self.at(0), "show" | "present" | "display");
            // `paint this like Monet would`
            let by = if matches!(self.at(n - 1), "would" | "did" | "might") { i + 1..n - 1 } else { to.clone() };
            if self.at(i) == "like"
                && is_picture(self.slice(&(1..i)))
                && by.len() < 4
                && !by.is_empty()
                && by.clone().all(|k| lexicon().noun(self.at(k)).is_empty() && !is_determiner(self.at(k)))
            {
                all.push(Reading::Set { slot: Slot::Medium, to: by });
                return;
            }
            if is_picture(self.slice(&(1..i))) && like && self.at(1) != "the" {
                all.push(Reading::Set { slot: Slot::Medium, to });
                return;
            }
            let slot = slot_of(self.slice(&to)).filter(|s| *s == Slot::Medium || self.at(i) == "in");
            if is_picture(self.slice(&(1..i)))
                && let Some(slot) = slot
            {
                all.push(Reading::Set { slot, to });
                return;
            }
        }
    }

    pub(crate) fn replace(&self, len: usize, all: &mut Vec<Reading>) {
        let n = self.low.len();
        let reversed = matches!(self.at(0), "substitute" | "sub");
        for i in self.find(len, &["with", "by", "for", "to", "into"]) {
            if i + 1 >= n {
                continue;
            }
            let (x, y) = (self.trimmed(len..i), self.in_picture(i + 1..n));
            if y.is_empty() {
                continue;
            }
            if x.is_empty() {
                self.picture_becomes(&y, all);
                all.push(Reading::Swap { old: None, new: y });
            } else if reversed && self.at(i) == "for" {
                all.push(Reading::Swap { old: Some(y), new: x });
            } else {
                let x = if self.at(x.start) == "from" { x.start + 1..x.end } else { x };
                if let Some(slot) = slot_named(self.slice(&x)) {
                    all.push(Reading::Set { slot, to: y.clone() });
                }
                let named = (self.names)(self.slice(&x));
                if let Some(what) = self.of_attribute(&x).filter(|_| !named) {
                    all.push(Reading::Become { what: Some(what), to: self.without_attribute(y) });
                    return;
                }
                all.push(Reading::Swap { old: Some(x), new: y });
                if named {
                    return;
                }
            }
        }
    }

    /// `the colour of the car`, `the car's colour`, `the car colour`: the car.
    pub(crate) fn of_attribute(&self, x: &Words) -> Option<Words> {
        let words = self.slice(x);
        let is = |w: &str| ATTRIBUTES.contains(&w);
        let at = words.iter().position(|w| is(w))?;
        if words.get(at + 1) == Some(&"of") && at <= 2 {
            return Some(x.start + at + 2..x.end);
        }
        if at + 1 == words.len() && at > 0 {
            let end = at - usize::from(words[at - 1] == "'s");
            let the = usize::from(is_determiner(words[0]) && !is_owner(words[0]));
            return (end > the).then(|| x.start..x.start + end);
        }
        None
    }

    pub(crate) fn change(&self, len: usize, all: &mut Vec<Reading>) {
        let n = self.low.len();
        if self.at(0).ends_with("ize") | self.at(0).ends_with("ise")
            && self.at(0).starts_with("colo")
            && (len == n || is_picture(self.slice(&(len..n))))
        {
            all.push(Reading::Set { slot: Slot::Medium, to: 0..1 });
            return;
        }
        // `change X from A to B`, `change from A to B`
        let from = self.find(len, &["from"]).first().copied();
        if let Some(f) = from {
            for i in self.find(f + 1, &["to", "into"]) {
                let (x, a, b) = (self.trimmed(len..f), self.trimmed(f + 1..i), self.in_picture(i + 1..n));
                if a.is_empty() || b.is_empty() {
                    continue;
                }
                all.push(Reading::Swap { old: Some(a), new: b.clone() });
                if !x.is_empty() {
                    let what = self.of_attribute(&x).unwrap_or(x);
                    all.push(Reading::Become { what: Some(what), to: b });
                }
            }
        }
        for i in self.find(len, &["to", "into", "with", "as"]) {
            let (x, y) = (self.trimmed(len..from.unwrap_or(i).min(i)), self.in_picture(i + 1..n));
            if y.is_empty() || (from.is_some() && matches!(self.at(i), "with" | "as")) {
                continue;
            }
            if matches!(self.at(i), "with" | "as")
                && !matches!(self.at(0), "change" | "render" | "reimagine" | "replace")
            {
                continue;
            }
            let y = if matches!(self.at(y.start), "be" | "become") { y.start + 1..y.end } else { y };
            if x.is_empty() {
                self.picture_becomes(&y, all);
                all.push(Reading::Become { what: None, to: y });
                continue;
            }
            if matches!(self.at(y.start), "have" | "wear") && y.len() > 1 {
                all.push(Reading::Give { to: x, what: y.start + 1..y.end });
                continue;
            }
            let words = self.slice(&x);
            if let Some(slot) = slot_named(words) {
                all.push(Reading::Set { slot, to: y.clone() });
                continue;
            }
            // `change the material to marble`: of what the picture is of.
            let alone = matches!(words, ["the", w] | [w] if ATTRIBUTES.contains(w)) && !(self.names)(words);
            if alone {
                all.push(Reading::Become { what: None, to: y });
            } else if let Some(what) = self.of_attribute(&x) {
                let y = self.without_attribute(y.clone());
                all.push(Reading::Become { what: Some(what), to: y });
            } else if matches!(words, ["number", ..] | ["the", "number", ..]) {
                let of = self.find(x.start, &["of"]);
                if let Some(of) = of.first().filter(|o| **o < x.end) {
                    all.push(Reading::Count { what: of + 1..x.end, number: y.start..y.start + 1 });
                }
            } else {
                if is_picture(words) {
                    self.picture_becomes(&y, all);
                }
                all.push(Reading::Become { what: Some(x), to: y });
            }
        }
        // `change the colour of the car`: into what?
        let x = len..n;
        if self.of_attribute(&x).is_some_and(|w| (self.names)(self.slice(&w)))
            && self.find(len, &["to", "into", "with", "from", "as"]).is_empty()
            && self.at(n - 1) != "be"
        {
            let last = self.at(n - 1);
            if !lexicon().is_adjective(last) || (self.names)(&self.low[n - 1..]) {
                all.push(Reading::Half { what: x });
            }
        }
        // `turn the car red`
        if self.at(0) == "turn" {
            self.make(len, false, all);
        }
    }

    /// `a blue colour` is blue.
    pub(crate) fn without_attribute(&self, y: Words) -> Words {
        let words = self.slice(&y);
        if words.len() > 1 && ATTRIBUTES.contains(&words[words.len() - 1]) {
            let start = y.start + usize::from(matches!(words[0], "a" | "an" | "the"));
            return start..y.end - 1;
        }
        if let [.., "in", "colour" | "color"] = words {
            return y.start..y.end - 2;
        }
        match words {
            ["the", "colour" | "color", ..] if words.len() > 2 => y.start + 2..y.end,
            ["a" | "an", ..]
                if words.len() > 1
                    && words[1..].iter().all(|w| {
                        lexicon().adjective(w).contains(&"colour")
                            || matches!(*w, "deep" | "dark" | "light" | "bright" | "pale")
                    }) =>
            {
                y.start + 1..y.end
            }
            _ => y,
        }
    }

    pub(crate) fn make(&self, len: usize, paint: bool, all: &mut Vec<Reading>) {
        let n = self.low.len();
        self.part(len, all);
        for k in self.splits(len).into_iter().take(1) {
            let x = len..k;
            let mut y = k..n;
            loop {
                let skip =
                    match self.low[y.start..].first() {
                        Some(
                            &("be" | "look" | "appear" | "seem" | "become" | "in" | "to" | "into" | "turn" | "as"),
                        ) if paint => 1,
                        Some(&"look") if self.at(y.start + 1) == "at" => 0,
                        Some(&("be" | "look" | "appear" | "seem" | "become" | "into" | "being" | "to")) => 1,
                        Some(&"like")
                            if self.at(y.start + 1) == "it" && matches!(self.at(y.start + 2), "'s" | "is" | "was") =>
                        {
                            3
                        }
                        Some(&"like") if y.start > k => 1,
                        Some(&("in" | "with"))
                            if matches!(self.at(y.start + 1), "the" | "an" | "a")
                                && slot_of(self.slice(&(y.start + 1..n))) == Some(Slot::Medium) =>
                        {
                            1
                        }
                        Some(&"as") if matches!(self.at(y.start + 1), "if") => 0,
                        Some(&"as") => 1,
                        _ => 0,
                    };
                if skip == 0 || y.start + skip >= n {
                    break;
                }
                y.start += skip;
            }
            let y = self.in_picture(y);
            if y.is_empty() {
                continue;
            }
            let words = self.slice(&x).to_vec();
            if let Some(slot) = slot_named(&words) {
                all.push(Reading::Set { slot, to: y });
                continue;
            }
            let picture = is_picture(&words);
            // `like Van Gogh painted it`
            if let ([.., "painted" | "drew" | "made", "it" | "this"], true) = (self.slice(&y), picture && y.len() > 2) {
                all.push(Reading::Set { slot: Slot::Medium, to: y.start..y.end - 2 });
                return;
            }
            // `the wolf's fur white`: a part that the prompt does not name.
            if picture && self.low[k..y.start].ends_with(&["look", "like"]) && self.at(y.start) != "it" {
                all.push(Reading::Set { slot: Slot::Medium, to: y.clone() });
            }
            if picture {
                self.picture_becomes(&y, all);
            }
            let x = self.of_attribute(&x).unwrap_or(x);
            let first = self.at(y.start);
            let next = self.at(y.start + 1);
            let odd = frames().tells(first)
                && !matches!(first, "out")
                && !lexicon().is_adjective(first)
                && lexicon().noun(first).is_empty()
                && (is_determiner(next)
                    || is_preposition(next)
                    || matches!(next, "out" | "up" | "down" | "off" | "away"));
            let acts = odd
                || (frames().acts(first) && !lexicon().is_adjective(first) && lexicon().noun(first).is_empty())
                || (frames().acts(first)
                    && n > y.start + 1
                    && (is_determiner(self.at(y.start + 1)) || is_preposition(self.at(y.start + 1))));
            let y = if paint || !acts { self.without_attribute(y) } else { y };
            if (acts || is_ing(first)) && !paint && does(first) {
                all.push(Reading::Act { who: (!picture || words == ["it"]).then_some(x.clone()), does: y.clone() });
            }
            if !acts {
                all.push(Reading::Become { what: Some(x), to: y });
            }
        }
    }

    /// `the wolf's fur white`, `his shirt yellow`: a part that the prompt does not name.
    pub(crate) fn part(&self, from: usize, all: &mut Vec<Reading>) {
        let n = self.low.len();
        let s = (from + 1..n.min(from + 5)).find(|&i| self.at(i) == "'s");
        let (owner, part) = match s {
            Some(i) if (self.names)(&self.low[from..i]) => (from..i, i + 1),
            None if matches!(self.at(from), "his" | "her" | "its" | "their")
                && n > from + 2
                && !lexicon().noun(self.at(from + 1)).is_empty() =>
            {
                (from..from + 1, from + 1)
            }
            _ => return,
        };
        // The part is all but the last word, or all before `to`, `be`.
        let mid =
            (part + 1..n).find(|&i| matches!(self.at(i), "to" | "be" | "into" | "look" | "should" | "is" | "are"));
        let (to, end) = match mid {
            Some(i) => (i + 1 + usize::from(matches!(self.at(i + 1), "be" | "look")), i),
            None => {
                let mut k = n - 1;
                while k > part + 1 && lexicon().is_adjective(self.at(k - 1)) {
                    k -= 1;
                }
                (k, k)
            }
        };
        if to < n
            && end > part
            && !self.low[part..].iter().any(|w| matches!(*w, "less" | "more" | "too" | "so" | "not" | "bit"))
            && !(self.names)(&self.low[from..end])
            && self.low[to..n].iter().all(|w| lexicon().is_adjective(w) || matches!(*w, "and" | ","))
        {
            all.push(Reading::Part { owner, part: part..end, to: to..n });
        }
    }

    pub(crate) fn have(&self, len: usize, all: &mut Vec<Reading>) {
        let n = self.low.len();
        // `let it rain`
        if let [.., "it", w] = self.low.as_slice()
            && lexicon().noun(w).contains(&"weather")
        {
            all.push(Reading::Set { slot: Slot::Weather, to: n - 1..n });
            return;
        }
        for k in self.splits(len).into_iter().take(1) {
            let x = len..k;
            let k = k + usize::from(matches!(self.at(k), "both" | "all" | "each") && k + 1 < n);
            let y = self.in_picture(k..n);
            let mut y = if matches!(self.at(y.start), "to" | "both" | "all" | "each") { y.start + 1..y.end } else { y };
            if y.is_empty() {
                continue;
            }
            let place = match self.slice(&y) {
                ["happen" | "occur", p, _, ..] if is_preposition(p) => Some(y.start + 1..y.end),
                ["take", "place", p, _, ..] if is_preposition(p) => Some(y.start + 2..y.end),
                ["do", "it" | "that" | "this" | "so", p, _, ..] if is_preposition(p) => Some(y.start + 2..y.end),
                _ => None,
            };
            if let Some(place) = place {
                let slot = slot_of(self.slice(&(place.start + 1..place.end))).unwrap_or(Slot::Background);
                let bare = place.start + usize::from(slot != Slot::Background)..place.end;
                all.push(Reading::Set { slot, to: bare });
                return;
            }
            // `let the car be parked in front of a tower`
            if self.at(y.start) == "be"
                && is_ed(self.at(y.start + 1))
                && y.len() > 3
                && is_preposition(self.at(y.start + 2))
            {
                all.push(Reading::Move { what: Some(x), place: y.start + 2..y.end });
                return;
            }
            if matches!(self.at(y.start), "be" | "become" | "look") && y.len() > 1 {
                y.start += 1;
                if is_ing(self.at(y.start)) && does(self.at(y.start)) {
                    all.push(Reading::Act { who: Some(x), does: y });
                } else if !is_preposition(self.at(y.start)) {
                    if let Some(slot) = slot_named(self.slice(&x)) {
                        all.push(Reading::Set { slot, to: y.clone() });
                    }
                    all.push(Reading::Become { what: Some(x), to: y });
                }
            } else if !matches!(self.at(y.start), "a" | "an" | "the")
                && (!is_preposition(self.at(y.start)) || is_ing(self.at(y.start)))
                && does(self.at(y.start))
            {
                all.push(Reading::Act { who: Some(x), does: y });
            }
        }
        // `have a goat in the field`
        if matches!(self.at(0), "have" | "let")
            && matches!(self.at(len), "a" | "an" | "some" | "two" | "three")
            && self.splits(len).is_empty()
        {
            let what = self.in_picture(len..n);
            // `have a matte black motorcycle`, of one that is there
            let noun = what.end - 1;
            if what.len() > 2
                && (self.names)(&self.low[noun..what.end])
                && self.low[len + 1..noun].iter().all(|w| lexicon().is_adjective(w))
            {
                all.push(Reading::Become { what: Some(noun..what.end), to: what });
                return;
            }
            let end = what.end - usize::from(is_preposition(self.at(what.end - 1)) && what.len() > 2);
            all.push(Reading::Add { what: what.start..end });
        }
    }

    pub(crate) fn cover(&self, len: usize, all: &mut Vec<Reading>) {
        let n = self.low.len();
        let verb = self.low[..len].join(" ");
        let base = self.at(0);
        // `top with berries`: what the picture is of.
        if self.at(len) == "with" && n > len + 1 && len == 1 {
            all.push(Reading::Cover { what: 0..0, done: frames().done(base), with: len..n });
            return;
        }
        // `drape a shawl over her shoulders`
        let over = self.find(len, &["over", "around", "across", "onto", "on", "along", "round"]);
        if matches!(self.at(len), "a" | "an" | "some" | "two" | "three")
            && over.iter().any(|i| *i > len + 1 && *i + 1 < n)
            && !self.low[len..].contains(&"with")
        {
            all.push(Reading::Add { what: self.in_picture(len..n) });
            return;
        }
        let first = self.find(len, &["with", "in", "by", "from", "full"]);
        for i in first {
            if i == len || i + 1 >= n {
                continue;
            }
            let x = self.trimmed(len..i);
            if x.is_empty()
                || (!matches!(self.at(i), "with" | "full")
                    && !(self.names)(self.slice(&x))
                    && !is_picture(self.slice(&x)))
            {
                continue;
            }
            if matches!(base, "equip" | "arm" | "fit" | "outfit" | "accompany" | "serve" | "pair")
                && self.at(i) == "with"
            {
                all.push(Reading::Give { to: x, what: self.trimmed(i + 1..n) });
                return;
            }
            let done = if len > 1 {
                format!("{} {}", frames().done(base), self.low[1..len].join(" "))
            } else {
                frames().done(&verb)
            };
            all.push(Reading::Cover { what: x, done, with: self.trimmed(i..n) });
            return;
        }
    }

    /// `reduce the number of hens to two`
    pub(crate) fn adjust(&self, len: usize, all: &mut Vec<Reading>) {
        let n = self.low.len();
        // `increase the chairs to four`
        let number = |w: &str| crate::small::is_number(w) || w == "one" || w.parse::<u32>().is_ok();
        if n > len + 2 && self.at(n - 2) == "to" && number(self.at(n - 1)) && (self.names)(&self.low[len..n - 2]) {
            all.push(Reading::Count { what: len..n - 2, number: n - 1..n });
        }
        let at = self.find(len, &["number", "amount", "count"]).first().copied().filter(|i| *i <= len + 1);
        if let Some(i) = at
            && self.at(i + 1) == "of"
            && let Some(to) = self.find(i, &["to"]).last().copied().filter(|t| *t + 1 < n)
        {
            all.push(Reading::Count { what: i + 2..to, number: to + 1..to + 2 });
        }
    }

    pub(crate) fn other(&self, len: usize, all: &mut Vec<Reading>) {
        let n = self.low.len();
        match self.at(0) {
            "use" | "try" | "apply" if n > len => {
                let as_ground = self.find(len + 1, &["as"]).last().copied().filter(|&i| {
                    matches!(self.low[i + 1..], ["background" | "backdrop"] | ["the" | "a", "background" | "backdrop"])
                });
                if let Some(i) = as_ground {
                    all.push(Reading::Set { slot: Slot::Background, to: len..i });
                    return;
                }
                let what = self.in_picture(len..n);
                if slot_of(self.slice(&what)) == Some(Slot::Medium) {
                    all.push(Reading::Set { slot: Slot::Medium, to: what });
                } else if (self.names)(&self.low[what.end - 1..what.end]) {
                    all.push(Reading::Swap { old: None, new: what });
                }
            }
            // `set the scene in winter`, `set it at night`
            "set" => {
                for i in self.find(len + 1, &["to", "in", "at", "during", "on"]) {
                    let (x, y) = (len..i, self.trimmed(i + 1..n));
                    if y.is_empty() {
                        continue;
                    }
                    if let Some(slot) = slot_named(self.slice(&x)) {
                        all.push(Reading::Set { slot, to: y });
                    } else if is_picture(self.slice(&x)) {
                        match slot_of(self.slice(&y)) {
                            Some(slot) => all.push(Reading::Set { slot, to: y }),
                            None => all.push(Reading::Set { slot: Slot::Background, to: y }),
                        }
                    }
                    return;
                }
            }
            "ensure" => {
                let from = len + usize::from(self.at(len) == "that");
                let inner = Clause { low: self.low[from..].to_vec(), names: self.names, polite: true };
                let moved = |r: Words| r.start + from..r.end + from;
                let mut found = Vec::new();
                inner.modal(&mut found);
                for reading in found {
                    all.push(match reading {
                        Reading::Become { what, to } => Reading::Become { what: what.map(moved), to: moved(to) },
                        Reading::Remove { what } => Reading::Remove { what: moved(what) },
                        Reading::Act { who, does } => Reading::Act { who: who.map(moved), does: moved(does) },
                        Reading::Set { slot, to } => Reading::Set { slot, to: moved(to) },
                        other => other,
                    });
                }
            }
            "style" | "depict" | "portray" | "represent" | "imagine" | "picture" | "reimagine" | "redraw" => {
                for i in self.find(len, &["as", "like", "in"]) {
                    let to = self.trimmed(i + 1..n);
                    if is_picture(self.slice(&(len..i))) && slot_of(self.slice(&to)) == Some(Slot::Medium) {
                        all.push(Reading::Set { slot: Slot::Medium, to });
                        return;
                    }
                }
            }
            // `stop the baby from crying`
            "stop" | "keep" => {
                if let Some(i) = self.find(len, &["from"]).first().filter(|i| **i > len && **i + 1 < n) {
                    all.push(Reading::Remove { what: i + 1..n });
                }
            }
            // `double the number of boats`
            "double" | "triple" => {
                let of = self.find(len, &["of"]).first().map_or(len, |i| i + 1);
                let number = matches!(self.at(len + 1), "number" | "amount" | "count");
                let what = if number { of..n } else { len..n };
                if (self.names)(self.slice(&what)) {
                    all.push(Reading::Count { what, number: 0..1 });
                }
            }
            // `build the wall from bricks`
            "build" | "make" | "knit" | "carve" | "sculpt" | "weave" | "sew" | "construct" | "forge" | "cast"
            | "crochet" => {
                if let Some(i) = self
                    .find(len, &["from", "out", "of"])
                    .into_iter()
                    .find(|i| *i > len && (self.names)(&self.low[len..*i]))
                {
                    all.push(Reading::Become { what: Some(len..i), to: i..n });
                }
            }
            _ => {}
        }
    }
}
