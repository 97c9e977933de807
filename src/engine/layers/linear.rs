//! Linear layers.

use anyhow::{Result, bail};
use candle_core::Tensor;
use wordbrush_kernels as kernels;

use super::{Backend, kernel1, kernel2};
use crate::model::spec::Act;
use crate::model::weights::Weights;

/// Whether a layer adds a bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bias {
    /// It has one.
    Yes,
    /// It has none.
    No,
}

/// `x Wᵀ + b`, with an activation if asked.
pub struct Linear {
    form: Form,
    outputs: usize,
}

enum Form {
    Packed { weight: kernels::PackedWeights, bias: Option<Vec<f32>> },
    Plain { weight: Tensor, bias: Option<Tensor> },
}

impl Linear {
    /// Reads `<name>.weight` (`[outputs, inputs]`) and `<name>.bias`.
    ///
    /// # Errors
    /// Fails if they are missing or of another shape.
    pub fn load(w: &Weights, name: &str, inputs: usize, outputs: usize, bias: Bias, backend: &Backend) -> Result<Self> {
        if inputs == 0 || outputs == 0 {
            bail!("`{name}` has no inputs or no outputs");
        }
        let names = [format!("{name}.weight"), format!("{name}.bias")];
        let weight = w.values(&names[0], &[outputs, inputs])?;
        let bias = if bias == Bias::Yes { Some(w.values(&names[1], &[outputs])?) } else { None };
        let mut linear = Self::new(&weight, bias, inputs, outputs, backend)?;
        if let Form::Plain { weight, bias } = linear.form {
            let bias = bias.map(|bias| w.kept(&names[1], bias)).transpose()?;
            linear.form = Form::Plain { weight: w.kept(&names[0], weight)?, bias };
        }
        Ok(linear)
    }

    /// From numbers: `weight` is `[outputs, inputs]`.
    ///
    /// # Errors
    /// Fails if the device has no memory left.
    pub fn new(
        weight: &[f32],
        bias: Option<Vec<f32>>,
        inputs: usize,
        outputs: usize,
        backend: &Backend,
    ) -> candle_core::Result<Self> {
        let form = match backend {
            Backend::Kernels(precision) => {
                Form::Packed { weight: kernels::PackedWeights::new(weight, outputs, inputs, *precision), bias }
            }
            Backend::Plain(..) => Form::Plain {
                weight: backend.tensor(weight.to_vec(), (outputs, inputs))?,
                bias: bias.map(|b| backend.tensor(b, outputs)).transpose()?,
            },
        };
        Ok(Self { form, outputs })
    }

    /// `[.., inputs]` to `[.., outputs]`.
    ///
    /// # Errors
    /// Fails if the last axis is not `inputs` long.
    pub fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        self.forward_with(x, None, None)
    }

    /// As [`forward`](Self::forward), then the activation, then plus `residual`.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn forward_with(
        &self,
        x: &Tensor,
        activation: Option<Act>,
        residual: Option<&Tensor>,
    ) -> candle_core::Result<Tensor> {
        let mut shape = x.dims().to_vec();
        if let Some(last) = shape.last_mut() {
            *last = self.outputs;
        }
        match &self.form {
            Form::Packed { weight, bias } => {
                let rows: usize = shape[..shape.len() - 1].iter().product();
                let activation = kernel_activation(activation);
                let bias = bias.as_deref();
                match residual {
                    None => kernel1("linear", x, &shape, |x, out| {
                        kernels::gemm(x, rows, weight, bias, activation, None, out);
                    }),
                    Some(residual) => kernel2("linear", (x, residual), &shape, |x, r, out| {
                        kernels::gemm(x, rows, weight, bias, activation, Some(r), out);
                    }),
                }
            }
            Form::Plain { weight, bias } => {
                let rows = x.elem_count() / x.dim(candle_core::D::Minus1)?;
                let flat = x.contiguous()?.reshape((rows, ()))?;
                let mut y = flat.matmul(&weight.t()?)?;
                if let Some(bias) = bias {
                    y = y.broadcast_add(bias)?;
                }
                if let Some(activation) = activation {
                    y = super::act(&y, activation, None)?;
                }
                let y = y.reshape(shape)?;
                residual.map_or(Ok(y.clone()), |r| y + r)
            }
        }
    }
}

/// A linear layer of which one half of the outputs, through GELU, gates the other.
pub struct GatedLinear {
    form: Gated,
    outputs: usize,
}

enum Gated {
    Packed { weight: kernels::PackedGeglu, bias: Vec<f32> },
    Plain(Linear),
}

impl GatedLinear {
    /// Reads `<name>.weight` (`[2 * outputs, inputs]`) and `<name>.bias`.
    ///
    /// # Errors
    /// As [`Linear::load`].
    pub fn load(w: &Weights, name: &str, inputs: usize, outputs: usize, backend: &Backend) -> Result<Self> {
        let form = match backend {
            Backend::Kernels(precision) => {
                if inputs == 0 || outputs == 0 {
                    bail!("`{name}` has no inputs or no outputs");
                }
                let weight = w.values(&format!("{name}.weight"), &[2 * outputs, inputs])?;
                let bias = w.values(&format!("{name}.bias"), &[2 * outputs])?;
                Gated::Packed { weight: kernels::PackedGeglu::new(&weight, outputs, inputs, *precision), bias }
            }
            Backend::Plain(..) => Gated::Plain(Linear::load(w, name, inputs, 2 * outputs, Bias::Yes, backend)?),
        };
        Ok(Self { form, outputs })
    }

    /// `[.., inputs]` to `[.., outputs]`.
    ///
    /// # Errors
    /// Fails if the last axis is not `inputs` long.
    pub fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        match &self.form {
            Gated::Packed { weight, bias } => {
                let mut shape = x.dims().to_vec();
                if let Some(last) = shape.last_mut() {
                    *last = self.outputs;
                }
                let rows: usize = shape[..shape.len() - 1].iter().product();
                kernel1("gated-linear", x, &shape, |x, out| kernels::gemm_geglu(x, rows, weight, Some(bias), out))
            }
            Gated::Plain(linear) => super::ops::geglu(&linear.forward(x)?),
        }
    }
}

pub(super) fn kernel_activation(activation: Option<Act>) -> kernels::Activation {
    match activation {
        None => kernels::Activation::None,
        Some(Act::Silu) => kernels::Activation::Silu,
        Some(Act::Gelu) => kernels::Activation::Gelu,
        Some(Act::QuickGelu) => kernels::Activation::QuickGelu,
        Some(Act::Relu) => kernels::Activation::Relu,
    }
}
