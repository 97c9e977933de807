//! Convolutions on channels-last pictures, as one product whose left-hand side is gathered from the
//! picture row by row.

use crate::family::{Family, family};
use crate::math::Activation;
use crate::panels::{PackedWeights, Precision};
use crate::product::{Epilogue, Put, Rows, multiply};
use crate::winograd::{self, Transformed};

/// The weights of a convolution, packed once and then used by [`conv2d`] as often as needed.
#[derive(Clone, Debug)]
pub struct PackedConv {
    form: Form,
    inputs: usize,
    height: usize,
    width: usize,
}

#[derive(Clone, Debug)]
enum Form {
    Direct(PackedWeights),
    Winograd(Transformed),
}

impl PackedConv {
    /// Packs `weight`, `[outputs, inputs, kh, kw]`.
    ///
    /// # Panics
    /// Panics if `weight` does not hold as many values.
    #[must_use]
    pub fn new(weight: &[f32], outputs: usize, inputs: usize, kh: usize, kw: usize, precision: Precision) -> Self {
        assert_eq!(
            weight.len(),
            outputs * inputs * kh * kw,
            "packed conv: {} values for [outputs, inputs, kh, kw] = [{outputs}, {inputs}, {kh}, {kw}]",
            weight.len()
        );
        // Channels last, like the picture: the values under one tap then lie side by side in both.
        let weights = PackedWeights::with_taps(weight, outputs, inputs * kh * kw, kh * kw, precision);
        Self { form: Form::Direct(weights), inputs, height: kh, width: kw }
    }

    /// Packs `weight`, `[outputs, inputs, 3, 3]`, for Winograd's algorithm: 16 products in place of 36, or 9 with `upsample`, for a stride
    /// of 1. It pays from some 64 channels and a few dozen pixels on, and takes 16/9 of the memory (the same with `upsample`).
    ///
    /// With `upsample` the weights are good for pictures that are read enlarged, with a padding of 1, and for no others.
    /// In f32 results differ from [`PackedConv::new`]'s in the last bits; in bf16 it is the sums and differences of inputs and of
    /// weights that are rounded, so results differ by about as much as both do from f32.
    ///
    /// A NaN or an infinity may make NaN of all outputs of the 2 x 2 tiles that read it, and of nothing else.
    ///
    /// # Panics
    /// Panics if `weight` does not hold as many values.
    #[must_use]
    pub fn winograd(weight: &[f32], outputs: usize, inputs: usize, upsample: bool, precision: Precision) -> Self {
        let transformed = Transformed::new(weight, outputs, inputs, upsample, precision);
        Self { form: Form::Winograd(transformed), inputs, height: 3, width: 3 }
    }

    /// Channels in.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Channels out.
    #[must_use]
    pub fn outputs(&self) -> usize {
        match &self.form {
            Form::Direct(weights) => weights.n(),
            Form::Winograd(transformed) => transformed.outputs(),
        }
    }

    /// Height and width of the kernel.
    #[must_use]
    pub fn kernel(&self) -> (usize, usize) {
        (self.height, self.width)
    }

    /// How products with these weights are computed.
    #[must_use]
    pub fn precision(&self) -> Precision {
        match &self.form {
            Form::Direct(weights) => weights.precision(),
            Form::Winograd(transformed) => transformed.precision(),
        }
    }

    /// Bytes of memory held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match &self.form {
            Form::Direct(weights) => weights.bytes(),
            Form::Winograd(transformed) => transformed.bytes(),
        }
    }
}

/// The pictures that a convolution reads and how it steps through them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvInput {
    /// Pictures.
    pub batch: usize,
    /// Rows of pixels, before any upsampling.
    pub height: usize,
    /// Pixels in a row, before any upsampling.
    pub width: usize,
    /// Pixels from one output to the next, in both directions; 1 or more.
    pub stride: usize,
    /// Zeros around the picture, on all four sides.
    pub pad: usize,
    /// Zeros added at the bottom and at the right besides; 1 with `pad` 0 for the VAE encoder's
    /// downsampling.
    pub pad_bottom_right: usize,
    /// Whether to read every pixel twice in both directions (nearest neighbour), as if the picture
    /// had been enlarged beforehand.
    pub upsample: bool,
    /// Rows of the output that are wanted, the first and how many; all where there is none.
    pub wanted: Option<(usize, usize)>,
}

impl ConvInput {
    /// Pictures read with stride 1, without padding and upsampling.
    #[must_use]
    pub fn new(batch: usize, height: usize, width: usize) -> Self {
        Self { batch, height, width, stride: 1, pad: 0, pad_bottom_right: 0, upsample: false, wanted: None }
    }

    /// The same with zeros on all four sides.
    #[must_use]
    pub fn pad(self, pad: usize) -> Self {
        Self { pad, ..self }
    }

    /// The same with another stride.
    #[must_use]
    pub fn stride(self, stride: usize) -> Self {
        Self { stride, ..self }
    }

    /// The same with more zeros at the bottom and at the right.
    #[must_use]
    pub fn pad_bottom_right(self, pad_bottom_right: usize) -> Self {
        Self { pad_bottom_right, ..self }
    }

    /// The same with every pixel read twice in both directions.
    #[must_use]
    pub fn upsample(self, upsample: bool) -> Self {
        Self { upsample, ..self }
    }

    /// The same for `count` rows of the output alone, from `first` on. They have the bits that they have among all rows.
    #[must_use]
    pub fn rows(self, first: usize, count: usize) -> Self {
        Self { wanted: Some((first, count)), ..self }
    }

    /// The first row of the output that is wanted.
    pub(crate) fn first_row(&self) -> usize {
        self.wanted.map_or(0, |(first, _)| first)
    }

    fn seen(&self) -> (usize, usize) {
        let factor = if self.upsample { 2 } else { 1 };
        (self.height * factor, self.width * factor)
    }

    /// Height and width of the output for a kernel of `kh` times `kw`.
    ///
    /// # Panics
    /// Panics if the stride is 0, the kernel is larger than the padded picture, or rows are wanted that there are not.
    #[must_use]
    pub fn output(&self, kh: usize, kw: usize) -> (usize, usize) {
        assert!(self.stride > 0, "conv2d: the stride is 0");
        let (height, width) = self.seen();
        let along = |pixels: usize, kernel: usize| {
            let padded = pixels + 2 * self.pad + self.pad_bottom_right;
            assert!(kernel > 0 && kernel <= padded, "conv2d: a kernel of {kernel} on {padded} pixels");
            (padded - kernel) / self.stride + 1
        };
        let (all, across) = (along(height, kh), along(width, kw));
        let down = self.wanted.map_or(all, |(first, count)| {
            let there = first.checked_add(count).is_some_and(|end| end <= all);
            assert!(there, "conv2d: {count} rows from {first} of {all}");
            count
        });
        (down, across)
    }
}

/// The pixels under the kernel, one row per output pixel: `[kh, kw, channels]`.
struct Patches<'a> {
    x: &'a [f32],
    input: ConvInput,
    channels: usize,
    kernel_width: usize,
    out_height: usize,
    out_width: usize,
}

impl Rows for Patches<'_> {
    #[inline(always)]
    fn pieces<P: Put>(&self, row: usize, from: usize, len: usize, to: &mut P) {
        let ConvInput { height, width, stride, pad, upsample, .. } = self.input;
        let (seen_height, seen_width) = self.input.seen();
        let (line, out_x) = (row / self.out_width, row % self.out_width);
        let (picture, out_y) = (line / self.out_height, self.input.first_row() + line % self.out_height);
        let channels = self.channels;
        let kernel_line = self.kernel_width * channels;
        let (top, left) = (out_y * stride, out_x * stride); // of the padded picture
        let end = from + len;
        let mut at = from;
        while at < end {
            // One line of the kernel at a time.
            let ky = at / kernel_line;
            let stop = end.min((ky + 1) * kernel_line);
            let y = (top + ky).wrapping_sub(pad);
            if y >= seen_height {
                to.zeros(stop - at);
                at = stop;
                continue;
            }
            let y = if upsample { y / 2 } else { y };
            let pixels = (picture * height + y) * width;
            if upsample {
                while at < stop {
                    let kx = (at - ky * kernel_line) / channels;
                    let channel = (at - ky * kernel_line) % channels;
                    let count = (channels - channel).min(stop - at);
                    let x = (left + kx).wrapping_sub(pad);
                    if x < seen_width {
                        to.values(&self.x[(pixels + x / 2) * channels + channel..][..count]);
                    } else {
                        to.zeros(count);
                    }
                    at += count;
                }
            } else {
                // The taps of a line lie side by side in the picture, but for those that hang over
                // its edges.
                let first = pad.saturating_sub(left).min(self.kernel_width);
                let last = (width + pad).saturating_sub(left).clamp(first, self.kernel_width);
                let inside = ky * kernel_line + first * channels..ky * kernel_line + last * channels;
                if at < inside.start {
                    let count = stop.min(inside.start) - at;
                    to.zeros(count);
                    at += count;
                }
                if at < stop && at < inside.end {
                    let count = stop.min(inside.end) - at;
                    let x = left + first - pad;
                    let begin = (pixels + x) * channels + (at - inside.start);
                    to.values(&self.x[begin..][..count]);
                    at += count;
                }
                if at < stop {
                    to.zeros(stop - at);
                    at = stop;
                }
            }
        }
    }
}

/// What is added to a convolution's output.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConvExtras<'a> {
    /// `[outputs]`.
    pub bias: Option<&'a [f32]>,
    /// `[batch, outputs]`: an addend of each picture's own, such as the time embedding.
    pub channel_add: Option<&'a [f32]>,
    /// The activation after both.
    pub activation: Activation,
    /// `[batch, out_height, out_width, outputs]`, added last.
    pub residual: Option<&'a [f32]>,
}

/// `activation(conv(x) + bias + channel_add) + residual`.
///
/// # Shapes
/// - `x`: `[batch, height, width, inputs]` as `input` says
/// - `out`: `[batch, out_height, out_width, outputs]`, where [`ConvInput::output`] tells the middle two; what it holds beforehand
///   does not matter
///
/// Padding is zero, so a NaN or an infinite weight gives NaN at the edges too.
///
/// # Panics
/// Panics if a length does not fit, or if weights packed by [`PackedConv::winograd`] are not good for this `input`.
pub fn conv2d(x: &[f32], input: ConvInput, weights: &PackedConv, extras: ConvExtras<'_>, out: &mut [f32]) {
    conv2d_with(family(), x, input, weights, extras, out);
}

pub(crate) fn conv2d_with(
    family: Family,
    x: &[f32],
    input: ConvInput,
    weights: &PackedConv,
    extras: ConvExtras<'_>,
    out: &mut [f32],
) {
    let ConvInput { batch, height, width, .. } = input;
    let (inputs, outputs) = (weights.inputs, weights.outputs());
    let (out_height, out_width) = input.output(weights.height, weights.width);
    let pixels = batch * out_height * out_width;
    assert_eq!(
        x.len(),
        batch * height * width * inputs,
        "conv2d: `x` holds {} values, expected [{batch}, {height}, {width}, {inputs}]",
        x.len()
    );
    let expect = |name: &str, len: usize, expected: usize| {
        assert_eq!(len, expected, "conv2d: `{name}` holds {len} values, expected {expected}");
    };
    expect("out", out.len(), pixels * outputs);
    expect("bias", extras.bias.map_or(outputs, <[f32]>::len), outputs);
    expect("channel_add", extras.channel_add.map_or(batch * outputs, <[f32]>::len), batch * outputs);
    expect("residual", extras.residual.map_or(pixels * outputs, <[f32]>::len), pixels * outputs);
    let epilogue = Epilogue {
        bias: extras.bias,
        per_sample: extras.channel_add.map(|values| (values, out_height * out_width)),
        activation: extras.activation,
        residual: extras.residual,
    };
    match &weights.form {
        Form::Direct(packed) => {
            let patches = Patches { x, input, channels: inputs, kernel_width: weights.width, out_height, out_width };
            multiply(family, &patches, pixels, packed.panels(), epilogue, out);
        }
        Form::Winograd(transformed) => {
            assert_eq!(input.stride, 1, "conv2d: Winograd's algorithm has a stride of 1");
            let pads = (input.pad, input.pad_bottom_right);
            assert!(
                !transformed.upsample || (input.upsample && pads == (1, 0)),
                "conv2d: these weights are for an enlarged picture with a padding of 1"
            );
            assert!(input.first_row().is_multiple_of(2), "conv2d: Winograd's tiles begin at even rows");
            winograd::convolve(family, x, input, transformed, epilogue, out);
        }
    }
}
