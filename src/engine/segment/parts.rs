//! A small network that knows the parts which the embedded model's pictures consist of: hair, sky, a fox.
//!
//! Convolutions to a sixteenth of the picture's side and back to a quarter of it. Which parts a text means is read from its words by a
//! table; a word that is in none is an error, never a guess.

use anyhow::{Result, ensure};
use candle_core::{DType, Tensor};

use super::super::layers::{Backend, Conv, ConvSpec, GroupNorm, Resample, beside};
use super::super::resize::{ResizeFilter, resize};
use super::super::{Picture, ensure_numbers};
use super::SegmentError;
use crate::model::ModelSource;
use crate::model::spec::PartsSpec;
use crate::model::weights::Weights;
use crate::turn::nearest;

/// The epsilon of its norms.
const EPS: f64 = 1e-5;

/// Steps at the lowest grid.
const MIDDLE: usize = 2;

/// A network of parts.
pub struct PartsNet {
    spec: PartsSpec,
    down: Vec<(Conv, GroupNorm)>,
    middle: Vec<(Conv, GroupNorm)>,
    /// To the larger grid, then together with what was there on the way down.
    up: Vec<(Conv, Conv, GroupNorm)>,
    out: Conv,
    backend: Backend,
}

impl PartsNet {
    /// Loads a network.
    ///
    /// # Errors
    /// Fails if a file is missing, damaged or of another architecture; the message names it.
    pub fn load(source: &dyn ModelSource, backend: &Backend) -> Result<Self> {
        let spec = PartsSpec::read(source)?;
        let w = Weights::open(source, "")?;
        let PartsSpec { widths, last, groups, parts, .. } = &spec;
        let conv = |name: String, spec: ConvSpec| Conv::load(&w, &name, spec, backend);
        let norm = |name: String, width: usize| GroupNorm::load(&w, &name, width, *groups, EPS, backend);
        let (mut down, mut middle, mut up) = (Vec::new(), Vec::new(), Vec::new());
        let mut before = 3;
        for (i, width) in widths.iter().enumerate() {
            let halve = ConvSpec::new(before, *width, 3).step(Resample::Halve);
            down.push((conv(format!("down.{i}.conv"), halve)?, norm(format!("down.{i}.norm"), *width)?));
            before = *width;
        }
        for i in 0..MIDDLE {
            let keep = ConvSpec::new(before, before, 3);
            middle.push((conv(format!("middle.{i}.conv"), keep)?, norm(format!("middle.{i}.norm"), before)?));
        }
        for (i, width) in widths.iter().rev().skip(1).take(spec.ups).enumerate() {
            let after = if i + 1 < spec.ups { *width } else { *last };
            let double = ConvSpec::new(before, *width, 3).step(Resample::Double);
            up.push((
                conv(format!("up.{i}.enlarge"), double)?,
                conv(format!("up.{i}.conv"), ConvSpec::new(2 * width, after, 1))?,
                norm(format!("up.{i}.norm"), after)?,
            ));
            before = after;
        }
        let out = conv("out".to_owned(), ConvSpec::new(before, parts.len(), 1))?;
        let unread = w.unread();
        ensure!(unread.is_empty(), "the weights hold a part that is not built here: `{}`", unread[0]);
        Ok(Self { down, middle, up, out, backend: backend.clone(), spec })
    }

    /// How likely each place is of each part: `[grid, grid, parts]`, and the grid's side.
    fn shares(&self, picture: &Picture) -> Result<(Vec<f32>, usize)> {
        let side = self.spec.side;
        let size = (picture.width, picture.height);
        let bytes = resize(&picture.bytes, size, 3, (side, side), ResizeFilter::Triangle);
        let values = bytes.iter().map(|b| f32::from(*b) / 127.5 - 1.0).collect();
        let mut x = self.backend.tensor(values, (1, side, side, 3))?;
        let mut kept = Vec::new();
        for (conv, norm) in &self.down {
            x = norm.forward(&conv.forward(&x)?, true)?;
            kept.push(x.clone());
        }
        for (conv, norm) in &self.middle {
            x = (&x + norm.forward(&conv.forward(&x)?, true)?)?;
        }
        for ((enlarge, conv, norm), skip) in self.up.iter().zip(kept.iter().rev().skip(1)) {
            let both = beside(&enlarge.forward(&x)?, skip, &self.backend)?;
            x = norm.forward(&conv.forward(&both)?, true)?;
        }
        let logits = self.out.forward(&x)?;
        ensure_numbers(&logits, &self.backend, || "the network of parts gave no numbers".to_owned())?;
        let grid = logits.dim(1)?;
        let logits: Vec<f32> = Tensor::flatten_all(&logits)?.to_dtype(DType::F32)?.to_vec1()?;
        let softmax = |row: &[f32]| -> Vec<f32> {
            let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let all: Vec<f32> = row.iter().map(|x| (x - most).exp()).collect();
            let sum: f32 = all.iter().sum();
            all.into_iter().map(|x| x / sum).collect()
        };
        Ok((logits.chunks_exact(self.spec.parts.len()).flat_map(softmax).collect(), grid))
    }

    /// What a text names in a picture, as [`Segmenter::mask`](super::Segmenter::mask) has it.
    ///
    /// # Errors
    /// Fails if the text names no part, or the weights hold no numbers.
    pub fn mask(&self, picture: &Picture, text: &str) -> Result<Vec<u8>> {
        let meant = self.meant(text)?;
        let (shares, grid) = self.shares(picture)?;
        let share = |row: &[f32]| row.iter().zip(&meant).filter(|(_, meant)| **meant).map(|(x, _)| x).sum::<f32>();
        let bytes: Vec<u8> = shares
            .chunks_exact(meant.len())
            .map(|row| (share(row) * 255.0).round_ties_even().min(255.0) as u8)
            .collect();
        Ok(resize(&bytes, (grid, grid), 1, (picture.width, picture.height), ResizeFilter::Bicubic))
    }

    /// Whether a text names a part.
    ///
    /// # Errors
    /// Fails if it names none.
    pub fn knows(&self, text: &str) -> Result<(), SegmentError> {
        self.meant(text).map(|_| ())
    }

    /// Which parts a text means.
    fn meant(&self, text: &str) -> Result<Vec<bool>, SegmentError> {
        let lower = text.to_lowercase();
        let words: Vec<&str> = lower.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty()).collect();
        let is_meant = |part: &str| words.iter().any(|word| means(word).is_some_and(|parts| matches(parts, part)));
        let meant: Vec<bool> = self.spec.parts.iter().map(|part| is_meant(part)).collect();
        if meant.contains(&true) {
            return Ok(meant);
        }
        let known = || WORDS.iter().flat_map(|(words, _)| words.split(' '));
        let near = words.iter().find_map(|word| nearest(word, known()));
        let hint = near.map_or_else(
            || {
                let some = "the hair, the face, the glasses, the clothes, the background, the sky, the mountains, the river, the cat";
                format!("name a part of the picture: {some}; for any text, `/set segmenter` takes a CLIPSeg")
            },
            |near| format!("did you mean `{near}`?"),
        );
        Err(SegmentError::new(format!("`{text}` names no part of a picture that this network knows"), hint))
    }
}

/// Words, and the parts that they mean; an asterisk stands for all that are no scenery.
const WORDS: &[(&str, &str)] = &[
    ("hair hairs hairstyle hairdo curls bob bun afro dreadlocks locks fringe", "hair"),
    ("hat cap beanie turban hijab headscarf headband", "hat"),
    ("beard moustache mustache whiskers", "beard"),
    ("glasses sunglasses spectacles", "glasses"),
    ("face skin cheeks forehead chin", "face eyes mouth glasses beard"),
    ("neck nose ears", "face"),
    ("eye eyes eyebrows eyebrow brows", "eyes"),
    ("mouth lips smile teeth", "mouth"),
    ("head", "face eyes mouth glasses beard hair hat"),
    ("clothes clothing shirt hoodie jacket sweater overalls dress top blazer collar", "clothes"),
    ("person woman man girl boy lady guy portrait figure people", "hair hat beard glasses face eyes mouth clothes"),
    ("background wall backdrop", "back sky clouds orb flanks middle thing ground"),
    ("sky heaven stars", "sky clouds orb"),
    ("cloud clouds", "clouds"),
    ("sun moon", "orb"),
    ("mountain mountains hill hills cliff cliffs dune dunes peaks sides flanks", "flanks"),
    ("tree trees", "flanks thing"),
    ("building buildings", "flanks"),
    ("river street road path lake waterfall railway rails glacier village middle water stream", "middle"),
    ("forest desert meadow field", "middle ground"),
    ("ground grass sand snow sea beach floor land foreground", "ground middle"),
    ("house tent boat bridge", "thing house"),
    ("cat kitten", "cat"),
    ("dog puppy", "dog"),
    ("fox", "fox"),
    ("panda", "panda"),
    ("lion", "lion"),
    ("rabbit bunny", "rabbit"),
    ("bear", "bear"),
    ("frog", "frog"),
    ("car", "car"),
    ("rocket", "rocket"),
    ("balloon", "balloon"),
    ("apple", "apple"),
    ("lemon", "lemon"),
    ("cake", "cake"),
    ("snowman", "snowman"),
    ("animal animals", "cat dog fox panda lion rabbit bear frog"),
    ("fruit food", "apple lemon cake"),
    ("object objects thing things", "* thing"),
];

/// The parts that a word means.
fn means(word: &str) -> Option<&'static str> {
    WORDS.iter().find(|(words, _)| words.split(' ').any(|known| known == word)).map(|(_, parts)| *parts)
}

/// Whether a part is among those of a line of the table.
fn matches(parts: &str, part: &str) -> bool {
    const SCENERY: &str =
        "back hair hat beard glasses face eyes mouth clothes sky clouds orb flanks middle thing ground";
    parts.split(' ').any(|name| name == part || name == "*" && !SCENERY.split(' ').any(|other| other == part))
}

#[cfg(feature = "embedded")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::text_masks;
    use wordbrush_kernels as kernels;

    fn network() -> PartsNet {
        let backend = Backend::Kernels(kernels::Precision::F32);
        PartsNet::load(&*text_masks::embedded().unwrap(), &backend).unwrap()
    }

    #[test]
    fn each_word_of_the_table_means_a_part_that_the_embedded_network_has_and_each_part_has_a_word() {
        let network = network();
        let parts = &network.spec.parts;
        for (words, meant) in WORDS {
            for name in meant.split(' ').filter(|name| *name != "*") {
                assert!(parts.iter().any(|part| part == name), "`{words}` mean `{name}`, which is no part");
            }
        }
        for part in parts {
            assert!(WORDS.iter().any(|(_, meant)| matches(meant, part)), "no word means `{part}`");
        }
    }

    #[test]
    fn words_together_mean_all_that_each_means_and_unknown_ones_are_told() {
        let network = network();
        let said = |text: &str| -> String {
            let meant = network.meant(text).unwrap();
            let parts = network.spec.parts.iter().zip(meant).filter(|(_, meant)| *meant);
            parts.map(|(part, _)| part.as_str()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(said("the hair"), "hair");
        assert_eq!(said("Her blond HAIR and glasses"), "hair glasses");
        assert_eq!(said("the fox"), "fox");
        let error = network.meant("the harr").unwrap_err();
        assert!(error.to_string().contains("`the harr` names no part"), "{error}");
        assert!(error.hint().contains("did you mean `hair`?"), "{}", error.hint());
        assert!(network.meant("quaternions").unwrap_err().hint().contains("/set segmenter"));
    }

    #[test]
    fn the_embedded_network_tells_sky_from_ground_in_a_picture_of_two_halves() {
        let network = network();
        let row = |y: usize| if y < 64 { [79u8, 166, 234] } else { [236, 194, 116] };
        let bytes = (0..128).flat_map(|y| (0..128).flat_map(move |_| row(y))).collect();
        let picture = Picture { width: 128, height: 128, bytes };
        let mask = network.mask(&picture, "the sky").unwrap();
        let inside = |rows: std::ops::Range<usize>| {
            let all = rows.len() * 128;
            mask[rows.start * 128..rows.end * 128].iter().filter(|b| **b >= 128).count() as f64 / all as f64
        };
        assert!(inside(0..56) > 0.9 && inside(72..128) < 0.1, "{} above, {} below", inside(0..56), inside(72..128));
    }

    /// The bytes of an array in a NumPy file.
    fn array(path: &std::path::Path) -> Vec<u8> {
        let bytes = std::fs::read(path).unwrap();
        let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        bytes[10 + header..].to_vec()
    }

    /// How much of each part is found in pictures whose parts are known, by words, each the share of both in either.
    fn found(network: &PartsNet, pictures: &[Picture], truth: &[u8]) -> Vec<(&'static str, f64)> {
        let words = [
            "hair",
            "hat",
            "beard",
            "glasses",
            "face",
            "eyes",
            "mouth",
            "clothes",
            "background",
            "sky",
            "clouds",
            "sun",
            "mountains",
            "river",
            "ground",
            "animal",
            "object",
        ];
        let measure = |word: &'static str| {
            let meant = network.meant(word).unwrap();
            let (mut both, mut either) = (0, 0);
            for (picture, truth) in pictures.iter().zip(truth.chunks_exact(32 * 32)) {
                let mask = network.mask(picture, word).unwrap();
                for (at, truth) in truth.iter().enumerate() {
                    // The middle of the square that a place of the truth is.
                    let pixel = (at / 32 * 4 + 2) * picture.width + at % 32 * 4 + 2;
                    let (ours, true_) = (mask[pixel] >= 128, meant[usize::from(*truth)]);
                    both += usize::from(ours && true_);
                    either += usize::from(ours || true_);
                }
            }
            (word, both as f64 / either.max(1) as f64)
        };
        words.into_iter().map(measure).collect()
    }

    #[test]
    #[allow(clippy::print_stderr, reason = "a test may say what it measured")]
    fn parts_of_pictures_that_it_was_not_trained_on_are_found_where_such_pictures_are_given() {
        let Some(folder) = std::env::var_os("WORDBRUSH_PARTS").map(std::path::PathBuf::from) else {
            eprintln!("not run: WORDBRUSH_PARTS names no folder that training/parts.mjs has filled");
            return;
        };
        let network = network();
        let (images, truth) = (array(&folder.join("images.npy")), array(&folder.join("parts.npy")));
        let pictures: Vec<Picture> = images
            .chunks_exact(128 * 128 * 3)
            .take(60)
            .map(|bytes| Picture { width: 128, height: 128, bytes: bytes.to_vec() })
            .collect();
        let backend = Backend::Kernels(kernels::Precision::F32);
        let engine = crate::engine::Engine::load(&*crate::model::embedded().unwrap(), &backend).unwrap();
        let through = |picture: &Picture| engine.decode(&engine.encode(picture).unwrap()).unwrap();
        let drawn: Vec<Picture> = pictures.iter().map(through).collect();
        let (rendered, drawn) = (found(&network, &pictures, &truth), found(&network, &drawn, &truth));
        for ((word, rendered), (_, drawn)) in rendered.iter().zip(&drawn) {
            eprintln!("{word:10} {rendered:.2} rendered, {drawn:.2} through the autoencoder");
        }
        let mean = |all: &[(&str, f64)]| all.iter().map(|(_, share)| share).sum::<f64>() / all.len() as f64;
        let (rendered, drawn) = (mean(&rendered), mean(&drawn));
        eprintln!("mean {rendered:.3} rendered, {drawn:.3} through the autoencoder");
        assert!(rendered > 0.5 && drawn > 0.45, "{rendered:.3} rendered, {drawn:.3} through the autoencoder");
    }
}
