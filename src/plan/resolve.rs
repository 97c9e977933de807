//! An edit in words becomes a plan in numbers.

use std::fmt;
use std::sync::Arc;

use super::align::{Published, refine, replace, word_positions};
use super::area::Area;
use super::lineage::{self, Ancestry};
use super::settings::{Alignment, TurnSettings};
use super::window::missing_words;
use super::{Above, EditMethod, Impossible, P2p, Plan, PlanParts, Region};
use crate::prompt::Prompt;
use crate::turn::nouns::with_their_nouns;
use crate::turn::{Edit, Replaced, Weight};

/// The largest weight, either side of zero.
pub const MAX_WEIGHT: f64 = 100.0;

/// An edit that cannot be planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanError {
    message: String,
    hint: String,
}

impl PlanError {
    /// One thing to try.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PlanError {}

impl From<Impossible> for PlanError {
    fn from(impossible: Impossible) -> Self {
        Self { message: format!("this cannot be drawn: {impossible}"), hint: "make a smaller change".to_owned() }
    }
}

/// A plan, and what its children will ask of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// The plan.
    pub plan: Plan,
    /// The new prompt with identities and weights.
    pub generation: Ancestry,
    /// Sentences for the person.
    pub warnings: Vec<String>,
}

/// Plans an edit of the newest of `family` (nearest first), or a root where `family` is empty.
///
/// `prompt` is the edit's new prompt as the model reads it.
///
/// # Errors
/// Fails if a weight leaves its range, the prompt is far too long, or a mask word typed by hand is in neither prompt.
pub fn resolve(
    family: &[&Ancestry],
    prompt: Prompt,
    edit: &Edit,
    settings: &TurnSettings,
) -> Result<Resolved, PlanError> {
    resolve_in(family, prompt, edit, settings, None)
}

/// The same, where a person may have said where the picture may change. A root has no such area.
///
/// # Errors
/// As [`resolve`]; and if there is no such area.
pub fn resolve_in(
    family: &[&Ancestry],
    prompt: Prompt,
    edit: &Edit,
    settings: &TurnSettings,
    area: Option<&Area>,
) -> Result<Resolved, PlanError> {
    let spans = if family.is_empty() { Vec::new() } else { edit.spans.clone() };
    let identities = lineage::identities(family, &prompt, &spans);
    let (mut weights, warning) = lineage::weights(family, &identities, &spans);
    let mut warnings: Vec<String> = warning.into_iter().collect();
    for weighing in &edit.weighings {
        let weight = &mut weights[weighing.word];
        *weight = match weighing.to {
            Weight::Set(to) => to,
            Weight::Times(by) => *weight * by,
        };
        if !weight.is_finite() || weight.abs() > MAX_WEIGHT {
            let word = &prompt.words[weighing.word];
            return Err(PlanError {
                message: format!("the weight of `{word}` would be {weight}, but weights lie between -100 and 100"),
                hint: format!("{word}*1 takes its weight back"),
            });
        }
    }
    let generation = Ancestry { prompt, identities, weights };
    let Ancestry { prompt, identities, weights } = &generation;
    let (method, above) = match family.first() {
        None => (EditMethod::Generate { tokens: prompt.ids.len() }, None),
        Some(parent) => {
            let columns = match settings.alignment {
                Alignment::Words => lineage::columns(family, prompt, identities, &spans),
                Alignment::Published => published(&parent.prompt, prompt).columns(),
            };
            let taken = family
                .iter()
                .position(|g| lineage::same_words(&g.prompt.words, &prompt.words) && g.weights == *weights);
            let region = match (area, taken) {
                (Some(area), _) => Region::Given(area.clone()),
                (None, Some(i)) => Region::As { up: i + 1 },
                (None, None) if settings.k == 0.0 => Region::Everywhere,
                (None, None) => region(parent, &generation, &spans, settings)?,
            };
            let columns = columns.into_iter().collect();
            let above =
                Above { generations: family.len(), words: parent.prompt.words.len(), tokens: parent.prompt.ids.len() };
            (EditMethod::PromptToPrompt(P2p { spans, columns, region }), Some(above))
        }
    };
    if !family.is_empty() {
        let missing = missing_words(settings, prompt);
        warnings.extend(missing.iter().map(|word| format!("`cross` names `{word}`, which is not in the prompt")));
    }
    if prompt.cut > 0 {
        let words = prompt.words_cut().join(" ");
        warnings.push(format!(
            "the prompt is longer than the {} tokens the model reads; left out: `{words}`",
            prompt.ids.len()
        ));
    }
    let parts = PlanParts {
        prompt: prompt.text.clone(),
        weights: weights.clone(),
        settings: Arc::new(settings.clone()),
        method,
    };
    Ok(Resolved { plan: Plan::new(parts, above)?, generation, warnings })
}

/// The published alignment of two prompts: word swap where they have equally many words, else refinement.
fn published(source: &Prompt, target: &Prompt) -> Published {
    let length = target.ids.len();
    let a = word_positions(&source.text, &source.pieces);
    let b = word_positions(&target.text, &target.pieces);
    match replace((&source.text, &a), (&target.text, &b), length) {
        Ok(map) if source.cut + target.cut == 0 => Published::Replace(map),
        _ => Published::Refine(refine(&source.ids[..=source.end], &target.ids[..=target.end], length)),
    }
}

/// Tokens of words, by index.
fn tokens(prompt: &Prompt, words: &[usize]) -> Vec<usize> {
    words.iter().flat_map(|w| prompt.word_tokens[*w].clone()).collect()
}

/// Words of a prompt that match a word typed by hand (`cat`, `cat#2`).
fn find(prompt: &Prompt, typed: &str) -> Vec<usize> {
    let (name, index) = typed.rsplit_once('#').map_or((typed, None), |(n, i)| (n, i.parse::<usize>().ok()));
    let name = name.to_lowercase();
    let all = (0..prompt.words.len()).filter(|i| prompt.words[*i].to_lowercase() == name);
    match index {
        Some(n) => all.skip(n.saturating_sub(1)).take(1).collect(),
        None => all.collect(),
    }
}

/// Tokens of words typed by hand in both prompts.
fn typed(
    source: &Prompt,
    target: &Prompt,
    words: &[String],
    setting: &str,
) -> Result<(Vec<usize>, Vec<usize>), PlanError> {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for word in words {
        let (x, y) = (find(source, word), find(target, word));
        if x.is_empty() && y.is_empty() {
            return Err(PlanError {
                message: format!("`{word}`, one of {setting}, is in neither prompt"),
                hint: format!("/set {setting} {}", if setting == "blend_words" { "auto" } else { "none" }),
            });
        }
        a.extend(tokens(source, &x));
        b.extend(tokens(target, &y));
    }
    Ok((a, b))
}

/// The words a change is about: given up and weighed in the source, gained and weighed in the target, with their nouns.
/// Indices into the words of either.
#[must_use]
pub fn changed_words(parent: &Ancestry, child: &Ancestry, spans: &[Replaced]) -> (Vec<usize>, Vec<usize>) {
    let mut source: Vec<usize> = spans.iter().flat_map(|s| s.source.clone()).collect();
    let mut target: Vec<usize> = spans.iter().flat_map(|s| s.target.clone()).collect();
    for word in 0..child.prompt.words.len() {
        if let Some(place) = place_in_parent(spans, word)
            && parent.weights.get(place).is_some_and(|w| *w != child.weights[word])
        {
            target.push(word);
            source.push(place);
        }
    }
    (with_their_nouns(&parent.prompt.text, &source), with_their_nouns(&child.prompt.text, &target))
}

/// Tokens of the words a change is about, in the source and in the target.
#[must_use]
pub fn changed_tokens(parent: &Ancestry, child: &Ancestry, spans: &[Replaced]) -> (Vec<usize>, Vec<usize>) {
    let (a, b) = changed_words(parent, child, spans);
    (tokens(&parent.prompt, &a), tokens(&child.prompt, &b))
}

/// Where a kept word of the new prompt stands in the parent's.
fn place_in_parent(spans: &[Replaced], word: usize) -> Option<usize> {
    let mut shift = 0isize;
    for span in spans {
        if span.target.contains(&word) {
            return None;
        }
        if span.target.end <= word {
            shift += span.source.len() as isize - span.target.len() as isize;
        }
    }
    usize::try_from(word as isize + shift).ok()
}

fn region(
    parent: &Ancestry,
    child: &Ancestry,
    spans: &[Replaced],
    settings: &TurnSettings,
) -> Result<Region, PlanError> {
    let prompt = &child.prompt;
    let (source, target) = match settings.blend_words.as_slice() {
        [] => changed_tokens(parent, child, spans),
        [none] if none == "none" => return Ok(Region::Everywhere),
        words => typed(&parent.prompt, prompt, words, "blend_words")?,
    };
    if source.is_empty() && target.is_empty() {
        return Ok(Region::Everywhere);
    }
    let (source_out, target_out) = typed(&parent.prompt, prompt, &settings.substruct_words, "substruct_words")?;
    Ok(Region::Words { source, target, source_out, target_out })
}
