//! The innermost loop: a few rows times one panel of packed weights, with every sum kept in a register.
//!
//! Each element of the result is one chain `c = a[0] * b[0] + c`, `c = a[1] * b[1] + c`, ... over
//! the whole depth, in that order. Tiles of every height and width, and blocks of the depth that go
//! through memory, run this same chain. So an element's bits do not depend on where in a tile it
//! lies, nor on how many rows or columns there are.

use crate::scratch::Scratch;
use crate::simd::{Simd, Widen};

/// Words of depth that are multiplied at a time: 512 f32 or 512 pairs of bf16.
pub(crate) const DEPTH_BLOCK: usize = 512;

/// Words from one packed row to the next.
///
/// 33 cache lines: the rows of a tile then lie in different sets of the first-level cache, and the
/// innermost loop reaches all of them from one pointer with constant offsets.
pub(crate) const ROW_STRIDE: usize = DEPTH_BLOCK + 16;

/// `c += a * b`, or `c = a * b` if `fresh`.
///
/// # Safety
/// To hand this to [`Simd::multiply`]: `a` has `rows` rows, [`ROW_STRIDE`] words apart, of at least
/// `depth` words; `b` has `depth` rows of
/// `width` words each; `width` is 16, 32 or 48 and at least `cols`; `c` has `rows` rows, `c_stride` f32 apart, of `cols` f32 that nobody
/// else reads or writes meanwhile. For `bf16`, `a` can be read up to a multiple of 16 rows, and the
/// depth of both goes on to a multiple of 16 with zeros, for AMX.
#[derive(Clone, Copy)]
pub(crate) struct Multiply {
    pub(crate) a: *const u32,
    pub(crate) rows: usize,
    pub(crate) b: *const u32,
    pub(crate) width: usize,
    pub(crate) depth: usize,
    pub(crate) c: *mut f32,
    pub(crate) c_stride: usize,
    pub(crate) cols: usize,
    pub(crate) fresh: bool,
    /// Whether words are pairs of bf16 rather than f32.
    pub(crate) bf16: bool,
}

/// `R` rows times `V` vectors.
///
/// # Safety
/// As [`Multiply`], with `R` rows, and a `b` whose rows have `V` vectors from the given pointer.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "everything must be in a register")]
pub(crate) unsafe fn tile<S: Simd, const BF16: bool, const R: usize, const V: usize>(
    s: S,
    a: *const u32,
    mut b: *const u32,
    width: usize,
    depth: usize,
    c: *mut f32,
    c_stride: usize,
    cols: usize,
    fresh: bool,
) {
    // SAFETY: rows and columns lie within what the caller promises: reads of `a` at row < R and k <
    // depth, of `b` at k < depth and vector < V, and of `c` at row < R and column < cols.
    unsafe {
        let full = cols >= V * S::LANES;
        let mut sums = [[s.splat(0.0); V]; R];
        if !fresh {
            for (row, sums) in sums.iter_mut().enumerate() {
                for (vector, sum) in sums.iter_mut().enumerate() {
                    let at = vector * S::LANES;
                    if full || at + S::LANES <= cols {
                        *sum = s.load(c.add(row * c_stride + at));
                    } else if at < cols {
                        *sum = s.load_first(c.add(row * c_stride + at), cols - at, 0.0);
                    }
                }
            }
        }
        for k in 0..depth {
            let mut weights = [s.splat(0.0); V];
            for (vector, weight) in weights.iter_mut().enumerate() {
                *weight = s.load(b.cast::<f32>().add(vector * S::LANES));
            }
            for (row, sums) in sums.iter_mut().enumerate() {
                let value = s.splat(*a.cast::<f32>().add(row * ROW_STRIDE + k));
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum = if BF16 { s.dot_pairs(value, weight, *sum) } else { s.fma(value, weight, *sum) };
                }
            }
            b = b.add(width);
        }
        for (row, sums) in sums.iter().enumerate() {
            for (vector, sum) in sums.iter().enumerate() {
                let at = vector * S::LANES;
                if full || at + S::LANES <= cols {
                    s.store(c.add(row * c_stride + at), *sum);
                } else if at < cols {
                    s.store_first(c.add(row * c_stride + at), cols - at, *sum);
                }
            }
        }
    }
}

/// Rows of a widened panel: the pairs of half a block, so that a row of `a` widened takes no more than a packed one.
const WIDENED: usize = DEPTH_BLOCK / 2;

/// From so many rows on, weights are widened for all of them.
pub(crate) const WORTH_WIDENING: usize = 4;

/// Pairs of bf16 multiplied as f32, for processors without fast instructions for them: weights are widened once for all rows, and
/// rows as many at a time as a tile has, so that the innermost loop is that of f32. The chain of each element is the one of
/// [`Simd::dot_pairs`] there: the first product of a pair, then the second.
///
/// # Safety
/// As [`Multiply`]; `multiply` may be called, for f32.
#[inline(always)]
pub(crate) unsafe fn multiply_widened<S: Widen>(s: S, job: Multiply, tallest: usize, multiply: unsafe fn(Multiply)) {
    let tiles = job.rows.div_ceil(tallest);
    let mut scratch = Scratch::take(tallest * ROW_STRIDE + 2 * WIDENED * job.width);
    let (a, b) = scratch.words().split_at_mut(tallest * ROW_STRIDE);
    for first in (0..job.depth).step_by(WIDENED) {
        let depth = (job.depth - first).min(WIDENED);
        for k in 0..depth {
            for col in (0..job.width).step_by(S::LANES) {
                // SAFETY: the panel has `job.depth` rows of `job.width` words, a multiple of 16, and `b` has twice `WIDENED` of them.
                unsafe {
                    let pairs = s.load(job.b.add((first + k) * job.width + col).cast());
                    let to = b.as_mut_ptr().add(2 * k * job.width + col).cast();
                    s.store(to, s.even(pairs));
                    s.store(to.add(job.width), s.odd(pairs));
                }
            }
        }
        let mut row = 0;
        for tile in 0..tiles {
            let rows = (job.rows - row).div_ceil(tiles - tile);
            for at in 0..rows {
                for value in (0..2 * depth).step_by(S::LANES) {
                    // SAFETY: the depth of this row goes on to a multiple of 16 words, two halves each, and `a` has room for as many.
                    unsafe {
                        let halves = job.a.add((row + at) * ROW_STRIDE + first).cast::<u16>().add(value);
                        s.store(a.as_mut_ptr().add(at * ROW_STRIDE + value).cast(), s.widen(halves));
                    }
                }
            }
            // SAFETY: `a` has `rows` rows of twice `depth` words, which a row has room for, and `b` as many rows of `width`; the
            // results are those of these rows, which the caller has promised.
            unsafe {
                multiply(Multiply {
                    a: a.as_ptr(),
                    rows,
                    b: b.as_ptr(),
                    depth: 2 * depth,
                    c: job.c.add(row * job.c_stride),
                    fresh: job.fresh && first == 0,
                    bf16: false,
                    ..job
                });
            }
            row += rows;
        }
    }
}

/// Defines a function that runs a [`Multiply`] with tiles of one family.
///
/// `vectors: [rows]` lists, for each number of vectors a tile may be wide, the heights 1, 2, ... that it may have. A tile is as wide as the panel
/// where that is listed, otherwise two vectors. `bf16_rows` is the most for pairs of bf16, which
/// need more registers where they are multiplied as f32. Rows are shared out evenly: 14 rows are 7
/// + 7, not 12 + 2.
macro_rules! per_family {
    ($(#[$attribute:meta])* fn $name:ident($type:ty, $proof:expr, bf16_rows: $bf16_rows:expr, $($vectors:literal: [$($rows:literal)+]),+)) => {
        /// # Safety
        /// As [`Multiply`], and the processor has the instructions.
        $(#[$attribute])*
        unsafe fn $name<const BF16: bool>(job: Multiply) {
            let s: $type = $proof;
            let mut col = 0;
            while col < job.cols {
                let left = (job.width - col) / <$type as Simd>::LANES;
                let vectors = if [$($vectors),+].contains(&left) { left } else { 2 };
                $(if vectors == $vectors {
                    let tallest = [$($rows),+].len().min(if BF16 { $bf16_rows } else { usize::MAX });
                    let tiles = job.rows.div_ceil(tallest);
                    let mut row = 0;
                    for tile in 0..tiles {
                        let rows = (job.rows - row).div_ceil(tiles - tile);
                        // SAFETY: `row` and `col` lie within the job's rows and columns, hence
                        // these pointers within its memory, and the tile takes no more rows and
                        // columns than are left.
                        unsafe {
                            let a = job.a.add(row * tile::ROW_STRIDE);
                            let b = job.b.add(col);
                            let c = job.c.add(row * job.c_stride + col);
                            let cols = job.cols - col;
                            match rows {
                                $($rows => tile::tile::<$type, BF16, $rows, $vectors>(
                                    s, a, b, job.width, job.depth, c, job.c_stride, cols, job.fresh,
                                ),)+
                                _ => unreachable!("BUG: a tile of {rows} rows"),
                            }
                        }
                        row += rows;
                    }
                })+
                col += vectors * <$type as Simd>::LANES;
            }
        }
    };
}
pub(crate) use per_family;
