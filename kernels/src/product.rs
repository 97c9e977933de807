//! Rows times packed weights: the one driver behind linear layers, convolutions and attention.

use crate::family::Family;
use crate::math::{Activation, activate};
use crate::panels::{PANEL, Panels, Precision, Shape};
use crate::parallel;
use crate::scratch::{Scratch, Shared, words_as_floats, words_as_halves};
use crate::simd::{Job, Simd, dispatch};
use crate::tile::{DEPTH_BLOCK, Multiply, ROW_STRIDE};

/// The left-hand side of a product, which may not exist as a matrix in memory.
pub(crate) trait Rows: Sync {
    /// Hands the values `from..from + len` of row `row` to `to`, piece by piece in order.
    fn pieces<P: Put>(&self, row: usize, from: usize, len: usize, to: &mut P);
}

/// Takes a row's values. A trait and not a closure, which would be compiled for the plainest processor.
pub(crate) trait Put {
    fn values(&mut self, piece: &[f32]);
    fn zeros(&mut self, count: usize);
}

/// Rows that lie `stride` apart in memory.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) stride: usize,
}

impl Rows for Matrix<'_> {
    #[inline(always)]
    fn pieces<P: Put>(&self, row: usize, from: usize, len: usize, to: &mut P) {
        to.values(&self.values[row * self.stride + from..][..len]);
    }
}

struct PutF32<'a> {
    to: &'a mut [f32],
    at: usize,
}

impl Put for PutF32<'_> {
    #[inline(always)]
    fn values(&mut self, piece: &[f32]) {
        self.to[self.at..self.at + piece.len()].copy_from_slice(piece);
        self.at += piece.len();
    }
    #[inline(always)]
    fn zeros(&mut self, count: usize) {
        self.to[self.at..self.at + count].fill(0.0);
        self.at += count;
    }
}

struct PutBf16<'a, S> {
    s: S,
    to: &'a mut [u16],
    at: usize,
}

impl<S: Simd> Put for PutBf16<'_, S> {
    #[inline(always)]
    fn values(&mut self, piece: &[f32]) {
        self.s.round_to_bf16(piece, &mut self.to[self.at..self.at + piece.len()]);
        self.at += piece.len();
    }
    #[inline(always)]
    fn zeros(&mut self, count: usize) {
        self.to[self.at..self.at + count].fill(0);
        self.at += count;
    }
}

/// Packs `len` values from `from` of one row into its words.
#[inline(always)]
pub(crate) fn pack_row<S: Simd, A: Rows>(
    s: S,
    rows: &A,
    row: usize,
    from: usize,
    len: usize,
    precision: Precision,
    words: &mut [u32],
) {
    match precision {
        Precision::F32 => {
            let to = words_as_floats(words);
            rows.pieces(row, from, len, &mut PutF32 { to, at: 0 });
        }
        Precision::Bf16 => {
            let mut put = PutBf16 { s, to: words_as_halves(words), at: 0 };
            rows.pieces(row, from, len, &mut put);
            // AMX reads whole groups of 16 pairs.
            put.zeros(put.at.next_multiple_of(32) - put.at);
        }
    }
}

/// What happens to a product's element on its way out: bias, then the sample's own addend,
/// activation, residual.
#[derive(Clone, Copy, Default)]
pub(crate) struct Epilogue<'a> {
    pub(crate) bias: Option<&'a [f32]>,
    /// `[samples, cols]`, and how many rows a sample has.
    pub(crate) per_sample: Option<(&'a [f32], usize)>,
    pub(crate) activation: Activation,
    /// `[rows, cols]`.
    pub(crate) residual: Option<&'a [f32]>,
}

impl Epilogue<'_> {
    pub(crate) fn is_nothing(&self) -> bool {
        self.bias.is_none()
            && self.per_sample.is_none()
            && self.residual.is_none()
            && self.activation == Activation::None
    }

    /// Applies it to the columns from `col` of row `row`, of `cols` in all.
    #[inline(always)]
    pub(crate) fn apply<S: Simd>(&self, s: S, row: usize, col: usize, cols: usize, out: &mut [f32]) {
        let bias = self.bias.map(|values| &values[col..][..out.len()]);
        let per_sample = self.per_sample.map(|(values, rows)| &values[row / rows * cols + col..][..out.len()]);
        let residual = self.residual.map(|values| &values[row * cols + col..][..out.len()]);
        for at in (0..out.len()).step_by(S::LANES) {
            let mut value = s.read(out, at, 0.0);
            if let Some(bias) = bias {
                value = s.add(value, s.read(bias, at, 0.0));
            }
            if let Some(per_sample) = per_sample {
                value = s.add(value, s.read(per_sample, at, 0.0));
            }
            value = activate(s, self.activation, value);
            if let Some(residual) = residual {
                value = s.add(value, s.read(residual, at, 0.0));
            }
            s.write(out, at, value);
        }
    }
}

/// Rows that one task packs at a time; a multiple of every family's tallest tile.
const ROWS: usize = 96;

/// How a product is cut into tasks: `rows` times `cols` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) rows: usize,
    pub(crate) cols: usize,
}

/// Chooses the cut by a rough count of cycles. It has no influence on the bits.
pub(crate) fn cut(m: usize, shape: Shape, threads: usize) -> Cut {
    let least = m.div_ceil(ROWS);
    if threads == 1 || least >= 8 * threads {
        return Cut { rows: least, cols: 1 };
    }
    let panels = shape.panels();
    let mut best = (f64::INFINITY, Cut { rows: least, cols: 1 });
    for rows in least..=(least + threads).min(m) {
        for cols in 1..=panels.min(threads * 2) {
            let rounds = (rows * cols).div_ceil(threads);
            let height = m.div_ceil(rows) as f64;
            let width = (panels.div_ceil(cols) * PANEL) as f64;
            // The tiles, packing the rows, fetching the weights.
            let cycles = rounds as f64 * (height * width / 16.0 + height / 2.0 + width / 2.0);
            if cycles < best.0 * 0.98 {
                best = (cycles, Cut { rows, cols });
            }
        }
    }
    best.1
}

/// The share `i` of `n` things among `of`, as even as can be.
pub(crate) fn share(n: usize, i: usize, of: usize) -> std::ops::Range<usize> {
    n * i / of..n * (i + 1) / of
}

/// How many blocks a depth is cut into, and the depth of all but the last: as even as can be, in
/// whole tiles of AMX.
///
/// One block for no depth: a product over no values is zero, and still has an epilogue.
pub(crate) fn depth_blocks(depth: usize) -> (usize, usize) {
    let blocks = depth.div_ceil(DEPTH_BLOCK).max(1);
    (blocks, depth.div_ceil(blocks).next_multiple_of(16))
}

/// A block of rows times a range of panels, on one thread.
pub(crate) struct Block<'a, A> {
    pub(crate) rows: &'a A,
    pub(crate) range: std::ops::Range<usize>,
    pub(crate) panels: Panels<'a>,
    pub(crate) panel_range: std::ops::Range<usize>,
    pub(crate) epilogue: Epilogue<'a>,
    /// Row 0, column 0 of the whole result.
    pub(crate) out: Shared<f32>,
    pub(crate) out_stride: usize,
}

impl<A: Rows> Job for Block<'_, A> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Shape { cols, values, precision } = self.panels.shape;
        let shape = self.panels.shape;
        let per_word = precision.per_word();
        let count = self.range.len();
        assert!(self.panels.words.len() >= shape.len(), "BUG: packed weights are too short");
        let mut scratch = Scratch::take(count.next_multiple_of(16) * ROW_STRIDE);
        let packed = scratch.words();
        let depth = shape.depth();
        let (blocks, block_depth) = depth_blocks(depth);
        for block in 0..blocks {
            let first = block * block_depth;
            let here = (depth - first).min(block_depth);
            let from = first * per_word;
            let len = (values - from).min(block_depth * per_word);
            for (row, words) in self.range.clone().zip(packed.chunks_exact_mut(ROW_STRIDE)) {
                pack_row(s, self.rows, row, from, len, precision, words);
            }
            for panel in self.panel_range.clone() {
                let used = shape.used(panel);
                let col = panel * PANEL;
                let job = Multiply {
                    a: packed.as_ptr(),
                    rows: count,
                    b: self.panels.words[shape.at(panel, first)..].as_ptr(),
                    width: shape.width(panel),
                    depth: here,
                    c: self.out.at(self.range.start * self.out_stride + col),
                    c_stride: self.out_stride,
                    cols: used,
                    fresh: block == 0,
                    bf16: precision == Precision::Bf16,
                };
                // The last element lies in the result too.
                self.out.at((self.range.end - 1) * self.out_stride + col + used);
                // SAFETY: `packed` has `count` rows of at least `here` words; the panel has as many
                // rows from `first`; the columns of these rows lie in `out` as just checked, and no
                // other task has this range of rows and panels.
                unsafe { s.multiply(job) };
                if block + 1 == blocks && !self.epilogue.is_nothing() {
                    for row in self.range.clone() {
                        // SAFETY: as above.
                        let out = unsafe { self.out.part(row * self.out_stride + col, used) };
                        self.epilogue.apply(s, row, col, cols, out);
                    }
                }
            }
        }
    }
}

/// `m` rows times all panels into `out`, `[m, cols]`, on as many threads as it is worth.
pub(crate) fn multiply<A: Rows>(
    family: Family,
    rows: &A,
    m: usize,
    panels: Panels<'_>,
    epilogue: Epilogue<'_>,
    out: &mut [f32],
) {
    let shape = panels.shape;
    if m == 0 || shape.cols == 0 {
        return;
    }
    let cut = cut(m, shape, parallel::threads());
    let out = Shared::new(out);
    // About 64 operations a ns.
    let cost = m * shape.cols * (shape.depth() + 8) / 32;
    parallel::run(cut.rows * cut.cols, cost, |task| {
        let range = share(m, task / cut.cols, cut.rows);
        let panel_range = share(shape.panels(), task % cut.cols, cut.cols);
        if !range.is_empty() {
            let block = Block { rows, range, panels, panel_range, epilogue, out, out_stride: shape.cols };
            dispatch(family, block);
        }
    });
}
