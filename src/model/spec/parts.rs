//! What the file of a network of parts says: one that knows a fixed list of things that pictures consist of.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Config;
use crate::model::ModelSource;

/// A network of parts.
#[derive(Debug, Clone)]
pub struct PartsSpec {
    /// Channels of the grids on the way down, each half as wide as the one before it.
    pub widths: Vec<usize>,
    /// How often the grid is doubled again.
    pub ups: usize,
    /// Channels before the last layer.
    pub last: usize,
    /// Groups of the norms.
    pub groups: usize,
    /// Pixels along a side of what it reads.
    pub side: usize,
    /// Names of the parts, in the order of its outputs.
    pub parts: Vec<String>,
}

impl PartsSpec {
    /// Reads `config.json`.
    ///
    /// # Errors
    /// Fails if it is missing, contradicts itself, or is of another kind of network; the message names the key.
    pub fn read(source: &dyn ModelSource) -> Result<Self> {
        let c = Config::read(source, "config.json")?;
        c.only("model_type", &["parts".into()])?;
        let widths: Vec<usize> = c.list("widths")?.iter().map(|w| c.as_usize("widths", w)).collect::<Result<_>>()?;
        let parts: Option<Vec<String>> = c.list("parts")?.iter().map(|part| part.as_str().map(str::to_owned)).collect();
        let spec = Self {
            ups: c.usize("up_levels", None)?,
            last: c.usize("last_width", None)?,
            groups: c.usize("norm_num_groups", None)?,
            side: c.usize("image_size", None)?,
            parts: parts.context("`parts` of config.json is no list of names")?,
            widths,
        };
        ensure!(
            spec.widths.len() >= 2 && !spec.parts.is_empty(),
            "`widths` or `parts` of config.json has too few entries"
        );
        ensure!(spec.ups < spec.widths.len(), "`up_levels` {} of config.json is more than `widths` allows", spec.ups);
        let fits = spec.side.is_multiple_of(1 << spec.widths.len());
        ensure!(fits, "`image_size` {} of config.json does not halve {} times", spec.side, spec.widths.len());
        Ok(spec)
    }
}

/// What kind of network a folder's `config.json` says it is: its `model_type`, or "" if it says none.
///
/// # Errors
/// Fails if the file is missing or cannot be read.
pub fn network_kind(source: &dyn ModelSource) -> Result<String> {
    let c = Config::read(source, "config.json")?;
    Ok(c.get("model_type").and_then(Value::as_str).unwrap_or_default().to_owned())
}
