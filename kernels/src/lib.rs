//! CPU kernels for image models, behind safe functions.
//!
//! Everything works on `&[f32]` in row-major order, pictures with channels last: `[batch, height,
//! width, channels]`. A picture can therefore go from a convolution into attention and back without
//! being rearranged.
//!
//! | what | functions |
//! | --- | --- |
//! | linear layers | [`PackedWeights`], [`gemm`]: bias, activation and residual included; [`PackedGeglu`], [`gemm_geglu`] |
//! | convolutions | [`PackedConv`], [`ConvInput`], [`ConvExtras`], [`conv2d`]: any stride and padding, nearest-neighbour enlarging on the way in |
//! | norms | [`group_norm`] (with SiLU if asked for), [`layer_norm`] |
//! | attention | [`attention`] in tiles; [`attention_probs`] and [`apply_probs`] where the maps themselves are wanted |
//! | activations | [`silu`], [`gelu`], [`quick_gelu`], [`relu`], [`geglu`], [`softmax_rows`] |
//! | rounding | [`round`] |
//! | memory | [`release_free_memory`] |
//!
//! # The promise
//!
//! Every element of a result is computed by one thread, in an order of operations that depends on
//! the length of its sum and on the [`Family`] of kernels, and on nothing else. So a sample gives
//! the same bits alone and in a batch, a row among one and among a thousand, on one thread and on
//! eight. Between families bits may differ; whoever stores results stores [`Family::name`] with
//! them.
//!
//! # Families
//!
//! [`family`] chooses once, by what the processor has. `WORDBRUSH_KERNELS=plain|avx2|avx512f|avx512|amx`
//! overrides the choice. A family that is unknown or that the processor cannot run is passed over
//! for the best one; [`requested_family`] says so, for a program to report at its start.
//!
//! # Precision
//!
//! Sums are f32. [`Precision::Bf16`] rounds both factors of every product to bf16 first, on every
//! family, and keeps packed weights in half the memory. It is faster where [`Family::has_bf16`].
//! Norms, activations and softmax are always f32.
//!
//! # Failure
//!
//! A slice whose length does not fit its shape is a mistake of the caller's: every function checks
//! first and panics with the name of the slice and the shape it expected. NaN and infinities are
//! never an error; each function says where they go.
//!
//! # Threads
//!
//! Work that is worth it is shared with threads that the crate keeps: one for each core, or as many as
//! [`THREADS_VARIABLE`] or [`on_threads`] say. One call at a time is shared; another that comes meanwhile stays on its
//! own thread. Each thread keeps scratch memory between calls, up to 8 MiB a buffer.
//!
//! # Twins
//!
//! [`plain`] has every function once more as loops over f64: the shortest account of what is
//! computed, and what the tests compare with.
//!
//! ```
//! use wordbrush_kernels::{Activation, PackedWeights, Precision, gemm};
//!
//! // Two outputs of three inputs each: their sum and their difference.
//! let weights = PackedWeights::new(&[1.0, 1.0, 1.0, 1.0, -1.0, -1.0], 2, 3, Precision::F32);
//! let mut out = [0.0; 2];
//! gemm(&[5.0, 2.0, 1.0], 1, &weights, Some(&[0.5, 0.0]), Activation::None, None, &mut out);
//! assert_eq!(out, [8.5, 2.0]);
//! ```

mod attention;
mod conv;
mod family;
mod geglu;
mod linear;
mod maps;
mod math;
mod memory;
mod norm;
mod panels;
mod parallel;
mod peak;
pub mod plain;
mod pointwise;
mod product;
mod scratch;
mod simd;
mod team;
#[cfg(test)]
mod tests;
mod tile;
mod winograd;

pub use attention::{AttentionShape, attention};
pub use conv::{ConvExtras, ConvInput, PackedConv, conv2d};
pub use family::{Family, FamilyError, VARIABLE, family, parse_family, requested_family};
pub use geglu::{PackedGeglu, gemm_geglu};
pub use linear::gemm;
pub use maps::{apply_probs, attention_probs};
pub use math::Activation;
pub use memory::release_free_memory;
pub use norm::{GroupShape, GroupSums, group_norm, layer_norm};
pub use panels::{PackedWeights, Precision};
pub use parallel::{THREADS_VARIABLE, on_threads, threads};
pub use peak::register_peak;
pub use pointwise::{Half, geglu, gelu, quick_gelu, relu, round, silu, softmax_rows};
