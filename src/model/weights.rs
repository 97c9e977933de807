//! The tensors of a part of a model, by name, out of one or several safetensors files.
//!
//! Headers are checked before they are believed. Tensors are read one at a time, so that loading never holds a file and
//! its tensors at once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, bail};
use candle_core::{Device, Tensor, Var};
use half::slice::HalfFloatSliceExt;

use super::adapters::Adapters;
use super::error::trouble;
use super::learned::WeightChanges;
use super::lora::{Change, Lora};
use super::original;
use super::tensors::{CONVERT, PICKLES, Place, TensorFile, digest_range};
use super::{ModelSource, WeightFile, inside};

/// The tensors of one part of a model (`unet`, `vae`, …).
pub struct Weights {
    /// What it is called in messages.
    part: String,
    /// What the names of its tensors begin with in the files, and nowhere else.
    prefix: String,
    files: Vec<TensorFile>,
    /// By name: which file, and where in it.
    places: HashMap<String, (usize, Place)>,
    /// What LoRAs change, by name, in order.
    changes: HashMap<String, Vec<(Arc<Lora>, Change)>>,
    /// What was learned on top, by name.
    learned: Option<Arc<WeightChanges>>,
    used: Mutex<HashSet<String>>,
    random: bool,
    /// Whether other parts lie in the same file.
    shared: bool,
    /// What has been made a variable of, by name, where weights are to be tuned.
    variables: Option<Mutex<BTreeMap<String, Var>>>,
}

/// Endings that say how weights were stored or averaged; those that lose least come first.
const VARIANTS: [&str; 5] = ["", "fp32", "fp16", "bf16", "non_ema"];

/// Where the weights of a part may lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stored {
    /// In several files, which this one names.
    Index(String),
    /// In this file.
    Single(String),
}

/// Where the weights of a part may lie; the first that is there counts. An index counts before a single file beside it,
/// whole precision before half, averaged weights before those that are not.
pub(super) fn candidates(part: &str) -> impl Iterator<Item = Stored> {
    let stems = ["diffusion_pytorch_model", "model"].into_iter();
    stems.flat_map(move |stem| VARIANTS.into_iter().map(move |variant| (stem, variant))).flat_map(
        move |(stem, variant)| {
            let path = inside(part, stem);
            let (single, indexes) = if variant.is_empty() {
                (format!("{path}.safetensors"), vec![format!("{path}.safetensors.index.json")])
            } else {
                let newer = format!("{path}.{variant}.safetensors.index.json");
                (
                    format!("{path}.{variant}.safetensors"),
                    vec![format!("{path}.safetensors.index.{variant}.json"), newer],
                )
            };
            indexes.into_iter().map(Stored::Index).chain([Stored::Single(single)])
        },
    )
}

impl Weights {
    /// Opens the weights of a part, single or sharded, and checks their headers; no tensor is read yet.
    ///
    /// # Errors
    /// Fails if no safetensors file is there or one is damaged; the message names the file.
    pub fn open(source: &dyn ModelSource, part: &str) -> Result<Self> {
        let mut weights = Self {
            part: part.to_owned(),
            prefix: String::new(),
            files: Vec::new(),
            places: HashMap::new(),
            changes: HashMap::new(),
            learned: None,
            used: Mutex::default(),
            random: source.is_random(),
            shared: false,
            variables: None,
        };
        if !weights.random {
            weights.add_all(source)?;
            weights.change(source.adapters())?;
        }
        if part.is_empty() {
            weights.part = source.name();
        }
        Ok(weights)
    }

    /// Opens those of a part whose names begin with `prefix`, which is left out of their names here.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_within(source: &dyn ModelSource, part: &str, prefix: &str) -> Result<Self> {
        let mut weights = Self::open(source, part)?;
        let inside = |name: String| name.strip_prefix(prefix).map(str::to_owned);
        weights.places = weights.places.into_iter().filter_map(|(name, place)| Some((inside(name)?, place))).collect();
        weights.changes =
            weights.changes.into_iter().filter_map(|(name, change)| Some((inside(name)?, change))).collect();
        weights.prefix = prefix.to_owned();
        Ok(weights)
    }

    /// The same weights to be tuned: [`kept`](Self::kept) makes variables.
    #[must_use]
    pub fn tunable(self) -> Self {
        Self { variables: Some(Mutex::default()), ..self }
    }

    /// The same weights with what was learned added to them.
    #[must_use]
    pub fn with_learned(self, changes: Arc<WeightChanges>) -> Self {
        Self { learned: Some(changes), ..self }
    }

    /// A weight as networks hold it: the tensor itself, or a variable of it where weights are to be tuned.
    ///
    /// # Errors
    /// Fails if the device has no memory left.
    pub fn kept(&self, name: &str, tensor: Tensor) -> candle_core::Result<Tensor> {
        let Some(variables) = &self.variables else { return Ok(tensor) };
        let variable = Var::from_tensor(&tensor)?;
        let shared = variable.as_tensor().clone();
        variables.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(name.to_owned(), variable);
        Ok(shared)
    }

    /// All variables, by name: those that networks hold.
    #[must_use]
    pub fn into_variables(self) -> BTreeMap<String, Var> {
        let variables = self.variables.map(|all| all.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner));
        variables.unwrap_or_default()
    }

    fn add_all(&mut self, source: &dyn ModelSource) -> Result<()> {
        let part = self.part.clone();
        if let Some(WeightFile { path, bytes, whole }) = source.weights(&part)? {
            let found = self.add(TensorFile::open(bytes, path.as_str())?);
            self.shared = whole;
            if whole && !found {
                let message = format!("{path} holds no {part} in the original layout");
                return Err(trouble(message, "take a file of a whole model, or a folder"));
            }
            return Ok(());
        }
        for stored in candidates(&part) {
            match stored {
                Stored::Single(path) => {
                    if let Some(blob) = source.open(&path)? {
                        self.add(TensorFile::open(blob, path)?);
                        return Ok(());
                    }
                }
                Stored::Index(index) => {
                    let Some(text) = source.text_if_there(&index)? else { continue };
                    for shard in shards(&text).with_context(|| format!("cannot read {index}"))? {
                        let path = inside(&part, &shard);
                        let blob = source.open(&path)?;
                        let blob = blob
                            .with_context(|| format!("{path}, named by {index}, is missing from {}", source.name()))?;
                        self.add(TensorFile::open(blob, path)?);
                    }
                    return Ok(());
                }
            }
        }
        Err(nothing(source, &part))
    }

    /// Takes a file's tensors, under our names; whether they had the original ones.
    fn add(&mut self, mut file: TensorFile) -> bool {
        let at = self.files.len();
        let places = std::mem::take(&mut file.places);
        let original = original::part_of(&self.part, &places);
        let found = original.is_some();
        let places = original.unwrap_or_else(|| places.into_iter().collect());
        self.places.extend(places.into_iter().map(|(name, place)| (name, (at, place))));
        self.files.push(file);
        found
    }

    /// Ties LoRAs to the tensors that they change.
    fn change(&mut self, adapters: &Adapters) -> Result<()> {
        let shapes = self.places.iter().map(|(name, (_, place))| (name.as_str(), place.shape.as_slice())).collect();
        for lora in &adapters.loras {
            for (name, change) in lora.changes(&self.part, &shapes)? {
                self.changes.entry(name).or_default().push((lora.clone(), change));
            }
        }
        Ok(())
    }

    /// Whether there is a tensor of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.random && (name != "text_projection.weight" || self.part == "text_encoder_2")
            || self.places.contains_key(name)
    }

    /// The first of several names that is there.
    #[must_use]
    pub fn first_of<'a>(&self, names: &[&'a str]) -> Option<&'a str> {
        names.iter().copied().find(|name| self.has(name))
    }

    /// Reads a tensor as f32 values, whatever floating-point type the file has, checks its shape, and adds what LoRAs change.
    ///
    /// # Errors
    /// Fails if the tensor is missing, has another shape, or is not of f32, f16, bf16 or f64.
    pub fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        if self.random {
            return Ok(super::random::values(name, shape));
        }
        let Self { part, prefix, .. } = self;
        let found = self.places.get(name);
        let (file, place) = found.with_context(|| format!("`{prefix}{name}` is missing from the weights of {part}"))?;
        // A 1x1 convolution and a linear layer hold the same numbers.
        let squeeze = |s: &[usize]| s.iter().copied().rev().skip_while(|n| *n == 1).collect::<Vec<_>>();
        if squeeze(&place.shape) != squeeze(shape) {
            bail!("`{prefix}{name}` of {part} has shape {:?}, but the configuration asks for {shape:?}", place.shape);
        }
        let mut values = self.files[*file].read(name, place)?;
        for (lora, change) in self.changes.get(name).into_iter().flatten() {
            let said = || format!("cannot change `{prefix}{name}` of {part} as {} says", lora.path());
            lora.add(change, &mut values).with_context(said)?;
        }
        if let Some(changes) = self.learned.as_ref().and_then(|learned| learned.get(name)) {
            if changes.len() != values.len() {
                bail!("`{prefix}{name}` of {part} holds {} numbers, but {} were learned", values.len(), changes.len());
            }
            values.iter_mut().zip(changes.to_f32_vec()).for_each(|(value, change)| *value += change);
        }
        self.note_read(name);
        if values.len() != shape.iter().product::<usize>() {
            bail!(
                "`{prefix}{name}` of {part} holds {} numbers, expected {}",
                values.len(),
                shape.iter().product::<usize>()
            );
        }
        Ok(values)
    }

    /// Reads a row of a matrix alone; `None` where the whole has to be read for it.
    ///
    /// # Errors
    /// As [`values`](Self::values).
    pub fn row(&self, name: &str, [rows, width]: [usize; 2], row: usize) -> Result<Option<Vec<f32>>> {
        let is_changed =
            self.changes.contains_key(name) || self.learned.as_ref().is_some_and(|l| l.get(name).is_some());
        let Some((file, place)) = self.places.get(name).filter(|_| !is_changed) else { return Ok(None) };
        if place.shape != [rows, width] {
            return Ok(None);
        }
        let Some(part) = place.part(row, rows) else { return Ok(None) };
        self.note_read(name);
        self.files[*file].read(name, &part).map(Some)
    }

    fn note_read(&self, name: &str) {
        if let Ok(mut used) = self.used.lock() {
            used.insert(name.to_owned());
        }
    }

    /// Whether they are so many (64 MB in f32) that it is worth a moment of reading to hold them only while they are used.
    #[must_use]
    pub fn is_large(&self) -> bool {
        const LARGE: usize = 16 << 20;
        self.random || self.places.values().map(|(_, place)| place.count()).sum::<usize>() >= LARGE
    }

    /// Reads a tensor as f32.
    ///
    /// # Errors
    /// As [`values`](Self::values).
    pub fn tensor(&self, name: &str, shape: &[usize], device: &Device) -> Result<Tensor> {
        Ok(Tensor::from_vec(self.values(name, shape)?, shape, device)?)
    }

    /// Names and shapes of all tensors.
    pub fn shapes(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.places.iter().map(|(name, (_, place))| (name.as_str(), place.shape.as_slice()))
    }

    /// Names of tensors that nothing has read: weights of an architecture that is not this one.
    #[must_use]
    pub fn unread(&self) -> Vec<String> {
        let used = self.used.lock().map(|u| u.clone()).unwrap_or_default();
        let mut names: Vec<String> = self.places.keys().filter(|n| !used.contains(*n)).cloned().collect();
        names.sort();
        names
    }

    /// A digest of all files, headers and data; of a file that other parts lie in too, of the tensors of this part. LoRAs are not
    /// in it.
    ///
    /// # Errors
    /// Fails if a file cannot be read to its end.
    pub fn digest_into(&self, hasher: &mut blake3::Hasher) -> Result<()> {
        if !self.shared {
            return self.files.iter().try_for_each(|file| file.digest_into(hasher));
        }
        let mut places: Vec<_> = self.places.iter().collect();
        places.sort_by_key(|(name, _)| *name);
        for (name, (file, place)) in places {
            hasher.update(&(name.len() as u64).to_le_bytes());
            hasher.update(name.as_bytes());
            digest_range(&self.files[*file].blob, place.from, place.to, hasher)?;
        }
        Ok(())
    }
}

/// Why a part has no weights that can be read, by what lies in its folder instead.
fn nothing(source: &dyn ModelSource, part: &str) -> anyhow::Error {
    let is_model = part.is_empty() || part.starts_with("text_encoder");
    let stem = if is_model { "model" } else { "diffusion_pytorch_model" };
    let missing = format!("{} is missing from {}", inside(part, &format!("{stem}.safetensors")), source.name());
    let files = source.files(part);
    let ends = |endings: &[&str]| files.iter().find(|file| endings.iter().any(|end| file.ends_with(end)));
    if let Some(shard) = files.iter().find(|file| file.ends_with(".safetensors") && file.contains("-of-")) {
        let message =
            format!("{missing}: `{shard}` is one of several files, and the index that names them is not there");
        return trouble(message, "fetch the file that ends in .safetensors.index.json too");
    }
    if let Some(other) = ends(&[".safetensors"]) {
        let message = format!("{missing}: there is `{other}`, which is no name that weights are looked for under");
        return trouble(message, "give it that name if it holds the weights of this part");
    }
    if let Some(pickle) = ends(&[".bin", ".ckpt", ".pt", ".pth"]) {
        return trouble(format!("{missing}: there is only `{pickle}`, and {PICKLES}"), CONVERT);
    }
    if let Some(other) = ends(&[".msgpack", ".onnx", ".h5"]) {
        return trouble(format!("{missing}: there is only `{other}`, of another program's form"), CONVERT);
    }
    trouble(format!("cannot read weights: {missing}"), "fetch it, or name another model")
}

/// The file names in an index of sharded weights, each once, in order.
fn shards(index: &str) -> Result<Vec<String>> {
    let index: serde_json::Value = serde_json::from_str(index)?;
    let map = index.get("weight_map").and_then(|m| m.as_object()).context("there is no `weight_map`")?;
    let mut names: Vec<String> = map.values().filter_map(|v| v.as_str().map(str::to_owned)).collect();
    names.sort();
    names.dedup();
    if names.iter().any(|n| !n.ends_with(".safetensors")) {
        bail!("a shard is not a safetensors file");
    }
    Ok(names)
}
