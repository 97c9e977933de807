//! Numbers to picture.
//!
//! An [`Engine`] is a loaded model. [`Engine::denoise`] goes from noise to a clean latent under an
//! [`AttentionControl`]; [`Engine::recall`] runs one stored step again to see its maps; [`Engine::decode`] makes the
//! picture. Everything is a function of its arguments.

pub mod clip;
pub mod edit;
mod encoder;
pub mod exact;
mod explained;
pub mod inversion;
pub mod judge;
pub mod layers;
pub mod noise;
mod on_demand;
mod reader;
pub mod resize;
mod run;
pub mod sampler;
pub mod schedule;
pub mod segment;
pub mod shared;
pub mod text;
mod towers;
pub mod trajectory;
pub mod tuning;
pub mod unet;
pub mod vae;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use candle_core::Tensor;

use crate::attention::maps::KeptMap;
use crate::attention::record::MaskLayers;
use crate::attention::transition::Transition;
use crate::attention::{AttentionControl, Untouched};
use crate::model::ModelSource;
use crate::model::learned::WeightChanges;
use crate::model::spec::ModelSpec;
use crate::model::weights::Weights;
use crate::plan::photograph::Photograph;
use crate::plan::settings::Precision;

use layers::Backend;
use sampler::Sampler;
use unet::{Call, Condition, Prepared, Unet};
use vae::Vae;

pub use explained::NoiseProbe;
pub use reader::{Reader, vocabulary};
pub use run::{Conditions, Guidance, Run, StepNoise};
pub use trajectory::Trajectory;

/// Sees each latent as it comes about, with its number from 0, and may stop the rest.
pub type WatchLatents<'w> = &'w mut dyn FnMut(usize, &Tensor) -> ControlFlow<()>;

/// Raised when results change for the same inputs: stored latents and maps of another version count as missing.
pub const VERSION: u32 = 4;

/// A loaded model.
pub struct Engine {
    spec: ModelSpec,
    reader: Reader,
    unet: Unet,
    vae: Vae,
    backend: Backend,
}

impl Engine {
    /// Loads a model.
    ///
    /// # Errors
    /// Fails if a file is missing, damaged or of another architecture; the message names it.
    pub fn load(source: &dyn ModelSource, backend: &Backend) -> Result<Self> {
        let spec = ModelSpec::read(source)?;
        let reader = Reader::load(source, &spec, backend)?;
        Self::with_reader(source, spec, reader, backend)
    }

    /// Loads a model with what was learned added to its UNet's weights.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_learned(source: &dyn ModelSource, backend: &Backend, changes: Arc<WeightChanges>) -> Result<Self> {
        let spec = ModelSpec::read(source)?;
        let reader = Reader::load(source, &spec, backend)?;
        Self::with_unet(source, spec, reader, &Weights::open(source, "unet")?.with_learned(changes), backend)
    }

    /// Loads the rest of a model whose text encoders are loaded already.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn with_reader(source: &dyn ModelSource, spec: ModelSpec, reader: Reader, backend: &Backend) -> Result<Self> {
        Self::with_unet(source, spec, reader, &Weights::open(source, "unet")?, backend)
    }

    /// The same with the UNet's weights opened already.
    fn with_unet(
        source: &dyn ModelSource,
        spec: ModelSpec,
        reader: Reader,
        unet: &Weights,
        backend: &Backend,
    ) -> Result<Self> {
        let vae = Vae::load(Weights::open(source, spec.parts.1)?, spec.vae.clone(), backend)?;
        let engine =
            Self { unet: Unet::load(unet, spec.unet.clone(), backend)?, vae, spec, reader, backend: backend.clone() };
        wordbrush_kernels::release_free_memory(); // what weights lay in before they were packed
        Ok(engine)
    }

    /// What the configurations say.
    #[must_use]
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// Tokenizers and text encoders.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The UNet.
    #[must_use]
    pub fn unet(&self) -> &Unet {
        &self.unet
    }

    /// The autoencoder.
    #[must_use]
    pub fn vae(&self) -> &Vae {
        &self.vae
    }

    /// How it computes.
    #[must_use]
    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// Height, width and channels of the latent of a picture of this size.
    #[must_use]
    pub fn latent_dims(&self, (width, height): (usize, usize)) -> (usize, usize, usize) {
        let factor = self.spec.vae.factor();
        (height / factor, width / factor, self.spec.unet.in_channels)
    }

    /// Width and height must be multiples of this.
    #[must_use]
    pub fn size_step(&self) -> usize {
        self.spec.vae.factor() << (self.spec.unet.channels.len() - 1)
    }

    /// The layers whose text maps make masks: a quarter of the latent's side where the UNet has four levels as Stable
    /// Diffusion has, otherwise the largest text maps there are.
    #[must_use]
    pub fn mask_layers(&self, latent: (usize, usize)) -> MaskLayers {
        let grids = self.unet.text_grids(latent);
        let quarter = (latent.0.div_ceil(4), latent.1.div_ceil(4));
        let wanted = grids.iter().find(|(grid, _)| self.spec.unet.channels.len() >= 4 && *grid == quarter);
        wanted
            .or(grids.first())
            .map_or(MaskLayers { grid: (1, 1), count: 1 }, |(grid, count)| MaskLayers { grid: *grid, count: *count })
    }

    /// What places of the masks' grid look at in a step: from its queries and keys by layer, of those layers that have this grid.
    /// `None` where none has.
    ///
    /// # Errors
    /// Fails if the device has no memory left.
    pub fn transition(
        &self,
        own: &BTreeMap<usize, (KeptMap, KeptMap)>,
        latent: (usize, usize),
    ) -> Result<Option<Transition>> {
        let grid = self.mask_layers(latent).grid;
        let level = (0..self.spec.unet.channels.len())
            .find(|level| (latent.0.div_ceil(1 << level), latent.1.div_ceil(1 << level)) == grid);
        let Some(heads) = level.and_then(|level| self.spec.unet.heads.get(level)) else { return Ok(None) };
        let places = grid.0 * grid.1;
        let mut maps = Vec::new();
        for (q, k) in own.values().filter(|(q, _)| q.tensor().dims()[0] == places) {
            let (q, k) = (q.wide()?.unsqueeze(0)?, k.wide()?.unsqueeze(0)?);
            let probs = layers::attention_probs(&q, &k, *heads, &self.backend)?;
            maps.push(probs.to_dtype(candle_core::DType::F32)?.flatten_all()?.to_vec1::<f32>()?);
        }
        Ok(Transition::of(&maps, places))
    }

    /// The noise of a seed, `[h, w, channels]`. Numbers run channel by channel, as latents are usually written.
    ///
    /// # Errors
    /// Fails if the device has no memory left.
    pub fn noise(&self, seed: u64, size: (usize, usize)) -> Result<Tensor> {
        self.noise_after(seed, 0, self.latent_dims(size))
    }

    /// One noise for each of `count` steps, `[h, w, channels]` each: the numbers of the seed after those of the first latent.
    ///
    /// # Errors
    /// Fails if the device has no memory left.
    pub fn noises(&self, seed: u64, count: usize, size: (usize, usize)) -> Result<Vec<Tensor>> {
        (1..=count).map(|latents| self.noise_after(seed, latents, self.latent_dims(size))).collect()
    }

    /// The noise of a seed that follows `latents` times as many numbers.
    ///
    /// # Errors
    /// As [`noise`](Self::noise).
    pub fn noise_after(&self, seed: u64, latents: usize, (h, w, channels): (usize, usize, usize)) -> Result<Tensor> {
        let count = h * w * channels;
        let noise = noise::normal_after(seed, latents * count, count);
        let noise = Tensor::from_vec(noise, (channels, h, w), &candle_core::Device::Cpu)?;
        // Drawn on the CPU and then moved: a device's own generator would give each machine another picture.
        Ok(noise.permute((1, 2, 0))?.contiguous()?.to_device(self.backend.device())?)
    }

    /// The noise that a step adds.
    fn noise_of(&self, run: &Run<'_>, step: usize, latent: &Tensor) -> Result<Tensor> {
        match run.noise {
            StepNoise::Seed(seed) => self.noise_after(seed, step + 1, latent.dims3()?),
            StepNoise::Given(noise) => noise.get(step).cloned().with_context(|| format!("no noise for step {step}")),
        }
    }

    /// The texts of a run's batch at a step.
    fn texts(&self, run: &Run<'_>, step: usize) -> Result<Prepared> {
        let Conditions { cond, uncond } = run.conditions;
        match run.guidance {
            Guidance::Classifier { .. } => self.unet.prepare(&both(&uncond[step.min(uncond.len() - 1)], cond)?),
            Guidance::Embedded { .. } | Guidance::None => self.unet.prepare(cond),
        }
    }

    /// Denoises to a trajectory of `steps + 1` latents, `[h, w, channels]` each. `latents` are those there are already: the
    /// noise, and those after first steps that need not be run again; `sampler` is the run's as they left it.
    ///
    /// `watch` sees every new latent; when it breaks, the run stops and gives `None`.
    ///
    /// # Errors
    /// Fails if the control does, or the device has no memory left.
    pub fn denoise(
        &self,
        run: &Run<'_>,
        sampler: &mut dyn Sampler,
        mut latents: Vec<Tensor>,
        control: &mut dyn AttentionControl,
        watch: &mut dyn FnMut(usize, &Tensor) -> ControlFlow<()>,
    ) -> Result<Option<Trajectory>> {
        self.reader.rest();
        let steps = sampler.timesteps().len();
        ensure!((1..=steps + 1).contains(&latents.len()), "BUG: a run of {steps} steps begins with {}", latents.len());
        let mut text = None;
        for step in latents.len() - 1..steps {
            if step < run.conditions.uncond.len() || text.is_none() {
                text = Some(self.texts(run, step)?);
            }
            let Some(text) = &text else { break };
            let latent = &latents[step];
            control.before_step(step)?;
            let input = samples(&sampler.scale_input(latent, step)?, run.guidance.evaluations())?;
            let level = sampler.timesteps()[step];
            let call = self.call(run, (step, level), &mut *control);
            let output = self.unet.forward(&input, text, call)?;
            let output = guided(&output, run.guidance)?;
            let noise = if sampler.noise_at(step) { Some(self.noise_of(run, step, latent)?) } else { None };
            let next = control.after_step(step, sampler.step(latent, &output, step, noise.as_ref())?)?;
            ensure_numbers(&next, &self.backend, || {
                format!("the UNet gave no numbers at step {} of {steps}", step + 1)
            })?;
            let flow = watch(step, &next);
            latents.push(next);
            if flow.is_break() {
                return Ok(None);
            }
        }
        Ok(Some(Trajectory::new(latents)))
    }

    fn call<'c>(&self, run: &Run<'_>, (step, level): (usize, f32), control: &'c mut dyn AttentionControl) -> Call<'c> {
        let guidance = run.guidance.embedded();
        Call { step, level, shown: true, guidance, map_precision: run.map_precision, control }
    }

    /// Runs the written half of one step again on a stored latent, so that `control` sees its maps.
    ///
    /// # Errors
    /// As [`denoise`](Self::denoise).
    pub fn recall(
        &self,
        run: &Run<'_>,
        step: usize,
        latent: &Tensor,
        control: &mut dyn AttentionControl,
    ) -> Result<()> {
        control.before_step(step)?;
        let level = run.sampler.timesteps()[step];
        let call = self.call(run, (step, level), control);
        let (text, count) = if self.backend.precision().is_some() {
            (self.unet.prepare(&run.conditions.cond)?, 1)
        } else {
            // candle's products choose their order of summation by shape; the shape of the first call gives its bits.
            (self.texts(run, step)?, run.guidance.evaluations())
        };
        self.unet.forward(&samples(&run.sampler.scale_input(latent, step)?, count)?, &text, call)?;
        Ok(())
    }

    /// One prediction for latents that are not part of a run, unwatched; in the engine's type of numbers. `guidance` is for
    /// models that read it.
    ///
    /// # Errors
    /// As [`denoise`](Self::denoise).
    pub fn predict(
        &self,
        latents: &Tensor,
        condition: &Condition,
        level: f32,
        guidance: Option<f64>,
    ) -> Result<Tensor> {
        self.reader.rest();
        let text = self.backend.like(&condition.text)?;
        let like = |(pooled, ids): &(Tensor, [f32; 6])| Ok::<_, candle_core::Error>((self.backend.like(pooled)?, *ids));
        let text = self.unet.prepare(&Condition { text, added: condition.added.as_ref().map(like).transpose()? })?;
        let latents = &self.backend.like(latents)?;
        let mut control = Untouched;
        let map_precision = Precision::F32;
        let call = Call { step: 0, level, shown: false, guidance, map_precision, control: &mut control };
        Ok(self.unet.forward(latents, &text, call)?)
    }

    /// One guided prediction for a latent, `[h, w, channels]`, that is not part of a run, unwatched.
    ///
    /// # Errors
    /// As [`denoise`](Self::denoise).
    pub fn predict_guided(
        &self,
        latent: &Tensor,
        conditions: &Conditions,
        level: f32,
        guidance: Guidance,
    ) -> Result<Tensor> {
        let condition = match guidance {
            Guidance::Classifier { .. } => both(&conditions.uncond[0], &conditions.cond)?,
            Guidance::Embedded { .. } | Guidance::None => conditions.cond.clone(),
        };
        let batch = samples(latent, guidance.evaluations())?;
        let output = self.predict(&batch, &condition, level, guidance.embedded())?;
        guided(&output, guidance)
    }

    /// A latent's picture: `height * width * 3` bytes, row by row.
    ///
    /// # Errors
    /// Fails if the device has no memory left.
    pub fn decode(&self, latent: &Tensor) -> Result<Picture> {
        self.reader.rest();
        let picture = self.vae.decode(latent)?;
        let (height, width, _) = picture.dims3()?;
        let values = picture.flatten_all()?.to_dtype(candle_core::DType::F32)?.to_vec1::<f32>()?;
        ensure!(values.iter().all(|v| v.is_finite()), "the autoencoder gave no numbers: {}", no_numbers(&self.backend));
        // Halved and moved first, then clamped, then cut off: in this order, as diffusers does.
        let bytes = values.iter().map(|v| ((v / 2.0 + 0.5).clamp(0.0, 1.0) * 255.0) as u8).collect();
        Ok(Picture { width, height, bytes })
    }

    /// A picture's latent, `[h, w, channels]`, scaled.
    ///
    /// # Errors
    /// Fails if its sides are not multiples of [`size_step`](Self::size_step).
    pub fn encode(&self, picture: &Picture) -> Result<Tensor> {
        let Picture { width, height, bytes } = picture;
        let step = self.size_step();
        ensure!(
            width % step == 0 && height % step == 0,
            "the picture is {width}x{height}, but its sides must be multiples of {step}"
        );
        let values: Vec<f32> = bytes.iter().map(|b| f32::from(*b) / 127.5 - 1.0).collect();
        let picture = self.backend.tensor(values, (*height, *width, 3))?;
        let latent = self.vae.encode_mean(&picture)?;
        ensure_numbers(&latent, &self.backend, || "the autoencoder gave no numbers for the picture".to_owned())?;
        Ok(latent)
    }
}

/// Where numbers end, in words. Rounding is only to be blamed where there was any.
fn no_numbers(backend: &Backend) -> &'static str {
    match backend.precision() {
        Some(wordbrush_kernels::Precision::Bf16) => {
            "its weights hold a NaN or an infinity, or grow one; fetch the model again, or try `precision` f32"
        }
        Some(wordbrush_kernels::Precision::F32) | None => {
            "its weights hold a NaN or an infinity, or grow one; fetch the model again, or take another"
        }
    }
}

/// Stops where a network's result holds a NaN or an infinity: a picture of it would be black, and equal to any other such.
fn ensure_numbers(tensor: &Tensor, backend: &Backend, what: impl FnOnce() -> String) -> Result<()> {
    let sum = tensor.abs()?.sum_all()?.to_dtype(candle_core::DType::F64)?.to_scalar::<f64>()?;
    ensure!(sum.is_finite(), "{}: {}", what(), no_numbers(backend));
    Ok(())
}

/// An 8-bit picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// Red, green and blue of each pixel, row by row.
    pub bytes: Vec<u8>,
}

impl From<&Photograph> for Picture {
    fn from(photograph: &Photograph) -> Self {
        Self { width: photograph.width(), height: photograph.height(), bytes: photograph.bytes().to_vec() }
    }
}

impl From<image::RgbImage> for Picture {
    fn from(picture: image::RgbImage) -> Self {
        Self { width: picture.width() as usize, height: picture.height() as usize, bytes: picture.into_raw() }
    }
}

/// What a batch's outputs say together.
fn guided(output: &Tensor, guidance: Guidance) -> Result<Tensor> {
    Ok(match guidance {
        Guidance::Classifier { scale } => {
            let (empty, written) = (output.get(0)?, output.get(1)?);
            (&empty + ((written - &empty)? * scale)?)?
        }
        Guidance::Embedded { .. } | Guidance::None => output.get(0)?,
    })
}

/// A latent as a batch of `count` samples.
fn samples(latent: &Tensor, count: u64) -> Result<Tensor> {
    Ok(Tensor::stack(&vec![latent; count as usize], 0)?)
}

/// `[empty, written]` as one batch.
fn both(empty: &Condition, written: &Condition) -> Result<Condition> {
    let text = Tensor::cat(&[&empty.text, &written.text], 0)?;
    let added = match (&empty.added, &written.added) {
        (Some((a, _)), Some((b, ids))) => Some((Tensor::cat(&[a, b], 0)?, *ids)),
        _ => None,
    };
    Ok(Condition { text, added })
}
