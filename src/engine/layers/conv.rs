//! Convolutions on channels-last data.

use anyhow::Result;
use candle_core::{D, Tensor};
use wordbrush_kernels as kernels;

use super::linear::kernel_activation;
use super::{Backend, Bias, act, kernel1, kernel2, kernel3};
use crate::model::spec::Act;
use crate::model::weights::Weights;

/// What a convolution does to the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resample {
    /// Keeps it.
    Keep,
    /// Halves it, with stride 2.
    Halve,
    /// Halves it, with zeros on the right and bottom only, as the autoencoder's encoder does.
    HalvePadAfter,
    /// Doubles it, each pixel four times, before it convolves.
    Double,
}

/// The shape of a square convolution.
#[derive(Debug, Clone, Copy)]
pub struct ConvSpec {
    /// Channels in.
    pub inputs: usize,
    /// Channels out.
    pub outputs: usize,
    /// Rows and columns of the kernel.
    pub side: usize,
    /// What becomes of the grid.
    pub step: Resample,
    /// Rows of the grid that it puts out at the model's own size; it may be used on others.
    pub rows: usize,
    /// What its output passes through, before a residual is added.
    pub activation: Option<Act>,
    /// Whether it adds a bias.
    pub bias: Bias,
}

/// Where products are saved by Winograd's algorithm; docs/decisions/0010 has the measurements.
///
/// From so many channels on, in and out, and from so many where the grid has fewer rows than [`LARGE`].
const CHANNELS: usize = 64;
const CHANNELS_OF_SMALL: usize = 96;
const LARGE: usize = 64;

/// From so many rows on, where that takes more memory; and from so many where weights of up to so many pairs of channels take little.
const ROWS: usize = 32;
const ROWS_OF_NARROW: usize = 16;
const NARROW: usize = 512 * 512;

impl ConvSpec {
    /// A convolution that keeps a grid of many rows.
    #[must_use]
    pub fn new(inputs: usize, outputs: usize, side: usize) -> Self {
        Self { inputs, outputs, side, step: Resample::Keep, rows: usize::MAX, activation: None, bias: Bias::Yes }
    }

    /// The same with another step.
    #[must_use]
    pub fn step(self, step: Resample) -> Self {
        Self { step, ..self }
    }

    /// The same where the grid has few rows.
    #[must_use]
    pub fn rows(self, rows: usize) -> Self {
        Self { rows, ..self }
    }

    /// The same with an activation.
    #[must_use]
    pub fn then(self, activation: Act) -> Self {
        Self { activation: Some(activation), ..self }
    }

    /// The same without a bias.
    #[must_use]
    pub fn without_bias(self) -> Self {
        Self { bias: Bias::No, ..self }
    }

    fn saves_products(self) -> bool {
        let rows = if self.inputs * self.outputs <= NARROW { ROWS_OF_NARROW } else { ROWS };
        let steps = match self.step {
            Resample::Keep => self.rows >= rows,
            Resample::Double => true,
            Resample::Halve | Resample::HalvePadAfter => false,
        };
        let channels = if self.rows >= LARGE { CHANNELS } else { CHANNELS_OF_SMALL };
        self.side == 3 && steps && self.inputs.min(self.outputs) >= channels
    }
}

/// A square convolution.
pub struct Conv {
    form: Form,
    spec: ConvSpec,
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
    pub fn load(w: &Weights, name: &str, spec: ConvSpec, backend: &Backend) -> Result<Self> {
        let ConvSpec { inputs, outputs, side, .. } = spec;
        let weight = w.values(&format!("{name}.weight"), &[outputs, inputs, side, side])?;
        let bias = match spec.bias {
            Bias::Yes => w.values(&format!("{name}.bias"), &[outputs])?,
            Bias::No => vec![0.0; outputs],
        };
        let form = match backend {
            Backend::Kernels(precision) => {
                let weight = if spec.saves_products() {
                    kernels::PackedConv::winograd(&weight, outputs, inputs, spec.step == Resample::Double, *precision)
                } else {
                    kernels::PackedConv::new(&weight, outputs, inputs, side, side, *precision)
                };
                Form::Packed { weight, bias }
            }
            Backend::Plain(..) => {
                let bias = backend.tensor(bias, outputs)?;
                Form::Plain {
                    weight: w
                        .kept(&format!("{name}.weight"), backend.tensor(weight, (outputs, inputs, side, side))?)?,
                    bias: if spec.bias == Bias::Yes { w.kept(&format!("{name}.bias"), bias)? } else { bias },
                }
            }
        };
        Ok(Self { form, spec })
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
        self.run(x, None, per_channel, residual)
    }

    /// As [`forward`](Self::forward), of some rows of the output, the first and how many, plus `residual` at these. They have the
    /// bits that they have in the whole output.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn forward_rows(
        &self,
        x: &Tensor,
        rows: (usize, usize),
        residual: Option<&Tensor>,
    ) -> candle_core::Result<Tensor> {
        self.run(x, Some(rows), None, residual)
    }

    /// Whether the grid becomes no smaller.
    #[must_use]
    pub fn keeps_or_doubles(&self) -> bool {
        matches!(self.spec.step, Resample::Keep | Resample::Double)
    }

    /// Pictures, rows, columns and channels of its output.
    ///
    /// # Errors
    /// Fails if `x` has not four axes.
    pub fn output(&self, x: &Tensor) -> candle_core::Result<(usize, usize, usize, usize)> {
        let (batch, h, w, _) = x.dims4()?;
        let along = |pixels: usize| match self.spec.step {
            Resample::Keep => pixels,
            Resample::Double => 2 * pixels,
            Resample::Halve | Resample::HalvePadAfter => pixels / 2,
        };
        Ok((batch, along(h), along(w), self.spec.outputs))
    }

    fn run(
        &self,
        x: &Tensor,
        rows: Option<(usize, usize)>,
        per_channel: Option<&Tensor>,
        residual: Option<&Tensor>,
    ) -> candle_core::Result<Tensor> {
        let (batch, h, w, _) = x.dims4()?;
        let ConvSpec { outputs, side, step, activation, .. } = self.spec;
        let (doubled, stride) = match step {
            Resample::Keep => (false, 1),
            Resample::Double => (true, 1),
            Resample::Halve | Resample::HalvePadAfter => (false, 2),
        };
        let pad_after_only = step == Resample::HalvePadAfter;
        let (_, down, across, _) = self.output(x)?;
        let shape = [batch, rows.map_or(down, |(_, count)| count), across, outputs];
        match &self.form {
            Form::Packed { weight, bias } => {
                let call = |x: &[f32], add: Option<&[f32]>, residual: Option<&[f32]>, out: &mut [f32]| {
                    let padding = if pad_after_only { 0 } else { side / 2 };
                    let input = kernels::ConvInput::new(batch, h, w)
                        .pad(padding)
                        .stride(stride)
                        .pad_bottom_right(usize::from(pad_after_only))
                        .upsample(doubled);
                    let input = rows.map_or(input, |(first, count)| input.rows(first, count));
                    let activation = kernel_activation(activation);
                    let extras = kernels::ConvExtras { bias: Some(bias), channel_add: add, activation, residual };
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
                let x = if doubled { super::upsample(x)? } else { x.clone() };
                let mut x = x.permute((0, 3, 1, 2))?.contiguous()?;
                let mut padding = side / 2;
                if pad_after_only {
                    x = x.pad_with_zeros(D::Minus1, 0, 1)?.pad_with_zeros(D::Minus2, 0, 1)?;
                    padding = 0;
                }
                let y = x.conv2d(weight, padding, stride, 1, 1)?;
                let y = y.permute((0, 2, 3, 1))?;
                let y = rows.map_or(Ok(y.clone()), |(first, count)| y.narrow(1, first, count))?;
                let mut y = y.contiguous()?.broadcast_add(bias)?;
                if let Some(add) = per_channel {
                    y = y.broadcast_add(&add.reshape((batch, 1, 1, outputs))?)?;
                }
                if let Some(activation) = activation {
                    y = act(&y, activation, None)?;
                }
                residual.map_or(Ok(y.clone()), |r| y + r)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::noise;
    use crate::model::random::Random;
    use candle_core::{DType, Device};

    #[test]
    fn a_wide_convolution_saves_products_and_agrees_with_candle_s_own() {
        let w = Weights::open(&Random::Sd15, "unet").unwrap();
        let kept = ConvSpec::new(640, 650, 3);
        for (spec, saves) in [
            (kept, true),
            (kept.step(Resample::Double).rows(16), true),
            (kept.rows(16), false),
            (kept.step(Resample::Halve), false),
            (kept.step(Resample::HalvePadAfter), false),
            (ConvSpec::new(64, 96, 3), true),
            (ConvSpec::new(64, 96, 3).rows(32), false),
            (ConvSpec::new(96, 96, 3).rows(16), true),
            (ConvSpec::new(96, 96, 3).rows(8), false),
            (ConvSpec::new(320, 330, 1), false),
            (ConvSpec::new(63, 330, 3), false),
        ] {
            assert_eq!(spec.saves_products(), saves, "{spec:?}");
            let x = Tensor::from_vec(noise::normal(1, 2 * 6 * 8 * spec.inputs), (2, 6, 8, spec.inputs), &Device::Cpu);
            let x = x.unwrap();
            let by = |backend: &Backend| Conv::load(&w, "conv", spec, backend).unwrap().forward(&x).unwrap();
            let plain = by(&Backend::Plain(Device::Cpu, DType::F32));
            let ours = by(&Backend::Kernels(kernels::Precision::F32));
            assert_eq!(ours.dims(), plain.dims());
            let gap = (ours - plain).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
            assert!(gap < 2e-5, "{spec:?}: {gap}");
        }
    }
}
