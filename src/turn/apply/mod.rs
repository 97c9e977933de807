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

    /// More, at the end, or tied to what it is said to be on.
    pub(crate) fn add(&mut self, text: &str) -> Done {
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
            let anchor = match crate::rank::resolve(self.scene, &rest) {
                crate::rank::Found::Things(all) if all.len() == 1 || crate::rank::is_one(self.scene, &all) => {
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
                let noun = said.low(tied.head);
                if matches!(noun, "sky" | "ground" | "floor" | "wall" | "walls" | "background" | "foreground")
                    && said.low(tied.start) == "the"
                {
                    let tie = if matches!(noun, "sky" | "background" | "foreground") { "in" } else { "on" };
                    self.append(&format!("{what} {tie} the {noun}"));
                    return Ok(());
                }
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
    pub(crate) fn hang(&mut self, text: &str) -> Done {
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

    /// Someone has something more, said right after them.
    pub(crate) fn give(&mut self, t: usize, text: &str, tie: &str) -> Done {
        let at = self.after(t);
        let text = format!("{tie} {text}");
        self.changes.push(Change::Add { text: text.clone() });
        self.op(at..at, text);
        Ok(())
    }

    /// True if something said at the end would be taken for another thing's.
    pub(crate) fn is_crowded(&self, t: usize) -> bool {
        let s = self.scene;
        let place = |u: usize| {
            let tie: Vec<&str> = (s.things[u].tie..s.things[u].start).map(|i| s.low(i)).collect();
            s.is_slot(u)
                || (s.is_kind(u, &["place", "middle", "flank", "sky"]) && tie.last().is_some_and(|w| is_preposition(w)))
        };
        (0..s.things.len()).any(|u| {
            let own = s.is_own(u) && s.hangs_on(u, t);
            u != t
                && !s.is_medium(u)
                && !place(u)
                && !own
                && s.things[t].owner != Some(u)
                && s.things[u].owner != Some(t)
        }) || (self.after(t)..s.low.len()).any(|i| matches!(s.tag(i), Tag::Be | Tag::Verb))
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

fn said_kinds(said: &Scene, t: usize) -> &'static [Kind] {
    said.kinds(t)
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
