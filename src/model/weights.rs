//! Tensors by name, out of one or several safetensors files.
//!
//! A header is believed only after it has been checked: its length against the file's, every tensor's range against
//! the data, every shape against the range. Tensors are read one at a time, so that loading never holds a file and its
//! tensors at once. Other formats of weights, pickles above all, are not read.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use anyhow::{Context, Result, bail};
use candle_core::{Device, Tensor};
use half::{bf16, f16};
use safetensors::Dtype;

use super::{FileBytes, ModelSource};

/// The largest header that is read: 100 MB, as in the safetensors format.
const MAX_HEADER: u64 = 100_000_000;

/// The tensors of one part of a model (`unet`, `vae`, …).
pub struct Weights {
    part: String,
    files: Vec<(FileBytes, u64)>,
    places: HashMap<String, Place>,
    used: Mutex<HashSet<String>>,
    random: bool,
}

struct Place {
    file: usize,
    dtype: Dtype,
    shape: Vec<usize>,
    from: u64,
    to: u64,
}

/// A tensor's entry in the header of a file.
#[derive(serde::Deserialize)]
struct Entry {
    dtype: Dtype,
    shape: Vec<usize>,
    data_offsets: (u64, u64),
}

/// Bytes of one number; none for types that are not whole bytes.
fn bytes_of(dtype: Dtype) -> Option<u64> {
    let bits = dtype.bitsize();
    bits.is_multiple_of(8).then_some(bits as u64 / 8)
}

impl Weights {
    /// Opens the weights of a part, single or sharded, and checks their headers; no tensor is read yet.
    ///
    /// # Errors
    /// Fails if no safetensors file is there or one is damaged; the message names the file.
    pub fn open(source: &dyn ModelSource, part: &str) -> Result<Self> {
        let mut weights = Self {
            part: part.to_owned(),
            files: Vec::new(),
            places: HashMap::new(),
            used: Mutex::default(),
            random: source.is_random(),
        };
        if weights.random {
            return Ok(weights);
        }
        for stem in ["diffusion_pytorch_model", "model"] {
            for variant in ["", ".fp16"] {
                let single = format!("{part}/{stem}{variant}.safetensors");
                if let Some(blob) = source.open(&single)? {
                    weights.add(blob, &single)?;
                    return Ok(weights);
                }
                let index = format!("{part}/{stem}.safetensors.index{variant}.json");
                if let Some(text) = source.text_if_there(&index)? {
                    for shard in shards(&text).with_context(|| format!("cannot read {index}"))? {
                        let path = format!("{part}/{shard}");
                        let blob = source.open(&path)?;
                        let blob = blob
                            .with_context(|| format!("{path}, named by {index}, is missing from {}", source.name()))?;
                        weights.add(blob, &path)?;
                    }
                    return Ok(weights);
                }
            }
        }
        let name = if part.starts_with("text_encoder") { "model" } else { "diffusion_pytorch_model" };
        bail!("cannot read weights: {part}/{name}.safetensors is missing from {}", source.name())
    }

    fn add(&mut self, blob: FileBytes, path: &str) -> Result<()> {
        let damaged = || format!("{path} is damaged");
        let header_len = u64::from_le_bytes(blob.read(0, 8).with_context(damaged)?.as_ref().try_into()?);
        if header_len > MAX_HEADER || header_len.saturating_add(8) > blob.len() {
            bail!("{path} is damaged: its header claims {header_len} bytes of {}", blob.len());
        }
        let header = blob.read(0, 8 + header_len as usize)?;
        let entries: HashMap<String, serde_json::Value> = serde_json::from_slice(&header[8..])
            .with_context(|| format!("{path} is damaged: its header is no JSON object"))?;
        let data_len = blob.len() - 8 - header_len;
        let file = self.files.len();
        for (name, entry) in entries.into_iter().filter(|(name, _)| name != "__metadata__") {
            let Entry { dtype, shape, data_offsets: (from, to) } =
                serde_json::from_value(entry).with_context(|| format!("{path} is damaged at `{name}`"))?;
            if to > data_len {
                bail!("{path} is cut short: `{name}` ends at byte {to} of {data_len}");
            }
            let numbers = shape.iter().try_fold(1u64, |n, side| n.checked_mul(*side as u64));
            let bytes = numbers.and_then(|n| n.checked_mul(bytes_of(dtype)?));
            if from > to || bytes != Some(to - from) {
                bail!("{path} is damaged: `{name}` of shape {shape:?} does not fit bytes {from} to {to}");
            }
            let place = Place { file, dtype, shape, from, to };
            self.places.insert(name, place);
        }
        drop(header);
        self.files.push((blob, 8 + header_len));
        Ok(())
    }

    /// Whether there is a tensor of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.random && name != "text_projection.weight" || self.places.contains_key(name)
    }

    /// The first of several names that is there.
    #[must_use]
    pub fn first_of<'a>(&self, names: &[&'a str]) -> Option<&'a str> {
        names.iter().copied().find(|name| self.has(name))
    }

    /// Reads a tensor as f32 values, whatever floating-point type the file has, and checks its shape.
    ///
    /// # Errors
    /// Fails if the tensor is missing, has another shape, or is not of f32, f16, bf16 or f64.
    pub fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        if self.random {
            return Ok(super::random::values(name, shape));
        }
        let part = &self.part;
        let place = self.places.get(name).with_context(|| format!("`{name}` is missing from the weights of {part}"))?;
        // A 1x1 convolution and a linear layer hold the same numbers.
        let squeeze = |s: &[usize]| s.iter().copied().rev().skip_while(|n| *n == 1).collect::<Vec<_>>();
        if squeeze(&place.shape) != squeeze(shape) {
            bail!("`{name}` of {part} has shape {:?}, but the configuration asks for {shape:?}", place.shape);
        }
        let (blob, start) = &self.files[place.file];
        let bytes = blob.read(start + place.from, (place.to - place.from) as usize);
        let bytes = bytes.with_context(|| format!("cannot read `{name}` of {part}"))?;
        if let Ok(mut used) = self.used.lock() {
            used.insert(name.to_owned());
        }
        let values: Vec<f32> = match place.dtype {
            Dtype::F32 => bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            Dtype::F16 => bytes.as_chunks::<2>().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
            Dtype::BF16 => bytes.as_chunks::<2>().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32()).collect(),
            Dtype::F64 => bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
            other => bail!("`{name}` of {part} is stored as {other:?}, which is not read: f32, f16 and bf16 are"),
        };
        if values.len() != shape.iter().product::<usize>() {
            bail!("`{name}` of {part} holds {} numbers, expected {}", values.len(), shape.iter().product::<usize>());
        }
        Ok(values)
    }

    /// Reads a tensor as f32.
    ///
    /// # Errors
    /// As [`values`](Self::values).
    pub fn tensor(&self, name: &str, shape: &[usize], device: &Device) -> Result<Tensor> {
        Ok(Tensor::from_vec(self.values(name, shape)?, shape, device)?)
    }

    /// Names of tensors that nothing has read: weights of an architecture that is not this one.
    #[must_use]
    pub fn unread(&self) -> Vec<String> {
        let used = self.used.lock().map(|u| u.clone()).unwrap_or_default();
        let mut names: Vec<String> = self.places.keys().filter(|n| !used.contains(*n)).cloned().collect();
        names.sort();
        names
    }

    /// A digest of all files, headers and data.
    ///
    /// # Errors
    /// Fails if a file cannot be read to its end.
    pub fn digest_into(&self, hasher: &mut blake3::Hasher) -> Result<()> {
        const PIECE: u64 = 8 << 20;
        for (blob, _) in &self.files {
            let mut at = 0;
            while at < blob.len() {
                let piece = PIECE.min(blob.len() - at);
                hasher.update(&blob.read(at, piece as usize)?);
                at += piece;
            }
        }
        Ok(())
    }
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
