//! What a step leaves behind for its descendants.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, DType, InplaceOp1, Layout, Result, Shape, Tensor};
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
    pub v_self: BTreeMap<usize, Tensor>,
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
        let mut out = x.to_vec();
        kernels::round(&mut out, self.0);
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }
}

impl InplaceOp1 for Round {
    fn name(&self) -> &'static str {
        "round"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let (CpuStorage::F32(values), Some((from, to))) = (storage, layout.contiguous_offsets()) else {
            candle_core::bail!("BUG: maps that are not contiguous f32 were to be rounded")
        };
        kernels::round(&mut values[from..to], self.0);
        Ok(())
    }
}

/// Rounds what may be stored, in use as in the store, so that a cold cache gives the bits of a warm one.
///
/// # Errors
/// Fails if the device has no memory left.
pub fn round_maps(x: &Tensor, precision: Precision) -> Result<Tensor> {
    match half(precision) {
        None => Ok(x.clone()),
        Some((half, _)) if on_cpu(x) => x.contiguous()?.apply_op1_no_bwd(&Round(half)),
        Some((_, dtype)) => x.to_dtype(dtype)?.to_dtype(DType::F32),
    }
}

/// As [`round_maps`], in the memory of `x` where that can be: a result that the caller has shown to nobody.
///
/// # Errors
/// As [`round_maps`].
pub fn round_maps_over(x: Tensor, precision: Precision) -> Result<Tensor> {
    match half(precision) {
        Some((half, _)) if on_cpu(&x) && x.is_contiguous() && !x.track_op() => x.inplace_op1(&Round(half)).map(|()| x),
        _ => round_maps(&x, precision),
    }
}

fn on_cpu(x: &Tensor) -> bool {
    x.device().is_cpu() && x.dtype() == DType::F32
}

/// What maps are rounded to.
fn half(precision: Precision) -> Option<(kernels::Half, DType)> {
    match precision {
        Precision::F32 => None,
        Precision::F16 => Some((kernels::Half::F16, DType::F16)),
        Precision::Bf16 => Some((kernels::Half::Bf16, DType::BF16)),
    }
}
