//! Verbs and the frames they stand in, their forms, and general names: `frames.txt`, read once.

use super::lexicon::{lexicon, singulars};
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

const TEXT: &str = include_str!("frames.txt");

/// What a verb tells to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Frame {
    Add,
    Remove,
    Replace,
    Change,
    Paint,
    Make,
    Have,
    Move,
    Cover,
    Dress,
    Give,
    Adjust,
    Other,
    Pixels,
}

const FRAMES: [(&str, Frame); 14] = [
    ("add", Frame::Add),
    ("remove", Frame::Remove),
    ("replace", Frame::Replace),
    ("change", Frame::Change),
    ("paint", Frame::Paint),
    ("make", Frame::Make),
    ("have", Frame::Have),
    ("move", Frame::Move),
    ("cover", Frame::Cover),
    ("dress", Frame::Dress),
    ("give", Frame::Give),
    ("adjust", Frame::Adjust),
    ("other", Frame::Other),
    ("pixels", Frame::Pixels),
];

pub(super) struct Frames {
    verbs: HashMap<&'static str, Vec<Frame>>,
    /// Verbs of several words, by their first.
    phrasal: HashMap<&'static str, Vec<(Vec<&'static str>, Frame)>>,
    sets: HashMap<&'static str, HashSet<String>>,
    does: HashSet<&'static str>,
    holds: HashSet<&'static str>,
    past: HashMap<&'static str, &'static str>,
    double: HashSet<&'static str>,
    means: Vec<Vec<&'static str>>,
    /// The first of each of those, and its singular.
    general: HashSet<String>,
}

/// The one table.
pub(super) fn frames() -> &'static Frames {
    static FRAMES: OnceLock<Frames> = OnceLock::new();
    FRAMES.get_or_init(Frames::read)
}

impl Frames {
    fn read() -> Self {
        let mut all = Self {
            verbs: HashMap::new(),
            phrasal: HashMap::new(),
            sets: HashMap::new(),
            does: HashSet::new(),
            holds: HashSet::new(),
            past: HashMap::new(),
            double: HashSet::new(),
            means: Vec::new(),
            general: HashSet::new(),
        };
        for line in TEXT.lines().filter(|l| !l.starts_with('#')) {
            let Some((head, words)) = line.split_once(':') else { continue };
            let words = words.split_whitespace();
            if let Some((_, frame)) = FRAMES.iter().find(|(name, _)| *name == head) {
                for word in words {
                    if word.contains('_') {
                        let parts: Vec<&str> = word.split('_').collect();
                        all.phrasal.entry(parts[0]).or_default().push((parts, *frame));
                    } else {
                        let frames = all.verbs.entry(word).or_default();
                        if !frames.contains(frame) {
                            frames.push(*frame);
                        }
                    }
                }
                continue;
            }
            match head {
                "does" => all.does.extend(words),
                "holds" => all.holds.extend(words),
                "double" => all.double.extend(words),
                "past" => all.past.extend(words.filter_map(|w| w.split_once('='))),
                "means" => all.means.push(words.collect()),
                _ => all.sets.entry(head).or_default().extend(words.map(|w| w.replace('_', " "))),
            }
        }
        for name in all.means.iter().filter_map(|names| names.first()) {
            all.general.insert((*name).to_owned());
            all.general.extend(singulars(name));
        }
        all
    }

    /// True if a list of this name holds the word.
    pub(super) fn is(&self, list: &str, word: &str) -> bool {
        self.sets.get(list).is_some_and(|set| set.contains(word))
    }

    /// What words begin with tells to do: its frames, and how many words it has.
    pub(super) fn verb(&self, words: &[&str]) -> Option<(Vec<Frame>, usize)> {
        let first = words.first()?;
        if let Some(several) = self.phrasal.get(first) {
            let fits = |(parts, _): &&(Vec<&str>, Frame)| words.starts_with(parts);
            if let Some((parts, frame)) = several.iter().filter(fits).max_by_key(|(parts, _)| parts.len()) {
                return Some((vec![*frame], parts.len()));
            }
        }
        self.verbs.get(first).map(|frames| (frames.clone(), 1))
    }

    /// What is told of a verb and the particle that stands after its object: `take` and `out`.
    pub(super) fn parted(&self, verb: &str, particle: &str) -> Option<Frame> {
        let several = self.phrasal.get(verb)?;
        several.iter().find(|(parts, _)| parts.len() == 2 && parts[1] == particle).map(|(_, frame)| *frame)
    }

    /// True for the bare form of a verb that a line may begin with.
    pub(super) fn tells(&self, word: &str) -> bool {
        self.verbs.contains_key(word) || self.phrasal.contains_key(word)
    }

    /// True for the bare form of what something does in a caption.
    pub(super) fn acts(&self, verb: &str) -> bool {
        self.does.contains(verb) || self.holds.contains(verb)
    }

    /// True for what something does alone, in some posture or place.
    pub(super) fn is_posture(&self, verb: &str) -> bool {
        self.does.contains(verb)
    }

    /// The bare form of a finite or bare caption verb: `sits`, `sat`, `carries`; none if it is no verb that is known.
    pub(super) fn finite(&self, word: &str) -> Option<String> {
        if word == "has" {
            return Some("have".to_owned());
        }
        if let Some(base) = self.past.get(word) {
            return Some((*base).to_owned());
        }
        let known = |w: &str| self.acts(w).then(|| w.to_owned());
        if let Some(stem) = word.strip_suffix("ies") {
            return known(&format!("{stem}y")).or_else(|| known(&format!("{stem}ie")));
        }
        let short = word.strip_suffix("es").and_then(known);
        short.or_else(|| word.strip_suffix('s').and_then(known))
    }

    /// The bare form of an -ing form: `sitting` gives `sit`. Of an unknown verb the likeliest.
    pub(super) fn of_ing(&self, word: &str) -> Option<String> {
        let stem = word.strip_suffix("ing").filter(|s| s.len() > 1)?;
        if word == "lying" {
            return Some("lie".to_owned());
        }
        let known = |w: &str| self.acts(w) || self.tells(w);
        let silent = format!("{stem}e");
        // `riding`: of one short syllable the last letter would have doubled.
        let vowel = |c: char| "aeiou".contains(c);
        let mut back = stem.chars().rev();
        let ends_short = back.next().is_some_and(|c| !vowel(c) && !"wxy".contains(c)) && back.next().is_some_and(vowel);
        if ends_short && stem.chars().filter(|c| vowel(*c)).count() == 1 {
            return Some(silent);
        }
        if known(stem) {
            return Some(stem.to_owned());
        }
        if known(&silent) {
            return Some(silent);
        }
        let once = &stem[..stem.len() - stem.chars().next_back().map_or(0, char::len_utf8)];
        if self.double.contains(once) || known(once) {
            return Some(once.to_owned());
        }
        Some(stem.to_owned())
    }

    /// The -ing form of a bare verb.
    pub(super) fn ing(&self, verb: &str) -> String {
        if self.double.contains(verb) {
            let last = verb.chars().next_back().unwrap_or_default();
            return format!("{verb}{last}ing");
        }
        if let Some(stem) = verb.strip_suffix("ie") {
            return format!("{stem}ying");
        }
        match verb.strip_suffix('e') {
            Some(stem) if !verb.ends_with("ee") && !verb.ends_with("oe") && verb != "be" => format!("{stem}ing"),
            _ => format!("{verb}ing"),
        }
    }

    /// The form for one: `sits`, `carries`, `watches`.
    pub(super) fn third(&self, verb: &str) -> String {
        let hisses = ["s", "x", "ch", "sh", "o"].iter().any(|e| verb.ends_with(e));
        match verb {
            "have" => "has".to_owned(),
            "are" | "be" => "is".to_owned(),
            _ if hisses => format!("{verb}es"),
            _ => match verb.strip_suffix('y') {
                Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
                _ => format!("{verb}s"),
            },
        }
    }

    /// The participle of what was done: `covered`, `draped`, `lit`.
    pub(super) fn done(&self, verb: &str) -> String {
        let last = verb.chars().next_back().unwrap_or_default();
        match verb {
            "light" => "lit".to_owned(),
            "strew" => "strewn".to_owned(),
            "overgrow" => "overgrown".to_owned(),
            "set" | "cut" | "spread" | "split" => verb.to_owned(),
            "break" => "broken".to_owned(),
            "bend" => "bent".to_owned(),
            "tear" => "torn".to_owned(),
            _ if self.double.contains(verb) => format!("{verb}{last}ed"),
            _ if verb.ends_with('e') => format!("{verb}d"),
            _ => match verb.strip_suffix('y') {
                Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ied"),
                _ => format!("{verb}ed"),
            },
        }
    }

    /// True for a past form or participle that no rule gives.
    pub(super) fn is_past(&self, word: &str) -> bool {
        self.past.contains_key(word)
    }

    /// True if the general name `word` may mean a `noun`.
    pub(super) fn means(&self, word: &str, noun: &str) -> bool {
        // Most words are no general names, which two look-ups tell.
        let single = singulars(word);
        let is_name = |w: &str| self.general.contains(w);
        if !is_name(word) && !single.iter().any(|w| is_name(w)) && !lexicon().has_spellings(word) {
            return false;
        }
        let one = |w: &str| lexicon().same(w, word);
        self.means.iter().any(|m| one(m[0]) && m[1..].iter().any(|n| lexicon().same(n, noun)))
    }
}

/// The plural of a noun.
pub(super) fn plural(noun: &str) -> String {
    const ODD: &[(&str, &str)] = &[
        ("man", "men"),
        ("woman", "women"),
        ("child", "children"),
        ("person", "people"),
        ("mouse", "mice"),
        ("goose", "geese"),
        ("foot", "feet"),
        ("tooth", "teeth"),
        ("wolf", "wolves"),
        ("leaf", "leaves"),
        ("knife", "knives"),
        ("loaf", "loaves"),
        ("shelf", "shelves"),
        ("calf", "calves"),
        ("sheep", "sheep"),
        ("deer", "deer"),
        ("fish", "fish"),
    ];
    if let Some((_, many)) = ODD.iter().find(|(one, _)| *one == noun) {
        return (*many).to_owned();
    }
    if super::lexicon::is_plural(noun) {
        return noun.to_owned();
    }
    let hisses = ["s", "x", "ch", "sh", "z"].iter().any(|e| noun.ends_with(e));
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ if hisses => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

/// The singular of a noun; the word itself where it is one.
pub(super) fn singular(noun: &str) -> String {
    match noun {
        "people" => return "person".to_owned(),
        "children" => return "child".to_owned(),
        "feet" => return "foot".to_owned(),
        "teeth" => return "tooth".to_owned(),
        "knives" => return "knife".to_owned(),
        "shelves" => return "shelf".to_owned(),
        "leaves" => return "leaf".to_owned(),
        _ => {}
    }
    if !super::lexicon::is_plural(noun) {
        return noun.to_owned();
    }
    let all = super::lexicon::singulars(noun);
    let hisses = |s: &&String| ["s", "x", "ch", "sh", "z"].iter().any(|e| s.ends_with(e));
    let listed = all.iter().find(|s| !lexicon().noun(s).is_empty());
    let sounds =
        all.iter().find(|s| noun.ends_with("es") && hisses(s)).or_else(|| all.iter().find(|s| s.ends_with('y')));
    listed.or(sounds).or_else(|| all.last()).cloned().unwrap_or_else(|| noun.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_and_its_forms_lead_to_each_other() {
        for (bare, ing, third, done) in [
            ("sit", "sitting", "sits", "sited"),
            ("carry", "carrying", "carries", "carried"),
            ("ride", "riding", "rides", "rided"),
            ("wrap", "wrapping", "wraps", "wrapped"),
            ("watch", "watching", "watches", "watched"),
        ] {
            assert_eq!(frames().ing(bare), ing);
            assert_eq!(frames().of_ing(ing).as_deref(), Some(bare));
            assert_eq!(frames().third(bare), third);
            assert!(done != "wrapped" || frames().done(bare) == done, "{bare}");
        }
        assert_eq!(frames().finite("stood").as_deref(), Some("stand"));
        assert_eq!(frames().ing("lie"), "lying");
    }

    #[test]
    fn one_of_many_is_named_by_the_singular() {
        for (one, many) in
            [("hen", "hens"), ("fox", "foxes"), ("pony", "ponies"), ("child", "children"), ("rose", "roses")]
        {
            assert_eq!(plural(one), many);
            assert_eq!(singular(many), one);
        }
    }
}
