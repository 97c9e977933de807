//! LoRA: a small change of a model's weights, in a file of its own.
//!
//! A change of a matrix is the product of two narrow ones, times a scale. It is added once, when the matrix is read, so that
//! nothing else needs to know of it. The names in such a file are made from the names of modules, in one of several ways:
//! kohya's, where underscores stand for dots and cannot be undone, in our layout or the original one; peft's; and the older
//! ones of diffusers.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use candle_core::{Device, Tensor};
use serde_json::Value;

use super::FileBytes;
use super::error::trouble;
use super::folder;
use super::original::UnetNames;
use super::tensors::TensorFile;

/// An adapter that changes weights, and how strongly.
pub struct Lora {
    file: TensorFile,
    scale: f64,
    modules: BTreeMap<String, Module>,
    peft: Peft,
}

/// What a file says of one module.
#[derive(Debug, Default)]
struct Module {
    /// The part of the model that it is in.
    part: &'static str,
    /// Its name as the file's, without what only says which part it is in.
    name: String,
    down: Option<String>,
    up: Option<String>,
    mid: Option<String>,
    alpha: Option<String>,
}

/// A change of one weight.
#[derive(Debug, Clone)]
pub(super) struct Change {
    module: String,
    factor: f64,
}

/// What peft writes into the metadata.
#[derive(Default)]
struct Peft(serde_json::Map<String, Value>);

/// Which of a module's tensors it is.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    Down,
    Up,
    Mid,
    Alpha,
}

/// How the names of tensors end.
const ENDINGS: [(&str, Role); 14] = [
    (".lora_down.weight", Role::Down),
    (".lora_up.weight", Role::Up),
    (".lora_mid.weight", Role::Mid),
    (".lora_A.weight", Role::Down),
    (".lora_B.weight", Role::Up),
    (".lora_A.default.weight", Role::Down),
    (".lora_B.default.weight", Role::Up),
    (".lora_linear_layer.down.weight", Role::Down),
    (".lora_linear_layer.up.weight", Role::Up),
    (".lora.down.weight", Role::Down),
    (".lora.up.weight", Role::Up),
    ("_lora.down.weight", Role::Down),
    ("_lora.up.weight", Role::Up),
    (".alpha", Role::Alpha),
];

/// How the names of modules begin, in files that were made for several parts.
const BEGINNINGS: [(&str, &str); 9] = [
    ("lora_unet_", "unet"),
    ("lora_te_", "text_encoder"),
    ("lora_te1_", "text_encoder"),
    ("lora_te2_", "text_encoder_2"),
    ("unet.", "unet"),
    ("text_encoder.", "text_encoder"),
    ("text_encoder_2.", "text_encoder_2"),
    ("diffusion_model.", "unet"),
    ("base_model.model.", "unet"),
];

/// The parts of a model whose weights can be changed.
const PARTS: [&str; 3] = ["unet", "text_encoder", "text_encoder_2"];

/// How names begin in files that were made for one part alone.
const ALONE: [(&str, &str); 5] = [
    ("down_blocks.", "unet"),
    ("mid_block.", "unet"),
    ("up_blocks.", "unet"),
    ("time_embedding.", "unet"),
    ("text_model.", "text_encoder"),
];

/// Marks of adapters that are no LoRA.
const OTHERS: [(&str, &str); 7] = [
    (".dora_scale", "DoRA"),
    (".lora_magnitude_vector", "DoRA"),
    (".hada_w", "LoHa"),
    (".lokr_w", "LoKr"),
    (".oft_", "OFT"),
    (".diff", "a full difference"),
    (".bias", "a change of biases"),
];

/// The module that a tensor's name speaks of, and which of its tensors it is.
fn read_name(name: &str) -> Option<(String, Role)> {
    let (stem, end, role) = ENDINGS.iter().find_map(|(end, role)| Some((name.strip_suffix(end)?, *end, *role)))?;
    if end.starts_with("_lora") {
        // The older spelling hangs the change of a layer on the processor of its attention, and gives text the UNet's names.
        let (attention, layer) = stem.rsplit_once('.')?;
        let attention = attention.strip_suffix(".processor").unwrap_or(attention);
        let layer = match (layer, attention.ends_with(".self_attn")) {
            ("to_q", true) => "q_proj",
            ("to_k", true) => "k_proj",
            ("to_v", true) => "v_proj",
            ("to_out", true) => "out_proj",
            ("to_out", false) => "to_out.0",
            (other, _) => other,
        };
        return Some((format!("{attention}.{layer}"), role));
    }
    Some((stem.to_owned(), role))
}

impl Lora {
    /// Opens a file and checks its header and names; `scale` is how strongly it counts, where 1 is as it was trained, 0 off, and
    /// a negative one the opposite.
    ///
    /// # Errors
    /// Fails if the file is missing, damaged or no LoRA; the message names it and the key.
    pub fn open(path: &Path, scale: f64) -> Result<Self> {
        ensure!(scale.is_finite(), "{scale} is no scale of {}", path.display());
        Self::read(folder::file(path)?, path.display().to_string(), scale)
    }

    /// The same from a file that is open; `called` is its name in messages.
    pub(super) fn read(file: FileBytes, called: String, scale: f64) -> Result<Self> {
        let file = TensorFile::open(file, called.clone())?;
        let mut modules: BTreeMap<String, Module> = BTreeMap::new();
        for key in file.places.keys() {
            let Some((stem, role)) = read_name(key) else {
                if let Some((_, kind)) = OTHERS.iter().find(|(mark, _)| key.contains(mark)) {
                    let message = format!("`{key}` of {called} is {kind}, which is not built here");
                    return Err(trouble(message, "take a file of plain LoRA"));
                }
                return Err(trouble(
                    format!("`{key}` of {called} is not a name that LoRAs have"),
                    "take a file of plain LoRA; a model goes to `model`, an embedding to `embedding`",
                ));
            };
            let begins = BEGINNINGS.iter().find_map(|(with, part)| Some((*part, stem.strip_prefix(with)?)));
            let alone = || ALONE.iter().find(|(with, _)| stem.starts_with(with)).map(|(_, part)| (*part, &*stem));
            let Some((part, name)) = begins.or_else(alone) else {
                return Err(trouble(
                    format!("`{key}` of {called} does not say which part of a model it changes"),
                    "take a LoRA that was made for Stable Diffusion",
                ));
            };
            let name = name.to_owned();
            let module = modules.entry(stem).or_default();
            (module.part, module.name) = (part, name);
            let place = match role {
                Role::Down => &mut module.down,
                Role::Up => &mut module.up,
                Role::Mid => &mut module.mid,
                Role::Alpha => &mut module.alpha,
            };
            *place = Some(key.clone());
        }
        ensure!(!modules.is_empty(), "{called} holds no tensors");
        for (stem, module) in &modules {
            let lacks = match (&module.down, &module.up) {
                (None, _) => "matrix that leads down",
                (_, None) => "matrix that leads up",
                _ => continue,
            };
            bail!("{called} is damaged: `{stem}` has no {lacks}");
        }
        let peft = match file.metadata.get("lora_adapter_metadata") {
            Some(text) => Peft(
                serde_json::from_str(text)
                    .with_context(|| format!("{called} is damaged: its `lora_adapter_metadata` is no JSON object"))?,
            ),
            None => Peft::default(),
        };
        Ok(Self { file, scale, modules, peft })
    }

    /// The file it was read from.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.file.path
    }

    /// Checks that a model has the parts that this changes.
    ///
    /// # Errors
    /// Fails if it lacks one; the message names the file and a key.
    pub(super) fn check_parts(&self, has: &dyn Fn(&str) -> Result<bool>) -> Result<()> {
        for part in PARTS {
            let changed = self.modules.values().find(|module| module.part == part);
            if let Some(key) = changed.and_then(|module| module.down.as_ref())
                && !has(part)?
            {
                let message = format!("`{key}` of {} changes {part}, which this model does not have", self.path());
                return Err(trouble(message, "take a LoRA that was made for this kind of model"));
            }
        }
        Ok(())
    }

    /// The changes of a part's weights, by the weight's name. `shapes` are those of all its tensors.
    pub(super) fn changes(&self, part: &str, shapes: &HashMap<&str, &[usize]>) -> Result<Vec<(String, Change)>> {
        if self.modules.values().all(|module| module.part != part) {
            return Ok(Vec::new());
        }
        let names = names_of(part, shapes);
        let mut changes = Vec::new();
        for (stem, module) in self.modules.iter().filter(|(_, module)| module.part == part) {
            let (Some(down), Some(up)) = (&module.down, &module.up) else { continue };
            let Some(name) = names.get(module.name.as_str()) else {
                let message = format!("`{down}` of {} is of no module that {part} of this model has", self.path());
                return Err(trouble(message, "take a LoRA that was made for this kind of model"));
            };
            let weight = format!("{name}.weight");
            let shape = *shapes.get(weight.as_str()).context("BUG: a module without a weight was named")?;
            let rank = self.check_shapes(module, (down, up), shape)?;
            let alpha = match &module.alpha {
                Some(key) => Some(self.alpha(key)?),
                None => self.peft.alpha(part, name),
            };
            let divisor = if self.peft.is_rank_stabilized(part) { (rank as f64).sqrt() } else { rank as f64 };
            let factor = self.scale * alpha.map_or(1.0, |alpha| alpha / divisor);
            changes.push((weight, Change { module: stem.clone(), factor }));
        }
        Ok(changes)
    }

    fn alpha(&self, key: &str) -> Result<f64> {
        ensure!(self.shape(key).iter().product::<usize>() == 1, "`{key}` of {} is not one number", self.path());
        let alpha = self.file.numbers(key)?[0];
        ensure!(alpha.is_finite(), "`{key}` of {} is {alpha}, expected a number", self.path());
        Ok(f64::from(alpha))
    }

    fn shape(&self, key: &str) -> &[usize] {
        self.file.places.get(key).map_or(&[], |place| &place.shape)
    }

    /// Checks that a change fits the weight, and gives its rank.
    fn check_shapes(&self, module: &Module, (down, up): (&str, &str), weight: &[usize]) -> Result<usize> {
        let rest = |shape: &[usize]| shape.iter().skip(1).product::<usize>();
        let first = |shape: &[usize]| shape.first().copied().unwrap_or(0);
        let (d, u) = (self.shape(down), self.shape(up));
        let rank = first(d);
        let wrong = |key: &str, shape: &[usize]| {
            let message =
                format!("`{key}` of {} has shape {shape:?}, which does not fit a weight of {weight:?}", self.path());
            Err(trouble(message, "take a LoRA that was made for this kind of model"))
        };
        if rank == 0 || rest(u) != rank || first(u) != first(weight) {
            return wrong(up, u);
        }
        let fits = match &module.mid {
            None => rest(d) == rest(weight),
            Some(mid) => {
                let m = self.shape(mid);
                if m.len() < 2 || m[0] != rank || m[1] != rank || m[2..] != *weight.get(2..).unwrap_or(&[]) {
                    return wrong(mid, m);
                }
                Some(&rest(d)) == weight.get(1)
            }
        };
        if fits { Ok(rank) } else { wrong(down, d) }
    }

    /// Adds a change to a weight's values, `[outputs, inputs, ..]`, whose shape was checked.
    pub(super) fn add(&self, change: &Change, values: &mut [f32]) -> Result<()> {
        let module = self.modules.get(&change.module).context("BUG: a change of no module")?;
        let (Some(down), Some(up)) = (&module.down, &module.up) else { return Ok(()) };
        let matrix = |key: &str, columns: Option<usize>| -> Result<Tensor> {
            let (numbers, rows) = (self.file.numbers(key)?, self.shape(key)[0]);
            let columns = columns.unwrap_or(numbers.len() / rows.max(1));
            Ok(Tensor::from_vec(numbers, (rows, columns), &Device::Cpu)?)
        };
        let up = matrix(up, None)?; // [outputs, rank]
        let mut down = matrix(down, None)?; // [rank, inputs * kernel]
        if let Some(mid) = &module.mid {
            let (rank, inputs) = down.dims2()?;
            let numbers = self.file.numbers(mid)?;
            let kernel = numbers.len() / (rank * rank);
            let mid = Tensor::from_vec(numbers, (rank, rank, kernel), &Device::Cpu)?;
            let mid = mid.permute((0, 2, 1))?.contiguous()?.reshape((rank * kernel, rank))?;
            let wide = mid.matmul(&down)?.reshape((rank, kernel, inputs))?; // [rank, kernel, inputs]
            down = wide.permute((0, 2, 1))?.contiguous()?.reshape((rank, inputs * kernel))?;
        }
        let product: Vec<f32> = up.matmul(&down)?.flatten_all()?.to_vec1()?;
        ensure!(product.len() == values.len(), "BUG: a change of {} for {} numbers", product.len(), values.len());
        for (value, change_) in values.iter_mut().zip(product) {
            *value = change.factor.mul_add(f64::from(change_), f64::from(*value)) as f32;
        }
        Ok(())
    }

    /// A digest of the file and its scale.
    pub(super) fn digest_into(&self, hasher: &mut blake3::Hasher) -> Result<()> {
        hasher.update(b"lora");
        hasher.update(&self.scale.to_le_bytes());
        self.file.digest_into(hasher)
    }
}

/// The names that files may have for the modules of a part, and ours.
fn names_of(part: &str, shapes: &HashMap<&str, &[usize]>) -> HashMap<String, String> {
    let mut names = HashMap::new();
    let has = |name: &str| shapes.contains_key(name);
    let original = (part == "unet").then(|| UnetNames::of_diffusers(&has).to_original());
    for module in shapes.keys().filter_map(|name| name.strip_suffix(".weight")) {
        let mut add = |name: &str| {
            names.insert(name.replace('.', "_"), module.to_owned());
            names.insert(name.to_owned(), module.to_owned());
        };
        if let Some(name) = original.as_ref().and_then(|original| original.of(module)) {
            add(&name);
        }
        if part != "unet" {
            // Files always say `text_model.`, folders mostly.
            match module.strip_prefix("text_model.") {
                Some(bare) => add(bare),
                None => add(&format!("text_model.{module}")),
            }
        }
        add(module);
    }
    names
}

impl Peft {
    /// The alpha of a module of a part, if the metadata has one.
    fn alpha(&self, part: &str, module: &str) -> Option<f64> {
        let get = |key: &str| self.0.get(&format!("{part}.{key}"));
        let of_module = get("alpha_pattern").and_then(Value::as_object).and_then(|patterns| {
            let fits = |pattern: &str| {
                let before = module.strip_suffix(pattern);
                before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
            };
            patterns
                .iter()
                .find(|(pattern, _)| fits(pattern.trim_start_matches('^')))
                .and_then(|(_, alpha)| alpha.as_f64())
        });
        of_module.or_else(|| get("lora_alpha").and_then(Value::as_f64))
    }

    fn is_rank_stabilized(&self, part: &str) -> bool {
        self.0.get(&format!("{part}.use_rslora")).and_then(Value::as_bool).unwrap_or(false)
    }
}
