//! Commands whose pictures are drawn by a model that was tuned on the present one.

use std::ops::ControlFlow;

use anyhow::Result;
use candle_core::Tensor;

use super::super::commands::Called;
use super::super::reply::Reply;
use super::super::report;
use super::super::talk::{Talk, Watcher, text};
use super::branches::to_take_one_of;
use super::methods::{self, AskedEdit, Rest, edit_of, misread, planned, seed};
use super::size;
use crate::plan::Plan;
use crate::plan::redraw::{DrawnBy, RARE_WORD, RedrawMethod, Tuning};
use crate::session::file::Hinted;
use crate::session::learning::{LearningStep, ToLearn};
use crate::session::{Session, TurnResult, to_image};
use crate::turn::{Edit, Weighing, words};

/// The strengths of a sheet.
const IMAGIC: [f64; 5] = [0.2, 0.4, 0.6, 0.8, 1.0];
const UNITUNE: [f64; 5] = [0.5, 0.6, 0.7, 0.8, 0.9];

/// What a line of these commands says.
struct Read {
    edit: Edit,
    strength: Option<f64>,
    seed: Option<u64>,
    method: fn(f64, [Tuning; 2]) -> RedrawMethod,
    strengths: [f64; 5],
}

fn imagic_of(strength: f64, [embedding, model]: [Tuning; 2]) -> RedrawMethod {
    RedrawMethod::Imagic { strength, embedding, model }
}

/// The model alone is tuned, in as many steps as the other takes for both.
fn unitune_of(strength: f64, [embedding, model]: [Tuning; 2]) -> RedrawMethod {
    let model = Tuning { steps: embedding.steps + model.steps, ..model };
    RedrawMethod::UniTune { strength, rare: RARE_WORD.to_owned(), model }
}

/// How a picture is learned: in so many steps together as are set, shared out as they usually are.
fn tunings([embedding, model]: [Tuning; 2], set: Option<usize>) -> [Tuning; 2] {
    let Some(steps) = set else { return [embedding, model] };
    let first = (steps * embedding.steps / (embedding.steps + model.steps)).min(steps.saturating_sub(1));
    [Tuning { steps: first, ..embedding }, Tuning { steps: steps - first, ..model }]
}

/// `PROMPT [STRENGTH] [seed N]`.
fn read(session: &mut Session, a: &Called<'_>) -> Result<Read> {
    let here = session.resolve(None)?;
    a.needed(0)?;
    let is_imagic = a.called() == "imagic";
    let mut rest = Rest::of(a, 0);
    let seed = seed(a, &mut rest)?;
    let strength = match rest.take_numbers(1).first() {
        None => None,
        Some((number, _)) if is_imagic && (0.0..=2.0).contains(number) => Some(*number),
        Some((number, span)) if is_imagic => {
            let message = format!(
                "a strength lies between 0, where the picture is as it was learned, and 2; 1 are the words alone, but got {number}"
            );
            return Err(misread(message, a.example(), *span));
        }
        Some(number) => Some(methods::strength(a, *number)?),
    };
    if rest.text().is_empty() {
        let message = format!("`/{}` needs a prompt: what the picture is to become", a.called());
        return Err(Hinted::new(message, a.example()).into());
    }
    let edit = edit_of(session, &rest, false)?;
    if is_imagic {
        return Ok(Read { edit, strength, seed, method: imagic_of, strengths: IMAGIC });
    }
    let edit = under_rare_word(session, here, edit)?;
    Ok(Read { edit, strength, seed, method: unitune_of, strengths: UNITUNE })
}

/// The edit to the same words with the rare one before them.
fn under_rare_word(session: &mut Session, here: u32, edit: Edit) -> Result<Edit> {
    if words::split(&edit.prompt).first().is_some_and(|word| word.text == RARE_WORD) {
        return Ok(edit);
    }
    let weighings = edit.weighings.iter().map(|one| Weighing { word: one.word + 1, ..*one }).collect();
    let prompt = format!("{RARE_WORD} {}", edit.prompt);
    session.edit_towards(here, Edit { prompt, weighings, is_root: true, ..edit })
}

/// The plans of the strengths that were asked for: one, or all of a sheet.
fn plans(session: &mut Session, read: &Read) -> Result<Vec<AskedEdit>> {
    let tunings = tunings(Tuning::usual(session.model()?.is_full_size()), session.settings().tuning_steps);
    let strengths = read.strength.map_or_else(|| read.strengths.to_vec(), |strength| vec![strength]);
    let one = |strength: f64| {
        let by = DrawnBy::Redraw { method: (read.method)(strength, tunings), area: None, seed: read.seed };
        let asked = planned(session, read.edit.clone(), &by)?;
        let prompt = &asked.1.1.generation.prompt;
        if prompt.cut > 0 {
            let message = format!(
                "the prompt is longer than the {} tokens the model reads, and what it does not read cannot be learned: `{}`",
                prompt.ids.len(),
                prompt.words_cut().join(" ")
            );
            return Err(Hinted::new(message, "say it in fewer words").into());
        }
        Ok(asked)
    };
    strengths.into_iter().map(one).collect()
}

/// What one of these commands asks for where we are; of a sheet, the picture in its middle.
pub(super) fn asked(session: &mut Session, a: &Called<'_>) -> Result<AskedEdit> {
    let read = read(session, a)?;
    let mut all = plans(session, &read)?;
    Ok(all.swap_remove(all.len() / 2))
}

/// Carries one of these commands out.
pub(in crate::repl) fn carry_out(talk: &mut Talk, a: &Called<'_>, watcher: &mut dyn Watcher) -> Result<Reply> {
    let here = talk.session.resolve(None)?;
    let read = read(&mut talk.session, a)?;
    let mut all = plans(&mut talk.session, &read)?;
    if read.strength.is_some() {
        let (edit, planned) = all.swap_remove(0);
        return talk.planned(a.line, &edit, planned, watcher);
    }
    watcher.understood(&read.edit.changes);
    if let Some(stopped) = ahead(talk, here, &all[0].1.1.plan, watcher)? {
        return Ok(stopped);
    }
    let steps = all[0].1.0.steps;
    let count = all.len() * steps;
    let mut drawn: Vec<(TurnResult, String)> = Vec::new();
    for (at, (edit, planned)) in all.into_iter().enumerate() {
        let strength = read.strengths[at];
        let line = format!("{} {strength}{}", command_and_words(a, &read), seed_said(&read));
        let mut watch = |step: usize, latent: &Tensor| watcher.step(at * steps + step + 1, count, latent);
        let turned = talk.session.edit_planned((Some(here), &line), &edit, planned, &mut watch);
        match turned {
            Ok(Some(turned)) => drawn.push((turned, format!("strength {strength}"))),
            Ok(None) => break,
            Err(error) => return talk.session.return_to(Some(here)).and(Err(error)),
        }
    }
    talk.session.return_to(Some(here))?;
    let Some((newest, _)) = drawn.last() else { return Ok(Reply::Stopped) };
    let prompt = &talk.session.tree()[newest.node].plan.prompt;
    let said = format!("\"{prompt}\" by /{} at {} strengths", a.called(), drawn.len());
    let before = vec![(to_image(&talk.session.picture(here)?), format!("#{here}"))];
    to_take_one_of(talk, here, (a.called(), &said), before, &drawn)
}

/// What was typed without its seed: the line of a picture of a sheet names its strength.
fn command_and_words(a: &Called<'_>, read: &Read) -> String {
    let typed = a.line.trim();
    match read.seed.and_then(|_| typed.rfind("seed")) {
        Some(at) => typed[..at].trim_end().to_owned(),
        None => typed.to_owned(),
    }
}

fn seed_said(read: &Read) -> String {
    read.seed.map_or_else(String::new, |seed| format!(" seed {seed}"))
}

/// Has the model learn what a plan needs of the picture we are at, if it must, and tells of it. `Some` if that was stopped.
pub(in crate::repl) fn ahead(
    talk: &mut Talk,
    here: u32,
    plan: &Plan,
    watcher: &mut dyn Watcher,
) -> Result<Option<Reply>> {
    let Some(to) = talk.session.to_learn(here, plan)? else { return Ok(None) };
    foretell(to, here, watcher);
    let begun = std::time::Instant::now();
    let (mut first, mut last) = (None, LearningStep { done: to.done, of: to.steps, loss: 0.0 });
    let mut watch = |step: LearningStep| -> ControlFlow<()> {
        first.get_or_insert(step.loss);
        last = step;
        watcher.learning(step.done, step.of, step.loss)
    };
    if !talk.session.learn(here, plan, &mut watch)? {
        let again = "type the line again to go on from there";
        return Ok(Some(text(format!("stopped after {} of {} steps; {again}", last.done, last.of))));
    }
    watcher.predicted(&format!("  learned in {}", report::seconds(begun.elapsed().as_secs_f64())));
    Ok(None)
}

/// Tells of a lesson before it begins.
pub(super) fn foretell(to: ToLearn, here: u32, watcher: &mut dyn Watcher) {
    watcher.predicted(&format!("  {}\n  Ctrl-C stops it and keeps what was learned", needs(to, here)));
}

/// What learning takes, in words.
pub(in crate::repl) fn needs(to: ToLearn, here: u32) -> String {
    let steps = report::counted((to.steps - to.done) as u64, "step");
    let more = if to.done > 0 { format!(" more, after {} that were made", to.done) } else { String::new() };
    format!("the picture of #{here} is learned in {steps}{more}, in about {} of memory", size(to.memory))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_steps_are_shared_so_that_the_model_has_one_at_least() {
        for (set, expected) in [(Some(1), [0, 1]), (Some(2), [0, 2]), (Some(3), [1, 2]), (None, [20, 40])] {
            assert_eq!(tunings(Tuning::usual(false), set).map(|tuning| tuning.steps), expected, "{set:?}");
        }
    }
}
