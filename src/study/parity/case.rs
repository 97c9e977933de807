//! A parity case: the question, as `case.json` puts it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

use super::tuned_case::{ImagicCase, SegmentationCase, UnituneCase};
use crate::engine::Guidance;
use crate::model::spec::SchedulerSpec;
use crate::plan::sampler::SamplerName;

/// A case.
#[derive(Debug, Deserialize)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// What it asks for.
    pub kind: CaseKind,
    /// Folder name of the model; a case of schedules has none.
    #[serde(default)]
    pub model: String,
    /// Where the model lies, relative to the case.
    #[serde(default)]
    pub model_path: String,
    /// Folders that take the place of the model's parts, by part.
    #[serde(default)]
    pub overlay: std::collections::BTreeMap<String, String>,
    /// The file of a whole model, in the model's folder; configurations lie in `config/` beside it.
    pub checkpoint: Option<String>,
    /// The file whose autoencoder takes the place of the model's.
    pub vae_file: Option<String>,
    /// What is laid over the model, in this order.
    #[serde(default)]
    pub adapters: Vec<AdapterCase>,
    /// How many of the last layers of text are left out.
    #[serde(default)]
    pub layers_skipped: usize,
    /// Source first, then the targets.
    #[serde(default)]
    pub prompts: Vec<String>,
    /// The sampler's settings.
    pub scheduler: Option<Value>,
    /// Several samplers' settings.
    #[serde(default)]
    pub schedules: Vec<Value>,
    /// How the words push.
    #[serde(default)]
    pub guidance: GuidanceKind,
    /// How far.
    #[serde(default = "seven_and_a_half")]
    pub guidance_scale: f64,
    /// The edit.
    pub edit: Option<EditCase>,
    /// SDXL-style conditioning.
    pub sdxl: Option<Sdxl>,
    /// Null-text optimisation.
    pub null_text: Option<NullTextCase>,
    /// How a picture is inverted.
    pub inversion: Option<InversionCase>,
    /// SDEdit.
    pub sdedit: Option<SdeditCase>,
    /// MagicMix.
    pub magicmix: Option<MagicmixCase>,
    /// Blended Latent Diffusion.
    pub blended: Option<BlendedCase>,
    /// DiffEdit.
    pub diffedit: Option<DiffeditCase>,
    /// EDICT.
    pub edict: Option<EdictCase>,
    /// A network that makes masks from texts.
    pub segmentation: Option<SegmentationCase>,
    /// Imagic.
    pub imagic: Option<ImagicCase>,
    /// UniTune.
    pub unitune: Option<UnituneCase>,
    /// Steps at which maps are to be kept, or weights whose change is asked for.
    pub probe: Option<Probe>,
    /// Names of the results.
    #[serde(default)]
    pub outputs: Outputs,
    /// What a refusal must say, of a case that must be refused.
    pub expect_error: Option<Refusal>,
    /// The largest allowed error of each result.
    #[serde(default)]
    pub tolerance: std::collections::BTreeMap<String, f64>,
    /// All else that it says.
    #[serde(flatten)]
    pub rest: serde_json::Map<String, Value>,
    /// The folder it was read from.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// A file that is laid over a model.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum AdapterCase {
    /// A change of its weights.
    Lora {
        /// The file, from the case's folder.
        path: String,
        /// How strongly it counts.
        scale: f64,
    },
    /// A learned word.
    Embedding {
        /// The file, from the case's folder.
        path: String,
        /// How the word is written.
        token: Option<String>,
    },
}

/// How the words push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GuidanceKind {
    /// Away from the empty prompt.
    #[default]
    Cfg,
    /// Alone.
    None,
    /// By a number that goes into the UNet.
    Embedded,
}

fn seven_and_a_half() -> f64 {
    7.5
}

/// What a case asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseKind {
    /// One picture.
    Generate,
    /// A source and its targets.
    Edit,
    /// A picture inverted.
    Invert,
    /// A picture inverted and its empty prompt optimised.
    NullText,
    /// Tokens, mappers and schedules.
    Text,
    /// Single calls.
    Parts,
    /// Noise levels of samplers, without a model.
    Schedule,
    /// A picture inverted, then edited.
    PhotoEdit,
    /// A picture noised and drawn again.
    Sdedit,
    /// Words drawn into a picture's layout.
    Magicmix,
    /// Words drawn inside a mask.
    Blended,
    /// The same inside a mask that is found from two prompts.
    Diffedit,
    /// Two coupled latents up and down again.
    Edict,
    /// Masks of what texts name in a picture.
    Clipseg,
    /// Words drawn inside such a mask.
    TextInpaint,
    /// An embedding and then the model optimised for a picture, and pictures between that embedding and the words.
    Imagic,
    /// The model tuned on a picture under a rare word, and the picture drawn again.
    Unitune,
}

/// An edit in the published terms.
#[derive(Debug, Deserialize)]
pub struct EditCase {
    /// The method.
    pub method: EditKind,
    /// The method whose map a re-weighting is applied to.
    pub base_method: Option<EditKind>,
    /// A number, a pair, or an object by word.
    pub cross_replace_steps: Value,
    /// A number or a pair.
    pub self_replace_steps: Value,
    /// Largest layer, in pixels.
    pub self_replace_max_pixels: usize,
    /// One list per target.
    pub equalizer: Option<Vec<Vec<WeightCase>>>,
    /// Local blend.
    pub local_blend: Option<BlendCase>,
}

/// The published methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EditKind {
    /// Word swap.
    Replace,
    /// Refinement.
    Refine,
    /// Re-weighting.
    Reweight,
}

/// A word and its weight.
#[derive(Debug, Deserialize)]
pub struct WeightCase {
    /// The word.
    pub word: String,
    /// Its weight.
    pub value: f64,
}

/// Local blend in the published terms.
#[derive(Debug, Deserialize)]
pub struct BlendCase {
    /// Words per prompt.
    pub words: Vec<Vec<String>>,
    /// Threshold.
    pub threshold: f64,
    /// Words per prompt that are taken out.
    pub substruct_words: Option<Vec<Vec<String>>>,
    /// Their threshold.
    pub substruct_threshold: Option<f64>,
    /// Share of the steps before blending.
    #[serde(default)]
    pub start_blend: f64,
}

/// SDXL-style conditioning.
#[derive(Debug, Deserialize)]
pub struct Sdxl {
    /// The six time ids.
    pub time_ids: [f32; 6],
}

/// Null-text optimisation.
#[derive(Debug, Deserialize)]
pub struct NullTextCase {
    /// Inner steps.
    pub num_inner_steps: usize,
    /// Early stop.
    pub early_stop_epsilon: f64,
    /// Adam.
    pub betas: (f64, f64),
    /// Adam.
    pub eps: f64,
}

/// How a picture is inverted before it is edited.
#[derive(Debug, Deserialize)]
pub struct InversionCase {
    /// The method.
    pub method: String,
    /// Negative prompt: how far back towards the empty one.
    #[serde(default)]
    pub interpolation: f64,
    /// Edit-friendly: the share of the noise that is drawn anew.
    #[serde(default)]
    pub eta: f64,
    /// Edit-friendly: first steps that are left out.
    #[serde(default)]
    pub skip: usize,
    /// Edit-friendly: guidance of the source.
    #[serde(default)]
    pub source_guidance: f64,
    /// Edit-friendly: guidance of the target.
    #[serde(default)]
    pub target_guidance: f64,
}

/// SDEdit.
#[derive(Debug, Deserialize)]
pub struct SdeditCase {
    /// Share of the steps that is made.
    pub strength: f64,
}

/// MagicMix.
#[derive(Debug, Deserialize)]
pub struct MagicmixCase {
    /// Share of the steps, from the end, that are no longer mixed.
    pub kmin: f64,
    /// Share of the steps, from the end, that are made.
    pub kmax: f64,
    /// Share of what is being drawn.
    pub mix_factor: f64,
}

/// Blended Latent Diffusion.
#[derive(Debug, Deserialize)]
pub struct BlendedCase {
    /// Share of the steps that is left out.
    pub blending_percentage: f64,
}

/// DiffEdit.
#[derive(Debug, Deserialize)]
pub struct DiffeditCase {
    /// Where estimates are compared.
    pub mask_encode_strength: f64,
    /// Twice the share of the mean from which a place is in the mask.
    pub mask_thresholding_ratio: f64,
    /// Share of the steps that is inverted and made again.
    pub inpaint_strength: f64,
    /// Guidance on the way up.
    pub inversion_guidance: f64,
    /// What stands in the place of the empty prompt.
    pub negative_prompt: String,
}

/// EDICT.
#[derive(Debug, Deserialize)]
pub struct EdictCase {
    /// How much of itself a latent keeps.
    pub mixing: f64,
    /// Whether the two take turns.
    pub leapfrog: bool,
    /// Share of the steps that is made.
    pub strength: f64,
}

/// Where maps are kept, and weights whose change is asked for.
#[derive(Debug, Deserialize)]
pub struct Probe {
    /// Step indices.
    #[serde(default)]
    pub steps: Vec<usize>,
    /// Names of the UNet's weights.
    #[serde(default)]
    pub weights: Vec<String>,
}

/// What a refusal must say.
#[derive(Debug, Deserialize)]
pub struct Refusal {
    /// Strings in it, letter for letter.
    pub mentions: Vec<String>,
}

/// Names of results.
#[derive(Debug, Default, Deserialize)]
pub struct Outputs {
    /// Those that must be written.
    #[serde(default)]
    pub required: Vec<String>,
    /// Those that may be.
    #[serde(default)]
    pub optional: Vec<String>,
}

impl Case {
    /// Reads the case in a folder.
    ///
    /// # Errors
    /// Fails if `case.json` is missing or says something unknown.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("case.json");
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut case: Self = serde_json::from_str(&text).with_context(|| format!("cannot read {}", path.display()))?;
        case.folder = folder.to_owned();
        Ok(case)
    }

    /// The guidance of its runs.
    #[must_use]
    pub fn guidance(&self) -> Guidance {
        match self.guidance {
            GuidanceKind::Cfg => Guidance::of(self.guidance_scale, false),
            GuidanceKind::None => Guidance::None,
            GuidanceKind::Embedded => Guidance::Embedded { scale: self.guidance_scale },
        }
    }

    /// Whether a result is asked for.
    #[must_use]
    pub fn asks(&self, name: &str) -> bool {
        self.outputs.required.iter().chain(&self.outputs.optional).any(|n| n == name)
    }

    /// Denoising steps.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.scheduler.as_ref().map_or(50, steps_of)
    }
}

/// Steps of a run under a scheduler's settings.
#[must_use]
pub(super) fn steps_of(scheduler: &Value) -> usize {
    scheduler.get("num_inference_steps").and_then(Value::as_u64).unwrap_or(50) as usize
}

/// Which sampler a scheduler's settings mean, and what they say of training and spacing; `own` is the model's own scheduler.
///
/// # Errors
/// Fails if they ask for something that is not built here.
pub(super) fn scheduler_of(settings: &Value, own: Option<&SchedulerSpec>) -> Result<(SamplerName, SchedulerSpec)> {
    if settings.get("from_model").and_then(Value::as_bool) == Some(true) {
        let own = own.context("case.json asks for `from_model`, but has no model")?;
        return Ok((own.own_sampler()?, own.clone()));
    }
    // The first format names no class: all its cases are of DDIM, with every setting said.
    let spec = SchedulerSpec::parse("case.json", settings.clone())?;
    Ok((spec.own_sampler()?, spec))
}

/// Calls of the UNet that a run of so many steps makes.
pub(super) fn calls_of(sampler: SamplerName, steps: usize) -> usize {
    if sampler == SamplerName::Plms && steps > 1 { steps + 1 } else { steps }
}
