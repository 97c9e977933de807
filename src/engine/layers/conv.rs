//! Convolutions on channels-last data.

use anyhow::Result;
use candle_core::{D, Tensor};
use wordbrush_kernels as kernels;

use super::{Backend, kernel1, kernel2, kernel3};
use crate::model::weights::Weights;

/// A square convolution that keeps the grid, or halves it with stride 2.
pub struct Conv {
    form: Form,
    side: usize,
    outputs: usize,
    stride: usize,
    /// Zeros on the right and bottom only, as the autoencoder's encoder pads before it halves.
    pad_after_only: bool,
    /// The grid is doubled, each pixel four times, before the convolution.
    doubled: bool,
}

enum Form {
    Packed { weight: kernels::PackedConv, bias: Vec<f32> },
    Plain { weight: Tensor, bias: Tensor },
}

impl Conv {
    /// Reads `<name>.weight` (`[outputs, inputs, side, side]`) and `<name>.bias`.
    ///
    /// # Errors
    /// Fails if they are missing or of another shape.
    pub fn load(
        w: &Weights,
        name: &str,
        inputs: usize,
        outputs: usize,
        side: usize,
        backend: &Backend,
    ) -> Result<Self> {
        let weight = w.values(&format!("{name}.weight"), &[outputs, inputs, side, side])?;
        let bias = w.values(&format!("{name}.bias"), &[outputs])?;
        let form = match backend {
            Backend::Kernels(precision) => Form::Packed {
                weight: kernels::PackedConv::new(&weight, outputs, inputs, side, side, *precision),
                bias,
            },
            Backend::Plain(..) => Form::Plain {
                weight: backend.tensor(weight, (outputs, inputs, side, side))?,
                bias: backend.tensor(bias, outputs)?,
            },
        };
        Ok(Self { form, side, outputs, stride: 1, pad_after_only: false, doubled: false })
    }

    /// The same convolution with stride 2; `pad_after_only` puts the zeros on the right and bottom only.
    #[must_use]
    pub fn halving(mut self, pad_after_only: bool) -> Self {
        self.stride = 2;
        self.pad_after_only = pad_after_only;
        self
    }

    /// The same convolution on a grid doubled by repeating pixels.
    #[must_use]
    pub fn doubling(mut self) -> Self {
        self.doubled = true;
        self
    }

    /// `[batch, h, w, inputs]` to `[batch, h', w', outputs]`.
    ///
    /// # Errors
    /// Fails if the channels do not fit.
    pub fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        self.forward_with(x, None, None)
    }

    /// As [`forward`](Self::forward), plus `per_channel` (`[batch, outputs]`) at every pixel, plus `residual`.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn forward_with(
        &self,
        x: &Tensor,
        per_channel: Option<&Tensor>,
        residual: Option<&Tensor>,
    ) -> candle_core::Result<Tensor> {
        let (batch, h, w, _) = x.dims4()?;
        let grow = if self.doubled { 2 } else { 1 };
        let (out_h, out_w) = (h * grow / self.stride, w * grow / self.stride);
        let shape = [batch, out_h, out_w, self.outputs];
        match &self.form {
            Form::Packed { weight, bias } => {
                let call = |x: &[f32], add: Option<&[f32]>, residual: Option<&[f32]>, out: &mut [f32]| {
                    let padding = if self.pad_after_only { 0 } else { self.side / 2 };
                    let input = kernels::ConvInput::new(batch, h, w)
                        .pad(padding)
                        .stride(self.stride)
                        .pad_bottom_right(usize::from(self.pad_after_only))
                        .upsample(self.doubled);
                    let extras =
                        kernels::ConvExtras { bias: Some(bias), channel_add: add, residual, ..Default::default() };
                    kernels::conv2d(x, input, weight, extras, out);
                };
                match (per_channel, residual) {
                    (None, None) => kernel1("conv", x, &shape, |x, out| call(x, None, None, out)),
                    (Some(a), None) => kernel2("conv", (x, a), &shape, |x, a, out| call(x, Some(a), None, out)),
                    (None, Some(r)) => kernel2("conv", (x, r), &shape, |x, r, out| call(x, None, Some(r), out)),
                    (Some(a), Some(r)) => {
                        kernel3("conv", (x, a, r), &shape, |x, a, r, out| call(x, Some(a), Some(r), out))
                    }
                }
            }
            Form::Plain { weight, bias } => {
                let x = if self.doubled { super::upsample(x)? } else { x.clone() };
                let mut x = x.permute((0, 3, 1, 2))?.contiguous()?;
                let mut padding = self.side / 2;
                if self.pad_after_only {
                    x = x.pad_with_zeros(D::Minus1, 0, 1)?.pad_with_zeros(D::Minus2, 0, 1)?;
                    padding = 0;
                }
                let y = x.conv2d(weight, padding, self.stride, 1, 1)?;
                let mut y = y.permute((0, 2, 3, 1))?.contiguous()?.broadcast_add(bias)?;
                if let Some(add) = per_channel {
                    y = y.broadcast_add(&add.reshape((batch, 1, 1, self.outputs))?)?;
                }
                residual.map_or(Ok(y.clone()), |r| y + r)
            }
        }
    }
}
