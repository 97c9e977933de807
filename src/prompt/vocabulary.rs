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
        let text = match (&files.tokenizer, &files.vocab, &files.merges) {
            (Some(text), _, _) => text.clone(),
            (None, Some(vocab), Some(merges)) => assemble(vocab, merges)?.to_string(),
            _ => match &files.words {
                Some(words) => word_pieces(words, &config).to_string(),
                None => bail!("a tokenizer needs tokenizer.json, or vocab.json and merges.txt, or vocab.txt"),
            },
        };
        let mut tokenizer = Tokenizer::from_bytes(text).map_err(|e| anyhow!("cannot read the tokenizer: {e}"))?;
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|e| anyhow!("cannot read the tokenizer: {e}"))?;
        // A vocabulary of BERT's kind calls its marks otherwise.
        let is_bert = tokenizer.token_to_id("[CLS]").is_some() && tokenizer.token_to_id("[SEP]").is_some();
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
        Ok(Self { tokenizer, marks })
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
        let encoding = self.tokenizer.encode(text, false).map_err(|e| anyhow!("cannot tokenize the prompt: {e}"))?;
        let ranges = encoding.get_offsets().iter().map(|(from, to)| *from..*to);
        Ok(encoding.get_ids().iter().copied().zip(ranges).collect())
    }

    /// A text as the model reads it.
    ///
    /// # Errors
    /// As [`tokens`](Self::tokens).
    pub fn prompt(&self, text: &str) -> Result<Prompt> {
        Ok(Prompt::new(text, &self.tokens(text)?, self.marks))
    }

    /// The token with this id, as the vocabulary writes it.
    #[must_use]
    pub fn token(&self, id: u32) -> Option<String> {
        self.tokenizer.id_to_token(id)
    }

    /// Whether a word is one token: then the model learned it as a word.
    #[must_use]
    pub fn whole_words(&self) -> Vec<(String, u32)> {
        let mut words: Vec<(String, u32)> = self
            .tokenizer
            .get_vocab(false)
            .into_iter()
            .filter_map(|(token, id)| {
                let word = token.strip_suffix("</w>")?;
                (word.len() > 1 && word.chars().all(char::is_alphabetic)).then(|| (word.to_owned(), id))
            })
            .collect();
        words.sort();
        words
    }
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
