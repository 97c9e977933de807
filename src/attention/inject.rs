//! Laying ancestors' maps under a new prompt's words.

use std::ops::Range;
use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::maps::{MapSource, StepMaps, Want, round_maps};
use super::{AttentionControl, Kind, Qkv, Site};

use crate::plan::Column;
use crate::plan::settings::{Precision, VLayers};

/// A plan's part in attention, worked out for a run: which columns, queries, keys and values are an ancestor's, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct InjectionPlan {
    /// Source of each token's column.
    pub columns: Vec<Column>,
    /// Steps during which each token's column is carried.
    pub cross: Vec<Range<usize>>,
    /// Steps during which the parent's queries and keys take the place of the run's.
    pub own: Range<usize>,
    /// Largest self-attention layer, in pixels, that this is done in.
    pub self_max: usize,
    /// Steps during which values are mixed.
    pub values: Range<usize>,
    /// Share of the ancestor's values.
    pub v_mix: f64,
    /// Where values are mixed.
    pub v_layers: VLayers,
    /// Rounding of what is carried.
    pub map_precision: Precision,
}

/// An ancestor, generations up, and its tokens with their shares.
pub type ColumnSource<'c> = (usize, &'c [(usize, f32)]);

impl InjectionPlan {
    /// Whether token `j`'s column is an ancestor's at a step, and whose.
    #[must_use]
    pub fn source(&self, j: usize, step: usize) -> Option<ColumnSource<'_>> {
        match &self.columns[j] {
            Column::From { up, tokens } if self.cross[j].contains(&step) => Some((*up, tokens)),
            _ => None,
        }
    }

    /// Whether values are mixed at a step, in attention of this kind.
    #[must_use]
    pub fn mixes(&self, kind: Kind, step: usize) -> bool {
        let layers = match kind {
            Kind::Cross => self.v_layers != VLayers::SelfAttention,
            Kind::SelfAttention => self.v_layers != VLayers::Cross,
        };
        layers && self.values.contains(&step)
    }

    /// What is needed of the ancestor `up` generations up at a step.
    #[must_use]
    pub fn wants(&self, up: usize, step: usize) -> Want {
        let names = |c: &Column| matches!(c, Column::From { up: u, .. } if *u == up);
        let cross = (0..self.columns.len()).any(|j| self.source(j, step).is_some_and(|(u, _)| u == up));
        let mixes_text = self.mixes(Kind::Cross, step) && self.columns.iter().any(names);
        let mixes_own = self.mixes(Kind::SelfAttention, step) && up == 1;
        Want { cross, own: up == 1 && self.own.contains(&step), values: mixes_text || mixes_own }
    }

    /// Generations up to the furthest ancestor that is named.
    #[must_use]
    pub fn reach(&self) -> usize {
        let named = self.columns.iter().map(|c| if let Column::From { up, .. } = c { *up } else { 0 });
        named.max().unwrap_or(0).max(usize::from(!self.own.is_empty() || !self.values.is_empty()))
    }
}

/// Carries ancestors' maps as an [`InjectionPlan`] says.
pub struct Inject<'a> {
    carry: &'a InjectionPlan,
    source: &'a mut dyn MapSource,
    /// Maps of this step's ancestors; the parent first.
    now: Vec<Option<Arc<StepMaps>>>,
}

impl<'a> Inject<'a> {
    /// A control that asks `source` for what `carry` names.
    #[must_use]
    pub fn new(carry: &'a InjectionPlan, source: &'a mut dyn MapSource) -> Self {
        Self { carry, source, now: Vec::new() }
    }

    fn ancestor(&self, up: usize) -> Result<&StepMaps> {
        match self.now.get(up - 1) {
            Some(Some(maps)) => Ok(maps),
            _ => candle_core::bail!("BUG: maps of the ancestor {up} generations up were not fetched"),
        }
    }
}

/// The tensor of a layer, which must be there and have the shape of its place.
fn of_layer<'t, T>(found: Option<&'t T>, layer: usize, what: &str) -> Result<&'t T> {
    match found {
        Some(t) => Ok(t),
        None => candle_core::bail!("BUG: {what} of attention layer {layer} were not kept"),
    }
}

fn same_shape(expected: &Tensor, got: &Tensor, what: &str) -> Result<()> {
    if expected.dims() == got.dims() {
        return Ok(());
    }
    candle_core::bail!("{what} of an ancestor have shape {:?}, expected {:?}", got.dims(), expected.dims())
}

impl AttentionControl for Inject<'_> {
    fn before_step(&mut self, step: usize) -> Result<()> {
        self.now.clear();
        for up in 1..=self.carry.reach() {
            let want = self.carry.wants(up, step);
            self.now.push(if want.any() { Some(self.source.maps(up, step, want)?) } else { None });
        }
        Ok(())
    }

    fn watches(&self, site: Site) -> bool {
        let carries = match site.kind {
            Kind::Cross => (0..self.carry.columns.len()).any(|j| self.carry.source(j, site.step).is_some()),
            Kind::SelfAttention => self.carry.own.contains(&site.step) && site.pixels() <= self.carry.self_max,
        };
        carries || self.carry.mixes(site.kind, site.step)
    }

    /// Column `j` of the result is the run's own, or the sum of an ancestor's columns each times its share.
    fn attend_text(&mut self, site: Site, probs: Tensor, v: Tensor) -> Result<(Tensor, Tensor)> {
        let keys = probs.dim(2)?;
        if keys != self.carry.columns.len() {
            candle_core::bail!("BUG: the plan has {} columns, the map {keys}", self.carry.columns.len());
        }
        let sources: Vec<_> = (0..keys).map(|j| self.carry.source(j, site.step)).collect();
        let probs = if sources.iter().any(Option::is_some) { self.carried(site, &probs, &sources)? } else { probs };
        let v = if self.carry.mixes(Kind::Cross, site.step) { self.mixed(site, &v)? } else { v };
        Ok((probs, v))
    }

    fn attend_self(&mut self, site: Site, mut qkv: Qkv) -> Result<Qkv> {
        if self.carry.own.contains(&site.step) && site.pixels() <= self.carry.self_max {
            let (q, k) = of_layer(self.ancestor(1)?.own.get(&site.layer), site.layer, "queries and keys")?;
            same_shape(&qkv.q, q, "queries")?;
            (qkv.q, qkv.k) = (q.clone(), k.clone());
        }
        if self.carry.mixes(Kind::SelfAttention, site.step) {
            let parent = of_layer(self.ancestor(1)?.v_self.get(&site.layer), site.layer, "values")?;
            same_shape(&qkv.v, parent, "values")?;
            qkv.v = ((qkv.v * (1.0 - self.carry.v_mix))? + (parent * self.carry.v_mix)?)?;
        }
        Ok(qkv)
    }
}

impl Inject<'_> {
    fn carried(&self, site: Site, probs: &Tensor, sources: &[Option<ColumnSource<'_>>]) -> Result<Tensor> {
        let (keys, rows) = (sources.len(), probs.elem_count() / sources.len());
        let mut values = probs.flatten_all()?.to_vec1::<f32>()?;
        let mut summed = false;
        for up in 1..=self.carry.reach() {
            if !sources.iter().flatten().any(|(u, _)| *u == up) {
                continue;
            }
            let theirs = of_layer(self.ancestor(up)?.cross.get(&site.layer), site.layer, "text maps")?;
            same_shape(probs, theirs, "text maps")?;
            let theirs = theirs.flatten_all()?.to_vec1::<f32>()?;
            for (j, source) in sources.iter().enumerate() {
                let Some((u, tokens)) = source else { continue };
                if *u != up {
                    continue;
                }
                if let [(token, share)] = tokens
                    && *share == 1.0
                {
                    for row in 0..rows {
                        values[row * keys + j] = theirs[row * keys + token];
                    }
                } else {
                    summed = true;
                    for row in 0..rows {
                        values[row * keys + j] = tokens.iter().map(|(t, share)| share * theirs[row * keys + t]).sum();
                    }
                }
            }
        }
        let carried = Tensor::from_vec(values, probs.dims(), probs.device())?;
        // Copies are rounded already; sums are new numbers.
        if summed { round_maps(&carried, self.carry.map_precision) } else { Ok(carried) }
    }

    /// Each token's value mixed with the mean of those it takes its column from.
    fn mixed(&self, site: Site, v: &Tensor) -> Result<Tensor> {
        let (keys, width) = v.dims2()?;
        let mut values = v.flatten_all()?.to_vec1::<f32>()?;
        let mix = self.carry.v_mix as f32;
        for up in 1..=self.carry.reach() {
            let named = |c: &Column| matches!(c, Column::From { up: u, tokens } if *u == up && !tokens.is_empty());
            if !self.carry.columns.iter().any(named) {
                continue;
            }
            let theirs = of_layer(self.ancestor(up)?.v_cross.get(&site.layer), site.layer, "values")?;
            same_shape(v, theirs, "values")?;
            let theirs = theirs.flatten_all()?.to_vec1::<f32>()?;
            for j in 0..keys {
                let Column::From { up: u, tokens } = &self.carry.columns[j] else { continue };
                if *u != up || tokens.is_empty() {
                    continue;
                }
                for c in 0..width {
                    let mean = tokens.iter().map(|(t, _)| theirs[t * width + c]).sum::<f32>() / tokens.len() as f32;
                    let own = &mut values[j * width + c];
                    *own = (1.0 - mix) * *own + mix * mean;
                }
            }
        }
        Tensor::from_vec(values, v.dims(), v.device())
    }
}
