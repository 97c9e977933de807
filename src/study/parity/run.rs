//! Cases answered.

use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use candle_core::Tensor;

use super::ModelFolders;
use super::case::{Case, CaseKind, EditCase, calls_of, scheduler_of};
use super::masks::masks;
use super::probe::Probe;
use super::results::{Array, Numbers, Results, read};
use super::tables::{schedule_results, schedules, text_results};
use super::words::{Text, mask_words, orders, target_words};
use crate::attention::Chain;
use crate::attention::blend::Parent;
use crate::attention::maps::{MapSource, StepMaps, Want};
use crate::attention::record::{Keep, MaskLayers};
use crate::engine::edit::{DrawOutput, Inherited, RunOptions, RunPlan, draw};
use crate::engine::inversion::{DdimInversion, Inversion, Inverted, NullText, NullTextRule, Optimised, Retrace};
use crate::engine::sampler::{Ddim, Sampler, sampler};
use crate::engine::schedule::NoiseSchedule;
use crate::engine::unet::Condition;
use crate::engine::{Conditions, Engine, Guidance, Picture, Run, StepNoise, Trajectory, vocabulary};
use crate::model::spec::{ModelSpec, SchedulerSpec};
use crate::plan::sampler::SamplerName;
use crate::plan::settings::Precision;

/// Runs a case and gives everything it can.
pub(super) fn answer(case: &Case, models: &mut ModelFolders) -> Result<Results> {
    if case.kind == CaseKind::Schedule {
        return schedules(case);
    }
    let inputs = case.folder.join("input.safetensors");
    let inputs = if inputs.is_file() { read(&inputs)? } else { Results::new() };
    if case.kind == CaseKind::Text {
        let source = models.source(case)?;
        let spec = ModelSpec::read(&*source)?.text;
        let vocabulary = vocabulary(&*source, "tokenizer", spec.positions)?;
        let texts: Vec<Text> = case.prompts.iter().map(|p| Text::read(&vocabulary, p)).collect::<Result<_>>()?;
        let mut out = Results::new();
        text_results(case, &texts, &mut out)?;
        return Ok(out);
    }
    if let CaseKind::Clipseg | CaseKind::TextInpaint = case.kind {
        models.load_segmenter(case)?;
    }
    if case.kind == CaseKind::Clipseg {
        return masks(case, &inputs, models.segmenter(case)?);
    }
    models.load(case, false)?;
    if case.kind == CaseKind::NullText {
        models.load(case, true)?;
    }
    let engine = models.engine(case, false)?;
    let noise = noise(&inputs, engine)?;
    let worker = Worker { case, engine, inputs, noise, way: Way::default(), out: Results::new() };
    match case.kind {
        CaseKind::PhotoEdit => worker.photo(),
        CaseKind::Sdedit | CaseKind::Magicmix | CaseKind::Blended | CaseKind::Diffedit | CaseKind::Edict => {
            worker.method()
        }
        CaseKind::TextInpaint => worker.text_inpaint(models.segmenter(case)?),
        CaseKind::Imagic => worker.imagic(models),
        CaseKind::Unitune => worker.unitune(models),
        CaseKind::Parts => worker.parts(),
        CaseKind::Invert | CaseKind::NullText => worker.invert(models),
        CaseKind::Generate | CaseKind::Edit | CaseKind::Text | CaseKind::Schedule | CaseKind::Clipseg => {
            worker.pictures()
        }
    }
}

pub(super) struct Worker<'a> {
    pub(super) case: &'a Case,
    pub(super) engine: &'a Engine,
    pub(super) inputs: Results,
    /// The noise of each step, for samplers that add some.
    pub(super) noise: Vec<Tensor>,
    pub(super) way: Way,
    pub(super) out: Results,
}

/// What of a run is not as the case has it for all its runs.
#[derive(Debug, Default)]
pub(super) struct Way {
    /// Another sampler.
    pub(super) sampler: Option<Box<dyn Sampler>>,
    /// Another guidance.
    pub(super) guidance: Option<Guidance>,
    /// Latents that the run is held on.
    pub(super) held: Option<Vec<Tensor>>,
}

fn noise(inputs: &Results, engine: &Engine) -> Result<Vec<Tensor>> {
    let Some(Array { shape, numbers: Numbers::F32(values) }) = inputs.get("noise") else { return Ok(Vec::new()) };
    let [.., c, h, w] = shape[..] else { anyhow::bail!("`noise` has shape {shape:?}") };
    to_latents(values, (c, h, w), engine)
}

/// The picture among a case's inputs.
pub(super) fn picture(inputs: &Results) -> Result<Picture> {
    let image = inputs.get("image").context("input.safetensors lacks `image`")?;
    let Numbers::U8(bytes) = &image.numbers else { anyhow::bail!("`image` is not of bytes") };
    let [height, width, 3] = image.shape[..] else { anyhow::bail!("`image` has shape {:?}", image.shape) };
    Ok(Picture { width, height, bytes: bytes.clone() })
}

/// Several latents that follow one another.
pub(super) fn to_latents(values: &[f32], dims: (usize, usize, usize), engine: &Engine) -> Result<Vec<Tensor>> {
    values.chunks(dims.0 * dims.1 * dims.2).map(|one| to_latent(one, dims, engine)).collect()
}

/// Channels first to channels last, without the batch, where the engine computes.
fn to_latent(values: &[f32], (c, h, w): (usize, usize, usize), engine: &Engine) -> Result<Tensor> {
    let t = Tensor::from_slice(values, (c, h, w), engine.backend().device())?;
    Ok(t.permute((1, 2, 0))?.contiguous()?)
}

/// Channels last to channels first.
pub(super) fn from_latent(latent: &Tensor) -> Result<Vec<f32>> {
    Ok(latent.permute((2, 0, 1))?.flatten_all()?.to_vec1()?)
}

/// A picture that was drawn, with its maps.
pub(super) struct Drawn {
    pub(super) left: DrawOutput,
    maps: Kept,
}

/// The source's maps, all kept.
pub(super) struct Kept(pub(super) Vec<Arc<StepMaps>>);

impl MapSource for Kept {
    fn maps(&mut self, _up: usize, step: usize, _want: Want) -> candle_core::Result<Arc<StepMaps>> {
        Ok(self.0[step].clone())
    }
}

impl Worker<'_> {
    fn scheduler(&self) -> Result<(SamplerName, SchedulerSpec)> {
        match &self.case.scheduler {
            Some(settings) => scheduler_of(settings, Some(&self.engine.spec().scheduler)),
            None => Ok((SamplerName::Ddim, self.engine.spec().scheduler.clone())),
        }
    }

    fn sampler(&self) -> Result<Box<dyn Sampler>> {
        if let Some(sampler) = &self.way.sampler {
            return Ok(sampler.after(&[]));
        }
        let (name, spec) = self.scheduler()?;
        sampler(name, &spec, calls_of(name, self.case.steps()))
    }

    pub(super) fn ddim(&self) -> Result<Ddim> {
        let (_, spec) = self.scheduler()?;
        Ddim::new(NoiseSchedule::new(&spec), &spec, self.case.steps())
    }

    pub(super) fn floats(&self, name: &str) -> Result<(&[usize], &[f32])> {
        let array = self.inputs.get(name).with_context(|| format!("input.safetensors lacks `{name}`"))?;
        match &array.numbers {
            Numbers::F32(values) => Ok((&array.shape, values)),
            _ => anyhow::bail!("`{name}` is not of floats"),
        }
    }

    pub(super) fn put(&mut self, name: &str, array: Array) {
        self.out.insert(name.to_owned(), array);
    }

    /// The embeddings of all prompts and of the empty one, given out as results too.
    pub(super) fn conditions(&mut self) -> Result<(Vec<Condition>, Condition)> {
        let ids = self.case.sdxl.as_ref().map_or([0.0; 6], |s| s.time_ids);
        let reader = self.engine.reader();
        let written: Vec<Condition> = self.case.prompts.iter().map(|p| reader.embed(p, ids)).collect::<Result<_>>()?;
        let empty = reader.embed_empty("", ids)?;
        let (_, tokens, width) = empty.text.dims3()?;
        let mut all: Vec<f32> = Vec::new();
        for c in &written {
            all.extend(c.text.flatten_all()?.to_vec1::<f32>()?);
        }
        let mut token_ids = Vec::new();
        for text in &self.case.prompts {
            token_ids.extend(reader.prompt(text)?.ids.iter().map(|id| i64::from(*id)));
        }
        self.put("token_ids", Array::i64(&[written.len(), tokens], token_ids));
        self.put("text_embeddings", Array::f32(&[written.len(), tokens, width], all));
        self.put("uncond_embeddings", Array::f32(&[1, tokens, width], empty.text.flatten_all()?.to_vec1()?));
        let pooled: Vec<&Tensor> = written.iter().filter_map(|c| c.added.as_ref().map(|a| &a.0)).collect();
        if !pooled.is_empty() {
            let pooled = Tensor::cat(&pooled, 0)?;
            let shape = pooled.dims().to_vec();
            self.put("pooled_embeddings", Array::f32(&shape, pooled.flatten_all()?.to_vec1()?));
        }
        Ok((written, empty))
    }

    /// The empty prompt's embedding for each step, where the case gives it.
    fn empties(&self, empty: Condition) -> Result<Vec<Condition>> {
        if !self.inputs.contains_key("uncond_list") {
            return Ok(vec![empty]);
        }
        let (shape, values) = self.floats("uncond_list")?;
        ensure!(shape.len() == 3, "`uncond_list` has shape {shape:?}");
        let all = Tensor::from_slice(values, shape, self.engine.backend().device())?;
        let one = |i: usize| Ok(Condition { text: all.narrow(0, i, 1)?, added: empty.added.clone() });
        (0..shape[0]).map(one).collect()
    }

    fn parts(mut self) -> Result<Results> {
        let (written, _) = self.conditions()?;
        let schedule = NoiseSchedule::new(&self.scheduler()?.1);
        let alphas_cumprod = schedule.alphas_cumprod().to_vec();
        self.put("alphas_cumprod", Array::f32(&[alphas_cumprod.len()], alphas_cumprod));
        if self.inputs.contains_key("latents") && self.inputs.contains_key("timesteps") {
            self.predictions(&written)?;
        }
        self.autoencoder()?;
        Ok(self.out)
    }

    /// Single calls of the UNet on all prompts at once, and single steps on what the first gives.
    fn predictions(&mut self, written: &[Condition]) -> Result<()> {
        let (shape, values) = self.floats("latents")?;
        let (n, dims) = (shape[0], (shape[1], shape[2], shape[3]));
        let levels: Vec<f32> =
            match &self.inputs.get("timesteps").context("input.safetensors lacks `timesteps`")?.numbers {
                Numbers::I64(v) => v.iter().map(|t| *t as f32).collect(),
                Numbers::F32(v) => v.clone(),
                Numbers::U8(v) => v.iter().map(|t| f32::from(*t)).collect(),
            };
        let latents = to_latents(values, dims, self.engine)?;
        let batch = Tensor::stack(&latents, 0)?;
        let texts: Vec<&Tensor> = written.iter().map(|c| &c.text).collect();
        let condition = Condition {
            text: Tensor::cat(&texts, 0)?,
            added: match &written[0].added {
                Some((_, ids)) => {
                    let pooled: Vec<&Tensor> = written.iter().filter_map(|c| c.added.as_ref().map(|a| &a.0)).collect();
                    Some((Tensor::cat(&pooled, 0)?, *ids))
                }
                None => None,
            },
        };
        let guidance = match self.case.guidance() {
            Guidance::Embedded { scale } => Some(scale),
            Guidance::Classifier { .. } | Guidance::None => None,
        };
        for (i, level) in levels.iter().enumerate() {
            let output = self.engine.predict(&batch, &condition, *level, guidance)?;
            let mut values = Vec::new();
            for j in 0..n {
                values.extend(from_latent(&output.get(j)?)?);
            }
            self.put(&format!("unet_out_{i}"), Array::f32(&[n, dims.0, dims.1, dims.2], values));
            if i == 0 && self.case.asks("ddim_step") {
                let ddim = self.ddim()?;
                let mut moved = Vec::new();
                let last = ddim.timesteps().len() - 1;
                for step in [0, 4.min(last), last] {
                    for (j, latent) in latents.iter().enumerate() {
                        moved.extend(from_latent(&ddim.step_on(latent, &output.get(j)?, step)?)?);
                    }
                }
                self.put("ddim_step", Array::f32(&[3, n, dims.0, dims.1, dims.2], moved));
            }
        }
        Ok(())
    }

    /// Calls of the autoencoder whose inputs are there.
    fn autoencoder(&mut self) -> Result<()> {
        if self.inputs.contains_key("vae_latents") {
            let (shape, values) = self.floats("vae_latents")?;
            let latent = to_latent(values, (shape[1], shape[2], shape[3]), self.engine)?;
            let decoded = self.engine.vae().decode(&latent)?;
            let (h, w, c) = decoded.dims3()?;
            self.put("vae_decoded", Array::f32(&[1, c, h, w], from_latent(&decoded)?));
        }
        if self.inputs.contains_key("vae_pixels") {
            let (shape, values) = self.floats("vae_pixels")?;
            let pixels = to_latent(values, (shape[1], shape[2], shape[3]), self.engine)?;
            let (mean, variance) = self.engine.vae().encode(&pixels)?;
            let (h, w, c) = mean.dims3()?;
            let shape = [1, c, h, w];
            let mean = from_latent(&mean)?;
            match variance {
                Some(variance) => {
                    self.put("vae_mean", Array::f32(&shape, mean));
                    self.put("vae_logvar", Array::f32(&shape, from_latent(&variance)?));
                }
                None => self.put("vae_encoded", Array::f32(&shape, mean)),
            }
        }
        Ok(())
    }

    pub(super) fn put_latents(&mut self, name: &str, latents: &[Tensor]) -> Result<()> {
        let (h, w, c) = latents[0].dims3()?;
        let mut values = Vec::new();
        for latent in latents {
            values.extend(from_latent(latent)?);
        }
        self.put(name, Array::f32(&[latents.len(), c, h, w], values));
        Ok(())
    }

    /// Latents of several runs of one length, step by step.
    pub(super) fn put_runs(&mut self, name: &str, runs: &[&[Tensor]]) -> Result<()> {
        let (h, w, c) = runs[0][0].dims3()?;
        let mut values = Vec::new();
        for step in 0..runs[0].len() {
            for run in runs {
                values.extend(from_latent(&run[step])?);
            }
        }
        self.put(name, Array::f32(&[runs[0].len(), runs.len(), c, h, w], values));
        Ok(())
    }

    pub(super) fn put_picture(&mut self, name: &str, picture: &Picture) {
        self.put(name, Array::u8(&[picture.height, picture.width, 3], picture.bytes.clone()));
    }

    /// One prompt's run by the conversation's own `draw`.
    pub(super) fn draw(
        &self,
        conditions: &Conditions,
        start: &Tensor,
        orders: &RunPlan,
        before: Inherited<'_>,
        keep: Keep,
    ) -> Result<(Drawn, Probe)> {
        let run = Run {
            conditions,
            sampler: &*self.sampler()?,
            noise: StepNoise::Given(&self.noise),
            first: 0,
            guidance: self.way.guidance.unwrap_or_else(|| self.case.guidance()),
            map_precision: Precision::F32,
        };
        let layers = self.layers(start)?;
        let steps = self.case.probe.as_ref().map_or(&[][..], |p| &p.steps);
        let mut probe = Probe::new(steps, self.probe_heads(), layers);
        let mut watch = |_: usize, _: &Tensor| ControlFlow::Continue(());
        let mut held = Retrace::of(self.way.held.as_deref().unwrap_or_default());
        let mut both = Chain([&mut probe, &mut held]);
        let mut maps = Vec::new();
        let mut take = |_: usize, of_step: StepMaps| maps.push(Arc::new(of_step));
        let means = RunOptions { layers, keep, take: &mut take, observer: &mut both, watch: &mut watch };
        let left =
            draw(self.engine, &run, start, orders, before, means)?.context("BUG: an unwatched run was stopped")?;
        Ok((Drawn { left, maps: Kept(maps) }, probe))
    }

    /// The published masks are made at 16x16, whatever the size.
    fn layers(&self, start: &Tensor) -> Result<MaskLayers> {
        let (h, w, _) = start.dims3()?;
        let grids = self.engine.unet().text_grids((h, w));
        let found = grids.iter().find(|(grid, _)| *grid == (16, 16));
        Ok(found
            .map_or_else(|| self.engine.mask_layers((h, w)), |(grid, count)| MaskLayers { grid: *grid, count: *count }))
    }

    /// Heads of the first 16x16 layer on the way down.
    fn probe_heads(&self) -> usize {
        let spec = &self.engine.spec().unet;
        let side = self.inputs.get("latents").map_or(32, |l| l.shape[2]);
        (0..spec.heads.len()).find(|i| side >> i == 16).map_or(spec.heads[0], |i| spec.heads[i])
    }

    fn pictures(mut self) -> Result<Results> {
        let (written, empty) = self.conditions()?;
        let empty = self.empties(empty)?;
        let texts: Vec<Text> = self
            .case
            .prompts
            .iter()
            .map(|p| Text::read(self.engine.reader().vocabulary(), p))
            .collect::<Result<_>>()?;
        text_results(self.case, &texts, &mut self.out)?;
        let (shape, values) = self.floats("latents")?;
        let sampler = self.sampler()?;
        let start = (to_latent(values, (shape[1], shape[2], shape[3]), self.engine)? * sampler.init_noise_scale())?;
        schedule_results(&*sampler, "", &mut self.out);
        let calls = sampler.timesteps().len();
        let length = texts[0].ids.len();
        let self_max = self.case.edit.as_ref().map_or(0, |e| e.self_replace_max_pixels);
        let keep = if self.case.edit.is_some() {
            Keep { cross: 0..calls, own: 0..calls, ending: false, self_max, values: false, half: false }
        } else {
            Keep::default()
        };
        let conditions = Conditions { cond: written[0].clone(), uncond: empty.clone() };
        let (source, probe) = self.draw(&conditions, &start, &untouched(length), Inherited::default(), keep)?;
        let trajectory = &source.left.trajectory;
        self.put_latents("source_latents", trajectory.latents())?;
        let picture = self.engine.decode(trajectory.last())?;
        self.put_picture("source_image", &picture);
        self.put_latents("final_latents", std::slice::from_ref(trajectory.last()))?;
        let mut probes = vec![probe];
        if let Some(edit) = &self.case.edit {
            self.targets(Some(edit), &texts, (&written, &empty), &start, source, &mut probes)?;
        }
        self.put_probes(&probes, length)?;
        Ok(self.out)
    }

    pub(super) fn targets(
        &mut self,
        edit: Option<&EditCase>,
        texts: &[Text],
        (written, empty): (&[Condition], &[Condition]),
        start: &Tensor,
        Drawn { left: source, maps: mut kept }: Drawn,
        probes: &mut Vec<Probe>,
    ) -> Result<()> {
        let mut finals = vec![source.trajectory.last().clone()];
        let parent = Parent { latents: source.trajectory.after(), word_maps: Arc::new(source.word_maps), places: None };
        let (mut runs, mut pictures, mut masks) = (Vec::new(), Vec::new(), Vec::new());
        let mut maps: Vec<Vec<f32>> = Vec::new();
        for (i, target) in texts.iter().enumerate().skip(1) {
            let orders = match edit {
                Some(edit) => {
                    let words = target_words(edit, &texts[0], target, i - 1, self.case.steps())?;
                    orders(self.case, edit, &words, (mask_words(edit, &texts[0], 0), mask_words(edit, target, i)))
                }
                None => untouched(target.ids.len()),
            };
            let conditions = Conditions { cond: written[i].clone(), uncond: empty.to_vec() };
            let before = Inherited { parent: Some(parent.clone()), taken_up: None, maps: Some(&mut kept), begun: None };
            let (Drawn { left: drawn, .. }, probe) = self.draw(&conditions, start, &orders, before, Keep::default())?;
            probes.push(probe);
            pictures.push(self.engine.decode(drawn.trajectory.last())?);
            if let Some(Some(mask)) = drawn.masks.last() {
                masks.extend_from_slice(mask);
            }
            if let Some((a, b)) = drawn.mask_maps {
                if maps.is_empty() {
                    maps.push(a);
                }
                maps.push(b);
            }
            finals.push(drawn.trajectory.last().clone());
            runs.push(drawn.trajectory);
        }
        self.put_latents("final_latents", &finals)?;
        let latents: Vec<&[Tensor]> = runs.iter().map(Trajectory::latents).collect();
        self.put_runs("target_latents", &latents)?;
        let (height, width) = (pictures[0].height, pictures[0].width);
        let bytes = pictures.into_iter().flat_map(|p| p.bytes).collect();
        self.put("target_image", Array::u8(&[runs.len(), height, width, 3], bytes));
        if !masks.is_empty() {
            let (h, w, _) = start.dims3()?;
            self.put("blend_mask", Array::u8(&[runs.len(), h, w], masks));
        }
        if !maps.is_empty() {
            let count = maps.len();
            for map in &mut maps {
                let max = map.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                map.iter_mut().for_each(|v| *v /= max);
            }
            self.put("blend_map", Array::f32(&[count, 16, 16], maps.concat()));
        }
        Ok(())
    }

    fn put_probes(&mut self, probes: &[Probe], keys: usize) -> Result<()> {
        let count = probes.len();
        let Some(probe) = &self.case.probe else { return Ok(()) };
        let steps = probe.steps.len();
        if probes.iter().all(|p| p.cross.len() == steps && steps > 0) {
            let by_step = |i: usize| probes.iter().flat_map(move |p| p.cross[i].iter().copied());
            let cross = (0..steps).flat_map(by_step).collect();
            self.put("attn_cross_16", Array::f32(&[steps, count, 256, keys], cross));
        }
        if probes.iter().all(|p| p.own.len() == steps && steps > 0) {
            let heads = probes[0].own[0].len() / 16 / 256;
            let own = (0..steps).flat_map(|i| probes.iter().flat_map(move |p| p.own[i].iter().copied())).collect();
            self.put("attn_self_16", Array::f32(&[steps, count, heads, 16, 256], own));
        }
        let all = self.case.steps() as f32;
        let mut average = Vec::with_capacity(count * 256 * keys);
        for probe in probes {
            if probe.sum.len() != 256 * keys {
                return Ok(());
            }
            for pixel in 0..256 {
                average.extend((0..keys).map(|key| probe.sum[key * 256 + pixel] / all));
            }
        }
        self.put("avg_cross_16", Array::f32(&[count, 16, 16, keys], average));
        Ok(())
    }

    /// The picture that the case is of.
    pub(super) fn picture(&self) -> Result<Picture> {
        picture(&self.inputs)
    }

    fn invert(mut self, models: &ModelFolders) -> Result<Results> {
        let (written, empty) = self.conditions()?;
        let picture = self.picture()?;
        let length = empty.text.dim(1)?;
        let conditions = Conditions { cond: written[0].clone(), uncond: vec![empty] };
        let ddim = DdimInversion { ddim: self.ddim()? };
        let inversion: Box<dyn Inversion> = match &self.case.null_text {
            None => Box::new(ddim),
            Some(null) => {
                let rule = NullTextRule {
                    inner_steps: null.num_inner_steps,
                    early_stop: null.early_stop_epsilon,
                    betas: null.betas,
                    eps: null.eps,
                };
                let (guidance, gradients) = (self.case.guidance_scale, models.engine(self.case, true)?);
                Box::new(NullText { ddim, guidance, rule, gradients })
            }
        };
        let mut watch = |_: usize, _: &Tensor| ControlFlow::Continue(());
        let found = inversion.invert(self.engine, &picture, &conditions, &mut watch)?;
        let Inverted { latents, conditions, optimised, .. } =
            found.context("BUG: an unwatched inversion was stopped")?;
        self.put_latents("image_latent", &latents[..1])?;
        self.put_picture("vae_image", &self.engine.decode(&latents[0])?);
        self.put_latents("inverted_latents", &latents)?;
        if let Some(Optimised { inner_steps, losses }) = optimised {
            let texts: Vec<&Tensor> = conditions.uncond.iter().map(|empty| &empty.text).collect();
            let all = Tensor::cat(&texts, 0)?;
            self.put("uncond_list", Array::f32(all.dims(), all.flatten_all()?.to_vec1()?));
            let taken = inner_steps.iter().map(|n| *n as i64).collect();
            self.put("inner_steps", Array::i64(&[inner_steps.len()], taken));
            self.put("inner_losses", Array::f32(&[losses.len()], losses));
        }
        let start = &latents[latents.len() - 1];
        let (Drawn { left: drawn, .. }, _) =
            self.draw(&conditions, start, &untouched(length), Inherited::default(), Keep::default())?;
        self.put_latents("source_latents", drawn.trajectory.latents())?;
        let picture = self.engine.decode(drawn.trajectory.last())?;
        self.put_picture("source_image", &picture);
        Ok(self.out)
    }
}

/// The orders of a plain generation.
pub(super) fn untouched(length: usize) -> RunPlan {
    RunPlan::untouched(length, Precision::F32)
}
