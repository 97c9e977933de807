//! Operations without weights.

use candle_core::{D, Tensor};
use wordbrush_kernels as kernels;

use super::{Backend, kernel1, kernel2};
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
                Act::Relu => kernels::relu(out),
            }
        });
    }
    match act {
        Act::Silu => x * sigmoid(x)?,
        Act::Gelu => x.gelu_erf(),
        Act::QuickGelu => x * sigmoid(&(x * 1.702)?)?,
        Act::Relu => x.relu(),
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

/// Two pictures' channels side by side: `[.., a]` and `[.., b]` to `[.., a + b]`.
///
/// # Errors
/// Fails if the other sides differ.
pub fn beside(a: &Tensor, b: &Tensor, backend: &Backend) -> candle_core::Result<Tensor> {
    let (left, right) = (a.dim(D::Minus1)?, b.dim(D::Minus1)?);
    let mut shape = a.dims().to_vec();
    match (backend, shape.last_mut()) {
        (Backend::Kernels(_), Some(last)) if a.dims()[..a.rank() - 1] == b.dims()[..b.rank() - 1] => {
            *last = left + right;
            kernel2("beside", (a, b), &shape, |a, b, out| {
                let rows = a.chunks_exact(left).zip(b.chunks_exact(right));
                for (out, (a, b)) in out.chunks_exact_mut(left + right).zip(rows) {
                    out[..left].copy_from_slice(a);
                    out[left..].copy_from_slice(b);
                }
            })
        }
        _ => Tensor::cat(&[a, b], D::Minus1),
    }
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
