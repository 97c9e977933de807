//! A turn's numbers, in words.

use super::changes_text;
use super::reply::{Cycled, TurnReport};
use crate::session::Session;
use crate::session::cycle::Way;
use crate::session::cycle::predict::Foretold;
use crate::session::cycle::regenerated::CycleMethod;

/// Seconds as people say them.
#[must_use]
pub fn seconds(s: f64) -> String {
    if s < 9.95 { format!("{s:.1} s") } else { format!("{s:.0} s") }
}

fn decibels(x: f64) -> String {
    if x.is_infinite() { "unchanged".to_owned() } else { format!("{x:.1} dB") }
}

/// `1 step`, `4 steps`.
#[must_use]
pub fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// One line on a picture drawn: `#2 ← #1  0.5 s · 60 evaluations · outside the edit 41.2 dB`.
#[must_use]
pub fn drew(drew: &TurnReport, session: &Session) -> String {
    let turned = &drew.turned;
    let Some(parent) = turned.parent else {
        let recipe = &session.tree()[turned.node].recipe;
        let there = if turned.existed { " · was there already" } else { "" };
        let from = match recipe.photograph() {
            None => format!("seed {}", recipe.seed),
            Some((photograph, inversion)) => {
                let name = photograph.file().map(|file| file.rsplit(['/', '\\']).next().unwrap_or(file));
                format!("{} · inversion {inversion}", name.unwrap_or("a photograph"))
            }
        };
        let steps = counted(recipe.steps as u64, "step");
        return format!("#{}  {} · {from} · {steps}{there}", turned.node, seconds(turned.seconds));
    };
    let redraw = session.tree()[turned.node].plan.redraw();
    let mut parts: Vec<String> = redraw.map(|redraw| redraw.method.to_string()).into_iter().collect();
    parts.push(seconds(turned.seconds));
    if turned.existed {
        parts.push("was there already".to_owned());
    } else {
        let run = session.evaluations_of(turned.node);
        let cached = if session.tree()[turned.node].plan.goes_on() && turned.evaluations <= run {
            " (parent cached)"
        } else {
            ""
        };
        parts.push(format!("{}{cached}", counted(turned.evaluations, "evaluation")));
    }
    if let Some(psnr) = drew.outside_psnr {
        parts.push(format!("outside the edit {}", decibels(psnr)));
    }
    if let Some(psnr) = drew.outside_psnr_root {
        let root = session.tree().path_to_root(turned.node).iter().find(|n| n.is_root()).map_or(0, |n| n.number);
        parts.push(format!("outside all edits since #{root} {}", decibels(psnr)));
    }
    let weighed = session.tree()[turned.node].plan.weights.iter().any(|w| *w != 1.0);
    if weighed && turned.row_gap > 0.05 {
        parts.push(format!("rows of attention off 1 by up to {:.2}", turned.row_gap));
    }
    format!("#{} ← #{parent}  {}", turned.node, parts.join(" · "))
}

/// A difference to three places, or as a power of ten where that would be nothing.
fn gap(x: f64) -> String {
    match x {
        0.0 => "0".to_owned(),
        _ if x < 0.001 => format!("{x:.0e}"),
        _ => format!("{x:.3}"),
    }
}

/// What is told of a way back before it is gone.
#[must_use]
pub fn way(way: &Way) -> String {
    foretold(&way.steps.iter().map(|step| (step.to, &step.predicted)).collect::<Vec<_>>())
}

/// Whether steps to these ancestors lead to their very bits; where the first does not, why, and one thing to try.
fn foretold(steps: &[(u32, &Foretold)]) -> String {
    let named = |exact: bool| {
        let of = steps.iter().filter(|(_, predicted)| predicted.is_exact() == exact);
        of.map(|(to, _)| format!("#{to}")).collect::<Vec<_>>().join(" ")
    };
    let why = steps.iter().find_map(|(_, predicted)| match predicted {
        Foretold::Exact => None,
        Foretold::Not(why) => Some(why),
    });
    let (exact, many) = (named(true), steps.len() > 1);
    let Some(why) = why else {
        return format!("  foretold: bit for bit{}", if many { " at every step" } else { "" });
    };
    let what = if exact.is_empty() {
        format!("not bit for bit{}", if many { " at any step" } else { "" })
    } else {
        format!("bit for bit at {exact}, but not at {}", named(false))
    };
    format!("  foretold: {what}\n    {}\n    try: {}", why.reason, why.hint)
}

/// What was told of a way back, and how near it came.
#[must_use]
pub fn cycled_as_foretold(cycled: &Cycled) -> String {
    let told: Vec<_> =
        cycled.steps.iter().filter_map(|(step, _, _)| Some((step.to, step.predicted.as_ref()?))).collect();
    let told = if told.is_empty() { String::new() } else { format!("{}\n", foretold(&told)) };
    format!("{told}{}", self::cycled(cycled))
}

/// A way back: what was taken back, and how near it came.
#[must_use]
pub fn cycled(cycled: &Cycled) -> String {
    let way: Vec<String> = cycled.steps.iter().map(|(s, _, _)| changes_text(&s.changes)).collect();
    let evaluations: u64 = cycled.steps.iter().map(|(s, _, _)| s.evaluations).sum();
    let time: f64 = cycled.steps.iter().map(|(s, _, _)| s.seconds).sum();
    let by = if cycled.method == CycleMethod::Exact { String::new() } else { format!(" ({})", cycled.method.name()) };
    let mut out = format!("  way back{by}: {}", way.join(" · "));
    if cycled.steps.len() > 1 {
        for (step, psnr, _) in &cycled.steps {
            let how = if step.identical {
                "identical".to_owned()
            } else {
                format!("max |Δ| {}, {}", gap(step.max_abs), decibels(*psnr))
            };
            out.push_str(&format!("\n    at #{}: {how}", step.to));
        }
    }
    if let Some((last, psnr, ssim)) = cycled.steps.last() {
        let how = if last.identical {
            format!("identical to #{}", cycled.to)
        } else {
            let ssim = ssim.map(|s| format!(", SSIM {s:.3}")).unwrap_or_default();
            format!("not identical to #{}: {}{ssim}", cycled.to, decibels(*psnr))
        };
        let steps = counted(cycled.steps.len() as u64, "step");
        let evaluations = counted(evaluations, "evaluation");
        let (max, seconds) = (gap(last.max_abs), seconds(time));
        out.push_str(&format!("\n  latents max |Δ| {max} · {how} · {steps}, {evaluations}, {seconds}"));
    }
    out
}
