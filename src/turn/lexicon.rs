//! What is known about words: their kinds, their forms, and the small words that tie phrases together.
//!
//! The classes live in `kinds.txt`. A word that is not listed has no kind; then the model's own embeddings decide.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

/// A kind of word. Same-kind words give way to each other.
pub(super) type Kind = &'static str;

pub(super) const TEXT: &str = include_str!("kinds.txt");

pub(super) struct Lexicon {
    adjectives: HashMap<&'static str, Vec<Kind>>,
    nouns: HashMap<String, Vec<Kind>>,
    compounds: Vec<Vec<&'static str>>,
    spellings: HashMap<&'static str, usize>,
    forms: HashMap<&'static str, usize>,
    form_list: Vec<Vec<&'static str>>,
    joins: HashMap<String, &'static str>,
    definite: Vec<&'static str>,
    becoming: HashMap<&'static str, &'static str>,
    near: Vec<Vec<&'static str>>,
}

/// The one lexicon.
pub(super) fn lexicon() -> &'static Lexicon {
    static LEXICON: OnceLock<Lexicon> = OnceLock::new();
    LEXICON.get_or_init(|| Lexicon::read(TEXT))
}

/// Nouns that look like verbs and have no kind.
const NO_VERBS: &[&str] =
    &["ceiling", "wedding", "clothing", "building", "lighting", "seaweed", "railing", "wing", "sling"];

pub(super) const JOINS: &[&str] = &["in", "in the", "at", "during the", "with", "on", "in front of"];

impl Lexicon {
    fn read(text: &'static str) -> Self {
        let mut all = Self {
            adjectives: HashMap::new(),
            nouns: HashMap::new(),
            compounds: Vec::new(),
            spellings: HashMap::new(),
            forms: HashMap::new(),
            form_list: Vec::new(),
            joins: HashMap::new(),
            definite: Vec::new(),
            becoming: HashMap::new(),
            near: Vec::new(),
        };
        let mut groups = 0;
        for line in text.lines().filter(|l| !l.starts_with('#')) {
            let Some((head, words)) = line.split_once(':') else { continue };
            let words = words.split_whitespace();
            if let Some(kind) = head.strip_prefix("adj ") {
                words.for_each(|w| add(all.adjectives.entry(w).or_default(), kind));
            } else if let Some(kind) = head.strip_prefix("noun ") {
                for word in words {
                    add(all.nouns.entry(word.replace('_', " ")).or_default(), kind);
                    if word.contains('_') {
                        all.compounds.push(word.split('_').collect());
                    }
                }
            } else if head == "same" {
                groups += 1;
                all.spellings.extend(words.map(|w| (w, groups)));
            } else if head == "form" {
                let group: Vec<_> = words.collect();
                all.forms.extend(group.iter().map(|w| (*w, all.form_list.len())));
                all.form_list.push(group);
            } else if head == "near" {
                all.near.push(words.collect());
            } else if head == "become" {
                all.becoming.extend(words.filter_map(|w| w.split_once('=')));
            } else if head == "the" {
                all.definite = words.collect();
            } else if let Some(join) = JOINS.iter().find(|j| **j == head) {
                all.joins.extend(words.map(|w| (w.replace('_', " "), *join)));
            }
        }
        all
    }

    /// Kinds of an adjective; none if it is not one.
    pub(super) fn adjective(&self, word: &str) -> &[Kind] {
        if let Some(kinds) = self.adjectives.get(word) {
            return kinds;
        }
        // `red-brown`, `sand-coloured`
        match word.rsplit_once('-') {
            Some((_, "coloured" | "colored")) => &["colour"],
            Some((_, last)) if self.adjectives.get(last).is_some_and(|k| k.contains(&"colour")) => &["colour"],
            _ => &[],
        }
    }

    /// The kind of what a word like `material` asks for.
    pub(super) fn attribute(&self, word: &str) -> Option<Kind> {
        ["material", "texture", "size", "pattern", "shape"].into_iter().find(|k| *k == word)
    }

    /// Kinds of a noun or compound (`palm tree`), singular or plural; none if it is not listed.
    pub(super) fn noun(&self, word: &str) -> &[Kind] {
        if let Some(kinds) = self.nouns.get(word) {
            return kinds;
        }
        for single in singulars(word) {
            if let Some(kinds) = self.nouns.get(single.as_str()) {
                return kinds;
            }
        }
        &[]
    }

    /// True for a word that can only be an adjective here, or an unlisted one that looks like one.
    pub(super) fn is_adjective(&self, word: &str) -> bool {
        !self.adjective(word).is_empty()
    }

    /// True if both words are spellings of one word, or its singular and plural.
    pub(super) fn same(&self, a: &str, b: &str) -> bool {
        if a == b {
            return true;
        }
        let (x, y) = (singulars(a), singulars(b));
        // `airplanes` and `plane`
        let spelled = |w: &str, all: &[String]| {
            let own = self.spellings.get(w).or_else(|| all.iter().find_map(|s| self.spellings.get(s.as_str())));
            own.copied()
        };
        x.iter().any(|s| s == b)
            || y.iter().any(|s| s == a)
            || spelled(a, &x).is_some_and(|group| spelled(b, &y) == Some(group))
    }

    /// True if both words are one idea in two forms: `snow` and `snowy`, `smile` and `smiling`.
    pub(super) fn related(&self, a: &str, b: &str) -> bool {
        self.same(a, b) || matches!((self.forms.get(a), self.forms.get(b)), (Some(x), Some(y)) if x == y)
    }

    /// The adjective of an idea: `snow` gives `snowy`, `smile` gives `smiling`.
    pub(super) fn adjective_form(&self, word: &str) -> Option<&'static str> {
        self.forms.get(word).map(|&g| self.form_list[g][0])
    }

    /// The noun of an idea: `snowy` gives `snow`.
    pub(super) fn noun_form(&self, word: &str) -> Option<&'static str> {
        self.forms.get(word).and_then(|&g| self.form_list[g].get(1).copied())
    }

    /// The word that a comparative compares: `longer` gives `long`, `wavier` gives `wavy`.
    pub(super) fn comparative(&self, word: &str) -> Option<String> {
        match word {
            "better" | "worse" | "other" | "further" | "farther" => return None,
            "lighter" => return Some("light".into()),
            _ => {}
        }
        let stem = word.strip_suffix("er").or_else(|| word.strip_suffix("est"))?;
        let known = |w: &str| self.is_adjective(w);
        if let Some(y) = stem.strip_suffix('i').map(|s| format!("{s}y"))
            && known(&y)
        {
            return Some(y);
        }
        if known(stem) {
            return Some(stem.to_owned());
        }
        let with_e = format!("{stem}e");
        if known(&with_e) {
            return Some(with_e);
        }
        let mut chars = stem.chars();
        let (last, before) = (chars.next_back()?, chars.clone().next_back()?);
        if last == before && known(chars.as_str()) {
            return Some(chars.as_str().to_owned());
        }
        None
    }

    /// True for a word that is spelled in several ways.
    pub(super) fn has_spellings(&self, word: &str) -> bool {
        self.spellings.contains_key(word)
    }

    /// True for a word that stands in any list.
    pub(super) fn lists(&self, word: &str) -> bool {
        self.is_adjective(word)
            || !self.noun(word).is_empty()
            || self.forms.contains_key(word)
            || self.spellings.contains_key(word)
            || self.near.iter().any(|group| group.contains(&word))
    }

    /// Words of like meaning, the closest first: other forms, then those of its groups.
    pub(super) fn alike<'a>(&'a self, word: &str) -> impl Iterator<Item = &'a str> {
        let forms = self.forms.get(word).map(|&g| self.form_list[g].iter()).into_iter().flatten();
        let groups = (self.near.iter()).filter(move |g| g.iter().any(|w| self.same(w, word))).flatten();
        let word = word.to_owned();
        forms.chain(groups).copied().filter(move |w| *w != word)
    }

    /// What a verb makes of a thing: `darken` gives `dark`.
    pub(super) fn becoming(&self, verb: &str) -> Option<&'static str> {
        self.becoming.get(verb).copied()
    }

    /// True for a word that may say what something does or what was done to it: `walking`, `parked`.
    pub(super) fn is_participle(&self, word: &str) -> bool {
        const IRREGULAR: &[&str] =
            &["seen", "drawn", "taken", "shot", "lit", "hidden", "asleep", "awake", "made", "worn"];
        let ends = word.len() > 4 && (word.ends_with("ing") || word.ends_with("ed"));
        (ends || IRREGULAR.contains(&word)) && self.noun(word).is_empty() && !NO_VERBS.contains(&word)
    }

    /// The usual way to say a time, season, weather or place: `night` gives `at night`, `forest` gives `in a forest`.
    pub(super) fn joined(&self, noun: &str) -> Option<&'static str> {
        self.joins.get(noun).copied()
    }

    /// True for nouns that take `the` when joined: `in the rain`.
    pub(super) fn takes_the(&self, noun: &str) -> bool {
        self.definite.contains(&noun)
    }

    /// The listed compound that ends with the last of `words` (lower case), by its number of words.
    pub(super) fn compound_ending(&self, words: &[&str]) -> usize {
        let fits = |c: &&Vec<&str>| {
            words.len() >= c.len()
                && words[words.len() - c.len()..]
                    .iter()
                    .zip(c.iter())
                    .enumerate()
                    .all(|(i, (w, c_word))| if i + 1 == c.len() { self.same(w, c_word) } else { w == c_word })
        };
        self.compounds.iter().filter(fits).map(Vec::len).max().unwrap_or(1)
    }

    /// True if `an` stands before this word.
    pub(super) fn wants_an(&self, word: &str) -> bool {
        const AN: &[&str] = &["hour", "honest", "honour", "honor", "heir"];
        const A: &[&str] = &["eu", "use", "usu", "ufo", "uk", "one", "once", "ut", "ubiq", "ewe", "ura", "u-"];
        if AN.iter().any(|p| word.starts_with(p)) {
            return true;
        }
        if A.iter().any(|p| word.starts_with(p)) && !word.starts_with("utt") {
            return false;
        }
        if let Some(rest) = word.strip_prefix("uni") {
            return rest.starts_with(['n', 'm', 'd']);
        }
        word.starts_with(['a', 'e', 'i', 'o', 'u', 'á', 'é', 'è', 'ä', 'ö', 'ü', 'å'])
            || word == "8"
            || word.starts_with("80")
            || matches!(word, "11" | "18" | "x-ray")
    }

    /// True for a noun that goes without `a`: plurals and stuffs.
    pub(super) fn goes_bare(&self, noun: &str) -> bool {
        const STUFF: &[&str] = &[
            "hair",
            "snow",
            "rain",
            "fog",
            "mist",
            "grass",
            "sand",
            "water",
            "people",
            "stubble",
            "makeup",
            "space",
            "bread",
            "cheese",
            "fire",
            "ice",
            "moss",
            "fur",
            "sunshine",
            "sunlight",
            "moonlight",
            "dreads",
            "lightning",
            "lava",
            "smoke",
            "steam",
            "mud",
            "wine",
            "milk",
            "beer",
            "juice",
            "ivy",
            "graffiti",
            "rice",
            "pasta",
            "spaghetti",
            "sheep",
            "fish",
            "armor",
            "armour",
            "woods",
        ];
        STUFF.contains(&noun) || is_plural(noun)
    }
}

pub(super) fn add(kinds: &mut Vec<Kind>, kind: Kind) {
    if !kinds.contains(&kind) {
        kinds.push(kind);
    }
}

/// The kinds, with every word of each as listed: what `/words` and the guide print.
#[must_use]
pub fn kinds() -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut all: BTreeMap<&'static str, Vec<&'static str>> = BTreeMap::new();
    for line in TEXT.lines() {
        let Some((head, words)) = line.split_once(':') else { continue };
        if let Some(kind) = head.strip_prefix("adj ").or_else(|| head.strip_prefix("noun ")) {
            all.entry(kind).or_default().extend(words.split_whitespace());
        }
    }
    all
}

/// True for words that look plural.
pub(super) fn is_plural(word: &str) -> bool {
    matches!(word, "children" | "men" | "women" | "mice" | "geese" | "people" | "wolves" | "feet" | "teeth")
        || (word.len() > 3
            && word.ends_with('s')
            && !word.ends_with("ss")
            && !word.ends_with("us")
            && !word.ends_with("is")
            && !word.ends_with("'s")
            && !matches!(word, "bus" | "canvas" | "christmas" | "lens" | "mars"))
}

/// What the singular of a plural may be.
pub(super) fn singulars(word: &str) -> Vec<String> {
    let mut all = Vec::new();
    match word {
        "men" => all.push("man".into()),
        "women" => all.push("woman".into()),
        "children" => all.push("child".into()),
        "mice" => all.push("mouse".into()),
        "geese" => all.push("goose".into()),
        "wolves" => all.push("wolf".into()),
        "leaves" => all.push("leaf".into()),
        _ => {}
    }
    // Some things are plural by nature: one pair of glasses is not a glass.
    if matches!(word, "glasses" | "overalls" | "clouds" | "dreads" | "curls" | "bangs") {
        if word == "clouds" {
            all.push("cloud".into());
        }
        return all;
    }
    if let Some(s) = word.strip_suffix("ies") {
        all.push(format!("{s}y"));
    }
    if let Some(s) = word.strip_suffix("es") {
        all.push(s.to_owned());
    }
    if let Some(s) = word.strip_suffix('s')
        && !s.ends_with('s')
        && s.len() > 1
    {
        all.push(s.to_owned());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparative_is_a_form_of_its_word() {
        let base = |w| lexicon().comparative(w);
        for (word, expected) in [
            ("longer", "long"),
            ("wavier", "wavy"),
            ("redder", "red"),
            ("paler", "pale"),
            ("bigger", "big"),
            ("snowier", "snowy"),
            ("bluer", "blue"),
        ] {
            assert_eq!(base(word).as_deref(), Some(expected), "{word}");
        }
        for word in ["river", "flower", "her", "winter", "glacier", "tiger", "sweater", "water", "er", "under"] {
            assert_eq!(base(word), None, "{word}");
        }
    }

    #[test]
    fn an_stands_before_a_vowel_that_is_heard() {
        let an = |w| lexicon().wants_an(w);
        assert!(an("owl") && an("umbrella") && an("unhappy") && an("hour") && an("old") && an("angry"));
        assert!(!an("unicorn") && !an("cat") && !an("uniform") && !an("one-eyed") && !an("european"));
    }

    #[test]
    fn glasses_are_not_a_glass() {
        assert!(!lexicon().same("glasses", "glass"));
        assert!(lexicon().same("mountain", "mountains") && lexicon().same("blonde", "blond"));
        assert!(lexicon().related("snow", "snowy") && !lexicon().same("snow", "snowy"));
    }
}
