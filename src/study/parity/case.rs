//! A parity case: the question, as `case.json` puts it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

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
    /// Steps at which maps are to be kept.
    pub probe: Option<Probe>,
    /// Names of the results.
    pub outputs: Outputs,
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

/// Where maps are kept.
#[derive(Debug, Deserialize)]
pub struct Probe {
    /// Step indices.
    pub steps: Vec<usize>,
}

/// Names of results.
#[derive(Debug, Deserialize)]
pub struct Outputs {
    /// Those that must be written.
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

    /// Refuses what cannot be answered here.
    ///
    /// # Errors
    /// Fails if the case asks for something that is not built, and names it.
    pub fn check(&self) -> Result<()> {
        let embedded = self.guidance == GuidanceKind::Embedded;
        ensure!(!embedded, "case.json asks for `guidance`: \"embedded\", which is not built here");
        Ok(())
    }

    /// The guidance of its runs.
    #[must_use]
    pub fn guidance(&self) -> Guidance {
        if self.guidance == GuidanceKind::None { Guidance::None } else { Guidance::of(self.guidance_scale) }
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

/// Which sampler a scheduler's settings mean, and what they say of training and spacing.
///
/// # Errors
/// Fails if they ask for something that is not built here.
pub(super) fn scheduler_of(settings: &Value) -> Result<(SamplerName, SchedulerSpec)> {
    let mut settings = settings.clone();
    ensure!(settings.get("from_model").is_none(), "case.json asks for `from_model`, which is not built here");
    // The first format names no class: all its cases are of DDIM, with every setting said.
    let class = settings.get("_class_name").and_then(Value::as_str).unwrap_or("DDIMScheduler").to_owned();
    let Some(sampler) = SamplerName::of_class(&class) else {
        bail!("case.json asks for `_class_name`: \"{class}\", which is not built here");
    };
    if sampler == SamplerName::Dpm {
        for (key, built) in [
            ("algorithm_type", Value::from("dpmsolver++")),
            ("solver_type", "midpoint".into()),
            ("solver_order", 2.into()),
            ("euler_at_final", false.into()),
            ("use_exponential_sigmas", false.into()),
            ("use_beta_sigmas", false.into()),
            ("use_lu_lambdas", false.into()),
            ("use_flow_sigmas", false.into()),
        ] {
            let asked = settings.get(key).filter(|value| !value.is_null() && **value != built);
            if let Some(value) = asked {
                bail!("case.json asks for `{key}`: {value}, which is not built here");
            }
        }
        if let Some(map) = settings.as_object_mut() {
            map.entry("timestep_spacing").or_insert_with(|| "linspace".into());
        }
    }
    Ok((sampler, SchedulerSpec::parse("case.json", settings)?))
}
