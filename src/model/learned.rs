//! Numbers that were learned from a picture, as a file keeps them: safetensors, and beside the tensors what they are of.
//!
//! Changes of weights are in half precision, and are rounded to it before they are used for the first time: so what is kept draws
//! the same picture as what was just learned. A file is believed only after its length, its header, the shape of every tensor and
//! a digest of all numbers were checked; nothing is allocated for a tensor that was not asked for.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use half::f16;
use half::slice::HalfFloatSliceExt;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use super::folder;
use super::tensors::TensorFile;

/// Changes of a part's weights, by the weight's name.
pub type WeightChanges = BTreeMap<String, Vec<f16>>;

/// Numbers of a file.
#[derive(Debug, Clone, PartialEq)]
pub enum LearnedNumbers {
    /// In half precision.
    Half(Vec<f16>),
    /// In single precision.
    Single(Vec<f32>),
}

/// A tensor of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct LearnedTensor {
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its numbers, row by row.
    pub numbers: LearnedNumbers,
}

/// What a file says and holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LearnedFile {
    /// What it is of, by name.
    pub about: BTreeMap<String, String>,
    /// Its tensors.
    pub tensors: BTreeMap<String, LearnedTensor>,
}

/// What the digest is called among what a file says.
const DIGEST: &str = "digest";

/// Bytes that a header may have beside its tensors' names, and a tensor's entry beside its name and shape.
const HEADER: u64 = 1 << 16;
const ENTRY: u64 = 512;

impl LearnedTensor {
    fn dtype(&self) -> Dtype {
        match self.numbers {
            LearnedNumbers::Half(_) => Dtype::F16,
            LearnedNumbers::Single(_) => Dtype::F32,
        }
    }

    /// Its numbers as bytes, the lowest first.
    fn bytes(&self) -> Cow<'_, [u8]> {
        match &self.numbers {
            #[cfg(target_endian = "little")]
            LearnedNumbers::Half(numbers) => Cow::Borrowed(bytemuck::cast_slice(numbers.reinterpret_cast())),
            #[cfg(target_endian = "little")]
            LearnedNumbers::Single(numbers) => Cow::Borrowed(bytemuck::cast_slice(numbers)),
            #[cfg(target_endian = "big")]
            LearnedNumbers::Half(numbers) => numbers.iter().flat_map(|n| n.to_le_bytes()).collect(),
            #[cfg(target_endian = "big")]
            LearnedNumbers::Single(numbers) => numbers.iter().flat_map(|n| n.to_le_bytes()).collect(),
        }
    }
}

impl LearnedFile {
    /// Digest of all that it says and holds: 64 hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = blake3::Hasher::new();
        let mut part = |bytes: &[u8]| {
            hash.update(&(bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        for (name, text) in &self.about {
            part(name.as_bytes());
            part(text.as_bytes());
        }
        for (name, tensor) in &self.tensors {
            part(name.as_bytes());
            tensor.shape.iter().for_each(|side| part(&(*side as u64).to_le_bytes()));
            part(&tensor.bytes());
        }
        hash.finalize().to_hex().to_string()
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// Fails if a tensor's numbers are not as many as its shape has.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let bytes: Vec<Cow<'_, [u8]>> = self.tensors.values().map(LearnedTensor::bytes).collect();
        let views = self.tensors.iter().zip(&bytes).map(|((name, tensor), bytes)| {
            Ok((name.clone(), TensorView::new(tensor.dtype(), tensor.shape.clone(), bytes)?))
        });
        let views = views.collect::<Result<Vec<_>>>()?;
        let mut about: HashMap<String, String> = self.about.clone().into_iter().collect();
        about.insert(DIGEST.to_owned(), self.digest());
        Ok(safetensors::serialize(views, Some(about))?)
    }

    /// Reads a file whose tensors must be those of `shapes`, by name, and says of it what `about` says.
    ///
    /// # Errors
    /// Fails if it is not there, is longer than such a file can be, is damaged, or is of something else; the message names it.
    pub fn open(path: &Path, about: &BTreeMap<String, String>, shapes: &Shapes) -> Result<Self> {
        let called = path.display().to_string();
        let blob = folder::file(path)?;
        let most = shapes.iter().try_fold(HEADER, |sum, (name, (shape, half))| {
            let numbers = shape.iter().try_fold(1u64, |n, side| n.checked_mul(*side as u64))?;
            let bytes = numbers.checked_mul(if *half { 2 } else { 4 })?;
            sum.checked_add(bytes)?.checked_add(ENTRY + name.len() as u64)
        });
        let most = most.context("BUG: a file of so many numbers was asked for")?;
        ensure!(
            blob.len() <= most,
            "{called} has {} bytes, more than the {most} that such a file can have",
            blob.len()
        );
        let file = TensorFile::open(blob, called.clone())?;
        for (name, text) in about {
            let found = file.metadata.get(name).map_or("", String::as_str);
            ensure!(found == text, "{called} is of something else: its `{name}` is `{found}`, expected `{text}`");
        }
        let mut tensors = BTreeMap::new();
        for name in file.places.keys() {
            ensure!(shapes.contains_key(name), "{called} holds `{name}`, which is none of what it is to hold");
        }
        for (name, (shape, half)) in shapes {
            let place = file.places.get(name).with_context(|| format!("{called} lacks `{name}`"))?;
            let dtype = if *half { Dtype::F16 } else { Dtype::F32 };
            ensure!(
                place.shape == *shape && place.dtype == dtype,
                "`{name}` of {called} is {:?} of shape {:?}, expected {dtype:?} of {shape:?}",
                place.dtype,
                place.shape
            );
            let numbers = file.numbers(name)?;
            if !numbers.iter().all(|n| n.is_finite()) {
                bail!("{called} is damaged: `{name}` holds what is no number");
            }
            let numbers = match half {
                true => LearnedNumbers::Half(halves(&numbers)),
                false => LearnedNumbers::Single(numbers),
            };
            tensors.insert(name.clone(), LearnedTensor { shape: shape.clone(), numbers });
        }
        let mut about: BTreeMap<String, String> = file.metadata.into_iter().collect();
        let digest = about.remove(DIGEST).unwrap_or_default();
        let read = Self { about, tensors };
        ensure!(read.digest() == digest, "{called} is damaged: its numbers are not those that were written");
        Ok(read)
    }
}

/// Numbers in half precision.
#[must_use]
pub fn halves(numbers: &[f32]) -> Vec<f16> {
    let mut halves = vec![f16::ZERO; numbers.len()];
    halves.convert_from_f32_slice(numbers);
    halves
}

/// What a file says that it is of, its header alone being read.
///
/// # Errors
/// Fails if it is not there, or its header is damaged.
pub fn said_of(path: &Path) -> Result<HashMap<String, String>> {
    Ok(TensorFile::open(folder::file(path)?, path.display().to_string())?.metadata)
}

/// The tensors that a file is to hold: shape, and whether in half precision, by name.
pub type Shapes = BTreeMap<String, (Vec<usize>, bool)>;

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> LearnedFile {
        let half = [1.5, -2e-7, 65504.0].map(f16::from_f32).to_vec();
        let tensors = [
            ("a".to_owned(), LearnedTensor { shape: vec![3], numbers: LearnedNumbers::Half(half) }),
            ("b".to_owned(), LearnedTensor { shape: vec![1, 2], numbers: LearnedNumbers::Single(vec![0.1, -3e9]) }),
        ];
        LearnedFile { about: [("of".to_owned(), "a test".to_owned())].into(), tensors: tensors.into() }
    }

    fn shapes() -> Shapes {
        [("a".to_owned(), (vec![3], true)), ("b".to_owned(), (vec![1, 2], false))].into()
    }

    #[test]
    fn what_was_written_comes_back_and_a_byte_that_is_another_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        let bytes = file().to_bytes().unwrap();
        let read = |bytes: &[u8], shapes: &Shapes| {
            std::fs::write(&path, bytes).unwrap();
            LearnedFile::open(&path, &file().about, shapes)
        };
        assert_eq!(read(&bytes, &shapes()).unwrap(), file());
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            // A change within a name of the metadata that nobody asks for is the only one that could pass: there is none.
            assert!(read(&other, &shapes()).is_err(), "byte {at} is another and it is read");
            assert!(read(&bytes[..at], &shapes()).is_err(), "cut at {at} and it is read");
        }
        for (name, shape) in [("a", (vec![4], true)), ("a", (vec![3], false)), ("c", (vec![1], true))] {
            let mut other = shapes();
            other.insert(name.to_owned(), shape);
            assert!(read(&bytes, &other).is_err());
        }
        let mut fewer = shapes();
        fewer.remove("b");
        assert!(read(&bytes, &fewer).unwrap_err().to_string().contains("none of what it is to hold"));
        let about = [("of".to_owned(), "another".to_owned())].into();
        std::fs::write(&path, &bytes).unwrap();
        assert!(LearnedFile::open(&path, &about, &shapes()).unwrap_err().to_string().contains("something else"));
    }

    #[test]
    fn a_file_longer_than_what_it_is_to_hold_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        std::fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
        let error = LearnedFile::open(&path, &BTreeMap::new(), &shapes()).unwrap_err().to_string();
        assert!(error.contains("more than the"), "{error}");
    }
}
