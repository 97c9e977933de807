//! The words that make a line an instruction: verbs, politeness, degrees.

use super::super::desk::Tok;
use super::super::lexicon::lexicon;
use super::super::small::{is_determiner, is_person_pronoun, is_preposition, is_scene_pronoun};

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
    /// increase X
    Raise,
    /// reduce X
    Lower,
    /// darken X
    Become(&'static str),
}

/// Verbs of several words, longest first, then single ones. `true`: also a noun, so what follows must show that it is
/// meant as a verb.
pub(super) const VERBS: &[(&[&str], Verb, bool)] = &[
    (&["make", "sure", "that"], Verb::Let, false),
    (&["make", "it", "so", "that"], Verb::Let, false),
    (&["make", "sure"], Verb::Let, false),
    (&["make", "it", "so"], Verb::Let, false),
    (&["get", "rid", "of"], Verb::Remove, false),
    (&["i", "don't", "want"], Verb::Remove, false),
    (&["i", "don't", "like"], Verb::Remove, false),
    (&["i", "dislike"], Verb::Remove, false),
    (&["i", "hate"], Verb::Remove, false),
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
    (&["show"], Verb::Make, true),
    (&["turn"], Verb::Turn, true),
    (&["go", "back"], Verb::Turn, true),
    (&["go"], Verb::Turn, true),
    (&["back"], Verb::Turn, true),
    (&["revert"], Verb::Turn, true),
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
    (&["forget"], Verb::Remove, true),
    (&["skip"], Verb::Remove, true),
    (&["exclude"], Verb::Remove, false),
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
    (&["melt"], Verb::Remove, true),
    (&["drain"], Verb::Remove, true),
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
    (&["dress"], Verb::Put, true),
    (&["get"], Verb::Give, true),
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

/// A verb as it is looked up: `making` is `make`.
pub(super) fn base(low: &str) -> &str {
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
    let words: Vec<&str> =
        toks.iter().take(4).enumerate().map(|(i, t)| if i == 0 { base(&t.low) } else { &t.low }).collect();
    let pointed = |n: usize| {
        toks.get(n).is_some_and(|t| is_determiner(&t.low) || is_person_pronoun(&t.low) || is_scene_pronoun(&t.low))
    };
    if let Some(adjective) = words.first().and_then(|w| lexicon().becoming(w)).filter(|_| pointed(1)) {
        return Some((Verb::Become(adjective), 1));
    }
    let (pattern, verb, doubtful) = VERBS.iter().find(|(p, _, _)| words.starts_with(p))?;
    let n = pattern.len();
    // `put in a forest` has no thing to put there, but `put in a dog` has: both are read by `Put`.
    if *doubtful {
        let next = toks.get(n)?;
        let low = next.low.as_str();
        let pointed = pointed(n)
            || matches!(low, "to" | "into") && matches!(verb, Verb::Turn | Verb::Swap | Verb::Move)
            || matches!(low, "there" | "everything" | "off" | "only" | "more" | "less");
        let bare = matches!(verb, Verb::Remove | Verb::Paint | Verb::Swap | Verb::Turn) && is_bare_rest(toks, n);
        // A clear sky is no order.
        let known = |tok: &Tok| pattern != &["clear"] && known(tok);
        if !pointed && !known(next) && !bare {
            return None;
        }
    }
    Some((*verb, n))
}

/// `swap cat for dog`, `turn river into street`: a doubtful verb followed by its connecting word.
pub(super) fn is_bare_rest(toks: &[Tok], n: usize) -> bool {
    toks[n..].iter().any(|t| matches!(t.low.as_str(), "into" | "for")) && !is_preposition(&toks[n].low)
}

/// Verbs that speak of the picture as such, which words cannot change; `true` if the tokens begin with one.
pub(super) fn is_of_the_picture(toks: &[Tok]) -> bool {
    const VERBS: &[&str] = &[
        "zoom", "crop", "rotate", "flip", "mirror", "resize", "scale", "fix", "improve", "enhance", "upscale", "blur",
        "animate", "do", "undo", "redraw", "refine", "retouch", "pan", "tilt", "help", "surprise",
    ];
    let Some(first) = toks.first() else { return false };
    let next = toks.get(1).map_or("", |t| t.low.as_str());
    let goes_on = is_determiner(next)
        || is_person_pronoun(next)
        || is_scene_pronoun(next)
        || is_preposition(next)
        || matches!(next, "" | "out" | "up" | "left" | "right" | "horizontally" | "vertically" | "something" | "me");
    VERBS.contains(&first.low.as_str()) && goes_on
}

/// Every verb of one word, for did-you-mean.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    VERBS.iter().filter(|(p, _, _)| p.len() == 1).map(|(p, _, _)| p[0])
}
