//! Linear probes that say what a picture shows (`tests/probes/`).

use std::collections::HashMap;

use half::f16;
use safetensors::SafeTensors;
use wordbrush::engine::Picture;

/// The probes, and the accuracy each has on real pictures it was not fitted on.
pub struct Probes {
    weights: HashMap<String, (Vec<f32>, Vec<f32>)>,
    palette: Vec<f32>,
    table: serde_json::Value,
}

impl Probes {
    pub fn load() -> Self {
        let file = SafeTensors::deserialize(include_bytes!("../probes/probes.safetensors")).expect("the file is whole");
        let table: serde_json::Value = serde_json::from_str(include_str!("../probes/probes.json")).expect("it is JSON");
        let numbers = |name: &str| -> Vec<f32> {
            let view = file.tensor(name).expect(name);
            match view.dtype() {
                safetensors::Dtype::F16 => {
                    view.data().chunks(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect()
                }
                safetensors::Dtype::U8 => view.data().iter().map(|b| f32::from(*b)).collect(),
                _ => view.data().chunks(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
            }
        };
        let names = table["probes"].as_object().expect("probes by name").keys().cloned();
        let weights =
            names.map(|n| (n.clone(), (numbers(&format!("{n}.weight")), numbers(&format!("{n}.bias"))))).collect();
        Self { weights, palette: numbers("palette"), table }
    }

    pub fn ceiling(&self, probe: &str) -> f64 {
        self.table["probes"][probe]["held_out_accuracy"].as_f64().expect("an accuracy")
    }

    pub fn sums(&self, probe: &str, inputs: &[f32]) -> Vec<f32> {
        let (weight, bias) = &self.weights[probe];
        let classes = bias.len();
        assert_eq!(inputs.len() * classes, weight.len(), "the probe `{probe}` reads another input");
        (0..classes)
            .map(|c| bias[c] + inputs.iter().enumerate().map(|(i, x)| x * weight[i * classes + c]).sum::<f32>())
            .collect()
    }

    pub fn name(&self, probe: &str, inputs: &[f32]) -> String {
        let sums = self.sums(probe, inputs);
        let best = (0..sums.len()).max_by(|a, b| sums[*a].total_cmp(&sums[*b])).expect("there are classes");
        self.table["probes"][probe]["classes"][best].as_str().expect("a name").to_owned()
    }

    /// Shares of the palette's colours in each 8x8 block of the picture at half size.
    pub fn palette_inputs(&self, picture: &Picture) -> Vec<f32> {
        let small = halved(picture, 1.0);
        let colours = self.palette.len() / 3;
        let mut shares = vec![0.0f32; 8 * 8 * colours];
        for y in 0..64 {
            for x in 0..64 {
                let pixel = &small[(y * 64 + x) * 3..][..3];
                let distance = |c: usize| (0..3).map(|i| (pixel[i] - self.palette[c * 3 + i]).powi(2)).sum::<f32>();
                let nearest = (0..colours).min_by(|a, b| distance(*a).total_cmp(&distance(*b))).expect("colours");
                shares[((y / 8) * 8 + x / 8) * colours + nearest] += 1.0 / 64.0;
            }
        }
        shares
    }

    /// The eyes at half size, and the differences between neighbours there.
    pub fn eyes_inputs(picture: &Picture) -> Vec<f32> {
        let small = halved(picture, 255.0);
        let (rows, columns) = (24, 36);
        let at = |y: usize, x: usize, c: usize| small[((y + 18) * 64 + x + 14) * 3 + c];
        let mut inputs = Vec::new();
        for y in 0..rows {
            for x in 0..columns {
                inputs.extend((0..3).map(|c| at(y, x, c)));
            }
        }
        let mut right = Vec::new();
        let mut below = Vec::new();
        for y in 0..rows - 1 {
            for x in 0..columns - 1 {
                right.push((0..3).map(|c| (at(y, x, c) - at(y, x + 1, c)).abs()).sum::<f32>());
                below.push((0..3).map(|c| (at(y, x, c) - at(y + 1, x, c)).abs()).sum::<f32>());
            }
        }
        inputs.extend(right);
        inputs.extend(below);
        inputs
    }

    pub fn check(&self) -> &serde_json::Value {
        &self.table["check"]["sums"]
    }
}

/// The picture averaged over 2x2, divided by `scale`.
fn halved(picture: &Picture, scale: f32) -> Vec<f32> {
    assert_eq!((picture.width, picture.height), (128, 128));
    let at = |y: usize, x: usize, c: usize| f32::from(picture.bytes[(y * 128 + x) * 3 + c]);
    let mut out = Vec::new();
    for y in 0..64 {
        for x in 0..64 {
            for c in 0..3 {
                let (y, x) = (2 * y, 2 * x);
                out.push((at(y, x, c) + at(y, x + 1, c) + at(y + 1, x, c) + at(y + 1, x + 1, c)) / 4.0 / scale);
            }
        }
    }
    out
}

/// A latent's numbers, channels last on a 16x16 grid, as the probes read them: channels first.
pub fn latent_inputs(latent: &[f32]) -> Vec<f32> {
    (0..latent.len()).map(|i| latent[(i % 256) * 8 + i / 256]).collect()
}

#[test]
fn the_probes_read_as_they_were_made() {
    let probes = Probes::load();
    let picture = Picture {
        width: 128,
        height: 128,
        bytes: (0..128 * 128 * 3).map(|i| ((3 * (i / 3 % 128) + 5 * (i / 384) + 70 * (i % 3)) % 256) as u8).collect(),
    };
    let latent: Vec<f32> =
        (0..2048).map(|i| ((7 * (i / 256) + 3 * (i / 16 % 16) + 5 * (i % 16)) % 11) as f32 / 5.0 - 1.0).collect();
    for (name, expected) in probes.check().as_object().expect("sums by probe") {
        let inputs = match name.as_str() {
            "hair" => probes.palette_inputs(&picture),
            "glasses" => Probes::eyes_inputs(&picture),
            _ => latent.clone(),
        };
        for (ours, theirs) in probes.sums(name, &inputs).iter().zip(expected.as_array().expect("numbers")) {
            let gap = (f64::from(*ours) - theirs.as_f64().expect("a number")).abs();
            assert!(gap < 2e-3, "{name}: {ours} is not {theirs}");
        }
    }
}
