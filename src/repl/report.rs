//! A turn's numbers, in words.

use super::changes_text;
use super::reply::{Cycled, Drew};
use crate::session::Session;

/// Seconds as people say them.
#[must_use]
pub fn seconds(s: f64) -> String {
    if s < 9.95 { format!("{s:.1} s") } else { format!("{s:.0} s") }
}

fn decibels(x: f64) -> String {
    if x.is_infinite() { "unchanged".to_owned() } else { format!("{x:.1} dB") }
}

/// One line on a picture drawn: `#2 ← #1  0.5 s · 60 evaluations · outside the edit 41.2 dB`.
#[must_use]
pub fn drew(drew: &Drew, session: &Session) -> String {
    let turned = &drew.turned;
    let Some(parent) = turned.parent else {
        let recipe = &session.tree()[turned.node].recipe;
        let there = if turned.existed { " · was there already" } else { "" };
        return format!(
            "#{}  {} · seed {} · {} steps{there}",
            turned.node,
            seconds(turned.seconds),
            recipe.seed,
            recipe.steps
        );
    };
    let mut parts = vec![seconds(turned.seconds)];
    if turned.existed {
        parts.push("was there already".to_owned());
    } else {
        let steps = session.tree()[turned.node].recipe.steps as u64;
        let cached = if turned.evaluations <= 2 * steps { " (parent cached)" } else { "" };
        parts.push(format!("{} evaluations{cached}", turned.evaluations));
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

/// A way back: what was taken back, and how near it came.
#[must_use]
pub fn cycled(cycled: &Cycled) -> String {
    let way: Vec<String> = cycled.steps.iter().map(|(s, _, _)| changes_text(&s.changes)).collect();
    let evaluations: u64 = cycled.steps.iter().map(|(s, _, _)| s.evaluations).sum();
    let time: f64 = cycled.steps.iter().map(|(s, _, _)| s.seconds).sum();
    let mut out = format!("  way back: {}", way.join(" · "));
    if cycled.steps.len() > 1 {
        for (step, psnr, _) in &cycled.steps {
            let how = if step.identical {
                "identical".to_owned()
            } else {
                format!("max |Δ| {:.3}, {}", step.max_abs, decibels(*psnr))
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
        let steps = if cycled.steps.len() == 1 { "1 step".to_owned() } else { format!("{} steps", cycled.steps.len()) };
        let (max, seconds) = (last.max_abs, seconds(time));
        out.push_str(&format!("\n  latents max |Δ| {max} · {how} · {steps}, {evaluations} evaluations, {seconds}"));
    }
    out
}
