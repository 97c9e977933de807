//! What a reading does to a prompt: every range is fixed on the prompt as it was before the first change is made, and
//! changes are made from right to left.

mod less;
mod other;
mod quality;
mod scenery;

use crate::desk::{Desk, Stop};
use crate::frames::{frames, plural, singular};
use crate::lexicon::{Kind, is_plural, lexicon};
use crate::reading::Slot;
use crate::scene::{Scene, Tag, is_ed, is_ing};
use crate::small::{is_article, is_determiner, is_number, is_owner, is_preposition};
use crate::{Change, Misread};
use std::ops::Range;

/// One change of the prompt's words. Empty `text` takes out, an empty range puts in.
#[derive(Debug, Clone)]
struct Op {
    range: Range<usize>,
    text: String,
}

/// What a line's readings come to.
pub(crate) struct Work<'s> {
    pub(crate) scene: &'s Scene,
    /// The prompt's words as written.
    written: Vec<String>,
    ops: Vec<Op>,
    pub(crate) changes: Vec<Change>,
    pub(crate) notes: Vec<String>,
    /// True while what is put in is a name.
    proper: bool,
    /// The kind of what a thing becomes, where it was named: `the colour of the car`.
    pub(crate) kind: Option<Kind>,
    /// True if words stand before what the prompt began with.
    fronted: bool,
    pub(crate) idle: Vec<String>,
}

/// Why a reading cannot be applied: then another one, or another reader, may do.
pub(crate) struct No;

type Done = Result<(), No>;

impl<'s> Work<'s> {
    pub(crate) fn new(scene: &'s Scene, prompt: &str) -> Self {
        let written = crate::words::split(prompt).iter().map(|w| w.text.to_owned()).collect();
        Self {
            scene,
            written,
            ops: Vec::new(),
            changes: Vec::new(),
            notes: Vec::new(),
            proper: false,
            fronted: false,
            kind: None,
            idle: Vec::new(),
        }
    }

    fn text(&self, range: Range<usize>) -> String {
        let mut out = String::new();
        for i in range {
            let w = &self.written[i];
            if !out.is_empty()
                && !matches!(w.as_str(), "," | "." | ";" | ":" | "!" | "?")
                && !crate::words::is_possessive(w)
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
    pub(crate) fn make(self, desk: &mut Desk<'_>) -> Done {
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
                    // What came before the last `and` of a list is the last itself where that goes.
                    let at = op.range.start;
                    let last = self.ops.iter().any(|o| o.range.start == at && !o.range.is_empty() && o.text.is_empty());
                    let and = op.text.strip_prefix(", ").filter(|_| last && self.scene.low(at) == "and");
                    match and {
                        Some(text) => desk.draft.insert(at, &format!("and {text}")),
                        None => desk.draft.insert(at, &op.text),
                    };
                }
                (false, true) => desk.draft.remove(op.range.clone()),
                (false, false) => {
                    desk.draft.swap(op.range.clone(), &op.text);
                }
            }
        }
        if self.fronted {
            let n = crate::words::split(self.ops.iter().find(|o| o.range == (0..0)).map_or("", |o| &o.text)).len();
            desk.draft.give_capital(n, self.scene.tag(0) != Tag::Noun);
        }
        desk.changes.extend(self.changes);
        desk.warnings.extend(self.notes);
        desk.idle.extend(self.idle);
        Ok(())
    }

    /// How far it came, to go back to when a reading fails.
    pub(crate) fn mark(&self) -> (usize, usize, usize, usize) {
        (self.ops.len(), self.changes.len(), self.notes.len(), self.idle.len())
    }

    /// Forgets what was done since.
    pub(crate) fn back_to(&mut self, mark: (usize, usize, usize, usize)) {
        self.ops.truncate(mark.0);
        self.changes.truncate(mark.1);
        self.notes.truncate(mark.2);
        self.idle.truncate(mark.3);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// What an ancestor had goes back to its place.
    pub(crate) fn restore(&mut self, place: &crate::restore::Place) {
        self.changes.push(Change::Add { text: place.named().to_owned() });
        self.op(place.at..place.at, place.text.clone());
    }

    /// More, at the end, or right after what it is said to be on, which is then `it`.
    pub(crate) fn add(&mut self, text: &str) -> Done {
        let said = Scene::of(text);
        let Some(first) = said.things.first() else { return Err(No) };
        if first.start > 0 && is_preposition(said.low(0)) {
            return Err(No);
        }
        let some = text.strip_prefix("some ").or_else(|| text.strip_prefix("Some "));
        if let Some(bare) = some.filter(|_| !lexicon().goes_bare(said.low(first.head)) && !said.kinds(0).is_empty()) {
            return self.add(&format!("a {bare}"));
        }
        if let Some(bare) = some {
            return self.add(bare);
        }
        // `a hat on the goat`, `a bird flying over it`: what it is added to is in the prompt.
        let place =
            |i: usize| said.tag(i) == Tag::Prep && !matches!(said.low(i), "of" | "with" | "wearing" | "without");
        let n = said.low.len();
        let tie = (first.head + 1..n).find(|&i| {
            place(i)
                && (said.things.iter().any(|t| t.tie <= i && i < t.start)
                    || matches!(said.low(n - 1), "it" | "him" | "her" | "them") && (i..n - 1).all(place))
        });
        let Some(tie) = tie else {
            self.join(text);
            return Ok(());
        };
        let from = (tie..n).find(|&i| said.tag(i) != Tag::Prep).unwrap_or(n);
        let word = if from == tie + 1 { said.low(tie) } else { "beside" }.to_owned();
        let moves = (first.head + 1..tie).any(|i| matches!(said.tag(i), Tag::Ing | Tag::Ed | Tag::Verb));
        let rest: Vec<&str> = (from..n).map(|i| said.low(i)).collect();
        let what = words_of(text, 0..tie);
        // `a flag to the top of the sandcastle`
        if let ["the", "top", "of", of @ ..] = rest.as_slice()
            && matches!(said.low(tie), "to" | "on" | "onto" | "at")
            && !of.is_empty()
            && let Some((t, pronoun)) = self.anchor(of)
        {
            let (at, text) =
                crate::joined::tied(self.scene, self.after(t), Some(t), &format!("{what} on top of {pronoun}"));
            self.changes.push(Change::Add { text: named(&text).to_owned() });
            self.op(at..at, text);
            return Ok(());
        }
        let Some((t, pronoun)) = self.anchor(&rest) else {
            if matches!(word.as_str(), "to" | "into" | "onto") && !moves {
                return self.add_to_nowhere(&what, &said, from);
            }
            self.join(text);
            return Ok(());
        };
        let own = said
            .kinds(0)
            .iter()
            .any(|k| matches!(*k, "headgear" | "clothing" | "glasses" | "accessory" | "jewellery" | "hair" | "beard"));
        let on_it = own && (self.scene.is_alive(t) || self.scene.is_own(t));
        let tied = words_of(text, tie..from);
        let part = pronoun.contains(' ');
        let more = match word.as_str() {
            _ if on_it && !part => what,
            "to" | "into" | "onto" if part => format!("{what} on {pronoun}"),
            "to" | "into" | "in" | "onto" if !moves && !part && self.is_ground(t, &word) => what,
            "to" if !moves && !part => what,
            "into" | "onto" if !moves => format!("{what} {} {pronoun}", if word == "onto" { "on" } else { "in" }),
            "from" if !moves => format!("{what} hanging from {pronoun}"),
            _ => format!("{what} {tied} {pronoun}"),
        };
        let t = if on_it && self.scene.is_own(t) { self.scene.things[t].parent.unwrap_or(t) } else { t };
        let at = self.after(t);
        let clause = (at..self.end()).any(|i| matches!(self.scene.tag(i), Tag::Be | Tag::Verb));
        let beside =
            self.scene.is_alive(t) && !on_it && !part && !matches!(word.as_str(), "on" | "onto" | "to" | "in" | "into");
        if clause || beside || moves {
            // Told apart from what else might be meant.
            let others = (0..self.scene.things.len()).any(|u| {
                u != t
                    && Some(t) != self.scene.things[u].owner
                    && !self.scene.is_own(u)
                    && !self.scene.is_slot(u)
                    && if clause { u > t && !self.scene.is_alive(u) } else { self.scene.is_alive(u) }
            });
            let vague = others && pronoun.starts_with("it") && !rest.contains(&"it") && !moves;
            self.join(if vague { text } else { &more });
        } else {
            let held = more.ends_with(&pronoun) && !part;
            let (at, text) = match held {
                true => (at, format!("with {more}")),
                false => crate::joined::tied(self.scene, at, Some(t), &more),
            };
            self.changes.push(Change::Add { text: named(&text).to_owned() });
            self.op(at..at, text);
        }
        Ok(())
    }

    /// What of the prompt words name, and how it is then called: `it`, `her`, `its back`.
    fn anchor(&self, words: &[&str]) -> Option<(usize, String)> {
        let one = |words: &[&str]| match crate::rank::resolve(self.scene, words) {
            crate::rank::Found::Things(all) if all.len() == 1 || crate::rank::is_one(self.scene, &all) => Some(all[0]),
            _ => None,
        };
        if matches!(words, ["it" | "him" | "her" | "them"]) {
            let t = if words == ["it"] { self.scene.subject() } else { one(words) };
            return t.map(|t| (t, words[0].to_owned()));
        }
        if words.iter().any(|w| matches!(*w, "a" | "an" | "and" | ",")) {
            return None;
        }
        if let Some(t) = one(words) {
            return Some((t, self.called(t, false)));
        }
        // `the horse's back`, `his mouth`: a part that the prompt does not name.
        let s = words.iter().position(|w| *w == "'s");
        let (owner, part) = match s {
            Some(s) => (one(&words[..s])?, &words[s + 1..]),
            None if is_owner(words[0]) && words.len() > 1 => (one(&words[..1])?, &words[1..]),
            None => return None,
        };
        let whose = if s.is_some() { self.called(owner, true) } else { words[0].to_owned() };
        (!part.is_empty()).then(|| (owner, format!("{whose} {}", part.join(" "))))
    }

    /// The pronoun of a thing; its possessive.
    fn called(&self, t: usize, owns: bool) -> String {
        let head = self.scene.low(self.scene.things[t].head);
        let person =
            self.scene.is_kind(t, &["person"]) && !matches!(head, "baby" | "child" | "toddler" | "infant" | "kid");
        let sex = crate::rank::sex(head);
        let (is, has) = match sex {
            Some(true) => ("her", "her"),
            Some(false) => ("him", "his"),
            None if self.is_many(t) || person => ("them", "their"),
            None => ("it", "its"),
        };
        if owns { has } else { is }.to_owned()
    }

    /// True for a place or stretch that what is added stands in anyway: `into the field`.
    fn is_ground(&self, t: usize, tie: &str) -> bool {
        let s = self.scene;
        Some(t) != s.subject()
            && s.is_kind(t, &["place", "middle"])
            && (tie != "in" || s.tag(s.things[t].start.wrapping_sub(1)) == Tag::Prep)
    }

    /// `clouds to the sky`, of a prompt that does not name it.
    fn add_to_nowhere(&mut self, what: &str, said: &Scene, from: usize) -> Done {
        let Some(g) = said.things.iter().find(|t| t.start >= from) else { return Err(No) };
        let noun = said.low(g.head);
        if said.low(g.start) != "the"
            || !matches!(noun, "sky" | "ground" | "floor" | "wall" | "walls" | "background" | "foreground")
        {
            return Err(No);
        }
        let tie = if matches!(noun, "sky" | "background" | "foreground") { "in" } else { "on" };
        self.join(&format!("{what} {tie} the {noun}"));
        Ok(())
    }

    /// One thing more of the picture: `with a hat`.
    fn join(&mut self, text: &str) {
        match crate::joined::joined(self.scene, text) {
            Some((at, text)) => {
                self.changes.push(Change::Add { text: named(&text).to_owned() });
                self.op(at..at, text);
            }
            None => self.append(text),
        }
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
    pub(crate) fn hang(&mut self, text: &str) -> Done {
        match text.strip_prefix(", ") {
            Some(thing) => return self.add(thing),
            None => self.append(text),
        }
        Ok(())
    }

    /// Where something said of a thing is put: after its noun and what it is of.
    pub(crate) fn after(&self, t: usize) -> usize {
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

    /// Someone has something more, said right after them.
    pub(crate) fn give(&mut self, t: usize, text: &str, tie: &str) -> Done {
        let at = self.after(t);
        let (at, text) = match tie {
            "with" => crate::joined::tied(self.scene, at, Some(t), text),
            _ => (at, format!("{tie} {text}")),
        };
        self.changes.push(Change::Add { text: named(&text).to_owned() });
        self.op(at..at, text);
        Ok(())
    }
}

/// Words put in, without the `and` or comma that ties them.
fn named(text: &str) -> &str {
    text.strip_prefix("and ").unwrap_or(text).trim_start_matches([',', ' '])
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
pub(crate) fn is_material(word: &str) -> bool {
    lexicon().adjective(word).contains(&"material")
        || matches!(word, "wood" | "gold" | "silver" | "steel" | "concrete" | "plastic")
}

/// Numbers in words, from one.
pub(crate) const NUMBERS: &[&str] = &["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];

/// What a word counts, from 1 to 10.
pub(crate) fn number(word: &str) -> Option<usize> {
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

/// The words of a text in a range of its items.
pub(crate) fn words_of(text: &str, range: Range<usize>) -> String {
    let words = crate::words::split(text);
    match (
        words.get(range.start),
        range.end.checked_sub(1).and_then(|i| words.get(i.min(words.len().saturating_sub(1)))),
    ) {
        (Some(a), Some(b)) if range.start < range.end && a.from < b.to => text[a.from..b.to].to_owned(),
        _ => String::new(),
    }
}

/// An error for a reading that finds nothing to be done to.
pub(crate) fn nothing_left(desk: &Desk<'_>) -> Stop {
    let toks = crate::desk::tokens(desk.line, 0);
    match desk.misread(&toks, "without that nothing would be left", "put something in its place: cat -> dog") {
        Stop::Misread(m) => Misread { ..m }.into(),
        other => other,
    }
}
