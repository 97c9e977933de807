//! A prompt read once, into things: noun phrases with what ties them, what they hang on, and how far they reach.
//!
//! Words that no list has take their part of speech from where they stand. The same reader reads what was typed after a
//! verb ([`Scene::of`] of a line's piece). Nothing here changes anything.

mod tag;

use crate::frames::frames;
use crate::lexicon::{Kind, lexicon};
use crate::small::{is_determiner, is_owner};
use crate::words::{lower, split};
use std::ops::Range;
use tag::tag;
pub(crate) use tag::{Tag, is_adverb, is_ed, is_ing};

/// A noun phrase.
#[derive(Debug, Clone)]
pub(crate) struct Thing {
    /// Where it begins, its article included.
    pub(crate) start: usize,
    /// Its noun.
    pub(crate) head: usize,
    /// Where the noun's name begins: `pine` of `pine trees`.
    pub(crate) name: usize,
    /// Where what ties it to the words before begins; `start` if nothing does.
    pub(crate) tie: usize,
    /// What it hangs on.
    pub(crate) parent: Option<usize>,
    /// The owner before it: the woman of `a woman's face`.
    pub(crate) owner: Option<usize>,
    /// True if joined by a comma or `and` to a thing of its own rank, that one's index being `parent`'s other child.
    pub(crate) joined: bool,
}

/// A prompt as things.
pub(crate) struct Scene {
    pub(crate) low: Vec<String>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) things: Vec<Thing>,
}

impl Scene {
    /// Reads a text.
    pub(crate) fn of(text: &str) -> Self {
        let words = split(text);
        let low: Vec<String> = words.iter().map(|w| lower(w.text)).collect();
        let tags = tag(&low);
        let mut scene = Self { low, tags, things: Vec::new() };
        scene.chunk();
        scene.tie();
        scene
    }

    pub(crate) fn low(&self, i: usize) -> &str {
        self.low.get(i).map_or("", String::as_str)
    }

    pub(crate) fn tag(&self, i: usize) -> Tag {
        self.tags.get(i).copied().unwrap_or(Tag::Stop)
    }

    /// Kinds of a thing's noun.
    pub(crate) fn kinds(&self, t: usize) -> &'static [Kind] {
        let thing = &self.things[t];
        let name = self.low[thing.name..=thing.head].join(" ");
        let kinds = lexicon().noun(&name);
        if kinds.is_empty() { lexicon().noun(&self.low[thing.head]) } else { kinds }
    }

    pub(crate) fn is_kind(&self, t: usize, kinds: &[Kind]) -> bool {
        self.kinds(t).iter().any(|k| kinds.contains(k))
    }

    /// Words of a thing that say how it is, before its noun.
    pub(crate) fn adjectives(&self, t: usize) -> Vec<usize> {
        let thing = &self.things[t];
        (thing.start..thing.name)
            .filter(|&i| matches!(self.tags[i], Tag::Adj | Tag::Noun) || (self.tags[i] == Tag::Adv))
            .collect()
    }

    /// True for what may act: people, animals, and names that no list has of the first thing.
    pub(crate) fn is_alive(&self, t: usize) -> bool {
        let head = self.low(self.things[t].head);
        self.is_kind(t, &["person", "animal"])
            || matches!(
                head,
                "robot"
                    | "snowman"
                    | "scarecrow"
                    | "bear"
                    | "teddy"
                    | "puppet"
                    | "mannequin"
                    | "figurine"
                    | "doll"
                    | "statue"
                    | "dragon"
                    | "alien"
                    | "monster"
                    | "ghost"
                    | "surfer"
                    | "skier"
                    | "player"
                    | "rider"
                    | "group"
                    | "crowd"
                    | "team"
                    | "family"
            )
            || (lexicon().noun(head).is_empty()
                && !self.is_matter(t)
                && (["er", "ist", "man", "smith", "ess", "ian", "ina", "eer"].iter().any(|e| head.ends_with(e))
                    || matches!(self.tag(self.things[t].head + 1), Tag::Ing | Tag::Verb) && t == 0))
    }

    /// True for a name that ends as one who does something, and is none: `soccer` of `playing soccer`, `hamburger`.
    fn is_matter(&self, t: usize) -> bool {
        let thing = &self.things[t];
        let bare = thing.start == thing.head && !crate::lexicon::is_plural(self.low(thing.head));
        let done = bare && thing.head > 0 && self.tag(thing.head - 1) == Tag::Ing;
        let of_tools = ["burger", "puter", "copter", "printer", "heater", "cooler", "locker", "container", "poster"];
        done || of_tools.iter().any(|e| self.low(thing.head).ends_with(e))
    }

    /// True for what someone has on or of themselves.
    pub(crate) fn is_own(&self, t: usize) -> bool {
        self.is_kind(t, &["body", "hair", "beard", "glasses", "accessory", "headgear", "clothing", "jewellery"])
    }

    /// The one thing that something is done to: the bike of `a man riding a bike`.
    pub(crate) fn object(&self) -> Option<usize> {
        let done_to = |t: &usize| {
            let thing = &self.things[*t];
            thing.start > 0 && matches!(self.tag(thing.start - 1), Tag::Ing | Tag::Verb) && !self.is_own(*t)
        };
        let mut all = (0..self.things.len()).filter(done_to);
        all.next().filter(|_| all.next().is_none())
    }

    /// Where it is said how the one of several is that words name: the first `black` of `two cats, one black and one white`
    /// for `the black cat`; `green` of `the left one green` for `the left parrot`.
    pub(crate) fn one_of_several(&self, words: &[&str]) -> Option<usize> {
        let [.., how, noun] = words else { return None };
        let several =
            |t: &Thing| t.start < t.head && (self.tag(t.start) == Tag::Num || lexicon().same(self.low(t.head), noun));
        if !matches!(*noun, "one") && !self.things.iter().any(|t| lexicon().same(self.low(t.head), noun) && several(t))
        {
            return None;
        }
        let ends = |i: usize| i >= self.low.len() || matches!(self.tag(i), Tag::And | Tag::Comma | Tag::Stop);
        let colour = |i: usize| lexicon().adjective(self.low(i)).contains(&"colour");
        let mut found = (0..self.low.len()).filter_map(|i| {
            let after = self.low(i) == "one" && self.low(i + 1) == *how && colour(i + 1) && ends(i + 2);
            let before = i > 0 && self.low(i) == "one" && self.low(i - 1) == *how && colour(i + 1) && ends(i + 2);
            (after || before).then_some(i + 1)
        });
        found.next().filter(|_| found.next().is_none())
    }

    /// True for a time, a season or a weather that is said of the whole picture.
    pub(crate) fn is_slot(&self, t: usize) -> bool {
        self.is_kind(t, &["time", "season", "weather"])
            || matches!(
                self.low(self.things[t].head),
                "background"
                    | "foreground"
                    | "backdrop"
                    | "distance"
                    | "style"
                    | "lighting"
                    | "light"
                    | "sunlight"
                    | "daylight"
                    | "weather"
            )
    }

    /// True for the word that names the medium at the head of a prompt: `photo` of `a photo of a cat`.
    pub(crate) fn is_medium(&self, t: usize) -> bool {
        let head = self.low(self.things[t].head);
        (frames().is("medium", head)
            || frames().is("picture", head)
            || matches!(head, "portrait" | "close-up" | "headshot" | "shot" | "view" | "selfie" | "scene"))
            && self.low(self.things[t].head + 1) == "of"
    }

    /// The thing that a word stands in.
    pub(crate) fn thing_at(&self, i: usize) -> Option<usize> {
        self.things.iter().position(|t| t.start <= i && i <= t.head)
    }

    /// True if `t` hangs on `on`, directly or through others.
    pub(crate) fn hangs_on(&self, t: usize, on: usize) -> bool {
        let mut at = self.things[t].parent;
        for _ in 0..12 {
            match at {
                Some(p) if p == on => return true,
                Some(p) => at = self.things[p].parent,
                None => return false,
            }
        }
        false
    }

    /// The first thing that the picture is of.
    pub(crate) fn subject(&self) -> Option<usize> {
        let shown = |t: &usize| !self.is_medium(*t) && !self.is_slot(*t);
        (0..self.things.len()).find(shown).map(|t| match self.things.iter().position(|o| o.owner == Some(t)) {
            Some(face) if !self.is_alive(t) => face,
            _ => t,
        })
    }

    fn chunk(&mut self) {
        let n = self.low.len();
        let mut i = 0;
        while i < n {
            let opens = |t: Tag| matches!(t, Tag::Det | Tag::Num | Tag::Adj | Tag::Noun) || t == Tag::Adv;
            if !opens(self.tags[i]) {
                i += 1;
                continue;
            }
            let start = i;
            let mut head = None;
            let mut owner_from = None;
            while i < n {
                match self.tags[i] {
                    Tag::Det if i > start && head.is_some() => break,
                    Tag::Det | Tag::Num if head.is_some() => break,
                    Tag::Adj if head.is_some() && owner_from.is_none() => break,
                    Tag::Adv if head.is_some() => break,
                    Tag::Noun => head = Some(i),
                    // `a red and blue balloon`, `an old, snowy house`
                    Tag::And | Tag::Comma
                        if head.is_none()
                            && i > start
                            && self.tags[i - 1] == Tag::Adj
                            && matches!(self.tags.get(i + 1), Some(Tag::Adj)) => {}
                    Tag::Det | Tag::Num | Tag::Adj | Tag::Adv => {}
                    Tag::Owner if head.is_some() => {
                        let t = self.push(start, head.take().unwrap_or(start), owner_from);
                        owner_from = Some(t);
                        i += 1;
                        // What is owned begins here.
                        let begin = i;
                        let mut last = None;
                        while i < n && matches!(self.tags[i], Tag::Adj | Tag::Noun | Tag::Num) {
                            if self.tags[i] == Tag::Noun {
                                last = Some(i);
                            } else if last.is_some() {
                                break;
                            }
                            i += 1;
                        }
                        if let Some(h) = last {
                            self.push(begin, h, owner_from);
                        }
                        head = None;
                        break;
                    }
                    _ => break,
                }
                i += 1;
            }
            if let Some(h) = head {
                self.push(start, h, None);
                i = i.max(h + 1);
            }
            if i == start {
                i += 1;
            }
        }
    }

    fn push(&mut self, start: usize, head: usize, owner: Option<usize>) -> usize {
        let mut name = head;
        let from = head.saturating_sub(2).max(start);
        let words: Vec<&str> = self.low[from..=head].iter().map(String::as_str).collect();
        name = name.min(head + 1 - lexicon().compound_ending(&words).min(head + 1 - start));
        while name > start && self.tags[name - 1] == Tag::Noun && lexicon().adjective(&self.low[name - 1]).is_empty() {
            name -= 1;
        }
        self.things.push(Thing { start, head, name, tie: start, parent: None, owner, joined: false });
        self.things.len() - 1
    }

    /// What ties each thing, and what it hangs on.
    fn tie(&mut self) {
        for t in 0..self.things.len() {
            let (start, owner) = (self.things[t].start, self.things[t].owner);
            if owner.is_some() {
                self.things[t].tie = start;
                self.things[t].parent = owner;
                continue;
            }
            let before = if t == 0 { 0 } else { self.things[t - 1].head + 1 };
            let gap: Vec<usize> = (before..start).collect();
            self.things[t].tie = before.min(start);
            if t == 0 {
                self.things[t].tie = start;
                continue;
            }
            let prev = t - 1;
            let tags: Vec<Tag> = gap.iter().map(|&i| self.tags[i]).collect();
            if tags.contains(&Tag::Stop) {
                let last = gap.iter().rposition(|&i| self.tags[i] == Tag::Stop).unwrap_or(0);
                self.things[t].tie = gap[last] + 1;
                continue;
            }
            // `birds flying around, at night`: the clause is the birds', and what stands behind the comma is the picture's.
            if let [Tag::Ing | Tag::Ed, middle @ .., Tag::Comma, Tag::Prep] = tags.as_slice()
                && middle.iter().all(|t| *t == Tag::Adv)
            {
                self.things[t].tie = start - 2;
                self.things[t].parent = None;
                continue;
            }
            // `with a cat looking out and curtains`: the clause is the cat's, the `and` is of the two.
            if let [Tag::Ing | Tag::Ed, middle @ .., Tag::And] = tags.as_slice()
                && middle.iter().all(|t| *t == Tag::Adv)
            {
                self.things[t].tie = start - 1;
                self.things[t].joined = true;
                self.things[t].parent = self.things[prev].parent;
                continue;
            }
            let bare = tags.iter().all(|t| matches!(t, Tag::And | Tag::Comma | Tag::Adv));
            if bare {
                self.things[t].joined = !tags.is_empty();
                // Joined to the nearest of its rank: `long hair and glasses`, `a cat with a hat and a dog`.
                let chain = self.chain(prev);
                let own = self.is_own(t);
                // `with a surfboard on the roof and a dog`: the dog is beside the surfboard, not the roof.
                let definite = |u: usize| {
                    let low = self.low(self.things[u].start);
                    low == "the" || is_owner(low)
                };
                let holder = self.things[prev].parent.filter(|&p| {
                    p + 1 == prev
                        && definite(prev)
                        && !definite(t)
                        && matches!(self.low(self.things[p].tie), "with" | "wearing" | "holding")
                        && self.things[p].tie < self.things[p].start
                });
                if let Some(p) = holder {
                    self.things[t].parent = self.things[p].parent;
                    continue;
                }
                // `with a tie and a flower`: of one rank with what stands right before it.
                if !self.is_alive(t) && !self.is_alive(prev) && (!own || self.is_own(prev)) {
                    self.things[t].parent = self.things[prev].parent;
                    continue;
                }
                let rank = chain.iter().copied().find(|&c| {
                    if own {
                        self.is_own(c)
                    } else if self.is_alive(t) {
                        self.is_alive(c)
                    } else {
                        !self.is_own(c)
                    }
                });
                self.things[t].parent = rank.map_or(self.things[prev].parent, |c| self.things[c].parent);
                continue;
            }
            let first =
                tags.iter().copied().find(|t| !matches!(t, Tag::And | Tag::Comma | Tag::Adv)).unwrap_or(Tag::Prep);
            let word = gap.iter().map(|&i| self.low(i)).find(|w| !matches!(*w, "and" | ",")).unwrap_or_default();
            let after_comma = matches!(tags[0], Tag::Comma | Tag::And);
            let chain = self.chain(prev);
            let alive = chain.iter().copied().find(|&c| self.is_alive(c));
            let root = chain.last().copied().unwrap_or(prev);
            // `a boat with a sail drifting`: what has it drifts.
            let prev_tie = self.low(self.things[prev].tie);
            let prev_is_held = matches!(prev_tie, "with" | "wearing")
                && self.things[prev].tie < self.things[prev].start
                && !self.is_alive(prev)
                && !self.is_kind(prev, &["vehicle"])
                && chain.last().is_some_and(|&r| self.is_alive(r) || self.is_kind(r, &["vehicle"]));
            let part = matches!(prev_tie, "with")
                && self.things[prev].tie < self.things[prev].start
                && self.low(start) == "the";
            let held_by = self.things[prev].parent.unwrap_or(prev);
            self.things[t].parent = Some(match first {
                _ if self.is_slot(t) => root,
                Tag::Prep if matches!(word, "of" | "full" | "filled") => prev,
                Tag::Rel => prev,
                Tag::Ing | Tag::Verb | Tag::Be if prev_is_held => held_by,
                Tag::Ing | Tag::Ed | Tag::Verb | Tag::Be => {
                    let moves = self.is_kind(prev, &["vehicle", "animal", "person", "sky"]);
                    // `a laptop covered in stickers sitting on a table`: the laptop sits.
                    let dressed = (self.things[prev].tie..self.things[prev].start).any(|i| self.tags[i] == Tag::Ed);
                    if dressed && !moves && first == Tag::Ing && self.things[prev].parent.is_some() {
                        held_by
                    } else if moves || (first == Tag::Ed && !after_comma) {
                        prev
                    } else {
                        alive.unwrap_or(if after_comma { root } else { prev })
                    }
                }
                _ if matches!(word, "with" | "wearing" | "without") => {
                    if self.is_own(t) {
                        alive.unwrap_or(prev)
                    } else if after_comma {
                        root
                    } else if self.low(self.things[prev].start.wrapping_sub(1)) == "of" {
                        // `a beach full of people with a pier`
                        self.things[prev].parent.unwrap_or(prev)
                    } else {
                        prev
                    }
                }
                _ => {
                    let worn = word == "in" && self.is_own(t) && self.is_alive(prev);
                    let owned = worn || is_owner(self.low(start)) && (self.is_own(t) || prev_is_held);
                    let new = self.things[prev].joined
                        && self.low(self.things[prev].tie) == ","
                        && is_determiner(self.low(self.things[prev].start));
                    let verb_before = self.tags[self.things[prev].tie..self.things[prev].start].contains(&Tag::Ed);
                    if owned || new || part || verb_before { prev } else { root }
                }
            });
        }
    }

    /// A thing and what it hangs on, outwards.
    fn chain(&self, t: usize) -> Vec<usize> {
        let mut all = vec![t];
        let mut at = t;
        while let Some(p) = self.things[at].parent.filter(|_| all.len() < 12) {
            all.push(p);
            at = p;
        }
        all
    }

    /// Where what hangs on a thing ends, one past: its clause, its participle, what it holds.
    pub(crate) fn end(&self, t: usize) -> usize {
        let mut end = self.things[t].head + 1;
        for u in t + 1..self.things.len() {
            if self.hangs_on(u, t) && !self.is_slot(u) {
                end = self.things[u].head + 1;
            } else if self.things[u].owner.is_none_or(|o| o != t) {
                break;
            } else {
                end = self.things[u].head + 1;
            }
        }
        // `birds flying around`, `a woman who is smiling`, `a hat on it`
        let next = self.things.iter().map(|t| t.tie).find(|&s| s >= end).unwrap_or(self.low.len());
        let mut i = end;
        while i < next {
            let on = match self.tags[i] {
                Tag::Ing | Tag::Ed | Tag::Rel | Tag::Be | Tag::Pron => true,
                Tag::Adv | Tag::Adj => i > end || self.tag(i) == Tag::Adv,
                Tag::Prep => {
                    matches!(self.low(i + 1), "it" | "them" | "him" | "her")
                        || (i > end && matches!(self.tags[i - 1], Tag::Ing | Tag::Ed))
                }
                Tag::And => i > end && matches!(self.tag(i + 1), Tag::Ing | Tag::Adj) && i + 1 < next,
                _ => false,
            };
            if !on {
                break;
            }
            i += 1;
        }
        let sides = |w: &[&str]| w.iter().enumerate().all(|(k, w)| self.low(i + k) == *w);
        if sides(&["on", "both", "sides"]) || sides(&["on", "either", "side"]) {
            return i + 3;
        }
        i
    }

    /// The words of a range, joined.
    pub(crate) fn words(&self, range: Range<usize>) -> String {
        self.low[range].join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let scene = Scene::of(text);
        let all: Vec<String> = scene.things.iter().map(|t| scene.words(t.start..t.head + 1)).collect();
        assert_eq!(all, expected, "{text}: {:?}", scene.tags);
    }

    #[test]
    fn a_caption_is_cut_into_its_things() {
        check("a goat and a hen stand in a yard", &["a goat", "a hen", "a yard"]);
        check("A boy is flying a yellow kite", &["a boy", "a yellow kite"]);
        check("Two kayaks are tied to a pier", &["two kayaks", "a pier"]);
        check("a mural showing a train leaving a station", &["a mural", "a train", "a station"]);
        check("a woman's face with long wavy blond hair", &["a woman", "face", "long wavy blond hair"]);
        check("two dogs play in the snow", &["two dogs", "the snow"]);
        check("a red and blue balloon on a beach", &["a red and blue balloon", "a beach"]);
        check("a cat sits on top of a water tank", &["a cat", "a water tank"]);
        check("a water park in a city", &["a water park", "a city"]);
    }

    #[test]
    fn a_thing_reaches_as_far_as_what_hangs_on_it() {
        let reach = |text: &str, n: usize| {
            let scene = Scene::of(text);
            scene.words(scene.things[n].tie..scene.end(n))
        };
        assert_eq!(reach("a mural showing a train leaving a station", 1), "showing a train leaving a station");
        assert_eq!(reach("a man riding a horse in a desert", 1), "riding a horse");
        assert_eq!(reach("a table with a vase of flowers on it", 1), "with a vase of flowers on it");
        assert_eq!(reach("a street with a car parked near a tree", 1), "with a car parked near a tree");
        assert_eq!(reach("a sky with birds flying around, at night", 1), "with birds flying around");
    }
}
