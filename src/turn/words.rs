//! Cuts a text into words: the unit of identity, of weights and of every edit.
//!
//! A word is a run of letters and digits; hyphens and apostrophes inside it stay (`salt-and-pepper`, `don't`). A
//! possessive `'s` is an item of its own, so that `woman` is found in `woman's`. Every other visible character is an
//! item of its own. Blanks, control characters and marks of writing direction separate and are never part of an item.

use std::collections::HashMap;

/// One item of a text, by byte offsets: `text == &whole[from..to]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<'a> {
    /// The item as written.
    pub text: &'a str,
    /// First byte in the text it was cut from.
    pub from: usize,
    /// One past the last byte.
    pub to: usize,
}

impl Word<'_> {
    /// True for punctuation, emoji and other signs; false for words and for the possessive `'s`.
    #[must_use]
    pub fn is_mark(&self) -> bool {
        !self.text.chars().any(char::is_alphanumeric)
    }

    /// True for the possessive `'s` (either apostrophe, either case).
    #[must_use]
    pub fn is_possessive(&self) -> bool {
        is_possessive(self.text)
    }
}

/// True for the possessive `'s` (either apostrophe, either case).
pub(super) fn is_possessive(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(is_apostrophe) && matches!(chars.next(), Some('s' | 'S')) && chars.next().is_none()
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}')
}

/// Characters that belong to the sign before them: combining accents, joiners, variation selectors, skin tones.
fn continues(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{20d0}'..='\u{20ff}' | '\u{200d}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}')
}

/// Characters that are never seen and never kept: blanks, controls, direction marks, byte-order marks.
fn is_nothing(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The items of `text`, in order. Every offset is a character boundary.
///
/// ```
/// let items: Vec<_> = wordbrush_turn::words::split("a woman's face, smiling").iter().map(|w| w.text).collect();
/// assert_eq!(items, ["a", "woman", "'s", "face", ",", "smiling"]);
/// ```
#[must_use]
pub fn split(text: &str) -> Vec<Word<'_>> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let end_of = |i: usize| chars.get(i).map_or(text.len(), |c| c.0);
    let is_word = |i: usize| chars.get(i).is_some_and(|c| c.1.is_alphanumeric());
    let mut items = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let (from, c) = chars[i];
        if is_nothing(c) || (continues(c) && !c.is_alphanumeric() && items.is_empty()) {
            i += 1;
            continue;
        }
        let first = i;
        i += 1;
        if c.is_alphanumeric() {
            loop {
                while is_word(i) || chars.get(i).is_some_and(|c| continues(c.1)) {
                    i += 1;
                }
                let joins = chars.get(i).is_some_and(|c| c.1 == '-' || c.1 == '\u{2010}' || is_apostrophe(c.1));
                if !joins || !is_word(i + 1) || possessive_at(&chars, i) {
                    break;
                }
                i += 1;
            }
        } else {
            let after_word = first > 0 && (is_word(first - 1) || continues(chars[first - 1].1));
            if after_word && possessive_at(&chars, first) {
                i += 1;
            } else {
                while chars.get(i).is_some_and(|c| continues(c.1)) {
                    let joiner = chars[i].1 == '\u{200d}';
                    i += 1;
                    // A joiner makes one sign of two: a family, a flag.
                    if joiner && chars.get(i).is_some_and(|c| !c.1.is_alphanumeric() && !is_nothing(c.1)) {
                        i += 1;
                    }
                }
            }
        }
        let to = end_of(i);
        items.push(Word { text: &text[from..to], from, to });
    }
    items
}

/// True if a possessive `'s` begins at character `i` and no letter follows it.
fn possessive_at(chars: &[(usize, char)], i: usize) -> bool {
    chars.get(i).is_some_and(|c| is_apostrophe(c.1))
        && chars.get(i + 1).is_some_and(|c| matches!(c.1, 's' | 'S'))
        && !chars.get(i + 2).is_some_and(|c| c.1.is_alphanumeric() || continues(c.1))
}

/// Numbers for words, equal ones for equal words: what is compared often is compared so.
#[derive(Default)]
pub(super) struct Numbered<'a>(HashMap<&'a str, usize>);

impl<'a> Numbered<'a> {
    /// A word's number.
    pub(super) fn of(&mut self, word: &'a str) -> usize {
        let next = self.0.len();
        *self.0.entry(word).or_insert(next)
    }
}

/// The items of a text as they are compared.
pub(super) fn lowered(text: &str) -> Vec<String> {
    split(text).iter().map(|w| lower(w.text)).collect()
}

/// True if both words are the same but for capitals and the shape of the apostrophe.
#[must_use]
pub fn same(a: &str, b: &str) -> bool {
    a == b || lower(a) == lower(b)
}

/// A word as it is compared: lower case, straight apostrophe.
#[must_use]
pub fn lower(text: &str) -> String {
    text.to_lowercase().replace('\u{2019}', "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let items: Vec<_> = split(text).iter().map(|w| w.text).collect();
        assert_eq!(items, expected, "{text:?}");
        for word in split(text) {
            assert_eq!(&text[word.from..word.to], word.text);
        }
    }

    #[test]
    fn hyphens_and_apostrophes_stay_inside_a_word() {
        check("salt-and-pepper don't -x- 'tis", &["salt-and-pepper", "don't", "-", "x", "-", "'", "tis"]);
    }

    #[test]
    fn a_possessive_is_an_item_of_its_own() {
        check("a woman's face", &["a", "woman", "'s", "face"]);
        check("WOMAN’S", &["WOMAN", "’S"]);
        check("it's", &["it", "'s"]);
        check("'s", &["'", "s"]);
    }

    #[test]
    fn signs_are_items_and_blanks_are_not() {
        check("a cat,  (red)\t3.5\u{7}\u{202e}!", &["a", "cat", ",", "(", "red", ")", "3", ".", "5", "!"]);
    }

    #[test]
    fn an_emoji_with_its_joiners_is_one_item() {
        check("a 👨‍👩‍👧 and ❤️x", &["a", "👨‍👩‍👧", "and", "❤️", "x"]);
    }

    #[test]
    fn right_to_left_words_are_words() {
        check("חתול שחור", &["חתול", "שחור"]);
    }
}
