//! The small words: articles, pronouns, prepositions, and what else carries no picture.

/// Articles.
pub(super) fn is_article(word: &str) -> bool {
    matches!(word, "a" | "an" | "the")
}

/// Words that open a noun phrase: articles, possessives, numbers.
pub(super) fn is_determiner(word: &str) -> bool {
    is_article(word)
        || is_owner(word)
        || is_number(word)
        || matches!(
            word,
            "this"
                | "that"
                | "these"
                | "those"
                | "some"
                | "any"
                | "another"
                | "each"
                | "every"
                | "both"
                | "all"
                | "no"
                | "one"
                | "other"
        )
}

/// Words that count.
pub(super) fn is_number(word: &str) -> bool {
    matches!(
        word,
        "two" | "three" | "four" | "five" | "six" | "seven" | "eight" | "nine" | "ten" | "several" | "many" | "few"
    )
}

/// Which one a word says, from 1: 2 for `second`; `last` is the largest number.
pub(super) fn ordinal(word: &str) -> Option<usize> {
    const NAMES: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];
    NAMES.iter().position(|n| *n == word).map(|n| n + 1).or_else(|| (word == "last").then_some(usize::MAX))
}

/// Possessive determiners.
pub(super) fn is_owner(word: &str) -> bool {
    matches!(word, "my" | "your" | "his" | "her" | "its" | "our" | "their" | "hers" | "theirs")
}

/// Pronouns that stand for a person.
pub(super) fn is_person_pronoun(word: &str) -> bool {
    matches!(word, "her" | "him" | "she" | "he" | "them" | "they")
}

/// Pronouns that stand for the picture, or for the thing last spoken of.
pub(super) fn is_scene_pronoun(word: &str) -> bool {
    matches!(word, "it" | "this" | "that" | "everything")
}

/// Prepositions, and the participles that tie a thing as they do.
pub(super) fn is_preposition(word: &str) -> bool {
    matches!(
        word,
        "with"
            | "without"
            | "at"
            | "in"
            | "on"
            | "by"
            | "under"
            | "over"
            | "near"
            | "behind"
            | "beside"
            | "besides"
            | "between"
            | "among"
            | "around"
            | "during"
            | "through"
            | "across"
            | "inside"
            | "outside"
            | "above"
            | "below"
            | "beneath"
            | "into"
            | "onto"
            | "from"
            | "to"
            | "of"
            | "against"
            | "along"
            | "before"
            | "after"
            | "upon"
            | "within"
            | "wearing"
            | "holding"
            | "having"
            | "carrying"
            | "featuring"
            | "atop"
            | "toward"
            | "towards"
            | "amid"
            | "underneath"
            | "alongside"
            | "beyond"
            | "for"
            | "like"
            | "as"
            | "past"
            | "via"
            | "opposite"
    )
}

/// Words that end a noun phrase.
pub(super) fn is_stop(word: &str) -> bool {
    is_preposition(word)
        || matches!(
            word,
            "and"
                | "or"
                | "but"
                | "nor"
                | "is"
                | "are"
                | "was"
                | "were"
                | "be"
                | "been"
                | "who"
                | "that"
                | "which"
                | "whose"
                | "has"
                | "have"
                | "had"
                | "next"
                | "front"
                | "top"
                | "surrounded"
                | "covered"
                | "dressed"
                | "there"
                | "made"
                | "while"
                | "where"
                | "when"
        )
}

/// Words without content: they count for nothing when two prompts are compared.
pub(super) fn is_function_word(word: &str) -> bool {
    is_determiner(word)
        || is_stop(word)
        || matches!(word, "it" | "she" | "he" | "they" | "very" | "plus" | "'s" | "not")
}
