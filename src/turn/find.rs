//! Finds words, noun phrases and tied phrases in a prompt under change. Nothing here changes it.

use super::draft::Draft;
use super::lexicon::{Kind, is_plural, lexicon};
use super::small::{is_determiner, is_preposition};
use std::ops::Range;

/// How freely a word may match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// The very words.
    Exact,
    /// Singular for plural, one spelling for another, `hat` for `beanie`.
    Thing,
    /// Also another form of the idea: `snow` for `snowy`.
    Idea,
}

/// Prepositions of several words, and what opens a relative clause.
const TIES: &[&[&str]] = &[
    &["who", "is", "wearing"],
    &["who", "is"],
    &["who", "are"],
    &["who", "has"],
    &["that", "is"],
    &["that", "are"],
    &["that", "has"],
    &["which", "is"],
    &["in", "front", "of"],
    &["on", "top", "of"],
    &["next", "to"],
    &["close", "to"],
    &["surrounded", "by"],
    &["covered", "in"],
    &["covered", "with"],
    &["covered", "by"],
    &["made", "of"],
    &["together", "with"],
    &["along", "with"],
    &["dressed", "in"],
];

/// More words than any noun phrase has.
const LONGEST: usize = 24;

/// A preposition with its noun phrase.
#[derive(Debug, Clone)]
pub(super) struct Phrase {
    /// From the preposition to the noun.
    pub(super) range: Range<usize>,
    /// The preposition, lower case, words joined by blanks.
    pub(super) tie: String,
    /// The noun.
    pub(super) head: usize,
}

impl Draft {
    /// True if the item at `i` is a word, not a sign.
    pub(super) fn is_word(&self, i: usize) -> bool {
        self.may(i).word
    }

    /// True for a word that may stand inside a noun phrase before its head.
    fn is_inner(&self, i: usize) -> bool {
        self.may_be_inner(i) && !self.is_verb(i)
    }

    fn may_be_inner(&self, i: usize) -> bool {
        self.may(i).inner
    }

    /// True for a word that says what the thing before it does: `sleeping` of `a cat sleeping on a chair`, but not of
    /// `a sleeping cat`.
    pub(super) fn is_verb(&self, i: usize) -> bool {
        if i == 0 || !self.may(i).inner || !self.may(i).participle {
            return false;
        }
        let (before, last, next) = (self.low(i - 1), self.may(i - 1), self.may(i + 1));
        let after_noun = last.inner && !last.determiner && (!last.adjective || last.noun);
        let open = !next.inner || next.determiner || self.low(i + 1).ends_with("ly");
        // `a chef cooking soup`, but `a tree lined street`
        let alive = || lexicon().noun(before).iter().any(|k| matches!(*k, "person" | "animal"));
        after_noun && (open || (self.low(i).ends_with("ing") && alive()))
    }

    /// True for a verb with a thing right after it: `reading` of `a woman reading a book`.
    fn ties_as_verb(&self, i: usize) -> bool {
        self.is_verb(i) && self.may_be_inner(i + 1)
    }

    /// Kinds of the noun that ends at `i`, as a compound if it is one.
    pub(super) fn noun_kinds(&self, i: usize) -> &'static [Kind] {
        let from = i.saturating_sub(2);
        let words = self.lows(from..i + 1);
        let n = lexicon().compound_ending(&words);
        if n > 1 {
            let kinds = lexicon().noun(&words[words.len() - n..].join(" "));
            if !kinds.is_empty() {
                return kinds;
            }
        }
        lexicon().noun(self.low(i))
    }

    /// Where the name of the thing at `head` begins: `winter` of `winter hat`.
    pub(super) fn name_start(&self, head: usize) -> usize {
        let from = head.saturating_sub(2);
        let words = self.lows(from..head + 1);
        let mut start = head + 1 - lexicon().compound_ending(&words);
        // Any other noun right before it is part of the name: `a snow fox`, `a city street`.
        while start > 0 && head < start + LONGEST && self.is_inner(start - 1) && !self.may(start - 1).determiner {
            let last = self.may(start - 1);
            if !last.noun || last.adjective {
                break;
            }
            start -= 1;
        }
        start
    }

    /// Where the noun phrase with this head begins, its article included.
    pub(super) fn phrase_start(&self, head: usize) -> usize {
        let mut i = self.name_start(head);
        while i > 0 && head < i + LONGEST {
            let low = self.low(i - 1);
            if is_determiner(low) && !matches!(low, "that" | "other") {
                return i - 1;
            }
            if self.is_inner(i - 1) {
                i -= 1;
                continue;
            }
            // `a red and blue balloon`, `an old, snowy house`
            let joins = matches!(low, "and" | ",") && i > 1;
            if joins && lexicon().is_adjective(self.low(i)) && self.coordinated_adjective(i - 2) {
                i -= 2;
                continue;
            }
            break;
        }
        i
    }

    /// An adjective joined to the next one, not a noun phrase of its own.
    fn coordinated_adjective(&self, i: usize) -> bool {
        let low = self.low(i);
        lexicon().is_adjective(low)
            && (i == 0 || {
                let before = self.low(i - 1);
                is_determiner(before) || is_preposition(before) || lexicon().is_adjective(before) || before == ","
            })
            && (lexicon().noun(low).is_empty() || i == 0 || !matches!(self.low(i - 1), "a" | "an"))
    }

    /// The last word of the noun phrase that `i` stands in.
    pub(super) fn head_of(&self, i: usize) -> usize {
        let mut head = i;
        while head < i + LONGEST && self.is_inner(head + 1) && !self.may(head + 1).determiner {
            let (here, next) = (self.may(head), self.may(head + 1));
            // `a woman smiling on a beach`: what follows a noun is no part of its phrase.
            if here.noun && !here.adjective && next.adjective && !next.noun {
                break;
            }
            head += 1;
        }
        // `a red and blue balloon`: the first colour belongs to the balloon as well.
        let joined = matches!(self.low(head + 1), "and" | ",") && self.coordinated_adjective(head);
        if joined && self.may(head + 2).adjective && self.may(head).adjective {
            let far = self.head_of(head + 2);
            let noun = !self.may(far).adjective || self.may(far).noun;
            if far > head + 2 && noun {
                return far;
            }
        }
        head
    }

    /// The noun that a range of words names: the last one, but the bowl of `bowl of fruit`.
    pub(super) fn named(&self, range: &Range<usize>) -> usize {
        let of = range.clone().any(|i| self.low(i) == "of");
        if of { self.head_of(range.start).min(range.end - 1) } else { range.end - 1 }
    }

    /// True if the word at `i` is the thing itself, not a word before it.
    pub(super) fn is_head(&self, i: usize) -> bool {
        self.head_of(i) == i
    }

    /// Where the preposition that ties the phrase beginning at `start` begins; `start` itself if none does.
    pub(super) fn tie_start(&self, start: usize) -> usize {
        for tie in TIES {
            if start >= tie.len() && self.lows(start - tie.len()..start) == *tie {
                // `who is wearing`, `a woman standing on`: what hangs on the verb goes with it.
                return start - tie.len();
            }
        }
        if start > 0 && (is_preposition(self.low(start - 1)) || self.ties_as_verb(start - 1)) {
            return start - 1;
        }
        start
    }

    /// Number of items of a tie that begins at `i`, 0 if none does.
    pub(super) fn tie_at(&self, i: usize) -> usize {
        for tie in TIES {
            if i + tie.len() <= self.items.len() && self.lows(i..i + tie.len()) == *tie {
                return tie.len();
            }
        }
        usize::from(is_preposition(self.low(i)) || self.ties_as_verb(i))
    }

    /// Every head of a noun phrase, in order.
    pub(super) fn heads(&self) -> Vec<usize> {
        (0..self.items.len())
            .filter(|&i| self.is_inner(i) && !is_determiner(self.low(i)) && self.is_head(i))
            .filter(|&i| !(lexicon().is_adjective(self.low(i)) && lexicon().noun(self.low(i)).is_empty()))
            .collect()
    }

    /// Every preposition with its noun phrase, in order.
    pub(super) fn phrases(&self) -> Vec<Phrase> {
        let mut all = Vec::new();
        for head in self.heads() {
            let start = self.phrase_start(head);
            let tie = self.tie_start(start);
            if tie < start {
                let mut end = head + 1;
                if self.lows(end..(end + 3).min(self.items.len())) == ["on", "both", "sides"] {
                    end += 3;
                }
                all.push(Phrase { range: tie..end, tie: self.lows(tie..start).join(" "), head });
            }
        }
        all
    }

    /// Adjectives of the noun at `head`: before it, and after `that is`.
    pub(super) fn adjectives(&self, head: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (self.phrase_start(head)..self.name_start(head))
            .filter(|&i| self.is_word(i) && !is_determiner(self.low(i)) && self.low(i) != "and")
            .collect();
        // A compound may begin with what is an adjective elsewhere (`golden` of `golden crown` is one, `hot` of `hot dog` not).
        let mut i = head + 1;
        if matches!(self.low(i), "that" | "who" | "which") && matches!(self.low(i + 1), "is" | "are") {
            i += 2;
            while self.is_word(i) || self.low(i) == "," {
                let low = self.low(i);
                if lexicon().is_adjective(low) {
                    all.push(i);
                } else if !matches!(low, "and" | "," | "very") {
                    break;
                }
                i += 1;
            }
        }
        all
    }

    /// Where `words` (lower case) stand, as freely as `reach` allows; the strictest reading that finds any.
    pub(super) fn occurrences(&self, words: &[String], reach: Reach, kept_only: bool) -> Vec<Range<usize>> {
        if words.is_empty() {
            return Vec::new();
        }
        let run = |fits: &dyn Fn(&str, &str) -> bool| -> Vec<Range<usize>> {
            let mut found: Vec<Range<usize>> = Vec::new();
            let mut i = 0;
            while i + words.len() <= self.items.len() {
                let window = &self.items[i..i + words.len()];
                if window.iter().zip(words).all(|(item, w)| fits(&item.low, w) && (!kept_only || item.is_kept())) {
                    found.push(i..i + words.len());
                    i += words.len();
                } else {
                    i += 1;
                }
            }
            found
        };
        let exact = run(&|a, b| a == b);
        if reach == Reach::Exact || !exact.is_empty() {
            return exact;
        }
        let same = run(&|a, b| lexicon().same(a, b));
        if !same.is_empty() {
            return same;
        }
        if words.len() > 1 {
            let apart = self.phrase_with(words);
            if !apart.is_empty() {
                return apart;
            }
        }
        if reach == Reach::Idea {
            let related = run(&|a, b| lexicon().related(a, b));
            if !related.is_empty() {
                return related;
            }
        }
        if words.len() == 1 {
            return self.general(&words[0]);
        }
        Vec::new()
    }

    /// `long hair` in `long wavy hair`: the head, with every other word before it.
    fn phrase_with(&self, words: &[String]) -> Vec<Range<usize>> {
        let Some((last, rest)) = words.split_last() else { return Vec::new() };
        let fits = |&head: &usize| {
            let before = self.lows(self.phrase_start(head)..head);
            lexicon().same(self.low(head), last) && rest.iter().all(|w| before.iter().any(|b| lexicon().same(b, w)))
        };
        self.heads().into_iter().filter(fits).map(|h| h..h + 1).collect()
    }

    /// A general name for a thing that the prompt names more closely: `hat` for `beanie`, `hair` for `bob`.
    fn general(&self, word: &str) -> Vec<Range<usize>> {
        let kind = match word {
            "hair" | "hairstyle" | "haircut" | "hairdo" => "hair",
            "glasses" | "specs" => "glasses",
            "hat" | "headgear" | "cap" => "headgear",
            "clothes" | "outfit" | "clothing" | "top" | "garment" => "clothing",
            "animal" | "pet" | "beast" | "creature" => "animal",
            "person" | "people" | "figure" | "subject" | "human" | "someone" => "person",
            "lady" | "woman" | "girl" | "female" | "man" | "guy" | "boy" | "male" => "person",
            "vehicle" => "vehicle",
            "fruit" | "food" => "food",
            "plant" => "plant",
            "building" => "building",
            "beard" | "whiskers" => "beard",
            _ => return Vec::new(),
        };
        const SHE: &[&str] =
            &["woman", "lady", "girl", "female", "queen", "princess", "grandmother", "mother", "witch"];
        const HE: &[&str] = &["man", "guy", "boy", "male", "gentleman", "king", "prince", "grandfather", "father"];
        let sex = |w: &str| if SHE.contains(&w) { Some(true) } else { HE.contains(&w).then_some(false) };
        let fits = |&head: &usize| {
            self.noun_kinds(head).contains(&kind)
                && (kind != "person" || sex(word).is_none() || sex(self.low(head)) == sex(word))
        };
        self.heads_and_owners().into_iter().filter(fits).map(|h| h..h + 1).collect()
    }

    /// Heads, and owners such as the woman of `a woman's face` (heads already) — every noun that names a thing.
    fn heads_and_owners(&self) -> Vec<usize> {
        self.heads()
    }

    /// Nouns of one of these kinds that are heads, in order.
    pub(super) fn heads_of_kind(&self, kinds: &[Kind]) -> Vec<usize> {
        self.heads().into_iter().filter(|&h| self.noun_kinds(h).iter().any(|k| kinds.contains(k))).collect()
    }

    /// Parts of a landscape, in order: what weather and season are said of.
    pub(super) fn lands(&self) -> Vec<usize> {
        let all = self.heads_of_kind(&["middle", "flank", "place"]);
        all.into_iter().filter(|&h| !self.noun_kinds(h).contains(&"indoor")).collect()
    }

    /// True if someone is shown who may be `her`, `him` or `them`.
    pub(super) fn shows_someone(&self) -> bool {
        let alive =
            |&h: &usize| matches!(self.low(h), "snowman" | "robot" | "doll" | "statue" | "toy" | "bear" | "mask");
        !self.heads_of_kind(&["person", "animal", "body", "hair", "headgear", "glasses", "clothing"]).is_empty()
            || self.heads().iter().any(alive)
    }

    /// Adjectives of one of these kinds, anywhere, in order. What is part of a name (`golden` of a hat's name) is not.
    pub(super) fn adjectives_of_kind(&self, kinds: &[Kind]) -> Vec<usize> {
        (0..self.items.len())
            .filter(|&i| {
                let low = self.low(i);
                let fits = lexicon().adjective(low).iter().any(|k| kinds.contains(k));
                let head = self.head_of(i);
                let noun_here = head == i && !lexicon().noun(low).is_empty();
                fits && !noun_here && (i < self.name_start(head) || i == head)
            })
            .collect()
    }

    /// What the picture is of: the heads joined at its beginning, `a cat` and `a dog` of `a cat and a dog on a beach`.
    pub(super) fn subjects(&self) -> Vec<usize> {
        let heads = self.heads();
        let mut all = Vec::new();
        for &head in &heads {
            let start = self.phrase_start(head);
            let tie = self.tie_start(start);
            let scene = self.noun_kinds(head).contains(&"scene") && self.noun_kinds(head).len() == 1;
            if tie == start || all.is_empty() {
                let joined = start == 0 || all.is_empty() || self.low(start - 1) == "and";
                if joined && !scene && self.low(start.wrapping_sub(1)) != "'s" {
                    all.push(head);
                }
            } else if matches!(self.lows(tie..start).as_slice(), ["next", "to"]) {
                all.push(head);
            } else if !all.is_empty() {
                break;
            }
        }
        all
    }

    /// The one person, if the prompt shows any.
    pub(super) fn person(&self) -> Vec<usize> {
        (0..self.items.len())
            .filter(|&i| self.is_word(i) && self.noun_kinds(i).contains(&"person") && self.is_head(i))
            .collect()
    }
}

/// True for a plural, whose article would be wrong.
pub(super) fn is_plural_head(word: &str) -> bool {
    is_plural(word) || lexicon().goes_bare(word)
}
