//! What a step leaves behind for its descendants.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor};
use wordbrush_kernels as kernels;

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

/// Rounding on the processor, in one pass.
struct Round(kernels::Half);

impl CustomOp1 for Round {
    fn name(&self) -> &'static str {
        "round"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let Some((from, to)) = layout.contiguous_offsets() else {
            candle_core::bail!("BUG: maps that are not contiguous were to be rounded")
        };
        let x = &storage.as_slice::<f32>()?[from..to];
        let mut out = vec![0.0; x.len()];
        kernels::round(x, self.0, &mut out);
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }
}

/// Rounds what may be stored, in use as in the store, so that a cold cache gives the bits of a warm one.
///
/// # Errors
/// Fails if the device has no memory left.
pub fn round_maps(x: &Tensor, precision: Precision) -> Result<Tensor> {
    let (half, dtype) = match precision {
        Precision::F32 => return Ok(x.clone()),
        Precision::F16 => (kernels::Half::F16, DType::F16),
        Precision::Bf16 => (kernels::Half::Bf16, DType::BF16),
    };
    if x.device().is_cpu() && x.dtype() == DType::F32 {
        return x.contiguous()?.apply_op1_no_bwd(&Round(half));
    }
    x.to_dtype(dtype)?.to_dtype(DType::F32)
}
