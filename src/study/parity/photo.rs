//! Cases of a given picture: inverted, and then edited by its words.

use std::ops::ControlFlow;

use anyhow::{Context, Result, bail, ensure};
use candle_core::Tensor;

use super::case::InversionCase;
use super::results::{Array, Results};
use super::run::{Way, Worker, from_latent, untouched};
use super::tables::text_results;
use super::words::Text;
use crate::attention::record::Keep;
use crate::engine::edit::Inherited;
use crate::engine::inversion::{
    DdimInversion, DirectInversion, EditFriendly, Inversion, Inverted, NegativePrompt, NoiseMapSampler,
};
use crate::engine::sampler::Sampler;
use crate::engine::unet::Condition;
use crate::engine::{Conditions, Guidance};
use crate::plan::inversion::InversionName;

impl Worker<'_> {
    /// The picture inverted by the case's method, retraced, and edited.
    pub(super) fn photo(mut self) -> Result<Results> {
        let case = self.case;
        let asked = case.inversion.as_ref().context("case.json lacks `inversion`")?;
        let (written, empty) = self.conditions()?;
        let vocabulary = self.engine.reader().vocabulary();
        let texts: Vec<Text> = case.prompts.iter().map(|p| Text::read(vocabulary, p)).collect::<Result<_>>()?;
        text_results(case, &texts, &mut self.out)?;
        let picture = self.picture()?;
        let clean = self.engine.encode(&picture)?;
        self.put_latents("image_latent", std::slice::from_ref(&clean))?;
        let name: InversionName = asked.method.parse()?;
        let inversion = self.inversion(name, asked)?;
        let conditions = Conditions { cond: written[0].clone(), uncond: vec![empty] };
        let mut watch = |_: usize, _: &Tensor| ControlFlow::Continue(());
        let found = inversion.invert(self.engine, &picture, &conditions, &mut watch)?;
        let inverted = found.context("BUG: an unwatched inversion was stopped")?;
        let steps = case.steps();
        let top = if name == InversionName::EditFriendly { steps - asked.skip } else { steps };
        self.put_inverted(name, &inverted)?;
        let start = inverted.latents[top].clone();
        let Inverted { latents, conditions, noise, .. } = inverted;
        if name == InversionName::EditFriendly {
            let sampler = NoiseMapSampler::new(self.ddim()?, asked.eta, asked.skip);
            self.noise = noise[asked.skip..].to_vec();
            self.way.sampler = Some(Box::new(sampler));
            self.way.guidance = Some(Guidance::of(asked.source_guidance, false));
        }
        if name == InversionName::Direct {
            self.way.held = Some(latents);
        }
        let length = texts[0].ids.len();
        let self_max = case.edit.as_ref().map_or(0, |e| e.self_replace_max_pixels);
        let keep = Keep { cross: 0..top, own: 0..top, ending: false, self_max, values: false, half: false };
        let (source, probe) = self.draw(&conditions, &start, &untouched(length), Inherited::default(), keep)?;
        self.put_latents("source_latents", source.left.trajectory.latents())?;
        self.put_picture("source_image", &self.engine.decode(source.left.trajectory.last())?);
        if texts.len() > 1 {
            self.way = Way { held: None, ..self.way };
            if name == InversionName::EditFriendly {
                self.way.guidance = Some(Guidance::of(asked.target_guidance, false));
            }
            let readings: (&[Condition], &[Condition]) = (&written, &conditions.uncond);
            self.targets(case.edit.as_ref(), &texts, readings, &start, source, &mut vec![probe])?;
        }
        Ok(self.out)
    }

    fn inversion(&self, name: InversionName, asked: &InversionCase) -> Result<Box<dyn Inversion>> {
        let ddim = DdimInversion { ddim: self.ddim()? };
        Ok(match name {
            InversionName::Ddim => Box::new(ddim),
            InversionName::Direct => Box::new(DirectInversion { ddim }),
            InversionName::NegativePrompt => Box::new(NegativePrompt { ddim, interpolation: asked.interpolation }),
            InversionName::EditFriendly => {
                let steps = ddim.ddim.timesteps().len();
                ensure!(self.noise.len() == steps, "`noise` is of {} steps, expected {steps}", self.noise.len());
                ensure!(asked.skip < steps, "`skip` {} leaves no step of {steps}", asked.skip);
                Box::new(EditFriendly {
                    ddim: ddim.ddim,
                    eta: asked.eta,
                    guidance: Guidance::of(asked.source_guidance, false),
                    noise: self.noise.clone(),
                })
            }
            InversionName::NullText => bail!("case.json asks for `{name}` before an edit, which is not built here"),
        })
    }

    fn put_inverted(&mut self, name: InversionName, inverted: &Inverted) -> Result<()> {
        let text = &inverted.conditions.uncond[0].text;
        self.put("uncond_embeddings_used", Array::f32(text.dims(), text.flatten_all()?.to_vec1()?));
        if name != InversionName::EditFriendly {
            return self.put_latents("inverted_latents", &inverted.latents);
        }
        self.put_latents("noised_latents", &inverted.latents)?;
        let (h, w, c) = inverted.noise[0].dims3()?;
        let mut values = Vec::new();
        // Counted from the least noisy level.
        for map in inverted.noise.iter().rev() {
            values.extend(from_latent(map)?);
        }
        self.put("noise_maps", Array::f32(&[inverted.noise.len(), c, h, w], values));
        Ok(())
    }
}
