//! What a node is called by machines: a digest of everything that decides its picture.
//!
//! The digest covers the parent's id, so two nodes have the same id exactly if the whole way to them was the same.
//! It does not cover what was typed (`make it red` and `blond -> red` may mean the same edit), nor what the model is
//! called for people: a folder that moved is still the same model, and its digest says so.

use std::fmt;

use crate::plan::area::Area;
use crate::plan::redraw::{Patch, Redraw, RedrawMethod, Tuning};
use crate::plan::settings::{
    Alignment, BlendArithmetic, BlendMaps, Outside, Precision, RegionFrom, Rounding, TurnSettings, VLayers,
    WeightWindow, Window,
};
use crate::plan::{EditMethod, Origin, P2p, Plan, PlanParts, Recipe, Region, Stretch};
use crate::turn::Replaced;

/// Version of the rule by which ids are made. It changes whenever the bytes below do.
pub const ID_FORMAT: u32 = 1;

/// The fewest hexadecimal digits that are read as the beginning of an id.
pub const SHORTEST_PREFIX: usize = 4;

/// A node's digest: blake3 over format version, parent id, plan and recipe, each part with its length first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub [u8; 32]);

impl NodeId {
    /// The id of the node that `plan` makes of `parent` (of nothing, at a root) under `recipe`.
    #[must_use]
    pub fn of(parent: Option<Self>, plan: &Plan, recipe: &Recipe) -> Self {
        let mut hash = blake3::Hasher::new();
        let mut part = |bytes: &[u8]| {
            hash.update(&(bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        part(&ID_FORMAT.to_le_bytes());
        part(parent.as_ref().map_or(&[], |id| id.0.as_slice()));
        part(&plan_bytes(plan));
        part(&recipe_bytes(recipe));
        Self(*hash.finalize().as_bytes())
    }

    /// All 64 hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The first 8 hexadecimal digits, as people see them.
    #[must_use]
    pub fn short(&self) -> String {
        self.hex()[..8].to_owned()
    }

    /// Reads 64 hexadecimal digits; `None` for anything else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let prefix = Prefix::parse(text).filter(|prefix| prefix.digits == 64)?;
        Some(Self(prefix.low))
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({})", self.short())
    }
}

/// The beginning of an id, as it may be typed: 4 to 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    digits: usize,
    /// The smallest id with this beginning.
    low: [u8; 32],
    /// The largest one.
    high: [u8; 32],
}

impl Prefix {
    /// Reads the beginning of an id, in either case; `None` if it is too short, too long or not hexadecimal.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len();
        if !(SHORTEST_PREFIX..=64).contains(&digits) {
            return None;
        }
        let (mut low, mut high) = ([0; 32], [0xff; 32]);
        for (place, c) in text.chars().enumerate() {
            let digit = u8::try_from(c.to_digit(16)?).expect("a hexadecimal digit is below 16");
            let (shift, keep) = if place % 2 == 0 { (4, 0x0f) } else { (0, 0xf0) };
            low[place / 2] |= digit << shift;
            high[place / 2] = (high[place / 2] & keep) | (digit << shift);
        }
        Some(Self { digits, low, high })
    }

    /// Whether `id` begins this way.
    #[must_use]
    pub fn fits(&self, id: &NodeId) -> bool {
        self.range().contains(id)
    }

    /// All ids that begin this way.
    #[must_use]
    pub fn range(&self) -> std::ops::RangeInclusive<NodeId> {
        NodeId(self.low)..=NodeId(self.high)
    }
}

/// What a [`Prefix`] stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// No id begins this way.
    None,
    /// One does: the number of its node.
    One(u32),
    /// Several do: the numbers of their nodes.
    Ambiguous(Vec<u32>),
}

/// Writes values one after the other so that different values never give the same bytes: whole numbers in LEB128
/// (seven bits a byte, the lowest first; most are one byte, and ten thousand ids must be checked while a file opens),
/// fractions in a fixed width, texts and lists with their length first, choices as an ordinal that never changes.
///
/// Every structure is taken apart by name below, so a new field does not compile until it has its place here.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn whole(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.0.push((n & 0x7f) as u8 | 0x80);
            n >>= 7;
        }
        self.0.push(n as u8);
    }

    fn count(&mut self, n: usize) {
        self.whole(n as u64);
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn ordinal(&mut self, n: u8) {
        self.0.push(n);
    }

    fn number(&mut self, x: f64) {
        // Adding 0 makes -0 into 0: the two are equal, so they may not give two ids.
        self.0.extend_from_slice(&(x + 0.0).to_bits().to_le_bytes());
    }

    fn counts(&mut self, list: &[usize]) {
        self.count(list.len());
        list.iter().for_each(|n| self.count(*n));
    }

    fn texts(&mut self, list: &[String]) {
        self.count(list.len());
        list.iter().for_each(|text| self.text(text));
    }

    fn window(&mut self, window: Window) {
        let Window { from, to } = window;
        self.number(from);
        self.number(to);
    }

    fn tuning(&mut self, tuning: Tuning) {
        let Tuning { steps, rate } = tuning;
        self.count(steps);
        self.number(rate);
    }

    fn precision(&mut self, precision: Precision) {
        self.ordinal(match precision {
            Precision::F32 => 0,
            Precision::F16 => 1,
            Precision::Bf16 => 2,
        });
    }
}

fn plan_bytes(plan: &Plan) -> Vec<u8> {
    let PlanParts { prompt, weights, settings, method } = &**plan;
    let mut out = Bytes(Vec::with_capacity(512 + 16 * plan.tokens()));
    out.text(prompt);
    out.count(plan.spans().len());
    for Replaced { source, target } in plan.spans() {
        [source.start, source.end, target.start, target.end].into_iter().for_each(|n| out.count(n));
    }
    out.count(weights.len());
    weights.iter().for_each(|weight| out.number(*weight));
    out.count(plan.tokens());
    match method {
        EditMethod::Generate { tokens } | EditMethod::Redraw(Redraw { tokens, .. }) => {
            (0..*tokens).for_each(|_| out.ordinal(0));
        }
        EditMethod::PromptToPrompt(P2p { columns, .. }) => {
            columns.stretches().iter().for_each(|stretch| stretch_bytes(&mut out, stretch));
        }
    }
    settings_bytes(&mut out, settings);
    // A method of another kind has an ordinal of its own here, from 16 on, and after it what it says besides.
    match method {
        EditMethod::Generate { .. } => out.ordinal(0),
        EditMethod::PromptToPrompt(P2p { spans: _, columns: _, region }) => region_bytes(&mut out, region),
        EditMethod::Redraw(Redraw { spans: _, tokens: _, region, seed, method }) => {
            method_bytes(&mut out, method);
            out.whole(*seed);
            region_bytes(&mut out, region);
        }
    }
    out.0
}

fn method_bytes(out: &mut Bytes, method: &RedrawMethod) {
    match method {
        RedrawMethod::SdEdit { strength, patch } => {
            out.ordinal(16);
            out.number(*strength);
            out.ordinal(u8::from(patch.is_some()));
            if let Some(patch) = patch {
                let Patch { x, y, width, height, rgba: _ } = patch;
                [x, y, width, height].into_iter().for_each(|n| out.count(*n));
                out.text(&patch.digest());
            }
        }
        RedrawMethod::BlendedDiffusion { strength } => {
            out.ordinal(17);
            out.number(*strength);
        }
        RedrawMethod::MagicMix { kmin, kmax, nu } => {
            out.ordinal(18);
            [kmin, kmax, nu].into_iter().for_each(|x| out.number(*x));
        }
        RedrawMethod::DiffEdit { strength, mask_strength, ratio, maps } => {
            out.ordinal(19);
            [strength, mask_strength, ratio].into_iter().for_each(|x| out.number(*x));
            out.count(*maps);
        }
        RedrawMethod::Imagic { strength, embedding, model } => {
            out.ordinal(20);
            out.number(*strength);
            out.tuning(*embedding);
            out.tuning(*model);
        }
        RedrawMethod::UniTune { strength, rare, model } => {
            out.ordinal(21);
            out.number(*strength);
            out.text(rare);
            out.tuning(*model);
        }
    }
}

fn region_bytes(out: &mut Bytes, region: &Region) {
    match region {
        Region::Everywhere => out.ordinal(0),
        Region::Words { source, target, source_out, target_out } => {
            out.ordinal(1);
            [source, target, source_out, target_out].into_iter().for_each(|list| out.counts(list));
        }
        Region::As { up } => {
            out.ordinal(2);
            out.count(*up);
        }
        Region::Given(area) => {
            out.ordinal(3);
            match area {
                Area::Mask(mask) => {
                    out.ordinal(0);
                    out.text(&mask.digest());
                }
                Area::Rectangle { x, y, width, height } => {
                    out.ordinal(1);
                    [x, y, width, height].into_iter().for_each(|n| out.count(*n));
                }
                Area::Words { tokens } => {
                    out.ordinal(2);
                    out.counts(tokens);
                }
            }
        }
        Region::Difference => out.ordinal(4),
    }
}

/// Token by token, so that the bytes do not depend on how sources are packed.
fn stretch_bytes(out: &mut Bytes, stretch: &Stretch) {
    let mut from = |up: u32, tokens: &[(u32, f32)]| {
        out.ordinal(1);
        out.whole(up.into());
        out.count(tokens.len());
        for (token, share) in tokens {
            out.whole((*token).into());
            out.0.extend_from_slice(&(share + 0.0).to_bits().to_le_bytes());
        }
    };
    match stretch {
        Stretch::Own(count) => (0..*count).for_each(|_| out.ordinal(0)),
        Stretch::Same { up, from: first, count } => (0..*count).for_each(|n| from(*up, &[(first + n, 1.0)])),
        Stretch::Sum { up, tokens } => from(*up, tokens),
    }
}

fn settings_bytes(out: &mut Bytes, settings: &TurnSettings) {
    let TurnSettings {
        cross_replace_steps,
        cross_words,
        self_replace_steps,
        self_max,
        k,
        region_from,
        blend_words,
        substruct_words,
        substruct_k,
        start_blend,
        v_replace_steps,
        v_mix,
        v_layers,
        weight_window,
        alignment,
        blend_maps,
        blend_arithmetic,
        window_rounding,
        renormalize,
        outside,
    } = settings;
    out.window(*cross_replace_steps);
    out.count(cross_words.len());
    for (word, window) in cross_words {
        out.text(word);
        out.window(*window);
    }
    out.window(*self_replace_steps);
    out.counts(self_max.as_slice());
    out.number(*k);
    out.texts(blend_words);
    out.texts(substruct_words);
    out.number(*substruct_k);
    out.number(*start_blend);
    out.window(*v_replace_steps);
    out.number(*v_mix);
    out.ordinal(match v_layers {
        VLayers::Cross => 0,
        VLayers::SelfAttention => 1,
        VLayers::Both => 2,
    });
    out.ordinal(match weight_window {
        WeightWindow::Always => 0,
        WeightWindow::Inside => 1,
    });
    out.ordinal(match alignment {
        Alignment::Words => 0,
        Alignment::Published => 1,
    });
    out.ordinal(match blend_maps {
        BlendMaps::Carried => 0,
        BlendMaps::Used => 1,
    });
    out.ordinal(match blend_arithmetic {
        BlendArithmetic::Select => 0,
        BlendArithmetic::Mix => 1,
    });
    out.ordinal(match window_rounding {
        Rounding::Round => 0,
        Rounding::Published => 1,
    });
    out.ordinal(u8::from(*renormalize));
    // Younger than the ids: no byte where it says what was meant before, and one that begins no method where it does not.
    if *outside == Outside::Model {
        out.ordinal(0xff);
    }
    match region_from {
        RegionFrom::Cross => {}
        RegionFrom::Spread => out.ordinal(0xfe),
        RegionFrom::Text => out.ordinal(0xfd),
    }
}

fn recipe_bytes(recipe: &Recipe) -> Vec<u8> {
    let Recipe {
        model: _, // a name for people; the digest says which model it is
        model_digest,
        seed,
        steps,
        guidance,
        embeds_guidance: _, // its configuration says so, and the digest which that is
        width,
        height,
        negative,
        scheduler,
        precision,
        map_precision,
        origin,
    } = recipe;
    let mut out = Bytes::default();
    out.text(model_digest);
    out.whole(*seed);
    out.count(*steps);
    out.number(*guidance);
    out.count(*width);
    out.count(*height);
    out.text(negative);
    out.text(scheduler.as_str());
    out.precision(*precision);
    out.precision(*map_precision);
    match origin {
        Origin::Noise => out.ordinal(0),
        Origin::Photograph { picture, inversion } => {
            out.ordinal(1);
            out.text(picture.digest());
            out.text(inversion.as_str());
        }
    }
    out.0
}

#[cfg(test)]
mod tests {
    use super::super::samples::recipe;
    use super::*;
    use crate::plan::inversion::InversionName;
    use crate::plan::photograph::Photograph;
    use std::sync::Arc;

    #[test]
    fn a_photograph_is_written_as_it_was_before_inversions_were_rows() {
        let noise = recipe_bytes(&recipe(1));
        let picture = Arc::new(Photograph::new(1, 1, vec![1, 2, 3], None).unwrap());
        let digest = picture.digest().to_owned();
        let origin = Origin::Photograph { picture, inversion: InversionName::NullText };
        let photograph = recipe_bytes(&Recipe { origin, ..recipe(1) });
        let (before, origin) = photograph.split_at(noise.len() - 1);
        assert_eq!(before, &noise[..noise.len() - 1]);
        assert_eq!(origin, format!("\x01\x40{digest}\x09null-text").as_bytes());
    }
}
