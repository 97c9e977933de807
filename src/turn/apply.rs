//! What a reading does to a prompt: every range is fixed on the prompt as it was before the first change is made, and
//! changes are made from right to left.

use super::desk::{Desk, Stop};
use super::frames::{frames, plural, singular};
use super::lexicon::{Kind, is_plural, lexicon};
use super::reading::Slot;
use super::scene::{Scene, Tag, is_ed, is_ing};
use super::small::{is_article, is_determiner, is_number, is_owner, is_preposition};
use super::{Change, Misread};
use std::ops::Range;

/// One change of the prompt's words. Empty `text` takes out, an empty range puts in.
#[derive(Debug, Clone)]
struct Op {
    range: Range<usize>,
    text: String,
}

/// What a line's readings come to.
pub(super) struct Work<'s> {
    pub(super) scene: &'s Scene,
    /// The prompt's words as written.
    written: Vec<String>,
    ops: Vec<Op>,
    pub(super) changes: Vec<Change>,
    pub(super) notes: Vec<String>,
    /// True while what is put in is a name.
    proper: bool,
    pub(super) idle: Vec<String>,
}

/// Why a reading cannot be applied: then another one, or another reader, may do.
pub(super) struct No;

type Done = Result<(), No>;

impl<'s> Work<'s> {
    pub(super) fn new(scene: &'s Scene, prompt: &str) -> Self {
        let written = super::words::split(prompt).iter().map(|w| w.text.to_owned()).collect();
        Self {
            scene,
            written,
            ops: Vec::new(),
            changes: Vec::new(),
            notes: Vec::new(),
            proper: false,
            idle: Vec::new(),
        }
    }

    fn text(&self, range: Range<usize>) -> String {
        let mut out = String::new();
        for i in range {
            let w = &self.written[i];
            if !out.is_empty()
                && !matches!(w.as_str(), "," | "." | ";" | ":" | "!" | "?")
                && !super::words::is_possessive(w)
            {
                out.push(' ');
            }
            out.push_str(w);
        }
        out
    }

    fn op(&mut self, range: Range<usize>, text: impl Into<String>) {
        self.ops.push(Op { range, text: text.into() });
    }

    /// Before the full stop.
    fn end(&self) -> usize {
        let mut end = self.scene.low.len();
        while end > 0 && matches!(self.scene.low(end - 1), "." | "!" | "?") {
            end -= 1;
        }
        end
    }

    /// Makes all changes on the desk's draft; `No` if two of them meet.
    pub(super) fn make(self, desk: &mut Desk<'_>) -> Done {
        let mut order: Vec<usize> = (0..self.ops.len()).collect();
        order.sort_by(|&a, &b| {
            let (x, y) = (&self.ops[a].range, &self.ops[b].range);
            y.start.cmp(&x.start).then(y.end.cmp(&x.end)).then(b.cmp(&a))
        });
        let mut left = usize::MAX;
        for &i in &order {
            let range = &self.ops[i].range;
            if range.end > left {
                return Err(No);
            }
            if !range.is_empty() {
                left = range.start;
            }
        }
        for &i in &order {
            let op = &self.ops[i];
            match (op.range.is_empty(), op.text.is_empty()) {
                (true, true) => {}
                (true, false) => {
                    desk.draft.insert(op.range.start, &op.text);
                }
                (false, true) => desk.draft.remove(op.range.clone()),
                (false, false) => {
                    desk.draft.swap(op.range.clone(), &op.text);
                }
            }
        }
        desk.changes.extend(self.changes);
        desk.warnings.extend(self.notes);
        desk.idle.extend(self.idle);
        Ok(())
    }

    /// How far it came, to go back to when a reading fails.
    pub(super) fn mark(&self) -> (usize, usize, usize, usize) {
        (self.ops.len(), self.changes.len(), self.notes.len(), self.idle.len())
    }

    /// Forgets what was done since.
    pub(super) fn back_to(&mut self, mark: (usize, usize, usize, usize)) {
        self.ops.truncate(mark.0);
        self.changes.truncate(mark.1);
        self.notes.truncate(mark.2);
        self.idle.truncate(mark.3);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    // ---- more ----

    /// More, at the end, or tied to what it is said to be on.
    pub(super) fn add(&mut self, text: &str) -> Done {
        let said = Scene::of(text);
        let Some(first) = said.things.first() else { return Err(No) };
        if first.start > 0 && is_preposition(said.low(0)) {
            return Err(No);
        }
        // `a hat on the goat`, `stripes to the shirt`: what it is added to is in the prompt.
        let tie = said.things.iter().position(|t| {
            (t.tie..t.start).any(|i| matches!(said.low(i), "to" | "into" | "onto" | "on" | "in" | "over"))
                && t.tie > first.head
        });
        let mut kept = text.to_owned();
        if let Some(bare) = text.strip_prefix("some ").or_else(|| text.strip_prefix("Some ")) {
            let many = lexicon().goes_bare(said.low(first.head));
            kept = if many { bare.to_owned() } else { format!("a {bare}") };
        }
        if let Some(u) = tie {
            let tied = &said.things[u];
            let word = said.low(tied.tie).to_owned();
            let rest: Vec<&str> = (tied.start..said.low.len()).map(|i| said.low(i)).collect();
            let anchor = match super::rank::resolve(self.scene, &rest) {
                super::rank::Found::Things(all) if all.len() == 1 || super::rank::is_one(self.scene, &all) => {
                    Some(all[0])
                }
                _ => None,
            };
            let what = words_of(text, 0..tied.tie);
            if let Some(t) = anchor {
                let own = said_kinds(&said, 0).iter().any(|k| {
                    matches!(*k, "headgear" | "clothing" | "glasses" | "accessory" | "jewellery" | "hair" | "beard")
                });
                let on_it = own && (self.scene.is_alive(t) || self.scene.is_own(t));
                let place = self.scene.is_kind(t, &["place", "middle", "sky"]) || self.scene.is_slot(t);
                if on_it || (matches!(word.as_str(), "to" | "into") && !place) {
                    let t = if self.scene.is_own(t) { self.scene.things[t].parent.unwrap_or(t) } else { t };
                    let at = self.after(t);
                    let with = format!("with {what}");
                    self.changes.push(Change::Add { text: with.clone() });
                    self.op(at..at, with);
                    return Ok(());
                }
                if matches!(word.as_str(), "to" | "into" | "onto") {
                    let tie = match word.as_str() {
                        "onto" => "on",
                        _ => lexicon()
                            .joined(self.scene.low(self.scene.things[t].head))
                            .filter(|j| matches!(*j, "in" | "on"))
                            .unwrap_or("in"),
                    };
                    kept = format!("{what} {tie} {}", words_of(text, tied.start..said.low.len()));
                }
            } else if matches!(word.as_str(), "to" | "into") {
                return Err(No);
            }
        }
        self.append(&kept);
        Ok(())
    }

    fn append(&mut self, text: &str) {
        let at = self.end();
        let low = text.split_whitespace().next().unwrap_or("").to_lowercase();
        let said = Scene::of(text);
        let open = is_preposition(said.low(1)) || is_determiner(said.low(1)) || said.low.len() == 1;
        let tied = is_preposition(&low) || (matches!(said.tag(0), Tag::Ing | Tag::Ed) && open);
        self.changes.push(Change::Add { text: text.to_owned() });
        let comma = at > 0 && !tied;
        self.op(at..at, if comma { format!(", {text}") } else { text.to_owned() });
    }

    /// More of the description, as typed.
    pub(super) fn hang(&mut self, text: &str) -> Done {
        match text.strip_prefix(", ") {
            Some(thing) => {
                let at = self.end();
                self.changes.push(Change::Add { text: thing.to_owned() });
                self.op(at..at, text);
            }
            None => self.append(text),
        }
        Ok(())
    }

    /// Where something said of a thing is put: after its noun and what it is of.
    fn after(&self, t: usize) -> usize {
        let mut at = self.scene.things[t].head + 1;
        for u in t + 1..self.scene.things.len() {
            let other = &self.scene.things[u];
            if other.owner == Some(t) {
                at = other.head + 1;
                continue;
            }
            let next = self.scene.tag(other.head + 1);
            let worn = self.scene.low(other.tie) == "in"
                && self.scene.is_alive(t)
                && self.scene.kinds(u).is_empty()
                && matches!(next, Tag::Ing | Tag::Verb);
            let of = other.tie == at
                && (self.scene.low(other.tie) == "of"
                    || (self.scene.is_own(u)
                        && self.scene.hangs_on(u, t)
                        && matches!(self.scene.low(other.tie), "with" | "in" | "wearing" | "and" | ","))
                    || worn);
            if !of {
                break;
            }
            at = other.head + 1;
        }
        at
    }

    // ---- less ----

    /// A thing goes, with its clause, its participle and what it holds.
    ///
    /// `named`: the words that it was named by; what is named with it goes too.
    pub(super) fn remove(&mut self, t: usize, named: &[&str]) -> Done {
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
            || (thing.start > 0 && s.tag(thing.start - 1) == Tag::Stop)
            || s.low(0) == "there" && t == 0;
        let shown = |w: &Self, r: Range<usize>| w.text(r);
        let gap: Vec<&str> = (thing.tie..thing.start).map(|i| s.low(i)).collect();
        let joined = !gap.is_empty() && gap.iter().all(|w| matches!(*w, "and" | "," | "or"));
        // A later one of several takes its comma or `and`.
        if joined {
            let does = matches!(s.tag(self.own_end(t)), Tag::Ing | Tag::Ed | Tag::Rel) && !s.is_alive(t);
            let own_clause = gap[0] == "," || sibling.is_some() || does;
            let mut end = if own_clause || s.is_own(t) { s.end(t) } else { self.own_end(t) };
            if let Some(u) = sibling {
                end = end.min(s.things[u].tie).max(thing.head + 1);
            }
            if gap == ["and"] && !own_clause {
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
    fn cut_end(&self, t: usize) -> usize {
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
        end.max(s.things[t].head + 1)
    }

    /// Where the tie that goes with a thing begins: its preposition, its verb, `and with`; what the other does stays.
    fn tie_from(&self, t: usize) -> usize {
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
    fn own_end(&self, t: usize) -> usize {
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
        end
    }

    fn sibling_after(&self, t: usize) -> Option<usize> {
        let s = self.scene;
        let next = (t + 1..s.things.len()).find(|&u| !s.hangs_on(u, t) && s.things[u].owner.is_none())?;
        let thing = &s.things[next];
        let tie: Vec<&str> = (thing.tie..thing.start).map(|i| s.low(i)).collect();
        let listed = tie.contains(&"and") || (tie == [","] && self.list_goes_on(next));
        (thing.joined && listed && thing.parent == s.things[t].parent).then_some(next)
    }

    fn list_goes_on(&self, from: usize) -> bool {
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

    /// What the picture is of goes: what it was on stands alone.
    fn remove_subject(&mut self, t: usize) -> Done {
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
            let held = matches!(s.low(s.things[next].tie), "wearing" | "with" | "of" | "holding")
                && s.things[next].tie < s.things[next].start;
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
    fn agree_after(&mut self, at: usize, one: bool) {
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

    // ---- another ----

    /// One thing for another; adjectives that nobody named stay, unless the new ones are of their kind.
    ///
    /// `named`: the words that the old one was named by.
    pub(super) fn swap(&mut self, t: usize, others: &[usize], named: &[&str], text: &str) -> Done {
        let s = self.scene;
        let said = Scene::of(text);
        let Some(new) = said.things.first().filter(|_| said.things.iter().all(|o| o.owner.is_none())).cloned() else {
            return Err(No);
        };
        if said.things[0].start > 0 && !matches!(said.low(0), "," | "\"") {
            return Err(No);
        }
        let thing = s.things[t].clone();
        let (old_head, head) = (s.low(thing.head).to_owned(), said.low(new.head).to_owned());
        let rest = words_of(text, new.head + 1..said.low.len());
        let adjectives: Vec<usize> =
            (new.start..new.name).filter(|&i| matches!(said.tags[i], Tag::Adj | Tag::Noun | Tag::Adv)).collect();
        let told: Vec<usize> = s.adjectives(t).into_iter().filter(|&i| named.contains(&s.low(i))).collect();
        let fresh = words_of(text, adjectives.first().map_or(new.name, |&i| i)..new.head + 1);
        let fresh_kinds: Vec<Kind> =
            adjectives.iter().flat_map(|&i| lexicon().adjective(said.low(i))).copied().collect();
        let covered = told.iter().all(|&i| lexicon().adjective(s.low(i)).iter().any(|k| fresh_kinds.contains(k)));
        if lexicon().same(&old_head, &head)
            && is_plural(&old_head) == is_plural(&head)
            && !adjectives.is_empty()
            && new.name == new.head
            && rest.is_empty()
            && thing.name == thing.head
            && covered
            && told.len() < 2
        {
            // The colour of a person is her hair's.
            if s.is_kind(t, &["person"]) && fresh_kinds.iter().any(|k| matches!(*k, "colour" | "texture")) {
                return Err(No);
            }
            let words: Vec<String> = adjectives.iter().map(|&i| said.low(i).to_owned()).collect();
            return self.property(t, &words);
        }
        if lexicon().same(&old_head, &head)
            && adjectives.is_empty()
            && rest.is_empty()
            && new.name == new.head
            && is_plural(&old_head) == is_plural(&head)
        {
            return Err(No);
        }
        // Which of the old adjectives stay.
        let kinds = |w: &str| -> Vec<Kind> { lexicon().adjective(w).to_vec() };
        let new_kinds: Vec<Kind> =
            adjectives.iter().flat_map(|&i| kinds(said.low(i))).filter(|k| *k != "other").collect();
        let (was, will) = (s.kinds(t), said.kinds(0));
        let meets = was.iter().any(|k| will.contains(k));
        let akin = meets
            || will.is_empty()
            || !s.is_own(t)
                && (was.is_empty()
                    || will.is_empty()
                    || was.iter().any(|k| will.contains(k))
                    || ["thing", "place"].iter().any(|k| was.contains(k) || will.contains(k))
                    || !s.is_alive(t));
        let mut gone: Vec<usize> = Vec::new();
        let mut kept: Vec<usize> = Vec::new();
        for i in s.adjectives(t) {
            let word = s.low(i);
            let clash = kinds(word).iter().any(|k| new_kinds.contains(k))
                || (new_kinds.contains(&"material")
                    && lexicon().noun(word).len() + kinds(word).len() == 0
                    && lexicon().adjective_form(word).is_some());
            let repeated = fresh.to_lowercase().split(' ').any(|f| f == word);
            if clash || repeated || !akin || told.contains(&i) {
                gone.push(i);
            } else if s.tags[i] != Tag::Adv {
                kept.push(i);
            }
        }
        let from = gone
            .iter()
            .copied()
            .filter(|&i| (i..thing.name).all(|k| gone.contains(&k) || matches!(s.low(k), "and" | ",")))
            .min()
            .unwrap_or(thing.name);
        for &i in gone.iter().filter(|&&i| i < from) {
            let end = i + 1 + usize::from(matches!(s.low(i + 1), "and" | ",") && i + 1 < thing.name);
            self.op(i..end, "");
        }
        // Another place takes its own preposition: on a beach, in a park.
        let usual = |noun: &str| lexicon().joined(noun).filter(|j| matches!(*j, "in" | "on"));
        let spot = thing.start.checked_sub(1).map_or("", |i| s.low(i));
        if let (Some(was), Some(will)) = (usual(&old_head), usual(&head))
            && was == spot
            && will != spot
            && !adjectives.iter().any(|&i| matches!(said.low(i), "frozen" | "icy"))
            && thing.tie < thing.start
        {
            self.op(thing.start - 1..thing.start, will);
        }
        self.proper = fresh.chars().next().is_some_and(char::is_uppercase);
        // `a slice of pizza` for a burrito: the whole, not a slice of it.
        if let Some(p) = t.checked_sub(1).filter(|&p| {
            let measure = &s.things[p];
            thing.tie == measure.head + 1
                && s.low(thing.tie) == "of"
                && thing.tie + 1 == thing.start
                && thing.name == thing.start
                && matches!(said.low(new.start), "a" | "an")
                && new.start < new.head
                && (p == 0 || !s.is_medium(p))
        }) && !s.is_medium(p)
            && others.is_empty()
        {
            let start = s.things[p].start + usize::from(is_determiner(s.low(s.things[p].start)));
            let whole = words_of(text, new.start + 1..said.low.len());
            self.changes.push(Change::Swap { from: self.text(start..thing.head + 1), to: whole.clone() });
            self.op(start..thing.head + 1, whole);
            return Ok(());
        }
        self.article(t, &said, &new)?;
        let det = said.low(new.start);
        let old_det = s.low(thing.start);
        let number = |w: &str| is_number(w) || w.parse::<u32>().is_ok();
        let counted = if (number(det) || det == "one") && new.start < new.head {
            format!("{det} ")
        } else if number(old_det) && is_plural(&head) {
            format!("{old_det} ")
        } else {
            String::new()
        };
        let owner = s.things.iter().any(|o| o.owner == Some(t));
        let whole = if rest.is_empty() || owner {
            fresh.clone()
        } else {
            format!("{fresh} {}", rest.trim_start_matches(',').trim())
        };
        let old_text = self.text(from..thing.head + 1);
        let (short_from, short_to) = super::desk::without_shared(&old_text, &whole);
        self.changes.push(
            match whole.strip_suffix(&old_text).filter(|w| w.ends_with(' ')).filter(|_| counted.is_empty()) {
                Some(more) if !more.is_empty() => Change::Add { text: more.trim().to_owned() },
                _ => Change::Swap { from: short_from.to_owned(), to: format!("{counted}{short_to}") },
            },
        );
        self.op(from..thing.head + 1, whole);
        if owner && !rest.is_empty() {
            let at = self.end();
            self.changes.push(Change::Add { text: rest.clone() });
            self.op(at..at, rest);
        }
        for &o in others {
            let other = &s.things[o];
            let word = if is_plural(s.low(other.head)) && !is_plural(&head) { plural(&head) } else { head.clone() };
            self.op(other.name..other.head + 1, word);
        }
        let (was, is) = (self.is_many(t), is_plural(&head) || is_number(det));
        if was != is {
            self.agree_after(thing.head + 1, !is);
        }
        if !kept.is_empty() {
            let words: Vec<String> = kept.iter().map(|&i| self.written[i].clone()).collect();
            self.notes.push(format!("kept `{}`; to have it otherwise: drop them", words.join(" ")));
        }
        self.pronouns(&old_head, &head);
        Ok(())
    }

    fn is_many(&self, t: usize) -> bool {
        let thing = &self.scene.things[t];
        is_plural(self.scene.low(thing.head)) || is_number(self.scene.low(thing.start))
    }

    /// `his` of a man who becomes a woman.
    fn pronouns(&mut self, old: &str, new: &str) {
        const HE: &[&str] = &["man", "boy", "guy", "king", "prince", "father", "grandfather", "gentleman", "knight"];
        const SHE: &[&str] = &["woman", "girl", "lady", "queen", "princess", "mother", "grandmother", "bride"];
        let pairs: &[(&str, &str)] = if HE.contains(&old) && SHE.contains(&new) {
            &[("his", "her"), ("he", "she"), ("him", "her"), ("himself", "herself")]
        } else if SHE.contains(&old) && HE.contains(&new) {
            &[("her", "his"), ("she", "he"), ("herself", "himself")]
        } else {
            return;
        };
        let people = (0..self.scene.things.len()).filter(|&t| self.scene.is_kind(t, &["person"])).count();
        if people != 1 {
            return;
        }
        for i in 0..self.scene.low.len() {
            if let Some((_, to)) = pairs.iter().find(|(from, _)| *from == self.scene.low(i)) {
                self.op(i..i + 1, *to);
            }
        }
    }

    /// The article or number before a noun that becomes another.
    fn article(&mut self, t: usize, said: &Scene, new: &super::scene::Thing) -> Done {
        let s = self.scene;
        let thing = s.things[t].clone();
        let old = Some(s.low(thing.start))
            .filter(|w| thing.start < thing.head && (is_determiner(w) || s.tag(thing.start) == Tag::Num))
            .map(str::to_owned);
        let typed = Some(said.low(new.start))
            .filter(|w| new.start < new.head && (is_determiner(w) || said.tag(new.start) == Tag::Num))
            .map(str::to_owned);
        let head = said.low(new.head);
        let bare = lexicon().goes_bare(head);
        let number = |w: &str| is_number(w) || w == "one" || w.chars().all(|c| c.is_ascii_digit());
        let at = thing.start;
        let a = |w: &str| matches!(w, "a" | "an");
        let proper = self.proper && typed.is_none();
        let want: Option<String> = match (old.as_deref(), typed.as_deref()) {
            (Some("the" | "a" | "an"), None) if proper => None,
            (Some(o), Some(n)) if number(n) && !is_owner(o) => Some(n.to_owned()),
            (None, Some(n)) if number(n) => Some(n.to_owned()),
            (Some(o), Some(n)) if a(n) && (number(o) || a(o)) => Some("a".to_owned()),
            (Some(o), None) if number(o) && !is_plural(head) => (!bare).then(|| "a".to_owned()),
            (Some(o), _) if a(o) && bare => None,
            (Some(o), _) => Some(o.to_owned()),
            // `a monitor, keyboard and mouse`: a list without articles.
            (None, Some(n)) if a(n) && thing.owner.is_none() && (!thing.joined || is_plural(s.low(thing.head))) => {
                Some("a".to_owned())
            }
            (None, _)
                if thing.owner.is_none()
                    && is_plural(s.low(thing.head))
                    && !bare
                    && !lexicon().noun(head).is_empty() =>
            {
                Some("a".to_owned())
            }
            (None, _) => None,
        };
        match (old, want) {
            (Some(o), Some(w)) if o == w || (a(&o) && a(&w)) => {}
            (Some(_), Some(w)) => {
                let up = self.written[at].chars().next().is_some_and(char::is_uppercase);
                let w = if up { capital(&w) } else { w };
                self.op(at..at + 1, w);
            }
            (Some(_), None) => self.op(at..at + 1, ""),
            (None, Some(w)) => self.op(at..at, w),
            (None, None) => {}
        }
        Ok(())
    }

    /// Adjectives that the last swap dropped come back, or those that it kept go. False if it did neither.
    pub(super) fn otherwise(&mut self, parent: &str, prompt: &str, keep: bool) -> bool {
        let before = Scene::of(parent);
        let mut any = false;
        for (old, new) in super::whole::gaps(parent, prompt) {
            let was = before.things.iter().position(|t| old.contains(&t.head));
            let is = self.scene.things.iter().position(|t| new.contains(&t.head));
            let (Some(was), Some(is)) = (was, is) else { continue };
            let theirs: Vec<String> = before.adjectives(was).into_iter().map(|i| before.low(i).to_owned()).collect();
            let ours = self.scene.adjectives(is);
            if keep {
                let has = |w: &String| ours.iter().any(|&i| self.scene.low(i) == w);
                let lost: Vec<String> = theirs.iter().filter(|w| !has(w)).cloned().collect();
                for word in lost {
                    let at = self.place_of_adjective(is, &word);
                    self.changes.push(Change::Add { text: word.clone() });
                    self.op(at..at, word);
                    any = true;
                }
            } else {
                for i in ours.into_iter().filter(|&i| !new.contains(&i) && theirs.contains(&self.scene.low[i])) {
                    self.changes.push(Change::Remove { text: self.text(i..i + 1) });
                    self.op(i..i + 1, "");
                    any = true;
                }
            }
        }
        any
    }

    // ---- so ----

    /// Adjectives of a thing: each takes the place of one of its kind, or goes before the noun.
    pub(super) fn property(&mut self, t: usize, words: &[String]) -> Done {
        let s = self.scene;
        let thing = s.things[t].clone();
        let low: Vec<&str> = words.iter().map(String::as_str).collect();
        // `made of glass`, `out of wood`
        let made = match low.as_slice() {
            ["made", "of" | "from" | "out", rest @ ..]
            | ["out", "of", rest @ ..]
            | ["of", rest @ ..]
            | ["from", rest @ ..]
            | ["built" | "constructed", "of" | "from", rest @ ..] => Some(rest),
            _ => None,
        };
        if let Some(rest) = made {
            let rest: Vec<&str> = rest.iter().copied().filter(|w| *w != "of" && !is_determiner(w)).collect();
            let Some(material) = rest.last() else { return Err(No) };
            let form = lexicon().adjective_form(material).filter(|f| lexicon().adjective(f).contains(&"material"));
            if rest.len() > 2 {
                return Err(No);
            }
            let mut new: Vec<String> = rest.iter().map(|w| (*w).to_owned()).collect();
            if let (Some(form), [last]) = (form, new.as_mut_slice()) {
                *last = form.to_owned();
            }
            let old = (thing.start..thing.head)
                .find(|&i| is_material(s.low(i)) || lexicon().adjective(s.low(i)).contains(&"material"));
            return self.put_adjective(t, old, &new.join(" "));
        }
        // Groups: an adverb or shade with its adjective.
        let mut groups: Vec<Vec<&str>> = Vec::new();
        let mut open = false;
        let colour = |w: &str| lexicon().adjective(w).contains(&"colour");
        for (i, w) in low.iter().enumerate() {
            // `mint green`, `wrought iron`: what stands before a colour or a material is its shade.
            let next = low.get(i + 1).copied().unwrap_or("");
            let shaded = colour(next) || is_material(next);
            let shade = shaded
                && (lexicon().adjective(w).is_empty()
                    || matches!(*w, "plain" | "matte" | "glossy" | "mint" | "stained" | "wrought")
                    || colour(w) && !is_material(next)
                    || lexicon().adjective(w) == ["material"] && colour(next));
            if shade
                && !matches!(*w, "and" | "," | "but" | "both" | "in")
                && w.chars().any(char::is_alphanumeric)
                && !open
            {
                groups.push(vec![w]);
                open = true;
                continue;
            }
            // `black and white` is one quality.
            if *w == "and"
                && i > 0
                && low.get(i + 1).is_some_and(|n| colour(n))
                && colour(low[i - 1])
                && let Some(last) = groups.last_mut()
            {
                last.push(w);
                open = true;
                continue;
            }
            if matches!(*w, "and" | "," | "but" | "both" | "in" | "colour" | "color")
                || !w.chars().any(char::is_alphanumeric)
            {
                open = false;
                continue;
            }
            if open && let Some(last) = groups.last_mut() {
                last.push(w);
            } else {
                groups.push(vec![w]);
            }
            open = super::scene::is_adverb(w)
                || (matches!(
                    *w,
                    "deep"
                        | "dark"
                        | "light"
                        | "bright"
                        | "pale"
                        | "pastel"
                        | "neon"
                        | "hot"
                        | "navy"
                        | "royal"
                        | "baby"
                        | "forest"
                        | "midnight"
                        | "sky"
                        | "emerald"
                        | "lime"
                        | "mint"
                        | "rose"
                ));
        }
        let shade = |g: &Vec<&str>| g.len() > 1;
        if groups.is_empty()
            || groups.iter().any(|g| {
                g.iter().any(|w| {
                    is_preposition(w)
                        || is_article(w)
                        || lexicon().comparative(w).is_some()
                        || matches!(*w, "more" | "less" | "not" | "no" | "too")
                })
            })
        {
            return Err(No);
        }
        if groups.len() > 3 || groups.iter().any(|g| g.len() > 3) {
            return Err(No);
        }
        let mut used: Vec<usize> = Vec::new();
        // Put in by the usual order, told of in the order they were said.
        let said = self.changes.len();
        let mut order: Vec<usize> = (0..groups.len()).collect();
        order.sort_by_key(|&i| rank(groups[i][groups[i].len() - 1]));
        let mut told: Vec<(usize, Change)> = Vec::new();
        for (n, g) in order.iter().map(|&i| (i, &groups[i])) {
            let last = g[g.len() - 1];
            let mut kinds = lexicon().adjective(last).to_vec();
            if kinds.is_empty() && lexicon().adjective_form(last).is_some() && g.len() == 1 {
                return Err(No);
            }
            kinds.retain(|k| *k != "other");
            if shade(g) && kinds.is_empty() {
                kinds.push("colour");
            }
            if s.is_kind(t, &["hair", "beard"]) && kinds.contains(&"colour") {
                kinds.push("tone");
            }
            let text = g.join(" ");
            if s.adjectives(t).iter().any(|&i| s.low(i) == text) {
                self.idle.push(format!("it is `{text}` already"));
                continue;
            }
            let old = s.adjectives(t).into_iter().find(|&i| {
                !used.contains(&i)
                    && s.tags[i] != Tag::Adv
                    && (lexicon().adjective(s.low(i)).iter().any(|k| kinds.contains(k))
                        || (kinds.contains(&"material") && is_material(s.low(i))))
            });
            if let Some(i) = old {
                used.push(i);
            }
            // `the sky is blue`
            if old.is_none()
                && s.tag(thing.head + 1) == Tag::Be
                && s.tag(thing.head + 2) == Tag::Adj
                && lexicon().adjective(s.low(thing.head + 2)).iter().any(|k| kinds.contains(k))
            {
                let i = thing.head + 2;
                self.changes.push(Change::Swap { from: self.text(i..i + 1), to: text.clone() });
                self.op(i..i + 1, text);
            } else {
                self.put_adjective(t, old, &text)?;
            }
            told.extend(self.changes.drain(said..).map(|c| (n, c)));
        }
        told.sort_by_key(|(n, _)| *n);
        self.changes.extend(told.into_iter().map(|(_, c)| c));
        Ok(())
    }

    fn put_adjective(&mut self, t: usize, old: Option<usize>, text: &str) -> Done {
        match old {
            Some(i) => {
                // `deep red` gives way as one.
                let mut from = i;
                while from > self.scene.things[t].start
                    && (self.scene.tags[from - 1] == Tag::Adv
                        || (matches!(self.scene.low(from - 1), "deep" | "dark" | "light" | "bright" | "pale")
                            && lexicon().adjective(self.scene.low(i)).contains(&"colour")))
                {
                    from -= 1;
                }
                // `red and white` give way together.
                let mut to = i + 1;
                while matches!(self.scene.low(to), "and" | ",")
                    && to + 1 < self.scene.things[t].name
                    && lexicon().adjective(self.scene.low(to + 1)).contains(&"colour")
                    && lexicon().adjective(self.scene.low(i)).contains(&"colour")
                {
                    to += 2;
                }
                self.changes.push(Change::Swap { from: self.text(from..to), to: text.to_owned() });
                self.op(from..to, text);
            }
            None => {
                let at = self.place_of_adjective(t, text);
                self.changes.push(Change::Add { text: text.to_owned() });
                self.op(at..at, text);
            }
        }
        Ok(())
    }

    /// Where an adjective goes before its noun, by the usual order: size, age, texture, colour, material.
    fn place_of_adjective(&self, t: usize, text: &str) -> usize {
        let s = self.scene;
        let thing = &s.things[t];
        let last = text.rsplit(' ').next().unwrap_or(text);
        let mine = if lexicon().is_adjective(last) { rank(last) } else { 7 };
        let mut at = thing.name;
        while at > thing.start && lexicon().is_adjective(s.low(at - 1)) && rank(s.low(at - 1)) > mine {
            at -= 1;
            if at > thing.start + 1 && s.low(at - 1) == "and" {
                at -= 1;
            }
        }
        at
    }

    /// A thing is left in a state: `peeled`, or `tidy` by a verb that is its adjective.
    pub(super) fn state(&mut self, t: usize, verb: &str) -> Done {
        let stale = self
            .scene
            .adjectives(t)
            .into_iter()
            .find(|&i| is_ed(self.scene.low(i)) && lexicon().adjective(self.scene.low(i)).is_empty());
        if let (Some(i), true) = (stale, frames().is("state", verb)) {
            return self.replace_word(i, &frames().done(verb));
        }
        let word = if lexicon().is_adjective(verb) && !frames().is("state", verb) {
            verb.to_owned()
        } else {
            frames().done(verb)
        };
        self.property(t, &[word])
    }

    /// A part of a thing that the prompt does not name: `with white fur`, `in a blue dress`.
    pub(super) fn part(&mut self, t: usize, part: &str, quality: &str) -> Done {
        let kinds = lexicon().noun(part.rsplit(' ').next().unwrap_or(part));
        let bare = lexicon().goes_bare(part)
            || is_plural(part)
            || matches!(part, "fur" | "skin" | "wool" | "plumage" | "clothing");
        let np = if bare { format!("{quality} {part}") } else { format!("a {quality} {part}") };
        let np = super::draft::agreed(&np).unwrap_or(np);
        self.give(t, &np, if kinds.contains(&"clothing") { "in" } else { "with" })
    }

    /// One word of a thing for another: `marble` for `granite`.
    pub(super) fn replace_word(&mut self, at: usize, text: &str) -> Done {
        self.changes.push(Change::Swap { from: self.text(at..at + 1), to: text.to_owned() });
        self.op(at..at + 1, text);
        Ok(())
    }

    /// What is done to a thing is said after it.
    pub(super) fn cover(&mut self, t: Option<usize>, done: &str, with: &str) -> Done {
        let text = format!("{done} {with}");
        let Some(t) = t else {
            self.append(&text);
            return Ok(());
        };
        let at = self.after(t);
        // Its participle of the same verb gives way.
        if self.scene.low(at) == done {
            let end = self.scene.things.iter().find(|u| u.start > at).map_or(at + 1, |u| u.head + 1);
            self.changes.push(Change::Swap { from: self.text(at..end), to: text.clone() });
            self.op(at..end, text);
            return Ok(());
        }
        self.changes.push(Change::Add { text: text.clone() });
        self.op(at..at, text);
        Ok(())
    }

    /// A thing does something: in the place of what it does, or said after it.
    pub(super) fn act(&mut self, t: usize, words: &[&str], text: &str) -> Done {
        let s = self.scene;
        let Some(first) = words.first() else { return Err(No) };
        let base = if is_ing(first) {
            frames().of_ing(first).unwrap_or_else(|| (*first).to_owned())
        } else {
            (*first).to_owned()
        };
        let ing = if is_ing(first) { (*first).to_owned() } else { frames().ing(&base) };
        let rest = text.split_once(' ').map_or("", |(_, r)| r);
        let joined = |verb: &str| if rest.is_empty() { verb.to_owned() } else { format!("{verb} {rest}") };
        let after = self.after(t);
        let mut at = after;
        // `a boat with a sail drifting`: what it has stands between.
        let mut held = after;
        while let Some(u) = s
            .things
            .iter()
            .position(|u| u.tie == held && u.start > held && matches!(s.low(held), "with" | "in" | "of" | "wearing"))
        {
            held = s.things[u].head + 1;
        }
        if matches!(s.tag(held), Tag::Ing | Tag::Ed | Tag::Be | Tag::Verb) {
            at = held;
        }
        let be = s.tag(at) == Tag::Be;
        if be {
            at += 1;
        }
        while s.tag(at) == Tag::Adv {
            at += 1;
        }
        let old = s.tag(at);
        if matches!(old, Tag::Ing | Tag::Ed) || (old == Tag::Verb && !be && !matches!(s.low(at), "has" | "have")) {
            // What it did goes with its object; the place it did it in stays, unless a new one is named.
            let mut end = at + 1;
            while s.tag(end) == Tag::Adv {
                end += 1;
            }
            let object = s.things.iter().find(|u| u.start >= end).filter(|u| u.tie <= at || u.start == end);
            let placed = words.iter().any(|w| matches!(*w, "on" | "in" | "at" | "over" | "under" | "by" | "near"));
            let with = s.low(end) == "with"
                && object.is_some_and(|u| !s.is_own(s.things.iter().position(|x| x.head == u.head).unwrap_or(0)));
            let new = Scene::of(text);
            let spot = |u: &super::scene::Thing| {
                new.things.iter().any(|g| new.low(g.head) == s.low(u.head)) || words.contains(&s.low(end))
            };
            let placed = placed && object.is_some_and(spot);
            let direct = object.is_some_and(|u| u.start == end) || with && !text.starts_with("play");
            if let Some(u) = object.filter(|u| direct || (placed && is_preposition(s.low(end)) && u.start <= end + 3)) {
                let t = s.things.iter().position(|x| x.head == u.head).unwrap_or(0);
                end = self.cut_end(t).max(u.head + 1);
                if direct {
                    end = self.after(t);
                }
            }
            let verb = if old == Tag::Verb {
                if self.is_many(t) || frames().acts(s.low(at)) { base.clone() } else { frames().third(&base) }
            } else {
                ing.clone()
            };
            let new = joined(&verb);
            self.changes.push(Change::Swap { from: self.text(at..end), to: new.clone() });
            self.op(at..end, new);
            return Ok(());
        }
        let new = joined(&ing);
        self.changes.push(Change::Add { text: new.clone() });
        self.op(after..after, new);
        // What two do together is said of the other alone: `a goat jumping and a hen standing`.
        if let Some(u) = self.sibling_after(t) {
            let at = self.after(u);
            if s.tag(at) == Tag::Verb && !matches!(s.low(at), "has" | "have") {
                let base = frames().finite(s.low(at)).unwrap_or_else(|| s.low(at).to_owned());
                self.op(at..at + 1, frames().ing(&base));
            } else if s.tag(at) == Tag::Be && s.tag(at + 1) == Tag::Ing {
                self.op(at..at + 1, "");
            }
        }
        Ok(())
    }

    /// Someone has something more, said right after them.
    pub(super) fn give(&mut self, t: usize, text: &str, tie: &str) -> Done {
        let at = self.after(t);
        let text = format!("{tie} {text}");
        self.changes.push(Change::Add { text: text.clone() });
        self.op(at..at, text);
        Ok(())
    }

    /// True if something said at the end would be taken for another thing's.
    pub(super) fn is_crowded(&self, t: usize) -> bool {
        let s = self.scene;
        let place = |u: usize| {
            let tie: Vec<&str> = (s.things[u].tie..s.things[u].start).map(|i| s.low(i)).collect();
            s.is_slot(u)
                || (s.is_kind(u, &["place", "middle", "flank", "sky"]) && tie.last().is_some_and(|w| is_preposition(w)))
        };
        (0..s.things.len()).any(|u| {
            u != t
                && !s.is_medium(u)
                && !place(u)
                && !(s.is_own(u) && s.hangs_on(u, t))
                && s.things[t].owner != Some(u)
                && s.things[u].owner != Some(t)
        }) || (self.after(t)..s.low.len()).any(|i| matches!(s.tag(i), Tag::Be | Tag::Verb))
    }

    /// One of several goes.
    pub(super) fn one_less(&mut self, t: usize) -> Done {
        let thing = &self.scene.things[t];
        let n = NUMBERS.iter().position(|w| *w == self.scene.low(thing.start)).filter(|n| *n > 0);
        match n {
            Some(n) => self.count(t, NUMBERS[n - 1]),
            None => Err(No),
        }
    }

    /// Something of the scene that the prompt does not name: its sky, its ground.
    pub(super) fn scenery(&mut self, noun: &str, text: &str, is_quality: bool) -> Done {
        let tie = match noun {
            "sky" => "in",
            "ground" | "floor" | "wall" | "walls" | "ceiling" => "on",
            _ => return Err(No),
        };
        let text = match (noun, is_quality) {
            ("sky", true) => {
                super::draft::agreed(&format!("under a {text} sky")).unwrap_or_else(|| format!("under a {text} sky"))
            }
            (_, true) => return Err(No),
            (_, false) => format!("with {text} {tie} the {noun}"),
        };
        self.append(&text);
        Ok(())
    }

    /// So many of a thing.
    pub(super) fn count(&mut self, t: usize, number: &str) -> Done {
        let s = self.scene;
        let thing = s.things[t].clone();
        let one = matches!(number, "one" | "1" | "a" | "single");
        let many = is_number(number) || number.parse::<u32>().is_ok_and(|n| n > 1);
        if !one && !many {
            return Err(No);
        }
        let head = s.low(thing.head);
        let right = if one { singular(head) } else { plural(head) };
        let counted = s.tag(thing.start) == Tag::Num || matches!(s.low(thing.start), "a" | "an" | "some");
        let from = self.text(thing.start..thing.head + 1);
        let to = {
            let start = thing.start + usize::from(counted);
            let middle = self.text(start..thing.head);
            [number, &middle, &right].iter().filter(|p| !p.is_empty()).copied().collect::<Vec<_>>().join(" ")
        };
        if counted {
            let up = self.written[thing.start].chars().next().is_some_and(char::is_uppercase);
            let w = if up { capital(number) } else { number.to_owned() };
            if s.low(thing.start) != number {
                self.op(thing.start..thing.start + 1, w);
            }
        } else {
            self.op(thing.start..thing.start, number);
        }
        if right != head {
            self.op(thing.head..thing.head + 1, right);
        }
        if self.is_many(t) == one {
            self.agree_after(thing.head + 1, one);
        }
        self.changes.push(Change::Swap { from, to });
        Ok(())
    }

    // ---- the scene ----

    /// What the scene has one of.
    pub(super) fn set(&mut self, slot: Slot, text: &str) -> Done {
        match slot {
            Slot::Season | Slot::Time | Slot::Weather => self.set_when(slot, text),
            Slot::Background => self.set_background(text),
            Slot::Light => self.set_light(text),
            Slot::Medium => self.set_medium(text),
        }
    }

    fn set_when(&mut self, slot: Slot, text: &str) -> Done {
        let s = self.scene;
        let kind = match slot {
            Slot::Season => "season",
            Slot::Time => "time",
            _ => "weather",
        };
        let said = Scene::of(text);
        let Some(new) = said.things.first() else { return Err(No) };
        let head = said.low(new.head).to_owned();
        if !said.kinds(0).contains(&kind) || new.name != new.head {
            return Err(No);
        }
        let bare = new.start == new.head || is_article(said.low(new.start)) && new.start + 1 == new.head;
        let old = (0..s.things.len()).find(|&t| s.is_kind(t, &[kind]));
        if let Some(t) = old {
            let thing = s.things[t].clone();
            // `in spring` -> `in autumn`; `at night` -> `in the morning`
            let (o, n) = (lexicon().joined(s.low(thing.head)), lexicon().joined(&head));
            let from = (thing.tie..thing.start)
                .rev()
                .take_while(|&i| matches!(s.low(i), "in" | "at" | "on" | "during" | "by"))
                .last();
            if bare && o == n || (bare && from.is_none() && thing.tie < thing.start) {
                self.changes.push(Change::Swap { from: self.text(thing.head..thing.head + 1), to: head.clone() });
                self.op(thing.head..thing.head + 1, head);
                return Ok(());
            }
            if let (Some(from), true, Some(n)) = (from, bare, n) {
                let to = format!("{n} {head}");
                self.changes.push(Change::Swap { from: self.text(from..thing.head + 1), to: to.clone() });
                self.op(from..thing.head + 1, to);
                return Ok(());
            }
            return Err(No);
        }
        // `a spring meadow`
        if let Some(i) =
            (0..s.low.len()).find(|&i| s.tags[i] != Tag::Verb && lexicon().noun(s.low(i)).contains(&kind) && bare)
        {
            self.changes.push(Change::Swap { from: self.text(i..i + 1), to: head.clone() });
            self.op(i..i + 1, head);
            return Ok(());
        }
        if let (true, Some(n)) = (bare, lexicon().joined(&head)) {
            let n = if slot == Slot::Weather && n == "in" && lexicon().takes_the(&head) { "in the" } else { n };
            self.append(&format!("{n} {head}"));
            return Ok(());
        }
        Err(No)
    }

    fn set_background(&mut self, text: &str) -> Done {
        let s = self.scene;
        let said = Scene::of(text);
        let Some(new) = said.things.first() else {
            // `make the background blue`
            let t = (0..s.things.len()).find(|&t| matches!(s.low(s.things[t].head), "background" | "backdrop"));
            let words: Vec<String> = said.low.clone();
            return match t {
                Some(t) => self.property(t, &words),
                None => Err(No),
            };
        };
        if new.start > 0 && (0..new.start).any(|i| said.tags[i] != Tag::Prep) {
            return Err(No);
        }
        let noun = words_of(text, new.start..said.low.len());
        let head = said.low(new.head);
        let colour = lexicon().adjective(head).contains(&"colour") && new.name == new.head;
        let article = is_determiner(said.low(new.start))
            || lexicon().goes_bare(head)
            || colour
            || text.chars().next().is_some_and(char::is_uppercase);
        let np = if article || lexicon().takes_the(head) { noun.clone() } else { format!("a {noun}") };
        let np = super::draft::agreed(&np).unwrap_or(np);
        let tie = if new.start > 0 { words_of(text, 0..new.start) } else { usual_tie(head) };
        let ground = (0..s.things.len()).find(|&t| matches!(s.low(s.things[t].head), "background" | "backdrop"));
        if let Some(t) = ground {
            let thing = s.things[t].clone();
            if colour {
                let words: Vec<String> = said.low.clone();
                return self.property(t, &words);
            }
            // `with hills in the background`: what is there gives way.
            let before = t
                .checked_sub(1)
                .filter(|&p| s.things[t].tie == s.things[p].head + 1 && matches!(s.low(s.things[t].tie), "in"));
            if let Some(p) = before {
                let other = s.things[p].clone();
                self.changes.push(Change::Swap { from: self.text(other.start..other.head + 1), to: np.clone() });
                self.op(other.start..other.head + 1, np);
                return Ok(());
            }
            let from =
                (thing.tie..thing.start).rev().take_while(|&i| s.tag(i) == Tag::Prep).last().unwrap_or(thing.start);
            let to = format!("{tie} {np}");
            self.changes.push(Change::Swap { from: self.text(from..thing.head + 1), to: to.clone() });
            self.op(from..thing.head + 1, to);
            return Ok(());
        }
        // The place that the picture's thing is in.
        let subject = s.subject();
        let place = (0..s.things.len()).rev().find(|&t| {
            let thing = &s.things[t];
            let tie: Vec<&str> = (thing.tie..thing.start).map(|i| s.low(i)).collect();
            Some(t) != subject
                && !s.is_slot(t)
                && !s.is_own(t)
                && !s.is_alive(t)
                && tie.last().is_some_and(|w| {
                    matches!(
                        *w,
                        "under"
                            | "in"
                            | "on"
                            | "at"
                            | "near"
                            | "by"
                            | "across"
                            | "through"
                            | "inside"
                            | "along"
                            | "against"
                            | "of"
                    )
                })
                && (s.is_kind(t, &["place", "middle", "flank", "building"])
                    || matches!(tie.last(), Some(&("in" | "at" | "through" | "inside")))
                        && lexicon().noun(s.low(thing.head)).is_empty())
                && tie.last() != Some(&"of")
        });
        if colour {
            self.append(&format!("on a {noun} background"));
            return Ok(());
        }
        let Some(t) = place.filter(|_| !said.low.contains(&"background".to_owned())) else {
            self.append(&format!("{tie} {np}"));
            return Ok(());
        };
        let thing = s.things[t].clone();
        let from = (thing.tie..thing.start).rev().take_while(|&i| s.tag(i) == Tag::Prep).last().unwrap_or(thing.start);
        let end = self.cut_end(t);
        let old_tie = self.text(from..thing.start);
        let keep = lexicon().joined(head).is_none() && matches!(old_tie.as_str(), "in" | "at" | "through" | "near");
        let tie = if keep && new.start == 0 { old_tie } else { tie };
        let to = format!("{tie} {np}");
        self.changes.push(Change::Swap { from: self.text(from..end), to: to.clone() });
        self.op(from..end, to);
        Ok(())
    }

    fn set_light(&mut self, text: &str) -> Done {
        let s = self.scene;
        let said = Scene::of(text);
        let lights = |t: &usize| {
            let low = s.low(s.things[*t].head);
            frames().is("light", low) || frames().is("lighting", low)
        };
        let old = (0..s.things.len()).find(lights);
        let adjective = said.things.is_empty()
            || (said.things.len() == 1
                && said.things[0].start == said.things[0].head
                && !frames().is("light", said.low(said.things[0].head))
                && lexicon().noun(said.low(said.things[0].head)).is_empty());
        match old {
            Some(t) if adjective => {
                let thing = s.things[t].clone();
                let from = thing.start + usize::from(is_determiner(s.low(thing.start)) && thing.start < thing.head);
                let to = thing.head;
                self.changes.push(if from == to {
                    Change::Add { text: text.to_owned() }
                } else {
                    Change::Swap { from: self.text(from..to), to: text.to_owned() }
                });
                self.op(from..to, text);
                Ok(())
            }
            Some(t) => {
                let thing = s.things[t].clone();
                self.changes.push(Change::Swap { from: self.text(thing.start..thing.head + 1), to: text.to_owned() });
                self.op(thing.start..thing.head + 1, text);
                Ok(())
            }
            None if adjective => {
                if said.low.iter().any(|w| matches!(w.as_str(), "more" | "less") || lexicon().comparative(w).is_some())
                {
                    let w: Vec<&str> = said.low.iter().map(String::as_str).filter(|w| !matches!(*w, "more")).collect();
                    if said.low.contains(&"less".to_owned()) || w.is_empty() {
                        return Err(No);
                    }
                    let base = w
                        .iter()
                        .map(|w| lexicon().comparative(w).unwrap_or_else(|| (*w).to_owned()))
                        .collect::<Vec<_>>()
                        .join(" ");
                    self.append(&format!("in {base} light"));
                    return Ok(());
                }
                self.append(&format!("in {text} light"));
                Ok(())
            }
            None => {
                let low = said.low(0);
                let tie = if is_preposition(low) || is_ed(low) {
                    String::new()
                } else if matches!(
                    said.low(said.low.len() - 1),
                    "light" | "lighting" | "sunlight" | "moonlight" | "candlelight" | "glow"
                ) {
                    "in ".to_owned()
                } else {
                    "lit by ".to_owned()
                };
                let text = text.strip_prefix("a ").filter(|t| t.ends_with("light")).unwrap_or(text);
                self.append(&format!("{tie}{text}"));
                Ok(())
            }
        }
    }

    fn set_medium(&mut self, text: &str) -> Done {
        let s = self.scene;
        let said = Scene::of(text);
        let low: Vec<&str> = said.low.iter().map(String::as_str).collect();
        let styled = low.iter().any(|w| frames().is("style", w));
        if styled {
            let text = text.trim();
            let old = s.low.iter().rposition(|w| frames().is("style", w)).and_then(|i| s.thing_at(i));
            let phrase = match low.as_slice() {
                ["in", ..] => text.to_owned(),
                ["the" | "a" | "an", ..] => format!("in {text}"),
                _ if low.contains(&"of") => format!("in the {text}"),
                _ => format!("in {text}"),
            };
            if let Some(t) = old {
                let end = s.end(t).max(s.things[t].head + 1);
                let from = s.things[t].tie;
                self.changes.push(Change::Swap { from: self.text(from..end), to: phrase.clone() });
                self.op(from..end, phrase);
                return Ok(());
            }
            self.append(&phrase);
            return Ok(());
        }
        // `Hokusai` for what stands in the style of another.
        if let Some(i) = (0..s.low.len()).find(|&i| s.low(i) == "style" && s.low(i + 1) == "of" && i + 2 < s.low.len())
            && !frames().is("medium", low.last().copied().unwrap_or(""))
        {
            let end = (i + 2..s.low.len()).find(|&k| matches!(s.tag(k), Tag::Comma | Tag::Stop)).unwrap_or(s.low.len());
            self.changes.push(Change::Swap { from: self.text(i + 2..end), to: text.to_owned() });
            self.op(i + 2..end, text);
            return Ok(());
        }
        let toned = matches!(
            low.last(),
            Some(
                &("tones"
                    | "tone"
                    | "sepia"
                    | "monochrome"
                    | "grayscale"
                    | "greyscale"
                    | "b&w"
                    | "white"
                    | "black-and-white")
            )
        );
        if toned {
            let bare = text.strip_prefix("in ").unwrap_or(text);
            self.append(if low.last().is_some_and(|w| w.starts_with("tone")) { text } else { bare });
            if let Some(Op { text, .. }) = self.ops.last_mut().filter(|o| !o.text.starts_with(',')) {
                *text = format!(", {text}");
            }
            return Ok(());
        }
        let Some(new) = said.things.first() else { return Err(No) };
        if new.start > 0 && !matches!(said.low(0), "in" | "as") {
            return Err(No);
        }
        let np = words_of(text, new.start..said.low.len());
        // `a photo of …` becomes one of another medium.
        if let Some(t) = (0..s.things.len()).find(|&t| {
            s.is_medium(t)
                && !matches!(s.low(s.things[t].head), "view" | "scene" | "close-up" | "portrait" | "headshot")
        }) {
            let thing = s.things[t].clone();
            let plain = is_determiner(said.low(new.start)) || thing.start == thing.head;
            let core = if plain && is_determiner(said.low(new.start)) {
                words_of(text, new.start + 1..said.low.len())
            } else {
                np.clone()
            };
            let from = thing.start + usize::from(is_determiner(s.low(thing.start)) && thing.start < thing.head);
            self.changes.push(Change::Swap { from: self.text(from..thing.head + 1), to: core.clone() });
            self.op(from..thing.head + 1, core);
            return Ok(());
        }
        // `…, oil painting`
        let last = s.things.len().checked_sub(1).filter(|&t| {
            let thing = &s.things[t];
            let name = s.words(thing.name..thing.head + 1);
            t > 0
                && (frames().is("medium", s.low(thing.head)) || frames().is("medium", &name))
                && s.low(thing.tie) == ","
        });
        if let Some(t) = last {
            let thing = s.things[t].clone();
            let bare = !is_determiner(s.low(thing.start));
            let np = if bare && is_determiner(said.low(new.start)) {
                words_of(text, new.start + 1..said.low.len())
            } else {
                np
            };
            self.changes.push(Change::Swap { from: self.text(thing.start..thing.head + 1), to: np.clone() });
            self.op(thing.start..thing.head + 1, np);
            return Ok(());
        }
        self.append(&np);
        Ok(())
    }
}

/// Where an adjective stands in the usual order.
fn rank(low: &str) -> u8 {
    match lexicon().adjective(low).first().copied() {
        Some("mood" | "other" | "crowd" | "beauty") => 0,
        Some("length" | "size" | "temperature") => 1,
        Some("age" | "hairless") | None => 2,
        Some("tone") => 4,
        Some("colour" | "season") => 5,
        Some("material" | "phase" | "pattern") => 6,
        Some(_) => 3,
    }
}

/// True for a word that says what something is made of.
fn is_material(word: &str) -> bool {
    lexicon().adjective(word).contains(&"material")
        || matches!(word, "wood" | "gold" | "silver" | "steel" | "concrete" | "plastic")
}

/// Numbers in words, from one.
pub(super) const NUMBERS: &[&str] = &["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];

/// What a word counts, from 1 to 10.
pub(super) fn number(word: &str) -> Option<usize> {
    NUMBERS.iter().position(|w| *w == word).map(|n| n + 1)
}

/// The preposition that a place usually has.
fn usual_tie(noun: &str) -> String {
    match lexicon().joined(noun) {
        Some("in" | "in the") | None => "in".to_owned(),
        Some("in front of") => "in front of".to_owned(),
        Some("with") => "under".to_owned(),
        Some(tie) => tie.split(' ').next().unwrap_or("in").to_owned(),
    }
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

fn said_kinds(said: &Scene, t: usize) -> &'static [Kind] {
    said.kinds(t)
}

/// The words of a text in a range of its items.
pub(super) fn words_of(text: &str, range: Range<usize>) -> String {
    let words = super::words::split(text);
    match (
        words.get(range.start),
        range.end.checked_sub(1).and_then(|i| words.get(i.min(words.len().saturating_sub(1)))),
    ) {
        (Some(a), Some(b)) if range.start < range.end && a.from < b.to => text[a.from..b.to].to_owned(),
        _ => String::new(),
    }
}

/// An error for a reading that finds nothing to be done to.
pub(super) fn nothing_left(desk: &Desk<'_>) -> Stop {
    let toks = super::desk::tokens(desk.line, 0);
    match desk.misread(&toks, "without that nothing would be left", "put something in its place: cat -> dog") {
        Stop::Misread(m) => Misread { ..m }.into(),
        other => other,
    }
}
