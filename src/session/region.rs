//! What lies outside the edited words' region: where a picture should have stayed as it was.

use std::sync::Arc;

use anyhow::Result;

use super::renderer::Renderer;
use super::run_node::{RunNode, RunResult};
use crate::attention::blend::{MaskRule, spread};
use crate::plan::Region;
use crate::plan::resolve::changed_tokens;

/// The threshold of the region that reports measure outside of, whatever `k` is.
pub const REPORT_K: f64 = 0.3;

/// Pixels outside the region of the words that the first of `family` changed; `None` for a root, or if its word maps
/// were not made for this grid.
///
/// The region is the union of the parent's and the node's maps of those words, summed over all steps, 3x3 maximum, above
/// 0.3 of the maximum. Where no words changed, all lies outside. Where a person said where it may change, that is the region.
#[must_use]
pub fn outside(
    family: &[Arc<RunNode>],
    left: &RunResult,
    parent: Option<&RunResult>,
    renderer: &Renderer<'_>,
) -> Option<Vec<bool>> {
    let (node, above, parent) = (&family[0], family.get(1)?, parent?);
    let (width, height) = (left.picture.width, left.picture.height);
    if let Region::Given(_) = node.plan.region() {
        let mask = left.masks.iter().flatten().last()?;
        return Some(enlarged(mask, renderer.report_rule().1, (width, height)).map(|inside| !inside).collect());
    }
    let (source, target) = changed_tokens(&above.generation, &node.generation, node.plan.spans());
    let (rule, latent) = renderer.report_rule();
    let a = above_threshold(&rule, parent, &source)?;
    let b = above_threshold(&rule, left, &target)?;
    let inside: Vec<u8> = a.iter().zip(&b).map(|(a, b)| u8::from(*a || *b)).collect();
    Some(enlarged(&inside, latent, (width, height)).map(|inside| !inside).collect())
}

/// Whether each pixel of a picture lies in a mask on the grid of its latent, row by row.
fn enlarged(mask: &[u8], (h, w): (usize, usize), (width, height): (usize, usize)) -> impl Iterator<Item = bool> {
    (0..width * height).map(move |at| mask[(at / width * h / height) * w + at % width * w / width] == 1)
}

/// What a node's parent left, and the pixels outside the region of what changed since.
pub type BesideParent = (Option<Arc<RunResult>>, Option<Vec<bool>>);

/// What the parent of the first of `family` left, and the pixels outside the region, as [`outside`] has them; `None` for
/// a root.
///
/// # Errors
/// Fails if the parent must be drawn again and cannot be.
pub fn beside_parent(family: &[Arc<RunNode>], left: &RunResult, renderer: &Renderer<'_>) -> Result<BesideParent> {
    let parent = if family.len() > 1 { Some(renderer.left(&family[1..])?) } else { None };
    let outside = outside(family, left, parent.as_deref(), renderer);
    Ok((parent, outside))
}

/// Pixels outside the regions of all edits from the root down to the first of `family`; `None` for a root. Each member
/// keeps its own, so that a turn adds one region to those of its parent.
///
/// # Errors
/// Fails if an ancestor must be drawn again and cannot be.
pub fn outside_all(family: &[Arc<RunNode>], renderer: &Renderer<'_>) -> Result<Option<Arc<Vec<bool>>>> {
    let edits = family.len().saturating_sub(1);
    let known = (0..edits).find(|i| family[*i].outside_all.get().is_some());
    let mut all = known.and_then(|i| family[i].outside_all.get().cloned().flatten());
    for i in (0..known.unwrap_or(edits)).rev() {
        let left = renderer.left(&family[i..])?;
        let (_, one) = beside_parent(&family[i..], &left, renderer)?;
        let is_first = i + 1 == edits;
        all = match (one, all) {
            (Some(one), None) if is_first => Some(Arc::new(one)),
            (Some(one), Some(all)) => Some(Arc::new(all.iter().zip(&one).map(|(a, b)| *a && *b).collect())),
            _ => None,
        };
        family[i].outside_all.get_or_init(|| all.clone());
    }
    Ok(all)
}

fn above_threshold(rule: &MaskRule, left: &RunResult, tokens: &[usize]) -> Option<Vec<bool>> {
    if tokens.is_empty() {
        return Some(vec![false; rule.latent.0 * rule.latent.1]);
    }
    let map = spread(&words_map(left, tokens, rule.grid)?, rule.grid);
    Some(rule.above(&map, rule.k).iter().map(|inside| *inside == 1).collect())
}

/// The sum over steps and tokens of a run's word maps, on their grid.
#[must_use]
pub fn words_map(left: &RunResult, tokens: &[usize], grid: (usize, usize)) -> Option<Vec<f32>> {
    let pixels = grid.0 * grid.1;
    let mut sum = vec![0.0f32; pixels];
    for maps in left.word_maps.iter() {
        for token in tokens {
            let map = maps.get(token * pixels..(token + 1) * pixels)?;
            sum.iter_mut().zip(map).for_each(|(total, value)| *total += value);
        }
    }
    Some(sum)
}
