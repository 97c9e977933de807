//! Convolutions of 3 x 3 with fewer products: Winograd's minimal filtering, F(2 x 2, 3 x 3).
//!
//! Two by two outputs of a 3 x 3 convolution need 36 products of each pair of channels. Taken together they need 16: tiles of
//! 4 x 4 inputs and the weights go through small transforms (sums and halves), are multiplied element by element, and a third
//! transform gives the outputs. Over all tiles and channels that is 16 matrix products, one for each place in the tile.
//! Where the picture is enlarged on the way in, the inputs of a tile come in pairs, so that whole lines of places are
//! zero, and 9 products are left.
//!
//! A. Lavin, S. Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016, has the method.
//!
//! Rounding: in [`Precision::Bf16`] the transformed tiles and weights are what is rounded. Transforms are f32.

use std::ops::Range;

use crate::conv::ConvInput;
use crate::family::Family;
use crate::panels::{PANEL, PackedWeights, Panels, Precision};
use crate::parallel;
use crate::product::{Epilogue, depth_blocks, share};
use crate::scratch::{KEPT_BYTES, Scratch, Shared, words_as_floats, words_as_halves};
use crate::simd::{Job, Simd, dispatch};
use crate::tile::{Multiply, ROW_STRIDE};

/// Places in a tile.
const PLACES: usize = 16;

/// The most tiles that a task takes: enough that weights are read seldom, few enough that a core's own cache holds their
/// transforms, or most of them.
const TOGETHER: usize = 64;

/// Rows of [`ROW_STRIDE`] words of each place that a thread keeps between calls.
const ROWS_KEPT: usize = KEPT_BYTES / (PLACES * ROW_STRIDE * 4);

/// Channels that are transformed at a time, so that what is not yet rounded stays in the first-level cache.
const CHANNELS: usize = 128;

/// The widest panel.
const WIDEST: usize = 48;

/// Whether place `4 * line + column` may be other than zero.
const fn counts(place: usize, upsample: bool) -> bool {
    !upsample || (place / 4 != 2 && place % 4 != 2)
}

/// The weights of a 3 x 3 convolution, transformed: `[inputs, outputs]` for each place that counts.
#[derive(Clone, Debug)]
pub(crate) struct Transformed {
    places: Vec<PackedWeights>,
    pub(crate) upsample: bool,
}

impl Transformed {
    /// Transforms and packs `weight`, `[outputs, inputs, 3, 3]`.
    pub(crate) fn new(weight: &[f32], outputs: usize, inputs: usize, upsample: bool, precision: Precision) -> Self {
        assert_eq!(
            weight.len(),
            outputs * inputs * 9,
            "packed conv: {} values for [outputs, inputs, 3, 3] = [{outputs}, {inputs}, 3, 3]",
            weight.len()
        );
        let mut values = vec![0.0; outputs * inputs];
        let places = (0..PLACES).filter(|place| counts(*place, upsample)).map(|place| {
            let shared = Shared::new(&mut values);
            parallel::run(outputs, outputs * inputs * 4, |output| {
                // SAFETY: each task has a line of its own.
                let line = unsafe { shared.part(output * inputs, inputs) };
                for (to, taps) in line.iter_mut().zip(weight[output * inputs * 9..].chunks_exact(9)) {
                    let across = |row: usize| at_place(place % 4, taps[3 * row], taps[3 * row + 1], taps[3 * row + 2]);
                    *to = at_place(place / 4, across(0), across(1), across(2));
                }
            });
            PackedWeights::new(&values, outputs, inputs, precision)
        });
        Self { places: places.collect(), upsample }
    }

    pub(crate) fn outputs(&self) -> usize {
        self.places[0].n()
    }

    pub(crate) fn precision(&self) -> Precision {
        self.places[0].precision()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.places.iter().map(PackedWeights::bytes).sum()
    }
}

/// The transform of three weights in a row, at one of its four places.
fn at_place(place: usize, a: f32, b: f32, c: f32) -> f32 {
    match place {
        0 => a,
        1 => 0.5 * (a + c + b),
        2 => 0.5 * (a + c - b),
        _ => c,
    }
}

/// The pictures that are read, cut into tiles of 2 x 2 outputs.
struct Tiles<'a> {
    x: &'a [f32],
    input: ConvInput,
    channels: usize,
    out_height: usize,
    out_width: usize,
}

impl<'a> Tiles<'a> {
    fn across(&self) -> usize {
        self.out_width.div_ceil(2)
    }

    fn down(&self) -> usize {
        self.out_height.div_ceil(2)
    }

    fn count(&self) -> usize {
        self.input.batch * self.down() * self.across()
    }

    /// Picture, and row and column of the first output, of a tile.
    #[inline(always)]
    fn place(&self, tile: usize) -> (usize, usize, usize) {
        let (line, column) = (tile / self.across(), tile % self.across());
        (line / self.down(), line % self.down() * 2, column * 2)
    }

    /// The inputs of a tile, channels `from..from + len`; `zeros` for what lies outside the picture.
    #[inline(always)]
    fn inputs(&self, tile: usize, from: usize, len: usize, zeros: &'a [f32]) -> [&'a [f32]; PLACES] {
        let ConvInput { height, width, pad, upsample, .. } = self.input;
        let (picture, top, left) = self.place(tile);
        let (top, zoom) = (self.input.first_row() + top, usize::from(upsample));
        let mut inputs = [&zeros[..len]; PLACES];
        for (place, inputs) in inputs.iter_mut().enumerate() {
            // What lies above or left of the picture wraps around to a large number.
            let y = (top + place / 4).wrapping_sub(pad);
            let x = (left + place % 4).wrapping_sub(pad);
            if y < height << zoom && x < width << zoom {
                let pixel = (picture * height + (y >> zoom)) * width + (x >> zoom);
                *inputs = &self.x[pixel * self.channels + from..][..len];
            }
        }
        inputs
    }
}

/// Where the transforms of some tiles lie: for each block of the depth and each place that counts, `rows` rows of [`ROW_STRIDE`]
/// words.
#[derive(Clone, Copy)]
struct Layout {
    rows: usize,
    places: usize,
    upsample: bool,
    values: usize,
    precision: Precision,
}

impl Layout {
    fn depth(self) -> usize {
        self.values.div_ceil(self.precision.per_word())
    }

    fn at(self, block: usize, place: usize, row: usize) -> usize {
        ((block * self.places + place) * self.rows + row) * ROW_STRIDE
    }

    fn len(self) -> usize {
        self.at(depth_blocks(self.depth()).0, 0, 0)
    }
}

/// Some tiles, on one thread: transformed, multiplied with every panel, transformed back.
struct Block<'a> {
    tiles: &'a Tiles<'a>,
    range: Range<usize>,
    weights: &'a Transformed,
    epilogue: Epilogue<'a>,
    out: Shared<f32>,
}

impl Job for Block<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let shape = self.weights.places[0].panels().shape;
        let (blocks, block_depth) = depth_blocks(shape.depth());
        let count = self.range.len();
        let layout = Layout {
            rows: count.next_multiple_of(16),
            places: self.weights.places.len(),
            upsample: self.weights.upsample,
            values: shape.values,
            precision: shape.precision,
        };
        let mut scratch = Scratch::take(layout.len());
        let transformed = scratch.words();
        self.transform(s, layout, transformed);
        let mut scratch = Scratch::take(PLACES * count * WIDEST);
        let products = words_as_floats(scratch.words());
        for panel in 0..shape.panels() {
            let (width, used, col) = (shape.width(panel), shape.used(panel), panel * PANEL);
            let place_len = count * width;
            for (index, weights) in self.weights.places.iter().enumerate() {
                let Panels { shape: same, words } = weights.panels();
                assert!(words.len() >= same.len() && same.len() == shape.len(), "BUG: packed weights are too short");
                let products = &mut products[index * place_len..][..place_len];
                for block in 0..blocks {
                    let first = block * block_depth;
                    let job = Multiply {
                        a: transformed[layout.at(block, index, 0)..].as_ptr(),
                        rows: count,
                        b: words[shape.at(panel, first)..].as_ptr(),
                        width,
                        depth: (shape.depth() - first).min(block_depth),
                        c: products.as_mut_ptr(),
                        c_stride: width,
                        cols: used,
                        fresh: block == 0,
                        bf16: shape.precision == Precision::Bf16,
                    };
                    // SAFETY: the layout has `count` rows, rounded up to 16; the panel has as many rows from `first`; `products`
                    // has `count` rows of `width`.
                    unsafe { s.multiply(job) };
                }
            }
            for (row, tile) in self.range.clone().enumerate() {
                let from = &products[row * width..];
                // SAFETY: no other task has these tiles.
                unsafe {
                    if self.weights.upsample {
                        self.finish::<S, true>(s, tile, from, place_len, col, used);
                    } else {
                        self.finish::<S, false>(s, tile, from, place_len, col, used);
                    }
                }
            }
        }
    }
}

impl Block<'_> {
    /// Transforms the tiles, and rounds them where products are of bf16.
    #[inline(always)]
    fn transform<S: Simd>(&self, s: S, layout: Layout, to: &mut [u32]) {
        let tiles = self.tiles;
        let zeros = [0.0; CHANNELS];
        let mut scratch = Scratch::take(PLACES * CHANNELS);
        let fresh = words_as_floats(scratch.words());
        let (blocks, block_depth) = depth_blocks(layout.depth());
        let block_values = block_depth * layout.precision.per_word();
        for (row, tile) in self.range.clone().enumerate() {
            for block in 0..blocks {
                let start = block * block_values;
                let end = layout.values.min(start + block_values);
                for from in (start..end).step_by(CHANNELS) {
                    let len = (end - from).min(CHANNELS);
                    let inputs = tiles.inputs(tile, from, len, &zeros);
                    let mut at = 0;
                    while at < len {
                        let mut d = [s.splat(0.0); PLACES];
                        for (d, inputs) in d.iter_mut().zip(inputs) {
                            *d = s.read(inputs, at, 0.0);
                        }
                        for column in 0..4 {
                            let [a, b, c, e] = [d[column], d[4 + column], d[8 + column], d[12 + column]];
                            d[column] = s.sub(a, c);
                            d[4 + column] = s.add(b, c);
                            d[8 + column] = s.sub(c, b);
                            d[12 + column] = s.sub(b, e);
                        }
                        for line in d.chunks_exact_mut(4) {
                            let [a, b, c, e] = [line[0], line[1], line[2], line[3]];
                            line[0] = s.sub(a, c);
                            line[1] = s.add(b, c);
                            line[2] = s.sub(c, b);
                            line[3] = s.sub(b, e);
                        }
                        for (to, value) in fresh.chunks_exact_mut(CHANNELS).zip(d) {
                            s.write(to, at, value);
                        }
                        at += S::LANES;
                    }
                    let used = (0..PLACES).filter(|place| counts(*place, layout.upsample));
                    for (index, place) in used.enumerate() {
                        let values = &fresh[place * CHANNELS..][..len];
                        let row = &mut to[layout.at(block, index, row)..][..ROW_STRIDE];
                        let (at, last) = (from - start, from + len == end);
                        match layout.precision {
                            Precision::F32 => words_as_floats(row)[at..at + len].copy_from_slice(values),
                            Precision::Bf16 => {
                                let row = words_as_halves(row);
                                s.round_to_bf16(values, &mut row[at..at + len]);
                                if last {
                                    // The second half of the last pair, and the whole groups of 16 pairs that AMX reads.
                                    row[at + len..(at + len).next_multiple_of(32)].fill(0);
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// Transforms one tile's products into outputs, columns `col..col + used`.
    ///
    /// # Safety
    /// Nobody else reads or writes these outputs meanwhile.
    #[inline(always)]
    unsafe fn finish<S: Simd, const UPSAMPLE: bool>(
        &self,
        s: S,
        tile: usize,
        products: &[f32],
        place_len: usize,
        col: usize,
        used: usize,
    ) {
        let cols = self.weights.outputs();
        let (picture, top, left) = self.tiles.place(tile);
        let (height, width) = (self.tiles.out_height, self.tiles.out_width);
        let pixel = |y: usize, x: usize| (picture * height + top + y) * width + left + x;
        let (below, beside) = (top + 1 < height, left + 1 < width);
        let there = [true, beside, below, below && beside];
        let mut at = 0;
        while at < used {
            let mut m = [s.splat(0.0); PLACES];
            let mut index = 0;
            for (place, m) in m.iter_mut().enumerate() {
                if counts(place, UPSAMPLE) {
                    *m = s.read(&products[index * place_len..], at, 0.0);
                    index += 1;
                }
            }
            let mut lines = [s.splat(0.0); 8];
            for column in 0..4 {
                let [a, b, c, e] = [m[column], m[4 + column], m[8 + column], m[12 + column]];
                lines[column] = s.add(s.add(a, b), c);
                lines[4 + column] = s.sub(s.sub(b, c), e);
            }
            for (y, line) in lines.chunks_exact(4).enumerate() {
                let [a, b, c, e] = [line[0], line[1], line[2], line[3]];
                for (x, value) in [s.add(s.add(a, b), c), s.sub(s.sub(b, c), e)].into_iter().enumerate() {
                    if there[2 * y + x] {
                        // SAFETY: by the caller's promise.
                        let out = unsafe { self.out.part(pixel(y, x) * cols + col, used) };
                        s.write(out, at, value);
                    }
                }
            }
            at += S::LANES;
        }
        if self.epilogue.is_nothing() {
            return;
        }
        for place in (0..4).filter(|place| there[*place]) {
            let pixel = pixel(place / 2, place % 2);
            // SAFETY: by the caller's promise.
            let out = unsafe { self.out.part(pixel * cols + col, used) };
            self.epilogue.apply(s, pixel, col, cols, out);
        }
    }
}

/// The convolution of `x` as `input` says; lengths are checked by the caller.
pub(crate) fn convolve(
    family: Family,
    x: &[f32],
    input: ConvInput,
    weights: &Transformed,
    epilogue: Epilogue<'_>,
    out: &mut [f32],
) {
    let shape = weights.places[0].panels().shape;
    let (out_height, out_width) = input.output(3, 3);
    let tiles = Tiles { x, input, channels: shape.values, out_height, out_width };
    let count = tiles.count();
    if count == 0 || shape.cols == 0 {
        return;
    }
    let (blocks, _) = depth_blocks(shape.depth());
    let most = (ROWS_KEPT / blocks / 16 * 16).clamp(16, TOGETHER);
    let threads = parallel::threads();
    let tasks = count.div_ceil(most).next_multiple_of(threads).min(count.div_ceil(8));
    let out = Shared::new(out);
    let cost = count * weights.places.len() * shape.cols * (shape.depth() + 8) / 32;
    parallel::run(tasks, cost, |task| {
        let range = share(count, task, tasks);
        dispatch(family, Block { tiles: &tiles, range, weights, epilogue, out });
    });
}
