//! Large pictures in bands of rows, so that a layer never holds one twice.
//!
//! At 512 x 512 a decoder's widest result takes 268 MB, and what is made of it as much again. Where it comes in bands, each band is
//! given up as soon as the next layer has read it. It is not recycled: a store of bands would be as large as what they save. Kernels
//! give a row the same bits in a band and in a whole picture.

use std::collections::VecDeque;

use candle_core::{Result, Tensor, bail};

use super::{Conv, GroupNorm, recycle};

/// Rows of a neighbour that are read with a band: one for a 3 x 3 kernel, and one more since Winograd's tiles begin at even rows.
const NEIGHBOURS: usize = 2;

/// Rows of a band are a multiple of this: of whole tiles, and with 4 pixels across or more of whole tasks of a norm.
const TOGETHER: usize = 16;

/// A picture, `[1, height, width, channels]`, in bands from top to bottom.
pub struct Bands(VecDeque<Tensor>);

/// A band with rows of its neighbours.
pub struct BandWindow {
    /// The last rows of the one above.
    above: Option<Tensor>,
    /// Itself.
    pub band: Tensor,
    /// The first rows of the one below.
    below: Option<Tensor>,
}

impl BandWindow {
    /// Rows, from top to bottom.
    fn parts(&self) -> Vec<&Tensor> {
        self.above.iter().chain([&self.band]).chain(&self.below).collect()
    }

    /// How many rows are above the band's own.
    fn rows_above(&self) -> Result<usize> {
        self.above.as_ref().map_or(Ok(0), |above| above.dim(1))
    }

    /// A 3 x 3 convolution's output at the band, from the normalised picture; then plus `residual`.
    ///
    /// # Errors
    /// Fails if the channels do not fit.
    pub fn normalised(&self, norm: &Normalised<'_>, conv: &Conv, residual: Option<&Tensor>) -> Result<Tensor> {
        let rows = (self.rows_above()?, self.band.dim(1)?);
        let x = norm.norm.forward_by(&norm.sums, &self.parts(), true)?;
        let y = conv.forward_rows(&x, rows, residual)?;
        recycle(x);
        Ok(y)
    }

    /// A 3 x 3 convolution's output at the band of an enlarged picture.
    fn doubled(&self, conv: &Conv) -> Result<Tensor> {
        let rows = (2 * self.rows_above()?, 2 * self.band.dim(1)?);
        conv.forward_rows(&Tensor::cat(&self.parts(), 1)?, rows, None)
    }
}

/// A norm, then SiLU, with the sums of a picture.
pub struct Normalised<'a> {
    norm: &'a GroupNorm,
    sums: wordbrush_kernels::GroupSums,
}

impl Bands {
    /// The output of a convolution that keeps or doubles the picture, in bands of about so many values.
    ///
    /// # Errors
    /// Fails if the channels do not fit.
    pub fn convolved(x: &Tensor, conv: &Conv, values: usize) -> Result<Self> {
        let (batch, height, width, channels) = conv.output(x)?;
        if batch != 1 {
            bail!("BUG: {batch} pictures in bands");
        }
        let rows = (values / (width * channels) / TOGETHER * TOGETHER).max(TOGETHER);
        let firsts = (0..height).step_by(rows);
        Ok(Self(
            firsts.map(|first| conv.forward_rows(x, (first, rows.min(height - first)), None)).collect::<Result<_>>()?,
        ))
    }

    /// A norm of this picture.
    ///
    /// # Errors
    /// Fails if the channels do not fit.
    pub fn sums<'a>(&self, norm: &'a GroupNorm) -> Result<Normalised<'a>> {
        Ok(Normalised { norm, sums: norm.sums(&self.0)? })
    }

    /// What `next` makes of each band, from top to bottom.
    ///
    /// # Errors
    /// Fails if `next` does.
    pub fn map(mut self, mut next: impl FnMut(BandWindow) -> Result<Tensor>) -> Result<Self> {
        let mut above = None;
        let mut made = VecDeque::with_capacity(self.0.len());
        while let Some(band) = self.0.pop_front() {
            let rows = band.dim(1)?;
            let kept = NEIGHBOURS.min(rows);
            // A copy: the band goes before its successor is read.
            let last = band.narrow(1, rows - kept, kept)?.force_contiguous()?;
            let below = self.0.front().map(|next| next.narrow(1, 0, NEIGHBOURS.min(next.dim(1)?))).transpose()?;
            made.push_back(next(BandWindow { above: above.replace(last), band, below })?);
        }
        Ok(Self(made))
    }

    /// The picture enlarged by a convolution.
    ///
    /// # Errors
    /// Fails if the channels do not fit.
    pub fn doubled(self, conv: &Conv) -> Result<Self> {
        self.map(|window| window.doubled(conv))
    }

    /// A 3 x 3 convolution of the normalised picture, plus `residual`, which has the same bands.
    ///
    /// # Errors
    /// Fails if the channels do not fit.
    pub fn convolved_after(self, norm: &Normalised<'_>, conv: &Conv, residual: Option<Vec<Tensor>>) -> Result<Self> {
        let mut residual = residual.map(Vec::into_iter);
        self.map(|window| {
            let residual = residual.as_mut().and_then(Iterator::next);
            window.normalised(norm, conv, residual.as_ref())
        })
    }

    /// The whole picture.
    ///
    /// # Errors
    /// Fails if the device has no memory left.
    pub fn joined(self) -> Result<Tensor> {
        Tensor::cat(&Vec::from(self.0), 1)
    }
}
