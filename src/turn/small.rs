//! The small words: articles, pronouns, prepositions, and what else carries no picture.

/// Articles.
pub(super) fn is_article(word: &str) -> bool {
    matches!(word, "a" | "an" | "the")
}

/// Words that open a noun phrase: articles, possessives, numbers.
pub(super) fn is_determiner(word: &str) -> bool {
    is_article(word)
        || is_owner(word)
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
                | "several"
                | "many"
                | "few"
                | "one"
                | "two"
                | "three"
                | "four"
                | "five"
                | "six"
                | "seven"
                | "eight"
                | "nine"
                | "ten"
                | "other"
        )
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
                | "standing"
                | "sitting"
                | "there"
                | "lying"
                | "riding"
                | "made"
                | "while"
                | "where"
                | "when"
                | "eating"
                | "looking"
                | "flying"
                | "running"
                | "playing"
        )
}

/// Words without content: they count for nothing when two prompts are compared.
pub(super) fn is_function_word(word: &str) -> bool {
    is_determiner(word)
        || is_stop(word)
        || matches!(word, "it" | "she" | "he" | "they" | "very" | "plus" | "'s" | "not")
}
