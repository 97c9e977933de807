//! Functions of one vector.

use crate::simd::Simd;

/// `e^x`, to 1.5 units in the last place; 0 from -104 down, infinite from 89 up, NaN for NaN.
#[inline(always)]
pub(crate) fn exp<S: Simd>(s: S, x: S::F) -> S::F {
    // x = n ln 2 + r with |r| <= ln 2 / 2, and ln 2 in two parts of which the first has few bits,
    // so that n times it is exact.
    let x = s.min(s.splat(89.0), s.max(s.splat(-104.0), x));
    let n = s.round(s.mul(x, s.splat(std::f32::consts::LOG2_E)));
    let r = s.fma(n, s.splat(-0.693_359_4), x);
    let r = s.fma(n, s.splat(2.121_944_4e-4), r);
    // (e^r - 1 - r) / r^2, fitted at Chebyshev points to 1e-8.
    let mut p = s.splat(0.001_393_454_5);
    for coefficient in [0.008_363_776, 0.041_666_457, 0.166_665_73, 0.5] {
        p = s.fma(p, r, s.splat(coefficient));
    }
    let p = s.fma(p, s.mul(r, r), r);
    s.scale(s.add(p, s.splat(1.0)), n)
}

/// `2^x` for `x` of 1 or less, to 1 unit in the last place; 0 from -151 down, NaN for NaN and plus infinity.
///
/// Two thirds of the steps of [`exp`], for the softmax of attention, where most exponentials are.
#[inline(always)]
pub(crate) fn exp2_up_to_1<S: Simd>(s: S, x: S::F) -> S::F {
    let x = s.max(s.splat(-152.0), x);
    let n = s.round(x);
    let f = s.sub(x, n);
    // (2^f - 1) / f, fitted at Chebyshev points to 5e-9.
    let mut p = s.splat(1.546_261_4e-4);
    for coefficient in [0.001_339_202_2, 0.009_618_054, 0.055_503_55, 0.240_226_5, std::f32::consts::LN_2] {
        p = s.fma(p, f, s.splat(coefficient));
    }
    s.scale(s.fma(p, f, s.splat(1.0)), n)
}

/// The share of a normal distribution below `x`, to about 4e-7 of itself in both tails.
#[inline(always)]
fn normal_share<S: Simd>(s: S, x: S::F) -> S::F {
    // The share below -z is e^(-z^2/2) G(z), with G(z) = t P(t), t = 1 / (1 + 0.3 z), P fitted at
    // Chebyshev points to 5e-9 for z up to 14.5, where the share is 0 in f32.
    let zero = s.splat(0.0);
    let z = s.min(s.splat(14.5), s.select_less(x, zero, s.sub(zero, x), x));
    let t = s.div(s.splat(1.0), s.fma(z, s.splat(0.3), s.splat(1.0)));
    let mut p = s.splat(-0.020_477_192);
    for coefficient in [
        0.111_687_93,
        -0.226_574_68,
        0.189_770_34,
        -0.077_900_66,
        0.095_425_755,
        0.078_611_42,
        0.110_194_63,
        0.119_575_925,
        0.119_686_52,
    ] {
        p = s.fma(p, t, s.splat(coefficient));
    }
    // The square's rounding error would be magnified by e^; it goes in as a factor 1 - error / 2.
    let square = s.mul(z, z);
    let error = s.fma(z, z, s.sub(zero, square));
    let bell = exp(s, s.mul(square, s.splat(-0.5)));
    let bell = s.fma(bell, s.mul(error, s.splat(-0.5)), bell);
    let below = s.mul(s.mul(p, t), bell);
    s.select_less(x, zero, below, s.sub(s.splat(1.0), below))
}

/// `x` times the share of a normal distribution below it (the exact GELU, not the one with tanh).
#[inline(always)]
pub(crate) fn gelu<S: Simd>(s: S, x: S::F) -> S::F {
    s.mul(x, normal_share(s, x))
}

/// `x / (1 + e^-(k x))`: SiLU for k = 1.
#[inline(always)]
pub(crate) fn swish<S: Simd>(s: S, x: S::F, k: f32) -> S::F {
    let e = exp(s, s.mul(x, s.splat(-k)));
    s.div(x, s.add(s.splat(1.0), e))
}

/// What a product passes through before it is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Activation {
    /// Nothing.
    #[default]
    None,
    /// `x / (1 + e^-x)`.
    Silu,
    /// `x` times the share of a normal distribution below `x` (with erf, not tanh).
    Gelu,
    /// `x / (1 + e^-(1.702 x))`, as CLIP's text encoder has it.
    QuickGelu,
    /// `x`, or 0 if that is more.
    Relu,
}

/// The factor of [`Activation::QuickGelu`].
const QUICK: f32 = 1.702;

#[inline(always)]
pub(crate) fn activate<S: Simd>(s: S, activation: Activation, x: S::F) -> S::F {
    match activation {
        Activation::None => x,
        Activation::Silu => swish(s, x, 1.0),
        Activation::Gelu => gelu(s, x),
        Activation::QuickGelu => swish(s, x, QUICK),
        Activation::Relu => s.max(s.splat(0.0), x), // NaN is passed on
    }
}
