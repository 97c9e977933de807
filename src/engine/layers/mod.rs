//! The layers that networks are built of, on channels-last data.
//!
//! Activations are `[batch, height, width, channels]` or `[batch, tokens, channels]`, f32. Each layer holds its weights
//! in one of two forms, chosen once when a model is loaded ([`Backend`]):
//!
//! - **kernels**: packed for the processor's own kernels (crate `wordbrush-kernels`). A sample has the same bits alone
//!   and in a batch, on one thread and on two.
//! - **plain**: candle operations only. Runs on every device candle knows, and every operation has a backward, which
//!   null-text optimisation needs. Kernels never replace it there.

mod bands;
mod buffers;
mod conv;
mod linear;
mod norm;
mod ops;
mod product;

pub use bands::{BandWindow, Bands};
pub use buffers::{forget_buffers, recycle, then};
pub use conv::{Conv, ConvSpec, Resample};
pub use linear::{Bias, GatedLinear, Linear};
pub use norm::{GroupNorm, LayerNorm};
pub use ops::{act, beside, upsample};
pub use product::{apply_probs, attention, attention_probs};

use candle_core::{DType, Device, Tensor};
use wordbrush_kernels as kernels;

use crate::plan::device::{DeviceError, DeviceName};
use crate::plan::settings::Precision;

/// How networks compute.
#[derive(Debug, Clone)]
pub enum Backend {
    /// The processor's kernels, with products in this precision.
    Kernels(kernels::Precision),
    /// candle operations on a device, on numbers of a type: f32, or f64 where a gradient's sign must be right.
    Plain(Device, DType),
}

impl Backend {
    /// What computes on a device. The processor's kernels round products as `precision` says; on any other device all is
    /// f32, whatever it says.
    ///
    /// # Errors
    /// Fails if this build does not have the device, or the machine does not give it.
    pub fn on(device: DeviceName, precision: Precision) -> Result<Self, DeviceError> {
        let opened = match device.in_this_build()? {
            DeviceName::Cpu => {
                let bf16 = precision == Precision::Bf16;
                return Ok(Self::Kernels(if bf16 { kernels::Precision::Bf16 } else { kernels::Precision::F32 }));
            }
            DeviceName::Plain => Ok(Device::Cpu),
            DeviceName::Cuda(n) => Device::new_cuda(n),
            DeviceName::Metal => Device::new_metal(0),
        };
        let opened = opened.map_err(|error| device.refused(&error))?;
        Ok(Self::Plain(opened, DType::F32))
    }

    /// The device that tensors live on.
    #[must_use]
    pub fn device(&self) -> &Device {
        match self {
            Self::Kernels(_) => &Device::Cpu,
            Self::Plain(device, _) => device,
        }
    }

    /// The precision of the kernels' products, or `None` for plain operations.
    #[must_use]
    pub fn precision(&self) -> Option<kernels::Precision> {
        match self {
            Self::Kernels(precision) => Some(*precision),
            Self::Plain(..) => None,
        }
    }

    /// A tensor of these numbers, of the backend's type, on its device.
    ///
    /// # Errors
    /// Fails if the shape does not fit, or the device has no memory left.
    pub fn tensor(
        &self,
        values: Vec<f32>,
        shape: impl candle_core::shape::ShapeWithOneHole,
    ) -> candle_core::Result<Tensor> {
        let tensor = Tensor::from_vec(values, shape, self.device())?;
        self.like(&tensor)
    }

    /// A tensor in the backend's type, on its device.
    ///
    /// # Errors
    /// Fails if the device has no memory left.
    pub fn like(&self, tensor: &Tensor) -> candle_core::Result<Tensor> {
        match self {
            Self::Kernels(_) => Ok(tensor.clone()),
            Self::Plain(device, dtype) => tensor.to_device(device)?.to_dtype(*dtype),
        }
    }
}

/// The f32 values of a contiguous tensor on the CPU, lent.
fn cpu_slice<'a>(storage: &'a candle_core::CpuStorage, layout: &candle_core::Layout) -> candle_core::Result<&'a [f32]> {
    let values = storage.as_slice::<f32>()?;
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&values[from..to]),
        None => candle_core::bail!("BUG: a kernel was given a tensor that is not contiguous"),
    }
}

/// An operation on one tensor that a kernel computes: the closure gets the values and fills the whole result, which holds
/// anything beforehand.
struct Kernel1<F> {
    name: &'static str,
    shape: Vec<usize>,
    run: F,
}

impl<F: Fn(&[f32], &mut [f32]) + Send + Sync> candle_core::CustomOp1 for Kernel1<F> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn cpu_fwd(
        &self,
        s1: &candle_core::CpuStorage,
        l1: &candle_core::Layout,
    ) -> candle_core::Result<(candle_core::CpuStorage, candle_core::Shape)> {
        let mut out = buffers::take(self.shape.iter().product());
        (self.run)(cpu_slice(s1, l1)?, &mut out);
        Ok((candle_core::CpuStorage::F32(out), self.shape.clone().into()))
    }
}

/// An operation on two tensors.
struct Kernel2<F> {
    name: &'static str,
    shape: Vec<usize>,
    run: F,
}

impl<F: Fn(&[f32], &[f32], &mut [f32]) + Send + Sync> candle_core::CustomOp2 for Kernel2<F> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn cpu_fwd(
        &self,
        s1: &candle_core::CpuStorage,
        l1: &candle_core::Layout,
        s2: &candle_core::CpuStorage,
        l2: &candle_core::Layout,
    ) -> candle_core::Result<(candle_core::CpuStorage, candle_core::Shape)> {
        let mut out = buffers::take(self.shape.iter().product());
        (self.run)(cpu_slice(s1, l1)?, cpu_slice(s2, l2)?, &mut out);
        Ok((candle_core::CpuStorage::F32(out), self.shape.clone().into()))
    }
}

/// An operation on three tensors.
struct Kernel3<F> {
    name: &'static str,
    shape: Vec<usize>,
    run: F,
}

impl<F: Fn(&[f32], &[f32], &[f32], &mut [f32]) + Send + Sync> candle_core::CustomOp3 for Kernel3<F> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn cpu_fwd(
        &self,
        s1: &candle_core::CpuStorage,
        l1: &candle_core::Layout,
        s2: &candle_core::CpuStorage,
        l2: &candle_core::Layout,
        s3: &candle_core::CpuStorage,
        l3: &candle_core::Layout,
    ) -> candle_core::Result<(candle_core::CpuStorage, candle_core::Shape)> {
        let mut out = buffers::take(self.shape.iter().product());
        (self.run)(cpu_slice(s1, l1)?, cpu_slice(s2, l2)?, cpu_slice(s3, l3)?, &mut out);
        Ok((candle_core::CpuStorage::F32(out), self.shape.clone().into()))
    }
}

fn kernel1(
    name: &'static str,
    x: &Tensor,
    shape: &[usize],
    run: impl Fn(&[f32], &mut [f32]) + Send + Sync,
) -> candle_core::Result<Tensor> {
    x.contiguous()?.apply_op1_no_bwd(&Kernel1 { name, shape: shape.to_vec(), run })
}

fn kernel2(
    name: &'static str,
    (a, b): (&Tensor, &Tensor),
    shape: &[usize],
    run: impl Fn(&[f32], &[f32], &mut [f32]) + Send + Sync,
) -> candle_core::Result<Tensor> {
    a.contiguous()?.apply_op2_no_bwd(&b.contiguous()?, &Kernel2 { name, shape: shape.to_vec(), run })
}

fn kernel3(
    name: &'static str,
    (a, b, c): (&Tensor, &Tensor, &Tensor),
    shape: &[usize],
    run: impl Fn(&[f32], &[f32], &[f32], &mut [f32]) + Send + Sync,
) -> candle_core::Result<Tensor> {
    a.contiguous()?.apply_op3_no_bwd(&b.contiguous()?, &c.contiguous()?, &Kernel3 { name, shape: shape.to_vec(), run })
}
