//! Where a person said that a picture may change, as rows have it.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::plan::area::{Area, PixelMask};

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum AreaRow {
    /// The size, then lengths of stretches of pixels outside and inside in turn: `8x4 3 2 27`.
    Mask(String),
    /// Pixels left of it, above it, across and down.
    Rectangle([usize; 4]),
    /// Token positions in the parent's prompt.
    Words(Vec<usize>),
}

impl From<&Area> for AreaRow {
    fn from(area: &Area) -> Self {
        match area {
            Area::Mask(mask) => Self::Mask(mask.to_string()),
            Area::Rectangle { x, y, width, height } => Self::Rectangle([*x, *y, *width, *height]),
            Area::Words { tokens } => Self::Words(tokens.clone()),
        }
    }
}

impl TryFrom<AreaRow> for Area {
    type Error = anyhow::Error;

    fn try_from(row: AreaRow) -> Result<Self> {
        Ok(match row {
            AreaRow::Mask(text) => Self::Mask(PixelMask::read(&text)?),
            AreaRow::Rectangle([x, y, width, height]) => Self::Rectangle { x, y, width, height },
            AreaRow::Words(tokens) => Self::Words { tokens },
        })
    }
}
