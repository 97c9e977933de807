//! What does a picture of the embedded model show?
//!
//! A small convolutional network with one linear head a question: the hair's colour, what lies in the middle of a landscape, the
//! objects of a scene. It was trained on rendered pictures that no model drew (`training/judge.py`), moved, blurred and noisy, and
//! knows nothing else: of a picture of something else it says what among all this is the likest.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result, ensure};
use candle_core::{DType, Device, Tensor};
use serde::Deserialize;

use super::Picture;
use super::resize::{ResizeFilter, resize};

/// Convolutions before the heads; each halves the sides.
const LAYERS: usize = 4;

/// The side of the pictures that it was trained on, in pixels; it looks at half of it.
const SIDE: usize = 128;

/// A network that answers questions about pictures.
pub struct Judge {
    weights: HashMap<String, Tensor>,
    heads: BTreeMap<String, Head>,
}

/// A question.
#[derive(Deserialize)]
struct Head {
    classes: Vec<String>,
    accuracy_worn: f64,
}

#[derive(Deserialize)]
struct About {
    heads: BTreeMap<String, Head>,
}

impl Judge {
    /// From its weights (safetensors) and what is known of its heads (JSON), both as `training/judge.py` writes them.
    ///
    /// # Errors
    /// Fails if either is damaged, or a head has no weights.
    pub fn read(weights: &[u8], about: &str) -> Result<Self> {
        let About { heads } = serde_json::from_str(about).context("cannot read what is known of the judge")?;
        let weights = candle_core::safetensors::load_buffer(weights, &Device::Cpu).context("cannot read the judge")?;
        let wide = |(name, t): (String, Tensor)| Ok((name, t.to_dtype(DType::F32)?));
        let weights: HashMap<String, Tensor> = weights.into_iter().map(wide).collect::<Result<_>>()?;
        for (name, head) in &heads {
            let sums = weights.get(&format!("{name}.bias")).map_or(0, Tensor::elem_count);
            ensure!(
                sums == head.classes.len(),
                "the judge's `{name}` has {sums} sums for {} classes",
                head.classes.len()
            );
        }
        Ok(Self { weights, heads })
    }

    /// The share of held-out pictures, moved, blurred and noisy, about which a head is right; `None` if there is no such head.
    #[must_use]
    pub fn accuracy(&self, head: &str) -> Option<f64> {
        self.heads.get(head).map(|head| head.accuracy_worn)
    }

    /// The questions, by name.
    pub fn heads(&self) -> impl Iterator<Item = &str> {
        self.heads.keys().map(String::as_str)
    }

    /// What a head can answer; nothing if there is no such head.
    #[must_use]
    pub fn classes(&self, head: &str) -> &[String] {
        self.heads.get(head).map_or(&[], |head| &head.classes)
    }

    /// What a picture is to the heads.
    ///
    /// # Errors
    /// Fails if the weights are of another shape.
    pub fn look(&self, picture: &Picture) -> Result<Look<'_>> {
        let whole;
        let bytes = if (picture.width, picture.height) == (SIDE, SIDE) {
            &picture.bytes
        } else {
            let size = (picture.width, picture.height);
            whole = resize(&picture.bytes, size, 3, (SIDE, SIDE), ResizeFilter::Triangle);
            &whole
        };
        Ok(Look { judge: self, features: self.features(bytes)? })
    }

    fn features(&self, bytes: &[u8]) -> Result<Tensor> {
        const HALF: usize = SIDE / 2;
        let at = |y: usize, x: usize, c: usize| u32::from(bytes[(y * SIDE + x) * 3 + c]);
        let halved = |i: usize| {
            let (y, x, c) = (i / HALF % HALF * 2, i % HALF * 2, i / (HALF * HALF));
            (at(y, x, c) + at(y, x + 1, c) + at(y + 1, x, c) + at(y + 1, x + 1, c) + 2) / 4
        };
        let values: Vec<f32> = (0..3 * HALF * HALF).map(|i| halved(i) as f32 / 127.5 - 1.0).collect();
        let mut x = Tensor::from_vec(values, (1, 3, HALF, HALF), &Device::Cpu)?;
        for k in 0..LAYERS {
            let weight = self.weight(&format!("conv{k}.weight"))?;
            let bias = self.weight(&format!("conv{k}.bias"))?.reshape((1, (), 1, 1))?;
            x = x.conv2d(weight, weight.dim(3)? / 2, 2, 1, 1)?.broadcast_add(&bias)?.relu()?;
        }
        Ok(x.flatten_from(1)?)
    }

    fn weight(&self, name: &str) -> Result<&Tensor> {
        self.weights.get(name).with_context(|| format!("the judge has no `{name}`"))
    }
}

/// A picture that the judge looks at.
pub struct Look<'a> {
    judge: &'a Judge,
    features: Tensor,
}

impl Look<'_> {
    /// A sum for each class of a head.
    ///
    /// # Errors
    /// Fails if there is no such head.
    pub fn sums(&self, head: &str) -> Result<Vec<f32>> {
        let weight = self.judge.weight(&format!("{head}.weight"))?.t()?;
        let bias = self.judge.weight(&format!("{head}.bias"))?;
        Ok(self.features.matmul(&weight)?.broadcast_add(bias)?.flatten_all()?.to_vec1()?)
    }

    /// The answers of a head and how likely each is, the likeliest first; equally likely ones in the order of the classes.
    ///
    /// # Errors
    /// As [`sums`](Self::sums).
    pub fn answers(&self, head: &str) -> Result<Vec<(&str, f32)>> {
        let sums = self.sums(head)?;
        let most = sums.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let all: f32 = sums.iter().map(|sum| (sum - most).exp()).sum();
        let names = self.judge.classes(head).iter().map(String::as_str);
        let mut answers: Vec<_> = names.zip(sums.iter().map(|sum| (sum - most).exp() / all)).collect();
        answers.sort_by(|a, b| b.1.total_cmp(&a.1));
        Ok(answers)
    }
}
