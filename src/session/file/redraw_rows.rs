//! Pictures that were drawn again from their noised selves, as rows have them.

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{ExtendedColorType, ImageEncoder};
use serde::{Deserialize, Serialize};

use crate::plan::redraw::{Patch, RedrawMethod, Tuning};

/// The longest side of a patch that is read, in pixels.
const LONGEST_SIDE: u32 = 8192;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RedrawRow {
    /// What its noise is drawn from.
    pub(super) seed: u64,
    pub(super) by: MethodRow,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum MethodRow {
    SdEdit {
        strength: f64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        patch: Option<PatchRow>,
    },
    Blended {
        strength: f64,
    },
    MagicMix {
        kmin: f64,
        kmax: f64,
        nu: f64,
    },
    DiffEdit {
        strength: f64,
        mask_strength: f64,
        ratio: f64,
        maps: usize,
    },
    Imagic {
        strength: f64,
        embedding: TuningRow,
        model: TuningRow,
    },
    UniTune {
        strength: f64,
        rare: String,
        model: TuningRow,
    },
}

/// Steps and the learning rate.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TuningRow {
    steps: usize,
    rate: f64,
}

impl From<Tuning> for TuningRow {
    fn from(Tuning { steps, rate }: Tuning) -> Self {
        Self { steps, rate }
    }
}

impl From<TuningRow> for Tuning {
    fn from(TuningRow { steps, rate }: TuningRow) -> Self {
        Self { steps, rate }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PatchRow {
    x: usize,
    y: usize,
    /// A PNG in base64.
    png: String,
}

impl TryFrom<&RedrawMethod> for MethodRow {
    type Error = anyhow::Error;

    fn try_from(method: &RedrawMethod) -> Result<Self> {
        Ok(match method.clone() {
            RedrawMethod::SdEdit { strength, patch } => {
                let patch = patch.as_ref().map(PatchRow::try_from).transpose()?;
                Self::SdEdit { strength, patch }
            }
            RedrawMethod::BlendedDiffusion { strength } => Self::Blended { strength },
            RedrawMethod::MagicMix { kmin, kmax, nu } => Self::MagicMix { kmin, kmax, nu },
            RedrawMethod::DiffEdit { strength, mask_strength, ratio, maps } => {
                Self::DiffEdit { strength, mask_strength, ratio, maps }
            }
            RedrawMethod::Imagic { strength, embedding, model } => {
                Self::Imagic { strength, embedding: embedding.into(), model: model.into() }
            }
            RedrawMethod::UniTune { strength, rare, model } => Self::UniTune { strength, rare, model: model.into() },
        })
    }
}

impl TryFrom<MethodRow> for RedrawMethod {
    type Error = anyhow::Error;

    fn try_from(row: MethodRow) -> Result<Self> {
        Ok(match row {
            MethodRow::SdEdit { strength, patch } => {
                Self::SdEdit { strength, patch: patch.map(Patch::try_from).transpose()? }
            }
            MethodRow::Blended { strength } => Self::BlendedDiffusion { strength },
            MethodRow::MagicMix { kmin, kmax, nu } => Self::MagicMix { kmin, kmax, nu },
            MethodRow::DiffEdit { strength, mask_strength, ratio, maps } => {
                Self::DiffEdit { strength, mask_strength, ratio, maps }
            }
            MethodRow::Imagic { strength, embedding, model } => {
                Self::Imagic { strength, embedding: embedding.into(), model: model.into() }
            }
            MethodRow::UniTune { strength, rare, model } => Self::UniTune { strength, rare, model: model.into() },
        })
    }
}

/// A patch's pixels as a PNG in base64.
pub(crate) fn png_of(patch: &Patch) -> Result<String> {
    let mut png = Vec::new();
    image::codecs::png::PngEncoder::new(&mut png)
        .write_image(&patch.rgba, patch.width as u32, patch.height as u32, ExtendedColorType::Rgba8)
        .context("BUG: a patch cannot be written as a PNG")?;
    Ok(STANDARD.encode(png))
}

impl TryFrom<&Patch> for PatchRow {
    type Error = anyhow::Error;

    fn try_from(patch: &Patch) -> Result<Self> {
        Ok(Self { x: patch.x, y: patch.y, png: png_of(patch)? })
    }
}

impl TryFrom<PatchRow> for Patch {
    type Error = anyhow::Error;

    fn try_from(row: PatchRow) -> Result<Self> {
        let png = STANDARD.decode(&row.png).context("its patch is no base64")?;
        let mut reader = image::ImageReader::with_format(std::io::Cursor::new(png), image::ImageFormat::Png);
        let mut limits = image::Limits::default();
        (limits.max_image_width, limits.max_image_height) = (Some(LONGEST_SIDE), Some(LONGEST_SIDE));
        reader.limits(limits);
        let picture = reader.decode().context("its patch is no PNG")?.into_rgba8();
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        ensure!(width > 0 && height > 0, "its patch is empty");
        Ok(Self { x: row.x, y: row.y, width, height, rgba: picture.into_raw().into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_comes_back_from_its_row_with_every_pixel() {
        let rgba: Vec<u8> = (0..4 * 5 * 3).map(|n| n as u8 * 4).collect();
        let patch = Patch { x: 7, y: 2, width: 5, height: 3, rgba: rgba.into() };
        let row = PatchRow::try_from(&patch).unwrap();
        assert_eq!(Patch::try_from(row).unwrap(), patch);
        for png in ["", "!", "AAAA"] {
            assert!(Patch::try_from(PatchRow { x: 0, y: 0, png: png.to_owned() }).is_err(), "{png}");
        }
    }
}
