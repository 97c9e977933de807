//! Everything that can be set, in one table.
//!
//! `/set`, `--set`, the config file and study grids all go through [`Settings::set`], so a name means the same
//! everywhere. Settings marked [`Per::Turn`] shape the next edits; those marked [`Per::Root`] belong to the
//! [`Recipe`](super::Recipe) and take effect with the next first picture; [`Per::Machine`] ones belong to no picture.

mod reader;
mod table;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::device::DeviceName;
use super::inversion::InversionName;
use super::photograph::{Photograph, PhotographFit};
use super::sampler::SamplerName;

pub use table::{PRESETS, Setting, TABLE, find, names, plain_name};

/// A stretch of the steps, as shares of a run: `[from, to)`, each between 0 and 1. Empty when `from >= to`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Share of the steps at which the window opens.
    pub from: f64,
    /// Share of the steps at which it closes.
    pub to: f64,
}

impl Window {
    /// The window from the first step to the share `to`.
    #[must_use]
    pub fn until(to: f64) -> Self {
        Self { from: 0.0, to }
    }

    /// Whether no step can lie inside.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.from >= self.to
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from == 0.0 { write!(f, "{}", self.to) } else { write!(f, "{}..{}", self.from, self.to) }
    }
}

/// Which of the decoders that a model's latents have makes its pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DecoderName {
    /// The model's own.
    #[default]
    Auto,
    /// One of ResNets: slow, and as sharp as the model was trained for.
    Full,
    /// A tiny one: a fraction of the time, a little less sharp.
    Tiny,
}

/// How a share of the steps becomes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rounding {
    /// `round(share * steps)`, for cross- and self-attention alike.
    Round,
    /// `int(share * (steps + 1))` for cross-attention, `int(share * steps)` for self-attention.
    Published,
}

/// Which source token feeds which target token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Alignment {
    /// By words and their lineage; every token after a longer swap keeps its own column.
    Words,
    /// The published mappers, tail rule included.
    Published,
}

/// When weights apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WeightWindow {
    /// At every step.
    Always,
    /// Only inside the token's cross window.
    Inside,
}

/// Which maps make a mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BlendMaps {
    /// Before weights.
    Carried,
    /// After weights.
    Used,
}

/// What says where the words were that an edit is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RegionFrom {
    /// Maps of text attention, those of the parent and of the run so far alike.
    Cross,
    /// The parent's maps of its whole run, spread along its self-attention; the run's own as they are.
    Spread,
    /// A network that finds the words in the parent's picture; the run's own maps as they are.
    Text,
}

/// How the latent is composed at the border of a mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BlendArithmetic {
    /// Outside the mask the latent becomes the parent's, bit for bit.
    Select,
    /// `source + mask * (own - source)`.
    Mix,
}

/// What lies outside the edited region of a picture whose tree grew from a photograph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outside {
    /// The photograph's own pixels.
    Photograph,
    /// What the model makes of them.
    Model,
}

/// Where values are mixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VLayers {
    /// Cross-attention only.
    Cross,
    /// Self-attention only.
    #[serde(rename = "self")]
    SelfAttention,
    /// Both.
    Both,
}

/// The arithmetic of a run's networks, or of its carried maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floats throughout.
    F32,
    /// 16-bit floats (only for maps).
    F16,
    /// Inputs of every product rounded to bfloat16, sums in 32 bits (only for networks).
    Bf16,
}

/// The settings of one turn, all spelled out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TurnSettings {
    /// Window during which an ancestor's cross-attention is carried, for words not named in `cross_words`.
    pub cross_replace_steps: Window,
    /// Windows of single words, by the word as typed.
    pub cross_words: BTreeMap<String, Window>,
    /// Window during which the parent's self-attention is carried.
    pub self_replace_steps: Window,
    /// Pixels of the largest layer whose self-attention is carried; `None` stands for the model's default.
    pub self_max: Option<usize>,
    /// Threshold of local blend; 0 is no blending.
    pub k: f64,
    /// What says where those words were.
    pub region_from: RegionFrom,
    /// Words whose maps make the mask; empty stands for the changed words with their nouns, `none` alone for no mask.
    pub blend_words: Vec<String>,
    /// Words whose maps are taken out of the mask.
    pub substruct_words: Vec<String>,
    /// Threshold for `substruct_words`.
    pub substruct_k: f64,
    /// Share of the steps before blending begins.
    pub start_blend: f64,
    /// Window during which values are mixed; empty is off.
    pub v_replace_steps: Window,
    /// Share of the parent's values in the mixture.
    pub v_mix: f64,
    /// Where values are mixed.
    pub v_layers: VLayers,
    /// When weights apply.
    pub weight_window: WeightWindow,
    /// Which source token feeds which target token.
    pub alignment: Alignment,
    /// Which maps make a mask.
    pub blend_maps: BlendMaps,
    /// How the latent is composed.
    pub blend_arithmetic: BlendArithmetic,
    /// How shares become steps.
    pub window_rounding: Rounding,
    /// Whether rows of used cross maps are scaled back to a sum of 1.
    pub renormalize: bool,
    /// What lies outside the region, in a photograph's tree.
    pub outside: Outside,
}

impl Default for TurnSettings {
    fn default() -> Self {
        Self {
            cross_replace_steps: Window::until(0.4),
            cross_words: BTreeMap::new(),
            self_replace_steps: Window::until(0.6),
            self_max: None,
            k: 0.3,
            region_from: RegionFrom::Cross,
            blend_words: Vec::new(),
            substruct_words: Vec::new(),
            substruct_k: 0.3,
            start_blend: 0.2,
            v_replace_steps: Window::until(0.0),
            v_mix: 0.5,
            v_layers: VLayers::Cross,
            weight_window: WeightWindow::Always,
            alignment: Alignment::Words,
            blend_maps: BlendMaps::Carried,
            blend_arithmetic: BlendArithmetic::Select,
            window_rounding: Rounding::Round,
            renormalize: false,
            outside: Outside::Photograph,
        }
    }
}

/// The settings of the next first picture. `None` stands for the model's own default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct RootSettings {
    /// A folder, a file, a hub name, or `embedded`.
    pub model: Option<String>,
    /// Files of LoRAs, each with its scale; 0 is off.
    #[serde(default)]
    pub lora: Vec<(String, f64)>,
    /// Files of embeddings, each with its word if it is not the file's own.
    #[serde(default)]
    pub embedding: Vec<(String, Option<String>)>,
    /// A file, a folder or a hub name of another autoencoder.
    #[serde(default)]
    pub vae: Option<String>,
    /// Which decoder makes the pictures.
    #[serde(default)]
    pub decoder: Option<DecoderName>,
    /// Which of the last text layers is read; 1 is the last, and off.
    #[serde(default)]
    pub clip_skip: Option<usize>,
    /// What the noise is drawn from.
    pub seed: Option<u64>,
    /// Denoising steps.
    pub steps: Option<usize>,
    /// How far to push from the empty prompt towards the written one; 1 is no guidance.
    pub guidance: Option<f64>,
    /// Width and height in pixels.
    pub size: Option<(usize, usize)>,
    /// What the picture should not be: the text of the unconditional half.
    pub negative: Option<String>,
    /// The sampler.
    pub scheduler: Option<SamplerName>,
    /// Arithmetic of the networks.
    pub precision: Option<Precision>,
    /// Rounding of carried maps.
    pub map_precision: Option<Precision>,
    /// How a photograph is inverted.
    #[serde(default)]
    pub inversion: Option<InversionName>,
    /// How a photograph is brought to the shape of pictures.
    #[serde(default)]
    pub fit: PhotographFit,
    /// The photograph that the next first picture is, instead of a drawing. It belongs to that one picture: nothing sets it.
    #[serde(skip)]
    pub photograph: Option<Arc<Photograph>>,
}

/// All settings in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Settings {
    /// Those of the next turn.
    pub turn: TurnSettings,
    /// Those of the next first picture.
    pub root: RootSettings,
    /// Where networks compute. It belongs to this machine: sessions do not keep it.
    #[serde(skip)]
    pub device: DeviceName,
    /// Steps in which `/imagic` and `/unitune` tune a model; `None` for as many as the model needs. What was asked stands in the plan.
    #[serde(default)]
    pub tuning_steps: Option<usize>,
    /// The network that finds what a text names; `None` for the one that goes with the model. Sessions keep what it found.
    #[serde(skip)]
    pub segmenter: Option<String>,
}

/// Whether a setting is read at every turn or only when a tree begins, or belongs to no picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    /// Read at every turn.
    Turn,
    /// Part of the recipe: read when a first picture is drawn.
    Root,
    /// Of this machine, not of any picture: it holds at once, and sessions do not keep it.
    Machine,
}

/// A name or value that cannot be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingError {
    message: String,
    hint: String,
}

impl SettingError {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }

    /// One thing to try.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SettingError {}

/// The word that a choice is written as.
#[must_use]
pub fn name_of(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(name: &str, value: &str) -> String {
        let error = Settings::default().set(name, value).expect_err("should be refused");
        format!("{error} | {}", error.hint())
    }

    #[test]
    fn every_setting_in_the_table_can_be_given_the_value_it_shows() {
        for setting in TABLE {
            let mut settings = Settings::default();
            let shown = settings.get(setting.name);
            assert!(!shown.is_empty() || setting.name == "negative", "{}", setting.name);
            // Windows of unlike lengths are no freedom that could be set.
            if shown == "mixed" {
                continue;
            }
            settings.set(setting.name, &shown).expect(setting.name);
            assert_eq!(settings.get(setting.name), shown, "{}", setting.name);
        }
    }

    #[test]
    fn what_was_left_to_the_model_can_be_left_to_it_again() {
        for (name, value) in [("seed", "7"), ("steps", "9"), ("guidance", "2"), ("size", "64"), ("scheduler", "ddim")] {
            let mut settings = Settings::default();
            settings.set(name, value).expect(name);
            assert_ne!(settings.get(name), "auto", "{name}");
            settings.set(name, "auto").expect(name);
            assert_eq!(settings, Settings::default(), "{name}");
        }
    }

    #[test]
    fn a_short_alias_and_a_hyphen_reach_the_same_setting() {
        for name in ["cross", "cross_replace_steps", "cross-replace-steps", "Cross"] {
            let mut settings = Settings::default();
            settings.set(name, ".6").expect(name);
            assert_eq!(settings.turn.cross_replace_steps, Window::until(0.6));
        }
    }

    #[test]
    fn a_value_out_of_range_names_the_setting_the_value_and_the_range() {
        assert!(
            fails("cross", "1.4")
                .starts_with("`cross_replace_steps` is `1.4`, but it takes a share of the steps between 0 and 1")
        );
        assert!(fails("k", "-1").contains("`k` is `-1`, but it takes a number between 0 and 1"));
        assert!(fails("steps", "0").contains("from 1 to 1000"));
        assert!(fails("guidance", "nan").contains("between 0 and 50"));
        assert!(fails("size", "100").contains("multiples of 8"));
        assert!(fails("nonsense", "1").contains("there is no setting `nonsense`"));
    }

    #[test]
    fn a_device_that_is_none_or_not_in_this_build_is_told_with_what_to_try() {
        let told = fails("device", "gpu");
        assert_eq!(
            told,
            "`device` is `gpu`, which is no device | cpu, cuda, cuda:1 for the second GPU, metal or plain"
        );
        if !cfg!(feature = "cuda") {
            let told = fails("device", "cuda:1");
            let expected = "`device` is `cuda:1`, which is not in this build | cargo build --release --features cuda";
            assert_eq!(told, expected);
        }
        let mut settings = Settings::default();
        settings.set("device", "plain").expect("in every build");
        assert_eq!((settings.device, settings.get("device").as_str()), (DeviceName::Plain, "plain"));
    }

    #[test]
    fn windows_of_single_words_survive_being_shown_and_typed_again() {
        let mut settings = Settings::default();
        settings.set("cross", "{lion: 0.2, default: 0.8}").expect("readable");
        assert_eq!(settings.turn.cross_words["lion"], Window::until(0.2));
        let shown = settings.get("cross_replace_steps");
        let mut again = Settings::default();
        again.set("cross", &shown).expect("readable");
        assert_eq!(settings, again);
    }

    #[test]
    fn freedom_moves_both_windows_and_presets_leave_the_recipe_alone() {
        let mut settings = Settings::default();
        settings.set("freedom", ".6").expect("in range");
        assert_eq!((settings.turn.cross_replace_steps.to, settings.turn.self_replace_steps.to), (0.4, 0.4));
        settings.set("steps", "12").expect("in range");
        settings.preset("clp2p").expect("known");
        assert_eq!(
            (settings.turn.cross_replace_steps.to, settings.turn.self_replace_steps.to, settings.turn.k),
            (0.2, 0.8, 0.0)
        );
        assert_eq!(settings.root.steps, Some(12));
    }
}
