//! What a step leaves behind for its descendants.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{DType, Result, Tensor};

use crate::plan::settings::Precision;

/// The carried maps of one step, by layer: text maps before weights, self-attention as queries and keys.
#[derive(Debug, Clone, Default)]
pub struct StepMaps {
    /// Text maps, `[heads, pixels, keys]`.
    pub cross: BTreeMap<usize, Tensor>,
    /// Queries and keys of self-attention, each `[pixels, channels]`.
    pub own: BTreeMap<usize, (Tensor, Tensor)>,
    /// Values of text attention as used, `[keys, channels]`; only where values are mixed.
    pub v_cross: BTreeMap<usize, Tensor>,
    /// Values of self-attention as used, `[pixels, channels]`; only where values are mixed.
    pub v_own: BTreeMap<usize, Tensor>,
}

/// What of an ancestor's step is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Want {
    /// Text maps.
    pub cross: bool,
    /// Queries and keys.
    pub own: bool,
    /// Values.
    pub values: bool,
}

impl Want {
    /// Whether anything is.
    #[must_use]
    pub fn any(self) -> bool {
        self.cross || self.own || self.values
    }
}

/// Where the maps of ancestors come from: a store, or the UNet run again on a stored latent.
pub trait MapSource {
    /// The maps of the ancestor `up` generations up (1 is the parent) at a step.
    ///
    /// # Errors
    /// Fails if they can neither be found nor computed.
    fn maps(&mut self, up: usize, step: usize, want: Want) -> Result<Arc<StepMaps>>;
}

/// No ancestors: roots.
#[derive(Debug, Clone, Copy)]
pub struct NoAncestors;

impl MapSource for NoAncestors {
    fn maps(&mut self, up: usize, _step: usize, _want: Want) -> Result<Arc<StepMaps>> {
        candle_core::bail!("BUG: a root asked for the maps of an ancestor {up} generations up")
    }
}

/// Rounds what may be stored, in use as in the store, so that a cold cache gives the bits of a warm one.
///
/// # Errors
/// Fails if the device has no memory left.
pub fn round_maps(x: &Tensor, precision: Precision) -> Result<Tensor> {
    match precision {
        Precision::F32 => Ok(x.clone()),
        Precision::F16 => x.to_dtype(DType::F16)?.to_dtype(DType::F32),
        Precision::Bf16 => x.to_dtype(DType::BF16)?.to_dtype(DType::F32),
    }
}
