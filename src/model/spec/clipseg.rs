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
    fn read(c: &Config<'_>) -> Result<Self> {
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
    fn read(c: &Config<'_>) -> Result<Self> {
        c.only("do_resize", &[true.into()])?;
        c.only("do_center_crop", &[false.into()])?;
        let side = match c.get("size") {
            None => bail!("{} lacks `size`", c.path),
            Some(Value::Object(_)) => {
                let size = c.within("size")?;
                size.only("shortest_edge", &[])?;
                let (height, width) = (size.usize("height", None)?, size.usize("width", None)?);
                ensure!(height == width, "`size` of {} is {width}x{height}, but pictures must be made square", c.path);
                height
            }
            Some(_) => c.usize("size", None)?,
        };
        // By the number that Pillow gives the filter.
        let bicubic = match c.index("resample", 2)? {
            2 => false,
            3 => true,
            other => bail!(
                "`resample` of {} is {other}, which is not built here: 2 (bilinear) and 3 (bicubic) are",
                c.path
            ),
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
            scale: if rescales { c.f64("rescale_factor", 1.0 / 255.0)? } else { 1.0 },
            mean: colours("image_mean", 0.0)?,
            deviation,
        })
    }
}
