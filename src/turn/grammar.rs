//! From the words of a clause to all that they may say.
//!
//! Productions look at form alone: a verb's frame, the small words, where a phrase ends. Which reading holds is decided in
//! `rank`, against the prompt.

use super::frames::{Frame, frames};
use super::lexicon::lexicon;
use super::reading::{Reading, Slot, Words};
use super::scene::{is_ed, is_ing};
use super::small::{is_determiner, is_owner, is_person_pronoun, is_preposition};
use std::ops::Range;

/// A clause's words, lower case.
pub(super) struct Clause<'t> {
    pub(super) low: Vec<&'t str>,
    /// True where words name something of the prompt: asked to find where a phrase ends.
    pub(super) names: &'t dyn Fn(&[&str]) -> bool,
    /// True if courtesy shows that the line tells something.
    pub(super) polite: bool,
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
pub(super) fn slot_named(words: &[&str]) -> Option<Slot> {
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

fn last_of<'w>(words: &[&'w str]) -> &'w str {
    words.last().copied().unwrap_or("")
}

/// True for words that mean the picture itself.
pub(super) fn is_picture(words: &[&str]) -> bool {
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
pub(super) fn slot_of(words: &[&str]) -> Option<Slot> {
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
    if frames().is("medium", head) || (cut > 1 && frames().is("medium", &bare[cut - 2..cut].join(" "))) {
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
        let dead = |w: &str| {
            !w.chars().any(char::is_alphanumeric) || matches!(w, "instead" | "now" | "also" | "too" | "please")
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
    pub(super) fn readings(&self) -> Vec<Reading> {
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
            frames().verb(&self.low).filter(|_| self.polite || super::form::orders(&self.low, &named))
        {
            for frame in kinds {
                self.framed(frame, len, &mut all);
            }
            self.parted(&mut all);
        } else if !noun && super::form::orders(&self.low, &named) {
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
                for k in self.splits(len).into_iter().take(1) {
                    if is_determiner(self.at(k)) || k + 1 == n || lexicon().is_adjective(self.at(k)) {
                        all.push(Reading::Give { to: len..k, what: self.in_picture(k..n) });
                    }
                }
            }
            Frame::Move => {
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

    /// What is done to pixels: `rotate the image`, `increase the contrast`.
    fn pixels(&self, all: &mut Vec<Reading>) {
        let n = self.low.len();
        let said = |frames: &[Frame]| frames.contains(&Frame::Pixels);
        let bare: Vec<&str> = self.low.iter().copied().filter(|w| !is_determiner(w)).collect();
        let verb = frames().verb(&self.low);
        let of_pixels = |w: &[&str]| {
            w.iter().any(|w| frames().is("quality", w)) || w.windows(2).any(|p| frames().is("quality", &p.join(" ")))
        };
        let of_picture = |w: &[&str]| {
            w.iter().any(|w| {
                matches!(
                    *w,
                    "picture" | "image" | "photo" | "photograph" | "pic" | "shot" | "frame" | "canvas" | "camera"
                )
            })
        };
        let angle = verb.is_some()
            && self.low.iter().any(|w| {
                matches!(
                    *w,
                    "degrees"
                        | "clockwise"
                        | "counterclockwise"
                        | "anticlockwise"
                        | "horizontally"
                        | "vertically"
                        | "upside"
                        | "px"
                        | "percent"
                )
            });
        let side = |w: &str| {
            matches!(
                w,
                "left"
                    | "right"
                    | "up"
                    | "down"
                    | "upward"
                    | "upwards"
                    | "downwards"
                    | "center"
                    | "centre"
                    | "top"
                    | "bottom"
                    | "corner"
                    | "middle"
                    | "higher"
                    | "lower"
                    | "closer"
                    | "further"
                    | "farther"
                    | "nearer"
            )
        };
        let mut cannot = match &verb {
            Some((kinds, _)) if said(kinds) => true,
            Some((kinds, len)) => {
                let rest = &self.low[*len..];
                let moves = kinds.contains(&Frame::Move)
                    && !self.low.contains(&"put")
                    && !self.low.contains(&"place")
                    && !self.low.contains(&"set")
                    && rest.last().is_some_and(|w| side(w))
                    && rest.len() > 1;
                let strengthens = kinds.iter().any(|k| {
                    matches!(k, Frame::Adjust | Frame::Remove | Frame::Change | Frame::Add | Frame::Other | Frame::Make)
                }) && of_pixels(rest)
                    && !rest.iter().any(|w| (self.names)(&[w]) && !is_determiner(w))
                    && !matches!(self.at(*len), "a" | "an");
                let whole = frames().is("whole", self.at(0))
                    && rest.iter().any(|w| frames().is("frame", w))
                    && (rest.len() <= 5
                        || angle
                        || matches!(
                            self.at(0),
                            "combine" | "merge" | "duplicate" | "split" | "extend" | "cut" | "trim"
                        ))
                    && !rest.iter().any(|w| matches!(*w, "into" | "with"));
                moves
                    || strengthens
                    || whole
                    || (angle
                        && matches!(
                            self.at(0),
                            "turn"
                                | "spin"
                                | "tilt"
                                | "move"
                                | "shift"
                                | "rotate"
                                | "slide"
                                | "lower"
                                | "raise"
                                | "stretch"
                                | "shrink"
                                | "enlarge"
                        ))
            }
            None => false,
        };
        // `crop circles`, `mirror lake`: no order.
        let named = |w: &str| (self.names)(&[w]);
        cannot &= self.polite || n < 3 || super::form::orders(&self.low, &named) || of_picture(&self.low) || angle;
        let bare_words = bare.as_slice();
        cannot |= matches!(
            bare_words,
            [
                "make" | "render" | "keep",
                "it" | "picture" | "image" | "photo",
                "bigger"
                    | "larger"
                    | "wider"
                    | "taller"
                    | "smaller"
                    | "clearer"
                    | "sharper"
                    | "crisper"
                    | "square"
                    | "upright"
            ]
        ) && of_picture(bare_words);
        cannot |= matches!(bare_words, ["make", _, "higher" | "lower" | "better" | "more" | "less", what, ..] if frames().is("quality", what) || matches!(*what, "resolution" | "quality" | "noisy" | "grainy" | "blurry" | "sharp" | "contrasty" | "saturated" | "pixelated" | "clear" | "crisp" | "exposed"));
        cannot |= matches!(
            bare_words,
            ["make", _, "less", "noisy" | "grainy" | "blurry" | "pixelated" | "saturated"]
                | [
                    "higher" | "lower" | "better" | "more" | "less" | "increased",
                    "resolution"
                        | "quality"
                        | "contrast"
                        | "saturation"
                        | "exposure"
                        | "sharpness"
                        | "noise"
                        | "brightness",
                    ..
                ]
        );
        cannot |= matches!(
            bare_words,
            [
                "make",
                "it" | "picture" | "image" | "photo",
                "crisper"
                    | "clearer"
                    | "sharper"
                    | "hd"
                    | "4k"
                    | "8k"
                    | "high-res"
                    | "hi-res"
                    | "high-resolution"
                    | "vertical"
                    | "horizontal"
                    | "right-side"
                    | "transparent"
                    | "printable"
            ]
        );
        cannot |= bare.windows(2).any(|w| {
            matches!(
                w,
                ["aspect", "ratio"]
                    | ["white", "balance"]
                    | ["motion", "blur"]
                    | ["bounding", "box"]
                    | ["file", "size" | "format"]
                    | ["background", "transparent"]
                    | ["transparent", "background"]
                    | ["depth", "map"]
                    | ["attached", _]
                    | ["uploaded", _]
            )
        }) || bare.windows(2).any(|w| {
            matches!(
                w,
                [
                    "crop" | "zoom" | "rotate" | "flip" | "mirror",
                    "in" | "out" | "it" | "image" | "picture" | "photo" | "horizontally" | "vertically"
                ] | ["zoom" | "crop", _]
            ) && verb.is_some()
        });
        cannot |= verb.is_some()
            && self.low.iter().any(|w| matches!(*w, "jpeg" | "jpg" | "png" | "pdf" | "gif" | "tiff" | "webp"));
        cannot |= matches!(bare_words, ["center" | "centre" | "align" | "recenter", ..] if of_picture(bare_words));
        cannot &= n < 14 && (verb.is_some() || n < 6 || bare_words.first() == Some(&"make"));
        if cannot {
            let from = usize::from(matches!(self.at(0), "more" | "less" | "higher" | "lower" | "better") && n > 1);
            all.push(Reading::Cannot { what: from..n });
        }
    }

    /// `Y instead of X`, in the place of another verb: `put a goat in place of the hen`.
    fn instead(&self, all: &mut Vec<Reading>) {
        let n = self.low.len();
        const WAYS: &[&[&str]] = &[
            &["instead", "of"],
            &["in", "place", "of"],
            &["rather", "than"],
            &["in", "lieu", "of"],
            &["would", "be", "better", "than"],
        ];
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
    fn there(&self, all: &mut Vec<Reading>) {
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
        } else if !before.is_empty() || self.at(t + 1) != "is" && self.at(t + 1) != "are" {
            if super::small::is_number(self.at(rest.start)) || self.at(rest.start) == "only" {
                let number = rest.start + usize::from(self.at(rest.start) == "only");
                all.push(Reading::Count { what: number + 1..rest.end, number: number..number + 1 });
            }
            all.push(Reading::Add { what: rest });
        }
    }

    fn before_words(&self, r: Words, words: &[&str]) -> Words {
        let mut r = r;
        while r.end > r.start && words.contains(&self.at(r.end - 1)) {
            r.end -= 1;
        }
        r
    }

    /// `take the hat off`
    fn parted(&self, all: &mut Vec<Reading>) {
        let n = self.low.len();
        if n > 2 && frames().parted(self.at(0), self.at(n - 1)) == Some(Frame::Remove) && self.at(1) != "it" {
            all.push(Reading::Remove { what: self.in_picture(1..n - 1) });
        }
    }

    /// `make the goat disappear`
    fn gone(&self, all: &mut Vec<Reading>) -> bool {
        let n = self.low.len();
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

    /// `make a trout leap out of the pond`: what the prompt does not have does something.
    fn spawn(&self, all: &mut Vec<Reading>) {
        let n = self.low.len();
        if !matches!(self.at(0), "make" | "have" | "let" | "get") || n < 3 {
            return;
        }
        let verb = (2..n.min(8)).find(|&i| {
            let w = self.at(i);
            let next = self.at(i + 1);
            frames().acts(w)
                && !is_determiner(self.at(i - 1))
                && (next.is_empty()
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
    fn drawn(&self, all: &mut Vec<Reading>) {
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
        ) {
            return;
        }
        for i in self.find(1, &["as", "like", "in"]) {
            let to = self.trimmed(i + 1..n);
            let like = matches!(self.at(i), "as" | "like")
                && matches!(self.at(i + 1), "a" | "an")
                && !matches!(self.at(0), "show" | "present" | "display");
            if is_picture(self.slice(&(1..i))) && like && self.at(1) != "the" {
                all.push(Reading::Set { slot: Slot::Medium, to });
                return;
            }
            if is_picture(self.slice(&(1..i))) && slot_of(self.slice(&to)) == Some(Slot::Medium) {
                all.push(Reading::Set { slot: Slot::Medium, to });
                return;
            }
        }
    }

    fn replace(&self, len: usize, all: &mut Vec<Reading>) {
        let n = self.low.len();
        let reversed = self.at(0) == "substitute";
        for i in self.find(len, &["with", "by", "for", "to", "into"]) {
            if i + 1 >= n {
                continue;
            }
            let (x, y) = (self.trimmed(len..i), self.in_picture(i + 1..n));
            if y.is_empty() {
                continue;
            }
            if x.is_empty() {
                all.push(Reading::Swap { old: None, new: y });
            } else if reversed && self.at(i) == "for" {
                all.push(Reading::Swap { old: Some(y), new: x });
            } else {
                let x = if self.at(x.start) == "from" { x.start + 1..x.end } else { x };
                if let Some(slot) = slot_named(self.slice(&x)) {
                    all.push(Reading::Set { slot, to: y.clone() });
                }
                let named = (self.names)(self.slice(&x));
                all.push(Reading::Swap { old: Some(x), new: y });
                if named {
                    return;
                }
            }
        }
    }

    /// `the colour of the car`, `the car's colour`, `the car colour`: the car.
    fn of_attribute(&self, x: &Words) -> Option<Words> {
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

    fn change(&self, len: usize, all: &mut Vec<Reading>) {
        let n = self.low.len();
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
            let words = self.slice(&x);
            if let Some(slot) = slot_named(words) {
                all.push(Reading::Set { slot, to: y.clone() });
                continue;
            }
            if let Some(what) = self.of_attribute(&x) {
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
    fn without_attribute(&self, y: Words) -> Words {
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

    /// What a picture as a whole becomes: a style, a season, a time.
    fn picture_becomes(&self, y: &Words, all: &mut Vec<Reading>) {
        let words = self.slice(y);
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
                || self.low[from + 1..k].iter().any(|w| matches!(*w, "a" | "an"))
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

    fn make(&self, len: usize, paint: bool, all: &mut Vec<Reading>) {
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
            if (acts || is_ing(first)) && !paint && lexicon().adjective(first).iter().all(|k| *k == "action") {
                all.push(Reading::Act { who: (!picture || words == ["it"]).then_some(x.clone()), does: y.clone() });
            }
            if !acts {
                all.push(Reading::Become { what: Some(x), to: y });
            }
        }
    }

    /// `the wolf's fur white`, `his shirt yellow`: a part that the prompt does not name.
    fn part(&self, from: usize, all: &mut Vec<Reading>) {
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
            && !(self.names)(&self.low[from..end])
            && self.low[to..n].iter().all(|w| lexicon().is_adjective(w) || matches!(*w, "and" | ","))
        {
            all.push(Reading::Part { owner, part: part..end, to: to..n });
        }
    }

    fn have(&self, len: usize, all: &mut Vec<Reading>) {
        let n = self.low.len();
        for k in self.splits(len).into_iter().take(1) {
            let x = len..k;
            let y = self.in_picture(k..n);
            let mut y = if matches!(self.at(y.start), "to") { y.start + 1..y.end } else { y };
            if y.is_empty() {
                continue;
            }
            if matches!(self.at(y.start), "be" | "become" | "look") && y.len() > 1 {
                y.start += 1;
                if is_ing(self.at(y.start)) && lexicon().adjective(self.at(y.start)).iter().all(|k| *k == "action") {
                    all.push(Reading::Act { who: Some(x), does: y });
                } else if !is_preposition(self.at(y.start)) {
                    if let Some(slot) = slot_named(self.slice(&x)) {
                        all.push(Reading::Set { slot, to: y.clone() });
                    }
                    all.push(Reading::Become { what: Some(x), to: y });
                }
            } else if !matches!(self.at(y.start), "a" | "an" | "the" | "with" | "in" | "on" | "at")
                && lexicon().adjective(self.at(y.start)).iter().all(|k| *k == "action")
            {
                all.push(Reading::Act { who: Some(x), does: y });
            }
        }
        // `have a goat in the field`
        if matches!(self.at(0), "have" | "let")
            && matches!(self.at(len), "a" | "an" | "some" | "two" | "three")
            && self.splits(len).is_empty()
        {
            all.push(Reading::Add { what: self.in_picture(len..n) });
        }
    }

    fn cover(&self, len: usize, all: &mut Vec<Reading>) {
        let n = self.low.len();
        let verb = self.low[..len].join(" ");
        let base = self.at(0);
        // `top with berries`: what the picture is of.
        if self.at(len) == "with" && n > len + 1 && len == 1 {
            all.push(Reading::Cover { what: 0..0, done: frames().done(base), with: len..n });
            return;
        }
        let first = self.find(len, &["with", "in", "by", "from"]);
        for i in first {
            if i == len || i + 1 >= n {
                continue;
            }
            let x = self.trimmed(len..i);
            if x.is_empty() || (self.at(i) != "with" && !(self.names)(self.slice(&x)) && !is_picture(self.slice(&x))) {
                continue;
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
    fn adjust(&self, len: usize, all: &mut Vec<Reading>) {
        let n = self.low.len();
        // `increase the chairs to four`
        let number = |w: &str| super::small::is_number(w) || w == "one" || w.parse::<u32>().is_ok();
        if n > len + 2 && self.at(n - 2) == "to" && number(self.at(n - 1)) && (self.names)(&self.low[len..n - 2]) {
            all.push(Reading::Count { what: len..n - 2, number: n - 1..n });
        }
        let at = self.find(len, &["number", "amount", "count"]).first().copied().filter(|i| *i <= len + 1);
        if let Some(i) = at
            && self.at(i + 1) == "of"
        {
            if let Some(to) = self.find(i, &["to"]).last().copied().filter(|t| *t + 1 < n) {
                all.push(Reading::Count { what: i + 2..to, number: to + 1..to + 2 });
            }
        }
    }

    fn other(&self, len: usize, all: &mut Vec<Reading>) {
        let n = self.low.len();
        match self.at(0) {
            "use" | "try" | "apply" if n > len => {
                let what = self.in_picture(len..n);
                if slot_of(self.slice(&what)) == Some(Slot::Medium) {
                    all.push(Reading::Set { slot: Slot::Medium, to: what });
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
            "double" | "triple" => {}
            _ => {}
        }
    }

    /// `the fence should be red`, `the goat is a sheep`.
    fn modal(&self, all: &mut Vec<Reading>) {
        let n = self.low.len();
        // `the goat should wear a hat`
        for i in 1..n.min(10) {
            let Some(m) = DUTIES.iter().find(|m| self.low[i..].starts_with(m)) else { continue };
            let verb = self.at(i + m.len());
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
            } else if matches!(first, "added" | "not" | "more" | "less" | "too" | "so")
                || (is_preposition(first) && y.len() != 2)
            {
            } else if let Some(slot) = slot_named(self.slice(&x)) {
                all.push(Reading::Set { slot, to: y });
            } else if is_ing(first) && lexicon().adjective(first).iter().all(|k| *k == "action") {
                all.push(Reading::Act { who: Some(x), does: y });
            } else if is_ed(first) && y.len() > 1 && is_preposition(self.at(y.start + 1)) && first != "made" {
                all.push(Reading::Cover { what: x, done: first.to_owned(), with: y.start + 1..y.end });
            } else {
                let what = self.of_attribute(&x).unwrap_or(x);
                all.push(Reading::Become { what: Some(what), to: self.without_attribute(y) });
            }
            return;
        }
    }

    /// `peel the banana`, `tidy up the desk`, `get the flowers out of the vase`.
    fn state(&self, all: &mut Vec<Reading>) {
        let n = self.low.len();
        let first = self.at(0);
        let from = 1 + usize::from(self.at(1) == "up");
        if n > from
            && (frames().is("state", first) || lexicon().is_adjective(first))
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

    /// No verb: `lit by lanterns`, `as a watercolour`, `from wooden ones to stone ones`.
    fn bare(&self, all: &mut Vec<Reading>) {
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
        if first == "more" && n == 2 && lexicon().is_adjective(self.at(1)) && lexicon().noun(self.at(1)).is_empty() {
            all.push(Reading::Become { what: None, to: 1..2 });
        }
        let verb = frames().verb(&self.low).is_some() && super::form::orders(&self.low, &|w| (self.names)(&[w]));
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
        if let Some(i) = self.low.iter().position(|w| *w == ":").filter(|i| *i > 0 && *i + 1 < n && n < 9) {
            all.push(Reading::Become { what: Some(0..i), to: i + 1..n });
        }
        // `exactly seven birds`
        if matches!(first, "only" | "just" | "exactly")
            && n == 3
            && (super::small::is_number(self.at(1)) || self.at(1) == "one")
        {
            all.push(Reading::Count { what: 2..n, number: 1..2 });
        }
        if verb {
            return;
        }
        let low = self.low.as_slice();
        // `all cars red`, `blanket in lavender`
        let colour = |w: &str| lexicon().adjective(w).contains(&"colour");
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
            all.push(Reading::Set { slot: Slot::Medium, to: 0..n });
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
            && (matches!(low, [.., "it"]) && is_preposition(self.at(n - 2))
                || n < 5 && matches!(low, [.., "on", "top"]));
        if n < 14
            && !is_preposition(first)
            && first != "the"
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
                let numbered = super::small::is_number(first) && n == 2;
                if numbered {
                    all.push(Reading::Count { what: 1..2, number: 0..1 });
                } else if first != "another" {
                    all.push(Reading::Become { what: Some(n - 1..n), to: 0..n });
                }
            } else if the.is_some() || on_it {
                all.push(Reading::Add { what: 0..n });
            }
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
