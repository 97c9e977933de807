//! Which first steps two runs have in common.
//!
//! Runs of one prompt from one parent that differ in their settings alone do the same until the first step at which a
//! setting tells them apart: a window that closes, a blend that begins, a weight that ends. What they share need be
//! computed once ([`RunPrefix`](super::edit::RunPrefix)), and the result has the same bits.

use super::edit::{RunPlan, RunRegion};
use crate::attention::Kind;
use crate::attention::blend::MaskWords;
use crate::attention::inject::ColumnSource;
use crate::plan::Column;
use crate::plan::area::Area;
use crate::plan::settings::{BlendArithmetic, BlendMaps, RegionFrom};

/// All that a run's orders say about one step. Two runs that are equal here, and came to the step with the same latent
/// and maps, leave it with the same.
#[derive(Debug, PartialEq)]
struct AtStep<'o> {
    /// Whose column each token has.
    columns: Vec<Option<ColumnSource<'o>>>,
    /// The largest layer in which self-attention is the parent's, where it is.
    own: Option<usize>,
    /// The share of mixed values, and where tokens take theirs from.
    text_values: Option<(f64, &'o [Column])>,
    own_values: Option<f64>,
    weights: Vec<f32>,
    renormalize: bool,
    /// Whether masks are made of other maps than those recorded: then every step counts, blended or not.
    makes_masks_of_used_maps: bool,
    mask: Option<MaskAt<'o>>,
}

/// What blends a step.
#[derive(Debug, PartialEq)]
enum MaskAt<'o> {
    Inherited,
    Given(&'o Area, f64),
    Computed { from: RegionFrom, k: f64, substruct_k: f64, words: [&'o MaskWords; 2], arithmetic: BlendArithmetic },
}

impl RunPlan {
    /// Whether masks are made of weighed maps that differ from the recorded ones.
    #[must_use]
    pub fn makes_masks_of_used_maps(&self) -> bool {
        let weighs = self.renormalize || self.weights.iter().any(|w| *w != 1.0);
        matches!(&self.region, RunRegion::Words { maps: BlendMaps::Used, .. }) && weighs
    }

    fn at(&self, step: usize) -> AtStep<'_> {
        let carry = &self.carry;
        let mixes = |kind| carry.mixes(kind, step);
        AtStep {
            columns: (0..carry.columns.len()).map(|token| carry.source(token, step)).collect(),
            own: carry.own.contains(&step).then_some(carry.self_max),
            text_values: mixes(Kind::Cross).then_some((carry.v_mix, &carry.columns)),
            own_values: mixes(Kind::SelfAttention).then_some(carry.v_mix),
            weights: self.weights_at(step),
            renormalize: self.renormalize,
            makes_masks_of_used_maps: self.makes_masks_of_used_maps(),
            mask: match &self.region {
                RunRegion::As => Some(MaskAt::Inherited),
                RunRegion::Given { area, k } => Some(MaskAt::Given(area, *k)),
                RunRegion::Words { from, k, substruct_k, source, target, start, arithmetic, .. } if *start <= step => {
                    let (from, k, substruct_k, arithmetic) = (*from, *k, *substruct_k, *arithmetic);
                    Some(MaskAt::Computed { from, k, substruct_k, words: [source, target], arithmetic })
                }
                _ => None,
            },
        }
    }

    /// How many first steps of a run of `steps` steps are the same under both orders, for one prompt and one parent.
    #[must_use]
    pub fn shared(&self, other: &Self, steps: usize) -> usize {
        (0..steps).take_while(|step| self.at(*step) == other.at(*step)).count()
    }

    /// A digest for each step, the same for two orders exactly where they say the same. In the order of these lists, each
    /// run shares most with the one before it.
    #[must_use]
    pub fn digests(&self, steps: usize) -> Vec<[u8; 32]> {
        (0..steps).map(|step| *blake3::hash(format!("{:?}", self.at(step)).as_bytes()).as_bytes()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::settings::Precision;

    fn orders(change: impl Fn(&mut RunPlan)) -> RunPlan {
        let mut orders = RunPlan::untouched(3, Precision::F32);
        orders.carry.columns = vec![Column::From { up: 1, tokens: vec![(0, 1.0)] }; 3];
        orders.carry.cross = vec![0..4; 3];
        orders.carry.own = 0..4;
        orders.carry.self_max = 64;
        orders.region = words(0.3, 2, BlendMaps::Carried);
        change(&mut orders);
        orders
    }

    fn words(k: f64, start: usize, maps: BlendMaps) -> RunRegion {
        let side = MaskWords { within: vec![1], without: vec![] };
        let (source, target) = (side.clone(), side);
        let (from, arithmetic) = (RegionFrom::Cross, BlendArithmetic::Select);
        RunRegion::Words { from, k, substruct_k: 0.3, source, target, start, arithmetic, maps }
    }

    #[track_caller]
    fn check(expected: usize, change: impl Fn(&mut RunPlan)) {
        let (a, b) = (orders(|_| {}), orders(change));
        assert_eq!((a.shared(&b, 10), b.shared(&a, 10)), (expected, expected));
        let same = |(x, y): &([u8; 32], [u8; 32])| x == y;
        assert_eq!(a.digests(10).into_iter().zip(b.digests(10)).take_while(same).count(), expected);
    }

    #[test]
    fn runs_part_where_the_shorter_window_closes() {
        check(10, |_| {});
        check(4, |o| o.carry.own = 0..7);
        check(2, |o| o.carry.cross[1] = 0..2);
        check(6, |o| {
            o.carry.values = 6..9;
            o.carry.v_mix = 0.5;
        });
    }

    #[test]
    fn another_threshold_tells_runs_apart_only_once_the_blend_begins() {
        check(2, |o| o.region = words(0.5, 2, BlendMaps::Carried));
        check(2, |o| o.region = words(0.3, 5, BlendMaps::Carried));
        check(2, |o| o.region = RunRegion::Everywhere);
        check(2, |o| {
            if let RunRegion::Words { from, .. } = &mut o.region {
                *from = RegionFrom::Spread;
            }
        });
        check(0, |o| o.region = RunRegion::As);
        check(0, |o| o.region = RunRegion::Given { area: Area::Words { tokens: vec![1] }, k: 0.3 });
    }

    #[test]
    fn which_maps_make_masks_matters_only_where_a_word_has_a_weight() {
        check(10, |o| o.region = words(0.3, 2, BlendMaps::Used));
        let weighed = |maps| {
            orders(|o| {
                o.weights[1] = 2.0;
                o.region = words(0.3, 2, maps);
            })
        };
        assert_eq!(weighed(BlendMaps::Used).shared(&weighed(BlendMaps::Carried), 10), 0);
        assert_eq!(weighed(BlendMaps::Used).shared(&weighed(BlendMaps::Used), 10), 10);
    }

    #[test]
    fn a_weight_outside_its_window_is_no_difference() {
        check(0, |o| o.weights[1] = 2.0);
        check(0, |o| {
            o.weights[1] = 2.0;
            o.weights_inside = Some(vec![0..4; 3]);
        });
        let inside = |end: usize| {
            orders(move |o| {
                o.weights[1] = 2.0;
                o.weights_inside = Some(vec![0..4, 0..end, 0..4]);
            })
        };
        assert_eq!(inside(4).shared(&inside(6), 10), 4);
    }

    #[test]
    fn a_setting_of_what_is_switched_off_is_no_difference() {
        check(10, |o| o.carry.v_mix = 0.9);
        check(0, |o| o.carry.self_max = 16);
    }
}
