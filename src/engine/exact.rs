//! Whether a way back leads to the very bits: told from plans alone, before anything is drawn.
//!
//! Every column of a text map that a run uses, and every pair of queries and keys, has a source: the run itself, or an
//! ancestor's run, however many hands it went through. [`Trace`] follows the sources of a node and all its ancestors to
//! where they come from. A descendant equals an ancestor bit for bit if it reads the same words, at every site and step
//! takes what it takes from the source that the ancestor took it from, makes itself what the ancestor made itself, weighs
//! alike, mixes no values, and is blended with the same masks: by induction over the steps equal latents give equal own
//! maps, and carried ones are copies. A node that is known to equal another up to a step counts as that one up to there.
//!
//! The orders are those that the run itself is given ([`RunPlan::of`]), so what is told here cannot drift from what is done.

use std::collections::{BTreeSet, HashMap};

use super::edit::{RunPlan, RunRegion};
use crate::attention::Kind;
use crate::plan::settings::Precision;
use crate::plan::{Plan, Region};
use crate::prompt::Prompt;

/// A node as far as its sources go.
#[derive(Debug, Clone, Copy)]
pub struct NodeView<'a> {
    /// Its plan.
    pub plan: &'a Plan,
    /// Its prompt.
    pub prompt: &'a Prompt,
}

/// What all nodes of a tree share.
#[derive(Debug, Clone)]
pub struct TreeFacts {
    /// Denoising steps.
    pub steps: usize,
    /// Rounding of carried maps.
    pub map_precision: Precision,
    /// The model's own limit for self-attention, in pixels.
    pub self_max: usize,
    /// The sizes that its self-attention layers have, in pixels.
    pub layers: Vec<usize>,
    /// Whether the root is a photograph: then its masks let nothing change, and who takes them up equals it.
    pub is_photograph: bool,
}

/// Where something comes from. Nodes are counted as the family is: 0 is the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The run of this node made it.
    Run(usize),
    /// It is a sum of several.
    Sum,
}

/// What keeps a node from being another, bit for bit.
#[derive(Debug, Clone, PartialEq)]
pub struct Mismatch {
    /// The first step at which it does.
    pub step: usize,
    /// What differs there.
    pub what: Difference,
}

/// What differs between a node and the one that it should equal. `ours` is the node's, `theirs` the other's.
#[derive(Debug, Clone, PartialEq)]
pub enum Difference {
    /// They read different tokens.
    Words,
    /// The queries and keys of self-attention.
    SelfAttention {
        /// Whose the node uses.
        ours: Source,
        /// Whose the other used.
        theirs: Source,
        /// Pixels of the smallest layer in question.
        pixels: usize,
    },
    /// The column of a token in maps of text attention.
    Cross {
        /// The token's position.
        token: usize,
        /// Whose the node uses.
        ours: Source,
        /// Whose the other used.
        theirs: Source,
    },
    /// One of them mixes values.
    Values {
        /// Whether it is the node itself; else it is the other.
        ours: bool,
    },
    /// The weight of a token.
    Weight {
        /// The token's position.
        token: usize,
        /// The node's.
        ours: f32,
        /// The other's.
        theirs: f32,
    },
    /// One of them scales rows back to a sum of 1.
    Renormalized {
        /// Whether it is the node itself; else it is the other.
        ours: bool,
    },
    /// The latent that its run begins with, by the node whose run began with it first.
    Start {
        /// The node's.
        ours: usize,
        /// The other's.
        theirs: usize,
    },
    /// The masks that it is blended with, by the node that made them.
    Region {
        /// Whose the node takes up; `None` for no blending.
        ours: Option<usize>,
        /// Whose the other took up.
        theirs: Option<usize>,
    },
}

/// A column, or queries and keys, by what they are made of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Made {
    /// A node's own column of a token; its queries and keys at token 0 of a list of their own.
    Own(usize, usize),
    /// Columns by number, each times a share (its bits).
    Sum(Vec<(u32, u32)>),
}

/// Made things by number, each once: equal numbers are equal bits.
#[derive(Debug, Default)]
struct Pool {
    numbers: HashMap<Made, u32>,
    all: Vec<Made>,
}

impl Pool {
    fn number(&mut self, made: Made) -> u32 {
        if let Some(known) = self.numbers.get(&made) {
            return *known;
        }
        let number = self.all.len() as u32;
        self.all.push(made.clone());
        self.numbers.insert(made, number);
        number
    }
}

#[derive(Debug)]
struct Node {
    orders: RunPlan,
    /// The node whose first latent its run begins with.
    start: usize,
    /// The node whose masks it is blended with, and the step at which they begin.
    masks: Option<(usize, usize)>,
    /// Columns by stretch of steps and token.
    cross: Vec<Vec<u32>>,
    /// Whose queries and keys, by stretch and layer.
    own: Vec<Vec<usize>>,
    /// The node that it equals, and for how many stretches.
    like: Option<(usize, usize)>,
}

/// The sources of a family, followed to where they come from.
#[derive(Debug)]
pub struct Trace {
    /// The root first.
    nodes: Vec<Node>,
    ids: Vec<Vec<u32>>,
    /// First steps of the stretches in which nothing changes.
    starts: Vec<usize>,
    layers: Vec<usize>,
    pool: Pool,
}

impl Trace {
    /// Follows the sources of `family`, nearest first.
    #[must_use]
    pub fn of(family: &[NodeView<'_>], frame: &TreeFacts) -> Self {
        let mut first = 0;
        let orders = family.iter().rev().map(|kin| {
            if !kin.plan.goes_on() {
                first = kin.plan.redraw().map_or(0, |redraw| redraw.method.first(frame.steps));
            }
            RunPlan::of(kin.plan, kin.prompt, (first, frame.steps), frame.map_precision, frame.self_max)
        });
        let orders: Vec<RunPlan> = orders.collect();
        let mut trace = Self {
            nodes: Vec::new(),
            ids: family.iter().rev().map(|kin| kin.prompt.ids.clone()).collect(),
            starts: stretches(&orders, frame.steps),
            layers: frame.layers.clone(),
            pool: Pool::default(),
        };
        let mut alike: HashMap<Vec<u32>, Vec<usize>> = HashMap::new();
        for (i, (kin, orders)) in family.iter().rev().zip(orders).enumerate() {
            let masks = match (kin.plan.region(), &orders.region) {
                (Region::Words { .. }, RunRegion::Words { start, .. }) => Some((i, *start)),
                (Region::Given(_) | Region::Difference, _) => Some((i, 0)),
                (Region::As { up }, _) => i.checked_sub(*up).and_then(|from| trace.nodes[from].masks),
                _ if i == 0 && frame.is_photograph => Some((0, 0)),
                _ => None,
            };
            let goes_on = i.checked_sub(1).filter(|_| kin.plan.goes_on());
            let start = goes_on.map_or(i, |parent| trace.nodes[parent].start);
            trace.nodes.push(Node { orders, start, masks, cross: Vec::new(), own: Vec::new(), like: None });
            trace.follow(i);
            let others = alike.entry(trace.ids[i].clone()).or_default();
            let mut best: Option<(usize, usize)> = None;
            for other in others.iter().rev() {
                let until = trace.compare(i, *other).map_or(trace.starts.len(), |(stretch, _)| stretch);
                if until > best.map_or(0, |b| b.1) {
                    best = Some((*other, until));
                }
                if until == trace.starts.len() {
                    break;
                }
            }
            others.push(i);
            if best.is_some() {
                trace.nodes[i].like = best;
                trace.follow(i);
            }
        }
        trace
    }

    /// What keeps the family's member `node` from being its member `wanted`, bit for bit; `None` if nothing does.
    #[must_use]
    pub fn breach(&self, node: usize, wanted: usize) -> Option<Mismatch> {
        let (node, wanted) = (self.turned(node), self.turned(wanted));
        if self.ids[node] != self.ids[wanted] {
            return Some(Mismatch { step: 0, what: Difference::Words });
        }
        // Held on a photograph from the first step on, a run has its latents whatever maps it reads.
        if wanted == 0 && self.nodes[0].masks.is_some() && self.nodes[node].masks == self.nodes[0].masks {
            return None;
        }
        let (stretch, what) = self.compare(node, wanted)?;
        Some(Mismatch { step: self.starts[stretch], what })
    }

    /// Counted from the root instead of from the newest, or back.
    fn turned(&self, at: usize) -> usize {
        self.nodes.len().saturating_sub(at + 1)
    }

    /// What a node is called in a stretch: itself, or the one that it equals.
    fn name(&self, mut node: usize, stretch: usize) -> usize {
        while let Some((other, until)) = self.nodes[node].like {
            if stretch >= until {
                break;
            }
            node = other;
        }
        node
    }

    /// Works out where the columns, queries and keys of a node come from.
    fn follow(&mut self, i: usize) {
        let (mut cross, mut own) = (Vec::new(), Vec::new());
        for stretch in 0..self.starts.len() {
            let step = self.starts[stretch];
            let me = self.name(i, stretch);
            let carry = &self.nodes[i].orders.carry;
            let mut columns = Vec::with_capacity(carry.columns.len());
            for j in 0..carry.columns.len() {
                let made = match carry.source(j, step) {
                    Some((up, tokens)) if up <= i => {
                        let theirs = &self.nodes[i - up].cross[stretch];
                        match tokens {
                            [(token, share)] if *share == 1.0 => {
                                columns.push(theirs[*token]);
                                continue;
                            }
                            _ => Made::Sum(tokens.iter().map(|(t, share)| (theirs[*t], share.to_bits())).collect()),
                        }
                    }
                    _ => Made::Own(me, j),
                };
                columns.push(self.pool.number(made));
            }
            cross.push(columns);
            let taken = |pixels: &usize| i > 0 && carry.own.contains(&step) && *pixels <= carry.self_max;
            let source = |(layer, pixels): (usize, &usize)| {
                if taken(pixels) { self.nodes[i - 1].own[stretch][layer] } else { me }
            };
            own.push(self.layers.iter().enumerate().map(source).collect());
        }
        (self.nodes[i].cross, self.nodes[i].own) = (cross, own);
    }

    /// The first stretch in which node `a` is not node `b`, and why. Both are counted from the root and read the same.
    fn compare(&self, a: usize, b: usize) -> Option<(usize, Difference)> {
        let [ours, theirs] = [a, b].map(|node| self.nodes[node].start);
        if ours != theirs {
            return Some((0, Difference::Start { ours: self.turned(ours), theirs: self.turned(theirs) }));
        }
        (0..self.starts.len()).find_map(|stretch| Some((stretch, self.differs(a, b, stretch)?)))
    }

    /// What differs in a stretch, provided that nothing did before. In the order of a step: self-attention comes before
    /// attention to the words in every block, and masks after both.
    fn differs(&self, a: usize, b: usize, stretch: usize) -> Option<Difference> {
        let step = self.starts[stretch];
        let (ours, theirs) = (&self.nodes[a], &self.nodes[b]);
        // If nothing differed so far, what `a` makes itself is what `b` makes itself.
        let b_name = self.name(b, stretch);
        let as_b = |node: usize| if node == a { b_name } else { node };
        for (layer, pixels) in self.layers.iter().enumerate() {
            let (x, y) = (ours.own[stretch][layer], theirs.own[stretch][layer]);
            if as_b(x) != y {
                let [ours, theirs] = [x, y].map(|node| Source::Run(self.turned(node)));
                return Some(Difference::SelfAttention { ours, theirs, pixels: *pixels });
            }
        }
        let mixes =
            |node: &Node| [Kind::SelfAttention, Kind::Cross].iter().any(|kind| node.orders.carry.mixes(*kind, step));
        if mixes(ours) || mixes(theirs) {
            return Some(Difference::Values { ours: mixes(ours) });
        }
        for (token, (x, y)) in ours.cross[stretch].iter().zip(&theirs.cross[stretch]).enumerate() {
            let same = x == y
                || matches!((&self.pool.all[*x as usize], &self.pool.all[*y as usize]),
                    (Made::Own(p, t), Made::Own(q, u)) if as_b(*p) == *q && t == u);
            if !same {
                let source = |made: u32| match &self.pool.all[made as usize] {
                    Made::Own(node, _) => Source::Run(self.turned(*node)),
                    Made::Sum(_) => Source::Sum,
                };
                return Some(Difference::Cross { token, ours: source(*x), theirs: source(*y) });
            }
        }
        let (x, y) = (ours.orders.weights_at(step), theirs.orders.weights_at(step));
        if let Some(token) = (0..x.len()).find(|t| x[*t].to_bits() != y[*t].to_bits()) {
            return Some(Difference::Weight { token, ours: x[token], theirs: y[token] });
        }
        if ours.orders.renormalize != theirs.orders.renormalize {
            return Some(Difference::Renormalized { ours: ours.orders.renormalize });
        }
        let begun = |masks: Option<(usize, usize)>| masks.filter(|(_, start)| *start <= step).map(|(node, _)| node);
        let (x, y) = (begun(ours.masks), begun(theirs.masks));
        (x != y).then(|| Difference::Region { ours: x.map(|n| self.turned(n)), theirs: y.map(|n| self.turned(n)) })
    }
}

/// The steps at which any window of these orders opens or closes, or a mask begins; step 0 among them.
fn stretches(orders: &[RunPlan], steps: usize) -> Vec<usize> {
    let mut starts = BTreeSet::from([0]);
    for one in orders {
        let carry = &one.carry;
        for window in carry.cross.iter().chain([&carry.own, &carry.values]) {
            starts.extend([window.start, window.end]);
        }
        if let RunRegion::Words { start, .. } = &one.region {
            starts.insert(*start);
        }
    }
    starts.into_iter().filter(|step| *step < steps).collect()
}

#[cfg(test)]
mod tests;
