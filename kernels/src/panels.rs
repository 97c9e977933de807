//! Packed weights: the right-hand side of a product, laid out in the order in which the innermost
//! loop reads it.

use std::ops::Range;

use crate::family::family;
use crate::parallel;
use crate::scratch::{Scratch, Shared, Words, words_as_floats, words_as_halves};
use crate::simd::{Job, Simd, dispatch};

/// How products are computed. Sums are always f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// Both sides as f32.
    #[default]
    F32,
    /// Both sides rounded to bf16 (to nearest even).
    Bf16,
}

impl Precision {
    /// How many values one 32-bit word holds.
    pub(crate) fn per_word(self) -> usize {
        match self {
            Self::F32 => 1,
            Self::Bf16 => 2,
        }
    }
}

/// Columns of every panel but the last.
pub(crate) const PANEL: usize = 32;

/// The shape of a packed matrix: `cols` columns of `values` values each.
///
/// Columns are cut into panels of 32; the last one is 16, 32 or 48 wide, so that at most 15 columns
/// of padding are computed. A panel holds
/// `depth` rows of one word per column: an f32, or a pair of bf16 that follow each other along the depth. Panels lie one behind the other, each with its
/// depth rounded up to `stride` rows; what pads is zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) cols: usize,
    pub(crate) values: usize,
    pub(crate) precision: Precision,
}

impl Shape {
    pub(crate) fn depth(self) -> usize {
        self.values.div_ceil(self.precision.per_word())
    }

    /// AMX multiplies 16 pairs at a time.
    fn stride(self) -> usize {
        match self.precision {
            Precision::F32 => self.depth(),
            Precision::Bf16 => self.depth().next_multiple_of(16),
        }
    }

    pub(crate) fn panels(self) -> usize {
        match self.cols {
            0 => 0,
            1..=PANEL => 1,
            cols if (1..=16).contains(&(cols % PANEL)) => cols / PANEL,
            cols => cols.div_ceil(PANEL),
        }
    }

    pub(crate) fn width(self, panel: usize) -> usize {
        if panel + 1 < self.panels() { PANEL } else { (self.cols - panel * PANEL).next_multiple_of(16) }
    }

    /// The columns of a panel that are not padding.
    pub(crate) fn used(self, panel: usize) -> usize {
        (self.cols - panel * PANEL).min(self.width(panel))
    }

    /// Where row `depth` of a panel begins.
    pub(crate) fn at(self, panel: usize, depth: usize) -> usize {
        panel * PANEL * self.stride() + depth * self.width(panel)
    }

    /// Words in all.
    pub(crate) fn len(self) -> usize {
        self.cols.next_multiple_of(16) * self.stride()
    }
}

/// Columns, or rows, of a matrix that is to be packed: number `i` begins at `i * stride`.
#[derive(Clone, Copy)]
pub(crate) struct Lines<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) stride: usize,
}

impl<'a> Lines<'a> {
    #[inline(always)]
    fn get(self, line: usize, from: usize, len: usize) -> &'a [f32] {
        &self.values[line * self.stride + from..][..len]
    }
}

/// Packs a matrix given column by column, as weights `[out, in]` and keys `[keys, head_dim]` come,
/// or row by row, as values
/// `[keys, head_dim]` come.
pub(crate) struct Pack<'a> {
    pub(crate) shape: Shape,
    pub(crate) lines: Lines<'a>,
    pub(crate) by_rows: bool,
    /// A column holds this many values for each input, `[inputs, taps]`, and is packed as `[taps,
    /// inputs]`. 1 packs it as it is.
    pub(crate) taps: usize,
    pub(crate) panels: Range<usize>,
    /// Of these panels alone.
    pub(crate) words: &'a mut [u32],
}

/// Columns that are packed together, so that what is written stays in the first-level cache between
/// them.
const TOGETHER: usize = 16;

impl Job for Pack<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { shape, lines, by_rows, taps, panels, words } = self;
        let (depth, per_word) = (shape.depth(), shape.precision.per_word());
        if depth == 0 {
            return;
        }
        let mut scratch = Scratch::take(TOGETHER * depth.max(4 * PANEL) + shape.values);
        let (rounded, ordered) = scratch.words().split_at_mut(TOGETHER * depth.max(4 * PANEL));
        let ordered = words_as_floats(ordered);
        let start = shape.at(panels.start, 0);
        for panel in panels {
            let (width, used) = (shape.width(panel), shape.used(panel));
            let words = &mut words[shape.at(panel, 0) - start..][..width * shape.stride()];
            let first_col = panel * PANEL;
            if used < width || shape.stride() > depth {
                words.fill(0);
            }
            if by_rows {
                for (k, row) in words.chunks_exact_mut(width).take(depth).enumerate() {
                    let from = lines.get(k * per_word, first_col, used);
                    match shape.precision {
                        Precision::F32 => words_as_floats(row)[..used].copy_from_slice(from),
                        Precision::Bf16 => {
                            let (even, odd) = words_as_halves(rounded).split_at_mut(2 * PANEL);
                            s.round_to_bf16(from, &mut even[..used]);
                            if k * 2 + 1 < shape.values {
                                s.round_to_bf16(lines.get(k * 2 + 1, first_col, used), &mut odd[..used]);
                            } else {
                                odd[..used].fill(0);
                            }
                            for ((word, even), odd) in row[..used].iter_mut().zip(&*even).zip(&*odd) {
                                *word = u32::from(*even) | u32::from(*odd) << 16;
                            }
                        }
                    }
                }
                continue;
            }
            for first in (0..used).step_by(TOGETHER) {
                let count = (used - first).min(TOGETHER);
                for (col, to) in rounded.chunks_exact_mut(depth).take(count).enumerate() {
                    let mut from = lines.get(first_col + first + col, 0, shape.values);
                    if taps > 1 {
                        let inputs = shape.values / taps;
                        for (tap, to) in ordered.chunks_exact_mut(inputs).enumerate() {
                            for (input, to) in to.iter_mut().enumerate() {
                                *to = from[input * taps + tap];
                            }
                        }
                        from = &*ordered;
                    }
                    match shape.precision {
                        Precision::F32 => words_as_floats(to).copy_from_slice(from),
                        Precision::Bf16 => {
                            if let Some(last) = to.last_mut() {
                                *last = 0;
                            }
                            s.round_to_bf16(from, &mut words_as_halves(to)[..shape.values]);
                        }
                    }
                }
                // Column by column into rows of words.
                if count == TOGETHER {
                    for (k, row) in words.chunks_exact_mut(width).take(depth).enumerate() {
                        let row = &mut row[first..first + TOGETHER];
                        for (col, to) in row.iter_mut().enumerate() {
                            *to = rounded[col * depth + k];
                        }
                    }
                } else {
                    for (k, row) in words.chunks_exact_mut(width).take(depth).enumerate() {
                        for (col, to) in row[first..first + count].iter_mut().enumerate() {
                            *to = rounded[col * depth + k];
                        }
                    }
                }
            }
        }
    }
}

/// The weights of a linear layer, packed once and then used by [`gemm`](crate::gemm) as often as
/// needed.
#[derive(Clone)]
pub struct PackedWeights {
    shape: Shape,
    words: Words,
}

impl std::fmt::Debug for PackedWeights {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("PackedWeights").field("shape", &self.shape).finish_non_exhaustive()
    }
}

impl PackedWeights {
    /// Packs `weight`, `[n, k]`: `n` outputs of `k` inputs each, as a linear layer's weights are
    /// stored.
    ///
    /// Takes `n` rounded up to 16 times `k` values of memory, of 4 bytes in f32 and 2 in bf16.
    ///
    /// # Panics
    /// Panics if `weight` does not hold `n * k` values.
    #[must_use]
    pub fn new(weight: &[f32], n: usize, k: usize, precision: Precision) -> Self {
        assert_eq!(weight.len(), n * k, "packed weights: {} values for [n, k] = [{n}, {k}]", weight.len());
        Self::with_taps(weight, n, k, 1, precision)
    }

    /// Packs `weight`, `[n, inputs, taps]`, as if it were `[n, taps, inputs]`; `k` is `inputs * taps`.
    pub(crate) fn with_taps(weight: &[f32], n: usize, k: usize, taps: usize, precision: Precision) -> Self {
        let shape = Shape { cols: n, values: k, precision };
        let mut words = Words::zeroed(shape.len());
        let lines = Lines { values: weight, stride: k };
        let panels = shape.panels();
        let tasks = panels.div_ceil(4);
        let shared = Shared::new(words.as_mut_slice());
        parallel::run(tasks, weight.len(), |task| {
            let panels = task * 4..panels.min(task * 4 + 4);
            let start = shape.at(panels.start, 0);
            let end = if panels.end == shape.panels() { shape.len() } else { shape.at(panels.end, 0) };
            // SAFETY: panels do not overlap.
            let words = unsafe { shared.part(start, end - start) };
            dispatch(family(), Pack { shape, lines, by_rows: false, taps, panels, words });
        });
        Self { shape, words }
    }

    /// Outputs.
    #[must_use]
    pub fn n(&self) -> usize {
        self.shape.cols
    }

    /// Inputs.
    #[must_use]
    pub fn k(&self) -> usize {
        self.shape.values
    }

    /// How products with these weights are computed.
    #[must_use]
    pub fn precision(&self) -> Precision {
        self.shape.precision
    }

    /// Bytes of memory held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.words.as_slice().len() * 4
    }

    pub(crate) fn panels(&self) -> Panels<'_> {
        Panels { shape: self.shape, words: self.words.as_slice() }
    }
}

/// A packed matrix, borrowed.
#[derive(Clone, Copy)]
pub(crate) struct Panels<'a> {
    pub(crate) shape: Shape,
    pub(crate) words: &'a [u32],
}
