//! How far the background has moved after many turns.
//!
//! Two ways through the same prompts are compared with the first picture: the conversation's own pictures, each an edit
//! of the one before, and pictures drawn afresh from each prompt with the same seed, which is what one has without a
//! history. Counted is what lies outside every region that any edit so far was about.

use anyhow::Result;

use super::table::Table;
use crate::measure::psnr_where;
use crate::session::{Session, to_image};

/// One turn of a drift.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// The node.
    pub node: u32,
    /// Share of the picture outside all edits so far.
    pub outside: f64,
    /// PSNR outside this turn's edit against the parent, in dB; `None` if nothing is outside.
    pub from_parent: Option<f64>,
    /// PSNR outside all edits so far against the first picture.
    pub from_root: Option<f64>,
    /// The same for the prompt drawn afresh.
    pub afresh: Option<f64>,
}

/// The drift of every turn from the root down to `node`.
///
/// # Errors
/// Fails if a picture cannot be drawn.
pub fn drift(session: &mut Session, node: u32) -> Result<Vec<Drift>> {
    let branch = session.branch_of(node);
    let first = to_image(&session.picture(branch[0])?);
    let mut outside_all = vec![true; first.as_raw().len() / 3];
    let mut all = Vec::new();
    for pair in branch.windows(2) {
        let (parent, node) = (pair[0], pair[1]);
        let (left, before, outside) = session.look(node)?;
        let picture = to_image(&left.picture);
        let before = before.map(|b| to_image(&b.picture));
        if let Some(outside) = &outside {
            outside_all.iter_mut().zip(outside).for_each(|(all, one)| *all &= one);
        }
        let afresh = to_image(&session.draw_afresh(node)?.picture);
        debug_assert_eq!(session.tree()[node].parent, Some(parent));
        all.push(Drift {
            node,
            outside: outside_all.iter().filter(|o| **o).count() as f64 / outside_all.len().max(1) as f64,
            from_parent: before.zip(outside).and_then(|(b, o)| psnr_where(&picture, &b, &o)),
            from_root: psnr_where(&picture, &first, &outside_all),
            afresh: psnr_where(&afresh, &first, &outside_all),
        });
    }
    Ok(all)
}

/// The drift as a table.
#[must_use]
pub fn table(drifts: &[Drift]) -> Table {
    let mut table = Table::new(["turn", "node", "outside", "from parent", "from first", "drawn afresh"]);
    let decibels = |x: Option<f64>| match x {
        Some(x) if x.is_finite() => format!("{x:.1}"),
        Some(_) => "equal".to_owned(),
        None => "-".to_owned(),
    };
    for (turn, d) in drifts.iter().enumerate() {
        let share = format!("{:.0}%", 100.0 * d.outside);
        table.rows.push(vec![
            (turn + 1).to_string(),
            format!("#{}", d.node),
            share,
            decibels(d.from_parent),
            decibels(d.from_root),
            decibels(d.afresh),
        ]);
    }
    table
}
