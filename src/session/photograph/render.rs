//! What a photograph leaves as a first picture, and what its descendants take of it.

use std::sync::Arc;

use anyhow::{Context, Result};

use super::super::renderer::{Renderer, RunOutput, Watch};
use super::super::run_node::{RunNode, RunResult};
use super::invert::{InversionReading, invert};
use super::paste::{border, inside_of, paste};
use crate::attention::blend::Mask;
use crate::attention::{AttentionControl, Untouched};
use crate::engine::edit::{Inherited, InheritedMasks, RunOptions, draw};
use crate::engine::inversion::Retrace;
use crate::engine::{Conditions, Guidance, Picture, Trajectory};
use crate::plan::Region;
use crate::plan::inversion::InversionName;
use crate::plan::photograph::Photograph;
use crate::plan::settings::{BlendArithmetic, Outside};

impl Renderer<'_> {
    /// How words push in a run of a node. The run of a photograph that is held on its latents needs no push: where it would
    /// lead is not asked.
    pub(in crate::session) fn guidance(&self, is_root: bool) -> Guidance {
        match self.recipe.photograph() {
            Some((_, inversion)) if is_root && inversion.is_held() => Guidance::of(1.0, self.recipe.embeds_guidance),
            _ => Guidance::of_recipe(&self.recipe),
        }
    }

    /// What runs below the root of `family` read of its inversion: remembered, from the store, or found again.
    pub(in crate::session) fn reading(&self, family: &[Arc<RunNode>]) -> Result<&InversionReading> {
        if let Some(known) = self.reading.get() {
            return Ok(known);
        }
        let root = family.last().context("BUG: a family without a root")?;
        let found = match self.recipe.computed_inversion() {
            None | Some((_, InversionName::Ddim | InversionName::Direct)) => InversionReading::default(),
            Some((picture, inversion)) => {
                let caption = self.caption(root)?;
                let device = self.model.engine.backend().device();
                let stored = root.id.and_then(|id| {
                    InversionReading::find(inversion, self.store, id, (self.recipe.steps, device), &caption)
                });
                match stored {
                    Some(found) => found,
                    None if inversion == InversionName::NegativePrompt => {
                        InversionReading { uncond: Some(vec![caption.cond]), noise: Vec::new() }
                    }
                    None => {
                        let mut go = |_: usize, _: &_| std::ops::ControlFlow::Continue(());
                        let found = invert(&self.model, &self.recipe, (picture, inversion), &caption, &mut go)?;
                        let (inverted, samples) = found.context("BUG: an unwatched inversion was stopped")?;
                        self.count(samples);
                        let found = InversionReading::of(inversion, &inverted);
                        if let Some(id) = root.id {
                            found.keep(inversion, self.store, id);
                        }
                        found
                    }
                }
            }
        };
        Ok(self.reading.get_or_init(|| found))
    }

    /// What the root's caption reads as, before its inversion.
    fn caption(&self, root: &RunNode) -> Result<Conditions> {
        let size = (self.recipe.width, self.recipe.height);
        self.model.engine.reader().conditions(&root.plan.prompt, &self.recipe.negative, size)
    }

    /// Inverts the photograph of a root and makes what any first picture leaves. `None` if it was stopped.
    pub(in crate::session) fn draw_photograph(
        &self,
        family: &[Arc<RunNode>],
        (photograph, inversion): (&Photograph, InversionName),
        watch: Watch<'_>,
    ) -> Result<Option<RunOutput>> {
        let (node, engine) = (&family[0], &self.model.engine);
        let caption = self.caption(node)?;
        let found = invert(&self.model, &self.recipe, (photograph, inversion), &caption, watch)?;
        let Some((inverted, samples)) = found else { return Ok(None) };
        self.count(samples);
        let reading = InversionReading::of(inversion, &inverted);
        if let Some(id) = node.id {
            reading.keep(inversion, self.store, id);
        }
        self.reading.get_or_init(|| reading);
        let conditions = self.conditions(family)?;
        let orders = self.orders(family);
        let run = self.run(&conditions, None, (0, true));
        let shown = inversion.latents(self.recipe.steps);
        let mut counted = |step: usize, latent: &_| {
            self.count(run.guidance.evaluations());
            watch(shown + step, latent)
        };
        // Held on the latents of the way up, so that what edits start from is the photograph and not what words make of it.
        let (mut held, mut free) = (Retrace::of(&inverted.latents), Untouched);
        let observer: &mut dyn AttentionControl = if inversion.is_held() { &mut held } else { &mut free };
        let (h, w, _) = engine.latent_dims((self.recipe.width, self.recipe.height));
        let means = RunOptions {
            layers: engine.mask_layers((h, w)),
            keep: self.keep(0),
            take: &mut self.keeping_maps(node),
            observer,
            watch: &mut counted,
        };
        let start = inverted.latents.last().context("BUG: an inversion left no latents")?.clone();
        let Some(drawn) = draw(engine, &run, &start, &orders, Inherited::default(), means)? else { return Ok(None) };
        let left = RunResult {
            trajectory: Trajectory::new(drawn.trajectory.latents().to_vec()),
            word_maps: Arc::new(drawn.word_maps),
            masks: Vec::new(),
            picture: photograph.into(),
        };
        self.keep_left(node, &left)?;
        Ok(Some(self.output(node, None, orders, left, (0, 0, drawn.row_gaps, drawn.memory))))
    }

    /// Whether the first of `family` is a photograph: nothing of it may change.
    fn is_photograph(&self, family: &[Arc<RunNode>]) -> bool {
        family.len() == 1 && self.recipe.photograph().is_some()
    }

    /// The masks of a photograph: at no step may anything change, so a turn that brings its words back brings it back.
    pub(in crate::session) fn masks_of_photograph(&self, family: &[Arc<RunNode>]) -> Result<Option<InheritedMasks>> {
        if !self.is_photograph(family) {
            return Ok(None);
        }
        let left = self.left(family)?;
        let (h, w, _) = left.trajectory.before(0).dims3()?;
        let masks: Vec<Option<Mask>> = vec![Some(vec![0; h * w]); left.trajectory.steps()];
        Ok(Some((masks, left.trajectory.after(), BlendArithmetic::Select)))
    }

    /// What becomes of `own`, the picture that the run of the first of `family` leads to: in a photograph's tree the
    /// photograph's pixels lie around its region, unless the turn asked for the model's.
    pub(in crate::session) fn finished(
        &self,
        family: &[Arc<RunNode>],
        masks: &[Option<Mask>],
        own: Picture,
    ) -> Result<Picture> {
        let Some((photograph, _)) = self.recipe.photograph() else { return Ok(own) };
        let made_by = maker(family);
        if made_by + 1 == family.len() {
            return Ok(if self.is_photograph(&family[made_by..]) { Picture::from(&**photograph) } else { own });
        }
        if family[made_by].plan.settings.outside == Outside::Model {
            return Ok(own);
        }
        self.pasted(family, masks, own)
    }

    /// `own` with the photograph's pixels around the region of the first of `family`, whatever its turn asked for.
    fn pasted(&self, family: &[Arc<RunNode>], masks: &[Option<Mask>], own: Picture) -> Result<Picture> {
        let made_by = maker(family);
        let Some(Some(mask)) = masks.last() else { return Ok(own) };
        let before = &family[made_by + 1..];
        let outside = if before.is_empty() { own.clone() } else { self.pasted_before(before)? };
        let (size, (h, w, _)) = ((own.width, own.height), self.model.engine.latent_dims((own.width, own.height)));
        let given = match family[made_by].plan.region() {
            Region::Given(area) => area.pixels(size),
            _ => None,
        };
        let mut inside = inside_of(mask, (h, w), size);
        if let Some(given) = given {
            // A place of the latent is changed as a whole; of its pixels only those that were given.
            inside.iter_mut().zip(given).for_each(|(inside, given)| *inside &= given > 0);
        }
        Ok(paste(&own, &outside, &inside, border(size.0, w)))
    }

    /// The picture of the first of `family` with the photograph's pixels around the regions of all edits so far.
    fn pasted_before(&self, family: &[Arc<RunNode>]) -> Result<Picture> {
        let left = self.left(family)?;
        let made_by = maker(family);
        let is_pasted = made_by + 1 == family.len() || family[made_by].plan.settings.outside == Outside::Photograph;
        if is_pasted { Ok(left.picture.clone()) } else { self.pasted(family, &left.masks, left.picture.clone()) }
    }
}

/// Where in a family the node stands whose region the first of it takes up, which may be itself.
fn maker(family: &[Arc<RunNode>]) -> usize {
    let mut at = 0;
    while let Some(Region::As { up }) = family.get(at).map(|node| node.plan.region()) {
        at += up;
    }
    at.min(family.len().saturating_sub(1))
}
