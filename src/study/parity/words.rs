//! A case's words in tokens: mappers, schedules, equalizers and mask words, by the published rules.

use std::ops::Range;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::case::{Case, EditCase, EditKind};
use crate::attention::blend::MaskWords;
use crate::attention::inject::InjectionPlan;
use crate::engine::edit::{RunPlan, RunRegion};
use crate::plan::Column;
use crate::plan::align::{Published, positions_of, refine, replace, word_positions};
use crate::plan::settings::{BlendArithmetic, BlendMaps, Precision, RegionFrom, Rounding, VLayers, Window};
use crate::plan::window::{For, rows_of, steps_of};
use crate::prompt::vocabulary::Vocabulary;

/// A prompt in the published terms.
pub(super) struct Text {
    pub(super) text: String,
    /// Padded ids.
    pub(super) ids: Vec<u32>,
    /// Ids with markers, not padded, not cut.
    sequence: Vec<u32>,
    /// Token positions of each space-separated word.
    pub(super) positions: Vec<Vec<usize>>,
}

impl Text {
    pub(super) fn read(vocabulary: &Vocabulary, text: &str) -> Result<Self> {
        let tokens = vocabulary.tokens(text)?;
        let marks = vocabulary.marks();
        let sequence = std::iter::once(marks.start).chain(tokens.iter().map(|t| t.0)).chain([marks.end]).collect();
        let decoded: Vec<String> = tokens.iter().map(|(id, _)| decode(vocabulary, *id)).collect();
        Ok(Self {
            text: text.to_owned(),
            ids: vocabulary.prompt(text)?.ids,
            sequence,
            positions: word_positions(text, &decoded),
        })
    }

    /// Positions of all words that are this string.
    pub(super) fn find(&self, word: &str) -> Vec<usize> {
        positions_of(word, &self.text, &self.positions)
    }
}

/// The text of a token: bytes behind the vocabulary's stand-in letters, without the blank at its end and without `#`.
fn decode(vocabulary: &Vocabulary, id: u32) -> String {
    // An added word is one word, of as many tokens as it has vectors.
    if let Some(letters) = vocabulary.letters_added(id) {
        return letters.to_owned();
    }
    let token = vocabulary.token(id).unwrap_or_default();
    let token = token.strip_suffix("</w>").unwrap_or(&token);
    let bytes: Vec<u8> = token.chars().map(byte_of).collect();
    String::from_utf8_lossy(&bytes).trim_matches('#').to_owned()
}

/// Byte-level vocabularies write printable Latin-1 as itself and move the other bytes to U+0100 and up, in order.
fn byte_of(letter: char) -> u8 {
    let printable = |b: u32| (33..=126).contains(&b) || (161..=172).contains(&b) || (174..=255).contains(&b);
    let code = letter as u32;
    if printable(code) {
        return code as u8;
    }
    let moved = (0..256u32).filter(|b| !printable(*b)).nth(code.wrapping_sub(256) as usize);
    moved.map_or(b'?', |b| b as u8)
}

/// One target's edit in tokens.
pub(super) struct TargetWords {
    pub(super) published: Option<Published>,
    pub(super) columns: Vec<Column>,
    /// One per token; all 1 without an equalizer.
    pub(super) equalizer: Vec<f32>,
    /// Rows of the schedule during which each column is carried; may reach one past the run.
    pub(super) rows: Vec<Range<usize>>,
    pub(super) self_range: Range<usize>,
}

fn window(value: &Value) -> Result<Window> {
    match value {
        Value::Number(n) => Ok(Window::until(n.as_f64().context("a window is a number")?)),
        Value::Array(pair) if pair.len() == 2 => {
            let at = |i: usize| pair[i].as_f64().context("a window's ends are numbers");
            Ok(Window { from: at(0)?, to: at(1)? })
        }
        other => bail!("`{other}` is not a window"),
    }
}

/// The schedule of a target's columns: the default for all, then each word's own.
fn rows(edit: &EditCase, target: &Text, steps: usize, length: usize) -> Result<Vec<Range<usize>>> {
    let of = |w: Window| rows_of(w, steps, Rounding::Published, For::Cross);
    let Value::Object(by_word) = &edit.cross_replace_steps else {
        return Ok(vec![of(window(&edit.cross_replace_steps)?); length]);
    };
    let default = by_word.get("default_").map_or(Ok(Window::until(1.0)), window)?;
    let mut rows = vec![of(default); length];
    for (word, value) in by_word.iter().filter(|(w, _)| *w != "default_") {
        for position in target.find(word).into_iter().filter(|p| *p < length) {
            rows[position] = of(window(value)?);
        }
    }
    Ok(rows)
}

pub(super) fn target_words(
    edit: &EditCase,
    source: &Text,
    target: &Text,
    index: usize,
    steps: usize,
) -> Result<TargetWords> {
    let length = target.ids.len();
    let method = match edit.method {
        EditKind::Reweight => edit.base_method,
        other => Some(other),
    };
    let published = match method {
        Some(EditKind::Replace) => {
            let map = replace((&source.text, &source.positions), (&target.text, &target.positions), length);
            Some(Published::Replace(map.map_err(anyhow::Error::msg)?))
        }
        Some(EditKind::Refine) => Some(Published::Refine(refine(&source.sequence, &target.sequence, length))),
        Some(EditKind::Reweight) => bail!("a re-weighting cannot be the base of another"),
        None => None,
    };
    let columns = match &published {
        Some(published) => published.columns(),
        None => (0..length).map(|j| Column::From { up: 1, tokens: vec![(j, 1.0)] }).collect(),
    };
    let mut equalizer = vec![1.0; length];
    if let Some(list) = edit.equalizer.as_ref().and_then(|e| e.get(index)) {
        for weight in list {
            for position in target.find(&weight.word).into_iter().filter(|p| *p < length) {
                equalizer[position] = weight.value as f32;
            }
        }
    }
    let own = steps_of(window(&edit.self_replace_steps)?, steps, Rounding::Published, For::SelfAttention);
    Ok(TargetWords { published, columns, equalizer, rows: rows(edit, target, steps, length)?, self_range: own })
}

/// The tokens of a prompt's words that make its mask, or are taken out.
fn tokens_of(text: &Text, words: Option<&Vec<String>>) -> Vec<usize> {
    let mut tokens: Vec<usize> = words.into_iter().flatten().flat_map(|w| text.find(w)).collect();
    tokens.sort_unstable();
    tokens.dedup();
    tokens.retain(|p| *p < text.ids.len());
    tokens
}

pub(super) fn mask_words(edit: &EditCase, text: &Text, prompt: usize) -> MaskWords {
    let Some(blend) = &edit.local_blend else {
        return MaskWords::default();
    };
    MaskWords {
        within: tokens_of(text, blend.words.get(prompt)),
        without: tokens_of(text, blend.substruct_words.as_ref().and_then(|w| w.get(prompt))),
    }
}

/// The same orders that the conversation's plans become, with every published switch on.
pub(super) fn orders(case: &Case, edit: &EditCase, words: &TargetWords, masks: (MaskWords, MaskWords)) -> RunPlan {
    let steps = case.steps();
    let region = match &edit.local_blend {
        None => RunRegion::Everywhere,
        Some(blend) => RunRegion::Words {
            from: RegionFrom::Cross,
            k: blend.threshold,
            substruct_k: blend.substruct_threshold.unwrap_or(blend.threshold),
            source: masks.0,
            target: masks.1,
            start: (blend.start_blend * steps as f64) as usize,
            arithmetic: BlendArithmetic::Mix,
            maps: BlendMaps::Used,
        },
    };
    RunPlan {
        carry: InjectionPlan {
            columns: words.columns.clone(),
            cross: words.rows.iter().map(|r| r.start.min(steps)..r.end.min(steps)).collect(),
            own: words.self_range.clone(),
            self_max: edit.self_replace_max_pixels,
            values: 0..0,
            v_mix: 0.0,
            v_layers: VLayers::Cross,
            map_precision: Precision::F32,
        },
        weights: words.equalizer.clone(),
        weights_inside: Some(words.rows.clone()),
        renormalize: false,
        region,
    }
}
