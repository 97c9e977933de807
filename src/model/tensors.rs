//! One safetensors file.
//!
//! A header is believed only after it has been checked: its length against the file's, every tensor's range against
//! the data, every shape against the range. Other formats of weights, pickles above all, are not read.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result, bail};
use half::slice::{HalfBitsSliceExt, HalfFloatSliceExt};
use half::{bf16, f16};
use safetensors::Dtype;

use super::FileBytes;
use super::error::{mistaken, trouble};

/// The largest header that is read: 100 MB, as in the safetensors format.
const MAX_HEADER: u64 = 100_000_000;

/// Where a tensor lies in its file.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<usize>,
    /// First byte, counted from the beginning of the file.
    pub(super) from: u64,
    /// One past the last.
    pub(super) to: u64,
    /// Whether the file holds it column by column; `shape` is that of the rows.
    pub(super) transposed: bool,
}

impl Place {
    /// How many numbers it holds.
    pub(super) fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// One of `count` equal parts that lie below each other; none if they are not equal.
    pub(super) fn part(&self, index: usize, count: usize) -> Option<Self> {
        let first = *self.shape.first()?;
        if !first.is_multiple_of(count) || self.transposed {
            return None;
        }
        let bytes = (self.to - self.from) / count as u64;
        let from = self.from + bytes * index as u64;
        let mut shape = self.shape.clone();
        shape[0] = first / count;
        Some(Self { shape, from, to: from + bytes, ..self.clone() })
    }

    /// The same matrix with rows and columns exchanged; none if it is no matrix.
    pub(super) fn turned(&self) -> Option<Self> {
        let [rows, columns] = *self.shape else { return None };
        Some(Self { shape: vec![columns, rows], transposed: !self.transposed, ..self.clone() })
    }
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

/// An open file whose header has been checked.
#[derive(Debug)]
pub(super) struct TensorFile {
    /// What it is called in messages.
    pub(super) path: String,
    pub(super) blob: FileBytes,
    /// Its tensors by name.
    pub(super) places: BTreeMap<String, Place>,
    /// What its header says beside them.
    pub(super) metadata: HashMap<String, String>,
}

impl TensorFile {
    /// Reads and checks the header; no tensor is read yet.
    pub(super) fn open(blob: FileBytes, path: impl Into<String>) -> Result<Self> {
        let path = path.into();
        let damaged = || format!("{path} is damaged");
        let header_len = u64::from_le_bytes(blob.read(0, 8).with_context(damaged)?.as_ref().try_into()?);
        if header_len > MAX_HEADER || header_len.saturating_add(8) > blob.len() {
            let start = blob.read(0, blob.len().min(64) as usize).with_context(damaged)?;
            if let Some(error) = mistaken(&start, &path) {
                return Err(error);
            }
            if start.starts_with(b"PK\x03\x04") || start[0] == 0x80 && (2..=5).contains(&start[1]) {
                return Err(trouble(format!("{path} is a pickle, whatever its name says: {PICKLES}"), CONVERT));
            }
            bail!("{path} is damaged: its header claims {header_len} bytes of {}", blob.len());
        }
        let header = blob.read(8, header_len as usize)?;
        let mut entries: HashMap<String, serde_json::Value> = serde_json::from_slice(&header)
            .with_context(|| format!("{path} is damaged: its header is no JSON object"))?;
        let data_len = blob.len() - 8 - header_len;
        let metadata = entries.remove("__metadata__").and_then(|m| serde_json::from_value(m).ok()).unwrap_or_default();
        let mut places = BTreeMap::new();
        for (name, entry) in entries {
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
            let start = 8 + header_len;
            let place = Place { dtype, shape, from: start + from, to: start + to, transposed: false };
            // What was compiled before it was saved has this before or within its names.
            places.insert(name.replace("_orig_mod.", ""), place);
        }
        drop(header);
        Ok(Self { path, blob, places, metadata })
    }

    /// Reads a tensor as f32 values, whatever floating-point type the file has; `name` is for messages.
    pub(super) fn read(&self, name: &str, place: &Place) -> Result<Vec<f32>> {
        let path = &self.path;
        let width = match place.dtype {
            Dtype::F16 | Dtype::BF16 => 2,
            Dtype::F32 => 4,
            Dtype::F64 => 8,
            other => bail!("`{name}` of {path} is stored as {other:?}, which is not read: f32, f16 and bf16 are"),
        };
        let bytes = place.to - place.from;
        let mut values = vec![0.0f32; (bytes / width) as usize];
        // Piece by piece, so that what is not yet widened stays in the processor's caches.
        let mut at = place.from;
        for values in values.chunks_mut(PIECE) {
            let len = values.len() * width as usize;
            let piece = self.blob.read(at, len).with_context(|| format!("cannot read `{name}` of {path}"))?;
            widen(&piece, place.dtype, values);
            at += len as u64;
        }
        let [rows, columns] = place.shape[..] else { return Ok(values) };
        if !place.transposed {
            return Ok(values);
        }
        Ok((0..rows * columns).map(|i| values[i % columns * rows + i / columns]).collect())
    }

    /// As [`read`](Self::read), by name.
    pub(super) fn numbers(&self, name: &str) -> Result<Vec<f32>> {
        let place = self.places.get(name).with_context(|| format!("`{name}` is missing from {}", self.path))?;
        self.read(name, place)
    }

    /// Its bytes, header and data.
    pub(super) fn digest_into(&self, hasher: &mut blake3::Hasher) -> Result<()> {
        digest_range(&self.blob, 0, self.blob.len(), hasher)
    }
}

/// Numbers that are widened at a time.
const PIECE: usize = 64 << 10;

/// As many numbers of a type as `to` has. Halves are widened all at once: one alone asks the processor anew what it can do.
fn widen(bytes: &[u8], dtype: Dtype, to: &mut [f32]) {
    match dtype {
        Dtype::F16 => bits_of(bytes).reinterpret_cast::<f16>().convert_to_f32_slice(to),
        Dtype::BF16 => bits_of(bytes).reinterpret_cast::<bf16>().convert_to_f32_slice(to),
        Dtype::F64 => {
            to.iter_mut().zip(bytes.as_chunks::<8>().0).for_each(|(to, eight)| *to = f64::from_le_bytes(*eight) as f32);
        }
        _ => match bytemuck::try_cast_slice::<u8, f32>(bytes) {
            Ok(floats) if cfg!(target_endian = "little") => to.copy_from_slice(floats),
            _ => to.iter_mut().zip(bytes.as_chunks::<4>().0).for_each(|(to, four)| *to = f32::from_le_bytes(*four)),
        },
    }
}

/// Numbers of two bytes each: the bytes themselves, where they lie as such numbers do.
fn bits_of(bytes: &[u8]) -> Cow<'_, [u16]> {
    match bytemuck::try_cast_slice(bytes) {
        Ok(bits) if cfg!(target_endian = "little") => Cow::Borrowed(bits),
        _ => Cow::Owned(bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect()),
    }
}

/// The bytes of a file from `at` to `to`.
pub(super) fn digest_range(blob: &FileBytes, mut at: u64, to: u64, hasher: &mut blake3::Hasher) -> Result<()> {
    const PIECE: u64 = 8 << 20;
    while at < to {
        let piece = PIECE.min(to - at);
        hasher.update(&blob.read(at, piece as usize)?);
        at += piece;
    }
    Ok(())
}

/// Why pickles are not read.
pub(super) const PICKLES: &str = "pickles can run code and are not read";
/// What to do about them.
pub(super) const CONVERT: &str =
    "convert it to safetensors, or take a version of the model that has .safetensors files";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_is_widened_in_a_row_as_it_is_alone() {
        let mut bytes: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
        bytes.extend([0x00, 0x3c]); // a row that is no multiple of anything
        let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
        let alone = |of: fn([u8; 2]) -> f32| bytes.as_chunks::<2>().0.iter().map(|b| of(*b)).collect::<Vec<_>>();
        assert_eq!(
            bits(bits_of(&bytes).reinterpret_cast::<f16>().to_f32_vec()),
            bits(alone(|b| f16::from_le_bytes(b).to_f32()))
        );
        assert_eq!(
            bits(bits_of(&bytes).reinterpret_cast::<bf16>().to_f32_vec()),
            bits(alone(|b| bf16::from_le_bytes(b).to_f32()))
        );
    }
}
