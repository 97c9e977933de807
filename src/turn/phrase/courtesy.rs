//! What is only polite, and what a line wishes.

use super::super::desk::{Tok, lows};

/// How a line that names no change is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Wish {
    /// As it stands.
    None,
    /// `I want`: there should be this too.
    Want,
    /// `I'd prefer`: this instead.
    Prefer,
}

pub(super) const POLITE: &[&[&str]] = &[
    &["would", "it", "be", "possible", "to"],
    &["is", "it", "possible", "to"],
    &["please"],
    &["pls"],
    &["plz"],
    &["kindly"],
    &["would", "it", "be", "possible", "to"],
    &["is", "it", "possible", "to"],
    &["would", "you", "mind"],
    &["would", "you", "be", "so", "kind", "as", "to"],
    &["i", "was", "wondering", "if", "you", "could"],
    &["i", "wonder", "if", "you", "could"],
    &["do", "you", "think", "you", "could"],
    &["do", "you", "think", "we", "could"],
    &["it", "would", "be", "nice", "if"],
    &["it", "would", "be", "great", "if"],
    &["it", "would", "be", "better", "if"],
    &["it", "would", "be", "cool", "if"],
    &["it", "would", "be", "funny", "if"],
    &["it", "would", "be", "fun", "if"],
    &["it", "would", "be", "good", "if"],
    &["it'd", "be", "cool", "if"],
    &["it'd", "be", "nice", "if"],
    &["it'd", "be", "great", "if"],
    &["it'd", "be", "funny", "if"],
    &["it'd", "be", "better", "if"],
    &["i'd", "love", "it", "if"],
    &["i", "would", "love", "it", "if"],
    &["i'd", "like", "it", "if"],
    &["if", "possible"],
    &["if", "you", "can"],
    &["pretty", "please"],
    &["can", "u"],
    &["could", "u"],
    &["let", "me", "see"],
    &["may", "we", "see"],
    &["can", "we", "see"],
    &["could", "we", "see"],
    &["can", "i", "see"],
    &["i'd", "love", "to", "see"],
    &["i", "would", "love", "to", "see"],
    &["i'd", "say"],
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

/// `the same but at night`: what follows says it all.
pub(super) const SAME: &[&[&str]] = &[
    &["again"],
    &["same"],
    &["the", "same"],
    &["same", "scene"],
    &["the", "same", "scene"],
    &["same", "picture"],
    &["the", "same", "picture"],
    &["same", "thing"],
    &["the", "same", "thing"],
];

pub(super) const WANT: &[&[&str]] = &[
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
    &["i", "would", "rather", "see"],
    &["i'd", "rather", "see"],
    &["i'd", "rather", "it", "was"],
    &["i'd", "rather", "it", "were"],
    &["rather"],
    &["needs"],
    &["i", "meant"],
    &["i", "mean"],
    &["we", "want"],
    &["we", "need"],
    &["we'd", "like"],
    &["we", "would", "like"],
    &["give", "me"],
    &["show", "me"],
];

pub(super) const TAIL: &[&[&str]] = &[
    &["lol"],
    &["haha"],
    &["please"],
    &["pls"],
    &["thanks"],
    &["thx"],
    &["cheers"],
    &["please", "and", "thank", "you"],
    &["would", "be", "nice"],
    &["would", "be", "great"],
    &["would", "be", "better"],
    &["would", "be", "good"],
    &["would", "look", "better"],
    &["would", "look", "nice"],
    &["would", "look", "good"],
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
pub(in super::super) fn plain(toks: &[Tok]) -> (&[Tok], bool, Wish) {
    let (rest, polite, wants) = strip(toks);
    let said = rest.first().map_or(toks.len(), |first| toks.iter().position(|t| t.from == first.from).unwrap_or(0));
    let prefers = toks[..said].iter().any(|t| matches!(t.low.as_str(), "prefer" | "rather" | "instead"));
    (
        rest,
        polite,
        if prefers {
            Wish::Prefer
        } else if wants {
            Wish::Want
        } else {
            Wish::None
        },
    )
}

pub(super) fn strip(toks: &[Tok]) -> (&[Tok], bool, bool) {
    let mut rest = toks;
    let (mut polite, mut wants) = (false, false);
    loop {
        if rest.first().is_some_and(Tok::is_mark) {
            rest = &rest[1..];
            continue;
        }
        let words = lows(&rest[..rest.len().min(8)]);
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
                wants |= p.iter().any(|w| {
                    matches!(*w, "have" | "get" | "see" | "about" | "try" | "me") && p.len() > 1 && *p != ["try", "to"]
                });
                rest = &rest[p.len()..];
                continue;
            }
        }
        // `much, much longer`
        if let ["much" | "way" | "far", ",", again, ..] = words.as_slice()
            && *again == words[0]
        {
            rest = &rest[2..];
            continue;
        }
        // `no, make it blue`; but `no hat` says something.
        if let ["no" | "nope" | "sorry" | "oops" | "wait", sign, ..] = words.as_slice()
            && matches!(*sign, "," | "." | "!" | "-" | ":")
            && rest.len() > 2
        {
            rest = &rest[2..];
            continue;
        }
        if let Some(p) = SAME.iter().filter(|p| words.starts_with(p)).max_by_key(|p| p.len()) {
            let next = words.get(p.len()).copied().unwrap_or("");
            if matches!(next, "but" | "with" | "at" | "in" | "on" | "by" | "without" | "during" | ",") {
                rest = &rest[p.len()..];
                continue;
            }
        }
        if !wants
            && !words.starts_with(&["rather", "than"])
            && let Some(p) = WANT.iter().filter(|p| words.starts_with(p)).max_by_key(|p| p.len())
        {
            wants = true;
            polite = true;
            rest = &rest[p.len()..];
            continue;
        }
        break;
    }
    loop {
        if rest.last().is_some_and(Tok::is_mark) {
            rest = &rest[..rest.len() - 1];
            continue;
        }
        let words = lows(rest);
        let Some(p) = TAIL.iter().filter(|p| words.len() > p.len() && words.ends_with(p)).max_by_key(|p| p.len())
        else {
            break;
        };
        let left = &rest[..rest.len() - p.len()];
        // `next to it` says where.
        if p[0] == "to" && left.last().is_some_and(|t| matches!(t.low.as_str(), "next" | "close")) {
            break;
        }
        // `take it from it` says where from; `smoke rising from it` says more.
        if matches!(*p, ["from", "it"])
            && !words.first().is_some_and(|w| matches!(*w, "remove" | "take" | "erase" | "delete"))
        {
            break;
        }
        // `sunglasses please`, `a farmhouse on the hill would be nice` are wishes.
        if p[0] == "would" && p.len() > 2
            || matches!(p[0], "please" | "pls" | "thanks" | "thank" | "thx" | "would")
                && left.iter().filter(|t| !t.is_mark()).count() <= 3
        {
            polite = true;
            wants = true;
        }
        rest = left;
    }
    (rest, polite, wants)
}

/// True for lines that only greet, thank or agree.
pub(super) fn only_courtesy(toks: &[Tok]) -> bool {
    const WORDS: &[&str] = &[
        "thanks", "thank", "you", "hello", "hi", "hey", "yes", "yeah", "yep", "nope", "ok", "okay", "please", "great",
        "nice", "cool", "good", "perfect", "wow", "bye", "goodbye", "hmm", "well", "very", "much", "so", "oh",
        "lovely", "sorry", "sure", "fine", "again", "why", "what", "huh", "no",
    ];
    let words: Vec<&Tok> = toks.iter().filter(|t| !t.is_mark()).collect();
    let plain = |t: &&Tok| {
        matches!(
            t.low.as_str(),
            "nice" | "great" | "cool" | "good" | "lovely" | "so" | "very" | "fine" | "well" | "much"
        )
    };
    !words.is_empty()
        && words.iter().all(|t| WORDS.contains(&t.low.as_str()))
        && !(words.len() > 1 && words.iter().all(plain))
}
