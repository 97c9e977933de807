//! Which instructions the kernels use: chosen once, by what the processor has.

use std::fmt;
use std::sync::OnceLock;

/// The environment variable that overrides the choice of [`family`].
pub const VARIABLE: &str = "WORDBRUSH_KERNELS";

/// A set of instructions that the kernels are written for.
///
/// Results are the same bits within one family, whatever the batch, the tile and the number of
/// threads. Two families may differ in the last bits, so whoever stores results stores the family's
/// [`name`](Family::name) with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// Rust without any intrinsics, on every processor; NEON on aarch64, since the compiler
    /// vectorises it.
    Plain,
    /// AVX2 and FMA.
    Avx2,
    /// AVX-512 (F, BW, DQ, VL) without AVX512-BF16: bf16 products are computed in f32.
    Avx512f,
    /// AVX-512 with AVX512-BF16.
    Avx512,
    /// AVX-512 with AVX512-BF16, and AMX tiles for products in bf16. f32 is computed as in
    /// [`Family::Avx512`].
    Amx,
}

impl Family {
    /// Every family, the plainest first.
    pub const ALL: [Self; 5] = [Self::Plain, Self::Avx2, Self::Avx512f, Self::Avx512, Self::Amx];

    /// The name by which [`VARIABLE`] and stored results know this family.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Avx2 => "avx2",
            Self::Avx512f => "avx512f",
            Self::Avx512 => "avx512",
            Self::Amx => "amx",
        }
    }

    /// Whether this machine can run the family.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Self::Plain => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512f => {
                Self::Avx2.is_available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Self::Avx512f.is_available() && is_x86_feature_detected!("avx512bf16"),
            #[cfg(target_arch = "x86_64")]
            Self::Amx => Self::Avx512.is_available() && crate::simd::amx::is_available(),
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }

    /// Whether products in bf16 run on instructions made for them; elsewhere they take about the
    /// time of f32.
    #[must_use]
    pub fn has_bf16(self) -> bool {
        matches!(self, Self::Avx512 | Self::Amx)
    }

    /// The best family of this machine.
    #[must_use]
    pub fn best() -> Self {
        let is_best = |family: &Self| family.is_available() && !(*family == Self::Avx512 && multiplies_pairs_slowly());
        Self::ALL.into_iter().rev().find(is_best).unwrap_or(Self::Plain)
    }

    /// The families of this machine, the plainest first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        Self::ALL.into_iter().filter(|family| family.is_available()).collect()
    }
}

/// Whether this processor's AVX512-BF16 takes longer than the same products in f32: Intel's have half the rate of products in f32
/// there (88 of 171 GFLOP/s on a core of Emerald Rapids), AMD's twice.
fn multiplies_pairs_slowly() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        #[allow(unused_unsafe, reason = "older compilers ask for it")]
        // SAFETY: every processor of this architecture has the instruction.
        let maker = unsafe { std::arch::x86_64::__cpuid(0) };
        [maker.ebx, maker.edx, maker.ecx].map(u32::to_le_bytes).concat() == b"GenuineIntel"
    }
    #[cfg(not(target_arch = "x86_64"))]
    false
}

impl fmt::Display for Family {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// Why the family asked for by [`VARIABLE`] is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FamilyError {
    /// No family has this name.
    Unknown(String),
    /// This machine lacks the instructions.
    Unavailable(Family),
}

impl fmt::Display for FamilyError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(out, "`{name}` is not a kernel family"),
            Self::Unavailable(family) => write!(out, "this processor cannot run the kernel family `{family}`"),
        }
    }
}

impl std::error::Error for FamilyError {}

impl FamilyError {
    /// One thing to try.
    #[must_use]
    pub fn hint(&self) -> String {
        let names: Vec<_> = Family::available().into_iter().map(Family::name).collect();
        format!("set {VARIABLE} to one of {}, or leave it unset for `{}`", names.join(", "), Family::best())
    }
}

/// Reads a family's name; `avx512` stands for the better of the two AVX-512 families that the
/// machine has.
///
/// # Errors
/// Fails if no family has this name, or if this machine cannot run it.
pub fn parse_family(name: &str) -> Result<Family, FamilyError> {
    let family = Family::ALL
        .into_iter()
        .find(|family| family.name() == name)
        .ok_or_else(|| FamilyError::Unknown(name.to_owned()))?;
    match family {
        family if family.is_available() => Ok(family),
        Family::Avx512 if Family::Avx512f.is_available() => Ok(Family::Avx512f),
        family => Err(FamilyError::Unavailable(family)),
    }
}

/// The family asked for by [`VARIABLE`], or the best one if it is unset or empty.
///
/// A program calls this once at its start, to tell of a name that [`family`] passes over in silence.
///
/// # Errors
/// As [`parse_family`].
pub fn requested_family() -> Result<Family, FamilyError> {
    match std::env::var(VARIABLE) {
        Ok(name) if !name.is_empty() => parse_family(&name),
        _ => Ok(Family::best()),
    }
}

/// The family used by every kernel of this process: the requested one if it can be run, otherwise
/// the best.
///
/// Chosen at the first call and kept.
#[must_use]
pub fn family() -> Family {
    static CHOSEN: OnceLock<Family> = OnceLock::new();
    *CHOSEN.get_or_init(|| requested_family().unwrap_or_else(|_| Family::best()))
}
