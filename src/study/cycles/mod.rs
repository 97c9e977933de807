//! How near one comes to a picture by taking edits back by words.
//!
//! Random conversations of one to eight edits are drawn, and every edit is taken back by each of several methods: ours, the
//! published one, which must draw its source afresh from a prompt, and the published one with mixed values. The pictures to
//! come back to are the same for all: those of the conversation. See [`regenerated`](crate::session::cycle::regenerated)
//! for what a method without a history does.

pub mod chains;
pub mod picture;
pub mod summary;

use std::ops::ControlFlow;

use anyhow::{Context, Result};

use crate::plan::settings::{TurnSettings, VLayers};
use crate::session::Session;
use crate::session::cycle::StepBack;
use crate::session::cycle::regenerated::{CycleMethod, Regenerated};
use crate::turn::{Change, Edit, Turn};

use chains::{Dice, edit, first_prompt};

/// The longest conversation, in edits.
pub const LONGEST: usize = 8;

/// A method with its settings, by what it is called in tables.
#[derive(Debug, Clone)]
pub struct NamedWay {
    /// What it is called.
    pub name: &'static str,
    /// Settings of its edits; `None` for those in force and carried maps.
    pub settings: Option<TurnSettings>,
}

/// The methods that are compared, ours first.
#[must_use]
pub fn ways() -> Vec<NamedWay> {
    let mixed = |layers| {
        let settings = CycleMethod::VInject.settings().unwrap_or_default();
        Some(TurnSettings { v_layers: layers, ..settings })
    };
    vec![
        NamedWay { name: "exact", settings: None },
        NamedWay { name: "published", settings: CycleMethod::Published.settings() },
        NamedWay { name: "v-inject cross", settings: mixed(VLayers::Cross) },
        NamedWay { name: "v-inject self", settings: mixed(VLayers::SelfAttention) },
        NamedWay { name: "v-inject both", settings: mixed(VLayers::Both) },
    ]
}

/// One edit, or several as one, taken back by one method.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Which conversation, from 1.
    pub chain: usize,
    /// Its edits.
    pub edits: usize,
    /// The method.
    pub method: &'static str,
    /// Whether all edits were taken back as one; else this is one of them.
    pub in_one: bool,
    /// How many edits lie between the picture that it began at and the one that was to come back.
    pub taken_back: usize,
    /// What was taken back.
    pub changes: String,
    /// The largest difference of the final latents.
    pub max_abs: f64,
    /// Whether all bits of the final latents are equal.
    pub identical: bool,
    /// In dB, on the pictures; infinite if they are equal.
    pub psnr: f64,
    /// On the pictures.
    pub ssim: f64,
    /// Of this way back alone, its source's run included.
    pub seconds: f64,
    /// UNet samples, those of its source's run included.
    pub evaluations: u64,
    /// Whether it was told beforehand to be exact; only ours is told.
    pub told: Option<bool>,
}

/// What tells studies apart: a digest of the seed, the settings, the model and what computes.
///
/// # Errors
/// Fails if the model cannot be loaded.
pub fn study_id(session: &mut Session, seed: u64) -> Result<String> {
    let model = session.model()?;
    let usual = model.recipe(&session.settings().root)?;
    let told = format!("{seed} {:?} {usual:?} {:?} {:?}", session.settings(), model.precision, ways());
    Ok(blake3::hash(told.as_bytes()).to_hex()[..8].to_owned())
}

/// Draws the conversations `from` to `to`, counted from 1, and takes them back by every method. Those that are in `rows`
/// already are left out. `seen` gets all rows so far, and how many of them are older than the last conversation.
///
/// # Errors
/// Fails if a picture cannot be drawn, or `seen` does.
pub fn run(
    session: &mut Session,
    (from, to): (usize, usize),
    seed: u64,
    mut rows: Vec<Row>,
    seen: &mut dyn FnMut(&[Row], usize) -> Result<()>,
) -> Result<Vec<Row>> {
    for chain in from..=to {
        let begun = rows.len();
        if rows.iter().any(|row| row.chain == chain) {
            continue;
        }
        let edits = 1 + (chain - 1) % LONGEST;
        let mut dice = Dice::new(seed.wrapping_add(chain as u64 * 1000));
        let root = converse(session, edits, (seed + chain as u64, &mut dice))?;
        let mut afresh = Regenerated::default();
        for way in ways() {
            for in_one in [false, true] {
                // As one and edit by edit is the same where there is one.
                if in_one && edits == 1 {
                    let same: Vec<Row> =
                        rows[begun..].iter().filter(|r: &&Row| r.method == way.name).cloned().collect();
                    rows.extend(same.into_iter().map(|row| Row { in_one, ..row }));
                    continue;
                }
                let mut watch = |_: usize, _: usize, _: &_| ControlFlow::Continue(());
                let steps = match &way.settings {
                    None => session.cycle(root, in_one, &mut watch)?,
                    Some(settings) => session.regenerated((root, in_one), settings, &mut afresh, &mut watch)?,
                };
                let steps = steps.context("BUG: a way back that nobody watched was stopped")?;
                rows.extend(steps.into_iter().map(|step| row((chain, edits), way.name, in_one, step)));
            }
        }
        seen(&rows, begun)?;
    }
    Ok(rows)
}

fn row((chain, edits): (usize, usize), method: &'static str, in_one: bool, step: StepBack) -> Row {
    let (psnr, ssim) = step.likeness();
    let changes: Vec<String> = step.changes.iter().map(told).collect();
    Row {
        chain,
        edits,
        method,
        in_one,
        taken_back: if in_one { edits } else { 1 },
        changes: changes.join(", "),
        max_abs: step.max_abs,
        identical: step.identical,
        psnr,
        ssim: ssim.unwrap_or(f64::NAN),
        seconds: step.seconds,
        evaluations: step.evaluations,
        told: step.predicted.map(|told| told.is_exact()),
    }
}

fn told(change: &Change) -> String {
    match change {
        Change::Start { prompt } => prompt.clone(),
        Change::Swap { from, to } => format!("{from} -> {to}"),
        Change::Add { text } => format!("+ {text}"),
        Change::Remove { text } => format!("- {text}"),
        Change::Weigh { word, factor, .. } => format!("{word}*{factor}"),
    }
}

/// Draws a first picture and so many edits of it; its root's number.
fn converse(session: &mut Session, edits: usize, (noise, dice): (u64, &mut Dice)) -> Result<u32> {
    session.set("seed", &noise.to_string())?;
    let (kind, prompt) = first_prompt(dice);
    let words = crate::turn::words::split(&prompt).iter().map(|w| w.text).collect::<Vec<_>>().join(" ");
    let mut unwatched = |_: usize, _: &_| ControlFlow::Continue(());
    let drawn = session.edit(&words, &Edit::root(prompt), &mut unwatched)?;
    let root = drawn.context("BUG: a run that nobody watched was stopped")?.node;
    let mut made = 0;
    while made < edits {
        let now = session.tree().current().context("BUG: there is no picture")?.plan.clone();
        let Some(line) = edit(kind, &now.prompt, dice) else { continue };
        // What cannot be said of this prompt, or asks back, is not said.
        let Ok(Turn::Edit(read)) = session.read(&line) else { continue };
        let planned = session.plan(&read)?.1.plan;
        if planned.prompt == now.prompt && planned.weights == now.weights {
            continue;
        }
        session.edit(&line, &read, &mut unwatched)?;
        made += 1;
    }
    Ok(root)
}
