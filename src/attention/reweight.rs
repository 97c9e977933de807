//! Weights of words: a column times its weight, where it meets the values.

use std::ops::Range;

use candle_core::{D, Result, Tensor};

use super::{AttentionControl, Kind, Site};

/// Scales columns. Comes after recording: what is recorded is carried, never used.
#[derive(Debug, Clone)]
pub struct Reweight {
    /// One per token.
    weights: Vec<f32>,
    /// Steps during which each token's weight applies; `None` is always.
    inside: Option<Vec<Range<usize>>>,
    renormalize: bool,
    measure: bool,
    /// The largest distance of a row's sum from 1 seen so far, by step.
    row_gaps: Vec<f32>,
}

impl Reweight {
    /// Weights one per token, applied always or inside the tokens' windows. `measure` keeps the largest deviation of a
    /// row's sum from 1, which the turn's report names.
    #[must_use]
    pub fn new(weights: Vec<f32>, inside: Option<Vec<Range<usize>>>, renormalize: bool, measure: bool) -> Self {
        Self { weights, inside, renormalize, measure, row_gaps: Vec::new() }
    }

    /// The same weights after steps with these largest distances.
    #[must_use]
    pub fn after(mut self, row_gaps: &[f32]) -> Self {
        self.row_gaps = row_gaps.to_vec();
        self
    }

    /// The largest distance of a row's sum from 1, by step; empty where nothing was measured.
    #[must_use]
    pub fn into_row_gaps(self) -> Vec<f32> {
        self.row_gaps
    }
}

/// Weights at a step, one per token: those that are there, always or `inside` the tokens' windows and 1 outside.
#[must_use]
pub fn weights_at(weights: &[f32], inside: Option<&[Range<usize>]>, step: usize) -> Vec<f32> {
    match inside {
        None => weights.to_vec(),
        Some(windows) => {
            let pairs = weights.iter().zip(windows);
            pairs.map(|(w, window)| if window.contains(&step) { *w } else { 1.0 }).collect()
        }
    }
}

impl AttentionControl for Reweight {
    fn watches(&self, site: Site) -> bool {
        site.kind == Kind::Cross && (self.measure || self.renormalize || self.weights.iter().any(|w| *w != 1.0))
    }

    fn attend_text(&mut self, site: Site, mut probs: Tensor, v: Tensor) -> Result<(Tensor, Tensor)> {
        let weights = weights_at(&self.weights, self.inside.as_deref(), site.step);
        if weights.iter().any(|w| *w != 1.0) {
            let weights = Tensor::from_vec(weights, (1, 1, probs.dim(2)?), probs.device())?;
            probs = probs.broadcast_mul(&weights)?;
        }
        if self.measure || self.renormalize {
            let sums = probs.sum_keepdim(D::Minus1)?;
            if self.measure {
                let gap = (&sums - 1.0)?.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>()?;
                if self.row_gaps.len() <= site.step {
                    self.row_gaps.resize(site.step + 1, 0.0);
                }
                self.row_gaps[site.step] = self.row_gaps[site.step].max(gap);
            }
            if self.renormalize {
                // A row whose weights cancel out has no sum to scale back; it is left as it is.
                let safe = sums.abs()?.lt(1e-6)?.where_cond(&sums.ones_like()?, &sums)?;
                probs = probs.broadcast_div(&safe)?;
            }
        }
        Ok((probs, v))
    }
}
