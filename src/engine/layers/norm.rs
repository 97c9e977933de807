//! Group norm and layer norm.

use anyhow::Result;
use candle_core::{CpuStorage, D, InplaceOp1, Layout, Tensor};
use wordbrush_kernels as kernels;

use super::{Backend, kernel1, kernel2, kernel3};
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
            Backend::Plain(..) => Form::Plain {
                gamma: w.kept(&format!("{name}.weight"), backend.tensor(gamma, channels)?)?,
                beta: w.kept(&format!("{name}.bias"), backend.tensor(beta, channels)?)?,
            },
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

    /// As [`forward`](Self::forward), written over `x` where kernels compute.
    ///
    /// `x` is a result that the caller has shown to nobody: clones and views of it would change too.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn forward_over(&self, x: Tensor, silu: bool) -> candle_core::Result<Tensor> {
        match self.affine.form {
            Form::Packed { .. } => x.inplace_op1(&InPlace { norm: self, silu }).map(|()| x),
            Form::Plain { .. } => self.forward(&x, silu),
        }
    }

    /// Sums of a picture that comes in bands, `[1, rows, width, channels]` each, where kernels compute.
    ///
    /// # Errors
    /// Fails if the channels do not fit, or there are no kernels.
    pub fn sums<'a>(&self, bands: impl IntoIterator<Item = &'a Tensor>) -> candle_core::Result<kernels::GroupSums> {
        let mut sums = kernels::GroupSums::new(1, self.affine.channels, self.groups);
        for band in bands {
            let (storage, layout) = band.storage_and_layout();
            let candle_core::Storage::Cpu(storage) = &*storage else {
                candle_core::bail!("BUG: a kernel was given a tensor of another device")
            };
            sums.add(super::cpu_slice(storage, layout)?);
        }
        Ok(sums)
    }

    /// Some rows of a picture whose sums are known, in up to three parts that lie below each other, normalised into one.
    ///
    /// # Errors
    /// As [`sums`](Self::sums).
    pub fn forward_by(&self, sums: &kernels::GroupSums, parts: &[&Tensor], silu: bool) -> candle_core::Result<Tensor> {
        let Affine { form: Form::Packed { gamma, beta }, eps, .. } = &self.affine else {
            candle_core::bail!("BUG: a plain norm has no kernel")
        };
        let call = |parts: &[&[f32]], mut out: &mut [f32]| {
            for part in parts {
                let (here, rest) = out.split_at_mut(part.len());
                sums.normalise(Some(part), *eps as f32, gamma, beta, silu, here);
                out = rest;
            }
        };
        let mut shape = parts[0].dims().to_vec();
        shape[1] = parts.iter().map(|part| part.dims()[1]).sum();
        match parts {
            [a] => kernel1("group-norm", a, &shape, |a, out| call(&[a], out)),
            [a, b] => kernel2("group-norm", (a, b), &shape, |a, b, out| call(&[a, b], out)),
            [a, b, c] => kernel3("group-norm", (a, b, c), &shape, |a, b, c, out| call(&[a, b, c], out)),
            _ => candle_core::bail!("BUG: {} parts to be normalised", parts.len()),
        }
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
                let shape = kernels::GroupShape { batch, pixels, channels: *channels, groups: self.groups };
                kernels::group_norm(Some(x), shape, *eps as f32, gamma, beta, silu, out);
            }),
            Form::Plain { gamma, beta } => {
                let grouped = x.contiguous()?.reshape((batch, pixels, self.groups, channels / self.groups))?;
                let centred = grouped.broadcast_sub(&mean_of_groups(&grouped)?)?;
                let variance = mean_of_groups(&centred.sqr()?)?;
                let normed = centred.broadcast_div(&(variance + *eps)?.sqrt()?)?.reshape((batch, pixels, *channels))?;
                let y = normed.broadcast_mul(gamma)?.broadcast_add(beta)?.reshape(x.dims())?;
                if silu { super::act(&y, Act::Silu, None) } else { Ok(y) }
            }
        }
    }
}

/// The mean of each group, `[batch, 1, groups, 1]`, of `[batch, pixels, groups, channels of one]`.
///
/// In stages of equal parts: candle adds numbers up one after the other, and f32 loses two digits over the 65536 pixels of a
/// small picture.
fn mean_of_groups(x: &Tensor) -> candle_core::Result<Tensor> {
    let (batch, pixels, groups, _) = x.dims4()?;
    let rows = (1..=pixels.isqrt()).rev().find(|rows| pixels % rows == 0).unwrap_or(1);
    let of_pixels = x.mean_keepdim(3)?.reshape((batch, rows, pixels / rows, groups))?;
    of_pixels.mean(2)?.mean(1)?.reshape((batch, 1, groups, 1))
}

/// As [`GroupNorm::forward`] of kernels, in a tensor's own memory.
struct InPlace<'a> {
    norm: &'a GroupNorm,
    silu: bool,
}

impl InplaceOp1 for InPlace<'_> {
    fn name(&self) -> &'static str {
        "group-norm"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
        let Affine { form: Form::Packed { gamma, beta }, channels, eps } = &self.norm.affine else {
            candle_core::bail!("BUG: a plain norm has no kernel")
        };
        let (CpuStorage::F32(values), Some((from, to))) = (storage, layout.contiguous_offsets()) else {
            candle_core::bail!("BUG: a kernel was given a tensor that is not contiguous f32")
        };
        let batch = layout.dims()[0];
        let pixels = (to - from) / batch / channels;
        let shape = kernels::GroupShape { batch, pixels, channels: *channels, groups: self.norm.groups };
        kernels::group_norm(None, shape, *eps as f32, gamma, beta, self.silu, &mut values[from..to]);
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::noise;
    use crate::model::random::Random;
    use candle_core::{DType, Device};

    #[test]
    fn a_plain_norm_over_many_pixels_in_f32_is_as_near_to_doubles_as_the_kernel_s() {
        let w = Weights::open(&Random::Sd15, "vae").unwrap();
        let (pixels, channels, groups) = (256 * 256, 4, 2);
        let values: Vec<f32> = noise::normal(3, pixels * channels).iter().map(|x| 3.0 + x).collect();
        let x = Tensor::from_vec(values, (1, pixels, channels), &Device::Cpu).unwrap();
        let by = |backend: Backend| {
            let norm = GroupNorm::load(&w, "norm", channels, groups, 1e-6, &backend).unwrap();
            norm.forward(&backend.like(&x).unwrap(), false).unwrap().to_dtype(DType::F64).unwrap()
        };
        let exact = by(Backend::Plain(Device::Cpu, DType::F64));
        let gap = |y: Tensor| (y - &exact).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
        let (plain, ours) =
            (gap(by(Backend::Plain(Device::Cpu, DType::F32))), gap(by(Backend::Kernels(kernels::Precision::F32))));
        assert!(plain <= 3e-6 && ours <= 3e-6, "plain {plain:.1e}, kernels {ours:.1e}");
    }
}
