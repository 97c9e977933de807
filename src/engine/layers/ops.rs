//! Operations without weights.

use candle_core::{D, Tensor};
use wordbrush_kernels as kernels;

use super::{Backend, kernel1};
use crate::model::spec::Act;

/// An activation function, value by value; plain operations unless a kernel backend is given.
///
/// # Errors
/// Fails if the device has no memory left.
pub fn act(x: &Tensor, act: Act, backend: Option<&Backend>) -> candle_core::Result<Tensor> {
    if let Some(Backend::Kernels(_)) = backend {
        return kernel1("activation", x, x.dims(), |x, out| {
            out.copy_from_slice(x);
            match act {
                Act::Silu => kernels::silu(out),
                Act::Gelu => kernels::gelu(out),
                Act::QuickGelu => kernels::quick_gelu(out),
            }
        });
    }
    match act {
        Act::Silu => x * sigmoid(x)?,
        Act::Gelu => x.gelu_erf(),
        Act::QuickGelu => x * sigmoid(&(x * 1.702)?)?,
    }
}

fn sigmoid(x: &Tensor) -> candle_core::Result<Tensor> {
    (x.neg()?.exp()? + 1.0)?.recip()
}

/// The first half of the channels times the GELU of the second: `[.., 2c]` to `[.., c]`.
pub(super) fn geglu(x: &Tensor) -> candle_core::Result<Tensor> {
    let half = x.dim(D::Minus1)? / 2;
    let hidden = x.narrow(D::Minus1, 0, half)?;
    let gate = x.narrow(D::Minus1, half, half)?.contiguous()?;
    hidden * gate.gelu_erf()?
}

/// Doubles the grid, each pixel four times: `[b, h, w, c]` to `[b, 2h, 2w, c]`.
///
/// # Errors
/// Fails if the device has no memory left.
pub fn upsample(x: &Tensor) -> candle_core::Result<Tensor> {
    let (b, h, w, c) = x.dims4()?;
    let x = x.reshape((b, h, 1, w, 1, c))?.broadcast_as((b, h, 2, w, 2, c))?;
    x.contiguous()?.reshape((b, 2 * h, 2 * w, c))
}
