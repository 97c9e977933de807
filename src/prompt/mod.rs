//! Which tokens are which words.
//!
//! A [`Prompt`] is a text, its words ([`words::split`]) and its tokens, tied together by byte offsets: never by
//! counting letters, so accents, emoji and repeated words keep their places.

pub mod vocabulary;

use std::ops::Range;

use crate::turn::words;

/// A text with its words and tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The text as typed.
    pub text: String,
    /// Its words and punctuation marks, as typed.
    pub words: Vec<String>,
    /// Token ids with start, end and padding: as many as the model reads.
    pub ids: Vec<u32>,
    /// Token positions of each word; empty if the word was cut off or its token is that of another.
    pub word_tokens: Vec<Range<usize>>,
    /// Position of the end-of-text token.
    pub end: usize,
    /// How many tokens did not fit.
    pub cut: usize,
    /// The letters of each token between the marks, cut ones included, in small letters.
    pub pieces: Vec<String>,
}

impl Prompt {
    /// Ties words to tokens. `tokens` are the ids between start and end with their byte ranges in `text`.
    #[must_use]
    pub fn new(text: &str, tokens: &[(u32, Range<usize>)], marks: vocabulary::Marks) -> Self {
        let room = marks.length.saturating_sub(2);
        let kept = &tokens[..tokens.len().min(room)];
        let mut ids = Vec::with_capacity(marks.length);
        ids.push(marks.start);
        ids.extend(kept.iter().map(|t| t.0));
        let end = ids.len();
        ids.push(marks.end);
        ids.resize(marks.length, marks.padding);

        let split = words::split(text);
        let mut word_tokens = vec![0..0; split.len()];
        let mut word = 0;
        for (i, (_, bytes)) in kept.iter().enumerate() {
            while word + 1 < split.len() && split[word].to <= bytes.start {
                word += 1;
            }
            // A token may span several items, as that of an added word such as `<toy>` does: then it is the word's, not the mark's.
            let spanned = || split[word..].iter().take_while(|w| w.from < bytes.end);
            if spanned().next().is_none() {
                continue;
            }
            debug_assert!(split[word].to > bytes.start || word + 1 == split.len());
            let owner = word + spanned().position(|w| !w.is_mark()).unwrap_or(0);
            let range = &mut word_tokens[owner];
            let position = i + 1;
            *range = if range.start == range.end { position..position + 1 } else { range.start..position + 1 };
        }
        Self {
            text: text.to_owned(),
            words: split.iter().map(|w| w.text.to_owned()).collect(),
            ids,
            word_tokens,
            end,
            cut: tokens.len() - kept.len(),
            pieces: tokens.iter().map(|(_, bytes)| text.get(bytes.clone()).unwrap_or("").to_lowercase()).collect(),
        }
    }

    /// Ids of the tokens of a word.
    #[must_use]
    pub fn ids_of(&self, word: usize) -> &[u32] {
        &self.ids[self.word_tokens[word].clone()]
    }

    /// The words that did not fit, in whole or in part.
    #[must_use]
    pub fn words_cut(&self) -> Vec<&str> {
        if self.cut == 0 {
            return Vec::new();
        }
        let first = self.word_tokens.iter().rposition(|r| !r.is_empty()).map_or(0, |i| i + 1);
        self.words[first..].iter().map(String::as_str).collect()
    }
}
