//! The words that make a line an instruction: verbs, politeness, degrees.

use super::super::desk::{Tok, lows};
use super::super::lexicon::{is_determiner, is_person_pronoun, is_preposition, is_scene_pronoun, lexicon};

/// What a clause does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// make X Y
    Make,
    /// turn X into Y, change X to Y
    Turn,
    /// replace X with Y
    Replace,
    /// swap X and Y, swap X for Y
    Swap,
    /// substitute Y for X
    Substitute,
    /// add Y
    Add,
    /// give X Y
    Give,
    /// put X in Y, put Y on X
    Put,
    /// move X to Y
    Move,
    /// bring back Y
    Restore,
    /// remove X
    Remove,
    /// shave X
    Shave,
    /// dye X Y
    Paint,
    /// let X do Y
    Let,
    /// cut X short
    Cut,
    /// wear Y
    Wear,
    /// have Y, want Y
    Have,
    /// use Y
    Use,
    /// keep X: what is done anyway
    Keep,
    /// increase X
    Raise,
    /// reduce X
    Lower,
}

/// Verbs of several words, longest first, then single ones. `true`: also a noun, so what follows must show that it is
/// meant as a verb.
const VERBS: &[(&[&str], Verb, bool)] = &[
    (&["make", "sure", "that"], Verb::Let, false),
    (&["make", "it", "so", "that"], Verb::Let, false),
    (&["make", "sure"], Verb::Let, false),
    (&["get", "rid", "of"], Verb::Remove, false),
    (&["do", "away", "with"], Verb::Remove, false),
    (&["take", "away"], Verb::Remove, false),
    (&["take", "off"], Verb::Remove, false),
    (&["take", "out"], Verb::Remove, false),
    (&["leave", "out"], Verb::Remove, false),
    (&["leave", "away"], Verb::Remove, false),
    (&["cut", "out"], Verb::Remove, false),
    (&["throw", "out"], Verb::Remove, false),
    (&["throw", "away"], Verb::Remove, false),
    (&["cross", "out"], Verb::Remove, false),
    (&["wipe", "out"], Verb::Remove, false),
    (&["wipe", "away"], Verb::Remove, false),
    (&["shave", "off"], Verb::Shave, false),
    (&["swap", "out"], Verb::Swap, false),
    (&["switch", "out"], Verb::Swap, false),
    (&["change", "out"], Verb::Turn, false),
    (&["put", "back"], Verb::Restore, false),
    (&["bring", "back"], Verb::Restore, false),
    (&["add", "back"], Verb::Restore, false),
    (&["give", "back"], Verb::Restore, false),
    (&["restore"], Verb::Restore, false),
    (&["put", "on"], Verb::Give, false),
    (&["put", "in"], Verb::Put, false),
    (&["throw", "in"], Verb::Add, false),
    (&["tone", "down"], Verb::Lower, false),
    (&["turn", "down"], Verb::Lower, false),
    (&["turn", "up"], Verb::Raise, false),
    (&["play", "up"], Verb::Raise, false),
    (&["play", "down"], Verb::Lower, false),
    (&["make"], Verb::Make, false),
    (&["render"], Verb::Make, true),
    (&["turn"], Verb::Turn, true),
    (&["change"], Verb::Turn, false),
    (&["transform"], Verb::Turn, false),
    (&["convert"], Verb::Turn, false),
    (&["morph"], Verb::Turn, true),
    (&["alter"], Verb::Turn, false),
    (&["modify"], Verb::Turn, false),
    (&["set"], Verb::Turn, true),
    (&["replace"], Verb::Replace, false),
    (&["swap"], Verb::Swap, true),
    (&["switch"], Verb::Swap, true),
    (&["exchange"], Verb::Swap, true),
    (&["interchange"], Verb::Swap, true),
    (&["trade"], Verb::Swap, true),
    (&["substitute"], Verb::Substitute, true),
    (&["add"], Verb::Add, false),
    (&["include"], Verb::Add, false),
    (&["insert"], Verb::Add, false),
    (&["attach"], Verb::Add, false),
    (&["append"], Verb::Add, false),
    (&["give"], Verb::Give, false),
    (&["put"], Verb::Put, false),
    (&["place"], Verb::Put, true),
    (&["position"], Verb::Put, true),
    (&["move"], Verb::Move, true),
    (&["send"], Verb::Move, false),
    (&["bring"], Verb::Move, false),
    (&["transport"], Verb::Move, true),
    (&["relocate"], Verb::Move, false),
    (&["take"], Verb::Remove, true),
    (&["remove"], Verb::Remove, false),
    (&["delete"], Verb::Remove, false),
    (&["erase"], Verb::Remove, false),
    (&["eliminate"], Verb::Remove, false),
    (&["omit"], Verb::Remove, false),
    (&["discard"], Verb::Remove, false),
    (&["subtract"], Verb::Remove, false),
    (&["ditch"], Verb::Remove, true),
    (&["scrap"], Verb::Remove, true),
    (&["drop"], Verb::Remove, true),
    (&["lose"], Verb::Remove, false),
    (&["hide"], Verb::Remove, true),
    (&["strip"], Verb::Remove, true),
    (&["clear"], Verb::Remove, true),
    (&["kill"], Verb::Remove, true),
    (&["stop"], Verb::Remove, true),
    (&["shave"], Verb::Shave, false),
    (&["dye"], Verb::Paint, true),
    (&["paint"], Verb::Paint, true),
    (&["colour"], Verb::Paint, true),
    (&["color"], Verb::Paint, true),
    (&["tint"], Verb::Paint, true),
    (&["recolour"], Verb::Paint, false),
    (&["recolor"], Verb::Paint, false),
    (&["let"], Verb::Let, true),
    (&["cut"], Verb::Cut, true),
    (&["trim"], Verb::Cut, true),
    (&["wear"], Verb::Wear, true),
    (&["grow"], Verb::Have, true),
    (&["have"], Verb::Have, true),
    (&["use"], Verb::Use, false),
    (&["dress"], Verb::Put, true),
    (&["get"], Verb::Give, true),
    (&["keep"], Verb::Keep, true),
    (&["leave"], Verb::Keep, true),
    (&["increase"], Verb::Raise, false),
    (&["emphasize"], Verb::Raise, false),
    (&["emphasise"], Verb::Raise, false),
    (&["strengthen"], Verb::Raise, false),
    (&["intensify"], Verb::Raise, false),
    (&["boost"], Verb::Raise, true),
    (&["amplify"], Verb::Raise, false),
    (&["stress"], Verb::Raise, true),
    (&["reduce"], Verb::Lower, false),
    (&["decrease"], Verb::Lower, false),
    (&["weaken"], Verb::Lower, false),
    (&["lessen"], Verb::Lower, false),
    (&["soften"], Verb::Lower, false),
    (&["diminish"], Verb::Lower, false),
];

/// How a line that names no change is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// As it stands.
    None,
    /// `I want`: there should be this too.
    Want,
    /// `I'd prefer`: this instead.
    Prefer,
}

/// A verb as it is looked up: `making` is `make`.
fn base(low: &str) -> &str {
    const FORMS: &[(&str, &str)] = &[
        ("making", "make"),
        ("turning", "turn"),
        ("changing", "change"),
        ("replacing", "replace"),
        ("swapping", "swap"),
        ("switching", "switch"),
        ("adding", "add"),
        ("giving", "give"),
        ("putting", "put"),
        ("removing", "remove"),
        ("deleting", "delete"),
        ("moving", "move"),
        ("placing", "place"),
        ("dyeing", "dye"),
        ("painting", "paint"),
        ("getting", "get"),
        ("taking", "take"),
        ("shaving", "shave"),
        ("turned", "turn"),
    ];
    FORMS.iter().find(|(f, _)| *f == low).map_or(low, |(_, b)| b)
}

/// The verb that tokens begin with, and how many words it takes. `known` says whether the words after a doubtful verb
/// are in the prompt.
pub(super) fn verb(toks: &[Tok], known: &dyn Fn(&Tok) -> bool) -> Option<(Verb, usize)> {
    let words: Vec<&str> = toks.iter().take(4).enumerate().map(|(i, t)| if i == 0 { base(&t.low) } else { &t.low }).collect();
    let (pattern, verb, doubtful) = VERBS.iter().find(|(p, _, _)| words.starts_with(p))?;
    let n = pattern.len();
    // `put in a forest` has no thing to put there, but `put in a dog` has: both are read by `Put`.
    if *doubtful {
        let next = toks.get(n)?;
        let low = next.low.as_str();
        let pointed = is_determiner(low)
            || is_person_pronoun(low)
            || is_scene_pronoun(low)
            || matches!(low, "back" | "there" | "everything" | "off" | "only" | "more" | "less");
        if !pointed && !known(next) && !(matches!(verb, Verb::Remove | Verb::Paint | Verb::Swap | Verb::Turn) && is_bare_rest(toks, n)) {
            return None;
        }
    }
    Some((*verb, n))
}

/// `swap cat for dog`, `turn river into street`: a doubtful verb followed by its connecting word.
fn is_bare_rest(toks: &[Tok], n: usize) -> bool {
    toks[n..].iter().any(|t| matches!(t.low.as_str(), "into" | "for")) && !is_preposition(&toks[n].low)
}

/// Every verb of one word, for did-you-mean.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    VERBS.iter().filter(|(p, _, _)| p.len() == 1).map(|(p, _, _)| p[0])
}

const POLITE: &[&[&str]] = &[
    &["please"],
    &["pls"],
    &["plz"],
    &["kindly"],
    &["would", "it", "be", "possible", "to"],
    &["is", "it", "possible", "to"],
    &["would", "you", "mind"],
    &["do", "you", "mind"],
    &["could", "you", "maybe"],
    &["can", "you"],
    &["could", "you"],
    &["would", "you"],
    &["will", "you"],
    &["can", "we"],
    &["could", "we"],
    &["may", "we"],
    &["shall", "we"],
    &["should", "we"],
    &["can", "we", "have"],
    &["could", "we", "have"],
    &["can", "we", "get"],
    &["could", "we", "get"],
    &["can", "you", "give", "me"],
    &["let", "'s", "have"],
    &["let", "'s", "try"],
    &["let", "'s", "see"],
    &["can", "i", "have"],
    &["could", "i", "have"],
    &["may", "i", "have"],
    &["can", "i", "get"],
    &["could", "i", "get"],
    &["i", "want", "you", "to"],
    &["i", "need", "you", "to"],
    &["i'd", "like", "you", "to"],
    &["i", "would", "like", "you", "to"],
    &["i'd", "like", "to", "see"],
    &["i", "would", "like", "to", "see"],
    &["i", "want", "to", "see"],
    &["i'd", "like", "to", "have"],
    &["i", "would", "like", "to", "have"],
    &["i", "want", "to", "have"],
    &["i'd", "like", "to"],
    &["i", "would", "like", "to"],
    &["i", "want", "to"],
    &["i", "wish", "to"],
    &["i'd", "love", "to"],
    &["we", "want", "to"],
    &["we", "would", "like", "to"],
    &["we'd", "like", "to"],
    &["let", "'s"],
    &["lets"],
    &["let", "us"],
    &["i", "think"],
    &["how", "about"],
    &["what", "about"],
    &["what", "if"],
    &["why", "not"],
    &["go", "ahead", "and"],
    &["try", "to"],
    &["you", "should"],
    &["you", "can"],
    &["you", "could"],
    &["ok"],
    &["okay"],
    &["hey"],
    &["hi"],
    &["hello"],
    &["oh"],
    &["well"],
    &["hmm"],
    &["yes"],
    &["great"],
    &["now"],
    &["then"],
    &["next"],
    &["also"],
    &["just"],
    &["maybe"],
    &["perhaps"],
    &["actually"],
    &["finally"],
    &["first"],
    &["and"],
    &["but"],
    &["so"],
    &["simply"],
    &["instead"],
];

const WANT: &[&[&str]] = &[
    &["try"],
    &["i", "want"],
    &["i'd", "like"],
    &["i", "would", "like"],
    &["i'd", "love"],
    &["i'd", "prefer"],
    &["i", "would", "prefer"],
    &["i", "prefer"],
    &["i", "would", "love"],
    &["i", "need"],
    &["i", "wish"],
    &["i'd", "rather", "have"],
    &["i", "would", "rather", "have"],
    &["rather"],
    &["we", "want"],
    &["we", "need"],
    &["we'd", "like"],
    &["we", "would", "like"],
    &["give", "me"],
    &["show", "me"],
];

const TAIL: &[&[&str]] = &[
    &["please"],
    &["pls"],
    &["thanks"],
    &["thank", "you"],
    &["thank", "you", "very", "much"],
    &["for", "me"],
    &["if", "you", "can"],
    &["if", "possible"],
    &["would", "you"],
    &["will", "you"],
    &["could", "you"],
    &["can", "you"],
    &["ok"],
    &["okay"],
    &["as", "well"],
    &["too"],
    &["now"],
    &["in", "the", "picture"],
    &["in", "the", "image"],
    &["in", "the", "scene"],
    &["in", "this", "picture"],
    &["in", "it"],
    &["from", "the", "picture"],
    &["from", "the", "image"],
    &["from", "the", "scene"],
    &["from", "it"],
    &["to", "the", "picture"],
    &["to", "the", "image"],
    &["to", "the", "scene"],
    &["to", "it"],
    &["altogether"],
    &["completely"],
    &["entirely"],
];

/// Tokens without what is only polite, whether there was any, and what they wish.
pub(super) fn plain(toks: &[Tok]) -> (&[Tok], bool, Wish) {
    let (rest, polite, wants) = strip(toks);
    let said = rest.first().map_or(toks.len(), |first| toks.iter().position(|t| t.from == first.from).unwrap_or(0));
    let prefers = toks[..said].iter().any(|t| matches!(t.low.as_str(), "prefer" | "rather"));
    (rest, polite, if prefers { Wish::Prefer } else if wants { Wish::Want } else { Wish::None })
}

fn strip(toks: &[Tok]) -> (&[Tok], bool, bool) {
    let mut rest = toks;
    let (mut polite, mut wants) = (false, false);
    loop {
        if rest.first().is_some_and(Tok::is_mark) {
            rest = &rest[1..];
            continue;
        }
        let words = lows(&rest[..rest.len().min(6)]);
        if let Some(p) = POLITE.iter().filter(|p| words.starts_with(p)).max_by_key(|p| p.len()) {
            // Words of a sentence, not of courtesy: `so long`, `next to`, `first snow`, `instead of`.
            let after = words.get(p.len()).copied().unwrap_or("");
            let keeps = match p[0] {
                "next" => after == "to",
                "instead" => matches!(after, "of" | ""),
                "well" | "great" | "first" | "so" | "just" | "now" => rest.len() <= p.len(),
                "should" => false,
                _ => rest.len() <= p.len() && p.len() == 1,
            };
            if !keeps {
                polite |= p.len() > 1 || matches!(p[0], "please" | "pls" | "plz" | "kindly" | "lets");
                wants |= p.iter().any(|w| matches!(*w, "have" | "get" | "see" | "about" | "try" | "me") && p.len() > 1 && *p != ["try", "to"]);
                rest = &rest[p.len()..];
                continue;
            }
        }
        if !wants {
            if let Some(p) = WANT.iter().filter(|p| words.starts_with(p)).max_by_key(|p| p.len()) {
                wants = true;
                polite = true;
                rest = &rest[p.len()..];
                continue;
            }
        }
        break;
    }
    loop {
        if rest.last().is_some_and(Tok::is_mark) {
            rest = &rest[..rest.len() - 1];
            continue;
        }
        let words = lows(rest);
        let Some(p) = TAIL.iter().filter(|p| words.len() > p.len() && words.ends_with(p)).max_by_key(|p| p.len()) else { break };
        rest = &rest[..rest.len() - p.len()];
    }
    (rest, polite, wants)
}

/// True for lines that only greet, thank or agree.
pub(super) fn only_courtesy(toks: &[Tok]) -> bool {
    const WORDS: &[&str] = &[
        "thanks", "thank", "you", "hello", "hi", "hey", "yes", "yeah", "yep", "nope", "ok", "okay", "please", "great", "nice", "cool",
        "good", "perfect", "wow", "bye", "goodbye", "hmm", "well", "very", "much", "so", "oh", "lovely", "sorry", "sure", "fine", "again",
    ];
    let words: Vec<&Tok> = toks.iter().filter(|t| !t.is_mark()).collect();
    let plain = |t: &&Tok| matches!(t.low.as_str(), "nice" | "great" | "cool" | "good" | "lovely" | "so" | "very" | "fine" | "well" | "much");
    !words.is_empty() && words.iter().all(|t| WORDS.contains(&t.low.as_str())) && !(words.len() > 1 && words.iter().all(plain))
}

/// How much more or less, by the words that say so; longest first wins. The number multiplies the weight.
const DEGREES: &[(&[&str], f64)] = &[
    (&["more"], 1.5),
    (&["even", "more"], 1.5),
    (&["some", "more"], 1.5),
    (&["a", "bit", "more"], 1.25),
    (&["a", "little", "more"], 1.25),
    (&["a", "little", "bit", "more"], 1.25),
    (&["slightly", "more"], 1.25),
    (&["somewhat", "more"], 1.25),
    (&["a", "tad", "more"], 1.25),
    (&["a", "touch", "more"], 1.25),
    (&["a", "few", "more"], 1.25),
    (&["bit", "more"], 1.25),
    (&["much", "more"], 2.0),
    (&["so", "much", "more"], 2.0),
    (&["very", "much", "more"], 2.0),
    (&["a", "lot", "more"], 2.0),
    (&["lots", "more"], 2.0),
    (&["way", "more"], 2.0),
    (&["far", "more"], 2.0),
    (&["many", "more"], 2.0),
    (&["considerably", "more"], 2.0),
    (&["significantly", "more"], 2.0),
    (&["less"], 0.5),
    (&["fewer"], 0.5),
    (&["even", "less"], 0.5),
    (&["a", "bit", "less"], 0.75),
    (&["a", "little", "less"], 0.75),
    (&["a", "little", "bit", "less"], 0.75),
    (&["slightly", "less"], 0.75),
    (&["slightly", "fewer"], 0.75),
    (&["a", "bit", "fewer"], 0.75),
    (&["somewhat", "less"], 0.75),
    (&["a", "tad", "less"], 0.75),
    (&["a", "touch", "less"], 0.75),
    (&["bit", "less"], 0.75),
    (&["much", "less"], 0.25),
    (&["a", "lot", "less"], 0.25),
    (&["way", "less"], 0.25),
    (&["far", "less"], 0.25),
    (&["much", "fewer"], 0.25),
    (&["far", "fewer"], 0.25),
    (&["way", "fewer"], 0.25),
    (&["a", "lot", "fewer"], 0.25),
    (&["considerably", "less"], 0.25),
    (&["significantly", "less"], 0.25),
    (&["not", "so"], 0.5),
    (&["not", "as"], 0.5),
    (&["not", "that"], 0.5),
    (&["not", "too"], 0.5),
    (&["not", "very"], 0.5),
    (&["not", "so", "much"], 0.5),
    (&["not", "as", "much"], 0.5),
    (&["not", "that", "much"], 0.5),
    (&["not", "too", "much"], 0.5),
    (&["not", "so", "many"], 0.5),
    (&["not", "as", "many"], 0.5),
    (&["not", "that", "many"], 0.5),
    (&["not", "too", "many"], 0.5),
    (&["not", "quite", "so"], 0.75),
    (&["not", "quite", "as"], 0.75),
    (&["too"], 0.5),
    (&["too", "much"], 0.5),
    (&["too", "many"], 0.5),
    (&["way", "too"], 0.25),
    (&["way", "too", "much"], 0.25),
    (&["way", "too", "many"], 0.25),
    (&["much", "too"], 0.25),
    (&["much", "too", "much"], 0.25),
    (&["far", "too"], 0.25),
    (&["far", "too", "much"], 0.25),
    (&["far", "too", "many"], 0.25),
    (&["a", "bit", "too"], 0.75),
    (&["a", "bit", "too", "much"], 0.75),
    (&["a", "little", "too"], 0.75),
    (&["slightly", "too"], 0.75),
    (&["twice", "as"], 2.0),
    (&["half", "as"], 0.5),
];

/// What stands before a comparative.
const STEPS: &[(&[&str], f64)] = &[
    (&["much"], 2.0),
    (&["a", "lot"], 2.0),
    (&["way"], 2.0),
    (&["far"], 2.0),
    (&["lots"], 2.0),
    (&["considerably"], 2.0),
    (&["even"], 1.5),
    (&["a", "bit"], 1.25),
    (&["a", "little"], 1.25),
    (&["a", "little", "bit"], 1.25),
    (&["slightly"], 1.25),
    (&["somewhat"], 1.25),
    (&["a", "tad"], 1.25),
    (&["a", "touch"], 1.25),
];

/// The degree that tokens begin with: the factor and how many words say it.
pub(super) fn degree(toks: &[Tok]) -> Option<(f64, usize)> {
    let words = lows(&toks[..toks.len().min(5)]);
    let found = DEGREES.iter().filter(|(p, _)| words.starts_with(p)).max_by_key(|(p, _)| p.len())?;
    let mut n = found.0.len();
    if words.get(n) == Some(&"of") {
        n += 1;
    }
    Some((found.1, n))
}

/// The comparative that tokens begin with: its word, the factor, and how many words say it (`a bit longer`: 3).
pub(super) fn comparative(toks: &[Tok]) -> Option<(String, f64, usize)> {
    let words = lows(&toks[..toks.len().min(5)]);
    let (factor, n) = STEPS
        .iter()
        .filter(|(p, _)| words.starts_with(p))
        .max_by_key(|(p, _)| p.len())
        .map_or((1.5, 0), |(p, f)| (*f, p.len()));
    let base = lexicon().comparative(words.get(n)?)?;
    Some((base, factor, n + 1))
}

/// A spoken number of times at the end: `increase the snow a bit`.
pub(super) fn amount(toks: &[Tok]) -> (&[Tok], Option<bool>) {
    const LITTLE: &[&[&str]] = &[&["a", "bit"], &["a", "little"], &["slightly"], &["a", "little", "bit"], &["somewhat"], &["a", "tad"]];
    const MUCH: &[&[&str]] = &[&["a", "lot"], &["much"], &["greatly"], &["very", "much"], &["strongly"]];
    let words = lows(toks);
    for (list, much) in [(LITTLE, false), (MUCH, true)] {
        if let Some(p) = list.iter().filter(|p| words.len() > p.len() && words.ends_with(p)).max_by_key(|p| p.len()) {
            return (&toks[..toks.len() - p.len()], Some(much));
        }
    }
    (toks, None)
}
