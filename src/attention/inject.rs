//! Laying ancestors' maps under a new prompt's words.

use std::ops::Range;
use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::maps::{KeptMap, MapSource, StepMaps, Want, round_maps};
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

fn same_shape(expected: &Tensor, got: &KeptMap, what: &str) -> Result<()> {
    let got = got.tensor();
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
            (qkv.q, qkv.k) = (q.wide()?, k.wide()?);
        }
        if self.carry.mixes(Kind::SelfAttention, site.step) {
            let parent = of_layer(self.ancestor(1)?.v_self.get(&site.layer), site.layer, "values")?;
            same_shape(&qkv.v, parent, "values")?;
            qkv.v = ((qkv.v * (1.0 - self.carry.v_mix))? + (parent.wide()? * self.carry.v_mix)?)?;
        }
        Ok(qkv)
    }
}

impl Inject<'_> {
    fn carried(&self, site: Site, probs: &Tensor, sources: &[Option<ColumnSource<'_>>]) -> Result<Tensor> {
        let mut carried = probs.clone();
        let mut summed = false;
        for up in 1..=self.carry.reach() {
            let given =
                |source: &Option<ColumnSource<'_>>| source.filter(|(u, _)| *u == up).map(|(_, tokens)| tokens.to_vec());
            let given: Vec<_> = sources.iter().map(given).collect();
            if given.iter().all(Option::is_none) {
                continue;
            }
            let theirs = of_layer(self.ancestor(up)?.cross.get(&site.layer), site.layer, "text maps")?;
            same_shape(probs, theirs, "text maps")?;
            summed |= given.iter().flatten().any(|tokens| !matches!(tokens[..], [(_, 1.0)]));
            carried = laid_over(&carried, &sums_of(&theirs.wide()?, &given, 2)?, &given, 2)?;
        }
        // Copies are rounded already; sums are new numbers.
        if summed { round_maps(&carried, self.carry.map_precision) } else { Ok(carried) }
    }

    /// Each token's value mixed with the mean of those it takes its column from.
    fn mixed(&self, site: Site, v: &Tensor) -> Result<Tensor> {
        let mut values = v.clone();
        let mix = self.carry.v_mix as f32;
        for up in 1..=self.carry.reach() {
            let given = |column: &Column| match column {
                Column::From { up: u, tokens } if *u == up && !tokens.is_empty() => {
                    Some(tokens.iter().map(|(token, _)| (*token, 1.0)).collect())
                }
                _ => None,
            };
            let given: Vec<Option<Vec<(usize, f32)>>> = self.carry.columns.iter().map(given).collect();
            if given.iter().all(Option::is_none) {
                continue;
            }
            let theirs = of_layer(self.ancestor(up)?.v_cross.get(&site.layer), site.layer, "values")?;
            same_shape(v, theirs, "values")?;
            let counts: Vec<f32> = given.iter().map(|tokens| tokens.as_ref().map_or(1.0, |t| t.len() as f32)).collect();
            let mean = sums_of(&theirs.wide()?, &given, 0)?.broadcast_div(&along(counts, v, 0)?)?;
            let mixture = ((v * f64::from(1.0 - mix))? + (mean * f64::from(mix))?)?;
            values = laid_over(&values, &mixture, &given, 0)?;
        }
        Ok(values)
    }
}

/// What each place along an axis is given: tokens of an ancestor with their shares, or `None` if it keeps its own.
type Given = Vec<Option<Vec<(usize, f32)>>>;

/// One number for each place along the axis `dim` of a tensor, to be broadcast to its shape.
fn along<T: candle_core::WithDType>(numbers: Vec<T>, like: &Tensor, dim: usize) -> Result<Tensor> {
    let mut shape = vec![1; like.rank()];
    shape[dim] = numbers.len();
    Tensor::from_vec(numbers, shape, like.device())
}

/// For each place along the axis `dim`, the sum of the tokens' slices that it is given, each times its share, in order. A
/// lone token with a share of 1 is copied to the bit. Places that keep their own hold anything.
fn sums_of(theirs: &Tensor, given: &Given, dim: usize) -> Result<Tensor> {
    let theirs = theirs.contiguous()?;
    let most = given.iter().flatten().map(Vec::len).max().unwrap_or(0);
    let mut sum: Option<Tensor> = None;
    for nth in 0..most.max(1) {
        // A place with fewer tokens adds nothing: a slice times 0. One that keeps its own may as well be copied.
        let pick = |(place, tokens): (usize, &Option<Vec<(usize, f32)>>)| match tokens {
            Some(tokens) => tokens.get(nth).map_or((place as u32, 0.0), |(token, share)| (*token as u32, *share)),
            None => (place as u32, 1.0),
        };
        let (tokens, shares): (Vec<u32>, Vec<f32>) = given.iter().enumerate().map(pick).unzip();
        let count = tokens.len();
        let mut slices = theirs.index_select(&Tensor::from_vec(tokens, count, theirs.device())?, dim)?;
        if shares.iter().any(|share| *share != 1.0) {
            slices = slices.broadcast_mul(&along(shares, &theirs, dim)?)?;
        }
        sum = Some(match sum {
            Some(sum) => (sum + slices)?,
            None => slices,
        });
    }
    sum.ok_or_else(|| candle_core::Error::Msg("BUG: no token was summed".to_owned()))
}

/// `new` at the places that are given something, `own` at the rest.
fn laid_over(own: &Tensor, new: &Tensor, given: &Given, dim: usize) -> Result<Tensor> {
    if given.iter().all(Option::is_some) {
        return Ok(new.clone());
    }
    let takes = given.iter().map(|tokens| u8::from(tokens.is_some())).collect();
    // Written out: candle walks a broadcast mask number by number.
    along(takes, own, dim)?.broadcast_as(own.shape())?.contiguous()?.where_cond(new, own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attention::Side;
    use candle_core::Device;

    const KEYS: usize = 6;
    const SITE: Site = Site { step: 0, layer: 3, side: Side::Up, kind: Kind::Cross, grid: (2, 5) };

    /// Maps of two ancestors.
    struct Two(Vec<Arc<StepMaps>>);

    impl MapSource for Two {
        fn maps(&mut self, up: usize, _step: usize, _want: Want) -> Result<Arc<StepMaps>> {
            Ok(self.0[up - 1].clone())
        }
    }

    fn numbers(seed: u32, shape: &[usize]) -> (Vec<f32>, Tensor) {
        let count: usize = shape.iter().product();
        let values: Vec<f32> =
            (0..count as u32).map(|i| (((i + 7 * seed) * 2_654_435_761) >> 8) as f32 / 2e7).collect();
        let tensor = Tensor::from_vec(values.clone(), shape, &Device::Cpu).unwrap();
        (values, tensor)
    }

    fn plan(columns: Vec<Column>) -> InjectionPlan {
        InjectionPlan {
            cross: vec![0..1; columns.len()],
            columns,
            own: 0..0,
            self_max: 0,
            values: 0..1,
            v_mix: 0.3,
            v_layers: VLayers::Cross,
            map_precision: Precision::F32,
        }
    }

    #[test]
    fn columns_and_values_are_the_bits_that_sums_in_the_order_of_the_tokens_have() {
        let from = |up: usize, tokens: &[(usize, f32)]| Column::From { up, tokens: tokens.to_vec() };
        let plan = plan(vec![
            Column::Own,
            from(1, &[(4, 1.0)]),
            from(2, &[(0, 1.0)]),
            from(1, &[(1, 0.5), (2, 0.5), (5, 0.3)]),
            from(2, &[]),
            from(1, &[(5, 0.7)]),
        ]);
        let (heads, pixels, width) = (2, 10, 4);
        let (probs, probs_tensor) = numbers(1, &[heads, pixels, KEYS]);
        let (v, v_tensor) = numbers(2, &[KEYS, width]);
        let (mut cross, mut values, mut all) = (Vec::new(), Vec::new(), Vec::new());
        for up in 0..2 {
            let (map, map_tensor) = numbers(3 + up, &[heads, pixels, KEYS]);
            let (value, value_tensor) = numbers(5 + up, &[KEYS, width]);
            let mut maps = StepMaps::default();
            maps.cross.insert(SITE.layer, map_tensor.into());
            maps.v_cross.insert(SITE.layer, value_tensor.into());
            cross.push(map);
            values.push(value);
            all.push(Arc::new(maps));
        }
        let (mut wanted, mut wanted_v) = (probs, v);
        for (j, column) in plan.columns.iter().enumerate() {
            let Column::From { up, tokens } = column else { continue };
            for row in 0..heads * pixels {
                let of = |(token, share): &(usize, f32)| share * cross[up - 1][row * KEYS + token];
                wanted[row * KEYS + j] = tokens.iter().map(of).fold(0.0, |sum, x| sum + x);
            }
            for c in 0..width * usize::from(!tokens.is_empty()) {
                let sum = tokens.iter().map(|(t, _)| values[up - 1][t * width + c]).fold(0.0, |sum, x| sum + x);
                let own = &mut wanted_v[j * width + c];
                *own = (1.0 - 0.3f32) * *own + 0.3f32 * (sum / tokens.len() as f32);
            }
        }
        let mut source = Two(all);
        let mut inject = Inject::new(&plan, &mut source);
        inject.before_step(0).unwrap();
        let (probs, v) = inject.attend_text(SITE, probs_tensor, v_tensor).unwrap();
        let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        let of = |t: Tensor| bits(&t.flatten_all().unwrap().to_vec1::<f32>().unwrap());
        assert_eq!(of(probs), bits(&wanted));
        assert_eq!(of(v), bits(&wanted_v));
    }

    #[test]
    fn a_map_of_another_grid_is_refused_not_cut() {
        let plan = plan(vec![Column::From { up: 1, tokens: vec![(0, 1.0)] }; KEYS]);
        let mut maps = StepMaps::default();
        maps.cross.insert(SITE.layer, numbers(1, &[2, 9, KEYS]).1.into());
        let mut source = Two(vec![Arc::new(maps)]);
        let mut inject = Inject::new(&plan, &mut source);
        inject.before_step(0).unwrap();
        let error = inject.attend_text(SITE, numbers(2, &[2, 10, KEYS]).1, numbers(3, &[KEYS, 4]).1).unwrap_err();
        assert!(error.to_string().contains("text maps"), "{error}");
    }
}
