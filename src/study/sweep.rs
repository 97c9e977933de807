//! Edits under a grid of settings.
//!
//! A [`SweepRun`] is one picture of a sweep: an edit under settings of its own, or a first picture. [`run`] draws them, those
//! of one edit one after the other in an order in which each takes over as many steps as it can from the one before, and
//! measures each as a turn is measured. Nothing grows: a sweep looks at what might be.

pub mod axes;
pub mod page;

use std::collections::HashSet;
use std::ops::ControlFlow;

use anyhow::{Context, Result};
use candle_core::Tensor;
use image::RgbImage;
use serde::{Deserialize, Serialize};

use super::table::Table;
use crate::measure::{mean_change, psnr, psnr_where, ssim};
use crate::session::sketch::{DrawnSketch, Sketch};
use crate::session::{Session, to_image};

pub use axes::{Axes, MOST_CELLS};

/// One picture of a sweep.
pub struct SweepRun {
    /// What is drawn.
    pub sketch: Sketch,
    /// What tells it apart, in the order of the table's first columns.
    pub values: Vec<String>,
    /// The same for a label: `k 0.3, cross 0.2`.
    pub label: String,
}

/// The numbers of a run; all against the picture that was edited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// PSNR, in dB; infinite where the pictures are equal, `None` for a first picture.
    #[serde(with = "decibels")]
    pub psnr: Option<f64>,
    /// SSIM.
    pub ssim: Option<f64>,
    /// PSNR inside the edited words' region.
    #[serde(with = "decibels")]
    pub inside: Option<f64>,
    /// PSNR outside of it.
    #[serde(with = "decibels")]
    pub outside: Option<f64>,
    /// Mean change of a pixel's channels inside the region, of 255.
    pub change_inside: Option<f64>,
    /// The same outside.
    pub change_outside: Option<f64>,
    /// Seconds.
    pub seconds: f64,
    /// UNet samples.
    pub evaluations: u64,
    /// First steps taken over from another run.
    pub shared_steps: usize,
    /// How much better the new words explain the picture than the old ones, per cent; where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<f64>,
    /// Mean change of a pixel's channels against the first picture of the tree, of 255; where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_home: Option<f64>,
}

/// Numbers that may be infinite, which JSON has no number for.
mod decibels {
    use serde::{Deserialize, Deserializer, Serializer};
    use serde_json::Value;

    #[expect(clippy::ref_option, reason = "serde hands a reference to the field")]
    pub(super) fn serialize<S: Serializer>(x: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
        match x {
            Some(x) if x.is_finite() => to.serialize_f64(*x),
            Some(_) => to.serialize_str("equal"),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Option<f64>, D::Error> {
        let value = Value::deserialize(from)?;
        Ok(if value == "equal" { Some(f64::INFINITY) } else { value.as_f64() })
    }
}

/// A run that was drawn.
pub struct DrawnCell {
    /// Which one.
    pub at: usize,
    /// Its picture.
    pub picture: RgbImage,
    /// Its numbers.
    pub figures: Figures,
    /// Its clean latent.
    pub latent: Tensor,
}

/// What a sweep took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// UNet samples.
    pub evaluations: u64,
    /// UNet samples that were not needed because runs share first steps.
    pub shared: u64,
    /// UNet samples that were not needed because runs start from pictures drawn once.
    pub started: u64,
    /// Whether it was stopped before the end.
    pub stopped: bool,
}

/// Those of `runs` that are `wanted`, in the order in which they share most: by the picture they start from and their
/// prompt, in the order given; within, by what they do at each step.
fn order(runs: &[SweepRun], wanted: &[usize]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for &at in wanted {
        let alike = |group: &&mut Vec<usize>| runs[group[0]].sketch.is_beside(&runs[at].sketch);
        match groups.iter_mut().find(alike) {
            Some(group) => group.push(at),
            None => groups.push(vec![at]),
        }
    }
    for group in &mut groups {
        group.sort_by(|a, b| runs[*a].sketch.digests.cmp(&runs[*b].sketch.digests));
    }
    groups
}

/// Steps that are to be run: those of the groups, and those of pictures that they start from.
fn steps(session: &mut Session, runs: &[SweepRun], groups: &[Vec<usize>]) -> Result<usize> {
    let (mut all, mut seen) = (0, HashSet::new());
    for group in groups {
        let mut before: Option<&Sketch> = None;
        for sketch in group.iter().map(|at| &runs[*at].sketch) {
            all += sketch.steps() - before.map_or(0, |before| before.shared(sketch));
            before = Some(sketch);
        }
        if let Some(first) = group.first().map(|at| &runs[*at].sketch) {
            let missing = session.missing_ancestors(first)?.into_iter().filter(|id| seen.insert(*id)).count();
            all += missing * first.steps();
        }
    }
    Ok(all)
}

/// Draws those of `runs` that are `wanted` and hands over each as soon as it is done. `watch` sees the steps done, those
/// there are, and the newest latent, and may stop it between two steps.
///
/// # Errors
/// Fails if a run cannot be drawn, or `done` fails.
pub fn run(
    session: &mut Session,
    runs: &[SweepRun],
    wanted: &[usize],
    done: &mut dyn FnMut(&mut Session, DrawnCell) -> Result<()>,
    watch: &mut dyn FnMut(usize, usize, &Tensor) -> ControlFlow<()>,
) -> Result<Cost> {
    let groups = order(runs, wanted);
    let all = steps(session, runs, &groups)?;
    let (mut cost, mut drawn_to_start, mut count) = (Cost::default(), 0, 0);
    let mut watch = |_: usize, latent: &Tensor| {
        count += 1;
        watch(count, all.max(count), latent)
    };
    for group in groups {
        let sketches: Vec<&Sketch> = group.iter().map(|at| &runs[*at].sketch).collect();
        let Some(ancestors) = session.draw_ancestors(&sketches, &mut watch)? else {
            return Ok(ended(cost, drawn_to_start, true));
        };
        cost.evaluations += ancestors;
        drawn_to_start += ancestors;
        let mut trail = None;
        for at in group {
            let sketch = &runs[at].sketch;
            let Some(aside) = session.draw_sketch(sketch, trail.as_ref(), &mut watch)? else {
                return Ok(ended(cost, drawn_to_start, true));
            };
            cost.evaluations += aside.evaluations;
            let a_step = sketch.evaluations_a_step();
            cost.shared += a_step * aside.shared as u64;
            cost.started += a_step * (sketch.depth() * sketch.steps()) as u64;
            let picture = to_image(&aside.left.picture);
            let before = aside.parent.as_ref().map(|p| to_image(&p.picture));
            let figures = measured(&aside, &picture, before.as_ref());
            let latent = aside.left.trajectory.last().clone();
            done(session, DrawnCell { at, picture, figures, latent })
                .context("a finished picture could not be kept")?;
            trail = aside.trail.or(trail);
        }
    }
    Ok(ended(cost, drawn_to_start, false))
}

/// The cost when it is over. On its own, each run would have drawn what it starts from; once it was drawn.
fn ended(cost: Cost, drawn_to_start: u64, stopped: bool) -> Cost {
    Cost { started: cost.started.saturating_sub(drawn_to_start), stopped, ..cost }
}

fn measured(aside: &DrawnSketch, picture: &RgbImage, before: Option<&RgbImage>) -> Figures {
    let inside = aside.outside.as_ref().map(|o| o.iter().map(|out| !out).collect::<Vec<bool>>());
    type Measure = fn(&RgbImage, &RgbImage, &[bool]) -> Option<f64>;
    let part = |mask: Option<&Vec<bool>>, measure: Measure| measure(picture, before?, mask?);
    Figures {
        psnr: before.and_then(|b| psnr(picture, b)),
        ssim: before.and_then(|b| ssim(picture, b)),
        inside: part(inside.as_ref(), psnr_where),
        outside: part(aside.outside.as_ref(), psnr_where),
        change_inside: part(inside.as_ref(), mean_change),
        change_outside: part(aside.outside.as_ref(), mean_change),
        seconds: aside.seconds,
        evaluations: aside.evaluations,
        shared_steps: aside.shared,
        shown: None,
        change_home: None,
    }
}

/// What tells runs apart, then their numbers: PSNR and SSIM, PSNR inside and outside the region; with `all`, also the
/// change inside and outside, and the steps taken over; seconds and evaluations.
#[must_use]
pub fn table<'a>(
    names: impl IntoIterator<Item = &'a str>,
    rows: impl IntoIterator<Item = (&'a SweepRun, &'a Figures)>,
    all: bool,
) -> Table {
    let numbers = ["psnr", "ssim", "inside", "outside", "change_inside", "change_outside"];
    let numbers = numbers.into_iter().filter(|name| all || !name.starts_with("change"));
    let last = ["seconds", "evaluations", "shared_steps"].into_iter().take(if all { 3 } else { 2 });
    let mut table = Table::new(names.into_iter().chain(numbers).chain(last));
    let number = |x: Option<f64>, places: usize| match x {
        Some(x) if x.is_finite() => format!("{x:.places$}"),
        Some(_) => "inf".to_owned(),
        None => "-".to_owned(),
    };
    for (run, f) in rows {
        let mut row = run.values.clone();
        row.extend([number(f.psnr, 2), number(f.ssim, 4), number(f.inside, 2), number(f.outside, 2)]);
        if all {
            row.extend([number(f.change_inside, 3), number(f.change_outside, 3)]);
        }
        row.extend([format!("{:.2}", f.seconds), f.evaluations.to_string()]);
        if all {
            row.push(f.shared_steps.to_string());
        }
        table.rows.push(row);
    }
    table
}
