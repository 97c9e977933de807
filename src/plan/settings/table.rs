//! The one table of settings: a row is all that a setting is beside its field.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::super::device::DeviceName;
use super::super::inversion::InversionName;
use super::super::redraw::MOST_TUNING_STEPS;
use super::super::sampler::SamplerName;
use super::reader::Reader;
use super::{Per, SettingError, Settings, Window, name_of};

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Name in `snake_case`; `-` reads as `_`.
    pub name: &'static str,
    /// Short name, or "".
    pub alias: &'static str,
    /// What may be given. Words listed here are choices, and are offered.
    pub values: &'static str,
    /// When it is read.
    pub per: Per,
    /// What it means, in one line.
    pub meaning: &'static str,
    set: Set,
    get: Get,
}

type Set = fn(&mut Settings, &Reader<'_>) -> Result<(), SettingError>;
type Get = fn(&Settings) -> String;

/// Every setting there is.
pub const TABLE: &[Setting] = &[
    turn(
        "cross_replace_steps",
        "cross",
        "f, a..b or {word: f, default: f}",
        "share of the steps with carried cross-attention",
    )
    .by(
        |s, r| {
            (s.turn.cross_replace_steps, s.turn.cross_words) = r.cross_windows()?;
            Ok(())
        },
        |s| cross_shown(s.turn.cross_replace_steps, &s.turn.cross_words),
    ),
    turn("self_replace_steps", "self", "f or a..b", "share of the steps with the parent's self-attention")
        .by(|s, r| put(&mut s.turn.self_replace_steps, r.window()), |s| s.turn.self_replace_steps.to_string()),
    turn("self_max", "", "pixels, or auto", "largest layer whose self-attention is carried")
        .by(|s, r| put(&mut s.turn.self_max, r.auto_or(|r| r.whole(0, 1 << 24))), |s| or_auto(s.turn.self_max)),
    turn("k", "", "0..1", "threshold of local blend; 0 is no blending")
        .by(|s, r| put(&mut s.turn.k, r.share()), |s| s.turn.k.to_string()),
    turn(
        "region_from",
        "",
        "cross, spread or text",
        "what says where the changed words were: maps, maps spread, or a network",
    )
    .by(|s, r| put(&mut s.turn.region_from, r.choice()), |s| name_of(&s.turn.region_from)),
    turn("blend_words", "", "words, auto or none", "words whose maps make the mask; none is no blending")
        .by(|s, r| put(&mut s.turn.blend_words, r.words("auto")), |s| list(&s.turn.blend_words, "auto")),
    turn("substruct_words", "", "words, or none", "words whose maps are taken out of the mask")
        .by(|s, r| put(&mut s.turn.substruct_words, r.words("none")), |s| list(&s.turn.substruct_words, "none")),
    turn("substruct_k", "", "0..1", "threshold for substruct_words")
        .by(|s, r| put(&mut s.turn.substruct_k, r.share()), |s| s.turn.substruct_k.to_string()),
    turn("start_blend", "", "0..1", "share of the steps before blending begins")
        .by(|s, r| put(&mut s.turn.start_blend, r.share()), |s| s.turn.start_blend.to_string()),
    turn("v_replace_steps", "v", "f, a..b or off", "share of the steps with mixed values").by(
        |s, r| put(&mut s.turn.v_replace_steps, r.off_or_window()),
        |s| if s.turn.v_replace_steps.is_empty() { "off".to_owned() } else { s.turn.v_replace_steps.to_string() },
    ),
    turn("v_mix", "", "0..1", "share of the parent's values in the mixture")
        .by(|s, r| put(&mut s.turn.v_mix, r.share()), |s| s.turn.v_mix.to_string()),
    turn("v_layers", "", "cross, self or both", "where values are mixed")
        .by(|s, r| put(&mut s.turn.v_layers, r.choice()), |s| name_of(&s.turn.v_layers)),
    turn("weight_window", "", "always or inside", "whether weights also apply outside the cross window")
        .by(|s, r| put(&mut s.turn.weight_window, r.choice()), |s| name_of(&s.turn.weight_window)),
    turn("alignment", "", "words or published", "which source token feeds which target token")
        .by(|s, r| put(&mut s.turn.alignment, r.choice()), |s| name_of(&s.turn.alignment)),
    turn("blend_maps", "", "carried or used", "whether masks are made before or after weights")
        .by(|s, r| put(&mut s.turn.blend_maps, r.choice()), |s| name_of(&s.turn.blend_maps)),
    turn("blend_arithmetic", "", "select or mix", "how the latent is composed outside the mask")
        .by(|s, r| put(&mut s.turn.blend_arithmetic, r.choice()), |s| name_of(&s.turn.blend_arithmetic)),
    turn("window_rounding", "", "round or published", "how a share of the steps becomes a step")
        .by(|s, r| put(&mut s.turn.window_rounding, r.choice()), |s| name_of(&s.turn.window_rounding)),
    turn("renormalize", "", "off or on", "scale rows of used maps back to a sum of 1").by(
        |s, r| put(&mut s.turn.renormalize, r.named().map(|name| name == "on")),
        |s| if s.turn.renormalize { "on" } else { "off" }.to_owned(),
    ),
    turn("outside", "", "photograph or model", "what lies outside the region of a photograph's edits")
        .by(|s, r| put(&mut s.turn.outside, r.choice()), |s| name_of(&s.turn.outside)),
    turn("tuning_steps", "", "1..100000, or auto", "steps in which /imagic and /unitune learn a picture")
        .by(|s, r| put(&mut s.tuning_steps, r.auto_or(|r| r.whole(0, MOST_TUNING_STEPS))), |s| or_auto(s.tuning_steps)),
    turn("freedom", "", "0..1", "one knob: sets cross and self to 1 - f").by(
        |s, r| {
            s.keep(Window::until(round_share(1.0 - r.share()?)));
            Ok(())
        },
        |s| match (s.turn.cross_replace_steps, s.turn.self_replace_steps) {
            (cross, own) if cross == own && cross.from == 0.0 => round_share(1.0 - cross.to).to_string(),
            _ => "mixed".to_owned(),
        },
    ),
    root("model", "embedded, a folder, a file, or owner/name[@revision]", "where the weights come from").by(
        |s, r| put(&mut s.root.model, r.text().map(Some)),
        |s| s.root.model.clone().unwrap_or_else(|| "embedded".to_owned()),
    ),
    root("lora", "FILE[:scale], or off", "changes of the model's weights; several are parted by commas").by(
        |s, r| put(&mut s.root.lora, r.files(|file| r.file_and_scale(file))),
        |s| {
            let shown: Vec<_> = s.root.lora.iter().map(|(file, scale)| format!("{file}:{scale}")).collect();
            or_off(shown.join(", "))
        },
    ),
    root("embedding", "FILE[=word], or off", "words learned after the model; several are parted by commas").by(
        |s, r| put(&mut s.root.embedding, r.files(|file| Ok(file_and_word(file)))),
        |s| {
            let word = |word: &Option<String>| word.as_ref().map_or_else(String::new, |word| format!("={word}"));
            let shown: Vec<_> = s.root.embedding.iter().map(|(file, w)| format!("{file}{}", word(w))).collect();
            or_off(shown.join(", "))
        },
    ),
    root("vae", "FILE, FOLDER, owner/name, or auto", "another autoencoder than the model's").by(
        |s, r| put(&mut s.root.vae, if r.value == "auto" { Ok(None) } else { r.file(r.value).map(Some) }),
        |s| s.root.vae.clone().unwrap_or_else(|| "auto".to_owned()),
    ),
    root(
        "decoder",
        "auto, full or tiny",
        "what makes pictures of latents: the model's own, a full one, or a quick one",
    )
    .by(|s, r| put(&mut s.root.decoder, r.choice().map(Some)), |s| name_of(&s.root.decoder.unwrap_or_default())),
    root("clip_skip", "1..12", "which text layer is read, counted from the last; 1 is off")
        .by(|s, r| put(&mut s.root.clip_skip, r.whole(1, 12).map(Some)), |s| s.root.clip_skip.unwrap_or(1).to_string()),
    root("seed", "a whole number, or auto", "what the noise is drawn from").by(
        |s, r| put(&mut s.root.seed, r.auto_or(|r| r.number("a whole number from 0 to 18446744073709551615"))),
        |s| or_auto(s.root.seed),
    ),
    root("steps", "1..1000, or auto", "denoising steps")
        .by(|s, r| put(&mut s.root.steps, r.auto_or(|r| r.whole(1, 1000))), |s| or_auto(s.root.steps)),
    root("guidance", "0..50, or auto", "how far to push towards the words; 1 is no guidance")
        .by(|s, r| put(&mut s.root.guidance, r.auto_or(|r| r.between(0.0, 50.0))), |s| or_auto(s.root.guidance)),
    root("size", "pixels, WxH, or auto", "width and height of the picture").by(
        |s, r| put(&mut s.root.size, r.auto_or(Reader::size)),
        |s| or_auto(s.root.size.map(|(w, h)| format!("{w}x{h}"))),
    ),
    root("negative", "text", "what the picture should not be").by(
        |s, r| {
            s.root.negative = Some(r.value.to_owned());
            Ok(())
        },
        |s| s.root.negative.clone().unwrap_or_default(),
    ),
    root("scheduler", SamplerName::CHOICES, "the sampler")
        .by(|s, r| put(&mut s.root.scheduler, r.auto_or(Reader::choice)), |s| or_auto(s.root.scheduler)),
    root("precision", "f32, bf16 or auto", "arithmetic of the networks").by(
        |s, r| put(&mut s.root.precision, r.auto_or(Reader::choice)),
        |s| or_auto(s.root.precision.as_ref().map(name_of)),
    ),
    root("map_precision", "f16, f32 or auto", "rounding of carried maps").by(
        |s, r| put(&mut s.root.map_precision, r.auto_or(Reader::choice)),
        |s| or_auto(s.root.map_precision.as_ref().map(name_of)),
    ),
    root("inversion", InversionName::CHOICES, "how a photograph is brought back to noise").by(
        |s, r| put(&mut s.root.inversion, r.choice().map(Some)),
        |s| s.root.inversion.unwrap_or_default().to_string(),
    ),
    root("fit", "crop, pad or stretch", "how a photograph is brought to the shape of the picture")
        .by(|s, r| put(&mut s.root.fit, r.choice()), |s| name_of(&s.root.fit)),
    machine("device", DeviceName::CHOICES, "where pictures are computed; bits may differ between devices")
        .by(|s, r| put(&mut s.device, r.device()), |s| s.device.to_string()),
    machine(
        "segmenter",
        "embedded, a folder, or owner/name[@revision]",
        "the network that finds what a text in quotes names",
    )
    .by(
        |s, r| put(&mut s.segmenter, r.text().map(|name| Some(name).filter(|name| name != "auto"))),
        |s| s.segmenter.clone().unwrap_or_else(|| "auto".to_owned()),
    ),
];

const fn turn(name: &'static str, alias: &'static str, values: &'static str, meaning: &'static str) -> Setting {
    Setting { name, alias, values, per: Per::Turn, meaning, set: |_, _| Ok(()), get: |_| String::new() }
}

const fn root(name: &'static str, values: &'static str, meaning: &'static str) -> Setting {
    Setting { per: Per::Root, ..turn(name, "", values, meaning) }
}

const fn machine(name: &'static str, values: &'static str, meaning: &'static str) -> Setting {
    Setting { per: Per::Machine, ..turn(name, "", values, meaning) }
}

fn put<T>(place: &mut T, value: Result<T, SettingError>) -> Result<(), SettingError> {
    *place = value?;
    Ok(())
}

fn or_off(shown: String) -> String {
    if shown.is_empty() { "off".to_owned() } else { shown }
}

/// `FILE[=word]`.
fn file_and_word(text: &str) -> (String, Option<String>) {
    text.rsplit_once('=')
        .map_or_else(|| (text.to_owned(), None), |(file, word)| (file.to_owned(), Some(word.to_owned())))
}

fn or_auto(value: Option<impl Display>) -> String {
    value.map_or_else(|| "auto".to_owned(), |v| v.to_string())
}

fn list(words: &[String], empty: &str) -> String {
    if words.is_empty() { empty.to_owned() } else { words.join(" ") }
}

fn cross_shown(default: Window, words: &BTreeMap<String, Window>) -> String {
    if words.is_empty() {
        return default.to_string();
    }
    let words: String = words.iter().map(|(word, window)| format!("{word}: {window}, ")).collect();
    format!("{{{words}default: {default}}}")
}

/// A share without the dust of binary subtraction: `1 - .6` is `.4`.
fn round_share(share: f64) -> f64 {
    (share * 1e9).round() / 1e9
}

impl Setting {
    const fn by(self, set: Set, get: Get) -> Self {
        Self { set, get, ..self }
    }

    /// Its alias, or its name if it has none.
    #[must_use]
    pub fn short(&self) -> &'static str {
        if self.alias.is_empty() { self.name } else { self.alias }
    }

    /// The words among [`values`](Self::values): choices, and names of what is typed (`pixels`).
    pub fn listed(&self) -> impl Iterator<Item = &'static str> {
        self.values.split([',', ' ']).filter(|w| w.contains(char::is_alphabetic) && *w != "or")
    }
}

/// The table's line for a name or alias; `-` reads as `_`, capitals as small letters.
#[must_use]
pub fn find(name: &str) -> Option<&'static Setting> {
    let name = plain_name(name);
    TABLE.iter().find(|s| s.name == name || (!s.alias.is_empty() && s.alias == name))
}

/// Every name and alias.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().flat_map(|s| [s.name, s.alias]).filter(|n| !n.is_empty())
}

/// A name as the table has it: `-` reads as `_`, capitals as small letters.
#[must_use]
pub fn plain_name(name: &str) -> String {
    name.trim().to_lowercase().replace('-', "_")
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
            let hint = match crate::turn::nearest(&plain_name(name), names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are: {}", TABLE.iter().map(|s| s.name).collect::<Vec<_>>().join(", ")),
            };
            return Err(SettingError::new(format!("there is no setting `{}`", name.trim()), hint));
        };
        let reader = Reader { setting, value: value.trim(), now: (setting.get)(self) };
        (setting.set)(self, &reader)?;
        Ok(setting)
    }

    /// The value of a setting as it would be typed; "auto" where the model decides, "" for an unknown name.
    #[must_use]
    pub fn get(&self, name: &str) -> String {
        find(name).map(|setting| (setting.get)(self)).unwrap_or_default()
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
        self.keep(Window::until(*cross));
        self.turn.self_replace_steps = Window::until(*own);
        self.turn.k = *k;
        Ok(())
    }

    /// Carries cross- and self-attention during `window`, for all words alike.
    fn keep(&mut self, window: Window) {
        (self.turn.cross_replace_steps, self.turn.self_replace_steps) = (window, window);
        self.turn.cross_words.clear();
    }
}
