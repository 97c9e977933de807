//! A parity case: the question, as `case.json` puts it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

/// A case.
#[derive(Debug, Deserialize)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// What it asks for.
    pub kind: Kind,
    /// Folder name of the model.
    pub model: String,
    /// Where the model lies, relative to the case.
    pub model_path: String,
    /// Source first, then the targets.
    pub prompts: Vec<String>,
    /// The sampler's settings.
    pub scheduler: Option<Value>,
    /// Guidance.
    #[serde(default = "seven_and_a_half")]
    pub guidance_scale: f64,
    /// The edit.
    pub edit: Option<Edit>,
    /// SDXL-style conditioning.
    pub sdxl: Option<Sdxl>,
    /// Null-text optimisation.
    pub null_text: Option<NullText>,
    /// Steps at which maps are to be kept.
    pub probe: Option<Probe>,
    /// Names of the results.
    pub outputs: Outputs,
    /// The largest allowed error of each result.
    #[serde(default)]
    pub tolerance: std::collections::BTreeMap<String, f64>,
    /// The folder it was read from.
    #[serde(skip)]
    pub folder: PathBuf,
}

fn seven_and_a_half() -> f64 {
    7.5
}

/// What a case asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
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
}

/// An edit in the published terms.
#[derive(Debug, Deserialize)]
pub struct Edit {
    /// The method.
    pub method: Method,
    /// The method whose map a re-weighting is applied to.
    pub base_method: Option<Method>,
    /// A number, a pair, or an object by word.
    pub cross_replace_steps: Value,
    /// A number or a pair.
    pub self_replace_steps: Value,
    /// Largest layer, in pixels.
    pub self_replace_max_pixels: usize,
    /// One list per target.
    pub equalizer: Option<Vec<Vec<Weight>>>,
    /// Local blend.
    pub local_blend: Option<LocalBlend>,
}

/// The published methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Word swap.
    Replace,
    /// Refinement.
    Refine,
    /// Re-weighting.
    Reweight,
}

/// A word and its weight.
#[derive(Debug, Deserialize)]
pub struct Weight {
    /// The word.
    pub word: String,
    /// Its weight.
    pub value: f64,
}

/// Local blend in the published terms.
#[derive(Debug, Deserialize)]
pub struct LocalBlend {
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
pub struct NullText {
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

    /// Whether a result is asked for.
    #[must_use]
    pub fn asks(&self, name: &str) -> bool {
        self.outputs.required.iter().chain(&self.outputs.optional).any(|n| n == name)
    }

    /// Denoising steps.
    #[must_use]
    pub fn steps(&self) -> usize {
        let steps = self.scheduler.as_ref().and_then(|s| s.get("num_inference_steps")).and_then(Value::as_u64);
        steps.unwrap_or(50) as usize
    }
}
