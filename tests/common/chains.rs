//! Edits whose outcome the judge can see: conversations of `tests/edits/chains.txt`, and single edits of a first picture.

use std::collections::BTreeMap;

use wordbrush::engine::Picture;
use wordbrush::engine::judge::Judge;
use wordbrush::measure::psnr_where;
use wordbrush::session::to_image;

use super::judge::answer;
use super::{say, session};

/// What a picture shows, by the judge's heads.
type Shows<'a> = BTreeMap<&'a str, &'a str>;

/// A conversation: a first picture, and edits one after the other.
pub struct Chain<'a> {
    pub kind: &'a str,
    seed: &'a str,
    prompt: &'a str,
    shows: Shows<'a>,
    edits: Vec<(&'a str, Shows<'a>)>,
}

/// What became of edits.
#[derive(Default, Debug, Clone)]
pub struct Outcome {
    pub edits: usize,
    /// After so many the judge saw what was asked for.
    pub done: usize,
    /// Things that were seen before an edit which was not about them, and how many of them were seen after it.
    pub seen: usize,
    pub stayed: usize,
    /// First pictures that show what they should, and how many there are.
    pub first: (usize, usize),
    /// PSNR of what should stay, in dB, an edit each.
    pub psnr: Vec<f64>,
    /// What was asked for and is not there.
    pub missed: Vec<String>,
}

impl Outcome {
    pub fn done_share(&self) -> f64 {
        self.done as f64 / self.edits as f64
    }

    pub fn stayed_share(&self) -> f64 {
        self.stayed as f64 / self.seen.max(1) as f64
    }

    /// The middle one of the PSNRs; not a number if there is none.
    pub fn median(&self) -> f64 {
        let mut all = self.psnr.clone();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
    }

    pub fn add(&mut self, other: Self) {
        self.edits += other.edits;
        self.done += other.done;
        self.seen += other.seen;
        self.stayed += other.stayed;
        self.first = (self.first.0 + other.first.0, self.first.1 + other.first.1);
        self.psnr.extend(other.psnr);
        self.missed.extend(other.missed);
    }
}

fn shows(text: &str) -> Shows<'_> {
    text.split_whitespace().map(|pair| pair.split_once('=').unwrap_or_else(|| panic!("`{pair}` lacks a `=`"))).collect()
}

/// All conversations, in the order of the file.
pub fn chains() -> Vec<Chain<'static>> {
    let mut all: Vec<Chain<'static>> = Vec::new();
    for line in include_str!("../edits/chains.txt").lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty()) {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        match (&parts[..], line.starts_with(' ')) {
            (&[edit, wanted], true) => all.last_mut().expect("a chain begins").edits.push((edit, shows(wanted))),
            (&[kind, seed, prompt, first], false) => {
                all.push(Chain { kind, seed, prompt, shows: shows(first), edits: Vec::new() });
            }
            _ => panic!("`{line}` is neither the beginning of a chain nor an edit"),
        }
    }
    all
}

/// The kinds, in the order of the file.
pub fn kinds() -> Vec<&'static str> {
    let mut kinds: Vec<&str> = chains().iter().map(|chain| chain.kind).collect();
    kinds.dedup();
    kinds
}

/// Whether the judge sees it: as many answers as are asked for, with `+` between them.
fn sees(judge: &Judge, picture: &Picture, (head, wanted): (&str, &str)) -> (bool, String) {
    let found = answer(&judge.look(picture).expect("a picture can be looked at"), head, wanted.split('+').count());
    (found == wanted, found)
}

impl<'a> Chain<'a> {
    /// How many edits it has.
    pub fn edits(&self) -> usize {
        self.edits.len()
    }

    /// Everything that the judge is asked about it, one answer each.
    pub fn answers(&self) -> Vec<(&'a str, &'a str)> {
        let all = std::iter::once(&self.shows).chain(self.edits.iter().map(|(_, wanted)| wanted));
        all.flatten().flat_map(|(head, wanted)| wanted.split('+').map(|one| (*head, one))).collect()
    }

    /// Has the conversation under these settings.
    pub fn run(&self, judge: &Judge, settings: &[(&str, &str)]) -> Outcome {
        let mut session = session(&[&[("seed", self.seed)], settings].concat());
        let mut outcome = Outcome { first: (0, 1), ..Outcome::default() };
        let mut before = say(&mut session, self.prompt).left;
        outcome.first.0 = usize::from(self.shows.iter().all(|(h, w)| sees(judge, &before.picture, (h, w)).0));
        let mut shown = self.shows.clone();
        for (line, wanted) in &self.edits {
            let kept = shown.iter().filter(|(head, _)| !wanted.contains_key(*head));
            let kept: Vec<_> = kept.filter(|(h, w)| sees(judge, &before.picture, (h, w)).0).collect();
            let now = say(&mut session, line).left;
            outcome.edits += 1;
            let found: Vec<_> = wanted.iter().map(|(h, w)| sees(judge, &now.picture, (h, w))).collect();
            outcome.done += usize::from(found.iter().all(|(seen, _)| *seen));
            for (_, found) in found.iter().filter(|(seen, _)| !seen) {
                outcome.missed.push(format!("seed {}, {}: after `{line}` {found}", self.seed, self.prompt));
            }
            outcome.seen += kept.len();
            for (head, was) in &kept {
                let (is, found) = sees(judge, &now.picture, (head, was));
                outcome.stayed += usize::from(is);
                if !is {
                    outcome.missed.push(format!("seed {}, {}: `{line}` made {head} {found}", self.seed, self.prompt));
                }
            }
            shown.extend(wanted.iter().map(|(h, w)| (*h, *w)));
            before = now;
        }
        outcome
    }
}

/// Edits of one first picture, each of that picture itself, and the place that should stay.
pub struct Singles {
    pub kind: &'static str,
    head: &'static str,
    prompt: &'static str,
    edits: &'static [(&'static str, &'static str)],
    seeds: &'static [&'static str],
    stays: fn(usize, usize) -> bool,
}

/// Outside an object in the middle, or a head.
fn outside_the_thing(x: usize, y: usize) -> bool {
    !((20..108).contains(&x) && (24..120).contains(&y))
}

pub const SINGLES: [Singles; 4] = [
    Singles {
        kind: "hair",
        head: "hair",
        prompt: "a woman's face with long wavy blond hair",
        edits: &[
            ("blond -> red", "red"),
            ("make her hair black", "black"),
            ("blond -> brown", "brown"),
            ("blond -> pink", "pink"),
            ("turn her hair blue", "blue"),
        ],
        seeds: &["11", "12", "13", "14"],
        stays: |x, y| (44..84).contains(&x) && (48..88).contains(&y),
    },
    Singles {
        kind: "middle of a landscape",
        head: "middle",
        prompt: "a river between mountains",
        edits: &[
            ("river -> street", "street"),
            ("turn the river into a forest", "forest"),
            ("river -> desert", "desert"),
            ("river -> lake", "lake"),
        ],
        seeds: &["11", "12", "13"],
        // The middle element fills a wedge from the horizon to the lower edge.
        stays: |x, y| !((10..118).contains(&x) && y >= 56),
    },
    Singles {
        kind: "object",
        head: "object",
        prompt: "a cat on a beach",
        edits: &[
            ("cat -> dog", "dog"),
            ("make the cat a fox", "fox"),
            ("cat -> panda", "panda"),
            ("cat -> rabbit", "rabbit"),
        ],
        seeds: &["11", "12", "13"],
        stays: outside_the_thing,
    },
    Singles {
        kind: "glasses",
        head: "glasses",
        prompt: "a woman's face with long hair",
        edits: &[("with glasses", "glasses"), ("with sunglasses", "sunglasses")],
        seeds: &["11", "12", "13"],
        stays: outside_the_thing,
    },
];

impl Singles {
    /// Draws all of them under these settings; what counts as staying is the picture at the place that should.
    pub fn run(&self, judge: &Judge, settings: &[(&str, &str)]) -> Outcome {
        let stays: Vec<bool> = (0..128 * 128).map(|i| (self.stays)(i % 128, i / 128)).collect();
        let mut outcome = Outcome::default();
        for seed in self.seeds {
            let mut session = session(&[&[("seed", *seed)], settings].concat());
            let first = say(&mut session, self.prompt);
            for (line, wanted) in self.edits {
                let now = say(&mut session, line);
                let (done, found) = sees(judge, &now.left.picture, (self.head, wanted));
                outcome.edits += 1;
                outcome.done += usize::from(done);
                if !done {
                    outcome.missed.push(format!("seed {seed}: `{line}` looks {found}"));
                }
                let pictures = (to_image(&now.left.picture), to_image(&first.left.picture));
                outcome.psnr.push(psnr_where(&pictures.0, &pictures.1, &stays).expect("something stays"));
                let up = session.tree().undo(1).expect("there is a parent");
                session.go(up).expect("undo works");
            }
        }
        outcome
    }
}
