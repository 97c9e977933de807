//! The judge that says what a picture shows (`tests/judge/`): a small convolutional network, trained on rendered pictures that
//! no model drew or was trained on.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use serde_json::Value;
use wordbrush::engine::Picture;

/// Convolutions before the heads; each halves the sides.
const LAYERS: usize = 4;

/// The judge, and how often it is right on pictures that it was not trained on.
pub struct Judge {
    weights: HashMap<String, Tensor>,
    about: Value,
}

impl Judge {
    pub fn load() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judge");
        let file = folder.join("judge.safetensors");
        let weights = candle_core::safetensors::load(file, &Device::Cpu).expect("the judge can be read");
        let wide = |(name, t): (String, Tensor)| (name, t.to_dtype(DType::F32).expect("f16 can be widened"));
        let about = std::fs::read_to_string(folder.join("judge.json")).expect("what is known of the judge");
        let about = serde_json::from_str(&about).expect("it is JSON");
        Self { weights: weights.into_iter().map(wide).collect(), about }
    }

    /// The share of held-out pictures, moved, blurred and noisy, about which a head is right.
    pub fn ceiling(&self, head: &str) -> f64 {
        self.about["heads"][head]["accuracy_worn"].as_f64().expect("an accuracy")
    }

    pub fn heads(&self) -> Vec<&str> {
        self.about["heads"].as_object().expect("heads by name").keys().map(String::as_str).collect()
    }

    pub fn classes(&self, head: &str) -> Vec<&str> {
        let all =
            self.about["heads"][head]["classes"].as_array().unwrap_or_else(|| panic!("there is no head `{head}`"));
        all.iter().map(|class| class.as_str().expect("a name")).collect()
    }

    /// What a picture is to the heads.
    pub fn look(&self, picture: &Picture) -> Look<'_> {
        assert_eq!((picture.width, picture.height), (128, 128));
        let features = self.features(picture).expect("a picture can be looked at");
        Look { judge: self, features }
    }

    fn features(&self, picture: &Picture) -> candle_core::Result<Tensor> {
        let at = |y: usize, x: usize, c: usize| u32::from(picture.bytes[(y * 128 + x) * 3 + c]);
        let halved = |i: usize| {
            let (y, x, c) = (i / 64 % 64 * 2, i % 64 * 2, i / 4096);
            (at(y, x, c) + at(y, x + 1, c) + at(y + 1, x, c) + at(y + 1, x + 1, c) + 2) / 4
        };
        let values: Vec<f32> = (0..3 * 64 * 64).map(|i| halved(i) as f32 / 127.5 - 1.0).collect();
        let mut x = Tensor::from_vec(values, (1, 3, 64, 64), &Device::Cpu)?;
        for k in 0..LAYERS {
            let weight = &self.weights[&format!("conv{k}.weight")];
            let bias = self.weights[&format!("conv{k}.bias")].reshape((1, (), 1, 1))?;
            x = x.conv2d(weight, weight.dim(3)? / 2, 2, 1, 1)?.broadcast_add(&bias)?.relu()?;
        }
        x.flatten_from(1)
    }

    fn sums(&self, head: &str, features: &Tensor) -> candle_core::Result<Vec<f32>> {
        let weight = self.weights[&format!("{head}.weight")].t()?;
        features.matmul(&weight)?.broadcast_add(&self.weights[&format!("{head}.bias")])?.flatten_all()?.to_vec1()
    }

    pub fn check(&self) -> &Value {
        &self.about["check"]["sums"]
    }
}

/// A picture that the judge looks at.
pub struct Look<'a> {
    judge: &'a Judge,
    features: Tensor,
}

impl Look<'_> {
    pub fn sums(&self, head: &str) -> Vec<f32> {
        self.judge.sums(head, &self.features).expect("every head reads the same features")
    }

    /// The `count` likeliest answers of a head, in alphabetical order, with `+` between them.
    pub fn answer(&self, head: &str, count: usize) -> String {
        let (sums, classes) = (self.sums(head), self.judge.classes(head));
        let mut order: Vec<usize> = (0..sums.len()).collect();
        order.sort_by(|a, b| sums[*b].total_cmp(&sums[*a]));
        let mut names: Vec<&str> = order[..count].iter().map(|class| classes[*class]).collect();
        names.sort_unstable();
        names.join("+")
    }
}

#[test]
fn the_judge_reads_as_it_was_made() {
    let judge = Judge::load();
    let picture = Picture {
        width: 128,
        height: 128,
        bytes: (0..128 * 128 * 3).map(|i| ((3 * (i / 3 % 128) + 5 * (i / 384) + 70 * (i % 3)) % 256) as u8).collect(),
    };
    let look = judge.look(&picture);
    let heads = judge.check().as_object().expect("sums by head");
    assert_eq!(heads.len(), judge.heads().len());
    for (name, expected) in heads {
        let (ours, theirs) = (look.sums(name), expected.as_array().expect("numbers"));
        assert_eq!((ours.len(), ours.len()), (theirs.len(), judge.classes(name).len()), "{name}");
        for (ours, theirs) in ours.iter().zip(theirs) {
            let gap = (f64::from(*ours) - theirs.as_f64().expect("a number")).abs();
            // Weights lie in half precision; the sums were made before.
            assert!(gap < 0.2, "{name}: {ours} is not {theirs}");
        }
    }
}
