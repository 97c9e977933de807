//! What the files of a CLIP say: two towers that bring texts and pictures to one space (Radford et al. 2021, arXiv:2103.00020).

use anyhow::Result;

use super::{Config, PixelSpec, TextSpec, VisionSpec};
use crate::model::ModelSource;
use crate::model::error::trouble;

/// A CLIP.
#[derive(Debug, Clone)]
pub struct ClipSpec {
    /// The tower that reads; its projection is the space that both share.
    pub text: TextSpec,
    /// The tower that sees.
    pub vision: VisionSpec,
    /// How a picture becomes its input.
    pub pixels: PixelSpec,
}

impl ClipSpec {
    /// Reads `config.json` and `preprocessor_config.json` and checks that they fit together.
    ///
    /// # Errors
    /// Fails if one is missing or contradicts the other, or asks for something that is not built here; the message names the file
    /// and the key.
    pub fn read(source: &dyn ModelSource) -> Result<Self> {
        let c = Config::read(source, "config.json")?;
        let kind = c.str("model_type", "")?;
        if kind != "clip" {
            let message = format!("`model_type` in config.json of {} is `{kind}`, expected `clip`", source.name());
            return Err(trouble(message, "name a CLIP, such as a folder with a copy of clip-vit-large-patch14"));
        }
        let projection = c.usize("projection_dim", Some(512))?;
        let text = TextSpec { projection, ..TextSpec::clip(&c.within("text_config")?)? };
        let vision = VisionSpec::read(&c.within("vision_config")?)?;
        let pixels = PixelSpec::cropped(&Config::read(source, "preprocessor_config.json")?)?;
        anyhow::ensure!(
            pixels.side / vision.patch == vision.grid,
            "`crop_size` {} of preprocessor_config.json does not fit `image_size` {} of config.json",
            pixels.side,
            vision.grid * vision.patch
        );
        Ok(Self { text, vision, pixels })
    }
}
