//! The model's tokenizer.

use std::ops::Range;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};
use tokenizers::Tokenizer;

use super::Prompt;

/// The tokens that frame a prompt, and how many tokens the model reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    /// Start of text.
    pub start: u32,
    /// End of text.
    pub end: u32,
    /// Fills the rest.
    pub padding: u32,
    /// Tokens in all, marks included.
    pub length: usize,
}

/// A tokenizer and the marks that frame a prompt.
pub struct Vocabulary {
    tokenizer: Tokenizer,
    marks: Marks,
    added: Vec<Added>,
}

/// A word that was added to the vocabulary: it is found anywhere in a text, and what stands before and after it is read by
/// itself.
#[derive(Debug, Clone)]
struct Added {
    text: String,
    /// One for each of its tokens.
    ids: Vec<u32>,
    /// Whether capital and small letters are the same.
    folded: bool,
    /// Whether it is found only where no letter or digit stands beside it.
    alone: bool,
}

impl Added {
    /// Whether it stands in the text at this byte.
    fn is_at(&self, text: &str, at: usize) -> bool {
        let (whole, own) = (text.as_bytes(), self.text.as_bytes());
        let Some(there) = whole.get(at..at + own.len()) else { return false };
        let equal = if self.folded { there.eq_ignore_ascii_case(own) } else { there == own };
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let beside = || {
            let after = text[at + own.len()..].chars().next();
            text[..at].chars().next_back().into_iter().chain(after).any(is_word)
        };
        equal && !(self.alone && beside())
    }
}

/// The texts a vocabulary is read from: `tokenizer.json`, or `vocab.json` and `merges.txt`, or `vocab.txt`.
#[derive(Debug, Default)]
pub struct Files {
    /// `tokenizer.json`.
    pub tokenizer: Option<String>,
    /// `vocab.json`.
    pub vocab: Option<String>,
    /// `merges.txt`.
    pub merges: Option<String>,
    /// `tokenizer_config.json`.
    pub config: Option<String>,
    /// `special_tokens_map.json`.
    pub special: Option<String>,
    /// `vocab.txt`: the word pieces of BERT's kind, a line each.
    pub words: Option<String>,
    /// `added_tokens.json`.
    pub added: Option<String>,
}

impl Vocabulary {
    /// Reads a vocabulary; `positions` is how many tokens the text encoder reads.
    ///
    /// # Errors
    /// Fails if the files are missing, damaged, or lack the marks that frame a prompt.
    pub fn read(files: &Files, positions: usize) -> Result<Self> {
        let parse = |text: &Option<String>| -> Result<Value> {
            Ok(text.as_ref().map(|t| serde_json::from_str(t)).transpose()?.unwrap_or(Value::Null))
        };
        let config = parse(&files.config).context("cannot read tokenizer_config.json")?;
        let special = parse(&files.special).context("cannot read special_tokens_map.json")?;
        let written = match (&files.tokenizer, &files.vocab, &files.merges) {
            (Some(text), _, _) => serde_json::from_str(text).context("cannot read tokenizer.json")?,
            (None, Some(vocab), Some(merges)) => assemble(vocab, merges)?,
            _ => match &files.words {
                Some(words) => word_pieces(words, &config),
                None => bail!("a tokenizer needs tokenizer.json, or vocab.json and merges.txt, or vocab.txt"),
            },
        };
        let mut tokenizer = tokenizer(written)?;
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|e| anyhow!("cannot read the tokenizer: {e}"))?;
        // A vocabulary of BERT's kind calls its marks otherwise.
        let is_bert = is_bert(&tokenizer);
        let id = |key: &str, default: &str| -> Result<u32> {
            let (key, default) = match (is_bert, key) {
                (true, "bos_token") => ("cls_token", "[CLS]"),
                (true, "eos_token") => ("sep_token", "[SEP]"),
                (true, _) => (key, "[PAD]"),
                _ => (key, default),
            };
            let named = [&special, &config].into_iter().find_map(|v| {
                let v = v.get(key)?;
                v.as_str().or_else(|| v.get("content").and_then(Value::as_str)).map(str::to_owned)
            });
            let token = named.unwrap_or_else(|| default.to_owned());
            tokenizer.token_to_id(&token).with_context(|| format!("the vocabulary lacks `{token}`, its {key}"))
        };
        let limit = config.get("model_max_length").and_then(Value::as_u64).map_or(positions, |n| n as usize);
        let marks = Marks {
            start: id("bos_token", "<|startoftext|>")?,
            end: id("eos_token", "<|endoftext|>")?,
            padding: id("pad_token", "<|endoftext|>")?,
            length: limit.min(positions).max(2),
        };
        let written = parse(&files.added).context("cannot read added_tokens.json")?;
        let added = added(&tokenizer, &written, &config)?;
        Ok(Self { tokenizer, marks, added })
    }

    /// Adds a word of `count` tokens, with the ids after the last, and gives the first of them.
    ///
    /// # Errors
    /// Fails if the word has no letters or is a token already.
    pub fn add(&mut self, word: &str, count: usize) -> Result<u32> {
        let is_added = self.added.iter().any(|added| added.text.eq_ignore_ascii_case(word));
        if word.is_empty() || is_added || self.tokenizer.token_to_id(word).is_some() {
            bail!("`{word}` is a token of the vocabulary already");
        }
        let known = self.tokenizer.get_vocab(true).into_values().max();
        let last = self.added.iter().flat_map(|added| added.ids.iter().copied()).chain(known).max();
        let first = last.map_or(0, |id| id.saturating_add(1));
        let count = u32::try_from(count).ok().filter(|count| first.checked_add(*count).is_some());
        let count = count.with_context(|| format!("`{word}` has more tokens than can be counted"))?;
        let ids = (first..first + count).collect();
        self.added.push(Added { text: word.to_owned(), ids, folded: true, alone: false });
        Ok(first)
    }

    /// The tokens that frame a prompt.
    #[must_use]
    pub fn marks(&self) -> Marks {
        self.marks
    }

    /// Ids of the tokens of a text, without marks, with their byte ranges in it.
    ///
    /// # Errors
    /// Fails if the tokenizer does.
    pub fn tokens(&self, text: &str) -> Result<Vec<(u32, Range<usize>)>> {
        let mut tokens = Vec::new();
        let mut from = 0;
        let mut places = text.char_indices().map(|(at, _)| at);
        while let Some(at) = places.by_ref().find(|at| *at >= from && self.added.iter().any(|a| a.is_at(text, *at))) {
            let found = self.added.iter().filter(|added| added.is_at(text, at));
            let Some(added) = found.max_by_key(|added| added.text.len()) else { break };
            self.read_between(text, from..at, &mut tokens)?;
            from = at + added.text.len();
            tokens.extend(added.ids.iter().map(|id| (*id, at..from)));
        }
        self.read_between(text, from..text.len(), &mut tokens)?;
        Ok(tokens)
    }

    /// Tokens of the text between two added words, or of all of it.
    fn read_between(&self, text: &str, bytes: Range<usize>, into: &mut Vec<(u32, Range<usize>)>) -> Result<()> {
        let start = bytes.start;
        let encoding = self.tokenizer.encode(&text[bytes], false);
        let encoding = encoding.map_err(|e| anyhow!("cannot tokenize the prompt: {e}"))?;
        let ranges = encoding.get_offsets().iter().map(|(from, to)| start + from..start + to);
        into.extend(encoding.get_ids().iter().copied().zip(ranges));
        Ok(())
    }

    /// A text as the model reads it.
    ///
    /// # Errors
    /// As [`tokens`](Self::tokens).
    pub fn prompt(&self, text: &str) -> Result<Prompt> {
        Ok(Prompt::new(text, &self.tokens(text)?, self.marks))
    }

    /// The id of the first token of an added word; those of its others follow.
    #[must_use]
    pub fn first_id(&self, word: &str) -> Option<u32> {
        self.added.iter().find(|added| added.text == word)?.ids.first().copied()
    }

    /// The letters that the token with this id adds to an added word: all of them if it is the last of the word's tokens, else
    /// none. `None` if it is a token of no added word.
    #[must_use]
    pub fn letters_added(&self, id: u32) -> Option<&str> {
        let added = self.added.iter().find(|added| added.ids.contains(&id))?;
        Some(if added.ids.last() == Some(&id) { &added.text } else { "" })
    }

    /// The token with this id, as the vocabulary writes it.
    #[must_use]
    pub fn token(&self, id: u32) -> Option<String> {
        self.tokenizer.id_to_token(id)
    }

    /// Words that are one token, which the model learned as words, and those in added words, with a token each.
    #[must_use]
    pub fn whole_words(&self) -> Vec<(String, u32)> {
        // CLIP's vocabulary marks where a word ends, BERT's where one goes on.
        let is_bert = is_bert(&self.tokenizer);
        let mut words: Vec<(String, u32)> = self
            .tokenizer
            .get_vocab(false)
            .into_iter()
            .filter_map(|(token, id)| {
                let word = if is_bert { Some(token.as_str()) } else { token.strip_suffix("</w>") }?;
                (word.len() > 1 && word.chars().all(char::is_alphabetic)).then(|| (word.to_owned(), id))
            })
            .collect();
        for added in &self.added {
            let text = added.text.to_lowercase();
            let parts = text.split(|c: char| !c.is_alphabetic()).filter(|part| part.len() > 1);
            for (part, id) in parts.zip(added.ids.iter().cycle()) {
                if !words.iter().any(|(word, _)| word == part) {
                    words.push((part.to_owned(), *id));
                }
            }
        }
        words.sort();
        words
    }
}

/// A tokenizer from its description, less what the library does not read without panicking: the decoder, which is never used
/// here, and the compiled normalizers of sentencepiece, which no text encoder of Stable Diffusion has.
fn tokenizer(mut written: Value) -> Result<Tokenizer> {
    fn is_compiled(normalizer: &Value) -> bool {
        match normalizer {
            Value::Object(fields) => {
                let is_named = fields.get("type").and_then(Value::as_str) == Some("Precompiled");
                is_named || fields.contains_key("precompiled_charsmap") || fields.values().any(is_compiled)
            }
            Value::Array(normalizers) => normalizers.iter().any(is_compiled),
            _ => false,
        }
    }
    if is_compiled(&written["normalizer"]) {
        bail!(
            "the tokenizer's normalizer is a compiled one, of sentencepiece's kind; CLIP's and BERT's kinds are read"
        );
    }
    if let Some(fields) = written.as_object_mut() {
        fields.insert("decoder".to_owned(), Value::Null);
    }
    serde_json::from_value(written).map_err(|e| anyhow!("cannot read the tokenizer: {e}"))
}

/// Whether a vocabulary is of BERT's kind, by its marks.
fn is_bert(tokenizer: &Tokenizer) -> bool {
    ["[CLS]", "[SEP]"].iter().all(|mark| tokenizer.token_to_id(mark).is_some())
}

/// A `tokenizer.json` of BERT's kind from its word pieces.
fn word_pieces(words: &str, config: &Value) -> Value {
    let vocab: serde_json::Map<String, Value> =
        words.lines().enumerate().map(|(id, word)| (word.trim_end().to_owned(), id.into())).collect();
    let flag = |key: &str| config.get(key).and_then(Value::as_bool).unwrap_or(true);
    json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "post_processor": null, "decoder": null,
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": flag("tokenize_chinese_chars"),
            "strip_accents": config.get("strip_accents").cloned().unwrap_or(Value::Null), "lowercase": flag("do_lower_case"),
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
            "vocab": vocab,
        },
    })
}

/// The words that `added_tokens.json` and `added_tokens_decoder` of `tokenizer_config.json` add to what the tokenizer knows.
fn added(tokenizer: &Tokenizer, written: &Value, config: &Value) -> Result<Vec<Added>> {
    let mut found: Vec<Added> = Vec::new();
    let known = tokenizer.get_added_tokens_decoder();
    let mut add = |text: &str, id: Option<u64>, folded: bool, alone: bool, file: &str| -> Result<()> {
        let id = id.and_then(|id| u32::try_from(id).ok());
        let id = id.with_context(|| format!("the id of `{text}` in {file} is not a whole number"))?;
        if text.is_empty() || known.get(&id).is_some_and(|token| token.content == text) {
            return Ok(());
        }
        if let Some(other) = tokenizer.id_to_token(id).filter(|other| other != text) {
            bail!("{file} gives `{text}` the id {id}, which is that of `{other}`");
        }
        if let Some(other) = found.iter().find(|added| added.ids.contains(&id) && added.text != text) {
            bail!("{file} gives `{text}` the id {id}, which is that of `{}`", other.text);
        }
        found.retain(|added| added.text != text);
        found.push(Added { text: text.to_owned(), ids: vec![id], folded, alone });
        Ok(())
    };
    for (text, id) in written.as_object().into_iter().flatten() {
        add(text, id.as_u64(), true, false, "added_tokens.json")?;
    }
    for (id, token) in config.get("added_tokens_decoder").and_then(Value::as_object).into_iter().flatten() {
        let says = |key: &str| token.get(key).and_then(Value::as_bool).unwrap_or(false);
        let text = token.get("content").and_then(Value::as_str).unwrap_or_default();
        add(text, id.parse().ok(), says("normalized"), says("single_word"), "tokenizer_config.json")?;
    }
    Ok(found)
}

/// A `tokenizer.json` of CLIP's kind from its two older files.
fn assemble(vocab: &str, merges: &str) -> Result<Value> {
    let vocab: Value = serde_json::from_str(vocab).context("cannot read vocab.json")?;
    let merges: Vec<&str> = merges.lines().filter(|l| !l.starts_with("#version") && !l.trim().is_empty()).collect();
    let mark = |content: &str| -> Result<Value> {
        let id = vocab.get(content).and_then(Value::as_u64).with_context(|| format!("vocab.json lacks `{content}`"))?;
        Ok(
            json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}),
        )
    };
    let added = [mark("<|startoftext|>")?, mark("<|endoftext|>")?];
    let pattern = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";
    Ok(json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "NFC"},
            {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "},
            {"type": "Lowercase"},
        ]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Removed", "invert": true},
            {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false},
        ]},
        "post_processor": null, "decoder": null,
        "model": {
            "type": "BPE", "dropout": null, "unk_token": "<|endoftext|>", "continuing_subword_prefix": "",
            "end_of_word_suffix": "</w>", "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
            "vocab": vocab, "merges": merges,
        },
    }))
}
