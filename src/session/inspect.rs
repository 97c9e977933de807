//! What can be seen of a node without drawing: where its words attend, what its edit may change, what the store holds.

use std::sync::Arc;

use anyhow::Result;

use super::drawing::Looked;
use super::file::Hinted;
use super::region::{REPORT_K, words_map};
use super::run_node::{self, RunResult};
use super::{Session, area};
use crate::attention::blend::{MaskRule, MaskWords};
use crate::engine::{Guidance, Picture};
use crate::history::Event;
use crate::plan::lineage::Ancestry;
use crate::plan::redraw::Redraw;
use crate::plan::resolve::changed_tokens;
use crate::plan::settings::RegionFrom;
use crate::plan::{Plan, Recipe, Region};
use crate::store::Stats;
use crate::turn::Replaced;

/// The setting under which a session's title stands in its file.
pub const TITLE: &str = "title";

/// A map over the picture: its values row by row, and the grid's height and width.
pub type Map = (Vec<f32>, (usize, usize));

/// Where an edit may change the picture.
pub struct Shaded {
    /// One entry a latent pixel, row by row: true where the picture may change.
    pub mask: Vec<bool>,
    /// Height and width of the latent.
    pub grid: (usize, usize),
    /// The threshold it was made with.
    pub k: f64,
    /// The threshold the node was drawn with; 0 if nothing was blended.
    pub drawn_with: f64,
    /// The words whose maps made it: given up in the parent, gained in the node.
    pub words: (Vec<String>, Vec<String>),
    /// The node that made it, where the edit took up an ancestor's.
    pub made_by: u32,
    /// UNet samples that it took: none, unless the store has lost what the runs left.
    pub evaluations: u64,
    /// What a person said of it, where one did: then maps have no say.
    pub given: Option<String>,
}

impl Session {
    /// A node's prompt with identities and weights.
    ///
    /// # Errors
    /// Fails if its model cannot be loaded.
    pub fn generation(&mut self, node: u32) -> Result<Ancestry> {
        let recipe = self.tree()[node].recipe.clone();
        let model = self.model_for(&recipe)?;
        Ok(self.family(node, &model)?[0].generation.clone())
    }

    /// The rule that masks of a node are made by, at the threshold of reports.
    ///
    /// # Errors
    /// Fails if its model cannot be loaded.
    pub fn mask_rule(&mut self, node: u32) -> Result<MaskRule> {
        let recipe = self.tree()[node].recipe.clone();
        let model = self.model_for(&recipe)?;
        let (h, w, _) = model.engine.latent_dims((recipe.width, recipe.height));
        let grid = model.engine.mask_layers((h, w)).grid;
        Ok(MaskRule { k: REPORT_K, substruct_k: REPORT_K, grid, latent: (h, w) })
    }

    /// Where words of a node attend: the sum over all steps of the maps of these words' tokens, and the grid's height
    /// and width. `None` if the words have no tokens or the maps are of another model.
    ///
    /// # Errors
    /// Fails if the node must be drawn again and cannot be.
    pub fn attention(&mut self, node: u32, words: &[usize]) -> Result<Option<Map>> {
        let generation = self.generation(node)?;
        let grid = self.mask_rule(node)?.grid;
        let ranges = words.iter().filter_map(|word| generation.prompt.word_tokens.get(*word));
        let tokens: Vec<usize> = ranges.flat_map(Clone::clone).collect();
        if tokens.is_empty() {
            return Ok(None);
        }
        let left = self.look(node)?.0;
        Ok(words_map(&left, &tokens, grid).map(|map| (map, grid)))
    }

    /// The region of a node's edit as it was drawn, or, with `k`, as it would be at another threshold: from stored maps,
    /// without running the UNet.
    ///
    /// # Errors
    /// Fails for a first picture, or if the edit changed no words.
    pub fn region_of(&mut self, node: u32, k: Option<f64>) -> Result<Shaded> {
        let mut made_by = node;
        while let Region::As { up } = *self.tree()[made_by].plan.region() {
            let above = self.tree().ancestors(made_by).nth(up - 1).map(|n| n.number);
            let Some(above) = above.filter(|n| !self.tree()[*n].is_root()) else { break };
            made_by = above;
        }
        let plan = self.tree()[made_by].plan.clone();
        let Some(parent) = self.tree()[made_by].parent else {
            return Err(Hinted::new(
                format!("#{made_by} is a first picture: no edit has a region there"),
                "make an edit first",
            )
            .into());
        };
        let (above, own) = (self.generation(parent)?, self.generation(made_by)?);
        let (source, target) = match plan.region() {
            Region::Words { source, target, source_out, target_out } => (
                MaskWords { within: source.clone(), without: source_out.clone() },
                MaskWords { within: target.clone(), without: target_out.clone() },
            ),
            _ => {
                let (source, target) = changed_tokens(&above, &own, plan.spans());
                (MaskWords { within: source, without: vec![] }, MaskWords { within: target, without: vec![] })
            }
        };
        let is_given = matches!(plan.region(), Region::Given(_) | Region::Difference);
        if source.within.is_empty() && target.within.is_empty() && plan.redraw().is_none() && !is_given {
            return Err(Hinted::new(
                format!("the edit of #{made_by} changed no words, so it has no region"),
                "/maps WORD shows any word",
            )
            .into());
        }
        let blended = matches!(plan.region(), Region::Words { .. });
        let drawn_with = if blended { plan.settings.k } else { 0.0 };
        let k_used = k.unwrap_or(if drawn_with > 0.0 { drawn_with } else { REPORT_K });
        let rule = MaskRule { k: k_used, substruct_k: plan.settings.substruct_k, ..self.mask_rule(made_by)? };
        let Looked { left, parent: before, evaluations, .. } = self.look_closely(made_by)?;
        let stored = left.masks.iter().rev().flatten().next().filter(|_| k.is_none() || is_given);
        let mask = match (stored, before) {
            (Some(mask), _) => mask.iter().map(|inside| *inside == 1).collect(),
            (None, _) if plan.redraw().is_some() => vec![true; rule.latent.0 * rule.latent.1],
            (None, Some(before)) => {
                let (a, b) = (summed(&before), summed(&left));
                let (family, renderer) = self.renderer_at(made_by)?;
                let from = if blended { plan.settings.region_from } else { RegionFrom::Cross };
                let mask = match renderer.places(from, &source.within, &family[1..])? {
                    Some(places) => rule.mask_beside(&places, (&a, &source), (&b, &target)),
                    None => rule.mask((&a, &source), (&b, &target)),
                };
                mask.iter().map(|inside| *inside == 1).collect()
            }
            (None, None) => Vec::new(),
        };
        let words = (words_of(&above, &source.within), words_of(&own, &target.within));
        let given = match plan.region() {
            Region::Given(area) => Some(area::said(area, &above.prompt)),
            Region::Difference => Some("where both prompts have other noise".to_owned()),
            Region::Everywhere if plan.redraw().is_some() => Some("all of it is drawn again".to_owned()),
            _ => None,
        };
        Ok(Shaded { mask, grid: rule.latent, k: k_used, drawn_with, words, made_by, evaluations, given })
    }

    /// Pixels outside the words that differ between two nodes: the rule of reports, for any two nodes of one size.
    /// `None` if their sizes or models differ, or no word differs.
    ///
    /// # Errors
    /// Fails if a node must be drawn again and cannot be.
    pub fn outside_between(&mut self, a: u32, b: u32, spans: &[Replaced]) -> Result<Option<Vec<bool>>> {
        let (first, second) = (self.generation(a)?, self.generation(b)?);
        let (rule, other) = (self.mask_rule(a)?, self.mask_rule(b)?);
        if rule != other {
            return Ok(None);
        }
        let (source, target) = changed_tokens(&first, &second, spans);
        if source.is_empty() && target.is_empty() {
            return Ok(None);
        }
        let (x, y) = (self.look(a)?.0, self.look(b)?.0);
        let words = |within| MaskWords { within, without: Vec::new() };
        let mask = rule.mask((&summed(&x), &words(source)), (&summed(&y), &words(target)));
        let (width, height) = (x.picture.width, x.picture.height);
        let at = |p: usize| (p / width * rule.latent.0 / height) * rule.latent.1 + p % width * rule.latent.1 / width;
        Ok(Some((0..width * height).map(|p| mask[at(p)] == 0).collect()))
    }

    /// UNet samples that a node's own run takes, if all that it needs of its ancestors is there.
    #[must_use]
    pub fn evaluations_of(&self, node: u32) -> u64 {
        let redrawn = self.tree()[self.begun_at(node)].plan.redraw();
        let more = self.tree()[node].plan.redraw();
        run_cost(&self.tree()[node].recipe, redrawn, more)
    }

    /// The same of a child of `parent` with this plan; of a first picture, where there is none.
    #[must_use]
    pub fn evaluations_planned(&self, parent: Option<u32>, plan: &Plan, recipe: &Recipe) -> u64 {
        let above =
            parent.filter(|_| plan.goes_on()).and_then(|parent| self.tree()[self.begun_at(parent)].plan.redraw());
        run_cost(recipe, plan.redraw().or(above), plan.redraw())
    }

    /// A node's picture if the store has it; nothing is drawn.
    #[must_use]
    pub fn picture_if_stored(&self, node: u32) -> Option<Picture> {
        run_node::find_picture(&self.store, self.tree().node(node)?.id)
    }

    /// What the store has done and holds.
    #[must_use]
    pub fn store_stats(&self) -> Stats {
        self.store.stats()
    }

    /// What the session is called for people, if `/name` gave it a title.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        let mut told = self.tree().settings().iter().chain(&self.unsaved).rev();
        told.find(|(name, _)| name == TITLE).map(|(_, title)| title.as_str())
    }

    /// Gives the session a title. The file is only ever appended to, so it is an event like any other.
    ///
    /// # Errors
    /// Fails if the event cannot be written.
    pub fn set_title(&mut self, title: &str) -> Result<()> {
        let (name, value) = (TITLE.to_owned(), title.split_whitespace().collect::<Vec<_>>().join(" "));
        if self.file.is_some() {
            return self.commit(Event::Set { name, value }, None);
        }
        self.unsaved.push((name, value));
        Ok(())
    }

    /// Whether this window may only look.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// The budgets of the store.
    #[must_use]
    pub fn limits(&self) -> &crate::store::Limits {
        &self.limits
    }
}

/// UNet samples of a run that begins where `redrawn` does, and does `more` besides.
fn run_cost(recipe: &Recipe, redrawn: Option<&Redraw>, more: Option<&Redraw>) -> u64 {
    let steps = recipe.steps;
    let made = steps - redrawn.map_or(0, |redraw| redraw.method.first(steps));
    Guidance::of_recipe(recipe).evaluations() * made as u64
        + more.map_or(0, |redraw| redraw.method.more_evaluations(steps))
}

/// Word maps summed over all steps, `[keys, pixels]`.
fn summed(left: &Arc<RunResult>) -> Vec<f32> {
    let mut sum = left.word_maps.first().cloned().unwrap_or_default();
    for maps in left.word_maps.iter().skip(1) {
        sum.iter_mut().zip(maps).for_each(|(total, value)| *total += value);
    }
    sum
}

/// The words that tokens belong to, each once.
fn words_of(generation: &Ancestry, tokens: &[usize]) -> Vec<String> {
    let prompt = &generation.prompt;
    let inside = |word: &usize| prompt.word_tokens[*word].clone().any(|t| tokens.contains(&t));
    (0..prompt.words.len()).filter(inside).map(|word| prompt.words[word].clone()).collect()
}
