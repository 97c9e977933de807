//! What the files of a CLIPSeg say: a network that finds in a picture what a text names (Lüddecke and Ecker 2022,
//! arXiv:2112.10003).

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::{Act, Config, TextSpec};
use crate::model::ModelSource;
use crate::model::error::trouble;

/// A CLIPSeg.
#[derive(Debug, Clone)]
pub struct ClipSegSpec {
    /// CLIP's text tower.
    pub text: TextSpec,
    /// CLIP's vision tower.
    pub vision: VisionSpec,
    /// Layers of the vision tower that the decoder reads, counted from 0.
    pub extracted: Vec<usize>,
    /// Width of the decoder.
    pub width: usize,
    /// Width of the decoder's feed-forward layers.
    pub inner: usize,
    /// Heads of the decoder.
    pub heads: usize,
    /// The decoder's layer, counted from 0, before which the text is let in.
    pub conditional_layer: usize,
    /// Whether the last part is a convolution and two steps of enlarging, or one step.
    pub enlarges_twice: bool,
    /// How a picture becomes its input.
    pub pixels: PixelSpec,
}

/// A vision tower of CLIP's kind.
#[derive(Debug, Clone)]
pub struct VisionSpec {
    /// Width of the states.
    pub width: usize,
    /// Width of the feed-forward layers.
    pub inner: usize,
    /// Layers.
    pub layers: usize,
    /// Heads.
    pub heads: usize,
    /// Pixels along a side of a patch.
    pub patch: usize,
    /// Patches along a side of the pictures it was trained with.
    pub grid: usize,
    /// Activation of the feed-forward layers.
    pub act: Act,
    /// Epsilon of the layer norms.
    pub eps: f64,
}

/// How a picture becomes the input of a vision tower.
#[derive(Debug, Clone)]
pub struct PixelSpec {
    /// Pixels along a side, whatever the picture's shape.
    pub side: usize,
    /// Whether it is resized by the bicubic filter, not by the triangle.
    pub bicubic: bool,
    /// Whether its middle is cut out, or all of it drawn out of its shape.
    pub crops: bool,
    /// What a byte is multiplied by.
    pub scale: f64,
    /// What is subtracted from red, green and blue.
    pub mean: [f64; 3],
    /// What they are then divided by.
    pub deviation: [f64; 3],
}

impl ClipSegSpec {
    /// Reads `config.json` and `preprocessor_config.json` and checks that they fit together.
    ///
    /// # Errors
    /// Fails if one is missing or contradicts itself or the other, or asks for something that is not built here; the message names
    /// the file and the key.
    pub fn read(source: &dyn ModelSource) -> Result<Self> {
        let c = Config::read(source, "config.json")?;
        let kind = c.str("model_type", "")?;
        if kind != "clipseg" {
            let message = format!("`model_type` in config.json of {} is `{kind}`, expected `clipseg`", source.name());
            return Err(trouble(message, "name a CLIPSeg, such as a folder with a copy of clipseg-rd64-refined"));
        }
        let of_text = c.within("text_config")?;
        of_text.only("model_type", &["clipseg_text_model".into(), "clip_text_model".into()])?;
        let projection = c.usize("projection_dim", Some(512))?;
        let text = TextSpec { projection, ..TextSpec::clip(&of_text)? };
        let of_vision = c.within("vision_config")?;
        of_vision.only("model_type", &["clipseg_vision_model".into(), "clip_vision_model".into()])?;
        let vision = VisionSpec::read(&of_vision)?;
        let spec = Self {
            text,
            extracted: extracted(&c, vision.layers)?,
            width: c.usize("reduce_dim", Some(64))?,
            inner: c.usize("decoder_intermediate_size", Some(2048))?,
            heads: c.usize("decoder_num_attention_heads", Some(4))?,
            conditional_layer: c.index("conditional_layer", 0)?,
            enlarges_twice: c.bool("use_complex_transposed_convolution", false)?,
            pixels: PixelSpec::read(&Config::read(source, "preprocessor_config.json")?)?,
            vision,
        };
        let (layers, patch) = (spec.extracted.len(), spec.vision.patch);
        ensure!(
            spec.conditional_layer < layers,
            "`conditional_layer` of config.json is {}, but `extract_layers` makes {layers} layers, counted from 0",
            spec.conditional_layer
        );
        ensure!(
            spec.width.is_multiple_of(spec.heads),
            "`reduce_dim` {} of config.json does not divide into `decoder_num_attention_heads` {}",
            spec.width,
            spec.heads
        );
        ensure!(
            !spec.enlarges_twice || patch.is_multiple_of(4) && spec.width >= 2,
            "config.json asks for `use_complex_transposed_convolution`, which needs a `patch_size` that 4 divides; it is {patch}"
        );
        ensure!(
            spec.pixels.side.is_multiple_of(patch),
            "`size` {} of preprocessor_config.json is no multiple of `patch_size` {patch} of config.json",
            spec.pixels.side
        );
        Ok(spec)
    }

    /// Patches along a side of the input.
    #[must_use]
    pub fn grid(&self) -> usize {
        self.pixels.side / self.vision.patch
    }
}

/// The layers that the decoder reads.
fn extracted(c: &Config<'_>, layers: usize) -> Result<Vec<usize>> {
    let list: Vec<usize> = match c.get("extract_layers") {
        None => vec![3, 6, 9],
        Some(Value::Array(list)) => list.iter().map(|v| c.as_index("extract_layers", v)).collect::<Result<_>>()?,
        Some(other) => bail!("`extract_layers` of {} is {other}, expected a list of layers", c.path),
    };
    ensure!(!list.is_empty(), "`extract_layers` of {} names no layer", c.path);
    if let Some(beyond) = list.iter().find(|layer| **layer >= layers) {
        bail!(
            "`extract_layers` of {} names layer {beyond}, but `vision_config` has {layers} layers, counted from 0",
            c.path
        );
    }
    Ok(list)
}

impl VisionSpec {
    pub(super) fn read(c: &Config<'_>) -> Result<Self> {
        c.only("num_channels", &[3.into()])?;
        let width = c.usize("hidden_size", Some(768))?;
        let heads = c.usize("num_attention_heads", Some(12))?;
        ensure!(width.is_multiple_of(heads), "`hidden_size` {width} of {} does not divide into {heads} heads", c.path);
        let patch = c.usize("patch_size", Some(32))?;
        let side = c.usize("image_size", Some(224))?;
        ensure!(side >= patch, "`image_size` {side} of {} is smaller than `patch_size` {patch}", c.path);
        Ok(Self {
            width,
            heads,
            patch,
            grid: side / patch,
            inner: c.usize("intermediate_size", Some(3072))?,
            layers: c.usize("num_hidden_layers", Some(12))?,
            act: Act::read(c, "hidden_act", "quick_gelu")?,
            eps: c.f64("layer_norm_eps", 1e-5)?,
        })
    }
}

impl PixelSpec {
    /// Of a network that takes all of a picture, drawn out of its shape.
    fn read(c: &Config<'_>) -> Result<Self> {
        c.only("do_resize", &[true.into()])?;
        c.only("do_center_crop", &[false.into()])?;
        let side = Self::square(c, "size")?.with_context(|| format!("{} lacks `size`", c.path))?;
        Self::of(c, side, false)
    }

    /// Of a network that takes the middle of a picture.
    pub(super) fn cropped(c: &Config<'_>) -> Result<Self> {
        c.only("do_resize", &[true.into()])?;
        c.only("do_center_crop", &[true.into()])?;
        let side = Self::square(c, "crop_size")?.unwrap_or(224);
        let edge = match c.get("size") {
            Some(Value::Object(_)) => c.within("size")?.usize("shortest_edge", None)?,
            _ => c.usize("size", Some(224))?,
        };
        ensure!(edge == side, "`size` of {} is {edge}, but `crop_size` {side}: only equal ones are built here", c.path);
        Self::of(c, side, true)
    }

    /// The side of a square of pixels.
    fn square(c: &Config<'_>, key: &str) -> Result<Option<usize>> {
        Ok(match c.get(key) {
            None => None,
            Some(Value::Object(_)) => {
                let size = c.within(key)?;
                size.only("shortest_edge", &[])?;
                let (height, width) = (size.usize("height", None)?, size.usize("width", None)?);
                ensure!(height == width, "`{key}` of {} is {width}x{height}, but pictures must be made square", c.path);
                Some(height)
            }
            Some(_) => Some(c.usize(key, None)?),
        })
    }

    fn of(c: &Config<'_>, side: usize, crops: bool) -> Result<Self> {
        // By the number that Pillow gives the filter.
        let bicubic = match c.index("resample", 2)? {
            2 => false,
            3 => true,
            other => {
                bail!("`resample` of {} is {other}, which is not built here: 2 (bilinear) and 3 (bicubic) are", c.path)
            }
        };
        let rescales = c.bool("do_rescale", true)?;
        let normalizes = c.bool("do_normalize", true)?;
        let colours = |key: &str, default: f64| -> Result<[f64; 3]> {
            let numbers = match c.get(key) {
                Some(Value::Array(list)) if normalizes => list.iter().filter_map(Value::as_f64).collect(),
                Some(other) if normalizes => bail!("`{key}` of {} is {other}, expected three numbers", c.path),
                None if normalizes => vec![0.5; 3],
                _ => vec![default; 3],
            };
            let three: Result<[f64; 3], _> = numbers.try_into();
            three.ok().with_context(|| format!("`{key}` of {} is no list of three numbers", c.path))
        };
        let deviation = colours("image_std", 1.0)?;
        ensure!(deviation.iter().all(|d| *d > 0.0), "`image_std` of {} holds what is not above 0", c.path);
        Ok(Self {
            side,
            bicubic,
            crops,
            scale: if rescales { c.f64("rescale_factor", 1.0 / 255.0)? } else { 1.0 },
            mean: colours("image_mean", 0.0)?,
            deviation,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::model::FileBytes;
    use serde_json::json;

    /// A folder with two files, in memory.
    struct Two(Value, Value);

    impl ModelSource for Two {
        fn name(&self) -> String {
            "two".to_owned()
        }

        fn open(&self, path: &str) -> Result<Option<FileBytes>> {
            let value = match path {
                "config.json" => &self.0,
                "preprocessor_config.json" => &self.1,
                _ => return Ok(None),
            };
            Ok(Some(FileBytes::Memory(Cow::Owned(value.to_string().into_bytes()))))
        }
    }

    fn config() -> Value {
        json!({"model_type": "clipseg", "use_complex_transposed_convolution": true, "vision_config": {"patch_size": 16}})
    }

    fn pixels() -> Value {
        json!({"size": 352, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "resample": 2})
    }

    #[test]
    fn what_a_configuration_leaves_out_is_as_in_the_published_one() {
        let spec = ClipSegSpec::read(&Two(config(), pixels())).unwrap();
        assert_eq!(spec.extracted, [3, 6, 9]);
        assert_eq!((spec.width, spec.heads, spec.inner, spec.grid()), (64, 4, 2048, 22));
        assert_eq!((spec.vision.width, spec.vision.layers, spec.vision.grid), (768, 12, 14));
        assert_eq!((spec.text.width, spec.text.projection, spec.pixels.bicubic), (512, 512, false));
        let mut newer = pixels();
        newer["size"] = json!({"height": 352, "width": 352});
        assert_eq!(ClipSegSpec::read(&Two(config(), newer)).unwrap().pixels.side, 352);
    }

    #[test]
    fn what_contradicts_itself_or_is_not_built_is_named_with_its_file_and_key() {
        let check = |file: usize, key: &str, value: Value, said: &[&str]| {
            let mut files = [config(), pixels()];
            let (outer, inner) = key.split_once('.').unwrap_or((key, ""));
            if inner.is_empty() {
                files[file][outer] = value;
            } else {
                files[file][outer][inner] = value;
            }
            let [config, pixels] = files;
            let error = ClipSegSpec::read(&Two(config, pixels)).map(|_| ()).expect_err(key);
            let error = format!("{error:#}");
            assert!(said.iter().all(|part| error.contains(part)), "{key}: {error}");
        };
        check(0, "model_type", json!("clip"), &["`model_type` in config.json", "`clip`", "clipseg"]);
        check(0, "extract_layers", json!([3, 12]), &["`extract_layers` of config.json", "12"]);
        check(0, "extract_layers", json!([]), &["`extract_layers` of config.json"]);
        check(0, "conditional_layer", json!(3), &["`conditional_layer` of config.json is 3"]);
        check(0, "reduce_dim", json!(62), &["`reduce_dim` 62 of config.json", "decoder_num_attention_heads"]);
        check(0, "vision_config", json!(7), &["`vision_config` of config.json is 7"]);
        check(
            0,
            "vision_config.hidden_act",
            json!("tanh"),
            &["`vision_config` of config.json", "`hidden_act`", "tanh"],
        );
        check(0, "vision_config.hidden_size", json!(770), &["`hidden_size` 770 of `vision_config` of config.json"]);
        check(0, "vision_config.patch_size", json!(18), &["`patch_size`", "18"]);
        check(0, "text_config", json!({"hidden_size": -1}), &["`hidden_size` of `text_config` of config.json is -1"]);
        check(1, "size", json!(350), &["`size` 350 of preprocessor_config.json", "`patch_size` 16"]);
        check(1, "size", json!({"shortest_edge": 352}), &["preprocessor_config.json", "shortest_edge"]);
        check(1, "size", json!({"height": 352, "width": 224}), &["`size` of preprocessor_config.json is 224x352"]);
        check(1, "size", Value::Null, &["preprocessor_config.json lacks `size`"]);
        check(1, "resample", json!(1), &["`resample` of preprocessor_config.json is 1"]);
        check(1, "image_std", json!([0.2, 0.0, 0.2]), &["`image_std` of preprocessor_config.json"]);
        check(1, "image_mean", json!([0.5, 0.5]), &["`image_mean` of preprocessor_config.json"]);
        check(1, "do_center_crop", json!(true), &["preprocessor_config.json", "`do_center_crop`"]);
    }
}
