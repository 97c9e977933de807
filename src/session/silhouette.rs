//! Where the words of an edit were in the parent's picture, told otherwise than by its maps alone.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Result};

use super::Session;
use super::file::Hinted;
use super::model::Model;
use super::region::words_map;
use super::renderer::{AncestorMaps, Renderer};
use super::run_node::RunNode;
use crate::attention::maps::Want;
use crate::attention::transition::WordPlaces;
use crate::plan::lineage::Ancestry;
use crate::plan::resolve::Resolved;
use crate::plan::settings::RegionFrom;
use crate::plan::{Recipe, Region};
use crate::prompt::Prompt;

impl Renderer<'_> {
    /// Where words of the parent, the first of `ancestors`, were in its picture; `None` where its maps say that.
    ///
    /// # Errors
    /// Fails if the parent's maps can be neither found nor computed, or there is no network that finds words.
    pub(super) fn places(
        &self,
        from: RegionFrom,
        tokens: &[usize],
        ancestors: &[Arc<RunNode>],
    ) -> Result<Option<WordPlaces>> {
        let engine = &self.model.engine;
        let (h, w, _) = engine.latent_dims((self.recipe.width, self.recipe.height));
        let layers = engine.mask_layers((h, w));
        let nowhere = |grid: (usize, usize)| WordPlaces { shares: vec![0.0; grid.0 * grid.1], grid };
        match from {
            RegionFrom::Cross => Ok(None),
            // What is only gained was nowhere.
            RegionFrom::Spread | RegionFrom::Text if tokens.is_empty() => Ok(Some(nowhere(layers.grid))),
            RegionFrom::Spread => {
                let parent = self.left(ancestors)?;
                let map = words_map(&parent, tokens, layers.grid).context("BUG: the parent has no word maps")?;
                let last = self.recipe.steps - 1;
                let self_max = layers.grid.0 * layers.grid.1;
                let mut maps = AncestorMaps { renderer: self, family: ancestors, self_max, now: HashMap::new() };
                let own = maps.find(1, last, Want { own: true, ..Want::default() })?;
                let transition = engine.transition(&own.own, (h, w))?;
                Ok(Some(WordPlaces::spread(&map, transition.as_ref(), layers)))
            }
            RegionFrom::Text => {
                let network = network_of(&self.model)?;
                let picture = &self.left(ancestors)?.picture;
                let found = network.mask(picture, &text_of(&ancestors[0].generation.prompt, tokens))?;
                Ok(Some(WordPlaces::found(&found, picture.width, (h, w))))
            }
        }
    }
}

impl Session {
    /// Whether a region that an edit of the first of `above` asks for can be found.
    ///
    /// # Errors
    /// Fails if a network is to find words, and there is none, or it does not know them.
    pub(super) fn check_region(model: &Model, recipe: &Recipe, resolved: &Resolved, above: &[&Ancestry]) -> Result<()> {
        let plan = &resolved.plan;
        let (Region::Words { source, .. }, RegionFrom::Text) = (plan.region(), plan.settings.region_from) else {
            return Ok(());
        };
        let network = network_of(model).map_err(|_| no_network(&recipe.model))?;
        let Some(parent) = above.first().filter(|_| !source.is_empty()) else { return Ok(()) };
        let text = text_of(&parent.prompt, source);
        network.knows(&text).map_err(|_| {
            let message = format!("`{text}` names no part of a picture that the network of `region_from text` knows");
            Hinted::new(message, "/set blend_words names words that it knows; /set region_from spread needs none")
                .into()
        })
    }
}

fn network_of(model: &Model) -> Result<&crate::engine::segment::Segmenter> {
    model.parts()?.ok_or_else(|| no_network(&model.name))
}

fn no_network(model: &str) -> anyhow::Error {
    let message = format!(
        "`region_from text` needs a network that knows the parts of pictures, and none comes with `{}`",
        crate::safe::printable_line(model)
    );
    Hinted::new(message, "/set region_from spread needs no network; /in \"the hair\" asks a CLIPSeg").into()
}

/// The words that tokens belong to, each once, in the order of the prompt.
fn text_of(prompt: &Prompt, tokens: &[usize]) -> String {
    let has = |word: &usize| prompt.word_tokens[*word].clone().any(|token| tokens.contains(&token));
    let words: Vec<&str> = (0..prompt.words.len()).filter(has).map(|word| prompt.words[word].as_str()).collect();
    words.join(" ")
}
