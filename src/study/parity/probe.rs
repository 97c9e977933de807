//! Looks at used maps of a case, as the published store keeps them.

use candle_core::{D, Result, Tensor};

use crate::attention::record::MaskLayers;
use crate::attention::{AttentionControl, Kind, Qkv, Side, Site};

const GRID: (usize, usize) = (16, 16);
/// Every 16th query row is kept.
const ROW_STEP: usize = 16;

/// What a case's probe saw of one prompt.
#[derive(Default)]
pub(super) struct Probe {
    steps: Vec<usize>,
    heads: usize,
    first_cross: Option<usize>,
    first_self: Option<usize>,
    /// `[256, keys]` at each probed step.
    pub(super) cross: Vec<Vec<f32>>,
    /// `[heads, 16, 256]` at each probed step.
    pub(super) own: Vec<Vec<f32>>,
    /// `[keys, 256]`, summed over steps.
    pub(super) sum: Vec<f32>,
    layers: Option<MaskLayers>,
}

impl Probe {
    pub(super) fn new(steps: &[usize], heads: usize, layers: MaskLayers) -> Self {
        Self { steps: steps.to_vec(), heads, layers: Some(layers), ..Self::default() }
    }

    fn is_first(&self, site: Site) -> bool {
        let first = if site.kind == Kind::Cross { self.first_cross } else { self.first_self };
        site.side == Side::Down && site.grid == GRID && first.is_none_or(|layer| layer == site.layer)
    }
}

impl AttentionControl for Probe {
    fn watches(&self, site: Site) -> bool {
        site.grid == GRID && site.side != Side::Middle
    }

    fn attend_text(&mut self, site: Site, probs: Tensor, v: Tensor) -> Result<(Tensor, Tensor)> {
        if self.is_first(site) {
            self.first_cross = Some(site.layer);
            if self.steps.contains(&site.step) {
                self.cross.push(probs.mean(0)?.flatten_all()?.to_vec1()?);
            }
        }
        if let Some(layers) = self.layers.filter(|l| l.has(site)) {
            crate::attention::record::add_word_map(&probs, 1.0 / layers.count as f32, &mut self.sum)?;
        }
        Ok((probs, v))
    }

    fn attend_self(&mut self, site: Site, qkv: Qkv) -> Result<Qkv> {
        if self.is_first(site) {
            self.first_self = Some(site.layer);
            if self.steps.contains(&site.step) {
                let (pixels, channels) = qkv.q.dims2()?;
                let width = channels / self.heads;
                let split = |x: &Tensor| x.reshape((pixels, self.heads, width))?.transpose(0, 1)?.contiguous();
                let scores = (split(&qkv.q)?.matmul(&split(&qkv.k)?.t()?.contiguous()?)? / (width as f64).sqrt())?;
                let exp = scores.broadcast_sub(&scores.max_keepdim(D::Minus1)?)?.exp()?;
                let probs = exp.broadcast_div(&exp.sum_keepdim(D::Minus1)?)?;
                let rows: Vec<u32> = (0..pixels as u32).step_by(ROW_STEP).collect();
                let count = rows.len();
                let kept = probs.index_select(&Tensor::from_vec(rows, count, probs.device())?, 1)?;
                self.own.push(kept.flatten_all()?.to_vec1()?);
            }
        }
        Ok(qkv)
    }
}
