//! A case's results: written as safetensors, compared with the golden ones.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

/// One result: a shape, and numbers of a kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its numbers.
    pub numbers: Numbers,
}

/// Numbers of a kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Numbers {
    /// 32-bit floats.
    F32(Vec<f32>),
    /// 64-bit integers.
    I64(Vec<i64>),
    /// Bytes.
    U8(Vec<u8>),
}

impl Array {
    /// Floats of a shape.
    #[must_use]
    pub fn f32(shape: &[usize], values: Vec<f32>) -> Self {
        Self { shape: shape.to_vec(), numbers: Numbers::F32(values) }
    }

    /// Integers of a shape.
    #[must_use]
    pub fn i64(shape: &[usize], values: Vec<i64>) -> Self {
        Self { shape: shape.to_vec(), numbers: Numbers::I64(values) }
    }

    /// Bytes of a shape.
    #[must_use]
    pub fn u8(shape: &[usize], values: Vec<u8>) -> Self {
        Self { shape: shape.to_vec(), numbers: Numbers::U8(values) }
    }

    /// All numbers as doubles.
    #[must_use]
    pub fn doubles(&self) -> Vec<f64> {
        match &self.numbers {
            Numbers::F32(v) => v.iter().map(|x| f64::from(*x)).collect(),
            Numbers::I64(v) => v.iter().map(|x| *x as f64).collect(),
            Numbers::U8(v) => v.iter().map(|x| f64::from(*x)).collect(),
        }
    }
}

/// Results by name.
pub type Results = BTreeMap<String, Array>;

/// Reads a safetensors file of results or inputs.
///
/// # Errors
/// Fails if it is missing, damaged, or holds another kind of numbers.
pub fn read(path: &Path) -> Result<Results> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|e| anyhow::anyhow!("{} is damaged: {e}", path.display()))?;
    let mut results = Results::new();
    for (name, view) in file.tensors() {
        let data = view.data();
        let numbers = match view.dtype() {
            Dtype::F32 => Numbers::F32(data.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()),
            Dtype::F64 => Numbers::F32(data.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect()),
            Dtype::I64 => Numbers::I64(data.as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b)).collect()),
            Dtype::I32 => {
                Numbers::I64(data.as_chunks::<4>().0.iter().map(|b| i64::from(i32::from_le_bytes(*b))).collect())
            }
            Dtype::U8 | Dtype::BOOL => Numbers::U8(data.to_vec()),
            other => anyhow::bail!("`{name}` of {} is stored as {other:?}, which is not read", path.display()),
        };
        results.insert(name, Array { shape: view.shape().to_vec(), numbers });
    }
    Ok(results)
}

/// Writes results as safetensors, names in order: the same results give the same bytes.
///
/// # Errors
/// Fails if the file cannot be written.
pub fn write(path: &Path, results: &Results) -> Result<()> {
    let bytes: Vec<(&String, &Array, Dtype, Vec<u8>)> = results
        .iter()
        .map(|(name, array)| match &array.numbers {
            Numbers::F32(v) => (name, array, Dtype::F32, v.iter().flat_map(|x| x.to_le_bytes()).collect()),
            Numbers::I64(v) => (name, array, Dtype::I64, v.iter().flat_map(|x| x.to_le_bytes()).collect()),
            Numbers::U8(v) => (name, array, Dtype::U8, v.clone()),
        })
        .collect();
    let mut views = Vec::new();
    for (name, array, dtype, bytes) in &bytes {
        views.push(((*name).clone(), TensorView::new(*dtype, array.shape.clone(), bytes)?));
    }
    let file = safetensors::serialize(views, None)?;
    std::fs::write(path, file).with_context(|| format!("cannot write {}", path.display()))
}

/// How one result compares with its golden twin.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// Its name.
    pub name: String,
    /// The largest absolute error; infinite if shapes differ, it is missing, or holds NaN or infinity.
    pub error: f64,
    /// The largest allowed.
    pub tolerance: f64,
}

impl Compared {
    /// Whether the error is allowed.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.error <= self.tolerance
    }
}

/// Compares every golden result that is required or that was made.
#[must_use]
pub fn compare(
    results: &Results,
    golden: &Results,
    required: &[String],
    tolerance: &BTreeMap<String, f64>,
) -> Vec<Compared> {
    let names = golden.keys().filter(|name| results.contains_key(*name) || required.contains(name));
    names
        .map(|name| {
            let error = results.get(name).map_or(f64::INFINITY, |ours| difference(ours, &golden[name]));
            Compared { name: name.clone(), error, tolerance: tolerance.get(name).copied().unwrap_or(0.0) }
        })
        .collect()
}

fn difference(ours: &Array, golden: &Array) -> f64 {
    if ours.shape != golden.shape {
        return f64::INFINITY;
    }
    let (a, b) = (ours.doubles(), golden.doubles());
    if a.iter().any(|x| !x.is_finite()) {
        return f64::INFINITY;
    }
    a.iter().zip(&b).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_a_misshapen_and_an_unfinished_result_all_fail() {
        let golden = Results::from([("x".to_owned(), Array::f32(&[2], vec![1.0, 2.0]))]);
        let allowed = BTreeMap::from([("x".to_owned(), 0.5)]);
        let check = |ours: Option<Array>| {
            let ours: Results = ours.map(|a| ("x".to_owned(), a)).into_iter().collect();
            compare(&ours, &golden, &["x".to_owned()], &allowed)[0].passes()
        };
        assert!(check(Some(Array::f32(&[2], vec![1.0, 2.5]))));
        assert!(!check(Some(Array::f32(&[2], vec![1.0, 2.6]))));
        assert!(!check(Some(Array::f32(&[1, 2], vec![1.0, 2.0]))));
        assert!(!check(Some(Array::f32(&[2], vec![1.0, f32::NAN]))));
        assert!(!check(None));
    }
}
