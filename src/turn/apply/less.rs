//! Things that go, with what hangs on them.

use super::*;

impl<'s> Work<'s> {
    /// A thing goes, with its clause, its participle and what it holds.
    ///
    /// `named`: the words that it was named by; what is named with it goes too.
    pub(crate) fn remove(&mut self, t: usize, named: &[&str]) -> Done {
        let s = self.scene;
        let thing = &s.things[t];
        if s.things.iter().any(|o| o.owner == Some(t)) {
            return Err(No);
        }
        let n = s.low.len();
        let sibling = self.sibling_after(t);
        let owned = thing.owner.is_some();
        let opens = t == 0
            || owned
            || (thing.tie == thing.start && s.low(thing.start.wrapping_sub(1)) != "of")
            || (thing.start > 0 && s.tag(thing.start - 1) == Tag::Stop);
        let shown = |w: &Self, r: Range<usize>| w.text(r);
        let gap: Vec<&str> = (thing.tie..thing.start).map(|i| s.low(i)).collect();
        let joined = !gap.is_empty() && gap.iter().all(|w| matches!(*w, "and" | "," | "or"));
        // A later one of several takes its comma or `and`.
        if joined {
            let held = thing.parent.is_some() || s.tag(self.own_end(t)) == Tag::Rel;
            let does = matches!(s.tag(self.own_end(t)), Tag::Ing | Tag::Ed | Tag::Rel) && !s.is_alive(t) && held;
            let own_clause = gap[0] == "," || sibling.is_some() || does;
            let mut end = if own_clause || s.is_own(t) { s.end(t) } else { self.own_end(t) };
            if let Some(u) = sibling {
                end = end.min(s.things[u].tie).max(thing.head + 1);
            }
            let shared = gap.contains(&"and") && s.tag(self.own_end(t)) == Tag::Verb;
            if gap == ["and"] && !own_clause || shared {
                // What the two do together stays with the one.
                end = self.own_end(t);
                let left: Vec<usize> =
                    (0..t).filter(|&u| s.things[u].parent == thing.parent && !s.is_medium(u)).collect();
                self.agree_after(end, left.len() == 1 && !self.is_many(left[0]));
            }
            // `X, Y and Z` without Y.
            let from = thing.tie;
            self.changes.push(Change::Remove { text: shown(self, thing.start..end) });
            self.op(from..end, "");
            return Ok(());
        }
        if let Some(u) = sibling {
            // The first one hands its tie on to the next.
            let next = s.things[u].start;
            if !opens || t == 0 || s.is_medium(t.saturating_sub(1)) {
                self.changes.push(Change::Remove { text: shown(self, thing.start..s.things[u].tie) });
                self.op(thing.start..next, "");
                let last = self.sibling_after(u).map_or(u, |_| usize::MAX);
                if last == u {
                    self.agree_after(s.things[u].head + 1, !self.is_many(u));
                }
                return Ok(());
            }
        }
        // `a group of people` goes as a whole.
        if let Some(p) = t.checked_sub(1).filter(|&p| {
            thing.tie == s.things[p].head + 1 && gap == ["of"] && frames().is("measure", s.low(s.things[p].head))
        }) {
            return self.remove(p, named);
        }
        let subject = t == 0 || s.is_medium(t - 1) || (opens && !owned);
        if subject {
            return self.remove_subject(t);
        }
        // `while a dog watches`: its whole clause.
        if matches!(gap.first(), Some(&("while" | "as"))) || gap.len() > 1 && gap[0] == "," && gap[1] == "while" {
            let end = (thing.head + 1..n).find(|&i| matches!(s.tag(i), Tag::Comma | Tag::Stop)).unwrap_or(n);
            self.changes.push(Change::Remove { text: shown(self, thing.tie..end) });
            self.op(thing.tie..end, "");
            return Ok(());
        }
        let mut end = self.cut_end(t);
        for u in t + 1..s.things.len() {
            if s.things[u].tie != end || !named.contains(&s.low(s.things[u].head)) {
                break;
            }
            end = s.things[u].head + 1;
        }
        let from = self.tie_from(t);
        if s.low(end) == "and"
            && matches!(s.tag(end + 1), Tag::Ing | Tag::Ed | Tag::Verb)
            && matches!(s.tag(from), Tag::Ing | Tag::Verb | Tag::Be)
        {
            end += 1;
        }
        if s.low(end) == "while" && matches!(s.tag(from), Tag::Ing | Tag::Verb | Tag::Be) {
            end += 1;
        }
        if from == 0 && end >= n {
            return Err(No);
        }
        self.changes
            .push(Change::Remove { text: shown(self, from + usize::from(matches!(s.low(from), "," | "and"))..end) });
        self.op(from..end, "");
        Ok(())
    }

    /// Where what goes with a thing ends.
    pub(crate) fn cut_end(&self, t: usize) -> usize {
        let s = self.scene;
        let mut end = s.end(t);
        // A time or season said after it stays.
        for u in t + 1..s.things.len() {
            let ground = matches!(s.low(s.things[u].head), "background" | "foreground" | "distance" | "backdrop");
            if ground && s.things[u].tie == s.things[u - 1].head + 1 && (u - 1 == t || s.hangs_on(u - 1, t)) {
                return s.things[u].head + 1;
            }
            if s.is_slot(u) && s.things[u].tie < end {
                end = end.min(s.things[u].tie);
            }
        }
        self.beyond(end.max(s.things[t].head + 1))
    }

    /// Where places end that are said by what is left: `at its foot`, `behind it`.
    fn beyond(&self, end: usize) -> usize {
        let s = self.scene;
        let mut to = end;
        if matches!(s.low(to), "overhead" | "nearby" | "above" | "below" | "alongside") && s.tag(to + 1) != Tag::Det {
            to += 1;
        }
        if s.low(to) == "on" && s.low(to + 1) == "top" && s.low(to + 2) != "of" {
            to += 2;
        }
        loop {
            let tie = (to..s.low.len()).take_while(|&i| s.tag(i) == Tag::Prep).count();
            if tie == 0 || matches!(s.low(to), "with" | "of" | "for" | "without" | "like" | "wearing") {
                return to;
            }
            let at = to + tie;
            let thing = s.things.iter().find(|u| u.start == at && u.start < u.head);
            to = match (s.low(at), thing) {
                ("its" | "his" | "her" | "their", Some(u)) => u.head + 1,
                ("it" | "him" | "her" | "them", None) => at + 1,
                _ => return to,
            };
        }
    }

    /// Where the tie that goes with a thing begins: its preposition, its verb, `and with`; what the other does stays.
    pub(crate) fn tie_from(&self, t: usize) -> usize {
        let s = self.scene;
        let thing = &s.things[t];
        let mut from = thing.start;
        // The preposition, with what belongs to it.
        while from > thing.tie && matches!(s.tag(from - 1), Tag::Prep | Tag::Adv) {
            from -= 1;
        }
        // `sitting on` leaves `sitting`; `tied to`, `leaning against` too. `riding`, `wears`, `covered with` go.
        let verb =
            from.checked_sub(1).filter(|&i| i >= thing.tie && matches!(s.tag(i), Tag::Ing | Tag::Ed | Tag::Verb));
        if let Some(v) = verb {
            let base = frames().of_ing(s.low(v)).or_else(|| frames().finite(s.low(v)));
            let stays = from < thing.start && base.is_some_and(|b| frames().is_posture(&b)) && s.tag(v) != Tag::Ed;
            if !stays {
                from = v;
                while from > thing.tie
                    && matches!(s.tag(from - 1), Tag::Be | Tag::Rel | Tag::Adv | Tag::Pron | Tag::Verb)
                {
                    from -= 1;
                }
            }
        } else {
            while from > thing.tie && matches!(s.tag(from - 1), Tag::Be | Tag::Rel | Tag::Pron) {
                from -= 1;
            }
        }
        if from == thing.tie || (from > thing.tie && (thing.tie..from).all(|i| matches!(s.low(i), "," | "and"))) {
            from = thing.tie;
        }
        while from > 0 && matches!(s.low(from - 1), "," | "and") && from > thing.tie {
            from -= 1;
        }
        from
    }

    /// Where a thing ends with nothing that others share.
    pub(crate) fn own_end(&self, t: usize) -> usize {
        let s = self.scene;
        let mut end = s.things[t].head + 1;
        for u in t + 1..s.things.len() {
            let other = &s.things[u];
            let own = other.parent == Some(t)
                && other.tie == end
                && (s.low(other.tie) == "of" || (matches!(s.low(other.tie), "with" | "wearing" | "in") && s.is_own(u)));
            let next_to = other.parent != Some(t)
                && other.tie == end
                && matches!(s.low(end), "next" | "beside")
                && s.things[..t].iter().any(|o| s.low(o.head) == s.low(other.head));
            if !own && !next_to {
                break;
            }
            end = other.head + 1;
        }
        self.beyond(end)
    }

    pub(crate) fn sibling_after(&self, t: usize) -> Option<usize> {
        let s = self.scene;
        let next = (t + 1..s.things.len()).find(|&u| !s.hangs_on(u, t) && s.things[u].owner.is_none())?;
        let thing = &s.things[next];
        let tie: Vec<&str> = (thing.tie..thing.start).map(|i| s.low(i)).collect();
        let listed = tie.contains(&"and") || (tie == [","] && self.list_goes_on(next));
        (thing.joined && listed && thing.parent == s.things[t].parent).then_some(next)
    }

    pub(crate) fn list_goes_on(&self, from: usize) -> bool {
        let s = self.scene;
        for u in from + 1..s.things.len() {
            if !s.things[u].joined {
                return false;
            }
            if (s.things[u].tie..s.things[u].start).any(|i| s.low(i) == "and") {
                return true;
            }
        }
        false
    }

    /// Of a list one thing stays: `a skull, a candle and a violin` without the others.
    pub(crate) fn only(&mut self, t: usize) -> Done {
        let s = self.scene;
        let of_list =
            |u: usize| s.things[u].parent == s.things[t].parent && s.things[u].owner.is_none() && !s.is_slot(u);
        let mut first = t;
        while s.things[first].joined
            && let Some(u) = (0..first).rev().find(|&u| of_list(u))
        {
            first = u;
        }
        let mut last = t;
        while let Some(u) = (last + 1..s.things.len()).find(|&u| of_list(u)).filter(|&u| s.things[u].joined) {
            last = u;
        }
        if first == last {
            return Err(No);
        }
        let (from, mut to) = (s.things[first].start, s.things[last].head + 1);
        while let Some(u) = s.things.iter().find(|u| u.tie == to && u.tie < u.start && s.low(to) == "with") {
            to = u.head + 1;
        }
        let own = s.things[t].start..self.own_end(t).max(s.things[t].head + 1);
        let gone = [from..own.start, own.end..to.max(own.end)];
        for range in gone.into_iter().filter(|r| !r.is_empty()) {
            let text = self.text(range.clone());
            let text = text.trim_start_matches([',', ' ']).trim_start_matches("and ").trim_end_matches([',', ' ']);
            self.changes.push(Change::Remove { text: text.trim_end_matches(" and").to_owned() });
            self.op(range, "");
        }
        self.agree_after(to, !self.is_many(t));
        Ok(())
    }

    /// What the picture is of goes: what it was on stands alone.
    pub(crate) fn remove_subject(&mut self, t: usize) -> Done {
        let s = self.scene;
        let thing = &s.things[t];
        let from = if s.low(0) == "there" && t == 0 { 0 } else { thing.start };
        let mut next = t + 1;
        while next < s.things.len() {
            let own = s.is_own(next) || (s.things[next].owner.is_some());
            let measured = s.low(s.things[next].tie) == "of"
                && s.things[next].tie < s.things[next].start
                && s.things[next].tie == s.things[next - 1].head + 1;
            if measured && next == t + 1 && frames().is("measure", s.low(thing.head)) {
                next += 1;
                continue;
            }
            // A flock is no one's belonging.
            let lives = s.is_alive(next)
                || frames().is("measure", s.low(s.things[next].head))
                    && next + 1 < s.things.len()
                    && s.is_alive(next + 1);
            let held = matches!(s.low(s.things[next].tie), "wearing" | "with" | "of" | "holding")
                && s.things[next].tie < s.things[next].start
                && !lives;
            if (own && s.hangs_on(next, t))
                || s.is_slot(next)
                || (held
                    && s.hangs_on(next, t)
                    && s.things[next].parent == Some(t)
                    && !s.is_kind(next, &["place", "middle"]))
            {
                next += 1;
                continue;
            }
            break;
        }
        if next >= s.things.len() {
            return Err(No);
        }
        let to = s.things[next].start;
        // Times before it are kept: only what lies between goes.
        if (t + 1..next).any(|u| s.is_slot(u)) {
            return Err(No);
        }
        let tie = (thing.head + 1..to).find(|&i| matches!(s.tag(i), Tag::Prep | Tag::Be | Tag::Verb)).unwrap_or(to);
        self.changes.push(Change::Remove { text: self.text(thing.start..tie) });
        self.op(from..to, "");
        // What the next one does agrees with it.
        self.agree_after(s.things[next].head + 1, !self.is_many(next));
        Ok(())
    }

    /// The verb after a subject that is one now, or several.
    pub(crate) fn agree_after(&mut self, at: usize, one: bool) {
        let s = self.scene;
        let tag = s.tag(at);
        let word = s.low(at).to_owned();
        if word.is_empty() || !matches!(tag, Tag::Be | Tag::Verb) {
            return;
        }
        let right = match (word.as_str(), one) {
            ("are", true) => "is".to_owned(),
            ("were", true) => "was".to_owned(),
            ("is", false) => "are".to_owned(),
            ("was", false) => "were".to_owned(),
            ("have", true) => "has".to_owned(),
            ("has", false) => "have".to_owned(),
            (w, true) if tag == Tag::Verb && frames().acts(w) => frames().third(w),
            (w, false) if tag == Tag::Verb && !frames().acts(w) => frames().finite(w).unwrap_or_else(|| w.to_owned()),
            _ => return,
        };
        if right != word && !frames().is_past(&word) {
            self.op(at..at + 1, right);
        }
    }

    /// One of several goes.
    pub(crate) fn one_less(&mut self, t: usize) -> Done {
        let thing = &self.scene.things[t];
        let n = NUMBERS.iter().position(|w| *w == self.scene.low(thing.start)).filter(|n| *n > 0);
        match n {
            Some(n) => self.count(t, NUMBERS[n - 1]),
            None => Err(No),
        }
    }
}
