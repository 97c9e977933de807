//! Attention to the picture and to the words, with the hook.

use anyhow::Result;
use candle_core::Tensor;

use super::super::layers::{
    Backend, Bias, GatedLinear, GroupNorm, LayerNorm, Linear, apply_probs, attention, attention_probs, recycle, then,
};
use super::Call;
use crate::attention::maps::{round_maps, round_maps_over};
use crate::attention::{Kind, Qkv, Side, Site};
use crate::model::spec::UnetSpec;
use crate::model::weights::Weights;

/// The epsilon of a transformer's norms, which no configuration sets.
const NORM_EPS: f64 = 1e-6;
const LAYER_NORM_EPS: f64 = 1e-5;

/// What travels through the UNet during one call.
pub(super) struct Pass<'a, 'b> {
    call: Call<'a>,
    text: &'b [(Tensor, Tensor)],
    backend: &'b Backend,
    /// The way that is being gone.
    pub(super) side: Side,
    layer: usize,
    /// Attentions to the words so far.
    read: usize,
}

impl<'a, 'b> Pass<'a, 'b> {
    pub(super) fn new(call: Call<'a>, text: &'b [(Tensor, Tensor)], backend: &'b Backend) -> Self {
        Self { call, text, backend, side: Side::Down, layer: 0, read: 0 }
    }

    fn site(&self, kind: Kind, grid: (usize, usize)) -> Site {
        Site { step: self.call.step, layer: self.layer, side: self.side, kind, grid }
    }
}

/// A norm, a projection, transformer blocks, a projection back, and a way round them.
pub(super) struct Transformer {
    norm: GroupNorm,
    proj_in: Linear,
    blocks: Vec<Block>,
    proj_out: Linear,
}

struct Block {
    norm_1: LayerNorm,
    own: Attention,
    /// Whether the first attention reads the words too, and nothing attends to the picture.
    only_cross: bool,
    norm_2: LayerNorm,
    text: Attention,
    norm_3: LayerNorm,
    ff_in: GatedLinear,
    ff_out: Linear,
    heads: usize,
}

struct Attention {
    q: Linear,
    k: Linear,
    v: Linear,
    out: Linear,
}

impl Transformer {
    pub(super) fn load(
        w: &Weights,
        name: &str,
        spec: &UnetSpec,
        (level, only_cross): (usize, bool),
        backend: &Backend,
    ) -> Result<Self> {
        let c = spec.channels[level];
        // A 1x1 convolution is a linear layer on channels-last data, so both forms of the projections are read as one.
        let linear = |part: &str, n: usize, m: usize, bias: Bias| {
            Linear::load(w, &format!("{name}.{part}"), n, m, bias, backend)
        };
        let block = |i: usize| -> Result<Block> {
            let at = |part: &str| format!("transformer_blocks.{i}.{part}");
            let norm = |part: &str| LayerNorm::load(w, &format!("{name}.{}", at(part)), c, LAYER_NORM_EPS, backend);
            let attention = |part: &str, context: usize| -> Result<Attention> {
                Ok(Attention {
                    q: linear(&at(&format!("{part}.to_q")), c, c, Bias::No)?,
                    k: linear(&at(&format!("{part}.to_k")), context, c, Bias::No)?,
                    v: linear(&at(&format!("{part}.to_v")), context, c, Bias::No)?,
                    out: linear(&at(&format!("{part}.to_out.0")), c, c, Bias::Yes)?,
                })
            };
            Ok(Block {
                norm_1: norm("norm1")?,
                own: attention("attn1", if only_cross { spec.context } else { c })?,
                only_cross,
                norm_2: norm("norm2")?,
                text: attention("attn2", spec.context)?,
                norm_3: norm("norm3")?,
                ff_in: GatedLinear::load(w, &format!("{name}.{}", at("ff.net.0.proj")), c, 4 * c, backend)?,
                ff_out: linear(&at("ff.net.2"), 4 * c, c, Bias::Yes)?,
                heads: spec.heads[level],
            })
        };
        Ok(Self {
            norm: GroupNorm::load(w, &format!("{name}.norm"), c, spec.groups, NORM_EPS, backend)?,
            proj_in: linear("proj_in", c, c, Bias::Yes)?,
            blocks: (0..spec.depth[level]).map(block).collect::<Result<_>>()?,
            proj_out: linear("proj_out", c, c, Bias::Yes)?,
        })
    }

    /// Attentions to the words.
    pub(super) fn cross_layers(&self) -> usize {
        self.blocks.iter().map(|block| block.readers().count()).sum()
    }

    /// Whether anything here attends to the picture.
    pub(super) fn has_self_attention(&self) -> bool {
        self.blocks.iter().any(|block| !block.only_cross)
    }

    /// Keys and values of the text for each block, in the order the blocks run.
    pub(super) fn prepare(&self, text: &Tensor, into: &mut Vec<(Tensor, Tensor)>) -> candle_core::Result<()> {
        for block in &self.blocks {
            for reader in block.readers() {
                into.push((reader.k.forward(text)?, reader.v.forward(text)?));
            }
        }
        Ok(())
    }

    pub(super) fn forward(&self, x: &Tensor, pass: &mut Pass<'_, '_>) -> candle_core::Result<Tensor> {
        let (batch, h, w, c) = x.dims4()?;
        let flat = x.reshape((batch, h * w, c))?;
        let mut y = then(self.norm.forward(&flat, false)?, |n| self.proj_in.forward(n))?;
        for block in &self.blocks {
            y = block.forward(y, (h, w), pass)?;
        }
        then(y, |y| self.proj_out.forward_with(y, None, Some(&flat)))?.reshape((batch, h, w, c))
    }
}

impl Block {
    /// Its attentions to the words, in the order they run.
    fn readers(&self) -> impl Iterator<Item = &Attention> {
        self.only_cross.then_some(&self.own).into_iter().chain([&self.text])
    }

    fn forward(&self, x: Tensor, grid: (usize, usize), pass: &mut Pass<'_, '_>) -> candle_core::Result<Tensor> {
        let own = then(self.norm_1.forward(&x)?, |n| match self.only_cross {
            true => self.attend_text(&self.own, n, grid, pass),
            false => self.attend_self(n, pass.site(Kind::SelfAttention, grid), pass),
        })?;
        let x = add(x, own, |own, x| self.own.out.forward_with(own, None, Some(x)))?;
        let text = then(self.norm_2.forward(&x)?, |n| self.attend_text(&self.text, n, grid, pass))?;
        let x = add(x, text, |text, x| self.text.out.forward_with(text, None, Some(x)))?;
        let inner = then(self.norm_3.forward(&x)?, |n| self.ff_in.forward(n))?;
        add(x, inner, |inner, x| self.ff_out.forward_with(inner, None, Some(x)))
    }

    fn attend_self(&self, x: &Tensor, site: Site, pass: &mut Pass<'_, '_>) -> candle_core::Result<Tensor> {
        let (q, k, v) = (self.own.q.forward(x)?, self.own.k.forward(x)?, self.own.v.forward(x)?);
        let precision = pass.call.map_precision;
        let (q, k) = (round_maps_over(q, precision)?, round_maps_over(k, precision)?);
        if !pass.call.shown || !pass.call.control.watches(site) {
            let out = attention((&q, &k, &v), self.heads, false, pass.backend)?;
            [q, k, v].into_iter().for_each(recycle);
            return Ok(out);
        }
        // Whoever watches may keep what it is shown.
        let last = q.dim(0)? - 1;
        let shown = Qkv { q: q.get(last)?, k: k.get(last)?, v: v.get(last)? };
        let new = pass.call.control.attend_self(site, shown.clone())?;
        let q = replace_last(&q, &shown.q, new.q)?;
        let k = replace_last(&k, &shown.k, new.k)?;
        let v = replace_last(&v, &shown.v, new.v)?;
        attention((&q, &k, &v), self.heads, false, pass.backend)
    }

    fn attend_text(
        &self,
        reader: &Attention,
        x: &Tensor,
        grid: (usize, usize),
        pass: &mut Pass<'_, '_>,
    ) -> candle_core::Result<Tensor> {
        let site = pass.site(Kind::Cross, grid);
        let q = reader.q.forward(x)?;
        let (k, v) = &pass.text[pass.read];
        pass.read += 1;
        pass.layer += 1;
        let probs = then(q, |q| attention_probs(q, k, self.heads, pass.backend))?; // [batch, heads, pixels, keys]
        if !pass.call.shown {
            return then(probs, |probs| apply_probs(probs, v, pass.backend));
        }
        let last = probs.dim(0)? - 1;
        let own = round_maps(&probs.get(last)?, pass.call.map_precision)?; // [heads, pixels, keys]
        let (own, v_shown) = if pass.call.control.watches(site) {
            pass.call.control.attend_text(site, own, v.get(last)?)?
        } else {
            (own, v.get(last)?)
        };
        let shown = apply_probs(&own.unsqueeze(0)?, &v_shown.unsqueeze(0)?, pass.backend)?;
        if last == 0 {
            return Ok(shown);
        }
        let rest = apply_probs(&probs.narrow(0, 0, last)?, &v.narrow(0, 0, last)?, pass.backend)?;
        then(shown, |shown| then(rest, |rest| Tensor::cat(&[rest, shown], 0)))
    }
}

/// A branch added to what it branched off from, and then no more of either.
fn add(
    x: Tensor,
    branch: Tensor,
    layer: impl FnOnce(&Tensor, &Tensor) -> candle_core::Result<Tensor>,
) -> candle_core::Result<Tensor> {
    then(x, |x| then(branch, |branch| layer(branch, x)))
}

/// The batch with its last sample replaced, or as it is if the control gave the sample back.
fn replace_last(all: &Tensor, before: &Tensor, after: Tensor) -> candle_core::Result<Tensor> {
    if after.id() == before.id() {
        return Ok(all.clone());
    }
    if after.dims() != before.dims() {
        candle_core::bail!("a control gave {:?} in the place of {:?}", after.dims(), before.dims());
    }
    let last = all.dim(0)? - 1;
    let after = after.unsqueeze(0)?;
    if last == 0 { Ok(after) } else { Tensor::cat(&[&all.narrow(0, 0, last)?, &after], 0) }
}
