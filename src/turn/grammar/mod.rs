//! From the words of a clause to all that they may say.
//!
//! Productions look at form alone: a verb's frame, the small words, where a phrase ends. Which reading holds is decided in
//! `rank`, against the prompt.

mod bare;
mod instead;
mod modal;
mod pixels;
mod verbs;

use crate::frames::{Frame, frames};
use crate::lexicon::lexicon;
use crate::reading::{Reading, Slot, Words};
use crate::scene::{is_adverb, is_ed, is_ing};
use crate::small::{is_determiner, is_owner, is_person_pronoun, is_preposition};
use std::ops::Range;

/// A clause's words, lower case.
pub(crate) struct Clause<'t> {
    pub(crate) low: Vec<&'t str>,
    /// True where words name something of the prompt: asked to find where a phrase ends.
    pub(crate) names: &'t dyn Fn(&[&str]) -> bool,
    /// True if courtesy shows that the line tells something.
    pub(crate) polite: bool,
}

/// Attributes that a thing may be said to have: `the colour of the car`.
const ATTRIBUTES: &[&str] = &[
    "colour",
    "color",
    "shape",
    "size",
    "material",
    "texture",
    "type",
    "kind",
    "style",
    "pattern",
    "length",
    "breed",
    "species",
    "design",
    "look",
    "appearance",
    "hue",
    "fabric",
    "finish",
    "age",
    "shade",
];

const MODALS: &[&[&str]] = &[
    &["be"],
    &["should", "be"],
    &["should", "look"],
    &["must", "be"],
    &["needs", "to", "be"],
    &["need", "to", "be"],
    &["has", "to", "be"],
    &["have", "to", "be"],
    &["ought", "to", "be"],
    &["could", "be"],
    &["can", "be"],
    &["would", "be"],
    &["would", "look", "better"],
    &["would", "look", "better", "if", "it", "was"],
    &["would", "look", "better", "if", "it", "were"],
    &["would", "look", "better", "as"],
    &["would", "look", "good"],
    &["would", "look", "nice"],
    &["would", "look", "great"],
    &["looks", "better"],
    &["to", "be"],
    &["to", "become"],
    &["should", "become"],
    &["should", "turn"],
    &["is", "now"],
    &["are", "now"],
    &["becomes"],
    &["is"],
    &["are"],
    &["were"],
    &["was"],
];

/// What says that a thing is to do something.
const DUTIES: &[&[&str]] = &[&["should"], &["must"], &["needs", "to"], &["has", "to"], &["ought", "to"], &["could"]];

/// Which slot a word names.
pub(crate) fn slot_named(words: &[&str]) -> Option<Slot> {
    let bare: Vec<&str> = words
        .iter()
        .copied()
        .filter(|w| !is_determiner(w) && !matches!(*w, "overall" | "whole" | "entire" | "current" | "existing"))
        .collect();
    Some(match bare.as_slice() {
        [
            "background" | "backdrop" | "setting" | "surroundings" | "environment" | "location" | "surrounding"
            | "scenery",
        ] => Slot::Background,
        ["background" | "backdrop" | "setting", "of", ..]
        | ["scene" | "picture" | "image" | "photo", "background" | "setting"] => Slot::Background,
        ["season"] | ["time", "of", "year"] | ["season", "of", ..] => Slot::Season,
        ["time"] | ["time", "of", "day"] | ["hour"] | ["time", "of", "the", "day"] => Slot::Time,
        ["weather"] | ["weather", "conditions"] => Slot::Weather,
        ["lighting" | "light" | "illumination"] | ["scene" | "picture" | "image", "lighting"] => Slot::Light,
        ["style" | "medium" | "aesthetic" | "technique"]
        | ["art", "style"]
        | ["style", "of", ..]
        | ["artistic", "style"]
        | ["picture" | "image" | "photo" | "painting", "style"] => Slot::Medium,
        _ => return None,
    })
}

/// True for a word in -ing that says what something does, not how it feels: `running`, `sleeping`; not `smiling`.
fn does(word: &str) -> bool {
    let kinds = lexicon().adjective(word);
    kinds.is_empty() || kinds.contains(&"action")
}

fn last_of<'w>(words: &[&'w str]) -> &'w str {
    words.last().copied().unwrap_or("")
}

/// True for words that mean the picture itself.
pub(crate) fn is_picture(words: &[&str]) -> bool {
    let bare: Vec<&str> = words
        .iter()
        .copied()
        .filter(|w| !is_determiner(w) && !matches!(*w, "whole" | "entire" | "overall" | "full" | "original"))
        .collect();
    match bare.as_slice() {
        [] => words.iter().any(|w| matches!(*w, "this" | "that")),
        [one] => frames().is("picture", one) || matches!(*one, "it" | "thing"),
        _ => false,
    }
}

/// The slot that a value fills by its kind: `winter`, `night`, `an oil painting`, `in the style of Monet`.
pub(crate) fn slot_of(words: &[&str]) -> Option<Slot> {
    let bare: Vec<&str> = words.iter().copied().filter(|w| !is_determiner(w)).collect();
    if bare.windows(2).any(|w| matches!(w, ["style", "of"] | ["manner", "of"])) {
        return Some(Slot::Medium);
    }
    if matches!(
        bare.as_slice(),
        ["black", "and", "white"]
            | ["black-and-white" | "monochrome" | "grayscale" | "greyscale" | "sepia" | "b&w"]
            | [.., "tones" | "tone"]
    ) {
        return Some(Slot::Medium);
    }
    let ends = |w: &str| bare.last() == Some(&w);
    if ["style", "aesthetic", "vibe"].iter().any(|w| ends(w)) && bare.len() > 1 {
        return Some(Slot::Medium);
    }
    let cut = bare.iter().position(|w| is_preposition(w)).unwrap_or(bare.len());
    let head = bare[..cut].last()?;
    let kinds = lexicon().noun(head);
    if kinds.contains(&"season") || matches!(*head, "wintertime" | "summertime" | "springtime") {
        return Some(Slot::Season);
    }
    if kinds.contains(&"time") || matches!(*head, "time" | "night-time" | "hour") && bare.len() > 1 {
        return Some(Slot::Time);
    }
    if kinds.contains(&"weather") {
        return Some(Slot::Weather);
    }
    if frames().is("medium", head)
        || (cut > 2 && frames().is("medium", &bare[cut - 3..cut].join(" ")))
        || (cut > 1 && frames().is("medium", &bare[cut - 2..cut].join(" ")))
    {
        return Some(Slot::Medium);
    }
    (frames().is("lighting", head) || (frames().is("light", head) && cut > 1)).then_some(Slot::Light)
}

impl Clause<'_> {
    fn at(&self, i: usize) -> &str {
        self.low.get(i).copied().unwrap_or("")
    }

    fn slice(&self, r: &Range<usize>) -> &[&str] {
        &self.low[r.start.min(self.low.len())..r.end.min(self.low.len())]
    }

    fn find(&self, from: usize, words: &[&str]) -> Vec<usize> {
        (from..self.low.len()).filter(|&i| words.contains(&self.at(i))).collect()
    }

    /// A range without courtesy at its ends: articles stay.
    fn trimmed(&self, mut r: Words) -> Words {
        // Quotes around all of it, or half of them; those of what is written on something stay.
        let marks = self.find(r.start, &["\""]).into_iter().filter(|i| *i < r.end).count();
        let quoted = marks == 1 || marks > 1 && self.at(r.start) == "\"" && self.at(r.end - 1) == "\"";
        let dead = |w: &str| {
            !w.chars().any(char::is_alphanumeric) && (w != "\"" || quoted)
                || matches!(w, "instead" | "now" | "also" | "too" | "please" | "here")
        };
        while r.start < r.end && (dead(self.at(r.end - 1))) {
            r.end -= 1;
        }
        while r.start < r.end && (dead(self.at(r.start)) && self.at(r.start) != "too" || self.at(r.start) == "and") {
            r.start += 1;
        }
        r
    }

    /// A range without a place that is only the picture: `in the image`, `to the scene`.
    fn in_picture(&self, r: Words) -> Words {
        let mut r = self.trimmed(r);
        for i in (r.start + 1..r.end).rev() {
            if matches!(
                self.at(i),
                "in" | "to" | "from" | "of" | "on" | "into" | "within" | "for" | "onto" | "inside" | "at"
            ) && i + 1 < r.end
                && is_picture(self.slice(&(i + 1..r.end)))
                && self.at(i + 1) != "it"
            {
                r.end = i;
                return self.trimmed(r);
            }
        }
        r
    }

    /// All readings of the clause.
    pub(crate) fn readings(&self) -> Vec<Reading> {
        let n = self.low.len();
        let mut all = Vec::new();
        if n == 0 {
            return all;
        }
        self.pixels(&mut all);
        if self.gone(&mut all) {
            return all;
        }
        self.drawn(&mut all);
        self.spawn(&mut all);
        self.instead(&mut all);
        self.there(&mut all);
        // `clear sky`, `light fog`: no verb, if nothing shows that it is one.
        let first = self.at(0);
        let noun = !lexicon().noun(first).is_empty() || lexicon().is_adjective(first);
        let named = |w: &str| (self.names)(&[w]);
        if let Some((kinds, len)) =
            frames().verb(&self.low).filter(|_| self.polite || crate::form::orders(&self.low, &named))
        {
            for frame in kinds {
                self.framed(frame, len, &mut all);
            }
            self.parted(&mut all);
        } else if !noun && crate::form::orders(&self.low, &named) {
            // An unknown verb that does something to a thing with another: `bedeck the barn with flags`.
            self.cover(1, &mut all);
        }
        self.modal(&mut all);
        self.state(&mut all);
        self.bare(&mut all);
        all
    }

    fn framed(&self, frame: Frame, len: usize, all: &mut Vec<Reading>) {
        let n = self.low.len();
        let rest = len..n;
        match frame {
            Frame::Add => {
                let what = self.in_picture(rest);
                if !what.is_empty()
                    && !matches!(
                        self.at(what.start),
                        "the"
                            | "it"
                            | "him"
                            | "her"
                            | "them"
                            | "his"
                            | "their"
                            | "on"
                            | "out"
                            | "more"
                            | "less"
                            | "back"
                    )
                {
                    all.push(Reading::Add { what });
                }
            }
            Frame::Remove => {
                let what = self.in_picture(rest);
                if !what.is_empty() {
                    all.push(Reading::Remove { what });
                }
            }
            Frame::Replace => self.replace(len, all),
            Frame::Change => self.change(len, all),
            Frame::Paint => self.make(len, true, all),
            Frame::Make => self.make(len, false, all),
            Frame::Have => self.have(len, all),
            Frame::Cover | Frame::Dress => self.cover(len, all),
            Frame::Adjust => self.adjust(len, all),
            Frame::Give => {
                let mut all_splits = self.splits(len);
                if all_splits.is_empty() && is_person_pronoun(self.at(len)) && n > len + 1 {
                    all_splits.push(len + 1);
                }
                // `the rooster blue tail feathers`: an article begins what is given, else the shortest name does.
                let k = all_splits.iter().find(|k| is_determiner(self.at(**k))).or(all_splits.last()).copied();
                if let Some(k) = k
                    && (is_determiner(self.at(k)) || k + 1 == n || lexicon().is_adjective(self.at(k)))
                {
                    all.push(Reading::Give { to: len..k, what: self.in_picture(k..n) });
                }
            }
            Frame::Move => {
                // `set a vase on the windowsill`
                let new = matches!(self.at(len), "a" | "an" | "some" | "two" | "three" | "several");
                if new && !(self.names)(&self.low[len..]) {
                    all.push(Reading::Add { what: self.in_picture(len..n) });
                }
                for i in self.find(len, &["to", "into", "onto", "in", "on"]) {
                    let (what, place) = (
                        self.trimmed(len..i),
                        self.in_picture(i + usize::from(matches!(self.at(i), "to" | "into" | "onto"))..n),
                    );
                    if what.is_empty() && matches!(self.at(i), "on" | "in") {
                        return;
                    }
                    if !place.is_empty() && place.len() > usize::from(is_preposition(self.at(place.start))) {
                        let whole = what.is_empty() || is_picture(self.slice(&what));
                        all.push(Reading::Move { what: (!whole).then_some(what), place });
                        return;
                    }
                }
            }
            Frame::Pixels => {}
            Frame::Other => self.other(len, all),
        }
    }

    fn before_words(&self, r: Words, words: &[&str]) -> Words {
        let mut r = r;
        while r.end > r.start && words.contains(&self.at(r.end - 1)) {
            r.end -= 1;
        }
        r
    }

    /// What a picture as a whole becomes: a style, a season, a time.
    fn picture_becomes(&self, y: &Words, all: &mut Vec<Reading>) {
        let words = self.slice(y);
        if let ["a" | "an", .., "version"] = words {
            all.push(Reading::Set { slot: Slot::Medium, to: y.clone() });
            return;
        }
        // `it should be raining`
        if let [w] = words
            && is_ing(w)
            && lexicon().noun_form(w).is_some_and(|form| lexicon().noun(form).contains(&"weather"))
        {
            all.push(Reading::Set { slot: Slot::Weather, to: y.clone() });
            return;
        }
        if let Some(slot) = slot_of(words) {
            all.push(Reading::Set { slot, to: y.clone() });
        }
    }

    /// Where the thing that a clause is about may end.
    fn splits(&self, from: usize) -> Vec<usize> {
        let n = self.low.len();
        let mut all: Vec<usize> = Vec::new();
        if from >= n {
            return all;
        }
        let first = self.at(from);
        if matches!(first, "both" | "each" | "all")
            && self.at(from + 1) == "of"
            && matches!(self.at(from + 2), "them" | "these" | "those")
        {
            all.push(from + 3);
            return all;
        }
        if matches!(first, "it" | "that" | "everything" | "him" | "them" | "these" | "those")
            || (first == "this" && !(self.names)(&self.low[from + 1..(from + 2).min(n)]))
        {
            all.push(from + 1);
            return all;
        }
        for k in (from + 1..n).rev() {
            if matches!(self.at(k), "and" | "," | "'s")
                || self.low[from..k].iter().any(|w| matches!(*w, "into" | "to"))
                || self.low[from + 1..k].iter().any(|w| matches!(*w, "a" | "an" | "be" | "become"))
                || (k == from + 1 && is_person_pronoun(first))
            {
                continue;
            }
            let named = (self.names)(&self.low[from..k])
                || is_picture(&self.low[from..k])
                || slot_named(&self.low[from..k]).is_some();
            let of_attribute = self.of_attribute(&(from..k)).is_some_and(|w| (self.names)(self.slice(&w)));
            if named || of_attribute {
                all.push(k);
            }
        }
        let next = self.at(from + 1);
        let said = is_determiner(next)
            || lexicon().is_adjective(next)
            || frames().acts(next)
            || frames().tells(next)
            || is_ing(next)
            || is_preposition(next)
            || matches!(next, "be" | "look" | "seem" | "appear");
        if all.is_empty() && is_person_pronoun(first) && said {
            all.push(from + 1);
        }
        all
    }
}
