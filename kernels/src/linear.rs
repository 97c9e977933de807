//! Linear layers.

use crate::family::{Family, family};
use crate::math::Activation;
use crate::panels::PackedWeights;
use crate::product::{Epilogue, Matrix, multiply};

/// `activation(a weightsᵀ + bias) + residual`.
///
/// # Shapes
/// - `a`: `[m, k]`
/// - `weights`: packed from `[n, k]`
/// - `bias`: `[n]`
/// - `residual`, `out`: `[m, n]`; what `out` holds beforehand does not matter
///
/// NaN and infinities pass through as in any sum of products.
///
/// # Panics
/// Panics if a length does not fit.
pub fn gemm(
    a: &[f32],
    m: usize,
    weights: &PackedWeights,
    bias: Option<&[f32]>,
    activation: Activation,
    residual: Option<&[f32]>,
    out: &mut [f32],
) {
    gemm_with(family(), a, m, weights, bias, activation, residual, out);
}

#[expect(clippy::too_many_arguments, reason = "those of `gemm` and the family")]
pub(crate) fn gemm_with(
    family: Family,
    a: &[f32],
    m: usize,
    weights: &PackedWeights,
    bias: Option<&[f32]>,
    activation: Activation,
    residual: Option<&[f32]>,
    out: &mut [f32],
) {
    let (n, k) = (weights.n(), weights.k());
    assert_eq!(a.len(), m * k, "gemm: `a` holds {} values, expected [m, k] = [{m}, {k}]", a.len());
    assert_eq!(out.len(), m * n, "gemm: `out` holds {} values, expected [m, n] = [{m}, {n}]", out.len());
    if let Some(bias) = bias {
        assert_eq!(bias.len(), n, "gemm: `bias` holds {} values, expected {n}", bias.len());
    }
    if let Some(residual) = residual {
        assert_eq!(residual.len(), m * n, "gemm: `residual` holds {} values, expected [{m}, {n}]", residual.len());
    }
    let epilogue = Epilogue { bias, per_sample: None, activation, residual };
    multiply(family, &Matrix { values: a, stride: k }, m, weights.panels(), epilogue, out);
}
