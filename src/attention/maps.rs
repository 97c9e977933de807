//! What a step leaves behind for its descendants.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, DType, InplaceOp1, Layout, Result, Shape, Tensor};
use half::f16;
use half::slice::HalfFloatSliceExt;
use wordbrush_kernels as kernels;

use crate::plan::settings::Precision;

/// A map as it is kept: in the half precision that it was rounded to, and without the rest of the batch that it was shown in.
///
/// Layers are kept by the hundred; what is kept of a large model would be more than its weights.
#[derive(Debug, Clone)]
pub struct KeptMap(Tensor);

impl KeptMap {
    /// A copy of `map`, in f32; `half` says that its numbers are ones that f16 has.
    ///
    /// # Errors
    /// Fails if the device has no memory left.
    pub fn new(map: &Tensor, half: bool) -> Result<Self> {
        match half {
            false => map.force_contiguous(),
            true if on_cpu(map) => map.contiguous()?.apply_op1_no_bwd(&Convert),
            true => map.to_dtype(DType::F16),
        }
        .map(Self)
    }

    /// The map, in f32.
    ///
    /// # Errors
    /// Fails if the device has no memory left.
    pub fn wide(&self) -> Result<Tensor> {
        match self.0.dtype() {
            DType::F32 => Ok(self.0.clone()),
            _ if self.0.device().is_cpu() => self.0.apply_op1_no_bwd(&Convert),
            _ => self.0.to_dtype(DType::F32),
        }
    }

    /// The map as it lies in memory: f16 or f32.
    #[must_use]
    pub fn tensor(&self) -> &Tensor {
        &self.0
    }
}

impl From<Tensor> for KeptMap {
    /// A map that is read from where it was kept.
    fn from(map: Tensor) -> Self {
        Self(map)
    }
}

/// The carried maps of one step, by layer: text maps before weights, self-attention as queries and keys.
#[derive(Debug, Clone, Default)]
pub struct StepMaps {
    /// Text maps, `[heads, pixels, keys]`.
    pub cross: BTreeMap<usize, KeptMap>,
    /// Queries and keys of self-attention, each `[pixels, channels]`.
    pub own: BTreeMap<usize, (KeptMap, KeptMap)>,
    /// Values of text attention as used, `[keys, channels]`; only where values are mixed.
    pub v_cross: BTreeMap<usize, KeptMap>,
    /// Values of self-attention as used, `[pixels, channels]`; only where values are mixed.
    pub v_self: BTreeMap<usize, KeptMap>,
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

/// From f32 to f16 and back on the processor, in one pass.
struct Convert;

impl CustomOp1 for Convert {
    fn name(&self) -> &'static str {
        "convert"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let Some((from, to)) = layout.contiguous_offsets() else {
            candle_core::bail!("BUG: maps that are not contiguous were to be converted")
        };
        let out = match storage {
            CpuStorage::F32(wide) => {
                let mut out = vec![f16::ZERO; to - from];
                out.convert_from_f32_slice(&wide[from..to]);
                CpuStorage::F16(out)
            }
            CpuStorage::F16(narrow) => {
                let mut out = vec![0.0; to - from];
                narrow[from..to].convert_to_f32_slice(&mut out);
                CpuStorage::F32(out)
            }
            _ => candle_core::bail!("BUG: maps of another type were to be converted"),
        };
        Ok((out, layout.shape().clone()))
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

#[cfg(test)]
mod tests {
    use candle_core::{Device, Storage};

    use super::*;

    #[test]
    fn a_kept_map_holds_its_own_numbers_alone_and_gives_back_their_bits() {
        let numbers: Vec<f32> = (0..60).map(|i| f16::from_f32(i as f32 / 7.0 - 3.0).to_f32()).collect();
        let batch = Tensor::from_vec(numbers.clone(), (2, 5, 6), &Device::Cpu).unwrap();
        let shown = batch.get(1).unwrap();
        for half in [true, false] {
            let kept = KeptMap::new(&shown, half).unwrap();
            let held = match &*kept.tensor().storage_and_layout().0 {
                Storage::Cpu(CpuStorage::F16(held)) if half => held.len(),
                Storage::Cpu(CpuStorage::F32(held)) if !half => held.len(),
                _ => panic!("kept in another type"),
            };
            assert_eq!(held, 30, "half: {half}");
            let wide = kept.wide().unwrap();
            assert_eq!(wide.dims(), [5, 6]);
            let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&wide.flatten_all().unwrap().to_vec1::<f32>().unwrap()), bits(&numbers[30..]));
        }
    }
}
