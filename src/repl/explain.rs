//! What an edit would do, said before it is done.

use anyhow::Result;
use serde_json::{Value, json};

use super::commands::{self, Line};
use super::json;
use super::look::{learning, methods};
use super::reply::Reply;
use super::talk::{self, Talk};
use crate::engine::Reader;
use crate::plan::lineage::Ancestry;
use crate::plan::redraw::{RedrawMethod, steps_in};
use crate::plan::resolve::resolve;
use crate::plan::settings::{RegionFrom, TurnSettings};
use crate::plan::window::{For, cross_windows, steps_of};
use crate::plan::{Column, Region};
use crate::session::Session;
use crate::session::cycle::predict::{Foretold, LeadsBack};
use crate::session::file::Hinted;
use crate::session::model::{Lexicon, load_reader};
use crate::session::run_node::first_step;
use crate::turn::{Here, Misread, Span, Turn};

/// `wordbrush explain --prompt P LINE --json`: the object, and whether the line can be carried out.
///
/// # Errors
/// Fails if the model's tokenizer cannot be loaded.
pub fn object(model: &str, prompt: Option<&str>, line: &str) -> Result<(Value, bool)> {
    let reader = load_reader(model)?;
    let lexicon = Lexicon::new(model, &reader);
    let here = Here { prompt, ancestors: &[], sense: &lexicon };
    let read = match commands::read(line) {
        Ok(Line::Command(_)) => {
            Err(Hinted::new("a command is not an edit", "type an edit, such as: blond -> red").into())
        }
        Ok(Line::Text) => {
            crate::turn::read(line, &here).map(|turn| lexicon.with_offers(turn)).map_err(anyhow::Error::from)
        }
        Err(misread) => Err(misread.into()),
    };
    let (mut object, can) = match read.and_then(|turn| explained(&reader, prompt, turn)) {
        Ok(found) => found,
        Err(error) => (json!({"error": json::error(&error)}), false),
    };
    let readings = crate::turn::readings(line, &here);
    if let Some(object) = object.as_object_mut().filter(|_| !readings.is_empty()) {
        let one = |(reading, score): (String, i32)| json!({"reading": reading, "score": score});
        object.insert("readings".to_owned(), readings.into_iter().map(one).collect());
    }
    Ok((object, can))
}

/// Readings shown in a conversation; `--json` has them all.
const READINGS: usize = 3;

fn explained(reader: &Reader, prompt: Option<&str>, turn: Turn) -> Result<(Value, bool)> {
    match turn {
        Turn::Edit(edit) => {
            let root = prompt.map(|p| root(reader, p)).transpose()?;
            let family: Vec<&Ancestry> = root.iter().filter(|_| !edit.is_root).collect();
            let resolved = resolve(&family, reader.prompt(&edit.prompt)?, &edit, &TurnSettings::default())?;
            let weights = json::weights(&edit.prompt, &resolved.plan.weights);
            let warnings: Vec<String> = edit.warnings.iter().cloned().chain(resolved.warnings).collect();
            Ok((json::explained(&edit, weights, &warnings), true))
        }
        Turn::Question(question) => Ok((json!({"question": json::question(&question)}), false)),
        Turn::Nothing => Err(Hinted::new("there is nothing to explain", "type an edit, such as: blond -> red").into()),
    }
}

fn root(reader: &Reader, prompt: &str) -> Result<Ancestry> {
    let prompt = reader.prompt(prompt)?;
    let identities = crate::plan::lineage::identities(&[], &prompt, &[]);
    let weights = vec![1.0; prompt.words.len()];
    Ok(Ancestry { prompt, identities, weights })
}

/// `/explain EDIT`; the place of an error is counted in the whole line.
pub(super) fn in_talk(talk: &mut Talk, line: &str, edit: &str) -> Result<Reply> {
    text(&mut talk.session, edit).map(talk::text).map_err(|error| shifted(error, line, edit))
}

/// An error about a part of a line, with its place counted in the whole line.
fn shifted(error: anyhow::Error, line: &str, part: &str) -> anyhow::Error {
    match (error.downcast::<Misread>(), line.rfind(part)) {
        (Ok(mut misread), Some(at)) => {
            misread.span = misread.span.map(|s| Span { from: s.from + at, to: s.to + at });
            misread.into()
        }
        (Ok(misread), None) => misread.into(),
        (Err(error), _) => error,
    }
}

/// The two prompts with token boundaries, where each column comes from, windows, mask words and cost.
///
/// # Errors
/// Fails if the line is no edit, or cannot be planned.
pub fn text(session: &mut Session, line: &str) -> Result<String> {
    let not_an_edit = || Hinted::new("that is not an edit", "/explain blond -> red").into();
    let (edit, (recipe, resolved)) = match commands::read(line)? {
        Line::Command(called) => methods::asked(session, &called)?.ok_or_else(not_an_edit)?,
        Line::Text => {
            let edit = match session.read(line)? {
                Turn::Edit(edit) => edit,
                Turn::Question(question) => {
                    let choices = question.choices.iter().enumerate();
                    let choices = choices.map(|(i, c)| format!("\n  {} {}", i + 1, c.label));
                    return Ok(format!("{}{}", question.text, choices.collect::<String>()));
                }
                Turn::Nothing => return Err(not_an_edit()),
            };
            let planned = session.plan(&edit)?;
            (edit, planned)
        }
    };
    let model = session.model()?;
    let parent = session.tree().here().filter(|_| !edit.is_root);
    let family = match parent {
        Some(here) => session.family(here, &model)?,
        None => Vec::new(),
    };
    let target = &resolved.generation.prompt;
    let settings = &resolved.plan.settings;
    let mut out = vec![format!("prompt  {}", edit.prompt)];
    if !edit.changes.is_empty() {
        out.push(format!("edit    {}", super::changes_text(&edit.changes)));
    }
    let prompt = session.tree().current().map(|node| node.plan.prompt.as_str());
    let here = Here { prompt, ancestors: &[], sense: &crate::turn::NoSense };
    let read = crate::turn::readings(line, &here).into_iter().filter(|(_, score)| *score > 0).take(READINGS);
    out.extend(read.map(|(reading, score)| format!("reading {score:>3}  {reading}")));
    let vocabulary = model.engine.reader().vocabulary();
    let evaluations = session.evaluations_planned(parent, &resolved.plan, &recipe);
    if let (Some(above), Some(redraw)) = (family.first(), resolved.plan.redraw()) {
        let here = parent_number(session);
        let first = redraw.method.first(recipe.steps);
        out.push(format!(
            "by      {}: steps {first}..{} of {}",
            redraw.method,
            recipe.steps,
            match &redraw.method {
                RedrawMethod::Imagic { .. } =>
                    format!("a run from noise, by the model tuned on the picture of #{here}"),
                RedrawMethod::UniTune { .. } => format!("the noised picture of #{here}, by the model tuned on it"),
                _ => format!("the noised picture of #{here}"),
            }
        ));
        out.push(format!("noise   of seed {}", redraw.seed));
        out.push(format!("keeps   {}", kept(&redraw.method, recipe.steps)));
        out.push(format!(
            "region  {}",
            region_text(&redraw.region, &above.generation, &resolved.generation, settings, session)
        ));
        out.push(format!(
            "back    no way back by words leads to the bits of #{here}: this run begins with noise of its own; /undo goes there"
        ));
        out.push(format!("cost    {}", cost_text(session, evaluations)));
        if redraw.method.tuning_steps() > 0 {
            let said = match session.to_learn(here, &resolved.plan)? {
                Some(to) => learning::needs(to, here),
                None => "was learned before, and is kept".to_owned(),
            };
            out.push(format!("learns  {said}"));
        }
        out.extend(edit.warnings.iter().chain(&resolved.warnings).map(|w| format!("note    {w}")));
        return Ok(out.join("\n"));
    }
    if let Some(parent) = family.first() {
        let first = first_step(&family, recipe.steps);
        let made = recipe.steps - first;
        let columns = resolved.plan.columns();
        out.push(String::new());
        out.push(format!("{:<14} {:<14} {:<28} {:<9} weight", "word", "tokens", "comes from", "carried"));
        let windows = cross_windows(settings, target, made);
        for (i, word) in target.words.iter().enumerate() {
            let tokens = target.word_tokens[i].clone();
            let pieces: Vec<String> =
                target.ids[tokens.clone()].iter().filter_map(|id| vocabulary.token(*id)).collect();
            let source =
                tokens.clone().next().map_or_else(|| "left out".to_owned(), |t| source_text(&columns[t], &family));
            let steps = tokens.clone().next().map_or(0..0, |t| windows[t].clone());
            let carried = matches!(tokens.clone().next().map(|t| &columns[t]), Some(Column::From { .. }));
            let carried = if carried && !steps.is_empty() {
                format!("{}..{}", steps.start + first, steps.end + first)
            } else {
                "-".to_owned()
            };
            let pieces = pieces.join("|").replace("</w>", "");
            out.push(
                format!("{word:<14} {pieces:<14} {source:<28} {carried:<9} {}", resolved.plan.weights[i])
                    .trim_end()
                    .to_owned(),
            );
        }
        let own = steps_of(settings.self_replace_steps, made, settings.window_rounding, For::SelfAttention);
        out.push(String::new());
        out.push(format!(
            "self-attention of #{} in steps {}..{} of {}",
            parent_number(session),
            own.start + first,
            own.end + first,
            recipe.steps
        ));
        out.push(format!(
            "region  {}",
            region_text(resolved.plan.region(), &parent.generation, &resolved.generation, settings, session)
        ));
    }
    if let Some(back) = session.leads_back(&edit, &resolved)? {
        out.push(format!("back    {}", back_text(&back)));
    }
    out.push(format!("cost    {}", cost_text(session, evaluations)));
    out.extend(edit.warnings.iter().chain(&resolved.warnings).map(|w| format!("note    {w}")));
    Ok(out.join("\n"))
}

/// What a turn costs, and for how long at the pace of the present picture.
fn cost_text(session: &Session, evaluations: u64) -> String {
    let drawn = session.tree().here().and_then(|here| session.drawn(here)).filter(|drawn| drawn.evaluations > 0);
    let time = drawn.map_or(String::new(), |drawn| {
        let pace = drawn.seconds / drawn.evaluations as f64;
        format!(", about {}", super::report::seconds(pace * evaluations as f64))
    });
    let evaluations = super::report::counted(evaluations, "evaluation");
    format!("{evaluations}{time}, if the ancestors' maps are in the store")
}

/// What a redrawing keeps of the picture.
fn kept(method: &RedrawMethod, steps: usize) -> String {
    let first = method.first(steps);
    match method {
        RedrawMethod::SdEdit { .. } => {
            format!("what is still to be seen under the noise of step {first}: colours before shapes")
        }
        RedrawMethod::BlendedDiffusion { .. } => "everything outside the region, at every step".to_owned(),
        RedrawMethod::MagicMix { kmin, .. } => {
            format!("the layout, which is mixed into what is read up to step {}", steps - steps_in(*kmin, steps))
        }
        RedrawMethod::DiffEdit { .. } => {
            "everything outside the mask; inside it, what the way to noise carries".to_owned()
        }
        RedrawMethod::Imagic { strength, .. } => format!(
            "what the model has learned of the picture, the less the nearer the strength, {strength}, is to 1: there are the words alone"
        ),
        RedrawMethod::UniTune { .. } => format!(
            "what the model has learned of the picture, and what is still to be seen of it under the noise of step {first}"
        ),
    }
}

/// Where an edit leads back to, and how exactly.
fn back_text(back: &LeadsBack) -> String {
    match &back.predicted {
        Foretold::Exact => format!("this leads back to #{}, bit for bit", back.to),
        Foretold::Not(why) => {
            format!("the words of #{} come back, but not its bits: {}\n        try: {}", back.to, why.reason, why.hint)
        }
    }
}

fn parent_number(session: &Session) -> u32 {
    session.tree().here().unwrap_or(0)
}

fn source_text(column: &Column, family: &[std::sync::Arc<crate::session::run_node::RunNode>]) -> String {
    let Column::From { up, tokens } = column else { return "itself (new)".to_owned() };
    let Some(ancestor) = family.get(up - 1) else { return "?".to_owned() };
    let prompt = &ancestor.generation.prompt;
    let mut names: Vec<&str> = tokens
        .iter()
        .filter_map(|(t, _)| prompt.word_tokens.iter().position(|r| r.contains(t)).map(|w| prompt.words[w].as_str()))
        .collect();
    names.dedup();
    let who = match up {
        1 => "of the parent".to_owned(),
        2 => "of the grandparent".to_owned(),
        n => format!("from {n} turns up"),
    };
    format!("`{}` {who}", names.join(" "))
}

fn region_text(
    region: &Region,
    parent: &Ancestry,
    child: &Ancestry,
    settings: &TurnSettings,
    session: &Session,
) -> String {
    let words = |tokens: &[usize], g: &Ancestry| {
        let mut words: Vec<&str> = tokens
            .iter()
            .filter_map(|t| g.prompt.word_tokens.iter().position(|r| r.contains(t)).map(|w| g.prompt.words[w].as_str()))
            .collect();
        words.dedup();
        words.join(" ")
    };
    match region {
        Region::Everywhere => "everywhere".to_owned(),
        Region::As { up } => {
            let here = session.tree().here().unwrap_or(0);
            let number = session.tree().path_to_root(here).get(up - 1).map_or(0, |node| node.number);
            format!("as in #{number}, whose words and weights come back")
        }
        Region::Given(area) => crate::session::area::said(area, &parent.prompt),
        Region::Difference => "where both prompts have other noise".to_owned(),
        Region::Words { source, target, .. } => {
            let (k, was, will) = (settings.k, words(source, parent), words(target, child));
            match settings.region_from {
                RegionFrom::Spread if !source.is_empty() => {
                    let here = parent_number(session);
                    format!(
                        "where `{was}` was, spread along the self-attention of #{here}, and `{will}` will be, k {k}"
                    )
                }
                RegionFrom::Text if !source.is_empty() => {
                    let here = parent_number(session);
                    format!("where the network of parts finds `{was}` in #{here}, and where `{will}` will be, k {k}")
                }
                RegionFrom::Spread | RegionFrom::Text => format!("where `{will}` will be, k {k}"),
                RegionFrom::Cross => format!("where `{was}` was and `{will}` will be, k {k}"),
            }
        }
    }
}
