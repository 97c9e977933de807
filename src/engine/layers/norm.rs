//! Group norm and layer norm.

use anyhow::Result;
use candle_core::{D, Tensor};
use wordbrush_kernels as kernels;

use super::{Backend, kernel1};
use crate::model::spec::Act;
use crate::model::weights::Weights;

struct Affine {
    form: Form,
    channels: usize,
    eps: f64,
}

enum Form {
    Packed { gamma: Vec<f32>, beta: Vec<f32> },
    Plain { gamma: Tensor, beta: Tensor },
}

impl Affine {
    fn load(w: &Weights, name: &str, channels: usize, eps: f64, backend: &Backend) -> Result<Self> {
        let gamma = w.values(&format!("{name}.weight"), &[channels])?;
        let beta = w.values(&format!("{name}.bias"), &[channels])?;
        let form = match backend {
            Backend::Kernels(_) => Form::Packed { gamma, beta },
            Backend::Plain(..) => {
                Form::Plain { gamma: backend.tensor(gamma, channels)?, beta: backend.tensor(beta, channels)? }
            }
        };
        Ok(Self { form, channels, eps })
    }
}

/// Subtracts each group's mean and divides by its deviation, over all pixels of a sample.
pub struct GroupNorm {
    affine: Affine,
    groups: usize,
}

impl GroupNorm {
    /// Reads `<name>.weight` and `<name>.bias`.
    ///
    /// # Errors
    /// Fails if they are missing or the channels do not divide into the groups.
    pub fn load(w: &Weights, name: &str, channels: usize, groups: usize, eps: f64, backend: &Backend) -> Result<Self> {
        anyhow::ensure!(
            channels.is_multiple_of(groups),
            "{channels} channels of `{name}` do not divide into {groups} groups"
        );
        Ok(Self { affine: Affine::load(w, name, channels, eps, backend)?, groups })
    }

    /// `[batch, .., channels]` to the same shape, then SiLU if asked.
    ///
    /// # Errors
    /// Fails if the channels do not fit.
    pub fn forward(&self, x: &Tensor, silu: bool) -> candle_core::Result<Tensor> {
        let Affine { form, channels, eps } = &self.affine;
        let batch = x.dim(0)?;
        let pixels = x.elem_count() / batch / channels;
        match form {
            Form::Packed { gamma, beta } => kernel1("group-norm", x, x.dims(), |x, out| {
                kernels::group_norm(x, batch, pixels, *channels, self.groups, *eps as f32, gamma, beta, silu, out);
            }),
            Form::Plain { gamma, beta } => {
                let grouped = x.contiguous()?.reshape((batch, pixels, self.groups, channels / self.groups))?;
                let mean = grouped.mean_keepdim(3)?.mean_keepdim(1)?;
                let centred = grouped.broadcast_sub(&mean)?;
                let variance = centred.sqr()?.mean_keepdim(3)?.mean_keepdim(1)?;
                let normed = centred.broadcast_div(&(variance + *eps)?.sqrt()?)?.reshape((batch, pixels, *channels))?;
                let y = normed.broadcast_mul(gamma)?.broadcast_add(beta)?.reshape(x.dims())?;
                if silu { super::act(&y, Act::Silu, None) } else { Ok(y) }
            }
        }
    }
}

/// Subtracts each token's mean and divides by its deviation, over its channels.
pub struct LayerNorm {
    affine: Affine,
}

impl LayerNorm {
    /// Reads `<name>.weight` and `<name>.bias`.
    ///
    /// # Errors
    /// Fails if they are missing.
    pub fn load(w: &Weights, name: &str, channels: usize, eps: f64, backend: &Backend) -> Result<Self> {
        Ok(Self { affine: Affine::load(w, name, channels, eps, backend)? })
    }

    /// `[.., channels]` to the same shape.
    ///
    /// # Errors
    /// Fails if the channels do not fit.
    pub fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let Affine { form, channels, eps } = &self.affine;
        match form {
            Form::Packed { gamma, beta } => {
                let rows = x.elem_count() / channels;
                kernel1("layer-norm", x, x.dims(), |x, out| {
                    kernels::layer_norm(x, rows, *channels, *eps as f32, gamma, beta, out);
                })
            }
            Form::Plain { gamma, beta } => {
                let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
                let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
                let normed = centred.broadcast_div(&(variance + *eps)?.sqrt()?)?;
                normed.broadcast_mul(gamma)?.broadcast_add(beta)
            }
        }
    }
}
