//! Everything that can be set, in one table.
//!
//! `/set`, `--set`, the config file and study grids all go through [`Settings::set`], so a name means the same
//! everywhere. Settings marked [`Per::Turn`] shape the next edits; those marked [`Per::Root`] belong to the
//! [`Recipe`](super::Recipe) and take effect with the next first picture.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::sampler::SamplerName;

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

/// How the latent is composed at the border of a mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BlendArithmetic {
    /// Outside the mask the latent becomes the parent's, bit for bit.
    Select,
    /// `source + mask * (own - source)`.
    Mix,
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
    /// Words whose maps make the mask; empty stands for the changed words with their nouns.
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
}

impl Default for TurnSettings {
    fn default() -> Self {
        Self {
            cross_replace_steps: Window::until(0.4),
            cross_words: BTreeMap::new(),
            self_replace_steps: Window::until(0.4),
            self_max: None,
            k: 0.3,
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
        }
    }
}

/// The settings of the next first picture. `None` stands for the model's own default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct RootSettings {
    /// A folder, a hub name, or `embedded`.
    pub model: Option<String>,
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
}

/// All settings in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Settings {
    /// Those of the next turn.
    pub turn: TurnSettings,
    /// Those of the next first picture.
    pub root: RootSettings,
}

/// Whether a setting is read at every turn or only when a tree begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    /// Read at every turn.
    Turn,
    /// Part of the recipe: read when a first picture is drawn.
    Root,
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Name in `snake_case`; `-` reads as `_`.
    pub name: &'static str,
    /// Short name, or "".
    pub alias: &'static str,
    /// What may be given.
    pub values: &'static str,
    /// When it is read.
    pub per: Per,
    /// What it means, in one line.
    pub meaning: &'static str,
}

/// Every setting there is.
pub const TABLE: &[Setting] = &[
    turn(
        "cross_replace_steps",
        "cross",
        "f, a..b or {word: f, default: f}",
        "share of the steps with carried cross-attention",
    ),
    turn("self_replace_steps", "self", "f or a..b", "share of the steps with the parent's self-attention"),
    turn("self_max", "", "pixels, or auto", "largest layer whose self-attention is carried"),
    turn("k", "", "0..1", "threshold of local blend; 0 is no blending"),
    turn("blend_words", "", "words, or auto", "words whose maps make the mask"),
    turn("substruct_words", "", "words, or none", "words whose maps are taken out of the mask"),
    turn("substruct_k", "", "0..1", "threshold for substruct_words"),
    turn("start_blend", "", "0..1", "share of the steps before blending begins"),
    turn("v_replace_steps", "v", "f, a..b or off", "share of the steps with mixed values"),
    turn("v_mix", "", "0..1", "share of the parent's values in the mixture"),
    turn("v_layers", "", "cross, self or both", "where values are mixed"),
    turn("weight_window", "", "always or inside", "whether weights also apply outside the cross window"),
    turn("alignment", "", "words or published", "which source token feeds which target token"),
    turn("blend_maps", "", "carried or used", "whether masks are made before or after weights"),
    turn("blend_arithmetic", "", "select or mix", "how the latent is composed outside the mask"),
    turn("window_rounding", "", "round or published", "how a share of the steps becomes a step"),
    turn("renormalize", "", "off or on", "scale rows of used maps back to a sum of 1"),
    turn("freedom", "", "0..1", "one knob: sets cross and self to 1 - f"),
    root("model", "", "embedded, a folder, or owner/name[@revision]", "where the weights come from"),
    root("seed", "", "a whole number", "what the noise is drawn from"),
    root("steps", "", "1..1000", "denoising steps"),
    root("guidance", "", "0..50", "how far to push towards the words; 1 is no guidance"),
    root("size", "", "pixels, or WxH", "width and height of the picture"),
    root("negative", "", "text", "what the picture should not be"),
    root("scheduler", "", SamplerName::CHOICES, "the sampler"),
    root("precision", "", "f32 or bf16", "arithmetic of the networks"),
    root("map_precision", "", "f16 or f32", "rounding of carried maps"),
];

const fn turn(name: &'static str, alias: &'static str, values: &'static str, meaning: &'static str) -> Setting {
    Setting { name, alias, values, per: Per::Turn, meaning }
}

const fn root(name: &'static str, alias: &'static str, values: &'static str, meaning: &'static str) -> Setting {
    Setting { name, alias, values, per: Per::Root, meaning }
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

/// The table's line for a name or alias; `-` reads as `_`, capitals as small letters.
#[must_use]
pub fn find(name: &str) -> Option<&'static Setting> {
    let name = name.trim().to_lowercase().replace('-', "_");
    TABLE.iter().find(|s| s.name == name || (!s.alias.is_empty() && s.alias == name))
}

/// The presets of per-turn settings: name, cross, self, k.
pub const PRESETS: &[(&str, f64, f64, f64)] =
    &[("p2p", 0.8, 0.4, 0.3), ("literature", 0.8, 0.2, 0.3), ("clp2p", 0.2, 0.8, 0.0), ("pie", 0.4, 0.6, 0.3)];

impl Settings {
    /// Sets `name` to `value`.
    ///
    /// # Errors
    /// An unknown name, a value of the wrong type or out of range: the message names the setting, the value and
    /// the range, the hint what to type.
    pub fn set(&mut self, name: &str, value: &str) -> Result<&'static Setting, SettingError> {
        let Some(setting) = find(name) else {
            let names = || TABLE.iter().flat_map(|s| [s.name, s.alias]).filter(|n| !n.is_empty());
            let hint = match crate::turn::nearest(&name.trim().to_lowercase().replace('-', "_"), names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are: {}", TABLE.iter().map(|s| s.name).collect::<Vec<_>>().join(", ")),
            };
            return Err(SettingError::new(format!("there is no setting `{}`", name.trim()), hint));
        };
        let value = value.trim();
        let now = self.get(setting.name);
        let reader = Reader { setting, value, now };
        let (turn, root) = (&mut self.turn, &mut self.root);
        match setting.name {
            "cross_replace_steps" => (turn.cross_replace_steps, turn.cross_words) = reader.cross_windows()?,
            "self_replace_steps" => turn.self_replace_steps = reader.window()?,
            "self_max" => turn.self_max = reader.auto_or_whole(1 << 24)?,
            "k" => turn.k = reader.share()?,
            "blend_words" => turn.blend_words = reader.words("auto"),
            "substruct_words" => turn.substruct_words = reader.words("none"),
            "substruct_k" => turn.substruct_k = reader.share()?,
            "start_blend" => turn.start_blend = reader.share()?,
            "v_replace_steps" => {
                turn.v_replace_steps = if value == "off" { Window::until(0.0) } else { reader.window()? }
            }
            "v_mix" => turn.v_mix = reader.share()?,
            "v_layers" => {
                turn.v_layers = reader.choice(&[
                    ("cross", VLayers::Cross),
                    ("self", VLayers::SelfAttention),
                    ("both", VLayers::Both),
                ])?;
            }
            "weight_window" => {
                turn.weight_window =
                    reader.choice(&[("always", WeightWindow::Always), ("inside", WeightWindow::Inside)])?;
            }
            "alignment" => {
                turn.alignment = reader.choice(&[("words", Alignment::Words), ("published", Alignment::Published)])?;
            }
            "blend_maps" => {
                turn.blend_maps = reader.choice(&[("carried", BlendMaps::Carried), ("used", BlendMaps::Used)])?;
            }
            "blend_arithmetic" => {
                turn.blend_arithmetic =
                    reader.choice(&[("select", BlendArithmetic::Select), ("mix", BlendArithmetic::Mix)])?;
            }
            "window_rounding" => {
                turn.window_rounding =
                    reader.choice(&[("round", Rounding::Round), ("published", Rounding::Published)])?;
            }
            "renormalize" => turn.renormalize = reader.choice(&[("off", false), ("on", true)])?,
            "freedom" => {
                let kept = round_share(1.0 - reader.share()?);
                turn.cross_replace_steps = Window::until(kept);
                turn.self_replace_steps = Window::until(kept);
                turn.cross_words.clear();
            }
            "model" => root.model = Some(reader.text()?),
            "seed" => root.seed = Some(reader.number::<u64>("a whole number from 0 to 18446744073709551615")?),
            "steps" => root.steps = Some(reader.whole(1, 1000)?),
            "guidance" => root.guidance = Some(reader.between(0.0, 50.0)?),
            "size" => root.size = Some(reader.size()?),
            "negative" => root.negative = Some(value.to_owned()),
            "scheduler" => {
                root.scheduler = Some(value.to_lowercase().parse().map_err(|_| reader.wrong(SamplerName::CHOICES))?);
            }
            "precision" => {
                root.precision = Some(reader.choice(&[("f32", Precision::F32), ("bf16", Precision::Bf16)])?);
            }
            "map_precision" => {
                root.map_precision = Some(reader.choice(&[("f16", Precision::F16), ("f32", Precision::F32)])?);
            }
            other => return Err(SettingError::new(format!("BUG: setting `{other}` has no reader"), "report this")),
        }
        Ok(setting)
    }

    /// The value of a setting as it would be typed; "auto" where the model decides.
    #[must_use]
    pub fn get(&self, name: &str) -> String {
        let auto = || "auto".to_owned();
        let or_auto = |v: Option<String>| v.unwrap_or_else(auto);
        let list = |words: &[String], empty: &str| if words.is_empty() { empty.to_owned() } else { words.join(" ") };
        let (turn, root) = (&self.turn, &self.root);
        match name {
            "cross_replace_steps" if turn.cross_words.is_empty() => turn.cross_replace_steps.to_string(),
            "cross_replace_steps" => {
                let words: String = turn.cross_words.iter().map(|(word, w)| format!("{word}: {w}, ")).collect();
                format!("{{{words}default: {}}}", turn.cross_replace_steps)
            }
            "self_replace_steps" => turn.self_replace_steps.to_string(),
            "self_max" => or_auto(turn.self_max.map(|n| n.to_string())),
            "k" => turn.k.to_string(),
            "blend_words" => list(&turn.blend_words, "auto"),
            "substruct_words" => list(&turn.substruct_words, "none"),
            "substruct_k" => turn.substruct_k.to_string(),
            "start_blend" => turn.start_blend.to_string(),
            "v_replace_steps" if turn.v_replace_steps.is_empty() => "off".to_owned(),
            "v_replace_steps" => turn.v_replace_steps.to_string(),
            "v_mix" => turn.v_mix.to_string(),
            "v_layers" => json_name(&turn.v_layers),
            "weight_window" => json_name(&turn.weight_window),
            "alignment" => json_name(&turn.alignment),
            "blend_maps" => json_name(&turn.blend_maps),
            "blend_arithmetic" => json_name(&turn.blend_arithmetic),
            "window_rounding" => json_name(&turn.window_rounding),
            "renormalize" => if turn.renormalize { "on" } else { "off" }.to_owned(),
            "freedom" => {
                let (cross, own) = (turn.cross_replace_steps, turn.self_replace_steps);
                if cross == own && cross.from == 0.0 {
                    round_share(1.0 - cross.to).to_string()
                } else {
                    "mixed".to_owned()
                }
            }
            "model" => root.model.clone().unwrap_or_else(|| "embedded".to_owned()),
            "seed" => or_auto(root.seed.map(|n| n.to_string())),
            "steps" => or_auto(root.steps.map(|n| n.to_string())),
            "guidance" => or_auto(root.guidance.map(|n| n.to_string())),
            "size" => or_auto(root.size.map(|(w, h)| format!("{w}x{h}"))),
            "negative" => root.negative.clone().unwrap_or_default(),
            "scheduler" => root.scheduler.unwrap_or_default().to_string(),
            "precision" => or_auto(root.precision.as_ref().map(json_name)),
            "map_precision" => or_auto(root.map_precision.as_ref().map(json_name)),
            _ => String::new(),
        }
    }

    /// Sets cross, self and k to those of a preset, and nothing else.
    ///
    /// # Errors
    /// An unknown name.
    pub fn preset(&mut self, name: &str) -> Result<(), SettingError> {
        let name = name.trim().to_lowercase();
        let Some((_, cross, own, k)) = PRESETS.iter().find(|p| p.0 == name) else {
            let names = PRESETS.iter().map(|p| p.0).collect::<Vec<_>>().join(", ");
            return Err(SettingError::new(format!("there is no preset `{name}`"), format!("there are: {names}")));
        };
        self.turn.cross_replace_steps = Window::until(*cross);
        self.turn.cross_words.clear();
        self.turn.self_replace_steps = Window::until(*own);
        self.turn.k = *k;
        Ok(())
    }
}

/// The word that a choice is written as.
#[must_use]
pub fn name_of(value: &impl Serialize) -> String {
    json_name(value)
}

/// The lower-case word that a choice is written as.
fn json_name(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A share without the dust of binary subtraction: `1 - .6` is `.4`.
fn round_share(share: f64) -> f64 {
    (share * 1e9).round() / 1e9
}

struct Reader<'a> {
    setting: &'static Setting,
    value: &'a str,
    now: String,
}

impl Reader<'_> {
    fn wrong(&self, expected: &str) -> SettingError {
        let Setting { name, alias, .. } = self.setting;
        let short = if alias.is_empty() { name } else { alias };
        SettingError::new(
            format!("`{name}` is `{}`, but it takes {expected}", self.value),
            format!("/set {short} {}   (the value now)", if self.now.is_empty() { "\"\"" } else { &self.now }),
        )
    }

    fn number<T: std::str::FromStr>(&self, expected: &str) -> Result<T, SettingError> {
        self.value.parse().map_err(|_| self.wrong(expected))
    }

    fn between(&self, low: f64, high: f64) -> Result<f64, SettingError> {
        let range = format!("a number between {low} and {high}");
        let number: f64 = self.number(&range)?;
        if number.is_finite() && (low..=high).contains(&number) { Ok(number) } else { Err(self.wrong(&range)) }
    }

    fn share(&self) -> Result<f64, SettingError> {
        self.share_in(self.value)
    }

    fn share_in(&self, text: &str) -> Result<f64, SettingError> {
        let share = text.trim().parse::<f64>().ok().filter(|f| (0.0..=1.0).contains(f));
        share.ok_or_else(|| self.wrong("a share of the steps between 0 and 1").with_kind(self.setting))
    }

    fn whole(&self, low: usize, high: usize) -> Result<usize, SettingError> {
        let range = format!("a whole number from {low} to {high}");
        let number: usize = self.number(&range)?;
        if (low..=high).contains(&number) { Ok(number) } else { Err(self.wrong(&range)) }
    }

    fn auto_or_whole(&self, high: usize) -> Result<Option<usize>, SettingError> {
        if self.value == "auto" { Ok(None) } else { self.whole(0, high).map(Some) }
    }

    fn text(&self) -> Result<String, SettingError> {
        if self.value.is_empty() { Err(self.wrong("a name")) } else { Ok(self.value.to_owned()) }
    }

    fn window(&self) -> Result<Window, SettingError> {
        self.window_in(self.value)
    }

    fn window_in(&self, text: &str) -> Result<Window, SettingError> {
        let Some((from, to)) = text.split_once("..") else {
            return Ok(Window::until(self.share_in(text)?));
        };
        let window = Window { from: self.share_in(from)?, to: self.share_in(to)? };
        if window.from > window.to {
            return Err(self.wrong("a..b with a not after b"));
        }
        Ok(window)
    }

    fn cross_windows(&self) -> Result<(Window, BTreeMap<String, Window>), SettingError> {
        let Some(inner) = self.value.strip_prefix('{').and_then(|v| v.strip_suffix('}')) else {
            return Ok((self.window()?, BTreeMap::new()));
        };
        let mut default = Window::until(1.0);
        let mut words = BTreeMap::new();
        for pair in inner.split(',').filter(|p| !p.trim().is_empty()) {
            let Some((word, window)) = pair.rsplit_once(':') else {
                return Err(self.wrong("`word: share` pairs"));
            };
            let word = word.trim().trim_matches(['"', '\'']);
            let window = self.window_in(window)?;
            if word == "default" || word == "default_" {
                default = window;
            } else if word.is_empty() {
                return Err(self.wrong("`word: share` pairs"));
            } else {
                words.insert(word.to_owned(), window);
            }
        }
        Ok((default, words))
    }

    fn words(&self, empty: &str) -> Vec<String> {
        if self.value == empty {
            return Vec::new();
        }
        let split = |c: char| c.is_whitespace() || c == ',';
        self.value.split(split).filter(|w| !w.is_empty()).map(str::to_owned).collect()
    }

    fn choice<T: Clone>(&self, choices: &[(&str, T)]) -> Result<T, SettingError> {
        let found = choices.iter().find(|(name, _)| *name == self.value.to_lowercase());
        let names = choices.iter().map(|c| c.0).collect::<Vec<_>>().join(" or ");
        found.map(|c| c.1.clone()).ok_or_else(|| self.wrong(&names))
    }

    fn size(&self) -> Result<(usize, usize), SettingError> {
        let expected = "pixels such as 512 or 640x512: multiples of 8 from 32 to 4096";
        let (w, h) = self.value.split_once(['x', 'X', '×']).unwrap_or((self.value, self.value));
        let side = |text: &str| text.trim().parse::<usize>().ok().filter(|n| n % 8 == 0 && (32..=4096).contains(n));
        side(w).zip(side(h)).ok_or_else(|| self.wrong(expected))
    }
}

impl SettingError {
    /// Shares that are no shares of steps (k, `v_mix`) are named plainly.
    fn with_kind(mut self, setting: &Setting) -> Self {
        if !setting.meaning.contains("share of the steps") {
            self.message = self.message.replace("a share of the steps between", "a number between");
        }
        self
    }
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
            if shown != "auto" || ["self_max", "blend_words"].contains(&setting.name) {
                settings.set(setting.name, &shown).expect(setting.name);
                assert_eq!(settings.get(setting.name), shown, "{}", setting.name);
            }
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
